//! The state of one portfolio: what its records add up to. Books, standing, and the batch that is open.
//!
//! It is changed by [`crate::apply`] alone, and read by [`crate::decide`] and [`crate::due`].

use crate::batch::Batch;
use crate::books::{Books, Definition};
use crate::order::{BatchId, ClientOrderId, FillCursor};
use crate::record::{Cause, Difference, Outcome, Pause};
use crate::values::{Money, MovementId, Overflow, PortfolioId, Quantity, Sequence, StoreId, Symbol, Timestamp, Token};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Everything the journal says about one portfolio.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Portfolio {
    /// Which.
    pub id: PortfolioId,
    /// The number of the last record.
    pub sequence: Sequence,
    /// The newest lease that a batch was opened or taken over under.
    pub token: Token,
    /// What it is; `None` until it was added.
    pub definition: Option<Arc<Definition>>,
    /// What it owns.
    pub books: Books,
    /// Whether it may be traded.
    pub standing: Standing,
    /// The open batch.
    pub batch: Option<Batch>,
    /// Closed batches that are still watched for late fills, oldest first. The last is also what a person resolves.
    pub closed: Vec<Arc<Batch>>,
    /// How long it is left alone.
    pub pause: Option<Pause>,
    /// Restorations since the last completion: what the pause doubles by.
    pub restorations: u32,
    /// What its batches came to, all together.
    pub tally: Tally,
    /// Cash movements that were recorded, with their amounts; withdrawals below zero.
    pub movements: BTreeMap<MovementId, Money>,
    /// How far the broker's fills have been read.
    pub fills_read: Option<FillCursor>,
    /// When a person last accepted that this journal had lost batches: part of the ids of batches from then on.
    pub loss_accepted: Option<Timestamp>,
}

/// Whether a portfolio may be traded. (Reliability notes call this table C.)
///
/// | from | by | to |
/// |---|---|---|
/// | – | added | active |
/// | active | batch opened | rebalancing |
/// | rebalancing | completed, restored, abandoned | active |
/// | rebalancing | stale | stale |
/// | active | late fill, or books and broker disagree | quarantined |
/// | quarantined | a clean comparison | active |
/// | quarantined | a person accepts the broker's positions | active |
/// | stale | a person, followed by a clean comparison | active |
/// | stale | a person retries the restoration | rebalancing |
/// | active, quarantined | removed | removed |
/// | removed | added | active |
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Standing {
    /// There is no such portfolio, or no longer.
    Absent,
    /// It may be traded.
    Active,
    /// A batch is open.
    Rebalancing,
    /// Blocked until a person resolves it. The cause is on the last closed batch.
    Stale,
    /// Blocked until a comparison with the broker is clean.
    Quarantined {
        /// Where books and broker disagreed; empty after a late fill, until they have been compared.
        differences: Vec<Difference>,
    },
}

impl Standing {
    /// The word used in records.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Active => "active",
            Self::Rebalancing => "rebalancing",
            Self::Stale => "stale",
            Self::Quarantined { .. } => "quarantined",
        }
    }
}

/// What a portfolio's batches came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Tally {
    /// Batches completed.
    pub completed: u64,
    /// Batches restored.
    pub restored: u64,
    /// Batches abandoned before anything was sent.
    pub abandoned: u64,
    /// Batches that went stale.
    pub stale: u64,
    /// Forward buys plus forward sells, in money, without fees.
    pub turnover: Money,
    /// The fees of all orders, there and back. In records that were folded before fees and slippage were counted, both are absent.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_zero"))]
    pub fees: Money,
    /// What the difference between planned and executed prices has cost, there and back, rounded as [`Batch::slippage`] says. Below zero if it was a
    /// gain.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_zero"))]
    pub slippage: Money,
}

#[cfg(feature = "serde")]
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_zero(amount: &Money) -> bool {
    amount.is_zero()
}

impl Tally {
    /// With what an ended batch has moved and cost.
    ///
    /// # Errors
    /// [`Overflow`] beyond the maximum of [`Money`].
    pub(crate) fn with(self, batch: &Batch) -> Result<Self, Overflow> {
        Ok(Self {
            turnover: self.turnover.add(batch.forward_amount()?)?,
            fees: self.fees.add(batch.cost()?.1)?,
            slippage: self.slippage.add(batch.slippage()?)?,
            ..self
        })
    }

    /// Without what it was counted with.
    ///
    /// # Errors
    /// [`Overflow`] beyond the maximum of [`Money`].
    pub(crate) fn without(self, batch: &Batch) -> Result<Self, Overflow> {
        Ok(Self {
            turnover: self.turnover.sub(batch.forward_amount()?)?,
            fees: self.fees.sub(batch.cost()?.1)?,
            slippage: self.slippage.sub(batch.slippage()?)?,
            ..self
        })
    }
}

impl Portfolio {
    /// A portfolio without any record.
    #[must_use]
    pub fn new(id: PortfolioId) -> Self {
        Self {
            id,
            sequence: Sequence::ZERO,
            token: Token::ZERO,
            definition: None,
            books: Books::default(),
            standing: Standing::Absent,
            batch: None,
            closed: Vec::new(),
            pause: None,
            restorations: 0,
            tally: Tally::default(),
            movements: BTreeMap::new(),
            fills_read: None,
            loss_accepted: None,
        }
    }

    /// True from when it was added until it was removed.
    #[must_use]
    pub fn is_looked_after(&self) -> bool {
        self.standing != Standing::Absent
    }

    /// The batch that went stale, while the portfolio is.
    #[must_use]
    pub fn stale_batch(&self) -> Option<&Batch> {
        match self.standing {
            Standing::Stale => self.closed.last().map(AsRef::as_ref),
            Standing::Absent | Standing::Active | Standing::Rebalancing | Standing::Quarantined { .. } => None,
        }
    }

    /// When the last batch was opened that traded, or tried to: the next one is not opened at an earlier time.
    #[must_use]
    pub fn last_opened(&self) -> Option<Timestamp> {
        let abandoned = |b: &Batch| b.closing.as_ref().is_some_and(|closing| closing.outcome == Outcome::Abandoned);
        self.closed.iter().filter(|batch| !abandoned(batch)).map(|batch| batch.opened_at).max()
    }

    /// The watched batch that `order` belongs to.
    #[must_use]
    pub fn closed_batch(&self, order: ClientOrderId) -> Option<&Batch> {
        self.closed.iter().map(AsRef::as_ref).find(|batch| batch.id == order.batch)
    }
}

/// How many records a journal may have lost and still be found out by the ids of its batches.
const LOST_RECORDS: u64 = 100_000;

impl Portfolio {
    /// True if it is blocked because its journal has lost batches.
    #[must_use]
    pub fn has_lost_batches(&self) -> bool {
        if let Standing::Quarantined { differences } = &self.standing {
            return differences.iter().any(|difference| matches!(difference, Difference::Batch { .. }));
        }
        let closing = self.stale_batch().and_then(|batch| batch.closing.as_ref());
        closing.is_some_and(|closing| matches!(closing.cause, Some(Cause::JournalLacks { .. })))
    }

    /// The id of the batch that is opened with the record of this sequence, in this store.
    #[must_use]
    pub fn batch_id(&self, store: StoreId, opening: Sequence) -> BatchId {
        match self.loss_accepted {
            None => BatchId::new(store, &self.id, opening),
            Some(accepted) => BatchId::after_loss(store, &self.id, opening, accepted),
        }
    }

    /// Of the batches that these orders belong to, those that this store once opened and that this journal knows nothing of: it has lost
    /// them, as an old backup has, or a file without its write-ahead log. Each once, in the order of their ids.
    ///
    /// A batch that was closed and forgotten is none of them, nor is one of another store. Found up to 100,000 records after the last of
    /// this journal.
    #[must_use]
    pub fn lost_batches(&self, store: StoreId, orders: impl IntoIterator<Item = ClientOrderId>) -> Vec<BatchId> {
        let known = |id: &BatchId| {
            self.batch.as_ref().is_some_and(|open| open.id == *id) || self.closed.iter().any(|closed| closed.id == *id)
        };
        let unknown: BTreeSet<BatchId> = orders.into_iter().map(|order| order.batch).filter(|id| !known(id)).collect();
        if unknown.is_empty() {
            return Vec::new();
        }
        // Batches are forgotten from the oldest on: what was opened after the oldest that is known was not.
        let oldest = self.closed.first().map(AsRef::as_ref).or(self.batch.as_ref()).map(|batch| batch.id);
        let before_loss = self.loss_accepted.is_some();
        let mut not_forgotten = oldest.is_none();
        let mut lost = BTreeSet::new();
        for number in 1..=self.sequence.get().saturating_add(LOST_RECORDS) {
            let opening = Sequence::new(number);
            let id = self.batch_id(store, opening);
            not_forgotten |=
                oldest == Some(id) || before_loss && oldest == Some(BatchId::new(store, &self.id, opening));
            if not_forgotten && unknown.contains(&id) {
                lost.insert(id);
            }
        }
        lost.into_iter().collect()
    }
}

/// Where `books` and `broker` disagree, over the union of their symbols. Exact: there is no tolerance.
#[must_use]
pub fn compare(books: &Books, broker: &Books) -> Vec<Difference> {
    let mut differences = Vec::new();
    if books.cash != broker.cash {
        differences.push(Difference::Cash { books: books.cash, broker: broker.cash });
    }
    differences.extend(compare_units(books, broker));
    differences
}

/// The same for units alone.
#[must_use]
pub fn compare_units(books: &Books, broker: &Books) -> Vec<Difference> {
    if books.holdings().eq(broker.holdings()) {
        return Vec::new(); // As nearly always.
    }
    let symbols: BTreeSet<Symbol> = books.holdings().chain(broker.holdings()).map(|(symbol, _)| symbol).collect();
    let units = symbols.into_iter().map(|symbol| (symbol, books.units(symbol), broker.units(symbol)));
    let differs = |(_, books, broker): &(Symbol, Quantity, Quantity)| books != broker;
    units.filter(differs).map(|(symbol, books, broker)| Difference::Units { symbol, books, broker }).collect()
}
