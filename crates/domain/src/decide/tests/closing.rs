//! Table B, the end: comparing, waiting, giving up, and how long a portfolio is left alone afterwards.

use super::check;
use crate::batch::Phase;
use crate::decide::{Hold, Input, Refusal, completes, decide, decide_all};
use crate::order::FillCursor;
use crate::plan::Stages;
use crate::record::{Event, Outcome, Pause, Record, Rules};
use crate::testing::machine::{Machine, plan_of, rules, secs};
use crate::testing::read;
use expect_test::expect;
use std::time::Duration;

fn one_buy() -> Machine {
    Machine::of("CASH 200.00", "buy B 4 @ 25")
}

/// Opens the next batch and has it end like this, ten seconds later.
fn next(machine: &mut Machine, ends: &str) -> Option<Duration> {
    machine.now = machine.now.plus(secs(7));
    let opened = machine.now;
    machine.open(&plan_of("buy B 1 @ 0.01", Stages::Together), rules());
    machine.run(&format!("begin; 0F1 submit {ends}; later 10; settle"));
    machine.state.pause.map(|pause| pause.until.since(opened))
}

#[test]
fn the_pause_counts_from_the_opening_and_doubles_with_every_restoration_up_to_a_day() {
    let mut machine = Machine::holding("CASH 200.00");
    let minutes: Vec<u64> = (0..10).map(|_| next(&mut machine, "refused").unwrap().as_secs() / 60).collect();
    assert_eq!(minutes, [15, 30, 60, 120, 240, 480, 960, 1_440, 1_440, 1_440]);
    assert_eq!((machine.state.restorations, machine.state.tally.restored), (10, 10));
    // A completion clears it.
    assert_eq!(next(&mut machine, "acknowledged filled a:1"), None);
    assert_eq!((machine.state.restorations, machine.state.tally.completed), (0, 1));
    assert_eq!(next(&mut machine, "refused"), Some(secs(15 * 60)));
}

#[test]
fn the_pause_stays_at_its_longest_however_often_a_portfolio_was_restored() {
    for restorations in [30, 31, 32, 33, 64, u32::MAX - 1, u32::MAX] {
        let mut machine = Machine::holding("CASH 200.00");
        machine.state.restorations = restorations;
        machine.journal.clear();
        let batch = plan_of("buy B 1 @ 0.01", Stages::Together);
        let mut state = machine.state.clone();
        let newest = crate::books::Prices::default();
        let mut step = |input| crate::decide::step(&mut state, machine.now, input).unwrap();
        let (store, token) = (crate::values::StoreId::new(1), crate::values::Token::new(1));
        step(crate::decide::Input::Open {
            store,
            token,
            plan: &batch,
            facts: crate::testing::machine::FACTS,
            rules: rules(),
        });
        step(crate::decide::Input::Begin { newest: &newest });
        step(crate::decide::Input::Abort { who: "ann".to_owned(), why: String::new() });
        let order = state.batch.as_ref().unwrap().orders.ids().next().unwrap();
        let reports = vec![crate::decide::Report::Withheld { order }];
        crate::decide::step(
            &mut state,
            machine.now,
            crate::decide::Input::Reports { reports: &reports, hold: crate::decide::Hold::Nothing },
        )
        .unwrap();
        let broker = state.books.clone();
        let settle = crate::decide::Input::Settle { broker: &broker, fills_read: None };
        crate::decide::step(&mut state, machine.now, settle).unwrap();
        assert_eq!(state.pause, Some(Pause { until: machine.now.plus(secs(24 * 3_600)) }), "{restorations}");
        assert_eq!(state.restorations, restorations.saturating_add(1));
    }
}

#[test]
fn only_a_restoration_makes_a_pause_and_only_a_completion_or_a_stale_batch_ends_it() {
    let mut machine = Machine::holding("CASH 200.00");
    next(&mut machine, "refused");
    let pause = machine.state.pause;
    machine.open(&plan_of("buy B 1 @ 0.01", Stages::Together), rules());
    machine.run("abandon");
    assert_eq!((machine.state.pause, machine.state.restorations), (pause, 1));
    machine.open(&plan_of("buy B 1 @ 0.01", Stages::Together), rules());
    machine.run("begin; 0F1 submit unknown; wait 600");
    assert_eq!((machine.state.pause, machine.state.restorations, machine.state.standing.name()), (None, 1, "stale"));
}

#[test]
fn a_portfolio_that_was_removed_and_added_again_is_not_left_alone() {
    let mut machine = Machine::holding("CASH 200.00");
    assert!(next(&mut machine, "refused").is_some());
    machine.run("remove; add");
    assert_eq!((machine.state.standing.name(), machine.state.pause), ("active", None));
}

#[test]
fn a_difference_is_waited_out_and_a_clean_comparison_closes_however_late() {
    check(
        one_buy(),
        "begin
         later 50
         0F1 submit acknowledged filled a:4
         ---
         settle off
         later 119.999999999
         settle off
         later 1000
         settle",
        expect![[r#"
            settle off
            later 119.999999999
            settle off
            later 1000
            settle
                +1169.999999999 closed completed, cost 100.00
            active
        "#]],
    );
}

#[test]
fn a_difference_that_stays_makes_the_portfolio_stale() {
    check(
        one_buy(),
        "begin
         later 50
         0F1 submit acknowledged filled a:4
         ---
         later 120
         tick
         settle off",
        expect![[r#"
            later 120
            tick
            settle off
                +170 closed stale, cost 100.00; books and broker disagree after the batch: cash: 100.00 in the books, 100.01 at the broker
            stale
        "#]],
    );
}

#[test]
fn a_comparison_that_comes_when_the_batch_goes_on_after_all_says_nothing() {
    check(
        one_buy(),
        "begin; settle; settle off; 0F1 submit acknowledged filled a:4; 0F1 fill b:1; later 500; settle; settle off",
        expect![[r#"
            begin
                +0 intended first, 0F1 buy 4 B +0..+60
            settle
            settle off
            0F1 submit acknowledged filled a:4
                +0 0F1 filled 4 for 100.00
                +0 0F1 ended filled
                +0 settling as completed
            0F1 fill b:1
                +0 0F1 filled 1 for 25.00
                +0 unwinding: a fill arrived after everything seemed done
                +0 intended undo buys, 0R1 sell all 5 B +0..+60
            later 500
            settle
                +500 0R1 unknown, quiet at +570
            settle off
            rebalancing, compensating, undo buys; 0F1 filled 5; 0R1 in flight until +570
        "#]],
    );
}

#[test]
fn how_far_fills_were_read_is_kept_when_a_batch_ends_well() {
    let mut machine = one_buy();
    machine.run("begin; 0F1 submit acknowledged filled a:4");
    assert_eq!(machine.state.fills_read, None);
    machine.run("settle");
    let read = Some(FillCursor("cursor".to_owned()));
    assert_eq!(machine.state.fills_read, read);
    machine.open(&plan_of("buy B 4 @ 25", Stages::Together), rules());
    machine.run("begin; 0F1 submit unknown; wait 600");
    assert_eq!((machine.state.standing.name(), &machine.state.fills_read), ("stale", &read));
}

#[test]
fn an_outcome_that_stays_unknown_is_a_persons_business() {
    check(
        Machine::of("CASH 200.00, A 7", "sell A 2 @ 50, buy B 4 @ 25"),
        "begin
         0F1 submit acknowledged filled a:0.5 b:1.5
         1F1 submit unknown
         ---
         wait 599.999999999
         wait 0.000000001",
        expect![[r#"
            wait 599.999999999
            wait 0.000000001
                +600 closed stale, cost -100.00, 2 A missing, 1F1 unresolved; the outcome of 1 order(s) stayed unknown
            stale
        "#]],
    );
}

#[test]
fn patience_counts_from_the_first_time_however_often_an_order_is_sent_again() {
    let rules = Rules { quiescence: secs(10), order_deadline: secs(10_000), patience: secs(25), ..rules() };
    check(
        Machine::under(rules, Stages::Together, "CASH 200.00", "buy B 4 @ 25"),
        "begin
         0F1 submit unknown
         later 10
         0F1 look absent & 0F1 look absent
         0F1 submit unknown
         later 10
         0F1 look absent & 0F1 look absent
         ---
         wait 4.999999999
         wait 0.000000001",
        expect![[r#"
            wait 4.999999999
            wait 0.000000001
                +25 closed stale, cost 0.00, 0F1 unresolved; the outcome of 1 order(s) stayed unknown
            stale
        "#]],
    );
}

#[test]
fn patience_begins_anew_once_the_broker_has_shown_the_order() {
    let mut machine = one_buy();
    machine.run("begin; 0F1 submit unknown; later 599; 0F1 look found working; wait 1");
    assert_eq!(machine.order("0F1").unknown_since, None);
    assert_eq!(machine.state.standing.name(), "rebalancing");
}

#[test]
fn a_cancel_without_effect_is_a_persons_business() {
    check(
        one_buy(),
        "begin
         0F1 submit acknowledged working a:1
         wait 60
         0F1 cancel no-such-order
         0F1 cancel unknown
         ---
         wait 599.999999999
         0F1 look found working a:1 & 0F1 cancel requested
         wait 0.000000001",
        expect![[r#"
            wait 599.999999999
            0F1 look found working a:1 & 0F1 cancel requested
            wait 0.000000001
                +660 closed stale, cost 25.00, 1 B too many, 0F1 unresolved; the outcome of 1 order(s) stayed unknown
            stale
        "#]],
    );
}

#[test]
fn a_fill_that_cannot_be_booked_is_a_persons_business_and_stays_bookable_by_nobody() {
    // Three of two are sold.
    check(
        Machine::of("CASH 200.00, A 2", "sell A 2 @ 50, buy B 4 @ 25"),
        "begin
         1F1 submit acknowledged filled a:4
         ---
         0F1 fill a:3
         0F1 fill a:3
         0F1 look found filled a:3
         1F1 fill a:4
         accept off
         0F1 fill a:3
         confirm",
        expect![[r#"
            0F1 fill a:3
                +0 closed stale, cost 100.00, 4 B too many, 0F1 unresolved; a fill of 0F1 cannot be booked: cannot take 3 from 2: a quantity is never negative
            0F1 fill a:3
            0F1 look found filled a:3
            1F1 fill a:4
            accept off
                +0 resolved (Accept) by ann: looked; cash 100.01
            0F1 fill a:3
            confirm
            active
        "#]],
    );
}

#[test]
fn a_fill_beyond_all_money_cannot_be_booked() {
    check(
        Machine::of("CASH 9999999999999999.00, A 2", "sell A 2 @ 50"),
        "begin; 0F1 submit acknowledged working; --- 0F1 look found filled a:1 b:1; accept",
        expect![[r#"
            0F1 look found filled a:1 b:1
                +0 closed stale, cost 0.00, 0F1 unresolved; a fill of 0F1 cannot be booked: adding 50.00 to 9999999999999999.00 leaves the range of an amount of money, whose maximum is ±9999999999999999.99
            accept
                +0 resolved (Accept) by ann: looked; cash 9999999999999999.00
            active
        "#]],
    );
}

#[test]
fn what_batches_came_to_is_added_up() {
    let mut machine = Machine::of("CASH 200.00, A 10", "sell A 2 @ 50, buy B 4 @ 25");
    machine.run("begin; 0F1 submit acknowledged filled a:2@49/0.50; 1F1 submit acknowledged filled a:4; settle");
    // 98.00 and 100.00, without fees. The sale brought 2.00 less than planned.
    let spent = |machine: &Machine| (machine.state.tally.fees, machine.state.tally.slippage);
    assert_eq!((machine.state.tally.completed, machine.state.tally.turnover), (1, read("198.00")));
    assert_eq!(spent(&machine), (read("0.50"), read("2.00")));
    machine.open(&plan_of("sell A 2 @ 50, buy B 4 @ 25", Stages::Together), rules());
    machine.run(
        "begin; 0F1 submit acknowledged filled a:2@51/0.10; 1F1 submit refused; 0R1 submit acknowledged filled a:2@53/0.20; settle",
    );
    // What was traded back is not turnover, but cost fees and slippage as well: a gain of 2.00 on the way there, 6.00 on the way back.
    assert_eq!((machine.state.tally.restored, machine.state.tally.turnover), (1, read("300.00")));
    assert_eq!(spent(&machine), (read("0.80"), read("6.00")));
}

#[test]
fn a_batch_keeps_the_rules_it_was_opened_with() {
    let own = Rules { attempts: 7, held_back: read("3.00"), ..rules() };
    let mut machine = Machine::under(own.clone(), Stages::Together, "CASH 200.00", "buy B 4 @ 25");
    assert_eq!((machine.batch().rules(), machine.batch().attempts), (&own, 7));
    assert_eq!(machine.run("change"), format!("no: the batch {} is open\n", machine.batch().id));
    machine.run("begin; take-over; abort");
    assert_eq!(machine.batch().rules(), &own);
}

/// What is done first, what is then learned together, and whether that completes the batch.
#[test]
fn what_completes_a_batch_is_known_before_it_is_booked() {
    let both = "sell A 2 @ 50, buy B 4 @ 25";
    let (sell, buy) = ("0F1 submit acknowledged filled a:2", "1F1 submit acknowledged filled b:4");
    for (stages, before, learned, expected) in [
        (Stages::Together, "begin", format!("{sell} & {buy}"), true),
        (Stages::Together, "begin", format!("{buy} & {sell}"), true),
        (Stages::Together, "begin", format!("{sell} & {sell} & {buy}"), true),
        (Stages::Together, "begin", format!("{sell} & {sell}"), false),
        (Stages::Together, "begin", sell.to_owned(), false),
        (Stages::Together, &format!("begin; {sell}"), buy.to_owned(), true),
        (Stages::Together, &format!("begin; {sell}"), "1F1 look found filled b:4".to_owned(), true),
        (Stages::Together, &format!("begin; {sell}"), "1F1 look found working b:3".to_owned(), false),
        (Stages::Together, &format!("begin; {sell}"), "1F1 look found canceled b:3".to_owned(), false),
        (Stages::Together, &format!("begin; {sell}"), "1F1 look found filled b:3".to_owned(), false),
        (Stages::Together, &format!("begin; {sell}"), "1F1 submit refused".to_owned(), false),
        (Stages::Together, &format!("begin; {sell}; 1F1 submit not-sent"), sell.to_owned(), false),
        (Stages::Together, &format!("begin; {sell}; abort"), buy.to_owned(), false),
        (Stages::Together, &format!("begin; {sell}; {buy}"), buy.to_owned(), false),
        (Stages::SellsFirst, "begin", sell.to_owned(), false),
        (Stages::SellsFirst, &format!("begin; {sell}"), buy.to_owned(), true),
    ] {
        let mut machine = Machine::under(rules(), stages, "CASH 200.00, A 10", both);
        machine.run(before);
        let reports: Vec<_> = learned.split('&').map(|report| machine.report(report.trim())).collect();
        assert_eq!(completes(machine.batch(), &reports), expected, "{before}; then {learned}");
        if expected {
            machine.run(&learned);
            assert!(matches!(machine.batch().phase, Phase::Settling { outcome: Outcome::Completed, .. }), "{learned}");
        }
    }
}

/// What is learned and the comparison are decided together, and the first may be the end already.
#[test]
fn what_is_learned_together_with_a_comparison_may_close_the_batch_before_it() {
    let mut machine = one_buy();
    machine.run("begin; 0F1 submit unknown; later 600");
    let broker = machine.state.books.clone();
    let settle = Input::Settle { broker: &broker, fills_read: None };
    let learned = Input::Reports { reports: &[], hold: Hold::Nothing };
    let closed = decide_all(&machine.state, machine.now, [learned, settle.clone()]).unwrap().records;
    assert!(matches!(&closed[..], [Record { event: Event::Closed(closing), .. }] if closing.outcome == Outcome::Stale));
    machine.run("tick");
    assert_eq!(decide(&machine.state, machine.now, settle), Err(Refusal::NoBatch { wanted: "settled" }));
}
