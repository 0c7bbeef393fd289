//! Records: every choice that was ever made, in the order it was made. The journal keeps them; state is rebuilt from them.
//!
//! A record says what was chosen (quantities, ids, due times, the next attempt) and when. It is made by [`crate::decide`],
//! and [`crate::apply`] turns it into state without choosing anything, so a newer program never re-decides an old choice.

mod closing;
mod kind;

pub use closing::{Cause, Closing, Difference, Outcome, Pause, Residual};

use crate::books::{Books, Definition};
use crate::halt::Halt;
use crate::limits::{Checks, Facts, Limits};
use crate::order::{BatchId, ClientOrderId, Costs, Fill, NotSent, OrderFill, Refused, Side, Terms, UnknownCause};
use crate::plan::{Leg, Skip, Stages};
use crate::portfolio::Portfolio;
use crate::values::{Money, MovementId, OwnerId, Percentage, Symbol, Timestamp, Token};
use std::sync::Arc;
use std::time::Duration;

/// One choice and its time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Record {
    /// When it was chosen, by the clock of the one who chose.
    pub at: Timestamp,
    /// What was chosen.
    pub event: Event,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Event {
    /// The portfolio exists from here on.
    Added {
        /// What it is.
        definition: Arc<Definition>,
        /// What it owns.
        books: Books,
    },
    /// The portfolio is defined differently from here on.
    Changed {
        /// What it is now.
        definition: Arc<Definition>,
    },
    /// The portfolio is no longer looked after.
    Removed,
    /// Cash came or went, other than by trading.
    CashMoved {
        /// Names the movement, so that recording it twice changes nothing.
        movement: MovementId,
        /// In or out.
        kind: Movement,
        /// How much; above zero.
        amount: Money,
    },
    /// Books and broker disagree.
    Quarantined {
        /// Where.
        differences: Vec<Difference>,
    },
    /// A comparison was clean: the quarantine is over.
    Released,
    /// An order of a closed batch executed after all.
    LateFill {
        /// The execution.
        fill: OrderFill,
        /// The cash that was booked for it, without its fee; above zero.
        booked: Money,
    },
    /// A person ended the stale state or the quarantine.
    Resolved {
        /// How.
        how: Resolution,
        /// Who.
        who: String,
        /// Why.
        why: String,
        /// The books from here on.
        books: Books,
    },
    /// A person had the restoration of the stale batch tried again.
    Retried {
        /// Who.
        who: String,
        /// Why.
        why: String,
        /// Reverse attempts are allowed up to this number.
        attempts: u8,
    },
    /// A batch is open from here on. Nothing of it has been sent.
    Opened(Arc<Opening>),
    /// A new owner goes on with the open batch.
    TakenOver {
        /// Its lease.
        token: Token,
        /// Who it is.
        owner: OwnerId,
        /// When "not found" begins to count for orders that the former owner may have sent.
        quiet_at: Timestamp,
    },
    /// These orders will be sent. None of them was sent before this record was durable.
    Intended {
        /// Which stage they belong to.
        stage: Stage,
        /// The orders.
        orders: Vec<Intent>,
        /// Legs of the stage that are not sent after all.
        dropped: Vec<Skip>,
        /// What the limits were held against; `None` on the way back, which nothing limits.
        checks: Option<Checks>,
    },
    /// Something became of one order of the open batch.
    Order {
        /// Which.
        order: ClientOrderId,
        /// What became of it.
        event: OrderEvent,
    },
    /// The batch will not be completed: what was executed is taken back.
    Unwinding {
        /// Why.
        cause: UnwindCause,
    },
    /// Everything is done; books and broker are compared.
    Settling {
        /// What the batch will have come to if they agree.
        outcome: Outcome,
    },
    /// The batch is over.
    Closed(Arc<Closing>),
    /// Everything before, folded into the state it led to: written by stores that do not keep everything.
    Folded(Box<Portfolio>),
}

/// What became of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum OrderEvent {
    /// The broker has it. Not recorded where the same answer carries an execution that is new, which says as much.
    Acknowledged,
    /// The broker refused it.
    Refused(Refused),
    /// It provably was not sent.
    NotSent(NotSent),
    /// It was not sent, and now it never will be.
    Withdrawn,
    /// What became of it is unknown.
    Unknown {
        /// Why it is unknown.
        cause: UnknownCause,
        /// When "not found" begins to count.
        quiet_at: Timestamp,
    },
    /// The broker denied it, when that began to count.
    NotFound,
    /// It is sent again, under the same id.
    Resent {
        /// When it is canceled if it is still open then.
        deadline: Timestamp,
    },
    /// It was denied often enough, and is judged not to have executed. It stays watched.
    AssumedNotExecuted,
    /// It executed, in whole or in part.
    Filled {
        /// The execution.
        fill: Fill,
        /// The cash that was booked for it, without its fee; above zero. See [`crate::order::booked_amount`].
        booked: Money,
    },
    /// It is to end.
    CancelRequested,
    /// It is over, and every fill of it is booked.
    Ended(End),
}

/// A batch at its opening: the plan, and the rules it is executed under, which no later change of configuration touches.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Opening {
    /// The batch.
    pub batch: BatchId,
    /// The lease it was opened under.
    pub token: Token,
    /// The name of the drift measure.
    pub measure: String,
    /// How far the portfolio had drifted, in that measure, for people.
    pub drift: Percentage,
    /// The plan's legs, in execution order.
    pub legs: Vec<Leg>,
    /// What the plan left alone, and why.
    pub skipped: Vec<Skip>,
    /// Together, or sells first.
    pub stages: Stages,
    /// What was known when it was planned.
    pub facts: Facts,
    /// The rules.
    pub rules: Rules,
}

/// The rules a batch is executed under.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Rules {
    /// How often an order may be tried, forward (where provably not sent) and reverse: 1 to 9.
    pub attempts: u8,
    /// The least time between two attempts.
    pub delay: Duration,
    /// How long an order may stay open before it is canceled.
    pub order_deadline: Duration,
    /// How long a request may be under way: only after it does "not found" count.
    pub quiescence: Duration,
    /// A batch taken over at an age beyond this is unwound, never finished: its prices are old.
    pub resume_max: Duration,
    /// How long an outcome may stay unknown, or a cancel without effect, before a person is asked.
    pub patience: Duration,
    /// How long books and broker may disagree at the end before a person is asked.
    pub settle_within: Duration,
    /// How long the orders of a closed batch are watched for late fills.
    pub watch: Duration,
    /// The pause after a restoration, and the longest it doubles to.
    pub pause: PauseRule,
    /// True if the broker never makes two orders of one id, so that sending again is safe.
    pub resend: bool,
    /// What an order may cost: for sizing the buys of the second stage.
    pub costs: Costs,
    /// What an open buy reserves on top of its value, in hundredths of a percent: the same.
    pub collar_bps: u32,
    /// The least an order may be worth.
    pub minimum: Money,
    /// Cash that is never invested.
    pub held_back: Money,
    /// What it may not go beyond.
    pub limits: Limits,
}

/// How long a portfolio is left alone after a restoration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PauseRule {
    /// After the first; doubled by each further one without a completion between.
    pub first: Duration,
    /// At most this long.
    pub longest: Duration,
}

/// The orders that are sent together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Stage {
    /// All legs, or the sells.
    First,
    /// The buys, sized to what the sells brought.
    Second,
    /// Reverse sells: taking buys back, which frees cash.
    UndoBuys,
    /// Reverse buys: taking sells back.
    UndoSells,
}

/// One order that will be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Intent {
    /// Its id.
    pub order: ClientOrderId,
    /// What it trades.
    pub terms: Terms,
    /// When it is sent: at once, or after a delay.
    pub send_at: Timestamp,
    /// When it is canceled if it is still open.
    pub deadline: Timestamp,
}

/// How the broker says an order ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum End {
    /// Executed completely.
    Filled,
    /// Canceled.
    Canceled,
    /// Expired.
    Expired,
    /// Refused after it was acknowledged.
    Rejected,
}

/// Why a batch is unwound.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum UnwindCause {
    /// A leg ended short of its quantity.
    #[error("{order} ({side} {symbol}) ended short: {how}")]
    LegFailed {
        /// Its last order.
        order: ClientOrderId,
        /// Which way.
        side: Side,
        /// Of what.
        symbol: Symbol,
        /// How it ended, in words.
        how: String,
    },
    /// A leg executed more than was ordered.
    #[error("{order} executed more than was ordered")]
    Overfilled {
        /// The order.
        order: ClientOrderId,
    },
    /// An order could not be proven to exist, and may not be sent again.
    #[error("{order} cannot be found and may not be sent again")]
    Lost {
        /// The order.
        order: ClientOrderId,
    },
    /// The batch was taken over too late to be finished.
    #[error("taken over {} s after it was opened, too late to be finished", age.as_secs())]
    TooOld {
        /// Its age.
        age: Duration,
    },
    /// A person asked for it.
    #[error("aborted by {who}: {why}")]
    Aborted {
        /// Who.
        who: String,
        /// Why.
        why: String,
    },
    /// A person halted it.
    #[error("{halt}")]
    Halted {
        /// The halt.
        halt: Box<Halt>,
    },
    /// A fill arrived after everything seemed done.
    #[error("a fill arrived after everything seemed done")]
    LateFill,
    /// The buys could not be sized to what the sells brought.
    #[error("the second stage could not be sized: {message}")]
    Sizing {
        /// Why.
        message: String,
    },
}

/// Which way cash moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Movement {
    /// Into the portfolio.
    Deposit,
    /// Out of it.
    Withdrawal,
}

/// How a person ended the stale state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Resolution {
    /// The broker's positions and cash are the books from here on.
    Accept,
    /// The units of before the batch were restored by hand, and the broker confirms it.
    Fixed,
}
