//! What is tried again, when, and how often: orders that were not sent, and orders of which nobody knows what became.

use super::check;
use crate::plan::Stages;
use crate::record::Rules;
use crate::testing::machine::{Machine, rules, secs};
use expect_test::expect;

fn one_buy(rules: Rules) -> Machine {
    Machine::under(rules, Stages::Together, "CASH 200.00", "buy B 4 @ 25")
}

/// Requests are under way for at most 10 seconds: an order can be denied and sent again before its deadline.
fn quick() -> Rules {
    Rules { quiescence: secs(10), ..rules() }
}

#[test]
fn an_order_that_was_not_sent_is_tried_again_after_the_delay_as_often_as_the_rules_allow() {
    check(
        one_buy(rules()),
        "begin
         0F1 submit not-sent
         0F1 submit not-sent
         wait 5
         0F2 submit not-sent
         wait 5
         0F3 submit not-sent",
        expect![[r#"
            begin
                +0 intended first, 0F1 buy 4 B +0..+60
            0F1 submit not-sent
                +0 0F1 not sent
                +0 intended first, 0F2 buy 4 B +5..+65
            0F1 submit not-sent
            wait 5
            0F2 submit not-sent
                +5 0F2 not sent
                +5 intended first, 0F3 buy 4 B +10..+70
            wait 5
            0F3 submit not-sent
                +10 0F3 not sent
                +10 unwinding: 0F3 (buy B) ended short: the broker was unreachable
                +10 settling as restored
            rebalancing, settling as restored +10; 0F1 not sent; 0F2 not sent; 0F3 not sent
        "#]],
    );
}

#[test]
fn one_attempt_is_one_attempt() {
    check(
        one_buy(Rules { attempts: 1, ..rules() }),
        "begin; 0F1 submit not-sent",
        expect![[r#"
        begin
            +0 intended first, 0F1 buy 4 B +0..+60
        0F1 submit not-sent
            +0 0F1 not sent
            +0 unwinding: 0F1 (buy B) ended short: the broker was unreachable
            +0 settling as restored
        rebalancing, settling as restored +0; 0F1 not sent
    "#]],
    );
}

#[test]
fn an_order_that_is_tried_again_completes_the_batch() {
    check(
        one_buy(rules()),
        "begin; 0F1 submit not-sent; wait 5; 0F2 submit acknowledged filled a:4; settle",
        expect![[r#"
            begin
                +0 intended first, 0F1 buy 4 B +0..+60
            0F1 submit not-sent
                +0 0F1 not sent
                +0 intended first, 0F2 buy 4 B +5..+65
            wait 5
            0F2 submit acknowledged filled a:4
                +5 0F2 filled 4 for 100.00
                +5 0F2 ended filled
                +5 settling as completed
            settle
                +5 closed completed, cost 100.00
            active
        "#]],
    );
}

#[test]
fn a_rate_limit_is_waited_for_if_it_is_longer_than_the_delay() {
    check(
        one_buy(rules()),
        "begin; 0F1 submit not-sent 30",
        expect![[r#"
        begin
            +0 intended first, 0F1 buy 4 B +0..+60
        0F1 submit not-sent 30
            +0 0F1 not sent
            +0 intended first, 0F2 buy 4 B +30..+90
        rebalancing, forward first; 0F1 not sent; 0F2 intended
    "#]],
    );
    check(
        one_buy(rules()),
        "begin; 0F1 submit not-sent 4",
        expect![[r#"
        begin
            +0 intended first, 0F1 buy 4 B +0..+60
        0F1 submit not-sent 4
            +0 0F1 not sent
            +0 intended first, 0F2 buy 4 B +5..+65
        rebalancing, forward first; 0F1 not sent; 0F2 intended
    "#]],
    );
}

#[test]
fn a_refused_order_is_not_tried_again() {
    check(
        one_buy(rules()),
        "begin; 0F1 submit refused",
        expect![[r#"
        begin
            +0 intended first, 0F1 buy 4 B +0..+60
        0F1 submit refused
            +0 0F1 refused
            +0 unwinding: 0F1 (buy B) ended short: not tradable: no
            +0 settling as restored
        rebalancing, settling as restored +0; 0F1 refused
    "#]],
    );
}

#[test]
fn not_found_counts_twice_and_only_once_nothing_can_be_under_way() {
    check(
        one_buy(quick()),
        "begin
         0F1 submit unknown
         0F1 look absent & 0F1 look absent
         later 9.999999999
         0F1 look absent
         later 0.000000001
         0F1 look unproven
         0F1 look absent
         0F1 look unproven
         0F1 look absent",
        expect![[r#"
            begin
                +0 intended first, 0F1 buy 4 B +0..+60
            0F1 submit unknown
                +0 0F1 unknown, quiet at +10
            0F1 look absent & 0F1 look absent
            later 9.999999999
            0F1 look absent
            later 0.000000001
            0F1 look unproven
            0F1 look absent
                +10 0F1 not found
            0F1 look unproven
            0F1 look absent
                +10 0F1 not found
                +10 0F1 resent, deadline +60
            rebalancing, forward first; 0F1 intended again
        "#]],
    );
}

#[test]
fn an_order_that_was_sent_again_may_be_denied_and_sent_again() {
    check(
        one_buy(quick()),
        "begin
         0F1 submit unknown
         later 10
         0F1 look absent & 0F1 look absent
         0F1 submit unknown
         0F1 look absent & 0F1 look absent
         later 10
         0F1 look absent
         0F1 look absent
         0F1 submit exists
         0F1 look found filled a:4
         settle",
        expect![[r#"
            begin
                +0 intended first, 0F1 buy 4 B +0..+60
            0F1 submit unknown
                +0 0F1 unknown, quiet at +10
            later 10
            0F1 look absent & 0F1 look absent
                +10 0F1 not found
                +10 0F1 not found
                +10 0F1 resent, deadline +60
            0F1 submit unknown
                +10 0F1 unknown, quiet at +20
            0F1 look absent & 0F1 look absent
            later 10
            0F1 look absent
                +20 0F1 not found
            0F1 look absent
                +20 0F1 not found
                +20 0F1 resent, deadline +60
            0F1 submit exists
                +20 0F1 acknowledged
            0F1 look found filled a:4
                +20 0F1 filled 4 for 100.00
                +20 0F1 ended filled
                +20 settling as completed
            settle
                +20 closed completed, cost 100.00
            active
        "#]],
    );
}

#[test]
fn a_repetition_that_was_not_sent_leaves_open_what_became_of_the_first_sending() {
    check(
        one_buy(quick()),
        "begin
         0F1 submit unknown
         later 10
         0F1 look absent & 0F1 look absent
         0F1 submit not-sent
         0F1 look found filled a:4",
        expect![[r#"
            begin
                +0 intended first, 0F1 buy 4 B +0..+60
            0F1 submit unknown
                +0 0F1 unknown, quiet at +10
            later 10
            0F1 look absent & 0F1 look absent
                +10 0F1 not found
                +10 0F1 not found
                +10 0F1 resent, deadline +60
            0F1 submit not-sent
                +10 0F1 unknown, quiet at +20
            0F1 look found filled a:4
                +10 0F1 filled 4 for 100.00
                +10 0F1 ended filled
                +10 settling as completed
            rebalancing, settling as completed +10; 0F1 filled 4
        "#]],
    );
}

#[test]
fn an_order_is_not_sent_again_where_that_could_make_two() {
    check(
        one_buy(Rules { resend: false, ..quick() }),
        "begin; 0F1 submit unknown; later 10; 0F1 look absent & 0F1 look absent",
        expect![[r#"
            begin
                +0 intended first, 0F1 buy 4 B +0..+60
            0F1 submit unknown
                +0 0F1 unknown, quiet at +10
            later 10
            0F1 look absent & 0F1 look absent
                +10 0F1 not found
                +10 0F1 not found
                +10 unwinding: 0F1 cannot be found and may not be sent again
                +10 0F1 assumed not executed
                +10 settling as restored
            rebalancing, settling as restored +10; 0F1 assumed not executed
        "#]],
    );
}

#[test]
fn an_answer_that_comes_after_all_is_believed() {
    for (answer, expected) in [
        (
            "acknowledged working",
            expect![[r#"
            begin
                +0 intended first, 0F1 buy 4 B +0..+60
            0F1 submit unknown
                +0 0F1 unknown, quiet at +70
            later 1
            0F1 submit acknowledged working
                +1 0F1 acknowledged
            rebalancing, forward first; 0F1 acknowledged
        "#]],
        ),
        (
            "exists",
            expect![[r#"
            begin
                +0 intended first, 0F1 buy 4 B +0..+60
            0F1 submit unknown
                +0 0F1 unknown, quiet at +70
            later 1
            0F1 submit exists
                +1 0F1 acknowledged
            rebalancing, forward first; 0F1 acknowledged
        "#]],
        ),
        (
            "refused",
            expect![[r#"
            begin
                +0 intended first, 0F1 buy 4 B +0..+60
            0F1 submit unknown
                +0 0F1 unknown, quiet at +70
            later 1
            0F1 submit refused
                +1 0F1 refused
                +1 unwinding: 0F1 (buy B) ended short: not tradable: no
                +1 settling as restored
            rebalancing, settling as restored +1; 0F1 refused
        "#]],
        ),
        (
            "not-sent",
            expect![[r#"
            begin
                +0 intended first, 0F1 buy 4 B +0..+60
            0F1 submit unknown
                +0 0F1 unknown, quiet at +70
            later 1
            0F1 submit not-sent
            rebalancing, forward first; 0F1 in flight until +70
        "#]],
        ),
        (
            "unknown",
            expect![[r#"
            begin
                +0 intended first, 0F1 buy 4 B +0..+60
            0F1 submit unknown
                +0 0F1 unknown, quiet at +70
            later 1
            0F1 submit unknown
            rebalancing, forward first; 0F1 in flight until +70
        "#]],
        ),
    ] {
        check(one_buy(rules()), &format!("begin; 0F1 submit unknown; later 1; 0F1 submit {answer}"), expected);
    }
}

#[test]
fn the_note_of_an_order_that_was_found_says_how_it_ended_and_not_what_was_feared() {
    let mut machine = one_buy(rules());
    machine.run("begin; 0F1 submit unknown");
    assert_eq!(machine.order("0F1").note, "no answer in time");
    machine.run("0F1 look found working");
    assert_eq!(machine.order("0F1").note, "");
    machine.run("0F1 look found expired");
    assert_eq!(machine.order("0F1").note, "expired");
    assert_eq!(
        machine.batch().unwinding.as_ref().map(ToString::to_string).unwrap().split(": ").last(),
        Some("expired")
    );
}

#[test]
fn an_order_whose_owner_was_lost_says_so() {
    let mut machine = one_buy(rules());
    machine.run("begin; take-over");
    assert_eq!(machine.order("0F1").note, "its sender is gone");
}
