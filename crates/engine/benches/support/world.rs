//! An engine with portfolios of equal targets, at the ideal simulated broker: for benches of whole batches.

use evenkeel_banchile::{BanChile, Profile, Retention};
use evenkeel_conformance::suite::block_on;
use evenkeel_domain::allocation::{Target, TargetAllocation};
use evenkeel_domain::books::{Books, Definition};
use evenkeel_domain::policy::Policy;
use evenkeel_domain::values::{Money, Percentage, PortfolioId, Price, Quantity, Symbol, Timestamp};
use evenkeel_engine::{Engine, EngineError, Ports, Rebalanced, Settings};
use evenkeel_memory::{ManualClock, MemoryLeases, MemoryNotifier};
use evenkeel_ports::{Clock, Journal, NullObserver};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

/// Locks of the broker: enough that two threads seldom meet.
const SHARDS: NonZeroUsize = NonZeroUsize::new(16).unwrap();

/// Which symbols get a price; whether those are above that were below.
#[derive(Clone)]
pub(crate) struct Wave {
    pub(crate) symbols: std::ops::Range<usize>,
    pub(crate) flipped: bool,
}

pub(crate) struct World {
    pub(crate) engine: Engine,
    clock: ManualClock,
    broker: Arc<BanChile>,
    symbols: Vec<Symbol>,
    pub(crate) portfolios: Vec<PortfolioId>,
}

impl World {
    /// So many portfolios of so many holdings each, of so many symbols; what is remembered goes to `journal`, leases are in memory.
    pub(crate) fn new(portfolios: usize, holdings: usize, symbols: usize, journal: Arc<dyn Journal>) -> Self {
        let clock = ManualClock::new(Timestamp::EPOCH);
        // As in a replay without a store: what is over is forgotten.
        let profile = Profile { retention: Retention::OrderIds, ..Profile::ideal() };
        let broker = Arc::new(BanChile::sharded(profile, Arc::new(clock.clone()), 1, SHARDS));
        let ports = Ports {
            broker: broker.clone(),
            leases: Arc::new(MemoryLeases::new(Arc::new(clock.clone()))),
            journal,
            clock: Arc::new(clock.clone()),
            notifier: Arc::new(MemoryNotifier::new()),
            observer: Arc::new(NullObserver),
        };
        let engine = Engine::new(ports, Settings::unlimited().checked().unwrap(), "bench".parse().unwrap());
        let symbols: Vec<Symbol> = (0..symbols).map(|n| format!("S{n:03}").parse().unwrap()).collect();
        let ids = (0..portfolios).map(|n| format!("p{n:04}").parse().unwrap()).collect();
        Self { engine, clock, broker, symbols, portfolios: ids }.filled(holdings)
    }

    /// Every portfolio with its holdings, of which neighbours share some.
    fn filled(self, holdings: usize) -> Self {
        let units = Quantity::from_nanos(100_123_456_789).unwrap();
        for (n, portfolio) in self.portfolios.iter().enumerate() {
            let held = self.symbols.iter().cycle().skip(n * 7 % self.symbols.len()).take(holdings);
            let mut held: Vec<Symbol> = held.copied().collect();
            held.sort_unstable();
            let books = Books::new(Money::ZERO, held.iter().map(|symbol| (*symbol, units)));
            let definition = Definition {
                account: portfolio.as_str().parse().unwrap(),
                currency: "USD".parse().unwrap(),
                allocation: equal(&held),
                policy: Policy::default(),
            };
            self.broker.open_account(&definition.account, definition.currency, books.cash, books.holdings()).unwrap();
            block_on(self.engine.add(portfolio, definition, books)).unwrap();
        }
        self
    }

    /// A day later, prices around 100: `by` percent above and below in turns. Gives who is out of band.
    /// Each rebalance between two of these makes a portfolio richer, by 2 % where `by` is 10.
    pub(crate) fn wave(&self, wave: &Wave, by: u64) -> Vec<PortfolioId> {
        let priced = self.symbols.iter().enumerate().filter(|(n, _)| wave.symbols.contains(n));
        let prices: Vec<(Symbol, Price)> = priced
            .map(|(n, symbol)| (*symbol, Price::from_nanos(price(n, by, wave.flipped) * 1_000_000_000).unwrap()))
            .collect();
        self.clock.advance(Duration::from_secs(24 * 60 * 60));
        self.broker.set_prices(prices.iter().copied());
        let found = self.engine.on_wave(self.clock.now(), &prices);
        found.iter().map(|finding| finding.portfolio().clone()).collect()
    }

    /// Rebalances one, whose batch must be completed.
    pub(crate) async fn rebalance(&self, portfolio: &PortfolioId) -> Result<usize, EngineError> {
        let Rebalanced::Batch(report) = self.engine.rebalance(portfolio).await? else {
            panic!("it should have traded")
        };
        Ok(report.trades.len())
    }
}

/// The price of the n-th symbol in a wave.
pub(crate) const fn price(n: usize, by: u64, flipped: bool) -> u64 {
    if n.is_multiple_of(2) == flipped { 100 - by } else { 100 + by }
}

/// Equal weights; the first takes what does not divide.
fn equal(symbols: &[Symbol]) -> TargetAllocation {
    let count = i64::try_from(symbols.len()).unwrap();
    let share = Percentage::HUNDRED.units() / count;
    let rest = Percentage::HUNDRED.units() - share * count;
    let weight = |n| Percentage::from_units(if n == 0 { share + rest } else { share }).unwrap();
    TargetAllocation::new((0..).zip(symbols).map(|(n, symbol)| (Target::Symbol(*symbol), weight(n)))).unwrap()
}
