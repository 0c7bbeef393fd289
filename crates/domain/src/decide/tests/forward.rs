//! Table B, the way forward: the stages, and what the second one may spend.

use super::check;
use crate::order::Costs;
use crate::plan::Stages;
use crate::record::Rules;
use crate::testing::machine::{Machine, rules};
use crate::testing::read;
use expect_test::expect;

#[test]
fn all_legs_at_once_are_sent_filled_compared_and_done() {
    check(
        Machine::of("CASH 200.00, A 10", "sell A 2 @ 50, buy B 4 @ 25"),
        "begin
         0F1 submit acknowledged working & 1F1 submit acknowledged filled a:4
         0F1 look found filled a:2@50.01/0.35
         settle",
        expect![[r#"
            begin
                +0 intended first, 0F1 sell 2 A +0..+60, 1F1 buy 4 B +0..+60
            0F1 submit acknowledged working & 1F1 submit acknowledged filled a:4
                +0 0F1 acknowledged
                +0 1F1 filled 4 for 100.00
                +0 1F1 ended filled
            0F1 look found filled a:2@50.01/0.35
                +0 0F1 filled 2 for 100.02
                +0 0F1 ended filled
                +0 settling as completed
            settle
                +0 closed completed, cost 0.33 with fees of 0.35
            active
        "#]],
    );
}

#[test]
fn the_buys_are_sized_down_to_what_the_sells_brought() {
    let machine = Machine::sells_first("CASH 0.00, A 10", "sell A 2 @ 50, buy B 3 @ 25, buy C 0.5 @ 50");
    check(
        machine,
        "begin; 0F1 submit acknowledged filled a:2@49.99/0.02",
        expect![[r#"
            begin
                +0 intended first, 0F1 sell 2 A +0..+60
            0F1 submit acknowledged filled a:2@49.99/0.02
                +0 0F1 filled 2 for 99.98
                +0 0F1 ended filled
                +0 intended second, 1F1 buy 2.9988 B +0..+60, 2F1 buy 0.4998 C +0..+60
            rebalancing, forward second; 0F1 filled 2; 1F1 intended; 2F1 intended
        "#]],
    );
}

#[test]
fn the_buys_are_never_larger_than_planned_however_much_the_sells_brought() {
    let machine = Machine::sells_first("CASH 0.00, A 10", "sell A 2 @ 50, buy B 4 @ 25");
    check(
        machine,
        "begin; 0F1 submit acknowledged filled a:2@60",
        expect![[r#"
            begin
                +0 intended first, 0F1 sell 2 A +0..+60
            0F1 submit acknowledged filled a:2@60
                +0 0F1 filled 2 for 120.00
                +0 0F1 ended filled
                +0 intended second, 1F1 buy 4 B +0..+60
            rebalancing, forward second; 0F1 filled 2; 1F1 intended
        "#]],
    );
}

#[test]
fn the_second_stage_keeps_back_the_reserve_the_costs_and_the_collar() {
    let costs = Costs { bps: 0, per_order: read("0.50"), minimum: read("0.00") };
    let rules = Rules { held_back: read("10.00"), costs, collar_bps: 100, ..rules() };
    let machine = Machine::under(rules, Stages::SellsFirst, "CASH 0.00, A 10", "sell A 2 @ 50, buy B 4 @ 25");
    // (100.00 - 10.00 - 0.50) / 25.25
    check(
        machine,
        "begin; 0F1 submit acknowledged filled a:2",
        expect![[r#"
            begin
                +0 intended first, 0F1 sell 2 A +0..+60
            0F1 submit acknowledged filled a:2
                +0 0F1 filled 2 for 100.00
                +0 0F1 ended filled
                +0 intended second, 1F1 buy 3.544554455 B +0..+60
            rebalancing, forward second; 0F1 filled 2; 1F1 intended
        "#]],
    );
}

#[test]
fn a_buy_that_falls_below_the_minimum_is_dropped_and_the_batch_completes_without_it() {
    let rules = Rules { minimum: read("23.00"), ..rules() };
    let legs = "sell A 2 @ 50, buy B 3 @ 25, buy C 1 @ 25";
    // 90.00 for 100.00: C would come down to 22.50, and without it B is wanted as planned.
    check(
        Machine::under(rules, Stages::SellsFirst, "CASH 0.00, A 10", legs),
        "begin
         0F1 submit acknowledged filled a:2@45
         1F1 submit acknowledged filled a:3
         settle",
        expect![[r#"
            begin
                +0 intended first, 0F1 sell 2 A +0..+60
            0F1 submit acknowledged filled a:2@45
                +0 0F1 filled 2 for 90.00
                +0 0F1 ended filled
                +0 intended second, 1F1 buy 3 B +0..+60, without C: shrunk to 22.50 for want of cash, less than the minimum order of 23.00
            1F1 submit acknowledged filled a:3
                +0 1F1 filled 3 for 75.00
                +0 1F1 ended filled
                +0 settling as completed
            settle
                +0 closed completed, cost -15.00
            active
        "#]],
    );
}

#[test]
fn a_batch_of_which_every_buy_is_dropped_completes_with_its_sells() {
    let rules = Rules { minimum: read("30.00"), ..rules() };
    check(
        Machine::under(rules, Stages::SellsFirst, "CASH 0.00, A 10", "sell A 2 @ 50, buy B 4 @ 25"),
        "begin; 0F1 submit acknowledged filled a:2@5; settle",
        expect![[r#"
            begin
                +0 intended first, 0F1 sell 2 A +0..+60
            0F1 submit acknowledged filled a:2@5
                +0 0F1 filled 2 for 10.00
                +0 0F1 ended filled
                +0 intended second, without B: shrunk to 10.00 for want of cash, less than the minimum order of 30.00
                +0 settling as completed
            settle
                +0 closed completed, cost -10.00
            active
        "#]],
    );
}

#[test]
fn buys_that_cannot_be_sized_unwind_the_batch() {
    let rules = Rules { held_back: read("9999999999999999.99"), ..rules() };
    check(
        Machine::under(rules, Stages::SellsFirst, "CASH -1000.00, A 10", "sell A 2 @ 50, buy B 4 @ 25"),
        "begin; 0F1 submit acknowledged filled a:2",
        expect![[r#"
            begin
                +0 intended first, 0F1 sell 2 A +0..+60
            0F1 submit acknowledged filled a:2
                +0 0F1 filled 2 for 100.00
                +0 0F1 ended filled
                +0 unwinding: the second stage could not be sized: subtracting 9999999999999999.99 from -900.00 leaves the range of an amount of money, whose maximum is ±9999999999999999.99
                +0 intended undo sells, 0R1 buy 2 A +0..+60
            rebalancing, compensating, undo sells; 0F1 filled 2; 0R1 intended
        "#]],
    );
}

#[test]
fn a_stage_begins_only_when_every_order_of_the_one_before_is_filled() {
    check(
        Machine::sells_first("CASH 0.00, A 10, B 10", "sell A 2 @ 50, sell B 2 @ 50, buy C 4 @ 50"),
        "begin
         0F1 submit acknowledged filled a:2
         1F1 submit acknowledged working a:1
         1F1 look found working a:1 b:1
         1F1 look found filled a:1 b:1",
        expect![[r#"
            begin
                +0 intended first, 0F1 sell 2 A +0..+60, 1F1 sell 2 B +0..+60
            0F1 submit acknowledged filled a:2
                +0 0F1 filled 2 for 100.00
                +0 0F1 ended filled
            1F1 submit acknowledged working a:1
                +0 1F1 filled 1 for 50.00
            1F1 look found working a:1 b:1
                +0 1F1 filled 1 for 50.00
            1F1 look found filled a:1 b:1
                +0 1F1 ended filled
                +0 intended second, 2F1 buy 4 C +0..+60
            rebalancing, forward second; 0F1 filled 2; 1F1 filled 2; 2F1 intended
        "#]],
    );
}

#[test]
fn while_the_worker_stops_no_further_stage_begins_and_what_is_done_is_done() {
    // Had it to wait for the next worker, a batch that is complete would be too old to be finished.
    check(
        Machine::sells_first("CASH 0.00, A 10", "sell A 2 @ 50, buy B 4 @ 25"),
        "begin
         hold
         0F1 submit acknowledged filled a:2
         tick
         go on
         hold
         1F1 submit acknowledged filled a:4
         later 3600
         take-over
         settle",
        expect![[r#"
            begin
                +0 intended first, 0F1 sell 2 A +0..+60
            hold
            0F1 submit acknowledged filled a:2
                +0 0F1 filled 2 for 100.00
                +0 0F1 ended filled
            tick
            go on
                +0 intended second, 1F1 buy 4 B +0..+60
            hold
            1F1 submit acknowledged filled a:4
                +0 1F1 filled 4 for 100.00
                +0 1F1 ended filled
                +0 settling as completed
            later 3600
            take-over
                +3600 taken over by successor with 2, quiet at +3670
            settle
                +3600 closed completed, cost 0.00
            active
        "#]],
    );
}

#[test]
fn while_the_worker_stops_what_fails_is_still_taken_back() {
    check(
        Machine::of("CASH 200.00, A 10", "sell A 2 @ 50, buy B 4 @ 25"),
        "begin; hold; 0F1 submit acknowledged filled a:2; 1F1 submit refused",
        expect![[r#"
            begin
                +0 intended first, 0F1 sell 2 A +0..+60, 1F1 buy 4 B +0..+60
            hold
            0F1 submit acknowledged filled a:2
                +0 0F1 filled 2 for 100.00
                +0 0F1 ended filled
            1F1 submit refused
                +0 1F1 refused
                +0 unwinding: 1F1 (buy B) ended short: not tradable: no
                +0 intended undo sells, 0R1 buy 2 A +0..+60
            rebalancing, compensating, undo sells; 0F1 filled 2; 0R1 intended; 1F1 refused
        "#]],
    );
}

#[test]
fn an_overfilled_order_is_taken_back_completely() {
    check(
        Machine::of("CASH 200.00", "buy B 4 @ 25"),
        "begin
         0F1 submit acknowledged working
         0F1 fill a:5
         0R1 submit acknowledged filled a:5@24.90
         settle",
        expect![[r#"
            begin
                +0 intended first, 0F1 buy 4 B +0..+60
            0F1 submit acknowledged working
                +0 0F1 acknowledged
            0F1 fill a:5
                +0 0F1 filled 5 for 125.00
                +0 0F1 ended filled
                +0 unwinding: 0F1 executed more than was ordered
                +0 intended undo buys, 0R1 sell all 5 B +0..+60
            0R1 submit acknowledged filled a:5@24.90
                +0 0R1 filled 5 for 124.50
                +0 0R1 ended filled
                +0 settling as restored
            settle
                +0 closed restored, cost 0.50, pause until +900; 0F1 executed more than was ordered
            active
        "#]],
    );
}
