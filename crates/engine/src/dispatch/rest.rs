//! Who is left alone for a while: until a time, until a halt is taken back, or until it can be judged.

use evenkeel_domain::books::Quote;
use evenkeel_domain::values::{PortfolioId, Symbol, Timestamp};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
pub(super) struct Rests {
    by_portfolio: BTreeMap<PortfolioId, Rest>,
    by_end: BTreeSet<(Timestamp, PortfolioId)>,
    /// Who rests for want of a price, by the symbol.
    by_symbol: BTreeMap<Symbol, BTreeSet<PortfolioId>>,
}

#[derive(Clone, Copy)]
struct Rest {
    until: Timestamp,
    reason: Reason,
}

/// Why a portfolio rests; by it, what ends its rest before the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// A halt: until one is taken back.
    Halted,
    /// It cannot be judged: until it changes, or the symbol that has no price to judge by gets one.
    NotJudged(Option<Symbol>),
    /// Anything else: nothing ends it.
    Other,
}

impl Rests {
    /// Leaves a portfolio alone until then, or for longer if it was to be. One that was halted still is.
    pub(super) fn put(&mut self, portfolio: &PortfolioId, until: Timestamp, reason: Reason) {
        let before = self.remove(portfolio);
        let until = before.map_or(until, |before| before.until.max(until));
        let halted = before.map(|before| before.reason).filter(|reason| *reason == Reason::Halted);
        let reason = halted.unwrap_or(reason);
        self.by_portfolio.insert(portfolio.clone(), Rest { until, reason });
        self.by_end.insert((until, portfolio.clone()));
        if let Reason::NotJudged(Some(symbol)) = reason {
            self.by_symbol.entry(symbol).or_default().insert(portfolio.clone());
        }
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

    /// Whose rest is over: by time, all of the halted if a halt was taken back, and whoever lacked one of these prices.
    pub(super) fn take_ended(
        &mut self,
        now: Timestamp,
        was_released: bool,
        prices: &[(Symbol, Quote)],
    ) -> Vec<PortfolioId> {
        let by_time = self.by_end.iter().take_while(|(until, _)| *until <= now).map(|(_, portfolio)| portfolio);
        let mut ended: BTreeSet<PortfolioId> = by_time.cloned().collect();
        if was_released {
            let halted = self.by_portfolio.iter().filter(|(_, rest)| rest.reason == Reason::Halted);
            ended.extend(halted.map(|(portfolio, _)| portfolio.clone()));
        }
        let priced = prices.iter().filter_map(|(symbol, _)| self.by_symbol.get(symbol));
        ended.extend(priced.flatten().cloned());
        for portfolio in &ended {
            self.remove(portfolio);
        }
        ended.into_iter().collect()
    }

    /// Ends a rest, whatever it was for.
    pub(super) fn end(&mut self, portfolio: &PortfolioId) {
        self.remove(portfolio);
    }

    /// Ends a rest that was for not being judged.
    pub(super) fn end_if_not_judged(&mut self, portfolio: &PortfolioId) {
        if self.by_portfolio.get(portfolio).is_some_and(|rest| matches!(rest.reason, Reason::NotJudged(_))) {
            self.remove(portfolio);
        }
    }

    fn remove(&mut self, portfolio: &PortfolioId) -> Option<Rest> {
        let rest = self.by_portfolio.remove(portfolio)?;
        self.by_end.remove(&(rest.until, portfolio.clone()));
        if let Reason::NotJudged(Some(symbol)) = rest.reason
            && let Entry::Occupied(mut lacking) = self.by_symbol.entry(symbol)
        {
            lacking.get_mut().remove(portfolio);
            if lacking.get().is_empty() {
                lacking.remove();
            }
        }
        Some(rest)
    }
}
