//! Amounts against 128 bits, which hold every sum.

use proptest::prelude::*;

use super::{many, moneys};
use crate::values::{Money, Overflow};

fn money(text: &str) -> Money {
    text.parse().unwrap()
}

/// Checks that the result is exact, and an overflow exactly when it is out of range.
fn check(found: Result<Money, Overflow>, exact: i128) {
    let cents = i64::try_from(exact).ok().filter(|cents| cents.unsigned_abs() < 10_u64.pow(18));
    assert_eq!(found.ok().map(Money::cents), cents, "{exact}");
}

fn cents(money: Money) -> i128 {
    money.cents().into()
}

proptest! {
    #![proptest_config(many())]

    #[test]
    fn sums_and_differences_are_exact(left in moneys(), right in moneys()) {
        check(left.add(right), cents(left) + cents(right));
        check(left.sub(right), cents(left) - cents(right));
    }

    #[test]
    fn the_order_of_a_sum_plays_no_part(mut amounts in prop::collection::vec(moneys(), 0..8)) {
        let exact = amounts.iter().copied().map(cents).sum();
        check(Money::sum(amounts.iter().copied()), exact);
        amounts.reverse();
        check(Money::sum(amounts), exact);
    }

    #[test]
    fn signs_turn(amount in moneys()) {
        check(Ok(amount.negate()), -cents(amount));
        check(Ok(amount.abs()), cents(amount).abs());
        let signs = [amount.is_negative(), amount.is_zero(), amount.is_positive()];
        prop_assert_eq!(signs, [cents(amount) < 0, cents(amount) == 0, cents(amount) > 0]);
    }

    #[test]
    fn cents_come_and_go(number: i64) {
        check(Money::from_cents(number), number.into());
    }
}

#[test]
fn the_range_ends_at_sixteen_digits() {
    for (number, fits) in [
        (999_999_999_999_999_999, true),
        (1_000_000_000_000_000_000, false),
        (-999_999_999_999_999_999, true),
        (-1_000_000_000_000_000_000, false),
        (i64::MAX, false),
        (i64::MIN, false),
    ] {
        assert_eq!(Money::from_cents(number).is_ok(), fits, "{number}");
    }
    assert_eq!(Money::MAX, money("9999999999999999.99"));
    assert_eq!(Money::MIN, Money::MAX.negate());
    assert_eq!(Money::CENT, money("0.01"));
    assert_eq!(Money::default(), Money::ZERO);
}

#[test]
fn only_the_total_of_a_sum_must_fit() {
    assert_eq!(Money::sum([Money::MAX, Money::MAX, Money::MIN]), Ok(Money::MAX));
    assert_eq!(Money::sum([]), Ok(Money::ZERO));
}

#[test]
fn overflows_say_what_was_being_done() {
    let cases = [
        (Money::MAX.add(Money::CENT), "adding 0.01 to 9999999999999999.99"),
        (Money::MIN.sub(Money::CENT), "subtracting 0.01 from -9999999999999999.99"),
        (Money::sum([Money::MAX, Money::MAX]), "adding up 2 amounts"),
        (Money::from_cents(i64::MAX), "taking 9223372036854775807 cents"),
    ];
    for (found, doing) in cases {
        let what = "an amount of money";
        let maximum = "±9999999999999999.99";
        assert_eq!(found, Err(Overflow { doing: doing.to_owned(), what, maximum }));
    }
}
