//! Who is left alone for a while: until a time, or until a halt is taken back.

use evenkeel_domain::values::{PortfolioId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
pub(super) struct Rests {
    by_portfolio: BTreeMap<PortfolioId, Rest>,
    by_end: BTreeSet<(Timestamp, PortfolioId)>,
}

struct Rest {
    until: Timestamp,
    is_halted: bool,
}

impl Rests {
    /// Leaves a portfolio alone until then, or for longer if it was to be.
    pub(super) fn put(&mut self, portfolio: &PortfolioId, until: Timestamp, is_halted: bool) {
        let before = self.remove(portfolio);
        let until = before.as_ref().map_or(until, |before| before.until.max(until));
        let is_halted = is_halted || before.is_some_and(|before| before.is_halted);
        self.by_portfolio.insert(portfolio.clone(), Rest { until, is_halted });
        self.by_end.insert((until, portfolio.clone()));
    }

    pub(super) fn contains(&self, portfolio: &PortfolioId) -> bool {
        self.by_portfolio.contains_key(portfolio)
    }

    pub(super) fn len(&self) -> usize {
        self.by_portfolio.len()
    }

    /// When the next of them ends.
    pub(super) fn next_end(&self) -> Option<Timestamp> {
        self.by_end.first().map(|(until, _)| *until)
    }

    /// Whose rest is over; all of the halted if a halt was taken back.
    pub(super) fn take_ended(&mut self, now: Timestamp, was_released: bool) -> Vec<PortfolioId> {
        let by_time = self.by_end.iter().take_while(|(until, _)| *until <= now).map(|(_, portfolio)| portfolio);
        let mut ended: BTreeSet<PortfolioId> = by_time.cloned().collect();
        if was_released {
            let halted = self.by_portfolio.iter().filter(|(_, rest)| rest.is_halted);
            ended.extend(halted.map(|(portfolio, _)| portfolio.clone()));
        }
        for portfolio in &ended {
            self.remove(portfolio);
        }
        ended.into_iter().collect()
    }

    /// Ends a rest, whatever it was for.
    pub(super) fn end(&mut self, portfolio: &PortfolioId) {
        self.remove(portfolio);
    }

    fn remove(&mut self, portfolio: &PortfolioId) -> Option<Rest> {
        let rest = self.by_portfolio.remove(portfolio)?;
        self.by_end.remove(&(rest.until, portfolio.clone()));
        Some(rest)
    }
}
