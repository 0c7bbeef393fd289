//! The notifier: how a person is told. Adapters: `MemoryNotifier` in the memory crate; a service brings its own.
//!
//! The engine delivers what the journal's outbox holds; a notifier that fails is asked again later.

use async_trait::async_trait;
use evenkeel_domain::alert::Alert;

/// A way to reach a person.
///
/// # Contract
/// 1. `Ok` means that the alert left this process for good: it was shown, or somebody else has taken charge of it.
/// 2. The same alert may be given again, after a crash or an error. It is known by portfolio and sequence.
///
/// **Cancellation**: dropping the future may or may not have told the person. **Not promised**: any order.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Tells a person.
    ///
    /// # Errors
    /// [`NotifyError`]: the alert stays in the outbox, and is tried again.
    async fn notify(&self, alert: &Alert) -> Result<(), NotifyError>;
}

/// An alert that could not be delivered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("telling a person about {portfolio}: {message}")]
pub struct NotifyError {
    /// The portfolio the alert is about.
    pub portfolio: String,
    /// What is known of the cause.
    pub message: String,
}
