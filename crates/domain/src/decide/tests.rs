//! The batch machine, tried edge by edge, story by story, state by state, and at random.
//!
//! | to see | look in |
//! |---|---|
//! | every state of an order against every report (table A) | [`orders`] |
//! | not sent, unknown, sent again: what is tried again and what is not | [`attempts`] |
//! | what becomes of an order at its deadline | [`deadlines`] |
//! | how a batch goes forward (table B) | [`forward`] |
//! | how it is begun, given up, aborted and taken over (table B) | [`owners`] |
//! | how what is open is ended, and what was executed is taken back (table B) | [`unwinding`], [`back`] |
//! | what was thought to be over and was not | [`revived`] |
//! | how it ends: pauses, comparisons, patience (table B) | [`closing`] |
//! | every standing of a portfolio against everything a person or a comparison may do (table C) | [`standings`] |
//! | what a person does with a portfolio that is blocked | [`resolving`] |
//! | fills that come after the end | [`late`] |
//! | small batches explored completely | [`explored`] |
//! | any plan, any broker, any order of events | [`properties`] |
//!
//! Stories are told by [`Machine::story`]: what happens, and below it what is recorded, with the seconds since the opening.

mod attempts;
mod back;
mod closing;
mod deadlines;
mod explored;
mod forward;
mod halting;
mod late;
mod lost;
mod orders;
mod owners;
mod properties;
mod resolving;
mod revived;
mod standings;
mod unwinding;

use crate::testing::machine::Machine;
use expect_test::Expect;

/// Tells what the text makes of the machine, and compares it with what is expected.
fn check(mut machine: Machine, text: &str, expected: Expect) -> Machine {
    expected.assert_eq(&machine.story(text));
    machine
}
