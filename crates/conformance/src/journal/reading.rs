//! Reading what was written: contract 7.

use super::JournalRig;
use super::model::{Model, own, readable};
use super::samples::{every_kind, life, notes};
use crate::{Check, Stop, expect};
use evenkeel_domain::values::{PortfolioId, Sequence};

/// Reading after each number must give what comes after it, and nothing beyond the last.
async fn read_after_each(model: &Model, rig: &dyn JournalRig, when: &str) -> Check {
    for after in 0..=model.head.sequence.get() {
        let after = Sequence::new(after);
        model.fits(&model.read(rig, after).await?, after, when)?;
    }
    let beyond = Sequence::new(model.head.sequence.get().saturating_add(5));
    let read = model.read(rig, beyond).await?;
    expect(read.is_empty(), "there should be nothing beyond the last record", read)
}

/// Writes twelve records in six commits and reads after each number from none to beyond the last. Contract 7.
pub async fn j26_read_after_a_sequence(rig: &dyn JournalRig) -> Check {
    let mut model = Model::of("growth")?;
    // More than ten: numbers that a store compares as text would come in the wrong order.
    for number in 0..6 {
        model.write(rig, 1, notes(number, 2)?).await?;
    }
    read_after_each(&model, rig, "six commits of two records").await
}

/// Writes every kind of record, first each in a commit of its own, then all in one. Contract 7.
pub async fn j27_every_kind_of_record_is_read_as_written(rig: &dyn JournalRig) -> Check {
    let mut model = Model::of("growth")?;
    for record in every_kind()? {
        let what = format!("writing {record:?}");
        model.write(rig, 1, vec![record]).await?;
        model.check(rig, &what).await?;
    }
    let mut at_once = Model::of("income")?;
    at_once.write(rig, 1, every_kind()?).await?;
    at_once.check(rig, "writing every kind of record in one commit").await
}

/// Writes five commits of two portfolios by turns, and reads everything twice after each. Contract 7.
pub async fn j28_what_is_kept_stays(rig: &dyn JournalRig) -> Check {
    let (mut growth, mut income) = (Model::of("growth")?, Model::of("income")?);
    for number in 0..5 {
        growth.write(rig, u64::from(number), notes(number, 2)?).await?;
        income.write(rig, 9, notes(number, 1)?).await?;
        growth.check(rig, "another commit").await?;
        income.check(rig, "another commit").await?;
        // Reading changes nothing.
        growth.check(rig, "reading it before").await?;
    }
    Ok(())
}

/// Writes the lives of three batches, commit by commit, and reads after each number each time. Contract 7.
pub async fn j29_closed_batches_are_kept_or_folded(rig: &dyn JournalRig) -> Check {
    let mut model = Model::of("growth")?;
    for records in life(&model.portfolio, 3)? {
        model.write(rig, 5, records).await?;
        model.check(rig, "another commit of its life").await?;
        read_after_each(&model, rig, "another commit of its life").await?;
    }
    Ok(())
}

/// Writes seven portfolios out of order, of which one is removed again, and has a commit to an eighth refused. Contract 7.
pub async fn j30_portfolios_are_listed_in_order(rig: &dyn JournalRig) -> Check {
    let names = ["growth", "a-10", "a-9", "Zeta", "income", "a"];
    for name in names {
        Model::of(name)?.write(rig, 1, notes(0, 1)?).await?;
    }
    let mut removed = Model::of("b")?;
    removed.write(rig, 1, notes(0, 1)?).await?;
    removed.write(rig, 1, vec![super::samples::removed()]).await?;
    // Asking about a portfolio is not writing it.
    let refused = Model::of("refused")?;
    let late = evenkeel_ports::Commit { expected: Sequence::new(3), ..refused.next(1, notes(0, 1)?) };
    refused.conflict(rig, late, "there is no record yet").await?;
    let mut names: Vec<&str> = names.into_iter().chain(["b"]).collect();
    names.sort_unstable();
    let expected = names.iter().map(|name| own(name.parse())).collect::<Result<Vec<PortfolioId>, Stop>>()?;
    let listed = readable(rig.journal().portfolios().await)?;
    expect(listed == expected, &format!("the portfolios should be {expected:?}"), listed)
}

/// Writes 1,300 records of one portfolio, by turns with another's, 650 of them in one commit, and reads from both ends and the middle. Contract 7.
pub async fn j43_a_long_history_is_read_whole(rig: &dyn JournalRig) -> Check {
    let (mut growth, mut income) = (Model::of("growth")?, Model::of("income")?);
    for number in (0..650).step_by(10) {
        growth.write(rig, 1, notes(number, 10)?).await?;
        income.write(rig, 1, notes(number, 1)?).await?;
    }
    growth.write(rig, 1, notes(650, 650)?).await?;
    for after in [0, 1, 255, 256, 257, 649, 650, 651, 999, 1_000, 1_001, 1_299, 1_300] {
        let after = Sequence::new(after);
        growth.fits(&growth.read(rig, after).await?, after, "1,300 records were written")?;
    }
    income.check(rig, "1,300 records of another portfolio were written").await
}
