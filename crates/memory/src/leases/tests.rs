//! The lease store: its contract, number by number.

mod properties;

use crate::testing::{at, owner, portfolio, ready, seconds};
use crate::{ManualClock, MemoryLeases};
use evenkeel_domain::values::{Timestamp, Token};
use evenkeel_ports::{AcquireError, HoldError, Lease, LeaseStore, LeaseTerms};
use std::sync::Arc;

/// Ends 100 seconds after it was granted, or 10 seconds after the last sign of life.
const TERMS: LeaseTerms = LeaseTerms { expiry: seconds(100), heartbeat: seconds(10) };

fn store() -> (ManualClock, MemoryLeases) {
    let clock = ManualClock::new(at(0));
    (clock.clone(), MemoryLeases::new(Arc::new(clock)))
}

/// The lease that `who` would have been granted with this token.
fn lease(who: &str, token: u64) -> Lease {
    Lease {
        portfolio: portfolio("growth"),
        owner: owner(who),
        token: Token::new(token),
        granted_at: at(0),
        terms: TERMS,
    }
}

/// What somebody asks of the store. Tokens are named by their number.
#[derive(Debug, Clone, Copy)]
enum Ask {
    Acquire,
    Renew(u64),
    Release(u64),
}
use Ask::{Acquire, Release, Renew};

fn ask(leases: &MemoryLeases, who: &str, what: Ask) -> String {
    let held = |answer: Result<(), HoldError>| match answer {
        Ok(()) => "done".to_owned(),
        Err(HoldError::NotHeld { .. }) => "not held".to_owned(),
        Err(error @ HoldError::Unavailable { .. }) => error.to_string(),
    };
    match what {
        Acquire => match ready(leases.acquire(&portfolio("growth"), &owner(who), TERMS)) {
            Ok(lease) => format!("token {}", lease.token),
            Err(AcquireError::Busy { holder, until, .. }) => {
                format!("{holder} until {}", until.since(at(0)).as_secs())
            }
            Err(error @ AcquireError::Unavailable { .. }) => error.to_string(),
        },
        Renew(token) => held(ready(leases.renew(&lease(who, token)))),
        Release(token) => held(ready(leases.release(&lease(who, token)))),
    }
}

/// Each line: at this second, this owner asks this, and gets this answer.
#[track_caller]
fn check(story: &[(u64, &str, Ask, &str)]) {
    let (clock, leases) = store();
    for (second, who, what, answer) in story {
        clock.advance_to(at(*second));
        assert_eq!(ask(&leases, who, *what), *answer, "at {second}, {who}: {what:?}");
    }
}

#[test]
fn contract_1_one_holder() {
    check(&[
        (0, "alice", Acquire, "token 1"),
        (0, "bob", Acquire, "alice until 10"),
        (3, "alice", Acquire, "alice until 10"),
        (3, "alice", Release(1), "done"),
        (3, "bob", Acquire, "token 2"),
        (3, "alice", Acquire, "bob until 13"),
    ]);
}

#[test]
fn contract_1_one_holder_of_many_at_once() {
    let (_, leases) = store();
    let names: Vec<String> = (0..8).map(|number| format!("worker-{number}")).collect();
    for round in 1..=50 {
        let granted: Vec<Lease> = std::thread::scope(|scope| {
            let acquire = |name| ready(leases.acquire(&portfolio("growth"), &owner(name), TERMS)).ok();
            let workers: Vec<_> = names.iter().map(|name| scope.spawn(move || acquire(name))).collect();
            workers.into_iter().filter_map(|worker| worker.join().unwrap()).collect()
        });
        let [lease] = granted.as_slice() else { panic!("one should be granted: {granted:?}") };
        assert_eq!(lease.token, Token::new(round));
        assert_eq!(leases.holder(&portfolio("growth")).as_ref(), Some(lease));
        assert_eq!(ready(leases.release(lease)), Ok(()));
    }
}

#[test]
fn contract_1_each_portfolio_by_itself() {
    let (_, leases) = store();
    for id in ["growth", "income"] {
        let lease = ready(leases.acquire(&portfolio(id), &owner("alice"), TERMS)).unwrap();
        assert_eq!(lease.token, Token::new(1));
    }
}

#[test]
fn contract_2_tokens_grow() {
    check(&[
        (0, "alice", Acquire, "token 1"),
        (0, "alice", Release(1), "done"),
        (0, "alice", Acquire, "token 2"),
        // By heartbeat, and by expiry.
        (10, "bob", Acquire, "token 3"),
        (900, "alice", Acquire, "token 4"),
        // What was not granted takes no token.
        (901, "bob", Acquire, "alice until 910"),
        (901, "alice", Release(4), "done"),
        (901, "bob", Acquire, "token 5"),
    ]);
}

#[test]
fn contract_3_the_stores_own_clock() {
    /// A lease that its holder changed before it renews: this is when it then ends.
    #[track_caller]
    fn check(change: impl FnOnce(&mut Lease)) {
        let (clock, leases) = store();
        let mut lease = ready(leases.acquire(&portfolio("growth"), &owner("alice"), TERMS)).unwrap();
        assert_eq!(lease.granted_at, at(0));
        change(&mut lease);
        clock.advance_to(at(5));
        assert_eq!(ready(leases.renew(&lease)), Ok(()));
        clock.advance_to(at(14));
        assert!(leases.holder(&portfolio("growth")).is_some());
        clock.advance_to(at(15));
        assert_eq!(leases.holder(&portfolio("growth")), None);
    }
    check(|_| ());
    check(|lease| lease.granted_at = at(1_000));
    check(|lease| lease.terms.heartbeat = seconds(1));
    check(|lease| lease.terms = LeaseTerms::default());
}

#[test]
fn contract_4_a_lease_ends_by_release() {
    check(&[
        (0, "alice", Acquire, "token 1"),
        (1, "alice", Release(1), "done"),
        (1, "alice", Release(1), "not held"),
        (1, "alice", Renew(1), "not held"),
        (1, "bob", Acquire, "token 2"),
    ]);
}

#[test]
fn contract_4_a_lease_ends_by_heartbeat() {
    check(&[
        (0, "alice", Acquire, "token 1"),
        (9, "bob", Acquire, "alice until 10"),
        (9, "alice", Renew(1), "done"),
        (18, "bob", Acquire, "alice until 19"),
        (19, "bob", Acquire, "token 2"),
        // Its former owner may take it as well.
        (29, "bob", Acquire, "token 3"),
    ]);
}

#[test]
fn contract_4_a_lease_ends_by_expiry_whatever_its_heartbeat() {
    let mut story = vec![(0, "alice", Acquire, "token 1")];
    story.extend((1..=99).map(|second| (second, "alice", Renew(1), "done")));
    story.extend([
        (99, "bob", Acquire, "alice until 100"),
        (100, "alice", Renew(1), "not held"),
        (100, "bob", Acquire, "token 2"),
    ]);
    check(&story);
}

#[test]
fn contract_4_terms_of_any_length() {
    /// With these terms, a lease granted at 0 ends at this second.
    #[track_caller]
    fn check(expiry: u64, heartbeat: u64, ends: Option<u64>) {
        let (clock, leases) = store();
        let terms = LeaseTerms { expiry: seconds(expiry), heartbeat: seconds(heartbeat) };
        ready(leases.acquire(&portfolio("growth"), &owner("alice"), terms)).unwrap();
        let held_at = |time: Timestamp| {
            clock.advance_to(time);
            leases.holder(&portfolio("growth")).is_some()
        };
        match ends {
            Some(0) => assert!(!held_at(at(0))),
            Some(second) => {
                assert!(held_at(at(second - 1)));
                assert!(!held_at(at(second)));
            }
            None => assert!(held_at(Timestamp::from_nanos(i64::MAX - 1))),
        }
    }
    check(5, 9, Some(5));
    check(9, 5, Some(5));
    check(7, 7, Some(7));
    check(0, 9, Some(0));
    check(9, 0, Some(0));
    check(u64::MAX, u64::MAX, None);
}

#[test]
fn contract_5_renew_and_release_need_the_owner_and_the_token() {
    for wrong in [Renew(0), Renew(1), Renew(3), Release(0), Release(1), Release(3)] {
        for who in ["alice", "bob"] {
            check(&[
                (0, "bob", Acquire, "token 1"),
                (0, "bob", Release(1), "done"),
                (0, "alice", Acquire, "token 2"),
                (5, who, wrong, "not held"),
                (5, "bob", Renew(2), "not held"),
                (5, "bob", Release(2), "not held"),
                // Nothing was changed: neither freed nor renewed.
                (5, "carol", Acquire, "alice until 10"),
            ]);
        }
    }
    let (_, leases) = store();
    assert_eq!(ask(&leases, "alice", Renew(0)), "not held", "nobody ever asked for this portfolio");
}

#[test]
fn contract_6_renewal_never_revives() {
    check(&[
        (0, "alice", Acquire, "token 1"),
        (10, "alice", Renew(1), "not held"),
        (10, "alice", Release(1), "not held"),
        (10, "alice", Acquire, "token 2"),
        (11, "alice", Renew(1), "not held"),
        (11, "alice", Renew(2), "done"),
    ]);
}

#[test]
fn errors_name_what_was_asked() {
    let (_, leases) = store();
    let not_held = ready(leases.renew(&lease("alice", 7))).unwrap_err();
    assert_eq!(not_held.to_string(), "the lease of growth with token 7 is not held by alice");
    ready(leases.acquire(&portfolio("growth"), &owner("alice"), TERMS)).unwrap();
    let busy = ready(leases.acquire(&portfolio("growth"), &owner("bob"), TERMS)).unwrap_err();
    assert_eq!(busy.to_string(), "alice holds the lease of growth until 1970-01-01T00:00:10Z at the latest");
}
