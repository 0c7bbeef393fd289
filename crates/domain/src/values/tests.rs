//! What the tests of all values share: values from every part of their ranges, and what it means to be rounded.

#![expect(clippy::arithmetic_side_effects, reason = "expected results are computed where there is room for them")]

mod decimal;
mod money;
mod names;
mod percentage;
mod price;
mod quantity;
mod rounding;
mod text;
mod timestamp;
mod value;
#[cfg(feature = "serde")]
mod wire;

use num_bigint::{BigInt, Sign};
use proptest::prelude::*;

use super::{Money, Percentage, Price, Quantity, Rounding};

const ROUNDINGS: [Rounding; 3] = [Rounding::HalfEven, Rounding::Down, Rounding::Up];

/// More cases than usual: most faults of arithmetic live at a few numbers.
pub(super) fn many() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: usual.cases.max(2_000), ..usual }
}

pub(super) fn roundings() -> impl Strategy<Value = Rounding> {
    proptest::sample::select(ROUNDINGS.as_slice())
}

/// Checks that `quotient` is `dividend / divisor`, rounded: by what rounding means, not by dividing again.
pub(super) fn check_rounded(dividend: &BigInt, divisor: &BigInt, quotient: &BigInt, rounding: Rounding) {
    let context = format!("{dividend} / {divisor} = {quotient}, {rounding:?}");
    let (size, step) = (dividend.magnitude(), divisor.magnitude());
    let product = quotient.magnitude() * step;
    match rounding {
        Rounding::Down => assert!(&product <= size && *size < &product + step, "{context}"),
        Rounding::Up => assert!(*size <= product && product < size + step, "{context}"),
        Rounding::HalfEven => {
            let off = (BigInt::from(product) - BigInt::from(size.clone())).magnitude() * 2_u8;
            assert!(off <= *step, "{context}");
            assert!(off < *step || !quotient.bit(0), "{context}");
        }
    }
    let expected_sign = dividend.sign() * divisor.sign();
    assert!(quotient.sign() == Sign::NoSign || quotient.sign() == expected_sign, "{context}");
}

/// Numbers up to `max`: small ones, the largest, round ones with their neighbours, and any.
fn up_to(max: u128) -> impl Strategy<Value = u128> {
    prop_oneof![
        0..=4.min(max),
        (0..=4.min(max)).prop_map(move |below| max - below),
        (0_u32..39, 0_u128..=2)
            .prop_map(move |(power, by)| (10_u128.saturating_pow(power).saturating_add(by) - 1).min(max)),
        (any::<u128>(), 0_u32..128).prop_map(move |(bits, cut)| (bits >> cut).min(max)),
        0..=max,
    ]
}

/// Like [`up_to`], on both sides of zero.
fn around_zero(max: i64) -> impl Strategy<Value = i64> {
    let size = up_to(u128::try_from(max).unwrap()).prop_map(|size| i64::try_from(size).unwrap());
    (size, any::<bool>()).prop_map(|(size, negative)| if negative { -size } else { size })
}

fn moneys() -> impl Strategy<Value = Money> {
    around_zero(Money::MAX.cents()).prop_map(|cents| Money::from_cents(cents).unwrap())
}

fn percentages() -> impl Strategy<Value = Percentage> {
    around_zero(Percentage::MAX.units()).prop_map(|units| Percentage::from_units(units).unwrap())
}

fn quantities() -> impl Strategy<Value = Quantity> {
    up_to(Quantity::MAX.nanos()).prop_map(|nanos| Quantity::from_nanos(nanos).unwrap())
}

fn prices() -> impl Strategy<Value = Price> {
    up_to(u128::from(Price::MAX.nanos()) - 1)
        .prop_map(|nanos| Price::from_nanos(u64::try_from(nanos + 1).unwrap()).unwrap())
}
