//! Step 3 of a plan: the proof that it is sound, and the function that re-checks one.
//!
//! [`certify`] states figures; [`verify`] derives every claim again from the valuation and the legs alone, by multiplying and
//! comparing. It shares no code with the sizing and the funding, so a fault there is a fault found here.

use super::{Leg, Skip, Venue};
use crate::exact::{MILLION, parts, times, too_wide};
use crate::order::{Capabilities, Side};
use crate::valuation::Valuation;
use crate::values::wide::Wide;
use crate::values::{Money, Overflow, Quantity, Symbol, Value};

/// What a plan claims about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The least cash there is on any prefix of the execution order, every cost paid at its bound.
    pub lowest_cash: Money,
    /// True if the cash held before covers all that a full restoration may cost.
    pub restorable: bool,
    /// What is missing for that; zero if `restorable`.
    pub shortfall: Money,
}

/// States what the certificate of these legs says.
pub(super) fn certify(
    valuation: &Valuation,
    legs: &[Leg],
    venue: Venue<'_>,
) -> Result<Certificate, Overflow> {
    let lowest_cash = lowest_cash(valuation.cash, legs)?;
    let restoration = restoration_cost(legs, venue)?;
    let shortfall = restoration.sub(valuation.cash.max(Money::ZERO))?.max(Money::ZERO);
    Ok(Certificate { lowest_cash, restorable: shortfall.is_zero(), shortfall })
}

/// Re-checks a plan: `valuation` is what it was made from.
///
/// No prefix of the execution order overspends; nothing is sold that is not held; no symbol is on both sides; every leg is a multiple of its lot; every
/// residual is below one step plus half a cent, or explained by a skip or by the shrink; the stated figures are true.
///
/// # Errors
/// Every [`Fault`] found.
pub fn verify(
    certificate: &Certificate,
    valuation: &Valuation,
    legs: &[Leg],
    skipped: &[Skip],
    venue: Venue<'_>,
) -> Result<(), Vec<Fault>> {
    let mut faults = Vec::new();
    for leg in legs {
        check_leg(leg, valuation, venue.capabilities, &mut faults);
    }
    for pair in legs.windows(2) {
        if let [first, second] = pair {
            let in_order = (first.terms.side, first.terms.symbol) < (second.terms.side, second.terms.symbol);
            let numbered = first.number < second.number;
            if !in_order || !numbered {
                faults.push(Fault::OutOfOrder { symbol: second.terms.symbol });
            }
        }
    }
    for line in &valuation.lines {
        let leg = legs.iter().find(|leg| leg.terms.symbol == line.symbol);
        let explained = leg.is_some_and(|l| l.shrunk) || skipped.iter().any(|skip| skip.symbol == line.symbol);
        if explained {
            continue;
        }
        match residual_is_small(valuation, line.symbol, leg, venue.capabilities) {
            Ok(true) => {}
            Ok(false) if legs.is_empty() => {} // Inside its band: nothing was to be done.
            Ok(false) => faults.push(Fault::Residual { symbol: line.symbol }),
            Err(overflow) => faults.push(Fault::Overflow(overflow)),
        }
    }
    match lowest_cash(valuation.cash, legs) {
        Ok(lowest) if lowest != certificate.lowest_cash => faults.push(Fault::LowestCash { stated: certificate.lowest_cash, found: lowest }),
        Ok(lowest) if lowest < valuation.cash.min(Money::ZERO) => faults.push(Fault::Overspent { lowest }),
        Ok(_) => {}
        Err(overflow) => faults.push(Fault::Overflow(overflow)),
    }
    check_restorable(certificate, valuation, legs, venue, &mut faults);
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// Something that a plan gets wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A leg sells more than is held.
    #[error("sells {quantity} {symbol}, of which {held} are held")]
    Oversold {
        /// Of what.
        symbol: Symbol,
        /// How many.
        quantity: Quantity,
        /// How many there are.
        held: Quantity,
    },
    /// A leg is empty, not a multiple of its lot, or misstates its amount or cost.
    #[error("the leg of {symbol} is wrong: {what}")]
    Leg {
        /// Whose.
        symbol: Symbol,
        /// What is wrong.
        what: &'static str,
    },
    /// Legs are not in execution order, or a symbol has two.
    #[error("the leg of {symbol} is out of order")]
    OutOfOrder {
        /// Whose.
        symbol: Symbol,
    },
    /// A symbol stays farther from its target than one step and half a cent, and nothing says why.
    #[error("{symbol} stays off its target, unexplained")]
    Residual {
        /// Which.
        symbol: Symbol,
    },
    /// Cash falls below what was there to spend.
    #[error("cash falls to {lowest}")]
    Overspent {
        /// The least cash.
        lowest: Money,
    },
    /// The stated lowest cash is not the one found.
    #[error("the lowest cash is {found}, not {stated}")]
    LowestCash {
        /// As stated.
        stated: Money,
        /// As found.
        found: Money,
    },
    /// The stated shortfall is not the one found.
    #[error("the shortfall of a restoration is {found}, not {stated}")]
    Shortfall {
        /// As stated.
        stated: Money,
        /// As found.
        found: Money,
    },
    /// A figure passes its type's maximum.
    #[error(transparent)]
    Overflow(Overflow),
}

/// Walks the execution order, every cost paid at its bound.
fn lowest_cash(cash: Money, legs: &[Leg]) -> Result<Money, Overflow> {
    let mut cash = cash;
    let mut lowest = cash;
    for leg in legs {
        cash = match leg.terms.side {
            Side::Sell => cash.add(leg.amount)?,
            Side::Buy => cash.sub(leg.amount)?,
        };
        cash = cash.sub(leg.cost)?;
        lowest = lowest.min(cash);
    }
    Ok(lowest)
}

/// Each leg once forward and once back, and a cent for each attempt where fills are rounded.
fn restoration_cost(legs: &[Leg], venue: Venue<'_>) -> Result<Money, Overflow> {
    let mut cost = Money::ZERO;
    for leg in legs {
        cost = cost.add(leg.cost)?.add(leg.cost)?;
        if venue.capabilities.fills_rounded {
            cost = cost.add(Money::from_cents(i64::from(venue.attempts))?)?;
        }
    }
    Ok(cost)
}

fn check_leg(leg: &Leg, valuation: &Valuation, capabilities: &Capabilities, faults: &mut Vec<Fault>) {
    let symbol = leg.terms.symbol;
    let mut wrong = |what| faults.push(Fault::Leg { symbol, what });
    if leg.terms.quantity.is_zero() {
        wrong("it trades nothing");
    }
    if !leg.terms.exit && !leg.terms.quantity.is_multiple_of(capabilities.lot_of(symbol)) {
        wrong("it is no multiple of the lot");
    }
    let off = leg.terms.value().sub(leg.amount.to_value()).map(Value::abs);
    if !off.is_ok_and(|off| twice(off).is_ok_and(|twice| twice <= Money::CENT.to_value())) {
        wrong("its amount is more than half a cent off price × quantity");
    }
    if capabilities.costs.of(leg.terms.value()) != Ok(leg.cost) {
        wrong("its cost is not the declared one");
    }
    let Some(line) = valuation.line(symbol) else {
        return wrong("it is neither held nor a target");
    };
    if line.price != leg.terms.reference {
        wrong("its price is not the valued one");
    }
    if leg.terms.side == Side::Sell && leg.terms.quantity > line.quantity {
        faults.push(Fault::Oversold { symbol, quantity: leg.terms.quantity, held: line.quantity });
    }
}

fn twice(value: Value) -> Result<Value, Overflow> {
    value.add(value)
}

/// `|target × V − value after| < step × price + half a cent`, in millionths.
fn residual_is_small(
    valuation: &Valuation,
    symbol: Symbol,
    leg: Option<&Leg>,
    capabilities: &Capabilities,
) -> Result<bool, Overflow> {
    let Some(line) = valuation.line(symbol) else { return Ok(true) };
    let after = match leg.map(|leg| leg.terms) {
        None => line.value,
        Some(terms) if terms.side == Side::Sell => line.value.sub(terms.value())?,
        Some(terms) => line.value.add(terms.value())?,
    };
    let goal = times(valuation.investable.wide(), parts(line.target))?;
    let residual = goal.checked_sub(times(after.wide(), MILLION)?).and_then(Wide::checked_abs);
    let residual = residual.ok_or_else(|| too_wide("checking a residual"))?;
    let step = line.price.times(capabilities.lot_of(symbol).size());
    let allowed = twice(step)?.add(Money::CENT.to_value())?;
    Ok(times(residual, 2)? < times(allowed.wide(), MILLION)?)
}

fn check_restorable(certificate: &Certificate, valuation: &Valuation, legs: &[Leg], venue: Venue<'_>, faults: &mut Vec<Fault>) {
    let needed = restoration_cost(legs, venue);
    let found = needed.and_then(|needed| needed.sub(valuation.cash.max(Money::ZERO)));
    match found.map(|f| f.max(Money::ZERO)) {
        Ok(found) => {
            if found != certificate.shortfall || certificate.restorable != found.is_zero() {
                faults.push(Fault::Shortfall { stated: certificate.shortfall, found });
            }
        }
        Err(overflow) => faults.push(Fault::Overflow(overflow)),
    }
}
