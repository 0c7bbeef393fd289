//! Waves while batches run: prices come in at any time, and whom they put out of band is rebalanced, the most urgent first.
//!
//! ```text
//! wave ──> the newest price of each symbol ──> watch ──> queue ──> judged again ──> Engine::rebalance ──┐
//!          pending.rs                            ^        queue.rs  state.rs         so many at once       │
//!                                                └──────────── books, as they were settled ──────────────┘
//! ```
//!
//! A [`Dispatcher`] decides nothing about a batch, and has no thread of its own: it is driven by the future of [`Dispatcher::run`], which its user
//! spawns or awaits; or by several, which share what is due. Who is out of band is decided by [`evenkeel_watch`], what to do about it by [`Engine::rebalance`].

mod pending;
mod queue;
mod rest;
mod state;
#[cfg(test)]
mod tests;

use crate::{Engine, EngineError, Rebalanced};
use evenkeel_domain::halt::Halt;
use evenkeel_domain::valuation::ValuationError;
use evenkeel_domain::values::{PortfolioId, Price, Symbol, Timestamp};
use futures_util::future::{Either, pending, select};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use pending::Pending;
use state::State;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How a [`Dispatcher`] works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DispatcherSettings {
    /// How many portfolios are rebalanced at once.
    pub batches_at_once: NonZeroUsize,
    /// How many may wait. Whom there is no room for is not lost: all are judged again once nobody waits.
    pub room: NonZeroUsize,
    /// How long a portfolio is left alone whose rebalance ended neither with a completed batch nor inside its band, or that cannot be judged. At
    /// least the engine's [`poll`](crate::Settings::poll).
    pub retry_after: Duration,
}

impl Default for DispatcherSettings {
    /// 64 at once, room for 100,000, and a minute.
    fn default() -> Self {
        Self {
            batches_at_once: NonZeroUsize::MIN.saturating_add(63),
            room: NonZeroUsize::MIN.saturating_add(99_999),
            retry_after: Duration::from_secs(60),
        }
    }
}

/// What became of a portfolio that was due. Told by [`Dispatcher::run`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dispatched {
    /// Its rebalance has ended.
    Ended {
        /// Which.
        portfolio: PortfolioId,
        /// How. Unless a batch was completed or it is in band, it is judged again after [`retry_after`](DispatcherSettings::retry_after), or when the pause is over
        /// that a restoration brought; one that is stale or quarantined, when a person or [`Engine::reconcile`] has made it active again.
        result: Result<Rebalanced, EngineError>,
    },
    /// It cannot be judged: a price is stale or doubtful, nothing is left to invest, or a figure passes its maximum. It rests, and is judged
    /// again once that price is another or is accepted, its books or definition change, or after [`retry_after`](DispatcherSettings::retry_after).
    NotJudged {
        /// Which.
        portfolio: PortfolioId,
        /// Why.
        why: ValuationError,
    },
    /// There are more portfolios than can be watched.
    NotWatched(evenkeel_watch::Full),
}

/// What a [`Dispatcher`] has before it, and what it has done since it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backlog {
    /// Prices that came and are not judged yet; at most one per symbol.
    pub prices: usize,
    /// When the first of them came.
    pub oldest_price: Option<Timestamp>,
    /// Portfolios that wait.
    pub waiting: usize,
    /// When the one was found out of band that has waited longest; those for whom there was no room count.
    pub oldest: Option<Timestamp>,
    /// Portfolios that are being rebalanced, by the runs that are under way.
    pub running: usize,
    /// Portfolios that are left alone for a while: in a pause, halted, busy elsewhere, refused, or not to be judged.
    pub resting: usize,
    /// Symbols whose newest price is not believed: whoever has them is judged at the last that was, and not traded, until a person
    /// [accepts](Engine::accept_price) the newest or one comes that is near enough. [`Engine::doubtful_prices`] says which.
    pub doubtful: usize,
    /// The halt of everything, while nothing is begun because of it.
    pub halt: Option<Halt>,
    /// Waves that came.
    pub waves: u64,
    /// Prices in them.
    pub prices_seen: u64,
    /// How many of those gave way to a newer price of their symbol before they were judged.
    pub prices_merged: u64,
    /// The most portfolios that ever waited at once.
    pub most_waiting: usize,
    /// How often a portfolio was found out of band while there was no room for it.
    pub left_out: u64,
    /// How many that waited were in band again, or not to be traded any more, before they were begun.
    pub back_in_band: u64,
    /// Rebalances begun.
    pub started: u64,
    /// How often a portfolio was found out of band or not to be judged, or one that waits was judged anew: each costs an exact decision. However
    /// many wait, a wave adds no more than it finds and some hundreds.
    pub judged: u64,
}

/// Takes waves while batches run, and rebalances whom they put out of band: the most urgent first, so many at once.
///
/// It has no thread of its own: it is driven by the future of [`run`](Self::run), or by several of them, which share what is due.
///
/// One per engine; a second one would take from the first what it must learn. It follows every portfolio that the engine
/// [has loaded](Engine::load_all), added or worked on, and notices what other calls of that engine do: cash that came in, another definition, a stale
/// portfolio that a person resolved. So give prices to [`wave`](Self::wave) alone, not to [`Engine::on_wave`].
///
/// Nothing that is out of band is lost: it waits, is under way, rests for a while, or was left out and is asked for once nobody waits.
///
/// Who waits is no more work for a wave than who is inside its band. It is judged anew when its turn comes, and goes back to its new place if another is more urgent by then; and each
/// time that prices come, some hundreds of those who wait are judged anew in turn, so that a need that grows is noticed. So the order of need is as
/// of a moment ago: of thousands that wait while prices move, some may be begun before one that has become more urgent.
///
/// What waits is bounded: at most one price per symbol, and at most [`room`](DispatcherSettings::room) portfolios, each once. What batches leave is
/// not of this: each is kept for as long as it is [watched](crate::Settings::watch).
pub struct Dispatcher {
    engine: Arc<Engine>,
    pending: Mutex<Pending>,
    state: Mutex<State>,
}

impl Dispatcher {
    /// A dispatcher over an engine, with the prices and the portfolios that it knows.
    #[must_use]
    pub fn new(engine: Arc<Engine>, settings: DispatcherSettings) -> Self {
        let state = Mutex::new(State::new(&engine, settings));
        Self { engine, pending: Mutex::default(), state }
    }

    /// Takes the prices of a wave, all of one time. Never waits for a batch, nor for a judgement.
    ///
    /// Prices that come before the last ones were judged are merged with them: of each symbol the newest is left, of two of the
    /// same time the later call's. So a price is held against the last one that was judged, where the engine
    /// [doubts jumps](crate::Settings::max_price_jump): steps that were merged are one jump.
    pub fn wave(&self, at: Timestamp, prices: &[(Symbol, Price)]) {
        lock(&self.pending).put(self.now(), at, prices);
        self.engine.board.bell.ring();
    }

    /// Rebalances whoever is due, until the engine [is stopped](Engine::shut_down). `tell` is called with everything that becomes of it.
    ///
    /// A run drives its batches in turns, on one thread at a time. For more threads, spawn more runs of one dispatcher: they share who is due and
    /// [`batches_at_once`](DispatcherSettings::batches_at_once), and each thing is told by one of them, not always by the one whose batch it was.
    ///
    /// Dropping the future is a crash of the batches that are under way, and as safe: [`Engine::recover`] finishes them, once their leases have run out,
    /// a [heartbeat](evenkeel_ports::LeaseTerms::heartbeat) later. What is judged at once is judged without waiting in between: a wave that puts two hundred thousand
    /// out of band takes a second or so.
    pub async fn run(&self, tell: impl FnMut(Dispatched)) {
        self.work(false, tell).await;
    }

    /// The same until nothing waits and nothing is under way in any run. Whoever rests goes on resting, and is looked at by the next run.
    pub async fn run_until_idle(&self, tell: impl FnMut(Dispatched)) {
        self.work(true, tell).await;
    }

    /// What it has before it, and what it has done. Waits for a judgement that is under way, never for a batch.
    #[must_use]
    pub fn backlog(&self) -> Backlog {
        let state = lock(&self.state);
        let pending = lock(&self.pending);
        Backlog {
            prices: pending.len(),
            oldest_price: pending.since(),
            waiting: state.queue.len(),
            oldest: state.queue.oldest(),
            running: state.running.len(),
            resting: state.rests.len(),
            doubtful: state.doubtful.len(),
            halt: state.hold.as_ref().map(|(halt, _)| Halt::clone(halt)),
            waves: pending.waves,
            prices_seen: pending.prices,
            prices_merged: pending.merged,
            most_waiting: state.queue.most,
            left_out: state.queue.times_left_out,
            back_in_band: state.back_in_band,
            started: state.started,
            judged: state.judged,
        }
    }

    async fn work(&self, until_idle: bool, mut tell: impl FnMut(Dispatched)) {
        let _run = Run::begin(self);
        let mut batches = FuturesUnordered::new();
        let mut is_round_over = true;
        loop {
            let heard = self.engine.board.bell.rings();
            let is_stopping = self.engine.signals.stopping().is_some();
            // One at a time, so that several runs share who is due.
            let begun = if is_stopping { None } else { self.begin(batches.len(), is_round_over) };
            // What came since the round began is taken in before anything is waited for.
            let is_done = begun.is_none() && is_round_over;
            is_round_over = begun.is_none();
            batches.extend(begun.map(|under_way| self.rebalance(under_way)));
            let (told, is_idle, wakes_at) = self.look_around(batches.len());
            let has_told = !told.is_empty();
            told.into_iter().for_each(&mut tell);
            if is_done && batches.is_empty() && (is_stopping || until_idle && is_idle) {
                if has_told {
                    continue; // Whoever was told may have given prices.
                }
                return;
            }
            if is_done {
                let ended = pin!(async {
                    match batches.next().await {
                        Some(ended) => ended,
                        None => pending().await,
                    }
                });
                let time = pin!(async {
                    // While stopping nothing is begun: an end of a rest would be no news, again and again.
                    match wakes_at.filter(|_| !is_stopping) {
                        Some(at) => self.engine.ports.clock.sleep_until(at).await,
                        None => pending().await,
                    }
                });
                let rung = pin!(self.engine.board.bell.rung_since(heard));
                if let Either::Left(((under_way, result), _)) = select(ended, select(rung, time)).await {
                    self.end(&under_way, result);
                }
            }
            // Whoever else has ended meanwhile: however many waves come, they are judged once for all of these.
            while let Some(Some((under_way, result))) = batches.next().now_or_never() {
                self.end(&under_way, result);
            }
        }
    }

    /// Takes the next from the queue, if there is room for it in a run that has so many; in a new round after what came was judged, at the newest prices.
    /// However fast waves come, they are judged once for all who are begun in a round.
    fn begin(&self, own: usize, is_round_over: bool) -> Option<UnderWay<'_>> {
        let now = self.now();
        let mut state = lock(&self.state);
        if is_round_over || state.is_round_over() {
            let quotes = lock(&self.pending).take();
            state.take_in(&self.engine, now, quotes);
        }
        let portfolio = state.next(&self.engine, own, now)?;
        Some(UnderWay { dispatcher: self, portfolio, releases: state.releases })
    }

    async fn rebalance<'d>(&'d self, under_way: UnderWay<'d>) -> (UnderWay<'d>, Result<Rebalanced, EngineError>) {
        let result = self.engine.rebalance(&under_way.portfolio).await;
        (under_way, result)
    }

    fn end(&self, under_way: &UnderWay<'_>, result: Result<Rebalanced, EngineError>) {
        let was_released = self.engine.board.known().releases != under_way.releases;
        lock(&self.state).ended(under_way.portfolio.clone(), result, was_released, self.now());
    }

    /// What is to be told, whether there is nothing to do, and when a run that has so many looks again though nothing comes.
    fn look_around(&self, own: usize) -> (Vec<Dispatched>, bool, Option<Timestamp>) {
        let mut state = lock(&self.state);
        let is_idle = state.is_idle() && lock(&self.pending).len() == 0;
        (state.take_told(), is_idle, state.wakes_at(own, self.now()))
    }

    fn now(&self) -> Timestamp {
        self.engine.ports.clock.now()
    }
}

/// Another run is under way while this lives.
struct Run<'d>(&'d Dispatcher);

impl<'d> Run<'d> {
    fn begin(dispatcher: &'d Dispatcher) -> Self {
        let mut state = lock(&dispatcher.state);
        state.runs = state.runs.saturating_add(1);
        Self(dispatcher)
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.0.state);
        state.runs = state.runs.saturating_sub(1);
        drop(state);
        // The others have more room now.
        self.0.engine.board.bell.ring();
    }
}

/// A portfolio is being rebalanced while this lives. Dropped with the future of a run that did not end, it is free for the next.
struct UnderWay<'d> {
    dispatcher: &'d Dispatcher,
    portfolio: PortfolioId,
    /// How often a halt had been taken back when it was begun.
    releases: u64,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        lock(&self.dispatcher.state).running.remove(&self.portfolio);
        self.dispatcher.engine.board.note(&self.portfolio);
    }
}

/// A panic in the middle of an update leaves nothing that the journal does not correct.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
