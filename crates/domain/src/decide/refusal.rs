//! Why an input is not possible in the state it meets.

use crate::apply::ApplyError;
use crate::limits::LimitError;
use crate::order::BatchId;
use crate::record::Difference;
use crate::values::{AccountId, Currency, Money, MovementId, Overflow, PortfolioId, QuantityError, Timestamp};

/// Why an input is not possible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// There is no such portfolio.
    #[error("there is no portfolio {portfolio}")]
    NoSuchPortfolio {
        /// Its id.
        portfolio: String,
    },
    /// There is one already.
    #[error("there is a portfolio {portfolio} already")]
    AlreadyThere {
        /// Its id.
        portfolio: String,
    },
    /// The account belongs to another portfolio.
    #[error("the account {account} belongs to the portfolio {by}: one portfolio is one account")]
    AccountTaken {
        /// The account.
        account: AccountId,
        /// Whose it is.
        by: PortfolioId,
    },
    /// A batch is open.
    #[error("the batch {batch} is open")]
    BatchOpen {
        /// The batch.
        batch: BatchId,
    },
    /// No batch is open, or it is not where it would have to be.
    #[error("no batch is open that could be {wanted}")]
    NoBatch {
        /// What was wanted of it.
        wanted: &'static str,
    },
    /// The portfolio is stale: a person must resolve it first.
    #[error("the portfolio is stale: resolve it first")]
    Stale,
    /// The portfolio is neither stale nor quarantined: there is nothing to resolve.
    #[error("the portfolio is {standing}: there is nothing to resolve that way")]
    NothingToResolve {
        /// Where it stands.
        standing: &'static str,
    },
    /// The portfolio is quarantined: books and broker must agree first.
    #[error("the portfolio is quarantined: books and broker must agree first")]
    Quarantined,
    /// Books and broker disagree.
    #[error("books and broker disagree: {}", differences.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Differs {
        /// Where.
        differences: Vec<Difference>,
    },
    /// What is left of the journal says nothing of what was traded since: there is nothing that could be tried again, or have been fixed.
    #[error(
        "the journal lacks batches that the broker has fills of: find out what they traded, then accept the broker's positions"
    )]
    JournalLacksBatches,
    /// Every reverse attempt has been used.
    #[error("all 9 attempts are used up: accept the broker's positions, or restore them by hand")]
    NoAttemptsLeft,
    /// A batch whose orders contradict each other: a damaged journal. A person must look.
    #[error("the batch does not come to rest: its journal is damaged")]
    Restless,
    /// A plan that would send nothing for what is out of band.
    #[error("the plan has no leg worth sending")]
    NothingToSend,
    /// Two currencies where there can be one.
    #[error("{what} is in {found}, the portfolio in {expected}")]
    Currency {
        /// Whose currency.
        what: &'static str,
        /// It.
        found: Currency,
        /// The portfolio's.
        expected: Currency,
    },
    /// An amount that must be above zero.
    #[error("a movement of {amount} is not possible: it must be above zero")]
    NotPositive {
        /// The amount.
        amount: Money,
    },
    /// More than there is.
    #[error("{amount} cannot be withdrawn: the portfolio has {cash} in cash")]
    NotEnoughCash {
        /// The amount.
        amount: Money,
        /// What there is.
        cash: Money,
    },
    /// The same movement was recorded with another amount.
    #[error("the movement {movement} was recorded before, with the amount {recorded}")]
    MovementDiffers {
        /// Its id.
        movement: MovementId,
        /// The amount then; a withdrawal below zero.
        recorded: Money,
    },
    /// The last batch was opened at a later time: others have gone on, or this worker's clock is wrong.
    #[error(
        "the last batch was opened at {last}, and here it is {at}: another worker has gone on, or this clock is wrong"
    )]
    Earlier {
        /// The time here.
        at: Timestamp,
        /// When the last batch was opened.
        last: Timestamp,
    },
    /// The batch would go beyond a limit.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// Rules that are not possible.
    #[error("{attempts} attempts are not possible: 1 to 9 are")]
    Attempts {
        /// As given.
        attempts: u8,
    },
    /// A record would not fit the state.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// A number passes its type's maximum.
    #[error(transparent)]
    Overflow(#[from] Overflow),
    /// A quantity passes its type's maximum, or would be below zero.
    #[error(transparent)]
    Quantity(#[from] QuantityError),
}
