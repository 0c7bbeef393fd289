//! The only file that names concrete adapters: who makes prices, who executes orders, where records are kept.
//!
//! Everything else of the program sees ports, the domain's values, and the few types below. To use another adapter, change
//! this file.

use crate::exit::Failure;
use crate::faults::{Fault, FileFaults};
use crate::files::Reread;
use clap::CommandFactory;
use clap::error::ErrorKind;
use evenkeel_domain::order::{Capabilities, Costs, Duplicates, Refused, Terms};
use evenkeel_domain::values::{Lot, Money, Rounding, Symbol};
use evenkeel_market::{CsvWaves, FakeMarket, Options, Pace, Problem};
use evenkeel_ports::Wave;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Write};
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
    /// False if reading ended early, so that there may be more symbols.
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
        && !report.faults.iter().any(|fault| ends_reading(&fault.problem));
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
pub(crate) fn waves(file: &Reread, round: bool) -> Result<impl Iterator<Item = Result<Wave, FileFaults>> + use<>, Failure> {
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
    Fault { line, field: column, value, ..Fault::new(problem.to_string(), remedy) }
}

fn ends_reading(problem: &Problem) -> bool {
    match problem {
        Problem::Empty
        | Problem::NoRows
        | Problem::Utf16
        | Problem::NotText
        | Problem::MissingColumn { .. }
        | Problem::RepeatedColumn { .. }
        | Problem::Unreadable { .. }
        | Problem::RowTooLong { .. }
        | Problem::UnclosedQuote => true,
        Problem::FieldCount { .. }
        | Problem::NotUtf8
        | Problem::Time(_)
        | Problem::OutOfOrder { .. }
        | Problem::Symbol(_)
        | Problem::Price(_)
        | Problem::Repeated { .. } => false,
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
    let market = FakeMarket::new(seed, symbols, Pace::Days).map_err(|error| usage(format!("--symbols {symbols}: {error}")))?;
    Ok(move |out: &mut dyn Write| evenkeel_market::write_csv(out, market.limited_to(days)))
}

/// What the broker `ideal` declares: everything fills at the price, at once, without cost.
pub(crate) fn ideal() -> Capabilities {
    Capabilities {
        name: "ideal".to_owned(),
        duplicates: Duplicates::Refused,
        costs: Costs::FREE,
        fills_rounded: false,
        collar_bps: 0,
        minimum_order: Money::ZERO,
        lot: Lot::FINEST,
        lots: BTreeMap::new(),
        quiescence: Duration::ZERO,
        visibility_horizon: Duration::ZERO,
    }
}

/// The rules of the broker `ideal` for an order: there are none.
pub(crate) fn ideal_check(_: &Terms) -> Result<(), Refused> {
    Ok(())
}
