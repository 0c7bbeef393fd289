//! Prices that came and are not judged yet: of each symbol the newest, so that there are never more than symbols.

use evenkeel_domain::books::Quote;
use evenkeel_domain::values::{Price, Symbol, Timestamp};
use std::collections::BTreeMap;

#[derive(Default)]
pub(super) struct Pending {
    quotes: BTreeMap<Symbol, Quote>,
    /// When the first of them came.
    since: Option<Timestamp>,
    pub(super) waves: u64,
    pub(super) prices: u64,
    /// How many gave way to a newer price of their symbol before they were judged.
    pub(super) merged: u64,
}

impl Pending {
    pub(super) fn put(&mut self, now: Timestamp, at: Timestamp, prices: &[(Symbol, Price)]) {
        self.waves = self.waves.saturating_add(1);
        for (symbol, price) in prices {
            self.prices = self.prices.saturating_add(1);
            let quote = Quote { price: *price, at };
            let newest = match self.quotes.get(symbol) {
                Some(known) if known.at > at => *known,
                _ => quote,
            };
            if self.quotes.insert(*symbol, newest).is_some() {
                self.merged = self.merged.saturating_add(1);
            }
            self.since.get_or_insert(now);
        }
    }

    /// All of them, in symbol order.
    pub(super) fn take(&mut self) -> BTreeMap<Symbol, Quote> {
        self.since = None;
        std::mem::take(&mut self.quotes)
    }

    pub(super) fn len(&self) -> usize {
        self.quotes.len()
    }

    pub(super) const fn since(&self) -> Option<Timestamp> {
        self.since
    }
}
