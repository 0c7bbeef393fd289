//! What a halt makes of an open batch: nothing goes forward, what is open is canceled; frozen, nothing goes back either.

use super::check;
use crate::testing::machine::Machine;
use expect_test::expect;

const LEGS: &str = "sell A 2 @ 50, buy B 4 @ 25";

#[test]
fn frozen_it_ends_what_is_open_and_trades_nothing_back_until_the_halt_is_over() {
    check(
        Machine::of("CASH 200.00, A 10", LEGS),
        "begin; 0F1 submit acknowledged filled a:2; 1F1 submit acknowledged working b:1
         halt freeze
         1F1 cancel ended canceled b:1
         wait 3600
         go on",
        expect![[r#"
            begin
                +0 intended first, 0F1 sell 2 A +0..+60, 1F1 buy 4 B +0..+60
            0F1 submit acknowledged filled a:2
                +0 0F1 filled 2 for 100.00
                +0 0F1 ended filled
            1F1 submit acknowledged working b:1
                +0 1F1 filled 1 for 25.00
            halt freeze
                +0 unwinding: everything was halted by ann at 2001-09-09T01:46:40Z (freeze): the feed is wrong
                +0 1F1 cancel requested
            1F1 cancel ended canceled b:1
                +0 1F1 ended canceled
            wait 3600
            go on
                +3600 intended undo buys, 1R1 sell all 1 B +3600..+3660
            rebalancing, compensating, undo buys; 0F1 filled 2; 1F1 ended short 1; 1R1 intended
        "#]],
    );
}

#[test]
fn frozen_on_its_way_back_it_makes_no_further_attempt() {
    check(
        Machine::of("CASH 200.00, A 10", LEGS),
        "begin; 0F1 submit acknowledged filled a:2; 1F1 submit refused
         halt freeze
         0R1 submit refused
         wait 60
         go on",
        expect![[r#"
            begin
                +0 intended first, 0F1 sell 2 A +0..+60, 1F1 buy 4 B +0..+60
            0F1 submit acknowledged filled a:2
                +0 0F1 filled 2 for 100.00
                +0 0F1 ended filled
            1F1 submit refused
                +0 1F1 refused
                +0 unwinding: 1F1 (buy B) ended short: not tradable: no
                +0 intended undo sells, 0R1 buy 2 A +0..+60
            halt freeze
            0R1 submit refused
                +0 0R1 refused
            wait 60
            go on
                +60 intended undo sells, 0R2 buy 2 A +65..+125
            rebalancing, compensating, undo sells; 0F1 filled 2; 0R1 refused; 0R2 intended; 1F1 refused
        "#]],
    );
}

#[test]
fn frozen_an_order_that_cannot_be_found_is_not_sent_again() {
    check(
        Machine::of("CASH 200.00, A 10", LEGS),
        "begin; 0F1 submit acknowledged filled a:2; 1F1 submit refused; 0R1 submit unknown
         halt freeze
         later 80
         0R1 look absent
         go on",
        expect![[r#"
            begin
                +0 intended first, 0F1 sell 2 A +0..+60, 1F1 buy 4 B +0..+60
            0F1 submit acknowledged filled a:2
                +0 0F1 filled 2 for 100.00
                +0 0F1 ended filled
            1F1 submit refused
                +0 1F1 refused
                +0 unwinding: 1F1 (buy B) ended short: not tradable: no
                +0 intended undo sells, 0R1 buy 2 A +0..+60
            0R1 submit unknown
                +0 0R1 unknown, quiet at +70
            halt freeze
            later 80
            0R1 look absent
                +80 0R1 not found
            go on
            rebalancing, compensating, undo sells; 0F1 filled 2; 0R1 in flight until +70; 1F1 refused
        "#]],
    );
}

#[test]
fn unwound_it_trades_back_at_once() {
    check(
        Machine::of("CASH 200.00, A 10", LEGS),
        "begin; 0F1 submit acknowledged filled a:2; 1F1 submit acknowledged working
         halt unwind
         1F1 cancel ended canceled
         0R1 submit acknowledged filled b:2
         settle",
        expect![[r#"
            begin
                +0 intended first, 0F1 sell 2 A +0..+60, 1F1 buy 4 B +0..+60
            0F1 submit acknowledged filled a:2
                +0 0F1 filled 2 for 100.00
                +0 0F1 ended filled
            1F1 submit acknowledged working
                +0 1F1 acknowledged
            halt unwind
                +0 unwinding: everything was halted by ann at 2001-09-09T01:46:40Z (unwind): the feed is wrong
                +0 1F1 cancel requested
            1F1 cancel ended canceled
                +0 1F1 ended canceled
                +0 intended undo sells, 0R1 buy 2 A +0..+60
            0R1 submit acknowledged filled b:2
                +0 0R1 filled 2 for 100.00
                +0 0R1 ended filled
                +0 settling as restored
            settle
                +0 closed restored, cost 0.00, pause until +900; everything was halted by ann at 2001-09-09T01:46:40Z (unwind): the feed is wrong
            active
        "#]],
    );
}

#[test]
fn frozen_with_nothing_executed_it_is_over() {
    check(
        Machine::of("CASH 200.00, A 10", LEGS),
        "begin; 0F1 submit refused; 1F1 submit acknowledged working
         halt freeze
         1F1 cancel ended canceled
         settle",
        expect![[r#"
            begin
                +0 intended first, 0F1 sell 2 A +0..+60, 1F1 buy 4 B +0..+60
            0F1 submit refused
                +0 0F1 refused
                +0 unwinding: 0F1 (sell A) ended short: not tradable: no
            1F1 submit acknowledged working
                +0 1F1 acknowledged
                +0 1F1 cancel requested
            halt freeze
            1F1 cancel ended canceled
                +0 1F1 ended canceled
                +0 settling as restored
            settle
                +0 closed restored, cost 0.00, pause until +900; 0F1 (sell A) ended short: not tradable: no
            active
        "#]],
    );
}

#[test]
fn opened_and_not_begun_it_is_abandoned_and_settling_it_is_settled() {
    check(
        Machine::of("CASH 200.00, A 10", LEGS),
        "halt freeze",
        expect![[r#"
        halt freeze
            +0 closed abandoned, cost 0.00; given up before anything was sent: everything was halted by ann at 2001-09-09T01:46:40Z (freeze): the feed is wrong
        active
    "#]],
    );
    check(
        Machine::of("CASH 200.00, A 10", LEGS),
        "begin; 0F1 submit acknowledged filled a:2; 1F1 submit acknowledged filled b:4; halt freeze; settle",
        expect![[r#"
            begin
                +0 intended first, 0F1 sell 2 A +0..+60, 1F1 buy 4 B +0..+60
            0F1 submit acknowledged filled a:2
                +0 0F1 filled 2 for 100.00
                +0 0F1 ended filled
            1F1 submit acknowledged filled b:4
                +0 1F1 filled 4 for 100.00
                +0 1F1 ended filled
                +0 settling as completed
            halt freeze
            settle
                +0 closed completed, cost 0.00
            active
        "#]],
    );
}
