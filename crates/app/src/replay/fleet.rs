//! All accounts of a replay, spread over threads. Waves go in by chunks, lines come out in order: by wave, then in the file's order.

use super::account::Account;
use super::lines::{Line, Lines, PortfolioLine};
use crate::wiring::SimulationPlan;
use evenkeel_domain::values::{PortfolioId, Timestamp};
use evenkeel_engine::EngineError;
use evenkeel_ports::Wave;
use evenkeel_watch::{Settings, Watch};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// About how many portfolio-waves a chunk holds: enough work to be worth a message, little enough to stop soon.
const CHUNK: usize = 20_000;

/// Consecutive waves, and the time of the one after them.
pub(crate) struct Chunk {
    first: usize,
    waves: Vec<Wave>,
    next: Option<Timestamp>,
}

/// A line with its place in the output.
type Placed = ((usize, usize), Line);

/// What a thread answers to a chunk.
type Answer = Result<Vec<Placed>, EngineError>;

/// What all accounts came to, in the file's order.
pub(crate) struct Finished {
    pub(crate) portfolios: Vec<PortfolioLine>,
    pub(crate) need_a_person: usize,
    pub(crate) stale: usize,
    pub(crate) completed: u64,
    pub(crate) restored: u64,
    pub(crate) waves: usize,
    /// Prices in those waves.
    pub(crate) prices: u64,
    pub(crate) interrupted: bool,
}

/// How a run over all waves may end early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FleetError<E> {
    /// A wave could not be had, or a line could not be written.
    #[error(transparent)]
    Outside(E),
    /// An engine failed in a way that no simulation should.
    #[error(transparent)]
    Engine(EngineError),
}

/// Runs every portfolio over `waves`. `line` is given every line in order; `is_interrupted` is asked between chunks; `progress` is told how
/// many waves are done.
pub(crate) fn run<E>(
    plans: Vec<SimulationPlan>,
    waves: impl Iterator<Item = Result<Wave, E>>,
    mut line: impl FnMut(Line) -> Result<(), E>,
    is_interrupted: impl Fn() -> bool,
    progress: impl Fn(usize),
) -> Result<Finished, FleetError<E>> {
    let per_chunk = CHUNK.checked_div(plans.len()).unwrap_or(CHUNK).clamp(1, 512);
    let mut chunks = Chunks { waves: waves.peekable(), per_chunk, first: 0 };
    let start = chunks.start();
    thread::scope(|scope| {
        let mut workers = Vec::new();
        for share in shares(plans) {
            let (send, chunks) = sync_channel::<Arc<Chunk>>(1);
            let (answers, receive) = sync_channel::<Answer>(1);
            let thread = scope.spawn(move || work(share, start, &chunks, &answers));
            workers.push((send, receive, thread));
        }
        let mut done = 0;
        let mut prices = 0_u64;
        let mut last = String::new();
        let mut interrupted = false;
        let mut under_way = VecDeque::new();
        loop {
            // Threads have a chunk to go on with while the lines of the one before are written, and the next is read.
            while under_way.len() < 2 && !interrupted {
                let Some(chunk) = chunks.next().map_err(FleetError::Outside)? else { break };
                interrupted = is_interrupted();
                if interrupted {
                    break;
                }
                let chunk = Arc::new(chunk);
                for (send, ..) in &workers {
                    // A worker that is gone has answered with its error.
                    let _gone = send.send(Arc::clone(&chunk)).is_err();
                }
                under_way.push_back(chunk);
            }
            let Some(chunk) = under_way.pop_front() else { break };
            let mut placed = Vec::new();
            for (_, receive, _) in &workers {
                placed.extend(receive.recv().unwrap_or(Ok(Vec::new())).map_err(FleetError::Engine)?);
            }
            placed.sort_by_key(|(place, _)| *place);
            for (_, next) in placed {
                line(next).map_err(FleetError::Outside)?;
            }
            done = chunk.first.saturating_add(chunk.waves.len());
            for wave in &chunk.waves {
                prices = prices.saturating_add(u64::try_from(wave.prices.len()).unwrap_or(u64::MAX));
            }
            if let Some(wave) = chunk.waves.last() {
                last.clone_from(&wave.label);
            }
            progress(done);
        }
        let mut accounts = Vec::new();
        for (send, receive, thread) in workers {
            drop((send, receive));
            accounts.extend(thread.join().unwrap_or_default());
        }
        accounts.sort_by_key(|(place, _)| *place);
        Ok(Finished { waves: done, prices, interrupted, ..finish(&accounts, &last) })
    })
}

/// How many portfolios of a store work at once: they wait for the disk, not for the processor, and what they commit meanwhile is synced
/// together.
const AT_THE_DISK: usize = 64;

/// Splits the portfolios over as many threads as the machine runs at once, or as are worth a sync; each with its place in the file.
fn shares(plans: Vec<SimulationPlan>) -> Vec<Vec<(usize, SimulationPlan)>> {
    let durable = plans.iter().any(|plan| plan.store.is_some());
    let threads = if durable { AT_THE_DISK } else { thread::available_parallelism().map_or(1, |n| n.get()) };
    let threads = threads.min(plans.len()).max(1);
    let mut shares: Vec<Vec<(usize, SimulationPlan)>> = (0..threads).map(|_| Vec::new()).collect();
    for (place, plan) in plans.into_iter().enumerate() {
        if let Some(share) = place.checked_rem(threads).and_then(|n| shares.get_mut(n)) {
            share.push((place, plan));
        }
    }
    shares
}

/// One thread: its accounts, chunk by chunk. Gives the accounts back at the end.
fn work(
    share: Vec<(usize, SimulationPlan)>,
    start: Timestamp,
    chunks: &Receiver<Arc<Chunk>>,
    answers: &SyncSender<Answer>,
) -> Vec<(usize, Account)> {
    let mut share = match Share::new(share, start) {
        Ok(share) => share,
        Err(error) => {
            let _gone = answers.send(Err(error)).is_err();
            return Vec::new();
        }
    };
    while let Ok(chunk) = chunks.recv() {
        if answers.send(share.chunk(&chunk)).is_err() {
            break;
        }
    }
    share.end()
}

/// The accounts of one thread.
struct Share {
    /// With their places in the file.
    accounts: Vec<(usize, Account)>,
    /// Where in `accounts` a portfolio is.
    by_id: BTreeMap<PortfolioId, usize>,
    /// Finds who is out of band, among all accounts at once.
    watch: Watch,
    /// Which accounts are not at rest, or not watched: they are shown every wave.
    restless: BTreeSet<usize>,
}

impl Share {
    fn new(plans: Vec<(usize, SimulationPlan)>, start: Timestamp) -> Result<Self, EngineError> {
        let open = |(place, plan)| Ok((place, Account::new(plan, start)?));
        let accounts: Vec<(usize, Account)> = plans.into_iter().map(open).collect::<Result<_, EngineError>>()?;
        let watch = accounts.first().map_or_else(|| Watch::new(Settings::default()), |(_, first)| first.watch());
        let by_id = accounts.iter().enumerate().map(|(n, (_, account))| (account.id().clone(), n)).collect();
        // Nobody is watched before it has come to rest for the first time.
        let restless = (0..accounts.len()).collect();
        Ok(Self { accounts, by_id, watch, restless })
    }

    /// Wave by wave: whoever is found out of band, or is not at rest, acts on it.
    fn chunk(&mut self, chunk: &Chunk) -> Answer {
        let mut placed = Vec::new();
        let mut lines = Lines::new();
        let nexts = chunk.waves.iter().skip(1).map(|wave| Some(wave.at)).chain([chunk.next]);
        for ((number, wave), next) in (chunk.first..).zip(&chunk.waves).zip(nexts) {
            let found = self.watch.wave(wave.at, &wave.prices);
            let mut due = std::mem::take(&mut self.restless);
            due.extend(found.iter().filter_map(|finding| self.by_id.get(finding.portfolio())));
            for n in due {
                let Some((place, account)) = self.accounts.get_mut(n) else { continue };
                account.wave(wave, next, |symbol| self.watch.price(symbol), &mut lines)?;
                placed.extend(lines.drain(..).map(|line| ((number, *place), line)));
                if !(account.is_at_rest() && account.be_watched(&mut self.watch)) {
                    self.restless.insert(n);
                }
            }
        }
        Ok(placed)
    }

    /// The accounts, each at the last prices.
    fn end(mut self) -> Vec<(usize, Account)> {
        for (_, account) in &mut self.accounts {
            account.take_prices(|symbol| self.watch.price(symbol));
        }
        self.accounts
    }
}

fn finish(accounts: &[(usize, Account)], last: &str) -> Finished {
    let mut finished = Finished {
        portfolios: Vec::with_capacity(accounts.len()),
        need_a_person: 0,
        stale: 0,
        completed: 0,
        restored: 0,
        waves: 0,
        prices: 0,
        interrupted: false,
    };
    for (_, account) in accounts {
        finished.portfolios.extend(account.finish(last));
        if let Some(state) = account.state() {
            finished.completed = finished.completed.saturating_add(state.tally.completed);
            finished.restored = finished.restored.saturating_add(state.tally.restored);
            if state.standing == evenkeel_domain::portfolio::Standing::Stale {
                finished.stale = finished.stale.saturating_add(1);
            }
        }
        if account.needs_a_person() {
            finished.need_a_person = finished.need_a_person.saturating_add(1);
        }
    }
    finished
}

/// Cuts waves into chunks, looking one wave ahead.
struct Chunks<I: Iterator> {
    waves: std::iter::Peekable<I>,
    per_chunk: usize,
    first: usize,
}

impl<E, I: Iterator<Item = Result<Wave, E>>> Chunks<I> {
    /// The time of the first wave.
    fn start(&mut self) -> Timestamp {
        match self.waves.peek() {
            Some(Ok(wave)) => wave.at,
            Some(Err(_)) | None => Timestamp::EPOCH,
        }
    }

    /// The next chunk; `None` at the end.
    fn next(&mut self) -> Result<Option<Chunk>, E> {
        let mut waves = Vec::with_capacity(self.per_chunk);
        for wave in self.waves.by_ref().take(self.per_chunk) {
            waves.push(wave?);
        }
        if waves.is_empty() {
            return Ok(None);
        }
        let next = match self.waves.peek() {
            Some(Ok(wave)) => Some(wave.at),
            Some(Err(_)) | None => None,
        };
        let first = self.first;
        self.first = first.saturating_add(waves.len());
        Ok(Some(Chunk { first, waves, next }))
    }
}
