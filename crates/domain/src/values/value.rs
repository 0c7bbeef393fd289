//! Exact worth. Its arithmetic is that of [`Wide`]; rounding to cents or percentages happens here, and only by name.

use std::fmt;
use std::str::FromStr;

use super::text::{Grammar, ParseReason, digits};
use super::wide::Wide;
use super::{Money, Overflow, ParseError, Percentage, Rounding};

/// What a holding or a portfolio is worth: exact, with eighteen decimals in 256 bits.
///
/// ```
/// use evenkeel_domain::values::{Price, Quantity, Rounding, Value};
///
/// let price: Price = "9999999999.999999999".parse()?;
/// let held: Quantity = "0.000000001".parse()?;
///
/// let worth = price.times(held);
/// assert_eq!(worth.to_string(), "9.999999999999999999");
/// assert_eq!(worth.to_money(Rounding::Down)?.to_string(), "9.99");
///
/// let total = Value::sum([worth, worth, worth])?;
/// assert_eq!(worth.share_of(total, Rounding::HalfEven)?.to_string(), "33.3333");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// | operation | result | rounding | fails when |
/// |---|---|---|---|
/// | [`Price::times`](super::Price::times), [`Money::to_value`] | value | none | never |
/// | [`add`](Self::add), [`sub`](Self::sub), [`sum`](Self::sum) | value | none | the result is beyond 256 bits, about ±5.8 × 10⁵⁸ |
/// | [`negate`](Self::negate), [`abs`](Self::abs) | value | none | never: the range has two equal sides |
/// | [`to_money`](Self::to_money) | money | [named](Rounding) | the result is beyond ±9999999999999999.99 |
/// | [`share_of`](Self::share_of) | percentage | [named](Rounding) | the total is zero, the share beyond ±99999999999999.9999 |
/// | [`Price::average`](super::Price::average) | price | [named](Rounding) | the quantity is zero, the price is zero, negative or too large |
///
/// The largest price times the largest quantity is below 10²⁸, so no portfolio of this world comes near the limit.
///
/// Refused as text: more than eighteen decimals, zeros included. Zeros at the end are not printed.
///
/// A value is not [`Money`]: nobody can pay a millionth of a cent. Decisions are made on values; money moves.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Value(Wide);

/// A value has no share of another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    /// Nothing has a share of nothing.
    #[error("{part} has no share of a total of 0")]
    ZeroTotal {
        /// The value whose share was asked for.
        part: Value,
    },
    /// The share is beyond [`Percentage::MIN`] and [`Percentage::MAX`].
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

#[expect(clippy::should_implement_trait, reason = "an operator could not return an error")]
impl Value {
    /// 0
    pub const ZERO: Self = Self(Wide::ZERO);
    /// 57896044618658097711785492504343953926634992332820282019728.792003956564819967
    pub const MAX: Self = Self(Wide::MAX);
    /// [`Value::MAX`] below zero.
    pub const MIN: Self = Self(Wide::MIN);

    const GRAMMAR: Grammar = Grammar {
        what: "a value",
        decimals: 18,
        signed: true,
        trimmed: true,
        maximum: "±57896044618658097711785492504343953926634992332820282019728.792003956564819967",
    };

    /// How many units of the last decimal a cent has.
    const PER_CENT: i128 = 10_000_000_000_000_000;

    /// The same amount.
    pub const fn from_money(money: Money) -> Self {
        #[expect(clippy::as_conversions, reason = "widens; `From` is not const yet")]
        let cents = money.cents() as i128;
        // Fits: cents are below 10^18, a cent has 10^16 units, and 128 bits hold more than 10^38.
        Self(Wide::from_i128(cents.wrapping_mul(Self::PER_CENT)))
    }

    /// Both together.
    ///
    /// # Errors
    /// [`Overflow`] beyond [`Value::MIN`] and [`Value::MAX`].
    #[inline]
    pub fn add(self, other: Self) -> Result<Self, Overflow> {
        let sum = self.0.checked_add(other.0).map(Self);
        sum.ok_or_else(|| Self::overflow(format!("adding {other} to {self}")))
    }

    /// This value less the other.
    ///
    /// # Errors
    /// [`Overflow`] beyond [`Value::MIN`] and [`Value::MAX`].
    #[inline]
    pub fn sub(self, other: Self) -> Result<Self, Overflow> {
        let difference = self.0.checked_sub(other.0).map(Self);
        difference.ok_or_else(|| Self::overflow(format!("subtracting {other} from {self}")))
    }

    /// All together, added up in their order.
    ///
    /// # Errors
    /// [`Overflow`] when the total, or a sum on the way to it, is beyond [`Value::MIN`] and [`Value::MAX`].
    pub fn sum(values: impl IntoIterator<Item = Self>) -> Result<Self, Overflow> {
        values.into_iter().try_fold(Self::ZERO, Self::add)
    }

    /// The same value on the other side of zero.
    #[must_use]
    #[inline]
    pub const fn negate(self) -> Self {
        Self(self.0.negate())
    }

    /// The value without its sign.
    #[must_use]
    #[inline]
    pub const fn abs(self) -> Self {
        Self(self.0.abs())
    }

    /// Whether it is below zero.
    pub const fn is_negative(self) -> bool {
        self.0.is_negative()
    }

    /// Whether it is zero.
    pub const fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// The value in cash, rounded to cents.
    ///
    /// # Errors
    /// [`Overflow`] when the result is beyond [`Money::MIN`] and [`Money::MAX`].
    #[inline]
    pub fn to_money(self, rounding: Rounding) -> Result<Money, Overflow> {
        let cents = self.0.div_round(Wide::from_i128(Self::PER_CENT), rounding);
        cents.and_then(Money::from_wide).ok_or_else(|| self.too_much_money())
    }

    #[cold]
    fn too_much_money(self) -> Overflow {
        Money::overflow(format!("rounding {self} to cents"))
    }

    /// How much of `total` this is, rounded to a percentage. For people to read: decisions compare exactly.
    ///
    /// # Errors
    /// [`ShareError::ZeroTotal`] when the total is zero, [`ShareError::Overflow`] when the share is beyond
    /// [`Percentage::MIN`] and [`Percentage::MAX`].
    pub fn share_of(self, total: Self, rounding: Rounding) -> Result<Percentage, ShareError> {
        if total.is_zero() {
            return Err(ShareError::ZeroTotal { part: self });
        }
        let share = self
            .0
            .checked_mul_u64(Percentage::HUNDRED.units().unsigned_abs())
            .and_then(|scaled| scaled.div_round(total.0, rounding))
            .and_then(Percentage::from_wide);
        let doing = || format!("taking {self} as a share of {total}");
        share.ok_or_else(|| Percentage::overflow(doing()).into())
    }

    #[inline]
    pub(crate) const fn wide(self) -> Wide {
        self.0
    }

    #[inline]
    pub(crate) const fn from_wide(units: Wide) -> Self {
        Self(units)
    }

    #[cold]
    const fn overflow(doing: String) -> Overflow {
        Self::GRAMMAR.overflow(doing)
    }

    fn read(text: &str) -> Result<Self, ParseReason> {
        let (negative, mut digits) = Self::GRAMMAR.digits(text)?;
        let size = digits.try_fold(Wide::ZERO, |units, digit| {
            units.checked_mul_u64(10)?.checked_add(Wide::from_u128(u128::from(digit)))
        });
        let size = Self(size.ok_or(Self::GRAMMAR.out_of_range())?);
        Ok(if negative { size.negate() } else { size })
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
        let size = self.0.abs();
        match size.to_u128() {
            Some(size) => Self::GRAMMAR.write(f, self.is_negative(), digits(size)),
            None => Self::GRAMMAR.write(f, self.is_negative(), size.to_string().bytes().rev()),
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({self})")
    }
}
