//! The command `status`: where every portfolio of a store stands, and what needs a person.

use crate::args::{Format, StatusArgs};
use crate::exit::{Failure, Outcome};
use crate::output::Output;
use crate::render::{Side, count, list, table};
use crate::store::{self, not_read};
use crate::wiring::{self, LeaseStatus, PortfolioStatus};
use evenkeel_domain::alert::Alert;
use evenkeel_domain::halt::Halt;
use evenkeel_domain::values::{PortfolioId, Timestamp};
use serde::Serialize;

/// What of a store is shown.
struct Shown {
    portfolios: Vec<PortfolioStatus>,
    alerts: Vec<Alert>,
    halts: Vec<Halt>,
    now: Timestamp,
}

/// Shows it. Exits with 1 if a portfolio is stale or quarantined, or an alert has not been delivered.
///
/// # Errors
/// [`Failure`] if there is no such store or portfolio, or the store cannot be read.
pub(crate) fn run(args: &StatusArgs, out: &mut Output) -> Result<Outcome, Failure> {
    let path = &args.store.store;
    let reader = store::look(path)?;
    let mut portfolios = reader.portfolios().map_err(|error| not_read(path, error))?;
    let mut alerts = reader.pending_alerts().map_err(|error| not_read(path, error))?;
    let halts = reader.halts().map_err(|error| not_read(path, error))?;
    if let Some(only) = &args.portfolio {
        portfolios.retain(|status| status.portfolio == *only);
        alerts.retain(|alert| alert.portfolio == *only);
        if portfolios.is_empty() {
            return Err(no_such_portfolio(path, only));
        }
    }
    let shown = Shown { portfolios, alerts, halts, now: wiring::now() };
    match args.format {
        Format::Text => out.text(text(&shown, out))?,
        Format::Json => records(&shown, out)?,
    }
    out.flush()?;
    Ok(if shown.needs_a_person() { Outcome::NeedsPerson } else { Outcome::Done })
}

/// There is no such portfolio in the store.
pub(crate) fn no_such_portfolio(path: &std::path::Path, portfolio: &PortfolioId) -> Failure {
    let problem = format!("there is no portfolio {portfolio} in it");
    let fault = crate::faults::Fault::new(problem, "evenkeel status shows which there are");
    crate::faults::FileFaults::of(path.display().to_string(), fault).into()
}

impl Shown {
    fn needs_a_person(&self) -> bool {
        let needs = |status: &PortfolioStatus| is_blocked(&status.standing) || status.newer.is_some();
        !self.alerts.is_empty() || self.portfolios.iter().any(needs)
    }
}

fn is_blocked(standing: &str) -> bool {
    matches!(standing, "stale" | "quarantined")
}

fn text(shown: &Shown, out: &Output) -> String {
    let mut parts = Vec::new();
    if !shown.portfolios.is_empty() {
        let columns = [
            ("portfolio", Side::Left),
            ("standing", Side::Left),
            ("records", Side::Right),
            ("last change", Side::Left),
            ("open batch", Side::Left),
            ("lease", Side::Left),
        ];
        parts.push(table(
            columns,
            shown.portfolios.iter().map(|status| row(status, shown.now)).collect(),
            out.is_terminal(),
        ));
    }
    if !shown.halts.is_empty() {
        let halts: Vec<String> = shown.halts.iter().map(|halt| format!("  {halt}\n")).collect();
        parts.push(format!("{}\n{}", out.heading("Halted"), halts.concat()));
    }
    let newer: Vec<String> = shown.portfolios.iter().filter_map(newer).collect();
    if !newer.is_empty() {
        parts.push(format!("{}\n{}", out.heading("Written by a newer version of the program"), newer.concat()));
    }
    if !shown.alerts.is_empty() {
        let alerts = shown.alerts.iter().map(|alert| {
            let Alert { portfolio, sequence, at, text, .. } = alert;
            format!("  {at} {portfolio} (record {sequence}): {text}\n")
        });
        parts.push(format!("{}\n{}", out.heading("Alerts nobody has acknowledged"), alerts.collect::<String>()));
    }
    parts.push(format!("{}\n", summary(shown)));
    parts.join("\n")
}

fn newer(status: &PortfolioStatus) -> Option<String> {
    let PortfolioStatus { portfolio, head, newer, .. } = status;
    let left = "this program leaves the portfolio to the one that wrote it, or to a newer one";
    newer.map(|version| format!("  {portfolio}: record {} is of version {version}; {left}\n", head.sequence))
}

fn row(status: &PortfolioStatus, now: Timestamp) -> [String; 6] {
    [
        status.portfolio.to_string(),
        status.standing.clone(),
        status.head.sequence.to_string(),
        status.changed_at.to_string(),
        status.open_batch.map(|batch| batch.to_string()).unwrap_or_default(),
        status.lease.as_ref().map(|held| lease(held, status.open_batch.is_some(), now)).unwrap_or_default(),
    ]
}

/// Leases on a file go by the wall clock. One that has run out is nobody's any more, though its process may still run, or sleep.
fn lease(lease: &LeaseStatus, batch_open: bool, now: Timestamp) -> String {
    let LeaseStatus { holder, token, until, ended, .. } = lease;
    if *ended {
        return format!("free: {holder} has ended");
    }
    if now < *until {
        return format!("{holder} until {until} (token {token})");
    }
    let then = if batch_open { "will be taken over by recover" } else { "free for whoever comes next" };
    format!("{holder} lapsed at {until} (token {token}): {then}")
}

/// How many portfolios stand where, and what to do next.
fn summary(shown: &Shown) -> String {
    let standings = ["active", "rebalancing", "stale", "quarantined", "absent"];
    let counted = standings.map(|name| (shown.portfolios.iter().filter(|s| s.standing == name).count(), name));
    let counted =
        counted.into_iter().filter(|(number, _)| *number > 0).map(|(number, name)| format!("{number} {name}"));
    let all = count(shown.portfolios.len(), "portfolio");
    let next = if shown.needs_a_person() { ". Something needs a person: docs/runbook.md says what to do" } else { "" };
    let colon = if shown.portfolios.is_empty() { "" } else { ": " };
    format!("{all}{colon}{}{next}", list(counted))
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'a> {
    Portfolio(PortfolioLine<'a>),
    Halt(&'a Halt),
    Alert(&'a Alert),
    Summary { portfolios: usize, open_batches: usize, stale: usize, quarantined: usize, alerts: usize, halts: usize },
}

#[derive(Serialize)]
struct PortfolioLine<'a> {
    portfolio: &'a PortfolioId,
    standing: &'a str,
    records: u64,
    token: u64,
    changed_at: String,
    open_batch: Option<String>,
    lease: Option<LeaseLine<'a>>,
    /// The version of its last record, if this program does not read it.
    newer: Option<u32>,
}

#[derive(Serialize)]
struct LeaseLine<'a> {
    holder: &'a str,
    token: u64,
    granted_at: String,
    until: String,
    ended: bool,
    /// True if it has run out, whether or not its process has ended.
    lapsed: bool,
}

fn records(shown: &Shown, out: &mut Output) -> Result<(), Failure> {
    for status in &shown.portfolios {
        let lease = status.lease.as_ref().map(|lease| LeaseLine {
            holder: &lease.holder,
            token: lease.token.get(),
            granted_at: lease.granted_at.to_string(),
            until: lease.until.to_string(),
            ended: lease.ended,
            lapsed: lease.until <= shown.now,
        });
        out.json(&Line::Portfolio(PortfolioLine {
            portfolio: &status.portfolio,
            standing: &status.standing,
            records: status.head.sequence.get(),
            token: status.head.token.get(),
            changed_at: status.changed_at.to_string(),
            open_batch: status.open_batch.map(|batch| batch.to_string()),
            lease,
            newer: status.newer,
        }))?;
    }
    shown.halts.iter().try_for_each(|halt| out.json(&Line::Halt(halt)))?;
    shown.alerts.iter().try_for_each(|alert| out.json(&Line::Alert(alert)))?;
    let standing = |name: &str| shown.portfolios.iter().filter(|status| status.standing == name).count();
    out.json(&Line::Summary {
        portfolios: shown.portfolios.len(),
        open_batches: shown.portfolios.iter().filter(|status| status.open_batch.is_some()).count(),
        stale: standing("stale"),
        quarantined: standing("quarantined"),
        alerts: shown.alerts.len(),
        halts: shown.halts.len(),
    })
}
