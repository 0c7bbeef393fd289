//! Calibration: whether the broker has behaved as its profile says, by counting what it drew.
//!
//! A simulation that is milder than it claims proves nothing about those who survive it. So every draw is counted, and
//! [`BanChile::calibration`](crate::BanChile::calibration) holds the counts against a profile. A chance p that was drawn n times should have happened n·p times; five
//! standard deviations of the binomial distribution, √(n·p·(1−p)), and one more are allowed: a true profile fails a line less than
//! once in a million. A latency is held against its four points: nothing below the least and above the most, half of it up to the
//! median, 99 % up to the 99th percentile, with the same allowance. Scripted faults are not counted: they are no draws. What is
//! drawn once and met again is counted once: an outage with the first call in its slot, the order of a list when it is first told.
//!
//! Counting keeps a few numbers for each line, however long a simulation runs. Where nothing is drawn, nothing is counted.

use crate::profile::{Chance, Latency, Profile};
use std::fmt;
use std::time::Duration;

const MILLION: u64 = 1_000_000;

/// What happened, held against what a profile declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calibration {
    /// One line for each figure that was drawn at least once.
    pub lines: Vec<CalibrationLine>,
}

/// One figure of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalibrationLine {
    /// Which, as the profile calls it.
    pub what: &'static str,
    /// What the profile says.
    pub declared: String,
    /// What was found.
    pub found: String,
    /// Over how many draws.
    pub draws: u64,
    /// Whether the one is within the allowance of the other.
    pub holds: bool,
}

impl Calibration {
    /// True if every line holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.lines.iter().all(|line| line.holds)
    }
}

impl fmt::Display for Calibration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<18} {:>34} {:>34} {:>9}", "figure", "declared", "found", "draws")?;
        for CalibrationLine { what, declared, found, draws, holds } in &self.lines {
            let verdict = if *holds { "" } else { "  OFF" };
            writeln!(f, "{what:<18} {declared:>34} {found:>34} {draws:>9}{verdict}")?;
        }
        Ok(())
    }
}

/// Something that happens or does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Happening {
    PartialFill,
    LostRequest,
    LostAnswer,
    Doubled,
    Refused,
    Rejected,
    LateFill,
    Slow,
    Outage,
    SilentOutage,
    Disorder,
}

/// Something that takes time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leg {
    ToVenue,
    AtVenue,
    Back,
    Visibility,
    LateBy,
    SlowBy,
    OutageLasts,
}

/// What was drawn so far, by one broker or by several of the same kind: a rare fault of which one broker has seen too little to tell
/// anything is seen often enough by many.
///
/// ```
/// # use evenkeel_banchile::{BanChile, Profile, Tally};
/// # fn all_of(brokers: &[BanChile]) -> bool {
/// let mut all = Tally::default();
/// brokers.iter().for_each(|broker| all.add(&broker.tally()));
/// all.against(&Profile::storm()).holds()
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Tally {
    chances: [Counted; 11],
    legs: [Timed; 7],
    slippage: Slippage,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counted {
    draws: u64,
    happened: u64,
}

/// Latencies, counted by the points of the distribution that they were drawn from.
#[derive(Debug, Clone, Default)]
struct Timed {
    draws: u64,
    least: Option<Duration>,
    most: Duration,
    /// Buckets of a quarter of an octave, from a microsecond: enough to tell a figure from one that is a fifth off. None until something is counted.
    buckets: Vec<u64>,
}

const BUCKETS: usize = 128;

/// What fills were off the board's price, in parts per million.
#[derive(Debug, Clone, Copy, Default)]
struct Slippage {
    fills: u64,
    sum: u64,
    least: Option<u64>,
    most: u64,
}

impl Tally {
    pub(crate) fn chance(&mut self, what: Happening, happened: bool) {
        if let Some(counted) = self.chances.get_mut(what.place()) {
            counted.draws = counted.draws.saturating_add(1);
            counted.happened = counted.happened.saturating_add(u64::from(happened));
        }
    }

    pub(crate) fn took(&mut self, leg: Leg, time: Duration) {
        if let Some(timed) = self.legs.get_mut(leg.place()) {
            timed.draws = timed.draws.saturating_add(1);
            timed.least = Some(timed.least.map_or(time, |least| least.min(time)));
            timed.most = timed.most.max(time);
            timed.buckets.resize(BUCKETS, 0);
            if let Some(bucket) = timed.buckets.get_mut(bucket(time)) {
                *bucket = bucket.saturating_add(1);
            }
        }
    }

    /// A fill that was so many parts per million off the board's price.
    pub(crate) fn slipped(&mut self, parts: u64) {
        let Slippage { fills, sum, least, most } = &mut self.slippage;
        *fills = fills.saturating_add(1);
        *sum = sum.saturating_add(parts);
        *least = Some(least.map_or(parts, |least| least.min(parts)));
        *most = (*most).max(parts);
    }

    /// What another broker has drawn besides.
    pub fn add(&mut self, other: &Self) {
        for (counted, more) in self.chances.iter_mut().zip(&other.chances) {
            counted.draws = counted.draws.saturating_add(more.draws);
            counted.happened = counted.happened.saturating_add(more.happened);
        }
        for (timed, more) in self.legs.iter_mut().zip(&other.legs) {
            timed.add(more);
        }
        self.slippage.add(other.slippage);
    }

    /// Holds the counts against a profile.
    #[must_use]
    pub fn against(&self, profile: &Profile) -> Calibration {
        let (rates, outages) = (&profile.faults, profile.outages);
        let chances = [
            ("partial fills", Happening::PartialFill, profile.partial_fills),
            ("lost requests", Happening::LostRequest, rates.lost_request),
            ("lost answers", Happening::LostAnswer, rates.lost_answer),
            ("doubled requests", Happening::Doubled, rates.doubled),
            ("refusals", Happening::Refused, rates.refused),
            ("late rejections", Happening::Rejected, rates.rejected),
            ("late fills", Happening::LateFill, rates.late_fill),
            ("slow requests", Happening::Slow, rates.slow),
            ("outages", Happening::Outage, outages.map_or(Chance::NEVER, |outages| outages.chance)),
            ("silent outages", Happening::SilentOutage, outages.map_or(Chance::NEVER, |outages| outages.silent)),
            ("jumbled lists", Happening::Disorder, profile.disorder),
        ];
        let legs = [
            ("way to the venue", Leg::ToVenue, profile.to_venue),
            ("step at the venue", Leg::AtVenue, profile.at_venue),
            ("way back", Leg::Back, profile.back),
            ("visibility", Leg::Visibility, profile.visibility_lag),
            ("late by", Leg::LateBy, rates.late_by),
            ("slow by", Leg::SlowBy, rates.slow_by),
            ("outages last", Leg::OutageLasts, outages.map_or(Latency::NONE, |outages| outages.lasts)),
        ];
        let mut lines: Vec<CalibrationLine> = Vec::new();
        lines.extend(chances.into_iter().filter_map(|(what, happening, chance)| {
            self.chances.get(happening.place()).and_then(|counted| counted.line(what, chance))
        }));
        lines.extend(
            legs.into_iter()
                .filter_map(|(what, leg, latency)| self.legs.get(leg.place()).and_then(|t| t.line(what, latency))),
        );
        lines.extend(self.slippage.line(profile));
        Calibration { lines }
    }
}

impl Happening {
    const fn place(self) -> usize {
        match self {
            Self::PartialFill => 0,
            Self::LostRequest => 1,
            Self::LostAnswer => 2,
            Self::Doubled => 3,
            Self::Refused => 4,
            Self::Rejected => 5,
            Self::LateFill => 6,
            Self::Slow => 7,
            Self::Outage => 8,
            Self::SilentOutage => 9,
            Self::Disorder => 10,
        }
    }
}

impl Leg {
    const fn place(self) -> usize {
        match self {
            Self::ToVenue => 0,
            Self::AtVenue => 1,
            Self::Back => 2,
            Self::Visibility => 3,
            Self::LateBy => 4,
            Self::SlowBy => 5,
            Self::OutageLasts => 6,
        }
    }
}

impl Counted {
    fn line(&self, what: &'static str, chance: Chance) -> Option<CalibrationLine> {
        let Self { draws, happened } = *self;
        let parts = u64::from(chance.in_a_million());
        let holds = is_likely(happened, draws, parts);
        let found = happened.saturating_mul(MILLION).checked_div(draws)?;
        let of = |parts: u64| format!("{parts} in a million");
        Some(CalibrationLine { what, declared: of(parts), found: of(found), draws, holds })
    }
}

impl Timed {
    fn add(&mut self, more: &Self) {
        self.draws = self.draws.saturating_add(more.draws);
        self.least = self.least.into_iter().chain(more.least).min();
        self.most = self.most.max(more.most);
        self.buckets.resize(self.buckets.len().max(more.buckets.len()), 0);
        for (count, more) in self.buckets.iter_mut().zip(&more.buckets) {
            *count = count.saturating_add(*more);
        }
    }

    fn line(&self, what: &'static str, latency: Latency) -> Option<CalibrationLine> {
        let least = self.least?;
        let Latency { least: shortest, median, p99, most: longest } = latency;
        let in_range = shortest <= least && self.most <= longest;
        // A bucket that a point lies in may count on either side of it.
        let up_to = |time: Duration, share: u64| {
            let (below, within) = (self.below(bucket(time)), self.below(bucket(time).saturating_add(1)));
            let least = most_likely(self.draws, share, false);
            let most = most_likely(self.draws, share, true);
            i128::from(below) <= most && least <= i128::from(within)
        };
        let holds = in_range && (shortest == longest || up_to(median, 500_000) && up_to(p99, 990_000));
        let millis = |time: Duration| time.as_micros().div_ceil(1_000);
        let declared = format!("{} / {} / {} / {} ms", millis(shortest), millis(median), millis(p99), millis(longest));
        let (half, most) = (self.quantile(500_000), self.quantile(990_000));
        let found = format!("{} / {} / {} / {} ms", millis(least), millis(half), millis(most), millis(self.most));
        Some(CalibrationLine { what, declared, found, draws: self.draws, holds })
    }

    /// How many draws are in the buckets before this one.
    fn below(&self, bucket: usize) -> u64 {
        self.buckets.iter().take(bucket).sum()
    }

    /// The upper end of the bucket in which so many parts per million of all draws are reached.
    fn quantile(&self, parts: u64) -> Duration {
        let mut sum = 0_u64;
        for (place, count) in self.buckets.iter().enumerate() {
            sum = sum.saturating_add(*count);
            if u128::from(sum).saturating_mul(1_000_000) >= u128::from(self.draws).saturating_mul(u128::from(parts)) {
                return upper_end(place).min(self.most);
            }
        }
        self.most
    }
}

impl Slippage {
    fn add(&mut self, more: Self) {
        self.fills = self.fills.saturating_add(more.fills);
        self.sum = self.sum.saturating_add(more.sum);
        self.least = self.least.into_iter().chain(more.least).min();
        self.most = self.most.max(more.most);
    }

    fn line(&self, profile: &Profile) -> Option<CalibrationLine> {
        let least = self.least?;
        let mean = self.sum.checked_div(self.fills)?;
        let bound = |bps: u32| u64::from(bps).saturating_mul(100);
        let holds = bound(profile.half_spread_bps) <= least && self.most <= bound(profile.slippage_bps);
        Some(CalibrationLine {
            what: "slippage",
            declared: format!("{} to {} bps", profile.half_spread_bps, profile.slippage_bps),
            found: format!("{} to {} bps, mean {}", hundredths(least), hundredths(self.most), hundredths(mean)),
            draws: self.fills,
            holds,
        })
    }
}

/// Parts per million as hundredths of a percent.
fn hundredths(parts: u64) -> String {
    format!("{}.{:02}", parts.div_euclid(100), parts.rem_euclid(100))
}

/// Whether something that happens so many times in a million may have happened so often in so many draws.
fn is_likely(happened: u64, draws: u64, parts: u64) -> bool {
    let happened = i128::from(happened);
    most_likely(draws, parts, false) <= happened && happened <= most_likely(draws, parts, true)
}

/// n·p and five standard deviations and one more: the most, or the least, that is likely.
fn most_likely(draws: u64, parts: u64, most: bool) -> i128 {
    let (n, p) = (u128::from(draws), u128::from(parts));
    let expected = i128::try_from(n.saturating_mul(p).checked_div(1_000_000).unwrap_or(0)).unwrap_or(i128::MAX);
    let variance = n.saturating_mul(p).saturating_mul(1_000_000_u128.saturating_sub(p));
    let deviation = variance.checked_div(1_000_000_000_000).unwrap_or(0).saturating_add(1).isqrt();
    let allowed = i128::try_from(deviation.saturating_mul(5).saturating_add(1)).unwrap_or(i128::MAX);
    if most { expected.saturating_add(allowed).saturating_add(1) } else { expected.saturating_sub(allowed) }
}

/// Four buckets to each doubling, from a microsecond.
fn bucket(time: Duration) -> usize {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let Some(octave) = micros.checked_ilog2() else { return 0 };
    let quarter = match octave {
        0 | 1 => 0,
        _ => (micros >> octave.saturating_sub(2)) & 3,
    };
    let place = u64::from(octave).saturating_mul(4).saturating_add(quarter).saturating_add(1);
    usize::try_from(place).unwrap_or(BUCKETS).min(BUCKETS.saturating_sub(1))
}

/// The first time that is in the bucket after this one.
fn upper_end(place: usize) -> Duration {
    let Some(place) = u64::try_from(place).ok().and_then(|place| place.checked_sub(1)) else { return Duration::ZERO };
    let (octave, quarter) = (place.div_euclid(4), place.rem_euclid(4));
    let octave = u32::try_from(octave).unwrap_or(u32::MAX);
    let start = 1_u64.checked_shl(octave).unwrap_or(u64::MAX);
    let step = start.div_euclid(4).max(1);
    Duration::from_micros(start.saturating_add(step.saturating_mul(quarter.saturating_add(1))))
}
