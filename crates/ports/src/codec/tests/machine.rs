//! Journals as the machine makes them: batches under reports that nobody planned.

use evenkeel_domain::allocation::{Target, TargetAllocation};
use evenkeel_domain::books::{Books, Definition, Market, Prices, Quote};
use evenkeel_domain::decide::{Hold, Input, Report, ResolveAction, ResolveRequest, step};
use evenkeel_domain::limits::{Facts, Limits};
use evenkeel_domain::order::{
    Attempt, BatchId, BrokerStatus, Capabilities, ClientOrderId, Costs, Direction, Duplicates, Fill, LegNumber, Lookup,
    NotSent, OrderFill, OrderView, RefusalReason, Refused, Side, SubmitAnswer, UnknownCause,
};
use evenkeel_domain::plan::{Plan, Trigger, Venue, plan};
use evenkeel_domain::policy::Policy;
use evenkeel_domain::portfolio::Portfolio;
use evenkeel_domain::record::{Event, Movement, PauseRule, Record, Rules};
use evenkeel_domain::values::{Lot, Money, Quantity, Sequence, StoreId, Symbol, Timestamp, Token};
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

pub(super) fn read<T: FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

pub(super) fn books() -> Books {
    Books::new(read("1000.00"), [(read("META"), read("12.5")), (read("AAPL"), read("0.000000001"))])
}

pub(super) fn definition() -> Definition {
    let weights = [("META", "33.33"), ("AAPL", "33.33"), ("CASH", "33.34")];
    let weights = weights.map(|(target, weight)| (target.parse::<Target>().unwrap(), read(weight)));
    let allocation = TargetAllocation::new(weights).unwrap();
    Definition { account: read("account-1"), currency: read("USD"), allocation, policy: Policy::default() }
}

pub(super) fn rules() -> Rules {
    Rules {
        attempts: 3,
        delay: Duration::from_secs(5),
        order_deadline: Duration::from_secs(60),
        quiescence: Duration::from_millis(500),
        resume_max: Duration::from_secs(30),
        patience: Duration::from_secs(600),
        settle_within: Duration::from_secs(120),
        watch: Duration::from_secs(345_600),
        pause: PauseRule { first: Duration::from_secs(900), longest: Duration::from_secs(86_400) },
        resend: true,
        costs: Costs { bps: 10, per_order: read("0.35"), minimum: read("1.00") },
        collar_bps: 25,
        minimum: read("1.00"),
        held_back: read("12.34"),
        limits: Limits { day: Some(read("1000000.00")), batches_a_day: Some(20), ..Limits::NONE },
    }
}

pub(super) const fn facts() -> Facts {
    Facts { oldest_price: Timestamp::EPOCH, closes_at: None }
}

/// The plan of the portfolio above at these prices: sells META, buys AAPL.
pub(super) fn a_plan() -> Plan {
    let at = Timestamp::EPOCH;
    let prices =
        [("META", "440"), ("AAPL", "165.5")].map(|(symbol, price)| (read(symbol), Quote { price: read(price), at }));
    let prices: Prices = prices.into_iter().collect();
    let capabilities = Capabilities {
        name: "ideal".to_owned(),
        duplicates: Duplicates::Refused,
        costs: Costs::FREE,
        collar_bps: 0,
        fills_rounded: false,
        minimum_order: Money::ZERO,
        lot: Lot::FINEST,
        lots: BTreeMap::new(),
        quiescence: Duration::ZERO,
        visibility_horizon: Duration::ZERO,
    };
    let venue = Venue { capabilities: &capabilities, check: &|_| Ok(()), attempts: 3 };
    plan(&books(), &definition(), Market::ageless(&prices), venue, Trigger::Now).unwrap()
}

/// Something that may happen to the batch: the place of a leg, which order of it, and what.
type Happening = (usize, bool, u8, What);

#[derive(Debug, Clone, Copy)]
enum What {
    Taken,
    Filled,
    HalfFilled,
    Canceled,
    Refused,
    Closed,
    NotSent,
    Limited,
    Unknown,
    Exists,
    Absent,
    Withheld,
    Late,
    TakeOver,
    Abort,
    Settle,
    Differ,
    Confirm,
    Accept,
    Retry,
    Deposit,
    Wait,
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    use What as W;
    let often =
        [W::Taken, W::Filled, W::HalfFilled, W::Canceled, W::Refused, W::NotSent, W::Unknown, W::Absent, W::Settle];
    let seldom = [W::Closed, W::Limited, W::Exists, W::Withheld, W::Late, W::TakeOver, W::Abort, W::Wait];
    let at_the_end = [W::Differ, W::Confirm, W::Accept, W::Retry, W::Deposit];
    let what = prop_oneof![4 => select(often.to_vec()), 2 => select(seldom.to_vec()), 1 => select(at_the_end.to_vec())];
    prop::collection::vec((0..2_usize, prop::bool::weighted(0.7), 1..=2_u8, what), 0..25)
}

/// A journal from the adding of a portfolio through one batch and what comes after it.
pub(super) fn journals() -> impl Strategy<Value = Vec<Record>> {
    happenings().prop_map(|happenings| {
        let mut desk =
            Desk { state: Portfolio::new(read("growth")), at: Timestamp::from_nanos(1), journal: Vec::new() };
        desk.step(Input::Add { definition: definition(), books: books() });
        let (store, token) = (StoreId::new(1), Token::new(1));
        desk.step(Input::Open { store, token, plan: &a_plan(), facts: facts(), rules: rules() });
        desk.step(Input::Begin { newest: &evenkeel_domain::books::Prices::default() });
        happenings.into_iter().for_each(|happening| desk.happen(happening));
        let folded = Event::Folded(Box::new(desk.state.clone()));
        desk.journal.push(Record { at: desk.at, event: folded });
        desk.journal
    })
}

struct Desk {
    state: Portfolio,
    at: Timestamp,
    journal: Vec<Record>,
}

impl Desk {
    /// One step, if it is possible.
    fn step(&mut self, input: Input<'_>) {
        self.journal.extend(step(&mut self.state, self.at, input).unwrap_or_default());
    }

    fn happen(&mut self, (leg, forward, attempt, what): Happening) {
        let order = ClientOrderId {
            batch: BatchId::new(StoreId::new(1), &self.state.id, Sequence::new(2)),
            leg: LegNumber::new(leg).unwrap(),
            direction: if forward { Direction::Forward } else { Direction::Reverse },
            attempt: Attempt::new(attempt).unwrap(),
        };
        let broker = self.state.books.clone();
        let mut other = broker.clone();
        other.cash = Money::CENT;
        let resolve =
            |action| Input::Resolve(ResolveRequest { action, who: "ann".to_owned(), why: "\"looked\"".to_owned() });
        let answer = |answer| Some(Report::Submitted { order, answer });
        let refused = |reason| answer(SubmitAnswer::Refused(Refused { reason, message: "nö".to_owned() }));
        let report = match what {
            What::Taken => self.seen(order, BrokerStatus::Working, None),
            What::Filled => self.seen(order, BrokerStatus::Filled, Some(1)),
            What::HalfFilled => self.seen(order, BrokerStatus::Working, Some(2)),
            What::Canceled => self.seen(order, BrokerStatus::Canceled, Some(2)),
            What::Refused => refused(RefusalReason::BuyingPower),
            What::Closed => refused(RefusalReason::MarketClosed { opens_at: self.at.plus(Duration::from_secs(60)) }),
            What::NotSent => answer(SubmitAnswer::NotSent(NotSent::Unreachable)),
            What::Limited => {
                answer(SubmitAnswer::NotSent(NotSent::RateLimited { retry_after: Duration::from_millis(1) }))
            }
            What::Unknown => answer(SubmitAnswer::Unknown(UnknownCause::Garbled)),
            What::Exists => answer(SubmitAnswer::AlreadyExists),
            What::Absent => Some(Report::Looked { order, lookup: Lookup::Absent }),
            What::Withheld => Some(Report::Withheld { order }),
            What::Late => self.late(order),
            What::TakeOver => {
                return self.step(Input::TakeOver {
                    token: Token::new(9),
                    owner: read("worker-2"),
                    hold: Hold::Nothing,
                });
            }
            What::Abort => return self.step(Input::Abort { who: "ann".to_owned(), why: String::new() }),
            What::Settle => return self.step(Input::Settle { broker: &broker, fills_read: None }),
            What::Differ => return self.step(Input::Confirm { broker: &other, currency: read("USD"), lost: &[] }),
            What::Confirm => return self.step(Input::Confirm { broker: &broker, currency: read("USD"), lost: &[] }),
            What::Accept => return self.step(resolve(ResolveAction::Accept { broker: &other })),
            What::Retry => return self.step(resolve(ResolveAction::Retry)),
            What::Deposit => {
                let (movement, amount) = (read("m1"), read("0.01"));
                return self.step(Input::MoveCash { movement, kind: Movement::Deposit, amount, currency: read("USD") });
            }
            What::Wait => {
                self.at = self.at.plus(Duration::from_secs(300));
                return self.step(Input::Tick { hold: Hold::Nothing });
            }
        };
        self.step(Input::Reports { reports: report.as_slice(), hold: Hold::Nothing });
    }

    fn terms(&self, id: ClientOrderId) -> Option<(Symbol, Side, Quantity)> {
        let batch = self.state.batch.as_ref().or_else(|| self.state.closed_batch(id))?;
        batch.orders.get(id).map(|order| (order.terms.symbol, order.terms.side, order.terms.quantity))
    }

    /// An n-th part of the order, as one fill.
    fn fill(&self, id: ClientOrderId, part: u128) -> Option<Fill> {
        let (_, _, quantity) = self.terms(id)?;
        let quantity = Quantity::from_nanos(quantity.nanos() / part).unwrap();
        Some(Fill {
            id: read(&format!("{id}-{part}")),
            quantity,
            price: read("1.000000001"),
            fee: Money::CENT,
            at: self.at,
        })
    }

    fn seen(&self, id: ClientOrderId, status: BrokerStatus, part: Option<u128>) -> Option<Report> {
        let (symbol, side, quantity) = self.terms(id)?;
        let fills: Vec<Fill> = part.and_then(|part| self.fill(id, part)).into_iter().collect();
        let filled = fills.first().map_or(Quantity::ZERO, |fill| fill.quantity);
        let view = OrderView { id, symbol, side, quantity, status, filled, fills };
        Some(Report::Looked { order: id, lookup: Lookup::Found(view) })
    }

    fn late(&self, id: ClientOrderId) -> Option<Report> {
        let (symbol, side, _) = self.terms(id)?;
        let fill = self.fill(id, 3)?;
        Some(Report::Fill(OrderFill { order: Some(id), symbol, side, fill }))
    }
}
