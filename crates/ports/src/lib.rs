//! What the core of Evenkeel needs from the world: traits, their contracts, and the encoding of journal records.
//!
//! Each trait's page is its contract: what the caller may rely on, what each error proves, what happens when a future is dropped, and what
//! is *not* promised. The traits are object safe and have no default bodies: what an adapter does not do, it must say.
//!
//! | port | the engine uses it to | adapters here |
//! |---|---|---|
//! | [`Broker`] | trade, and learn what was executed | `evenkeel-banchile` (simulated) |
//! | [`LeaseStore`] | keep workers out of each other's way | `evenkeel-memory`, `evenkeel-sqlite` |
//! | [`Journal`] | remember every choice before acting on it; hold alerts until they are delivered | `evenkeel-memory`, `evenkeel-sqlite` |
//! | [`Clock`] | read time and wait | `evenkeel-memory` (by hand), the app (system) |
//! | [`PriceSource`] | – (the app feeds prices to the engine) | `evenkeel-market` |
//! | [`Notifier`] | tell a person | `evenkeel-memory`, the app |
//! | [`Observer`] | let others watch | yours |
//!
//! What a contract says, `evenkeel-conformance` tests: one macro call per adapter. A case names the number of the promise it is about.
//!
//! The feature `mock` adds a mockall mock of every port.

#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::wildcard_enum_match_arm,
        reason = "a test may panic, and says what it expects of the rest; without `test` the same code is held to all lints"
    )
)]

mod broker;
mod clock;
pub mod codec;
mod journal;
mod lease;
mod notifier;
mod observer;
mod prices;

pub use broker::{AccountView, Broker, BrokerError, FillPage, OrderPage, Position};
pub use clock::Clock;
pub use journal::{Commit, CommitOutcome, Entry, Head, Journal, JournalError};
pub use lease::{AcquireError, HoldError, Lease, LeaseStore, LeaseTerms};
pub use notifier::{Notifier, NotifyError};
pub use observer::{EngineEvent, NullObserver, Observer};
pub use prices::{PriceSource, PriceSourceError, Wave};

#[cfg(feature = "mock")]
pub use {
    broker::MockBroker, clock::MockClock, journal::MockJournal, lease::MockLeaseStore, notifier::MockNotifier,
    observer::MockObserver, prices::MockPriceSource,
};
