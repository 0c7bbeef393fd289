//! What a portfolio owns, what it is defined to be, and the prices it is judged at. Plain data with exact updates.
//!
//! Books change only through records (see [`crate::record`]); how they are valued is in [`crate::valuation`].

use crate::allocation::TargetAllocation;
use crate::policy::Policy;
use crate::values::{AccountId, Currency, Money, Price, Quantity, QuantityError, Symbol, Timestamp};
use std::collections::BTreeMap;
use std::time::Duration;

/// Cash and units: what the journal says a portfolio owns. A symbol with zero units is absent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Books {
    /// Cash; below zero only where a broker let it happen.
    pub cash: Money,
    units: BTreeMap<Symbol, Quantity>,
}

impl Books {
    /// Books with this cash and these units; zero units are dropped.
    #[must_use]
    pub fn new(cash: Money, units: impl IntoIterator<Item = (Symbol, Quantity)>) -> Self {
        let units = units.into_iter().filter(|(_, quantity)| !quantity.is_zero()).collect();
        Self { cash, units }
    }

    /// Units of `symbol`; zero if none are held.
    #[must_use]
    pub fn units(&self, symbol: Symbol) -> Quantity {
        self.units.get(&symbol).copied().unwrap_or(Quantity::ZERO)
    }

    /// Every symbol held with its units, in symbol order.
    pub fn holdings(&self) -> impl ExactSizeIterator<Item = (Symbol, Quantity)> {
        self.units.iter().map(|(symbol, quantity)| (*symbol, *quantity))
    }

    /// Sets the units of `symbol`.
    pub fn set_units(&mut self, symbol: Symbol, quantity: Quantity) {
        if quantity.is_zero() {
            self.units.remove(&symbol);
        } else {
            self.units.insert(symbol, quantity);
        }
    }

    /// Adds bought units.
    ///
    /// # Errors
    /// [`QuantityError::Overflow`] beyond the maximum of [`Quantity`].
    pub fn add_units(&mut self, symbol: Symbol, quantity: Quantity) -> Result<(), QuantityError> {
        self.set_units(symbol, self.units(symbol).add(quantity)?);
        Ok(())
    }

    /// Takes sold units away.
    ///
    /// # Errors
    /// [`QuantityError::WouldBeNegative`] if fewer are held.
    pub fn remove_units(&mut self, symbol: Symbol, quantity: Quantity) -> Result<(), QuantityError> {
        self.set_units(symbol, self.units(symbol).sub(quantity)?);
        Ok(())
    }
}

/// What a portfolio is: where it trades, in which currency, towards which targets, under which policy.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Definition {
    /// The account at the broker. One portfolio is one account.
    pub account: AccountId,
    /// The one currency of everything in it.
    pub currency: Currency,
    /// Its targets.
    pub allocation: TargetAllocation,
    /// When to act, and what to leave alone.
    pub policy: Policy,
}

/// A price and the time it is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Quote {
    /// The price of one unit.
    pub price: Price,
    /// When it was made.
    pub at: Timestamp,
}

/// The last known price of each symbol.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prices(BTreeMap<Symbol, Quote>);

impl Prices {
    /// Sets the price of `symbol`, unless a newer one is known already.
    pub fn set(&mut self, symbol: Symbol, quote: Quote) {
        let known = self.0.entry(symbol).or_insert(quote);
        if known.at <= quote.at {
            *known = quote;
        }
    }

    /// The last price of `symbol`.
    #[must_use]
    pub fn get(&self, symbol: Symbol) -> Option<Quote> {
        self.0.get(&symbol).copied()
    }

    /// Every quote, in symbol order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (Symbol, Quote)> {
        self.0.iter().map(|(symbol, quote)| (*symbol, *quote))
    }
}

impl FromIterator<(Symbol, Quote)> for Prices {
    fn from_iter<I: IntoIterator<Item = (Symbol, Quote)>>(quotes: I) -> Self {
        Self(quotes.into_iter().collect())
    }
}

/// The prices of one moment and how old one of them may be.
#[derive(Debug, Clone, Copy)]
pub struct Market<'a> {
    /// The last known prices.
    pub prices: &'a Prices,
    /// The moment.
    pub now: Timestamp,
    /// How old a price may be; `None` means it never grows stale.
    pub max_age: Option<Duration>,
}

impl<'a> Market<'a> {
    /// Prices that never grow stale.
    #[must_use]
    pub const fn ageless(prices: &'a Prices) -> Self {
        Self { prices, now: Timestamp::EPOCH, max_age: None }
    }

    /// The price of `symbol`, if there is one that is fresh enough.
    ///
    /// # Errors
    /// [`NoPrice`] if there is none, or only an older one.
    pub fn price(&self, symbol: Symbol) -> Result<Price, NoPrice> {
        let quote = self.prices.get(symbol).ok_or(NoPrice::Missing { symbol })?;
        match self.max_age {
            Some(allowed) if self.now.since(quote.at) > allowed => {
                Err(NoPrice::Stale { symbol, age: self.now.since(quote.at), allowed })
            }
            _ => Ok(quote.price),
        }
    }
}

/// A symbol that cannot be priced now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoPrice {
    /// There has never been a price.
    #[error("there is no price for {symbol}")]
    Missing {
        /// Whose.
        symbol: Symbol,
    },
    /// The last price is too old.
    #[error("the price of {symbol} is {} s old: at most {} s are allowed", age.as_secs(), allowed.as_secs())]
    Stale {
        /// Whose.
        symbol: Symbol,
        /// How old it is.
        age: Duration,
        /// How old it may be.
        allowed: Duration,
    },
}

#[cfg(test)]
mod tests;
