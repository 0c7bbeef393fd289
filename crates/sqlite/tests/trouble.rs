//! What goes wrong around a store: each time a typed answer, nothing lost that was acknowledged, and no success that was none.

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

use common::{append, clock, commit, id, note, open, write};
use evenkeel_conformance::suite::block_on;
use evenkeel_domain::values::Sequence;
use evenkeel_ports::{AcquireError, CommitOutcome, Journal, LeaseStore, LeaseTerms};
use evenkeel_sqlite::{OpenError, Options, SqliteStore, StoreReader};
use expect_test::{Expect, expect};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    (folder, path)
}

fn open_with(path: &Path, options: Options) -> Result<SqliteStore, OpenError> {
    SqliteStore::open_with(path, Arc::new(clock()), options)
}

/// The acknowledged records must be there, and the store whole.
fn holds(path: &Path, portfolio: &str, records: u64) {
    let reader = StoreReader::open(path).unwrap();
    let read = reader.lines(&id(portfolio), Sequence::ZERO).unwrap();
    let numbers = (1..=records).map(Sequence::new);
    assert!(read.iter().map(|line| line.sequence).eq(numbers), "{records} records of {portfolio}: {read:?}");
    assert_eq!(reader.verify().unwrap().broken, None);
}

/// Refused by both, the store and the reader; `change` makes the file out of that of a closed store.
fn check_refused(change: impl FnOnce(&Path), expected: &Expect) {
    let (_folder, path) = place();
    write(&open(&path), "growth", vec![note(1)]);
    change(&path);
    let refused = SqliteStore::open(&path, Arc::new(clock())).map(drop).expect_err("a store");
    expected.assert_eq(&format!("{refused:?}\n{refused}").replace(&*path.to_string_lossy(), "FILE"));
    let looked = StoreReader::open(&path).map(drop).expect_err("a reader");
    assert_eq!(looked, refused);
}

#[test]
fn files_that_are_no_store_are_refused() {
    check_refused(
        |path| std::fs::write(path, "id,cash\ngrowth,100.00\n".repeat(100)).unwrap(),
        &expect![[r#"
        NotOurs { path: "FILE", message: "it is no SQLite database" }
        FILE is not a store of Evenkeel: it is no SQLite database"#]],
    );
    check_refused(
        |path| {
            std::fs::remove_file(path).unwrap();
            Connection::open(path).unwrap().execute_batch("CREATE TABLE bank (id INTEGER PRIMARY KEY)").unwrap();
        },
        &expect![[r#"
            NotOurs { path: "FILE", message: "its application id is 0x0, not 0x45564b4c" }
            FILE is not a store of Evenkeel: its application id is 0x0, not 0x45564b4c"#]],
    );
    check_refused(
        |path| Connection::open(path).unwrap().pragma_update(None, "user_version", 8).unwrap(),
        &expect![[r#"
            Newer { path: "FILE", found: 8, known: 1 }
            FILE has the layout 8, and this program knows layouts up to 1: use the program that wrote it, or a newer one"#]],
    );
    check_refused(
        |path| {
            std::fs::remove_file(path).unwrap();
            std::fs::write(path.with_extension("db-wal"), [7; 4_096]).unwrap();
        },
        &expect![[r#"
            Damaged { path: "FILE", message: "the file is gone, but its WAL is still beside it: restore the file, or move the WAL away" }
            FILE is damaged: the file is gone, but its WAL is still beside it: restore the file, or move the WAL away"#]],
    );
}

#[test]
fn a_reader_makes_no_store() {
    let (folder, path) = place();
    assert_eq!(StoreReader::open(&path).map(drop), Err(OpenError::Missing { path: path.clone() }));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let nowhere = folder.path().join("no-such-folder").join("store.db");
    let refused = SqliteStore::open(&nowhere, Arc::new(clock())).map(drop);
    assert!(matches!(refused, Err(OpenError::Unavailable { .. })), "{refused:?}");
}

/// What an attempt to make a store left behind when it was killed is no store, and in nobody's way.
#[test]
fn a_store_exists_whole_or_not_at_all() {
    let (folder, path) = place();
    std::fs::write(folder.path().join("store.db.new"), "half a store").unwrap();
    std::fs::write(folder.path().join("store.db.new-journal"), "half a journal").unwrap();
    write(&open(&path), "growth", vec![note(1)]);
    let mut left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["store.db", "store.db.lock"]);
    holds(&path, "growth", 1);
}

/// Fills the store until it refuses, and goes on when there is room again.
fn fill(store: &SqliteStore, portfolio: &str) -> u64 {
    let mut written = 0;
    loop {
        let records = vec![note(written); 20];
        match block_on(store.commit(commit(portfolio, written, records))) {
            CommitOutcome::Committed => written += 20,
            CommitOutcome::Failed { message } => {
                assert!(message.contains("full") || message.contains("disk I/O"), "{message}");
                return written;
            }
            other => panic!("{other:?}"),
        }
        assert!(written < 100_000, "the disk should be full by now");
    }
}

#[test]
fn a_full_file_fails_and_loses_nothing() {
    let (_folder, path) = place();
    let largest = Options { largest: Some(300_000), ..Options::default() };
    let store = open_with(&path, largest).unwrap();
    let written = fill(&store, "growth");
    assert_eq!(block_on(store.head(&id("growth"))).unwrap().sequence, Sequence::new(written), "it can still be read");
    drop(store);
    holds(&path, "growth", written);
    write(&open(&path), "growth", vec![note(1)]);
    holds(&path, "growth", written + 1);
}

/// Needs the right to mount: says so if it is not there.
#[test]
fn a_full_disk_fails_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=600k", "tmpfs"]).arg(folder.path()).output();
    if !mounted.is_ok_and(|mounted| mounted.status.success()) {
        eprintln!(
            "SKIPPED: no small disk can be mounted here; a_full_file_fails_and_loses_nothing shows the same with a limit"
        );
        return;
    }
    let path = folder.path().join("store.db");
    let outcome = std::panic::catch_unwind(|| {
        let store = SqliteStore::open(&path, Arc::new(clock())).unwrap();
        let written = fill(&store, "growth");
        // Somebody else's file fills what is left; then it is removed.
        let other = folder.path().join("other");
        drop(std::fs::write(&other, vec![0; 600_000]));
        let more = fill(&store, "income");
        std::fs::remove_file(other).unwrap();
        write(&store, "income", vec![note(1)]);
        drop(store);
        holds(&path, "growth", written);
        holds(&path, "income", more + 1);
    });
    assert!(Command::new("umount").arg(folder.path()).status().unwrap().success());
    assert!(outcome.is_ok(), "see above");
}

#[test]
fn a_busy_file_fails_after_its_patience() {
    let (_folder, path) = place();
    let store = open_with(&path, Options { busy: Duration::from_millis(20), ..Options::default() }).unwrap();
    write(&store, "growth", vec![note(1)]);
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let outcome = append(&store, "growth", vec![note(2)]);
    let CommitOutcome::Failed { message } = outcome else { panic!("{outcome:?}") };
    expect!["beginning a transaction: database is locked; another process keeps the file busy"].assert_eq(&message);
    let busy = block_on(store.acquire(&id("growth"), &"worker".parse().unwrap(), LeaseTerms::default()));
    assert!(matches!(busy, Err(AcquireError::Unavailable { .. })), "{busy:?}");
    assert_eq!(block_on(store.head(&id("growth"))).unwrap().sequence, Sequence::new(1), "it can be read meanwhile");
    other.execute_batch("ROLLBACK").unwrap();
    write(&store, "growth", vec![note(2)]);
    drop(store);
    holds(&path, "growth", 2);
}

/// What happens to the file while it is open; then nothing is acknowledged any more.
fn check_taken_away(take: impl FnOnce(&Path), expected: &Expect) {
    let (_folder, path) = place();
    let store = open(&path);
    write(&store, "growth", vec![note(1)]);
    take(&path);
    let outcome = block_on(store.commit(commit("growth", 1, vec![note(2)])));
    let CommitOutcome::Failed { message } = outcome else { panic!("{outcome:?}") };
    expected.assert_eq(&message.replace(&*path.to_string_lossy(), "FILE"));
    let read = block_on(store.head(&id("growth")));
    assert!(read.is_err(), "{read:?}");
}

#[test]
#[cfg(unix)]
fn a_file_that_was_taken_away_is_noticed() {
    check_taken_away(
        |path| std::fs::remove_file(path).unwrap(),
        &expect!["FILE was deleted while it was open: stop, and look"],
    );
    check_taken_away(
        |path| std::fs::rename(path, path.with_extension("old")).unwrap(),
        &expect!["FILE was deleted while it was open: stop, and look"],
    );
    check_taken_away(
        |path| std::fs::remove_file(path.with_extension("db-wal")).unwrap(),
        &expect!["FILE-wal was deleted while it was open: stop, and look"],
    );
    check_taken_away(
        |path| {
            std::fs::copy(path, path.with_extension("copy")).unwrap();
            std::fs::rename(path.with_extension("copy"), path).unwrap();
        },
        &expect!["FILE was replaced while it was open: stop, and look"],
    );
}

fn permit(path: &Path, writable: bool) {
    use std::os::unix::fs::PermissionsExt;
    let mode = match (path.is_dir(), writable) {
        (true, true) => 0o755,
        (true, false) => 0o555,
        (false, true) => 0o644,
        (false, false) => 0o444,
    };
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Needs a user whom permissions bind: says so when it is run by one who may write everywhere.
#[test]
#[cfg(unix)]
fn what_may_not_be_written_is_refused_and_can_be_read() {
    let (folder, path) = place();
    write(&open(&path), "growth", vec![note(1)]);
    permit(&path, false);
    if std::fs::File::options().write(true).open(&path).is_ok() {
        eprintln!("SKIPPED: this user may write what nobody may write");
        return;
    }
    let refused = SqliteStore::open(&path, Arc::new(clock())).map(drop);
    assert!(matches!(refused, Err(OpenError::ReadOnly { .. })), "{refused:?}");
    holds(&path, "growth", 1);
    permit(folder.path(), false);
    let refused = SqliteStore::open(&path, Arc::new(clock())).map(drop);
    assert!(matches!(refused, Err(OpenError::ReadOnly { .. })), "{refused:?}");
    holds(&path, "growth", 1);
    let new = SqliteStore::open(folder.path().join("new.db"), Arc::new(clock())).map(drop);
    assert!(matches!(new, Err(OpenError::ReadOnly { .. })), "{new:?}");
    permit(folder.path(), true);
    permit(&path, true);
    write(&open(&path), "growth", vec![note(2)]);
    holds(&path, "growth", 2);
}
