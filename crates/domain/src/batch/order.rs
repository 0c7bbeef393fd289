//! The state of one order. Forward and reverse orders use the same states.

use super::FillIds;
use crate::order::{Fill, Terms};
use crate::values::{Money, Overflow, Quantity, QuantityError, Timestamp, Value};

/// An order that was intended, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Order {
    /// What it trades.
    pub terms: Terms,
    /// When it is sent.
    pub send_at: Timestamp,
    /// When it is canceled if it is still open.
    pub deadline: Timestamp,
    /// Where it stands.
    pub state: OrderState,
    /// Why it ended as it did, or is unknown, in words.
    pub note: String,
    /// The executions that are booked, in the order of their ids: what a repeated delivery is recognised by.
    pub fills: FillIds,
    /// Units executed: the sum of the booked fills.
    pub filled: Quantity,
    /// Price × quantity of the booked fills, exact.
    pub value: Value,
    /// The cash booked for it, without fees; above zero. The rounded value.
    pub booked: Money,
    /// The fees booked for it.
    pub fees: Money,
    /// Since when its outcome is unknown; kept while it is sent again, cleared when the broker shows it.
    pub unknown_since: Option<Timestamp>,
    /// How often the broker denied it since that began to count.
    pub denials: u8,
    /// Not to be tried again before this, as the broker asked.
    pub not_before: Option<Timestamp>,
}

/// Where an order stands (table A of the protocol).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum OrderState {
    /// Committed; may or may not have been sent by its owner.
    Intent,
    /// Sent, or possibly sent; it may still arrive.
    UnknownInFlight {
        /// When "not found" begins to count.
        quiet_at: Timestamp,
    },
    /// Denied twice after it could no longer be under way.
    UnknownQuiet,
    /// The broker has it; nothing executed yet.
    Acknowledged,
    /// Open, and executed in part.
    Partial,
    /// To be ended; fills may still arrive.
    CancelRequested {
        /// Since when.
        since: Timestamp,
    },
    /// Proven never sent.
    NotSent,
    /// Refused.
    Rejected,
    /// Ended by a cancel, nothing executed.
    Canceled,
    /// Ended by time, nothing executed.
    Expired,
    /// Ended short, with something executed.
    FailedPartial,
    /// Executed completely.
    Filled,
    /// Judged not to have executed, and watched.
    AssumedNotExecuted,
}

impl OrderState {
    /// True if nothing more is expected of the order.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Intent
            | Self::UnknownInFlight { .. }
            | Self::UnknownQuiet
            | Self::Acknowledged
            | Self::Partial
            | Self::CancelRequested { .. } => false,
            Self::NotSent
            | Self::Rejected
            | Self::Canceled
            | Self::Expired
            | Self::FailedPartial
            | Self::Filled
            | Self::AssumedNotExecuted => true,
        }
    }

    /// True if it is not known whether the broker has the order.
    #[must_use]
    pub const fn is_unknown(self) -> bool {
        matches!(self, Self::UnknownInFlight { .. } | Self::UnknownQuiet)
    }

    /// True if nothing has shown yet that the broker has the order, and something may.
    #[must_use]
    pub const fn is_unseen(self) -> bool {
        self.is_unknown() || matches!(self, Self::Intent | Self::AssumedNotExecuted)
    }

    /// True if the broker has the order and it can still execute, as far as is known.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Acknowledged | Self::Partial)
    }

    /// The word used in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Intent => "intended",
            Self::UnknownInFlight { .. } | Self::UnknownQuiet => "unknown",
            Self::Acknowledged => "acknowledged",
            Self::Partial => "partly filled",
            Self::CancelRequested { .. } => "cancel requested",
            Self::NotSent => "not sent",
            Self::Rejected => "refused",
            Self::Canceled => "canceled",
            Self::Expired => "expired",
            Self::FailedPartial => "ended short",
            Self::Filled => "filled",
            Self::AssumedNotExecuted => "assumed not executed",
        }
    }
}

impl Order {
    /// An order that was just intended.
    #[must_use]
    pub fn new(terms: Terms, send_at: Timestamp, deadline: Timestamp) -> Self {
        Self {
            terms,
            send_at,
            deadline,
            state: OrderState::Intent,
            note: String::new(),
            fills: FillIds::default(),
            filled: Quantity::ZERO,
            value: Value::ZERO,
            booked: Money::ZERO,
            fees: Money::ZERO,
            unknown_since: None,
            denials: 0,
            not_before: None,
        }
    }

    /// What is executed and booked with one more fill.
    ///
    /// # Errors
    /// [`BookingError`] if a sum passes its type's maximum.
    pub(crate) fn sums_with(&self, fill: &Fill, booked: Money) -> Result<Sums, BookingError> {
        Ok(Sums {
            filled: self.filled.add(fill.quantity)?,
            value: self.value.add(fill.value())?,
            booked: self.booked.add(booked)?,
            fees: self.fees.add(fill.fee)?,
        })
    }

    /// Takes a fill that is new, with what is executed and booked with it.
    pub(crate) fn take(&mut self, fill: &Fill, with: Sums) {
        Sums { filled: self.filled, value: self.value, booked: self.booked, fees: self.fees } = with;
        self.fills.insert(fill.id.clone());
    }

    /// True if it ended and everything that was ordered was executed, no more and no less.
    #[must_use]
    pub fn is_filled_exactly(&self) -> bool {
        self.state == OrderState::Filled && self.filled == self.terms.quantity
    }
}

/// What was executed and booked of an order, all fills together.
pub(crate) struct Sums {
    filled: Quantity,
    value: Value,
    booked: Money,
    fees: Money,
}

/// A fill that cannot be added to the books.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BookingError {
    /// In units.
    #[error(transparent)]
    Quantity(#[from] QuantityError),
    /// In money.
    #[error(transparent)]
    Overflow(#[from] Overflow),
}
