//! What a person may do with a portfolio that is blocked. Nothing else ever leaves the stale state, no timer above all.

use super::{Draft, Refusal};
use crate::batch::Batch;
use crate::books::Books;
use crate::order::{Attempt, Direction};
use crate::plan::Leg;
use crate::portfolio::{Standing, compare_units};
use crate::record::{Event, Resolution};

/// A person's decision, with a name and a reason.
#[derive(Debug, Clone)]
pub struct ResolveRequest<'a> {
    /// What to do.
    pub action: ResolveAction<'a>,
    /// Who decides.
    pub who: String,
    /// Why.
    pub why: String,
}

/// What a person decides.
#[derive(Debug, Clone)]
pub enum ResolveAction<'a> {
    /// The broker's positions and cash become the books. Stale or quarantined.
    Accept {
        /// What the broker says.
        broker: &'a Books,
    },
    /// The units of before the stale batch were restored by hand; the broker must confirm it to the last unit. Its cash becomes the books'.
    Fixed {
        /// What the broker says.
        broker: &'a Books,
    },
    /// The restoration of the stale batch is tried again, with as many further attempts as its rules allow, up to 9 in all.
    Retry,
}

pub(super) fn resolve(draft: &mut Draft<'_>, request: ResolveRequest<'_>) -> Result<(), Refusal> {
    draft.definition()?;
    let ResolveRequest { action, who, why } = request;
    let stale = draft.state.standing == Standing::Stale;
    let quarantined = matches!(draft.state.standing, Standing::Quarantined { .. });
    let nothing = Refusal::NothingToResolve { standing: draft.state.standing.name() };
    match action {
        ResolveAction::Accept { broker } if stale || quarantined => {
            draft.record(Event::Resolved { how: Resolution::Accept, who, why, books: broker.clone() })
        }
        ResolveAction::Fixed { .. } | ResolveAction::Retry if draft.state.has_lost_batches() => {
            Err(Refusal::JournalLacksBatches)
        }
        ResolveAction::Fixed { broker } if stale => {
            let before = draft.state.stale_batch().ok_or(nothing)?.before.clone();
            let differences = compare_units(&before, broker);
            if !differences.is_empty() {
                return Err(Refusal::Differs { differences });
            }
            draft.record(Event::Resolved { how: Resolution::Fixed, who, why, books: broker.clone() })
        }
        ResolveAction::Retry if stale => {
            let batch = draft.state.stale_batch().ok_or(nothing)?;
            let attempts = batch.attempts.saturating_add(batch.rules().attempts).min(Attempt::LAST.get());
            let undecided = batch.orders.values().any(|order| !order.state.is_terminal());
            if !undecided
                && !batch.residual()?.is_empty()
                && !batch.opening.legs.iter().any(|leg| can_be_tried(batch, leg))
            {
                return Err(Refusal::NoAttemptsLeft);
            }
            draft.record(Event::Retried { who, why, attempts })
        }
        ResolveAction::Accept { .. } | ResolveAction::Fixed { .. } | ResolveAction::Retry => Err(nothing),
    }
}

/// True if something of this leg is still to come back, and an attempt is left for it.
fn can_be_tried(batch: &Batch, leg: &Leg) -> bool {
    let left = batch.unrestored(leg.number).is_ok_and(|left| !left.is_zero());
    let last = batch.last_attempt(leg.number, Direction::Reverse);
    left && last.is_none_or(|(id, _)| id.attempt < Attempt::LAST)
}
