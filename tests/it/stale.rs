//! A compensation fails: the portfolio is stale, a person is told once, and only a person's word ends it.

use crate::restore::costly;
use crate::world::{QUARTERS, THIRDS, World, batch_of, minutes, noon, p, seconds, shown};
use evenkeel_banchile::{Fault, Part, Profile, Rule};
use evenkeel_domain::alert::AlertKind;
use evenkeel_domain::books::Books;
use evenkeel_domain::decide::Refusal;
use evenkeel_domain::order::{Direction, Duplicates, NotSent, RefusalReason, Side};
use evenkeel_domain::record::{Cause, Event, Outcome, Resolution, UnwindCause};
use evenkeel_engine::{EngineError, Resolve};
use evenkeel_ports::{Clock, Journal};

fn refused(symbol: &str) -> Rule {
    Rule::new(Fault::Refuse(RefusalReason::NotTradable)).symbol(p(symbol))
}

/// MSFT is refused; then AAPL cannot be sold again, however often it is tried.
fn goes_stale(profile: Profile) -> (World, Books) {
    let world = World::drifted(profile, &QUARTERS);
    let before = world.truth("growth");
    world.script([refused("MSFT"), refused("AAPL").direction(Direction::Reverse).always()]);
    assert_eq!(shown(&world.rebalance("growth")), "stale");
    world.broker.clear_script();
    (world, before)
}

fn refusal<T: std::fmt::Debug>(result: Result<T, EngineError>) -> Refusal {
    match result {
        Err(EngineError::Refused { cause, .. }) => cause,
        other => panic!("{other:?}"),
    }
}

#[test]
fn stale_when_rollback_fails() {
    let (world, before) = goes_stale(costly());
    let state = world.state("growth");
    let closing = state.stale_batch().unwrap().closing.clone().unwrap();

    // Three attempts, five seconds apart.
    let reversals = |symbol: &str| {
        let sent = world.desk.sent();
        let of = |s: &&crate::desk::Sent| {
            s.request.id.direction == Direction::Reverse && s.request.terms.symbol == p(symbol)
        };
        sent.iter().filter(of).map(|s| s.at.since(noon())).collect::<Vec<_>>()
    };
    assert_eq!(reversals("AAPL"), [seconds(0), seconds(5), seconds(10)]);
    // The other leg is still restored, and what is left over is exact.
    assert_eq!(reversals("META"), [seconds(10)]);
    assert_eq!(closing.residual.iter().map(ToString::to_string).collect::<Vec<_>>(), ["7.7040875 AAPL too many"]);
    assert!(closing.unresolved.is_empty());
    let truth = world.truth("growth");
    assert_eq!(truth.units(p("META")), before.units(p("META")));
    assert_eq!(truth.units(p("AAPL")), before.units(p("AAPL")).add(p("7.7040875")).unwrap());
    world.assert_books_are_true("growth");
    // What it cost is what the broker's cash is less, the units that are left over included.
    assert_eq!(closing.cost, before.cash.sub(truth.cash).unwrap());
    assert!(matches!(closing.cause, Some(Cause::Unwound(UnwindCause::LegFailed { .. }))));
    assert_eq!((state.tally.stale, state.tally.restored, state.pause), (1, 0, None));
}

#[test]
fn a_person_is_told_exactly_once() {
    let (world, _) = goes_stale(Profile::ideal());
    let pending = world.run(world.journal.pending_alerts(10)).unwrap();
    assert_eq!(pending.len(), 1);
    assert_eq!(pending[0].kind, AlertKind::Stale);
    assert!(pending[0].text.contains("7.8125 AAPL too many"), "{}", pending[0].text);
    // The alert is of the very commit that made it stale.
    let records = world.journal.records(&p("growth"));
    let place = usize::try_from(pending[0].sequence.get()).unwrap();
    assert!(matches!(&records[place - 1].event, Event::Closed(closing) if closing.outcome == Outcome::Stale));

    // The notifier fails twice; then the person is told, and not again.
    world.notifier.fail_next(2);
    let delivered: Vec<usize> = (0..5).map(|_| world.run(world.engine.deliver_alerts()).unwrap()).collect();
    assert_eq!(delivered, [0, 0, 1, 0, 0]);
    assert_eq!(world.notifier.alerts(), pending);
    // Refused rebalances are no news.
    for _ in 0..3 {
        assert!(world.rebalance("growth").is_err());
    }
    assert_eq!(world.run(world.worker("worker-2").deliver_alerts()), Ok(0));
}

#[test]
fn later_rebalances_are_refused() {
    let (world, _) = goes_stale(Profile::ideal());
    let before = world.journal.records(&p("growth"));
    let stale = || EngineError::Stale { portfolio: p("growth") };
    for hours in [0, 1, 24, 24 * 365] {
        world.clock.advance(minutes(60 * hours));
        assert_eq!(world.rebalance("growth"), Err(stale()));
        assert_eq!(world.run(world.engine.rebalance_now(&p("growth"))), Err(stale()));
        assert_eq!(world.engine.judge_now(&p("growth")), None);
        assert_eq!(world.run(world.worker("worker-2").recover()), Ok(Vec::new()), "it is not open");
    }
    assert!(world.wave(&[("META", "999")]).is_empty());
    assert_eq!(refusal(world.run(world.engine.remove(&p("growth")))), Refusal::Stale);
    assert_eq!(world.journal.records(&p("growth")), before, "no timer leaves it");
    assert!(!stale().is_temporary());
}

#[test]
fn a_person_accepts_what_the_broker_has() {
    let (world, _) = goes_stale(costly());
    // Somebody sold two of them by hand.
    world.broker.deliver(&p("growth"), p("AAPL"), p("2")).unwrap();
    world.broker.deposit(&p("growth"), p("400.00")).unwrap();
    assert_eq!(world.resolve("growth", Resolve::Accept), Ok(None));
    assert_resolved(&world, Resolution::Accept);
    assert_eq!(shown(&world.rebalance("growth")), "completed");
    assert_eq!(refusal(world.resolve("growth", Resolve::Accept)), Refusal::NothingToResolve { standing: "active" });
}

#[test]
fn a_person_restored_it_by_hand() {
    let (world, before) = goes_stale(Profile::ideal());
    let states = refusal(world.resolve("growth", Resolve::Fixed));
    let Refusal::Differs { differences } = states else { panic!("{states:?}") };
    let told: Vec<_> = differences.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["AAPL: 125 in the books, 132.8125 at the broker"]);
    assert_eq!(world.standing("growth"), "stale");

    // One unit of the last decimal is still one too many.
    world.broker.deliver(&p("growth"), p("AAPL"), p("7.812499999")).unwrap();
    world.broker.deposit(&p("growth"), p("1555.00")).unwrap();
    assert!(matches!(refusal(world.resolve("growth", Resolve::Fixed)), Refusal::Differs { .. }));
    world.broker.deliver(&p("growth"), p("AAPL"), p("0.000000001")).unwrap();
    assert_eq!(world.resolve("growth", Resolve::Fixed), Ok(None));
    assert_resolved(&world, Resolution::Fixed);
    world.assert_restored("growth", &before);
    assert_eq!(refusal(world.resolve("growth", Resolve::Fixed)), Refusal::NothingToResolve { standing: "active" });
}

fn assert_resolved(world: &World, resolution: Resolution) {
    assert_eq!(world.standing("growth"), "active");
    world.assert_books_are_true("growth");
    let records = world.journal.records(&p("growth"));
    let last = records.iter().rev().find_map(|record| match &record.event {
        Event::Resolved { how, who, why, .. } => Some((*how, who.as_str(), why.as_str())),
        _ => None,
    });
    assert_eq!(last, Some((resolution, "ann", "looked at it")));
    assert_eq!(world.leases.holder(&p("growth")), None);
}

#[test]
fn a_person_has_the_restoration_tried_again() {
    let (world, before) = goes_stale(costly());
    let report = world.resolve("growth", Resolve::Retry).unwrap().unwrap();
    assert_eq!(report.outcome, Outcome::Restored);
    world.assert_restored("growth", &before);
    let state = world.state("growth");
    assert_eq!(state.standing.name(), "active");
    assert_eq!((state.tally.stale, state.tally.restored), (0, 1), "counted once, as what it came to");
    assert_eq!(report.cost, before.cash.sub(world.truth("growth").cash).unwrap());
    assert!(matches!(report.cause, Some(Cause::Unwound(UnwindCause::LegFailed { .. }))));
    // It counts from the batch's opening, as any restoration.
    assert_eq!(state.pause.unwrap().until, noon().plus(minutes(15)));
    assert_eq!(refusal(world.resolve("growth", Resolve::Retry)), Refusal::NothingToResolve { standing: "active" });
}

#[test]
fn a_restoration_can_be_tried_again_until_nine_attempts_are_used_up() {
    let (world, _) = goes_stale(Profile::ideal());
    for attempts in [6, 9] {
        world.script([refused("AAPL").direction(Direction::Reverse).always()]);
        let report = world.resolve("growth", Resolve::Retry).unwrap().unwrap();
        assert_eq!(report.outcome, Outcome::Stale);
        assert_eq!(report.residual.len(), 1);
        let tries = world.desk.sent().iter().filter(|s| s.request.terms.symbol == p("AAPL")).count() - 1;
        assert_eq!(tries, attempts);
        world.broker.clear_script();
    }
    assert_eq!(refusal(world.resolve("growth", Resolve::Retry)), Refusal::NoAttemptsLeft);
    // Every time it went stale somebody was told.
    assert_eq!(world.run(world.engine.deliver_alerts()), Ok(3));
    assert_eq!(world.resolve("growth", Resolve::Accept), Ok(None));
    assert_resolved(&world, Resolution::Accept);
}

#[test]
fn resolving_needs_a_broker_that_answers() {
    let (world, _) = goes_stale(Profile::ideal());
    let before = world.journal.records(&p("growth"));
    for how in [Resolve::Accept, Resolve::Fixed, Resolve::Retry] {
        world.broker.fail_queries(&p("growth"), 1).unwrap();
        assert!(matches!(world.resolve("growth", how), Err(EngineError::Broker { .. })));
        assert_eq!(world.leases.holder(&p("growth")), None);
    }
    assert_eq!(world.journal.records(&p("growth")), before);
    assert!(matches!(
        world.run(world.engine.resolve(&p("nowhere"), Resolve::Accept, "ann", "")),
        Err(EngineError::NoSuchPortfolio { .. })
    ));
}

#[test]
fn an_outcome_that_stays_unknown() {
    // The order is with the broker, with a status nobody understands, and cancels are lost on the way.
    let world = World::drifted(Profile::ideal(), &QUARTERS);
    let before = world.truth("growth");
    world.script([
        Rule::new(Fault::Unmapped("on_the_moon".to_owned())).symbol(p("MSFT")),
        Rule::new(Fault::LoseCancel).symbol(p("MSFT")),
    ]);
    let report = world.batch("growth");
    assert_eq!(report.outcome, Outcome::Stale);
    assert_eq!(report.cause, Some(Cause::Unknown { orders: 1 }));
    let state = world.state("growth");
    let closing = state.stale_batch().unwrap().closing.clone().unwrap();
    let listed: Vec<_> = closing
        .unresolved
        .iter()
        .map(|id| state.stale_batch().unwrap().orders.get(*id).unwrap().terms.symbol)
        .collect();
    assert_eq!(listed, [p("MSFT")], "the order is named");
    let alert = &world.run(world.journal.pending_alerts(1)).unwrap()[0];
    assert!(alert.text.contains(&format!("{} unresolved", closing.unresolved[0])), "{}", alert.text);
    // Nothing was compensated on a guess.
    assert!(world.desk.sent().iter().all(|s| s.request.id.direction == Direction::Forward));
    let residual: Vec<_> = closing.residual.iter().map(ToString::to_string).collect();
    assert_eq!(residual, ["7.8125 AAPL too many", "9.375 META missing"]);
    // A deadline of a minute, and ten minutes of patience.
    assert_eq!(world.clock.now(), noon().plus(minutes(11)));

    // The broker comes to its senses at the end of the day, and the restoration is tried again.
    world.broker.close_market(world.clock.now());
    let report = world.resolve("growth", Resolve::Retry).unwrap().unwrap();
    assert_eq!(report.outcome, Outcome::Restored);
    assert!(report.cause.is_some(), "why it was not completed is not forgotten");
    world.assert_restored("growth", &before);
}

#[test]
fn an_order_that_was_on_its_way_when_it_went_stale() {
    // MSFT hangs until patience is out, after a minute and ten more. A second before, AAPL is sent at last, after it was turned away by a
    // rate limit; the broker executes it, and its answer comes too late.
    for duplicates in [Duplicates::Refused, Duplicates::Correlated] {
        let world = World::drifted(Profile { duplicates, ..Profile::ideal() }, &QUARTERS);
        let before = world.truth("growth");
        let aapl = |fault| Rule::new(fault).symbol(p("AAPL"));
        world.script([
            Rule::new(Fault::Unmapped("on_the_moon".to_owned())).symbol(p("MSFT")),
            Rule::new(Fault::LoseCancel).symbol(p("MSFT")),
            aapl(Fault::NotSent(NotSent::RateLimited { retry_after: seconds(659) })),
            aapl(Fault::HoldAnswer).nth(2),
        ]);
        let report = world.batch("growth");
        assert_eq!(report.outcome, Outcome::Stale);
        let state = world.state("growth");
        let unresolved = &state.stale_batch().unwrap().closing.as_ref().unwrap().unresolved;
        let told: Vec<_> = unresolved.iter().map(|id| format!("{} F{}", id.leg, id.attempt)).collect();
        assert_eq!(told, ["1 F2", "2 F1"], "both are listed");

        world.clock.advance(minutes(120));
        world.broker.close_market(world.clock.now());
        let report = world.resolve("growth", Resolve::Retry).unwrap().unwrap();
        assert_eq!((report.outcome, report.reversals.len()), (Outcome::Restored, 2));
        world.assert_restored("growth", &before);
    }
}

#[test]
fn prices_move_so_far_that_it_cannot_be_bought_back() {
    // Without cash of its own: what was sold has become dearer than what it brought.
    let world = World::drifted(Profile::ideal(), &THIRDS);
    let before = world.truth("growth");
    world.script([Rule::new(Fault::NeverFill).symbol(p("MSFT"))]);
    let mut batch = world.start("growth");
    world.drive_for(&mut batch, seconds(30));
    world.wave(&[("META", "450")]);
    // An open buy reserves what it was worth when it was planned, and is rejected when it costs more than there is.
    let report = batch_of(world.run(batch));
    assert_eq!(report.outcome, Outcome::Stale);
    assert_eq!(report.residual.len(), 1);
    assert_eq!((report.residual[0].symbol, report.residual[0].side), (p("META"), Side::Sell));
    world.assert_books_are_true("growth");

    // Somebody pays in what is missing.
    world.broker.deposit(&p("growth"), p("100.00")).unwrap();
    world.deposit("growth", "rescue", "100.00").unwrap();
    let report = world.resolve("growth", Resolve::Retry).unwrap().unwrap();
    assert_eq!(report.outcome, Outcome::Restored);
    world.assert_restored("growth", &before);
}

#[test]
fn only_part_of_what_was_executed_comes_back() {
    // Each reversal of AAPL is executed by half: what is left of 7.8125 after three is an eighth.
    let world = World::drifted(Profile::ideal(), &QUARTERS);
    let half = Fault::PartialThenCancel(Part::Share(p("50")));
    world.script([refused("MSFT"), Rule::new(half).symbol(p("AAPL")).direction(Direction::Reverse).always()]);
    let report = world.batch("growth");
    assert_eq!(report.outcome, Outcome::Stale);
    assert_eq!(report.residual[0].to_string(), "0.9765625 AAPL too many");
    world.assert_books_are_true("growth");
}
