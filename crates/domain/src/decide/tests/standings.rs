//! Table C: every standing of a portfolio against everything that a person, a comparison or a movement of cash may do.

use super::check;
use crate::decide::{Input, Refusal};
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
    ("remove", [NONE, "removed", OPEN, OPEN, STALE, "removed"]),
    ("deposit m1 1.00", [NONE, DEPOSITED, OPEN, OPEN, DEPOSITED, DEPOSITED]),
    ("withdraw m1 1.00", [NONE, WITHDRAWN, OPEN, OPEN, WITHDRAWN, WITHDRAWN]),
    ("confirm", [NONE, "-", OPEN, OPEN, "-", "released"]),
    ("confirm off", [NONE, QUARANTINED, OPEN, OPEN, "-", "-"]),
    ("open", [NONE, "opened, 1 legs", OPEN, OPEN, STALE, NOT_YET]),
    ("begin", [NO_BATCH, NO_BATCH, "intended first, 0F1 buy 4 B +0..+60", NO_BATCH, NO_BATCH, NO_BATCH]),
    ("accept", [NONE, ACTIVE, REBALANCING, REBALANCING, ACCEPTED, ACCEPTED]),
    ("accept off", [NONE, ACTIVE, REBALANCING, REBALANCING, ACCEPTED_OFF, ACCEPTED_OFF]),
    ("fixed", [NONE, ACTIVE, REBALANCING, REBALANCING, FIXED, NOT_STALE]),
    ("retry", [NONE, ACTIVE, REBALANCING, REBALANCING, RETRIED, NOT_STALE]),
];
const ACTIVE: &str = "no: the portfolio is active: there is nothing to resolve that way";
const REBALANCING: &str = "no: the portfolio is rebalancing: there is nothing to resolve that way";
const NOT_STALE: &str = "no: the portfolio is quarantined: there is nothing to resolve that way";
const STALE: &str = "no: the portfolio is stale: resolve it first";
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
            let told = match told.trim_end().split_once(' ') {
                None => "-".to_owned(),
                Some(("no:", why)) => format!("no: {why}"),
                Some((_time, record)) => record.to_owned(),
            };
            let batch = machine.state.batch.as_ref().map(|batch| format!("the batch {}", batch.id));
            let told = batch.map_or(told.clone(), |batch| told.replace(&batch, "the batch"));
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
    let told = machine.must(Input::Confirm { broker: &broker, currency: read("USD"), lost: &[] });
    expect![[r#"
        +0 quarantined: cash: 100.00 in the books, 99.00 at the broker, A: 0 in the books, 1 at the broker
    "#]]
    .assert_eq(&story::records(&told));
    let refused = machine.step(Input::Confirm { broker: &broker, currency: read("EUR"), lost: &[] });
    assert_eq!(refused.unwrap_err().to_string(), "the broker's account is in EUR, the portfolio in USD");
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
    let input =
        Input::MoveCash { movement: read("m1"), kind: Movement::Deposit, amount: read("1.00"), currency: read("EUR") };
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
        machine
            .step(Input::Open {
                store: StoreId::new(1),
                token: Token::new(7),
                plan,
                facts: crate::testing::machine::FACTS,
                rules,
            })
            .map(|_| machine.state)
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
