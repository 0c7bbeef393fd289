//! The way of the system that Evenkeel replaces, written once more in Rust: what 100 x 50 is compared with.
//!
//! Decimals; each holding's weight by division, rounded to four places, its deviation from the target above 5 %; a lock with an expiry; the
//! orders of a batch at once, at a broker in memory that yields once per order; each operation in a list, pending and then done. Nothing is
//! durable, nothing can be recovered, and what is bought is not held against the cash. Unlike the original, it looks nothing up by name.

use crate::world::{Wave, price};
use evenkeel_conformance::suite::block_on;
use futures_util::future::join_all;
use rust_decimal::Decimal;
use std::collections::BTreeSet;
use std::future::poll_fn;
use std::task::Poll;
use std::time::{Duration, Instant};

const LOCK: Duration = Duration::from_secs(6 * 60 * 60);

pub(crate) struct Original {
    prices: Vec<Decimal>,
    /// Who holds each symbol.
    registry: Vec<Vec<usize>>,
    portfolios: Vec<Portfolio>,
    log: Vec<Operation>,
}

struct Portfolio {
    holdings: Vec<Holding>,
    cash: Decimal,
    locked_until: Option<Instant>,
}

struct Holding {
    symbol: usize,
    units: Decimal,
    /// In percent.
    target: Decimal,
}

#[derive(Clone, Copy, PartialEq)]
enum Status {
    Pending,
    Success,
}

/// Units above zero are bought, below zero sold.
struct Operation {
    holding: usize,
    units: Decimal,
    amount: Decimal,
    status: Status,
}

impl Original {
    /// As many portfolios with as many equal holdings as a [`World`](crate::world::World) of this size has.
    pub(crate) fn new(portfolios: usize, holdings: usize, symbols: usize) -> Self {
        let target = Decimal::ONE_HUNDRED / Decimal::from(holdings);
        let mut registry = vec![Vec::new(); symbols];
        let portfolios = (0..portfolios).map(|n| {
            let held = (0..holdings).map(|place| (n * 7 + place) % symbols);
            let holding = |symbol| Holding { symbol, units: Decimal::new(100_123_456_789, 9), target };
            let holdings: Vec<Holding> = held.map(holding).collect();
            holdings.iter().for_each(|holding| registry[holding.symbol].push(n));
            Portfolio { holdings, cash: Decimal::ZERO, locked_until: None }
        });
        let portfolios = portfolios.collect();
        Self { prices: vec![Decimal::ONE_HUNDRED; symbols], registry, portfolios, log: Vec::new() }
    }

    /// Takes the prices of a [wave](crate::world::World::wave), and rebalances whomever it puts out of band; how many those were.
    pub(crate) fn wave(&mut self, wave: &Wave, by: u64) -> usize {
        self.log.clear();
        let mut affected = BTreeSet::new();
        for n in wave.symbols.clone() {
            self.prices[n] = Decimal::from(price(n, by, wave.flipped));
            affected.extend(&self.registry[n]);
        }
        affected.into_iter().filter(|portfolio| self.rebalance(*portfolio)).count()
    }

    fn rebalance(&mut self, number: usize) -> bool {
        let (prices, portfolio) = (&self.prices, &mut self.portfolios[number]);
        let value = |holding: &Holding| holding.units * prices[holding.symbol];
        let total = portfolio.holdings.iter().fold(portfolio.cash, |sum, holding| sum + value(holding));
        let is_out = |holding: &Holding| {
            let weight = (value(holding) / total * Decimal::ONE_HUNDRED).round_dp(4);
            ((weight - holding.target).abs() / holding.target) > Decimal::new(5, 2)
        };
        if !portfolio.holdings.iter().any(is_out) {
            return false;
        }
        #[expect(clippy::disallowed_methods, reason = "a lock that expires needs the time")]
        let now = Instant::now();
        if portfolio.locked_until.is_some_and(|until| now < until) {
            return false;
        }
        portfolio.locked_until = Some(now + LOCK);

        let first = self.log.len();
        for (place, holding) in portfolio.holdings.iter().enumerate() {
            let goal = (total * holding.target / Decimal::ONE_HUNDRED).round_dp(2);
            let units = ((goal - value(holding)) / prices[holding.symbol]).trunc_with_scale(9);
            let amount = (units * prices[holding.symbol]).round_dp(2);
            if !units.is_zero() {
                self.log.push(Operation { holding: place, units, amount, status: Status::Pending });
            }
        }
        let batch = &mut self.log[first..];
        block_on(join_all(batch.iter_mut().map(execute)));
        assert!(batch.iter().all(|operation| operation.status == Status::Success), "or what was done is undone");
        for operation in batch {
            portfolio.holdings[operation.holding].units += operation.units;
            portfolio.cash -= operation.amount;
        }
        portfolio.locked_until = None;
        true
    }
}

/// The broker.
async fn execute(operation: &mut Operation) {
    let mut has_yielded = false;
    poll_fn(|context| {
        if std::mem::replace(&mut has_yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
    operation.status = Status::Success;
}
