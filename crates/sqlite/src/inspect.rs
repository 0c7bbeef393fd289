//! Looking at a store without changing it, and without a process that runs on it: what `status` and `audit` show.

use crate::error::{OpenError, explained};
use crate::halts::{self, WORDS, WordRow};
use crate::leases::{LEASES, LeaseRow};
use crate::opened::Opened;
use crate::rows::{self, JournalRow, PortfolioRow};
use crate::verify::{self, Verification};
use crate::{open, process};
use evenkeel_domain::alert::Alert;
use evenkeel_domain::halt::{Halt, Release};
use evenkeel_domain::order::BatchId;
use evenkeel_domain::record::{Event, Record};
use evenkeel_domain::values::{PortfolioId, Sequence, StoreId, Timestamp, Token};
use evenkeel_ports::codec::CodecError;
use evenkeel_ports::{Head, JournalError, codec};
use rusqlite::{Connection, OptionalExtension};
use std::path::{Path, PathBuf};

/// A store that is only looked at. Any number may look while any number of processes write.
#[derive(Debug)]
pub struct StoreReader {
    path: PathBuf,
    connection: Connection,
    // Dropped last.
    _opened: Opened,
}

/// What the store knows of a portfolio without its records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortfolioStatus {
    /// Which.
    pub portfolio: PortfolioId,
    /// Its last record and the highest token that wrote.
    pub head: Head,
    /// The time of its last record.
    pub changed_at: Timestamp,
    /// The name of its [`Standing`](evenkeel_domain::portfolio::Standing).
    pub standing: String,
    /// The batch that is open.
    pub open_batch: Option<BatchId>,
    /// The lease that was given out and has not been given back.
    pub lease: Option<LeaseStatus>,
    /// The version of its last record, if that is newer than what this program reads: then it leaves the portfolio alone.
    pub newer: Option<u32>,
}

/// A lease as the file shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseStatus {
    /// Who took it.
    pub holder: String,
    /// Its token.
    pub token: Token,
    /// When it was granted, by the clock of the store that granted it.
    pub granted_at: Timestamp,
    /// When it ends, if it is not renewed.
    pub until: Timestamp,
    /// True if the process that took it provably runs no more: it is free, whatever `until` says.
    pub ended: bool,
}

/// A time that a batch was open. One that a person has tried again has several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchStatus {
    /// Which; `None` if it was tried again and its opening is not in this store.
    pub batch: Option<BatchId>,
    /// Whose.
    pub portfolio: PortfolioId,
    /// The record that opened it.
    pub opened: Sequence,
    /// The record that closed it.
    pub closed: Option<Sequence>,
    /// The name of its outcome; empty while it is open.
    pub outcome: String,
}

/// A word of a person about halts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HaltWord {
    /// A halt stands from here on, in place of the one of its scope.
    Halt(Halt),
    /// The halt of a scope is taken back.
    Release(Release),
}

/// One record with all that the file says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalLine {
    /// Its place among the records of all portfolios, from 1.
    pub place: u64,
    /// Whose.
    pub portfolio: PortfolioId,
    /// Its number.
    pub sequence: Sequence,
    /// The token it was written under.
    pub token: Token,
    /// When it was chosen.
    pub at: Timestamp,
    /// The name of its kind.
    pub kind: String,
    /// What it says, as [`codec`] wrote it.
    pub text: String,
    /// What it says; `None` if it is of a newer version than this program reads. Then its text is all that there is.
    pub record: Option<Record>,
    /// Its hash, which covers all records of the portfolio up to it.
    pub hash: [u8; 32],
}

impl StoreReader {
    /// Opens the store at `path` to look at it.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let path = path.as_ref().to_owned();
        let (opened, connection) = open::looking(&path)?;
        store_id(&connection, &path)?;
        Ok(Self { path, connection, _opened: opened })
    }

    /// The store's id.
    ///
    /// # Errors
    /// [`JournalError`] if it cannot be read.
    pub fn store_id(&self) -> Result<StoreId, JournalError> {
        store_id(&self.connection, &self.path).map_err(|e| damaged("reading the store's id", &e))
    }

    /// Every portfolio, in order.
    ///
    /// # Errors
    /// [`JournalError`] if the store cannot be read.
    pub fn portfolios(&self) -> Result<Vec<PortfolioStatus>, JournalError> {
        let doing = "listing the portfolios";
        let rows = rows::portfolios(&self.connection).map_err(|e| unread(doing, &e))?;
        let mut query =
            self.connection.prepare_cached(&format!("{LEASES} ORDER BY portfolio")).map_err(|e| unread(doing, &e))?;
        let leases = query.query_map([], LeaseRow::read).and_then(Iterator::collect::<rusqlite::Result<Vec<_>>>);
        let mut leases = leases.map_err(|e| unread(doing, &e))?.into_iter().peekable();
        let mut found = Vec::new();
        for row in rows {
            while leases.next_if(|lease| lease.portfolio < row.id).is_some() {}
            let lease = leases.next_if(|lease| lease.portfolio == row.id).filter(|lease| !lease.holder.is_empty());
            found.push(self.status(&row, lease)?);
        }
        Ok(found)
    }

    /// One portfolio, if the store has it.
    ///
    /// # Errors
    /// [`JournalError`] if the store cannot be read.
    pub fn portfolio(&self, portfolio: &PortfolioId) -> Result<Option<PortfolioStatus>, JournalError> {
        let unread = |e| unread(&format!("reading {portfolio}"), &e);
        let Some(row) = rows::portfolio(&self.connection, portfolio.as_str()).map_err(unread)? else { return Ok(None) };
        let mut query = self.connection.prepare_cached(&format!("{LEASES} WHERE portfolio = ?1")).map_err(unread)?;
        let lease = query.query_row([portfolio.as_str()], LeaseRow::read).optional().map_err(unread)?;
        self.status(&row, lease.filter(|lease| !lease.holder.is_empty())).map(Some)
    }

    fn status(&self, row: &PortfolioRow, lease: Option<LeaseRow>) -> Result<PortfolioStatus, JournalError> {
        let doing = "listing the portfolios";
        let open = row.projection.open.then(|| row.projection.batch.parse().ok()).flatten();
        let lease = lease.map(|lease| LeaseStatus {
            token: Token::new(lease.token.unsigned_abs()),
            granted_at: Timestamp::from_nanos(lease.granted_at),
            until: lease.until(),
            ended: process::has_ended(&self.path, &lease.process),
            holder: lease.holder,
        });
        Ok(PortfolioStatus {
            portfolio: row.id.parse().map_err(|e| damaged(doing, &e))?,
            head: row.head(),
            changed_at: Timestamp::from_nanos(row.changed_at),
            standing: row.projection.standing.clone(),
            open_batch: open,
            lease,
            newer: newer(&self.connection, row.place).map_err(|e| unread(doing, &e))?,
        })
    }

    /// The records of a portfolio after `after`, in order. Each is compared with its hash.
    ///
    /// # Errors
    /// [`JournalError`] if the store cannot be read, or a record is not what was written.
    pub fn lines(&self, portfolio: &PortfolioId, after: Sequence) -> Result<Vec<JournalLine>, JournalError> {
        let after = i64::try_from(after.get()).unwrap_or(i64::MAX);
        let rows = rows::journal(&self.connection, portfolio.as_str(), after).map_err(|e| e.sorted(portfolio))?;
        rows.into_iter().map(|row| line(portfolio, row)).collect()
    }

    /// The times that a portfolio's batches were open, oldest first.
    ///
    /// # Errors
    /// [`JournalError`] if the store cannot be read.
    pub fn batches(&self, portfolio: &PortfolioId) -> Result<Vec<BatchStatus>, JournalError> {
        self.batches_where("p.id = ?1", portfolio.as_str())
    }

    /// The times that a batch was open, oldest first. Empty if the store has no such batch.
    ///
    /// # Errors
    /// [`JournalError`] if the store cannot be read.
    pub fn batch(&self, batch: BatchId) -> Result<Vec<BatchStatus>, JournalError> {
        self.batches_where("b.id = ?1", &batch.to_string())
    }

    /// The records of a batch in order: those of the times that it was open, and its late fills.
    ///
    /// # Errors
    /// As [`lines`](Self::lines).
    pub fn batch_lines(&self, batch: BatchId) -> Result<Vec<JournalLine>, JournalError> {
        let times = self.batch(batch)?;
        let Some(first) = times.first() else { return Ok(Vec::new()) };
        let before = Sequence::new(first.opened.get().saturating_sub(1));
        let mut lines = self.lines(&first.portfolio, before)?;
        let during = |line: &JournalLine, time: &BatchStatus| {
            line.sequence >= time.opened && time.closed.is_none_or(|closed| line.sequence <= closed)
        };
        lines.retain(|line| {
            let event = line.record.as_ref().map(|record| &record.event);
            let late = matches!(event, Some(Event::LateFill { fill, .. }) if fill.order.is_some_and(|order| order.batch == batch));
            late || times.iter().any(|time| during(line, time))
        });
        Ok(lines)
    }

    /// Alerts that were not acknowledged, oldest first.
    ///
    /// # Errors
    /// [`JournalError`] if the store cannot be read.
    pub fn pending_alerts(&self) -> Result<Vec<Alert>, JournalError> {
        let doing = "reading the alerts";
        let texts = pending(&self.connection, i64::MAX).map_err(|e| unread(doing, &e))?;
        texts.iter().map(|text| serde_json::from_str(text).map_err(|e| damaged(doing, &e))).collect()
    }

    /// The halts that stand, in order of their scopes.
    ///
    /// # Errors
    /// [`JournalError`] if the store cannot be read.
    pub fn halts(&self) -> Result<Vec<Halt>, JournalError> {
        halts::standing(&self.connection).map_err(|e| unread("reading the halts", &e))
    }

    /// Every word of a person about halts, in order: also those that were replaced or taken back.
    ///
    /// # Errors
    /// [`JournalError`] if the store cannot be read.
    pub fn halt_words(&self) -> Result<Vec<HaltWord>, JournalError> {
        let doing = "reading the halts";
        let mut query =
            self.connection.prepare_cached(&format!("{WORDS} ORDER BY number")).map_err(|e| unread(doing, &e))?;
        let rows = query.query_map([], WordRow::read).and_then(Iterator::collect::<rusqlite::Result<Vec<_>>>);
        let word = |row: WordRow| {
            let read = if row.kind == halts::HALT {
                serde_json::from_str(&row.word).map(HaltWord::Halt)
            } else {
                serde_json::from_str(&row.word).map(HaltWord::Release)
            };
            read.map_err(|e| damaged(doing, &e))
        };
        rows.map_err(|e| unread(doing, &e))?.into_iter().map(word).collect()
    }

    /// Walks all rows and compares everything with everything: the hash chain of each portfolio, heads, standings, batches and outbox with what the
    /// records say, and the words about halts with their own chain.
    ///
    /// # Errors
    /// [`JournalError`] if the store cannot be read at all. What is broken in it is in the [`Verification`].
    pub fn verify(&self) -> Result<Verification, JournalError> {
        verify::verify(&self.connection).map_err(|e| unread("verifying the store", &e))
    }

    fn batches_where(&self, fits: &str, value: &str) -> Result<Vec<BatchStatus>, JournalError> {
        let doing = "listing batches";
        let query = format!(
            "SELECT b.id, p.id, b.opened, b.closed, b.outcome FROM batch b JOIN portfolio p ON p.number = b.portfolio
             WHERE {fits} ORDER BY b.number"
        );
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?));
        let mut query = self.connection.prepare_cached(&query).map_err(|e| unread(doing, &e))?;
        let rows = query.query_map([value], read).and_then(Iterator::collect::<rusqlite::Result<Vec<_>>>);
        let rows: Vec<(String, String, i64, Option<i64>, String)> = rows.map_err(|e| unread(doing, &e))?;
        let status = |(batch, portfolio, opened, closed, outcome): (String, String, i64, Option<i64>, String)| {
            Ok(BatchStatus {
                batch: batch.parse().ok(),
                portfolio: portfolio.parse().map_err(|e| damaged(doing, &e))?,
                opened: Sequence::new(opened.unsigned_abs()),
                closed: closed.map(|closed| Sequence::new(closed.unsigned_abs())),
                outcome,
            })
        };
        rows.into_iter().map(status).collect()
    }
}

fn line(portfolio: &PortfolioId, row: JournalRow) -> Result<JournalLine, JournalError> {
    let sequence = Sequence::new(row.sequence.unsigned_abs());
    let record = match codec::decode(&row.record).map_err(|e| JournalError::undecoded(portfolio, sequence, &e)) {
        Ok(record) => Some(record),
        Err(JournalError::Newer { .. }) => None,
        Err(error) => return Err(error),
    };
    let hash = row.hash.try_into().map_err(|_| {
        let message = "its hash does not have 32 bytes".to_owned();
        JournalError::Damaged { portfolio: portfolio.clone(), sequence, message }
    })?;
    Ok(JournalLine {
        place: row.place.unsigned_abs(),
        portfolio: portfolio.clone(),
        sequence,
        token: Token::new(row.token.unsigned_abs()),
        at: Timestamp::from_nanos(row.at),
        record,
        hash,
        kind: row.kind,
        text: row.record,
    })
}

/// The version of the record at a place, if it is newer than what this program reads.
///
/// A program writes one version, and does not write to a portfolio that it cannot read: so the last record tells for all of them.
fn newer(connection: &Connection, place: i64) -> rusqlite::Result<Option<u32>> {
    let mut query = connection.prepare_cached("SELECT record FROM journal WHERE place = ?1")?;
    let record: Option<String> = query.query_row([place], |row| row.get(0)).optional()?;
    Ok(record.and_then(|record| match codec::decode(&record) {
        Err(CodecError::Version { found }) if found > codec::VERSION => Some(found),
        _ => None,
    }))
}

/// The store's id.
pub(crate) fn store_id(connection: &Connection, path: &Path) -> Result<StoreId, OpenError> {
    let id = connection.query_row("SELECT id FROM store", [], |row| row.get::<_, String>(0)).optional();
    let id = id.map_err(|e| OpenError::sorted(path, &e))?.unwrap_or_default();
    id.parse().map_err(|e| OpenError::Damaged { path: path.to_owned(), message: format!("its id: {e}") })
}

/// The texts of the alerts that were not acknowledged, oldest first.
pub(crate) fn pending(connection: &Connection, limit: i64) -> rusqlite::Result<Vec<String>> {
    let pending = "SELECT alert FROM outbox WHERE acknowledged IS NULL ORDER BY number LIMIT ?1";
    connection.prepare_cached(pending)?.query_map([limit], |row| row.get(0))?.collect()
}

fn unread(doing: &str, error: &rusqlite::Error) -> JournalError {
    JournalError::Unavailable { doing: doing.to_owned(), message: explained(error) }
}

fn damaged(doing: &str, error: &impl std::fmt::Display) -> JournalError {
    JournalError::Unavailable { doing: doing.to_owned(), message: format!("the file is damaged: {error}") }
}
