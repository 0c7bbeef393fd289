//! Verifying a whole store: every row of the journal in the order of the commits, and then everything that follows from the records.
//!
//! What is found broken is named by the row, the first one of the journal first. A store with a broken row is not repaired here.

use crate::chain::{self, Hash};
use crate::halts::{WORDS, WordRow};
use crate::leases::{LEASES, LeaseRow};
use crate::projection::{Batches, Projection};
use crate::rows::{self, JOURNAL, JournalRow, PortfolioRow};
use evenkeel_ports::codec::{self, CodecError};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::fmt;

/// What a verification came to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Verification {
    /// Rows of the journal that were found whole, before the first that was not.
    pub rows: u64,
    /// Portfolios that the store has.
    pub portfolios: u64,
    /// The first row that is not what it should be.
    pub broken: Option<Broken>,
    /// The first record of a newer version than this program reads. Its row is whole, and the chain was followed over it; whether standings and
    /// batches are what the records lead to is for a program that reads them.
    pub newer: Option<Newer>,
}

/// A record of a newer version than this program reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newer {
    /// Its place in the journal.
    pub row: i64,
    /// Whose.
    pub portfolio: String,
    /// Its version.
    pub version: u32,
}

/// A row that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The table it is in.
    pub table: &'static str,
    /// Its number there; for the journal, its place.
    pub row: i64,
    /// Its portfolio, as far as that is known.
    pub portfolio: String,
    /// What should be, and what is.
    pub message: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, row, portfolio, message } = self;
        let whose = if portfolio.is_empty() { String::new() } else { format!(" of {portfolio}") };
        write!(f, "row {row} of {table}{whose}: {message}")
    }
}

enum Stop {
    Broken(Broken),
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

type Checked = Result<(), Stop>;

fn broken(table: &'static str, row: i64, portfolio: &str, message: impl Into<String>) -> Stop {
    Stop::Broken(Broken { table, row, portfolio: portfolio.to_owned(), message: message.into() })
}

/// One portfolio, as far as its records were walked.
struct Walked {
    id: String,
    sequence: i64,
    token: i64,
    place: i64,
    hash: Hash,
    changed_at: i64,
    projection: Projection,
    batch: Option<usize>,
}

/// A time that a batch was open, as the records say.
#[derive(Debug, PartialEq, Eq)]
struct Span {
    portfolio: i64,
    id: String,
    opened: i64,
    closed: Option<i64>,
    outcome: String,
}

/// A row of the journal that covers alerts.
struct Covering {
    portfolio: i64,
    hash: Vec<u8>,
}

#[derive(Default)]
struct Walk {
    rows: i64,
    portfolios: BTreeMap<i64, Walked>,
    spans: Vec<Span>,
    newer: Option<Newer>,
    covering: BTreeMap<i64, Covering>,
}

pub(crate) fn verify(connection: &Connection) -> rusqlite::Result<Verification> {
    // One snapshot, whatever others write meanwhile.
    let snapshot = connection.unchecked_transaction()?;
    let mut walk = Walk::default();
    let found = walk.all(&snapshot);
    let broken = match found {
        Ok(()) => None,
        Err(Stop::Broken(broken)) => Some(broken),
        // A page that cannot be read, or a value of another type than its column's, is damage as well.
        Err(Stop::Sqlite(error)) if is_damage(&error) => {
            let row = walk.rows.saturating_add(1);
            Some(Broken { table: "journal or after it", row, portfolio: String::new(), message: error.to_string() })
        }
        Err(Stop::Sqlite(error)) => return Err(error),
    };
    let portfolios = u64::try_from(walk.portfolios.len()).unwrap_or(u64::MAX);
    Ok(Verification { rows: walk.rows.unsigned_abs(), portfolios, broken, newer: walk.newer })
}

fn is_damage(error: &rusqlite::Error) -> bool {
    match error.sqlite_error_code() {
        Some(code) => matches!(code, rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase),
        // Not SQLite's own: a value that is not what its column should have.
        None => true,
    }
}

impl Walk {
    fn all(&mut self, connection: &Connection) -> Checked {
        self.begin(connection)?;
        self.journal(connection)?;
        self.heads(connection)?;
        if self.newer.is_none() {
            self.batches(connection)?;
        }
        self.outbox(connection)?;
        words(connection)?;
        self.leases(connection)?;
        whole(connection)
    }

    /// Every portfolio where its chain begins.
    fn begin(&mut self, connection: &Connection) -> Checked {
        let (one, id): (i64, String) =
            connection.query_row("SELECT one, id FROM store", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        if one != 1 {
            return Err(broken("store", 1, "", format!("its number should be 1, and is {one}")));
        }
        let store = id.parse().map_err(|e| broken("store", 1, "", format!("its id: {e}")))?;
        let mut query = connection.prepare("SELECT number, id FROM portfolio ORDER BY number")?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let (number, id): (i64, String) = (row.get(0)?, row.get(1)?);
            let (hash, projection) = (chain::beginning(store, &id), Projection::new());
            let (sequence, token, place, changed_at, batch) = (0, 0, 0, 0, None);
            let walked = Walked { id, sequence, token, place, hash, changed_at, projection, batch };
            self.portfolios.insert(number, walked);
        }
        Ok(())
    }

    fn journal(&mut self, connection: &Connection) -> Checked {
        let mut query = connection.prepare(&format!("{JOURNAL} ORDER BY place"))?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            self.row(&JournalRow::read(row)?)?;
            self.rows = self.rows.saturating_add(1);
        }
        let expected: i64 = connection.query_row("SELECT rows FROM store", [], |row| row.get(0))?;
        if expected == self.rows {
            return Ok(());
        }
        let message = format!("the journal should have {expected} rows, and has {}", self.rows);
        Err(broken("journal", self.rows.saturating_add(1), "", message))
    }

    fn row(&mut self, row: &JournalRow) -> Checked {
        let place = self.rows.saturating_add(1);
        if row.place != place {
            let message = format!("it is missing: the next is {}", row.place);
            return Err(broken("journal", place, "", message));
        }
        let Some(portfolio) = self.portfolios.get_mut(&row.portfolio) else {
            return Err(broken(
                "journal",
                place,
                "",
                format!("there is no portfolio with the number {}", row.portfolio),
            ));
        };
        let id = portfolio.id.clone();
        let wrong = |message: String| Err(broken("journal", place, &id, message));
        if row.covered(&portfolio.id).as_slice() != row.hash {
            return wrong("its hash is not that of its columns: it was changed".to_owned());
        }
        if row.previous != portfolio.hash || row.before != portfolio.place {
            return wrong(format!(
                "it does not follow record {}: one between is missing or changed",
                portfolio.sequence
            ));
        }
        if row.sequence != portfolio.sequence.saturating_add(1) {
            return wrong(format!("record {} follows record {}", row.sequence, portfolio.sequence));
        }
        if row.token < portfolio.token {
            return wrong(format!("token {} after token {}: the fence was not kept", row.token, portfolio.token));
        }
        let batches = match codec::decode(&row.record) {
            Ok(record) if (row.at, row.kind.as_str()) != (record.at.nanos(), record.event.kind()) => {
                let (at, kind) = (record.at, record.event.kind());
                return wrong(format!("its record is {kind} at {at}, and its columns say {} at {}", row.kind, row.at));
            }
            // What it leads to cannot be known after a record that was not understood.
            Ok(_) if self.newer.is_some() => Batches::default(),
            Ok(record) => match portfolio.projection.take(&record.event) {
                Some(batches) => batches,
                None => return wrong("it opens a second batch".to_owned()),
            },
            Err(CodecError::Version { found: version }) if version > codec::VERSION => {
                self.newer.get_or_insert_with(|| Newer { row: place, portfolio: id.clone(), version });
                Batches::default()
            }
            Err(e) => return wrong(e.to_string()),
        };
        if let Some((span, outcome)) = portfolio.batch.and_then(|batch| self.spans.get_mut(batch)).zip(batches.closes) {
            (span.closed, span.outcome) = (Some(row.sequence), outcome.to_owned());
        }
        if let Some(id) = batches.opens {
            portfolio.batch = Some(self.spans.len());
            let (portfolio, opened, closed, outcome) = (row.portfolio, row.sequence, None, String::new());
            self.spans.push(Span { portfolio, id, opened, closed, outcome });
        }
        if !row.alerts.is_empty() {
            self.covering.insert(place, Covering { portfolio: row.portfolio, hash: row.alerts.clone() });
        }
        (portfolio.sequence, portfolio.token, portfolio.place) = (row.sequence, row.token, row.place);
        (portfolio.hash, portfolio.changed_at) = (row.covered(&id), row.at);
        Ok(())
    }

    fn heads(&self, connection: &Connection) -> Checked {
        for row in rows::portfolios(connection)? {
            let PortfolioRow { number, id, .. } = &row;
            let wrong = |message: String| Err(broken("portfolio", *number, id, message));
            let Some(walked) = self.portfolios.get(number) else {
                return wrong("it was not there when the walk began".to_owned());
            };
            let should = (walked.sequence, walked.token, walked.place, walked.changed_at);
            let is = (row.sequence, row.token, row.place, row.changed_at);
            if should != is {
                let message = "sequence, token, place and time of the last record";
                return wrong(format!("{message} should be {should:?}, and are {is:?}"));
            }
            if row.hash != walked.hash {
                return wrong("its hash is not that of its last record".to_owned());
            }
            let batch = walked.batch.and_then(|batch| i64::try_from(batch.saturating_add(1)).ok());
            if self.newer.is_none() && (&row.projection, row.batch) != (&walked.projection, batch) {
                let should = (&walked.projection, batch);
                return wrong(format!(
                    "its records lead to {should:?}, and it says {:?}",
                    (&row.projection, row.batch)
                ));
            }
        }
        Ok(())
    }

    fn batches(&self, connection: &Connection) -> Checked {
        let mut query =
            connection.prepare("SELECT number, portfolio, id, opened, closed, outcome FROM batch ORDER BY number")?;
        let mut rows = query.query([])?;
        let mut expected = (1..).zip(&self.spans);
        while let Some(row) = rows.next()? {
            let number: i64 = row.get(0)?;
            let (portfolio, id, opened) = (row.get(1)?, row.get(2)?, row.get(3)?);
            let is = Span { portfolio, id, opened, closed: row.get(4)?, outcome: row.get(5)? };
            let should = expected.next();
            if should != Some((number, &is)) {
                return Err(broken("batch", number, "", format!("the records say {should:?}, and it says {is:?}")));
            }
        }
        match expected.next() {
            None => Ok(()),
            Some((number, span)) => {
                Err(broken("batch", number, "", format!("it is missing: the records say {span:?}")))
            }
        }
    }

    fn outbox(&self, connection: &Connection) -> Checked {
        let mut query = connection
            .prepare("SELECT number, portfolio, sequence, place, alert, acknowledged FROM outbox ORDER BY number")?;
        let mut rows = query.query([])?;
        let mut found: BTreeMap<i64, Vec<(i64, String)>> = BTreeMap::new();
        let mut next = 1;
        while let Some(row) = rows.next()? {
            let (number, portfolio, sequence, place): (i64, i64, i64, i64) =
                (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            let (text, acknowledged): (String, Option<Hash>) = (row.get(4)?, row.get(5)?);
            let id = self.portfolios.get(&portfolio).map_or("", |walked| &walked.id);
            if number != next {
                return Err(broken("outbox", next, "", format!("it is missing: the next is {number}")));
            }
            if self.covering.get(&place).is_none_or(|covering| covering.portfolio != portfolio) {
                return Err(broken(
                    "outbox",
                    number,
                    id,
                    format!("row {place} of the journal belongs to no such alert"),
                ));
            }
            if acknowledged.is_some_and(|mark| mark != chain::acknowledged(&text)) {
                return Err(broken("outbox", number, id, "the mark of its acknowledgement is of another alert"));
            }
            found.entry(place).or_default().push((sequence, text));
            next = next.saturating_add(1);
        }
        for (place, Covering { portfolio, hash }) in &self.covering {
            let alerts = found.get(place).map_or(&[][..], Vec::as_slice);
            if chain::alerts(alerts.iter().map(|(sequence, text)| (*sequence, text.as_str()))).as_slice() != hash {
                let id = self.portfolios.get(portfolio).map_or("", |walked| &walked.id);
                let message = "the alerts of this commit are not in the outbox as they were written";
                return Err(broken("journal", *place, id, message));
            }
        }
        Ok(())
    }
}

impl Walk {
    fn leases(&self, connection: &Connection) -> Checked {
        let fences: BTreeMap<&str, i64> =
            self.portfolios.values().map(|walked| (walked.id.as_str(), walked.token)).collect();
        let mut query = connection.prepare(&format!("{LEASES} ORDER BY portfolio"))?;
        let rows = query.query_map([], LeaseRow::read)?.collect::<rusqlite::Result<Vec<_>>>()?;
        for (number, row) in (1..).zip(rows) {
            if let Some(message) = row.fault(fences.get(row.portfolio.as_str()).copied().unwrap_or(0)) {
                return Err(broken("lease", number, &row.portfolio, message));
            }
        }
        Ok(())
    }
}

/// The words about halts: their chain, their number, and which of them no other followed.
fn words(connection: &Connection) -> Checked {
    let (id, count): (String, i64) =
        connection.query_row("SELECT id, words FROM store", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let store = id.parse().map_err(|e| broken("store", 1, "", format!("its id: {e}")))?;
    let mut query = connection.prepare(&format!("{WORDS} ORDER BY number"))?;
    let rows = query.query_map([], WordRow::read)?.collect::<rusqlite::Result<Vec<_>>>()?;
    let (mut previous, mut number) = (chain::beginning(store, ""), 0_i64);
    for (place, row) in rows.iter().enumerate() {
        number = number.saturating_add(1);
        if row.number != number {
            return Err(broken("halt", number, "", format!("it is missing: the next is {}", row.number)));
        }
        previous = row.covered(&previous);
        if row.hash != previous {
            return Err(broken("halt", number, "", "its hash is not that of its columns: it was changed"));
        }
        let mut later = rows.iter().skip(place).skip(1);
        let followed_by = later.find(|later| later.scope == row.scope).map(|later| later.number);
        if row.followed_by != followed_by {
            let message = format!("{followed_by:?} follows it, and it says {:?}", row.followed_by);
            return Err(broken("halt", number, "", message));
        }
    }
    if number == count {
        return Ok(());
    }
    Err(broken("halt", number.saturating_add(1), "", format!("there should be {count} words, and there are {number}")))
}

/// The file itself: pages, indexes, and the rules of the tables.
fn whole(connection: &Connection) -> Checked {
    let found: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if found == "ok" { Ok(()) } else { Err(broken("file", 0, "", found)) }
}
