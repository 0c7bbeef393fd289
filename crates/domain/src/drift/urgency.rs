//! Which of many portfolios needs help first: an order over portfolios that are out of band, exact like the decision.
//!
//! The urgency of a holding is its distance from the target divided by its band; that of a portfolio is the largest of
//! its holdings, under `total` the sum of distances by twice the band. A band of 0, and a holding without a target, are infinitely urgent.
//! Where two are equally urgent, the holding with the larger weight goes first. Nothing is rounded.

use super::{Farthest, Point, is_total_out, limit, points, sum_of_distances};
use crate::exact::{MILLION, parts, percentage, times};
use crate::policy::Measure;
use crate::valuation::Valuation;
use crate::values::wide::Wide;
use crate::values::{Overflow, Percentage, Rounding, Value};
use std::cmp::Ordering;

/// How urgent it is to bring a portfolio back. What is more urgent is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Urgency {
    /// Distance by band, of the most urgent holding.
    of_band: Ratio,
    /// The weight of that holding.
    weight: Ratio,
}

impl Urgency {
    /// The urgency of a portfolio; `None` if it is in its band.
    ///
    /// # Errors
    /// [`Overflow`] if an exact product passes 256 bits, which no legal portfolio reaches.
    pub fn of(valuation: &Valuation, measure: &Measure) -> Result<Option<Self>, Overflow> {
        let mut most = Most::default();
        for point in points(valuation) {
            most.see(&point, point.distance(valuation.investable)?, valuation.investable, measure)?;
        }
        most.urgency(valuation, measure)
    }

    /// The same with the [drift](super::drift()) beside it, going over the holdings once: what a market that crashes asks of everybody. The drift is
    /// [`Percentage::MAX`] where it would pass that.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub fn with_drift(valuation: &Valuation, measure: &Measure) -> Result<Option<(Self, Percentage)>, Overflow> {
        let (mut most, mut farthest) = (Most::default(), Farthest::default());
        for point in points(valuation) {
            let distance = point.distance(valuation.investable)?;
            farthest.see(&point, distance, measure)?;
            most.see(&point, distance, valuation.investable, measure)?;
        }
        let drift = || farthest.drift(valuation, measure).unwrap_or(Percentage::MAX);
        Ok(most.urgency(valuation, measure)?.map(|urgency| (urgency, drift())))
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
        let Ratio { part, whole } = self.of_band;
        Some(times(part, MILLION).and_then(|part| percentage(part, whole)).unwrap_or(Percentage::MAX))
    }

    /// True if it counts as out by infinitely many bands, however small the distance: the band is 0, or the holding has no target.
    #[must_use]
    pub const fn is_infinite(&self) -> bool {
        self.of_band.whole.is_zero()
    }
}

/// The most urgent holding so far of those that are out of band.
#[derive(Default)]
struct Most(Option<Far>);

impl Most {
    fn see(&mut self, point: &Point, distance: Wide, investable: Value, measure: &Measure) -> Result<(), Overflow> {
        let far = Far { distance, band: band(point, measure), value: point.value.wide() };
        let would_be_most = self.0.is_none_or(|most| far.by_need(most).is_ge());
        if would_be_most && point.is_out(distance, investable, measure)? {
            self.0 = Some(far);
        }
        Ok(())
    }

    /// The urgency of the portfolio, of which every holding was seen.
    fn urgency(self, valuation: &Valuation, measure: &Measure) -> Result<Option<Urgency>, Overflow> {
        let whole = valuation.investable.wide();
        let urgency = |part: Wide, bands: u64, value: Wide| {
            let of_band = Ratio { part, whole: times(whole, bands)? };
            Ok(Some(Urgency { of_band, weight: Ratio { part: value, whole } }))
        };
        if let Some(Far { distance, band, value }) = self.0 {
            return urgency(times(distance, MILLION)?, band, value);
        }
        let Measure::Total { band } = measure else { return Ok(None) };
        if !is_total_out(valuation, measure)? {
            return Ok(None);
        }
        let mut farthest = (Wide::ZERO, Wide::ZERO);
        for point in points(valuation) {
            farthest = farthest.max((point.distance(valuation.investable)?, point.value.wide()));
        }
        urgency(sum_of_distances(valuation)?, parts(band.width()).saturating_mul(2), farthest.1)
    }
}

/// How far a holding is, in the terms of [`limit`], and what it is worth.
#[derive(Clone, Copy)]
struct Far {
    distance: Wide,
    band: u64,
    value: Wide,
}

impl Far {
    /// The order of need within one portfolio: both are shares of one whole.
    fn by_need(self, other: Self) -> Ordering {
        // No distance has more than 200 bits, and no band more than 50.
        let times = |distance: Wide, band: u64| distance.checked_mul_u64(band).unwrap_or(Wide::MAX);
        let by_need = match (self.band, other.band) {
            (0, 0) => Ordering::Equal,
            (0, _) => Ordering::Greater,
            (_, 0) => Ordering::Less,
            (band, other_band) if band == other_band => self.distance.cmp(&other.distance),
            (band, other_band) => times(self.distance, other_band).cmp(&times(other.distance, band)),
        };
        by_need.then(self.value.cmp(&other.value))
    }
}

/// As [`limit`]; 0 for a holding that must not be there.
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
