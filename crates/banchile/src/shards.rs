//! The venues of a broker: one, or several that share its accounts out among them, each behind a lock of its own.
//!
//! An account is always at the same one. What accounts have in common is told to all: prices, halts, hours, outages. Rules count the sends of
//! all together, and an outage that is drawn is counted once; not at all, if another thread has come to the next slot before.

use crate::draws;
use crate::venue::Venue;
use evenkeel_domain::values::{AccountId, Timestamp};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The venues, at least one.
pub(crate) struct Shards {
    /// Plain mutexes: held for the time of a computation, never across an await.
    first: Mutex<Venue>,
    others: Box<[Mutex<Venue>]>,
    /// Held while something is done at all of them, so that two such calls come in the same order everywhere.
    market: Mutex<()>,
    /// The latest time of any call, where there are several: none of them is behind the others.
    latest: AtomicI64,
}

impl Shards {
    /// So many, of which none has an account yet.
    pub(crate) fn new(venue: Venue, count: NonZeroUsize) -> Self {
        let others = (1..count.get()).map(|_| Mutex::new(venue.beside())).collect();
        Self { first: Mutex::new(venue), others, market: Mutex::default(), latest: AtomicI64::new(i64::MIN) }
    }

    /// The only one, or the first.
    pub(crate) fn first(&self) -> MutexGuard<'_, Venue> {
        lock(&self.first)
    }

    /// Where an account is.
    pub(crate) fn of(&self, account: &AccountId) -> MutexGuard<'_, Venue> {
        if self.others.is_empty() {
            return self.first();
        }
        let shards = u64::try_from(self.others.len()).unwrap_or(u64::MAX).saturating_add(1);
        let place = draws::spread(account).checked_rem(shards).and_then(|place| usize::try_from(place).ok());
        let other = place.and_then(|place| self.others.get(place.checked_sub(1)?));
        lock(other.unwrap_or(&self.first))
    }

    /// Does something at all of them, one after the other.
    pub(crate) fn all(&self, work: impl FnMut(MutexGuard<'_, Venue>)) {
        let _in_turn = self.market.lock().unwrap_or_else(PoisonError::into_inner);
        [&self.first].into_iter().chain(&self.others).map(lock).for_each(work);
    }

    /// The time of a call that is made by this clock: with several venues, no earlier than any call before.
    pub(crate) fn time(&self, now: Timestamp) -> Timestamp {
        if self.others.is_empty() {
            return now;
        }
        let latest = self.latest.load(Ordering::Relaxed);
        if latest >= now.nanos() {
            return Timestamp::from_nanos(latest);
        }
        Timestamp::from_nanos(self.latest.fetch_max(now.nanos(), Ordering::Relaxed)).max(now)
    }
}

fn lock(venue: &Mutex<Venue>) -> MutexGuard<'_, Venue> {
    venue.lock().unwrap_or_else(PoisonError::into_inner)
}
