//! 10,000 portfolios in one file: how long it takes to write, open, list, load and verify them.
//!
//! Run it with `cargo bench -p evenkeel-sqlite --bench many`. Loading is what the engine does at its start: the head and all records of each.

#![expect(clippy::float_arithmetic, reason = "times are for people to read")]

use evenkeel_conformance::suite::block_on;
use evenkeel_domain::record::{Difference, Event, Record};
use evenkeel_domain::values::{PortfolioId, Sequence, Timestamp, Token};
use evenkeel_memory::ManualClock;
use evenkeel_ports::{Commit, CommitOutcome, Journal};
use evenkeel_sqlite::{SqliteStore, StoreReader};
use futures_util::future::join_all;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

type Outcome<T> = Result<T, Box<dyn Error>>;

const PORTFOLIOS: usize = 10_000;
const COMMITS: u64 = 10;

fn main() -> Outcome<()> {
    // `cargo test --benches` asks every bench for its tests.
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let path = folder.path().join("store.db");
    let ids = (0..PORTFOLIOS).map(|number| format!("portfolio-{number:05}").parse());
    let portfolios: Vec<PortfolioId> = ids.collect::<Result<_, _>>()?;
    let (book, broker) = ("83.325".parse()?, "83.324".parse()?);
    let unit = |symbol: &str| Ok(Difference::Units { symbol: symbol.parse()?, books: book, broker });
    let differences = ["META", "AAPL", "MSFT", "NVDA"].map(unit).into_iter().collect::<Outcome<Vec<_>>>()?;
    let record = Record { at: Timestamp::EPOCH, event: Event::Quarantined { differences } };

    let store = open(&path)?;
    timed("writing 10 commits of 2 records each", || {
        // In this order neighbours are far apart, as in life.
        for number in 0..COMMITS {
            for some in portfolios.chunks(64) {
                let commits = some.iter().map(|portfolio| store.commit(commit(portfolio, number, &record)));
                let outcomes = block_on(join_all(commits));
                if let Some(other) = outcomes.into_iter().find(|outcome| *outcome != CommitOutcome::Committed) {
                    return Err(format!("{other:?}").into());
                }
            }
        }
        Ok(())
    })?;
    timed("closing", || {
        drop(store);
        Ok(())
    })?;
    let megabytes = std::fs::metadata(&path)?.len() / 1_000_000;
    let store = timed("opening", || open(&path))?;
    let reader = StoreReader::open(&path)?;
    let listed = timed("listing with standing, batch and lease", || Ok(reader.portfolios()?))?;
    let records = timed("loading every record, each compared with its hash", || {
        let mut records = 0_usize;
        for portfolio in block_on(store.portfolios())? {
            block_on(store.head(&portfolio))?;
            records = records.saturating_add(block_on(store.read(&portfolio, Sequence::ZERO))?.len());
        }
        Ok(records)
    })?;
    let verified = timed("verifying", || Ok(reader.verify()?))?;
    println!("{} portfolios, {records} records, {megabytes} MB; verified: {verified:?}", listed.len());
    Ok(())
}

fn open(path: &Path) -> Outcome<SqliteStore> {
    Ok(SqliteStore::open(path, Arc::new(ManualClock::new(Timestamp::EPOCH)))?)
}

fn commit(portfolio: &PortfolioId, number: u64, record: &Record) -> Commit {
    let (portfolio, expected) = (portfolio.clone(), Sequence::new(number.saturating_mul(2)));
    let records = vec![record.clone(), record.clone()];
    Commit { portfolio, expected, token: Token::new(1), records: records.into(), alerts: Vec::new(), state: None }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures the machine")]
fn timed<T>(what: &str, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    let start = Instant::now();
    let made = work()?;
    println!("{:>8.0} ms  {what}", start.elapsed().as_secs_f64() * 1e3);
    Ok(made)
}
