//! How old prices are: when one grows too old to judge by, and whom that keeps from being judged.
//!
//! Nothing here is done where prices never grow stale. What a new price does otherwise is in [`crate::wave`].

use crate::Watch;
use crate::filter::State;
use crate::symbols::index;
use evenkeel_domain::values::Timestamp;
use std::cmp::Reverse;

impl Watch {
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
            let Some(queued) = self.symbols.queued(place).filter(|queued| **queued == Some(at)) else { continue };
            *queued = None;
            let Some(record) = self.symbols.at_mut(place) else { continue };
            let Some(quote) = record.quote else { continue };
            if now.since(quote.at) <= allowed {
                self.queue(place, quote.at);
            } else if !std::mem::replace(&mut record.is_stale, true) {
                self.count_unpriced(place, true);
            }
        }
    }

    /// Sees to it that a price is looked at again once it may be too old. An earlier entry will do; a later one is left to be skipped.
    #[inline(never)]
    pub(crate) fn queue(&mut self, place: u32, at: Timestamp) {
        let Some(queued) = self.symbols.queued(place) else { return };
        if queued.is_none_or(|queued| queued > at) {
            *queued = Some(at);
            self.ages.push(Reverse((at, place)));
        }
    }

    /// Counts the symbol at a place among those that keep its followers from being judged, or no longer.
    #[inline(never)]
    pub(crate) fn count_unpriced(&mut self, place: u32, is_unpriced: bool) {
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
