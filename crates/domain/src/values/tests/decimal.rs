//! The doors to `rust_decimal`: exact, or closed.

use std::fmt::Debug;

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::{many, moneys, percentages, prices, quantities};
use crate::values::{Money, ParseError, ParseReason, Percentage, Price, Quantity};

#[test]
fn only_zeros_may_be_surplus() {
    let too_many = |found, allowed| Err(ParseReason::TooManyDecimals { found, allowed });
    let cases = [
        (Decimal::new(123_450, 2), Ok("1234.50")),
        (Decimal::new(12_345_000, 4), Ok("1234.50")),
        (Decimal::new(-5, 2), Ok("-0.05")),
        (-Decimal::new(0, 5), Ok("0.00")),
        (Decimal::new(1, 3), too_many(3, 2)),
        (Decimal::new(1, 28), too_many(28, 2)),
        (Decimal::MAX, Err(ParseReason::OutOfRange { maximum: "±9999999999999999.99" })),
    ];
    for (decimal, expected) in cases {
        let found = Money::try_from(decimal).map(|money| money.to_string());
        let expected = expected.map(str::to_owned);
        assert_eq!(found.map_err(|error| error.reason), expected, "{decimal}");
    }
    let refused = [
        (Quantity::try_from(Decimal::NEGATIVE_ONE).map(|_| ()), ParseReason::Negative),
        (Price::try_from(Decimal::NEGATIVE_ONE).map(|_| ()), ParseReason::Negative),
        (Price::try_from(Decimal::ZERO).map(|_| ()), ParseReason::Zero),
    ];
    for (found, reason) in refused {
        assert_eq!(found.unwrap_err().reason, reason);
    }
}

#[test]
fn the_ends_of_every_range_fit() {
    let cases = [
        (Money::MAX.to_decimal(), "9999999999999999.99"),
        (Money::MIN.to_decimal(), "-9999999999999999.99"),
        (Percentage::MIN.to_decimal(), "-99999999999999.9999"),
        (Quantity::MAX.to_decimal(), "999999999999999999.999999999"),
        (Price::MAX.to_decimal(), "9999999999.999999999"),
    ];
    for (decimal, expected) in cases {
        assert_eq!(decimal.to_string(), expected);
    }
}

/// Checks that a decimal comes back as the value it was made from.
fn check<T: TryFrom<Decimal, Error = ParseError> + Debug + PartialEq>(value: T, decimal: Decimal) {
    assert_eq!(T::try_from(decimal), Ok(value));
}

proptest! {
    #![proptest_config(many())]

    #[test]
    fn nothing_is_lost_on_the_way_there_and_back(
        money in moneys(),
        percentage in percentages(),
        quantity in quantities(),
        price in prices(),
    ) {
        check(money, money.to_decimal());
        check(percentage, percentage.to_decimal());
        check(quantity, quantity.to_decimal());
        check(price, price.to_decimal());
    }
}
