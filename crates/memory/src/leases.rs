//! Leases in memory. The contract they keep is in [`evenkeel_ports::LeaseStore`]; its numbers are the names of the tests.
//!
//! Nothing happens when a lease ends: there is no timer. Whether it has ended is judged when somebody asks, by the store's clock.

#[cfg(test)]
mod tests;

use crate::lock;
use async_trait::async_trait;
use evenkeel_domain::values::{OwnerId, PortfolioId, Timestamp, Token};
use evenkeel_ports::{AcquireError, Clock, HoldError, Lease, LeaseStore, LeaseTerms};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

/// A lease store in memory, with a clock of its own. Clones are the same store.
///
/// A lease is held from the moment it was granted until just before it ends: at the time that [`AcquireError::Busy`] names as
/// `until`, it can be taken.
#[derive(Clone)]
pub struct MemoryLeases {
    clock: Arc<dyn Clock>,
    slots: Arc<Mutex<BTreeMap<PortfolioId, Slot>>>,
}

/// What is known of one portfolio. It stays when the lease is given back: tokens grow for ever.
#[derive(Debug, Default)]
struct Slot {
    last_token: Token,
    held: Option<Held>,
}

#[derive(Debug)]
struct Held {
    lease: Lease,
    heartbeat_at: Timestamp,
}

impl Held {
    /// When it ends, if it is not renewed.
    fn until(&self) -> Timestamp {
        let Lease { granted_at, terms, .. } = &self.lease;
        granted_at.plus(terms.expiry).min(self.heartbeat_at.plus(terms.heartbeat))
    }

    fn is_of(&self, lease: &Lease) -> bool {
        self.lease.owner == lease.owner && self.lease.token == lease.token
    }
}

impl Slot {
    /// The lease that has not ended at `now`.
    fn live(&mut self, now: Timestamp) -> Option<&mut Held> {
        self.held.as_mut().filter(|held| now < held.until())
    }
}

impl MemoryLeases {
    /// A store without leases, which judges them by `clock`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, slots: Arc::default() }
    }

    /// The lease of `portfolio` that is held now, if one is.
    #[must_use]
    pub fn holder(&self, portfolio: &PortfolioId) -> Option<Lease> {
        let mut slots = lock(&self.slots);
        let now = self.clock.now();
        slots.get_mut(portfolio)?.live(now).map(|held| held.lease.clone())
    }

    /// Does `change` to what `lease` names, if it is held.
    fn with_held(&self, lease: &Lease, change: impl FnOnce(&mut Slot, Timestamp)) -> Result<(), HoldError> {
        let mut slots = lock(&self.slots);
        // Read under the lock, so that the store's decisions are in the order of their times.
        let now = self.clock.now();
        let slot = slots.get_mut(&lease.portfolio);
        let held = slot.and_then(|slot| slot.live(now).is_some_and(|held| held.is_of(lease)).then_some(slot));
        held.map(|slot| change(slot, now)).ok_or_else(|| {
            let Lease { portfolio, owner, token, .. } = lease.clone();
            HoldError::NotHeld { portfolio, owner, token }
        })
    }
}

#[async_trait]
impl LeaseStore for MemoryLeases {
    async fn acquire(
        &self,
        portfolio: &PortfolioId,
        owner: &OwnerId,
        terms: LeaseTerms,
    ) -> Result<Lease, AcquireError> {
        let mut slots = lock(&self.slots);
        let granted_at = self.clock.now();
        let slot = slots.entry(portfolio.clone()).or_default();
        if let Some(held) = slot.live(granted_at) {
            let (holder, until) = (held.lease.owner.clone(), held.until());
            return Err(AcquireError::Busy { portfolio: portfolio.clone(), holder, until });
        }
        let unavailable = |message| AcquireError::Unavailable { portfolio: portfolio.clone(), message };
        let token = slot.last_token.next().map_err(|e| unavailable(e.to_string()))?;
        let lease = Lease { portfolio: portfolio.clone(), owner: owner.clone(), token, granted_at, terms };
        slot.last_token = token;
        slot.held = Some(Held { lease: lease.clone(), heartbeat_at: granted_at });
        Ok(lease)
    }

    async fn renew(&self, lease: &Lease) -> Result<(), HoldError> {
        self.with_held(lease, |slot, now| {
            if let Some(held) = &mut slot.held {
                held.heartbeat_at = now;
            }
        })
    }

    async fn release(&self, lease: &Lease) -> Result<(), HoldError> {
        self.with_held(lease, |slot, _| slot.held = None)
    }
}

impl fmt::Debug for MemoryLeases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryLeases").field("slots", &*lock(&self.slots)).finish_non_exhaustive()
    }
}
