//! Questions: what is seen when, page by page, and what is not known.

use super::desk::{Desk, id, order, symbol};
use super::life::steady;
use crate::{Chance, Fault, Latency, Part, Profile, Rule};
use evenkeel_domain::order::{CancelAnswer, FillCursor, Lookup, UnknownCause};
use evenkeel_domain::values::{AccountId, Money};
use evenkeel_ports::{Broker, BrokerError, Clock};
use std::collections::BTreeSet;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

/// What happens is seen an hour later.
fn lagging() -> Profile {
    Profile { visibility_lag: Latency::exactly(HOUR), visibility_horizon: Duration::from_secs(1), ..steady() }
}

#[test]
fn absent_is_said_only_after_the_horizon() {
    let desk = Desk::scripted(steady(), [Rule::new(Fault::LoseRequest)]);
    let millis = |count| desk.clock.pass(Duration::from_millis(count));
    assert_eq!(desk.look_up(id(9, 9)), Lookup::Absent, "nothing was ever sent");
    desk.submit(&order(1, "buy 1 META @ 400"));
    // The send was a second ago, the horizon is 50 milliseconds.
    assert_eq!(desk.look_up(id(1, 1)), Lookup::Absent);
    desk.place(&order(2, "buy 1 META @ 400"));
    assert_eq!(desk.look_up(id(1, 1)), Lookup::Unproven);
    millis(34);
    assert_eq!(desk.look_up(id(1, 1)), Lookup::Unproven);
    millis(1);
    assert_eq!(desk.look_up(id(1, 1)), Lookup::Absent);
    // Another account's sends are its own.
    desk.broker.open_account(&"other".parse().unwrap(), "USD".parse().unwrap(), Money::ZERO, []).unwrap();
    desk.place(&order(3, "buy 1 META @ 400"));
    assert_eq!(desk.run(desk.broker.order(&"other".parse().unwrap(), id(1, 1))), Ok(Lookup::Absent));
}

#[test]
fn what_was_not_sent_needs_no_horizon() {
    let not_sent = Fault::NotSent(evenkeel_domain::order::NotSent::Unreachable);
    let desk = Desk::scripted(steady(), [Rule::new(not_sent)]);
    desk.submit(&order(1, "buy 1 META @ 400"));
    assert_eq!(desk.look_up(id(1, 1)), Lookup::Absent);
    assert_eq!(desk.broker.ledger(&desk.account).unwrap().sends, 0);
}

#[test]
fn a_lost_answers_order_is_unproven_until_it_is_seen() {
    let desk = Desk::scripted(lagging(), [Rule::new(Fault::LoseAnswer)]);
    assert_eq!(desk.broker.capabilities().visibility_horizon, HOUR, "no shorter than the lag");
    let buy = order(1, "buy 2 META @ 400");
    desk.submit(&buy);
    desk.settle();
    assert_eq!(desk.look_up(buy.id), Lookup::Unproven);
    assert!(desk.run(desk.broker.open_orders(&desk.account)).unwrap().orders.is_empty());
    // It was accepted at 10 milliseconds and executed at 110; now it is 1000.
    desk.clock.pass(HOUR - Duration::from_millis(991));
    assert_eq!(desk.look_up(buy.id), Lookup::Unproven);
    desk.clock.pass(Duration::from_millis(1));
    assert_eq!(desk.state(buy.id), "Working 0");
    assert_eq!(desk.run(desk.broker.open_orders(&desk.account)).unwrap().orders.len(), 1);
    desk.clock.pass(Duration::from_millis(100));
    assert_eq!(desk.state(buy.id), "Filled 2");
}

#[test]
fn what_arrived_but_is_not_seen_is_never_absent() {
    let faults = [Fault::LoseAnswer, Fault::Slow { delay: 2 * HOUR }];
    let desk = Desk::scripted(lagging(), faults.map(Rule::new));
    desk.submit(&order(1, "buy 2 META @ 400"));
    desk.clock.pass(2 * HOUR + Duration::from_secs(1));
    assert_eq!(desk.look_up(id(1, 1)), Lookup::Unproven);
}

#[test]
fn reads_lag_behind_together() {
    let half = Fault::PartialThenWork(Part::Share("50".parse().unwrap()));
    let desk = Desk::scripted(lagging(), [Rule::new(half).nth(2)]);
    let (sell, buy) = (order(1, "sell 10 AAPL @ 200"), order(2, "buy 2 META @ 400"));
    desk.place(&sell);
    desk.place(&buy);
    assert_eq!(desk.state(sell.id), "Working 0", "an answer that shows an order ends its lag");
    desk.settle();
    let start = desk.clock.now();
    // What is gone already is not available, even where it still shows.
    assert_eq!(desk.standing(), "10000.00 free 9600.00; AAPL 0/10 TINY 100/100");
    assert_eq!((desk.state(sell.id).as_str(), desk.state(buy.id).as_str()), ("Working 0", "Working 0"));
    assert_eq!(desk.fills(None), (Vec::new(), "0".to_owned(), true));
    assert_eq!(desk.run(desk.broker.open_orders(&desk.account)).unwrap().orders.len(), 2);

    // The sell was executed 15 milliseconds before the buy.
    desk.clock.set(start.plus(HOUR - Duration::from_millis(1)));
    assert_eq!(desk.standing(), "12000.00 free 11200.00; TINY 100/100");
    assert_eq!((desk.state(sell.id).as_str(), desk.state(buy.id).as_str()), ("Filled 10", "Working 0"));
    assert_eq!(desk.fills(None).1, "1");
    assert_eq!(desk.run(desk.broker.open_orders(&desk.account)).unwrap().orders.len(), 1);

    desk.clock.set(start.plus(HOUR));
    assert_eq!(desk.standing(), "11600.00 free 11200.00; META 1/1 TINY 100/100");
    assert_eq!(desk.state(buy.id), "Working 1");
    assert_eq!(desk.fills(None).1, "2");
}

#[test]
fn buys_that_are_not_seen_are_not_available() {
    let desk = Desk::new(lagging());
    desk.place(&order(1, "buy 2 META @ 400"));
    desk.settle();
    assert_eq!(desk.standing(), "10000.00 free 9200.00; AAPL 10/10 TINY 100/100");
    desk.clock.pass(HOUR);
    assert_eq!(desk.standing(), "9200.00 free 9200.00; AAPL 10/10 META 2/2 TINY 100/100");
}

#[test]
fn an_answer_that_shows_an_order_ends_the_lag() {
    let desk = Desk::new(lagging());
    let buy = order(1, "buy 2 META @ 400");
    desk.place(&buy);
    desk.settle();
    assert_eq!(desk.state(buy.id), "Working 0");
    assert!(matches!(desk.cancel(buy.id), CancelAnswer::AlreadyTerminal(_)));
    assert_eq!(desk.state(buy.id), "Filled 2", "what was said once is said from then on");
    assert_eq!(desk.standing(), "9200.00 free 9200.00; AAPL 10/10 META 2/2 TINY 100/100");
}

#[test]
fn a_late_fill_that_is_not_seen_leaves_a_canceled_order_canceled() {
    let delay = Duration::from_secs(9);
    let desk = Desk::scripted(lagging(), [Rule::new(Fault::LateFillAfterCancel { delay })]);
    let buy = order(1, "buy 2 META @ 400");
    desk.place(&buy);
    desk.cancel(buy.id);
    desk.settle();
    assert_eq!(desk.state(buy.id), "Working 0");
    // The cancel took effect nine seconds before the fill.
    desk.clock.pass(HOUR - delay);
    assert_eq!(desk.state(buy.id), "Canceled 0");
    desk.clock.pass(delay);
    assert_eq!(desk.state(buy.id), "Filled 2");
}

#[test]
fn fills_come_in_pages() {
    let desk = Desk::new(Profile { page: 2, ..Profile::ideal() });
    assert_eq!(desk.fills(None), (Vec::new(), "0".to_owned(), true));
    for leg in 0..5 {
        desk.place(&order(leg, "buy 1 META @ 400"));
    }
    let numbers = |cursor| {
        let (fills, next, complete) = desk.fills(cursor);
        (fills.iter().map(|fill| fill.fill.id.to_string()).collect::<Vec<_>>().join(" "), next, complete)
    };
    for (cursor, ids, next, complete) in [
        (None, "f1 f2", "2", false),
        (Some("0"), "f1 f2", "2", false),
        (Some("2"), "f3 f4", "4", false),
        (Some("3"), "f4 f5", "5", true),
        (Some("4"), "f5", "5", true),
        (Some("5"), "", "5", true),
        (Some("1"), "f2 f3", "3", false),
    ] {
        assert_eq!(numbers(cursor), (ids.to_owned(), next.to_owned(), complete), "{cursor:?}");
    }
    let first = &desk.fills(None).0[0];
    assert_eq!((first.order, first.symbol), (Some(id(1, 0)), symbol("META")));
    assert_eq!(first.side, evenkeel_domain::order::Side::Buy);
    let Lookup::Found(view) = desk.look_up(id(1, 0)) else { panic!() };
    assert_eq!(view.fills[0], first.fill, "a fill is the same wherever it is told");
}

#[test]
fn a_page_has_room_for_one_at_least() {
    let desk = Desk::new(Profile { page: 0, ..Profile::ideal() });
    desk.place(&order(1, "buy 1 META @ 400"));
    assert_eq!(desk.fills(None).0.len(), 1);
}

#[test]
fn cursors_of_others_are_not_understood() {
    let desk = Desk::ideal();
    desk.place(&order(1, "buy 1 META @ 400"));
    for text in ["", "2", "-1", "f1", "18446744073709551616"] {
        let answer = desk.run(desk.broker.fills_since(&desk.account, Some(FillCursor(text.to_owned()))));
        assert!(matches!(answer, Err(BrokerError::Garbled { .. })), "{text}: {answer:?}");
    }
}

#[test]
fn questions_about_no_account() {
    let desk = Desk::ideal();
    let stranger: AccountId = "stranger".parse().unwrap();
    let broker = &desk.broker;
    for error in [
        desk.run(broker.order(&stranger, id(1, 1))).unwrap_err(),
        desk.run(broker.open_orders(&stranger)).unwrap_err(),
        desk.run(broker.fills_since(&stranger, None)).unwrap_err(),
        desk.run(broker.positions(&stranger)).unwrap_err(),
        desk.run(broker.account(&stranger)).unwrap_err(),
    ] {
        assert_eq!(error, BrokerError::NoSuchAccount { account: stranger.clone() });
    }
}

#[test]
fn the_account_is_of_the_moment_it_is_asked() {
    let desk = Desk::ideal();
    desk.clock.pass(HOUR);
    let view = desk.run(desk.broker.account(&desk.account)).unwrap();
    assert_eq!((view.as_of, view.currency.as_str(), view.settled_cash), (desk.clock.now(), "USD", None));
}

#[test]
fn the_timeout_of_a_lost_request_is_a_timeout() {
    let desk = Desk::scripted(lagging(), [Rule::new(Fault::LoseRequest)]);
    let answer = desk.submit(&order(1, "buy 1 META @ 400"));
    assert_eq!(answer, evenkeel_domain::order::SubmitAnswer::Unknown(UnknownCause::Timeout));
    assert_eq!(desk.look_up(id(1, 1)), Lookup::Unproven, "the horizon is longer than the timeout");
}

#[test]
fn lists_of_fills_may_be_jumbled_and_say_the_same() {
    let parts = Rule::new(Fault::InParts(4)).always();
    let steady = super::life::steady();
    let plain = Desk::scripted(steady.clone(), [parts.clone()]);
    let jumbled = Desk::scripted(Profile { disorder: Chance::ALWAYS, ..steady }, [parts]);
    for desk in [&plain, &jumbled] {
        desk.place(&order(0, "buy 4 META @ 400"));
        desk.settle();
    }
    let ids = |fills: Vec<String>| (fills.clone(), fills.into_iter().collect::<BTreeSet<_>>());
    let page = |desk: &Desk| ids(desk.fills(None).0.into_iter().map(|fill| fill.fill.id.to_string()).collect());
    let view = |desk: &Desk| match desk.look_up(order(0, "buy 4 META @ 400").id) {
        Lookup::Found(view) => ids(view.fills.into_iter().map(|fill| fill.id.to_string()).collect()),
        other @ (Lookup::Absent | Lookup::Unproven) => panic!("{other:?}"),
    };
    for told in [page(&plain), view(&plain)] {
        assert_eq!(told.0, ["f1", "f2", "f3", "f4"]);
    }
    for told in [page(&jumbled), view(&jumbled)] {
        assert_eq!(told.0, ["f4", "f3", "f2", "f1", "f4"]);
    }
    assert_eq!(page(&plain).1, page(&jumbled).1);
    assert_eq!(jumbled.fills(None).1, plain.fills(None).1, "the place to go on from is the same");
}
