//! Exact worth: what a holding, or a portfolio, is worth before anything is rounded.

use std::fmt;
use std::str::FromStr;

use super::text::{Grammar, ParseReason, write_decimal};
use super::wide::Wide;
use super::{Money, Overflow, ParseError, Percentage, Rounding};

/// An exact amount in 256 bits, with eighteen decimals.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Value(Wide);

/// A value has no share of another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    /// Nothing has a share of nothing.
    #[error("{part} has no share of a total of zero")]
    ZeroTotal {
        /// The value whose share was asked for.
        part: Value,
    },
    /// The share is beyond the maximum.
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

#[expect(clippy::should_implement_trait, reason = "an operator could not return an error")]
impl Value {
    /// Nothing.
    pub const ZERO: Self = Self(Wide::ZERO);
    /// The largest value.
    pub const MAX: Self = Self(Wide::MAX);
    /// The smallest value.
    pub const MIN: Self = Self(Wide::MIN_SYMMETRIC);

    const GRAMMAR: Grammar = Grammar {
        what: "a value",
        decimals: 18,
        signed: true,
        maximum: "±57896044618658097711785492504343953926634992332820282019728.792003956564819967",
    };

    /// Units of the last decimal in a cent.
    const PER_CENT: i128 = 10_000_000_000_000_000;

    /// The same amount, exactly.
    pub fn from_money(money: Money) -> Self {
        // Cents are below 10^18 and a cent is 10^16: far from the end of 128 bits.
        Self(Wide::from_i128(i128::from(money.cents()).wrapping_mul(Self::PER_CENT)))
    }

    /// The sum of both.
    pub fn add(self, other: Self) -> Result<Self, Overflow> {
        let sum = self.0.checked_add(other.0).and_then(Self::in_range);
        sum.ok_or_else(|| Self::overflow(format!("adding {other} to {self}")))
    }

    /// This value less the other.
    pub fn sub(self, other: Self) -> Result<Self, Overflow> {
        let difference = self.0.checked_sub(other.0).and_then(Self::in_range);
        difference.ok_or_else(|| Self::overflow(format!("subtracting {other} from {self}")))
    }

    /// The sum of all.
    pub fn sum(values: impl IntoIterator<Item = Self>) -> Result<Self, Overflow> {
        values.into_iter().try_fold(Self::ZERO, Self::add)
    }

    /// The same value with the other sign.
    #[must_use]
    pub fn negate(self) -> Self {
        Self(self.0.checked_neg().unwrap_or(Wide::MAX))
    }

    /// The value without its sign.
    #[must_use]
    pub fn abs(self) -> Self {
        Self(self.0.checked_abs().unwrap_or(Wide::MAX))
    }

    /// Whether it is less than zero.
    pub const fn is_negative(self) -> bool {
        self.0.is_negative()
    }

    /// Whether it is zero.
    pub const fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// The value rounded to cents.
    pub fn to_money(self, rounding: Rounding) -> Result<Money, Overflow> {
        let cents = self.0.div_round(Wide::from_i128(Self::PER_CENT), rounding);
        cents
            .and_then(Money::from_wide)
            .ok_or_else(|| Money::overflow(format!("rounding {self} to cents")))
    }

    /// How large a part of `total` this is.
    pub fn share_of(self, total: Self, rounding: Rounding) -> Result<Percentage, ShareError> {
        if total.is_zero() {
            return Err(ShareError::ZeroTotal { part: self });
        }
        let share = self
            .0
            .checked_mul_u64(Percentage::HUNDRED.units().unsigned_abs())
            .and_then(|scaled| scaled.div_round(total.0, rounding))
            .and_then(Percentage::from_wide);
        share.ok_or_else(|| {
            Percentage::overflow(format!("taking {self} as a share of {total}")).into()
        })
    }

    pub(crate) const fn wide(self) -> Wide {
        self.0
    }

    pub(crate) const fn from_wide(units: Wide) -> Self {
        Self(units)
    }

    fn overflow(doing: String) -> Overflow {
        Self::GRAMMAR.overflow(doing)
    }

    fn in_range(units: Wide) -> Option<Self> {
        (units >= Wide::MIN_SYMMETRIC).then_some(Self(units))
    }

    fn read(text: &str) -> Result<Self, ParseReason> {
        let parts = Self::GRAMMAR.exact_parts(text)?;
        let size = parts.digits(Self::GRAMMAR.decimals).try_fold(Wide::ZERO, |units, digit| {
            units.checked_mul_u64(10)?.checked_add(Wide::from_u128(u128::from(digit)))
        });
        let value = Self(size.ok_or(Self::GRAMMAR.out_of_range())?);
        Ok(if parts.negative { value.negate() } else { value })
    }
}

impl FromStr for Value {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::read(text).map_err(|reason| Self::GRAMMAR.refuse(text, reason))
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.digits();
        write_decimal(f, self.is_negative(), digits, Self::GRAMMAR.decimals, true)
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({self})")
    }
}
