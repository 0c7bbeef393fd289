//! Quantities against the integers they are, and lots against what they mean.

use proptest::prelude::*;

use super::{many, quantities};
use crate::values::{Lot, Overflow, Quantity, QuantityError, ZeroLot};

fn quantity(text: &str) -> Quantity {
    text.parse().unwrap()
}

proptest! {
    #![proptest_config(many())]

    #[test]
    fn sums_are_exact_or_overflow(left in quantities(), right in quantities()) {
        let exact = left.nanos() + right.nanos();
        let expected = (exact <= Quantity::MAX.nanos()).then_some(exact);
        prop_assert_eq!(left.add(right).ok().map(Quantity::nanos), expected);
    }

    #[test]
    fn differences_are_exact_or_refused(have in quantities(), take in quantities()) {
        let expected = if take <= have {
            Ok(Quantity::from_nanos(have.nanos() - take.nanos()).unwrap())
        } else {
            Err(QuantityError::WouldBeNegative { have, take })
        };
        prop_assert_eq!(have.sub(take), expected);
    }

    #[test]
    fn whole_lots_leave_less_than_a_lot(quantity in quantities(), size in quantities()) {
        prop_assume!(!size.is_zero());
        let lot = Lot::new(size).unwrap();
        let whole = quantity.floor_to(lot);
        prop_assert_eq!(whole.nanos() % size.nanos(), 0);
        prop_assert!(quantity.sub(whole).unwrap() < size);
        prop_assert!(whole.is_multiple_of(lot));
        prop_assert_eq!(quantity.is_multiple_of(lot), whole == quantity);
        prop_assert_eq!(quantity.floor_to(Lot::FINEST), quantity);
    }

    #[test]
    fn nanos_come_and_go(nanos: u128, cut in 0_u32..128) {
        let nanos = nanos >> cut;
        let expected = (nanos < 10_u128.pow(27)).then_some(nanos);
        prop_assert_eq!(Quantity::from_nanos(nanos).ok().map(Quantity::nanos), expected);
    }
}

#[test]
fn whole_lots_are_counted_down() {
    let cases = [
        // quantity, lot, whole lots
        ("7.19", "0.1", "7.1"),
        ("7.1", "0.1", "7.1"),
        ("7.099999999", "0.1", "7"),
        ("99", "100", "0"),
        ("100", "100", "100"),
        ("199.5", "100", "100"),
        ("0", "0.5", "0"),
        ("1", "0.3", "0.9"),
    ];
    for (held, lot, expected) in cases {
        let found = quantity(held).floor_to(lot.parse().unwrap());
        assert_eq!(found, quantity(expected), "{held} in lots of {lot}");
    }
}

#[test]
fn the_range_ends_at_eighteen_digits() {
    let end = 999_999_999_999_999_999_999_999_999;
    assert_eq!(Quantity::from_nanos(end), Ok(Quantity::MAX));
    let beyond = Overflow {
        doing: "taking 1000000000000000000000000000 billionths".to_owned(),
        what: "a quantity",
        maximum: "999999999999999999.999999999",
    };
    assert_eq!(Quantity::from_nanos(end + 1), Err(beyond.clone()));
    let doing = "adding 0.000000001 to 999999999999999999.999999999".to_owned();
    let error = Quantity::MAX.add(Quantity::STEP).unwrap_err();
    assert_eq!(error, QuantityError::Overflow(Overflow { doing, ..beyond }));
    assert_eq!(Quantity::ZERO.add(Quantity::MAX), Ok(Quantity::MAX));
    assert!(Quantity::default().is_zero() && !Quantity::STEP.is_zero());
}

#[test]
fn nothing_is_taken_that_is_not_there() {
    let error = quantity("12.5").sub(quantity("12.500000001")).unwrap_err();
    let message = "cannot take 12.500000001 from 12.5: a quantity is never negative";
    assert_eq!(error.to_string(), message);
    assert_eq!(quantity("12.5").sub(quantity("12.5")), Ok(Quantity::ZERO));
}

#[test]
fn no_lot_is_zero() {
    assert_eq!(Lot::new(Quantity::ZERO), Err(ZeroLot));
    assert_eq!(Lot::new(Quantity::STEP), Ok(Lot::FINEST));
    assert_eq!(Lot::default().size(), Quantity::STEP);
}
