//! Step 2 of a plan: what the buys may spend, and how they shrink when that is short.
//!
//! When the rounded amounts and their costs pass what is available, all buys shrink by one common factor and are
//! truncated to their lots. If the amounts still pass it by rounding, the largest buy (ties: symbol order) is lowered by
//! the fewest steps that suffice. Buys that fall below the minimum are dropped, and the others are sized again without
//! them: money left over by what was dropped would only make the next plan. Nothing is ever larger than wanted.
//!
//! How exactly is on the page of [`crate::plan`]. Used when planning, and again by the batch between its stages, with what the sells really brought.

use super::SkipReason;
use crate::exact::{basis_points, too_wide};
use crate::order::{Costs, Terms};
use crate::values::wide::Wide;
use crate::values::{Lot, Money, Overflow, Quantity, Rounding, Symbol, Value};
use std::borrow::Cow;

/// A buy that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buy {
    /// What, and at most how many units.
    pub terms: Terms,
    /// The lot its quantity must be a multiple of.
    pub lot: Lot,
}

/// What there is to spend, and the rules for spending it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Funding {
    /// Cash for the buys and their costs. Zero or less buys nothing.
    pub available: Money,
    /// What an order may cost.
    pub costs: Costs,
    /// How much more than its value an open buy reserves, in hundredths of a percent.
    pub collar_bps: u32,
    /// The least an order may be worth.
    pub minimum: Money,
}

/// A buy that is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bought {
    /// What, and how many units.
    pub terms: Terms,
    /// What it moves at its reference price, rounded half-even.
    pub amount: Money,
    /// The most it may cost.
    pub cost: Money,
    /// True if it is smaller than what was wanted.
    pub shrunk: bool,
}

/// The buys that are paid for, in the order they were given, and those that fell below the minimum.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Funded {
    /// Paid for.
    pub bought: Vec<Bought>,
    /// What all that is paid for takes of the cash while it is open: amounts, costs, and what the broker reserves on top.
    pub taken: Money,
    /// Dropped, with the reason.
    pub dropped: Vec<(Symbol, SkipReason)>,
}

/// Sizes `buys` down to what is available.
///
/// # Errors
/// [`Overflow`] if an amount passes the maximum of its type.
pub fn fund(buys: &[Buy], funding: Funding) -> Result<Funded, Overflow> {
    let mut buys = Cow::from(buys);
    let mut dropped = Vec::new();
    loop {
        let (sized, taken) = sized_down(&buys, &funding)?;
        let is_too_small =
            |sizing: &Sizing| sizing.is_shrunk() && (sizing.amount < funding.minimum || sizing.quantity.is_zero());
        let before = dropped.len();
        dropped.extend(sized.iter().filter(|sizing| is_too_small(sizing)).map(|sizing| {
            let reason = SkipReason::Shrunk { amount: sizing.amount, minimum: funding.minimum };
            (sizing.buy.terms.symbol, reason)
        }));
        if dropped.len() == before {
            return Ok(Funded { bought: sized.into_iter().map(Bought::from).collect(), taken, dropped });
        }
        buys = sized.iter().filter(|sizing| !is_too_small(sizing)).map(|sizing| sizing.buy).collect();
    }
}

/// Each buy with the quantity it comes down to, so that all together spend no more than is available; and what they take.
fn sized_down(buys: &[Buy], funding: &Funding) -> Result<(Vec<Sizing>, Money), Overflow> {
    let mut sized = Vec::with_capacity(buys.len());
    for buy in buys {
        sized.push(Sizing::new(*buy, buy.terms.quantity, funding)?);
    }
    let mut taken = taken(&sized)?;
    if taken > funding.available {
        shrink(&mut sized, funding)?;
        taken = lower_largest(&mut sized, funding)?;
    }
    Ok((sized, taken))
}

/// A buy with the quantity it has come down to, and what that comes to.
struct Sizing {
    buy: Buy,
    quantity: Quantity,
    amount: Money,
    cost: Money,
    /// What it takes of the cash while it is open: its amount, what it may cost, and what the broker reserves on top.
    takes: Money,
}

impl Sizing {
    fn new(buy: Buy, quantity: Quantity, funding: &Funding) -> Result<Self, Overflow> {
        let value = buy.terms.reference.times(quantity);
        let amount = value.to_money(Rounding::HalfEven)?;
        let cost = if quantity.is_zero() { Money::ZERO } else { funding.costs.of(value)? };
        let collar = Costs { bps: funding.collar_bps, ..Costs::FREE };
        let takes = amount.add(cost)?.add(collar.of(value)?)?;
        Ok(Self { buy, quantity, amount, cost, takes })
    }

    fn value(&self) -> Value {
        self.buy.terms.reference.times(self.quantity)
    }

    fn is_shrunk(&self) -> bool {
        self.quantity < self.buy.terms.quantity
    }
}

impl From<Sizing> for Bought {
    fn from(sizing: Sizing) -> Self {
        let shrunk = sizing.is_shrunk();
        let Sizing { buy, quantity, amount, cost, .. } = sizing;
        Self { terms: Terms { quantity, ..buy.terms }, amount, cost, shrunk }
    }
}

fn taken(sized: &[Sizing]) -> Result<Money, Overflow> {
    sized.iter().try_fold(Money::ZERO, |sum, sizing| sum.add(sizing.takes))
}

/// All quantities times (available − costs) / (value + collars), truncated. The costs of the full quantities bound those of the smaller ones.
fn shrink(sized: &mut [Sizing], funding: &Funding) -> Result<(), Overflow> {
    let mut value = Value::ZERO;
    let mut left = funding.available;
    for sizing in sized.iter() {
        value = value.add(sizing.value())?;
        left = left.sub(sizing.cost)?;
    }
    let left = left.max(Money::ZERO).to_value();
    let value = value.add(basis_points(value, funding.collar_bps, Rounding::Up)?)?;
    if value <= left {
        return Ok(()); // Only the rounding of the amounts is too much.
    }
    for sizing in sized.iter_mut() {
        let nanos = Wide::from_u128(sizing.quantity.nanos());
        let shrunk = left.wide().checked_mul(nanos).and_then(|p| p.div_round(value.wide(), Rounding::Down));
        let shrunk = shrunk.and_then(Wide::to_u128).ok_or_else(|| too_wide("shrinking a buy"))?;
        let quantity = Quantity::from_nanos(shrunk)?.floor_to(sizing.buy.lot);
        *sizing = Sizing::new(sizing.buy, quantity, funding)?;
    }
    Ok(())
}

/// Lowers the largest buy by the fewest lots that suffice; if all of it does not, the next largest as well. Gives what all take then.
fn lower_largest(sized: &mut [Sizing], funding: &Funding) -> Result<Money, Overflow> {
    loop {
        let taken = taken(sized)?;
        let excess = taken.sub(funding.available)?;
        if !excess.is_positive() {
            return Ok(taken);
        }
        // The first of equals, so ties go by symbol order.
        let largest = sized.iter_mut().rev().filter(|s| !s.quantity.is_zero()).max_by_key(|s| s.value());
        let Some(largest) = largest else { return Ok(taken) };
        lower(largest, excess, funding)?;
    }
}

/// The largest quantity that takes less by `excess`, found by bisection: what is taken never falls as quantity grows.
///
/// The amounts before and after are each within half a cent of their value, so whatever is worth less by `excess` and a cent is enough less.
fn lower(sizing: &mut Sizing, excess: Money, funding: &Funding) -> Result<(), Overflow> {
    let (lot, price) = (sizing.buy.lot.size(), sizing.buy.terms.reference);
    let allowed = sizing.takes.sub(excess)?;
    let ample = excess.add(Money::CENT)?.to_value().wide().div_round(price.times(lot).wide(), Rounding::Up);
    let lots = sizing.quantity.nanos().checked_div(lot.nanos()).unwrap_or(0);
    let buy = sizing.buy;
    let of = |lots: u128| Sizing::new(buy, Quantity::from_nanos(lots.saturating_mul(lot.nanos()))?, funding);
    let (mut fits, mut too_many) = (lots.saturating_sub(ample.and_then(Wide::to_u128).unwrap_or(lots)), lots);
    while too_many.saturating_sub(fits) > 1 {
        let middle = fits.midpoint(too_many);
        if of(middle)?.takes <= allowed {
            fits = middle;
        } else {
            too_many = middle;
        }
    }
    *sizing = of(fits)?;
    Ok(())
}
