//! Which of many portfolios needs help first: an order over portfolios that are out of band, exact like the decision.
//!
//! The urgency of a holding is its distance from the target divided by its band; that of a portfolio is the largest of
//! its holdings, under `total` the sum of distances by twice the band. A band of 0, and a holding without a target, are infinitely urgent.
//! Where two are equally urgent, the one whose most urgent holding has the larger weight goes first; under `total` that is the farthest holding, of several the
//! largest. Nothing is rounded.

use super::{Farthest, Number, Point, exactly, farthest, is_total_out, limit, points, sum_of_distances};
use crate::exact::{MILLION, parts, percentage, times};
use crate::policy::Measure;
use crate::valuation::Valuation;
use crate::values::wide::Wide;
use crate::values::{Overflow, Percentage, Rounding, Value};
use std::cmp::Ordering;

/// How urgent it is to bring a portfolio back. What is more urgent is greater.
#[derive(Debug, Clone, Copy)]
pub struct Urgency {
    /// Nearly always tells two apart: distance by band, as [`Wide::rough_quotient`] has it, or more where that is infinite.
    rough: u64,
    /// Of the most urgent holding, with `band` as [`limit`] has it: `distance × 10⁶ / (band × whole)` is distance by band.
    distance: Wide,
    band: u64,
    /// What that holding is worth.
    value: Wide,
    /// The investable value.
    whole: Wide,
}

impl Urgency {
    /// The urgency of a portfolio; `None` if it is in its band.
    ///
    /// # Errors
    /// [`Overflow`] if an exact product passes 256 bits, which no legal portfolio reaches.
    pub fn of(valuation: &Valuation, measure: &Measure) -> Result<Option<Self>, Overflow> {
        most(valuation, measure)?.urgency(valuation, measure)
    }

    /// The same with the [drift](super::drift()) beside it, which most measures find on the way: what a market that crashes asks of everybody. The drift
    /// is [`Percentage::MAX`] where it would pass that.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub fn with_drift(valuation: &Valuation, measure: &Measure) -> Result<Option<(Self, Percentage)>, Overflow> {
        let most = most(valuation, measure)?;
        let Some(urgency) = most.urgency(valuation, measure)? else { return Ok(None) };
        let farthest = most.farthest(measure).map_or_else(|| farthest(valuation, measure), Ok)?;
        let (part, whole) = farthest.share(valuation, measure)?;
        Ok(Some((urgency, percentage(part, whole).unwrap_or(Percentage::MAX))))
    }

    /// The urgency in percent of the band, of which 100 is the edge: for people, rounded half-even, so whoever is hardly out reads 100.0000 too.
    /// `None` if it [is infinite](Self::is_infinite); [`Percentage::MAX`] where it would pass that.
    ///
    /// To sort, compare urgencies themselves: these figures may be the same where those are not, and `None` is what comes first.
    #[must_use]
    pub fn percent_of_band(&self) -> Option<Percentage> {
        if self.is_infinite() {
            return None;
        }
        let Ratio { part, whole } = self.of_band();
        Some(times(part, MILLION).and_then(|part| percentage(part, whole)).unwrap_or(Percentage::MAX))
    }

    /// True if it counts as out by infinitely many bands, however small the distance: the band is 0, or the holding has no target.
    #[must_use]
    pub const fn is_infinite(&self) -> bool {
        self.band == 0 || self.whole.is_zero()
    }
}

impl Urgency {
    fn new(distance: Wide, band: u64, value: Wide, whole: Wide) -> Result<Self, Overflow> {
        let Ratio { part, whole: bands } = by_band(distance, band, whole)?;
        Ok(Self { rough: part.rough_quotient(bands).unwrap_or(u64::MAX), distance, band, value, whole })
    }

    /// As it was made. Infinite where the band is 0.
    fn of_band(&self) -> Ratio {
        by_band(self.distance, self.band, self.whole).unwrap_or(Ratio { part: self.distance, whole: Wide::ZERO })
    }

    const fn weight(&self) -> Ratio {
        Ratio { part: self.value, whole: self.whole }
    }
}

/// Distance by band, both less by a million where the band has one.
fn by_band(distance: Wide, band: u64, whole: Wide) -> Result<Ratio, Overflow> {
    let (part, band) =
        if band.is_multiple_of(MILLION) { (distance, band / MILLION) } else { (times(distance, MILLION)?, band) };
    Ok(Ratio { part, whole: times(whole, band)? })
}

impl Ord for Urgency {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.rough.abs_diff(other.rough) >= Wide::ROUGH_BY {
            return self.rough.cmp(&other.rough);
        }
        self.of_band().cmp(&other.of_band()).then_with(|| self.weight().cmp(&other.weight()))
    }
}

impl PartialOrd for Urgency {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Urgency {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Urgency {}

fn most(valuation: &Valuation, measure: &Measure) -> Result<Most<Wide>, Overflow> {
    exactly(most_in::<i128>(valuation, measure), || most_in::<Wide>(valuation, measure))
}

fn most_in<N: Number>(valuation: &Valuation, measure: &Measure) -> Option<Most<Wide>> {
    let whole = N::of(valuation.investable)?;
    let mut most = Most(None);
    for point in points(valuation) {
        most.see(&point, point.distance::<N>(whole)?, whole, measure);
    }
    Some(most.wide())
}

/// The most urgent holding so far of those that are out of band.
struct Most<N>(Option<Far<N>>);

impl<N: Number> Most<N> {
    #[inline]
    fn see(&mut self, point: &Point, distance: N, whole: N, measure: &Measure) {
        let far = Far { distance, band: band(point, measure), value: point.value, goal: point.goal };
        let would_be_most = self.0.is_none_or(|most| far.by_need(most).is_ge());
        if would_be_most && point.is_out(distance, whole, measure) {
            self.0 = Some(far);
        }
    }

    fn wide(self) -> Most<Wide> {
        let wide = |Far { distance, band, value, goal }: Far<N>| Far { distance: distance.wide(), band, value, goal };
        Most(self.0.map(wide))
    }
}

impl Most<Wide> {
    /// The farthest, where the measure has one band for all: the most urgent. Nothing where that says nothing of the others: it must not be there, or
    /// its band is beyond what is counted.
    fn farthest(&self, measure: &Measure) -> Option<Farthest<Wide>> {
        let Far { distance, goal, .. } = self.0.filter(|far| (1..u64::MAX).contains(&far.band))?;
        let of = match measure {
            Measure::Relative { .. } => parts(goal),
            Measure::Absolute { .. } => 1,
            Measure::Hybrid { .. } | Measure::Tighter { .. } | Measure::Total { .. } => return None,
        };
        Some(Farthest { distance, of })
    }

    /// The urgency of the portfolio, of which every holding was seen.
    fn urgency(&self, valuation: &Valuation, measure: &Measure) -> Result<Option<Urgency>, Overflow> {
        let whole = valuation.investable.wide();
        if let Some(Far { distance, band, value, .. }) = self.0 {
            return Urgency::new(distance, band, value.wide(), whole).map(Some);
        }
        let Measure::Total { band } = measure else { return Ok(None) };
        if !is_total_out(valuation, measure)? {
            return Ok(None);
        }
        let farthest = points(valuation).filter_map(|point| Some((point.distance(whole)?, point.value.wide()))).max();
        let value = farthest.map_or(Wide::ZERO, |(_, value)| value);
        let band = parts(band.width()).saturating_mul(2).saturating_mul(MILLION);
        Urgency::new(sum_of_distances(valuation)?, band, value, whole).map(Some)
    }
}

/// How far a holding is, in the terms of [`limit`], what it is worth, and its target.
#[derive(Clone, Copy)]
struct Far<N> {
    distance: N,
    band: u64,
    value: Value,
    goal: Percentage,
}

impl<N: Number> Far<N> {
    /// The order of need within one portfolio: both are shares of one whole.
    fn by_need(self, other: Self) -> Ordering {
        let by_need = match (self.band, other.band) {
            (0, 0) => Ordering::Equal,
            (0, _) => Ordering::Greater,
            (_, 0) => Ordering::Less,
            (band, other_band) if band == other_band => self.distance.cmp(&other.distance),
            (band, other_band) => self.distance.cmp_times(other_band, other.distance, band),
        };
        by_need.then_with(|| self.value.cmp(&other.value))
    }
}

/// As [`limit`]; 0 for a holding that must not be there.
#[inline]
fn band(point: &Point, measure: &Measure) -> u64 {
    if point.is_untargeted() { 0 } else { limit(measure, point.target, point.goal).unwrap_or(0) }
}

/// A part of a whole that is not below zero. With a whole of 0 it is infinite, whatever the part.
#[derive(Debug, Clone, Copy)]
struct Ratio {
    part: Wide,
    whole: Wide,
}

impl Ord for Ratio {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.whole.is_zero(), other.whole.is_zero()) {
            (true, true) => return Ordering::Equal,
            (true, false) => return Ordering::Greater,
            (false, true) => return Ordering::Less,
            (false, false) => {}
        }
        match (self.part.checked_mul(other.whole), other.part.checked_mul(self.whole)) {
            (Some(left), Some(right)) => left.cmp(&right),
            _ => by_quotients(*self, *other),
        }
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ratio {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ratio {}

/// Compares what is too large to be multiplied crosswise: whole quotients first, then what is left over, upside down.
fn by_quotients(left: Ratio, right: Ratio) -> Ordering {
    match (left.part.is_negative(), right.part.is_negative()) {
        (false, true) => return Ordering::Greater,
        (true, false) => return Ordering::Less,
        (true, true) => {
            let positive = |ratio: Ratio| Ratio { part: ratio.part.negate(), ..ratio };
            return by_quotients(positive(right), positive(left));
        }
        (false, false) => {}
    }
    let ((left_times, left_rest), (right_times, right_rest)) = (divided(left), divided(right));
    match left_times.cmp(&right_times) {
        Ordering::Equal => {}
        unequal @ (Ordering::Less | Ordering::Greater) => return unequal,
    }
    match (left_rest.is_zero(), right_rest.is_zero()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => {
            by_quotients(Ratio { part: right.whole, whole: right_rest }, Ratio { part: left.whole, whole: left_rest })
        }
    }
}

/// The whole quotient and the rest. The whole is never zero here, and no step leaves the range.
fn divided(ratio: Ratio) -> (Wide, Wide) {
    let times = ratio.part.div_round(ratio.whole, Rounding::Down).unwrap_or(Wide::ZERO);
    let taken = times.checked_mul(ratio.whole).unwrap_or(Wide::ZERO);
    (times, ratio.part.checked_sub(taken).unwrap_or(Wide::ZERO))
}

#[cfg(test)]
mod tests;
