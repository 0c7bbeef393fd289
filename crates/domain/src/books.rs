//! What a portfolio owns, what it is defined to be, and the prices it is judged at. Plain data with exact updates.
//!
//! Books change only through records (see [`crate::record`]); how they are valued is in [`crate::valuation`].

use crate::allocation::TargetAllocation;
use crate::policy::Policy;
use crate::sorted::{self, Sorted};
use crate::values::{AccountId, Currency, Money, Percentage, Price, Quantity, QuantityError, Symbol, Timestamp};
use std::collections::BTreeMap;
use std::time::Duration;

/// Cash and units: what the journal says a portfolio owns. A symbol with zero units is absent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Books {
    /// Cash; below zero only where a broker let it happen.
    pub cash: Money,
    units: Sorted<Symbol, Quantity>,
}

impl Books {
    /// Books with this cash and these units; zero units are dropped.
    #[must_use]
    pub fn new(cash: Money, units: impl IntoIterator<Item = (Symbol, Quantity)>) -> Self {
        let units = units.into_iter();
        let mut held = Vec::with_capacity(units.size_hint().0);
        held.extend(units.filter(|(_, quantity)| !quantity.is_zero()));
        Self { cash, units: held.into() }
    }

    /// Units of `symbol`; zero if none are held.
    #[must_use]
    pub fn units(&self, symbol: Symbol) -> Quantity {
        self.units.get(symbol).copied().unwrap_or(Quantity::ZERO)
    }

    /// Every symbol held with its units, in symbol order.
    pub fn holdings(&self) -> impl ExactSizeIterator<Item = (Symbol, Quantity)> {
        self.units.entries().iter().copied()
    }

    /// Sets the units of `symbol`.
    pub fn set_units(&mut self, symbol: Symbol, quantity: Quantity) {
        if quantity.is_zero() {
            self.units.remove(symbol);
        } else {
            self.units.insert(symbol, quantity);
        }
    }

    /// Adds bought units.
    ///
    /// # Errors
    /// [`QuantityError::Overflow`] beyond the maximum of [`Quantity`].
    pub fn add_units(&mut self, symbol: Symbol, quantity: Quantity) -> Result<(), QuantityError> {
        match self.units.get_mut(symbol) {
            Some(held) => *held = held.add(quantity)?,
            None => self.set_units(symbol, quantity),
        }
        Ok(())
    }

    /// Takes sold units away.
    ///
    /// # Errors
    /// [`QuantityError::WouldBeNegative`] if fewer are held.
    pub fn remove_units(&mut self, symbol: Symbol, quantity: Quantity) -> Result<(), QuantityError> {
        let Some(held) = self.units.get_mut(symbol) else { return Quantity::ZERO.sub(quantity).map(drop) };
        *held = held.sub(quantity)?;
        if held.is_zero() {
            self.units.remove(symbol);
        }
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

/// The last known price of each symbol, and prices that are too far from it to be believed.
///
/// Kept in symbol order: a price of a symbol that has one takes a search by halves, the first of a symbol moves those behind it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prices {
    accepted: Sorted<Symbol, Quote>,
    doubtful: BTreeMap<Symbol, Quote>,
}

impl Prices {
    /// Sets the price of `symbol`, unless a newer one is known already. A doubtful one stays if it is newer.
    pub fn set(&mut self, symbol: Symbol, quote: Quote) {
        match self.accepted.get_mut(symbol) {
            Some(known) if known.at > quote.at => return,
            Some(known) => *known = quote,
            None => self.accepted.insert(symbol, quote),
        }
        if self.doubtful.get(&symbol).is_some_and(|doubtful| doubtful.at <= quote.at) {
            self.doubtful.remove(&symbol);
        }
    }

    /// Sets the price of `symbol`, unless it is further than `max_jump` from the last that was accepted: then it is doubtful, and the symbol
    /// [has no price](NoPrice::Jumped) until one comes that is near enough and not older, or a person [accepts](Self::accept) it. False if so.
    ///
    /// The first price of a symbol is accepted. At the limit is near enough; compared exactly. A price that is older than the accepted one is no
    /// news, however far it is.
    pub fn offer(&mut self, symbol: Symbol, quote: Quote, max_jump: Percentage) -> bool {
        let last = self.accepted.get(symbol);
        let is_near = last.is_none_or(|last| quote.at < last.at || is_near(last.price, quote.price, max_jump));
        if is_near {
            self.set(symbol, quote);
        } else if self.doubtful.get(&symbol).is_none_or(|doubtful| doubtful.at <= quote.at) {
            self.doubtful.insert(symbol, quote);
        }
        is_near
    }

    /// A person accepts the doubtful price of `symbol`. `None` if none is.
    pub fn accept(&mut self, symbol: Symbol) -> Option<Quote> {
        let quote = self.doubtful.remove(&symbol)?;
        self.set(symbol, quote);
        Some(quote)
    }

    /// Every doubtful price, in symbol order.
    pub fn doubtful(&self) -> impl ExactSizeIterator<Item = (Symbol, Quote)> {
        self.doubtful.iter().map(|(symbol, quote)| (*symbol, *quote))
    }

    /// The last accepted price of `symbol`.
    #[must_use]
    pub fn get(&self, symbol: Symbol) -> Option<Quote> {
        self.accepted.get(symbol).copied()
    }

    /// The newest price of `symbol`, whether it is believed or not: what its market says now.
    #[must_use]
    pub fn newest(&self, symbol: Symbol) -> Option<Quote> {
        self.ascending().newest(symbol)
    }

    /// When the oldest of these accepted prices was made; symbols without one are passed over. Quickest where the symbols ascend.
    #[must_use]
    pub fn oldest(&self, symbols: impl IntoIterator<Item = Symbol>) -> Option<Timestamp> {
        let mut prices = self.ascending();
        symbols.into_iter().filter_map(|symbol| Some(prices.accepted.get(symbol)?.at)).min()
    }

    /// To look up many symbols that mostly ascend.
    #[inline]
    pub(crate) fn ascending(&self) -> AscendingPrices<'_> {
        AscendingPrices { accepted: self.accepted.ascending(), doubtful: &self.doubtful }
    }

    /// Every accepted price, in symbol order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (Symbol, Quote)> {
        self.accepted.entries().iter().copied()
    }
}

impl FromIterator<(Symbol, Quote)> for Prices {
    fn from_iter<I: IntoIterator<Item = (Symbol, Quote)>>(quotes: I) -> Self {
        Self { accepted: quotes.into_iter().collect(), doubtful: BTreeMap::new() }
    }
}

/// Prices that are looked up one after the other. See [`Prices::ascending`].
pub(crate) struct AscendingPrices<'a> {
    accepted: sorted::Ascending<'a, Symbol, Quote>,
    doubtful: &'a BTreeMap<Symbol, Quote>,
}

impl AscendingPrices<'_> {
    /// As [`Prices::newest`].
    pub(crate) fn newest(&mut self, symbol: Symbol) -> Option<Quote> {
        let (accepted, doubtful) = (self.accepted.get(symbol).copied(), self.doubtful.get(&symbol).copied());
        accepted.into_iter().chain(doubtful).max_by_key(|quote| quote.at)
    }
}

/// |found − last| <= max_jump × last, exactly: in billionths of money and millionths of the whole.
pub(crate) fn is_near(last: Price, found: Price, max_jump: Percentage) -> bool {
    let distance = u128::from(last.nanos().abs_diff(found.nanos())).saturating_mul(1_000_000);
    let allowed = u128::try_from(max_jump.units()).unwrap_or(0).saturating_mul(u128::from(last.nanos()));
    distance <= allowed
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
    /// [`NoPrice`] if there is none, only an older one, or one that is not to be believed.
    pub fn price(&self, symbol: Symbol) -> Result<Price, NoPrice> {
        self.price_among(&mut self.prices.ascending(), symbol)
    }

    /// The same, of prices that are looked up one after the other.
    #[inline]
    pub(crate) fn price_among(&self, prices: &mut AscendingPrices<'_>, symbol: Symbol) -> Result<Price, NoPrice> {
        let quote = prices.accepted.get(symbol).ok_or(NoPrice::Missing { symbol })?;
        if let Some(found) = prices.doubtful.get(&symbol) {
            return Err(NoPrice::Jumped { symbol, accepted: quote.price, found: found.price });
        }
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
    /// The last price is too far from the one before.
    #[error(
        "the price of {symbol} went from {accepted} to {found} at once: a person must accept that, or a price near {accepted} must come"
    )]
    Jumped {
        /// Whose.
        symbol: Symbol,
        /// The last that was accepted.
        accepted: Price,
        /// The doubtful one.
        found: Price,
    },
}

#[cfg(test)]
mod tests;
