//! What kind of record an event is: its name, and whether it opens or closes a batch.

use super::{Event, OrderEvent};

impl Event {
    /// True if a batch is open from this record on: what a store that allows one open batch must look at.
    #[must_use]
    pub const fn opens_batch(&self) -> bool {
        matches!(self, Self::Opened(_) | Self::Retried { .. })
    }

    /// True if the open batch is over with this record.
    #[must_use]
    pub const fn closes_batch(&self) -> bool {
        matches!(self, Self::Closed(_))
    }

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
