//! Lease store, journal, notifier and clocks in memory: real behaviour, nothing durable.
//!
//! These are adapters, not mocks: each keeps the whole contract of its port. What they do not do is survive the process. The
//! replay runs on them, and so do the tests of everything else.
//!
//! | to see | look in |
//! |---|---|
//! | time that is moved by hand, and how to run a future on it | [`ManualClock`] |
//! | who may rebalance a portfolio | [`MemoryLeases`] |
//! | what was decided, and the alerts that belong to it | [`MemoryJournal`] |
//! | what a person was told | [`MemoryNotifier`] |
//!
//! Each of them is a handle: clones share one clock, one store, one person. A worker that ends and one that starts afterwards
//! are two users of clones.
//!
//! ```
//! use evenkeel_domain::values::Timestamp;
//! use evenkeel_memory::{ManualClock, MemoryLeases};
//! use evenkeel_ports::{AcquireError, Clock, LeaseStore, LeaseTerms};
//! use std::sync::Arc;
//!
//! let start: Timestamp = "2026-01-31T14:30:00Z".parse()?;
//! let clock = ManualClock::new(start);
//! let leases = MemoryLeases::new(Arc::new(clock.clone()));
//! let (growth, alice, bob) = ("growth".parse()?, "alice".parse()?, "bob".parse()?);
//!
//! // An hour passes in no time: nothing else can run, so time moves to the earliest sleep.
//! let (first, second, third) = clock.run(async {
//!     let first = leases.acquire(&growth, &alice, LeaseTerms::default()).await;
//!     let second = leases.acquire(&growth, &bob, LeaseTerms::default()).await;
//!     clock.sleep_until("2026-01-31T15:30:00Z".parse().unwrap()).await;
//!     let third = leases.acquire(&growth, &bob, LeaseTerms::default()).await;
//!     (first, second, third)
//! })?;
//!
//! assert!(first.is_ok());
//! assert!(matches!(second, Err(AcquireError::Busy { .. })));
//! assert!(third?.token > first?.token); // alice gave no sign of life for 60 seconds
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod clock;
mod journal;
mod leases;
mod notifier;
#[cfg(test)]
mod testing;

pub use clock::{ManualClock, Stuck};
pub use journal::{MemoryJournal, Retention};
pub use leases::MemoryLeases;
pub use notifier::MemoryNotifier;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, whatever became of a thread that held the lock before: no state here is ever left half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
