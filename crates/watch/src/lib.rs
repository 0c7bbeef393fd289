//! Which portfolios does this wave put out of band: a fast index over many portfolios, exact in its answers.
//!
//! A wave of prices costs a few nanoseconds per *affected holding*, not per portfolio times holdings; and for each portfolio that is out of band half a
//! microsecond or more, however many those are. A filter of floats lets pass
//! what is surely inside its band, by proof; everything else is decided by [`evenkeel_domain::drift`], exactly. So the
//! answers are always those of the exact decision, and only the way to them is short.
//!
//! ```
//! use evenkeel_domain::allocation::TargetAllocation;
//! use evenkeel_domain::books::{Books, Definition};
//! use evenkeel_domain::policy::Policy;
//! use evenkeel_domain::values::{AccountId, PortfolioId, Timestamp};
//! use evenkeel_watch::{Finding, Settings, Watch};
//!
//! let allocation = TargetAllocation::parse([("META", "33.33"), ("AAPL", "33.33"), ("MSFT", "33.34")])?;
//! let account = AccountId::new("growth")?;
//! let definition = Definition { account, currency: "USD".parse()?, allocation, policy: Policy::default() };
//! let units = [("META", "83.325"), ("AAPL", "202"), ("MSFT", "100")];
//! let units = units.map(|(symbol, units)| (symbol.parse().unwrap(), units.parse().unwrap()));
//!
//! let mut watch = Watch::new(Settings::default());
//! watch.insert(&PortfolioId::new("growth")?, &definition, &Books::new("0.00".parse()?, units))?;
//!
//! let prices = [("META", "400"), ("AAPL", "165"), ("MSFT", "333.4")];
//! let prices = prices.map(|(symbol, price)| (symbol.parse().unwrap(), price.parse().unwrap()));
//! assert!(watch.wave(Timestamp::EPOCH, &prices).is_empty());
//!
//! let found = watch.wave(Timestamp::EPOCH, &[("META".parse()?, "440".parse()?)]);
//! let [Finding::OutOfBand { drift, urgency, .. }] = &found[..] else { panic!("{found:?}") };
//! assert_eq!(drift.to_string(), "6.4520"); // percent of META's target
//! assert_eq!(urgency.percent_of_band().unwrap().to_string(), "129.0391"); // of the band, which is 5 % of the target
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How it works
//!
//! * Each symbol has a list of its followers, and each portfolio sixteen bytes of bounds. A price walks its list in one stream, moves the
//!   bounds, and collects who is not surely inside; see [the proof](filter).
//! * After the last price of a wave each of these is looked at once: bounds are made anew from its holdings, and if that does not
//!   clear it, the exact decision is made.
//! * When a wave touches so much that this would cost more, one pass over the portfolios, not over their holdings, widens all bounds by what
//!   the wave moved at most, and looks at whom that does not clear. How many that were decides, with the number of entries, which way the
//!   next wave takes; where lists were cheaper for a while, they are counted again before a pass is made: work is counted, never time, and the
//!   answer is the same either way.
//! * A portfolio that is out of band is decided exactly again by every wave that touches it. So is, always, one that holds what has no target, and one
//!   under [`Measure::Total`](evenkeel_domain::policy::Measure::Total) with a band below 0.098 %, for which the bounds are too rough.
//!
//! # What a user must do
//!
//! 1. [`insert`](Watch::insert) every portfolio that is looked after, with its books; [`remove`](Watch::remove) it when it is not any more.
//! 2. [`set_books`](Watch::set_books) after every record that changes cash or units, and [`change`](Watch::change) when the definition does.
//! 3. [`set_active`](Watch::set_active) to false while a portfolio must not be judged: a batch is open, it is stale, quarantined or in a pause. It is
//!    kept up to date all the same, and never decided exactly.
//! 4. Set whoever waits for its turn [aside](Watch::set_aside): after a crash of the market, waves cost a hundred times as much while everybody is found
//!    again and again.
//! 5. Give every price to [`wave`](Watch::wave), in the order of time, less those that are not to be believed, and [`forget_price`](Watch::forget_price)
//!    symbols that no longer trade. A portfolio that is out of band is found again by every wave that prices one of its symbols, until its books change;
//!    one with a symbol that never had a price is found by none. That a price has grown too old is told when another symbol of the portfolio has one.
//! 6. [`judge`](Watch::judge) again before planning, if other waves came in between.
//!
//! What is done about a finding is not for this crate to say; neither are pauses, leases and brokers.

mod ages;
mod ahead;
mod fault;
pub mod filter;
mod finding;
mod ids;
mod judge;
mod portfolio;
mod set;
mod symbols;
mod wave;

pub use finding::{Finding, most_urgent_first};

use evenkeel_domain::books::{Books, Definition, Quote};
use evenkeel_domain::policy::Policy;
use evenkeel_domain::valuation::ReserveRule;
use evenkeel_domain::values::{PortfolioId, Symbol, Timestamp};
use filter::{Reserve, SLOTS, State};
use ids::Ids;
use portfolio::{Many, Mark, Slots, merge};
use set::Wanted;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;
use symbols::{Symbols, index};
use wave::Change;

/// What holds for all portfolios of a watch.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// What their broker makes necessary to hold back.
    pub reserve: ReserveRule,
    /// How old a price may be; `None` means it never grows stale.
    pub max_age: Option<Duration>,
}

impl Default for Settings {
    /// No reserve, and prices that never grow stale.
    fn default() -> Self {
        Self { reserve: ReserveRule::NONE, max_age: None }
    }
}

/// Portfolios and prices, and who is out of band.
#[derive(Debug)]
pub struct Watch {
    max_age: Option<Duration>,
    reserve: Reserve,
    symbols: Symbols,
    ids: Ids,
    slots: Slots,
    /// The filter's numbers, by slot.
    states: Vec<State>,
    many: Many,
    holdings: usize,
    /// The time of the last wave.
    now: Timestamp,
    /// When each price was made, or earlier: one entry per symbol. Empty if prices do not grow stale.
    ages: BinaryHeap<Reverse<(Timestamp, u32)>>,
    /// Who is to be looked at after this wave; empty between waves.
    suspects: Vec<u32>,
    /// The prices of the wave that is taken; empty between waves.
    changes: Vec<Change>,
    /// What a pass needs to know of a slot besides its state.
    marks: Vec<Mark>,
    /// How many portfolios a pass could not clear without a look, by the width of its range: what the next will cost.
    spill: f64,
    /// It was measured so long ago that it is measured again before it is believed.
    spill_is_faded: bool,
    /// Whether waves are taken in a pass, where a test says so.
    #[cfg(test)]
    passes: Option<bool>,
    /// How many waves were.
    #[cfg(test)]
    passed: usize,
}

/// There is no room for another portfolio.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot watch {portfolio}: {SLOTS} portfolios are watched already, and no more fit; spread them over several")]
pub struct Full {
    /// The one that was to be inserted.
    pub portfolio: PortfolioId,
}

impl Watch {
    /// A watch without portfolios and prices.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            max_age: settings.max_age,
            reserve: Reserve::new(settings.reserve),
            symbols: Symbols::default(),
            ids: Ids::default(),
            slots: Slots::default(),
            states: Vec::new(),
            many: Many::new(),
            holdings: 0,
            now: Timestamp::MIN,
            ages: BinaryHeap::new(),
            suspects: Vec::new(),
            changes: Vec::new(),
            marks: Vec::new(),
            spill: 50.0,
            spill_is_faded: true,
            #[cfg(test)]
            passes: None,
            #[cfg(test)]
            passed: 0,
        }
    }

    /// Watches a portfolio from now on, active; one of the same id is replaced.
    ///
    /// # Errors
    /// [`Full`] beyond 134,217,728 portfolios.
    pub fn insert(&mut self, id: &PortfolioId, definition: &Definition, books: &Books) -> Result<(), Full> {
        let wanted = Wanted {
            policy: definition.policy,
            cash: books.cash,
            cash_target: definition.allocation.cash(),
            rows: merge(books.holdings(), definition.allocation.symbols()),
            is_active: true,
        };
        let known = self.slot(id);
        let slot = known.or_else(|| self.slots.next(SLOTS)).ok_or_else(|| Full { portfolio: id.clone() })?;
        self.set(slot, id, wanted);
        if known.is_none() {
            let slots = &self.slots;
            self.ids.insert(id, slot, |slot| slots.get(slot).map(|portfolio| &portfolio.id));
        }
        Ok(())
    }

    /// Watches a portfolio no longer. False if it was not watched.
    pub fn remove(&mut self, id: &PortfolioId) -> bool {
        let slots = &self.slots;
        let Some(slot) = self.ids.remove(id, |slot| slots.get(slot).map(|portfolio| &portfolio.id)) else {
            return false;
        };
        let Some(portfolio) = self.slots.take(slot) else { return false };
        self.forget_large_units(slot, &portfolio.holdings);
        for holding in &portfolio.holdings {
            self.unfollow(*holding);
        }
        self.holdings = self.holdings.saturating_sub(portfolio.holdings.len());
        self.put_state(slot, State::LOOK);
        self.put_mark(slot, Mark::NOBODY);
        true
    }

    /// Gives a portfolio another definition; what it owns stays. False if it is not watched.
    pub fn change(&mut self, id: &PortfolioId, definition: &Definition) -> bool {
        let Definition { allocation, policy, .. } = definition;
        self.reset(id, |watch, slot, portfolio| Wanted {
            policy: *policy,
            cash: portfolio.cash,
            cash_target: allocation.cash(),
            rows: merge(watch.units(slot, portfolio), allocation.symbols()),
            is_active: portfolio.is_active,
        })
    }

    /// Sets what a portfolio owns, after fills or a movement of cash. False if it is not watched.
    pub fn set_books(&mut self, id: &PortfolioId, books: &Books) -> bool {
        self.reset(id, |watch, _, portfolio| Wanted {
            policy: Policy { measure: portfolio.measure, cash_buffer: portfolio.cash_buffer, ..Policy::default() },
            cash: books.cash,
            cash_target: portfolio.cash_target,
            rows: merge(books.holdings(), watch.goals(portfolio)),
            is_active: portfolio.is_active,
        })
    }

    /// Whether a portfolio is judged when a wave touches it. False if it is not watched.
    pub fn set_active(&mut self, id: &PortfolioId, is_active: bool) -> bool {
        let Some(slot) = self.slot(id) else { return false };
        let Some(portfolio) = self.slots.get_mut(slot) else { return false };
        let was_aside = std::mem::take(&mut portfolio.is_aside);
        let was_judged = std::mem::replace(&mut portfolio.is_active, is_active) && !was_aside;
        if is_active != was_judged {
            self.put_state(slot, if is_active { State::LOOK } else { State::REST });
        }
        true
    }

    /// The last price of a symbol.
    #[must_use]
    pub fn price(&self, symbol: Symbol) -> Option<Quote> {
        self.symbols.at(self.symbols.place(symbol)?)?.quote
    }

    /// How many portfolios are watched.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.ids.len()
    }

    /// True if none is.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many holdings they have in all; a target that is not held counts too.
    #[must_use]
    pub const fn holdings(&self) -> usize {
        self.holdings
    }

    /// How many symbols are known: those that have a price, are held, or are targets.
    #[must_use]
    pub fn symbols(&self) -> usize {
        self.symbols.len()
    }

    fn slot(&self, id: &PortfolioId) -> Option<u32> {
        self.ids.get(id, |slot| self.slots.get(slot).map(|portfolio| &portfolio.id))
    }

    fn put_state(&mut self, slot: u32, state: State) {
        if let Some(place) = self.states.get_mut(index(slot)) {
            *place = state;
        }
    }

    fn put_mark(&mut self, slot: u32, mark: Mark) {
        if let Some(place) = self.marks.get_mut(index(slot)) {
            *place = mark;
        }
    }
}

#[cfg(test)]
mod tests;
