//! Faults on demand: which sends go wrong, and how.
//!
//! A [`Rule`] names the sends it is about and a [`Fault`]; [`BanChile::script`](crate::BanChile::script) adds it. A *send* is one call of
//! `submit`, a repeated one included. Every rule counts every send it matches, whether or not another rule matches it too,
//! and all that are armed for a send apply to it together: an order can be executed in part *and* have its answer lost.
//! Where two rules say different things of one matter, the one scripted first wins.

use crate::orders::CancelWay;
use evenkeel_domain::order::{
    Attempt, BrokerStatus, Direction, LegNumber, NotSent, OrderRequest, RefusalReason, Refused, Side, UnknownCause,
};
use evenkeel_domain::values::{AccountId, Lot, Percentage, Quantity, Symbol};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What goes wrong with a send, or with the order it carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is sent: `NotSent` with this reason, and the venue never hears of it.
    NotSent(NotSent),
    /// The request never arrives; the caller is told `Unknown(Timeout)` after the profile's timeout.
    LoseRequest,
    /// The request arrives and is handled, its answer is lost: `Unknown(Timeout)` after the profile's timeout.
    LoseAnswer,
    /// The request arrives twice. The caller gets the answer to the second: `AlreadyExists`, where duplicates are refused.
    DoubleAnswer,
    /// The request takes this much longer to arrive; beyond the profile's timeout the caller is told `Unknown(Timeout)` meanwhile.
    ///
    /// A delay beyond the declared quiescence breaks the broker's word, as it happens with real ones.
    Slow {
        /// How much longer.
        delay: Duration,
    },
    /// The request arrives and is handled; instead of its answer the caller gets `Unknown` with this cause.
    AnswerUnknown(UnknownCause),
    /// The request arrives and is handled; `submit` returns its answer only after `release_held`.
    HoldAnswer,
    /// The request is sent and handled like any other; then the call panics.
    Panic,
    /// The venue refuses, whatever the order: `Refused` with this reason.
    Refuse(RefusalReason),
    /// The venue refuses, whatever the order, with this reason and in these words.
    RefuseInWords(Refused),
    /// Acknowledged as working; at its first execution rejected instead, with nothing executed.
    RejectAfterAck,
    /// Executed completely, in so many parts of about the same size; in fewer where the lot leaves no room for them.
    InParts(u32),
    /// Executed in two parts of about the same size, the second this much later than the first.
    InTwo {
        /// The time between them.
        apart: Duration,
    },
    /// Executed in part, then canceled by the venue.
    PartialThenCancel(Part),
    /// Executed in part, then ended by the venue because its time is over: `Expired`.
    PartialThenExpire(Part),
    /// Executed in part; the rest works until it is canceled.
    PartialThenWork(Part),
    /// Executed completely, but this much later.
    LateFill {
        /// How much later than it would have been.
        delay: Duration,
    },
    /// Works until it is canceled; this long after the cancel took effect it is executed completely all the same, and reads `Filled`.
    ///
    /// Cash or units stay reserved until then, as the venue has not really ended it.
    LateFillAfterCancel {
        /// How long after the cancel took effect.
        delay: Duration,
    },
    /// Works until it is canceled.
    NeverFill,
    /// Accepted with a status no adapter knows, never executed; ends by a cancel.
    Unmapped(String),
    /// Cancels of the order are lost on the way: `Unknown(Timeout)`, and the venue never hears of them.
    LoseCancel,
    /// Cancels of the order are handled, but their answers are lost: `Unknown(Timeout)`.
    LoseCancelAnswer,
    /// The first cancel of the order is not sent: `NotSent` with this reason, and the venue never hears of it.
    CancelNotSent(NotSent),
    /// A cancel of the order is taken, and takes effect this much later; until then it works.
    SlowCancel {
        /// How much later.
        delay: Duration,
    },
    /// The order is handled as usual; the next questions about its account fail with `Unavailable`.
    QueryFails {
        /// How many.
        times: u32,
    },
}

/// How much of an order is executed before something goes wrong. Rounded down to the lot, and never more than the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// So many units.
    Units(Quantity),
    /// This share of the order.
    Share(Percentage),
}

impl Part {
    /// That many units of an order of `whole`.
    pub(crate) fn of(self, whole: Quantity, lot: Lot) -> Quantity {
        let units = match self {
            Self::Units(units) => units.min(whole),
            Self::Share(share) => share_of(whole, share),
        };
        units.floor_to(lot)
    }
}

/// `share` of `whole`, rounded down; from nothing to all of it.
pub(crate) fn share_of(whole: Quantity, share: Percentage) -> Quantity {
    let parts = u128::try_from(share.units().clamp(0, Percentage::HUNDRED.units())).unwrap_or(0);
    // At most 10^27 times 10^6, divided by as much again: neither leaves its type.
    let nanos = whole.nanos().saturating_mul(parts).checked_div(1_000_000).unwrap_or(0);
    Quantity::from_nanos(nanos).unwrap_or(whole)
}

/// Which sends a fault happens to. Each condition that is not given matches everything.
///
/// ```
/// # use evenkeel_banchile::{Fault, Rule};
/// # use evenkeel_domain::order::{RefusalReason, Side};
/// let rule = Rule::new(Fault::Refuse(RefusalReason::NotTradable)).symbol("META".parse()?).side(Side::Buy).nth(2).times(3);
/// # drop(rule);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    fault: Fault,
    account: Option<AccountId>,
    symbol: Option<Symbol>,
    side: Option<Side>,
    leg: Option<LegNumber>,
    direction: Option<Direction>,
    attempt: Option<Attempt>,
    first: u64,
    times: Option<u64>,
    seen: u64,
}

impl Rule {
    /// The first send that matches, once.
    #[must_use]
    pub const fn new(fault: Fault) -> Self {
        let (first, times, seen) = (1, Some(1), 0);
        Self {
            fault,
            account: None,
            symbol: None,
            side: None,
            leg: None,
            direction: None,
            attempt: None,
            first,
            times,
            seen,
        }
    }

    /// Only sends to this account.
    #[must_use]
    pub fn account(mut self, account: AccountId) -> Self {
        self.account = Some(account);
        self
    }

    /// Only orders of this symbol.
    #[must_use]
    pub const fn symbol(mut self, symbol: Symbol) -> Self {
        self.symbol = Some(symbol);
        self
    }

    /// Only orders of this side.
    #[must_use]
    pub const fn side(mut self, side: Side) -> Self {
        self.side = Some(side);
        self
    }

    /// Only orders of this leg.
    #[must_use]
    pub const fn leg(mut self, leg: LegNumber) -> Self {
        self.leg = Some(leg);
        self
    }

    /// Only orders of this direction.
    #[must_use]
    pub const fn direction(mut self, direction: Direction) -> Self {
        self.direction = Some(direction);
        self
    }

    /// Only orders of this attempt.
    #[must_use]
    pub const fn attempt(mut self, attempt: Attempt) -> Self {
        self.attempt = Some(attempt);
        self
    }

    /// From the n-th send that matches, counted from 1 and from when the rule was scripted.
    #[must_use]
    pub const fn nth(mut self, n: u64) -> Self {
        self.first = n;
        self
    }

    /// So many times in a row.
    #[must_use]
    pub const fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Every time.
    #[must_use]
    pub const fn always(mut self) -> Self {
        self.times = None;
        self
    }

    fn matches(&self, account: &AccountId, request: &OrderRequest) -> bool {
        fn agrees<T: PartialEq>(wanted: Option<&T>, found: &T) -> bool {
            wanted.is_none_or(|wanted| wanted == found)
        }
        agrees(self.account.as_ref(), account)
            && agrees(self.symbol.as_ref(), &request.terms.symbol)
            && agrees(self.side.as_ref(), &request.terms.side)
            && agrees(self.leg.as_ref(), &request.id.leg)
            && agrees(self.direction.as_ref(), &request.id.direction)
            && agrees(self.attempt.as_ref(), &request.id.attempt)
    }

    /// Counts a send that matches; true if the fault happens to it.
    fn counts(&mut self) -> bool {
        self.seen = self.seen.saturating_add(1);
        let last = self.times.map_or(u64::MAX, |times| self.first.saturating_add(times).saturating_sub(1));
        (self.first..=last).contains(&self.seen)
    }
}

/// All rules, in the order in which they were scripted. Clones are the same script: venues of one broker share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Script(Arc<Rules>);

#[derive(Debug, Default)]
struct Rules {
    /// False while there is no rule: then nobody waits for the others.
    any: AtomicBool,
    all: Mutex<Vec<Rule>>,
}

impl Script {
    pub(crate) fn add(&self, rule: Rule) {
        let mut rules = self.rules();
        rules.push(rule);
        self.0.any.store(true, Ordering::Release);
    }

    pub(crate) fn clear(&self) {
        let mut rules = self.rules();
        rules.clear();
        self.0.any.store(false, Ordering::Release);
    }

    /// What this send meets. Counts it.
    pub(crate) fn treatment(&self, account: &AccountId, request: &OrderRequest) -> Treatment {
        let mut treatment = Treatment::default();
        if self.0.any.load(Ordering::Acquire) {
            for rule in self.rules().iter_mut() {
                if rule.matches(account, request) && rule.counts() {
                    treatment.add(rule.fault.clone());
                }
            }
        }
        treatment
    }

    fn rules(&self) -> MutexGuard<'_, Vec<Rule>> {
        self.0.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All that goes wrong with one send.
#[derive(Debug, Clone, Default)]
pub(crate) struct Treatment {
    pub(crate) not_sent: Option<NotSent>,
    pub(crate) request_lost: bool,
    pub(crate) answer_lost: bool,
    pub(crate) doubled: bool,
    pub(crate) slow: Option<Duration>,
    pub(crate) unknown: Option<UnknownCause>,
    pub(crate) held: bool,
    pub(crate) panics: bool,
    /// Why, and in which words if they were given.
    pub(crate) refused: Option<(RefusalReason, Option<String>)>,
    pub(crate) course: Option<Course>,
    pub(crate) cancel: CancelWay,
    pub(crate) questions_fail: Option<u32>,
    /// It is not sent by a worker at all.
    pub(crate) by_others: bool,
}

/// How an accepted order goes on, where not as usual.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Course {
    Rejected,
    Parts(u32),
    InTwo(Duration),
    /// Executed in part, then ended by the venue with this status.
    PartThenEnded(Part, BrokerStatus),
    PartThenWorking(Part),
    Late(Duration),
    LateAfterCancel(Duration),
    Unmapped(String),
}

impl Treatment {
    pub(crate) fn add(&mut self, fault: Fault) {
        match fault {
            Fault::NotSent(why) => keep(&mut self.not_sent, why),
            Fault::LoseRequest => self.request_lost = true,
            Fault::LoseAnswer => self.answer_lost = true,
            Fault::DoubleAnswer => self.doubled = true,
            Fault::Slow { delay } => keep(&mut self.slow, delay),
            Fault::AnswerUnknown(cause) => keep(&mut self.unknown, cause),
            Fault::HoldAnswer => self.held = true,
            Fault::Panic => self.panics = true,
            Fault::Refuse(reason) => keep(&mut self.refused, (reason, None)),
            Fault::RefuseInWords(Refused { reason, message }) => keep(&mut self.refused, (reason, Some(message))),
            Fault::RejectAfterAck => keep(&mut self.course, Course::Rejected),
            Fault::InParts(parts) => keep(&mut self.course, Course::Parts(parts)),
            Fault::InTwo { apart } => keep(&mut self.course, Course::InTwo(apart)),
            Fault::PartialThenCancel(part) => {
                keep(&mut self.course, Course::PartThenEnded(part, BrokerStatus::Canceled))
            }
            Fault::PartialThenExpire(part) => {
                keep(&mut self.course, Course::PartThenEnded(part, BrokerStatus::Expired))
            }
            Fault::PartialThenWork(part) => keep(&mut self.course, Course::PartThenWorking(part)),
            Fault::LateFill { delay } => keep(&mut self.course, Course::Late(delay)),
            Fault::LateFillAfterCancel { delay } => keep(&mut self.course, Course::LateAfterCancel(delay)),
            Fault::NeverFill => keep(&mut self.course, Course::PartThenWorking(Part::Units(Quantity::ZERO))),
            Fault::Unmapped(status) => keep(&mut self.course, Course::Unmapped(status)),
            Fault::LoseCancel => self.cancel.lost = true,
            Fault::LoseCancelAnswer => self.cancel.answer_lost = true,
            Fault::CancelNotSent(why) => keep(&mut self.cancel.not_sent, why),
            Fault::SlowCancel { delay } => keep(&mut self.cancel.slow, delay),
            Fault::QueryFails { times } => keep(&mut self.questions_fail, times),
        }
    }
}

/// What was said first stays.
fn keep<T>(slot: &mut Option<T>, said: T) {
    slot.get_or_insert(said);
}
