//! Every decision and every figure again from the definitions, in fractions of any size.

#![expect(clippy::arithmetic_side_effects, reason = "figures of tests stay far from the limits of their types")]

use crate::allocation::{Target, TargetAllocation};
use crate::books::Books;
use crate::drift::{Assessment, Breach, assess, is_out_of_band};
use crate::policy::{Band, Measure};
use crate::testing::oracle::{Facts, Holding, Number, half_even, share, whole};
use crate::testing::strategies::{cases, extreme_scenes, nth, percentage, scenes, scenes_at_brokers};
use crate::testing::{ATOM, Scene, read, units};
use crate::valuation::ValuationError;
use crate::values::{Money, Percentage, Price};
use num_bigint::BigInt;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// How far a holding may be off; none where its measure has no band per holding, or leaves it out.
fn limit(measure: &Measure, holding: &Holding) -> Option<Number> {
    let width = |band: &Band| share(band.width());
    let left_out = holding.target == Target::Cash && holding.goal.is_zero();
    let of_goal = |band: &Band| width(band) * share(holding.goal);
    match measure {
        Measure::Relative { .. } | Measure::Tighter { .. } if left_out => None,
        Measure::Relative { band } => Some(of_goal(band)),
        Measure::Absolute { band } => Some(width(band)),
        Measure::Hybrid { relative, absolute } => Some(of_goal(relative).max(width(absolute))),
        Measure::Tighter { relative, absolute } => Some(of_goal(relative).min(width(absolute))),
        Measure::Total { .. } => None,
    }
}

/// Percentages as people read them, whatever their size.
fn figure(number: &Number) -> BigInt {
    half_even(&(number * whole(1_000_000)))
}

fn absolute(number: Number) -> Number {
    if number < whole(0) { -number } else { number }
}

struct Expected {
    drift: BigInt,
    breaches: Vec<(Target, BigInt, bool)>,
    total_breached: bool,
}

fn expected(facts: &Facts, measure: &Measure) -> Expected {
    let is_untargeted = |h: &Holding| h.target != Target::Cash && h.is_held && h.goal.is_zero();
    let (mut breaches, mut distances) = (Vec::new(), Vec::new());
    for holding in &facts.holdings {
        let weight = facts.weight(holding);
        let distance = absolute(&weight - share(holding.goal));
        let too_far = limit(measure, holding).is_some_and(|limit| distance > limit);
        if too_far || is_untargeted(holding) {
            breaches.push((holding.target, figure(&weight), is_untargeted(holding)));
        }
        distances.push((distance, share(holding.goal)));
    }
    let half_sum = || distances.iter().fold(whole(0), |sum, (distance, _)| sum + distance) / whole(2);
    let of_targets = || distances.iter().filter(|(_, goal)| *goal != whole(0));
    let largest: Option<Number> = match measure {
        Measure::Relative { .. } => of_targets().map(|(distance, goal)| distance / goal).max(),
        Measure::Tighter { .. } => of_targets().map(|(distance, _)| distance.clone()).max(),
        Measure::Absolute { .. } | Measure::Hybrid { .. } => distances.iter().map(|(d, _)| d.clone()).max(),
        Measure::Total { .. } => Some(half_sum()),
    };
    Expected {
        drift: figure(&largest.unwrap_or_else(|| whole(0))),
        breaches,
        total_breached: matches!(measure, Measure::Total { band } if half_sum() > share(band.width())),
    }
}

/// Checks a scene against the definitions; gives what was found, if it could be valued.
fn check(scene: &Scene) -> Option<bool> {
    let measure = &scene.policy.measure;
    let valuation = match scene.valuation() {
        Ok(valuation) => valuation,
        Err(ValuationError::NothingToInvest { .. } | ValuationError::Overflow(_)) => return None,
        Err(error) => panic!("{error}"),
    };
    let facts = Facts::of(scene);
    let Expected { drift, breaches, total_breached } = expected(&facts, measure);
    let is_out = total_breached || !breaches.is_empty();
    assert_eq!(is_out_of_band(&valuation, measure), Ok(is_out));
    let too_large = |units: &BigInt| {
        *units > BigInt::from(Percentage::MAX.units()) || *units < BigInt::from(Percentage::MIN.units())
    };
    match assess(&valuation, measure) {
        Ok(found) => {
            let figures = |b: &Breach| (b.target, BigInt::from(b.weight.units()), b.untargeted);
            assert_eq!(BigInt::from(found.drift.units()), drift);
            assert_eq!(found.breaches.iter().map(figures).collect::<Vec<_>>(), breaches);
            assert_eq!(found.total_breached, total_breached);
            assert_eq!(found.is_out_of_band(), is_out);
            assert!(goals_are_targets(&found, scene));
        }
        Err(error) => {
            // The figures stop where the type does; the decision has none.
            let some_figure = too_large(&drift) || breaches.iter().any(|(_, weight, _)| too_large(weight));
            assert!(some_figure, "{error}");
        }
    }
    Some(is_out)
}

fn goals_are_targets(found: &Assessment, scene: &Scene) -> bool {
    let target: BTreeMap<Target, Percentage> = scene.allocation.weights().collect();
    found.breaches.iter().all(|b| b.goal == target.get(&b.target).copied().unwrap_or(Percentage::ZERO))
}

/// A portfolio of two holdings of which the first is built to be exactly on its band, one unit inside or one beyond.
#[derive(Debug, Clone)]
struct Edge {
    scene: Scene,
    /// Whether it is beyond.
    is_out: bool,
}

fn edges() -> impl Strategy<Value = Edge> {
    let bands = (0..=1_000_000_i64, 0..=1_000_000_i64);
    let size = (1..=999_u128, 0..=8_u32).prop_map(|(digits, power)| digits * 10_u128.pow(power));
    let price = prop_oneof![Just(1_u64), 1..=1_000_u64];
    (0..5_usize, 1..=500_000_i64, bands, size, price, any::<bool>(), -1..=1_i128).prop_map(edge)
}

type EdgeDraw = (usize, i64, (i64, i64), u128, u64, bool, i128);

fn edge((measure, goal, (first, second), size, price, above, shift): EdgeDraw) -> Edge {
    let band = |units: i64| Band::new(percentage(units)).unwrap();
    // A band in points may be no wider than the target, so that there is room below.
    let points = second.min(goal);
    // The limit in millionths of a millionth of the value.
    let (relative, fixed) = (first * goal, points * 1_000_000);
    let (measure, limit) = match measure {
        0 => (Measure::Relative { band: band(first) }, relative),
        1 => (Measure::Absolute { band: band(points) }, fixed),
        2 => (Measure::Hybrid { relative: band(first), absolute: band(points) }, relative.max(fixed)),
        3 => (Measure::Tighter { relative: band(first), absolute: band(points) }, relative.min(fixed)),
        _ => (Measure::Total { band: band(points) }, fixed),
    };
    let is_full = limit == goal * 1_000_000;
    let (above, shift) = if is_full && !above && shift < 0 { (true, 1) } else { (above, shift) };
    let signed_limit = i128::from(if above { limit } else { -limit });
    let unit = i128::try_from(size).unwrap() * i128::from(price);
    let step = shift * i128::from(price);
    let value = unit * (i128::from(goal) * 1_000_000 + signed_limit) + step;
    let rest = unit * 1_000_000_000_000 - value;

    let [a, b] = [nth(0), nth(1)];
    let held = |value: i128, price: u64| units(u128::try_from(value).unwrap() / u128::from(price));
    let books = Books::new(Money::ZERO, [(a, held(value, price)), (b, held(rest, 1))]);
    let allocation = TargetAllocation::new([
        (Target::Symbol(a), percentage(goal)),
        (Target::Symbol(b), percentage(1_000_000 - goal)),
    ]);
    let mut scene = Scene::new(books, allocation.unwrap(), [(a, Price::from_nanos(price).unwrap()), (b, read(ATOM))]);
    scene.policy.measure = measure;
    let outward = if above { shift > 0 } else { shift < 0 };
    Edge { scene, is_out: outward || (limit == 0 && shift != 0) }
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn decisions_and_figures_are_those_of_the_definition(scene in scenes()) {
        check(&scene);
    }

    #[test]
    fn on_the_band_is_inside_and_one_unit_beyond_is_out(edge in edges()) {
        prop_assert_eq!(check(&edge.scene), Some(edge.is_out));
    }
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn a_reserve_counts_as_held_back(scene in scenes_at_brokers()) {
        check(&scene);
    }

    #[test]
    fn no_portfolio_is_too_large_to_decide(scene in extreme_scenes()) {
        check(&scene);
    }
}
