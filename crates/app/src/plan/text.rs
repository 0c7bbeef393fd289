//! Plans for people: what is out of band, what would be traded, and why everything else is left alone.

use super::Preview;
use crate::output::Output;
use crate::portfolios::LoadedPortfolio;
use crate::render::{Side, count, grouped, list, money, money_of, price, table};
use evenkeel_domain::allocation::Target;
use evenkeel_domain::plan::{Leg, Plan, PlanError, Stages, WeightRow};
use evenkeel_domain::policy::Measure;
use std::fmt::Write as _;

/// How many portfolios came to what.
#[derive(Debug, Default)]
pub(super) struct Tally {
    traded: usize,
    left: usize,
    inside: usize,
    refused: usize,
}

impl Tally {
    pub(super) fn count(&mut self, preview: &Result<Preview<'_>, PlanError>) {
        let counter = match preview {
            Ok(preview) if !preview.plan.legs.is_empty() => &mut self.traded,
            Ok(preview) if preview.plan.assessment.is_out_of_band() => &mut self.left,
            Ok(_) => &mut self.inside,
            Err(_) => &mut self.refused,
        };
        *counter = counter.saturating_add(1);
    }

    /// The last line.
    pub(super) fn line(&self, at: &str) -> String {
        let Self { traded, left, inside, refused } = *self;
        let all = traded.saturating_add(left).saturating_add(inside).saturating_add(refused);
        let counts = [
            (traded, "to rebalance"),
            (left, "out of band with nothing to trade"),
            (inside, "inside the band"),
            (refused, "refused"),
        ];
        let counts = counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
        format!("{} at the prices of {at}: {}\n", count(all, "portfolio"), list(counts))
    }
}

/// One portfolio, with a blank line behind it.
pub(super) fn one(portfolio: &LoadedPortfolio, preview: &Result<Preview<'_>, PlanError>, out: &Output) -> String {
    let id = out.heading(&portfolio.id);
    match preview {
        Err(error) => format!("{id}: refused: {error}\n\n"),
        Ok(preview) => {
            format!("{id}: {}\n{}\n{}{}\n", verdict(preview), worth(preview), rows(preview, out), proof(preview))
        }
    }
}

fn verdict(preview: &Preview<'_>) -> String {
    let Plan { assessment, legs, .. } = &preview.plan;
    match (assessment.is_out_of_band(), legs.len()) {
        (false, _) => "inside its band, nothing to do".to_owned(),
        (true, 0) => "out of band with nothing to trade".to_owned(),
        (true, trades) => format!("out of band, {}", count(trades, "trade")),
    }
}

fn worth(preview: &Preview<'_>) -> String {
    let Plan { assessment, currency, valuation, .. } = &preview.plan;
    let mut text = format!(
        "worth {}; drift {} {}",
        money_of(preview.value, *currency),
        grouped(&assessment.drift.to_string()),
        band(&preview.portfolio.definition.policy.measure),
    );
    if !valuation.held_back.is_zero() {
        // Writing to a string cannot fail.
        write!(text, "; {} of cash are never invested", money_of(valuation.held_back, *currency)).ok();
    }
    text
}

/// What the drift is counted in, and the band.
fn band(measure: &Measure) -> String {
    match measure {
        Measure::Relative { band } => format!("% of a target, band {} %", band.width()),
        Measure::Absolute { band } => format!("points, band {} points", band.width()),
        Measure::Hybrid { relative, absolute } => {
            format!("points, band {} % of a target, or {} points if that is more", relative.width(), absolute.width())
        }
        Measure::Tighter { relative, absolute } => {
            format!("points, band {} % of a target, or {} points if that is less", relative.width(), absolute.width())
        }
        Measure::Total { band } => format!("points in total, band {} points", band.width()),
    }
}

fn rows(preview: &Preview<'_>, out: &Output) -> String {
    let rows = preview.weights.iter().map(|row| (row, leg_of(&preview.plan, row.target)));
    let weight = [("symbol", Side::Left), ("weight %", Side::Right), ("target %", Side::Right)];
    if preview.plan.legs.is_empty() {
        let [symbol, before, goal] = weight;
        let rows = rows.map(|(row, leg)| {
            [row.target.to_string(), row.before.to_string(), row.goal.to_string(), why(preview, row, leg)]
        });
        return table([symbol, before, goal, ("why", Side::Left)], rows.collect(), out.is_terminal());
    }
    let rows = rows.map(|(row, leg)| {
        let trade = leg.map(|Leg { terms, amount, .. }| {
            let quantity = grouped(&terms.quantity.to_string());
            [terms.side.to_string(), quantity, price(terms.reference), money(*amount)]
        });
        let [side, quantity, price, amount] = trade.unwrap_or_default();
        let [before, goal, after] = [row.before, row.goal, row.after].map(|weight| weight.to_string());
        [row.target.to_string(), before, goal, after, side, quantity, price, amount, why(preview, row, leg)]
    });
    let [symbol, before, goal] = weight;
    let columns = [
        symbol,
        before,
        goal,
        ("after %", Side::Right),
        ("trade", Side::Left),
        ("quantity", Side::Right),
        ("price", Side::Right),
        ("amount", Side::Right),
        ("why", Side::Left),
    ];
    table(columns, rows.collect(), out.is_terminal())
}

/// The leg that trades it, if one does.
pub(crate) fn leg_of(plan: &Plan, target: Target) -> Option<&Leg> {
    plan.legs.iter().find(|leg| Target::Symbol(leg.terms.symbol) == target)
}

/// Why something is traded, or why it is left alone.
fn why(preview: &Preview<'_>, row: &WeightRow, leg: Option<&Leg>) -> String {
    let Plan { assessment, .. } = &preview.plan;
    let left = preview.left.iter().find(|left| Target::Symbol(left.symbol) == row.target);
    let breach = assessment.breaches.iter().find(|breach| breach.target == row.target);
    let finding = match breach {
        Some(breach) if breach.untargeted => "no target",
        Some(_) => "out of band",
        None if leg.is_some() && assessment.total_breached => "the total is out of band",
        None if leg.is_some() => "along with the others",
        None if left.is_some() || row.target == Target::Cash => "",
        None if !assessment.is_out_of_band() => "inside the band",
        None => "at its target",
    };
    let consequence = match (leg, left) {
        (Some(leg), _) if leg.shrunk => "shrunk to the cash there is".to_owned(),
        (None, Some(left)) => format!("left alone: {}", left.reason),
        (Some(_), _) | (None, None) => String::new(),
    };
    let parts = [finding, &consequence].into_iter().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("; ")
}

/// What the certificate says of the trades.
fn proof(preview: &Preview<'_>) -> String {
    let Plan { legs, turnover, cost, currency, stages, certificate, .. } = &preview.plan;
    if legs.is_empty() {
        return String::new();
    }
    let stages = match stages {
        Stages::Together => "all at once",
        Stages::SellsFirst => "sells first, then buys",
    };
    let restoration = if certificate.restorable {
        "a full restoration is paid for".to_owned()
    } else {
        format!("a full restoration may lack {}", money_of(certificate.shortfall, *currency))
    };
    format!(
        "{stages}: turnover {}, cost at most {}, cash never below {}; {restoration}\n",
        money_of(*turnover, *currency),
        money_of(*cost, *currency),
        money_of(certificate.lowest_cash, *currency),
    )
}
