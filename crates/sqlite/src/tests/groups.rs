//! Requests that wait together share a transaction, and each is judged alone.

use crate::writer::{About, Writer};
use crate::{Options, SqliteStore};
use evenkeel_conformance::suite::block_on;
use evenkeel_domain::record::{Event, Movement, Record};
use evenkeel_domain::values::{Money, PortfolioId, Sequence, Timestamp, Token};
use evenkeel_memory::ManualClock;
use evenkeel_ports::{Commit, CommitOutcome, Journal};
use futures_util::future::{FutureExt, join_all};
use rusqlite::Connection;
use std::sync::Arc;
use std::time::Duration;

fn commit(portfolio: &str, expected: u64, records: usize) -> Commit {
    let (portfolio, expected): (PortfolioId, _) = (portfolio.parse().unwrap(), Sequence::new(expected));
    let movement = "deposit".parse().unwrap();
    let event = Event::CashMoved { movement, kind: Movement::Deposit, amount: Money::CENT };
    let records = vec![Record { at: Timestamp::EPOCH, event }; records];
    Commit { portfolio, expected, token: Token::new(3), records: records.into(), alerts: Vec::new(), state: None }
}

/// Hands all of them over while somebody else keeps the file busy, so that they wait together; then lets them go.
fn together(store: &SqliteStore, commits: Vec<Commit>) -> Vec<CommitOutcome> {
    let other = Connection::open(store.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    // The first is alone in its transaction, and keeps the writer waiting.
    let before = transactions(store);
    let mut first = store.commit(commit("first", 0, 1));
    assert_eq!((&mut first).now_or_never(), None);
    while transactions(store) == before {
        std::thread::yield_now();
    }
    let mut all = Box::pin(join_all(commits.into_iter().map(|commit| store.commit(commit))));
    assert_eq!((&mut all).now_or_never(), None);
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(block_on(first), CommitOutcome::Committed);
    block_on(all)
}

fn open(options: Options) -> (tempfile::TempDir, SqliteStore) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open_with(path, Arc::new(ManualClock::new(Timestamp::EPOCH)), options).unwrap();
    (folder, store)
}

fn transactions(store: &SqliteStore) -> usize {
    store.transactions()
}

#[test]
fn a_conflict_hurts_nobody_else() {
    let (_folder, store) = open(Options::default());
    assert_eq!(block_on(store.commit(commit("held", 0, 1))), CommitOutcome::Committed);
    let before = transactions(&store);
    let former = Commit { token: Token::new(2), ..commit("held", 1, 1) };
    let commits = vec![
        commit("a", 0, 2),
        commit("b", 7, 1),
        commit("a", 2, 1),
        former,
        commit("held", 1, 1),
        commit("held", 1, 1),
        commit("c", 0, 0),
        commit("c", 0, 3),
    ];
    let outcomes = together(&store, commits);
    let said: Vec<String> = outcomes.iter().map(|outcome| format!("{outcome:?}").chars().take(9).collect()).collect();
    let should =
        ["Committed", "Conflict ", "Committed", "Fenced { ", "Committed", "Conflict ", "Failed { ", "Committed"];
    assert_eq!(said, should);
    assert_eq!(transactions(&store) - before, 2, "the first, and all others together");
    for (portfolio, sequence) in [("a", 3), ("b", 0), ("held", 2), ("c", 3)] {
        let head = block_on(store.head(&portfolio.parse().unwrap())).unwrap();
        assert_eq!(head.sequence.get(), sequence, "{portfolio}");
    }
}

#[test]
fn one_that_cannot_be_written_hurts_nobody_else() {
    let (_folder, store) = open(Options { largest: Some(200_000), ..Options::default() });
    let before = transactions(&store);
    let outcomes = together(&store, vec![commit("a", 0, 1), commit("much", 0, 5_000), commit("b", 0, 1)]);
    assert_eq!(outcomes[0], CommitOutcome::Committed);
    assert!(matches!(outcomes[1], CommitOutcome::Failed { .. }), "{outcomes:?}");
    assert_eq!(outcomes[2], CommitOutcome::Committed);
    assert_eq!(transactions(&store) - before, 5, "the first, all together, and then each of the three alone");
    assert_eq!(block_on(store.portfolios()).unwrap().len(), 3);
}

/// Reading waits for what was handed over before, also if nobody waits for its answer any more.
#[test]
fn reading_sees_what_became_of_a_dropped_commit() {
    let (_folder, store) = open(Options::default());
    let other = Connection::open(store.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(store.commit(commit("growth", 0, 1)).now_or_never(), None);
    let release = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        other.execute_batch("ROLLBACK").unwrap();
    });
    let head = block_on(store.head(&"growth".parse().unwrap())).unwrap();
    assert_eq!(head.sequence, Sequence::new(1));
    release.join().unwrap();
}

/// Nor does it wait for anything else: not for what is written about others, and not for what has just been answered.
#[test]
fn reading_waits_for_nothing_else() {
    let (_folder, store) = open(Options::default());
    let growth = "growth".parse().unwrap();
    let before = transactions(&store);
    for number in 0..200 {
        assert_eq!(block_on(store.commit(commit("growth", number, 1))), CommitOutcome::Committed);
        assert_eq!(block_on(store.head(&growth)).unwrap().sequence, Sequence::new(number + 1));
    }
    assert_eq!(transactions(&store) - before, 200, "reading back takes none");

    let other = Connection::open(store.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut busy = store.commit(commit("other", 0, 1));
    assert_eq!((&mut busy).now_or_never(), None);
    assert!(store.head(&growth).now_or_never().is_some_and(|head| head.is_ok()));
    assert!(store.read(&growth, Sequence::ZERO).now_or_never().is_some_and(|read| read.is_ok()));
    assert!(store.halts().now_or_never().is_some_and(|halts| halts.is_ok()));
    assert!(store.portfolios().now_or_never().is_none(), "the other may be about to be one of them");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(block_on(busy), CommitOutcome::Committed);
}

/// A writer that is gone writes nothing, and says so.
#[test]
fn whoever_asks_a_stopped_writer_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let (_opened, connection) = crate::open::writing(&path, &Options::default()).unwrap();
    let file = crate::identity::Identity::of(&path).unwrap();
    let mut writer = Writer::start(connection, file, false).unwrap();
    writer.stop();
    let answer = block_on(writer.write(About::Everything, |_| Ok(())));
    let message = "the store's writer has stopped: open the store again".to_owned();
    assert_eq!(answer, Err(crate::error::Unwritten::Nothing(message)));
}
