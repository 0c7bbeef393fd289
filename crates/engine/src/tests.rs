//! What mocks are right for: that a port is called exactly so often, or not at all. Behaviour is tested in the scenarios of `tests/it`, and what
//! must be noticed at once also in [`quick`].

mod quick;

use crate::{Engine, EngineError, Ports, Resolve, RoundSettings, Seen, Settings, SettingsError};
use evenkeel_domain::alert::{Alert, AlertKind};
use evenkeel_domain::values::{PortfolioId, Sequence, Timestamp, Token};
use evenkeel_memory::ManualClock;
use evenkeel_ports::{
    AcquireError, HoldError, JournalError, Lease, LeaseTerms, MockBroker, MockJournal, MockLeaseStore, MockNotifier,
    NotifyError, NullObserver,
};
use futures_util::future::join;
use std::sync::Arc;
use std::time::Duration;

struct Mocks {
    broker: MockBroker,
    leases: MockLeaseStore,
    journal: MockJournal,
    notifier: MockNotifier,
}

impl Mocks {
    fn new() -> Self {
        Self {
            broker: MockBroker::new(),
            leases: MockLeaseStore::new(),
            journal: MockJournal::new(),
            notifier: MockNotifier::new(),
        }
    }

    /// A mock that was not told what to expect panics when it is called: that is the test.
    fn run<T, F: Future<Output = T>>(self, work: impl FnOnce(Arc<Engine>) -> F) -> T {
        let clock = ManualClock::new(Timestamp::EPOCH);
        let ports = Ports {
            broker: Arc::new(self.broker),
            leases: Arc::new(self.leases),
            journal: Arc::new(self.journal),
            clock: Arc::new(clock.clone()),
            notifier: Arc::new(self.notifier),
            observer: Arc::new(NullObserver),
        };
        let engine = Arc::new(Engine::new(ports, Settings::unlimited(), "worker".parse().unwrap()));
        clock.run(work(engine)).expect("it waits for nothing but the clock")
    }
}

fn growth() -> PortfolioId {
    "growth".parse().unwrap()
}

fn alert(sequence: u64) -> Alert {
    Alert {
        portfolio: growth(),
        sequence: Sequence::new(sequence),
        at: Timestamp::EPOCH,
        kind: AlertKind::Stale,
        batch: None,
        text: "stale".to_owned(),
    }
}

#[test]
fn a_busy_portfolio_costs_one_question_to_the_lease_store() {
    let mut mocks = Mocks::new();
    mocks.leases.expect_acquire().once().returning(|portfolio, _, _| {
        let until = Timestamp::EPOCH;
        Err(AcquireError::Busy { portfolio: portfolio.clone(), holder: "other".parse().unwrap(), until })
    });
    let done = mocks.run(async |engine| engine.rebalance(&growth()).await);
    assert!(matches!(done, Err(EngineError::Busy { .. })), "{done:?}");
}

#[test]
fn a_lease_is_given_back_once_when_the_journal_cannot_be_read() {
    let mut mocks = Mocks::new();
    mocks.leases.expect_acquire().once().returning(|portfolio, owner, terms| {
        let (portfolio, owner) = (portfolio.clone(), owner.clone());
        Ok(Lease { portfolio, owner, token: Token::new(3), granted_at: Timestamp::EPOCH, terms })
    });
    let unreadable = || JournalError::Unavailable { doing: "reading".to_owned(), message: "gone".to_owned() };
    mocks.journal.expect_head().once().returning(move |_| Err(unreadable()));
    mocks.leases.expect_release().once().withf(|lease| lease.token == Token::new(3)).returning(|lease| {
        let Lease { portfolio, owner, token, .. } = lease.clone();
        Err(HoldError::NotHeld { portfolio, owner, token }) // Nobody minds.
    });
    let done = mocks.run(async |engine| engine.rebalance(&growth()).await);
    assert_eq!(done, Err(EngineError::Journal(unreadable())));
}

#[test]
fn a_stopped_engine_asks_nobody_anything() {
    let done = Mocks::new().run(async |engine| {
        let stopped = engine.shut_down(Duration::ZERO).await;
        assert!(stopped.unfinished.is_empty());
        engine.rebalance(&growth()).await
    });
    assert_eq!(done, Err(EngineError::Stopping { portfolio: growth() }));
}

#[test]
fn each_alert_is_acknowledged_once_and_only_after_it_was_delivered() {
    let mut mocks = Mocks::new();
    let mut rounds = vec![vec![], vec![alert(1), alert(2)]];
    mocks.journal.expect_pending_alerts().times(2).returning(move |_| Ok(rounds.pop().unwrap()));
    mocks.notifier.expect_notify().times(2).returning(|_| Ok(()));
    mocks.journal.expect_acknowledge_alert().times(2).returning(|_| Ok(()));
    assert_eq!(mocks.run(async |engine| engine.deliver_alerts().await), Ok(2));
}

#[test]
fn an_alert_that_is_not_delivered_stays_and_the_rest_waits() {
    let mut mocks = Mocks::new();
    mocks.journal.expect_pending_alerts().once().returning(|_| Ok(vec![alert(1), alert(2)]));
    mocks.notifier.expect_notify().once().returning(|alert| {
        Err(NotifyError { portfolio: alert.portfolio.to_string(), message: "the line is dead".to_owned() })
    });
    assert_eq!(mocks.run(async |engine| engine.deliver_alerts().await), Ok(0));
}

/// Nineteen minutes and a half: whose batch is open is asked at the start and each minute, who there is at the start and after a quarter of an hour.
#[test]
fn a_journal_that_does_not_answer_is_asked_again_at_the_next_time_and_no_sooner() {
    let mut mocks = Mocks::new();
    let unreadable = || JournalError::Unavailable { doing: "reading".to_owned(), message: "gone".to_owned() };
    mocks.journal.expect_open_batches().times(20).returning(move || Err(unreadable()));
    mocks.journal.expect_portfolios().times(2).returning(move || Err(unreadable()));
    let mut seen = Vec::new();
    mocks.run(async |engine| {
        let stop = async {
            let clock = &engine.ports.clock;
            clock.sleep_until(clock.now().plus(Duration::from_secs(19 * 60 + 30))).await;
            engine.shut_down(Duration::ZERO).await
        };
        join(engine.make_rounds(RoundSettings::default(), |one| seen.push(one)), stop).await
    });
    assert_eq!(seen, vec![Seen::NotListed(EngineError::Journal(unreadable())); 22]);
}

#[test]
fn impossible_settings_are_all_named() {
    let settings = Settings {
        attempts: 10,
        legs_at_once: 0,
        poll: Duration::ZERO,
        lease: LeaseTerms { expiry: Duration::from_secs(1), heartbeat: Duration::from_secs(2) },
        ..Settings::unlimited()
    };
    let expected = [
        SettingsError::Attempts { found: 10 },
        SettingsError::NoLegs,
        SettingsError::Zero { what: "poll" },
        SettingsError::Heartbeat { heartbeat: Duration::from_secs(2), lease: Duration::from_secs(1) },
    ];
    assert_eq!(settings.checked().unwrap_err(), expected);
    assert!(Settings::default().checked().is_ok());
}

/// Users spawn these on a runtime of several threads.
#[test]
fn every_future_can_be_sent_between_threads() {
    fn can_be_sent<T: Send>(_: T) {}
    Mocks::new().run(async |engine| {
        let (id, engine) = (growth(), &*engine);
        can_be_sent(engine.rebalance(&id));
        can_be_sent(engine.rebalance_now(&id));
        can_be_sent(engine.preview(&id));
        can_be_sent(engine.recover());
        can_be_sent(engine.resolve(&id, Resolve::Accept, "who", "why"));
        can_be_sent(engine.abort(&id, "who", "why"));
        can_be_sent(engine.remove(&id));
        can_be_sent(engine.deliver_alerts());
        can_be_sent(engine.shut_down(Duration::ZERO));
        can_be_sent(engine.make_rounds(RoundSettings::default(), |_| {}));
    });
}
