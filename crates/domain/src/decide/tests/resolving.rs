//! What a person does with a stale or quarantined portfolio: accept, state that it was fixed, or have it tried again.

use super::check;
use crate::decide::{Input, Refusal, ResolveAction, ResolveRequest};
use crate::order::Attempt;
use crate::plan::Stages;
use crate::record::Rules;
use crate::testing::machine::{Machine, books_of, rules, secs, story};
use expect_test::expect;

#[test]
fn fixed_needs_the_units_of_before_to_the_last_one_and_takes_whatever_cash_there_is() {
    let mut machine = Machine::of("CASH 100.00", "buy B 4 @ 25");
    machine.run("begin; 0F1 submit acknowledged working a:1; wait 60; wait 600");
    let mut fixed = |broker: &str| {
        let broker = books_of(broker);
        let action = ResolveAction::Fixed { broker: &broker };
        let request = ResolveRequest { action, who: "ann".to_owned(), why: "sold it".to_owned() };
        let told = machine.step(Input::Resolve(request));
        told.map(|records| story::records(&records)).unwrap_or_else(|refusal| format!("no: {refusal}\n"))
    };
    expect![[r#"
        no: books and broker disagree: B: 0 in the books, 0.000000001 at the broker
        no: books and broker disagree: C: 0 in the books, 1 at the broker
        +660 resolved (Fixed) by ann: sold it; cash 73.50
    "#]]
    .assert_eq(&(fixed("CASH 75.00, B 0.000000001") + &fixed("CASH 75.00, C 1") + &fixed("CASH 73.50")));
    assert_eq!(machine.state.books, books_of("CASH 73.50"));
}

#[test]
fn accepting_takes_units_and_cash_from_the_broker() {
    let mut machine = Machine::holding("CASH 100.00");
    machine.run("confirm off");
    let broker = books_of("CASH 1.00, C 3");
    let action = ResolveAction::Accept { broker: &broker };
    machine.must(Input::Resolve(ResolveRequest { action, who: String::new(), why: String::new() }));
    assert_eq!((&machine.state.books, machine.state.standing.name()), (&broker, "active"));
}

#[test]
fn a_retry_gives_fresh_time_and_as_many_attempts_again_as_the_rules_allow() {
    let machine = Machine::of("CASH 200.00", "buy B 4 @ 25, buy C 1 @ 25");
    check(
        machine,
        "begin
         0F1 submit acknowledged filled a:4 & 1F1 submit refused
         0R1 submit refused; wait 5; 0R2 submit refused; wait 5; 0R3 submit refused
         ---
         later 5000
         retry
         0R4 submit refused
         wait 5
         0R5 submit acknowledged filled a:4
         settle",
        expect![[r#"
            later 5000
            retry
                +5010 retried by ann: looked; up to 6 attempts
                +5010 intended undo buys, 0R4 sell all 4 B +5015..+5075
            0R4 submit refused
                +5010 0R4 refused
                +5010 intended undo buys, 0R5 sell all 4 B +5015..+5075
            wait 5
            0R5 submit acknowledged filled a:4
                +5015 0R5 filled 4 for 100.00
                +5015 0R5 ended filled
                +5015 settling as restored
            settle
                +5015 closed restored, cost 0.00, pause until +900; 1F1 (buy C) ended short: not tradable: no
            active
        "#]],
    );
}

#[test]
fn a_retry_never_goes_beyond_nine_attempts() {
    let rules = Rules { attempts: 5, ..rules() };
    let mut machine = Machine::under(rules, Stages::Together, "CASH 200.00", "buy B 4 @ 25, buy C 1 @ 25");
    machine.run("begin; 0F1 submit acknowledged filled a:4 & 1F1 submit refused");
    for attempt in 1..=5 {
        machine.run(&format!("0R{attempt} submit refused; wait 5"));
    }
    assert_eq!(
        machine.run("retry").split("; ").last(),
        Some("up to 9 attempts\n+25 intended undo buys, 0R6 sell all 4 B +30..+90\n")
    );
    for attempt in 6..=9 {
        machine.run(&format!("wait 5; 0R{attempt} submit refused"));
    }
    assert_eq!(machine.state.standing.name(), "stale");
    assert_eq!(machine.run("retry"), format!("no: {}\n", Refusal::NoAttemptsLeft));
    assert_eq!(Attempt::LAST.get(), 9);
}

#[test]
fn a_retry_asks_about_the_last_attempt_though_none_is_left() {
    let rules = Rules { attempts: 9, ..rules() };
    let mut machine = Machine::under(rules, Stages::Together, "CASH 200.00", "buy B 4 @ 25, buy C 1 @ 25");
    machine.run("begin; 0F1 submit acknowledged filled a:4 & 1F1 submit refused");
    for attempt in 1..=8 {
        machine.run(&format!("0R{attempt} submit refused; wait 5"));
    }
    check(
        machine,
        "0R9 submit unknown; wait 600; --- retry; 0R9 look found filled a:4; settle",
        expect![[r#"
            retry
                +640 retried by ann: looked; up to 9 attempts
            0R9 look found filled a:4
                +640 0R9 filled 4 for 100.00
                +640 0R9 ended filled
                +640 settling as restored
            settle
                +640 closed restored, cost 0.00, pause until +900; 1F1 (buy C) ended short: not tradable: no
            active
        "#]],
    );
}

#[test]
fn attempts_that_were_never_made_are_not_used_up() {
    // It went stale when all seemed done: nine attempts were allowed, and none was made.
    let rules = Rules { attempts: 9, ..rules() };
    let machine = Machine::under(rules, Stages::Together, "CASH 200.00, A 2", "sell A 2 @ 50, buy B 4 @ 25");
    check(
        machine,
        "begin
         0F1 submit acknowledged filled a:2 & 1F1 submit acknowledged filled a:4
         ---
         0F1 fill b:1
         retry",
        expect![[r#"
            0F1 fill b:1
                +0 closed stale, cost 0.00, 2 A missing, 4 B too many; a fill of 0F1 cannot be booked: cannot take 1 from 0: a quantity is never negative
            retry
                +0 retried by ann: looked; up to 9 attempts
                +0 intended undo buys, 1R1 sell all 4 B +0..+60
            rebalancing, compensating, undo buys; 0F1 filled 2; 1F1 filled 4; 1R1 intended
        "#]],
    );
}

#[test]
fn a_retry_asks_again_about_whatever_may_have_been_sent() {
    let rules = Rules { order_deadline: secs(10_000), ..rules() };
    let legs = "sell A 2 @ 50, buy B 4 @ 25, buy C 4 @ 25";
    let mut machine = check(
        Machine::under(rules, Stages::Together, "CASH 200.00, A 7", legs),
        "begin
         0F1 submit unknown & 2F1 submit acknowledged working a:1
         wait 600
         ---
         later 1000
         retry
         0F1 look absent & 0F1 look absent & 1F1 look absent & 1F1 look absent
         2F1 look found canceled a:1
         wait 70
         1F1 look absent & 1F1 look absent
         2R1 submit acknowledged filled a:1
         settle",
        expect![[r#"
            later 1000
            retry
                +1600 retried by ann: looked; up to 6 attempts
                +1600 2F1 cancel requested
            0F1 look absent & 0F1 look absent & 1F1 look absent & 1F1 look absent
                +1600 0F1 not found
                +1600 0F1 not found
                +1600 0F1 assumed not executed
            2F1 look found canceled a:1
                +1600 2F1 ended canceled
            wait 70
            1F1 look absent & 1F1 look absent
                +1670 1F1 not found
                +1670 1F1 not found
                +1670 1F1 assumed not executed
                +1670 intended undo buys, 2R1 sell all 1 C +1670..+11670
            2R1 submit acknowledged filled a:1
                +1670 2R1 filled 1 for 25.00
                +1670 2R1 ended filled
                +1670 settling as restored
            settle
                +1670 closed restored, cost 0.00, pause until +900; aborted by ann: looked
            active
        "#]],
    );
    assert_eq!(machine.order("1F1").note, "its sender is gone");
    assert_eq!(machine.run("retry"), "no: the portfolio is active: there is nothing to resolve that way\n");
}

#[test]
fn a_retry_has_its_own_patience() {
    let machine = Machine::of("CASH 200.00", "buy B 4 @ 25");
    check(
        machine,
        "begin; 0F1 submit unknown; wait 600; --- later 1000; retry; wait 599.999999999; wait 0.000000001",
        expect![[r#"
            later 1000
            retry
                +1600 retried by ann: looked; up to 6 attempts
            wait 599.999999999
            wait 0.000000001
                +2200 closed stale, cost 0.00, 0F1 unresolved; the outcome of 1 order(s) stayed unknown
            stale
        "#]],
    );
    let machine = Machine::of("CASH 200.00", "buy B 4 @ 25");
    check(
        machine,
        "begin; 0F1 submit acknowledged working; abort; wait 600
         ---
         later 1000; retry; wait 599.999999999; wait 0.000000001",
        expect![[r#"
            later 1000
            retry
                +1600 retried by ann: looked; up to 6 attempts
            wait 599.999999999
            wait 0.000000001
                +2200 closed stale, cost 0.00, 0F1 unresolved; the outcome of 1 order(s) stayed unknown
            stale
        "#]],
    );
}

#[test]
fn a_retry_after_a_difference_compares_again() {
    let machine = Machine::of("CASH 100.00", "buy B 4 @ 25");
    check(
        machine,
        "begin; 0F1 submit acknowledged filled a:4; wait 120; settle off
         ---
         later 1000
         retry
         settle off
         settle",
        expect![[r#"
            later 1000
            retry
                +1120 retried by ann: looked; up to 6 attempts
            settle off
            settle
                +1120 closed completed, cost 100.00
            active
        "#]],
    );
}
