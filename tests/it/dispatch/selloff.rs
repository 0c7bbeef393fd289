//! A crash of the market: one wave puts every portfolio out of band, and further waves arrive while they are brought back.
//!
//! Ten thousand portfolios in every run of the tests; a hundred thousand, which takes ten times as long, on request.

use crate::world::{definition, noon, p};
use evenkeel_banchile::{BanChile, Profile};
use evenkeel_domain::books::{Books, Market, Prices, Quote};
use evenkeel_domain::drift::urgency::Urgency;
use evenkeel_domain::halt::{HaltMode, Scope};
use evenkeel_domain::policy::Policy;
use evenkeel_domain::record::Outcome;
use evenkeel_domain::valuation::{ReserveRule, Valuation};
use evenkeel_domain::values::{PortfolioId, Price, StoreId, Symbol, Timestamp};
use evenkeel_engine::{
    Backlog, Dispatched, Dispatcher, DispatcherSettings, Engine, EngineError, Ports, Rebalanced, Settings,
};
use evenkeel_memory::{ManualClock, MemoryJournal, MemoryLeases, MemoryNotifier, Retention};
use evenkeel_ports::{EngineEvent, LeaseStore, LeaseTerms, Observer};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};

pub(super) const STOCKS: usize = 8;

/// In which order leases are taken.
#[derive(Default)]
struct Starts(Mutex<Vec<PortfolioId>>);

impl Observer for Starts {
    fn observe<'a>(&self, _at: Timestamp, event: &EngineEvent<'a>) {
        if let EngineEvent::LeaseTaken { portfolio, .. } = event {
            self.0.lock().unwrap().push((*portfolio).clone());
        }
    }
}

/// An engine over an ideal broker and stores in memory that keep no history.
pub(super) struct Crowd {
    clock: ManualClock,
    pub(super) broker: Arc<BanChile>,
    leases: Arc<MemoryLeases>,
    pub(super) engine: Arc<Engine>,
    starts: Arc<Starts>,
    pub(super) ids: Vec<PortfolioId>,
}

pub(super) fn stock(n: usize) -> Symbol {
    p(&format!("S{}", n % STOCKS))
}

/// The price of each stock after the crash: 85 to 50 of a hundred.
pub(super) fn crashed() -> Vec<(Symbol, Price)> {
    (0..STOCKS).map(|n| (stock(n), p(&(85 - 5 * n).to_string()))).collect()
}

impl Crowd {
    /// Portfolios of half a stock and half cash, all in band when a stock costs 100.
    pub(super) fn new(portfolios: usize) -> Self {
        let clock = ManualClock::new(noon());
        let broker = Arc::new(BanChile::new(Profile::ideal(), Arc::new(clock.clone()), 1));
        let leases = Arc::new(MemoryLeases::new(Arc::new(clock.clone())));
        let starts = Arc::new(Starts::default());
        let ports = Ports {
            broker: broker.clone(),
            leases: leases.clone(),
            journal: Arc::new(MemoryJournal::new(StoreId::new(7)).with_retention(Retention::LatestState)),
            clock: Arc::new(clock.clone()),
            notifier: Arc::new(MemoryNotifier::new()),
            observer: starts.clone(),
        };
        let engine = Arc::new(Engine::new(ports, Settings::unlimited(), p("worker-1")));
        let ids: Vec<PortfolioId> = (0..portfolios).map(|n| p(&format!("p{n:06}"))).collect();
        for (n, id) in ids.iter().enumerate() {
            let stock = stock(n);
            let definition = definition(id.as_str(), &[(stock.as_str(), "50"), ("CASH", "50")], Policy::default());
            let books = Books::new(p("1000.00"), [(stock, p(&format!("10.{:03}", n % 241)))]);
            broker.open_account(&definition.account, definition.currency, books.cash, books.holdings()).unwrap();
            clock.run(engine.add(id, definition, books)).unwrap().unwrap();
        }
        Self { clock, broker, leases, engine, starts, ids }
    }

    /// So many portfolios, after some, of the stock that falls the most: they are among the first whose turn comes.
    fn of_the_worst(&self, after: usize, count: usize) -> Vec<PortfolioId> {
        self.ids.iter().skip(STOCKS - 1).step_by(STOCKS).skip(after).take(count).cloned().collect()
    }

    /// Ten whose books are not the broker's, ten whose lease another worker has, ten that a person has halted.
    fn trouble(&self) {
        let terms = LeaseTerms { heartbeat: crate::world::minutes(60), ..LeaseTerms::default() };
        for id in self.of_the_worst(0, 10) {
            self.broker.deposit(&p(id.as_str()), p("1.00")).unwrap();
        }
        for id in self.of_the_worst(10, 10) {
            self.clock.run(self.leases.acquire(&id, &p("worker-2"), terms)).unwrap().unwrap();
        }
        for id in self.of_the_worst(20, 10) {
            let halted = self.engine.halt(Scope::Portfolio(id), HaltMode::Freeze, "ann", "under review");
            self.clock.run(halted).unwrap().unwrap();
        }
    }

    /// Everybody in the order of need after the crash, by the domain's exact comparison.
    fn by_need(&self) -> Vec<&PortfolioId> {
        let prices: Prices = crashed().into_iter().map(|(stock, price)| (stock, Quote { price, at: noon() })).collect();
        let urgency = |id: &PortfolioId| {
            let state = self.engine.portfolio(id).unwrap();
            let definition = state.definition.as_ref().unwrap();
            let (market, policy) = (Market::ageless(&prices), &definition.policy);
            let valued =
                Valuation::new(&state.books, &definition.allocation, policy, market, ReserveRule::NONE).unwrap();
            Urgency::of(&valued, &policy.measure).unwrap().expect("it is out of band")
        };
        let mut by_need: Vec<_> = self.ids.iter().map(|id| (Reverse(urgency(id)), id)).collect();
        by_need.sort();
        by_need.into_iter().map(|(_, id)| id).collect()
    }

    /// What the broker holds.
    fn truth(&self, id: &PortfolioId) -> Books {
        let ledger = self.broker.ledger(&p(id.as_str())).unwrap();
        Books::new(ledger.cash, ledger.holdings.iter().map(|(symbol, held)| (*symbol, held.units)))
    }
}

/// Lets the market fall under so many portfolios, with room for a quarter of them to wait.
fn sell_off(portfolios: usize) {
    let crowd = Crowd::new(portfolios);
    let room = portfolios / 4;
    let settings = DispatcherSettings { room: NonZeroUsize::new(room).unwrap(), ..DispatcherSettings::default() };
    let dispatcher = Dispatcher::new(Arc::clone(&crowd.engine), settings);
    let wave = |prices: &[(Symbol, Price)]| {
        crowd.broker.set_prices(prices.iter().copied());
        dispatcher.wave(noon(), prices);
    };
    wave(&(0..STOCKS).map(|n| (stock(n), p("100"))).collect::<Vec<_>>());
    crowd.clock.run(dispatcher.run_until_idle(|done| panic!("all are in band: {done:?}"))).unwrap();
    crowd.trouble();
    let by_need = crowd.by_need();
    crowd.starts.0.lock().unwrap().clear();

    // The crash; and once three in ten are done, further waves: each stock rises, so that some are in band again
    // before their turn, and falls twice, so that whoever was is not.
    let (first_further, between) = (portfolios * 3 / 10, portfolios / 100);
    let mut further = (0..3 * STOCKS)
        .map(|n| (stock([5, 4, 3, 2, 1, 0, 6, 7][n / 3]), [["95", "91"], ["70", "75"], ["98", "60"]][n % 3]));
    let mut refused: BTreeMap<&str, Vec<PortfolioId>> = BTreeMap::new();
    let (mut ended, mut begun_before) = (0, None);
    wave(&crashed());
    let run = dispatcher.run_until_idle(|done| {
        ended += 1;
        match done {
            Dispatched::Ended { result: Ok(Rebalanced::Batch(report)), .. } => {
                assert_eq!(report.outcome, Outcome::Completed);
            }
            // Another wave came between its turn and its plan.
            Dispatched::Ended { result: Ok(Rebalanced::InBand(_)), .. } => {}
            Dispatched::Ended { portfolio, result: Err(error) } => {
                let kind = match error {
                    EngineError::Quarantined { .. } => "quarantined",
                    EngineError::Busy { .. } => "busy",
                    EngineError::Halted { .. } => "halted",
                    other => panic!("{other}"),
                };
                refused.entry(kind).or_default().push(portfolio);
            }
            other => panic!("{other:?}"),
        }
        if ended >= first_further && (ended - first_further) % between == 0 {
            begun_before.get_or_insert_with(|| crowd.starts.0.lock().unwrap().len());
            let Backlog { waiting, running, .. } = dispatcher.backlog();
            assert!(waiting <= room && running <= settings.batches_at_once.get());
            // Two prices at once: the first is merged into the second.
            if let Some((stock, prices)) = further.next() {
                for price in prices {
                    wave(&[(stock, p(price))]);
                }
            }
        }
    });
    crowd.clock.run(run).unwrap();
    assert_eq!(further.next(), None, "all waves came while batches ran");

    // The worst went first, one after the other, also those for whom there was no room at first.
    let starts = crowd.starts.0.lock().unwrap();
    let busy = crowd.of_the_worst(10, 10);
    let expected: Vec<&PortfolioId> = by_need.into_iter().filter(|id| !busy.contains(id)).collect();
    let before = begun_before.unwrap();
    assert!(before > room, "{before}");
    assert!(starts.iter().take(before).eq(expected.iter().copied().take(before)), "in the order of need");

    // Nothing is lost: each is in band, with the books of the broker, or was told of by type and rests.
    refused.values_mut().for_each(|portfolios| portfolios.sort());
    let told = BTreeMap::from([
        ("busy", crowd.of_the_worst(10, 10)),
        ("halted", crowd.of_the_worst(20, 10)),
        ("quarantined", crowd.of_the_worst(0, 10)),
    ]);
    assert_eq!(refused, told);
    for id in crowd.ids.iter().filter(|id| !told.values().any(|portfolios| portfolios.contains(id))) {
        assert_eq!(crowd.engine.judge_now(id), None, "{id}");
        assert_eq!(crowd.engine.portfolio(id).unwrap().books, crowd.truth(id), "{id}");
    }
    let backlog = dispatcher.backlog();
    let Backlog { waiting, running, resting, most_waiting, prices_merged, .. } = backlog;
    assert_eq!((waiting, running, resting, most_waiting), (0, 0, 30, room));
    assert_eq!(usize::try_from(prices_merged).unwrap(), 3 * STOCKS);
    assert!(backlog.left_out > 0 && backlog.back_in_band > 0, "{backlog:?}");
}

/// After the crash a wave of every stock comes whenever some have ended, or one. Counted is what all that costs, in exact decisions: a few for
/// each portfolio and some hundreds for each time that prices are judged, not one for each who waits; and they are judged once for all who end
/// together, however fast they come.
#[test]
fn waves_cost_no_more_for_the_thousands_who_wait() {
    const PORTFOLIOS: usize = 4_000;
    const AT_ONCE: usize = 16;
    for (room, every) in [(PORTFOLIOS, 40), (PORTFOLIOS / 4, 40), (PORTFOLIOS, 1)] {
        let crowd = Crowd::new(PORTFOLIOS);
        let [batches_at_once, room] = [AT_ONCE, room].map(|count| NonZeroUsize::new(count).unwrap());
        let settings = DispatcherSettings { batches_at_once, room, ..DispatcherSettings::default() };
        let dispatcher = Dispatcher::new(Arc::clone(&crowd.engine), settings);
        let wave = |prices: &[(Symbol, Price)]| {
            crowd.broker.set_prices(prices.iter().copied());
            dispatcher.wave(noon(), prices);
        };
        wave(&crashed());
        let (mut waves_judged, mut completed) = (1, 0);
        let run = dispatcher.run_until_idle(|done| {
            let Dispatched::Ended { result: Ok(Rebalanced::Batch(report)), .. } = done else { panic!("{done:?}") };
            assert_eq!(report.outcome, Outcome::Completed);
            completed += 1;
            if completed % every == 0 {
                waves_judged += u64::from(dispatcher.backlog().prices == 0);
                let cents = [".00", ".01", ".02"][completed % 3];
                let moved = (0..STOCKS).map(|n| (stock(n), p(&format!("{}{cents}", 85 - 5 * n))));
                wave(&moved.collect::<Vec<_>>());
            }
        });
        crowd.clock.run(run).unwrap();
        assert_eq!(completed, PORTFOLIOS, "each is rebalanced once");
        assert!(crowd.ids.iter().all(|id| crowd.engine.judge_now(id).is_none()));
        let Backlog { judged, left_out, .. } = dispatcher.backlog();
        let portfolios = u64::try_from(PORTFOLIOS).unwrap();
        let rounds = u64::try_from(PORTFOLIOS / AT_ONCE.max(every)).unwrap();
        assert!((rounds..rounds + 9).contains(&waves_judged), "{waves_judged} of {rounds}");
        // Each is found, judged when its turn has come, and if it was left out, found again as often as the queue is filled.
        assert!(judged <= 4 * portfolios + 512 * waves_judged, "{judged} for {waves_judged} waves");
        assert!(left_out <= 4 * portfolios, "{left_out} for {waves_judged} waves");
    }
}

#[test]
fn the_market_falls_under_ten_thousand_portfolios() {
    sell_off(10_000);
}

#[test]
#[ignore = "takes about a minute: cargo test -p evenkeel-tests --test it hundred_thousand -- --ignored"]
fn the_market_falls_under_a_hundred_thousand_portfolios() {
    sell_off(100_000);
}
