//! The market around the orders: its hours, the limit of requests, and how much of a symbol is traded.

use super::desk::{Desk, order, symbol, units};
use super::life::steady;
use crate::{Liquidity, Profile, RateLimit, Sessions};
use evenkeel_domain::order::{NotSent, RefusalReason, SubmitAnswer};
use evenkeel_domain::values::{Price, Timestamp};
use std::time::Duration;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[test]
fn sessions_open_and_close_by_themselves() {
    let early = (at("2026-11-27T12:00:00Z"), seconds(18 * 3_600));
    let hours = Sessions { early: [early].into(), ..Sessions::new_york() };
    for (moment, closes_at, opens_after) in [
        ("2026-11-24T14:29:59Z", None, "2026-11-24T14:30:00Z"),
        ("2026-11-24T14:30:00Z", Some("2026-11-24T21:00:00Z"), "2026-11-25T14:30:00Z"),
        ("2026-11-24T20:59:59.999999999Z", Some("2026-11-24T21:00:00Z"), "2026-11-25T14:30:00Z"),
        ("2026-11-24T21:00:00Z", None, "2026-11-25T14:30:00Z"),
        ("2026-11-26T15:00:00Z", None, "2026-11-27T14:30:00Z"), // a holiday
        ("2026-11-27T15:00:00Z", Some("2026-11-27T18:00:00Z"), "2026-11-30T14:30:00Z"), // half a day, then a weekend
        ("2026-11-28T15:00:00Z", None, "2026-11-30T14:30:00Z"),
    ] {
        assert_eq!(hours.closes_at(at(moment)), closes_at.map(at), "{moment}");
        assert_eq!(hours.opens_after(at(moment)), at(opens_after), "{moment}");
    }
}

#[test]
fn outside_of_its_hours_orders_are_refused_with_the_opening_and_nothing_is_executed() {
    let desk = Desk::new(Profile { sessions: Some(Sessions::new_york()), ..steady() });
    desk.clock.set(at("2026-11-24T21:00:00Z"));
    let opens_at = at("2026-11-25T14:30:00Z");
    assert_eq!(desk.refusal(&order(0, "buy 1 META @ 400")), RefusalReason::MarketClosed { opens_at });
    let view = |desk: &Desk| desk.run(evenkeel_ports::Broker::account(&desk.broker, &desk.account)).unwrap();
    assert_eq!(view(&desk).closes_at, None);

    desk.clock.set(opens_at);
    assert_eq!(view(&desk).closes_at, Some(at("2026-11-25T21:00:00Z")));
    let whole = order(1, "buy 1 META @ 400");
    desk.place(&whole);
    desk.settle_until(opens_at.plus(seconds(1)));
    assert_eq!(desk.state(whole.id), "Filled 1");
}

#[test]
fn a_day_order_ends_with_its_session_with_what_was_executed_of_it() {
    let liquidity = Liquidity { volume: units("4"), interval: seconds(60), participation_bps: 2_500, impact_bps: 0 };
    let profile = Profile { sessions: Some(Sessions::new_york()), liquidity: Some(liquidity), ..steady() };
    let desk = Desk::new(profile);
    desk.clock.set(at("2026-11-24T20:58:30Z"));
    let large = order(0, "buy 10 META @ 400");
    desk.place(&large);
    desk.settle();
    // One unit a minute: at 20:58:30 and 20:59:30.
    assert_eq!(desk.state(large.id), "Expired 2");
    assert_eq!(desk.standing(), "9200.00 free 9200.00; AAPL 10/10 META 2/2 TINY 100/100");
}

#[test]
fn no_more_requests_are_taken_than_the_limit_says_and_whoever_waits_as_told_is_served() {
    let limit = RateLimit { burst: 3, every: seconds(2) };
    let desk = Desk::new(Profile { rate_limit: Some(limit), ..Profile::ideal() });
    let send = |leg| match desk.submit(&order(leg, "buy 0.01 META @ 400")) {
        SubmitAnswer::Acknowledged(_) => None,
        SubmitAnswer::NotSent(NotSent::RateLimited { retry_after }) => Some(retry_after),
        other @ (SubmitAnswer::AlreadyExists
        | SubmitAnswer::Refused(_)
        | SubmitAnswer::NotSent(_)
        | SubmitAnswer::Unknown(_)) => panic!("{other:?}"),
    };
    assert_eq!([0, 1, 2].map(send), [None; 3]);
    assert_eq!(send(3), Some(seconds(2)));
    assert_eq!(send(3), Some(seconds(2)), "asking costs nothing");
    desk.clock.pass(seconds(1));
    assert_eq!(send(3), Some(seconds(1)));
    desk.clock.pass(seconds(1));
    assert_eq!([send(3), send(4)], [None, Some(seconds(2))]);
    // A cancel is a request as well.
    let canceled = desk.cancel(order(0, "buy 0.01 META @ 400").id);
    assert_eq!(
        canceled,
        evenkeel_domain::order::CancelAnswer::NotSent(NotSent::RateLimited { retry_after: seconds(2) })
    );
    // After a long pause no more than the burst.
    desk.clock.pass(seconds(3_600));
    assert_eq!([5, 6, 7, 8].map(send), [None, None, None, Some(seconds(2))]);
    assert_eq!(desk.broker.ledger(&desk.account).unwrap().orders.len(), 7, "what was turned away is no order");
}

#[test]
fn a_large_order_is_executed_slice_by_slice() {
    let liquidity = Liquidity { volume: units("100"), interval: seconds(60), participation_bps: 400, impact_bps: 0 };
    let desk = Desk::new(Profile { liquidity: Some(liquidity), ..steady() });
    let large = order(0, "buy 10 META @ 400");
    desk.place(&large);
    desk.settle();
    let ledger = desk.broker.ledger(&desk.account).unwrap();
    let first = ledger.orders[0].fills[0].at;
    let slices: Vec<_> =
        ledger.orders[0].fills.iter().map(|f| (f.quantity.to_string(), f.at.since(first).as_secs())).collect();
    assert_eq!(slices, [("4".to_owned(), 0), ("4".to_owned(), 60), ("2".to_owned(), 120)]);
    assert_eq!(desk.state(large.id), "Filled 10");
}

#[test]
fn the_price_is_worse_by_spread_and_impact_and_never_beyond_what_is_declared() {
    let volume = units("20");
    for (half_spread_bps, impact_bps, slippage_bps, expected) in [
        (0, 0, 0, "400"),
        (1, 0, 1, "400.04"),
        (0, 0, 1, "400 to 400.04"),
        // An order of half the volume: a quarter of the impact.
        (0, 40, 10, "400.4"),
        (2, 40, 12, "400.48"),
        (2, 4_000, 12, "400.48"),
    ] {
        let liquidity = Liquidity { volume, interval: seconds(60), participation_bps: 10_000, impact_bps };
        let profile = Profile { half_spread_bps, slippage_bps, liquidity: Some(liquidity), ..steady() };
        let desk = Desk::new(profile);
        desk.place(&order(0, "buy 10 META @ 400"));
        desk.settle();
        let price = desk.broker.ledger(&desk.account).unwrap().orders[0].fills[0].price;
        match expected.split_once(" to ") {
            None if impact_bps == 40 => assert!(price >= expected_price(half_spread_bps, 10), "{price}"),
            None => assert_eq!(price.to_string(), expected),
            Some((least, most)) => {
                assert!((least.parse::<Price>().unwrap()..=most.parse().unwrap()).contains(&price), "{price}");
            }
        }
        assert!(price <= expected_price(0, slippage_bps), "{price} beyond what is declared");
    }
}

/// 400 and so many hundredths of a percent of the two together.
fn expected_price(spread: u32, more: u32) -> Price {
    Price::from_nanos(400_000_000_000 + u64::from(spread + more) * 40_000_000).unwrap()
}

#[test]
fn a_halted_symbol_refuses_orders_and_keeps_those_it_has_waiting() {
    let desk = Desk::new(steady());
    let open = order(0, "buy 1 META @ 400");
    desk.place(&open);
    desk.broker.halt(symbol("META"));
    assert_eq!(desk.refusal(&order(1, "buy 1 META @ 400")), RefusalReason::NotTradable);
    desk.settle();
    assert_eq!(desk.state(open.id), "Working 0");
    desk.broker.resume(symbol("META"));
    desk.settle();
    assert_eq!(desk.state(open.id), "Filled 1");
}
