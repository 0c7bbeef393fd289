//! The command `audit`: what happened, record by record, as text, JSON lines or CSV; or whether any of it was changed.
//!
//! What a record says in words is in [`story`], what the legs of a batch cost in [`costs`].

mod costs;
mod story;

use crate::args::{AuditArgs, AuditFormat};
use crate::exit::{Failure, Outcome};
use crate::faults::{Fault, FileFaults};
use crate::output::Output;
use crate::render::count;
use crate::status::no_such_portfolio;
use crate::store::{self, not_read};
use crate::wiring::{HaltWord, JournalLine, Newer, StoreReader};
use costs::{Costs, LegCost};
use evenkeel_domain::halt::{Halt, Release};
use evenkeel_domain::order::{BatchId, ClientOrderId};
use evenkeel_domain::values::{PortfolioId, Sequence};
use serde::Serialize;
use std::path::Path;

/// Shows the records that were asked for, oldest first; or verifies the store.
///
/// # Errors
/// [`Failure`] if there is no such store, portfolio or batch, or the store cannot be read.
pub(crate) fn run(args: &AuditArgs, out: &mut Output) -> Result<Outcome, Failure> {
    let path = args.store.store.as_path();
    let reader = store::look(path)?;
    let outcome = if args.verify {
        verify(path, &reader, args.format, out)?
    } else {
        let lines = match (args.batch, &args.portfolio) {
            (Some(batch), _) => of_batch(path, &reader, batch)?,
            (None, Some(portfolio)) => of_portfolio(path, &reader, portfolio)?,
            (None, None) => {
                let (lines, unread) = all(path, &reader)?;
                print(&lines, &Costs::of(&lines), args, out)?;
                said(path, &reader, args.format, out)?;
                out.flush()?;
                return unread.map_or(Ok(Outcome::Done), Err);
            }
        };
        let costs = match (args.batch, lines.first()) {
            (Some(_), Some(line)) => Costs::of(&of_portfolio(path, &reader, &line.portfolio)?),
            _ => Costs::of(&lines),
        };
        print(&lines, &costs, args, out)?;
        Outcome::Done
    };
    out.flush()?;
    Ok(outcome)
}

fn of_portfolio(path: &Path, reader: &StoreReader, portfolio: &PortfolioId) -> Result<Vec<JournalLine>, Failure> {
    let lines = reader.lines(portfolio, Sequence::ZERO).map_err(|error| not_read(path, error))?;
    if lines.is_empty() { Err(no_such_portfolio(path, portfolio)) } else { Ok(lines) }
}

fn of_batch(path: &Path, reader: &StoreReader, batch: BatchId) -> Result<Vec<JournalLine>, Failure> {
    let lines = reader.batch_lines(batch).map_err(|error| not_read(path, error))?;
    if lines.is_empty() {
        let fault = Fault::new(format!("there is no batch {batch} in it"), "evenkeel audit shows which there are");
        return Err(FileFaults::of(path.display().to_string(), fault).into());
    }
    Ok(lines)
}

/// Every record of the store, in the order in which they were committed; and why those of a portfolio are missing, if one cannot be read.
fn all(path: &Path, reader: &StoreReader) -> Result<(Vec<JournalLine>, Option<Failure>), Failure> {
    let (mut lines, mut unread) = (Vec::new(), None);
    for status in reader.portfolios().map_err(|error| not_read(path, error))? {
        match reader.lines(&status.portfolio, Sequence::ZERO) {
            Ok(read) => lines.extend(read),
            Err(error) => unread = unread.or_else(|| Some(not_read(path, error))),
        }
    }
    lines.sort_by_key(|line| line.place);
    Ok((lines, unread))
}

fn print(lines: &[JournalLine], costs: &Costs, args: &AuditArgs, out: &mut Output) -> Result<(), Failure> {
    match args.format {
        AuditFormat::Text => {
            let one = args.portfolio.is_some() || args.batch.is_some();
            for line in lines {
                let whose = if one { String::new() } else { format!(" {}", line.portfolio) };
                out.text(format_args!("{}{whose} #{} {}\n", line.at, line.sequence, told(line)))?;
                costs.at(line).iter().try_for_each(|cost| out.text(format_args!("  {}\n", cost.text)))?;
            }
            out.text(format_args!("{}\n", count(lines.len(), "record")))
        }
        AuditFormat::Json => lines.iter().try_for_each(|line| out.json(&Line::of(line, costs)?)),
        AuditFormat::Csv => {
            out.text(format_args!("{}\n", COLUMNS.join(",")))?;
            lines.iter().try_for_each(|line| {
                out.text(row(line, costs, None))?;
                costs.at(line).iter().try_for_each(|cost| out.text(row(line, costs, Some(cost))))
            })
        }
    }
}

/// What people said about halts: that is in no portfolio's journal. CSV is a table of records, and has none of it.
fn said(path: &Path, reader: &StoreReader, format: AuditFormat, out: &mut Output) -> Result<(), Failure> {
    #[derive(Serialize)]
    #[serde(tag = "type", rename_all = "snake_case")]
    enum Word<'a> {
        Halt(&'a Halt),
        Release(&'a Release),
    }
    for word in reader.halt_words().map_err(|error| not_read(path, error))? {
        match (format, &word) {
            (AuditFormat::Text, HaltWord::Halt(halt)) => out.text(format_args!("{} {halt}\n", halt.at))?,
            (AuditFormat::Text, HaltWord::Release(Release { scope, who, why, at })) => {
                out.text(format_args!("{at} {scope} was released by {who}: {why}\n"))?;
            }
            (AuditFormat::Json, HaltWord::Halt(halt)) => out.json(&Word::Halt(halt))?,
            (AuditFormat::Json, HaltWord::Release(release)) => out.json(&Word::Release(release))?,
            (AuditFormat::Csv, _) => {}
        }
    }
    Ok(())
}

/// What a record says, as far as this program can know.
fn told(line: &JournalLine) -> String {
    let newer = || "written by a newer version of the program, which this one does not read".to_owned();
    line.record.as_ref().map_or_else(newer, |record| story::tell(&record.event))
}

#[derive(Serialize)]
#[serde(tag = "type", rename = "record")]
struct Line<'a> {
    at: String,
    portfolio: &'a PortfolioId,
    record: u64,
    token: u64,
    kind: &'a str,
    text: String,
    /// The batch that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    batch: Option<BatchId>,
    /// The order that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<ClientOrderId>,
    /// What the legs of the batch cost, with the record that closes it.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    legs: &'a [LegCost],
    hash: String,
    /// What was written, as it was written.
    written: Box<serde_json::value::RawValue>,
}

impl<'a> Line<'a> {
    fn of(line: &'a JournalLine, costs: &'a Costs) -> Result<Self, Failure> {
        let unreadable = |error| Failure::dependency("reading a record", error);
        Ok(Self {
            at: line.at.to_string(),
            portfolio: &line.portfolio,
            record: line.sequence.get(),
            token: line.token.get(),
            kind: &line.kind,
            text: told(line),
            batch: costs.batch(line),
            order: line.record.as_ref().and_then(|record| story::order_of(&record.event)),
            legs: costs.at(line),
            hash: hexadecimal(&line.hash),
            written: serde_json::value::RawValue::from_string(line.text.clone()).map_err(unreadable)?,
        })
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Those from `leg` on are empty in the row of a record, and full in the rows of kind `cost` that follow the closing of a batch.
const COLUMNS: [&str; 18] = [
    "at",
    "portfolio",
    "record",
    "token",
    "kind",
    "batch",
    "order",
    "text",
    "leg",
    "direction",
    "symbol",
    "side",
    "quantity",
    "price",
    "planned",
    "amount",
    "slippage",
    "fees",
];

/// A row of CSV, as RFC 4180 has it. A text that a spreadsheet would take for a formula gets an apostrophe in front.
fn row(line: &JournalLine, costs: &Costs, cost: Option<&LegCost>) -> String {
    let event = line.record.as_ref().map(|record| &record.event);
    let fields = [
        line.at.to_string(),
        line.portfolio.to_string(),
        line.sequence.to_string(),
        line.token.to_string(),
        cost.map_or_else(|| line.kind.clone(), |_| "cost".to_owned()),
        costs.batch(line).map(|batch| batch.to_string()).unwrap_or_default(),
        event.and_then(story::order_of).map(|order| order.to_string()).unwrap_or_default(),
        cost.map_or_else(|| told(line), |cost| cost.text.clone()),
    ];
    let record = fields.map(|field| quoted(&field)).join(",");
    let leg = cost.map_or_else(Default::default, LegCost::fields).join(",");
    format!("{record},{leg}\n")
}

fn quoted(field: &str) -> String {
    let field =
        if field.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{field}") } else { field.to_owned() };
    if field.contains([',', '"', '\n', '\r']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field }
}

fn verify(path: &Path, reader: &StoreReader, format: AuditFormat, out: &mut Output) -> Result<Outcome, Failure> {
    #[derive(Serialize)]
    #[serde(tag = "type", rename = "verification")]
    struct Verified {
        records: u64,
        portfolios: u64,
        broken: Option<String>,
        newer: Option<String>,
    }
    let verification = reader.verify().map_err(|error| not_read(path, error))?;
    let (records, portfolios) = (verification.rows, verification.portfolios);
    let broken = verification.broken.map(|broken| broken.to_string());
    let newer = verification.newer.map(|newer| {
        let Newer { row, portfolio, version } = newer;
        format!("row {row} of the journal, of {portfolio}, is of version {version}")
    });
    let outcome = if broken.is_some() || newer.is_some() { Outcome::NeedsPerson } else { Outcome::Done };
    match (format, broken) {
        (AuditFormat::Json, broken) => out.json(&Verified { records, portfolios, broken, newer })?,
        (AuditFormat::Text | AuditFormat::Csv, None) => {
            let records = count(usize::try_from(records).unwrap_or(usize::MAX), "record");
            let portfolios = count(usize::try_from(portfolios).unwrap_or(usize::MAX), "portfolio");
            out.text(format_args!("{}: whole: {records} of {portfolios}, each as it was written\n", path.display()))?;
            if let Some(newer) = newer {
                let rest = "what follows from the records is for the program that wrote it, or a newer one, to verify";
                out.text(format_args!("{newer}, which this program does not read: {rest}\n"))?;
            }
        }
        (AuditFormat::Text | AuditFormat::Csv, Some(broken)) => {
            let path = path.display();
            out.text(format_args!("{path}: damaged: {broken}\n{records} records before it are whole\n"))?;
        }
    }
    Ok(outcome)
}
