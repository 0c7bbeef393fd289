//! A request on its way to the venue, and its answer on the way back: what is lost, slow, doubled or held happens here.

use super::accepting::Declined;
use super::{Event, Venue};
use crate::calibration::{Happening, Leg};
use crate::draws::{Concern, Key};
use crate::faults::{Course, Fault, Treatment};
use crate::orders::Known;
use crate::outages::OutageKind;
use crate::profile::{Chance, Latency, Retention};
use evenkeel_domain::order::{
    BrokerStatus, CancelAnswer, ClientOrderId, NotSent, OrderRequest, OrderView, RefusalReason, Refused, SubmitAnswer,
    UnknownCause,
};
use evenkeel_domain::values::{AccountId, Timestamp};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Where the venue leaves an answer for a caller that is still waiting, or is gone.
pub(crate) type Slot<A> = Arc<Mutex<Option<A>>>;

/// When and how the caller of a request gets its answer.
#[derive(Debug)]
pub(crate) struct Delivery<A> {
    /// Not before this moment; `None` means at once.
    pub(crate) at: Option<Timestamp>,
    /// Not before `release_held`.
    pub(crate) held: bool,
    /// Then the call panics instead.
    pub(crate) panics: bool,
    pub(crate) source: Source<A>,
}

/// Where an answer comes from.
#[derive(Debug)]
pub(crate) enum Source<A> {
    Known(A),
    Venue(Slot<A>),
}

impl<A> Delivery<A> {
    const fn now(answer: A) -> Self {
        Self { at: None, held: false, panics: false, source: Source::Known(answer) }
    }

    /// True if the caller does not get the answer at once.
    pub(crate) const fn waits(&self) -> bool {
        self.at.is_some() || self.held || self.panics
    }
}

impl<A> Source<A> {
    /// The answer; `none` if the venue left none.
    pub(crate) fn take(self, none: A) -> A {
        match self {
            Self::Known(answer) => answer,
            Self::Venue(slot) => slot.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or(none),
        }
    }
}

pub(super) fn leave<A>(slot: Option<Slot<A>>, answer: A) {
    if let Some(slot) = slot {
        *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
    }
}

impl Venue {
    /// Sends an order: one attempt.
    pub(crate) fn send(&mut self, name: &AccountId, request: &OrderRequest) -> Delivery<SubmitAnswer> {
        let now = self.now;
        let Some(place) = self.index.get(name).copied() else {
            let message = format!("there is no account {name}");
            return Delivery::now(SubmitAnswer::Refused(Refused { reason: RefusalReason::Other, message }));
        };
        // What is turned away is no send, so no rule counts it.
        let outage = self.outage();
        if outage == Some(OutageKind::Refused) {
            return Delivery::now(SubmitAnswer::NotSent(NotSent::Unreachable));
        }
        if let Err(retry_after) = self.take_token(place) {
            return Delivery::now(SubmitAnswer::NotSent(NotSent::RateLimited { retry_after }));
        }
        let mut treatment = self.script.treatment(name, request);
        if let Some(why) = treatment.not_sent {
            return Delivery::now(SubmitAnswer::NotSent(why));
        }
        treatment.answer_lost |= outage == Some(OutageKind::Silent);
        let key = Key::new(name, request.id);
        let occurrence = self.note_send(place, request.id, treatment.questions_fail);
        if self.is_random {
            self.draw_faults(key, occurrence, &mut treatment);
        }
        let (to, back) = ((Leg::ToVenue, Concern::TO_VENUE), (Leg::Back, Concern::BACK));
        let way = self.takes(to, place, request.id, occurrence, self.profile.to_venue);
        let back = self.takes(back, place, request.id, occurrence, self.profile.back);
        let arrives = now.plus(way).plus(treatment.slow.unwrap_or_default());
        let second = treatment
            .doubled
            .then(|| arrives.plus(self.draws.latency(Concern::SECOND_COPY, key, occurrence, self.profile.to_venue)));
        let answered = second.unwrap_or(arrives).plus(back);
        treatment.answer_lost |= !self.is_in_time(answered);
        let answer = match (treatment.request_lost, second) {
            (true, _) => Source::Known(SubmitAnswer::Unknown(UnknownCause::Timeout)),
            (false, None) => self.carry(place, request, &treatment, arrives),
            (false, Some(second)) => {
                // The caller hears the answer to the second copy.
                drop(self.carry(place, request, &treatment, arrives));
                self.carry(place, request, &treatment, second)
            }
        };
        let answer = match treatment.unknown {
            Some(cause) => Source::Known(SubmitAnswer::Unknown(cause)),
            None => answer,
        };
        let lost = treatment.request_lost || treatment.answer_lost;
        let mut delivery = self.deliver(answered, lost, answer, SubmitAnswer::Unknown(UnknownCause::Timeout));
        (delivery.held, delivery.panics) = (treatment.held, treatment.panics);
        if let (false, Source::Known(SubmitAnswer::Acknowledged(view))) = (delivery.waits(), &delivery.source) {
            self.handed_out(place, view);
        }
        delivery
    }

    /// Notes that a caller who has waited for this view sees its fills.
    pub(crate) fn heard(&mut self, account: &AccountId, view: &OrderView) {
        if let Some(place) = self.index.get(account).copied() {
            self.handed_out(place, view);
        }
    }

    /// Notes that a caller has seen the fills of this view.
    fn handed_out(&mut self, account: usize, view: &OrderView) {
        if view.fills.is_empty() || self.profile.retention == Retention::Everything {
            return;
        }
        if let Some(account) = self.accounts.get_mut(account)
            && let Known::Order(order) = account.book.find(view.id)
        {
            order.hand_out(view.fills.len());
        }
    }

    /// Brings a copy of a request to the venue, at once or later.
    fn carry(
        &mut self,
        account: usize,
        request: &OrderRequest,
        treatment: &Treatment,
        at: Timestamp,
    ) -> Source<SubmitAnswer> {
        if at <= self.now {
            return Source::Known(self.arrive(account, request, treatment, at));
        }
        let slot = Slot::default();
        let treatment = Box::new(treatment.clone());
        self.schedule(at, Event::Arrival { account, request: *request, treatment, slot: Some(Arc::clone(&slot)) });
        Source::Venue(slot)
    }

    /// Whether a caller of now still waits for an answer that comes then.
    fn is_in_time(&self, answered: Timestamp) -> bool {
        answered <= self.now.plus(self.profile.timeout)
    }

    /// An answer that comes too late or not at all is a timeout, known at the end of the caller's patience.
    fn deliver<A>(&self, answered: Timestamp, lost: bool, source: Source<A>, timeout: A) -> Delivery<A> {
        let patience = self.now.plus(self.profile.timeout);
        let (at, source) =
            if lost || !self.is_in_time(answered) { (patience, Source::Known(timeout)) } else { (answered, source) };
        Delivery { at: (at > self.now).then_some(at), held: false, panics: false, source }
    }

    pub(super) fn arrival(
        &mut self,
        account: usize,
        request: &OrderRequest,
        treatment: &Treatment,
        slot: Option<Slot<SubmitAnswer>>,
        at: Timestamp,
    ) {
        let answer = self.arrive(account, request, treatment, at);
        leave(slot, answer);
    }

    /// Handles a request at the venue; what it makes happen at once has happened when its answer is made.
    fn arrive(&mut self, account: usize, request: &OrderRequest, treatment: &Treatment, at: Timestamp) -> SubmitAnswer {
        match self.accept(account, request, treatment, at) {
            Ok(key) => {
                if treatment.course != Some(Course::Rejected) {
                    self.advance_to(at);
                }
                let heard = !treatment.answer_lost && treatment.unknown.is_none();
                let account = self.accounts.get_mut(account).filter(|_| heard);
                let view = account.and_then(|account| {
                    account.reveal(at);
                    account.book.get_mut(key)?.view(at)
                });
                view.map_or(SubmitAnswer::Unknown(UnknownCause::BrokerError), SubmitAnswer::Acknowledged)
            }
            Err(Declined::AlreadyExists) => SubmitAnswer::AlreadyExists,
            Err(Declined::Refused(refused)) => {
                self.turn_away(account, request, &refused);
                SubmitAnswer::Refused(refused)
            }
        }
    }

    /// What is due at `at` happens, though the venue may be on its way to a later time.
    fn advance_to(&mut self, at: Timestamp) {
        while let Some(entry) = self.queue.first_entry().filter(|entry| entry.key().0 <= at) {
            let ((due, _), event) = entry.remove_entry();
            self.happen(event, due);
        }
    }

    /// A refusal is a proof: copies of the same request that are still under way are refused with it.
    fn turn_away(&mut self, place: usize, same: &OrderRequest, why: &Refused) {
        self.queue.retain(|_, event| match event {
            Event::Arrival { account, request, slot, .. } if *account == place && request == same => {
                leave(slot.take(), SubmitAnswer::Refused(why.clone()));
                false
            }
            Event::Arrival { .. } | Event::CancelArrival { .. } | Event::Execution { .. } | Event::End { .. } => true,
        });
    }

    /// Takes the right to send one request, where that is limited; or says how long until there is one.
    fn take_token(&mut self, place: usize) -> Result<(), Duration> {
        let now = self.now;
        match (self.profile.rate_limit, self.accounts.get_mut(place)) {
            (Some(limit), Some(account)) => account.bucket.take(now, limit),
            _ => Ok(()),
        }
    }

    /// Counts a send, and tells how often this id was sent before.
    fn note_send(&mut self, account: usize, id: ClientOrderId, questions_fail: Option<u32>) -> u32 {
        let now = self.now;
        let Some(account) = self.accounts.get_mut(account) else { return 0 };
        account.last_send = Some(now);
        account.sends = account.sends.saturating_add(1);
        account.failing = questions_fail.unwrap_or(account.failing);
        if !self.is_random {
            return 0;
        }
        let repeats = account.repeats.entry(id).or_default();
        let before = repeats.sent;
        repeats.sent = before.saturating_add(1);
        before
    }

    fn draw_faults(&mut self, key: Key<'_>, occurrence: u32, treatment: &mut Treatment) {
        let rates = self.profile.faults;
        let (requests, answers) = (rates.lost_request, rates.lost_answer);
        let drawn = [
            (Happening::LostRequest, Concern::LOST_REQUEST, requests, Fault::LoseRequest),
            (Happening::LostAnswer, Concern::LOST_ANSWER, answers, Fault::LoseAnswer),
            (Happening::Doubled, Concern::DOUBLED, rates.doubled, Fault::DoubleAnswer),
            (Happening::Refused, Concern::REFUSED, rates.refused, Fault::Refuse(RefusalReason::Other)),
            (Happening::Rejected, Concern::REJECTED, rates.rejected, Fault::RejectAfterAck),
        ];
        for (what, concern, chance, fault) in drawn {
            if chance == Chance::NEVER {
                continue;
            }
            let happens = self.draws.happens(concern, key, occurrence, chance);
            self.tally.chance(what, happens);
            if happens {
                treatment.add(fault);
            }
        }
        let late = (Happening::LateFill, Leg::LateBy, Concern::LATE_FILL, rates.late_fill, rates.late_by);
        if let Some(delay) = self.draw_delay(late, key, occurrence) {
            treatment.add(Fault::LateFill { delay });
        }
        let slow = (Happening::Slow, Leg::SlowBy, Concern::SLOW, rates.slow, rates.slow_by);
        if let Some(delay) = self.draw_delay(slow, key, occurrence) {
            treatment.add(Fault::Slow { delay });
        }
    }

    /// Whether something is delayed, and by how much.
    fn draw_delay(
        &mut self,
        (what, leg, concern, chance, by): (Happening, Leg, Concern, Chance, Latency),
        key: Key<'_>,
        occurrence: u32,
    ) -> Option<Duration> {
        if chance == Chance::NEVER {
            return None;
        }
        let mut draw = self.draws.of(concern, key, occurrence);
        let happens = draw.happens(chance);
        self.tally.chance(what, happens);
        happens.then(|| self.noted(leg, by, draw.latency(by)))
    }

    /// Sends a request to cancel an order.
    pub(crate) fn send_cancel(&mut self, name: &AccountId, id: ClientOrderId) -> Delivery<CancelAnswer> {
        let Some(place) = self.index.get(name).copied() else {
            return Delivery::now(CancelAnswer::NoSuchOrder);
        };
        let outage = self.outage();
        if outage == Some(OutageKind::Refused) {
            return Delivery::now(CancelAnswer::NotSent(NotSent::Unreachable));
        }
        if let Some(why) = self.unsent_cancel(place, id) {
            return Delivery::now(CancelAnswer::NotSent(why));
        }
        if let Err(retry_after) = self.take_token(place) {
            return Delivery::now(CancelAnswer::NotSent(NotSent::RateLimited { retry_after }));
        }
        let (lost, answer_lost, occurrence) = self.note_cancel(place, id);
        let timeout = CancelAnswer::Unknown(UnknownCause::Timeout);
        let (to, back) = ((Leg::ToVenue, Concern::CANCEL_TO_VENUE), (Leg::Back, Concern::CANCEL_BACK));
        let way = self.takes(to, place, id, occurrence, self.profile.to_venue);
        let back = self.takes(back, place, id, occurrence, self.profile.back);
        let arrives = self.now.plus(way);
        let answered = arrives.plus(back);
        let heard = !answer_lost && outage != Some(OutageKind::Silent) && self.is_in_time(answered);
        let source = if lost {
            Source::Known(timeout.clone())
        } else if way == Duration::ZERO {
            Source::Known(self.cancel(place, id, occurrence, heard, arrives))
        } else {
            let slot = Slot::default();
            let left = Some(Arc::clone(&slot));
            self.schedule(arrives, Event::CancelArrival { account: place, id, occurrence, heard, slot: left });
            Source::Venue(slot)
        };
        self.deliver(answered, lost || !heard, source, timeout)
    }

    /// Why this cancel is not sent, if that was scripted: once.
    fn unsent_cancel(&mut self, account: usize, id: ClientOrderId) -> Option<NotSent> {
        match self.accounts.get_mut(account)?.book.find(id) {
            Known::Order(order) => order.cancel.not_sent.take(),
            Known::Nothing | Known::Forgotten(_) => None,
        }
    }

    fn note_cancel(&mut self, account: usize, id: ClientOrderId) -> (bool, bool, u32) {
        let Some(account) = self.accounts.get_mut(account) else { return (false, false, 0) };
        let (lost, answer_lost) = match account.book.find(id) {
            Known::Order(order) => (order.cancel.lost, order.cancel.answer_lost),
            Known::Nothing | Known::Forgotten(_) => (false, false),
        };
        let occurrence = account.repeats.get_mut(&id).map_or(0, |repeats| {
            repeats.canceled = repeats.canceled.saturating_add(1);
            repeats.canceled
        });
        (lost, answer_lost, occurrence)
    }

    /// Handles a request to cancel at the venue: the order ends a little later, unless it is executed before. Only an answer that is
    /// `heard` ends the lag of what it shows.
    pub(super) fn cancel(
        &mut self,
        account: usize,
        id: ClientOrderId,
        occurrence: u32,
        heard: bool,
        at: Timestamp,
    ) -> CancelAnswer {
        let leg = (Leg::AtVenue, Concern::CANCEL_AT_VENUE);
        let delay = self.takes(leg, account, id, occurrence, self.profile.at_venue);
        let Some(owner) = self.accounts.get_mut(account) else { return CancelAnswer::NoSuchOrder };
        let order = match owner.book.find(id) {
            Known::Nothing => return CancelAnswer::NoSuchOrder,
            Known::Forgotten(_) => return CancelAnswer::Unknown(UnknownCause::BrokerError),
            Known::Order(order) => order,
        };
        if !order.is_open() {
            let key = order.key();
            if !heard {
                return CancelAnswer::Unknown(UnknownCause::Timeout);
            }
            owner.reveal(at);
            let view = owner.book.get_mut(key).and_then(|order| order.view(at));
            return view.map_or(CancelAnswer::NoSuchOrder, CancelAnswer::AlreadyTerminal);
        }
        if !order.cancel.requested {
            order.cancel.requested = true;
            let delay = delay.saturating_add(order.cancel.slow.unwrap_or_default());
            let key = order.key();
            self.schedule(at.plus(delay), Event::End { account, key, status: BrokerStatus::Canceled });
        }
        CancelAnswer::Requested
    }
}
