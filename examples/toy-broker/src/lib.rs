//! An adapter to a toy HTTP broker: what a team writes that connects Evenkeel to a broker of its own.
//!
//! `docs/write-a-broker.md` builds it step by step, from excerpts of these files. From the outside in:
//!
//! | file | is |
//! |---|---|
//! | `adapter.rs` | [`ToyBroker`]: the nine methods of the port, and what each answer of the wire proves |
//! | `messages.rs` | the broker's JSON, read into the values of the domain; exact, and tolerant of what it does not know |
//! | `wire.rs` | one HTTP request: one attempt, and the four ways in which it can end |
//!
//! The toy broker itself, with its faults, is a server in `tests/certify`, beside the suite that certifies the adapter.
//! It is not a broker to trade with, and this is no crate to depend on: copy it.

mod adapter;
mod messages;
mod wire;

pub use adapter::{TIMEOUT, ToyBroker};
pub use wire::Secret;
