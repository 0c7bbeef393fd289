//! A write whose end is unknown is told as that, by whatever way it was asked for; one that provably wrote nothing is not.
//!
//! A commit that meets an I/O error of the system is in `tests/processes.rs`, a full file and a full disk in `tests/trouble.rs`.

use crate::error::Unwritten;
use crate::writer::Fault;
use crate::{Options, SqliteStore};
use evenkeel_conformance::suite::block_on;
use evenkeel_domain::halt::{Halt, HaltMode, Release, Scope};
use evenkeel_domain::values::Timestamp;
use evenkeel_memory::ManualClock;
use evenkeel_ports::{Journal, JournalError};
use rusqlite::Connection;
use std::sync::Arc;

fn open(options: Options) -> (tempfile::TempDir, SqliteStore) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open_with(path, Arc::new(ManualClock::new(Timestamp::EPOCH)), options).unwrap();
    (folder, store)
}

fn halt(why: &str) -> Halt {
    let (who, at) = ("ann".to_owned(), Timestamp::EPOCH);
    Halt { scope: Scope::Everything, mode: HaltMode::Freeze, who, why: why.to_owned(), at }
}

fn release() -> Release {
    let (who, why, at) = ("ann".to_owned(), "it is over".to_owned(), Timestamp::EPOCH);
    Release { scope: Scope::Everything, who, why, at }
}

#[test]
fn a_word_about_halts_that_may_have_been_written_is_told_as_unknown_and_can_be_said_again() {
    for (fault, was_written) in [(Fault::SilentAfter, true), (Fault::SilentBefore, false)] {
        let (_folder, store) = open(Options::default());
        let fail_next = || *store.writer().fault.lock().unwrap() = Some(fault);
        let standing = || block_on(store.halts()).unwrap();

        fail_next();
        let halted = block_on(store.halt(&halt("the feed")));
        assert!(matches!(halted, Err(JournalError::Unknown { .. })), "{halted:?}");
        assert_eq!(standing().len(), usize::from(was_written));
        block_on(store.halt(&halt("the feed"))).unwrap();
        assert_eq!(standing(), [halt("the feed")]);

        fail_next();
        let released = block_on(Journal::release(&store, &release()));
        assert!(matches!(released, Err(JournalError::Unknown { .. })), "{released:?}");
        assert_eq!(standing().len(), usize::from(!was_written));
        assert_eq!(block_on(Journal::release(&store, &release())), Ok(!was_written));
        assert_eq!(standing(), []);
    }
}

/// A file that may not grow any more refuses before the commit is marked.
#[test]
fn a_word_about_halts_that_does_not_fit_is_told_as_not_written() {
    let (_folder, store) = open(Options { largest: Some(150_000), ..Options::default() });
    let why = "x".repeat(10_000);
    let mut said = 0;
    let failed = loop {
        match block_on(store.halt(&halt(&format!("{said} {why}")))) {
            Ok(()) => said += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(failed, JournalError::Unavailable { .. }), "{failed:?}");
    let last: usize = said - 1;
    assert_eq!(block_on(store.halts()).unwrap(), [halt(&format!("{last} {why}"))], "the last that was answered stands");
}

/// What SQLite answers to a COMMIT, and what that proves.
#[test]
fn only_what_fails_before_the_commit_is_marked_is_told_as_not_written() {
    let proves_nothing_written = |code: i32| {
        let error = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
        matches!(Unwritten::of_commit(&error), Unwritten::Nothing(_))
    };
    use rusqlite::ffi;
    for code in [ffi::SQLITE_FULL, ffi::SQLITE_BUSY, ffi::SQLITE_READONLY, ffi::SQLITE_CONSTRAINT_COMMITHOOK] {
        assert!(proves_nothing_written(code), "{code}");
    }
    for code in [
        ffi::SQLITE_IOERR,
        ffi::SQLITE_IOERR_FSYNC,
        ffi::SQLITE_IOERR_WRITE,
        ffi::SQLITE_IOERR_SHMMAP,
        ffi::SQLITE_CORRUPT,
        ffi::SQLITE_NOMEM,
        ffi::SQLITE_INTERRUPT,
        ffi::SQLITE_ERROR,
    ] {
        assert!(!proves_nothing_written(code), "{code}");
    }
    // And a COMMIT that is refused writes nothing.
    let connection = Connection::open_in_memory().unwrap();
    let refused =
        "CREATE TABLE one (a); CREATE TABLE two (a PRIMARY KEY, b REFERENCES two (a) DEFERRABLE INITIALLY DEFERRED);
        PRAGMA foreign_keys = ON; BEGIN; INSERT INTO one VALUES (1); INSERT INTO two VALUES (1, 2); COMMIT";
    let error = connection.execute_batch(refused).unwrap_err();
    assert!(matches!(Unwritten::of_commit(&error), Unwritten::Nothing(_)), "{error}");
}
