//! The journal: the append-only record that state is rebuilt from, and the outbox of alerts that belongs to it.
//!
//! Adapters: `MemoryJournal` in the memory crate, `SqliteStore` in the sqlite crate. What the records say is in [`evenkeel_domain::record`]; how they are written is in
//! [`codec`](crate::codec).

use crate::codec::{CodecError, VERSION};
use async_trait::async_trait;
use evenkeel_domain::alert::Alert;
use evenkeel_domain::halt::{Halt, Release};
use evenkeel_domain::portfolio::Portfolio;
use evenkeel_domain::record::Record;
use evenkeel_domain::values::{PortfolioId, Sequence, StoreId, Token};
use std::sync::Arc;

/// A store of records, one sequence per portfolio, with the fence that keeps a former owner from writing.
///
/// # Contract
/// 1. **All or nothing.** A commit's records and alerts are written together or not at all; nobody ever sees a part of them.
/// 2. **Durable when it says so.** After `Committed` they survive what the store promises to survive (a file: power loss).
/// 3. **No gaps.** The sequence of a portfolio is 1, 2, 3 …: a commit whose `expected` is not the head's sequence writes nothing (`Conflict`).
/// 4. **The fence.** A commit whose token is below the head's writes nothing (`Fenced`, whatever its sequence). A commit raises the head's token to its own. So once
///    a new owner has written anything, no earlier owner can write any more, whatever it believes about its lease.
/// 5. **One open batch.** A commit that would open a second batch for a portfolio writes nothing (`Conflict`). What opens and closes one:
///    [`Event::opens_batch`](evenkeel_domain::record::Event::opens_batch) and `closes_batch`.
/// 6. **Unknown is not failed.** Only a commit that provably wrote nothing is `Failed`; if it may have been written, it is `Unknown`, and the caller
///    reads back by sequence.
/// 7. **Read what was written.** [`read`](Journal::read) gives back exactly the committed records, in order, decoded by any version that understands
///    them; a record of a version that this program does not know is [`Newer`](JournalError::Newer), and whoever reads it leaves the portfolio alone. A store that folds closed batches gives one `Folded` record in their place, numbered as the last record it stands for.
/// 8. **Outbox.** An alert stays pending until it is acknowledged, across restarts; acknowledging twice changes nothing.
/// 9. **Halts.** While a halt stands, a commit with a record that it [`forbids`](evenkeel_domain::halt::Halt::forbids) writes nothing (`Halted`, unless it is a conflict or
///    fenced). Once [`halt`](Journal::halt) has answered, nothing it forbids is ever written until the halt is taken back; halts survive restarts.
///
/// **Cancellation**: dropping a commit leaves its outcome unknown: read back. Dropping anything else has no effect. **Concurrency**: every method
/// may be called at once from many tasks; commits of one portfolio are judged one after another. **Not promised**: any order between portfolios.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Journal: Send + Sync {
    /// The id of this store: 128 random bits written when it was created. Never changes.
    ///
    /// # Errors
    /// [`JournalError`] if the store cannot be read.
    async fn store_id(&self) -> Result<StoreId, JournalError>;

    /// Where a portfolio's sequence and fence stand; both zero if it has no record.
    ///
    /// # Errors
    /// [`JournalError`] if the store cannot be read.
    async fn head(&self, portfolio: &PortfolioId) -> Result<Head, JournalError>;

    /// The records of a portfolio after `after`, in order; all of them after [`Sequence::ZERO`].
    ///
    /// # Errors
    /// [`JournalError`] if the store cannot be read, or a record cannot be understood.
    async fn read(&self, portfolio: &PortfolioId, after: Sequence) -> Result<Vec<Entry>, JournalError>;

    /// Writes records and alerts. Contract 1 to 6.
    async fn commit(&self, commit: Commit) -> CommitOutcome;

    /// Every portfolio that has a record, in order.
    ///
    /// # Errors
    /// [`JournalError`] if the store cannot be read.
    async fn portfolios(&self) -> Result<Vec<PortfolioId>, JournalError>;

    /// Portfolios with an open batch, in order: what a recovery looks at.
    ///
    /// # Errors
    /// [`JournalError`] if the store cannot be read.
    async fn open_batches(&self) -> Result<Vec<PortfolioId>, JournalError>;

    /// Alerts that were not acknowledged, oldest first, at most `limit`.
    ///
    /// # Errors
    /// [`JournalError`] if the store cannot be read.
    async fn pending_alerts(&self, limit: usize) -> Result<Vec<Alert>, JournalError>;

    /// Marks an alert as delivered: it is not pending any more. Alerts are known by portfolio and sequence.
    ///
    /// # Errors
    /// [`JournalError`] if the store cannot be written, or [may not have been](JournalError::Unknown). The alert may then be delivered again.
    async fn acknowledge_alert(&self, alert: &Alert) -> Result<(), JournalError>;

    /// Lets a halt stand, in place of the one of its scope, if there is one. Contract 9. Doing it twice is doing it once.
    ///
    /// # Errors
    /// [`JournalError::Unavailable`] if nothing was written, [`JournalError::Unknown`] if the halt may stand. Do it again.
    async fn halt(&self, halt: &Halt) -> Result<(), JournalError>;

    /// Takes the halt of a scope back. False if there was none.
    ///
    /// # Errors
    /// [`JournalError::Unavailable`] if nothing was written, [`JournalError::Unknown`] if the halt may stand no more. Do it again.
    async fn release(&self, release: &Release) -> Result<bool, JournalError>;

    /// The halts that stand, in order of their scopes.
    ///
    /// # Errors
    /// [`JournalError`] if the store cannot be read.
    async fn halts(&self) -> Result<Vec<Halt>, JournalError>;
}

/// Where a portfolio's journal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Head {
    /// The number of its last record.
    pub sequence: Sequence,
    /// The highest token that wrote.
    pub token: Token,
}

/// One record with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub sequence: Sequence,
    /// The token it was written under.
    pub token: Token,
    /// What it says.
    pub record: Record,
}

/// Records and alerts to be written together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Whose.
    pub portfolio: PortfolioId,
    /// The sequence the head must have.
    pub expected: Sequence,
    /// The writer's token.
    pub token: Token,
    /// The records, in order; at least one. Shared, as a commit may have to be repeated.
    pub records: Arc<[Record]>,
    /// The alerts that these records make necessary.
    pub alerts: Vec<Alert>,
    /// What the records make of the portfolio, where the writer has it at hand: a store that keeps states instead of records need not apply
    /// these once more. It says nothing that the records do not, so a store may leave it.
    pub state: Option<Arc<Portfolio>>,
}

/// What a commit came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitOutcome {
    /// Written, and durable.
    Committed,
    /// Nothing was written: the head is elsewhere, or a batch is open already. Somebody else wrote: read, and decide again.
    Conflict {
        /// Where the head is.
        head: Head,
    },
    /// Nothing was written: a newer owner has written. Stop at once.
    Fenced {
        /// Where the head is.
        head: Head,
    },
    /// Nothing was written: a person has halted what these records would do.
    Halted {
        /// One of the halts that forbid it.
        halt: Halt,
    },
    /// It may have been written: read back by sequence before anything else.
    Unknown {
        /// What is known of the cause.
        message: String,
    },
    /// Nothing was written: try again, or give up.
    Failed {
        /// What is known of the cause.
        message: String,
    },
}

/// A journal that cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// Nothing was read, or nothing written. Try again later.
    #[error("{doing}: {message}")]
    Unavailable {
        /// What was being done, as a verb phrase.
        doing: String,
        /// What is known of the cause.
        message: String,
    },
    /// It may have been written, and it may not. Do it again, or look.
    #[error("{doing}: whether that was written is unknown: {message}")]
    Unknown {
        /// What was being done, as a verb phrase.
        doing: String,
        /// What is known of the cause.
        message: String,
    },
    /// What is stored cannot be understood: a person must look.
    #[error("record {sequence} of {portfolio} cannot be understood: {message}")]
    Damaged {
        /// Whose.
        portfolio: PortfolioId,
        /// Which record.
        sequence: Sequence,
        /// What is wrong with it.
        message: String,
    },
    /// A newer program wrote it. Nothing is wrong with it; this program leaves the portfolio alone.
    #[error(
        "record {sequence} of {portfolio} is of version {found}, and this program reads version {known}: leave the portfolio to the program that wrote it, or to a newer one"
    )]
    Newer {
        /// Whose.
        portfolio: PortfolioId,
        /// Which record.
        sequence: Sequence,
        /// Its version.
        found: u32,
        /// The newest version that this program reads.
        known: u32,
    },
}

impl JournalError {
    /// A stored text that [`codec::decode`](crate::codec::decode) does not understand: damaged, or of a newer version.
    #[must_use]
    pub fn undecoded(portfolio: &PortfolioId, sequence: Sequence, error: &CodecError) -> Self {
        let portfolio = portfolio.clone();
        match error {
            CodecError::Version { found } if *found > VERSION => {
                Self::Newer { portfolio, sequence, found: *found, known: VERSION }
            }
            CodecError::Version { .. } | CodecError::Unreadable { .. } | CodecError::Unwritable { .. } => {
                Self::Damaged { portfolio, sequence, message: error.to_string() }
            }
        }
    }
}
