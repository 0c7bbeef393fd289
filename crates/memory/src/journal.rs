//! The journal in memory. The contract it keeps is in [`evenkeel_ports::Journal`]; its numbers are the names of the tests.
//!
//! Each portfolio has a [`log`] behind a lock of its own, so that commits of different portfolios do not wait for one another; the
//! alerts of all of them leave through one [`outbox`]. It promises to survive whatever leaves this process running: when the
//! last clone is dropped, everything is gone.

mod log;
mod outbox;
#[cfg(test)]
mod tests;

use crate::lock;
use async_trait::async_trait;
use evenkeel_domain::alert::Alert;
use evenkeel_domain::halt::{Halt, Release, Scope, forbidden};
use evenkeel_domain::record::Record;
use evenkeel_domain::values::{PortfolioId, Sequence, StoreId};
use evenkeel_ports::{Commit, CommitOutcome, Entry, Head, Journal, JournalError};
use log::Log;
use outbox::Outbox;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// What a journal keeps of the batches that are closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Retention {
    /// Every record, for ever.
    #[default]
    Everything,
    /// The state that they led to: a commit that closes a batch folds all records of its portfolio into one.
    LatestState,
}

/// A journal in memory. Clones are the same journal.
///
/// ```
/// # use evenkeel_domain::{record::{Event, Record}, values::{Sequence, StoreId, Timestamp, Token}};
/// # use evenkeel_memory::{ManualClock, MemoryJournal};
/// # use evenkeel_ports::{Commit, CommitOutcome, Head, Journal};
/// let journal = MemoryJournal::new(StoreId::new(7));
/// let records = [Record { at: Timestamp::EPOCH, event: Event::Removed }];
/// let first = Commit {
///     portfolio: "growth".parse()?,
///     expected: Sequence::ZERO,
///     token: Token::new(1),
///     records: records.clone().into(),
///     alerts: Vec::new(),
///     state: None,
/// };
/// let (once, again) = ManualClock::new(Timestamp::EPOCH)
///     .run(async { (journal.commit(first.clone()).await, journal.commit(first.clone()).await) })?;
///
/// assert_eq!(once, CommitOutcome::Committed);
/// let head = Head { sequence: Sequence::new(1), token: Token::new(1) };
/// assert_eq!(again, CommitOutcome::Conflict { head });
/// assert_eq!(journal.records(&first.portfolio), records);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct MemoryJournal {
    shared: Arc<Shared>,
    retention: Retention,
}

#[derive(Debug)]
struct Shared {
    store_id: StoreId,
    logs: RwLock<BTreeMap<PortfolioId, Arc<Mutex<Log>>>>,
    outbox: Mutex<Outbox>,
    /// Read while a commit is judged and written, so that none slips past a halt.
    halts: RwLock<BTreeMap<Scope, Halt>>,
}

impl MemoryJournal {
    /// An empty journal of this id, which keeps everything.
    #[must_use]
    pub fn new(store_id: StoreId) -> Self {
        let shared = Shared { store_id, logs: RwLock::default(), outbox: Mutex::default(), halts: RwLock::default() };
        Self { shared: Arc::new(shared), retention: Retention::default() }
    }

    /// This journal, keeping as much as `retention` says of what is committed through this handle and the clones made of it.
    #[must_use]
    pub fn with_retention(mut self, retention: Retention) -> Self {
        self.retention = retention;
        self
    }

    /// The records of `portfolio`, as [`read`](Journal::read) gives them, without their places.
    #[must_use]
    pub fn records(&self, portfolio: &PortfolioId) -> Vec<Record> {
        self.entries(portfolio, Sequence::ZERO).into_iter().map(|entry| entry.record).collect()
    }

    fn entries(&self, portfolio: &PortfolioId, after: Sequence) -> Vec<Entry> {
        self.known(portfolio).map_or_else(Vec::new, |log| lock(&log).read(after))
    }

    fn known(&self, portfolio: &PortfolioId) -> Option<Arc<Mutex<Log>>> {
        self.shared.logs.read().unwrap_or_else(PoisonError::into_inner).get(portfolio).map(Arc::clone)
    }

    fn known_or_new(&self, portfolio: &PortfolioId) -> Arc<Mutex<Log>> {
        self.known(portfolio).unwrap_or_else(|| {
            let mut logs = self.shared.logs.write().unwrap_or_else(PoisonError::into_inner);
            let log = logs.entry(portfolio.clone()).or_insert_with(|| Arc::new(Mutex::new(Log::default())));
            Arc::clone(log)
        })
    }

    fn portfolios_where(&self, fits: impl Fn(&Log) -> bool) -> Vec<PortfolioId> {
        let logs = self.shared.logs.read().unwrap_or_else(PoisonError::into_inner);
        logs.iter().filter(|(_, log)| fits(&lock(log))).map(|(portfolio, _)| portfolio.clone()).collect()
    }
}

#[async_trait]
impl Journal for MemoryJournal {
    async fn store_id(&self) -> Result<StoreId, JournalError> {
        Ok(self.shared.store_id)
    }

    async fn head(&self, portfolio: &PortfolioId) -> Result<Head, JournalError> {
        Ok(self.known(portfolio).map_or_else(Head::default, |log| lock(&log).head()))
    }

    async fn read(&self, portfolio: &PortfolioId, after: Sequence) -> Result<Vec<Entry>, JournalError> {
        Ok(self.entries(portfolio, after))
    }

    async fn commit(&self, commit: Commit) -> CommitOutcome {
        let Commit { portfolio, expected, token, records, alerts, state } = commit;
        let log = self.known_or_new(&portfolio);
        let mut log = lock(&log);
        let halts = self.shared.halts.read().unwrap_or_else(PoisonError::into_inner);
        let prepared = match log.prepare(expected, token, records) {
            Ok(prepared) => prepared,
            Err(refused) => return refused,
        };
        if let Some(halt) = forbidden(halts.values(), &portfolio, prepared.records()) {
            return CommitOutcome::Halted { halt: halt.clone() };
        }
        let fold = self.retention == Retention::LatestState && prepared.ends_batch();
        log.write(prepared);
        if !alerts.is_empty() {
            // Under the lock of the log, so that nobody sees the alerts without the records or the records without the alerts.
            lock(&self.shared.outbox).put(alerts);
        }
        if fold {
            log.fold(&portfolio, state);
        }
        CommitOutcome::Committed
    }

    async fn portfolios(&self) -> Result<Vec<PortfolioId>, JournalError> {
        Ok(self.portfolios_where(|log| log.head().sequence > Sequence::ZERO))
    }

    async fn open_batches(&self) -> Result<Vec<PortfolioId>, JournalError> {
        Ok(self.portfolios_where(Log::has_open_batch))
    }

    async fn pending_alerts(&self, limit: usize) -> Result<Vec<Alert>, JournalError> {
        Ok(lock(&self.shared.outbox).pending(limit))
    }

    async fn acknowledge_alert(&self, alert: &Alert) -> Result<(), JournalError> {
        lock(&self.shared.outbox).acknowledge(alert);
        Ok(())
    }

    async fn halt(&self, halt: &Halt) -> Result<(), JournalError> {
        let mut halts = self.shared.halts.write().unwrap_or_else(PoisonError::into_inner);
        halts.insert(halt.scope.clone(), halt.clone());
        Ok(())
    }

    async fn release(&self, release: &Release) -> Result<bool, JournalError> {
        let mut halts = self.shared.halts.write().unwrap_or_else(PoisonError::into_inner);
        Ok(halts.remove(&release.scope).is_some())
    }

    async fn halts(&self) -> Result<Vec<Halt>, JournalError> {
        let halts = self.shared.halts.read().unwrap_or_else(PoisonError::into_inner);
        Ok(halts.values().cloned().collect())
    }
}
