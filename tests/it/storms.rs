//! Long runs at a broker where everything that can go wrong does so now and then. Nothing is lost, and the same again is the same.

use crate::world::{World, p, seconds, shown};
use evenkeel_banchile::{Chance, FaultRates, Profile};
use evenkeel_domain::policy::Policy;
use evenkeel_domain::record::Record;
use evenkeel_engine::{EngineError, Resolve, Settings};
use evenkeel_market::{FakeMarket, Listing, Pace, Volatility};
use evenkeel_ports::{BrokerError, Clock};
use std::collections::BTreeMap;
use std::sync::Arc;

const SYMBOLS: [&str; 6] = ["AAPL", "AMZN", "GOOGL", "META", "MSFT", "NVDA"];
const TARGETS: [(&str, &str); 6] =
    [("AAPL", "25"), ("AMZN", "20"), ("GOOGL", "10"), ("META", "25"), ("MSFT", "15"), ("NVDA", "5")];

/// Ten times as bad as a storm.
fn hurricane() -> Profile {
    Profile { faults: as_often(Chance::per_mille(50)), ..Profile::storm() }
}

/// Every fault of a storm, this often.
pub(crate) fn as_often(often: Chance) -> FaultRates {
    FaultRates {
        lost_request: often,
        lost_answer: often,
        doubled: often,
        refused: often,
        rejected: often,
        late_fill: often,
        slow: often,
        ..FaultRates::STORM
    }
}

/// A portfolio through so many days; what its rebalances came to, and how often.
fn voyage(world: &World, days: u64) -> BTreeMap<String, usize> {
    world.add("growth", "100000.00", &[], &TARGETS, Policy::default());
    let listing = |symbol| Listing { symbol: p(symbol), first: p("200"), volatility: Volatility::Wild };
    let market = FakeMarket::with_listings(3, SYMBOLS.map(listing), Pace::Days).unwrap();
    let mut ends = BTreeMap::new();
    for wave in market.limited_to(days) {
        world.clock.advance_to(wave.at);
        if world.wave_of(wave.prices).is_empty() {
            continue;
        }
        let result = world.rebalance("growth");
        let end = match &result {
            Err(EngineError::OrdersOpen { .. }) => "orders open".to_owned(),
            Err(EngineError::Quarantined { .. }) => "quarantined".to_owned(),
            Err(EngineError::Broker { cause: BrokerError::Unavailable { .. }, .. }) => "no broker".to_owned(),
            other => shown(other),
        };
        match end.as_str() {
            "stale" => {
                world.clock.advance(seconds(600));
                let resolved = world.resolve("growth", Resolve::Accept);
                assert!(matches!(resolved, Ok(None) | Err(EngineError::OrdersOpen { .. })), "{resolved:?}");
            }
            "completed" | "restored" | "orders open" | "not worthwhile" | "no broker" => {}
            other => panic!("{}: {other}", wave.label),
        }
        *ends.entry(end).or_insert(0) += 1;
        assert!(!world.truth("growth").cash.is_negative());
    }
    ends
}

#[test]
fn a_year_of_storms() {
    for (profile, completed, restored) in [(Profile::calm(), 40, 0), (Profile::storm(), 35, 1), (hurricane(), 20, 10)] {
        let name = profile.name.clone();
        let world = World::new(profile);
        let ends = voyage(&world, 365);
        println!("{name}: {ends:?}");
        let times = |end: &str| ends.get(end).copied().unwrap_or(0);
        assert!(times("completed") >= completed && times("restored") >= restored, "{name}: {ends:?}");
        // Everything that was executed is in the books once it was looked at.
        world.clock.advance(seconds(600));
        drop(world.run(world.engine.rebalance_now(&p("growth"))));
        world.assert_books_are_true("growth");
    }
}

#[test]
fn the_same_again_is_the_same() {
    let voyage = |profile: Profile| -> (Vec<Record>, Vec<String>) {
        let world = World::new(profile);
        let _ends = voyage(&world, 120);
        let sent = world.desk.sent().iter().map(|sent| format!("{} {:?}", sent.at, sent.request)).collect();
        (world.journal.records(&p("growth")), sent)
    };
    for profile in [Profile::ideal, Profile::storm, hurricane] {
        assert_eq!(voyage(profile()), voyage(profile()));
    }
}

#[test]
fn a_store_that_folds_and_a_broker_that_forgets_make_no_difference() {
    for profile in [Profile::ideal(), Profile::calm(), hurricane()] {
        let name = profile.name.clone();
        let whole = World::new(profile.clone());
        let ends = voyage(&whole, 120);
        let forgetful = Profile { retention: evenkeel_banchile::Retention::OrderIds, ..profile };
        let folded = World::folding(forgetful, 1, Settings::unlimited());
        assert_eq!(voyage(&folded, 120), ends, "{name}");

        assert!(folded.journal.records(&p("growth")).len() < 200, "{name}: it is folded");
        let (a, b) = (whole.state("growth"), folded.state("growth"));
        assert_eq!((a.books, a.tally, a.standing, a.sequence), (b.books, b.tally, b.standing, b.sequence), "{name}");
        assert_eq!(whole.clock.now(), folded.clock.now());
        // Another worker finds everything it needs.
        let next: Arc<_> = folded.worker("worker-2");
        assert_eq!(folded.run(next.load_all()).unwrap().len(), 1);
        folded.wave(&[("META", "999")]);
        folded.clock.advance(seconds(86_400));
        let result = folded.run(next.rebalance_now(&p("growth")));
        assert!(["completed", "restored"].contains(&shown(&result).as_str()), "{name}: {result:?}");
    }
}
