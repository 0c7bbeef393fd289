//! What a batch did, for people and for records: derived from the batch alone, so it is the same live and after recovery.

use crate::batch::{Batch, slippage};
use crate::order::{BatchId, Direction, LegNumber, Side};
use crate::plan::{Leg, Skip};
use crate::record::{Cause, Outcome, Residual};
use crate::values::{Money, Overflow, Percentage, Price, Quantity, Rounding, Symbol, Timestamp, Value};

/// What a closed batch did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchReport {
    /// Which.
    pub batch: BatchId,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// What it came to.
    pub outcome: Outcome,
    /// The name of the drift measure.
    pub measure: String,
    /// How far the portfolio had drifted, in that measure.
    pub drift: Percentage,
    /// What was executed forward, leg by leg, in execution order. A leg of which nothing was executed is absent.
    pub trades: Vec<Trade>,
    /// What was executed back.
    pub reversals: Vec<Trade>,
    /// What was left alone, and why; with the legs that were dropped when the second stage was sized.
    pub skipped: Vec<Skip>,
    /// Cash before − cash after, fees included.
    pub cost: Money,
    /// The fees in it.
    pub fees: Money,
    /// Why it was not completed.
    pub cause: Option<Cause>,
    /// What is still off, per symbol.
    pub residual: Vec<Residual>,
}

/// The executions of one leg in one direction, all attempts and fills together, and what they cost.
///
/// A leg that was restored has cost the slippage and the fees of both directions, to the cent: what the planned amount of one is rounded by,
/// that of the other is too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trade {
    /// The leg.
    pub leg: LegNumber,
    /// What.
    pub symbol: Symbol,
    /// Which way.
    pub side: Side,
    /// Units executed.
    pub quantity: Quantity,
    /// Their average price, 9 decimals, rounded half-even.
    pub price: Price,
    /// The cash that was booked for them, above zero, without fees.
    pub amount: Money,
    /// The price that the leg was planned at, on the way back too.
    pub planned: Price,
    /// What the difference between that price and the executed ones has cost: for a buy `amount` less `quantity` at the planned price, for a sell the
    /// other way round, with that product rounded half-even to the cent. Below zero if it was a gain.
    pub slippage: Money,
    /// The fees that were booked for them.
    pub fees: Money,
}

impl BatchReport {
    /// What `batch` did; `None` while it is open.
    ///
    /// # Errors
    /// [`Overflow`] if a sum passes its type's maximum.
    pub fn of(batch: &Batch) -> Result<Option<Self>, Overflow> {
        let Some(closing) = &batch.closing else { return Ok(None) };
        Ok(Some(Self {
            batch: batch.id,
            opened_at: batch.opened_at,
            outcome: closing.outcome,
            measure: batch.opening.measure.clone(),
            drift: batch.opening.drift,
            trades: trades(batch, Direction::Forward)?,
            reversals: trades(batch, Direction::Reverse)?,
            skipped: batch.opening.skipped.iter().chain(&batch.dropped).cloned().collect(),
            cost: closing.cost,
            fees: closing.fees,
            cause: closing.cause.clone(),
            residual: closing.residual.clone(),
        }))
    }
}

fn trades(batch: &Batch, direction: Direction) -> Result<Vec<Trade>, Overflow> {
    if !batch.orders.ids().any(|id| id.direction == direction) {
        return Ok(Vec::new());
    }
    let mut trades = Vec::with_capacity(batch.opening.legs.len());
    for leg in &batch.opening.legs {
        trades.extend(trade(batch, leg, direction)?);
    }
    Ok(trades)
}

fn trade(batch: &Batch, leg: &Leg, direction: Direction) -> Result<Option<Trade>, Overflow> {
    let planned = leg.terms.reference;
    let mut sum: Option<Trade> = None;
    let mut value = Value::ZERO;
    for (_, order) in batch.attempts_of(leg.number, direction).filter(|(_, order)| !order.filled.is_zero()) {
        value = value.add(order.value)?;
        let (quantity, amount, fees) = match &sum {
            None => (order.filled, order.booked, order.fees),
            Some(before) => {
                let nanos = before.quantity.nanos().saturating_add(order.filled.nanos());
                (Quantity::from_nanos(nanos)?, before.amount.add(order.booked)?, before.fees.add(order.fees)?)
            }
        };
        // The average of positive prices is a price; only an impossible journal has none.
        let average = Price::average(value, quantity, Rounding::HalfEven).unwrap_or(order.terms.reference);
        let (symbol, side) = (order.terms.symbol, order.terms.side);
        let slippage = slippage(side, amount, leg.amount_of(quantity)?)?;
        sum = Some(Trade { leg: leg.number, symbol, side, quantity, price: average, amount, planned, slippage, fees });
    }
    Ok(sum)
}

#[cfg(test)]
mod tests;
