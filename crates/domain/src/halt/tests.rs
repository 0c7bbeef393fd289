//! Which records each halt forbids.

use super::{Halt, HaltMode, Scope};
use crate::testing::machine::Machine;
use crate::testing::read;
use crate::values::Timestamp;

/// The records of a whole life that a halt forbids, by kind.
fn check(scope: Scope, mode: HaltMode, expected: &[&str]) {
    let mut machine = Machine::of("CASH 200.00, A 10", "sell A 2 @ 50, buy B 4 @ 25");
    machine.run(
        "begin; 0F1 submit acknowledged filled a:2; 1F1 submit refused; 0R1 submit acknowledged filled b:2; settle",
    );
    let halt = Halt { scope, mode, who: "ann".to_owned(), why: "no".to_owned(), at: Timestamp::EPOCH };
    let portfolio = machine.state.id.clone();
    let forbidden = machine.journal.iter().filter(|record| halt.forbids(&portfolio, &record.event));
    assert_eq!(forbidden.map(|record| record.event.kind()).collect::<Vec<_>>(), expected, "{halt}");
}

#[test]
fn a_halt_forbids_openings_and_intents_and_with_unwind_lets_what_was_executed_go_back() {
    let all = ["opened", "intended", "intended"];
    for scope in [Scope::Everything, Scope::Portfolio(read("growth")), Scope::Symbol(read("A"))] {
        check(scope.clone(), HaltMode::Freeze, &all);
        check(scope, HaltMode::Unwind, &all[..2]);
    }
}

#[test]
fn only_orders_of_the_symbol_are_concerned() {
    // B was refused, so nothing of it goes back.
    check(Scope::Symbol(read("B")), HaltMode::Freeze, &["opened", "intended"]);
}

#[test]
fn whatever_it_is_not_about_goes_on() {
    for scope in [Scope::Portfolio(read("income")), Scope::Symbol(read("C"))] {
        check(scope.clone(), HaltMode::Freeze, &[]);
        check(scope, HaltMode::Unwind, &[]);
    }
}

#[test]
fn it_reads_as_a_sentence() {
    let halt = Halt {
        scope: Scope::Symbol(read("META")),
        mode: HaltMode::Freeze,
        who: "ann".to_owned(),
        why: "the feed is wrong".to_owned(),
        at: Timestamp::EPOCH,
    };
    assert_eq!(
        halt.to_string(),
        "the symbol META was halted by ann at 1970-01-01T00:00:00Z (freeze): the feed is wrong"
    );
}
