//! The closer look: bounds made anew, and the exact decision where they do not clear a portfolio.

use crate::filter::{Bounds, Held, State};
use crate::finding::in_order_of_ids;
use crate::portfolio::Portfolio;
use crate::symbols::{Record, index};
use crate::{Finding, Watch};
use evenkeel_domain::books::NoPrice;
use evenkeel_domain::drift::urgency::Urgency;
use evenkeel_domain::valuation::{Line, Valuation, ValuationError};
use evenkeel_domain::values::{Percentage, PortfolioId, Price, Symbol, Timestamp};

impl Watch {
    /// Judges one portfolio at the last prices, exactly, whether it is active or not. Nothing if it is inside its band, not
    /// watched, or a symbol of it has never had a price.
    #[must_use]
    pub fn judge(&self, portfolio: &PortfolioId, now: Timestamp) -> Option<Finding> {
        let slot = self.slot(portfolio)?;
        self.exactly(slot, self.slots.get(slot)?, now)
    }

    /// Judges every active portfolio at the last prices, as one wave of all of them would. In the order of ids. Nobody is
    /// [aside](Self::set_aside) any more.
    pub fn judge_all(&mut self, now: Timestamp) -> Vec<Finding> {
        self.grow_old(now);
        let slots = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        let mut found = Vec::new();
        for slot in 0..slots {
            if let Some(portfolio) = self.slots.get_mut(slot)
                && std::mem::take(&mut portfolio.is_aside)
            {
                self.put_state(slot, State::LOOK);
            }
            found.extend(self.look(slot, now));
        }
        in_order_of_ids(found)
    }

    /// Not found by waves any more, and no more work for them than one that is inside its band: for one that was found and waits for its turn. Until its books or definition
    /// change, [`set_active`](Self::set_active) is called, or [`judge_all`](Self::judge_all). Its prices go on, and [`judge`](Self::judge) judges it
    /// as ever. False if it is not watched.
    pub fn set_aside(&mut self, id: &PortfolioId) -> bool {
        let Some(slot) = self.slot(id) else { return false };
        let Some(portfolio) = self.slots.get_mut(slot) else { return false };
        portfolio.is_aside = true;
        self.put_state(slot, State::REST);
        true
    }

    /// Makes the bounds of a portfolio anew, and decides exactly if they do not clear it.
    pub(crate) fn look(&mut self, slot: u32, now: Timestamp) -> Option<Finding> {
        let portfolio = self.slots.get(slot)?;
        if !portfolio.is_active || portfolio.is_aside {
            self.put_state(slot, State::REST);
            return None;
        }
        if portfolio.unpriced == 0 && !portfolio.always_looked_at {
            let (state, is_unlevered) = self.state_of(slot, portfolio);
            self.put_state(slot, state.kept());
            if let Some(mark) = self.marks.get_mut(index(slot)) {
                mark.is_unlevered = is_unlevered;
            }
            if state.is_inside() {
                return None;
            }
        }
        self.exactly(slot, self.slots.get(slot)?, now)
    }

    /// The filter's numbers for a portfolio whose symbols all have a price.
    pub(crate) fn state_of(&self, slot: u32, portfolio: &Portfolio) -> (State, bool) {
        let prices = self.symbols.prices();
        let held = portfolio.holdings.iter().map(|holding| Held {
            price: prices.get(index(holding.symbol)).copied().unwrap_or(f32::NAN),
            units: holding.rough_units(slot, &self.many),
            goal: holding.rough_goal(),
        });
        let Portfolio { measure, cash, cash_target, cash_buffer, .. } = portfolio;
        let bounds = Bounds {
            measure,
            cash: *cash,
            cash_target: *cash_target,
            cash_buffer: *cash_buffer,
            reserve: &self.reserve,
        };
        bounds.state(held)
    }

    /// The exact decision.
    fn exactly(&self, slot: u32, portfolio: &Portfolio, now: Timestamp) -> Option<Finding> {
        match self.out_of_band(slot, portfolio, now) {
            Ok(None) => None,
            Ok(Some((urgency, drift))) => Some(Finding::OutOfBand { portfolio: portfolio.id.clone(), drift, urgency }),
            // Also if another symbol is stale, of which the domain would tell first if it came first in order.
            Err(ValuationError::NoPrice(_)) if self.lacks_a_price(portfolio) => None,
            Err(why) => Some(Finding::NotJudged { portfolio: portfolio.id.clone(), why }),
        }
    }

    fn lacks_a_price(&self, portfolio: &Portfolio) -> bool {
        let mut records = portfolio.holdings.iter().filter_map(|holding| self.symbols.at(holding.symbol));
        records.any(|record| record.quote.is_none())
    }

    fn out_of_band(
        &self,
        slot: u32,
        portfolio: &Portfolio,
        now: Timestamp,
    ) -> Result<Option<(Urgency, Percentage)>, ValuationError> {
        let mut lines = Vec::with_capacity(portfolio.holdings.len());
        for holding in &portfolio.holdings {
            let place = holding.symbol;
            let (Some(record), Some(symbol)) = (self.symbols.at(place), self.symbols.name(place)) else { continue };
            let price = self.price_at(symbol, record, now)?;
            let quantity = holding.units(slot, &self.many);
            lines.push(Line { symbol, quantity, price, value: price.times(quantity), target: holding.goal() });
        }
        let Portfolio { measure, cash, cash_target, cash_buffer, .. } = portfolio;
        let valuation = Valuation::of_lines(lines, *cash, *cash_target, *cash_buffer, self.reserve.rule())?;
        Ok(Urgency::with_drift(&valuation, measure)?)
    }

    /// The price of a symbol, if it is fresh enough: as [`Market::price`](evenkeel_domain::books::Market::price) has it.
    fn price_at(&self, symbol: Symbol, record: &Record, now: Timestamp) -> Result<Price, NoPrice> {
        let quote = record.quote.ok_or(NoPrice::Missing { symbol })?;
        match self.max_age {
            Some(allowed) if now.since(quote.at) > allowed => {
                Err(NoPrice::Stale { symbol, age: now.since(quote.at), allowed })
            }
            _ => Ok(quote.price),
        }
    }
}
