//! Table B, the way back: exactly what was executed is traded the other way, buys first, with attempts and delays.

use super::check;
use crate::plan::Stages;
use crate::record::Rules;
use crate::testing::machine::{Machine, rules, secs};
use expect_test::expect;

#[test]
fn buys_are_undone_first_because_that_frees_the_cash() {
    check(
        Machine::of("CASH 200.00, A 7", "sell A 2 @ 50, buy B 4 @ 25, buy C 1 @ 25"),
        "begin
         0F1 submit acknowledged filled a:2
         1F1 submit acknowledged filled a:4
         ---
         2F1 submit refused
         1R1 submit acknowledged working a:1
         1R1 look found filled a:1 b:3
         0R1 submit acknowledged filled a:2
         settle",
        expect![[r#"
            2F1 submit refused
                +0 2F1 refused
                +0 unwinding: 2F1 (buy C) ended short: not tradable: no
                +0 intended undo buys, 1R1 sell all 4 B +0..+60
            1R1 submit acknowledged working a:1
                +0 1R1 filled 1 for 25.00
            1R1 look found filled a:1 b:3
                +0 1R1 filled 3 for 75.00
                +0 1R1 ended filled
                +0 intended undo sells, 0R1 buy 2 A +0..+60
            0R1 submit acknowledged filled a:2
                +0 0R1 filled 2 for 100.00
                +0 0R1 ended filled
                +0 settling as restored
            settle
                +0 closed restored, cost 0.00, pause until +900; 2F1 (buy C) ended short: not tradable: no
            active
        "#]],
    );
}

#[test]
fn a_reversal_has_its_attempts_with_the_delay_between_them_and_only_for_what_is_left() {
    check(
        Machine::of("CASH 200.00", "buy B 4 @ 25, buy C 1 @ 25"),
        "begin
         0F1 submit acknowledged filled a:4 & 1F1 submit refused
         ---
         0R1 submit refused
         wait 4.999999999
         0R2 submit acknowledged working a:1
         wait 0.000000001
         0R2 look found expired a:1
         wait 5
         0R3 submit acknowledged rejected b:0.5
         settle",
        expect![[r#"
            0R1 submit refused
                +0 0R1 refused
                +0 intended undo buys, 0R2 sell all 4 B +5..+65
            wait 4.999999999
            0R2 submit acknowledged working a:1
                +4.999999999 0R2 filled 1 for 25.00
            wait 0.000000001
            0R2 look found expired a:1
                +5 0R2 ended expired
                +5 intended undo buys, 0R3 sell all 3 B +10..+70
            wait 5
            0R3 submit acknowledged rejected b:0.5
                +10 0R3 filled 0.5 for 12.50
                +10 0R3 ended rejected
                +10 closed stale, cost 62.50, 2.5 B too many; 1F1 (buy C) ended short: not tradable: no
            settle
                no: no batch is open that could be settled
            stale
        "#]],
    );
}

#[test]
fn a_reversal_waits_for_the_market_or_the_limit_if_that_is_longer() {
    check(
        Machine::of("CASH 200.00", "buy B 4 @ 25, buy C 1 @ 25"),
        "begin
         0F1 submit acknowledged filled a:4 & 1F1 submit refused
         ---
         0R1 submit closed-until 3600
         wait 3600
         0R2 submit not-sent 30
         wait 30
         0R3 submit acknowledged filled a:4",
        expect![[r#"
            0R1 submit closed-until 3600
                +0 0R1 refused
                +0 intended undo buys, 0R2 sell all 4 B +3600..+3660
            wait 3600
            0R2 submit not-sent 30
                +3600 0R2 not sent
                +3600 intended undo buys, 0R3 sell all 4 B +3630..+3690
            wait 30
            0R3 submit acknowledged filled a:4
                +3630 0R3 filled 4 for 100.00
                +3630 0R3 ended filled
                +3630 settling as restored
            rebalancing, settling as restored +3630; 0F1 filled 4; 0R1 refused; 0R2 not sent; 0R3 filled 4; 1F1 refused
        "#]],
    );
}

#[test]
fn an_unknown_reversal_uses_up_no_attempt_and_is_sent_again_with_a_new_deadline() {
    let rules = Rules { attempts: 1, ..rules() };
    check(
        Machine::under(rules, Stages::Together, "CASH 200.00", "buy B 4 @ 25, buy C 1 @ 25"),
        "begin
         0F1 submit acknowledged filled a:4 & 1F1 submit refused
         ---
         0R1 submit unknown
         wait 70
         0R1 look absent & 0R1 look absent
         0R1 submit acknowledged filled a:4
         settle",
        expect![[r#"
            0R1 submit unknown
                +0 0R1 unknown, quiet at +70
            wait 70
            0R1 look absent & 0R1 look absent
                +70 0R1 not found
                +70 0R1 not found
                +70 0R1 resent, deadline +130
            0R1 submit acknowledged filled a:4
                +70 0R1 filled 4 for 100.00
                +70 0R1 ended filled
                +70 settling as restored
            settle
                +70 closed restored, cost 0.00, pause until +900; 1F1 (buy C) ended short: not tradable: no
            active
        "#]],
    );
}

#[test]
fn an_unknown_reversal_is_not_sent_again_where_that_could_make_two() {
    let rules = Rules { resend: false, ..rules() };
    check(
        Machine::under(rules, Stages::Together, "CASH 200.00", "buy B 4 @ 25, buy C 1 @ 25"),
        "begin
         0F1 submit acknowledged filled a:4 & 1F1 submit refused
         ---
         0R1 submit unknown
         wait 70
         0R1 look absent & 0R1 look absent
         wait 529.999999999
         0R1 look found filled a:4",
        expect![[r#"
            0R1 submit unknown
                +0 0R1 unknown, quiet at +70
            wait 70
            0R1 look absent & 0R1 look absent
                +70 0R1 not found
                +70 0R1 not found
            wait 529.999999999
            0R1 look found filled a:4
                +599.999999999 0R1 filled 4 for 100.00
                +599.999999999 0R1 ended filled
                +599.999999999 settling as restored
            rebalancing, settling as restored +599.999999999; 0F1 filled 4; 0R1 filled 4; 1F1 refused
        "#]],
    );
}

#[test]
fn a_leg_that_cannot_be_restored_does_not_stop_the_others() {
    let legs = "sell A 2 @ 50, buy B 4 @ 25, buy C 1 @ 25, buy D 1 @ 25";
    check(
        Machine::under(Rules { attempts: 1, ..rules() }, Stages::Together, "CASH 200.00, A 7", legs),
        "begin
         0F1 submit acknowledged filled a:2 & 1F1 submit acknowledged filled a:4 & 2F1 submit acknowledged filled a:1
         3F1 submit refused
         ---
         1R1 submit acknowledged expired a:0.5
         2R1 submit acknowledged filled a:1
         0R1 submit acknowledged filled a:2",
        expect![[r#"
            1R1 submit acknowledged expired a:0.5
                +0 1R1 filled 0.5 for 12.50
                +0 1R1 ended expired
            2R1 submit acknowledged filled a:1
                +0 2R1 filled 1 for 25.00
                +0 2R1 ended filled
                +0 intended undo sells, 0R1 buy 2 A +0..+60
            0R1 submit acknowledged filled a:2
                +0 0R1 filled 2 for 100.00
                +0 0R1 ended filled
                +0 closed stale, cost 87.50, 3.5 B too many; 3F1 (buy D) ended short: not tradable: no
            stale
        "#]],
    );
}

#[test]
fn a_reversal_that_stays_unknown_does_not_stop_the_others_either() {
    let legs = "sell A 2 @ 50, buy B 4 @ 25, buy C 1 @ 25, buy D 1 @ 25";
    check(
        Machine::under(Rules { resend: false, ..rules() }, Stages::Together, "CASH 200.00, A 7", legs),
        "begin
         0F1 submit acknowledged filled a:2 & 1F1 submit acknowledged filled a:4 & 2F1 submit acknowledged filled a:1
         3F1 submit refused
         ---
         1R1 submit unknown
         2R1 submit acknowledged filled a:1
         wait 600
         0R1 submit acknowledged filled a:2",
        expect![[r#"
            1R1 submit unknown
                +0 1R1 unknown, quiet at +70
            2R1 submit acknowledged filled a:1
                +0 2R1 filled 1 for 25.00
                +0 2R1 ended filled
            wait 600
                +600 intended undo sells, 0R1 buy 2 A +600..+660
            0R1 submit acknowledged filled a:2
                +600 0R1 filled 2 for 100.00
                +600 0R1 ended filled
                +600 closed stale, cost 100.00, 4 B too many, 1R1 unresolved; the outcome of 1 order(s) stayed unknown
            stale
        "#]],
    );
}

#[test]
fn the_residual_names_every_symbol_that_is_off_and_by_how_much() {
    let legs = "sell A 2 @ 50, buy B 4 @ 25, buy C 1 @ 25";
    let machine = check(
        Machine::under(Rules { attempts: 1, ..rules() }, Stages::Together, "CASH 200.00, A 7", legs),
        "begin
         0F1 submit acknowledged filled a:2 & 1F1 submit acknowledged filled a:4 & 2F1 submit refused
         ---
         1R1 submit acknowledged canceled a:1.000000001
         0R1 submit refused",
        expect![[r#"
            1R1 submit acknowledged canceled a:1.000000001
                +0 1R1 filled 1.000000001 for 25.00
                +0 1R1 ended canceled
                +0 intended undo sells, 0R1 buy 2 A +0..+60
            0R1 submit refused
                +0 0R1 refused
                +0 closed stale, cost -25.00, 2 A missing, 2.999999999 B too many; 2F1 (buy C) ended short: not tradable: no
            stale
        "#]],
    );
    let residual = &machine.closed().closing.as_ref().unwrap().residual;
    let residual: Vec<String> = residual.iter().map(ToString::to_string).collect();
    assert_eq!(residual, ["2 A missing", "2.999999999 B too many"]);
}

#[test]
fn more_that_came_back_than_went_is_a_residual_the_other_way() {
    check(
        Machine::of("CASH 200.00, B 5", "buy B 4 @ 25, buy C 1 @ 25"),
        "begin
         0F1 submit acknowledged filled a:4 & 1F1 submit refused
         ---
         0R1 fill a:6",
        expect![[r#"
            0R1 fill a:6
                +0 0R1 filled 6 for 150.00
                +0 0R1 ended filled
                +0 closed stale, cost -50.00, 2 B missing; 1F1 (buy C) ended short: not tradable: no
            stale
        "#]],
    );
}

#[test]
fn a_reversal_that_sells_all_that_is_held_says_so() {
    // Brokers exempt an exit from their minimum and their lot.
    for (books, expected) in [
        (
            "CASH 200.00",
            expect![[r#"
                0F1 submit acknowledged canceled a:1 & 1F1 submit refused
                    +0 0F1 filled 1 for 25.00
                    +0 0F1 ended canceled
                    +0 1F1 refused
                    +0 unwinding: 0F1 (buy B) ended short: canceled
                    +0 intended undo buys, 0R1 sell all 1 B +0..+60
                rebalancing, compensating, undo buys; 0F1 ended short 1; 0R1 intended; 1F1 refused
            "#]],
        ),
        (
            "CASH 200.00, B 0.000000001",
            expect![[r#"
                0F1 submit acknowledged canceled a:1 & 1F1 submit refused
                    +0 0F1 filled 1 for 25.00
                    +0 0F1 ended canceled
                    +0 1F1 refused
                    +0 unwinding: 0F1 (buy B) ended short: canceled
                    +0 intended undo buys, 0R1 sell 1 B +0..+60
                rebalancing, compensating, undo buys; 0F1 ended short 1; 0R1 intended; 1F1 refused
            "#]],
        ),
    ] {
        let text = "begin; --- 0F1 submit acknowledged canceled a:1 & 1F1 submit refused";
        check(Machine::of(books, "buy B 4 @ 25, buy C 1 @ 25"), text, expected);
    }
}

#[test]
fn a_way_back_that_is_taken_over_goes_on_with_its_attempts() {
    check(
        Machine::of("CASH 200.00", "buy B 4 @ 25, buy C 1 @ 25"),
        "begin
         0F1 submit acknowledged filled a:4 & 1F1 submit refused
         ---
         0R1 submit refused
         later 5
         take-over
         0R2 look found rejected
         wait 5
         0R3 submit acknowledged filled a:4",
        expect![[r#"
            0R1 submit refused
                +0 0R1 refused
                +0 intended undo buys, 0R2 sell all 4 B +5..+65
            later 5
            take-over
                +5 taken over by successor with 2, quiet at +75
            0R2 look found rejected
                +5 0R2 acknowledged
                +5 0R2 ended rejected
                +5 intended undo buys, 0R3 sell all 4 B +10..+70
            wait 5
            0R3 submit acknowledged filled a:4
                +10 0R3 filled 4 for 100.00
                +10 0R3 ended filled
                +10 settling as restored
            rebalancing, settling as restored +10; 0F1 filled 4; 0R1 refused; 0R2 refused; 0R3 filled 4; 1F1 refused
        "#]],
    );
}

#[test]
fn an_open_reversal_is_canceled_at_its_deadline() {
    let rules = Rules { order_deadline: secs(20), ..rules() };
    check(
        Machine::under(rules, Stages::Together, "CASH 200.00", "buy B 4 @ 25, buy C 1 @ 25"),
        "begin
         0F1 submit acknowledged filled a:4 & 1F1 submit refused
         ---
         0R1 submit acknowledged working
         wait 19.999999999
         wait 0.000000001
         0R1 look found canceled a:1",
        expect![[r#"
            0R1 submit acknowledged working
                +0 0R1 acknowledged
            wait 19.999999999
            wait 0.000000001
                +20 0R1 cancel requested
            0R1 look found canceled a:1
                +20 0R1 filled 1 for 25.00
                +20 0R1 ended canceled
                +20 intended undo buys, 0R2 sell all 3 B +25..+45
            rebalancing, compensating, undo buys; 0F1 filled 4; 0R1 ended short 1; 0R2 intended; 1F1 refused
        "#]],
    );
}
