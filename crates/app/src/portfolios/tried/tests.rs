//! What belongs together, and what a policy that is tried makes of each measure.

use super::{Known, MEASURES, Measure, Tried, band};
use crate::args::{Cli, Command, PlanArgs, parse};
use crate::portfolios::policy::{Bands, five_percent};
use expect_test::{Expect, expect};
use std::fmt::Write;

fn tried(options: &str) -> Result<Option<Tried>, clap::Error> {
    let line = format!("evenkeel plan --portfolios a --prices b {options}");
    let Cli { command: Command::Plan(PlanArgs { input, .. }), .. } = parse(line.split_whitespace().map(Into::into))?
    else {
        panic!("another command")
    };
    input.policy.tried()
}

/// What the options make of a portfolio of each measure, whose bands are 5.
fn check(options: &str, expected: Expect) {
    let five = five_percent().unwrap();
    let tried = tried(options).unwrap().unwrap();
    let mut told = format!("{tried}: {}\n", serde_json::to_string(&tried).unwrap());
    for known in MEASURES {
        let own = match known.bands {
            Bands::One(measure) => measure(five),
            Bands::Two(measure) => measure(five, five),
        };
        let instead = tried.instead_of(&own).map_or("no".to_owned(), |it: Measure| serde_json::to_string(&it).unwrap());
        writeln!(told, "{}: {instead}", known.name()).unwrap();
    }
    expected.assert_eq(&told);
}

#[test]
fn bands_alone_leave_the_measure() {
    check(
        "--band 2.5",
        expect![[r#"
        band   2.5000: {"band":"2.5000"}
        relative: {"relative":{"band":"2.5000"}}
        absolute: {"absolute":{"band":"2.5000"}}
        hybrid: no
        tighter: no
        total: {"total":{"band":"2.5000"}}
    "#]],
    );
    check(
        "--relative 20 --absolute 3",
        expect![[r#"
        relative  20.0000, absolute   3.0000: {"relative":"20.0000","absolute":"3.0000"}
        relative: no
        absolute: no
        hybrid: {"hybrid":{"relative":"20.0000","absolute":"3.0000"}}
        tighter: {"tighter":{"relative":"20.0000","absolute":"3.0000"}}
        total: no
    "#]],
    );
    check(
        "--absolute 0",
        expect![[r#"
        absolute   0.0000: {"absolute":"0.0000"}
        relative: no
        absolute: no
        hybrid: {"hybrid":{"relative":"5.0000","absolute":"0.0000"}}
        tighter: {"tighter":{"relative":"5.0000","absolute":"0.0000"}}
        total: no
    "#]],
    );
}

#[test]
fn a_measure_is_that_of_all() {
    check(
        "--measure total --band 100",
        expect![[r#"
        total, band 100.0000: {"measure":"total","band":"100.0000"}
        relative: {"total":{"band":"100.0000"}}
        absolute: {"total":{"band":"100.0000"}}
        hybrid: {"total":{"band":"100.0000"}}
        tighter: {"total":{"band":"100.0000"}}
        total: {"total":{"band":"100.0000"}}
    "#]],
    );
    check(
        "--measure tighter --relative 25 --absolute 5",
        expect![[r#"
        tighter, relative  25.0000, absolute   5.0000: {"measure":"tighter","relative":"25.0000","absolute":"5.0000"}
        relative: {"tighter":{"relative":"25.0000","absolute":"5.0000"}}
        absolute: {"tighter":{"relative":"25.0000","absolute":"5.0000"}}
        hybrid: {"tighter":{"relative":"25.0000","absolute":"5.0000"}}
        tighter: {"tighter":{"relative":"25.0000","absolute":"5.0000"}}
        total: {"tighter":{"relative":"25.0000","absolute":"5.0000"}}
    "#]],
    );
    // As in a file.
    check(
        "--measure absolute",
        expect![[r#"
        absolute, band   5.0000: {"measure":"absolute","band":"5.0000"}
        relative: {"absolute":{"band":"5.0000"}}
        absolute: {"absolute":{"band":"5.0000"}}
        hybrid: {"absolute":{"band":"5.0000"}}
        tighter: {"absolute":{"band":"5.0000"}}
        total: {"absolute":{"band":"5.0000"}}
    "#]],
    );
}

#[test]
fn without_an_option_nothing_is_tried() {
    assert!(tried("").unwrap().is_none());
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let mut told = String::new();
    for options in [
        "--measure hybrid",
        "--measure hybrid --relative 25",
        "--measure tighter --absolute 5",
        "--measure hybrid --band 5",
        "--measure hybrid --relative 25 --absolute 5 --band 5",
        "--measure total --relative 25",
        "--measure relative --band 5 --absolute 5",
        "--band 5 --relative 25",
        "--measure relativ --band 5",
        "--band five",
        "--band 100.0001",
        "--band=-1",
        "--relative 1.00001",
    ] {
        let error = tried(options).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{options}");
        let error = error.to_string();
        let message: Vec<&str> = error.lines().take_while(|line| !line.is_empty()).map(str::trim).collect();
        writeln!(told, "{options}\n    {}", message.join(" ")).unwrap();
    }
    expect![[r#"
        --measure hybrid
            error: --relative is missing: the measure hybrid has --relative and --absolute
        --measure hybrid --relative 25
            error: --absolute is missing: the measure hybrid has --relative and --absolute
        --measure tighter --absolute 5
            error: --relative is missing: the measure tighter has --relative and --absolute
        --measure hybrid --band 5
            error: --band belongs to the measures relative, absolute, total, not to hybrid: the measure hybrid has --relative and --absolute
        --measure hybrid --relative 25 --absolute 5 --band 5
            error: --band belongs to the measures relative, absolute, total, not to hybrid: the measure hybrid has --relative and --absolute
        --measure total --relative 25
            error: --relative belongs to the measures hybrid, tighter, not to total: the measure total has --band
        --measure relative --band 5 --absolute 5
            error: --absolute belongs to the measures hybrid, tighter, not to relative: the measure relative has --band
        --band 5 --relative 25
            error: --band belongs to the measures relative, absolute, total, --relative and --absolute to hybrid, tighter: add --measure, and keep what it has
        --measure relativ --band 5
            error: invalid value 'relativ' for '--measure <MEASURE>' [possible values: relative, absolute, hybrid, tighter, total]
        --band five
            error: invalid value 'five' for '--band <B>': it must be digits with at most one point between them, like 12 or 12.5; write a percentage from "0" to "100", with at most 4 decimals
        --band 100.0001
            error: invalid value '100.0001' for '--band <B>': a band is from 0 to 100; write a percentage from "0" to "100", with at most 4 decimals
        --band=-1
            error: invalid value '-1' for '--band <B>': a band is from 0 to 100; write a percentage from "0" to "100", with at most 4 decimals
        --relative 1.00001
            error: invalid value '1.00001' for '--relative <R>': it has 5 decimals, at most 4 are allowed; write a percentage from "0" to "100", with at most 4 decimals
    "#]].assert_eq(&told);
}

#[test]
fn a_band_is_read_as_in_a_file() {
    for text in ["0", "5", "5.0000", "0.0001", "100"] {
        assert_eq!(band(text).unwrap().width(), text.parse().unwrap());
    }
    assert!(Known::of("drift").is_none());
}
