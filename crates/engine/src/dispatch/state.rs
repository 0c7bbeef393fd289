//! What the dispatcher decides, without waiting for anything: who is due, who goes next, who is left alone.

use super::queue::Queue;
use super::rest::{Reason, Rests};
use super::{Dispatched, DispatcherSettings};
use crate::{Engine, EngineError, Finding, Rebalanced};
use evenkeel_domain::books::{NoPrice, Quote};
use evenkeel_domain::halt::{Halt, Scope};
use evenkeel_domain::portfolio::{Portfolio, Standing};
use evenkeel_domain::record::Outcome;
use evenkeel_domain::valuation::ValuationError;
use evenkeel_domain::values::{PortfolioId, Symbol, Timestamp};
use evenkeel_watch::{Finding as Found, Watch};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How many of those who wait are judged anew when prices come, and how many may go back when their turn has come before others come. Each judgement
/// takes about two microseconds: that is a millisecond for a wave, however many wait.
const ANEW: usize = 256;

pub(super) struct State {
    batches_at_once: usize,
    retry_after: Duration,
    watch: Watch,
    pub(super) queue: Queue,
    pub(super) rests: Rests,
    /// Who of those who wait was last judged anew: next come those after it.
    last_anew: Option<PortfolioId>,
    /// How many may still go back when their turn has come.
    may_go_back: usize,
    /// How many runs there are, which share the places.
    pub(super) runs: usize,
    /// How many were begun since what came was last taken in.
    begun: usize,
    /// Whose rebalance is under way.
    pub(super) running: BTreeSet<PortfolioId>,
    /// Everything is halted: nothing is begun until then, or until a halt is taken back.
    pub(super) hold: Option<(Box<Halt>, Timestamp)>,
    /// Symbols whose last price is not believed. The watch has the one before.
    pub(super) doubtful: BTreeSet<Symbol>,
    pub(super) releases: u64,
    pub(super) started: u64,
    pub(super) back_in_band: u64,
    pub(super) judged: u64,
    /// What is to be told.
    told: Vec<Dispatched>,
}

impl State {
    pub(super) fn new(engine: &Engine, settings: DispatcherSettings) -> Self {
        let DispatcherSettings { batches_at_once, room, retry_after } = settings;
        let settings = evenkeel_watch::Settings { reserve: engine.reserve(), max_age: engine.settings.max_price_age };
        let mut watch = Watch::new(settings);
        let mut known = engine.board.known();
        known.note_changes();
        let prices: Vec<(Symbol, Quote)> = known.prices.iter().collect();
        // Nobody is watched yet: nobody is found.
        watch.quotes(engine.ports.clock.now(), &prices);
        Self {
            batches_at_once: batches_at_once.get(),
            retry_after: retry_after.max(engine.settings.poll),
            watch,
            queue: Queue::new(room.get()),
            rests: Rests::default(),
            last_anew: None,
            may_go_back: ANEW,
            runs: 0,
            begun: 0,
            running: BTreeSet::new(),
            hold: None,
            doubtful: BTreeSet::new(),
            releases: known.releases,
            started: 0,
            back_in_band: 0,
            judged: 0,
            told: Vec::new(),
        }
    }

    /// Takes in what came: prices, portfolios that changed, rests that are over. Whoever is out of band then waits.
    pub(super) fn take_in(&mut self, engine: &Engine, now: Timestamp, quotes: BTreeMap<Symbol, Quote>) {
        self.begun = 0;
        let believed = self.believed(engine, quotes);
        for found in self.watch.quotes(now, &believed) {
            self.found(found, now, now);
        }
        let (changed, releases) = {
            let mut known = engine.board.known();
            (known.take_changed(), known.releases)
        };
        let was_released = std::mem::replace(&mut self.releases, releases) != releases;
        if self.hold.as_ref().is_some_and(|(_, until)| was_released || *until <= now) {
            self.hold = None;
        }
        for portfolio in &changed {
            self.rests.end_if_not_judged(portfolio);
        }
        let mut anew = changed;
        anew.extend(self.rests.take_ended(now, was_released, &believed));
        for portfolio in &anew {
            self.follow(engine, portfolio, now);
        }
        if !believed.is_empty() {
            self.judge_anew(now);
            self.may_go_back = ANEW;
            let (waiting, running) = (self.queue.len(), self.running.len());
            tracing::debug!(prices = believed.len(), waiting, running, "prices judged");
        }
    }

    /// Who goes next, in a run that has so many: the most urgent of those who wait, if it is still out of band now.
    ///
    /// Who was left out is asked for once at most before somebody is begun: that is a look at everybody, and others wait for the lock.
    pub(super) fn next(&mut self, engine: &Engine, own: usize, now: Timestamp) -> Option<PortfolioId> {
        let mut may_refill = true;
        while self.has_place(own) {
            let Some((portfolio, since)) = self.queue.take() else {
                if !std::mem::take(&mut may_refill) {
                    return None;
                }
                let since = self.queue.take_left_out()?;
                for found in self.watch.judge_all(now) {
                    self.found(found, since, now);
                }
                continue;
            };
            if self.is_due(engine, &portfolio, since, now) {
                self.started = self.started.saturating_add(1);
                self.begun = self.begun.saturating_add(1);
                self.watch.set_active(&portfolio, false);
                self.running.insert(portfolio.clone());
                tracing::debug!(%portfolio, waiting = self.queue.len(), "begun");
                return Some(portfolio);
            }
        }
        None
    }

    /// True if one whose turn has come is to be rebalanced now. If not, it is not found again before something of it is new, or waits in a place
    /// further back.
    fn is_due(&mut self, engine: &Engine, portfolio: &PortfolioId, since: Timestamp, now: Timestamp) -> bool {
        if engine.signals.is_running(portfolio) {
            self.watch.set_active(portfolio, false); // Somebody works on it here, and its end is noted on the board.
            return false;
        }
        self.judged = self.judged.saturating_add(1);
        match self.watch.judge(portfolio, now) {
            Some(Found::OutOfBand { urgency, .. }) if self.may_go_back > 0 && self.queue.is_surpassed(&urgency) => {
                self.may_go_back = self.may_go_back.saturating_sub(1);
                self.queue.put(portfolio.clone(), urgency, since);
                return false;
            }
            Some(Found::OutOfBand { .. }) => {}
            Some(Found::NotJudged { why, .. }) => {
                self.not_judged(portfolio, why, now);
                return false;
            }
            None => {
                self.in_band(portfolio);
                return false;
            }
        }
        match engine.judge_now(portfolio) {
            Some(Finding::OutOfBand { .. }) => return true,
            Some(Finding::NotJudged { why, .. }) => self.not_judged(portfolio, why, now),
            // The board has news of it that the watch has not: it follows.
            None => {
                self.back_in_band = self.back_in_band.saturating_add(1);
                self.rest_unjudged(portfolio, None, now);
            }
        }
        false
    }

    /// A rebalance has ended. Unless it brought the portfolio into its band, that is left alone for a while. Its end is noted on the board too, so it is
    /// followed like any other change.
    ///
    /// A halt that was taken back since it was begun may be the one it met, and is met again if it is another.
    pub(super) fn ended(
        &mut self,
        portfolio: PortfolioId,
        result: Result<Rebalanced, EngineError>,
        was_released: bool,
        now: Timestamp,
    ) {
        let until = now.plus(self.retry_after);
        match &result {
            Ok(Rebalanced::Batch(report)) if report.outcome == Outcome::Completed => {}
            // Prices came between its turn and its plan.
            Ok(Rebalanced::InBand(_)) => {}
            Err(EngineError::Halted { .. }) if was_released => {}
            Err(EngineError::Halted { halt, .. }) => {
                self.rests.put(&portfolio, until, Reason::Halted);
                if halt.scope == Scope::Everything {
                    self.hold = Some((halt.clone(), until));
                }
            }
            Ok(_) | Err(_) => self.rests.put(&portfolio, until, Reason::Other),
        }
        self.told.push(Dispatched::Ended { portfolio, result });
    }

    /// When a run that has so many looks again, though nothing comes.
    pub(super) fn wakes_at(&self, own: usize, now: Timestamp) -> Option<Timestamp> {
        let held_until = self.hold.as_ref().map(|(_, until)| *until);
        let at_once = (self.has_place(own) && !self.queue.is_done()).then_some(now);
        held_until.into_iter().chain(self.rests.next_end()).chain(at_once).min()
    }

    /// True if as many were begun since what came was last taken in as may be under way at once.
    pub(super) const fn is_round_over(&self) -> bool {
        self.begun >= self.batches_at_once
    }

    fn has_place(&self, own: usize) -> bool {
        let share = self.batches_at_once.div_ceil(self.runs.max(1));
        self.hold.is_none() && self.running.len() < self.batches_at_once && own < share
    }

    /// True if nothing is under way, and nothing can be begun before something comes or a rest ends.
    pub(super) fn is_idle(&self) -> bool {
        self.running.is_empty() && (self.hold.is_some() || self.queue.is_done())
    }

    pub(super) fn take_told(&mut self) -> Vec<Dispatched> {
        std::mem::take(&mut self.told)
    }

    /// Judges some of those who wait anew, going round: a need that has grown is noticed though no wave finds them.
    fn judge_anew(&mut self, now: Timestamp) {
        let anew = self.queue.after(self.last_anew.as_ref(), ANEW);
        for portfolio in &anew {
            match self.watch.judge(portfolio, now) {
                Some(found) => self.found(found, now, now),
                None => {
                    self.judged = self.judged.saturating_add(1);
                    self.queue.remove(portfolio);
                    self.in_band(portfolio);
                }
            }
        }
        self.last_anew = anew.into_iter().next_back();
    }

    /// Has one that is out of band wait. No wave finds it until its turn has come.
    fn found(&mut self, found: Found, since: Timestamp, now: Timestamp) {
        self.judged = self.judged.saturating_add(1);
        match found {
            Found::OutOfBand { portfolio, urgency, .. } => {
                self.watch.set_aside(&portfolio);
                self.queue.put(portfolio, urgency, since);
            }
            Found::NotJudged { portfolio, why } => self.not_judged(&portfolio, why, now),
        }
    }

    /// One that waited does not need to any more: waves find it again.
    fn in_band(&mut self, portfolio: &PortfolioId) {
        self.back_in_band = self.back_in_band.saturating_add(1);
        self.watch.set_active(portfolio, true);
    }

    /// One that cannot be judged is told of, and rests.
    fn not_judged(&mut self, portfolio: &PortfolioId, why: ValuationError, now: Timestamp) {
        self.rest_unjudged(portfolio, unpriced(&why), now);
        self.told.push(Dispatched::NotJudged { portfolio: portfolio.clone(), why });
    }

    fn rest_unjudged(&mut self, portfolio: &PortfolioId, unpriced: Option<Symbol>, now: Timestamp) {
        self.queue.remove(portfolio);
        self.watch.set_active(portfolio, false);
        self.rests.put(portfolio, now.plus(self.retry_after), Reason::NotJudged(unpriced));
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
            self.rests.put(portfolio, pause.until, Reason::Other);
        }
        let is_active = self.may_go(engine, state);
        self.watch.set_active(portfolio, is_active);
        match self.watch.judge(portfolio, now).filter(|_| is_active) {
            Some(found) => self.found(found, now, now),
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

/// The symbol whose price is the reason why.
const fn unpriced(why: &ValuationError) -> Option<Symbol> {
    let ValuationError::NoPrice(why) = why else { return None };
    match why {
        NoPrice::Missing { symbol } | NoPrice::Stale { symbol, .. } | NoPrice::Jumped { symbol, .. } => Some(*symbol),
    }
}
