//! The steps in which an asset trades.

use std::fmt;
use std::str::FromStr;

use super::Quantity;
use crate::values::ParseError;
use crate::values::text::{Grammar, ParseReason};

/// The step in which an asset trades: its orders are for whole numbers of lots.
///
/// ```
/// use evenkeel_domain::values::{Lot, Quantity};
///
/// let tenths: Lot = "0.1".parse()?;
/// let wanted: Quantity = "7.19".parse()?;
/// assert_eq!(wanted.floor_to(tenths).to_string(), "7.1");
/// assert_eq!(wanted.floor_to(Lot::FINEST), wanted);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Refused: zero. Text is that of a [`Quantity`]. The default is [`Lot::FINEST`], which restricts nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lot(Quantity);

/// A lot of zero was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a lot of 0 cannot be traded: the smallest lot is 0.000000001")]
pub struct ZeroLot;

impl Lot {
    /// 0.000000001, of which every quantity is a multiple.
    pub const FINEST: Self = Self(Quantity::STEP);

    const GRAMMAR: Grammar = Grammar { what: "a lot", ..Quantity::GRAMMAR };

    /// A lot of that size.
    ///
    /// # Errors
    /// [`ZeroLot`] when the size is zero.
    pub const fn new(size: Quantity) -> Result<Self, ZeroLot> {
        if size.is_zero() { Err(ZeroLot) } else { Ok(Self(size)) }
    }

    /// How many units a lot has.
    pub const fn size(self) -> Quantity {
        self.0
    }

    fn read(text: &str) -> Result<Self, ParseReason> {
        let size = Quantity::from_scaled(Self::GRAMMAR.scaled(text)?)?;
        Self::new(size).map_err(|ZeroLot| ParseReason::Zero)
    }
}

impl Default for Lot {
    fn default() -> Self {
        Self::FINEST
    }
}

impl FromStr for Lot {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::read(text).map_err(|reason| Self::GRAMMAR.refuse(text, reason))
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
