//! Halts: every word of a person that let one stand or took it back, in order, chained like the journal; the last word on a scope stands.

use crate::chain::{self, Hash};
use evenkeel_domain::halt::{Halt, Release, Scope};
use evenkeel_domain::record::Event;
use evenkeel_domain::values::{PortfolioId, StoreId};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// A word, as it stands in the file.
#[derive(Debug, Clone)]
pub(crate) struct WordRow {
    pub(crate) number: i64,
    pub(crate) kind: String,
    pub(crate) scope: String,
    pub(crate) word: String,
    /// The next word on the same scope.
    pub(crate) followed_by: Option<i64>,
    pub(crate) hash: Vec<u8>,
}

pub(crate) const WORDS: &str = "SELECT number, kind, scope, word, followed_by, hash FROM halt";
pub(crate) const HALT: &str = "halt";
pub(crate) const RELEASE: &str = "release";
const STANDING: &str = "kind = 'halt' AND followed_by IS NULL";

impl WordRow {
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            number: row.get(0)?,
            kind: row.get(1)?,
            scope: row.get(2)?,
            word: row.get(3)?,
            followed_by: row.get(4)?,
            hash: row.get(5)?,
        })
    }

    /// What its hash should be, after the word with the hash `previous`.
    pub(crate) fn covered(&self, previous: &[u8]) -> Hash {
        chain::word(self.number, [&self.kind, &self.scope, &self.word], previous)
    }
}

/// Something that cannot be read back, or not be written as text.
pub(crate) fn unreadable(error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(format!("a halt: {error}").into())
}

/// The halts that stand, in order of their scopes.
pub(crate) fn standing(connection: &Connection) -> rusqlite::Result<Vec<Halt>> {
    let mut query = connection.prepare_cached(&format!("SELECT word FROM halt WHERE {STANDING}"))?;
    let words = query.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    let read = |word: &String| serde_json::from_str(word).map_err(unreadable);
    let mut halts = words.iter().map(read).collect::<rusqlite::Result<Vec<Halt>>>()?;
    halts.sort_by(|one, other| one.scope.cmp(&other.scope));
    Ok(halts)
}

/// One that forbids one of these events of `portfolio`.
pub(crate) fn forbidding<'e>(
    connection: &Connection,
    portfolio: &PortfolioId,
    events: impl Iterator<Item = &'e Event> + Clone,
) -> rusqlite::Result<Option<Halt>> {
    let halts = standing(connection)?;
    Ok(halts.into_iter().find(|halt| events.clone().any(|event| halt.forbids(portfolio, event))))
}

/// Lets a halt stand in place of the one of its scope.
pub(crate) fn halt(connection: &Connection, store: StoreId, halt: &Halt) -> rusqlite::Result<()> {
    if standing(connection)?.contains(halt) {
        return Ok(());
    }
    let word = serde_json::to_string(halt).map_err(unreadable)?;
    say(connection, store, HALT, &halt.scope, word)
}

/// Takes the halt of a scope back; false if there is none.
pub(crate) fn release(connection: &Connection, store: StoreId, release: &Release) -> rusqlite::Result<bool> {
    if !standing(connection)?.iter().any(|halt| halt.scope == release.scope) {
        return Ok(false);
    }
    let word = serde_json::to_string(release).map_err(unreadable)?;
    say(connection, store, RELEASE, &release.scope, word).map(|()| true)
}

fn say(connection: &Connection, store: StoreId, kind: &str, scope: &Scope, word: String) -> rusqlite::Result<()> {
    let last = connection.query_row("SELECT number, hash FROM halt ORDER BY number DESC LIMIT 1", [], |row| {
        Ok((row.get(0)?, row.get(1)?))
    });
    let none = || (0, chain::beginning(store, "").to_vec());
    let (last, previous): (i64, Vec<u8>) = last.optional()?.unwrap_or_else(none);
    let (number, scope) = (last.saturating_add(1), serde_json::to_string(scope).map_err(unreadable)?);
    let hash = chain::word(number, [kind, &scope, &word], &previous);
    let follow = "UPDATE halt SET followed_by = ?1 WHERE scope = ?2 AND followed_by IS NULL";
    connection.execute(follow, params![number, scope])?;
    let insert = "INSERT INTO halt (number, kind, scope, word, hash) VALUES (?1, ?2, ?3, ?4, ?5)";
    connection.execute(insert, params![number, kind, scope, word, hash])?;
    connection.execute("UPDATE store SET words = ?1", [number]).map(drop)
}
