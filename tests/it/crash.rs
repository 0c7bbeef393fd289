//! A crash at every await: each scenario is played again and again, and its worker dropped at each point where it waits for a port, once
//! before the call's effect and once after the effect but before its answer was seen.
//!
//! Afterwards another worker recovers from what the stores and the broker hold. Whatever the point was, everything must end well:
//! completed, restored, abandoned, or stale with a person told; books as at the broker; and the portfolio can be worked with again.
//! Workers that are frozen instead, and wake up too late, are in [`freezes`].

mod freezes;
mod scenarios;

use crate::gate::{Gate, gated, run_until_crash};
use crate::world::{QUARTERS, World, p, seconds, shown};
use evenkeel_banchile::Profile;
use evenkeel_domain::batch::Batch;
use evenkeel_domain::order::Side;
use evenkeel_domain::portfolio::{Portfolio, Standing};
use evenkeel_engine::{Engine, EngineError, Resolve, Settings};
use evenkeel_ports::{Clock, Journal, LeaseTerms};
use scenarios::{SCENARIOS, Scenario};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A worker that is given up after a minute leaves an old batch, which is unwound; one that is given up after ten seconds a young one, which
/// is finished.
fn patient() -> Settings {
    Settings { poll: seconds(5), ..Settings::unlimited() }
}

fn impatient() -> Settings {
    Settings { lease: LeaseTerms { heartbeat: seconds(10), ..LeaseTerms::default() }, ..patient() }
}

#[test]
fn a_crash_at_every_await() {
    let mut runs = BTreeMap::new();
    for scenario in SCENARIOS {
        for settings in [patient(), impatient()] {
            let ends = crash_everywhere(scenario, &settings);
            let crashes: usize = ends.values().sum();
            println!("{:>24}: {crashes:>4} crashes {ends:?}", scenario.name);
            assert!(crashes >= scenario.at_least, "{}: only {crashes} crashes", scenario.name);
            *runs.entry(scenario.name).or_insert(0) += crashes;
        }
    }
    let sum: usize = runs.values().sum();
    println!("{sum} crashes in {} scenarios", runs.len());
    assert!(runs.len() >= 20 && sum >= 4_000, "{sum} crashes in {} scenarios", runs.len());
}

/// Crashes at every point of the scenario; how often it then ended how.
fn crash_everywhere(scenario: &Scenario, settings: &Settings) -> BTreeMap<String, usize> {
    let mut ends = BTreeMap::new();
    for n in 0.. {
        let world = (scenario.world)(settings.clone());
        let begin = Begin::of(&world);
        let Some(place) = play(scenario, &world, "worker-x", n) else {
            let end = begin.end(&world);
            assert_eq!(end, scenario.normally, "{} without a crash", scenario.name);
            return ends;
        };
        let what = format!("{}, crash {n} {place}", scenario.name);
        let end = begin.recovered(&what, &world, &world.worker("worker-2"));
        assert!(scenario.allowed.contains(&end.as_str()), "{what}: {end}");
        *ends.entry(end).or_insert(0) += 1;
    }
    ends
}

/// Plays the scenario until the n-th point; where that was, or `None` if there are not so many.
fn play(scenario: &Scenario, world: &World, name: &str, n: usize) -> Option<String> {
    let gate = Gate::falling_at(n);
    let worker = world.worker_over(name, gated(world.ports(), &gate));
    let act = (scenario.act)(world, worker);
    let done = run_until_crash(&world.clock, &gate, act);
    assert_eq!(done.is_none(), gate.fell_at().is_some());
    gate.fell_at()
}

#[test]
fn a_crash_during_the_recovery_from_a_crash() {
    let mut pairs = 0;
    for name in ["one stage", "a refused leg, two stages"] {
        let scenario = SCENARIOS.iter().find(|scenario| scenario.name == name).unwrap();
        for settings in [patient(), impatient()] {
            pairs += crash_twice(scenario, &settings);
        }
    }
    println!("{pairs} pairs of crashes");
    assert!(pairs >= 3_000, "only {pairs} pairs of crashes");
}

/// Every point of the scenario, and for each of them every point of the recovery from it.
fn crash_twice(scenario: &Scenario, settings: &Settings) -> usize {
    let mut pairs = 0;
    for n in 0.. {
        for m in 0.. {
            let world = (scenario.world)(settings.clone());
            let begin = Begin::of(&world);
            let Some(place) = play(scenario, &world, "worker-x", n) else { return pairs };
            let gate = Gate::falling_at(m);
            let second = world.worker_over("worker-y", gated(world.ports(), &gate));
            world.clock.advance(settings.lease.heartbeat);
            let _report = run_until_crash(&world.clock, &gate, second.recover());
            let Some(again) = gate.fell_at() else { break };
            let what = format!("{}, crash {n} {place}, then {m} {again}", scenario.name);
            let end = begin.recovered(&what, &world, &world.worker("worker-2"));
            assert!(scenario.allowed.contains(&end.as_str()), "{what}: {end}");
            pairs += 1;
        }
    }
    pairs
}

#[test]
fn a_deposit_that_crashed_is_repeated() {
    for n in 0.. {
        let world = World::drifted(Profile::ideal(), &QUARTERS);
        world.broker.deposit(&p("growth"), p("10.00")).unwrap();
        let gate = Gate::falling_at(n);
        let worker = world.worker_over("worker-x", gated(world.ports(), &gate));
        let growth = p("growth");
        let deposit = worker.deposit(&growth, p("march"), p("10.00"), p("USD"));
        if run_until_crash(&world.clock, &gate, deposit).is_some() {
            return assert!(n >= 6, "only {n} crashes");
        }
        world.clock.advance(seconds(60));
        assert_eq!(world.deposit("growth", "march", "10.00"), Ok(()));
        world.assert_books_are_true("growth");
        assert_eq!(world.state("growth").movements.len(), 1);
    }
}

#[test]
fn an_alert_whose_delivery_crashed_is_delivered_again_and_never_lost() {
    let scenario = SCENARIOS.iter().find(|scenario| scenario.name == "an alert delivered").unwrap();
    for n in 0.. {
        let world = (scenario.world)(patient());
        if play(scenario, &world, "worker-x", n).is_none() {
            return assert_eq!(world.notifier.alerts().len(), 1);
        }
        world.run(world.worker("worker-2").deliver_alerts()).unwrap();
        let told = world.notifier.alerts();
        assert!((1..=2).contains(&told.len()), "told {} times", told.len());
        assert!(told.iter().all(|alert| *alert == told[0]), "and the same every time");
        assert!(world.run(world.journal.pending_alerts(10)).unwrap().is_empty());
    }
}

/// How things were when the scenario began.
struct Begin {
    state: Portfolio,
    sent: usize,
}

impl Begin {
    fn of(world: &World) -> Self {
        Self { state: world.state("growth"), sent: world.desk.sent().len() }
    }

    /// Recovers, checks all that must hold then, and tells how it ended.
    fn recovered(&self, what: &str, world: &World, next: &Arc<Engine>) -> String {
        world.clock.advance(world.engine.settings().lease.heartbeat);
        let recovered = world.run(next.recover()).unwrap();
        assert!(recovered.iter().all(|one| one.result.is_ok()), "{what}: {recovered:?}");
        assert_eq!(world.run(next.recover()), Ok(Vec::new()), "{what}: recovered once and for all");
        assert_eq!(world.leases.holder(&p("growth")), None, "{what}");

        let state = world.state("growth");
        assert_eq!(state.batch, None, "{what}");
        if let Some(live) = next.portfolio(&p("growth")) {
            assert_eq!(*live, state, "{what}: live and replayed");
        }
        self.check_end(what, world, &state);
        let end = self.end(world);
        check_use(what, world, next);
        end
    }

    /// How it ended: the outcome of the last batch if there is a new one, else where the portfolio stands.
    fn end(&self, world: &World) -> String {
        let state = world.state("growth");
        match self.new_batch(&state).and_then(|batch| batch.closing.as_ref()) {
            Some(closing) if state.standing == Standing::Active || state.standing == Standing::Stale => {
                closing.outcome.name().to_owned()
            }
            _ => state.standing.name().to_owned(),
        }
    }

    /// The last batch that was closed since, or tried again.
    fn new_batch<'s>(&self, state: &'s Portfolio) -> Option<&'s Batch> {
        let before = |batch: &Batch| {
            self.state.closed.iter().any(|known| known.id == batch.id && known.closing == batch.closing)
        };
        state.closed.last().map(AsRef::as_ref).filter(|batch| !before(batch))
    }

    fn check_end(&self, what: &str, world: &World, state: &Portfolio) {
        let truth = world.truth("growth");
        let Some(batch) = self.new_batch(state) else {
            let traded = world.desk.sent().len() - self.sent;
            assert_eq!(traded, 0, "{what}: nothing is sent without a batch");
            return;
        };
        let closing = batch.closing.as_ref().unwrap();
        match state.standing {
            Standing::Stale => {
                let alerts = world.run(world.journal.pending_alerts(10)).unwrap();
                let told = world.notifier.alerts();
                assert!(
                    alerts.iter().chain(&told).any(|alert| alert.batch == Some(batch.id)),
                    "{what}: nobody is told"
                );
                if closing.unresolved.is_empty() {
                    assert_eq!(world.state("growth").books, truth, "{what}");
                    let mut expected = batch.before.clone();
                    for off in &closing.residual {
                        match off.side {
                            Side::Buy => expected.add_units(off.symbol, off.quantity).unwrap(),
                            Side::Sell => expected.remove_units(off.symbol, off.quantity).unwrap(),
                        }
                    }
                    assert_eq!(crate::world::units(&truth), crate::world::units(&expected), "{what}: the residual");
                }
            }
            _ => match closing.outcome.name() {
                "restored" | "abandoned" => world.assert_restored("growth", &batch.before),
                _ => {
                    world.assert_books_are_true("growth");
                    assert_ne!(truth, batch.before, "{what}: something was traded");
                }
            },
        }
    }
}

/// The portfolio can be worked with: whatever blocks it can be resolved, and a rebalance then does what it should.
fn check_use(what: &str, world: &World, next: &Arc<Engine>) {
    world.broker.clear_script();
    let growth = p("growth");
    let rebalanced = loop {
        match world.run(next.rebalance_now(&growth)) {
            Err(EngineError::Stale { .. } | EngineError::Quarantined { .. }) => {
                // An order of the batch may still be open: then it is being canceled.
                let accepted = world.run(next.resolve(&growth, Resolve::Accept, "ann", "as it is"));
                assert!(matches!(accepted, Ok(None) | Err(EngineError::OrdersOpen { .. })), "{what}: {accepted:?}");
            }
            // At the end of the day there are no open orders.
            Err(EngineError::OrdersOpen { .. }) => world.broker.close_market(world.clock.now()),
            other => break other,
        }
    };
    let told = shown(&rebalanced);
    let gone = rebalanced == Err(EngineError::NoSuchPortfolio { portfolio: growth });
    assert!(gone || ["completed", "not worthwhile"].contains(&told.as_str()), "{what}: and then {told}");
    if !gone {
        world.assert_books_are_true("growth");
    }
}
