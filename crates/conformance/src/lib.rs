//! The executable half of each port's contract: suites that any adapter, ours or yours, certifies itself with.
//!
//! One macro call per adapter makes one named `#[test]` for each case, and one that checks the report as a whole:
//!
//! ```text
//! evenkeel_conformance::broker_suite!(MyRig::new());
//! evenkeel_conformance::broker_suite!(MyRig::new(), not_shown: [C40, C42]);
//! ```
//!
//! A case ends in one of four ways, and nothing else is ever counted as passed:
//!
//! | verdict | means |
//! |---|---|
//! | passed | the adapter kept the promise, in front of this suite's eyes |
//! | failed | it broke it; the message says what was promised and what was seen |
//! | skipped | a declared capability excuses it; the report names the capability |
//! | not shown | the rig cannot make the situation happen; the macro call must list the case, and a listed case that can be shown is a failure |
//!
//! The report ([`Report`]) exists as text and as JSON. A suite is also a specification: each case's page says which promise of the port it
//! is about, by the number in the port's contract.

pub mod broker;
mod case;
pub mod clock;
pub mod journal;
pub mod leases;
pub mod notifier;
pub mod prices;
mod report;
pub mod suite;

pub use case::{Cannot, Case, Check, Stop, Verdict, expect};
pub use report::{CaseReport, Report};
pub use suite::Rig;
