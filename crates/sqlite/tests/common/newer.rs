//! What a newer program would write into a store: a record of a version that this one does not read, in a row that is whole.
//!
//! Made from the outside, with the tables and the hash as `migrations` and `chain.rs` describe them.

use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};
use std::path::Path;

/// The version after the one that this program writes.
pub(crate) const RECORD: &str = r#"{"v":2,"at":"2026-01-05T15:00:00Z","event":{"hedged":{"with":"something new"}}}"#;

/// Appends it to the records of a portfolio that has some. The time of its row is in its columns, and need not be that of its text.
pub(crate) fn append(path: &Path, portfolio: &str) {
    let connection = Connection::open(path).unwrap();
    let head = "SELECT number, sequence, token, place, changed_at, hash, (SELECT rows FROM store) FROM portfolio WHERE id = ?1";
    let read = |row: &rusqlite::Row<'_>| {
        let numbers: [i64; 5] = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?];
        Ok((numbers, row.get::<_, Vec<u8>>(5)?, row.get::<_, i64>(6)?))
    };
    let ([number, sequence, token, before, at], previous, rows) =
        connection.query_row(head, [portfolio], read).unwrap();
    let (place, sequence, kind) = (rows.saturating_add(1), sequence.saturating_add(1), "hedged");
    let mut fields = vec![b"evenkeel/journal/1".to_vec()];
    fields.extend([place, number, sequence, token, before, at].map(|number| number.to_be_bytes().to_vec()));
    fields.extend([portfolio, kind, RECORD].map(|text| text.as_bytes().to_vec()));
    fields.extend([Vec::new(), previous.clone()]);
    let mut hash = Sha256::new();
    for field in fields {
        hash.update(u64::try_from(field.len()).unwrap().to_be_bytes());
        hash.update(field);
    }
    let hash = hash.finalize().to_vec();
    let journal =
        "INSERT INTO journal (place, portfolio, sequence, token, before, at, kind, record, alerts, previous, hash)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, x'', ?9, ?10)";
    connection
        .execute(journal, params![place, number, sequence, token, before, at, kind, RECORD, previous, hash])
        .unwrap();
    let head = "UPDATE portfolio SET sequence = ?1, place = ?2, hash = ?3 WHERE number = ?4";
    connection.execute(head, params![sequence, place, hash, number]).unwrap();
    connection.execute("UPDATE store SET rows = ?1", [place]).unwrap();
}
