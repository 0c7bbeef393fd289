//! Tests of the simulated broker. `desk.rs` is what they all work with; every other file is about one thing and its cases are data.

#![expect(clippy::arithmetic_side_effects, reason = "expected results are computed where there is room for them")]

mod accounts;
mod calibration;
mod conservation;
mod corrections;
mod costs;
mod desk;
mod draws;
mod faults;
mod ideal;
mod life;
mod market;
mod outages;
mod reads;
mod refusals;
mod retention;
mod scheduling;
mod settling;
mod shards;
mod sorted;
