//! A bank in a file: certified like any broker, one truth for all who open it, and nothing lost when a process ends in the middle.

#![cfg(feature = "file")]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test may panic: that is how it fails"
)]

mod rig;

use evenkeel_banchile::{BanChile, BankError, BankFile, Profile};
use evenkeel_domain::order::{
    Attempt, BatchId, ClientOrderId, Direction, LegNumber, Lookup, OrderRequest, Side, SubmitAnswer, Terms,
};
use evenkeel_domain::values::{AccountId, StoreId, Timestamp};
use evenkeel_memory::ManualClock;
use evenkeel_ports::{Broker, Clock};
use proptest::prelude::*;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

fn start() -> Timestamp {
    "2024-01-02T12:00:00Z".parse().unwrap()
}

fn account() -> AccountId {
    "growth".parse().unwrap()
}

fn open(path: &Path, profile: &Profile, clock: &ManualClock) -> BanChile {
    let bank = BankFile::open(path, StoreId::new(7), profile, 1).unwrap();
    BanChile::kept_in(&bank, &account(), profile.clone(), Arc::new(clock.clone())).unwrap()
}

/// A bank with one account of 10,000.00 and META at 400.
fn fresh(path: &Path, profile: &Profile, clock: &ManualClock) -> BanChile {
    let broker = open(path, profile, clock);
    broker.open_account(&account(), "USD".parse().unwrap(), "10000.00".parse().unwrap(), []).unwrap();
    broker.set_price("META".parse().unwrap(), "400".parse().unwrap());
    broker
}

fn buy(leg: usize) -> OrderRequest {
    let id = ClientOrderId {
        batch: BatchId::from_u128(1),
        leg: LegNumber::new(leg).unwrap(),
        direction: Direction::Forward,
        attempt: Attempt::FIRST,
    };
    let (symbol, quantity, reference) = ("META".parse().unwrap(), "1".parse().unwrap(), "400".parse().unwrap());
    OrderRequest { id, terms: Terms { symbol, side: Side::Buy, quantity, reference, exit: false } }
}

mod certified {
    use super::rig::SimulatedRig;
    use super::*;

    /// Every case has a bank of its own, which lives as long as the tests run.
    fn in_a_file(profile: Profile) -> SimulatedRig {
        let path =
            tempfile::NamedTempFile::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap().into_temp_path().keep().unwrap();
        std::fs::remove_file(&path).unwrap();
        SimulatedRig::over(profile, move |profile, clock| {
            let bank = BankFile::open(&path, StoreId::new(7), &profile, 1).unwrap();
            BanChile::kept_in(&bank, &"conformance".parse().unwrap(), profile, clock).unwrap()
        })
    }

    mod ideal {
        use super::*;
        evenkeel_conformance::broker_suite!(in_a_file(Profile::ideal()), not_shown: [C14], skipped: [C20, C21, C42]);
    }

    mod calm {
        use super::*;
        evenkeel_conformance::broker_suite!(in_a_file(Profile::calm()), skipped: [C21]);
    }
}

#[test]
fn an_order_that_was_sent_is_executed_though_its_process_ended() {
    let folder = tempfile::tempdir().unwrap();
    let (path, profile) = (folder.path().join("bank.db"), Profile::calm());
    let clock = ManualClock::new(start());
    let broker = fresh(&path, &profile, &clock);
    {
        // The process ends while the request is on its way.
        let (account, order) = (account(), buy(0));
        let submitting = broker.submit(&account, &order);
        assert!(clock.poll_until(Box::pin(submitting).as_mut(), start()).is_none());
    }
    drop(broker);
    let later = ManualClock::new(start().plus(Duration::from_secs(60)));
    let broker = open(&path, &profile, &later);
    let found = later.run(broker.order(&account(), buy(0).id)).unwrap().unwrap();
    assert!(matches!(&found, Lookup::Found(view) if view.filled.to_string() == "1"), "{found:?}");
    assert_eq!(later.run(broker.submit(&account(), &buy(0))).unwrap(), SubmitAnswer::AlreadyExists);
    broker.check_conservation(&account()).unwrap();
}

#[test]
fn all_who_open_it_see_one_truth() {
    let folder = tempfile::tempdir().unwrap();
    let (path, profile) = (folder.path().join("bank.db"), Profile::ideal());
    let clock = ManualClock::new(start());
    let one = fresh(&path, &profile, &clock);
    let other = open(&path, &profile, &clock);
    let send = |broker: &BanChile, leg| clock.run(broker.submit(&account(), &buy(leg))).unwrap();
    for leg in 0..6 {
        let (first, second) = if leg % 2 == 0 { (&one, &other) } else { (&other, &one) };
        assert!(matches!(send(first, leg), SubmitAnswer::Acknowledged(_)));
        assert_eq!(send(second, leg), SubmitAnswer::AlreadyExists);
    }
    assert_eq!(one.truth(), other.truth());
    assert_eq!(one.ledger(&account()).unwrap().cash.to_string(), "7600.00");
}

/// Two processes, one of which has slept: what the other was answered stays true.
#[test]
fn a_clock_that_is_behind_changes_nothing_that_was_seen() {
    let folder = tempfile::tempdir().unwrap();
    let (path, profile) = (folder.path().join("bank.db"), Profile::calm());
    let (clock, behind) = (ManualClock::new(start()), ManualClock::new(start()));
    let one = fresh(&path, &profile, &clock);
    assert!(matches!(clock.run(one.submit(&account(), &buy(0))).unwrap(), SubmitAnswer::Acknowledged(_)));
    clock.advance(Duration::from_secs(60));
    let seen = clock.run(one.fills_since(&account(), None)).unwrap().unwrap();
    let asked_at = clock.now();
    assert_eq!(seen.fills.len(), 1);

    let other = open(&path, &profile, &behind);
    other.set_price("META".parse().unwrap(), "500".parse().unwrap());
    assert_eq!(other.price("META".parse().unwrap()), Some("400".parse().unwrap()), "prices of the past are no news");
    let read = behind.run(other.fills_since(&account(), Some(seen.next.clone()))).unwrap().unwrap();
    assert_eq!(read.fills, []);
    assert!(matches!(behind.run(other.submit(&account(), &buy(1))).unwrap(), SubmitAnswer::Acknowledged(_)));
    clock.advance(Duration::from_secs(60));
    let all = clock.run(one.fills_since(&account(), None)).unwrap().unwrap();
    assert_eq!(all.fills[..1], seen.fills[..]);
    assert_eq!(all.fills.len(), 2);
    assert!(all.fills[1].fill.at > asked_at, "not before what was seen");
    assert_eq!(format!("{:?}", one.truth()), format!("{:?}", open(&path, &profile, &clock).truth()));
}

#[test]
fn a_bank_without_times_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let (path, profile) = (folder.path().join("bank.db"), Profile::calm());
    let clock = ManualClock::new(start());
    let truth = fresh(&path, &profile, &clock).truth();
    let old = rusqlite::Connection::open(&path).unwrap();
    old.execute_batch("DROP TABLE time; PRAGMA user_version = 1").unwrap();
    drop(old);
    assert_eq!(open(&path, &profile, &clock).truth(), truth);
}

#[test]
fn a_bank_of_another_store_broker_or_seed_is_refused_and_so_is_what_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bank.db");
    drop(BankFile::open(&path, StoreId::new(7), &Profile::calm(), 1).unwrap());
    let refused =
        |store, profile: &Profile, seed| BankFile::open(&path, StoreId::new(store), profile, seed).unwrap_err();
    assert!(matches!(refused(8, &Profile::calm(), 1), BankError::OtherStore { .. }));
    let told = refused(7, &Profile::storm(), 1).to_string();
    assert!(told.contains("is the bank of BanChile (calm), seed 1, not of BanChile (storm), seed 1"), "{told}");
    assert!(matches!(refused(7, &Profile::calm(), 2), BankError::OtherBroker { .. }));
    drop(BankFile::open(&path, StoreId::new(7), &Profile::calm(), 1).unwrap());

    let text = folder.path().join("text.db");
    std::fs::write(&text, "no database at all, but long enough to be taken for one".repeat(20)).unwrap();
    let none = BankFile::open(&text, StoreId::new(7), &Profile::calm(), 1);
    assert!(matches!(none, Err(BankError::NotABank { .. })), "{none:?}");
}

#[test]
fn a_bank_that_cannot_be_written_takes_no_order() {
    let folder = tempfile::tempdir().unwrap();
    let (path, profile) = (folder.path().join("bank.db"), Profile::ideal());
    let clock = ManualClock::new(start());
    let broker = fresh(&path, &profile, &clock);
    let blocker = rusqlite::Connection::open(&path).unwrap();
    blocker.execute_batch("CREATE TRIGGER full BEFORE INSERT ON call BEGIN SELECT RAISE(ABORT, 'full'); END").unwrap();
    let answer = clock.run(broker.submit(&account(), &buy(0))).unwrap();
    assert!(matches!(answer, SubmitAnswer::NotSent(_)), "{answer:?}");
    blocker.execute_batch("DROP TRIGGER full").unwrap();
    assert!(matches!(clock.run(broker.submit(&account(), &buy(0))).unwrap(), SubmitAnswer::Acknowledged(_)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever is done by whichever of two processes, whoever opens the bank afterwards has the same truth, byte for byte.
    #[test]
    fn what_was_done_is_what_is_read(steps in prop::collection::vec((0_usize..6, any::<bool>(), 0_u64..4_000), 1..20)) {
        let folder = tempfile::tempdir().unwrap();
        let (path, profile) = (folder.path().join("bank.db"), Profile::storm());
        let clock = ManualClock::new(start());
        let first = fresh(&path, &profile, &clock);
        let handles = [first, open(&path, &profile, &clock)];
        for (leg, by_second, millis) in steps {
            let broker = &handles[usize::from(by_second)];
            drop(clock.run(broker.submit(&account(), &buy(leg))));
            if leg == 5 {
                drop(clock.run(broker.cancel(&account(), buy(0).id)));
            }
            clock.advance_to(clock.now().plus(Duration::from_millis(millis)));
        }
        clock.advance_to(clock.now().plus(Duration::from_secs(600)));
        let truth = format!("{:?}", handles[0].truth());
        prop_assert_eq!(&format!("{:?}", handles[1].truth()), &truth);
        prop_assert_eq!(&format!("{:?}", open(&path, &profile, &clock).truth()), &truth);
        handles[0].check_conservation(&account()).unwrap();
    }
}
