//! Books and broker are compared without trading: what agrees goes on, what does not is kept from trading, and nothing is sent.

use crate::world::{QUARTERS, World, batch_of, minutes, p, seconds, shown};
use evenkeel_banchile::{Fault, Profile, Rule};
use evenkeel_domain::order::{Direction, RefusalReason, Side};
use evenkeel_domain::record::{Cause, Outcome};
use evenkeel_engine::{Reconciled, Resolve};

fn reconcile(world: &World) -> Reconciled {
    let sent = world.desk.sent().len();
    let reconciled = world.run(world.engine.reconcile(&p("growth"))).unwrap();
    assert_eq!(world.desk.sent().len(), sent, "a comparison trades nothing");
    reconciled
}

#[test]
fn what_agrees_is_said_and_leaves_no_trace() {
    let world = World::drifted(Profile::calm(), &QUARTERS);
    assert_eq!(shown(&world.rebalance("growth")), "completed");
    let records = world.journal.records(&p("growth"));
    assert_eq!(reconcile(&world), Reconciled::Agree);
    world.broker.block(&p("growth"), true).unwrap();
    assert_eq!(reconcile(&world), Reconciled::Agree, "whatever the broker thinks of new orders");
    assert_eq!(world.journal.records(&p("growth")), records);
}

#[test]
fn a_difference_quarantines_and_a_clean_comparison_ends_that() {
    let world = World::drifted(Profile::ideal(), &QUARTERS);
    // A symbol that the books do not know, and one that they do.
    world.broker.receive(&p("growth"), p("TSLA"), p("1")).unwrap();
    world.broker.deliver(&p("growth"), p("META"), p("0.000000001")).unwrap();
    let Reconciled::Differ(differences) = reconcile(&world) else { panic!("they differ") };
    let told: Vec<_> = differences.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["META: 62.5 in the books, 62.499999999 at the broker", "TSLA: 0 in the books, 1 at the broker"]);
    assert_eq!(world.standing("growth"), "quarantined");
    assert!(world.rebalance("growth").is_err(), "it is not traded away");

    world.broker.deliver(&p("growth"), p("TSLA"), p("1")).unwrap();
    world.broker.receive(&p("growth"), p("META"), p("0.000000001")).unwrap();
    assert_eq!(reconcile(&world), Reconciled::Agree);
    assert_eq!(world.standing("growth"), "active");
}

#[test]
fn an_open_batch_is_finished_first() {
    let world = World::drifted(Profile::ideal(), &QUARTERS);
    world.script([Rule::new(Fault::LateFill { delay: seconds(20) }).side(Side::Buy)]);
    let mut batch = world.start("growth");
    world.drive_for(&mut batch, seconds(5));
    drop(batch);
    world.clock.advance(minutes(2));
    assert_eq!(world.run(world.worker("worker-2").reconcile(&p("growth"))), Ok(Reconciled::Agree));
    assert_eq!(world.standing("growth"), "active");
    world.assert_books_are_true("growth");
}

#[test]
fn of_a_stale_portfolio_the_difference_is_shown_and_nothing_else() {
    let world = World::drifted(Profile::ideal(), &QUARTERS);
    let refused = |symbol: &str| Rule::new(Fault::Refuse(RefusalReason::NotTradable)).symbol(p(symbol));
    world.script([refused("MSFT"), refused("AAPL").direction(Direction::Reverse).always()]);
    assert_eq!(shown(&world.rebalance("growth")), "stale");
    assert_eq!(reconcile(&world), Reconciled::Stale(Vec::new()), "the books know of the residual");
    world.broker.deposit(&p("growth"), p("1.00")).unwrap();
    let Reconciled::Stale(differences) = reconcile(&world) else { panic!("it is stale") };
    assert_eq!(differences.len(), 1);
    assert_eq!(world.standing("growth"), "stale");
}

#[test]
fn what_somebody_trades_by_hand_is_told_and_kept_only_if_a_person_accepts_it() {
    for profile in [Profile::ideal(), Profile::calm()] {
        let world = World::drifted(profile, &QUARTERS);
        assert_eq!(shown(&world.rebalance("growth")), "completed");
        world.clock.advance(minutes(5));
        world.broker.trade_by_others(&p("growth"), p("META"), Side::Buy, p("5")).unwrap();
        world.clock.advance(minutes(5));
        let Reconciled::Differ(differences) = reconcile(&world) else { panic!("they differ") };
        assert_eq!(differences.len(), 2, "cash and META: {differences:?}");
        assert_eq!(world.standing("growth"), "quarantined");
        assert!(world.run(world.engine.deliver_alerts()).unwrap() > 0, "a person is told");
        let books = world.state("growth").books;
        world.wave(&[("META", "600")]);
        assert!(world.rebalance("growth").is_err(), "it is not traded away");
        assert_eq!(world.state("growth").books, books, "nor booked by itself");

        world.resolve("growth", Resolve::Accept).unwrap();
        world.assert_books_are_true("growth");
        assert_eq!(shown(&world.rebalance("growth")), "completed");
        world.assert_books_are_true("growth");
    }
}

#[test]
fn what_somebody_trades_by_hand_in_the_middle_of_a_batch_is_no_part_of_it() {
    let world = World::drifted(Profile::calm(), &QUARTERS);
    world.script([Rule::new(Fault::LateFill { delay: seconds(20) }).side(Side::Buy)]);
    let mut batch = world.start("growth");
    world.drive_for(&mut batch, seconds(5));
    world.broker.trade_by_others(&p("growth"), p("META"), Side::Buy, p("5")).unwrap();
    let report = batch_of(world.run(batch));
    assert_eq!(report.outcome, Outcome::Stale, "what is at the broker is not what it led to: {report:?}");
    assert!(matches!(report.cause, Some(Cause::Mismatch { .. })), "{report:?}");
    assert!(world.run(world.engine.deliver_alerts()).unwrap() > 0, "a person is told");
    world.resolve("growth", Resolve::Accept).unwrap();
    world.assert_books_are_true("growth");
}
