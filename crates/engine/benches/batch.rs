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
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};
use world::World;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::io::Result<()> {
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let rounds = if is_bench && !Rows::is_quick() { 400 } else { 2 };
    let mut rows = Rows::from_arguments()?;
    for holdings in [10, 50, 500] {
        rows.put("engine", &format!("plan for {holdings} holdings"), planning(holdings, rounds), "µs")?;
    }
    for legs in [10, 50] {
        batches(legs, rounds).put(&mut rows, &format!("whole batches of {legs} legs in memory"), "per second")?;
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
            stress(symbols, rounds / 4 + 1, threads).put(&mut rows, &what, "rebalances per second")?;
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
    assert_eq!(world.wave(0..holdings, 10, false).len(), 1, "it is out of band");
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
fn batches(holdings: usize, rounds: u32) -> Pace {
    let world = World::new(1, holdings, holdings, memory());
    let original = (Original::new(1, holdings, holdings), Python::new(1, holdings, holdings));
    let rebalance = |found: &[PortfolioId]| {
        for portfolio in found {
            assert_eq!(block_on(world.rebalance(portfolio)).unwrap(), holdings, "legs");
        }
    };
    waves(&world, original, rounds, rebalance, |round| (0..holdings, round.is_multiple_of(2)))
}

/// The stress test of the system that Evenkeel replaces: judging and rebalancing whoever waves of so many symbols, by up to 10 %, put out of band.
fn stress(symbols: usize, rounds: u32, threads: usize) -> Pace {
    let world = World::new(100, 50, 500, memory());
    let original = (Original::new(100, 50, 500), Python::new(100, 50, 500));
    for portfolio in world.wave(0..500, 0, false) {
        block_on(world.rebalance(&portfolio)).unwrap();
    }
    let rebalance = |found: &[PortfolioId]| rebalance_all(&world, found, threads);
    waves(&world, original, rounds, rebalance, |round| {
        let first = round * symbols % 500;
        (first..first + symbols, (round * symbols / 500).is_multiple_of(2))
    })
}

/// Waves of these symbols, and whoever they put out of band rebalanced; all ways in turns, the original's on one thread.
fn waves(
    world: &World,
    (mut original, mut python): (Original, Option<Python>),
    rounds: u32,
    rebalance: impl Fn(&[PortfolioId]),
    wave: impl Fn(usize) -> (Range<usize>, bool),
) -> Pace {
    let (mut taken, mut rebalanced, mut by_original) = (Duration::ZERO, 0_usize, 0_usize);
    let (mut ratios, mut python_ratios) = (Vec::new(), Vec::new());
    for round in 0..rounds as usize {
        let (range, flipped) = wave(round);
        let (mut ours, mut theirs) = (0, 0);
        let our_time = time(|| {
            let found = world.wave(range.clone(), 10, flipped);
            ours = found.len();
            rebalance(&found);
        });
        let their_time = time(|| theirs = original.wave(range.clone(), 10, flipped));
        (taken, rebalanced, by_original) = (taken + our_time, rebalanced + ours, by_original + theirs);
        let each = |time: Duration, rebalances: usize| time.as_secs_f64() / rebalances as f64;
        ratios.push(each(their_time, theirs) / each(our_time, ours));
        if let Some((theirs, their_time)) = python.as_mut().map(|python| python.wave(range, 10, flipped)) {
            assert!(theirs.abs_diff(ours) * 10 <= ours.max(10), "{ours} rebalances, and {theirs}");
            python_ratios.push(each(their_time, theirs) / each(our_time, ours));
        }
    }
    // It rounds what it decides by.
    assert!(rebalanced.abs_diff(by_original) * 50 <= rebalanced, "{rebalanced} rebalances, and {by_original}");
    let per_second = rebalanced as f64 / taken.as_secs_f64();
    Pace { per_second, against_original: median(ratios).unwrap(), against_python: median(python_ratios) }
}

fn median(mut ratios: Vec<f64>) -> Option<f64> {
    ratios.sort_by(f64::total_cmp);
    ratios.get(ratios.len() / 2).copied()
}

/// On so many threads, each of which has its share of the portfolios and does one after the other.
fn rebalance_all(world: &World, found: &[PortfolioId], threads: usize) {
    let rebalance = |share: &[&PortfolioId]| {
        for portfolio in share {
            assert!(block_on(world.rebalance(portfolio)).unwrap() > 0);
        }
    };
    let mut shares = vec![Vec::new(); threads];
    for portfolio in found {
        let place = world.portfolios.binary_search(portfolio).unwrap();
        shares[place % threads].push(portfolio);
    }
    std::thread::scope(|scope| {
        let (ours, others) = shares.split_first().unwrap();
        for share in others {
            scope.spawn(move || rebalance(share));
        }
        rebalance(ours);
    });
}

fn time(work: impl FnOnce()) -> Duration {
    #[expect(clippy::disallowed_methods, reason = "a bench measures the time that passes, and decides nothing by it")]
    let start = Instant::now();
    work();
    start.elapsed()
}
