//! Damage is found: every row that is changed, missing or exchanged, and every byte of every cell.

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

use common::{furnish, id};
use evenkeel_domain::values::Sequence;
use evenkeel_sqlite::{SqliteStore, StoreReader};
use expect_test::{Expect, expect};
use proptest::prelude::*;
use rusqlite::Connection;
use rusqlite::types::Value;
use std::path::Path;
use std::sync::{Arc, LazyLock};

/// The bytes of a closed store with one of everything.
static WHOLE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    furnish(&path);
    assert!(!folder.path().join("store.db-wal").exists(), "it is closed, and all of it in one file");
    std::fs::read(path).unwrap()
});

/// What is found in a store after `change`.
fn found(change: impl FnOnce(&Path)) -> Result<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    std::fs::write(&path, &*WHOLE).unwrap();
    change(&path);
    let reader = StoreReader::open(&path).map_err(|e| e.to_string().replace(&*path.to_string_lossy(), "FILE"))?;
    let verified = reader.verify().map_err(|e| e.to_string())?;
    match verified.broken {
        None => Ok(format!("{} rows, {} portfolios", verified.rows, verified.portfolios)),
        Some(broken) => Err(format!("{broken} ({} rows whole)", verified.rows)),
    }
}

fn raw(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON").unwrap();
    connection
}

#[test]
fn a_whole_store_is_found_whole() {
    assert_eq!(found(|_| ()), Ok("13 rows, 3 portfolios".to_owned()));
}

fn check(sql: &str, expected: &Expect) {
    let found = found(|path| raw(path).execute_batch(sql).unwrap());
    expected.assert_eq(&found.expect_err(sql));
}

#[test]
fn missing_and_exchanged_rows_are_named() {
    let cases = [
        (
            "UPDATE lease SET token = 0",
            expect!["row 1 of lease of growth: its token is 0, below that of the last record, 1 (13 rows whole)"],
        ),
        (
            "UPDATE lease SET holder = 'two words'",
            expect![[
                r#"row 1 of lease of growth: "two words" is not an owner id: ' ' is not allowed, only ASCII letters, digits, '-', '_', '.' and ':' are (13 rows whole)"#
            ]],
        ),
        (
            "DELETE FROM journal WHERE place = 4",
            expect!["row 4 of journal: it is missing: the next is 5 (3 rows whole)"],
        ),
        (
            "DELETE FROM journal WHERE place = 13",
            expect!["row 13 of journal: the journal should have 13 rows, and has 12 (12 rows whole)"],
        ),
        (
            "DELETE FROM journal WHERE place = 13; UPDATE store SET rows = 12",
            expect![
                "row 2 of portfolio of income: sequence, token, place and time of the last record should be (1, 0, 3, 1700000000123456789), and are (2, 4, 13, 1700000000123456789) (12 rows whole)"
            ],
        ),
        (
            "UPDATE journal SET place = -1 WHERE place = 4; UPDATE journal SET place = 4 WHERE place = 5; UPDATE journal SET place = 5 WHERE place = -1",
            expect!["row 4 of journal of growth: its hash is not that of its columns: it was changed (3 rows whole)"],
        ),
        (
            "UPDATE journal SET token = token + 1 WHERE place = 6",
            expect!["row 6 of journal of growth: its hash is not that of its columns: it was changed (5 rows whole)"],
        ),
        (
            "UPDATE journal SET kind = 'closed' WHERE place = 6",
            expect!["row 6 of journal of growth: its hash is not that of its columns: it was changed (5 rows whole)"],
        ),
        (
            "UPDATE journal SET portfolio = 2 WHERE place = 6",
            expect!["row 6 of journal of income: its hash is not that of its columns: it was changed (5 rows whole)"],
        ),
        (
            "DELETE FROM journal WHERE portfolio = 3; DELETE FROM portfolio WHERE number = 3",
            expect!["row 8 of journal: it is missing: the next is 12 (7 rows whole)"],
        ),
        (
            "UPDATE portfolio SET token = 9 WHERE id = 'growth'",
            expect![
                "row 1 of portfolio of growth: sequence, token, place and time of the last record should be (7, 1, 12, 1700000000123456789), and are (7, 9, 12, 1700000000123456789) (13 rows whole)"
            ],
        ),
        (
            "UPDATE portfolio SET standing = 'active' WHERE id = 'growth'",
            expect![[
                r#"row 1 of portfolio of growth: its records lead to (Projection { standing: "rebalancing", batch: "00000000-0000-0000-0000-000000000007", open: true }, Some(4)), and it says (Projection { standing: "active", batch: "00000000-0000-0000-0000-000000000007", open: true }, Some(4)) (13 rows whole)"#
            ]],
        ),
        (
            "UPDATE portfolio SET id = 'other' WHERE id = 'growth'",
            expect!["row 1 of journal of other: its hash is not that of its columns: it was changed (0 rows whole)"],
        ),
        (
            "UPDATE batch SET closed = 4, outcome = 'completed' WHERE number = 3",
            expect![[
                r#"row 3 of portfolio of third: its records lead to (Projection { standing: "rebalancing", batch: "00000000-0000-0000-0000-000000000009", open: true }, Some(3)), and it says (Projection { standing: "rebalancing", batch: "00000000-0000-0000-0000-000000000009", open: false }, Some(3)) (13 rows whole)"#
            ]],
        ),
        (
            "DELETE FROM batch WHERE number = 4",
            expect![[
                r#"row 1 of portfolio of growth: its records lead to (Projection { standing: "rebalancing", batch: "00000000-0000-0000-0000-000000000007", open: true }, Some(4)), and it says (Projection { standing: "rebalancing", batch: "", open: false }, Some(4)) (13 rows whole)"#
            ]],
        ),
        (
            "DELETE FROM outbox WHERE number = 2",
            expect!["row 2 of outbox: it is missing: the next is 3 (13 rows whole)"],
        ),
        (
            "DELETE FROM outbox WHERE number = 3",
            expect![
                "row 13 of journal of income: the alerts of this commit are not in the outbox as they were written (13 rows whole)"
            ],
        ),
        (
            "UPDATE outbox SET acknowledged = zeroblob(32) WHERE number = 2",
            expect!["row 2 of outbox of growth: the mark of its acknowledgement is of another alert (13 rows whole)"],
        ),
        (
            "DELETE FROM halt WHERE number = 4",
            expect!["row 3 of halt: None follows it, and it says Some(4) (13 rows whole)"],
        ),
        (
            "UPDATE halt SET followed_by = 4 WHERE number = 1",
            expect!["row 1 of halt: None follows it, and it says Some(4) (13 rows whole)"],
        ),
        (
            "UPDATE store SET id = '00000000000000000000000000000007'",
            expect![
                "row 1 of journal of growth: it does not follow record 0: one between is missing or changed (0 rows whole)"
            ],
        ),
        (
            "UPDATE migration SET checksum = 'x'",
            expect![[
                r#"FILE is damaged: migration 1 should be ("0001_store", "8d928e67103f639c08dc818a7648361dead33c904c74103084706b512505b874"), but the file says Some(("0001_store", "x"))"#
            ]],
        ),
        (
            "DROP INDEX one_open_batch",
            expect!["FILE is damaged: index one_open_batch is not as the migrations make it"],
        ),
    ];
    for (sql, expected) in cases {
        check(sql, &expected);
    }
}

/// Whoever works on a damaged record is told, and gets no record at all.
#[test]
fn a_damaged_record_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    furnish(&path);
    raw(&path).execute_batch("UPDATE journal SET record = replace(record, 'movement-2', 'movement-9')").unwrap();
    let reader = StoreReader::open(&path).unwrap();
    let error = reader.lines(&id("growth"), Sequence::ZERO).unwrap_err();
    expect!["record 2 of growth cannot be understood: row 2 is not what was written"].assert_eq(&error.to_string());
    assert_eq!(reader.lines(&id("income"), Sequence::ZERO).unwrap().len(), 2, "others can be read");
    assert_eq!(reader.lines(&id("growth"), Sequence::new(2)).unwrap().len(), 5, "and what comes after it");
}

const TABLES: [&str; 6] = ["journal", "portfolio", "batch", "outbox", "halt", "store"];

/// Changes one bit of one cell. `place` chooses among the cells that hold something, `byte` among the bytes of that one.
fn flip(path: &Path, place: impl Fn(usize) -> usize, byte: impl Fn(usize) -> usize, bit: u8) -> Option<String> {
    let connection = raw(path);
    let mut cells = Vec::new();
    for table in TABLES {
        let mut query = connection.prepare(&format!("SELECT rowid, * FROM {table}")).unwrap();
        let columns: Vec<String> = query.column_names().skip(1).map(str::to_owned).collect();
        let mut rows = query.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let number: i64 = row.get(0).unwrap();
            for (column, name) in columns.iter().enumerate() {
                cells.push((table, number, name.clone(), row.get::<_, Value>(column + 1).unwrap()));
            }
        }
    }
    cells.retain(|(.., value)| !matches!(value, Value::Null));
    let (table, number, column, value) = cells[place(cells.len())].clone();
    let turn = |mut bytes: Vec<u8>| {
        let place = byte(bytes.len().max(1));
        match bytes.get_mut(place) {
            Some(byte) => *byte ^= 1 << bit,
            // An empty text or blob: something is there now.
            None => bytes.push(b'x'),
        }
        bytes
    };
    let (value, kind) = match value {
        Value::Integer(number) => {
            let bytes = turn(number.to_be_bytes().to_vec());
            (Value::Integer(i64::from_be_bytes(bytes.try_into().unwrap())), "INTEGER")
        }
        Value::Text(text) => (Value::Blob(turn(text.into_bytes())), "TEXT"),
        Value::Blob(blob) => (Value::Blob(turn(blob)), "BLOB"),
        Value::Null | Value::Real(_) => return None,
    };
    let update = format!("UPDATE {table} SET {column} = CAST(?1 AS {kind}) WHERE rowid = ?2");
    // A value that another row has cannot be written, and so is no damage.
    connection.execute(&update, rusqlite::params![value, number]).ok()?;
    Some(format!("{column} of row {number} of {table}"))
}

#[test]
fn no_cell_of_any_row_is_left_out() {
    let (mut place, mut cells) = (0, 1);
    let mut columns = std::collections::BTreeSet::new();
    while place < cells {
        let mut cell = None;
        let count = std::cell::Cell::new(0);
        let choose = |all| {
            count.set(all);
            place
        };
        // The last bit that counts: the difference between one number and the next.
        let found = found(|path| cell = flip(path, choose, |bytes| bytes - 1, 0));
        if let Some(cell) = cell {
            assert!(found.is_err(), "{cell}: {found:?}");
            columns.insert(cell.replace(|letter: char| letter.is_ascii_digit(), ""));
        }
        (place, cells) = (place + 1, count.get());
    }
    assert_eq!(columns.len(), 42, "every column of every table: {columns:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_changed_bit_of_any_cell_is_found(place: prop::sample::Index, byte: prop::sample::Index, bit in 0_u8..8) {
        let mut cell = None;
        let found = found(|path| cell = flip(path, |cells| place.index(cells), |bytes| byte.index(bytes), bit));
        prop_assume!(cell.is_some());
        prop_assert!(found.is_err(), "{cell:?}: {found:?}");
    }

    /// A byte of the file may be one that nothing uses. Then everything reads as before.
    #[test]
    fn a_changed_byte_of_the_file_is_found_or_changes_nothing(place: prop::sample::Index, change in 1_u8..) {
        let mut lines = None;
        let found = found(|path| {
            let mut bytes = WHOLE.clone();
            let place = place.index(bytes.len());
            bytes[place] ^= change;
            std::fs::write(path, bytes).unwrap();
            lines = everything(path);
        });
        prop_assert!(found.is_err() || lines == *EVERYTHING, "{found:?}: {lines:?}");
    }
}

static EVERYTHING: LazyLock<Option<String>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    std::fs::write(&path, &*WHOLE).unwrap();
    Some(everything(&path).unwrap())
});

/// All that a reader shows, leases left out.
fn everything(path: &Path) -> Option<String> {
    let reader = StoreReader::open(path).ok()?;
    let mut portfolios = reader.portfolios().ok()?;
    portfolios.iter_mut().for_each(|status| status.lease = None);
    let mut text = format!("{:?} {portfolios:?} {:?}", reader.store_id().ok()?, reader.pending_alerts().ok()?);
    for status in &portfolios {
        text += &format!("{:?}", reader.lines(&status.portfolio, Sequence::ZERO).ok()?);
        text += &format!("{:?}", reader.batches(&status.portfolio).ok()?);
    }
    Some(text + &format!("{:?}", reader.halt_words().ok()?))
}

/// A truncated file is refused when it is opened, wherever it ends.
#[test]
fn a_truncated_file_is_refused() {
    for length in [0, 1, 99, 100, 4_095, 4_096, WHOLE.len() / 2, WHOLE.len() - 4_096, WHOLE.len() - 1] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        std::fs::write(&path, &WHOLE[..length]).unwrap();
        let reader = StoreReader::open(&path).map(drop).expect_err("a reader");
        let writer = SqliteStore::open(&path, Arc::new(common::clock())).map(drop).expect_err("a store");
        assert_eq!(reader, writer, "{length} bytes");
        assert_eq!(std::fs::metadata(&path).unwrap().len(), length as u64, "it is left as it is");
    }
}

#[test]
fn a_store_whose_heads_are_not_its_last_records_is_not_opened_to_be_written() {
    for sql in [
        "UPDATE portfolio SET hash = zeroblob(32) WHERE number = 1",
        "UPDATE portfolio SET sequence = sequence + 1 WHERE number = 2",
        "UPDATE portfolio SET token = token + 1 WHERE number = 3",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        std::fs::write(&path, &*WHOLE).unwrap();
        assert_eq!(raw(&path).execute(sql, []).unwrap(), 1);
        let clock = evenkeel_memory::ManualClock::new(evenkeel_domain::values::Timestamp::EPOCH);
        let opened = SqliteStore::open(&path, Arc::new(clock));
        assert!(matches!(opened, Err(evenkeel_sqlite::OpenError::Damaged { .. })), "{sql}: {:?}", opened.err());
    }
}
