//! How far a valued portfolio is from its targets, and whether that is outside its band.
//!
//! Everything is decided by one exact comparison, without division. With `v` the value of a holding, or the cash beyond what
//! is held back, which may be below zero; `V` the investable value; and target `t` and bands counted in parts per million:
//!
//! ```text
//! distance = |v × 10⁶ − t × V|
//! out      ⇔ distance × 10⁶ > limit × V
//!
//! measure    limit
//! relative   band × t
//! absolute   band × 10⁶
//! hybrid     max(relative × t, absolute × 10⁶)
//! tighter    min(relative × t, absolute × 10⁶)
//! total      Σ distance > 2 × band × V          over all holdings and cash
//! ```
//!
//! To add a measure: a variant of [`Measure`], its row here ([`limit`]), its keys in the app's `portfolios/policy.rs`.
//! Which of many portfolios needs help first is in [`urgency`](mod@urgency); what to do about a breach in [`crate::plan`].

pub mod urgency;

use crate::allocation::Target;
use crate::exact::{MILLION, parts, percentage, times, too_wide, weight};
use crate::policy::{Band, Measure};
use crate::valuation::Valuation;
use crate::values::wide::Wide;
use crate::values::{Overflow, Percentage, Value};

/// What is out of band, and by how much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// The measure's name.
    pub measure: &'static str,
    /// The largest distance, without sign, rounded half-even: percent of the target for `relative`, percentage
    /// points otherwise; half the sum for `total`. `relative` and `tighter` leave out what has no target: such a holding is in
    /// `breaches` alone. For people; no decision reads it.
    pub drift: Percentage,
    /// Every holding that is out of band, cash first, then in symbol order.
    pub breaches: Vec<Breach>,
    /// True if the sum of all distances is out of band (measure `total`).
    pub total_breached: bool,
}

impl Assessment {
    /// True if the portfolio must be brought back.
    #[must_use]
    pub const fn is_out_of_band(&self) -> bool {
        self.total_breached || !self.breaches.is_empty()
    }

    /// True if `target` itself is out of band.
    #[must_use]
    pub fn breached(&self, target: Target) -> bool {
        self.breaches.iter().any(|breach| breach.target == target)
    }
}

/// One holding that is out of band.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Breach {
    /// Which.
    pub target: Target,
    /// Its weight now, rounded half-even.
    pub weight: Percentage,
    /// The weight it should have.
    pub goal: Percentage,
    /// True for a holding without a target.
    pub untargeted: bool,
}

/// Measures every distance and lists what is out of band.
///
/// # Errors
/// [`Overflow`] if a figure for people passes its type's maximum.
pub fn assess(valuation: &Valuation, measure: &Measure) -> Result<Assessment, Overflow> {
    let mut breaches = Vec::with_capacity(valuation.lines.len());
    let mut farthest = Farthest::default();
    for point in points(valuation) {
        let distance = point.distance(valuation.investable)?;
        farthest.see(&point, distance, measure)?;
        if point.is_out(distance, valuation.investable, measure)? {
            breaches.push(Breach {
                target: point.target,
                weight: weight(point.value, valuation.investable)?,
                goal: point.goal,
                untargeted: point.is_untargeted(),
            });
        }
    }
    let total_breached = is_total_out(valuation, measure)?;
    Ok(Assessment { measure: measure.name(), drift: farthest.drift(valuation, measure)?, breaches, total_breached })
}

/// The [drift](Assessment::drift) alone. Only the largest is divided out.
///
/// # Errors
/// [`Overflow`] if it passes its type's maximum.
pub fn drift(valuation: &Valuation, measure: &Measure) -> Result<Percentage, Overflow> {
    let mut farthest = Farthest::default();
    for point in points(valuation) {
        farthest.see(&point, point.distance(valuation.investable)?, measure)?;
    }
    farthest.drift(valuation, measure)
}

/// The largest distance so far, in proportion to the target where the measure says so.
struct Farthest {
    distance: Wide,
    of: u64,
}

impl Default for Farthest {
    fn default() -> Self {
        Self { distance: Wide::ZERO, of: 1 }
    }
}

impl Farthest {
    fn see(&mut self, point: &Point, distance: Wide, measure: &Measure) -> Result<(), Overflow> {
        let is_targeted = point.goal != Percentage::ZERO;
        let of = match measure {
            Measure::Relative { .. } if is_targeted => parts(point.goal),
            // What has no target has no proportion to it. `tighter` leaves it out as well: it is a breach, whatever it weighs.
            Measure::Relative { .. } => return Ok(()),
            Measure::Tighter { .. } if !is_targeted => return Ok(()),
            Measure::Absolute { .. } | Measure::Hybrid { .. } | Measure::Tighter { .. } | Measure::Total { .. } => 1,
        };
        let is_farther = if of == self.of {
            distance > self.distance
        } else {
            times(distance, self.of)? > times(self.distance, of)?
        };
        if is_farther {
            *self = Self { distance, of };
        }
        Ok(())
    }

    /// Divided out.
    fn drift(&self, valuation: &Valuation, measure: &Measure) -> Result<Percentage, Overflow> {
        let whole = valuation.investable.wide();
        match measure {
            Measure::Total { .. } => percentage(sum_of_distances(valuation)?, times(whole, 2)?),
            Measure::Relative { .. } => percentage(times(self.distance, MILLION)?, times(whole, self.of)?),
            Measure::Absolute { .. } | Measure::Hybrid { .. } | Measure::Tighter { .. } => {
                percentage(self.distance, whole)
            }
        }
    }
}

/// Whether anything is out of band: the decision alone, without a figure for people. The hot path.
///
/// # Errors
/// [`Overflow`] if an exact product passes 256 bits, which no legal portfolio reaches.
pub fn is_out_of_band(valuation: &Valuation, measure: &Measure) -> Result<bool, Overflow> {
    for point in points(valuation) {
        let distance = point.distance(valuation.investable)?;
        if point.is_out(distance, valuation.investable, measure)? {
            return Ok(true);
        }
    }
    is_total_out(valuation, measure)
}

/// A value of at most 106 bits, which leaves room for a factor of 20.
#[inline]
fn narrow(value: Value) -> Option<i128> {
    value.wide().to_i128().filter(|value| value.unsigned_abs() >> 106 == 0)
}

/// A holding, or cash, with what it is worth and what it should be.
struct Point {
    target: Target,
    value: Value,
    goal: Percentage,
}

/// Cash first, then every line. Cash counts with what it exceeds buffer and reserve by.
fn points(valuation: &Valuation) -> impl Iterator<Item = Point> {
    let free = valuation.cash.to_value().sub(valuation.held_back.to_value()).unwrap_or(Value::ZERO);
    let cash = Point { target: Target::Cash, value: free, goal: valuation.cash_target };
    let lines = valuation.lines.iter();
    std::iter::once(cash).chain(lines.map(|l| Point {
        target: Target::Symbol(l.symbol),
        value: l.value,
        goal: l.target,
    }))
}

impl Point {
    /// `|v × 10⁶ − t × V|`.
    #[inline]
    fn distance(&self, investable: Value) -> Result<Wide, Overflow> {
        let share = parts(self.goal);
        // As nearly always: below eighty million million of any currency, both products have less than 127 bits.
        if let (Some(value), Some(whole), ..=MILLION) = (narrow(self.value), narrow(investable), share) {
            let (is, goal) = (value.wrapping_mul(i128::from(MILLION)), whole.wrapping_mul(i128::from(share)));
            return Ok(Wide::from_u128(is.abs_diff(goal)));
        }
        let is = times(self.value.wide(), MILLION)?;
        let goal = times(investable.wide(), share)?;
        is.checked_sub(goal).and_then(Wide::checked_abs).ok_or_else(comparing)
    }

    fn is_untargeted(&self) -> bool {
        self.goal == Percentage::ZERO && self.target != Target::Cash && !self.value.is_zero()
    }

    fn is_out(&self, distance: Wide, investable: Value, measure: &Measure) -> Result<bool, Overflow> {
        if self.is_untargeted() {
            return Ok(true);
        }
        match limit(measure, self.target, self.goal) {
            None => Ok(false),
            Some(limit) => Ok(times(distance, MILLION)? > times(investable.wide(), limit)?),
        }
    }
}

/// The right-hand side of the comparison for `target` with the weight `goal`: how far it may be off, in millionths of a
/// millionth of the investable value. `None` where a measure has no limit per holding, or leaves this one out.
#[must_use]
pub fn limit(measure: &Measure, target: Target, goal: Percentage) -> Option<u64> {
    let cash_without_target = target == Target::Cash && goal == Percentage::ZERO;
    let goal = parts(goal);
    let of_target = |band: &Band| parts(band.width()).saturating_mul(goal);
    let of_value = |band: &Band| parts(band.width()).saturating_mul(MILLION);
    match measure {
        // A band that is a share of the target is 0 at target 0: cash that nobody asked for would always be out.
        Measure::Relative { .. } | Measure::Tighter { .. } if cash_without_target => None,
        Measure::Relative { band } => Some(of_target(band)),
        Measure::Absolute { band } => Some(of_value(band)),
        Measure::Hybrid { relative, absolute } => Some(of_target(relative).max(of_value(absolute))),
        Measure::Tighter { relative, absolute } => Some(of_target(relative).min(of_value(absolute))),
        Measure::Total { .. } => None,
    }
}

/// Whether the sum of all distances is out of band, where the measure has a band for it.
fn is_total_out(valuation: &Valuation, measure: &Measure) -> Result<bool, Overflow> {
    match measure {
        Measure::Total { band } => {
            Ok(sum_of_distances(valuation)?
                > times(valuation.investable.wide(), parts(band.width()).saturating_mul(2))?)
        }
        Measure::Relative { .. } | Measure::Absolute { .. } | Measure::Hybrid { .. } | Measure::Tighter { .. } => {
            Ok(false)
        }
    }
}

fn sum_of_distances(valuation: &Valuation) -> Result<Wide, Overflow> {
    points(valuation)
        .try_fold(Wide::ZERO, |sum, point| sum.checked_add(point.distance(valuation.investable)?).ok_or_else(comparing))
}

fn comparing() -> Overflow {
    too_wide("comparing shares of a portfolio's value")
}

#[cfg(test)]
mod tests;
