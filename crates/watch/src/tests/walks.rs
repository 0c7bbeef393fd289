//! Random walks: portfolios, prices and operations of every kind, each wave compared with the model.

use super::model::{Both, at, band, books, definition};
use crate::Settings;
use evenkeel_domain::books::{Books, Definition};
use evenkeel_domain::order::Costs;
use evenkeel_domain::policy::Measure;
use evenkeel_domain::valuation::ReserveRule;
use evenkeel_domain::values::{Money, Price};
use proptest::prelude::*;
use std::time::Duration;

/// SplitMix64: a walk is a function of its seed.
pub(crate) struct Draws(pub(crate) u64);

impl Draws {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below `limit`.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    pub(crate) fn index(&mut self, limit: usize) -> usize {
        usize::try_from(self.below(u64::try_from(limit).unwrap())).unwrap()
    }

    pub(crate) fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    fn signed(&mut self, limit: u64) -> i64 {
        i64::try_from(self.below(limit)).unwrap()
    }
}

/// How large things are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// Prices of 1 to 1,000, portfolios of a thousand to ten million.
    Everyday,
    /// Prices of a few billionths.
    Tiny,
    /// Prices of nine and ten digits.
    Huge,
    /// Each symbol its own, over the whole range; worth anything.
    Any,
}

pub(crate) struct Walk {
    pub(crate) both: Both,
    pub(crate) draws: Draws,
    size: Size,
    symbols: usize,
    portfolios: usize,
    prices: Vec<u64>,
    now: i64,
    ages: bool,
}

impl Walk {
    pub(crate) fn new(seed: u64, size: Size, symbols: usize, portfolios: usize, settings: Settings) -> Self {
        let mut draws = Draws(seed);
        let prices = (0..symbols).map(|_| first_price(&mut draws, size)).collect();
        let ages = settings.max_age.is_some();
        let mut walk = Self { both: Both::new(settings), draws, size, symbols, portfolios, prices, now: 0, ages };
        let most = if walk.draws.one_in(3) { symbols } else { symbols.min(6) };
        let all: Vec<(usize, u64)> = walk.prices.iter().copied().enumerate().take(most).collect();
        walk.both.wave(at(0), &all);
        for number in 0..portfolios {
            walk.insert(number);
        }
        walk
    }

    fn insert(&mut self, number: usize) {
        let (definition, books) = self.portfolio();
        self.both.insert(number, &definition, &books);
    }

    fn measure(&mut self) -> Measure {
        let draws = &mut self.draws;
        let mut width = || match draws.below(8) {
            0 => 0,
            1 => draws.signed(1_000_001),
            2 => 1_000_000,
            3..=5 => 50_000,
            _ => draws.signed(100_000),
        };
        let (one, other) = (band(width()), band(width()));
        match self.draws.below(6) {
            0 | 1 => Measure::Relative { band: one },
            2 => Measure::Absolute { band: one },
            3 => Measure::Hybrid { relative: one, absolute: other },
            4 => Measure::Tighter { relative: one, absolute: other },
            _ => Measure::Total { band: one },
        }
    }

    /// Some targets, and books near them.
    fn portfolio(&mut self) -> (Definition, Books) {
        let (definition, targets) = self.targets();
        let books = self.books_near(&targets);
        (definition, books)
    }

    fn targets(&mut self) -> (Definition, Vec<(usize, i64)>) {
        let count = 1 + self.draws.index(self.symbols.min(8));
        let first = self.draws.index(self.symbols);
        let mut rest = if self.draws.one_in(3) { 800_000 } else { 1_000_000 };
        let mut targets = Vec::new();
        for place in 0..count {
            let number = (first + place * 7) % self.symbols;
            if targets.iter().any(|(known, _)| *known == number) {
                continue;
            }
            let parts = if self.draws.one_in(9) { 1 } else { rest / 3 + 1 };
            targets.push((number, parts.min(rest).max(1)));
            rest -= parts.min(rest).max(1);
        }
        if self.draws.one_in(2)
            && let Some((_, parts)) = targets.last_mut()
        {
            *parts += rest;
        }
        let buffer = if self.draws.one_in(4) { self.draws.signed(100_000) } else { 0 };
        let measure = self.measure();
        (definition(measure, buffer, &targets), targets)
    }

    fn books_near(&mut self, targets: &[(usize, i64)]) -> Books {
        let worth = match self.size {
            Size::Everyday => 10_u128.pow(20) * (1 + u128::from(self.draws.below(10_000))),
            Size::Tiny | Size::Huge => 10_u128.pow(18) * u128::from(1 + self.draws.below(1_000_000_000)),
            Size::Any => 10_u128.pow(u32::try_from(14 + self.draws.below(20)).unwrap()),
        };
        let spread = [0, 100, 5_000, 60_000][self.draws.index(4)];
        let mut held: Vec<(usize, u128)> = Vec::new();
        for (number, parts) in targets {
            let off =
                u128::try_from(1_000_000 - spread / 2 + self.draws.signed(u64::try_from(spread).unwrap() + 1)).unwrap();
            let value = worth / 1_000_000 * u128::try_from(*parts).unwrap() / 1_000_000 * off;
            let units = value / u128::from(self.prices[*number]);
            held.push((*number, if self.draws.one_in(12) { 0 } else { units.min(10_u128.pow(27) - 1) }));
        }
        if self.draws.one_in(8) {
            let number = self.draws.index(self.symbols);
            if !targets.iter().any(|(known, _)| *known == number) {
                held.push((number, 1 + u128::from(self.draws.below(1_000_000_000))));
            }
        }
        let rest = 1_000_000 - targets.iter().map(|(_, parts)| parts).sum::<i64>();
        let worth_in_cents = i64::try_from(worth / 10_u128.pow(16)).unwrap_or(i64::MAX).min(10_i64.pow(17));
        let cash = match self.draws.below(6) {
            0 => self.draws.signed(10_000) - 5_000,
            1 => worth_in_cents / 100,
            2 => 0,
            _ => worth_in_cents / 1_000_000 * rest,
        };
        books(cash, &held)
    }

    /// Where a price goes: mostly a little, sometimes far.
    fn moved(&mut self, price: u64) -> u64 {
        let step = match self.draws.below(16) {
            0 => price / 3,
            1..=3 => price / 50,
            4 => 1,
            5 => 0,
            6..=8 => price / 100_000,
            _ => price / 2_000,
        };
        let step = self.draws.below(step.saturating_add(1)).max(u64::from(step == 1));
        let next = if self.draws.one_in(2) { price.saturating_add(step) } else { price.saturating_sub(step) };
        next.clamp(1, Price::MAX.nanos())
    }

    /// One step: a wave, or something else that happens.
    pub(crate) fn step(&mut self) {
        match self.draws.below(40) {
            0 => {
                let number = self.draws.index(self.portfolios);
                self.both.remove(number);
            }
            1 | 2 => {
                let number = self.draws.index(self.portfolios);
                self.insert(number);
            }
            3 => {
                let number = self.draws.index(self.portfolios);
                let (definition, _) = self.targets();
                self.both.change(number, &definition);
            }
            4..=6 => {
                let number = self.draws.index(self.portfolios);
                let (_, targets) = self.targets();
                let books = self.books_near(&targets);
                self.both.set_books(number, &books);
            }
            7 => {
                let (number, is_active) = (self.draws.index(self.portfolios), !self.draws.one_in(3));
                self.both.set_active(number, is_active);
            }
            8 if self.draws.one_in(4) => {
                let number = self.draws.index(self.symbols);
                self.both.forget_price(number);
            }
            9 if self.draws.one_in(4) => self.both.compare(at(self.now)),
            10..=12 => self.merged(),
            _ => self.wave(),
        }
    }

    /// Prices of several times at once, some of them older than what is known: those change nothing.
    fn merged(&mut self) {
        let mut quotes = Vec::new();
        for _ in 0..=self.draws.below(4) {
            let number = self.draws.index(self.symbols);
            let ago = [0, 1, 10, 70, 1_000][self.draws.index(5)];
            quotes.push((number, self.moved(self.prices[number]), at(self.now - ago)));
        }
        self.both.quotes(at(self.now), &quotes);
        for (number, ..) in quotes {
            self.prices[number] = self.both.price(number).unwrap();
        }
    }

    pub(crate) fn wave(&mut self) {
        let count = match self.draws.below(6) {
            0..=2 => 1,
            3 => 2,
            4 => 1 + self.draws.index(self.symbols),
            _ => self.symbols,
        };
        let mut wave = Vec::new();
        for _ in 0..count {
            let number = self.draws.index(self.symbols);
            self.prices[number] = self.moved(self.prices[number]);
            wave.push((number, self.prices[number]));
        }
        self.now += match self.draws.below(30) {
            0 if self.ages => -30,
            1 if self.ages => 100,
            _ => self.draws.signed(5),
        };
        let ways = [None, Some(true), Some(false), Some(false)];
        self.both.watch.passes = ways[self.draws.index(4)];
        self.both.wave(at(self.now), &wave);
    }
}

fn first_price(draws: &mut Draws, size: Size) -> u64 {
    match size {
        Size::Everyday => 1_000_000_000 + draws.below(1_000_000_000_000),
        Size::Tiny => 1 + draws.below(1_000),
        Size::Huge => 10_u64.pow(18) + draws.below(8 * 10_u64.pow(18)),
        Size::Any => 10_u64.pow(u32::try_from(draws.below(19)).unwrap()) * (1 + draws.below(9)),
    }
}

pub(crate) fn rules() -> [Settings; 7] {
    let costs = |bps, each, least| Costs {
        bps,
        per_order: Money::from_cents(each).unwrap(),
        minimum: Money::from_cents(least).unwrap(),
    };
    let rule = |costs, fills_rounded| ReserveRule { costs, fills_rounded, attempts: 3 };
    let plain = Settings::default();
    [
        plain,
        Settings { max_age: Some(Duration::from_secs(60)), ..plain },
        Settings { reserve: rule(costs(25, 35, 100), true), ..plain },
        Settings { reserve: rule(Costs::FREE, true), max_age: Some(Duration::from_secs(20)) },
        Settings { reserve: rule(costs(0, 100, 0), false), ..plain },
        Settings { reserve: rule(costs(0, 600_000_000_000_000_000, 7), true), ..plain },
        Settings { reserve: rule(costs(4_000_000_000, -3, 5), false), ..plain },
    ]
}

/// A walk of so many steps; how many decisions were compared, and how many were out.
pub(crate) fn walk(seed: u64, size: Size, settings: Settings, steps: usize) -> (usize, usize) {
    let symbols = 2 + usize::try_from(seed % 11).unwrap();
    let mut walk = Walk::new(seed, size, symbols, 1 + usize::try_from(seed % 17).unwrap(), settings);
    for _ in 0..steps {
        walk.step();
    }
    walk.both.compare(at(walk.now));
    (walk.both.judged, walk.both.found)
}

proptest! {
    #![proptest_config(super::cases(150))]

    #[test]
    fn every_wave_is_decided_as_the_domain_decides(
        seed: u64,
        size in prop::sample::select([Size::Everyday, Size::Tiny, Size::Huge, Size::Any].as_slice()),
        settings in prop::sample::select(rules().to_vec()),
        steps in 1..200_usize,
    ) {
        walk(seed, size, settings, steps);
    }
}

#[test]
fn walks_come_to_both_answers() {
    for size in [Size::Everyday, Size::Tiny, Size::Huge, Size::Any] {
        let all: Vec<(usize, usize)> = (0..20).map(|seed| walk(seed, size, Settings::default(), 100)).collect();
        let (judged, found) = all.into_iter().fold((0, 0), |(j, f), (judged, found)| (j + judged, f + found));
        assert!(judged > 3_000 && found > judged / 20 && found < judged * 19 / 20, "{size:?}: {found} of {judged}");
    }
}
