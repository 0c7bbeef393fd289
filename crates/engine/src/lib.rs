//! The use cases of Evenkeel: rebalance, recover, resolve. Drives the domain through the ports.
//!
//! The engine decides nothing: every choice is made by [`evenkeel_domain::decide`], committed to the journal, applied, and only then acted
//! on. What the engine adds is the order of things: lease, snapshot, plan, journal, stages, settling, release.
//!
//! ```text
//! price ──> drift ──> lease ──> plan ──> batch ──> settle
//! on_wave.rs         └──────── rebalance.rs ───────────┘      read these two first
//! dispatch.rs: the same for many portfolios, with waves while batches run
//!                     session.rs: the lease and the journal
//!                     snapshot.rs: what the broker says
//!                     drive.rs: effects out, reports in, until the batch is over
//! ```
//!
//! | a person or a program wants to | method |
//! |---|---|
//! | tell the engine prices, and learn who is out of band | [`Engine::on_wave`] |
//! | have many portfolios watched, and whoever needs it brought back, the most urgent first | [`Dispatcher`] |
//! | bring a portfolio back | [`Engine::rebalance`], [`Engine::rebalance_now`] |
//! | see what would be done | [`Engine::preview`] |
//! | know what the journal knows | [`Engine::load_all`], [`Engine::load_one`] |
//! | finish what a crash left open | [`Engine::recover`] |
//! | compare books and broker | [`Engine::reconcile`] |
//! | have both done at the start and from time to time, for every portfolio | [`Engine::make_rounds`] |
//! | resolve a stale or quarantined portfolio | [`Engine::resolve`] |
//! | unwind an open batch | [`Engine::abort`] |
//! | see and accept prices that jumped | [`Engine::doubtful_prices`], [`Engine::accept_price`] |
//! | have nothing sent, for everything, a portfolio or a symbol | [`Engine::halt`], [`Engine::release`] |
//! | record cash that came or went | [`Engine::deposit`], [`Engine::withdraw`] |
//! | add, change or remove a portfolio | [`Engine::add`], [`Engine::change`], [`Engine::remove`] |
//! | tell people what the journal's outbox holds | [`Engine::deliver_alerts`] |
//! | stop | [`Engine::shut_down`] |
//!
//! It needs no runtime: futures are plain, waiting is the clock port's, concurrency stays inside the future that a call returns. Dropping that
//! future is the same as a crash, and as safe. The same inputs in the same order give the same journal.
//!
//! # Threads
//!
//! The engine has none. Every future can be sent, so a service spawns them on a runtime of as many threads as it likes: calls for different portfolios do
//! not wait for one another, as far as its adapters let them. A run of a [`Dispatcher`] drives all its batches on one thread at a time; several
//! runs of one dispatcher share who is due. `examples/threads.rs` shows that on plain threads.
//!
//! # A service
//!
//! One that lives on prices gives them to a [`Dispatcher`], which judges them with the fast index of [`evenkeel_watch`] and does the rest:
//!
//! ```
//! # use evenkeel_banchile::{BanChile, Profile};
//! # use evenkeel_domain::allocation::TargetAllocation;
//! # use evenkeel_domain::books::{Books, Definition};
//! # use evenkeel_domain::policy::Policy;
//! # use evenkeel_domain::values::{PortfolioId, StoreId, Timestamp};
//! # use evenkeel_engine::{Dispatched, Dispatcher, DispatcherSettings, Engine, Ports, Rebalanced, RoundSettings, Seen, Settings};
//! # use evenkeel_memory::{ManualClock, MemoryJournal, MemoryLeases, MemoryNotifier};
//! # use evenkeel_ports::{Clock, NullObserver};
//! # use futures_util::future::join3;
//! # use std::sync::Arc;
//! # use std::time::Duration;
//! # let clock = ManualClock::new(Timestamp::EPOCH);
//! # let time = Arc::new(clock.clone());
//! # let broker = Arc::new(BanChile::new(Profile::ideal(), time.clone(), 1));
//! # let ports = Ports {
//! #     broker: broker.clone(),
//! #     leases: Arc::new(MemoryLeases::new(time.clone())),
//! #     journal: Arc::new(MemoryJournal::new(StoreId::new(1))),
//! #     clock: time,
//! #     notifier: Arc::new(MemoryNotifier::new()),
//! #     observer: Arc::new(NullObserver),
//! # };
//! # let growth: PortfolioId = "growth".parse()?;
//! # let allocation = TargetAllocation::parse([("META", "50"), ("CASH", "50")])?;
//! # let (currency, policy) = ("USD".parse()?, Policy::default());
//! # let definition = Definition { account: "growth".parse()?, currency, allocation, policy };
//! # let books = Books::new("1000.00".parse()?, [("META".parse()?, "10".parse()?)]);
//! # broker.open_account(&definition.account, currency, books.cash, books.holdings())?;
//! let engine = Arc::new(Engine::new(ports, Settings::default(), "worker-1".parse()?));
//! # clock.run(engine.add(&growth, definition, books))??;
//! # clock.run(async {
//! engine.load_all().await?;
//!
//! // A service spawns this, which ends when the engine is stopped: what a crash left open is finished, and books and broker are compared; now,
//! // and from time to time.
//! let rounds = engine.make_rounds(RoundSettings::default(), |seen| match seen {
//!     Seen::Ended(round) => assert_eq!((round.agree, round.differ), (1, 0)),
//!     other => println!("{other:?}"), // what a batch came to, or where books and broker differ
//! });
//!
//! let dispatcher = Dispatcher::new(engine.clone(), DispatcherSettings::default());
//!
//! // Prices come at any time; this waits for nothing.
//! let wave = [("META".parse()?, "120".parse()?)];
//! # broker.set_prices(wave);
//! dispatcher.wave(Timestamp::EPOCH, &wave);
//! assert_eq!(dispatcher.backlog().prices, 1);
//!
//! // And this, which ends when the engine is stopped too.
//! let mut rebalanced = 0;
//! let batches = dispatcher.run(|done| match done {
//!     Dispatched::Ended { result: Ok(Rebalanced::Batch(_)), .. } => rebalanced += 1,
//!     other => println!("{other:?}"), // halted, busy, stale, not judged: each with its reason
//! });
//!
//! // When the service is told to end:
//! let stop = async {
//! #   clock.sleep_until(clock.now().plus(Duration::from_secs(60))).await;
//!     let stopped = engine.shut_down(Duration::from_secs(10)).await;
//!     assert!(stopped.unfinished.is_empty());
//! };
//! join3(rounds, batches, stop).await;
//! assert_eq!(rebalanced, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })??;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bell;
mod board;
mod dispatch;
mod drive;
mod error;
mod halt;
mod manage;
mod on_wave;
mod rebalance;
mod reconcile;
mod recover;
mod resolve;
mod rounds;
mod session;
mod settings;
mod signals;
mod snapshot;
mod stop;

pub use dispatch::{Backlog, Dispatched, Dispatcher, DispatcherSettings};
pub use error::EngineError;
pub use on_wave::Finding;
pub use rebalance::Rebalanced;
pub use reconcile::Reconciled;
pub use recover::{Loaded, Recovered};
pub use resolve::Resolve;
pub use rounds::{Round, RoundSettings, Seen};
pub use settings::{Settings, SettingsError};
pub use stop::Stopped;

use board::Board;
use evenkeel_domain::values::OwnerId;
use evenkeel_ports::{Broker, Clock, Journal, LeaseStore, Notifier, Observer};
use signals::Signals;
use std::sync::Arc;

/// What the engine needs from the world.
#[derive(Clone)]
pub struct Ports {
    /// Where orders go.
    pub broker: Arc<dyn Broker>,
    /// Who may rebalance.
    pub leases: Arc<dyn LeaseStore>,
    /// What is remembered.
    pub journal: Arc<dyn Journal>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// How people are told.
    pub notifier: Arc<dyn Notifier>,
    /// Who watches.
    pub observer: Arc<dyn Observer>,
}

/// The rebalancer.
///
/// Share it in an `Arc`; every method may be called at once from many tasks. Calls for one portfolio exclude each other by its
/// lease: the second is refused as busy.
pub struct Engine {
    ports: Ports,
    settings: Settings,
    owner: OwnerId,
    board: Board,
    signals: Signals,
}

impl Engine {
    /// An engine over these ports. Settings that come from outside go through [`Settings::checked`] first: with impossible ones every
    /// rebalance is refused. `owner` names this worker: unique among all that share the lease store.
    #[must_use]
    pub fn new(ports: Ports, settings: Settings, owner: OwnerId) -> Self {
        Self { ports, settings, owner, board: Board::default(), signals: Signals::default() }
    }

    /// The settings it works under.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}

#[cfg(test)]
mod tests;
