//! Where prices come from: a stream of waves.
//!
//! Adapters: `FakeMarket` and `CsvWaves` in the market crate. How prices become decisions is the engine's business.

use async_trait::async_trait;
use evenkeel_domain::values::{Price, Symbol, Timestamp};

/// The prices of one time, applied together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wave {
    /// The time of every price in it.
    pub at: Timestamp,
    /// The time as its source wrote it, for records that echo it: `2000-03-06` or an RFC 3339 time.
    pub label: String,
    /// Each symbol at most once, in symbol order.
    pub prices: Vec<(Symbol, Price)>,
}

/// A source of waves.
///
/// # Contract
/// 1. **Order**: waves come in strictly increasing time; within a wave each symbol appears at most once, in symbol order.
/// 2. **End**: `Ok(None)` means there will never be another wave; asking again answers the same.
/// 3. **Faults**: after an error the source is at its end. It never invents, repairs or skips a price.
///
/// **Cancellation**: dropping the future loses no wave: the next call gives the wave that was under way, or the one after
/// it if that wave had been handed over. **Not promised**: that a symbol is priced in every wave, or that any is. Who is not
/// priced, because trading is halted or the price got lost, keeps the last price with its age. A split is no business of a source:
/// whoever holds the units has to follow it.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait PriceSource: Send {
    /// The next wave, or `None` at the end.
    ///
    /// # Errors
    /// [`PriceSourceError`]: the source is broken or its data are wrong; nothing more will come of it.
    async fn next_wave(&mut self) -> Result<Option<Wave>, PriceSourceError>;
}

/// A price source that cannot go on.
#[derive(Debug, thiserror::Error)]
#[error("reading prices from {source_name}")]
pub struct PriceSourceError {
    /// Which source.
    pub source_name: String,
    /// What went wrong.
    #[source]
    pub cause: Box<dyn std::error::Error + Send + Sync>,
}
