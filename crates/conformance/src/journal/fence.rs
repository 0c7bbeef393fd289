//! The sequence and the fence: contract 3 and 4.

use super::JournalRig;
use super::model::{Model, pending, readable};
use super::samples::{alert, note, notes};
use crate::{Check, Stop, expect};
use evenkeel_domain::values::{Sequence, Token};
use evenkeel_ports::{Commit, CommitOutcome};
use futures_util::future::join_all;

/// Reads head, records, portfolios, open batches and alerts of an empty journal. Contract 3.
pub async fn j01_nothing_is_there_at_first(rig: &dyn JournalRig) -> Check {
    Model::of("growth")?.check(rig, "nothing was written").await?;
    let listed = readable(rig.journal().portfolios().await)?;
    expect(listed.is_empty(), "no portfolio should be listed", &listed)?;
    let open = readable(rig.journal().open_batches().await)?;
    expect(open.is_empty(), "no batch should be open", &open)?;
    pending(rig, &[], "nothing was written").await
}

/// Writes five commits of 1, 3, 1, 200 and 1 records, and reads all after each. Contract 3.
pub async fn j02_numbers_have_no_gaps(rig: &dyn JournalRig) -> Check {
    let mut model = Model::of("growth")?;
    for (first, count) in [(0, 1), (1, 3), (4, 1), (5, 200), (205, 1)] {
        model.write(rig, 1, notes(first, count)?).await?;
        model.check(rig, &format!("a commit of {count} records")).await?;
    }
    Ok(())
}

/// A model of three records, written under token 5.
async fn three_records(rig: &dyn JournalRig) -> Result<Model, Stop> {
    let mut model = Model::of("growth")?;
    model.write(rig, 5, notes(0, 2)?).await?;
    model.write(rig, 5, notes(2, 1)?).await?;
    Ok(model)
}

/// At three records, commits as if there were none, one and two. Contract 3.
pub async fn j03_expected_too_low_is_a_conflict(rig: &dyn JournalRig) -> Check {
    let model = three_records(rig).await?;
    for expected in [0, 1, 2] {
        let commit = Commit { expected: Sequence::new(expected), ..model.next(5, notes(90, 2)?) };
        model.conflict(rig, commit, &format!("it expects {expected} while the head is at 3")).await?;
    }
    Ok(())
}

/// Commits as if there were one record where there is none; at three, as if there were four, five and the most there can be. Contract 3.
pub async fn j04_expected_too_high_is_a_conflict(rig: &dyn JournalRig) -> Check {
    let nothing = Model::of("income")?;
    let commit = Commit { expected: Sequence::new(1), ..nothing.next(5, notes(90, 1)?) };
    nothing.conflict(rig, commit, "it expects 1 while there is no record").await?;
    let model = three_records(rig).await?;
    for expected in [4, 5, u64::MAX] {
        let commit = Commit { expected: Sequence::new(expected), ..model.next(5, notes(90, 2)?) };
        model.conflict(rig, commit, &format!("it expects {expected} while the head is at 3")).await?;
    }
    Ok(())
}

/// At three records, commits none, with an alert and a higher token. Contract 3.
pub async fn j05_an_empty_commit_writes_nothing(rig: &dyn JournalRig) -> Check {
    let model = three_records(rig).await?;
    // A higher token, which must not be taken over either.
    let alerts = vec![alert(&model.portfolio, 3, "without a record")];
    let outcome = rig.journal().commit(Commit { alerts, ..model.next(9, Vec::new()) }).await;
    expect(
        matches!(outcome, CommitOutcome::Failed { .. }),
        "a commit without records should be refused as failed",
        &outcome,
    )?;
    model.check(rig, "an empty commit").await?;
    pending(rig, &[], "an empty commit").await
}

/// Makes eight commits at once for the same place, eight times over. Contract 3.
pub async fn j06_one_of_many_at_once_wins(rig: &dyn JournalRig) -> Check {
    let mut model = Model::of("growth")?;
    let journal = rig.journal();
    for round in 0..8_u32 {
        let commits = (0..8_u32).map(|number| {
            Ok(model.next(1, notes(round.saturating_mul(100).saturating_add(number.saturating_mul(10)), 2)?))
        });
        let commits = commits.collect::<Result<Vec<Commit>, Stop>>()?;
        let outcomes = join_all(commits.iter().map(|commit| journal.commit(commit.clone()))).await;
        let mut winners = commits.iter().zip(&outcomes).filter(|(_, outcome)| **outcome == CommitOutcome::Committed);
        let (winner, another) = (winners.next(), winners.next());
        let Some((winner, _)) = winner.filter(|_| another.is_none()) else {
            return expect(false, "of eight commits for one place one should be written", &outcomes);
        };
        model.took(winner)?;
        let refused = CommitOutcome::Conflict { head: model.head };
        let others = outcomes.iter().filter(|outcome| **outcome != CommitOutcome::Committed);
        for outcome in others {
            expect(*outcome == refused, &format!("the others should be answered {refused:?}"), outcome)?;
        }
        model.check(rig, "eight commits at once").await?;
    }
    Ok(())
}

/// Writes five portfolios whose names begin alike or differ in case only, and four at once. Contract 3.
pub async fn j07_portfolios_are_independent(rig: &dyn JournalRig) -> Check {
    let mut growth = three_records(rig).await?;
    // A name that begins like another, and one that differs in case only.
    for name in ["income", "growth-2", "Growth", "grow"] {
        let mut other = Model::of(name)?;
        other.check(rig, "another portfolio was written").await?;
        other.write(rig, 1, notes(50, 1)?).await?;
        other.check(rig, "its own first record").await?;
        growth.check(rig, "another portfolio was written").await?;
    }
    growth.write(rig, 5, notes(60, 1)?).await?;
    growth.check(rig, "others were written between").await?;
    let journal = rig.journal();
    let mut models = ["a", "b", "c", "d"].map(Model::of).into_iter().collect::<Result<Vec<_>, _>>()?;
    let commits = models.iter().map(|model| Ok(model.next(1, notes(0, 2)?))).collect::<Result<Vec<_>, Stop>>()?;
    let outcomes = join_all(commits.iter().map(|commit| journal.commit(commit.clone()))).await;
    let all = outcomes.iter().all(|outcome| *outcome == CommitOutcome::Committed);
    expect(all, "commits of different portfolios, made at once, should all be written", &outcomes)?;
    for (model, commit) in models.iter_mut().zip(&commits) {
        model.took(commit)?;
        model.check(rig, "others were written at once").await?;
    }
    Ok(())
}

/// At three records under token 5, commits under tokens 0, 1 and 4. Contract 4.
pub async fn j08_a_lower_token_is_fenced(rig: &dyn JournalRig) -> Check {
    let model = three_records(rig).await?;
    for token in [0, 1, 4] {
        let commit = model.next(token, notes(90, 2)?);
        model.fenced(rig, commit, &format!("its token is {token} while the head's is 5")).await?;
    }
    Ok(())
}

/// At three records under token 5, commits under token 5. Contract 4.
pub async fn j09_an_equal_token_goes_on(rig: &dyn JournalRig) -> Check {
    let mut model = three_records(rig).await?;
    model.write(rig, 5, notes(3, 2)?).await?;
    model.check(rig, "a commit under the same token").await
}

/// Commits under tokens 6, 60 and the largest there can be, and after each under the one below it. Contract 4.
pub async fn j10_a_higher_token_raises_the_fence(rig: &dyn JournalRig) -> Check {
    let mut model = three_records(rig).await?;
    for token in [6, 60, u64::MAX >> 1] {
        model.write(rig, token, vec![note(7)?]).await?;
        model.check(rig, &format!("a commit under token {token}")).await?;
        let former = model.next(token.saturating_sub(1), notes(90, 1)?);
        model.fenced(rig, former, &format!("token {token} has written")).await?;
    }
    Ok(())
}

/// At three records under token 5, commits under older tokens as if there were none, one and nine. Contract 4.
pub async fn j11_a_former_owner_that_is_behind_writes_nothing(rig: &dyn JournalRig) -> Check {
    let model = three_records(rig).await?;
    for (expected, token) in [(0, 0), (1, 4), (9, 4)] {
        let commit =
            Commit { expected: Sequence::new(expected), token: Token::new(token), ..model.next(0, notes(90, 1)?) };
        let outcome = rig.journal().commit(commit).await;
        let refused = [CommitOutcome::Fenced { head: model.head }, CommitOutcome::Conflict { head: model.head }];
        expect(
            refused.contains(&outcome),
            "a commit that is behind in token and sequence should be refused for either",
            &outcome,
        )?;
        model.check(rig, "a former owner's commit").await?;
    }
    Ok(())
}

/// Commits under token 9 in the wrong place, and then under token 5 in the right one. Contract 4.
pub async fn j12_a_refused_commit_raises_nothing(rig: &dyn JournalRig) -> Check {
    let mut model = three_records(rig).await?;
    let commit = Commit { expected: Sequence::new(1), ..model.next(9, notes(90, 1)?) };
    model.conflict(rig, commit, "it expects 1 while the head is at 3").await?;
    model.write(rig, 5, notes(3, 1)?).await?;
    model.check(rig, "a newer owner was refused").await
}
