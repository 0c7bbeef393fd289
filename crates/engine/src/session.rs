//! A session: one portfolio, worked on under its lease. The only place where the journal is written.
//!
//! ```text
//! let mut session = engine.open_session(portfolio).await?;       lease, then the state the journal gives
//! let done = caught(session.rebalance(..)).await;                 a panic becomes an error
//! session.close(done).await                                       the lease is given back, whatever happened
//! ```
//!
//! Dropping a session is a crash: the lease stays until its heartbeat frees it, and whoever comes next recovers.

use crate::signals::Running;
use crate::{Engine, EngineError};
use evenkeel_domain::alert::alerts;
use evenkeel_domain::apply::apply;
use evenkeel_domain::decide::{Decision, Input, decide_all};
use evenkeel_domain::halt::Halt;
use evenkeel_domain::portfolio::{Portfolio, Standing};
use evenkeel_domain::record::Record;
use evenkeel_domain::values::{AccountId, PortfolioId, Sequence, Timestamp};
use evenkeel_ports::{Clock, Commit, CommitOutcome, EngineEvent, Entry, JournalError, Lease};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

/// How often a commit that provably wrote nothing is repeated.
const COMMIT_ATTEMPTS: u32 = 3;

pub(crate) struct Session<'e> {
    pub(crate) engine: &'e Engine,
    pub(crate) lease: Lease,
    /// Shared with the board, and with a journal that keeps states.
    pub(crate) state: Arc<Portfolio>,
    /// By this worker's clock, taken before the lease store was asked: never too late.
    pub(crate) acquired_at: Timestamp,
    pub(crate) renewed_at: Timestamp,
    /// The halt that the open batch heeds.
    pub(crate) halt: Option<Halt>,
    lost: bool,
    _running: Running<'e>,
}

impl Engine {
    /// Takes the lease of `portfolio` and reads its journal.
    pub(crate) async fn open_session(&self, portfolio: &PortfolioId) -> Result<Session<'_>, EngineError> {
        if self.signals.stopping().is_some() {
            return Err(EngineError::Stopping { portfolio: portfolio.clone() });
        }
        let asked_at = self.ports.clock.now();
        let taken = self.ports.leases.acquire(portfolio, &self.owner, self.settings.lease).await;
        let lease = taken.map_err(EngineError::acquiring)?;
        self.observe(&EngineEvent::LeaseTaken { portfolio, token: lease.token });
        let session = Session {
            engine: self,
            state: Arc::new(Portfolio::new(portfolio.clone())),
            lease,
            acquired_at: asked_at,
            renewed_at: asked_at,
            halt: None,
            lost: false,
            _running: self.signals.run(portfolio, &self.board),
        };
        match caught(portfolio, self.load(portfolio)).await {
            Ok(state) => Ok(Session { state, ..session }),
            Err(error) => session.close(Err(error)).await,
        }
    }

    /// The state that the journal gives: what is known already, if the head confirms it, and what came since.
    pub(crate) async fn load(&self, portfolio: &PortfolioId) -> Result<Arc<Portfolio>, EngineError> {
        let head = self.ports.journal.head(portfolio).await.map_err(EngineError::Journal)?;
        let known = self.board.portfolio(portfolio).filter(|known| known.sequence <= head.sequence);
        let mut state = known.unwrap_or_else(|| Arc::new(Portfolio::new(portfolio.clone())));
        if state.sequence == head.sequence {
            return Ok(state);
        }
        let entries = self.ports.journal.read(portfolio, state.sequence).await.map_err(EngineError::Journal)?;
        for Entry { sequence, record, .. } in entries {
            let damaged = |cause| EngineError::Damaged { portfolio: portfolio.clone(), cause };
            apply(Arc::make_mut(&mut state), &record).map_err(damaged)?;
            if state.sequence != sequence {
                return Err(EngineError::Journal(gap(portfolio, state.sequence, sequence)));
            }
        }
        self.board.put(Arc::clone(&state));
        Ok(state)
    }

    pub(crate) fn observe(&self, event: &EngineEvent<'_>) {
        self.ports.observer.observe(self.ports.clock.now(), event);
    }
}

fn gap(portfolio: &PortfolioId, expected: Sequence, found: Sequence) -> JournalError {
    let message = format!("it should be number {expected}");
    JournalError::Damaged { portfolio: portfolio.clone(), sequence: found, message }
}

/// Turns a panic inside `work` into an error, so that the lease can be given back.
pub(crate) async fn caught<T>(
    portfolio: &PortfolioId,
    work: impl Future<Output = Result<T, EngineError>>,
) -> Result<T, EngineError> {
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<&str>().map(ToString::to_string);
        let message = text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default();
        tracing::error!(%portfolio, message, "panicked");
        Err(EngineError::Panicked { portfolio: portfolio.clone(), message })
    })
}

impl Session<'_> {
    pub(crate) fn id(&self) -> &PortfolioId {
        &self.lease.portfolio
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.engine.ports.clock
    }

    /// The account at the broker.
    pub(crate) fn account(&self) -> Result<AccountId, EngineError> {
        let definition = self.state.definition.as_ref().filter(|_| self.state.standing != Standing::Absent);
        let account = definition.map(|definition| definition.account.clone());
        account.ok_or_else(|| EngineError::NoSuchPortfolio { portfolio: self.id().clone() })
    }

    /// Decides, commits, and goes on with the state that follows; nothing decided is nothing written.
    pub(crate) async fn commit(&mut self, input: Input<'_>) -> Result<(), EngineError> {
        self.commit_all([input]).await
    }

    /// The same for several inputs, all in one commit.
    pub(crate) async fn commit_all(&mut self, inputs: impl IntoIterator<Item = Input<'_>>) -> Result<(), EngineError> {
        let decision = self.decide(inputs)?;
        self.carry_out(decision).await
    }

    /// What follows from the inputs.
    pub(crate) fn decide<'a>(&self, inputs: impl IntoIterator<Item = Input<'a>>) -> Result<Decision, EngineError> {
        let refused = |cause| EngineError::Refused { portfolio: self.lease.portfolio.clone(), cause };
        decide_all(&self.state, self.clock().now(), inputs).map_err(refused)
    }

    /// Commits what was decided, and goes on with the state that follows; nothing decided is nothing written.
    pub(crate) async fn carry_out(&mut self, decision: Decision) -> Result<(), EngineError> {
        let Decision { records, after } = decision;
        let Some(after) = after else { return Ok(()) };
        let (records, after): (Arc<[Record]>, _) = (records.into(), Arc::new(after));
        self.write(Arc::clone(&records), Arc::clone(&after)).await?;
        self.state = after;
        self.engine.observe(&EngineEvent::Committed { portfolio: self.id(), records: &records });
        Ok(())
    }

    /// Writes records durably, or says that it did not. Whoever else wrote in between has the portfolio now.
    async fn write(&mut self, records: Arc<[Record]>, state: Arc<Portfolio>) -> Result<(), EngineError> {
        let commit = Commit {
            portfolio: self.id().clone(),
            expected: self.state.sequence,
            token: self.lease.token,
            alerts: alerts(&self.state, &records),
            records,
            state: Some(state),
        };
        let mut problem = String::new();
        for _ in 0..COMMIT_ATTEMPTS {
            match self.engine.ports.journal.commit(commit.clone()).await {
                CommitOutcome::Committed => return Ok(()),
                CommitOutcome::Conflict { .. } | CommitOutcome::Fenced { .. } => return Err(self.lose()),
                CommitOutcome::Halted { halt } => {
                    let (portfolio, halt) = (self.id().clone(), Box::new(halt));
                    return Err(EngineError::Halted { portfolio, halt });
                }
                CommitOutcome::Unknown { message } => {
                    problem = message;
                    match self.read_back(&commit).await {
                        Some(WrittenBack::Ours) => return Ok(()),
                        Some(WrittenBack::Theirs) => return Err(self.lose()),
                        Some(WrittenBack::Nothing) => {}
                        None => return Err(self.not_committed(format!("{problem}; and it cannot be read back"))),
                    }
                }
                CommitOutcome::Failed { message } => problem = message,
            }
            self.engine.observe(&EngineEvent::Unanswered { portfolio: self.id(), message: &problem });
            self.clock().sleep_until(self.clock().now().plus(self.engine.settings.poll)).await;
        }
        Err(self.not_committed(problem))
    }

    fn not_committed(&self, message: String) -> EngineError {
        EngineError::NotCommitted { portfolio: self.id().clone(), message }
    }

    /// What stands where an unknown commit would have been written; `None` if that cannot be read.
    async fn read_back(&self, commit: &Commit) -> Option<WrittenBack> {
        for _ in 0..COMMIT_ATTEMPTS {
            match self.engine.ports.journal.read(&commit.portfolio, commit.expected).await {
                Ok(entries) if entries.is_empty() => return Some(WrittenBack::Nothing),
                Ok(entries) => {
                    let same =
                        |(entry, record): (&Entry, &Record)| entry.record == *record && entry.token == commit.token;
                    let ours =
                        entries.len() == commit.records.len() && entries.iter().zip(commit.records.iter()).all(same);
                    return Some(if ours { WrittenBack::Ours } else { WrittenBack::Theirs });
                }
                Err(_) => self.clock().sleep_until(self.clock().now().plus(self.engine.settings.poll)).await,
            }
        }
        None
    }

    /// Notes that the lease is somebody else's.
    pub(crate) fn lose(&mut self) -> EngineError {
        self.lost = true;
        tracing::warn!(portfolio = %self.id(), token = %self.lease.token, "lease lost");
        self.engine.observe(&EngineEvent::LeaseLost { portfolio: self.id(), token: self.lease.token });
        EngineError::LeaseLost { portfolio: self.id().clone() }
    }

    /// Puts the state on the board and gives the lease back, then passes `done` on.
    pub(crate) async fn close<T>(self, done: Result<T, EngineError>) -> Result<T, EngineError> {
        let Self { engine, lease, state, lost, _running, .. } = self;
        if state.sequence > Sequence::ZERO {
            engine.board.put(state);
        }
        if !lost {
            let Lease { portfolio, token, .. } = &lease;
            // The closing commit came first: should this fail, the heartbeat frees the lease.
            match engine.ports.leases.release(&lease).await {
                Ok(()) => engine.observe(&EngineEvent::LeaseReleased { portfolio, token: *token }),
                Err(error) => tracing::warn!(%portfolio, %error, "the lease was not given back"),
            }
        }
        done
    }
}

enum WrittenBack {
    Ours,
    Theirs,
    Nothing,
}
