//! Recovery: what a crash left open is finished or unwound, before anything else may happen to the portfolio.
//!
//! What a takeover decides is in `evenkeel_domain::decide`: nothing sent, abandoned; too old, unwound; else it goes on.

use crate::halt::rests_in;
use crate::session::{Session, caught};
use crate::signals::AbortRequest;
use crate::{Engine, EngineError};
use evenkeel_domain::decide::{Hold, Input};
use evenkeel_domain::order::BatchId;
use evenkeel_domain::portfolio::Portfolio;
use evenkeel_domain::report::BatchReport;
use evenkeel_domain::values::{PortfolioId, Sequence};
use evenkeel_ports::JournalError;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::sync::Arc;

/// A portfolio, as the journal gave it at the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// Which.
    pub portfolio: PortfolioId,
    /// Its state. [`EngineError::Journal`] with [`JournalError::Newer`] if a newer program has written it, with [`JournalError::Damaged`] or
    /// [`EngineError::Damaged`] if a person must look: nothing is done for it by this engine.
    pub result: Result<Arc<Portfolio>, EngineError>,
}

/// What became of one open batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// Whose.
    pub portfolio: PortfolioId,
    /// What it came to; `None` if it had been closed by somebody else in the meantime. [`EngineError::Journal`] with [`JournalError::Newer`] if a newer
    /// program has written it: it is left as it is, for that program.
    pub result: Result<Option<BatchReport>, EngineError>,
}

impl Engine {
    /// Reads every portfolio of the journal, so that waves reach them. Call it once, at the start.
    ///
    /// One that is damaged, or that a newer program has written, does not stop the others: what each came to is in the answer, in portfolio order.
    ///
    /// # Errors
    /// [`EngineError::Journal`] if the journal cannot be read.
    pub async fn load_all(&self) -> Result<Vec<Loaded>, EngineError> {
        let mut loaded = Vec::new();
        for portfolio in self.ports.journal.portfolios().await.map_err(EngineError::Journal)? {
            let result = match self.load(&portfolio).await {
                Err(error @ EngineError::Journal(JournalError::Unavailable { .. })) => return Err(error),
                result => result,
            };
            match &result {
                Ok(state) => self.board.put(Arc::clone(state)),
                Err(error) => tracing::error!(%portfolio, %error, "left alone"),
            }
            loaded.push(Loaded { portfolio, result });
        }
        Ok(loaded)
    }

    /// Reads one portfolio of the journal, so that waves reach it; `None` if the journal has no record of it.
    ///
    /// # Errors
    /// [`EngineError`] if the journal cannot be read or is damaged.
    pub async fn load_one(&self, portfolio: &PortfolioId) -> Result<Option<Arc<Portfolio>>, EngineError> {
        let state = self.load(portfolio).await?;
        if state.sequence == Sequence::ZERO {
            return Ok(None);
        }
        self.board.put(Arc::clone(&state));
        Ok(Some(state))
    }

    /// Finishes every open batch whose lease is free, all at once. Call it at the start, and from time to time.
    ///
    /// One that is busy or fails does not stop the others; what each came to is in the answer, in portfolio order. A worker that was dropped or killed has not
    /// given its leases back: their portfolios are [`Busy`](EngineError::Busy) until they were not renewed for the `heartbeat` of [`Settings::lease`](crate::Settings::lease),
    /// unless the lease store can tell that its process has ended.
    ///
    /// # Errors
    /// [`EngineError::Journal`] if the journal cannot be read.
    #[tracing::instrument(skip_all)]
    pub async fn recover(&self) -> Result<Vec<Recovered>, EngineError> {
        let open = self.ports.journal.open_batches().await.map_err(EngineError::Journal)?;
        let recoveries: FuturesUnordered<_> = open
            .into_iter()
            .map(async |portfolio| {
                let result = self.recover_one(&portfolio).await;
                Recovered { portfolio, result }
            })
            .collect();
        let mut recovered: Vec<Recovered> = recoveries.collect().await;
        recovered.sort_by(|a, b| a.portfolio.cmp(&b.portfolio));
        Ok(recovered)
    }

    /// Finishes the open batch of one portfolio, if there is one.
    ///
    /// # Errors
    /// [`EngineError::Busy`] while somebody works on it; any other if the batch could not be closed.
    #[tracing::instrument(skip_all, fields(%portfolio))]
    pub async fn recover_one(&self, portfolio: &PortfolioId) -> Result<Option<BatchReport>, EngineError> {
        let mut session = self.open_session(portfolio).await?;
        let done = caught(portfolio, session.finish_open_batch()).await;
        session.close(done).await
    }

    /// Has the open batch of a portfolio unwound: what was executed is traded back.
    ///
    /// If this engine is executing it, the wish is passed on and `None` is returned at once; else it is taken over, unwound and reported.
    ///
    /// # Errors
    /// [`EngineError::Refused`] if no batch is open that could be; [`EngineError::Busy`] if another worker is executing it.
    #[tracing::instrument(skip_all, fields(%portfolio))]
    pub async fn abort(
        &self,
        portfolio: &PortfolioId,
        who: &str,
        why: &str,
    ) -> Result<Option<BatchReport>, EngineError> {
        let (who, why) = (who.to_owned(), why.to_owned());
        if self.signals.ask_to_abort(portfolio, AbortRequest { who: who.clone(), why: why.clone() }) {
            return Ok(None);
        }
        let mut session = self.open_session(portfolio).await?;
        let done = caught(portfolio, session.abort(who, why)).await;
        session.close(done).await
    }
}

impl Session<'_> {
    /// An open batch comes first: this owner takes it over and drives it to its end.
    pub(crate) async fn finish_open_batch(&mut self) -> Result<Option<BatchReport>, EngineError> {
        let Some(batch) = &self.state.batch else { return Ok(None) };
        if rests_in(batch) {
            // Frozen, there is nothing to do for it: every takeover would be a record that says so.
            self.not_halted().await?;
        }
        tracing::info!(portfolio = %self.id(), batch = %batch.id, "taking over an open batch");
        self.take_over().await?;
        self.drive().await.map(Some)
    }

    async fn abort(&mut self, who: String, why: String) -> Result<Option<BatchReport>, EngineError> {
        if self.state.batch.is_some() {
            self.take_over().await?;
        } else {
            // Refused: there is nothing to abort.
            self.commit(Input::Abort { who: who.clone(), why: why.clone() }).await?;
        }
        if self.state.batch.is_some() {
            self.pass_on(AbortRequest { who, why }).await?;
        }
        self.drive().await.map(Some)
    }

    /// What is left of a journal that has lost batches says nothing of what the open one should come to: a person must look.
    async fn give_up(&mut self, batches: Vec<BatchId>) -> Result<(), EngineError> {
        tracing::error!(portfolio = %self.id(), ?batches, "the journal lacks batches that the broker has fills of");
        let (token, owner) = (self.lease.token, self.lease.owner.clone());
        self.commit(Input::TakeOver { token, owner, hold: Hold::Orders }).await?;
        if self.state.batch.is_some() {
            self.commit(Input::JournalLacks { batches }).await?;
        }
        Ok(())
    }

    async fn take_over(&mut self) -> Result<(), EngineError> {
        let lost = self.lost_batches().await?;
        if !lost.is_empty() {
            return self.give_up(lost).await;
        }
        let halts = self.engine.halts().await?;
        let halt = self.strictest(&halts).cloned();
        let hold = halt.as_ref().map_or(Hold::Nothing, |halt| halt.mode.into());
        let (token, owner) = (self.lease.token, self.lease.owner.clone());
        self.commit(Input::TakeOver { token, owner, hold }).await?;
        match halt {
            Some(halt) if self.state.batch.is_some() => self.heed(halt).await,
            _ => Ok(()),
        }
    }
}
