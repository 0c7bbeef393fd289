//! The broker behaves as its profile says, and would be caught if it did not; and the same seed is the same broker, byte for byte.

use super::desk::{Desk, order_of};
use crate::{Calibration, Chance, FaultRates, Latency, Outages, Profile, Tally};
use evenkeel_ports::Broker;
use std::time::Duration;

/// Some thousand small orders at a broker of this kind, each with its batch and looked up a second later; every tenth is canceled at
/// once. Then a thousand hours with a question each.
fn busy(profile: Profile, seed: u64) -> Desk {
    let desk = Desk::seeded(Profile { rate_limit: None, ..profile }, seed);
    desk.broker.deposit(&desk.account, "9000000.00".parse().unwrap()).unwrap();
    for number in 0..4_000_u128 {
        let text = if number % 3 == 0 { "sell 0.01 AAPL @ 200" } else { "buy 0.02 AAPL @ 200" };
        let order = order_of(number, 0, text);
        drop(desk.submit(&order));
        if number % 10 == 0 {
            drop(desk.cancel(order.id));
        }
        desk.clock.pass(Duration::from_secs(1));
        drop(desk.run(desk.broker.order(&desk.account, order.id)));
    }
    desk.settle();
    for _ in 0..1_000 {
        desk.clock.pass(Duration::from_secs(3_600));
        drop(desk.run(desk.broker.account(&desk.account)));
    }
    desk
}

#[test]
fn each_profile_is_what_it_says() {
    for profile in [Profile::calm(), Profile::storm()] {
        for seed in [1, 2] {
            let desk = busy(profile.clone(), seed);
            let calibration = desk.broker.calibration(desk.broker.profile());
            assert!(calibration.holds(), "seed {seed} of {}\n{calibration}", profile.name);
            let fewest = if profile.faults == FaultRates::NONE { 5 } else { 19 };
            assert!(calibration.lines.len() >= fewest, "{calibration}");
        }
    }
}

#[test]
fn brokers_that_hold_one_by_one_are_caught_together() {
    // Late fills happen five times in a thousand; with these brokers, once.
    let faults = FaultRates { late_fill: Chance::per_mille(1), ..FaultRates::STORM };
    let mut all = Tally::default();
    for seed in 0..24 {
        let desk = Desk::seeded(Profile { faults, rate_limit: None, ..Profile::storm() }, seed);
        desk.broker.deposit(&desk.account, "9000000.00".parse().unwrap()).unwrap();
        for number in 0..800_u128 {
            drop(desk.submit(&order_of(number, 0, "buy 0.02 AAPL @ 200")));
            desk.clock.pass(Duration::from_secs(1));
        }
        desk.settle();
        assert!(desk.broker.calibration(&Profile::storm()).holds(), "seed {seed}: too few to tell");
        all.add(&desk.broker.tally());
    }
    let calibration = all.against(&Profile::storm());
    let off: Vec<_> = calibration.lines.iter().filter(|line| !line.holds).map(|line| line.what).collect();
    assert_eq!(off, ["late fills"], "\n{calibration}");
    assert!(all.against(&Profile { faults, ..Profile::storm() }).holds());
}

#[test]
fn ideal_draws_nothing() {
    let desk = busy(Profile::ideal(), 1);
    assert_eq!(desk.broker.calibration(&Profile::ideal()), Calibration { lines: Vec::new() });
}

#[test]
fn a_broker_that_is_not_what_it_says_is_caught_by_the_line_that_is_off() {
    let desk = busy(Profile::storm(), 1);
    let longer = |latency: Latency| Latency {
        median: latency.median.mul_f64(1.4),
        p99: latency.p99.mul_f64(1.4),
        most: latency.most * 2,
        ..latency
    };
    let rates = FaultRates::STORM;
    let twice = |chance: Chance| Chance::per_million(chance.in_a_million() * 5);
    let faults = |faults: FaultRates| Profile { faults, ..Profile::storm() };
    let storm = Profile::storm;
    let drawn = storm().outages.unwrap();
    let outages = |outages: Outages| Profile { outages: Some(outages), ..Profile::storm() };
    let declared = [
        ("partial fills", Profile { partial_fills: Chance::per_mille(370), ..storm() }),
        ("lost requests", faults(FaultRates { lost_request: twice(rates.lost_request), ..rates })),
        ("lost answers", faults(FaultRates { lost_answer: Chance::NEVER, ..rates })),
        ("doubled requests", faults(FaultRates { doubled: twice(rates.doubled), ..rates })),
        ("refusals", faults(FaultRates { refused: twice(rates.refused), ..rates })),
        ("late rejections", faults(FaultRates { rejected: twice(twice(rates.rejected)), ..rates })),
        ("late fills", faults(FaultRates { late_fill: twice(rates.late_fill), ..rates })),
        ("slow requests", faults(FaultRates { slow: Chance::NEVER, ..rates })),
        ("way to the venue", Profile { to_venue: longer(storm().to_venue), ..storm() }),
        ("step at the venue", Profile { at_venue: longer(storm().at_venue), ..storm() }),
        ("way back", Profile { back: Latency { most: storm().back.p99, ..storm().back }, ..storm() }),
        ("visibility", Profile { visibility_lag: longer(storm().visibility_lag), ..storm() }),
        ("late by", faults(FaultRates { late_by: Latency::exactly(Duration::from_secs(20)), ..rates })),
        ("slow by", faults(FaultRates { slow_by: Latency::exactly(Duration::from_secs(15)), ..rates })),
        ("outages", outages(Outages { chance: Chance::per_mille(400), ..drawn })),
        ("silent outages", outages(Outages { silent: Chance::per_mille(100), ..drawn })),
        ("outages last", outages(Outages { lasts: Latency::exactly(Duration::from_secs(60)), ..drawn })),
        ("jumbled lists", Profile { disorder: Chance::per_mille(300), ..storm() }),
        ("slippage", Profile { slippage_bps: 19, ..storm() }),
        ("slippage", Profile { half_spread_bps: 5, ..storm() }),
    ];
    for (line, declared) in declared {
        let calibration = desk.broker.calibration(&declared);
        let off: Vec<_> = calibration.lines.iter().filter(|line| !line.holds).map(|line| line.what).collect();
        assert_eq!(off, [line], "\n{calibration}");
    }
}

#[test]
fn the_report_is_a_table() {
    let told = busy(Profile::calm(), 1).broker.calibration(&Profile::calm()).to_string();
    let lines: Vec<&str> = told.lines().collect();
    assert!(lines[0].starts_with("figure ") && lines[0].ends_with("draws"), "{told}");
    assert!(lines[1].starts_with("partial fills ") && lines[1].contains("100000 in a million"), "{told}");
    assert!(lines.iter().any(|line| line.starts_with("slippage ") && line.contains("1 to 5 bps")), "{told}");
}

#[test]
fn the_same_seed_is_the_same_broker_byte_for_byte() {
    let told = |seed| {
        let desk = busy(Profile::storm(), seed);
        format!("{:?}\n{}", desk.broker.truth(), desk.broker.calibration(&Profile::storm()))
    };
    let once = told(7);
    assert_eq!(once, told(7));
    assert_ne!(once, told(8));
}
