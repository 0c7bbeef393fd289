//! What the watch keeps of a portfolio besides the filter's numbers: all that the exact decision needs, packed.

use crate::filter::Growth;
use crate::symbols::index;
use evenkeel_domain::policy::Measure;
use evenkeel_domain::values::{Money, Percentage, PortfolioId, Quantity, Symbol};
use std::collections::BTreeMap;

/// A portfolio in its slot.
#[derive(Debug)]
pub(crate) struct Portfolio {
    pub(crate) id: PortfolioId,
    pub(crate) measure: Measure,
    pub(crate) cash: Money,
    pub(crate) cash_buffer: Money,
    pub(crate) cash_target: Percentage,
    /// In symbol order.
    pub(crate) holdings: Box<[Holding]>,
    /// How many of its symbols have no price, or one that is too old.
    pub(crate) unpriced: u32,
    /// True if it is judged; false while others work on it, or it must be left alone.
    pub(crate) is_active: bool,
    /// True if no wave finds it, though it is active.
    pub(crate) is_aside: bool,
    /// True if the filter cannot help: something is held that has no target, or the error would grow too fast.
    pub(crate) always_looked_at: bool,
}

/// What a pass over all slots needs to know of one, in four bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    /// Whose growth it is.
    pub(crate) growth: Growth,
    /// True if there is a portfolio.
    pub(crate) is_somebody: bool,
    /// True if it may be widened: see [`Bounds::state`](crate::filter::Bounds::state).
    pub(crate) is_unlevered: bool,
    /// True while it waits to be looked at; false between waves.
    pub(crate) is_suspect: bool,
}

impl Mark {
    pub(crate) const NOBODY: Self =
        Self { growth: Growth::LEAST, is_somebody: false, is_unlevered: false, is_suspect: false };
    pub(crate) const SOMEBODY: Self = Self { is_somebody: true, ..Self::NOBODY };
}

/// A symbol that is held, or has a target, or both: 20 bytes.
#[derive(Debug, Clone, Copy)]
#[repr(Rust, packed(4))]
pub(crate) struct Holding {
    /// Billionths of a unit, or [`MANY`].
    units: u64,
    /// The symbol's place.
    pub(crate) symbol: u32,
    /// Ten-thousandths of a percent: at most a million.
    goal: u32,
    /// Where this portfolio stands in the list of the symbol's followers.
    pub(crate) position: u32,
}

/// What `units` says if there are more than 63 bits of them, about nine billion; then they are in [`Many`].
const MANY: u64 = u64::MAX;

/// Units beyond 63 bits, by slot and symbol.
pub(crate) type Many = BTreeMap<(u32, u32), Quantity>;

impl Holding {
    /// For a slot, whose large quantities go to `many`.
    pub(crate) fn new(slot: u32, row: Row, symbol: u32, position: u32, many: &mut Many) -> Self {
        let small = i64::try_from(row.units.nanos()).ok().and_then(|units| u64::try_from(units).ok());
        if small.is_none() {
            many.insert((slot, symbol), row.units);
        }
        let goal = u32::try_from(row.goal.units()).unwrap_or(0);
        Self { units: small.unwrap_or(MANY), symbol, goal, position }
    }

    pub(crate) fn units(&self, slot: u32, many: &Many) -> Quantity {
        if self.is_large() {
            let symbol = self.symbol;
            return many.get(&(slot, symbol)).copied().unwrap_or(Quantity::ZERO);
        }
        Quantity::from_nanos(u128::from(self.units)).unwrap_or(Quantity::ZERO)
    }

    /// True if its units are in [`Many`].
    pub(crate) fn is_large(&self) -> bool {
        self.units == MANY
    }

    pub(crate) fn goal(&self) -> Percentage {
        Percentage::from_units(i64::from(self.goal)).unwrap_or(Percentage::ZERO)
    }

    /// Units as the filter uses them.
    pub(crate) fn rough_units(&self, slot: u32, many: &Many) -> f64 {
        let units = self.units;
        match i64::try_from(units) {
            Ok(units) => rough_small(units),
            Err(_) => rough(self.units(slot, many).nanos().cast_signed()),
        }
    }

    /// The target as a share of one.
    #[expect(clippy::float_arithmetic, reason = "for the filter, which rounds outward")]
    pub(crate) fn rough_goal(&self) -> f64 {
        f64::from(self.goal) * 1e-6
    }
}

/// Billionths as a 64-bit float.
#[expect(clippy::float_arithmetic, clippy::as_conversions, reason = "for the filter, which rounds outward")]
pub(crate) fn rough(nanos: i128) -> f64 {
    i64::try_from(nanos).map_or_else(|_| nanos as f64 * 1e-9, rough_small)
}

#[inline]
#[expect(clippy::float_arithmetic, clippy::as_conversions, reason = "for the filter, which rounds outward")]
fn rough_small(nanos: i64) -> f64 {
    nanos as f64 * 1e-9
}

/// A holding before it has a place: what a portfolio is set to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) symbol: Symbol,
    pub(crate) units: Quantity,
    pub(crate) goal: Percentage,
}

impl Row {
    /// True if it is held and must not be.
    pub(crate) fn is_untargeted(&self) -> bool {
        self.goal.is_zero() && !self.units.is_zero()
    }
}

/// What is held and what has a target, both in symbol order, as one list.
pub(crate) fn merge(
    held: impl Iterator<Item = (Symbol, Quantity)>,
    targets: impl Iterator<Item = (Symbol, Percentage)>,
) -> Vec<Row> {
    let (mut held, mut targets) = (held.peekable(), targets.peekable());
    let mut rows = Vec::with_capacity(targets.size_hint().0.max(held.size_hint().0));
    loop {
        let symbol = match (held.peek(), targets.peek()) {
            (Some((a, _)), Some((b, _))) => (*a).min(*b),
            (Some((only, _)), None) | (None, Some((only, _))) => *only,
            (None, None) => return rows,
        };
        let units = held.next_if(|(s, _)| *s == symbol).map_or(Quantity::ZERO, |(_, units)| units);
        let goal = targets.next_if(|(s, _)| *s == symbol).map_or(Percentage::ZERO, |(_, goal)| goal);
        rows.push(Row { symbol, units, goal });
    }
}

impl Portfolio {
    /// The holding of the symbol at a place. Few: a portfolio's holdings are in the order of names, not of places.
    pub(crate) fn holding_mut(&mut self, symbol: u32) -> Option<&mut Holding> {
        self.holdings.iter_mut().find(|holding| holding.symbol == symbol)
    }
}

/// All portfolios by slot.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    portfolios: Vec<Option<Portfolio>>,
    free: Vec<u32>,
}

impl Slots {
    pub(crate) fn get(&self, slot: u32) -> Option<&Portfolio> {
        self.portfolios.get(index(slot))?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, slot: u32) -> Option<&mut Portfolio> {
        self.portfolios.get_mut(index(slot))?.as_mut()
    }

    /// A slot for one more, if there may be one; the lowest never used, or one that was left.
    pub(crate) fn next(&mut self, most: u32) -> Option<u32> {
        if let Some(slot) = self.free.pop() {
            return Some(slot);
        }
        let slot = u32::try_from(self.portfolios.len()).ok().filter(|slot| *slot < most)?;
        self.portfolios.push(None);
        Some(slot)
    }

    pub(crate) fn put(&mut self, slot: u32, portfolio: Portfolio) {
        if let Some(place) = self.portfolios.get_mut(index(slot)) {
            *place = Some(portfolio);
        }
    }

    pub(crate) fn take(&mut self, slot: u32) -> Option<Portfolio> {
        let portfolio = self.portfolios.get_mut(index(slot))?.take()?;
        self.free.push(slot);
        Some(portfolio)
    }

    pub(crate) const fn len(&self) -> usize {
        self.portfolios.len()
    }
}
