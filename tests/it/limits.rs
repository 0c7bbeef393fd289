//! What is checked before anything is sent: prices that cannot be believed, amounts beyond a limit; each a typed refusal that trades nothing.

use crate::gate::{Gate, gated, run_until_frozen};
use crate::world::{QUARTERS, World, batch_of, minutes, noon, p, seconds, shown};
use evenkeel_banchile::{Fault, Profile, Rule};
use evenkeel_domain::decide::Refusal;
use evenkeel_domain::limits::{LimitError, Limits};
use evenkeel_domain::order::RefusalReason;
use evenkeel_domain::record::{Cause, Event, Outcome};
use evenkeel_engine::{Engine, EngineError, Finding, Rebalanced, Settings};
use evenkeel_ports::Clock;
use futures_util::FutureExt;
use std::sync::Arc;

fn limited(limits: Limits) -> World {
    World::drifted_with(Profile::ideal(), Settings { limits, ..Settings::unlimited() }, &QUARTERS)
}

/// The batch of this scene is worth 4687.50 + 1562.50 + 1562.50.
fn check(limits: Limits, expected: &str) {
    let world = limited(limits);
    let before = world.journal.records(&p("growth"));
    assert_eq!(shown(&world.rebalance("growth")), expected);
    if expected != "completed" {
        assert_eq!(world.journal.records(&p("growth")), before, "nothing is written");
        assert!(world.desk.sent().is_empty(), "nothing is sent");
    }
}

#[test]
fn amounts_beyond_a_limit_are_refused_and_those_at_it_are_not() {
    let money = |text: &str| Some(p(text));
    check(Limits { order: money("4687.50"), ..Limits::NONE }, "completed");
    check(
        Limits { order: money("4687.49"), ..Limits::NONE },
        "growth: the order for META is worth 4687.50, and an order may be worth 4687.49",
    );
    check(Limits { batch: money("7812.50"), ..Limits::NONE }, "completed");
    check(
        Limits { batch: money("7812.49"), ..Limits::NONE },
        "growth: the batch is worth 7812.50, and a batch may be worth 7812.49",
    );
}

#[test]
fn a_portfolio_that_swings_to_and_fro_is_stopped_for_the_day() {
    let world = limited(Limits { batches_a_day: Some(3), day: Some(p("20000.00")), ..Limits::NONE });
    let mut told = Vec::new();
    for price in ["500", "400", "500", "400", "500"] {
        world.wave(&[("META", price)]);
        told.push(shown(&world.rebalance("growth")));
        world.clock.advance(minutes(10));
    }
    assert_eq!(told[0], "completed");
    assert!(told[4].contains("within 24 hours"), "{told:?}");
    // A day later it may again.
    world.clock.advance(minutes(24 * 60));
    assert_eq!(shown(&world.rebalance("growth")), "completed");
}

#[test]
fn what_was_checked_stands_beside_the_intents() {
    let world = limited(Limits::NONE);
    assert_eq!(shown(&world.rebalance("growth")), "completed");
    let intended = |record: &evenkeel_domain::record::Record| match &record.event {
        Event::Intended { checks, .. } => Some(*checks),
        _ => None,
    };
    let checks: Vec<_> = world.journal.records(&p("growth")).iter().filter_map(intended).collect();
    let [Some(checks)] = checks[..] else { panic!("{checks:?}") };
    assert_eq!((checks.order, checks.batch, checks.day), (p("4687.50"), p("7812.50"), p("7812.50")));
    assert_eq!((checks.oldest_price, checks.batches), (noon(), 1));
}

#[test]
fn a_restoration_is_never_limited() {
    let world = limited(Limits { day: Some(p("7812.50")), batches_a_day: Some(1), ..Limits::NONE });
    let before = world.truth("growth");
    world.script([Rule::new(Fault::Refuse(RefusalReason::NotTradable)).symbol(p("MSFT"))]);
    assert_eq!(shown(&world.rebalance("growth")), "restored");
    world.assert_restored("growth", &before);
    world.clock.advance(minutes(60));
    let refused = world.rebalance("growth");
    let limit = LimitError::Day { amount: p("14062.50"), limit: p("7812.50") };
    assert_eq!(refused, Err(EngineError::Refused { portfolio: p("growth"), cause: Refusal::Limit(limit) }));
}

#[test]
fn a_price_that_jumped_is_not_traded_on_until_it_comes_back_or_a_person_accepts_it() {
    let settings = Settings { max_price_jump: Some(p("20")), ..Settings::unlimited() };
    let world = World::with_settings(Profile::ideal(), settings);
    world.add_scene("growth", &QUARTERS);
    world.wave(QUARTERS.calm);

    let found = world.engine.on_wave(world.clock.now(), &[(p("META"), p("800"))]);
    let [Finding::NotJudged { why, .. }] = &found[..] else { panic!("{found:?}") };
    assert!(why.to_string().starts_with("the price of META went from 400 to 800 at once"), "{why}");
    let told = shown(&world.rebalance("growth"));
    assert!(told.starts_with("no plan: the price of META went from 400 to 800 at once"), "{told}");
    assert!(world.desk.sent().is_empty());
    let (symbol, quote) = world.engine.doubtful_prices()[0];
    assert_eq!((symbol, quote.price), (p("META"), p("800")));

    // A spike is over when a price near the last one comes.
    world.wave(&[("META", "410")]);
    assert!(world.engine.doubtful_prices().is_empty());
    assert_eq!(shown(&world.rebalance("growth")), "in band");

    world.wave(&[("META", "800")]);
    assert_eq!(world.engine.accept_price(p("META")).map(|quote| quote.price), Some(p("800")));
    assert_eq!(world.engine.accept_price(p("META")), None);
    assert_eq!(shown(&world.rebalance("growth")), "completed");
}

/// Rebalances at META 500; while the opening of the batch and its first intents are being written, something happens. Gives what came of it.
fn while_opening(settings: Settings, happens: impl Fn(&World, &Engine)) -> (World, Result<Rebalanced, EngineError>) {
    let world = World::drifted_with(Profile::ideal(), settings, &QUARTERS);
    // That is the first commit of a rebalance: the gate falls once it is written, and not answered yet.
    let opening = |gate: &Arc<Gate>| gate.fell_at().as_deref() == Some("after commit");
    let mut n = 0;
    loop {
        let gate = Gate::falling_at(n);
        let engine = world.worker_over("worker-2", gated(world.ports(), &gate));
        let growth = p("growth");
        let mut batch = Box::pin(engine.rebalance(&growth));
        assert!(run_until_frozen(&world.clock, &gate, batch.as_mut()).is_none(), "it was not opened");
        if opening(&gate) {
            happens(&world, &engine);
            gate.thaw();
            let done = world.run(batch.as_mut());
            drop(batch);
            return (world, done);
        }
        drop(batch);
        world.clock.advance(minutes(2)); // The lease of the one that was dropped.
        n += 1;
    }
}

#[test]
fn a_price_that_leaves_the_collar_between_plan_and_first_order_has_nothing_sent() {
    let collar = |percent: &str| Settings {
        limits: Limits { collar: Some(p(percent)), ..Limits::NONE },
        ..Settings::unlimited()
    };
    let jump = Some(p("2"));
    for (settings, meta, expected) in [
        (collar("5"), "525", "completed"),
        (collar("5"), "525.01", "abandoned"),
        (collar("5"), "474.99", "abandoned"),
        (Settings::unlimited(), "600", "completed"),
        // The market has moved, whether that is believed or not.
        (Settings { max_price_jump: jump, ..collar("5") }, "600", "abandoned"),
        (Settings { max_price_jump: jump, ..Settings::default() }, "525.01", "abandoned"),
    ] {
        let (world, done) = while_opening(settings, |world, engine| {
            engine.on_wave(world.clock.now(), &[(p("META"), p(meta))]);
            world.broker.set_prices([(p("META"), p(meta))]);
        });
        assert_eq!(shown(&done), expected, "{meta}");
        let report = batch_of(done);
        if expected == "abandoned" {
            let Some(Cause::Limited { limit: LimitError::Collar { symbol, planned, newest, .. } }) = report.cause
            else {
                panic!("{report:?}")
            };
            assert_eq!((symbol, planned, newest), (p("META"), p("500"), p(meta)));
            assert_eq!((world.desk.sent().len(), world.standing("growth")), (0, "active"));
        }
    }
}

#[test]
fn a_wish_to_stop_between_plan_and_first_order_has_nothing_sent() {
    let (world, done) = while_opening(Settings::unlimited(), |_, engine| {
        assert!(engine.shut_down(seconds(20)).now_or_never().is_none(), "it is at work");
    });
    let report = batch_of(done);
    assert_eq!((report.outcome, report.trades), (Outcome::Abandoned, Vec::new()));
    assert!(matches!(report.cause, Some(Cause::NeverSent { .. })));
    let state = world.state("growth");
    assert_eq!((world.desk.sent().len(), state.standing.name(), state.pause), (0, "active", None));
    assert_eq!(shown(&world.run(world.worker("worker-3").rebalance(&p("growth")))), "completed");
}

#[test]
fn the_default_is_safe() {
    let settings = Settings::default();
    let Limits { order, batch, day, batches_a_day, session_left, collar } = settings.limits;
    assert_eq!(collar, Some(p("5")));
    assert!(order.is_some() && batch.is_some() && day.is_some() && batches_a_day.is_some() && session_left.is_some());
    assert!(settings.max_price_age.is_some() && settings.max_price_jump.is_some());
    // It does not stand in the way of an ordinary rebalance.
    let world = World::with_settings(Profile::ideal(), Settings::default());
    world.add_scene("growth", &QUARTERS);
    world.wave(QUARTERS.calm);
    world.wave(&[("META", "480")]);
    assert_eq!(shown(&world.rebalance("growth")), "completed");
    // A price of a quarter of an hour ago does.
    world.wave(&[("META", "400")]);
    world.clock.advance(minutes(16));
    let told = shown(&world.rebalance("growth"));
    assert!(told.contains("s old: at most 900 s are allowed"), "{told}");
}
