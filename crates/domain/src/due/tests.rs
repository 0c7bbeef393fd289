//! What is due in every state of an order and of a batch, and that it is the same whenever and however often it is asked.

use super::{Effect, due};
use crate::decide::{Hold, Input, decide};
use crate::halt::{Halt, HaltMode, Scope};
use crate::testing::machine::arbitrary::{books, reports, states, times};
use crate::testing::machine::{Machine, OPENED, after, short};
use crate::testing::read;
use crate::testing::strategies::cases;
use crate::values::{Timestamp, Token};
use proptest::prelude::*;

/// The effects as text, with the seconds since the opening.
fn told(machine: &Machine, now: Timestamp) -> String {
    let effects = due(&machine.state, now);
    assert_eq!(effects, due(&machine.state, now), "asking changed something");
    let told = effects.iter().map(|effect| match effect {
        Effect::Submit(order) => format!("submit {} {} {}", short(order.id), order.terms.side, order.terms.quantity),
        Effect::Withhold(id) => format!("withhold {}", short(*id)),
        Effect::Cancel(id) => format!("cancel {}", short(*id)),
        Effect::Look(id) => format!("look {}", short(*id)),
        Effect::Compare => "compare".to_owned(),
        Effect::Wake(at) => format!("wake +{}", at.since(OPENED).as_secs_f64()),
    });
    told.collect::<Vec<_>>().join(", ")
}

#[test]
fn what_is_due_for_an_order_of_the_stage_under_way() {
    // Each line: what happened to an order of 4 units, when it is asked, and what is due.
    for (text, seconds, expected) in [
        ("begin", 0, "submit 0F1 buy 4, wake +60"),
        ("begin", 59, "submit 0F1 buy 4, wake +60"),
        // At its deadline it may not be sent any more: that is decided at once.
        ("begin", 60, "wake +60"),
        ("begin", 61, "wake +61"),
        ("begin; 0F1 submit not-sent", 0, "wake +5"),
        ("begin; 0F1 submit not-sent", 4, "wake +5"),
        ("begin; 0F1 submit not-sent", 5, "submit 0F2 buy 4, wake +65"),
        ("begin; 0F1 submit acknowledged working", 0, "look 0F1, wake +60"),
        ("begin; 0F1 submit acknowledged working", 60, "look 0F1, wake +60"),
        ("begin; 0F1 submit acknowledged working a:1", 0, "look 0F1, wake +60"),
        ("begin; 0F1 submit unknown", 0, "look 0F1, wake +70"),
        ("begin; 0F1 submit unknown", 70, "look 0F1, wake +600"),
        ("begin; 0F1 submit unknown", 600, "look 0F1"),
        ("begin; 0F1 submit acknowledged working; wait 60", 60, "cancel 0F1, look 0F1, wake +660"),
        ("begin; 0F1 submit acknowledged working; wait 60", 660, "cancel 0F1, look 0F1"),
        ("begin; 0F1 submit acknowledged filled a:4", 0, "compare, wake +120"),
        ("begin; 0F1 submit acknowledged filled a:4", 120, "compare"),
        ("begin; 0F1 submit refused", 0, "compare, wake +120"),
        ("begin; 0F1 submit refused; settle", 0, ""),
        ("begin; 0F1 submit unknown; wait 600", 600, ""),
        ("", 0, ""),
        ("abandon", 0, ""),
    ] {
        let mut machine = Machine::of("CASH 200.00", "buy B 4 @ 25");
        machine.run(text);
        assert_eq!(told(&machine, after(seconds)), expected, "{text} at +{seconds}");
    }
}

#[test]
fn on_the_way_back_no_forward_order_is_sent_and_late_fills_are_looked_for() {
    let mut machine = Machine::of("CASH 200.00, A 10", "sell A 2 @ 50, buy B 4 @ 25, buy C 1 @ 25");
    machine.run("begin; 0F1 submit acknowledged filled a:2; 2F1 submit refused");
    assert_eq!(told(&machine, after(0)), "withhold 1F1, wake +60");
    machine.run("1F1 withheld");
    assert_eq!(told(&machine, after(0)), "submit 0R1 buy 2, compare, wake +60");
}

#[test]
fn a_reversal_that_was_denied_and_may_not_be_sent_again_is_asked_about_until_patience_ends() {
    let rules = crate::record::Rules { resend: false, ..crate::testing::machine::rules() };
    let mut machine = Machine::under(rules, crate::plan::Stages::Together, "CASH 200.00", "buy B 4 @ 25, buy C 1 @ 25");
    machine.run("begin; 0F1 submit acknowledged filled a:4; 1F1 submit refused; 0R1 submit unknown; wait 70; 0R1 look absent & 0R1 look absent");
    assert_eq!(told(&machine, after(70)), "look 0R1, compare, wake +600");
    assert_eq!(told(&machine, after(600)), "look 0R1, compare");
}

#[test]
fn an_order_that_was_sent_again_wakes_at_the_end_of_patience_too() {
    let rules = crate::record::Rules {
        quiescence: crate::testing::machine::secs(10),
        order_deadline: crate::testing::machine::secs(5_000),
        ..crate::testing::machine::rules()
    };
    let mut machine = Machine::under(rules, crate::plan::Stages::Together, "CASH 200.00", "buy B 4 @ 25");
    machine.run("begin; 0F1 submit unknown; later 10; 0F1 look absent & 0F1 look absent");
    assert_eq!(told(&machine, after(10)), "submit 0F1 buy 4, wake +600");
}

#[test]
fn effects_come_in_the_order_of_the_legs_and_the_earliest_wake_last() {
    let mut machine = Machine::of("CASH 200.00, A 10", "sell A 2 @ 50, buy B 4 @ 25, buy C 1 @ 25");
    machine.run("begin; 2F1 submit unknown; 1F1 submit not-sent 30");
    assert_eq!(told(&machine, after(1)), "submit 0F1 sell 2, look 2F1, wake +30");
}

#[test]
fn what_is_sent_carries_the_id_and_the_terms_that_were_recorded() {
    let mut machine = Machine::of("CASH 200.00, A 2", "sell all A 2 @ 50");
    machine.run("begin");
    let Effect::Submit(order) = due(&machine.state, OPENED)[0] else { panic!() };
    assert_eq!((order.id, order.terms), (machine.id("0F1"), machine.order("0F1").terms));
    assert!(order.terms.exit);
}

#[test]
fn a_damaged_journal_with_two_attempts_at_once_makes_deciding_wait_and_not_run_for_ever() {
    use crate::record::{Event, Intent, OrderEvent, Record, Stage};
    let mut machine = Machine::of("CASH 200.00", "buy B 4 @ 25, buy C 1 @ 25");
    machine.run("begin; 0F1 submit acknowledged filled a:4; 1F1 submit refused");
    let first = machine.order("0R1").clone();
    let second =
        Intent { order: machine.id("0R2"), terms: first.terms, send_at: first.send_at, deadline: first.deadline };
    let intended = Event::Intended { stage: Stage::UndoBuys, orders: vec![second], dropped: Vec::new(), checks: None };
    let acknowledged = Event::Order { order: second.order, event: OrderEvent::Acknowledged };
    for event in [intended, acknowledged] {
        crate::apply::apply(&mut machine.state, &Record { at: OPENED, event }).unwrap();
    }
    let reports = vec![machine.report("0R2 look found filled a:4")];
    let records = decide(&machine.state, OPENED, Input::Reports { reports: &reports, hold: Hold::Nothing }).unwrap();
    assert_eq!(records.iter().map(|record| record.event.kind()).collect::<Vec<_>>(), ["filled", "ended"]);
}

#[test]
fn a_damaged_journal_whose_orders_contradict_each_other_is_refused() {
    let mut machine = Machine::of("CASH 200.00, A 10", "sell A 2 @ 50, buy B 4 @ 25");
    machine.run("begin; 0F1 submit acknowledged filled a:2; 1F1 submit refused");
    // What came back is not what went: by its leg all is restored, by its symbols it is not.
    let id = machine.id("0R1");
    let orders = &mut machine.state.batch.as_mut().unwrap().orders;
    orders.get_mut(id).unwrap().terms.symbol = read("C");
    let reports = vec![machine.report("0R1 fill a:2")];
    let refused = decide(&machine.state, OPENED, Input::Reports { reports: &reports, hold: Hold::Nothing });
    assert_eq!(refused, Err(crate::decide::Refusal::Restless));
}

/// Any input, whether or not it makes sense in any state.
fn check_input(state: &crate::portfolio::Portfolio, at: Timestamp, input: Input<'_>) {
    let Ok(records) = decide(state, at, input) else { return };
    let mut after = state.clone();
    for record in &records {
        crate::apply::apply(&mut after, record).unwrap();
    }
    drop(due(&after, at));
}

fn holds() -> impl Strategy<Value = Hold> {
    prop::sample::select(vec![Hold::Nothing, Hold::NextStage, Hold::Orders])
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn due_is_repeatable_and_never_panics(state in states(), now in times()) {
        prop_assert_eq!(due(&state, now), due(&state.clone(), now));
    }

    #[test]
    fn no_report_panics_and_deciding_always_ends(
        state in states(),
        at in times(),
        reports in prop::collection::vec(reports(), 0..4),
        hold in holds(),
    ) {
        check_input(&state, at, Input::Reports { reports: &reports, hold });
    }

    #[test]
    fn no_other_input_panics_and_deciding_always_ends(state in states(), at in times(), broker in books(), token: u64, hold in holds()) {
        check_input(&state, at, Input::Tick { hold });
        check_input(&state, at, Input::Begin { newest: &crate::books::Prices::default() });
        check_input(&state, at, Input::Abandon { why: String::new() });
        check_input(&state, at, Input::Abort { who: String::new(), why: String::new() });
        check_input(&state, at, Input::TakeOver { token: Token::new(token), owner: read("w"), hold: Hold::Nothing });
        check_input(&state, at, Input::Settle { broker: &broker, fills_read: None });
        check_input(&state, at, Input::Confirm { broker: &broker, currency: read("USD"), lost: &[] });
        check_input(&state, at, Input::Remove);
        for mode in [HaltMode::Freeze, HaltMode::Unwind] {
            let halt = Halt { scope: Scope::Everything, mode, who: String::new(), why: String::new(), at };
            check_input(&state, at, Input::Halt { halt: &halt });
        }
    }
}
