//! How one call of the engine reaches another that is under way: stop, and abort.
//!
//! Nothing here is durable: an abort that is not taken up before a crash has not happened.

use crate::board::Board;
use evenkeel_domain::values::{PortfolioId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

#[derive(Default)]
pub(crate) struct Signals(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// Counts changes, so that a waiter notices one it has not seen.
    version: u64,
    stopping: Option<Timestamp>,
    running: BTreeSet<PortfolioId>,
    aborts: BTreeMap<PortfolioId, AbortRequest>,
    waiting: BTreeMap<u64, Waker>,
    /// The number of the next who waits.
    next: u64,
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
        waiting.into_values().for_each(Waker::wake);
    }

    /// The same for who is being worked on, which nobody waits for before everything is to stop: a batch that begins or ends wakes no other.
    fn change_running(&self, change: impl FnOnce(&mut Inner)) {
        let mut inner = self.inner();
        change(&mut inner);
        let is_stopping = inner.stopping.is_some();
        drop(inner);
        if is_stopping {
            self.nudge();
        }
    }

    /// Wakes every batch that is executed here, so that it looks around.
    pub(crate) fn nudge(&self) {
        self.change(|_| {});
    }

    pub(crate) fn version(&self) -> u64 {
        self.inner().version
    }

    /// Ends when something has changed since `seen`: a stop, a nudge, a wish; once everything is to stop, also who is being worked on.
    pub(crate) fn changed(&self, seen: u64) -> Changed<'_> {
        Changed { signals: self, seen, number: None }
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
        self.change_running(|inner| {
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

/// A wait for a change. It is known from its first poll until it ends or is dropped, so that nothing is left of it.
pub(crate) struct Changed<'a> {
    signals: &'a Signals,
    seen: u64,
    number: Option<u64>,
}

impl Future for Changed<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut inner = self.signals.inner();
        if inner.version != self.seen {
            return Poll::Ready(());
        }
        let number = self.number.unwrap_or(inner.next);
        if self.number.is_none() {
            inner.next = inner.next.wrapping_add(1);
        }
        let replaced = inner.waiting.insert(number, context.waker().clone());
        drop(inner);
        // Not while it is locked: with a waker may go a task, and with that another wait.
        drop(replaced);
        self.number = Some(number);
        Poll::Pending
    }
}

impl Drop for Changed<'_> {
    fn drop(&mut self) {
        let removed = self.number.and_then(|number| self.signals.inner().waiting.remove(&number));
        drop(removed);
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
        self.signals.change_running(|inner| {
            inner.running.remove(&self.portfolio);
            inner.aborts.remove(&self.portfolio);
        });
        self.board.note(&self.portfolio);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How often somebody who waits for a change is woken by what `happens`.
    fn wakes(signals: &Signals, happens: impl FnOnce(&Signals)) -> usize {
        let wakes = Arc::new(Wakes::default());
        let waker = Waker::from(Arc::clone(&wakes));
        let mut waits = signals.changed(signals.version());
        assert!(Pin::new(&mut waits).poll(&mut Context::from_waker(&waker)).is_pending());
        happens(signals);
        let is_over = Pin::new(&mut waits).poll(&mut Context::from_waker(&waker)).is_ready();
        drop(waits);
        let woken = wakes.0.load(Ordering::Relaxed);
        assert_eq!(is_over, woken > 0);
        assert_eq!(signals.inner().waiting.len(), 0, "nothing is left of the wait");
        woken
    }

    #[test]
    fn a_batch_that_begins_or_ends_wakes_nobody_unless_everything_is_to_stop() {
        let (signals, board) = (Signals::default(), Board::default());
        let growth = "growth".parse().unwrap();
        let abort = |signals: &Signals| {
            assert!(signals.ask_to_abort(&growth, AbortRequest { who: "ann".to_owned(), why: "to see".to_owned() }));
        };
        let mut running = None;
        assert_eq!(wakes(&signals, |_| running = Some(signals.run(&growth, &board))), 0, "begun");
        assert!(signals.is_running(&growth));
        assert_eq!(wakes(&signals, abort), 1, "aborted");
        assert_eq!(wakes(&signals, Signals::nudge), 1, "nudged");
        assert_eq!(wakes(&signals, |_| running = None), 0, "ended");
        running = Some(signals.run(&growth, &board));
        assert_eq!(wakes(&signals, |signals| signals.stop(Timestamp::EPOCH)), 1, "stopped");
        assert_eq!(wakes(&signals, |_| running = None), 1, "ended while everything stops");
        assert_eq!(signals.running(), []);
    }
}
