//! What values and distances are counted in: 128 bits, which hold nearly all there are and take a fraction of the time; or 256, which hold them all.
//!
//! Whoever asks tries the one, and where it says nothing, the other. Both are exact.

use super::{Overflow, comparing};
use crate::exact::MILLION;
use crate::values::Value;
use crate::values::wide::Wide;
use std::cmp::Ordering;

/// A number of so many bits. What it cannot hold is `None`.
pub(super) trait Number: Copy + Ord {
    const ZERO: Self;

    fn of(value: Value) -> Option<Self>;

    /// `|value × 10⁶ − share × whole|`, with a share in parts per million.
    fn distance(value: Self, share: u64, whole: Self) -> Option<Self>;

    /// Compares `self × by` with `other × other_by`, exactly.
    fn cmp_times(self, by: u64, other: Self, other_by: u64) -> Ordering;

    fn wide(self) -> Wide;
}

/// Answers in 128 bits, or else in 256.
pub(super) fn exactly<R>(narrow: Option<R>, wide: impl FnOnce() -> Option<R>) -> Result<R, Overflow> {
    narrow.or_else(wide).ok_or_else(comparing)
}

impl Number for i128 {
    const ZERO: Self = 0;

    /// At most 106 bits, some eighty million million of any currency, which leave room for a factor of 20.
    #[inline]
    fn of(value: Value) -> Option<Self> {
        value.wide().to_i128().filter(|value| value.unsigned_abs() >> 106 == 0)
    }

    #[inline]
    fn distance(value: Self, share: u64, whole: Self) -> Option<Self> {
        if share > MILLION {
            return None;
        }
        // Of two products that have less than 127 bits.
        let (is, goal) = (value.wrapping_mul(Self::from(MILLION)), whole.wrapping_mul(Self::from(share)));
        Some(is.wrapping_sub(goal).wrapping_abs())
    }

    #[inline]
    fn cmp_times(self, by: u64, other: Self, other_by: u64) -> Ordering {
        match (u128::try_from(self), u128::try_from(other)) {
            (Ok(one), Ok(two)) => Wide::product(by, one).cmp(&Wide::product(other_by, two)),
            _ => self.wide().cmp_times(by, other.wide(), other_by),
        }
    }

    fn wide(self) -> Wide {
        Wide::from_i128(self)
    }
}

impl Number for Wide {
    const ZERO: Self = Self::ZERO;

    fn of(value: Value) -> Option<Self> {
        Some(value.wide())
    }

    fn distance(value: Self, share: u64, whole: Self) -> Option<Self> {
        let is = value.checked_mul_u64(MILLION)?;
        is.checked_sub(whole.checked_mul_u64(share)?)?.checked_abs()
    }

    fn cmp_times(self, by: u64, other: Self, other_by: u64) -> Ordering {
        self.cmp_times(by, other, other_by)
    }

    fn wide(self) -> Wide {
        self
    }
}
