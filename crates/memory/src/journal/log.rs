//! The records of one portfolio: where they stand, which commit may follow, and how they are folded.
//!
//! A log is not shared and knows no locks: that is the business of the [journal](super).

use evenkeel_domain::apply::apply;
use evenkeel_domain::portfolio::Portfolio;
use evenkeel_domain::record::{Event, Record};
use evenkeel_domain::values::{Overflow, PortfolioId, Sequence, Timestamp, Token};
use evenkeel_ports::{CommitOutcome, Entry, Head};
use std::collections::VecDeque;
use std::sync::Arc;

/// The records of one portfolio, numbered 1, 2, 3 …
#[derive(Debug, Default)]
pub(super) struct Log {
    head: Head,
    batch_open: bool,
    base: Option<Base>,
    /// The records after the base, as they were committed.
    tail: VecDeque<Page>,
}

/// The records of one commit; those before `from` are in the base.
#[derive(Debug)]
struct Page {
    /// The number of the last.
    last: Sequence,
    token: Token,
    records: Arc<[Record]>,
    from: usize,
}

/// The state that the first records led to, in their place.
#[derive(Debug)]
struct Base {
    state: Arc<Portfolio>,
    /// Place and time of the last record that it stands for.
    sequence: Sequence,
    token: Token,
    at: Timestamp,
}

/// Records that may be written: nothing more can go wrong with them.
#[derive(Debug)]
pub(super) struct Prepared {
    records: Arc<[Record]>,
    head: Head,
    batch_open: bool,
}

impl Prepared {
    /// What will be written.
    pub(super) fn records(&self) -> impl Iterator<Item = &Record> + Clone {
        self.records.iter()
    }

    /// True if a batch is closed by it, and none is open after it.
    pub(super) fn ends_batch(&self) -> bool {
        !self.batch_open && self.records.iter().any(|record| matches!(record.event, Event::Closed(_)))
    }
}

impl Log {
    pub(super) const fn head(&self) -> Head {
        self.head
    }

    pub(super) const fn has_open_batch(&self) -> bool {
        self.batch_open
    }

    /// The records after `after`, in order.
    pub(super) fn read(&self, after: Sequence) -> Vec<Entry> {
        let folded = self.base.as_ref().filter(|base| base.sequence > after).map(Base::entry);
        let from = self.tail.partition_point(|page| page.last <= after);
        let entries = self.tail.range(from..).flat_map(Page::entries).filter(|entry| entry.sequence > after);
        folded.into_iter().chain(entries).collect()
    }

    /// Judges a commit without writing anything.
    ///
    /// A former owner is usually behind in both, token and sequence. It is told of the token: reading again would not help it.
    pub(super) fn prepare(
        &self,
        expected: Sequence,
        token: Token,
        records: Arc<[Record]>,
    ) -> Result<Prepared, CommitOutcome> {
        let head = self.head;
        if token < head.token {
            return Err(CommitOutcome::Fenced { head });
        }
        if expected != head.sequence {
            return Err(CommitOutcome::Conflict { head });
        }
        let Some(batch_open) = open_after(self.batch_open, &records) else {
            return Err(CommitOutcome::Conflict { head });
        };
        if records.is_empty() {
            return Err(CommitOutcome::Failed { message: "a commit needs at least one record".to_owned() });
        }
        let sequence = last_of(expected, records.len());
        let sequence = sequence.map_err(|overflow| CommitOutcome::Failed { message: overflow.to_string() })?;
        Ok(Prepared { records, head: Head { sequence, token }, batch_open })
    }

    /// Writes what was prepared for this very state.
    pub(super) fn write(&mut self, prepared: Prepared) {
        let Prepared { records, head, batch_open } = prepared;
        self.tail.push_back(Page { last: head.sequence, token: head.token, records, from: 0 });
        self.head = head;
        self.batch_open = batch_open;
    }

    /// Puts the state that all records led to in their place.
    ///
    /// That is `state`, if the writer had it at hand. A record that does not fit stays, with all that follow: reading gives back what was written, right
    /// or wrong.
    pub(super) fn fold(&mut self, portfolio: &PortfolioId, state: Option<Arc<Portfolio>>) {
        let last = self.tail.back().and_then(|page| page.records.last());
        if let (Some(state), Some(last)) = (state, last)
            && state.sequence == self.head.sequence
        {
            self.base = Some(Base { state, sequence: self.head.sequence, token: self.head.token, at: last.at });
            self.tail = VecDeque::new();
            return;
        }
        while let Some(page) = self.tail.front_mut() {
            let base = self.base.get_or_insert_with(|| Base::new(portfolio));
            while let Some((sequence, record)) = page.first() {
                if apply(Arc::make_mut(&mut base.state), record).is_err() {
                    return;
                }
                (base.sequence, base.token, base.at) = (sequence, page.token, record.at);
                page.from = page.from.saturating_add(1);
            }
            self.tail.pop_front();
        }
        // Thousands of portfolios wait for their next batch: they should not hold the space of their last one.
        self.tail = VecDeque::new();
    }
}

impl Page {
    /// The first record that is not in the base, with its number.
    fn first(&self) -> Option<(Sequence, &Record)> {
        self.numbered().next()
    }

    fn entries(&self) -> impl Iterator<Item = Entry> {
        self.numbered().map(|(sequence, record)| Entry { sequence, token: self.token, record: record.clone() })
    }

    fn numbered(&self) -> impl Iterator<Item = (Sequence, &Record)> {
        let records = self.records.get(self.from..).unwrap_or_default();
        let behind = (0..records.len()).rev();
        let number = |behind| self.last.get().saturating_sub(u64::try_from(behind).unwrap_or(u64::MAX));
        behind.zip(records).map(move |(behind, record)| (Sequence::new(number(behind)), record))
    }
}

impl Base {
    fn new(portfolio: &PortfolioId) -> Self {
        let state = Arc::new(Portfolio::new(portfolio.clone()));
        Self { state, sequence: Sequence::ZERO, token: Token::ZERO, at: Timestamp::MIN }
    }

    fn entry(&self) -> Entry {
        let event = Event::Folded(Box::new((*self.state).clone()));
        Entry { sequence: self.sequence, token: self.token, record: Record { at: self.at, event } }
    }
}

/// Whether a batch is open after `records`; `None` if they open a second one.
fn open_after(before: bool, records: &[Record]) -> Option<bool> {
    records.iter().try_fold(before, |open, record| match &record.event {
        Event::Opened(_) | Event::Retried { .. } => (!open).then_some(true),
        Event::Closed(_) => Some(false),
        // It says everything anew, and so replaces whatever was open.
        Event::Folded(state) => Some(state.batch.is_some()),
        Event::Added { .. }
        | Event::Changed { .. }
        | Event::Removed
        | Event::CashMoved { .. }
        | Event::Quarantined { .. }
        | Event::Released
        | Event::LateFill { .. }
        | Event::Resolved { .. }
        | Event::TakenOver { .. }
        | Event::Intended { .. }
        | Event::Order { .. }
        | Event::Unwinding { .. }
        | Event::Settling { .. } => Some(open),
    })
}

/// The number of the last of so many records after this one.
fn last_of(after: Sequence, records: usize) -> Result<Sequence, Overflow> {
    let last = u64::try_from(records).ok().and_then(|records| after.get().checked_add(records));
    last.map_or_else(|| Sequence::new(u64::MAX).next(), |last| Ok(Sequence::new(last)))
}
