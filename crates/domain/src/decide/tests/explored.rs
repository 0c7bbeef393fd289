//! Small batches explored completely: every report a broker could give, at every step, in every order, with crashes, takeovers and
//! aborts between, until nothing new can happen.
//!
//! Every step is checked by the world it happens in (see [`crate::testing::machine::world`]): legal edges, units and cash, and that a batch
//! which ended well ended well at the broker. Here the graph as a whole is checked: no dead end, every end reached.

use crate::plan::Stages;
use crate::record::{Outcome, Rules};
use crate::testing::machine::world::{Action, Limits, World};
use crate::testing::machine::{Machine, plan_of, rules, secs};
use std::collections::{BTreeMap, HashMap, VecDeque};

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

const NO_LIMITS: Limits = Limits::NONE;

/// All that can become of one batch.
#[derive(Default)]
struct Graph {
    /// What each world is, by the number it was found with.
    ends: Vec<Option<&'static str>>,
    /// From, to, and whether it takes nothing but a broker that works.
    edges: Vec<(usize, usize, bool)>,
    steps: usize,
}

fn explore(legs: &str, stages: Stages, rules: Rules, limits: Limits) -> Graph {
    let mut machine = Machine::holding("CASH 200.00, A 10");
    machine.open(&plan_of(legs, stages), rules);
    let mut first = World::new(machine.state, machine.now, limits);
    first.hides = false;
    let mut graph = Graph { ends: vec![None], ..Graph::default() };
    let mut numbers = HashMap::from([(first.key(), 0)]);
    let mut queue = VecDeque::from([(0, first)]);
    while let Some((from, world)) = queue.pop_front() {
        graph.ends[from] = end(&world);
        if graph.ends[from] == Some("stale") {
            continue; // From here on it is a person's business.
        }
        for action in world.actions() {
            let mut next = world.clone();
            next.act(action);
            graph.steps += 1;
            let to = numbers.len();
            let to = *numbers.entry(next.key()).or_insert(to);
            if to == graph.ends.len() {
                graph.ends.push(None);
                queue.push_back((to, next));
            }
            graph.edges.push((from, to, action.is_kind()));
        }
    }
    graph
}

fn end(world: &World) -> Option<&'static str> {
    let closed = world.state.closed.last().filter(|_| world.state.batch.is_none());
    closed.and_then(|batch| batch.closing.as_ref()).map(|closing| closing.outcome.name())
}

impl Graph {
    /// How many worlds cannot get to an end, by the edges that `counts` lets through.
    fn lost(&self, counts: impl Fn(bool) -> bool) -> usize {
        let mut before: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (from, to, is_kind) in &self.edges {
            if counts(*is_kind) {
                before.entry(*to).or_default().push(*from);
            }
        }
        let mut found: Vec<bool> = self.ends.iter().map(Option::is_some).collect();
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

    fn ends_in(&self, outcome: Outcome) -> usize {
        self.ends.iter().filter(|end| **end == Some(outcome.name())).count()
    }
}

#[test]
fn probe() {
    for (legs, stages, limits, resend) in [
        ("buy B 2 @ 25", Stages::Together, NO_LIMITS, true),
        ("buy B 2 @ 25", Stages::Together, Limits { takeovers: 1, ..Limits::NONE }, true),
        ("buy B 2 @ 25", Stages::Together, Limits { zombies: 1, ..Limits::NONE }, true),
        ("buy B 2 @ 25", Stages::Together, Limits { aborts: 1, ..Limits::NONE }, true),
        ("buy B 2 @ 25", Stages::Together, Limits { mismatches: 1, ..Limits::NONE }, true),
        ("buy B 2 @ 25", Stages::Together, Limits { takeovers: 1, aborts: 1, zombies: 1, mismatches: 1 }, true),
        ("sell A 2 @ 50, buy B 2 @ 25", Stages::SellsFirst, NO_LIMITS, true),
        ("sell A 2 @ 50, buy B 2 @ 25", Stages::Together, NO_LIMITS, false),
    ] {
        let start = std::time::Instant::now();
        let graph = explore(legs, stages, Rules { resend, ..short_rules() }, limits);
        println!(
            "{legs} {limits:?} {resend}: {} states, {} steps, lost {} {}, c{} r{} a{} s{} {:?}",
            graph.ends.len(), graph.steps, graph.lost(|_| true), graph.lost(|kind| kind),
            graph.ends_in(Outcome::Completed), graph.ends_in(Outcome::Restored), graph.ends_in(Outcome::Abandoned), graph.ends_in(Outcome::Stale), start.elapsed()
        );
    }
}

#[test]
fn probe2() {
    for (legs, stages, attempts, patience) in [
        ("sell A 2 @ 50, buy B 2 @ 25", Stages::SellsFirst, 1, 3),
        ("sell A 2 @ 50, buy B 2 @ 25", Stages::SellsFirst, 1, 2),
        ("sell A 2 @ 50, buy B 2 @ 25", Stages::SellsFirst, 2, 2),
        ("sell A 2 @ 50, buy B 2 @ 25", Stages::Together, 1, 2),
    ] {
        let start = std::time::Instant::now();
        let graph = explore(legs, stages, Rules { attempts, patience: secs(patience), ..short_rules() }, Limits::NONE);
        println!(
            "{legs} {stages:?} {attempts} {patience}: {} states, {} steps, lost {} {}, c{} r{} a{} s{} {:?}",
            graph.ends.len(), graph.steps, graph.lost(|_| true), graph.lost(|kind| kind),
            graph.ends_in(Outcome::Completed), graph.ends_in(Outcome::Restored), graph.ends_in(Outcome::Abandoned), graph.ends_in(Outcome::Stale), start.elapsed()
        );
    }
}
