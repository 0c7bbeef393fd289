//! Orders that were thought to be over and were not, while their batch is open.

use super::check;
use crate::testing::machine::Machine;
use expect_test::expect;

/// Sells 2 A and buys 4 B at once; 5 A are left, and no B was held.
fn both() -> Machine {
    Machine::of("CASH 200.00, A 7", "sell A 2 @ 50, buy B 4 @ 25")
}

#[test]
fn a_reversal_that_is_found_after_all_is_no_longer_given_up() {
    check(
        Machine::of("CASH 200.00, A 7", "sell A 2 @ 50, buy B 4 @ 25, buy C 1 @ 25"),
        "begin
         0F1 submit acknowledged filled a:2 & 1F1 submit acknowledged filled a:4 & 2F1 submit refused
         ---
         1R1 submit unknown
         wait 600
         1R1 look found filled a:4
         0R1 submit acknowledged filled a:2
         settle",
        expect![[r#"
            1R1 submit unknown
                +0 1R1 unknown, quiet at +70
            wait 600
                +600 intended undo sells, 0R1 buy 2 A +600..+660
            1R1 look found filled a:4
                +600 1R1 filled 4 for 100.00
                +600 1R1 ended filled
            0R1 submit acknowledged filled a:2
                +600 0R1 filled 2 for 100.00
                +600 0R1 ended filled
                +600 settling as restored
            settle
                +600 closed restored, cost 0.00, pause until +900; 2F1 (buy C) ended short: not tradable: no
            active
        "#]],
    );
}

#[test]
fn what_was_assumed_not_executed_and_executes_after_all_is_taken_back() {
    let begin = "begin
         0F1 submit unknown & 1F1 submit refused
         wait 70
         0F1 look absent & 0F1 look absent";
    // While books and broker are compared: by a list of fills that has not ended, and by an answer that comes late.
    for (text, expected) in [
        (
            "0F1 fill a:1; 0F1 look found canceled a:1; 0R1 submit acknowledged filled a:1; settle",
            expect![[r#"
                0F1 fill a:1
                    +70 0F1 filled 1 for 50.00
                    +70 unwinding: 1F1 (buy B) ended short: not tradable: no
                    +70 0F1 cancel requested
                0F1 look found canceled a:1
                    +70 0F1 ended canceled
                    +70 intended undo sells, 0R1 buy 1 A +70..+130
                0R1 submit acknowledged filled a:1
                    +70 0R1 filled 1 for 50.00
                    +70 0R1 ended filled
                    +70 settling as restored
                settle
                    +70 closed restored, cost 0.00, pause until +900; 1F1 (buy B) ended short: not tradable: no
                active
            "#]],
        ),
        (
            "0F1 submit acknowledged working; 0F1 look found canceled; settle",
            expect![[r#"
            0F1 submit acknowledged working
                +70 0F1 acknowledged
                +70 unwinding: 1F1 (buy B) ended short: not tradable: no
                +70 0F1 cancel requested
            0F1 look found canceled
                +70 0F1 ended canceled
                +70 settling as restored
            settle
                +70 closed restored, cost 0.00, pause until +900; 1F1 (buy B) ended short: not tradable: no
            active
        "#]],
        ),
        (
            "0F1 submit exists; 0F1 look found filled a:2; 0R1 submit acknowledged filled a:2; settle",
            expect![[r#"
                0F1 submit exists
                    +70 0F1 acknowledged
                    +70 unwinding: 1F1 (buy B) ended short: not tradable: no
                    +70 0F1 cancel requested
                0F1 look found filled a:2
                    +70 0F1 filled 2 for 100.00
                    +70 0F1 ended filled
                    +70 intended undo sells, 0R1 buy 2 A +70..+130
                0R1 submit acknowledged filled a:2
                    +70 0R1 filled 2 for 100.00
                    +70 0R1 ended filled
                    +70 settling as restored
                settle
                    +70 closed restored, cost 0.00, pause until +900; 1F1 (buy B) ended short: not tradable: no
                active
            "#]],
        ),
        (
            "0F1 look found canceled; settle",
            expect![[r#"
            0F1 look found canceled
                +70 0F1 acknowledged
                +70 0F1 ended canceled
            settle
                +70 closed restored, cost 0.00, pause until +900; 1F1 (buy B) ended short: not tradable: no
            active
        "#]],
        ),
    ] {
        check(both(), &format!("{begin}; --- {text}"), expected);
    }
}

#[test]
fn a_forward_order_that_comes_to_life_stops_the_way_back_until_it_has_ended() {
    let legs = "sell A 2 @ 50, buy B 4 @ 25, buy C 1 @ 25";
    check(
        Machine::of("CASH 200.00, A 7", legs),
        "begin
         0F1 submit acknowledged filled a:2 & 1F1 submit unknown & 2F1 submit refused
         wait 70
         1F1 look absent & 1F1 look absent
         ---
         1F1 submit acknowledged working
         0R1 submit refused
         1F1 look found canceled a:1
         1R1 submit acknowledged filled a:1
         wait 5
         0R2 submit acknowledged filled a:2
         settle",
        expect![[r#"
            1F1 submit acknowledged working
                +70 1F1 acknowledged
                +70 1F1 cancel requested
            0R1 submit refused
                +70 0R1 refused
            1F1 look found canceled a:1
                +70 1F1 filled 1 for 25.00
                +70 1F1 ended canceled
                +70 intended undo buys, 1R1 sell all 1 B +70..+130
            1R1 submit acknowledged filled a:1
                +70 1R1 filled 1 for 25.00
                +70 1R1 ended filled
                +70 intended undo sells, 0R2 buy 2 A +75..+135
            wait 5
            0R2 submit acknowledged filled a:2
                +75 0R2 filled 2 for 100.00
                +75 0R2 ended filled
                +75 settling as restored
            settle
                +75 closed restored, cost 0.00, pause until +900; 2F1 (buy C) ended short: not tradable: no
            active
        "#]],
    );
}

#[test]
fn a_fill_that_comes_when_all_seemed_restored_is_taken_back_with_the_next_attempt() {
    check(
        both(),
        "begin
         0F1 submit acknowledged canceled a:1 & 1F1 submit refused
         0R1 submit acknowledged filled a:1
         ---
         0F1 fill b:0.5
         wait 5
         0R2 submit acknowledged filled a:0.5
         settle",
        expect![[r#"
            0F1 fill b:0.5
                +0 0F1 filled 0.5 for 25.00
                +0 unwinding: 0F1 (sell A) ended short: canceled
                +0 intended undo sells, 0R2 buy 0.5 A +5..+65
            wait 5
            0R2 submit acknowledged filled a:0.5
                +5 0R2 filled 0.5 for 25.00
                +5 0R2 ended filled
                +5 settling as restored
            settle
                +5 closed restored, cost 0.00, pause until +900; 0F1 (sell A) ended short: canceled
            active
        "#]],
    );
}

#[test]
fn an_attempt_that_is_not_due_yet_gives_way_when_the_one_before_executed_after_all() {
    // Half of it, all of it, and more than all of it.
    for (fill, expected) in [
        (
            "a:1",
            expect![[r#"
        0R1 fill a:1
            +4.999999999 0R1 filled 1 for 50.00
            +4.999999999 0R2 withdrawn
            +4.999999999 intended undo sells, 0R3 buy 1 A +9.999999999..+69.999999999
        tick
        rebalancing, compensating, undo sells; 0F1 filled 2; 0R1 canceled 1; 0R2 not sent; 0R3 intended; 1F1 refused
    "#]],
        ),
        (
            "a:2",
            expect![[r#"
        0R1 fill a:2
            +4.999999999 0R1 filled 2 for 100.00
            +4.999999999 0R2 withdrawn
            +4.999999999 settling as restored
        tick
        rebalancing, settling as restored +4.999999999; 0F1 filled 2; 0R1 canceled 2; 0R2 not sent; 1F1 refused
    "#]],
        ),
        (
            "a:3",
            expect![[r#"
        0R1 fill a:3
            +4.999999999 0R1 filled 3 for 150.00
            +4.999999999 0R2 withdrawn
            +4.999999999 closed stale, cost 50.00, 1 A too many; 1F1 (buy B) ended short: not tradable: no
        tick
        stale
    "#]],
        ),
    ] {
        let text = format!(
            "begin
             0F1 submit acknowledged filled a:2 & 1F1 submit refused
             0R1 submit acknowledged canceled
             later 4.999999999
             ---
             0R1 fill {fill}
             tick"
        );
        check(both(), &text, expected);
    }
}

#[test]
fn an_attempt_that_may_have_been_sent_is_waited_for_whatever_the_one_before_executed() {
    check(
        both(),
        "begin
         0F1 submit acknowledged filled a:2 & 1F1 submit refused
         0R1 submit acknowledged canceled
         wait 5
         ---
         0R1 fill a:1
         0R2 submit acknowledged filled a:2",
        expect![[r#"
            0R1 fill a:1
                +5 0R1 filled 1 for 50.00
            0R2 submit acknowledged filled a:2
                +5 0R2 filled 2 for 100.00
                +5 0R2 ended filled
                +5 closed stale, cost 50.00, 1 A too many; 1F1 (buy B) ended short: not tradable: no
            stale
        "#]],
    );
}

#[test]
fn a_fill_beyond_the_order_that_comes_when_all_seemed_done_takes_everything_back() {
    check(
        Machine::of("CASH 200.00", "buy B 4 @ 25"),
        "begin
         0F1 submit acknowledged filled a:4
         0F1 fill b:1
         0R1 submit acknowledged filled a:5
         settle",
        expect![[r#"
            begin
                +0 intended first, 0F1 buy 4 B +0..+60
            0F1 submit acknowledged filled a:4
                +0 0F1 filled 4 for 100.00
                +0 0F1 ended filled
                +0 settling as completed
            0F1 fill b:1
                +0 0F1 filled 1 for 25.00
                +0 unwinding: a fill arrived after everything seemed done
                +0 intended undo buys, 0R1 sell all 5 B +0..+60
            0R1 submit acknowledged filled a:5
                +0 0R1 filled 5 for 125.00
                +0 0R1 ended filled
                +0 settling as restored
            settle
                +0 closed restored, cost 0.00, pause until +900; a fill arrived after everything seemed done
            active
        "#]],
    );
}
