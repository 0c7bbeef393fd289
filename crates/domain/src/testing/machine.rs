//! What the tests of the batch machine build with: a portfolio on its way through the machine, moved by short texts.
//!
//! ```text
//! let mut machine = Machine::of("CASH 100.00, A 10", "sell A 2 @ 50, buy B 4 @ 25");
//! machine.run("begin; 0F1 submit acknowledged filled a:2; 1F1 submit refused")
//! ```
//!
//! | to see | look in |
//! |---|---|
//! | how a text is read as what a broker reports | [`script`] |
//! | how records are written for expectations | [`story`] |
//! | what must be true after every step, whatever it was | [`invariants`] |
//! | any batch, drawn at random | [`setups`] |
//! | a broker with a truth of its own, for exploring and for random walks | [`world`] |
//! | what that broker makes of each order, drawn at random | [`pattern`] |
//! | records that nobody would write, on states that nobody would reach | [`arbitrary`] |

pub(crate) mod arbitrary;
pub(crate) mod invariants;
pub(crate) mod pattern;
pub(crate) mod script;
pub(crate) mod setups;
pub(crate) mod story;
pub(crate) mod world;

use super::{Scene, read};
use crate::batch::{Batch, Order};
use crate::books::{Books, Definition};
use crate::decide::{Hold, Input, Refusal, step};
use crate::limits::{Facts, Limits};
use crate::order::{Attempt, BatchId, ClientOrderId, Costs, Direction, LegNumber, Side, Terms};
use crate::plan::{Leg, Plan, Stages, Trigger};
use crate::policy::Policy;
use crate::portfolio::Portfolio;
use crate::record::{PauseRule, Record, Rules};
use crate::values::{Lot, Money, Rounding, StoreId, Timestamp, Token};
use std::time::Duration;

/// When every machine's batch is opened: nothing is negative, and nothing is the epoch by chance.
pub(crate) const OPENED: Timestamp = Timestamp::from_nanos(1_000_000_000_000_000_000);

/// What is known when a batch is planned.
pub(crate) const FACTS: Facts = Facts { oldest_price: OPENED, closes_at: None };

/// So many seconds after [`OPENED`].
pub(crate) fn after(seconds: u64) -> Timestamp {
    OPENED.plus(Duration::from_secs(seconds))
}

/// So many seconds.
pub(crate) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A portfolio, the time, and everything that was recorded.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    pub(crate) state: Portfolio,
    pub(crate) now: Timestamp,
    pub(crate) journal: Vec<Record>,
    /// Whether no further stage may begin.
    pub(crate) hold: Hold,
}

impl Machine {
    /// A portfolio that was added with these books and has no batch.
    pub(crate) fn holding(books: &str) -> Self {
        Self::with(books_of(books))
    }

    /// The same with books that are given.
    pub(crate) fn with(books: Books) -> Self {
        let mut machine =
            Self { state: Portfolio::new(read("growth")), now: OPENED, journal: Vec::new(), hold: Hold::Nothing };
        machine.must(Input::Add { definition: definition(), books });
        machine
    }

    /// The same with a batch of these legs open, all together, under the usual [`rules`].
    pub(crate) fn of(books: &str, legs: &str) -> Self {
        Self::under(rules(), Stages::Together, books, legs)
    }

    /// The same with the sells first.
    pub(crate) fn sells_first(books: &str, legs: &str) -> Self {
        Self::under(rules(), Stages::SellsFirst, books, legs)
    }

    /// The same under other rules.
    pub(crate) fn under(rules: Rules, stages: Stages, books: &str, legs: &str) -> Self {
        let mut machine = Self::holding(books);
        machine.open(&plan_of(legs, stages), rules);
        machine
    }

    pub(crate) fn open(&mut self, plan: &Plan, rules: Rules) {
        self.must(Input::Open { store: StoreId::new(1), token: Token::new(1), plan, facts: FACTS, rules });
    }

    /// One step. Every step of every test is checked against the invariants.
    pub(crate) fn step(&mut self, input: Input<'_>) -> Result<Vec<Record>, Refusal> {
        let before = self.state.clone();
        let records = step(&mut self.state, self.now, input)
            .inspect_err(|_| assert_eq!(self.state, before, "refused, and changed"))?;
        let mut applied = before;
        invariants::check_records(&mut applied, &records);
        assert_eq!(applied, self.state, "apply over the records is not the state");
        invariants::check_due(&self.state, self.now, self.hold);
        self.journal.extend(records.iter().cloned());
        invariants::check_books(&self.journal, &self.state);
        Ok(records)
    }

    /// A step that is possible.
    pub(crate) fn must(&mut self, input: Input<'_>) -> Vec<Record> {
        self.step(input).unwrap_or_else(|refusal| panic!("refused: {refusal}"))
    }

    pub(crate) fn batch(&self) -> &Batch {
        self.state.batch.as_ref().unwrap()
    }

    /// The last batch that was closed.
    pub(crate) fn closed(&self) -> &Batch {
        self.state.closed.last().unwrap()
    }

    /// The id that `0F1` is short for: leg 0, forward, first attempt, of the open batch or the last.
    pub(crate) fn id(&self, short: &str) -> ClientOrderId {
        let batch = self.state.batch.as_ref().map(|batch| batch.id);
        id_in(batch.or_else(|| self.state.closed.last().map(|batch| batch.id)).unwrap(), short)
    }

    pub(crate) fn order(&self, short: &str) -> &Order {
        let id = self.id(short);
        self.state
            .batch
            .iter()
            .chain(self.state.closed.iter().map(AsRef::as_ref))
            .find_map(|b| b.orders.get(id))
            .unwrap()
    }
}

/// The order that `0F1` is short for: leg 0, forward, first attempt.
pub(crate) fn id_in(batch: BatchId, short: &str) -> ClientOrderId {
    let at = short.find(['F', 'R']).unwrap_or_else(|| panic!("no order: {short}"));
    let direction = if short[at..].starts_with('F') { Direction::Forward } else { Direction::Reverse };
    let leg = LegNumber::new(short[..at].parse().unwrap()).unwrap();
    ClientOrderId { batch, leg, direction, attempt: Attempt::new(short[at + 1..].parse().unwrap()).unwrap() }
}

/// `0F1` for an order.
pub(crate) fn short(id: ClientOrderId) -> String {
    let direction = if id.direction == Direction::Forward { 'F' } else { 'R' };
    format!("{}{direction}{}", id.leg, id.attempt)
}

/// Books from `CASH 100.00, A 10`.
pub(crate) fn books_of(text: &str) -> Books {
    let mut books = Books::default();
    for line in text.split(',').map(str::trim).filter(|line| !line.is_empty()) {
        match line.split_once(' ').unwrap() {
            ("CASH", amount) => books.cash = read(amount),
            (symbol, units) => books.set_units(read(symbol), read(units)),
        }
    }
    books
}

/// A portfolio of cash alone, in dollars.
pub(crate) fn definition() -> Definition {
    let Scene { allocation, .. } = Scene::of("CASH 0.00 100");
    Definition { account: read("account"), currency: read("USD"), allocation, policy: Policy::default() }
}

/// A plan of these legs, `sell A 2 @ 50, buy B 4 @ 25`, in execution order; `sell all A 2 @ 50` leaves a holding.
pub(crate) fn plan_of(legs: &str, stages: Stages) -> Plan {
    let legs: Vec<Leg> = legs.split(',').map(str::trim).enumerate().map(|(place, leg)| leg_of(place, leg)).collect();
    let turnover = Money::sum(legs.iter().map(|leg| leg.amount)).unwrap();
    let any = Scene::of("CASH 100.00 100").plan(Trigger::Now).unwrap();
    Plan { legs, stages, turnover, worthwhile: true, ..any }
}

fn leg_of(place: usize, text: &str) -> Leg {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (side, exit, symbol, quantity, price) = match words[..] {
        ["sell", "all", symbol, quantity, "@", price] => (Side::Sell, true, symbol, quantity, price),
        ["sell", symbol, quantity, "@", price] => (Side::Sell, false, symbol, quantity, price),
        ["buy", symbol, quantity, "@", price] => (Side::Buy, false, symbol, quantity, price),
        _ => panic!("no leg: {text}"),
    };
    let terms = Terms { symbol: read(symbol), side, quantity: read(quantity), reference: read(price), exit };
    Leg {
        number: LegNumber::new(place).unwrap(),
        terms,
        lot: Lot::FINEST,
        amount: terms.value().to_money(Rounding::HalfEven).unwrap(),
        cost: Money::ZERO,
        shrunk: false,
    }
}

/// The usual rules. No two durations are alike, so that none is mistaken for another.
pub(crate) fn rules() -> Rules {
    Rules {
        attempts: 3,
        delay: secs(5),
        order_deadline: secs(60),
        quiescence: secs(70),
        resume_max: secs(30),
        patience: secs(600),
        settle_within: secs(120),
        watch: secs(4 * 24 * 3_600),
        pause: PauseRule { first: secs(15 * 60), longest: secs(24 * 3_600) },
        resend: true,
        costs: Costs::FREE,
        collar_bps: 0,
        minimum: read("1.00"),
        held_back: Money::ZERO,
        limits: Limits::NONE,
    }
}
