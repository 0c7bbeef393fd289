//! The repair plan: what a way of resolving a portfolio would do, shown before it is done.

use evenkeel_domain::books::Books;
use evenkeel_domain::order::{BatchId, Side};
use evenkeel_domain::portfolio::{Portfolio, Standing, compare};
use evenkeel_domain::record::{Cause, Difference};
use evenkeel_engine::Resolve;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Where the portfolio stands, how its books and the broker differ, and what would be done. `lost` are batches that the broker has fills of and
/// the journal lacks, as far as that can be seen now; those that were seen when the portfolio was blocked count too.
pub(super) fn plan(state: &Portfolio, broker: &Books, lost: &[BatchId], how: Resolve) -> String {
    let mut text = format!("{} is {}\n", state.id, state.standing.name());
    let residual = state.stale_batch().and_then(|batch| batch.closing.as_ref());
    if let Some(closing) = residual {
        if let Some(cause) = &closing.cause {
            writeln!(text, "  because: {cause}").ok();
        }
        for residual in &closing.residual {
            writeln!(text, "  left over: {residual}").ok();
        }
        for order in &closing.unresolved {
            writeln!(text, "  unknown: what became of {order}; ask the broker, for it may still be executed").ok();
        }
    }
    let differences = compare(&state.books, broker);
    let lost: BTreeSet<BatchId> = seen_to_be_lost(state).chain(lost.iter().copied()).collect();
    match (differences.is_empty(), lost.is_empty()) {
        (true, true) => text.push_str("  books and broker agree\n"),
        (true, false) => text.push_str("  books and broker agree in cash and units, but\n"),
        (false, _) => {}
    }
    for difference in differences.iter().cloned().chain(lost.iter().map(|batch| Difference::Batch { batch: *batch })) {
        writeln!(text, "  {difference}").ok();
    }
    text.push_str("what would be done:\n");
    match how {
        Resolve::Accept => {
            accept(&mut text, &differences);
            if residual.is_some_and(|closing| !closing.unresolved.is_empty()) {
                text.push_str(
                    "  an order that is unknown and lives is not canceled: what it trades later comes as a late fill\n",
                );
            }
            if residual.is_some_and(|closing| !closing.residual.is_empty()) {
                text.push_str("  what is left over stays, until a rebalance finds it out of band\n");
            }
            accept_loss(&mut text, &lost);
        }
        Resolve::Retry | Resolve::Fixed if state.has_lost_batches() => text.push_str(
            "  nothing: what is left of the journal does not say what those batches traded; --accept is the only way\n",
        ),
        Resolve::Retry => retry(&mut text, state),
        Resolve::Fixed => {
            text.push_str("  nothing is traded; the broker must hold the units of before the batch, or it is refused\n")
        }
    }
    text
}

/// Why a portfolio cannot be resolved in this way, where that is plain from where it stands: then nobody is asked whether to do it.
pub(super) fn is_impossible(state: &Portfolio, how: Resolve) -> Option<&'static str> {
    match (&state.standing, how) {
        (Standing::Stale, _) | (Standing::Quarantined { .. }, Resolve::Accept) => None,
        (Standing::Quarantined { .. }, Resolve::Retry | Resolve::Fixed) => {
            Some("it is quarantined, not stale: there is no batch to try again or to have been fixed, only --accept")
        }
        (Standing::Absent | Standing::Active | Standing::Rebalancing, _) => {
            Some("it is neither stale nor quarantined: there is nothing to resolve")
        }
    }
}

/// The batches that the portfolio was blocked for, because the journal lacks them.
fn seen_to_be_lost(state: &Portfolio) -> impl Iterator<Item = BatchId> {
    let differences = match &state.standing {
        Standing::Quarantined { differences } => &differences[..],
        Standing::Absent | Standing::Active | Standing::Rebalancing | Standing::Stale => &[],
    };
    let quarantined = differences.iter().filter_map(|difference| match difference {
        Difference::Batch { batch } => Some(*batch),
        Difference::Cash { .. } | Difference::Units { .. } => None,
    });
    let cause = state.stale_batch().and_then(|batch| batch.closing.as_ref()).and_then(|closing| closing.cause.as_ref());
    let stale = match cause {
        Some(Cause::JournalLacks { batches }) => &batches[..],
        _ => &[],
    };
    quarantined.chain(stale.iter().copied())
}

/// What a person takes upon themselves who accepts although records are lost.
fn accept_loss(text: &mut String, lost: &BTreeSet<BatchId>) {
    for batch in lost {
        writeln!(text, "  batch {batch} stays lost: what it traded is in the broker's cash and units, and its records are in no journal").ok();
    }
    if !lost.is_empty() {
        text.push_str("  nothing of that is traded again, and no id of it is used again; find out first what it was: Damage in docs/runbook.md says how\n");
    }
}

fn accept(text: &mut String, differences: &[Difference]) {
    if differences.is_empty() {
        text.push_str("  nothing is traded; the books stay as they are, and the portfolio is active again\n");
    } else {
        text.push_str(
            "  nothing is traded; the broker's cash and units become the books, and the portfolio is active again\n",
        );
    }
}

/// One order for each residual, the other way.
fn retry(text: &mut String, state: &Portfolio) {
    let residual = state.stale_batch().and_then(|batch| batch.closing.as_ref()).map(|closing| &closing.residual);
    match residual {
        None => text.push_str("  nothing: there is no stale batch whose restoration could be tried again\n"),
        Some(residual) if residual.is_empty() => {
            text.push_str(
                "  what is unknown is asked about: what was executed, or still is, is traded back, and books and broker are compared again\n",
            )
        }
        Some(residual) => {
            for left in residual {
                let side = match left.side {
                    Side::Buy => Side::Sell,
                    Side::Sell => Side::Buy,
                };
                writeln!(text, "  {side} {} {}", left.quantity, left.symbol).ok();
            }
        }
    }
    if state.standing == Standing::Stale {
        text.push_str("  if that fails as well, it is stale again\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use evenkeel_domain::record::Difference;

    fn check(recorded: &[u128], found: &[u128], how: Resolve, expected: &str) {
        let mut state = Portfolio::new("growth".parse().unwrap());
        let differences =
            recorded.iter().map(|batch| Difference::Batch { batch: BatchId::from_u128(*batch) }).collect();
        state.standing = Standing::Quarantined { differences };
        let lost: Vec<BatchId> = found.iter().copied().map(BatchId::from_u128).collect();
        let told = plan(&state, &state.books, &lost, how).replace("00000000-0000-0000-0000-00000000000", "");
        assert_eq!(told, expected);
    }

    #[test]
    fn lost_batches_are_named_though_cash_and_units_agree_and_each_once() {
        let is = "growth is quarantined\n  books and broker agree in cash and units, but\n";
        let lacks = |batch: u8| format!("  the journal lacks batch {batch}, of which the broker has fills\n");
        let stays = |batch: u8| {
            format!(
                "  batch {batch} stays lost: what it traded is in the broker's cash and units, and its records are in no journal\n"
            )
        };
        let accept =
            "what would be done:\n  nothing is traded; the books stay as they are, and the portfolio is active again\n";
        let rest = "  nothing of that is traded again, and no id of it is used again; find out first what it was: Damage in docs/runbook.md says how\n";
        let expected = format!("{is}{}{}{accept}{}{}{rest}", lacks(7), lacks(8), stays(7), stays(8));
        check(&[7], &[7, 8], Resolve::Accept, &expected);
        check(&[7, 8], &[], Resolve::Accept, &expected);
        for how in [Resolve::Retry, Resolve::Fixed] {
            let nothing = "what would be done:\n  nothing: what is left of the journal does not say what those batches traded; --accept is the only way\n";
            check(&[7], &[], how, &format!("{is}{}{nothing}", lacks(7)));
        }
    }

    #[test]
    fn without_a_loss_nothing_is_said_of_one() {
        let expected = "growth is quarantined\n  books and broker agree\nwhat would be done:\n  nothing is traded; the books stay as they are, and the portfolio is active again\n";
        check(&[], &[], Resolve::Accept, expected);
    }
}
