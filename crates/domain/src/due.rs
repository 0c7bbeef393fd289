//! `due(state, now) -> effects`: what must be done now, derived from the state alone.
//!
//! Repeatable: asking again gives the same effects until a record changes the state, so a worker that takes over knows what to
//! do without being told. The caller remembers what it has under way and paces repeated questions.

use crate::batch::{Order, OrderState, Phase};
use crate::order::{ClientOrderId, Direction, OrderRequest};
use crate::portfolio::Portfolio;
use crate::values::Timestamp;

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
    /// Ask the broker for its fills, positions and account, and settle.
    Compare,
    /// Nothing more until then: decide again at that time.
    Wake(Timestamp),
}

/// What is due at `now`, in a fixed order. Empty if no batch is open.
///
/// A batch that was opened and not begun has nothing due: begin it, or abandon it.
#[must_use]
pub fn due(portfolio: &Portfolio, now: Timestamp) -> Vec<Effect> {
    let Some(batch) = &portfolio.batch else { return Vec::new() };
    let mut effects = Vec::new();
    let mut wake: Option<Timestamp> = None;
    let mut wake_at = |time: Timestamp| {
        if time > now {
            wake = Some(wake.map_or(time, |earlier| earlier.min(time)));
        }
    };
    for (id, order) in &batch.orders {
        let is_wanted = id.direction == Direction::Reverse || matches!(batch.phase, Phase::Forward(_));
        order_effects(*id, order, is_wanted, now, &mut effects);
        match order.state {
            OrderState::Intent => {
                wake_at(order.send_at);
                wake_at(order.deadline);
            }
            OrderState::Acknowledged | OrderState::Partial => wake_at(order.deadline),
            OrderState::UnknownInFlight { quiet_at } => {
                wake_at(quiet_at);
                wake_at(order.unknown_since.unwrap_or(now).plus(batch.rules().patience));
            }
            OrderState::UnknownQuiet => wake_at(order.unknown_since.unwrap_or(now).plus(batch.rules().patience)),
            OrderState::CancelRequested { since } => wake_at(since.plus(batch.rules().patience)),
            OrderState::NotSent
            | OrderState::Rejected
            | OrderState::Canceled
            | OrderState::Expired
            | OrderState::FailedPartial
            | OrderState::Filled
            | OrderState::AssumedNotExecuted => {}
        }
    }
    if let Phase::Settling { since, .. } = batch.phase {
        effects.push(Effect::Compare);
        wake_at(since.plus(batch.rules().settle_within));
    }
    effects.extend(wake.map(Effect::Wake));
    effects
}

fn order_effects(id: ClientOrderId, order: &Order, is_wanted: bool, now: Timestamp, effects: &mut Vec<Effect>) {
    let submit = Effect::Submit(OrderRequest { id, terms: order.terms });
    match order.state {
        OrderState::Intent if !is_wanted => effects.push(Effect::Withhold(id)),
        OrderState::Intent if order.send_at <= now && now < order.deadline => effects.push(submit),
        OrderState::UnknownInFlight { .. } | OrderState::UnknownQuiet | OrderState::Acknowledged | OrderState::Partial => {
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
