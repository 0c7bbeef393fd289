//! What people do: cash in and out, portfolios added, changed and removed, a batch aborted, an engine shut down.

use crate::answers::slow;
use crate::world::{QUARTERS, THIRDS, World, batch_of, definition, minutes, noon, p, seconds, shown};
use evenkeel_banchile::{Fault, Latency, Profile, Rule};
use evenkeel_domain::books::Books;
use evenkeel_domain::decide::Refusal;
use evenkeel_domain::order::Direction;
use evenkeel_domain::policy::Policy;
use evenkeel_domain::record::{Cause, Outcome, UnwindCause};
use evenkeel_engine::{EngineError, Stopped};
use evenkeel_ports::Clock;
use futures_util::future::join;

fn refused<T: std::fmt::Debug>(result: Result<T, EngineError>) -> Refusal {
    match result {
        Err(EngineError::Refused { cause, .. }) => cause,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_movement_of_cash_is_recorded_once() {
    let world = World::new(Profile::ideal());
    world.add_scene("growth", &QUARTERS);
    world.wave(QUARTERS.calm);
    world.broker.deposit(&p("growth"), p("1000.00")).unwrap();
    for _ in 0..3 {
        assert_eq!(world.deposit("growth", "march", "1000.00"), Ok(()));
        world.assert_books_are_true("growth");
    }
    let withdraw = |movement, amount| world.run(world.engine.withdraw(&p("growth"), p(movement), p(amount), p("USD")));
    world.broker.withdraw(&p("growth"), p("400.00")).unwrap();
    for _ in 0..3 {
        assert_eq!(withdraw("rent", "400.00"), Ok(()));
        world.assert_books_are_true("growth");
    }
    let records = world.journal.records(&p("growth")).len();

    // The same movement with another amount or the other way is another one, and refused.
    let differs = |result, recorded: &str| {
        let Refusal::MovementDiffers { recorded: known, .. } = refused(result) else { panic!("taken") };
        assert_eq!(known.to_string(), recorded);
    };
    differs(world.deposit("growth", "march", "1000.01"), "1000.00");
    differs(withdraw("march", "1000.00"), "1000.00");
    differs(world.deposit("growth", "rent", "400.00"), "-400.00");
    // So is what cannot be.
    assert!(matches!(refused(world.deposit("growth", "x", "0.00")), Refusal::NotPositive { .. }));
    assert!(matches!(refused(world.deposit("growth", "x", "-1.00")), Refusal::NotPositive { .. }));
    assert!(matches!(refused(withdraw("x", "25600.01")), Refusal::NotEnoughCash { .. }));
    let euros = world.run(world.engine.deposit(&p("growth"), p("x"), p("1.00"), p("EUR")));
    assert!(matches!(refused(euros), Refusal::Currency { .. }));
    assert!(matches!(refused(world.deposit("nowhere", "x", "1.00")), Refusal::NoSuchPortfolio { .. }));
    assert_eq!(world.journal.records(&p("growth")).len(), records, "nothing of it was written");
    world.assert_books_are_true("growth");
}

#[test]
fn cash_that_comes_in_is_invested() {
    let world = World::new(Profile::ideal());
    world.add_scene("growth", &THIRDS);
    world.wave(THIRDS.calm);
    world.broker.deposit(&p("growth"), p("50000.00")).unwrap();
    world.deposit("growth", "inheritance", "50000.00").unwrap();
    assert_eq!(world.wave(THIRDS.calm), [p("growth")], "each weight has shrunk to two thirds of its target");
    let report = world.batch("growth");
    assert_eq!((report.outcome, report.trades.len()), (Outcome::Completed, 3));
    assert!(world.truth("growth").cash < p("0.03"), "{}", world.truth("growth").cash);
    world.assert_books_are_true("growth");
}

#[test]
fn cash_cannot_be_moved_while_a_batch_counts_on_it() {
    let world = World::drifted(slow(), &QUARTERS);
    world.deposit("growth", "before", "1.00").unwrap();
    world.broker.deposit(&p("growth"), p("1.00")).unwrap();
    let mut batch = world.start("growth");
    world.drive_for(&mut batch, seconds(3));
    assert!(matches!(world.deposit("growth", "now", "1.00"), Err(EngineError::Busy { .. })));
    // Its worker ends. The batch is still open, and what was recorded before may be recorded again.
    drop(batch);
    world.clock.advance(seconds(60));
    assert!(matches!(refused(world.deposit("growth", "now", "1.00")), Refusal::BatchOpen { .. }));
    assert_eq!(world.deposit("growth", "before", "1.00"), Ok(()));
    let changed = world.run(world.engine.change(&p("growth"), definition("growth", THIRDS.targets, Policy::default())));
    assert!(matches!(refused(changed), Refusal::BatchOpen { .. }));
    assert!(matches!(refused(world.run(world.engine.remove(&p("growth")))), Refusal::BatchOpen { .. }));
    assert_eq!(world.run(world.engine.recover()).unwrap().len(), 1);
    world.assert_books_are_true("growth");
}

#[test]
fn an_account_in_another_currency_is_refused() {
    let world = World::new(Profile::ideal());
    world.broker.open_account(&p("growth"), p("EUR"), p("100.00"), []).unwrap();
    let books = Books::new(p("100.00"), []);
    let definition = definition("growth", THIRDS.targets, Policy::default());
    world.run(world.engine.add(&p("growth"), definition, books)).unwrap();
    world.wave(THIRDS.calm);
    assert!(matches!(refused(world.rebalance("growth")), Refusal::Currency { .. }));
    assert!(world.desk.sent().is_empty());
    assert_eq!(world.leases.holder(&p("growth")), None);
}

#[test]
fn portfolios_are_added_changed_and_removed() {
    let world = World::new(Profile::ideal());
    world.add_scene("growth", &QUARTERS);
    world.wave(QUARTERS.calm);
    let add = |id: &str, account: &str| {
        let definition = definition(account, QUARTERS.targets, Policy::default());
        world.run(world.engine.add(&p(id), definition, Books::default()))
    };
    assert!(matches!(refused(add("growth", "growth")), Refusal::AlreadyThere { .. }));

    // Other targets: it is out of band at once, and goes to the new ones.
    let targets = [("META", "50"), ("AAPL", "25"), ("MSFT", "25")];
    let change = |to| world.run(world.engine.change(&p("growth"), to));
    assert_eq!(change(definition("growth", &targets, Policy::default())), Ok(()));
    let records = world.journal.records(&p("growth")).len();
    assert_eq!(change(definition("growth", &targets, Policy::default())), Ok(()), "nothing to change");
    assert_eq!(world.journal.records(&p("growth")).len(), records);
    assert_eq!(world.wave(QUARTERS.calm), [p("growth")]);
    assert_eq!(shown(&world.rebalance("growth")), "completed");
    assert_eq!(world.truth("growth").units(p("META")), p("125"));
    let euros =
        evenkeel_domain::books::Definition { currency: p("EUR"), ..definition("growth", &targets, Policy::default()) };
    assert!(matches!(refused(change(euros)), Refusal::Currency { .. }));

    // Removed: nothing is sold, nothing is looked after any more.
    assert_eq!(world.run(world.engine.remove(&p("growth"))), Ok(()));
    assert!(world.wave(&[("META", "900")]).is_empty());
    assert_eq!(world.rebalance("growth"), Err(EngineError::NoSuchPortfolio { portfolio: p("growth") }));
    assert!(matches!(refused(world.run(world.engine.remove(&p("growth")))), Refusal::NoSuchPortfolio { .. }));
    assert_eq!(world.truth("growth").units(p("META")), p("125"));
    // And added again, with what is there now.
    let again = world.run(world.engine.add(
        &p("growth"),
        definition("growth", &targets, Policy::default()),
        world.truth("growth"),
    ));
    assert_eq!(again, Ok(()));
    assert_eq!(shown(&world.rebalance("growth")), "completed");
    world.assert_books_are_true("growth");
}

#[test]
fn two_portfolios_on_one_account_are_refused() {
    let world = World::new(Profile::ideal());
    world.add_scene("growth", &QUARTERS);
    world.add_scene("income", &QUARTERS);
    let taken = |result| {
        let Refusal::AccountTaken { account, by } = refused(result) else { panic!("shared") };
        assert_eq!((account, by), (p("growth"), p("growth")));
    };
    let shared = || definition("growth", QUARTERS.targets, Policy::default());
    taken(world.run(world.engine.add(&p("third"), shared(), Books::default())));
    taken(world.run(world.engine.change(&p("income"), shared())));
    // Another worker refuses it as well, once it knows what there is.
    let worker = world.worker("worker-2");
    world.run(worker.load_all()).unwrap();
    taken(world.run(worker.add(&p("third"), shared(), Books::default())));
    assert!(world.journal.records(&p("third")).is_empty());
    // An account is free again when its portfolio is removed.
    world.run(world.engine.remove(&p("growth"))).unwrap();
    assert_eq!(world.run(world.engine.change(&p("income"), shared())), Ok(()));
}

#[test]
fn a_person_aborts_a_batch_that_is_under_way() {
    for (scene, moments) in [(&QUARTERS, &[0, 1, 3, 5][..]), (&THIRDS, &[0, 1, 5, 7, 10])] {
        for after in moments {
            let world = World::drifted(slow(), scene);
            let before = world.truth("growth");
            let mut batch = world.start("growth");
            world.drive_for(&mut batch, seconds(*after));
            assert_eq!(world.run(world.engine.abort(&p("growth"), "ann", "changed my mind")), Ok(None), "passed on");
            let report = batch_of(world.run(batch));
            assert_eq!(report.outcome, Outcome::Restored, "after {after} s");
            let asked = UnwindCause::Aborted { who: "ann".to_owned(), why: "changed my mind".to_owned() };
            assert_eq!(report.cause, Some(Cause::Unwound(asked)));
            world.assert_restored("growth", &before);
            assert!(matches!(world.rebalance("growth"), Err(EngineError::Paused { .. })));
        }
    }
}

#[test]
fn a_person_aborts_a_batch_that_nobody_works_on() {
    // Its worker ended; how long ago decides whether it would have been finished.
    for (age, slow_orders) in [(60, false), (3_600, true)] {
        let world = World::drifted(slow(), &QUARTERS);
        let before = world.truth("growth");
        if slow_orders {
            world.script([Rule::new(Fault::NeverFill).direction(Direction::Forward).always()]);
        }
        let mut batch = world.start("growth");
        world.drive_for(&mut batch, seconds(2));
        let busy = world.run(world.worker("worker-2").abort(&p("growth"), "ann", "no"));
        assert!(matches!(busy, Err(EngineError::Busy { .. })), "another worker is executing it");
        drop(batch);
        world.clock.advance(seconds(age));
        let report = world.run(world.worker("worker-2").abort(&p("growth"), "ann", "no")).unwrap().unwrap();
        assert_eq!(report.outcome, Outcome::Restored);
        world.assert_restored("growth", &before);
    }
}

#[test]
fn there_must_be_something_to_abort() {
    let world = World::drifted(Profile::ideal(), &QUARTERS);
    let nothing = Refusal::NoBatch { wanted: "aborted" };
    assert_eq!(refused(world.run(world.engine.abort(&p("growth"), "ann", "no"))), nothing);
    assert_eq!(shown(&world.rebalance("growth")), "completed");
    assert_eq!(refused(world.run(world.engine.abort(&p("growth"), "ann", "no"))), nothing, "it is over");
    assert_eq!(world.leases.holder(&p("growth")), None);
}

#[test]
fn shut_down_in_the_middle_of_a_batch_and_finished_by_another_worker_at_once() {
    for (scene, first_stage) in [(&QUARTERS, 3), (&THIRDS, 1)] {
        let world = World::drifted(slow(), scene);
        let mut batch = world.start("growth");
        // Requests are under way: their answers are recorded, and nothing else is begun.
        world.drive_for(&mut batch, seconds(1));
        let (batch, stopped) = world.run(join(batch, world.engine.shut_down(seconds(20))));
        assert_eq!(batch, Err(EngineError::Stopping { portfolio: p("growth") }));
        assert_eq!(stopped, Stopped { unfinished: Vec::new() });
        assert_eq!(world.clock.now(), noon().plus(seconds(2)), "no longer than it took");
        assert_eq!(world.leases.holder(&p("growth")), None, "handed over");
        assert_eq!(world.desk.sent().len(), first_stage);
        let open = world.state("growth").batch.unwrap();
        assert!(open.orders.values().all(|order| order.state.is_open()), "{:?}", open.orders);

        // It does not start again.
        assert_eq!(world.rebalance("growth"), Err(EngineError::Stopping { portfolio: p("growth") }));
        assert_eq!(world.deposit("growth", "x", "1.00"), Err(EngineError::Stopping { portfolio: p("growth") }));
        let second = world.worker("worker-2");
        assert_eq!(shown(&world.run(second.rebalance(&p("growth")))), "in band", "completed at once");
        assert_eq!(world.state("growth").tally.completed, 1);
        world.assert_books_are_true("growth");
    }
}

#[test]
fn shut_down_does_not_wait_for_ever() {
    let world = World::drifted(slow(), &QUARTERS);
    world.script([Rule::new(Fault::HoldAnswer).symbol(p("MSFT"))]);
    let batch = world.start("growth");
    let (batch, stopped) = world.run(join(batch, world.engine.shut_down(seconds(20))));
    assert_eq!(batch, Err(EngineError::Stopping { portfolio: p("growth") }));
    assert_eq!(stopped, Stopped { unfinished: Vec::new() });
    assert_eq!(world.clock.now(), noon().plus(seconds(20)));
    let recovered = world.run(world.worker("worker-2").recover()).unwrap();
    assert_eq!(recovered[0].result.clone().unwrap().unwrap().outcome, Outcome::Completed);
    world.assert_books_are_true("growth");
}

#[test]
fn what_does_not_stop_in_time_is_named() {
    // The worker waits for books and broker to agree, which takes longer than it is given.
    let world = World::drifted(Profile { visibility_horizon: minutes(2), ..slow() }, &QUARTERS);
    world.broker.deposit(&p("growth"), p("5.00")).unwrap();
    let mut batch = world.start("growth");
    world.drive_for(&mut batch, seconds(1));
    let both = join(world.engine.shut_down(seconds(5)), world.clock.sleep_until(noon().plus(seconds(30))));
    let both = futures_util::future::select(Box::pin(both), batch);
    let stopped = match world.run(both) {
        futures_util::future::Either::Left(((stopped, ()), batch)) => {
            drop(batch); // A crash, and as safe.
            stopped
        }
        futures_util::future::Either::Right((batch, _)) => panic!("{batch:?}"),
    };
    assert_eq!(stopped.unfinished, [p("growth")]);
    world.clock.advance(seconds(60));
    world.broker.withdraw(&p("growth"), p("5.00")).unwrap();
    assert_eq!(shown(&world.run(world.worker("worker-2").rebalance(&p("growth")))), "completed");
}

#[test]
fn shut_down_before_anything_was_sent() {
    // The worker waits for the broker to show what the last batch did; then it is to stop, and sends nothing.
    let profile = Profile { visibility_lag: Latency::exactly(seconds(3)), visibility_horizon: seconds(4), ..slow() };
    let world = World::drifted(profile, &QUARTERS);
    let mut batch = world.start("growth");
    world.broker.deposit(&p("growth"), p("5.00")).unwrap();
    world.drive_for(&mut batch, seconds(1));
    let stopped = world.engine.shut_down(seconds(20));
    world.broker.withdraw(&p("growth"), p("5.00")).unwrap();
    let (batch, stopped) = world.run(join(batch, stopped));
    assert_eq!(stopped.unfinished, []);
    let report = batch_of(batch);
    assert_eq!(report.outcome, Outcome::Abandoned);
    assert!(matches!(report.cause, Some(Cause::NeverSent { .. })));
    assert!(world.desk.sent().is_empty());
    let state = world.state("growth");
    assert_eq!((state.standing.name(), state.pause), ("active", None));
    assert_eq!(shown(&world.run(world.worker("worker-2").rebalance(&p("growth")))), "completed");
}

#[test]
fn recovery_finishes_whatever_it_can() {
    let world = World::new(slow());
    let names = ["a", "b", "c", "d"];
    for name in names {
        world.add_scene(name, &QUARTERS);
    }
    world.wave(QUARTERS.calm);
    assert_eq!(world.wave(QUARTERS.drifted).len(), 4);
    // The worker of the first two ends, that of the third waits for orders that never fill, and the fourth has no batch.
    world.script([Rule::new(Fault::NeverFill).account(p("c")).always()]);
    let mut running: Vec<_> = names[..3].iter().map(|name| world.start(name)).collect();
    for batch in &mut running {
        world.drive_for(batch, seconds(1));
    }
    let mut last = running.pop().unwrap();
    drop(running);
    world.drive_for(&mut last, seconds(58));
    world.broker.fail_queries(&p("b"), 10_000).unwrap();
    let second = world.worker("worker-2");
    let recovery = second.recover();
    let (recovered, last) = world.run(join(recovery, last));
    let told: Vec<_> = recovered
        .unwrap()
        .iter()
        .map(|one| match &one.result {
            Ok(Some(report)) => format!("{} {}", one.portfolio, report.outcome.name()),
            other => format!("{} {other:?}", one.portfolio),
        })
        .collect();
    assert_eq!(shown(&last), "restored");
    assert_eq!(told[0], "a restored");
    assert!(told[1].starts_with("b stale"), "{}", told[1]);
    assert!(told[2].starts_with("c Err(Busy"), "{}", told[2]);
    assert_eq!(shown(&world.rebalance("d")), "completed");
    for name in ["a", "c", "d"] {
        world.assert_books_are_true(name);
    }
    assert!(world.clock.now() > noon().plus(minutes(1)));
}
