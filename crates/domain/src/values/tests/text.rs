//! The one grammar of decimals: what each type reads, what it refuses and why, and that printing is its inverse.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use proptest::prelude::*;

use super::{many, moneys, percentages, prices, quantities};
use crate::values::text::shorten;
use crate::values::wide::tests::wides;
use crate::values::{Lot, Money, ParseError, ParseReason, Percentage, Price, Quantity, Value};
use ParseReason::{Empty, LeadingZero, Negative, NotDecimal, Zero};

const fn surplus(found: usize, allowed: usize) -> ParseReason {
    ParseReason::TooManyDecimals { found, allowed }
}

const fn beyond(maximum: &'static str) -> ParseReason {
    ParseReason::OutOfRange { maximum }
}

/// Checks how each text prints once it was read, or why it is refused.
fn check<T: FromStr<Err = ParseError> + Display>(cases: &[(&str, Result<&str, ParseReason>)]) {
    for (text, expected) in cases {
        let found = text.parse::<T>().map(|value| value.to_string()).map_err(|error| error.reason);
        assert_eq!(found, expected.map(str::to_owned), "{text:?} as {}", std::any::type_name::<T>());
    }
}

#[test]
fn money_is_read_to_the_cent() {
    check::<Money>(&[
        ("0", Ok("0.00")),
        ("-0", Ok("0.00")),
        ("-0.00", Ok("0.00")),
        ("0.01", Ok("0.01")),
        ("-0.05", Ok("-0.05")),
        ("0.5", Ok("0.50")),
        ("1234.5", Ok("1234.50")),
        ("1234.50", Ok("1234.50")),
        ("10", Ok("10.00")),
        ("9999999999999999.99", Ok("9999999999999999.99")),
        ("-9999999999999999.99", Ok("-9999999999999999.99")),
        ("10000000000000000", Err(beyond("±9999999999999999.99"))),
        ("-10000000000000000.00", Err(beyond("±9999999999999999.99"))),
        ("1.005", Err(surplus(3, 2))),
        ("1.000", Err(surplus(3, 2))),
    ]);
}

#[test]
fn percentages_have_four_decimals() {
    check::<Percentage>(&[
        ("20", Ok("20.0000")),
        ("33.33", Ok("33.3300")),
        ("-6.4520", Ok("-6.4520")),
        ("-0.0000", Ok("0.0000")),
        ("0.0001", Ok("0.0001")),
        ("99999999999999.9999", Ok("99999999999999.9999")),
        ("-99999999999999.9999", Ok("-99999999999999.9999")),
        ("100000000000000", Err(beyond("±99999999999999.9999"))),
        ("-100000000000000", Err(beyond("±99999999999999.9999"))),
        ("33.33333", Err(surplus(5, 4))),
        ("20%", Err(NotDecimal)),
    ]);
}

#[test]
fn quantities_are_not_negative() {
    check::<Quantity>(&[
        ("0", Ok("0")),
        ("0.000", Ok("0")),
        ("100", Ok("100")),
        ("12.50", Ok("12.5")),
        ("0.000000001", Ok("0.000000001")),
        ("999999999999999999.999999999", Ok("999999999999999999.999999999")),
        ("1000000000000000000", Err(beyond("999999999999999999.999999999"))),
        ("0.0000000001", Err(surplus(10, 9))),
        ("1.0000000000", Err(surplus(10, 9))),
        ("-1", Err(Negative)),
        ("-0", Err(Negative)),
    ]);
}

#[test]
fn prices_are_more_than_zero() {
    check::<Price>(&[
        ("440", Ok("440")),
        ("440.00", Ok("440")),
        ("366.63", Ok("366.63")),
        ("0.000000001", Ok("0.000000001")),
        ("9999999999.999999999", Ok("9999999999.999999999")),
        ("10000000000", Err(beyond("9999999999.999999999"))),
        ("18446744074", Err(beyond("9999999999.999999999"))),
        ("0.0000000001", Err(surplus(10, 9))),
        ("0", Err(Zero)),
        ("0.000000000", Err(Zero)),
        ("-1", Err(Negative)),
    ]);
}

#[test]
fn lots_are_quantities_above_zero() {
    check::<Lot>(&[
        ("1", Ok("1")),
        ("0.10", Ok("0.1")),
        ("0.000000001", Ok("0.000000001")),
        ("0", Err(Zero)),
        ("-1", Err(Negative)),
        ("0.0000000001", Err(surplus(10, 9))),
        ("1000000000000000000", Err(beyond("999999999999999999.999999999"))),
    ]);
    assert_eq!("0".parse::<Lot>().unwrap_err().what, "a lot");
}

#[test]
fn values_have_eighteen_decimals_in_256_bits() {
    const MAX: &str = "57896044618658097711785492504343953926634992332820282019728.792003956564819967";
    const MIN: &str = "-57896044618658097711785492504343953926634992332820282019728.792003956564819967";
    const BEYOND: ParseReason =
        beyond("±57896044618658097711785492504343953926634992332820282019728.792003956564819967");
    check::<Value>(&[
        ("0", Ok("0")),
        ("-0.0", Ok("0")),
        ("100000.00", Ok("100000")),
        ("-0.000000000000000001", Ok("-0.000000000000000001")),
        ("122.20999987779", Ok("122.20999987779")),
        (MAX, Ok(MAX)),
        (MIN, Ok(MIN)),
        ("57896044618658097711785492504343953926634992332820282019728.792003956564819968", Err(BEYOND)),
        ("-57896044618658097711785492504343953926634992332820282019728.792003956564819968", Err(BEYOND)),
        ("1000000000000000000000000000000000000000000000000000000000000", Err(BEYOND)),
        ("0.0000000000000000001", Err(surplus(19, 18))),
    ]);
    assert_eq!([Value::MAX.to_string(), Value::MIN.to_string()], [MAX, MIN]);
}

#[test]
fn what_is_no_decimal_is_none_of_any_type() {
    let mut cases = vec![("", Err(Empty))];
    cases.extend(["00", "007", "00.5", "01.50"].map(|text| (text, Err(LeadingZero))));
    cases.extend(
        [
            "+1", ".5", "1.", "-", ".", "-.", "-.5", "--1", "-+1", "1-", "1.2.3", "1..2", "1e3", "1E3", "1e400",
            "1_000", "1,5", "1,000.00", " 1", "1 ", "1 000", "\t1", "NaN", "nan", "inf", "-inf", "infinity", "0x10",
            "½", "٣", "１", "−1", "1\n", "1\0", "$1", "1USD", "true", "null",
        ]
        .map(|text| (text, Err(NotDecimal))),
    );
    check::<Money>(&cases);
    check::<Percentage>(&cases);
    check::<Quantity>(&cases);
    check::<Price>(&cases);
    check::<Lot>(&cases);
    check::<Value>(&cases);
}

#[test]
fn numbers_of_any_length_are_refused_and_not_wrapped() {
    let long = "9".repeat(10_000);
    check::<Money>(&[(&long, Err(beyond("±9999999999999999.99")))]);
    check::<Quantity>(&[(&long, Err(beyond("999999999999999999.999999999")))]);
    // 2^128 and 2^64, at the scale of the type: wrapped around, they would be small.
    check::<Quantity>(&[("340282366920938463463374607431.768211456", Err(beyond("999999999999999999.999999999")))]);
    check::<Price>(&[("18446744073.709551617", Err(beyond("9999999999.999999999")))]);
    check::<Money>(&[("184467440737095516.17", Err(beyond("±9999999999999999.99")))]);
}

#[test]
fn messages_say_what_would_be_right() {
    let cases = [
        ("", r#""" is not an amount of money: it is empty"#),
        (
            "1,5",
            r#""1,5" is not an amount of money: it must be digits with at most one point between them, like 12 or 12.5"#,
        ),
        ("007", r#""007" is not an amount of money: it must not start with a surplus zero"#),
        ("1.005", r#""1.005" is not an amount of money: it has 3 decimals, at most 2 are allowed"#),
        (
            "99999999999999999",
            r#""99999999999999999" is not an amount of money: it is out of range, the maximum is ±9999999999999999.99"#,
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(text.parse::<Money>().unwrap_err().to_string(), expected);
    }
    let negative = "-1".parse::<Quantity>().unwrap_err().to_string();
    assert_eq!(negative, r#""-1" is not a quantity: it must not have a minus sign"#);
    let zero = "0".parse::<Price>().unwrap_err().to_string();
    assert_eq!(zero, r#""0" is not a price: it must be more than zero"#);
}

#[test]
fn what_messages_quote_is_short_and_printable() {
    let forty = "x".repeat(40);
    let cases = [
        ("a\"b\n\u{1b}[31m", r#"a\"b\n\u{1b}[31m"#.to_owned()),
        (&forty, forty.clone()),
        (&"x".repeat(41), format!("{forty}…")),
        (&"é".repeat(1_000), format!("{}…", "é".repeat(40))),
    ];
    for (text, expected) in cases {
        assert_eq!(shorten(text), expected);
    }
}

#[test]
fn printing_honours_width_and_never_cuts_digits() {
    let money: Money = "-1234.5".parse().unwrap();
    let cases = [
        (format!("{money:>10}"), "  -1234.50"),
        (format!("{money:<10}|"), "-1234.50  |"),
        (format!("{money:^10}"), " -1234.50 "),
        (format!("{money:*>10}"), "**-1234.50"),
        (format!("{money:10}"), "  -1234.50"), // numbers stand to the right
        (format!("{money:010}"), "-001234.50"),
        (format!("{money:.1}"), "-1234.50"),
        (format!("{:+}", money.abs()), "+1234.50"),
        (format!("{:>6}", Quantity::STEP), "0.000000001"),
        (format!("{:>6}", Lot::FINEST), "0.000000001"),
        (format!("{:>5}", "12.50".parse::<Quantity>().unwrap()), " 12.5"),
        (format!("{:>8}", Percentage::HUNDRED), "100.0000"),
        (format!("{:>4}", Value::ZERO), "   0"),
        (format!("{money:?}"), "Money(-1234.50)"),
        (format!("{:?}", Value::ZERO), "Value(0)"),
        (format!("{:?}", Lot::FINEST), "Lot(0.000000001)"),
    ];
    for (found, expected) in cases {
        assert_eq!(found, expected);
    }
}

/// Checks that what is printed reads back as the same value.
fn check_round_trip<T>(value: T)
where
    T: FromStr<Err = ParseError> + Display + Debug + PartialEq,
{
    assert_eq!(value.to_string().parse::<T>(), Ok(value));
}

/// Checks that a text is either refused or printed back, up to zeros that change nothing.
fn check_exact<T: FromStr<Err = ParseError> + Display>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        assert_eq!(without_zeros(&value.to_string()), without_zeros(text));
    }
}

fn without_zeros(text: &str) -> &str {
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text };
    if text == "-0" { "0" } else { text }
}

proptest! {
    #![proptest_config(many())]

    #[test]
    fn what_is_printed_reads_back(
        money in moneys(),
        percentage in percentages(),
        quantity in quantities(),
        price in prices(),
        value in wides().prop_map(Value::from_wide),
    ) {
        check_round_trip(money);
        check_round_trip(percentage);
        check_round_trip(quantity);
        check_round_trip(price);
        check_round_trip(value);
    }

    #[test]
    fn every_decimal_of_the_grammar_is_read(
        money in r"-?(0|[1-9][0-9]{0,15})(\.[0-9]{1,2})?",
        percentage in r"-?(0|[1-9][0-9]{0,13})(\.[0-9]{1,4})?",
        quantity in r"(0|[1-9][0-9]{0,17})(\.[0-9]{1,9})?",
        price in r"[1-9][0-9]{0,9}(\.[0-9]{1,9})?",
        value in r"-?(0|[1-9][0-9]{0,57})(\.[0-9]{1,18})?",
    ) {
        prop_assert!(money.parse::<Money>().is_ok());
        prop_assert!(percentage.parse::<Percentage>().is_ok());
        prop_assert!(quantity.parse::<Quantity>().is_ok());
        prop_assert!(price.parse::<Price>().is_ok());
        prop_assert!(value.parse::<Value>().is_ok());
    }

    #[test]
    fn no_text_is_read_as_another_number(text in r"[-+0-9.e_, ]{0,12}|-?[0-9]{1,22}(\.[0-9]{0,20})?|.{0,8}") {
        check_exact::<Money>(&text);
        check_exact::<Percentage>(&text);
        check_exact::<Quantity>(&text);
        check_exact::<Price>(&text);
        check_exact::<Value>(&text);
    }
}
