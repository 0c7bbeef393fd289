//! Fills that come after the end of their batch: booked, told to a person, and compared before anything else is traded.

use super::check;
use crate::alert::alerts;
use crate::decide::{Hold, Input, decide};
use crate::plan::Stages;
use crate::record::Rules;
use crate::testing::machine::{Machine, plan_of, rules, secs, story};
use crate::testing::read;
use expect_test::expect;

/// A batch that was restored, with an order that was assumed not to have executed.
fn restored() -> Machine {
    let mut machine = Machine::of("CASH 200.00, A 7", "sell A 2 @ 50, buy B 4 @ 25");
    machine.run("begin; 0F1 submit unknown & 1F1 submit refused; wait 70; 0F1 look absent & 0F1 look absent; settle");
    assert_eq!(machine.closed().closing.as_ref().unwrap().outcome.name(), "restored");
    machine
}

#[test]
fn a_late_fill_is_booked_once_and_quarantines_until_a_comparison_is_clean() {
    check(
        restored(),
        "0F1 fill a:1.5@51/0.35
         0F1 fill a:1.5@51/0.35
         open
         0F1 fill b:0.5@51
         confirm
         0F1 fill b:0.5@51 & 0F1 fill a:1.5@51/0.35
         open",
        expect![[r#"
            0F1 fill a:1.5@51/0.35
                +70 0F1 late fill 1.5 A for 76.50
            0F1 fill a:1.5@51/0.35
            open
                no: the portfolio is quarantined: books and broker must agree first
            0F1 fill b:0.5@51
                +70 0F1 late fill 0.5 A for 25.50
            confirm
                +70 released
            0F1 fill b:0.5@51 & 0F1 fill a:1.5@51/0.35
            open
                +70 opened, 1 legs
            rebalancing, planned
        "#]],
    );
}

#[test]
fn a_late_fill_is_told_with_the_record_that_books_it() {
    let machine = restored();
    let reports = vec![machine.report("0F1 fill a:1.5@51/0.35")];
    let records =
        decide(&machine.state, machine.now, Input::Reports { reports: &reports, hold: Hold::Nothing }).unwrap();
    let alerts = alerts(&machine.state, &records);
    assert_eq!(alerts.len(), 1);
    assert_eq!(alerts[0].sequence, machine.state.sequence.next().unwrap());
    assert_eq!(alerts[0].batch, Some(machine.closed().id));
    expect!["late fill: late fill: sell 1.5 A at 51 after its batch was closed; booked"]
        .assert_eq(&format!("{}: {}", alerts[0].kind, alerts[0].text));
}

#[test]
fn late_fills_are_booked_by_the_rounded_sum_like_any_others() {
    let mut machine = restored();
    machine.run("0F1 fill a:0.01@0.333; 0F1 fill b:0.01@0.333; 0F1 fill c:0.01@0.333");
    // 0.00333, 0.00666, 0.00999
    assert_eq!((machine.order("0F1").booked, machine.state.books.cash), (read("0.01"), read("200.01")));
    assert_eq!(machine.state.tally.turnover, read("0.01"));
    // Planned were 0.03 units at 50.
    assert_eq!(machine.state.tally.slippage, read("1.49"));
}

#[test]
fn a_late_fill_while_another_batch_is_open_is_booked_and_compared_at_its_end() {
    let mut machine = restored();
    let late = machine.report("0F1 fill a:2");
    machine.open(&plan_of("buy B 4 @ 25", Stages::Together), rules());
    machine.run("begin");
    let records = machine.must(Input::Reports { reports: std::slice::from_ref(&late), hold: Hold::Nothing });
    expect![[r#"
        +70 0F1 late fill 2 A for 100.00
    "#]]
    .assert_eq(&story::records(&records));
    check(
        machine,
        "0F1 submit acknowledged filled a:4; settle",
        expect![[r#"
            0F1 submit acknowledged filled a:4
                +70 0F1 filled 4 for 100.00
                +70 0F1 ended filled
                +70 settling as completed
            settle
                +70 closed completed, cost 100.00
            active
        "#]],
    );
}

#[test]
fn a_late_fill_while_the_portfolio_is_stale_changes_what_is_off() {
    let mut machine = Machine::of("CASH 200.00, A 7", "sell A 2 @ 50, buy B 4 @ 25");
    machine.run("begin; 0F1 submit unknown & 1F1 submit refused; wait 600");
    assert_eq!(machine.closed().residual(), Ok(Vec::new()));
    check(
        machine,
        "0F1 fill a:1.5; retry; 0F1 look found canceled a:1.5",
        expect![[r#"
        0F1 fill a:1.5
            +600 0F1 late fill 1.5 A for 75.00
        retry
            +600 retried by ann: looked; up to 6 attempts
        0F1 look found canceled a:1.5
            +600 0F1 acknowledged
            +600 0F1 ended canceled
            +600 intended undo sells, 0R1 buy 1.5 A +600..+660
        rebalancing, compensating, undo sells; 0F1 ended short 1.5; 0R1 intended; 1F1 refused
    "#]],
    );
}

#[test]
fn what_comes_back_late_is_no_turnover() {
    let mut machine = Machine::of("CASH 200.00, A 7", "sell A 2 @ 50, buy B 4 @ 25");
    machine.run("begin; 0F1 submit acknowledged filled a:2 & 1F1 submit refused; 0R1 submit acknowledged filled a:2");
    let late = machine.run("settle; 0R1 fill b:1@51/0.25");
    assert_eq!(late.lines().last(), Some("+0 0R1 late fill 1 A for 51.00"));
    // It cost its fee, and a dollar more than planned.
    let tally = machine.state.tally;
    assert_eq!((tally.turnover, tally.fees, tally.slippage), (read("100.00"), read("0.25"), read("1.00")));
}

#[test]
fn what_batches_came_to_is_the_same_before_and_after_a_retry() {
    let mut machine = Machine::of("CASH 200.00, A 7", "sell A 2 @ 50, buy B 4 @ 25");
    machine
        .run("begin; 0F1 submit acknowledged working a:0.5/0.10 & 1F1 submit refused; wait 600; 0F1 fill b:1@49/0.20");
    let amounts = |machine: &Machine| {
        let tally = machine.state.tally;
        [tally.turnover, tally.fees, tally.slippage].map(|amount| amount.to_string())
    };
    assert_eq!(amounts(&machine), ["74.00", "0.30", "1.00"]);
    machine.run("retry");
    assert_eq!((amounts(&machine), machine.state.tally.stale), (["0.00", "0.00", "0.00"].map(str::to_owned), 0));
    machine.run("0F1 look found canceled a:0.5/0.10 b:1@49/0.20; 0R1 submit acknowledged filled a:1.5@52/0.40; settle");
    assert_eq!((amounts(&machine), machine.state.tally.restored), (["74.00", "0.70", "4.00"].map(str::to_owned), 1));
}

#[test]
fn fills_that_are_not_ours_are_left_to_the_comparison() {
    let mut machine = restored();
    let crate::decide::Report::Fill(fill) = machine.report("0F1 fill a:1") else { panic!() };
    let foreign = crate::order::OrderFill { order: None, ..fill.clone() };
    let mut unknown = machine.id("0F1");
    unknown.batch = crate::order::BatchId::from_u128(7);
    let unknown = crate::order::OrderFill { order: Some(unknown), ..fill.clone() };
    let never_intended = crate::order::OrderFill { order: Some(machine.id("0R9")), ..fill };
    for fill in [foreign, unknown, never_intended] {
        let reports = vec![crate::decide::Report::Fill(fill)];
        assert_eq!(machine.must(Input::Reports { reports: &reports, hold: Hold::Nothing }), []);
    }
}

#[test]
fn orders_are_watched_from_the_opening_for_as_long_as_the_rules_say_and_the_last_batch_always() {
    let watch = Rules { watch: secs(1_000), ..rules() };
    for (seconds, watched) in [(1_000 - 70, 3), (1_000 - 69, 2)] {
        let mut machine = Machine::under(watch.clone(), Stages::Together, "CASH 200.00", "buy B 4 @ 25");
        machine.run("begin; 0F1 submit refused; settle");
        machine.now = machine.now.plus(secs(70));
        machine.open(&plan_of("buy B 4 @ 25", Stages::Together), watch.clone());
        machine.run("begin; 0F1 submit refused; settle");
        machine.now = machine.now.plus(secs(seconds));
        machine.open(&plan_of("buy B 4 @ 25", Stages::Together), watch.clone());
        machine.run("begin; 0F1 submit refused; settle");
        assert_eq!(machine.state.closed.len(), watched, "{seconds}");
    }
    // However long ago it was, the last one stays: it is what a person looks at.
    let mut machine = restored();
    machine.now = machine.now.plus(secs(1_000_000_000));
    machine.open(&plan_of("buy B 4 @ 25", Stages::Together), watch);
    assert_eq!(machine.state.closed.len(), 1);
}

#[test]
fn late_fills_of_a_removed_portfolio_are_still_booked() {
    check(
        restored(),
        "remove; 0F1 fill a:2",
        expect![[r#"
        remove
            +70 removed
        0F1 fill a:2
            +70 0F1 late fill 2 A for 100.00
        absent
    "#]],
    );
}
