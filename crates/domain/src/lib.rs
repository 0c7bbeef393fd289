//! The pure heart of Evenkeel: values, allocation, drift, planning, and the batch state machine.
//!
//! No input or output, no clock, no async, no randomness: everything that happens comes in as an argument, with its time. So all of it can be
//! embedded anywhere, tested without waiting, and replayed.
//!
//! # Plan with it
//!
//! ```
//! use evenkeel_domain::allocation::TargetAllocation;
//! use evenkeel_domain::books::{Books, Market, Prices, Quote};
//! use evenkeel_domain::policy::Policy;
//! use evenkeel_domain::valuation::{ReserveRule, Valuation};
//! use evenkeel_domain::values::Timestamp;
//!
//! // A third each, and META has risen from 400 to 440.
//! let targets = TargetAllocation::parse([("META", "33.33"), ("AAPL", "33.33"), ("MSFT", "33.34")])?;
//! let books = Books::new(
//!     "0.00".parse()?,
//!     [("META".parse()?, "83.325".parse()?), ("AAPL".parse()?, "202".parse()?), ("MSFT".parse()?, "100".parse()?)],
//! );
//! let mut prices = Prices::default();
//! for (symbol, price) in [("META", "440"), ("AAPL", "165.00"), ("MSFT", "333.40")] {
//!     prices.set(symbol.parse()?, Quote { price: price.parse()?, at: Timestamp::EPOCH });
//! }
//!
//! let policy = Policy::default(); // relative, 5 %
//! let valuation = Valuation::new(&books, &targets, &policy, Market::ageless(&prices), ReserveRule::NONE)?;
//! let assessment = evenkeel_domain::drift::assess(&valuation, &policy.measure)?;
//! assert!(assessment.is_out_of_band());
//! assert_eq!(assessment.drift.to_string(), "6.4520"); // percent of the target
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`plan::plan`] turns that into legs, with the reasons for what is left alone and a certificate; the example `plan` shows it whole.
//!
//! # The modules, in the order of the way of the data
//!
//! | module | is |
//! |---|---|
//! | [`values`] | money, prices, quantities, percentages, times and ids: exact, each with its arithmetic table |
//! | [`allocation`], [`policy`], [`books`] | what a portfolio should be, when to act, what it owns |
//! | [`valuation`], [`drift`] | what it is worth, and how far it is from its targets |
//! | [`order`] | the words spoken with a broker |
//! | [`plan`](mod@plan) | the legs that bring it back, and the proof that they are sound |
//! | [`batch`], [`portfolio`], [`record`] | the state of a batch and a portfolio, and everything that ever changes them |
//! | [`decide`](mod@decide), [`apply`](mod@apply), [`due`](mod@due) | the machine: what follows from an input, what a record changes, what must be done now |
//! | [`report`], [`alert`] | what a batch did, and what a person must be told |
//! | [`limits`] | what no batch may go beyond |
//! | [`halt`] | the kill switch: a person's word that nothing may be sent |
//!
//! # Features
//!
//! | feature | adds |
//! |---|---|
//! | `serde` | serialisation of every value and record; decimals are strings |

#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::let_underscore_must_use,
        clippy::wildcard_enum_match_arm,
        reason = "a test may panic, and says what it expects of the rest; without `test` the same code is held to all lints"
    )
)]

// In the order of the way of the data: price, drift, plan, batch, settle.
pub mod values;

pub mod allocation;
pub mod books;
pub mod policy;

pub mod drift;
mod exact;
pub mod valuation;

pub mod order;
pub mod plan;

pub mod alert;
pub mod apply;
pub mod batch;
pub mod decide;
pub mod due;
pub mod halt;
pub mod limits;
pub mod portfolio;
pub mod record;
pub mod report;
mod sorted;

#[cfg(test)]
mod testing;
