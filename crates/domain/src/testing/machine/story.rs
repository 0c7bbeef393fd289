//! Records as a person tells them: one line each, with the seconds since the batch was opened.

use super::{OPENED, short};
use crate::batch::{Order, OrderState, Phase};
use crate::portfolio::{Portfolio, Standing};
use crate::record::{Event, Intent, OrderEvent, Record, Stage};
use crate::values::Timestamp;
use std::fmt::Write;

/// One line for each record.
pub(crate) fn records(records: &[Record]) -> String {
    let lines = records.iter().map(|record| format!("{} {}\n", since(record.at), event(&record.event)));
    lines.map(|line| shorten(&line)).collect()
}

/// Order ids as their short form.
pub(crate) fn shorten(text: &str) -> String {
    let mut parts = text.split("ek1-");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        format!("{text}{}{}", short(format!("ek1-{}", &part[..33]).parse().unwrap()), &part[33..])
    })
}

/// `+5` for five seconds after the opening.
fn since(at: Timestamp) -> String {
    format!("+{}", at.since(OPENED).as_secs_f64())
}

fn event(event: &Event) -> String {
    match event {
        Event::Order { order, event } => format!("{} {}", short(*order), order_event(event)),
        Event::Intended { stage, orders, dropped, .. } => {
            let orders: String = orders.iter().map(intent).collect();
            let dropped: String =
                dropped.iter().map(|skip| format!(", without {}: {}", skip.symbol, skip.reason)).collect();
            format!("intended {}{orders}{dropped}", stage_name(*stage))
        }
        Event::Unwinding { cause } => format!("unwinding: {cause}"),
        Event::Settling { outcome } => format!("settling as {}", outcome.name()),
        Event::Closed(closing) => {
            let mut text = format!("closed {}, cost {}", closing.outcome.name(), closing.cost);
            if !closing.fees.is_zero() {
                write!(text, " with fees of {}", closing.fees).unwrap();
            }
            closing.residual.iter().for_each(|residual| write!(text, ", {residual}").unwrap());
            closing.unresolved.iter().for_each(|order| write!(text, ", {} unresolved", short(*order)).unwrap());
            if let Some(pause) = closing.pause {
                write!(text, ", pause until {}", since(pause.until)).unwrap();
            }
            if let Some(cause) = &closing.cause {
                write!(text, "; {cause}").unwrap();
            }
            text
        }
        Event::Opened(opening) => format!("opened, {} legs", opening.legs.len()),
        Event::TakenOver { token, owner, quiet_at } => {
            format!("taken over by {owner} with {token}, quiet at {}", since(*quiet_at))
        }
        Event::LateFill { fill, booked } => {
            let order = fill.order.map(short).unwrap_or_default();
            format!("{order} late fill {} {} for {booked}", fill.fill.quantity, fill.symbol)
        }
        Event::Quarantined { differences } => {
            format!("quarantined: {}", differences.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        }
        Event::Released => "released".to_owned(),
        Event::Resolved { how, who, why, books } => format!("resolved ({how:?}) by {who}: {why}; cash {}", books.cash),
        Event::Retried { who, why, attempts } => format!("retried by {who}: {why}; up to {attempts} attempts"),
        Event::Added { .. } => "added".to_owned(),
        Event::Changed { .. } => "changed".to_owned(),
        Event::Removed => "removed".to_owned(),
        Event::CashMoved { movement, kind, amount } => format!("{kind:?} {movement} of {amount}"),
        Event::Folded(_) => "folded".to_owned(),
    }
}

fn intent(intent: &Intent) -> String {
    let Intent { order, terms, send_at, deadline } = intent;
    let exit = if terms.exit { "all " } else { "" };
    let times = format!("{}..{}", since(*send_at), since(*deadline));
    format!(", {} {} {exit}{} {} {times}", short(*order), terms.side, terms.quantity, terms.symbol)
}

/// What became of an order, without the order.
pub(crate) fn order_event(event: &OrderEvent) -> String {
    match event {
        OrderEvent::Acknowledged => "acknowledged".to_owned(),
        OrderEvent::Refused(_) => "refused".to_owned(),
        OrderEvent::NotSent(_) => "not sent".to_owned(),
        OrderEvent::Withdrawn => "withdrawn".to_owned(),
        OrderEvent::Unknown { quiet_at, .. } => format!("unknown, quiet at {}", since(*quiet_at)),
        OrderEvent::NotFound => "not found".to_owned(),
        OrderEvent::Resent { deadline } => format!("resent, deadline {}", since(*deadline)),
        OrderEvent::AssumedNotExecuted => "assumed not executed".to_owned(),
        OrderEvent::Filled { fill, booked } => format!("filled {} for {booked}", fill.quantity),
        OrderEvent::CancelRequested => "cancel requested".to_owned(),
        OrderEvent::Ended(how) => format!("ended {how:?}").to_lowercase(),
    }
}

fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::First => "first",
        Stage::Second => "second",
        Stage::UndoBuys => "undo buys",
        Stage::UndoSells => "undo sells",
    }
}

/// Where an order stands, in the words of table A, with what it executed.
pub(crate) fn order(order: &Order) -> String {
    let state = match order.state {
        OrderState::UnknownInFlight { quiet_at } => format!("in flight until {}", since(quiet_at)),
        OrderState::UnknownQuiet => "quiet".to_owned(),
        OrderState::CancelRequested { since: at } => format!("cancel requested {}", since(at)),
        OrderState::Intent if order.unknown_since.is_some() => "intended again".to_owned(),
        other => other.name().to_owned(),
    };
    if order.filled.is_zero() { state } else { format!("{state} {}", order.filled) }
}

/// Where a portfolio and its open batch stand, in one line.
pub(crate) fn state(portfolio: &Portfolio) -> String {
    let mut text = match &portfolio.standing {
        Standing::Quarantined { differences } if differences.is_empty() => "quarantined, not compared".to_owned(),
        standing => standing.name().to_owned(),
    };
    if let Some(batch) = &portfolio.batch {
        write!(text, ", {}", phase(batch.phase)).unwrap();
        batch.orders.iter().for_each(|(id, at)| write!(text, "; {} {}", short(id), order(at)).unwrap());
    }
    text
}

fn phase(phase: Phase) -> String {
    match phase {
        Phase::Planned => "planned".to_owned(),
        Phase::Forward(stage) => format!("forward {}", stage_name(stage)),
        Phase::Unwinding => "unwinding".to_owned(),
        Phase::Compensating(stage) => format!("compensating, {}", stage_name(stage)),
        Phase::Settling { outcome, since: at } => format!("settling as {} {}", outcome.name(), since(at)),
        Phase::Closed => "closed".to_owned(),
    }
}
