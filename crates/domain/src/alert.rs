//! Alerts: what a person must be told, derived from the records that make it so.
//!
//! They are committed together with those records, so an alert exists if and only if its reason does. Delivering them is
//! the business of the outbox (ports: `Journal`) and of the notifier.

use crate::order::BatchId;
use crate::portfolio::Portfolio;
use crate::record::{Event, Outcome, Record};
use crate::values::{PortfolioId, Sequence, Timestamp};
use std::fmt;

/// Something that a person must be told.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Alert {
    /// The portfolio it is about.
    pub portfolio: PortfolioId,
    /// The sequence of the record that makes it so: with the portfolio, what a repeated delivery is recognised by.
    pub sequence: Sequence,
    /// When it became so.
    pub at: Timestamp,
    /// What kind of alert it is.
    pub kind: AlertKind,
    /// The batch it is about, if any.
    pub batch: Option<BatchId>,
    /// What happened, and what to do, in one line.
    pub text: String,
}

/// The kinds of alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum AlertKind {
    /// A portfolio went stale: it is blocked until a person resolves it.
    Stale,
    /// Books and broker disagree: it is blocked until they agree.
    Quarantined,
    /// An order of a closed batch executed after all.
    LateFill,
}

impl fmt::Display for AlertKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Stale => "stale",
            Self::Quarantined => "quarantined",
            Self::LateFill => "late fill",
        })
    }
}

/// The alerts that `records` make necessary, where `before` is the portfolio they are about to be applied to.
#[must_use]
pub fn alerts(before: &Portfolio, records: &[Record]) -> Vec<Alert> {
    let mut sequence = before.sequence;
    let mut alerts = Vec::new();
    for record in records {
        sequence = sequence.next().unwrap_or(sequence);
        let Some((kind, text)) = alert(&record.event) else { continue };
        let batch = batch_of(before, &record.event);
        alerts.push(Alert { portfolio: before.id.clone(), sequence, at: record.at, kind, batch, text });
    }
    alerts
}

fn alert(event: &Event) -> Option<(AlertKind, String)> {
    match event {
        Event::Closed(closing) if closing.outcome == Outcome::Stale => {
            let cause = closing.cause.as_ref().map_or_else(|| "unknown".to_owned(), ToString::to_string);
            let residual = closing.residual.iter().map(ToString::to_string);
            let unresolved = closing.unresolved.iter().map(|order| format!("{order} unresolved"));
            let what: Vec<String> = residual.chain(unresolved).collect();
            let what = if what.is_empty() { String::new() } else { format!(" ({})", what.join(", ")) };
            Some((
                AlertKind::Stale,
                format!(
                    "stale: {cause}{what}; resolve it: accept the broker's books, have the restoration tried again, or confirm that it was made by hand"
                ),
            ))
        }
        Event::Quarantined { differences } => {
            let differences: Vec<String> = differences.iter().map(ToString::to_string).collect();
            let text = format!("quarantined: {}; no batch until books and broker agree", differences.join(", "));
            Some((AlertKind::Quarantined, text))
        }
        Event::LateFill { fill, .. } => {
            let (side, symbol, price) = (fill.side, fill.symbol, fill.fill.price);
            let text = format!(
                "late fill: {side} {} {symbol} at {price} after its batch was closed; booked",
                fill.fill.quantity
            );
            Some((AlertKind::LateFill, text))
        }
        Event::Added { .. }
        | Event::Changed { .. }
        | Event::Removed
        | Event::CashMoved { .. }
        | Event::Released
        | Event::Resolved { .. }
        | Event::Retried { .. }
        | Event::Opened(_)
        | Event::TakenOver { .. }
        | Event::Intended { .. }
        | Event::Order { .. }
        | Event::Unwinding { .. }
        | Event::Settling { .. }
        | Event::Closed(_)
        | Event::Folded(_) => None,
    }
}

fn batch_of(before: &Portfolio, event: &Event) -> Option<BatchId> {
    if let Event::LateFill { fill, .. } = event {
        return fill.order.map(|order| order.batch);
    }
    before.batch.as_ref().map(|batch| batch.id)
}

#[cfg(test)]
mod tests;
