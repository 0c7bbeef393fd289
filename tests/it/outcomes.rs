//! Properties over random plans and every pattern of leg outcomes: restored means exactly the units of before, completed means that all that
//! was committed was filled, and stale tells exactly what is off.

mod cases;

use crate::gate::{Gate, gated, run_until_crash};
use crate::world::{World, p, seconds, shown, units};
use cases::{Case, Trouble, cases, troubles};
use evenkeel_domain::alert::AlertKind;
use evenkeel_domain::books::Books;
use evenkeel_domain::order::Side;
use evenkeel_domain::portfolio::{Portfolio, Standing};
use evenkeel_domain::record::{Event, Outcome, Record};
use evenkeel_domain::report::BatchReport;
use evenkeel_domain::values::{Price, Quantity};
use evenkeel_engine::{Engine, EngineError, Rebalanced, Resolve};
use evenkeel_ports::Journal;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// What must hold for a batch that just closed.
fn check_closed(world: &World, engine: &Arc<Engine>, report: &BatchReport, before: &Books) {
    let state = world.state("growth");
    let batch = state.closed.last().unwrap();
    let truth = world.truth("growth");
    match report.outcome {
        Outcome::Completed => {
            let orders = world.broker.ledger(&p("growth")).unwrap().orders;
            for (id, order) in batch.orders.iter() {
                let made = orders.iter().find(|made| made.request.id == id);
                let filled = made.map_or(Quantity::ZERO, |made| made.filled());
                assert_eq!(filled, order.filled, "{id}");
                let retried = batch.last_attempt(id.leg, id.direction).is_some_and(|(last, _)| last != id);
                assert!(retried || filled == order.terms.quantity, "{id} was committed, and not filled");
            }
            world.assert_books_are_true("growth");
        }
        Outcome::Restored | Outcome::Abandoned => {
            world.assert_restored("growth", before);
            assert_eq!(report.cost, before.cash.sub(truth.cash).unwrap(), "what it cost is the cash that went");
        }
        Outcome::Stale => {
            assert_eq!(state.standing, Standing::Stale);
            let alerts = world.run(world.journal.pending_alerts(10)).unwrap();
            let stale = |r: &&Record| matches!(&r.event, Event::Closed(closing) if closing.outcome == Outcome::Stale);
            let times = world.journal.records(&p("growth")).iter().filter(stale).count();
            assert_eq!(alerts.iter().filter(|alert| alert.kind == AlertKind::Stale).count(), times, "told each time");
            // What executed late, after everything seemed over, is found by whoever resolves it.
            if state.books == truth {
                assert_eq!(units(&truth), units(&with_residual(before, report)), "the residual is exact");
            }
        }
    }
    assert_eq!(*engine.portfolio(&p("growth")).unwrap(), state, "live and replayed");
    assert_eq!(world.leases.holder(&p("growth")), None);
}

fn with_residual(before: &Books, report: &BatchReport) -> Books {
    let mut books = before.clone();
    for off in &report.residual {
        match off.side {
            Side::Buy => books.add_units(off.symbol, off.quantity).unwrap(),
            Side::Sell => books.remove_units(off.symbol, off.quantity).unwrap(),
        }
    }
    books
}

/// Whatever happened: a person can put it right, and the next rebalance works.
fn check_use(world: &World, engine: &Arc<Engine>, before: &Books) {
    world.broker.clear_script();
    if world.standing("growth") == "stale" {
        world.clock.advance(seconds(120));
        if let Ok(Some(report)) = world.run(engine.resolve(&p("growth"), Resolve::Retry, "ann", "once more")) {
            check_closed(world, engine, &report, before);
        }
    }
    for _ in 0..20 {
        match world.run(engine.rebalance_now(&p("growth"))) {
            Ok(Rebalanced::Batch(report)) => {
                // A late fill of the batch before can still come in between.
                if report.outcome == Outcome::Completed {
                    return world.assert_books_are_true("growth");
                }
            }
            Ok(Rebalanced::NotWorthwhile { .. }) | Err(EngineError::Plan { .. }) => {
                return world.assert_books_are_true("growth");
            }
            Err(EngineError::Stale { .. } | EngineError::Quarantined { .. }) => {
                let accepted = world.run(engine.resolve(&p("growth"), Resolve::Accept, "ann", "as it is"));
                assert_eq!(accepted, Ok(None));
            }
            Err(EngineError::OrdersOpen { .. }) => {}
            other => panic!("{other:?}"),
        }
        world.clock.advance(seconds(30));
    }
    panic!("it never comes to rest");
}

/// Runs so many cases, and tells how often they ended how: a property that never meets the hard part proves nothing.
fn explored<S: Strategy>(cases: u32, strategy: &S, check: impl Fn(S::Value) -> &'static str) -> Ends {
    let ends = Mutex::new(Ends::new());
    let usual = ProptestConfig::with_source_file(file!());
    let config = ProptestConfig { cases: usual.cases.max(cases), ..usual };
    let result = TestRunner::new(config).run(strategy, |case| {
        let end = check(case);
        *ends.lock().unwrap().entry(end).or_insert(0) += 1;
        Ok(())
    });
    let ends = ends.into_inner().unwrap();
    println!("{ends:?}");
    result.unwrap_or_else(|error| panic!("{error}"));
    ends
}

type Ends = BTreeMap<&'static str, u32>;

fn assert_met(ends: &Ends, wanted: &[(&str, u32)]) {
    // Far below what is usual, so that chance alone never fails it.
    for (end, at_least) in wanted {
        assert!(ends.get(end).is_some_and(|times| times >= at_least), "{end} was met too rarely: {ends:?}");
    }
}

#[test]
fn restored_means_exactly_the_units_of_before() {
    let ends = explored(1_000, &cases(), |case| {
        let world = case.world();
        let before = world.truth("growth");
        let end = match world.run(world.engine.rebalance_now(&p("growth"))) {
            Ok(Rebalanced::Batch(report)) => {
                check_closed(&world, &world.engine, &report, &before);
                let reversed = !report.reversals.is_empty();
                if reversed && report.outcome == Outcome::Restored { "traded back" } else { report.outcome.name() }
            }
            Ok(Rebalanced::NotWorthwhile { .. }) | Err(EngineError::Plan { .. }) => {
                assert_eq!(world.truth("growth"), before);
                "nothing"
            }
            other => panic!("{other:?}"),
        };
        check_use(&world, &world.engine, &before);
        end
    });
    assert_met(&ends, &[("completed", 100), ("restored", 50), ("traded back", 150), ("stale", 20)]);
}

/// Runs a rebalance into this trouble, and whatever is left open afterwards is recovered by another worker.
fn run_into(world: &World, case: &Case, trouble: Trouble) {
    let growth = p("growth");
    let engine = world.engine.clone();
    let mut batch = Box::pin(async move { engine.rebalance_now(&p("growth")).await });
    let mut until = |secs| world.clock.poll_until(batch.as_mut(), crate::world::noon().plus(seconds(u64::from(secs))));
    match trouble {
        Trouble::Crash(n) => {
            let gate = Gate::falling_at(usize::from(n));
            let worker = world.worker_over("worker-x", gated(world.ports(), &gate));
            let _done = run_until_crash(&world.clock, &gate, worker.rebalance_now(&growth));
        }
        Trouble::Prices(secs, percent) => {
            if until(secs).is_none() {
                let parts = u64::try_from(100 + i64::from(percent)).unwrap();
                let moved = |price: Price| Price::from_nanos(price.nanos() / 100 * parts).unwrap();
                world.wave_of(case.lines().map(|(symbol, line)| (p(symbol), moved(line.price))).collect());
                world.run(batch).unwrap_or_else(|error| panic!("{error}"));
            }
        }
        Trouble::Abort(secs) => {
            if until(secs).is_none() {
                assert_eq!(world.run(world.engine.abort(&growth, "ann", "no")), Ok(None));
                world.run(batch).unwrap_or_else(|error| panic!("{error}"));
            }
        }
        Trouble::Stop(secs) => {
            if until(secs).is_none() {
                let stop = world.engine.shut_down(seconds(5));
                let (batch, stopped) = world.run(futures_util::future::join(batch, stop));
                assert!(stopped.unfinished.is_empty());
                assert!(matches!(batch, Ok(_) | Err(EngineError::Stopping { .. })), "{}", shown(&batch));
            }
        }
    }
}

/// True if the broker executed what the journal does not know of: which it then must have done after the batch was closed.
fn executed_after_its_end(world: &World, state: &Portfolio) -> bool {
    let orders = world.broker.ledger(&p("growth")).unwrap().orders;
    let known =
        |id, fill| state.closed_batch(id).is_some_and(|batch| batch.orders.get(id).unwrap().fills.contains(fill));
    let unknown = orders.iter().flat_map(|order| order.fills.iter().filter(|fill| !known(order.request.id, &fill.id)));
    let unknown: Vec<_> = unknown.map(|fill| fill.at).collect();
    let closed_at = world.journal.records(&p("growth")).last().unwrap().at;
    assert!(unknown.iter().all(|at| *at > closed_at), "executed before the end, and not booked");
    !unknown.is_empty()
}

#[test]
fn whatever_happens_everything_is_accounted_for() {
    let ends = explored(1_000, &(cases(), troubles()), |(case, trouble)| {
        let world = case.world();
        let before = world.truth("growth");
        run_into(&world, &case, trouble);
        // The engine may have been stopped for good: others go on.
        let next = world.worker("worker-2");
        world.clock.advance(seconds(60));
        for one in world.run(next.recover()).unwrap() {
            assert!(one.result.is_ok(), "{one:?}");
        }
        let state = world.state("growth");
        assert_eq!(state.batch, None);
        let last = state.closed.last().and_then(|batch| BatchReport::of(batch).unwrap());
        let end = match last.map(|report| report.outcome) {
            Some(Outcome::Stale) => "stale",
            Some(_) if executed_after_its_end(&world, &state) => "executed late",
            Some(outcome @ (Outcome::Restored | Outcome::Abandoned)) => {
                world.assert_restored("growth", &before);
                outcome.name()
            }
            Some(Outcome::Completed) => {
                world.assert_books_are_true("growth");
                "completed"
            }
            None => {
                assert_eq!(world.truth("growth"), before);
                "nothing"
            }
        };
        check_use(&world, &next, &before);
        end
    });
    assert_met(&ends, &[("completed", 50), ("restored", 150), ("stale", 10), ("executed late", 1)]);
}
