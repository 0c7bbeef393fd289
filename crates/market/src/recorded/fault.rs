//! What can be wrong with a file of prices, where it is, and what would be right.
//!
//! Every problem is a variant with its numbers; the texts are made here and nowhere else. Which row has which problem
//! is found in [`super::rows`].

use std::fmt;
use std::io;

use evenkeel_domain::values::{ParseReason, Price, SymbolReason, Timestamp, TimestampReason};

/// Something wrong with a file of prices.
///
/// Printed as `prices.csv:17: close: "0": a price is above zero; …`: where, the field, its value, what is wrong, and
/// what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file, as the caller names it.
    pub source_name: String,
    /// The line on which the row starts, from 1; `None` when the whole file is meant.
    pub line: Option<u64>,
    /// The column, as the header names it; `None` when the whole row or file is meant.
    pub column: Option<&'static str>,
    /// What the field holds, escaped and shortened to 40 characters.
    pub value: Option<String>,
    /// What is wrong.
    pub problem: Problem,
}

/// A column that every file of prices has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// When the price was: `date` or `time`.
    Time,
    /// What was priced: `symbol`.
    Symbol,
    /// The price: `close` or `price`.
    Price,
}

/// What is wrong with a file, a row or a field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// There is not even a header.
    #[error("the file is empty")]
    Empty,
    /// There is only a header.
    #[error("there is a header, but no row")]
    NoRows,
    /// The file starts with the byte order mark of UTF-16.
    #[error("the file is UTF-16")]
    Utf16,
    /// The header has zero bytes, or bytes that are not UTF-8.
    #[error("the file is not text")]
    NotText,
    /// A column is not there.
    #[error("there is no column {wanted}, only {found}")]
    MissingColumn {
        /// The column.
        wanted: Column,
        /// The columns there are, escaped and shortened.
        found: String,
    },
    /// A column is there more than once.
    #[error("{count} columns are named {column}, so which of them counts is unclear")]
    RepeatedColumn {
        /// The column.
        column: Column,
        /// How many there are.
        count: usize,
    },
    /// The file cannot be read, or not to its end.
    #[error("the file cannot be read: {message}")]
    Unreadable {
        /// The kind of failure.
        kind: io::ErrorKind,
        /// The failure in the words of the system.
        message: String,
    },
    /// A row goes on and on, so that keeping it would take too much memory.
    #[error("the row is longer than {most} bytes")]
    RowTooLong {
        /// The most a row may have. Rows of up to three quarters of it are certain to be read.
        most: u64,
    },
    /// The file ends inside of a quoted field.
    #[error("a quote is opened and never closed")]
    UnclosedQuote,
    /// A quoted field has a line end in it, so that it may hide rows.
    #[error("a quoted field goes on to line {last}")]
    SeveralLines {
        /// The line on which the row ends.
        last: u64,
    },
    /// A row has more or fewer fields than the header.
    #[error("the row has {found} fields, the header has {wanted}")]
    FieldCount {
        /// How many the row has.
        found: usize,
        /// How many the header has.
        wanted: usize,
    },
    /// A field is not UTF-8.
    #[error("it is not UTF-8")]
    NotUtf8,
    /// A field is no date and no time.
    #[error("{}", of_time(*.0))]
    Time(TimestampReason),
    /// A row is earlier than the one before it.
    #[error("rows are in time order, and an earlier row is of {latest}")]
    OutOfOrder {
        /// The latest time before this row, as it is written.
        latest: String,
    },
    /// A field is no symbol.
    #[error("{}", of_symbol(*.0))]
    Symbol(SymbolReason),
    /// A field is no price.
    #[error("{}", of_price(*.0))]
    Price(ParseReason),
    /// A symbol has two prices at one time.
    #[error("it is priced twice at {at}, {}", both(*.first, *.second))]
    Repeated {
        /// The time, as it is written where it starts.
        at: String,
        /// The price further up.
        first: Price,
        /// The price in this row.
        second: Price,
    },
}

impl Problem {
    /// What would be right.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Empty => "start it with the header date,symbol,close and give each price a row",
            Self::NoRows => "give each price a row, like 2000-01-03,AAPL,27.97",
            Self::Utf16 => "save it as UTF-8",
            Self::NotText => "give a CSV file saved as UTF-8, not compressed and not a spreadsheet",
            Self::MissingColumn { .. } => "name it so in the header",
            Self::RepeatedColumn { .. } => "keep one, or give the others another name",
            Self::Unreadable { .. } => "give a file that can be read",
            Self::RowTooLong { .. } => "end the row, or close its quote",
            Self::UnclosedQuote | Self::SeveralLines { .. } => "close the quote on its line, or remove it",
            Self::FieldCount { .. } => "give it as many as the header, and quote a field with a comma in it",
            Self::NotUtf8 => "save the file as UTF-8",
            Self::Time(reason) => remedy_for_time(*reason),
            Self::OutOfOrder { .. } => "sort the rows by time",
            Self::Symbol(reason) => remedy_for_symbol(*reason),
            Self::Price(reason) => remedy_for_price(*reason),
            Self::Repeated { .. } => "keep one row for each symbol and time",
        }
    }
}

fn of_time(reason: TimestampReason) -> String {
    match reason {
        TimestampReason::Form => "it is neither a date nor a time".to_owned(),
        TimestampReason::NoSuchMoment => "there is no such day, or no such time of day".to_owned(),
        TimestampReason::OutOfRange => format!("it is not from {} to {}", Timestamp::MIN, Timestamp::MAX),
    }
}

fn remedy_for_time(reason: TimestampReason) -> &'static str {
    match reason {
        TimestampReason::Form => "write it like 2000-01-03, 2000-01-03T14:30:00Z or 2000-01-03T09:30:00-05:00",
        TimestampReason::NoSuchMoment | TimestampReason::OutOfRange => "correct it, or leave the row out",
    }
}

fn of_symbol(reason: SymbolReason) -> String {
    match reason {
        SymbolReason::Empty => "it is empty".to_owned(),
        SymbolReason::TooLong => "it has more than 16 characters".to_owned(),
        SymbolReason::Start => "it starts with neither a letter nor a digit".to_owned(),
        SymbolReason::Character(char) => format!("no symbol has {char:?}, only A-Z, 0-9, '.', '-' and '/'"),
        SymbolReason::Cash => "it stands for the money itself".to_owned(),
    }
}

fn remedy_for_symbol(reason: SymbolReason) -> &'static str {
    match reason {
        SymbolReason::Empty => "write the symbol, or leave the row out",
        SymbolReason::TooLong | SymbolReason::Start | SymbolReason::Character(_) => {
            "write it as the exchange does, like AAPL or BRK.B"
        }
        SymbolReason::Cash => "leave the row out: cash needs no price",
    }
}

fn of_price(reason: ParseReason) -> String {
    match reason {
        ParseReason::Empty => "it is empty".to_owned(),
        ParseReason::NotDecimal => "it is not digits with at most one point between them".to_owned(),
        ParseReason::LeadingZero => "it starts with a surplus zero".to_owned(),
        ParseReason::TooManyDecimals { found, allowed } => {
            format!("it has {found} decimals, at most {allowed} are allowed")
        }
        ParseReason::Negative | ParseReason::Zero => "a price is above zero".to_owned(),
        ParseReason::OutOfRange { maximum } => format!("a price is at most {maximum}"),
    }
}

fn remedy_for_price(reason: ParseReason) -> &'static str {
    match reason {
        ParseReason::Empty => "write the price, or leave the row out",
        ParseReason::NotDecimal => "write it like 12.5: no exponent, no sign, no separators, no currency",
        ParseReason::LeadingZero => "write it without that zero",
        ParseReason::TooManyDecimals { .. } => "write 9, or ask for rounding (--round-prices)",
        ParseReason::Negative | ParseReason::Zero => "at least 0.000000001; leave the row out where nothing was traded",
        ParseReason::OutOfRange { .. } => "correct it, or leave the row out",
    }
}

fn both(first: Price, second: Price) -> String {
    if first == second { format!("both times at {first}") } else { format!("at {first} and at {second}") }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Time => "date (or time)",
            Self::Symbol => "symbol",
            Self::Price => "close (or price)",
        })
    }
}

impl Fault {
    /// What would be right.
    pub fn remedy(&self) -> &'static str {
        self.problem.remedy()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source_name)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        f.write_str(": ")?;
        if let Some(column) = &self.column {
            write!(f, "{column}: ")?;
        }
        if let Some(value) = &self.value {
            write!(f, "\"{value}\": ")?;
        }
        write!(f, "{}; {}", self.problem, self.remedy())
    }
}

impl std::error::Error for Fault {}

/// Bytes of a file for a message: escaped, and at most 40 characters of them.
pub(super) fn shorten(bytes: &[u8]) -> String {
    const LONGEST: usize = 40;
    match std::str::from_utf8(bytes) {
        Ok(text) => cut(text.chars(), LONGEST, |char| char.escape_debug()),
        Err(_) => cut(bytes.iter().copied(), LONGEST, |byte| std::ascii::escape_default(byte).map(char::from)),
    }
}

fn cut<T, E: Iterator<Item = char>>(
    mut items: impl Iterator<Item = T>,
    longest: usize,
    escape: impl Fn(T) -> E,
) -> String {
    let mut shown: String = items.by_ref().take(longest).flat_map(escape).collect();
    if items.next().is_some() {
        shown.push('…');
    }
    shown
}
