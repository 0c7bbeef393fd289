//! Signed whole numbers of 256 bits, for exact products, sums and comparisons.

mod magnitude;

use super::Rounding;
use magnitude::Magnitude;

/// A signed whole number of 256 bits, in two's complement.
// The order of the fields is the order of the numbers: `Ord` compares `hi` first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Wide {
    hi: i128,
    lo: u128,
}

impl Wide {
    pub(crate) const ZERO: Self = Self { hi: 0, lo: 0 };
    pub(crate) const MAX: Self = Self { hi: i128::MAX, lo: u128::MAX };
    pub(crate) const MIN: Self = Self { hi: i128::MIN, lo: 0 };
    /// The negation of [`Wide::MAX`], so one more than [`Wide::MIN`].
    pub(crate) const MIN_SYMMETRIC: Self = Self { hi: i128::MIN, lo: 1 };

    #[inline]
    pub(crate) const fn from_i128(number: i128) -> Self {
        Self { hi: if number < 0 { -1 } else { 0 }, lo: number.cast_unsigned() }
    }

    #[inline]
    pub(crate) const fn from_u128(number: u128) -> Self {
        Self { hi: 0, lo: number }
    }

    /// The exact product: 192 bits always fit.
    #[inline]
    pub(crate) fn product(left: u64, right: u128) -> Self {
        let product = Magnitude::product(u128::from(left), right);
        Self { hi: product.hi.cast_signed(), lo: product.lo }
    }

    #[inline]
    pub(crate) const fn checked_add(self, other: Self) -> Option<Self> {
        let (lo, carry) = self.lo.overflowing_add(other.lo);
        let (hi, beyond) = self.hi.overflowing_add(other.hi);
        let (hi, back) = hi.overflowing_add(if carry { 1 } else { 0 });
        // Going beyond and coming back by the carry is no overflow.
        if beyond == back { Some(Self { hi, lo }) } else { None }
    }

    #[inline]
    pub(crate) const fn checked_sub(self, other: Self) -> Option<Self> {
        let (lo, borrow) = self.lo.overflowing_sub(other.lo);
        let (hi, beyond) = self.hi.overflowing_sub(other.hi);
        let (hi, back) = hi.overflowing_sub(if borrow { 1 } else { 0 });
        if beyond == back { Some(Self { hi, lo }) } else { None }
    }

    #[inline]
    pub(crate) const fn checked_neg(self) -> Option<Self> {
        Self::ZERO.checked_sub(self)
    }

    #[inline]
    pub(crate) const fn checked_abs(self) -> Option<Self> {
        if self.is_negative() { self.checked_neg() } else { Some(self) }
    }

    #[inline]
    pub(crate) fn checked_mul_u64(self, factor: u64) -> Option<Self> {
        self.checked_mul(Self::from_u128(u128::from(factor)))
    }

    #[inline]
    pub(crate) fn checked_mul(self, factor: Self) -> Option<Self> {
        let size = self.magnitude().checked_mul(factor.magnitude())?;
        Self::signed(self.is_negative() != factor.is_negative(), size)
    }

    /// The quotient, rounded; nothing for a divisor of zero and beyond 256 bits.
    pub(crate) fn div_round(self, divisor: Self, rounding: Rounding) -> Option<Self> {
        let divisor_size = divisor.magnitude();
        let (quotient, rest) = self.magnitude().div_rem(divisor_size)?;
        let away = match rounding {
            Rounding::Down => false,
            Rounding::Up => !rest.is_zero(),
            Rounding::HalfEven => {
                let missing = divisor_size.wrapping_sub(rest);
                rest > missing || (rest == missing && quotient.is_odd())
            }
        };
        let size = if away { quotient.wrapping_add_one() } else { quotient };
        Self::signed(self.is_negative() != divisor.is_negative(), size)
    }

    #[inline]
    pub(crate) fn to_i128(self) -> Option<i128> {
        let number = self.lo.cast_signed();
        (Self::from_i128(number) == self).then_some(number)
    }

    #[inline]
    pub(crate) const fn to_u128(self) -> Option<u128> {
        if self.hi == 0 { Some(self.lo) } else { None }
    }

    #[inline]
    pub(crate) const fn is_negative(self) -> bool {
        self.hi < 0
    }

    #[inline]
    pub(crate) const fn is_zero(self) -> bool {
        self.hi == 0 && self.lo == 0
    }

    /// The decimal digits of the size, without a sign.
    pub(crate) fn digits(self) -> String {
        self.magnitude().to_string()
    }

    #[inline]
    const fn magnitude(self) -> Magnitude {
        let same = Magnitude { hi: self.hi.cast_unsigned(), lo: self.lo };
        if self.is_negative() { Magnitude::ZERO.wrapping_sub(same) } else { same }
    }

    /// The number of that size and sign, where 256 bits hold it.
    #[inline]
    fn signed(negative: bool, size: Magnitude) -> Option<Self> {
        let shown = if negative { Magnitude::ZERO.wrapping_sub(size) } else { size };
        let number = Self { hi: shown.hi.cast_signed(), lo: shown.lo };
        (number.is_zero() || number.is_negative() == negative).then_some(number)
    }
}

impl std::fmt::Display for Wide {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad_integral(!self.is_negative(), "", &self.digits())
    }
}
