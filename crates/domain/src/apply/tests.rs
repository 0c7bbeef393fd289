//! Records that do not fit are refused and change nothing; whatever a journal says, nothing panics.

use super::{apply, replay};
use crate::batch::Phase;
use crate::order::{ClientOrderId, Direction};
use crate::plan::Stages;
use crate::portfolio::{Portfolio, Standing};
use crate::record::{Event, Intent, OrderEvent, Outcome, Record, Stage};
use crate::testing::machine::arbitrary::{records, states};
use crate::testing::machine::{Machine, OPENED, after, plan_of, rules};
use crate::testing::read;
use crate::testing::strategies::cases;
use crate::values::{Money, Sequence};
use proptest::prelude::*;

/// The error of applying `event`, after which nothing has changed.
fn refused(machine: &Machine, event: Event) -> String {
    let mut state = machine.state.clone();
    let error = apply(&mut state, &Record { at: machine.now, event }).unwrap_err();
    assert_eq!(state, machine.state, "{error}");
    crate::testing::machine::story::shorten(&error.to_string())
}

/// The last record of a machine that this text has run.
fn last(machine: &mut Machine, text: &str) -> Event {
    machine.run(text);
    machine.journal.last().unwrap().event.clone()
}

/// An event of each kind that needs an open batch.
fn batch_events() -> Vec<Event> {
    let mut machine = Machine::of("CASH 200.00, A 10", "sell A 2 @ 50, buy B 4 @ 25");
    machine.run("begin; 0F1 submit exists; 0F1 look found filled a:2; take-over; 1F1 submit refused; 0R1 submit acknowledged filled a:2; settle");
    let needs_a_batch = |event: &Event| {
        matches!(
            event,
            Event::TakenOver { .. }
                | Event::Intended { .. }
                | Event::Order { .. }
                | Event::Unwinding { .. }
                | Event::Settling { .. }
                | Event::Closed(_)
        )
    };
    machine.journal.into_iter().map(|record| record.event).filter(needs_a_batch).collect()
}

#[test]
fn what_is_about_a_batch_needs_one_that_is_open() {
    let machine = Machine::holding("CASH 200.00");
    let mut kinds = Vec::new();
    for event in batch_events() {
        let error = refused(&machine, event.clone());
        assert!(error.ends_with("needs an open batch"), "{error}");
        kinds.push(event.kind());
    }
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(
        kinds,
        ["acknowledged", "closed", "ended", "filled", "intended", "refused", "settling", "taken_over", "unwinding"]
    );
}

#[test]
fn a_second_batch_is_refused() {
    let mut machine = Machine::of("CASH 200.00", "buy B 4 @ 25");
    let opened = machine.journal.last().unwrap().event.clone();
    assert_eq!(refused(&machine, opened.clone()), "a second batch was opened while one is open");
    machine.run("begin; 0F1 submit unknown; wait 600");
    assert_eq!(refused(&machine, opened), "the record opened is not possible while the portfolio is stale");
}

#[test]
fn a_standing_is_left_only_by_the_records_of_its_table() {
    let mut other = Machine::holding("CASH 100.00");
    let added = last(&mut other, "");
    let changed = last(&mut other, "change");
    let moved = last(&mut other, "deposit m1 1.00");
    let quarantined = last(&mut other, "confirm off");
    let released = last(&mut other, "confirm");
    let removed = last(&mut other, "remove");
    let resolved = last(&mut Machine::holding("CASH 100.00"), "confirm off; accept off");
    let mut stale = Machine::of("CASH 200.00", "buy B 4 @ 25");
    stale.run("begin; 0F1 submit unknown; wait 600");
    let retried = last(&mut stale.clone(), "retry");

    let absent = other;
    let active = Machine::holding("CASH 100.00");
    let rebalancing = Machine::of("CASH 100.00", "buy B 4 @ 25");
    let mut in_quarantine = Machine::holding("CASH 100.00");
    in_quarantine.run("confirm off");
    let standings = [absent, active, rebalancing, stale, in_quarantine];
    // absent, active, rebalancing, stale, quarantined
    let table = [
        (added, [true, false, false, false, false]),
        (changed, [false, true, true, true, true]),
        (removed, [false, true, false, false, true]),
        (moved, [false, true, true, true, true]),
        (quarantined, [false, true, false, false, true]),
        (released, [false, false, false, false, true]),
        (resolved, [false, false, false, true, true]),
        (retried, [false, false, false, true, false]),
    ];
    for (event, fits) in table {
        for (machine, fits) in standings.iter().zip(fits) {
            let (kind, standing) = (event.kind(), machine.state.standing.name());
            if fits {
                let record = Record { at: machine.now, event: event.clone() };
                apply(&mut machine.state.clone(), &record)
                    .unwrap_or_else(|error| panic!("{kind} while {standing}: {error}"));
            } else {
                let expected = format!("the record {kind} is not possible while the portfolio is {standing}");
                assert_eq!(refused(machine, event.clone()), expected);
            }
        }
    }
}

#[test]
fn an_order_is_intended_once_for_its_own_batch_and_as_its_leg_says() {
    let machine = Machine::of("CASH 200.00, A 10", "sell A 2 @ 50, buy B 4 @ 25");
    let leg = machine.batch().opening.legs[0];
    let order = machine.id("0F1");
    let good = Intent { order, terms: leg.terms, send_at: OPENED, deadline: after(60) };
    let refused = |machine: &Machine, orders: &[Intent]| {
        refused(
            machine,
            Event::Intended { stage: Stage::First, orders: orders.to_vec(), dropped: Vec::new(), checks: None },
        )
    };
    let reverse = |direction| Intent { order: ClientOrderId { direction, ..order }, ..good };
    let mut other_batch = good;
    other_batch.order.batch = crate::order::BatchId::from_u128(7);
    let mut other_symbol = good;
    other_symbol.terms.symbol = read("C");
    let mut other_side = good;
    other_side.terms.side = leg.terms.side.opposite();
    let mut no_leg = good;
    no_leg.order.leg = crate::order::LegNumber::new(2).unwrap();
    let wrong = |problem: &str| format!("the record intended is about the order 0F1, which {problem}");
    assert!(refused(&machine, &[other_batch]).ends_with("belongs to another batch"));
    assert_eq!(refused(&machine, &[other_symbol]), wrong("does not fit its leg"));
    assert_eq!(refused(&machine, &[other_side]), wrong("does not fit its leg"));
    assert!(refused(&machine, &[no_leg]).ends_with("does not fit its leg"));
    assert!(refused(&machine, &[reverse(Direction::Reverse)]).ends_with("does not fit its leg"));
    assert_eq!(refused(&machine, &[good, good]), wrong("was intended already"));
    let mut begun = machine;
    begun.run("begin");
    assert_eq!(refused(&begun, &[good]), wrong("was intended already"));
}

#[test]
fn a_fill_is_booked_once_also_by_a_journal_that_has_it_twice() {
    let mut machine = Machine::of("CASH 200.00", "buy B 4 @ 25");
    let filled = last(&mut machine, "begin; 0F1 fill a:1");
    assert_eq!(refused(&machine, filled), "the record order is about the order 0F1, which has this fill already");
    let late =
        last(&mut machine, "0F1 look found canceled a:1; 0R1 submit acknowledged filled a:1; settle; 0F1 fill b:1");
    assert_eq!(refused(&machine, late), "the record late_fill is about the order 0F1, which has this fill already");
}

#[test]
fn a_record_about_an_order_that_was_never_intended_is_refused() {
    let mut machine = Machine::of("CASH 200.00", "buy B 4 @ 25");
    let filled = last(&mut machine.clone(), "begin; 0F1 fill a:1");
    let error = "the record order is about the order 0F1, which was never intended";
    assert_eq!(refused(&machine, filled), error);
    let id = machine.id("0F1");
    let error = "the record order is about the order 0F1, which was never intended";
    assert_eq!(refused(&machine, Event::Order { order: id, event: OrderEvent::Acknowledged }), error);
    machine.run("begin; 0F1 submit refused; settle");
    let late = last(&mut machine.clone(), "0F1 fill b:1");
    let Event::LateFill { mut fill, booked } = late else { panic!("{late:?}") };
    fill.order = Some(machine.id("0R1"));
    let error = "the record late_fill is about the order 0R1, which was never intended";
    assert_eq!(refused(&machine, Event::LateFill { fill: fill.clone(), booked }), error);
    fill.order.as_mut().unwrap().batch = crate::order::BatchId::from_u128(7);
    assert!(refused(&machine, Event::LateFill { fill, booked }).ends_with("belongs to no watched batch"));
}

#[test]
fn what_cannot_be_booked_is_refused_and_books_nothing_of_it() {
    for (books, fill, problem) in [
        ("CASH 0.00, A 2", "a:3", "cannot take 3 from 2: a quantity is never negative"),
        ("CASH 9999999999999999.00, A 2", "a:1", "adding 50.00 to 9999999999999999.00 leaves the range"),
        (
            "CASH 1.00, A 2",
            "a:1@0.01/-9999999999999999.99",
            "subtracting -9999999999999999.99 from 1.01 leaves the range",
        ),
    ] {
        let mut machine = Machine::of(books, "sell A 2 @ 50");
        machine.run("begin");
        let crate::decide::Report::Fill(listed) = machine.report(&format!("0F1 fill {fill}")) else { panic!() };
        let booked = crate::order::booked_amount(read("0"), listed.fill.value()).unwrap();
        let event = Event::Order { order: machine.id("0F1"), event: OrderEvent::Filled { fill: listed.fill, booked } };
        let error = refused(&machine, event);
        assert!(error.starts_with("the record order cannot be booked: ") && error.contains(problem), "{error}");
    }
}

#[test]
fn a_sequence_counts_every_record_and_never_starts_again() {
    let mut machine = Machine::holding("CASH 100.00");
    assert_eq!(machine.state.sequence, Sequence::new(1));
    machine.run("open; abandon");
    assert_eq!(machine.state.sequence, Sequence::new(3));
    machine.state.sequence = Sequence::new(u64::MAX);
    let error = refused(&machine, Event::Removed);
    assert!(error.contains("leaves the range"), "{error}");
}

#[test]
fn a_folded_record_stands_for_all_that_led_to_it() {
    let mut machine = Machine::of("CASH 200.00, A 10", "sell A 2 @ 50, buy B 4 @ 25");
    machine.run("begin; 0F1 submit acknowledged filled a:2; 1F1 submit acknowledged working a:1");
    let folded = Record { at: machine.now, event: Event::Folded(Box::new(machine.state.clone())) };
    let empty = Portfolio::new(read("growth"));
    assert_eq!(replay(empty.clone(), [&folded]), Ok(machine.state.clone()));
    let before = machine.journal.len();
    machine.run("1F1 look found filled a:1 b:3; settle");
    let rest = &machine.journal[before..];
    assert_eq!(replay(empty, std::iter::once(&folded).chain(rest)), Ok(machine.state));
}

#[test]
fn a_taken_over_batch_has_the_newest_token() {
    let mut machine = Machine::of("CASH 200.00", "buy B 4 @ 25");
    machine.run("begin; take-over; take-over");
    assert_eq!((machine.state.token.get(), machine.batch().token.get()), (3, 3));
}

#[test]
fn a_batch_remembers_the_books_it_began_with() {
    let mut machine = Machine::holding("CASH 200.00, A 10");
    let before = machine.state.books.clone();
    machine.open(&plan_of("sell A 2 @ 50", Stages::Together), rules());
    machine.run("begin; 0F1 submit acknowledged working a:1");
    assert_eq!(machine.batch().before, before);
    assert_ne!(machine.state.books, before);
    assert_eq!(machine.batch().phase, Phase::Forward(Stage::First));
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn no_record_panics_and_one_that_does_not_fit_changes_nothing(state in states(), record in records()) {
        let mut after = state.clone();
        match apply(&mut after, &record) {
            Ok(()) => prop_assert_eq!(Ok(after.sequence), state.sequence.next()),
            Err(_) => prop_assert_eq!(after, state),
        }
    }

    #[test]
    fn a_batch_is_open_exactly_while_a_portfolio_is_rebalancing(state in states()) {
        prop_assert_eq!(state.batch.is_some(), state.standing == Standing::Rebalancing);
        prop_assert!(state.stale_batch().is_none_or(|batch| batch.closing.as_ref().is_some_and(|c| c.outcome == Outcome::Stale)));
        prop_assert!(state.tally.turnover >= Money::MIN);
    }
}
