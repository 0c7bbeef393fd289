//! That a plan, once executed, leaves nothing to plan: at the same prices the next one is empty, or works only with what
//! truncation to lots has left.

use crate::plan::{Plan, SkipReason, Trigger};
use crate::testing::Scene;
use crate::testing::strategies::{cases, cents, scenes, scenes_of};
use crate::values::{Lot, Money, Price, Quantity};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Minimum orders for which rounding to cents is too little to make another leg of.
fn with_minimum(scene: impl Strategy<Value = Scene>) -> impl Strategy<Value = Scene> {
    (scene, 100..=500_i64).prop_map(|(mut scene, minimum)| {
        scene.policy.minimum_order = cents(minimum);
        scene
    })
}

/// Whether some leg missed the minimum by no more than what rounding every amount to cents may move.
fn a_cent_may_decide(plan: &Plan) -> bool {
    let moved = cents(i64::try_from(plan.legs.len() + 1).unwrap());
    plan.skipped.iter().any(|skip| match &skip.reason {
        SkipReason::BelowMinimum { amount, minimum } | SkipReason::Shrunk { amount, minimum } => {
            amount.add(moved).unwrap() >= *minimum
        }
        SkipReason::BelowLot { .. } | SkipReason::CostsMoreThanItBrings { .. } | SkipReason::Refused(_) => false,
    })
}

fn check(scene: &Scene) {
    for trigger in [Trigger::Band, Trigger::Now] {
        let Ok(plan) = scene.plan(trigger) else { return };
        if plan.legs.is_empty() || a_cent_may_decide(&plan) {
            continue;
        }
        let after = scene.executed(&plan);
        let again = after.plan(Trigger::Now).unwrap();
        assert_eq!(again.legs, [], "after {:?}\nleaving {after:?}", plan.legs);
        assert!(!after.plan(Trigger::Band).unwrap().worthwhile);
    }
}

/// Checks that plans, each made after the one before was executed, come to an end.
fn check_end(scene: Scene) {
    let mut scene = scene;
    for _ in 0..8 {
        scene = scene.executed(&scene.plan(Trigger::Now).unwrap());
    }
    assert_eq!(scene.plan(Trigger::Now).unwrap().legs, [], "{scene:?}");
}

/// Prices of whole cents, holdings of whole units, and lots of one and more: no amount is ever rounded.
fn in_lots() -> impl Strategy<Value = Scene> {
    let lots = prop::collection::vec(prop::sample::select(["1", "1", "5", "10"].as_slice()), 12);
    let prices = prop::collection::vec((1..=999_u64, 0..=2_u32), 12);
    (with_minimum(scenes()), lots, prices).prop_map(|(mut scene, lots, prices)| {
        let whole = |held: Quantity| held.floor_to("1".parse().unwrap());
        let held: Vec<_> = scene.books.holdings().map(|(symbol, held)| (symbol, whole(held))).collect();
        scene.books = crate::books::Books::new(scene.books.cash, held);
        let symbols: Vec<_> = scene.prices.iter().collect();
        let in_cents = |(cents, power): (u64, u32)| Price::from_nanos(cents * 10_u64.pow(power) * 10_000_000).unwrap();
        let priced = symbols.iter().zip(prices);
        scene.prices = priced
            .map(|((symbol, quote), price)| (*symbol, crate::books::Quote { price: in_cents(price), ..*quote }))
            .collect();
        let lots: BTreeMap<_, Lot> =
            symbols.iter().zip(lots).map(|((symbol, _), lot)| (*symbol, lot.parse().unwrap())).collect();
        scene.capabilities.lots = lots;
        scene
    })
}

#[test]
fn what_was_dropped_leaves_nothing_for_another_plan() {
    // Sixty sales of 0.99 are too small, so the buys are short: 40.60 for A, which lacks 55.00, and thirty that lack
    // 1.50 each. The thirty fall below the minimum; their share goes to A now, not in a second batch.
    let small: String = (0..60).map(|n| format!("S{n} 50.99 @ 1 0.5\n")).collect();
    let lacking: String = (0..30).map(|n| format!("T{n} 98.5 @ 1 1\n")).collect();
    let scene = Scene::of(&format!("{small}{lacking} A 2945 @ 1 30\n R 1040.6 @ 1 10"));
    let plan = scene.plan(Trigger::Now).unwrap();
    let amounts: Vec<String> = plan.legs.iter().map(|leg| format!("{} {}", leg.terms.symbol, leg.amount)).collect();
    assert_eq!(amounts, ["R 40.60", "A 40.60"]);
    assert_eq!(scene.executed(&plan).plan(Trigger::Now).unwrap().legs, []);
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn after_a_plan_there_is_nothing_to_do(scene in with_minimum(scenes())) {
        check(&scene);
    }

    #[test]
    fn with_lots_only_what_truncation_left_is_spent(scene in in_lots()) {
        let Ok(plan) = scene.plan(Trigger::Now) else { return Ok(()) };
        let after = scene.executed(&plan);
        let was_short = plan.legs.iter().any(|leg| leg.shrunk)
            || plan.skipped.iter().any(|skip| matches!(skip.reason, SkipReason::Shrunk { .. }));
        let again = after.plan(Trigger::Now).unwrap();
        let left = after.valuation().unwrap().free_cash().unwrap();
        prop_assert!(again.legs.is_empty() || was_short);
        prop_assert!(again.turnover <= left.max(Money::ZERO));

        check_end(after);
    }

    #[test]
    fn what_a_broker_reserves_is_spent_later_and_comes_to_an_end(scene in with_minimum(scenes()), collar in 1..=500_u32) {
        // While it is open a buy takes more than it spends: the rest is free for another plan, and less each time.
        let mut scene = scene;
        scene.capabilities.collar_bps = collar;
        if scene.plan(Trigger::Now).is_ok_and(|plan| !a_cent_may_decide(&plan)) {
            check_end(scene);
        }
    }
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn not_even_with_a_hundred_holdings(scene in with_minimum(scenes_of(60..100, 1_000_000..=10_000_000))) {
        check(&scene);
    }
}
