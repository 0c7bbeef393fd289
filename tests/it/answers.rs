//! Every way in which an order or an answer can go wrong, for every leg: the batch is completed, or restored, and nothing in between.

use crate::world::{QUARTERS, Scene, THIRDS, World, minutes, noon, p, seconds, shown};
use evenkeel_banchile::{Fault, Latency, Part, Profile, Rule};
use evenkeel_domain::batch::OrderState;
use evenkeel_domain::order::{NotSent, RefusalReason, UnknownCause};
use evenkeel_domain::record::{Cause, Event, OrderEvent, Outcome};
use evenkeel_engine::Resolve;
use evenkeel_ports::Clock;
use std::time::Duration;

/// Seconds instead of milliseconds, so that things overlap: an order is filled 6 seconds after it was sent and answered after 2.
pub(crate) fn slow() -> Profile {
    Profile {
        to_venue: Latency::exactly(seconds(1)),
        at_venue: Latency::exactly(seconds(5)),
        back: Latency::exactly(seconds(1)),
        timeout: seconds(10),
        visibility_horizon: seconds(2),
        quiescence: seconds(20),
        ..Profile::ideal()
    }
}

/// As `slow`, and what happened is seen three seconds later.
fn lagging() -> Profile {
    Profile { visibility_lag: Latency::exactly(seconds(3)), visibility_horizon: seconds(4), ..slow() }
}

const BOTH: [(&str, &Scene); 2] = [("thirds", &THIRDS), ("quarters", &QUARTERS)];

/// Whichever leg meets these faults: the batch comes to this, within so much time.
fn check(faults: &[Fault], expected: Outcome, within: Duration) {
    for (broker, profile) in [("ideal", Profile::ideal()), ("slow", slow()), ("lagging", lagging())] {
        for (name, scene) in BOTH {
            for symbol in ["META", "AAPL", "MSFT"] {
                let what = format!("{faults:?} for {symbol} of {name} at {broker}");
                let world = World::drifted(profile.clone(), scene);
                let before = world.truth("growth");
                world.script(faults.iter().map(|fault| Rule::new(fault.clone()).symbol(p(symbol))));
                let report = world.batch("growth");
                assert_eq!(report.outcome, expected, "{what}: {:?}", report.cause);
                world.assert_books_are_true("growth");
                let took = world.clock.now().since(noon());
                assert!(took <= within, "{what}: {} s", took.as_secs());
                match expected {
                    Outcome::Restored => world.assert_restored("growth", &before),
                    _ => assert_eq!(shown(&world.rebalance("growth")), "in band", "{what}"),
                }
                assert_eq!(world.standing("growth"), "active", "{what}");
                assert_eq!(world.leases.holder(&p("growth")), None, "{what}");
            }
        }
    }
}

fn half() -> Part {
    Part::Share(p("50"))
}

#[test]
fn a_lost_request_is_sent_again_under_the_same_id() {
    check(&[Fault::LoseRequest], Outcome::Completed, minutes(1));
    let world = World::drifted(slow(), &QUARTERS);
    world.script([Rule::new(Fault::LoseRequest).symbol(p("MSFT"))]);
    world.batch("growth");
    let sent: Vec<_> = world.desk.sent().into_iter().filter(|s| s.request.terms.symbol == p("MSFT")).collect();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0].request, sent[1].request);
    // The caller's patience, the quiescence, and the second of two denials.
    assert_eq!(sent[1].at.since(sent[0].at), seconds(10 + 20 + 1));
}

#[test]
fn a_lost_answer_is_asked_for() {
    check(&[Fault::LoseAnswer], Outcome::Completed, minutes(1));
    let world = World::drifted(Profile::ideal(), &QUARTERS);
    world.script([Rule::new(Fault::LoseAnswer).symbol(p("MSFT"))]);
    world.batch("growth");
    assert_eq!(world.desk.sent().len(), 3, "nothing is sent twice");
}

#[test]
fn other_answers_that_say_nothing() {
    for cause in [UnknownCause::Disconnected, UnknownCause::Garbled, UnknownCause::BrokerError] {
        check(&[Fault::AnswerUnknown(cause)], Outcome::Completed, minutes(1));
    }
    check(&[Fault::Panic], Outcome::Completed, minutes(1));
}

#[test]
fn a_doubled_request_makes_one_order() {
    check(&[Fault::DoubleAnswer], Outcome::Completed, minutes(1));
    check(&[Fault::DoubleAnswer, Fault::LoseAnswer], Outcome::Completed, minutes(1));
}

#[test]
fn what_was_not_sent_is_tried_again() {
    check(&[Fault::NotSent(NotSent::Unreachable)], Outcome::Completed, minutes(1));
    check(&[Fault::NotSent(NotSent::RateLimited { retry_after: seconds(30) })], Outcome::Completed, minutes(2));
    // A new attempt has a new id, since the first is proven not to exist; after three it is over.
    for (times, expected, ids) in
        [(1, "completed", vec![1, 2]), (2, "completed", vec![1, 2, 3]), (3, "restored", vec![1, 2, 3])]
    {
        let world = World::drifted(Profile::ideal(), &QUARTERS);
        world.script([Rule::new(Fault::NotSent(NotSent::Unreachable)).symbol(p("MSFT")).times(times)]);
        assert_eq!(shown(&world.rebalance("growth")), expected);
        let sent = world.desk.sent();
        let of_msft: Vec<_> = sent.iter().filter(|s| s.request.terms.symbol == p("MSFT")).collect();
        assert_eq!(of_msft.iter().map(|s| s.request.id.attempt.get()).collect::<Vec<_>>(), ids);
        assert!(of_msft.windows(2).all(|pair| pair[1].at.since(pair[0].at) == seconds(5)));
        world.assert_books_are_true("growth");
    }
}

#[test]
fn a_slow_request_is_waited_for() {
    for delay in [5, 15, 25, 40] {
        check(&[Fault::Slow { delay: seconds(delay) }], Outcome::Completed, minutes(2));
    }
    // So slow that it was sent again meanwhile: the copy that arrives last is turned away.
    check(&[Fault::Slow { delay: minutes(10) }], Outcome::Completed, minutes(2));
}

#[test]
fn a_refused_leg() {
    let opens_at = noon().plus(minutes(600));
    for reason in [
        RefusalReason::BuyingPower,
        RefusalReason::InsufficientQuantity,
        RefusalReason::BelowMinimum,
        RefusalReason::NotALot,
        RefusalReason::NotTradable,
        RefusalReason::MarketClosed { opens_at },
        RefusalReason::DuplicateIdOtherOrder,
        RefusalReason::OppositeOrderOpen,
        RefusalReason::Other,
    ] {
        check(&[Fault::Refuse(reason)], Outcome::Restored, minutes(1));
    }
    // The refusal is lost on its way: the order is not there, sent again, and taken.
    check(&[Fault::Refuse(RefusalReason::Other), Fault::LoseAnswer], Outcome::Completed, minutes(1));
}

#[test]
fn rejected_after_it_was_acknowledged() {
    check(&[Fault::RejectAfterAck], Outcome::Restored, minutes(1));
    check(&[Fault::RejectAfterAck, Fault::LoseAnswer], Outcome::Restored, minutes(1));
}

#[test]
fn executed_in_part_and_canceled() {
    check(&[Fault::PartialThenCancel(half())], Outcome::Restored, minutes(1));
    check(&[Fault::PartialThenCancel(half()), Fault::LoseAnswer], Outcome::Restored, minutes(1));
}

#[test]
fn executed_in_part_and_then_no_further() {
    check(&[Fault::PartialThenWork(half())], Outcome::Restored, minutes(3));
    check(&[Fault::PartialThenWork(half()), Fault::LoseCancelAnswer], Outcome::Restored, minutes(3));
}

#[test]
fn never_executed() {
    check(&[Fault::NeverFill], Outcome::Restored, minutes(3));
    check(&[Fault::NeverFill, Fault::LoseAnswer], Outcome::Restored, minutes(3));
    check(&[Fault::Unmapped("pondering".to_owned())], Outcome::Restored, minutes(3));
    // It is canceled at its deadline, not before; the cancel is in the journal.
    let world = World::drifted(Profile::ideal(), &QUARTERS);
    world.script([Rule::new(Fault::NeverFill).symbol(p("MSFT"))]);
    world.batch("growth");
    let cancel = |event: &Event| matches!(event, Event::Order { event: OrderEvent::CancelRequested, .. });
    let records = world.journal.records(&p("growth"));
    let canceled: Vec<_> = records.iter().filter(|r| cancel(&r.event)).map(|r| r.at.since(noon())).collect();
    assert_eq!(canceled, [seconds(60)]);
}

#[test]
fn executed_late_but_in_time() {
    for delay in [10, 30, 50] {
        check(&[Fault::LateFill { delay: seconds(delay) }], Outcome::Completed, minutes(2));
    }
    // Too late: it is canceled before.
    check(&[Fault::LateFill { delay: minutes(5) }], Outcome::Restored, minutes(3));
}

#[test]
fn executed_after_its_cancel_took_effect() {
    // The order reads canceled, and fills a little later all the same: what it executed is taken back with the rest.
    for delay in [2, 3, 4] {
        for symbol in ["META", "AAPL", "MSFT"] {
            for (name, scene) in BOTH {
                let world = World::drifted(slow(), scene);
                let before = world.truth("growth");
                let late = Fault::LateFillAfterCancel { delay: seconds(delay) };
                world.script([Rule::new(late).symbol(p(symbol))]);
                let report = world.batch("growth");
                let what = format!("{symbol} of {name}, {delay} s late");
                assert_eq!(report.outcome, Outcome::Restored, "{what}: {:?}", report.cause);
                world.assert_restored("growth", &before);
            }
        }
    }
}

#[test]
fn questions_fail_for_a_while() {
    for times in [1, 5, 30] {
        check(&[Fault::QueryFails { times }], Outcome::Completed, minutes(2));
        check(&[Fault::QueryFails { times }, Fault::LoseAnswer], Outcome::Completed, minutes(3));
        check(&[Fault::QueryFails { times }, Fault::RejectAfterAck], Outcome::Restored, minutes(3));
    }
}

#[test]
fn an_answer_that_hangs_does_not_stop_the_batch() {
    // The call does not return for a quarter of an hour; the order was taken and filled at once.
    let world = World::drifted(Profile::ideal(), &QUARTERS);
    world.script([Rule::new(Fault::HoldAnswer).symbol(p("MSFT"))]);
    let report = world.batch("growth");
    assert_eq!(report.outcome, Outcome::Completed);
    assert!(world.clock.now().since(noon()) <= minutes(2));
    assert_eq!(world.broker.held(), 0, "the call was given up");
    world.assert_books_are_true("growth");
}

#[test]
fn a_request_that_is_still_on_its_way_is_not_judged_absent() {
    // The call waits for half an hour, and then the order arrives. "Not found" proves nothing until then, so that a person is asked.
    let world = World::drifted(Profile { timeout: minutes(60), ..slow() }, &QUARTERS);
    let before = world.truth("growth");
    world.script([Rule::new(Fault::Slow { delay: minutes(30) }).symbol(p("MSFT"))]);
    let report = world.batch("growth");
    assert_eq!((report.outcome, report.cause), (Outcome::Stale, Some(Cause::Unknown { orders: 1 })));
    assert_eq!(world.clock.now(), noon().plus(minutes(11)), "a deadline of one minute, and ten of patience");
    world.clock.advance(minutes(30));
    assert_eq!(world.truth("growth").units(p("MSFT")), p("106.25"), "it was executed after all");
    let report = world.resolve("growth", Resolve::Retry).unwrap().unwrap();
    assert_eq!((report.outcome, report.reversals.len()), (Outcome::Restored, 3));
    world.assert_restored("growth", &before);
}

#[test]
fn the_market_is_closed() {
    let world = World::drifted(Profile::ideal(), &QUARTERS);
    let before = world.truth("growth");
    let opens_at = noon().plus(minutes(120));
    world.broker.close_market(opens_at);
    let report = world.batch("growth");
    // Every leg was refused, so that there is nothing to trade back.
    assert_eq!((report.outcome, report.trades.len(), report.reversals.len()), (Outcome::Restored, 0, 0));
    world.assert_restored("growth", &before);
    world.clock.advance_to(opens_at);
    assert_eq!(shown(&world.rebalance("growth")), "completed");
}

#[test]
fn trading_in_a_symbol_is_halted() {
    // Refused at once, if it was halted before; waited for and canceled, if it is halted after the order was taken.
    let world = World::drifted(slow(), &QUARTERS);
    let before = world.truth("growth");
    world.broker.halt(p("MSFT"));
    assert_eq!(shown(&world.rebalance("growth")), "restored");
    world.broker.resume(p("MSFT"));
    world.clock.advance(minutes(15));

    let mut batch = world.start("growth");
    world.drive_for(&mut batch, seconds(3));
    world.broker.halt(p("MSFT"));
    assert_eq!(shown(&world.run(batch)), "restored");
    world.assert_restored("growth", &before);
}

#[test]
fn a_request_that_is_lost_too_late_to_be_sent_again() {
    // Only after 70 seconds does "not found" count, and the order's deadline is 60: the batch is given up.
    let world = World::drifted(Profile { quiescence: seconds(70), ..slow() }, &QUARTERS);
    let before = world.truth("growth");
    world.script([Rule::new(Fault::LoseRequest).symbol(p("MSFT"))]);
    let report = world.batch("growth");
    assert_eq!(report.outcome, Outcome::Restored);
    world.assert_restored("growth", &before);
    let state = world.state("growth");
    let lost = state.closed[0].orders.values().find(|o| o.terms.symbol == p("MSFT")).unwrap();
    assert_eq!(lost.state, OrderState::AssumedNotExecuted);
}

#[test]
fn at_a_broker_that_does_not_refuse_duplicates_nothing_is_sent_twice() {
    use evenkeel_domain::order::Duplicates;
    for fault in [Fault::LoseRequest, Fault::LoseAnswer] {
        let world = World::drifted(Profile { duplicates: Duplicates::Correlated, ..slow() }, &QUARTERS);
        let before = world.truth("growth");
        world.script([Rule::new(fault.clone()).symbol(p("MSFT"))]);
        let report = world.batch("growth");
        let expected = if fault == Fault::LoseRequest { Outcome::Restored } else { Outcome::Completed };
        assert_eq!(report.outcome, expected);
        let sent = world.desk.sent();
        let ids: std::collections::BTreeSet<_> = sent.iter().map(|s| s.request.id).collect();
        assert_eq!(ids.len(), sent.len(), "no id twice");
        if expected == Outcome::Restored {
            world.assert_restored("growth", &before);
        }
        world.assert_books_are_true("growth");
    }
}
