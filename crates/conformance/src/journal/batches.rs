//! At most one open batch: contract 5.

use super::JournalRig;
use super::model::{Model, own, readable};
use super::samples::{closed, note, opened, retried};
use crate::{Check, Stop, expect};
use evenkeel_domain::values::PortfolioId;
use evenkeel_ports::CommitOutcome;
use futures_util::future::join_all;

/// The portfolios with an open batch must be exactly these.
async fn open(rig: &dyn JournalRig, expected: &[&str], when: &str) -> Check {
    let expected = expected.iter().map(|name| own(name.parse())).collect::<Result<Vec<PortfolioId>, Stop>>()?;
    let open = readable(rig.journal().open_batches().await)?;
    expect(open == expected, &format!("after {when}, batches should be open for {expected:?}"), open)
}

/// With a batch open, commits an opening alone, one among notes, and a retry, under a higher token each. Contract 5.
pub async fn j13_no_second_open_batch(rig: &dyn JournalRig) -> Check {
    let mut model = Model::of("growth")?;
    model.write(rig, 1, vec![note(0)?, opened()?]).await?;
    for records in [vec![opened()?], vec![note(1)?, opened()?, note(2)?], vec![retried()]] {
        // Under a higher token too: a new owner goes on with the batch that is there.
        model.conflict(rig, model.next(2, records), "a batch is open already").await?;
    }
    open(rig, &["growth"], "a second batch was refused").await?;
    model.write(rig, 1, vec![note(3)?]).await?;
    model.check(rig, "the open batch went on").await
}

/// Commits two openings at once, and three with one closing among them. Contract 5.
pub async fn j14_no_two_openings_in_one_commit(rig: &dyn JournalRig) -> Check {
    let mut model = Model::of("growth")?;
    model.write(rig, 1, vec![note(0)?]).await?;
    let two = model.next(1, vec![note(1)?, opened()?, opened()?]);
    model.conflict(rig, two, "it opens two batches").await?;
    let three = model.next(1, vec![opened()?, closed()?, opened()?, note(1)?, opened()?]);
    model.conflict(rig, three, "it opens a batch that stays open, and another").await?;
    open(rig, &[], "both openings were refused").await
}

/// Opens and closes batches: in commits of their own, a closing and an opening in one, and an opening between two closings. Contract 5.
pub async fn j15_closing_makes_room(rig: &dyn JournalRig) -> Check {
    let mut model = Model::of("growth")?;
    model.write(rig, 1, vec![opened()?]).await?;
    model.write(rig, 1, vec![closed()?]).await?;
    open(rig, &[], "the batch was closed").await?;
    model.write(rig, 1, vec![opened()?, note(0)?]).await?;
    open(rig, &["growth"], "another was opened").await?;
    model.write(rig, 1, vec![closed()?, opened()?]).await?;
    open(rig, &["growth"], "one was closed and another opened at once").await?;
    model.conflict(rig, model.next(1, vec![opened()?]), "the batch that was opened last is open").await?;
    model.write(rig, 1, vec![closed()?, opened()?, closed()?]).await?;
    open(rig, &[], "all were closed").await?;
    model.check(rig, "all of it").await
}

/// Closes a batch and tries it again; then commits an opening and another retry, and closes it. Contract 5.
pub async fn j16_trying_again_opens_a_batch(rig: &dyn JournalRig) -> Check {
    let mut model = Model::of("growth")?;
    model.write(rig, 1, vec![opened()?]).await?;
    model.write(rig, 1, vec![closed()?]).await?;
    model.write(rig, 1, vec![retried()]).await?;
    open(rig, &["growth"], "the batch was tried again").await?;
    for records in [vec![opened()?], vec![retried()]] {
        model.conflict(rig, model.next(1, records), "the batch that is tried again is open").await?;
    }
    model.write(rig, 1, vec![closed()?]).await?;
    open(rig, &[], "it was closed again").await
}

/// Writes five portfolios out of order, of which four open a batch and one of these closes it. Contract 5.
pub async fn j17_open_batches_are_listed_in_order(rig: &dyn JournalRig) -> Check {
    for name in ["d", "b", "quiet", "a", "c"] {
        let mut model = Model::of(name)?;
        model.write(rig, 1, vec![if name == "quiet" { note(0)? } else { opened()? }]).await?;
        if name == "b" {
            model.write(rig, 1, vec![closed()?]).await?;
        }
    }
    open(rig, &["a", "c", "d"], "a, b, c and d were opened, and b was closed").await
}

/// Makes eight commits at once that each open a batch. Contract 5.
pub async fn j18_at_once_only_one_opens(rig: &dyn JournalRig) -> Check {
    let mut model = Model::of("growth")?;
    model.write(rig, 1, vec![note(0)?]).await?;
    let journal = rig.journal();
    let commit = model.next(1, vec![opened()?]);
    let outcomes = join_all((0..8).map(|_| journal.commit(commit.clone()))).await;
    let written = outcomes.iter().filter(|outcome| **outcome == CommitOutcome::Committed).count();
    expect(written == 1, "of eight commits that open a batch one should be written", &outcomes)?;
    model.took(&commit)?;
    model.check(rig, "eight openings at once").await?;
    open(rig, &["growth"], "one of eight openings was written").await
}
