//! What the broker declares about itself, and that what it does costs no more.

use super::desk::{Desk, order, symbol};
use super::life::steady;
use crate::{Chance, FaultRates, Latency, Profile};
use evenkeel_domain::order::{Costs, booked_amount};
use evenkeel_domain::values::{Money, Price, Quantity, Rounding, Value};
use evenkeel_ports::Broker;
use proptest::prelude::*;
use std::time::Duration;

fn fees(bps: u32, per_order: &str, minimum: &str) -> Costs {
    Costs { bps, per_order: per_order.parse().unwrap(), minimum: minimum.parse().unwrap() }
}

fn declared(slippage_bps: u32, fees: Costs) -> (Costs, bool) {
    let capabilities = Profile { slippage_bps, fees, ..Profile::ideal() }.capabilities();
    (capabilities.costs, capabilities.fills_rounded)
}

#[test]
fn costs_cover_fees_slippage_and_roundings() {
    for (slippage, charged, expected) in [
        (0, Costs::FREE, (Costs::FREE, false)),
        (20, Costs::FREE, (fees(20, "0.02", "0.00"), true)),
        (0, fees(5, "0.00", "0.00"), (fees(5, "0.02", "0.00"), true)),
        // The fee is paid on the slippage too.
        (20, fees(5, "0.00", "0.00"), (fees(26, "0.02", "0.00"), true)),
        (100, fees(100, "0.00", "0.00"), (fees(201, "0.02", "0.00"), true)),
        (101, fees(100, "0.00", "0.00"), (fees(203, "0.02", "0.00"), true)),
        // Whichever of the two fixed parts applies.
        (0, fees(0, "0.35", "1.00"), (fees(0, "1.02", "0.00"), true)),
        (0, fees(0, "1.35", "1.00"), (fees(0, "1.37", "0.00"), true)),
    ] {
        assert_eq!(declared(slippage, charged), expected, "{slippage} {charged:?}");
    }
}

#[test]
fn calm_and_storm_declare_what_they_do() {
    for (profile, bps, collar_bps, horizon) in [(Profile::calm(), 11, 250, 2), (Profile::storm(), 26, 400, 5)] {
        let capabilities = profile.capabilities();
        assert_eq!(capabilities.costs, fees(bps, "0.37", "0.00"));
        assert!(capabilities.fills_rounded);
        assert_eq!(capabilities.minimum_order.to_string(), "1.00");
        assert_eq!(capabilities.collar_bps, collar_bps);
        assert_eq!(capabilities.quiescence, Duration::from_secs(70));
        assert_eq!(capabilities.visibility_horizon, Duration::from_secs(horizon));
        assert_eq!(capabilities.name, profile.name);
    }
    assert_eq!(Profile::calm().faults, FaultRates::NONE);
    assert!(Profile::storm().faults != FaultRates::NONE && Profile::storm().refuse_opposite);
}

#[test]
fn a_declaration_is_no_shorter_than_what_can_be_drawn() {
    let millis = Duration::from_millis;
    let faults = |doubled, slow| FaultRates {
        doubled: Chance::per_mille(doubled),
        slow: Chance::per_mille(slow),
        slow_by: Latency::exactly(millis(500)),
        ..FaultRates::NONE
    };
    for (declared, faults, expected) in [
        (5, faults(0, 0), 10),
        (25, faults(0, 0), 25),
        (5, faults(1, 0), 20),
        (5, faults(0, 1), 510),
        (5, faults(1, 1), 520),
    ] {
        let profile = Profile { quiescence: millis(declared), faults, ..steady() };
        assert_eq!(profile.capabilities().quiescence, millis(expected), "{faults:?}");
    }
}

#[test]
fn lots_are_declared() {
    let lots = [(symbol("META"), "1".parse().unwrap())].into();
    let capabilities = Profile { lot: "0.1".parse().unwrap(), lots, ..Profile::calm() }.capabilities();
    assert_eq!(capabilities.lot_of(symbol("META")).to_string(), "1");
    assert_eq!(capabilities.lot_of(symbol("AAPL")).to_string(), "0.1");
}

#[test]
fn slippage_is_against_the_account_and_within_its_bound() {
    let desk = Desk::new(Profile { slippage_bps: 50, ..Profile::ideal() });
    let (mut bought, mut sold) = (Vec::new(), Vec::new());
    for leg in 0..200 {
        bought.push(desk.place(&order(2 * leg, "buy 0.01 AAPL @ 200")).fills[0].price.nanos());
        sold.push(desk.place(&order(2 * leg + 1, "sell 0.01 AAPL @ 200")).fills[0].price.nanos());
    }
    let board = 200_000_000_000;
    assert!(bought.iter().all(|price| (board..=board + board / 200).contains(price)), "{bought:?}");
    assert!(sold.iter().all(|price| (board - board / 200..=board).contains(price)), "{sold:?}");
    // All of the bound is used, in steps of a hundredth of a basis point.
    let spread = |prices: &[u64]| prices.iter().max().unwrap() - prices.iter().min().unwrap();
    assert!(spread(&bought) > board / 250 && spread(&sold) > board / 250);
    assert!(bought.iter().all(|price| price % 200_000 == 0));
    desk.conserved();
}

#[test]
fn slippage_reaches_from_nothing_to_its_bound() {
    let desk = Desk::new(Profile { slippage_bps: 1, ..Profile::ideal() });
    let buy = |leg| desk.place(&order(leg, "buy 0.001 AAPL @ 200")).fills[0].price.to_string();
    let prices: std::collections::BTreeSet<_> = (0..1500).map(buy).collect();
    assert_eq!(prices.len(), 101);
    assert!(prices.contains("200") && prices.contains("200.02"));
}

#[test]
fn every_fill_slips_by_itself() {
    let duplicates = evenkeel_domain::order::Duplicates::Correlated;
    let desk = Desk::new(Profile { slippage_bps: 500, partial_fills: Chance::ALWAYS, duplicates, ..Profile::ideal() });
    let mut prices = Vec::new();
    for _copy in 0..2 {
        prices.extend(desk.place(&order(1, "buy 1 AAPL @ 200")).fills.into_iter().map(|fill| fill.price));
    }
    let different: std::collections::BTreeSet<_> = prices.iter().collect();
    assert!(prices.len() >= 4 && different.len() == prices.len(), "{prices:?}");
}

#[test]
fn slippage_is_rounded_towards_the_board() {
    let desk = Desk::new(Profile { slippage_bps: 9999, ..Profile::ideal() });
    desk.price("TINY", "0.000000001");
    for leg in 0..20 {
        let text = format!("{} 1 TINY @ 0.000000001", if leg % 2 == 0 { "buy" } else { "sell" });
        assert_eq!(desk.place(&order(leg, &text)).fills[0].price, Price::SMALLEST);
    }
    desk.price("TINY", &Price::MAX.to_string());
    desk.broker.deposit(&desk.account, "99999999999.00".parse().unwrap()).unwrap();
    assert_eq!(desk.place(&order(99, "buy 1 TINY @ 1")).fills[0].price, Price::MAX, "there is no higher price");
}

#[test]
fn fees_are_those_of_the_whole_order_however_many_fills() {
    for (charged, total) in [
        (fees(5, "0.00", "0.00"), "2.01"), // 2.0001, rounded up
        (fees(0, "0.35", "0.00"), "0.35"),
        (fees(5, "0.35", "1.00"), "2.36"),
        (fees(5, "0.35", "3.00"), "3.00"),
    ] {
        let desk = Desk::new(Profile { fees: charged, partial_fills: Chance::ALWAYS, ..Profile::ideal() });
        let view = desk.place(&order(1, "buy 10.0005 META @ 400"));
        assert!(view.fills.len() > 1);
        let fee = Money::sum(view.fills.iter().map(|fill| fill.fee)).unwrap();
        assert_eq!(fee.to_string(), total, "{charged:?}");
        assert!(view.fills.iter().all(|fill| !fill.fee.is_negative()));
        desk.conserved();
    }
}

/// Books that know nothing but the fills, and follow the rule that everybody follows.
fn cash_by_the_fills(desk: &Desk) -> Money {
    let mut cash: Money = "10000.00".parse().unwrap();
    let mut executed = std::collections::BTreeMap::<_, Value>::new();
    for row in desk.fills(None).0 {
        let before = executed.entry(row.order).or_default();
        let after = before.add(row.fill.value()).unwrap();
        let amount = booked_amount(*before, after).unwrap();
        *before = after;
        cash = cash.sub(row.fill.fee).unwrap();
        cash = match row.side {
            evenkeel_domain::order::Side::Buy => cash.sub(amount),
            evenkeel_domain::order::Side::Sell => cash.add(amount),
        }
        .unwrap();
    }
    cash
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn no_order_costs_more_than_declared(
        seed: u64, buy: bool, quantity in 1_u64..9_000_000_000, price in 1_u64..1_000_000_000_000,
        slippage_bps in 0_u32..500, bps in 0_u32..200, per_order in 0_i64..300, minimum in 0_i64..300,
    ) {
        let cents = |count| Money::from_cents(count).unwrap();
        let charged = Costs { bps, per_order: cents(per_order), minimum: cents(minimum) };
        let profile = Profile { slippage_bps, fees: charged, partial_fills: Chance::per_mille(700), ..Profile::ideal() };
        let desk = Desk::seeded(profile, seed);
        desk.broker.deposit(&desk.account, "90000.00".parse().unwrap()).unwrap();
        let (board, quantity) = (Price::from_nanos(price).unwrap(), Quantity::from_nanos(u128::from(quantity)).unwrap());
        desk.broker.set_price(symbol("AAPL"), board);
        let before = desk.broker.ledger(&desk.account).unwrap().cash;
        let text = format!("{} {quantity} AAPL @ {board}", if buy { "buy" } else { "sell" });
        desk.place(&order(1, &text));
        let truth = desk.broker.ledger(&desk.account).unwrap();
        prop_assert_eq!(truth.orders[0].filled(), quantity);
        let moved = truth.cash.sub(before).unwrap().to_value();
        let worth = board.times(quantity);
        let cost = if buy { worth.add(moved).unwrap().negate() } else { worth.sub(moved).unwrap() };
        let declared = desk.broker.capabilities().costs.of(worth).unwrap().to_value();
        // Where nothing is declared the amount itself is still rounded to the cent.
        let free = if desk.broker.capabilities().costs.is_free() { Money::CENT.to_value() } else { Value::ZERO };
        prop_assert!(cost <= declared.add(free).unwrap(), "{} costs {} of {}", text, cost, declared);
        prop_assert_eq!(cash_by_the_fills(&desk).add("90000.00".parse().unwrap()).unwrap(), truth.cash);
        prop_assert!(cost.to_money(Rounding::Down).is_ok());
        desk.conserved();
    }
}
