//! Stores that fail on demand: a journal and a lease store around those in memory.

use async_trait::async_trait;
use evenkeel_domain::alert::Alert;
use evenkeel_domain::halt::{Halt, HaltMode, Release, Scope};
use evenkeel_domain::values::{OwnerId, PortfolioId, Sequence, StoreId, Timestamp};
use evenkeel_memory::{ManualClock, MemoryJournal, MemoryLeases};
use evenkeel_ports::{
    AcquireError, Clock, Commit, CommitOutcome, Entry, Head, HoldError, Journal, JournalError, Lease, LeaseStore,
    LeaseTerms,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What goes wrong with a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CommitFault {
    /// It is written, and the answer is lost.
    UnknownWritten,
    /// It is written, the answer is lost, and three attempts to read it back fail.
    UnknownAndUnreadable,
    /// It is lost, and nobody can tell.
    UnknownNotWritten,
    /// It provably is not written.
    Failed,
    /// Somebody else wrote; nothing is written.
    Conflict,
    /// A newer owner wrote; nothing is written.
    Fenced,
    /// A person halts everything just before.
    Halt(HaltMode),
    /// The call panics before it writes.
    PanicBefore,
    /// The call panics after it wrote.
    PanicAfter,
}

/// A journal that goes wrong at the commits it was told to, counted from 1.
pub(crate) struct FaultyJournal {
    inner: Arc<MemoryJournal>,
    script: Mutex<Script>,
    has_fence: bool,
}

#[derive(Default)]
struct Script {
    commits: usize,
    faults: BTreeMap<usize, CommitFault>,
    /// So many reads will fail.
    failing_reads: usize,
}

impl FaultyJournal {
    pub(crate) fn new(inner: Arc<MemoryJournal>) -> Self {
        Self { inner, script: Mutex::default(), has_fence: true }
    }

    /// The canary: a journal that writes what a former owner commits, at the end. Whatever looks for harm must find it here.
    pub(crate) fn without_fence(inner: Arc<MemoryJournal>) -> Self {
        Self { has_fence: false, ..Self::new(inner) }
    }

    async fn write(&self, mut commit: Commit) -> CommitOutcome {
        if !self.has_fence {
            let head = self.inner.head(&commit.portfolio).await.unwrap_or_default();
            if commit.token < head.token {
                (commit.token, commit.expected) = (head.token, head.sequence);
            }
        }
        self.inner.commit(commit).await
    }

    /// The fault happens to the n-th commit from now.
    pub(crate) fn at_commit(&self, n: usize, fault: CommitFault) {
        let mut script = self.script.lock().unwrap();
        let place = script.commits + n;
        script.faults.insert(place, fault);
    }

    /// How many commits there were.
    pub(crate) fn commits(&self) -> usize {
        self.script.lock().unwrap().commits
    }

    pub(crate) fn fail_reads(&self, times: usize) {
        self.script.lock().unwrap().failing_reads = times;
    }

    fn next_fault(&self) -> Option<CommitFault> {
        let mut script = self.script.lock().unwrap();
        script.commits += 1;
        let place = script.commits;
        script.faults.remove(&place)
    }

    fn readable(&self, doing: &str) -> Result<(), JournalError> {
        let mut script = self.script.lock().unwrap();
        let Some(left) = script.failing_reads.checked_sub(1) else { return Ok(()) };
        script.failing_reads = left;
        Err(JournalError::Unavailable { doing: doing.to_owned(), message: "a scripted outage".to_owned() })
    }
}

#[async_trait]
impl Journal for FaultyJournal {
    async fn store_id(&self) -> Result<StoreId, JournalError> {
        self.inner.store_id().await
    }

    async fn head(&self, portfolio: &PortfolioId) -> Result<Head, JournalError> {
        self.readable("reading the head")?;
        self.inner.head(portfolio).await
    }

    async fn read(&self, portfolio: &PortfolioId, after: Sequence) -> Result<Vec<Entry>, JournalError> {
        self.readable("reading records")?;
        self.inner.read(portfolio, after).await
    }

    async fn commit(&self, commit: Commit) -> CommitOutcome {
        let message = || "a scripted fault".to_owned();
        match self.next_fault() {
            None => self.write(commit).await,
            Some(CommitFault::UnknownWritten) => {
                self.inner.commit(commit).await;
                CommitOutcome::Unknown { message: message() }
            }
            Some(CommitFault::UnknownAndUnreadable) => {
                self.inner.commit(commit).await;
                self.fail_reads(3);
                CommitOutcome::Unknown { message: message() }
            }
            Some(CommitFault::UnknownNotWritten) => CommitOutcome::Unknown { message: message() },
            Some(CommitFault::Failed) => CommitOutcome::Failed { message: message() },
            Some(CommitFault::Conflict) => {
                CommitOutcome::Conflict { head: self.inner.head(&commit.portfolio).await.unwrap_or_default() }
            }
            Some(CommitFault::Fenced) => {
                CommitOutcome::Fenced { head: self.inner.head(&commit.portfolio).await.unwrap_or_default() }
            }
            Some(CommitFault::Halt(mode)) => {
                let (who, why) = ("ann".to_owned(), "the feed is wrong".to_owned());
                let halt = Halt { scope: Scope::Everything, mode, who, why, at: Timestamp::EPOCH };
                self.inner.halt(&halt).await.unwrap();
                self.inner.commit(commit).await
            }
            Some(CommitFault::PanicBefore) => panic!("a scripted panic before a commit"),
            Some(CommitFault::PanicAfter) => {
                self.inner.commit(commit).await;
                panic!("a scripted panic after a commit")
            }
        }
    }

    async fn portfolios(&self) -> Result<Vec<PortfolioId>, JournalError> {
        self.readable("reading portfolios")?;
        self.inner.portfolios().await
    }

    async fn open_batches(&self) -> Result<Vec<PortfolioId>, JournalError> {
        self.readable("reading open batches")?;
        self.inner.open_batches().await
    }

    async fn pending_alerts(&self, limit: usize) -> Result<Vec<Alert>, JournalError> {
        self.readable("reading alerts")?;
        self.inner.pending_alerts(limit).await
    }

    async fn acknowledge_alert(&self, alert: &Alert) -> Result<(), JournalError> {
        self.inner.acknowledge_alert(alert).await
    }

    async fn halt(&self, halt: &Halt) -> Result<(), JournalError> {
        self.inner.halt(halt).await
    }

    async fn release(&self, release: &Release) -> Result<bool, JournalError> {
        self.inner.release(release).await
    }

    async fn halts(&self) -> Result<Vec<Halt>, JournalError> {
        self.readable("reading halts")?;
        self.inner.halts().await
    }
}

/// A lease store that cannot be asked while it is told so.
pub(crate) struct FaultyLeases {
    inner: Arc<MemoryLeases>,
    down: Mutex<bool>,
    /// How long the answer to a grant is on its way, by this clock.
    late: Option<(ManualClock, Duration)>,
}

impl FaultyLeases {
    pub(crate) fn new(inner: Arc<MemoryLeases>) -> Self {
        Self { inner, down: Mutex::new(false), late: None }
    }

    /// Leases are granted at once, and the answer comes so much later.
    pub(crate) fn answering_late(inner: Arc<MemoryLeases>, clock: ManualClock, by: Duration) -> Self {
        Self { late: Some((clock, by)), ..Self::new(inner) }
    }

    pub(crate) fn set_down(&self, down: bool) {
        *self.down.lock().unwrap() = down;
    }

    fn is_down(&self) -> bool {
        *self.down.lock().unwrap()
    }

    fn reachable(&self, portfolio: &PortfolioId) -> Result<(), HoldError> {
        let message = "a scripted outage".to_owned();
        if self.is_down() { Err(HoldError::Unavailable { portfolio: portfolio.clone(), message }) } else { Ok(()) }
    }
}

#[async_trait]
impl LeaseStore for FaultyLeases {
    async fn acquire(
        &self,
        portfolio: &PortfolioId,
        owner: &OwnerId,
        terms: LeaseTerms,
    ) -> Result<Lease, AcquireError> {
        if self.is_down() {
            let message = "a scripted outage".to_owned();
            return Err(AcquireError::Unavailable { portfolio: portfolio.clone(), message });
        }
        let granted = self.inner.acquire(portfolio, owner, terms).await;
        if let Some((clock, by)) = &self.late {
            clock.sleep_until(clock.now().plus(*by)).await;
        }
        granted
    }

    async fn renew(&self, lease: &Lease) -> Result<(), HoldError> {
        self.reachable(&lease.portfolio)?;
        self.inner.renew(lease).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), HoldError> {
        self.reachable(&lease.portfolio)?;
        self.inner.release(lease).await
    }
}
