//! The executable half of each port's contract: suites that any adapter, ours or yours, certifies itself with.
//!
//! One macro call per adapter makes one named `#[test]` for each case, and one that checks the report as a whole:
//!
//! ```text
//! evenkeel_conformance::broker_suite!(MyRig::new());
//! evenkeel_conformance::broker_suite!(MyRig::new(), not_shown: [C40, C42], skipped: [C08]);
//! ```
//!
//! | port | suite | what its adapter brings |
//! |---|---|---|
//! | broker | [`broker_suite!`] | a [`broker::BrokerRig`] |
//! | lease store | [`lease_store_suite!`] | a [`leases::LeaseRig`] |
//! | journal, with its outbox | [`journal_suite!`] | a [`journal::JournalRig`] |
//! | clock | [`clock_suite!`] | a [`clock::ClockRig`] |
//! | notifier | [`notifier_suite!`] | a [`notifier::NotifierRig`] |
//! | price source | [`price_source_suite!`] | a [`prices::PriceSourceRig`] |
//!
//! A case ends in one of four ways, and nothing else is ever counted as passed:
//!
//! | verdict | means |
//! |---|---|
//! | passed | the adapter kept the promise, in front of this suite's eyes |
//! | failed | it broke it; the message says what was promised and what was seen |
//! | skipped | a declared capability excuses it; the report names the capability, and the macro call must list the case |
//! | not shown | the rig cannot make the situation happen, or cannot see all of what came of it; what it could see was as promised. The macro call must list the case, and a listed case that can be shown is a failure |
//!
//! The tests of listed cases are ignored, and the report must agree with the lists, or `the_report_is_as_declared` fails.
//!
//! # The report
//!
//! The test `the_report_is_as_declared` prints it; set the environment variable `EVENKEEL_REPORTS` ([`REPORTS`]) to a folder, and it is
//! saved there as well, as text and as JSON, one pair of files for each port and adapter:
//!
//! ```sh
//! cargo test the_report_is_as_declared -- --nocapture
//! EVENKEEL_REPORTS="$PWD/reports" cargo test the_report_is_as_declared
//! cat reports/broker-*.txt
//! ```
//!
//! A relative folder is one below the package, since that is where cargo runs its tests. The report ([`Report`]) names the versions of
//! suite and adapter, all that the adapter declares, and each case with its verdict: what failed with what was promised and what was
//! seen, what was skipped with its excuse, what was not shown with what the rig cannot do. In code, `report` of each suite makes one
//! ([`broker::report`]), [`Report::save`] writes its files, and [`Report::to_json`] gives one line:
//!
//! | key | is |
//! |---|---|
//! | `port`, `adapter`, `adapter_version`, `suite_version` | texts; `adapter_version` is `null` in a report made without the macro |
//! | `capabilities` | what is declared, one text each |
//! | `cases` | objects with `id`, `contract`, `promise`, `verdict` (`passed`, `failed`, `skipped`, `not shown`) and `detail`, empty if passed |
//!
//! # Reading a suite
//!
//! A suite is also a specification: the `CASES` of its module ([`broker::CASES`]) say what is promised, and by which number of the port's
//! contract ([`Case`]); the page of the module lists them, and the function of a case's name says what it does to see whether that is so,
//! and how often. That the cases find what they are for is shown by adapters broken on purpose,
//! in `tests/it/mutants`.
//!
//! A guide that goes from an empty crate to a certified adapter is `docs/write-a-broker.md`; what it builds is `examples/toy-broker`.

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
pub use report::{CaseReport, REPORTS, Report};
pub use suite::Rig;
