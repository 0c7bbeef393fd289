//! Scenarios over the whole system: engine, simulated broker, stores in memory. This list is the table of contents.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test may panic: that is how it fails"
)]

// What every scenario is played in.
mod desk;
mod faulty;
mod gate;
mod world;

mod absent;
mod answers;
mod corrections;
mod crash;
mod dispatch;
mod halts;
mod incidents;
mod late;
mod leases;
mod limits;
mod manage;
mod outcomes;
mod prices;
mod rebalance;
mod reconcile;
mod restore;
mod rounds;
mod sessions;
mod stages;
mod stale;
mod stores;
mod storm;
mod storms;
mod waves;

// What the suites find.
mod mutants;
