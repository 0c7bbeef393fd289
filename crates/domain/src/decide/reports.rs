//! What an answer of the broker makes of an order, and where a late fill is handled.
//!
//! Reports may come late, twice and in any order: what they say once booked is the same. See table A in [`crate::batch`].

use super::{Draft, Refusal, close};
use crate::apply::ApplyError;
use crate::batch::{Batch, Order, OrderState, Phase};
use crate::order::{
    BrokerStatus, CancelAnswer, ClientOrderId, Fill, Lookup, OrderFill, OrderView, SubmitAnswer, UnknownCause,
    booked_amount,
};
use crate::plan::Stages;
use crate::record::{Cause, End, Event, OrderEvent, Stage};
use crate::values::{Money, Overflow};

/// Something learned about an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// What a submission came to.
    Submitted {
        /// The order.
        order: ClientOrderId,
        /// The answer.
        answer: SubmitAnswer,
    },
    /// It was not sent by this worker, and will not be.
    Withheld {
        /// The order.
        order: ClientOrderId,
    },
    /// What the broker says of it.
    Looked {
        /// The order.
        order: ClientOrderId,
        /// The answer.
        lookup: Lookup,
    },
    /// What a request to cancel came to.
    Canceled {
        /// The order.
        order: ClientOrderId,
        /// The answer.
        answer: CancelAnswer,
    },
    /// An execution from the broker's list of fills.
    Fill(OrderFill),
}

impl Report {
    /// The order that it shows as filled completely, if it does.
    fn filled(&self) -> Option<ClientOrderId> {
        let (Self::Submitted { answer: SubmitAnswer::Acknowledged(view), .. }
        | Self::Looked { lookup: Lookup::Found(view), .. }) = self
        else {
            return None;
        };
        (view.status == BrokerStatus::Filled && view.filled == view.quantity).then_some(view.id)
    }
}

/// True if these reports complete the batch: the comparison with the broker is all that follows. A hint, as nothing is booked yet.
#[must_use]
pub fn completes(batch: &Batch, reports: &[Report]) -> bool {
    let is_last = match batch.phase {
        Phase::Forward(stage) => stage == Stage::Second || batch.opening.stages == Stages::Together,
        Phase::Planned | Phase::Unwinding | Phase::Compensating(_) | Phase::Settling { .. } | Phase::Closed => false,
    };
    if !is_last {
        return false;
    }
    let mut filled = Vec::with_capacity(reports.len());
    filled.extend(reports.iter().filter_map(Report::filled));
    filled.sort_unstable();
    // Both in the order of their ids.
    let mut next = filled.iter().peekable();
    let is_done = |(id, order): (ClientOrderId, &Order)| {
        while next.next_if(|filled| **filled < id).is_some() {}
        order.state.is_terminal() || next.peek() == Some(&&id)
    };
    !filled.is_empty() && batch.orders.iter().all(is_done)
}

/// Books what a report says. What follows for the batch is decided afterwards.
pub(super) fn report(draft: &mut Draft<'_>, report: &Report) -> Result<(), Refusal> {
    match report {
        Report::Submitted { order, answer } => submitted(draft, *order, answer),
        Report::Withheld { order } => withheld(draft, *order),
        Report::Looked { order, lookup } => looked(draft, *order, lookup),
        Report::Canceled { order, answer } => match answer {
            CancelAnswer::AlreadyTerminal(view) => seen(draft, *order, view),
            // A taken cancel is not an ended order, and an unknown one is asked about anyway.
            CancelAnswer::Requested
            | CancelAnswer::NoSuchOrder
            | CancelAnswer::NotSent(_)
            | CancelAnswer::Unknown(_) => Ok(()),
        },
        Report::Fill(fill) => fill_from_list(draft, fill),
    }
}

fn submitted(draft: &mut Draft<'_>, id: ClientOrderId, answer: &SubmitAnswer) -> Result<(), Refusal> {
    let Some(order) = known(draft, id) else { return Ok(()) };
    let waiting = order.state == OrderState::Intent || order.state.is_unknown();
    match answer {
        SubmitAnswer::Acknowledged(view) => seen(draft, id, view),
        SubmitAnswer::AlreadyExists if order.state.is_unseen() => draft.order(id, OrderEvent::Acknowledged),
        SubmitAnswer::Refused(why) if waiting => draft.order(id, OrderEvent::Refused(why.clone())),
        // A repetition that was not sent says nothing about the first sending.
        SubmitAnswer::NotSent(_) if order.state == OrderState::Intent && order.unknown_since.is_some() => {
            unknown(draft, id, UnknownCause::Disconnected)
        }
        SubmitAnswer::NotSent(why) if order.state == OrderState::Intent => {
            draft.order(id, OrderEvent::NotSent(why.clone()))
        }
        SubmitAnswer::Unknown(cause) if order.state == OrderState::Intent => unknown(draft, id, cause.clone()),
        SubmitAnswer::AlreadyExists
        | SubmitAnswer::Refused(_)
        | SubmitAnswer::NotSent(_)
        | SubmitAnswer::Unknown(_) => Ok(()),
    }
}

fn withheld(draft: &mut Draft<'_>, id: ClientOrderId) -> Result<(), Refusal> {
    let Some(order) = known(draft, id).filter(|order| order.state == OrderState::Intent) else { return Ok(()) };
    if order.unknown_since.is_some() {
        // A repetition that was withheld says nothing about the first sending.
        unknown(draft, id, UnknownCause::Disconnected)
    } else {
        draft.order(id, OrderEvent::Withdrawn)
    }
}

fn unknown(draft: &mut Draft<'_>, id: ClientOrderId, cause: UnknownCause) -> Result<(), Refusal> {
    let quiet_at = draft.at.plus(draft.batch("reported on")?.rules().quiescence);
    draft.order(id, OrderEvent::Unknown { cause, quiet_at })
}

fn looked(draft: &mut Draft<'_>, id: ClientOrderId, lookup: &Lookup) -> Result<(), Refusal> {
    let Some(order) = known(draft, id) else { return Ok(()) };
    match (lookup, order.state) {
        (Lookup::Found(view), _) => seen(draft, id, view),
        (Lookup::Absent, OrderState::UnknownInFlight { quiet_at }) if draft.at >= quiet_at => {
            draft.order(id, OrderEvent::NotFound)
        }
        // Before it is quiet, or where something else was seen already, "not found" proves nothing.
        (Lookup::Absent | Lookup::Unproven, _) => Ok(()),
    }
}

/// The broker shows the order: book what is new, and end it once all that it says it executed is booked.
fn seen(draft: &mut Draft<'_>, id: ClientOrderId, view: &OrderView) -> Result<(), Refusal> {
    for fill in &view.fills {
        book(draft, id, fill)?;
    }
    // An execution that is new has said as much.
    if known(draft, id).is_some_and(|order| order.state.is_unseen()) {
        draft.order(id, OrderEvent::Acknowledged)?;
    }
    let Some(order) = known(draft, id) else { return Ok(()) };
    if order.state.is_terminal() || order.filled != view.filled {
        return Ok(()); // A terminal status is believed only when its fills are booked.
    }
    let how = match view.status {
        BrokerStatus::Filled => End::Filled,
        BrokerStatus::Canceled => End::Canceled,
        BrokerStatus::Expired => End::Expired,
        BrokerStatus::Rejected => End::Rejected,
        BrokerStatus::Working | BrokerStatus::Unmapped(_) => return Ok(()),
    };
    draft.order(id, OrderEvent::Ended(how))
}

/// A fill from the broker's list: of the open batch, of a closed one (a late fill), or not ours.
fn fill_from_list(draft: &mut Draft<'_>, listed: &OrderFill) -> Result<(), Refusal> {
    let Some(id) = listed.order else { return Ok(()) };
    if known(draft, id).is_some() {
        book(draft, id, &listed.fill)?;
        let Some(order) = known(draft, id) else { return Ok(()) };
        if !order.state.is_terminal() && order.filled >= order.terms.quantity {
            draft.order(id, OrderEvent::Ended(End::Filled))?;
        }
        return Ok(());
    }
    let closed = draft.state.closed_batch(id).and_then(|batch| batch.orders.get(id));
    let Some(order) = closed.filter(|order| !order.fills.contains(&listed.fill.id)) else { return Ok(()) };
    let booked = next_amount(order, &listed.fill).map_err(Refusal::from);
    match booked.and_then(|booked| draft.record(Event::LateFill { fill: listed.clone(), booked })) {
        // It cannot be booked. The next comparison finds the difference, and a person accepts what the broker says.
        Err(Refusal::Overflow(_) | Refusal::Apply(ApplyError::Booking { .. })) => Ok(()),
        other => other,
    }
}

/// Books one fill, unless it is booked already. What cannot be booked is a person's business.
fn book(draft: &mut Draft<'_>, id: ClientOrderId, fill: &Fill) -> Result<(), Refusal> {
    let Some(order) = known(draft, id).filter(|order| !order.fills.contains(&fill.id)) else { return Ok(()) };
    let booked = next_amount(order, fill);
    let event = booked.map(|booked| OrderEvent::Filled { fill: fill.clone(), booked }).map_err(Refusal::from);
    match event.and_then(|event| draft.order(id, event)) {
        Ok(()) => Ok(()),
        Err(why) => {
            let why = if let Refusal::Apply(ApplyError::Booking { source, .. }) = why {
                source.to_string()
            } else {
                why.to_string()
            };
            close::stale(draft, Cause::Unbookable { order: id, why })
        }
    }
}

fn next_amount(order: &Order, fill: &Fill) -> Result<Money, Overflow> {
    booked_amount(order.value, order.value.add(fill.value())?)
}

fn known<'d>(draft: &'d Draft<'_>, id: ClientOrderId) -> Option<&'d Order> {
    draft.state.batch.as_ref().and_then(|batch| batch.orders.get(id))
}
