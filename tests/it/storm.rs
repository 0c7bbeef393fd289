//! The engine in the storm: batch after batch at a broker where everything goes wrong now and then, each compared with the broker's truth.
//!
//! `cargo xtask storm --batches N --seed N` runs it for longer, and with seeds of its own.

use crate::world::{World, p, seconds};
use evenkeel_banchile::{Profile, Retention as Remembered};
use evenkeel_domain::policy::Policy;
use evenkeel_domain::record::{Cause, Outcome};
use evenkeel_domain::report::BatchReport;
use evenkeel_engine::{EngineError, Rebalanced, Resolve};
use evenkeel_market::{FakeMarket, Listing, Pace, Volatility};
use evenkeel_memory::{MemoryJournal, Retention};
use std::collections::BTreeMap;

const TARGETS: [(&str, &str); 6] =
    [("AAPL", "25"), ("AMZN", "20"), ("GOOGL", "10"), ("META", "25"), ("MSFT", "15"), ("CASH", "5")];
const SYMBOLS: [&str; 5] = ["AAPL", "AMZN", "GOOGL", "META", "MSFT"];
/// How long each portfolio sails.
const DAYS: u64 = 250;

/// What the batches came to, and how often.
type Log = BTreeMap<&'static str, u64>;

#[test]
fn every_batch_ends_well_and_books_are_true() {
    let batches = from_outside("EVENKEEL_STORM_BATCHES").unwrap_or(10_000);
    let seed = from_outside("EVENKEEL_STORM_SEED").unwrap_or(1);
    let mut log = Log::new();
    for ship in 0.. {
        if closed(&log) >= batches {
            break;
        }
        voyage(seed, ship, &mut log);
    }
    let all = closed(&log);
    println!("seed {seed}: {all} batches");
    for (end, times) in &log {
        println!("{end:>12} {times:>8} {:>4} in 1000", times * 1000 / all);
    }
    assert!(log["completed"] > all / 2, "a storm is no excuse for doing nothing: {log:?}");
    assert!(log["restored"] > 0, "a storm in which nothing goes wrong: {log:?}");
}

fn from_outside(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|error| panic!("{variable}={text:?}: {error}; give a whole number")))
}

fn closed(log: &Log) -> u64 {
    ["completed", "restored", "abandoned", "stale"].iter().filter_map(|end| log.get(end)).sum()
}

/// One portfolio, with everything of its own, through a year of days.
fn voyage(seed: u64, ship: u64, log: &mut Log) {
    let id = format!("s{seed}-{ship}");
    let profile = Profile { retention: Remembered::OrderIds, ..Profile::storm() };
    let world = World::over(profile, |journal: MemoryJournal| journal.with_retention(Retention::LatestState));
    world.add(&id, "100000.00", &[], &TARGETS, Policy::default());
    let listing = |symbol| Listing { symbol: p(symbol), first: p("200"), volatility: Volatility::Wild };
    let market = seed.wrapping_mul(1_000_003).wrapping_add(ship);
    let market = FakeMarket::with_listings(market, SYMBOLS.map(listing), Pace::Days).unwrap();
    for wave in market.limited_to(DAYS) {
        world.clock.advance_to(wave.at);
        if world.wave_of(wave.prices).is_empty() {
            continue;
        }
        let end = match world.rebalance(&id) {
            Ok(Rebalanced::Batch(report)) => judged(&report),
            Ok(Rebalanced::InBand(_) | Rebalanced::NotWorthwhile { .. }) => continue,
            Err(EngineError::OrdersOpen { .. }) => "orders open",
            Err(EngineError::Quarantined { .. }) => "quarantined",
            Err(error) => panic!("{id} on {}: {error}", wave.label),
        };
        *log.entry(end).or_default() += 1;
        make_good(&world, &id, log);
    }
}

/// The outcome's name, if the report bears it out.
fn judged(report: &BatchReport) -> &'static str {
    match report.outcome {
        Outcome::Stale => {
            let says_why =
                matches!(report.cause, Some(Cause::Unknown { .. } | Cause::Mismatch { .. } | Cause::Unbookable { .. }));
            assert!(says_why || !report.residual.is_empty(), "stale without a reason: {report:?}");
        }
        Outcome::Completed | Outcome::Restored | Outcome::Abandoned => {
            assert!(report.residual.is_empty(), "{report:?}")
        }
    }
    report.outcome.name()
}

/// Books and broker agree; or what came late is found by the next look, or a person accepts it.
fn make_good(world: &World, id: &str, log: &mut Log) {
    world.clock.advance(seconds(600));
    world.broker.check_conservation(&p(id)).unwrap();
    let is_blocked = || matches!(world.engine.portfolio(&p(id)).unwrap().standing.name(), "stale" | "quarantined");
    let books = || world.engine.portfolio(&p(id)).unwrap().books.clone();
    if is_blocked() {
        assert!(
            !world.run(evenkeel_ports::Journal::pending_alerts(&*world.journal, 1)).unwrap().is_empty(),
            "nobody was told"
        );
        drop(world.resolve(id, Resolve::Accept));
    } else if books() != world.truth(id) {
        *log.entry("found late").or_default() += 1;
        drop(world.run(world.engine.rebalance_now(&p(id))));
        world.clock.advance(seconds(600));
        if is_blocked() {
            drop(world.resolve(id, Resolve::Accept));
        }
    }
    assert_eq!(books(), world.truth(id), "books and broker of {id}");
}
