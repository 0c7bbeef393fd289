//! Several runs of one dispatcher: they share who is due, and nobody is rebalanced twice or left.

use super::selloff::{Crowd, STOCKS, crashed, stock};
use super::{Floor, said};
use crate::answers::slow;
use crate::world::{minutes, noon, p, seconds};
use async_trait::async_trait;
use evenkeel_banchile::Profile;
use evenkeel_conformance::suite::block_on;
use evenkeel_domain::halt::{HaltMode, Scope};
use evenkeel_domain::record::Outcome;
use evenkeel_domain::values::{OwnerId, PortfolioId, Price, Symbol};
use evenkeel_engine::{Dispatched, Dispatcher, DispatcherSettings, Ports, Rebalanced};
use evenkeel_memory::{ManualClock, MemoryLeases};
use evenkeel_ports::{AcquireError, Clock, HoldError, Lease, LeaseStore, LeaseTerms};
use futures_util::future::{join, join3};
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};

const NAMES: [&str; 12] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];

/// Twelve who are out of band once META is at 100, at a broker that takes its time.
fn twelve(at_once: usize) -> Floor {
    Floor::new(slow(), &NAMES.map(|name| (name, "META", "15")), at_once, 100)
}

#[test]
fn each_takes_its_share_of_the_places() {
    for at_once in [1, 2, 5, 12] {
        let floor = twelve(at_once);
        let (mut one, mut other, mut most) = (Vec::new(), Vec::new(), 0);
        let feed = async {
            // Both runs wait by now.
            floor.wave(&[("META", "100")]);
            for _ in 0..600 {
                floor.world.clock.sleep_until(floor.world.clock.now().plus(seconds(1))).await;
                most = most.max(floor.backlog().running);
            }
            floor.world.engine.shut_down(seconds(30)).await
        };
        let runs = join3(
            floor.dispatcher.run(|done| one.push(said(&done))),
            floor.dispatcher.run(|done| other.push(said(&done))),
            feed,
        );
        floor.world.run(runs);
        assert_eq!(most, at_once, "never more, and as many as may be");
        assert!(at_once == 1 || one.len().min(other.len()) >= at_once / 2, "{one:?} {other:?}");
        let mut all = [one, other].concat();
        all.sort();
        assert_eq!(all, NAMES.map(|name| format!("{name}: completed")), "{at_once}");
    }
}

#[test]
fn the_places_of_a_run_that_ends_are_for_the_others() {
    let floor = twelve(4);
    floor.wave(&[("META", "100")]);
    let Floor { world, dispatcher } = &floor;
    let mut one = Box::pin(dispatcher.run(|_| {}));
    let mut other = Box::pin(dispatcher.run(|_| {}));
    let soon = world.clock.now().plus(seconds(1));
    assert_eq!(world.clock.poll_until(one.as_mut(), world.clock.now()), None);
    assert_eq!(floor.backlog().running, 4, "it is alone");
    assert_eq!(world.clock.poll_until(other.as_mut(), soon), None);
    assert_eq!(floor.backlog().running, 4);
    drop(one);
    assert_eq!(floor.backlog().running, 0);
    assert_eq!(world.clock.poll_until(other.as_mut(), soon), None);
    assert_eq!(floor.backlog().running, 4, "it is alone now");
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn who_waits_hears_that_another_run_has_gone() {
    let floor = twelve(4);
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut context = Context::from_waker(&waker);
    let mut one = Box::pin(floor.dispatcher.run(|_| {}));
    let mut other = Box::pin(floor.dispatcher.run(|_| {}));
    assert!(one.as_mut().poll(&mut context).is_pending() && other.as_mut().poll(&mut context).is_pending());
    floor.wave(&[("META", "100")]);
    assert!(other.as_mut().poll(&mut context).is_pending());
    assert_eq!(floor.backlog().running, 2, "the other half is for the one that was not asked yet");
    woken.0.store(false, Ordering::Relaxed);
    drop(one);
    assert!(woken.0.load(Ordering::Relaxed));
    assert!(other.as_mut().poll(&mut context).is_pending());
    assert_eq!(floor.backlog().running, 4);
}

#[test]
fn a_run_until_idle_waits_for_what_another_has_under_way() {
    let floor = Floor::new(slow(), &[("a", "META", "15")], 1, 100);
    floor.wave(&[("META", "100")]);
    let Floor { world, dispatcher } = &floor;
    let mut one = Box::pin(dispatcher.run(|_| {}));
    let mut other = Box::pin(dispatcher.run_until_idle(|_| {}));
    let start = world.clock.now();
    assert_eq!(world.clock.poll_until(one.as_mut(), start), None);
    assert_eq!(world.clock.poll_until(other.as_mut(), start), None);
    assert_eq!(floor.backlog().running, 1);
    assert_eq!(world.clock.poll_until(one.as_mut(), start.plus(minutes(10))), None);
    assert_eq!(floor.backlog().running, 0);
    assert_eq!(world.clock.poll_until(other.as_mut(), world.clock.now()), Some(()));
}

#[test]
fn what_comes_in_the_middle_of_a_round_is_judged_before_anything_is_waited_for() {
    let portfolios = [("a", "META", "15"), ("b", "META", "12"), ("c", "AAPL", "12")];
    let floor = Floor::new(Profile::ideal(), &portfolios, 3, 100);
    floor.wave(&[("META", "100"), ("AAPL", "84")]);
    let mut told = Vec::new();
    let run = floor.dispatcher.run_until_idle(|done| {
        told.push(said(&done));
        if told.len() == 1 {
            floor.wave(&[("AAPL", "100")]);
        }
    });
    floor.world.run(run);
    assert_eq!(told, ["a: completed", "b: completed", "c: completed"]);
}

#[test]
fn prices_that_are_given_while_the_last_is_told_are_judged() {
    for until_idle in [true, false] {
        let floor = Floor::new(slow(), &[("a", "META", "15"), ("c", "AAPL", "12")], 3, 100);
        floor.wave(&[("META", "100"), ("AAPL", "84")]);
        let mut told = Vec::new();
        let tell = |done| {
            told.push(said(&done));
            if told.len() == 1 {
                floor.wave(&[("AAPL", "100")]);
            }
        };
        if until_idle {
            floor.world.run(floor.dispatcher.run_until_idle(tell));
        } else {
            let stop = async {
                floor.world.clock.sleep_until(floor.world.clock.now().plus(minutes(10))).await;
                floor.world.engine.shut_down(seconds(30)).await
            };
            floor.world.run(join(floor.dispatcher.run(tell), stop));
        }
        assert_eq!(told, ["a: completed", "c: completed"], "{until_idle}");
        assert_eq!(floor.backlog().prices, 0);
    }
}

/// Leases that take two seconds to be given back.
struct SlowToRelease(Arc<MemoryLeases>, ManualClock);

#[async_trait]
impl LeaseStore for SlowToRelease {
    async fn acquire(&self, id: &PortfolioId, owner: &OwnerId, terms: LeaseTerms) -> Result<Lease, AcquireError> {
        self.0.acquire(id, owner, terms).await
    }

    async fn renew(&self, lease: &Lease) -> Result<(), HoldError> {
        self.0.renew(lease).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), HoldError> {
        self.1.sleep_until(self.1.now().plus(seconds(2))).await;
        self.0.release(lease).await
    }
}

/// A rebalance was refused because of the halt, and has not ended when that is taken back.
#[test]
fn a_halt_that_was_taken_back_holds_nobody_when_who_met_it_ends() {
    let Floor { world, .. } = Floor::ideal(&[("a", "META", "15"), ("b", "META", "12")]);
    let leases = Arc::new(SlowToRelease(Arc::clone(&world.leases), world.clock.clone()));
    let engine = world.worker_over("worker-2", Ports { leases, ..world.ports() });
    world.run(engine.load_all()).unwrap();
    let settings = DispatcherSettings { batches_at_once: NonZeroUsize::MIN, ..DispatcherSettings::default() };
    let dispatcher = Dispatcher::new(Arc::clone(&engine), settings);
    world.run(engine.halt(Scope::Everything, HaltMode::Freeze, "ann", "to see")).unwrap();
    let prices = [(p("META"), p("100"))];
    world.broker.set_prices(prices);
    dispatcher.wave(world.clock.now(), &prices);
    let mut told = Vec::new();
    let mut run = Box::pin(dispatcher.run(|done| told.push(said(&done))));
    let start = world.clock.now();
    assert_eq!(world.clock.poll_until(run.as_mut(), start.plus(seconds(1))), None);
    assert!(block_on(engine.release(Scope::Everything, "ann", "seen")).unwrap());
    assert_eq!(world.clock.poll_until(run.as_mut(), start.plus(seconds(20))), None);
    drop(run);
    assert_eq!(dispatcher.backlog().halt, None);
    assert!(told[0].starts_with("a: ") && told[0].contains("halt"), "{told:?}");
    assert_eq!(told[1..], ["a: completed", "b: completed"]);
}

/// On threads of their own, while waves come.
#[test]
fn threads_bring_everybody_back_once() {
    const PORTFOLIOS: usize = 2_000;
    let crowd = Crowd::new(PORTFOLIOS);
    let settings = DispatcherSettings {
        batches_at_once: NonZeroUsize::new(16).unwrap(),
        room: NonZeroUsize::new(PORTFOLIOS / 4).unwrap(),
        ..DispatcherSettings::default()
    };
    let dispatcher = Dispatcher::new(Arc::clone(&crowd.engine), settings);
    let wave = |prices: &[(Symbol, Price)]| {
        crowd.broker.set_prices(prices.iter().copied());
        dispatcher.wave(noon(), prices);
    };
    wave(&crashed());
    let completed = |times: &mut BTreeMap<PortfolioId, u32>, done| {
        let Dispatched::Ended { portfolio, result: Ok(Rebalanced::Batch(report)) } = done else { panic!("{done:?}") };
        assert_eq!(report.outcome, Outcome::Completed);
        *times.entry(portfolio).or_default() += 1;
    };
    let run = || {
        let mut times = BTreeMap::new();
        block_on(dispatcher.run_until_idle(|done| completed(&mut times, done)));
        times
    };
    let all: Vec<BTreeMap<PortfolioId, u32>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(run)).collect();
        for n in 0..50 {
            let moved = (0..STOCKS).map(|s| (stock(s), p(&format!("{}.0{}", 85 - 5 * s, n % 3))));
            wave(&moved.collect::<Vec<_>>());
            std::thread::yield_now();
        }
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let mut times = run();
    for (portfolio, more) in all.into_iter().flatten() {
        *times.entry(portfolio).or_default() += more;
    }
    assert!(times.values().all(|times| *times == 1), "{times:?}");
    assert_eq!(times.len(), PORTFOLIOS);
    assert!(crowd.ids.iter().all(|id| crowd.engine.judge_now(id).is_none()));
    let backlog = dispatcher.backlog();
    assert_eq!((backlog.waiting, backlog.running, backlog.resting, backlog.prices), (0, 0, 0, 0));
}
