//! The clock: its contract, the order of waking, and how futures are driven on it.

mod driving;
mod properties;

use crate::ManualClock;
use crate::testing::{at, seconds};
use evenkeel_ports::Clock;
use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::pin::pin;
use std::sync::Arc;

#[test]
fn contract_1_now_never_goes_back() {
    #[track_caller]
    fn check(start: u64, moves: &[u64], now: u64) {
        let clock = ManualClock::new(at(start));
        moves.iter().for_each(|to| clock.advance_to(at(*to)));
        assert_eq!(clock.now(), at(now));
    }
    check(5, &[], 5);
    check(5, &[4], 5);
    check(5, &[5], 5);
    check(5, &[7, 6, 0], 7);
    check(5, &[6, 5, 9], 9);
}

#[test]
fn contract_2_a_sleep_ends_at_or_after_its_deadline() {
    #[track_caller]
    fn check(now: u64, deadline: u64, ends_at: u64) {
        let clock = ManualClock::new(at(now));
        let seen = clock.run(async {
            clock.sleep_until(at(deadline)).await;
            clock.now()
        });
        assert_eq!(seen, Ok(at(ends_at)));
    }
    // A deadline that has passed ends at once.
    check(10, 0, 10);
    check(10, 10, 10);
    check(10, 11, 11);
    check(10, 3_600, 3_600);
}

#[test]
fn a_sleep_ends_late_when_time_is_moved_beyond_it() {
    let clock = ManualClock::new(at(0));
    let mut sleep = clock.sleep_until(at(10));
    assert_eq!(sleep.as_mut().now_or_never(), None);
    clock.advance(seconds(9));
    assert_eq!(sleep.as_mut().now_or_never(), None);
    clock.advance(seconds(90));
    assert_eq!(sleep.as_mut().now_or_never(), Some(()));
    assert_eq!(clock.now(), at(99));
}

#[test]
fn sleeps_end_by_deadline_then_in_the_order_they_began() {
    /// Sleeps with these deadlines begin in this order; time is moved once; they end in this order.
    #[track_caller]
    fn check(deadlines: &[u64], to: u64, ended: &[usize]) {
        let clock = ManualClock::new(at(0));
        let sleeps = deadlines.iter().enumerate().map(|(place, deadline)| {
            let sleep = clock.sleep_until(at(*deadline));
            async move {
                sleep.await;
                place
            }
        });
        let mut sleeps: FuturesUnordered<_> = sleeps.collect();
        assert_eq!(sleeps.next().now_or_never(), None);
        clock.advance_to(at(to));
        let mut order = Vec::new();
        while let Some(Some(place)) = sleeps.next().now_or_never() {
            order.push(place);
        }
        assert_eq!(order, ended);
        let first_later = deadlines.iter().filter(|deadline| **deadline > to).min();
        assert_eq!(clock.next_waiter(), first_later.map(|secs| at(*secs)));
    }
    check(&[3, 1, 2], 9, &[1, 2, 0]);
    check(&[2, 2, 1, 2], 2, &[2, 0, 1, 3]);
    check(&[3, 1, 2], 2, &[1, 2]);
    check(&[3, 1, 2], 0, &[]);
}

#[test]
fn a_sleep_waits_from_its_first_poll_until_it_is_dropped() {
    let clock = ManualClock::new(at(0));
    let mut early = clock.sleep_until(at(5));
    let mut late = clock.sleep_until(at(7));
    assert_eq!(clock.next_waiter(), None);
    for _ in 0..3 {
        assert_eq!(late.as_mut().now_or_never(), None);
        assert_eq!(early.as_mut().now_or_never(), None);
    }
    assert_eq!(clock.next_waiter(), Some(at(5)));
    drop(early);
    assert_eq!(clock.next_waiter(), Some(at(7)));
    drop(late);
    assert_eq!(clock.next_waiter(), None);
}

#[test]
fn clones_are_the_same_clock_on_any_thread() {
    let clock = ManualClock::new(at(0));
    let other = clock.clone();
    let mut sleep = pin!(clock.sleep_until(at(60)));
    assert_eq!(sleep.as_mut().now_or_never(), None);
    std::thread::spawn(move || other.advance(seconds(60))).join().unwrap();
    assert_eq!(clock.now(), at(60));
    assert_eq!(sleep.as_mut().now_or_never(), Some(()));
}

#[test]
fn it_is_a_clock_behind_the_port() {
    let clock = ManualClock::new(at(3));
    let port: Arc<dyn Clock> = Arc::new(clock.clone());
    assert_eq!(clock.run(port.sleep_until(at(4))), Ok(()));
    assert_eq!(port.now(), at(4));
}
