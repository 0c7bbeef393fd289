//! What a person has halted is not written: contract 9.

use super::JournalRig;
use super::model::{Model, own, pending, readable};
use super::samples::{alert, closed, intended, note, opened, retried};
use crate::{Check, Stop, expect};
use evenkeel_domain::halt::{Halt, HaltMode, Release, Scope};
use evenkeel_domain::record::{Record, Stage};
use evenkeel_domain::values::{Sequence, Timestamp};
use evenkeel_ports::{Commit, CommitOutcome, Head};
use futures_util::future::{join, join_all};

const FORWARD: [Stage; 2] = [Stage::First, Stage::Second];
const BACK: [Stage; 2] = [Stage::UndoBuys, Stage::UndoSells];

fn halt_of(scope: Scope, mode: HaltMode) -> Halt {
    let (who, why) = ("ann".to_owned(), "the feed's \"prices\" are wrong".to_owned());
    Halt { scope, mode, who, why, at: Timestamp::from_nanos(1_700_000_000_123_456_789) }
}

/// The scopes that concern the samples: they are of the portfolio growth and trade META.
fn concerned() -> Result<[Scope; 3], Stop> {
    Ok([Scope::Everything, Scope::Portfolio(own("growth".parse())?), Scope::Symbol(own("META".parse())?)])
}

async fn halt(rig: &dyn JournalRig, halt: &Halt) -> Check {
    readable(rig.journal().halt(halt).await)
}

async fn release(rig: &dyn JournalRig, scope: &Scope) -> Result<bool, Stop> {
    let (who, why) = ("ann".to_owned(), "the feed is right again".to_owned());
    let release = Release { scope: scope.clone(), who, why, at: Timestamp::MAX };
    readable(rig.journal().release(&release).await)
}

/// The halts that stand must be exactly these.
async fn standing(rig: &dyn JournalRig, expected: &[Halt], when: &str) -> Check {
    let halts = readable(rig.journal().halts().await)?;
    expect(halts == expected, &format!("after {when}, these halts should stand: {expected:?}"), halts)
}

/// The commit must be refused for `halt`, and leave nothing behind.
async fn halted(rig: &dyn JournalRig, model: &Model, records: Vec<Record>, halt: &Halt) -> Check {
    let alerts = vec![alert(&model.portfolio, 1, "of a commit that is refused")];
    // Under a higher token: a commit that wrote nothing must not raise the fence either.
    let commit = Commit { alerts, ..model.next(9, records) };
    let outcome = rig.journal().commit(commit).await;
    let expected = CommitOutcome::Halted { halt: halt.clone() };
    expect(outcome == expected, &format!("the commit should be answered {expected:?}"), outcome)?;
    model.check(rig, "a commit was refused for a halt").await?;
    pending(rig, &[], "a commit was refused for a halt").await
}

/// Freezes everything, the portfolio and a symbol by turns, and commits openings and orders of all four stages, alone and among notes; and
/// commits that are refused for another reason first; while a halt of another portfolio stands, which comes first. Contract 9.
pub async fn j37_a_halt_refuses_openings_and_orders(rig: &dyn JournalRig) -> Check {
    let mut model = Model::of("growth")?;
    model.write(rig, 1, vec![note(0)?]).await?;
    halt(rig, &halt_of(Scope::Portfolio(own("another".parse())?), HaltMode::Freeze)).await?;
    for scope in concerned()? {
        let frozen = halt_of(scope, HaltMode::Freeze);
        halt(rig, &frozen).await?;
        for records in [vec![opened()?], vec![note(1)?, opened()?, note(2)?]] {
            halted(rig, &model, records, &frozen).await?;
        }
        for stage in FORWARD.into_iter().chain(BACK) {
            halted(rig, &model, vec![intended(stage)?], &frozen).await?;
            halted(rig, &model, vec![note(1)?, intended(stage)?, note(2)?], &frozen).await?;
        }
        // Who is behind must learn that first: the halt is no business of a former owner.
        let behind = Commit { expected: Sequence::ZERO, ..model.next(1, vec![opened()?]) };
        model.conflict(rig, behind, "it is behind, whatever is halted").await?;
        model.fenced(rig, model.next(0, vec![opened()?]), "its token is old, whatever is halted").await?;
        release(rig, &frozen.scope).await?;
    }
    Ok(())
}

/// Freezes another portfolio and another symbol, and commits an opening with orders; then freezes everything, and commits what sends
/// nothing. Contract 9.
pub async fn j38_a_halt_is_about_its_scope_alone(rig: &dyn JournalRig) -> Check {
    for scope in [Scope::Portfolio(own("income".parse())?), Scope::Symbol(own("BRK.B".parse())?)] {
        halt(rig, &halt_of(scope, HaltMode::Freeze)).await?;
    }
    let mut model = Model::of("growth")?;
    model.write(rig, 1, vec![opened()?, intended(Stage::First)?]).await?;
    halt(rig, &halt_of(Scope::Everything, HaltMode::Freeze)).await?;
    model.write(rig, 1, vec![note(0)?, closed()?]).await?;
    model.write(rig, 1, vec![retried()]).await?;
    model.check(rig, "nothing of it sends anything").await
}

/// Unwinds everything, the portfolio and a symbol by turns, and commits orders of all four stages. Contract 9.
pub async fn j39_unwinding_lets_orders_go_back(rig: &dyn JournalRig) -> Check {
    let mut model = Model::of("growth")?;
    model.write(rig, 1, vec![opened()?]).await?;
    for scope in concerned()? {
        let unwinding = halt_of(scope, HaltMode::Unwind);
        halt(rig, &unwinding).await?;
        for stage in FORWARD {
            halted(rig, &model, vec![intended(stage)?], &unwinding).await?;
            halted(rig, &model, vec![intended(BACK[0])?, intended(stage)?], &unwinding).await?;
        }
        for stage in BACK {
            model.write(rig, 1, vec![intended(stage)?]).await?;
        }
        release(rig, &unwinding.scope).await?;
    }
    model.check(rig, "orders on the way back were written").await
}

/// Halts three scopes, each twice and one again in another mode, and releases each twice. Contract 9.
pub async fn j40_a_halt_stands_until_it_is_released(rig: &dyn JournalRig) -> Check {
    standing(rig, &[], "nothing").await?;
    let halts = concerned()?.map(|scope| halt_of(scope, HaltMode::Freeze));
    for given in halts.iter().rev() {
        halt(rig, given).await?;
        halt(rig, given).await?;
    }
    standing(rig, &halts, "each was given twice, in another order").await?;
    let [all, portfolio, symbol] = halts;
    let portfolio = Halt { mode: HaltMode::Unwind, who: "bob".to_owned(), ..portfolio };
    halt(rig, &portfolio).await?;
    standing(rig, &[all.clone(), portfolio.clone(), symbol.clone()], "one was given again in another mode").await?;
    let mut model = Model::of("growth")?;
    for (released, left) in
        [(&all, vec![portfolio.clone(), symbol.clone()]), (&portfolio, vec![symbol.clone()]), (&symbol, vec![])]
    {
        let outcome = rig.journal().commit(model.next(1, vec![opened()?])).await;
        expect(matches!(outcome, CommitOutcome::Halted { .. }), "an opening should be refused", outcome)?;
        for was_there in [true, false] {
            let answer = release(rig, &released.scope).await?;
            expect(answer == was_there, &format!("releasing {} should say {was_there}", released.scope), answer)?;
        }
        standing(rig, &left, "one was released").await?;
    }
    model.write(rig, 1, vec![opened()?, intended(Stage::First)?]).await?;
    model.check(rig, "all were released").await
}

/// Halts everything while sixteen portfolios open a batch, compares their heads once it is answered and at last, and commits orders to
/// each. Contract 9.
pub async fn j41_nothing_slips_past_a_halt(rig: &dyn JournalRig) -> Check {
    let frozen = halt_of(Scope::Everything, HaltMode::Freeze);
    let journal = rig.journal();
    let models = (0..16).map(|number| Model::of(&format!("portfolio-{number}"))).collect::<Result<Vec<_>, Stop>>()?;
    let commits = models.iter().map(|model| Ok(model.next(1, vec![opened()?]))).collect::<Result<Vec<_>, Stop>>()?;
    let opening = join_all(commits.into_iter().map(|commit| journal.commit(commit)));
    let halting = async {
        halt(rig, &frozen).await?;
        heads(rig, &models).await
    };
    let (outcomes, once_halted) = join(opening, halting).await;
    for outcome in outcomes {
        let known = matches!(outcome, CommitOutcome::Committed | CommitOutcome::Halted { .. });
        expect(known, "a commit at once with a halt is written or halted", outcome)?;
    }
    let (once_halted, at_last) = (once_halted?, heads(rig, &models).await?);
    let promise = "after the halt was answered, no head should move: what it forbids is written before, or never";
    expect(at_last == once_halted, &format!("{promise}; they were {once_halted:?}"), &at_last)?;
    for (model, head) in models.iter().zip(at_last) {
        let commit = Commit { expected: head.sequence, ..model.next(1, vec![intended(Stage::First)?]) };
        let outcome = journal.commit(commit).await;
        let promise = format!("orders of {} should be halted", model.portfolio);
        expect(outcome == CommitOutcome::Halted { halt: frozen.clone() }, &promise, outcome)?;
    }
    expect(heads(rig, &models).await? == once_halted, "a halted commit should leave the head where it was", ())
}

async fn heads(rig: &dyn JournalRig, models: &[Model]) -> Result<Vec<Head>, Stop> {
    let journal = rig.journal();
    let heads = join_all(models.iter().map(|model| journal.head(&model.portfolio))).await;
    heads.into_iter().map(readable).collect()
}

/// Halts three scopes, releases one, restarts, and commits an opening. Contract 9.
pub async fn j42_halts_survive_a_restart(rig: &dyn JournalRig) -> Check {
    let halts = concerned()?.map(|scope| halt_of(scope, HaltMode::Unwind));
    for given in &halts {
        halt(rig, given).await?;
    }
    release(rig, &Scope::Everything).await?;
    rig.restart()?;
    standing(rig, &halts[1..], "a restart").await?;
    let model = Model::of("growth")?;
    let outcome = rig.journal().commit(model.next(1, vec![opened()?])).await;
    expect(matches!(outcome, CommitOutcome::Halted { .. }), "an opening should be refused after a restart", outcome)
}
