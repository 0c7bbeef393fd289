//! The suite of the clock: what [`evenkeel_ports::Clock`] promises, case by case.
//!
//! It works on clocks that are moved by hand and on those that go by themselves: no case waits for longer than a few milliseconds.
//!
//! ```text
//! evenkeel_conformance::clock_suite!(MyRig::new());
//! evenkeel_conformance::clock_suite!(MyRig::new(), not_shown: [T06]);
//! ```

use crate::suite::suite;
use crate::{Cannot, Check, Rig, expect};
use evenkeel_domain::values::Timestamp;
use evenkeel_ports::Clock;
use futures_util::future::{FutureExt, join_all};
use std::sync::Arc;
use std::time::Duration;

/// What a clock needs around it to be shown.
///
/// A clock that is moved by hand has a [`run`](Rig::run) that moves it to the earliest sleep whenever nothing else can go on.
pub trait ClockRig: Rig {
    /// The clock.
    fn clock(&self) -> Arc<dyn Clock>;

    /// Sets what the clock is made from (the machine's clock) back by so much.
    ///
    /// # Errors
    /// [`Cannot`] if the rig has no hold of that.
    fn set_back(&self, by: Duration) -> Result<(), Cannot>;
}

suite! { ($) clock_suite in clock, "clock", dyn ClockRig, 7;
    T01 "1" t01_now_never_goes_back "a time that is read is never before one that was read earlier",
    T02 "1" t02_a_machine_that_is_set_back_sets_nothing_back "the time does not go back when the machine's clock is set back, and sleeps still end",
    T03 "2" t03_a_sleep_ends_at_or_after_its_deadline "when a sleep has ended, the time is not before its deadline",
    T04 "2" t04_a_deadline_that_has_passed_ends_at_once "a sleep until now, or until any time before, ends at once",
    T05 "2" t05_many_sleep_at_once "of sleeps that are under way at once, each ends at or after its own deadline",
    T06 "2" t06_a_sleep_that_is_dropped_changes_nothing "dropping a sleep, begun or not, disturbs neither the time nor another sleep",
    T07 "2" t07_the_last_moment_is_not_now "a sleep until the last of all moments does not end before it",
}

const STEP: Duration = Duration::from_millis(2);

/// Reads the time a thousand times, from two handles by turns, and sleeps every 250 reads. Contract 1.
pub async fn t01_now_never_goes_back(rig: &dyn ClockRig) -> Check {
    let clock = rig.clock();
    let mut last = clock.now();
    for round in 0..1_000_u32 {
        if round.is_multiple_of(250) {
            clock.sleep_until(last.plus(STEP)).await;
        }
        // Another handle is the same clock.
        let now = if round.is_multiple_of(2) { clock.now() } else { rig.clock().now() };
        expect(now >= last, &format!("the time should not be before {last}, which was read earlier"), now)?;
        last = now;
    }
    Ok(())
}

/// Sets the machine's clock back by an hour, reads the time and sleeps once. Contract 1.
pub async fn t02_a_machine_that_is_set_back_sets_nothing_back(rig: &dyn ClockRig) -> Check {
    let clock = rig.clock();
    let before = clock.now();
    rig.set_back(Duration::from_secs(3_600))?;
    let now = clock.now();
    expect(
        now >= before,
        &format!("the time should not be before {before}, though the machine's clock was set back"),
        now,
    )?;
    let deadline = now.plus(STEP);
    clock.sleep_until(deadline).await;
    let now = clock.now();
    expect(now >= deadline, &format!("a sleep should still end, at or after {deadline}"), now)
}

/// Sleeps five times each for a nanosecond, for a little over a millisecond and for two, and reads the time after each. Contract 2.
pub async fn t03_a_sleep_ends_at_or_after_its_deadline(rig: &dyn ClockRig) -> Check {
    let clock = rig.clock();
    // The smallest step, one that is no whole number of milliseconds, and an ordinary one.
    for wait in [Duration::from_nanos(1), Duration::from_nanos(1_000_001), STEP] {
        for _ in 0..5 {
            let deadline = clock.now().plus(wait);
            clock.sleep_until(deadline).await;
            let now = clock.now();
            expect(now >= deadline, &format!("a sleep of {wait:?} should end at or after {deadline}"), now)?;
        }
    }
    Ok(())
}

/// Begins sleeps until now, a nanosecond ago, 1970 and the first moment of all; each must be over when it is first asked. Contract 2.
pub async fn t04_a_deadline_that_has_passed_ends_at_once(rig: &dyn ClockRig) -> Check {
    let clock = rig.clock();
    clock.sleep_until(clock.now().plus(STEP)).await;
    let now = clock.now();
    let earlier = Timestamp::from_nanos(now.nanos().saturating_sub(1));
    for deadline in [now, earlier, Timestamp::EPOCH.min(now), Timestamp::MIN] {
        let ended = clock.sleep_until(deadline).now_or_never();
        expect(ended.is_some(), &format!("at {now}, a sleep until {deadline} should end at once"), "that it waits")?;
    }
    Ok(())
}

/// Begins eight sleeps of one to nine milliseconds at once, neither sorted nor all different. Contract 2.
pub async fn t05_many_sleep_at_once(rig: &dyn ClockRig) -> Check {
    let clock = rig.clock();
    let start = clock.now();
    // Neither sorted nor all different.
    let waits = [3, 1, 4, 1, 5, 9, 2, 6].map(Duration::from_millis);
    let sleeps = waits.map(|wait| {
        let clock = &clock;
        async move {
            let deadline = start.plus(wait);
            clock.sleep_until(deadline).await;
            (deadline, clock.now())
        }
    });
    for (deadline, ended) in join_all(sleeps).await {
        expect(ended >= deadline, &format!("a sleep among others should end at or after {deadline}"), ended)?;
    }
    Ok(())
}

/// Drops one sleep that never began and one of an hour that did, and waits for a third of two milliseconds. Contract 2.
pub async fn t06_a_sleep_that_is_dropped_changes_nothing(rig: &dyn ClockRig) -> Check {
    let clock = rig.clock();
    let start = clock.now();
    drop(clock.sleep_until(start.plus(STEP)));
    // Polled once: it is under way, and far from its end.
    let far = clock.sleep_until(start.plus(Duration::from_secs(3_600))).now_or_never();
    expect(far.is_none(), "a sleep of an hour should not end at once", far)?;
    let deadline = start.plus(STEP);
    clock.sleep_until(deadline).await;
    let now = clock.now();
    expect(now >= deadline, &format!("the sleep that was kept should end at or after {deadline}"), now)?;
    let hour = start.plus(Duration::from_secs(3_600));
    expect(now < hour, "the sleep that was dropped should not have been waited for", now)
}

/// Begins sleeps until the last moment of all and the one before; neither may be over. Contract 2.
pub async fn t07_the_last_moment_is_not_now(rig: &dyn ClockRig) -> Check {
    let clock = rig.clock();
    for deadline in [Timestamp::MAX, Timestamp::from_nanos(i64::MAX.saturating_sub(1))] {
        let ended = clock.sleep_until(deadline).now_or_never();
        expect(ended.is_none(), &format!("a sleep until {deadline} should wait"), ended)?;
    }
    Ok(())
}
