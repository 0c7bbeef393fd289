//! Tests of the simulated broker. `desk.rs` is what they all work with; every other file is about one thing and its cases are data.

mod accounts;
mod desk;
mod faults;
mod ideal;
mod life;
mod reads;
mod refusals;
