//! A store that is put back to an earlier state: an old backup, or a file whose write-ahead log is gone. What the broker has executed since
//! is noticed before any order, and no id of what was lost is ever used again.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic, in its helpers too"
)]

use evenkeel_banchile::{BanChile, Fault, Profile, Rule};
use evenkeel_domain::allocation::TargetAllocation;
use evenkeel_domain::books::{Books, Definition};
use evenkeel_domain::policy::Policy;
use evenkeel_domain::values::{AccountId, PortfolioId, Price, Symbol};
use evenkeel_engine::{Engine, EngineError, Ports, Rebalanced, Reconciled, Resolve, Settings};
use evenkeel_memory::{ManualClock, MemoryNotifier};
use evenkeel_ports::{Clock, NullObserver};
use evenkeel_sqlite::{Options, SqliteStore, StoreReader};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A broker that outlives its client's stores.
struct World {
    folder: tempfile::TempDir,
    clock: ManualClock,
    broker: Arc<BanChile>,
}

/// A process on a store.
struct Process {
    engine: Engine,
    store: Arc<SqliteStore>,
    notifier: Arc<MemoryNotifier>,
}

fn growth() -> PortfolioId {
    "growth".parse().unwrap()
}

fn account() -> AccountId {
    "growth".parse().unwrap()
}

impl World {
    /// A portfolio that is half META and half cash, traded once.
    fn new(profile: Profile) -> Self {
        let clock = ManualClock::new("2024-01-02T12:00:00Z".parse().unwrap());
        let broker = Arc::new(BanChile::new(profile, Arc::new(clock.clone()), 1));
        let world = Self { folder: tempfile::tempdir().unwrap(), clock, broker };
        let allocation = TargetAllocation::parse([("META", "50"), ("CASH", "50")]).unwrap();
        let currency = "USD".parse().unwrap();
        let definition = Definition { account: account(), currency, allocation, policy: Policy::default() };
        let books = Books::new("10000.00".parse().unwrap(), []);
        world.broker.open_account(&definition.account, currency, books.cash, []).unwrap();
        let process = world.start(&world.path("store.db"));
        world.run(process.engine.add(&growth(), definition, books)).unwrap();
        assert_eq!(world.rebalance(&process, "100"), "completed");
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.clock.run(future).expect("time is waited for")
    }

    fn start(&self, path: &Path) -> Process {
        let options = Options { blocking: true, ..Options::default() };
        let store = Arc::new(SqliteStore::open_with(path, Arc::new(self.clock.clone()), options).unwrap());
        let notifier = Arc::new(MemoryNotifier::new());
        let ports = Ports {
            broker: self.broker.clone(),
            leases: store.clone(),
            journal: store.clone(),
            clock: Arc::new(self.clock.clone()),
            notifier: notifier.clone(),
            observer: Arc::new(NullObserver),
        };
        let engine = Engine::new(ports, Settings::unlimited().checked().unwrap(), "worker".parse().unwrap());
        self.run(engine.load_all()).unwrap();
        Process { engine, store, notifier }
    }

    /// An hour later META is traded at this price; what a rebalance comes to then.
    fn rebalance(&self, process: &Process, price: &str) -> String {
        self.clock.advance(Duration::from_secs(3_600));
        let (meta, price): (Symbol, Price) = ("META".parse().unwrap(), price.parse().unwrap());
        self.broker.set_price(meta, price);
        process.engine.on_wave(self.clock.now(), &[(meta, price)]);
        match self.run(process.engine.rebalance_now(&growth())) {
            Ok(Rebalanced::Batch(report)) => report.outcome.name().to_owned(),
            Ok(other) => format!("{other:?}"),
            Err(error) => error.to_string(),
        }
    }

    /// Orders that the broker was ever given.
    fn orders(&self) -> usize {
        self.broker.ledger(&account()).unwrap().orders.len()
    }

    /// A copy of the store as it is now, made while nothing runs on it.
    fn backup(&self) -> PathBuf {
        let copy = self.path("backup.db");
        std::fs::copy(self.path("store.db"), &copy).unwrap();
        copy
    }
}

fn lost(error: &str) -> usize {
    error.matches("the journal lacks batch ").count()
}

/// Accepting is the one way out, and afterwards all goes on as before, with ids that never were.
fn accept_and_go_on(world: &World, process: &Process) {
    for how in [Resolve::Retry, Resolve::Fixed] {
        let refused = world.run(process.engine.resolve(&growth(), how, "ann", "it is late"));
        assert!(matches!(refused, Err(EngineError::Refused { .. })), "{how:?}: {refused:?}");
    }
    world.run(process.engine.resolve(&growth(), Resolve::Accept, "ann", "an old backup")).unwrap();
    let before: BTreeSet<_> = world.broker.ledger(&account()).unwrap().orders.iter().map(|o| o.request.id).collect();
    for price in ["150", "80", "130", "90", "140"] {
        assert_eq!(world.rebalance(process, price), "completed");
        assert_eq!(world.run(process.engine.reconcile(&growth())), Ok(Reconciled::Agree));
    }
    let after: BTreeSet<_> = world.broker.ledger(&account()).unwrap().orders.iter().map(|o| o.request.id).collect();
    assert_eq!(after.difference(&before).count(), 5, "each of the five batches made an order that was not there");
    let verified = StoreReader::open(process.store.path()).unwrap().verify().unwrap();
    assert_eq!(verified.broken, None);
}

#[test]
fn an_old_backup_is_noticed_before_any_order() {
    for (profile, batches) in [(Profile::ideal(), 1), (Profile::ideal(), 5), (Profile::calm(), 3)] {
        let world = World::new(profile);
        let backup = world.backup();
        let process = world.start(&world.path("store.db"));
        for price in ["120", "95", "125", "90", "130"].iter().take(batches) {
            assert_eq!(world.rebalance(&process, price), "completed");
        }
        drop(process);

        let process = world.start(&backup);
        let orders = world.orders();
        let told = world.rebalance(&process, "100");
        assert_eq!(lost(&told), batches, "{told}");
        assert_eq!(world.orders(), orders, "nothing was sent");
        world.run(process.engine.deliver_alerts()).unwrap();
        let alerts = process.notifier.alerts();
        assert_eq!(alerts.len(), 1, "{alerts:?}");
        // However often it is asked, and by whom: until a person has spoken it stays so.
        drop(process);
        let process = world.start(&backup);
        for _ in 0..3 {
            assert_eq!(lost(&world.rebalance(&process, "140")), batches);
        }
        assert_eq!(world.orders(), orders, "nothing was sent");
        accept_and_go_on(&world, &process);
    }
}

/// What was traded has been traded back: books and broker agree, and yet something is missing.
#[test]
fn what_left_no_difference_is_noticed_too() {
    let world = World::new(Profile::ideal());
    let backup = world.backup();
    let process = world.start(&world.path("store.db"));
    world.broker.script(Rule::new(Fault::PartialThenCancel(evenkeel_banchile::Part::Units("1".parse().unwrap()))));
    assert_eq!(world.rebalance(&process, "120"), "restored");
    drop(process);
    let process = world.start(&backup);
    let told = world.rebalance(&process, "120");
    assert_eq!(told.matches("the journal lacks").count(), 1, "{told}");
    assert!(!told.contains("in the books"), "{told}");
    accept_and_go_on(&world, &process);
}

/// The backup was made in the middle of a batch, and later batches are lost: it is not unwound by what is left of it.
#[test]
fn an_open_batch_of_an_old_backup_is_left_to_a_person() {
    let world = World::new(Profile::ideal());
    let process = world.start(&world.path("store.db"));
    world.broker.script(Rule::new(Fault::LateFill { delay: Duration::from_secs(5) }));
    world.broker.set_price("META".parse().unwrap(), "120".parse().unwrap());
    process.engine.on_wave(world.clock.now(), &[("META".parse().unwrap(), "120".parse().unwrap())]);
    {
        let growth = growth();
        let mut batch = std::pin::pin!(process.engine.rebalance_now(&growth));
        let soon = world.clock.now().plus(Duration::from_secs(1));
        assert!(world.clock.poll_until(batch.as_mut(), soon).is_none(), "in the middle of it");
        let copy = rusqlite::Connection::open(world.path("store.db")).unwrap();
        copy.execute("VACUUM INTO ?1", [world.path("backup.db").to_str().unwrap()]).unwrap();
        drop(copy);
        assert!(world.run(batch).is_ok());
    }
    assert_eq!(world.rebalance(&process, "80"), "completed");
    assert_eq!(world.rebalance(&process, "130"), "completed");
    drop(process);

    let process = world.start(&world.path("backup.db"));
    let orders = world.orders();
    let recovered = world.run(process.engine.recover()).unwrap();
    let report = recovered[0].result.as_ref().unwrap().as_ref().unwrap();
    assert_eq!(report.outcome.name(), "stale");
    assert_eq!(lost(&report.cause.as_ref().unwrap().to_string()) + 1, 2, "{report:?}");
    assert_eq!(world.orders(), orders, "nothing was sent");
    assert!(world.rebalance(&process, "100").contains("stale"));
    accept_and_go_on(&world, &process);
}

/// The process was killed, and what was not checkpointed is gone with the write-ahead log.
#[test]
fn a_lost_write_ahead_log_is_noticed_before_any_order() {
    let world = World::new(Profile::ideal());
    let process = world.start(&world.path("store.db"));
    assert_eq!(world.rebalance(&process, "120"), "completed");
    // As after a kill: the file without its log, copied while the process is there.
    assert!(world.path("store.db-wal").metadata().unwrap().len() > 0, "something is in the log only");
    let without = world.backup();
    drop(process);

    let process = world.start(&without);
    let orders = world.orders();
    let told = world.rebalance(&process, "100");
    assert_eq!(lost(&told), 1, "{told}");
    assert_eq!(world.orders(), orders, "nothing was sent");
    accept_and_go_on(&world, &process);
}
