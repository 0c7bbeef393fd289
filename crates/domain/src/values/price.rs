//! What one unit of an asset costs.

use super::text::{Grammar, ParseReason, decimal_text};
use super::wide::Wide;
use super::{Overflow, ParseError, Quantity, Rounding, Value};

/// What one unit of an asset costs: more than zero, to nine decimals.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price(u64);

/// There is no such price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// A price is more than zero.
    #[error("{doing} gives no price: a price is at least 0.000000001")]
    NotPositive {
        /// What was being done, with its operands.
        doing: String,
    },
    /// Nothing was bought, so it had no price.
    #[error("{amount} for a quantity of zero has no average price")]
    ZeroQuantity {
        /// What was paid for nothing.
        amount: Value,
    },
    /// The price is beyond the maximum.
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

impl Price {
    /// 0.000000001, the smallest price.
    pub const SMALLEST: Self = Self(1);
    /// 9999999999.999999999, the largest price.
    pub const MAX: Self = Self(9_999_999_999_999_999_999);

    const GRAMMAR: Grammar =
        Grammar { what: "a price", decimals: 9, signed: false, maximum: "9999999999.999999999" };
    const SCALE: u32 = 9;
    const TRIMMED: bool = true;

    /// A price given in billionths.
    pub fn from_nanos(nanos: u64) -> Result<Self, PriceError> {
        Self::checked(i128::from(nanos), || format!("taking {nanos} billionths"))
    }

    /// The price in billionths.
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// What so many units are worth, exactly.
    pub fn times(self, quantity: Quantity) -> Value {
        Value::from_wide(Wide::product(self.0, quantity.nanos()))
    }

    /// The price at which so many units cost that much.
    pub fn average(
        amount: Value,
        quantity: Quantity,
        rounding: Rounding,
    ) -> Result<Self, PriceError> {
        if quantity.is_zero() {
            return Err(PriceError::ZeroQuantity { amount });
        }
        let doing = || format!("dividing {amount} by {quantity}");
        let nanos = amount.wide().div_round(Wide::from_u128(quantity.nanos()), rounding);
        match nanos.map(|nanos| (nanos.to_i128(), nanos.is_negative())) {
            Some((Some(nanos), _)) => Self::checked(nanos, doing),
            Some((None, true)) => Err(PriceError::NotPositive { doing: doing() }),
            Some((None, false)) | None => Err(Self::GRAMMAR.overflow(doing()).into()),
        }
    }

    /// Reads a price that may have more than nine decimals; also tells whether it was rounded.
    pub fn parse_rounded(text: &str, rounding: Rounding) -> Result<(Self, bool), ParseError> {
        Self::read_rounded(text, rounding).map_err(|reason| Self::GRAMMAR.refuse(text, reason))
    }

    fn read_rounded(text: &str, rounding: Rounding) -> Result<(Self, bool), ParseReason> {
        let parts = Self::GRAMMAR.parts(text)?;
        let (units, rounded) = parts.rounded(Self::GRAMMAR.decimals, rounding)
            .ok_or(Self::GRAMMAR.out_of_range())?;
        Ok((Self::from_scaled(units)?, rounded))
    }

    fn checked(nanos: i128, doing: impl Fn() -> String) -> Result<Self, PriceError> {
        Self::from_scaled(nanos).map_err(|reason| match reason {
            ParseReason::Zero => PriceError::NotPositive { doing: doing() },
            _ => Self::GRAMMAR.overflow(doing()).into(),
        })
    }

    fn from_scaled(units: i128) -> Result<Self, ParseReason> {
        if units <= 0 {
            return Err(ParseReason::Zero);
        }
        let nanos = u64::try_from(units).ok().filter(|nanos| *nanos <= Self::MAX.0);
        nanos.map(Self).ok_or(Self::GRAMMAR.out_of_range())
    }

    fn scaled(self) -> i128 {
        i128::from(self.0)
    }
}

decimal_text!(Price);
