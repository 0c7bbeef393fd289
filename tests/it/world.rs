//! A small world to run scenarios in: an engine over a simulated broker and stores in memory, with a clock moved by hand.
//!
//! Everything runs on one thread without a runtime; time moves only when nothing else can run. A second engine over the same stores is a
//! second worker. When a world ends, it checks what no scenario may ever break: see [`World::assert_sound`].

use crate::desk::Desk;
use evenkeel_banchile::{BanChile, Profile, Rule};
use evenkeel_domain::allocation::TargetAllocation;
use evenkeel_domain::books::{Books, Definition};
use evenkeel_domain::policy::Policy;
use evenkeel_domain::portfolio::Portfolio;
use evenkeel_domain::report::BatchReport;
use evenkeel_domain::values::{PortfolioId, Price, StoreId, Symbol, Timestamp};
use evenkeel_engine::{Engine, EngineError, Ports, Rebalanced, Resolve, Settings};
use evenkeel_memory::{ManualClock, MemoryJournal, MemoryLeases, MemoryNotifier, Retention};
use evenkeel_ports::{Clock, NullObserver, codec};
use futures_util::future::BoxFuture;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// 2024-01-02 12:00:00 UTC.
pub(crate) fn noon() -> Timestamp {
    "2024-01-02T12:00:00Z".parse().unwrap()
}

/// Parses what a test writes down.
pub(crate) fn p<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap_or_else(|e| panic!("{text:?}: {e:?}"))
}

pub(crate) const fn seconds(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

pub(crate) const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

/// A portfolio to play with: what it owns, what it should be, prices at which it is on target, and those that put it out of band.
pub(crate) struct Scene {
    pub(crate) cash: &'static str,
    pub(crate) holdings: &'static [(&'static str, &'static str)],
    pub(crate) targets: &'static [(&'static str, &'static str)],
    pub(crate) calm: &'static [(&'static str, &'static str)],
    pub(crate) drifted: &'static [(&'static str, &'static str)],
}

/// The worked example: no cash, so the sell comes first. META is sold for 2222.11; AAPL is bought for 1110.89 and MSFT for 1111.22.
pub(crate) const THIRDS: Scene = Scene {
    cash: "0.00",
    holdings: &[("META", "83.325"), ("AAPL", "202"), ("MSFT", "100")],
    targets: &[("META", "33.33"), ("AAPL", "33.33"), ("MSFT", "33.34")],
    calm: &[("META", "400"), ("AAPL", "165.00"), ("MSFT", "333.40")],
    drifted: &[("META", "440")],
};

/// A quarter is cash, which pays for the buys: all legs at once. 9.375 META are sold, 7.8125 AAPL and 6.25 MSFT are bought.
pub(crate) const QUARTERS: Scene = Scene {
    cash: "25000.00",
    holdings: &[("META", "62.5"), ("AAPL", "125"), ("MSFT", "100")],
    targets: &[("META", "25"), ("AAPL", "25"), ("MSFT", "25"), ("CASH", "25")],
    calm: &[("META", "400"), ("AAPL", "200"), ("MSFT", "250")],
    drifted: &[("META", "500")],
};

/// A rebalance under way.
pub(crate) type Running = BoxFuture<'static, Result<Rebalanced, EngineError>>;

pub(crate) struct World {
    pub(crate) clock: ManualClock,
    /// The broker's controls, and the truth.
    pub(crate) broker: Arc<BanChile>,
    /// The broker as the workers see it.
    pub(crate) desk: Arc<Desk>,
    pub(crate) leases: Arc<MemoryLeases>,
    pub(crate) journal: Arc<MemoryJournal>,
    pub(crate) notifier: Arc<MemoryNotifier>,
    pub(crate) engine: Arc<Engine>,
    prices: Mutex<BTreeMap<Symbol, Price>>,
}

impl World {
    pub(crate) fn new(profile: Profile) -> Self {
        Self::with_settings(profile, Settings::unlimited())
    }

    pub(crate) fn with_settings(profile: Profile, settings: Settings) -> Self {
        Self::made_of(profile, 1, settings, MemoryJournal::new(StoreId::new(7)))
    }

    /// A world whose broker draws from this seed, and whose journal keeps the latest state only.
    pub(crate) fn folding(profile: Profile, seed: u64, settings: Settings) -> Self {
        let journal = MemoryJournal::new(StoreId::new(7)).with_retention(Retention::LatestState);
        Self::made_of(profile, seed, settings, journal)
    }

    fn made_of(profile: Profile, seed: u64, settings: Settings, journal: MemoryJournal) -> Self {
        let clock = ManualClock::new(noon());
        let broker = Arc::new(BanChile::new(profile, Arc::new(clock.clone()), seed));
        let leases = Arc::new(MemoryLeases::new(Arc::new(clock.clone())));
        let journal = Arc::new(journal);
        let notifier = Arc::new(MemoryNotifier::new());
        let desk = Arc::new(Desk::new(Arc::clone(&broker), Arc::clone(&journal), clock.clone()));
        let ports = Ports {
            broker: desk.clone(),
            leases: leases.clone(),
            journal: journal.clone(),
            clock: Arc::new(clock.clone()),
            notifier: notifier.clone(),
            observer: Arc::new(NullObserver),
        };
        let engine = Arc::new(Engine::new(ports, settings.checked().unwrap(), p("worker-1")));
        Self { clock, broker, desk, leases, journal, notifier, engine, prices: Mutex::default() }
    }

    /// A world with one portfolio, named `growth`, that has just drifted out of its band.
    pub(crate) fn drifted(profile: Profile, scene: &Scene) -> Self {
        Self::drifted_with(profile, Settings::unlimited(), scene)
    }

    pub(crate) fn drifted_with(profile: Profile, settings: Settings, scene: &Scene) -> Self {
        let world = Self::with_settings(profile, settings);
        world.add_scene("growth", scene);
        assert!(world.wave(scene.calm).is_empty(), "on target at first");
        assert_eq!(world.wave(scene.drifted), [p("growth")]);
        world
    }

    /// Makes something go wrong at the broker.
    pub(crate) fn script(&self, rules: impl IntoIterator<Item = Rule>) {
        rules.into_iter().for_each(|rule| self.broker.script(rule));
    }

    /// The ports that a worker works with.
    pub(crate) fn ports(&self) -> Ports {
        Ports {
            broker: self.desk.clone(),
            leases: self.leases.clone(),
            journal: self.journal.clone(),
            clock: Arc::new(self.clock.clone()),
            notifier: self.notifier.clone(),
            observer: Arc::new(NullObserver),
        }
    }

    /// Another worker over the same stores, broker and clock, with the prices of now.
    pub(crate) fn worker(&self, name: &str) -> Arc<Engine> {
        self.worker_over(name, self.ports())
    }

    /// Another worker over these ports.
    pub(crate) fn worker_over(&self, name: &str, ports: Ports) -> Arc<Engine> {
        let engine = Arc::new(Engine::new(ports, self.engine.settings().clone(), p(name)));
        let prices: Vec<_> = self.prices.lock().unwrap().iter().map(|(symbol, price)| (*symbol, *price)).collect();
        engine.on_wave(self.clock.now(), &prices);
        engine
    }

    pub(crate) fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.clock.run(future).expect("nothing can run and no time is waited for")
    }

    /// Opens the account at the broker and adds the portfolio, with the same cash and units in both.
    pub(crate) fn add(
        &self,
        id: &str,
        cash: &str,
        holdings: &[(&str, &str)],
        targets: &[(&str, &str)],
        policy: Policy,
    ) {
        let definition = definition(id, targets, policy);
        let books = Books::new(p(cash), holdings.iter().map(|(symbol, quantity)| (p(symbol), p(quantity))));
        self.broker.open_account(&p(id), p("USD"), books.cash, books.holdings()).unwrap();
        self.run(self.engine.add(&p(id), definition, books)).unwrap();
    }

    pub(crate) fn add_scene(&self, id: &str, scene: &Scene) {
        self.add(id, scene.cash, scene.holdings, scene.targets, Policy::default());
    }

    /// New prices at the broker and for the engine; returns the portfolios that are out of band.
    pub(crate) fn wave(&self, prices: &[(&str, &str)]) -> Vec<PortfolioId> {
        self.wave_of(prices.iter().map(|(symbol, price)| (p(symbol), p(price))).collect())
    }

    pub(crate) fn wave_of(&self, mut prices: Vec<(Symbol, Price)>) -> Vec<PortfolioId> {
        prices.sort();
        self.broker.set_prices(prices.iter().copied());
        self.prices.lock().unwrap().extend(prices.iter().copied());
        let found = self.engine.on_wave(self.clock.now(), &prices);
        found.iter().map(|finding| finding.portfolio().clone()).collect()
    }

    pub(crate) fn rebalance(&self, id: &str) -> Result<Rebalanced, EngineError> {
        self.run(self.engine.rebalance(&p(id)))
    }

    /// A rebalance that is driven bit by bit: see [`World::drive_for`].
    pub(crate) fn start(&self, id: &str) -> Running {
        let (engine, id) = (Arc::clone(&self.engine), p(id));
        Box::pin(async move { engine.rebalance(&id).await })
    }

    /// Drives what was started for so long, and expects it to go on after that.
    pub(crate) fn drive_for(&self, running: &mut Running, time: Duration) {
        let until = self.clock.now().plus(time);
        if let Some(done) = self.clock.poll_until(running.as_mut(), until) {
            panic!("it is over: {done:?}");
        }
        self.clock.advance_to(until);
    }

    /// Tells the books of cash that came in.
    pub(crate) fn deposit(&self, id: &str, movement: &str, amount: &str) -> Result<(), EngineError> {
        self.run(self.engine.deposit(&p(id), p(movement), p(amount), p("USD")))
    }

    pub(crate) fn resolve(&self, id: &str, how: Resolve) -> Result<Option<BatchReport>, EngineError> {
        self.run(self.engine.resolve(&p(id), how, "ann", "looked at it"))
    }

    /// Rebalances, and expects a batch.
    pub(crate) fn batch(&self, id: &str) -> BatchReport {
        batch_of(self.rebalance(id))
    }

    /// The state that the journal gives.
    pub(crate) fn state(&self, id: &str) -> Portfolio {
        let records = self.journal.records(&p(id));
        evenkeel_domain::apply::replay(Portfolio::new(p(id)), &records).unwrap()
    }

    /// The word for where a portfolio stands.
    pub(crate) fn standing(&self, id: &str) -> &'static str {
        self.state(id).standing.name()
    }

    /// What the broker holds: the truth.
    pub(crate) fn truth(&self, id: &str) -> Books {
        let ledger = self.broker.ledger(&p(id)).unwrap();
        Books::new(ledger.cash, ledger.holdings.iter().map(|(symbol, held)| (*symbol, held.units)))
    }

    /// Books and broker agree to the cent and the last unit.
    pub(crate) fn assert_books_are_true(&self, id: &str) {
        assert_eq!(self.state(id).books, self.truth(id), "books and broker of {id}");
    }

    /// The broker holds exactly the units of `before` in every symbol, and the books say the same.
    pub(crate) fn assert_restored(&self, id: &str, before: &Books) {
        assert_eq!(units(&self.truth(id)), units(before), "at the broker");
        self.assert_books_are_true(id);
    }

    /// What holds after every scenario, whatever went wrong in it.
    pub(crate) fn assert_sound(&self) {
        assert_eq!(self.desk.wrong(), [""; 0], "what was sent against the journal");
        for (account, ledger) in self.broker.truth() {
            ledger.check().unwrap();
            let mut ids = BTreeSet::new();
            for order in &ledger.orders {
                assert!(ids.insert(order.request.id), "{} was made twice for {account}", order.request.id);
            }
        }
        for portfolio in self.run(evenkeel_ports::Journal::portfolios(&*self.journal)).unwrap() {
            for record in self.journal.records(&portfolio) {
                let text = codec::encode(&record).unwrap();
                assert_eq!(codec::decode(&text).unwrap(), record, "{text}");
            }
            let replayed = self.state(portfolio.as_str());
            if let Some(live) = self.engine.portfolio(&portfolio).filter(|live| live.sequence == replayed.sequence) {
                assert_eq!(*live, replayed, "live and replayed");
            }
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.assert_sound();
        }
    }
}

pub(crate) fn definition(account: &str, targets: &[(&str, &str)], policy: Policy) -> Definition {
    let allocation = TargetAllocation::parse(targets.iter().copied()).unwrap();
    Definition { account: p(account), currency: p("USD"), allocation, policy }
}

pub(crate) fn units(books: &Books) -> Vec<String> {
    books.holdings().map(|(symbol, quantity)| format!("{quantity} {symbol}")).collect()
}

/// The batch that a rebalance came to.
pub(crate) fn batch_of(rebalanced: Result<Rebalanced, EngineError>) -> BatchReport {
    match rebalanced {
        Ok(Rebalanced::Batch(report)) => *report,
        other => panic!("{other:?}"),
    }
}

/// What a rebalance came to, in a word or two.
pub(crate) fn shown(rebalanced: &Result<Rebalanced, EngineError>) -> String {
    match rebalanced {
        Ok(Rebalanced::Batch(report)) => report.outcome.name().to_owned(),
        Ok(Rebalanced::InBand(_)) => "in band".to_owned(),
        Ok(Rebalanced::NotWorthwhile { .. }) => "not worthwhile".to_owned(),
        Err(EngineError::Plan { cause, .. }) => format!("no plan: {cause}"),
        Err(error) => error.to_string(),
    }
}
