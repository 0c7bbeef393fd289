//! Where the filter's numbers come from: a portfolio's definition, cash, holdings and prices, each rounded to the careful side.
//!
//! Written in 64-bit floats, whose own rounding (2⁻⁵³) is far below the margins given here; only the results are narrowed.

use super::{Entry, FINE, Growth, MARGIN, ROUNDING, State, larger, smaller};
use crate::fault::{Fault, has};
use evenkeel_domain::allocation::Target;
use evenkeel_domain::drift::limit;
use evenkeel_domain::order::Costs;
use evenkeel_domain::policy::{Band, Measure};
use evenkeel_domain::valuation::ReserveRule;
use evenkeel_domain::values::{Money, Percentage, Symbol};

/// The narrowest lower edge that cash is given while the reserve moves: a wider one only asks for more looks.
const NARROWEST: f64 = 1e-3;
/// A quarter of the largest amount of money. Beyond it a reserve may overflow, which only the exact decision says.
const SAFE: f64 = 2.5e15;

/// The standing reserve as the filter sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reserve {
    rule: ReserveRule,
    /// How much one trade's cost grows with its amount.
    slope: f64,
    /// How much the whole reserve may move, by what the holdings move: 0 if it is the same whatever they are worth. `k` in the proof.
    sway: f64,
}

impl Reserve {
    pub(crate) fn new(rule: ReserveRule) -> Self {
        let slope = f64::from(rule.costs.bps) * 1e-4;
        // Twice the cost, of the larger of value and target; and targets move with the sum of all values.
        Self { rule, slope, sway: 4.0 * slope * (1.0 + FINE) }
    }

    pub(crate) const fn rule(&self) -> ReserveRule {
        self.rule
    }

    /// Cents that every holding adds, whatever it is worth.
    fn fixed(&self) -> i64 {
        let Costs { bps, per_order, minimum } = self.rule.costs;
        let costs = if bps == 0 { per_order.max(minimum).cents().saturating_mul(2) } else { 0 };
        let rounding = if self.rule.fills_rounded { i64::from(self.rule.attempts) } else { 0 };
        costs.saturating_add(rounding)
    }

    /// The reserve, what it may be off by, and no less than any amount on the way to it.
    fn of(&self, holdings: impl ExactSizeIterator<Item = Held>, total: f64) -> [f64; 3] {
        let fixed = holdings.len() as f64 * self.fixed() as f64 * 0.01;
        if self.rule.costs.bps == 0 {
            return [fixed, 0.0, fixed.abs()];
        }
        let Costs { bps: _, per_order, minimum } = self.rule.costs;
        let (per_order, minimum) = (money(per_order), money(minimum));
        let (mut reserve, mut count, mut gross) = (0.0, 0.0, 0.0);
        for held in holdings {
            let share = self.slope * held.value().max(held.goal * total.max(0.0));
            reserve += 2.0 * (share + per_order).max(minimum);
            gross += 2.0 * (share + per_order.abs() + minimum.abs() + 0.01);
            count += 1.0;
        }
        // Each of the two costs of a holding is rounded up to a cent; and the prices that all of it is made of are rounded to 32 bits.
        [reserve + fixed, 0.0202 * count + gross * (4.0 * f64::from(ROUNDING)), gross + fixed]
    }
}

/// One holding as the filter reads it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Held {
    pub(crate) price: f32,
    pub(crate) units: f64,
    /// Its target, as a share of one.
    pub(crate) goal: f64,
}

impl Held {
    fn value(self) -> f64 {
        f64::from(self.price) * self.units
    }
}

/// What the bounds of one portfolio depend on besides its holdings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds<'a> {
    pub(crate) measure: &'a Measure,
    pub(crate) cash: Money,
    pub(crate) cash_target: Percentage,
    pub(crate) cash_buffer: Money,
    pub(crate) reserve: &'a Reserve,
}

/// Cash beyond what is held back, and what it may be off by.
#[derive(Clone, Copy)]
struct Free {
    cash: f64,
    off: f64,
}

/// The allowed weights of cash.
struct Edges {
    upper: f64,
    lower: f64,
}

impl Bounds<'_> {
    /// The entry of a holding in the list of its symbol.
    pub(crate) fn entry(&self, slot: u32, growth: Growth, symbol: Symbol, units: f64, goal: Percentage) -> Entry {
        let outward = if has(Fault::NoMargin) { 0.0 } else { MARGIN };
        let Some(limit) = limit(self.measure, Target::Symbol(symbol), goal) else {
            return Entry::new(slot, growth, units as f32, [0.0, f32::NEG_INFINITY]);
        };
        let (upper, lower) = edges(goal, limit);
        // A target of 0 has no upper edge to divide by; who holds it is always looked at.
        let up = if upper > 0.0 { units / upper * (1.0 + outward) } else { 0.0 };
        let down = if lower > 0.0 { (units / lower * (1.0 - outward)).min(f64::from(f32::MAX)) } else { f64::INFINITY };
        Entry::new(slot, growth, units as f32, [up as f32, -down as f32])
    }

    /// The class of what a move takes off the rooms; `None` if none is steep enough, and the portfolio must always be looked at.
    pub(crate) fn growth(&self) -> Option<Growth> {
        let sway = self.reserve.sway;
        let needed = match self.measure {
            Measure::Total { band } => sway + (1.0 + sway) / share(band.width()),
            Measure::Relative { .. } | Measure::Absolute { .. } | Measure::Hybrid { .. } | Measure::Tighter { .. } => {
                match self.cash_edges() {
                    Some(_) if sway == 0.0 => 0.0,
                    Some(cash) => sway + sway / cash.upper.min(lower_while_it_sways(cash.lower).abs()),
                    None => sway,
                }
            }
        };
        let steps = 8.0 * f64::from(ROUNDING);
        // A thousandth more, since what it is multiplied by is rounded too.
        Growth::at_least(if needed == 0.0 { steps } else { (needed + steps) * (1.0 + 1e-3) })
    }

    fn cash_edges(&self) -> Option<Edges> {
        let limit = limit(self.measure, Target::Cash, self.cash_target)?;
        let (upper, lower) = edges(self.cash_target, limit);
        Some(Edges { upper, lower })
    }

    /// The portfolio's numbers at these prices, and whether its holdings are worth no more than it is, as long as its books are the same:
    /// then they may be [widened](State::widened). Nobody may hold what has no target.
    pub(crate) fn state(&self, holdings: impl ExactSizeIterator<Item = Held> + Clone) -> (State, bool) {
        let count = holdings.len() as i128;
        let Sums { worth, high, low } = Shape::of(self.measure).sums(holdings.clone());
        let total = money(self.cash) + worth;
        let buffer = money(self.cash_buffer.max(Money::ZERO));
        let [reserve, off, gross] = self.reserve.of(holdings.clone(), total);
        if buffer + gross > SAFE {
            return (State::LOOK, false);
        }
        let sways = self.reserve.sway > 0.0;
        let off = if sways { off } else { 0.0 };
        let value = total - buffer - reserve;
        let rough = worth.abs() * (2.0 * f64::from(ROUNDING)) + value.abs() * (2.0 * f64::from(ROUNDING));
        let error = rough + (money(self.cash).abs() + buffer + gross) * FINE + off;
        let free = if sways {
            let off = off + (money(self.cash).abs() + buffer + gross) * FINE;
            Free { cash: money(self.cash) - buffer - reserve, off }
        } else {
            // In whole cents, so that its sign is exact: on which side of 0 it is, may be the whole answer.
            let held_back = i128::from(self.cash_buffer.max(Money::ZERO).cents());
            let held_back = held_back.saturating_add(i128::from(self.reserve.fixed()).saturating_mul(count));
            let cash = i128::from(self.cash.cents()).saturating_sub(held_back) as f64 * 0.01;
            Free { cash, off: cash.abs() * FINE }
        };
        let extremes = match self.measure {
            Measure::Total { band } => {
                let goal = share(self.cash_target);
                let apart: f64 = holdings.map(|held| (held.value() - held.goal * value).abs()).sum();
                let apart = apart + (free.cash - goal * value).abs() + 4.0 * (error + free.off);
                (share(band.width()) > 0.0).then(|| (apart / (2.0 * share(band.width())), f64::INFINITY))
            }
            Measure::Relative { .. } | Measure::Absolute { .. } | Measure::Hybrid { .. } | Measure::Tighter { .. } => {
                self.with_cash((high, low), free)
            }
        };
        let Some((high, low)) = extremes else { return (State::LOOK, false) };
        let low = if sways { low.min(SAFE) } else { low };
        // What 32 bits do not hold counts as the most that they do: infinite is where nothing can be too little, and nothing else.
        let low = if low < f64::INFINITY { low.min(f64::from(f32::MAX)) } else { low };
        let outward = if has(Fault::NoMargin) { 0.0 } else { MARGIN };
        let off = if has(Fault::NoMargin) { 0.0 } else { error * (1.0 + MARGIN) };
        let high = (high * (1.0 + outward)).max(0.0);
        // By a factor: it is infinite where nothing can be too little, and stays so.
        let low = low * if low < 0.0 { 1.0 + outward } else { 1.0 - outward };
        let state = State { room: [(value - off) as f32, (-value - off) as f32], need: [high as f32, -low as f32] };
        (state, free.cash >= 0.0)
    }

    /// The extremes with those of cash. `None` if cash is beyond an edge whatever the portfolio is worth, or may be.
    fn with_cash(&self, (high, low): (f64, f64), free: Free) -> Option<(f64, f64)> {
        let Some(edges) = self.cash_edges() else { return Some((high, low)) };
        let sways = self.reserve.sway > 0.0;
        let (most, least) = (free.cash + free.off, free.cash - free.off);
        let high = if edges.upper > 0.0 {
            high.max(most / edges.upper)
        } else if most > 0.0 || sways {
            return None;
        } else {
            high
        };
        let lower = if sways { lower_while_it_sways(edges.lower) } else { edges.lower };
        if lower > 0.0 {
            Some((high, low.min(least / lower)))
        } else if lower < 0.0 {
            // Too little means below zero here: the more the portfolio is worth, the more may be missing.
            Some((high.max(least / lower), low))
        } else if least < 0.0 {
            None
        } else {
            Some((high, low))
        }
    }
}

/// The lower edge of cash, moved upward to where it can be divided by: who is above it is above the edge.
fn lower_while_it_sways(lower: f64) -> f64 {
    if lower > -NARROWEST { lower.max(NARROWEST) } else { lower }
}

/// The weights between which a target may be.
fn edges(goal: Percentage, limit: u64) -> (f64, f64) {
    let goal = i128::from(goal.units()).saturating_mul(1_000_000);
    let edge = |units: i128| units as f64 * 1e-12;
    (edge(goal.saturating_add(i128::from(limit))), edge(goal.saturating_sub(i128::from(limit))))
}

/// A measure with a limit per holding, as one formula: the limit of target `t` is `max(min(share × t, most), least)`.
struct Shape {
    share: f64,
    least: f64,
    most: f64,
}

impl Shape {
    fn of(measure: &Measure) -> Self {
        let any = Self { share: 0.0, least: 0.0, most: f64::INFINITY };
        let width = |band: &Band| share(band.width());
        match measure {
            Measure::Relative { band } => Self { share: width(band), ..any },
            Measure::Absolute { band } => Self { least: width(band), ..any },
            Measure::Hybrid { relative, absolute } => Self { share: width(relative), least: width(absolute), ..any },
            Measure::Tighter { relative, absolute } => Self { share: width(relative), most: width(absolute), ..any },
            Measure::Total { .. } => any,
        }
    }

    /// What all is worth, the largest value by upper edge, and the smallest by lower edge.
    #[inline]
    fn sums(&self, holdings: impl Iterator<Item = Held>) -> Sums {
        let mut sums = Sums { worth: 0.0, high: 0.0, low: f64::INFINITY };
        if self.least == 0.0 && self.most == f64::INFINITY {
            // A share of the target alone: both edges are the same shares of every target, and one division is enough.
            for held in holdings {
                let value = held.value();
                let by_target = value / held.goal;
                sums.worth += value;
                sums.high = larger(by_target, sums.high);
                sums.low = smaller(by_target, sums.low);
            }
            sums.high /= 1.0 + self.share;
            sums.low /= 1.0 - self.share + FINE;
            return sums;
        }
        for held in holdings {
            let limit = (self.share * held.goal).min(self.most).max(self.least);
            let value = held.value();
            // Upward by more than the difference may have lost: a higher lower edge only asks for more looks.
            let lower = held.goal - limit + held.goal * FINE;
            sums.worth += value;
            sums.high = larger(value / (held.goal + limit), sums.high);
            sums.low = smaller(if lower > 0.0 { value / lower } else { f64::INFINITY }, sums.low);
        }
        sums
    }
}

/// What one walk over the holdings finds.
struct Sums {
    worth: f64,
    high: f64,
    low: f64,
}

fn share(percentage: Percentage) -> f64 {
    percentage.units() as f64 * 1e-6
}

fn money(amount: Money) -> f64 {
    amount.cents() as f64 * 0.01
}
