//! Where a rest goes, in every case there is.

use std::cmp::Ordering;

use crate::values::Rounding::{Down, HalfEven, Up};
use crate::values::rounding::Rest;

#[test]
fn grows_only_where_the_name_says_so() {
    let cases = [
        // rest, and who grows from an even and from an odd number
        (Rest::Nothing, [(HalfEven, [false, false]), (Down, [false, false]), (Up, [false, false])]),
        (Rest::BelowHalf, [(HalfEven, [false, false]), (Down, [false, false]), (Up, [true, true])]),
        (Rest::Half, [(HalfEven, [false, true]), (Down, [false, false]), (Up, [true, true])]),
        (Rest::AboveHalf, [(HalfEven, [true, true]), (Down, [false, false]), (Up, [true, true])]),
    ];
    for (rest, roundings) in cases {
        for (rounding, expected) in roundings {
            let found = [false, true].map(|is_odd| rounding.grows(rest, is_odd));
            assert_eq!(found, expected, "{rounding:?} of {rest:?}");
        }
    }
}

#[test]
fn rests_are_told_from_half_a_step() {
    let cases =
        [(Ordering::Less, Rest::BelowHalf), (Ordering::Equal, Rest::Half), (Ordering::Greater, Rest::AboveHalf)];
    for (order, expected) in cases {
        assert_eq!(Rest::against_half(order), expected);
    }
}
