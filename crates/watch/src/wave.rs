//! A wave of prices: every follower's bounds are moved, and who is not surely inside afterwards is looked at.
//!
//! Either symbol by symbol, along the lists of followers; or, when so much is touched that this would cost more, in one pass over
//! all portfolios, which widens their bounds by what the wave moves at most. Both end in the same [`look`](Watch::look), so the
//! answer is the same. Why both are right is in [the proof](crate::filter).

use crate::fault::{Fault, has};
use crate::filter::{Entry, Range, State, Step};
use crate::symbols::{Record, index};
use crate::{Finding, Watch};
use evenkeel_domain::books::Quote;
use evenkeel_domain::values::{Price, Symbol, Timestamp};
use std::cmp::Reverse;

/// What each kind of work costs, one in the others' terms. Measured once; a wrong figure costs time and changes no answer.
const ENTRY: f64 = 8.0;
const SLOT: f64 = 2.0;
const LOOK: f64 = 60.0;
const HOLDING: f64 = 6.0;

/// How many followers are fetched together.
const BLOCK: usize = 32;

/// How a wave is taken.
enum Way {
    /// Symbol by symbol, along its followers.
    Lists,
    /// Portfolio by portfolio, all of them, by what any of them may have moved.
    Pass(Range),
}

impl Watch {
    /// Takes the prices of a wave, all of one time, and judges every active portfolio that holds or targets one of its symbols.
    ///
    /// Findings come in the order of ids, for every such portfolio that is out of band or cannot be judged. One with a
    /// symbol that has never had a price is left out. A price that is older than the one known does not replace it.
    pub fn wave(&mut self, at: Timestamp, prices: &[(Symbol, Price)]) -> Vec<Finding> {
        self.apply(at, prices.iter().map(|(symbol, price)| (*symbol, Quote { price: *price, at })))
    }

    /// The same for prices that are of different times, as one wave that is judged at `now`: what is left after prices of several waves were merged.
    pub fn quotes(&mut self, now: Timestamp, quotes: &[(Symbol, Quote)]) -> Vec<Finding> {
        self.apply(now, quotes.iter().copied())
    }

    fn apply(&mut self, now: Timestamp, quotes: impl Iterator<Item = (Symbol, Quote)> + Clone) -> Vec<Finding> {
        self.grow_old(now);
        let places: Vec<u32> = quotes.clone().map(|(symbol, _)| self.symbols.place_or_new(symbol)).collect();
        let before: Vec<u64> = places.iter().map(|place| self.symbols.at(*place).map_or(0, Record::nanos)).collect();
        let after = quotes.clone().map(|(_, quote)| quote.price.nanos());
        let way = self.way(&places, before.iter().copied().zip(after));
        for (place, (_, quote)) in places.iter().zip(quotes) {
            let step = self.take(*place, quote);
            if let Way::Lists = way {
                self.walk(*place, step);
            }
        }
        let mut found = match way {
            Way::Lists => self.look_at_suspects(now),
            Way::Pass(range) => self.pass(now, &range),
        };
        for place in places {
            self.symbols.touch(place, false);
        }
        found.sort_unstable_by(crate::finding::by_id);
        found
    }

    /// A wave of one price.
    pub fn set_price(&mut self, at: Timestamp, symbol: Symbol, price: Price) -> Vec<Finding> {
        self.wave(at, &[(symbol, price)])
    }

    /// Forgets the price of a symbol that no longer trades. Who still holds or targets it cannot be judged until it has one again.
    pub fn forget_price(&mut self, symbol: Symbol) {
        let Some(place) = self.symbols.place(symbol) else { return };
        let Some(record) = self.symbols.at_mut(place).filter(|record| record.quote.is_some()) else { return };
        let was_stale = std::mem::take(&mut record.is_stale);
        self.symbols.set_quote(place, None);
        if !was_stale {
            self.count_unpriced(place, true);
        }
        self.symbols.drop_if_unused(place);
    }

    /// The cheaper way to take a wave that moves the prices at these places by these steps.
    fn way(&mut self, places: &[u32], steps: impl Iterator<Item = (u64, u64)>) -> Way {
        let mut entries: usize = 0;
        for place in places {
            self.symbols.touch(*place, true);
            entries = entries.saturating_add(self.symbols.at(*place).map_or(0, |record| record.followers.len()));
        }
        let range = Range::of(steps);
        if self.is_pass_cheaper(entries, &range) { Way::Pass(range) } else { Way::Lists }
    }

    /// Whether a pass would cost less than walking so many entries, going by how many a range so wide left to be looked at before.
    #[expect(
        clippy::float_arithmetic,
        clippy::as_conversions,
        reason = "an estimate of cost; the answer does not depend on it"
    )]
    fn is_pass_cheaper(&self, entries: usize, range: &Range) -> bool {
        #[cfg(test)]
        if let Some(passes) = self.passes {
            return passes;
        }
        let left = (self.spill * range.width()).min(1.0);
        let slots = self.slots.len() as f64;
        let pass = slots * SLOT + left * (slots * LOOK + self.holdings as f64 * HOLDING);
        entries as f64 * ENTRY > pass
    }

    /// Sets the price at a place, unless a newer one is known. Gives the step from the price before, for who is priced already.
    fn take(&mut self, place: u32, quote: Quote) -> Step {
        let Some(record) = self.symbols.at_mut(place) else { return Step::between(0, 0) };
        let before = record.nanos();
        if record.quote.is_some_and(|known| known.at > quote.at) {
            return Step::between(before, before);
        }
        let was_unpriced = record.quote.is_none() || std::mem::take(&mut record.is_stale);
        self.symbols.set_quote(place, Some(quote));
        self.queue(place, quote.at);
        if was_unpriced {
            self.count_unpriced(place, false);
        }
        Step::between(before, quote.price.nanos())
    }

    /// Moves the bounds of every follower, and notes who is not surely inside.
    ///
    /// Block by block: all numbers of a block are fetched before any is used, so that the memory answers many requests at once; and
    /// who is suspect is noted without a branch, which nobody could predict.
    fn walk(&mut self, place: u32, Step { price, step }: Step) {
        if self.symbols.at(place).is_none_or(|record| record.followers.len() < BLOCK) {
            for slice in self.symbols.followers(place) {
                step_through(slice, price, step, &mut self.states, &mut self.suspects);
            }
            return;
        }
        // One slice ahead: its lines are asked for all at once, and come while this one is walked.
        let mut ahead = self.symbols.followers(place);
        let mut touched = ahead.next().map_or(0, touch);
        for slice in self.symbols.followers(place) {
            touched ^= ahead.next().map_or(0, touch);
            for entries in slice.chunks(BLOCK) {
                walk(entries, price, step, &mut self.states, &mut self.suspects);
            }
        }
        std::hint::black_box(touched);
    }

    /// Looks once at everyone noted.
    fn look_at_suspects(&mut self, now: Timestamp) -> Vec<Finding> {
        let mut suspects = std::mem::take(&mut self.suspects);
        suspects.retain(|slot| {
            let mark = self.marks.get_mut(index(*slot));
            mark.is_some_and(|mark| !std::mem::replace(&mut mark.is_suspect, true)) || has(Fault::NoDedupe)
        });
        let mut found = Vec::new();
        for slot in suspects.drain(..) {
            found.extend(self.look(slot, now));
            if let Some(mark) = self.marks.get_mut(index(slot)) {
                mark.is_suspect = false;
            }
        }
        // Kept for the next wave, but not at the size of the largest there ever was.
        suspects.shrink_to(self.slots.len() / 64);
        self.suspects = suspects;
        found
    }

    /// Widens all bounds by what the wave does at most, and looks at whoever a touched symbol does not leave surely inside.
    #[expect(
        clippy::float_arithmetic,
        clippy::as_conversions,
        reason = "an estimate of cost; the answer does not depend on it"
    )]
    fn pass(&mut self, now: Timestamp, range: &Range) -> Vec<Finding> {
        let mut suspects = std::mem::take(&mut self.suspects);
        for (slot, (state, mark)) in (0_u32..).zip(self.states.iter_mut().zip(&self.marks)) {
            *state = if mark.is_unlevered { state.widened(range, mark.growth) } else { State::LOOK };
            if !state.is_inside() && mark.is_somebody {
                suspects.push(slot);
            }
        }
        let left = suspects.len() as f64 / self.slots.len().max(1) as f64;
        // Half of what was known stays: one unusual wave does not change the mind.
        self.spill = (self.spill + left / range.width()) / 2.0;
        suspects.retain(|slot| {
            let holdings = self.slots.get(*slot).map(|portfolio| &portfolio.holdings);
            holdings.is_some_and(|holdings| holdings.iter().any(|holding| self.symbols.is_touched(holding.symbol)))
        });
        self.suspects = suspects;
        self.look_at_suspects(now)
    }

    /// Lets prices grow stale that are too old now. Going back in time makes them fresh again.
    pub(crate) fn grow_old(&mut self, now: Timestamp) {
        let Some(allowed) = self.max_age else { return };
        if now < self.now {
            let fresh = self.symbols.stale().filter(|(_, at)| now.since(*at) <= allowed);
            let fresh: Vec<(u32, Timestamp)> = fresh.collect();
            for (place, at) in fresh {
                if let Some(record) = self.symbols.at_mut(place) {
                    record.is_stale = false;
                }
                self.queue(place, at);
                self.count_unpriced(place, false);
            }
        }
        self.now = now;
        while let Some(Reverse((at, place))) = self.ages.peek().copied()
            && now.since(at) > allowed
        {
            self.ages.pop();
            let Some(record) = self.symbols.at_mut(place).filter(|record| record.queued == Some(at)) else { continue };
            record.queued = None;
            let Some(quote) = record.quote else { continue };
            if now.since(quote.at) <= allowed {
                self.queue(place, quote.at);
            } else if !std::mem::replace(&mut record.is_stale, true) {
                self.count_unpriced(place, true);
            }
        }
    }

    /// Sees to it that a price is looked at again once it may be too old. An earlier entry will do; a later one is left to be skipped.
    fn queue(&mut self, place: u32, at: Timestamp) {
        let Some(record) = self.symbols.at_mut(place).filter(|_| self.max_age.is_some()) else { return };
        if record.queued.is_none_or(|queued| queued > at) {
            record.queued = Some(at);
            self.ages.push(Reverse((at, place)));
        }
    }

    /// Counts the symbol at a place among those that keep its followers from being judged, or no longer.
    fn count_unpriced(&mut self, place: u32, is_unpriced: bool) {
        for entry in self.symbols.followers(place).flatten() {
            let slot = entry.slot();
            if let Some(portfolio) = self.slots.get_mut(slot) {
                let count = portfolio.unpriced;
                portfolio.unpriced = if is_unpriced { count.saturating_add(1) } else { count.saturating_sub(1) };
            }
            if let Some(state) = self.states.get_mut(index(slot)) {
                *state = State::LOOK;
            }
        }
    }
}

/// Reads something of every cache line of a slice; what, is of no interest.
fn touch(slice: &[Entry]) -> u32 {
    slice.iter().step_by(LINE).fold(0, |all, entry| all ^ entry.slot())
}

/// How many entries a cache line has.
const LINE: usize = 4;

/// Moves the bounds of a few followers: too few to fetch ahead.
fn step_through(entries: &[Entry], price: f32, step: f32, states: &mut [State], suspects: &mut Vec<u32>) {
    for entry in entries {
        if let Some(state) = states.get_mut(index(entry.slot())) {
            *state = state.moved(*entry, price, step);
            if !state.is_inside() {
                suspects.push(entry.slot());
            }
        }
    }
}

/// Moves the bounds of a block of followers.
fn walk(entries: &[Entry], price: f32, step: f32, states: &mut [State], suspects: &mut Vec<u32>) {
    let mut fetched = [State::LOOK; BLOCK];
    for (state, entry) in fetched.iter_mut().zip(entries) {
        *state = states.get(index(entry.slot())).copied().unwrap_or(State::LOOK);
    }
    let mut found = [0; BLOCK];
    let mut count = 0_usize;
    for (state, entry) in fetched.iter().zip(entries) {
        let moved = state.moved(*entry, price, step);
        if let Some(place) = states.get_mut(index(entry.slot())) {
            *place = moved;
        }
        if let Some(place) = found.get_mut(count) {
            *place = entry.slot();
        }
        count = count.wrapping_add(usize::from(!moved.is_inside()));
    }
    suspects.extend(found.iter().take(count));
}
