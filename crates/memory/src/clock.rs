//! A clock that is moved by hand, and the smallest executor that can live on it.
//!
//! It knows no other time: nothing here reads the machine's clock or blocks a thread. Waiters are kept in the order (deadline,
//! registration), so the same program runs the same way every time. The contract it keeps is in [`evenkeel_ports::Clock`].

#[cfg(test)]
mod tests;

use crate::lock;
use async_trait::async_trait;
use evenkeel_domain::values::Timestamp;
use evenkeel_ports::Clock;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// A clock that stands still until it is moved. Clones are the same clock.
///
/// Either move it yourself ([`advance`](Self::advance), [`advance_to`](Self::advance_to)), or let it drive a future
/// ([`run`](Self::run), [`poll_until`](Self::poll_until)): whenever the future can do nothing, time moves to the earliest sleep.
/// One future should be driven on one clock at a time: what runs at once is joined into it, as `FuturesUnordered` does. Futures on several threads can share a
/// clock that you move yourself; by more than a lease's heartbeat, only while none of them is in the middle of something.
///
/// ```
/// use evenkeel_domain::values::Timestamp;
/// use evenkeel_memory::ManualClock;
/// use evenkeel_ports::Clock;
/// use std::time::Duration;
///
/// let clock = ManualClock::new(Timestamp::EPOCH);
/// let hour = Timestamp::EPOCH.plus(Duration::from_secs(3_600));
/// clock.run(clock.sleep_until(hour))?;
/// assert_eq!(clock.now(), hour);
///
/// // A future that nothing can wake is an error, not a hang.
/// assert!(clock.run(std::future::pending::<()>()).is_err());
/// # Ok::<(), evenkeel_memory::Stuck>(())
/// ```
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<Shared>);

/// A future that waits while nothing can ever wake it: no sleep is under way that would end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nothing can wake what is waiting at {at}: no sleep is under way")]
pub struct Stuck {
    /// The time at which nothing went on.
    pub at: Timestamp,
}

/// The last moment that [`ManualClock::run`] moves to: a sleep until [`Timestamp::MAX`] is one that never ends.
const LAST: Timestamp = Timestamp::from_nanos(i64::MAX.saturating_sub(1));

#[derive(Debug)]
struct Shared {
    /// Nanoseconds. It is moved while the waiters are locked alone, and read by everybody all the time.
    now: AtomicI64,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    next_id: u64,
    /// Every deadline is after now.
    waiters: BTreeMap<(Timestamp, u64), Waker>,
}

impl ManualClock {
    /// A clock that stands at `start`.
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        Self(Arc::new(Shared { now: AtomicI64::new(start.nanos()), waiting: Mutex::default() }))
    }

    /// Moves time to `to` and wakes what was due by then: by deadline, then in the order the sleeps began. Time that has passed
    /// already is never gone back to.
    pub fn advance_to(&self, to: Timestamp) {
        let mut due = Vec::new();
        {
            let mut waiting = lock(&self.0.waiting);
            let now = self.now().max(to);
            self.0.now.store(now.nanos(), Ordering::Release);
            while let Some(first) = waiting.waiters.first_entry().filter(|first| first.key().0 <= now) {
                due.push(first.remove());
            }
        }
        // Foreign code runs here: it must find the clock unlocked.
        due.into_iter().for_each(Waker::wake);
    }

    /// Moves time on by so much.
    pub fn advance(&self, by: Duration) {
        self.advance_to(self.now().plus(by));
    }

    /// The deadline of the earliest sleep under way.
    #[must_use]
    pub fn next_waiter(&self) -> Option<Timestamp> {
        lock(&self.0.waiting).waiters.first_key_value().map(|((deadline, _), _)| *deadline)
    }

    /// Drives `future` to its end on this thread, moving time to the earliest sleep whenever nothing else can go on.
    ///
    /// # Errors
    /// [`Stuck`] if the future waits for anything but this clock and itself, or for a sleep until [`Timestamp::MAX`]: that
    /// moment never comes.
    pub fn run<F: Future>(&self, future: F) -> Result<F::Output, Stuck> {
        self.poll_until(pin!(future), LAST).ok_or_else(|| Stuck { at: self.now() })
    }

    /// Drives `future` as far as it goes without moving time past `limit`; sleeps that end at `limit` still end.
    ///
    /// `None` if it waits for something later, or for nothing that is known here ([`next_waiter`](Self::next_waiter) tells). Time
    /// then stands where the future last went on, at or before `limit`; move it, and call again.
    ///
    /// ```
    /// # use evenkeel_domain::values::Timestamp;
    /// # use evenkeel_memory::ManualClock;
    /// # use evenkeel_ports::Clock;
    /// # use std::{pin::pin, time::Duration};
    /// let clock = ManualClock::new(Timestamp::EPOCH);
    /// let [wave, wake] = [60, 90].map(|secs| Timestamp::EPOCH.plus(Duration::from_secs(secs)));
    /// let mut work = pin!(clock.sleep_until(wake));
    ///
    /// assert_eq!(clock.poll_until(work.as_mut(), wave), None);
    /// assert_eq!(clock.now(), Timestamp::EPOCH); // the wave is for the caller to set
    /// clock.advance_to(wave);
    /// assert_eq!(clock.poll_until(work.as_mut(), wake), Some(()));
    /// ```
    pub fn poll_until<F: Future + ?Sized>(&self, mut future: Pin<&mut F>, limit: Timestamp) -> Option<F::Output> {
        let woken = Arc::new(Woken(AtomicBool::new(false)));
        let waker = Waker::from(Arc::clone(&woken));
        let mut context = Context::from_waker(&waker);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                return Some(output);
            }
            // Woken while it was polled: it goes on before time does.
            while !woken.take() {
                let next = self.next_waiter().filter(|deadline| *deadline <= limit)?;
                self.advance_to(next);
            }
        }
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.0.now.load(Ordering::Acquire))
    }

    async fn sleep_until(&self, deadline: Timestamp) {
        Sleep { clock: self, deadline, id: None }.await;
    }
}

/// Whether the future being driven was woken since it was last polled.
struct Woken(AtomicBool);

impl Woken {
    fn take(&self) -> bool {
        self.0.swap(false, Ordering::AcqRel)
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

/// A sleep under way. It is a waiter from its first poll until it has ended or is dropped.
struct Sleep<'a> {
    clock: &'a ManualClock,
    deadline: Timestamp,
    id: Option<u64>,
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let waker = context.waker().clone();
        // A waker is never dropped while the clock is locked: with it may go a task, and with that a sleep.
        let _replaced = {
            let mut waiting = lock(&self.clock.0.waiting);
            if self.clock.now() >= self.deadline {
                return Poll::Ready(());
            }
            let id = self.id.unwrap_or(waiting.next_id);
            if self.id.is_none() {
                waiting.next_id = waiting.next_id.wrapping_add(1);
            }
            self.id = Some(id);
            waiting.waiters.insert((self.deadline, id), waker)
        };
        Poll::Pending
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        let _removed = self.id.and_then(|id| lock(&self.clock.0.waiting).waiters.remove(&(self.deadline, id)));
    }
}
