//! Price → drift: a wave of prices comes in, and the portfolios it puts out of band come out.
//!
//! Decides with the domain's exact comparison, for every portfolio that holds or targets a symbol of the wave. What to do about it is
//! [`Engine::rebalance`](crate::Engine::rebalance).

use crate::Engine;
use crate::board::Known;
use evenkeel_domain::books::{Definition, Market, NoPrice, Quote};
use evenkeel_domain::drift;
use evenkeel_domain::plan::Venue;
use evenkeel_domain::portfolio::{Portfolio, Standing};
use evenkeel_domain::valuation::{ReserveRule, Valuation, ValuationError};
use evenkeel_domain::values::{PortfolioId, Price, Symbol, Timestamp};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What a wave means for one portfolio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It is out of band.
    OutOfBand {
        /// Which.
        portfolio: PortfolioId,
    },
    /// It could not be judged: a price is stale, nothing is left to invest, or a figure passes its maximum.
    NotJudged {
        /// Which.
        portfolio: PortfolioId,
        /// Why.
        why: ValuationError,
    },
}

impl Finding {
    /// The portfolio it is about.
    #[must_use]
    pub const fn portfolio(&self) -> &PortfolioId {
        match self {
            Self::OutOfBand { portfolio } | Self::NotJudged { portfolio, .. } => portfolio,
        }
    }
}

impl Engine {
    /// Takes the prices of a wave, all of one time, and judges every active portfolio that holds or targets one of its symbols.
    ///
    /// Findings come in portfolio order. A portfolio is judged once every symbol it holds or targets has had a price; one in a pause,
    /// stale, quarantined or being rebalanced is not judged.
    ///
    /// A symbol that is not among the prices keeps the one it had, with its age. One that is given twice, which no
    /// [`PriceSource`](evenkeel_ports::PriceSource) may do, has the later one in the slice; the portfolio is still judged once.
    pub fn on_wave(&self, at: Timestamp, prices: &[(Symbol, Price)]) -> Vec<Finding> {
        let reserve = self.reserve();
        let mut known = self.board.known();
        for (symbol, price) in prices {
            self.is_believed(&mut known, *symbol, Quote { price: *price, at });
        }
        let known = &*known;
        // The common case in a replay: one portfolio, which needs no set of followers.
        if known.portfolios.len() == 1 {
            if !prices.iter().any(|(symbol, _)| known.followers.contains_key(symbol)) {
                return Vec::new();
            }
            return known.portfolios.values().filter_map(|p| self.judge(known, p, at, reserve)).collect();
        }
        let followers = prices.iter().filter_map(|(symbol, _)| known.followers.get(symbol)).flatten();
        let affected: BTreeSet<&PortfolioId> = followers.collect();
        let states = affected.into_iter().filter_map(|id| known.portfolios.get(id));
        states.filter_map(|portfolio| self.judge(known, portfolio, at, reserve)).collect()
    }

    /// A person accepts the doubtful price of `symbol`, after having looked why it moved so far. `None` if no price of it is doubtful.
    ///
    /// A split moves the price and the units at the broker: accept the one after the other was booked.
    pub fn accept_price(&self, symbol: Symbol) -> Option<Quote> {
        let accepted = Arc::make_mut(&mut self.board.known().prices).accept(symbol);
        self.board.bell.ring();
        accepted
    }

    /// Prices that are too far from the last to be believed, in symbol order: portfolios with these symbols are not planned for.
    #[must_use]
    pub fn doubtful_prices(&self) -> Vec<(Symbol, Quote)> {
        self.board.known().prices.doubtful().collect()
    }

    /// The last known state of a portfolio; `None` before it was added, loaded or worked on here.
    #[must_use]
    pub fn portfolio(&self, portfolio: &PortfolioId) -> Option<Arc<Portfolio>> {
        self.board.portfolio(portfolio)
    }

    /// Judges one portfolio at the last known prices, as a wave would.
    #[must_use]
    pub fn judge_now(&self, portfolio: &PortfolioId) -> Option<Finding> {
        let known = self.board.known();
        let state = known.portfolios.get(portfolio)?;
        self.judge(&known, state, self.ports.clock.now(), self.reserve())
    }

    /// Puts a price on the board. False if it is too far from the last to be believed.
    pub(crate) fn is_believed(&self, known: &mut Known, symbol: Symbol, quote: Quote) -> bool {
        let is_believed = known.set_price(symbol, quote, self.settings.max_price_jump);
        if !is_believed {
            tracing::warn!(%symbol, price = %quote.price, "a price too far from the last is doubted");
        }
        is_believed
    }

    pub(crate) fn reserve(&self) -> ReserveRule {
        let capabilities = self.ports.broker.capabilities();
        Venue { capabilities: &capabilities, check: &|_| Ok(()), attempts: self.settings.attempts }.reserve()
    }

    fn judge(&self, known: &Known, portfolio: &Portfolio, now: Timestamp, reserve: ReserveRule) -> Option<Finding> {
        let definition = portfolio.definition.as_ref()?;
        let paused = portfolio.pause.is_some_and(|pause| now < pause.until);
        if portfolio.standing != Standing::Active || paused {
            return None;
        }
        let market = Market { prices: &known.prices, now, max_age: self.settings.max_price_age };
        let valued = Valuation::new(&portfolio.books, &definition.allocation, &definition.policy, market, reserve);
        let out = valued.and_then(|v| drift::is_out_of_band(&v, &definition.policy.measure).map_err(Into::into));
        match out {
            Ok(true) => Some(Finding::OutOfBand { portfolio: portfolio.id.clone() }),
            Ok(false) | Err(ValuationError::NoPrice(NoPrice::Missing { .. })) => None,
            // Whatever came first in order: who lacks a price is not judged yet.
            Err(ValuationError::NoPrice(_)) if lacks_a_price(known, portfolio, definition) => None,
            Err(why) => Some(Finding::NotJudged { portfolio: portfolio.id.clone(), why }),
        }
    }
}

/// True if a symbol that it holds or targets has never had a price.
fn lacks_a_price(known: &Known, portfolio: &Portfolio, definition: &Definition) -> bool {
    let held = portfolio.books.holdings().map(|(symbol, _)| symbol);
    let targeted = definition.allocation.symbols().map(|(symbol, _)| symbol);
    held.chain(targeted).any(|symbol| known.prices.get(symbol).is_none())
}
