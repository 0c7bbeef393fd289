//! Prices that move a lot: 200 random changes, and extremes in both directions with the way back.

use crate::world::{THIRDS, World, p, seconds, shown};
use evenkeel_banchile::Profile;
use evenkeel_domain::books::NoPrice;
use evenkeel_domain::plan::PlanError;
use evenkeel_domain::policy::{Band, Measure, Policy};
use evenkeel_domain::valuation::ValuationError;
use evenkeel_domain::values::{PortfolioId, Price, Symbol, Timestamp};
use evenkeel_engine::{EngineError, Finding, Settings};
use evenkeel_market::{FakeMarket, Listing, Pace, Volatility};
use evenkeel_ports::Clock;

const SYMBOLS: [&str; 6] = ["AAPL", "AMZN", "GOOGL", "META", "MSFT", "NVDA"];

/// One portfolio for every measure.
fn measures() -> [(&'static str, Measure); 5] {
    let band = |width: &str| Band::new(p(width)).unwrap();
    [
        ("relative", Measure::Relative { band: band("5") }),
        ("absolute", Measure::Absolute { band: band("1") }),
        ("hybrid", Measure::Hybrid { relative: band("5"), absolute: band("0.5") }),
        ("tighter", Measure::Tighter { relative: band("25"), absolute: band("1") }),
        ("total", Measure::Total { band: band("2") }),
    ]
}

#[test]
fn two_hundred_random_price_changes() {
    let world = World::new(Profile::ideal());
    let targets =
        [("AAPL", "25"), ("AMZN", "20"), ("GOOGL", "10"), ("META", "25"), ("MSFT", "10"), ("NVDA", "5"), ("CASH", "5")];
    for (name, measure) in measures() {
        world.add(name, "100000.00", &[], &targets, Policy { measure, ..Policy::default() });
    }
    let listing = |symbol| Listing { symbol: p(symbol), first: p("200"), volatility: Volatility::Wild };
    let market = FakeMarket::with_listings(11, SYMBOLS.map(listing), Pace::Days).unwrap();
    let mut batches = 0;
    for wave in market.limited_to(201) {
        world.clock.advance_to(wave.at);
        for portfolio in world.wave_of(wave.prices.clone()) {
            assert_eq!(shown(&world.rebalance(portfolio.as_str())), "completed");
            batches += 1;
        }
        assert_eq!(world.wave_of(wave.prices), [] as [PortfolioId; 0], "in band after {}", wave.label);
        for (name, _) in measures() {
            world.assert_books_are_true(name);
            assert_adds_up(&world, name);
        }
    }
    assert!(batches > 250, "a market that moves: {batches} batches");
}

/// The targets come to 100 %, and so do the weights, but for their rounding to 0.0001 %.
fn assert_adds_up(world: &World, id: &str) {
    let state = world.engine.portfolio(&p(id)).unwrap();
    let targets = &state.definition.as_ref().unwrap().allocation;
    assert_eq!(targets.weights().map(|(_, weight)| weight.units()).sum::<i64>(), 1_000_000);
    let plan = world.run(world.engine.preview(&p(id))).unwrap();
    let weights: i64 = plan.weights().unwrap().iter().map(|row| row.before.units()).sum();
    assert!((weights - 1_000_000).abs() <= 4, "{id}: {weights}");
}

/// Each step sets one price; the rebalance then does what is said. `refused` is a maximum that is passed.
fn check_extremes(steps: &[(&str, &str, &str)]) {
    let world = World::new(Profile::ideal());
    world.add_scene("growth", &THIRDS);
    assert!(world.wave(THIRDS.calm).is_empty());
    for (symbol, price, expected) in steps {
        let symbol: Symbol = p(symbol);
        let price: Price = p(price);
        let prices = [(symbol, price)];
        world.wave_of(prices.to_vec());
        let found = world.engine.on_wave(world.clock.now(), &prices);
        let before = world.state("growth");
        let result = world.rebalance("growth");
        let told = if is_overflow(&result) { "refused".to_owned() } else { shown(&result) };
        assert_eq!(told, *expected, "{symbol} at {price}: {}", shown(&result));
        world.assert_books_are_true("growth");
        match *expected {
            "refused" => {
                let refusal = |f: &Finding| {
                    matches!(f, Finding::OutOfBand { .. } | Finding::NotJudged { why: ValuationError::Overflow(_), .. })
                };
                assert!(found.iter().all(refusal), "{found:?}");
                assert_eq!(world.state("growth"), before, "a refusal changes nothing");
            }
            "completed" => {
                assert_eq!(found, [Finding::OutOfBand { portfolio: p("growth") }]);
                assert_eq!(world.wave_of(prices.to_vec()), [] as [PortfolioId; 0], "in band at {price}");
                assert_adds_up(&world, "growth");
            }
            _ => assert!(found.is_empty(), "{found:?}"),
        }
    }
}

fn is_overflow<T>(result: &Result<T, EngineError>) -> bool {
    let Err(EngineError::Plan { cause, .. }) = result else { return false };
    match cause {
        PlanError::Overflow(_) | PlanError::Quantity { .. } | PlanError::Valuation(ValuationError::Overflow(_)) => true,
        PlanError::Valuation(_) => false,
        other => panic!("{other}"),
    }
}

#[test]
fn extreme_price_levels() {
    // A million times up, and back.
    check_extremes(&[("META", "400000000", "completed"), ("META", "400", "completed")]);
    // Down to the smallest price there is, where a third of 66,670 buys 22 million million units, and back to a fortune.
    check_extremes(&[
        ("META", "0.000000001", "completed"),
        ("META", "0.00000001", "completed"),
        ("META", "400", "completed"),
        ("META", "400000000", "refused"),
        ("META", "400", "in band"),
    ]);
    // Both ways for every symbol in turn. Units pass their maximum first, then money.
    check_extremes(&[
        ("AAPL", "165000000", "completed"),
        ("AAPL", "0.000000001", "refused"),
        ("AAPL", "0.000165", "completed"),
        ("MSFT", "333400000", "refused"),
        ("MSFT", "333400", "completed"),
        ("MSFT", "333.40", "completed"),
        ("META", "0.000000001", "refused"),
        ("META", "0.0004", "completed"),
        ("META", "400000000", "refused"),
        ("META", "400", "refused"),
        ("META", "0.004", "completed"),
    ]);
    // The highest price, and the lowest, at once.
    check_extremes(&[
        ("META", "9999999999.999999999", "completed"),
        ("AAPL", "0.000000001", "refused"),
        ("AAPL", "165.00", "in band"),
    ]);
}

#[test]
fn a_price_that_is_too_old_is_refused() {
    let settings = Settings { max_price_age: Some(seconds(30)), ..Settings::unlimited() };
    let world = World::drifted_with(Profile::ideal(), settings, &THIRDS);
    world.clock.advance(seconds(30));
    assert_eq!(world.engine.judge_now(&p("growth")), Some(Finding::OutOfBand { portfolio: p("growth") }));
    world.clock.advance(seconds(1));
    let why = ValuationError::NoPrice(NoPrice::Stale { symbol: p("AAPL"), age: seconds(31), allowed: seconds(30) });
    assert_eq!(world.engine.judge_now(&p("growth")), Some(Finding::NotJudged { portfolio: p("growth"), why }));
    assert_eq!(shown(&world.rebalance("growth")), "no plan: the price of AAPL is 31 s old: at most 30 s are allowed");
    assert!(world.desk.sent().is_empty());
    world.wave(&[("AAPL", "165.00"), ("MSFT", "333.40"), ("META", "440")]);
    assert_eq!(shown(&world.rebalance("growth")), "completed");
}

#[test]
fn an_older_price_does_not_replace_a_newer_one() {
    let world = World::drifted(Profile::ideal(), &THIRDS);
    let yesterday = Timestamp::from_nanos(world.clock.now().nanos() - 86_400_000_000_000);
    assert_eq!(world.engine.on_wave(yesterday, &[(p("META"), p("400"))]).len(), 1, "still out of band");
    assert_eq!(world.batch("growth").drift.to_string(), "6.4520");
}

/// With one portfolio and with two: who judges does not depend on how many there are, nor on the order of names.
#[test]
fn a_wave_judges_who_has_its_symbols_and_whose_symbols_all_have_had_a_price() {
    for second in [false, true] {
        let world = World::new(Profile::ideal());
        world.add_scene("growth", &THIRDS);
        if second {
            world.add_scene("income", &THIRDS);
        }
        let wave = |prices: &[(&str, &str)]| {
            let prices: Vec<(Symbol, Price)> = prices.iter().map(|(symbol, price)| (p(symbol), p(price))).collect();
            world.engine.on_wave(world.clock.now(), &prices).len()
        };
        let all = usize::from(second) + 1;
        // Out of band at any prices, as soon as there are all.
        assert_eq!(wave(&[("AAPL", "1"), ("META", "1000")]), 0);
        assert_eq!(wave(&[("MSFT", "1")]), all);
        assert_eq!(wave(&[("NVDA", "1")]), 0, "nobody has it");
        assert_eq!(wave(&[("NVDA", "1"), ("META", "1001")]), all);
    }
}
