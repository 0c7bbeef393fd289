//! A journal that fails, and questions that are not answered: nothing is ever sent whose intent is not in the journal.
//!
//! That it is so is checked at every order that passes, see `desk.rs`.

use crate::answers::slow;
use crate::faulty::CommitFault::{
    self, Conflict, Failed, Fenced, UnknownAndUnreadable, UnknownNotWritten, UnknownWritten,
};
use crate::faulty::FaultyJournal;
use crate::gate::{Gate, gated};
use crate::world::{QUARTERS, Scene, THIRDS, World, noon, p, seconds, shown};
use evenkeel_banchile::{Fault, Profile, Rule};
use evenkeel_domain::batch::Phase;
use evenkeel_domain::order::RefusalReason;
use evenkeel_engine::{Engine, EngineError, Ports};
use evenkeel_ports::Clock;
use std::sync::Arc;

/// A worker whose journal goes wrong at these commits, counted from the first of the batch.
fn worker(world: &World, faults: &[(usize, CommitFault)]) -> (Arc<Engine>, Arc<FaultyJournal>) {
    let journal = Arc::new(FaultyJournal::new(world.journal.clone()));
    for (n, fault) in faults {
        journal.at_commit(*n, *fault);
    }
    (world.worker_over("worker-x", Ports { journal: journal.clone(), ..world.ports() }), journal)
}

/// The commits of a batch, at most.
const COMMITS: usize = 12;

/// What a batch comes to with this fault at each of its commits in turn, and how it ends after a recovery if it does not.
fn at_every_commit(
    scene: &Scene,
    profile: &Profile,
    refused: bool,
    faults: &[CommitFault],
    check: impl Fn(&str, &World),
) {
    let mut met = 0;
    for n in 1..=COMMITS {
        let world = World::drifted(profile.clone(), scene);
        if refused {
            world.script([Rule::new(Fault::Refuse(RefusalReason::Other)).symbol(p("MSFT"))]);
        }
        let faults: Vec<_> = (n..).zip(faults.iter().copied()).collect();
        let (worker, journal) = worker(&world, &faults);
        let result = world.run(worker.rebalance(&p("growth")));
        if journal.commits() < n {
            break;
        }
        met += 1;
        check(&shown(&result), &world);
        recovered(&world);
    }
    assert!(met >= 2, "a fault at every commit: {met}");
}

/// Whoever comes next finds everything in order, or puts it in order.
fn recovered(world: &World) {
    world.broker.clear_script();
    world.clock.advance(seconds(60));
    let next = world.worker("worker-2");
    for one in world.run(next.recover()).unwrap() {
        assert!(one.result.is_ok(), "{one:?}");
    }
    let state = world.state("growth");
    assert_eq!((state.standing.name(), state.batch), ("active", None));
    world.assert_books_are_true("growth");
    let again = shown(&world.run(next.rebalance_now(&p("growth"))));
    assert!(["completed", "not worthwhile"].contains(&again.as_str()), "{again}");
    world.assert_books_are_true("growth");
}

fn everywhere(faults: &[CommitFault], check: impl Fn(&str, &World)) {
    for scene in [&QUARTERS, &THIRDS] {
        for profile in [Profile::ideal(), slow()] {
            for refused in [false, true] {
                at_every_commit(scene, &profile, refused, faults, &check);
            }
        }
    }
}

#[test]
fn a_commit_that_was_written_though_nobody_said_so() {
    everywhere(&[UnknownWritten], |result, world| {
        assert!(["completed", "restored"].contains(&result), "{result}");
        world.assert_books_are_true("growth");
    });
}

#[test]
fn a_commit_that_was_lost() {
    for faults in [
        &[UnknownNotWritten][..],
        &[Failed],
        &[Failed, Failed],
        &[Failed, UnknownNotWritten],
        &[UnknownNotWritten, UnknownWritten],
    ] {
        everywhere(faults, |result, world| {
            assert!(["completed", "restored"].contains(&result), "{faults:?}: {result}");
            world.assert_books_are_true("growth");
        });
    }
}

#[test]
fn a_commit_that_fails_again_and_again() {
    everywhere(&[Failed, Failed, Failed], |result, world| {
        assert_eq!(result, "writing the journal of growth: a scripted fault");
        assert_eq!(world.leases.holder(&p("growth")), None, "whoever comes next may try at once");
    });
}

#[test]
fn somebody_else_wrote() {
    for fault in [Conflict, Fenced] {
        everywhere(&[fault], |result, world| {
            assert_eq!(result, "the lease of growth was lost on the way");
            let holder = world.leases.holder(&p("growth"));
            assert!(holder.is_some(), "what is not its own any more it does not give back");
        });
    }
}

/// Each waits for the disk: one opens and intends the first stage; the answers of a stage come with what follows, the next stage or the end.
#[test]
fn a_batch_takes_as_few_commits_as_its_stages_allow() {
    for (scene, commits) in [(&QUARTERS, 2), (&THIRDS, 3)] {
        let world = World::drifted(Profile::ideal(), scene);
        let (worker, journal) = worker(&world, &[]);
        assert_eq!(shown(&world.run(worker.rebalance(&p("growth")))), "completed");
        assert_eq!(journal.commits(), commits);
    }
}

/// What was answered is written, though the broker does not say what it shows now.
#[test]
fn answers_wait_for_a_comparison_no_longer_than_a_poll() {
    let growth = p("growth");
    for n in 0.. {
        let world = World::drifted(Profile::ideal(), &QUARTERS);
        let gate = Gate::falling_at(n);
        let broker = gated(world.ports(), &gate).broker;
        let worker = world.worker_over("worker-x", Ports { broker, ..world.ports() });
        let mut batch = Box::pin(worker.rebalance(&growth));
        assert!(world.clock.poll_until(batch.as_mut(), noon().plus(seconds(2))).is_none(), "it was not asked");
        if world.desk.sent().len() < 3 || gate.fell_at().as_deref() != Some("before positions") {
            continue;
        }
        let state = world.state("growth");
        assert!(matches!(state.batch.as_ref().unwrap().phase, Phase::Settling { .. }), "the answers are written");
        assert_eq!(world.journal.records(&growth).last().unwrap().at, noon().plus(seconds(1)));
        gate.thaw();
        assert_eq!(shown(&world.run(batch)), "completed");
        return;
    }
}

#[test]
fn nothing_is_sent_before_its_intent_is_written() {
    // The first commit holds the opening and the intents of the first stage.
    for (faults, sent) in [
        (&[(1, Failed), (2, Failed), (3, Failed)][..], 0),
        (&[(1, Conflict)], 0),
        (&[(1, UnknownNotWritten), (2, UnknownNotWritten), (3, UnknownNotWritten)], 0),
        (&[(1, UnknownNotWritten)], 3),
        (&[(1, UnknownWritten)], 3),
    ] {
        let world = World::drifted(Profile::ideal(), &QUARTERS);
        let (worker, _) = worker(&world, faults);
        let result = world.run(worker.rebalance(&p("growth")));
        assert_eq!(world.desk.sent().len(), sent, "{faults:?}");
        assert_eq!(result.is_ok(), sent == 3, "{faults:?}: {result:?}");
        recovered(&world);
    }
}

#[test]
fn an_unknown_commit_that_cannot_be_read_back() {
    everywhere(&[UnknownAndUnreadable], |result, world| {
        let expected = "writing the journal of growth: a scripted fault; and it cannot be read back";
        assert_eq!(result, expected);
        assert_eq!(world.leases.holder(&p("growth")), None);
    });
    // Its intents are in the journal, and yet nothing of them was sent.
    let world = World::drifted(Profile::ideal(), &QUARTERS);
    let (worker, _) = worker(&world, &[(1, UnknownAndUnreadable)]);
    assert!(matches!(world.run(worker.rebalance(&p("growth"))), Err(EngineError::NotCommitted { .. })));
    assert_eq!(world.state("growth").batch.as_ref().unwrap().orders.len(), 3);
    assert!(world.desk.sent().is_empty());
    recovered(&world);
}

#[test]
fn a_journal_that_cannot_be_read() {
    let world = World::drifted(Profile::ideal(), &QUARTERS);
    let (worker, journal) = worker(&world, &[]);
    journal.fail_reads(1);
    let result = world.run(worker.rebalance(&p("growth")));
    assert!(matches!(&result, Err(error @ EngineError::Journal(_)) if error.is_temporary()), "{result:?}");
    assert_eq!(world.leases.holder(&p("growth")), None);
    journal.fail_reads(1);
    assert!(matches!(world.run(worker.recover()), Err(EngineError::Journal(_))));
    journal.fail_reads(1);
    assert!(matches!(world.run(worker.deliver_alerts()), Err(EngineError::Journal(_))));
    journal.fail_reads(1);
    assert!(matches!(world.run(worker.preview(&p("growth"))), Err(EngineError::Journal(_))));
    assert_eq!(shown(&world.run(worker.rebalance(&p("growth")))), "completed");
}

#[test]
fn a_broker_that_does_not_answer_questions() {
    // Before a batch: nothing is known, so nothing is done.
    let world = World::drifted(slow(), &QUARTERS);
    for failing in 1..=4 {
        world.broker.fail_queries(&p("growth"), 1).unwrap();
        let result = world.rebalance("growth");
        assert!(
            matches!(&result, Err(error @ EngineError::Broker { .. }) if error.is_temporary()),
            "{failing}: {result:?}"
        );
        assert!(world.desk.sent().is_empty());
    }
    // During a batch: it is asked again until it answers.
    let mut batch = world.start("growth");
    world.drive_for(&mut batch, seconds(2));
    world.broker.fail_queries(&p("growth"), 60).unwrap();
    world.drive_for(&mut batch, seconds(20));
    assert_eq!(world.standing("growth"), "rebalancing");
    world.broker.fail_queries(&p("growth"), 0).unwrap();
    assert_eq!(shown(&world.run(batch)), "completed");
    assert!(world.clock.now() <= noon().plus(seconds(25)));
    world.assert_books_are_true("growth");
}

#[test]
fn a_broker_that_is_silent_for_too_long() {
    // Ten minutes of patience for an order nobody knows of; then a person is asked.
    let world = World::drifted(slow(), &QUARTERS);
    world.script([Rule::new(Fault::LoseAnswer).symbol(p("MSFT")), Rule::new(Fault::QueryFails { times: 100_000 })]);
    assert_eq!(shown(&world.rebalance("growth")), "stale");
    world.broker.fail_queries(&p("growth"), 0).unwrap();
    let report = world.resolve("growth", evenkeel_engine::Resolve::Retry).unwrap().unwrap();
    assert_eq!(report.outcome.name(), "restored");
    world.assert_books_are_true("growth");
}
