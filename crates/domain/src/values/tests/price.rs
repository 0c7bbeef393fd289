//! Prices against unbounded integers: exact products, and averages and readings rounded as named.

use num_bigint::BigInt;
use proptest::prelude::*;

use super::{ROUNDINGS, check_rounded, many, prices, quantities, roundings};
use crate::values::wide::tests::{big, wides};
use crate::values::{ParseReason, Price, PriceError, Quantity, Rounding, Value};

proptest! {
    #![proptest_config(many())]

    #[test]
    fn worth_is_exact(price in prices(), quantity in quantities()) {
        let exact = BigInt::from(price.nanos()) * quantity.nanos();
        prop_assert_eq!(big(price.times(quantity).wide()), exact);
    }

    #[test]
    fn the_average_of_a_worth_is_its_price(
        price in prices(),
        quantity in quantities(),
        rounding in roundings(),
    ) {
        prop_assume!(!quantity.is_zero());
        prop_assert_eq!(Price::average(price.times(quantity), quantity, rounding), Ok(price));
    }

    #[test]
    fn averages_are_rounded_as_named(
        amount in wides(),
        quantity in quantities(),
        rounding in roundings(),
    ) {
        prop_assume!(!quantity.is_zero());
        let divisor = BigInt::from(quantity.nanos());
        match Price::average(Value::from_wide(amount), quantity, rounding) {
            Ok(price) => check_rounded(&big(amount), &divisor, &price.nanos().into(), rounding),
            Err(PriceError::NotPositive { .. }) => prop_assert!(big(amount) < divisor),
            Err(PriceError::Overflow(_)) => {
                prop_assert!(big(amount) > divisor * Price::MAX.nanos());
            }
            Err(PriceError::ZeroQuantity { .. }) => prop_assert!(false),
        }
    }

    #[test]
    fn readings_are_rounded_as_named(
        whole in r"0|[1-9][0-9]{0,8}",
        decimals in r"[0-9]{1,9}0{0,3}5{0,2}0{0,3}[0-9]{0,12}",
        rounding in roundings(),
    ) {
        let step = BigInt::from(10).pow(u32::try_from(decimals.len()).unwrap());
        let digits: BigInt = format!("{whole}{decimals}").parse().unwrap();
        // The text is digits / step, the price a number of billionths.
        let dividend = digits * 1_000_000_000_u64;
        match Price::parse_rounded(&format!("{whole}.{decimals}"), rounding) {
            Ok((price, was_rounded)) => {
                let nanos = BigInt::from(price.nanos());
                check_rounded(&dividend, &step, &nanos, rounding);
                prop_assert_eq!(was_rounded, dividend != nanos * step);
            }
            Err(error) => {
                prop_assert_eq!(error.reason, ParseReason::Zero);
                prop_assert!(dividend < step);
            }
        }
    }

    #[test]
    fn nanos_come_and_go(nanos: u64) {
        let expected = (1..=Price::MAX.nanos()).contains(&nanos).then_some(nanos);
        prop_assert_eq!(Price::from_nanos(nanos).ok().map(Price::nanos), expected);
    }
}

#[test]
fn surplus_decimals_are_rounded_where_that_is_asked_for() {
    let max = "9999999999.999999999";
    let cases = [
        // text, and the price rounded half-even, down and up
        ("440", [Ok(("440", false)); 3]),
        ("440.000000000000", [Ok(("440", false)); 3]),
        ("0.1234567890", [Ok(("0.123456789", false)); 3]),
        ("1.0000000005", [Ok(("1", true)), Ok(("1", true)), Ok(("1.000000001", true))]),
        ("1.0000000015", [Ok(("1.000000002", true)), Ok(("1.000000001", true)), Ok(("1.000000002", true))]),
        ("1.00000000150", [Ok(("1.000000002", true)), Ok(("1.000000001", true)), Ok(("1.000000002", true))]),
        ("1.00000000049", [Ok(("1", true)), Ok(("1", true)), Ok(("1.000000001", true))]),
        ("1.00000000051", [Ok(("1.000000001", true)), Ok(("1", true)), Ok(("1.000000001", true))]),
        ("1.000000000500000000001", [Ok(("1.000000001", true)), Ok(("1", true)), Ok(("1.000000001", true))]),
        ("0.99999999999", [Ok(("1", true)), Ok(("0.999999999", true)), Ok(("1", true))]),
        ("0.0000000005", [Err(ParseReason::Zero), Err(ParseReason::Zero), Ok(("0.000000001", true))]),
        (
            "9999999999.9999999995",
            [
                Err(ParseReason::OutOfRange { maximum: max }),
                Ok((max, true)),
                Err(ParseReason::OutOfRange { maximum: max }),
            ],
        ),
        ("0.0", [Err(ParseReason::Zero); 3]),
        ("-1.0", [Err(ParseReason::Negative); 3]),
        ("1.", [Err(ParseReason::NotDecimal); 3]),
        ("10000000000", [Err(ParseReason::OutOfRange { maximum: max }); 3]),
    ];
    for (text, expected) in cases {
        let found = ROUNDINGS.map(|rounding| {
            let read = Price::parse_rounded(text, rounding);
            read.map(|(price, rounded)| (price.to_string(), rounded)).map_err(|error| error.reason)
        });
        let expected = expected.map(|read| read.map(|(price, rounded)| (price.to_owned(), rounded)));
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn there_is_not_always_an_average() {
    let half = Rounding::HalfEven;
    let cases = [
        // amount, quantity, message
        ("5", "0", "5 for a quantity of 0 has no average price"),
        ("0", "3", "dividing 0 by 3 gives no price: the smallest price is 0.000000001"),
        ("-5", "2", "dividing -5 by 2 gives no price: the smallest price is 0.000000001"),
        ("0.5", "1000000000", "dividing 0.5 by 1000000000 gives no price: the smallest price is 0.000000001"),
        (
            "10000000000",
            "1",
            "dividing 10000000000 by 1 leaves the range of a price, whose maximum is 9999999999.999999999",
        ),
        (
            "340282366920938463463.374607431768211456", // 2^128 units
            "0.000000001",
            "dividing 340282366920938463463.374607431768211456 by 0.000000001 leaves the range of a price, \
             whose maximum is 9999999999.999999999",
        ),
    ];
    for (amount, quantity, message) in cases {
        let average = Price::average(amount.parse().unwrap(), quantity.parse().unwrap(), half);
        assert_eq!(average.unwrap_err().to_string(), message);
    }
    let up = Price::average("0.5".parse().unwrap(), "1000000000".parse().unwrap(), Rounding::Up);
    assert_eq!(up, Ok(Price::SMALLEST));
}

#[test]
fn the_range_ends_at_zero_and_at_ten_digits() {
    let cases = [
        (0, Some("taking 0 billionths gives no price: the smallest price is 0.000000001")),
        (1, None),
        (9_999_999_999_999_999_999, None),
        (
            10_000_000_000_000_000_000,
            Some(
                "taking 10000000000000000000 billionths leaves the range of a price, whose maximum is 9999999999.999999999",
            ),
        ),
    ];
    for (nanos, message) in cases {
        let error = Price::from_nanos(nanos).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), message);
    }
    assert_eq!(Price::SMALLEST.times(Quantity::STEP).to_string(), "0.000000000000000001");
    assert_eq!(Price::MAX.times(Quantity::MAX).to_string(), "9999999999999999998999999990.000000000000000001");
}
