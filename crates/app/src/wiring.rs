//! The only file that names concrete adapters: who makes prices, who executes orders, where records are kept.
//!
//! Everything else of the program sees ports, the domain's values, and the few types below. To use another adapter, change
//! this file.

use crate::exit::Failure;
use crate::faults::{Fault, FileFaults};
use crate::files::Reread;
use clap::CommandFactory;
use clap::error::ErrorKind;
use evenkeel_banchile::{BanChile, Fault as BrokerFault, Profile, Retention as BrokerRetention, Rule};
use evenkeel_domain::books::{Books, Definition};
use evenkeel_domain::order::{Capabilities, Direction, RefusalReason, Refused, Terms};
use evenkeel_domain::values::{OwnerId, PortfolioId, Price, Rounding, StoreId, Symbol, SymbolReason, Timestamp};
use evenkeel_engine::{Engine, EngineError, Ports, Settings};
use evenkeel_market::{CsvWaves, FakeMarket, Listing, Options, Pace, Problem, Volatility};
use evenkeel_memory::{ManualClock, MemoryJournal, MemoryLeases, MemoryNotifier, Retention};
use evenkeel_ports::{Broker, NullObserver, Observer, Wave};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

/// What is in a file of prices, faults apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PriceSummary {
    /// Every symbol that has a row.
    pub(crate) symbols: BTreeSet<Symbol>,
    /// Different times.
    pub(crate) waves: u64,
    /// Rows with a price.
    pub(crate) prices: u64,
    /// Prices that were rounded to nine decimals.
    pub(crate) rounded: u64,
    /// The first and the last time, as written.
    pub(crate) labels: Option<(String, String)>,
    /// False if there may be more symbols, in rows or fields that could not be read.
    pub(crate) complete: bool,
}

/// Finds every fault of a file of prices. `round` takes prices of more than nine decimals, rounded half-even.
///
/// # Errors
/// [`Failure::Dependency`] if the file cannot be read again.
pub(crate) fn check_prices(file: &Reread, round: bool) -> Result<(PriceSummary, FileFaults), Failure> {
    let report = evenkeel_market::check(file.reader()?, file.name(), options(round));
    let mut faults = FileFaults::new(file.name());
    let complete = report.fault_count == u64::try_from(report.faults.len()).unwrap_or(u64::MAX)
        && !report.faults.iter().any(|fault| hides_a_symbol(&fault.problem));
    faults.add_some_of(report.fault_count, report.faults.into_iter().map(fault));
    let summary = PriceSummary {
        symbols: report.symbols,
        waves: report.waves,
        prices: report.prices,
        rounded: report.rounded,
        labels: report.first_label.zip(report.last_label),
        complete,
    };
    Ok((summary, faults))
}

/// The waves of a file of prices, which ends with its first fault.
///
/// # Errors
/// [`Failure::Dependency`] if the file cannot be read again.
pub(crate) fn waves(
    file: &Reread,
    round: bool,
) -> Result<impl Iterator<Item = Result<Wave, FileFaults>> + use<>, Failure> {
    let name = file.name().to_owned();
    let waves: CsvWaves<File> = CsvWaves::new(file.reader()?, &name, options(round));
    Ok(waves.map(move |wave| wave.map_err(|found| FileFaults::of(name.clone(), fault(found)))))
}

fn options(round: bool) -> Options {
    Options { round_prices: round.then_some(Rounding::HalfEven) }
}

fn fault(fault: evenkeel_market::Fault) -> Fault {
    let remedy = fault.remedy();
    let evenkeel_market::Fault { line, column, value, problem, .. } = fault;
    let value = value.map(|value| format!("\"{value}\""));
    Fault { line, field: column.map(Into::into), value, ..Fault::new(problem.to_string(), remedy) }
}

/// Whether there may be a symbol that was not read: one that is missing then is no second fault.
fn hides_a_symbol(problem: &Problem) -> bool {
    match problem {
        Problem::Empty
        | Problem::NoRows
        | Problem::Utf16
        | Problem::NotText
        | Problem::MissingColumn { .. }
        | Problem::RepeatedColumn { .. }
        | Problem::Unreadable { .. }
        | Problem::RowTooLong { .. }
        | Problem::UnclosedQuote
        | Problem::SeveralLines { .. }
        | Problem::FieldCount { .. }
        | Problem::NotUtf8 => true,
        Problem::Symbol(reason) => *reason != SymbolReason::Cash,
        Problem::Time(_) | Problem::OutOfOrder { .. } | Problem::Price(_) | Problem::Repeated { .. } => false,
    }
}

/// Made-up daily prices, ready to be written as CSV.
///
/// # Errors
/// [`Failure::Usage`] if there is no such market.
pub(crate) fn fake_prices(
    seed: u64,
    days: u64,
    symbols: usize,
) -> Result<impl FnOnce(&mut dyn Write) -> io::Result<()>, Failure> {
    let usage = |message: String| crate::args::Cli::command().error(ErrorKind::ValueValidation, message);
    if days > FakeMarket::MOST_DAYS {
        return Err(usage(format!("--days {days}: at most {} are possible", FakeMarket::MOST_DAYS)).into());
    }
    let market =
        FakeMarket::new(seed, symbols, Pace::Days).map_err(|error| usage(format!("--symbols {symbols}: {error}")))?;
    Ok(move |out: &mut dyn Write| evenkeel_market::write_csv(out, market.limited_to(days)))
}

/// A made-up market of these first prices, an hour of trading between two waves.
///
/// # Errors
/// [`Failure::Dependency`] if there is no such market.
pub(crate) fn fake_ticks(
    seed: u64,
    first: &[(Symbol, Price)],
    start: Timestamp,
    ticks: u64,
) -> Result<impl Iterator<Item = Wave> + use<>, Failure> {
    let listings =
        first.iter().map(|(symbol, first)| Listing { symbol: *symbol, first: *first, volatility: Volatility::Wild });
    let pace = Pace::Ticks { start, step: Duration::from_secs(60 * 60) };
    let market = FakeMarket::with_listings(seed, listings, pace);
    Ok(market.map_err(|error| Failure::dependency("making up a market", error))?.limited_to(ticks))
}

/// Has the broker refuse orders of `symbol`, the first `times` that go this way.
pub(crate) fn refuse(broker: &BanChile, symbol: Symbol, direction: Direction, times: u64) {
    broker.script(
        Rule::new(BrokerFault::Refuse(RefusalReason::NotTradable)).symbol(symbol).direction(direction).times(times),
    );
}

/// What the broker `ideal` declares: everything fills at the price, at once, without cost.
pub(crate) fn ideal() -> Capabilities {
    Profile::ideal().capabilities()
}

/// The rules of the broker `ideal` for an order: there are none.
pub(crate) fn ideal_check(_: &Terms) -> Result<(), Refused> {
    Ok(())
}

/// Which simulated broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weather {
    Ideal,
    Calm,
    Storm,
}

/// What a simulation of one portfolio is made from.
pub(crate) struct SimulationPlan {
    pub(crate) id: PortfolioId,
    pub(crate) definition: Definition,
    pub(crate) books: Books,
    pub(crate) weather: Weather,
    pub(crate) settings: Settings,
    pub(crate) seed: u64,
}

/// One portfolio with everything of its own: engine, broker, stores and clock.
pub(crate) struct Simulation {
    pub(crate) engine: Arc<Engine>,
    pub(crate) broker: Arc<BanChile>,
    pub(crate) clock: ManualClock,
    pub(crate) notifier: Arc<MemoryNotifier>,
}

impl Simulation {
    /// For a replay of any length: closed batches are folded, ended orders forgotten, and nobody watches.
    pub(crate) fn lean(plan: SimulationPlan) -> Result<Self, EngineError> {
        Self::new(plan, Timestamp::MIN, Retention::LatestState, BrokerRetention::OrderIds, Arc::new(NullObserver))
    }

    /// For a short story: everything is kept, from this time on.
    pub(crate) fn full(
        plan: SimulationPlan,
        start: Timestamp,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, EngineError> {
        Self::new(plan, start, Retention::Everything, BrokerRetention::Everything, observer)
    }

    /// Opens the account at the broker and adds the portfolio to the engine.
    fn new(
        plan: SimulationPlan,
        start: Timestamp,
        retention: Retention,
        remembered: BrokerRetention,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, EngineError> {
        let SimulationPlan { id, definition, books, weather, settings, seed } = plan;
        let clock = ManualClock::new(start);
        let profile = match weather {
            Weather::Ideal => Profile::ideal(),
            Weather::Calm => Profile::calm(),
            Weather::Storm => Profile::storm(),
        };
        let broker =
            Arc::new(BanChile::new(Profile { retention: remembered, ..profile }, Arc::new(clock.clone()), seed));
        let notifier = Arc::new(MemoryNotifier::new());
        let ports = Ports {
            broker: broker.clone(),
            leases: Arc::new(MemoryLeases::new(Arc::new(clock.clone()))),
            journal: Arc::new(MemoryJournal::new(StoreId::new(u128::from(seed))).with_retention(retention)),
            clock: Arc::new(clock.clone()),
            notifier: notifier.clone(),
            observer,
        };
        // One worker, and nobody to be told from.
        let owner = OwnerId::new("evenkeel").map_err(|error| EngineError::Leases { message: error.to_string() })?;
        let engine = Arc::new(Engine::new(ports, settings, owner));
        let unavailable = |message: String| EngineError::Leases { message };
        let Definition { account, currency, .. } = &definition;
        let opened = broker.open_account(account, *currency, books.cash, books.holdings());
        opened.map_err(|error| unavailable(format!("opening the account of {id}: {error}")))?;
        clock.run(engine.add(&id, definition, books)).map_err(|stuck| unavailable(stuck.to_string()))??;
        Ok(Self { engine, broker, clock, notifier })
    }

    /// What the broker declares.
    pub(crate) fn capabilities(&self) -> Arc<Capabilities> {
        self.broker.capabilities()
    }
}
