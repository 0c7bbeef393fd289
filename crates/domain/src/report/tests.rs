//! What a batch did, to the cent and the ninth decimal: completed, restored and stale.

use super::{BatchReport, Trade};
use crate::testing::machine::Machine;
use crate::testing::machine::story::shorten;
use crate::values::Money;
use expect_test::{Expect, expect};
use std::fmt::Write;

fn trades(text: &mut String, what: &str, trades: &[Trade]) {
    for Trade { leg, symbol, side, quantity, price, amount, planned, slippage, fees } in trades {
        writeln!(text, "{what} {leg} {side} {quantity} {symbol} at {price} for {amount}, planned at {planned}: slippage {slippage}, fees {fees}").unwrap();
    }
}

fn check(mut machine: Machine, text: &str, expected: Expect) {
    machine.run(text);
    let report = BatchReport::of(machine.closed()).unwrap().unwrap();
    assert_eq!((report.batch, report.opened_at), (machine.closed().id, crate::testing::machine::OPENED));
    let there_and_back = || report.trades.iter().chain(&report.reversals);
    let sum = |of: fn(&Trade) -> Money| Money::sum(there_and_back().map(of)).unwrap();
    let tally = machine.state.tally;
    assert_eq!((tally.fees, tally.slippage), (sum(|trade| trade.fees), sum(|trade| trade.slippage)));
    let mut told = format!("{}, {} off by {}\n", report.outcome.name(), report.measure, report.drift);
    trades(&mut told, "forward", &report.trades);
    trades(&mut told, "back", &report.reversals);
    for skip in &report.skipped {
        writeln!(told, "left {}: {}", skip.symbol, skip.reason).unwrap();
    }
    for residual in &report.residual {
        writeln!(told, "{residual}").unwrap();
    }
    writeln!(told, "cost {}, fees {}", report.cost, report.fees).unwrap();
    if let Some(cause) = &report.cause {
        writeln!(told, "{cause}").unwrap();
    }
    expected.assert_eq(&shorten(&told));
}

#[test]
fn a_completed_batch_with_averages_over_fills_and_attempts() {
    // 49.99 and twice 50.02 are 50.01 on average; the averages of B and C lie between two ninth decimals, and go to the even one.
    check(
        Machine::of("CASH 200.00, A 10", "sell A 3 @ 50, buy B 2 @ 25, buy C 2 @ 10"),
        "begin
         0F1 submit acknowledged filled a:1@49.99/0.35 b:1@50.02/0.35 c:1@50.02/0.35
         1F1 submit not-sent
         wait 5
         1F2 submit acknowledged filled a:1@25.000000001 b:1@25.000000002
         2F1 submit acknowledged filled a:1@10 b:1@10.000000001
         settle",
        expect![[r#"
            completed, relative off by 0.0000
            forward 0 sell 3 A at 50.01 for 150.03, planned at 50: slippage -0.03, fees 1.05
            forward 1 buy 2 B at 25.000000002 for 50.00, planned at 25: slippage 0.00, fees 0.00
            forward 2 buy 2 C at 10 for 20.00, planned at 10: slippage 0.00, fees 0.00
            cost -78.98, fees 1.05
        "#]],
    );
}

#[test]
fn a_restored_batch_with_what_it_cost() {
    check(
        Machine::of("CASH 200.00, A 10", "sell A 2 @ 50, buy B 4 @ 25, buy C 1 @ 25"),
        "begin
         0F1 submit acknowledged filled a:2@49.995/0.35
         1F1 submit acknowledged canceled a:1@25/0.10
         2F1 submit refused
         1R1 submit acknowledged expired a:0.25@24/0.10
         wait 5
         1R2 submit acknowledged filled a:0.75@24.5/0.10
         0R1 submit acknowledged filled a:1@50.1 b:1@50.2/0.35
         settle",
        expect![[r#"
            restored, relative off by 0.0000
            forward 0 sell 2 A at 49.995 for 99.99, planned at 50: slippage 0.01, fees 0.35
            forward 1 buy 1 B at 25 for 25.00, planned at 25: slippage 0.00, fees 0.10
            back 0 buy 2 A at 50.15 for 100.30, planned at 50: slippage 0.30, fees 0.35
            back 1 sell 1 B at 24.375 for 24.38, planned at 25: slippage 0.62, fees 0.20
            cost 1.93, fees 1.00
            1F1 (buy B) ended short: canceled
        "#]],
    );
}

#[test]
fn what_was_planned_for_a_part_is_rounded_half_even() {
    check(
        Machine::of("CASH 200.00, A 10", "sell A 2 @ 50, buy B 3 @ 10.005, buy C 3 @ 10.015"),
        "begin
         0F1 submit acknowledged filled a:2@50
         1F1 submit acknowledged canceled a:1@10.005
         2F1 submit acknowledged canceled a:1@10.015
         1R1 submit acknowledged filled a:1@10.005
         2R1 submit acknowledged filled a:1@10.015
         0R1 submit acknowledged filled a:2@50
         settle",
        expect![[r#"
            restored, relative off by 0.0000
            forward 0 sell 2 A at 50 for 100.00, planned at 50: slippage 0.00, fees 0.00
            forward 1 buy 1 B at 10.005 for 10.00, planned at 10.005: slippage 0.00, fees 0.00
            forward 2 buy 1 C at 10.015 for 10.02, planned at 10.015: slippage 0.00, fees 0.00
            back 0 buy 2 A at 50 for 100.00, planned at 50: slippage 0.00, fees 0.00
            back 1 sell 1 B at 10.005 for 10.00, planned at 10.005: slippage 0.00, fees 0.00
            back 2 sell 1 C at 10.015 for 10.02, planned at 10.015: slippage 0.00, fees 0.00
            cost 0.00, fees 0.00
            1F1 (buy B) ended short: canceled
        "#]],
    );
}

#[test]
fn a_stale_batch_with_what_is_still_off() {
    check(
        Machine::of("CASH 200.00, A 10", "sell A 2 @ 50, buy B 4 @ 25"),
        "begin
         0F1 submit acknowledged filled a:2@49.995/0.35
         1F1 submit refused
         0R1 submit refused; wait 5; 0R2 submit acknowledged expired a:0.5; wait 5; 0R3 submit refused",
        expect![[r#"
            stale, relative off by 0.0000
            forward 0 sell 2 A at 49.995 for 99.99, planned at 50: slippage 0.01, fees 0.35
            back 0 buy 0.5 A at 50 for 25.00, planned at 50: slippage 0.00, fees 0.00
            1.5 A missing
            cost -74.64, fees 0.35
            1F1 (buy B) ended short: not tradable: no
        "#]],
    );
}

#[test]
fn a_stale_batch_that_seemed_completed_is_off_by_nothing() {
    check(
        Machine::of("CASH 200.00", "buy B 4 @ 25"),
        "begin; 0F1 submit acknowledged filled a:4; wait 120; settle off",
        expect![[r#"
            stale, relative off by 0.0000
            forward 0 buy 4 B at 25 for 100.00, planned at 25: slippage 0.00, fees 0.00
            cost 100.00, fees 0.00
            books and broker disagree after the batch: cash: 100.00 in the books, 100.01 at the broker
        "#]],
    );
}

#[test]
fn an_abandoned_batch_traded_nothing() {
    check(
        Machine::of("CASH 200.00", "buy B 4 @ 25"),
        "abandon",
        expect![[r#"
        abandoned, relative off by 0.0000
        cost 0.00, fees 0.00
        given up before anything was sent: the engine is stopping
    "#]],
    );
}

#[test]
fn legs_that_were_dropped_when_the_second_stage_was_sized_are_told_with_those_the_plan_left() {
    check(
        Machine::sells_first("CASH 0.00, A 10", "sell A 2 @ 50, buy B 4 @ 25"),
        "begin; 0F1 submit acknowledged filled a:2@0.10; settle",
        expect![[r#"
            completed, relative off by 0.0000
            forward 0 sell 2 A at 0.1 for 0.20, planned at 50: slippage 99.80, fees 0.00
            left B: shrunk to 0.20 for want of cash, less than the minimum order of 1.00
            cost -0.20, fees 0.00
        "#]],
    );
}

#[test]
fn a_sum_that_cannot_be_told_is_an_error_and_no_missing_trade() {
    let mut machine = Machine::of("CASH 200.00", "buy A 2 @ 50");
    machine.run("begin; 0F1 submit acknowledged filled a:2; settle");
    let mut batch = machine.closed().clone();
    batch.orders.change(|_| true, |order| order.booked = Money::MIN);
    assert!(BatchReport::of(&batch).is_err());
}

#[test]
fn an_open_batch_has_no_report() {
    let mut machine = Machine::of("CASH 200.00", "buy B 4 @ 25");
    assert_eq!(BatchReport::of(machine.batch()), Ok(None));
    machine.run("begin; 0F1 submit acknowledged filled a:4");
    assert_eq!(BatchReport::of(machine.batch()), Ok(None));
}
