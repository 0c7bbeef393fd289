//! What an operator reads, while a process runs on the store and after it.

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

use common::{furnish, id, note, open, write};
use evenkeel_conformance::suite::block_on;
use evenkeel_domain::order::BatchId;
use evenkeel_domain::values::Sequence;
use evenkeel_ports::{LeaseStore, LeaseTerms};
use evenkeel_sqlite::StoreReader;
use expect_test::expect;
use std::fmt::Write;

#[test]
fn a_store_is_listed_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    furnish(&path);
    // One that runs is in nobody's way.
    let running = open(&path);
    let reader = StoreReader::open(&path).unwrap();
    let mut text = String::new();
    assert_eq!(reader.portfolio(&id("nobody")).unwrap(), None);
    for status in reader.portfolios().unwrap() {
        assert_eq!(reader.portfolio(&status.portfolio).unwrap().as_ref(), Some(&status), "alone as in the list");
        let (head, open) = (status.head, status.open_batch.map_or("none".to_owned(), |batch| batch.to_string()));
        let (portfolio, standing, at) = (&status.portfolio, &status.standing, status.changed_at);
        writeln!(
            text,
            "{portfolio}: {standing}, record {} under token {} at {at}, open: {open}",
            head.sequence, head.token
        )
        .unwrap();
        if let Some(lease) = &status.lease {
            writeln!(text, "  lease {} of {} until {}, ended: {}", lease.token, lease.holder, lease.until, lease.ended)
                .unwrap();
        }
        for batch in reader.batches(portfolio).unwrap() {
            let closed = batch.closed.map_or("-".to_owned(), |closed| closed.to_string());
            writeln!(text, "  batch {:?}: {} to {closed} {}", batch.batch.unwrap(), batch.opened, batch.outcome)
                .unwrap();
        }
        for line in reader.lines(portfolio, Sequence::ZERO).unwrap() {
            writeln!(text, "  {:>2} {} {} {}", line.place, line.sequence, line.kind, line.at).unwrap();
        }
    }
    for alert in reader.pending_alerts().unwrap() {
        writeln!(text, "alert {}/{}: {}", alert.portfolio, alert.sequence, alert.text).unwrap();
    }
    for halt in reader.halts().unwrap() {
        writeln!(text, "{halt}").unwrap();
    }
    writeln!(text, "{} words about halts", reader.halt_words().unwrap().len()).unwrap();
    expect![[r#"
        growth: rebalancing, record 7 under token 1 at 2023-11-14T22:13:20.123456789Z, open: 00000000-0000-0000-0000-000000000007
          lease 2 of worker until 1970-01-01T00:01:00Z, ended: true
          batch BatchId(00000000-0000-0000-0000-000000000007): 3 to 6 stale
          batch BatchId(00000000-0000-0000-0000-000000000007): 7 to - 
           1 1 cash_moved 2023-11-14T22:13:20.123456789Z
           2 2 cash_moved 2023-11-14T22:13:20.123456789Z
           4 3 opened 2023-11-14T22:13:20.123456789Z
           5 4 cash_moved 2023-11-14T22:13:20.123456789Z
           6 5 cash_moved 2023-11-14T22:13:20.123456789Z
           7 6 closed 2023-11-14T22:13:20.123456789Z
          12 7 retried 2023-11-14T22:13:20.123456789Z
        income: absent, record 2 under token 4 at 2023-11-14T22:13:20.123456789Z, open: none
           3 1 cash_moved 2023-11-14T22:13:20.123456789Z
          13 2 cash_moved 2023-11-14T22:13:20.123456789Z
        third: rebalancing, record 4 under token 0 at 2023-11-14T22:13:20.123456789Z, open: 00000000-0000-0000-0000-000000000009
          batch BatchId(00000000-0000-0000-0000-000000000008): 2 to 3 completed
          batch BatchId(00000000-0000-0000-0000-000000000009): 4 to - 
           8 1 cash_moved 2023-11-14T22:13:20.123456789Z
           9 2 opened 2023-11-14T22:13:20.123456789Z
          10 3 closed 2023-11-14T22:13:20.123456789Z
          11 4 opened 2023-11-14T22:13:20.123456789Z
        alert growth/6: record 6 of growth went wrong
        alert income/2: record 2 of income went wrong
        the portfolio third was halted by ann at 1970-01-01T00:00:00Z (freeze): a strange price
        the symbol META was halted by ann at 1970-01-01T00:00:00Z (freeze): a strange price
        4 words about halts
    "#]].assert_eq(&text);
    // What is written meanwhile is seen.
    write(&running, "income", vec![note(9)]);
    assert_eq!(reader.lines(&id("income"), Sequence::new(2)).unwrap().len(), 1);
}

#[test]
fn a_batch_is_read_over_all_its_times() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    furnish(&path);
    let store = open(&path);
    write(&store, "growth", vec![note(8), common::closed(evenkeel_domain::record::Outcome::Restored), note(9)]);
    let reader = StoreReader::open(&path).unwrap();
    let lines = reader.batch_lines(BatchId::from_u128(7)).unwrap();
    let kinds: Vec<String> = lines.iter().map(|line| format!("{} {}", line.sequence, line.kind)).collect();
    expect![[r#"
        [
            "3 opened",
            "4 cash_moved",
            "5 cash_moved",
            "6 closed",
            "7 retried",
            "8 cash_moved",
            "9 closed",
        ]
    "#]]
    .assert_debug_eq(&kinds);
    assert_eq!(reader.batch_lines(BatchId::from_u128(99)).unwrap(), []);
    assert_eq!(reader.lines(&id("nobody"), Sequence::ZERO).unwrap(), []);
}

/// A lease below the fence could never write: whatever became of the leases, the next is above it.
#[test]
fn leases_are_above_the_fence() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    furnish(&path);
    let store = open(&path);
    let lease = block_on(store.acquire(&id("income"), &"worker".parse().unwrap(), LeaseTerms::default())).unwrap();
    assert_eq!(lease.token.get(), 5, "records of income were written under token 4, without a lease");
}

/// The locks of this process on a file, as the kernel lists them; `None` where it does not.
fn locks_on(path: &std::path::Path) -> Option<Vec<String>> {
    #[cfg(unix)]
    let number = std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(path).unwrap());
    #[cfg(not(unix))]
    let number = path.display();
    let (process, number) = (std::process::id().to_string(), format!(":{number}"));
    let all = std::fs::read_to_string("/proc/locks").ok()?;
    // `7: POSIX  ADVISORY  READ 4711 fe:00:815 1073741826 1073742335`
    let fields = |line: &str| line.split_whitespace().skip(1).map(str::to_owned).collect::<Vec<_>>();
    let ours = |fields: &Vec<String>| fields[3] == process && fields[4].ends_with(&number);
    let mut locks: Vec<String> = all.lines().map(fields).filter(ours).map(|fields| fields.join(" ")).collect();
    locks.sort();
    Some(locks)
}

/// Without its lock another process would believe to be the last one when it closes the file, and remove the WAL.
#[test]
fn whoever_looks_at_a_store_leaves_the_locks_of_those_who_write_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let running = open(&path);
    write(&running, "growth", vec![note(1)]);
    let held = locks_on(&path);
    assert!(held.as_ref().is_none_or(|held| !held.is_empty()), "SQLite locks a file that is open");
    drop(StoreReader::open(&path).unwrap());
    drop(open(&path));
    assert_eq!(locks_on(&path), held);
    // Once it is closed it is looked at again before it is opened: this one has been replaced by something else.
    drop(running);
    std::fs::write(&path, "no store").unwrap();
    assert!(StoreReader::open(&path).unwrap_err().to_string().contains("less than any store has"));
}
