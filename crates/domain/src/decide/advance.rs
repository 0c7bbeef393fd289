//! How a batch moves on by itself: forward stage by stage, or back, until it is over or must wait.
//!
//! Each turn looks at the state as it has become and names the records that follow; when none do, the batch waits for the
//! broker, for time, or for a comparison. What is waited for is in [`crate::due`].

use super::{Draft, Hold, Refusal, close, compensate};
use crate::batch::{Batch, Order, OrderState, Phase};
use crate::limits::{Checks, checks};
use crate::order::{ClientOrderId, Direction, Side, UnknownCause};
use crate::plan::fund::{self, Buy, Funding};
use crate::plan::{Leg, Skip, Stages};
use crate::portfolio::Portfolio;
use crate::record::{Cause, Event, Intent, OrderEvent, Outcome, Stage, UnwindCause};
use crate::values::{Overflow, Quantity, Timestamp};

/// Far more turns than a batch takes, however large: see [`advance`].
const TURNS: usize = 1_000;

/// Moves the batch on until it must wait, or until only what is held back would follow.
pub(super) fn advance(draft: &mut Draft<'_>, hold: Hold) -> Result<(), Refusal> {
    // Every turn ends orders, begins a stage or closes the batch, so there are only so many.
    for _ in 0..TURNS {
        let Some(batch) = &draft.state.batch else { return Ok(()) };
        let mut events = if let Some(cause) = out_of_patience(batch, draft.at) {
            return close::stale(draft, cause);
        } else {
            match batch.phase {
                Phase::Planned | Phase::Closed => Vec::new(),
                Phase::Forward(stage) => forward(&draft.state, batch, stage, draft.at, hold)?,
                Phase::Unwinding | Phase::Compensating(_) => {
                    match compensate::next(batch, &draft.state.books, draft.at)? {
                        compensate::Next::Events(events) => events,
                        compensate::Next::Stuck => {
                            let cause = batch.unwinding.clone().unwrap_or(UnwindCause::LateFill);
                            let cause =
                                unknown_for_too_long(batch, |_| true, draft.at).unwrap_or(Cause::Unwound(cause));
                            return close::stale(draft, cause);
                        }
                    }
                }
                Phase::Settling { outcome, .. } => unsettled(batch, outcome, draft.at)?,
            }
        };
        if hold == Hold::Orders {
            events.retain(|event| !sends(event));
        }
        if events.is_empty() {
            return Ok(());
        }
        for event in events {
            draft.record(event)?;
        }
    }
    Err(Refusal::Restless)
}

/// True for what has an order sent.
const fn sends(event: &Event) -> bool {
    matches!(event, Event::Intended { .. } | Event::Order { event: OrderEvent::Resent { .. }, .. })
}

/// What the limits were held against when the batch began: what was allowed then goes on.
fn found(portfolio: &Portfolio, batch: &Batch, at: Timestamp) -> Result<Checks, Overflow> {
    checks(portfolio, &batch.opening.legs, batch.opening.facts, at)
}

pub(super) fn intent(batch: &Batch, leg: &Leg, quantity: Quantity, send_at: Timestamp) -> Intent {
    let order = ClientOrderId {
        batch: batch.id,
        leg: leg.number,
        direction: Direction::Forward,
        attempt: crate::order::Attempt::FIRST,
    };
    let terms = crate::order::Terms { quantity, ..leg.terms };
    Intent { order, terms, send_at, deadline: send_at.plus(batch.rules().order_deadline) }
}

fn forward(
    portfolio: &Portfolio,
    batch: &Batch,
    stage: Stage,
    at: Timestamp,
    hold: Hold,
) -> Result<Vec<Event>, Refusal> {
    if let Some(cause) = failure(batch, at) {
        return Ok(vec![Event::Unwinding { cause }]);
    }
    let mut events = overdue(batch, at);
    for (id, order) in &batch.orders {
        if order.state == OrderState::UnknownQuiet {
            // Still wanted, and safe to send again: that resolves it. `failure` has sorted out the rest.
            events.push(Event::Order { order: id, event: OrderEvent::Resent { deadline: order.deadline } });
        }
        if let Some(retry) = unsent(batch, id, order, at) {
            events.push(Event::Intended {
                stage,
                orders: vec![retry],
                dropped: Vec::new(),
                checks: Some(found(portfolio, batch, at)?),
            });
        }
    }
    if !events.is_empty() || !stage_is_filled(batch, stage) {
        return Ok(events);
    }
    match (batch.opening.stages, stage) {
        (Stages::SellsFirst, Stage::First) if hold != Hold::Nothing => Ok(events),
        (Stages::SellsFirst, Stage::First) => Ok(second_stage(portfolio, batch, at)),
        _ => Ok(vec![Event::Settling { outcome: Outcome::Completed }]),
    }
}

/// Why the batch cannot go forward any more, if it cannot.
fn failure(batch: &Batch, at: Timestamp) -> Option<UnwindCause> {
    let last_of_each_leg =
        |id: ClientOrderId| batch.last_attempt(id.leg, Direction::Forward).is_some_and(|(last, _)| last == id);
    batch.orders.iter().find_map(|(id, order)| {
        if order.filled > order.terms.quantity {
            return Some(UnwindCause::Overfilled { order: id });
        }
        if order.state == OrderState::UnknownQuiet && (!batch.rules().resend || at >= order.deadline) {
            return Some(UnwindCause::Lost { order: id });
        }
        let ended_short = order.state.is_terminal() && !order.is_filled_exactly() && last_of_each_leg(id);
        if !ended_short || unsent(batch, id, order, at).is_some() {
            return None;
        }
        let how = if order.note.is_empty() { order.state.name().to_owned() } else { order.note.clone() };
        let (side, symbol) = (order.terms.side, order.terms.symbol);
        Some(UnwindCause::LegFailed { order: id, side, symbol, how })
    })
}

/// The next attempt of an order that provably was not sent, if it has one.
fn unsent(batch: &Batch, id: ClientOrderId, order: &Order, at: Timestamp) -> Option<Intent> {
    if order.state != OrderState::NotSent {
        return None;
    }
    let next = id.attempt.next().filter(|next| next.get() <= batch.rules().attempts)?;
    let order_of_next = ClientOrderId { attempt: next, ..id };
    if batch.orders.contains(order_of_next) {
        return None;
    }
    let send_at = at.plus(batch.rules().delay).max(order.not_before.unwrap_or(at));
    let deadline = send_at.plus(batch.rules().order_deadline);
    Some(Intent { order: order_of_next, terms: order.terms, send_at, deadline })
}

/// Open orders past their deadline are canceled; an intent past it may not be sent any more, and is asked about.
pub(super) fn overdue(batch: &Batch, at: Timestamp) -> Vec<Event> {
    let late = batch.orders.iter().filter(|(_, order)| at >= order.deadline);
    let events = late.filter_map(|(id, order)| {
        let event = if order.state.is_open() {
            OrderEvent::CancelRequested
        } else if order.state == OrderState::Intent {
            OrderEvent::Unknown { cause: UnknownCause::Overdue, quiet_at: at.plus(batch.rules().quiescence) }
        } else {
            return None;
        };
        Some(Event::Order { order: id, event })
    });
    events.collect()
}

fn stage_is_filled(batch: &Batch, stage: Stage) -> bool {
    let was_dropped = |leg: &Leg| batch.dropped.iter().any(|skip| skip.symbol == leg.terms.symbol);
    batch.legs_of(stage).filter(|leg| !was_dropped(leg)).all(|leg| {
        batch.last_attempt(leg.number, Direction::Forward).is_some_and(|(_, order)| order.is_filled_exactly())
    })
}

/// The buys, sized down to the proceeds that were booked.
fn second_stage(portfolio: &Portfolio, batch: &Batch, at: Timestamp) -> Vec<Event> {
    let sized = sized_buys(portfolio, batch).and_then(|sized| Ok((sized, found(portfolio, batch, at)?)));
    match sized {
        Ok(((bought, dropped), checks)) => {
            let orders = bought.into_iter().map(|(leg, quantity)| intent(batch, leg, quantity, at)).collect();
            let checks = Some(checks);
            vec![Event::Intended { stage: Stage::Second, orders, dropped, checks }]
        }
        Err(overflow) => vec![Event::Unwinding { cause: UnwindCause::Sizing { message: overflow.to_string() } }],
    }
}

type SizedBuys<'b> = (Vec<(&'b Leg, Quantity)>, Vec<Skip>);

fn sized_buys<'b>(portfolio: &Portfolio, batch: &'b Batch) -> Result<SizedBuys<'b>, Overflow> {
    let rules = batch.rules();
    let legs: Vec<&Leg> = batch.legs_of(Stage::Second).collect();
    let buys: Vec<Buy> = legs.iter().map(|leg| Buy { terms: leg.terms, lot: leg.lot }).collect();
    let available = portfolio.books.cash.sub(rules.held_back)?;
    let funded = fund::fund(
        &buys,
        Funding { available, costs: rules.costs, collar_bps: rules.collar_bps, minimum: rules.minimum },
    )?;
    // They are in the order of the legs, of which some were dropped.
    let mut bought = funded.bought.iter().peekable();
    let of = |leg: &'b Leg| Some((leg, bought.next_if(|b| b.terms.symbol == leg.terms.symbol)?.terms.quantity));
    let bought = legs.into_iter().filter_map(of);
    let dropped = funded.dropped.into_iter().map(|(symbol, reason)| Skip { symbol, reason });
    Ok((bought.collect(), dropped.collect()))
}

/// A fill can still come while books and broker are compared.
fn unsettled(batch: &Batch, outcome: Outcome, at: Timestamp) -> Result<Vec<Event>, Refusal> {
    let as_expected = match outcome {
        Outcome::Completed => failure(batch, at).is_none(),
        Outcome::Restored | Outcome::Abandoned | Outcome::Stale => batch.residual()?.is_empty(),
    };
    let ended = batch.orders.values().all(|order| order.state.is_terminal());
    if as_expected && ended {
        return Ok(Vec::new());
    }
    Ok(vec![Event::Unwinding { cause: batch.unwinding.clone().unwrap_or(UnwindCause::LateFill) }])
}

/// An outcome that stays unknown, or a cancel without effect, for longer than the rules allow: a person must look. On the way back
/// a reverse order gives up its own leg alone, and the other legs are restored first.
fn out_of_patience(batch: &Batch, at: Timestamp) -> Option<Cause> {
    let is_going_back = matches!(batch.phase, Phase::Unwinding | Phase::Compensating(_));
    unknown_for_too_long(batch, |id| !is_going_back || id.direction == Direction::Forward, at)
}

fn unknown_for_too_long(batch: &Batch, counts: impl Fn(ClientOrderId) -> bool, at: Timestamp) -> Option<Cause> {
    let waited = |(id, order): &(ClientOrderId, &Order)| counts(*id) && has_waited_too_long(order, batch, at);
    match batch.orders.iter().filter(waited).count() {
        0 => None,
        orders => Some(Cause::Unknown { orders }),
    }
}

/// True if its outcome stays unknown, or its cancel without effect, for longer than the rules allow.
pub(super) fn has_waited_too_long(order: &Order, batch: &Batch, at: Timestamp) -> bool {
    let since = match order.state {
        OrderState::CancelRequested { since } => Some(since),
        OrderState::Intent | OrderState::UnknownInFlight { .. } | OrderState::UnknownQuiet => order.unknown_since,
        OrderState::Acknowledged
        | OrderState::Partial
        | OrderState::NotSent
        | OrderState::Rejected
        | OrderState::Canceled
        | OrderState::Expired
        | OrderState::FailedPartial
        | OrderState::Filled
        | OrderState::AssumedNotExecuted => None,
    };
    since.is_some_and(|since| at >= since.plus(batch.rules().patience))
}

/// Buys are undone by selling, sells by buying.
pub(super) const fn undo_stage(side: Side) -> Stage {
    match side {
        Side::Buy => Stage::UndoBuys,
        Side::Sell => Stage::UndoSells,
    }
}
