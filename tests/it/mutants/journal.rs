//! Broken journals.

use super::{each_is_caught, let_others_go_on};
use async_trait::async_trait;
use evenkeel_conformance::journal::{JournalRig, report};
use evenkeel_conformance::{Cannot, Report, Rig};
use evenkeel_domain::alert::Alert;
use evenkeel_domain::halt::{Halt, HaltMode, Release, Scope};
use evenkeel_domain::record::{Event, Record};
use evenkeel_domain::values::{PortfolioId, Sequence, StoreId, Timestamp, Token};
use evenkeel_memory::{MemoryJournal, Retention};
use evenkeel_ports::{Commit, CommitOutcome, Entry, Head, Journal, JournalError};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// What is wrong with a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    Nothing,
    AcceptsAnOldSequence,
    AcceptsAGap,
    AcceptsNothingToWrite,
    TwoWinByARace,
    TwoOpenByARace,
    AcceptsAnOldToken,
    FenceNotRaised,
    FenceOnlyForTheNextToken,
    ASecondOpenBatch,
    TheFirstOfTwoOpenings,
    OpenBatchesAreEveryPortfolio,
    LosesTheLastOfSeveral,
    LosesRecordsAfterMore,
    AlertsBeforeTheCommit,
    AlertsAfterTheCommit,
    UnknownIsFailed,
    UnknownIsCommitted,
    ForgetsTheFenceAtARestart,
    ForgetsAlertsAtARestart,
    ANewIdForEachAsk,
    ReadsFromInsteadOfAfter,
    RoundsTimes,
    ReadsPastTheFold,
    ListsBackwards,
    NewestAlertFirst,
    NoLimit,
    AcknowledgesAllOfThePortfolio,
    AcknowledgedTwiceReappears,
    AnAcknowledgedAlertComesBack,
    IgnoresHaltsOfSymbols,
    AHaltIsAboutEverything,
    UnwindingFreezes,
    ReleasesEveryHalt,
    LooksAtHaltsTooEarly,
    ForgetsHaltsAtARestart,
    AHaltedCommitRaisesTheFence,
    AcknowledgesByTheWholeAlert,
    ListsNoRemovedPortfolio,
    ReadsAThousandAtMost,
    GivesAHundredAlertsAtMost,
}

#[derive(Clone)]
struct BrokenJournal {
    flaw: Flaw,
    state: Arc<Mutex<State>>,
}

struct State {
    inner: MemoryJournal,
    /// What the inner journal was given something else for.
    instead: BTreeMap<(PortfolioId, Sequence), Record>,
    /// Alerts that are pending beside those of the inner journal.
    beside: Vec<Alert>,
    acknowledged: Vec<Alert>,
    asked: u128,
    /// The token of a commit that was halted.
    raised: Token,
    /// The next answer gets lost, after the write or before it.
    lose: Option<bool>,
}

impl BrokenJournal {
    fn new(flaw: Flaw) -> Self {
        let folds = if flaw == Flaw::ReadsPastTheFold { Retention::LatestState } else { Retention::Everything };
        let inner = MemoryJournal::new(StoreId::new(7)).with_retention(folds);
        let (instead, beside, acknowledged) = (BTreeMap::new(), Vec::new(), Vec::new());
        Self {
            flaw,
            state: Arc::new(Mutex::new(State {
                inner,
                instead,
                beside,
                acknowledged,
                asked: 0,
                raised: Token::ZERO,
                lose: None,
            })),
        }
    }

    fn inner(&self) -> MemoryJournal {
        self.state.lock().unwrap().inner.clone()
    }

    async fn head_of(&self, portfolio: &PortfolioId) -> Head {
        self.inner().head(portfolio).await.unwrap()
    }

    /// Commits as the flaw has it.
    async fn write(&self, mut commit: Commit) -> CommitOutcome {
        let head = self.head_of(&commit.portfolio).await;
        match self.flaw {
            Flaw::AcceptsAnOldSequence if commit.expected < head.sequence => commit.expected = head.sequence,
            Flaw::AcceptsAGap if commit.expected > head.sequence => commit.expected = head.sequence,
            Flaw::AcceptsNothingToWrite if commit.records.is_empty() => return CommitOutcome::Committed,
            Flaw::AcceptsAnOldToken => commit.token = commit.token.max(head.token),
            Flaw::FenceNotRaised if head.token > Token::ZERO => commit.token = head.token.min(commit.token),
            Flaw::FenceOnlyForTheNextToken if commit.token.next() == Ok(head.token) => commit.token = head.token,
            Flaw::LosesTheLastOfSeveral if commit.records.len() > 1 => {
                commit.records = commit.records[..commit.records.len() - 1].into();
            }
            Flaw::TwoWinByARace | Flaw::TwoOpenByARace if commit.expected == head.sequence => {
                let_others_go_on().await;
                commit.expected = self.head_of(&commit.portfolio).await.sequence;
            }
            Flaw::AlertsBeforeTheCommit => {
                self.state.lock().unwrap().beside.append(&mut commit.alerts);
            }
            Flaw::AlertsAfterTheCommit => {
                let alerts = std::mem::take(&mut commit.alerts);
                let outcome = self.inner().commit(commit).await;
                let_others_go_on().await;
                if outcome == CommitOutcome::Committed {
                    self.state.lock().unwrap().beside.extend(alerts);
                }
                return outcome;
            }
            Flaw::RoundsTimes => {
                let rounded = |at: Timestamp| Timestamp::from_nanos(at.nanos() / 1_000 * 1_000);
                let records = commit.records.iter().cloned();
                commit.records = records.map(|record| Record { at: rounded(record.at), ..record }).collect();
            }
            _ => {}
        }
        if self.flaw == Flaw::LooksAtHaltsTooEarly && self.inner().halts().await.unwrap_or_default().is_empty() {
            let_others_go_on().await;
            return self.past_every_halt(commit).await;
        }
        let outcome = self.inner().commit(commit.clone()).await;
        let refused_for_its_batch =
            matches!(outcome, CommitOutcome::Conflict { head } if head.sequence == commit.expected);
        match self.flaw {
            Flaw::AHaltedCommitRaisesTheFence if matches!(outcome, CommitOutcome::Halted { .. }) => {
                self.state.lock().unwrap().raised = commit.token;
                outcome
            }
            Flaw::ASecondOpenBatch | Flaw::TwoOpenByARace if refused_for_its_batch => self.write_hidden(commit).await,
            Flaw::TheFirstOfTwoOpenings if refused_for_its_batch => {
                let opens = |record: &Record| matches!(record.event, Event::Opened(_) | Event::Retried { .. });
                let end =
                    commit.records.iter().enumerate().filter(|(_, r)| opens(r)).nth(1).map_or(0, |(place, _)| place);
                commit.records = commit.records[..end].into();
                self.inner().commit(commit).await;
                outcome
            }
            _ => outcome,
        }
    }

    async fn past_every_halt(&self, commit: Commit) -> CommitOutcome {
        let inner = self.inner();
        let halts = inner.halts().await.unwrap();
        for Halt { scope, who, why, at, .. } in halts.clone() {
            inner.release(&Release { scope, who, why, at }).await.unwrap();
        }
        let outcome = inner.commit(commit).await;
        for halt in &halts {
            inner.halt(halt).await.unwrap();
        }
        outcome
    }

    /// Writes records that the inner journal takes for others.
    async fn write_hidden(&self, commit: Commit) -> CommitOutcome {
        let mut place = commit.expected;
        let hidden = commit.records.iter().map(|record| Record { at: record.at, event: Event::Removed }).collect();
        for record in commit.records.iter().cloned() {
            place = place.next().unwrap();
            self.state.lock().unwrap().instead.insert((commit.portfolio.clone(), place), record);
        }
        self.inner().commit(Commit { records: hidden, ..commit }).await
    }
}

#[async_trait]
impl Journal for BrokenJournal {
    async fn store_id(&self) -> Result<StoreId, JournalError> {
        if self.flaw == Flaw::ANewIdForEachAsk {
            let mut state = self.state.lock().unwrap();
            state.asked += 1;
            return Ok(StoreId::new(state.asked));
        }
        self.inner().store_id().await
    }

    async fn head(&self, portfolio: &PortfolioId) -> Result<Head, JournalError> {
        let head = self.inner().head(portfolio).await?;
        let raised = self.state.lock().unwrap().raised;
        Ok(Head { token: head.token.max(raised), ..head })
    }

    async fn read(&self, portfolio: &PortfolioId, after: Sequence) -> Result<Vec<Entry>, JournalError> {
        let inner = self.inner();
        let from = match self.flaw {
            Flaw::ReadsFromInsteadOfAfter => Sequence::new(after.get().saturating_sub(1)),
            _ => after,
        };
        let mut entries = inner.read(portfolio, from).await?;
        for entry in &mut entries {
            if let Some(record) = self.state.lock().unwrap().instead.get(&(portfolio.clone(), entry.sequence)) {
                entry.record = record.clone();
            }
        }
        match self.flaw {
            Flaw::ReadsPastTheFold if after > Sequence::ZERO => {
                entries.retain(|entry| !matches!(entry.record.event, Event::Folded(_)));
            }
            Flaw::ReadsAThousandAtMost => entries.truncate(1_000),
            Flaw::LosesRecordsAfterMore => {
                entries.retain(|entry| entry.sequence.get() != 2 || entries_end(&inner, portfolio) < 7)
            }
            _ => {}
        }
        Ok(entries)
    }

    async fn commit(&self, commit: Commit) -> CommitOutcome {
        let lose = self.state.lock().unwrap().lose.take();
        let Some(written) = lose else { return self.write(commit).await };
        let message = "the answer was lost".to_owned();
        if written {
            self.write(commit).await;
        }
        match self.flaw {
            Flaw::UnknownIsFailed => CommitOutcome::Failed { message },
            Flaw::UnknownIsCommitted => CommitOutcome::Committed,
            _ => CommitOutcome::Unknown { message },
        }
    }

    async fn portfolios(&self) -> Result<Vec<PortfolioId>, JournalError> {
        let mut portfolios = self.inner().portfolios().await?;
        match self.flaw {
            Flaw::ListsBackwards => portfolios.reverse(),
            Flaw::ListsNoRemovedPortfolio => {
                let inner = self.inner();
                let is_removed = |id: &PortfolioId| inner.records(id).last().is_some_and(|r| r.event == Event::Removed);
                portfolios.retain(|id| !is_removed(id));
            }
            _ => {}
        }
        Ok(portfolios)
    }

    async fn open_batches(&self) -> Result<Vec<PortfolioId>, JournalError> {
        match self.flaw {
            Flaw::OpenBatchesAreEveryPortfolio => self.portfolios().await,
            _ => self.inner().open_batches().await,
        }
    }

    async fn pending_alerts(&self, limit: usize) -> Result<Vec<Alert>, JournalError> {
        let mut alerts = self.inner().pending_alerts(usize::MAX).await?;
        alerts.extend(self.state.lock().unwrap().beside.iter().cloned());
        match self.flaw {
            Flaw::NewestAlertFirst => alerts.reverse(),
            Flaw::GivesAHundredAlertsAtMost => alerts.truncate(100),
            Flaw::NoLimit => return Ok(alerts),
            _ => {}
        }
        alerts.truncate(limit);
        Ok(alerts)
    }

    async fn acknowledge_alert(&self, alert: &Alert) -> Result<(), JournalError> {
        let inner = self.inner();
        match self.flaw {
            Flaw::AcknowledgesByTheWholeAlert if !inner.pending_alerts(usize::MAX).await?.contains(alert) => {
                return Ok(());
            }
            Flaw::AcknowledgesAllOfThePortfolio => {
                for pending in inner.pending_alerts(usize::MAX).await? {
                    if pending.portfolio == alert.portfolio {
                        inner.acknowledge_alert(&pending).await?;
                    }
                }
            }
            Flaw::AcknowledgedTwiceReappears => {
                let mut state = self.state.lock().unwrap();
                if state.acknowledged.contains(alert) {
                    state.beside.push(alert.clone());
                }
                state.acknowledged.push(alert.clone());
            }
            Flaw::AnAcknowledgedAlertComesBack => {
                let mut state = self.state.lock().unwrap();
                state.beside = std::mem::take(&mut state.acknowledged);
                state.acknowledged.push(alert.clone());
            }
            _ => {
                let mut state = self.state.lock().unwrap();
                state.beside.retain(|known| (&known.portfolio, known.sequence) != (&alert.portfolio, alert.sequence));
            }
        }
        inner.acknowledge_alert(alert).await
    }

    async fn halt(&self, halt: &Halt) -> Result<(), JournalError> {
        let scope = match self.flaw {
            Flaw::AHaltIsAboutEverything => Scope::Everything,
            Flaw::IgnoresHaltsOfSymbols if matches!(halt.scope, Scope::Symbol(_)) => return Ok(()),
            _ => halt.scope.clone(),
        };
        let mode = if self.flaw == Flaw::UnwindingFreezes { HaltMode::Freeze } else { halt.mode };
        self.inner().halt(&Halt { scope, mode, ..halt.clone() }).await
    }

    async fn release(&self, release: &Release) -> Result<bool, JournalError> {
        let inner = self.inner();
        if self.flaw == Flaw::ReleasesEveryHalt {
            for Halt { scope, .. } in inner.halts().await? {
                inner.release(&Release { scope, ..release.clone() }).await?;
            }
        }
        inner.release(release).await
    }

    async fn halts(&self) -> Result<Vec<Halt>, JournalError> {
        self.inner().halts().await
    }
}

/// How many records a portfolio has.
fn entries_end(journal: &MemoryJournal, portfolio: &PortfolioId) -> usize {
    journal.records(portfolio).len()
}

impl Rig for BrokenJournal {
    fn adapter(&self) -> String {
        format!("{:?}", self.flaw)
    }
}

impl JournalRig for BrokenJournal {
    fn journal(&self) -> Arc<dyn Journal> {
        Arc::new(self.clone())
    }

    /// The inner journal outlives what is around it, but for what the flaw forgets.
    fn restart(&self) -> Result<(), Cannot> {
        use evenkeel_conformance::suite::block_on;
        if self.flaw == Flaw::ForgetsHaltsAtARestart {
            self.state.lock().unwrap().inner = MemoryJournal::new(StoreId::new(7));
            return Ok(());
        }
        let forgets = (self.flaw == Flaw::ForgetsTheFenceAtARestart, self.flaw == Flaw::ForgetsAlertsAtARestart);
        if forgets == (false, false) {
            return Ok(());
        }
        let old = self.inner();
        let new = MemoryJournal::new(StoreId::new(7));
        block_on(async {
            for portfolio in old.portfolios().await.unwrap() {
                for Entry { sequence, token, record } in old.read(&portfolio, Sequence::ZERO).await.unwrap() {
                    let expected = Sequence::new(sequence.get() - 1);
                    let token = if forgets.0 { Token::new(1) } else { token };
                    let (portfolio, records, alerts) = (portfolio.clone(), [record].into(), Vec::new());
                    new.commit(Commit { portfolio, expected, token, records, alerts, state: None }).await;
                }
            }
        });
        self.state.lock().unwrap().inner = new;
        Ok(())
    }

    fn lose_the_next_answer(&self, written: bool) -> Result<(), Cannot> {
        self.state.lock().unwrap().lose = Some(written);
        Ok(())
    }
}

fn report_of(flaw: Flaw) -> Report {
    report(|| Box::new(BrokenJournal::new(flaw)))
}

#[test]
fn without_a_flaw_every_case_passes() {
    let report = report_of(Flaw::Nothing);
    assert_eq!(report.count("passed"), report.cases.len(), "{report}");
}

#[test]
fn each_broken_journal_is_caught() {
    each_is_caught(
        &[
            (Flaw::LosesTheLastOfSeveral, "J02"),
            (Flaw::AcceptsAnOldSequence, "J03"),
            (Flaw::AcceptsAGap, "J04"),
            (Flaw::AcceptsNothingToWrite, "J05"),
            (Flaw::TwoWinByARace, "J06"),
            (Flaw::AcceptsAnOldToken, "J08"),
            (Flaw::FenceNotRaised, "J10"),
            (Flaw::FenceOnlyForTheNextToken, "J10"),
            (Flaw::ASecondOpenBatch, "J13"),
            (Flaw::TheFirstOfTwoOpenings, "J14"),
            (Flaw::OpenBatchesAreEveryPortfolio, "J17"),
            (Flaw::TwoOpenByARace, "J18"),
            (Flaw::AlertsBeforeTheCommit, "J20"),
            (Flaw::AlertsAfterTheCommit, "J21"),
            (Flaw::UnknownIsFailed, "J22"),
            (Flaw::UnknownIsCommitted, "J23"),
            (Flaw::ForgetsTheFenceAtARestart, "J24"),
            (Flaw::ANewIdForEachAsk, "J25"),
            (Flaw::ReadsFromInsteadOfAfter, "J26"),
            (Flaw::RoundsTimes, "J27"),
            (Flaw::LosesRecordsAfterMore, "J28"),
            (Flaw::ReadsPastTheFold, "J29"),
            (Flaw::ListsBackwards, "J30"),
            (Flaw::NewestAlertFirst, "J31"),
            (Flaw::NoLimit, "J32"),
            (Flaw::AcknowledgesAllOfThePortfolio, "J33"),
            (Flaw::AcknowledgedTwiceReappears, "J34"),
            (Flaw::ForgetsAlertsAtARestart, "J35"),
            (Flaw::AnAcknowledgedAlertComesBack, "J36"),
            (Flaw::IgnoresHaltsOfSymbols, "J37"),
            (Flaw::AHaltIsAboutEverything, "J38"),
            (Flaw::UnwindingFreezes, "J39"),
            (Flaw::ReleasesEveryHalt, "J40"),
            (Flaw::LooksAtHaltsTooEarly, "J41"),
            (Flaw::ForgetsHaltsAtARestart, "J42"),
            (Flaw::AHaltedCommitRaisesTheFence, "J37"),
            (Flaw::AcknowledgesByTheWholeAlert, "J34"),
            (Flaw::ListsNoRemovedPortfolio, "J30"),
            (Flaw::ReadsAThousandAtMost, "J43"),
            (Flaw::GivesAHundredAlertsAtMost, "J44"),
        ],
        report_of,
    );
}
