//! The way back: end what is open, then trade exactly what was executed the other way.
//!
//! Only when every forward order has ended and its fills are booked is anything traded back. Buys are undone first, since that
//! frees cash; each leg has its attempts, with a delay between them; a leg that cannot be restored does not stop the others.

use super::Refusal;
use super::advance::{has_waited_too_long, overdue, undo_stage};
use crate::batch::{Batch, Order, OrderState};
use crate::books::Books;
use crate::order::{Attempt, ClientOrderId, Direction, Side, Terms};
use crate::plan::Leg;
use crate::record::{Event, Intent, OrderEvent, Outcome};
use crate::values::Timestamp;

/// What follows next.
pub(super) enum Next {
    /// These records; none means to wait.
    Events(Vec<Event>),
    /// Every leg was tried, and not all could be restored.
    Stuck,
}

/// The next records on the way back.
pub(super) fn next(batch: &Batch, books: &Books, at: Timestamp) -> Result<Next, Refusal> {
    let mut events = overdue(batch, at);
    events.extend(end_forward_orders(batch, at, &events));
    if !events.is_empty() || !has_ended(batch, Direction::Forward) {
        return Ok(Next::Events(events));
    }
    let mut stuck = false;
    for side in [Side::Buy, Side::Sell] {
        let mut orders = Vec::new();
        let mut waiting = false;
        for leg in batch.opening.legs.iter().filter(|leg| leg.terms.side == side) {
            match undo(batch, leg, books, at)? {
                Undo::Done => {}
                Undo::GivenUp => stuck = true,
                Undo::Waiting => waiting = true,
                Undo::Change(event) => events.push(event),
                Undo::Attempt(intent) => orders.push(intent),
            }
        }
        if !orders.is_empty() {
            events.push(Event::Intended { stage: undo_stage(side), orders, dropped: Vec::new(), checks: None });
        }
        if waiting || !events.is_empty() {
            return Ok(Next::Events(events));
        }
    }
    if stuck {
        return Ok(Next::Stuck);
    }
    // Only a damaged journal has an attempt under way beside a later one: it is asked about.
    let events = if has_ended(batch, Direction::Reverse) {
        vec![Event::Settling { outcome: Outcome::Restored }]
    } else {
        events
    };
    Ok(Next::Events(events))
}

/// Cancels what is open, withdraws what is not due yet, and judges what was denied often enough.
fn end_forward_orders(batch: &Batch, at: Timestamp, already: &[Event]) -> Vec<Event> {
    let is_handled =
        |id: ClientOrderId| already.iter().any(|e| matches!(e, Event::Order { order, .. } if *order == id));
    let forward = batch.orders.iter().filter(|(id, _)| id.direction == Direction::Forward && !is_handled(*id));
    let events = forward.filter_map(|(id, order)| {
        let event = match order.state {
            OrderState::Acknowledged | OrderState::Partial => OrderEvent::CancelRequested,
            OrderState::Intent if order.send_at > at => OrderEvent::Withdrawn,
            OrderState::UnknownQuiet => OrderEvent::AssumedNotExecuted,
            OrderState::Intent
            | OrderState::UnknownInFlight { .. }
            | OrderState::CancelRequested { .. }
            | OrderState::NotSent
            | OrderState::Rejected
            | OrderState::Canceled
            | OrderState::Expired
            | OrderState::FailedPartial
            | OrderState::Filled
            | OrderState::AssumedNotExecuted => return None,
        };
        Some(Event::Order { order: id, event })
    });
    events.collect()
}

fn has_ended(batch: &Batch, direction: Direction) -> bool {
    batch.orders.iter().filter(|(id, _)| id.direction == direction).all(|(_, order)| order.state.is_terminal())
}

/// Where the restoration of one leg stands.
enum Undo {
    /// Exactly what was executed has come back.
    Done,
    /// No attempt is left, or what became of the last stays unknown, or more came back than went.
    GivenUp,
    /// An attempt is under way.
    Waiting,
    /// The attempt under way is sent again, or not at all.
    Change(Event),
    /// The next attempt.
    Attempt(Intent),
}

fn undo(batch: &Batch, leg: &Leg, books: &Books, at: Timestamp) -> Result<Undo, Refusal> {
    let last = batch.last_attempt(leg.number, Direction::Reverse);
    if let Some((id, order)) = last.filter(|(_, order)| !order.state.is_terminal()) {
        if has_waited_too_long(order, batch, at) {
            return Ok(Undo::GivenUp);
        }
        // It must be executed, so an order that was denied is sent again, where that cannot make a second one.
        if order.state == OrderState::UnknownQuiet && batch.rules().resend {
            let event = OrderEvent::Resent { deadline: at.plus(batch.rules().order_deadline) };
            return Ok(Undo::Change(Event::Order { order: id, event }));
        }
        // Something of an earlier attempt executed after all: this one would bring back something else than what is left.
        let is_due = order.state != OrderState::Intent || order.send_at <= at;
        if !is_due && batch.unrestored(leg.number) != Ok(order.terms.quantity) {
            return Ok(Undo::Change(Event::Order { order: id, event: OrderEvent::Withdrawn }));
        }
        return Ok(Undo::Waiting);
    }
    let Ok(left) = batch.unrestored(leg.number) else { return Ok(Undo::GivenUp) };
    if left.is_zero() {
        return Ok(Undo::Done);
    }
    let next = match last {
        None => Some(Attempt::FIRST),
        Some((id, _)) => id.attempt.next(),
    };
    let Some(attempt) = next.filter(|next| next.get() <= batch.attempts) else { return Ok(Undo::GivenUp) };
    let side = leg.terms.side.opposite();
    let exit = side == Side::Sell && books.units(leg.terms.symbol) == left;
    let terms = Terms { side, quantity: left, exit, ..leg.terms };
    let send_at = last.map_or(at, |(_, order)| after(order, batch, at));
    let order = ClientOrderId { batch: batch.id, leg: leg.number, direction: Direction::Reverse, attempt };
    Ok(Undo::Attempt(Intent { order, terms, send_at, deadline: send_at.plus(batch.rules().order_deadline) }))
}

/// The delay after a failed attempt, or longer if the broker asked for it.
fn after(failed: &Order, batch: &Batch, at: Timestamp) -> Timestamp {
    at.plus(batch.rules().delay).max(failed.not_before.unwrap_or(at))
}
