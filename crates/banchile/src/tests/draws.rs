//! Draws: functions of what they are about, and distributed as the profile says.

use super::desk::{Desk, id, order, shown};
use crate::draws::{Concern, Draws, Key, fingerprint};
use crate::{Chance, Fault, Latency, Profile, Rule};
use evenkeel_domain::order::{Attempt, BatchId, ClientOrderId, Direction, LegNumber};
use evenkeel_domain::values::AccountId;
use evenkeel_ports::{Broker, Clock};
use futures_util::future::join_all;
use std::collections::BTreeSet;
use std::time::Duration;

fn growth() -> AccountId {
    "growth".parse().unwrap()
}

fn first(seed: u64, concern: Concern, account: &str, id: ClientOrderId, occurrence: u32) -> u64 {
    let key = Key::new(&account.parse().unwrap(), id);
    Draws::new(seed).of(concern, key, occurrence).below(u64::MAX)
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
    assert_eq!(Chance::per_mille(5).in_a_million(), 5000);
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
}

/// Sends 30 orders in the order of `turns`, all at once, and tells how each ended and when everything was over.
fn run(turns: &[usize], rules: &[Rule]) -> (Vec<String>, Duration) {
    let desk = Desk::scripted(Profile::storm(), rules.iter().cloned());
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
    (truths, desk.clock.now().since(evenkeel_domain::values::Timestamp::EPOCH))
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

#[test]
fn a_storm_has_every_fault() {
    let desk = Desk::new(Profile::storm());
    desk.broker.deposit(&desk.account, "9000000.00".parse().unwrap()).unwrap();
    let mut answers = std::collections::BTreeMap::<String, u32>::new();
    for leg in 0..3000 {
        use evenkeel_domain::order::SubmitAnswer;
        let sent = order(leg, "buy 0.01 META @ 400");
        let answer = match desk.submit(&sent) {
            SubmitAnswer::Acknowledged(view) => shown(&view),
            SubmitAnswer::Refused(refused) => format!("{refused}"),
            other @ (SubmitAnswer::AlreadyExists | SubmitAnswer::NotSent(_) | SubmitAnswer::Unknown(_)) => {
                format!("{other:?}")
            }
        };
        *answers.entry(answer).or_default() += 1;
    }
    desk.settle();
    // Lost requests, lost answers and the slow ones are all unknown; doubled ones exist already.
    let told =
        |text: &str| answers.iter().filter(|(answer, _)| answer.contains(text)).map(|(_, count)| *count).sum::<u32>();
    assert!((20..60).contains(&told("Unknown(Timeout)")), "{answers:?}");
    assert!((5..30).contains(&told("AlreadyExists")), "{answers:?}");
    assert!((5..30).contains(&told("refused")), "{answers:?}");
    let ledger = desk.broker.ledger(&desk.account).unwrap();
    let status = |wanted: &str| ledger.orders.iter().filter(|order| format!("{:?}", order.status) == wanted).count();
    assert!((1..20).contains(&status("Rejected")));
    assert!(
        (2970..2995).contains(&(ledger.orders.len() + usize::try_from(told("refused")).unwrap())),
        "requests that were lost"
    );
    let late = ledger.orders.iter().filter(|order| {
        order.fills.first().is_some_and(|fill| fill.at.since(order.accepted_at) >= Duration::from_secs(5))
    });
    assert!((5..30).contains(&late.count()));
    assert_eq!(growth(), desk.account);
}
