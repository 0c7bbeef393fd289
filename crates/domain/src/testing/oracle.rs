//! What a portfolio is worth, by definition: in whole numbers and fractions of any size, sharing no arithmetic with the
//! code they are held against.

use super::Scene;
use crate::allocation::Target;
use crate::values::{Money, Percentage, Symbol, Value};
use num_bigint::BigInt;
use num_rational::BigRational;

/// A fraction without limits.
pub(crate) type Number = BigRational;

/// Units of the 18th decimal: a price times a quantity is a whole number of them.
pub(crate) type Atoms = BigInt;

pub(crate) fn whole(number: impl Into<BigInt>) -> Number {
    Number::from_integer(number.into())
}

/// A share of one: 100 % is 1.
pub(crate) fn share(percentage: Percentage) -> Number {
    Number::new(percentage.units().into(), 1_000_000.into())
}

pub(crate) fn money(amount: Money) -> Atoms {
    Atoms::from(amount.cents()) * Atoms::from(super::CENT)
}

/// A value prints all of its digits.
pub(crate) fn value(value: Value) -> Atoms {
    let text = value.to_string();
    let (digits, decimals) = text.split_once('.').unwrap_or((&text, ""));
    format!("{digits}{decimals:0<18}").parse().unwrap()
}

/// The nearest whole number; of two, the even one.
pub(crate) fn half_even(number: &Number) -> BigInt {
    let below = number.floor();
    let over = number - &below;
    let half = Number::new(1.into(), 2.into());
    let is_odd = below.to_integer().bit(0);
    let up = over > half || (over == half && is_odd);
    below.to_integer() + BigInt::from(u8::from(up))
}

/// A portfolio valued by definition.
pub(crate) struct Facts {
    pub(crate) total: Atoms,
    pub(crate) held_back: Atoms,
    pub(crate) investable: Atoms,
    /// Cash first, then every symbol held or targeted.
    pub(crate) holdings: Vec<Holding>,
}

pub(crate) struct Holding {
    pub(crate) target: Target,
    /// Cash beyond what is held back; price × units of a symbol.
    pub(crate) worth: Atoms,
    pub(crate) goal: Percentage,
    pub(crate) is_held: bool,
}

impl Facts {
    pub(crate) fn of(scene: &Scene) -> Self {
        let mut symbols: Vec<Symbol> = scene.books.holdings().map(|(symbol, _)| symbol).collect();
        symbols.extend(scene.allocation.symbols().map(|(symbol, _)| symbol));
        symbols.sort();
        symbols.dedup();
        let line = |symbol| {
            let held = scene.books.units(symbol);
            Holding {
                target: Target::Symbol(symbol),
                worth: Atoms::from(scene.price(symbol).nanos()) * Atoms::from(held.nanos()),
                goal: scene.allocation.of(symbol),
                is_held: !held.is_zero(),
            }
        };
        let lines: Vec<Holding> = symbols.into_iter().map(line).collect();
        let cash = money(scene.books.cash);
        let total = lines.iter().fold(cash.clone(), |sum, line| sum + &line.worth);
        let held_back = money(scene.policy.cash_buffer.max(Money::ZERO)) + reserve(scene, &lines, &total);
        let goal = scene.allocation.cash();
        let cash = Holding { target: Target::Cash, worth: cash - &held_back, goal, is_held: true };
        let holdings = std::iter::once(cash).chain(lines).collect();
        Self { investable: &total - &held_back, total, held_back, holdings }
    }

    /// The share of the investable value.
    pub(crate) fn weight(&self, holding: &Holding) -> Number {
        Number::new(holding.worth.clone(), self.investable.clone())
    }
}

/// Twice the cost of trading every holding once, and a cent per holding and attempt where fills are rounded.
fn reserve(scene: &Scene, lines: &[Holding], total: &Atoms) -> Atoms {
    let capabilities = &scene.capabilities;
    let roundings = if capabilities.fills_rounded { i32::from(scene.attempts) } else { 0 };
    let mut cents = BigInt::from(0);
    for line in lines {
        // In millionths of an atom, of which a target's share is a whole number.
        let largest = std::cmp::max(&line.worth * 1_000_000, total * line.goal.units());
        cents += declared(scene, &largest, 1_000_000) * 2 + roundings;
    }
    cents * super::CENT
}

/// The most that trading so many parts of an atom may cost, in cents.
pub(crate) fn declared(scene: &Scene, parts: &BigInt, per_atom: u64) -> BigInt {
    let costs = scene.capabilities.costs;
    let per_cent = BigInt::from(super::CENT) * per_atom * 10_000;
    let share: BigInt = (parts * costs.bps + &per_cent - 1) / per_cent;
    std::cmp::max(share + costs.per_order.cents(), costs.minimum.cents().into())
}
