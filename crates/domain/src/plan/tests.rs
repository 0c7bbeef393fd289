//! Plans as text, from first purchase to leaving a holding. Limits of the broker, funding, the certificate and what holds
//! for every plan have files of their own.

#![expect(clippy::arithmetic_side_effects, reason = "figures of tests stay far from the limits of their types")]

mod again;
mod certificates;
mod funding;
mod limits;
mod properties;

use super::certificate::verify;
use super::{Plan, PlanError, Stages, Trigger};
use crate::books::{Market, Prices};
use crate::testing::{Scene, read};
use crate::values::Timestamp;
use expect_test::{Expect, expect};
use std::fmt::Write;
use std::time::Duration;

/// Checks a plan as text, and that its certificate holds.
fn check(scene: &Scene, trigger: Trigger, expected: &Expect) {
    let plan = scene.plan(trigger).unwrap();
    expected.assert_eq(&written(&plan));
    assert_eq!(scene.at_venue(|venue| verify(&plan, &scene.valuation().unwrap(), venue)), Ok(()));
}

fn written(plan: &Plan) -> String {
    let mut text = String::new();
    let out: Vec<String> = plan.assessment.breaches.iter().map(|breach| breach.target.to_string()).collect();
    let total = if plan.assessment.total_breached { " in total" } else { "" };
    writeln!(text, "drift {}{total} [{}], {:?}", plan.assessment.drift, out.join(" "), plan.stages).unwrap();
    for leg in &plan.legs {
        let terms = leg.terms;
        write!(text, "{} {} {} {} @ {}", leg.number, terms.side, terms.symbol, terms.quantity, terms.reference)
            .unwrap();
        write!(text, " = {}", leg.amount).unwrap();
        for (flag, note) in [(terms.exit, ", exit"), (leg.shrunk, ", shrunk")] {
            text.push_str(if flag { note } else { "" });
        }
        writeln!(text, "{}", if leg.cost.is_zero() { String::new() } else { format!(", cost {}", leg.cost) }).unwrap();
    }
    for skip in &plan.skipped {
        writeln!(text, "- {}: {}", skip.symbol, skip.reason).unwrap();
    }
    for row in plan.weights().unwrap() {
        writeln!(text, "{}: {} -> {} of {}", row.target, row.before, row.after, row.goal).unwrap();
    }
    let Plan { turnover, cost, worthwhile, certificate, .. } = plan;
    let held_back = plan.valuation.held_back;
    writeln!(text, "turnover {turnover}, cost {cost}, held back {held_back}, worthwhile {worthwhile}").unwrap();
    writeln!(text, "lowest cash {}, shortfall {}", certificate.lowest_cash, certificate.shortfall).unwrap();
    text
}

fn thirds() -> Scene {
    Scene::of("META 83.325 @ 440 33.33\n AAPL 202 @ 165 33.33\n MSFT 100 @ 333.40 33.34")
}

#[test]
fn the_worked_example_to_the_cent() {
    check(
        &thirds(),
        Trigger::Band,
        &expect![[r#"
        drift 6.4520 [META], SellsFirst
        0 sell META 5.0502525 @ 440 = 2222.11
        1 buy AAPL 6.73266 @ 165 = 1110.89
        2 buy MSFT 3.333 @ 333.4 = 1111.22
        AAPL: 32.2549 -> 33.3300 of 33.3300
        META: 35.4804 -> 33.3300 of 33.3300
        MSFT: 32.2646 -> 33.3400 of 33.3400
        turnover 4444.22, cost 0.00, held back 0.00, worthwhile true
        lowest cash 0.00, shortfall 0.00
    "#]],
    );
}

#[test]
fn inside_its_band_nothing_is_done_unless_asked() {
    let scene = thirds().measure("absolute 5");
    check(
        &scene,
        Trigger::Band,
        &expect![[r#"
        drift 2.1504 [], Together
        AAPL: 32.2549 -> 32.2549 of 33.3300
        META: 35.4804 -> 35.4804 of 33.3300
        MSFT: 32.2646 -> 32.2646 of 33.3400
        turnover 0.00, cost 0.00, held back 0.00, worthwhile false
        lowest cash 0.00, shortfall 0.00
    "#]],
    );
    let asked = scene.plan(Trigger::Now).unwrap();
    assert_eq!(asked.legs, thirds().plan(Trigger::Band).unwrap().legs);
    assert!(asked.worthwhile);
}

#[test]
fn at_its_targets_there_is_nothing_to_ask_for() {
    let scene = Scene::of("A 5 @ 10 50\n B 25 @ 1 25\n CASH 25.00 25").measure("absolute 0");
    check(
        &scene,
        Trigger::Now,
        &expect![[r#"
        drift 0.0000 [], Together
        CASH: 25.0000 -> 25.0000 of 25.0000
        A: 50.0000 -> 50.0000 of 50.0000
        B: 25.0000 -> 25.0000 of 25.0000
        turnover 0.00, cost 0.00, held back 0.00, worthwhile false
        lowest cash 25.00, shortfall 0.00
    "#]],
    );
}

#[test]
fn the_first_purchase_comes_from_cash() {
    let scene = Scene::of("A 0 @ 400 33.33\n B 0 @ 165 33.33\n C 0 @ 333.40 23.34\n CASH 100000.00 10");
    check(
        &scene,
        Trigger::Band,
        &expect![[r#"
        drift 900.0000 [CASH A B C], Together
        0 buy A 83.325 @ 400 = 33330.00
        1 buy B 202 @ 165 = 33330.00
        2 buy C 70.0059988 @ 333.4 = 23340.00
        CASH: 100.0000 -> 10.0000 of 10.0000
        A: 0.0000 -> 33.3300 of 33.3300
        B: 0.0000 -> 33.3300 of 33.3300
        C: 0.0000 -> 23.3400 of 23.3400
        turnover 90000.00, cost 0.00, held back 0.00, worthwhile true
        lowest cash 10000.00, shortfall 0.00
    "#]],
    );
}

#[test]
fn leaving_a_holding_sells_all_of_it_however_little() {
    // Less than the minimum order, and no whole lot.
    let scene = Scene::of("A 100 @ 10 100\n B 0.003 @ 7").lot("1");
    check(
        &scene,
        Trigger::Band,
        &expect![[r#"
        drift 0.0021 [B], Together
        0 sell B 0.003 @ 7 = 0.02, exit
        - A: less than one lot of 1
        CASH: 0.0000 -> 0.0020 of 0.0000
        A: 99.9979 -> 99.9980 of 100.0000
        B: 0.0021 -> 0.0000 of 0.0000
        turnover 0.02, cost 0.00, held back 0.00, worthwhile true
        lowest cash 0.00, shortfall 0.00
    "#]],
    );
}

#[test]
fn a_holding_worth_nothing_in_cents_is_left_all_the_same() {
    let scene = Scene::of("A 100 @ 10 100\n B 0.000000001 @ 7");
    check(
        &scene,
        Trigger::Band,
        &expect![[r#"
        drift 0.0000 [B], Together
        0 sell B 0.000000001 @ 7 = 0.00, exit
        A: 100.0000 -> 100.0000 of 100.0000
        B: 0.0000 -> 0.0000 of 0.0000
        turnover 0.00, cost 0.00, held back 0.00, worthwhile true
        lowest cash 0.00, shortfall 0.00
    "#]],
    );
}

#[test]
fn one_breach_brings_everything_back() {
    // Only C is out: A and B are inside their bands and are traded all the same.
    let scene = Scene::of("A 410 @ 1 40\n B 485 @ 1 50\n C 105 @ 1 10").measure("relative 4");
    check(
        &scene,
        Trigger::Band,
        &expect![[r#"
        drift 5.0000 [C], SellsFirst
        0 sell A 10 @ 1 = 10.00
        1 sell C 5 @ 1 = 5.00
        2 buy B 15 @ 1 = 15.00
        A: 41.0000 -> 40.0000 of 40.0000
        B: 48.5000 -> 50.0000 of 50.0000
        C: 10.5000 -> 10.0000 of 10.0000
        turnover 30.00, cost 0.00, held back 0.00, worthwhile true
        lowest cash 0.00, shortfall 0.00
    "#]],
    );
}

#[test]
fn going_into_cash_is_a_target_like_any_other() {
    let scene = Scene::of("A 60 @ 1 30\n B 40 @ 1 30\n CASH 0.00 40");
    check(
        &scene,
        Trigger::Band,
        &expect![[r#"
        drift 100.0000 [CASH A B], Together
        0 sell A 30 @ 1 = 30.00
        1 sell B 10 @ 1 = 10.00
        CASH: 0.0000 -> 40.0000 of 40.0000
        A: 60.0000 -> 30.0000 of 30.0000
        B: 40.0000 -> 30.0000 of 30.0000
        turnover 40.00, cost 0.00, held back 0.00, worthwhile true
        lowest cash 0.00, shortfall 0.00
    "#]],
    );
    let all = Scene::of("A 60 @ 1\n B 40 @ 1\n CASH 0.00 100");
    check(
        &all,
        Trigger::Band,
        &expect![[r#"
        drift 100.0000 [CASH A B], Together
        0 sell A 60 @ 1 = 60.00, exit
        1 sell B 40 @ 1 = 40.00, exit
        CASH: 0.0000 -> 100.0000 of 100.0000
        A: 60.0000 -> 0.0000 of 0.0000
        B: 40.0000 -> 0.0000 of 0.0000
        turnover 100.00, cost 0.00, held back 0.00, worthwhile true
        lowest cash 0.00, shortfall 0.00
    "#]],
    );
}

#[test]
fn a_buffer_is_built_up_by_selling_and_never_spent() {
    let short = Scene::of("A 50 @ 1 50\n B 50 @ 1 50").buffer("10.00");
    check(
        &short,
        Trigger::Band,
        &expect![[r#"
        drift 11.1111 [A B], Together
        0 sell A 5 @ 1 = 5.00
        1 sell B 5 @ 1 = 5.00
        CASH: -11.1111 -> 0.0000 of 0.0000
        A: 55.5556 -> 50.0000 of 50.0000
        B: 55.5556 -> 50.0000 of 50.0000
        turnover 10.00, cost 0.00, held back 10.00, worthwhile true
        lowest cash 0.00, shortfall 0.00
    "#]],
    );
    let enough = Scene::of("A 0 @ 1 50\n B 0 @ 1 50\n CASH 110.00").buffer("10.00");
    check(
        &enough,
        Trigger::Band,
        &expect![[r#"
        drift 100.0000 [A B], Together
        0 buy A 50 @ 1 = 50.00
        1 buy B 50 @ 1 = 50.00
        CASH: 100.0000 -> 0.0000 of 0.0000
        A: 0.0000 -> 50.0000 of 50.0000
        B: 0.0000 -> 50.0000 of 50.0000
        turnover 100.00, cost 0.00, held back 10.00, worthwhile true
        lowest cash 10.00, shortfall 0.00
    "#]],
    );
}

#[test]
fn all_legs_go_together_when_free_cash_pays_for_the_buys() {
    let cases = [
        // 20.00 of B are bought with as much free cash, or with a cent less.
        ("A 60 @ 1 40\n B 20 @ 1 40\n CASH 20.00 20", Stages::Together),
        ("A 60.01 @ 1 40\n B 20 @ 1 40\n CASH 19.99 20", Stages::SellsFirst),
        ("A 40 @ 1 20\n B 0 @ 1 20\n CASH 60.00 60", Stages::Together),
        // Without sells there is nothing to wait for, without buys nothing to pay.
        ("A 50 @ 1 60\n CASH 50.00 40", Stages::Together),
        ("A 110 @ 1 100\n CASH -10.00", Stages::Together),
        ("A 100 @ 1 50\n B 10 @ 1 50\n CASH -10.00", Stages::SellsFirst),
    ];
    for (lines, expected) in cases {
        assert_eq!(Scene::of(lines).measure("absolute 0").plan(Trigger::Band).unwrap().stages, expected, "{lines}");
    }
    // What the broker reserves on top of a buy must be there, too.
    let mut reserving = Scene::of("A 60 @ 1 40\n B 20 @ 1 40\n CASH 20.00 20").measure("absolute 0");
    reserving.capabilities.collar_bps = 1;
    check(
        &reserving,
        Trigger::Band,
        &expect![[r#"
        drift 20.0000 [A B], SellsFirst
        0 sell A 20 @ 1 = 20.00
        1 buy B 20 @ 1 = 20.00
        CASH: 20.0000 -> 20.0000 of 20.0000
        A: 60.0000 -> 40.0000 of 40.0000
        B: 20.0000 -> 40.0000 of 40.0000
        turnover 40.00, cost 0.00, held back 0.00, worthwhile true
        lowest cash 20.00, shortfall 0.00
    "#]],
    );
}

#[test]
fn only_a_leg_of_what_is_out_is_worth_a_batch() {
    // A is out by less than the minimum: what remains would only trim what is inside.
    let scene = Scene::of("A 1.5 @ 1 1\n B 38.5 @ 1 40\n C 60 @ 1 59").minimum("0.75");
    check(
        &scene,
        Trigger::Band,
        &expect![[r#"
        drift 50.0000 [A], SellsFirst
        0 sell C 1 @ 1 = 1.00
        1 buy B 1 @ 1 = 1.00, shrunk
        - A: worth 0.50, less than the minimum order of 0.75
        A: 1.5000 -> 1.5000 of 1.0000
        B: 38.5000 -> 39.5000 of 40.0000
        C: 60.0000 -> 59.0000 of 59.0000
        turnover 2.00, cost 0.00, held back 0.00, worthwhile false
        lowest cash 0.00, shortfall 0.00
    "#]],
    );
    assert!(scene.plan(Trigger::Now).unwrap().worthwhile);
    let lower = scene.clone().minimum("0.50").plan(Trigger::Band).unwrap();
    assert!(lower.worthwhile);
    // Under total, and where cash is out, any leg counts.
    assert!(scene.clone().measure("total 0.5").plan(Trigger::Band).unwrap().worthwhile);
    let cash = Scene::of("A 59 @ 1 60\n CASH 41.00 40").measure("relative 2");
    check(
        &cash,
        Trigger::Band,
        &expect![[r#"
        drift 2.5000 [CASH], Together
        0 buy A 1 @ 1 = 1.00
        CASH: 41.0000 -> 40.0000 of 40.0000
        A: 59.0000 -> 60.0000 of 60.0000
        turnover 1.00, cost 0.00, held back 0.00, worthwhile true
        lowest cash 40.00, shortfall 0.00
    "#]],
    );
}

#[test]
fn what_cannot_be_planned_says_why() {
    let mut unpriced = thirds();
    unpriced.prices = Prices::default();
    let many: String = (0..4_097).map(|n| format!("X{n} 1 @ 1\n")).collect();
    let cases = [
        (unpriced, "there is no price for AAPL"),
        (
            Scene::of("CASH 0.00 100"),
            "there is nothing to invest: the portfolio is worth 0, of which 0.00 are held back",
        ),
        (Scene::of(&format!("{many} CASH 0.00 100")), "the plan needs 4097 legs: a batch holds at most 4096"),
        (Scene::of("A 0 @ 0.000000001 100\n CASH 9999999999999999.99"), "sizing the order for A at 0.000000001"),
        (
            Scene::of("A 999999999999999999 @ 9999999999\n CASH 0.00 100"),
            "rounding 9999999998999999990000000001 to cents leaves the range of an amount of money, \
             whose maximum is ±9999999999999999.99",
        ),
    ];
    for (scene, expected) in cases {
        assert_eq!(scene.plan(Trigger::Now).unwrap_err().to_string(), expected);
    }
    let error = Scene::of("A 0 @ 0.000000001 100\n CASH 9999999999999999.99").plan(Trigger::Now).unwrap_err();
    let PlanError::Quantity { symbol, cause, .. } = error else { panic!("{error}") };
    assert_eq!(symbol, read("A"));
    assert!(cause.to_string().ends_with("whose maximum is 999999999999999999.999999999"), "{cause}");
    let old = thirds();
    let now = Timestamp::EPOCH.plus(Duration::from_secs(61));
    let market = Market { prices: &old.prices, now, max_age: Some(Duration::from_secs(60)) };
    let error = old.plan_in(market, Trigger::Now).unwrap_err();
    assert_eq!(error.to_string(), "the price of AAPL is 61 s old: at most 60 s are allowed");
    let most: String = (0..4_096).map(|n| format!("X{n} 1 @ 1\n")).collect();
    assert_eq!(Scene::of(&format!("{most} CASH 0.00 100")).plan(Trigger::Band).unwrap().legs.len(), 4_096);
}
