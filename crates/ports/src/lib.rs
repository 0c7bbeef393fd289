//! What the core of Evenkeel needs from the world: traits, their contracts, and the encoding of journal records.

mod prices;

pub use prices::{PriceSource, PriceSourceError, Wave};
#[cfg(feature = "mock")]
pub use prices::MockPriceSource;
