//! What holds for every plan, judged by whole numbers of any size and by nothing of the planner.

use crate::allocation::Target;
use crate::order::{Side, Terms};
use crate::plan::certificate::verify;
use crate::plan::{Leg, Plan, SkipReason, Stages, Trigger};
use crate::testing::Scene;
use crate::testing::oracle::{Atoms, Facts, Number, declared, half_even, money, whole};
use crate::testing::strategies::{cases, cents, extreme_scenes, scenes, scenes_at_brokers};
use crate::values::{Money, Symbol};
use num_bigint::BigInt;
use proptest::prelude::*;

const PARTS: u32 = 1_000_000;

fn worth(terms: &Terms) -> Atoms {
    Atoms::from(terms.reference.nanos()) * Atoms::from(terms.quantity.nanos())
}

/// `target × investable value − worth of the holding after its leg`, in millionths of an atom.
fn missing(scene: &Scene, facts: &Facts, symbol: Symbol, leg: Option<&Leg>) -> BigInt {
    let holding = facts.holdings.iter().find(|h| h.target == Target::Symbol(symbol)).unwrap();
    let moved = leg.map_or(Atoms::ZERO, |leg| match leg.terms.side {
        Side::Sell => -worth(&leg.terms),
        Side::Buy => worth(&leg.terms),
    });
    &facts.investable * scene.allocation.of(symbol).units() - (&holding.worth + moved) * PARTS
}

fn minimum(scene: &Scene) -> Money {
    scene.policy.minimum_order.max(scene.capabilities.minimum_order).max(Money::CENT)
}

/// Each leg on its own: in its place, held, in lots, worth it, and rightly priced.
fn check_legs(scene: &Scene, plan: &Plan) {
    let order: Vec<(bool, Symbol)> = plan.legs.iter().map(|l| (l.terms.side == Side::Buy, l.terms.symbol)).collect();
    assert!(order.is_sorted_by(|a, b| a < b), "sells first, each in symbol order: {order:?}");
    for (place, leg) in plan.legs.iter().enumerate() {
        let Terms { symbol, side, quantity, reference, exit } = leg.terms;
        assert_eq!(usize::from(leg.number.get()), place);
        assert!(plan.legs.iter().filter(|other| other.terms.symbol == symbol).count() == 1, "{symbol} on both sides");
        assert!(!quantity.is_zero());
        assert_eq!(reference, scene.price(symbol));
        assert_eq!(leg.lot, scene.capabilities.lot_of(symbol));
        let held = scene.books.units(symbol);
        if exit {
            assert!(side == Side::Sell && quantity == held && scene.allocation.of(symbol).is_zero());
        } else {
            assert!(!scene.allocation.of(symbol).is_zero());
            assert!(quantity.is_multiple_of(leg.lot), "{quantity} of {}", leg.lot);
            assert!(leg.amount >= minimum(scene));
        }
        assert!(side == Side::Buy || (quantity <= held && leg.cost <= leg.amount && !leg.shrunk));
        let exact = worth(&leg.terms);
        let cent = Number::new(exact.clone(), crate::testing::CENT.into());
        assert_eq!(half_even(&cent), leg.amount.cents().into());
        let cost = if scene.capabilities.costs.is_free() { 0.into() } else { declared(scene, &exact, 1) };
        assert_eq!(cost, leg.cost.cents().into());
    }
}

/// No prefix spends what is not there: in order where sells come first, in any order where all go together.
fn check_cash(scene: &Scene, plan: &Plan) {
    let floor = scene.books.cash.min(plan.valuation.held_back).cents();
    let buys_first = plan.stages == Stages::Together;
    let mut legs: Vec<&Leg> = plan.legs.iter().collect();
    legs.sort_by_key(|leg| (leg.terms.side == Side::Sell) == buys_first);
    let (mut cash, mut lowest) = (scene.books.cash.cents(), scene.books.cash.cents());
    for leg in legs {
        let sign = if leg.terms.side == Side::Sell { 1 } else { -1 };
        cash += sign * leg.amount.cents() - leg.cost.cents();
        lowest = lowest.min(cash);
        assert!(cash >= floor, "{cash} cents are left");
    }
    assert!(buys_first || plan.certificate.lowest_cash == cents(lowest));
    assert_eq!(plan.turnover, Money::sum(plan.legs.iter().map(|leg| leg.amount)).unwrap());
    assert_eq!(plan.cost, Money::sum(plan.legs.iter().map(|leg| leg.cost)).unwrap());
}

/// Whatever stays off its target has a reason, and the reason is true.
fn check_residuals(scene: &Scene, facts: &Facts, plan: &Plan) {
    for holding in &facts.holdings {
        let Target::Symbol(symbol) = holding.target else { continue };
        let leg = plan.legs.iter().find(|leg| leg.terms.symbol == symbol);
        let skip = plan.skipped.iter().find(|skip| skip.symbol == symbol);
        let missing = missing(scene, facts, symbol, leg);
        let lot = scene.capabilities.lot_of(symbol).size();
        let step = Atoms::from(scene.price(symbol).nanos()) * Atoms::from(lot.nanos()) * PARTS;
        let off = BigInt::from(missing.magnitude().clone());
        match (leg, skip.map(|skip| &skip.reason)) {
            (Some(leg), None) => {
                let passed = if leg.terms.side == Side::Sell { missing > BigInt::ZERO } else { missing < BigInt::ZERO };
                assert!(!passed, "{symbol} passes its target");
                assert!(leg.shrunk || off < step);
            }
            (None, None) => assert!(off < Atoms::from(scene.price(symbol).nanos()) * PARTS, "{symbol} is forgotten"),
            (None, Some(SkipReason::BelowLot { lot: stated })) => assert!(*stated == lot && off < step),
            (None, Some(SkipReason::BelowMinimum { amount, minimum: least })) => {
                assert!(amount < least && *least == minimum(scene));
                assert!(off < step + money(amount.add(Money::CENT).unwrap()) * PARTS);
            }
            (None, Some(SkipReason::Shrunk { amount, minimum: least })) => {
                assert!(missing > BigInt::ZERO && amount < least && *least == minimum(scene));
            }
            (None, Some(SkipReason::CostsMoreThanItBrings { amount, cost })) => {
                assert!(missing < BigInt::ZERO && cost > amount);
            }
            (None, Some(SkipReason::Refused(_))) => assert!(scene.refused.contains(&symbol)),
            (Some(_), Some(reason)) => panic!("{symbol} is traded and skipped: {reason}"),
        }
    }
    assert!(plan.skipped.is_sorted_by(|a, b| a.symbol < b.symbol));
}

/// What people read: weights before and after, rounded half-even.
fn check_weights(facts: &Facts, plan: &Plan) {
    let signed = |leg: &Leg, sum: Atoms| if leg.terms.side == Side::Sell { sum } else { -sum };
    let after = |holding: &crate::testing::oracle::Holding| {
        let of_it = |leg: &&Leg| holding.target == Target::Cash || holding.target == Target::Symbol(leg.terms.symbol);
        plan.legs.iter().filter(of_it).fold(holding.worth.clone(), |sum, leg| match holding.target {
            Target::Cash => sum + signed(leg, money(leg.amount)) - money(leg.cost),
            Target::Symbol(_) => sum - signed(leg, worth(&leg.terms)),
        })
    };
    let total = facts.holdings.iter().fold(Atoms::ZERO, |sum, holding| sum + after(holding));
    let figure = |part: &Atoms, of: &Atoms| match half_even(&(Number::new(part.clone(), of.clone()) * whole(PARTS))) {
        figure if *of > Atoms::ZERO => figure,
        _ => BigInt::ZERO,
    };
    let rows = plan.weights().unwrap();
    let mut rows = rows.iter();
    for holding in &facts.holdings {
        let (before, after) = (figure(&holding.worth, &facts.investable), figure(&after(holding), &total));
        let is_nothing = before == BigInt::ZERO && after == BigInt::ZERO && holding.goal.is_zero();
        if holding.target == Target::Cash && is_nothing {
            continue;
        }
        let row = rows.next().unwrap();
        assert_eq!((row.target, row.goal), (holding.target, holding.goal));
        assert_eq!((BigInt::from(row.before.units()), BigInt::from(row.after.units())), (before, after));
    }
    assert!(rows.next().is_none());
}

fn check_plan(scene: &Scene, plan: &Plan, trigger: Trigger) {
    let facts = Facts::of(scene);
    let is_out = plan.assessment.is_out_of_band();
    if trigger == Trigger::Band && !is_out {
        assert!(plan.legs.is_empty() && plan.skipped.is_empty());
    } else {
        check_residuals(scene, &facts, plan);
    }
    check_legs(scene, plan);
    check_cash(scene, plan);
    check_weights(&facts, plan);
    assert_eq!(money(plan.valuation.held_back), facts.held_back);
    let any = trigger == Trigger::Now || plan.assessment.total_breached || plan.assessment.breached(Target::Cash);
    let of_breach = |leg: &Leg| any || plan.assessment.breached(Target::Symbol(leg.terms.symbol));
    assert_eq!(plan.worthwhile, plan.legs.iter().any(of_breach));
    // Who holds the reserve can always go back.
    assert!(scene.books.cash < plan.valuation.held_back || plan.certificate.restorable);
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn every_plan_keeps_the_rules(scene in scenes_at_brokers()) {
        for trigger in [Trigger::Band, Trigger::Now] {
            if let Ok(plan) = scene.plan(trigger) {
                check_plan(&scene, &plan, trigger);
            }
        }
    }

    #[test]
    fn every_plan_at_an_ideal_broker_keeps_the_rules(scene in scenes()) {
        if let Ok(plan) = scene.plan(Trigger::Band) {
            check_plan(&scene, &plan, Trigger::Band);
            prop_assert!(plan.certificate.restorable);
        }
    }

    #[test]
    fn the_same_input_gives_the_same_plan(scene in scenes_at_brokers()) {
        let mut other = scene.clone();
        let quotes: Vec<_> = scene.prices.iter().collect();
        other.prices = quotes.into_iter().rev().collect();
        prop_assert_eq!(format!("{:?}", scene.plan(Trigger::Band)), format!("{:?}", other.plan(Trigger::Band)));
    }

    #[test]
    fn no_portfolio_makes_it_panic(scene in extreme_scenes()) {
        for trigger in [Trigger::Band, Trigger::Now] {
            // A plan or a typed error; and a plan is sound at any size.
            if let Ok(plan) = scene.plan(trigger) {
                let valuation = scene.valuation().unwrap();
                prop_assert_eq!(scene.at_venue(|venue| verify(&plan, &valuation, venue)), Ok(()));
            }
        }
    }
}
