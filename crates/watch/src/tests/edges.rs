//! Prices exactly on the edge of a band, and one step beside it.

use super::model::{Both, at, band, books, cents, definition};
use super::walks::Draws;
use crate::Settings;
use evenkeel_domain::order::Costs;
use evenkeel_domain::policy::Measure;
use evenkeel_domain::valuation::ReserveRule;
use evenkeel_domain::values::Money;
use proptest::prelude::*;

const DOLLAR: u64 = 1_000_000_000;

/// A portfolio of two holdings, the first of which is exactly on an edge of its band when both cost the same.
#[derive(Debug, Clone)]
struct Edge {
    measure: Measure,
    goal: i64,
    /// The edge, in millionths of a millionth.
    edge: i64,
    is_upper: bool,
    scale: u128,
    price: u64,
}

/// A measure, the target and the edges of the first holding.
fn edge((kind, goal, one, other, is_upper, scale, price): (u8, i64, i64, i64, bool, u128, u64)) -> Edge {
    let points = other.min(goal);
    let (share, fixed) = (one * goal, points * 1_000_000);
    let (measure, limit) = match kind {
        0 => (Measure::Relative { band: band(one) }, share),
        1 => (Measure::Absolute { band: band(points) }, fixed),
        2 => (Measure::Hybrid { relative: band(one), absolute: band(points) }, share.max(fixed)),
        3 => (Measure::Tighter { relative: band(one), absolute: band(points) }, share.min(fixed)),
        _ => (Measure::Total { band: band(points) }, fixed),
    };
    let middle = goal * 1_000_000;
    // At the bottom there is nothing to hold.
    let is_upper = is_upper || limit >= middle;
    let edge = if is_upper { middle + limit } else { middle - limit };
    Edge { measure, goal, edge, is_upper, scale, price }
}

fn edges() -> impl Strategy<Value = Edge> {
    let price = prop_oneof![2..=1_000_u64, 1_000_000_000..=1_000_000_000_000_u64, Just(9_999_999_999_999_999_998_u64)];
    let band = || prop_oneof![Just(50_000_i64), 0..=1_000_000_i64, 1..=1_000_i64];
    let scale = (1..=999_u128, 0..=9_u32).prop_map(|(digits, power)| digits * 10_u128.pow(power));
    (0..5_u8, 1..=499_999_i64, band(), band(), any::<bool>(), scale, price).prop_map(edge)
}

/// On the edge the portfolio is inside; one billionth of the price beyond, it is out; and however it came there.
fn check(edge: &Edge, seed: u64) {
    let Edge { measure, goal, scale, price, .. } = *edge;
    let mut both = Both::new(Settings::default());
    let definition = definition(measure, 0, &[(0, goal), (1, 1_000_000 - goal)]);
    let share = |parts: i64| u128::try_from(parts).unwrap() * scale;
    both.insert(0, &definition, &books(0, &[(0, share(edge.edge)), (1, share(1_000_000_000_000 - edge.edge))]));
    both.watch.passes = [None, Some(true), Some(false)][usize::try_from(seed % 3).unwrap()];
    let mut draws = Draws(seed);
    both.wave(at(0), &[(1, price)]);
    for _ in 0..3 {
        for _ in 0..draws.below(20) {
            let there = price.saturating_sub(price / 200).saturating_add(draws.below(price / 100 + 2));
            both.wave(at(0), &[(0, there.clamp(1, 9_999_999_999_999_999_999))]);
        }
        let beyond = if edge.is_upper { price + 1 } else { price - 1 };
        let within = if edge.is_upper { price - 1 } else { price + 1 };
        assert!(both.wave(at(0), &[(0, price)]).is_empty(), "{edge:?}");
        assert_eq!(both.wave(at(0), &[(0, beyond)]).len(), 1, "{edge:?}");
        both.wave(at(0), &[(0, within)]);
        assert!(both.wave(at(0), &[(0, price), (1, price)]).is_empty(), "{edge:?}");
        assert_eq!(both.wave(at(0), &[(0, beyond)]).len(), 1, "{edge:?}");
    }
}

proptest! {
    #![proptest_config(super::cases(600))]

    #[test]
    fn on_the_edge_is_inside_and_one_step_beyond_is_out(edge in edges(), seed: u64) {
        check(&edge, seed);
    }

    /// Cash with a target, moved over its edge by the price of what is held beside it. The band of the other is no narrower.
    #[test]
    fn cash_has_an_edge_too(
        kind in 0..5_u8, goal in 1..=499_999_i64, one in 1..=1_000_000_i64, other in 1..=1_000_000_i64, is_upper: bool,
        digit in 1..=9_u64, way in prop::sample::select(vec![true, false]),
    ) {
        let Edge { measure, edge, is_upper, .. } = edge((kind, goal, one, other, is_upper, 1, 1));
        let price = digit * 1_000_000_000_000;
        let held = u128::try_from(1_000_000_000_000 - edge).unwrap() * 10_000;
        let mut both = Both::new(Settings::default());
        both.watch.passes = Some(way);
        let cash = edge * i64::try_from(digit).unwrap();
        both.insert(0, &definition(measure, 0, &[(0, 1_000_000 - goal)]), &books(cash, &[(0, held)]));
        // The more the other is worth, the smaller is the weight of cash.
        let beyond = |steps: u64| if is_upper { price - steps } else { price + steps };
        for steps in [0, 1, 0, 2, 1, 0] {
            prop_assert_eq!(both.wave(at(0), &[(0, beyond(steps))]).len(), usize::from(steps > 0), "{:?} {}", measure, steps);
        }
    }
}

/// From inside the band to the last price inside and the first outside, found by halving, under any rule for the reserve.
fn check_flip(settings: Settings, measure: Measure, cash: i64, is_up: bool, seed: u64) {
    let mut both = Both::new(settings);
    let mut draws = Draws(seed);
    let parts = (1_000_000 - cash) / 4;
    let targets: Vec<(usize, i64)> = (0..4).map(|number| (number, parts)).collect();
    let units = 10_u128.pow(9) * (1_000 + u128::from(draws.below(1_000)));
    let held: Vec<(usize, u128)> = (0..4).map(|number| (number, units)).collect();
    // Enough cash for its target and the reserve of such a portfolio: about half a percent.
    let worth = i64::try_from(units / 10_u128.pow(9)).unwrap() * 4 * 100 * 100;
    both.insert(0, &definition(measure, 0, &targets), &books(worth / 1_000_000 * cash + worth / 250, &held));
    let all: Vec<(usize, u64)> = (0..4).map(|number| (number, 100 * DOLLAR)).collect();
    both.wave(at(0), &all);
    if both.would_be_out(0, 0, 100 * DOLLAR) {
        return;
    }
    let (mut inside, mut out) = (100 * DOLLAR, if is_up { 100_000 * DOLLAR } else { 1 });
    if !both.would_be_out(0, 0, out) {
        return;
    }
    while inside.abs_diff(out) > 1 {
        let middle = inside.midpoint(out);
        if both.would_be_out(0, 0, middle) { out = middle } else { inside = middle }
    }
    for _ in 0..4 {
        for _ in 0..draws.below(8) {
            let far = inside.abs_diff(100 * DOLLAR);
            let there = if is_up { inside - draws.below(far + 1) } else { inside + draws.below(far + 1) };
            both.watch.passes = Some(draws.one_in(3));
            both.wave(at(0), &[(0, there)]);
        }
        both.watch.passes = Some(draws.one_in(3));
        assert!(both.wave(at(0), &[(0, inside)]).is_empty());
        assert_eq!(both.wave(at(0), &[(0, out)]).len(), 1);
        both.wave(at(0), &[(0, inside)]);
    }
}

proptest! {
    #![proptest_config(super::cases(600))]

    #[test]
    fn a_reserve_that_moves_decides_nothing_wrongly(
        kind in 0..5_u8, one in 20_000..=200_000_i64, other in 20_000..=100_000_i64, cash in prop::sample::select(vec![0, 20_000, 100_000]),
        is_up: bool, settings in prop::sample::select(super::walks::rules()[..5].to_vec()), seed: u64,
    ) {
        let Edge { measure, .. } = edge((kind, 499_999, one, other, true, 1, 1));
        check_flip(settings, measure, cash, is_up, seed);
    }
}

/// One is out because it moved and because the rest moved against it: a pass that counted one of them alone would clear it.
#[test]
fn a_pass_counts_what_rises_and_what_falls() {
    // Of targets of 20 % and 80 %: the first may come to 30 % or to 10 %, the second is far from both of its edges.
    let targets = definition(Measure::Relative { band: band(500_000) }, 0, &[(0, 200_000), (1, 800_000)]);
    let upper = [(1_050, 950, true), (1_040, 960, false), (1_050, 1_050, false), (950, 1_050, false)];
    let lower = [(890, 1_110, true), (900, 1_100, false), (890, 890, false), (1_110, 890, false)];
    for (held, cases) in [(28_000, upper), (12_000, lower)] {
        for (one, other, is_out) in cases {
            let mut both = Both::new(Settings::default());
            both.insert(0, &targets, &books(0, &[(0, held), (1, 100_000 - held)]));
            assert!(both.wave(at(0), &[(0, 1_000), (1, 1_000)]).is_empty());
            both.watch.passes = Some(true);
            assert_eq!(both.wave(at(0), &[(0, one), (1, other)]).len(), usize::from(is_out), "{held} {one} {other}");
        }
    }
}

#[test]
fn steps_of_one_price_in_one_wave_add_up() {
    let mut both = Both::new(Settings::default());
    let measure = Measure::Relative { band: band(50_000) };
    both.insert(0, &definition(measure, 0, &[(0, 500_000), (1, 500_000)]), &books(0, &[(0, 1_000), (1, 1_000)]));
    assert!(both.wave(at(0), &[(0, 1_000), (1, 1_000)]).is_empty());
    both.watch.passes = Some(true);
    let steps: Vec<(usize, u64)> = (1_000..=1_120).map(|price| (0, price)).collect();
    assert_eq!(both.wave(at(0), &steps).len(), 1);
}

/// More is held than it is worth, so that a move weighs more than its share of the value: a pass must look.
#[test]
fn a_pass_looks_at_whoever_has_borrowed() {
    let targets =
        definition(Measure::Relative { band: band(1_000_000) }, 0, &[(0, 350_000), (1, 325_000), (2, 325_000)]);
    let mut both = Both::new(Settings::default());
    let units = |count: u128| count * 1_000_000_000;
    both.insert(0, &targets, &books(-973_000, &[(0, units(6_930)), (1, units(6_400)), (2, units(6_400))]));
    assert!(both.wave(at(0), &[(0, DOLLAR), (1, DOLLAR), (2, DOLLAR)]).is_empty());
    both.watch.passes = Some(true);
    let less = DOLLAR / 1_000 * 991;
    assert_eq!(both.wave(at(0), &[(1, less), (2, less)]).len(), 1);
}

/// Prices that 32 bits round by almost half of what they can tell, and costs so high that the reserve they are rounded in decides: found by
/// halving, the first cent of cash beyond its edge.
#[test]
fn a_reserve_is_made_of_rounded_prices() {
    for (bps, cash_target, cents, price, units) in [
        (120, 1_060, 327_650_830, 128_007_438_659, 1_000_000_000_955_804),
        (200, 1_060, 547_630_738, 128_007_102_967, 1_000_000_000_428_519),
        (500, 1_500, 144_023_639, 128_008_171_081, 100_000_000_355_700),
        (1_000, 2_000, 32_162_336, 128_008_171_081, 10_000_000_355_700),
    ] {
        let costs = Costs { bps, per_order: Money::ZERO, minimum: Money::ZERO };
        let reserve = ReserveRule { costs, fills_rounded: false, attempts: 1 };
        let mut both = Both::new(Settings { reserve, ..Settings::default() });
        let targets = definition(Measure::Relative { band: band(50_000) }, 0, &[(0, 1_000_000 - cash_target)]);
        both.insert(0, &targets, &books(cents, &[(0, units)]));
        assert_eq!(both.wave(at(0), &[(0, price)]).len(), 1, "{bps}");
    }
}

/// Whatever the measure, who is far inside is cleared without the exact decision, also where nothing can be too little.
#[test]
fn every_measure_can_be_cleared() {
    let (wide, narrow) = (band(250_000), band(120_000));
    for measure in [
        Measure::Relative { band: wide },
        Measure::Relative { band: band(1_000_000) },
        Measure::Absolute { band: band(50_000) },
        Measure::Absolute { band: narrow },
        Measure::Hybrid { relative: wide, absolute: narrow },
        Measure::Tighter { relative: wide, absolute: narrow },
        Measure::Total { band: band(50_000) },
    ] {
        let all = || 0..10;
        let mut both = Both::new(Settings::default());
        let targets: Vec<(usize, i64)> = all().map(|n| (n, 100_000)).collect();
        let held: Vec<(usize, u128)> = all().map(|n| (n, 10_000_000_000)).collect();
        both.insert(0, &definition(measure, 0, &targets), &books(0, &held));
        both.wave(at(0), &all().map(|n| (n, 100 * DOLLAR)).collect::<Vec<_>>());
        for passes in [false, true] {
            both.watch.passes = Some(passes);
            both.wave(at(1), &[(0, 100 * DOLLAR + 1)]);
            assert!(both.watch.states.iter().all(|state| state.is_inside()), "{measure:?} {passes}");
        }
    }
}

/// Years of small steps far from any edge, and then exactly onto it.
#[test]
fn what_rounding_adds_up_to_over_years_decides_nothing() {
    let cases = (0..5).flat_map(|kind| [(kind, true), (kind, false)]);
    for ((kind, is_upper), seed) in cases.flat_map(|case| [(case, 0), (case, 1)]) {
        let edge = edge((kind, 300_000, 50_000, 30_000, is_upper, 1_000_000, 100_000_000_000));
        let mut both = Both::new(Settings::default());
        both.watch.passes = Some(false);
        let targets = definition(edge.measure, 0, &[(0, edge.goal), (1, 1_000_000 - edge.goal)]);
        let share = |parts: i64| u128::try_from(parts).unwrap() * edge.scale;
        both.insert(0, &targets, &books(0, &[(0, share(edge.edge)), (1, share(1_000_000_000_000 - edge.edge))]));
        both.wave(at(0), &[(1, edge.price)]);
        let mut draws = Draws(seed);
        let (middle, beyond) = if is_upper { (985, edge.price + 1) } else { (1_015, edge.price - 1) };
        let middle = edge.price / 1_000 * middle;
        for _ in 0..20_000 {
            let price = middle + draws.below(edge.price / 100_000);
            both.watch.wave(at(0), &[(super::model::symbol(0), super::model::nanos(price))]);
        }
        assert!(both.wave(at(0), &[(0, edge.price)]).is_empty());
        assert_eq!(both.wave(at(0), &[(0, beyond)]).len(), 1);
    }
}

/// Cash that is close to its edge while a reserve for costs is held back: as the reserve moves with the prices, so does what is free. Two equal holdings at
/// 1,000.00, of which the first rises.
#[test]
fn what_is_held_back_moves_the_cash_that_is_judged() {
    /// Costs of so many basis points, at least so many cents; the width of the band; units of each; cash in cents; what the first rises to.
    fn check(costs: (u32, i64), measure: Measure, each: u128, cash: i64, rise: u64) {
        let costs = Costs { bps: costs.0, per_order: Money::ZERO, minimum: cents(costs.1) };
        let reserve = ReserveRule { costs, fills_rounded: false, attempts: 0 };
        let mut both = Both::new(Settings { reserve, ..Settings::default() });
        let targets = definition(measure, 0, &[(1, 475_000), (2, 475_000)]);
        both.insert(0, &targets, &books(cash, &[(1, each), (2, each)]));
        both.wave(at(0), &[(1, 1_000 * DOLLAR), (2, 1_000 * DOLLAR)]);
        both.watch.passes = Some(false);
        both.wave(at(1), &[(1, rise * DOLLAR)]);
    }
    let relative = |width| Measure::Relative { band: band(width) };
    // What is set aside for two orders of each, a hundredth of what they are worth, beside the free cash.
    let set_aside = 197_600;
    for free in (0..400).map(|n| 100_000 + n * 1_000) {
        for rise in [1_010, 1_020, 1_050, 1_100, 1_200, 1_400] {
            check((100, 0), relative(800_000), 49_400_000_000, free + set_aside, rise);
        }
    }
    // A lower edge of next to nothing.
    for free in [10, 100, 500, 2_000, 10_000, 50_000] {
        for width in [999_980, 999_000, 1_000_000, 990_000] {
            for rise in [1_001, 1_002, 1_010, 1_050, 1_100] {
                check((100, 0), relative(width), 49_400_000_000, free + set_aside, rise);
            }
        }
    }
    // The least that an order costs, where nothing else does.
    for cash in (0..100).map(|n| 486_000 + n * 80) {
        for rise in [1_000, 1_001, 1_010] {
            check((0, 500), Measure::Absolute { band: band(1_000) }, 47_500_000_000, cash, rise);
        }
    }
}

pub(crate) fn check_some() {
    for seed in 0..200 {
        let mut draws = Draws(seed);
        let price = 1_000_000_000 + draws.below(1_000_000_000_000);
        let draw = (u8::try_from(seed % 5).unwrap(), 300_000, 50_000, 30_000, draws.one_in(2), 1_000, price);
        check(&edge(draw), seed);
    }
}
