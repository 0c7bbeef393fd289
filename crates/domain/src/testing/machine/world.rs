//! A broker with a truth of its own, and the machine in front of it: every report is consistent with what really happened.
//!
//! What can happen next is a list ([`World::actions`]); doing one of them is a step ([`World::act`]). An exhaustive search takes all of
//! them, a random walk draws one. After every step the machine is compared with the truth.

use super::invariants::{check_due, check_records};
use super::{Machine, short, story};
use crate::batch::{Batch, OrderState, Phase};
use crate::books::Books;
use crate::decide::{Input, Report, decide};
use crate::due::{Effect, due};
use crate::order::{
    BrokerStatus, CancelAnswer, ClientOrderId, Direction, Fill, LegNumber, Lookup, NotSent, OrderFill, OrderView,
    RefusalReason, Refused, Side, SubmitAnswer, Terms, UnknownCause, booked_amount,
};
use crate::portfolio::{Portfolio, Standing, compare};
use crate::record::{Event, Outcome, Record};
use crate::testing::read;
use crate::values::{Money, Price, Quantity, Timestamp, Token, Value};
use std::collections::BTreeMap;
use std::fmt::{self, Write};

/// The machine, the time, and what is true at the broker.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) state: Portfolio,
    pub(crate) now: Timestamp,
    /// What became of every order that was ever sent.
    pub(crate) sent: BTreeMap<ClientOrderId, Truth>,
    /// What may still go wrong.
    pub(crate) limits: Limits,
    /// Cash and units at the broker before the first order.
    pub(crate) origin: Books,
    /// Whether the broker never makes two orders of one id.
    pub(crate) is_deduplicated: bool,
    /// Whether something else moved the broker's cash.
    pub(crate) is_off: bool,
    /// Whether what happens at the broker may stay hidden for a while. If not, it happens when it is asked for.
    pub(crate) hides: bool,
    /// Everything that was recorded, if anybody wants to know.
    pub(crate) journal: Option<Vec<Record>>,
    /// What every fill costs, and by how many billionths its price is off.
    pub(crate) friction: (Money, u64),
}

/// One order, as it really is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Truth {
    terms: Terms,
    /// A request is on its way and may still arrive.
    pub(crate) on_the_way: bool,
    /// Where it stands at the broker, once it has arrived.
    pub(crate) status: Option<BrokerStatus>,
    pub(crate) fills: Vec<Fill>,
    /// How many orders the broker made of this id.
    arrivals: u8,
}

/// How often each of these may still happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Limits {
    pub(crate) takeovers: u8,
    pub(crate) aborts: u8,
    /// Requests that are still on their way when they should long have arrived.
    pub(crate) zombies: u8,
    /// Comparisons that find a difference.
    pub(crate) mismatches: u8,
}

impl Limits {
    pub(crate) const NONE: Self = Self { takeovers: 0, aborts: 0, zombies: 0, mismatches: 0 };
}

/// Something that can happen.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Begin,
    Abandon,
    Abort,
    /// A new owner; with `true`, the old one had sent all that was due and heard nothing.
    TakeOver(bool),
    Submit(ClientOrderId, Sending),
    /// The worker has not sent it, and will not.
    Withhold(ClientOrderId),
    /// A request arrives that was on its way.
    Arrive(ClientOrderId),
    /// A request that was on its way is lost.
    Vanish(ClientOrderId),
    Execute(ClientOrderId, Share),
    Expire(ClientOrderId),
    Reject(ClientOrderId),
    Look(ClientOrderId, Looking),
    Cancel(ClientOrderId),
    /// The broker lists all fills there are, once more.
    List,
    /// Fills, then books and broker are compared. With `true`, something else moved the broker's cash.
    Compare(bool),
    Wake(Timestamp),
}

/// What a submission comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sending {
    Filled,
    Taken,
    TakenInPart,
    Refused,
    NotSent,
    /// No answer, and the order is with the broker.
    LostAnswer,
    /// No answer, and it may still arrive.
    OnTheWay,
}

/// How much is executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Share {
    Half,
    Rest,
}

/// What a question is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Looking {
    Truth,
    /// The status and the sum, without the last fill.
    FillsLag,
    /// The truth, after half of what is left was executed.
    Half,
    /// The truth, after all that is left was executed.
    Rest,
    /// All that is left was executed, and the last fill is not listed yet.
    RestLags,
    /// The truth, after it expired.
    Expired,
    /// The truth, after it was rejected.
    Rejected,
}

impl World {
    /// A broker that has what the books say, in front of a portfolio with a batch that was just opened.
    pub(crate) fn new(machine: Machine, limits: Limits) -> Self {
        let Machine { state, now, journal, .. } = machine;
        Self {
            origin: state.books.clone(),
            is_deduplicated: state.batch.as_ref().is_some_and(|batch| batch.rules().resend),
            state,
            now,
            sent: BTreeMap::new(),
            limits,
            is_off: false,
            hides: true,
            journal: Some(journal),
            friction: (Money::ZERO, 0),
        }
    }

    /// All that can happen now, the kind things first.
    pub(crate) fn actions(&self) -> Vec<Action> {
        let mut actions = Vec::new();
        let mut wake = None;
        for effect in due(&self.state, self.now) {
            match effect {
                Effect::Submit(request) => actions.extend(self.submissions(request.id)),
                Effect::Withhold(id) => actions.push(Action::Withhold(id)),
                Effect::Cancel(id) => actions.push(Action::Cancel(id)), // Fills that come before it: see `Looking`.
                Effect::Look(id) => actions.extend(self.looks(id)),
                Effect::Compare => {
                    actions.push(Action::Compare(false));
                    actions.extend((self.limits.mismatches > 0).then_some(Action::Compare(true)));
                }
                Effect::Wake(at) => wake = Some(at),
            }
        }
        for (id, truth) in &self.sent {
            let may_happen = self.hides || self.known(*id).state.is_terminal();
            actions
                .extend(truth.happenings(*id).into_iter().filter(|happening| may_happen || happening.is_on_the_way()));
        }
        let unread = self.sent.iter().any(|(id, truth)| self.known(*id).fills.len() < truth.fills.len());
        actions.extend(unread.then_some(Action::List));
        actions.extend(wake.filter(|at| self.may_wake(*at)).map(Action::Wake));
        if let Some(batch) = &self.state.batch {
            if batch.phase == Phase::Planned {
                actions.extend([Action::Begin, Action::Abandon]);
            }
            if self.limits.aborts > 0 {
                actions.push(Action::Abort);
            }
            if self.limits.takeovers > 0 {
                actions.push(Action::TakeOver(false));
                actions.extend((!self.unsent().is_empty()).then_some(Action::TakeOver(true)));
            }
        } else if self.state.standing != Standing::Stale {
            actions.push(Action::Compare(false));
            actions.extend((self.limits.mismatches > 0).then_some(Action::Compare(true)));
        }
        actions
    }

    fn submissions(&self, id: ClientOrderId) -> Vec<Action> {
        let all: &[Sending] = match self.sent.get(&id) {
            // The same id again: the broker has it, or is about to.
            Some(truth) if truth.status.is_some() => &[Sending::Taken, Sending::LostAnswer],
            // The others come to one of these and what happens next.
            _ if !self.hides => {
                &[Sending::Filled, Sending::Taken, Sending::Refused, Sending::NotSent, Sending::OnTheWay]
            }
            _ => &[
                Sending::Filled,
                Sending::Taken,
                Sending::TakenInPart,
                Sending::Refused,
                Sending::NotSent,
                Sending::LostAnswer,
                Sending::OnTheWay,
            ],
        };
        all.iter().map(|sending| Action::Submit(id, *sending)).collect()
    }

    fn looks(&self, id: ClientOrderId) -> Vec<Action> {
        let mut looks = vec![Action::Look(id, Looking::Truth)];
        let Some(truth) = self.sent.get(&id) else { return looks };
        if truth.fills.len() > self.known(id).fills.len() {
            looks.push(Action::Look(id, Looking::FillsLag));
        }
        if !self.hides && truth.status == Some(BrokerStatus::Working) {
            let all = [Looking::Rest, Looking::Half, Looking::RestLags, Looking::Expired, Looking::Rejected];
            looks.extend(
                all.into_iter().filter(|l| *l != Looking::Half || truth.can_be_halved()).map(|l| Action::Look(id, l)),
            );
        }
        looks
    }

    /// Requests arrive or are lost while they may be under way, unless one is left over from a frozen worker.
    fn may_wake(&self, at: Timestamp) -> bool {
        let late = |id: &ClientOrderId, truth: &Truth| {
            let quiet = match self.known(*id).state {
                OrderState::UnknownInFlight { quiet_at } => at >= quiet_at && self.now < quiet_at,
                _ => false,
            };
            truth.on_the_way && quiet
        };
        let late = self.sent.iter().filter(|(id, truth)| late(id, truth)).count();
        late <= usize::from(self.limits.zombies)
    }

    fn unsent(&self) -> Vec<(ClientOrderId, Terms)> {
        let effects = due(&self.state, self.now).into_iter();
        let unsent = effects
            .filter_map(|effect| if let Effect::Submit(order) = effect { Some((order.id, order.terms)) } else { None });
        unsent.collect()
    }

    /// What the machine knows of an order that was sent.
    fn known(&self, id: ClientOrderId) -> &crate::batch::Order {
        let batch = self.state.batch.as_ref().filter(|batch| batch.id == id.batch);
        let batch: Option<&Batch> = batch.or_else(|| self.state.closed_batch(id));
        batch.and_then(|batch| batch.orders.get(&id)).unwrap()
    }

    /// Does one of the [`actions`](World::actions), and tells what was recorded.
    pub(crate) fn act(&mut self, action: Action) -> Vec<Record> {
        match action {
            Action::Begin => self.step(Input::Begin),
            Action::Abandon => self.step(Input::Abandon { why: "stopping".to_owned() }),
            Action::Abort => {
                self.limits.aborts -= 1;
                // One that comes too late is refused, and changes nothing.
                self.try_step(Input::Abort { who: "ann".to_owned(), why: "no".to_owned() })
            }
            Action::TakeOver(sent) => {
                self.limits.takeovers -= 1;
                for (id, terms) in if sent { self.unsent() } else { Vec::new() } {
                    self.truth(id, terms).on_the_way = true;
                }
                self.step(Input::TakeOver { token: Token::new(2), owner: read("successor") })
            }
            Action::Submit(id, sending) => {
                let answer = self.submit(id, sending);
                let seen = matches!(answer, SubmitAnswer::Acknowledged(_));
                self.tell(Report::Submitted { order: id, answer }, seen)
            }
            Action::Withhold(id) => self.tell(Report::Withheld { order: id }, true),
            Action::Arrive(id) => self.happen(id, Truth::arrive),
            Action::Vanish(id) => self.happen(id, |truth| truth.on_the_way = false),
            Action::Execute(id, share) => {
                let friction = self.friction;
                self.happen(id, |truth| truth.execute(id, share, friction))
            }
            Action::Expire(id) => self.happen(id, |truth| truth.status = Some(BrokerStatus::Expired)),
            Action::Reject(id) => self.happen(id, |truth| truth.status = Some(BrokerStatus::Rejected)),
            Action::Look(id, looking) => self.look(id, looking),
            Action::Cancel(id) => self.cancel(id),
            Action::List => self.list(),
            Action::Compare(off) => self.compare(off),
            Action::Wake(at) => {
                let zombies = self.sent.iter().filter(|(id, truth)| {
                    let quiet = |state| matches!(state, OrderState::UnknownInFlight { quiet_at } if at >= quiet_at && self.now < quiet_at);
                    truth.on_the_way && quiet(self.known(**id).state)
                });
                let zombies = u8::try_from(zombies.count()).unwrap();
                self.limits.zombies = self.limits.zombies.saturating_sub(zombies);
                self.now = at;
                self.step(Input::Tick { hold: false })
            }
        }
    }

    fn happen(&mut self, id: ClientOrderId, change: impl FnOnce(&mut Truth)) -> Vec<Record> {
        change(self.sent.get_mut(&id).unwrap());
        Vec::new()
    }

    fn truth(&mut self, id: ClientOrderId, terms: Terms) -> &mut Truth {
        let new = Truth { terms, on_the_way: false, status: None, fills: Vec::new(), arrivals: 0 };
        self.sent.entry(id).or_insert(new)
    }

    fn submit(&mut self, id: ClientOrderId, sending: Sending) -> SubmitAnswer {
        let terms = self.known(id).terms;
        let friction = self.friction;
        let truth = self.truth(id, terms);
        let is_there = truth.status.is_some();
        match sending {
            Sending::Refused => {
                truth.on_the_way = false;
                return SubmitAnswer::Refused(Refused { reason: RefusalReason::NotTradable, message: "no".to_owned() });
            }
            Sending::NotSent => return SubmitAnswer::NotSent(NotSent::Unreachable),
            Sending::OnTheWay => truth.on_the_way = true,
            Sending::Filled | Sending::Taken | Sending::TakenInPart | Sending::LostAnswer => truth.arrive(),
        }
        match sending {
            Sending::OnTheWay | Sending::LostAnswer => return SubmitAnswer::Unknown(UnknownCause::Timeout),
            Sending::Filled => truth.execute(id, Share::Rest, friction),
            Sending::TakenInPart => truth.execute(id, Share::Half, friction),
            Sending::Refused | Sending::NotSent | Sending::Taken => {}
        }
        if is_there {
            SubmitAnswer::AlreadyExists
        } else {
            SubmitAnswer::Acknowledged(self.view(id, Looking::Truth).unwrap())
        }
    }

    fn look(&mut self, id: ClientOrderId, looking: Looking) -> Vec<Record> {
        let friction = self.friction;
        if let Some(truth) = self.sent.get_mut(&id) {
            match looking {
                Looking::Truth | Looking::FillsLag => {}
                Looking::Half => truth.execute(id, Share::Half, friction),
                Looking::Rest | Looking::RestLags => truth.execute(id, Share::Rest, friction),
                Looking::Expired => truth.status = Some(BrokerStatus::Expired),
                Looking::Rejected => truth.status = Some(BrokerStatus::Rejected),
            }
        }
        match self.view(id, looking) {
            Some(view) => self.tell(Report::Looked { order: id, lookup: Lookup::Found(view) }, true),
            None => self.tell(Report::Looked { order: id, lookup: Lookup::Absent }, false),
        }
    }

    fn view(&self, id: ClientOrderId, looking: Looking) -> Option<OrderView> {
        let truth = self.sent.get(&id)?;
        let status = truth.status.clone()?;
        let Terms { symbol, side, quantity, .. } = truth.terms;
        let mut fills = truth.fills.clone();
        if looking == Looking::FillsLag || looking == Looking::RestLags {
            fills.pop();
        }
        Some(OrderView { id, symbol, side, quantity, status, filled: truth.filled(), fills })
    }

    fn cancel(&mut self, id: ClientOrderId) -> Vec<Record> {
        let view = self.view(id, Looking::Truth);
        let Some(truth) = self.sent.get_mut(&id).filter(|truth| truth.status.is_some()) else {
            return self.tell(Report::Canceled { order: id, answer: CancelAnswer::NoSuchOrder }, true);
        };
        if truth.status == Some(BrokerStatus::Working) {
            truth.status = Some(BrokerStatus::Canceled);
            return self.tell(Report::Canceled { order: id, answer: CancelAnswer::Requested }, true);
        }
        self.tell(Report::Canceled { order: id, answer: CancelAnswer::AlreadyTerminal(view.unwrap()) }, true)
    }

    fn list(&mut self) -> Vec<Record> {
        let reports = self.fills();
        self.step(Input::Reports { reports, hold: false })
    }

    fn fills(&self) -> Vec<Report> {
        let listed = self.sent.iter().flat_map(|(id, truth)| {
            let Terms { symbol, side, .. } = truth.terms;
            truth.fills.iter().map(move |fill| OrderFill { order: Some(*id), symbol, side, fill: fill.clone() })
        });
        listed.map(Report::Fill).collect()
    }

    fn compare(&mut self, off: bool) -> Vec<Record> {
        if off {
            self.limits.mismatches -= 1;
            self.is_off = true;
        }
        let mut broker = self.broker();
        if self.is_off {
            broker.cash = broker.cash.add(Money::CENT).unwrap();
        }
        let mut records = self.list();
        let more = match self.state.batch {
            Some(_) => self.step(Input::Settle { broker: &broker, fills_read: None }),
            None => self.step(Input::Confirm { broker: &broker, currency: read("USD") }),
        };
        records.extend(more);
        records
    }

    /// Cash and units at the broker: what was there, and every execution.
    pub(crate) fn broker(&self) -> Books {
        let mut books = self.origin.clone();
        for truth in self.sent.values() {
            let value = Value::sum(truth.fills.iter().map(Fill::value)).unwrap();
            let amount = booked_amount(Value::ZERO, value).unwrap();
            let fees = Money::sum(truth.fills.iter().map(|fill| fill.fee)).unwrap();
            let (units, moved) = match truth.terms.side {
                Side::Buy => (books.add_units(truth.terms.symbol, truth.filled()), books.cash.sub(amount)),
                Side::Sell => (books.remove_units(truth.terms.symbol, truth.filled()), books.cash.add(amount)),
            };
            units.unwrap();
            books.cash = moved.unwrap().sub(fees).unwrap();
        }
        books
    }

    /// Reports something. What shows an order as it is may come twice: the second time changes nothing.
    fn tell(&mut self, report: Report, is_idempotent: bool) -> Vec<Record> {
        let mut records = self.step(Input::Reports { reports: vec![report.clone()], hold: false });
        if is_idempotent {
            let again = self.step(Input::Reports { reports: vec![report], hold: false });
            assert_eq!(again, [], "a repeated report changed something");
            records.extend(again);
        }
        records
    }

    fn step(&mut self, input: Input<'_>) -> Vec<Record> {
        let refused = |refusal| panic!("{refusal}: {self:?}");
        let records = decide(&self.state, self.now, input).unwrap_or_else(refused);
        check_records(&mut self.state, &records);
        self.check_truth(&records);
        if let Some(journal) = &mut self.journal {
            journal.extend(records.iter().cloned());
        }
        records
    }

    fn try_step(&mut self, input: Input<'_>) -> Vec<Record> {
        if decide(&self.state, self.now, input.clone()).is_err() { Vec::new() } else { self.step(input) }
    }

    /// Books never claim what did not happen, and a batch that ended well ended well at the broker.
    fn check_truth(&self, records: &[Record]) {
        check_due(&self.state, self.now, false);
        for (id, truth) in &self.sent {
            let order = self.known(*id);
            assert!(order.fills.iter().all(|known| truth.fills.iter().any(|fill| fill.id == *known)), "{}", short(*id));
            assert!(self.is_deduplicated || truth.arrivals <= 1, "{} became two orders: {self:?}", short(*id));
        }
        for record in records {
            let Event::Closed(closing) = &record.event else { continue };
            if closing.outcome == Outcome::Stale {
                continue;
            }
            // Settled means that nothing more was executed than what is booked.
            assert_eq!(compare(&self.state.books, &self.broker()), [], "{closing:?}");
            for (id, truth) in &self.sent {
                assert_eq!(self.known(*id).filled, truth.filled(), "{} in {closing:?}", short(*id));
            }
            if closing.outcome == Outcome::Restored {
                assert_eq!(crate::portfolio::compare_units(&self.origin, &self.broker()), []);
            }
        }
    }

    /// What tells this world from another, as far as anything that can still happen depends on it. Times count from now, and those
    /// that have passed are alike; ids, tokens and words do not count, and nothing of an order that is over but what it executed.
    pub(crate) fn key(&self) -> String {
        let left = |at: Timestamp| if at > self.now { at.since(self.now).as_secs() } else { 0 };
        let mut key = self.state.standing.name().to_owned();
        let closed = self.state.closed.last().map(AsRef::as_ref);
        let Some(batch) = self.state.batch.as_ref().or(closed) else { return key };
        let rules = batch.rules();
        match (&batch.closing, batch.phase) {
            (Some(closing), _) => write!(key, " {}", closing.outcome.name()).unwrap(),
            (None, Phase::Settling { outcome, since }) => {
                write!(key, " {}{}", outcome.name(), left(since.plus(rules.settle_within))).unwrap();
            }
            (None, phase) => write!(key, " {phase:?}").unwrap(),
        }
        if self.limits != Limits::NONE {
            let age = self.now.since(batch.opened_at);
            write!(key, " {:?}{:?}{}", self.limits, rules.resume_max.checked_sub(age), self.is_off).unwrap();
        }
        if self.state.standing == Standing::Stale || batch.closing.is_some() && self.is_quiet() {
            return key;
        }
        for leg in &batch.opening.legs {
            for direction in [Direction::Forward, Direction::Reverse] {
                self.write_attempts(&mut key, batch, leg.number, direction);
            }
        }
        key
    }

    /// What counts of one leg's orders one way: what they executed together, how many there are, and whatever is not over.
    fn write_attempts(&self, key: &mut String, batch: &Batch, leg: LegNumber, direction: Direction) {
        let left = |at: Timestamp| if at > self.now { at.since(self.now).as_secs() } else { 0 };
        let patience = batch.rules().patience;
        let is_forward = matches!(batch.phase, Phase::Forward(_));
        let Some((last, _)) = batch.last_attempt(leg, direction) else { return };
        let attempts = if is_forward || direction == Direction::Reverse { last.attempt.get() } else { 0 };
        write!(key, "|{leg}{direction:?} {} {attempts}", batch.executed(leg, direction).unwrap()).unwrap();
        for (id, order) in batch.attempts_of(leg, direction) {
            let truth = self.sent.get(id);
            let on_the_way = truth.is_some_and(|truth| truth.on_the_way && truth.status.is_none());
            let hidden = truth.map_or(0, |truth| truth.fills.len() - order.fills.len());
            let status = truth.and_then(|truth| truth.status.clone());
            let is_working = status == Some(BrokerStatus::Working);
            let is_last_word = order.state.is_terminal() && order.state != OrderState::AssumedNotExecuted;
            if is_last_word && !on_the_way && !is_working && hidden == 0 {
                // Only an order that was not sent is tried again.
                write!(key, "{}", if is_forward && id == last { order.state.name() } else { "" }).unwrap();
                continue;
            }
            let state = match order.state {
                OrderState::UnknownInFlight { quiet_at } => left(quiet_at) + 1,
                OrderState::CancelRequested { since } => left(since.plus(patience)),
                _ => 0,
            };
            let gives_up =
                order.unknown_since.filter(|_| !order.state.is_terminal()).map(|since| left(since.plus(patience)));
            let times = (state, left(order.send_at), left(order.deadline), gives_up);
            let times = if order.state.is_terminal() { (0, 0, 0, None) } else { times };
            write!(key, " {} {}/{} {} ", order.state.name(), order.filled, order.terms.quantity, order.denials)
                .unwrap();
            write!(key, "{times:?}{on_the_way}{hidden}{status:?}").unwrap();
        }
    }

    /// True if nothing can come any more that the machine does not know.
    pub(crate) fn is_quiet(&self) -> bool {
        self.sent.iter().all(|(id, truth)| {
            let ended = truth.status.as_ref().is_none_or(|status| *status != BrokerStatus::Working);
            ended && !truth.on_the_way && self.known(*id).fills.len() == truth.fills.len()
        })
    }
}

impl Truth {
    fn filled(&self) -> Quantity {
        self.fills.iter().fold(Quantity::ZERO, |sum, fill| sum.add(fill.quantity).unwrap())
    }

    /// The broker takes it; of the same id it makes no second one.
    fn arrive(&mut self) {
        self.on_the_way = false;
        self.arrivals += 1;
        self.status.get_or_insert(BrokerStatus::Working);
    }

    /// One unit is executed as a whole, so that exploring comes to an end; so is the last decimal.
    fn can_be_halved(&self) -> bool {
        self.fills.is_empty() && self.terms.quantity != read("1") && self.terms.quantity > Quantity::STEP
    }

    /// Executes half of what is left, or all of it.
    fn execute(&mut self, id: ClientOrderId, share: Share, (fee, off): (Money, u64)) {
        let left = self.terms.quantity.sub(self.filled()).unwrap();
        let half = Quantity::from_nanos(left.nanos() / 2).unwrap();
        let quantity = if share == Share::Half && self.can_be_halved() { half } else { left };
        let name = format!("{}-{}", short(id), self.fills.len());
        let at = Timestamp::EPOCH;
        let price = Price::from_nanos(self.terms.reference.nanos() + off).unwrap();
        self.fills.push(Fill { id: read(&name), quantity, price, fee, at });
        if self.filled() == self.terms.quantity {
            self.status = Some(BrokerStatus::Filled);
        }
    }

    /// What can happen to it at the broker.
    fn happenings(&self, id: ClientOrderId) -> Vec<Action> {
        let mut happenings = Vec::new();
        if self.on_the_way && self.status.is_none() {
            happenings.extend([Action::Arrive(id), Action::Vanish(id)]);
        }
        if self.status == Some(BrokerStatus::Working) {
            happenings.push(Action::Execute(id, Share::Rest));
            happenings.extend(self.can_be_halved().then_some(Action::Execute(id, Share::Half)));
            happenings.extend([Action::Expire(id), Action::Reject(id)]);
        }
        happenings
    }
}

impl Action {
    const fn is_on_the_way(self) -> bool {
        matches!(self, Self::Arrive(_) | Self::Vanish(_))
    }

    /// True for what a broker that is there and does its work does, and for time that passes.
    pub(crate) fn is_kind(self) -> bool {
        match self {
            Self::Begin
            | Self::Withhold(_)
            | Self::Arrive(_)
            | Self::Vanish(_)
            | Self::Cancel(_)
            | Self::List
            | Self::Wake(_) => true,
            Self::Submit(_, sending) => sending == Sending::Filled || sending == Sending::Taken,
            Self::Execute(_, share) => share == Share::Rest,
            Self::Look(_, looking) => looking == Looking::Truth || looking == Looking::Rest,
            Self::Compare(off) => !off,
            Self::Abandon | Self::Abort | Self::TakeOver(_) | Self::Expire(_) | Self::Reject(_) => false,
        }
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} at {}", story::state(&self.state), self.now)?;
        for (id, Truth { on_the_way, status, fills, .. }) in &self.sent {
            let fills: Vec<String> = fills.iter().map(|fill| fill.quantity.to_string()).collect();
            writeln!(f, "    {}: {status:?}, on the way {on_the_way}, executed {fills:?}", short(*id))?;
        }
        let journal = self.journal.iter().flatten().cloned().collect::<Vec<_>>();
        write!(f, "{}", story::records(&journal))
    }
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begin => write!(f, "begin"),
            Self::Abandon => write!(f, "abandon"),
            Self::Abort => write!(f, "abort"),
            Self::TakeOver(sent) => write!(f, "take over, sent {sent}"),
            Self::Submit(id, sending) => write!(f, "{} submit {sending:?}", short(*id)),
            Self::Withhold(id) => write!(f, "{} is withheld", short(*id)),
            Self::Arrive(id) => write!(f, "{} arrives", short(*id)),
            Self::Vanish(id) => write!(f, "{} is lost", short(*id)),
            Self::Execute(id, share) => write!(f, "{} executes {share:?}", short(*id)),
            Self::Expire(id) => write!(f, "{} expires", short(*id)),
            Self::Reject(id) => write!(f, "{} is rejected", short(*id)),
            Self::Look(id, looking) => write!(f, "{} look {looking:?}", short(*id)),
            Self::Cancel(id) => write!(f, "{} cancel", short(*id)),
            Self::List => write!(f, "list"),
            Self::Compare(off) => write!(f, "compare, off {off}"),
            Self::Wake(at) => write!(f, "wake at {at}"),
        }
    }
}
