//! A market and its portfolios, aged so that they stand anywhere inside their bands: the same numbers for every contender.

use evenkeel_domain::allocation::{Target, TargetAllocation};
use evenkeel_domain::books::{Books, Definition};
use evenkeel_domain::policy::Policy;
use evenkeel_domain::values::{Money, Percentage, PortfolioId, Price, Quantity, Symbol};

/// SplitMix64: a world is a function of its seed.
pub(crate) struct Draws(pub(crate) u64);

impl Draws {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        ((u128::from(self.next()) * limit as u128) >> 64) as usize
    }

    /// Between 0 and 1.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// About normal, of deviation 1.
    pub(crate) fn normal(&mut self) -> f64 {
        let sum: f64 = (0..12).map(|_| self.share()).sum();
        sum - 6.0
    }
}

/// The size of a world.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) name: &'static str,
    pub(crate) portfolios: usize,
    pub(crate) holdings: usize,
    pub(crate) symbols: usize,
    /// How far one price goes in a wave, as a share; and how far when all of them do.
    pub(crate) tick: f64,
    pub(crate) tick_of_all: f64,
}

/// One holding: 16 bytes, as narrow as exact numbers can be.
#[derive(Clone, Copy)]
pub(crate) struct Holding {
    pub(crate) units: u64,
    pub(crate) symbol: u32,
    /// Parts per million.
    pub(crate) target: u32,
}

pub(crate) struct World {
    pub(crate) size: Size,
    /// Portfolio after portfolio, each sorted by symbol.
    pub(crate) holdings: Vec<Holding>,
    /// In billionths.
    pub(crate) prices: Vec<u64>,
}

const DAYS: usize = 25;
const DAILY: f64 = 0.015;
/// The band of all portfolios, relative, in parts per million.
pub(crate) const BAND: u64 = 50_000;

impl World {
    /// Uneven targets, and 25 days on each of which who leaves the band is rebalanced.
    pub(crate) fn new(size: Size, seed: u64) -> Self {
        let mut draws = Draws(seed);
        let prices: Vec<u64> = (0..size.symbols).map(|_| 10_000_000_000 + draws.next() % 490_000_000_000).collect();
        let mut holdings = Vec::with_capacity(size.portfolios * size.holdings);
        let mut chosen: Vec<u32> = Vec::new();
        for _ in 0..size.portfolios {
            chosen.clear();
            while chosen.len() < size.holdings {
                let symbol = draws.below(size.symbols) as u32;
                if !chosen.contains(&symbol) {
                    chosen.push(symbol);
                }
            }
            chosen.sort_unstable();
            let weights: Vec<f64> = chosen.iter().map(|_| 0.5 + draws.share()).collect();
            let sum: f64 = weights.iter().sum();
            let mut rest = 1_000_000;
            for (place, symbol) in chosen.iter().enumerate() {
                let last = place + 1 == size.holdings;
                let target = if last { rest } else { (weights[place] / sum * 1e6) as u32 };
                rest -= target;
                holdings.push(Holding { units: 0, symbol: *symbol, target });
            }
        }
        let mut world = Self { size, holdings, prices };
        for portfolio in 0..size.portfolios {
            world.rebalance(portfolio, 100_000.0);
        }
        for _ in 0..DAYS {
            world.day(&mut draws);
        }
        world
    }

    fn day(&mut self, draws: &mut Draws) {
        for price in &mut self.prices {
            *price = stepped(*price, DAILY * draws.normal());
        }
        for portfolio in 0..self.size.portfolios {
            let total = self.value(portfolio);
            let out = self.of(portfolio).iter().any(|holding| {
                let target = f64::from(holding.target) * 1e-6 * total;
                (self.worth(holding) - target).abs() > BAND as f64 * 1e-6 * target
            });
            if out {
                self.rebalance(portfolio, total);
            }
        }
    }

    pub(crate) fn of(&self, portfolio: usize) -> &[Holding] {
        &self.holdings[portfolio * self.size.holdings..][..self.size.holdings]
    }

    fn worth(&self, holding: &Holding) -> f64 {
        holding.units as f64 * 1e-9 * self.prices[holding.symbol as usize] as f64 * 1e-9
    }

    pub(crate) fn value(&self, portfolio: usize) -> f64 {
        self.of(portfolio).iter().map(|holding| self.worth(holding)).sum()
    }

    /// Back to its targets, at a whole value.
    pub(crate) fn rebalance(&mut self, portfolio: usize, total: f64) {
        let first = portfolio * self.size.holdings;
        for holding in &mut self.holdings[first..first + self.size.holdings] {
            let price = self.prices[holding.symbol as usize] as f64 * 1e-9;
            holding.units = (f64::from(holding.target) * 1e-6 * total / price * 1e9) as u64;
        }
    }

    /// Waves of `count` different symbols each, with their new prices, which are not set.
    pub(crate) fn waves(&self, draws: &mut Draws, count: usize, waves: usize) -> Vec<Vec<(u32, u64)>> {
        let all = count >= self.size.symbols;
        let tick = if all { self.size.tick_of_all } else { self.size.tick };
        let mut prices = self.prices.clone();
        let mut wave = || {
            let mut symbols: Vec<u32> = if all { (0..self.size.symbols as u32).collect() } else { Vec::new() };
            while symbols.len() < count.min(self.size.symbols) {
                let symbol = draws.below(self.size.symbols) as u32;
                if !symbols.contains(&symbol) {
                    symbols.push(symbol);
                }
            }
            let mut moved = |symbol: u32| {
                let price = &mut prices[symbol as usize];
                *price = stepped(*price, tick * draws.normal());
                (symbol, *price)
            };
            symbols.into_iter().map(&mut moved).collect()
        };
        (0..waves).map(|_| wave()).collect()
    }

    pub(crate) fn set_prices(&mut self, waves: &[Vec<(u32, u64)>]) {
        for (symbol, price) in waves.iter().flatten() {
            self.prices[*symbol as usize] = *price;
        }
    }

    pub(crate) fn definition(&self, portfolio: usize) -> Definition {
        let weight = |holding: &Holding| Percentage::from_units(i64::from(holding.target)).unwrap();
        let weights = self.of(portfolio).iter().map(|h| (Target::Symbol(symbol(h.symbol)), weight(h)));
        Definition {
            account: "account".parse().unwrap(),
            currency: "USD".parse().unwrap(),
            allocation: TargetAllocation::new(weights).unwrap(),
            policy: Policy::default(),
        }
    }

    pub(crate) fn books(&self, portfolio: usize) -> Books {
        let units = |holding: &Holding| Quantity::from_nanos(u128::from(holding.units)).unwrap();
        Books::new(Money::ZERO, self.of(portfolio).iter().map(|h| (symbol(h.symbol), units(h))))
    }
}

/// A price moved by a share of itself, to four decimals as prices have.
fn stepped(price: u64, by: f64) -> u64 {
    let moved = (price as f64 * (1.0 + by)) as u64;
    (moved / 100_000 * 100_000).clamp(1_000_000_000, 1_000_000_000_000_000)
}

pub(crate) fn symbol(number: u32) -> Symbol {
    format!("S{number:05}").parse().unwrap()
}

pub(crate) fn id(portfolio: usize) -> PortfolioId {
    PortfolioId::new(&format!("p{portfolio:07}")).unwrap()
}

pub(crate) fn number(id: &PortfolioId) -> usize {
    id.as_str()[1..].parse().unwrap()
}

/// The wave as the watch takes it.
pub(crate) fn prices(wave: &[(u32, u64)]) -> Vec<(Symbol, Price)> {
    wave.iter().map(|(number, nanos)| (symbol(*number), Price::from_nanos(*nanos).unwrap())).collect()
}
