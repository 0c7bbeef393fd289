//! How many whole rebalances of ten legs a durable store takes per sync of the disk: one at a time, and with 64 in flight.
//!
//! Leases and the bank's own truth are in memory: only the journal is on disk. `cargo bench -p evenkeel-sqlite --bench rebalances`.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a bench that cannot be set up says so and ends")]
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::float_arithmetic,
    reason = "made-up portfolios of known size, and times"
)]

#[path = "../../domain/benches/support/rows.rs"]
mod rows;
#[path = "../../engine/benches/support/world.rs"]
mod world;

use evenkeel_conformance::suite::block_on;
use evenkeel_domain::values::Timestamp;
use evenkeel_memory::ManualClock;
use evenkeel_sqlite::SqliteStore;
use futures_util::future::join_all;
use rows::Rows;
use std::sync::Arc;
use std::time::Instant;
use world::{Wave, World};

const LEGS: usize = 10;

fn main() -> std::io::Result<()> {
    let is_short = Rows::is_quick() || !std::env::args().any(|argument| argument == "--bench");
    let rebalances = if is_short { 64 } else { 2_560 };
    let mut rows = Rows::from_arguments()?;
    for in_flight in [1, 64] {
        // Whoever buys low and sells high so often grows rich: thousands of rounds pass what an amount can say.
        let [per_sync, per_second] = measure(in_flight, (rebalances / in_flight).min(256));
        rows.put("store", &format!("rebalances of 10 legs, {in_flight} in flight"), per_sync, "per sync")?;
        rows.put("store", &format!("the same, {in_flight} in flight"), per_second, "per second")?;
    }
    Ok(())
}

fn measure(in_flight: usize, rounds: usize) -> [f64; 2] {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let clock = Arc::new(ManualClock::new(Timestamp::EPOCH));
    let store = SqliteStore::open(folder.path().join("store.db"), clock).unwrap();
    let world = World::new(in_flight, LEGS, LEGS, Arc::new(store.clone()));
    let before = store.transactions();
    #[expect(clippy::disallowed_methods, reason = "a bench measures the time that passes, and decides nothing by it")]
    let start = Instant::now();
    for round in 0..rounds {
        let found = world.wave(&Wave { symbols: 0..LEGS, flipped: round.is_multiple_of(2) }, 10);
        assert_eq!(found.len(), in_flight);
        for legs in block_on(join_all(found.iter().map(|portfolio| world.rebalance(portfolio)))) {
            assert_eq!(legs.unwrap(), LEGS);
        }
    }
    let (done, syncs) = ((rounds * in_flight) as f64, (store.transactions() - before) as f64);
    [done / syncs, done / start.elapsed().as_secs_f64()]
}
