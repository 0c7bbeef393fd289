//! How many units of an asset, and in which lots they trade.

use std::fmt;
use std::str::FromStr;

use super::text::{Grammar, ParseReason, decimal_text};
use super::{Overflow, ParseError};

/// How many units of an asset: zero or more, to nine decimals.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Quantity(u128);

/// Two quantities have no sum or difference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// More was taken than there is.
    #[error("cannot take {take} from {have}: a quantity is never negative")]
    WouldBeNegative {
        /// What there is.
        have: Quantity,
        /// What should be taken from it.
        take: Quantity,
    },
    /// The sum is beyond the maximum.
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

#[expect(clippy::should_implement_trait, reason = "an operator could not return an error")]
impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// 0.000000001, the smallest quantity more than zero.
    pub const STEP: Self = Self(1);
    /// 999999999999999999.999999999, the largest quantity.
    pub const MAX: Self = Self(999_999_999_999_999_999_999_999_999);

    const GRAMMAR: Grammar = Grammar {
        what: "a quantity",
        decimals: 9,
        signed: false,
        maximum: "999999999999999999.999999999",
    };
    const SCALE: u32 = 9;
    const TRIMMED: bool = true;

    /// A quantity given in billionths.
    pub fn from_nanos(nanos: u128) -> Result<Self, Overflow> {
        Self::in_range(nanos)
            .ok_or_else(|| Self::GRAMMAR.overflow(format!("taking {nanos} billionths")))
    }

    /// The quantity in billionths.
    pub const fn nanos(self) -> u128 {
        self.0
    }

    /// The sum of both.
    pub fn add(self, other: Self) -> Result<Self, QuantityError> {
        // Two quantities together are far below what the integer holds.
        let sum = Self::in_range(self.0.saturating_add(other.0));
        sum.ok_or_else(|| Self::GRAMMAR.overflow(format!("adding {other} to {self}")).into())
    }

    /// What is left of this quantity when the other is taken from it.
    pub fn sub(self, other: Self) -> Result<Self, QuantityError> {
        let left = self.0.checked_sub(other.0).map(Self);
        left.ok_or(QuantityError::WouldBeNegative { have: self, take: other })
    }

    /// Whether there is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The largest multiple of the lot that is not more than this quantity.
    #[must_use]
    pub fn floor_to(self, lot: Lot) -> Self {
        Self(self.0.saturating_sub(lot.remainder(self)))
    }

    /// Whether this quantity is a whole number of lots.
    pub fn is_multiple_of(self, lot: Lot) -> bool {
        lot.remainder(self) == 0
    }

    fn in_range(nanos: u128) -> Option<Self> {
        (nanos <= Self::MAX.0).then_some(Self(nanos))
    }

    fn from_scaled(units: i128) -> Result<Self, ParseReason> {
        u128::try_from(units).ok().and_then(Self::in_range).ok_or(Self::GRAMMAR.out_of_range())
    }

    const fn scaled(self) -> i128 {
        self.0.cast_signed()
    }
}

decimal_text!(Quantity);

/// The step in which an asset trades: a quantity more than zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lot(Quantity);

/// A lot cannot be zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a lot of zero cannot be traded: it must be at least 0.000000001")]
pub struct ZeroLot;

impl Lot {
    /// 0.000000001, in which every quantity is a whole number of lots.
    pub const FINEST: Self = Self(Quantity::STEP);

    /// A lot of so many units.
    pub const fn new(size: Quantity) -> Result<Self, ZeroLot> {
        if size.is_zero() { Err(ZeroLot) } else { Ok(Self(size)) }
    }

    /// How many units a lot has.
    pub const fn size(self) -> Quantity {
        self.0
    }

    fn remainder(self, quantity: Quantity) -> u128 {
        // Never absent: a lot is not zero.
        quantity.0.checked_rem(self.0.0).unwrap_or(0)
    }
}

impl Default for Lot {
    fn default() -> Self {
        Self::FINEST
    }
}

impl fmt::Display for Lot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Lot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lot({self})")
    }
}

impl FromStr for Lot {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let grammar = Grammar { what: "a lot", ..Quantity::GRAMMAR };
        let size = grammar.scaled(text).and_then(Quantity::from_scaled);
        size.and_then(|size| Self::new(size).map_err(|ZeroLot| ParseReason::Zero))
            .map_err(|reason| grammar.refuse(text, reason))
    }
}
