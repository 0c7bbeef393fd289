//! Table B, the way back begins: whatever is open is ended, and nothing is traded back before it has.

use super::check;
use crate::testing::machine::Machine;
use expect_test::expect;

/// Sells 2 A and buys 4 B at once; 5 A are left, and no B was held.
fn both() -> Machine {
    Machine::of("CASH 200.00, A 7", "sell A 2 @ 50, buy B 4 @ 25")
}

#[test]
fn what_failed_needs_nothing_and_what_executed_in_part_is_taken_back_in_part() {
    check(
        both(),
        "begin
         0F1 submit acknowledged working a:1.5
         ---
         1F1 submit refused
         0F1 cancel requested
         0F1 look found canceled a:1.5
         0R1 submit acknowledged filled a:1.5@51/0.35
         settle",
        expect![[r#"
            1F1 submit refused
                +0 1F1 refused
                +0 unwinding: 1F1 (buy B) ended short: not tradable: no
                +0 0F1 cancel requested
            0F1 cancel requested
            0F1 look found canceled a:1.5
                +0 0F1 ended canceled
                +0 intended undo sells, 0R1 buy 1.5 A +0..+60
            0R1 submit acknowledged filled a:1.5@51/0.35
                +0 0R1 filled 1.5 for 76.50
                +0 0R1 ended filled
                +0 settling as restored
            settle
                +0 closed restored, cost 1.85 with fees of 0.35, pause until +900; 1F1 (buy B) ended short: not tradable: no
            active
        "#]],
    );
}

#[test]
fn a_batch_of_which_nothing_executed_is_restored_at_once() {
    check(
        both(),
        "begin; 0F1 submit refused & 1F1 submit refused; settle",
        expect![[r#"
        begin
            +0 intended first, 0F1 sell 2 A +0..+60, 1F1 buy 4 B +0..+60
        0F1 submit refused & 1F1 submit refused
            +0 0F1 refused
            +0 1F1 refused
            +0 unwinding: 0F1 (sell A) ended short: not tradable: no
            +0 settling as restored
        settle
            +0 closed restored, cost 0.00, pause until +900; 0F1 (sell A) ended short: not tradable: no
        active
    "#]],
    );
}

#[test]
fn nothing_is_taken_back_before_every_order_has_ended_and_its_fills_are_booked() {
    check(
        Machine::of("CASH 200.00, A 7", "sell A 2 @ 50, buy B 4 @ 25, buy C 1 @ 25, buy D 1 @ 25"),
        "begin
         0F1 submit acknowledged filled a:2
         1F1 submit unknown
         2F1 submit acknowledged working
         ---
         3F1 submit refused
         2F1 cancel requested
         2F1 look found canceled filled=0.5
         2F1 look found canceled a:0.5
         1F1 look unproven
         wait 70
         1F1 look absent
         1F1 look absent",
        expect![[r#"
            3F1 submit refused
                +0 3F1 refused
                +0 unwinding: 3F1 (buy D) ended short: not tradable: no
                +0 2F1 cancel requested
            2F1 cancel requested
            2F1 look found canceled filled=0.5
            2F1 look found canceled a:0.5
                +0 2F1 filled 0.5 for 12.50
                +0 2F1 ended canceled
            1F1 look unproven
            wait 70
            1F1 look absent
                +70 1F1 not found
            1F1 look absent
                +70 1F1 not found
                +70 1F1 assumed not executed
                +70 intended undo buys, 2R1 sell all 0.5 C +70..+130
            rebalancing, compensating, undo buys; 0F1 filled 2; 1F1 assumed not executed; 2F1 ended short 0.5; 2R1 intended; 3F1 refused
        "#]],
    );
}

#[test]
fn what_was_not_sent_yet_never_will_be() {
    check(
        Machine::of("CASH 200.00, A 7", "sell A 2 @ 50, buy B 4 @ 25, buy C 1 @ 25"),
        "begin
         0F1 submit not-sent
         2F1 submit refused
         1F1 withheld
         settle",
        expect![[r#"
            begin
                +0 intended first, 0F1 sell 2 A +0..+60, 1F1 buy 4 B +0..+60, 2F1 buy 1 C +0..+60
            0F1 submit not-sent
                +0 0F1 not sent
                +0 intended first, 0F2 sell 2 A +5..+65
            2F1 submit refused
                +0 2F1 refused
                +0 unwinding: 2F1 (buy C) ended short: not tradable: no
                +0 0F2 withdrawn
            1F1 withheld
                +0 1F1 withdrawn
                +0 settling as restored
            settle
                +0 closed restored, cost 0.00, pause until +900; 2F1 (buy C) ended short: not tradable: no
            active
        "#]],
    );
}

#[test]
fn an_order_whose_answer_is_still_waited_for_on_the_way_back_is_asked_about_after_its_deadline() {
    check(
        Machine::of("CASH 200.00", "buy B 4 @ 25, buy C 1 @ 25"),
        "begin; 1F1 submit refused; wait 59; wait 1; 0F1 submit acknowledged working a:1",
        expect![[r#"
            begin
                +0 intended first, 0F1 buy 4 B +0..+60, 1F1 buy 1 C +0..+60
            1F1 submit refused
                +0 1F1 refused
                +0 unwinding: 1F1 (buy C) ended short: not tradable: no
            wait 59
            wait 1
                +60 0F1 unknown, quiet at +130
            0F1 submit acknowledged working a:1
                +60 0F1 filled 1 for 25.00
                +60 0F1 cancel requested
            rebalancing, unwinding; 0F1 cancel requested +60 1; 1F1 refused
        "#]],
    );
}

#[test]
fn a_fill_while_the_cancel_is_pending_is_taken_back_as_well() {
    check(
        both(),
        "begin
         0F1 submit acknowledged working
         ---
         1F1 submit refused
         0F1 cancel requested
         0F1 fill a:1
         0F1 cancel ended canceled filled=1.5 a:1
         0F1 look found canceled a:1 b:0.5
         0R1 submit acknowledged filled a:1.5
         settle",
        expect![[r#"
            1F1 submit refused
                +0 1F1 refused
                +0 unwinding: 1F1 (buy B) ended short: not tradable: no
                +0 0F1 cancel requested
            0F1 cancel requested
            0F1 fill a:1
                +0 0F1 filled 1 for 50.00
            0F1 cancel ended canceled filled=1.5 a:1
            0F1 look found canceled a:1 b:0.5
                +0 0F1 filled 0.5 for 25.00
                +0 0F1 ended canceled
                +0 intended undo sells, 0R1 buy 1.5 A +0..+60
            0R1 submit acknowledged filled a:1.5
                +0 0R1 filled 1.5 for 75.00
                +0 0R1 ended filled
                +0 settling as restored
            settle
                +0 closed restored, cost 0.00, pause until +900; 1F1 (buy B) ended short: not tradable: no
            active
        "#]],
    );
}
