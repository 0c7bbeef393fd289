//! Amounts of cash.

use super::text::{Grammar, ParseReason, decimal_text};
use super::wide::Wide;
use super::{Overflow, Value};

/// An amount of cash, to the cent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Money(i64);

#[expect(clippy::should_implement_trait, reason = "an operator could not return an error")]
impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// 0.01, the smallest amount more than zero.
    pub const CENT: Self = Self(1);
    /// 9999999999999999.99, the largest amount.
    pub const MAX: Self = Self(999_999_999_999_999_999);
    /// -9999999999999999.99, the smallest amount.
    pub const MIN: Self = Self(-999_999_999_999_999_999);

    const GRAMMAR: Grammar = Grammar {
        what: "an amount of money",
        decimals: 2,
        signed: true,
        maximum: "±9999999999999999.99",
    };
    const SCALE: u32 = 2;
    const TRIMMED: bool = false;

    /// An amount given in cents.
    pub fn from_cents(cents: i64) -> Result<Self, Overflow> {
        Self::in_range(cents).ok_or_else(|| Self::overflow(format!("taking {cents} cents")))
    }

    /// The amount in cents.
    pub const fn cents(self) -> i64 {
        self.0
    }

    /// The sum of both.
    pub fn add(self, other: Self) -> Result<Self, Overflow> {
        let sum = self.0.checked_add(other.0).and_then(Self::in_range);
        sum.ok_or_else(|| Self::overflow(format!("adding {other} to {self}")))
    }

    /// This amount less the other.
    pub fn sub(self, other: Self) -> Result<Self, Overflow> {
        let difference = self.0.checked_sub(other.0).and_then(Self::in_range);
        difference.ok_or_else(|| Self::overflow(format!("subtracting {other} from {self}")))
    }

    /// The sum of all, in any order: only the total must fit.
    pub fn sum(amounts: impl IntoIterator<Item = Self>) -> Result<Self, Overflow> {
        let mut count = 0_usize;
        let mut total = 0_i128;
        for amount in amounts {
            count = count.saturating_add(1);
            total = total.saturating_add(i128::from(amount.0));
        }
        Self::from_scaled(total)
            .map_err(|_| Self::overflow(format!("adding up {count} amounts")))
    }

    /// The same amount with the other sign.
    #[must_use]
    pub const fn negate(self) -> Self {
        Self(self.0.wrapping_neg())
    }

    /// The amount without its sign.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.wrapping_abs())
    }

    /// Whether the amount is less than zero.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Whether the amount is zero.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Whether the amount is more than zero.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// The same amount as an exact value.
    pub fn to_value(self) -> Value {
        Value::from_money(self)
    }

    pub(super) fn from_wide(cents: Wide) -> Option<Self> {
        Self::from_scaled(cents.to_i128()?).ok()
    }

    pub(super) fn overflow(doing: String) -> Overflow {
        Self::GRAMMAR.overflow(doing)
    }

    fn in_range(cents: i64) -> Option<Self> {
        (Self::MIN.0..=Self::MAX.0).contains(&cents).then_some(Self(cents))
    }

    fn from_scaled(units: i128) -> Result<Self, ParseReason> {
        i64::try_from(units).ok().and_then(Self::in_range).ok_or(Self::GRAMMAR.out_of_range())
    }

    fn scaled(self) -> i128 {
        i128::from(self.0)
    }
}

decimal_text!(Money);
