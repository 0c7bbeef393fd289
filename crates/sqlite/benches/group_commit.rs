//! What sharing a transaction brings: commits per second one at a time and with 64 in flight, synced and not.
//!
//! Run it with `cargo bench -p evenkeel-sqlite`. The last lines are the two ratios that the store is held to: with 64 in flight at least 10 times
//! the commits of one at a time or, where a sync takes less than a millisecond, at least 70 % of what the same writes reach without sync.

#![expect(clippy::float_arithmetic, reason = "rates are for people to read")]

use evenkeel_domain::record::{Difference, Event, Record};
use evenkeel_domain::values::{Money, PortfolioId, Sequence, Timestamp, Token};
use evenkeel_memory::ManualClock;
use evenkeel_ports::{Commit, CommitOutcome, Journal};
use evenkeel_sqlite::{Options, SqliteStore};
use futures_util::future::join_all;
use std::error::Error;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

type Outcome<T> = Result<T, Box<dyn Error>>;

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_millis(800);

fn main() -> Outcome<()> {
    // `cargo test --benches` asks every bench for its tests.
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let (mut sync, mut alone, mut group, mut unsynced) = (vec![], vec![], vec![], vec![]);
    // In turn, so that whatever else the machine does falls on all of them.
    for round in 0..ROUNDS {
        let file = |name: &str| folder.path().join(format!("{name}-{round}.db"));
        sync.push(per_sync(&folder.path().join(format!("sync-{round}")))?);
        alone.push(per_second(&file("alone"), Options::default(), 1)?);
        group.push(per_second(&file("group"), Options::default(), 64)?);
        unsynced.push(per_second(&file("unsynced"), Options { synced: false, ..Options::default() }, 64)?);
    }
    let [sync, alone, group, unsynced] = [sync, alone, group, unsynced].map(median);
    println!("one sync of 4 KiB              {:>9.0} µs", sync * 1e6);
    println!("one at a time                  {alone:>9.0} commits/s");
    println!("64 in flight                   {group:>9.0} commits/s, {:.1} per sync", group * sync);
    println!("64 in flight, without sync     {unsynced:>9.0} commits/s");
    let (gain, share) = (group / alone, 100.0 * group / unsynced);
    let kept = gain >= 10.0 || (sync < 1e-3 && share >= 70.0);
    println!("64 in flight / one at a time   {gain:>9.1} (10 wanted)");
    println!("with sync / without            {share:>9.1} % (70 wanted, if a sync takes less than 1 ms)");
    println!("{}", if kept { "kept" } else { "MISSED" });
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Seconds that appending 4 KiB and syncing takes.
fn per_sync(path: &std::path::Path) -> Outcome<f64> {
    let mut file = std::fs::File::create(path)?;
    let mut times = Vec::new();
    for _ in 0..300 {
        let start = now();
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        times.push(start.elapsed().as_secs_f64());
    }
    Ok(median(times))
}

/// Commits per second with so many portfolios that commit one after the other, each by itself.
fn per_second(path: &std::path::Path, options: Options, in_flight: usize) -> Outcome<f64> {
    let store = SqliteStore::open_with(path, Arc::new(ManualClock::new(Timestamp::EPOCH)), options)?;
    let portfolios: Vec<PortfolioId> =
        (0..in_flight).map(|n| format!("portfolio-{n}").parse()).collect::<Result<_, _>>()?;
    let record = Record { at: Timestamp::EPOCH, event: Event::Quarantined { differences: differences()? } };
    let start = now();
    let lives = portfolios.iter().map(|portfolio| life(&store, portfolio, &record, start));
    let counts = evenkeel_conformance::suite::block_on(join_all(lives));
    let total: u32 = counts.into_iter().sum::<Result<u32, String>>()?;
    Ok(f64::from(total) / start.elapsed().as_secs_f64())
}

async fn life(store: &SqliteStore, portfolio: &PortfolioId, record: &Record, start: Instant) -> Result<u32, String> {
    let (mut count, mut expected) = (0_u32, Sequence::ZERO);
    while start.elapsed() < ROUND {
        let (portfolio, records) = (portfolio.clone(), vec![record.clone()]);
        let commit = Commit {
            portfolio,
            expected,
            token: Token::new(1),
            records: records.into(),
            alerts: Vec::new(),
            state: None,
        };
        let outcome = store.commit(commit).await;
        if outcome != CommitOutcome::Committed {
            return Err(format!("{outcome:?}"));
        }
        expected = expected.next().map_err(|e| e.to_string())?;
        count = count.saturating_add(1);
    }
    Ok(count)
}

/// Enough for a record of some 300 bytes.
fn differences() -> Outcome<Vec<Difference>> {
    let (books, broker) = ("83.325".parse()?, "83.324".parse()?);
    let units = ["META", "AAPL", "MSFT"].map(|symbol| Ok(Difference::Units { symbol: symbol.parse()?, books, broker }));
    let cash = Difference::Cash { books: Money::ZERO, broker: "12.34".parse()? };
    units.into_iter().chain([Ok(cash)]).collect::<Outcome<_>>()
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures the machine")]
fn now() -> Instant {
    Instant::now()
}
