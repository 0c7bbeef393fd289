//! Table C: every standing of a portfolio against everything that a person, a comparison or a movement of cash may do.

use super::check;
use crate::decide::{Input, Refusal};
use crate::order::Attempt;
use crate::plan::{Plan, Stages};
use crate::portfolio::Portfolio;
use crate::record::{Movement, Rules};
use crate::testing::machine::{Machine, OPENED, books_of, plan_of, rules, story};
use crate::testing::read;
use crate::values::{Money, StoreId, Token};
use expect_test::expect;

/// Every standing, and how a portfolio with 100.00 in cash gets there.
const STANDINGS: [(&str, &str); 6] = [
    ("absent", "remove"),
    ("active", ""),
    ("planned", "open"),
    ("rebalancing", "open; begin"),
    ("stale", "open; begin; 0F1 submit unknown; wait 600"),
    ("quarantined", "confirm off"),
];

/// What happens, what it makes of each standing, in the order above. A `-` changes nothing.
const TABLE: [(&str, [&str; 6]); 14] = [
    ("add", ["added", THERE, THERE, THERE, THERE, THERE]),
    ("change", [NONE, "changed", OPEN, OPEN, "changed", "changed"]),
    ("change-currency", [NONE, EUR, EUR, EUR, EUR, EUR]),
    ("remove", [NONE, "removed", OPEN, OPEN, "no: the portfolio is stale: resolve it first", "removed"]),
    ("deposit m1 1.00", [NONE, DEPOSITED, OPEN, OPEN, DEPOSITED, DEPOSITED]),
    ("withdraw m1 1.00", [NONE, WITHDRAWN, OPEN, OPEN, WITHDRAWN, WITHDRAWN]),
    ("confirm", [NONE, "-", OPEN, OPEN, "-", "released"]),
    ("confirm off", [NONE, QUARANTINED, OPEN, OPEN, "-", "-"]),
    ("open", [NONE, "opened, 1 legs", OPEN, OPEN, "no: the portfolio is stale: resolve it first", NOT_YET]),
    ("begin", [NO_BATCH, NO_BATCH, "intended first, 0F1 buy 4 B +0..+60", NO_BATCH, NO_BATCH, NO_BATCH]),
    ("accept", [NONE, "no: active", "no: rebalancing", "no: rebalancing", ACCEPTED, ACCEPTED]),
    ("accept off", [NONE, "no: active", "no: rebalancing", "no: rebalancing", ACCEPTED_OFF, ACCEPTED_OFF]),
    ("fixed", [NONE, "no: active", "no: rebalancing", "no: rebalancing", FIXED, "no: quarantined"]),
    ("retry", [NONE, "no: active", "no: rebalancing", "no: rebalancing", RETRIED, "no: quarantined"]),
];
const THERE: &str = "no: there is a portfolio growth already";
const NONE: &str = "no: there is no portfolio growth";
const OPEN: &str = "no: the batch is open";
const EUR: &str = "no: the new definition is in EUR, the portfolio in USD";
const DEPOSITED: &str = "Deposit m1 of 1.00";
const WITHDRAWN: &str = "Withdrawal m1 of 1.00";
const QUARANTINED: &str = "quarantined: cash: 100.00 in the books, 100.01 at the broker";
const NOT_YET: &str = "no: the portfolio is quarantined: books and broker must agree first";
const NO_BATCH: &str = "no: no batch is open that could be begun";
const ACCEPTED: &str = "resolved (Accept) by ann: looked; cash 100.00";
const ACCEPTED_OFF: &str = "resolved (Accept) by ann: looked; cash 100.01";
const FIXED: &str = "resolved (Fixed) by ann: looked; cash 100.00";
const RETRIED: &str = "retried by ann: looked; up to 6 attempts";

fn standing(way: &str) -> Machine {
    let mut machine = Machine::holding("CASH 100.00");
    machine.run(way);
    machine
}

#[test]
fn everything_a_person_may_do_in_every_standing() {
    for (command, outcomes) in TABLE {
        for ((name, way), expected) in STANDINGS.into_iter().zip(outcomes) {
            let mut machine = standing(way);
            let told = machine.run(command);
            // Without the time of a record; the batch's own id; and why there is nothing to resolve.
            let told = told.trim_end().split_once(' ').map_or("-", |(time, told)| if time == "no:" { told } else { told });
            let is_refused = machine.journal.len() == standing(way).journal.len() && told != "-";
            let told = if is_refused { format!("no: {told}") } else { told.to_owned() };
            let told = match &machine.state.batch {
                Some(batch) => told.replace(&format!("the batch {}", batch.id), "the batch"),
                None => told,
            };
            let told = told.replace("no: the portfolio is ", "no: ").replace(": there is nothing to resolve that way", "");
            let expected = expected.replace("no: the portfolio is ", "no: ");
            assert_eq!(told, expected, "{command} while {name}");
        }
    }
}

#[test]
fn a_batch_is_followed_by_the_standing_it_earned() {
    let outcomes = [
        ("abandon", "active"),
        ("begin; 0F1 submit acknowledged filled a:4; settle", "active"),
        ("begin; 0F1 submit refused; settle", "active"),
        ("begin; 0F1 submit unknown; wait 600", "stale"),
        ("begin; 0F1 submit acknowledged filled a:4; wait 120; settle off", "stale"),
    ];
    for (text, expected) in outcomes {
        let mut machine = Machine::of("CASH 100.00", "buy B 4 @ 25");
        assert_eq!(machine.state.standing.name(), "rebalancing");
        machine.run(text);
        assert_eq!(machine.state.standing.name(), expected, "{text}");
    }
}

#[test]
fn another_difference_is_recorded_and_the_same_one_is_not() {
    let mut machine = standing("confirm off");
    assert_eq!(machine.run("confirm off"), "");
    let broker = books_of("CASH 99.00, A 1");
    let told = machine.must(Input::Confirm { broker: &broker, currency: read("USD") });
    expect![[r#"
        +0 quarantined: cash: 100.00 in the books, 99.00 at the broker, A: 0 in the books, 1 at the broker
    "#]]
    .assert_eq(&story::records(&told));
    let refused = machine.step(Input::Confirm { broker: &broker, currency: read("EUR") });
    assert_eq!(refused.unwrap_err().to_string(), "the broker's account is in EUR, the portfolio in USD");
}

#[test]
fn fixed_needs_the_units_of_before_to_the_last_one_and_takes_whatever_cash_there_is() {
    let stale = "open; begin; 0F1 submit acknowledged working a:1; wait 60; wait 600";
    let mut machine = standing(stale);
    let mut fixed = |broker: &str| {
        let broker = books_of(broker);
        let action = crate::decide::ResolveAction::Fixed { broker: &broker };
        let request = crate::decide::ResolveRequest { action, who: "ann".to_owned(), why: "sold it".to_owned() };
        let told = machine.step(Input::Resolve(request));
        told.map(|records| story::records(&records)).unwrap_or_else(|refusal| format!("no: {refusal}\n"))
    };
    expect![[r#"
        no: books and broker disagree: B: 0 in the books, 0.000000001 at the broker
        no: books and broker disagree: C: 0 in the books, 1 at the broker
        +660 resolved (Fixed) by ann: sold it; cash 73.50
    "#]].assert_eq(&(fixed("CASH 75.00, B 0.000000001") + &fixed("CASH 75.00, C 1") + &fixed("CASH 73.50")));
    assert_eq!(machine.state.books, books_of("CASH 73.50"));
}

#[test]
fn accepting_takes_units_and_cash_from_the_broker() {
    let mut machine = standing("confirm off");
    let broker = books_of("CASH 1.00, C 3");
    let action = crate::decide::ResolveAction::Accept { broker: &broker };
    machine.must(Input::Resolve(crate::decide::ResolveRequest { action, who: String::new(), why: String::new() }));
    assert_eq!((&machine.state.books, machine.state.standing.name()), (&broker, "active"));
}

#[test]
fn a_retry_gives_fresh_time_and_as_many_attempts_again_as_the_rules_allow() {
    let machine = Machine::of("CASH 200.00", "buy B 4 @ 25, buy C 1 @ 25");
    check(
        machine,
        "begin
         0F1 submit acknowledged filled a:4 & 1F1 submit refused
         0R1 submit refused; wait 5; 0R2 submit refused; wait 5; 0R3 submit refused
         ---
         later 5000
         retry
         0R4 submit refused
         wait 5
         0R5 submit acknowledged filled a:4
         settle",
        expect![[r#"
            later 5000
            retry
                +5010 retried by ann: looked; up to 6 attempts
                +5010 intended undo buys, 0R4 sell all 4 B +5015..+5075
            0R4 submit refused
                +5010 0R4 refused
                +5010 intended undo buys, 0R5 sell all 4 B +5015..+5075
            wait 5
            0R5 submit acknowledged filled a:4
                +5015 0R5 acknowledged
                +5015 0R5 filled 4 for 100.00
                +5015 0R5 ended filled
                +5015 settling as restored
            settle
                +5015 closed restored, cost 0.00, pause until +900; 1F1 (buy C) ended short: not tradable: no
            active
        "#]],
    );
}

#[test]
fn a_retry_never_goes_beyond_nine_attempts() {
    let rules = Rules { attempts: 5, ..rules() };
    let mut machine = Machine::under(rules, Stages::Together, "CASH 200.00", "buy B 4 @ 25, buy C 1 @ 25");
    machine.run("begin; 0F1 submit acknowledged filled a:4 & 1F1 submit refused");
    for attempt in 1..=5 {
        machine.run(&format!("0R{attempt} submit refused; wait 5"));
    }
    assert_eq!(machine.run("retry").split("; ").last(), Some("up to 9 attempts\n+25 intended undo buys, 0R6 sell all 4 B +30..+90\n"));
    for attempt in 6..=9 {
        machine.run(&format!("wait 5; 0R{attempt} submit refused"));
    }
    assert_eq!(machine.state.standing.name(), "stale");
    assert_eq!(machine.run("retry"), format!("no: {}\n", Refusal::NoAttemptsLeft));
    assert_eq!(Attempt::LAST.get(), 9);
}

#[test]
fn attempts_that_were_never_made_are_not_used_up() {
    // It went stale on the way forward: nine attempts were allowed, and none was made.
    let rules = Rules { attempts: 9, ..rules() };
    let machine = Machine::under(rules, Stages::Together, "CASH 200.00, A 2", "sell A 2 @ 50, buy B 4 @ 25");
    check(
        machine,
        "begin
         0F1 submit acknowledged filled a:2 & 1F1 submit refused
         ---
         later 60
         0R1 fill a:1
         0R1 fill b:3@9999999999
         retry",
        expect![[r#"
            later 60
            0R1 fill a:1
                +60 0R1 filled 1 for 50.00
                +60 0R1 cancel requested
            0R1 fill b:3@9999999999
                +60 0R1 filled 3 for 29999999997.00
                +60 0R1 ended filled
                +60 closed stale, cost 29999999947.00, 2 A too many; 1F1 (buy B) ended short: not tradable: no
            retry
                no: all 9 attempts are used up: accept the broker's positions, or restore them by hand
            stale
        "#]],
    );
}

#[test]
fn a_retry_asks_again_about_whatever_may_have_been_sent() {
    let machine = Machine::of("CASH 200.00, A 7", "sell A 2 @ 50, buy B 4 @ 25, buy C 4 @ 25");
    check(
        machine,
        "begin
         0F1 submit unknown & 2F1 submit acknowledged working a:1
         wait 60
         wait 540
         ---
         later 1000
         retry
         wait 70
         0F1 look absent & 0F1 look absent & 1F1 look absent & 1F1 look absent
         2F1 look found canceled a:1
         2R1 submit acknowledged filled a:1
         settle",
        expect![[r#"
            later 1000
            retry
                +1600 retried by ann: looked; up to 6 attempts
            wait 70
            0F1 look absent & 0F1 look absent & 1F1 look absent & 1F1 look absent
                +1670 0F1 not found
                +1670 0F1 not found
                +1670 1F1 not found
                +1670 1F1 not found
                +1670 0F1 assumed not executed
                +1670 1F1 assumed not executed
            2F1 look found canceled a:1
                +1670 2F1 ended canceled
                +1670 intended undo buys, 2R1 sell all 1 C +1670..+1730
            2R1 submit acknowledged filled a:1
                +1670 2R1 acknowledged
                +1670 2R1 filled 1 for 25.00
                +1670 2R1 ended filled
                +1670 settling as restored
            settle
                +1670 closed restored, cost 0.00, pause until +900; aborted by ann: looked
            active
        "#]],
    );
}

#[test]
fn a_retry_after_a_difference_compares_again() {
    let machine = Machine::of("CASH 100.00", "buy B 4 @ 25");
    check(
        machine,
        "begin; 0F1 submit acknowledged filled a:4; wait 120; settle off
         ---
         later 1000
         retry
         settle off
         settle",
        expect![[r#"
            later 1000
            retry
                +1120 retried by ann: looked; up to 6 attempts
            settle off
            settle
                +1120 closed completed, cost 100.00
            active
        "#]],
    );
}

#[test]
fn a_movement_is_recorded_once() {
    let machine = Machine::holding("CASH 100.00");
    check(
        machine,
        "deposit m1 0.01
         deposit m1 0.01
         deposit m1 0.02
         withdraw m1 0.01
         withdraw m2 100.02
         withdraw m2 100.01
         withdraw m2 100.01
         deposit m3 0.00
         deposit m3 -1.00
         withdraw m3 -1.00
         open
         deposit m1 0.01
         deposit m4 1.00",
        expect![[r#"
            deposit m1 0.01
                +0 Deposit m1 of 0.01
            deposit m1 0.01
            deposit m1 0.02
                no: the movement m1 was recorded before, with the amount 0.01
            withdraw m1 0.01
                no: the movement m1 was recorded before, with the amount 0.01
            withdraw m2 100.02
                no: 100.02 cannot be withdrawn: the portfolio has 100.01 in cash
            withdraw m2 100.01
                +0 Withdrawal m2 of 100.01
            withdraw m2 100.01
            deposit m3 0.00
                no: a movement of 0.00 is not possible: it must be above zero
            deposit m3 -1.00
                no: a movement of -1.00 is not possible: it must be above zero
            withdraw m3 -1.00
                no: a movement of -1.00 is not possible: it must be above zero
            open
                +0 opened, 1 legs
            deposit m1 0.01
            deposit m4 1.00
                no: the batch f13d8790-dfd3-535d-85ac-9dfa8cda7ef4 is open
            rebalancing, planned
        "#]],
    );
}

#[test]
fn a_movement_in_another_currency_is_refused() {
    let mut machine = Machine::holding("CASH 100.00");
    let input = Input::MoveCash {
        movement: read("m1"),
        kind: Movement::Deposit,
        amount: read("1.00"),
        currency: read("EUR"),
    };
    let refused = machine.step(input).unwrap_err();
    assert_eq!(refused.to_string(), "the movement is in EUR, the portfolio in USD");
}

#[test]
fn a_deposit_beyond_all_money_is_refused() {
    let mut machine = Machine::holding("CASH 9999999999999999.99");
    let told = machine.run("deposit m1 0.01");
    assert!(told.starts_with("no: adding 0.01 to 9999999999999999.99 leaves the range"), "{told}");
    assert_eq!(machine.state.books.cash, Money::MAX);
}

#[test]
fn a_change_to_the_same_is_no_change() {
    let mut machine = Machine::holding("CASH 100.00");
    assert_eq!(machine.run("change; change"), "+0 changed\n");
}

#[test]
fn a_batch_is_opened_for_a_plan_that_is_worthwhile_in_its_currency_with_one_to_nine_attempts() {
    let plan = plan_of("buy B 4 @ 25", Stages::Together);
    let open = |plan: &Plan, attempts| {
        let mut machine = Machine::holding("CASH 100.00");
        let rules = Rules { attempts, ..rules() };
        machine.step(Input::Open { store: StoreId::new(1), token: Token::new(7), plan, rules }).map(|_| machine.state)
    };
    let opened = |state: Portfolio| (state.token, state.batch.unwrap().token);
    for attempts in [1, 9] {
        assert_eq!(open(&plan, attempts).map(opened), Ok((Token::new(7), Token::new(7))));
    }
    for attempts in [0, 10, 255] {
        assert_eq!(open(&plan, attempts).unwrap_err(), Refusal::Attempts { attempts });
    }
    assert_eq!(open(&Plan { worthwhile: false, ..plan.clone() }, 3).unwrap_err(), Refusal::NothingToSend);
    let euros = open(&Plan { currency: read("EUR"), ..plan }, 3).unwrap_err();
    assert_eq!(euros.to_string(), "the plan is in EUR, the portfolio in USD");
}

#[test]
fn no_two_batches_have_the_same_id() {
    let mut machine = Machine::holding("CASH 100.00");
    let mut ids = Vec::new();
    for _ in 0..3 {
        machine.run("open");
        ids.push(machine.batch().id);
        assert_eq!(machine.batch().opened_at, OPENED);
        machine.run("abandon");
    }
    ids.dedup();
    assert_eq!(ids.len(), 3);
}
