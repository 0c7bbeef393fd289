//! Outages: what callers meet in a window, what the venue does meanwhile, and when windows are drawn.

use super::desk::{Desk, id, order};
use super::life::steady;
use crate::{Chance, Latency, Outage, OutageKind, Outages, Profile, Rule};
use evenkeel_domain::order::{CancelAnswer, NotSent, SubmitAnswer, UnknownCause};
use evenkeel_domain::values::Timestamp;
use evenkeel_ports::{Broker, BrokerError};
use std::time::Duration;

fn second(number: u64) -> Timestamp {
    Timestamp::EPOCH.plus(Duration::from_secs(number))
}

/// From second 10 until before second 20.
fn window(kind: OutageKind) -> Desk {
    let desk = Desk::new(steady());
    desk.broker.add_outage(Outage { from: second(10), until: second(20), kind });
    desk
}

/// `answered` for all five questions alike.
fn questions(desk: &Desk) -> &'static str {
    let (broker, account) = (&desk.broker, &desk.account);
    let errors = [
        desk.run(broker.order(account, id(1, 1))).err(),
        desk.run(broker.open_orders(account)).err(),
        desk.run(broker.fills_since(account, None)).err(),
        desk.run(broker.positions(account)).err(),
        desk.run(broker.account(account)).err(),
    ];
    let unavailable = |error: &Option<BrokerError>| matches!(error, Some(BrokerError::Unavailable { .. }));
    match errors {
        errors if errors.iter().all(Option::is_none) => "answered",
        errors if errors.iter().all(unavailable) => "unavailable",
        errors => panic!("{errors:?}"),
    }
}

#[test]
fn questions_fail_from_the_first_moment_until_before_the_last() {
    for kind in [OutageKind::Refused, OutageKind::Silent] {
        let desk = window(kind);
        let nano = Duration::from_nanos(1);
        let before = |at: Timestamp| Timestamp::from_nanos(at.nanos() - 1);
        for (at, told) in [
            (before(second(10)), "answered"),
            (second(10), "unavailable"),
            (second(10).plus(nano), "unavailable"),
            (before(second(20)), "unavailable"),
            (second(20), "answered"),
        ] {
            desk.clock.set(at);
            assert_eq!(questions(&desk), told, "{kind:?} at {at:?}");
        }
    }
}

#[test]
fn a_refused_connection_sends_nothing() {
    let desk = window(OutageKind::Refused);
    desk.broker.script(Rule::new(crate::Fault::NeverFill));
    desk.clock.set(second(10));
    let buy = order(1, "buy 2 META @ 400");
    assert_eq!(desk.submit(&buy), SubmitAnswer::NotSent(NotSent::Unreachable));
    assert_eq!(desk.cancel(buy.id), CancelAnswer::NotSent(NotSent::Unreachable));
    assert_eq!(desk.broker.ledger(&desk.account).unwrap().sends, 0);
    assert_eq!(desk.broker.next_event(), None);
    desk.clock.set(second(20));
    assert_eq!(desk.state(buy.id), "Absent");
    // The rule has not counted what was not sent.
    desk.place(&buy);
    desk.settle();
    assert_eq!(desk.state(buy.id), "Working 0");
}

#[test]
fn a_silent_broker_does_what_it_is_told() {
    let desk = window(OutageKind::Silent);
    desk.broker.script(Rule::new(crate::Fault::NeverFill).nth(2));
    desk.clock.set(second(10));
    let (buy, rests) = (order(1, "buy 2 META @ 400"), order(2, "buy 1 META @ 400"));
    let timeout = SubmitAnswer::Unknown(UnknownCause::Timeout);
    assert_eq!((desk.submit(&buy), desk.submit(&rests)), (timeout.clone(), timeout));
    assert_eq!(desk.cancel(rests.id), CancelAnswer::Unknown(UnknownCause::Timeout));
    desk.clock.set(second(20));
    assert_eq!((desk.state(buy.id).as_str(), desk.state(rests.id).as_str()), ("Filled 2", "Canceled 0"));
    desk.conserved();
}

/// Reads lag by a hundred seconds here, unless an answer has shown more.
#[test]
fn a_cancel_that_nobody_hears_shows_nothing() {
    let lag = Latency::exactly(Duration::from_secs(100));
    let desk = Desk::new(Profile { visibility_lag: lag, visibility_horizon: Duration::from_secs(100), ..steady() });
    desk.broker.add_outage(Outage { from: second(10), until: second(20), kind: OutageKind::Silent });
    let buy = order(1, "buy 2 META @ 400");
    desk.clock.set(second(5));
    desk.place(&buy);
    desk.clock.set(second(15));
    assert_eq!(desk.cancel(buy.id), CancelAnswer::Unknown(UnknownCause::Timeout));
    desk.clock.set(second(50));
    assert_eq!(desk.state(buy.id), "Working 0");
    assert!(matches!(desk.cancel(buy.id), CancelAnswer::AlreadyTerminal(_)));
    assert_eq!(desk.state(buy.id), "Filled 2");
}

/// Nor does a submission whose answer comes too late.
#[test]
fn an_answer_that_comes_too_late_shows_nothing() {
    let lag = Latency::exactly(Duration::from_secs(100));
    let desk = Desk::new(Profile { visibility_lag: lag, visibility_horizon: Duration::from_secs(200), ..steady() });
    desk.broker.script(Rule::new(crate::Fault::Slow { delay: Duration::from_secs(30) }));
    let buy = order(1, "buy 2 META @ 400");
    desk.clock.set(second(5));
    assert_eq!(desk.submit(&buy), SubmitAnswer::Unknown(UnknownCause::Timeout));
    desk.clock.set(second(50));
    assert_eq!(desk.state(buy.id), "Unproven");
    desk.clock.set(second(140));
    assert_eq!(desk.state(buy.id), "Filled 2");
}

#[test]
fn what_was_accepted_before_is_executed_meanwhile() {
    for kind in [OutageKind::Refused, OutageKind::Silent] {
        let desk = window(kind);
        desk.clock.set(Timestamp::from_nanos(second(10).nanos() - 20_000_000));
        desk.place(&order(1, "buy 2 META @ 400"));
        desk.clock.set(second(15));
        desk.conserved();
        assert_eq!(desk.broker.ledger(&desk.account).unwrap().cash.to_string(), "9200.00", "{kind:?}");
    }
}

/// One minute in each quarter of an hour, all of a kind.
fn minutes(silent: Chance) -> Outages {
    let lasts = Latency::exactly(Duration::from_secs(60));
    Outages { slot: Duration::from_secs(900), chance: Chance::ALWAYS, lasts, silent }
}

/// Of so many seconds, those in which the broker is not to be had.
fn out(outages: Outages, seed: u64, seconds: u64) -> Vec<u64> {
    let desk = Desk::seeded(Profile { outages: Some(outages), ..Profile::ideal() }, seed);
    let is_out = |number: &u64| {
        desk.clock.set(second(*number));
        desk.run(desk.broker.account(&desk.account)).is_err()
    };
    (0..seconds).filter(is_out).collect()
}

#[test]
fn windows_are_drawn_by_seed_and_slot() {
    let (seconds, outages) = (3 * 3600, minutes(Chance::NEVER));
    let drawn = out(outages, 1, seconds);
    assert_eq!(drawn, out(outages, 1, seconds), "the same seed");
    assert_ne!(drawn, out(outages, 2, seconds), "another seed");
    // 12 windows of 60 seconds; two can overlap, and the first and the last can lie across the ends.
    assert!((500..=780).contains(&drawn.len()), "{}", drawn.len());
    assert_eq!(out(Outages { chance: Chance::NEVER, ..outages }, 1, 3600), Vec::<u64>::new());
    assert_eq!(out(Outages { slot: Duration::ZERO, ..outages }, 1, 3600), Vec::<u64>::new());
    let endless = Latency::exactly(Duration::from_secs(1_000_000));
    let cut = out(Outages { lasts: endless, chance: Chance::per_mille(500), ..outages }, 1, seconds);
    assert!((900..9_900).contains(&cut.len()), "cut at the length of a slot: {}", cut.len());
}

#[test]
fn the_kind_is_drawn_too() {
    for (silent, told) in [
        (Chance::NEVER, SubmitAnswer::NotSent(NotSent::Unreachable)),
        (Chance::ALWAYS, SubmitAnswer::Unknown(UnknownCause::Timeout)),
    ] {
        let first = out(minutes(silent), 1, 1800)[0];
        let desk = Desk::new(Profile { outages: Some(minutes(silent)), ..Profile::ideal() });
        desk.clock.set(second(first));
        assert_eq!(desk.submit(&order(1, "buy 1 META @ 400")), told);
    }
}
