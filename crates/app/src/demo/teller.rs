//! Tells what the engine does, in words, from the records it commits. It watches; it has no influence.

use evenkeel_domain::order::Direction;
use evenkeel_domain::record::{Event, OrderEvent, Outcome, Record};
use evenkeel_domain::values::Timestamp;
use evenkeel_ports::{EngineEvent, Observer};
use std::sync::{Mutex, PoisonError};

/// Lines of the story that were not printed yet.
#[derive(Default)]
pub(super) struct Teller(Mutex<Vec<String>>);

impl Teller {
    /// The lines since the last time.
    pub(super) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Observer for Teller {
    fn observe<'a>(&self, _: Timestamp, event: &EngineEvent<'a>) {
        if let EngineEvent::Committed { records, .. } = event {
            let told = records.iter().filter_map(told);
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(told);
        }
    }
}

/// `14:30:00` of a time.
pub(super) fn clock_time(at: Timestamp) -> String {
    let text = at.to_string();
    text.get(11..19).unwrap_or(&text).to_owned()
}

fn told(record: &Record) -> Option<String> {
    let text = match &record.event {
        Event::Opened(opening) => {
            format!("batch opened: {} legs, drift {}, nothing sent yet", opening.legs.len(), opening.drift)
        }
        Event::Intended { orders, .. } => {
            let lines = orders.iter().map(|intent| {
                let (terms, back) = (&intent.terms, intent.order.direction == Direction::Reverse);
                let again = if intent.order.attempt.get() > 1 { " (again)" } else { "" };
                let back = if back { "back: " } else { "" };
                let (side, quantity, symbol, price) = (terms.side, terms.quantity, terms.symbol, terms.reference);
                format!("  {back}{side} {quantity} {symbol} at about {price}{again}")
            });
            return Some(lines.map(|line| format!("{}{line}\n", clock_time(record.at))).collect());
        }
        Event::Order { order, event: OrderEvent::Filled { fill, booked } } => {
            let fee = if fill.fee.is_zero() { String::new() } else { format!(", fee {}", fill.fee) };
            format!("    leg {}: filled {} at {} for {booked}{fee}", order.leg, fill.quantity, fill.price)
        }
        Event::Order { order, event: OrderEvent::Refused(why) } => {
            format!("    leg {}: refused: {}", order.leg, why.reason)
        }
        Event::Unwinding { cause } => format!("unwinding: {cause}"),
        Event::Retried { who, why, .. } => format!("{who} has it tried again: {why}"),
        Event::Closed(closing) => {
            let cost =
                if closing.outcome == Outcome::Completed { String::new() } else { format!(", cost {}", closing.cost) };
            let residual = closing.residual.iter().map(|residual| format!("; {residual}")).collect::<String>();
            format!("batch {}{cost}, fees {}{residual}", closing.outcome.name(), closing.fees)
        }
        Event::Added { .. }
        | Event::Changed { .. }
        | Event::Removed
        | Event::CashMoved { .. }
        | Event::Quarantined { .. }
        | Event::Released
        | Event::LateFill { .. }
        | Event::Resolved { .. }
        | Event::TakenOver { .. }
        | Event::Order { .. }
        | Event::Settling { .. }
        | Event::Folded(_) => return None,
    };
    Some(format!("{}  {text}\n", clock_time(record.at)))
}
