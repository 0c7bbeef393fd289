//! The baselines: the same question answered exactly from scratch, as fast as plain code can.

use super::world::{BAND, Holding, World, prices};
use evenkeel_domain::books::{Books, Definition, Market, Prices, Quote};
use evenkeel_domain::drift::is_out_of_band;
use evenkeel_domain::drift::urgency::Urgency;
use evenkeel_domain::policy::Measure;
use evenkeel_domain::valuation::{ReserveRule, Valuation};
use evenkeel_domain::values::{Percentage, Price, Timestamp};
use std::hint::black_box;

/// An exact recompute in 128 bits: packed holdings, prices by number, lists of followers, one verdict per portfolio and wave.
///
/// What the domain does for any portfolio it does for this kind alone: no cash, one measure, no sum beyond 128 bits.
#[derive(Clone)]
pub(crate) struct Exact {
    holdings: Vec<Holding>,
    each: usize,
    prices: Vec<u64>,
    followers: Vec<Vec<u32>>,
    /// The number of the last wave that judged a portfolio.
    judged: Vec<u32>,
    wave: u32,
}

impl Exact {
    pub(crate) fn new(world: &World) -> Self {
        let mut followers = vec![Vec::new(); world.size.symbols];
        for (place, holding) in world.holdings.iter().enumerate() {
            followers[holding.symbol as usize].push((place / world.size.holdings) as u32);
        }
        Self {
            holdings: world.holdings.clone(),
            each: world.size.holdings,
            prices: world.prices.clone(),
            followers,
            judged: vec![0; world.size.portfolios],
            wave: 0,
        }
    }

    pub(crate) fn set_books(&mut self, portfolio: usize, holdings: &[Holding]) {
        self.holdings[portfolio * self.each..][..self.each].copy_from_slice(holdings);
    }

    /// Takes a wave without judging anybody.
    pub(crate) fn set_prices(&mut self, wave: &[(u32, u64)]) {
        for (symbol, price) in wave {
            self.prices[*symbol as usize] = *price;
        }
    }

    /// Every affected portfolio once, found along the lists of followers. If it asks ahead, what a block of followers needs is fetched before
    /// the first is judged, as the watch does it.
    pub(crate) fn affected(&mut self, wave: &[(u32, u64)], asks_ahead: bool) -> Vec<usize> {
        self.set_prices(wave);
        self.wave += 1;
        let mut out = Vec::new();
        for (symbol, _) in wave {
            for block in self.followers[*symbol as usize].chunks(64) {
                if asks_ahead {
                    self.fetch(block);
                }
                for portfolio in block {
                    let judged = &mut self.judged[*portfolio as usize];
                    if *judged != self.wave {
                        *judged = self.wave;
                        let first = *portfolio as usize * self.each;
                        if is_out(&self.holdings[first..first + self.each], &self.prices) {
                            out.push(*portfolio as usize);
                        }
                    }
                }
            }
        }
        out.sort_unstable();
        out
    }

    /// Reads something of every line of what these portfolios hold.
    fn fetch(&self, portfolios: &[u32]) {
        let read = portfolios.iter().map(|portfolio| {
            let all = &self.holdings[*portfolio as usize * self.each..][..self.each];
            let lines = all.iter().step_by(4).fold(all[self.each - 1].symbol, |bits, one| bits ^ one.symbol);
            lines ^ self.judged[*portfolio as usize]
        });
        black_box(read.fold(0, |all, one| all ^ one));
    }

    /// All portfolios, in one stream: for waves of all symbols.
    pub(crate) fn pass(&mut self, wave: &[(u32, u64)]) -> Vec<usize> {
        self.set_prices(wave);
        let portfolios = (0..).zip(self.holdings.chunks_exact(self.each));
        portfolios.filter(|(_, holdings)| is_out(holdings, &self.prices)).map(|(portfolio, _)| portfolio).collect()
    }
}

/// `|v × 10⁶ − t × V| × 10⁶ > band × t × V`, as two comparisons without a sign.
#[inline]
fn is_out(holdings: &[Holding], prices: &[u64]) -> bool {
    let value = |holding: &Holding| u128::from(holding.units) * u128::from(prices[holding.symbol as usize]);
    let total: u128 = holdings.iter().map(value).sum();
    holdings.iter().any(|holding| {
        let worth = value(holding) * 1_000_000_000_000;
        let goal = u64::from(holding.target);
        let (above, below) = (goal * (1_000_000 + BAND), goal * (1_000_000 - BAND));
        worth > total * u128::from(above) || worth < total * u128::from(below)
    })
}

/// The domain's own decision, for the first portfolios of a world.
pub(crate) struct Plain {
    portfolios: Vec<(Definition, Books)>,
    prices: Prices,
}

impl Plain {
    pub(crate) fn new(world: &World, count: usize) -> Self {
        let quote = |(number, nanos): (usize, &u64)| {
            let price = Price::from_nanos(*nanos).unwrap();
            (super::world::symbol(number as u32), Quote { price, at: Timestamp::EPOCH })
        };
        let portfolios = (0..count).map(|portfolio| (world.definition(portfolio), world.books(portfolio))).collect();
        Self { portfolios, prices: world.prices.iter().enumerate().map(quote).collect() }
    }

    /// Judges these portfolios.
    pub(crate) fn judge(&self, portfolios: impl Iterator<Item = usize>) -> usize {
        let out = portfolios.filter(|portfolio| {
            let (valued, measure) = self.valued(*portfolio);
            is_out_of_band(&valued, measure).unwrap()
        });
        out.count()
    }

    fn valued(&self, portfolio: usize) -> (Valuation, &Measure) {
        let (Definition { allocation, policy, .. }, books) = &self.portfolios[portfolio];
        let market = Market::ageless(&self.prices);
        let valued = Valuation::new(books, allocation, policy, market, ReserveRule::NONE).unwrap();
        (valued, &policy.measure)
    }

    pub(crate) fn set_prices(&mut self, wave: &[(u32, u64)]) {
        for (symbol, price) in prices(wave) {
            self.prices.set(symbol, Quote { price, at: Timestamp::EPOCH });
        }
    }

    /// Everybody who is out of band, with drift and urgency, the most urgent first.
    pub(crate) fn by_need(&self) -> Vec<(Urgency, Percentage, usize)> {
        let urgency = |portfolio| {
            let (valued, measure) = self.valued(portfolio);
            let (urgency, drift) = Urgency::with_drift(&valued, measure).unwrap()?;
            Some((urgency, drift, portfolio))
        };
        let mut out: Vec<_> = (0..self.len()).filter_map(urgency).collect();
        out.sort_unstable_by(|one, other| other.0.cmp(&one.0).then_with(|| one.2.cmp(&other.2)));
        out
    }

    pub(crate) fn len(&self) -> usize {
        self.portfolios.len()
    }
}
