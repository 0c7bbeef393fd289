//! What comes after a batch was closed, or from somebody else: late fills, trades and cash that the books know nothing of.

use crate::answers::slow;
use crate::world::{QUARTERS, THIRDS, World, batch_of, minutes, noon, p, seconds, shown};
use evenkeel_banchile::{Fault, Latency, Profile, Rule};
use evenkeel_domain::alert::AlertKind;
use evenkeel_domain::decide::Refusal;
use evenkeel_domain::portfolio::Standing;
use evenkeel_domain::record::{Cause, Outcome};
use evenkeel_engine::{EngineError, Resolve};
use evenkeel_ports::Clock;

/// An order for MSFT is judged not to have executed; ten minutes later its request arrives all the same, and is treated so.
pub(crate) fn outlives_its_batch(then: Option<Fault>) -> World {
    let world = World::drifted(Profile { quiescence: seconds(70), ..slow() }, &QUARTERS);
    let before = world.truth("growth");
    let late = [Some(Fault::Slow { delay: minutes(10) }), then];
    world.script(late.into_iter().flatten().map(|fault| Rule::new(fault).symbol(p("MSFT"))));
    assert_eq!(shown(&world.rebalance("growth")), "restored");
    world.assert_restored("growth", &before);
    assert!(world.clock.now() < noon().plus(minutes(5)));
    world.clock.advance_to(noon().plus(minutes(15)));
    world
}

/// The kinds of the records after the first `from`.
fn kinds(world: &World, from: usize) -> Vec<&'static str> {
    world.journal.records(&p("growth")).iter().skip(from).map(|record| record.event.kind()).collect()
}

#[test]
fn late_fill_after_close_is_booked_and_quarantined_until_a_clean_comparison() {
    let world = outlives_its_batch(None);
    assert_eq!(world.truth("growth").units(p("MSFT")), p("106.25"), "it was bought after all");
    let from = world.journal.records(&p("growth")).len();

    // The next rebalance books it first: books and broker agree again, and it goes on.
    assert_eq!(shown(&world.rebalance("growth")), "completed");
    assert_eq!(kinds(&world, from)[..3], ["late_fill", "released", "opened"]);
    world.assert_books_are_true("growth");
    let late = world.journal.records(&p("growth")).into_iter().take(from + 1);
    let quarantined = evenkeel_domain::apply::replay(
        evenkeel_domain::portfolio::Portfolio::new(p("growth")),
        &late.collect::<Vec<_>>(),
    );
    assert_eq!(quarantined.unwrap().standing, Standing::Quarantined { differences: Vec::new() });

    world.run(world.engine.deliver_alerts()).unwrap();
    let alerts = world.notifier.alerts();
    assert_eq!(alerts.iter().map(|alert| alert.kind).collect::<Vec<_>>(), [AlertKind::LateFill]);
    assert!(alerts[0].text.contains("buy 6.25 MSFT at 250"), "{}", alerts[0].text);
    // It is booked once, however often it is listed.
    let from = world.journal.records(&p("growth")).len();
    assert_eq!(shown(&world.rebalance("growth")), "in band");
    assert_eq!(kinds(&world, from), [""; 0]);
}

#[test]
fn an_order_of_an_earlier_batch_that_is_open_is_canceled_first() {
    let world = outlives_its_batch(Some(Fault::NeverFill));
    let Err(EngineError::OrdersOpen { orders, .. }) = world.rebalance("growth") else { panic!("traded on top") };
    assert_eq!(orders.len(), 1);
    assert_eq!(world.leases.holder(&p("growth")), None);
    world.clock.advance(seconds(10));
    assert_eq!(shown(&world.rebalance("growth")), "completed");
    world.assert_books_are_true("growth");
}

#[test]
fn late_fill_while_the_next_batch_is_open() {
    // The request of the first batch arrives while the second is under way.
    let world = World::drifted(Profile { quiescence: seconds(70), ..slow() }, &QUARTERS);
    world.script([Rule::new(Fault::Slow { delay: std::time::Duration::from_millis(899_500) }).symbol(p("MSFT"))]);
    assert_eq!(shown(&world.rebalance("growth")), "restored");
    world.clock.advance_to(noon().plus(minutes(15)));
    let report = world.batch("growth");
    assert_eq!(report.outcome, Outcome::Completed);
    world.assert_books_are_true("growth");
    assert_eq!(world.standing("growth"), "active");
    // Both purchases happened: the next batch puts that right.
    assert_eq!(world.truth("growth").units(p("MSFT")), p("112.5"));
    assert_eq!(shown(&world.rebalance("growth")), "completed");
    world.assert_books_are_true("growth");
}

#[test]
fn late_fill_of_a_stale_batch() {
    let world = World::drifted(Profile { quiescence: seconds(70), ..slow() }, &QUARTERS);
    let before = world.truth("growth");
    world.script([
        Rule::new(Fault::Slow { delay: minutes(10) }).symbol(p("MSFT")),
        Rule::new(Fault::Refuse(evenkeel_domain::order::RefusalReason::Other))
            .symbol(p("AAPL"))
            .direction(evenkeel_domain::order::Direction::Reverse)
            .always(),
    ]);
    assert_eq!(shown(&world.rebalance("growth")), "stale");
    world.broker.clear_script();
    world.clock.advance(minutes(10));
    assert_eq!(world.truth("growth").units(p("MSFT")), p("106.25"));
    // Trying again takes back what came late, too.
    let report = world.resolve("growth", Resolve::Retry).unwrap().unwrap();
    assert_eq!(report.outcome, Outcome::Restored);
    world.assert_restored("growth", &before);
}

#[test]
fn somebody_trades_in_the_account() {
    let world = World::drifted(Profile::ideal(), &QUARTERS);
    world.broker.deliver(&p("growth"), p("META"), p("0.5")).unwrap();
    world.broker.deposit(&p("growth"), p("250.00")).unwrap();
    let told = |result| match result {
        Err(EngineError::Quarantined { differences, .. }) => {
            differences.iter().map(ToString::to_string).collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    let expected = ["cash: 25000.00 in the books, 25250.00 at the broker", "META: 62.5 in the books, 62 at the broker"];
    assert_eq!(told(world.rebalance("growth")), expected);
    assert_eq!(told(world.run(world.engine.rebalance_now(&p("growth")))), expected);
    assert_eq!((world.standing("growth"), world.desk.sent().len()), ("quarantined", 0));
    assert_eq!(world.leases.holder(&p("growth")), None);
    assert_eq!(world.engine.judge_now(&p("growth")), None);
    // A person is told once, and once more when it is another difference.
    assert_eq!(world.run(world.engine.deliver_alerts()), Ok(1));
    world.broker.deposit(&p("growth"), p("1.00")).unwrap();
    assert_eq!(told(world.rebalance("growth")).len(), 2);
    assert_eq!(world.run(world.engine.deliver_alerts()), Ok(1));
    assert!(world.notifier.alerts().iter().all(|alert| alert.kind == AlertKind::Quarantined));

    // Only accepting is possible, as no batch is stale.
    for how in [Resolve::Retry, Resolve::Fixed] {
        let result = world.resolve("growth", how);
        let nothing = Refusal::NothingToResolve { standing: "quarantined" };
        assert_eq!(result, Err(EngineError::Refused { portfolio: p("growth"), cause: nothing }));
    }
    assert_eq!(world.resolve("growth", Resolve::Accept), Ok(None));
    assert_eq!(world.standing("growth"), "active");
    world.assert_books_are_true("growth");
    assert_eq!(shown(&world.rebalance("growth")), "completed");
}

#[test]
fn a_quarantine_ends_by_itself_when_books_and_broker_agree_again() {
    let world = World::drifted(Profile::ideal(), &QUARTERS);
    world.broker.deposit(&p("growth"), p("100.00")).unwrap();
    assert!(matches!(world.rebalance("growth"), Err(EngineError::Quarantined { .. })));
    // Either the broker takes it back, or the books are told of it.
    assert_eq!(world.deposit("growth", "gift", "100.00"), Ok(()));
    assert_eq!(world.standing("growth"), "quarantined", "until they were compared");
    assert_eq!(shown(&world.rebalance("growth")), "completed");
    world.assert_books_are_true("growth");
}

#[test]
fn what_the_broker_shows_late_is_waited_for() {
    // Positions and fills are seen three seconds after they happened: no difference, only patience.
    let profile = Profile { visibility_lag: Latency::exactly(seconds(3)), visibility_horizon: seconds(4), ..slow() };
    let world = World::drifted(profile, &THIRDS);
    assert_eq!(shown(&world.rebalance("growth")), "completed");
    world.assert_books_are_true("growth");
    world.wave(&[("META", "400")]);
    assert_eq!(shown(&world.rebalance("growth")), "completed");
    world.assert_books_are_true("growth");
    // A difference that stays is one once the horizon has passed.
    world.broker.deposit(&p("growth"), p("1.00")).unwrap();
    let asked_at = world.clock.now();
    assert!(matches!(world.rebalance("growth"), Err(EngineError::Quarantined { .. })));
    assert_eq!(world.clock.now().since(asked_at), seconds(4));
}

/// Cash comes in at the broker in the middle of a batch, and the books know nothing of it.
fn disturbed() -> World {
    let world = World::drifted(slow(), &QUARTERS);
    let mut batch = world.start("growth");
    world.drive_for(&mut batch, seconds(3));
    world.broker.deposit(&p("growth"), p("100.00")).unwrap();
    let report = batch_of(world.run(batch));
    assert_eq!(report.outcome, Outcome::Stale);
    assert!(matches!(report.cause, Some(Cause::Mismatch { outcome: Outcome::Completed, .. })), "{:?}", report.cause);
    assert!(report.residual.is_empty() || report.residual.len() == 3, "{:?}", report.residual);
    assert!(world.clock.now().since(noon()) >= minutes(2), "it was compared for a while");
    world
}

#[test]
fn a_deposit_in_the_middle_of_a_batch() {
    let world = disturbed();
    assert_eq!(world.resolve("growth", Resolve::Accept), Ok(None));
    world.assert_books_are_true("growth");
    assert_eq!(world.standing("growth"), "active");

    // Or the books are told of it, and the batch is settled again: everything had been filled.
    let world = disturbed();
    assert_eq!(world.deposit("growth", "gift", "100.00"), Ok(()));
    let report = world.resolve("growth", Resolve::Retry).unwrap().unwrap();
    assert_eq!(report.outcome, Outcome::Completed);
    world.assert_books_are_true("growth");
    let state = world.state("growth");
    assert_eq!((state.standing.name(), state.tally.completed, state.tally.stale), ("active", 1, 0));
}
