//! Sessions: when the market is open by itself. On business days, between two times of day in UTC; early closes are dates of their own.
//!
//! Day orders end with their session. Closing by hand ([`BanChile::close_market`](crate::BanChile::close_market)) comes on top.

use crate::calendar::Day;
use evenkeel_domain::values::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// The hours of the market.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sessions {
    /// When it opens, from the start of the day (UTC).
    pub opens: Duration,
    /// When it closes, from the start of the day (UTC); after `opens`, within the day.
    pub closes: Duration,
    /// Days that close earlier: any moment of the day, and when it closes.
    pub early: BTreeMap<Timestamp, Duration>,
}

impl Sessions {
    /// The hours of New York in winter time: 14:30 to 21:00 UTC. The clock change is left out, as both ends move together.
    #[must_use]
    pub fn new_york() -> Self {
        let minutes = |count: u64| Duration::from_secs(count.saturating_mul(60));
        Self { opens: minutes(14 * 60 + 30), closes: minutes(21 * 60), early: BTreeMap::new() }
    }

    /// When the session ends that is open at `at`; `None` while none is. It is open from its first moment, and closed from its last.
    #[must_use]
    pub fn closes_at(&self, at: Timestamp) -> Option<Timestamp> {
        let (opens, closes) = self.of(Day::of(at))?;
        (opens <= at && at < closes).then_some(closes)
    }

    /// When the next session begins after `at`.
    #[must_use]
    pub fn opens_after(&self, at: Timestamp) -> Timestamp {
        let today = Day::of(at);
        match self.of(today) {
            Some((opens, _)) if opens > at => opens,
            _ => today.next_business().start().plus(self.opens),
        }
    }

    fn of(&self, day: Day) -> Option<(Timestamp, Timestamp)> {
        let early = self.early.iter().find(|(date, _)| Day::of(**date) == day).map(|(_, closes)| *closes);
        let closes = early.unwrap_or(self.closes);
        day.is_business().then(|| (day.start().plus(self.opens), day.start().plus(closes)))
    }
}
