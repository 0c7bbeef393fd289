//! What holds for any batch, any broker, and any order of events.
//!
//! Every step of every case is checked by [`crate::testing::machine::invariants`]: legal edges, units and cash, the journal gives the state.

use crate::alert::{AlertKind, alerts};
use crate::batch::Batch;
use crate::books::Books;
use crate::decide::{Hold, Input, Report};
use crate::order::{BrokerStatus, ClientOrderId, Direction, Fill, Lookup, OrderFill, OrderView, Side, SubmitAnswer};
use crate::plan::Trigger;
use crate::portfolio::{Portfolio, Standing, compare, compare_units};
use crate::record::{Event, Outcome};
use crate::report::BatchReport;
use crate::testing::machine::invariants::check_books;
use crate::testing::machine::pattern::{Pattern, patterns};
use crate::testing::machine::setups::{Setup, setups};
use crate::testing::machine::world::{Action, Limits, World};
use crate::testing::machine::{Machine, rules, short};
use crate::testing::read;
use crate::testing::strategies::{cases, scenes_at_brokers};
use crate::values::{Money, Quantity};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::BTreeMap;

/// What fills cost, and by how much their price is off.
fn frictions() -> impl Strategy<Value = (Money, u64)> {
    (0..=100_i64, 0..=1_000_u64).prop_map(|(fee, off)| (Money::from_cents(fee).unwrap(), off))
}

/// A closed batch came to what it really came to, at the broker and in the books.
fn check_outcome(world: &World, before: &Books) {
    let Portfolio { books, standing, closed, .. } = &world.state;
    let batch: &Batch = closed.last().unwrap();
    let closing = batch.closing.as_ref().unwrap();
    let broker = world.broker();
    check_books(world.journal.as_ref().unwrap(), &world.state);
    match closing.outcome {
        Outcome::Completed => {
            assert_eq!((standing, compare(books, &broker)), (&Standing::Active, Vec::new()));
            let mut expected = before.clone();
            for order in batch.orders.values().filter(|order| !order.filled.is_zero()) {
                let moved = match order.terms.side {
                    Side::Buy => expected.add_units(order.terms.symbol, order.terms.quantity),
                    Side::Sell => expected.remove_units(order.terms.symbol, order.terms.quantity),
                };
                moved.unwrap();
            }
            assert_eq!(compare_units(&broker, &expected), []);
        }
        Outcome::Restored => {
            assert_eq!((standing, compare(books, &broker)), (&Standing::Active, Vec::new()));
            assert_eq!(compare_units(&broker, before), []);
        }
        Outcome::Stale => {
            assert_eq!(standing, &Standing::Stale);
            // Everything that is known is in the residual; what is not known is named.
            let mut expected = before.clone();
            for residual in &closing.residual {
                let moved = match residual.side {
                    Side::Buy => expected.add_units(residual.symbol, residual.quantity),
                    Side::Sell => expected.remove_units(residual.symbol, residual.quantity),
                };
                moved.unwrap();
            }
            assert_eq!(compare_units(books, &expected), []);
            assert!(!closing.residual.is_empty() || !closing.unresolved.is_empty(), "stale for nothing: {closing:?}");
        }
        Outcome::Abandoned => panic!("it was begun"),
    }
    assert_eq!(closing.cost, before.cash.sub(books.cash).unwrap(), "cost is cash before - cash after");
    let report = BatchReport::of(batch).unwrap().unwrap();
    assert_eq!((report.cost, report.fees), (closing.cost, closing.fees));
    check_alert(world, closing.outcome);
}

/// A person is told of a stale batch, with the record that made it so, and of nothing else.
fn check_alert(world: &World, outcome: Outcome) {
    let journal = world.journal.as_ref().unwrap();
    let told = alerts(&Portfolio::new(world.state.id.clone()), journal);
    let closed = journal.iter().position(|record| matches!(record.event, Event::Closed(_))).unwrap();
    let expected = (outcome == Outcome::Stale).then_some((AlertKind::Stale, u64::try_from(closed).unwrap() + 1));
    assert_eq!(told.iter().map(|alert| (alert.kind, alert.sequence.get())).next(), expected);
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn restored_means_every_symbol_holds_its_units_of_before(
        setup in setups(4),
        pattern in patterns(4),
        friction in frictions(),
    ) {
        let mut world = World { friction, ..World::new(setup.open(), Limits::NONE) };
        world.drive(&pattern);
        check_outcome(&world, &setup.books());
    }

    #[test]
    fn the_same_holds_for_every_plan_of_every_portfolio(
        scene in scenes_at_brokers(),
        pattern in patterns(12),
        friction in frictions(),
    ) {
        let Ok(plan) = scene.plan(Trigger::Now) else { return Ok(()) };
        if plan.worthwhile {
            let mut machine = Machine::with(scene.books.clone());
            let costs = scene.capabilities.costs;
            machine.open(&plan, crate::record::Rules { costs, held_back: plan.valuation.held_back, ..rules() });
            let mut world = World { friction, ..World::new(machine, Limits::NONE) };
            world.drive(&pattern);
            check_outcome(&world, &scene.books);
        }
    }

    #[test]
    fn a_broker_that_executes_everything_completes_everything(setup in setups(8), friction in frictions()) {
        let mut world = World { friction, ..World::new(setup.open(), Limits::NONE) };
        world.drive(&Pattern::default());
        let closing = world.state.closed.last().unwrap().closing.clone().unwrap();
        prop_assert_eq!(closing.outcome, Outcome::Completed);
        check_outcome(&world, &setup.books());
    }

    #[test]
    fn units_and_cash_are_conserved_through_anything_that_can_happen(
        setup in setups(3),
        walk in walks(),
        friction in frictions(),
    ) {
        let mut world = World { friction, ..World::new(setup.open(), DISTURBED) };
        world.act(Action::Begin);
        stroll(&mut world, &walk);
        check_books(world.journal.as_ref().unwrap(), &world.state);
        // Whatever happened, a broker that works brings the batch to an end.
        world.drive(&Pattern::default());
        check_books(world.journal.as_ref().unwrap(), &world.state);
        let is_ready = matches!(world.state.standing, Standing::Active) && world.is_quiet() && !world.is_off;
        prop_assert!(!is_ready || compare(&world.state.books, &world.broker()).is_empty());
    }
}

const DISTURBED: Limits = Limits { takeovers: 3, aborts: 1, zombies: 2, mismatches: 1 };

/// Which of the things that can happen does, each time; with `true`, only of the kind ones.
fn walks() -> impl Strategy<Value = Vec<(Index, bool)>> {
    prop::collection::vec((any::<Index>(), prop::bool::weighted(0.8)), 0..100)
}

fn stroll(world: &mut World, walk: &[(Index, bool)]) {
    for (choice, kindly) in walk {
        let mut actions = world.actions();
        actions.retain(|action| action.is_kind() || !kindly);
        if !actions.is_empty() {
            world.act(*choice.get(&actions));
        }
    }
}

/// A property says nothing about what never happens.
#[test]
fn the_properties_see_every_outcome_often() {
    let mut runner = TestRunner::deterministic();
    let (mut driven, mut strolled): (BTreeMap<&str, usize>, BTreeMap<&str, usize>) = Default::default();
    for _ in 0..300 {
        let (setup, pattern, walk) = (setups(4), patterns(4), walks()).new_tree(&mut runner).unwrap().current();
        let mut world = World::new(setup.open(), Limits::NONE);
        world.drive(&pattern);
        *driven.entry(world.state.closed[0].closing.as_ref().unwrap().outcome.name()).or_default() += 1;

        let mut world = World::new(setup.open(), DISTURBED);
        world.act(Action::Begin);
        stroll(&mut world, &walk);
        for record in world.journal.unwrap() {
            let name = match &record.event {
                Event::Closed(closing) => closing.outcome.name(),
                other => other.kind(),
            };
            *strolled.entry(name).or_default() += 1;
        }
    }
    for outcome in ["completed", "restored", "stale"] {
        assert!(driven[outcome] >= 20, "{driven:?}");
        assert!(strolled[outcome] >= 10, "{strolled:?}");
    }
    for kind in
        ["taken_over", "resent", "assumed_not_executed", "cancel_requested", "withdrawn", "late_fill", "unwinding"]
    {
        assert!(strolled.get(kind).is_some_and(|count| *count >= 2), "{kind} in {strolled:?}");
    }
}

/// Everything a broker has to say about the orders of one stage, and how it is told.
#[derive(Debug, Clone)]
struct Telling {
    setup: Setup,
    /// For each leg: in how many parts it is executed, and how the order ends.
    legs: Vec<(u8, bool)>,
    /// Which reports are told, in this order; all of them are told once more in the end.
    told: Vec<Index>,
}

fn tellings() -> impl Strategy<Value = Telling> {
    let legs = prop::collection::vec((0..4_u8, any::<bool>()), 4);
    (setups(4), legs, prop::collection::vec(any::<Index>(), 0..40)).prop_map(|(setup, legs, told)| Telling {
        setup,
        legs,
        told,
    })
}

impl Telling {
    /// The executions of one order: so many parts, and what is left if it is executed completely.
    fn fills(&self, batch: &Batch, id: ClientOrderId) -> (Vec<Fill>, bool) {
        let terms = batch.orders.get(id).unwrap().terms;
        let (parts, complete) = self.legs[usize::from(id.leg.get())];
        let part = terms.quantity.nanos() / 4;
        let mut quantities = vec![part; usize::from(parts)];
        if complete {
            quantities.push(terms.quantity.nanos() - part * u128::from(parts));
        }
        let fills = quantities.into_iter().filter(|nanos| *nanos > 0).enumerate().map(|(place, nanos)| Fill {
            id: read(&format!("{}-{place}", short(id))),
            quantity: Quantity::from_nanos(nanos).unwrap(),
            price: terms.reference,
            fee: Money::CENT,
            at: crate::testing::machine::OPENED,
        });
        (fills.collect(), complete)
    }

    /// Every report there is: views with more and more fills, each fill by itself, and the end.
    fn reports(&self, batch: &Batch) -> (Vec<Report>, Vec<Report>) {
        let (mut reports, mut last) = (Vec::new(), Vec::new());
        for (id, order) in batch.orders.iter().filter(|(id, _)| id.direction == Direction::Forward) {
            let (fills, complete) = self.fills(batch, id);
            let (symbol, side, quantity) = (order.terms.symbol, order.terms.side, order.terms.quantity);
            let all = fills.iter().try_fold(Quantity::ZERO, |sum, fill| sum.add(fill.quantity)).unwrap();
            let view = |status, filled, fills: &[Fill]| OrderView {
                id,
                symbol,
                side,
                quantity,
                status,
                filled,
                fills: fills.to_vec(),
            };
            for seen in 0..=fills.len() {
                let filled = fills[..seen].iter().try_fold(Quantity::ZERO, |sum, fill| sum.add(fill.quantity)).unwrap();
                let view = view(BrokerStatus::Working, filled, &fills[..seen]);
                reports.push(Report::Submitted { order: id, answer: SubmitAnswer::Acknowledged(view.clone()) });
                reports.push(Report::Looked { order: id, lookup: Lookup::Found(view) });
            }
            let status = if complete { BrokerStatus::Filled } else { BrokerStatus::Canceled };
            let ended =
                |fills: &[Fill]| Report::Looked { order: id, lookup: Lookup::Found(view(status.clone(), all, fills)) };
            // The end before its fills, and with them in another order.
            let reversed: Vec<Fill> = fills.iter().rev().cloned().collect();
            reports.extend([
                ended(&[]),
                ended(&reversed),
                Report::Submitted { order: id, answer: SubmitAnswer::AlreadyExists },
            ]);
            reports.extend(
                fills.iter().map(|fill| Report::Fill(OrderFill { order: Some(id), symbol, side, fill: fill.clone() })),
            );
            last.push(ended(&fills));
        }
        (reports, last)
    }
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn any_order_and_any_repetition_of_reports_ends_in_the_same_books_and_sums(telling in tellings()) {
        let mut plain = telling.setup.open();
        plain.must(Input::Begin { newest: &crate::books::Prices::default() });
        plain.hold = Hold::NextStage;
        let mut mixed = plain.clone();
        let (reports, last) = telling.reports(plain.batch());
        for report in &last {
            plain.must(Input::Reports { reports: std::slice::from_ref(report), hold: Hold::NextStage });
        }
        for index in &telling.told {
            mixed.must(Input::Reports { reports: std::slice::from_ref(index.get(&reports)), hold: Hold::NextStage });
        }
        for report in &last {
            mixed.must(Input::Reports { reports: std::slice::from_ref(report), hold: Hold::NextStage });
        }
        prop_assert_eq!(&plain.state.books, &mixed.state.books);
        let phases = (plain.batch().phase, mixed.batch().phase);
        prop_assert_eq!(phases.0, phases.1);
        for (id, order) in &plain.batch().orders {
            let other = mixed.batch().orders.get(id).unwrap();
            prop_assert_eq!((order.state, order.filled, order.value), (other.state, other.filled, other.value), "{}", short(id));
            prop_assert_eq!((order.booked, order.fees, &order.fills), (other.booked, other.fees, &other.fills), "{}", short(id));
        }
        // And once more, all of it: nothing is left to learn.
        let all: Vec<Report> = reports.into_iter().chain(last).collect();
        prop_assert_eq!(mixed.must(Input::Reports { reports: &all, hold: Hold::NextStage }), []);
    }
}
