//! Deadlines of orders: what is open then is canceled, what was not sent then is not sent any more.

use super::check;
use crate::plan::Stages;
use crate::record::Rules;
use crate::testing::machine::{Machine, rules, secs};
use expect_test::expect;

#[test]
fn a_forward_order_is_never_sent_again_at_or_after_its_deadline() {
    for (seconds, expected) in [
        (
            "49.999999999",
            expect![[r#"
            begin
                +0 intended first, 0F1 buy 4 B +0..+60
            later 10
            0F1 submit unknown
                +10 0F1 unknown, quiet at +20
            later 49.999999999
            0F1 look absent & 0F1 look absent
                +59.999999999 0F1 not found
                +59.999999999 0F1 not found
                +59.999999999 0F1 resent, deadline +60
            rebalancing, forward first; 0F1 intended again
        "#]],
        ),
        (
            "50",
            expect![[r#"
            begin
                +0 intended first, 0F1 buy 4 B +0..+60
            later 10
            0F1 submit unknown
                +10 0F1 unknown, quiet at +20
            later 50
            0F1 look absent & 0F1 look absent
                +60 0F1 not found
                +60 0F1 not found
                +60 unwinding: 0F1 cannot be found and may not be sent again
                +60 0F1 assumed not executed
                +60 settling as restored
            rebalancing, settling as restored +60; 0F1 assumed not executed
        "#]],
        ),
    ] {
        let text = format!("begin; later 10; 0F1 submit unknown; later {seconds}; 0F1 look absent & 0F1 look absent");
        let rules = Rules { quiescence: secs(10), ..rules() };
        check(Machine::under(rules, Stages::Together, "CASH 200.00", "buy B 4 @ 25"), &text, expected);
    }
}

#[test]
fn an_open_order_is_canceled_when_its_deadline_has_come_and_not_before() {
    check(
        Machine::of("CASH 200.00", "buy B 4 @ 25"),
        "begin
         0F1 submit acknowledged working a:1
         wait 59.999999999
         wait 0.000000001
         tick
         0F1 cancel requested
         0F1 look found canceled a:1",
        expect![[r#"
            begin
                +0 intended first, 0F1 buy 4 B +0..+60
            0F1 submit acknowledged working a:1
                +0 0F1 filled 1 for 25.00
            wait 59.999999999
            wait 0.000000001
                +60 0F1 cancel requested
            tick
            0F1 cancel requested
            0F1 look found canceled a:1
                +60 0F1 ended canceled
                +60 unwinding: 0F1 (buy B) ended short: canceled
                +60 intended undo buys, 0R1 sell all 1 B +60..+120
            rebalancing, compensating, undo buys; 0F1 ended short 1; 0R1 intended
        "#]],
    );
}

#[test]
fn an_order_that_fills_while_it_is_to_be_canceled_has_not_failed() {
    check(
        Machine::of("CASH 200.00", "buy B 4 @ 25"),
        "begin
         0F1 submit acknowledged working a:1
         wait 60
         0F1 cancel ended filled filled=4 a:1
         0F1 look found filled a:1 b:3
         settle",
        expect![[r#"
            begin
                +0 intended first, 0F1 buy 4 B +0..+60
            0F1 submit acknowledged working a:1
                +0 0F1 filled 1 for 25.00
            wait 60
                +60 0F1 cancel requested
            0F1 cancel ended filled filled=4 a:1
            0F1 look found filled a:1 b:3
                +60 0F1 filled 3 for 75.00
                +60 0F1 ended filled
                +60 settling as completed
            settle
                +60 closed completed, cost 100.00
            active
        "#]],
    );
}

#[test]
fn an_order_that_was_not_sent_by_its_deadline_is_asked_about() {
    check(
        Machine::of("CASH 200.00", "buy B 4 @ 25"),
        "begin; wait 59.999999999; wait 0.000000001; 0F1 submit acknowledged filled a:4",
        expect![[r#"
            begin
                +0 intended first, 0F1 buy 4 B +0..+60
            wait 59.999999999
            wait 0.000000001
                +60 0F1 unknown, quiet at +130
            0F1 submit acknowledged filled a:4
                +60 0F1 filled 4 for 100.00
                +60 0F1 ended filled
                +60 settling as completed
            rebalancing, settling as completed +60; 0F1 filled 4
        "#]],
    );
}
