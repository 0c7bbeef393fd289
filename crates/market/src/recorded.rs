//! Recorded prices: a CSV file, read as a stream.
//!
//! # The format
//!
//! | part | rule |
//! |---|---|
//! | encoding | UTF-8, with or without a byte order mark; lines end in LF or CRLF; blank lines are skipped |
//! | header | the first row; it names `date` or `time`, `symbol`, and `close` or `price`, in any case; other columns are ignored |
//! | time | a date, `2000-01-03`, which is noon UTC of that day; or an RFC 3339 time, in UTC or with an offset |
//! | symbol | up to 16 of `A`-`Z`, `0`-`9`, `.`, `-` and `/`; not `CASH` |
//! | price | digits with at most one point, above zero, at most 9 decimals ([`Options::round_prices`] takes more) |
//! | order | rows in time order; consecutive rows of one time are one wave, with each symbol once |
//!
//! Fields may be quoted, but a quoted field ends on its line: a quote that is never closed would silently hide rows, up
//! to the next quote. Names and values are taken as they stand: no change of case, no trimming. Dates and times may
//! stand in one file, and in a column of either name, since both say a moment; rows of one moment are one wave,
//! whichever way it is written. A row that repeats a symbol of its wave is a fault, also where the price is the same:
//! it is more likely a file that was put together wrongly than something meant.
//!
//! Whoever acts on a file reads it twice: [`check()`] finds every fault, [`CsvWaves`] gives the waves. They read rows
//! with the same code (`rows`), so `CsvWaves` meets a fault if and only if `check` found one, and it is the first of
//! the list.
//!
//! Not here: opening files, spooling pipes, printing.

mod check;
mod fault;
mod fields;
mod header;
mod input;
mod rows;
#[cfg(test)]
#[expect(clippy::as_conversions, clippy::arithmetic_side_effects, reason = "tests count small files")]
mod tests;
mod waves;

use evenkeel_domain::values::Rounding;

pub use check::{CheckReport, check};
pub use fault::{Column, Fault, Problem};
pub use waves::CsvWaves;

/// What a reader of recorded prices may be lenient about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// How prices of more than nine decimals are rounded to nine; `None`: they are faults.
    pub round_prices: Option<Rounding>,
}
