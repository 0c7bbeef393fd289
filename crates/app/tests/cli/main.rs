//! The program as its users see it: arguments in; exit code, standard output and standard error out.
//!
//! Expected outputs can be refreshed with `UPDATE_EXPECT=1`; read the difference, it is what users will see.

#![expect(clippy::unwrap_used, reason = "what a test cannot do without has failed it")]

mod bad_input;
mod harness;
#[path = "../../../sqlite/tests/common/newer.rs"]
mod newer;
mod night;
mod plan;
mod policies;
mod quiet_days;
mod stores;
mod streams;
mod usage;
