//! A worker that is frozen at every await of every scenario, and wakes up when another has long finished what it left open.
//!
//! Nothing can hold back the request that was on its way when it froze. But nothing that it commits is written any more, it begins nothing
//! new at the broker, and books and broker end as one. That this is looked at closely enough is shown by a canary: without the journal's
//! fence it must fail.
//!
//! A worker sees by its clock that its lease has run out, and stops before it asks anybody. Where the clock sleeps with it, as that of a
//! suspended machine may, the fence is all there is: then it sends what it had meant to send, and stops at its next commit.

use super::scenarios::{SCENARIOS, Scenario};
use super::{Begin, check_use, impatient, patient};
use crate::faulty::FaultyJournal;
use crate::gate::{Gate, gated, run_until_frozen};
use crate::world::{World, p};
use async_trait::async_trait;
use evenkeel_domain::values::Timestamp;
use evenkeel_engine::{EngineError, Ports, Settings};
use evenkeel_memory::ManualClock;
use evenkeel_ports::{Clock, Journal, Lease};
use std::ops::AddAssign;
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[test]
fn a_worker_that_wakes_up_too_late() {
    let mut sum = Woken::default();
    for scenario in SCENARIOS {
        let woken = freeze_everywhere(scenario, World::ports, Wakes::Late);
        let woken = woken.unwrap_or_else(|violation| panic!("{violation}"));
        println!("{:>36}: {woken:?}", scenario.name);
        assert!(woken.frozen >= scenario.at_least, "{}: only {} freezes", scenario.name, woken.frozen);
        sum += woken;
    }
    println!("{sum:?} in {} scenarios", SCENARIOS.len());
    assert!(sum.frozen >= 4_000 && sum.fenced >= 4_000 && sum.on_their_way >= 300, "{sum:?}");
}

#[test]
fn a_worker_whose_clock_slept_with_it() {
    let mut sum = Woken::default();
    for name in ["one stage", "two stages", "a refused leg", "canceled at its deadline", "a late fill in the batch"] {
        let woken = freeze_everywhere(named(name), World::ports, Wakes::Unaware);
        sum += woken.unwrap_or_else(|violation| panic!("{violation}"));
    }
    println!("{sum:?}");
    assert!(sum.fenced >= 1_000 && sum.told >= 1_000 && sum.on_their_way >= 150, "{sum:?}");
}

#[test]
fn the_canary_a_journal_without_a_fence_is_found_out() {
    for name in
        ["one stage", "a refused leg, two stages", "canceled at its deadline", "changed", "resolve by accepting"]
    {
        for wakes in [Wakes::Late, Wakes::Unaware] {
            let violation = freeze_everywhere(named(name), without_fence, wakes).expect_err(name);
            assert!(violation.contains("the fence was not kept: "), "{violation}");
        }
    }
}

fn named(name: &str) -> &'static Scenario {
    SCENARIOS.iter().find(|scenario| scenario.name == name).unwrap()
}

fn without_fence(world: &World) -> Ports {
    Ports { journal: Arc::new(FaultyJournal::without_fence(world.journal.clone())), ..world.ports() }
}

/// What it knows when it wakes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wakes {
    /// How late it is.
    Late,
    /// Nothing: its clock slept too.
    Unaware,
}

/// A clock that may stand still for a while, and is behind from then on.
struct SleepyClock {
    inner: ManualClock,
    slept: Mutex<Duration>,
}

impl SleepyClock {
    fn slept(&self) -> Duration {
        *self.slept.lock().unwrap()
    }
}

#[async_trait]
impl Clock for SleepyClock {
    fn now(&self) -> Timestamp {
        Timestamp::EPOCH.plus(self.inner.now().since(Timestamp::EPOCH.plus(self.slept())))
    }

    async fn sleep_until(&self, deadline: Timestamp) {
        while self.now() < deadline {
            self.inner.sleep_until(deadline.plus(self.slept())).await;
        }
    }
}

/// What became of frozen workers.
#[derive(Debug, Default)]
struct Woken {
    frozen: usize,
    /// They held the lease, and somebody else has written since.
    fenced: usize,
    /// They were told that the lease is lost.
    told: usize,
    /// Requests that were on their way to the broker when they froze, and arrived when they woke up.
    on_their_way: usize,
}

impl AddAssign for Woken {
    fn add_assign(&mut self, other: Self) {
        self.frozen += other.frozen;
        self.fenced += other.fenced;
        self.told += other.told;
        self.on_their_way += other.on_their_way;
    }
}

/// Freezes a worker over `ports` at every point of the scenario, or says what it then did that it should not have.
fn freeze_everywhere(scenario: &Scenario, ports: fn(&World) -> Ports, wakes: Wakes) -> Result<Woken, String> {
    let mut sum = Woken::default();
    for settings in [patient(), impatient()] {
        for n in 0.. {
            match freeze(scenario, &settings, ports, wakes, n)? {
                Some(woken) => sum += woken,
                None => break,
            }
        }
    }
    Ok(sum)
}

/// Freezes it at the n-th point; `None` if there are not so many.
fn freeze(
    scenario: &Scenario,
    settings: &Settings,
    ports: fn(&World) -> Ports,
    wakes: Wakes,
    n: usize,
) -> Result<Option<Woken>, String> {
    let world = (scenario.world)(settings.clone());
    world.desk.expect_zombies();
    let begin = Begin::of(&world);
    let gate = Gate::falling_at(n);
    let clock = Arc::new(SleepyClock { inner: world.clock.clone(), slept: Mutex::default() });
    let worker = world.worker_over("worker-x", gated(Ports { clock: clock.clone(), ..ports(&world) }, &gate));
    let mut frozen = (scenario.act)(&world, worker);
    if run_until_frozen(&world.clock, &gate, frozen.as_mut()).is_some() {
        return Ok(None);
    }
    let what = format!("{}, frozen {n} {}", scenario.name, gate.fell_at().unwrap());
    let frozen_at = world.clock.now();
    let lease = world.leases.holder(&p("growth"));
    let end = begin.recovered(&what, &world, &world.worker("worker-2"));
    assert!(scenario.allowed.contains(&end.as_str()), "{what}: {end}");

    let others = Others::wrote(&world, lease.as_ref());
    if wakes == Wakes::Unaware {
        *clock.slept.lock().unwrap() = world.clock.now().since(frozen_at);
    }
    gate.thaw();
    let result = world.run(frozen);
    let begun = if wakes == Wakes::Late { gate.begun_since_thaw() } else { Vec::new() };
    let woken = match others.check(&world, &begun, &result) {
        Ok(woken) => woken,
        Err(violation) => {
            // What it did to the journal has been said: the world need not say it too.
            std::mem::forget(world);
            return Err(format!("{what}: {violation}"));
        }
    };
    // What it may have sent again or too late is found, and put right.
    world.clock.advance(settings.lease.heartbeat);
    check_use(&what, &world, &world.worker("worker-3"));
    Ok(Some(woken))
}

/// What the others had done before it woke up.
struct Others {
    records: usize,
    sent: usize,
    /// It held the lease, and they wrote after it had run out.
    took_over: bool,
}

impl Others {
    fn wrote(world: &World, lease: Option<&Lease>) -> Self {
        let head = world.run(world.journal.head(&p("growth"))).unwrap();
        Self {
            records: world.journal.records(&p("growth")).len(),
            sent: world.desk.sent().len(),
            took_over: lease.is_some_and(|lease| lease.token < head.token),
        }
    }

    fn check(&self, world: &World, begun: &[String], result: &Result<(), EngineError>) -> Result<Woken, String> {
        let on_their_way = world.desk.sent().len() - self.sent;
        let mut woken = Woken { frozen: 1, on_their_way, ..Woken::default() };
        if !self.took_over {
            // A worker like any other, only slow.
            return Ok(woken);
        }
        woken.fenced = 1;
        if let Some(record) = world.journal.records(&p("growth")).get(self.records) {
            return Err(format!("the fence was not kept: a former owner wrote {record:?}"));
        }
        if let Some(call) = begun.iter().find(|call| ["submit", "cancel"].contains(&call.as_str())) {
            return Err(format!("it began to {call} under a lease that was lost"));
        }
        match result {
            // There was nothing left to write.
            Ok(()) => {}
            Err(EngineError::LeaseLost { .. }) => woken.told = 1,
            // It was frozen before it had read the journal, and what it came for has been done; or it was being stopped anyway.
            Err(EngineError::Refused { .. } | EngineError::Stopping { .. }) => {}
            Err(other) => return Err(format!("it was told {other:?}, not that its lease is lost")),
        }
        if on_their_way == 0 && world.state("growth").books != world.truth("growth") {
            return Err("it sent nothing, and books and broker differ".to_owned());
        }
        Ok(woken)
    }
}
