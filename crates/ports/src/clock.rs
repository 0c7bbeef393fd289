//! Time, as the engine knows it.
//!
//! Adapters: `ManualClock` in the memory crate; a service brings one that reads the machine's clock. Time never enters the core by another door.

use async_trait::async_trait;
use evenkeel_domain::values::Timestamp;

/// A clock that can be read and waited for.
///
/// # Contract
/// 1. [`now`](Clock::now) never goes back within one process, whatever the machine's clock does.
/// 2. [`sleep_until`](Clock::sleep_until) ends at or after `deadline` by this same clock: a `now` read afterwards is not before it.
///    A deadline that has passed ends at once.
///
/// **Cancellation**: dropping a sleep has no effect. **Not promised**: how much later than its deadline a sleep ends.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// Waits until `deadline`.
    async fn sleep_until(&self, deadline: Timestamp);
}
