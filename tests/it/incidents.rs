//! A market in which things happen: halts, prices that are missing or doubled, splits. Nothing is traded for a reason that is not there.

use crate::answers::slow;
use crate::world::{THIRDS, World, batch_of, noon, p, seconds, shown};
use evenkeel_banchile::Profile;
use evenkeel_domain::books::NoPrice;
use evenkeel_domain::plan::PlanError;
use evenkeel_domain::policy::Policy;
use evenkeel_domain::record::{Cause, Outcome};
use evenkeel_domain::valuation::ValuationError;
use evenkeel_domain::values::{PortfolioId, Price, Symbol};
use evenkeel_engine::{EngineError, Finding, Resolve, Settings};
use evenkeel_market::{
    Announcement, FakeMarket, Incident, IncidentChances, IncidentKind, Listing, Pace, Split, Volatility,
};
use std::collections::BTreeMap;

const SYMBOLS: [&str; 3] = ["AAPL", "META", "MSFT"];
const TARGETS: [(&str, &str); 3] = [("AAPL", "30"), ("META", "30"), ("MSFT", "40")];

fn market(seed: u64, volatility: Volatility) -> FakeMarket {
    let listing = |symbol| Listing { symbol: p(symbol), first: p("200"), volatility };
    FakeMarket::with_listings(seed, SYMBOLS.map(listing), Pace::Days).unwrap()
}

fn incident(wave: u64, symbol: &str, kind: IncidentKind) -> Incident {
    Incident { wave, symbol: p(symbol), kind }
}

fn split(numerator: u32, denominator: u32) -> IncidentKind {
    let [numerator, denominator] = [numerator, denominator].map(|number| number.try_into().unwrap());
    IncidentKind::Split { numerator, denominator }
}

/// What the broker does about an announcement, in the account of `growth`.
fn follow(world: &World, announcement: Announcement) {
    match announcement {
        Announcement::Halted { symbol } => world.broker.halt(symbol),
        Announcement::Resumed { symbol } => world.broker.resume(symbol),
        Announcement::Split(split) => split_units(world, split),
    }
}

fn split_units(world: &World, split: Split) {
    let before = world.truth("growth").units(split.symbol);
    let after = split.units_after(before).unwrap();
    match after.sub(before) {
        Ok(more) => world.broker.receive(&p("growth"), split.symbol, more).unwrap(),
        Err(_) => world.broker.deliver(&p("growth"), split.symbol, before.sub(after).unwrap()).unwrap(),
    }
}

/// The next wave, for the broker first; returns what the engine finds.
fn next_wave(world: &World, market: &mut FakeMarket) -> Vec<Finding> {
    let wave = market.next().unwrap();
    world.clock.advance_to(wave.at);
    market.announcements().iter().for_each(|told| follow(world, *told));
    world.broker.set_prices(wave.prices.iter().copied());
    world.engine.on_wave(wave.at, &wave.prices)
}

/// A portfolio that has bought its targets in the first wave of the market.
fn invested(market: &mut FakeMarket, settings: Settings) -> World {
    let world = World::with_settings(Profile::ideal(), settings);
    world.add("growth", "100000.00", &[], &TARGETS, Policy::default());
    assert_eq!(next_wave(&world, market), [Finding::OutOfBand { portfolio: p("growth") }]);
    assert_eq!(shown(&world.rebalance("growth")), "completed");
    world
}

fn quarantined_by(world: &World) -> Vec<String> {
    match world.rebalance("growth") {
        Err(EngineError::Quarantined { differences, .. }) => differences.iter().map(ToString::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn two_hundred_days_on_which_things_happen() {
    let chances = IncidentChances { halt: 60_000, missing: 100_000, doubled: 100_000, split: 5_000 };
    let mut market = market(31, Volatility::Wild).with_chances(chances);
    let world = World::new(Profile::ideal());
    world.add("growth", "100000.00", &[], &TARGETS, Policy::default());
    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..200 {
        let found = next_wave(&world, &mut market);
        let was_true = world.state("growth").books == world.truth("growth");
        let sent = world.desk.sent().len();
        let end = match found.as_slice() {
            [] => continue,
            [Finding::OutOfBand { .. }] => match world.rebalance("growth") {
                Err(EngineError::Quarantined { .. }) => {
                    assert_eq!((world.desk.sent().len(), was_true), (sent, false), "a difference is not traded away");
                    assert_eq!(world.resolve("growth", Resolve::Accept), Ok(None));
                    "quarantined".to_owned()
                }
                other => {
                    assert!(was_true, "it traded on books that were not true");
                    shown(&other)
                }
            },
            other => panic!("{other:?}"),
        };
        world.assert_books_are_true("growth");
        *ends.entry(end).or_default() += 1;
    }
    // A leg in a halted symbol is refused, and the others are taken back.
    assert_eq!(ends.keys().collect::<Vec<_>>(), ["completed", "quarantined", "restored"], "{ends:?}");
    assert!(ends.values().all(|count| *count >= 2), "{ends:?}");
}

#[test]
fn a_split_is_quarantined_never_traded_away() {
    // 150 units of META are bought in the first wave, at 200.
    for (kind, expected) in [
        (split(2, 1), "META: 150 in the books, 300 at the broker"),
        (split(3, 2), "META: 150 in the books, 225 at the broker"),
        (split(1, 10), "META: 150 in the books, 15 at the broker"),
    ] {
        let market = market(32, Volatility::Calm);
        let mut market = market.with_incidents([incident(1, "META", kind)]).unwrap();
        let world = invested(&mut market, Settings::unlimited());
        let sent = world.desk.sent().len();

        // The books see a drift that is none.
        assert_eq!(next_wave(&world, &mut market), [Finding::OutOfBand { portfolio: p("growth") }]);
        assert_eq!(quarantined_by(&world), [expected]);
        assert_eq!(world.standing("growth"), "quarantined");
        assert_eq!(world.run(world.engine.deliver_alerts()), Ok(1));
        // However often it is asked, and in waves to come.
        let now = world.run(world.engine.rebalance_now(&p("growth")));
        assert!(matches!(now, Err(EngineError::Quarantined { .. })), "{now:?}");
        assert_eq!(next_wave(&world, &mut market), []);
        assert_eq!(quarantined_by(&world), [expected]);

        // A person accepts the units of the broker, and with them the drift is gone.
        assert_eq!(world.resolve("growth", Resolve::Accept), Ok(None));
        world.assert_books_are_true("growth");
        assert_eq!(world.engine.judge_now(&p("growth")), None, "{expected}");
        assert_eq!(shown(&world.rebalance("growth")), "in band");
        assert_eq!(world.desk.sent().len(), sent, "{expected}");
    }
}

#[test]
fn a_split_of_what_is_only_targeted_is_no_difference() {
    let market = market(32, Volatility::Calm);
    let mut market = market.with_incidents([incident(0, "META", split(2, 1))]).unwrap();
    let world = invested(&mut market, Settings::unlimited());
    assert_eq!(world.truth("growth").units(p("META")), p("300"));
    world.assert_books_are_true("growth");
}

#[test]
fn a_split_in_the_middle_of_a_batch() {
    let world = World::drifted(slow(), &THIRDS);
    let mut batch = world.start("growth");
    world.drive_for(&mut batch, seconds(3));
    let sent = world.desk.sent();
    let [numerator, denominator] = [2, 1].map(|number: u32| number.try_into().unwrap());
    split_units(&world, Split { symbol: p("MSFT"), at: noon(), numerator, denominator });
    let report = batch_of(world.run(batch));
    assert_eq!(report.outcome, Outcome::Stale);
    assert!(matches!(report.cause, Some(Cause::Mismatch { .. })), "{:?}", report.cause);
    // What was decided goes on, no order is about the new units.
    assert!(world.desk.sent().iter().all(|order| order.request.id.batch == sent[0].request.id.batch));
    assert!(matches!(world.rebalance("growth"), Err(EngineError::Stale { .. })));
    assert_eq!(world.resolve("growth", Resolve::Accept), Ok(None));
    world.assert_books_are_true("growth");
}

#[test]
fn without_a_price_there_is_no_plan() {
    let mut market = market(33, Volatility::Calm)
        .with_incidents([incident(0, "MSFT", IncidentKind::Missing), incident(1, "MSFT", IncidentKind::Missing)])
        .unwrap();
    let world = World::new(Profile::ideal());
    world.add("growth", "100000.00", &[], &TARGETS, Policy::default());
    for _ in 0..2 {
        assert_eq!(next_wave(&world, &mut market), [], "not judged before every symbol has had a price");
        for result in [world.rebalance("growth"), world.run(world.engine.rebalance_now(&p("growth")))] {
            let Err(EngineError::Plan { portfolio, cause }) = result else { panic!("{result:?}") };
            assert_eq!(portfolio, p("growth"));
            let missing = NoPrice::Missing { symbol: p("MSFT") };
            assert_eq!(cause, PlanError::Valuation(ValuationError::NoPrice(missing)));
        }
    }
    assert!(world.desk.sent().is_empty());
    assert_eq!(next_wave(&world, &mut market), [Finding::OutOfBand { portfolio: p("growth") }]);
    assert_eq!(shown(&world.rebalance("growth")), "completed");
}

#[test]
fn in_a_halt_the_last_price_grows_old() {
    const DAY: u64 = 86_400;
    let halt = IncidentKind::Halt { waves: 3.try_into().unwrap() };
    let mut market = market(34, Volatility::Calm).with_incidents([incident(1, "META", halt)]).unwrap();
    let world = invested(&mut market, Settings { max_price_age: Some(seconds(DAY)), ..Settings::unlimited() });
    let sent = world.desk.sent().len();

    // A day is allowed; on the second there is no judgement and no plan.
    assert_eq!(next_wave(&world, &mut market), []);
    let age = seconds(2 * DAY);
    let why = ValuationError::NoPrice(NoPrice::Stale { symbol: p("META"), age, allowed: seconds(DAY) });
    let finding = Finding::NotJudged { portfolio: p("growth"), why: why.clone() };
    assert_eq!(next_wave(&world, &mut market), [finding]);
    let refused = world.run(world.engine.rebalance_now(&p("growth")));
    assert_eq!(refused, Err(EngineError::Plan { portfolio: p("growth"), cause: PlanError::Valuation(why) }));
    next_wave(&world, &mut market);
    assert_eq!(world.desk.sent().len(), sent);

    // It resumes, and is judged again.
    assert_eq!(next_wave(&world, &mut market), []);
    assert_eq!(shown(&world.rebalance("growth")), "in band");
}

#[test]
fn of_two_prices_in_one_wave_the_later_counts() {
    let found = |prices: &[(&str, &str)]| -> (World, Vec<PortfolioId>) {
        let world = World::new(Profile::ideal());
        world.add_scene("growth", &THIRDS);
        world.wave(THIRDS.calm);
        let prices: Vec<(Symbol, Price)> = prices.iter().map(|(symbol, price)| (p(symbol), p(price))).collect();
        world.broker.set_prices(prices.iter().copied());
        let found = world.engine.on_wave(noon(), &prices);
        (world, found.iter().map(|finding| finding.portfolio().clone()).collect())
    };
    // The portfolio is found once.
    let (world, out) = found(&[("META", "400"), ("META", "440")]);
    assert_eq!(out, [p("growth")]);
    assert_eq!(world.batch("growth").drift.to_string(), "6.4520");
    let (world, out) = found(&[("META", "440"), ("META", "400")]);
    assert_eq!(out, []);
    assert_eq!(shown(&world.rebalance("growth")), "in band");
}
