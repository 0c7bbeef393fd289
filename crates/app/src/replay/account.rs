//! One portfolio in a replay: its own engine, broker, journal and clock, so that nothing it does depends on another.
//!
//! Time: a wave is applied at its time; then whatever the wave set off runs until the time of the next wave, which is a waiter
//! like any other. A batch that is still open then sees the new prices, and the portfolio is judged again at the first wave after it is closed.
//!
//! Most waves set nothing off, and most accounts are not even shown them: the fleet watches those that are [at rest](Account::is_at_rest), and
//! whoever is found out of band catches up first with the prices it missed. Who is out of band is still for its engine to say.
//!
//! With a store, waves up to the portfolio's last batch only set prices: what they set off has happened. A batch that was left open is finished
//! at the time and the prices of its wave.

use super::lines::{Line, Lines, PortfolioLine};
use super::market::Market;
use crate::exit;
use crate::wiring::{Simulation, SimulationPlan};
use evenkeel_domain::books::Quote;
use evenkeel_domain::decide::Refusal;
use evenkeel_domain::portfolio::{Portfolio, Standing};
use evenkeel_domain::record::Outcome;
use evenkeel_domain::valuation::ReserveRule;
use evenkeel_domain::values::{PortfolioId, Price, Symbol, Timestamp};
use evenkeel_engine::{EngineError, Finding, Rebalanced};
use evenkeel_ports::Wave;
use evenkeel_watch::Watch;
use std::pin::Pin;
use std::sync::Arc;

type Rebalance = Pin<Box<dyn Future<Output = Result<Rebalanced, EngineError>> + Send>>;

pub(crate) struct Account {
    id: PortfolioId,
    simulation: Simulation,
    market: Arc<Market>,
    /// Every symbol it holds or targets, in order, with the last price that its engine was told.
    prices: Vec<(Symbol, Option<Quote>)>,
    /// The rebalance under way, if it waits for anything.
    open: Option<Rebalance>,
    /// Waves up to this one only set prices: a batch was opened on it.
    done_until: Timestamp,
    /// So do waves before this time: of the portfolio, more recent things are on record.
    resumed_at: Timestamp,
    /// When the batch was opened that is to be finished first.
    left_open: Option<Timestamp>,
    /// The last thing that kept it from being rebalanced, so that it is said once.
    refused: Option<String>,
}

impl Account {
    /// Opens the account at its broker and adds the portfolio to its engine.
    pub(crate) fn new(plan: SimulationPlan, start: Timestamp) -> Result<Self, EngineError> {
        let id = plan.id.clone();
        let targets: Vec<Symbol> = plan.definition.allocation.symbols().map(|(symbol, _)| symbol).collect();
        let market = Arc::new(Market::default());
        let simulation = Simulation::lean(plan, start, market.clone())?;
        let broker = Arc::clone(&simulation.broker);
        market.at(move |prices| broker.set_prices(prices));
        let state = simulation.engine.portfolio(&id);
        let left_open = state.as_ref().and_then(|state| state.batch.as_ref()).map(|batch| batch.opened_at);
        let done_until = state.as_deref().and_then(Portfolio::last_opened).unwrap_or(Timestamp::MIN);
        let resumed_at = simulation.resumed_at.unwrap_or(Timestamp::MIN);
        let held = state.iter().flat_map(|state| state.books.holdings()).map(|(symbol, _)| symbol);
        let mut symbols: Vec<Symbol> = targets.into_iter().chain(held).collect();
        symbols.sort_unstable();
        symbols.dedup();
        let prices = symbols.into_iter().map(|symbol| (symbol, None)).collect();
        let (open, refused) = (None, None);
        Ok(Self { id, simulation, market, prices, open, done_until, resumed_at, left_open, refused })
    }

    /// Which portfolio it is.
    pub(crate) fn id(&self) -> &PortfolioId {
        &self.id
    }

    /// A watch that judges by the rules of this account, which are those of all accounts of a replay.
    pub(crate) fn watch(&self) -> Watch {
        let settings = self.simulation.engine.settings();
        let reserve = self.reserve();
        Watch::new(evenkeel_watch::Settings { reserve, max_age: settings.max_price_age })
    }

    /// Has the portfolio watched as it is now. False if it cannot be: there is no room, or it was never added.
    pub(crate) fn be_watched(&self, watch: &mut Watch) -> bool {
        let Some(state) = self.state() else { return false };
        let insert = |definition, watch: &mut Watch| watch.insert(&self.id, definition, &state.books).is_ok();
        watch.set_books(&self.id, &state.books) || state.definition.as_ref().is_some_and(|now| insert(now, watch))
    }

    /// True if waves that leave the portfolio inside its band change nothing here. Where jumps of prices are doubted, every price counts.
    pub(crate) fn is_at_rest(&self) -> bool {
        let doubts = self.simulation.engine.settings().max_price_jump.is_some();
        self.open.is_none() && self.left_open.is_none() && self.refused.is_none() && !doubts
    }

    /// Acts on a wave, and goes on until `next`, or to the end of what was set off if there is no next wave. `newest` has the last price of a
    /// symbol, this wave included.
    pub(crate) fn wave(
        &mut self,
        wave: &Wave,
        next: Option<Timestamp>,
        newest: impl Fn(Symbol) -> Option<Quote>,
        lines: &mut Lines,
    ) -> Result<(), EngineError> {
        let missed = self.take_prices(newest);
        if missed.last().is_none_or(|(_, quote)| quote.at != wave.at) {
            return self.go_on(wave, next, lines);
        }
        self.simulation.clock.advance_to(wave.at);
        if self.open.is_some() {
            self.simulation.broker.set_prices(missed.iter().map(|(symbol, quote)| (*symbol, quote.price)));
        }
        let finding = self.tell_the_engine(&missed);
        if self.left_open.is_some_and(|opened_at| wave.at >= opened_at) {
            self.left_open = None;
            self.finish_what_was_left();
        } else if self.open.is_none() && self.is_priced() && self.left_open.is_none() && self.is_news(wave.at) {
            match finding {
                Some(Finding::OutOfBand { .. }) => self.start(),
                Some(Finding::NotJudged { why, .. }) => self.refuse(wave, why.to_string(), lines),
                None => self.refused = None,
            }
        }
        self.go_on(wave, next, lines)
    }

    fn is_news(&self, at: Timestamp) -> bool {
        at > self.done_until && at >= self.resumed_at
    }

    fn is_priced(&self) -> bool {
        self.prices.iter().all(|(_, quote)| quote.is_some())
    }

    /// Notes the last price of each symbol, and gives those that are new here, in the order of time.
    pub(crate) fn take_prices(&mut self, newest: impl Fn(Symbol) -> Option<Quote>) -> Vec<(Symbol, Quote)> {
        let mut missed = Vec::with_capacity(self.prices.len());
        for (symbol, last) in &mut self.prices {
            if let Some(quote) = newest(*symbol).filter(|quote| *last != Some(*quote)) {
                *last = Some(quote);
                missed.push((*symbol, quote));
            }
        }
        missed.sort_by_key(|(_, quote)| quote.at);
        missed
    }

    /// Tells the engine of prices, wave by wave, and gives what it says to the last.
    fn tell_the_engine(&self, missed: &[(Symbol, Quote)]) -> Option<Finding> {
        let mut finding = None;
        for wave in missed.chunk_by(|(_, one), (_, other)| one.at == other.at) {
            let prices: Vec<(Symbol, Price)> = wave.iter().map(|(symbol, quote)| (*symbol, quote.price)).collect();
            let at = wave.first().map_or(Timestamp::MIN, |(_, quote)| quote.at);
            finding = self.simulation.engine.on_wave(at, &prices).pop();
        }
        finding
    }

    fn start(&mut self) {
        self.tell_the_market();
        let (engine, id) = (Arc::clone(&self.simulation.engine), self.id.clone());
        self.open = Some(Box::pin(async move { engine.rebalance(&id).await }));
    }

    fn tell_the_market(&self) {
        self.market.will_be(self.prices.iter().filter_map(|(symbol, quote)| Some((*symbol, (*quote)?.price))));
    }

    /// Takes over the batch that a process left open when it ended.
    fn finish_what_was_left(&mut self) {
        self.tell_the_market();
        let (engine, id) = (Arc::clone(&self.simulation.engine), self.id.clone());
        self.open = Some(Box::pin(async move {
            match engine.recover_one(&id).await? {
                Some(report) if report.outcome != Outcome::Abandoned => Ok(Rebalanced::Batch(Box::new(report))),
                // Nothing of it had been sent: the wave is looked at again.
                Some(_) => engine.rebalance(&id).await,
                // Somebody else has finished it since it was read here, and gone on: this wave is of the past.
                None => Err(EngineError::LeaseLost { portfolio: id }),
            }
        }));
    }

    fn go_on(&mut self, wave: &Wave, next: Option<Timestamp>, lines: &mut Lines) -> Result<(), EngineError> {
        let Some(mut open) = self.open.take() else { return Ok(()) };
        match self.simulation.clock.poll_until(open.as_mut(), next.unwrap_or(Timestamp::MAX)) {
            None => {
                self.open = Some(open);
                Ok(())
            }
            Some(done) => self.done(wave, done, lines),
        }
    }

    fn done(
        &mut self,
        wave: &Wave,
        done: Result<Rebalanced, EngineError>,
        lines: &mut Lines,
    ) -> Result<(), EngineError> {
        match done {
            Ok(Rebalanced::Batch(report)) => {
                self.refused = None;
                lines.push(Line::rebalance(&wave.label, &self.id, &report));
            }
            Ok(Rebalanced::InBand(_)) => {}
            Ok(Rebalanced::NotWorthwhile { plan, news }) => {
                if news {
                    lines.push(Line::finding(&wave.label, &self.id, &plan));
                }
            }
            Err(EngineError::Plan { cause, .. }) => self.refuse(wave, cause.to_string(), lines),
            Err(
                error @ (EngineError::Stale { .. }
                | EngineError::Quarantined { .. }
                | EngineError::Paused { .. }
                | EngineError::Halted { .. }
                | EngineError::Refused { cause: Refusal::Limit(_), .. }),
            ) => {
                self.refuse(wave, error.to_string(), lines);
            }
            // Time is this process's own: it cannot go on beside another that has taken the portfolio over, or is at work on it. What is due at
            // this wave would be left to that one, and nobody would come back to it, should that one end before.
            Err(
                error @ (EngineError::LeaseLost { .. }
                | EngineError::Busy { .. }
                | EngineError::Refused { cause: Refusal::Earlier { .. }, .. }),
            ) => return Err(error),
            // What a store does not take or give is known to nobody: at the next wave the broker would be ahead of the journal.
            Err(error @ (EngineError::Journal(_) | EngineError::NotCommitted { .. } | EngineError::Leases { .. })) => {
                return Err(error);
            }
            // The broker is out of reach for a while: the next wave tries again, and first finishes what is open.
            Err(error) if error.is_temporary() => {
                self.left_open = self.state().and_then(|state| state.batch.as_ref().map(|batch| batch.opened_at));
                self.refuse(wave, exit::chain(&error), lines);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn refuse(&mut self, wave: &Wave, why: String, lines: &mut Lines) {
        if self.refused.as_ref() != Some(&why) {
            lines.push(Line::refused(&wave.label, &self.id, &why));
            self.refused = Some(why);
        }
    }

    /// What the portfolio has come to.
    pub(crate) fn finish(&self, at: &str) -> Option<PortfolioLine> {
        let state = self.simulation.engine.portfolio(&self.id)?;
        let price = |symbol| {
            let place = self.prices.binary_search_by_key(&symbol, |(symbol, _)| *symbol).ok()?;
            self.prices.get(place).and_then(|(_, quote)| Some((*quote)?.price))
        };
        PortfolioLine::new(at, &state, self.reserve(), price)
    }

    fn reserve(&self) -> ReserveRule {
        let capabilities = self.simulation.capabilities();
        let attempts = self.simulation.engine.settings().attempts;
        ReserveRule { costs: capabilities.costs, fills_rounded: capabilities.fills_rounded, attempts }
    }

    /// The state as the journal has it.
    pub(crate) fn state(&self) -> Option<Arc<Portfolio>> {
        self.simulation.engine.portfolio(&self.id)
    }

    /// True if a person is needed.
    pub(crate) fn needs_a_person(&self) -> bool {
        // A batch that is still open at the end is one that the store or the broker did not let be finished.
        let standing = |s: &Portfolio| !matches!(s.standing, Standing::Active | Standing::Absent);
        self.state().is_some_and(|state| standing(&state))
    }
}

#[cfg(test)]
mod tests;
