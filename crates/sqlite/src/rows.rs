//! Reading rows: heads, and a portfolio's records from its head backwards.
//!
//! Whatever is read is compared with its hash: a damaged row is an error, never a record.

use crate::chain::{Covered, Hash};
use crate::projection::Projection;
use evenkeel_domain::values::{PortfolioId, Sequence, Token};
use evenkeel_ports::{Head, JournalError};
use rusqlite::{Connection, OptionalExtension, Row};

/// A portfolio's row.
#[derive(Debug, Clone)]
pub(crate) struct PortfolioRow {
    pub(crate) number: i64,
    pub(crate) id: String,
    pub(crate) sequence: i64,
    pub(crate) token: i64,
    pub(crate) place: i64,
    pub(crate) hash: Vec<u8>,
    pub(crate) changed_at: i64,
    pub(crate) batch: Option<i64>,
    pub(crate) projection: Projection,
}

const PORTFOLIOS: &str = "SELECT p.number, p.id, p.sequence, p.token, p.place, p.hash, p.changed_at, p.batch, p.standing,
    coalesce(b.id, ''), b.number IS NOT NULL AND b.closed IS NULL FROM portfolio p LEFT JOIN batch b ON b.number = p.batch";

impl PortfolioRow {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            number: row.get(0)?,
            id: row.get(1)?,
            sequence: row.get(2)?,
            token: row.get(3)?,
            place: row.get(4)?,
            hash: row.get(5)?,
            changed_at: row.get(6)?,
            batch: row.get(7)?,
            projection: Projection { standing: row.get(8)?, batch: row.get(9)?, open: row.get(10)? },
        })
    }

    pub(crate) fn head(&self) -> Head {
        Head { sequence: Sequence::new(self.sequence.unsigned_abs()), token: Token::new(self.token.unsigned_abs()) }
    }
}

pub(crate) fn portfolio(connection: &Connection, id: &str) -> rusqlite::Result<Option<PortfolioRow>> {
    let mut query = connection.prepare_cached(&format!("{PORTFOLIOS} WHERE p.id = ?1"))?;
    query.query_row([id], PortfolioRow::read).optional()
}

/// All of them, in the order of their ids.
pub(crate) fn portfolios(connection: &Connection) -> rusqlite::Result<Vec<PortfolioRow>> {
    let mut query = connection.prepare_cached(&format!("{PORTFOLIOS} ORDER BY p.id"))?;
    query.query_map([], PortfolioRow::read)?.collect()
}

/// A row of the journal, as it stands in the file.
#[derive(Debug, Clone)]
pub(crate) struct JournalRow {
    pub(crate) place: i64,
    pub(crate) portfolio: i64,
    pub(crate) sequence: i64,
    pub(crate) token: i64,
    pub(crate) before: i64,
    pub(crate) at: i64,
    pub(crate) kind: String,
    pub(crate) record: String,
    pub(crate) alerts: Vec<u8>,
    pub(crate) previous: Vec<u8>,
    pub(crate) hash: Vec<u8>,
}

pub(crate) const JOURNAL: &str =
    "SELECT place, portfolio, sequence, token, before, at, kind, record, alerts, previous, hash FROM journal";

impl JournalRow {
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            place: row.get(0)?,
            portfolio: row.get(1)?,
            sequence: row.get(2)?,
            token: row.get(3)?,
            before: row.get(4)?,
            at: row.get(5)?,
            kind: row.get(6)?,
            record: row.get(7)?,
            alerts: row.get(8)?,
            previous: row.get(9)?,
            hash: row.get(10)?,
        })
    }

    /// What its hash should be, as a row of the portfolio `id`.
    pub(crate) fn covered(&self, id: &str) -> Hash {
        let Self { place, portfolio, sequence, token, before, at, .. } = *self;
        let Self { kind, record, alerts, previous, .. } = self;
        Covered { place, portfolio, id, sequence, token, before, at, kind, record, alerts, previous }.hash()
    }
}

/// Why a portfolio's rows could not be read.
#[derive(Debug)]
pub(crate) enum Unread {
    Sqlite(rusqlite::Error),
    Damaged { sequence: i64, message: String },
}

impl From<rusqlite::Error> for Unread {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl Unread {
    pub(crate) fn sorted(self, portfolio: &PortfolioId) -> JournalError {
        match self {
            Self::Sqlite(error) => {
                let (doing, message) = (format!("reading {portfolio}"), crate::error::explained(&error));
                JournalError::Unavailable { doing, message }
            }
            Self::Damaged { sequence, message } => {
                let (portfolio, sequence) = (portfolio.clone(), Sequence::new(sequence.unsigned_abs()));
                JournalError::Damaged { portfolio, sequence, message }
            }
        }
    }
}

/// The rows of a portfolio after `after`, in order, each compared with its hash.
pub(crate) fn journal(connection: &Connection, id: &str, after: i64) -> Result<Vec<JournalRow>, Unread> {
    // One snapshot for head and rows.
    let snapshot = connection.unchecked_transaction()?;
    let Some(head) = portfolio(&snapshot, id)? else { return Ok(Vec::new()) };
    let mut rows = Vec::new();
    {
        let mut query = snapshot.prepare_cached(&format!("{JOURNAL} WHERE place = ?1"))?;
        let (mut place, mut hash, mut sequence) = (head.place, head.hash, head.sequence);
        while sequence > after {
            let damaged = |message: String| Unread::Damaged { sequence, message };
            let row = query.query_row([place], JournalRow::read).optional()?;
            let row = row.ok_or_else(|| damaged(format!("it should be in row {place}, which is missing")))?;
            if row.hash != hash || row.covered(id).as_slice() != row.hash || row.sequence != sequence {
                return Err(damaged(format!("row {place} is not what was written")));
            }
            (place, sequence) = (row.before, sequence.saturating_sub(1));
            hash.clone_from(&row.previous);
            rows.push(row);
        }
    }
    rows.reverse();
    Ok(rows)
}

/// Whether every head has its row, and the journal its end: what is looked at whenever a store is opened.
pub(crate) fn check_heads(connection: &Connection) -> rusqlite::Result<Result<(), String>> {
    let mut query = connection.prepare(
        "SELECT p.id, p.sequence FROM portfolio p LEFT JOIN journal j ON j.place = p.place
         WHERE j.place IS NULL OR j.hash <> p.hash OR j.sequence <> p.sequence OR j.token <> p.token OR j.portfolio <> p.number LIMIT 1",
    )?;
    let broken = query.query_row([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))).optional()?;
    if let Some((id, sequence)) = broken {
        return Ok(Err(format!("the last record of {id}, {sequence}, is not where its head says")));
    }
    let counted: Option<(i64, i64)> = connection
        .query_row("SELECT rows, (SELECT coalesce(max(place), 0) FROM journal) FROM store", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    Ok(match counted {
        None => Err("the row of the store itself is missing".to_owned()),
        Some((rows, last)) if rows != last => Err(format!("the journal should have {rows} rows, but ends with {last}")),
        Some(_) => Ok(()),
    })
}
