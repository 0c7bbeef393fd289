//! A replay for people: a line for each thing that happened, a table of what the portfolios came to, and the sums.

use super::lines::{Line, PortfolioLine, RebalanceLine, SummaryLine, UnwoundLine};
use super::sums::{Amount, Sums};
use crate::args::Records;
use crate::output::Output;
use crate::portfolios::tried::Tried;
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
        let [value, cash, turnover, fees, cost] =
            [p.value, p.cash.into(), p.turnover.into(), p.fees.into(), p.cost].map(amount);
        [p.portfolio.to_string(), p.status.to_owned(), p.rebalances.to_string(), value, cash, turnover, fees, cost]
    });
    let columns = [
        ("portfolio", Side::Left),
        ("status", Side::Left),
        ("rebalances", Side::Right),
        ("value", Side::Right),
        ("cash", Side::Right),
        ("turnover", Side::Right),
        ("fees", Side::Right),
        ("cost", Side::Right),
    ];
    table(columns, rows.collect(), out.is_terminal())
}

/// What the portfolios came to, as far as it is wanted, and the sums.
pub(super) fn end(records: Records, portfolios: &[PortfolioLine], summary: &SummaryLine, out: &Output) -> String {
    let mut text = match records {
        Records::All => format!("\n{}\n{}", table_of(portfolios, out), counted(summary)),
        Records::Portfolios => format!("{}\n{}", table_of(portfolios, out), counted(summary)),
        // What says that the sums are not what they seem is said nevertheless.
        Records::Summary if summary.interrupted || summary.rounded > 0 => counted(summary),
        Records::Summary => String::new(),
    };
    for sums in &summary.currencies {
        text.push_str(&summed(sums, summary.policy));
    }
    text
}

/// How many of everything there were.
fn counted(summary: &SummaryLine) -> String {
    let SummaryLine { portfolios, waves, rebalances, restored, stale, rounded, .. } = summary;
    let mut counts = vec![format!("{rebalances} completed")];
    counts.extend((*restored > 0).then(|| format!("{restored} restored")));
    counts.extend(
        (*stale > 0).then(|| format!("{} stale: see evenkeel resolve", count(*stale, "portfolio is|portfolios are"))),
    );
    let rounded = usize::try_from(*rounded).unwrap_or(usize::MAX);
    counts.extend((rounded > 0).then(|| format!("{} rounded to 9 decimals", count(rounded, "price"))));
    counts.extend(summary.interrupted.then(|| "interrupted".to_owned()));
    let (portfolios, waves) = (count(*portfolios, "portfolio"), count(*waves, "wave"));
    format!("{portfolios} over {waves} in {:.2} s: {}\n", summary.elapsed_seconds, list(counts.into_iter()))
}

/// The portfolios of one currency, in columns that stand below those of another replay.
fn summed(sums: &Sums, policy: Option<Tried>) -> String {
    let Sums { currency, value, turnover, fees, cost, rebalances, restored, stale, .. } = sums;
    let tried = policy.map(|tried| format!("{tried}: ")).unwrap_or_default();
    let [value, turnover, fees, cost] = [*value, *turnover, *fees, *cost].map(amount);
    let mut counts = vec![format!("{rebalances:>5} completed")];
    counts.extend((*restored > 0).then(|| format!("{restored} restored")));
    counts.extend((*stale > 0).then(|| format!("{stale} stale")));
    let counts = list(counts);
    format!(
        "{tried}{currency} value {value:>14}, turnover {turnover:>14}, fees {fees:>10}, cost {cost:>10}; {counts}\n"
    )
}

fn amount(amount: Amount) -> String {
    grouped(&amount.to_string())
}
