//! Settlement: what a sale brings is cash at once, and settled some business days later (one in the US since 2024).
//!
//! Buys are paid from settled cash first. Whether unsettled proceeds may be spent at all is the profile's; where they may, selling what was
//! bought with them before they settle is a good-faith violation, which a real broker counts and punishes. Here it is counted.

use crate::calendar::Day;
use evenkeel_domain::values::{Money, Symbol, Timestamp};
use std::collections::BTreeMap;

/// When proceeds settle, and what they may do until then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settlement {
    /// Business days from the trade to the settlement, at the start of the day (UTC); 0 settles at once.
    pub days: u8,
    /// True if proceeds may be spent before they are settled.
    pub spend_unsettled: bool,
}

impl Settlement {
    /// When what is sold at `at` settles.
    pub(crate) fn settles_at(self, at: Timestamp) -> Timestamp {
        if self.days == 0 { at } else { Day::of(at).plus_business(self.days).start() }
    }
}

/// The proceeds of one account that are not settled yet.
#[derive(Debug, Default)]
pub(crate) struct Unsettled {
    /// By when they settle.
    proceeds: BTreeMap<Timestamp, Money>,
    /// Symbols that were bought with them, and until when that makes a difference.
    bought_with: BTreeMap<Symbol, Timestamp>,
    violations: u32,
}

impl Unsettled {
    /// What is not settled at `now`.
    pub(crate) fn at(&self, now: Timestamp) -> Money {
        let later = self.proceeds.iter().filter(|(settles_at, _)| **settles_at > now);
        later.fold(Money::ZERO, |sum, (_, amount)| sum.add(*amount).unwrap_or(Money::MAX))
    }

    /// Notes a sale that brought `proceeds` net of fees.
    pub(crate) fn sold(&mut self, symbol: Symbol, proceeds: Money, at: Timestamp, settlement: Settlement) {
        self.proceeds.retain(|settles_at, _| *settles_at > at);
        self.bought_with.retain(|_, until| *until > at);
        if self.bought_with.contains_key(&symbol) {
            self.violations = self.violations.saturating_add(1);
        }
        let settles_at = settlement.settles_at(at);
        if settles_at > at && proceeds.is_positive() {
            let sum = self.proceeds.entry(settles_at).or_default();
            *sum = sum.add(proceeds).unwrap_or(Money::MAX);
        }
    }

    /// Notes a purchase that left `cash` in the account: what is short of the unsettled proceeds was paid with them.
    pub(crate) fn bought(&mut self, symbol: Symbol, cash: Money, at: Timestamp) {
        if cash < self.at(at)
            && let Some((until, _)) = self.proceeds.last_key_value()
        {
            self.bought_with.insert(symbol, *until);
        }
    }

    /// How often something was sold that had been bought with proceeds not yet settled.
    pub(crate) const fn violations(&self) -> u32 {
        self.violations
    }
}
