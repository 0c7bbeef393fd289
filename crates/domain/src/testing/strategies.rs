//! Strategies for allocations, policies, brokers and whole portfolios. All are valid by construction: weights come from
//! splitting 1,000,000 parts, holdings from splitting a worth.

use super::{CENT, Scene, ideal, units};
use crate::allocation::{Target, TargetAllocation};
use crate::books::Books;
use crate::order::{Capabilities, Costs};
use crate::policy::{Band, Measure, Policy};
use crate::values::{Lot, Money, Percentage, Price, Quantity, Symbol};
use proptest::prelude::*;
use proptest::sample::select;
use std::ops::{Range, RangeInclusive};

/// More cases than usual, since most faults need several things to come together.
pub(crate) fn cases(count: u32) -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: usual.cases.max(count), ..usual }
}

/// The n-th symbol, in symbol order.
pub(crate) fn nth(place: usize) -> Symbol {
    format!("S{place:03}").parse().unwrap()
}

/// 1,000,000 split in proportion to `shares`: each part at least 1, the rest to the first.
pub(crate) fn split(shares: &[u32]) -> Vec<i64> {
    let sum: u64 = shares.iter().map(|share| u64::from(*share)).sum::<u64>().max(1);
    let spare = 1_000_000 - u64::try_from(shares.len()).unwrap();
    let mut parts: Vec<u64> = shares.iter().map(|share| 1 + spare * u64::from(*share) / sum).collect();
    parts[0] += 1_000_000 - parts.iter().sum::<u64>();
    parts.into_iter().map(|part| i64::try_from(part).unwrap()).collect()
}

pub(crate) fn percentage(units: i64) -> Percentage {
    Percentage::from_units(units).unwrap()
}

pub(crate) fn cents(cents: i64) -> Money {
    Money::from_cents(cents).unwrap()
}

/// Weights of up to `most` targets, with or without cash among them.
pub(crate) fn allocations(most: usize) -> impl Strategy<Value = TargetAllocation> {
    (prop::collection::vec(shares(), 1..=most), any::<bool>()).prop_map(|(shares, with_cash)| {
        let target = |place| if with_cash && place == 0 { Target::Cash } else { Target::Symbol(nth(place)) };
        let weights = split(&shares).into_iter().enumerate().map(|(place, part)| (target(place), percentage(part)));
        TargetAllocation::new(weights).unwrap()
    })
}

/// A share in a split: many alike, some tiny, some large.
fn shares() -> impl Strategy<Value = u32> {
    prop_oneof![3 => 1..=20_u32, 1 => Just(0), 1 => 1..=1_000_000_u32]
}

fn bands() -> impl Strategy<Value = Band> {
    let units = prop_oneof![Just(50_000), Just(0), 0..=1_000_000_i64, 0..=100_000_i64];
    units.prop_map(|units| Band::new(percentage(units)).unwrap())
}

/// All five measures.
pub(crate) fn measures() -> impl Strategy<Value = Measure> {
    prop_oneof![
        bands().prop_map(|band| Measure::Relative { band }),
        bands().prop_map(|band| Measure::Absolute { band }),
        (bands(), bands()).prop_map(|(relative, absolute)| Measure::Hybrid { relative, absolute }),
        (bands(), bands()).prop_map(|(relative, absolute)| Measure::Tighter { relative, absolute }),
        bands().prop_map(|band| Measure::Total { band }),
    ]
}

/// Prices as they occur, from 0.00001 to 100,000, most of them with few decimals.
fn everyday_prices() -> impl Strategy<Value = Price> {
    let nanos = prop_oneof![
        3 => (1..=99_999_u64, 4..=9_u32).prop_map(|(digits, power)| digits * 10_u64.pow(power)),
        1 => 10_000..=100_000_000_000_000_u64,
    ];
    nanos.prop_map(|nanos| Price::from_nanos(nanos).unwrap())
}

/// Any price there is, the limits among them.
pub(crate) fn any_prices() -> impl Strategy<Value = Price> {
    prop_oneof![
        Just(Price::SMALLEST),
        Just(Price::MAX),
        everyday_prices(),
        (1..=9_u64, 0..=18_u32).prop_map(|(digit, power)| Price::from_nanos(digit * 10_u64.pow(power)).unwrap()),
        (1..=Price::MAX.nanos()).prop_map(|nanos| Price::from_nanos(nanos).unwrap()),
    ]
}

/// Any amount there is, the limits among them.
pub(crate) fn any_money() -> impl Strategy<Value = Money> {
    prop_oneof![
        Just(Money::ZERO),
        Just(Money::MAX),
        Just(Money::MIN),
        (-10_i64..=10).prop_map(cents),
        (-10_000_000_i64..=10_000_000).prop_map(cents),
        (Money::MIN.cents()..=Money::MAX.cents()).prop_map(cents),
    ]
}

/// Any quantity there is, the limits among them.
pub(crate) fn any_quantities() -> impl Strategy<Value = Quantity> {
    prop_oneof![
        Just(Quantity::ZERO),
        Just(Quantity::STEP),
        Just(Quantity::MAX),
        (1..=9_u128, 0..=26_u32).prop_map(|(digit, power)| units(digit * 10_u128.pow(power))),
        (0..=Quantity::MAX.nanos()).prop_map(units),
    ]
}

/// What a broker may charge, nothing among it.
fn costs() -> impl Strategy<Value = Costs> {
    let charged = (0..=50_u32, 0..=100_i64, 0..=200_i64);
    let charged = charged.prop_map(|(bps, each, least)| Costs { bps, per_order: cents(each), minimum: cents(least) });
    prop_oneof![Just(Costs::FREE), charged]
}

/// Lots as they occur.
pub(crate) fn lots() -> impl Strategy<Value = Lot> {
    select(["0.000000001", "0.000000001", "0.001", "0.1", "1", "5", "100"].as_slice())
        .prop_map(|size| size.parse().unwrap())
}

/// Brokers with and without lots, costs and minimums.
pub(crate) fn brokers() -> impl Strategy<Value = Capabilities> {
    let own_lots = prop::collection::btree_map((0..12_usize).prop_map(nth), lots(), 0..3);
    let collar = prop_oneof![2 => Just(0), 1 => 0..=500_u32];
    (costs(), collar, any::<bool>(), 0..=500_i64, lots(), own_lots).prop_map(
        |(costs, collar_bps, fills_rounded, minimum, lot, lots)| {
            let minimum_order = cents(minimum);
            Capabilities { costs, collar_bps, fills_rounded, minimum_order, lot, lots, ..ideal() }
        },
    )
}

/// A holding, a target, or both.
#[derive(Debug, Clone, Copy)]
struct Draw {
    /// Its share of all targets; none if it is only held.
    target: Option<u32>,
    /// Thousandths of what its target asks for; of 10 % of the whole if it has none.
    held: u32,
    price: Price,
}

fn draws(price: impl Strategy<Value = Price>) -> impl Strategy<Value = Draw> {
    let held = prop_oneof![2 => 900..=1_100_u32, 2 => 0..=2_500_u32, 1 => Just(0), 1 => Just(1_000)];
    (prop::option::weighted(0.85, shares()), held, price).prop_map(|(target, held, price)| Draw { target, held, price })
}

/// Portfolios of so many lines, worth so many cents, with everyday prices.
pub(crate) fn scenes_of(lines: Range<usize>, worth: RangeInclusive<i64>) -> impl Strategy<Value = Scene> {
    let cash = (prop::option::of(0..=20_u32), prop_oneof![Just(0), -20..=400_i32]);
    let policy = (measures(), 0..=300_i64, prop_oneof![3 => Just(0), 1 => 0..=200_i64]);
    let draws = prop::collection::vec(draws(everyday_prices()), lines);
    (draws, cash, worth, policy).prop_map(|(draws, (cash_share, cash_held), worth, (measure, minimum, buffer))| {
        let allocation = allocation_of(&draws, cash_share);
        let books = books_of(&draws, &allocation, worth, cash_held);
        let prices = draws.iter().enumerate().map(|(place, draw)| (nth(place), draw.price));
        let mut scene = Scene::new(books, allocation, prices);
        scene.policy = Policy { measure, minimum_order: cents(minimum), cash_buffer: cents(worth / 1_000 * buffer) };
        scene
    })
}

/// Portfolios of up to twelve lines, worth from 10.00 to ten million, at an ideal broker.
pub(crate) fn scenes() -> impl Strategy<Value = Scene> {
    let worth = (1_000..=9_999_i64, 0..=5_u32).prop_map(|(digits, power)| digits * 10_i64.pow(power));
    worth.prop_flat_map(|worth| scenes_of(0..12, worth..=worth))
}

/// The same at any broker, which may turn some symbols away.
pub(crate) fn scenes_at_brokers() -> impl Strategy<Value = Scene> {
    let refused = prop::collection::btree_set((0..12_usize).prop_map(nth), 0..3);
    (scenes(), brokers(), 0..=9_u8, prop_oneof![Just(Default::default()), refused])
        .prop_map(|(scene, capabilities, attempts, refused)| Scene { capabilities, attempts, refused, ..scene })
}

/// Portfolios at the limits of every type: few of them can be planned for.
pub(crate) fn extreme_scenes() -> impl Strategy<Value = Scene> {
    let lines = prop::collection::vec((draws(any_prices()), prop::option::weighted(0.3, any_quantities())), 0..6);
    let worth = (1..=9_i64, 0..=17_u32).prop_map(|(digit, power)| digit * 10_i64.pow(power));
    let cash = (prop::option::of(0..=20_u32), prop_oneof![1 => any_money().prop_map(Some), 2 => Just(None)]);
    let amounts = || prop_oneof![2 => Just(Money::ZERO), 1 => any_money()];
    let policy = (measures(), amounts(), amounts());
    let costs = (any::<u32>(), any_money(), any_money());
    let costs = costs.prop_map(|(bps, each, least)| Costs { bps, per_order: each.abs(), minimum: least.abs() });
    let broker = (brokers(), prop_oneof![4 => Just(Costs::FREE), 1 => costs]);
    (lines, worth, cash, policy, broker).prop_map(|(lines, worth, (share, cash), policy, (capabilities, costs))| {
        let (draws, held): (Vec<Draw>, Vec<Option<Quantity>>) = lines.into_iter().unzip();
        let allocation = allocation_of(&draws, share);
        let mut books = books_of(&draws, &allocation, worth, 0);
        books.cash = cash.unwrap_or(cents(worth));
        for (place, quantity) in held.into_iter().enumerate() {
            books.set_units(nth(place), quantity.unwrap_or(books.units(nth(place))));
        }
        let prices = draws.iter().enumerate().map(|(place, draw)| (nth(place), draw.price));
        let scene = Scene::new(books, allocation, prices);
        let (measure, minimum_order, cash_buffer) = policy;
        let policy = Policy { measure, minimum_order, cash_buffer };
        Scene { policy, capabilities: Capabilities { costs, ..capabilities }, ..scene }
    })
}

fn allocation_of(draws: &[Draw], cash_share: Option<u32>) -> TargetAllocation {
    let targets = draws.iter().enumerate().filter_map(|(place, draw)| Some((Target::Symbol(nth(place)), draw.target?)));
    let mut targets: Vec<(Target, u32)> =
        cash_share.map(|share| (Target::Cash, share)).into_iter().chain(targets).collect();
    if targets.is_empty() {
        targets.push((Target::Cash, 1));
    }
    let (targets, shares): (Vec<Target>, Vec<u32>) = targets.into_iter().unzip();
    TargetAllocation::new(targets.into_iter().zip(split(&shares).into_iter().map(percentage))).unwrap()
}

/// Each line holds its thousandths of what it should; cash is so many thousandths of the whole on top.
fn books_of(draws: &[Draw], allocation: &TargetAllocation, worth: i64, cash: i32) -> Books {
    let held = draws.iter().enumerate().map(|(place, draw)| {
        let parts = draw.target.map_or(100_000, |_| allocation.of(nth(place)).units());
        let value = u128::try_from(worth).unwrap() * u128::try_from(parts).unwrap() * u128::from(draw.held);
        // In units of the 18th decimal: a cent has many, a part is a millionth, and `held` a thousandth.
        let quantity = value * (CENT / 1_000_000_000) / u128::from(draw.price.nanos());
        (nth(place), units(quantity.min(Quantity::MAX.nanos())))
    });
    Books::new(cents(worth / 1_000 * i64::from(cash)), held)
}
