//! Many portfolios: 100 of 50 stocks each, in waves of 10, 20 and 100 changes.

use crate::world::World;
use evenkeel_banchile::Profile;
use evenkeel_domain::policy::Policy;
use evenkeel_domain::record::Outcome;
use evenkeel_domain::values::{Price, Symbol};
use evenkeel_engine::Rebalanced;
use evenkeel_market::{FakeMarket, Pace};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::collections::{BTreeMap, BTreeSet};

const STOCKS: usize = 120;
const PORTFOLIOS: usize = 100;
const HELD: usize = 50;

#[test]
fn a_hundred_portfolios_of_fifty_stocks_in_waves() {
    let world = World::new(Profile::ideal());
    let mut market = FakeMarket::new(5, STOCKS, Pace::Days).unwrap();
    let mut board: BTreeMap<Symbol, Price> = market.next().unwrap().prices.into_iter().collect();
    let symbols: Vec<Symbol> = board.keys().copied().collect();
    let holders: Vec<BTreeSet<Symbol>> = (0..PORTFOLIOS).map(|n| held_by(n, &symbols)).collect();
    for (n, held) in holders.iter().enumerate() {
        let targets: Vec<(&str, &str)> = held.iter().map(|symbol| (symbol.as_str(), "2")).collect();
        world.add(&name(n), "1000000.00", &[], &targets, Policy::default());
    }
    assert_eq!(world.wave_of(board.clone().into_iter().collect()).len(), PORTFOLIOS, "all want their first purchase");
    assert_eq!(rebalance_all(&world, &(0..PORTFOLIOS).collect::<Vec<_>>()), PORTFOLIOS * HELD);

    // How many stocks change, by how many percent, and how many portfolios that must put out of band.
    for (wave, (changes, percent, at_least)) in
        [(10, 12, 90), (20, 8, 100), (100, 3, 0), (10, -9, 80), (100, 20, 100)].into_iter().enumerate()
    {
        let changed: Vec<Symbol> = (0..changes).map(|n| symbols[(n * 11 + wave * 31) % STOCKS]).collect();
        let prices: Vec<(Symbol, Price)> = changed
            .iter()
            .zip([percent, percent / 2].into_iter().cycle())
            .map(|(symbol, percent)| (*symbol, moved(board[symbol], percent)))
            .collect();
        board.extend(prices.iter().copied());
        world.clock.advance(crate::world::minutes(1));
        let out: Vec<usize> =
            world.wave_of(prices.clone()).iter().map(|id| id.as_str()[1..].parse().unwrap()).collect();
        let affected = |n: &usize| changed.iter().any(|symbol| holders[*n].contains(symbol));
        assert!(out.iter().all(affected), "only who holds or targets a changed stock");
        assert!(out.len() >= at_least, "wave {wave}: {} are out of band", out.len());

        rebalance_all(&world, &out);
        assert!(world.wave_of(prices).is_empty(), "wave {wave}: all are in band again");
    }
}

fn name(n: usize) -> String {
    format!("p{n:03}")
}

/// Fifty different stocks for each portfolio, overlapping with its neighbours'.
fn held_by(n: usize, symbols: &[Symbol]) -> BTreeSet<Symbol> {
    (0..HELD).map(|k| symbols[(n * 13 + k * 7) % STOCKS]).collect()
}

fn moved(price: Price, percent: i64) -> Price {
    let parts = u64::try_from(100 + percent).unwrap();
    Price::from_nanos(price.nanos() / 100 * parts).unwrap()
}

/// Rebalances them all at once, each with one batch that is completed; how many orders were sent.
fn rebalance_all(world: &World, portfolios: &[usize]) -> usize {
    let before = world.desk.sent().len();
    let ids: Vec<_> = portfolios.iter().map(|n| crate::world::p(&name(*n))).collect();
    let rebalances: FuturesUnordered<_> = ids.iter().map(|id| world.engine.rebalance(id)).collect();
    for result in world.run(rebalances.collect::<Vec<_>>()) {
        match result {
            Ok(Rebalanced::Batch(report)) => assert_eq!(report.outcome, Outcome::Completed),
            other => panic!("{other:?}"),
        }
    }
    for n in portfolios {
        let (engine, truth) = (world.engine.portfolio(&crate::world::p(&name(*n))).unwrap(), world.truth(&name(*n)));
        assert_eq!(engine.books, truth, "{n}");
    }
    world.desk.sent().len() - before
}
