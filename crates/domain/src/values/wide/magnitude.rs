//! Unsigned whole numbers of 256 bits: the sizes behind [`Wide`](super::Wide).

use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Magnitude {
    pub(super) hi: u128,
    pub(super) lo: u128,
}

const LOW: u128 = u64::MAX as u128;

impl Magnitude {
    pub(super) const ZERO: Self = Self { hi: 0, lo: 0 };

    #[inline]
    pub(super) const fn is_zero(self) -> bool {
        self.hi == 0 && self.lo == 0
    }

    #[inline]
    pub(super) const fn is_odd(self) -> bool {
        self.lo & 1 == 1
    }

    #[inline]
    pub(super) const fn wrapping_sub(self, other: Self) -> Self {
        let (lo, borrow) = self.lo.overflowing_sub(other.lo);
        let hi = self.hi.wrapping_sub(other.hi);
        Self { hi: if borrow { hi.wrapping_sub(1) } else { hi }, lo }
    }

    #[inline]
    pub(super) const fn wrapping_add_one(self) -> Self {
        let (lo, carry) = self.lo.overflowing_add(1);
        Self { hi: if carry { self.hi.wrapping_add(1) } else { self.hi }, lo }
    }

    /// The exact product, by the school method in digits of 64 bits.
    #[inline]
    pub(super) const fn product(left: u128, right: u128) -> Self {
        let (left_hi, left_lo) = (left >> 64, left & LOW);
        let (right_hi, right_lo) = (right >> 64, right & LOW);
        let (mid, mid_carry) =
            left_hi.wrapping_mul(right_lo).overflowing_add(left_lo.wrapping_mul(right_hi));
        let (lo, lo_carry) = left_lo.wrapping_mul(right_lo).overflowing_add(mid << 64);
        let hi = left_hi
            .wrapping_mul(right_hi)
            .wrapping_add(mid >> 64)
            .wrapping_add(if mid_carry { 1 << 64 } else { 0 })
            .wrapping_add(if lo_carry { 1 } else { 0 });
        Self { hi, lo }
    }

    #[inline]
    pub(super) fn checked_mul(self, factor: Self) -> Option<Self> {
        let crossed = match (self.hi, factor.hi) {
            (0, 0) => 0,
            (hi, 0) => hi.checked_mul(factor.lo)?,
            (0, hi) => hi.checked_mul(self.lo)?,
            _ => return None,
        };
        let low = Self::product(self.lo, factor.lo);
        Some(Self { hi: low.hi.checked_add(crossed)?, lo: low.lo })
    }

    pub(super) fn div_rem(self, divisor: Self) -> Option<(Self, Self)> {
        if self.hi == 0 && divisor.hi == 0 {
            let quotient = self.lo.checked_div(divisor.lo)?;
            let rest = self.lo.checked_rem(divisor.lo)?;
            return Some((Self { hi: 0, lo: quotient }, Self { hi: 0, lo: rest }));
        }
        if divisor.is_zero() { None } else { Some(self.long_division(divisor)) }
    }

    fn long_division(self, divisor: Self) -> (Self, Self) {
        let mut rest = self;
        let mut quotient = Self::ZERO;
        let shift = divisor.leading_zeros().saturating_sub(self.leading_zeros());
        for step in (0..=shift).rev() {
            let part = divisor.shl(step);
            if rest >= part {
                rest = rest.wrapping_sub(part);
                quotient = quotient.with_bit(step);
            }
        }
        (quotient, rest)
    }

    const fn leading_zeros(self) -> u32 {
        if self.hi == 0 { self.lo.leading_zeros().wrapping_add(128) } else { self.hi.leading_zeros() }
    }

    const fn shl(self, by: u32) -> Self {
        match by {
            0 => self,
            1..128 => Self {
                hi: self.hi.wrapping_shl(by) | self.lo.wrapping_shr(128_u32.wrapping_sub(by)),
                lo: self.lo.wrapping_shl(by),
            },
            _ => Self { hi: self.lo.wrapping_shl(by.wrapping_sub(128)), lo: 0 },
        }
    }

    const fn with_bit(self, bit: u32) -> Self {
        if bit < 128 {
            Self { hi: self.hi, lo: self.lo | 1_u128.wrapping_shl(bit) }
        } else {
            Self { hi: self.hi | 1_u128.wrapping_shl(bit.wrapping_sub(128)), lo: self.lo }
        }
    }
}

impl fmt::Display for Magnitude {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const CHUNK: Magnitude = Magnitude { hi: 0, lo: 10_u128.pow(38) };
        match self.div_rem(CHUNK) {
            Some((high, low)) if !high.is_zero() => write!(f, "{high}{:038}", low.lo),
            _ => write!(f, "{}", self.lo),
        }
    }
}
