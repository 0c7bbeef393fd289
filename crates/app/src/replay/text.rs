//! A replay for people: a line for each thing that happened, a table of what the portfolios came to, and the sums.

use super::lines::{Line, PortfolioLine, RebalanceLine, SummaryLine, UnwoundLine};
use crate::output::Output;
use crate::records::SkippedRecord;
use crate::render::{Side, count, grouped, list, money, table};
use evenkeel_domain::values::Money;

/// One line of the story.
pub(crate) fn line(line: &Line) -> String {
    match line {
        Line::Rebalance(rebalance) => rebalanced(rebalance),
        Line::Finding(finding) => {
            let why = reasons(&finding.skipped);
            format!("{}  {}: drift {}, but nothing worth trading{why}\n", finding.at, finding.portfolio, finding.drift)
        }
        Line::Refused(refused) => format!("{}  {}: refused: {}\n", refused.at, refused.portfolio, refused.reason),
    }
}

fn rebalanced(line: &RebalanceLine) -> String {
    let RebalanceLine { at, portfolio, outcome, drift, trades, unwound, .. } = line;
    let moved = Money::sum(trades.iter().map(|trade| trade.amount)).map(money).unwrap_or_default();
    let did = match unwound {
        None => format!("{} for {moved}", count(trades.len(), "trade")),
        Some(UnwoundLine { cost, cause, residual, .. }) => {
            let left = residual.iter().map(|r| format!("{} {} off", r.quantity, r.symbol));
            let left = if residual.is_empty() { String::new() } else { format!("; {}", list(left)) };
            format!("cost {}: {cause}{left}", money(*cost))
        }
    };
    format!("{at}  {portfolio}: drift {drift}, {outcome}: {did}\n")
}

fn reasons(skipped: &[SkippedRecord]) -> String {
    if skipped.is_empty() {
        return String::new();
    }
    let reasons = skipped.iter().map(|skip| format!("{}: {}", skip.symbol, skip.reason));
    format!(" ({})", list(reasons))
}

/// What the portfolios came to.
pub(crate) fn table_of(portfolios: &[PortfolioLine], out: &Output) -> String {
    let rows = portfolios.iter().map(|p| {
        let [value, cash, turnover] =
            [p.value.clone(), p.cash.to_string(), p.turnover.to_string()].map(|n| grouped(&n));
        [p.portfolio.to_string(), p.status.to_owned(), p.rebalances.to_string(), value, cash, turnover]
    });
    let columns = [
        ("portfolio", Side::Left),
        ("status", Side::Left),
        ("rebalances", Side::Right),
        ("value", Side::Right),
        ("cash", Side::Right),
        ("turnover", Side::Right),
    ];
    table(columns, rows.collect(), out.is_terminal())
}

/// What the portfolios came to, and the sums.
pub(super) fn end(portfolios: &[PortfolioLine], summary: &SummaryLine, out: &Output) -> String {
    let table = table_of(portfolios, out);
    let SummaryLine { portfolios, waves, rebalances, restored, stale, rounded, .. } = summary;
    let mut counts = vec![format!("{rebalances} completed")];
    counts.extend((*restored > 0).then(|| format!("{restored} restored")));
    counts.extend(
        (*stale > 0).then(|| format!("{} stale: see evenkeel resolve", count(*stale, "portfolio is|portfolios are"))),
    );
    counts.extend((*rounded > 0).then(|| format!("{rounded} prices rounded to 9 decimals")));
    counts.extend(summary.interrupted.then(|| "interrupted".to_owned()));
    let (portfolios, waves) = (count(*portfolios, "portfolio"), count(*waves, "wave"));
    format!("\n{table}\n{portfolios} over {waves} in {:.2} s: {}\n", summary.elapsed_seconds, list(counts.into_iter()))
}
