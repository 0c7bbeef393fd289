//! Exact worth against unbounded integers, and its two ways out: cents and percentages.

use num_bigint::BigInt;
use proptest::prelude::*;

use super::{ROUNDINGS, check_rounded, many, moneys, roundings};
use crate::values::wide::tests::{big, wide, wides};
use crate::values::{Money, Overflow, Percentage, Price, Quantity, Rounding, ShareError, Value};

const PER_CENT: u64 = 10_000_000_000_000_000;

fn value(text: &str) -> Value {
    text.parse().unwrap()
}

fn values() -> impl Strategy<Value = Value> {
    wides().prop_map(Value::from_wide)
}

/// Values of every length up to and somewhat beyond what money can hold.
fn moderate() -> impl Strategy<Value = Value> {
    (any::<[u128; 2]>(), 128_u32..255, any::<bool>()).prop_map(|([hi, lo], cut, negative)| {
        let size: BigInt = ((BigInt::from(hi) << 128) + lo) >> cut;
        Value::from_wide(wide(&if negative { -size } else { size }).unwrap())
    })
}

fn units(value: Value) -> BigInt {
    big(value.wide())
}

proptest! {
    #![proptest_config(many())]

    #[test]
    fn sums_and_differences_are_exact(left in values(), right in values()) {
        let sum = wide(&(units(left) + units(right))).map(Value::from_wide);
        prop_assert_eq!(left.add(right).ok(), sum);
        let difference = wide(&(units(left) - units(right))).map(Value::from_wide);
        prop_assert_eq!(left.sub(right).ok(), difference);
    }

    #[test]
    fn totals_are_exact(terms in prop::collection::vec(moderate(), 0..8)) {
        let exact: BigInt = terms.iter().copied().map(units).sum();
        prop_assert_eq!(Value::sum(terms).map(units), Ok(exact));
    }

    #[test]
    fn signs_turn(value in values()) {
        prop_assert_eq!(units(value.negate()), -units(value));
        prop_assert_eq!(units(value.abs()), BigInt::from(units(value).magnitude().clone()));
        prop_assert_eq!(value.is_negative(), units(value) < BigInt::ZERO);
        prop_assert_eq!(value.is_zero(), units(value) == BigInt::ZERO);
    }

    #[test]
    fn money_comes_and_goes(money in moneys(), rounding in roundings()) {
        prop_assert_eq!(units(money.to_value()), BigInt::from(money.cents()) * PER_CENT);
        prop_assert_eq!(money.to_value().to_money(rounding), Ok(money));
    }

    #[test]
    fn cents_are_rounded_as_named(value in moderate(), rounding in roundings()) {
        match value.to_money(rounding) {
            Ok(money) => {
                check_rounded(&units(value), &PER_CENT.into(), &money.cents().into(), rounding);
            }
            Err(_) => prop_assert!(units(value.abs()) > units(Money::MAX.to_value())),
        }
    }

    #[test]
    fn shares_are_rounded_as_named(part in moderate(), total in moderate(), rounding in roundings()) {
        prop_assume!(!total.is_zero());
        let dividend = units(part) * Percentage::HUNDRED.units();
        match part.share_of(total, rounding) {
            Ok(share) => check_rounded(&dividend, &units(total), &share.units().into(), rounding),
            Err(_) => {
                let largest = units(total.abs()) * Percentage::MAX.units();
                prop_assert!(BigInt::from(dividend.magnitude().clone()) > largest);
            }
        }
    }

    #[test]
    fn order_is_that_of_numbers(left in values(), right in values()) {
        prop_assert_eq!(left.cmp(&right), units(left).cmp(&units(right)));
    }
}

#[test]
fn cents_go_where_the_name_says() {
    let cases = [
        // value, and its cents half-even, down and up
        ("0.125", ["0.12", "0.12", "0.13"]),
        ("0.135", ["0.14", "0.13", "0.14"]),
        ("0.12", ["0.12", "0.12", "0.12"]),
        ("0.124999999999999999", ["0.12", "0.12", "0.13"]),
        ("0.125000000000000001", ["0.13", "0.12", "0.13"]),
        ("-0.125", ["-0.12", "-0.12", "-0.13"]),
        ("-0.135", ["-0.14", "-0.13", "-0.14"]),
        ("-0.120000000000000001", ["-0.12", "-0.12", "-0.13"]),
        ("0.005", ["0.00", "0.00", "0.01"]),
        ("-0.005", ["0.00", "0.00", "-0.01"]),
        ("0.000000000000000001", ["0.00", "0.00", "0.01"]),
        ("9999999999999999.99", ["9999999999999999.99"; 3]),
    ];
    for (text, expected) in cases {
        let found = ROUNDINGS.map(|rounding| value(text).to_money(rounding).unwrap().to_string());
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn money_ends_where_rounding_would_leave_its_range() {
    let cases = [
        // value, and whether it fits half-even, down and up
        ("9999999999999999.994999999999999999", [true, true, false]),
        ("9999999999999999.995", [false, true, false]),
        ("-9999999999999999.995", [false, true, false]),
        ("10000000000000000", [false, false, false]),
    ];
    for (text, expected) in cases {
        assert_eq!(ROUNDINGS.map(|r| value(text).to_money(r).is_ok()), expected, "{text}");
    }
    let error = Value::MAX.to_money(Rounding::Down).unwrap_err();
    assert_eq!(error.doing, format!("rounding {} to cents", Value::MAX));
    assert_eq!(error.what, "an amount of money");
}

#[test]
fn shares_go_where_the_name_says() {
    let cases = [
        // part, total, and the share half-even, down and up
        ("1", "3", ["33.3333", "33.3333", "33.3334"]),
        ("2", "3", ["66.6667", "66.6666", "66.6667"]),
        ("-1", "3", ["-33.3333", "-33.3333", "-33.3334"]),
        ("1", "-3", ["-33.3333", "-33.3333", "-33.3334"]),
        ("1", "1", ["100.0000", "100.0000", "100.0000"]),
        ("0", "7", ["0.0000", "0.0000", "0.0000"]),
        ("1", "2000000", ["0.0000", "0.0000", "0.0001"]),
        ("3", "2000000", ["0.0002", "0.0001", "0.0002"]),
        ("36663", "100000", ["36.6630", "36.6630", "36.6630"]),
    ];
    for (part, total, expected) in cases {
        let share = |rounding| value(part).share_of(value(total), rounding).unwrap().to_string();
        assert_eq!(ROUNDINGS.map(share), expected, "{part} of {total}");
    }
}

#[test]
fn some_values_have_no_share() {
    let part = value("5");
    let none = part.share_of(Value::ZERO, Rounding::Down).unwrap_err();
    assert_eq!(none, ShareError::ZeroTotal { part });
    assert_eq!(none.to_string(), "5 has no share of a total of 0");

    let total = value("0.000000000000000001");
    let beyond = part.share_of(total, Rounding::Down).unwrap_err();
    let message = "taking 5 as a share of 0.000000000000000001 leaves the range of a percentage, \
                   whose maximum is ±99999999999999.9999";
    assert_eq!(beyond.to_string(), message);
    // Too large even to be multiplied.
    assert!(Value::MAX.share_of(Value::MAX, Rounding::Down).is_err());
}

#[test]
fn overflows_say_what_was_being_done() {
    let step = Price::SMALLEST.times(Quantity::STEP);
    let maximum = "±57896044618658097711785492504343953926634992332820282019728.792003956564819967";
    let doing = format!("adding 0.000000000000000001 to {}", Value::MAX);
    assert_eq!(Value::MAX.add(step), Err(Overflow { doing, what: "a value", maximum }));
    let doing = format!("subtracting 0.000000000000000001 from {}", Value::MIN);
    assert_eq!(Value::MIN.sub(step), Err(Overflow { doing, what: "a value", maximum }));
    assert_eq!(Value::sum([Value::MIN, Value::MAX, step]), Ok(step));
    assert_eq!(Value::default(), Value::ZERO);
}
