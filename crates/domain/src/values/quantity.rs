//! How many units of an asset. In which steps they trade is a [`Lot`].

mod lot;

use super::Overflow;
use super::text::{Grammar, ParseReason, decimal_text};
pub use lot::{Lot, ZeroLot};

/// How many units of an asset: zero or more, to nine decimals.
///
/// ```
/// use evenkeel_domain::values::{Lot, Quantity};
///
/// let held: Quantity = "12.5".parse()?;
/// let sold: Quantity = "0.000000001".parse()?;
/// let left = held.sub(sold)?;
/// assert_eq!(left.to_string(), "12.499999999");
///
/// let whole_shares = Lot::new("1".parse()?)?;
/// assert_eq!(left.floor_to(whole_shares).to_string(), "12");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// | operation | result | rounding | fails when |
/// |---|---|---|---|
/// | [`add`](Self::add) | quantity | none | the sum is beyond 999999999999999999.999999999 |
/// | [`sub`](Self::sub) | quantity | none | more is taken than there is |
/// | [`floor_to`](Self::floor_to) | quantity | toward zero, to whole lots | never |
/// | [`is_multiple_of`](Self::is_multiple_of) | yes or no | none | never |
/// | [`Price::times`](super::Price::times) | value | none | never |
/// | [`Price::average`](super::Price::average) | price | [named](super::Rounding) | the quantity is zero, the price is zero, negative or too large |
///
/// A quantity is never negative: nothing is sold that is not held. Which way units move is for orders to say.
///
/// Refused as text: a minus sign, and more than nine decimals, zeros included.
///
/// A quantity is not worth anything by itself; that takes a [`Price`](super::Price).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Quantity(u128);

/// Two quantities have no sum or no difference.
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
    /// The sum is beyond [`Quantity::MAX`].
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

#[expect(clippy::should_implement_trait, reason = "an operator could not return an error")]
impl Quantity {
    /// 0
    pub const ZERO: Self = Self(0);
    /// 0.000000001, the smallest quantity above zero.
    pub const STEP: Self = Self(1);
    /// 999999999999999999.999999999
    pub const MAX: Self = Self(999_999_999_999_999_999_999_999_999);

    const GRAMMAR: Grammar = Grammar {
        what: "a quantity",
        decimals: 9,
        signed: false,
        trimmed: true,
        maximum: "999999999999999999.999999999",
    };

    /// The quantity of so many billionths.
    ///
    /// # Errors
    /// [`Overflow`] beyond [`Quantity::MAX`].
    pub fn from_nanos(nanos: u128) -> Result<Self, Overflow> {
        Self::in_range(nanos).ok_or_else(|| Self::GRAMMAR.overflow(format!("taking {nanos} billionths")))
    }

    /// The quantity in billionths.
    pub const fn nanos(self) -> u128 {
        self.0
    }

    /// Both together.
    ///
    /// # Errors
    /// [`QuantityError::Overflow`] beyond [`Quantity::MAX`].
    pub fn add(self, other: Self) -> Result<Self, QuantityError> {
        let sum = self.0.checked_add(other.0).and_then(Self::in_range);
        sum.ok_or_else(|| Self::GRAMMAR.overflow(format!("adding {other} to {self}")).into())
    }

    /// What is left when the other is taken from this quantity.
    ///
    /// # Errors
    /// [`QuantityError::WouldBeNegative`] when that is more than there is.
    pub fn sub(self, other: Self) -> Result<Self, QuantityError> {
        let left = self.0.checked_sub(other.0).map(Self);
        left.ok_or(QuantityError::WouldBeNegative { have: self, take: other })
    }

    /// Whether it is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The most whole lots that this quantity contains; what is less than a lot is left out.
    #[must_use]
    pub fn floor_to(self, lot: Lot) -> Self {
        Self(self.0.saturating_sub(self.beyond(lot)))
    }

    /// Whether this quantity is a number of whole lots.
    pub fn is_multiple_of(self, lot: Lot) -> bool {
        self.beyond(lot) == 0
    }

    fn beyond(self, lot: Lot) -> u128 {
        // Never absent: no lot is zero.
        self.0.checked_rem(lot.size().0).unwrap_or_default()
    }

    fn in_range(nanos: u128) -> Option<Self> {
        (nanos <= Self::MAX.0).then_some(Self(nanos))
    }

    fn from_scaled(nanos: i128) -> Result<Self, ParseReason> {
        u128::try_from(nanos).ok().and_then(Self::in_range).ok_or(Self::GRAMMAR.out_of_range())
    }

    const fn scaled(self) -> i128 {
        // No quantity comes near the sign.
        self.0.cast_signed()
    }
}

decimal_text!(Quantity);
