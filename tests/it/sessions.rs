//! A market with hours: nothing is begun that would not end in time, and what a close interrupts is put right at the next opening.

use crate::world::{QUARTERS, World, minutes, noon, p, seconds, shown};
use evenkeel_banchile::{Fault, Part, Profile, Rule, Sessions};
use evenkeel_domain::decide::Refusal;
use evenkeel_domain::limits::{LimitError, Limits};
use evenkeel_domain::order::{Direction, Side};
use evenkeel_domain::values::Timestamp;
use evenkeel_engine::{EngineError, Settings};
use evenkeel_ports::Clock;

/// At so many minutes after noon of a Tuesday whose session is from 14:30 to 21:00, out of band.
fn at(minutes_after_noon: u64) -> World {
    let limits = Limits { session_left: Some(minutes(5)), ..Limits::NONE };
    let profile = Profile { sessions: Some(Sessions::new_york()), ..Profile::ideal() };
    let world = World::drifted_with(profile, Settings { limits, ..Settings::unlimited() }, &QUARTERS);
    world.clock.advance(minutes(minutes_after_noon));
    world
}

#[test]
fn a_batch_is_begun_only_where_enough_of_the_session_is_left() {
    assert_eq!(shown(&at(9 * 60 - 5).rebalance("growth")), "completed");
    let world = at(9 * 60 - 4);
    let limit = LimitError::Session { left: minutes(4), limit: minutes(5) };
    assert_eq!(
        world.rebalance("growth"),
        Err(EngineError::Refused { portfolio: p("growth"), cause: Refusal::Limit(limit) })
    );
    assert!(world.desk.sent().is_empty());
}

#[test]
fn while_the_market_is_closed_nothing_comes_of_it_and_it_is_tried_again_later() {
    let world = at(0);
    let before = world.truth("growth");
    assert_eq!(shown(&world.rebalance("growth")), "restored", "every leg was refused");
    world.assert_restored("growth", &before);
    world.clock.advance(minutes(3 * 60));
    assert_eq!(shown(&world.rebalance("growth")), "completed");
}

#[test]
fn what_the_close_interrupts_is_restored_when_the_market_opens_again() {
    let world = at(9 * 60 - 5);
    let before = world.truth("growth");
    // Half of MSFT is bought; the rest expires with the day.
    let half = Fault::PartialThenWork(Part::Share(p("50")));
    world.script([Rule::new(half).symbol(p("MSFT")).side(Side::Buy)]);
    let mut settings = world.engine.settings().clone();
    settings.order_deadline = minutes(60);
    let engine = evenkeel_engine::Engine::new(world.ports(), settings, p("patient"));
    let prices = [("META", "500"), ("AAPL", "200"), ("MSFT", "250")].map(|(symbol, price)| (p(symbol), p(price)));
    engine.on_wave(world.clock.now(), &prices);
    // A night is longer than a lease may last: the batch stays open, and whoever comes next waits on.
    let mut told = vec![shown(&world.run(engine.rebalance(&p("growth"))))];
    while world.standing("growth") == "rebalancing" {
        let recovered = world.run(engine.recover()).unwrap();
        told.push(recovered[0].result.as_ref().map_or_else(ToString::to_string, |report| {
            report.as_ref().map_or_else(String::new, |report| report.outcome.name().to_owned())
        }));
    }
    let lost = "the lease of growth was lost on the way";
    assert_eq!(told, [lost, lost, "restored"]);
    world.assert_restored("growth", &before);

    let opening: Timestamp = noon().plus(minutes(24 * 60 + 150));
    let sent = world.desk.sent();
    let back: Vec<_> = sent.iter().filter(|sent| sent.request.id.direction == Direction::Reverse).collect();
    let executed = back.iter().filter(|sent| sent.at >= opening).count();
    assert_eq!(executed, 3, "each leg goes back after the opening");
    assert!(back.iter().all(|sent| sent.at < opening || sent.at < opening.plus(seconds(60))));
}
