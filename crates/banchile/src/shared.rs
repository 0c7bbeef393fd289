//! What clones of a broker share, and how a call gets to the venue of its account: brought to the clock's time first.

use crate::BanChile;
use crate::calls::{Call, Keeper, Unkept};
use crate::gate::Gate;
use crate::profile::Profile;
use crate::shards::Shards;
use crate::venue::Venue;
use evenkeel_domain::order::Capabilities;
use evenkeel_domain::values::AccountId;
use evenkeel_ports::Clock;
use std::sync::{Arc, MutexGuard};

pub(crate) struct Shared {
    pub(crate) profile: Arc<Profile>,
    pub(crate) capabilities: Arc<Capabilities>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) gate: Gate,
    pub(crate) keeper: Option<Box<dyn Keeper>>,
    pub(crate) shards: Shards,
}

impl BanChile {
    /// Brings the venue of an account to the clock's time, and does something there.
    pub(crate) fn with<T>(&self, account: &AccountId, work: impl FnOnce(&mut Venue) -> T) -> T {
        self.now_at(self.shared.shards.of(account), work)
    }

    /// Does something at every venue, one after the other.
    pub(crate) fn everywhere(&self, mut work: impl FnMut(&mut Venue)) {
        self.shared.shards.all(|venue| self.now_at(venue, &mut work));
    }

    /// Does something at this venue.
    pub(crate) fn now_at<T>(&self, mut venue: MutexGuard<'_, Venue>, work: impl FnOnce(&mut Venue) -> T) -> T {
        // Read under the lock, so that time never goes back between two calls.
        let now = self.shared.shards.time(self.shared.clock.now());
        if let Some(keeper) = &self.shared.keeper {
            // A log that cannot be read hides what others did; whatever is done here is refused by it.
            drop(keeper.catch_up(&mut venue, now));
        }
        venue.advance(now);
        work(&mut venue)
    }

    /// Something that changes an account, kept before it has an effect.
    pub(crate) fn change<T>(
        &self,
        account: &AccountId,
        call: impl FnOnce() -> Call,
        work: impl FnOnce(&mut Venue) -> T,
    ) -> Result<T, Unkept> {
        self.kept_at(self.shared.shards.of(account), call, work)
    }

    /// Changes something at this venue.
    pub(crate) fn kept_at<T>(
        &self,
        mut venue: MutexGuard<'_, Venue>,
        call: impl FnOnce() -> Call,
        work: impl FnOnce(&mut Venue) -> T,
    ) -> Result<T, Unkept> {
        let now = self.shared.shards.time(self.shared.clock.now());
        let at = match &self.shared.keeper {
            None => now,
            Some(keeper) => keeper.keep(&mut venue, now, &call())?,
        };
        venue.advance(at);
        Ok(work(&mut venue))
    }
}
