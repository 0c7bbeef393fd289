//! What one unit of an asset costs. What many are worth is a [`Value`]; what is paid for them,
//! [`Money`](super::Money).

use super::text::{Grammar, ParseReason, decimal_text};
use super::wide::Wide;
use super::{Overflow, ParseError, Quantity, Rounding, Value};

/// What one unit of an asset costs: more than zero, to nine decimals.
///
/// ```
/// use evenkeel_domain::values::{Price, Quantity, Rounding};
///
/// let price: Price = "366.63".parse()?;
/// let held: Quantity = "0.333333333".parse()?;
///
/// let worth = price.times(held);
/// assert_eq!(worth.to_string(), "122.20999987779"); // exact
/// assert_eq!(worth.to_money(Rounding::HalfEven)?.to_string(), "122.21");
/// assert_eq!(Price::average(worth, held, Rounding::HalfEven)?, price);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// | operation | result | rounding | fails when |
/// |---|---|---|---|
/// | [`times`](Self::times) | value | none | never |
/// | [`average`](Self::average) | price | [named](Rounding) | the quantity is zero, the price is zero, negative or beyond 9999999999.999999999 |
///
/// There are no sums and no differences: what would they cost?
///
/// Refused as text: zero and a minus sign, since a feed that sends them means "no price"; and more than nine
/// decimals, zeros included. [`Price::parse_rounded`] reads feeds with more decimals, and tells whether it had to
/// round.
///
/// A price is not [`Money`](super::Money): it has nine decimals, is never zero, and nobody has ever paid one without
/// a quantity.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price(u64);

/// There is no such price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// The price would be zero, round to it, or be negative.
    #[error("{doing} gives no price: the smallest price is 0.000000001")]
    NotPositive {
        /// What was being done, with its operands: `dividing 0.5 by 1000000000`.
        doing: String,
    },
    /// An average over nothing.
    #[error("{amount} for a quantity of 0 has no average price")]
    ZeroQuantity {
        /// What was paid for nothing.
        amount: Value,
    },
    /// The price would be beyond [`Price::MAX`].
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

impl Price {
    /// 0.000000001
    pub const SMALLEST: Self = Self(1);
    /// 9999999999.999999999
    pub const MAX: Self = Self(9_999_999_999_999_999_999);

    const GRAMMAR: Grammar =
        Grammar { what: "a price", decimals: 9, signed: false, trimmed: true, maximum: "9999999999.999999999" };

    /// The price of so many billionths.
    ///
    /// # Errors
    /// [`PriceError::NotPositive`] for zero, [`PriceError::Overflow`] beyond [`Price::MAX`].
    pub fn from_nanos(nanos: u64) -> Result<Self, PriceError> {
        Self::checked(Some(Wide::from_u128(u128::from(nanos))), || format!("taking {nanos} billionths"))
    }

    /// The price in billionths.
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// What so many units are worth, exactly: nine decimals times nine decimals make the eighteen of a [`Value`].
    #[inline]
    pub fn times(self, quantity: Quantity) -> Value {
        Value::from_wide(Wide::product(self.0, quantity.nanos()))
    }

    /// The price at which so many units are worth that amount.
    ///
    /// # Errors
    /// [`PriceError::ZeroQuantity`] for no units, [`PriceError::NotPositive`] when the price would be zero, round to
    /// zero or be negative, [`PriceError::Overflow`] when it would be beyond [`Price::MAX`].
    pub fn average(amount: Value, quantity: Quantity, rounding: Rounding) -> Result<Self, PriceError> {
        if quantity.is_zero() {
            return Err(PriceError::ZeroQuantity { amount });
        }
        let nanos = amount.wide().div_round(Wide::from_u128(quantity.nanos()), rounding);
        Self::checked(nanos, || format!("dividing {amount} by {quantity}"))
    }

    /// Reads a price that may have more than nine decimals, and whether rounding it changed it.
    ///
    /// ```
    /// use evenkeel_domain::values::{Price, Rounding};
    ///
    /// let (price, rounded) = Price::parse_rounded("0.12345678949", Rounding::HalfEven)?;
    /// assert_eq!((price.to_string().as_str(), rounded), ("0.123456789", true));
    ///
    /// let (price, rounded) = Price::parse_rounded("440.00000000000", Rounding::HalfEven)?;
    /// assert_eq!((price.to_string().as_str(), rounded), ("440", false)); // the same value
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ParseError`] for all that [`str::parse`] refuses but surplus decimals; also for what rounds to zero or
    /// beyond [`Price::MAX`].
    pub fn parse_rounded(text: &str, rounding: Rounding) -> Result<(Self, bool), ParseError> {
        Self::read_rounded(text, rounding).map_err(|reason| Self::GRAMMAR.refuse(text, reason))
    }

    fn read_rounded(text: &str, rounding: Rounding) -> Result<(Self, bool), ParseReason> {
        let (nanos, was_rounded) = Self::GRAMMAR.rounded(text, rounding)?;
        Ok((Self::from_scaled(nanos)?, was_rounded))
    }

    /// The price of so many billionths, where there are so many; `doing` says where they are from.
    fn checked(nanos: Option<Wide>, doing: impl FnOnce() -> String) -> Result<Self, PriceError> {
        match nanos {
            Some(nanos) if nanos <= Wide::ZERO => Err(PriceError::NotPositive { doing: doing() }),
            nanos => nanos
                .and_then(Wide::to_i128)
                .and_then(|nanos| Self::from_scaled(nanos).ok())
                .ok_or_else(|| Self::GRAMMAR.overflow(doing()).into()),
        }
    }

    fn from_scaled(nanos: i128) -> Result<Self, ParseReason> {
        if nanos == 0 {
            return Err(ParseReason::Zero);
        }
        let in_range = u64::try_from(nanos).ok().filter(|nanos| *nanos <= Self::MAX.0);
        in_range.map(Self).ok_or(Self::GRAMMAR.out_of_range())
    }

    fn scaled(self) -> i128 {
        i128::from(self.0)
    }
}

decimal_text!(Price);
