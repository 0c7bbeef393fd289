//! The rate limit: a bucket of tokens for each account, one for each request that is sent, refilled at a steady pace.
//!
//! What is turned away was not sent, and is told when there is room again. Questions are not limited: the engine paces them, and a real
//! adapter that is limited there answers `Unavailable`.

use evenkeel_domain::values::Timestamp;
use std::time::Duration;

/// How many requests an account may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// How many at once, after a long pause.
    pub burst: u32,
    /// The time in which one more may be sent.
    pub every: Duration,
}

/// What is left of an account's requests.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Bucket {
    /// When it would be full if nothing more were sent: tokens are kept as the time that they take to come back.
    full_at: Option<Timestamp>,
}

impl Bucket {
    /// Takes a token.
    ///
    /// # Errors
    /// How long until there is one.
    pub(crate) fn take(&mut self, now: Timestamp, limit: RateLimit) -> Result<(), Duration> {
        let full_at = self.full_at.map_or(now, |full_at| full_at.max(now));
        let missing = full_at.plus(limit.every).since(now);
        let room = limit.every.saturating_mul(limit.burst.max(1));
        if missing > room {
            return Err(missing.saturating_sub(room));
        }
        self.full_at = Some(full_at.plus(limit.every));
        Ok(())
    }
}
