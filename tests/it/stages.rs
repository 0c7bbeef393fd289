//! Sells first, then the buys, sized down to what the sells brought: at a broker with latencies, fees, slippage and partial fills.

use crate::restore::costly;
use crate::world::{THIRDS, World, minutes, p, shown};
use evenkeel_banchile::{Chance, Fault, Profile, Rule};
use evenkeel_domain::order::{RefusalReason, Side};
use evenkeel_domain::policy::Policy;
use evenkeel_domain::record::{Event, Outcome, Stage};
use evenkeel_domain::values::Money;
use evenkeel_ports::Clock;

/// Like calm, and every order comes in parts.
fn choppy() -> Profile {
    Profile { partial_fills: Chance::ALWAYS, ..Profile::calm() }
}

#[test]
fn the_second_stage_is_intended_when_the_first_is_filled() {
    for profile in [Profile::ideal(), costly(), Profile::calm(), choppy()] {
        let name = profile.name.clone();
        let world = World::drifted(profile, &THIRDS);
        // What is held back must be built up first; that takes a batch of its own.
        assert_eq!(shown(&world.rebalance("growth")), "completed", "{name}");
        let intended = |record: &evenkeel_domain::record::Record| match &record.event {
            Event::Intended { stage, orders, .. } => {
                Some((*stage, orders.iter().map(|o| o.terms.side).collect::<Vec<_>>()))
            }
            _ => None,
        };
        let stages: Vec<_> = world.journal.records(&p("growth")).iter().filter_map(intended).collect();
        assert_eq!(stages, [(Stage::First, vec![Side::Sell]), (Stage::Second, vec![Side::Buy, Side::Buy])], "{name}");
        let sent = world.desk.sent();
        let bought_at = sent.iter().find(|s| s.request.terms.side == Side::Buy).unwrap().at;
        let truth = world.broker.ledger(&p("growth")).unwrap();
        let sold_at = truth
            .orders
            .iter()
            .filter(|o| o.request.terms.side == Side::Sell)
            .flat_map(|o| &o.fills)
            .map(|f| f.at)
            .max();
        assert!(sold_at.unwrap() <= bought_at, "{name}: the cash is there before it is spent");
        world.assert_books_are_true("growth");
    }
}

#[test]
fn the_buys_are_sized_to_what_was_booked() {
    // The sell brings less than was planned: META falls while the order is on its way, and falls on.
    for later in ["440", "420", "400", "200", "1"] {
        let world = World::drifted(Profile::ideal(), &THIRDS);
        let planned = world.run(world.engine.preview(&p("growth"))).unwrap();
        world.script([Rule::new(Fault::LateFill { delay: crate::world::seconds(20) }).side(Side::Sell)]);
        let mut batch = world.start("growth");
        world.drive_for(&mut batch, crate::world::seconds(10));
        world.broker.set_price(p("META"), p(later));
        let report = crate::world::batch_of(world.run(batch));
        assert_eq!(report.outcome, Outcome::Completed, "META at {later}");
        let proceeds = report.trades[0].amount;
        let spent = Money::sum(report.trades[1..].iter().map(|trade| trade.amount)).unwrap();
        assert!(spent <= proceeds, "{spent} of {proceeds}");
        assert_eq!(world.truth("growth").cash, proceeds.sub(spent).unwrap(), "the rest stays cash");
        world.assert_books_are_true("growth");
        for (leg, trade) in planned.legs.iter().zip(&report.trades) {
            assert!(trade.quantity <= leg.terms.quantity, "only downward");
        }
        let is_as_planned = report.trades.iter().zip(&planned.legs).all(|(t, l)| t.quantity == l.terms.quantity);
        assert_eq!(is_as_planned, later == "440");
    }
}

#[test]
fn buys_that_are_not_worth_an_order_any_more_are_dropped() {
    // The sell brings 0.01: nothing can be bought for it.
    let world = World::drifted(Profile::ideal(), &THIRDS);
    world.script([Rule::new(Fault::LateFill { delay: crate::world::seconds(20) }).side(Side::Sell)]);
    let mut batch = world.start("growth");
    world.drive_for(&mut batch, crate::world::seconds(10));
    world.broker.set_price(p("META"), p("0.001"));
    let report = crate::world::batch_of(world.run(batch));
    assert_eq!(report.outcome, Outcome::Completed, "every quantity last committed was filled");
    assert_eq!((report.trades.len(), report.skipped.len()), (1, 2));
    world.assert_books_are_true("growth");
}

#[test]
fn a_leg_that_fails_in_the_second_stage_undoes_the_first() {
    for profile in [costly(), Profile::calm(), choppy()] {
        let name = profile.name.clone();
        // With a reserve, so that what undoing costs is there.
        let world = World::new(profile);
        world.add("growth", "500.00", THIRDS.holdings, THIRDS.targets, Policy::default());
        world.wave(THIRDS.calm);
        world.wave(THIRDS.drifted);
        let before = world.truth("growth");
        world.script([Rule::new(Fault::Refuse(RefusalReason::Other)).symbol(p("MSFT")).side(Side::Buy)]);
        let report = world.batch("growth");
        assert_eq!(report.outcome, Outcome::Restored, "{name}: {:?}", report.cause);
        world.assert_restored("growth", &before);
        assert!(
            report.cost > Money::ZERO && report.cost >= report.fees,
            "{name}: {} of which {}",
            report.cost,
            report.fees
        );
        assert_eq!(report.cost, before.cash.sub(world.truth("growth").cash).unwrap());
    }
}

#[test]
fn years_of_calm() {
    // A market that goes up and down for a while; the reserve is never spent, and everything is always accounted for.
    let world = World::new(choppy());
    world.add("growth", "1000.00", THIRDS.holdings, THIRDS.targets, Policy::default());
    world.wave(THIRDS.calm);
    let mut batches = 0;
    for (n, percent) in [110_u64, 90, 107, 120, 80, 95, 130, 60, 100, 140].into_iter().cycle().take(60).enumerate() {
        let symbol = ["META", "AAPL", "MSFT"][n % 3];
        let price = format!("{}.{:02}", 4 * percent, n % 100);
        world.clock.advance(minutes(60));
        if !world.wave(&[(symbol, &price)]).is_empty() {
            let result = world.rebalance("growth");
            assert!(["completed", "not worthwhile"].contains(&shown(&result).as_str()), "{n}: {result:?}");
            batches += 1;
        }
        world.assert_books_are_true("growth");
        assert!(!world.truth("growth").cash.is_negative());
    }
    assert!(batches > 30, "{batches}");
    assert!(world.clock.now() > crate::world::noon());
}
