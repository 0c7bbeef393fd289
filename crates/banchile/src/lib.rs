//! `BanChile`: a simulated broker that behaves like a real one on a good day, on a bad day, or exactly as a test says.
//!
//! It implements the `Broker` port with all that makes real brokers hard: requests and answers take time, orders are executed later
//! and in parts, open orders reserve cash and units, fees and slippage cost money, reads lag behind, and a request or its
//! answer can be lost, late, doubled or held. What cannot be had from a real broker comes with it: the whole truth
//! about every account ([`BanChile::ledger`]), which proves that nothing was created or lost ([`Ledger::check`]).
//!
//! * A [`Profile`] says what kind of broker it is: [`ideal`](Profile::ideal), [`calm`](Profile::calm), [`storm`](Profile::storm), or your own.
//! * A [`Rule`] says which order meets which [`Fault`].
//! * Time is the `Clock` of the ports and nothing else: no runtime, no thread. What is due happens at the next call.
//! * Every random draw is a function of the seed and of what it is about, so neither scheduling nor an added fault changes another.
//!
//! ```
//! use evenkeel_banchile::{BanChile, Profile};
//! use evenkeel_domain::order::{Attempt, BatchId, ClientOrderId, Direction, LegNumber, OrderRequest, Side, SubmitAnswer, Terms};
//! use evenkeel_domain::values::{AccountId, Timestamp};
//! use evenkeel_ports::{Broker, Clock};
//! use futures_util::FutureExt;
//! use std::sync::Arc;
//!
//! struct Noon;
//! #[async_trait::async_trait]
//! impl Clock for Noon {
//!     fn now(&self) -> Timestamp {
//!         Timestamp::EPOCH
//!     }
//!     async fn sleep_until(&self, _: Timestamp) {}
//! }
//!
//! let broker = BanChile::new(Profile::ideal(), Arc::new(Noon), 1);
//! let account: AccountId = "growth".parse()?;
//! broker.open_account(&account, "USD".parse()?, "1000.00".parse()?, [])?;
//! broker.set_price("META".parse()?, "440".parse()?);
//!
//! let order = OrderRequest {
//!     id: ClientOrderId {
//!         batch: BatchId::from_u128(1),
//!         leg: LegNumber::new(0).ok_or("no leg")?,
//!         direction: Direction::Forward,
//!         attempt: Attempt::FIRST,
//!     },
//!     terms: Terms {
//!         symbol: "META".parse()?,
//!         side: Side::Buy,
//!         quantity: "1.5".parse()?,
//!         reference: "440".parse()?,
//!         exit: false,
//!     },
//! };
//! // With `ideal` nothing has to be waited for.
//! let answer = broker.submit(&account, &order).now_or_never().ok_or("it waited")?;
//! assert!(matches!(answer, SubmitAnswer::Acknowledged(view) if view.filled == order.terms.quantity));
//!
//! let positions = broker.positions(&account).now_or_never().ok_or("it waited")??;
//! assert_eq!(positions.first().ok_or("nothing is held")?.quantity.to_string(), "1.5");
//! assert_eq!(broker.ledger(&account)?.cash.to_string(), "340.00");
//! broker.check_conservation(&account)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Decisions
//!
//! * **A cash account.** No credit, no shorts. An open buy reserves quantity × reference, the collar and the declared costs, so
//!   a planner can tell it beforehand; an open sell reserves its units; the proceeds of a sell can be spent when it is filled, though they
//!   settle later, unless the profile says otherwise ([`Settlement`]). Cash is never below zero by orders.
//! * **A market order can cost more than it reserved**, when the board has moved. The rest comes out of cash that nothing has reserved;
//!   if that is not enough, the order is *rejected* after it was acknowledged, with what was executed before.
//! * **Cash moves per order** by the rounded cumulative amount, and so do fees, rounded up: books that follow the same rule agree to the cent.
//! * **Fills are made at the board's price of the moment of execution**, worse for the account by at most the slippage, never beyond it.
//! * **Absent** is answered once the visibility horizon since the account's last send has passed; before that an unknown id is `Unproven`.
//!   A send still under way then is what the declared quiescence is for.
//! * **Refused is a proof**: copies of the same request that are still under way when it is refused are turned away with it.
//! * **An unknown account** is refused (`Other`) on submit, answers `NoSuchOrder` on cancel and an error on questions.

mod account;
mod bank;
mod broker;
mod calendar;
mod calibration;
mod calls;
mod corrections;
mod draws;
mod faults;
#[cfg(feature = "file")]
mod file;
mod gate;
mod limiter;
mod liquidity;
mod orders;
mod outages;
mod profile;
mod sessions;
mod settlement;
mod shards;
mod shared;
mod sorted;
#[cfg(test)]
mod tests;
mod truth;
mod venue;

pub use account::AccountError;
pub use bank::BanChile;
pub use calibration::{Calibration, CalibrationLine, Tally};
pub use corrections::{Correction, CorrectionError};
pub use faults::{Fault, Part, Rule};
#[cfg(feature = "file")]
pub use file::{BankError, BankFile};
pub use limiter::RateLimit;
pub use liquidity::Liquidity;
pub use outages::{Outage, OutageKind, Outages};
pub use profile::{Chance, FaultRates, Latency, Profile, Retention};
pub use sessions::Sessions;
pub use settlement::Settlement;
pub use truth::{Forgotten, HoldingTruth, Ledger, OrderTruth, Violation};
