//! The journal: its contract, number by number.

mod folding;
mod properties;
mod story;

use crate::testing::{alert, at, portfolio, ready};
use crate::{MemoryJournal, Retention};
use evenkeel_domain::alert::Alert;
use evenkeel_domain::record::{Event, Record};
use evenkeel_domain::values::{PortfolioId, Sequence, StoreId, Token};
use evenkeel_ports::{Commit, CommitOutcome, Entry, Head, Journal};

const BOTH: [Retention; 2] = [Retention::Everything, Retention::LatestState];

fn journal(retention: Retention) -> MemoryJournal {
    MemoryJournal::new(StoreId::new(7)).with_retention(retention)
}

/// Records that the journal looks at, one per letter: `o`pened, `c`losed, `r`etried, and `.` for one it does not care about.
///
/// They fit no portfolio: whether records make sense is not the journal's business.
fn records(letters: &str) -> Vec<Record> {
    let event = |letter| match letter {
        'o' => story::opened(),
        'c' => story::closed(),
        'r' => Event::Retried { who: "ann".to_owned(), why: "again".to_owned(), attempts: 2 },
        '.' => Event::Removed,
        other => panic!("no record is called {other}"),
    };
    letters.chars().map(|letter| Record { at: at(1), event: event(letter) }).collect()
}

fn commit(about: &str, expected: u64, token: u64, records: Vec<Record>) -> Commit {
    let (expected, token) = (Sequence::new(expected), Token::new(token));
    Commit { portfolio: portfolio(about), expected, token, records: records.into(), alerts: Vec::new(), state: None }
}

/// The outcome of a commit, with the head it names.
fn put(journal: &MemoryJournal, commit: Commit) -> String {
    let name = |word: &str, head: Head| format!("{word} {}/{}", head.sequence, head.token);
    match ready(journal.commit(commit)) {
        CommitOutcome::Committed => "committed".to_owned(),
        CommitOutcome::Conflict { head } => name("conflict", head),
        CommitOutcome::Fenced { head } => name("fenced", head),
        CommitOutcome::Unknown { message } => format!("unknown: {message}"),
        CommitOutcome::Halted { halt } => format!("halted: {halt}"),
        CommitOutcome::Failed { message } => format!("failed: {message}"),
    }
}

fn read(journal: &MemoryJournal, about: &str, after: u64) -> Vec<Entry> {
    ready(journal.read(&portfolio(about), Sequence::new(after))).unwrap()
}

fn head(journal: &MemoryJournal, about: &str) -> (u64, u64) {
    let Head { sequence, token } = ready(journal.head(&portfolio(about))).unwrap();
    (sequence.get(), token.get())
}

fn pending(journal: &MemoryJournal, limit: usize) -> Vec<Alert> {
    ready(journal.pending_alerts(limit)).unwrap()
}

/// Each line: a commit with this expected sequence, token and records, and what it comes to.
#[track_caller]
fn check(story: &[(u64, u64, &str, &str)]) {
    for retention in BOTH {
        let journal = journal(retention);
        let mut written = Vec::new();
        for (expected, token, letters, outcome) in story {
            let before = head(&journal, "growth");
            let answer = put(&journal, commit("growth", *expected, *token, records(letters)));
            assert_eq!(answer, *outcome, "{retention:?}: {letters} after {expected} with token {token}");
            if answer == "committed" {
                written.extend(records(letters).into_iter().map(|record| (*token, record)));
            } else {
                assert_eq!(head(&journal, "growth"), before, "nothing was written");
            }
            let places = (1..).zip(&written).map(|(sequence, (token, record))| {
                let (sequence, token) = (Sequence::new(sequence), Token::new(*token));
                Entry { sequence, token, record: record.clone() }
            });
            assert_eq!(read(&journal, "growth", 0), places.collect::<Vec<_>>());
        }
    }
}

#[test]
fn contract_1_all_or_nothing() {
    for retention in BOTH {
        let journal = journal(retention);
        let alerts = vec![alert("growth", 1), alert("growth", 2)];
        let refused = Commit { alerts: alerts.clone(), ..commit("growth", 1, 1, records("..")) };
        assert_eq!(put(&journal, refused), "conflict 0/0");
        assert_eq!((head(&journal, "growth"), pending(&journal, 9)), ((0, 0), vec![]));
        assert_eq!(ready(journal.portfolios()), Ok(vec![]), "being refused makes no portfolio");

        let taken = Commit { alerts: alerts.clone(), ..commit("growth", 0, 1, records("..")) };
        assert_eq!(put(&journal, taken), "committed");
        assert_eq!((head(&journal, "growth"), pending(&journal, 9)), ((2, 1), alerts));
    }
    // The second record of a commit is what makes it impossible: the first is not written either.
    check(&[(0, 1, ".oo", "conflict 0/0"), (0, 1, ".oco", "committed")]);
}

#[test]
fn contract_1_nobody_sees_a_part() {
    const LAST: u64 = 400;
    let journal = journal(Retention::Everything);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for sequence in 1..=LAST {
                let one = commit("growth", sequence.saturating_sub(1), 1, records("."));
                put(&journal, Commit { alerts: vec![alert("growth", sequence)], ..one });
            }
        });
        scope.spawn(|| {
            while head(&journal, "growth").0 < LAST {
                // Whatever is seen first, the other is there already.
                let told = pending(&journal, usize::MAX).last().map_or(0, |alert| alert.sequence.get());
                let (written, _) = head(&journal, "growth");
                assert!(written >= told, "alert {told} without its record");
                let told = pending(&journal, usize::MAX).last().map_or(0, |alert| alert.sequence.get());
                assert!(told >= written, "record {written} without its alert");
            }
        });
    });
    assert_eq!(pending(&journal, usize::MAX).len(), 400);
}

#[test]
fn contract_2_what_was_committed_outlives_its_writer() {
    let journal = journal(Retention::Everything);
    let writer = journal.clone();
    let taken = Commit { alerts: vec![alert("growth", 1)], ..commit("growth", 0, 1, records(".o")) };
    assert_eq!(put(&writer, taken), "committed");
    drop(writer);
    assert_eq!(head(&journal, "growth"), (2, 1));
    assert_eq!(journal.records(&portfolio("growth")), records(".o"));
    assert_eq!(pending(&journal, 9), [alert("growth", 1)]);
}

#[test]
fn contract_2_what_a_writer_that_panicked_had_committed_is_still_there() {
    let journal = journal(Retention::Everything);
    let writer = journal.clone();
    let panicking = std::thread::spawn(move || {
        put(&writer, commit("growth", 0, 1, records(".")));
        panic!("as a test");
    });
    assert!(panicking.join().is_err());
    assert_eq!(put(&journal, commit("growth", 1, 1, records("."))), "committed");
}

#[test]
fn contract_3_no_gaps() {
    check(&[
        (1, 1, ".", "conflict 0/0"),
        (0, 1, ".", "committed"),
        (0, 1, ".", "conflict 1/1"),
        (2, 1, ".", "conflict 1/1"),
        (1, 1, "...", "committed"),
        (1, 1, ".", "conflict 4/1"),
        (3, 1, ".", "conflict 4/1"),
        (4, 1, ".", "committed"),
    ]);
}

#[test]
fn contract_3_one_of_many_at_once() {
    let journal = journal(Retention::Everything);
    for expected in 0..50 {
        let outcomes: Vec<String> = std::thread::scope(|scope| {
            let write = || put(&journal, commit("growth", expected, 1, records(".")));
            let workers: Vec<_> = (0..8).map(|_| scope.spawn(write)).collect();
            workers.into_iter().map(|worker| worker.join().unwrap()).collect()
        });
        assert_eq!(outcomes.iter().filter(|outcome| *outcome == "committed").count(), 1, "{outcomes:?}");
    }
    assert_eq!(head(&journal, "growth"), (50, 1));
}

#[test]
fn contract_4_the_fence() {
    check(&[
        (0, 3, ".", "committed"),
        (1, 2, ".", "fenced 1/3"),
        // A former owner that is behind in both is told of the newer owner.
        (0, 2, ".", "fenced 1/3"),
        (0, 2, "oo", "fenced 1/3"),
        (0, 2, "", "fenced 1/3"),
        (1, 3, ".", "committed"),
        // A refused commit does not raise it, one that is written does.
        (9, 8, ".", "conflict 2/3"),
        (2, 4, ".", "committed"),
        (3, 3, ".", "fenced 3/4"),
        (3, 9, ".", "committed"),
    ]);
}

#[test]
fn contract_4_the_fence_of_each_portfolio() {
    let journal = journal(Retention::Everything);
    assert_eq!(put(&journal, commit("growth", 0, 9, records("."))), "committed");
    assert_eq!(put(&journal, commit("income", 0, 1, records("."))), "committed");
    assert_eq!((head(&journal, "growth"), head(&journal, "income")), ((1, 9), (1, 1)));
}

#[test]
fn contract_5_one_open_batch() {
    check(&[
        (0, 1, "o", "committed"),
        (1, 1, "o", "conflict 1/1"),
        (1, 1, "r", "conflict 1/1"),
        (1, 1, ".", "committed"),
        (2, 1, ".o", "conflict 2/1"),
        (2, 1, "c", "committed"),
        (3, 1, "r", "committed"),
        (4, 1, "o", "conflict 4/1"),
        (4, 1, "co", "committed"),
        (6, 1, "r", "conflict 6/1"),
        (6, 2, "c", "committed"),
    ]);
}

#[test]
fn contract_6_unknown_is_not_failed() {
    // A store in memory always knows what it wrote. What can never be written fails, and wrote nothing.
    check(&[
        (0, 1, "", "failed: a commit needs at least one record"),
        (0, 1, ".", "committed"),
        (0, 1, "", "conflict 1/1"),
        (1, 5, "", "failed: a commit needs at least one record"),
        (1, 1, ".", "committed"),
    ]);
}

#[test]
fn contract_7_read_what_was_written() {
    let journal = journal(Retention::Everything);
    put(&journal, commit("growth", 0, 1, records(".o")));
    put(&journal, commit("growth", 2, 4, records("c")));
    let places = |after| {
        let entries = read(&journal, "growth", after);
        entries.iter().map(|entry| (entry.sequence.get(), entry.token.get())).collect::<Vec<_>>()
    };
    assert_eq!(places(0), [(1, 1), (2, 1), (3, 4)]);
    assert_eq!(places(1), [(2, 1), (3, 4)]);
    assert_eq!(places(3), []);
    assert_eq!(places(99), []);
    assert_eq!(read(&journal, "income", 0), []);
    assert_eq!(journal.records(&portfolio("growth")), records(".oc"));
}

#[test]
fn contract_8_outbox() {
    let journal = journal(Retention::Everything);
    let [first, second, third] = [alert("income", 1), alert("growth", 1), alert("growth", 2)];
    let put_alert = |expected, about: &Alert| {
        let written = commit(about.portfolio.as_str(), expected, 1, records("."));
        assert_eq!(put(&journal, Commit { alerts: vec![about.clone()], ..written }), "committed");
    };
    put_alert(0, &first);
    put_alert(0, &second);
    put_alert(1, &third);

    // Oldest first, by when they were committed and not by whom they are about.
    assert_eq!(pending(&journal, 9), [first.clone(), second.clone(), third.clone()]);
    assert_eq!(pending(&journal, 2), [first.clone(), second.clone()]);
    assert_eq!(pending(&journal, 0), []);

    // Pending until acknowledged; twice changes nothing; the alert is known by portfolio and sequence.
    let again = Alert { text: "other words".to_owned(), ..second.clone() };
    for _ in 0..2 {
        assert_eq!(ready(journal.acknowledge_alert(&again)), Ok(()));
        assert_eq!(pending(&journal, 9), [first.clone(), third.clone()]);
    }
    assert_eq!(ready(journal.acknowledge_alert(&alert("nobody", 1))), Ok(()));

    // What is known, delivered or not, is not taken in again.
    put_alert(2, &second);
    put_alert(3, &Alert { text: "other words".to_owned(), ..third.clone() });
    assert_eq!(pending(&journal, 9), [first, third]);
}

#[test]
fn portfolios_and_open_batches_are_in_order() {
    let ids = |ids: &[&str]| Ok(ids.iter().map(|id| portfolio(id)).collect::<Vec<PortfolioId>>());
    for retention in BOTH {
        let journal = journal(retention);
        assert_eq!((ready(journal.portfolios()), ready(journal.open_batches())), (ids(&[]), ids(&[])));
        for (about, letters) in [("c", "o"), ("b", "oc"), ("a", ".or"), ("a", ".or"), ("d", ".ocr"), ("e", ".")] {
            put(&journal, commit(about, 0, 1, records(letters)));
        }
        assert_eq!(ready(journal.portfolios()), ids(&["b", "c", "d", "e"]), "a second batch was never open in a");
        assert_eq!(ready(journal.open_batches()), ids(&["c", "d"]));
    }
}

#[test]
fn the_store_id_never_changes() {
    let journal = journal(Retention::LatestState);
    put(&journal, commit("growth", 0, 1, records(".")));
    assert_eq!(ready(journal.store_id()), Ok(StoreId::new(7)));
}
