//! Rows one by one, with their line and every fault in them.
//!
//! This is the only place that says whether a row is right; only what takes several rows together, a symbol twice in a
//! wave, is left to [`super::check()`] and [`super::waves`]. One record is reused for all rows, the columns are found
//! once, and a time equal to that of the row before is not read again.

use std::io::Read;

use csv::{ByteRecord, Position, ReaderBuilder, Terminator};
use evenkeel_domain::values::{Price, Symbol, Timestamp};

use super::fault::{Column, Fault, Problem, shorten};
use super::header::Header;
use super::input::{CHUNK, END, Input, LONGEST_ROW};
use super::{Options, fields};

/// One row; what is wrong in it is absent, and was handed out as a fault.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// The line on which it starts, from 1.
    pub(super) line: u64,
    /// Absent also where the row is out of order.
    pub(super) at: Option<Timestamp>,
    pub(super) symbol: Option<Symbol>,
    /// With whether it was rounded.
    pub(super) price: Option<(Price, bool)>,
}

/// The rows of a file.
pub(super) struct Rows<R> {
    csv: csv::Reader<Input<R>>,
    record: ByteRecord,
    source_name: String,
    options: Options,
    header: Option<Header>,
    latest: Option<Latest>,
    ended: bool,
}

/// The latest time so far.
struct Latest {
    text: Vec<u8>,
    at: Timestamp,
}

enum Step {
    Row,
    End,
    /// It ends here, with the line on which that starts.
    Broken(u64, Problem),
}

impl<R: Read> Rows<R> {
    pub(super) fn new(reader: R, source_name: &str, options: Options) -> Self {
        let csv = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            // LF only: with CRLF the reader stops at the CR, and its line numbers are one behind. The CR is cut off
            // below.
            .terminator(Terminator::Any(b'\n'))
            .buffer_capacity(CHUNK)
            .from_reader(Input::new(reader));
        Self {
            csv,
            record: ByteRecord::new(),
            source_name: source_name.to_owned(),
            options,
            header: None,
            latest: None,
            ended: false,
        }
    }

    pub(super) fn source_name(&self) -> &str {
        &self.source_name
    }

    /// The latest time so far, as it is written; of the row just read, where that has a time.
    pub(super) fn label(&self) -> &str {
        self.latest.as_ref().and_then(|latest| std::str::from_utf8(&latest.text).ok()).unwrap_or_default()
    }

    /// The next row, and what is wrong with it or with the whole file; nothing at the end, and after a fault that ends
    /// it.
    pub(super) fn next(&mut self, found: &mut impl FnMut(Fault)) -> Option<Row> {
        if self.ended {
            return None;
        }
        let is_first = self.header.is_none();
        if is_first {
            match self.read_header() {
                Ok(header) => self.header = Some(header),
                Err(faults) => {
                    self.ended = true;
                    faults.into_iter().for_each(found);
                    return None;
                }
            }
        }
        match self.advance() {
            Step::Row => return Some(self.read_row(found)),
            Step::End if is_first => found(self.fault(None, Problem::NoRows)),
            Step::End => {}
            Step::Broken(line, problem) => found(self.fault(Some(line), problem)),
        }
        self.ended = true;
        None
    }

    fn read_header(&mut self) -> Result<Header, Vec<Fault>> {
        match self.advance() {
            Step::Row => {}
            Step::End => return Err(vec![self.fault(None, Problem::Empty)]),
            Step::Broken(line, problem) => return Err(vec![self.fault(Some(line), problem)]),
        }
        let (line, inner) = self.lines();
        if inner > 0 {
            return Err(vec![self.several_lines(line, inner)]);
        }
        let fields: Vec<&[u8]> = (0..self.record.len()).map(|at| self.field(at)).collect();
        Header::read(&fields)
            .map_err(|problems| problems.into_iter().map(|problem| self.fault(Some(line), problem)).collect())
    }

    fn read_row(&mut self, found: &mut impl FnMut(Fault)) -> Row {
        let (line, inner) = self.lines();
        let mut row = Row { line, at: None, symbol: None, price: None };
        let Some(header) = &self.header else { return row };
        if inner > 0 {
            found(self.several_lines(line, inner));
            return row;
        }
        let (time, symbol, price) = (header.time, header.symbol, header.price);
        if self.record.len() != header.fields {
            let problem = Problem::FieldCount { found: self.record.len(), wanted: header.fields };
            found(self.fault(Some(row.line), problem));
            return row;
        }
        match self.read_time(time) {
            Ok(at) => row.at = Some(at),
            Err(problem) => found(self.field_fault(row.line, Column::Time, time, problem)),
        }
        match fields::symbol(self.field(symbol)) {
            Ok(found) => row.symbol = Some(found),
            Err(problem) => found(self.field_fault(row.line, Column::Symbol, symbol, problem)),
        }
        match fields::price(self.field(price), self.options.round_prices) {
            Ok(found) => row.price = Some(found),
            Err(problem) => found(self.field_fault(row.line, Column::Price, price, problem)),
        }
        row
    }

    fn read_time(&mut self, column: usize) -> Result<Timestamp, Problem> {
        let field = self.field(column);
        if let Some(latest) = &self.latest
            && latest.text == field
        {
            return Ok(latest.at);
        }
        let at = fields::time(field)?;
        let text = field.to_vec();
        if let Some(latest) = &self.latest
            && at < latest.at
        {
            return Err(Problem::OutOfOrder { latest: shorten(&latest.text) });
        }
        self.latest = Some(Latest { text, at });
        Ok(at)
    }

    /// Reads the next row that is not blank into the record.
    fn advance(&mut self) -> Step {
        loop {
            self.csv.get_mut().row_ended();
            match self.csv.read_byte_record(&mut self.record) {
                Ok(true) => {}
                Ok(false) => return Step::End,
                Err(error) => return Step::Broken(self.started().line(), self.unreadable(error)),
            }
            if self.csv.get_ref().ends_at(self.csv.position().byte()) {
                let is_end = self.record.len() == 1 && self.record.get(0) == END.get(1..2);
                let is_after = self.csv.position().line().saturating_sub(self.inner_lines());
                return if is_end { Step::End } else { Step::Broken(is_after, Problem::UnclosedQuote) };
            }
            let is_blank = self.record.len() == 1 && self.record.get(0) == Some(b"\r");
            if !is_blank {
                return Step::Row;
            }
        }
    }

    fn unreadable(&self, error: csv::Error) -> Problem {
        if self.csv.get_ref().too_long() {
            return Problem::RowTooLong { most: LONGEST_ROW };
        }
        let csv::ErrorKind::Io(error) = error.into_kind() else {
            // Never so for bytes in rows of any number of fields.
            return Problem::NotText;
        };
        Problem::Unreadable { kind: error.kind(), message: error.to_string() }
    }

    /// The line on which the row just read starts, and how many line ends it has inside. Blank lines above do not
    /// matter.
    fn lines(&self) -> (u64, u64) {
        let (start, next) = (self.started().line(), self.csv.position().line());
        if start.saturating_add(1) == next {
            return (start, 0);
        }
        let inner = self.inner_lines();
        (next.saturating_sub(1).saturating_sub(inner), inner)
    }

    /// Where reading of this row began, which is before the blank lines above it.
    fn started(&self) -> &Position {
        self.record.position().unwrap_or(self.csv.position())
    }

    fn inner_lines(&self) -> u64 {
        let count = self.record.as_slice().iter().filter(|byte| **byte == b'\n').count();
        u64::try_from(count).unwrap_or(u64::MAX)
    }

    /// A field of the row; without the CR where the line ends in CRLF.
    fn field(&self, at: usize) -> &[u8] {
        let field = self.record.get(at).unwrap_or_default();
        let is_last = at.saturating_add(1) == self.record.len();
        if is_last { field.strip_suffix(b"\r").unwrap_or(field) } else { field }
    }

    fn fault(&self, line: Option<u64>, problem: Problem) -> Fault {
        Fault { source_name: self.source_name.clone(), line, column: None, value: None, problem }
    }

    fn several_lines(&self, line: u64, inner: u64) -> Fault {
        self.fault(Some(line), Problem::SeveralLines { last: line.saturating_add(inner) })
    }

    fn field_fault(&self, line: u64, column: Column, at: usize, problem: Problem) -> Fault {
        Fault {
            column: self.header.as_ref().map(|header| header.name(column)),
            value: Some(shorten(self.field(at))),
            ..self.fault(Some(line), problem)
        }
    }

    /// The fault of a row that gives a symbol a second price at one time.
    pub(super) fn repeated(&self, line: u64, at: &str, symbol: Symbol, first: Price, second: Price) -> Fault {
        Fault {
            column: self.header.as_ref().map(|header| header.name(Column::Symbol)),
            value: Some(symbol.to_string()),
            ..self.fault(Some(line), Problem::Repeated { at: at.to_owned(), first, second })
        }
    }
}
