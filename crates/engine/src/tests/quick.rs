//! With real stores and a simulated broker: what the engine remembers is never ahead of the journal, and an engine that stops begins nothing.

use crate::{Engine, EngineError, Ports, Settings};
use evenkeel_banchile::{BanChile, Fault, Profile, Rule};
use evenkeel_domain::allocation::TargetAllocation;
use evenkeel_domain::apply::replay;
use evenkeel_domain::books::{Books, Definition};
use evenkeel_domain::order::Side;
use evenkeel_domain::policy::Policy;
use evenkeel_domain::portfolio::{Portfolio, Standing};
use evenkeel_domain::record::{Event, Record, Stage};
use evenkeel_domain::values::{PortfolioId, StoreId, Symbol, Timestamp};
use evenkeel_memory::{ManualClock, MemoryJournal, MemoryLeases, MemoryNotifier};
use evenkeel_ports::{Clock, Commit, CommitOutcome, Journal, MockJournal, NullObserver};
use futures_util::FutureExt;
use futures_util::future::join;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What an unknown commit says that another worker has overtaken.
const OVERTAKEN: &str = "overtaken";

/// A worker and what it works with. `growth` has no cash, and is out of band: META must be sold before AAPL can be bought.
struct Floor {
    clock: ManualClock,
    broker: Arc<BanChile>,
    journal: Arc<MemoryJournal>,
    /// What comes of the next commits, the last of these first; `Committed` is written.
    failing: Arc<Mutex<Vec<CommitOutcome>>>,
    engine: Engine,
}

fn growth() -> PortfolioId {
    "growth".parse().unwrap()
}

impl Floor {
    fn new() -> Self {
        let clock = ManualClock::new(Timestamp::EPOCH);
        let time: Arc<dyn Clock> = Arc::new(clock.clone());
        let profile = Profile { timeout: Duration::from_secs(10), ..Profile::ideal() };
        let broker = Arc::new(BanChile::new(profile, time.clone(), 1));
        let journal = Arc::new(MemoryJournal::new(StoreId::new(7)));
        let failing = Arc::new(Mutex::new(Vec::new()));
        let ports = Ports {
            broker: broker.clone(),
            leases: Arc::new(MemoryLeases::new(time.clone())),
            journal: Arc::new(failing_at_will(&journal, &failing)),
            clock: time,
            notifier: Arc::new(MemoryNotifier::new()),
            observer: Arc::new(NullObserver),
        };
        let engine = Engine::new(ports, Settings::unlimited(), "worker".parse().unwrap());
        let floor = Self { clock, broker, journal, failing, engine };
        let [meta, aapl]: [Symbol; 2] = ["META".parse().unwrap(), "AAPL".parse().unwrap()];
        let allocation = TargetAllocation::parse([("META", "50"), ("AAPL", "50")]).unwrap();
        let (account, currency) = ("growth".parse().unwrap(), "USD".parse().unwrap());
        let definition = Definition { account, currency, allocation, policy: Policy::default() };
        let books = Books::new("0.00".parse().unwrap(), [(meta, "10".parse().unwrap()), (aapl, "10".parse().unwrap())]);
        floor.broker.open_account(&definition.account, currency, books.cash, books.holdings()).unwrap();
        floor.run(floor.engine.add(&growth(), definition, books)).unwrap();
        let wave = [(meta, "200".parse().unwrap()), (aapl, "100".parse().unwrap())];
        floor.broker.set_prices(wave);
        assert_eq!(floor.engine.on_wave(floor.clock.now(), &wave).len(), 1, "it is out of band");
        floor
    }

    fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.clock.run(work).expect("it waits for nothing but the clock")
    }

    fn fail(&self, times: usize, outcome: &CommitOutcome) {
        *self.failing.lock().unwrap() = vec![outcome.clone(); times];
    }

    fn deposit(&self, movement: &str) -> Result<(), EngineError> {
        let (movement, amount, currency) = (movement.parse().unwrap(), "5.00".parse().unwrap(), "USD".parse().unwrap());
        self.run(self.engine.deposit(&growth(), movement, amount, currency))
    }

    fn records(&self) -> Vec<Record> {
        self.journal.records(&growth())
    }

    /// What the engine remembers is what the journal's records lead to.
    #[track_caller]
    fn assert_not_ahead(&self, what: &str) {
        let written = replay(Portfolio::new(growth()), &self.records()).unwrap();
        assert_eq!(self.engine.portfolio(&growth()).as_deref(), Some(&written), "{what}");
    }
}

/// The journal behind a mock that fails its commits when it is told to. It answers at once.
fn failing_at_will(inner: &Arc<MemoryJournal>, failing: &Arc<Mutex<Vec<CommitOutcome>>>) -> MockJournal {
    fn now<T>(answer: impl Future<Output = T>) -> T {
        answer.now_or_never().expect("it is in memory")
    }
    let mut mock = MockJournal::new();
    let journal = Arc::clone(inner);
    mock.expect_store_id().returning(move || now(journal.store_id()));
    let journal = Arc::clone(inner);
    mock.expect_head().returning(move |portfolio| now(journal.head(portfolio)));
    let journal = Arc::clone(inner);
    mock.expect_read().returning(move |portfolio, after| now(journal.read(portfolio, after)));
    let journal = Arc::clone(inner);
    mock.expect_halts().returning(move || now(journal.halts()));
    let (journal, failing) = (Arc::clone(inner), Arc::clone(failing));
    mock.expect_commit().returning(move |commit| {
        let failed = failing.lock().unwrap().pop();
        if let Some(CommitOutcome::Unknown { message }) = &failed
            && message == OVERTAKEN
        {
            // Another worker, under the next token, has chosen the very same, or something else.
            let token = commit.token.next().unwrap();
            assert_eq!(now(journal.commit(Commit { token, ..commit.clone() })), CommitOutcome::Committed);
        }
        failed.filter(|failed| *failed != CommitOutcome::Committed).unwrap_or_else(|| now(journal.commit(commit)))
    });
    mock
}

#[test]
fn what_was_not_committed_is_not_remembered() {
    let message = || "the disk is full".to_owned();
    let head = Default::default();
    for (outcome, times) in [
        (CommitOutcome::Failed { message: message() }, 3),
        (CommitOutcome::Unknown { message: message() }, 3), // Read back each time: it was not written.
        (CommitOutcome::Conflict { head }, 1),
        (CommitOutcome::Fenced { head }, 1),
    ] {
        let floor = Floor::new();
        let before = floor.records();
        floor.fail(times, &outcome);
        assert!(floor.deposit("lost").is_err(), "{outcome:?}");
        assert_eq!(floor.records(), before, "{outcome:?}");
        floor.assert_not_ahead("after a deposit that was not written");

        // Nor is the opening of a batch, whose lease is then free for the next attempt.
        floor.clock.advance(Duration::from_secs(60));
        floor.fail(times, &outcome);
        assert!(floor.run(floor.engine.rebalance(&growth())).is_err(), "{outcome:?}");
        assert_eq!(floor.records(), before, "{outcome:?}");
        floor.assert_not_ahead("after an opening that was not written");
        assert_eq!(floor.engine.portfolio(&growth()).unwrap().standing, Standing::Active);
        assert!(floor.broker.ledger(&"growth".parse().unwrap()).unwrap().orders.is_empty(), "nothing was sent");

        floor.clock.advance(Duration::from_secs(60));
        floor.deposit("made").unwrap();
        floor.assert_not_ahead("after one that was");
    }
}

/// The outcome is unknown, and what stands in its place is another worker's: nothing may be sent for it, though it says the same.
#[test]
fn an_unknown_commit_that_is_somebody_elses_is_not_acted_on() {
    let floor = Floor::new();
    // Of the opening with the first intents, after which orders go out, it is not known whether it was written.
    *floor.failing.lock().unwrap() = vec![CommitOutcome::Unknown { message: OVERTAKEN.to_owned() }];
    let done = floor.run(floor.engine.rebalance(&growth()));
    assert_eq!(done, Err(EngineError::LeaseLost { portfolio: growth() }));
    let intended = |record: &Record| matches!(record.event, Event::Intended { .. });
    assert!(floor.records().iter().any(intended), "it was the intents that somebody else has written");
    assert!(floor.broker.ledger(&"growth".parse().unwrap()).unwrap().orders.is_empty(), "nothing was sent");
}

/// In the middle of a batch: the second stage's intents cannot be written. What came before is remembered, what did not is not.
#[test]
fn in_the_middle_of_a_batch_only_what_was_committed_is_remembered() {
    let floor = Floor::new();
    let (failing, count) = (Arc::clone(&floor.failing), AtomicUsize::new(0));
    // Opening and first intents are written; from the report of the sell on, nothing is.
    floor.broker.script(Rule::new(Fault::Slow { delay: Duration::from_secs(1) }).side(Side::Sell));
    let fail_later = async {
        floor.clock.sleep_until(Timestamp::EPOCH.plus(Duration::from_millis(500))).await;
        *failing.lock().unwrap() = vec![CommitOutcome::Failed { message: "the disk is full".to_owned() }; 3];
        count.store(floor.records().len(), Ordering::SeqCst);
    };
    let (done, ()) = floor.run(join(floor.engine.rebalance(&growth()), fail_later));
    assert!(matches!(done, Err(EngineError::NotCommitted { .. })), "{done:?}");
    assert_eq!(floor.records().len(), count.load(Ordering::SeqCst), "the answer to the sell could not be written");
    floor.assert_not_ahead("it does not know that the sell was filled");
}

/// The sell is under way when the engine stops, and its answer comes while it waits for it: it is recorded, and nothing follows from it.
#[test]
fn an_engine_that_stops_intends_no_further_stage() {
    let floor = Floor::new();
    floor.broker.script(Rule::new(Fault::Slow { delay: Duration::from_secs(2) }).side(Side::Sell));
    let stop = async {
        floor.clock.sleep_until(Timestamp::EPOCH.plus(Duration::from_secs(1))).await;
        floor.engine.shut_down(Duration::from_secs(10)).await
    };
    let (done, stopped) = floor.run(join(floor.engine.rebalance(&growth()), stop));
    assert_eq!(done, Err(EngineError::Stopping { portfolio: growth() }));
    assert!(stopped.unfinished.is_empty());
    let records = floor.records();
    let is_filled = |record: &Record| record.event.kind() == "filled";
    let intends_more = |record: &Record| matches!(record.event, Event::Intended { stage, .. } if stage != Stage::First);
    assert!(records.iter().any(is_filled), "the answer was recorded");
    assert!(!records.iter().any(intends_more), "the second stage is for whoever recovers it: {records:#?}");
    assert_eq!(floor.broker.ledger(&"growth".parse().unwrap()).unwrap().orders.len(), 1);
}
