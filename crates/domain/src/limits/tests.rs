//! Each limit at its edge and one cent, second or batch beyond it; what counts for a day; and what is recorded.

use super::{Checks, Facts, LimitError, Limits};
use crate::books::{Prices, Quote};
use crate::decide::{Input, Refusal};
use crate::plan::Stages;
use crate::record::{Cause, Event, Outcome, Rules};
use crate::testing::machine::{FACTS, Machine, OPENED, after, plan_of, rules, secs};
use crate::testing::read;
use crate::values::{StoreId, Token};
use std::time::Duration;

const LEGS: &str = "sell A 2 @ 50, buy B 4 @ 25.01";

/// What opening this batch comes to under these limits, on a machine that has seen something already.
fn open(machine: &mut Machine, limits: Limits, facts: Facts) -> Result<(), LimitError> {
    let plan = plan_of(LEGS, Stages::Together);
    let rules = Rules { limits, ..rules() };
    let (store, token) = (StoreId::new(1), Token::new(1));
    match machine.step(Input::Open { store, token, plan: &plan, facts, rules }) {
        Ok(_) => Ok(()),
        Err(Refusal::Limit(limit)) => Err(limit),
        Err(other) => panic!("{other}"),
    }
}

fn check(limits: Limits, facts: Facts, expected: &str) {
    let mut machine = Machine::holding("CASH 500.00, A 10");
    let told = open(&mut machine, limits, facts).map_or_else(|limit| limit.to_string(), |()| "opened".to_owned());
    assert_eq!(told, expected, "{limits:?}");
    assert_eq!(machine.state.batch.is_some(), expected == "opened");
}

#[test]
fn amounts_at_the_limit_are_allowed_and_a_cent_more_is_not() {
    for (limit, expected) in [
        ("100.04", "opened"),
        ("100.03", "the order for B is worth 100.04, and an order may be worth 100.03"),
        ("0.00", "the order for A is worth 100.00, and an order may be worth 0.00"),
    ] {
        check(Limits { order: Some(read(limit)), ..Limits::NONE }, FACTS, expected);
    }
    for (limit, expected) in
        [("200.04", "opened"), ("200.03", "the batch is worth 200.04, and a batch may be worth 200.03")]
    {
        check(Limits { batch: Some(read(limit)), ..Limits::NONE }, FACTS, expected);
    }
    check(
        Limits { day: Some(read("200.03")), ..Limits::NONE },
        FACTS,
        "with this batch 200.04 would be traded within 24 hours, and 200.03 may be",
    );
}

#[test]
fn a_session_that_ends_too_soon_is_not_begun_in() {
    let limits = Limits { session_left: Some(secs(300)), ..Limits::NONE };
    for (left, expected) in [
        (Some(300), "opened"),
        (Some(299), "the market closes in 299 s, and 300 s must be left"),
        (Some(0), "the market closes in 0 s, and 300 s must be left"),
        (None, "opened"),
    ] {
        check(limits, Facts { closes_at: left.map(after), ..FACTS }, expected);
    }
    // It closed already.
    let closed = Facts { closes_at: Some(after(0)), ..FACTS };
    let mut machine = Machine::holding("CASH 500.00, A 10");
    machine.now = after(60);
    assert!(matches!(open(&mut machine, limits, closed), Err(LimitError::Session { .. })));
}

#[test]
fn a_day_is_the_last_24_hours_and_counts_what_was_executed_forward() {
    let day = Duration::from_secs(24 * 60 * 60);
    let limits = Limits { day: Some(read("300.07")), batches_a_day: Some(1), ..Limits::NONE };
    let mut machine = Machine::holding("CASH 500.00, A 10");
    open(&mut machine, Limits::NONE, FACTS).unwrap();
    // Of 200.04, the sell alone is executed, and bought back: 100.00 of turnover.
    machine.run(
        "begin; 0F1 submit acknowledged filled a:2; 1F1 submit refused; 0R1 submit acknowledged filled b:2; settle",
    );
    machine.now = OPENED.plus(day);
    machine.now = crate::values::Timestamp::from_nanos(machine.now.nanos() - 1);
    let told = open(&mut machine, limits, FACTS).unwrap_err().to_string();
    assert_eq!(told, "this would be batch 2 within 24 hours, and 1 may be opened");
    let told = open(&mut machine, Limits { day: Some(read("300.03")), ..Limits::NONE }, FACTS).unwrap_err().to_string();
    assert_eq!(told, "with this batch 300.04 would be traded within 24 hours, and 300.03 may be");
    // A nanosecond later it is a day ago.
    machine.now = OPENED.plus(day);
    open(&mut machine, Limits { day: Some(read("200.04")), ..limits }, FACTS).unwrap();
}

#[test]
fn an_abandoned_batch_does_not_count() {
    let limits = Limits { batches_a_day: Some(1), ..Limits::NONE };
    let mut machine = Machine::holding("CASH 500.00, A 10");
    for _ in 0..3 {
        open(&mut machine, limits, FACTS).unwrap();
        machine.run("abandon");
    }
}

#[test]
fn what_is_found_is_recorded_with_the_intents_and_a_limit_reached_meanwhile_abandons_the_batch() {
    let limits = Limits { session_left: Some(secs(300)), ..Limits::NONE };
    let facts = Facts { closes_at: Some(after(310)), ..FACTS };
    for (waited, begins) in [(10, true), (11, false)] {
        let mut machine = Machine::holding("CASH 500.00, A 10");
        open(&mut machine, limits, facts).unwrap();
        machine.now = after(waited);
        let records = machine.must(Input::Begin { newest: &crate::books::Prices::default() });
        match &records[0].event {
            Event::Intended { checks: Some(checks), .. } if begins => {
                assert_eq!((checks.order, checks.batch, checks.day), (read("100.04"), read("200.04"), read("200.04")));
                assert_eq!((checks.batches, checks.closes_at), (1, facts.closes_at));
            }
            Event::Closed(closing) if !begins => {
                assert_eq!(closing.outcome, Outcome::Abandoned);
                assert!(matches!(closing.cause, Some(Cause::Limited { limit: LimitError::Session { .. } })));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_limit_reached_after_the_intents_withdraws_them() {
    let limits = Limits { session_left: Some(secs(300)), ..Limits::NONE };
    let facts = Facts { closes_at: Some(after(310)), ..FACTS };
    for (waited, told) in [(10, ""), (11, "+11 closed abandoned, cost 0.00; ")] {
        let mut machine = Machine::holding("CASH 500.00, A 10");
        open(&mut machine, limits, facts).unwrap();
        machine.run("begin");
        machine.now = after(waited);
        let records = machine.run("send");
        assert!(records.is_empty() == told.is_empty() && records.contains(told), "{records}");
        assert_eq!(records.matches("withdrawn").count(), if told.is_empty() { 0 } else { 2 });
    }
}

/// What becomes of a batch of A at 50 and B at 25.01 that begins at these prices: what is recorded as moved, or why it is given up.
/// Where they come once the intents were written, the same is given up and nothing else.
fn begun(collar: Option<&str>, newest: &[(&str, &str)]) -> String {
    let limits = Limits { collar: collar.map(read), ..Limits::NONE };
    let mut machine = Machine::holding("CASH 500.00, A 10");
    open(&mut machine, limits, FACTS).unwrap();
    let quote = |price: &str| Quote { price: read(price), at: OPENED };
    let newest: Prices = newest.iter().map(|(symbol, price)| (read(symbol), quote(price))).collect();
    let mut begun = machine.clone();
    begun.run("begin");
    begun.must(Input::Send { newest: &newest });
    let records = machine.must(Input::Begin { newest: &newest });
    match &records[0].event {
        Event::Intended { .. } if begun.state.batch.is_none() => panic!("given up though it may begin"),
        Event::Intended { checks: Some(Checks { moved: None, .. }), .. } => "nothing moved".to_owned(),
        Event::Intended { checks: Some(Checks { moved: Some(moved), .. }), .. } => {
            format!("{} from {} to {}", moved.symbol, moved.planned, moved.newest)
        }
        Event::Closed(closing) => {
            assert_eq!(closing.outcome, Outcome::Abandoned);
            assert!(machine.closed().orders.is_empty(), "nothing was intended");
            assert_eq!(begun.closed().closing.as_ref().unwrap().cause, closing.cause);
            closing.cause.as_ref().unwrap().to_string()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn prices_that_left_the_collar_since_the_plan_give_the_batch_up() {
    let refused =
        "the price of B has gone from 25.01 to 26.260500001 since the plan was made, and it may move by 5.0000 %";
    for (collar, newest, expected) in [
        (Some("5"), &[][..], "nothing moved"),
        (Some("5"), &[("A", "50"), ("B", "25.01")], "nothing moved"),
        // A symbol that the plan does not trade is no matter of the batch.
        (Some("5"), &[("C", "1000")], "nothing moved"),
        // 5 % of 25.01 are 1.2505: at the limit, up and down, and a billionth beyond.
        (Some("5"), &[("B", "26.2605")], "B from 25.01 to 26.2605"),
        (Some("5"), &[("B", "23.7595")], "B from 25.01 to 23.7595"),
        (Some("5"), &[("B", "26.260500001")], refused),
        // The furthest is the one in relation to its price: 4 % of A are more in money than 4.5 % of B.
        (Some("5"), &[("A", "52"), ("B", "26.13")], "B from 25.01 to 26.13"),
        (Some("5"), &[("A", "52"), ("B", "26.260500001")], refused),
        (None, &[("A", "52"), ("B", "260")], "B from 25.01 to 260"),
    ] {
        let told = begun(collar, newest);
        assert!(told.ends_with(expected), "{collar:?} {newest:?}: {told}");
    }
}
