//! How long something took, for people. No decision reads it: time that decides comes from the clock port.

use std::time::{Duration, Instant};

/// Measures from when it was started.
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "reported, never decided on")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
