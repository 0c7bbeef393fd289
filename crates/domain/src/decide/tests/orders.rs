//! Table A: what every report makes of an order in every state. A pair that no row names changes nothing.
//!
//! Reports are booked without asking what follows for the batch: that is table B, in [`super::stages`].

use crate::apply::apply;
use crate::decide::{Draft, reports};
use crate::order::{NotSent, RefusalReason, Refused, UnknownCause};
use crate::record::{End, Event, OrderEvent, Record};
use crate::testing::machine::{Machine, after, secs, story};
use std::borrow::Cow;

/// Every state, and how an order of 4 units at 25 gets there. Fills are `a:1`, or `a:4` where all of it is executed.
const STATES: [(&str, &str); 17] = [
    ("intended", ""),
    ("intended again", "unknown, not found, not found, resent"),
    ("in flight", "unknown"),
    ("in flight, no more under way", "unknown, +70"),
    ("in flight, denied once", "unknown, +70, not found"),
    ("quiet", "unknown, +70, not found, not found"),
    ("acknowledged", "acknowledged"),
    ("partly filled", "filled 1"),
    ("cancel requested", "acknowledged, cancel requested"),
    ("cancel requested, partly filled", "filled 1, cancel requested"),
    ("not sent", "not sent"),
    ("refused", "refused"),
    ("canceled", "acknowledged, ended canceled"),
    ("expired", "acknowledged, ended expired"),
    ("ended short", "filled 1, ended canceled"),
    ("filled", "filled 4, ended filled"),
    ("assumed not executed", "unknown, +70, not found, not found, assumed"),
];

/// Everything that can be reported. A view says the same whichever way it comes: see the second test.
const REPORTS: [&str; 29] = [
    "submit exists",
    "submit refused",
    "submit not-sent",
    "submit unknown",
    "withheld",
    "look absent",
    "look unproven",
    "look found working",
    "look found working a:1",
    "look found working a:4",
    "look found odd a:1",
    "look found filled a:4",
    "look found filled a:1 b:3",
    "look found filled filled=4",
    "look found filled filled=4 a:1",
    "look found canceled",
    "look found canceled a:1",
    "look found canceled filled=1",
    "look found expired",
    "look found expired a:1",
    "look found rejected",
    "look found rejected a:1",
    "cancel requested",
    "cancel no-such-order",
    "cancel not-sent",
    "cancel unknown",
    "fill a:1",
    "fill a:4",
    "fill c:5",
];

/// An answer is waited for.
const WAITING: &[&str] =
    &["intended", "intended again", "in flight", "in flight, no more under way", "in flight, denied once", "quiet"];
/// The broker has not shown the order yet. What was assumed not to have executed becomes an order again when it does.
const UNSEEN: &[&str] = &[
    "intended",
    "intended again",
    "in flight",
    "in flight, no more under way",
    "in flight, denied once",
    "quiet",
    "assumed not executed",
];
const OPEN: &[&str] = &["acknowledged"];
const PARTIAL: &[&str] = &["partly filled"];
const CANCELING: &[&str] = &["cancel requested"];
const CANCELING_PARTIAL: &[&str] = &["cancel requested, partly filled"];
/// Nothing executed, nothing expected.
const OVER: &[&str] = &["not sent", "refused", "canceled", "expired"];

/// States, report, records, and where the order stands then. A `=` stands for the name of the state before.
type Row = (&'static [&'static str], &'static str, &'static str, &'static str);

const TABLE: &[Row] = &[
    // Answers without a view.
    (UNSEEN, "submit exists", "acknowledged", "acknowledged"),
    (WAITING, "submit refused", "refused", "refused"),
    (&["intended"], "submit not-sent", "not sent", "not sent"),
    // A repetition that was not sent says nothing about the first sending.
    (&["intended again"], "submit not-sent", "unknown, quiet at +140", "in flight until +140"),
    (&["intended"], "withheld", "withdrawn", "not sent"),
    (&["intended again"], "withheld", "unknown, quiet at +140", "in flight until +140"),
    (&["intended"], "submit unknown", "unknown, quiet at +70", "in flight until +70"),
    (&["intended again"], "submit unknown", "unknown, quiet at +140", "in flight until +140"),
    // "Not found" counts twice, and only when the request can no longer be under way.
    (&["in flight, no more under way"], "look absent", "not found", "in flight until +70"),
    (&["in flight, denied once"], "look absent", "not found", "quiet"),
    // A view of an order that was not seen yet.
    (UNSEEN, "look found working", "acknowledged", "acknowledged"),
    (UNSEEN, "look found working a:1", "filled 1 for 25.00", "partly filled 1"),
    (UNSEEN, "look found working a:4", "filled 4 for 100.00", "partly filled 4"),
    (UNSEEN, "look found odd a:1", "filled 1 for 25.00", "partly filled 1"),
    (UNSEEN, "look found filled a:4", "filled 4 for 100.00, ended filled", "filled 4"),
    (UNSEEN, "look found filled a:1 b:3", "filled 1 for 25.00, filled 3 for 75.00, ended filled", "filled 4"),
    // A terminal status before its fills is not believed.
    (UNSEEN, "look found filled filled=4", "acknowledged", "acknowledged"),
    (UNSEEN, "look found filled filled=4 a:1", "filled 1 for 25.00", "partly filled 1"),
    (UNSEEN, "look found canceled filled=1", "acknowledged", "acknowledged"),
    (UNSEEN, "look found canceled", "acknowledged, ended canceled", "canceled"),
    (UNSEEN, "look found canceled a:1", "filled 1 for 25.00, ended canceled", "ended short 1"),
    (UNSEEN, "look found expired", "acknowledged, ended expired", "expired"),
    (UNSEEN, "look found expired a:1", "filled 1 for 25.00, ended expired", "ended short 1"),
    (UNSEEN, "look found rejected", "acknowledged, ended rejected", "refused"),
    (UNSEEN, "look found rejected a:1", "filled 1 for 25.00, ended rejected", "ended short 1"),
    (UNSEEN, "fill a:1", "filled 1 for 25.00", "partly filled 1"),
    (UNSEEN, "fill a:4", "filled 4 for 100.00, ended filled", "filled 4"),
    (UNSEEN, "fill c:5", "filled 5 for 125.00, ended filled", "filled 5"),
    // Acknowledged.
    (OPEN, "look found working a:1", "filled 1 for 25.00", "partly filled 1"),
    (OPEN, "look found working a:4", "filled 4 for 100.00", "partly filled 4"),
    (OPEN, "look found odd a:1", "filled 1 for 25.00", "partly filled 1"),
    (OPEN, "look found filled a:4", "filled 4 for 100.00, ended filled", "filled 4"),
    (OPEN, "look found filled a:1 b:3", "filled 1 for 25.00, filled 3 for 75.00, ended filled", "filled 4"),
    (OPEN, "look found filled filled=4 a:1", "filled 1 for 25.00", "partly filled 1"),
    (OPEN, "look found canceled", "ended canceled", "canceled"),
    (OPEN, "look found canceled a:1", "filled 1 for 25.00, ended canceled", "ended short 1"),
    (OPEN, "look found expired", "ended expired", "expired"),
    (OPEN, "look found expired a:1", "filled 1 for 25.00, ended expired", "ended short 1"),
    (OPEN, "look found rejected", "ended rejected", "refused"),
    (OPEN, "look found rejected a:1", "filled 1 for 25.00, ended rejected", "ended short 1"),
    (OPEN, "fill a:1", "filled 1 for 25.00", "partly filled 1"),
    (OPEN, "fill a:4", "filled 4 for 100.00, ended filled", "filled 4"),
    (OPEN, "fill c:5", "filled 5 for 125.00, ended filled", "filled 5"),
    // Partly filled: `a:1` is known, and so is anything else of that id.
    (PARTIAL, "look found filled a:1 b:3", "filled 3 for 75.00, ended filled", "filled 4"),
    (PARTIAL, "look found canceled a:1", "ended canceled", "ended short 1"),
    (PARTIAL, "look found canceled filled=1", "ended canceled", "ended short 1"),
    (PARTIAL, "look found expired a:1", "ended expired", "ended short 1"),
    (PARTIAL, "look found rejected a:1", "ended rejected", "ended short 1"),
    (PARTIAL, "fill c:5", "filled 5 for 125.00, ended filled", "filled 6"),
    // To be canceled: fills still come, and change nothing about the cancel until the order has ended.
    (CANCELING, "look found working a:1", "filled 1 for 25.00", "cancel requested +0 1"),
    (CANCELING, "look found working a:4", "filled 4 for 100.00", "cancel requested +0 4"),
    (CANCELING, "look found odd a:1", "filled 1 for 25.00", "cancel requested +0 1"),
    (CANCELING, "look found filled a:4", "filled 4 for 100.00, ended filled", "filled 4"),
    (CANCELING, "look found filled a:1 b:3", "filled 1 for 25.00, filled 3 for 75.00, ended filled", "filled 4"),
    (CANCELING, "look found filled filled=4 a:1", "filled 1 for 25.00", "cancel requested +0 1"),
    (CANCELING, "look found canceled", "ended canceled", "canceled"),
    (CANCELING, "look found canceled a:1", "filled 1 for 25.00, ended canceled", "ended short 1"),
    (CANCELING, "look found expired", "ended expired", "expired"),
    (CANCELING, "look found expired a:1", "filled 1 for 25.00, ended expired", "ended short 1"),
    (CANCELING, "look found rejected", "ended rejected", "refused"),
    (CANCELING, "look found rejected a:1", "filled 1 for 25.00, ended rejected", "ended short 1"),
    (CANCELING, "fill a:1", "filled 1 for 25.00", "cancel requested +0 1"),
    (CANCELING, "fill a:4", "filled 4 for 100.00, ended filled", "filled 4"),
    (CANCELING, "fill c:5", "filled 5 for 125.00, ended filled", "filled 5"),
    (CANCELING_PARTIAL, "look found filled a:1 b:3", "filled 3 for 75.00, ended filled", "filled 4"),
    (CANCELING_PARTIAL, "look found canceled a:1", "ended canceled", "ended short 1"),
    (CANCELING_PARTIAL, "look found canceled filled=1", "ended canceled", "ended short 1"),
    (CANCELING_PARTIAL, "look found expired a:1", "ended expired", "ended short 1"),
    (CANCELING_PARTIAL, "look found rejected a:1", "ended rejected", "ended short 1"),
    (CANCELING_PARTIAL, "fill c:5", "filled 5 for 125.00, ended filled", "filled 6"),
    // Over: a fill that comes late is real and is booked, and the order stays as it ended.
    (OVER, "look found working a:1", "filled 1 for 25.00", "= 1"),
    (OVER, "look found working a:4", "filled 4 for 100.00", "= 4"),
    (OVER, "look found odd a:1", "filled 1 for 25.00", "= 1"),
    (OVER, "look found filled a:4", "filled 4 for 100.00", "= 4"),
    (OVER, "look found filled a:1 b:3", "filled 1 for 25.00, filled 3 for 75.00", "= 4"),
    (OVER, "look found filled filled=4 a:1", "filled 1 for 25.00", "= 1"),
    (OVER, "look found canceled a:1", "filled 1 for 25.00", "= 1"),
    (OVER, "look found expired a:1", "filled 1 for 25.00", "= 1"),
    (OVER, "look found rejected a:1", "filled 1 for 25.00", "= 1"),
    (OVER, "fill a:1", "filled 1 for 25.00", "= 1"),
    (OVER, "fill a:4", "filled 4 for 100.00", "= 4"),
    (OVER, "fill c:5", "filled 5 for 125.00", "= 5"),
    (&["ended short"], "look found filled a:1 b:3", "filled 3 for 75.00", "ended short 4"),
    (&["ended short"], "fill c:5", "filled 5 for 125.00", "ended short 6"),
    (&["filled"], "look found filled a:1 b:3", "filled 3 for 75.00", "filled 7"),
    (&["filled"], "fill c:5", "filled 5 for 125.00", "filled 9"),
];

/// An order in the state of that name.
fn in_state(name: &str) -> Machine {
    let mut machine = Machine::of("CASH 1000.00", "buy B 4 @ 25");
    machine.run("begin");
    let (_, way) = STATES.iter().find(|(state, _)| *state == name).unwrap();
    for word in way.split(", ").filter(|word| !word.is_empty()) {
        let event = match word {
            "acknowledged" => OrderEvent::Acknowledged,
            "refused" => OrderEvent::Refused(Refused { reason: RefusalReason::Other, message: "no".to_owned() }),
            "not sent" => OrderEvent::NotSent(NotSent::Unreachable),
            "unknown" => OrderEvent::Unknown { cause: UnknownCause::Timeout, quiet_at: after(70) },
            "not found" => OrderEvent::NotFound,
            "resent" => {
                machine.now = after(70);
                OrderEvent::Resent { deadline: after(130) }
            }
            "assumed" => OrderEvent::AssumedNotExecuted,
            "filled 1" => filled(&machine, "0F1 fill a:1"),
            "filled 4" => filled(&machine, "0F1 fill a:4"),
            "cancel requested" => OrderEvent::CancelRequested,
            "ended canceled" => OrderEvent::Ended(End::Canceled),
            "ended expired" => OrderEvent::Ended(End::Expired),
            "ended filled" => OrderEvent::Ended(End::Filled),
            "+70" => {
                machine.now = machine.now.plus(secs(70));
                continue;
            }
            other => panic!("no such event: {other}"),
        };
        let event = Event::Order { order: machine.id("0F1"), event };
        apply(&mut machine.state, &Record { at: machine.now, event }).unwrap();
    }
    machine
}

fn filled(machine: &Machine, text: &str) -> OrderEvent {
    let crate::decide::Report::Fill(listed) = machine.report(text) else { panic!("no fill: {text}") };
    let booked = listed.fill.value().to_money(crate::values::Rounding::HalfEven).unwrap();
    OrderEvent::Filled { fill: listed.fill, booked }
}

/// What a report makes of an order in the state of that name: records, and where it stands then.
fn told(state: &str, report: &str) -> (String, String) {
    let machine = in_state(state);
    let mut draft = Draft { state: Cow::Borrowed(&machine.state), at: machine.now, records: Vec::new() };
    reports::report(&mut draft, &machine.report(&format!("0F1 {report}"))).unwrap();
    let events = draft.records.iter().map(|record| match &record.event {
        Event::Order { event, .. } => story::order_event(event),
        other => panic!("{other:?}"),
    });
    let order = draft.state.batch.as_ref().unwrap().orders.get(machine.id("0F1")).unwrap();
    (events.collect::<Vec<_>>().join(", "), story::order(order))
}

fn standing(state: &str) -> String {
    story::order(in_state(state).order("0F1"))
}

#[test]
fn every_report_in_every_state_does_what_the_table_says_or_nothing() {
    let mut named = 0;
    for (state, _) in STATES {
        let before = standing(state);
        for report in REPORTS {
            let rows: Vec<&Row> =
                TABLE.iter().filter(|(states, text, ..)| *text == report && states.contains(&state)).collect();
            let (records, after) = match rows[..] {
                [] => (String::new(), before.clone()),
                [(_, _, records, after)] => ((*records).to_owned(), after.replace('=', &before)),
                _ => panic!("two rows for {state}, {report}"),
            };
            assert_eq!(told(state, report), (records, after), "{state}: {report}");
            named += rows.len();
        }
    }
    let in_table: usize = TABLE.iter().map(|(states, ..)| states.len()).sum();
    assert_eq!(named, in_table, "a row names a state or a report that is not listed");
}

#[test]
fn a_view_says_the_same_whichever_way_it_comes() {
    for (state, _) in STATES {
        for report in REPORTS.iter().filter_map(|report| report.strip_prefix("look found ")) {
            let looked = told(state, &format!("look found {report}"));
            assert_eq!(told(state, &format!("submit acknowledged {report}")), looked, "{state}: {report}");
            assert_eq!(told(state, &format!("cancel ended {report}")), looked, "{state}: {report}");
        }
    }
}

#[test]
fn every_report_changes_nothing_when_it_comes_again() {
    for (state, _) in STATES {
        // What is denied counts once more, and what was not sent may be tried again: those are no repetitions.
        for report in REPORTS.iter().filter(|report| !report.starts_with("look absent")) {
            let machine = in_state(state);
            let mut draft = Draft { state: Cow::Borrowed(&machine.state), at: machine.now, records: Vec::new() };
            let report = machine.report(&format!("0F1 {report}"));
            reports::report(&mut draft, &report).unwrap();
            let once = draft.records.len();
            reports::report(&mut draft, &report).unwrap();
            assert_eq!(draft.records[once..], [], "{state}: {report:?}");
        }
    }
}
