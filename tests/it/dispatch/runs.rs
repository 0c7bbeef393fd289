//! Several runs of one dispatcher: they share who is due, and nobody is rebalanced twice or left.

use super::selloff::{Crowd, STOCKS, crashed, stock};
use super::{Floor, said};
use crate::answers::slow;
use crate::world::{noon, p, seconds};
use evenkeel_banchile::Profile;
use evenkeel_conformance::suite::block_on;
use evenkeel_domain::record::Outcome;
use evenkeel_domain::values::{PortfolioId, Price, Symbol};
use evenkeel_engine::{Dispatched, Dispatcher, DispatcherSettings, Rebalanced};
use evenkeel_ports::Clock;
use futures_util::future::join3;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

const NAMES: [&str; 12] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];

/// Twelve who are out of band, at a broker that takes its time.
fn twelve(at_once: usize) -> Floor {
    let portfolios = NAMES.map(|name| (name, "META", "15"));
    let floor = Floor::new(slow(), &portfolios, at_once, 100);
    floor.wave(&[("META", "100")]);
    floor
}

#[test]
fn each_takes_its_share_of_the_places() {
    for at_once in [1, 2, 5, 12] {
        let floor = twelve(at_once);
        let (mut one, mut other, mut most) = (Vec::new(), Vec::new(), 0);
        let watch = async {
            for _ in 0..600 {
                floor.world.clock.sleep_until(floor.world.clock.now().plus(seconds(1))).await;
                most = most.max(floor.backlog().running);
            }
        };
        let runs = join3(
            floor.dispatcher.run_until_idle(|done| one.push(said(&done))),
            floor.dispatcher.run_until_idle(|done| other.push(said(&done))),
            watch,
        );
        floor.world.run(runs);
        assert_eq!(most, at_once, "never more, and as many as may be");
        // The first begins before there is a second, and takes all places; as they come free they are shared.
        assert!(at_once == 12 || one.len().min(other.len()) >= at_once / 2, "{one:?} {other:?}");
        let mut all = [one, other].concat();
        all.sort();
        assert_eq!(all, NAMES.map(|name| format!("{name}: completed")), "{at_once}");
    }
}

#[test]
fn the_places_of_a_run_that_ends_are_for_the_others() {
    let floor = twelve(4);
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
