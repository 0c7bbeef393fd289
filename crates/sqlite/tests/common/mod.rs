//! What the tests of the store share: records told apart by number, a store with one of everything in it, and a clock.

#![allow(dead_code, reason = "every test program uses some of it")]

use evenkeel_conformance::suite::block_on;
use evenkeel_domain::alert::{Alert, AlertKind};
use evenkeel_domain::halt::{Halt, HaltMode, Release, Scope};
use evenkeel_domain::limits::{Facts, Limits};
use evenkeel_domain::order::{BatchId, Costs};
use evenkeel_domain::plan::Stages;
use evenkeel_domain::record::{Closing, Event, Movement, Opening, Outcome, PauseRule, Record, Rules};
use evenkeel_domain::values::{Money, MovementId, PortfolioId, Sequence, Timestamp, Token};
use evenkeel_memory::ManualClock;
use evenkeel_ports::{Commit, CommitOutcome, Journal, LeaseStore, LeaseTerms};
use evenkeel_sqlite::SqliteStore;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub(crate) fn clock() -> ManualClock {
    ManualClock::new(Timestamp::EPOCH)
}

pub(crate) fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, Arc::new(clock())).unwrap()
}

pub(crate) fn id(portfolio: &str) -> PortfolioId {
    portfolio.parse().unwrap()
}

fn record(event: Event) -> Record {
    Record { at: Timestamp::from_nanos(1_700_000_000_123_456_789), event }
}

/// A record that is told from others by its number.
pub(crate) fn note(number: u64) -> Record {
    let movement = MovementId::new(&format!("movement-{number}")).unwrap();
    record(Event::CashMoved { movement, kind: Movement::Deposit, amount: Money::CENT })
}

pub(crate) fn opened(batch: u128) -> Record {
    let long = Duration::from_secs(3_600);
    let rules = Rules {
        attempts: 3,
        delay: long,
        order_deadline: long,
        quiescence: long,
        resume_max: long,
        patience: long,
        settle_within: long,
        watch: long,
        pause: PauseRule { first: long, longest: long },
        resend: false,
        costs: Costs::FREE,
        collar_bps: 0,
        minimum: Money::CENT,
        held_back: Money::ZERO,
        limits: Limits::NONE,
    };
    record(Event::Opened(Arc::new(Opening {
        batch: BatchId::from_u128(batch),
        token: Token::new(1),
        measure: "relative".to_owned(),
        drift: "6.4520".parse().unwrap(),
        legs: Vec::new(),
        skipped: Vec::new(),
        stages: Stages::Together,
        rules,
        facts: Facts { oldest_price: Timestamp::EPOCH, closes_at: None },
    })))
}

pub(crate) fn closed(outcome: Outcome) -> Record {
    record(Event::Closed(Arc::new(Closing {
        outcome,
        cause: None,
        residual: Vec::new(),
        unresolved: Vec::new(),
        cost: Money::ZERO,
        fees: Money::ZERO,
        pause: None,
        fills_read: None,
    })))
}

pub(crate) fn retried() -> Record {
    record(Event::Retried { who: "ann".to_owned(), why: "the market is open again".to_owned(), attempts: 9 })
}

pub(crate) fn alert(portfolio: &str, sequence: u64) -> Alert {
    let (at, text) = (Timestamp::EPOCH, format!("record {sequence} of {portfolio} went wrong"));
    Alert { portfolio: id(portfolio), sequence: Sequence::new(sequence), at, kind: AlertKind::Stale, batch: None, text }
}

pub(crate) fn commit(portfolio: &str, expected: u64, records: Vec<Record>) -> Commit {
    let (portfolio, expected, token) = (id(portfolio), Sequence::new(expected), Token::new(1));
    Commit { portfolio, expected, token, records: records.into(), alerts: Vec::new(), state: None }
}

/// Writes at the head, and says how it ended.
pub(crate) fn append(store: &SqliteStore, portfolio: &str, records: Vec<Record>) -> CommitOutcome {
    let head = block_on(store.head(&id(portfolio))).unwrap();
    block_on(store.commit(Commit { token: head.token, ..commit(portfolio, head.sequence.get(), records) }))
}

pub(crate) fn write(store: &SqliteStore, portfolio: &str, records: Vec<Record>) {
    assert_eq!(append(store, portfolio, records), CommitOutcome::Committed);
}

/// One of everything: three portfolios whose rows lie between one another; batches open, closed and tried again; alerts pending and
/// acknowledged; halts standing and taken back; a lease.
pub(crate) fn furnish(path: &Path) {
    let store = open(path);
    let with_alerts = |commit: Commit, numbers: &[u64]| {
        let alerts = numbers.iter().map(|number| alert(commit.portfolio.as_str(), *number)).collect();
        Commit { alerts, ..commit }
    };
    write(&store, "growth", vec![note(1), note(2)]);
    write(&store, "income", vec![note(3)]);
    write(&store, "growth", vec![opened(7), note(4)]);
    let stale = with_alerts(commit("growth", 4, vec![note(5), closed(Outcome::Stale)]), &[5, 6]);
    assert_eq!(block_on(store.commit(stale)), CommitOutcome::Committed);
    write(&store, "third", vec![note(6), opened(8), closed(Outcome::Completed), opened(9)]);
    write(&store, "growth", vec![retried()]);
    let again = with_alerts(commit("income", 1, vec![note(7)]), &[2]);
    assert_eq!(block_on(store.commit(Commit { token: Token::new(4), ..again })), CommitOutcome::Committed);
    block_on(store.acknowledge_alert(&alert("growth", 5))).unwrap();
    let halt = |scope: Scope| {
        let (who, why, at) = ("ann".to_owned(), "a strange price".to_owned(), Timestamp::EPOCH);
        Halt { scope, mode: HaltMode::Freeze, who, why, at }
    };
    for scope in [Scope::Portfolio(id("third")), Scope::Symbol("META".parse().unwrap()), Scope::Everything] {
        block_on(store.halt(&halt(scope))).unwrap();
    }
    let (who, why, at) = ("bob".to_owned(), "looked at".to_owned(), Timestamp::EPOCH);
    assert!(block_on(Journal::release(&store, &Release { scope: Scope::Everything, who, why, at })).unwrap());
    block_on(store.acquire(&id("growth"), &"worker".parse().unwrap(), LeaseTerms::default())).unwrap();
}
