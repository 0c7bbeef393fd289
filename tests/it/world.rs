//! A small world to run scenarios in: an engine over a simulated broker and stores in memory, with a clock moved by hand.
//!
//! Everything runs on one thread without a runtime; time moves only when nothing else can run. A second engine over the same stores is a
//! second worker.

use evenkeel_banchile::{BanChile, Profile};
use evenkeel_domain::allocation::TargetAllocation;
use evenkeel_domain::books::{Books, Definition};
use evenkeel_domain::policy::Policy;
use evenkeel_domain::portfolio::Portfolio;
use evenkeel_domain::report::BatchReport;
use evenkeel_domain::values::{PortfolioId, StoreId, Timestamp};
use evenkeel_engine::{Engine, EngineError, Ports, Rebalanced, Settings};
use evenkeel_memory::{ManualClock, MemoryJournal, MemoryLeases, MemoryNotifier};
use evenkeel_ports::NullObserver;
use std::sync::Arc;

/// 2024-01-02 12:00:00 UTC.
pub(crate) fn noon() -> Timestamp {
    "2024-01-02T12:00:00Z".parse().unwrap()
}

/// Parses what a test writes down.
pub(crate) fn p<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap_or_else(|e| panic!("{text:?}: {e:?}"))
}

pub(crate) struct World {
    pub(crate) clock: ManualClock,
    pub(crate) broker: Arc<BanChile>,
    pub(crate) leases: Arc<MemoryLeases>,
    pub(crate) journal: Arc<MemoryJournal>,
    pub(crate) notifier: Arc<MemoryNotifier>,
    pub(crate) engine: Arc<Engine>,
}

impl World {
    pub(crate) fn new(profile: Profile) -> Self {
        Self::with_settings(profile, Settings::default())
    }

    pub(crate) fn with_settings(profile: Profile, settings: Settings) -> Self {
        let clock = ManualClock::new(noon());
        let broker = Arc::new(BanChile::new(profile, Arc::new(clock.clone()), 1));
        let leases = Arc::new(MemoryLeases::new(Arc::new(clock.clone())));
        let journal = Arc::new(MemoryJournal::new(StoreId::new(7)));
        let notifier = Arc::new(MemoryNotifier::new());
        let ports = Ports {
            broker: broker.clone(),
            leases: leases.clone(),
            journal: journal.clone(),
            clock: Arc::new(clock.clone()),
            notifier: notifier.clone(),
            observer: Arc::new(NullObserver),
        };
        let engine = Arc::new(Engine::new(ports, settings, p("worker-1")));
        Self { clock, broker, leases, journal, notifier, engine }
    }

    /// Another worker over the same stores, broker and clock.
    pub(crate) fn worker(&self, name: &str) -> Arc<Engine> {
        let ports = Ports {
            broker: self.broker.clone(),
            leases: self.leases.clone(),
            journal: self.journal.clone(),
            clock: Arc::new(self.clock.clone()),
            notifier: self.notifier.clone(),
            observer: Arc::new(NullObserver),
        };
        Arc::new(Engine::new(ports, self.engine.settings().clone(), p(name)))
    }

    pub(crate) fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.clock.run(future).expect("nothing can run and no time is waited for")
    }

    /// Opens the account at the broker and adds the portfolio, with the same cash and units in both.
    pub(crate) fn add(&self, id: &str, cash: &str, holdings: &[(&str, &str)], targets: &[(&str, &str)], policy: Policy) {
        let definition = Definition {
            account: p(id),
            currency: p("USD"),
            allocation: TargetAllocation::parse(targets.iter().copied()).unwrap(),
            policy,
        };
        let books = Books::new(p(cash), holdings.iter().map(|(symbol, quantity)| (p(symbol), p(quantity))));
        self.broker.open_account(&p(id), p("USD"), books.cash, books.holdings()).unwrap();
        self.run(self.engine.add(&p(id), definition, books)).unwrap();
    }

    /// The portfolio of the worked example: META, AAPL and MSFT at a third each.
    pub(crate) fn add_thirds(&self, id: &str) {
        let holdings = [("META", "83.325"), ("AAPL", "202"), ("MSFT", "100")];
        let targets = [("META", "33.33"), ("AAPL", "33.33"), ("MSFT", "33.34")];
        self.add(id, "0.00", &holdings, &targets, Policy::default());
    }

    /// New prices at the broker and for the engine; returns the portfolios that are out of band.
    pub(crate) fn wave(&self, prices: &[(&str, &str)]) -> Vec<PortfolioId> {
        let mut prices: Vec<_> = prices.iter().map(|(symbol, price)| (p(symbol), p(price))).collect();
        prices.sort();
        self.broker.set_prices(prices.iter().copied());
        let at = evenkeel_ports::Clock::now(&self.clock);
        let found = self.engine.on_wave(at, &prices);
        found.iter().map(|finding| finding.portfolio().clone()).collect()
    }

    pub(crate) fn rebalance(&self, id: &str) -> Result<Rebalanced, EngineError> {
        self.run(self.engine.rebalance(&p(id)))
    }

    /// Rebalances, and expects a batch.
    pub(crate) fn batch(&self, id: &str) -> BatchReport {
        match self.rebalance(id) {
            Ok(Rebalanced::Batch(report)) => *report,
            other => panic!("{other:?}"),
        }
    }

    /// The state that the journal gives.
    pub(crate) fn state(&self, id: &str) -> Portfolio {
        let records = self.journal.records(&p(id));
        evenkeel_domain::apply::replay(Portfolio::new(p(id)), &records).unwrap()
    }

    /// What the broker holds: the truth.
    pub(crate) fn truth(&self, id: &str) -> Books {
        let ledger = self.broker.ledger(&p(id)).unwrap();
        Books::new(ledger.cash, ledger.holdings.iter().map(|(symbol, held)| (*symbol, held.units)))
    }

    /// Books and broker agree to the cent and the last unit, and the broker lost nothing.
    pub(crate) fn assert_books_are_true(&self, id: &str) {
        assert_eq!(self.state(id).books, self.truth(id), "books and broker of {id}");
        self.broker.check_conservation(&p(id)).unwrap();
    }
}
