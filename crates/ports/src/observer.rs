//! The observer: typed events of the engine, for metrics, screens and tests.
//!
//! It sees; it cannot influence. Whatever must not be lost is in the journal, not here.

use evenkeel_domain::order::{ClientOrderId, OrderRequest};
use evenkeel_domain::record::Record;
use evenkeel_domain::values::{PortfolioId, Timestamp, Token};

/// Something the engine did or saw.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum EngineEvent<'a> {
    /// A lease was taken.
    LeaseTaken {
        /// Of which portfolio.
        portfolio: &'a PortfolioId,
        /// Its token.
        token: Token,
    },
    /// A lease was given back.
    LeaseReleased {
        /// Of which portfolio.
        portfolio: &'a PortfolioId,
        /// Its token.
        token: Token,
    },
    /// A lease was lost: nothing more is done under it.
    LeaseLost {
        /// Of which portfolio.
        portfolio: &'a PortfolioId,
        /// Its token.
        token: Token,
    },
    /// Records were committed: every choice of a batch appears here, in order.
    Committed {
        /// Of which portfolio.
        portfolio: &'a PortfolioId,
        /// What was committed.
        records: &'a [Record],
    },
    /// An order is about to be sent.
    Sending {
        /// For which portfolio.
        portfolio: &'a PortfolioId,
        /// The order.
        order: &'a OrderRequest,
    },
    /// An order is about to be canceled.
    Canceling {
        /// For which portfolio.
        portfolio: &'a PortfolioId,
        /// The order.
        order: ClientOrderId,
    },
    /// The broker or the store did not answer a question; it is asked again.
    Unanswered {
        /// For which portfolio.
        portfolio: &'a PortfolioId,
        /// What went wrong.
        message: &'a str,
    },
}

/// Sees what the engine does.
///
/// # Contract
/// [`observe`](Observer::observe) returns at once and never panics: it is called in the middle of a batch.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait Observer: Send + Sync {
    /// Something was done or seen, at this time.
    fn observe<'a>(&self, at: Timestamp, event: &EngineEvent<'a>);
}

/// Sees nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NullObserver;

impl Observer for NullObserver {
    fn observe<'a>(&self, _at: Timestamp, _event: &EngineEvent<'a>) {}
}
