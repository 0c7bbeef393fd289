//! The kill switch: a person has nothing sent, for everything, one portfolio or one symbol, until the halt is taken back.
//!
//! The journal refuses to write what a halt forbids, so nothing slips past it. A batch that is open heeds a halt when it is refused a
//! commit, and whenever it looks: every [`poll`](crate::Settings::poll) while it waits, at once where this engine was told. What
//! heeding means is decided in `evenkeel_domain::decide`: frozen or unwound, as the halt's mode says.

use crate::session::Session;
use crate::{Engine, EngineError};
use evenkeel_domain::batch::{Batch, OrderState, Phase};
use evenkeel_domain::decide::{Hold, Input};
use evenkeel_domain::halt::{Halt, HaltMode, Release, Scope};

/// A batch heeds as many halts as there are kinds of scope, each at most once.
const HALTS_HEEDED: usize = 3;

impl Engine {
    /// Has nothing sent any more within `scope`. Replaces the halt of that scope, if there is one.
    ///
    /// Once this has answered, no batch is opened and no order is intended against it, by whatever worker of this journal. Open batches notice
    /// within a poll.
    ///
    /// # Errors
    /// [`EngineError::Journal`] if the journal cannot be written: not at all, or perhaps
    /// ([`JournalError::Unknown`](evenkeel_ports::JournalError::Unknown)). Do it again.
    #[tracing::instrument(skip_all, fields(%scope, %mode))]
    pub async fn halt(&self, scope: Scope, mode: HaltMode, who: &str, why: &str) -> Result<Halt, EngineError> {
        let at = self.ports.clock.now();
        let halt = Halt { scope, mode, who: who.to_owned(), why: why.to_owned(), at };
        self.ports.journal.halt(&halt).await.map_err(EngineError::Journal)?;
        tracing::warn!(%halt, "halted");
        self.signals.nudge();
        Ok(halt)
    }

    /// Takes the halt of `scope` back. False if there was none. Batches that it froze go on at the next [`recover`](Engine::recover).
    ///
    /// # Errors
    /// [`EngineError::Journal`] if the journal cannot be written: not at all, or perhaps
    /// ([`JournalError::Unknown`](evenkeel_ports::JournalError::Unknown)). Do it again.
    #[tracing::instrument(skip_all, fields(%scope))]
    pub async fn release(&self, scope: Scope, who: &str, why: &str) -> Result<bool, EngineError> {
        let at = self.ports.clock.now();
        let release = Release { scope, who: who.to_owned(), why: why.to_owned(), at };
        let released = self.ports.journal.release(&release).await.map_err(EngineError::Journal)?;
        self.signals.nudge();
        self.board.released();
        Ok(released)
    }

    /// The halts that stand, in order of their scopes.
    ///
    /// # Errors
    /// [`EngineError::Journal`] if the journal cannot be read.
    pub async fn halts(&self) -> Result<Vec<Halt>, EngineError> {
        self.ports.journal.halts().await.map_err(EngineError::Journal)
    }
}

/// True if nothing of an open batch is under way: what is left of it is to trade back.
pub(crate) fn rests_in(batch: &Batch) -> bool {
    let rests = |state: OrderState| state.is_terminal() || state == OrderState::UnknownQuiet;
    matches!(batch.phase, Phase::Unwinding | Phase::Compensating(_)) && batch.orders.values().all(|o| rests(o.state))
}

impl Session<'_> {
    /// Nothing is begun for a portfolio that is halted; where a symbol of its is, the commit says so.
    pub(crate) async fn not_halted(&self) -> Result<(), EngineError> {
        let halts = self.engine.halts().await?;
        match self.strictest(&halts) {
            Some(halt) if halt.mode == HaltMode::Freeze || self.state.batch.is_none() => Err(self.halted_by(halt)),
            _ => Ok(()),
        }
    }

    /// True while no order may be sent.
    pub(crate) fn is_frozen(&self) -> bool {
        self.halt.as_ref().is_some_and(|halt| halt.mode == HaltMode::Freeze)
    }

    /// Of the halts that stand, the open batch heeds the strictest that is about it.
    pub(crate) async fn heed_one_of(&mut self, halts: &[Halt]) -> Result<(), EngineError> {
        match self.strictest(halts).cloned() {
            Some(halt) if self.halt.as_ref() != Some(&halt) => self.heed(halt).await,
            Some(_) => Ok(()),
            None => {
                self.halt = None;
                Ok(())
            }
        }
    }

    /// Commits what the inputs lead to; where a halt forbids it, heeds the halt first and lets the batch do what is left to do.
    pub(crate) async fn commit_or_heed<'a, I: IntoIterator<Item = Input<'a>>>(
        &mut self,
        inputs: impl Fn(Hold) -> I,
        is_stopping: bool,
    ) -> Result<(), EngineError> {
        for _ in 0..HALTS_HEEDED {
            match self.commit_all(inputs(self.hold(is_stopping))).await {
                Err(EngineError::Halted { halt, .. }) => self.heed(*halt).await?,
                done => return done,
            }
            if self.state.batch.is_none() {
                return Ok(());
            }
        }
        self.commit_all(inputs(self.hold(is_stopping))).await
    }

    /// An open batch that is frozen and has come to rest is left as it is.
    pub(crate) fn leave_frozen(&self) -> Result<(), EngineError> {
        match &self.halt {
            Some(halt) if self.is_frozen() && self.state.batch.as_ref().is_some_and(rests_in) => {
                Err(self.halted_by(halt))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn hold(&self, is_stopping: bool) -> Hold {
        match &self.halt {
            Some(halt) if halt.mode == HaltMode::Freeze => Hold::Orders,
            _ if is_stopping => Hold::NextStage,
            _ => Hold::Nothing,
        }
    }

    /// Where another halt forbids what this one would lead to, that is the one to heed.
    pub(crate) async fn heed(&mut self, mut halt: Halt) -> Result<(), EngineError> {
        for _ in 0..HALTS_HEEDED {
            tracing::warn!(portfolio = %self.id(), %halt, "halted");
            match self.commit(Input::Halt { halt: &halt }).await {
                Err(EngineError::Halted { halt: stricter, .. }) => halt = *stricter,
                done => {
                    self.halt = Some(halt);
                    return done.map(drop);
                }
            }
        }
        Err(self.halted_by(&halt))
    }

    pub(crate) fn strictest<'h>(&self, halts: &'h [Halt]) -> Option<&'h Halt> {
        let legs = self.state.batch.iter().flat_map(|batch| &batch.opening.legs);
        let symbols: Vec<_> = legs.map(|leg| leg.terms.symbol).collect();
        let concerning = halts.iter().filter(|halt| halt.concerns(self.id(), symbols.iter().copied()));
        concerning.min_by_key(|halt| halt.mode)
    }

    fn halted_by(&self, halt: &Halt) -> EngineError {
        EngineError::Halted { portfolio: self.id().clone(), halt: Box::new(halt.clone()) }
    }
}
