//! What kind of broker is simulated: latencies, costs, limits, faults, and how much it remembers. Plain data.
//!
//! A [`Profile`] is fixed when the broker is made; [`Profile::capabilities`] derives from it what the broker declares to the
//! core, so that a declaration cannot promise less cost or less delay than the profile can draw.

use crate::limiter::RateLimit;
use crate::liquidity::Liquidity;
use crate::outages::Outages;
use crate::sessions::Sessions;
use crate::settlement::Settlement;
use evenkeel_domain::order::{Capabilities, Costs, Duplicates};
use evenkeel_domain::values::{Lot, Money, Quantity, Symbol};
use std::collections::BTreeMap;
use std::time::Duration;

/// The kind of broker that is simulated.
///
/// Take one of [`ideal`](Profile::ideal), [`calm`](Profile::calm) and [`storm`](Profile::storm), and change what a test is about:
///
/// ```
/// # use evenkeel_banchile::{Chance, Profile};
/// let profile = Profile { partial_fills: Chance::ALWAYS, ..Profile::calm() };
/// assert_eq!(profile.capabilities().costs.bps, 11); // 5 of fees, 5 of slippage, and the fee on the slippage
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The name the broker declares, for people.
    pub name: String,
    /// How long a request is on its way to the venue.
    pub to_venue: Latency,
    /// How long the venue takes for each step it makes by itself: an execution, the next part of it, the end after a cancel.
    pub at_venue: Latency,
    /// How long an answer is on its way back.
    pub back: Latency,
    /// How long a caller waits for an answer before it is told `Unknown(Timeout)`. Zero: what is not answered at once is unknown.
    pub timeout: Duration,
    /// How often an order is executed in two or three parts.
    pub partial_fills: Chance,
    /// The least a fill is off the board's price, always against the account, in hundredths of a percent: half of what lies between bid and ask.
    pub half_spread_bps: u32,
    /// The most a fill may be off the board's price, spread and impact included, in hundredths of a percent.
    pub slippage_bps: u32,
    /// How much is traded of each symbol, where that limits an order; `None`: more than anybody wants.
    pub liquidity: Option<Liquidity>,
    /// What an order pays once anything of it was executed: `max(minimum, per_order + bps)` of the executed amount, rounded up to the cent.
    pub fees: Costs,
    /// How much more than its reference price an open buy reserves, in hundredths of a percent.
    pub collar_bps: u32,
    /// The least an order may be worth at its reference price; leaving a holding completely is exempt.
    pub minimum_order: Money,
    /// The lot of every symbol that is not named in `lots`.
    pub lot: Lot,
    /// Symbols with a lot of their own, such as whole shares only.
    pub lots: BTreeMap<Symbol, Lot>,
    /// True if an order is refused while one the other way is open in its symbol.
    pub refuse_opposite: bool,
    /// How long what happened at the venue stays invisible to questions.
    pub visibility_lag: Latency,
    /// How long after a send an unknown order is `Unproven` rather than `Absent`.
    pub visibility_horizon: Duration,
    /// How long a request may be under way after it was sent.
    pub quiescence: Duration,
    /// What happens to an id that is sent again.
    pub duplicates: Duplicates,
    /// How many requests an account may send; `None`: any number.
    pub rate_limit: Option<RateLimit>,
    /// When the proceeds of sales settle, and whether they may be spent before; `None`: at once, and the account's view does not tell.
    pub settlement: Option<Settlement>,
    /// When the market is open by itself; `None`: always, until it is closed by hand.
    pub sessions: Option<Sessions>,
    /// How often the broker cannot be reached or heard at all; `None`: never by itself.
    pub outages: Option<Outages>,
    /// How often a list of fills comes in another order, with one of them twice. The contract of the port allows both.
    pub disorder: Chance,
    /// How often something goes wrong by itself.
    pub faults: FaultRates,
    /// The most fills on one page of `fills_since`; at least 1.
    pub page: usize,
    /// What is remembered of orders that ended.
    pub retention: Retention,
}

impl Profile {
    /// Everything fills at the board's price, at once, without cost, and nothing goes wrong by itself.
    ///
    /// A submission is answered in one poll with the terminal view of the order, and no clock is ever waited for. It declares no collar: where prices move
    /// between a plan and its orders, a buy of a plan that spends all cash may be refused for want of it.
    #[must_use]
    pub fn ideal() -> Self {
        Self {
            name: "BanChile (ideal)".to_owned(),
            to_venue: Latency::NONE,
            at_venue: Latency::NONE,
            back: Latency::NONE,
            timeout: Duration::ZERO,
            partial_fills: Chance::NEVER,
            half_spread_bps: 0,
            slippage_bps: 0,
            liquidity: None,
            fees: Costs::FREE,
            collar_bps: 0,
            minimum_order: Money::ZERO,
            lot: Lot::FINEST,
            lots: BTreeMap::new(),
            refuse_opposite: false,
            visibility_lag: Latency::NONE,
            visibility_horizon: Duration::ZERO,
            quiescence: Duration::ZERO,
            duplicates: Duplicates::Refused,
            rate_limit: None,
            settlement: None,
            sessions: None,
            disorder: Chance::NEVER,
            outages: None,
            faults: FaultRates::NONE,
            page: 500,
            retention: Retention::Everything,
        }
    }

    /// A broker on a good day: asynchronous, with fees, slippage and partial fills, but nothing is ever lost.
    #[must_use]
    pub fn calm() -> Self {
        Self {
            name: "BanChile (calm)".to_owned(),
            to_venue: Latency::around(Duration::from_millis(15), Duration::from_millis(150)),
            at_venue: Latency::around(Duration::from_millis(10), Duration::from_millis(100)),
            back: Latency::around(Duration::from_millis(15), Duration::from_millis(150)),
            timeout: Duration::from_secs(10),
            partial_fills: Chance::per_mille(100),
            half_spread_bps: 1,
            slippage_bps: 5,
            fees: Costs { bps: 5, per_order: Money::ZERO, minimum: cents(35) },
            collar_bps: 250,
            minimum_order: cents(100),
            visibility_horizon: Duration::from_secs(2),
            quiescence: Duration::from_secs(70),
            // What Alpaca allows an account: 200 requests a minute.
            rate_limit: Some(RateLimit { burst: 200, every: Duration::from_millis(300) }),
            settlement: Some(Settlement { days: 1, spend_unsettled: true }),
            ..Self::ideal()
        }
    }

    /// A broker on a bad day: slow, expensive, with reads that lag, and everything that can go wrong does so now and then.
    #[must_use]
    pub fn storm() -> Self {
        Self {
            name: "BanChile (storm)".to_owned(),
            to_venue: Latency::around(Duration::from_millis(40), Duration::from_millis(800)),
            at_venue: Latency::around(Duration::from_millis(100), Duration::from_secs(2)),
            back: Latency::around(Duration::from_millis(40), Duration::from_millis(800)),
            partial_fills: Chance::per_mille(300),
            half_spread_bps: 4,
            slippage_bps: 20,
            liquidity: Some(Liquidity {
                volume: units(100_000),
                interval: Duration::from_secs(5),
                participation_bps: 250,
                impact_bps: 1_000,
            }),
            rate_limit: Some(RateLimit { burst: 20, every: Duration::from_millis(300) }),
            collar_bps: 400,
            refuse_opposite: true,
            disorder: Chance::per_mille(200),
            visibility_lag: Latency {
                least: Duration::ZERO,
                median: Duration::from_millis(200),
                p99: Duration::from_millis(1500),
                most: Duration::from_secs(2),
            },
            visibility_horizon: Duration::from_secs(5),
            quiescence: Duration::from_secs(70),
            outages: Some(Outages {
                slot: Duration::from_secs(3600),
                chance: Chance::per_mille(200),
                lasts: Latency::around(Duration::from_secs(60), Duration::from_secs(600)),
                silent: Chance::per_mille(500),
            }),
            faults: FaultRates::STORM,
            ..Self::calm()
        }
    }

    /// What a broker of this kind declares to the core.
    ///
    /// The costs are upper bounds of fees, slippage and every rounding together, measured against the board's price at the moment
    /// of execution; how far the board moves between a plan and its execution is the market's, and no cost. The quiescence
    /// is at least the longest way a request can take by itself, and the horizon at least the longest lag.
    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        let fills_rounded = self.is_costly();
        Capabilities {
            name: self.name.clone(),
            duplicates: self.duplicates,
            costs: if fills_rounded { self.cost_bound() } else { Costs::FREE },
            collar_bps: self.collar_bps,
            fills_rounded,
            minimum_order: self.minimum_order,
            lot: self.lot,
            lots: self.lots.clone(),
            quiescence: self.quiescence.max(self.longest_way()),
            visibility_horizon: self.visibility_horizon.max(self.visibility_lag.most),
        }
    }

    /// The lot of `symbol`.
    #[must_use]
    pub fn lot_of(&self, symbol: Symbol) -> Lot {
        self.lots.get(&symbol).copied().unwrap_or(self.lot)
    }

    /// True if what happens to a request depends on how often it was sent or canceled before.
    pub(crate) fn is_random(&self) -> bool {
        let latencies = [self.to_venue, self.at_venue, self.back, self.visibility_lag];
        !latencies.iter().all(Latency::is_fixed) || self.faults != FaultRates::NONE
    }

    /// True if an execution can cost anything but price × quantity.
    fn is_costly(&self) -> bool {
        self.slippage_bps > 0 || !self.fees.is_free()
    }

    /// Fees are paid on the slipped amount, so their share grows by that of the slippage; minimum and fixed part can meet any
    /// amount, so the larger is added to it; and a fee rounded up and an amount rounded half-even are two cents at most.
    fn cost_bound(&self) -> Costs {
        let crossed = u64::from(self.fees.bps).saturating_mul(u64::from(self.slippage_bps)).div_ceil(10_000);
        let bps =
            self.fees.bps.saturating_add(self.slippage_bps).saturating_add(u32::try_from(crossed).unwrap_or(u32::MAX));
        let fixed = self.fees.minimum.max(self.fees.per_order);
        let per_order = fixed.add(cents(2)).unwrap_or(Money::MAX);
        Costs { bps, per_order, minimum: Money::ZERO }
    }

    /// The longest a request can be under way without a script.
    fn longest_way(&self) -> Duration {
        let copies = if self.faults.doubled == Chance::NEVER { 1 } else { 2 };
        let slow = if self.faults.slow == Chance::NEVER { Duration::ZERO } else { self.faults.slow_by.most };
        self.to_venue.most.saturating_mul(copies).saturating_add(slow)
    }
}

/// How long one leg of the way takes: a distribution given by four of its points, drawn in whole nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latency {
    /// The shortest.
    pub least: Duration,
    /// Half take no longer.
    pub median: Duration,
    /// 99 % take no longer.
    pub p99: Duration,
    /// The longest.
    pub most: Duration,
}

impl Latency {
    /// No time at all.
    pub const NONE: Self = Self::exactly(Duration::ZERO);

    /// Always the same.
    #[must_use]
    pub const fn exactly(time: Duration) -> Self {
        Self { least: time, median: time, p99: time, most: time }
    }

    /// From half the median to twice the 99th percentile.
    #[must_use]
    pub fn around(median: Duration, p99: Duration) -> Self {
        let least = median.checked_div(2).unwrap_or_default();
        Self { least, median, p99, most: p99.saturating_mul(2) }
    }

    /// True if there is nothing to draw.
    pub(crate) fn is_fixed(&self) -> bool {
        self.least >= self.most
    }
}

/// How often something happens, in parts per million.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Chance(u32);

impl Chance {
    /// Not at all.
    pub const NEVER: Self = Self(0);
    /// Every time.
    pub const ALWAYS: Self = Self(1_000_000);

    /// So many times in a thousand; at most [`Chance::ALWAYS`].
    #[must_use]
    pub const fn per_mille(times: u32) -> Self {
        Self::per_million(times.saturating_mul(1_000))
    }

    /// So many times in a million; at most [`Chance::ALWAYS`].
    #[must_use]
    pub const fn per_million(times: u32) -> Self {
        if times < Self::ALWAYS.0 { Self(times) } else { Self::ALWAYS }
    }

    /// The times in a million.
    #[must_use]
    pub const fn in_a_million(self) -> u32 {
        self.0
    }
}

/// How often something goes wrong by itself, each drawn on its own for every send. What each does: the
/// [`Fault`](crate::Fault) of that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultRates {
    /// The request never arrives.
    pub lost_request: Chance,
    /// The request arrives, its answer does not.
    pub lost_answer: Chance,
    /// The request arrives twice.
    pub doubled: Chance,
    /// The venue refuses without a reason of the account's.
    pub refused: Chance,
    /// The venue rejects after it acknowledged.
    pub rejected: Chance,
    /// The fill comes late.
    pub late_fill: Chance,
    /// How late it comes.
    pub late_by: Latency,
    /// The request is slow.
    pub slow: Chance,
    /// How much longer it is under way.
    pub slow_by: Latency,
}

impl FaultRates {
    /// Nothing goes wrong by itself.
    pub const NONE: Self = Self {
        lost_request: Chance::NEVER,
        lost_answer: Chance::NEVER,
        doubled: Chance::NEVER,
        refused: Chance::NEVER,
        rejected: Chance::NEVER,
        late_fill: Chance::NEVER,
        late_by: Latency::NONE,
        slow: Chance::NEVER,
        slow_by: Latency::NONE,
    };

    /// One send in two hundred for each fault of the way, one in five hundred for a rejection.
    pub const STORM: Self = Self {
        lost_request: Chance::per_mille(5),
        lost_answer: Chance::per_mille(5),
        doubled: Chance::per_mille(5),
        refused: Chance::per_mille(5),
        rejected: Chance::per_mille(2),
        late_fill: Chance::per_mille(5),
        late_by: Latency {
            least: Duration::from_secs(5),
            median: Duration::from_secs(20),
            p99: Duration::from_secs(90),
            most: Duration::from_secs(120),
        },
        slow: Chance::per_mille(5),
        slow_by: Latency {
            least: Duration::from_secs(5),
            median: Duration::from_secs(15),
            p99: Duration::from_secs(38),
            most: Duration::from_secs(40),
        },
    };
}

/// What the broker remembers of orders that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retention {
    /// All of it, for ever.
    Everything,
    /// Their ids only, with a fingerprint of their terms: 8 bytes for each, and some 80 for each batch.
    ///
    /// An order is forgotten when an order of *another batch* is accepted on its account (whoever sends the next batch has closed the
    /// one before), provided that it is terminal, that no late fill is to come, and that each of its fills was handed out: in
    /// a view, or on a page of `fills_since` that was read past. Its fills go with it.
    ///
    /// A forgotten id stays taken: sent again it answers `AlreadyExists` (with other terms `DuplicateIdOtherOrder`, wrong once in 2³²
    /// cases), asked for it answers `Unproven`, as neither `Found` nor `Absent` would be true, and a cancel answers `Unknown(BrokerError)`.
    OrderIds,
}

/// So many whole units; never beyond what [`Quantity`] holds.
fn units(count: u128) -> Quantity {
    Quantity::from_nanos(count.saturating_mul(1_000_000_000)).unwrap_or(Quantity::MAX)
}

/// So many cents; never beyond what [`Money`] holds.
fn cents(count: i64) -> Money {
    Money::from_cents(count).unwrap_or(Money::MAX)
}
