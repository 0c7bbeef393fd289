//! What a portfolio is worth at given prices, exactly, and how much of it may be invested.
//!
//! ```text
//! value            = cash + Σ price × units                  (18 decimals, never rounded)
//! held back        = cash buffer + standing reserve
//! investable value = value − held back                       weights and targets are shares of this
//! ```
//!
//! How far the result is from its targets is in [`crate::drift`].

use crate::allocation::TargetAllocation;
use crate::books::{Books, Market, NoPrice};
use crate::exact::share;
use crate::order::Costs;
use crate::policy::Policy;
use crate::values::{Money, Overflow, Percentage, Price, Quantity, Rounding, Symbol, Value};

/// A portfolio valued at the prices of one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Valuation {
    /// Every symbol that is held or has a target, in symbol order.
    pub lines: Vec<Line>,
    /// All cash.
    pub cash: Money,
    /// The target weight of cash; zero if it has none.
    pub cash_target: Percentage,
    /// Cash that is never invested: the buffer and the standing reserve.
    pub held_back: Money,
    /// Everything: cash and holdings.
    pub total: Value,
    /// What targets are shares of: always above zero.
    pub investable: Value,
}

/// One symbol of a valuation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Which.
    pub symbol: Symbol,
    /// Units held; may be zero.
    pub quantity: Quantity,
    /// The price of one.
    pub price: Price,
    /// Price × units, exact.
    pub value: Value,
    /// Its target weight; zero for a holding without a target.
    pub target: Percentage,
}

/// How much cash must stay so that a batch can always be paid back: for every symbol that is held or has a target, twice the declared
/// cost of trading max(value, target × total), with the latter rounded up at the 18th decimal; plus a cent per attempt where fills are rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReserveRule {
    /// What the broker declares a trade may cost.
    pub costs: Costs,
    /// Whether each fill may move a cent.
    pub fills_rounded: bool,
    /// How often a reverse order may be tried.
    pub attempts: u8,
}

impl ReserveRule {
    /// No reserve: for brokers without cost, and for looking at a portfolio apart from any broker.
    pub const NONE: Self = Self { costs: Costs::FREE, fills_rounded: false, attempts: 0 };
}

impl Valuation {
    /// Values `books` at the prices of `market`. A buffer below zero, which [`Policy::new`] refuses, counts as zero.
    ///
    /// # Errors
    /// [`ValuationError`] if a price is missing or stale, or nothing is left to invest.
    pub fn new(
        books: &Books,
        allocation: &TargetAllocation,
        policy: &Policy,
        market: Market<'_>,
        reserve: ReserveRule,
    ) -> Result<Self, ValuationError> {
        let lines = lines(books, allocation, market)?;
        Self::of_lines(lines, books.cash, allocation.cash(), policy.cash_buffer, reserve)
    }

    /// The same for lines that are valued already, in symbol order: for who keeps holdings in a form of its own.
    ///
    /// # Errors
    /// [`ValuationError`] if nothing is left to invest, or an amount passes what its type can hold.
    pub fn of_lines(
        lines: Vec<Line>,
        cash: Money,
        cash_target: Percentage,
        cash_buffer: Money,
        reserve: ReserveRule,
    ) -> Result<Self, ValuationError> {
        let mut total = cash.to_value();
        for line in &lines {
            total = total.add(line.value)?;
        }
        let reserved = reserve.of(lines.iter().map(|line| (line.value, line.target)), total)?;
        let held_back = cash_buffer.max(Money::ZERO).add(reserved)?;
        let investable = total.sub(held_back.to_value())?;
        if investable <= Value::ZERO {
            return Err(ValuationError::NothingToInvest { total, held_back });
        }
        Ok(Self { lines, cash, cash_target, held_back, total, investable })
    }

    /// Cash beyond what is held back; below zero while the reserve is being built up.
    ///
    /// # Errors
    /// [`Overflow`] beyond the range of [`Money`].
    pub fn free_cash(&self) -> Result<Money, Overflow> {
        self.cash.sub(self.held_back)
    }

    /// The line of `symbol`, if it is held or has a target.
    #[must_use]
    pub fn line(&self, symbol: Symbol) -> Option<&Line> {
        let place = self.lines.binary_search_by_key(&symbol, |line| line.symbol).ok()?;
        self.lines.get(place)
    }
}

/// Holdings and targets, both in symbol order, merged into one list.
fn lines(books: &Books, allocation: &TargetAllocation, market: Market<'_>) -> Result<Vec<Line>, NoPrice> {
    let mut lines = Vec::with_capacity(books.holdings().len());
    let mut held = books.holdings().peekable();
    let mut targets = allocation.symbols().peekable();
    let mut prices = market.prices.ascending();
    loop {
        let symbol = match (held.peek(), targets.peek()) {
            (Some((a, _)), Some((b, _))) => (*a).min(*b),
            (Some((only, _)), None) | (None, Some((only, _))) => *only,
            (None, None) => return Ok(lines),
        };
        let quantity = held.next_if(|(s, _)| *s == symbol).map_or(Quantity::ZERO, |(_, quantity)| quantity);
        let target = targets.next_if(|(s, _)| *s == symbol).map_or(Percentage::ZERO, |(_, weight)| weight);
        let price = market.price_among(&mut prices, symbol)?;
        lines.push(Line { symbol, quantity, price, value: price.times(quantity), target });
    }
}

impl ReserveRule {
    /// The reserve of a portfolio worth `total`, given the value and the target of each of its holdings.
    ///
    /// # Errors
    /// [`Overflow`] beyond the range of [`Money`].
    pub fn of(&self, holdings: impl IntoIterator<Item = (Value, Percentage)>, total: Value) -> Result<Money, Overflow> {
        if self.costs.is_free() && !self.fills_rounded {
            return Ok(Money::ZERO);
        }
        let mut reserve = Money::ZERO;
        for (value, target) in holdings {
            let largest = value.max(share(total.max(Value::ZERO), target, Rounding::Up)?);
            let once = self.costs.of(largest)?;
            reserve = reserve.add(once)?.add(once)?;
            if self.fills_rounded {
                for _ in 0..self.attempts {
                    reserve = reserve.add(Money::CENT)?;
                }
            }
        }
        Ok(reserve)
    }
}

/// A portfolio that cannot be valued or has nothing to invest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValuationError {
    /// A price is missing or stale.
    #[error(transparent)]
    NoPrice(#[from] NoPrice),
    /// Nothing is left once the cash buffer and the reserve are set aside.
    #[error("there is nothing to invest: the portfolio is worth {total}, of which {held_back} are held back")]
    NothingToInvest {
        /// What it is worth.
        total: Value,
        /// Buffer and reserve.
        held_back: Money,
    },
    /// An amount beyond what its type can hold.
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

#[cfg(test)]
mod tests;
