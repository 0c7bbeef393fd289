//! A broker's rate limit: what it turns away was not sent. It keeps its id, waits, and goes out when there is room; nothing of that is an attempt.

use crate::answers::slow;
use crate::gate::{Gate, gated};
use crate::world::{World, batch_of, minutes, noon, p, seconds};
use evenkeel_banchile::{Latency, Profile, RateLimit};
use evenkeel_domain::order::Direction;
use evenkeel_domain::policy::Policy;
use evenkeel_domain::record::{Event, OrderEvent, Outcome};
use evenkeel_engine::Settings;
use evenkeel_ports::{Clock, LeaseTerms};
use std::sync::Arc;
use std::time::Duration;

/// Five orders at once, then one a second.
fn limited(profile: Profile) -> Profile {
    Profile { rate_limit: Some(RateLimit { burst: 5, every: seconds(1) }), ..profile }
}

/// Cash that is to become so many holdings of the same weight: as many buys, all in one stage.
fn in_cash(profile: Profile, settings: Settings, holdings: u32) -> World {
    let world = World::with_settings(limited(profile), settings);
    let symbols: Vec<String> = (0..holdings).map(|n| format!("S{n:03}")).collect();
    let weight = format!("{}.{:04}", 100 / holdings, 1_000_000 / holdings % 10_000);
    let targets: Vec<(&str, &str)> = symbols.iter().map(|symbol| (symbol.as_str(), weight.as_str())).collect();
    world.add("growth", "100000.00", &[], &targets, Policy::default());
    assert_eq!(world.wave_of(symbols.iter().map(|symbol| (p(symbol), p("10"))).collect()), [p("growth")]);
    world
}

/// The highest number of an attempt among what was sent.
fn attempts(world: &World) -> u8 {
    world.desk.sent().iter().map(|sent| sent.request.id.attempt.get()).max().unwrap_or_default()
}

/// How many orders the journal knows to have been turned away.
fn turned_away(world: &World) -> usize {
    let is_turned_away = |event: &Event| matches!(event, Event::Order { event: OrderEvent::NotSent(_), .. });
    world.journal.records(&p("growth")).iter().filter(|record| is_turned_away(&record.event)).count()
}

/// All is bought, with so many attempts at most and within this time; and the broker is hardly asked in vain. The same where no call is answered as it is made.
fn check(profile: &Profile, holdings: u32, expected_attempts: u8, within: Duration) {
    for is_gated in [false, true] {
        let what = format!("{holdings} at {}, gated: {is_gated}", profile.name);
        let world = in_cash(profile.clone(), Settings::unlimited(), holdings);
        let gate = Gate::falling_at(usize::MAX);
        let gated_worker = is_gated.then(|| world.worker_over("worker-2", gated(world.ports(), &gate)));
        let worker = gated_worker.unwrap_or_else(|| Arc::clone(&world.engine));
        let report = batch_of(world.run(worker.rebalance(&p("growth"))));
        assert_eq!(report.outcome, Outcome::Completed, "{what}: {:?}", report.cause);
        world.assert_books_are_true("growth");
        assert_eq!(attempts(&world), expected_attempts, "{what}");
        assert_eq!(turned_away(&world) > 0, expected_attempts > 1, "{what}: nobody need know of an order that waited");
        let took = world.clock.now().since(noon());
        assert!(took <= within, "{what}: {} s", took.as_secs());
        // Each order that went out was turned away once before at most; and sixteen were on their way when the limit was met.
        assert!(world.desk.limited() <= u64::from(holdings) + 16, "{what}: {} turned away", world.desk.limited());
    }
}

#[test]
fn orders_wait_for_room_under_the_same_id() {
    check(&Profile::ideal(), 4, 1, seconds(1));
    check(&Profile::ideal(), 40, 1, seconds(36));
    // An answer takes two seconds there: two or three are on their way in that time, and nearly as many go out as the broker takes.
    check(&slow(), 40, 1, seconds(60));
}

#[test]
fn an_order_that_cannot_wait_until_its_deadline_is_another_attempt() {
    // Of a hundred, sixty-four are sent within the minute that an order may be open.
    check(&Profile::ideal(), 100, 2, minutes(3));
    check(&slow(), 100, 2, minutes(4));
    // The deadline passes while an order is on its way, and nothing else happens.
    let at_once = Latency::exactly(seconds(0));
    let late_answers = Profile { to_venue: at_once, at_venue: at_once, back: Latency::exactly(seconds(7)), ..slow() };
    check(&late_answers, 50, 2, minutes(4));
}

#[test]
fn what_waits_is_never_sent_after_an_abort() {
    let world = in_cash(Profile::ideal(), Settings::unlimited(), 40);
    let mut running = world.start("growth");
    world.drive_for(&mut running, seconds(10));
    let aborted = world.run(world.engine.abort(&p("growth"), "ann", "changed my mind"));
    assert_eq!(aborted, Ok(None), "passed on");
    let before = world.desk.sent().len();
    let report = batch_of(world.run(running));
    assert_eq!(report.outcome, Outcome::Restored, "{:?}", report.cause);
    let after = world.desk.sent().split_off(before);
    assert!(after.iter().all(|sent| sent.request.id.direction == Direction::Reverse));
    world.assert_books_are_true("growth");
}

#[test]
fn whoever_takes_over_sends_what_waited() {
    let lease = LeaseTerms { heartbeat: seconds(10), ..LeaseTerms::default() };
    let world = in_cash(Profile::ideal(), Settings { lease, ..Settings::unlimited() }, 40);
    let mut running = world.start("growth");
    world.drive_for(&mut running, seconds(10));
    drop(running);
    world.clock.advance(seconds(11));
    let report = world.run(world.worker("worker-2").recover_one(&p("growth"))).unwrap().unwrap();
    assert_eq!(report.outcome, Outcome::Completed, "{:?}", report.cause);
    world.assert_books_are_true("growth");
}
