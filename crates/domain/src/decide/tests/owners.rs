//! Table B: a batch that is begun, abandoned, aborted or taken over.

use super::check;
use crate::decide::{Decision, Input, Refusal, decide_all};
use crate::plan::Stages;
use crate::record::Record;
use crate::testing::machine::{FACTS, Machine, OPENED, plan_of, rules};
use crate::values::{StoreId, Timestamp, Token};
use expect_test::expect;

#[test]
fn a_batch_is_begun_once() {
    check(
        Machine::of("CASH 200.00", "buy B 4 @ 25"),
        "begin; begin; send; 0F1 submit refused; begin; send; abandon; settle; begin; send; abandon; abort; take-over",
        expect![[r#"
            begin
                +0 intended first, 0F1 buy 4 B +0..+60
            begin
                no: no batch is open that could be begun
            send
            0F1 submit refused
                +0 0F1 refused
                +0 unwinding: 0F1 (buy B) ended short: not tradable: no
                +0 settling as restored
            begin
                no: no batch is open that could be begun
            send
                no: no batch is open that could be sent
            abandon
                no: no batch is open that could be abandoned
            settle
                +0 closed restored, cost 0.00, pause until +900; 0F1 (buy B) ended short: not tradable: no
            begin
                no: no batch is open that could be begun
            send
                no: no batch is open that could be sent
            abandon
                no: no batch is open that could be abandoned
            abort
                no: no batch is open that could be aborted
            take-over
                no: no batch is open that could be taken over
            active
        "#]],
    );
}

#[test]
fn a_batch_that_was_not_begun_is_abandoned_by_its_owner_a_person_or_a_new_owner() {
    for command in ["abandon", "abort", "take-over"] {
        let expected = match command {
            "abandon" => expect![[r#"
                abandon
                    +0 closed abandoned, cost 0.00; given up before anything was sent: the engine is stopping
                active
            "#]],
            "abort" => expect![[r#"
                abort
                    +0 closed abandoned, cost 0.00; given up before anything was sent: aborted by ann: wrong targets
                active
            "#]],
            _ => expect![[r#"
                take-over
                    +0 taken over by successor with 2, quiet at +70
                    +0 closed abandoned, cost 0.00; given up before anything was sent: its owner was lost
                active
            "#]],
        };
        let machine = check(Machine::of("CASH 200.00", "buy B 4 @ 25"), command, expected);
        assert_eq!((machine.state.tally.abandoned, machine.state.restorations, machine.state.pause), (1, 0, None));
    }
}

#[test]
fn what_was_intended_and_not_sent_is_withdrawn_when_the_batch_is_abandoned() {
    let machine = check(
        Machine::of("CASH 200.00, A 10", "sell A 2 @ 50, buy B 4 @ 25"),
        "begin; abandon",
        expect![[r#"
            begin
                +0 intended first, 0F1 sell 2 A +0..+60, 1F1 buy 4 B +0..+60
            abandon
                +0 0F1 withdrawn
                +0 1F1 withdrawn
                +0 closed abandoned, cost 0.00; given up before anything was sent: the engine is stopping
            active
        "#]],
    );
    assert_eq!((machine.state.tally.abandoned, machine.state.restorations, machine.state.pause), (1, 0, None));
}

#[test]
fn what_may_have_been_sent_is_never_abandoned() {
    for sent in [
        "0F1 submit unknown",
        "0F1 submit acknowledged working",
        "0F1 submit not-sent", // Its next attempt is an intent, but its own time will come.
        "0F1 submit exists",
        "0F1 withheld",
        "abort",
        "take-over",
        "wait 60",
    ] {
        let mut machine = Machine::of("CASH 200.00, A 10", "sell A 2 @ 50, buy B 4 @ 25");
        machine.run("begin");
        assert!(!machine.run(sent).starts_with("no:"), "{sent}");
        assert_eq!(machine.run("abandon"), "no: no batch is open that could be abandoned\n", "{sent}");
        assert_eq!(machine.run("send"), "no: no batch is open that could be sent\n", "{sent}");
    }
}

/// What one commit brings is what two would have brought, and one of them that is not possible leaves nothing of the other.
#[test]
fn inputs_that_are_decided_together_are_decided_one_after_the_other() {
    let plan = plan_of("sell A 2 @ 50, buy B 4 @ 25", Stages::Together);
    let newest = crate::books::Prices::default();
    let open = Input::Open { store: StoreId::new(1), token: Token::new(1), plan: &plan, facts: FACTS, rules: rules() };
    let (begin, stop) = (Input::Begin { newest: &newest }, Input::Abandon { why: "stopping".to_owned() });
    let before = Machine::holding("CASH 200.00, A 10");
    for more in [vec![], vec![begin.clone()], vec![stop.clone()], vec![begin.clone(), stop]] {
        let inputs: Vec<Input<'_>> = [open.clone()].into_iter().chain(more).collect();
        let together = decide_all(&before.state, OPENED, inputs.iter().cloned());
        let mut machine = before.clone();
        let apart: Vec<Record> = inputs.into_iter().flat_map(|input| machine.must(input)).collect();
        assert_eq!(together, Ok(Decision { records: apart, after: Some(machine.state) }));
    }
    let twice = decide_all(&before.state, OPENED, [open.clone(), begin.clone(), begin, open]);
    assert_eq!(twice, Err(Refusal::NoBatch { wanted: "begun" }));
}

#[test]
fn an_aborted_batch_is_taken_back_and_cannot_be_aborted_again() {
    check(
        Machine::of("CASH 200.00, A 10", "sell A 2 @ 50, buy B 4 @ 25"),
        "begin
         0F1 submit acknowledged filled a:2 & 1F1 submit acknowledged working
         abort
         abort
         1F1 look found canceled
         abort
         0R1 submit acknowledged filled a:2
         abort
         settle",
        expect![[r#"
            begin
                +0 intended first, 0F1 sell 2 A +0..+60, 1F1 buy 4 B +0..+60
            0F1 submit acknowledged filled a:2 & 1F1 submit acknowledged working
                +0 0F1 filled 2 for 100.00
                +0 0F1 ended filled
                +0 1F1 acknowledged
            abort
                +0 unwinding: aborted by ann: wrong targets
                +0 1F1 cancel requested
            abort
                no: no batch is open that could be aborted
            1F1 look found canceled
                +0 1F1 ended canceled
                +0 intended undo sells, 0R1 buy 2 A +0..+60
            abort
                no: no batch is open that could be aborted
            0R1 submit acknowledged filled a:2
                +0 0R1 filled 2 for 100.00
                +0 0R1 ended filled
                +0 settling as restored
            abort
                no: no batch is open that could be aborted
            settle
                +0 closed restored, cost 0.00, pause until +900; aborted by ann: wrong targets
            active
        "#]],
    );
}

#[test]
fn a_young_batch_is_taken_over_and_finished() {
    check(
        Machine::of("CASH 200.00, A 10", "sell A 2 @ 50, buy B 4 @ 25"),
        "begin
         0F1 submit acknowledged working
         later 30
         take-over
         1F1 look found filled a:4 & 0F1 look found filled a:2
         take-over
         settle",
        expect![[r#"
            begin
                +0 intended first, 0F1 sell 2 A +0..+60, 1F1 buy 4 B +0..+60
            0F1 submit acknowledged working
                +0 0F1 acknowledged
            later 30
            take-over
                +30 taken over by successor with 2, quiet at +100
            1F1 look found filled a:4 & 0F1 look found filled a:2
                +30 1F1 filled 4 for 100.00
                +30 1F1 ended filled
                +30 0F1 filled 2 for 100.00
                +30 0F1 ended filled
                +30 settling as completed
            take-over
                +30 taken over by successor with 3, quiet at +100
            settle
                +30 closed completed, cost 0.00
            active
        "#]],
    );
}

#[test]
fn a_batch_that_is_too_old_is_unwound_when_it_is_taken_over() {
    check(
        Machine::of("CASH 200.00, A 10", "sell A 2 @ 50, buy B 4 @ 25"),
        "begin
         0F1 submit acknowledged working
         later 30.000000001
         take-over
         wait 70
         1F1 look absent
         1F1 look absent
         0F1 look found canceled",
        expect![[r#"
            begin
                +0 intended first, 0F1 sell 2 A +0..+60, 1F1 buy 4 B +0..+60
            0F1 submit acknowledged working
                +0 0F1 acknowledged
            later 30.000000001
            take-over
                +30.000000001 taken over by successor with 2, quiet at +100.000000001
                +30.000000001 unwinding: taken over 30 s after it was opened, too late to be finished
                +30.000000001 0F1 cancel requested
            wait 70
            1F1 look absent
                +100.000000001 1F1 not found
            1F1 look absent
                +100.000000001 1F1 not found
                +100.000000001 1F1 assumed not executed
            0F1 look found canceled
                +100.000000001 0F1 ended canceled
                +100.000000001 settling as restored
            rebalancing, settling as restored +100.000000001; 0F1 canceled; 1F1 assumed not executed
        "#]],
    );
}

#[test]
fn what_is_not_due_yet_cannot_have_been_sent_by_the_owner_that_was_lost() {
    check(
        Machine::of("CASH 200.00", "buy B 4 @ 25"),
        "begin; 0F1 submit not-sent; later 4.999999999; take-over; later 0.000000001; take-over",
        expect![[r#"
            begin
                +0 intended first, 0F1 buy 4 B +0..+60
            0F1 submit not-sent
                +0 0F1 not sent
                +0 intended first, 0F2 buy 4 B +5..+65
            later 4.999999999
            take-over
                +4.999999999 taken over by successor with 2, quiet at +74.999999999
            later 0.000000001
            take-over
                +5 taken over by successor with 3, quiet at +75
            rebalancing, forward first; 0F1 not sent; 0F2 in flight until +75
        "#]],
    );
}

/// A worker that has slept, or whose clock is behind, would trade at prices of the past.
#[test]
fn a_batch_is_not_opened_before_the_last_one_that_may_have_traded() {
    let plan = plan_of("buy B 4 @ 25", Stages::Together);
    let reopened = |first: &str, moved: i64| {
        let mut machine = Machine::of("CASH 200.00", "buy B 4 @ 25");
        machine.story(first);
        machine.now = Timestamp::from_nanos(OPENED.nanos() + moved);
        let (store, token, facts) = (StoreId::new(1), Token::new(2), FACTS);
        let opened = machine.step(Input::Open { store, token, plan: &plan, facts, rules: rules() });
        opened.map(|records| records.len())
    };
    let traded = "begin; 0F1 submit acknowledged filled a:4; settle";
    let earlier = Refusal::Earlier { at: Timestamp::from_nanos(OPENED.nanos() - 1), last: OPENED };
    assert_eq!(reopened(traded, -1), Err(earlier));
    // Closed later than it was opened: only the opening counts, for what is opened is decided at the prices of its time.
    assert_eq!(reopened(traded, 0), Ok(1));
    assert_eq!(reopened("abandon", -1), Ok(1), "nothing of it had been sent");
}
