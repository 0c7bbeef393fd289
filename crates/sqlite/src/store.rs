//! The store as the engine sees it: the ports, over the writer and the readers.

use crate::commit::Prepared;
use crate::error::{OpenError, Unwritten, explained};
use crate::identity::Identity;
use crate::leases::{Asking, Hold};
use crate::open::{self, Options};
use crate::opened::Opened;
use crate::process::{self, Process};
use crate::rows::{self, PortfolioRow, Unread};
use crate::writer::{About, Writer};
use crate::{chain, halts, inspect};
use async_trait::async_trait;
use evenkeel_domain::alert::Alert;
use evenkeel_domain::halt::{Halt, Release};
use evenkeel_domain::values::{OwnerId, PortfolioId, Sequence, StoreId, Token};
use evenkeel_ports::{
    AcquireError, Clock, Commit, CommitOutcome, Entry, Head, HoldError, Journal, JournalError, Lease, LeaseStore,
    LeaseTerms, codec,
};
use rusqlite::{Connection, params};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

/// A store in one file: [`Journal`] and [`LeaseStore`]. Clones are the same store; the file is closed when the last is dropped.
///
/// Reading happens where it is asked for, on a connection of its own, and takes as long as the rows take; it does not wait for who writes,
/// except for what this very store was handed before, so that reading back tells what became of it.
#[derive(Clone)]
pub struct SqliteStore {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    id: StoreId,
    clock: Arc<dyn Clock>,
    options: Options,
    file: Identity,
    readers: Mutex<Vec<Connection>>,
    // Dropped in this order: what waits is written and the file closed before the process's lock is given back.
    writer: Writer,
    process: Process,
    _opened: Opened,
}

impl SqliteStore {
    /// Opens the store at `path`; there is one afterwards. `clock` judges the leases: the wall clock, or that of a replay.
    ///
    /// # Errors
    /// [`OpenError`]: nothing was changed, but that a store of an older layout may have been brought up to date.
    pub fn open(path: impl AsRef<Path>, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        Self::open_with(path, clock, Options::default())
    }

    /// The same with other options.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(path: impl AsRef<Path>, clock: Arc<dyn Clock>, options: Options) -> Result<Self, OpenError> {
        let path = path.as_ref().to_owned();
        let opening = process::opening(&path, options.busy)?;
        let (opened, connection) = open::writing(&path, &options)?;
        let sort = |e: rusqlite::Error| OpenError::sorted(&path, &e);
        let id = inspect::store_id(&connection, &path)?;
        let name = connection.query_row("SELECT lower(hex(randomblob(8)))", [], |row| row.get(0)).map_err(sort)?;
        let file = Identity::of(&path).map_err(|e| OpenError::of_file(&path, "looking at it", &e))?;
        let process = Process::enter(&path, name)?;
        let writer = Writer::start(connection, file.clone(), options.blocking);
        let writer = writer.map_err(|e| OpenError::of_file(&path, "starting its writer", &e))?;
        drop(opening);
        let readers = Mutex::default();
        Ok(Self {
            shared: Arc::new(Shared { path, id, clock, options, file, readers, writer, process, _opened: opened }),
        })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// How many transactions this store has begun. Each is synced once, however many commits and leases share it.
    #[must_use]
    pub fn transactions(&self) -> usize {
        self.shared.writer.transactions.load(Ordering::SeqCst)
    }

    #[cfg(test)]
    pub(crate) fn writer(&self) -> &Writer {
        &self.shared.writer
    }

    /// Reads on a connection of its own, after everything that was handed over before about the same.
    async fn read_rows<T>(
        &self,
        about: About,
        read: impl FnOnce(&Connection) -> Result<T, Unread> + Send,
    ) -> Result<T, Unread> {
        self.shared.writer.settled(about).await;
        let gone = |message| Unread::Sqlite(rusqlite::Error::ToSqlConversionFailure(message));
        self.shared.file.check().map_err(|message| gone(message.into()))?;
        let kept = self.readers().pop();
        let connection = match kept {
            Some(connection) => connection,
            None => open::reading(&self.shared.path, &self.shared.options)?,
        };
        let read = read(&connection);
        self.readers().push(connection);
        read
    }

    fn readers(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.shared.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn listed(&self, fits: fn(&PortfolioRow) -> bool) -> Result<Vec<PortfolioId>, JournalError> {
        let rows = self.read_rows(About::Everything, |connection| Ok(rows::portfolios(connection)?)).await;
        let rows = rows.map_err(|e| unavailable("listing the portfolios", e))?;
        let id = |row: &PortfolioRow| row.id.parse().map_err(|e| unreadable("listing the portfolios", &e));
        rows.iter().filter(|row| fits(row)).map(id).collect()
    }

    async fn hold(&self, hold: Hold, lease: &Lease) -> Result<(), HoldError> {
        let (now, held) = (self.shared.clock.now(), lease.clone());
        let answer =
            self.shared.writer.write(about(&lease.portfolio), move |connection| hold.on(connection, &held, now)).await;
        answer.unwrap_or_else(|unwritten| {
            Err(HoldError::Unavailable { portfolio: lease.portfolio.clone(), message: words(unwritten) })
        })
    }
}

fn about(portfolio: &PortfolioId) -> About {
    About::Portfolio(portfolio.clone())
}

fn unavailable(doing: &str, unread: Unread) -> JournalError {
    let message = match unread {
        Unread::Sqlite(error) => explained(&error),
        Unread::Damaged { message, .. } => message,
    };
    JournalError::Unavailable { doing: doing.to_owned(), message }
}

fn unreadable(doing: &str, error: &impl fmt::Display) -> JournalError {
    JournalError::Unavailable { doing: doing.to_owned(), message: format!("the file is damaged: {error}") }
}

fn words(unwritten: Unwritten) -> String {
    match unwritten {
        Unwritten::Nothing(message) | Unwritten::Unknown(message) => message,
    }
}

#[async_trait]
impl Journal for SqliteStore {
    async fn store_id(&self) -> Result<StoreId, JournalError> {
        Ok(self.shared.id)
    }

    async fn head(&self, portfolio: &PortfolioId) -> Result<Head, JournalError> {
        let row =
            self.read_rows(about(portfolio), |connection| Ok(rows::portfolio(connection, portfolio.as_str())?)).await;
        let row = row.map_err(|unread| unread.sorted(portfolio))?;
        Ok(row.map_or_else(Head::default, |row| row.head()))
    }

    async fn read(&self, portfolio: &PortfolioId, after: Sequence) -> Result<Vec<Entry>, JournalError> {
        // Nothing is beyond what can be stored.
        let after = i64::try_from(after.get()).unwrap_or(i64::MAX);
        let rows =
            self.read_rows(about(portfolio), |connection| rows::journal(connection, portfolio.as_str(), after)).await;
        let rows = rows.map_err(|unread| unread.sorted(portfolio))?;
        let entry = |row: rows::JournalRow| {
            let (sequence, token) = (Sequence::new(row.sequence.unsigned_abs()), Token::new(row.token.unsigned_abs()));
            match codec::decode(&row.record) {
                Ok(record) => Ok(Entry { sequence, token, record }),
                Err(e) => Err(JournalError::undecoded(portfolio, sequence, &e)),
            }
        };
        rows.into_iter().map(entry).collect()
    }

    async fn commit(&self, commit: Commit) -> CommitOutcome {
        let about = about(&commit.portfolio);
        let prepared = match Prepared::new(self.shared.id, commit) {
            Ok(prepared) => prepared,
            Err(message) => return CommitOutcome::Failed { message },
        };
        match self.shared.writer.write(about, move |connection| prepared.write(connection)).await {
            Ok(outcome) => outcome,
            Err(Unwritten::Nothing(message)) => CommitOutcome::Failed { message },
            Err(Unwritten::Unknown(message)) => CommitOutcome::Unknown { message },
        }
    }

    async fn portfolios(&self) -> Result<Vec<PortfolioId>, JournalError> {
        self.listed(|_| true).await
    }

    async fn open_batches(&self) -> Result<Vec<PortfolioId>, JournalError> {
        self.listed(|row| row.projection.open).await
    }

    async fn pending_alerts(&self, limit: usize) -> Result<Vec<Alert>, JournalError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let texts = self.read_rows(About::Everything, |connection| Ok(inspect::pending(connection, limit)?)).await;
        let texts = texts.map_err(|e| unavailable("reading the alerts", e))?;
        let alert = |text: &String| serde_json::from_str(text).map_err(|e| unreadable("reading the alerts", &e));
        texts.iter().map(alert).collect()
    }

    async fn acknowledge_alert(&self, alert: &Alert) -> Result<(), JournalError> {
        let (portfolio, sequence) = (alert.portfolio.clone(), i64::try_from(alert.sequence.get()).unwrap_or(i64::MAX));
        let write = move |connection: &Connection| {
            let mut query = connection.prepare_cached(
                "SELECT o.number, o.alert FROM outbox o JOIN portfolio p ON p.number = o.portfolio
                 WHERE p.id = ?1 AND o.sequence = ?2 AND o.acknowledged IS NULL",
            )?;
            let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
            let known = query.query_map(params![portfolio.as_str(), sequence], read)?;
            for (number, text) in known.collect::<rusqlite::Result<Vec<(i64, String)>>>()? {
                let mut mark = connection.prepare_cached("UPDATE outbox SET acknowledged = ?1 WHERE number = ?2")?;
                mark.execute(params![chain::acknowledged(&text), number])?;
            }
            Ok(())
        };
        let answer = self.shared.writer.write(about(&alert.portfolio), write).await;
        answer.map_err(|unwritten| {
            not_written(format!("acknowledging alert {} of {}", alert.sequence, alert.portfolio), unwritten)
        })
    }

    async fn halt(&self, halt: &Halt) -> Result<(), JournalError> {
        let (store, halt) = (self.shared.id, halt.clone());
        self.say("halting", move |connection| halts::halt(connection, store, &halt)).await
    }

    async fn release(&self, release: &Release) -> Result<bool, JournalError> {
        let (store, release) = (self.shared.id, release.clone());
        self.say("taking a halt back", move |connection| halts::release(connection, store, &release)).await
    }

    async fn halts(&self) -> Result<Vec<Halt>, JournalError> {
        let halts = self.read_rows(About::Halts, |connection| Ok(halts::standing(connection)?)).await;
        halts.map_err(|e| unavailable("reading the halts", e))
    }
}

impl SqliteStore {
    /// Has a word about halts written.
    async fn say<T: Send + 'static>(
        &self,
        doing: &str,
        work: impl FnMut(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, JournalError> {
        let answer = self.shared.writer.write(About::Halts, work).await;
        answer.map_err(|unwritten| not_written(doing.to_owned(), unwritten))
    }
}

fn not_written(doing: String, unwritten: Unwritten) -> JournalError {
    match unwritten {
        Unwritten::Nothing(message) => JournalError::Unavailable { doing, message },
        Unwritten::Unknown(message) => JournalError::Unknown { doing, message },
    }
}

#[async_trait]
impl LeaseStore for SqliteStore {
    async fn acquire(
        &self,
        portfolio: &PortfolioId,
        owner: &OwnerId,
        terms: LeaseTerms,
    ) -> Result<Lease, AcquireError> {
        let now = self.shared.clock.now();
        let (process, path) = (self.shared.process.name().to_owned(), self.shared.path.clone());
        let asking = Asking { portfolio: portfolio.clone(), owner: owner.clone(), terms, now, process };
        let answer =
            self.shared.writer.write(about(portfolio), move |connection| asking.acquire(connection, &path)).await;
        answer.unwrap_or_else(|unwritten| {
            Err(AcquireError::Unavailable { portfolio: portfolio.clone(), message: words(unwritten) })
        })
    }

    async fn renew(&self, lease: &Lease) -> Result<(), HoldError> {
        self.hold(Hold::Renew, lease).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), HoldError> {
        self.hold(Hold::Release, lease).await
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shared { path, id, .. } = &*self.shared;
        f.debug_struct("SqliteStore").field("path", path).field("id", id).finish_non_exhaustive()
    }
}
