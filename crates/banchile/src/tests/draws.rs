//! Draws: functions of what they are about, and distributed as the profile says.

use super::desk::{Desk, id, order};
use crate::draws::{Concern, Draws, Key, fingerprint};
use crate::{Chance, Fault, FaultRates, Latency, Profile, Rule};
use evenkeel_domain::order::{Attempt, BatchId, BrokerStatus, ClientOrderId, Direction, LegNumber, SubmitAnswer};
use evenkeel_domain::values::Timestamp;
use evenkeel_ports::{Broker, Clock};
use futures_util::future::join_all;
use std::collections::BTreeSet;
use std::time::Duration;

fn first(seed: u64, concern: Concern, account: &str, id: ClientOrderId, occurrence: u32) -> u64 {
    let account = account.parse().unwrap();
    Draws::new(seed).of(concern, Key::new(&account, id), occurrence).below(u64::MAX)
}

/// A storm that takes any number of requests: which are turned away depends on their order.
fn unlimited() -> Profile {
    Profile { rate_limit: None, ..Profile::storm() }
}

#[test]
fn a_draw_is_a_function_of_all_it_is_about() {
    let base = id(1, 1);
    let leg = |n| LegNumber::new(n).unwrap();
    let mut drawn = vec![
        first(1, Concern::PARTS, "growth", base, 0),
        first(2, Concern::PARTS, "growth", base, 0),
        first(1, Concern::SLIPPAGE, "growth", base, 0),
        first(1, Concern::PARTS, "growth2", base, 0),
        first(1, Concern::PARTS, "growth", base, 1),
        first(1, Concern::PARTS, "growth", ClientOrderId { leg: leg(2), ..base }, 0),
        first(1, Concern::PARTS, "growth", ClientOrderId { direction: Direction::Reverse, ..base }, 0),
        first(1, Concern::PARTS, "growth", ClientOrderId { attempt: Attempt::LAST, ..base }, 0),
        first(1, Concern::PARTS, "growth", ClientOrderId { batch: BatchId::from_u128(2), ..base }, 0),
        first(1, Concern::PARTS, "growth", ClientOrderId { batch: BatchId::from_u128(1 << 64 | 1), ..base }, 0),
    ];
    assert_eq!(drawn[0], first(1, Concern::PARTS, "growth", base, 0));
    let count = drawn.len();
    drawn.sort_unstable();
    drawn.dedup();
    assert_eq!(drawn.len(), count);
}

#[test]
fn draws_stay_what_they_are() {
    // What a seed means is a promise: recorded runs are made again from it.
    assert_eq!(first(1, Concern::PARTS, "growth", id(1, 1), 0), 13_550_192_104_510_764_704);
    assert_eq!(first(7, Concern::TO_VENUE, "a-long-account-name", id(u128::MAX, 4095), 3), 1_536_885_182_155_992_079);
}

#[test]
fn a_number_is_below_its_bound() {
    let draws = Draws::new(1);
    let mut seen = BTreeSet::new();
    for occurrence in 0..200 {
        let mut draw = draws.of(Concern::PARTS, Key::NONE, occurrence);
        seen.insert(draw.below(3));
        assert_eq!(draw.below(0), 0);
        assert_eq!(draw.below(1), 0);
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [0, 1, 2]);
}

#[test]
fn chances_are_what_they_say() {
    for (chance, expected) in [
        (Chance::NEVER, 0..=0),
        (Chance::per_million(1_000), 0..=8),
        (Chance::per_mille(200), 350..=450),
        (Chance::per_mille(1000), 2000..=2000),
        (Chance::per_mille(5000), 2000..=2000),
        (Chance::ALWAYS, 2000..=2000),
    ] {
        let draws = Draws::new(1);
        let count = (0..2000).filter(|n| draws.happens(Concern::PARTS, Key::NONE, *n, chance)).count();
        assert!(expected.contains(&count), "{chance:?}: {count} of 2000");
    }
    assert_eq!((Chance::per_mille(5).in_a_million(), Chance::ALWAYS.in_a_million()), (5000, 1_000_000));
    assert_eq!(Chance::per_million(2_000_000), Chance::ALWAYS);
}

#[test]
fn latencies_have_their_median_and_their_tail() {
    let millis = Duration::from_millis;
    let latency = Latency { least: millis(10), median: millis(100), p99: millis(1000), most: millis(5000) };
    let draws = Draws::new(1);
    let mut drawn: Vec<_> = (0..20_000).map(|n| draws.latency(Concern::PARTS, Key::NONE, n, latency)).collect();
    drawn.sort_unstable();
    let close = |place: usize, expected: Duration, percent: u32| {
        let found = drawn[place];
        let off = found.abs_diff(expected);
        assert!(off * 100 <= expected * percent, "{found:?} instead of {expected:?}");
    };
    close(10_000, latency.median, 2);
    let tail = drawn.iter().filter(|found| **found > latency.p99).count();
    assert!((150..250).contains(&tail), "{tail} of 20,000");
    // A quarter of the time half the way to the median; halfway to the 99th percentile it is a quarter of the way.
    close(5_000, millis(55), 4);
    close(14_900, millis(325), 4);
    assert!(drawn[0] >= latency.least && drawn[0] < millis(11));
    assert!(drawn[19_999] <= latency.most && drawn[19_999] > millis(3000));
    assert_eq!(draws.latency(Concern::PARTS, Key::NONE, 0, Latency::exactly(millis(7))), millis(7));
    assert_eq!(
        Latency::around(millis(10), millis(100)),
        Latency { least: millis(5), median: millis(10), p99: millis(100), most: millis(200) }
    );
}

#[test]
fn fingerprints_tell_terms_apart() {
    let texts = [
        "buy 1 META @ 400",
        "sell 1 META @ 400",
        "buy 2 META @ 400",
        "buy 1 AAPL @ 400",
        "buy 1 META @ 401",
        "buy 1 META @ 400 exit",
        "sell 1 META @ 400 exit",
        "buy 18446744074.709551616 META @ 400",
    ];
    let prints: BTreeSet<_> = texts.map(|text| fingerprint(&order(1, text).terms)).into();
    assert_eq!(prints.len(), texts.len());
    assert_eq!(fingerprint(&order(1, texts[0]).terms), fingerprint(&order(9, texts[0]).terms));
    // Long symbols that differ in several places: of so many, two may be alike by chance.
    let letters = || (b'0'..=b'9').chain(b'A'..=b'Z').map(char::from);
    let symbols =
        letters().flat_map(|one| letters().flat_map(move |two| letters().map(move |three| [one, two, three])));
    let prints: Vec<u32> = symbols
        .map(|[one, two, three]| fingerprint(&order(1, &format!("buy 1 ABCDEFG{one}XX{two}{three} @ 400")).terms))
        .collect();
    let different = prints.iter().collect::<BTreeSet<_>>().len();
    assert!(prints.len() > 40_000 && prints.len() - different <= 4, "{different} of {}", prints.len());
}

/// Sends 30 orders in the order of `turns`, all at once, and tells how each ended and when everything was over.
fn run(turns: &[usize], rules: &[Rule]) -> (Vec<String>, Duration) {
    let desk = Desk::scripted(unlimited(), rules.iter().cloned());
    desk.broker.deposit(&desk.account, "900000.00".parse().unwrap()).unwrap();
    desk.broker.receive(&desk.account, super::desk::symbol("AAPL"), "90".parse().unwrap()).unwrap();
    let orders: Vec<_> = turns
        .iter()
        .map(|leg| order(*leg, if leg % 3 == 0 { "sell 2 AAPL @ 200" } else { "buy 3.5 META @ 400" }))
        .collect();
    desk.run(join_all(orders.iter().map(|order| desk.broker.submit(&desk.account, order))));
    desk.settle();
    let mut truths: Vec<_> = desk
        .broker
        .ledger(&desk.account)
        .unwrap()
        .orders
        .into_iter()
        .map(|truth| {
            let fills: Vec<_> =
                truth.fills.iter().map(|f| format!("{}@{} {} {}", f.quantity, f.price, f.fee, f.at)).collect();
            format!("{} {} {:?} {fills:?}", truth.request.id, truth.accepted_at, truth.status)
        })
        .collect();
    truths.sort();
    (truths, desk.clock.now().since(Timestamp::EPOCH))
}

#[test]
fn the_order_of_the_calls_decides_nothing() {
    let forward: Vec<usize> = (1..31).collect();
    let mut shuffled = forward.clone();
    shuffled.reverse();
    shuffled.swap(3, 20);
    assert_eq!(run(&forward, &[]), run(&shuffled, &[]));
}

#[test]
fn a_fault_more_changes_no_other_order() {
    let forward: Vec<usize> = (1..31).collect();
    let rule = Rule::new(Fault::NeverFill).leg(LegNumber::new(7).unwrap());
    let (without, _) = run(&forward, &[]);
    let (with, _) = run(&forward, &[rule]);
    let changed: Vec<_> = without.iter().filter(|line| !with.contains(line)).collect();
    assert!(matches!(changed[..], [line] if line.starts_with(&id(1, 7).to_string())), "{changed:?}");
}

#[test]
fn another_seed_is_another_day() {
    let prices = |seed| {
        let desk = Desk::seeded(Profile::calm(), seed);
        desk.place(&order(1, "buy 1 META @ 400"));
        desk.settle();
        desk.fills(None).0
    };
    assert_eq!(prices(1), prices(1));
    assert_ne!(prices(1), prices(2));
}

#[test]
fn a_repeated_send_and_a_repeated_cancel_draw_anew() {
    let profile = || Profile { faults: crate::FaultRates::NONE, visibility_lag: Latency::NONE, ..Profile::storm() };
    let desk = Desk::scripted(profile(), [Rule::new(Fault::NeverFill)]);
    let buy = order(1, "buy 1 META @ 400");
    let mut took = BTreeSet::new();
    for _ in 0..5 {
        let start = desk.clock.now();
        desk.submit(&buy);
        took.insert(desk.clock.now().since(start));
    }
    assert_eq!(took.len(), 5);
    let mut took = BTreeSet::new();
    for _ in 0..3 {
        let start = desk.clock.now();
        desk.run(desk.broker.cancel(&desk.account, buy.id));
        took.insert(desk.clock.now().since(start));
    }
    assert_eq!(took.len(), 3);
}

/// What a buy of 1 META meets at a broker where one fault happens always.
fn check_rate(faults: FaultRates, told: &str, settled: &str) {
    let desk = Desk::new(Profile { faults, ..super::life::steady() });
    let buy = order(1, "buy 1 META @ 400");
    let answer = format!("{:?}", desk.submit(&buy));
    assert!(answer.starts_with(told), "{faults:?}: {answer}");
    desk.settle();
    desk.clock.pass(Duration::from_secs(1));
    assert_eq!(desk.state(buy.id), settled, "{faults:?}");
    let fill = desk.fills(None).0.first().map(|fill| fill.fill.at);
    let late = faults.slow == Chance::ALWAYS || faults.late_fill == Chance::ALWAYS;
    let seven = Timestamp::EPOCH.plus(Duration::from_millis(7110));
    assert_eq!(fill.is_some_and(|at| at == seven), late, "{faults:?}: {fill:?}");
}

#[test]
fn every_rate_is_the_rate_of_its_fault() {
    let always = Chance::ALWAYS;
    let by = Latency::exactly(Duration::from_secs(7));
    let none = FaultRates { late_by: by, slow_by: by, ..FaultRates::NONE };
    check_rate(none, "Acknowledged", "Filled 1");
    check_rate(FaultRates { lost_request: always, ..none }, "Unknown(Timeout)", "Absent");
    check_rate(FaultRates { lost_answer: always, ..none }, "Unknown(Timeout)", "Filled 1");
    check_rate(FaultRates { doubled: always, ..none }, "AlreadyExists", "Filled 1");
    check_rate(FaultRates { refused: always, ..none }, "Refused(Refused { reason: Other", "Absent");
    check_rate(FaultRates { rejected: always, ..none }, "Acknowledged", "Rejected 0");
    check_rate(FaultRates { late_fill: always, ..none }, "Acknowledged", "Filled 1");
    check_rate(FaultRates { slow: always, ..none }, "Unknown(Timeout)", "Filled 1");
}

#[test]
fn what_went_wrong_once_may_go_well_the_next_time() {
    let faults = FaultRates { lost_request: Chance::per_mille(500), ..FaultRates::NONE };
    let desk = Desk::new(Profile { faults, ..super::life::steady() });
    for leg in 0..20 {
        let buy = order(leg, "buy 1 META @ 400");
        let arrived = (0..30).any(|_| !matches!(desk.submit(&buy), SubmitAnswer::Unknown(_)));
        assert!(arrived, "leg {leg}");
    }
}

#[test]
fn a_storm_has_every_fault_now_and_then() {
    let desk = Desk::new(Profile { partial_fills: Chance::NEVER, ..unlimited() });
    desk.broker.deposit(&desk.account, "9000000.00".parse().unwrap()).unwrap();
    let mut answers = std::collections::BTreeMap::<&str, usize>::new();
    for leg in 0..3000 {
        let told = match desk.submit(&order(leg, "buy 0.01 META @ 400")) {
            SubmitAnswer::Acknowledged(_) => "acknowledged",
            SubmitAnswer::AlreadyExists => "exists",
            SubmitAnswer::Refused(_) => "refused",
            SubmitAnswer::NotSent(_) => "not sent",
            SubmitAnswer::Unknown(_) => "unknown",
        };
        *answers.entry(told).or_default() += 1;
    }
    desk.settle();
    let ledger = desk.broker.ledger(&desk.account).unwrap();
    let rejected = ledger.orders.iter().filter(|order| order.status == BrokerStatus::Rejected).count();
    let late = ledger.orders.iter().filter(|order| {
        order.fills.first().is_some_and(|fill| fill.at.since(order.accepted_at) >= Duration::from_secs(5))
    });
    let lost = 3000 - ledger.orders.len() - answers["refused"];
    // Five in a thousand each, two of rejections. Lost requests, lost answers and the slow are all unknown.
    for (what, count, expected) in [
        ("unknown", answers["unknown"], 25..70),
        ("exists", answers["exists"], 5..30),
        ("refused", answers["refused"], 5..30),
        ("lost", lost, 5..30),
        ("rejected", rejected, 1..20),
        ("late", late.count(), 5..30),
    ] {
        assert!(expected.contains(&count), "{what}: {count}");
    }
}
