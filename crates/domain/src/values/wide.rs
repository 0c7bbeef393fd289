//! Signed whole numbers of 256 bits: exact products, sums and comparisons of what 128 bits cannot hold.
//!
//! A price times a quantity takes 154 bits, and comparing two shares crosswise multiplies that again. Nothing here
//! rounds but [`Wide::div_round`], and nothing wraps. Products and quotients of sizes are in [`magnitude`]; what the
//! numbers mean is for [`Value`](super::Value) and its users to say.

mod magnitude;
#[cfg(test)]
pub(super) mod tests;

use std::cmp::Ordering;
use std::fmt;

use super::Rounding;
use super::rounding::Rest;
use magnitude::Magnitude;

/// A whole number from -(2²⁵⁵ - 1) to 2²⁵⁵ - 1.
///
/// In two's complement, without the one number that has no counterpart on the other side of zero. The order of the
/// fields is the order of the numbers: the derived comparison looks at `hi` first, which has the sign.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Wide {
    hi: i128,
    lo: u128,
}

impl Wide {
    pub(crate) const ZERO: Self = Self { hi: 0, lo: 0 };
    pub(crate) const MAX: Self = Self { hi: i128::MAX, lo: u128::MAX };
    pub(crate) const MIN: Self = Self { hi: i128::MIN, lo: 1 };

    #[inline]
    pub(crate) const fn from_i128(number: i128) -> Self {
        Self { hi: if number < 0 { -1 } else { 0 }, lo: number.cast_unsigned() }
    }

    #[inline]
    pub(crate) const fn from_u128(number: u128) -> Self {
        Self { hi: 0, lo: number }
    }

    #[inline]
    pub(crate) const fn to_i128(self) -> Option<i128> {
        let number = self.lo.cast_signed();
        let sign = if number < 0 { -1 } else { 0 };
        if self.hi == sign { Some(number) } else { None }
    }

    #[inline]
    pub(crate) const fn to_u128(self) -> Option<u128> {
        if self.hi == 0 { Some(self.lo) } else { None }
    }

    /// The product, always: it has at most 192 bits.
    #[inline]
    pub(crate) fn product(left: u64, right: u128) -> Self {
        let product = Magnitude::multiple(right, left);
        Self { hi: product.hi.cast_signed(), lo: product.lo }
    }

    #[inline]
    pub(crate) const fn is_negative(self) -> bool {
        self.hi < 0
    }

    #[inline]
    pub(crate) const fn is_zero(self) -> bool {
        self.hi == 0 && self.lo == 0
    }

    #[inline]
    pub(crate) const fn negate(self) -> Self {
        let Magnitude { hi, lo } = self.bits().wrapping_neg();
        Self { hi: hi.cast_signed(), lo }
    }

    #[inline]
    pub(crate) const fn abs(self) -> Self {
        if self.is_negative() { self.negate() } else { self }
    }

    /// As [`Wide::abs`], for the middle of a chain of checked steps.
    #[inline]
    pub(crate) const fn checked_abs(self) -> Option<Self> {
        Some(self.abs())
    }

    #[inline]
    pub(crate) const fn checked_add(self, other: Self) -> Option<Self> {
        let (lo, carry) = self.lo.overflowing_add(other.lo);
        let (hi, beyond) = self.hi.overflowing_add(other.hi);
        let (hi, back) = hi.overflowing_add(if carry { 1 } else { 0 });
        // Over the edge and back again by the carry is in range; one of them alone is not.
        if beyond == back { Self { hi, lo }.in_range() } else { None }
    }

    #[inline]
    pub(crate) const fn checked_sub(self, other: Self) -> Option<Self> {
        self.checked_add(other.negate())
    }

    #[inline]
    pub(crate) fn checked_mul_u64(self, factor: u64) -> Option<Self> {
        // The first, nearly always.
        if self.hi == 0 { Some(Self::product(factor, self.lo)) } else { self.mul_u64_long(factor) }
    }

    #[inline(never)]
    fn mul_u64_long(self, factor: u64) -> Option<Self> {
        Self::signed(self.is_negative(), self.size().checked_mul_u64(factor)?)
    }

    #[inline]
    pub(crate) fn checked_mul(self, factor: Self) -> Option<Self> {
        let size = self.size().checked_mul(factor.size())?;
        Self::signed(self.is_negative() != factor.is_negative(), size)
    }

    /// Compares `self × by` with `other × other_by`, however long these are.
    pub(crate) fn cmp_times(self, by: u64, other: Self, other_by: u64) -> Ordering {
        let (one, two) = (self.size().times(by), other.size().times(other_by));
        let is_nothing = |product: (Magnitude, u128)| product.0.is_zero() && product.1 == 0;
        match (self.is_negative(), other.is_negative()) {
            (false, false) => one.cmp(&two),
            (true, true) => two.cmp(&one),
            // Nothing is not above itself, whatever its sign was.
            _ if is_nothing(one) && is_nothing(two) => Ordering::Equal,
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
        }
    }

    /// The quotient, rounded to a whole number; nothing for a divisor of zero.
    #[inline]
    pub(crate) fn div_round(self, divisor: Self, rounding: Rounding) -> Option<Self> {
        if self.hi != 0 || divisor.hi != 0 {
            return self.div_round_long(divisor, rounding);
        }
        // As nearly always, and where the caller names the rounding there is little left of it.
        let (quotient, rest) = magnitude::div_rem(self.lo, divisor.lo)?;
        let half = Rest::against_half(rest.cmp(&divisor.lo.wrapping_sub(rest)));
        let rest = if rest == 0 { Rest::Nothing } else { half };
        // Whatever leaves a rest was divided by two at least, so there is room for one more.
        let more = if rounding.grows(rest, quotient & 1 == 1) { 1 } else { 0 };
        Some(Self::from_u128(quotient.wrapping_add(more)))
    }

    /// The quotient of two numbers that are not below zero, in units of 2⁻³²: too small by less than [`ROUGH_BY`](Self::ROUGH_BY), or 2⁶² if it is
    /// larger. Nothing for a divisor of zero.
    ///
    /// So if two of these are apart by [`ROUGH_BY`](Self::ROUGH_BY), the exact quotients are in the same order. A quotient `n/d` is taken of the leading 64
    /// bits of `d`, rounded up, and of as many fewer of `n`, rounded down: both are wrong by less than one, which makes less than `2³² × (n/d + 1) / d` of
    /// the quotient, with `d` at least 2⁶³ and `n/d` below 2³¹; and rounding down the quotient makes one more.
    pub(crate) fn rough_quotient(self, divisor: Self) -> Option<u64> {
        let (number, divisor) = (self.size(), divisor.size());
        let beyond = divisor.bits().saturating_sub(u64::BITS);
        let digits = divisor.shifted_right(beyond).lo.wrapping_add(if beyond > 0 { 1 } else { 0 });
        let number = number.shifted_right(beyond);
        let most = 1 << 62;
        if number.hi != 0 || number.lo >> 94 != 0 {
            return if digits == 0 { None } else { Some(most) };
        }
        let quotient = (number.lo << 32).checked_div(digits)?;
        Some(u64::try_from(quotient).map_or(most, |quotient| quotient.min(most)))
    }

    /// See [`rough_quotient`](Self::rough_quotient).
    pub(crate) const ROUGH_BY: u64 = 3;

    /// Never inline, so that the other one is.
    #[inline(never)]
    fn div_round_long(self, divisor: Self, rounding: Rounding) -> Option<Self> {
        let is_negative = self.is_negative() != divisor.is_negative();
        let (size, divisor) = (self.size(), divisor.size());
        let (quotient, rest) = size.div_rem(divisor)?;
        // Twice the rest could leave the range; the other part of the divisor cannot.
        let half = Rest::against_half(rest.cmp(&divisor.wrapping_sub(rest)));
        let rest = if rest.is_zero() { Rest::Nothing } else { half };
        let size =
            if rounding.grows(rest, quotient.is_odd()) { quotient.wrapping_add(Magnitude::ONE) } else { quotient };
        Self::signed(is_negative, size)
    }

    #[inline]
    const fn bits(self) -> Magnitude {
        Magnitude { hi: self.hi.cast_unsigned(), lo: self.lo }
    }

    #[inline]
    const fn size(self) -> Magnitude {
        self.abs().bits()
    }

    #[inline]
    const fn signed(is_negative: bool, size: Magnitude) -> Option<Self> {
        if size.hi > i128::MAX.cast_unsigned() {
            return None;
        }
        let number = Self { hi: size.hi.cast_signed(), lo: size.lo };
        Some(if is_negative { number.negate() } else { number })
    }

    #[inline]
    const fn in_range(self) -> Option<Self> {
        if self.hi == i128::MIN && self.lo == 0 { None } else { Some(self) }
    }
}

impl fmt::Display for Wide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad_integral(!self.is_negative(), "", &self.size().to_string())
    }
}

impl fmt::Debug for Wide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wide({self})")
    }
}
