//! The engine inside another service, with a lease store and a journal of the service's own.
//!
//! [`OwnLeases`] and [`OwnJournal`] are the parts to replace: a table and an append-only file would hold what they hold.
//! The numbers in their comments are those of the contracts, on the pages of `LeaseStore` and `Journal` in `evenkeel-ports`.
//!
//! Run it with `cargo run -p evenkeel-engine --example embed`.

use async_trait::async_trait;
use evenkeel_banchile::{BanChile, Profile};
use evenkeel_domain::alert::Alert;
use evenkeel_domain::allocation::TargetAllocation;
use evenkeel_domain::apply::replay;
use evenkeel_domain::books::{Books, Definition};
use evenkeel_domain::halt::{Halt, Release, Scope, forbidden};
use evenkeel_domain::policy::Policy;
use evenkeel_domain::portfolio::Portfolio;
use evenkeel_domain::record::{Event, Outcome, Record};
use evenkeel_domain::report::Trade;
use evenkeel_domain::values::{OwnerId, PortfolioId, Sequence, StoreId, Timestamp, Token};
use evenkeel_engine::{Engine, EngineError, Ports, Rebalanced, RoundSettings, Settings};
use evenkeel_memory::{ManualClock, MemoryNotifier};
use evenkeel_ports::{
    AcquireError, Clock, Commit, CommitOutcome, Entry, Head, HoldError, Journal, JournalError, Lease, LeaseStore,
    LeaseTerms, NullObserver, codec,
};
use futures_util::future::join;
use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    // A service awaits on its own runtime, by the system's clock. Here time moves whenever nothing else can go on.
    let clock = ManualClock::new("2026-01-05T15:00:00Z".parse()?);
    let broker = Arc::new(BanChile::new(Profile::calm(), Arc::new(clock.clone()), 7));
    let journal = Arc::new(OwnJournal::new(StoreId::new(0xeb1a_77c0_91d5_4b3e_a6f2_0c84_5d19_e3b7)));
    let ports = Ports {
        broker: broker.clone(),
        leases: Arc::new(OwnLeases { clock: Arc::new(clock.clone()), rows: Mutex::default() }),
        journal: journal.clone(),
        clock: Arc::new(clock.clone()),
        notifier: Arc::new(MemoryNotifier::new()),
        observer: Arc::new(NullObserver),
    };
    // Two workers that share the stores, as two processes of the service would.
    let settings = Settings::default().checked().map_err(|errors| format!("{errors:?}"))?;
    let first = Engine::new(ports.clone(), settings.clone(), "worker-1".parse()?);
    let second = Engine::new(ports, settings, "worker-2".parse()?);

    // A portfolio, and the same cash and units at the broker.
    let growth: PortfolioId = "growth".parse()?;
    let allocation = TargetAllocation::parse([("META", "33.33"), ("AAPL", "33.33"), ("MSFT", "33.34")])?;
    let policy = Policy { cash_buffer: "1000.00".parse()?, ..Policy::default() };
    let definition = Definition { account: "IRA-20417".parse()?, currency: "USD".parse()?, allocation, policy };
    let [meta, aapl, msft] = ["META".parse()?, "AAPL".parse()?, "MSFT".parse()?];
    let units = [(meta, "83.325".parse()?), (aapl, "202".parse()?), (msft, "100".parse()?)];
    let books = Books::new("1250.00".parse()?, units);
    broker.open_account(&definition.account, definition.currency, books.cash, books.holdings())?;
    clock.run(first.add(&growth, definition.clone(), books))??;

    // A wave of prices: the market moves at the broker, and both workers are told.
    clock.run(second.load_all())??; // what a worker does when it starts; and it spawns `make_rounds`
    let wave = [(aapl, "165.00".parse()?), (meta, "440".parse()?), (msft, "333.40".parse()?)];
    broker.set_prices(wave);
    for (name, worker) in [("first", &first), ("second", &second)] {
        for finding in worker.on_wave(clock.now(), &wave) {
            println!("the {name} worker finds {} out of band", finding.portfolio());
        }
    }

    // Both see that it is out of band, and go for it at once. The lease lets one of them through.
    let (done, refused) = clock.run(join(first.rebalance(&growth), second.rebalance(&growth)))?;
    let Err(busy @ EngineError::Busy { .. }) = refused else { return Err("two workers at once".into()) };
    println!("the second worker is told: {busy}");
    let Rebalanced::Batch(report) = done? else { return Err("it should have traded".into()) };
    println!("\nbatch {}: drift {} %, {}", report.batch, report.drift, report.outcome.name());
    for Trade { side, quantity, symbol, price, amount, slippage, fees, .. } in &report.trades {
        println!(
            "  {side:<4} {quantity:>12} {symbol:<4} at {price:>13} = {amount:>8}, slippage {slippage}, fees {fees}"
        );
    }
    println!("  it cost {} (cash before - cash after), of which {} are fees", report.cost, report.fees);

    clock.run(spawned_beside(&second, &clock))?;

    // All of it is in the journal, as text; and the text is enough to know again what the portfolio owns.
    println!("\nsequence token record");
    for line in journal.lines(&growth) {
        println!("{:>8} {:>5} {:.140}", line.sequence, line.token, line.text);
    }
    let records = clock.run(journal.read(&growth, Sequence::ZERO))??.into_iter().map(|entry| entry.record);
    let rebuilt = replay(Portfolio::new(growth.clone()), &records.collect::<Vec<_>>())?;
    let ledger = broker.ledger(&definition.account)?;
    let held = Books::new(ledger.cash, ledger.holdings.iter().map(|(symbol, holding)| (*symbol, holding.units)));
    println!("\nrebuilt from it: {} in cash, and so says the broker", rebuilt.books.cash);

    assert_eq!(report.outcome, Outcome::Completed);
    assert_eq!(rebuilt.books, held, "books and broker");
    assert_eq!(first.portfolio(&growth).as_deref(), Some(&rebuilt), "live and rebuilt");
    Ok(())
}

/// What each worker spawns beside its work: at the start, and from time to time, it finishes what a crash left open, and compares books and
/// broker; until it is stopped.
async fn spawned_beside(worker: &Engine, clock: &ManualClock) {
    let rounds = worker.make_rounds(RoundSettings::default(), |seen| println!("\nseen on a round: {seen:?}"));
    let stop = async {
        clock.sleep_until(clock.now().plus(Duration::from_secs(60))).await;
        worker.shut_down(Duration::from_secs(10)).await
    };
    join(rounds, stop).await;
}

#[test]
fn runs() -> Result<(), Box<dyn Error>> {
    main()
}

/// Leases, as a table with one row per portfolio would hold them.
struct OwnLeases {
    /// 3: the store's own clock judges.
    clock: Arc<dyn Clock>,
    rows: Mutex<BTreeMap<PortfolioId, LeaseRow>>,
}

/// 2: the row stays when the lease ends, and with it the last token.
struct LeaseRow {
    last_token: Token,
    lease: Option<Lease>,
    heartbeat_at: Timestamp,
}

impl LeaseRow {
    /// The lease that has not ended, and when it will. 4: by release, by expiry, or by a heartbeat that is too long ago.
    fn live(&self, now: Timestamp) -> Option<(&Lease, Timestamp)> {
        let lease = self.lease.as_ref()?;
        let until = lease.granted_at.plus(lease.terms.expiry).min(self.heartbeat_at.plus(lease.terms.heartbeat));
        (now < until).then_some((lease, until))
    }
}

impl OwnLeases {
    /// 5 and 6: only the owner and the token of a lease that has not ended may change anything.
    fn change(&self, lease: &Lease, change: impl FnOnce(&mut LeaseRow, Timestamp)) -> Result<(), HoldError> {
        let mut rows = lock(&self.rows);
        let now = self.clock.now();
        let row = rows.get_mut(&lease.portfolio).filter(|row| row.live(now).is_some_and(|(live, _)| live == lease));
        let Lease { portfolio, owner, token, .. } = lease.clone();
        row.map(|row| change(row, now)).ok_or(HoldError::NotHeld { portfolio, owner, token })
    }
}

#[async_trait]
impl LeaseStore for OwnLeases {
    async fn acquire(
        &self,
        portfolio: &PortfolioId,
        owner: &OwnerId,
        terms: LeaseTerms,
    ) -> Result<Lease, AcquireError> {
        // 1: judged and written under one lock; in a database, one conditional update.
        let mut rows = lock(&self.rows);
        let granted_at = self.clock.now();
        let free = LeaseRow { last_token: Token::ZERO, lease: None, heartbeat_at: granted_at };
        let row = rows.entry(portfolio.clone()).or_insert(free);
        let portfolio = portfolio.clone();
        if let Some((lease, until)) = row.live(granted_at) {
            return Err(AcquireError::Busy { portfolio, holder: lease.owner.clone(), until });
        }
        let Ok(token) = row.last_token.next() else {
            return Err(AcquireError::Unavailable { portfolio, message: "there are no more tokens".to_owned() });
        };
        let lease = Lease { portfolio, owner: owner.clone(), token, granted_at, terms };
        *row = LeaseRow { last_token: token, lease: Some(lease.clone()), heartbeat_at: granted_at };
        Ok(lease)
    }

    async fn renew(&self, lease: &Lease) -> Result<(), HoldError> {
        self.change(lease, |row, now| row.heartbeat_at = now)
    }

    async fn release(&self, lease: &Lease) -> Result<(), HoldError> {
        self.change(lease, |row, _| row.lease = None)
    }
}

/// A journal of text: what a file would hold, in memory. So 2, durability, is as long as the process lives.
struct OwnJournal {
    id: StoreId,
    stored: Mutex<Stored>,
}

#[derive(Default)]
struct Stored {
    logs: BTreeMap<PortfolioId, Log>,
    /// 8: the outbox, oldest first. What was acknowledged is not in it any more.
    outbox: Vec<Alert>,
    /// 9: what a person has halted.
    halts: BTreeMap<Scope, Halt>,
}

#[derive(Default)]
struct Log {
    head: Head,
    batch_open: bool,
    lines: Vec<Line>,
}

#[derive(Clone)]
struct Line {
    sequence: Sequence,
    token: Token,
    text: String,
}

impl OwnJournal {
    fn new(id: StoreId) -> Self {
        Self { id, stored: Mutex::default() }
    }

    fn lines(&self, portfolio: &PortfolioId) -> Vec<Line> {
        lock(&self.stored).logs.get(portfolio).map_or_else(Vec::new, |log| log.lines.clone())
    }
}

#[async_trait]
impl Journal for OwnJournal {
    async fn store_id(&self) -> Result<StoreId, JournalError> {
        Ok(self.id)
    }

    async fn head(&self, portfolio: &PortfolioId) -> Result<Head, JournalError> {
        Ok(lock(&self.stored).logs.get(portfolio).map_or_else(Head::default, |log| log.head))
    }

    async fn read(&self, portfolio: &PortfolioId, after: Sequence) -> Result<Vec<Entry>, JournalError> {
        let lines = self.lines(portfolio).into_iter().filter(|line| line.sequence > after);
        let entry = |Line { sequence, token, text }: Line| match codec::decode(&text) {
            Ok(record) => Ok(Entry { sequence, token, record }),
            // 7: what cannot be understood is said so, never left out.
            Err(e) => Err(JournalError::undecoded(portfolio, sequence, &e)),
        };
        lines.map(entry).collect()
    }

    async fn commit(&self, commit: Commit) -> CommitOutcome {
        let Commit { portfolio, expected, token, records, alerts, .. } = commit;
        let mut stored = lock(&self.stored);
        let head = stored.logs.get(&portfolio).map_or_else(Head::default, |log| log.head);
        let batch_open = stored.logs.get(&portfolio).is_some_and(|log| log.batch_open);
        // 4: the fence. It is looked at first: who is fenced must not read and try again.
        if token < head.token {
            return CommitOutcome::Fenced { head };
        }
        // 3 and 5: no gap, no second open batch.
        let Some(batch_open) = open_after(batch_open, &records).filter(|_| expected == head.sequence) else {
            return CommitOutcome::Conflict { head };
        };
        // 9: what is halted is not written.
        if let Some(halt) = forbidden(stored.halts.values(), &portfolio, records.iter()) {
            return CommitOutcome::Halted { halt: halt.clone() };
        }
        // 6: until here nothing was written, so this is a failure and never unknown.
        let lines = match written(expected, token, &records) {
            Ok(lines) => lines,
            Err(e) => return CommitOutcome::Failed { message: e.to_string() },
        };
        let Some(sequence) = lines.last().map(|line| line.sequence) else {
            return CommitOutcome::Failed { message: "a commit needs at least one record".to_owned() };
        };
        // 1: records, alerts and head together; in a database, one transaction.
        let log = stored.logs.entry(portfolio).or_default();
        log.lines.extend(lines);
        (log.head, log.batch_open) = (Head { sequence, token }, batch_open);
        stored.outbox.extend(alerts);
        CommitOutcome::Committed
    }

    async fn portfolios(&self) -> Result<Vec<PortfolioId>, JournalError> {
        Ok(lock(&self.stored).logs.keys().cloned().collect())
    }

    async fn open_batches(&self) -> Result<Vec<PortfolioId>, JournalError> {
        let stored = lock(&self.stored);
        let open = stored.logs.iter().filter(|(_, log)| log.batch_open);
        Ok(open.map(|(portfolio, _)| portfolio.clone()).collect())
    }

    async fn pending_alerts(&self, limit: usize) -> Result<Vec<Alert>, JournalError> {
        Ok(lock(&self.stored).outbox.iter().take(limit).cloned().collect())
    }

    async fn acknowledge_alert(&self, alert: &Alert) -> Result<(), JournalError> {
        let key = |alert: &Alert| (alert.portfolio.clone(), alert.sequence);
        lock(&self.stored).outbox.retain(|pending| key(pending) != key(alert));
        Ok(())
    }

    async fn halt(&self, halt: &Halt) -> Result<(), JournalError> {
        lock(&self.stored).halts.insert(halt.scope.clone(), halt.clone());
        Ok(())
    }

    async fn release(&self, release: &Release) -> Result<bool, JournalError> {
        Ok(lock(&self.stored).halts.remove(&release.scope).is_some())
    }

    async fn halts(&self) -> Result<Vec<Halt>, JournalError> {
        Ok(lock(&self.stored).halts.values().cloned().collect())
    }
}

/// The lines of these records, numbered on from `after`.
fn written(after: Sequence, token: Token, records: &[Record]) -> Result<Vec<Line>, Box<dyn Error>> {
    let mut sequence = after;
    let line = |record| -> Result<Line, Box<dyn Error>> {
        sequence = sequence.next()?;
        Ok(Line { sequence, token, text: codec::encode(record)? })
    };
    records.iter().map(line).collect()
}

/// Whether a batch is open after `records`; `None` if they would open a second one.
fn open_after(open: bool, records: &[Record]) -> Option<bool> {
    records.iter().try_fold(open, |open, Record { event, .. }| {
        let opens = matches!(event, Event::Opened(_) | Event::Retried { .. });
        let closes = matches!(event, Event::Closed(_));
        if opens { (!open).then_some(true) } else { Some(open && !closes) }
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
