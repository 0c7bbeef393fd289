//! Brings what is watched of a portfolio from what it was to what it shall be: its place, its holdings, and its entries in the lists of followers.
//!
//! Who is told that by a user is in [`Watch`] itself; what a wave does with it in [`crate::wave`].

use crate::Watch;
use crate::fault::{Fault, has};
use crate::filter::{Bounds, Growth, State};
use crate::portfolio::{self, Holding, Mark, Portfolio, Row};
use evenkeel_domain::policy::Policy;
use evenkeel_domain::values::{Money, Percentage, PortfolioId, Quantity, Symbol};

/// A portfolio as it shall be.
pub(crate) struct Wanted {
    pub(crate) policy: Policy,
    pub(crate) cash: Money,
    pub(crate) cash_target: Percentage,
    pub(crate) rows: Vec<Row>,
    pub(crate) is_active: bool,
}

impl Watch {
    pub(crate) fn reset(&mut self, id: &PortfolioId, wanted: impl FnOnce(&Self, u32, &Portfolio) -> Wanted) -> bool {
        let Some(slot) = self.slot(id) else { return false };
        let Some(portfolio) = self.slots.get(slot) else { return false };
        let wanted = wanted(self, slot, portfolio);
        self.set(slot, id, wanted);
        true
    }

    /// What a portfolio holds, in symbol order.
    pub(crate) fn units(&self, slot: u32, portfolio: &Portfolio) -> impl Iterator<Item = (Symbol, Quantity)> {
        let held = portfolio.holdings.iter().map(move |holding| (*holding, holding.units(slot, &self.many)));
        let held = held.filter(|(_, units)| !units.is_zero());
        held.filter_map(|(holding, units)| Some((self.symbols.name(holding.symbol)?, units)))
    }

    /// What has a target, in symbol order.
    pub(crate) fn goals(&self, portfolio: &Portfolio) -> impl Iterator<Item = (Symbol, Percentage)> {
        let goals = portfolio.holdings.iter().map(|holding| (*holding, holding.goal()));
        let goals = goals.filter(|(_, goal)| !goal.is_zero());
        goals.filter_map(|(holding, goal)| Some((self.symbols.name(holding.symbol)?, goal)))
    }

    /// Brings a slot from what it was to what it shall be: only what differs moves in the lists of followers.
    pub(crate) fn set(&mut self, slot: u32, id: &PortfolioId, wanted: Wanted) {
        let Wanted { policy: Policy { measure, cash_buffer, .. }, cash, cash_target, rows, is_active } = wanted;
        let before = self.slots.get_mut(slot).map(|portfolio| std::mem::take(&mut portfolio.holdings));
        let before = before.unwrap_or_default();
        self.forget_large_units(slot, &before);
        self.holdings = self.holdings.saturating_sub(before.len()).saturating_add(rows.len());
        if self.is_far() {
            self.ask_for_places(&before, &rows);
        }

        let reserve = self.reserve;
        let bounds = Bounds { measure: &measure, cash, cash_target, cash_buffer, reserve: &reserve };
        let growth = bounds.growth();
        let always_looked_at = growth.is_none() || rows.iter().any(Row::is_untargeted);
        let growth = growth.unwrap_or(Growth::LEAST);
        let mut unpriced = 0_u32;
        let mut holdings = Vec::with_capacity(rows.len());
        let mut old = before.iter().copied().peekable();
        for row in rows {
            while let Some(gone) = old.next_if(|old| self.is_before(*old, row.symbol)) {
                self.unfollow(gone);
            }
            let units = portfolio::rough(row.units.nanos().cast_signed());
            let entry = bounds.entry(slot, growth, row.symbol, units, row.goal);
            let same = old.next_if(|old| self.symbols.name(old.symbol) == Some(row.symbol));
            let (symbol, position) = match same {
                Some(same) => {
                    self.symbols.replace(same.symbol, same.position, entry);
                    (same.symbol, same.position)
                }
                None => {
                    let symbol = self.symbols.place_or_new(row.symbol);
                    (symbol, self.symbols.follow(symbol, entry))
                }
            };
            if self.symbols.at(symbol).is_none_or(|record| record.quote.is_none() || record.is_stale) {
                unpriced = unpriced.saturating_add(1);
            }
            holdings.push(Holding::new(slot, row, symbol, position, &mut self.many));
        }
        for gone in old {
            self.unfollow(gone);
        }
        let holdings = holdings.into_boxed_slice();
        let id = id.clone();
        self.slots.put(
            slot,
            Portfolio {
                id,
                measure,
                cash,
                cash_buffer,
                cash_target,
                holdings,
                unpriced,
                is_active,
                is_aside: false,
                always_looked_at,
            },
        );
        if self.states.len() < self.slots.len() {
            self.states.resize(self.slots.len(), State::LOOK);
            self.marks.resize(self.slots.len(), Mark::NOBODY);
        }
        if !has(Fault::NoReset) {
            self.put_state(slot, State::LOOK);
            self.put_mark(slot, Mark { growth, ..Mark::SOMEBODY });
        }
    }

    fn is_before(&self, holding: Holding, symbol: Symbol) -> bool {
        self.symbols.name(holding.symbol).is_none_or(|name| name < symbol)
    }

    /// Takes a holding out of its symbol's list, and tells whom the one that moves to its place there belongs to: another
    /// portfolio, since nobody is in a list twice.
    pub(crate) fn unfollow(&mut self, holding: Holding) {
        if let Some(moved) = self.symbols.unfollow(holding.symbol, holding.position)
            && let Some(other) = self.slots.get_mut(moved).and_then(|other| other.holding_mut(holding.symbol))
        {
            other.position = holding.position;
        }
    }

    pub(crate) fn forget_large_units(&mut self, slot: u32, holdings: &[Holding]) {
        for holding in holdings.iter().filter(|holding| holding.is_large()) {
            self.many.remove(&(slot, holding.symbol));
        }
    }
}
