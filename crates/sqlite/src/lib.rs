//! Journal with outbox, lease store and projections in one SQLite file.
//!
//! | to see | look in |
//! |---|---|
//! | what the engine is given | [`SqliteStore`], `store.rs` |
//! | how a file is opened, and when it is refused | [`OpenError`], `open.rs` |
//! | what the tables are | `migrations/0001_store.sql` |
//! | how commits share a transaction | `writer.rs` |
//! | how a commit is judged, and what is written with it | `commit.rs` |
//! | what is halted | `halts.rs` |
//! | who holds a lease | `leases.rs`, `process.rs` |
//! | what an operator looks at without the engine | [`StoreReader`] |
//! | how damage is found | `chain.rs`, [`StoreReader::verify`] |
//!
//! **Durable**: a commit that is answered as committed was synced to the disk (WAL, `synchronous=FULL`), and survives a crash of the process, of the
//! system, and a loss of power, as far as the disk keeps what it says it has written.
//!
//! **Several processes** may write one store. They take turns by transaction; the fence and the leases keep them out of each other's way.
//! Beside `FILE` are `FILE-wal` and `FILE-shm`, which belong to it (a copy of the file alone, while a process runs, is not a backup), `FILE.lock`, which
//! is held while it is opened, and one `FILE.process-…` per process that runs on it. The file must be on a disk of this machine: SQLite's WAL does not
//! work over a network.
//!
//! **Time**: leases are judged by the clock that the store was opened with. Processes that share a store share the wall clock.
//!
//! It needs no runtime: answers are plain futures, and a thread of its own writes. Where time is virtual, let it answer before it yields
//! ([`Options::blocking`]).
//!
//! ```
//! use evenkeel_banchile::{BanChile, Profile};
//! use evenkeel_engine::{Engine, Ports, Settings};
//! use evenkeel_memory::{ManualClock, MemoryNotifier};
//! use evenkeel_ports::NullObserver;
//! use evenkeel_sqlite::{SqliteStore, StoreReader};
//! use std::sync::Arc;
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("evenkeel.db");
//! let clock = ManualClock::new("2026-01-05T15:00:00Z".parse()?); // a service takes the wall clock
//! let clock = Arc::new(clock);
//! let store = Arc::new(SqliteStore::open(&path, clock.clone())?); // a replay: open_with, blocking
//! let ports = Ports {
//!     leases: store.clone(),
//!     journal: store.clone(),
//!     broker: Arc::new(BanChile::new(Profile::calm(), clock.clone(), 7)),
//!     clock: clock.clone(),
//!     notifier: Arc::new(MemoryNotifier::new()),
//!     observer: Arc::new(NullObserver),
//! };
//! let settings = Settings::default().checked().map_err(|errors| format!("{errors:?}"))?;
//! let engine = Engine::new(ports, settings, "worker-1".parse()?);
//! # drop(engine);
//!
//! // Anyone may look, while the engine runs or after it.
//! assert!(StoreReader::open(&path)?.portfolios()?.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::wildcard_enum_match_arm,
        reason = "a test may panic, and says what it expects of the rest; without `test` the same code is held to all lints"
    )
)]

mod chain;
mod commit;
mod error;
mod halts;
mod identity;
mod inspect;
mod leases;
mod migrations;
mod open;
mod opened;
mod process;
mod projection;
mod rows;
mod store;
#[cfg(test)]
mod tests;
mod verify;
mod writer;

pub use error::OpenError;
pub use inspect::{BatchStatus, HaltWord, JournalLine, LeaseStatus, PortfolioStatus, StoreReader};
pub use open::Options;
pub use store::SqliteStore;
pub use verify::{Broken, Newer, Verification};
