//! The words every decision is made of: money, quantities, prices, percentages, and the names of things.
//!
//! A decimal is kept as a whole number of its smallest unit, so `0.1 + 0.2` is `0.3` and nothing is rounded
//! unnoticed. There are no floats and no operators: only the methods that mean something exist, and what can go
//! wrong is in their type.
//!
//! | type | decimals | from | to | is |
//! |---|---|---|---|---|
//! | [`Money`] | 2 | -9999999999999999.99 | 9999999999999999.99 | cash that moves |
//! | [`Quantity`] | 9 | 0 | 999999999999999999.999999999 | units of an asset |
//! | [`Price`] | 9 | 0.000000001 | 9999999999.999999999 | what one unit costs |
//! | [`Percentage`] | 4 | -99999999999999.9999 | 99999999999999.9999 | a share of a whole |
//! | [`Value`] | 18 | about -5.8 × 10⁵⁸ | about 5.8 × 10⁵⁸ | exact worth, before any rounding |
//!
//! How they lead to one another:
//!
//! | from | to | by | rounding | fails when |
//! |---|---|---|---|---|
//! | price, quantity | value | [`Price::times`] | none | never |
//! | money | value | [`Money::to_value`] | none | never |
//! | value | money | [`Value::to_money`] | [named](Rounding) | it is beyond [`Money::MAX`] |
//! | value, value | percentage | [`Value::share_of`] | [named](Rounding) | the total is zero, the share too large |
//! | value, quantity | price | [`Price::average`] | [named](Rounding) | the quantity is zero, the price is zero, negative or too large |
//!
//! ```
//! use evenkeel_domain::values::{Money, Price, Quantity, Rounding, Value};
//!
//! let price: Price = "366.63".parse()?;
//! let held: Quantity = "100".parse()?;
//! let cash: Money = "63337.00".parse()?;
//!
//! let worth = price.times(held);
//! let total = worth.add(cash.to_value())?;
//! assert_eq!(total.to_string(), "100000");
//! assert_eq!(worth.share_of(total, Rounding::HalfEven)?.to_string(), "36.6630");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What they share:
//!
//! * Text is exact: `-?(0|[1-9][0-9]*)(\.[0-9]{1,N})?`, with at most as many decimals as the type has. Everything
//!   else is refused with its own [`ParseReason`]. Equal values print alike, and what is printed reads back as the
//!   same value.
//! * A result beyond the range of its type is an [`Overflow`], which tells what was being done, to what.
//! * Printing honours width, fill and alignment, and ignores precision: `{:.1}` never cuts a digit off.
//! * With the feature `serde` every value and id is a string, and only a string; counters are numbers.
//! * [`rust_decimal`] is for the edges: `to_decimal` and `TryFrom<Decimal>` are exact or refused.
//!
//! The names are [`Symbol`], [`Currency`] and the ids; moments are [`Timestamp`]s.

mod currency;
mod ids;
mod money;
mod overflow;
mod percentage;
mod price;
mod quantity;
mod rounding;
mod symbol;
#[cfg(test)]
mod tests;
mod text;
mod timestamp;
mod value;
pub(crate) mod wide;
#[cfg(feature = "serde")]
mod wire;

pub use currency::{Currency, CurrencyError};
pub use ids::{AccountId, FillId, IdError, IdReason, MovementId, OwnerId, PortfolioId, Sequence, StoreId, Token};
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
