//! The first pass over a file of prices: everything that is wrong with it, and how much of what it has.
//!
//! It keeps one entry per symbol and nothing per row. The second pass is [`super::CsvWaves`].

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use evenkeel_domain::values::{Price, Symbol, Timestamp};

use super::Options;
use super::fault::Fault;
use super::rows::{Row, Rows};

/// What [`check`] found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckReport {
    /// The file, as the caller names it.
    pub source_name: String,
    /// Rows without the header, faulty ones included.
    pub rows: u64,
    /// Different times, of rows in order.
    pub waves: u64,
    /// Every symbol there is.
    pub symbols: BTreeSet<Symbol>,
    /// Rows with a valid price.
    pub prices: u64,
    /// Prices that were rounded to nine decimals: digits other than zeros were lost.
    pub rounded: u64,
    /// The first time, as it is written.
    pub first_label: Option<String>,
    /// The last time, as it is written.
    pub last_label: Option<String>,
    /// The first faults, in the file's order, at most [`CheckReport::MOST_FAULTS`].
    pub faults: Vec<Fault>,
    /// How many faults there are.
    pub fault_count: u64,
}

impl CheckReport {
    /// How many faults are kept; the others are counted.
    pub const MOST_FAULTS: usize = 100;

    /// Whether there is no fault.
    pub fn is_clean(&self) -> bool {
        self.fault_count == 0
    }

    fn note(&mut self, fault: Fault) {
        self.fault_count = self.fault_count.saturating_add(1);
        if self.faults.len() < Self::MOST_FAULTS {
            self.faults.push(fault);
        }
    }
}

/// Reads all of a file and finds every fault in it.
///
/// A file without any is what [`super::CsvWaves`] reads to its end without a fault, given the same options. A fault of
/// the whole file (its encoding, its header, that it cannot be read on) ends the search. A row over several lines, or
/// with another number of fields than the header, is one fault, since which field is which is unclear then; otherwise
/// each field of a row has its own.
pub fn check<R: Read>(reader: R, source_name: &str, options: Options) -> CheckReport {
    let mut rows = Rows::new(reader, source_name, options);
    let mut report = CheckReport { source_name: source_name.to_owned(), ..CheckReport::default() };
    let mut seen = Seen::default();
    while let Some(row) = rows.next(&mut |fault| report.note(fault)) {
        seen.count(&rows, row, &mut report);
    }
    report.last_label = seen.last_label;
    report.symbols = seen.symbols.into_keys().collect();
    report
}

/// What must be known of the rows above to judge the next.
#[derive(Default)]
struct Seen {
    /// Each symbol, with the number of the wave that priced it last.
    symbols: BTreeMap<Symbol, Option<(u64, Price)>>,
    at: Option<Timestamp>,
    last_label: Option<String>,
}

impl Seen {
    fn count<R: Read>(&mut self, rows: &Rows<R>, row: Row, report: &mut CheckReport) {
        report.rows = report.rows.saturating_add(1);
        if row.at.is_some() && row.at != self.at {
            self.at = row.at;
            report.waves = report.waves.saturating_add(1);
            report.first_label.get_or_insert_with(|| rows.label().to_owned());
            self.last_label = Some(rows.label().to_owned());
        }
        if let Some((_, rounded)) = row.price {
            report.prices = report.prices.saturating_add(1);
            report.rounded = report.rounded.saturating_add(u64::from(rounded));
        }
        let Some(symbol) = row.symbol else { return };
        let last = self.symbols.entry(symbol).or_default();
        let (Some(_), Some((price, _))) = (row.at, row.price) else { return };
        match *last {
            Some((wave, first)) if wave == report.waves => {
                let at = self.last_label.as_deref().unwrap_or_default();
                report.note(rows.repeated(row.line, at, symbol, first, price));
            }
            Some(_) | None => *last = Some((report.waves, price)),
        }
    }
}
