//! The outbox: alerts that were committed and not yet acknowledged, in the order of their commits.

use evenkeel_domain::alert::Alert;
use evenkeel_domain::values::{PortfolioId, Sequence};
use std::collections::BTreeMap;

/// Alerts by the order they came in. What was delivered stays known, so that it never becomes pending again.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    pending: BTreeMap<usize, Alert>,
    known: BTreeMap<(PortfolioId, Sequence), usize>,
}

impl Outbox {
    /// Takes alerts in, except those that are known already.
    pub(super) fn put(&mut self, alerts: Vec<Alert>) {
        for alert in alerts {
            let place = self.known.len();
            let key = (alert.portfolio.clone(), alert.sequence);
            if *self.known.entry(key).or_insert(place) == place {
                self.pending.insert(place, alert);
            }
        }
    }

    /// The oldest pending alerts, at most `limit`.
    pub(super) fn pending(&self, limit: usize) -> Vec<Alert> {
        self.pending.values().take(limit).cloned().collect()
    }

    /// Marks an alert as delivered.
    pub(super) fn acknowledge(&mut self, alert: &Alert) {
        let key = (alert.portfolio.clone(), alert.sequence);
        if let Some(place) = self.known.get(&key) {
            self.pending.remove(place);
        }
    }
}
