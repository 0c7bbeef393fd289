//! The words spoken with a broker: order ids, requests, fills, views, and every answer a broker can give.
//!
//! Nothing here decides. What an answer *means* for a batch is in [`crate::batch`]; what a broker port must
//! guarantee before it may give one of these answers is on the `Broker` trait of the ports crate.

mod capabilities;
mod id;

pub use capabilities::{Capabilities, Costs, Duplicates};
pub use id::{Attempt, BatchId, ClientOrderId, Direction, LegNumber, OrderIdError};

use crate::values::{FillId, Money, Overflow, Price, Quantity, Rounding, Symbol, Timestamp, Value};
use std::fmt;
use std::time::Duration;

/// Which way an order trades.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Side {
    /// Give units, receive cash.
    Sell,
    /// Give cash, receive units.
    Buy,
}

impl Side {
    /// The side that takes an execution of this side back.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Sell => Self::Buy,
            Self::Buy => Self::Sell,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Sell => "sell",
            Self::Buy => "buy",
        })
    }
}

/// What an order trades, apart from its name: a day order at the market, in units, so that its reverse can be exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Terms {
    /// What to trade.
    pub symbol: Symbol,
    /// Which way.
    pub side: Side,
    /// How many units; above zero.
    pub quantity: Quantity,
    /// The price the plan was made at: the reference of every check, never a limit by itself.
    pub reference: Price,
    /// True if this sell gives away all that is held, which brokers exempt from their minimum and their lot.
    pub exit: bool,
}

impl Terms {
    /// What the order moves at its reference price, exact.
    #[must_use]
    pub fn value(&self) -> Value {
        self.reference.times(self.quantity)
    }
}

/// What is sent to a broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct OrderRequest {
    /// Ours, chosen before the first send and never reused for other terms.
    pub id: ClientOrderId,
    /// What it trades.
    pub terms: Terms,
}

/// Where a reader of fills stands: the broker's own words, not to be interpreted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FillCursor(pub String);

/// One execution, as the broker reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Fill {
    /// The broker's, stable across repeated deliveries: what a fill is deduplicated by.
    pub id: FillId,
    /// Units executed by this fill alone, above zero.
    pub quantity: Quantity,
    /// Price of this fill.
    pub price: Price,
    /// What the broker took for this fill, in the account's currency. Negative where it gave: a rebate, or a part of a cent rounded in the
    /// account's favour.
    pub fee: Money,
    /// When it was executed, by the broker's clock.
    pub at: Timestamp,
}

impl Fill {
    /// Price × quantity, exact.
    #[must_use]
    pub fn value(&self) -> Value {
        self.price.times(self.quantity)
    }
}

/// What cash moves when an order's executed value grows from `before` to `after`.
///
/// The rounded cumulative amount minus what was booked before, so that many fills cost no more than one.
/// Both sides of the broker port use this rule: the books and every simulated broker.
///
/// ```
/// # use evenkeel_domain::{order::booked_amount, values::{Price, Quantity, Value}};
/// let third = "0.333".parse::<Price>()?.times("0.01".parse::<Quantity>()?); // 0.00333 each
/// let first = booked_amount(Value::ZERO, third)?;
/// let two = third.add(third)?;
/// let second = booked_amount(third, two)?;
/// assert_eq!(first.to_string(), "0.00");
/// assert_eq!(second.to_string(), "0.01"); // 0.00666 in all is a cent
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Overflow`] when either amount passes the maximum of [`Money`].
pub fn booked_amount(before: Value, after: Value) -> Result<Money, Overflow> {
    after.to_money(Rounding::HalfEven)?.sub(before.to_money(Rounding::HalfEven)?)
}

/// The state of an order at the broker. A status a broker's words do not map to is [`BrokerStatus::Unmapped`]: open, never terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum BrokerStatus {
    /// Accepted and able to execute, or waiting to be.
    Working,
    /// Executed completely.
    Filled,
    /// Ended by a cancel; may have executed in part.
    Canceled,
    /// Ended by time; may have executed in part.
    Expired,
    /// Refused after it was acknowledged; may have executed in part.
    Rejected,
    /// The broker said something the adapter does not know. Treated as open.
    Unmapped(String),
}

/// What a broker knows of one order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct OrderView {
    /// Our id, echoed.
    pub id: ClientOrderId,
    /// What it trades.
    pub symbol: Symbol,
    /// Which way.
    pub side: Side,
    /// Units ordered.
    pub quantity: Quantity,
    /// Where it stands.
    pub status: BrokerStatus,
    /// Units executed so far, as the broker counts them. May run ahead of `fills` while those lag.
    pub filled: Quantity,
    /// The executions known so far, each with its stable id, in any order.
    pub fills: Vec<Fill>,
}

impl OrderView {
    /// True if the order has ended, and all that it executed is among its fills: nothing about it will change.
    ///
    /// ```
    /// # use evenkeel_domain::{order::*, values::{Money, Timestamp}};
    /// # let id = "ek1-00000000000000000000000007-00a-F1".parse()?;
    /// # let (all, half) = ("2".parse()?, "1".parse()?);
    /// # let fill = Fill { id: "f1".parse()?, quantity: half, price: "5".parse()?, fee: Money::ZERO, at: Timestamp::EPOCH };
    /// let view = |status, filled, fills| OrderView { id, symbol: "META".parse().unwrap(), side: Side::Buy, quantity: all, status, filled, fills };
    /// assert!(view(BrokerStatus::Canceled, half, vec![fill.clone()]).says_all());
    /// assert!(view(BrokerStatus::Rejected, half, vec![fill.clone()]).says_all());
    /// assert!(!view(BrokerStatus::Filled, all, vec![fill.clone()]).says_all()); // one is still to be told of
    /// assert!(!view(BrokerStatus::Working, half, vec![fill]).says_all());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn says_all(&self) -> bool {
        let has_ended = match self.status {
            BrokerStatus::Filled | BrokerStatus::Canceled | BrokerStatus::Expired | BrokerStatus::Rejected => true,
            BrokerStatus::Working | BrokerStatus::Unmapped(_) => false,
        };
        let told = self.fills.iter().try_fold(Quantity::ZERO, |sum, fill| sum.add(fill.quantity));
        has_ended && told == Ok(self.filled)
    }
}

/// What one attempt to submit an order came to. The five outcomes a caller must treat apart.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum SubmitAnswer {
    /// The broker has the order.
    Acknowledged(OrderView),
    /// The broker already has an order with this id and these terms: look it up.
    AlreadyExists,
    /// Proven refused: it has not executed and never will.
    Refused(Refused),
    /// Proven not sent: nothing left the process, or a limiter turned it away before acceptance.
    NotSent(NotSent),
    /// Anything else: it may have executed, may execute later, or may never arrive. Not a failure.
    Unknown(UnknownCause),
}

/// Why a broker refused an order, with the broker's own words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[error("{reason}: {message}")]
pub struct Refused {
    /// The reason, sorted by what a caller can do.
    pub reason: RefusalReason,
    /// What the broker said.
    pub message: String,
}

/// The reasons of a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum RefusalReason {
    /// Not enough cash or buying power.
    BuyingPower,
    /// Selling more than is held and free.
    InsufficientQuantity,
    /// Worth less than the broker's minimum.
    BelowMinimum,
    /// Not a multiple of the lot.
    NotALot,
    /// Unknown, inactive or halted symbol.
    NotTradable,
    /// The market is closed; it opens at this time.
    MarketClosed {
        /// When orders are taken again.
        opens_at: Timestamp,
    },
    /// The id already names an order with other terms.
    DuplicateIdOtherOrder,
    /// An order the other way is open in the same symbol.
    OppositeOrderOpen,
    /// Anything else the broker proved to have refused.
    Other,
}

impl fmt::Display for RefusalReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuyingPower => f.write_str("buying power"),
            Self::InsufficientQuantity => f.write_str("insufficient quantity"),
            Self::BelowMinimum => f.write_str("below the minimum"),
            Self::NotALot => f.write_str("not a multiple of the lot"),
            Self::NotTradable => f.write_str("not tradable"),
            Self::MarketClosed { opens_at } => write!(f, "market closed until {opens_at}"),
            Self::DuplicateIdOtherOrder => f.write_str("the id names another order"),
            Self::OppositeOrderOpen => f.write_str("an opposite order is open"),
            Self::Other => f.write_str("refused"),
        }
    }
}

/// Why an order provably was not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum NotSent {
    /// No connection could be made.
    Unreachable,
    /// A rate limit turned it away before acceptance; room again after this long.
    RateLimited {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The credentials were not accepted.
    Unauthorized,
}

impl fmt::Display for NotSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable => f.write_str("the broker was unreachable"),
            Self::RateLimited { retry_after } => write!(f, "rate limited for {} ms", retry_after.as_millis()),
            Self::Unauthorized => f.write_str("the credentials were not accepted"),
        }
    }
}

/// Why an outcome is unknown. For the person who reads the journal; the machine treats all alike.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum UnknownCause {
    /// No answer in time.
    Timeout,
    /// The connection broke after something was sent.
    Disconnected,
    /// The answer could not be understood.
    Garbled,
    /// The broker answered that something went wrong on its side.
    BrokerError,
    /// The worker that may have sent it is gone.
    OwnerLost,
    /// It was not sent before its deadline, as far as is known.
    Overdue,
    /// The call panicked.
    Panicked,
}

impl fmt::Display for UnknownCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout => "no answer in time",
            Self::Disconnected => "the connection broke",
            Self::Garbled => "the answer could not be read",
            Self::BrokerError => "the broker failed",
            Self::OwnerLost => "its sender is gone",
            Self::Overdue => "not sent before its deadline",
            Self::Panicked => "the call panicked",
        })
    }
}

/// What a broker says when asked for an order by our id.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Lookup {
    /// It exists.
    Found(OrderView),
    /// It positively does not exist, and the visibility horizon since any send has passed.
    Absent,
    /// It was not found, which proves nothing yet.
    Unproven,
}

/// What became of a request to cancel. A taken cancel is not an ended order: fills may still arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum CancelAnswer {
    /// The broker will try.
    Requested,
    /// The order had already ended, like this.
    AlreadyTerminal(OrderView),
    /// The broker knows no such order.
    NoSuchOrder,
    /// Proven not sent.
    NotSent(NotSent),
    /// It may or may not have arrived.
    Unknown(UnknownCause),
}

/// A fill together with the order it belongs to, as a broker lists them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct OrderFill {
    /// Our id, if the order carries one of ours; `None` for orders placed by others.
    pub order: Option<ClientOrderId>,
    /// What was traded.
    pub symbol: Symbol,
    /// Which way.
    pub side: Side,
    /// The execution.
    pub fill: Fill,
}
