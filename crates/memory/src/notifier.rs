//! A notifier that only remembers. The contract it keeps is in [`evenkeel_ports::Notifier`].
//!
//! It tells nobody: it is for replays, which print what was told, and for tests, which can make it fail.

#[cfg(test)]
mod tests;

use crate::lock;
use async_trait::async_trait;
use evenkeel_domain::alert::Alert;
use evenkeel_ports::{Notifier, NotifyError};
use std::sync::{Arc, Mutex};

/// Keeps every alert it is given, repeated ones included. Clones are the same notifier.
#[derive(Debug, Clone, Default)]
pub struct MemoryNotifier(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    alerts: Vec<Alert>,
    failures_left: usize,
}

impl MemoryNotifier {
    /// A notifier that was told nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What it was told, in order, each as often as it was told.
    #[must_use]
    pub fn alerts(&self) -> Vec<Alert> {
        lock(&self.0).alerts.clone()
    }

    /// The next `times` notifications fail, and are not kept; the ones after them succeed again.
    pub fn fail_next(&self, times: usize) {
        lock(&self.0).failures_left = times;
    }
}

#[async_trait]
impl Notifier for MemoryNotifier {
    async fn notify(&self, alert: &Alert) -> Result<(), NotifyError> {
        let mut state = lock(&self.0);
        if let Some(left) = state.failures_left.checked_sub(1) {
            state.failures_left = left;
            let message = "the notifier was told to fail".to_owned();
            return Err(NotifyError { portfolio: alert.portfolio.to_string(), message });
        }
        state.alerts.push(alert.clone());
        Ok(())
    }
}
