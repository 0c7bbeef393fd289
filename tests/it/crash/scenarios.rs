//! What the crashes happen in: a world, what is done there, and how it may end.

use crate::answers::slow;
use crate::restore::costly;
use crate::world::{QUARTERS, Scene, THIRDS, World, definition, minutes, p, seconds};
use evenkeel_banchile::{Fault, Part, Profile, Rule};
use evenkeel_domain::books::Books;
use evenkeel_domain::order::{Direction, NotSent, RefusalReason, Side};
use evenkeel_domain::policy::Policy;
use evenkeel_engine::{Engine, EngineError, Resolve, Settings};
use evenkeel_ports::{Clock, LeaseTerms};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join};
use std::sync::Arc;

/// What is done, and what the call came to that the scenario is about.
type Acted = BoxFuture<'static, Result<(), EngineError>>;

pub(super) struct Scenario {
    pub(super) name: &'static str,
    pub(super) world: fn(Settings) -> World,
    pub(super) act: fn(&World, Arc<Engine>) -> Acted,
    /// How it ends when nothing crashes.
    pub(super) normally: &'static str,
    /// How it may end when something does.
    pub(super) allowed: &'static [&'static str],
    /// So many points there are at least: a scenario that shrinks tells nothing.
    pub(super) at_least: usize,
}

const UNDONE: &[&str] = &["active", "abandoned", "restored"];
const DONE_OR_UNDONE: &[&str] = &["active", "abandoned", "restored", "completed"];
const ANY: &[&str] = &["active", "abandoned", "restored", "completed", "stale"];

fn scene(profile: Profile, settings: Settings, scene: &Scene, rules: impl IntoIterator<Item = Rule>) -> World {
    let world = World::drifted_with(profile, settings, scene);
    world.script(rules);
    world
}

fn refused(symbol: &str) -> Rule {
    Rule::new(Fault::Refuse(RefusalReason::NotTradable)).symbol(p(symbol))
}

fn msft(fault: Fault) -> Rule {
    Rule::new(fault).symbol(p("MSFT"))
}

fn half() -> Part {
    Part::Share(p("50"))
}

fn rebalance(_: &World, engine: Arc<Engine>) -> Acted {
    async move { engine.rebalance(&p("growth")).await.map(drop) }.boxed()
}

fn resolve(engine: Arc<Engine>, how: Resolve) -> Acted {
    async move { engine.resolve(&p("growth"), how, "ann", "looked at it").await.map(drop) }.boxed()
}

/// A stale portfolio: AAPL could not be sold again.
fn stale(settings: Settings) -> World {
    let reversal = refused("AAPL").direction(Direction::Reverse).always();
    let world = scene(costly(), settings, &QUARTERS, [refused("MSFT"), reversal]);
    assert_eq!(crate::world::shown(&world.rebalance("growth")), "stale");
    world.broker.clear_script();
    world
}

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "one stage",
        world: |settings| scene(Profile::ideal(), settings, &QUARTERS, []),
        act: rebalance,
        normally: "completed",
        allowed: DONE_OR_UNDONE,
        at_least: 35,
    },
    Scenario {
        name: "two stages",
        world: |settings| scene(Profile::ideal(), settings, &THIRDS, []),
        act: rebalance,
        normally: "completed",
        allowed: DONE_OR_UNDONE,
        at_least: 35,
    },
    Scenario {
        name: "calm, with costs",
        world: |settings| scene(Profile::calm(), settings, &THIRDS, []),
        act: rebalance,
        normally: "completed",
        // Without a reserve: what undoing costs is not there.
        allowed: ANY,
        at_least: 50,
    },
    Scenario {
        name: "calm, with a reserve",
        world: |settings| scene(Profile::calm(), settings, &Scene { cash: "500.00", ..THIRDS }, []),
        act: rebalance,
        normally: "completed",
        allowed: DONE_OR_UNDONE,
        at_least: 50,
    },
    Scenario {
        name: "a refused leg",
        world: |settings| scene(costly(), settings, &QUARTERS, [refused("MSFT")]),
        act: rebalance,
        normally: "restored",
        allowed: DONE_OR_UNDONE,
        at_least: 45,
    },
    Scenario {
        name: "a refused leg, two stages",
        world: |settings| scene(Profile::ideal(), settings, &THIRDS, [refused("MSFT")]),
        act: rebalance,
        normally: "restored",
        allowed: DONE_OR_UNDONE,
        at_least: 45,
    },
    Scenario {
        name: "a reversal tried three times",
        world: |settings| {
            let reversal = refused("AAPL").direction(Direction::Reverse).times(2);
            scene(Profile::ideal(), settings, &QUARTERS, [refused("MSFT"), reversal])
        },
        act: rebalance,
        normally: "restored",
        allowed: DONE_OR_UNDONE,
        at_least: 60,
    },
    Scenario {
        name: "executed in part",
        world: |settings| scene(Profile::ideal(), settings, &QUARTERS, [msft(Fault::PartialThenCancel(half()))]),
        act: rebalance,
        normally: "restored",
        allowed: DONE_OR_UNDONE,
        at_least: 45,
    },
    Scenario {
        name: "canceled at its deadline",
        world: |settings| scene(slow(), settings, &QUARTERS, [msft(Fault::PartialThenWork(half()))]),
        act: rebalance,
        normally: "restored",
        allowed: UNDONE,
        at_least: 100,
    },
    Scenario {
        name: "a lost answer",
        world: |settings| scene(slow(), settings, &QUARTERS, [msft(Fault::LoseAnswer)]),
        act: rebalance,
        normally: "completed",
        allowed: DONE_OR_UNDONE,
        at_least: 50,
    },
    Scenario {
        name: "a lost request",
        world: |settings| scene(slow(), settings, &THIRDS, [msft(Fault::LoseRequest)]),
        act: rebalance,
        normally: "completed",
        allowed: DONE_OR_UNDONE,
        at_least: 60,
    },
    Scenario {
        name: "not sent",
        world: |settings| scene(Profile::ideal(), settings, &QUARTERS, [msft(Fault::NotSent(NotSent::Unreachable))]),
        act: rebalance,
        normally: "completed",
        allowed: DONE_OR_UNDONE,
        at_least: 45,
    },
    Scenario {
        name: "a slow request",
        world: |settings| scene(slow(), settings, &QUARTERS, [msft(Fault::Slow { delay: seconds(15) })]),
        act: rebalance,
        normally: "completed",
        allowed: DONE_OR_UNDONE,
        at_least: 50,
    },
    Scenario {
        name: "a late fill in the batch",
        world: |settings| scene(slow(), settings, &QUARTERS, [msft(Fault::LateFillAfterCancel { delay: seconds(3) })]),
        act: rebalance,
        normally: "restored",
        allowed: DONE_OR_UNDONE,
        at_least: 100,
    },
    Scenario {
        name: "a late fill after the batch",
        world: |settings| {
            let world = scene(Profile { quiescence: seconds(70), ..slow() }, settings, &QUARTERS, []);
            world.script([msft(Fault::Slow { delay: minutes(10) })]);
            assert_eq!(crate::world::shown(&world.rebalance("growth")), "restored");
            world.clock.advance(minutes(15));
            world
        },
        act: rebalance,
        normally: "completed",
        allowed: &["active", "quarantined", "abandoned", "restored", "completed"],
        at_least: 50,
    },
    Scenario {
        name: "stale",
        world: |settings| {
            let reversal = refused("AAPL").direction(Direction::Reverse).always();
            scene(Profile::ideal(), settings, &QUARTERS, [refused("MSFT"), reversal])
        },
        act: rebalance,
        normally: "stale",
        allowed: ANY,
        at_least: 60,
    },
    Scenario {
        name: "stale, as an outcome stays unknown",
        world: |settings| {
            let stuck = [msft(Fault::Unmapped("moon".to_owned())), msft(Fault::LoseCancel)];
            scene(Profile::ideal(), Settings { patience: seconds(60), ..settings }, &QUARTERS, stuck)
        },
        act: rebalance,
        normally: "stale",
        allowed: ANY,
        at_least: 100,
    },
    Scenario {
        name: "resolve by trying again",
        world: stale,
        act: |_, engine| resolve(engine, Resolve::Retry),
        normally: "restored",
        allowed: &["stale", "restored"],
        at_least: 40,
    },
    Scenario {
        name: "resolve by accepting",
        world: stale,
        act: |_, engine| resolve(engine, Resolve::Accept),
        normally: "active",
        allowed: &["stale", "active"],
        at_least: 20,
    },
    Scenario {
        name: "resolved by hand",
        world: |settings| {
            let world = stale(settings);
            world.broker.deliver(&p("growth"), p("AAPL"), p("7.7040875")).unwrap();
            world
        },
        act: |_, engine| resolve(engine, Resolve::Fixed),
        normally: "active",
        allowed: &["stale", "active"],
        at_least: 20,
    },
    Scenario {
        name: "an alert delivered",
        world: stale,
        act: |_, engine| async move { engine.deliver_alerts().await.map(drop) }.boxed(),
        normally: "stale",
        allowed: &["stale"],
        at_least: 6,
    },
    Scenario {
        name: "a deposit",
        world: |settings| scene(Profile::ideal(), settings, &QUARTERS, []),
        act: |_, engine| async move { engine.deposit(&p("growth"), p("march"), p("10.00"), p("USD")).await }.boxed(),
        normally: "active",
        allowed: &["active"],
        at_least: 6,
    },
    Scenario {
        name: "aborted",
        world: |settings| scene(slow(), settings, &THIRDS, []),
        act: |world, engine| {
            let (clock, at) = (world.clock.clone(), world.clock.now().plus(seconds(9)));
            let abort = async move |engine: Arc<Engine>| {
                clock.sleep_until(at).await;
                drop(engine.abort(&p("growth"), "ann", "changed my mind").await);
            };
            async move { join(engine.rebalance(&p("growth")), abort(engine.clone())).await.0.map(drop) }.boxed()
        },
        normally: "restored",
        allowed: DONE_OR_UNDONE,
        at_least: 60,
    },
    Scenario {
        name: "shut down",
        world: |settings| scene(slow(), settings, &THIRDS, []),
        act: |world, engine| {
            let (clock, at) = (world.clock.clone(), world.clock.now().plus(seconds(8)));
            let stop = async move |engine: Arc<Engine>| {
                clock.sleep_until(at).await;
                drop(engine.shut_down(seconds(20)).await);
            };
            async move { join(engine.rebalance(&p("growth")), stop(engine.clone())).await.0.map(drop) }.boxed()
        },
        normally: "rebalancing",
        allowed: DONE_OR_UNDONE,
        at_least: 35,
    },
    Scenario {
        name: "another worker's batch",
        world: |settings| {
            // Young enough to be finished, whatever the settings say.
            let lease = LeaseTerms { heartbeat: seconds(10), ..settings.lease };
            let settings = Settings { lease, ..settings };
            let world = scene(slow(), settings, &THIRDS, [Rule::new(Fault::LoseAnswer).side(Side::Buy)]);
            let mut batch = world.start("growth");
            world.drive_for(&mut batch, seconds(9));
            drop(batch);
            world.clock.advance(world.engine.settings().lease.heartbeat);
            world
        },
        act: rebalance,
        normally: "completed",
        allowed: DONE_OR_UNDONE,
        at_least: 30,
    },
    Scenario {
        name: "changed",
        world: |settings| scene(Profile::ideal(), settings, &QUARTERS, []),
        act: |_, engine| {
            let to = definition("growth", THIRDS.targets, Policy::default());
            async move { engine.change(&p("growth"), to).await }.boxed()
        },
        normally: "active",
        allowed: &["active"],
        at_least: 6,
    },
    Scenario {
        name: "removed and added again",
        world: |settings| scene(Profile::ideal(), settings, &QUARTERS, []),
        act: |world, engine| {
            let (to, books) = (definition("growth", QUARTERS.targets, Policy::default()), world.truth("growth"));
            let books = Books::new(books.cash, books.holdings());
            async move {
                engine.remove(&p("growth")).await?;
                engine.add(&p("growth"), to, books).await
            }
            .boxed()
        },
        normally: "active",
        allowed: &["active", "absent"],
        at_least: 12,
    },
];
