//! What the dispatcher decides, without waiting for anything: who is due, who goes next, who is left alone.

use super::Dispatched;
use super::queue::Queue;
use super::rest::Rests;
use crate::{Engine, EngineError, Finding, Rebalanced};
use evenkeel_domain::books::Quote;
use evenkeel_domain::halt::{Halt, Scope};
use evenkeel_domain::portfolio::{Portfolio, Standing};
use evenkeel_domain::record::Outcome;
use evenkeel_domain::values::{PortfolioId, Symbol, Timestamp};
use evenkeel_watch::{Finding as Found, Watch};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub(super) struct State {
    watch: Watch,
    pub(super) queue: Queue,
    pub(super) rests: Rests,
    /// Whose rebalance is under way.
    pub(super) running: BTreeSet<PortfolioId>,
    /// Everything is halted: nothing is begun until then, or until a halt is taken back.
    pub(super) hold: Option<(Box<Halt>, Timestamp)>,
    /// Symbols whose last price is not believed. The watch has the one before.
    doubtful: BTreeSet<Symbol>,
    releases: u64,
    pub(super) started: u64,
    pub(super) back_in_band: u64,
    /// What is to be told.
    told: Vec<Dispatched>,
}

impl State {
    pub(super) fn new(engine: &Engine, room: usize) -> Self {
        let settings = evenkeel_watch::Settings { reserve: engine.reserve(), max_age: engine.settings.max_price_age };
        let mut watch = Watch::new(settings);
        let mut known = engine.board.known();
        known.note_changes();
        let prices: Vec<(Symbol, Quote)> = known.prices.iter().collect();
        // Nobody is watched yet: nobody is found.
        watch.quotes(engine.ports.clock.now(), &prices);
        Self {
            watch,
            queue: Queue::new(room),
            rests: Rests::default(),
            running: BTreeSet::new(),
            hold: None,
            doubtful: BTreeSet::new(),
            releases: known.releases,
            started: 0,
            back_in_band: 0,
            told: Vec::new(),
        }
    }

    /// Takes in what came: prices, portfolios that changed, rests that are over. Whoever is out of band then waits.
    pub(super) fn take_in(&mut self, engine: &Engine, now: Timestamp, quotes: BTreeMap<Symbol, Quote>) {
        let believed = self.believed(engine, quotes);
        for found in self.watch.quotes(now, &believed) {
            self.found(found, now);
        }
        let (changed, releases) = {
            let mut known = engine.board.known();
            (known.take_changed(), known.releases)
        };
        let was_released = std::mem::replace(&mut self.releases, releases) != releases;
        if self.hold.as_ref().is_some_and(|(_, until)| was_released || *until <= now) {
            self.hold = None;
        }
        let mut anew = changed;
        anew.extend(self.rests.take_ended(now, was_released));
        for portfolio in &anew {
            self.follow(engine, portfolio, now);
        }
        if !believed.is_empty() {
            let (waiting, running) = (self.queue.len(), self.running.len());
            tracing::debug!(prices = believed.len(), waiting, running, "prices judged");
        }
    }

    /// Who goes next: the most urgent of those who wait, if it is still out of band now.
    pub(super) fn next(&mut self, engine: &Engine, batches_at_once: usize, now: Timestamp) -> Option<PortfolioId> {
        while self.hold.is_none() && self.running.len() < batches_at_once {
            let Some(portfolio) = self.queue.take() else {
                let since = self.queue.take_left_out()?;
                for found in self.watch.judge_all(now) {
                    self.found(found, since);
                }
                continue;
            };
            if engine.signals.is_running(&portfolio) {
                continue; // Somebody works on it here, and its end is noted on the board.
            }
            match engine.judge_now(&portfolio) {
                Some(Finding::OutOfBand { .. }) => {
                    self.started = self.started.saturating_add(1);
                    self.watch.set_active(&portfolio, false);
                    self.running.insert(portfolio.clone());
                    tracing::debug!(%portfolio, waiting = self.queue.len(), "begun");
                    return Some(portfolio);
                }
                Some(Finding::NotJudged { portfolio, why }) => self.told.push(Dispatched::NotJudged { portfolio, why }),
                None => self.back_in_band = self.back_in_band.saturating_add(1),
            }
        }
        None
    }

    /// A rebalance has ended. Unless it brought the portfolio into its band, that is left alone for a while. Its end is noted on the board too, so it is
    /// followed like any other change.
    pub(super) fn ended(
        &mut self,
        portfolio: PortfolioId,
        result: Result<Rebalanced, EngineError>,
        now: Timestamp,
        retry_after: Duration,
    ) {
        let until = now.plus(retry_after);
        match &result {
            Ok(Rebalanced::Batch(report)) if report.outcome == Outcome::Completed => {}
            // Prices came between its turn and its plan.
            Ok(Rebalanced::InBand(_)) => {}
            Err(EngineError::Halted { halt, .. }) => {
                self.rests.put(&portfolio, until, true);
                if halt.scope == Scope::Everything {
                    self.hold = Some((halt.clone(), until));
                }
            }
            Ok(_) | Err(_) => self.rests.put(&portfolio, until, false),
        }
        self.told.push(Dispatched::Ended { portfolio, result });
    }

    /// When something is to be looked at again, though nothing comes.
    pub(super) fn wakes_at(&self) -> Option<Timestamp> {
        let held_until = self.hold.as_ref().map(|(_, until)| *until);
        held_until.into_iter().chain(self.rests.next_end()).min()
    }

    /// True if nothing is under way, and nothing can be begun before something comes or a rest ends.
    pub(super) fn is_idle(&self) -> bool {
        self.running.is_empty() && (self.hold.is_some() || self.queue.is_done())
    }

    pub(super) fn take_told(&mut self) -> Vec<Dispatched> {
        std::mem::take(&mut self.told)
    }

    fn found(&mut self, found: Found, since: Timestamp) {
        match found {
            Found::OutOfBand { portfolio, urgency, .. } => self.queue.put(portfolio, urgency, since),
            Found::NotJudged { portfolio, why } => self.told.push(Dispatched::NotJudged { portfolio, why }),
        }
    }

    /// Brings what is watched of a portfolio to what the board knows of it, and judges it.
    fn follow(&mut self, engine: &Engine, portfolio: &PortfolioId, now: Timestamp) {
        if self.running.contains(portfolio) {
            return; // Its end is noted too.
        }
        let known = engine.board.portfolio(portfolio).filter(|known| known.is_looked_after());
        let Some((state, definition)) = known.as_deref().and_then(|state| Some((state, state.definition.as_deref()?)))
        else {
            self.watch.remove(portfolio);
            self.queue.remove(portfolio);
            return self.rests.end(portfolio);
        };
        if let Err(full) = self.watch.insert(portfolio, definition, &state.books) {
            return self.told.push(Dispatched::NotWatched(full));
        }
        if let Some(pause) = state.pause.filter(|pause| now < pause.until) {
            self.rests.put(portfolio, pause.until, false);
        }
        let is_active = self.may_go(engine, state);
        self.watch.set_active(portfolio, is_active);
        match self.watch.judge(portfolio, now).filter(|_| is_active) {
            Some(found) => self.found(found, now),
            None => self.queue.remove(portfolio),
        }
    }

    fn may_go(&self, engine: &Engine, state: &Portfolio) -> bool {
        let is_free = !engine.signals.is_running(&state.id) && !self.rests.contains(&state.id);
        state.standing == Standing::Active && is_free
    }

    /// Puts prices on the board. One that is not believed reaches the watch once it is: whoever has the symbol is not judged until then.
    fn believed(&mut self, engine: &Engine, mut quotes: BTreeMap<Symbol, Quote>) -> Vec<(Symbol, Quote)> {
        let mut known = engine.board.known();
        quotes.retain(|symbol, quote| engine.is_believed(&mut known, *symbol, *quote));
        let doubtful: BTreeSet<Symbol> = known.prices.doubtful().map(|(symbol, _)| symbol).collect();
        let again = self.doubtful.difference(&doubtful);
        quotes.extend(again.filter_map(|symbol| Some((*symbol, known.prices.get(*symbol)?))));
        self.doubtful = doubtful;
        quotes.into_iter().collect()
    }
}
