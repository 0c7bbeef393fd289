//! A gate for answers that are held until somebody releases them. It needs no runtime and no clock.

use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// Callers that wait to be released, all together.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// How often the gate was opened.
    opened: u64,
    /// Tickets of the callers that wait, with their wakers.
    waiting: Vec<(u64, Waker)>,
    tickets: u64,
}

impl Gate {
    /// Waits until the gate is opened the next time.
    pub(crate) async fn wait(&self) {
        let (ticket, opened) = {
            let mut state = self.lock();
            state.tickets = state.tickets.saturating_add(1);
            (state.tickets, state.opened)
        };
        // Dropping the future takes its ticket back.
        let _ticket = Ticket { gate: self, ticket };
        poll_fn(|context| {
            let mut state = self.lock();
            if state.opened > opened {
                return Poll::Ready(());
            }
            state.waiting.retain(|(waiting, _)| *waiting != ticket);
            state.waiting.push((ticket, context.waker().clone()));
            Poll::Pending
        })
        .await;
    }

    /// Lets everybody go who waits now; how many that are.
    pub(crate) fn open(&self) -> usize {
        let waiting = {
            let mut state = self.lock();
            state.opened = state.opened.saturating_add(1);
            std::mem::take(&mut state.waiting)
        };
        let count = waiting.len();
        waiting.into_iter().for_each(|(_, waker)| waker.wake());
        count
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Ticket<'a> {
    gate: &'a Gate,
    ticket: u64,
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        self.gate.lock().waiting.retain(|(waiting, _)| *waiting != self.ticket);
    }
}
