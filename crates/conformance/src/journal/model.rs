//! What should be in a journal: a model of one portfolio, written to along with the real one and compared with it.

use super::{Check, JournalRig};
use crate::{Stop, expect};
use evenkeel_domain::alert::Alert;
use evenkeel_domain::apply::replay;
use evenkeel_domain::portfolio::Portfolio;
use evenkeel_domain::record::{Event, Record};
use evenkeel_domain::values::{PortfolioId, Sequence, Token};
use evenkeel_ports::{Commit, CommitOutcome, Entry, Head, JournalError};
use std::fmt::Display;

/// One portfolio as it should be read.
pub(super) struct Model {
    pub(super) portfolio: PortfolioId,
    pub(super) head: Head,
    pub(super) entries: Vec<Entry>,
}

/// A value that the suite itself wrote down.
pub(super) fn own<T, E: Display>(value: Result<T, E>) -> Result<T, Stop> {
    value.map_err(|error| Stop::Broken(format!("this suite is wrong: {error}")))
}

/// What the journal gives when it is read.
pub(super) fn readable<T>(answer: Result<T, JournalError>) -> Result<T, Stop> {
    answer.map_err(|error| Stop::Broken(format!("the journal should have been readable, but answered: {error}")))
}

impl Model {
    pub(super) fn of(portfolio: &str) -> Result<Self, Stop> {
        Ok(Self { portfolio: own(portfolio.parse())?, head: Head::default(), entries: Vec::new() })
    }

    /// The commit that comes next.
    pub(super) fn next(&self, token: u64, records: Vec<Record>) -> Commit {
        let (portfolio, expected) = (self.portfolio.clone(), self.head.sequence);
        Commit {
            portfolio,
            expected,
            token: Token::new(token),
            records: records.into(),
            alerts: Vec::new(),
            state: None,
        }
    }

    /// Takes over what a commit says, as the journal should.
    pub(super) fn took(&mut self, commit: &Commit) -> Check {
        for record in commit.records.iter() {
            self.head = Head { sequence: own(self.head.sequence.next())?, token: commit.token };
            let Head { sequence, token } = self.head;
            self.entries.push(Entry { sequence, token, record: record.clone() });
        }
        Ok(())
    }

    /// Commits what fits, which must be written.
    pub(super) async fn write(&mut self, rig: &dyn JournalRig, token: u64, records: Vec<Record>) -> Check {
        self.write_all(rig, self.next(token, records)).await
    }

    /// Commits what fits, which must be written.
    pub(super) async fn write_all(&mut self, rig: &dyn JournalRig, commit: Commit) -> Check {
        let outcome = rig.journal().commit(commit.clone()).await;
        expect(outcome == CommitOutcome::Committed, "the commit fits the head and should be written", &outcome)?;
        self.took(&commit)
    }

    /// The journal must have exactly this, and refused the commit for its sequence or its batch.
    pub(super) async fn conflict(&self, rig: &dyn JournalRig, commit: Commit, why: &str) -> Check {
        self.refused(rig, commit, CommitOutcome::Conflict { head: self.head }, why).await
    }

    /// The journal must have exactly this, and refused the commit for its token.
    pub(super) async fn fenced(&self, rig: &dyn JournalRig, commit: Commit, why: &str) -> Check {
        self.refused(rig, commit, CommitOutcome::Fenced { head: self.head }, why).await
    }

    async fn refused(&self, rig: &dyn JournalRig, commit: Commit, expected: CommitOutcome, why: &str) -> Check {
        let outcome = rig.journal().commit(commit).await;
        expect(outcome == expected, &format!("the commit should be answered {expected:?}, since {why}"), outcome)?;
        self.check(rig, &format!("a commit was refused, since {why}")).await
    }

    /// The journal must have exactly this.
    pub(super) async fn check(&self, rig: &dyn JournalRig, when: &str) -> Check {
        let head = readable(rig.journal().head(&self.portfolio).await)?;
        expect(head == self.head, &format!("the head should be {:?} after {when}", self.head), head)?;
        let read = self.read(rig, Sequence::ZERO).await?;
        self.fits(&read, Sequence::ZERO, when)
    }

    pub(super) async fn read(&self, rig: &dyn JournalRig, after: Sequence) -> Result<Vec<Entry>, Stop> {
        readable(rig.journal().read(&self.portfolio, after).await)
    }

    /// What was read must be what was written after `after`, or its closed batches folded into one record.
    pub(super) fn fits(&self, read: &[Entry], after: Sequence, when: &str) -> Check {
        let written = self.entries.iter().filter(|entry| entry.sequence > after);
        if written.clone().eq(read) {
            return Ok(());
        }
        if let Some((Entry { sequence, token, record: Record { event: Event::Folded(state), .. } }, rest)) =
            read.split_first()
            && *sequence > after
        {
            return self.folded(*sequence, *token, state, rest, when);
        }
        let written: Vec<_> = written.collect();
        expect(false, &format!("after {when}, reading after {after} should give exactly {written:?}"), read)
    }

    fn folded(&self, last: Sequence, token: Token, state: &Portfolio, rest: &[Entry], when: &str) -> Check {
        let (before, after): (Vec<&Entry>, Vec<&Entry>) = self.entries.iter().partition(|entry| entry.sequence <= last);
        let stands_for = before.last().map(|entry| (entry.sequence, entry.token));
        expect(
            stands_for == Some((last, token)),
            &format!(
                "after {when}, a folded record should have place and token of the last it stands for, {stands_for:?}"
            ),
            (last, token),
        )?;
        let closed = before.iter().any(|entry| matches!(entry.record.event, Event::Closed(_)));
        expect(closed && state.batch.is_none(), &format!("after {when}, only closed batches may be folded"), state)?;
        let empty = Portfolio::new(self.portfolio.clone());
        let expected = replay(empty, before.iter().map(|entry| &entry.record));
        expect(
            expected.as_ref().is_ok_and(|expected| expected == state),
            &format!("after {when}, a folded record should be the state that the records led to, {expected:?}"),
            state,
        )?;
        expect(
            after.iter().copied().eq(rest),
            &format!("after {when}, the folded record should be followed by {after:?}"),
            rest,
        )
    }
}

/// The pending alerts must be exactly these.
pub(super) async fn pending(rig: &dyn JournalRig, expected: &[&Alert], when: &str) -> Check {
    let pending = readable(rig.journal().pending_alerts(usize::MAX).await)?;
    let promise = format!("after {when}, these alerts should be pending: {expected:?}");
    expect(pending.iter().eq(expected.iter().copied()), &promise, pending)
}
