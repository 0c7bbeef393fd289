//! All accounts of a replay, spread over threads. Waves go in by chunks, lines come out in order: by wave, then in the file's order.
//!
//! Within a thread, few accounts at a time go through a chunk, so that what they remember is still at hand when they act again: see
//! [`worker`]. How long a chunk is depends on how much happens in it: see [`chunks`].

mod chunks;
mod worker;

use super::account::Account;
use super::lines::{Line, PortfolioLine};
use crate::wiring::SimulationPlan;
use chunks::{Chunk, Chunks, Pace};
use evenkeel_domain::values::Timestamp;
use evenkeel_engine::EngineError;
use evenkeel_ports::Wave;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use worker::{Told, Worker};

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
    let durable = plans.iter().any(|plan| plan.store.is_some());
    let mut chunks = Chunks::new(waves, plans.len(), if durable { Pace::AT_THE_DISK } else { Pace::IN_MEMORY });
    let (start, prices) = chunks.peek().unwrap_or((Timestamp::EPOCH, 0));
    thread::scope(|scope| {
        let mut workers = Vec::new();
        for share in shares(plans, durable) {
            let (send, chunks) = sync_channel::<Arc<Chunk>>(1);
            let (answers, receive) = sync_channel::<Told>(1);
            let thread = scope.spawn(move || work(share, (start, prices), &chunks, &answers));
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
            let told: Vec<Told> = workers.iter().filter_map(|(_, receive, _)| receive.recv().ok()).collect();
            chunks.learn(&chunk, told.iter().map(|told| told.acts).fold(0, usize::saturating_add));
            print_all(told, &mut line)?;
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

/// Prints what all threads told of a chunk, in order, and then fails with what went wrong first, if anything did.
fn print_all<E>(told: Vec<Told>, print: &mut impl FnMut(Line) -> Result<(), E>) -> Result<(), FleetError<E>> {
    let (mut placed, mut failed) = (Vec::new(), None);
    for told in told {
        placed.extend(told.placed);
        failed = [failed, told.failed].into_iter().flatten().min_by_key(|(place, _)| *place);
    }
    placed.sort_by_key(|(place, _)| *place);
    for (_, line) in placed {
        print(line).map_err(FleetError::Outside)?;
    }
    failed.map_or(Ok(()), |(_, error)| Err(FleetError::Engine(*error)))
}

/// How many portfolios of a store work at once: they wait for the disk, not for the processor, and what they commit meanwhile is synced
/// together.
const AT_THE_DISK: usize = 64;

/// Splits the portfolios over as many threads as the machine runs at once, or as are worth a sync; each with its place in the file.
fn shares(plans: Vec<SimulationPlan>, durable: bool) -> Vec<Vec<(usize, SimulationPlan)>> {
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
    plans: Vec<(usize, SimulationPlan)>,
    (start, prices): (Timestamp, usize),
    chunks: &Receiver<Arc<Chunk>>,
    answers: &SyncSender<Told>,
) -> Vec<(usize, Account)> {
    let mut worker = match Worker::new(plans, start, prices) {
        Ok(worker) => worker,
        Err(error) => {
            let _gone = answers.send(Told::failed(error)).is_err();
            return Vec::new();
        }
    };
    while let Ok(chunk) = chunks.recv() {
        let told = worker.chunk(&chunk);
        let failed = told.failed.is_some();
        if answers.send(told).is_err() || failed {
            break;
        }
    }
    worker.end().collect()
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
