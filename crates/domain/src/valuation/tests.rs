//! What a portfolio is worth and what of it is held back, by example and against unbounded fractions.

use super::{ReserveRule, Valuation, ValuationError};
use crate::books::{Market, NoPrice};
use crate::order::Costs;
use crate::testing::oracle::{self, Facts};
use crate::testing::strategies::{cases, scenes_at_brokers};
use crate::testing::{Scene, read};
use crate::values::{Money, Timestamp};
use proptest::prelude::*;
use std::time::Duration;

/// Checks what a scene is worth, what of it is held back, and what is left to invest.
fn check(scene: &Scene, total: &str, held_back: &str, investable: &str) {
    let found = scene.valuation().unwrap();
    let texts = [found.total.to_string(), found.held_back.to_string(), found.investable.to_string()];
    assert_eq!(texts, [total, held_back, investable], "{scene:?}");
    let free = read::<Money>(held_back).negate().add(scene.books.cash).unwrap();
    assert_eq!(found.free_cash(), Ok(free));
}

fn thirds() -> Scene {
    Scene::of("META 83.325 @ 440 33.33\n AAPL 202 @ 165 33.33\n MSFT 100 @ 333.40 33.34")
}

#[test]
fn a_value_is_exact_and_buffer_and_reserve_come_off_it() {
    check(&thirds(), "103333", "0.00", "103333");
    check(&thirds().buffer("1000.01"), "103333", "1000.01", "102332.99");
    check(
        &Scene::of("A 0.000000003 @ 0.000000007 100\n CASH 1.00"),
        "1.000000000000000021",
        "0.00",
        "1.000000000000000021",
    );
    check(&Scene::of("A 10 @ 10 50\n B 0 @ 3 50\n CASH -20.00"), "80", "0.00", "80");
}

#[test]
fn the_reserve_pays_for_trading_everything_there_and_back() {
    // Each is at most sold whole or bought from nothing: 36,663.00 of META, 34,440.89 of AAPL, 34,451.23 of MSFT.
    let priced = thirds().costs(10, "0.00", "0.00");
    check(&priced, "103333", "211.16", "103121.84"); // 2 × (36.67 + 34.45 + 34.46)
    check(&thirds().costs(0, "1.00", "0.00"), "103333", "6.00", "103327");
    // Half of 100 and the least that there is, at 1 %: whatever is over 0.50 makes it 0.51, twice for each of two.
    let over = Scene::of("A 0.000000001 @ 0.000000001 50\n B 0 @ 1 50\n CASH 100.00").costs(100, "0.00", "0.00");
    check(&over, "100.000000000000000001", "2.04", "97.960000000000000001");
    check(&thirds().costs(0, "0.00", "1.50"), "103333", "9.00", "103324");
    let rounded = |attempts| {
        let mut scene = thirds();
        (scene.capabilities.fills_rounded, scene.attempts) = (true, attempts);
        scene
    };
    check(&rounded(0), "103333", "0.00", "103333");
    check(&rounded(3), "103333", "0.09", "103332.91");
    check(&rounded(3).costs(0, "1.00", "0.00").buffer("0.90"), "103333", "6.99", "103326.01");
}

#[test]
fn a_buffer_below_zero_holds_nothing_back() {
    let mut scene = thirds();
    scene.policy.cash_buffer = read("-5.00");
    check(&scene, "103333", "0.00", "103333");
}

#[test]
fn without_a_price_or_anything_to_invest_there_is_no_value() {
    let cases = [
        (
            Scene::of("A 1 @ 10 100").buffer("10.00"),
            "there is nothing to invest: the portfolio is worth 10, of which 10.00 are held back",
        ),
        (
            Scene::of("A 1 @ 10 100").buffer("10.01"),
            "there is nothing to invest: the portfolio is worth 10, of which 10.01 are held back",
        ),
        (
            Scene::of("CASH 0.00 100"),
            "there is nothing to invest: the portfolio is worth 0, of which 0.00 are held back",
        ),
        (
            Scene::of("A 1 @ 10 100\n CASH -10.01"),
            "there is nothing to invest: the portfolio is worth -0.01, of which 0.00 are held back",
        ),
        (
            Scene::of("A 1 @ 10 100\n CASH 0.00").costs(0, "5.00", "0.00"),
            "there is nothing to invest: the portfolio is worth 10, of which 10.00 are held back",
        ),
    ];
    for (scene, expected) in cases {
        assert_eq!(scene.valuation().unwrap_err().to_string(), expected, "{scene:?}");
    }
    let smallest = Scene::of("A 1 @ 10.000000001 100").buffer("10.00").valuation().unwrap();
    assert_eq!(smallest.investable, read("0.000000001"));

    let mut unpriced = thirds();
    unpriced.prices = thirds().prices.iter().filter(|(symbol, _)| *symbol != read("META")).collect();
    let missing = ValuationError::NoPrice(NoPrice::Missing { symbol: read("META") });
    assert_eq!(unpriced.valuation(), Err(missing));
}

#[test]
fn every_price_must_be_fresh_and_others_do_not_matter() {
    let scene = thirds();
    let value_at = |seconds| {
        let now = Timestamp::EPOCH.plus(Duration::from_secs(seconds));
        let market = Market { prices: &scene.prices, now, max_age: Some(Duration::from_secs(60)) };
        Valuation::new(&scene.books, &scene.allocation, &scene.policy, market, ReserveRule::NONE)
    };
    assert!(value_at(60).is_ok());
    assert_eq!(value_at(61).unwrap_err().to_string(), "the price of AAPL is 61 s old: at most 60 s are allowed");
}

#[test]
fn lines_are_holdings_and_targets_in_symbol_order() {
    let scene = Scene::of("D 1 @ 1\n B 0 @ 2 40\n C 2 @ 3 60\n A 5 @ 1\n E 0 @ 9");
    let valuation = scene.valuation().unwrap();
    let lines: Vec<String> =
        valuation.lines.iter().map(|l| format!("{} {} {} {}", l.symbol, l.quantity, l.value, l.target)).collect();
    assert_eq!(lines, ["A 5 5 0.0000", "B 0 0 40.0000", "C 2 6 60.0000", "D 1 1 0.0000"]);
    assert_eq!(valuation.line(read("C")).unwrap().price, read("3"));
    assert_eq!(valuation.line(read("E")), None);
}

#[test]
fn free_cash_beyond_money_is_refused() {
    let mut scene = Scene::of("A 999999999999999999 @ 9999999999 100").buffer("1.00");
    scene.books.cash = Money::MIN;
    assert!(scene.valuation().unwrap().free_cash().is_err());
    scene.capabilities.costs = Costs { bps: 1, ..Costs::FREE };
    assert!(matches!(scene.valuation(), Err(ValuationError::Overflow(_))));
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn figures_are_those_of_the_definition(scene in scenes_at_brokers()) {
        let facts = Facts::of(&scene);
        match scene.valuation() {
            Ok(valuation) => {
                prop_assert_eq!(oracle::value(valuation.total), facts.total);
                prop_assert_eq!(oracle::money(valuation.held_back), facts.held_back);
                prop_assert_eq!(oracle::value(valuation.investable), facts.investable);
            }
            Err(ValuationError::NothingToInvest { total, held_back }) => {
                prop_assert!(facts.investable <= oracle::Atoms::ZERO);
                prop_assert_eq!((oracle::value(total), oracle::money(held_back)), (facts.total, facts.held_back));
            }
            Err(error) => prop_assert!(false, "{error}"),
        }
    }
}
