//! Shares of a whole, to four decimals of a percent.

use super::Overflow;
use super::text::{Grammar, ParseReason, decimal_text};
use super::wide::Wide;

/// A share of a whole, in percent with four decimals.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Percentage(i64);

#[expect(clippy::should_implement_trait, reason = "an operator could not return an error")]
impl Percentage {
    /// 0 %.
    pub const ZERO: Self = Self(0);
    /// 100 %, the whole.
    pub const HUNDRED: Self = Self(1_000_000);
    /// 99999999999999.9999 %.
    pub const MAX: Self = Self(999_999_999_999_999_999);
    /// -99999999999999.9999 %.
    pub const MIN: Self = Self(-999_999_999_999_999_999);

    const GRAMMAR: Grammar = Grammar {
        what: "a percentage",
        decimals: 4,
        signed: true,
        maximum: "±99999999999999.9999",
    };
    const SCALE: u32 = 4;
    const TRIMMED: bool = false;

    /// A percentage given in ten-thousandths of a percent.
    pub fn from_units(units: i64) -> Result<Self, Overflow> {
        Self::in_range(units)
            .ok_or_else(|| Self::overflow(format!("taking {units} ten-thousandths")))
    }

    /// The percentage in ten-thousandths of a percent.
    pub const fn units(self) -> i64 {
        self.0
    }

    /// The sum of both.
    pub fn add(self, other: Self) -> Result<Self, Overflow> {
        let sum = self.0.checked_add(other.0).and_then(Self::in_range);
        sum.ok_or_else(|| Self::overflow(format!("adding {other} to {self}")))
    }

    /// This percentage less the other.
    pub fn sub(self, other: Self) -> Result<Self, Overflow> {
        let difference = self.0.checked_sub(other.0).and_then(Self::in_range);
        difference.ok_or_else(|| Self::overflow(format!("subtracting {other} from {self}")))
    }

    /// The same percentage with the other sign.
    #[must_use]
    pub const fn negate(self) -> Self {
        Self(self.0.wrapping_neg())
    }

    /// The percentage without its sign.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.wrapping_abs())
    }

    /// Whether it is less than zero.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Whether it is zero.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    pub(super) fn from_wide(units: Wide) -> Option<Self> {
        Self::from_scaled(units.to_i128()?).ok()
    }

    pub(super) fn overflow(doing: String) -> Overflow {
        Self::GRAMMAR.overflow(doing)
    }

    fn in_range(units: i64) -> Option<Self> {
        (Self::MIN.0..=Self::MAX.0).contains(&units).then_some(Self(units))
    }

    fn from_scaled(units: i128) -> Result<Self, ParseReason> {
        i64::try_from(units).ok().and_then(Self::in_range).ok_or(Self::GRAMMAR.out_of_range())
    }

    fn scaled(self) -> i128 {
        i128::from(self.0)
    }
}

decimal_text!(Percentage);
