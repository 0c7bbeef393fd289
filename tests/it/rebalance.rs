//! The simple cases: drift, one batch, the targets again; and nothing at all while there is nothing to do.

use crate::answers::slow;
use crate::world::{QUARTERS, Scene, THIRDS, World, batch_of, noon, p, shown};
use evenkeel_banchile::{Fault, Profile, Rule};
use evenkeel_domain::plan::Stages;
use evenkeel_domain::policy::Policy;
use evenkeel_domain::record::Outcome;
use evenkeel_domain::report::Trade;
use evenkeel_engine::{EngineError, Rebalanced, Settings};
use evenkeel_ports::Clock;
use std::time::Duration;

#[test]
fn simple_rebalance_keeps_the_distribution() {
    let world = World::drifted(Profile::ideal(), &THIRDS);
    let report = world.batch("growth");

    assert_eq!(report.outcome, Outcome::Completed);
    assert_eq!(report.drift.to_string(), "6.4520");
    assert_eq!(
        report.trades.iter().map(told).collect::<Vec<_>>(),
        ["sell 2222.11 META", "buy 1110.89 AAPL", "buy 1111.22 MSFT"]
    );
    assert_eq!(report.cost.to_string(), "0.00");
    world.assert_books_are_true("growth");
    assert!(world.wave(&[("META", "440")]).is_empty(), "inside its band again");
    let weights = world.run(world.engine.preview(&p("growth"))).unwrap().weights().unwrap();
    let after: Vec<_> = weights.iter().map(|row| format!("{} {}", row.target, row.before)).collect();
    assert_eq!(after, ["AAPL 33.3300", "META 33.3300", "MSFT 33.3400"]);
}

fn told(trade: &Trade) -> String {
    format!("{} {} {}", trade.side, trade.amount, trade.symbol)
}

#[test]
fn no_rebalance_while_stable() {
    let world = World::new(Profile::ideal());
    world.add_scene("growth", &THIRDS);
    assert!(world.wave(THIRDS.calm).is_empty());
    assert_eq!(shown(&world.rebalance("growth")), "in band");

    // 419 drifts by less than 5 % of its target.
    assert!(world.wave(&[("META", "419")]).is_empty());
    let before = world.state("growth");
    for _ in 0..3 {
        assert_eq!(shown(&world.rebalance("growth")), "in band");
    }
    assert_eq!(world.state("growth"), before, "nothing was written");
    assert!(world.desk.sent().is_empty());
    assert!(world.leases.holder(&p("growth")).is_none());
}

#[test]
fn a_portfolio_of_cash_alone_is_bought_into_its_targets() {
    let world = World::new(Profile::ideal());
    world.add("new", "100000.00", &[], THIRDS.targets, Policy::default());
    assert_eq!(world.wave(THIRDS.calm), [p("new")]);
    assert_eq!(shown(&world.rebalance("new")), "completed");
    world.assert_books_are_true("new");
    assert_eq!(world.truth("new").holdings().len(), 3);
    assert_eq!(shown(&world.rebalance("new")), "in band");
}

#[test]
fn preview_is_what_is_then_done() {
    for scene in [&THIRDS, &QUARTERS] {
        let world = World::drifted(Profile::ideal(), scene);
        let before = world.state("growth");
        let plan = world.run(world.engine.preview(&p("growth"))).unwrap();
        assert_eq!(world.state("growth"), before, "a preview writes nothing");
        assert!(world.desk.sent().is_empty() && world.leases.holder(&p("growth")).is_none());

        let report = world.batch("growth");
        let planned: Vec<_> =
            plan.legs.iter().map(|l| (l.terms.symbol, l.terms.side, l.terms.quantity, l.amount)).collect();
        let done: Vec<_> = report.trades.iter().map(|t| (t.symbol, t.side, t.quantity, t.amount)).collect();
        assert_eq!(done, planned);
        assert_eq!(report.drift, plan.assessment.drift);
    }
}

#[test]
fn all_legs_go_out_together_when_cash_pays_for_the_buys() {
    for (scene, stages, first) in [(&QUARTERS, Stages::Together, 3), (&THIRDS, Stages::SellsFirst, 1)] {
        let world = World::drifted(Profile::ideal(), scene);
        world.script([Rule::new(Fault::HoldAnswer).always()]);
        let mut rebalance = world.start("growth");
        world.drive_for(&mut rebalance, Duration::ZERO);
        assert_eq!(world.state("growth").batch.unwrap().opening.stages, stages);
        assert_eq!(world.desk.sent().len(), first);
        world.broker.clear_script();
        world.broker.release_held();
        assert_eq!(shown(&world.run(rebalance)), "completed");
        world.assert_books_are_true("growth");
    }
}

#[test]
fn it_is_not_judged_while_a_batch_is_open_and_again_afterwards() {
    let world = World::drifted(slow(), &THIRDS);
    let mut batch = world.start("growth");
    world.drive_for(&mut batch, Duration::from_secs(3));
    assert!(world.wave(&[("META", "600")]).is_empty());
    assert_eq!(world.engine.judge_now(&p("growth")), None);
    let preview = world.run(world.engine.preview(&p("growth"))).unwrap();
    assert!(preview.assessment.is_out_of_band(), "a preview can always be had");
    // It is completed as it was planned, and what has happened meanwhile is the business of the next one.
    assert_eq!(shown(&world.run(batch)), "completed");
    assert_eq!(world.wave(&[("META", "600")]), [p("growth")]);
    assert_eq!(shown(&world.rebalance("growth")), "completed");
    world.assert_books_are_true("growth");
}

#[test]
fn only_so_many_legs_are_under_way_at_once() {
    for (limit, waves) in [(1, 3), (2, 2), (3, 1), (16, 1)] {
        let settings = Settings { legs_at_once: limit, ..Settings::unlimited() };
        let world = World::drifted_with(Profile::ideal(), settings, &QUARTERS);
        world.script([Rule::new(Fault::HoldAnswer).always()]);
        let mut batch = world.start("growth");
        let mut released = Vec::new();
        while world.clock.poll_until(batch.as_mut(), world.clock.now()).is_none() {
            released.push(world.broker.held());
            world.broker.release_held();
        }
        assert_eq!(released.len(), waves, "{limit} at once: {released:?}");
        assert!(released.iter().all(|held| *held <= limit) && released.iter().sum::<usize>() == 3);
        world.assert_books_are_true("growth");
    }
}

const EIGHT: [&str; 8] = ["A", "B", "C", "D", "E", "F", "G", "H"];

/// Eight symbols to be bought with cash, so many legs at once.
fn eight(legs_at_once: usize) -> World {
    let world = World::with_settings(Profile::ideal(), Settings { legs_at_once, ..Settings::unlimited() });
    world.add("growth", "1000.00", &[], &EIGHT.map(|symbol| (symbol, "12.5")), Policy::default());
    assert_eq!(world.wave(&EIGHT.map(|symbol| (symbol, "10"))), [p("growth")]);
    world
}

#[test]
fn what_is_answered_at_once_makes_room_at_once() {
    for limit in [1, 2, 5, 8, 9] {
        let world = eight(limit);
        let report = world.batch("growth");
        assert_eq!((report.outcome, report.trades.len()), (Outcome::Completed, 8), "{limit} at once");
        assert_eq!(world.clock.now(), noon(), "and nothing is waited for");
    }
}

#[test]
fn an_answer_makes_room_for_one() {
    for limit in [1, 2, 3] {
        let world = eight(limit);
        // Every second answer is held back.
        world.script(EIGHT.iter().step_by(2).map(|symbol| Rule::new(Fault::HoldAnswer).symbol(p(symbol)).always()));
        let mut batch = world.start("growth");
        let mut released = 0;
        while world.clock.poll_until(batch.as_mut(), world.clock.now()).is_none() {
            assert!((1..=limit).contains(&world.broker.held()), "{limit} at once: {}", world.broker.held());
            released += world.broker.held();
            world.broker.release_held();
        }
        assert_eq!(released, 4, "{limit} at once");
        world.assert_books_are_true("growth");
    }
}

#[test]
fn rebalance_now_ignores_the_band() {
    let world = World::new(Profile::ideal());
    world.add_scene("growth", &QUARTERS);
    world.wave(QUARTERS.calm);
    // Two percent more: inside the band, and still three orders worth sending.
    assert!(world.wave(&[("META", "408")]).is_empty());
    let report = batch_of(world.run(world.engine.rebalance_now(&p("growth"))));
    assert_eq!((report.outcome, report.trades.len()), (Outcome::Completed, 3));
    world.assert_books_are_true("growth");
    let again = world.run(world.engine.rebalance_now(&p("growth")));
    assert_eq!(shown(&again), "not worthwhile");
}

#[test]
fn a_finding_that_is_not_worth_an_order_is_news_once() {
    let world = World::new(Profile::ideal());
    // 0.01 of cash is all there is, and no order may be worth less than 1.00.
    let targets: &[(&str, &str)] = &[("META", "100")];
    world.add("dust", "0.01", &[], targets, Policy::default());
    assert_eq!(world.wave(&[("META", "400")]), [p("dust")]);
    let news = |result| match result {
        Ok(Rebalanced::NotWorthwhile { news, plan }) => (news, plan.skipped.len()),
        other => panic!("{other:?}"),
    };
    assert_eq!(news(world.rebalance("dust")), (true, 1));
    assert_eq!(news(world.rebalance("dust")), (false, 1));
    assert_eq!(world.standing("dust"), "active");
}

#[test]
fn what_cannot_be_planned_is_a_typed_refusal() {
    let world = World::new(Profile::ideal());
    let nowhere = world.rebalance("nowhere");
    assert_eq!(nowhere, Err(EngineError::NoSuchPortfolio { portfolio: p("nowhere") }));

    world.add_scene("growth", &THIRDS);
    assert_eq!(shown(&world.rebalance("growth")), "no plan: there is no price for AAPL");
    let empty = Scene { cash: "0.00", holdings: &[], ..THIRDS };
    world.add_scene("empty", &empty);
    world.wave(THIRDS.calm);
    let nothing = "no plan: there is nothing to invest: the portfolio is worth 0, of which 0.00 are held back";
    assert_eq!(shown(&world.rebalance("empty")), nothing);
    assert_eq!(shown(&world.rebalance("growth")), "in band");
}
