//! What a record says, in one line for a person. Nothing here is read by a program: that is the record itself.

use crate::render::count;
use evenkeel_domain::order::{BatchId, ClientOrderId, Direction};
use evenkeel_domain::record::{Closing, Event, Intent, Movement, Opening, OrderEvent, Resolution, Stage};
use std::fmt::Write as _;

/// The record in words.
pub(super) fn tell(event: &Event) -> String {
    match event {
        Event::Added { definition, books } => {
            let holdings = books.holdings().map(|(symbol, units)| format!("{units} {symbol}")).collect::<Vec<_>>();
            let owns = if holdings.is_empty() { String::new() } else { format!(" and {}", holdings.join(", ")) };
            format!("added on the account {} with {} in cash{owns}", definition.account, books.cash)
        }
        Event::Changed { definition } => {
            let targets = definition.allocation.symbols().map(|(symbol, target)| format!("{symbol} {target}"));
            let targets = targets.chain([format!("CASH {}", definition.allocation.cash())]).collect::<Vec<_>>();
            format!("changed: measured as {}; targets {}", definition.policy.measure.name(), targets.join(", "))
        }
        Event::Removed => "removed".to_owned(),
        Event::CashMoved { movement, kind: Movement::Deposit, amount } => format!("deposit of {amount} ({movement})"),
        Event::CashMoved { movement, kind: Movement::Withdrawal, amount } => {
            format!("withdrawal of {amount} ({movement})")
        }
        Event::Quarantined { differences } => {
            let differences = differences.iter().map(ToString::to_string).collect::<Vec<_>>();
            format!("quarantined: {}", differences.join(", "))
        }
        Event::Released => "released from quarantine: books and broker agree".to_owned(),
        Event::LateFill { fill, booked } => {
            let order = fill.order.map(|order| order.to_string()).unwrap_or_default();
            let quantity = fill.fill.quantity;
            format!("late fill of {order}: {} {quantity} {} for {booked}", fill.side, fill.symbol)
        }
        Event::Resolved { how: Resolution::Accept, who, why, books } => {
            format!("resolved by {who}: the broker's positions are the books, {} in cash; {why}", books.cash)
        }
        Event::Resolved { how: Resolution::Fixed, who, why, .. } => {
            format!("resolved by {who}: restored by hand, and the broker confirms it; {why}")
        }
        Event::Retried { who, why, attempts } => {
            format!("restoration tried again by {who}, up to attempt {attempts}: {why}")
        }
        Event::Opened(opening) => opened(opening),
        Event::TakenOver { token, owner, quiet_at } => {
            format!("taken over by {owner} with token {token}; \"not found\" counts from {quiet_at}")
        }
        Event::Intended { stage, orders, dropped, .. } => {
            let orders: Vec<String> = orders.iter().map(intent).collect();
            let dropped = dropped.iter().map(|skip| format!("; without {}: {}", skip.symbol, skip.reason));
            format!("{} intended: {}{}", stage_name(*stage), orders.join(", "), dropped.collect::<String>())
        }
        Event::Order { order, event } => format!("{}: {}", short(*order), order_event(event)),
        Event::Unwinding { cause } => format!("unwinding: {cause}"),
        Event::Settling { outcome } => format!("settling as {}: comparing with the broker", outcome.name()),
        Event::Closed(closing) => closed(closing),
        Event::Folded(state) => format!("everything before, folded: {}", state.standing.name()),
    }
}

fn opened(opening: &Opening) -> String {
    let legs = count(opening.legs.len(), "leg");
    let Opening { batch, measure, drift, .. } = opening;
    let mut text = format!("batch {batch} opened: {legs}, drift {drift} ({measure})");
    for leg in &opening.legs {
        write!(text, "; {} {} {} at {}", leg.terms.side, leg.terms.quantity, leg.terms.symbol, leg.terms.reference)
            .ok();
    }
    text
}

fn closed(closing: &Closing) -> String {
    let mut text = format!("batch closed: {}, cost {}, fees {}", closing.outcome.name(), closing.cost, closing.fees);
    for residual in &closing.residual {
        write!(text, "; {residual}").ok();
    }
    for order in &closing.unresolved {
        write!(text, "; {} unresolved", short(*order)).ok();
    }
    if let Some(cause) = &closing.cause {
        write!(text, "; {cause}").ok();
    }
    if let Some(pause) = closing.pause {
        write!(text, "; left alone until {}", pause.until).ok();
    }
    text
}

fn intent(intent: &Intent) -> String {
    let Intent { order, terms, .. } = intent;
    let all = if terms.exit { "all " } else { "" };
    format!("{} {} {all}{} {}", short(*order), terms.side, terms.quantity, terms.symbol)
}

fn order_event(event: &OrderEvent) -> String {
    match event {
        OrderEvent::Acknowledged => "the broker has it".to_owned(),
        OrderEvent::Refused(refused) => format!("refused: {refused}"),
        OrderEvent::NotSent(why) => format!("not sent: {why}"),
        OrderEvent::Withdrawn => "withdrawn: it never will be sent".to_owned(),
        OrderEvent::Unknown { cause, quiet_at } => {
            format!("outcome unknown: {cause}; \"not found\" counts from {quiet_at}")
        }
        OrderEvent::NotFound => "the broker does not know it".to_owned(),
        OrderEvent::Resent { deadline } => format!("sent again under the same id, until {deadline}"),
        OrderEvent::AssumedNotExecuted => "taken for not executed; still watched".to_owned(),
        OrderEvent::Filled { fill, booked } => {
            format!("filled {} at {} for {booked}, fee {} ({})", fill.quantity, fill.price, fill.fee, fill.id)
        }
        OrderEvent::CancelRequested => "to be canceled".to_owned(),
        OrderEvent::Ended(end) => format!("ended: {}", format!("{end:?}").to_lowercase()),
    }
}

const fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::First => "first stage",
        Stage::Second => "second stage",
        Stage::UndoBuys => "trading buys back",
        Stage::UndoSells => "trading sells back",
    }
}

/// Leg, direction and attempt of an order of the batch that the lines are about: `leg 0 forward 1`.
fn short(order: ClientOrderId) -> String {
    let direction = match order.direction {
        Direction::Forward => "forward",
        Direction::Reverse => "back",
    };
    format!("leg {} {direction} {}", order.leg, order.attempt)
}

/// The order that a record is about, if it is about one.
pub(super) const fn order_of(event: &Event) -> Option<ClientOrderId> {
    match event {
        Event::Order { order, .. } => Some(*order),
        Event::LateFill { fill, .. } => fill.order,
        Event::Added { .. }
        | Event::Changed { .. }
        | Event::Removed
        | Event::CashMoved { .. }
        | Event::Quarantined { .. }
        | Event::Released
        | Event::Resolved { .. }
        | Event::Retried { .. }
        | Event::Opened(_)
        | Event::TakenOver { .. }
        | Event::Intended { .. }
        | Event::Unwinding { .. }
        | Event::Settling { .. }
        | Event::Closed(_)
        | Event::Folded(_) => None,
    }
}

/// The batch that a record names, if it names one.
pub(super) fn batch_of(event: &Event) -> Option<BatchId> {
    if let Event::Opened(opening) = event {
        return Some(opening.batch);
    }
    if let Event::Intended { orders, .. } = event {
        return orders.first().map(|intent| intent.order.batch);
    }
    order_of(event).map(|order| order.batch)
}
