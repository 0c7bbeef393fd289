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

/// The two ways to be out of band, computed alike: a holding is too much, or too little. Amounts of the second have their sign turned.
pub(crate) type Sides = [f32; 2];

/// What is kept per portfolio, all in money: 16 bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct State {
    /// The investable value, or less. With the sign turned: its opposite, or less. (A) in the proof.
    room: Sides,
    /// What any holding asks for, or more: the largest value of a holding by the upper edge of its band, since the last look. With the
    /// sign turned: the smallest value by the lower edge. (B) in the proof.
    need: Sides,
}

/// One holding in the list of its symbol: 16 bytes, read in a stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    /// The portfolio's slot in the lower 27 bits, its growth class in the upper 5.
    key: u32,
    units: f32,
    /// Units by the upper edge of the band, rounded up. With the sign turned: units by the lower edge, rounded down; infinite where
    /// nothing is too little.
    needs: Sides,
}

/// How many slots an entry can name.
pub(crate) const SLOTS: u32 = 1 << SLOT_BITS;
const SLOT_BITS: u32 = 27;
/// The steepest growth there is a class for.
const STEEPEST: u8 = 31;

/// How much of what a holding moves by is taken off both rooms: 2^(class - 21). `g` in the proof.
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
        f32::from_bits((self.0 as u32).wrapping_add(106) << 23)
    }
}

impl Entry {
    /// A place in a list that nobody has taken.
    pub(crate) const NONE: Self = Self { key: 0, units: 0.0, needs: [0.0; 2] };

    pub(crate) fn new(slot: u32, growth: Growth, units: f32, needs: Sides) -> Self {
        Self { key: slot | u32::from(growth.0) << SLOT_BITS, units, needs }
    }

    pub(crate) const fn slot(self) -> u32 {
        self.key & (SLOTS.wrapping_sub(1))
    }

    /// The slot, if the growth is of the least class, as it mostly is; otherwise more than any slot.
    pub(crate) const fn slot_if_least(self) -> u32 {
        self.key
    }

    pub(crate) const fn growth(self) -> Growth {
        Growth((self.key >> SLOT_BITS) as u8)
    }
}

/// How far prices go in a wave, as shares of the price before: the deepest fall and the highest rise.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    fall: f64,
    rise: f64,
}

impl Span {
    /// Of no step.
    pub(crate) const NONE: Self = Self { fall: 0.0, rise: 0.0 };

    /// Both together.
    pub(crate) const fn and(self, other: Self) -> Self {
        Self { fall: self.fall.max(other.fall), rise: self.rise.max(other.rise) }
    }

    /// Of these steps, each from a price to another.
    pub(crate) fn of(steps: impl Iterator<Item = (u64, u64)>) -> Self {
        let (mut lowest, mut highest) = (0.0_f64, 0.0_f64);
        for (before, after) in steps.filter(|(before, _)| *before > 0) {
            let share = after as f64 / before as f64 - 1.0;
            (lowest, highest) = (lowest.min(share), highest.max(share));
        }
        // What the quotient may be off by is small beside 1, but not beside a small step.
        Self { fall: 1e-12 - lowest, rise: 1e-12 + highest }
    }

    const fn most(self) -> f64 {
        self.rise.max(self.fall)
    }

    /// How far apart the two sides may come, as a share of the value.
    pub(crate) const fn width(self) -> f64 {
        self.most() * 4.0
    }
}

/// What a wave does at most to the value of any holding, as shares of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Range {
    span: Span,
    /// What the needs are multiplied by.
    needs: Sides,
    /// By growth class: how much is taken off both rooms, as a share of all values.
    widths: [f32; CLASSES],
}

impl Range {
    pub(crate) fn of(span: Span) -> Self {
        let mut widths = [0.0; CLASSES];
        for (class, width) in (0..).map(Growth).zip(&mut widths) {
            *width = (span.most() * (1.0 + f64::from(class.factor())) * (1.0 + MARGIN)) as f32;
        }
        let needs = [(1.0 + span.rise) * (1.0 + MARGIN), (1.0 - span.fall) * (1.0 - MARGIN)];
        Self { span, needs: needs.map(|share| share as f32), widths }
    }

    pub(crate) const fn span(&self) -> Span {
        self.span
    }
}

/// What needs, entries and passes are moved outward by, as a share of themselves: sixteen roundings of 32 bits.
const MARGIN: f64 = 16.0 * ROUNDING as f64;
/// More than 64-bit sums of a million terms lose, as a share of what they are made of.
const FINE: f64 = 1.0 / 1_073_741_824.0;

impl State {
    /// Nothing is known: look.
    pub(crate) const LOOK: Self = Self { room: [f32::NEG_INFINITY; 2], need: [0.0, f32::NEG_INFINITY] };

    /// Of one that is not to be judged: inside, whatever moves, for very long; and then it is looked at once, and told so again.
    pub(crate) const REST: Self = Self { room: [1e30; 2], need: [0.0, f32::NEG_INFINITY] };

    /// What the state becomes when the price of a holding moves to `price`, which moves each room `by` so much for a unit. It must have been inside, or
    /// [`State::LOOK`]; or [`State::REST`], of which nothing is claimed.
    #[inline(always)]
    pub(crate) fn moved(self, entry: Entry, price: f32, by: Sides) -> Self {
        // For what was rounded: the first room of who is inside, which is above zero, becomes less, and so does the second, which is below.
        let inward = if has(Fault::NoMargin) { [1.0; 2] } else { [1.0 - 4.0 * ROUNDING, 1.0 + 4.0 * ROUNDING] };
        let side = |room: f32, need: f32, by: f32, needs: f32, inward: f32| {
            let room = (room + entry.units * by) * inward;
            let need = if has(Fault::ExtremeNotWidened) { need } else { larger(needs * price, need) };
            (room, need)
        };
        let ([room, other_room], [need, other_need]) = (self.room, self.need);
        let (room, need) = side(room, need, by[0], entry.needs[0], inward[0]);
        let (other_room, other_need) = side(other_room, other_need, by[1], entry.needs[1], inward[1]);
        Self { room: [room, other_room], need: [need, other_need] }
    }

    /// What the state becomes when any holdings move within `range`, in a portfolio whose holdings are worth no more than it is.
    #[inline]
    pub(crate) fn widened(self, range: &Range, growth: Growth) -> Self {
        let width = range.widths.get(usize::from(growth.0)).copied().unwrap_or(f32::INFINITY);
        let [least, most] = self.room;
        // No less than all holdings are worth: X in the proof.
        let lost = width * (-2.0 * most - least);
        let room = self.room.map(|room| room - lost - room.abs() * (4.0 * ROUNDING));
        Self { room, need: [self.need[0] * range.needs[0], self.need[1] * range.needs[1]] }
    }

    /// True if there was a look since its books, its definition or its prices were made anew.
    pub(crate) const fn is_known(&self) -> bool {
        self.room[0] > f32::NEG_INFINITY
    }

    /// Some of its bits.
    #[inline]
    pub(crate) const fn bits(&self) -> u32 {
        self.room[0].to_bits()
    }

    /// What is kept of it: numbers that do not say inside are not, since they may have changed their signs, by which [`State::moved`] rounds.
    #[inline]
    pub(crate) fn kept(self) -> Self {
        if self.is_inside() { self } else { Self::LOOK }
    }

    /// True if the portfolio is inside its band for sure. False says nothing.
    #[inline]
    pub(crate) fn is_inside(self) -> bool {
        // One comparison instead of two. A number that is none ends as the larger one, which is not below zero: see the proof.
        let short = [self.need[0] - self.room[0], self.need[1] - self.room[1]];
        larger(short[0], short[1]) < 0.0
    }
}

/// As the processor does it in one step. The second if either is no number.
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
    /// How far.
    step: f32,
    /// What one unit moves each room by, in the least class of growth.
    pub(crate) least: Sides,
}

impl Step {
    /// No step, at no price, where there is no symbol: at most it asks for looks.
    pub(crate) const NONE: Self = Self { price: 0.0, step: 0.0, least: [0.0; 2] };

    /// From one price to another, both in billionths; `price` is the second as the filter uses it.
    pub(crate) fn between(before: u64, after: u64, price: f32) -> Self {
        let size = (after.abs_diff(before) as f64 * NANO) as f32;
        // Not chosen by a branch: which way a price goes, no processor foresees.
        let step = f32::from_bits(size.to_bits() | u32::from(after < before) << 31);
        let this = Self { price, step, least: [0.0; 2] };
        Self { least: this.by(Growth::LEAST), ..this }
    }

    /// What one unit moves each room by.
    #[inline(always)]
    pub(crate) fn by(&self, growth: Growth) -> Sides {
        let lost = if has(Fault::NoMargin) { 0.0 } else { self.step.abs() * growth.factor() };
        [self.step - lost, -self.step - lost]
    }
}

/// Billionths of a price.
const NANO: f64 = 1e-9;

pub(crate) fn price(nanos: u64) -> f32 {
    (nanos as f64 * NANO) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_growth_is_what_roundings_need() {
        assert!(Growth::LEAST.factor() == 8.0 * ROUNDING, "see the proof: more than 4.1 roundings, and a power of two");
    }

    #[test]
    fn a_number_that_is_none_is_a_reason_to_look() {
        const FAR: f32 = f32::INFINITY;
        for (room, need) in [([1.0, -FAR], [0.0, -FAR]), ([FAR, -FAR], [FAR, -FAR]), ([f32::NAN; 2], [0.0, -FAR])] {
            assert!(!State { room, need }.is_inside(), "{room:?} {need:?}");
        }
        assert!(State { room: [1.0, -1.1], need: [0.9, -FAR] }.is_inside());
    }
}
