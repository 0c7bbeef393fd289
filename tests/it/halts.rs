//! The kill switch: nothing that is halted is sent, whatever stage a batch is in, and nothing is lost by it.

use crate::faulty::{CommitFault, FaultyJournal};
use crate::world::{QUARTERS, Scene, THIRDS, World, batch_of, minutes, p, seconds, shown};
use evenkeel_banchile::{Fault, Profile, Rule};
use evenkeel_domain::halt::{HaltMode, Scope};
use evenkeel_domain::order::{Direction, RefusalReason, Side};
use evenkeel_domain::record::{Event, Outcome};
use evenkeel_engine::{EngineError, Ports, Rebalanced};
use std::collections::BTreeSet;
use std::sync::Arc;

fn growth() -> Scope {
    Scope::Portfolio(p("growth"))
}

fn halt(world: &World, scope: Scope, mode: HaltMode) {
    world.run(world.engine.halt(scope, mode, "ann", "the feed is wrong")).unwrap();
}

fn release(world: &World, scope: Scope) {
    assert_eq!(world.run(world.engine.release(scope, "ann", "it is right again")), Ok(true));
}

fn directions(world: &World) -> Vec<Direction> {
    world.desk.sent().iter().map(|sent| sent.request.id.direction).collect()
}

#[test]
fn nothing_is_begun_while_it_is_halted() {
    for scope in [Scope::Everything, growth(), Scope::Symbol(p("AAPL"))] {
        for mode in [HaltMode::Freeze, HaltMode::Unwind] {
            let world = World::drifted(Profile::ideal(), &QUARTERS);
            let before = world.journal.records(&p("growth"));
            halt(&world, scope.clone(), mode);
            let refused = world.rebalance("growth");
            assert!(matches!(&refused, Err(EngineError::Halted { .. })), "{refused:?}");
            assert!(!refused.unwrap_err().is_temporary());
            assert!(world.run(world.engine.rebalance_now(&p("growth"))).is_err());
            assert!(world.run(world.worker("worker-2").rebalance(&p("growth"))).is_err(), "for every worker");
            assert_eq!(world.journal.records(&p("growth")), before, "nothing is written");
            assert!(world.desk.sent().is_empty());

            release(&world, scope.clone());
            assert_eq!(world.run(world.engine.release(scope.clone(), "ann", "again")), Ok(false));
            assert_eq!(shown(&world.rebalance("growth")), "completed");
        }
    }
}

#[test]
fn what_is_not_halted_goes_on() {
    for scope in [Scope::Portfolio(p("income")), Scope::Symbol(p("BRK.B"))] {
        let world = World::drifted(Profile::calm(), &QUARTERS);
        halt(&world, scope, HaltMode::Freeze);
        assert_eq!(shown(&world.rebalance("growth")), "completed");
    }
}

/// The sells are filled and the buys still open when the halt comes, from this worker or from another process.
fn halted_under_way(mode: HaltMode, from_outside: bool) -> (World, Result<String, EngineError>) {
    let world = World::drifted(Profile::ideal(), &QUARTERS);
    world.script([Rule::new(Fault::LateFill { delay: seconds(40) }).side(Side::Buy)]);
    let mut batch = world.start("growth");
    world.drive_for(&mut batch, seconds(5));
    let halting = if from_outside { world.worker("another-process") } else { world.engine.clone() };
    world.run(halting.halt(growth(), mode, "ann", "the feed is wrong")).unwrap();
    let done = world.run(batch).map(|done| shown(&Ok(done)));
    (world, done)
}

#[test]
fn frozen_under_way_it_cancels_and_rests_until_it_is_released() {
    for from_outside in [false, true] {
        let (world, done) = halted_under_way(HaltMode::Freeze, from_outside);
        assert!(matches!(done, Err(EngineError::Halted { .. })), "{done:?}");
        assert_eq!(world.standing("growth"), "rebalancing", "open, and its sell is not traded back");
        assert!(directions(&world).iter().all(|direction| *direction == Direction::Forward));
        let open = world.run(evenkeel_ports::Broker::open_orders(&*world.desk, &p("growth"))).unwrap();
        assert_eq!(open.orders.len(), 0, "what was open is canceled");
        world.assert_books_are_true("growth");

        // Recovery leaves it alone, and writes nothing.
        let records = world.journal.records(&p("growth")).len();
        world.clock.advance(minutes(5));
        let recovered = world.run(world.worker("worker-2").recover()).unwrap();
        assert!(matches!(recovered[0].result, Err(EngineError::Halted { .. })), "{recovered:?}");
        assert_eq!(world.journal.records(&p("growth")).len(), records);

        release(&world, growth());
        let recovered = world.run(world.engine.recover()).unwrap();
        let report = recovered[0].result.clone().unwrap().unwrap();
        assert_eq!(report.outcome, Outcome::Restored);
        assert!(directions(&world).contains(&Direction::Reverse));
        world.assert_books_are_true("growth");
    }
}

#[test]
fn unwound_under_way_it_is_restored_at_once() {
    for from_outside in [false, true] {
        let (world, done) = halted_under_way(HaltMode::Unwind, from_outside);
        assert_eq!(done, Ok("restored".to_owned()));
        let cause = world.state("growth").closed.last().unwrap().closing.clone().unwrap().cause.unwrap().to_string();
        assert!(cause.contains("the portfolio growth was halted by ann"), "{cause}");
        world.assert_books_are_true("growth");
    }
}

#[test]
fn a_halt_just_before_any_commit_of_any_batch_sends_nothing_more_forward_and_loses_nothing() {
    for scene in [&THIRDS, &QUARTERS] {
        for refused in [None, Some("MSFT")] {
            for mode in [HaltMode::Freeze, HaltMode::Unwind] {
                let mut seen = BTreeSet::new();
                for commit in 1..=12 {
                    seen.insert(halted_at(scene, refused, mode, commit));
                }
                // Whatever the stage: not begun, frozen or restored, and over before it came.
                let last = if refused.is_some() { "restored" } else { "completed" };
                let way = if mode == HaltMode::Freeze { "frozen, then restored" } else { "restored" };
                // Sent together and filled at once there is nothing left to halt.
                let has_more_to_send = scene.cash == "0.00" || refused.is_some();
                for expected in ["not begun", last, if has_more_to_send { way } else { last }] {
                    assert!(seen.contains(expected), "{mode}: {expected} is missing in {seen:?}");
                }
            }
        }
    }
}

fn halted_at(scene: &Scene, refused: Option<&str>, mode: HaltMode, commit: usize) -> &'static str {
    let world = World::drifted(Profile::ideal(), scene);
    world.script(refused.map(|symbol| Rule::new(Fault::Refuse(RefusalReason::NotTradable)).symbol(p(symbol))));
    let journal = Arc::new(FaultyJournal::new(world.journal.clone()));
    journal.at_commit(commit, CommitFault::Halt(mode));
    let worker = world.worker_over("worker-x", Ports { journal, ..world.ports() });
    let before = world.truth("growth");
    let done = world.run(worker.rebalance(&p("growth")));
    let halts = world.run(worker.halts()).unwrap();
    if !halts.is_empty() {
        let sent = world.desk.sent().len();
        drop(world.run(world.engine.recover()).unwrap());
        let allowed = world.desk.sent()[sent..].iter().all(|s| s.request.id.direction == Direction::Reverse);
        assert!(allowed && (mode == HaltMode::Unwind || world.desk.sent().len() == sent), "sent against a halt");
        release(&world, Scope::Everything);
    }
    let came_to = match done {
        Ok(Rebalanced::Batch(report)) => report.outcome.name(),
        Err(EngineError::Halted { .. }) if world.standing("growth") == "active" => "not begun",
        Err(EngineError::Halted { .. }) => {
            let report = world.run(world.engine.recover()).unwrap()[0].result.clone().unwrap().unwrap();
            assert_eq!(report.outcome, Outcome::Restored, "{:?}", report.cause);
            "frozen, then restored"
        }
        other => panic!("{other:?}"),
    };
    match came_to {
        "completed" => world.assert_books_are_true("growth"),
        _ => world.assert_restored("growth", &before),
    }
    came_to
}

#[test]
fn frozen_on_the_way_back_no_further_attempt_is_made() {
    let world = World::drifted(Profile::ideal(), &QUARTERS);
    world.script([
        Rule::new(Fault::Refuse(RefusalReason::NotTradable)).symbol(p("MSFT")),
        Rule::new(Fault::Refuse(RefusalReason::NotTradable)).symbol(p("AAPL")).direction(Direction::Reverse).always(),
    ]);
    let mut batch = world.start("growth");
    world.drive_for(&mut batch, seconds(3));
    let attempts = world.desk.sent().len();
    halt(&world, Scope::Everything, HaltMode::Freeze);
    let done = world.run(batch);
    assert!(matches!(done, Err(EngineError::Halted { .. })), "{done:?}");
    assert_eq!(world.desk.sent().len(), attempts, "nothing was sent after it");
    assert_eq!(world.standing("growth"), "rebalancing");

    world.broker.clear_script();
    release(&world, Scope::Everything);
    assert_eq!(
        world.run(world.engine.recover()).unwrap()[0].result.clone().unwrap().unwrap().outcome,
        Outcome::Restored
    );
}

#[test]
fn a_worker_that_takes_over_heeds_the_halt_before_anything_else() {
    for (mode, expected) in [(HaltMode::Freeze, None), (HaltMode::Unwind, Some(Outcome::Restored))] {
        let world = World::drifted(Profile::ideal(), &QUARTERS);
        world.script([Rule::new(Fault::LateFill { delay: seconds(100) }).side(Side::Buy)]);
        let mut batch = world.start("growth");
        world.drive_for(&mut batch, seconds(5));
        drop(batch); // The worker is gone, its buys are open.
        halt(&world, Scope::Everything, mode);
        world.clock.advance(minutes(2));
        let recovered = world.run(world.worker("worker-2").recover()).unwrap();
        match (&recovered[0].result, expected) {
            (Ok(Some(report)), Some(outcome)) => assert_eq!(report.outcome, outcome),
            (Err(EngineError::Halted { .. }), None) => {
                assert!(!directions(&world).contains(&Direction::Reverse));
                let open = world.run(evenkeel_ports::Broker::open_orders(&*world.desk, &p("growth"))).unwrap();
                assert!(open.orders.is_empty(), "what was open is canceled");
            }
            other => panic!("{other:?}"),
        }
        world.assert_books_are_true("growth");
    }
}

#[test]
fn halts_do_not_touch_the_books() {
    let world = World::drifted(Profile::ideal(), &QUARTERS);
    halt(&world, Scope::Everything, HaltMode::Freeze);
    world.broker.deposit(&p("growth"), p("10.00")).unwrap();
    world.deposit("growth", "gift", "10.00").unwrap();
    let records = world.journal.records(&p("growth"));
    assert!(matches!(records.last().unwrap().event, Event::CashMoved { .. }), "cash comes and goes");
    assert_eq!(world.run(world.engine.halts()).unwrap().len(), 1);
    release(&world, Scope::Everything);
    assert_eq!(batch_of(world.rebalance("growth")).outcome, Outcome::Completed);
}
