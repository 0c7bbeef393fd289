//! What a broker declares about itself: facts the planner and the batch machine rely on, constant for one adapter.

use crate::exact::basis_points;
use crate::values::{Lot, Money, Overflow, Rounding, Symbol, Value};
use std::collections::BTreeMap;
use std::time::Duration;

/// What a broker promises. Constant for the life of an adapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// The broker's name, for people.
    pub name: String,
    /// What it does with an id it has seen.
    pub duplicates: Duplicates,
    /// Upper bounds of what a trade costs, fees and slippage together.
    pub costs: Costs,
    /// How much more than its reference value an open buy reserves of the cash, in hundredths of a percent. Not a cost: what is not
    /// spent is free again. Buys are sized so that their reservations fit.
    pub collar_bps: u32,
    /// True if a fill may move a cent more or less than its price × quantity at the reference price. It enlarges the standing reserve, and
    /// nothing else: books and broker are compared to the cent, by the rule of [`booked_amount`](crate::order::booked_amount).
    pub fills_rounded: bool,
    /// The least an order may be worth; leaving a holding completely is exempt.
    pub minimum_order: Money,
    /// The lot of every symbol not named in `lots`.
    pub lot: Lot,
    /// Symbols with a lot of their own, such as whole shares only.
    pub lots: BTreeMap<Symbol, Lot>,
    /// How long a request may still be under way after it was sent or its sender died: only after it does "not found" begin to count.
    pub quiescence: Duration,
    /// How long positions, account and order lookups may lag behind what happened.
    pub visibility_horizon: Duration,
}

impl Capabilities {
    /// The lot of `symbol`.
    #[must_use]
    pub fn lot_of(&self, symbol: Symbol) -> Lot {
        self.lots.get(&symbol).copied().unwrap_or(self.lot)
    }
}

/// What a broker does when an id is submitted again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Duplicates {
    /// It never makes a second order of the same id, so sending again is safe.
    Refused,
    /// It echoes the id but does not enforce it: sending again is forbidden.
    Correlated,
}

/// Upper bounds of what one trade costs: `max(minimum, per_order + bps / 10,000 × amount)`, rounded up to the cent.
///
/// All zero means free. The bounds cover fees *and* slippage: a broker that may fill 20 basis points off the
/// reference and charges 5 declares 25.
///
/// ```
/// # use evenkeel_domain::{order::Costs, values::Money};
/// let costs = Costs { bps: 10, per_order: "0.35".parse()?, minimum: "1.00".parse()? };
/// assert_eq!(costs.of("2000.00".parse::<Money>()?.to_value())?.to_string(), "2.35");
/// assert_eq!(costs.of("10.00".parse::<Money>()?.to_value())?.to_string(), "1.00");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Costs {
    /// Hundredths of a percent of what is traded.
    pub bps: u32,
    /// Added for every order.
    pub per_order: Money,
    /// The least an order costs.
    pub minimum: Money,
}

impl Costs {
    /// Nothing costs anything.
    pub const FREE: Self = Self { bps: 0, per_order: Money::ZERO, minimum: Money::ZERO };

    /// True if no order can cost anything.
    #[must_use]
    #[inline]
    pub fn is_free(&self) -> bool {
        *self == Self::FREE
    }

    /// The most that trading this much may cost, rounded up to the cent.
    ///
    /// # Errors
    /// [`Overflow`] when it passes the maximum of [`Money`].
    #[inline]
    pub fn of(&self, amount: Value) -> Result<Money, Overflow> {
        if self.is_free() { Ok(Money::ZERO) } else { self.unless_free(amount) }
    }

    fn unless_free(&self, amount: Value) -> Result<Money, Overflow> {
        let share = basis_points(amount.abs(), self.bps, Rounding::Up)?;
        let cost = share.to_money(Rounding::Up)?.add(self.per_order)?;
        Ok(cost.max(self.minimum))
    }
}

#[cfg(test)]
mod tests;
