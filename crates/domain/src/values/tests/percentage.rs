//! Percentages against 128 bits, which hold every sum.

use proptest::prelude::*;

use super::{many, percentages};
use crate::values::{Overflow, Percentage};

/// Checks that the result is exact, and an overflow exactly when it is out of range.
fn check(found: Result<Percentage, Overflow>, exact: i128) {
    let units = i64::try_from(exact).ok().filter(|units| units.unsigned_abs() < 10_u64.pow(18));
    assert_eq!(found.ok().map(Percentage::units), units, "{exact}");
}

fn units(percentage: Percentage) -> i128 {
    percentage.units().into()
}

proptest! {
    #![proptest_config(many())]

    #[test]
    fn sums_and_differences_are_exact(left in percentages(), right in percentages()) {
        check(left.add(right), units(left) + units(right));
        check(left.sub(right), units(left) - units(right));
    }

    #[test]
    fn signs_turn(percentage in percentages()) {
        check(Ok(percentage.negate()), -units(percentage));
        check(Ok(percentage.abs()), units(percentage).abs());
        prop_assert_eq!(percentage.is_negative(), units(percentage) < 0);
        prop_assert_eq!(percentage.is_zero(), units(percentage) == 0);
    }

    #[test]
    fn units_come_and_go(number: i64) {
        check(Percentage::from_units(number), number.into());
    }
}

#[test]
fn the_range_ends_at_fourteen_digits() {
    for (number, fits) in [
        (999_999_999_999_999_999, true),
        (1_000_000_000_000_000_000, false),
        (-999_999_999_999_999_999, true),
        (-1_000_000_000_000_000_000, false),
    ] {
        assert_eq!(Percentage::from_units(number).is_ok(), fits, "{number}");
    }
    assert_eq!(Percentage::MIN, Percentage::MAX.negate());
    assert_eq!(Ok(Percentage::HUNDRED), "100".parse());
    assert_eq!(Percentage::default(), Percentage::ZERO);
}

#[test]
fn overflows_say_what_was_being_done() {
    let unit = Percentage::from_units(1).unwrap();
    let cases = [
        (Percentage::MAX.add(unit), "adding 0.0001 to 99999999999999.9999"),
        (Percentage::MIN.sub(unit), "subtracting 0.0001 from -99999999999999.9999"),
        (Percentage::from_units(i64::MIN), "taking -9223372036854775808 ten-thousandths of a percent"),
    ];
    for (found, doing) in cases {
        let (what, maximum) = ("a percentage", "±99999999999999.9999");
        assert_eq!(found, Err(Overflow { doing: doing.to_owned(), what, maximum }));
    }
}
