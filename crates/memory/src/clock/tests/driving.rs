//! How futures are driven: what goes on before time does, where time stops, and what is stuck.

use crate::testing::at;
use crate::{ManualClock, Stuck};
use evenkeel_domain::values::Timestamp;
use evenkeel_ports::Clock;
use futures_util::FutureExt;
use futures_util::future::{join, pending, poll_fn};
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

/// Lets everything else go on so many times: wakes itself while it is polled.
fn yields(times: u32) -> impl Future<Output = ()> {
    let mut left = times;
    poll_fn(move |context| match left.checked_sub(1) {
        Some(fewer) => {
            left = fewer;
            context.waker().wake_by_ref();
            Poll::Pending
        }
        None => Poll::Ready(()),
    })
}

#[test]
fn what_was_woken_goes_on_before_time_does() {
    let clock = ManualClock::new(at(0));
    let busy = async {
        yields(100).await;
        clock.now()
    };
    let ((), seen) = clock.run(join(clock.sleep_until(at(5)), busy)).unwrap();
    assert_eq!(seen, at(0));
    assert_eq!(clock.now(), at(5));
}

#[test]
fn everything_that_is_due_at_one_time_goes_on_at_that_time() {
    let clock = ManualClock::new(at(0));
    let log = Mutex::new(Vec::new());
    let worker = |name: &'static str, deadlines: [u64; 2]| {
        let (clock, log) = (&clock, &log);
        async move {
            for deadline in deadlines {
                clock.sleep_until(at(deadline)).await;
                yields(3).await;
                log.lock().unwrap().push((name, clock.now()));
            }
        }
    };
    let workers = [worker("a", [2, 4]), worker("b", [1, 4]), worker("c", [2, 3])];
    clock.run(FuturesUnordered::from_iter(workers).collect::<()>()).unwrap();
    let expected = [("b", 1), ("a", 2), ("c", 2), ("c", 3), ("b", 4), ("a", 4)];
    assert_eq!(*log.lock().unwrap(), expected.map(|(name, second)| (name, at(second))));
}

#[test]
fn time_does_not_move_beyond_the_limit() {
    /// Something sleeps until each deadline in turn and is driven with this limit: whether it ends, and where time stands.
    #[track_caller]
    fn check(deadlines: &[u64], limit: u64, ends: bool, now: u64) {
        let clock = ManualClock::new(at(10));
        let mut work = pin!(async {
            for deadline in deadlines {
                clock.sleep_until(at(*deadline)).await;
            }
        });
        assert_eq!(clock.poll_until(work.as_mut(), at(limit)).is_some(), ends, "{deadlines:?} to {limit}");
        assert_eq!(clock.now(), at(now), "{deadlines:?} to {limit}");
        if !ends {
            assert_eq!(clock.run(work), Ok(()), "it goes on from there");
        }
    }
    check(&[], 0, true, 10);
    check(&[5], 0, true, 10);
    check(&[20, 30], 29, false, 20);
    check(&[20, 30], 30, true, 30);
    check(&[20, 30], 99, true, 30);
    check(&[20], 19, false, 10);
    // A limit that has passed moves nothing.
    check(&[20], 5, false, 10);
}

#[test]
fn a_wave_between_two_sleeps_is_set_by_the_caller() {
    let clock = ManualClock::new(at(0));
    let price = Mutex::new(100);
    let mut work = pin!(async {
        let mut seen = Vec::new();
        for deadline in [10, 20, 30] {
            clock.sleep_until(at(deadline)).await;
            seen.push((deadline, *price.lock().unwrap()));
        }
        seen
    });
    for (wave, next) in [(20, 101), (25, 102)] {
        assert_eq!(clock.poll_until(work.as_mut(), at(wave)), None);
        clock.advance_to(at(wave));
        *price.lock().unwrap() = next;
    }
    assert_eq!(clock.poll_until(work.as_mut(), at(99)), Some(vec![(10, 100), (20, 100), (30, 102)]));
}

#[test]
fn it_is_polled_when_it_was_woken_and_not_else() {
    let clock = ManualClock::new(at(0));
    let sleep = |second| Box::pin(clock.sleep_until(at(second)));
    // Somebody else waits on this clock as well. That is no reason to poll what is driven here.
    let mut others = [3, 4, 5, 8].map(sleep);
    for other in &mut others {
        assert_eq!(other.as_mut().now_or_never(), None);
    }
    let mut work = sleep(6);
    let mut polls = 0;
    let counted = poll_fn(|context| {
        polls += 1;
        work.as_mut().poll(context)
    });
    assert_eq!(clock.run(counted), Ok(()));
    assert_eq!((polls, clock.now()), (2, at(6)));
}

#[test]
fn what_is_woken_between_two_calls_goes_on_in_the_next() {
    let clock = ManualClock::new(at(0));
    let sleeps = [5, 3].map(|second| clock.sleep_until(at(second)));
    let mut all = pin!(FuturesUnordered::from_iter(sleeps).collect::<()>());
    assert_eq!(clock.poll_until(all.as_mut(), at(0)), None);
    clock.advance_to(at(4));
    assert_eq!(clock.poll_until(all.as_mut(), at(4)), None);
    clock.advance_to(at(9));
    assert_eq!(clock.poll_until(all.as_mut(), at(9)), Some(()));
}

#[test]
fn what_nothing_can_wake_is_stuck() {
    #[track_caller]
    fn check(future: impl Future<Output = ()>, clock: &ManualClock, stuck_at: u64) {
        assert_eq!(clock.run(future), Err(Stuck { at: at(stuck_at) }));
        assert_eq!(clock.now(), at(stuck_at));
    }
    let clock = ManualClock::new(at(1));
    check(pending(), &clock, 1);
    // The last moment never comes.
    check(clock.sleep_until(Timestamp::MAX), &clock, 1);
    let sleeps_then_waits = async {
        clock.sleep_until(at(7)).await;
        pending().await
    };
    check(sleeps_then_waits, &clock, 7);
    let message = "nothing can wake what is waiting at 1970-01-01T00:00:07Z: no sleep is under way";
    assert_eq!(Stuck { at: at(7) }.to_string(), message);
}

/// A waker that reads the clock when it is woken and when it is dropped.
struct Reads(ManualClock, Mutex<Vec<Timestamp>>);

impl Reads {
    fn read(&self) {
        self.1.lock().unwrap().push(self.0.now());
    }
}

impl Wake for Reads {
    fn wake(self: Arc<Self>) {
        self.read();
    }
}

impl Drop for Reads {
    fn drop(&mut self) {
        self.read();
    }
}

#[test]
fn wakers_find_the_clock_unlocked() {
    let clock = ManualClock::new(at(0));
    let reads = || Arc::new(Reads(clock.clone(), Mutex::default()));
    let poll = |sleep: Pin<&mut dyn Future<Output = ()>>, reads: Arc<Reads>| {
        sleep.poll(&mut Context::from_waker(&Waker::from(reads)))
    };

    let woken = reads();
    let mut sleep = pin!(clock.sleep_until(at(1)));
    assert_eq!(poll(sleep.as_mut(), Arc::clone(&woken)), Poll::Pending);
    clock.advance_to(at(1));
    assert_eq!(*woken.1.lock().unwrap(), [at(1)]);

    // Replaced by the next poll, dropped with the sleep: each time the clock holds the last handle of the waker.
    let mut sleep = clock.sleep_until(at(2));
    assert_eq!(poll(sleep.as_mut(), reads()), Poll::Pending);
    assert_eq!(poll(sleep.as_mut(), reads()), Poll::Pending);
    drop(sleep);
    assert_eq!(clock.next_waiter(), None);
}
