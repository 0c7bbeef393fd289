//! A fake NASDAQ: prices that look right and are made up from a seed.
//!
//! Every draw is a pure function of (seed, concern, key, occurrence), where the key is the symbol and the occurrence
//! the number of the step: see `draws`. So a symbol's path does not depend on which others there are or what else is
//! drawn, and the same seed gives the same bytes on every machine: the walk uses only what floats compute exactly alike
//! everywhere.
//!
//! * `listings`: which symbols there are, their first prices and how much they move: data.
//! * `walk`: how a price moves. The only place with floats; what comes out is whole cents.
//! * `incidents`: halts, prices that are missing or doubled, splits. Off unless asked for.
//! * `calendar`: when. * `export`: the prices as CSV, in the form [`crate::recorded`] reads.
//!
//! This is for trying things, demos and tests. It knows no holidays and no dividends, and nothing it says is about
//! the companies whose symbols it borrows.

mod calendar;
mod draws;
mod export;
mod incidents;
mod listings;
#[cfg(test)]
#[expect(clippy::as_conversions, clippy::float_arithmetic, reason = "tests of statistics")]
mod tests;
#[expect(
    clippy::float_arithmetic,
    clippy::as_conversions,
    reason = "a random walk is made of floats; whole cents come out, within bounds that are checked"
)]
mod walk;

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use evenkeel_domain::values::{Price, Symbol, Timestamp};
use evenkeel_ports::{PriceSource, PriceSourceError, Wave};

pub use export::write_csv;
pub use incidents::{Announcement, Incident, IncidentChances, IncidentKind, Split};
use incidents::{Incidents, Shown};
pub use listings::{Listing, Volatility};
use walk::{Market, Walk};

/// How fast the time of a fake market goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// One wave per weekday from Tuesday, 2024-01-02, at noon UTC; labelled with the date.
    Days,
    /// Short steps around the clock; labelled with the RFC 3339 time. Moves shrink with the square root of the step,
    /// where a day is one trading session of six and a half hours.
    Ticks {
        /// The time of the first wave.
        start: Timestamp,
        /// The time between two waves; more than zero.
        step: Duration,
    },
}

/// A fake market cannot be made so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FakeMarketError {
    /// Too few or too many symbols.
    #[error("a fake market has 1 to {most} symbols, not {asked}")]
    Symbols {
        /// How many were asked for.
        asked: usize,
        /// How many there may be.
        most: usize,
    },
    /// A symbol is listed twice.
    #[error("{symbol} is listed twice")]
    ListedTwice {
        /// The symbol.
        symbol: Symbol,
    },
    /// Something is to happen to a symbol that is not listed.
    #[error("{symbol} is not listed, so nothing can happen to it")]
    NotListed {
        /// The symbol.
        symbol: Symbol,
    },
    /// Time would stand still.
    #[error("a tick takes more than no time")]
    NoStep,
}

/// A made-up market: an iterator of waves, and a [`PriceSource`] that is always ready and never fails.
///
/// The first wave has the first prices; each later one is a step on. Every symbol is priced in every wave, in cents,
/// from 0.01 to 9999999.99, unless an [`Incident`] that was asked for says otherwise. It ends where [`FakeMarket::limited_to`] says, or else with the last moment of a [`Timestamp`],
/// in the year 2262: for [`Pace::Days`] after more than [`FakeMarket::MOST_DAYS`] waves.
#[derive(Debug, Clone)]
pub struct FakeMarket {
    seed: u64,
    pace: Pace,
    market: Market,
    /// In symbol order.
    walks: Vec<Walk>,
    incidents: Incidents,
    announcements: Vec<Announcement>,
    step: u64,
    left: Option<u64>,
}

impl FakeMarket {
    /// How many symbols [`FakeMarket::new`] can list.
    pub const MOST_SYMBOLS: usize = 100_000;
    /// So many days certainly exist.
    pub const MOST_DAYS: u64 = 62_000;

    /// A market of so many symbols: first the well-known ones, then made-up ones, the same for every seed.
    ///
    /// # Errors
    /// [`FakeMarketError`]: no symbol, more than [`FakeMarket::MOST_SYMBOLS`], or a tick of zero.
    pub fn new(seed: u64, symbols: usize, pace: Pace) -> Result<Self, FakeMarketError> {
        if symbols > Self::MOST_SYMBOLS {
            return Err(FakeMarketError::Symbols { asked: symbols, most: Self::MOST_SYMBOLS });
        }
        Self::with_listings(seed, listings::list(seed, symbols), pace)
    }

    /// A market of these symbols and first prices, which are rounded half-up to cents and brought to the nearest in
    /// range.
    ///
    /// # Errors
    /// [`FakeMarketError`]: no symbol, one that is listed twice, or a tick of zero.
    pub fn with_listings(
        seed: u64,
        listings: impl IntoIterator<Item = Listing>,
        pace: Pace,
    ) -> Result<Self, FakeMarketError> {
        if matches!(pace, Pace::Ticks { step: Duration::ZERO, .. }) {
            return Err(FakeMarketError::NoStep);
        }
        let mut walks = BTreeMap::new();
        for listing in listings {
            if walks.insert(listing.symbol, Walk::new(&listing)).is_some() {
                return Err(FakeMarketError::ListedTwice { symbol: listing.symbol });
            }
        }
        if walks.is_empty() {
            return Err(FakeMarketError::Symbols { asked: 0, most: Self::MOST_SYMBOLS });
        }
        let market = match pace {
            Pace::Days => Market::daily(),
            Pace::Ticks { step, .. } => Market::ticking(step),
        };
        Ok(Self {
            seed,
            pace,
            market,
            walks: walks.into_values().collect(),
            incidents: Incidents::default(),
            announcements: Vec::new(),
            step: 0,
            left: None,
        })
    }

    /// The same market, in which these things happen, beside those that were asked for before. What is to happen in a wave that was
    /// given already does not.
    ///
    /// # Errors
    /// [`FakeMarketError::NotListed`].
    pub fn with_incidents(mut self, incidents: impl IntoIterator<Item = Incident>) -> Result<Self, FakeMarketError> {
        self.incidents.script(incidents);
        let is_listed = |symbol: &Symbol| self.walks.binary_search_by_key(symbol, Walk::symbol).is_ok();
        match self.incidents.scripted_symbols().into_iter().find(|symbol| !is_listed(symbol)) {
            Some(symbol) => Err(FakeMarketError::NotListed { symbol }),
            None => Ok(self),
        }
    }

    /// The same market, in which things happen by chance, as the seed draws them.
    #[must_use]
    pub fn with_chances(mut self, chances: IncidentChances) -> Self {
        self.incidents.set_chances(chances);
        self
    }

    /// What the market says about the last wave that it gave, beside its prices, in symbol order.
    #[must_use]
    pub fn announcements(&self) -> &[Announcement] {
        &self.announcements
    }

    /// The same market, ending after so many more waves.
    #[must_use]
    pub fn limited_to(self, waves: u64) -> Self {
        Self { left: Some(waves), ..self }
    }
}

impl Iterator for FakeMarket {
    type Item = Wave;

    fn next(&mut self) -> Option<Wave> {
        let left = match self.left {
            Some(left) => Some(left.checked_sub(1)?),
            None => None,
        };
        let (at, label) = calendar::moment(self.pace, self.step)?;
        let prices = self.step_to(at);
        self.left = left;
        self.step = self.step.checked_add(1)?;
        Some(Wave { at, label, prices })
    }
}

impl FakeMarket {
    /// Moves every symbol to the wave of this time, with what happens in it; the prices that are seen.
    fn step_to(&mut self, at: Timestamp) -> Vec<(Symbol, Price)> {
        let moves = (self.step > 0).then(|| self.market.moves(self.seed, self.step));
        let mut prices = Vec::with_capacity(self.walks.len());
        self.announcements.clear();
        for walk in &mut self.walks {
            let before = walk.quote();
            if let Some(moves) = &moves {
                walk.advance(moves);
            }
            let symbol = walk.symbol();
            let today = self.incidents.today(self.seed, self.step, symbol);
            if let Some((numerator, denominator)) = today.split {
                walk.split(numerator, denominator);
                self.announcements.push(Announcement::Split(Split { symbol, at, numerator, denominator }));
            }
            self.announcements.extend(today.told);
            match today.shown {
                Shown::Never => {}
                Shown::Once => prices.push(walk.quote()),
                Shown::Twice => prices.extend([before, walk.quote()]),
            }
        }
        prices
    }
}

impl std::iter::FusedIterator for FakeMarket {}

#[async_trait]
impl PriceSource for FakeMarket {
    async fn next_wave(&mut self) -> Result<Option<Wave>, PriceSourceError> {
        Ok(self.next())
    }
}
