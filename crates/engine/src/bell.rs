//! A bell: whoever waits for a ring that it has not heard goes on.

use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

#[derive(Default)]
pub(crate) struct Bell(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    rings: u64,
    waiting: Vec<Waker>,
}

impl Bell {
    pub(crate) fn ring(&self) {
        let mut inner = self.inner();
        inner.rings = inner.rings.wrapping_add(1);
        let waiting = std::mem::take(&mut inner.waiting);
        drop(inner);
        waiting.into_iter().for_each(Waker::wake);
    }

    /// How often it has rung: what to compare with later.
    pub(crate) fn rings(&self) -> u64 {
        self.inner().rings
    }

    /// Ends when it has rung since it had rung so often.
    pub(crate) async fn rung_since(&self, heard: u64) {
        poll_fn(|context| {
            let mut inner = self.inner();
            if inner.rings != heard {
                return Poll::Ready(());
            }
            // Whoever waits is polled for many other reasons too: it is noted once.
            if !inner.waiting.iter().any(|waiting| waiting.will_wake(context.waker())) {
                inner.waiting.push(context.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
