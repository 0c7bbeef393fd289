//! What happens to prices beside their moves: halts, prices that are missing or doubled, splits.
//!
//! Off unless asked for, by a script ([`Incident`]), by chance ([`IncidentChances`]), or both. Chance is drawn like everything
//! here, by (seed, concern, symbol, wave), so an incident of one symbol changes none of another, and no move.

#[cfg(test)]
#[expect(clippy::as_conversions, clippy::arithmetic_side_effects, reason = "tests of statistics")]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::num::{NonZeroU32, NonZeroU64};

use evenkeel_domain::values::{Quantity, Symbol, Timestamp};

use super::draws::{Concern, Draws};

/// Something that happens to a symbol in one wave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Incident {
    /// In which wave, counted from 0, the first of the market.
    pub wave: u64,
    /// To which symbol.
    pub symbol: Symbol,
    /// What.
    pub kind: IncidentKind,
}

/// What can happen to a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IncidentKind {
    /// Trading halts: there is no price in so many waves, from this one on. What would have moved the price moves it unseen, so it
    /// resumes with a gap. Announced, and so is the end.
    Halt {
        /// In how many waves; a halt within a halt ends with the later of the two.
        waves: NonZeroU64,
    },
    /// The price of this wave is lost. Nobody says so.
    Missing,
    /// The price comes twice in this wave: first that of the wave before, then the new one. That breaks the contract of
    /// [`PriceSource`](evenkeel_ports::PriceSource) on purpose, to test what stands behind it.
    Doubled,
    /// The units split, and the price with them. Announced.
    Split {
        /// How many units there are afterwards …
        numerator: NonZeroU32,
        /// … for so many before: 2 for 1 halves the price, 1 for 10 makes it tenfold.
        denominator: NonZeroU32,
    },
}

/// How likely each incident is for each symbol in each wave, in millionths: 0 is never, 1,000,000 or more is always. By default
/// nothing happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IncidentChances {
    /// That a halt begins. It lasts for 1 to 5 waves, each as likely.
    pub halt: u32,
    /// That a price is missing.
    pub missing: u32,
    /// That a price is doubled.
    pub doubled: u32,
    /// That units split: 2 for 1, 3 for 1, 3 for 2, 10 for 1 or 1 for 10, each as likely.
    pub split: u32,
}

/// What a market says about a wave beside its prices: what whoever plays the broker has to follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announcement {
    /// There is no trading in this symbol from this wave on.
    Halted {
        /// The symbol.
        symbol: Symbol,
    },
    /// From this wave on there is trading again.
    Resumed {
        /// The symbol.
        symbol: Symbol,
    },
    /// Units have split. Every account has to have its new units before the wave's prices are acted on: books that were not split
    /// see a drift that does not exist.
    Split(Split),
}

/// For every `denominator` units of a symbol there are `numerator` from a time on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Split {
    /// The symbol.
    pub symbol: Symbol,
    /// The time of the first wave with the new price.
    pub at: Timestamp,
    /// How many units there are afterwards.
    pub numerator: NonZeroU32,
    /// For how many before.
    pub denominator: NonZeroU32,
}

impl Split {
    /// The units after the split of so many before it, truncated to 9 decimals; `None` beyond the largest [`Quantity`].
    #[must_use]
    pub fn units_after(&self, before: Quantity) -> Option<Quantity> {
        let product = before.nanos().checked_mul(u128::from(self.numerator.get()))?;
        Quantity::from_nanos(product.checked_div(u128::from(self.denominator.get()))?).ok()
    }
}

/// How often a price is shown in a wave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    Never,
    Once,
    /// That of the wave before, and the new one.
    Twice,
}

/// What a wave is for one symbol.
#[derive(Debug, Clone, Copy)]
pub(super) struct Today {
    pub(super) shown: Shown,
    /// Numerator and denominator.
    pub(super) split: Option<(NonZeroU32, NonZeroU32)>,
    /// That a halt has begun or ended.
    pub(super) told: Option<Announcement>,
}

/// All that happens in a market.
#[derive(Debug, Clone, Default)]
pub(super) struct Incidents {
    script: BTreeMap<(u64, Symbol), Vec<IncidentKind>>,
    chances: IncidentChances,
    /// Halted symbols, each with the first wave in which it has a price again.
    halted: BTreeMap<Symbol, u64>,
}

impl Incidents {
    pub(super) fn script(&mut self, incidents: impl IntoIterator<Item = Incident>) {
        for Incident { wave, symbol, kind } in incidents {
            self.script.entry((wave, symbol)).or_default().push(kind);
        }
    }

    pub(super) fn set_chances(&mut self, chances: IncidentChances) {
        self.chances = chances;
    }

    pub(super) fn scripted_symbols(&self) -> BTreeSet<Symbol> {
        self.script.keys().map(|(_, symbol)| *symbol).collect()
    }

    /// What a wave is for a symbol. To be asked once for each wave, in order.
    pub(super) fn today(&mut self, seed: u64, wave: u64, symbol: Symbol) -> Today {
        let mut kinds = self.script.get(&(wave, symbol)).cloned().unwrap_or_default();
        kinds.extend(drawn(self.chances, seed, wave, symbol));

        let was_halted = self.halted.contains_key(&symbol);
        let mut today = Today { shown: Shown::Once, split: None, told: None };
        for kind in kinds {
            match kind {
                IncidentKind::Halt { waves } => {
                    let end = wave.saturating_add(waves.get());
                    let until = self.halted.entry(symbol).or_insert(end);
                    *until = end.max(*until);
                }
                IncidentKind::Missing => today.shown = Shown::Never,
                IncidentKind::Doubled if today.shown == Shown::Once => today.shown = Shown::Twice,
                IncidentKind::Doubled => {}
                IncidentKind::Split { numerator, denominator } => today.split = Some((numerator, denominator)),
            }
        }
        if self.halted.get(&symbol).is_some_and(|until| *until <= wave) {
            self.halted.remove(&symbol);
            today.told = Some(Announcement::Resumed { symbol });
        }
        if self.halted.contains_key(&symbol) {
            today.shown = Shown::Never;
            today.told = (!was_halted).then_some(Announcement::Halted { symbol });
        }
        today
    }
}

/// What happens by chance.
fn drawn(chances: IncidentChances, seed: u64, wave: u64, symbol: Symbol) -> impl Iterator<Item = IncidentKind> {
    let draws = move |chance: u32, concern| {
        // What cannot happen is not drawn, which is most of what there is to do.
        let mut draws = (chance > 0).then(|| Draws::of(seed, concern, symbol.as_str(), wave))?;
        (draws.below(1_000_000) < chance).then_some(draws)
    };
    let halt = draws(chances.halt, Concern::Halt)
        .and_then(|mut draws| NonZeroU64::new(u64::from(draws.below(5)).saturating_add(1)))
        .map(|waves| IncidentKind::Halt { waves });
    let missing = draws(chances.missing, Concern::Missing).map(|_| IncidentKind::Missing);
    let doubled = draws(chances.doubled, Concern::Doubled).map(|_| IncidentKind::Doubled);
    let split = draws(chances.split, Concern::Split).and_then(|mut draws| {
        let (numerator, denominator) = match draws.below(5) {
            0 => (2, 1),
            1 => (3, 1),
            2 => (3, 2),
            3 => (10, 1),
            _ => (1, 10),
        };
        let (numerator, denominator) = (NonZeroU32::new(numerator)?, NonZeroU32::new(denominator)?);
        Some(IncidentKind::Split { numerator, denominator })
    });
    [halt, missing, doubled, split].into_iter().flatten()
}
