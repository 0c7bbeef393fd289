//! The header: whether this is a CSV file of prices at all, and where its columns are.

use super::fault::{Column, Problem, shorten};

/// Where the columns are, and how many there are with those that nobody looks at.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) time: usize,
    pub(super) symbol: usize,
    pub(super) price: usize,
    pub(super) fields: usize,
    names: [&'static str; 3],
}

impl Column {
    /// The names that a header may give it, in any case: `Date,Symbol,Close` is as good.
    const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Time => &["date", "time"],
            Self::Symbol => &["symbol"],
            Self::Price => &["close", "price"],
        }
    }
}

impl Header {
    /// Finds the columns, or everything that is wrong with the header.
    pub(super) fn read(fields: &[&[u8]]) -> Result<Self, Vec<Problem>> {
        is_text(fields).map_err(|problem| vec![problem])?;
        match [Column::Time, Column::Symbol, Column::Price].map(|column| find(fields, column)) {
            [Ok((time, time_name)), Ok((symbol, symbol_name)), Ok((price, price_name))] => {
                let names = [time_name, symbol_name, price_name];
                Ok(Self { time, symbol, price, fields: fields.len(), names })
            }
            results => Err(results.into_iter().filter_map(Result::err).collect()),
        }
    }

    /// A column as this file names it.
    pub(super) fn name(&self, column: Column) -> &'static str {
        let [time, symbol, price] = self.names;
        match column {
            Column::Time => time,
            Column::Symbol => symbol,
            Column::Price => price,
        }
    }
}

fn is_text(fields: &[&[u8]]) -> Result<(), Problem> {
    let first = fields.first().copied().unwrap_or_default();
    if first.starts_with(b"\xFF\xFE") || first.starts_with(b"\xFE\xFF") {
        return Err(Problem::Utf16);
    }
    let is_text = |field: &&[u8]| !field.contains(&0) && std::str::from_utf8(field).is_ok();
    if fields.iter().all(is_text) { Ok(()) } else { Err(Problem::NotText) }
}

/// Where a column is, and what it is called.
fn find(fields: &[&[u8]], column: Column) -> Result<(usize, &'static str), Problem> {
    let name = |field: &[u8]| column.names().iter().copied().find(|name| name.as_bytes().eq_ignore_ascii_case(field));
    let mut found = fields.iter().enumerate().filter_map(|(at, field)| Some((at, name(field)?)));
    match (found.next(), found.count()) {
        (Some(only), 0) => Ok(only),
        (Some(_), more) => Err(Problem::RepeatedColumn { column, count: more.saturating_add(1) }),
        (None, _) => Err(Problem::MissingColumn { wanted: column, found: list(fields) }),
    }
}

/// The names there are, each shortened, and not more of them than a message can bear.
fn list(fields: &[&[u8]]) -> String {
    const MOST: usize = 12;
    let mut names: Vec<String> = fields.iter().take(MOST).map(|name| shorten(name)).collect();
    if fields.len() > MOST {
        names.push("…".to_owned());
    }
    names.join(", ")
}
