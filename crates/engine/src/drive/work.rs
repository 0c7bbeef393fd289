//! What is under way for one batch: futures to the broker, the lease store and the clock, all inside the batch's own future.

use crate::Engine;
use crate::signals::Signals;
use crate::snapshot::{Snapshot, snapshot};
use evenkeel_domain::decide::Report;
use evenkeel_domain::halt::Halt;
use evenkeel_domain::order::{ClientOrderId, FillCursor, Lookup, OrderRequest, SubmitAnswer, UnknownCause};
use evenkeel_domain::values::{AccountId, Timestamp};
use evenkeel_ports::{Broker, BrokerError, Clock, HoldError, Journal, JournalError, Lease, LeaseStore, LeaseTerms};
use futures_util::future::{BoxFuture, Either, select};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tracing::Instrument;

/// A lease is renewed three times within its heartbeat.
const RENEWALS: u32 = 3;

/// A piece of work that may be under way once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Doing {
    Submit(ClientOrderId),
    Cancel(ClientOrderId),
    Look(ClientOrderId),
    Compare,
    Renew,
    Halts,
}

/// What a piece of work came to.
pub(super) enum Done {
    /// What is to be reported of an order.
    Reported(Report),
    /// The question about it was not answered.
    NotLooked(ClientOrderId, BrokerError),
    Compared(Result<Snapshot, BrokerError>),
    Renewed {
        asked_at: Timestamp,
        result: Result<(), HoldError>,
    },
    Halts(Result<Vec<Halt>, JournalError>),
    Woke,
    Signal,
}

/// All that could be had at once.
pub(super) struct Learned {
    /// What orders came to that were answered as they were sent, as nearly all are where the broker is in memory; in the order they were sent.
    pub(super) at_once: Vec<Report>,
    /// Everything else, in the order of what it is about.
    pub(super) done: Vec<Done>,
}

pub(super) struct Work {
    broker: Arc<dyn Broker>,
    leases: Arc<dyn LeaseStore>,
    journal: Arc<dyn Journal>,
    clock: Arc<dyn Clock>,
    account: AccountId,
    lease: Lease,
    poll: Duration,
    legs_at_once: usize,
    under_way: FuturesUnordered<BoxFuture<'static, Done>>,
    /// What was answered at once, and not learned yet.
    at_once: Vec<Report>,
    /// How many orders are on their way.
    sending: usize,
    doing: BTreeSet<Doing>,
    /// When each question may be asked again.
    not_before: BTreeMap<Doing, Timestamp>,
    /// When to wake, asked for since the last time something was learned.
    wake: Option<Timestamp>,
}

impl Work {
    pub(super) fn new(engine: &Engine, account: AccountId, lease: Lease) -> Self {
        Self {
            broker: Arc::clone(&engine.ports.broker),
            leases: Arc::clone(&engine.ports.leases),
            journal: Arc::clone(&engine.ports.journal),
            clock: Arc::clone(&engine.ports.clock),
            account,
            lease,
            poll: engine.settings.poll,
            legs_at_once: engine.settings.legs_at_once,
            under_way: FuturesUnordered::new(),
            at_once: Vec::new(),
            sending: 0,
            doing: BTreeSet::new(),
            // The first orders are being committed, and that is refused where a halt stands.
            not_before: BTreeMap::from([(Doing::Halts, engine.ports.clock.now().plus(engine.settings.poll))]),
            wake: None,
        }
    }

    /// True while an order or a cancel is on its way to the broker.
    pub(super) fn is_sending(&self) -> bool {
        self.doing.iter().any(|doing| matches!(doing, Doing::Submit(_) | Doing::Cancel(_)))
    }

    pub(super) fn wake_at(&mut self, at: Timestamp) {
        self.wake = Some(self.wake.map_or(at, |earlier| earlier.min(at)));
    }

    /// Makes room for so many answers.
    pub(super) fn expect(&mut self, answers: usize) {
        self.at_once.reserve(answers);
    }

    /// True if an order is neither on its way, nor are as many as may be.
    pub(super) fn may_submit(&self, order: ClientOrderId) -> bool {
        self.sending < self.legs_at_once && !self.doing.contains(&Doing::Submit(order))
    }

    /// Sends an order, which it [may](Self::may_submit).
    pub(super) fn submit(&mut self, request: &OrderRequest) {
        self.sending = self.sending.saturating_add(1);
        let id = request.id;
        let (broker, account, request) = (Arc::clone(&self.broker), self.account.clone(), *request);
        let span = tracing::info_span!("leg", batch = %request.id.batch, leg = %request.id.leg, order = %request.id);
        let submitting = async move {
            // A panic in an adapter says nothing about what was sent.
            let answer = AssertUnwindSafe(broker.submit(&account, &request)).catch_unwind().await;
            let answer = answer.unwrap_or(SubmitAnswer::Unknown(UnknownCause::Panicked));
            Report::Submitted { order: request.id, answer }
        };
        let mut submitting = submitting.instrument(span).boxed();
        // Whatever is not answered at once is asked again together with everything else that is under way, and wakes the batch then.
        match (&mut submitting).now_or_never() {
            Some(report) => self.at_once.push(report),
            None => {
                self.doing.insert(Doing::Submit(id));
                self.under_way.push(submitting.map(Done::Reported).boxed());
            }
        }
    }

    /// Reports that an order is not sent, unless it is on its way.
    pub(super) fn withhold(&mut self, order: ClientOrderId) {
        if self.doing.insert(Doing::Submit(order)) {
            self.under_way.push(std::future::ready(Done::Reported(Report::Withheld { order })).boxed());
        }
    }

    pub(super) fn cancel(&mut self, order: ClientOrderId, now: Timestamp) -> bool {
        let may = self.may_start(Doing::Cancel(order), now);
        if may {
            let (broker, account) = (Arc::clone(&self.broker), self.account.clone());
            let canceling = async move {
                let answer = broker.cancel(&account, order).await;
                Done::Reported(Report::Canceled { order, answer })
            };
            self.under_way.push(canceling.boxed());
        }
        may
    }

    pub(super) fn look(&mut self, order: ClientOrderId, now: Timestamp) {
        if !self.may_start(Doing::Look(order), now) {
            return;
        }
        let is_sending = self.doing.contains(&Doing::Submit(order));
        let (broker, account) = (Arc::clone(&self.broker), self.account.clone());
        let looking = async move {
            match look(&*broker, &account, order).await {
                // While it is on its way, "not found" proves nothing.
                Ok(Lookup::Absent) if is_sending => Done::Reported(Report::Looked { order, lookup: Lookup::Unproven }),
                Ok(lookup) => Done::Reported(Report::Looked { order, lookup }),
                Err(error) => Done::NotLooked(order, error),
            }
        };
        self.under_way.push(looking.boxed());
    }

    pub(super) fn compare(&mut self, read: Option<FillCursor>, now: Timestamp) {
        if self.may_start(Doing::Compare, now) {
            let (broker, account) = (Arc::clone(&self.broker), self.account.clone());
            self.under_way.push(async move { Done::Compared(snapshot(&*broker, &account, read).await) }.boxed());
        }
    }

    pub(super) fn renew(&mut self, now: Timestamp) {
        if self.may_start(Doing::Renew, now) {
            let (leases, lease) = (Arc::clone(&self.leases), self.lease.clone());
            let renewing = async move { Done::Renewed { asked_at: now, result: leases.renew(&lease).await } };
            self.under_way.push(renewing.boxed());
        }
    }

    /// Asks which halts stand, unless that was asked a moment ago. Whatever wakes the batch next is early enough.
    pub(super) fn ask_for_halts(&mut self, now: Timestamp) {
        if self.not_before.get(&Doing::Halts).is_none_or(|time| *time <= now) && self.doing.insert(Doing::Halts) {
            let journal = Arc::clone(&self.journal);
            self.under_way.push(async move { Done::Halts(journal.halts().await) }.boxed());
        }
    }

    /// Has halts asked for at the next opportunity.
    pub(super) fn ask_for_halts_soon(&mut self) {
        self.not_before.remove(&Doing::Halts);
    }

    /// True if this is not under way and may be asked again; it is then under way. Else it is asked when its time has come.
    fn may_start(&mut self, doing: Doing, now: Timestamp) -> bool {
        match self.not_before.get(&doing).copied() {
            Some(time) if now < time => {
                self.wake_at(time);
                false
            }
            _ => self.doing.insert(doing),
        }
    }

    /// Waits until something is learned, and gives all that can be had at once.
    pub(super) async fn learn(&mut self, signals: &Signals, seen: u64) -> Learned {
        let at_once = std::mem::take(&mut self.at_once);
        let mut done = Vec::new();
        // What is ready at once needs neither the clock nor the signals.
        self.drain(&mut done);
        if at_once.is_empty() && done.is_empty() {
            let wake = self.wake;
            let clock = Arc::clone(&self.clock);
            let sleep = async move {
                match wake {
                    Some(at) => {
                        clock.sleep_until(at).await;
                        Done::Woke
                    }
                    None => std::future::pending().await,
                }
            };
            let signal = signals.changed(seen).map(|()| Done::Signal);
            let outside = select(sleep.boxed(), signal.boxed());
            let first = if self.under_way.is_empty() {
                outside.await.factor_first().0
            } else {
                match select(self.under_way.next(), outside).await {
                    Either::Left((Some(done), _)) => done,
                    Either::Left((None, outside)) => outside.await.factor_first().0,
                    Either::Right((either, _)) => either.factor_first().0,
                }
            };
            done.push(first);
            self.drain(&mut done);
        }
        self.wake = None;
        done.sort_by_key(Done::doing);
        Learned { at_once, done }
    }

    fn drain(&mut self, into: &mut Vec<Done>) {
        while let Some(Some(done)) = self.under_way.next().now_or_never() {
            into.push(done);
        }
    }

    /// Notes that a piece of work is done, and when the next of its kind may start.
    pub(super) fn note(&mut self, done: &Done, now: Timestamp) {
        if let Done::Reported(report) = done {
            self.note_report(report, now);
        } else {
            self.note_done(done.doing(), now);
        }
    }

    /// The same for what was learned of an order.
    pub(super) fn note_report(&mut self, report: &Report, now: Timestamp) {
        if let Report::Submitted { order, answer } = report {
            tracing::debug!(%order, ?answer, "submitted");
            self.sending = self.sending.saturating_sub(1);
            if matches!(answer, SubmitAnswer::Acknowledged(view) if view.says_all()) {
                self.doing.remove(&Doing::Submit(*order));
                return; // There is nothing left to ask.
            }
        }
        self.note_done(doing(report), now);
    }

    fn note_done(&mut self, doing: Option<Doing>, now: Timestamp) {
        let Some(doing) = doing else { return };
        self.doing.remove(&doing);
        // A lease is renewed in time, however seldom anything else is asked.
        let pace = if doing == Doing::Renew { self.poll.min(renew_every(self.lease.terms)) } else { self.poll };
        let later = now.plus(pace);
        match doing {
            // The answer said where it stands: no need to ask at once.
            Doing::Submit(order) => self.not_before.insert(Doing::Look(order), later),
            Doing::Cancel(_) | Doing::Look(_) | Doing::Compare | Doing::Renew | Doing::Halts => {
                self.not_before.insert(doing, later)
            }
        };
    }
}

impl Done {
    /// What it is about: at most one of a kind is under way.
    fn doing(&self) -> Option<Doing> {
        match self {
            Self::Reported(report) => doing(report),
            Self::NotLooked(order, _) => Some(Doing::Look(*order)),
            Self::Compared(_) => Some(Doing::Compare),
            Self::Renewed { .. } => Some(Doing::Renew),
            Self::Halts(_) => Some(Doing::Halts),
            Self::Woke | Self::Signal => None,
        }
    }
}

fn doing(report: &Report) -> Option<Doing> {
    match report {
        Report::Submitted { order, .. } | Report::Withheld { order } => Some(Doing::Submit(*order)),
        Report::Looked { order, .. } => Some(Doing::Look(*order)),
        Report::Canceled { order, .. } => Some(Doing::Cancel(*order)),
        Report::Fill(_) => None,
    }
}

/// How long after one renewal the next is due.
pub(super) fn renew_every(terms: LeaseTerms) -> Duration {
    terms.heartbeat.checked_div(RENEWALS).unwrap_or(Duration::ZERO)
}

/// Asks for one order. "Absent" counts only if the list of open orders agrees.
async fn look(broker: &dyn Broker, account: &AccountId, order: ClientOrderId) -> Result<Lookup, BrokerError> {
    match broker.order(account, order).await? {
        Lookup::Absent => {
            let page = broker.open_orders(account).await?;
            let listed = page.orders.into_iter().find(|view| view.id == order);
            Ok(match listed {
                Some(view) => Lookup::Found(view),
                None if page.complete => Lookup::Absent,
                None => Lookup::Unproven,
            })
        }
        known @ (Lookup::Found(_) | Lookup::Unproven) => Ok(known),
    }
}
