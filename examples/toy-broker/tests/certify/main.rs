//! The adapter, certified: by the broker suite, over real HTTP, against a toy broker that fails on request.
//!
//! `conformance.rs` is the one macro call that a team writes; `rig.rs` what it needs; `bank.rs` and `server.rs` are the broker.
//! `http.rs` has what only an HTTP adapter can be asked, `planted.rs` bugs that the suite must find, `wiring.rs` a rebalance through the
//! engine, and `guide.rs` sees that `docs/write-a-broker.md` quotes these files as they are.

#![cfg(test)]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "a test may panic, and says what it expects of the rest"
)]

mod bank;
mod conformance;
mod guide;
mod http;
mod planted;
mod rig;
mod sandbox;
mod server;
mod wiring;
