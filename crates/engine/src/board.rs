//! What the engine remembers between calls: the last prices, and the last known state of each portfolio.
//!
//! Nothing here is the truth: the journal is. A state is used for judging drift, and as a start that the journal's head confirms
//! before anything is done.

use evenkeel_domain::books::{Prices, Quote};
use evenkeel_domain::plan::Plan;
use evenkeel_domain::portfolio::{Portfolio, Standing};
use evenkeel_domain::values::{Percentage, PortfolioId, Symbol};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Default)]
pub(crate) struct Board(Mutex<Known>);

/// Everything on the board.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) prices: Prices,
    pub(crate) portfolios: BTreeMap<PortfolioId, Arc<Portfolio>>,
    /// Who holds or targets a symbol.
    pub(crate) followers: BTreeMap<Symbol, BTreeSet<PortfolioId>>,
    /// The last plan that was not worth a batch, so that it is reported once.
    reported: BTreeMap<PortfolioId, Vec<String>>,
}

impl Board {
    /// A panic in the middle of an update leaves nothing that the journal does not correct.
    pub(crate) fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn portfolio(&self, id: &PortfolioId) -> Option<Arc<Portfolio>> {
        self.known().portfolios.get(id).cloned()
    }

    pub(crate) fn prices(&self) -> Prices {
        self.known().prices.clone()
    }
}

impl Known {
    /// False if the price is doubtful.
    pub(crate) fn set_price(&mut self, symbol: Symbol, quote: Quote, max_jump: Option<Percentage>) -> bool {
        match max_jump {
            Some(max_jump) => self.prices.offer(symbol, quote, max_jump),
            None => {
                self.prices.set(symbol, quote);
                true
            }
        }
    }

    /// Remembers a state that the journal confirmed.
    pub(crate) fn put(&mut self, portfolio: Arc<Portfolio>) {
        let id = portfolio.id.clone();
        let now = followed(&portfolio);
        let before = self.portfolios.insert(id.clone(), portfolio).map(|p| followed(&p)).unwrap_or_default();
        for symbol in before.difference(&now) {
            if let Some(followers) = self.followers.get_mut(symbol) {
                followers.remove(&id);
            }
        }
        for symbol in now.difference(&before) {
            self.followers.entry(*symbol).or_default().insert(id.clone());
        }
    }

    /// True if this finding differs from the last one reported for the portfolio.
    pub(crate) fn is_news(&mut self, id: &PortfolioId, plan: &Plan) -> bool {
        let finding: Vec<String> = plan.assessment.breaches.iter().map(|b| b.target.to_string()).collect();
        self.reported.insert(id.clone(), finding.clone()).is_none_or(|before| before != finding)
    }
}

/// Every symbol a portfolio holds or targets.
fn followed(portfolio: &Portfolio) -> BTreeSet<Symbol> {
    let Some(definition) = portfolio.definition.as_ref().filter(|_| portfolio.standing != Standing::Absent) else {
        return BTreeSet::new();
    };
    let targets = definition.allocation.symbols().map(|(symbol, _)| symbol);
    portfolio.books.holdings().map(|(symbol, _)| symbol).chain(targets).collect()
}
