//! Risk limits: what no batch may go beyond on its way forward, whatever its plan says.
//!
//! They are pinned by the batch's opening and checked when it is opened, when its orders are intended, and once these are committed, before the
//! first of them is sent; from the second time on together with the collar that was put around the prices of the plan. What was found is
//! recorded in the commit of the intents ([`Checks`]). Restoring is never limited: it trades what was executed, and nothing else. How old and how
//! far from the last one a price may be is the [market](crate::books::Market)'s; whether a person has stopped everything is a
//! [halt](crate::halt).

use crate::batch::Batch;
use crate::books::{AscendingPrices, Prices, is_near};
use crate::plan::Leg;
use crate::portfolio::Portfolio;
use crate::record::Outcome;
use crate::values::{Money, Overflow, Percentage, Price, Symbol, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// The span that limits "of a day" look back over: 24 hours, whatever the calendar says, so that no midnight makes room for more.
pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What no batch may go beyond. `None` limits nothing. Amounts are in the portfolio's currency, at the plan's prices, without fees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Limits {
    /// The most one order may be worth.
    pub order: Option<Money>,
    /// The most all orders of a batch may be worth together.
    pub batch: Option<Money>,
    /// The most a portfolio may trade within [`DAY`], this batch included.
    pub day: Option<Money>,
    /// The most batches that may be opened for a portfolio within [`DAY`], this one included; abandoned ones do not count.
    pub batches_a_day: Option<u32>,
    /// The least time that must be left of the session, where the broker says when it closes.
    pub session_left: Option<Duration>,
    /// How far the newest price of any leg may be from the one that it was planned at before the first order is sent, in percent of the latter.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub collar: Option<Percentage>,
}

impl Limits {
    /// Nothing is limited.
    pub const NONE: Self =
        Self { order: None, batch: None, day: None, batches_a_day: None, session_left: None, collar: None };
}

/// What was known when a batch was planned, beside prices and books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Facts {
    /// When the oldest price that a leg was sized by was made.
    pub oldest_price: Timestamp,
    /// When the market closes, if the broker says so.
    pub closes_at: Option<Timestamp>,
}

/// What the limits were held against when orders were intended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Checks {
    /// When the oldest price was made that a leg was sized by.
    pub oldest_price: Timestamp,
    /// What the largest order is worth.
    pub order: Money,
    /// What all orders of the batch are worth.
    pub batch: Money,
    /// What the portfolio trades within [`DAY`], this batch included.
    pub day: Money,
    /// Batches opened within [`DAY`], this one included.
    pub batches: u32,
    /// When the market closes, if the broker says so.
    pub closes_at: Option<Timestamp>,
    /// The price that had moved furthest since the plan was made, when the batch began; `None` if none had, and for the orders that followed.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub moved: Option<Moved>,
}

/// A price that has moved since the plan was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Moved {
    /// Of what.
    pub symbol: Symbol,
    /// The price that its leg was planned at.
    pub planned: Price,
    /// The newest, believed or not.
    pub newest: Price,
}

/// A limit that a batch would go beyond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum LimitError {
    /// One order is worth more than an order may be.
    #[error("the order for {symbol} is worth {amount}, and an order may be worth {limit}")]
    Order {
        /// Of what.
        symbol: Symbol,
        /// What it is worth.
        amount: Money,
        /// The limit.
        limit: Money,
    },
    /// All orders together are worth more than a batch may be.
    #[error("the batch is worth {amount}, and a batch may be worth {limit}")]
    Batch {
        /// What they are worth.
        amount: Money,
        /// The limit.
        limit: Money,
    },
    /// With this batch, more would be traded within a day than may be.
    #[error("with this batch {amount} would be traded within 24 hours, and {limit} may be")]
    Day {
        /// What would be traded.
        amount: Money,
        /// The limit.
        limit: Money,
    },
    /// As many batches as may be have been opened within a day.
    #[error("this would be batch {batches} within 24 hours, and {limit} may be opened")]
    Batches {
        /// With this one.
        batches: u32,
        /// The limit.
        limit: u32,
    },
    /// The market closes too soon.
    #[error("the market closes in {} s, and {} s must be left", left.as_secs(), limit.as_secs())]
    Session {
        /// What is left of the session.
        left: Duration,
        /// The limit.
        limit: Duration,
    },
    /// A price has left the collar around the one that its leg was planned at.
    #[error(
        "the price of {symbol} has gone from {planned} to {newest} since the plan was made, and it may move by {limit} %"
    )]
    Collar {
        /// Of what.
        symbol: Symbol,
        /// The price of the plan.
        planned: Price,
        /// The newest.
        newest: Price,
        /// How far it may move, in percent of the planned price.
        limit: Percentage,
    },
    /// What would be traded is more than an amount can say.
    #[error("what would be traded passes the maximum of an amount")]
    Uncountable,
}

impl From<Overflow> for LimitError {
    fn from(_: Overflow) -> Self {
        Self::Uncountable
    }
}

impl Limits {
    /// Holds the legs of a plan for `portfolio`, whose open batch is not looked at, against the limits.
    ///
    /// # Errors
    /// The first [`LimitError`], in the order of its variants.
    pub fn check(
        &self,
        portfolio: &Portfolio,
        legs: &[Leg],
        facts: Facts,
        at: Timestamp,
    ) -> Result<Checks, LimitError> {
        let checks = checks(portfolio, legs, facts, at)?;
        let too_large = |leg: &&Leg| self.order.is_some_and(|limit| leg.amount > limit);
        if let (Some(leg), Some(limit)) = (legs.iter().find(too_large), self.order) {
            return Err(LimitError::Order { symbol: leg.terms.symbol, amount: leg.amount, limit });
        }
        if let Some(limit) = self.batch.filter(|limit| checks.batch > *limit) {
            return Err(LimitError::Batch { amount: checks.batch, limit });
        }
        if let Some(limit) = self.day.filter(|limit| checks.day > *limit) {
            return Err(LimitError::Day { amount: checks.day, limit });
        }
        if let Some(limit) = self.batches_a_day.filter(|limit| checks.batches > *limit) {
            return Err(LimitError::Batches { batches: checks.batches, limit });
        }
        let left = facts.closes_at.map(|closes_at| closes_at.since(at));
        match (left, self.session_left) {
            (Some(left), Some(limit)) if left < limit => Err(LimitError::Session { left, limit }),
            _ => Ok(checks),
        }
    }
}

impl Limits {
    /// Holds the newest prices against those that the legs were planned at. At the limit is allowed; compared exactly. Gives the price that has
    /// moved furthest in relation to the planned one; of equals the first leg's. A symbol without a newer price has not moved.
    ///
    /// # Errors
    /// [`LimitError::Collar`] for that price, if it has left the collar.
    pub fn check_prices(&self, legs: &[Leg], newest: &Prices) -> Result<Option<Moved>, LimitError> {
        let mut newest = newest.ascending();
        let moved = legs.iter().filter_map(|leg| moved(leg, &mut newest));
        let furthest = moved.reduce(|furthest, moved| if is_further(&moved, &furthest) { moved } else { furthest });
        match (furthest, self.collar) {
            (Some(Moved { symbol, planned, newest }), Some(limit)) if !is_near(planned, newest, limit) => {
                Err(LimitError::Collar { symbol, planned, newest, limit })
            }
            (furthest, _) => Ok(furthest),
        }
    }
}

fn moved(leg: &Leg, newest: &mut AscendingPrices<'_>) -> Option<Moved> {
    let (symbol, planned) = (leg.terms.symbol, leg.terms.reference);
    let newest = newest.newest(symbol)?.price;
    (newest != planned).then_some(Moved { symbol, planned, newest })
}

/// Compares |newest − planned| / planned, crosswise and so exactly.
fn is_further(one: &Moved, other: &Moved) -> bool {
    let crosswise = |moved: &Moved, of: &Moved| {
        let distance = u128::from(moved.newest.nanos().abs_diff(moved.planned.nanos()));
        distance.saturating_mul(u128::from(of.planned.nanos()))
    };
    crosswise(one, other) > crosswise(other, one)
}

/// What the limits are held against.
///
/// # Errors
/// [`Overflow`] if a sum passes the maximum of [`Money`].
pub fn checks(portfolio: &Portfolio, legs: &[Leg], facts: Facts, at: Timestamp) -> Result<Checks, Overflow> {
    let batch = Money::sum(legs.iter().map(|leg| leg.amount))?;
    let mut day = batch;
    let mut batches = 1_u32;
    for earlier in portfolio.closed.iter().filter(|batch| within_a_day(batch, at)) {
        day = day.add(earlier.forward_amount()?)?;
        batches = batches.saturating_add(1);
    }
    let order = legs.iter().map(|leg| leg.amount).max().unwrap_or(Money::ZERO);
    let Facts { oldest_price, closes_at } = facts;
    Ok(Checks { oldest_price, order, batch, day, batches, closes_at, moved: None })
}

fn within_a_day(batch: &Arc<Batch>, at: Timestamp) -> bool {
    let abandoned = batch.closing.as_ref().is_some_and(|closing| closing.outcome == Outcome::Abandoned);
    !abandoned && batch.opened_at.plus(DAY) > at
}

#[cfg(test)]
mod tests;
