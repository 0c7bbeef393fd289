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

mod number;
pub mod urgency;

use crate::allocation::Target;
use crate::exact::{MILLION, parts, percentage, times, too_wide, weight};
use crate::policy::{Band, Measure};
use crate::valuation::Valuation;
use crate::values::wide::Wide;
use crate::values::{Overflow, Percentage, Value};
use number::{Number, exactly};

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
    let out = exactly(out_in::<i128>(valuation, measure), || out_in::<Wide>(valuation, measure));
    let Out { farthest, breaches } = out??;
    let total_breached = is_total_out(valuation, measure)?;
    Ok(Assessment { measure: measure.name(), drift: farthest.drift(valuation, measure)?, breaches, total_breached })
}

/// How far the farthest is, and whatever is out of band by itself.
struct Out {
    farthest: Farthest<Wide>,
    breaches: Vec<Breach>,
}

fn out_in<N: Number>(valuation: &Valuation, measure: &Measure) -> Option<Result<Out, Overflow>> {
    let whole = N::of(valuation.investable)?;
    let (mut farthest, mut breaches) = (Farthest::NONE, Vec::with_capacity(valuation.lines.len()));
    for point in points(valuation) {
        let distance: N = point.distance(whole)?;
        farthest.see(&point, distance, measure);
        if point.is_out(distance, whole, measure) {
            match point.breach(valuation.investable) {
                Ok(breach) => breaches.push(breach),
                Err(error) => return Some(Err(error)),
            }
        }
    }
    Some(Ok(Out { farthest: farthest.wide(), breaches }))
}

/// The [drift](Assessment::drift) alone. Only the largest is divided out.
///
/// # Errors
/// [`Overflow`] if it passes its type's maximum.
pub fn drift(valuation: &Valuation, measure: &Measure) -> Result<Percentage, Overflow> {
    farthest(valuation, measure)?.drift(valuation, measure)
}

fn farthest(valuation: &Valuation, measure: &Measure) -> Result<Farthest<Wide>, Overflow> {
    exactly(farthest_in::<i128>(valuation, measure), || farthest_in::<Wide>(valuation, measure))
}

fn farthest_in<N: Number>(valuation: &Valuation, measure: &Measure) -> Option<Farthest<Wide>> {
    let whole = N::of(valuation.investable)?;
    let mut farthest = Farthest::NONE;
    for point in points(valuation) {
        farthest.see(&point, point.distance::<N>(whole)?, measure);
    }
    Some(farthest.wide())
}

/// The largest distance so far, in proportion to the target where the measure says so.
struct Farthest<N> {
    distance: N,
    of: u64,
}

impl<N: Number> Farthest<N> {
    const NONE: Self = Self { distance: N::ZERO, of: 1 };

    fn see(&mut self, point: &Point, distance: N, measure: &Measure) {
        let is_targeted = point.goal != Percentage::ZERO;
        let of = match measure {
            Measure::Relative { .. } if is_targeted => parts(point.goal),
            // What has no target has no proportion to it. `tighter` leaves it out as well: it is a breach, whatever it weighs.
            Measure::Relative { .. } => return,
            Measure::Tighter { .. } if !is_targeted => return,
            Measure::Absolute { .. } | Measure::Hybrid { .. } | Measure::Tighter { .. } | Measure::Total { .. } => 1,
        };
        let is_farther = if of == self.of {
            distance > self.distance
        } else {
            distance.cmp_times(self.of, self.distance, of).is_gt()
        };
        if is_farther {
            *self = Self { distance, of };
        }
    }

    fn wide(self) -> Farthest<Wide> {
        Farthest { distance: self.distance.wide(), of: self.of }
    }
}

impl Farthest<Wide> {
    /// As a share: a part, a million times too large, and the whole.
    fn share(&self, valuation: &Valuation, measure: &Measure) -> Result<(Wide, Wide), Overflow> {
        let whole = valuation.investable.wide();
        Ok(match measure {
            Measure::Total { .. } => (sum_of_distances(valuation)?, times(whole, 2)?),
            Measure::Relative { .. } => (times(self.distance, MILLION)?, times(whole, self.of)?),
            Measure::Absolute { .. } | Measure::Hybrid { .. } | Measure::Tighter { .. } => (self.distance, whole),
        })
    }

    /// Divided out.
    fn drift(&self, valuation: &Valuation, measure: &Measure) -> Result<Percentage, Overflow> {
        let (part, whole) = self.share(valuation, measure)?;
        percentage(part, whole)
    }
}

/// Whether anything is out of band: the decision alone, without a figure for people. The hot path.
///
/// # Errors
/// [`Overflow`] if an exact product passes 256 bits, which no legal portfolio reaches.
pub fn is_out_of_band(valuation: &Valuation, measure: &Measure) -> Result<bool, Overflow> {
    let is_any_out = exactly(is_any_out_in::<i128>(valuation, measure), || is_any_out_in::<Wide>(valuation, measure))?;
    Ok(is_any_out || is_total_out(valuation, measure)?)
}

fn is_any_out_in<N: Number>(valuation: &Valuation, measure: &Measure) -> Option<bool> {
    let whole = N::of(valuation.investable)?;
    for point in points(valuation) {
        if point.is_out(point.distance::<N>(whole)?, whole, measure) {
            return Some(true);
        }
    }
    Some(false)
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
    fn distance<N: Number>(&self, whole: N) -> Option<N> {
        N::distance(N::of(self.value)?, parts(self.goal), whole)
    }

    fn breach(&self, investable: Value) -> Result<Breach, Overflow> {
        let Self { target, value, goal } = *self;
        Ok(Breach { target, weight: weight(value, investable)?, goal, untargeted: self.is_untargeted() })
    }

    #[inline]
    fn is_untargeted(&self) -> bool {
        self.goal == Percentage::ZERO && matches!(self.target, Target::Symbol(_)) && !self.value.is_zero()
    }

    #[inline]
    fn is_out<N: Number>(&self, distance: N, whole: N, measure: &Measure) -> bool {
        let limit = limit(measure, self.target, self.goal);
        self.is_untargeted() || limit.is_some_and(|limit| distance.cmp_times(MILLION, whole, limit).is_gt())
    }
}

/// The right-hand side of the comparison for `target` with the weight `goal`: how far it may be off, in millionths of a
/// millionth of the investable value. `None` where a measure has no limit per holding, or leaves this one out.
#[must_use]
#[inline]
pub fn limit(measure: &Measure, target: Target, goal: Percentage) -> Option<u64> {
    let cash_without_target = matches!(target, Target::Cash) && goal == Percentage::ZERO;
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
    let whole = valuation.investable.wide();
    let sum = points(valuation).try_fold(Wide::ZERO, |sum, point| sum.checked_add(point.distance(whole)?));
    sum.ok_or_else(comparing)
}

fn comparing() -> Overflow {
    too_wide("comparing shares of a portfolio's value")
}

#[cfg(test)]
mod tests;
