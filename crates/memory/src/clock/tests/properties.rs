//! The clock, with random sleeps.

use crate::ManualClock;
use crate::testing::at;
use evenkeel_domain::values::Timestamp;
use evenkeel_ports::Clock;
use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use proptest::prelude::*;
use std::pin::pin;
use std::sync::Mutex;

/// What the workers saw, in order: who, the deadline it slept until, and the time when that sleep ended.
type Seen = Vec<(usize, Timestamp, Timestamp)>;

/// Workers that each sleep until their deadlines in turn, while waves come at these times.
fn run(workers: &[Vec<u64>], waves: &[u64]) -> Seen {
    let clock = ManualClock::new(at(10));
    let seen = Mutex::new(Seen::new());
    let work = |(number, deadlines): (usize, &Vec<u64>)| {
        let (clock, seen, deadlines) = (&clock, &seen, deadlines.clone());
        async move {
            for deadline in deadlines {
                clock.sleep_until(at(deadline)).await;
                seen.lock().unwrap().push((number, at(deadline), clock.now()));
            }
        }
    };
    let mut all = pin!(workers.iter().enumerate().map(work).collect::<FuturesUnordered<_>>().collect::<()>());
    let ended_early = waves.iter().any(|wave| {
        let ended = clock.poll_until(all.as_mut(), at(*wave)).is_some();
        clock.advance_to(at(*wave));
        ended
    });
    if !ended_early {
        clock.run(all).unwrap();
    }
    seen.lock().unwrap().clone()
}

proptest! {
    #[test]
    fn sleeps_end_in_order_never_early_and_never_late(
        workers in prop::collection::vec(prop::collection::vec(0..40_u64, 0..5), 0..8),
        mut waves in prop::collection::vec(0..40_u64, 0..5),
    ) {
        waves.sort_unstable();
        let seen = run(&workers, &waves);

        prop_assert!(seen.is_sorted_by_key(|(_, _, ended)| *ended), "{:?}", seen);
        for (number, deadlines) in workers.iter().enumerate() {
            // Time moves to the next sleep or wave and no further, so whoever sleeps goes on exactly when it asked to.
            let mut now = at(10);
            let expected = deadlines.iter().map(|deadline| {
                now = now.max(at(*deadline));
                (number, at(*deadline), now)
            });
            let of_this = seen.iter().filter(|(worker, ..)| *worker == number).copied();
            prop_assert_eq!(of_this.collect::<Seen>(), expected.collect::<Seen>());
        }
        prop_assert_eq!(run(&workers, &waves), seen, "the same again");
    }

    #[test]
    fn what_is_dropped_leaves_nothing_behind(
        deadlines in prop::collection::vec((1..40_u64, any::<bool>()), 0..20),
        to in 0..40_u64,
    ) {
        let clock = ManualClock::new(at(0));
        let mut kept = Vec::new();
        for (deadline, keep) in deadlines {
            let mut sleep = clock.sleep_until(at(deadline));
            prop_assert_eq!(sleep.as_mut().now_or_never(), None);
            if keep {
                kept.push((deadline, sleep));
            }
        }
        clock.advance_to(at(to));
        let next = kept.iter().map(|(deadline, _)| *deadline).filter(|deadline| *deadline > to).min();
        prop_assert_eq!(clock.next_waiter(), next.map(at));
        for (deadline, mut sleep) in kept {
            prop_assert_eq!(sleep.as_mut().now_or_never().is_some(), deadline <= to);
        }
        prop_assert_eq!(clock.next_waiter(), None);
    }
}
