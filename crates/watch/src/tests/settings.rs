//! What the settings do, and what portfolios and symbols leave behind.

use super::model::{Both, at, band, books, definition, id, nanos, symbol};
use super::walks::Draws;
use crate::{Finding, Settings, Watch, most_urgent_first};
use evenkeel_domain::books::{NoPrice, Quote};
use evenkeel_domain::policy::Measure;
use evenkeel_domain::valuation::ValuationError;
use evenkeel_domain::values::Price;
use std::time::Duration;

const FIVE: i64 = 50_000;

fn relative() -> Measure {
    Measure::Relative { band: band(FIVE) }
}

#[test]
fn a_price_that_grows_stale_is_told_of_and_recovers() {
    let mut both = Both::new(Settings { max_age: Some(Duration::from_secs(10)), ..Settings::default() });
    both.insert(0, &definition(relative(), 0, &[(0, 500_000), (1, 500_000)]), &books(0, &[(0, 1_000), (1, 1_000)]));
    assert!(both.wave(at(0), &[(0, 1_000)]).is_empty(), "the other has never had a price");
    assert!(both.wave(at(5), &[(1, 1_000)]).is_empty());
    assert!(both.wave(at(10), &[(1, 1_000)]).is_empty(), "ten seconds are allowed");
    let stale = both.wave(at(11), &[(1, 1_000)]);
    assert!(
        matches!(&stale[..], [Finding::NotJudged { why: ValuationError::NoPrice(NoPrice::Stale { .. }), .. }]),
        "{stale:?}"
    );
    assert!(both.wave(at(10), &[(1, 1_001)]).is_empty(), "back in time it is fresh again");
    assert_eq!(both.wave(at(12), &[(1, 1_001)]).len(), 1);
    assert!(both.wave(at(12), &[(0, 1_001)]).is_empty());
    both.compare(at(12));
    both.compare(at(1_000));
    both.compare(at(3));
}

#[test]
fn who_lacks_a_price_is_left_out_whatever_else_is_stale() {
    for (stale, missing) in [(0, 1), (1, 0)] {
        let mut both = Both::new(Settings { max_age: Some(Duration::from_secs(10)), ..Settings::default() });
        let targets = definition(relative(), 0, &[(0, 300_000), (1, 300_000), (2, 400_000)]);
        both.insert(0, &targets, &books(0, &[(0, 1_000), (1, 1_000), (2, 1_000)]));
        both.wave(at(0), &[(stale, 1_000)]);
        assert_eq!(both.wave(at(60), &[(2, 1_000)]), []);
        assert_eq!(both.wave(at(60), &[(missing, 1_000)]).len(), 1);
    }
}

#[test]
fn merged_prices_keep_the_times_they_are_of() {
    let mut both = Both::new(Settings { max_age: Some(Duration::from_secs(10)), ..Settings::default() });
    both.insert(0, &definition(relative(), 0, &[(0, 500_000), (1, 500_000)]), &books(0, &[(0, 1_000), (1, 1_000)]));
    let quote = |n, price, time| (symbol(n), Quote { price: Price::from_nanos(price).unwrap(), at: at(time) });
    assert_eq!(both.watch.quotes(at(5), &[quote(0, 1_000, 3), quote(1, 1_000, 5)]), []);
    assert_eq!(both.watch.price(symbol(0)), Some(quote(0, 1_000, 3).1));
    assert_eq!(both.watch.quotes(at(13), &[quote(1, 1_000, 13)]), [], "the other is of ten seconds ago");
    let stale = both.watch.quotes(at(14), &[quote(1, 1_000, 14)]);
    assert!(matches!(&stale[..], [Finding::NotJudged { .. }]), "{stale:?}");
    // One that is older than what is known does not count; both are judged as one wave.
    let found = both.watch.quotes(at(15), &[quote(0, 2_000, 15), quote(1, 4_000, 12)]);
    assert!(matches!(&found[..], [Finding::OutOfBand { .. }]), "{found:?}");
    assert_eq!(both.watch.quotes(at(15), &[quote(1, 2_000, 15)]), []);
}

#[test]
fn a_price_may_be_stale_when_it_comes() {
    for passes in [false, true] {
        let mut both = Both::new(Settings { max_age: Some(Duration::from_secs(10)), ..Settings::default() });
        both.insert(0, &definition(relative(), 0, &[(0, 500_000), (1, 500_000)]), &books(0, &[(0, 1_000), (1, 1_000)]));
        both.watch.passes = Some(passes);
        let quote = |n, time| (symbol(n), Quote { price: Price::from_nanos(1_000).unwrap(), at: at(time) });
        let found = both.watch.quotes(at(100), &[quote(0, 50), quote(1, 100)]);
        let [Finding::NotJudged { why, .. }] = &found[..] else { panic!("{found:?}") };
        assert!(matches!(why, ValuationError::NoPrice(NoPrice::Stale { .. })), "{why}");
        assert_eq!(both.watch.quotes(at(101), &[quote(0, 101)]), []);
    }
}

#[test]
fn nobody_in_active_rest_is_found_and_its_prices_go_on() {
    let mut both = Both::new(Settings::default());
    both.insert(0, &definition(relative(), 0, &[(0, 500_000), (1, 500_000)]), &books(0, &[(0, 1_000), (1, 1_000)]));
    both.wave(at(0), &[(0, 1_000), (1, 1_000)]);
    both.set_active(0, false);
    assert!(both.wave(at(0), &[(0, 2_000)]).is_empty());
    both.set_active(0, true);
    assert_eq!(both.wave(at(0), &[(0, 2_000)]).len(), 1);
    assert!(both.watch.judge(&id(0), at(0)).is_some());
}

#[test]
fn who_is_aside_is_found_by_no_wave_until_something_is_new() {
    let targets = definition(relative(), 0, &[(0, 500_000), (1, 500_000)]);
    let held = books(0, &[(0, 1_000), (1, 1_000)]);
    type News<'a> = &'a dyn Fn(&mut Both);
    let news: [(&str, News<'_>, usize); 8] = [
        ("nothing", &|_| {}, 0),
        ("a price", &|both| drop(both.watch.wave(at(0), &[(symbol(1), Price::from_nanos(900).unwrap())])), 0),
        ("its books", &|both| assert!(both.watch.set_books(&id(0), &held)), 1),
        ("its definition", &|both| assert!(both.watch.change(&id(0), &targets)), 1),
        ("all of it", &|both| both.watch.insert(&id(0), &targets, &held).unwrap(), 1),
        ("it is set active", &|both| assert!(both.watch.set_active(&id(0), true)), 1),
        (
            "it is set inactive, aside once more, and active",
            &|both| {
                assert!(both.watch.set_active(&id(0), false) && both.watch.set_aside(&id(0)));
                assert!(both.watch.set_active(&id(0), true));
            },
            1,
        ),
        ("all are judged", &|both| assert_eq!(both.watch.judge_all(at(0)).len(), 1), 1),
    ];
    for (what, news, found) in news {
        for pass in [false, true] {
            let mut both = Both::new(Settings::default());
            both.watch.passes = Some(pass);
            both.insert(0, &targets, &held);
            both.wave(at(0), &[(0, 1_000), (1, 1_000)]);
            assert_eq!(both.wave(at(0), &[(0, 2_000)]).len(), 1);
            assert!(both.watch.set_aside(&id(0)));
            let wave = |both: &mut Both| both.watch.wave(at(0), &[(symbol(0), Price::from_nanos(2_001).unwrap())]);
            assert_eq!(wave(&mut both), []);
            assert!(both.watch.judge(&id(0), at(0)).is_some(), "asked for by name, it is judged as ever");
            news(&mut both);
            assert_eq!(wave(&mut both).len(), found, "{what}");
        }
    }
    assert!(!Watch::new(Settings::default()).set_aside(&id(0)), "it is not watched");
}

#[test]
fn the_most_urgent_goes_first() {
    let mut both = Both::new(Settings::default());
    let two = |measure| definition(measure, 0, &[(0, 500_000), (1, 500_000)]);
    both.insert(0, &two(relative()), &books(0, &[(0, 1_100), (1, 900)]));
    both.insert(1, &two(relative()), &books(0, &[(0, 1_200), (1, 800)]));
    both.insert(2, &two(Measure::Relative { band: band(0) }), &books(0, &[(0, 1_001), (1, 999)]));
    both.insert(3, &two(relative()), &books(0, &[(0, 1_100), (1, 900)]));
    both.insert(4, &two(relative()), &books(0, &[]));
    let mut found = both.wave(at(0), &[(0, 1_000), (1, 1_000)]);
    most_urgent_first(&mut found);
    let order: Vec<&str> = found.iter().map(|finding| finding.portfolio().as_str()).collect();
    assert_eq!(order, ["p2", "p1", "p0", "p3", "p4"]);
}

#[test]
fn places_of_symbols_and_portfolios_are_used_again() {
    let mut both = Both::new(Settings { max_age: Some(Duration::from_secs(10)), ..Settings::default() });
    for round in 0..200_usize {
        let [a, b] = [round * 2, round * 2 + 1];
        let now = at(i64::try_from(round).unwrap());
        both.insert(
            round,
            &definition(relative(), 0, &[(a, 500_000), (b, 500_000)]),
            &books(0, &[(a, 1_000), (b, 1_000)]),
        );
        both.wave(now, &[(a, 1_000), (b, 1_100)]);
        both.remove(round);
        both.forget_price(a);
        both.forget_price(b);
    }
    assert_eq!((both.watch.symbols(), both.watch.len(), both.watch.holdings()), (0, 0, 0));
    assert_eq!(both.watch.price(symbol(0)), None);
    assert_eq!(both.watch.slots.len(), 1);
}

#[test]
fn what_is_known_of_large_quantities_goes_with_them() {
    let mut both = Both::new(Settings::default());
    let all = definition(relative(), 0, &[(0, 1_000_000)]);
    let large = 10_u128.pow(20);
    // With a price, a symbol keeps its place.
    both.wave(at(0), &(0..=20).map(|n| (n, 1_000)).collect::<Vec<_>>());
    for round in 1..=20 {
        both.insert(0, &all, &books(0, &[(0, large), (round, large)]));
        assert_eq!(both.watch.many.len(), 2);
        if round % 2 == 0 {
            both.remove(0);
            assert_eq!(both.watch.many.len(), 0);
        }
    }
}

/// Hundreds of portfolios with the same four symbols, that come and go while prices move: each wave against the model.
#[test]
fn lists_of_several_slices_come_and_go() {
    const MANY: usize = 2_000;
    let mut both = Both::new(Settings::default());
    let mut draws = Draws(1);
    let mut prices = [100_000_000_000; 4];
    both.wave(at(0), &(0..4).map(|n| (n, prices[n])).collect::<Vec<_>>());
    let mut is_there = [false; MANY];
    for round in 0..30 {
        // Nearly all go at times; then most come again.
        let goes_one_in = if round % 10 == 9 { 1 } else { 4 };
        for (n, is_there) in is_there.iter_mut().enumerate() {
            if *is_there && draws.one_in(goes_one_in) {
                both.remove(n);
                *is_there = false;
            } else if !*is_there && draws.one_in(2) {
                let parts: Vec<(usize, i64)> =
                    (0..3).map(|k| ((n + k) % 4, 200_000 + i64::try_from(draws.below(130_000)).unwrap())).collect();
                let cash = 1_000_000 - parts.iter().map(|(_, part)| part).sum::<i64>();
                let held: Vec<(usize, u128)> =
                    parts.iter().map(|(k, part)| (*k, u128::try_from(*part).unwrap() * 1_000_000)).collect();
                both.insert(n, &definition(relative(), 0, &parts), &books(cash * 10, &held));
                *is_there = true;
            }
        }
        let moved = draws.index(4);
        prices[moved] = prices[moved] / 1_000 * 998 + draws.below(prices[moved] / 250);
        both.watch.passes = [None, Some(true), Some(false)][round % 3];
        both.wave(at(i64::try_from(round).unwrap()), &[(moved, prices[moved])]);
    }
    both.compare(at(30));
}

#[test]
fn thousands_of_holdings_are_judged_like_one() {
    let mut both = Both::new(Settings::default());
    let count = 2_000_usize;
    let targets: Vec<(usize, i64)> = (0..count).map(|number| (number, 500)).collect();
    let held: Vec<(usize, u128)> = (0..count).map(|number| (number, 1_000_000_000)).collect();
    both.insert(0, &definition(Measure::Absolute { band: band(25) }, 0, &targets), &books(0, &held));
    let all: Vec<(usize, u64)> = (0..count).map(|number| (number, 1_000_000_000)).collect();
    assert!(both.wave(at(0), &all).is_empty());
    // 5.25 % above the others, of which there are 1,999: just on the edge, and beyond.
    for (price, is_out) in
        [(1_050_000_000, false), (1_050_026_250, false), (1_050_027_000, true), (1_050_000_000, false)]
    {
        assert_eq!(both.wave(at(0), &[(7, price)]).len(), usize::from(is_out), "{price}");
    }
}

/// Of twenty holdings one stands close to its edge, and five move far: a pass would leave everybody to be looked at. However long that goes on,
/// none is made to find out; once they move little, nearly all waves are passes.
#[test]
fn passes_are_made_where_they_pay() {
    let mut watch = Watch::new(Settings::default());
    let symbols = || 0..20;
    let prices: Vec<_> = symbols().map(|n| (symbol(n), nanos(1_000_000_000))).collect();
    assert_eq!(watch.wave(at(0), &prices), []);
    let targets: Vec<_> = symbols().map(|n| (n, 50_000)).collect();
    let held: Vec<_> = symbols().map(|n| (n, if n == 0 { 1_049_500_000 } else { 1_000_000_000 })).collect();
    for n in 0..40 {
        watch.insert(&id(n), &definition(relative(), 0, &targets), &books(0, &held)).unwrap();
    }
    assert_eq!(watch.judge_all(at(0)), []);
    let mut passes_of = |step: u64| {
        let before = watch.passed;
        for round in 0..1_000 {
            let price = nanos(1_000_000_000 + step * (1 - round % 2));
            let moved: Vec<_> = (10..15).map(|n| (symbol(n), price)).collect();
            assert_eq!(watch.wave(at(0), &moved), []);
        }
        watch.passed - before
    };
    assert_eq!(passes_of(4_000_000), 0);
    assert!(passes_of(1_000) > 900, "what was found of large ones too");
    assert!(passes_of(4_000_000) < 5, "what was found of small waves is soon unlearned");
}

/// However little most prices of a wave move: the pass that would be made for these is not made where one of them moves far.
#[test]
fn one_price_that_moves_far_is_seen_among_many() {
    for far in 0..20 {
        let mut both = Both::new(Settings::default());
        both.wave(at(0), &(0..20).map(|n| (n, 1_000_000_000)).collect::<Vec<_>>());
        let targets: Vec<_> = (0..20).map(|n| (n, 50_000)).collect();
        let held: Vec<_> = (0..20).map(|n| (n, 1_000_000_000)).collect();
        for n in 0..40 {
            both.insert(n, &definition(relative(), 0, &targets), &books(0, &held));
        }
        both.compare(at(0));
        for round in 0..100 {
            let little: Vec<_> = (0..20).map(|n| (n, 1_000_000_000 + 1_000 * (round % 2))).collect();
            assert_eq!(both.wave(at(0), &little), []);
        }
        assert!(both.watch.passed > 80, "{}", both.watch.passed);
        let wave: Vec<_> = (0..20).map(|n| (n, if n == far { 1_200_000_000 } else { 1_000_001_000 })).collect();
        assert_eq!(both.wave(at(0), &wave).len(), 40, "{far}");
    }
}

/// Bounds that each of them moved would hide what comes.
#[test]
fn quotes_that_are_older_than_what_is_known_move_nothing() {
    for (old, new) in [(1_003_000_000, 1_070_000_000), (997_000_000, 930_000_000)] {
        let mut both = Both::new(Settings::default());
        both.wave(at(100), &[(0, 1_000_000_000), (1, 1_000_000_000)]);
        let tenth = definition(relative(), 0, &[(0, 900_000), (1, 100_000)]);
        both.insert(0, &tenth, &books(0, &[(0, 900_000_000_000), (1, 100_000_000_000)]));
        both.compare(at(100));
        both.watch.passes = Some(false);
        for _ in 0..10 {
            assert_eq!(both.quotes(at(100), &[(0, old, at(50))]), []);
        }
        assert_eq!(both.wave(at(100), &[(1, new)]).len(), 1);
    }
}

#[test]
fn a_price_grows_old_from_its_own_time_whatever_was_known_before() {
    let mut both = Both::new(Settings { max_age: Some(Duration::from_secs(60)), ..Settings::default() });
    both.wave(at(100), &[(0, 1_000_000_000), (1, 1_000_000_000)]);
    let halves = definition(relative(), 0, &[(0, 500_000), (1, 500_000)]);
    both.insert(0, &halves, &books(0, &[(0, 1_000_000_000_000), (1, 1_000_000_000_000)]));
    both.compare(at(100));
    both.forget_price(0);
    assert_eq!(both.quotes(at(100), &[(0, 1_000_000_000, at(50))]), []);
    assert_eq!(both.wave(at(110), &[(1, 1_000_000_000)]), []);
    assert_eq!(both.wave(at(111), &[(1, 1_000_000_000)]).len(), 1, "too old by a second");
}

#[test]
fn a_holding_beyond_all_figures_does_not_hide_the_drift_of_the_others() {
    let mut both = Both::new(Settings::default());
    let targets = definition(relative(), 0, &[(0, 1_000_000)]);
    let held = [(0, 1), (1, 9_000_000_000_000_000_000_000_000)];
    both.insert(0, &targets, &books(-900_000_000_000_000_000, &held));
    let found = both.wave(at(0), &[(0, 1), (1, 1_000_000_000)]);
    let [Finding::OutOfBand { drift, .. }] = &found[..] else { panic!("{found:?}") };
    assert_eq!(drift.to_string(), "0.0000");
}

/// Bounds that have gone past zero would be rounded to the wrong side if they were moved on: nothing of them is kept.
#[test]
fn bounds_that_do_not_say_inside_are_not_kept() {
    let mut both = Both::new(Settings::default());
    let wide = Measure::Absolute { band: band(1_000_000) };
    let halves = definition(wide, 0, &[(0, 500_000), (1, 500_000)]);
    // With debts, and nothing but debts at less than half of these prices.
    both.insert(0, &halves, &books(-90_000_000, &[(0, 1_000_000_000_000), (1, 1_000_000_000_000)]));
    let narrow = definition(relative(), 0, &[(2, 500_000), (3, 500_000)]);
    both.insert(1, &narrow, &books(0, &[(2, 1_000_000_000_000), (3, 1_000_000_000_000)]));
    let (full, half) = (1_000_000_000_000, 400_000_000_000);
    both.wave(at(0), &[(0, full), (1, full), (2, full), (3, full)]);
    for passes in [false, true] {
        both.watch.passes = Some(passes);
        // Found by its own prices, and inside again; only a pass moves who is not touched, and then only a look tells anew.
        for (wave, are_known) in [
            (&[(0, half), (1, half)][..], [false, !passes]),
            (&[(0, full)], [false, !passes]),
            (&[(1, full)], [true, !passes]),
            (&[(2, full), (3, full)], [!passes, true]),
            (&[(2, half), (3, half)], [!passes, true]),
        ] {
            both.wave(at(0), wave);
            assert_eq!([0, 1].map(|slot: usize| both.watch.states[slot].is_known()), are_known, "{wave:?} {passes}");
        }
        both.compare(at(0));
    }
}
