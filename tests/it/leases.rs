//! One rebalance at a time: a thousand attempts, the lease given back whatever happens, and a lease taken over with an open batch behind it.

use crate::faulty::{CommitFault, FaultyJournal, FaultyLeases};
use crate::world::{QUARTERS, THIRDS, World, batch_of, minutes, p, seconds, shown};
use async_trait::async_trait;
use evenkeel_banchile::{Fault, Profile, Rule};
use evenkeel_domain::decide::Refusal;
use evenkeel_domain::order::{Direction, RefusalReason, Side};
use evenkeel_domain::record::{Cause, Event, Outcome, Record, UnwindCause};
use evenkeel_domain::values::{OwnerId, PortfolioId, Timestamp};
use evenkeel_engine::{EngineError, Ports, Rebalanced, Settings};
use evenkeel_memory::{ManualClock, MemoryLeases};
use evenkeel_ports::{AcquireError, Clock, EngineEvent, HoldError, Lease, LeaseStore, LeaseTerms, Observer};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::Duration;

type Attempt<'a> = BoxFuture<'a, Result<Rebalanced, EngineError>>;

#[test]
fn a_thousand_attempts_at_once_make_one_batch() {
    let world = World::drifted(Profile::ideal(), &THIRDS);
    world.script([Rule::new(Fault::HoldAnswer)]);
    let growth = p("growth");
    let mut attempts: Vec<Attempt<'_>> = (0..1_000).map(|_| world.engine.rebalance(&growth).boxed()).collect();

    // Ten threads, a hundred attempts each. Whoever comes first is held at the broker.
    let mut held = Vec::new();
    let mut refused = Vec::new();
    std::thread::scope(|scope| {
        let threads: Vec<_> = std::iter::from_fn(|| {
            let rest = attempts.len().saturating_sub(100);
            (!attempts.is_empty()).then(|| attempts.split_off(rest))
        })
        .map(|attempts| scope.spawn(|| attempts.into_iter().map(polled_once).collect::<Vec<_>>()))
        .collect();
        for (attempt, answer) in threads.into_iter().flat_map(|thread| thread.join().unwrap()) {
            match answer {
                Some(answer) => refused.push(answer),
                None => held.push(attempt),
            }
        }
    });
    assert_eq!((held.len(), refused.len(), world.broker.held()), (1, 999, 1));
    for answer in refused {
        let Err(EngineError::Busy { portfolio, holder, until }) = answer else { panic!("{answer:?}") };
        assert_eq!((portfolio, holder.as_str()), (p("growth"), "worker-1"));
        assert_eq!(until, world.clock.now().plus(seconds(60)));
    }
    assert_eq!(opened(&world.journal.records(&growth)), 1);

    assert_eq!(world.broker.release_held(), 1);
    let first = held.pop().unwrap();
    assert_eq!(shown(&world.run(first)), "completed");
    assert_eq!(opened(&world.journal.records(&growth)), 1, "exactly one batch");
    assert_eq!(world.desk.sent().len(), 3);
    world.assert_books_are_true("growth");
    assert_eq!(shown(&world.rebalance("growth")), "in band");
}

fn polled_once(mut attempt: Attempt<'_>) -> (Attempt<'_>, Option<Result<Rebalanced, EngineError>>) {
    let answer = attempt.poll_unpin(&mut Context::from_waker(Waker::noop()));
    (attempt, if let std::task::Poll::Ready(answer) = answer { Some(answer) } else { None })
}

fn opened(records: &[Record]) -> usize {
    records.iter().filter(|record| matches!(record.event, Event::Opened(_))).count()
}

#[test]
fn other_portfolios_are_not_kept_waiting() {
    let world = World::drifted(Profile::ideal(), &THIRDS);
    world.add_scene("other", &THIRDS);
    world.script([Rule::new(Fault::HoldAnswer).account(p("growth"))]);
    let growth: PortfolioId = p("growth");
    let mut held = world.engine.rebalance(&growth).boxed();
    assert!(poll_now(&world, &mut held).is_none());
    assert_eq!(shown(&world.rebalance("other")), "completed");
    world.broker.release_held();
    assert_eq!(shown(&world.run(held)), "completed");
}

/// Polls as far as it goes without moving time.
fn poll_now<F: Future + ?Sized + Unpin>(world: &World, future: &mut F) -> Option<F::Output> {
    world.clock.poll_until(Pin::new(future), world.clock.now())
}

#[test]
fn lock_released_after_completion() {
    for scene in [&THIRDS, &QUARTERS] {
        let world = World::drifted(Profile::ideal(), scene);
        assert_eq!(shown(&world.rebalance("growth")), "completed");
        assert_eq!(world.leases.holder(&p("growth")), None);
        assert_eq!(shown(&world.run(world.worker("worker-2").rebalance(&p("growth")))), "in band");
    }
}

#[test]
fn lock_released_after_failure() {
    let world = World::drifted(Profile::ideal(), &THIRDS);
    let growth: PortfolioId = p("growth");
    // Nothing is known of the account.
    world.broker.fail_queries(&p("growth"), 1).unwrap();
    assert!(matches!(world.rebalance("growth"), Err(EngineError::Broker { .. })));
    assert_eq!(world.leases.holder(&growth), None);
    // The account is blocked.
    world.broker.block(&p("growth"), true).unwrap();
    assert_eq!(world.rebalance("growth"), Err(EngineError::AccountBlocked { portfolio: p("growth") }));
    assert_eq!(world.leases.holder(&growth), None);
    world.broker.block(&p("growth"), false).unwrap();
    // A leg is refused.
    world.script([Rule::new(Fault::Refuse(RefusalReason::NotTradable)).side(Side::Buy)]);
    assert_eq!(shown(&world.rebalance("growth")), "restored");
    assert_eq!(world.leases.holder(&growth), None);
    // It is paused: refused, and free.
    assert!(matches!(world.rebalance("growth"), Err(EngineError::Paused { .. })));
    assert_eq!(world.leases.holder(&growth), None);
    assert_eq!(shown(&world.run(world.engine.rebalance_now(&growth))), "completed");
}

/// Panics when the n-th commit is observed, counted from 0; later ones leave it calm.
struct Nervous(Mutex<Option<usize>>);

impl Observer for Nervous {
    fn observe<'a>(&self, _at: Timestamp, event: &EngineEvent<'a>) {
        let panics = {
            let mut left = self.0.lock().unwrap();
            let counts = matches!(event, EngineEvent::Committed { .. });
            let now = counts && *left == Some(0);
            *left = if counts { left.and_then(|left| left.checked_sub(1)) } else { *left };
            now
        };
        assert!(!panics, "a nervous observer");
    }
}

#[test]
fn lock_released_after_a_workers_panic() {
    for (scene, commits) in [(&THIRDS, 3), (&QUARTERS, 2)] {
        let mut panics = 0;
        for n in 0.. {
            let world = World::drifted(Profile::ideal(), scene);
            let ports = Ports { observer: Arc::new(Nervous(Mutex::new(Some(n)))), ..world.ports() };
            let worker = world.worker_over("nervous", ports);
            let result = world.run(worker.rebalance(&p("growth")));
            if shown(&result) == "completed" {
                break;
            }
            assert!(matches!(result, Err(EngineError::Panicked { .. })), "{result:?}");
            assert_eq!(world.leases.holder(&p("growth")), None, "free at once");
            after_a_panic(&world);
            panics += 1;
        }
        assert_eq!(panics, commits, "a panic at every commit");
    }
}

/// The batch is open, and the next rebalance finishes it first; or it was over already.
fn after_a_panic(world: &World) {
    let state = world.state("growth");
    let open = state.batch.as_ref().map(|batch| batch.id);
    let next = world.run(world.worker("worker-2").rebalance(&p("growth")));
    let state = world.state("growth");
    if let Some(open) = open {
        let first = state.closed.first().unwrap();
        assert_eq!((first.id, first.closing.as_ref().unwrap().outcome), (open, Outcome::Completed));
    }
    assert_eq!(shown(&next), "in band");
    assert_eq!(world.standing("growth"), "active");
    world.assert_books_are_true("growth");
}

#[test]
fn lock_released_after_a_panic_in_an_adapter() {
    // A journal that panics before or after it wrote, at any commit.
    for fault in [CommitFault::PanicBefore, CommitFault::PanicAfter] {
        for n in 1..=2 {
            let world = World::drifted(Profile::ideal(), &QUARTERS);
            let journal = Arc::new(FaultyJournal::new(world.journal.clone()));
            journal.at_commit(n, fault);
            let worker = world.worker_over("worker-x", Ports { journal, ..world.ports() });
            let result = world.run(worker.rebalance(&p("growth")));
            assert!(matches!(result, Err(EngineError::Panicked { .. })), "{fault:?} at {n}: {result:?}");
            assert_eq!(world.leases.holder(&p("growth")), None);
            let next = world.run(world.worker("worker-2").rebalance(&p("growth")));
            assert!(["completed", "in band"].contains(&shown(&next).as_str()), "{fault:?} at {n}: {next:?}");
            assert_eq!(shown(&world.run(world.worker("worker-3").rebalance(&p("growth")))), "in band");
            world.assert_books_are_true("growth");
        }
    }
    // A call to the broker that panics says nothing about what was sent: it is asked about, and the batch goes on.
    let world = World::drifted(Profile::ideal(), &QUARTERS);
    world.script([Rule::new(Fault::Panic).times(2)]);
    assert_eq!(shown(&world.rebalance("growth")), "completed");
    world.assert_books_are_true("growth");
}

/// Settings under which a worker is given up so early that its batch is still young.
fn impatient() -> Settings {
    let lease = LeaseTerms { heartbeat: seconds(10), ..LeaseTerms::default() };
    Settings { lease, ..Settings::unlimited() }
}

#[test]
fn expired_lock_is_taken_over_and_what_is_open_is_finished_first() {
    for scene in [&THIRDS, &QUARTERS] {
        for frozen in [true, false] {
            let world = World::drifted_with(Profile::ideal(), impatient(), scene);
            let (mut first, before) = start_and_hold(&world);
            if !frozen {
                first = std::future::pending().boxed();
            }
            let second = world.worker("worker-2");
            assert!(matches!(world.run(second.rebalance(&p("growth"))), Err(EngineError::Busy { .. })));
            world.clock.advance(seconds(10));

            assert_eq!(
                shown(&world.run(second.rebalance(&p("growth")))),
                "in band",
                "the open batch was completed first"
            );
            let state = world.state("growth");
            assert!(state.token > before.token);
            assert_eq!(state.closed.len(), 1);
            assert_eq!(state.tally.completed, 1);
            world.assert_books_are_true("growth");
            if frozen {
                assert_late_writes_are_fenced(&world, &mut first);
            }
        }
    }
}

#[test]
fn an_old_batch_is_unwound_by_whoever_takes_it_over() {
    for scene in [&THIRDS, &QUARTERS] {
        let world = World::drifted(Profile::ideal(), scene);
        let (mut first, before) = start_and_hold(&world);
        world.clock.advance(seconds(60));

        let second = world.worker("worker-2");
        let until = before.batch.as_ref().unwrap().opened_at.plus(minutes(15));
        let paused = EngineError::Paused { portfolio: p("growth"), until };
        assert_eq!(world.run(second.rebalance(&p("growth"))), Err(paused), "restored, and left alone");
        let state = world.state("growth");
        let closing = state.closed[0].closing.as_ref().unwrap();
        assert_eq!(closing.outcome, Outcome::Restored);
        assert!(matches!(closing.cause, Some(Cause::Unwound(UnwindCause::TooOld { age })) if age == seconds(60)));
        world.assert_restored("growth", &before.batch.unwrap().before);
        assert_late_writes_are_fenced(&world, &mut first);
    }
}

/// Lets the first worker run until all that it sent is held at the broker, and freezes it there.
fn start_and_hold(world: &World) -> (Attempt<'_>, evenkeel_domain::portfolio::Portfolio) {
    world.script([Rule::new(Fault::HoldAnswer).always().direction(Direction::Forward)]);
    let engine = world.engine.clone();
    let mut first = async move { engine.rebalance(&p("growth")).await }.boxed();
    assert!(poll_now(world, &mut first).is_none());
    assert!(world.broker.held() > 0);
    world.broker.clear_script();
    (first, world.state("growth"))
}

/// The frozen worker wakes up, with its answers and the belief that it holds the lease.
fn assert_late_writes_are_fenced(world: &World, first: &mut Attempt<'_>) {
    let (before, sent) = (world.journal.records(&p("growth")), world.desk.sent().len());
    world.broker.release_held();
    let result = world.run(first);
    assert_eq!(result, Err(EngineError::LeaseLost { portfolio: p("growth") }));
    assert_eq!(world.journal.records(&p("growth")), before, "it wrote nothing");
    assert_eq!(world.desk.sent().len(), sent, "and sent nothing");
    assert_eq!(world.leases.holder(&p("growth")), None, "and gave nothing back that is not its own");
}

#[test]
fn a_batch_that_outlasts_its_lease_is_handed_on() {
    // What was executed can be taken back when the market opens, which is after the lease has expired.
    let world = World::drifted(Profile::ideal(), &QUARTERS);
    let before = world.truth("growth");
    let opens_at = world.clock.now().plus(minutes(7 * 60));
    world.script([
        Rule::new(Fault::Refuse(RefusalReason::NotTradable)).symbol(p("MSFT")),
        Rule::new(Fault::Refuse(RefusalReason::MarketClosed { opens_at })).direction(Direction::Reverse),
    ]);
    assert_eq!(world.rebalance("growth"), Err(EngineError::LeaseLost { portfolio: p("growth") }));
    assert_eq!(world.clock.now(), crate::world::noon().plus(minutes(6 * 60)), "the ceiling of a lease");
    assert_eq!(world.standing("growth"), "rebalancing");

    let recovered = world.run(world.worker("worker-2").recover()).unwrap();
    let report = recovered[0].result.clone().unwrap().unwrap();
    assert_eq!(report.outcome, Outcome::Restored);
    assert!(world.clock.now() >= opens_at);
    world.assert_restored("growth", &before);
}

#[test]
fn a_lease_store_that_cannot_be_asked() {
    let world = World::drifted(
        Profile { at_venue: evenkeel_banchile::Latency::exactly(seconds(30)), ..Profile::ideal() },
        &THIRDS,
    );
    let leases = Arc::new(FaultyLeases::new(world.leases.clone()));
    let worker = world.worker_over("worker-x", Ports { leases: leases.clone(), ..world.ports() });
    let growth: PortfolioId = p("growth");
    leases.set_down(true);
    let result = world.run(worker.rebalance(&growth));
    assert!(matches!(&result, Err(error @ EngineError::Leases { .. }) if error.is_temporary()), "{result:?}");
    assert_eq!(world.standing("growth"), "active");

    // It goes down in the middle of a batch, and comes back before the heartbeat is over: the batch is completed.
    leases.set_down(false);
    let mut batch = worker.rebalance(&growth).boxed();
    assert!(world.clock.poll_until(batch.as_mut(), world.clock.now().plus(seconds(5))).is_none());
    leases.set_down(true);
    assert!(world.clock.poll_until(batch.as_mut(), world.clock.now().plus(seconds(40))).is_none());
    leases.set_down(false);
    let report = batch_of(world.run(batch));
    assert_eq!(report.outcome, Outcome::Completed);
    world.assert_books_are_true("growth");
}

#[test]
fn a_lease_counts_from_when_it_was_asked_for() {
    // It is granted at noon, and the answer comes half a minute later. The first stage is filled after another 50 seconds: by then
    // the heartbeat has run out at the store, and the second stage is not for this worker to send.
    let at_venue = evenkeel_banchile::Latency::exactly(seconds(50));
    let world = World::drifted(Profile { at_venue, ..Profile::ideal() }, &THIRDS);
    let leases = FaultyLeases::answering_late(world.leases.clone(), world.clock.clone(), seconds(30));
    let leases = Arc::new(leases);
    let worker = world.worker_over("worker-x", Ports { leases: leases.clone(), ..world.ports() });
    let growth: PortfolioId = p("growth");
    let mut batch = worker.rebalance(&growth).boxed();
    assert!(world.clock.poll_until(batch.as_mut(), crate::world::noon().plus(seconds(29))).is_none());
    leases.set_down(true);
    assert_eq!(world.run(batch), Err(EngineError::LeaseLost { portfolio: growth.clone() }));
    assert_eq!(world.clock.now(), crate::world::noon().plus(seconds(60)));
    assert_eq!(world.desk.sent().len(), 1);

    leases.set_down(false);
    let recovered = world.run(world.worker("worker-2").recover()).unwrap();
    assert!(recovered[0].result.clone().unwrap().is_some());
    world.assert_books_are_true("growth");
}

#[test]
fn a_worker_that_cannot_renew_sends_nothing_more() {
    let world = World::drifted(
        Profile { at_venue: evenkeel_banchile::Latency::exactly(seconds(50)), ..Profile::ideal() },
        &THIRDS,
    );
    let leases = Arc::new(FaultyLeases::new(world.leases.clone()));
    let worker = world.worker_over("worker-x", Ports { leases: leases.clone(), ..world.ports() });
    let growth: PortfolioId = p("growth");
    let mut batch = worker.rebalance(&growth).boxed();
    assert!(world.clock.poll_until(batch.as_mut(), world.clock.now().plus(seconds(25))).is_none());
    // From here on it cannot renew. The first stage is filled after 50 seconds, and the second is sent; its heartbeat runs out at 80.
    leases.set_down(true);
    assert_eq!(world.run(batch), Err(EngineError::LeaseLost { portfolio: growth.clone() }));
    assert_eq!(world.clock.now(), crate::world::noon().plus(seconds(80)));
    assert_eq!(world.desk.sent().len(), 3);
    assert_eq!(world.standing("growth"), "rebalancing");

    leases.set_down(false);
    let recovered = world.run(world.worker("worker-2").recover()).unwrap();
    assert_eq!(recovered[0].result.clone().unwrap().unwrap().outcome, Outcome::Restored, "too old to be completed");
    world.assert_books_are_true("growth");
}

#[test]
fn what_becomes_due_when_the_lease_may_have_run_out_is_not_begun() {
    // Two legs at once: the heartbeat runs out at 80 seconds, the first request arrives at 85, which would make room for the third leg,
    // and the second at 100.
    let settings = Settings { legs_at_once: 2, order_deadline: minutes(10), ..Settings::default() };
    let world =
        World::drifted_with(Profile { timeout: minutes(5), ..Profile::ideal() }, settings, &crate::world::QUARTERS);
    let leases = Arc::new(FaultyLeases::new(world.leases.clone()));
    let worker = world.worker_over("worker-x", Ports { leases: leases.clone(), ..world.ports() });
    let slow = |secs| Rule::new(Fault::Slow { delay: seconds(secs) });
    world.script([slow(85).symbol(p("META")), slow(100).symbol(p("AAPL"))]);
    let growth: PortfolioId = p("growth");
    let mut batch = worker.rebalance(&growth).boxed();
    assert!(world.clock.poll_until(batch.as_mut(), world.clock.now().plus(seconds(25))).is_none());
    leases.set_down(true);
    assert_eq!(world.run(batch), Err(EngineError::LeaseLost { portfolio: growth.clone() }));
    assert_eq!(world.clock.now(), crate::world::noon().plus(seconds(100)));
    let sent: Vec<_> = world.desk.sent().iter().map(|sent| sent.request.terms.symbol.to_string()).collect();
    assert_eq!(sent, ["META", "AAPL"]);
}

#[test]
fn the_answer_to_what_was_sent_is_recorded_even_when_the_lease_may_have_run_out() {
    // The second stage is under way until 90 seconds, the heartbeat runs out at 80.
    let slow =
        Profile { at_venue: evenkeel_banchile::Latency::exactly(seconds(50)), timeout: minutes(2), ..Profile::ideal() };
    let world = World::drifted(slow, &THIRDS);
    let leases = Arc::new(FaultyLeases::new(world.leases.clone()));
    let worker = world.worker_over("worker-x", Ports { leases: leases.clone(), ..world.ports() });
    let growth: PortfolioId = p("growth");
    world.script([Rule::new(Fault::Slow { delay: seconds(40) }).side(Side::Buy).times(2)]);
    let mut batch = worker.rebalance(&growth).boxed();
    assert!(world.clock.poll_until(batch.as_mut(), world.clock.now().plus(seconds(25))).is_none());
    leases.set_down(true);
    assert_eq!(world.run(batch), Err(EngineError::LeaseLost { portfolio: growth }));
    let batch = world.state("growth").batch.unwrap();
    let states: Vec<_> = batch.orders.values().map(|order| order.state.name()).collect();
    assert_eq!(states, ["filled", "acknowledged", "acknowledged"]);
}

/// A lease store that grants and takes back as ours does, and answers every renewal like this.
struct Renewals {
    inner: Arc<MemoryLeases>,
    answer: fn(&Lease) -> Result<(), HoldError>,
}

#[async_trait]
impl LeaseStore for Renewals {
    async fn acquire(
        &self,
        portfolio: &PortfolioId,
        owner: &OwnerId,
        terms: LeaseTerms,
    ) -> Result<Lease, AcquireError> {
        self.inner.acquire(portfolio, owner, terms).await
    }

    async fn renew(&self, lease: &Lease) -> Result<(), HoldError> {
        (self.answer)(lease)
    }

    async fn release(&self, lease: &Lease) -> Result<(), HoldError> {
        self.inner.release(lease).await
    }
}

/// A worker waits for answers that do not come, while its renewals are answered like this: when it gives up, counted from the start.
fn gives_up_after(terms: LeaseTerms, answer: fn(&Lease) -> Result<(), HoldError>) -> Duration {
    let settings = Settings { lease: terms, ..Settings::unlimited() };
    let world = World::drifted_with(Profile::ideal(), settings, &QUARTERS);
    world.script([Rule::new(Fault::HoldAnswer).always()]);
    let leases = Arc::new(Renewals { inner: Arc::clone(&world.leases), answer });
    let worker = world.worker_over("worker-2", Ports { leases, ..world.ports() });
    let begun = world.clock.now();
    let result = world.run(worker.rebalance(&p("growth")));
    assert_eq!(result, Err(EngineError::LeaseLost { portfolio: p("growth") }));
    world.clock.now().since(begun)
}

#[test]
fn a_renewal_that_is_refused_stops_the_worker_at_once() {
    let refused = |lease: &Lease| {
        let Lease { portfolio, owner, token, .. } = lease.clone();
        Err(HoldError::NotHeld { portfolio, owner, token })
    };
    let terms = LeaseTerms { heartbeat: seconds(30), ..LeaseTerms::default() };
    assert_eq!(gives_up_after(terms, refused), seconds(10), "at the first renewal, a third into the heartbeat");
}

#[test]
fn a_heartbeat_that_is_shorter_than_the_pace_of_questions_is_kept() {
    let terms = LeaseTerms { heartbeat: Duration::from_millis(300), ..LeaseTerms::default() };
    let settings = Settings { lease: terms, ..Settings::unlimited() };
    assert!(settings.poll > terms.heartbeat);
    let world = World::drifted_with(Profile::ideal(), settings, &QUARTERS);
    world.script([Rule::new(Fault::Slow { delay: seconds(15) })]);
    let begun = world.clock.now();
    assert_eq!(world.batch("growth").outcome, Outcome::Completed);
    assert!(world.clock.now().since(begun) > 3 * terms.heartbeat, "it was renewed");
}

#[test]
fn a_lease_ends_at_its_ceiling_whatever_its_renewals_say() {
    let terms = LeaseTerms { heartbeat: seconds(20), expiry: seconds(40) };
    assert_eq!(gives_up_after(terms, |_| Ok(())), seconds(40));
}

/// A worker that slept longer than the others needed, and whose clock slept too.
#[test]
fn a_worker_whose_clock_is_behind_opens_no_batch() {
    let world = World::drifted(Profile::ideal(), &QUARTERS);
    assert_eq!(world.batch("growth").outcome, Outcome::Completed);
    let (records, sent) = (world.journal.records(&p("growth")), world.desk.sent().len());
    let behind = ManualClock::new(p("2024-01-02T11:59:59Z"));
    let worker = world.worker_over("worker-2", Ports { clock: Arc::new(behind.clone()), ..world.ports() });
    let refused = behind.run(worker.rebalance_now(&p("growth"))).unwrap().unwrap_err();
    let (at, last) = (behind.now(), world.clock.now());
    assert_eq!(refused, EngineError::Refused { portfolio: p("growth"), cause: Refusal::Earlier { at, last } });
    assert!(refused.is_temporary(), "its clock will have caught up");
    assert_eq!((world.journal.records(&p("growth")), world.desk.sent().len()), (records, sent));
    assert_eq!(world.leases.holder(&p("growth")), None);
}
