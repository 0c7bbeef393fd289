//! The loop that executes a batch: what is due is done, what is learned is reported, until the batch is over.
//!
//! ```text
//! due(state) ──> futures, all inside this one ──> reports ──> decide ──> commit ──> apply ──┐
//!      ^────────────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! No choice is made here. This file only remembers what is under way, limits it, paces questions that are asked again, and keeps the lease
//! alive; a lease that is lost stops it before the next effect.

mod work;

use crate::EngineError;
use crate::session::Session;
use crate::signals::AbortRequest;
use crate::snapshot::Snapshot;
use evenkeel_domain::decide::{Input, Report, completes};
use evenkeel_domain::due::{Effect, due};
use evenkeel_domain::report::BatchReport;
use evenkeel_domain::values::Timestamp;
use evenkeel_ports::{EngineEvent, HoldError};
use futures_util::future::{Either, select};
use std::pin::pin;
use work::{Done, Learned, Work, renew_every};

impl Session<'_> {
    /// Executes the open batch to its end and reports it.
    pub(crate) async fn drive(&mut self) -> Result<BatchReport, EngineError> {
        let mut work = Work::new(self.engine, self.account()?, self.lease.clone());
        loop {
            let seen = self.engine.signals.version();
            if let Some(request) = self.engine.signals.take_abort(self.id()) {
                self.pass_on(request).await?;
            }
            if self.state.batch.is_none() {
                return self.report();
            }
            let stopping = self.engine.signals.stopping();
            if stopping.is_some_and(|deadline| !work.is_sending() || self.clock().now() >= deadline) {
                return Err(EngineError::Stopping { portfolio: self.id().clone() });
            }
            self.start_what_is_due(&mut work, stopping)?;
            let learned = work.learn(&self.engine.signals, seen).await;
            // It may have been stopped while that was waited for.
            self.take_in(learned, &mut work, self.engine.signals.stopping().is_some()).await?;
            self.leave_frozen()?;
        }
    }

    /// A person's wish. One that comes too late is not an error of the batch.
    pub(crate) async fn pass_on(&mut self, AbortRequest { who, why }: AbortRequest) -> Result<(), EngineError> {
        match self.commit(Input::Abort { who, why }).await {
            Err(EngineError::Halted { halt, .. }) => self.heed(*halt).await,
            Err(EngineError::Refused { cause, .. }) => {
                tracing::warn!(portfolio = %self.id(), %cause, "the batch was not aborted");
                Ok(())
            }
            other => other,
        }
    }

    fn report(&self) -> Result<BatchReport, EngineError> {
        let closed = self.state.closed.last();
        let report = closed.map(|batch| BatchReport::of(batch)).transpose()?.flatten();
        let portfolio = self.id().clone();
        let report = report.ok_or(EngineError::NoSuchPortfolio { portfolio })?;
        let (batch, outcome) = (report.batch, report.outcome.name());
        tracing::info!(portfolio = %self.id(), %batch, outcome, cost = %report.cost, "batch closed");
        Ok(report)
    }

    /// Starts every effect that is due, not under way, and not asked a moment ago.
    fn start_what_is_due(&mut self, work: &mut Work, stopping: Option<Timestamp>) -> Result<(), EngineError> {
        let now = self.clock().now();
        let is_alive = self.keep_the_lease(work, now)?;
        if !is_alive && !work.is_sending() {
            // What was sent is recorded. Whatever comes next is for whoever holds the lease by then.
            return Err(self.lose());
        }
        if let Some(deadline) = stopping {
            work.wake_at(deadline); // Only what is under way is waited for.
            return Ok(());
        }
        work.ask_for_halts(now);
        let effects = due(&self.state, now);
        work.expect(effects.len());
        for effect in effects {
            match effect {
                Effect::Wake(at) => work.wake_at(at),
                // An effect under a lease that may be somebody else's would be one too many.
                _ if !is_alive => {}
                Effect::Submit(request) if self.is_frozen() => work.withhold(request.id),
                Effect::Submit(request) => {
                    if work.may_submit(request.id) {
                        self.engine.observe(&EngineEvent::Sending { portfolio: self.id(), order: &request });
                        work.submit(&request);
                    }
                }
                Effect::Withhold(order) => work.withhold(order),
                Effect::Cancel(order) => {
                    if work.cancel(order, now) {
                        self.engine.observe(&EngineEvent::Canceling { portfolio: self.id(), order });
                    }
                }
                Effect::Look(order) => work.look(order, now),
                Effect::Compare => work.compare(self.state.fills_read.clone(), now),
            }
        }
        Ok(())
    }

    /// Renews the lease in time. False while it may have run out; an error once it has.
    fn keep_the_lease(&mut self, work: &mut Work, now: Timestamp) -> Result<bool, EngineError> {
        let terms = self.lease.terms;
        if now >= self.acquired_at.plus(terms.expiry) {
            return Err(self.lose());
        }
        let due_at = self.renewed_at.plus(renew_every(terms));
        if now >= due_at {
            work.renew(now);
        } else {
            work.wake_at(due_at);
        }
        let runs_out_at = self.renewed_at.plus(terms.heartbeat);
        for time in [runs_out_at, self.acquired_at.plus(terms.expiry)] {
            if now < time {
                work.wake_at(time);
            }
        }
        Ok(now < runs_out_at)
    }

    /// Records what was learned, all in one commit; with the end of the batch, if this completes it and books and broker agree.
    async fn take_in(&mut self, learned: Learned, work: &mut Work, is_stopping: bool) -> Result<(), EngineError> {
        let now = self.clock().now();
        let Learned { at_once: mut reports, done } = learned;
        let mut snapshot = None;
        reports.iter().for_each(|report| work.note_report(report, now));
        for done in done {
            work.note(&done, now);
            match done {
                Done::Reported(report) => reports.push(report),
                Done::Compared(Ok(compared)) => snapshot = Some(compared),
                Done::NotLooked(_, error) | Done::Compared(Err(error)) => self.unanswered(&error.to_string()),
                Done::Renewed { asked_at, result: Ok(()) } => self.renewed_at = asked_at,
                Done::Renewed { result: Err(HoldError::NotHeld { .. }), .. } => return Err(self.lose()),
                Done::Renewed { result: Err(error), .. } => self.unanswered(&error.to_string()),
                Done::Halts(Ok(halts)) => self.heed_one_of(&halts).await?,
                Done::Halts(Err(error)) => self.unanswered(&error.to_string()),
                // Perhaps a halt.
                Done::Signal => work.ask_for_halts_soon(),
                Done::Woke => {}
            }
        }
        if snapshot.is_none()
            && !is_stopping
            && self.state.batch.as_ref().is_some_and(|batch| completes(batch, &reports))
        {
            snapshot = self.compare_at_once().await;
        }
        // A halt may have ended it meanwhile.
        let mut snapshot = snapshot.filter(|_| self.state.batch.is_some());
        let listed = snapshot.as_mut().map(|snapshot| std::mem::take(&mut snapshot.fills));
        reports.extend(listed.into_iter().flatten().map(Report::Fill));
        let inputs = |hold| {
            let settle = snapshot
                .as_ref()
                .map(|Snapshot { broker, fills_read, .. }| Input::Settle { broker, fills_read: fills_read.clone() });
            [Input::Reports { reports: &reports, hold }].into_iter().chain(settle)
        };
        self.commit_or_heed(inputs, is_stopping).await
    }

    /// Asks what the broker shows, for a poll at most: no order depends on what was learned before, but it is not to wait for long.
    async fn compare_at_once(&self) -> Option<Snapshot> {
        let account = self.account().ok()?;
        let give_up_at = self.clock().now().plus(self.engine.settings.poll);
        let asked = pin!(self.read_snapshot(&account));
        match select(asked, self.clock().sleep_until(give_up_at)).await {
            Either::Left((Ok(snapshot), _)) => Some(snapshot),
            Either::Left((Err(error), _)) => {
                self.unanswered(&error.to_string());
                None
            }
            Either::Right(_) => None,
        }
    }

    fn unanswered(&self, message: &str) {
        tracing::warn!(portfolio = %self.id(), message, "not answered, asking again");
        self.engine.observe(&EngineEvent::Unanswered { portfolio: self.id(), message });
    }
}
