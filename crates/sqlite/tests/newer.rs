//! A portfolio that a newer version of the program has written to: left alone, told as such, and in nobody's way.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test may panic, in its helpers too"
)]

#[path = "common/newer.rs"]
mod newer;

use evenkeel_banchile::{BanChile, Fault, Profile, Rule};
use evenkeel_domain::allocation::TargetAllocation;
use evenkeel_domain::books::{Books, Definition};
use evenkeel_domain::policy::Policy;
use evenkeel_domain::record::Outcome;
use evenkeel_domain::values::{PortfolioId, Sequence, Symbol};
use evenkeel_engine::{Engine, EngineError, Ports, Recovered, RoundSettings, Seen, Settings};
use evenkeel_memory::{ManualClock, MemoryNotifier};
use evenkeel_ports::{Clock, JournalError, NullObserver};
use evenkeel_sqlite::{Newer, Options, SqliteStore, StoreReader};
use expect_test::expect;
use futures_util::future::join;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

struct Floor {
    folder: tempfile::TempDir,
    clock: ManualClock,
    broker: Arc<BanChile>,
    meta: Symbol,
}

impl Floor {
    /// Two portfolios, each with a batch that a crash left open; a newer program has gone on with that of `growth`, and ended too.
    fn new() -> Self {
        let clock = ManualClock::new("2026-01-05T15:00:00Z".parse().unwrap());
        let broker = Arc::new(BanChile::new(Profile::ideal(), Arc::new(clock.clone()), 11));
        let meta: Symbol = "META".parse().unwrap();
        let floor = Self { folder: tempfile::tempdir().unwrap(), clock, broker, meta };
        let engine = floor.engine("worker-1");
        floor.broker.set_prices([(meta, "400".parse().unwrap())]);
        for id in ["growth", "income"] {
            let allocation = TargetAllocation::parse([("META", "60"), ("CASH", "40")]).unwrap();
            let (account, currency) = (id.parse().unwrap(), "USD".parse().unwrap());
            let definition = Definition { account, currency, allocation, policy: Policy::default() };
            let books = Books::new("100000.00".parse().unwrap(), []);
            floor.broker.open_account(&definition.account, currency, books.cash, books.holdings()).unwrap();
            floor.run(engine.add(&id.parse().unwrap(), definition, books)).unwrap();
        }
        floor.broker.script(Rule::new(Fault::LateFill { delay: Duration::from_secs(60) }).times(2));
        let (growth, income) = (growth(), "income".parse().unwrap());
        let batches = join(engine.rebalance_now(&growth), engine.rebalance_now(&income));
        let until = floor.clock.now().plus(Duration::from_secs(5));
        assert!(floor.clock.poll_until(std::pin::pin!(batches), until).is_none(), "in the middle of it");
        drop(engine);
        newer::append(&floor.path(), "growth");
        floor.clock.advance(Duration::from_secs(120));
        floor
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("store.db")
    }

    fn engine(&self, name: &str) -> Engine {
        let engine = engine(&self.path(), &self.clock, &self.broker, name);
        engine.on_wave(self.clock.now(), &[(self.meta, "400".parse().unwrap())]);
        engine
    }

    fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.clock.run(work).unwrap()
    }

    fn sent(&self, account: &str) -> usize {
        self.broker.ledger(&account.parse().unwrap()).unwrap().orders.len()
    }

    fn records(&self, portfolio: &PortfolioId) -> usize {
        let reader = StoreReader::open(self.path()).unwrap();
        reader.lines(portfolio, Sequence::ZERO).unwrap().len()
    }
}

fn engine(path: &Path, clock: &ManualClock, broker: &Arc<BanChile>, name: &str) -> Engine {
    let options = Options { blocking: true, ..Options::default() };
    let store = Arc::new(SqliteStore::open_with(path, Arc::new(clock.clone()), options).unwrap());
    let ports = Ports {
        broker: broker.clone(),
        leases: store.clone(),
        journal: store,
        clock: Arc::new(clock.clone()),
        notifier: Arc::new(MemoryNotifier::new()),
        observer: Arc::new(NullObserver),
    };
    Engine::new(ports, Settings::default().checked().unwrap(), name.parse().unwrap())
}

fn growth() -> PortfolioId {
    "growth".parse().unwrap()
}

fn is_newer<T>(result: &Result<T, EngineError>) -> bool {
    matches!(result, Err(EngineError::Journal(JournalError::Newer { found: 2, known: 1, .. })))
}

#[test]
fn recovery_leaves_it_and_says_so_and_the_others_go_on() {
    let floor = Floor::new();
    let (sent, records) = (floor.sent("growth"), floor.records(&growth()));
    let engine = floor.engine("worker-2");
    let loaded: Vec<_> = floor.run(engine.load_all()).unwrap();
    let told: Vec<_> = loaded.iter().map(|one| format!("{}: {}", one.portfolio, is_newer(&one.result))).collect();
    assert_eq!(told, ["growth: true", "income: false"]);

    let recovered = floor.run(engine.recover()).unwrap();
    let [Recovered { portfolio, result: left }, Recovered { result: Ok(Some(finished)), .. }] = &recovered[..] else {
        panic!("{recovered:?}")
    };
    assert_eq!((portfolio, is_newer(left), finished.outcome), (&growth(), true, Outcome::Restored));
    let error = left.as_ref().unwrap_err();
    assert!(!error.is_temporary(), "trying again is of no use");
    expect!["record 5 of growth is of version 2, and this program reads version 1: leave the portfolio to the program that wrote it, or to a newer one"]
        .assert_eq(&std::error::Error::source(error).unwrap().to_string());

    // No new batch either, by whatever way; and its lease was given back, for the program that can go on.
    for result in [
        floor.run(engine.rebalance(&growth())).map(drop),
        floor.run(engine.rebalance_now(&growth())).map(drop),
        floor.run(engine.reconcile(&growth())).map(drop),
        floor.run(engine.abort(&growth(), "ann", "looked")).map(drop),
    ] {
        assert!(is_newer(&result), "{result:?}");
    }
    assert_eq!((floor.sent("growth"), floor.records(&growth())), (sent, records), "nothing was sent, nothing written");
    let status = StoreReader::open(floor.path()).unwrap().portfolios().unwrap();
    assert!(status.iter().all(|status| status.lease.is_none()), "{status:?}");
}

#[test]
fn rounds_say_it_each_time_and_compare_the_others() {
    let floor = Floor::new();
    let engine = floor.engine("worker-2");
    let mut seen = Vec::new();
    let until = floor.clock.now().plus(Duration::from_secs(30));
    let stop = async {
        floor.clock.sleep_until(until).await;
        engine.shut_down(Duration::ZERO).await
    };
    floor.run(join(engine.make_rounds(RoundSettings::default(), |one| seen.push(one)), stop));
    let newer = |seen: &&Seen| match seen {
        Seen::Recovered(Recovered { result, .. }) => is_newer(result),
        Seen::Compared { result, .. } => is_newer(result),
        _ => false,
    };
    assert_eq!(seen.iter().filter(newer).count(), 1, "{seen:#?}");
    assert!(seen.iter().any(|seen| matches!(seen, Seen::Recovered(Recovered { result: Ok(Some(_)), .. }))));
}

/// A worker that knew the portfolio before the newer one came.
#[test]
fn what_was_known_before_is_not_acted_on() {
    let floor = Floor::new();
    let engine = floor.engine("worker-2");
    floor.run(engine.recover()).unwrap();
    let income: PortfolioId = "income".parse().unwrap();
    assert!(engine.portfolio(&income).is_some());
    let sent = floor.sent("income");
    newer::append(&floor.path(), "income");
    assert!(is_newer(&floor.run(engine.rebalance_now(&income))));
    assert_eq!(floor.sent("income"), sent);
}

#[test]
fn an_operator_sees_it() {
    let floor = Floor::new();
    let reader = StoreReader::open(floor.path()).unwrap();
    let versions: Vec<_> = reader.portfolios().unwrap().into_iter().map(|status| status.newer).collect();
    assert_eq!(versions, [Some(2), None]);
    let lines = reader.lines(&growth(), Sequence::ZERO).unwrap();
    let (last, before) = lines.split_last().unwrap();
    assert_eq!((last.record.as_ref(), last.kind.as_str(), last.text.as_str()), (None, "hedged", newer::RECORD));
    assert!(before.iter().all(|line| line.record.is_some()));
    let verified = reader.verify().unwrap();
    let at = i64::try_from(verified.rows).unwrap();
    assert_eq!(verified.broken, None, "the row is whole");
    assert_eq!(verified.newer, Some(Newer { row: at, portfolio: "growth".to_owned(), version: 2 }));
    // Damage is found all the same, before it and behind it.
    for place in [1, at] {
        let raw = rusqlite::Connection::open(floor.path()).unwrap();
        raw.execute("UPDATE journal SET at = at + 1 WHERE place = ?1", [place]).unwrap();
        let broken = reader.verify().unwrap().broken.expect("it was changed");
        assert_eq!(broken.row, place);
        raw.execute("UPDATE journal SET at = at - 1 WHERE place = ?1", [place]).unwrap();
    }
}
