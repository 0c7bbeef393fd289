//! The plan: the legs that bring a portfolio back to its targets, and why everything else is left alone.
//!
//! Pure and deterministic. A plan is made in three steps, one file each, read in this order:
//!
//! 1. `size`: how many units each symbol should lose or gain. **Where a leg's quantity is rounded.**
//! 2. [`fund`]: what the buys may spend, and how they shrink when that is short. The batch uses it again, when the sells
//!    have brought in what they did.
//! 3. [`certificate`]: the proof that the result is sound, re-checked by a function that shares no code with the first two.
//!
//! What becomes of a plan is in [`crate::batch`].
//!
//! # To the cent
//!
//! Investable value and what is held back are those of [`crate::valuation`]; products and sums are exact where no rounding is named.
//!
//! **A leg.** A holding without a target is sold whole, whatever its lot or worth. Any other symbol is bought or sold by
//!
//! ```text
//! units  = |target × investable value − value| / price     truncated to 9 decimals, then to whole lots
//! amount = price × units                                   rounded half-even to the cent
//! cost   = Costs::of(price × units)                        rounded up to the cent
//! ```
//!
//! It is at its target if these are less than 0.000000001 units before lots. It is [skipped](SkipReason) if they are less than a lot, or if the amount is below
//! the minimum: the largest of the policy's, the broker's and 0.01. Any sale, also that of all of a holding, is skipped if it costs more than its amount.
//!
//! **The buys** may take cash − held back + Σ (amount − cost) of the sells. Each takes amount + cost + collar; the collar is the broker's `collar_bps` of
//! price × units, rounded up to the cent. If that is too much together,
//!
//! 1. the units of each become units × (what they may take − Σ cost, at least 0) / (S + collar of S), truncated to 9 decimals, then to whole
//!    lots. Costs and `S` = Σ price × units are those of the units wanted, and the collar of `S` is rounded up at the 18th decimal. If this fraction is 1 or
//!    more, all stay as they are;
//! 2. while they still take too much, the one of the largest price × units (among equals the first in symbol order) is lowered to the most whole lots with
//!    which it takes at most what it took less the excess; to none, if it must be;
//! 3. each that has shrunk to an amount below the minimum, or to nothing, is dropped, all of them at once, and the others start again with the units that
//!    were wanted at first, until none is dropped.
//!
//! Then all that the broker's [`check`](Venue::check) refuses is left out at once and everything, sells included, is sized again without it, until it refuses nothing.
//!
//! If the buys take no more than cash − held back, or there are none, all legs go [together](Stages::Together). Else the buys come second: from the units in the plan, they are sized
//! once more by the three steps, and may take the cash there is then, less what the plan holds back.

pub mod certificate;
pub mod fund;
mod size;

use crate::allocation::Target;
use crate::books::{Books, Definition, Market};
use crate::drift::{self, Assessment};
use crate::exact::weight;
use crate::order::{Capabilities, LegNumber, Refused, Side, Terms};
use crate::valuation::{ReserveRule, Valuation, ValuationError};
use crate::values::{
    Currency, Lot, Money, Overflow, Percentage, Price, Quantity, QuantityError, Rounding, Symbol, Value,
};
use certificate::Certificate;
use std::collections::BTreeMap;

/// One line of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Leg {
    /// Its place: sells first, then buys, each in symbol order.
    pub number: LegNumber,
    /// What is traded, which way, how many units, at which reference price.
    pub terms: Terms,
    /// The lot its quantity is a multiple of, unless it is an exit.
    pub lot: Lot,
    /// What it moves at the reference price, rounded half-even to the cent; without costs.
    pub amount: Money,
    /// The most it may cost.
    pub cost: Money,
    /// True if it is smaller than its target asks for, because the cash was short.
    pub shrunk: bool,
}

impl Leg {
    /// What so many of its units come to at the reference price, rounded half-even to the cent; without costs.
    pub(crate) fn amount_of(&self, quantity: Quantity) -> Result<Money, Overflow> {
        // All of them, nearly always.
        if quantity == self.terms.quantity {
            return Ok(self.amount);
        }
        self.terms.reference.times(quantity).to_money(Rounding::HalfEven)
    }
}

/// Why a symbol that is not at its target is left alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum SkipReason {
    /// Worth less than the minimum order.
    #[error("worth {amount}, less than the minimum order of {minimum}")]
    BelowMinimum {
        /// What the leg would be worth.
        amount: Money,
        /// The minimum that applies.
        minimum: Money,
    },
    /// Less than one lot.
    #[error("less than one lot of {lot}")]
    BelowLot {
        /// The lot.
        lot: Quantity,
    },
    /// The cash was short, and what was left of the leg fell below the minimum.
    #[error("shrunk to {amount} for want of cash, less than the minimum order of {minimum}")]
    Shrunk {
        /// What was left of it.
        amount: Money,
        /// The minimum that applies.
        minimum: Money,
    },
    /// Selling would cost as much as it brings.
    #[error("selling for {amount} may cost {cost}")]
    CostsMoreThanItBrings {
        /// What it would bring.
        amount: Money,
        /// What it may cost.
        cost: Money,
    },
    /// The broker's documented rules do not allow it.
    #[error("the broker does not allow it: {0}")]
    Refused(Refused),
}

/// A symbol that would be traded, but is not.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Skip {
    /// Which.
    pub symbol: Symbol,
    /// Why.
    pub reason: SkipReason,
}

/// Whether the legs go out together or sells first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Stages {
    #[default]
    /// One stage: free cash pays for the buys without the sells.
    Together,
    /// Two stages: the sells, then the buys, sized down to what the sells brought.
    SellsFirst,
}

/// A weight before and after, and what it should be. Rounded half-even to 0.0001 %: for people.
///
/// That of cash is the share of what is not held back of it; so it is below zero where that is still missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WeightRow {
    /// Whose.
    pub target: Target,
    /// Share of the investable value now.
    pub before: Percentage,
    /// Share of what could be invested after every leg was filled at its reference price and cost what it may.
    pub after: Percentage,
    /// What it should be.
    pub goal: Percentage,
}

/// What would be done to a portfolio, why, and the proof that it is sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The currency of every amount.
    pub currency: Currency,
    /// What it was made from: the portfolio at its prices, with what is held back.
    pub valuation: Valuation,
    /// What is out of band.
    pub assessment: Assessment,
    /// The legs, in execution order. Empty if the portfolio is inside its band, unless it was asked for regardless.
    pub legs: Vec<Leg>,
    /// Symbols that would be traded, but are not.
    pub skipped: Vec<Skip>,
    /// One stage or two.
    pub stages: Stages,
    /// Sum of all amounts, buys and sells.
    pub turnover: Money,
    /// The most that all legs together may cost.
    pub cost: Money,
    /// True if there is a leg of a symbol that is out of band; or any leg, where cash is out of its band, the measure `total` is, or the plan was asked for
    /// [now](Trigger::Now). A batch is opened only then.
    pub worthwhile: bool,
    /// The proof.
    pub certificate: Certificate,
}

/// When to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// Only if something is out of band.
    Band,
    /// Now, whatever the band says: every difference is traded that is worth an order.
    Now,
}

/// What a broker allows and charges, as far as planning needs it.
#[derive(Clone, Copy)]
pub struct Venue<'a> {
    /// What the broker declares.
    pub capabilities: &'a Capabilities,
    /// The broker's `check`: whether its documented rules allow these terms.
    pub check: &'a dyn Fn(&Terms) -> Result<(), Refused>,
    /// How often a reverse order may be tried; part of the standing reserve.
    pub attempts: u8,
}

impl Venue<'_> {
    /// The reserve that this broker makes necessary.
    #[must_use]
    pub fn reserve(&self) -> ReserveRule {
        let Capabilities { costs, fills_rounded, .. } = *self.capabilities;
        ReserveRule { costs, fills_rounded, attempts: self.attempts }
    }
}

/// Plans a rebalance.
///
/// # Errors
/// [`PlanError`] if the portfolio cannot be valued, or has more legs than a batch can hold.
pub fn plan(
    books: &Books,
    definition: &Definition,
    market: Market<'_>,
    venue: Venue<'_>,
    trigger: Trigger,
) -> Result<Plan, PlanError> {
    let Definition { allocation, policy, .. } = definition;
    let valuation = Valuation::new(books, allocation, policy, market, venue.reserve())?;
    let assessment = drift::assess(&valuation, &policy.measure)?;
    let minimum = policy.minimum_order.max(venue.capabilities.minimum_order).max(Money::CENT);

    let sized = if trigger == Trigger::Now || assessment.is_out_of_band() {
        legs_the_broker_allows(&valuation, minimum, venue)?
    } else {
        Sized::default()
    };
    let Sized { legs, mut skipped, stages } = sized;
    skipped.sort_by_key(|skip| skip.symbol);

    let certificate = certificate::certify(&valuation, &legs, venue)?;
    Ok(Plan {
        currency: definition.currency,
        worthwhile: is_worthwhile(&legs, &assessment, trigger),
        turnover: Money::sum(legs.iter().map(|leg| leg.amount))?,
        cost: Money::sum(legs.iter().map(|leg| leg.cost))?,
        valuation,
        assessment,
        legs,
        skipped,
        stages,
        certificate,
    })
}

/// Legs with the reasons of those that were left out.
#[derive(Default)]
struct Sized {
    legs: Vec<Leg>,
    skipped: Vec<Skip>,
    stages: Stages,
}

/// Sizes and funds the legs; what the broker's check refuses is left out and the rest is planned again, until all pass.
fn legs_the_broker_allows(valuation: &Valuation, minimum: Money, venue: Venue<'_>) -> Result<Sized, PlanError> {
    let mut refused: BTreeMap<Symbol, Refused> = BTreeMap::new();
    loop {
        let mut sized = size::size(valuation, minimum, venue.capabilities, |symbol| refused.contains_key(&symbol))?;
        let before = refused.len();
        for leg in &sized.legs {
            if let Err(reason) = (venue.check)(&leg.terms) {
                refused.insert(leg.terms.symbol, reason);
            }
        }
        if refused.len() == before {
            let reasons = refused.into_iter();
            sized.skipped.extend(reasons.map(|(symbol, r)| Skip { symbol, reason: SkipReason::Refused(r) }));
            return Ok(sized);
        }
    }
}

/// Cash has no order of its own: any leg moves it. So does any leg a portfolio whose total is out of band.
fn is_worthwhile(legs: &[Leg], assessment: &Assessment, trigger: Trigger) -> bool {
    let any_leg_counts = trigger == Trigger::Now || assessment.total_breached || assessment.breached(Target::Cash);
    legs.iter().any(|leg| any_leg_counts || assessment.breached(Target::Symbol(leg.terms.symbol)))
}

impl Plan {
    /// Weights before and after: every symbol, in their order, and cash before them, if any of its three figures is not zero. A symbol's value is exact; cash
    /// moves by the amounts and costs of the legs.
    ///
    /// # Errors
    /// [`Overflow`] if what the portfolio would be worth passes the range of [`Value`].
    pub fn weights(&self) -> Result<Vec<WeightRow>, Overflow> {
        let Self { valuation, legs, .. } = self;
        // One for each line of the valuation, which are in symbol order; a leg is always of one of them.
        let mut after: Vec<Value> = valuation.lines.iter().map(|line| line.value).collect();
        let mut cash = valuation.free_cash()?;
        for leg in legs {
            let moved = leg.terms.value();
            let place = valuation.lines.binary_search_by_key(&leg.terms.symbol, |line| line.symbol);
            let Some(value) = place.ok().and_then(|place| after.get_mut(place)) else { continue };
            (*value, cash) = match leg.terms.side {
                Side::Sell => (value.sub(moved)?, cash.add(leg.amount)?.sub(leg.cost)?),
                Side::Buy => (value.add(moved)?, cash.sub(leg.amount)?.sub(leg.cost)?),
            };
        }
        let total_after = after.iter().try_fold(cash.to_value(), |sum, v| sum.add(*v))?;
        let row = |target, before: Value, after: Value, goal| -> Result<WeightRow, Overflow> {
            let after = if total_after > Value::ZERO { weight(after, total_after)? } else { Percentage::ZERO };
            Ok(WeightRow { target, before: weight(before, valuation.investable)?, after, goal })
        };
        let mut rows = Vec::with_capacity(valuation.lines.len().saturating_add(1));
        let cash_row = row(Target::Cash, valuation.free_cash()?.to_value(), cash.to_value(), valuation.cash_target)?;
        if [cash_row.goal, cash_row.before, cash_row.after].iter().any(|w| *w != Percentage::ZERO) {
            rows.push(cash_row);
        }
        for (line, after) in valuation.lines.iter().zip(after) {
            rows.push(row(Target::Symbol(line.symbol), line.value, after, line.target)?);
        }
        Ok(rows)
    }
}

/// A portfolio that cannot be planned for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// It cannot be valued.
    #[error(transparent)]
    Valuation(#[from] ValuationError),
    /// An amount beyond what its type can hold.
    #[error(transparent)]
    Overflow(#[from] Overflow),
    /// A quantity beyond what its type can hold.
    #[error("sizing the order for {symbol} at {price}")]
    Quantity {
        /// Of what.
        symbol: Symbol,
        /// At which price.
        price: Price,
        /// What is wrong with it.
        #[source]
        cause: QuantityError,
    },
    /// More legs than a batch can hold.
    #[error("the plan needs {legs} legs: a batch holds at most 4096")]
    TooManyLegs {
        /// How many it needs.
        legs: usize,
    },
}

#[cfg(test)]
mod tests;
