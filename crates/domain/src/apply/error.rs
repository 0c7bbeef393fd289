//! A record that does not fit the state it meets.

use crate::batch::BookingError;
use crate::order::ClientOrderId;
use crate::values::Overflow;

/// A record that does not fit the state it meets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// The record is about a batch, and none is open.
    #[error("the record {record} needs an open batch")]
    NoBatch {
        /// Which kind of record.
        record: &'static str,
    },
    /// The record opens a batch, and one is open.
    #[error("a second batch was opened while one is open")]
    BatchOpen,
    /// The record names an order that it cannot be about.
    #[error("the record {record} is about the order {order}, which {problem}")]
    Order {
        /// Which kind of record.
        record: &'static str,
        /// The order.
        order: ClientOrderId,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The record is not possible in this standing.
    #[error("the record {record} is not possible while the portfolio is {standing}")]
    Standing {
        /// Which kind of record.
        record: &'static str,
        /// Where the portfolio stands.
        standing: &'static str,
    },
    /// An amount cannot be booked.
    #[error("the record {record} cannot be booked: {source}")]
    Booking {
        /// Which kind of record.
        record: &'static str,
        /// Why not.
        source: BookingError,
    },
    /// A number passes its type's maximum.
    #[error(transparent)]
    Overflow(#[from] Overflow),
}
