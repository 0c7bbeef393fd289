//! The lease: the right to rebalance one portfolio until it expires.
//!
//! Adapters: `MemoryLeases` in the memory crate, `SqliteStore` in the sqlite crate. A lease only keeps workers out of each other's way; what keeps a worker
//! that lost its lease from writing is the fence of the [`Journal`](crate::Journal).

use async_trait::async_trait;
use evenkeel_domain::values::{OwnerId, PortfolioId, Timestamp, Token};
use std::time::Duration;

/// How long a lease lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseTerms {
    /// The ceiling: it ends this long after it was taken, renewed or not. 6 hours by default.
    pub expiry: Duration,
    /// It also ends when it was not renewed for this long. 60 seconds by default.
    pub heartbeat: Duration,
}

impl Default for LeaseTerms {
    fn default() -> Self {
        Self { expiry: Duration::from_secs(6 * 60 * 60), heartbeat: Duration::from_secs(60) }
    }
}

/// A lease that was granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The portfolio it is for.
    pub portfolio: PortfolioId,
    /// Who holds it.
    pub owner: OwnerId,
    /// Larger than that of every lease granted for this portfolio before: what the journal's fence compares.
    pub token: Token,
    /// When it was granted, by the store's clock.
    pub granted_at: Timestamp,
    /// Its terms.
    pub terms: LeaseTerms,
}

/// A store that grants each portfolio's lease to one owner at a time.
///
/// # Contract
/// 1. **One holder.** Of any number of concurrent [`acquire`](LeaseStore::acquire) calls for a free portfolio exactly one succeeds.
/// 2. **Tokens grow.** Every grant carries a larger token than every grant before it for that portfolio, for ever: releases,
///    expiries and restarts of the store do not reset it.
/// 3. **The store's own clock** judges expiry and heartbeat; no time of a caller is believed.
/// 4. **A lease ends** by release, when its expiry has passed, or when its last heartbeat is older than its terms allow. An ended lease can be
///    taken by anyone at once, its former owner included. A store that can tell that the holder's process has ended may end its leases then.
/// 5. **Renew and release need the owner and the token.** Anything else changes nothing and answers `NotHeld`.
/// 6. **Renewal never revives**: an ended lease cannot be renewed, even if nobody else took it.
///
/// **Cancellation**: dropping `acquire` may leave a lease behind that nobody knows of; its heartbeat frees it. **Not promised**: fairness.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait LeaseStore: Send + Sync {
    /// Takes the lease of `portfolio` for `owner`.
    ///
    /// # Errors
    /// [`AcquireError::Busy`] while somebody holds it, the same owner included; [`AcquireError::Unavailable`] if the store cannot be asked.
    async fn acquire(&self, portfolio: &PortfolioId, owner: &OwnerId, terms: LeaseTerms)
    -> Result<Lease, AcquireError>;

    /// Gives a sign of life: the lease does not end by heartbeat for another `terms.heartbeat`. Its expiry does not move.
    ///
    /// # Errors
    /// [`HoldError::NotHeld`]: stop at once, it may be somebody else's. [`HoldError::Unavailable`]: nothing was learned; it may run out.
    async fn renew(&self, lease: &Lease) -> Result<(), HoldError>;

    /// Gives the lease back: the portfolio is free at once. Done when it returns.
    ///
    /// # Errors
    /// [`HoldError::NotHeld`]: there was nothing to give back. [`HoldError::Unavailable`]: its heartbeat will free it.
    async fn release(&self, lease: &Lease) -> Result<(), HoldError>;
}

/// A lease that was not granted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AcquireError {
    /// Somebody holds it.
    #[error("{holder} holds the lease of {portfolio} until {until} at the latest")]
    Busy {
        /// The portfolio.
        portfolio: PortfolioId,
        /// Who holds it.
        holder: OwnerId,
        /// When it ends at the latest, if it is not renewed.
        until: Timestamp,
    },
    /// The store cannot be asked.
    #[error("taking the lease of {portfolio}: {message}")]
    Unavailable {
        /// The portfolio.
        portfolio: PortfolioId,
        /// What is known of the cause.
        message: String,
    },
}

/// A lease that could not be renewed or released.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HoldError {
    /// It ended, or was never this owner's.
    #[error("the lease of {portfolio} with token {token} is not held by {owner}")]
    NotHeld {
        /// The portfolio.
        portfolio: PortfolioId,
        /// The owner that was given.
        owner: OwnerId,
        /// The token that was given.
        token: Token,
    },
    /// The store cannot be asked.
    #[error("reaching the lease of {portfolio}: {message}")]
    Unavailable {
        /// The portfolio.
        portfolio: PortfolioId,
        /// What is known of the cause.
        message: String,
    },
}
