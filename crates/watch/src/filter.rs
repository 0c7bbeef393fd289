//! The pre-filter: four numbers per portfolio that say "surely inside" or "look closer", in a few nanoseconds.
//!
//! This is the one place of the core where floats stand near a decision. They may only ever ask for a closer look: what
//! they let pass is inside by proof, and the proof is below. Who looks closer is [`crate::judge`](crate::Watch::judge).
#![doc = include_str!("proof.md")]
#![expect(
    clippy::float_arithmetic,
    clippy::as_conversions,
    reason = "bounds rounded outward; every line that rounds is a line of the proof"
)]

mod bounds;

pub(crate) use bounds::{Bounds, Held, Reserve};

use crate::fault::{Fault, has};

/// Half the distance between 1 and the next number of 32 bits: what one rounding may lose. η in the proof.
const ROUNDING: f32 = 1.0 / 16_777_216.0;

/// What is kept per portfolio, all in money: 16 bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct State {
    /// The investable value.
    value: f32,
    /// How far `value` may be from the truth.
    error: f32,
    /// No holding asks for more than this: the largest value of a holding by the upper edge of its band, since the last look.
    high: f32,
    /// No holding asks for less: the smallest value of a holding by the lower edge of its band, since the last look.
    low: f32,
}

/// One holding in the list of its symbol: 16 bytes, read in a stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    /// The portfolio's slot in the lower 27 bits, its growth class in the upper 5.
    key: u32,
    units: f32,
    /// Units by the upper edge of the band, rounded up.
    up: f32,
    /// Units by the lower edge of the band, rounded down; infinite where nothing is too little.
    down: f32,
}

/// How many slots an entry can name.
pub(crate) const SLOTS: u32 = 1 << SLOT_BITS;
const SLOT_BITS: u32 = 27;
/// The steepest growth there is a class for.
const STEEPEST: u8 = 31;

/// How much of what a holding moves by is added to the error: 2^(class - 22).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Growth(u8);

/// How many classes of growth there are.
const CLASSES: usize = 32;

impl Growth {
    pub(crate) const LEAST: Self = Self(0);

    /// The smallest class of at least this growth; `None` if there is none.
    fn at_least(growth: f64) -> Option<Self> {
        (0..=STEEPEST).map(Self).find(|class| f64::from(class.factor()) >= growth)
    }

    const fn factor(self) -> f32 {
        // 127 is the exponent of 1, and the exponent begins at bit 23.
        f32::from_bits((self.0 as u32).wrapping_add(105) << 23)
    }
}

impl Entry {
    /// A place in a list that nobody has taken.
    pub(crate) const NONE: Self = Self { key: 0, units: 0.0, up: 0.0, down: 0.0 };

    fn new(slot: u32, growth: Growth, units: f32, up: f32, down: f32) -> Self {
        Self { key: slot | u32::from(growth.0) << SLOT_BITS, units, up, down }
    }

    pub(crate) const fn slot(self) -> u32 {
        self.key & (SLOTS.wrapping_sub(1))
    }

    const fn growth(self) -> Growth {
        Growth((self.key >> SLOT_BITS) as u8)
    }
}

/// What a wave does at most to the value of any holding, as shares of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Range {
    /// What the extremes are multiplied by.
    rise: f32,
    fall: f32,
    /// By growth class: how much the error grows by, as a share of all values.
    widths: [f32; CLASSES],
    /// How far apart the two sides may come, as a share of the value.
    width: f64,
}

impl Range {
    /// Of these steps, each from a price to another.
    pub(crate) fn of(steps: impl Iterator<Item = (u64, u64)>) -> Self {
        let (mut lowest, mut highest) = (0.0_f64, 0.0_f64);
        for (before, after) in steps.filter(|(before, _)| *before > 0) {
            let share = after as f64 / before as f64 - 1.0;
            (lowest, highest) = (lowest.min(share), highest.max(share));
        }
        // What the quotient may be off by is small beside 1, but not beside a small step.
        let (fall, rise) = (1e-12 - lowest, 1e-12 + highest);
        let most = rise.max(fall);
        let mut widths = [0.0; CLASSES];
        for (class, width) in (0..).map(Growth).zip(&mut widths) {
            *width = (most * (1.0 + f64::from(class.factor())) * (1.0 + MARGIN)) as f32;
        }
        let narrowed = |share: f64| share as f32;
        Self {
            rise: narrowed((1.0 + rise) * (1.0 + MARGIN)),
            fall: narrowed((1.0 - fall) * (1.0 - MARGIN)),
            widths,
            width: most * 4.0,
        }
    }

    pub(crate) const fn width(&self) -> f64 {
        self.width
    }
}

/// What every bound is moved outward by, as a share of itself: sixteen roundings of 32 bits.
const MARGIN: f64 = 16.0 * ROUNDING as f64;
/// More than 64-bit sums of a million terms lose, as a share of what they are made of.
const FINE: f64 = 1.0 / 1_073_741_824.0;

impl State {
    /// What the state becomes when any holdings move within `range`, in a portfolio whose holdings are worth no more than it is.
    #[inline]
    pub(crate) fn widened(self, range: &Range, growth: Growth) -> Self {
        let width = range.widths.get(usize::from(growth.0)).copied().unwrap_or(f32::INFINITY);
        let holdings = self.value + 2.0 * self.error;
        let error = (self.error + width * holdings) * (1.0 + 4.0 * ROUNDING);
        Self { value: self.value, error, high: self.high * range.rise, low: self.low * range.fall }
    }

    /// Nothing is known: look.
    pub(crate) const LOOK: Self = Self { value: 0.0, error: f32::INFINITY, high: 0.0, low: f32::INFINITY };

    /// What the state becomes when the price of a holding moves by `step` to `price`.
    #[inline]
    pub(crate) fn moved(self, entry: Entry, price: f32, step: f32) -> Self {
        let moves = entry.units * step;
        let value = self.value + moves;
        let added = moves.abs() * entry.growth().factor() + value.abs() * (2.0 * ROUNDING);
        let error = if has(Fault::NoMargin) { 0.0 } else { (self.error + added) * (1.0 + 4.0 * ROUNDING) };
        if has(Fault::ExtremeNotWidened) {
            return Self { value, error, ..self };
        }
        Self { value, error, high: larger(entry.up * price, self.high), low: smaller(entry.down * price, self.low) }
    }

    /// True if the portfolio is inside its band for sure. False says nothing.
    #[inline]
    pub(crate) fn is_inside(self) -> bool {
        // Both must hold, so that a number that is none is a reason to look.
        self.high < self.value - self.error && self.low > self.value + self.error
    }
}

/// As the processor does it in one step. The second if one is no number: none of these ever is.
#[inline]
fn larger<T: PartialOrd>(one: T, other: T) -> T {
    if one > other { one } else { other }
}

#[inline]
fn smaller<T: PartialOrd>(one: T, other: T) -> T {
    if one < other { one } else { other }
}

/// A price as the filter uses it, and the step from the one before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub(crate) price: f32,
    pub(crate) step: f32,
}

impl Step {
    pub(crate) fn between(before: u64, after: u64) -> Self {
        let size = after.abs_diff(before) as f64 * NANO;
        Self { price: price(after), step: if after < before { -size } else { size } as f32 }
    }
}

/// Billionths of a price.
const NANO: f64 = 1e-9;

pub(crate) fn price(nanos: u64) -> f32 {
    (nanos as f64 * NANO) as f32
}
