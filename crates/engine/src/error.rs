//! Why the engine could not do what it was asked to, sorted by what the caller can do about it.

use evenkeel_domain::apply::ApplyError;
use evenkeel_domain::decide::Refusal;
use evenkeel_domain::halt::Halt;
use evenkeel_domain::order::ClientOrderId;
use evenkeel_domain::plan::PlanError;
use evenkeel_domain::record::Difference;
use evenkeel_domain::values::{Overflow, OwnerId, PortfolioId, Timestamp};
use evenkeel_ports::{AcquireError, BrokerError, JournalError};

/// Why a call came to nothing, or stopped half-way. A batch that is open stays open in the journal and is recovered by whoever comes next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// Somebody holds the lease: try again later.
    #[error("{portfolio} is busy: {holder} holds its lease")]
    Busy {
        /// Which.
        portfolio: PortfolioId,
        /// Who holds it.
        holder: OwnerId,
        /// When the lease ends at the latest, if it is not renewed.
        until: Timestamp,
    },
    /// There is no such portfolio.
    #[error("there is no portfolio {portfolio}")]
    NoSuchPortfolio {
        /// Its id.
        portfolio: PortfolioId,
    },
    /// A person must resolve it first.
    #[error("{portfolio} is stale: resolve it first")]
    Stale {
        /// Which.
        portfolio: PortfolioId,
    },
    /// Books and broker disagree: nothing is traded until they agree, or a person accepts the broker's.
    #[error("{portfolio} is quarantined: {}", differences.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Quarantined {
        /// Which.
        portfolio: PortfolioId,
        /// Where they disagree.
        differences: Vec<Difference>,
    },
    /// A person halted it: nothing is sent until the halt is taken back. A batch that is open stays so.
    #[error("{portfolio} is halted: {halt}")]
    Halted {
        /// Which.
        portfolio: PortfolioId,
        /// The halt. Part of the message.
        halt: Box<Halt>,
    },
    /// It was restored a short while ago and is left alone.
    #[error("{portfolio} is left alone until {until}, after a restoration")]
    Paused {
        /// Which.
        portfolio: PortfolioId,
        /// Over at this time.
        until: Timestamp,
    },
    /// The broker takes no orders for the account.
    #[error("the broker has blocked the account of {portfolio}")]
    AccountBlocked {
        /// Which.
        portfolio: PortfolioId,
    },
    /// Orders of closed batches are open at the broker. They are being canceled; try again later.
    #[error("{} order(s) of earlier batches of {portfolio} are open at the broker and are being canceled", orders.len())]
    OrdersOpen {
        /// Which.
        portfolio: PortfolioId,
        /// The orders.
        orders: Vec<ClientOrderId>,
    },
    /// It cannot be planned for: no price, nothing to invest, or a figure beyond its maximum.
    #[error("planning for {portfolio}")]
    Plan {
        /// Which.
        portfolio: PortfolioId,
        /// Why.
        #[source]
        cause: PlanError,
    },
    /// The domain refused what was asked.
    #[error("{portfolio}: {cause}")]
    Refused {
        /// Which.
        portfolio: PortfolioId,
        /// Why. Part of the message.
        cause: Refusal,
    },
    /// The lease was lost on the way: somebody else goes on, or will.
    #[error("the lease of {portfolio} was lost on the way")]
    LeaseLost {
        /// Which.
        portfolio: PortfolioId,
    },
    /// The engine is stopping.
    #[error("the engine is stopping; a batch of {portfolio} that is open stays so until it is recovered")]
    Stopping {
        /// Which.
        portfolio: PortfolioId,
    },
    /// Something panicked. The lease was released, a batch that is open stays so until it is recovered.
    #[error("working on {portfolio} panicked: {message}")]
    Panicked {
        /// Which.
        portfolio: PortfolioId,
        /// What the panic said.
        message: String,
    },
    /// The lease store cannot be asked.
    #[error("the lease store: {message}")]
    Leases {
        /// What is known of the cause.
        message: String,
    },
    /// The journal cannot be read, as a whole or for one portfolio: damaged, or written by a newer program ([`JournalError::Newer`]).
    #[error("reading the journal")]
    Journal(#[source] JournalError),
    /// The journal could not be written, or what was written could not be read back.
    #[error("writing the journal of {portfolio}: {message}")]
    NotCommitted {
        /// Whose.
        portfolio: PortfolioId,
        /// What is known of the cause.
        message: String,
    },
    /// The journal's records do not fit together.
    #[error("the journal of {portfolio} is damaged")]
    Damaged {
        /// Whose.
        portfolio: PortfolioId,
        /// Where.
        #[source]
        cause: ApplyError,
    },
    /// The broker did not answer a question that must be answered first.
    #[error("asking the broker about {portfolio}")]
    Broker {
        /// Which.
        portfolio: PortfolioId,
        /// What went wrong.
        #[source]
        cause: BrokerError,
    },
    /// A figure passes its type's maximum.
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

impl EngineError {
    pub(crate) fn acquiring(error: AcquireError) -> Self {
        match error {
            AcquireError::Busy { portfolio, holder, until } => Self::Busy { portfolio, holder, until },
            AcquireError::Unavailable { portfolio, message } => {
                Self::Leases { message: format!("taking the lease of {portfolio}: {message}") }
            }
        }
    }

    /// True if trying again later, unchanged, can succeed without a person.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        match self {
            Self::Busy { .. }
            | Self::Paused { .. }
            | Self::OrdersOpen { .. }
            | Self::LeaseLost { .. }
            | Self::Stopping { .. }
            | Self::Leases { .. }
            | Self::Journal(JournalError::Unavailable { .. } | JournalError::Unknown { .. })
            | Self::NotCommitted { .. }
            | Self::Refused { cause: Refusal::Earlier { .. }, .. }
            | Self::Broker { cause: BrokerError::Unavailable { .. }, .. } => true,
            Self::NoSuchPortfolio { .. }
            | Self::Stale { .. }
            | Self::Halted { .. }
            | Self::Quarantined { .. }
            | Self::AccountBlocked { .. }
            | Self::Plan { .. }
            | Self::Refused { .. }
            | Self::Panicked { .. }
            | Self::Journal(_)
            | Self::Damaged { .. }
            | Self::Broker { .. }
            | Self::Overflow(_) => false,
        }
    }
}
