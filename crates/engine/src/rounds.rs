//! Rounds: what must be looked at though no price moves. Batches whose worker is gone are finished, and the books of every portfolio are
//! compared with the broker; at the start, and from time to time.
//!
//! Nothing is decided here. How an open batch is finished is in `recover.rs`, what a comparison means in `reconcile.rs`. A comparison takes the
//! lease only where something would have to be recorded, so a round over portfolios that are in order writes nothing and keeps nobody from trading.

use crate::session::caught;
use crate::{Engine, EngineError, Reconciled, Recovered};
use evenkeel_domain::values::{PortfolioId, Timestamp};
use evenkeel_ports::JournalError;
use futures_util::future::{BoxFuture, Either, pending, select};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::time::Duration;

/// How [`Engine::make_rounds`] works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundSettings {
    /// From one look for open batches to the next: one question to the journal, and one to the lease store for each that is open.
    pub recover_every: Duration,
    /// From the begin of one comparison of all portfolios to the begin of the next: four questions to the broker for each.
    pub compare_every: Duration,
    /// How many portfolios are compared at once.
    pub at_once: NonZeroUsize,
}

impl Default for RoundSettings {
    /// A minute, as long as a lease lasts without a sign of life; a quarter of an hour; and 16 at once.
    fn default() -> Self {
        Self {
            recover_every: Duration::from_secs(60),
            compare_every: Duration::from_secs(15 * 60),
            at_once: NonZeroUsize::MIN.saturating_add(15),
        }
    }
}

/// What was seen on a round. Told by [`Engine::make_rounds`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// A batch was open, and not this engine's work. [`EngineError::Busy`] if its worker is alive.
    Recovered(Recovered),
    /// A portfolio was compared with the broker.
    Compared {
        /// Which.
        portfolio: PortfolioId,
        /// What it came to.
        result: Result<Reconciled, EngineError>,
    },
    /// Every portfolio that had no open batch has been compared.
    Ended(Round),
    /// The journal could not say which portfolios there are, or whose batch is open. It is asked again at the next time.
    NotListed(EngineError),
}

/// A comparison of all portfolios, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round {
    /// When it began.
    pub began_at: Timestamp,
    /// When the last was compared.
    pub ended_at: Timestamp,
    /// Books and broker agree.
    pub agree: usize,
    /// They do not: these are quarantined.
    pub differ: usize,
    /// Stale ones, whatever was found.
    pub stale: usize,
    /// Not compared: a batch of theirs is open or somebody works on them, who compares; or they are looked after no more.
    pub left_alone: usize,
    /// Could not be compared, each for a reason that was told.
    pub failed: usize,
}

impl Engine {
    /// Makes rounds until the engine [is stopped](Engine::shut_down): finishes every open batch whose lease is free, and compares books and broker of
    /// every portfolio of the journal, over the union of their symbols; at once, and then each whenever its time has come. `tell` is called with
    /// everything that is seen.
    ///
    /// A service spawns this once per engine, beside [`Dispatcher::run`](crate::Dispatcher::run). Rounds do not pile up: a portfolio is worked on once at a time, a batch
    /// that takes long to finish holds up nobody else, and a comparison that takes longer than its period is followed by one, not by all that were missed.
    ///
    /// Once the engine is stopped nothing is begun; what is under way ends as it does elsewhere, with its lease given back. Dropping the future is a
    /// crash, and as safe.
    #[tracing::instrument(skip_all)]
    pub async fn make_rounds(&self, settings: RoundSettings, mut tell: impl FnMut(Seen)) {
        let mut rounds = Rounds::new(self, settings);
        loop {
            let seen = self.signals.version();
            let is_stopping = self.signals.stopping().is_some();
            if !is_stopping {
                rounds.begin();
                rounds.ended().into_iter().for_each(|round| tell(Seen::Ended(round)));
            } else if rounds.work.is_empty() {
                return;
            }
            let wakes_at = rounds.wakes_at().filter(|_| !is_stopping);
            if let Some(done) = rounds.next(seen, wakes_at).await {
                rounds.take_in(done).into_iter().for_each(&mut tell);
            }
        }
    }

    async fn unless_stopped<T>(
        &self,
        asked: impl Future<Output = Result<T, JournalError>>,
    ) -> Option<Result<T, EngineError>> {
        match select(pin!(asked), pin!(self.signals.stopped())).await {
            Either::Left((answer, _)) => Some(answer.map_err(EngineError::Journal)),
            Either::Right(_) => None,
        }
    }

    /// `None` if it is nobody's to look after, somebody works on it, or the engine is stopping.
    async fn compare(&self, portfolio: &PortfolioId) -> Result<Option<Reconciled>, EngineError> {
        let passing = pin!(caught(portfolio, async {
            let state = self.load(portfolio).await?;
            if !state.is_looked_after() || state.batch.is_some() {
                return Ok(None);
            }
            Ok(Some(self.compare_in_passing(&state).await?))
        }));
        match select(passing, pin!(self.signals.stopped())).await {
            Either::Left((Ok(Some(None)), _)) => match self.reconcile_and_record(portfolio).await {
                Err(EngineError::Busy { .. } | EngineError::Stopping { .. }) => Ok(None),
                done => done.map(Some),
            },
            Either::Left((done, _)) => Ok(done?.flatten()),
            Either::Right(_) => Ok(None),
        }
    }
}

/// What is under way, and when the next begins.
struct Rounds<'e> {
    engine: &'e Engine,
    settings: RoundSettings,
    work: FuturesUnordered<BoxFuture<'e, Done>>,
    /// Whoever is being recovered or compared here.
    under_way: BTreeSet<PortfolioId>,
    comparing: usize,
    /// Who is still to be compared on this round.
    waiting: BTreeSet<PortfolioId>,
    round: Option<Round>,
    recover_at: Timestamp,
    is_listing: bool,
    compare_at: Timestamp,
    is_listed: bool,
}

enum Done {
    /// Whose batches are open.
    Open(Option<Result<Vec<PortfolioId>, EngineError>>),
    /// Every portfolio.
    All(Option<Result<Vec<PortfolioId>, EngineError>>),
    Recovered(Recovered),
    Compared(PortfolioId, Result<Option<Reconciled>, EngineError>),
}

impl<'e> Rounds<'e> {
    fn new(engine: &'e Engine, settings: RoundSettings) -> Self {
        let now = engine.ports.clock.now();
        Self {
            engine,
            settings,
            work: FuturesUnordered::new(),
            under_way: BTreeSet::new(),
            comparing: 0,
            waiting: BTreeSet::new(),
            round: None,
            recover_at: now,
            is_listing: false,
            compare_at: now,
            is_listed: false,
        }
    }

    /// Begins whatever's time has come and is not under way.
    fn begin(&mut self) {
        let (engine, now) = (self.engine, self.engine.ports.clock.now());
        let journal = &engine.ports.journal;
        if now >= self.recover_at && !self.is_listing {
            self.is_listing = true;
            // Never twice at the same time, whatever the setting.
            self.recover_at = now.plus(self.settings.recover_every.max(engine.settings.poll));
            self.work.push(async { Done::Open(engine.unless_stopped(journal.open_batches()).await) }.boxed());
        }
        if now >= self.compare_at && self.round.is_none() {
            self.compare_at = now.plus(self.settings.compare_every.max(engine.settings.poll));
            let nothing =
                Round { began_at: now, ended_at: now, agree: 0, differ: 0, stale: 0, left_alone: 0, failed: 0 };
            (self.round, self.is_listed) = (Some(nothing), false);
            self.work.push(async { Done::All(engine.unless_stopped(journal.portfolios()).await) }.boxed());
        }
        while self.comparing < self.settings.at_once.get()
            && let Some(portfolio) = self.waiting.pop_first()
        {
            if !self.under_way.insert(portfolio.clone()) {
                self.count(|round| &mut round.left_alone); // It is being recovered here.
                continue;
            }
            self.comparing = self.comparing.saturating_add(1);
            self.work.push(
                async move {
                    let result = engine.compare(&portfolio).await;
                    Done::Compared(portfolio, result)
                }
                .boxed(),
            );
        }
    }

    /// When to look again though nothing has ended.
    fn wakes_at(&self) -> Option<Timestamp> {
        let recover_at = (!self.is_listing).then_some(self.recover_at);
        let compare_at = self.round.is_none().then_some(self.compare_at);
        recover_at.into_iter().chain(compare_at).min()
    }

    /// What ended, if anything has by the time that something changes in the engine, or that it is to look again.
    async fn next(&mut self, seen: u64, wakes_at: Option<Timestamp>) -> Option<Done> {
        let clock = &self.engine.ports.clock;
        let ended = pin!(async {
            match self.work.next().await {
                Some(done) => done,
                None => pending().await,
            }
        });
        let time = pin!(async {
            match wakes_at {
                Some(at) => clock.sleep_until(at).await,
                None => pending().await,
            }
        });
        match select(ended, select(pin!(self.engine.signals.changed(seen)), time)).await {
            Either::Left((done, _)) => Some(done),
            Either::Right(_) => None,
        }
    }

    /// The round, once everybody has been compared.
    fn ended(&mut self) -> Option<Round> {
        let is_over = self.is_listed && self.waiting.is_empty() && self.comparing == 0;
        let round = self.round.take_if(|_| is_over)?;
        let ended = Round { ended_at: self.engine.ports.clock.now(), ..round };
        tracing::info!(?ended, "books and broker compared");
        Some(ended)
    }

    /// What is to be told of what has ended.
    fn take_in(&mut self, done: Done) -> Option<Seen> {
        match done {
            Done::Open(listed) => {
                self.is_listing = false;
                let open = match listed? {
                    Ok(open) => open,
                    Err(error) => return Some(not_listed(error)),
                };
                open.into_iter().for_each(|portfolio| self.recover(portfolio));
                None
            }
            Done::All(listed) => match listed? {
                Ok(portfolios) => {
                    self.is_listed = true;
                    self.waiting.extend(portfolios);
                    None
                }
                Err(error) => {
                    self.round = None;
                    Some(not_listed(error))
                }
            },
            Done::Recovered(recovered) => {
                self.under_way.remove(&recovered.portfolio);
                if let Err(error) = &recovered.result {
                    tracing::info!(portfolio = %recovered.portfolio, %error, "the open batch was not finished");
                }
                Some(Seen::Recovered(recovered))
            }
            Done::Compared(portfolio, result) => {
                self.under_way.remove(&portfolio);
                self.comparing = self.comparing.saturating_sub(1);
                self.compared(portfolio, result)
            }
        }
    }

    /// Begins to finish an open batch, unless this engine is at it.
    fn recover(&mut self, portfolio: PortfolioId) {
        let engine = self.engine;
        if engine.signals.is_running(&portfolio) || !self.under_way.insert(portfolio.clone()) {
            return;
        }
        self.work.push(
            async move {
                let result = engine.recover_one(&portfolio).await;
                Done::Recovered(Recovered { portfolio, result })
            }
            .boxed(),
        );
    }

    fn compared(&mut self, portfolio: PortfolioId, result: Result<Option<Reconciled>, EngineError>) -> Option<Seen> {
        match &result {
            Ok(None) => self.count(|round| &mut round.left_alone),
            Ok(Some(Reconciled::Agree)) => self.count(|round| &mut round.agree),
            Ok(Some(Reconciled::Differ(differences))) => {
                tracing::error!(%portfolio, ?differences, "books and broker differ");
                self.count(|round| &mut round.differ);
            }
            Ok(Some(Reconciled::Stale(_))) => self.count(|round| &mut round.stale),
            Err(error) => {
                tracing::warn!(%portfolio, %error, "not compared");
                self.count(|round| &mut round.failed);
            }
        }
        result.transpose().map(|result| Seen::Compared { portfolio, result })
    }

    fn count(&mut self, which: impl FnOnce(&mut Round) -> &mut usize) {
        if let Some(round) = &mut self.round {
            let number = which(round);
            *number = number.saturating_add(1);
        }
    }
}

fn not_listed(error: EngineError) -> Seen {
    tracing::warn!(%error, "no round was made");
    Seen::NotListed(error)
}
