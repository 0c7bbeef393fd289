//! What the tests of this crate share: names, times in seconds, and a way to call an asynchronous method.

use crate::ManualClock;
use evenkeel_domain::alert::{Alert, AlertKind};
use evenkeel_domain::values::{OwnerId, PortfolioId, Sequence, Timestamp};
use std::future::Future;
use std::time::Duration;

/// So many seconds after the start of every test.
pub(crate) fn at(secs: u64) -> Timestamp {
    Timestamp::EPOCH.plus(seconds(secs))
}

pub(crate) const fn seconds(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

pub(crate) fn portfolio(id: &str) -> PortfolioId {
    PortfolioId::new(id).unwrap()
}

pub(crate) fn owner(id: &str) -> OwnerId {
    OwnerId::new(id).unwrap()
}

pub(crate) fn alert(about: &str, sequence: u64) -> Alert {
    let (portfolio, text) = (portfolio(about), format!("{about} {sequence}"));
    Alert { portfolio, sequence: Sequence::new(sequence), at: at(sequence), kind: AlertKind::Stale, batch: None, text }
}

/// The result of something that does not wait.
pub(crate) fn ready<T>(future: impl Future<Output = T>) -> T {
    ManualClock::new(Timestamp::EPOCH).run(future).unwrap()
}
