//! Waves while batches run: who is due waits, the most urgent first, and nobody is lost. The large one is `dispatch/selloff.rs`.

mod runs;
mod selloff;

use crate::answers::slow;
use crate::world::{World, minutes, p, seconds, shown};
use evenkeel_banchile::{Fault, Part, Profile, Rule};
use evenkeel_domain::halt::{HaltMode, Scope};
use evenkeel_domain::order::{Direction, RefusalReason};
use evenkeel_domain::policy::Policy;
use evenkeel_domain::values::{Price, Symbol};
use evenkeel_engine::{Backlog, Dispatched, Dispatcher, DispatcherSettings, Resolve, Settings};
use evenkeel_ports::{Clock, LeaseStore, LeaseTerms};
use futures_util::future::join;
use std::num::NonZeroUsize;
use std::sync::Arc;

/// A world with portfolios of half a stock and half cash. At 100, ten units are on target.
struct Floor {
    world: World,
    dispatcher: Dispatcher,
}

impl Floor {
    /// Portfolios by name, stock and units; a dispatcher that runs so many batches at once and has so much room.
    fn new(profile: Profile, portfolios: &[(&str, &str, &str)], at_once: usize, room: usize) -> Self {
        Self::with_settings(Settings::unlimited(), profile, portfolios, at_once, room)
    }

    fn with_settings(
        settings: Settings,
        profile: Profile,
        portfolios: &[(&str, &str, &str)],
        at_once: usize,
        room: usize,
    ) -> Self {
        let world = World::with_settings(profile, settings);
        for (id, stock, units) in portfolios {
            world.add(id, "1000.00", &[(stock, units)], &[(stock, "50"), ("CASH", "50")], Policy::default());
        }
        let [batches_at_once, room] = [at_once, room].map(|count| NonZeroUsize::new(count).unwrap());
        let settings = DispatcherSettings { batches_at_once, room, retry_after: minutes(1) };
        let dispatcher = Dispatcher::new(Arc::clone(&world.engine), settings);
        Self { world, dispatcher }
    }

    /// One that waits for nothing, with room for all and two batches at once.
    fn ideal(portfolios: &[(&str, &str, &str)]) -> Self {
        Self::new(Profile::ideal(), portfolios, 2, 100)
    }

    fn wave(&self, prices: &[(&str, &str)]) {
        let prices: Vec<(Symbol, Price)> = prices.iter().map(|(symbol, price)| (p(symbol), p(price))).collect();
        self.world.broker.set_prices(prices.iter().copied());
        self.dispatcher.wave(self.world.clock.now(), &prices);
    }

    /// Runs until nothing is left to do, and says what became of whom.
    fn run(&self) -> Vec<String> {
        let mut told = Vec::new();
        self.world.run(self.dispatcher.run_until_idle(|done| told.push(said(&done))));
        told
    }

    fn backlog(&self) -> Backlog {
        self.dispatcher.backlog()
    }
}

fn said(done: &Dispatched) -> String {
    match done {
        Dispatched::Ended { portfolio, result } => format!("{portfolio}: {}", shown(result)),
        Dispatched::NotJudged { portfolio, why } => format!("{portfolio}: not judged: {why}"),
        Dispatched::NotWatched(full) => full.to_string(),
    }
}

#[test]
fn the_most_urgent_go_first_whether_there_is_room_for_all_or_for_one() {
    let portfolios =
        [("a", "META", "11"), ("b", "META", "14"), ("c", "META", "12"), ("d", "META", "13"), ("e", "META", "10")];
    for (at_once, room, left_out) in [(1, 100, 0), (3, 100, 0), (1, 2, 2), (1, 1, 6), (4, 1, 6)] {
        let floor = Floor::new(Profile::ideal(), &portfolios, at_once, room);
        floor.wave(&[("META", "120")]);
        let told = floor.run();
        assert_eq!(
            told,
            ["b: completed", "d: completed", "c: completed", "a: completed", "e: completed"],
            "{at_once} {room}"
        );
        let Backlog { waiting, running, resting, started, most_waiting, .. } = floor.backlog();
        assert_eq!((waiting, running, resting, started, most_waiting), (0, 0, 0, 5, room.min(5)));
        let found = floor.backlog().left_out;
        assert!(if left_out == 0 { found == 0 } else { found > 0 }, "{room}: {found}");
        assert_eq!(floor.backlog().oldest, None);
        // All are in band: the same prices have nobody wait.
        floor.wave(&[("META", "120")]);
        assert_eq!(floor.run(), [""; 0]);
    }
}

#[test]
fn prices_of_a_symbol_that_queue_up_are_one_and_the_newest() {
    let floor = Floor::ideal(&[("a", "META", "10")]);
    for price in ["100", "200", "300", "100"] {
        floor.wave(&[("META", price)]);
    }
    // A price that comes late does not count.
    floor.dispatcher.wave("2024-01-02T11:59:59Z".parse().unwrap(), &[(p("META"), p("400"))]);
    let Backlog { prices, oldest_price, waves, prices_seen, prices_merged, .. } = floor.backlog();
    assert_eq!((prices, waves, prices_seen, prices_merged), (1, 5, 5, 4));
    assert_eq!(oldest_price, Some(floor.world.clock.now()));
    assert_eq!(floor.run(), [""; 0], "100 is the newest");
    let Backlog { prices, oldest_price, started, .. } = floor.backlog();
    assert_eq!((prices, oldest_price, started), (0, None, 0));
}

#[test]
fn who_is_in_band_again_before_its_turn_is_left_alone() {
    let floor = Floor::new(slow(), &[("a", "META", "15"), ("b", "AAPL", "12")], 1, 100);
    floor.wave(&[("META", "100"), ("AAPL", "100")]);
    let records = floor.world.journal.records(&p("b")).len();
    let mut told = Vec::new();
    let feed = async {
        floor.world.clock.sleep_until(floor.world.clock.now().plus(seconds(2))).await;
        let Backlog { waiting, running, oldest, .. } = floor.backlog();
        assert_eq!((waiting, running, oldest), (1, 1, Some(crate::world::noon())));
        floor.wave(&[("AAPL", "84")]);
    };
    floor.world.run(join(floor.dispatcher.run_until_idle(|done| told.push(said(&done))), feed));
    assert_eq!(told, ["a: completed"]);
    let Backlog { started, back_in_band, waiting, .. } = floor.backlog();
    assert_eq!((started, back_in_band, waiting), (1, 1, 0));
    assert_eq!(floor.world.journal.records(&p("b")).len(), records);
    // And it is found again by the next wave that puts it out.
    floor.wave(&[("AAPL", "100")]);
    assert_eq!(floor.run(), ["b: completed"]);
}

#[test]
fn a_portfolio_that_prices_move_under_its_batch_is_looked_at_again() {
    let floor = Floor::new(slow(), &[("a", "META", "12"), ("b", "META", "11")], 2, 100);
    floor.wave(&[("META", "100")]);
    let mut told = Vec::new();
    let feed = async {
        for price in ["150", "50"] {
            floor.world.clock.sleep_until(floor.world.clock.now().plus(seconds(2))).await;
            floor.wave(&[("META", price)]);
            assert_eq!(floor.backlog().waiting, 0, "both are being rebalanced, and neither waits beside that");
        }
    };
    floor.world.run(join(floor.dispatcher.run_until_idle(|done| told.push(said(&done))), feed));
    assert_eq!(told.iter().filter(|said| *said == "a: completed").count(), 2, "{told:?}");
    assert_eq!(told.iter().filter(|said| *said == "b: completed").count(), 2, "{told:?}");
    for id in ["a", "b"] {
        assert_eq!(floor.world.engine.judge_now(&p(id)), None);
        floor.world.assert_books_are_true(id);
    }
}

/// What keeps the only portfolio from being rebalanced; what is told; what ends it; and how long after that it is rebalanced without a wave.
struct Case {
    what: &'static str,
    keep: fn(&Floor),
    told: &'static str,
    free: fn(&Floor),
    later: u64,
}

#[test]
fn who_cannot_be_rebalanced_is_told_of_by_type_and_not_lost() {
    let cases = [
        Case {
            what: "a halt of the portfolio",
            keep: |floor| halt(floor, Scope::Portfolio(p("a"))),
            told: "a: a is halted",
            free: |floor| release(floor, Scope::Portfolio(p("a"))),
            later: 0,
        },
        Case {
            what: "a halt of everything",
            keep: |floor| halt(floor, Scope::Everything),
            told: "a: a is halted",
            free: |floor| release(floor, Scope::Everything),
            later: 0,
        },
        Case {
            what: "a halt of a symbol",
            keep: |floor| halt(floor, Scope::Symbol(p("META"))),
            told: "a: a is halted",
            free: |floor| release(floor, Scope::Symbol(p("META"))),
            later: 0,
        },
        Case {
            what: "another worker's lease",
            keep: |floor| {
                let terms = LeaseTerms { heartbeat: minutes(60), ..LeaseTerms::default() };
                floor.world.run(floor.world.leases.acquire(&p("a"), &p("worker-2"), terms)).map(drop).unwrap();
            },
            told: "a: a is busy",
            free: |floor| floor.world.clock.advance(minutes(60)),
            later: 0,
        },
        Case {
            what: "books that differ from the broker's",
            keep: |floor| floor.world.broker.deposit(&p("a"), p("1.00")).unwrap(),
            told: "a: a is quarantined",
            free: |floor| {
                floor.world.broker.withdraw(&p("a"), p("1.00")).unwrap();
                floor.world.run(floor.world.engine.reconcile(&p("a"))).map(drop).unwrap();
            },
            later: 60,
        },
        Case {
            what: "an order that is refused",
            keep: |floor| floor.world.script([Rule::new(Fault::Refuse(RefusalReason::NotTradable))]),
            told: "a: restored",
            free: |_| {},
            later: 15 * 60,
        },
        Case {
            what: "a broker that blocks the account",
            keep: |floor| floor.world.broker.block(&p("a"), true).unwrap(),
            told: "a: the broker has blocked",
            free: |floor| floor.world.broker.block(&p("a"), false).unwrap(),
            later: 60,
        },
    ];
    for Case { what, keep, told, free, later } in cases {
        let floor = Floor::ideal(&[("a", "META", "12")]);
        keep(&floor);
        floor.wave(&[("META", "100")]);
        let first = floor.run();
        assert!(first.len() == 1 && first[0].starts_with(told), "{what}: {first:?}");
        assert_eq!(floor.backlog().resting, 1, "{what}");
        floor.wave(&[("META", "101")]);
        assert_eq!(floor.run(), [""; 0], "{what}: it is left alone for a while");
        free(&floor);
        if later > 0 {
            floor.world.clock.advance(seconds(later - 1));
            assert_eq!(floor.run(), [""; 0], "{what}: too early");
            floor.world.clock.advance(seconds(1));
        }
        assert_eq!(floor.run(), ["a: completed"], "{what}");
        assert_eq!(floor.backlog().resting, 0, "{what}");
    }
}

fn halt(floor: &Floor, scope: Scope) {
    floor.world.run(floor.world.engine.halt(scope, HaltMode::Freeze, "ann", "the feed is wrong")).map(drop).unwrap();
}

fn release(floor: &Floor, scope: Scope) {
    assert_eq!(floor.world.run(floor.world.engine.release(scope, "ann", "it is right again")), Ok(true));
}

#[test]
fn while_everything_is_halted_the_others_wait_untouched() {
    let portfolios = [("a", "META", "12"), ("b", "META", "13"), ("c", "META", "14"), ("d", "META", "15")];
    let floor = Floor::new(Profile::ideal(), &portfolios, 1, 100);
    halt(&floor, Scope::Everything);
    floor.wave(&[("META", "100")]);
    let told = floor.run();
    assert!(told.len() == 1 && told[0].starts_with("d: d is halted"), "{told:?}");
    let Backlog { waiting, resting, halt, .. } = floor.backlog();
    assert_eq!((waiting, resting, halt.map(|halt| halt.scope)), (3, 1, Some(Scope::Everything)));
    // It may have been taken back elsewhere: that is tried from time to time, with as many as may run at once.
    floor.world.clock.advance(minutes(1));
    let told = floor.run();
    assert!(told.len() == 1 && told[0].starts_with("d: d is halted"), "{told:?}");
    release(&floor, Scope::Everything);
    assert_eq!(floor.run(), ["d: completed", "c: completed", "b: completed", "a: completed"]);
    assert_eq!(floor.backlog().halt, None);
}

#[test]
fn a_doubtful_price_has_nobody_rebalanced_until_a_person_accepts_it() {
    let settings = Settings { max_price_jump: Some(p("20")), ..Settings::unlimited() };
    let floor = Floor::with_settings(settings, Profile::ideal(), &[("a", "META", "10"), ("b", "AAPL", "12")], 2, 100);
    floor.wave(&[("META", "100"), ("AAPL", "90")]);
    floor.wave(&[("META", "100"), ("AAPL", "90")]);
    floor.run();
    floor.wave(&[("META", "200")]);
    assert_eq!(floor.run(), [""; 0]);
    assert_eq!(floor.world.engine.doubtful_prices().len(), 1);
    // Who is out of band for another reason is told of, and why it is not judged.
    floor.world.broker.deposit(&p("a"), p("500.00")).unwrap();
    floor.world.deposit("a", "inheritance", "500.00").unwrap();
    let told = floor.run();
    assert!(
        told.len() == 1 && told[0].starts_with("a: not judged: the price of META went from 100 to 200"),
        "{told:?}"
    );
    floor.world.engine.accept_price(p("META")).unwrap();
    assert_eq!(floor.run(), ["a: completed"], "without another wave");
    // A price near the last is believed again.
    for (price, told) in [("300", [""; 0].as_slice()), ("230", &["a: completed"])] {
        floor.wave(&[("META", price)]);
        assert_eq!(floor.run(), told, "{price}");
    }
}

/// Three who hold SPY and META, room for two of them to wait, and a price of SPY that is doubted while META puts all out of band.
#[test]
fn who_cannot_be_judged_is_told_of_once_and_rests_also_where_there_is_little_room() {
    for room in [1, 2, 3] {
        let settings = Settings { max_price_jump: Some(p("20")), ..Settings::unlimited() };
        let floor = Floor::with_settings(settings, Profile::ideal(), &[], 4, room);
        for id in ["a", "b", "c"] {
            let halves = [("SPY", "50"), ("META", "50")];
            floor.world.add(id, "0.00", &[("SPY", "10"), ("META", "10")], &halves, Policy::default());
        }
        floor.wave(&[("SPY", "100"), ("META", "100")]);
        assert_eq!(floor.run(), [""; 0]);
        floor.wave(&[("SPY", "70"), ("META", "82")]);
        let not_judged: Vec<String> =
            ["a", "b", "c"].map(|id| format!("{id}: not judged: the price of SPY went from 100 to 70 at once")).into();
        let check = |told: &[String]| {
            assert!(told.len() == 3, "{room}: {told:?}");
            assert!(told.iter().zip(&not_judged).all(|(told, start)| told.starts_with(start)), "{room}: {told:?}");
            assert_eq!((floor.backlog().resting, floor.backlog().waiting, floor.backlog().oldest), (3, 0, None));
        };
        check(&floor.run());
        for price in ["81", "83"] {
            floor.wave(&[("META", price)]);
            assert_eq!(floor.run(), [""; 0], "no wave of another symbol has them judged");
        }
        floor.world.clock.advance(seconds(59));
        assert_eq!(floor.run(), [""; 0]);
        floor.world.clock.advance(seconds(1));
        check(&floor.run());
        floor.wave(&[("SPY", "110")]);
        assert_eq!(floor.run(), ["a: completed", "b: completed", "c: completed"], "{room}: at once");
        assert_eq!(floor.backlog().resting, 0);
    }
}

#[test]
fn a_stale_price_is_told_of_once_until_there_is_another() {
    let settings = Settings { max_price_age: Some(seconds(30)), ..Settings::unlimited() };
    let floor = Floor::with_settings(settings, Profile::ideal(), &[], 4, 100);
    let halves = [("SPY", "50"), ("META", "50")];
    floor.world.add("a", "0.00", &[("SPY", "10"), ("META", "10")], &halves, Policy::default());
    floor.wave(&[("SPY", "100"), ("META", "100")]);
    assert_eq!(floor.run(), [""; 0]);
    floor.world.clock.advance(seconds(31));
    floor.wave(&[("META", "150")]);
    assert_eq!(floor.run(), ["a: not judged: the price of SPY is 31 s old: at most 30 s are allowed"]);
    floor.wave(&[("META", "151")]);
    assert_eq!(floor.run(), [""; 0]);
    // What it owns is another: it is judged anew.
    floor.world.broker.deposit(&p("a"), p("1.00")).unwrap();
    floor.world.deposit("a", "inheritance", "1.00").unwrap();
    assert_eq!(floor.run(), ["a: not judged: the price of SPY is 31 s old: at most 30 s are allowed"]);
    floor.wave(&[("SPY", "100")]);
    assert_eq!(floor.run(), ["a: completed"]);
}

/// The order of need as of its turn, not as of when it was found.
#[test]
fn whose_need_has_fallen_goes_back_and_whose_has_grown_moves_up() {
    let portfolios = [("a", "META", "15"), ("b", "AAPL", "14"), ("c", "MSFT", "13"), ("d", "SPY", "20")];
    let floor = Floor::new(slow(), &portfolios, 1, 100);
    floor.wave(&[("META", "100"), ("AAPL", "100"), ("MSFT", "100"), ("SPY", "100")]);
    let mut told = Vec::new();
    let feed = async {
        floor.world.clock.sleep_until(floor.world.clock.now().plus(seconds(2))).await;
        floor.wave(&[("META", "80"), ("MSFT", "120")]);
    };
    floor.world.run(join(floor.dispatcher.run_until_idle(|done| told.push(said(&done))), feed));
    assert_eq!(told, ["d: completed", "c: completed", "b: completed", "a: completed"]);
    assert_eq!(floor.backlog().started, 4);
}

/// More wait than are judged anew with two waves, and the last by id needs it less, or more, than when it was found.
#[test]
fn of_many_who_wait_each_is_judged_anew_after_some_waves_or_when_its_turn_comes() {
    let names: Vec<String> = (0..600).map(|n| format!("p{n:03}")).collect();
    for (units, prices, place) in [
        // It was the first, and goes back when its turn has come.
        ("15", ["80"].as_slice(), 601),
        // It was the last. The first wave does not come round to it, the second does.
        ("11.5", &["150"], 601),
        ("11.5", &["150", "150"], 1),
    ] {
        let mut portfolios = vec![("first", "SPY", "20"), ("z", "META", units)];
        portfolios.extend(names.iter().map(|name| (name.as_str(), "AAPL", "13")));
        let floor = Floor::new(slow(), &portfolios, 1, 1_000);
        floor.wave(&[("META", "100"), ("AAPL", "100"), ("SPY", "100")]);
        let mut told = Vec::new();
        let feed = async {
            for price in prices {
                floor.world.clock.sleep_until(floor.world.clock.now().plus(seconds(1))).await;
                floor.wave(&[("META", price)]);
            }
        };
        floor.world.run(join(floor.dispatcher.run_until_idle(|done| told.push(said(&done))), feed));
        assert_eq!((told.len(), told.iter().position(|said| said == "z: completed")), (602, Some(place)), "{prices:?}");
    }
}

#[test]
fn who_waits_no_longer_has_no_place_and_who_was_left_out_has_waited_since_it_was_found() {
    let floor = Floor::new(slow(), &[("a", "META", "15"), ("b", "AAPL", "12"), ("c", "MSFT", "11.5")], 1, 1);
    let Floor { world, .. } = &floor;
    let found = world.clock.now();
    floor.wave(&[("META", "100"), ("AAPL", "100"), ("MSFT", "100")]);
    let feed = async {
        world.clock.sleep_until(found.plus(seconds(2))).await;
        // b was left out, and waits since a was begun; c is left out.
        let Backlog { waiting, running, oldest, .. } = floor.backlog();
        assert_eq!((waiting, running, oldest), (0, 1, Some(found)));
    };
    let mut since = Vec::new();
    let mut told = Vec::new();
    let run = floor.dispatcher.run_until_idle(|done| {
        told.push(said(&done));
        since.push(floor.backlog().oldest);
    });
    world.run(join(run, feed));
    assert_eq!(told, ["a: completed", "b: completed", "c: completed"]);
    assert_eq!(since, [Some(found), None, None]);

    // In band again by what it owns, and by its price: neither waits for its turn.
    let floor = Floor::new(slow(), &[("a", "META", "15"), ("b", "AAPL", "12"), ("c", "MSFT", "12")], 1, 100);
    let Floor { world, .. } = &floor;
    floor.wave(&[("META", "100"), ("AAPL", "100"), ("MSFT", "100")]);
    let feed = async {
        world.clock.sleep_until(world.clock.now().plus(seconds(1))).await;
        assert_eq!(floor.backlog().waiting, 2);
        world.broker.deposit(&p("b"), p("200.00")).unwrap();
        world.engine.deposit(&p("b"), p("inheritance"), p("200.00"), p("USD")).await.unwrap();
        world.clock.sleep_until(world.clock.now().plus(seconds(1))).await;
        assert_eq!(floor.backlog().waiting, 1);
        floor.wave(&[("MSFT", "84")]);
        world.clock.sleep_until(world.clock.now().plus(seconds(1))).await;
        assert_eq!((floor.backlog().waiting, floor.backlog().running), (0, 1));
    };
    let mut told = Vec::new();
    world.run(join(floor.dispatcher.run_until_idle(|done| told.push(said(&done))), feed));
    assert_eq!(told, ["a: completed"]);
}

#[test]
fn those_who_are_worked_on_here_are_left_to_that_also_where_there_is_little_room() {
    let floor = Floor::new(slow(), &[("a", "META", "12"), ("b", "META", "12")], 2, 1);
    let Floor { world, .. } = &floor;
    floor.wave(&[("META", "100")]);
    assert_eq!(floor.run(), ["a: completed", "b: completed"]);
    floor.wave(&[("META", "150")]);
    // Rebalances that somebody asked for wait for the broker to show what the books have.
    let mut running = Vec::new();
    for id in ["a", "b"] {
        world.broker.deposit(&p(id), p("1.00")).unwrap();
        let mut rebalance = world.start(id);
        world.drive_for(&mut rebalance, seconds(1));
        running.push((id, rebalance));
    }
    assert_eq!(floor.run(), [""; 0]);
    let Backlog { waiting, running: begun, resting, oldest, .. } = floor.backlog();
    assert_eq!((waiting, begun, resting, oldest), (0, 0, 0, None));
    for (id, rebalance) in running {
        world.broker.withdraw(&p(id), p("1.00")).unwrap();
        assert_eq!(shown(&world.run(rebalance)), "completed");
    }
    floor.wave(&[("META", "200")]);
    assert_eq!(floor.run(), ["a: completed", "b: completed"], "their ends were noticed");
}

/// Prices that come late: one that is older than the doubtful one, and one that is older than the accepted one too.
#[test]
fn a_late_price_takes_no_doubt_away() {
    for (at, accepted, price) in [("2024-01-02T12:00:05Z", "115", "115"), ("2024-01-02T11:59:05Z", "100", "101")] {
        let settings = Settings { max_price_jump: Some(p("20")), ..Settings::unlimited() };
        let floor = Floor::with_settings(settings, Profile::ideal(), &[("a", "META", "10")], 2, 100);
        floor.wave(&[("META", "100")]);
        assert_eq!(floor.run(), [""; 0]);
        floor.world.clock.advance(seconds(10));
        floor.wave(&[("META", "200")]);
        assert_eq!(floor.run(), [""; 0]);
        floor.dispatcher.wave(at.parse().unwrap(), &[(p("META"), p(price))]);
        floor.run();
        floor.world.broker.deposit(&p("a"), p("500.00")).unwrap();
        floor.world.deposit("a", "inheritance", "500.00").unwrap();
        let (told, why) = (floor.run(), format!("a: not judged: the price of META went from {accepted} to 200"));
        assert!(told.len() == 1 && told[0].starts_with(&why), "{told:?}");
    }
}

#[test]
fn who_is_worked_on_here_already_is_left_to_that() {
    let floor = Floor::new(slow(), &[("a", "META", "12")], 2, 100);
    let Floor { world, .. } = &floor;
    floor.wave(&[("META", "100")]);
    assert_eq!(floor.run(), ["a: completed"]);
    floor.wave(&[("META", "150")]);
    // A rebalance that somebody asked for waits for the broker to show what the books have.
    world.broker.deposit(&p("a"), p("1.00")).unwrap();
    let mut running = world.start("a");
    world.drive_for(&mut running, seconds(1));
    assert_eq!(floor.run(), [""; 0]);
    assert_eq!((floor.backlog().started, floor.backlog().resting), (1, 0));
    world.broker.withdraw(&p("a"), p("1.00")).unwrap();
    assert_eq!(shown(&world.run(running)), "completed");
    assert_eq!(floor.run(), [""; 0]);
    floor.wave(&[("META", "200")]);
    assert_eq!(floor.run(), ["a: completed"], "its end was noticed");
}

#[test]
fn what_others_do_to_a_portfolio_is_noticed_without_a_wave() {
    let floor = Floor::ideal(&[("a", "META", "10"), ("b", "META", "10")]);
    let Floor { world, .. } = &floor;
    floor.wave(&[("META", "100")]);
    assert_eq!(floor.run(), [""; 0]);
    // Cash that came in.
    world.broker.deposit(&p("a"), p("500.00")).unwrap();
    world.deposit("a", "inheritance", "500.00").unwrap();
    assert_eq!(floor.run(), ["a: completed"]);
    // Another definition, a new portfolio, and one that is gone.
    let halves = crate::world::definition("b", &[("META", "80"), ("CASH", "20")], Policy::default());
    world.run(world.engine.change(&p("b"), halves)).unwrap();
    world.add("c", "1000.00", &[], &[("META", "100")], Policy::default());
    world.run(world.engine.remove(&p("a"))).unwrap();
    assert_eq!(floor.run(), ["b: completed", "c: completed"], "the cash of b is farther off than the stock of c");
    floor.wave(&[("META", "200")]);
    assert_eq!(floor.run(), ["b: completed"]);
    // One that went stale, and was resolved.
    world.script([
        Rule::new(Fault::PartialThenCancel(Part::Share(p("50")))),
        Rule::new(Fault::Refuse(RefusalReason::NotTradable)).direction(Direction::Reverse).always(),
    ]);
    floor.wave(&[("META", "400")]);
    assert_eq!(floor.run(), ["b: stale"]);
    world.broker.clear_script();
    world.clock.advance(minutes(5));
    floor.wave(&[("META", "401")]);
    assert_eq!(floor.run(), [""; 0]);
    world.resolve("b", Resolve::Accept).unwrap();
    assert_eq!(floor.run(), ["b: completed"]);
}

#[test]
fn it_ends_with_its_engine_and_leaves_who_waits() {
    let floor = Floor::new(slow(), &[("a", "META", "15"), ("b", "META", "12")], 1, 100);
    floor.wave(&[("META", "100")]);
    let mut told = Vec::new();
    let stop = async {
        floor.world.clock.sleep_until(floor.world.clock.now().plus(seconds(2))).await;
        floor.world.engine.shut_down(seconds(30)).await
    };
    let ((), stopped) = floor.world.run(join(floor.dispatcher.run(|done| told.push(said(&done))), stop));
    assert!(stopped.unfinished.is_empty());
    assert!(told.len() == 1 && told[0].starts_with("a: "), "{told:?}");
    assert_eq!((floor.backlog().waiting, floor.backlog().running), (1, 0));
}

/// A rest ends while the last batch is waited for: nothing is begun for it, and it wakes nobody.
#[test]
fn a_rest_that_ends_while_the_engine_stops_is_no_news() {
    let floor = Floor::new(slow(), &[("a", "META", "15"), ("b", "AAPL", "10")], 2, 100);
    let Floor { world, dispatcher } = &floor;
    world.broker.block(&p("a"), true).unwrap();
    floor.wave(&[("META", "100"), ("AAPL", "100")]);
    let mut told = Vec::new();
    let stop = async {
        world.clock.sleep_until(world.clock.now().plus(seconds(50))).await;
        world.script([Rule::new(Fault::HoldAnswer)]);
        floor.wave(&[("AAPL", "150")]);
        world.clock.sleep_until(world.clock.now().plus(seconds(1))).await;
        assert_eq!((floor.backlog().running, floor.backlog().resting), (1, 1));
        world.engine.shut_down(seconds(30)).await
    };
    let ((), stopped) = world.run(join(dispatcher.run(|done| told.push(said(&done))), stop));
    assert!(stopped.unfinished.is_empty());
    assert!(told.len() == 2 && told[1].starts_with("b: the engine is stopping"), "{told:?}");
}

#[test]
fn a_run_that_was_dropped_is_a_crash_and_the_next_one_goes_on() {
    let floor = Floor::new(slow(), &[("a", "META", "15"), ("b", "META", "12")], 1, 100);
    floor.wave(&[("META", "100")]);
    let Floor { world, dispatcher } = &floor;
    let mut run = Box::pin(dispatcher.run(|done| panic!("{done:?}")));
    let until = world.clock.now().plus(seconds(2));
    assert_eq!(world.clock.poll_until(run.as_mut(), until), None);
    assert_eq!((floor.backlog().waiting, floor.backlog().running), (1, 1));
    drop(run);
    assert_eq!((floor.backlog().waiting, floor.backlog().running), (1, 0));
    world.clock.advance(minutes(2));
    assert_eq!(world.run(world.engine.recover()).unwrap().len(), 1);
    let told = floor.run();
    assert!(told.contains(&"b: completed".to_owned()), "{told:?}");
    world.clock.advance(minutes(20));
    floor.run();
    for id in ["a", "b"] {
        assert_eq!(world.engine.judge_now(&p(id)), None, "{id}");
    }
}

/// The same waves at the same times give the same journal, and its future can be spawned on a runtime of several threads.
#[test]
fn the_same_waves_give_the_same_journal() {
    fn can_be_sent<T: Send>(future: T) -> T {
        future
    }
    let names: Vec<String> = (0..40).map(|n| format!("p{n:02}")).collect();
    let portfolios: Vec<(&str, &str, &str)> = names
        .iter()
        .enumerate()
        .map(|(n, name)| (name.as_str(), ["META", "AAPL", "MSFT"][n % 3], ["10", "11", "12", "14", "8"][n % 5]))
        .collect();
    let play = || {
        let floor = Floor::new(Profile::storm(), &portfolios, 5, 20);
        floor.wave(&[("META", "100"), ("AAPL", "100"), ("MSFT", "100")]);
        let mut told = Vec::new();
        let feed = async {
            for (n, price) in (0..).zip(["95", "120", "80", "100", "140", "60", "90", "99"]) {
                floor.world.clock.sleep_until(floor.world.clock.now().plus(seconds(7))).await;
                floor.wave(&[(["META", "AAPL", "MSFT"][n % 3], price)]);
            }
        };
        floor.world.run(join(can_be_sent(floor.dispatcher.run_until_idle(|done| told.push(said(&done)))), feed));
        let journal: Vec<_> = names.iter().map(|name| floor.world.journal.records(&p(name))).collect();
        (told, journal, floor.backlog())
    };
    let first = play();
    assert!(first.0.len() > 40, "{}", first.0.len());
    assert_eq!(first, play());
}
