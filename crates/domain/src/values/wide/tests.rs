//! Every operation against unbounded integers, over all of the range.

#![expect(clippy::arithmetic_side_effects, reason = "unbounded integers have no overflow")]

use num_bigint::BigInt;
use proptest::prelude::*;

use super::Wide;
use crate::values::Rounding;
use crate::values::tests::{check_rounded, many, roundings};

/// The same number without bounds.
pub(in crate::values) fn big(wide: Wide) -> BigInt {
    (BigInt::from(wide.hi) << 128) + wide.lo
}

/// The same number in 256 bits, where they hold it.
pub(in crate::values) fn wide(big: &BigInt) -> Option<Wide> {
    let in_range = big.magnitude() <= big_max().magnitude();
    let low = big & BigInt::from(u128::MAX);
    in_range.then(|| Wide { hi: i128::try_from(big >> 128).unwrap(), lo: u128::try_from(low).unwrap() })
}

/// Numbers of every length: small ones, powers of two with their neighbours, the ends, and any.
pub(in crate::values) fn wides() -> impl Strategy<Value = Wide> {
    let size = prop_oneof![
        (0_u8..=4).prop_map(BigInt::from),
        (0_u32..=255, -1_i8..=1).prop_map(|(bit, by)| (BigInt::from(1) << bit) + by),
        (any::<[u128; 2]>(), 0_u32..=255).prop_map(|([hi, lo], cut)| ((BigInt::from(hi) << 128) + lo) >> cut),
    ];
    (size, any::<bool>()).prop_map(|(size, negative)| {
        let size = size.min(big_max());
        wide(&if negative { -size } else { size }).unwrap()
    })
}

fn big_max() -> BigInt {
    (BigInt::from(1) << 255) - 1
}

/// Checks that the result is exact, and missing exactly when 256 bits do not hold it.
fn check(found: Option<Wide>, exact: &BigInt) {
    assert_eq!(found, wide(exact), "{exact}");
}

proptest! {
    #![proptest_config(many())]

    #[test]
    fn sums_and_differences_are_exact(left in wides(), right in wides()) {
        check(left.checked_add(right), &(big(left) + big(right)));
        check(left.checked_sub(right), &(big(left) - big(right)));
    }

    #[test]
    fn products_are_exact(left in wides(), right in wides()) {
        check(left.checked_mul(right), &(big(left) * big(right)));
    }

    #[test]
    fn products_at_the_edge_are_exact(left in wides(), by in -1_i8..=1) {
        prop_assume!(!left.is_zero());
        let right = wide(&(big_max() / big(left) + by));
        prop_assume!(right.is_some());
        let right = right.unwrap();
        check(left.checked_mul(right), &(big(left) * big(right)));
    }

    #[test]
    fn multiples_are_exact(left in wides(), factor: u64, cut in 0_u32..64) {
        let factor = factor >> cut;
        check(left.checked_mul_u64(factor), &(big(left) * factor));
    }

    #[test]
    fn multiples_at_the_edge_are_exact(factor in 1_u64.., negative: bool, by in -1_i8..=1) {
        let size = big_max() / factor + by;
        let left = wide(&if negative { -size } else { size }).unwrap_or(Wide::MAX);
        check(left.checked_mul_u64(factor), &(big(left) * factor));
    }

    #[test]
    fn products_of_shorter_numbers_always_fit(left: u64, right: u128, cut in 0_u32..128) {
        let right = right >> cut;
        check(Some(Wide::product(left, right)), &(BigInt::from(left) * right));
    }

    #[test]
    fn quotients_are_rounded_as_named(
        dividend in wides(),
        divisor in wides(),
        rounding in roundings(),
    ) {
        prop_assume!(!divisor.is_zero());
        let quotient = dividend.div_round(divisor, rounding).unwrap();
        check_rounded(&big(dividend), &big(divisor), &big(quotient), rounding);
    }

    #[test]
    fn quotients_near_the_middle_are_rounded_as_named(
        half in wides(),
        quotient in wides(),
        by in -1_i8..=1,
        rounding in roundings(),
    ) {
        prop_assume!(!half.is_zero());
        let divisor: BigInt = big(half) * 2;
        // Cut to a length whose product with the divisor fits.
        let quotient = big(quotient) >> divisor.bits();
        let dividend = wide(&(&divisor * quotient + big(half) + by));
        let operands = dividend.zip(wide(&divisor));
        prop_assume!(operands.is_some());
        let (dividend, divisor) = operands.unwrap();
        let found = dividend.div_round(divisor, rounding).unwrap();
        check_rounded(&big(dividend), &big(divisor), &big(found), rounding);
    }

    #[test]
    fn products_are_compared_however_long_they_are(one in wides(), by: u64, two in wides(), other_by: u64, alike: bool, zero: bool) {
        let (two, other_by) = if alike { (one, by) } else { (two, other_by) };
        let other_by = if zero { 0 } else { other_by };
        for (one, two) in [(one, two), (one.negate(), two), (one.negate(), two.negate())] {
            let expected = (big(one) * by).cmp(&(big(two) * other_by));
            prop_assert_eq!(one.cmp_times(by, two, other_by), expected);
            prop_assert_eq!(two.cmp_times(other_by, one, by), expected.reverse());
        }
    }

    #[test]
    fn rough_quotients_are_hardly_too_small(number in wides(), divisor in wides(), near: bool, by in 0_u64..1 << 40) {
        // Near each other, as distances and bands are, or of any sizes.
        let number = number.abs();
        let divisor = if near { wide(&(big(number) + by)).unwrap_or(number) } else { divisor.abs() };
        let Some(rough) = number.rough_quotient(divisor) else {
            prop_assert!(divisor.is_zero());
            return Ok(());
        };
        let exact: BigInt = (big(number) << 32) / big(divisor);
        let most = BigInt::from(1_u64 << 62);
        if rough == 1 << 62 {
            prop_assert!(exact >= most, "{exact}");
        } else {
            let missing: BigInt = exact - rough;
            prop_assert!(missing >= BigInt::ZERO && missing < Wide::ROUGH_BY.into() && BigInt::from(rough) < most, "{missing}");
        }
    }

    #[test]
    fn signs_turn(number in wides()) {
        check(Some(number.negate()), &-big(number));
        check(Some(number.abs()), &big(number).magnitude().clone().into());
        assert_eq!(number.checked_abs(), Some(number.abs()));
        assert_eq!(number.is_negative(), big(number) < BigInt::ZERO);
        assert_eq!(number.is_zero(), big(number) == BigInt::ZERO);
    }

    #[test]
    fn order_is_that_of_numbers(left in wides(), right in wides()) {
        assert_eq!(left.cmp(&right), big(left).cmp(&big(right)));
    }

    #[test]
    fn shorter_numbers_come_and_go(number in wides(), signed: i128, unsigned: u128) {
        assert_eq!(number.to_i128(), i128::try_from(big(number)).ok());
        assert_eq!(number.to_u128(), u128::try_from(big(number)).ok());
        assert_eq!(big(Wide::from_i128(signed)), signed.into());
        assert_eq!(big(Wide::from_u128(unsigned)), unsigned.into());
    }

    #[test]
    fn digits_are_those_of_the_number(number in wides(), zeros in 0_u32..=76) {
        assert_eq!(number.to_string(), big(number).to_string());
        let round = BigInt::from(10).pow(zeros);
        assert_eq!(wide(&round).unwrap().to_string(), round.to_string());
    }
}

#[test]
fn ends_are_in_range_and_what_is_beyond_is_not() {
    let one = Wide::from_u128(1);
    assert_eq!(big(Wide::MAX), big_max());
    assert_eq!(Wide::MAX.negate(), Wide::MIN);
    check(Wide::MAX.checked_add(one), &(big_max() + 1));
    check(Wide::MIN.checked_sub(one), &(-big_max() - 1));
    check(Wide::MAX.checked_sub(one), &(big_max() - 1));
    check(Wide::MAX.checked_add(Wide::MIN), &BigInt::ZERO);
    for (number, bounds) in [(i128::MIN, -1), (i128::MAX, 1)] {
        let beyond = wide(&(BigInt::from(number) + bounds)).unwrap();
        assert_eq!(Wide::from_i128(number).to_i128(), Some(number));
        assert_eq!(beyond.to_i128(), None);
    }
}

#[test]
fn nothing_is_divided_by_zero() {
    for dividend in [Wide::ZERO, Wide::from_u128(1), Wide::MAX, Wide::MIN] {
        assert_eq!(dividend.div_round(Wide::ZERO, Rounding::Up), None);
    }
}
