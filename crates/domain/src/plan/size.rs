//! Step 1 of a plan: how many units each symbol should lose or gain. This is where a leg's quantity is rounded.
//!
//! ```text
//! wanted = |target × investable value − value| / price      exact, then
//! units  = wanted, truncated to 9 decimals or to the lot     so a leg never overshoots its target
//! ```
//!
//! Leaving a holding sells exactly all of it, whatever its lot or worth. Legs below the minimum are skipped.

use super::fund::{self, Bought, Buy, Funding};
use super::{Leg, PlanError, Sized, Skip, SkipReason, Stages};
use crate::exact::{MILLION, parts, times, too_wide};
use crate::order::{Capabilities, LegNumber, Side, Terms};
use crate::valuation::{Line, Valuation};
use crate::values::wide::Wide;
use crate::values::{Money, Overflow, Quantity, QuantityError, Rounding, Symbol, Value};

/// Sizes every leg, then funds the buys. Symbols that `is_left_out` names are not traded.
pub(super) fn size(
    valuation: &Valuation,
    minimum: Money,
    capabilities: &Capabilities,
    is_left_out: impl Fn(Symbol) -> bool,
) -> Result<Sized, PlanError> {
    let mut skipped = Vec::new();
    let lines = valuation.lines.len();
    let (mut sells, mut buys) = (Vec::with_capacity(lines), Vec::with_capacity(lines));
    for line in valuation.lines.iter().filter(|line| !is_left_out(line.symbol)) {
        let Some(terms) = wanted(line, valuation.investable, capabilities)? else { continue };
        if terms.quantity.is_zero() {
            let lot = capabilities.lot_of(line.symbol).size();
            skipped.push(Skip { symbol: line.symbol, reason: SkipReason::BelowLot { lot } });
            continue;
        }
        let amount = terms.value().to_money(Rounding::HalfEven)?;
        let cost = capabilities.costs.of(terms.value())?;
        match skip_reason(&terms, amount, cost, minimum) {
            Some(reason) => skipped.push(Skip { symbol: line.symbol, reason }),
            None if terms.side == Side::Sell => sells.push((terms, amount, cost)),
            None => buys.push(Buy { terms, lot: capabilities.lot_of(terms.symbol) }),
        }
    }

    let free = valuation.free_cash()?;
    let proceeds = proceeds(&sells)?;
    let funded = fund::fund(
        &buys,
        Funding {
            available: free.add(proceeds)?,
            costs: capabilities.costs,
            collar_bps: capabilities.collar_bps,
            minimum,
        },
    )?;
    skipped.extend(funded.dropped.into_iter().map(|(symbol, reason)| Skip { symbol, reason }));
    let stages = if funded.taken <= free.max(Money::ZERO) { Stages::Together } else { Stages::SellsFirst };

    let sells = sells.into_iter().map(|(terms, amount, cost)| Bought { terms, amount, cost, shrunk: false });
    Ok(Sized { legs: number(sells.chain(funded.bought), capabilities)?, skipped, stages })
}

fn proceeds(sells: &[(Terms, Money, Money)]) -> Result<Money, Overflow> {
    sells.iter().try_fold(Money::ZERO, |sum, (_, amount, cost)| sum.add(*amount)?.sub(*cost))
}

fn number(trades: impl Iterator<Item = Bought>, capabilities: &Capabilities) -> Result<Vec<Leg>, PlanError> {
    // Both parts know how many they are.
    let count = trades.size_hint().0;
    let mut legs = Vec::with_capacity(count);
    for (place, Bought { terms, amount, cost, shrunk }) in trades.enumerate() {
        let number = LegNumber::new(place).ok_or(PlanError::TooManyLegs { legs: count })?;
        legs.push(Leg { number, terms, lot: capabilities.lot_of(terms.symbol), amount, cost, shrunk });
    }
    Ok(legs)
}

/// What brings `line` to its target: `None` if it is there to the last unit. The quantity may be below one lot, so zero.
fn wanted(line: &Line, investable: Value, capabilities: &Capabilities) -> Result<Option<Terms>, PlanError> {
    let exit = line.target.is_zero() && !line.quantity.is_zero();
    if exit {
        let (symbol, quantity, reference) = (line.symbol, line.quantity, line.price);
        return Ok(Some(Terms { symbol, side: Side::Sell, quantity, reference, exit: true }));
    }
    let sizing = || too_wide("sizing a leg");
    // Both sides in millionths of a value: target × V − 10⁶ × v.
    let goal = times(investable.wide(), parts(line.target))?;
    let missing = goal.checked_sub(times(line.value.wide(), MILLION)?).ok_or_else(sizing)?;
    let side = if missing.is_negative() { Side::Sell } else { Side::Buy };
    let per_unit = Wide::product(MILLION, u128::from(line.price.nanos()));
    let distance = missing.checked_abs().ok_or_else(sizing)?;
    if distance < per_unit {
        return Ok(None);
    }
    let overflow = |cause| PlanError::Quantity { symbol: line.symbol, price: line.price, cause };
    let nanos = distance.div_round(per_unit, Rounding::Down).and_then(Wide::to_u128).unwrap_or(u128::MAX);
    let exact = Quantity::from_nanos(nanos).map_err(|e| overflow(QuantityError::Overflow(e)))?;
    // A sale of part of a holding can round to no more than is held, since its target is above zero.
    let quantity = exact.floor_to(capabilities.lot_of(line.symbol));
    let quantity = if side == Side::Sell { quantity.min(line.quantity) } else { quantity };
    Ok(Some(Terms { symbol: line.symbol, side, quantity, reference: line.price, exit: false }))
}

fn skip_reason(terms: &Terms, amount: Money, cost: Money, minimum: Money) -> Option<SkipReason> {
    if amount < minimum && !terms.exit {
        return Some(SkipReason::BelowMinimum { amount, minimum });
    }
    // An exit for nothing is still an exit; but no sale may need cash that is not there.
    if terms.side == Side::Sell && cost > amount {
        return Some(SkipReason::CostsMoreThanItBrings { amount, cost });
    }
    None
}
