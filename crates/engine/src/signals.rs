//! How one call of the engine reaches another that is under way: stop, and abort.
//!
//! Nothing here is durable: an abort that is not taken up before a crash has not happened.

use crate::board::Board;
use evenkeel_domain::values::{PortfolioId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

#[derive(Default)]
pub(crate) struct Signals(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// Counts changes, so that a waiter notices one it has not seen.
    version: u64,
    stopping: Option<Timestamp>,
    running: BTreeSet<PortfolioId>,
    aborts: BTreeMap<PortfolioId, AbortRequest>,
    waiting: Vec<Waker>,
}

/// A person's wish that the open batch be unwound.
#[derive(Debug, Clone)]
pub(crate) struct AbortRequest {
    pub(crate) who: String,
    pub(crate) why: String,
}

impl Signals {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Inner)) {
        let mut inner = self.inner();
        change(&mut inner);
        inner.version = inner.version.wrapping_add(1);
        let waiting = std::mem::take(&mut inner.waiting);
        drop(inner);
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Wakes every batch that is executed here, so that it looks around.
    pub(crate) fn nudge(&self) {
        self.change(|_| {});
    }

    pub(crate) fn version(&self) -> u64 {
        self.inner().version
    }

    /// Ends when something has changed since `seen`.
    pub(crate) async fn changed(&self, seen: u64) {
        poll_fn(|context| {
            let mut inner = self.inner();
            if inner.version != seen {
                return Poll::Ready(());
            }
            inner.waiting.push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    pub(crate) fn stop(&self, deadline: Timestamp) {
        self.change(|inner| inner.stopping = Some(inner.stopping.map_or(deadline, |earlier| earlier.min(deadline))));
    }

    /// When everything must have stopped, once it is to.
    pub(crate) fn stopping(&self) -> Option<Timestamp> {
        self.inner().stopping
    }

    /// Ends once everything is to stop.
    pub(crate) async fn stopped(&self) {
        loop {
            let seen = self.version();
            if self.stopping().is_some() {
                return;
            }
            self.changed(seen).await;
        }
    }

    /// Marks a portfolio as being worked on here, until the guard is dropped; then its change is noted on the board.
    pub(crate) fn run<'a>(&'a self, portfolio: &PortfolioId, board: &'a Board) -> Running<'a> {
        self.change(|inner| {
            inner.running.insert(portfolio.clone());
        });
        Running { signals: self, board, portfolio: portfolio.clone() }
    }

    pub(crate) fn is_running(&self, portfolio: &PortfolioId) -> bool {
        self.inner().running.contains(portfolio)
    }

    pub(crate) fn running(&self) -> Vec<PortfolioId> {
        self.inner().running.iter().cloned().collect()
    }

    /// Leaves a wish for whoever drives the portfolio's batch here. False if nobody does.
    pub(crate) fn ask_to_abort(&self, portfolio: &PortfolioId, request: AbortRequest) -> bool {
        let is_running = self.is_running(portfolio);
        if is_running {
            self.change(|inner| {
                inner.aborts.insert(portfolio.clone(), request);
            });
        }
        is_running
    }

    pub(crate) fn take_abort(&self, portfolio: &PortfolioId) -> Option<AbortRequest> {
        self.inner().aborts.remove(portfolio)
    }
}

/// A portfolio is being worked on while this lives.
pub(crate) struct Running<'a> {
    signals: &'a Signals,
    board: &'a Board,
    portfolio: PortfolioId,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.signals.change(|inner| {
            inner.running.remove(&self.portfolio);
            inner.aborts.remove(&self.portfolio);
        });
        self.board.note(&self.portfolio);
    }
}
