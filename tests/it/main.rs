//! Scenarios over the whole system: engine, simulated broker, stores in memory. This list is the table of contents.

#![expect(clippy::arithmetic_side_effects, reason = "figures of scenarios stay far from the limits of their types")]

// What every scenario is played in.
mod desk;
mod faulty;
mod gate;
mod world;

mod rebalance;
mod answers;
mod crash;
mod late;
mod leases;
mod manage;
mod outcomes;
mod prices;
mod restore;
mod stages;
mod stale;
mod stores;
mod waves;
