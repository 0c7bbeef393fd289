//! Buys that are short of cash: the common factor, the last steps, and what falls below the minimum.

use crate::order::{Costs, Side, Terms};
use crate::plan::fund::{Bought, Buy, Funded, Funding, fund};
use crate::testing::strategies::{any_money, any_prices, any_quantities, cases, cents, lots, nth};
use crate::testing::{read, units};
use crate::values::{Lot, Money, Price, Quantity, Rounding};
use proptest::prelude::*;

/// Funding without costs, for orders of a cent and more.
fn cash(available: &str) -> Funding {
    Funding { available: read(available), costs: Costs::FREE, collar_bps: 0, minimum: Money::CENT }
}

fn buy(line: &str) -> Buy {
    let [symbol, quantity, "@", price, ref lot @ ..] = line.split_whitespace().collect::<Vec<_>>()[..] else {
        panic!("no buy: {line}")
    };
    let terms =
        Terms { symbol: read(symbol), side: Side::Buy, quantity: read(quantity), reference: read(price), exit: false };
    Buy { terms, lot: lot.first().map_or(Lot::FINEST, |lot| read(lot)) }
}

/// Checks what is bought of `A 10 @ 1.50 0.1, …`: quantity and amount of each, and what is dropped with what was left.
fn check(buys: &str, funding: Funding, expected: &str) {
    let buys: Vec<Buy> = buys.split(',').map(buy).collect();
    let Funded { bought, dropped, .. } = fund(&buys, funding).unwrap();
    let mut found: Vec<String> = Vec::new();
    for Bought { terms, amount, cost, shrunk } in bought {
        let note = if shrunk { " shrunk" } else { "" };
        let cost = if cost.is_zero() { String::new() } else { format!(" + {cost}") };
        found.push(format!("{} {} = {amount}{cost}{note}", terms.symbol, terms.quantity));
    }
    found.extend(dropped.into_iter().map(|(symbol, reason)| format!("- {symbol} {reason}")));
    assert_eq!(found.join(", "), expected, "{buys:?}");
}

#[test]
fn what_is_there_is_spent_and_no_more() {
    for (available, expected) in [
        ("100.00", "A 60 = 60.00, B 40 = 40.00"),
        ("100.01", "A 60 = 60.00, B 40 = 40.00"),
        ("50.00", "A 30 = 30.00 shrunk, B 20 = 20.00 shrunk"),
        ("99.99", "A 59.994 = 59.99 shrunk, B 39.996 = 40.00 shrunk"),
        ("0.05", "A 0.03 = 0.03 shrunk, B 0.02 = 0.02 shrunk"),
    ] {
        check("A 60 @ 1, B 40 @ 1", cash(available), expected);
    }
}

#[test]
fn without_cash_nothing_is_bought() {
    let nothing = "- A shrunk to 0.00 for want of cash, less than the minimum order of 0.01, \
                   - B shrunk to 0.00 for want of cash, less than the minimum order of 0.01";
    for available in ["0.00", "-0.01", "-9999999999999999.99"] {
        check("A 60 @ 1, B 40 @ 1", cash(available), nothing);
    }
    // Nor is an order made for nothing where the least is nothing.
    let free = Funding { minimum: Money::ZERO, ..cash("0.00") };
    check("A 60 @ 1", free, "- A shrunk to 0.00 for want of cash, less than the minimum order of 0.00");
    let costly = Funding { costs: Costs { minimum: read("1.00"), ..Costs::FREE }, ..cash("1.00") };
    check("A 60 @ 1", costly, "- A shrunk to 0.00 for want of cash, less than the minimum order of 0.01");
}

#[test]
fn quantities_shrink_by_one_factor_and_are_truncated() {
    // 2/3 of each, to the billionth and to the lot.
    check("A 1 @ 1, B 2 @ 1", cash("2.00"), "A 0.666666666 = 0.67 shrunk, B 1.333333333 = 1.33 shrunk");
    check("A 1 @ 1 0.1, B 2 @ 1 0.5", cash("2.00"), "A 0.6 = 0.60 shrunk, B 1 = 1.00 shrunk");
    check("A 30 @ 1 0.7, B 2 @ 35 1", cash("99.99"), "A 29.4 = 29.40 shrunk, B 1 = 35.00 shrunk");
}

#[test]
fn the_largest_is_lowered_by_the_fewest_steps() {
    // Three times 0.335 is 1.005: booked as 0.34 each, though 1.01 would be enough for it.
    check(
        "A 0.335 @ 1, B 0.335 @ 1, C 0.335 @ 1",
        cash("1.01"),
        "A 0.334999999 = 0.33 shrunk, B 0.335 = 0.34, C 0.335 = 0.34",
    );
    // The largest by worth, not by units.
    check(
        "A 0.335 @ 1, B 0.0674 @ 5, C 0.335 @ 1",
        cash("1.01"),
        "A 0.335 = 0.34, B 0.066999999 = 0.33 shrunk, C 0.335 = 0.34",
    );
    // One step would not do: 0.345 is booked as 0.34 already.
    check(
        "A 0.345 @ 1, B 0.015 @ 1, C 0.015 @ 1, D 0.015 @ 1",
        cash("0.39"),
        "A 0.334999999 = 0.33 shrunk, B 0.015 = 0.02, C 0.015 = 0.02, D 0.015 = 0.02",
    );
    // Seven cents in all, of which each half is booked as the even cent: eight.
    check(
        "A 3 @ 0.005 1, B 3 @ 0.005 1, C 3 @ 0.005 1, D 5 @ 0.005 1",
        Funding { minimum: Money::ZERO, ..cash("0.07") },
        "A 3 = 0.02, B 3 = 0.02, C 3 = 0.02, D 2 = 0.01 shrunk",
    );
    // In lots, too.
    check("A 3.35 @ 0.1 0.05, B 3.35 @ 0.1 0.05", cash("0.67"), "A 3.3 = 0.33 shrunk, B 3.35 = 0.34");
}

#[test]
fn what_falls_below_the_minimum_is_dropped_and_leaves_its_share_to_the_others() {
    let least = |available, minimum| Funding { minimum: read(minimum), ..cash(available) };
    let dropped = "- B shrunk to 0.83 for want of cash, less than the minimum order of 1.00";
    check("A 10 @ 1, B 2 @ 1", least("5.00", "1.00"), &format!("A 5 = 5.00 shrunk, {dropped}"));
    // Enough for all of A, once B is out of the way.
    let dropped = "- B shrunk to 1.83 for want of cash, less than the minimum order of 2.00";
    check("A 10 @ 1, B 2 @ 1", least("11.00", "2.00"), &format!("A 10 = 10.00, {dropped}"));
    // Exactly the minimum is enough.
    check("A 10 @ 1, B 2 @ 1", least("6.00", "1.00"), "A 5 = 5.00 shrunk, B 1 = 1.00 shrunk");
    // What was small from the start and did not shrink is not for this step to judge.
    check("A 0.50 @ 1", least("6.00", "1.00"), "A 0.5 = 0.50");
}

#[test]
fn costs_come_first() {
    let costs = Costs { bps: 100, per_order: read("0.10"), minimum: Money::ZERO };
    let with = |available| Funding { costs, ..cash(available) };
    check("A 60 @ 1, B 40 @ 1", with("101.20"), "A 60 = 60.00 + 0.70, B 40 = 40.00 + 0.50");
    // The costs of all that is wanted are set aside: 100.00 of 101.20 less 1.20, and what is left is bought.
    check("A 60 @ 1, B 40 @ 1", with("51.20"), "A 30 = 30.00 + 0.40 shrunk, B 20 = 20.00 + 0.30 shrunk");
    check("A 60 @ 1, B 40 @ 1", with("101.19"), "A 59.994 = 59.99 + 0.70 shrunk, B 39.996 = 40.00 + 0.50 shrunk");
}

#[test]
fn what_a_broker_reserves_on_top_must_fit_as_well() {
    let with = |available| Funding { collar_bps: 250, ..cash(available) };
    check("A 60 @ 1, B 40 @ 1", with("102.50"), "A 60 = 60.00, B 40 = 40.00");
    check("A 60 @ 1, B 40 @ 1", with("51.25"), "A 30 = 30.00 shrunk, B 20 = 20.00 shrunk");
    check("A 60 @ 1, B 40 @ 1", with("102.49"), "A 59.994146341 = 59.99 shrunk, B 39.99609756 = 40.00 shrunk");
    let costly = Funding { costs: Costs { bps: 100, ..Costs::FREE }, ..with("103.50") };
    check("A 60 @ 1, B 40 @ 1", costly, "A 60 = 60.00 + 0.60, B 40 = 40.00 + 0.40");
    assert_eq!(fund(&[buy("A 60 @ 1"), buy("B 40 @ 1")], costly).unwrap().taken, read("103.50"));
    // Each reservation is rounded up to the cent.
    assert_eq!(fund(&[buy("A 1 @ 1.01")], with("9.00")).unwrap().taken, read("1.04"));
}

/// Cents that a buy takes of the cash while it is open.
fn takes(quantity: Quantity, price: Price, funding: &Funding) -> i64 {
    let value = price.times(quantity);
    let amount = value.to_money(Rounding::HalfEven).unwrap().cents();
    let cost = if quantity.is_zero() { 0 } else { funding.costs.of(value).unwrap().cents() };
    let collar = Costs { bps: funding.collar_bps, ..Costs::FREE }.of(value).unwrap().cents();
    amount + cost + collar
}

/// A few buys of few lots, with available cash near what they need.
fn short_buys() -> impl Strategy<Value = (Vec<Buy>, Funding)> {
    let price = prop_oneof![1..=9_u64, 1..=2_000_u64].prop_map(|mills| Price::from_nanos(mills * 1_000_000).unwrap());
    let lot = prop::sample::select(["0.5", "1", "2.5"].as_slice()).prop_map(read::<Lot>);
    let buy = (price, lot, 1..=40_u128).prop_map(|(reference, lot, count)| {
        let quantity = units(lot.size().nanos() * count);
        (Terms { symbol: nth(0), side: Side::Buy, quantity, reference, exit: false }, lot)
    });
    let costs = prop_oneof![
        Just(Costs::FREE),
        (0..=100_u32, 0..=3_i64, 0..=5_i64)
            .prop_map(|(bps, each, least)| { Costs { bps, per_order: cents(each), minimum: cents(least) } })
    ];
    let rules = (costs, prop_oneof![Just(0), 0..=500_u32], 1..=30_i64).prop_map(|(costs, collar_bps, minimum)| {
        Funding { available: Money::ZERO, costs, collar_bps, minimum: cents(minimum) }
    });
    (prop::collection::vec(buy, 1..6), rules, 0..=1_100_i64).prop_map(|(buys, funding, permille)| {
        let number =
            |(place, (terms, lot)): (usize, (Terms, Lot))| Buy { terms: Terms { symbol: nth(place), ..terms }, lot };
        let buys: Vec<Buy> = buys.into_iter().enumerate().map(number).collect();
        let wanted: i64 = buys.iter().map(|b| takes(b.terms.quantity, b.terms.reference, &funding)).sum();
        (buys, Funding { available: cents(wanted * permille / 1_000), ..funding })
    })
}

/// By the definition, step by step: one lot less of the largest, until it fits.
fn step_by_step(buys: &[Buy], funding: &Funding) -> Vec<Quantity> {
    let wanted = |buy: &Buy| buy.terms.quantity;
    let taken = |sized: &[Quantity]| -> i64 {
        sized.iter().zip(buys).map(|(q, buy)| takes(*q, buy.terms.reference, funding)).sum()
    };
    let available = funding.available.cents();
    let mut sized: Vec<Quantity> = buys.iter().map(wanted).collect();
    if taken(&sized) <= available {
        return sized;
    }
    let value: u128 = buys.iter().map(|b| u128::from(b.terms.reference.nanos()) * wanted(b).nanos()).sum();
    let value = value + (value * u128::from(funding.collar_bps)).div_ceil(10_000);
    let costs: i64 = buys.iter().map(|b| funding.costs.of(b.terms.value()).unwrap().cents()).sum();
    let left = u128::try_from((available - costs).max(0)).unwrap() * crate::testing::CENT;
    if left < value {
        sized = buys.iter().map(|buy| units(wanted(buy).nanos() * left / value).floor_to(buy.lot)).collect();
    }
    let mut lowered = None;
    while taken(&sized) > available {
        let worth = |n: usize| buys[n].terms.reference.times(sized[n]);
        // Once lowered, a buy stays the one that is lowered until nothing of it is left.
        let largest =
            || (0..buys.len()).filter(|n| !sized[*n].is_zero()).max_by_key(|n| (worth(*n), std::cmp::Reverse(*n)));
        let Some(n) = lowered.filter(|n: &usize| !sized[*n].is_zero()).or_else(largest) else { break };
        sized[n] = sized[n].sub(buys[n].lot.size()).unwrap();
        lowered = Some(n);
    }
    sized
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn buys_are_sized_as_if_lowered_step_by_step((buys, funding) in short_buys()) {
        let mut buys = buys;
        let mut dropped = Vec::new();
        let sized = loop {
            let sized = step_by_step(&buys, &funding);
            let too_small = |buy: &Buy, q: Quantity| {
                let amount = buy.terms.reference.times(q).to_money(Rounding::HalfEven).unwrap();
                q < buy.terms.quantity && (amount < funding.minimum || q.is_zero())
            };
            let (out, kept): (Vec<_>, Vec<_>) = buys.iter().zip(&sized).partition(|(buy, q)| too_small(buy, **q));
            if out.is_empty() {
                break sized;
            }
            dropped.extend(out.iter().map(|(buy, _)| buy.terms.symbol));
            buys = kept.iter().map(|(buy, _)| **buy).collect();
        };
        let funded = fund(&buys, funding).unwrap();
        let quantities: Vec<Quantity> = funded.bought.iter().map(|bought| bought.terms.quantity).collect();
        prop_assert_eq!(quantities, sized);
    }

    #[test]
    fn no_more_is_spent_than_there_is((buys, funding) in short_buys()) {
        let Funded { bought, taken, dropped } = fund(&buys, funding).unwrap();
        let by_hand = bought.iter().map(|b| takes(b.terms.quantity, b.terms.reference, &funding)).sum();
        prop_assert_eq!(taken, cents(by_hand));
        prop_assert!(taken <= funding.available.max(Money::ZERO));
        prop_assert_eq!(bought.len() + dropped.len(), buys.len());
        for buy in &buys {
            let Some(found) = bought.iter().find(|b| b.terms.symbol == buy.terms.symbol) else { continue };
            prop_assert!(found.terms.quantity <= buy.terms.quantity);
            prop_assert!(found.terms.quantity.is_multiple_of(buy.lot));
            prop_assert_eq!(found.shrunk, found.terms.quantity < buy.terms.quantity);
            prop_assert!(!found.shrunk || found.amount >= funding.minimum);
        }
    }

    #[test]
    fn nothing_that_can_be_asked_for_panics(
        buys in prop::collection::vec((any_prices(), any_quantities(), lots()), 0..5),
        available in any_money(),
        minimum in any_money(),
        costs in (any::<u32>(), any_money(), any_money()),
        collar_bps in prop_oneof![Just(0), any::<u32>()],
    ) {
        let buys: Vec<Buy> = buys.into_iter().enumerate().map(|(place, (reference, quantity, lot))| {
            Buy { terms: Terms { symbol: nth(place), side: Side::Buy, quantity, reference, exit: false }, lot }
        }).collect();
        let (bps, per_order, least) = costs;
        for costs in [Costs::FREE, Costs { bps, per_order, minimum: least }] {
            if let Ok(funded) = fund(&buys, Funding { available, costs, collar_bps, minimum }) {
                prop_assert_eq!(funded.bought.len() + funded.dropped.len(), buys.len());
            }
        }
    }
}
