//! How a batch ends: settling against the broker, closing, and going stale.

use super::{Draft, Refusal};
use crate::batch::Phase;
use crate::books::Books;
use crate::order::{ClientOrderId, FillCursor};
use crate::portfolio::{Portfolio, compare};
use crate::record::{Cause, Closing, Event, Outcome, Pause};
use crate::values::Overflow;
use std::sync::Arc;
use std::time::Duration;

/// Books and broker were compared at the end: agree and close, or wait, or give up and ask a person.
pub(super) fn settle(draft: &mut Draft<'_>, broker: &Books, fills_read: Option<FillCursor>) -> Result<(), Refusal> {
    if draft.state.batch.is_none() && !draft.records.is_empty() {
        return Ok(()); // What was learned together with this has closed it.
    }
    let batch = draft.batch("settled")?;
    let Phase::Settling { outcome, since } = batch.phase else {
        return Ok(()); // A fill came in between: the batch is not at its end after all.
    };
    let given_up = draft.at >= since.plus(batch.rules().settle_within);
    let cause = batch.unwinding.clone().map(Cause::Unwound);
    let differences = compare(&draft.state.books, broker);
    if differences.is_empty() {
        return close(draft, outcome, cause, fills_read);
    }
    if given_up {
        return stale(draft, Cause::Mismatch { outcome, differences });
    }
    Ok(())
}

/// Closes the batch as stale: a person must look.
pub(super) fn stale(draft: &mut Draft<'_>, cause: Cause) -> Result<(), Refusal> {
    close(draft, Outcome::Stale, Some(cause), None)
}

/// Closes the batch.
pub(super) fn close(
    draft: &mut Draft<'_>,
    outcome: Outcome,
    cause: Option<Cause>,
    fills_read: Option<FillCursor>,
) -> Result<(), Refusal> {
    let batch = draft.batch("closed")?;
    let (cost, fees) = batch.cost()?;
    let stale = outcome == Outcome::Stale;
    // What a completed batch traded is not to come back, whatever books and broker disagree about.
    let completed = matches!(cause, Some(Cause::Mismatch { outcome: Outcome::Completed, .. }));
    let residual = if stale && !completed { batch.residual()? } else { Vec::new() };
    let unresolved: Vec<ClientOrderId> = if stale {
        batch.orders.iter().filter(|(_, order)| !order.state.is_terminal()).map(|(id, _)| id).collect()
    } else {
        Vec::new()
    };
    let pause = if outcome == Outcome::Restored { Some(pause(&draft.state)?) } else { None };
    let closing = Closing { outcome, cause, residual, unresolved, cost, fees, pause, fills_read };
    draft.record(Event::Closed(Arc::new(closing)))
}

/// Counted from the batch's opening; doubled by every restoration since the last completion.
fn pause(portfolio: &Portfolio) -> Result<Pause, Overflow> {
    let Some(batch) = &portfolio.batch else { return Ok(Pause { until: crate::values::Timestamp::EPOCH }) };
    let rule = batch.rules().pause;
    let doubled = 2_u32.checked_pow(portfolio.restorations).and_then(|factor| rule.first.checked_mul(factor));
    let length: Duration = doubled.unwrap_or(rule.longest).min(rule.longest);
    Ok(Pause { until: batch.opened_at.plus(length) })
}
