//! `due(state, now) -> effects`: what must be done now, derived from the state alone.
//!
//! Repeatable: asking again gives the same effects until a record changes the state, so a worker that takes over knows what to
//! do without being told. The caller remembers what it has under way and paces repeated questions.

use crate::batch::{Order, OrderState, Phase};
use crate::order::{ClientOrderId, Direction, OrderRequest};
use crate::portfolio::Portfolio;
use crate::values::Timestamp;
use std::time::Duration;

/// Something to do in the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Send this order: one attempt.
    Submit(OrderRequest),
    /// Do not send this order any more: its batch is on the way back. Whoever has it under way waits for the answer; whoever does not
    /// reports it as withheld.
    Withhold(ClientOrderId),
    /// Ask the broker to end it, and keep asking until it has ended.
    Cancel(ClientOrderId),
    /// Ask the broker what became of it.
    Look(ClientOrderId),
    /// Ask the broker for its fills, positions and account: book what is new, and settle if that is what is left to do.
    Compare,
    /// Nothing more until then: decide again at that time, which may have come already.
    Wake(Timestamp),
}

/// What is due at `now`, in a fixed order. Empty if no batch is open.
///
/// A batch that was opened and not begun has nothing due: begin it, or abandon it.
#[must_use]
pub fn due(portfolio: &Portfolio, now: Timestamp) -> Vec<Effect> {
    let Some(batch) = &portfolio.batch else { return Vec::new() };
    let mut effects = Vec::with_capacity(batch.orders.len());
    let mut wake: Option<Timestamp> = None;
    for (id, order) in &batch.orders {
        let is_wanted = id.direction == Direction::Reverse || matches!(batch.phase, Phase::Forward(_));
        order_effects(id, order, is_wanted, now, &mut effects);
        wake = wake.into_iter().chain(timers(order, batch.rules().patience, now)).min();
    }
    match batch.phase {
        Phase::Settling { since, .. } => {
            effects.push(Effect::Compare);
            let give_up_at = Some(since.plus(batch.rules().settle_within)).filter(|time| *time > now);
            wake = wake.into_iter().chain(give_up_at).min();
        }
        // What was executed after all must come back as well, and may be why the rest cannot.
        Phase::Compensating(_) => effects.push(Effect::Compare),
        Phase::Planned | Phase::Forward(_) | Phase::Unwinding | Phase::Closed => {}
    }
    effects.extend(wake.map(Effect::Wake));
    effects
}

/// When time alone changes something about an order. A deadline that has passed is decided on at once; whatever else has passed is
/// being asked about.
fn timers(order: &Order, patience: Duration, now: Timestamp) -> impl Iterator<Item = Timestamp> {
    let gives_up_at = order.unknown_since.map(|since| since.plus(patience));
    let (deadline, others) = match order.state {
        OrderState::Intent => (Some(order.deadline), [Some(order.send_at), gives_up_at]),
        OrderState::Acknowledged | OrderState::Partial => (Some(order.deadline), [None, None]),
        OrderState::UnknownInFlight { quiet_at } => (None, [Some(quiet_at), gives_up_at]),
        OrderState::UnknownQuiet => (None, [gives_up_at, None]),
        OrderState::CancelRequested { since } => (None, [Some(since.plus(patience)), None]),
        OrderState::NotSent
        | OrderState::Rejected
        | OrderState::Canceled
        | OrderState::Expired
        | OrderState::FailedPartial
        | OrderState::Filled
        | OrderState::AssumedNotExecuted => (None, [None, None]),
    };
    let others = others.into_iter().flatten().filter(move |time| *time > now);
    deadline.map(|deadline| deadline.max(now)).into_iter().chain(others)
}

fn order_effects(id: ClientOrderId, order: &Order, is_wanted: bool, now: Timestamp, effects: &mut Vec<Effect>) {
    let submit = Effect::Submit(OrderRequest { id, terms: order.terms });
    match order.state {
        OrderState::Intent if !is_wanted => effects.push(Effect::Withhold(id)),
        OrderState::Intent if order.send_at <= now && now < order.deadline => effects.push(submit),
        OrderState::UnknownInFlight { .. }
        | OrderState::UnknownQuiet
        | OrderState::Acknowledged
        | OrderState::Partial => {
            effects.push(Effect::Look(id));
        }
        OrderState::CancelRequested { .. } => effects.extend([Effect::Cancel(id), Effect::Look(id)]),
        OrderState::Intent
        | OrderState::NotSent
        | OrderState::Rejected
        | OrderState::Canceled
        | OrderState::Expired
        | OrderState::FailedPartial
        | OrderState::Filled
        | OrderState::AssumedNotExecuted => {}
    }
}

#[cfg(test)]
mod tests;
