//! The parts, with cases as data. The whole is in `tests/it/dispatch.rs`.

use super::pending::Pending;
use super::queue::Queue;
use super::rest::{Reason, Rests};
use evenkeel_domain::allocation::TargetAllocation;
use evenkeel_domain::books::{Books, Market, Prices, Quote};
use evenkeel_domain::drift::urgency::Urgency;
use evenkeel_domain::policy::Policy;
use evenkeel_domain::valuation::{ReserveRule, Valuation};
use evenkeel_domain::values::{PortfolioId, Symbol, Timestamp};

fn at(second: i64) -> Timestamp {
    Timestamp::from_nanos(second.checked_mul(1_000_000_000).unwrap())
}

/// The urgency of a portfolio of one half META that costs so many hundreds of what it should. More is more urgent.
fn urgency(hundreds: &str) -> Urgency {
    let (meta, policy) = ("META".parse().unwrap(), Policy::default());
    let allocation = TargetAllocation::parse([("META", "50"), ("CASH", "50")]).unwrap();
    let books = Books::new("100.00".parse().unwrap(), [(meta, "1".parse().unwrap())]);
    let price = format!("{hundreds}00").parse().unwrap();
    let prices: Prices = [(meta, Quote { price, at: at(0) })].into_iter().collect();
    let valuation = Valuation::new(&books, &allocation, &policy, Market::ageless(&prices), ReserveRule::NONE).unwrap();
    Urgency::of(&valuation, &policy.measure).unwrap().expect("it is out of band")
}

/// Runs `steps` on a queue with so much room: `a5` has a wait with an urgency of 5, `-a` has it wait no longer, `>` takes the most urgent. The
/// steps are a second apart. Then says who waits, most urgent first, how often somebody was left out, the most that waited, and since when the
/// oldest waits.
fn queued(room: usize, steps: &str) -> String {
    let mut queue = Queue::new(room);
    for (step, now) in steps.split(' ').zip(1..) {
        match step.split_at(1) {
            (">", _) => drop(queue.take()),
            ("-", id) => queue.remove(&id.parse().unwrap()),
            (id, hundreds) => queue.put(id.parse().unwrap(), urgency(hundreds), at(now)),
        }
    }
    let (oldest, left_out, most) = (queue.oldest(), queue.times_left_out, queue.most);
    let waiting: Vec<PortfolioId> = std::iter::from_fn(|| queue.take()).map(|(id, _)| id).collect();
    let waiting: Vec<&str> = waiting.iter().map(PortfolioId::as_str).collect();
    let oldest = oldest.map_or(0, |oldest| oldest.nanos() / 1_000_000_000);
    format!("{} | left out {left_out} | most {most} | since {oldest}", waiting.join(" "))
}

#[test]
fn the_queue_has_each_once_the_most_urgent_first_and_no_more_than_it_has_room_for() {
    for (room, steps, expected) in [
        (9, "a5 b7 c6", "b c a | left out 0 | most 3 | since 1"),
        // Equals by id.
        (9, "b5 c5 a5", "a b c | left out 0 | most 3 | since 1"),
        // Each once, at its newest urgency, since it first came.
        (9, "b7 a5 a5 a9", "a b | left out 0 | most 2 | since 1"),
        (9, "a9 b7 c6 a5", "b c a | left out 0 | most 3 | since 1"),
        (9, "a5 b7 a9 > b8", "b | left out 0 | most 2 | since 2"),
        (9, "a5 b7 -b -x", "a | left out 0 | most 2 | since 1"),
        (9, "a5 -a a5", "a | left out 0 | most 1 | since 3"),
        // There is no room for the least urgent, whether it came last or was there before.
        (2, "b7 c6 a5", "b c | left out 1 | most 2 | since 1"),
        (2, "a5 b7 c6", "b c | left out 1 | most 2 | since 1"),
        // Until the others are asked again, nobody comes in who is less urgent than who was left out.
        (2, "a5 b7 c6 > d4", "c | left out 2 | most 2 | since 1"),
        (2, "a5 b7 c6 > d6", "c d | left out 1 | most 2 | since 1"),
        (2, "a5 b7 c6 > c4", " | left out 2 | most 2 | since 1"),
        // And of those it is the most urgent that counts, whoever was left out last.
        (1, "a9 b7 c5 > d6", " | left out 3 | most 1 | since 2"),
    ] {
        assert_eq!(queued(room, steps), expected, "{room}: {steps}");
    }
}

#[test]
fn who_was_left_out_is_asked_for_once_nobody_waits() {
    let mut queue = Queue::new(1);
    queue.put("a".parse().unwrap(), urgency("5"), at(1));
    queue.put("b".parse().unwrap(), urgency("7"), at(2));
    assert_eq!(queue.take_left_out(), None, "b still waits");
    queue.take();
    assert!(!queue.is_done());
    assert_eq!(queue.take_left_out(), Some(at(1)));
    assert!(queue.is_done());
    assert_eq!(queue.take_left_out(), None);
}

#[test]
fn of_each_symbol_the_newest_price_is_left() {
    type Waves<'a> = &'a [(i64, &'a [(&'a str, &'a str)])];
    let check = |waves: Waves<'_>, expected: &str| {
        let mut pending = Pending::default();
        for (time, prices) in waves {
            let parsed = |(symbol, price): &(&str, &str)| (symbol.parse().unwrap(), price.parse().unwrap());
            pending.put(at(100), at(*time), &prices.iter().map(parsed).collect::<Vec<_>>());
        }
        let (waves, prices, merged) = (pending.waves, pending.prices, pending.merged);
        assert_eq!(pending.since(), (prices > 0).then_some(at(100)));
        let left: Vec<String> =
            pending.take().iter().map(|(symbol, quote)| format!("{symbol} {}", quote.price)).collect();
        let found = format!("{} | {waves} waves, {prices} prices, {merged} merged", left.join(" "));
        assert_eq!(found, expected);
        assert_eq!((pending.len(), pending.since()), (0, None));
    };
    check(&[], " | 0 waves, 0 prices, 0 merged");
    check(&[(1, &[("META", "1"), ("AAPL", "2")])], "AAPL 2 META 1 | 1 waves, 2 prices, 0 merged");
    check(&[(1, &[("META", "1")]), (2, &[("META", "3")])], "META 3 | 2 waves, 2 prices, 1 merged");
    // The order of time counts, not that of arrival; at the same time, the later arrival.
    check(&[(2, &[("META", "3")]), (1, &[("META", "1")])], "META 3 | 2 waves, 2 prices, 1 merged");
    check(&[(1, &[("META", "3")]), (1, &[("META", "1"), ("META", "2")])], "META 2 | 2 waves, 3 prices, 2 merged");
    check(&[(1, &[("META", "3")]), (2, &[("AAPL", "1")])], "AAPL 1 META 3 | 2 waves, 2 prices, 0 merged");
}

#[test]
fn the_first_price_that_came_says_how_old_they_are() {
    let mut pending = Pending::default();
    let price = |symbol: &str| [(symbol.parse().unwrap(), "1".parse().unwrap())];
    for (now, symbol) in [(1, "META"), (2, "AAPL"), (3, "META")] {
        pending.put(at(now), at(now), &price(symbol));
        assert_eq!(pending.since(), Some(at(1)));
    }
    pending.take();
    pending.put(at(4), at(4), &price("META"));
    assert_eq!(pending.since(), Some(at(4)));
}

#[test]
fn who_waits_is_gone_round_by_id_and_may_go_back_to_its_place() {
    let mut queue = Queue::new(3);
    for (id, hundreds, since) in [("a", "5", 1), ("b", "9", 2), ("c", "7", 3)] {
        queue.put(id.parse().unwrap(), urgency(hundreds), at(since));
    }
    for (last, many, expected) in
        [(None, 2, "a b"), (Some("b"), 2, "c a"), (Some("c"), 2, "a b"), (Some("bb"), 9, "c a b"), (Some("a"), 0, "")]
    {
        let after = queue.after(last.map(|id| id.parse().unwrap()).as_ref(), many);
        let after: Vec<&str> = after.iter().map(PortfolioId::as_str).collect();
        assert_eq!(after.join(" "), expected, "{last:?} {many}");
    }
    let (b, since) = queue.take().unwrap();
    assert_eq!((b.as_str(), since), ("b", at(2)));
    for (hundreds, is_surpassed) in [("9", false), ("7", false), ("6", true)] {
        assert_eq!(queue.is_surpassed(&urgency(hundreds)), is_surpassed, "{hundreds}");
    }
    queue.put(b, urgency("6"), since);
    let order: Vec<_> = std::iter::from_fn(|| queue.take()).map(|(id, since)| format!("{id} {since}")).collect();
    assert_eq!(order, [("c", 3), ("b", 2), ("a", 1)].map(|(id, since)| format!("{id} {}", at(since))));
    // Whoever was left out counts too.
    let mut queue = Queue::new(1);
    for (id, hundreds) in [("a", "5"), ("b", "6"), ("c", "9")] {
        queue.put(id.parse().unwrap(), urgency(hundreds), at(1));
    }
    queue.take();
    assert!(queue.is_surpassed(&urgency("5")) && !queue.is_surpassed(&urgency("6")), "by b, the most urgent of two");
}

#[test]
fn a_rest_ends_at_its_time_and_one_of_a_halt_when_it_is_taken_back() {
    let ids = |ended: Vec<PortfolioId>| ended.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let mut rests = Rests::default();
    for (portfolio, until, reason) in [
        ("a", 5, Reason::Other),
        ("b", 9, Reason::Halted),
        ("b", 9, Reason::Other),
        ("c", 7, Reason::Other),
        ("a", 3, Reason::Other),
    ] {
        rests.put(&portfolio.parse().unwrap(), at(until), reason);
    }
    assert_eq!((rests.len(), rests.next_end()), (3, Some(at(5))), "never shorter than it was");
    assert_eq!(ids(rests.take_ended(at(4), false, &[])), "");
    assert_eq!(ids(rests.take_ended(at(5), true, &[])), "a b", "who was halted still is, whatever else it rests for");
    rests.end(&"c".parse().unwrap());
    assert_eq!((rests.len(), rests.next_end()), (0, None));
}

#[test]
fn a_rest_for_want_of_a_price_ends_with_the_price() {
    let ids = |ended: Vec<PortfolioId>| ended.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let symbol = |symbol: &str| -> Symbol { symbol.parse().unwrap() };
    let priced = |name: &str| (symbol(name), Quote { price: "1".parse().unwrap(), at: at(0) });
    let mut rests = Rests::default();
    let lacks = |name: &str| Reason::NotJudged(Some(symbol(name)));
    for (portfolio, reason) in [
        ("a", lacks("META")),
        ("b", lacks("AAPL")),
        ("c", lacks("META")),
        ("d", Reason::NotJudged(None)),
        ("e", Reason::Other),
        ("c", lacks("AAPL")),
    ] {
        rests.put(&portfolio.parse().unwrap(), at(5), reason);
    }
    assert_eq!(ids(rests.take_ended(at(1), true, &[priced("MSFT")])), "");
    assert_eq!(ids(rests.take_ended(at(1), false, &[priced("META"), priced("MSFT")])), "a", "c lacks another now");
    for portfolio in ["b", "d", "e", "x"] {
        rests.end_if_not_judged(&portfolio.parse().unwrap());
    }
    assert_eq!(ids(rests.take_ended(at(1), false, &[priced("AAPL")])), "c");
    assert_eq!(ids(rests.take_ended(at(5), false, &[])), "e");
    assert_eq!((rests.len(), rests.next_end()), (0, None));
}
