//! What a portfolio's row says beside its head: standing and open batch, derived from record after record.
//!
//! The state itself is rebuilt by [`evenkeel_domain::apply`], which this follows for the two things that an operator asks of thousands of
//! portfolios at once, and that the store must know to allow one open batch. It judges nothing else: whether a record fits is not its business.

use evenkeel_domain::portfolio::Standing;
use evenkeel_domain::record::{Event, Outcome};

/// Where a portfolio stands between two records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Projection {
    pub(crate) standing: String,
    /// The batch that was opened last, open or not. Empty if there was none, or none that is known.
    pub(crate) batch: String,
    pub(crate) open: bool,
}

/// What a record does to the batches of a portfolio: first one is closed, then one opened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Batches {
    /// With this outcome.
    pub(crate) closes: Option<&'static str>,
    /// With this id.
    pub(crate) opens: Option<String>,
}

impl Projection {
    /// Before the first record.
    pub(crate) fn new() -> Self {
        Self { standing: Standing::Absent.name().to_owned(), batch: String::new(), open: false }
    }

    /// What `event` does. `None` if it opens a second batch: nothing is changed then.
    pub(crate) fn take(&mut self, event: &Event) -> Option<Batches> {
        let mut batches = Batches::default();
        match event {
            Event::Opened(_) | Event::Retried { .. } if self.open => return None,
            Event::Opened(opening) => batches.opens = Some(opening.batch.to_string()),
            Event::Retried { .. } => batches.opens = Some(self.batch.clone()),
            Event::Closed(closing) => batches.closes = self.open.then_some(closing.outcome.name()),
            // It says everything anew, and so replaces whatever was open.
            Event::Folded(state) => {
                batches.closes = self.open.then_some("folded");
                batches.opens = state.batch.as_ref().map(|batch| batch.id.to_string());
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
            | Event::Intended { .. }
            | Event::Order { .. }
            | Event::Unwinding { .. }
            | Event::Settling { .. } => {}
        }
        if batches.closes.is_some() {
            self.open = false;
        }
        if let Some(id) = &batches.opens {
            (self.open, self.batch) = (true, id.clone());
        }
        if let Some(standing) = self.standing_after(event) {
            self.standing = standing.to_owned();
        }
        Some(batches)
    }

    /// The standing, if the event changes it: the table is that of [`Standing`].
    fn standing_after(&self, event: &Event) -> Option<&'static str> {
        let quarantined = Standing::Quarantined { differences: Vec::new() }.name();
        match event {
            Event::Added { .. } | Event::Released | Event::Resolved { .. } => Some(Standing::Active.name()),
            Event::Removed => Some(Standing::Absent.name()),
            Event::Quarantined { .. } => Some(quarantined),
            // An execution that is no order of ours changes no books.
            Event::LateFill { fill, .. } if fill.order.is_none() => None,
            Event::LateFill { .. } => (self.standing == Standing::Active.name()).then_some(quarantined),
            Event::Opened(_) | Event::Retried { .. } => Some(Standing::Rebalancing.name()),
            Event::Closed(closing) if closing.outcome == Outcome::Stale => Some(Standing::Stale.name()),
            Event::Closed(_) => Some(Standing::Active.name()),
            Event::Folded(state) => Some(state.standing.name()),
            Event::Changed { .. }
            | Event::CashMoved { .. }
            | Event::TakenOver { .. }
            | Event::Intended { .. }
            | Event::Order { .. }
            | Event::Unwinding { .. }
            | Event::Settling { .. } => None,
        }
    }
}
