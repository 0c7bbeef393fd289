//! Properties over random plans and every pattern of leg outcomes: restored means exactly the units of before, completed means that all that
//! was committed was filled, and stale tells exactly what is off.

use crate::answers::slow;
use crate::gate::{Gate, gated, run_until_crash};
use crate::restore::costly;
use crate::world::{World, definition, p, seconds, shown, units};
use evenkeel_banchile::{Fault, Part, Profile, Rule};
use evenkeel_domain::alert::AlertKind;
use evenkeel_domain::books::Books;
use evenkeel_domain::order::{Attempt, Direction, NotSent, RefusalReason, Side};
use evenkeel_domain::policy::Policy;
use evenkeel_domain::portfolio::{Portfolio, Standing};
use evenkeel_domain::record::{Event, Outcome, Record};
use evenkeel_domain::report::BatchReport;
use evenkeel_domain::values::{Money, Percentage, Price, Quantity};
use evenkeel_engine::{Engine, EngineError, Rebalanced, Resolve, Settings};
use evenkeel_ports::Journal;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SYMBOLS: [&str; 5] = ["AAPL", "AMZN", "GOOGL", "META", "MSFT"];

/// What becomes of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Filled,
    Refused,
    NotSent,
    Rejected,
    /// So many percent are executed, then the broker cancels it.
    PartThenCanceled(u8),
    /// So many percent are executed, and it is canceled at its deadline.
    PartThenOpen(u8),
    LostAnswer,
    LostRequest,
    /// Executed so many seconds late.
    Late(u8),
    /// Executed so many seconds after its cancel took effect.
    LateAfterCancel(u8),
    Slow(u8),
    Doubled,
}

impl Fate {
    fn fault(self) -> Option<Fault> {
        let part = |percent| Part::Share(Percentage::from_units(i64::from(percent) * 10_000).unwrap());
        let delay = |secs| seconds(u64::from(secs));
        Some(match self {
            Self::Filled => return None,
            Self::Refused => Fault::Refuse(RefusalReason::NotTradable),
            Self::NotSent => Fault::NotSent(NotSent::Unreachable),
            Self::Rejected => Fault::RejectAfterAck,
            Self::PartThenCanceled(percent) => Fault::PartialThenCancel(part(percent)),
            Self::PartThenOpen(percent) => Fault::PartialThenWork(part(percent)),
            Self::LostAnswer => Fault::LoseAnswer,
            Self::LostRequest => Fault::LoseRequest,
            Self::Late(secs) => Fault::LateFill { delay: delay(secs) },
            Self::LateAfterCancel(secs) => Fault::LateFillAfterCancel { delay: delay(secs) },
            Self::Slow(secs) => Fault::Slow { delay: delay(secs) },
            Self::Doubled => Fault::DoubleAnswer,
        })
    }
}

fn fates() -> impl Strategy<Value = Fate> {
    prop_oneof![
        6 => Just(Fate::Filled),
        2 => Just(Fate::Refused),
        1 => Just(Fate::NotSent),
        1 => Just(Fate::Rejected),
        2 => (0..=100_u8).prop_map(Fate::PartThenCanceled),
        1 => (0..=100_u8).prop_map(Fate::PartThenOpen),
        1 => Just(Fate::LostAnswer),
        1 => Just(Fate::LostRequest),
        1 => (0..90_u8).prop_map(Fate::Late),
        1 => (0..9_u8).prop_map(Fate::LateAfterCancel),
        1 => (0..90_u8).prop_map(Fate::Slow),
        1 => Just(Fate::Doubled),
    ]
}

/// One symbol of a portfolio, and what becomes of its orders: forward, and the first three reversals.
#[derive(Debug, Clone)]
struct Line {
    price: Price,
    held: Quantity,
    share: u32,
    forward: Fate,
    reverse: [Fate; 3],
}

#[derive(Debug, Clone)]
struct Case {
    broker: &'static str,
    cash: Money,
    lines: Vec<Line>,
    legs_at_once: usize,
}

fn cases() -> impl Strategy<Value = Case> {
    let price = (1..=100_000_u64).prop_map(|cents| Price::from_nanos(cents * 10_000_000).unwrap());
    let held =
        prop_oneof![Just(0_u128), (1..1_000_u128).prop_map(|whole| whole * 1_000_000_000), 1..1_000_000_000_000_u128];
    let held = held.prop_map(|nanos| Quantity::from_nanos(nanos).unwrap());
    let line = (price, held, 0..=20_u32, fates(), [fates(), fates(), fates()])
        .prop_map(|(price, held, share, forward, reverse)| Line { price, held, share, forward, reverse });
    let cash = (0..=10_000_000_i64).prop_map(|cents| Money::from_cents(cents).unwrap());
    let broker = select(vec!["ideal", "slow", "costly"]);
    (broker, cash, prop::collection::vec(line, 1..=SYMBOLS.len()), select(vec![1, 2, 16]))
        .prop_map(|(broker, cash, lines, legs_at_once)| Case { broker, cash, lines, legs_at_once })
}

impl Case {
    fn profile(&self) -> Profile {
        match self.broker {
            "slow" => slow(),
            "costly" => costly(),
            _ => Profile::ideal(),
        }
    }

    fn world(&self) -> World {
        let settings = Settings { legs_at_once: self.legs_at_once, patience: seconds(300), ..Settings::default() };
        let world = World::with_settings(self.profile(), settings);
        let books = Books::new(self.cash, self.lines().map(|(symbol, line)| (p(symbol), line.held)));
        world.broker.open_account(&p("growth"), p("USD"), books.cash, books.holdings()).unwrap();
        let targets = self.targets();
        let targets: Vec<(&str, &str)> = targets.iter().map(|(target, weight)| (*target, weight.as_str())).collect();
        let definition = definition("growth", &targets, Policy::default());
        world.run(world.engine.add(&p("growth"), definition, books)).unwrap();
        world.wave_of(self.lines().map(|(symbol, line)| (p(symbol), line.price)).collect());
        world.script(self.rules());
        world
    }

    fn lines(&self) -> impl Iterator<Item = (&'static str, &Line)> {
        SYMBOLS.into_iter().zip(&self.lines)
    }

    /// Weights in proportion to the shares; a share of 0 is no target. The rest is for cash.
    fn targets(&self) -> Vec<(&'static str, String)> {
        let sum: u32 = self.lines.iter().map(|line| line.share).sum::<u32>() + 5;
        let mut rest = 100;
        let mut targets = Vec::new();
        for (symbol, line) in self.lines() {
            let weight = line.share * 100 / sum;
            rest -= weight;
            targets.extend((weight > 0).then(|| (symbol, weight.to_string())));
        }
        targets.push(("CASH", rest.to_string()));
        targets
    }

    fn rules(&self) -> Vec<Rule> {
        let mut rules = Vec::new();
        for (symbol, line) in self.lines() {
            let of = |fate: Fate, direction| fate.fault().map(|f| Rule::new(f).symbol(p(symbol)).direction(direction));
            rules.extend(of(line.forward, Direction::Forward));
            for (n, fate) in (1..).zip(line.reverse) {
                let rule = of(fate, Direction::Reverse);
                rules.extend(rule.map(|rule| rule.attempt(Attempt::new(n).unwrap())));
            }
        }
        rules
    }
}

/// What must hold for a batch that just closed.
fn check_closed(world: &World, engine: &Arc<Engine>, report: &BatchReport, before: &Books) {
    let state = world.state("growth");
    let batch = state.closed.last().unwrap();
    let truth = world.truth("growth");
    match report.outcome {
        Outcome::Completed => {
            let orders = world.broker.ledger(&p("growth")).unwrap().orders;
            for (id, order) in &batch.orders {
                let made = orders.iter().find(|made| made.request.id == *id);
                let filled = made.map_or(Quantity::ZERO, |made| made.filled());
                assert_eq!(filled, order.filled, "{id}");
                let retried = batch.last_attempt(id.leg, id.direction).is_some_and(|(last, _)| last != id);
                assert!(retried || filled == order.terms.quantity, "{id} was committed, and not filled");
            }
            world.assert_books_are_true("growth");
        }
        Outcome::Restored | Outcome::Abandoned => {
            world.assert_restored("growth", before);
            assert_eq!(report.cost, before.cash.sub(truth.cash).unwrap(), "what it cost is the cash that went");
        }
        Outcome::Stale => {
            assert_eq!(state.standing, Standing::Stale);
            let alerts = world.run(world.journal.pending_alerts(10)).unwrap();
            let stale = |r: &&Record| matches!(&r.event, Event::Closed(closing) if closing.outcome == Outcome::Stale);
            let times = world.journal.records(&p("growth")).iter().filter(stale).count();
            assert_eq!(alerts.iter().filter(|alert| alert.kind == AlertKind::Stale).count(), times, "told each time");
            // What executed late, after everything seemed over, is found by whoever resolves it.
            if state.books == truth {
                assert_eq!(units(&truth), units(&with_residual(before, report)), "the residual is exact");
            }
        }
    }
    assert_eq!(*engine.portfolio(&p("growth")).unwrap(), state, "live and replayed");
    assert_eq!(world.leases.holder(&p("growth")), None);
}

fn with_residual(before: &Books, report: &BatchReport) -> Books {
    let mut books = before.clone();
    for off in &report.residual {
        match off.side {
            Side::Buy => books.add_units(off.symbol, off.quantity).unwrap(),
            Side::Sell => books.remove_units(off.symbol, off.quantity).unwrap(),
        }
    }
    books
}

/// Whatever happened: a person can put it right, and the next rebalance works.
fn check_use(world: &World, engine: &Arc<Engine>, before: &Books) {
    world.broker.clear_script();
    if world.standing("growth") == "stale" {
        world.clock.advance(seconds(120));
        if let Ok(Some(report)) = world.run(engine.resolve(&p("growth"), Resolve::Retry, "ann", "once more")) {
            check_closed(world, engine, &report, before);
        }
    }
    for _ in 0..20 {
        match world.run(engine.rebalance_now(&p("growth"))) {
            Ok(Rebalanced::Batch(report)) => {
                // A late fill of the batch before can still come in between.
                if report.outcome == Outcome::Completed {
                    return world.assert_books_are_true("growth");
                }
            }
            Ok(Rebalanced::NotWorthwhile { .. }) | Err(EngineError::Plan { .. }) => {
                return world.assert_books_are_true("growth");
            }
            Err(EngineError::Stale { .. } | EngineError::Quarantined { .. }) => {
                let accepted = world.run(engine.resolve(&p("growth"), Resolve::Accept, "ann", "as it is"));
                assert_eq!(accepted, Ok(None));
            }
            Err(EngineError::OrdersOpen { .. }) => {}
            other => panic!("{other:?}"),
        }
        world.clock.advance(seconds(30));
    }
    panic!("it never comes to rest");
}

/// Runs so many cases, and tells how often they ended how: a property that never meets the hard part proves nothing.
fn explored<S: Strategy>(cases: u32, strategy: &S, check: impl Fn(S::Value) -> &'static str) -> Ends {
    let ends = Mutex::new(Ends::new());
    let usual = ProptestConfig::with_source_file(file!());
    let config = ProptestConfig { cases: usual.cases.max(cases), ..usual };
    let result = TestRunner::new(config).run(strategy, |case| {
        let end = check(case);
        *ends.lock().unwrap().entry(end).or_insert(0) += 1;
        Ok(())
    });
    let ends = ends.into_inner().unwrap();
    println!("{ends:?}");
    result.unwrap_or_else(|error| panic!("{error}"));
    ends
}

type Ends = BTreeMap<&'static str, u32>;

fn assert_met(ends: &Ends, wanted: &[(&str, u32)]) {
    for (end, at_least) in wanted {
        assert!(ends.get(end).is_some_and(|times| times >= at_least), "{end} was met too rarely: {ends:?}");
    }
}

#[test]
fn restored_means_exactly_the_units_of_before() {
    let ends = explored(1_000, &cases(), |case| {
        let world = case.world();
        let before = world.truth("growth");
        let end = match world.run(world.engine.rebalance_now(&p("growth"))) {
            Ok(Rebalanced::Batch(report)) => {
                check_closed(&world, &world.engine, &report, &before);
                let reversed = !report.reversals.is_empty();
                if reversed && report.outcome == Outcome::Restored { "traded back" } else { report.outcome.name() }
            }
            Ok(Rebalanced::NotWorthwhile { .. }) | Err(EngineError::Plan { .. }) => {
                assert_eq!(world.truth("growth"), before);
                "nothing"
            }
            other => panic!("{other:?}"),
        };
        check_use(&world, &world.engine, &before);
        end
    });
    assert_met(&ends, &[("completed", 100), ("restored", 20), ("traded back", 200), ("stale", 50)]);
}

/// Something that happens while a batch is under way, or instead of it.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    /// The worker ends at this point.
    Crash(u16),
    /// Prices of all symbols move by so many percent after so many seconds.
    Prices(u8, i8),
    /// A person aborts after so many seconds.
    Abort(u8),
    /// The engine is shut down after so many seconds.
    Stop(u8),
}

fn troubles() -> impl Strategy<Value = Trouble> {
    prop_oneof![
        4 => (0..300_u16).prop_map(Trouble::Crash),
        1 => (0..90_u8, -50..=50_i8).prop_map(|(after, percent)| Trouble::Prices(after, percent)),
        1 => (0..90_u8).prop_map(Trouble::Abort),
        1 => (0..90_u8).prop_map(Trouble::Stop),
    ]
}

/// Runs a rebalance into this trouble, and whatever is left open afterwards is recovered by another worker.
fn run_into(world: &World, case: &Case, trouble: Trouble) {
    let growth = p("growth");
    let after = |secs: u8| Duration::from_secs(u64::from(secs));
    let engine = world.engine.clone();
    let mut batch = Box::pin(async move { engine.rebalance_now(&p("growth")).await });
    let mut until = |secs| world.clock.poll_until(batch.as_mut(), crate::world::noon().plus(after(secs)));
    match trouble {
        Trouble::Crash(n) => {
            let gate = Gate::falling_at(usize::from(n));
            let worker = world.worker_over("worker-x", gated(world.ports(), &gate));
            let _done = run_until_crash(&world.clock, &gate, worker.rebalance_now(&growth));
        }
        Trouble::Prices(secs, percent) => {
            if until(secs).is_none() {
                let parts = u64::try_from(100 + i64::from(percent)).unwrap();
                let moved = |price: Price| Price::from_nanos(price.nanos() / 100 * parts).unwrap();
                world.wave_of(case.lines().map(|(symbol, line)| (p(symbol), moved(line.price))).collect());
                world.run(batch).unwrap_or_else(|error| panic!("{error}"));
            }
        }
        Trouble::Abort(secs) => {
            if until(secs).is_none() {
                assert_eq!(world.run(world.engine.abort(&growth, "ann", "no")), Ok(None));
                world.run(batch).unwrap_or_else(|error| panic!("{error}"));
            }
        }
        Trouble::Stop(secs) => {
            if until(secs).is_none() {
                let stop = world.engine.shut_down(seconds(5));
                let (batch, stopped) = world.run(futures_util::future::join(batch, stop));
                assert!(stopped.unfinished.is_empty());
                assert!(matches!(batch, Ok(_) | Err(EngineError::Stopping { .. })), "{}", shown(&batch));
            }
        }
    }
}

/// True if the broker executed what the journal does not know of: which it then must have done after the batch was closed.
fn executed_after_its_end(world: &World, state: &Portfolio) -> bool {
    let orders = world.broker.ledger(&p("growth")).unwrap().orders;
    let known = |id, fill| state.closed_batch(id).is_some_and(|batch| batch.orders[&id].fills.contains(fill));
    let unknown = orders.iter().flat_map(|order| order.fills.iter().filter(|fill| !known(order.request.id, &fill.id)));
    let unknown: Vec<_> = unknown.map(|fill| fill.at).collect();
    let closed_at = world.journal.records(&p("growth")).last().unwrap().at;
    assert!(unknown.iter().all(|at| *at > closed_at), "executed before the end, and not booked");
    !unknown.is_empty()
}

#[test]
fn whatever_happens_everything_is_accounted_for() {
    let ends = explored(1_000, &(cases(), troubles()), |(case, trouble)| {
        let world = case.world();
        let before = world.truth("growth");
        run_into(&world, &case, trouble);
        // The engine may have been stopped for good: others go on.
        let next = world.worker("worker-2");
        world.clock.advance(seconds(60));
        for one in world.run(next.recover()).unwrap() {
            assert!(one.result.is_ok(), "{one:?}");
        }
        let state = world.state("growth");
        assert_eq!(state.batch, None);
        let last = state.closed.last().and_then(|batch| BatchReport::of(batch).unwrap());
        let end = match last.map(|report| report.outcome) {
            Some(Outcome::Stale) => "stale",
            Some(_) if executed_after_its_end(&world, &state) => "executed late",
            Some(outcome @ (Outcome::Restored | Outcome::Abandoned)) => {
                world.assert_restored("growth", &before);
                outcome.name()
            }
            Some(Outcome::Completed) => {
                world.assert_books_are_true("growth");
                "completed"
            }
            None => {
                assert_eq!(world.truth("growth"), before);
                "nothing"
            }
        };
        check_use(&world, &next, &before);
        end
    });
    let wanted = [("completed", 50), ("restored", 200), ("stale", 50), ("abandoned", 2), ("executed late", 2)];
    assert_met(&ends, &wanted);
}
