//! Unsigned whole numbers of 256 bits: the sizes of [`Wide`](super::Wide) numbers, and how they multiply and divide.

use std::fmt;

/// A whole number from 0 to 2²⁵⁶ - 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Magnitude {
    pub(super) hi: u128,
    pub(super) lo: u128,
}

impl Magnitude {
    pub(super) const ZERO: Self = Self { hi: 0, lo: 0 };
    pub(super) const ONE: Self = Self { hi: 0, lo: 1 };

    #[inline]
    pub(super) const fn is_zero(self) -> bool {
        self.hi == 0 && self.lo == 0
    }

    #[inline]
    pub(super) const fn is_odd(self) -> bool {
        self.lo & 1 == 1
    }

    #[inline]
    pub(super) const fn wrapping_add(self, other: Self) -> Self {
        let (lo, carry) = self.lo.overflowing_add(other.lo);
        let hi = self.hi.wrapping_add(other.hi);
        Self { hi: hi.wrapping_add(if carry { 1 } else { 0 }), lo }
    }

    #[inline]
    pub(super) const fn wrapping_sub(self, other: Self) -> Self {
        let (lo, borrow) = self.lo.overflowing_sub(other.lo);
        let hi = self.hi.wrapping_sub(other.hi);
        Self { hi: hi.wrapping_sub(if borrow { 1 } else { 0 }), lo }
    }

    #[inline]
    pub(super) const fn wrapping_neg(self) -> Self {
        Self::ZERO.wrapping_sub(self)
    }

    /// The product, always: by hand as in school, with digits of 64 bits.
    #[inline]
    pub(super) const fn product(left: u128, right: u128) -> Self {
        let (left_hi, left_lo) = halves(left);
        let (right_hi, right_lo) = halves(right);
        let crossed = left_hi.wrapping_mul(right_lo);
        let (crossed, carry_hi) = crossed.overflowing_add(left_lo.wrapping_mul(right_hi));
        let (lo, carry_lo) = left_lo.wrapping_mul(right_lo).overflowing_add(crossed << 64);
        let hi = left_hi
            .wrapping_mul(right_hi)
            .wrapping_add(crossed >> 64)
            .wrapping_add(if carry_hi { 1 << 64 } else { 0 })
            .wrapping_add(if carry_lo { 1 } else { 0 });
        Self { hi, lo }
    }

    /// The product with a number of 64 bits, always: it has at most 192 bits.
    #[inline]
    pub(super) fn multiple(number: u128, factor: u64) -> Self {
        let ((hi, lo), factor) = (halves(number), u128::from(factor));
        let (lo, hi) = (lo.wrapping_mul(factor), hi.wrapping_mul(factor));
        let (carried, lo) = halves(lo);
        // Below 2¹²⁸: it is what is left of the product without its lowest digit.
        let (hi, middle) = halves(hi.wrapping_add(carried));
        Self { hi, lo: middle << 64 | lo }
    }

    /// The product with a number of 64 bits, all 320 bits of it: the upper 192, then the lower 128.
    #[inline]
    pub(super) fn times(self, factor: u64) -> (Self, u128) {
        let low = Self::multiple(self.lo, factor);
        (Self::multiple(self.hi, factor).wrapping_add(Self { hi: 0, lo: low.hi }), low.lo)
    }

    #[inline]
    pub(super) fn checked_mul_u64(self, factor: u64) -> Option<Self> {
        let (beyond, lo) = self.times(factor);
        (beyond.hi == 0).then_some(Self { hi: beyond.lo, lo })
    }

    #[inline]
    pub(super) fn checked_mul(self, factor: Self) -> Option<Self> {
        // Two high halves would meet beyond 256 bits, so at most one pair is left to multiply crosswise.
        let crossed = match (self.hi, factor.hi) {
            (0, 0) => return Some(Self::product(self.lo, factor.lo)),
            (hi, 0) => Self::product(hi, factor.lo),
            (0, hi) => Self::product(self.lo, hi),
            _ => return None,
        };
        if crossed.hi != 0 {
            return None;
        }
        let low = Self::product(self.lo, factor.lo);
        Some(Self { hi: low.hi.checked_add(crossed.lo)?, lo: low.lo })
    }

    /// The quotient and what is left over; nothing for a divisor of zero.
    pub(super) fn div_rem(self, divisor: Self) -> Option<(Self, Self)> {
        if divisor.is_zero() {
            return None;
        }
        if self.hi == 0 && divisor.hi == 0 {
            let (quotient, rest) = div_rem(self.lo, divisor.lo)?;
            return Some((Self { hi: 0, lo: quotient }, Self { hi: 0, lo: rest }));
        }
        match u64::try_from(divisor.lo) {
            Ok(short) if divisor.hi == 0 => self.short_division(u128::from(short)),
            _ => Some(self.long_division(divisor)),
        }
    }

    /// Digit by digit, each of 64 bits: a rest below 64 bits and the next digit are a number of 128 bits.
    fn short_division(self, divisor: u128) -> Option<(Self, Self)> {
        let mut rest = 0;
        let mut digit_of = |digit: u128| {
            let quotient;
            (quotient, rest) = div_rem(rest << 64 | digit, divisor)?;
            Some(quotient)
        };
        let ((hi_hi, hi_lo), (lo_hi, lo_lo)) = (halves(self.hi), halves(self.lo));
        let hi = digit_of(hi_hi)? << 64 | digit_of(hi_lo)?;
        let lo = digit_of(lo_hi)? << 64 | digit_of(lo_lo)?;
        Some((Self { hi, lo }, Self { hi: 0, lo: rest }))
    }

    /// Bit by bit, but only as many as the quotient has: those of averages and shares are short.
    fn long_division(self, divisor: Self) -> (Self, Self) {
        let longest = divisor.leading_zeros().saturating_sub(self.leading_zeros());
        let mut part = divisor.shifted_left(longest);
        let mut rest = self;
        let mut quotient = Self::ZERO;
        for _ in 0..=longest {
            quotient = quotient.wrapping_add(quotient);
            if rest >= part {
                rest = rest.wrapping_sub(part);
                quotient.lo |= 1;
            }
            part = part.halved();
        }
        (quotient, rest)
    }

    const fn leading_zeros(self) -> u32 {
        if self.hi == 0 { self.lo.leading_zeros().wrapping_add(u128::BITS) } else { self.hi.leading_zeros() }
    }

    /// How many bits it takes.
    pub(super) const fn bits(self) -> u32 {
        u128::BITS.wrapping_mul(2).wrapping_sub(self.leading_zeros())
    }

    /// By less than 256 bits, rounded down.
    pub(super) const fn shifted_right(self, by: u32) -> Self {
        match by {
            0 => self,
            1..u128::BITS => {
                let moved = self.hi.wrapping_shl(u128::BITS.wrapping_sub(by));
                Self { hi: self.hi.wrapping_shr(by), lo: self.lo.wrapping_shr(by) | moved }
            }
            u128::BITS.. => Self { hi: 0, lo: self.hi.wrapping_shr(by.wrapping_sub(u128::BITS)) },
        }
    }

    const fn halved(self) -> Self {
        Self { hi: self.hi >> 1, lo: self.lo >> 1 | self.hi << 127 }
    }

    /// By less than 256 bits.
    const fn shifted_left(self, by: u32) -> Self {
        match by {
            0 => self,
            1..u128::BITS => {
                let moved = self.lo.wrapping_shr(u128::BITS.wrapping_sub(by));
                Self { hi: self.hi.wrapping_shl(by) | moved, lo: self.lo.wrapping_shl(by) }
            }
            u128::BITS.. => Self { hi: self.lo.wrapping_shl(by.wrapping_sub(u128::BITS)), lo: 0 },
        }
    }
}

/// One division gives both: dividing 128 bits is what takes time.
#[inline]
pub(super) fn div_rem(number: u128, divisor: u128) -> Option<(u128, u128)> {
    let quotient = number.checked_div(divisor)?;
    Some((quotient, number.wrapping_sub(quotient.wrapping_mul(divisor))))
}

/// The upper and the lower 64 bits.
#[inline]
const fn halves(number: u128) -> (u128, u128) {
    (number >> 64, number & (u128::MAX >> 64))
}

impl fmt::Display for Magnitude {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// The most digits that always fit 128 bits.
        const CHUNK: Magnitude = Magnitude { hi: 0, lo: 10_u128.pow(38) };
        match self.div_rem(CHUNK) {
            Some((high, low)) if !high.is_zero() => write!(f, "{high}{:038}", low.lo),
            _ => write!(f, "{}", self.lo),
        }
    }
}
