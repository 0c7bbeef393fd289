//! The asynchronous life of an order: when it is acknowledged, executed, canceled, and what it holds meanwhile.
//!
//! Times are in milliseconds. The way to the venue takes 10, each of its steps 100, and the way back 5.

use super::desk::{Desk, id, order, shown, symbol};
use crate::{Chance, Fault, Latency, Part, Profile, Rule};
use evenkeel_domain::order::{BrokerStatus, CancelAnswer, Lookup, SubmitAnswer, UnknownCause};
use evenkeel_domain::values::{Quantity, Timestamp};
use evenkeel_ports::Broker;
use std::time::Duration;

pub(super) fn steady() -> Profile {
    Profile {
        to_venue: Latency::exactly(Duration::from_millis(10)),
        at_venue: Latency::exactly(Duration::from_millis(100)),
        back: Latency::exactly(Duration::from_millis(5)),
        timeout: Duration::from_secs(1),
        visibility_horizon: Duration::from_millis(50),
        ..Profile::ideal()
    }
}

fn at(desk: &Desk, millis: u64) {
    desk.clock.set(Timestamp::EPOCH.plus(Duration::from_millis(millis)));
}

fn now(desk: &Desk) -> Duration {
    evenkeel_ports::Clock::now(&*desk.clock).since(Timestamp::EPOCH)
}

#[test]
fn an_order_is_acknowledged_then_executed() {
    let desk = Desk::new(steady());
    let buy = order(1, "buy 2 META @ 400");
    let view = desk.place(&buy);
    assert_eq!((now(&desk), shown(&view)), (Duration::from_millis(15), "Working 0".to_owned()));
    assert_eq!(desk.standing(), "10000.00 free 9200.00; AAPL 10/10 TINY 100/100");
    let page = desk.run(desk.broker.open_orders(&desk.account)).unwrap();
    assert_eq!((page.orders, page.complete), (vec![view], true));

    // The price of the moment of execution counts, whenever somebody asks.
    at(&desk, 109);
    desk.price("META", "401");
    assert_eq!(desk.state(buy.id), "Working 0");
    at(&desk, 110);
    assert!(desk.run(desk.broker.open_orders(&desk.account)).unwrap().orders.is_empty());
    desk.price("META", "500");
    assert_eq!(desk.standing(), "9198.00 free 9198.00; AAPL 10/10 META 2/2 TINY 100/100");
    let Lookup::Found(view) = desk.look_up(buy.id) else { panic!() };
    assert_eq!(shown(&view), "Filled 2");
    assert_eq!(view.fills[0].at, Timestamp::EPOCH.plus(Duration::from_millis(110)));
    assert_eq!(view.fills[0].price.to_string(), "401");
    desk.conserved();
}

#[test]
fn a_sell_releases_its_proceeds_when_it_is_filled() {
    let desk = Desk::new(steady());
    desk.place(&order(1, "sell 10 AAPL @ 200 exit"));
    assert_eq!(desk.standing(), "10000.00 free 10000.00; AAPL 0/10 TINY 100/100");
    desk.settle();
    assert_eq!(desk.standing(), "12000.00 free 12000.00; TINY 100/100");
}

#[test]
fn partial_fills_come_in_two_or_three_whole_lots() {
    let mut seen = [0; 4];
    for leg in 0..40 {
        let lots = [(symbol("META"), "1".parse().unwrap())].into();
        let desk = Desk::new(Profile { partial_fills: Chance::ALWAYS, lots, ..steady() });
        let buy = order(leg, "buy 10 META @ 400");
        desk.place(&buy);
        let mut filled = vec![Quantity::ZERO];
        while let Some(next) = desk.broker.next_event() {
            desk.clock.set(next);
            let Lookup::Found(view) = desk.look_up(buy.id) else { panic!() };
            assert!(view.filled.is_multiple_of("1".parse().unwrap()));
            assert!(view.filled > *filled.last().unwrap(), "every step executes something");
            assert_eq!(view.status == BrokerStatus::Filled, view.filled == buy.terms.quantity);
            filled.push(view.filled);
            desk.conserved();
        }
        let steps = filled.len() - 1;
        seen[steps] += 1;
        assert_eq!(now(&desk), Duration::from_millis(10) + Duration::from_millis(100) * u32::try_from(steps).unwrap());
        assert_eq!(desk.standing(), "6000.00 free 6000.00; AAPL 10/10 META 10/10 TINY 100/100");
    }
    assert!(seen[0] == 0 && seen[1] == 0 && seen[2] > 5 && seen[3] > 5, "{seen:?}");
}

#[test]
fn partial_fills_happen_as_often_as_they_should() {
    let desk = Desk::new(Profile { partial_fills: Chance::per_mille(250), ..Profile::ideal() });
    let partial = (0..400).filter(|leg| desk.place(&order(*leg, "buy 0.01 META @ 400")).fills.len() > 1).count();
    assert!((70..130).contains(&partial), "{partial} of 400");
}

#[test]
fn a_smallest_order_cannot_be_split() {
    let desk = Desk::new(Profile { partial_fills: Chance::ALWAYS, ..Profile::ideal() });
    let view = desk.place(&order(1, "buy 0.000000001 META @ 400"));
    assert_eq!((shown(&view), view.fills.len()), ("Filled 0.000000001".to_owned(), 1));
}

/// Submits at 0 and cancels so many milliseconds after; at the end it stands so.
fn check_cancel(after: u64, state: &str, free: &str) {
    let half = Rule::new(Fault::PartialThenWork(Part::Share("50".parse().unwrap())));
    let desk = Desk::scripted(steady(), [half]);
    let buy = order(1, "buy 2 META @ 400");
    desk.place(&buy);
    at(&desk, after);
    assert_eq!(desk.cancel(buy.id), CancelAnswer::Requested, "after {after}");
    assert_eq!(now(&desk), Duration::from_millis(after + 15));
    desk.settle();
    assert_eq!(desk.state(buy.id), state, "after {after}");
    assert!(desk.standing().starts_with(free), "after {after}: {}", desk.standing());
    assert!(matches!(desk.cancel(buy.id), CancelAnswer::AlreadyTerminal(view) if shown(&view) == state));
}

#[test]
fn a_cancel_races_the_execution() {
    // Half is executed at 110. The cancel arrives 10 later than it is sent and takes effect 100 later still.
    check_cancel(15, "Canceled 1", "9600.00 free 9600.00;");
    check_cancel(120, "Canceled 1", "9600.00 free 9600.00;");
    let fast = Profile { at_venue: Latency::NONE, ..steady() };
    let late = Rule::new(Fault::LateFill { delay: Duration::from_millis(100) });
    for (after, state) in [(89, "Canceled 0"), (100, "Filled 2"), (101, "Filled 2")] {
        // Executed at 110; a cancel sent at 100 arrives then, but later in the queue.
        let desk = Desk::scripted(fast.clone(), [late.clone()]);
        let sell = order(1, "sell 2 AAPL @ 200");
        desk.place(&sell);
        at(&desk, after);
        desk.cancel(sell.id);
        desk.settle();
        assert_eq!(desk.state(sell.id), state, "after {after}");
        assert_eq!(desk.standing().contains("AAPL 10/10"), state == "Canceled 0");
    }
}

#[test]
fn canceling_again_changes_nothing() {
    let desk = Desk::scripted(steady(), [Rule::new(Fault::NeverFill)]);
    let buy = order(1, "buy 2 META @ 400");
    desk.place(&buy);
    assert_eq!(desk.cancel(buy.id), CancelAnswer::Requested);
    assert_eq!(desk.cancel(buy.id), CancelAnswer::Requested);
    assert_eq!(desk.status(buy.id), BrokerStatus::Working);
    // It takes effect 100 after the first request arrived at 25.
    at(&desk, 124);
    assert_eq!(desk.status(buy.id), BrokerStatus::Working);
    at(&desk, 125);
    assert_eq!(desk.status(buy.id), BrokerStatus::Canceled);
    assert_eq!(desk.broker.next_event(), None);
    assert_eq!(desk.standing(), "10000.00 free 10000.00; AAPL 10/10 TINY 100/100");
}

#[test]
fn canceling_what_is_not_there() {
    let desk = Desk::new(steady());
    assert_eq!(desk.cancel(id(1, 1)), CancelAnswer::NoSuchOrder);
    assert_eq!(desk.run(desk.broker.cancel(&"stranger".parse().unwrap(), id(1, 1))), CancelAnswer::NoSuchOrder);
    let impatient = Desk::new(Profile { timeout: Duration::from_millis(14), ..steady() });
    assert_eq!(impatient.cancel(id(1, 1)), CancelAnswer::Unknown(UnknownCause::Timeout));
    assert_eq!(now(&impatient), Duration::from_millis(14));
}

#[test]
fn an_answer_later_than_the_callers_patience_is_unknown() {
    for (millis, known) in [(14, false), (15, true)] {
        let desk = Desk::new(Profile { timeout: Duration::from_millis(millis), ..steady() });
        let answer = desk.submit(&order(1, "buy 1 META @ 400"));
        assert_eq!(now(&desk), Duration::from_millis(millis));
        assert_eq!(matches!(answer, SubmitAnswer::Acknowledged(_)), known, "{answer:?}");
        assert_eq!(answer == SubmitAnswer::Unknown(UnknownCause::Timeout), !known);
        desk.settle();
        assert_eq!(desk.state(id(1, 1)), "Filled 1");
    }
}

#[test]
fn what_it_costs_beyond_its_reservation_comes_from_free_cash_or_rejects_it() {
    let profile = Profile { collar_bps: 100, ..steady() };
    for (other, price, state, standing) in [
        // 4,000 and the collar of 40 are reserved; 5,960 are free.
        (0, "404", "Filled 10", "5960.00 free 5960.00; AAPL 10/10 META 10/10"),
        (0, "1000", "Filled 10", "0.00 free 0.00; AAPL 10/10 META 10/10"),
        (0, "1000.01", "Rejected 0", "10000.00 free 10000.00; AAPL 10/10 TINY"),
        // Another order has reserved 4,040 of it.
        (10, "596", "Filled 10", "4040.00 free 0.00; AAPL 10/10 META 10/10"),
        (10, "596.01", "Rejected 0", "10000.00 free 5960.00; AAPL 10/10 TINY"),
    ] {
        let desk = Desk::new(profile.clone());
        let buy = order(1, "buy 10 META @ 400");
        desk.place(&buy);
        if other > 0 {
            desk.broker.script(Rule::new(Fault::NeverFill));
            desk.place(&order(2, &format!("buy {other} META @ 400")));
        }
        desk.price("META", price);
        desk.settle();
        assert_eq!(desk.state(buy.id), state, "{price}");
        assert!(desk.standing().starts_with(standing), "{price}: {}", desk.standing());
    }
}

#[test]
fn what_was_executed_before_a_rejection_stays() {
    let desk = Desk::new(Profile { partial_fills: Chance::ALWAYS, ..steady() });
    let buy = order(1, "buy 20 META @ 400");
    desk.place(&buy);
    desk.clock.set(desk.broker.next_event().unwrap());
    let before = desk.state(buy.id);
    assert!(before.starts_with("Working ") && before != "Working 0", "{before}");
    desk.price("META", "4000");
    desk.settle();
    assert_eq!(desk.state(buy.id), before.replace("Working", "Rejected"));
    let ledger = desk.broker.ledger(&desk.account).unwrap();
    assert!(ledger.reserved.is_zero() && ledger.cash.is_positive());
}

#[test]
fn a_partial_execution_gives_back_what_it_did_not_need() {
    let half = Rule::new(Fault::PartialThenWork(Part::Units("4".parse().unwrap())));
    let fees = evenkeel_domain::order::Costs { bps: 100, ..Default::default() };
    let desk = Desk::scripted(Profile { collar_bps: 1000, fees, ..steady() }, [half]);
    // 4,000, the collar of 400, and the declared costs of 40.02.
    desk.place(&order(1, "buy 10 META @ 400"));
    assert_eq!(desk.standing(), "10000.00 free 5559.98; AAPL 10/10 TINY 100/100");
    desk.settle();
    // Of the 4,440.02 that are reserved 1,616 were spent.
    assert_eq!(desk.standing(), "8384.00 free 5559.98; AAPL 10/10 META 4/4 TINY 100/100");
    desk.cancel(id(1, 1));
    desk.settle();
    assert_eq!(desk.standing(), "8384.00 free 8384.00; AAPL 10/10 META 4/4 TINY 100/100");
}

#[test]
fn a_fee_larger_than_the_proceeds_rejects_a_sell_without_cash() {
    let fees = evenkeel_domain::order::Costs { minimum: "0.31".parse().unwrap(), ..Default::default() };
    for (withdrawn, state) in [("9999.99", "Filled 100"), ("10000.00", "Rejected 0")] {
        let desk = Desk::new(Profile { fees, ..steady() });
        desk.broker.withdraw(&desk.account, withdrawn.parse().unwrap()).unwrap();
        let sell = order(1, "sell 100 TINY @ 0.003 exit");
        desk.place(&sell);
        desk.settle();
        assert_eq!(desk.state(sell.id), state);
    }
}

#[test]
fn executions_wait_while_trading_is_halted() {
    let desk = Desk::new(steady());
    let (buy, sell) = (order(1, "buy 2 META @ 400"), order(2, "sell 2 AAPL @ 200"));
    let other = order(3, "sell 1 AAPL @ 200");
    for order in [&buy, &sell, &other] {
        desk.place(order);
    }
    desk.broker.halt(symbol("META"));
    desk.broker.halt(symbol("AAPL"));
    desk.settle();
    assert_eq!((desk.state(buy.id), desk.state(sell.id)), ("Working 0".to_owned(), "Working 0".to_owned()));
    at(&desk, 5000);
    desk.price("META", "450");
    desk.broker.resume(symbol("META"));
    assert_eq!((desk.state(buy.id), desk.state(sell.id)), ("Filled 2".to_owned(), "Working 0".to_owned()));
    assert_eq!(desk.standing(), "9100.00 free 9100.00; AAPL 7/10 META 2/2 TINY 100/100");
    // A halted order can be canceled, and does not come back.
    assert_eq!(desk.cancel(sell.id), CancelAnswer::Requested);
    desk.settle();
    desk.broker.resume(symbol("AAPL"));
    desk.settle();
    assert_eq!((desk.state(sell.id), desk.state(other.id)), ("Canceled 0".to_owned(), "Filled 1".to_owned()));
}

#[test]
fn day_orders_expire_at_the_close() {
    let part = Rule::new(Fault::PartialThenWork(Part::Units("1".parse().unwrap())));
    let desk = Desk::scripted(steady(), [part]);
    let (partial, working, done) =
        (order(1, "buy 2 META @ 400"), order(2, "sell 3 AAPL @ 200"), order(3, "buy 1 META @ 400"));
    desk.place(&partial);
    desk.place(&done);
    desk.settle();
    desk.place(&working);
    desk.cancel(working.id);
    desk.broker.close_market(Timestamp::MAX);
    desk.settle();
    assert_eq!(desk.state(partial.id), "Expired 1");
    assert_eq!(desk.state(working.id), "Expired 0");
    assert_eq!(desk.state(done.id), "Filled 1");
    assert_eq!(desk.standing(), "9200.00 free 9200.00; AAPL 10/10 META 2/2 TINY 100/100");
}

#[test]
fn a_request_under_way_finds_the_market_closed() {
    let desk = Desk::scripted(steady(), [Rule::new(Fault::Slow { delay: Duration::from_millis(500) })]);
    let buy = order(1, "buy 2 META @ 400");
    let mut submission = Box::pin(desk.broker.submit(&desk.account, &buy));
    assert!(futures_util::FutureExt::now_or_never(&mut submission).is_none());
    desk.broker.close_market(Timestamp::MAX);
    assert!(matches!(desk.run(submission), SubmitAnswer::Refused(_)));
    assert_eq!(now(&desk), Duration::from_millis(515));
}
