//! Who is due, the most urgent first: each portfolio once, and never more than there is room for.
//!
//! Whom there is no room for is left out, not lost: the watch still has it, set aside, and is asked again once the queue is empty. Until then
//! nobody comes in who is less urgent than the most urgent of them, so the order of need holds across the edge of the queue too.

use evenkeel_domain::drift::urgency::Urgency;
use evenkeel_domain::values::{PortfolioId, Timestamp};
use std::cmp::Ordering;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

pub(super) struct Queue {
    room: usize,
    by_need: BTreeSet<Due>,
    waiting: BTreeMap<PortfolioId, Waiting>,
    /// How many wait since then: portfolios of one wave came at one time, so these are few.
    by_time: BTreeMap<Timestamp, usize>,
    left_out: Option<LeftOut>,
    /// The most that ever waited at once.
    pub(super) most: usize,
    /// How often somebody was left out.
    pub(super) times_left_out: u64,
}

struct Waiting {
    urgency: Urgency,
    since: Timestamp,
}

/// Those for whom there was no room.
struct LeftOut {
    most_urgent: Due,
    /// Since when the one has waited who has waited longest.
    since: Timestamp,
}

/// A portfolio that is due. The most urgent is the least, as the first in order; equals by id.
#[derive(Clone, PartialEq, Eq)]
struct Due {
    urgency: Urgency,
    portfolio: PortfolioId,
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        other.urgency.cmp(&self.urgency).then_with(|| self.portfolio.cmp(&other.portfolio))
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Queue {
    pub(super) const fn new(room: usize) -> Self {
        Self {
            room,
            by_need: BTreeSet::new(),
            waiting: BTreeMap::new(),
            by_time: BTreeMap::new(),
            left_out: None,
            most: 0,
            times_left_out: 0,
        }
    }

    /// Has a portfolio wait, in the place of its urgency. One that waits already moves there, and has waited since it came.
    pub(super) fn put(&mut self, portfolio: PortfolioId, urgency: Urgency, now: Timestamp) {
        let known = self.waiting.get(&portfolio);
        if known.is_some_and(|known| known.urgency == urgency) {
            return;
        }
        let since = known.map_or(now, |known| known.since);
        self.remove(&portfolio);
        let due = Due { urgency, portfolio };
        if self.left_out.as_ref().is_some_and(|left_out| due > left_out.most_urgent) {
            return self.leave_out(due, since);
        }
        self.waiting.insert(due.portfolio.clone(), Waiting { urgency, since });
        let many = self.by_time.entry(since).or_default();
        *many = many.saturating_add(1);
        self.by_need.insert(due);
        if self.by_need.len() > self.room
            && let Some(last) = self.by_need.pop_last()
        {
            let since = self.forget(&last.portfolio).map_or(now, |waiting| waiting.since);
            self.leave_out(last, since);
        }
        self.most = self.most.max(self.by_need.len());
    }

    /// The most urgent, which waits no longer, and since when it has waited.
    pub(super) fn take(&mut self) -> Option<(PortfolioId, Timestamp)> {
        let due = self.by_need.pop_first()?;
        let waiting = self.forget(&due.portfolio)?;
        Some((due.portfolio, waiting.since))
    }

    /// True if somebody who waits, or was left out, is more urgent than this.
    pub(super) fn is_surpassed(&self, urgency: &Urgency) -> bool {
        let left_out = self.left_out.as_ref().map(|left_out| &left_out.most_urgent);
        self.by_need.first().into_iter().chain(left_out).any(|due| due.urgency > *urgency)
    }

    /// So many of those who wait, in the order of ids: those after this one, then from the front.
    pub(super) fn after(&self, portfolio: Option<&PortfolioId>, many: usize) -> Vec<PortfolioId> {
        let start = portfolio.map_or(Bound::Unbounded, Bound::Excluded);
        let behind = self.waiting.range::<PortfolioId, _>((start, Bound::Unbounded)).map(|(id, _)| id);
        behind.chain(self.waiting.keys()).take(many.min(self.waiting.len())).cloned().collect()
    }

    pub(super) fn remove(&mut self, portfolio: &PortfolioId) {
        if let Some(Waiting { urgency, .. }) = self.forget(portfolio) {
            self.by_need.remove(&Due { urgency, portfolio: portfolio.clone() });
        }
    }

    /// What was known of one that waits no longer, apart from its place.
    fn forget(&mut self, portfolio: &PortfolioId) -> Option<Waiting> {
        let waiting = self.waiting.remove(portfolio)?;
        if let Entry::Occupied(mut many) = self.by_time.entry(waiting.since) {
            *many.get_mut() = many.get().saturating_sub(1);
            if *many.get() == 0 {
                many.remove();
            }
        }
        Some(waiting)
    }

    /// Since when somebody of those who were left out waits, once there is room for all the room there is. They are forgotten: ask the watch.
    pub(super) fn take_left_out(&mut self) -> Option<Timestamp> {
        if !self.by_need.is_empty() {
            return None;
        }
        self.left_out.take().map(|left_out| left_out.since)
    }

    pub(super) fn len(&self) -> usize {
        self.by_need.len()
    }

    /// True if nobody waits, nor was left out.
    pub(super) fn is_done(&self) -> bool {
        self.by_need.is_empty() && self.left_out.is_none()
    }

    /// Since when the one has waited who has waited longest.
    pub(super) fn oldest(&self) -> Option<Timestamp> {
        let waiting = self.by_time.keys().next().copied();
        waiting.into_iter().chain(self.left_out.iter().map(|left_out| left_out.since)).min()
    }

    fn leave_out(&mut self, due: Due, since: Timestamp) {
        self.times_left_out = self.times_left_out.saturating_add(1);
        self.left_out = Some(match self.left_out.take() {
            None => LeftOut { most_urgent: due, since },
            Some(before) => LeftOut { most_urgent: before.most_urgent.min(due), since: before.since.min(since) },
        });
    }
}
