//! The second pass over a file of prices: its waves, one by one.
//!
//! Memory is one wave and one chunk of the file. Everything that is wrong is found by [`super::check()`]; this stops at
//! the first fault.

use std::io::Read;

use async_trait::async_trait;
use evenkeel_domain::values::{Price, Symbol, Timestamp};
use evenkeel_ports::{PriceSource, PriceSourceError, Wave};

use super::Options;
use super::fault::Fault;
use super::rows::{Row, Rows};

/// The waves of a file of prices, as an iterator and as a [`PriceSource`].
///
/// The first fault ends it: nothing comes after it, and a wave with a fault in it or right behind it is not handed out.
/// As a [`PriceSource`] it reads while it is polled, so its future is ready at once and blocks for as long as the file
/// does.
pub struct CsvWaves<R> {
    rows: Rows<R>,
    /// The wave that is being read; the row that ended the one before is in it already.
    open: Option<Open>,
    ended: bool,
}

struct Open {
    at: Timestamp,
    label: String,
    prices: Vec<(Symbol, Price)>,
    /// The line of each price.
    lines: Vec<u64>,
}

impl<R: Read> CsvWaves<R> {
    /// The waves of what `reader` gives, which needs no buffer of its own; `source_name` is what faults call it.
    pub fn new(reader: R, source_name: &str, options: Options) -> Self {
        Self { rows: Rows::new(reader, source_name, options), open: None, ended: false }
    }

    fn advance(&mut self) -> Result<Option<Wave>, Fault> {
        loop {
            let mut first_fault = None;
            let row = self.rows.next(&mut |fault| {
                first_fault.get_or_insert(fault);
            });
            if let Some(fault) = first_fault {
                // The rows before it come first, also with what is wrong with them.
                self.close(None)?;
                return Err(fault);
            }
            let Some(row) = row else { return self.close(None) };
            // All three are there: what is missing was a fault.
            let Row { line, at: Some(at), symbol: Some(symbol), price: Some((price, _)) } = row else { continue };
            match &mut self.open {
                Some(open) if open.at == at => open.push(line, symbol, price),
                Some(_) | None => {
                    let size = self.open.as_ref().map_or(0, |open| open.prices.len());
                    let mut next = Open::new(at, self.rows.label().to_owned(), size);
                    next.push(line, symbol, price);
                    if let Some(wave) = self.close(Some(next))? {
                        return Ok(Some(wave));
                    }
                }
            }
        }
    }

    /// Ends the wave that is being read and begins the next.
    fn close(&mut self, next: Option<Open>) -> Result<Option<Wave>, Fault> {
        match std::mem::replace(&mut self.open, next) {
            Some(open) => open.into_wave(&self.rows).map(Some),
            None => Ok(None),
        }
    }
}

impl Open {
    fn new(at: Timestamp, label: String, size: usize) -> Self {
        Self { at, label, prices: Vec::with_capacity(size), lines: Vec::with_capacity(size) }
    }

    fn push(&mut self, line: u64, symbol: Symbol, price: Price) {
        self.prices.push((symbol, price));
        self.lines.push(line);
    }

    fn into_wave<R: Read>(self, rows: &Rows<R>) -> Result<Wave, Fault> {
        let Self { at, label, mut prices, lines } = self;
        if !prices.is_sorted_by(|(left, _), (right, _)| left < right) {
            if let Some((line, symbol, first, second)) = repetition(&prices, &lines) {
                return Err(rows.repeated(line, &label, symbol, first, second));
            }
            prices.sort_unstable_by_key(|(symbol, _)| *symbol);
        }
        Ok(Wave { at, label, prices })
    }
}

/// The first line that prices a symbol again.
fn repetition(prices: &[(Symbol, Price)], lines: &[u64]) -> Option<(u64, Symbol, Price, Price)> {
    let mut sorted: Vec<_> = prices.iter().zip(lines).collect();
    sorted.sort_unstable_by_key(|((symbol, _), line)| (*symbol, **line));
    let pairs = sorted.iter().zip(sorted.iter().skip(1));
    let repeated = pairs.filter(|(((symbol, _), _), ((next, _), _))| symbol == next);
    let first = repeated.min_by_key(|(_, (_, line))| **line);
    first.map(|(((_, first), _), ((symbol, second), line))| (**line, *symbol, *first, *second))
}

impl<R: Read> Iterator for CsvWaves<R> {
    type Item = Result<Wave, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let wave = self.advance().transpose();
        self.ended = !matches!(wave, Some(Ok(_)));
        wave
    }
}

impl<R: Read> std::iter::FusedIterator for CsvWaves<R> {}

#[async_trait]
impl<R: Read + Send> PriceSource for CsvWaves<R> {
    async fn next_wave(&mut self) -> Result<Option<Wave>, PriceSourceError> {
        self.next().transpose().map_err(|fault| PriceSourceError {
            source_name: self.rows.source_name().to_owned(),
            cause: Box::new(fault),
        })
    }
}
