//! The words every decision is made of: money, quantities, prices, percentages, and the names of things.

mod currency;
mod ids;
mod money;
mod overflow;
mod percentage;
mod price;
mod quantity;
mod rounding;
mod symbol;
mod text;
mod timestamp;
mod value;
pub(crate) mod wide;
#[cfg(feature = "serde")]
mod wire;

pub use currency::{Currency, CurrencyError};
pub use ids::{
    AccountId, FillId, IdError, IdReason, MovementId, OwnerId, PortfolioId, Sequence, StoreId, Token,
};
pub use money::Money;
pub use overflow::Overflow;
pub use percentage::Percentage;
pub use price::{Price, PriceError};
pub use quantity::{Lot, Quantity, QuantityError, ZeroLot};
pub use rounding::Rounding;
pub use symbol::{Symbol, SymbolError, SymbolReason};
pub use text::{ParseError, ParseReason};
pub use timestamp::{Timestamp, TimestampError, TimestampReason};
pub use value::{ShareError, Value};
