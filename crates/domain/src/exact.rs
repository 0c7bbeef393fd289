//! Shares and comparisons of exact values, for valuation, drift and planning. Crate-private: what a user needs of it is on
//! [`crate::values::Value`].

use crate::values::wide::Wide;
use crate::values::{Overflow, Percentage, Rounding, Value};

/// One, and one hundred percent, in parts per million.
pub(crate) const MILLION: u64 = 1_000_000;
const BASIS_POINTS: i128 = 10_000;

/// `weight` of `whole`, rounded at the 18th decimal.
pub(crate) fn share(whole: Value, weight: Percentage, rounding: Rounding) -> Result<Value, Overflow> {
    let parts = whole.wide().checked_mul_u64(parts(weight));
    let share = parts.and_then(|p| p.div_round(Wide::from_i128(i128::from(MILLION)), rounding));
    share.map(Value::from_wide).ok_or_else(|| too_wide("taking a share of a value"))
}

/// `bps` hundredths of a percent of `whole`, rounded at the 18th decimal.
pub(crate) fn basis_points(whole: Value, bps: u32, rounding: Rounding) -> Result<Value, Overflow> {
    if bps == 0 {
        return Ok(Value::ZERO); // As where a broker has no collar, for every leg.
    }
    let parts = whole.wide().checked_mul_u64(u64::from(bps));
    let share = parts.and_then(|p| p.div_round(Wide::from_i128(BASIS_POINTS), rounding));
    share.map(Value::from_wide).ok_or_else(|| too_wide("taking basis points of a value"))
}

/// The weight of `part` in `whole`, rounded half-even: for people, never for a decision.
pub(crate) fn weight(part: Value, whole: Value) -> Result<Percentage, Overflow> {
    percentage(times(part.wide(), MILLION)?, whole.wide())
}

/// `numerator / denominator` as a percentage, where the numerator is a million times too large; rounded half-even.
pub(crate) fn percentage(numerator: Wide, denominator: Wide) -> Result<Percentage, Overflow> {
    let units = numerator.div_round(denominator, Rounding::HalfEven).and_then(Wide::to_i128);
    let units = units.and_then(|u| i64::try_from(u).ok()).unwrap_or(i64::MAX);
    Percentage::from_units(units)
}

/// A target or band in parts per million: neither is ever negative, so nothing is lost.
pub(crate) fn parts(percentage: Percentage) -> u64 {
    u64::try_from(percentage.units()).unwrap_or(0)
}

#[inline]
pub(crate) fn times(wide: Wide, factor: u64) -> Result<Wide, Overflow> {
    wide.checked_mul_u64(factor).ok_or_else(|| too_wide("multiplying a value"))
}

#[cold]
pub(crate) fn too_wide(doing: &str) -> Overflow {
    Overflow { doing: doing.to_owned(), what: "an exact value", maximum: "2^255 units of 18 decimals" }
}
