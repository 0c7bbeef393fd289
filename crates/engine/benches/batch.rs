//! How fast one whole batch is: lease, snapshot, plan, journal, orders, fills, settling, release. At the end stands how many
//! times as long it takes as planning it alone.
//!
//! All is in memory, and the simulated broker is ideal: what is measured is the engine. `cargo bench -p evenkeel-engine`.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a bench that cannot be set up says so and ends")]
#![expect(clippy::arithmetic_side_effects, reason = "made-up portfolios of known size")]

#[path = "../../domain/benches/support/paired.rs"]
mod paired;

use divan::Bencher;
use evenkeel_banchile::{BanChile, Profile, Retention as OrderRetention};
use evenkeel_domain::allocation::{Target, TargetAllocation};
use evenkeel_domain::books::{Books, Definition};
use evenkeel_domain::plan::Plan;
use evenkeel_domain::policy::Policy;
use evenkeel_domain::record::Outcome;
use evenkeel_domain::report::BatchReport;
use evenkeel_domain::values::{Money, Percentage, PortfolioId, Price, Quantity, StoreId, Symbol, Timestamp};
use evenkeel_engine::{Engine, Ports, Rebalanced, Settings};
use evenkeel_memory::{ManualClock, MemoryJournal, MemoryLeases, MemoryNotifier, Retention};
use evenkeel_ports::NullObserver;
use std::sync::Arc;

const LEGS: [u32; 3] = [3, 10, 50];

fn main() {
    for legs in LEGS {
        let report = World::new(legs).rebalance();
        assert_eq!(report.outcome, Outcome::Completed);
        assert_eq!(report.trades.len(), usize::try_from(legs).unwrap());
    }
    divan::main();
    // Without `--bench` it is run as a test: everything once, and nothing is measured.
    if std::env::args().any(|argument| argument == "--bench") {
        println!("\nA whole batch takes so many times as long as planning it:");
        for legs in LEGS {
            let ratio = paired::ratio(|| World::new(legs), World::rebalance, World::preview);
            println!("  {legs:>2} legs {ratio}");
        }
    }
}

#[divan::bench(args = LEGS)]
fn whole_batch(bencher: Bencher<'_, '_>, legs: u32) {
    bencher.with_inputs(|| World::new(legs)).bench_local_refs(World::rebalance);
}

#[divan::bench(args = LEGS)]
fn preview(bencher: Bencher<'_, '_>, legs: u32) {
    bencher.with_inputs(|| World::new(legs)).bench_local_refs(World::preview);
}

/// An engine with one portfolio of equal targets, every holding of which has just drifted by a tenth, up and down in turns.
struct World {
    clock: ManualClock,
    engine: Engine,
    portfolio: PortfolioId,
}

impl World {
    fn new(holdings: u32) -> Self {
        let clock = ManualClock::new(Timestamp::EPOCH);
        // As in a replay without a store: what is over is folded and forgotten.
        let profile = Profile { retention: OrderRetention::OrderIds, ..Profile::ideal() };
        let broker = Arc::new(BanChile::new(profile, Arc::new(clock.clone()), 1));
        let ports = Ports {
            broker: broker.clone(),
            leases: Arc::new(MemoryLeases::new(Arc::new(clock.clone()))),
            journal: Arc::new(MemoryJournal::new(StoreId::new(7)).with_retention(Retention::LatestState)),
            clock: Arc::new(clock.clone()),
            notifier: Arc::new(MemoryNotifier::new()),
            observer: Arc::new(NullObserver),
        };
        let engine = Engine::new(ports, Settings::unlimited().checked().unwrap(), "bench".parse().unwrap());

        let portfolio: PortfolioId = "growth".parse().unwrap();
        let symbols: Vec<Symbol> = (0..holdings).map(|n| format!("S{n:03}").parse().unwrap()).collect();
        let units = Quantity::from_nanos(100_123_456_789).unwrap();
        let books = Books::new(Money::ZERO, symbols.iter().map(|symbol| (*symbol, units)));
        let prices = (0..).zip(&symbols).map(|(n, symbol)| (*symbol, price(if n % 2 == 0 { 110 } else { 90 })));
        let prices: Vec<(Symbol, Price)> = prices.collect();
        let definition = Definition {
            account: "bench".parse().unwrap(),
            currency: "USD".parse().unwrap(),
            allocation: equal(&symbols),
            policy: Policy::default(),
        };
        broker.open_account(&definition.account, definition.currency, books.cash, books.holdings()).unwrap();
        broker.set_prices(prices.iter().copied());
        clock.run(engine.add(&portfolio, definition, books)).unwrap().unwrap();
        assert_eq!(engine.on_wave(Timestamp::EPOCH, &prices).len(), 1, "it is out of band");
        Self { clock, engine, portfolio }
    }

    fn rebalance(&mut self) -> BatchReport {
        let rebalanced = self.clock.run(self.engine.rebalance(&self.portfolio)).unwrap().unwrap();
        let Rebalanced::Batch(report) = rebalanced else { panic!("it should have traded") };
        *report
    }

    fn preview(&mut self) -> Plan {
        self.clock.run(self.engine.preview(&self.portfolio)).unwrap().unwrap()
    }
}

fn price(dollars: u64) -> Price {
    Price::from_nanos(dollars * 1_000_000_000).unwrap()
}

/// Equal weights; the first takes what does not divide.
fn equal(symbols: &[Symbol]) -> TargetAllocation {
    let count = i64::try_from(symbols.len()).unwrap();
    let share = Percentage::HUNDRED.units() / count;
    let rest = Percentage::HUNDRED.units() - share * count;
    let weight = |n| Percentage::from_units(if n == 0 { share + rest } else { share }).unwrap();
    TargetAllocation::new((0..).zip(symbols).map(|(n, symbol)| (Target::Symbol(*symbol), weight(n)))).unwrap()
}
