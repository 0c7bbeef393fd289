//! What a portfolio wants besides its targets: when to act, and what to leave alone.
//!
//! A policy is plain data. What its measure means is in [`crate::drift`], what its amounts do in [`crate::plan`].

use crate::values::{Money, Percentage};

/// When to rebalance, and what is never spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Policy {
    /// How drift is measured, and the band it must stay in.
    pub measure: Measure,
    /// The least a leg may be worth, or the broker's minimum if that is larger. Leaving a holding completely is exempt.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "minimum_order"))]
    pub minimum_order: Money,
    /// Cash that is never invested.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "cash_buffer"))]
    pub cash_buffer: Money,
}

impl Default for Policy {
    /// Relative, 5 %; orders of 1.00 and more; no buffer.
    fn default() -> Self {
        let five = Percentage::from_units(50_000).unwrap_or(Percentage::ZERO);
        let one = Money::from_cents(100).unwrap_or(Money::ZERO);
        Self { measure: Measure::Relative { band: Band(five) }, minimum_order: one, cash_buffer: Money::ZERO }
    }
}

impl Policy {
    /// A policy with these amounts.
    ///
    /// # Errors
    /// [`PolicyError`] if an amount is below zero.
    pub fn new(measure: Measure, minimum_order: Money, cash_buffer: Money) -> Result<Self, PolicyError> {
        let minimum_order = not_negative("minimum_order", minimum_order)?;
        let cash_buffer = not_negative("cash_buffer", cash_buffer)?;
        Ok(Self { measure, minimum_order, cash_buffer })
    }
}

fn not_negative(field: &'static str, amount: Money) -> Result<Money, PolicyError> {
    if amount.is_negative() { Err(PolicyError::NegativeAmount { field, amount }) } else { Ok(amount) }
}

#[cfg(feature = "serde")]
fn minimum_order<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Money, D::Error> {
    let amount = serde::Deserialize::deserialize(deserializer)?;
    not_negative("minimum_order", amount).map_err(serde::de::Error::custom)
}

#[cfg(feature = "serde")]
fn cash_buffer<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Money, D::Error> {
    let amount = serde::Deserialize::deserialize(deserializer)?;
    not_negative("cash_buffer", amount).map_err(serde::de::Error::custom)
}

/// A named measure of drift with its band. `w` is a weight, `t` its target, both shares of the investable value.
///
/// Inside if and only if the drift is at most the band; the comparison is exact. Cash is judged like a holding, less what is held back; without a target it is left out of `Relative`
/// and `Tighter`, since its band would be 0. A holding without a target is always out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Measure {
    /// Out when `|w − t| > band × t`.
    Relative {
        /// Percent of the target.
        band: Band,
    },
    /// Out when `|w − t| > band`.
    Absolute {
        /// Percentage points.
        band: Band,
    },
    /// Out when `|w − t| > max(relative × t, absolute)`: no jump at small targets.
    Hybrid {
        /// Percent of the target.
        relative: Band,
        /// Percentage points.
        absolute: Band,
    },
    /// Out when `|w − t| > min(relative × t, absolute)`: the "5/25" rule.
    Tighter {
        /// Percent of the target.
        relative: Band,
        /// Percentage points.
        absolute: Band,
    },
    /// Out when `½ Σ |w − t| > band`: the one-way turnover to target, cash being one of the terms.
    Total {
        /// Percentage points.
        band: Band,
    },
}

impl Measure {
    /// The name used in files.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Relative { .. } => "relative",
            Self::Absolute { .. } => "absolute",
            Self::Hybrid { .. } => "hybrid",
            Self::Tighter { .. } => "tighter",
            Self::Total { .. } => "total",
        }
    }
}

/// The distance from a target that is allowed: a percentage from 0 to 100. At 0 every difference counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "Percentage", into = "Percentage")
)]
pub struct Band(Percentage);

impl Band {
    /// A band of this width.
    ///
    /// # Errors
    /// [`PolicyError::BandOutOfRange`] outside 0 to 100 %.
    pub fn new(width: Percentage) -> Result<Self, PolicyError> {
        if width < Percentage::ZERO || width > Percentage::HUNDRED {
            return Err(PolicyError::BandOutOfRange { width });
        }
        Ok(Self(width))
    }

    /// The width.
    #[must_use]
    pub const fn width(self) -> Percentage {
        self.0
    }
}

impl TryFrom<Percentage> for Band {
    type Error = PolicyError;
    fn try_from(width: Percentage) -> Result<Self, Self::Error> {
        Self::new(width)
    }
}

impl From<Band> for Percentage {
    fn from(band: Band) -> Self {
        band.0
    }
}

/// A policy that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// A band outside its range.
    #[error("a band of {width} % is not possible: it is from 0 to 100")]
    BandOutOfRange {
        /// The width asked for.
        width: Percentage,
    },
    /// An amount below zero.
    #[error("{field} is {amount}: it cannot be below zero")]
    NegativeAmount {
        /// Which amount.
        field: &'static str,
        /// Its value.
        amount: Money,
    },
}

#[cfg(test)]
mod tests;
