//! One engine on several threads: a crash of the market, and as many runs of one dispatcher as there are processors.
//!
//! Everything is in memory, at the ideal simulated broker, whose accounts are spread over several locks. A service spawns the runs on its
//! runtime of several threads instead: `tokio::spawn` takes them as they are.
//!
//! Run it with `cargo run --release -p evenkeel-engine --example threads`.

use evenkeel_banchile::{BanChile, Profile, Retention};
use evenkeel_conformance::suite::block_on;
use evenkeel_domain::allocation::{Target, TargetAllocation};
use evenkeel_domain::books::{Books, Definition};
use evenkeel_domain::policy::Policy;
use evenkeel_domain::values::{PortfolioId, Price, StoreId, Symbol, Timestamp};
use evenkeel_engine::{Dispatched, Dispatcher, DispatcherSettings, Engine, Ports, Rebalanced, Settings};
use evenkeel_memory::{ManualClock, MemoryJournal, MemoryLeases, MemoryNotifier};
use evenkeel_ports::NullObserver;
use std::error::Error;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

const PORTFOLIOS: usize = 1_000;
const HOLDINGS: usize = 50;

fn main() -> Result<(), Box<dyn Error>> {
    let most = thread::available_parallelism()?.get();
    println!("{PORTFOLIOS} portfolios of {HOLDINGS} holdings:");
    for threads in [1, most] {
        let (rebalanced, seconds) = crash(threads)?;
        println!("{threads} threads: {rebalanced} brought back in {seconds:.3} s");
    }
    Ok(())
}

/// Lets the market fall, and gives how many portfolios were brought back, in how many seconds.
fn crash(threads: usize) -> Result<(usize, f64), Box<dyn Error>> {
    let clock = Arc::new(ManualClock::new("2026-01-05T15:00:00Z".parse()?));
    // What is over is forgotten, and no thread waits long for another.
    let profile = Profile { retention: Retention::OrderIds, ..Profile::ideal() };
    let locks = NonZeroUsize::MIN.saturating_add(threads.saturating_mul(8));
    let broker = Arc::new(BanChile::sharded(profile, clock.clone(), 1, locks));
    let journal = MemoryJournal::new(StoreId::new(7)).with_retention(evenkeel_memory::Retention::LatestState);
    let ports = Ports {
        broker: broker.clone(),
        leases: Arc::new(MemoryLeases::new(clock.clone())),
        journal: Arc::new(journal),
        clock,
        notifier: Arc::new(MemoryNotifier::new()),
        observer: Arc::new(NullObserver),
    };
    let engine = Arc::new(Engine::new(ports, Settings::unlimited(), "worker-1".parse()?));
    let symbols: Vec<Symbol> = (0..HOLDINGS).map(|n| format!("S{n:02}").parse()).collect::<Result<_, _>>()?;
    for n in 0..PORTFOLIOS {
        let portfolio: PortfolioId = format!("p{n:04}").parse()?;
        let equal = symbols.iter().map(|symbol| Ok((Target::Symbol(*symbol), "2".parse()?)));
        let allocation = TargetAllocation::new(equal.collect::<Result<Vec<_>, Box<dyn Error>>>()?)?;
        let (currency, policy) = ("USD".parse()?, Policy::default());
        let definition = Definition { account: portfolio.as_str().parse()?, currency, allocation, policy };
        let units = "10".parse()?;
        let books = Books::new("0.00".parse()?, symbols.iter().map(|symbol| (*symbol, units)));
        broker.open_account(&definition.account, currency, books.cash, books.holdings())?;
        block_on(engine.add(&portfolio, definition, books))?;
    }

    let dispatcher = Dispatcher::new(engine, DispatcherSettings::default());
    // Every other stock loses a third.
    let price = |n: usize| if n.is_multiple_of(2) { "100" } else { "66" };
    let prices = symbols.iter().enumerate().map(|(n, symbol)| Ok((*symbol, price(n).parse()?)));
    let prices: Vec<(Symbol, Price)> = prices.collect::<Result<_, Box<dyn Error>>>()?;
    broker.set_prices(prices.iter().copied());
    dispatcher.wave(Timestamp::EPOCH, &prices);

    let run = || {
        let mut rebalanced = 0_usize;
        block_on(dispatcher.run_until_idle(|done| match done {
            Dispatched::Ended { result: Ok(Rebalanced::Batch(_)), .. } => rebalanced = rebalanced.saturating_add(1),
            other @ (Dispatched::Ended { .. } | Dispatched::NotJudged { .. } | Dispatched::NotWatched(_)) => {
                println!("{other:?}");
            }
        }));
        rebalanced
    };
    #[expect(clippy::disallowed_methods, reason = "for people to read; nothing is decided by it")]
    let start = Instant::now();
    let rebalanced = thread::scope(|scope| {
        let runs: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        runs.into_iter().map(|run| run.join().unwrap_or(0)).fold(0, usize::saturating_add)
    });
    Ok((rebalanced, start.elapsed().as_secs_f64()))
}
