//! The named ways to round, and the one place that decides where a cut-off rest goes.
//!
//! Rounding is always an argument. Who divides is [`super::wide`] for numbers and [`super::text`] for digits.

use std::cmp::Ordering;

/// How a result with too many decimals is brought to those of its type.
///
/// | | 0.121 | 0.125 | 0.129 | 0.135 | -0.129 | for |
/// |---|---|---|---|---|---|---|
/// | `HalfEven` | 0.12 | 0.12 | 0.13 | 0.14 | -0.13 | what is booked: errors cancel out over many bookings |
/// | `Down` | 0.12 | 0.12 | 0.12 | 0.13 | -0.12 | what may be spent or sold: never more than there is |
/// | `Up` | 0.13 | 0.13 | 0.13 | 0.14 | -0.13 | what must be set aside: never less than is needed |
///
/// ```
/// use evenkeel_domain::values::{Rounding, Value};
///
/// let value: Value = "0.125".parse()?;
/// assert_eq!(value.to_money(Rounding::HalfEven)?.to_string(), "0.12");
/// assert_eq!(value.to_money(Rounding::Down)?.to_string(), "0.12");
/// assert_eq!(value.to_money(Rounding::Up)?.to_string(), "0.13");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rounding {
    /// To the nearest; from the middle to the even neighbour: 0.125 → 0.12, 0.135 → 0.14.
    HalfEven,
    /// Toward zero: 0.129 → 0.12, -0.129 → -0.12.
    Down,
    /// Away from zero: 0.121 → 0.13, -0.121 → -0.13.
    Up,
}

/// What was cut off a result, against half a step of its last decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    Nothing,
    BelowHalf,
    Half,
    AboveHalf,
}

impl Rest {
    /// A rest that is more than nothing.
    #[inline]
    pub(super) const fn against_half(order: Ordering) -> Self {
        match order {
            Ordering::Less => Self::BelowHalf,
            Ordering::Equal => Self::Half,
            Ordering::Greater => Self::AboveHalf,
        }
    }
}

impl Rounding {
    /// Whether the size of a cut result grows by one step. Signs play no part: all rounding is alike on both sides
    /// of zero.
    #[inline]
    pub(super) const fn grows(self, rest: Rest, is_odd: bool) -> bool {
        match (self, rest) {
            (_, Rest::Nothing) | (Self::Down, _) | (Self::HalfEven, Rest::BelowHalf) => false,
            (Self::Up, _) | (Self::HalfEven, Rest::AboveHalf) => true,
            (Self::HalfEven, Rest::Half) => is_odd,
        }
    }
}
