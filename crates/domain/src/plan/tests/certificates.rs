//! That a certificate holds for every plan and for no other: each claim is broken by hand and must be found broken.

use super::thirds;
use crate::order::LegNumber;
use crate::plan::certificate::{Certificate, Fault, certify, verify};
use crate::plan::{Leg, Plan, Skip, SkipReason, Stages, Trigger};
use crate::testing::strategies::{cases, cents, scenes_at_brokers};
use crate::testing::{Scene, read, units};
use crate::values::{Lot, Money, Quantity, Rounding};
use proptest::prelude::*;

fn faults(scene: &Scene, plan: &Plan) -> Vec<Fault> {
    let valuation = scene.valuation().unwrap();
    scene.at_venue(|venue| verify(plan, &valuation, venue)).err().unwrap_or_default()
}

/// The same legs with every figure stated anew, as a planner with a fault would state them.
fn restated(scene: &Scene, mut plan: Plan) -> Plan {
    for (place, leg) in plan.legs.iter_mut().enumerate() {
        leg.number = LegNumber::new(place).unwrap();
        leg.amount = leg.terms.value().to_money(Rounding::HalfEven).unwrap();
        leg.cost = scene.capabilities.costs.of(leg.terms.value()).unwrap();
    }
    let sum = |figure: fn(&Leg) -> Money| Money::sum(plan.legs.iter().map(figure)).unwrap();
    let (turnover, cost) = (sum(|leg| leg.amount), sum(|leg| leg.cost));
    let valuation = scene.valuation().unwrap();
    let certificate = scene.at_venue(|venue| certify(&valuation, &plan.legs, venue)).unwrap();
    Plan { turnover, cost, certificate, worthwhile: plan.worthwhile && !plan.legs.is_empty(), ..plan }
}

fn worked() -> (Scene, Plan) {
    let scene = thirds();
    let plan = scene.plan(Trigger::Band).unwrap();
    (scene, plan)
}

/// Breaks the worked example, whose legs are: sell META, buy AAPL, buy MSFT. Checks every fault that is found.
fn check(break_it: impl FnOnce(&mut Plan), expected: &[&str]) {
    let (scene, mut plan) = worked();
    assert_eq!(faults(&scene, &plan), []);
    break_it(&mut plan);
    check_plan(&scene, &plan, expected);
}

fn check_plan(scene: &Scene, plan: &Plan, expected: &[&str]) {
    let found: Vec<String> = faults(scene, plan).iter().map(ToString::to_string).collect();
    assert_eq!(found, expected);
}

fn quantity(plan: &mut Plan, leg: usize, quantity: &str) {
    plan.legs[leg].terms.quantity = read(quantity);
}

#[test]
fn figures_must_be_true() {
    check(|plan| plan.certificate.lowest_cash = read("0.01"), &["the lowest cash is 0.00, not 0.01"]);
    check(|plan| plan.turnover = read("4444.21"), &["the turnover is 4444.22, not 4444.21"]);
    check(|plan| plan.cost = read("0.01"), &["the cost is 0.00, not 0.01"]);
    check(|plan| plan.valuation.held_back = read("0.01"), &["it was made from another valuation"]);
    check(|plan| plan.certificate.shortfall = read("0.01"), &["the shortfall of a restoration is 0.00, not 0.01"]);
    check(
        |plan| plan.certificate.restorable = false,
        &["a restoration lacks 0.00: whether it is covered is stated otherwise"],
    );

    let costly = thirds().costs(0, "1.00", "0.00");
    let mut plan = costly.plan(Trigger::Band).unwrap();
    plan.certificate.restorable = true;
    check_plan(&costly, &plan, &["a restoration lacks 6.00: whether it is covered is stated otherwise"]);
    plan.certificate.shortfall = Money::ZERO;
    check_plan(
        &costly,
        &plan,
        &[
            "the shortfall of a restoration is 6.00, not 0.00",
            "a restoration lacks 6.00: whether it is covered is stated otherwise",
        ],
    );
}

#[test]
fn legs_must_be_what_they_say() {
    let off = |cents| move |plan: &mut Plan| plan.legs[2].amount = plan.legs[2].amount.add(cents).unwrap();
    for (wrong, turnover, lowest) in [(Money::CENT, "4444.23", "-0.01"), (Money::CENT.negate(), "4444.21", "0.00")] {
        let (scene, mut plan) = worked();
        off(wrong)(&mut plan);
        plan.turnover = read(turnover);
        plan.certificate.lowest_cash = read(lowest);
        let amount = "the leg of MSFT is wrong: its amount is not price × quantity, rounded half-even";
        let found: Vec<String> = faults(&scene, &plan).iter().map(ToString::to_string).collect();
        assert_eq!(found[0], amount);
        assert_eq!(found.len(), if wrong.is_negative() { 1 } else { 2 }, "{found:?}");
    }
    check(
        |plan| {
            plan.legs[0].cost = read("0.01");
            plan.cost = read("0.01");
            plan.certificate = Certificate { lowest_cash: read("-0.01"), restorable: false, shortfall: read("0.02") };
        },
        &["the leg of META is wrong: its cost is not the declared one", "cash may fall to -0.01"],
    );
    check(
        |plan| plan.legs[1].terms.reference = read("165.000000001"),
        &[
            "the leg of AAPL is wrong: its price is not the valued one",
            "the leg of AAPL is wrong: it passes its target",
        ],
    );
    check(
        |plan| plan.legs[0].terms.exit = true,
        &["the leg of META is wrong: whether it leaves its holding is stated otherwise"],
    );
    check(|plan| plan.legs[0].shrunk = true, &["the leg of META is wrong: a sale never shrinks for want of cash"]);
    check(|plan| plan.legs[2].number = LegNumber::new(3).unwrap(), &["the leg of MSFT is out of order"]);
    check(
        |plan| plan.skipped.push(Skip { symbol: read("MSFT"), reason: SkipReason::BelowLot { lot: read("1") } }),
        &["the leg of MSFT is wrong: it is skipped, too"],
    );
    check(
        |plan| plan.legs[2].terms.symbol = read("NVDA"),
        &["the leg of NVDA is wrong: it is neither held nor a target", "MSFT stays off its target, unexplained"],
    );
}

#[test]
fn quantities_must_lead_to_the_target() {
    // One billionth off is less than a step and half a cent; twelve thousand of them are not.
    check(|plan| quantity(plan, 0, "5.050252499"), &[]);
    check(|plan| quantity(plan, 0, "5.050252501"), &["the leg of META is wrong: it passes its target"]);
    let (scene, mut plan) = worked();
    quantity(&mut plan, 0, "5.05024113"); // 440 times 0.00001137 are half a cent and a little.
    check_plan(&scene, &restated(&scene, plan), &["META stays off its target, unexplained"]);
    check(
        |plan| quantity(plan, 1, "0"),
        &[
            "the leg of AAPL is wrong: it trades nothing",
            "the leg of AAPL is wrong: its amount is not price × quantity, rounded half-even",
            "AAPL stays off its target, unexplained",
        ],
    );
    let (scene, mut plan) = worked();
    quantity(&mut plan, 0, "83.325000001");
    let found: Vec<String> = faults(&scene, &plan).iter().map(ToString::to_string).collect();
    assert!(found.contains(&"sells 83.325000001 META, of which 83.325 are held".to_owned()), "{found:?}");
}

#[test]
fn every_leg_must_be_there_and_in_its_place() {
    check(
        |plan| {
            plan.legs.remove(1);
        },
        &[
            "the leg of MSFT is out of order",
            "AAPL stays off its target, unexplained",
            "the turnover is 3333.33, not 4444.22",
        ],
    );
    check(
        |plan| plan.legs.swap(1, 2),
        &["the leg of MSFT is out of order", "the leg of AAPL is out of order", "the leg of AAPL is out of order"],
    );
    // Numbered as they stand, the order of symbols and sides still tells.
    let (scene, mut plan) = worked();
    plan.legs.swap(0, 1);
    check_plan(&scene, &restated(&scene, plan), &["the leg of META is out of order"]);
    // Twice the same is once too often.
    let (scene, mut plan) = worked();
    let again = plan.legs[2];
    plan.legs.push(again);
    let found = faults(&scene, &restated(&scene, plan));
    assert!(found.contains(&Fault::OutOfOrder { symbol: read("MSFT") }), "{found:?}");
}

#[test]
fn a_plan_without_legs_must_have_had_nothing_to_do() {
    let (scene, mut plan) = worked();
    plan.legs.clear();
    let empty = restated(&scene, plan.clone());
    let unexplained = ["AAPL", "META", "MSFT"].map(|symbol| format!("{symbol} stays off its target, unexplained"));
    check_plan(&scene, &empty, &unexplained.each_ref().map(String::as_str));
    check_plan(
        &scene,
        &Plan { assessment: thirds().measure("absolute 5").plan(Trigger::Band).unwrap().assessment, ..empty },
        &[],
    );
    let found = faults(&scene, &plan);
    assert!(found.contains(&Fault::NotWorthwhile), "{found:?}");
    // A holding to be left is never close enough.
    let leaving = Scene::of("A 100 @ 10 100\n B 0.000000001 @ 7");
    let plan = leaving.plan(Trigger::Band).unwrap();
    check_plan(
        &leaving,
        &restated(&leaving, Plan { legs: Vec::new(), ..plan }),
        &["B stays off its target, unexplained"],
    );
    // Nor is a part of it all of it.
    let leaving = Scene::of("A 100 @ 10 100\n B 2 @ 7");
    let mut plan = leaving.plan(Trigger::Band).unwrap();
    quantity(&mut plan, 0, "1.999999999");
    check_plan(
        &leaving,
        &restated(&leaving, plan),
        &[
            "the leg of B is wrong: whether it leaves its holding is stated otherwise",
            "B stays off its target, unexplained",
        ],
    );
}

#[test]
fn buys_must_be_paid_for_in_any_order_they_may_be_filled() {
    check(|plan| plan.stages = Stages::Together, &["cash may fall to -2222.11"]);
    // Nor may they touch what is held back.
    let scene = Scene::of("A 0 @ 1 100\n CASH 100.00").buffer("10.00");
    let mut plan = scene.plan(Trigger::Band).unwrap();
    assert_eq!(faults(&scene, &plan), []);
    plan.legs[0].terms.quantity = read("90.01");
    check_plan(
        &scene,
        &restated(&scene, plan.clone()),
        &[
            "the leg of A is wrong: it passes its target",
            "A stays off its target, unexplained",
            "cash may fall to 9.99",
        ],
    );
    // What the broker reserves is taken as well while an order is open.
    let mut reserving = scene.clone();
    reserving.capabilities.collar_bps = 1;
    plan.legs[0].terms.quantity = read("90");
    check_plan(&reserving, &restated(&scene, plan), &["cash may fall to 9.99"]);
}

#[test]
fn lots_and_minimums_must_be_kept() {
    let scene = Scene::of("A 60 @ 1 50\n B 40 @ 1 50");
    let plan = scene.plan(Trigger::Band).unwrap();
    let lots = scene.clone().lot("4");
    let lot =
        ["the leg of A is wrong: it is no multiple of the lot", "the leg of B is wrong: it is no multiple of the lot"];
    check_plan(&lots, &plan, &lot);
    let mut least = scene.clone();
    least.capabilities.minimum_order = read("10.00");
    check_plan(&least, &plan, &[]);
    least.capabilities.minimum_order = read("10.01");
    let minimum = [
        "the leg of A is wrong: it is below the broker's minimum",
        "the leg of B is wrong: it is below the broker's minimum",
    ];
    check_plan(&least, &plan, &minimum);
    // Leaving a holding is exempt from both.
    let leaving = Scene::of("A 97.5 @ 1 100\n B 2.5 @ 1").lot("2");
    let plan = leaving.plan(Trigger::Band).unwrap();
    let mut strict = leaving.clone();
    strict.capabilities.minimum_order = read("2.01");
    let found: Vec<String> = faults(&strict, &plan).iter().map(ToString::to_string).collect();
    assert_eq!(found, ["the leg of A is wrong: it is below the broker's minimum"]);
    // A sale that only costs is none.
    let costly = scene.clone().costs(0, "10.01", "0.00");
    let found = faults(&costly, &restated(&costly, scene.plan(Trigger::Band).unwrap()));
    assert!(found.iter().any(|fault| fault.to_string() == "the leg of A is wrong: it costs more than it brings"));
}

#[test]
fn amounts_are_rounded_half_even_exactly() {
    let cases = [
        ("1.005", "1.00", true),
        ("1.005", "1.01", false),
        ("1.015", "1.02", true),
        ("1.015", "1.01", false),
        ("1.014999999", "1.01", true),
        ("1.015000001", "1.01", false),
    ];
    for (held, amount, expected) in cases {
        let lines = format!("A 100 @ 1 100\n B {held} @ 1");
        let scene = Scene::of(&lines);
        let mut plan = scene.plan(Trigger::Band).unwrap();
        plan.legs[0].amount = read(amount);
        let wrong = Fault::Leg { symbol: read("B"), what: "its amount is not price × quantity, rounded half-even" };
        assert_eq!(!faults(&scene, &plan).contains(&wrong), expected, "{held}: {amount}");
    }
}

/// More than a step of the lot and a cent: what no rounding explains.
fn beyond_a_step(leg: &Leg, lot: Lot) -> Quantity {
    let price = u128::from(leg.terms.reference.nanos());
    let lots = 2 + crate::testing::CENT * 2 / (price * lot.size().nanos());
    units(lots * lot.size().nanos())
}

/// Every way to break `plan` by one leg, with whether it must be found even when all figures are stated anew.
fn broken(scene: &Scene, plan: &Plan, place: usize) -> Vec<(&'static str, Plan, bool)> {
    let mut all = Vec::new();
    let mut push = |name, found_anyway: bool, change: &dyn Fn(&mut Plan)| {
        let mut changed = plan.clone();
        change(&mut changed);
        all.push((name, changed, found_anyway));
    };
    let leg = plan.legs[place];
    let step = beyond_a_step(&leg, scene.capabilities.lot_of(leg.terms.symbol));
    if let Ok(more) = leg.terms.quantity.add(step) {
        push("more", !leg.shrunk, &|plan| plan.legs[place].terms.quantity = more);
    }
    if let Ok(less) = leg.terms.quantity.sub(step) {
        push("less", !leg.shrunk, &|plan| plan.legs[place].terms.quantity = less);
        let others = plan.legs.len() > 1 || plan.assessment.is_out_of_band();
        push("dropped", others, &|plan| {
            plan.legs.remove(place);
        });
    }
    push("dropped, however small", false, &|plan| {
        plan.legs.remove(place);
    });
    for cent in [1, -1] {
        push("amount", false, &|plan| plan.legs[place].amount = leg.amount.add(cents(cent)).unwrap());
        push("cost", false, &|plan| plan.legs[place].cost = leg.cost.add(cents(cent)).unwrap());
    }
    if place > 0 {
        push("swapped", true, &|plan| plan.legs.swap(place - 1, place));
    }
    push("other side", true, &|plan| plan.legs[place].terms.side = leg.terms.side.opposite());
    push("exit", true, &|plan| plan.legs[place].terms.exit = !leg.terms.exit);
    push("again", true, &|plan| plan.legs.push(leg));
    all
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn every_plan_has_a_sound_certificate(scene in scenes_at_brokers(), now in any::<bool>()) {
        let trigger = if now { Trigger::Now } else { Trigger::Band };
        if let Ok(plan) = scene.plan(trigger) {
            prop_assert_eq!(faults(&scene, &plan), []);
        }
    }

    #[test]
    fn every_broken_plan_is_found(scene in scenes_at_brokers(), place in any::<prop::sample::Index>()) {
        let Ok(plan) = scene.plan(Trigger::Now) else { return Ok(()) };
        let mut claimed = plan.clone();
        claimed.certificate.restorable = !plan.certificate.restorable;
        prop_assert_ne!(faults(&scene, &claimed), []);
        if plan.legs.is_empty() {
            return Ok(());
        }
        let place = place.index(plan.legs.len());
        for (name, changed, found_anyway) in broken(&scene, &plan, place) {
            if changed == plan {
                continue;
            }
            prop_assert_ne!(faults(&scene, &changed), [], "{}: {:?}", name, changed);
            if found_anyway {
                prop_assert_ne!(faults(&scene, &restated(&scene, changed)), [], "{}, restated", name);
            }
        }
    }
}
