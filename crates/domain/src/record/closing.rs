//! How a batch ended, and what may be left of it.

use super::UnwindCause;
use crate::limits::LimitError;
use crate::order::{BatchId, ClientOrderId, FillCursor, Side};
use crate::values::{Money, Quantity, Symbol, Timestamp};

/// What a batch came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Outcome {
    /// Every quantity last committed was filled.
    Completed,
    /// Every symbol holds its units of before.
    Restored,
    /// Nothing was ever sent.
    Abandoned,
    /// A residual, or an outcome that stays unknown: a person must resolve it.
    Stale,
}

impl Outcome {
    /// The word used in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Restored => "restored",
            Self::Abandoned => "abandoned",
            Self::Stale => "stale",
        }
    }
}

/// A batch at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Closing {
    /// What it came to.
    pub outcome: Outcome,
    /// Why it was not completed.
    pub cause: Option<Cause>,
    /// What is still off, per symbol; empty unless stale, and where everything was completed.
    pub residual: Vec<Residual>,
    /// Orders whose outcome is unknown; empty unless stale.
    pub unresolved: Vec<ClientOrderId>,
    /// Cash before − cash after, fees included. Below zero where cash was gained.
    pub cost: Money,
    /// The fees in it.
    pub fees: Money,
    /// How long the portfolio is left alone.
    pub pause: Option<Pause>,
    /// How far the broker's fills had been read.
    pub fills_read: Option<FillCursor>,
}

/// Why a batch was not completed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Cause {
    /// It was unwound.
    #[error("{0}")]
    Unwound(UnwindCause),
    /// Its owner was lost, or gave it up, before anything was sent.
    #[error("given up before anything was sent: {why}")]
    NeverSent {
        /// Why.
        why: String,
    },
    /// A limit was reached between its opening and its first orders: nothing was sent.
    #[error("nothing was sent: {limit}")]
    Limited {
        /// Which.
        limit: LimitError,
    },
    /// The outcome of an order stayed unknown, or a cancel without effect, for too long.
    #[error("the outcome of {orders} order(s) stayed unknown")]
    Unknown {
        /// How many.
        orders: usize,
    },
    /// Books and broker disagreed at the end, for too long. The batch seemed to have come to this.
    #[error("books and broker disagree after the batch: {}", list(differences))]
    Mismatch {
        /// What it seemed to have come to.
        outcome: Outcome,
        /// Where they disagree.
        differences: Vec<Difference>,
    },
    /// The broker has fills of later batches of this store: the journal has lost them. Nothing may be decided by what is left of it.
    #[error("the journal lacks {}", batches.iter().map(|batch| format!("batch {batch}")).collect::<Vec<_>>().join(", "))]
    JournalLacks {
        /// Which batches.
        batches: Vec<BatchId>,
    },
    /// A fill cannot be booked.
    #[error("a fill of {order} cannot be booked: {why}")]
    Unbookable {
        /// Of which order.
        order: ClientOrderId,
        /// Why not.
        why: String,
    },
}

fn list(differences: &[Difference]) -> String {
    differences.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Units that a batch traded and could not take back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[error("{quantity} {symbol} {}", match side { Side::Buy => "too many", Side::Sell => "missing" })]
pub struct Residual {
    /// Of what.
    pub symbol: Symbol,
    /// Bought too many, or sold too many.
    pub side: Side,
    /// How many.
    pub quantity: Quantity,
}

/// A portfolio is left alone until this time has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Pause {
    /// Over when now is at or after this.
    pub until: Timestamp,
}

/// Where books and broker disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Difference {
    /// In cash.
    #[error("cash: {books} in the books, {broker} at the broker")]
    Cash {
        /// In the books.
        books: Money,
        /// At the broker.
        broker: Money,
    },
    /// In the units of a symbol.
    #[error("{symbol}: {books} in the books, {broker} at the broker")]
    Units {
        /// Which.
        symbol: Symbol,
        /// In the books.
        books: Quantity,
        /// At the broker.
        broker: Quantity,
    },
    /// In what was traded: the broker has fills of a batch of this store, and the journal lacks it.
    #[error("the journal lacks batch {batch}, of which the broker has fills")]
    Batch {
        /// Which.
        batch: BatchId,
    },
}
