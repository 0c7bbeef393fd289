//! `apply(state, record) -> state`: what a record makes of a portfolio. No choices, no clock, no way back.
//!
//! Replaying a journal is nothing but this. A record that does not fit the state it meets is a damaged or foreign journal, and
//! is refused with [`ApplyError`]; the state is then left as it was before that record. What a record makes of one order is in `apply/orders.rs`.

mod error;
mod orders;

pub use error::ApplyError;

use crate::batch::{Batch, Order, OrderState, Orders, Phase};
use crate::books::Books;
use crate::order::{ClientOrderId, Fill};
use crate::portfolio::{Portfolio, Standing, Tally};
use crate::record::{Cause, Closing, Event, Movement, Opening, OrderEvent, Outcome, Record, Resolution, UnwindCause};
use crate::values::{Money, MovementId, Timestamp, Token};
use orders::{book, intend, is_new, lose_sender, order_event, order_mut};
use std::sync::Arc;

/// Applies one record.
///
/// # Errors
/// [`ApplyError`] if the record does not fit: `portfolio` is then unchanged.
pub fn apply(portfolio: &mut Portfolio, record: &Record) -> Result<(), ApplyError> {
    if let Event::Folded(state) = &record.event {
        *portfolio = (**state).clone();
        return Ok(());
    }
    let sequence = portfolio.sequence.next()?;
    let mut changed = Applying { portfolio, at: record.at };
    changed.event(&record.event)?;
    portfolio.sequence = sequence;
    Ok(())
}

/// Rebuilds a portfolio from its records.
///
/// # Errors
/// [`ApplyError`] at the first record that does not fit.
pub fn replay<'a>(
    mut portfolio: Portfolio,
    records: impl IntoIterator<Item = &'a Record>,
) -> Result<Portfolio, ApplyError> {
    for record in records {
        apply(&mut portfolio, record)?;
    }
    Ok(portfolio)
}

struct Applying<'a> {
    portfolio: &'a mut Portfolio,
    at: Timestamp,
}

impl Applying<'_> {
    fn event(&mut self, event: &Event) -> Result<(), ApplyError> {
        match event {
            Event::Added { definition, books } => {
                self.expect_standing("added", |s| matches!(s, Standing::Absent))?;
                self.portfolio.definition = Some(Arc::clone(definition));
                self.portfolio.books = books.clone();
                self.portfolio.standing = Standing::Active;
                Ok(())
            }
            Event::Changed { definition } => {
                self.expect_standing("changed", |s| !matches!(s, Standing::Absent))?;
                self.portfolio.definition = Some(Arc::clone(definition));
                Ok(())
            }
            Event::Removed => {
                self.expect_standing("removed", |s| matches!(s, Standing::Active | Standing::Quarantined { .. }))?;
                self.portfolio.standing = Standing::Absent;
                self.portfolio.pause = None;
                Ok(())
            }
            Event::CashMoved { movement, kind, amount } => self.cash_moved(movement, *kind, *amount),
            Event::Quarantined { differences } => {
                self.expect_standing("quarantined", |s| matches!(s, Standing::Active | Standing::Quarantined { .. }))?;
                self.portfolio.standing = Standing::Quarantined { differences: differences.clone() };
                Ok(())
            }
            Event::Released => {
                self.expect_standing("released", |s| matches!(s, Standing::Quarantined { .. }))?;
                self.portfolio.standing = Standing::Active;
                Ok(())
            }
            Event::LateFill { fill, booked } => self.late_fill(fill, *booked),
            Event::Resolved { how, books, .. } => self.resolved(*how, books),
            Event::Retried { who, why, attempts } => self.retried(who, why, *attempts),
            Event::Opened(opening) => self.opened(opening),
            Event::Closed(closing) => self.closed(closing),
            Event::Folded(_) => Ok(()),
            Event::TakenOver { token, quiet_at, .. } => self.taken_over(*token, *quiet_at),
            Event::Intended { stage, orders, dropped, .. } => {
                let batch = self.batch("intended")?;
                intend(batch, *stage, orders)?;
                batch.dropped.extend(dropped.iter().cloned());
                Ok(())
            }
            Event::Order { order, event: OrderEvent::Filled { fill, booked } } => self.filled(*order, fill, *booked),
            Event::Order { order, event } => {
                let at = self.at;
                order_event(order_mut(self.batch("order")?, "order", *order)?, event, at);
                Ok(())
            }
            Event::Unwinding { cause } => {
                let batch = self.batch("unwinding")?;
                batch.phase = Phase::Unwinding;
                batch.unwinding = Some(cause.clone());
                Ok(())
            }
            Event::Settling { outcome } => {
                let since = self.at;
                self.batch("settling")?.phase = Phase::Settling { outcome: *outcome, since };
                Ok(())
            }
        }
    }

    fn resolved(&mut self, how: Resolution, books: &Books) -> Result<(), ApplyError> {
        self.expect_standing("resolved", |s| matches!(s, Standing::Stale | Standing::Quarantined { .. }))?;
        if how == Resolution::Accept && self.portfolio.has_lost_batches() {
            self.portfolio.loss_accepted = Some(self.at);
        }
        self.portfolio.books = books.clone();
        self.portfolio.standing = Standing::Active;
        Ok(())
    }

    fn cash_moved(&mut self, movement: &MovementId, kind: Movement, amount: Money) -> Result<(), ApplyError> {
        self.expect_standing("cash_moved", |s| !matches!(s, Standing::Absent))?;
        let signed = if kind == Movement::Deposit { amount } else { amount.negate() };
        self.portfolio.books.cash = self.portfolio.books.cash.add(signed)?;
        self.portfolio.movements.insert(movement.clone(), signed);
        Ok(())
    }

    fn taken_over(&mut self, token: Token, quiet_at: Timestamp) -> Result<(), ApplyError> {
        let at = self.at;
        let batch = self.batch("taken_over")?;
        batch.token = token;
        lose_sender(batch, at, quiet_at);
        self.portfolio.token = token;
        Ok(())
    }

    fn batch(&mut self, record: &'static str) -> Result<&mut Batch, ApplyError> {
        self.portfolio.batch.as_mut().ok_or(ApplyError::NoBatch { record })
    }

    /// A fill proves that the broker has the order, also where it was assumed not to. One that was to be canceled stays so, and one
    /// that ended stays ended.
    fn filled(&mut self, id: ClientOrderId, fill: &Fill, booked: Money) -> Result<(), ApplyError> {
        let refused = |source| ApplyError::Booking { record: "order", source };
        let Portfolio { batch, books, .. } = &mut *self.portfolio;
        let batch = batch.as_mut().ok_or(ApplyError::NoBatch { record: "order" })?;
        let order = order_mut(batch, "order", id)?;
        is_new(order, "order", id, fill)?;
        let sums = order.sums_with(fill, booked).map_err(refused)?;
        book(books, order.terms.symbol, order.terms.side, fill, booked).map_err(refused)?;
        order.take(fill, sums);
        if order.state.is_unseen() || order.state == OrderState::Acknowledged {
            order.state = OrderState::Partial;
            order.unknown_since = None;
            order.note.clear();
        }
        Ok(())
    }

    fn opened(&mut self, opening: &Arc<Opening>) -> Result<(), ApplyError> {
        if self.portfolio.batch.is_some() {
            return Err(ApplyError::BatchOpen);
        }
        self.expect_standing("opened", |s| matches!(s, Standing::Active))?;
        let forgotten = |batch: &Arc<Batch>| batch.opened_at.plus(opening.rules.watch) < self.at;
        let keep_from = self.portfolio.closed.len().saturating_sub(1);
        let mut place = 0_usize;
        self.portfolio.closed.retain(|batch| {
            let keep = place >= keep_from || !forgotten(batch);
            place = place.saturating_add(1);
            keep
        });
        self.portfolio.token = opening.token;
        self.portfolio.standing = Standing::Rebalancing;
        self.portfolio.batch = Some(Batch {
            id: opening.batch,
            opening: Arc::clone(opening),
            opened_at: self.at,
            token: opening.token,
            attempts: opening.rules.attempts,
            before: self.portfolio.books.clone(),
            phase: Phase::Planned,
            unwinding: None,
            dropped: Vec::new(),
            orders: Orders::default(),
            closing: None,
        });
        Ok(())
    }

    fn closed(&mut self, closing: &Arc<Closing>) -> Result<(), ApplyError> {
        let portfolio = &mut *self.portfolio;
        let Some(batch) = portfolio.batch.as_ref() else {
            return Err(ApplyError::NoBatch { record: "closed" });
        };
        let mut tally = portfolio.tally.with(batch)?;
        let count = match closing.outcome {
            Outcome::Completed => &mut tally.completed,
            Outcome::Restored => &mut tally.restored,
            Outcome::Abandoned => &mut tally.abandoned,
            Outcome::Stale => &mut tally.stale,
        };
        *count = count.saturating_add(1);
        portfolio.tally = tally;
        portfolio.standing = if closing.outcome == Outcome::Stale { Standing::Stale } else { Standing::Active };
        match closing.outcome {
            Outcome::Completed => portfolio.restorations = 0,
            Outcome::Restored => portfolio.restorations = portfolio.restorations.saturating_add(1),
            Outcome::Abandoned | Outcome::Stale => {}
        }
        if closing.outcome != Outcome::Abandoned {
            portfolio.pause = closing.pause;
        }
        if closing.fills_read.is_some() {
            portfolio.fills_read.clone_from(&closing.fills_read);
        }
        if let Some(mut batch) = portfolio.batch.take() {
            batch.phase = Phase::Closed;
            batch.closing = Some((**closing).clone());
            portfolio.closed.push(Arc::new(batch));
        }
        Ok(())
    }

    /// The stale batch is open again, with fresh time and more attempts.
    fn retried(&mut self, who: &str, why: &str, attempts: u8) -> Result<(), ApplyError> {
        self.expect_standing("retried", |s| matches!(s, Standing::Stale))?;
        let Some(stale) = self.portfolio.stale_batch() else {
            return Err(ApplyError::NoBatch { record: "retried" });
        };
        let tally = self.portfolio.tally.without(stale)?;
        let Some(stale) = self.portfolio.closed.pop() else {
            return Err(ApplyError::NoBatch { record: "retried" });
        };
        let mut batch = Arc::unwrap_or_clone(stale);
        let at = self.at;
        let mismatch = match batch.closing.take().and_then(|closing| closing.cause) {
            Some(Cause::Mismatch { outcome, .. }) => Some(outcome),
            Some(
                Cause::Unwound(_)
                | Cause::NeverSent { .. }
                | Cause::Limited { .. }
                | Cause::Unknown { .. }
                | Cause::Unbookable { .. }
                | Cause::JournalLacks { .. },
            )
            | None => None,
        };
        batch.phase = mismatch.map_or(Phase::Unwinding, |outcome| Phase::Settling { outcome, since: at });
        if batch.phase == Phase::Unwinding {
            // It went stale on the way forward: from here on it goes back because a person wants it to.
            let asked = UnwindCause::Aborted { who: who.to_owned(), why: why.to_owned() };
            batch.unwinding.get_or_insert(asked);
        }
        batch.attempts = attempts;
        let quiet_at = at.plus(batch.rules().quiescence);
        lose_sender(&mut batch, at, quiet_at);
        let is_waited_for =
            |order: &Order| order.unknown_since.is_some() || matches!(order.state, OrderState::CancelRequested { .. });
        batch.orders.change(is_waited_for, |order| {
            if order.unknown_since.is_some() {
                order.unknown_since = Some(at);
            }
            if let OrderState::CancelRequested { since } = &mut order.state {
                *since = at;
            }
        });
        // It was counted as stale, and will be counted again by what it comes to. What it moved and cost as well.
        self.portfolio.tally = Tally { stale: tally.stale.saturating_sub(1), ..tally };
        self.portfolio.batch = Some(batch);
        self.portfolio.standing = Standing::Rebalancing;
        Ok(())
    }

    fn late_fill(&mut self, late: &crate::order::OrderFill, booked: Money) -> Result<(), ApplyError> {
        let Some(id) = late.order else { return Ok(()) };
        let portfolio = &mut *self.portfolio;
        let Some(place) = portfolio.closed.iter().position(|batch| batch.id == id.batch) else {
            return Err(ApplyError::Order { record: "late_fill", order: id, problem: "belongs to no watched batch" });
        };
        let Some(batch) = portfolio.closed.get_mut(place) else { return Ok(()) };
        let refused = |source| ApplyError::Booking { record: "late_fill", source };
        // A copy, as it is counted before and after, and nothing may change before all of it is known to fit.
        let mut changed = (**batch).clone();
        let order = order_mut(&mut changed, "late_fill", id)?;
        is_new(order, "late_fill", id, &late.fill)?;
        let sums = order.sums_with(&late.fill, booked).map_err(refused)?;
        let terms = order.terms;
        order.take(&late.fill, sums);
        let tally = portfolio.tally.without(batch)?.with(&changed)?;
        book(&mut portfolio.books, terms.symbol, terms.side, &late.fill, booked).map_err(refused)?;
        *batch = Arc::new(changed);
        portfolio.tally = tally;
        if portfolio.standing == Standing::Active {
            portfolio.standing = Standing::Quarantined { differences: Vec::new() };
        }
        Ok(())
    }

    fn expect_standing(&self, record: &'static str, fits: impl Fn(&Standing) -> bool) -> Result<(), ApplyError> {
        let standing = &self.portfolio.standing;
        if fits(standing) { Ok(()) } else { Err(ApplyError::Standing { record, standing: standing.name() }) }
    }
}

#[cfg(test)]
mod tests;
