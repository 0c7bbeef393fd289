//! Outages: windows of time in which the broker cannot be reached, or is not heard. Scripted, or drawn from the profile's [`Outages`].
//!
//! What counts is the moment of the call. A question is `Unavailable` in both kinds. A request is not sent while connections are
//! refused; while answers are lost it arrives and is handled like any other, and its caller is told `Unknown(Timeout)`. The venue
//! goes on meanwhile: what it has accepted is executed. Real brokers do both: a gateway that is restarted refuses, one that is
//! overloaded takes the order and says nothing (`brokers.md` 4.2).
//!
//! Drawn outages are a function of the seed and of the time slot alone, the same for every account, however often anybody calls.

use crate::draws::{Concern, Draws, Key};
use crate::profile::{Chance, Latency};
use evenkeel_domain::values::Timestamp;
use std::time::Duration;

/// What callers meet during an outage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutageKind {
    /// No connection is made: requests are `NotSent(Unreachable)`.
    Refused,
    /// Requests arrive, nothing comes back: `Unknown(Timeout)` after the profile's timeout.
    Silent,
}

/// One window: from its first moment until before `until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outage {
    /// Its first moment.
    pub from: Timestamp,
    /// The first moment after it; not later than `from`: no outage at all.
    pub until: Timestamp,
    /// What callers meet.
    pub kind: OutageKind,
}

impl Outage {
    fn covers(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }
}

/// How often outages come by themselves: time since 1970 is cut into slots, and each slot has one or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outages {
    /// The length of a slot; zero: there are no outages.
    pub slot: Duration,
    /// How often an outage begins in a slot, at any moment of it.
    pub chance: Chance,
    /// How long it lasts; cut at the length of a slot.
    pub lasts: Latency,
    /// How often it is [`Silent`](OutageKind::Silent) rather than [`Refused`](OutageKind::Refused).
    pub silent: Chance,
}

impl Outages {
    /// The outage that is on at `at`, if one is. No outage outlasts a slot, so it began in this slot or in the one before.
    pub(crate) fn at(&self, draws: Draws, at: Timestamp) -> Option<OutageKind> {
        let this = self.slot_of(at)?;
        let candidates = [Some(this), this.checked_sub(1)].into_iter().flatten();
        let drawn = candidates.filter_map(|slot| self.drawn(draws, slot));
        drawn.map(|drawn| drawn.outage).find(|outage| outage.covers(at)).map(|outage| outage.kind)
    }

    /// In nanoseconds; none if there are no slots.
    fn length(&self) -> Option<i64> {
        i64::try_from(self.slot.as_nanos()).ok().filter(|nanos| *nanos > 0)
    }

    /// The number of the slot that `at` is in, if there are slots.
    pub(crate) fn slot_of(&self, at: Timestamp) -> Option<i64> {
        at.nanos().checked_div_euclid(self.length()?)
    }

    /// The outage that begins in the slot of this number, if one does.
    pub(crate) fn drawn(&self, draws: Draws, number: i64) -> Option<Drawn> {
        let length = self.length()?;
        let begins = number.checked_mul(length)?;
        // Slots repeat after 2^32 of them: with slots of a second, after 136 years.
        let occurrence = u32::try_from(number.rem_euclid(1 << 32)).unwrap_or_default();
        let mut draw = draws.of(Concern::OUTAGE, Key::NONE, occurrence);
        if !draw.happens(self.chance) {
            return None;
        }
        let into = Duration::from_nanos(draw.below(length.unsigned_abs()));
        let lasts = draw.latency(self.lasts);
        let kind = if draw.happens(self.silent) { OutageKind::Silent } else { OutageKind::Refused };
        let from = Timestamp::from_nanos(begins).plus(into);
        let outage = Outage { from, until: from.plus(lasts.min(self.slot)), kind };
        Some(Drawn { outage, lasts })
    }
}

/// An outage that was drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drawn {
    pub(crate) outage: Outage,
    /// How long it was to last, before it was cut.
    pub(crate) lasts: Duration,
}

/// The outage that is on at `at`: of those scripted the first, or else a drawn one.
pub(crate) fn on_at(scripted: &[Outage], drawn: Option<&Outages>, draws: Draws, at: Timestamp) -> Option<OutageKind> {
    let by_script = scripted.iter().find(|outage| outage.covers(at)).map(|outage| outage.kind);
    by_script.or_else(|| drawn?.at(draws, at))
}
