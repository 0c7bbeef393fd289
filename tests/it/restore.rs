//! A leg fails: what was executed is traded back, and every symbol holds exactly its units of before.

use crate::world::{QUARTERS, Scene, THIRDS, World, minutes, noon, p, seconds, shown};
use evenkeel_banchile::{Fault, Part, Profile, Rule};
use evenkeel_domain::order::{Costs, Direction, RefusalReason, Side};
use evenkeel_domain::record::{Cause, Event, Outcome, UnwindCause};
use evenkeel_domain::report::{BatchReport, Trade};
use evenkeel_domain::values::Money;
use evenkeel_engine::{EngineError, Settings};
use evenkeel_ports::Clock;
use futures_util::future::join;
use std::time::Duration;

/// Everything at once, and every order pays.
pub(crate) fn costly() -> Profile {
    let fees = Costs { bps: 5, per_order: Money::ZERO, minimum: p("0.35") };
    Profile { fees, ..Profile::ideal() }
}

fn refuse(symbol: &str) -> Rule {
    Rule::new(Fault::Refuse(RefusalReason::NotTradable)).symbol(p(symbol))
}

#[test]
fn rollback_on_partial_failure() {
    for profile in [Profile::ideal, costly] {
        for scene in [&THIRDS, &QUARTERS] {
            for failing in ["META", "AAPL", "MSFT"] {
                check_restored(profile(), scene, failing);
            }
        }
    }
}

fn check_restored(profile: Profile, scene: &Scene, failing: &str) {
    let scene = Scene { cash: if scene.cash == "0.00" { "500.00" } else { scene.cash }, ..*scene };
    let world = World::drifted(profile, &scene);
    let before = world.truth("growth");
    world.script([refuse(failing)]);
    let report = world.batch("growth");

    assert_eq!(report.outcome, Outcome::Restored, "{failing}");
    world.assert_restored("growth", &before);
    let Some(Cause::Unwound(UnwindCause::LegFailed { symbol, ref how, .. })) = report.cause else {
        panic!("{:?}", report.cause)
    };
    assert_eq!(
        (symbol, how.as_str()),
        (p(failing), format!("not tradable: the order for {failing} was refused").as_str())
    );
    assert_eq!(sides(&report.trades), opposite(&report.reversals));
    assert_eq!(report.cost, before.cash.sub(world.truth("growth").cash).unwrap(), "the cost is the cash that went");
    assert_eq!(report.cost, report.fees, "at unmoved prices");
    let fees = report.trades.iter().chain(&report.reversals).map(|t| t.fees);
    assert_eq!(report.fees, Money::sum(fees).unwrap());

    assert_eq!(world.standing("growth"), "active");
    assert!(world.run(world.engine.deliver_alerts()).unwrap() == 0, "restored is not stale: nobody is called");
}

fn sides(trades: &[Trade]) -> Vec<String> {
    trades.iter().map(|t| format!("{} {} {}", t.side, t.quantity, t.symbol)).collect()
}

fn opposite(trades: &[Trade]) -> Vec<String> {
    trades.iter().map(|t| format!("{} {} {}", t.side.opposite(), t.quantity, t.symbol)).collect()
}

#[test]
fn state_consistent_after_rollback() {
    let world = World::drifted(costly(), &QUARTERS);
    let before = world.state("growth");
    world.script([refuse("MSFT")]);
    let report = world.batch("growth");
    let after = world.state("growth");

    assert_eq!(*world.engine.portfolio(&p("growth")).unwrap(), after, "live and replayed");
    assert_eq!(after.batch, None);
    assert_eq!((after.tally.completed, after.tally.restored, after.tally.stale), (0, 1, 0));
    let closing = after.closed[0].closing.clone().unwrap();
    assert_eq!((closing.cost, closing.fees), (report.cost, report.fees));
    assert!(closing.residual.is_empty() && closing.unresolved.is_empty());
    assert_eq!(before.books.cash.sub(report.cost), Ok(after.books.cash));
    // The next batch starts from there as if nothing had been.
    world.clock.advance_to(after.pause.unwrap().until);
    assert_eq!(shown(&world.rebalance("growth")), "completed");
    world.assert_books_are_true("growth");
}

#[test]
fn restored_is_left_alone_for_a_while() {
    let world = World::drifted(Profile::ideal(), &THIRDS);
    // Failure after failure: the pause doubles up to a day. It counts from the batch's opening.
    for pause in [15, 30, 60, 120, 240, 480, 960, 1440, 1440] {
        world.script([refuse("AAPL")]);
        let opened_at = world.clock.now();
        assert_eq!(shown(&world.rebalance("growth")), "restored");
        let until = opened_at.plus(minutes(pause));
        assert_paused(&world, until);
        world.clock.advance_to(until);
        assert_eq!(world.engine.judge_now(&p("growth")).map(|f| f.portfolio().clone()), Some(p("growth")));
    }
    // A completion clears it, and the next pause is a first one again.
    assert_eq!(shown(&world.rebalance("growth")), "completed");
    assert_eq!(world.state("growth").pause, None);
    assert_eq!(shown(&world.rebalance("growth")), "in band");
    world.wave(&[("META", "500")]);
    world.script([refuse("AAPL")]);
    let opened_at = world.clock.now();
    assert_eq!(shown(&world.rebalance("growth")), "restored");
    assert_paused(&world, opened_at.plus(minutes(15)));
}

fn assert_paused(world: &World, until: evenkeel_domain::values::Timestamp) {
    let paused = EngineError::Paused { portfolio: p("growth"), until };
    assert!(paused.is_temporary());
    assert_eq!(world.rebalance("growth"), Err(paused.clone()));
    assert_eq!(world.engine.judge_now(&p("growth")), None, "a wave does not find it");
    world.clock.advance_to(evenkeel_domain::values::Timestamp::from_nanos(until.nanos() - 1));
    assert_eq!(world.rebalance("growth"), Err(paused), "until the last nanosecond");
}

#[test]
fn a_pause_is_over_when_a_person_rebalances_now() {
    let world = World::drifted(Profile::ideal(), &QUARTERS);
    world.script([refuse("AAPL")]);
    assert_eq!(shown(&world.rebalance("growth")), "restored");
    assert_eq!(shown(&world.run(world.engine.rebalance_now(&p("growth")))), "completed");
    assert_eq!(world.state("growth").pause, None);
}

#[test]
fn a_failed_leg_stops_what_has_not_been_sent() {
    for (legs_at_once, sent) in [(1, 1), (2, 2), (16, 3)] {
        let settings = Settings { legs_at_once, ..Settings::unlimited() };
        let world = World::drifted_with(Profile::ideal(), settings, &QUARTERS);
        let before = world.truth("growth");
        // The sell is the first leg.
        world.script([refuse("META")]);
        let report = world.batch("growth");
        assert_eq!(report.outcome, Outcome::Restored);
        let forward = world.desk.sent().iter().filter(|s| s.request.id.direction == Direction::Forward).count();
        assert_eq!(forward, sent, "{legs_at_once} at once");
        assert_eq!(world.clock.now(), noon(), "and nothing is waited for");
        world.assert_restored("growth", &before);
    }
}

/// MSFT was never sent: an engine that stops waits for the way back of META, and not for it.
#[test]
fn what_is_withheld_is_not_waited_for() {
    let settings = Settings { legs_at_once: 1, ..Settings::unlimited() };
    let patient = Profile { timeout: Duration::from_secs(20), ..Profile::ideal() };
    let world = World::drifted_with(patient, settings, &QUARTERS);
    let slow = Rule::new(Fault::Slow { delay: Duration::from_secs(2) }).symbol(p("META")).side(Side::Buy);
    world.script([refuse("AAPL"), slow]);
    let stop = async {
        world.clock.sleep_until(noon().plus(Duration::from_secs(1))).await;
        world.engine.shut_down(Duration::from_secs(10)).await
    };
    let portfolio = p("growth");
    let (done, _) = world.run(join(world.engine.rebalance(&portfolio), stop));
    assert_eq!(done, Err(EngineError::Stopping { portfolio: p("growth") }));
    assert_eq!(world.clock.now(), noon().plus(Duration::from_secs(2)));
}

/// What was not sent takes no place among what is on its way: with room for one order at once, the way back is walked all the same.
#[test]
fn what_is_withheld_takes_no_room() {
    let settings = Settings { legs_at_once: 1, ..Settings::unlimited() };
    let world = World::drifted_with(Profile::ideal(), settings, &QUARTERS);
    let before = world.truth("growth");
    // META was sold when AAPL is refused, and MSFT is not sent any more.
    world.script([refuse("AAPL")]);
    assert_eq!(world.batch("growth").outcome, Outcome::Restored);
    let sent: Vec<_> = world.desk.sent().iter().map(|s| (s.request.terms.symbol, s.request.id.direction)).collect();
    let [forward, back] = [Direction::Forward, Direction::Reverse];
    assert_eq!(sent, [(p("META"), forward), (p("AAPL"), forward), (p("META"), back)]);
    world.assert_restored("growth", &before);
}

#[test]
fn buys_are_undone_before_sells() {
    // The sell brought the cash that the buys spent: it can only be bought back with what undoing the buys brings.
    let world = World::drifted(Profile::ideal(), &THIRDS);
    world.script([Rule::new(Fault::PartialThenCancel(half())).symbol(p("MSFT"))]);
    let report = world.batch("growth");
    assert_eq!(report.outcome, Outcome::Restored);
    let reverse: Vec<_> = world
        .desk
        .sent()
        .iter()
        .filter(|s| s.request.id.direction == Direction::Reverse)
        .map(|s| s.request.terms.side)
        .collect();
    assert_eq!(reverse, [Side::Sell, Side::Sell, Side::Buy]);
}

fn half() -> Part {
    Part::Share(p("50"))
}

#[test]
fn a_reversal_is_tried_again_for_what_is_left() {
    // Which reversals of AAPL go wrong, how many units each attempt is for, and what it comes to.
    let refused = || Fault::Refuse(RefusalReason::NotTradable);
    for (faults, attempts, outcome) in [
        (vec![], &["7.8125"][..], Outcome::Restored),
        (vec![refused()], &["7.8125", "7.8125"], Outcome::Restored),
        (vec![refused(), refused()], &["7.8125", "7.8125", "7.8125"], Outcome::Restored),
        (vec![Fault::PartialThenCancel(half())], &["7.8125", "3.90625"], Outcome::Restored),
        (
            vec![Fault::PartialThenCancel(half()), Fault::PartialThenCancel(half())],
            &["7.8125", "3.90625", "1.953125"],
            Outcome::Restored,
        ),
        (vec![Fault::PartialThenCancel(half()), refused()], &["7.8125", "3.90625", "3.90625"], Outcome::Restored),
        (vec![refused(), refused(), Fault::PartialThenCancel(half())], &["7.8125", "7.8125", "7.8125"], Outcome::Stale),
    ] {
        let world = World::drifted(Profile::ideal(), &QUARTERS);
        let before = world.truth("growth");
        world.script([refuse("MSFT")]);
        let reversal = |fault| Rule::new(fault).symbol(p("AAPL")).direction(Direction::Reverse);
        world.script((1..).zip(faults.clone()).map(|(n, fault)| reversal(fault).nth(n)));
        let report = world.batch("growth");

        assert_eq!(report.outcome, outcome, "{faults:?}");
        let sent = world.desk.sent();
        let tries: Vec<_> = sent
            .iter()
            .filter(|s| s.request.id.direction == Direction::Reverse && s.request.terms.symbol == p("AAPL"))
            .collect();
        assert_eq!(tries.iter().map(|s| s.request.terms.quantity.to_string()).collect::<Vec<_>>(), attempts);
        for pair in tries.windows(2) {
            assert_eq!(pair[1].at.since(pair[0].at), seconds(5), "the delay between attempts");
        }
        if outcome == Outcome::Restored {
            world.assert_restored("growth", &before);
        }
        world.assert_books_are_true("growth");
    }
}

#[test]
fn a_restoration_at_other_prices_says_what_it_cost() {
    // MSFT is never bought; meanwhile META, which was sold, moves. 9.375 of it are bought back at the price of then.
    for (later, cost) in [("500", "0.00"), ("512", "112.50"), ("490", "-93.75")] {
        let world = World::drifted(Profile::ideal(), &QUARTERS);
        let before = world.truth("growth");
        world.script([Rule::new(Fault::NeverFill).symbol(p("MSFT"))]);
        let mut batch = world.start("growth");
        world.drive_for(&mut batch, seconds(30));
        world.wave(&[("META", later)]);
        let report: BatchReport = crate::world::batch_of(world.run(batch));
        assert_eq!((report.outcome, report.cost), (Outcome::Restored, p(cost)), "META at {later}");
        world.assert_restored("growth", &before);
    }
}

#[test]
fn a_reversal_waits_for_the_market_to_open() {
    let world = World::drifted(Profile::ideal(), &QUARTERS);
    let before = world.truth("growth");
    world.script([Rule::new(Fault::NeverFill).symbol(p("MSFT"))]);
    let mut batch = world.start("growth");
    world.drive_for(&mut batch, seconds(30));
    // The market closes: the open order expires, and nothing can be traded back for an hour.
    let opens_at = noon().plus(minutes(60));
    world.broker.close_market(opens_at);
    let report = crate::world::batch_of(world.run(batch));
    assert_eq!(report.outcome, Outcome::Restored);
    assert!(world.clock.now() >= opens_at);
    world.assert_restored("growth", &before);
    let refused = |record: &evenkeel_domain::record::Record| match &record.event {
        Event::Order { event: evenkeel_domain::record::OrderEvent::Refused(why), .. } => Some(why.reason.clone()),
        _ => None,
    };
    let refusals: Vec<_> = world.journal.records(&p("growth")).iter().filter_map(refused).collect();
    assert_eq!(refusals, [RefusalReason::MarketClosed { opens_at }], "one attempt, not three");
}
