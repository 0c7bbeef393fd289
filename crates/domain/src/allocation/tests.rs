//! What an allocation is, what keeps weights from being one, and that it always adds up.

#![expect(clippy::arithmetic_side_effects, reason = "figures of tests stay far from the limits of their types")]

use super::{AllocationViolation, Target, TargetAllocation};
use crate::testing::read;
use crate::testing::strategies::{allocations, cases, nth, percentage, split};
use crate::values::Percentage;
use proptest::prelude::*;

/// Checks what reading these weights comes to: the allocation in order, or everything that is wrong with it.
fn check(weights: &[(&str, &str)], expected: Result<&str, &[&str]>) {
    let found = TargetAllocation::parse(weights.iter().copied());
    let found = found.map(|allocation| written(&allocation)).map_err(|error| error.to_string());
    assert_eq!(found, expected.map(str::to_owned).map_err(|violations| violations.join("; ")), "{weights:?}");
}

fn written(allocation: &TargetAllocation) -> String {
    allocation.weights().map(|(target, weight)| format!("{target} {weight}")).collect::<Vec<_>>().join(", ")
}

fn thirds() -> TargetAllocation {
    TargetAllocation::parse([("META", "33.33"), ("AAPL", "33.33"), ("MSFT", "33.34")]).unwrap()
}

fn sum(allocation: &TargetAllocation) -> i64 {
    allocation.weights().map(|(_, weight)| weight.units()).sum()
}

#[test]
fn weights_are_positive_and_add_up() {
    check(&[("META", "33.33"), ("AAPL", "33.33"), ("MSFT", "33.34")], Ok("AAPL 33.3300, META 33.3300, MSFT 33.3400"));
    check(&[("A", "60"), ("CASH", "40")], Ok("CASH 40.0000, A 60.0000"));
    check(&[("CASH", "100")], Ok("CASH 100.0000"));
    check(&[("A", "100.0000")], Ok("A 100.0000"));
    check(&[("A", "99.9999"), ("B", "0.0001")], Ok("A 99.9999, B 0.0001"));
}

#[test]
fn each_violation_says_what_is_wrong() {
    check(&[], Err(&[r#"there are no targets: name at least one, such as CASH = "100""#]));
    check(
        &[("A", "99.9999")],
        Err(&["the targets add up to 99.9999 %: they must add up to exactly 100.0000 % (0.0001 missing)"]),
    );
    check(
        &[("A", "60"), ("B", "40.0001")],
        Err(&["the targets add up to 100.0001 %: they must add up to exactly 100.0000 % (0.0001 too much)"]),
    );
    check(
        &[("A", "100"), ("B", "0")],
        Err(&["the target B has the weight 0.0000 %: a weight is above 0; leave the target out instead"]),
    );
    check(
        &[("CASH", "100.5"), ("B", "-0.5")],
        Err(&["the target B has the weight -0.5000 %: a weight is above 0; leave the target out instead"]),
    );
    check(&[("A", "50"), ("B", "30"), ("A", "20")], Err(&["the target A is named more than once"]));
    check(&[("CASH", "50"), ("CASH", "50")], Err(&["the target CASH is named more than once"]));
    check(
        &[("cash", "100")],
        Err(&[r#"the target "cash": "cash" is not a symbol: 'c' is not allowed, only A-Z, 0-9, '.', '-' and '/' are"#]),
    );
}

#[test]
fn every_violation_is_reported_at_once() {
    check(
        &[("A", "0"), ("B", "-100"), ("A", "7"), ("CASH", "0.5")],
        Err(&[
            "the target A has the weight 0.0000 %: a weight is above 0; leave the target out instead",
            "the target B has the weight -100.0000 %: a weight is above 0; leave the target out instead",
            "the target A is named more than once",
            "the targets add up to -92.5000 %: they must add up to exactly 100.0000 % (192.5000 missing)",
        ]),
    );
    // What cannot be read hides no other violation, but a sum without it would mislead.
    check(
        &[("aapl", "33.33333"), ("B", "0"), ("C", "5O"), ("D", "40")],
        Err(&[
            r#"the target "aapl": "aapl" is not a symbol: 'a' is not allowed, only A-Z, 0-9, '.', '-' and '/' are"#,
            r#"the target "aapl": "33.33333" is not a percentage: it has 5 decimals, at most 4 are allowed"#,
            r#"the target "C": "5O" is not a percentage: it must be digits with at most one point between them, like 12 or 12.5"#,
            "the target B has the weight 0.0000 %: a weight is above 0; leave the target out instead",
        ]),
    );
    let too_fine = r#"the target "A": "0.00001" is not a percentage: it has 5 decimals, at most 4 are allowed"#;
    check(&[("A", "0.00001"), ("B", "100")], Err(&[too_fine]));
    check(&[("A", "0.00001"), ("B", "99")], Err(&[too_fine]));
    check(&[("A", "0.00001")], Err(&[too_fine]));
}

#[test]
fn sums_beyond_a_percentage_are_told_all_the_same() {
    let far = |target| (target, Percentage::MAX);
    let error = TargetAllocation::new([far(read("A")), far(read("B"))]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the targets add up to 199999999999999.9998 %: they must add up to exactly 100.0000 % \
         (199999999999899.9998 too much)"
    );
}

#[test]
fn weights_are_found_by_name() {
    let allocation = TargetAllocation::parse([("B", "25"), ("CASH", "35"), ("A", "40")]).unwrap();
    assert_eq!(allocation.cash(), read("35"));
    assert_eq!(allocation.of(read("A")), read("40"));
    assert_eq!(allocation.of(read("C")), Percentage::ZERO);
    assert_eq!(thirds().cash(), Percentage::ZERO);
    let symbols: Vec<String> = allocation.symbols().map(|(symbol, weight)| format!("{symbol} {weight}")).collect();
    assert_eq!(symbols, ["A 40.0000", "B 25.0000"]);
}

#[test]
fn replacing_moves_a_whole_weight() {
    let cases = [
        ("META", "NVDA", Ok("AAPL 33.3300, MSFT 33.3400, NVDA 33.3300")),
        ("META", "AAPL", Ok("AAPL 66.6600, MSFT 33.3400")),
        ("META", "CASH", Ok("CASH 33.3300, AAPL 33.3300, MSFT 33.3400")),
        ("META", "META", Ok("AAPL 33.3300, META 33.3300, MSFT 33.3400")),
        ("NVDA", "META", Err("there is no target NVDA to replace")),
        ("CASH", "META", Err("there is no target CASH to replace")),
    ];
    for (from, to, expected) in cases {
        let found = thirds().replace(read(from), read(to)).map(|a| written(&a)).map_err(|e| e.to_string());
        assert_eq!(found.as_deref().map_err(String::as_str), expected, "{from} by {to}");
    }
}

#[test]
fn cash_is_a_target_and_no_symbol() {
    assert_eq!(read::<Target>("CASH"), Target::Cash);
    assert_eq!(read::<Target>("CASHX"), Target::Symbol(read("CASHX")));
    assert_eq!(format!("[{:>6}]", Target::Cash), "[  CASH]");
    assert_eq!(format!("[{:<6}]", read::<Target>("META")), "[META  ]");
}

#[cfg(feature = "serde")]
#[test]
fn it_travels_as_a_map_of_texts() {
    let json = r#"{"CASH":"40.0000","A":"35.0000","B":"25.0000"}"#;
    let allocation: TargetAllocation = serde_json::from_str(json).unwrap();
    assert_eq!(serde_json::to_string(&allocation).unwrap(), json);
    let refused = [
        (r#"{}"#, "there are no targets"),
        (r#"{"A":"50","A":"50"}"#, "the target A is named more than once"),
        (r#"{"A":"100","A":"100"}"#, "the target A is named more than once"),
        (r#"{"A":"99"}"#, "the targets add up to 99.0000 %"),
        (
            r#"{"a":"50","b":"5O"}"#,
            r#"the target "a": "a" is not a symbol: 'a' is not allowed, only A-Z, 0-9, '.', '-' and '/' are; the target "b": "b" is"#,
        ),
        (r#"{"A":100}"#, "invalid type: integer `100`, expected a string"),
        (
            r#"["A"]"#,
            r#"invalid type: sequence, expected targets with their weights as strings, like {"META": "60", "CASH": "40"}"#,
        ),
    ];
    for (json, expected) in refused {
        let error = serde_json::from_str::<TargetAllocation>(json).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{json}: {error}");
    }
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn every_way_to_an_allocation_keeps_the_sum(allocation in allocations(12), from in 0..14_usize, to in 0..14_usize) {
        prop_assert_eq!(sum(&allocation), 1_000_000);
        prop_assert!(allocation.weights().all(|(_, weight)| weight > Percentage::ZERO));

        let texts: Vec<(String, String)> = allocation.weights().map(|(t, w)| (t.to_string(), w.to_string())).collect();
        let parsed = TargetAllocation::parse(texts.iter().map(|(t, w)| (t.as_str(), w.as_str())));
        prop_assert_eq!(parsed.as_ref(), Ok(&allocation));

        let target = |place: usize| if place == 0 { Target::Cash } else { Target::Symbol(nth(place)) };
        let weights: Vec<(Target, Percentage)> = allocation.weights().collect();
        match allocation.replace(target(from), target(to)) {
            Ok(replaced) => {
                prop_assert_eq!(sum(&replaced), 1_000_000);
                prop_assert!(from == to || replaced.weights().all(|(other, _)| other != target(from)));
            }
            Err(error) => {
                let missing = vec![AllocationViolation::NoSuchTarget { target: target(from) }];
                prop_assert_eq!(error.violations, missing);
                prop_assert!(weights.iter().all(|(other, _)| *other != target(from)));
            }
        }

        #[cfg(feature = "serde")]
        {
            let json = serde_json::to_string(&allocation).unwrap();
            prop_assert_eq!(serde_json::from_str::<TargetAllocation>(&json).unwrap(), allocation);
        }
    }

    #[test]
    fn nothing_else_is_an_allocation(
        shares in prop::collection::vec(0..=100_u32, 1..8),
        place in any::<prop::sample::Index>(),
        off in prop_oneof![Just(-1_i64), Just(1), -2_000_000..=2_000_000_i64],
    ) {
        let mut parts = split(&shares);
        let changed = place.index(parts.len());
        parts[changed] += off;
        let weights = parts.iter().enumerate().map(|(n, part)| (Target::Symbol(nth(n)), percentage(*part)));
        match TargetAllocation::new(weights) {
            Ok(_) => prop_assert_eq!(off, 0),
            Err(error) => {
                let mut expected = Vec::new();
                if parts[changed] <= 0 {
                    let (target, weight) = (Target::Symbol(nth(changed)), percentage(parts[changed]));
                    expected.push(AllocationViolation::NotPositive { target, weight });
                }
                expected.push(AllocationViolation::Sum { units: i128::from(1_000_000 + off) });
                prop_assert_eq!(error.violations, expected);
            }
        }
    }
}
