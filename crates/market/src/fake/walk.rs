//! How a price moves: a lognormal step that is part the market's and part the symbol's own, and a rare jump.
//!
//! Bit for bit the same everywhere: additions, multiplications, divisions, square roots and roundings of floats are
//! defined exactly, `exp`, `ln` and `cos` of the standard library are not. So a normal draw is a sum of uniform ones,
//! and growth is a polynomial. A price leaves as whole cents.

use std::num::NonZeroU32;
use std::time::Duration;

use evenkeel_domain::values::{Price, Symbol};

use super::draws::{Concern, Draws};
use super::listings::{Listing, Volatility};

/// The standard deviation of the market's move in a day.
const MARKET: f64 = 0.009;
/// What prices gain in a day in the long run: about 7 % in a year.
const DRIFT: f64 = 0.000_28;
/// Jumps per day: about one in a year.
const JUMPS: f64 = 0.004;
/// A jump goes up or down by this much in the logarithm.
const SMALLEST_JUMP: f64 = 0.05;
const LARGEST_JUMP: f64 = 0.18;
/// A trading session: what a day is to a tick.
const SESSION: Duration = Duration::from_secs(23_400);

const LEAST_CENTS: f64 = 1.0;
const MOST_CENTS: f64 = 999_999_999.0;
const NANOS_PER_CENT: u64 = 10_000_000;

/// What all symbols have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Market {
    /// How much of a day a step is.
    days: f64,
}

/// One step of the market.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moves {
    seed: u64,
    step: u64,
    days: f64,
    /// By how much volatility is scaled.
    root: f64,
    /// The shared move in the logarithm.
    shared: f64,
}

/// One symbol on its way.
#[derive(Debug, Clone)]
pub(super) struct Walk {
    symbol: Symbol,
    volatility: Volatility,
    /// Between the cents too, so that rounding does not add up.
    cents: f64,
}

impl Market {
    pub(super) fn daily() -> Self {
        Self { days: 1.0 }
    }

    pub(super) fn ticking(step: Duration) -> Self {
        Self { days: step.as_secs_f64() / SESSION.as_secs_f64() }
    }

    pub(super) fn moves(self, seed: u64, step: u64) -> Moves {
        let root = self.days.sqrt();
        let shared = MARKET * root * normal(&mut Draws::of(seed, Concern::Market, "", step));
        Moves { seed, step, days: self.days, root, shared }
    }
}

impl Volatility {
    /// How much of the market's move a symbol takes, and the standard deviation of its own in a day. Together they give
    /// about 1.2, 1.7, 2.5 and 3.8 % a day.
    const fn terms(self) -> (f64, f64) {
        match self {
            Self::Calm => (0.6, 0.0107),
            Self::Steady => (0.9, 0.0150),
            Self::Lively => (1.2, 0.0225),
            Self::Wild => (1.5, 0.0355),
        }
    }
}

impl Walk {
    pub(super) fn new(listing: &Listing) -> Self {
        // Rounded to the precision of a float where it is beyond the largest price of this market anyway.
        let cents = (listing.first.nanos() as f64 / NANOS_PER_CENT as f64).round();
        Self { symbol: listing.symbol, volatility: listing.volatility, cents: in_range(cents) }
    }

    pub(super) fn advance(&mut self, moves: &Moves) {
        let Moves { seed, step, days, root, shared } = *moves;
        let draws = |concern| Draws::of(seed, concern, self.symbol.as_str(), step);
        let (beta, own) = self.volatility.terms();
        let own = own * root * normal(&mut draws(Concern::Own));
        let jump = jump(&mut draws(Concern::Jump), JUMPS * days);
        self.cents = in_range(self.cents * growth(DRIFT * days + beta * shared + own + jump));
    }

    pub(super) const fn symbol(&self) -> Symbol {
        self.symbol
    }

    /// So many units are now worth what so many were before; the least and the most of a price stand in the way of that.
    pub(super) fn split(&mut self, numerator: NonZeroU32, denominator: NonZeroU32) {
        self.cents = in_range(self.cents * f64::from(denominator.get()) / f64::from(numerator.get()));
    }

    /// The symbol and its price, rounded half-up to cents.
    pub(super) fn quote(&self) -> (Symbol, Price) {
        // In range, so neither the cast nor the product loses anything, and the price exists.
        let cents = in_range(self.cents.round()) as u64;
        let price = Price::from_nanos(cents.saturating_mul(NANOS_PER_CENT));
        (self.symbol, price.unwrap_or(Price::SMALLEST))
    }
}

fn in_range(cents: f64) -> f64 {
    cents.clamp(LEAST_CENTS, MOST_CENTS)
}

/// At least 0, below 1.
fn uniform(draws: &mut Draws) -> f64 {
    f64::from(draws.next()) / 4_294_967_296.0
}

/// Mean 0, standard deviation 1, within ±6.
fn normal(draws: &mut Draws) -> f64 {
    (0..12).map(|_| uniform(draws)).fold(-6.0, |sum, draw| sum + draw)
}

/// A jump in the logarithm with this chance, else 0.
fn jump(draws: &mut Draws, chance: f64) -> f64 {
    if uniform(draws) >= chance {
        return 0.0;
    }
    let size = SMALLEST_JUMP + (LARGEST_JUMP - SMALLEST_JUMP) * uniform(draws);
    if draws.next().is_multiple_of(2) { size } else { -size }
}

/// The exponential, of a logarithm cut to ±1: no step more than triples a price.
fn growth(logarithm: f64) -> f64 {
    let logarithm = logarithm.clamp(-1.0, 1.0);
    (1..=16_u32).rev().fold(1.0, |sum, term| 1.0 + logarithm / f64::from(term) * sum)
}
