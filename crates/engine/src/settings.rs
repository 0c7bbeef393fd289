//! How the engine works: one immutable value, checked once.

use evenkeel_domain::limits::{DAY, Limits};
use evenkeel_domain::order::{Capabilities, Duplicates};
use evenkeel_domain::record::{PauseRule, Rules};
use evenkeel_domain::values::{Money, Percentage};
use evenkeel_ports::LeaseTerms;
use std::time::Duration;

/// The settings of an engine. The default is safe for a service: prices older than 15 minutes or 20 % off are not traded on, nor those that move by
/// more than 5 % between plan and first order, and amounts have limits that a larger portfolio must raise. Those that concern a batch are pinned in its opening record: a later change does not touch it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How long a lease lasts, and without a sign of life.
    pub lease: LeaseTerms,
    /// How often an order may be tried: 1 to 9.
    pub attempts: u8,
    /// The least time between two attempts. Where a broker limits how many orders it takes in a time, all attempts together must last until the largest stage has gone through.
    pub delay: Duration,
    /// How many orders of one batch may be under way at once: 1 or more.
    pub legs_at_once: usize,
    /// How long an order may stay open before it is canceled.
    pub order_deadline: Duration,
    /// How long a request may be under way, where that is longer than what the broker declares.
    pub quiescence: Option<Duration>,
    /// How old a price may be; `None` means it never grows stale.
    pub max_price_age: Option<Duration>,
    /// How far a price may be from the last one that was accepted, in percent of it; `None` means any distance.
    pub max_price_jump: Option<Percentage>,
    /// What no batch may go beyond.
    pub limits: Limits,
    /// The time between two questions about the same thing.
    pub poll: Duration,
    /// A batch taken over at an age beyond this is unwound, never finished.
    pub resume_max: Duration,
    /// How long an outcome may stay unknown before a person is asked; at least twice what the broker declares to need until absence is
    /// proven, its quiescence and its visibility horizon together.
    pub patience: Duration,
    /// How long books and broker may disagree at the end of a batch before a person is asked.
    pub settle_within: Duration,
    /// How long the orders of a closed batch are watched for late fills. For so long, and then until the next batch of its portfolio is opened, it stays in
    /// memory: with about 400 bytes a leg and 1,000 beside them, shared with a journal that keeps states. The last one stays in any case.
    pub watch: Duration,
    /// The pause after a restoration, counted from its batch's opening.
    pub pause: PauseRule,
}

impl Default for Settings {
    /// In any currency, an order may be worth 1 million, a batch 5 million and a day 10 million; 20 batches a day; 5 minutes of the session must be left. Prices:
    /// 15 minutes of age, a jump of 20 %, a collar of 5 %. A lease of 6 hours, with a sign of life every 60 s at least. 3 attempts, 5 s apart; 16 legs at once; an order is
    /// canceled after 60 s. The broker's quiescence; a question each second; 30 s to resume, 10 minutes of patience, 2 minutes to settle. Closed
    /// batches are watched for 4 days. A pause of 15 minutes, doubled to at most a day.
    fn default() -> Self {
        let minutes = |n: u64| Duration::from_secs(n.saturating_mul(60));
        Self {
            lease: LeaseTerms::default(),
            attempts: 3,
            delay: Duration::from_secs(5),
            legs_at_once: 16,
            order_deadline: Duration::from_secs(60),
            quiescence: None,
            max_price_age: Some(minutes(15)),
            max_price_jump: Percentage::from_units(200_000).ok(),
            limits: Limits {
                order: Some(millions(1)),
                batch: Some(millions(5)),
                day: Some(millions(10)),
                batches_a_day: Some(20),
                session_left: Some(minutes(5)),
                collar: Percentage::from_units(50_000).ok(),
            },
            poll: Duration::from_secs(1),
            resume_max: Duration::from_secs(30),
            patience: minutes(10),
            settle_within: minutes(2),
            watch: minutes(4 * 24 * 60),
            pause: PauseRule { first: minutes(15), longest: minutes(24 * 60) },
        }
    }
}

impl Settings {
    /// The default without limits: no price is too old or too far from the last, and no batch too large. For replays and simulations, whose prices
    /// are what they are.
    #[must_use]
    pub fn unlimited() -> Self {
        Self { max_price_age: None, max_price_jump: None, limits: Limits::NONE, ..Self::default() }
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// Every [`SettingsError`] found.
    pub fn checked(self) -> Result<Self, Vec<SettingsError>> {
        let mut errors = Vec::new();
        if !(1..=9).contains(&self.attempts) {
            errors.push(SettingsError::Attempts { found: self.attempts });
        }
        if self.legs_at_once == 0 {
            errors.push(SettingsError::NoLegs);
        }
        for (what, duration) in [
            ("lease", self.lease.expiry),
            ("heartbeat", self.lease.heartbeat),
            ("order_deadline", self.order_deadline),
            ("poll", self.poll),
            ("patience", self.patience),
        ] {
            if duration.is_zero() {
                errors.push(SettingsError::Zero { what });
            }
        }
        if self.lease.heartbeat > self.lease.expiry {
            errors.push(SettingsError::Heartbeat { heartbeat: self.lease.heartbeat, lease: self.lease.expiry });
        }
        if (self.limits.day.is_some() || self.limits.batches_a_day.is_some()) && self.watch < DAY {
            errors.push(SettingsError::Watch { watch: self.watch });
        }
        if errors.is_empty() { Ok(self) } else { Err(errors) }
    }

    /// The rules of a batch at a broker with these capabilities, for a portfolio with this minimum order and reserve.
    pub(crate) fn rules(&self, capabilities: &Capabilities, minimum: Money, held_back: Money) -> Rules {
        let quiescence = self.quiescence.unwrap_or(Duration::ZERO).max(capabilities.quiescence);
        let until_proven = quiescence.saturating_add(capabilities.visibility_horizon);
        Rules {
            attempts: self.attempts,
            delay: self.delay,
            order_deadline: self.order_deadline,
            quiescence,
            resume_max: self.resume_max,
            // Shorter, and every lost request would be a person's business before it could be anybody else's.
            patience: self.patience.max(until_proven.saturating_mul(2)),
            settle_within: self.settle_within,
            watch: self.watch,
            pause: self.pause,
            resend: capabilities.duplicates == Duplicates::Refused,
            costs: capabilities.costs,
            collar_bps: capabilities.collar_bps,
            minimum: minimum.max(capabilities.minimum_order).max(Money::CENT),
            held_back,
            limits: self.limits,
        }
    }
}

/// So many millions, in whatever currency.
fn millions(count: i64) -> Money {
    Money::from_cents(count.saturating_mul(100_000_000)).unwrap_or(Money::MAX)
}

/// A setting that is not possible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// Attempts outside 1 to 9.
    #[error("{found} attempts are not possible: 1 to 9 are")]
    Attempts {
        /// As given.
        found: u8,
    },
    /// No leg may be under way.
    #[error("no leg at once means that nothing is ever sent: allow 1 or more")]
    NoLegs,
    /// A duration that must be above zero.
    #[error("{what} is zero: it must be longer")]
    Zero {
        /// Which.
        what: &'static str,
    },
    /// Closed batches forgotten before the limits of a day have counted them.
    #[error("closed batches are kept for {} s: limits of a day need 24 hours", watch.as_secs())]
    Watch {
        /// As given.
        watch: Duration,
    },
    /// A heartbeat longer than the lease.
    #[error("a heartbeat of {} s is longer than the lease of {} s", heartbeat.as_secs(), lease.as_secs())]
    Heartbeat {
        /// As given.
        heartbeat: Duration,
        /// As given.
        lease: Duration,
    },
}
