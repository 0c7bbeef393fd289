//! The order of portfolios by need: worked cases, and any two portfolios against fractions of any size.

#![expect(clippy::arithmetic_side_effects, reason = "fractions of any size do not overflow")]

use super::{Ratio, Urgency, by_quotients};
use crate::allocation::Target;
use crate::drift::{drift, limit};
use crate::policy::Measure;
use crate::testing::Scene;
use crate::testing::oracle::{Facts, Number, half_even, share, whole};
use crate::testing::strategies::{cases, extreme_scenes, scenes};
use crate::valuation::{Line, ReserveRule, Valuation};
use crate::values::wide::Wide;
use crate::values::{Money, Percentage, Price, Quantity};
use proptest::prelude::*;
use std::cmp::Ordering;

fn urgency(scene: &Scene) -> Option<Urgency> {
    Urgency::of(&scene.valuation().unwrap(), &scene.policy.measure).unwrap()
}

#[test]
fn who_is_farther_beyond_his_band_goes_first() {
    let scene = |a: &str, b: &str, measure: &str| Scene::of(&format!("A {a} @ 1 50\nB {b} @ 1 50")).measure(measure);
    let inside = scene("51", "49", "relative 5");
    assert_eq!(urgency(&inside), None);
    let far = urgency(&scene("60", "40", "relative 5")).unwrap(); // 20 % by 5 %
    let near = urgency(&scene("56", "44", "relative 5")).unwrap(); // 12 % by 5 %
    let wide = urgency(&scene("60", "40", "relative 10")).unwrap(); // 20 % by 10 %
    assert!(far > near && near > wide);
    let percent = |urgency: Urgency| urgency.percent_of_band().unwrap().to_string();
    assert_eq!([far, near, wide].map(percent), ["400.0000", "240.0000", "200.0000"]);
    // Ten points by a band of five, once for the holding above its target and once for both together.
    let points = urgency(&scene("60", "40", "absolute 5")).unwrap();
    let total = urgency(&scene("60", "40", "total 5")).unwrap();
    assert_eq!((points, total), (wide, wide));
    // Equal by band: the larger weight goes first.
    let larger = Scene::of("A 72 @ 1 60\nB 28 @ 1 40").measure("relative 10");
    let smaller = Scene::of("A 48 @ 1 40\nB 52 @ 1 60").measure("relative 10");
    assert!(urgency(&larger) > urgency(&smaller));
    assert!(!far.is_infinite());
}

#[test]
fn no_band_is_wide_enough_for_what_must_not_be_there() {
    let untargeted = urgency(&Scene::of("A 90 @ 1 100\nB 1 @ 1")).unwrap();
    let more_of_it = urgency(&Scene::of("A 90 @ 1 100\nB 2 @ 1")).unwrap();
    let no_band = urgency(&Scene::of("A 51 @ 1 50\nB 49 @ 1 50").measure("relative 0")).unwrap();
    let far = urgency(&Scene::of("A 99 @ 1 1\nB 1 @ 1 99")).unwrap();
    assert!(untargeted.is_infinite() && no_band.is_infinite() && !far.is_infinite());
    assert_eq!((no_band.percent_of_band(), untargeted.percent_of_band()), (None, None));
    assert!(no_band > more_of_it && more_of_it > untargeted && untargeted > far);
}

/// Lines of `units` at `price` each, with these targets in parts per million, which may be more than everything.
fn valued(lines: &[(Quantity, Price, i64)], cash: &str) -> Valuation {
    let line = |(number, (quantity, price, target)): (usize, &(Quantity, Price, i64))| Line {
        symbol: format!("S{number}").parse().unwrap(),
        quantity: *quantity,
        price: *price,
        value: price.times(*quantity),
        target: Percentage::from_units(*target).unwrap(),
    };
    let lines = lines.iter().enumerate().map(line).collect();
    Valuation::of_lines(lines, cash.parse().unwrap(), Percentage::ZERO, Money::ZERO, ReserveRule::NONE).unwrap()
}

fn figures(valuation: &Valuation, measure: &str) -> String {
    let measure = Scene::of("A 1 @ 1 100").measure(measure).policy.measure;
    let (urgency, drift) = Urgency::with_drift(valuation, &measure).unwrap().unwrap();
    let alone = crate::drift::drift(valuation, &measure).unwrap_or(Percentage::MAX);
    assert_eq!((Urgency::of(valuation, &measure), drift), (Ok(Some(urgency)), alone));
    match urgency.percent_of_band() {
        Some(percent) => format!("{drift} {percent}"),
        None => format!("{drift} infinite"),
    }
}

#[test]
fn the_largest_values_leave_room_for_figures() {
    let largest = |targets: &[i64]| {
        let lines: Vec<_> = targets.iter().map(|target| (Quantity::MAX, Price::MAX, *target)).collect();
        valued(&lines, "0.00")
    };
    for (targets, measure, expected) in [
        (&[1 << 45, 1 << 45][..], "relative 5", "100.0000 2000.0000"),
        (&[1 << 51, 1 << 51], "relative 0", "100.0000 infinite"),
        (&[900_000_000_000_000_000, 1, 1, 1, 1, 1, 1, 1, 1], "total 100", "45000000000038.8885 45000000000038.8885"),
    ] {
        assert_eq!(figures(&largest(targets), measure), expected, "{targets:?} {measure}");
    }
    // Where no band is wide enough to be counted, the drift is that of the farthest all the same: 5.9 to 2 times what there is, not 0 to 4.
    let one: Price = "1".parse().unwrap();
    let held = |units: &str| units.parse::<Quantity>().unwrap();
    let beyond = [(held("0"), one, 40_000_000_000_000), (held("59000000"), one, 20_000_000_000_000)];
    assert!(figures(&valued(&beyond, "-58999999.00"), "relative 100").starts_with("195.0000 "));
    // A drift beyond all percentages is the largest there is.
    let little = [(held("1000000000"), one, 1), (held("0"), one, 999_999)];
    let most = Percentage::MAX;
    assert_eq!(figures(&valued(&little, "-999999999.99"), "relative 5"), format!("{most} {most}"));
}

#[test]
fn equal_needs_are_equal_however_rough_their_quotients() {
    let urgency = |by: u64| {
        let [distance, value, whole] = [2_000_000, 1, 10].map(|number| wide((number, 0)).checked_mul_u64(by).unwrap());
        Urgency::new(distance, 100_000_000_000, value, whole).unwrap()
    };
    let (small, large) = (urgency(1), urgency(1_000_000_000_000_000));
    assert_ne!(small.rough, large.rough, "or they would tell nothing");
    assert_eq!(small.cmp(&large), Ordering::Equal);
}

/// Distance by band, nothing where that is infinite; and the weight.
type Need = (Option<Number>, Number);

/// Nothing if in band.
fn expected(scene: &Scene) -> Option<Need> {
    let (facts, measure) = (Facts::of(scene), &scene.policy.measure);
    let zero = || whole(0);
    let distance = |weight: &Number, goal| {
        let difference = weight - share(goal);
        if *difference.numer() < 0.into() { -difference } else { difference }
    };
    let (mut found, mut distances) = (Vec::new(), Vec::new());
    for holding in &facts.holdings {
        let weight = facts.weight(holding);
        let distance = distance(&weight, holding.goal);
        let band =
            limit(measure, holding.target, holding.goal).map(|limit| Number::new(limit.into(), 10_u64.pow(12).into()));
        let untargeted = holding.target != Target::Cash && holding.goal.is_zero() && holding.is_held;
        if untargeted {
            found.push((None, weight.clone()));
        } else if let Some(band) = band.filter(|band| compare(&distance, band) == Ordering::Greater) {
            found.push(((band != zero()).then(|| &distance / band), weight.clone()));
        }
        distances.push((distance, weight));
    }
    if let (Measure::Total { band }, true) = (measure, found.is_empty()) {
        let sum = distances.iter().fold(zero(), |sum, (distance, _)| sum + distance);
        let twice = share(band.width()) * whole(2);
        let weight = distances
            .into_iter()
            .max_by(|a, b| compare(&a.0, &b.0).then_with(|| compare(&a.1, &b.1)))
            .map(|(_, weight)| weight);
        if compare(&sum, &twice) == Ordering::Greater {
            found.push(((twice != zero()).then(|| sum / twice), weight.unwrap()));
        }
    }
    found.into_iter().max_by(before)
}

fn before(a: &Need, b: &Need) -> Ordering {
    match (&a.0, &b.0) {
        (None, None) => compare(&a.1, &b.1),
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(x), Some(y)) => compare(x, y).then_with(|| compare(&a.1, &b.1)),
    }
}

/// Crosswise: the library's own comparison recurses as deep as the fractions are long.
fn compare(a: &Number, b: &Number) -> Ordering {
    (a.numer() * b.denom()).cmp(&(b.numer() * a.denom()))
}

fn order(a: &Option<Need>, b: &Option<Need>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => before(a, b),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

fn wide(parts: (u128, u8)) -> Wide {
    Wide::from_u128(parts.0).checked_mul(Wide::from_u128(1 << (parts.1 % 120))).unwrap()
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn any_two_portfolios_are_ordered_as_by_fractions(one in scenes().boxed(), other in prop_oneof![scenes().boxed(), extreme_scenes().boxed()]) {
        let both = [&one, &other].map(|scene| scene.valuation().ok().map(|valued| (scene, valued)));
        if let [Some((a, _)), Some((b, _))] = both {
            let ours = urgency(a).cmp(&urgency(b));
            prop_assert_eq!(ours, order(&expected(a), &expected(b)));
        }
    }

    #[test]
    fn figures_beside_the_order_are_those_of_each_alone(scene in prop_oneof![scenes().boxed(), extreme_scenes().boxed()]) {
        if let Ok(valued) = scene.valuation() {
            let measure = &scene.policy.measure;
            let drift = drift(&valued, measure).unwrap_or(Percentage::MAX);
            let urgency = urgency(&scene);
            prop_assert_eq!(Urgency::with_drift(&valued, measure).unwrap(), urgency.map(|urgency| (urgency, drift)));
            let percent = expected(&scene).and_then(|(need, _)| need).map(|need| half_even(&(need * whole(1_000_000))));
            let percent = percent.map(|percent| percent.min(Percentage::MAX.units().into()));
            let found = urgency.and_then(|urgency| urgency.percent_of_band());
            prop_assert_eq!(found.map(|percent| percent.units().into()), percent);
        }
    }

    #[test]
    fn what_is_too_large_to_multiply_is_ordered_alike(
        a in any::<(u64, u8)>(), b in any::<(u64, u8)>(), c in any::<(u64, u8)>(), d in any::<(u64, u8)>(), alike: bool,
    ) {
        let of = |(number, shift): (u64, u8)| wide((u128::from(number.max(1)), shift));
        let left = Ratio { part: of(a), whole: of(b) };
        let right = if alike { Ratio { part: of(a), whole: of(b) } } else { Ratio { part: of(c), whole: of(d) } };
        let number = |ratio: Ratio| {
            let big = |wide: Wide| wide.to_string().parse::<num_bigint::BigInt>().unwrap();
            Number::new(big(ratio.part), big(ratio.whole))
        };
        let expected = compare(&number(left), &number(right));
        prop_assert_eq!(left.cmp(&right), expected);
        prop_assert_eq!(by_quotients(left, right), expected);
        let negative = |ratio: Ratio| Ratio { part: ratio.part.negate(), ..ratio };
        prop_assert_eq!(by_quotients(negative(left), negative(right)), expected.reverse());
        prop_assert_eq!(by_quotients(left, negative(right)), Ordering::Greater);
    }
}
