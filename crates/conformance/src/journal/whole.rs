//! All or nothing, durable, and never mistaken about it: contract 1, 2 and 6.

use super::JournalRig;
use super::model::{Model, pending, readable};
use super::samples::{alert, closed, note, notes, opened};
use crate::{Check, Stop, expect};
use evenkeel_domain::alert::Alert;
use evenkeel_domain::values::Sequence;
use evenkeel_ports::{Commit, CommitOutcome};
use futures_util::FutureExt;

/// Commits two records with two alerts. Contract 1.
pub async fn j19_records_and_alerts_together(rig: &dyn JournalRig) -> Check {
    let mut model = Model::of("growth")?;
    let alerts = vec![alert(&model.portfolio, 1, "first"), alert(&model.portfolio, 2, "second")];
    let commit = Commit { alerts: alerts.clone(), ..model.next(1, notes(0, 2)?) };
    model.write_all(rig, commit).await?;
    model.check(rig, "a commit with two alerts").await?;
    pending(rig, &alerts.iter().collect::<Vec<_>>(), "a commit with two alerts").await
}

/// Makes four commits with an alert that must be refused: an old token, two wrong places, and a second opening. Contract 1.
pub async fn j20_a_refused_commit_leaves_no_alert(rig: &dyn JournalRig) -> Check {
    let mut model = Model::of("growth")?;
    model.write(rig, 5, vec![note(0)?, opened()?]).await?;
    let alerts = vec![alert(&model.portfolio, 3, "of a commit that was refused")];
    let with_alert = |commit: Commit| Commit { alerts: alerts.clone(), ..commit };
    let old = with_alert(model.next(4, notes(1, 1)?));
    model.fenced(rig, old, "its token is below the head's").await?;
    pending(rig, &[], "a fenced commit").await?;
    let low = with_alert(Commit { expected: Sequence::new(1), ..model.next(5, notes(1, 1)?) });
    model.conflict(rig, low, "it expects less than the head").await?;
    pending(rig, &[], "a commit that expects too little").await?;
    let high = with_alert(Commit { expected: Sequence::new(9), ..model.next(5, notes(1, 1)?) });
    model.conflict(rig, high, "it expects more than the head").await?;
    pending(rig, &[], "a commit that expects too much").await?;
    let second = with_alert(model.next(5, vec![note(1)?, opened()?]));
    model.conflict(rig, second, "a batch is open already").await?;
    pending(rig, &[], "a commit that opens a second batch").await
}

/// Drops a commit of three records and an alert after it was polled once, and reads what became of it. Contract 1.
pub async fn j21_a_dropped_commit_is_whole_or_absent(rig: &dyn JournalRig) -> Check {
    let mut model = Model::of("growth")?;
    model.write(rig, 1, notes(0, 1)?).await?;
    let warning = alert(&model.portfolio, 3, "of a commit that was dropped");
    let commit = Commit { alerts: vec![warning.clone()], ..model.next(1, notes(1, 3)?) };
    // Polled once and dropped: what became of it, nobody knows.
    let outcome = rig.journal().commit(commit.clone()).now_or_never();
    let head = readable(rig.journal().head(&model.portfolio).await)?;
    let written = head.sequence > model.head.sequence;
    expect(
        written || outcome != Some(CommitOutcome::Committed),
        "what was answered as committed should be written",
        head,
    )?;
    if written {
        model.took(&commit)?;
    }
    model.check(rig, "a commit was dropped").await?;
    let alerts: &[&Alert] = if written { &[&warning] } else { &[] };
    pending(rig, alerts, "a commit was dropped").await
}

/// Makes this commit's answer get lost; it must be unknown then.
async fn lost(rig: &dyn JournalRig, commit: &Commit, written: bool) -> Check {
    rig.lose_the_next_answer(written)?;
    let outcome = rig.journal().commit(commit.clone()).await;
    expect(
        matches!(outcome, CommitOutcome::Unknown { .. }),
        "a commit whose answer was lost should be unknown",
        outcome,
    )
}

fn with_alert(model: &Model, token: u64, sequence: u64) -> Result<(Commit, Alert), Stop> {
    let warning = alert(&model.portfolio, sequence, "of a commit whose answer was lost");
    Ok((Commit { alerts: vec![warning.clone()], ..model.next(token, notes(5, 2)?) }, warning))
}

/// Loses the answer to a commit after the write, reads it back, and makes the same commit again. Contract 6.
pub async fn j22_an_unknown_commit_that_was_written_is_read_back(rig: &dyn JournalRig) -> Check {
    let mut model = Model::of("growth")?;
    model.write(rig, 1, notes(0, 1)?).await?;
    let (commit, warning) = with_alert(&model, 2, 3)?;
    lost(rig, &commit, true).await?;
    model.took(&commit)?;
    model.check(rig, "a commit whose answer was lost after it was written").await?;
    pending(rig, &[&warning], "a commit whose answer was lost after it was written").await?;
    model.conflict(rig, commit, "the very same commit was written before").await?;
    pending(rig, &[&warning], "the same commit was refused").await
}

/// Loses a commit before the write, finds nothing, and makes the same commit again. Contract 6.
pub async fn j23_an_unknown_commit_that_was_not_written_leaves_nothing(rig: &dyn JournalRig) -> Check {
    let mut model = Model::of("growth")?;
    model.write(rig, 1, notes(0, 1)?).await?;
    let (commit, warning) = with_alert(&model, 2, 3)?;
    lost(rig, &commit, false).await?;
    model.check(rig, "a commit that was lost before it was written").await?;
    pending(rig, &[], "a commit that was lost before it was written").await?;
    model.write_all(rig, commit).await?;
    model.check(rig, "the same commit was made again").await?;
    pending(rig, &[&warning], "the same commit was made again").await
}

/// Restarts a journal of two portfolios, one with an open batch, and commits under an old token, a second opening, and what is right.
/// Contract 2.
pub async fn j24_what_was_written_survives_a_restart(rig: &dyn JournalRig) -> Check {
    let (mut growth, mut income) = (Model::of("growth")?, Model::of("income")?);
    growth.write(rig, 5, vec![note(0)?, opened()?]).await?;
    income.write(rig, 3, vec![opened()?]).await?;
    income.write(rig, 4, vec![closed()?]).await?;
    let id = readable(rig.journal().store_id().await)?;
    rig.restart()?;
    let same = readable(rig.journal().store_id().await)?;
    expect(same == id, &format!("the store's id should be {id:?} after a restart"), same)?;
    growth.check(rig, "a restart").await?;
    income.check(rig, "a restart").await?;
    growth.fenced(rig, growth.next(4, notes(9, 1)?), "the fence survives a restart").await?;
    growth.conflict(rig, growth.next(5, vec![opened()?]), "the open batch survives a restart").await?;
    let open = readable(rig.journal().open_batches().await)?;
    expect(open == [growth.portfolio.clone()], "the batch of growth should be open after a restart", open)?;
    growth.write(rig, 5, notes(1, 1)?).await?;
    growth.check(rig, "a restart and another commit").await
}

/// Asks for the store's id before and after a commit. Contract 2.
pub async fn j25_the_store_id_never_changes(rig: &dyn JournalRig) -> Check {
    let first = readable(rig.journal().store_id().await)?;
    let mut model = Model::of("growth")?;
    model.write(rig, 1, notes(0, 1)?).await?;
    let second = readable(rig.journal().store_id().await)?;
    expect(second == first, &format!("the store's id should stay {first:?}"), second)
}
