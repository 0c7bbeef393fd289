//! The names of the kinds of records.

use super::{Event, OrderEvent};

impl Event {
    /// The name of its kind, for people who read a journal.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Event::Added { .. } => "added",
            Event::Changed { .. } => "changed",
            Event::Removed => "removed",
            Event::CashMoved { .. } => "cash_moved",
            Event::Quarantined { .. } => "quarantined",
            Event::Released => "released",
            Event::LateFill { .. } => "late_fill",
            Event::Resolved { .. } => "resolved",
            Event::Retried { .. } => "retried",
            Event::Opened(_) => "opened",
            Event::TakenOver { .. } => "taken_over",
            Event::Intended { .. } => "intended",
            Event::Order { event, .. } => match event {
                OrderEvent::Acknowledged => "acknowledged",
                OrderEvent::Refused(_) => "refused",
                OrderEvent::NotSent(_) => "not_sent",
                OrderEvent::Withdrawn => "withdrawn",
                OrderEvent::Unknown { .. } => "unknown",
                OrderEvent::NotFound => "not_found",
                OrderEvent::Resent { .. } => "resent",
                OrderEvent::AssumedNotExecuted => "assumed_not_executed",
                OrderEvent::Filled { .. } => "filled",
                OrderEvent::CancelRequested => "cancel_requested",
                OrderEvent::Ended(_) => "ended",
            },
            Event::Unwinding { .. } => "unwinding",
            Event::Settling { .. } => "settling",
            Event::Closed(_) => "closed",
            Event::Folded(_) => "folded",
        }
    }
}
