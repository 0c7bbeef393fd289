//! What is out of band under each measure, to the last digit of the band, and what people are told of it.

mod oracle;

use super::number::Number;
use super::{assess, is_out_of_band};
use crate::allocation::Target;
use crate::testing::{Scene, read};
use crate::values::Value;
use crate::values::wide::Wide;

/// Checks what is out of band: `drift: breaches`, cash first; `total` when the sum of all distances is.
fn check(measure: &str, lines: &str, expected: &str) {
    check_scene(&Scene::of(lines).measure(measure), expected);
}

fn check_scene(scene: &Scene, expected: &str) {
    let valuation = scene.valuation().unwrap();
    let found = assess(&valuation, &scene.policy.measure).unwrap();
    let mut out: Vec<String> = found.breaches.iter().map(|breach| breach.target.to_string()).collect();
    out.extend(found.total_breached.then(|| "total".to_owned()));
    assert_eq!(format!("{}: {}", found.drift, out.join(" ")).trim_end(), expected, "{scene:?}");
    assert_eq!(is_out_of_band(&valuation, &scene.policy.measure), Ok(!out.is_empty()), "{scene:?}");
    assert_eq!(found.is_out_of_band(), !out.is_empty());
    assert_eq!(found.measure, scene.policy.measure.name());
}

#[test]
fn the_worked_example() {
    let thirds = "META 83.325 @ 440 33.33\n AAPL 202 @ 165 33.33\n MSFT 100 @ 333.40 33.34";
    check("relative 5", thirds, "6.4520: META");
    check("relative 6.4519", thirds, "6.4520: META");
    check("relative 6.4520", thirds, "6.4520:"); // 6.45195…
    check("absolute 5", thirds, "2.1504:");
    check("absolute 2.1504", thirds, "2.1504: META");
    check("absolute 2.1505", thirds, "2.1504:");
    check("hybrid 25 5", thirds, "2.1504:");
    check("tighter 25 5", thirds, "2.1504:");
    check("tighter 25 2", thirds, "2.1504: META");
    check("total 5", thirds, "2.1504:");
    check("total 2.1504", thirds, "2.1504: total");

    let scene = Scene::of(thirds);
    let breach = assess(&scene.valuation().unwrap(), &scene.policy.measure).unwrap().breaches[0];
    assert_eq!((breach.weight, breach.goal, breach.untargeted), (read("35.4804"), read("33.33"), false));
    let before = "META 83.325 @ 400 33.33\n AAPL 202 @ 165 33.33\n MSFT 100 @ 333.40 33.34";
    check("relative 5", before, "0.0000:");
    check("absolute 0", before, "0.0000:");
}

#[test]
fn a_boundary_belongs_to_the_inside() {
    // Ten units at a price of 1: the last digit of a quantity is a ten-billionth of the whole.
    for (measure, lines, expected) in [
        ("relative 5", "A 2.1 @ 1 20\n B 7.9 @ 1 80", "5.0000:"),
        ("relative 5", "A 2.100000001 @ 1 20\n B 7.899999999 @ 1 80", "5.0000: A"),
        ("relative 5", "A 1.9 @ 1 20\n B 8.1 @ 1 80", "5.0000:"),
        ("relative 5", "A 1.899999999 @ 1 20\n B 8.100000001 @ 1 80", "5.0000: A"),
        ("absolute 5", "A 2.5 @ 1 20\n B 7.5 @ 1 80", "5.0000:"),
        ("absolute 5", "A 2.500000001 @ 1 20\n B 7.499999999 @ 1 80", "5.0000: A B"),
        ("absolute 5", "A 1.5 @ 1 20\n B 8.5 @ 1 80", "5.0000:"),
        ("absolute 5", "A 1.499999999 @ 1 20\n B 8.500000001 @ 1 80", "5.0000: A B"),
        // 25 % of 40 are 10 points, more than 5; of 60, 15.
        ("hybrid 25 5", "A 5 @ 1 40\n B 5 @ 1 60", "10.0000:"),
        ("hybrid 25 5", "A 5.000000001 @ 1 40\n B 4.999999999 @ 1 60", "10.0000: A"),
        ("hybrid 25 5", "A 2.999999999 @ 1 40\n B 7.000000001 @ 1 60", "10.0000: A"),
        ("tighter 25 5", "A 4.5 @ 1 40\n B 5.5 @ 1 60", "5.0000:"),
        ("tighter 25 5", "A 4.500000001 @ 1 40\n B 5.499999999 @ 1 60", "5.0000: A B"),
        ("tighter 25 5", "A 3.499999999 @ 1 40\n B 6.500000001 @ 1 60", "5.0000: A B"),
        // At a small target a quarter of it is little: 0.25 points of 1, where hybrid grants all 5.
        ("hybrid 25 5", "A 0.6 @ 1 1\n B 9.4 @ 1 99", "5.0000:"),
        ("hybrid 25 5", "A 0.600000001 @ 1 1\n B 9.399999999 @ 1 99", "5.0000: A"),
        ("tighter 25 5", "A 0.125 @ 1 1\n B 9.875 @ 1 99", "0.2500:"),
        ("tighter 25 5", "A 0.125000001 @ 1 1\n B 9.874999999 @ 1 99", "0.2500: A"),
        ("tighter 25 5", "A 0.074999999 @ 1 1\n B 9.925000001 @ 1 99", "0.2500: A"),
        ("total 5", "A 2.5 @ 1 20\n B 7.5 @ 1 80", "5.0000:"),
        ("total 5", "A 2.500000001 @ 1 20\n B 7.499999999 @ 1 80", "5.0000: total"),
        ("total 5", "A 1.499999999 @ 1 20\n B 8.500000001 @ 1 80", "5.0000: total"),
        ("total 5", "A 3.5 @ 1 30\n B 3.3 @ 1 35\n C 3.2 @ 1 35", "5.0000:"),
        ("total 5", "A 3.500000001 @ 1 30\n B 3.3 @ 1 35\n C 3.199999999 @ 1 35", "5.0000: total"),
    ] {
        check(measure, lines, expected);
    }
}

#[test]
fn cash_with_a_target_is_measured_like_a_holding() {
    // A hundred million: a cent is a ten-billionth.
    for (measure, lines, expected) in [
        ("relative 5", "A 79000000 @ 1 80\n CASH 21000000.00 20", "5.0000:"),
        ("relative 5", "A 78999999.99 @ 1 80\n CASH 21000000.01 20", "5.0000: CASH"),
        ("relative 5", "A 81000000.01 @ 1 80\n CASH 18999999.99 20", "5.0000: CASH"),
        ("absolute 5", "A 75000000 @ 1 80\n CASH 25000000.00 20", "5.0000:"),
        ("absolute 5", "A 74999999.99 @ 1 80\n CASH 25000000.01 20", "5.0000: CASH A"),
        ("hybrid 50 5", "A 70000000 @ 1 80\n CASH 30000000.00 20", "10.0000:"),
        ("hybrid 50 5", "A 69999999.99 @ 1 80\n CASH 30000000.01 20", "10.0000: CASH"),
        ("tighter 5 5", "A 79000000 @ 1 80\n CASH 21000000.00 20", "1.0000:"),
        ("tighter 5 5", "A 78999999.99 @ 1 80\n CASH 21000000.01 20", "1.0000: CASH"),
        ("total 5", "A 75000000 @ 1 80\n CASH 25000000.00 20", "5.0000:"),
        ("total 5", "A 74999999.99 @ 1 80\n CASH 25000000.01 20", "5.0000: total"),
        ("relative 0", "CASH 0.01 100", "0.0000:"),
    ] {
        check(measure, lines, expected);
    }
}

#[test]
fn cash_without_a_target_counts_where_a_band_at_zero_is_wider_than_zero() {
    for (measure, lines, expected) in [
        ("relative 5", "A 95000000 @ 1 100\n CASH 5000000.00", "5.0000:"),
        ("relative 5", "A 94999999.99 @ 1 100\n CASH 5000000.01", "5.0000: A"),
        ("absolute 5", "A 95000000 @ 1 100\n CASH 5000000.00", "5.0000:"),
        ("absolute 5", "A 94999999.99 @ 1 100\n CASH 5000000.01", "5.0000: CASH A"),
        ("hybrid 25 5", "A 95000000 @ 1 100\n CASH 5000000.00", "5.0000:"),
        ("hybrid 25 5", "A 94999999.99 @ 1 100\n CASH 5000000.01", "5.0000: CASH"),
        ("tighter 25 5", "A 95000000 @ 1 100\n CASH 5000000.00", "5.0000:"),
        ("tighter 25 5", "A 94999999.99 @ 1 100\n CASH 5000000.01", "5.0000: A"),
        // Of the distances 2.5, 2.5 and 5 points, half the sum is 5.
        ("total 5", "A 47500000 @ 1 50\n B 47500000 @ 1 50\n CASH 5000000.00", "5.0000:"),
        ("total 5", "A 47500000 @ 1 50\n B 47499999.99 @ 1 50\n CASH 5000000.01", "5.0000: total"),
        // Half of it is cash, and still only what has a target is looked at.
        ("relative 50", "A 25 @ 1 50\n B 25 @ 1 50\n CASH 50.00", "50.0000:"),
        ("tighter 50 25", "A 25 @ 1 50\n B 25 @ 1 50\n CASH 50.00", "25.0000:"),
        ("absolute 25", "A 25 @ 1 50\n B 25 @ 1 50\n CASH 50.00", "50.0000: CASH"),
        ("hybrid 100 25", "A 25 @ 1 50\n B 25 @ 1 50\n CASH 50.00", "50.0000: CASH"),
    ] {
        check(measure, lines, expected);
    }
}

#[test]
fn a_holding_without_a_target_is_always_out() {
    let lines = "A 99 @ 1 100\n B 1 @ 1";
    for (measure, expected) in [
        ("relative 100", "1.0000: B"),
        ("absolute 100", "1.0000: B"),
        ("hybrid 100 100", "1.0000: B"),
        ("tighter 100 100", "1.0000: B"),
        ("total 100", "1.0000: B"),
        ("total 0.9999", "1.0000: B total"),
    ] {
        check(measure, lines, expected);
    }
    // It is left out of the figure under relative and tighter, where it has no band to compare with.
    let most_of_it = "A 40 @ 1 100\n B 60 @ 1";
    check("relative 100", most_of_it, "60.0000: B");
    check("absolute 100", most_of_it, "60.0000: B");
    let three = "A 45 @ 1 50\n B 45 @ 1 50\n C 10 @ 1";
    check("relative 100", three, "10.0000: C");
    check("tighter 100 100", three, "5.0000: C");
    check("absolute 100", three, "10.0000: C");
    check("hybrid 100 100", three, "10.0000: C");
    check("total 100", three, "10.0000: C");
    // Not even a little of it is overlooked.
    check("absolute 100", "A 1000000000 @ 1 100\n B 0.000000001 @ 0.000000001", "0.0000: B");

    let scene = Scene::of(three).measure("relative 100");
    let breach = assess(&scene.valuation().unwrap(), &scene.policy.measure).unwrap().breaches[0];
    assert_eq!((breach.target, breach.untargeted), (Target::Symbol(read("C")), true));
    assert_eq!((breach.weight, breach.goal), (read("10"), read("0")));
}

#[test]
fn a_target_without_a_holding_lacks_all_of_it() {
    let lines = "A 10 @ 1 80\n B 0 @ 7 20";
    check("relative 99.9999", lines, "100.0000: B");
    check("relative 100", lines, "100.0000:");
    check("absolute 19.9999", lines, "20.0000: A B");
    check("absolute 20", lines, "20.0000:");
    check("total 20", lines, "20.0000:");
    // A portfolio that has not bought anything yet.
    check("relative 5", "A 0 @ 1 60\n B 0 @ 1 40\n CASH 100.00", "100.0000: A B");
    check("total 99.9999", "A 0 @ 1 60\n B 0 @ 1 40\n CASH 100.00", "100.0000: total");
}

#[test]
fn at_band_zero_every_difference_counts() {
    let exact = "A 5 @ 1 50\n B 5 @ 1 50";
    let off = "A 5.000000001 @ 1 50\n B 4.999999999 @ 1 50";
    for (measure, out) in [
        ("relative 0", "0.0000: A B"),
        ("absolute 0", "0.0000: A B"),
        ("hybrid 0 0", "0.0000: A B"),
        ("tighter 0 5", "0.0000: A B"),
        ("tighter 5 0", "0.0000: A B"),
        ("total 0", "0.0000: total"),
    ] {
        check(measure, exact, "0.0000:");
        check(measure, off, out);
    }
    check("absolute 0", "A 1000000 @ 1 100\n CASH 0.01", "0.0000: CASH A");
}

#[test]
fn cash_counts_with_what_it_exceeds_buffer_and_reserve_by() {
    // Worth 100, of which 60 may be invested: free cash is half of that.
    let buffered = |measure| Scene::of("A 30 @ 1 50\n CASH 70.00 50").buffer("40.00").measure(measure);
    check_scene(&buffered("absolute 0"), "0.0000:");
    let reserved = Scene::of("A 30 @ 1 50\n CASH 40.00 50").costs(0, "5.00", "0.00").measure("absolute 0");
    check_scene(&reserved, "0.0000:");

    // One less than nothing is free: of the 10 invested, 11 are in A.
    let owing = |measure| Scene::of("A 11 @ 1 100\n CASH -1.00").measure(measure);
    let short = |measure| Scene::of("A 11 @ 1 100\n CASH 5.00").buffer("6.00").measure(measure);
    for (measure, expected) in [
        ("relative 10", "10.0000:"),
        ("relative 9.9999", "10.0000: A"),
        ("absolute 10", "10.0000:"),
        ("absolute 9.9999", "10.0000: CASH A"),
        ("hybrid 9.9999 9.9999", "10.0000: CASH A"),
        ("tighter 9.9999 100", "10.0000: A"),
        ("total 10", "10.0000:"),
        ("total 9.9999", "10.0000: total"),
    ] {
        check_scene(&owing(measure), expected);
        check_scene(&short(measure), expected);
    }
}

#[test]
fn figures_for_people_are_rounded_half_even_and_decide_nothing() {
    // Two million: one off is half of the last digit that is shown.
    check("absolute 0", "A 1000001 @ 1 50\n B 999999 @ 1 50", "0.0000: A B");
    check("absolute 0", "A 1000003 @ 1 50\n B 999997 @ 1 50", "0.0002: A B");
    check("relative 0", "A 1000000.5 @ 1 50\n B 999999.5 @ 1 50", "0.0000: A B");
    check("relative 0", "A 1000001.5 @ 1 50\n B 999998.5 @ 1 50", "0.0002: A B");
    check("total 0.0001", "A 1000003 @ 1 50\n B 999997 @ 1 50", "0.0002: total");
    check("total 0.0002", "A 1000003 @ 1 50\n B 999997 @ 1 50", "0.0002:");

    let scene = Scene::of("A 1000001 @ 1 50\n B 999999 @ 1 50").measure("absolute 0");
    let found = assess(&scene.valuation().unwrap(), &scene.policy.measure).unwrap();
    let weights: Vec<String> = found.breaches.iter().map(|breach| breach.weight.to_string()).collect();
    assert_eq!(weights, ["50.0000", "50.0000"]); // 50.00005 and 49.99995
    assert!(found.breached(Target::Symbol(read("A"))));
    assert!(!found.breached(Target::Cash));
}

#[test]
fn figures_beyond_a_percentage_are_refused_and_the_decision_is_not() {
    // All but the last atom of a large holding is owed: its weight is beyond any percentage.
    let scene = Scene::of("A 1000000000000000.000000001 @ 1 100\n CASH -1000000000000000.00").measure("relative 5");
    let valuation = scene.valuation().unwrap();
    assert_eq!(is_out_of_band(&valuation, &scene.policy.measure), Ok(true));
    assert!(assess(&valuation, &scene.policy.measure).is_err());
}

#[test]
fn a_distance_is_the_same_however_many_bits_it_takes() {
    // Around where 128 bits are no longer enough, and what only a caller's own lines can hold: a target of more than everything.
    let mut numbers = vec![0, 1, 999_999, i128::MAX];
    numbers.extend((103..109).flat_map(|bits| [(1 << bits) - 1, 1 << bits, (1 << bits) + 1]));
    let values: Vec<i128> = numbers.iter().flat_map(|number| [*number, -*number]).collect();
    let as_value = |number| Value::from_wide(Wide::from_i128(number));
    let (mut narrow, mut wide) = (0, 0);
    for share in [0, 1, 333_333, 999_999, 1_000_000, 1_000_001, 1 << 40] {
        for (value, whole) in values.iter().flat_map(|value| numbers.iter().map(move |whole| (*value, *whole))) {
            let big = |number: i128, factor: u64| Wide::from_i128(number).checked_mul(Wide::from_u128(factor.into()));
            let difference = big(value, 1_000_000).unwrap().checked_sub(big(whole, share).unwrap()).unwrap();
            let found = Wide::distance(as_value(value).wide(), share, as_value(whole).wide());
            assert_eq!(found, Some(difference.abs()), "{value} of {whole}, {share}");
            let of_few_bits = i128::of(as_value(value)).zip(i128::of(as_value(whole)));
            match of_few_bits.and_then(|(value, whole)| i128::distance(value, share, whole)) {
                Some(found) => {
                    assert_eq!(found.wide(), difference.abs(), "{value} of {whole}, {share}");
                    narrow += 1;
                }
                None => wide += 1,
            }
        }
    }
    assert!(narrow > 500 && wide > 500, "{narrow} {wide}");
}

#[test]
fn products_are_compared_alike_however_many_bits_they_take() {
    let sizes = [0, 1, 2, (1 << 63) - 1, 1 << 64, (1 << 64) + 1, 3 << 100, (1 << 126) - 1, i128::MAX];
    let numbers = || sizes.iter().flat_map(|size| [*size, -*size]);
    let factors = [0, 1, 2, 1_000_000, (1 << 49) - 1, 1 << 49, u64::MAX];
    let pairs = || numbers().flat_map(|number| factors.iter().map(move |factor| (number, *factor)));
    for ((one, by), (other, other_by)) in pairs().flat_map(|one| pairs().map(move |other| (one, other))) {
        let product = |number: i128, by: u64| number.wide().checked_mul(Wide::from_u128(by.into())).unwrap();
        let expected = product(one, by).cmp(&product(other, other_by));
        assert_eq!(one.cmp_times(by, other, other_by), expected, "{one} {by} {other} {other_by}");
        assert_eq!(one.wide().cmp_times(by, other.wide(), other_by), expected, "{one} {by} {other} {other_by}");
    }
}
