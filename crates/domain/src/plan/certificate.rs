//! Step 3 of a plan: the proof that it is sound, and the function that re-checks one.
//!
//! `certify` states figures; [`verify`] derives every claim again from the valuation and the legs alone, by multiplying and
//! comparing. It shares no code with the sizing and the funding, so a fault there is a fault found here.

use super::{Leg, Plan, Stages, Venue};
use crate::exact::{MILLION, basis_points, parts, times, too_wide};
use crate::order::{Capabilities, LegNumber, Side, Terms};
use crate::valuation::{Line, Valuation};
use crate::values::wide::Wide;
use crate::values::{Money, Overflow, Quantity, Rounding, Symbol, Value};

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
pub(super) fn certify(valuation: &Valuation, legs: &[Leg], venue: Venue<'_>) -> Result<Certificate, Overflow> {
    let lowest_cash = lowest_cash(valuation.cash, legs)?;
    let shortfall = shortfall_of(valuation.cash, legs, venue)?;
    Ok(Certificate { lowest_cash, restorable: shortfall.is_zero(), shortfall })
}

/// Re-checks a plan. `valuation` is one's own, of the same portfolio at the same prices: that of the plan must be the same.
///
/// No prefix of the execution order overspends or touches what is held back, and no order of legs that go together does;
/// nothing is sold that is not held; no symbol is on both sides; every leg is a multiple of its lot and worth the
/// broker's minimum, or leaves its holding completely; no leg passes its target; every residual is below one step plus
/// half a cent, or explained by a skip or by the shrink; the stated figures are true.
///
/// What it cannot know: whether the plan was asked for regardless of its band. So a plan without legs for a portfolio
/// inside its band is sound, however far that is from its targets.
///
/// # Errors
/// Every [`Fault`] found.
pub fn verify(plan: &Plan, valuation: &Valuation, venue: Venue<'_>) -> Result<(), Vec<Fault>> {
    let mut faults = Vec::new();
    for (place, leg) in plan.legs.iter().enumerate() {
        if LegNumber::new(place) != Some(leg.number) {
            faults.push(Fault::OutOfOrder { symbol: leg.terms.symbol });
        }
        check_leg(leg, valuation, venue.capabilities, &mut faults);
    }
    for (first, second) in plan.legs.iter().zip(plan.legs.iter().skip(1)) {
        if (first.terms.side, first.terms.symbol) >= (second.terms.side, second.terms.symbol) {
            faults.push(Fault::OutOfOrder { symbol: second.terms.symbol });
        }
    }
    let checks = [
        check_residuals(plan, valuation, venue.capabilities, &mut faults),
        check_cash(plan, valuation, venue.capabilities, &mut faults),
        check_figures(plan, valuation, venue, &mut faults),
    ];
    faults.extend(checks.into_iter().filter_map(Result::err).map(Fault::Overflow));
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
    /// Cash falls below what was there to spend, or below what is held back.
    #[error("cash may fall to {lowest}")]
    Overspent {
        /// The least cash.
        lowest: Money,
    },
    /// A stated figure is not the one found.
    #[error("the {figure} is {found}, not {stated}")]
    Figure {
        /// Which.
        figure: &'static str,
        /// As stated.
        stated: Money,
        /// As found.
        found: Money,
    },
    /// It was made from other holdings, prices or targets.
    #[error("it was made from another valuation")]
    OtherValuation,
    /// It says that cash covers a restoration and it does not, or the other way round.
    #[error("a restoration lacks {shortfall}: whether it is covered is stated otherwise")]
    Restorable {
        /// What is missing, as found.
        shortfall: Money,
    },
    /// It says that it is worth a batch, and has no legs.
    #[error("there is no leg to open a batch for")]
    NotWorthwhile,
    /// A figure passes its type's maximum.
    #[error(transparent)]
    Overflow(Overflow),
}

/// Walks the execution order, every cost paid at its bound.
fn lowest_cash<'a>(cash: Money, legs: impl IntoIterator<Item = &'a Leg>) -> Result<Money, Overflow> {
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

/// What `cash` lacks for taking every leg back: each leg costs once forward and once back, and a cent for each attempt
/// where fills are rounded.
fn shortfall_of(cash: Money, legs: &[Leg], venue: Venue<'_>) -> Result<Money, Overflow> {
    let mut cost = Money::ZERO;
    for leg in legs {
        cost = cost.add(leg.cost)?.add(leg.cost)?;
        if venue.capabilities.fills_rounded {
            cost = cost.add(Money::from_cents(i64::from(venue.attempts))?)?;
        }
    }
    Ok(cost.sub(cash.max(Money::ZERO))?.max(Money::ZERO))
}

fn check_leg(leg: &Leg, valuation: &Valuation, capabilities: &Capabilities, faults: &mut Vec<Fault>) {
    let Terms { symbol, side, quantity, reference, exit } = leg.terms;
    let mut wrong = |what| faults.push(Fault::Leg { symbol, what });
    if quantity.is_zero() {
        wrong("it trades nothing");
    }
    if !exit && !quantity.is_multiple_of(capabilities.lot_of(symbol)) {
        wrong("it is no multiple of the lot");
    }
    if !exit && leg.amount < capabilities.minimum_order.max(Money::CENT) {
        wrong("it is below the broker's minimum");
    }
    if !is_rounded(leg.amount, leg.terms.value()) {
        wrong("its amount is not price × quantity, rounded half-even");
    }
    if capabilities.costs.of(leg.terms.value()) != Ok(leg.cost) {
        wrong("its cost is not the declared one");
    }
    let Some(line) = valuation.line(symbol) else {
        return wrong("it is neither held nor a target");
    };
    if line.price != reference {
        wrong("its price is not the valued one");
    }
    let leaves = side == Side::Sell && line.target.is_zero() && quantity == line.quantity;
    if exit != leaves {
        wrong("whether it leaves its holding is stated otherwise");
    }
    if side == Side::Sell && leg.cost > leg.amount {
        wrong("it costs more than it brings");
    }
    if side == Side::Sell && leg.shrunk {
        wrong("a sale never shrinks for want of cash");
    }
    if side == Side::Sell && quantity > line.quantity {
        faults.push(Fault::Oversold { symbol, quantity, held: line.quantity });
    }
}

/// Whether `amount` is at most half a cent off, and even if it is just that.
fn is_rounded(amount: Money, value: Value) -> bool {
    let off = value.sub(amount.to_value()).map(Value::abs).and_then(twice);
    let cent = Money::CENT.to_value();
    let even = amount.cents().checked_rem(2) == Some(0);
    off.is_ok_and(|twice_off| twice_off < cent || (twice_off == cent && even))
}

fn twice(value: Value) -> Result<Value, Overflow> {
    value.add(value)
}

fn check_residuals(
    plan: &Plan,
    valuation: &Valuation,
    capabilities: &Capabilities,
    faults: &mut Vec<Fault>,
) -> Result<(), Overflow> {
    let nothing_was_to_be_done = plan.legs.is_empty() && !plan.assessment.is_out_of_band();
    for line in &valuation.lines {
        let symbol = line.symbol;
        let leg = plan.legs.iter().find(|leg| leg.terms.symbol == symbol);
        let skipped = plan.skipped.iter().any(|skip| skip.symbol == symbol);
        let missing = missing_after(line, leg, valuation.investable)?;
        if leg.is_some() && skipped {
            faults.push(Fault::Leg { symbol, what: "it is skipped, too" });
        }
        let passed = match leg.map(|leg| leg.terms.side) {
            Some(Side::Sell) => missing > Wide::ZERO,
            Some(Side::Buy) => missing < Wide::ZERO,
            None => false,
        };
        if passed {
            faults.push(Fault::Leg { symbol, what: "it passes its target" });
        }
        let explained = skipped || leg.is_some_and(|leg| leg.shrunk) || nothing_was_to_be_done;
        if !explained && !is_small(missing, line, capabilities)? {
            faults.push(Fault::Residual { symbol });
        }
    }
    Ok(())
}

/// `target × V − value after`, in millionths.
fn missing_after(line: &Line, leg: Option<&Leg>, investable: Value) -> Result<Wide, Overflow> {
    let after = match leg.map(|leg| leg.terms) {
        None => line.value,
        Some(terms) if terms.side == Side::Sell => line.value.sub(terms.value())?,
        Some(terms) => line.value.add(terms.value())?,
    };
    let goal = times(investable.wide(), parts(line.target))?;
    goal.checked_sub(times(after.wide(), MILLION)?).ok_or_else(|| too_wide("checking a residual"))
}

/// `|missing| < step × price + half a cent`; nothing at all where a holding is to be left.
fn is_small(missing: Wide, line: &Line, capabilities: &Capabilities) -> Result<bool, Overflow> {
    if line.target.is_zero() {
        return Ok(missing.is_zero());
    }
    let step = line.price.times(capabilities.lot_of(line.symbol).size());
    let allowed = twice(step)?.add(Money::CENT.to_value())?;
    Ok(times(missing.abs(), 2)? < times(allowed.wide(), MILLION)?)
}

/// Legs that go together may be filled in any order: at worst, every buy before the first sell. An open buy takes its
/// amount, its cost, and what the broker reserves on top.
fn check_cash(
    plan: &Plan,
    valuation: &Valuation,
    capabilities: &Capabilities,
    faults: &mut Vec<Fault>,
) -> Result<(), Overflow> {
    let mut lowest = valuation.cash;
    for leg in &plan.legs {
        lowest = match (leg.terms.side, plan.stages) {
            (Side::Sell, Stages::Together) => lowest,
            (Side::Sell, Stages::SellsFirst) => lowest.add(leg.amount)?.sub(leg.cost)?,
            (Side::Buy, _) => {
                let collar = basis_points(leg.terms.value(), capabilities.collar_bps, Rounding::Up)?;
                lowest.sub(leg.amount)?.sub(leg.cost)?.sub(collar.to_money(Rounding::Up)?)?
            }
        };
    }
    if lowest < valuation.cash.min(valuation.held_back) {
        faults.push(Fault::Overspent { lowest });
    }
    Ok(())
}

fn check_figures(
    plan: &Plan,
    valuation: &Valuation,
    venue: Venue<'_>,
    faults: &mut Vec<Fault>,
) -> Result<(), Overflow> {
    let Certificate { lowest_cash: lowest, restorable, shortfall } = plan.certificate;
    let found_shortfall = shortfall_of(valuation.cash, &plan.legs, venue)?;
    for (figure, stated, found) in [
        ("lowest cash", lowest, lowest_cash(valuation.cash, &plan.legs)?),
        ("shortfall of a restoration", shortfall, found_shortfall),
        ("turnover", plan.turnover, Money::sum(plan.legs.iter().map(|leg| leg.amount))?),
        ("cost", plan.cost, Money::sum(plan.legs.iter().map(|leg| leg.cost))?),
    ] {
        if stated != found {
            faults.push(Fault::Figure { figure, stated, found });
        }
    }
    if plan.valuation != *valuation {
        faults.push(Fault::OtherValuation);
    }
    if restorable != found_shortfall.is_zero() {
        faults.push(Fault::Restorable { shortfall: found_shortfall });
    }
    if plan.worthwhile && plan.legs.is_empty() {
        faults.push(Fault::NotWorthwhile);
    }
    Ok(())
}
