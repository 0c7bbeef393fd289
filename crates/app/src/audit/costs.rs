//! What each leg of a batch has cost: its slippage and its fees, forward and back, told with the record that closed the batch.
//!
//! No record says it: it follows from all of a batch, so the portfolio is rebuilt up to its closing. What a cost means is on
//! [`Trade`]'s page.

use super::story;
use crate::wiring::JournalLine;
use evenkeel_domain::apply::apply;
use evenkeel_domain::order::BatchId;
use evenkeel_domain::portfolio::Portfolio;
use evenkeel_domain::record::Event;
use evenkeel_domain::report::{BatchReport, Trade};
use evenkeel_domain::values::{Money, PortfolioId, Price, Quantity, Symbol};
use serde::Serialize;
use std::collections::BTreeMap;

/// The costs of batches, by the place of the record that closed them; and of each record, to which batch it belongs.
#[derive(Debug, Default)]
pub(super) struct Costs {
    legs: BTreeMap<u64, Vec<LegCost>>,
    batches: BTreeMap<u64, BatchId>,
}

/// What was executed of one leg in one direction, and what that cost.
#[derive(Debug, Serialize)]
pub(super) struct LegCost {
    leg: u16,
    direction: &'static str,
    symbol: Symbol,
    side: String,
    quantity: Quantity,
    price: Price,
    planned: Price,
    amount: Money,
    slippage: Money,
    fees: Money,
    /// The same in words.
    #[serde(skip)]
    pub(super) text: String,
}

impl LegCost {
    /// For a row of a table: what is serialised, in this order.
    pub(super) fn fields(&self) -> [String; 10] {
        let Self { leg, direction, symbol, side, quantity, price, planned, amount, slippage, fees, .. } = self;
        [
            leg.to_string(),
            (*direction).to_owned(),
            symbol.to_string(),
            side.clone(),
            quantity.to_string(),
            price.to_string(),
            planned.to_string(),
            amount.to_string(),
            slippage.to_string(),
            fees.to_string(),
        ]
    }
}

impl Costs {
    /// The costs of all batches that `lines` close: every record of one portfolio or several, each from its first.
    pub(super) fn of(lines: &[JournalLine]) -> Self {
        let mut portfolios: BTreeMap<&PortfolioId, Option<Portfolio>> = BTreeMap::new();
        let mut costs = Self::default();
        for line in lines {
            let known =
                portfolios.entry(&line.portfolio).or_insert_with(|| Some(Portfolio::new(line.portfolio.clone())));
            // What comes after a record that does not fit, or is not understood, cannot be told.
            *known = known.take().and_then(|mut state| {
                apply(&mut state, line.record.as_ref()?).ok()?;
                Some(state)
            });
            let Some(state) = known else { continue };
            costs.batches.extend(state.batch.as_ref().map(|batch| (line.place, batch.id)));
            let closes = line.record.as_ref().is_some_and(|record| matches!(record.event, Event::Closed(_)));
            if let Some(batch) = state.closed.last().filter(|_| closes)
                && let Ok(Some(report)) = BatchReport::of(batch)
            {
                costs.batches.insert(line.place, batch.id);
                costs.legs.insert(line.place, legs(&report));
            }
        }
        costs
    }

    /// The batch that a line belongs to: the one that was open, or that it closed; where the portfolio cannot be rebuilt, the one that it names.
    pub(super) fn batch(&self, line: &JournalLine) -> Option<BatchId> {
        let named = || line.record.as_ref().and_then(|record| story::batch_of(&record.event));
        self.batches.get(&line.place).copied().or_else(named)
    }

    /// Those of the batch that a line closes; none if it closes none.
    pub(super) fn at(&self, line: &JournalLine) -> &[LegCost] {
        self.legs.get(&line.place).map_or(&[], Vec::as_slice)
    }
}

fn legs(report: &BatchReport) -> Vec<LegCost> {
    let forward = report.trades.iter().map(|trade| cost("forward", trade));
    forward.chain(report.reversals.iter().map(|trade| cost("back", trade))).collect()
}

fn cost(direction: &'static str, trade: &Trade) -> LegCost {
    let Trade { leg, symbol, side, quantity, price, amount, planned, slippage, fees } = *trade;
    let (leg, text) = (u16::from(leg), crate::render::leg(direction, trade));
    let side = side.to_string();
    LegCost { leg, direction, symbol, side, quantity, price, planned, amount, slippage, fees, text }
}
