//! Rounds: open batches are finished and all books compared, at the start and from time to time, whatever is slow, and until the engine stops.

use crate::gate::{Gate, gated};
use crate::world::{QUARTERS, World, minutes, noon, p, seconds};
use evenkeel_banchile::{Fault, Profile, Rule};
use evenkeel_domain::order::Side;
use evenkeel_domain::values::PortfolioId;
use evenkeel_engine::{Engine, Reconciled, RoundSettings, Seen};
use evenkeel_ports::{Clock, EngineEvent, LeaseStore, LeaseTerms, Observer};
use futures_util::future::BoxFuture;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Looks for open batches each minute, and compares every ten; one portfolio at a time.
const EVERY: RoundSettings =
    RoundSettings { recover_every: minutes(1), compare_every: minutes(10), at_once: NonZeroUsize::MIN };

/// A worker that makes rounds, and what it has told, each with the minutes and seconds since noon.
struct Watchman {
    engine: Arc<Engine>,
    told: Arc<Mutex<Vec<String>>>,
    rounds: BoxFuture<'static, ()>,
}

impl Watchman {
    fn new(world: &World, engine: Arc<Engine>) -> Self {
        let told = Arc::new(Mutex::new(Vec::new()));
        let (teller, rounder, clock) = (Arc::clone(&told), Arc::clone(&engine), world.clock.clone());
        let rounds = Box::pin(async move {
            let tell = |seen: Seen| {
                let at = clock.now().since(noon()).as_secs();
                teller.lock().unwrap().push(format!("{:02}:{:02} {}", at / 60, at % 60, said(&seen)));
            };
            rounder.make_rounds(EVERY, tell).await;
        });
        Self { engine, told, rounds }
    }

    /// Goes on for so long, and says what was told.
    fn walk(&mut self, world: &World, time: Duration) -> Vec<String> {
        let until = world.clock.now().plus(time);
        assert!(world.clock.poll_until(self.rounds.as_mut(), until).is_none(), "the rounds have ended");
        world.clock.advance_to(until);
        std::mem::take(&mut self.told.lock().unwrap())
    }

    /// Stops the engine, and says how long the rounds took to end and what was told.
    fn stop(mut self, world: &World) -> (Duration, Vec<String>) {
        let before = world.clock.now();
        let stopping = futures_util::future::join(self.engine.shut_down(seconds(10)), self.rounds.as_mut());
        let (stopped, ()) = world.run(stopping);
        assert_eq!(stopped.unfinished, [] as [PortfolioId; 0]);
        (world.clock.now().since(before), std::mem::take(&mut self.told.lock().unwrap()))
    }
}

fn said(seen: &Seen) -> String {
    match seen {
        Seen::Recovered(recovered) => match &recovered.result {
            Ok(Some(report)) => format!("{}: finished, {}", recovered.portfolio, report.outcome.name()),
            Ok(None) => format!("{}: nothing was open", recovered.portfolio),
            Err(error) => error.to_string(),
        },
        Seen::Compared { portfolio, result: Ok(Reconciled::Agree) } => format!("{portfolio}: agrees"),
        Seen::Compared { portfolio, result: Ok(Reconciled::Differ(differences) | Reconciled::Stale(differences)) } => {
            let differences: Vec<_> = differences.iter().map(ToString::to_string).collect();
            format!("{portfolio}: {}", differences.join(", "))
        }
        Seen::Compared { result: Err(error), .. } | Seen::NotListed(error) => error.to_string(),
        Seen::Ended(round) => format!(
            "{} agree, {} differ, {} stale, {} left alone, {} failed, in {} s",
            round.agree,
            round.differ,
            round.stale,
            round.left_alone,
            round.failed,
            round.ended_at.since(round.began_at).as_secs()
        ),
    }
}

/// Every lease that is taken.
#[derive(Default)]
struct Leases(Mutex<Vec<PortfolioId>>);

impl Observer for Leases {
    fn observe(&self, _: evenkeel_domain::values::Timestamp, event: &EngineEvent<'_>) {
        if let EngineEvent::LeaseTaken { portfolio, .. } = event {
            self.0.lock().unwrap().push((*portfolio).clone());
        }
    }
}

#[test]
fn what_is_in_order_is_compared_at_the_start_and_each_period_and_nobody_is_kept_from_trading() {
    let world = World::drifted(Profile::ideal(), &QUARTERS);
    world.add_scene("income", &QUARTERS);
    world.batch("growth");
    let leases = Arc::new(Leases::default());
    let ports = evenkeel_engine::Ports { observer: leases.clone(), ..world.ports() };
    let mut watchman = Watchman::new(&world, world.worker_over("watchman", ports));
    let agree = [
        "00:00 growth: agrees",
        "00:00 income: agrees",
        "00:00 2 agree, 0 differ, 0 stale, 0 left alone, 0 failed, in 0 s",
    ];
    assert_eq!(watchman.walk(&world, minutes(9)), agree);
    // A portfolio that another worker has added since.
    world.add_scene("pension", &QUARTERS);
    assert_eq!(
        watchman.walk(&world, minutes(10)),
        [
            "10:00 growth: agrees",
            "10:00 income: agrees",
            "10:00 pension: agrees",
            "10:00 3 agree, 0 differ, 0 stale, 0 left alone, 0 failed, in 0 s",
        ]
    );
    assert_eq!(watchman.stop(&world), (Duration::ZERO, vec![]));
    assert_eq!(*leases.0.lock().unwrap(), [], "nothing had to be recorded");
}

#[test]
fn a_difference_is_found_within_a_period_recorded_once_and_taken_back_when_it_is_gone() {
    let world = World::drifted(Profile::ideal(), &QUARTERS);
    let mut watchman = Watchman::new(&world, world.worker("watchman"));
    watchman.walk(&world, minutes(5));
    // A symbol that only the broker has.
    world.broker.receive(&p("growth"), p("TSLA"), p("1")).unwrap();
    assert_eq!(
        watchman.walk(&world, minutes(10)),
        [
            "10:00 growth: TSLA: 0 in the books, 1 at the broker",
            "10:00 0 agree, 1 differ, 0 stale, 0 left alone, 0 failed, in 0 s"
        ]
    );
    assert_eq!(world.standing("growth"), "quarantined");
    let records = world.journal.records(&p("growth")).len();
    assert_eq!(watchman.walk(&world, minutes(10)).len(), 2);
    assert_eq!(world.journal.records(&p("growth")).len(), records, "it is known");
    world.broker.deliver(&p("growth"), p("TSLA"), p("1")).unwrap();
    assert_eq!(watchman.walk(&world, minutes(10))[0], "30:00 growth: agrees");
    assert_eq!(world.standing("growth"), "active");
    watchman.stop(&world);
}

#[test]
fn a_batch_is_left_to_its_worker_and_finished_once_the_lease_has_run_out() {
    let world = World::drifted(Profile::ideal(), &QUARTERS);
    world.script([Rule::new(Fault::LateFill { delay: minutes(4) }).side(Side::Buy)]);
    let mut batch = world.start("growth");
    world.drive_for(&mut batch, seconds(5));
    let mut watchman = Watchman::new(&world, world.worker("watchman"));
    let busy = "growth is busy: worker-1 holds its lease";
    assert_eq!(
        watchman.walk(&world, seconds(30)),
        ["00:05 0 agree, 0 differ, 0 stale, 1 left alone, 0 failed, in 0 s", &format!("00:05 {busy}")]
    );
    drop(batch);
    let finished = watchman.walk(&world, minutes(9));
    assert_eq!(
        finished,
        ["01:06 growth: finished, restored"],
        "begun at 01:05, once its heartbeat was missing for a minute"
    );
    watchman.stop(&world);
    world.assert_books_are_true("growth");
}

#[test]
fn a_batch_that_takes_long_holds_up_nobody_and_is_begun_once() {
    let world = World::drifted(Profile::ideal(), &QUARTERS);
    world.add_scene("income", &QUARTERS);
    world.script([Rule::new(Fault::LateFill { delay: minutes(25) }).side(Side::Buy).account(p("growth")).always()]);
    let mut batch = world.start("growth");
    world.drive_for(&mut batch, seconds(5));
    drop(batch);
    world.clock.advance(minutes(2));
    let mut watchman = Watchman::new(&world, world.worker("watchman"));
    assert_eq!(
        watchman.walk(&world, minutes(5)),
        [
            "02:05 income: agrees",
            "02:05 1 agree, 0 differ, 0 stale, 1 left alone, 0 failed, in 0 s",
            "05:15 growth: finished, stale",
        ],
        "not begun again at 03:05 and 04:05"
    );
    watchman.stop(&world);
}

#[test]
fn a_comparison_that_takes_longer_than_its_period_is_followed_by_one() {
    let world = World::drifted(Profile::ideal(), &QUARTERS);
    // The gate falls at the first question to the broker.
    let gate = Gate::falling_at(9);
    let mut watchman = Watchman::new(&world, world.worker_over("watchman", gated(world.ports(), &gate)));
    assert_eq!(watchman.walk(&world, minutes(35)), [""; 0]);
    assert_eq!(gate.fell_at().as_deref(), Some("before positions"));
    gate.thaw();
    assert_eq!(
        watchman.walk(&world, minutes(4)),
        [
            "35:00 growth: agrees",
            "35:00 1 agree, 0 differ, 0 stale, 0 left alone, 0 failed, in 2100 s",
            "35:00 growth: agrees",
            "35:00 1 agree, 0 differ, 0 stale, 0 left alone, 0 failed, in 0 s",
        ]
    );
    watchman.stop(&world);
}

#[test]
fn they_end_at_once_when_the_engine_stops_though_the_broker_does_not_answer() {
    let world = World::drifted(Profile::ideal(), &QUARTERS);
    let gate = Gate::falling_at(9);
    let mut watchman = Watchman::new(&world, world.worker_over("watchman", gated(world.ports(), &gate)));
    assert_eq!(watchman.walk(&world, minutes(5)), [""; 0]);
    assert_eq!(gate.fell_at().as_deref(), Some("before positions"));
    assert_eq!(watchman.stop(&world), (Duration::ZERO, vec![]));
}

#[test]
fn a_batch_that_is_being_finished_when_the_engine_stops_stays_open_and_its_lease_is_free() {
    let world = World::drifted(Profile::ideal(), &QUARTERS);
    world.script([Rule::new(Fault::LateFill { delay: minutes(25) }).side(Side::Buy).always()]);
    let mut batch = world.start("growth");
    world.drive_for(&mut batch, seconds(5));
    drop(batch);
    world.clock.advance(minutes(2));
    let mut watchman = Watchman::new(&world, world.worker("watchman"));
    assert_eq!(watchman.walk(&world, seconds(20)).len(), 1, "the round alone");
    let (_, told) = watchman.stop(&world);
    assert_eq!(told, ["02:25 the engine is stopping; a batch of growth that is open stays so until it is recovered"]);
    assert!(world.state("growth").batch.is_some());
    world.run(world.leases.acquire(&p("growth"), &p("worker-3"), LeaseTerms::default())).unwrap();
}
