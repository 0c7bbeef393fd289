//! Broken clocks.

use super::each_is_caught;
use async_trait::async_trait;
use evenkeel_conformance::clock::{ClockRig, report};
use evenkeel_conformance::{Cannot, Check, Report, Rig, Stop};
use evenkeel_domain::values::Timestamp;
use evenkeel_memory::ManualClock;
use evenkeel_ports::Clock;
use futures_util::future::BoxFuture;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What is wrong with a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    Nothing,
    SomeReadsAreEarlier,
    EachHandleIsEarlier,
    FollowsTheMachineBack,
    SleepsWholeMilliseconds,
    SleepsOneNanosecondLess,
    NowIsWaitedFor,
    ThePastIsWaitedFor,
    OfManySleepsTheFirstEndsAll,
    ADroppedSleepIsWaitedFor,
    TheLastMomentIsNow,
    TheLastButOneIsNow,
}

#[derive(Clone)]
struct BrokenClock {
    flaw: Flaw,
    inner: ManualClock,
    state: Arc<Mutex<State>>,
    /// By how much this handle is behind the others.
    behind: Duration,
}

#[derive(Default)]
struct State {
    reads: u64,
    handles: u32,
    /// By how much the machine's clock was set back.
    back: Duration,
    /// The deadline that the sleeps under way share.
    shared: Option<Timestamp>,
    /// The latest deadline that was ever waited for.
    latest: Option<Timestamp>,
}

impl BrokenClock {
    fn new(flaw: Flaw) -> Self {
        let inner = ManualClock::new(Timestamp::EPOCH.plus(Duration::from_secs(1_000_000)));
        Self { flaw, inner, state: Arc::default(), behind: Duration::ZERO }
    }
}

fn earlier(time: Timestamp, by: Duration) -> Timestamp {
    Timestamp::from_nanos(time.nanos() - i64::try_from(by.as_nanos()).unwrap())
}

const NANOSECOND: Duration = Duration::from_nanos(1);

#[async_trait]
impl Clock for BrokenClock {
    fn now(&self) -> Timestamp {
        let mut state = self.state.lock().unwrap();
        state.reads += 1;
        let now = earlier(self.inner.now(), self.behind);
        match self.flaw {
            Flaw::SomeReadsAreEarlier if state.reads.is_multiple_of(100) => earlier(now, NANOSECOND),
            Flaw::FollowsTheMachineBack => earlier(now, state.back),
            _ => now,
        }
    }

    async fn sleep_until(&self, deadline: Timestamp) {
        let now = self.inner.now();
        let until = match self.flaw {
            Flaw::SleepsWholeMilliseconds if deadline > now => {
                let millis = deadline.since(now).as_millis();
                now.plus(Duration::from_millis(millis.try_into().unwrap()))
            }
            Flaw::SleepsOneNanosecondLess if deadline > now => earlier(deadline, NANOSECOND),
            Flaw::NowIsWaitedFor if deadline == now => now.plus(NANOSECOND),
            Flaw::ThePastIsWaitedFor if deadline < now => now.plus(NANOSECOND),
            Flaw::OfManySleepsTheFirstEndsAll => *self.state.lock().unwrap().shared.get_or_insert(deadline),
            Flaw::ADroppedSleepIsWaitedFor if deadline > now => {
                let mut state = self.state.lock().unwrap();
                let latest = state.latest.map_or(deadline, |latest| latest.max(deadline));
                *state.latest.insert(latest)
            }
            Flaw::TheLastMomentIsNow if deadline == Timestamp::MAX => now,
            Flaw::TheLastButOneIsNow if deadline.nanos() == i64::MAX - 1 => now,
            _ => deadline,
        };
        self.inner.sleep_until(until).await;
        self.state.lock().unwrap().shared = None;
    }
}

impl Rig for BrokenClock {
    fn adapter(&self) -> String {
        format!("{:?}", self.flaw)
    }

    fn run(&self, case: BoxFuture<'_, Check>) -> Check {
        self.inner.run(case).unwrap_or_else(|stuck| Err(Stop::Broken(stuck.to_string())))
    }
}

impl ClockRig for BrokenClock {
    fn clock(&self) -> Arc<dyn Clock> {
        let mut state = self.state.lock().unwrap();
        state.handles += 1;
        let behind = if self.flaw == Flaw::EachHandleIsEarlier { NANOSECOND * state.handles } else { Duration::ZERO };
        Arc::new(Self { behind, ..self.clone() })
    }

    /// The inner clock goes on as it did: it stands for a counter that only grows.
    fn set_back(&self, by: Duration) -> Result<(), Cannot> {
        self.state.lock().unwrap().back += by;
        Ok(())
    }
}

fn report_of(flaw: Flaw) -> Report {
    report(|| Box::new(BrokenClock::new(flaw)))
}

#[test]
fn without_a_flaw_every_case_passes() {
    let report = report_of(Flaw::Nothing);
    assert_eq!(report.count("passed"), report.cases.len(), "{report}");
}

#[test]
fn each_broken_clock_is_caught() {
    each_is_caught(
        &[
            (Flaw::SomeReadsAreEarlier, "T01"),
            (Flaw::EachHandleIsEarlier, "T01"),
            (Flaw::FollowsTheMachineBack, "T02"),
            (Flaw::SleepsWholeMilliseconds, "T03"),
            (Flaw::SleepsOneNanosecondLess, "T03"),
            (Flaw::NowIsWaitedFor, "T04"),
            (Flaw::ThePastIsWaitedFor, "T04"),
            (Flaw::OfManySleepsTheFirstEndsAll, "T05"),
            (Flaw::ADroppedSleepIsWaitedFor, "T06"),
            (Flaw::TheLastMomentIsNow, "T07"),
            (Flaw::TheLastButOneIsNow, "T07"),
        ],
        report_of,
    );
}
