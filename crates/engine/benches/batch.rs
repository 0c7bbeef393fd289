//! How fast one whole batch is: lease, snapshot, plan, journal, orders, fills, settling, release. Beside it stands planning alone.
//!
//! All is in memory, and the simulated broker is ideal: what is measured is the engine, with the allocator of the program. `cargo bench -p evenkeel-engine`, or `cargo xtask bench`.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a bench that cannot be set up says so and ends"
)]
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::float_arithmetic,
    reason = "made-up portfolios of known size, and times"
)]

#[path = "support/original.rs"]
mod original;
#[path = "../../domain/benches/support/paired.rs"]
mod paired;
#[path = "support/python.rs"]
mod python;
#[path = "../../domain/benches/support/rows.rs"]
mod rows;
#[path = "support/world.rs"]
mod world;

use evenkeel_conformance::suite::block_on;
use evenkeel_domain::values::{PortfolioId, StoreId};
use evenkeel_memory::{MemoryJournal, Retention};
use original::Original;
use python::Python;
use rows::Rows;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::Scope;
use std::time::{Duration, Instant};
use world::{Wave, World};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::io::Result<()> {
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let (rounds, blocks) = if is_bench && !Rows::is_quick() { (400, 20) } else { (2, 1) };
    let mut rows = Rows::from_arguments()?;
    for holdings in [10, 50, 500] {
        rows.put("engine", &format!("plan for {holdings} holdings"), planning(holdings, rounds), "µs")?;
    }
    for legs in [10, 50] {
        batches(legs, blocks).put(&mut rows, &format!("whole batches of {legs} legs in memory"), "per second")?;
    }
    for legs in [10, 50] {
        let pair = |world: &mut World| block_on(world.rebalance(&world.portfolios[0])).unwrap();
        let plan = |world: &mut World| block_on(world.engine.preview(&world.portfolios[0])).unwrap();
        // Run as a test, nothing is compared.
        if is_bench {
            let ratio = paired::ratio(|| out_of_band(legs), pair, plan);
            rows.put("engine", &format!("a batch of {legs} legs against planning it"), ratio.median(), "times")?;
        }
    }
    for (threads, on) in [(1, ""), (2, ", two threads")] {
        for symbols in [10, 20, 100] {
            let what = format!("100 x 50 of 500 symbols, waves of {symbols}{on}");
            stress(symbols, blocks, threads).put(&mut rows, &what, "rebalances per second")?;
        }
    }
    Ok(())
}

fn memory() -> Arc<MemoryJournal> {
    Arc::new(MemoryJournal::new(StoreId::new(7)).with_retention(Retention::LatestState))
}

/// One portfolio, every holding of which has just drifted by a tenth.
fn out_of_band(holdings: usize) -> World {
    let world = World::new(1, holdings, holdings, memory());
    assert_eq!(world.wave(&Wave { symbols: 0..holdings, flipped: false }, 10).len(), 1, "it is out of band");
    world
}

/// Microseconds.
fn planning(holdings: usize, rounds: u32) -> f64 {
    let world = out_of_band(holdings);
    let taken = time(|| {
        for _ in 0..rounds {
            let plan = block_on(world.engine.preview(&world.portfolios[0])).unwrap();
            assert_eq!(plan.legs.len(), holdings);
        }
    });
    taken.as_secs_f64() * 1e6 / f64::from(rounds)
}

/// What was measured of rebalances: how many per second, and the time of the original's way, in turns with ours, as a multiple of it.
struct Pace {
    per_second: f64,
    against_original: f64,
    /// In its own language, where there is a Python.
    against_python: Option<f64>,
}

impl Pace {
    fn put(&self, rows: &mut Rows, what: &str, unit: &str) -> std::io::Result<()> {
        rows.put("engine", what, self.per_second, unit)?;
        rows.put("engine", &format!("{what}, against the original's way in Rust"), self.against_original, "times")?;
        let Some(times) = self.against_python else { return Ok(()) };
        rows.put("engine", &format!("{what}, against the original's way in Python"), times, "times")
    }
}

/// One portfolio, of which every holding drifts by a tenth each time.
fn batches(holdings: usize, blocks: u32) -> Pace {
    let world = World::new(1, holdings, holdings, memory());
    let original = (Original::new(1, holdings, holdings), Python::new(1, holdings, holdings));
    let rebalance = |found: Vec<PortfolioId>| {
        for portfolio in found {
            assert_eq!(block_on(world.rebalance(&portfolio)).unwrap(), holdings, "legs");
        }
    };
    let block: Vec<Wave> = (0..20).map(|round| Wave { symbols: 0..holdings, flipped: round % 2 == 0 }).collect();
    waves(&world, original, blocks, rebalance, |_| block.clone())
}

/// The stress test of the system that Evenkeel replaces: judging and rebalancing whoever waves of so many symbols, by up to 10 %, put out of band.
/// A block goes through all symbols once; the halves of two threads are compared with the original on one, and not with Python: while that
/// takes its turn, the second processor falls asleep.
fn stress(symbols: usize, blocks: u32, threads: usize) -> Pace {
    let world = World::new(100, 50, 500, memory());
    let original = (Original::new(100, 50, 500), Python::new(100, 50, 500).filter(|_| threads == 1));
    std::thread::scope(|scope| {
        let crew = Crew::new(scope, &world, threads);
        crew.rebalance(world.wave(&Wave { symbols: 0..500, flipped: false }, 0));
        let rebalance = |found| crew.rebalance(found);
        waves(&world, original, blocks, rebalance, |block| {
            let flipped = block % 2 == 0;
            (0..500).step_by(symbols).map(|first| Wave { symbols: first..first + symbols, flipped }).collect()
        })
    })
}

/// Threads, of which each has its share of the portfolios and rebalances one after the other. The first is that of the bench.
struct Crew<'w> {
    world: &'w World,
    others: Vec<(Sender<Vec<PortfolioId>>, Receiver<()>)>,
}

impl<'w> Crew<'w> {
    fn new<'s>(scope: &'s Scope<'s, '_>, world: &'w World, threads: usize) -> Self
    where
        'w: 's,
    {
        let hire = |_| {
            let (send, shares) = channel();
            let (done, wait) = channel();
            scope.spawn(move || {
                for share in shares {
                    rebalance_all(world, share);
                    done.send(()).unwrap();
                }
            });
            (send, wait)
        };
        Self { world, others: (1..threads).map(hire).collect() }
    }

    fn rebalance(&self, found: Vec<PortfolioId>) {
        let mut shares = vec![Vec::new(); self.others.len() + 1];
        for portfolio in found {
            let place = self.world.portfolios.binary_search(&portfolio).unwrap();
            shares[place % (self.others.len() + 1)].push(portfolio);
        }
        for ((send, _), share) in self.others.iter().zip(shares.drain(1..)) {
            send.send(share).unwrap();
        }
        rebalance_all(self.world, shares.remove(0));
        self.others.iter().for_each(|(_, wait)| wait.recv().unwrap());
    }
}

fn rebalance_all(world: &World, share: Vec<PortfolioId>) {
    for portfolio in share {
        assert!(block_on(world.rebalance(&portfolio)).unwrap() > 0);
    }
}

/// Blocks of waves, and whoever they put out of band rebalanced; all ways in turns, the original's on one thread. The first block is not measured: from where
/// all prices are alike it needs fewer legs.
fn waves(
    world: &World,
    (mut original, mut python): (Original, Option<Python>),
    blocks: u32,
    rebalance: impl Fn(Vec<PortfolioId>),
    block: impl Fn(u32) -> Vec<Wave>,
) -> Pace {
    let (mut ours, mut theirs) = (Turns::default(), Turns::default());
    let (mut ratios, mut python_ratios) = (Vec::new(), Vec::new());
    for number in 0..=blocks {
        let waves = block(number);
        let our = Turns::of(&waves, |wave| {
            let found = world.wave(wave, 10);
            let count = found.len();
            rebalance(found);
            count
        });
        let their = Turns::of(&waves, |wave| original.wave(wave, 10));
        let by_python = python.as_mut().map(|python| {
            let turns = waves.iter().map(|wave| python.wave(wave, 10));
            turns.fold(Turns::default(), |all, (rebalances, taken)| all.and(Turns { taken, rebalances }))
        });
        if number == 0 {
            continue;
        }
        (ours, theirs) = (ours.and(our), theirs.and(their));
        ratios.push(their.each() / our.each());
        python_ratios.extend(by_python.map(|by_python| {
            by_python.agrees_with(our);
            by_python.each() / our.each()
        }));
    }
    theirs.agrees_with(ours);
    let per_second = 1.0 / ours.each();
    Pace { per_second, against_original: median(ratios).unwrap(), against_python: median(python_ratios) }
}

/// So many rebalances took so long.
#[derive(Clone, Copy, Default)]
struct Turns {
    taken: Duration,
    rebalances: usize,
}

impl Turns {
    fn of(waves: &[Wave], mut rebalances: impl FnMut(&Wave) -> usize) -> Self {
        let mut count = 0;
        let taken = time(|| count = waves.iter().map(&mut rebalances).sum());
        Self { taken, rebalances: count }
    }

    fn and(self, more: Self) -> Self {
        Self { taken: self.taken + more.taken, rebalances: self.rebalances + more.rebalances }
    }

    fn each(self) -> f64 {
        self.taken.as_secs_f64() / self.rebalances as f64
    }

    /// The original rounds what it decides by.
    fn agrees_with(self, ours: Self) {
        let (ours, theirs) = (ours.rebalances, self.rebalances);
        assert!(theirs.abs_diff(ours) * 50 <= ours.max(50), "{ours} rebalances, and {theirs}");
    }
}

fn median(mut ratios: Vec<f64>) -> Option<f64> {
    ratios.sort_by(f64::total_cmp);
    ratios.get(ratios.len() / 2).copied()
}

fn time(work: impl FnOnce()) -> Duration {
    #[expect(clippy::disallowed_methods, reason = "a bench measures the time that passes, and decides nothing by it")]
    let start = Instant::now();
    work();
    start.elapsed()
}
