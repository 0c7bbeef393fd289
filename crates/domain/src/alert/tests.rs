//! What a person is told, word for word, and by which record.

use super::{Alert, alerts};
use crate::portfolio::Portfolio;
use crate::testing::machine::Machine;
use crate::testing::machine::story::shorten;
use expect_test::{Expect, expect};

/// Every alert of a machine that this text has run.
fn told(mut machine: Machine, text: &str) -> (Machine, Vec<Alert>) {
    machine.run(text);
    let alerts = alerts(&Portfolio::new(machine.state.id.clone()), &machine.journal);
    (machine, alerts)
}

fn check(machine: Machine, text: &str, expected: Expect) {
    let (_, alerts) = told(machine, text);
    let lines: String =
        alerts.iter().map(|alert| format!("{} {}: {}\n", alert.sequence, alert.kind, alert.text)).collect();
    expected.assert_eq(&shorten(&lines));
}

#[test]
fn a_stale_portfolio_with_what_is_off_and_what_is_unresolved() {
    check(
        Machine::of("CASH 200.00, A 7", "sell A 2 @ 50, buy B 4 @ 25"),
        "begin; 0F1 submit acknowledged filled a:2; 1F1 submit unknown; wait 600",
        expect![[r#"
            7 stale: stale: the outcome of 1 order(s) stayed unknown (2 A missing, 1F1 unresolved); resolve it: accept the broker's books, have the restoration tried again, or confirm that it was made by hand
        "#]],
    );
    check(
        Machine::of("CASH 200.00, A 7", "sell A 2 @ 50, buy B 4 @ 25"),
        "begin; 0F1 submit acknowledged filled a:2; 1F1 submit refused
         0R1 submit refused; wait 5; 0R2 submit refused; wait 5; 0R3 submit refused",
        expect![[r#"
            14 stale: stale: 1F1 (buy B) ended short: not tradable: no (2 A missing); resolve it: accept the broker's books, have the restoration tried again, or confirm that it was made by hand
        "#]],
    );
    check(
        Machine::of("CASH 200.00", "buy B 4 @ 25"),
        "begin; 0F1 submit acknowledged filled a:4; wait 120; settle off",
        expect![[r#"
            7 stale: stale: books and broker disagree after the batch: cash: 100.00 in the books, 100.01 at the broker; resolve it: accept the broker's books, have the restoration tried again, or confirm that it was made by hand
        "#]],
    );
}

#[test]
fn a_quarantine_with_every_difference_again_when_they_change() {
    check(
        Machine::holding("CASH 100.00"),
        "confirm off; confirm off; confirm",
        expect![[r#"
        2 quarantined: quarantined: cash: 100.00 in the books, 100.01 at the broker; no batch until books and broker agree
    "#]],
    );
}

#[test]
fn a_late_fill_and_nothing_else_for_the_quarantine_it_makes() {
    check(
        Machine::of("CASH 200.00, A 7", "sell A 2 @ 50, buy B 4 @ 25"),
        "begin; 0F1 submit unknown; 1F1 submit refused; wait 70; 0F1 look absent & 0F1 look absent; settle; 0F1 fill a:1.5@51",
        expect![[r#"
            12 late fill: late fill: sell 1.5 A at 51 after its batch was closed; booked
        "#]],
    );
}

#[test]
fn nothing_is_told_of_a_batch_that_ends_well() {
    for text in [
        "abandon",
        "begin; 0F1 submit acknowledged filled a:4; settle",
        "begin; 0F1 submit acknowledged canceled a:1; 0R1 submit acknowledged filled a:1; settle",
    ] {
        assert_eq!(told(Machine::of("CASH 200.00", "buy B 4 @ 25"), text).1, []);
    }
}

#[test]
fn an_alert_names_the_portfolio_the_batch_and_the_record() {
    let mut machine = Machine::of("CASH 200.00", "buy B 4 @ 25");
    machine.run("begin; 0F1 submit unknown; later 600");
    let before = machine.state.clone();
    let batch = machine.batch().id;
    let records = machine.must(crate::decide::Input::Tick { hold: crate::decide::Hold::Nothing });
    let alerts = alerts(&before, &records);
    assert_eq!(alerts.len(), 1);
    assert_eq!((&alerts[0].portfolio, alerts[0].batch, alerts[0].at), (&before.id, Some(batch), machine.now));
    assert_eq!(Ok(alerts[0].sequence), before.sequence.next());
    assert_eq!(machine.state.sequence, alerts[0].sequence);
}
