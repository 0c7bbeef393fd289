//! The engine in the storm: batch after batch at a broker where everything goes wrong now and then, each compared with the broker's truth.
//!
//! `cargo xtask storm --batches N --seed N` runs it for longer, and with seeds of its own.

use crate::storms::as_often;
use crate::world::{World, minutes, p, seconds};
use evenkeel_banchile::{Chance, Latency, Outages, Profile, RateLimit, Retention as Remembered, Tally};
use evenkeel_domain::books::Books;
use evenkeel_domain::order::{Direction, LegNumber, Side, Terms};
use evenkeel_domain::policy::Policy;
use evenkeel_domain::record::{Cause, Outcome, UnwindCause};
use evenkeel_domain::report::BatchReport;
use evenkeel_domain::values::{Money, Price, Quantity, Symbol};
use evenkeel_engine::{EngineError, Rebalanced, Resolve, Settings};
use evenkeel_market::{FakeMarket, Listing, Pace, Volatility};
use evenkeel_ports::{BrokerError, Clock};
use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

const TARGETS: [(&str, &str); 6] =
    [("AAPL", "25"), ("AMZN", "20"), ("GOOGL", "10"), ("META", "25"), ("MSFT", "15"), ("CASH", "5")];
const SYMBOLS: [&str; 5] = ["AAPL", "AMZN", "GOOGL", "META", "MSFT"];
/// How long each portfolio sails.
const DAYS: u64 = 250;
/// How often books that are not true are looked at again, ten minutes apart.
const TRIES: u32 = 6;
/// How long an outcome may stay unknown: shorter than the longest outages, longer than what a broker declares to need.
const PATIENCE: Duration = minutes(3);
/// What the market does right after the wave of some days: a symbol's price in thousandths of that wave's.
const AFTERSHOCKS: &[(&str, u64)] = &[("AAPL", 1_250), ("META", 700)];
/// One voyage in so many is a hurricane.
const HURRICANES: u64 = 4;

/// What came of all voyages.
#[derive(Default)]
struct Log {
    /// How the batches ended, and how often.
    ends: BTreeMap<&'static str, u64>,
    /// What the restored and the stale ones gave as their reason, orders and symbols left out.
    causes: BTreeMap<&'static str, u64>,
    /// The most that one batch cost, without what it bought.
    dearest: Money,
    /// How often the rate limit turned an order away.
    limited: u64,
    voyages: u64,
    /// What the brokers of all voyages drew, storms and hurricanes each by themselves: one voyage is too short to tell.
    tallies: BTreeMap<&'static str, Tally>,
}

#[test]
fn every_batch_ends_well_and_books_are_true() {
    let batches = from_outside("EVENKEEL_STORM_BATCHES").unwrap_or(10_000);
    assert!(batches > 0, "EVENKEEL_STORM_BATCHES=0: no batch shows nothing; give at least 1");
    let seed = from_outside("EVENKEEL_STORM_SEED").unwrap_or(1);
    let log = sail(batches, seed);
    print!("{}", summary(seed, &log));
    let all = log.closed();
    let of = |end: &str| log.ends.get(end).copied().unwrap_or(0);
    assert!(of("completed") > all / 2, "a storm is no excuse for doing nothing: {:?}", log.ends);
    for (weather, tally) in &log.tallies {
        let calibration = tally.against(&profile(weather));
        assert!(calibration.holds(), "the broker of the {weather} is not what it says:\n{calibration}");
    }
    if all >= 10_000 {
        let expected = [
            "restored",
            "stale",
            "no broker",
            "because an order ended short",
            "because an order was lost",
            "because an order was refused",
            "because an outcome stayed unknown",
            "because its worker had died",
        ];
        let is_met = |what: &&str| log.ends.contains_key(what) || log.causes.contains_key(what);
        let missing: Vec<_> = expected.into_iter().filter(|what| !is_met(what)).collect();
        assert!(missing.is_empty(), "a storm without {missing:?}: {:?} {:?}", log.ends, log.causes);
        assert!(log.limited > 0, "a rate limit that nobody met");
    }
}

#[test]
fn the_same_seed_is_the_same_storm_byte_for_byte() {
    let told = |seed| summary(seed, &sail(150, seed));
    assert_eq!(told(3), told(3));
    assert_ne!(told(3).replace("seed 3", ""), told(4).replace("seed 4", ""));
}

fn sail(batches: u64, seed: u64) -> Log {
    let mut log = Log::default();
    while log.closed() < batches {
        voyage(seed, log.voyages, &mut log);
        log.voyages += 1;
    }
    log
}

/// What came of it, for people; the same seed gives the same bytes.
fn summary(seed: u64, log: &Log) -> String {
    let all = log.closed();
    let mut text =
        format!("seed {seed}: {all} batches in {} voyages, each compared with the broker's truth\n", log.voyages);
    for (end, times) in log.ends.iter().chain(&log.causes) {
        let share = times * 100_000 / all;
        text += &format!("{end:>44} {times:>8} {:>3}.{:03} %\n", share / 1_000, share % 1_000);
    }
    let off =
        |(weather, tally): (&&'static str, &Tally)| (!tally.against(&profile(weather)).holds()).then_some(*weather);
    let off: Vec<_> = log.tallies.iter().filter_map(off).collect();
    let drew = if off.is_empty() { "what they declare".to_owned() } else { format!("NOT what they declare: {off:?}") };
    text += &format!("the rate limit turned {} orders away\n", log.limited);
    text += &format!("dearest restoration {}; the brokers drew {drew}\n", log.dearest);
    text
}

fn from_outside(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|error| panic!("{variable}={text:?}: {error}; give a whole number")))
}

impl Log {
    fn closed(&self) -> u64 {
        ["completed", "restored", "abandoned", "stale"].iter().filter_map(|end| self.ends.get(end)).sum()
    }

    fn took(&mut self, end: &'static str) {
        *self.ends.entry(end).or_default() += 1;
    }

    /// Notes why a batch was unwound, and what that cost.
    fn note(&mut self, report: &BatchReport) {
        let Some(cause) = &report.cause else { return };
        *self.causes.entry(in_short(cause)).or_default() += 1;
        if report.outcome == Outcome::Restored {
            self.dearest = self.dearest.max(report.cost);
        }
    }
}

fn in_short(cause: &Cause) -> &'static str {
    match cause {
        Cause::Unwound(UnwindCause::LegFailed { how, .. }) if how.contains("refused") => "because an order was refused",
        Cause::Unwound(UnwindCause::LegFailed { how, .. }) if how.contains("rate limit") => "because of the rate limit",
        Cause::Unwound(UnwindCause::LegFailed { .. }) => "because an order ended short",
        Cause::Unwound(UnwindCause::TooOld { .. }) => "because its worker had died",
        Cause::Unwound(UnwindCause::Lost { .. }) => "because an order was lost",
        Cause::Unwound(_) => "because of something else",
        Cause::NeverSent { .. } | Cause::Limited { .. } => "because nothing was sent",
        Cause::Unknown { .. } => "because an outcome stayed unknown",
        Cause::Mismatch { .. } => "because books and broker differed",
        _ => "because of something else",
    }
}

/// What the broker of a voyage is like.
fn weather(ship: u64) -> &'static str {
    if ship % HURRICANES == HURRICANES - 1 { "hurricane" } else { "storm" }
}

/// The profile of that name. A hurricane is a storm with faults five times as often, outages that begin and end in the middle of a
/// batch, and a rate limit that a batch of six orders meets.
fn profile(weather: &str) -> Profile {
    let storm = Profile { retention: Remembered::OrderIds, ..Profile::storm() };
    if weather == "storm" {
        return storm;
    }
    let faults = as_often(Chance::per_mille(25));
    let outages = Outages {
        slot: seconds(600),
        chance: Chance::per_mille(600),
        lasts: Latency::around(seconds(60), seconds(400)),
        silent: Chance::per_mille(500),
    };
    let rate_limit = Some(RateLimit { burst: 5, every: seconds(1) });
    Profile { name: "BanChile (hurricane)".to_owned(), faults, outages: Some(outages), rate_limit, ..storm }
}

/// One portfolio, with everything of its own, through a year of days. Some days have aftershocks: the market moves on while the
/// broker still works on what was sent.
fn voyage(seed: u64, ship: u64, log: &mut Log) {
    let id = format!("s{seed}-{ship}");
    let settings = Settings { patience: PATIENCE, ..Settings::unlimited() };
    let world = World::folding(profile(weather(ship)), market_of(seed, ship), settings);
    world.add(&id, "100000.00", &[], &TARGETS, Policy::default());
    let listing = |symbol| Listing { symbol: p(symbol), first: p("200"), volatility: Volatility::Wild };
    let market = FakeMarket::with_listings(market_of(seed, ship), SYMBOLS.map(listing), Pace::Days).unwrap();
    for (day, wave) in (0_u64..).zip(market.limited_to(DAYS)) {
        world.clock.advance_to(wave.at);
        let aftershocks = if day % 3 == 0 { AFTERSHOCKS } else { &[] };
        for (symbol, per_mille) in [("AAPL", 1_000)].iter().chain(aftershocks) {
            let prices = moved(&wave.prices, symbol, *per_mille);
            if !world.wave_of(prices.clone()).is_empty() {
                rebalanced(&world, &id, &prices, log);
            }
        }
        make_good(&world, &id);
    }
    log.limited += world.desk.limited();
    log.tallies.entry(weather(ship)).or_default().add(&world.broker.tally());
}

/// These prices, and one of them times so many thousandths.
fn moved(prices: &[(Symbol, Price)], symbol: &str, per_mille: u64) -> Vec<(Symbol, Price)> {
    let moved = |price: Price| Price::from_nanos(price.nanos() * per_mille / 1_000).unwrap();
    prices.iter().map(|(known, price)| (*known, if *known == p(symbol) { moved(*price) } else { *price })).collect()
}

/// Rebalances at these prices, holds what came of it against the broker's truth, and notes it.
fn rebalanced(world: &World, id: &str, prices: &[(Symbol, Price)], log: &mut Log) {
    let before = world.truth(id);
    let sent = world.desk.sent().len();
    let end = match watched(world, id, log) {
        Ok(Rebalanced::Batch(report)) => {
            log.note(&report);
            match report.outcome {
                Outcome::Restored | Outcome::Abandoned => world.assert_restored(id, &before),
                Outcome::Completed => {
                    assert_executed(world, id, &before, sent);
                    let is_done = report.skipped.is_empty();
                    assert!(!is_done || world.wave_of(prices.to_vec()).is_empty(), "out of band at once: {report:?}");
                }
                Outcome::Stale => {}
            }
            judged(&report)
        }
        Ok(Rebalanced::InBand(_) | Rebalanced::NotWorthwhile { .. }) => return,
        Err(EngineError::OrdersOpen { .. }) => "orders open",
        Err(EngineError::Quarantined { .. }) => "quarantined",
        Err(EngineError::Stale { .. }) => "stale before",
        Err(EngineError::Broker { cause: BrokerError::Unavailable { .. }, .. }) => "no broker",
        Err(error) => panic!("{id} at {}: {error}", world.clock.now()),
    };
    log.took(end);
}

fn is_hurricane(world: &World) -> bool {
    world.broker.profile().name.contains("hurricane")
}

/// A rebalance. In a hurricane the worker dies in the middle of every fifth, and the batch is recovered when its lease has run out.
fn watched(world: &World, id: &str, log: &Log) -> Result<Rebalanced, EngineError> {
    let number = log.closed();
    let dies = is_hurricane(world) && number.is_multiple_of(5);
    let until = world.clock.now().plus(Duration::from_millis(number * 7 % 20_000));
    let id = p(id);
    if !dies {
        return world.run(world.engine.rebalance(&id));
    }
    let done = world.clock.poll_until(pin!(world.engine.rebalance(&id)), until);
    done.unwrap_or_else(|| {
        world.clock.advance(world.engine.settings().lease.expiry);
        let report = world.run(world.engine.recover_one(&id))?;
        Ok(Rebalanced::Batch(Box::new(report.expect("it had opened one"))))
    })
}

/// A completed batch has moved at the broker what it sent, leg by leg: all of it, and nothing else.
fn assert_executed(world: &World, id: &str, before: &Books, sent_before: usize) {
    let mut legs: BTreeMap<LegNumber, Terms> = BTreeMap::new();
    for sent in world.desk.sent().into_iter().skip(sent_before) {
        assert_eq!(sent.request.id.direction, Direction::Forward, "a completed batch sent {:?}", sent.request);
        legs.insert(sent.request.id.leg, sent.request.terms);
    }
    let after = world.truth(id);
    for symbol in SYMBOLS.map(p) {
        let legs = legs.values().filter(|terms| terms.symbol == symbol);
        let planned: i128 =
            legs.map(|terms| nanos(terms.quantity) * if terms.side == Side::Buy { 1 } else { -1 }).sum();
        let moved = nanos(after.units(symbol)) - nanos(before.units(symbol));
        assert_eq!(moved, planned, "billionths of {symbol} that moved at the broker of {id}, and that were sent for");
    }
}

fn nanos(quantity: Quantity) -> i128 {
    quantity.nanos().try_into().unwrap()
}

/// What market and broker of a voyage are drawn from.
fn market_of(seed: u64, ship: u64) -> u64 {
    seed.wrapping_mul(1_000_003).wrapping_add(ship)
}

/// The outcome's name, if the report bears it out.
fn judged(report: &BatchReport) -> &'static str {
    match report.outcome {
        Outcome::Stale => {
            let says_why = matches!(report.cause, Some(Cause::Unknown { .. } | Cause::Unbookable { .. }));
            // A person would accept the broker's books, and so hide that ours were wrong.
            assert!(!matches!(report.cause, Some(Cause::Mismatch { .. })), "books that do not agree: {report:?}");
            assert!(says_why || !report.residual.is_empty(), "stale without a reason: {report:?}");
        }
        Outcome::Completed | Outcome::Restored | Outcome::Abandoned => {
            assert!(report.residual.is_empty(), "{report:?}")
        }
    }
    report.outcome.name()
}

/// Books and broker agree; or what came late is found by the next look, or a person accepts it.
fn make_good(world: &World, id: &str) {
    world.clock.advance(seconds(600));
    world.broker.check_conservation(&p(id)).unwrap();
    let is_blocked = || matches!(world.engine.portfolio(&p(id)).unwrap().standing.name(), "stale" | "quarantined");
    let books = || world.engine.portfolio(&p(id)).unwrap().books.clone();
    if is_blocked() {
        assert!(world.run(world.engine.deliver_alerts()).unwrap() > 0, "nobody was told");
    } else {
        assert_eq!(books(), world.truth(id), "books and broker of {id}, though nobody was told of a difference");
    }
    // More than once, as the broker may be out of reach when it is asked.
    for _ in 0..TRIES {
        if is_blocked() {
            match world.resolve(id, Resolve::Accept) {
                Ok(_) | Err(EngineError::Broker { cause: BrokerError::Unavailable { .. }, .. }) => {}
                Err(error) => panic!("{id}: {error}"),
            }
        } else if books() == world.truth(id) {
            break;
        } else {
            drop(world.run(world.engine.rebalance_now(&p(id))));
        }
        world.clock.advance(seconds(600));
    }
    assert_eq!(books(), world.truth(id), "books and broker of {id}");
}
