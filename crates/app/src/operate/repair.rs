//! The repair plan: what a way of resolving a portfolio would do, shown before it is done.

use evenkeel_domain::books::Books;
use evenkeel_domain::order::Side;
use evenkeel_domain::portfolio::{Portfolio, Standing, compare};
use evenkeel_engine::Resolve;
use std::fmt::Write as _;

/// Where the portfolio stands, how its books and the broker differ, and what would be done.
pub(super) fn plan(state: &Portfolio, broker: &Books, how: Resolve) -> String {
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
            writeln!(text, "  unknown: what became of {order}").ok();
        }
    }
    let differences = compare(&state.books, broker);
    if differences.is_empty() {
        text.push_str("  books and broker agree\n");
    }
    for difference in &differences {
        writeln!(text, "  {difference}").ok();
    }
    text.push_str("what would be done:\n");
    match how {
        Resolve::Accept => accept(&mut text, &differences.iter().map(ToString::to_string).collect::<Vec<_>>()),
        Resolve::Retry => retry(&mut text, state),
        Resolve::Fixed => {
            text.push_str("  nothing is traded; the broker must hold the units of before the batch, or it is refused\n")
        }
    }
    text
}

fn accept(text: &mut String, differences: &[String]) {
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
            text.push_str("  books and broker are compared again, and what is unknown is asked about\n")
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
