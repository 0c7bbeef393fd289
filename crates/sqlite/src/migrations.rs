//! The layouts of the file, one after the other: each migration is a file in `migrations/`, applied once, in one transaction.
//!
//! A migration that was released is never edited: its checksum is kept in every store that it was applied to, and compared.

use crate::chain;
use crate::error::OpenError;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use std::collections::BTreeSet;
use std::path::Path;

/// Name and text of each, in order; the first is number 1.
pub(crate) const MIGRATIONS: [(&str, &str); 1] = [("0001_store", include_str!("../migrations/0001_store.sql"))];

const KEPT: &str = "CREATE TABLE IF NOT EXISTS migration (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL
) STRICT";

/// Applies what is missing.
pub(crate) fn bring_up_to_date(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let sort = |e: rusqlite::Error| OpenError::sorted(path, &e);
    if applied(connection, path)? > 0 {
        check_applied(connection, path)?;
    }
    for (number, (name, sql)) in (1_i64..).zip(MIGRATIONS) {
        if number <= applied(connection, path)? {
            continue;
        }
        let begun = rusqlite::Transaction::new_unchecked(connection, TransactionBehavior::Immediate);
        let transaction = begun.map_err(sort)?;
        transaction.execute_batch(KEPT).map_err(sort)?;
        transaction.execute_batch(sql).map_err(sort)?;
        let row = (number, name, chain::migration(sql));
        transaction.execute("INSERT INTO migration VALUES (?1, ?2, ?3)", row).map_err(sort)?;
        transaction.pragma_update(None, "user_version", number).map_err(sort)?;
        transaction.commit().map_err(sort)?;
    }
    Ok(())
}

/// Refuses a file whose layout is not the newest that this program knows: who only looks cannot migrate.
pub(crate) fn check(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let (found, known) = (applied(connection, path)?, newest());
    if found < known {
        let message = format!("its layout is {found}, and {known} is read: open it for writing once, to migrate it");
        return Err(OpenError::NotOurs { path: path.to_owned(), message });
    }
    check_applied(connection, path)
}

fn newest() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

fn applied(connection: &Connection, path: &Path) -> Result<i64, OpenError> {
    let sort = |e: rusqlite::Error| OpenError::sorted(path, &e);
    let found = connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(sort)?;
    let known = newest();
    if found > known {
        return Err(OpenError::Newer { path: path.to_owned(), found, known });
    }
    Ok(found)
}

fn check_applied(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let found = applied(connection, path)?;
    for (number, (name, sql)) in (1_i64..=found).zip(MIGRATIONS) {
        let query = "SELECT name, checksum FROM migration WHERE number = ?1";
        let kept = connection.query_row(query, [number], |row| Ok((row.get(0)?, row.get(1)?))).optional();
        let kept: Option<(String, String)> = kept.map_err(|e| OpenError::sorted(path, &e))?;
        let wanted = (name.to_owned(), chain::migration(sql));
        if kept.as_ref() != Some(&wanted) {
            let message = format!("migration {number} should be {wanted:?}, but the file says {kept:?}");
            return Err(OpenError::Damaged { path: path.to_owned(), message });
        }
    }
    check_layout(connection, path, found)
}

/// Compares tables and indexes with those that the migrations make: without the index, a second batch could be opened.
fn check_layout(connection: &Connection, path: &Path, found: i64) -> Result<(), OpenError> {
    let sort = |e: rusqlite::Error| OpenError::sorted(path, &e);
    let fresh = Connection::open_in_memory().map_err(sort)?;
    fresh.execute_batch(KEPT).map_err(sort)?;
    for (_, (_, sql)) in (1_i64..=found).zip(MIGRATIONS) {
        fresh.execute_batch(sql).map_err(sort)?;
    }
    let (should, is) = (layout(&fresh).map_err(sort)?, layout(connection).map_err(sort)?);
    if let Some(differs) = should.symmetric_difference(&is).next() {
        let message = format!("{} {} is not as the migrations make it", differs.0, differs.1);
        return Err(OpenError::Damaged { path: path.to_owned(), message });
    }
    Ok(())
}

/// Kind, name and definition of everything in the file that is ours.
fn layout(connection: &Connection) -> rusqlite::Result<BTreeSet<(String, String, String)>> {
    let mut query = connection.prepare("SELECT type, name, coalesce(sql, '') FROM sqlite_schema")?;
    query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A store that exists has the migrations as they were: to change one is to lock it out.
    #[test]
    fn migrations_are_as_they_were_released() {
        let line = |(number, (name, sql)): (usize, (&str, &str))| {
            assert!(name.starts_with(&format!("{number:04}_")), "{name} is number {number}");
            format!("{name} {}\n", chain::migration(sql))
        };
        let lines: String = (1..).zip(MIGRATIONS).map(line).collect();
        assert_eq!(lines, include_str!("../migrations/checksums.txt"), "add a migration, and its line; never edit one");
    }
}
