//! A wave of prices: every follower's bounds are moved, and who is not surely inside afterwards is looked at.
//!
//! Either symbol by symbol, along the lists of followers; or, when so much is touched that this would cost more, in one pass over
//! all portfolios. Both end in the same [`look`](Watch::look), so the answer is the same.

use crate::fault::{Fault, has};
use crate::filter::{State, Step};
use crate::symbols::index;
use crate::{Finding, Watch};
use evenkeel_domain::books::Quote;
use evenkeel_domain::values::{Price, Symbol, Timestamp};
use std::cmp::Reverse;

/// What one entry of a list costs, in holdings of a pass.
const ENTRY_BY_HOLDING: usize = 6;

/// How a wave is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Symbol by symbol, along its followers.
    Lists,
    /// Portfolio by portfolio, all of them.
    Pass,
}

impl Watch {
    /// Takes the prices of a wave, all of one time, and judges every active portfolio that holds or targets one of its symbols.
    ///
    /// Findings come in the order of ids, for every such portfolio that is out of band or cannot be judged. One with a
    /// symbol that has never had a price is left out. A price that is older than the one known does not replace it.
    pub fn wave(&mut self, at: Timestamp, prices: &[(Symbol, Price)]) -> Vec<Finding> {
        self.grow_old(at);
        let places: Vec<u32> = prices.iter().map(|(symbol, _)| self.symbols.place_or_new(*symbol)).collect();
        let way = self.way(&places);
        for (place, (_, price)) in places.iter().zip(prices) {
            let step = self.take(*place, Quote { price: *price, at });
            if way == Way::Lists {
                self.walk(*place, step);
            }
        }
        if way == Way::Pass {
            self.pass();
        }
        let mut found = self.look_at_suspects(at);
        for place in places {
            if let Some(record) = self.symbols.at_mut(place) {
                record.is_touched = false;
            }
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

    /// The cheaper way to take a wave that prices these places.
    fn way(&mut self, places: &[u32]) -> Way {
        let entries = self.touch(places);
        #[cfg(test)]
        if let Some(way) = self.way {
            return way;
        }
        if entries.saturating_mul(ENTRY_BY_HOLDING) > self.holdings { Way::Pass } else { Way::Lists }
    }

    /// Marks the symbols of a wave; gives how many followers they have together.
    fn touch(&mut self, places: &[u32]) -> usize {
        let mut followers: usize = 0;
        for place in places {
            if let Some(record) = self.symbols.at_mut(*place)
                && !std::mem::replace(&mut record.is_touched, true)
            {
                followers = followers.saturating_add(record.followers.len());
            }
        }
        followers
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
    fn walk(&mut self, place: u32, Step { price, step }: Step) {
        let Some(record) = self.symbols.at(place) else { return };
        for entry in &record.followers {
            let slot = entry.slot();
            if let Some(state) = self.states.get_mut(index(slot)) {
                *state = state.moved(*entry, price, step);
                if !state.is_inside() {
                    self.suspects.push(slot);
                }
            }
        }
    }

    /// Looks once at everyone noted.
    fn look_at_suspects(&mut self, now: Timestamp) -> Vec<Finding> {
        let mut suspects = std::mem::take(&mut self.suspects);
        suspects.retain(|slot| {
            let is_known = self.is_suspect.get_mut(index(*slot)).map(|known| std::mem::replace(known, true));
            is_known == Some(false) || has(Fault::NoDedupe)
        });
        let mut found = Vec::new();
        for slot in suspects.drain(..) {
            found.extend(self.look(slot, now));
            if let Some(known) = self.is_suspect.get_mut(index(slot)) {
                *known = false;
            }
        }
        // Kept for the next wave, but not at the size of the largest there ever was.
        suspects.shrink_to(self.slots.len() / 64);
        self.suspects = suspects;
        found
    }

    /// Makes all bounds anew, and looks at whoever a touched symbol does not leave surely inside.
    fn pass(&mut self) {
        let mut suspects = std::mem::take(&mut self.suspects);
        for (slot, portfolio) in self.slots.iter() {
            let is_open = portfolio.unpriced == 0 && !portfolio.always_looked_at;
            let state = if is_open { self.state_of(slot, portfolio) } else { State::LOOK };
            if let Some(place) = self.states.get_mut(index(slot)) {
                *place = state;
            }
            let is_touched = |place: u32| self.symbols.at(place).is_some_and(|record| record.is_touched);
            if !state.is_inside() && portfolio.holdings.iter().any(|holding| is_touched(holding.symbol)) {
                suspects.push(slot);
            }
        }
        self.suspects = suspects;
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
        let Some(record) = self.symbols.at(place) else { return };
        for entry in &record.followers {
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
