//! Shares of a whole. How they are taken of a [`Value`](super::Value) is in [`super::value`].

use super::Overflow;
use super::text::{Grammar, ParseReason, decimal_text};
use super::wide::Wide;

/// A share of a whole, in percent with four decimals: a target weight, a band, a drift.
///
/// ```
/// use evenkeel_domain::values::Percentage;
///
/// let meta: Percentage = "33.33".parse()?;
/// let rest = Percentage::HUNDRED.sub(meta)?;
///
/// assert_eq!(rest.to_string(), "66.6700"); // without a sign for percent
/// assert_eq!(rest.units(), 666_700);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// | operation | result | rounding | fails when |
/// |---|---|---|---|
/// | [`add`](Self::add), [`sub`](Self::sub) | percentage | none | the result is beyond ±99999999999999.9999 |
/// | [`negate`](Self::negate), [`abs`](Self::abs) | percentage | none | never: the range has two equal sides |
/// | [`Value::share_of`](super::Value::share_of) | percentage | [named](super::Rounding) | the total is zero, the share beyond ±99999999999999.9999 |
///
/// There is no "20 % of this value": decisions compare shares in exact arithmetic, crosswise, and round neither
/// side.
///
/// Refused as text: more than four decimals, zeros included, and a sign for percent. Targets have to add up to
/// exactly 100.0000 %, and thirds rounded unnoticed would not.
///
/// The range is far wider than 0 to 100, since drifts are negative and a share of a small total is large. What a
/// target or a band may be is for targets and bands to say.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Percentage(i64);

#[expect(clippy::should_implement_trait, reason = "an operator could not return an error")]
impl Percentage {
    /// 0.0000
    pub const ZERO: Self = Self(0);
    /// 100.0000, the whole.
    pub const HUNDRED: Self = Self(1_000_000);
    /// 99999999999999.9999
    pub const MAX: Self = Self(999_999_999_999_999_999);
    /// -99999999999999.9999
    pub const MIN: Self = Self(-999_999_999_999_999_999);

    const GRAMMAR: Grammar =
        Grammar { what: "a percentage", decimals: 4, signed: true, trimmed: false, maximum: "±99999999999999.9999" };

    /// The percentage of so many ten-thousandths of a percent; 1000000 of them are 100 %.
    ///
    /// # Errors
    /// [`Overflow`] beyond [`Percentage::MIN`] and [`Percentage::MAX`].
    pub fn from_units(units: i64) -> Result<Self, Overflow> {
        Self::in_range(units).ok_or_else(|| Self::overflow(format!("taking {units} ten-thousandths of a percent")))
    }

    /// The percentage in ten-thousandths of a percent; 100 % are 1000000 of them.
    pub const fn units(self) -> i64 {
        self.0
    }

    /// Both together.
    ///
    /// # Errors
    /// [`Overflow`] beyond [`Percentage::MIN`] and [`Percentage::MAX`].
    pub fn add(self, other: Self) -> Result<Self, Overflow> {
        let sum = self.0.checked_add(other.0).and_then(Self::in_range);
        sum.ok_or_else(|| Self::overflow(format!("adding {other} to {self}")))
    }

    /// This percentage less the other, in percentage points.
    ///
    /// # Errors
    /// [`Overflow`] beyond [`Percentage::MIN`] and [`Percentage::MAX`].
    pub fn sub(self, other: Self) -> Result<Self, Overflow> {
        let difference = self.0.checked_sub(other.0).and_then(Self::in_range);
        difference.ok_or_else(|| Self::overflow(format!("subtracting {other} from {self}")))
    }

    /// The same percentage on the other side of zero.
    #[must_use]
    pub const fn negate(self) -> Self {
        Self(self.0.wrapping_neg())
    }

    /// The percentage without its sign.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.wrapping_abs())
    }

    /// Whether it is below zero.
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

    #[cold]
    pub(super) const fn overflow(doing: String) -> Overflow {
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
