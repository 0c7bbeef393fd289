//! What a record makes of the orders of a batch, and of the books when one executes.

use super::ApplyError;
use crate::batch::{Batch, BookingError, Order, OrderState, Phase};
use crate::books::Books;
use crate::order::{ClientOrderId, Direction, Fill, NotSent, RefusalReason, Side, UnknownCause};
use crate::plan::Leg;
use crate::record::{End, Intent, OrderEvent, Stage};
use crate::values::{Money, Symbol, Timestamp};

pub(super) fn intend(batch: &mut Batch, stage: Stage, orders: &[Intent]) -> Result<(), ApplyError> {
    let mut ids: Vec<ClientOrderId> = orders.iter().map(|intent| intent.order).collect();
    ids.sort_unstable();
    let twice = ids.windows(2).find_map(|pair| pair.first().filter(|first| pair.last() == Some(first)));
    for intent in orders {
        let problem = if batch.orders.contains(intent.order) || Some(&intent.order) == twice {
            "was intended already"
        } else if intent.order.batch != batch.id {
            "belongs to another batch"
        } else if !batch.leg(intent.order.leg).is_some_and(|leg| fits(intent, leg)) {
            "does not fit its leg"
        } else {
            continue;
        };
        return Err(ApplyError::Order { record: "intended", order: intent.order, problem });
    }
    batch.orders.extend(orders.iter().map(|i| (i.order, Order::new(i.terms, i.send_at, i.deadline))));
    batch.phase = match stage {
        Stage::First | Stage::Second => Phase::Forward(stage),
        Stage::UndoBuys | Stage::UndoSells => Phase::Compensating(stage),
    };
    Ok(())
}

/// Forward it trades what its leg says, in reverse the other way.
fn fits(intent: &Intent, leg: &Leg) -> bool {
    let side = match intent.order.direction {
        Direction::Forward => leg.terms.side,
        Direction::Reverse => leg.terms.side.opposite(),
    };
    intent.terms.symbol == leg.terms.symbol && intent.terms.side == side
}

/// A fill is booked once.
pub(super) fn is_new(order: &Order, record: &'static str, id: ClientOrderId, fill: &Fill) -> Result<(), ApplyError> {
    let problem = "has this fill already";
    if order.fills.contains(&fill.id) { Err(ApplyError::Order { record, order: id, problem }) } else { Ok(()) }
}

/// Whoever worked on the batch before may have sent what was due, and nobody can tell any more.
pub(super) fn lose_sender(batch: &mut Batch, at: Timestamp, quiet_at: Timestamp) {
    let lost = OrderEvent::Unknown { cause: UnknownCause::OwnerLost, quiet_at };
    let may_be_sent = |order: &Order| order.state == OrderState::Intent && order.send_at <= at;
    batch.orders.change(may_be_sent, |order| order_event(order, &lost, at));
}

pub(super) fn order_event(order: &mut Order, event: &OrderEvent, at: Timestamp) {
    match event {
        OrderEvent::Acknowledged => {
            order.state = OrderState::Acknowledged;
            order.unknown_since = None;
            order.note.clear();
        }
        OrderEvent::Refused(why) => {
            order.state = OrderState::Rejected;
            order.note = why.to_string();
            order.unknown_since = None;
            if let RefusalReason::MarketClosed { opens_at } = why.reason {
                order.not_before = Some(opens_at);
            }
        }
        OrderEvent::NotSent(why) => {
            order.state = OrderState::NotSent;
            order.note = why.to_string();
            if let NotSent::RateLimited { retry_after } = why {
                order.not_before = Some(at.plus(*retry_after));
            }
        }
        OrderEvent::Withdrawn => order.state = OrderState::NotSent,
        OrderEvent::Unknown { cause, quiet_at } => {
            order.state = OrderState::UnknownInFlight { quiet_at: *quiet_at };
            // Patience counts from the first time, however often it is sent again.
            order.unknown_since.get_or_insert(at);
            order.note = cause.to_string();
        }
        OrderEvent::NotFound => {
            order.denials = order.denials.saturating_add(1);
            if order.denials >= DENIALS {
                order.state = OrderState::UnknownQuiet;
            }
        }
        OrderEvent::Resent { deadline } => {
            order.state = OrderState::Intent;
            order.send_at = at;
            order.deadline = *deadline;
            order.denials = 0;
        }
        OrderEvent::AssumedNotExecuted => order.state = OrderState::AssumedNotExecuted,
        OrderEvent::CancelRequested => order.state = OrderState::CancelRequested { since: at },
        OrderEvent::Ended(how) => ended(order, *how),
        // Books change with it: `Applying::filled`.
        OrderEvent::Filled { .. } => {}
    }
}

/// "Not found" counts after two answers.
const DENIALS: u8 = 2;

pub(super) fn ended(order: &mut Order, how: End) {
    let (nothing_executed, note) = match how {
        End::Filled => (OrderState::Canceled, ""),
        End::Canceled => (OrderState::Canceled, "canceled"),
        End::Expired => (OrderState::Expired, "expired"),
        End::Rejected => (OrderState::Rejected, "refused after it was acknowledged"),
    };
    order.state = if order.filled >= order.terms.quantity {
        OrderState::Filled
    } else if order.filled.is_zero() {
        nothing_executed
    } else {
        OrderState::FailedPartial
    };
    order.note = note.to_owned();
    order.unknown_since = None;
}

/// Units and cash of one fill, both or neither.
pub(super) fn book(
    books: &mut Books,
    symbol: Symbol,
    side: Side,
    fill: &Fill,
    booked: Money,
) -> Result<(), BookingError> {
    let cash = match side {
        Side::Buy => books.cash.sub(booked)?,
        Side::Sell => books.cash.add(booked)?,
    };
    let cash = cash.sub(fill.fee)?;
    match side {
        Side::Buy => books.add_units(symbol, fill.quantity)?,
        Side::Sell => books.remove_units(symbol, fill.quantity)?,
    }
    books.cash = cash;
    Ok(())
}

pub(super) fn order_mut<'b>(
    batch: &'b mut Batch,
    record: &'static str,
    order: ClientOrderId,
) -> Result<&'b mut Order, ApplyError> {
    let unknown = ApplyError::Order { record, order, problem: "was never intended" };
    batch.orders.get_mut(order).ok_or(unknown)
}
