//! Amounts of cash. What a holding is worth is a [`Value`]; what a unit costs is a [`Price`](super::Price).

use super::text::{Grammar, ParseReason, decimal_text};
use super::wide::Wide;
use super::{Overflow, Value};

/// An amount of cash, to the cent: what is paid, received, held or owed.
///
/// ```
/// use evenkeel_domain::values::Money;
///
/// let held: Money = "1234.50".parse()?;
/// let paid: Money = "1234.55".parse()?;
/// let left = held.sub(paid)?;
///
/// assert_eq!(left.to_string(), "-0.05");
/// assert_eq!(left.cents(), -5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// | operation | result | rounding | fails when |
/// |---|---|---|---|
/// | [`add`](Self::add), [`sub`](Self::sub) | money | none | the result is beyond ±9999999999999999.99 |
/// | [`sum`](Self::sum) | money | none | the total is beyond ±9999999999999999.99; sums on the way to it may be |
/// | [`negate`](Self::negate), [`abs`](Self::abs) | money | none | never: the range has two equal sides |
/// | [`to_value`](Self::to_value) | value | none | never |
/// | [`Value::to_money`] | money | [named](super::Rounding) | the value is beyond ±9999999999999999.99 |
///
/// There are no products and no quotients: a share of money has more decimals than cents, so it is a [`Value`] until
/// somebody rounds it by name.
///
/// Refused as text: more than two decimals, zeros included. `1.005` is either a mistake or not money, and either way
/// nobody should find out from a balance. `-0.00` is read as zero, which prints as `0.00`.
///
/// Money knows no currency: a portfolio has exactly one [`Currency`](super::Currency), which is compared where
/// portfolios, plans and accounts meet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Money(i64);

#[expect(clippy::should_implement_trait, reason = "an operator could not return an error")]
impl Money {
    /// 0.00
    pub const ZERO: Self = Self(0);
    /// 0.01, the smallest amount above zero.
    pub const CENT: Self = Self(1);
    /// 9999999999999999.99
    pub const MAX: Self = Self(999_999_999_999_999_999);
    /// -9999999999999999.99
    pub const MIN: Self = Self(-999_999_999_999_999_999);

    const GRAMMAR: Grammar = Grammar {
        what: "an amount of money",
        decimals: 2,
        signed: true,
        trimmed: false,
        maximum: "±9999999999999999.99",
    };

    /// The amount of so many cents.
    ///
    /// # Errors
    /// [`Overflow`] beyond [`Money::MIN`] and [`Money::MAX`].
    pub fn from_cents(cents: i64) -> Result<Self, Overflow> {
        Self::in_range(cents).ok_or_else(|| Self::overflow(format!("taking {cents} cents")))
    }

    /// The amount in cents.
    pub const fn cents(self) -> i64 {
        self.0
    }

    /// Both together.
    ///
    /// # Errors
    /// [`Overflow`] beyond [`Money::MIN`] and [`Money::MAX`].
    pub fn add(self, other: Self) -> Result<Self, Overflow> {
        let sum = self.0.checked_add(other.0).and_then(Self::in_range);
        sum.ok_or_else(|| Self::overflow(format!("adding {other} to {self}")))
    }

    /// This amount less the other.
    ///
    /// # Errors
    /// [`Overflow`] beyond [`Money::MIN`] and [`Money::MAX`].
    pub fn sub(self, other: Self) -> Result<Self, Overflow> {
        let difference = self.0.checked_sub(other.0).and_then(Self::in_range);
        difference.ok_or_else(|| Self::overflow(format!("subtracting {other} from {self}")))
    }

    /// All together. The order plays no part: only the total must be in range.
    ///
    /// # Errors
    /// [`Overflow`] when the total is beyond [`Money::MIN`] and [`Money::MAX`].
    pub fn sum(amounts: impl IntoIterator<Item = Self>) -> Result<Self, Overflow> {
        let mut count = 0_u64;
        let mut total = 0_i128;
        for amount in amounts {
            // No program adds up enough amounts to fill either.
            count = count.saturating_add(1);
            total = total.saturating_add(amount.scaled());
        }
        Self::from_scaled(total).map_err(|_| Self::overflow(format!("adding up {count} amounts")))
    }

    /// The same amount on the other side of zero.
    #[must_use]
    pub const fn negate(self) -> Self {
        Self(self.0.wrapping_neg())
    }

    /// The amount without its sign.
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

    /// Whether it is above zero.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// The same amount as a value, to compute with.
    pub fn to_value(self) -> Value {
        Value::from_money(self)
    }

    #[inline]
    pub(super) fn from_wide(cents: Wide) -> Option<Self> {
        Self::from_scaled(cents.to_i128()?).ok()
    }

    #[cold]
    pub(super) const fn overflow(doing: String) -> Overflow {
        Self::GRAMMAR.overflow(doing)
    }

    #[inline]
    fn in_range(cents: i64) -> Option<Self> {
        (Self::MIN.0..=Self::MAX.0).contains(&cents).then_some(Self(cents))
    }

    fn from_scaled(cents: i128) -> Result<Self, ParseReason> {
        i64::try_from(cents).ok().and_then(Self::in_range).ok_or(Self::GRAMMAR.out_of_range())
    }

    fn scaled(self) -> i128 {
        i128::from(self.0)
    }
}

decimal_text!(Money);
