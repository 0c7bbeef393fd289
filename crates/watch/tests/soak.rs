//! The watch against the domain's own decision, at a high rate: `cargo xtask watch-soak --minutes N`.
//!
//! Each episode is a function of its number: a few symbols, many small portfolios under every measure, and waves of which many put a holding
//! on the edge of its band to one step of its price. Every decision of every wave is compared; the first difference ends it, and names the
//! number that brings it back. Without the command it runs a few episodes.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "figures of tests stay far from the limits of their types"
)]

use evenkeel_domain::allocation::{Target, TargetAllocation};
use evenkeel_domain::books::{Books, Definition};
use evenkeel_domain::drift::{is_out_of_band, limit};
use evenkeel_domain::order::Costs;
use evenkeel_domain::policy::{Band, Measure, Policy};
use evenkeel_domain::valuation::{Line, ReserveRule, Valuation};
use evenkeel_domain::values::{Money, Percentage, PortfolioId, Price, Quantity, Symbol, Timestamp};
use evenkeel_watch::{Finding, Settings, Watch};
use std::time::{Duration, Instant};

const WAVES: usize = 4_000;

#[test]
fn every_decision_is_the_domains() {
    let minutes = from_outside("EVENKEEL_WATCH_SOAK_MINUTES");
    let seed = from_outside("EVENKEEL_WATCH_SOAK_SEED").unwrap_or(1);
    #[expect(clippy::disallowed_methods, reason = "it runs for as long as it was asked to")]
    let start = Instant::now();
    let goes_on = |episode: u64| match minutes {
        Some(minutes) => start.elapsed() < Duration::from_secs(minutes * 60),
        None => episode < 4,
    };
    let (mut decided, mut out) = (0_u64, 0_u64);
    for episode in (0..).take_while(|episode| goes_on(*episode)) {
        let mut world = World::new(seed + episode);
        for _ in 0..WAVES {
            world.step();
        }
        decided += world.decided;
        out += world.out;
    }
    let seconds = start.elapsed().as_secs().max(1);
    println!(
        "seed {seed}: {decided} decisions, {out} of them out of band, {} a second; no difference",
        decided / seconds
    );
    assert!(out > decided / 100 && out < decided / 2, "both answers must be tried: {out} of {decided}");
}

fn from_outside(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// SplitMix64.
struct Draws(u64);

impl Draws {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit.max(1)
    }

    fn index(&mut self, limit: usize) -> usize {
        usize::try_from(self.below(u64::try_from(limit).unwrap())).unwrap()
    }

    fn units(&mut self, limit: u64) -> i64 {
        i64::try_from(self.below(limit)).unwrap()
    }
}

struct Portfolio {
    id: PortfolioId,
    definition: Definition,
    cash: Money,
    /// In symbol order, with the prices of now.
    lines: Vec<Line>,
}

struct World {
    seed: u64,
    draws: Draws,
    watch: Watch,
    reserve: ReserveRule,
    symbols: Vec<Symbol>,
    prices: Vec<u64>,
    portfolios: Vec<Portfolio>,
    decided: u64,
    out: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut draws = Draws(seed);
        let reserve = match seed % 4 {
            0 => ReserveRule {
                costs: Costs { bps: 20, per_order: Money::CENT, minimum: Money::CENT },
                fills_rounded: true,
                attempts: 3,
            },
            _ => ReserveRule::NONE,
        };
        let count = 4 + draws.index(20);
        let symbols: Vec<Symbol> = (0..count).map(|number| format!("S{number:02}").parse().unwrap()).collect();
        let first = |draws: &mut Draws| 10_u64.pow(u32::try_from(6 + draws.below(8)).unwrap()) * (1 + draws.below(90));
        let prices: Vec<u64> = symbols.iter().map(|_| first(&mut draws)).collect();
        let watch = Watch::new(Settings { reserve, max_age: None });
        let mut world =
            Self { seed, draws, watch, reserve, symbols, prices, portfolios: Vec::new(), decided: 0, out: 0 };
        let wave: Vec<(Symbol, Price)> =
            (0..count).map(|number| (world.symbols[number], world.price(number))).collect();
        world.watch.wave(Timestamp::EPOCH, &wave);
        for number in 0..60 {
            let portfolio = world.portfolio(number);
            world.watch.insert(&portfolio.id, &portfolio.definition, &books(&portfolio)).unwrap();
            world.portfolios.push(portfolio);
        }
        world
    }

    fn price(&self, number: usize) -> Price {
        Price::from_nanos(self.prices[number]).unwrap()
    }

    fn measure(&mut self) -> Measure {
        let draws = &mut self.draws;
        let mut band = || {
            let width = if draws.below(5) == 0 { draws.units(400_000) } else { 20_000 + draws.units(100_000) };
            Band::new(Percentage::from_units(width).unwrap()).unwrap()
        };
        let (one, other) = (band(), band());
        match self.draws.below(5) {
            0 => Measure::Relative { band: one },
            1 => Measure::Absolute { band: one },
            2 => Measure::Hybrid { relative: one, absolute: other },
            3 => Measure::Tighter { relative: one, absolute: other },
            _ => Measure::Total { band: one },
        }
    }

    /// A portfolio of two to five targets, a third of them with cash.
    fn portfolio(&mut self, number: usize) -> Portfolio {
        let count = 2 + self.draws.index(4);
        let first = self.draws.index(self.symbols.len());
        let mut chosen: Vec<usize> = (0..count).map(|place| (first + place) % self.symbols.len()).collect();
        chosen.sort_unstable();
        chosen.dedup();
        let cash = if self.draws.below(3) == 0 { 50_000 } else { 0 };
        let each = (1_000_000 - cash) / i64::try_from(chosen.len()).unwrap();
        let mut parts: Vec<i64> = chosen.iter().map(|_| each).collect();
        parts[0] += 1_000_000 - cash - parts.iter().sum::<i64>();
        let percentage = |units: i64| Percentage::from_units(units).unwrap();
        let symbols = chosen
            .iter()
            .zip(&parts)
            .map(|(number, parts)| (Target::Symbol(self.symbols[*number]), percentage(*parts)));
        let with_cash = (cash > 0).then(|| (Target::Cash, percentage(cash)));
        let allocation = TargetAllocation::new(with_cash.into_iter().chain(symbols)).unwrap();
        let measure = self.measure();
        let buffer = Money::from_cents(if self.draws.below(4) == 0 { self.draws.units(10_000) } else { 0 }).unwrap();
        let lines = chosen.iter().zip(&parts).map(|(number, parts)| {
            let price = self.price(*number);
            Line {
                symbol: self.symbols[*number],
                quantity: Quantity::ZERO,
                price,
                value: price.times(Quantity::ZERO),
                target: percentage(*parts),
            }
        });
        let mut portfolio = Portfolio {
            id: PortfolioId::new(&format!("p{number:02}")).unwrap(),
            cash: Money::ZERO,
            lines: lines.collect(),
            definition: Definition {
                account: "account".parse().unwrap(),
                currency: "USD".parse().unwrap(),
                allocation,
                policy: Policy { measure, cash_buffer: buffer, ..Policy::default() },
            },
        };
        self.fill(&mut portfolio);
        portfolio
    }

    /// Gives a portfolio units near its targets.
    fn fill(&mut self, portfolio: &mut Portfolio) {
        let worth = 10_u128.pow(u32::try_from(20 + self.draws.below(5)).unwrap()) * u128::from(1 + self.draws.below(9));
        for line in &mut portfolio.lines {
            let off = 990_000 + u128::from(self.draws.below(20_001));
            let value = worth / 1_000_000 * u128::try_from(line.target.units()).unwrap() / 1_000_000 * off;
            line.quantity = Quantity::from_nanos(value / u128::from(line.price.nanos())).unwrap();
            line.value = line.price.times(line.quantity);
        }
        let cents = worth / 10_u128.pow(22) * u128::try_from(portfolio.definition.allocation.cash().units()).unwrap();
        portfolio.cash = Money::from_cents(i64::try_from(cents).unwrap()).unwrap();
    }

    fn step(&mut self) {
        let number = self.draws.index(self.portfolios.len());
        if self.draws.below(50) == 0 {
            let mut portfolio = self.portfolio(number);
            if self.draws.below(2) == 0 {
                self.watch.remove(&portfolio.id);
            }
            self.watch.insert(&portfolio.id, &portfolio.definition, &books(&portfolio)).unwrap();
            std::mem::swap(&mut portfolio, &mut self.portfolios[number]);
        }
        let mut moved = Vec::new();
        if self.draws.below(3) == 0 {
            moved.extend(self.edge_price(number));
        }
        let most = if self.draws.below(20) == 0 { self.symbols.len() } else { 2 };
        for _ in 0..self.draws.index(most + 1) {
            let symbol = self.draws.index(self.symbols.len());
            let price = self.prices[symbol];
            let size = [200, 2_000, 1_000_000][self.draws.index(3)];
            let step = self.draws.below((price / size).max(2));
            let next = if self.draws.below(2) == 0 { price + step } else { price - step };
            moved.push((symbol, next));
        }
        self.wave(&moved);
    }

    /// A price that puts a holding on an edge of its band, or a step beside it: the smallest that is enough, and its neighbours.
    fn edge_price(&mut self, number: usize) -> Option<(usize, u64)> {
        let (side, place, step) = (self.draws.below(2), self.draws.index(5), self.draws.below(3));
        let Portfolio { lines, definition, cash, .. } = &self.portfolios[number];
        let line = lines.get(place).filter(|line| !line.quantity.is_zero())?;
        let limit = match &definition.policy.measure {
            Measure::Total { band } => u64::try_from(band.width().units()).ok()? * 1_000_000,
            Measure::Relative { .. } | Measure::Absolute { .. } | Measure::Hybrid { .. } | Measure::Tighter { .. } => {
                limit(&definition.policy.measure, Target::Symbol(line.symbol), line.target)?
            }
        };
        let goal = u64::try_from(line.target.units()).ok()? * 1_000_000;
        let edge = u128::from(if side == 0 { goal.checked_add(limit)? } else { goal.checked_sub(limit)? });
        let value = |line: &Line| u128::from(line.price.nanos()) * line.quantity.nanos();
        let cents = u128::try_from(cash.cents() - definition.policy.cash_buffer.cents()).ok()?;
        let rest: u128 =
            lines.iter().filter(|other| other.symbol != line.symbol).map(value).sum::<u128>() + cents * 10_u128.pow(16);
        // price × units × (1 − edge) = edge × rest, in millionths of a millionth.
        let price = edge.checked_mul(rest)?
            / 1_000_000_000_000_u128.checked_sub(edge).filter(|left| *left > 0)?.checked_mul(line.quantity.nanos())?;
        let symbol = self.symbols.iter().position(|symbol| *symbol == line.symbol)?;
        let price = u64::try_from(price).ok()?.checked_add(step)?.checked_sub(1)?;
        // Not so far that every other portfolio is thrown out with it.
        let now = self.prices[symbol];
        (price > 0 && price.abs_diff(now) < now / 10).then_some((symbol, price))
    }

    fn wave(&mut self, moved: &[(usize, u64)]) {
        for (symbol, price) in moved {
            self.prices[*symbol] = (*price).clamp(1_000, 10_u64.pow(17));
        }
        let wave: Vec<(Symbol, Price)> =
            moved.iter().map(|(symbol, _)| (self.symbols[*symbol], self.price(*symbol))).collect();
        let found = self.watch.wave(Timestamp::EPOCH, &wave);
        let mut found = found.iter().peekable();
        let mut thrown_out = Vec::new();
        for number in 0..self.portfolios.len() {
            let mut is_touched = false;
            for (symbol, price) in &wave {
                if let Ok(place) = self.portfolios[number].lines.binary_search_by_key(symbol, |line| line.symbol) {
                    let line = &mut self.portfolios[number].lines[place];
                    (line.price, line.value) = (*price, price.times(line.quantity));
                    is_touched = true;
                }
            }
            if !is_touched {
                continue;
            }
            let portfolio = &self.portfolios[number];
            let is_out = self.is_out(portfolio);
            let ours = found.next_if(|finding| *finding.portfolio() == portfolio.id);
            let is_found = matches!(ours, Some(Finding::OutOfBand { .. }));
            assert_eq!(
                is_found, is_out,
                "portfolio {} after {wave:?}: run `cargo xtask watch-soak --minutes 1 --seed {}`",
                portfolio.id, self.seed
            );
            self.decided += 1;
            self.out += u64::from(is_out);
            if is_out {
                thrown_out.push(number);
            }
        }
        assert_eq!(
            found.next(),
            None,
            "found without reason: run `cargo xtask watch-soak --minutes 1 --seed {}`",
            self.seed
        );
        for number in thrown_out {
            if self.draws.below(2) == 0 {
                let id = self.portfolios[number].id.clone();
                let empty = self.portfolio_like(number);
                self.portfolios[number] = empty;
                assert!(self.watch.set_books(&id, &books(&self.portfolios[number])));
            }
        }
    }

    /// The same portfolio with new units.
    fn portfolio_like(&mut self, number: usize) -> Portfolio {
        let Portfolio { id, definition, cash, lines } = &self.portfolios[number];
        let mut portfolio =
            Portfolio { id: id.clone(), definition: definition.clone(), cash: *cash, lines: lines.clone() };
        self.fill(&mut portfolio);
        portfolio
    }

    fn is_out(&self, portfolio: &Portfolio) -> bool {
        let Portfolio { lines, cash, definition: Definition { allocation, policy, .. }, .. } = portfolio;
        let valued = Valuation::of_lines(lines.clone(), *cash, allocation.cash(), policy.cash_buffer, self.reserve);
        valued.is_ok_and(|valued| is_out_of_band(&valued, &policy.measure).unwrap())
    }
}

fn books(portfolio: &Portfolio) -> Books {
    Books::new(portfolio.cash, portfolio.lines.iter().map(|line| (line.symbol, line.quantity)))
}
