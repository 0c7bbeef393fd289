//! The only file that names concrete adapters: who makes prices, who executes orders, where records are kept.
//!
//! Everything else of the program sees ports, the domain's values, and the few types below. To use another adapter, change
//! this file.

mod operator;
mod time;

use crate::exit::Failure;
use crate::faults::{Fault, FileFaults};
use crate::files::Reread;
use clap::CommandFactory;
use clap::error::ErrorKind;
use evenkeel_banchile::{
    AccountError, BanChile, BankFile, Fault as BrokerFault, Profile, Retention as BrokerRetention, Rule,
};
use evenkeel_domain::alert::Alert;
use evenkeel_domain::apply::replay;
use evenkeel_domain::books::{Books, Definition};
use evenkeel_domain::halt::{Halt, Release};
use evenkeel_domain::order::{Capabilities, Direction, FillCursor, RefusalReason, Refused, Terms};
use evenkeel_domain::portfolio::Portfolio;
use evenkeel_domain::values::{
    OwnerId, PortfolioId, Price, Rounding, Sequence, StoreId, Symbol, SymbolReason, Timestamp,
};
use evenkeel_engine::{Engine, EngineError, Ports, Settings};
use evenkeel_market::{CsvWaves, FakeMarket, Listing, Options, Pace, Problem, Volatility};
use evenkeel_memory::{ManualClock, MemoryJournal, MemoryLeases, MemoryNotifier, Retention};
use evenkeel_ports::{Broker, Journal, JournalError, LeaseStore, NullObserver, Observer, Wave};
use evenkeel_sqlite::{Options as StoreOptions, SqliteStore};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use time::{WallClock, resumed_at};

pub(crate) use evenkeel_banchile::BankError;
pub(crate) use operator::Operator;
pub(crate) use time::now;

/// Where records are kept.
pub(crate) type Store = SqliteStore;

/// Where the simulated broker's truth is kept.
pub(crate) type Bank = Arc<BankFile>;

pub(crate) use evenkeel_sqlite::{HaltWord, JournalLine, LeaseStatus, Newer, OpenError, PortfolioStatus, StoreReader};

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

impl Weather {
    fn profile(self) -> Profile {
        match self {
            Self::Ideal => Profile::ideal(),
            Self::Calm => Profile::calm(),
            Self::Storm => Profile::storm(),
        }
    }
}

/// What a simulation of one portfolio is made from.
pub(crate) struct SimulationPlan {
    pub(crate) id: PortfolioId,
    pub(crate) definition: Definition,
    pub(crate) books: Books,
    pub(crate) weather: Weather,
    pub(crate) settings: Settings,
    pub(crate) seed: u64,
    /// Where its records are kept; in memory, if nowhere.
    pub(crate) store: Option<Store>,
    /// Where the broker's truth is kept; in memory, if nowhere.
    pub(crate) bank: Option<Bank>,
}

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// One portfolio with everything of its own, but for a store that all share: engine, broker, stores and clock.
pub(crate) struct Simulation {
    pub(crate) engine: Arc<Engine>,
    pub(crate) broker: Arc<BanChile>,
    pub(crate) clock: ManualClock,
    pub(crate) notifier: Arc<MemoryNotifier>,
    /// When the store's last record of the portfolio was made, or the bank was last asked about it; none if the store has none. Time does not
    /// go back behind it.
    pub(crate) resumed_at: Option<Timestamp>,
}

impl Simulation {
    /// For a replay of any length: closed batches are folded, and ended orders forgotten.
    pub(crate) fn lean(plan: SimulationPlan, at: Timestamp, observer: Arc<dyn Observer>) -> Result<Self, EngineError> {
        Self::new(plan, at, Retention::LatestState, BrokerRetention::OrderIds, observer)
    }

    /// For a short story: everything is kept, from this time on.
    pub(crate) fn full(plan: SimulationPlan, at: Timestamp, observer: Arc<dyn Observer>) -> Result<Self, EngineError> {
        Self::new(plan, at, Retention::Everything, BrokerRetention::Everything, observer)
    }

    /// Opens the account at the broker and adds the portfolio to the engine.
    fn new(
        plan: SimulationPlan,
        start: Timestamp,
        retention: Retention,
        remembered: BrokerRetention,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, EngineError> {
        let SimulationPlan { id, definition, books, weather, settings, seed, store, bank } = plan;
        let clock = ManualClock::new(start);
        let unavailable = |message: String| EngineError::Leases { message };
        let profile = Profile { retention: remembered, ..weather.profile() };
        let is_kept = bank.is_some();
        let broker = match bank {
            None => BanChile::new(profile, Arc::new(clock.clone()), seed),
            Some(bank) => BanChile::kept_in(&bank, &definition.account, profile, Arc::new(clock.clone()))
                .map_err(|error| unavailable(error.to_string()))?,
        };
        let broker = Arc::new(broker);
        let notifier = Arc::new(MemoryNotifier::new());
        let (leases, journal): (Arc<dyn LeaseStore>, Arc<dyn Journal>) = match store {
            Some(store) => (Arc::new(store.clone()), Arc::new(store)),
            None => (
                Arc::new(MemoryLeases::new(Arc::new(clock.clone()))),
                Arc::new(MemoryJournal::new(StoreId::new(u128::from(seed))).with_retention(retention)),
            ),
        };
        let ports = Ports {
            broker: broker.clone(),
            leases,
            journal: Arc::clone(&journal),
            clock: Arc::new(clock.clone()),
            notifier: notifier.clone(),
            observer,
        };
        let owner = OwnerId::new(&format!("replay-{}", std::process::id()));
        let owner = owner.map_err(|error| EngineError::Leases { message: error.to_string() })?;
        let engine = Arc::new(Engine::new(ports, settings, owner));
        let asked_at = is_kept.then(|| broker.time());
        let known = clock.run(engine.load_one(&id)).map_err(|stuck| unavailable(stuck.to_string()))??;
        let resumed_at = clock.run(resumed_at(&*journal, known.as_deref(), asked_at));
        let resumed_at = resumed_at.map_err(|stuck| unavailable(stuck.to_string()))??;
        resumed_at.into_iter().for_each(|at| clock.advance_to(at));
        // The books of a store win over those of the file.
        let owned = known.as_ref().filter(|known| known.is_looked_after()).map_or(&books, |known| &known.books);
        open_account(&broker, &definition, owned, known.as_ref().and_then(|known| known.fills_read.as_ref()))
            .map_err(|error| unavailable(format!("opening the account of {id}: {error}")))?;
        let run = |work: BoxFuture<'_, Result<(), EngineError>>| {
            clock.run(work).map_err(|stuck| unavailable(stuck.to_string()))?
        };
        match known.filter(|known| known.is_looked_after()) {
            None => run(Box::pin(engine.add(&id, definition, books)))?,
            // Nothing to take a lease for: of ten thousand portfolios, each lease would be synced to the disk twice.
            Some(known) if known.definition.as_deref() == Some(&definition) => {}
            // While a batch is open nothing may change: it goes on under the definition it was planned with.
            Some(known) if known.batch.is_none() => run(Box::pin(engine.change(&id, definition)))?,
            Some(_) => {}
        }
        Ok(Self { engine, broker, clock, notifier, resumed_at })
    }

    /// What the broker declares.
    pub(crate) fn capabilities(&self) -> Arc<Capabilities> {
        self.broker.capabilities()
    }
}

/// Opens the account at a broker that does not have it, and lets it go on where its fills have been read to.
fn open_account(
    broker: &BanChile,
    definition: &Definition,
    owned: &Books,
    read: Option<&FillCursor>,
) -> Result<(), AccountError> {
    let Definition { account, currency, .. } = definition;
    // Asked first, as a bank writes down every attempt to open it.
    if broker.ledger(account).is_ok() {
        return Ok(());
    }
    match broker.open_account(account, *currency, owned.cash, owned.holdings()) {
        // Another process on the bank was faster: it has all that has happened there.
        Err(AccountError::AlreadyOpen { .. }) => Ok(()),
        Err(error) => Err(error),
        Ok(()) => read.map_or(Ok(()), |read| broker.continue_after(account, read).map(drop)),
    }
}

/// A store that cannot be opened, or not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error(transparent)]
    Open(OpenError),
    #[error(transparent)]
    Journal(JournalError),
}

/// Opens a store to look at it.
pub(crate) fn look_at_store(path: &Path) -> Result<StoreReader, OpenError> {
    StoreReader::open(path)
}

/// A store for programs whose time is virtual. Its leases go by the wall clock, as those of every process on the file do.
pub(crate) fn open_store(path: &Path) -> Result<Store, OpenError> {
    SqliteStore::open_with(path, Arc::new(WallClock), StoreOptions { blocking: true, ..StoreOptions::default() })
}

/// The bank at `path`, which belongs to this store; it is made if there is none.
pub(crate) fn open_bank(path: &Path, store: &Store, weather: Weather, seed: u64) -> Result<Bank, BankError> {
    let id = at_once(store.store_id()).map_err(|error| BankError::Unavailable {
        path: path.to_owned(),
        message: format!("the store cannot be asked for its id: {error}"),
    })?;
    BankFile::open(path, id, &weather.profile(), seed)
}

/// Lets a halt stand in a store.
pub(crate) fn write_halt(path: &Path, halt: &Halt) -> Result<(), StoreError> {
    let store = open_store(path).map_err(StoreError::Open)?;
    at_once(store.halt(halt)).map_err(StoreError::Journal)
}

/// Takes a halt back in a store. False if there was none.
pub(crate) fn write_release(path: &Path, release: &Release) -> Result<bool, StoreError> {
    let store = open_store(path).map_err(StoreError::Open)?;
    at_once(Journal::release(&store, release)).map_err(StoreError::Journal)
}

/// Takes alerts off the list of those that nobody has read.
pub(crate) fn acknowledge(path: &Path, alerts: &[Alert]) -> Result<(), StoreError> {
    let store = open_store(path).map_err(StoreError::Open)?;
    let acknowledge = |alert| at_once(store.acknowledge_alert(alert)).map_err(StoreError::Journal);
    alerts.iter().try_for_each(acknowledge)
}

/// Waits for what a blocking store answers before it yields.
fn at_once<T>(answer: impl Future<Output = Result<T, JournalError>>) -> Result<T, JournalError> {
    ManualClock::new(Timestamp::EPOCH).run(answer).unwrap_or_else(|stuck| {
        Err(JournalError::Unavailable { doing: "waiting for the store".to_owned(), message: stuck.to_string() })
    })
}

/// A store and its bank, for operators.
pub(crate) struct Desk {
    store: Store,
    reader: StoreReader,
    bank: Bank,
    profile: Profile,
}

/// Why they cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeskError {
    #[error(transparent)]
    Store(OpenError),
    #[error(transparent)]
    Bank(BankError),
}

impl Desk {
    /// Opens both, which must be there and belong together.
    pub(crate) fn open(store: &Path, bank: &Path) -> Result<Self, DeskError> {
        let reader = look_at_store(store).map_err(DeskError::Store)?;
        let unread = |error: JournalError| {
            DeskError::Bank(BankError::Unavailable { path: bank.to_owned(), message: error.to_string() })
        };
        let id = reader.store_id().map_err(unread)?;
        let kinds = [Profile::ideal(), Profile::calm(), Profile::storm()];
        let (bank, profile) = BankFile::find(bank, id, kinds).map_err(DeskError::Bank)?;
        let store = open_store(store).map_err(DeskError::Store)?;
        Ok(Self { store, reader, bank, profile })
    }

    /// Every portfolio that is looked after, and whether a batch of it is open.
    pub(crate) fn portfolios(&self) -> Result<Vec<(PortfolioId, bool)>, JournalError> {
        let portfolios = self.reader.portfolios()?.into_iter();
        let looked_after = portfolios.filter(|status| status.standing != "absent");
        Ok(looked_after.map(|status| (status.portfolio, status.open_batch.is_some())).collect())
    }

    /// Somebody who works on one portfolio, from the time of its last record on, or from the bank's own if that is later: a store that was restored
    /// from a backup is behind its bank.
    ///
    /// Its engine has no limits ([`Settings::unlimited`]), as it opens no batch: one that is open or tried again keeps the rules and the limits that
    /// its opening record holds.
    pub(crate) fn operator(&self, id: &PortfolioId) -> Result<Operator, EngineError> {
        let unavailable = |message: String| EngineError::Leases { message };
        let last = self.reader.portfolio(id).map_err(EngineError::Journal)?.map(|status| status.changed_at);
        let clock = ManualClock::new(last.unwrap_or(Timestamp::EPOCH));
        let nobody = || EngineError::NoSuchPortfolio { portfolio: id.clone() };
        let records = at_once(self.store.read(id, Sequence::ZERO)).map_err(EngineError::Journal)?;
        let state = replay(Portfolio::new(id.clone()), records.iter().map(|entry| &entry.record));
        let state = state.map_err(|cause| EngineError::Damaged { portfolio: id.clone(), cause })?;
        let account = state.definition.as_ref().ok_or_else(nobody)?.account.clone();
        let profile = Profile { retention: BrokerRetention::OrderIds, ..self.profile.clone() };
        let broker = BanChile::kept_in(&self.bank, &account, profile, Arc::new(clock.clone()))
            .map_err(|error| unavailable(error.to_string()))?;
        clock.advance_to(broker.time());
        let ports = Ports {
            broker: Arc::new(broker),
            leases: Arc::new(self.store.clone()),
            journal: Arc::new(self.store.clone()),
            clock: Arc::new(clock.clone()),
            notifier: Arc::new(MemoryNotifier::new()),
            observer: Arc::new(NullObserver),
        };
        let owner = OwnerId::new(&format!("operator-{}", std::process::id()));
        let owner = owner.map_err(|error| unavailable(error.to_string()))?;
        let engine = Engine::new(ports.clone(), Settings::unlimited(), owner);
        let store = at_once(self.store.store_id()).map_err(EngineError::Journal)?;
        let operator = Operator { id: id.clone(), account, store, engine, broker: ports.broker, clock, state };
        operator.run(operator.engine.load_one(id)).map(drop)?;
        Ok(operator)
    }
}
