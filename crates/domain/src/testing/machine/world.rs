//! A broker with a truth of its own, and the machine in front of it: every report is consistent with what really happened.
//!
//! What can happen next is a list ([`World::actions`]); doing one of them is a step ([`World::act`]). An exhaustive search takes all of
//! them, a random walk draws one. After every step the machine is compared with the truth.

mod actions;
mod key;
mod truth;

pub(crate) use actions::{Action, Looking, Sending, Share};
pub(crate) use truth::Truth;

use super::invariants::{check_due, check_records};
use super::{Machine, short, story};
use crate::batch::{Batch, OrderState};
use crate::books::Books;
use crate::decide::{Hold, Input, Report, decide};
use crate::order::{
    BrokerStatus, CancelAnswer, ClientOrderId, Fill, Lookup, NotSent, OrderFill, OrderView, RefusalReason, Refused,
    Side, SubmitAnswer, Terms, UnknownCause, booked_amount,
};
use crate::portfolio::{Portfolio, compare};
use crate::record::{Event, Outcome, Record};
use crate::testing::read;
use crate::values::{Money, Timestamp, Token, Value};
use std::collections::BTreeMap;
use std::fmt;

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

    /// What the machine knows of an order that was sent.
    fn known(&self, id: ClientOrderId) -> &crate::batch::Order {
        let batch = self.state.batch.as_ref().filter(|batch| batch.id == id.batch);
        let batch: Option<&Batch> = batch.or_else(|| self.state.closed_batch(id));
        batch.and_then(|batch| batch.orders.get(id)).unwrap()
    }

    /// Does one of the [`actions`](World::actions), and tells what was recorded.
    pub(crate) fn act(&mut self, action: Action) -> Vec<Record> {
        match action {
            Action::Begin => self.step(Input::Begin { newest: &crate::books::Prices::default() }),
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
                self.step(Input::TakeOver { token: Token::new(2), owner: read("successor"), hold: Hold::Nothing })
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
                self.step(Input::Tick { hold: Hold::Nothing })
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
        self.step(Input::Reports { reports: &reports, hold: Hold::Nothing })
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
            None => self.step(Input::Confirm { broker: &broker, currency: read("USD"), lost: &[] }),
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
        let mut records = self.step(Input::Reports { reports: std::slice::from_ref(&report), hold: Hold::Nothing });
        if is_idempotent {
            let again = self.step(Input::Reports { reports: std::slice::from_ref(&report), hold: Hold::Nothing });
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
        check_due(&self.state, self.now, Hold::Nothing);
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

    /// True if nothing can come any more that the machine does not know.
    pub(crate) fn is_quiet(&self) -> bool {
        self.sent.iter().all(|(id, truth)| {
            let ended = truth.status.as_ref().is_none_or(|status| *status != BrokerStatus::Working);
            ended && !truth.on_the_way && self.known(*id).fills.len() == truth.fills.len()
        })
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
