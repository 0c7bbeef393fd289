//! The engine on this store: what the file says of standings and batches is what the records lead to, and a restart goes on from there.

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

mod common;

use evenkeel_banchile::{BanChile, Profile};
use evenkeel_domain::allocation::TargetAllocation;
use evenkeel_domain::apply::replay;
use evenkeel_domain::books::{Books, Definition};
use evenkeel_domain::policy::Policy;
use evenkeel_domain::portfolio::Portfolio;
use evenkeel_domain::values::{PortfolioId, Sequence};
use evenkeel_engine::{Engine, Ports, Settings};
use evenkeel_memory::{ManualClock, MemoryNotifier};
use evenkeel_ports::{Clock, NullObserver};
use evenkeel_sqlite::{Options, SqliteStore, StoreReader};
use futures_util::future::join_all;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

fn engine(path: &Path, clock: &ManualClock, broker: &Arc<BanChile>, name: &str) -> (Engine, Arc<SqliteStore>) {
    let options = Options { blocking: true, ..Options::default() };
    let store = Arc::new(SqliteStore::open_with(path, Arc::new(clock.clone()), options).unwrap());
    let ports = Ports {
        broker: broker.clone(),
        leases: store.clone(),
        journal: store.clone(),
        clock: Arc::new(clock.clone()),
        notifier: Arc::new(MemoryNotifier::new()),
        observer: Arc::new(NullObserver),
    };
    (Engine::new(ports, Settings::default().checked().unwrap(), name.parse().unwrap()), store)
}

/// Rebuilds every portfolio from its records, and compares with what the store says of it.
fn compare(path: &Path) -> Vec<(PortfolioId, Portfolio)> {
    let reader = StoreReader::open(path).unwrap();
    assert_eq!(reader.verify().unwrap().broken, None);
    let rebuilt = reader.portfolios().unwrap().into_iter().map(|status| {
        let lines = reader.lines(&status.portfolio, Sequence::ZERO).unwrap();
        let records: Vec<_> = lines.into_iter().map(|line| line.record.unwrap()).collect();
        let state = replay(Portfolio::new(status.portfolio.clone()), &records).unwrap();
        assert_eq!(status.standing, state.standing.name(), "{}", status.portfolio);
        assert_eq!(status.open_batch, state.batch.as_ref().map(|batch| batch.id), "{}", status.portfolio);
        assert_eq!(status.head.sequence, state.sequence, "{}", status.portfolio);
        (status.portfolio, state)
    });
    rebuilt.collect()
}

#[test]
fn a_store_says_what_its_records_lead_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let clock = ManualClock::new("2026-01-05T15:00:00Z".parse().unwrap());
    let broker = Arc::new(BanChile::new(Profile::storm(), Arc::new(clock.clone()), 11));
    let [meta, aapl] = ["META".parse().unwrap(), "AAPL".parse().unwrap()];
    let portfolios: Vec<PortfolioId> = (0..12).map(|number| format!("p-{number}").parse().unwrap()).collect();
    let mut standings = BTreeSet::new();
    for round in 0..6_u32 {
        // A new process each time.
        let (engine, _store) = engine(&path, &clock, &broker, &format!("worker-{round}"));
        let price = |base: u32| (base + round % 2 * base / 4).to_string().parse().unwrap();
        broker.set_prices([(meta, price(400)), (aapl, price(160))]);
        if round == 0 {
            for portfolio in &portfolios {
                let allocation = TargetAllocation::parse([("META", "60"), ("AAPL", "30"), ("CASH", "10")]).unwrap();
                let (account, currency) = (portfolio.as_str().parse().unwrap(), "USD".parse().unwrap());
                let definition = Definition { account, currency, allocation, policy: Policy::default() };
                let books = Books::new("100000.00".parse().unwrap(), []);
                broker.open_account(&definition.account, currency, books.cash, books.holdings()).unwrap();
                clock.run(engine.add(portfolio, definition, books)).unwrap().unwrap();
            }
        }
        clock.run(engine.load_all()).unwrap().unwrap();
        clock.run(engine.recover()).unwrap().unwrap();
        drop(engine.on_wave(clock.now(), &[(meta, price(400)), (aapl, price(160))]));
        let work = join_all(portfolios.iter().map(|portfolio| engine.rebalance_now(portfolio)));
        if round == 2 {
            // A crash: dropped in the middle.
            let until = clock.now().plus(Duration::from_millis(300));
            assert!(clock.poll_until(std::pin::pin!(work), until).is_none(), "in the middle of it");
        } else {
            drop(clock.run(work).unwrap());
        }
        clock.advance(Duration::from_secs(3_600));
        let rebuilt = compare(&path);
        standings.extend(rebuilt.iter().map(|(_, state)| state.standing.name()));
        for (portfolio, state) in rebuilt.iter().filter(|_| round != 2) {
            assert_eq!(engine.portfolio(portfolio).as_deref(), Some(state), "live and rebuilt");
        }
    }
    assert!(standings.contains("rebalancing") && standings.contains("active"), "{standings:?}");
}
