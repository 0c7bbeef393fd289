//! Small batches explored completely: every report a broker could give, at every step, in every order, with crashes, takeovers and
//! aborts between, until nothing new can happen.
//!
//! Every step is checked by the world it happens in (see [`crate::testing::machine::world`]): legal edges, units and cash, something due in
//! every open state, and that a batch which ended well ended well at the broker. Here the graph as a whole is checked: from
//! everywhere a broker that works leads to an end, and every end is reached.

use crate::plan::Stages;
use crate::portfolio::{Standing, compare};
use crate::record::{Cause, Event, Rules, UnwindCause};
use crate::testing::machine::world::{Limits, World};
use crate::testing::machine::{Machine, plan_of, rules, secs};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// All that can become of one batch.
struct Graph {
    /// Whether nothing more needs to happen, by the number each world was found with.
    at_rest: Vec<bool>,
    /// From, to, and whether it takes nothing but a broker that works.
    edges: Vec<(usize, usize, bool)>,
    /// Every kind of record that was made, and what batches came to and why.
    seen: BTreeSet<String>,
}

fn explore(legs: &str, stages: Stages, rules: Rules, limits: Limits) -> Graph {
    let mut machine = Machine::holding("CASH 200.00, A 10");
    machine.open(&plan_of(legs, stages), rules);
    let first = World { hides: false, journal: None, ..World::new(machine, limits) };
    let mut graph = Graph { at_rest: vec![false], edges: Vec::new(), seen: BTreeSet::new() };
    let mut numbers = HashMap::from([(first.key(), 0)]);
    let mut queue = VecDeque::from([(0, first)]);
    while let Some((from, world)) = queue.pop_front() {
        graph.at_rest[from] = is_at_rest(&world);
        if world.state.standing == Standing::Stale {
            continue; // From here on it is a person's business.
        }
        for action in world.actions() {
            let mut next = world.clone();
            graph.seen.extend(next.act(action).iter().map(|record| name(&record.event)));
            let new = numbers.len();
            let to = *numbers.entry(next.key()).or_insert(new);
            if to == graph.at_rest.len() {
                graph.at_rest.push(false);
                queue.push_back((to, next));
            }
            graph.edges.push((from, to, action.is_kind()));
        }
    }
    graph
}

/// Closed, and nothing hidden any more; or a person must look.
fn is_at_rest(world: &World) -> bool {
    let agree = compare(&world.state.books, &world.broker()).is_empty();
    match world.state.standing {
        Standing::Stale => true,
        Standing::Quarantined { .. } => world.is_quiet() && world.is_off,
        Standing::Active => world.is_quiet() && agree,
        Standing::Absent | Standing::Rebalancing => false,
    }
}

fn name(event: &Event) -> String {
    match event {
        Event::Closed(closing) => match &closing.cause {
            Some(Cause::Unwound(_)) | None => closing.outcome.name().to_owned(),
            Some(Cause::Limited { .. }) => format!("{}, limited", closing.outcome.name()),
            Some(Cause::NeverSent { .. }) => format!("{}, never sent", closing.outcome.name()),
            Some(Cause::Unknown { .. }) => format!("{}, unknown", closing.outcome.name()),
            Some(Cause::Mismatch { .. }) => format!("{}, mismatch", closing.outcome.name()),
            Some(Cause::Unbookable { .. }) => format!("{}, unbookable", closing.outcome.name()),
            Some(Cause::JournalLacks { .. }) => format!("{}, journal lacks", closing.outcome.name()),
        },
        Event::Unwinding { cause } => match cause {
            UnwindCause::LegFailed { .. } => "unwinding, leg failed".to_owned(),
            UnwindCause::Overfilled { .. } => "unwinding, overfilled".to_owned(),
            UnwindCause::Lost { .. } => "unwinding, lost".to_owned(),
            UnwindCause::TooOld { .. } => "unwinding, too old".to_owned(),
            UnwindCause::Aborted { .. } => "unwinding, aborted".to_owned(),
            UnwindCause::Halted { .. } => "unwinding, halted".to_owned(),
            UnwindCause::LateFill => "unwinding, late fill".to_owned(),
            UnwindCause::Sizing { .. } => "unwinding, sizing".to_owned(),
        },
        other => other.kind().to_owned(),
    }
}

impl Graph {
    /// How many worlds cannot come to rest; with `kindly`, by nothing but a broker that works.
    fn lost(&self, kindly: bool) -> usize {
        let mut before: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (from, to, is_kind) in &self.edges {
            if !kindly || *is_kind {
                before.entry(*to).or_default().push(*from);
            }
        }
        let mut found = self.at_rest.clone();
        let mut queue: Vec<usize> = (0..found.len()).filter(|number| found[*number]).collect();
        while let Some(number) = queue.pop() {
            for from in before.get(&number).into_iter().flatten() {
                if !std::mem::replace(&mut found[*from], true) {
                    queue.push(*from);
                }
            }
        }
        found.iter().filter(|found| !**found).count()
    }
}

/// Short times, so that what lies between them is small, and two attempts.
fn short_rules() -> Rules {
    Rules {
        attempts: 2,
        delay: secs(1),
        order_deadline: secs(1),
        quiescence: secs(1),
        patience: secs(3),
        settle_within: secs(1),
        resume_max: secs(1),
        ..rules()
    }
}

/// Whatever broker and interruptions, these are always reached.
const ALWAYS: [&str; 18] = [
    "intended",
    "acknowledged",
    "filled",
    "ended",
    "refused",
    "not_sent",
    "unknown",
    "not_found",
    "assumed_not_executed",
    "cancel_requested",
    "unwinding, leg failed",
    "unwinding, lost",
    "settling",
    "completed",
    "restored",
    "abandoned, never sent",
    "stale",
    "stale, unknown",
];

/// Explores, and checks that there is no dead end, that nothing is missing of what should be reached, and that the search has not shrunk.
fn check(legs: &str, stages: Stages, rules: Rules, limits: Limits, also: &[&str], at_least: usize) {
    let graph = explore(legs, stages, rules, limits);
    let (states, steps) = (graph.at_rest.len(), graph.edges.len());
    println!("{legs}: {states} states, {steps} steps");
    assert_eq!(graph.lost(false), 0, "states that never come to rest");
    assert_eq!(graph.lost(true), 0, "states that a working broker does not bring to rest");
    let taken_over: &[&str] = if limits.takeovers > 0 { &["taken_over", "unwinding, too old"] } else { &[] };
    for name in ALWAYS.iter().chain(taken_over).chain(also) {
        assert!(graph.seen.contains(*name), "never reached: {name}, only {:?}", graph.seen);
    }
    assert!(states >= at_least, "only {states} states: {at_least} were expected");
}

const EVERYTHING: Limits = Limits { takeovers: 1, aborts: 1, zombies: 1, mismatches: 1 };
/// What only a frozen request, a person, and somebody else at the broker bring about.
const DISTURBED: [&str; 6] =
    ["unwinding, aborted", "withdrawn", "late_fill", "quarantined", "released", "stale, mismatch"];

#[test]
fn one_leg_where_duplicates_are_refused_with_every_disturbance() {
    let also = [&DISTURBED[..], &["resent"]].concat();
    check("buy B 2 @ 25", Stages::Together, short_rules(), EVERYTHING, &also, 4_500);
}

#[test]
fn one_leg_where_duplicates_are_not_refused_with_every_disturbance() {
    let rules = Rules { resend: false, ..short_rules() };
    check("buy B 2 @ 25", Stages::Together, rules, EVERYTHING, &DISTURBED, 3_500);
}

#[test]
fn two_legs_in_two_stages() {
    let also = ["resent"];
    check("sell A 2 @ 50, buy B 2 @ 25", Stages::SellsFirst, short_rules(), Limits::NONE, &also, 7_000);
}

#[test]
fn two_legs_in_two_stages_that_are_taken_over_and_aborted() {
    let limits = Limits { takeovers: 1, aborts: 1, ..Limits::NONE };
    let rules = Rules { attempts: 1, ..short_rules() };
    let also = ["unwinding, aborted", "resent"];
    check("sell A 2 @ 50, buy B 2 @ 25", Stages::SellsFirst, rules, limits, &also, 5_000);
}

#[test]
fn two_legs_at_once_that_are_taken_over_and_aborted() {
    let limits = Limits { takeovers: 1, aborts: 1, ..Limits::NONE };
    let rules = Rules { attempts: 1, ..short_rules() };
    let also = ["unwinding, aborted", "withdrawn", "resent"];
    check("sell A 2 @ 50, buy B 1 @ 25", Stages::Together, rules, limits, &also, 5_500);
}

#[test]
fn two_legs_in_two_stages_where_duplicates_are_not_refused() {
    let limits = Limits { takeovers: 1, ..Limits::NONE };
    let rules = Rules { attempts: 1, resend: false, ..short_rules() };
    check("sell A 2 @ 50, buy B 2 @ 25", Stages::SellsFirst, rules, limits, &[], 1_500);
}
