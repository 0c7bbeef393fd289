//! The broker's rate limit, as one batch meets it. An order that is turned away was not sent: it keeps its id and waits here, instead of using up its attempts.
//!
//! How long it may wait is the order's own deadline. What becomes of it then is decided in `evenkeel_domain::decide`.

use evenkeel_domain::values::Timestamp;
use std::time::Duration;

/// The shortest wait. A broker that names none would be asked without end.
const A_MOMENT: Duration = Duration::from_millis(10);

/// After so many orders that got through in a row, one more is on its way at a time. A bucket that one order empties turns away one for each that it takes; where answers take
/// long, as many are on their way as the broker takes meanwhile.
const GROWS_AFTER: usize = 4;

/// Whether an order of this batch was turned away, and when there is room again.
#[derive(Debug, Default)]
pub(super) struct Limit {
    room_at: Option<Timestamp>,
    /// How many got through since.
    passed: usize,
}

impl Limit {
    /// An order was turned away.
    pub(super) fn met(&mut self, now: Timestamp, retry_after: Duration) {
        let room_at = now.plus(retry_after.max(A_MOMENT));
        self.room_at = Some(self.room_at.map_or(room_at, |known| known.max(room_at)));
        self.passed = 0;
    }

    /// An order was not turned away.
    pub(super) const fn passed(&mut self) {
        self.passed = self.passed.saturating_add(1);
    }

    /// When there is room again, or was; `None` if no order was turned away.
    pub(super) const fn room_at(&self) -> Option<Timestamp> {
        self.room_at
    }

    /// How many orders may be on their way: `most` until one is turned away; then none until there is room, and one at a time at first.
    pub(super) fn at_once(&self, most: usize, now: Timestamp) -> usize {
        match self.room_at {
            None => most,
            Some(room_at) if now < room_at => 0,
            Some(_) => self.passed.checked_div(GROWS_AFTER).unwrap_or(0).saturating_add(1).min(most),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::EPOCH.plus(Duration::from_millis(millis))
    }

    #[test]
    fn orders_wait_until_there_is_room_and_go_one_by_one_at_first() {
        let mut limit = Limit::default();
        assert_eq!((limit.room_at(), limit.at_once(16, at(0))), (None, 16));
        limit.met(at(0), Duration::from_millis(300));
        assert_eq!([0, 299, 300, 9_000].map(|millis| limit.at_once(16, at(millis))), [0, 0, 1, 1]);
        // Several are turned away at once, and not all are told the same.
        limit.met(at(1), Duration::from_millis(200));
        assert_eq!(limit.room_at(), Some(at(300)));
        // Whoever names no time is asked a moment later.
        limit.met(at(500), Duration::ZERO);
        assert_eq!([500, 509, 510].map(|millis| limit.at_once(16, at(millis))), [0, 0, 1]);
    }

    #[test]
    fn the_more_get_through_the_more_are_on_their_way() {
        let mut limit = Limit::default();
        limit.met(at(0), Duration::ZERO);
        let mut at_once = Vec::new();
        for _ in 0..13 {
            at_once.push(limit.at_once(3, at(10)));
            limit.passed();
        }
        assert_eq!(at_once, [1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3]);
        limit.met(at(20), Duration::ZERO);
        assert_eq!(limit.at_once(3, at(30)), 1, "until the next is turned away");
    }
}
