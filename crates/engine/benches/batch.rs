//! How fast one whole batch is: lease, snapshot, plan, journal, orders, fills, settling, release. Beside it stands planning alone.
//!
//! All is in memory, and the simulated broker is ideal: what is measured is the engine. `cargo bench -p evenkeel-engine`, or `cargo xtask bench`.

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

#[path = "../../domain/benches/support/paired.rs"]
mod paired;
#[path = "../../domain/benches/support/rows.rs"]
mod rows;
#[path = "support/world.rs"]
mod world;

use evenkeel_conformance::suite::block_on;
use evenkeel_domain::values::StoreId;
use evenkeel_memory::{MemoryJournal, Retention};
use rows::Rows;
use std::sync::Arc;
use std::time::{Duration, Instant};
use world::World;

fn main() -> std::io::Result<()> {
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let rounds = if is_bench && !Rows::is_quick() { 400 } else { 2 };
    let mut rows = Rows::from_arguments()?;
    for holdings in [10, 50, 500] {
        rows.put("engine", &format!("plan for {holdings} holdings"), planning(holdings, rounds), "µs")?;
    }
    for legs in [10, 50] {
        rows.put("engine", &format!("whole batches of {legs} legs in memory"), batches(legs, rounds), "per second")?;
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
    for symbols in [10, 20, 100] {
        let what = format!("100 x 50 of 500 symbols, waves of {symbols}");
        rows.put("engine", &what, stress(symbols, rounds / 4 + 1), "rebalances per second")?;
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

/// Per second, one after the other.
fn batches(holdings: usize, rounds: u32) -> f64 {
    let world = World::new(1, holdings, holdings, memory());
    let mut taken = Duration::ZERO;
    for round in 0..rounds {
        world.wave(0..holdings, 10, round.is_multiple_of(2));
        taken += time(|| {
            assert_eq!(block_on(world.rebalance(&world.portfolios[0])).unwrap(), holdings);
        });
    }
    f64::from(rounds) / taken.as_secs_f64()
}

/// The stress test of the system that Evenkeel replaces: judging and rebalancing whoever waves of so many symbols, by up to 10 %, put out of band.
fn stress(symbols: usize, rounds: u32) -> f64 {
    let world = World::new(100, 50, 500, memory());
    for portfolio in world.wave(0..500, 0, false) {
        block_on(world.rebalance(&portfolio)).unwrap();
    }
    let (mut taken, mut rebalanced) = (Duration::ZERO, 0_usize);
    for round in 0..rounds as usize {
        let first = round * symbols % 500;
        taken += time(|| {
            let found = world.wave(first..first + symbols, 10, (round * symbols / 500).is_multiple_of(2));
            rebalanced += found.len();
            for portfolio in found {
                block_on(world.rebalance(&portfolio)).unwrap();
            }
        });
    }
    rebalanced as f64 / taken.as_secs_f64()
}

fn time(work: impl FnOnce()) -> Duration {
    #[expect(clippy::disallowed_methods, reason = "a bench measures the time that passes, and decides nothing by it")]
    let start = Instant::now();
    work();
    start.elapsed()
}
