//! How often a plan and a step of the protocol ask for memory: what makes both slow first, and what no timed test could hold.
//!
//! Counted by a library's allocator, per thread, so that nothing else on the machine counts. A program of its own: it replaces the allocator.

#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

#[path = "../benches/support/case.rs"]
mod case;

use allocation_counter::measure as counted;
use case::{Case, measure};
use evenkeel_domain::apply::apply;
use evenkeel_domain::books::Prices;
use evenkeel_domain::decide::{Hold, Input, Report, decide, decide_all};
use evenkeel_domain::due::{Effect, due};
use evenkeel_domain::limits::{Facts, Limits};
use evenkeel_domain::order::{BrokerStatus, Fill, OrderRequest, OrderView, SubmitAnswer};
use evenkeel_domain::plan::Stages;
use evenkeel_domain::portfolio::Portfolio;
use evenkeel_domain::record::{PauseRule, Record, Rules};
use evenkeel_domain::values::{Money, StoreId, Timestamp, Token};
use std::hint::black_box;
use std::time::Duration;

/// The most that each may take, for 10 and for 50 holdings.
const MOST: [(&str, u64, u64); 8] = [
    ("plan", 11, 11),
    ("open and begin", 11, 13),
    ("due: the sells", 2, 2),
    ("one sell is filled", 4, 4),
    ("the other sells are filled, the buys follow", 17, 21),
    ("the buys are filled", 5, 5),
    ("settle and close", 7, 7),
    ("apply every record", 7, 7),
];

#[test]
fn plans_and_steps_take_no_more_memory_than_they_did() {
    let (ten, fifty) = (Batch::of(10), Batch::of(50));
    let found = ten.counts.iter().zip(&fifty.counts).map(|((what, ten), (_, fifty))| (*what, *ten, *fifty));
    let found: Vec<(&str, u64, u64)> = found.collect();
    let told: String = found.iter().map(|row| format!("    {row:?},\n")).collect();
    let fits = |is: u64, most: u64| is <= most && is * 2 >= most;
    let as_said = found.len() == MOST.len()
        && found.iter().zip(MOST).all(|(is, most)| is.0 == most.0 && fits(is.1, most.1) && fits(is.2, most.2));
    assert!(
        as_said,
        "allocations are more than MOST says, or less than half of it. If that is how it should be, put this there:\n{told}"
    );
}

/// A batch on its way, and what each step took.
struct Batch {
    state: Portfolio,
    at: Timestamp,
    counts: Vec<(&'static str, u64)>,
    /// Of applying records, all together.
    applied: u64,
}

impl Batch {
    /// The whole way of a batch of so many legs in two stages, all of which are filled at once.
    fn of(holdings: u32) -> Self {
        let case = Case::new(holdings, measure("relative"), 20);
        let id = "growth".parse().unwrap();
        let mut batch = Self { state: Portfolio::new(id), at: Timestamp::EPOCH, counts: Vec::new(), applied: 0 };
        let plan = batch.count("plan", |_| case.plan());
        assert_eq!((plan.legs.len(), plan.stages), (usize::try_from(holdings).unwrap(), Stages::SellsFirst));

        let add = Input::Add { definition: case.definition.clone(), books: case.books.clone() };
        let added = decide(&batch.state, batch.at, add).unwrap();
        added.iter().for_each(|record| apply(&mut batch.state, record).unwrap());
        let facts = Facts { oldest_price: batch.at, closes_at: None };
        let (rules, newest) = (rules(&case, plan.valuation.held_back), Prices::default());
        let (store, token) = (StoreId::new(1), Token::new(1));
        let open = Input::Open { store, token, plan: &plan, facts, rules };
        batch.step("open and begin", [open, Input::Begin { newest: &newest }]);

        let sells = batch.count("due: the sells", |batch| due(&batch.state, batch.at));
        let (first, others) = sells.split_first().unwrap();
        let reports: Vec<Report> = filled(first).into_iter().collect();
        batch.step("one sell is filled", [Input::Reports { reports: &reports, hold: Hold::Nothing }]);
        let reports: Vec<Report> = others.iter().flat_map(filled).collect();
        batch.step(
            "the other sells are filled, the buys follow",
            [Input::Reports { reports: &reports, hold: Hold::Nothing }],
        );
        let reports: Vec<Report> = due(&batch.state, batch.at).iter().flat_map(filled).collect();
        batch.step("the buys are filled", [Input::Reports { reports: &reports, hold: Hold::Nothing }]);
        let broker = batch.state.books.clone();
        batch.step("settle and close", [Input::Settle { broker: &broker, fills_read: None }]);
        assert!(batch.state.batch.is_none(), "it is over");
        batch.counts.push(("apply every record", batch.applied));
        batch
    }

    fn step<const N: usize>(&mut self, what: &'static str, inputs: [Input<'_>; N]) {
        let records = self.count(what, |batch| decide_all(&batch.state, batch.at, inputs).unwrap().records);
        let applying = || records.iter().for_each(|record: &Record| apply(&mut self.state, record).unwrap());
        self.applied += counted(applying).count_total;
    }

    fn count<T>(&mut self, what: &'static str, work: impl FnOnce(&mut Self) -> T) -> T {
        let mut done = None;
        let taken = counted(|| done = Some(black_box(work(self))));
        self.counts.push((what, taken.count_total));
        done.unwrap()
    }
}

/// The broker's answer to an order that is filled at once; nothing for what is no order.
fn filled(effect: &Effect) -> Option<Report> {
    let Effect::Submit(OrderRequest { id, terms }) = effect else { return None };
    let (symbol, side, quantity) = (terms.symbol, terms.side, terms.quantity);
    let fill = Fill {
        id: format!("{symbol}-1").parse().unwrap(),
        quantity,
        price: terms.reference,
        fee: Money::ZERO,
        at: Timestamp::EPOCH,
    };
    let (status, filled) = (BrokerStatus::Filled, quantity);
    let view = OrderView { id: *id, symbol, side, quantity, status, filled, fills: vec![fill] };
    Some(Report::Submitted { order: *id, answer: SubmitAnswer::Acknowledged(view) })
}

fn rules(case: &Case, held_back: Money) -> Rules {
    let minute = Duration::from_secs(60);
    Rules {
        attempts: 3,
        delay: minute,
        order_deadline: minute,
        quiescence: minute,
        resume_max: minute,
        patience: minute,
        settle_within: minute,
        watch: minute,
        pause: PauseRule { first: minute, longest: minute },
        resend: true,
        costs: case.capabilities.costs,
        collar_bps: case.capabilities.collar_bps,
        minimum: case.definition.policy.minimum_order,
        held_back,
        limits: Limits::NONE,
    }
}
