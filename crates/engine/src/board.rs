//! What the engine remembers between calls: the last prices, and the last known state of each portfolio.
//!
//! Nothing here is the truth: the journal is. A state is used for judging drift, and as a start that the journal's head confirms
//! before anything is done.

use crate::bell::Bell;
use evenkeel_domain::books::{Books, Prices, Quote};
use evenkeel_domain::plan::Plan;
use evenkeel_domain::portfolio::{Portfolio, Standing};
use evenkeel_domain::values::{AccountId, Percentage, PortfolioId, Symbol};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Default)]
pub(crate) struct Board {
    known: Mutex<Known>,
    /// Rung when something changes here that a dispatcher may wait for.
    pub(crate) bell: Bell,
}

/// Everything on the board.
#[derive(Default)]
pub(crate) struct Known {
    /// Shared with plans that are being made: a wave that comes meanwhile copies them first.
    pub(crate) prices: Arc<Prices>,
    pub(crate) portfolios: BTreeMap<PortfolioId, Arc<Portfolio>>,
    /// Who holds or targets a symbol.
    pub(crate) followers: BTreeMap<Symbol, BTreeSet<PortfolioId>>,
    /// Whose an account is. One portfolio's, or the journal has two of one account.
    pub(crate) accounts: BTreeMap<AccountId, BTreeSet<PortfolioId>>,
    /// The last plan that was not worth a batch, so that it is reported once.
    reported: BTreeMap<PortfolioId, Vec<String>>,
    /// Whose state was put here since a dispatcher last looked; nothing is noted before one is there.
    changed: Option<BTreeSet<PortfolioId>>,
    /// How often a halt was taken back here.
    pub(crate) releases: u64,
}

impl Board {
    /// A panic in the middle of an update leaves nothing that the journal does not correct.
    pub(crate) fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn portfolio(&self, id: &PortfolioId) -> Option<Arc<Portfolio>> {
        self.known().portfolios.get(id).cloned()
    }

    /// Remembers a state that the journal confirmed. An older one than is known is not news: whoever read it has no lease, and was slow.
    pub(crate) fn put(&self, portfolio: Arc<Portfolio>) {
        self.known().put(portfolio);
    }

    /// Notes that a portfolio may have changed, or may be worked on again.
    pub(crate) fn note(&self, portfolio: &PortfolioId) {
        self.known().note(portfolio);
        self.bell.ring();
    }

    /// Notes that a halt was taken back.
    pub(crate) fn released(&self) {
        let mut known = self.known();
        known.releases = known.releases.wrapping_add(1);
        drop(known);
        self.bell.ring();
    }

    /// Not to be kept over anything that waits: while somebody has them, a wave copies all of them.
    pub(crate) fn prices(&self) -> Arc<Prices> {
        Arc::clone(&self.known().prices)
    }
}

impl Known {
    /// False if the price is doubtful.
    pub(crate) fn set_price(&mut self, symbol: Symbol, quote: Quote, max_jump: Option<Percentage>) -> bool {
        let prices = Arc::make_mut(&mut self.prices);
        match max_jump {
            Some(max_jump) => prices.offer(symbol, quote, max_jump),
            None => {
                prices.set(symbol, quote);
                true
            }
        }
    }

    /// Notes from now on who changes; to begin with, everybody.
    pub(crate) fn note_changes(&mut self) {
        self.changed = Some(self.portfolios.keys().cloned().collect());
    }

    /// Who has changed since the last time, in order.
    pub(crate) fn take_changed(&mut self) -> BTreeSet<PortfolioId> {
        self.changed.as_mut().map(std::mem::take).unwrap_or_default()
    }

    fn note(&mut self, portfolio: &PortfolioId) {
        if let Some(changed) = &mut self.changed {
            changed.insert(portfolio.clone());
        }
    }

    fn put(&mut self, portfolio: Arc<Portfolio>) {
        let id = portfolio.id.clone();
        if self.portfolios.get(&id).is_some_and(|known| known.sequence > portfolio.sequence) {
            return;
        }
        self.note(&id);
        let now = Arc::clone(&portfolio);
        let before = self.portfolios.insert(id.clone(), portfolio);
        if before.as_deref().is_none_or(|before| !has_same_symbols(before, &now)) {
            self.follow(&id, before.as_deref(), &now);
        }
    }

    fn follow(&mut self, id: &PortfolioId, before: Option<&Portfolio>, now: &Portfolio) {
        self.move_account(id, before.and_then(account), account(now).cloned());
        let (before, now) = (before.map(followed).unwrap_or_default(), followed(now));
        for symbol in before.difference(&now) {
            if let Some(followers) = self.followers.get_mut(symbol) {
                followers.remove(id);
            }
        }
        for symbol in now.difference(&before) {
            self.followers.entry(*symbol).or_default().insert(id.clone());
        }
    }

    fn move_account(&mut self, id: &PortfolioId, before: Option<&AccountId>, now: Option<AccountId>) {
        if before == now.as_ref() {
            return;
        }
        if let Some((account, owners)) = before.and_then(|account| Some((account, self.accounts.get_mut(account)?))) {
            owners.remove(id);
            if owners.is_empty() {
                self.accounts.remove(account);
            }
        }
        if let Some(account) = now {
            self.accounts.entry(account).or_default().insert(id.clone());
        }
    }

    /// True if this finding differs from the last one reported for the portfolio.
    pub(crate) fn is_news(&mut self, id: &PortfolioId, plan: &Plan) -> bool {
        let finding: Vec<String> = plan.assessment.breaches.iter().map(|b| b.target.to_string()).collect();
        self.reported.insert(id.clone(), finding.clone()).is_none_or(|before| before != finding)
    }
}

/// True if a portfolio is defined as before and holds the same symbols, as after most batches. Then it is followed as before.
fn has_same_symbols(before: &Portfolio, now: &Portfolio) -> bool {
    let symbols = |portfolio| Books::holdings(portfolio).map(|(symbol, _)| symbol);
    let defined_alike = match (&before.definition, &now.definition) {
        (Some(before), Some(now)) => Arc::ptr_eq(before, now),
        (before, now) => before.is_none() && now.is_none(),
    };
    let looked_after_alike = before.is_looked_after() == now.is_looked_after();
    defined_alike && looked_after_alike && symbols(&before.books).eq(symbols(&now.books))
}

/// The account of a portfolio that is looked after.
fn account(portfolio: &Portfolio) -> Option<&AccountId> {
    portfolio.definition.as_ref().filter(|_| portfolio.is_looked_after()).map(|definition| &definition.account)
}

/// Every symbol a portfolio holds or targets.
fn followed(portfolio: &Portfolio) -> BTreeSet<Symbol> {
    let Some(definition) = portfolio.definition.as_ref().filter(|_| portfolio.standing != Standing::Absent) else {
        return BTreeSet::new();
    };
    let targets = definition.allocation.symbols().map(|(symbol, _)| symbol);
    portfolio.books.holdings().map(|(symbol, _)| symbol).chain(targets).collect()
}
