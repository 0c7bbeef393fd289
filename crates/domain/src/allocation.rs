//! The target allocation: the weights a portfolio should have, adding up to exactly 100.0000 %.
//!
//! It cannot exist otherwise, so nothing behind this door checks the sum again. How far a portfolio is from its
//! targets is in [`crate::drift`].

#[cfg(feature = "serde")]
mod wire;

use crate::values::{Percentage, Symbol};
use std::collections::BTreeMap;
use std::fmt;

/// What can be a target: a symbol, or cash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// Cash itself: `CASH` in files.
    Cash,
    /// An instrument.
    Symbol(Symbol),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cash => f.pad("CASH"),
            Self::Symbol(symbol) => symbol.fmt(f),
        }
    }
}

impl std::str::FromStr for Target {
    type Err = <Symbol as std::str::FromStr>::Err;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "CASH" { Ok(Self::Cash) } else { text.parse().map(Self::Symbol) }
    }
}

/// Weights above zero that add up to exactly 100.0000 %.
///
/// ```
/// use evenkeel_domain::allocation::TargetAllocation;
/// let thirds = TargetAllocation::parse([("META", "33.33"), ("AAPL", "33.33"), ("MSFT", "33.34")])?;
/// assert_eq!(thirds.weights().map(|(_, w)| w.units()).sum::<i64>(), 1_000_000);
///
/// let all_wrong = TargetAllocation::parse([("META", "0"), ("AAPL", "99.9999")]).unwrap_err();
/// assert_eq!(all_wrong.violations.len(), 2); // both are reported
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetAllocation {
    cash: Percentage,
    symbols: BTreeMap<Symbol, Percentage>,
}

impl TargetAllocation {
    /// Validates these weights, once and for all.
    ///
    /// # Errors
    /// [`AllocationError`] with every violation: no weights, a weight of zero or less, a target named twice, a sum other than 100.0000 %.
    pub fn new(weights: impl IntoIterator<Item = (Target, Percentage)>) -> Result<Self, AllocationError> {
        let mut violations = Vec::new();
        let mut seen = BTreeMap::new();
        let mut sum: i128 = 0;
        for (target, weight) in weights {
            sum = sum.saturating_add(i128::from(weight.units()));
            if weight <= Percentage::ZERO {
                violations.push(AllocationViolation::NotPositive { target, weight });
            }
            if seen.insert(target, weight).is_some() {
                violations.push(AllocationViolation::Repeated { target });
            }
        }
        if seen.is_empty() {
            violations.push(AllocationViolation::Empty);
        } else if sum != i128::from(Percentage::HUNDRED.units()) {
            violations.push(AllocationViolation::Sum { units: sum });
        }
        if !violations.is_empty() {
            return Err(AllocationError { violations });
        }
        let cash = seen.remove(&Target::Cash).unwrap_or(Percentage::ZERO);
        let symbols = seen.into_iter().filter_map(|(target, weight)| match target {
            Target::Symbol(symbol) => Some((symbol, weight)),
            Target::Cash => None,
        });
        Ok(Self { cash, symbols: symbols.collect() })
    }

    /// Reads and validates weights given as text, such as `("META", "33.33")`. `CASH` names cash.
    ///
    /// # Errors
    /// [`AllocationError`] with every violation, texts that are no symbol or no percentage among them.
    pub fn parse<'a>(weights: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, AllocationError> {
        let mut unreadable = Vec::new();
        let mut read = Vec::new();
        for (target, weight) in weights {
            match (target.parse::<Target>(), weight.parse::<Percentage>()) {
                (Ok(target), Ok(weight)) => read.push((target, weight)),
                (target_result, weight_result) => {
                    for message in
                        [target_result.err().map(|e| e.to_string()), weight_result.err().map(|e| e.to_string())]
                            .into_iter()
                            .flatten()
                    {
                        unreadable.push(AllocationViolation::Unreadable { target: target.to_owned(), message });
                    }
                }
            }
        }
        match Self::new(read) {
            Ok(allocation) if unreadable.is_empty() => Ok(allocation),
            Ok(_) => Err(AllocationError { violations: unreadable }),
            Err(mut error) => {
                if !unreadable.is_empty() {
                    // A sum over what happened to be readable would only mislead.
                    error
                        .violations
                        .retain(|v| !matches!(v, AllocationViolation::Sum { .. } | AllocationViolation::Empty));
                }
                unreadable.append(&mut error.violations);
                Err(AllocationError { violations: unreadable })
            }
        }
    }

    /// The target weight of cash; zero if it has none.
    #[must_use]
    pub const fn cash(&self) -> Percentage {
        self.cash
    }

    /// The target weight of `symbol`; zero if it has none.
    #[must_use]
    pub fn of(&self, symbol: Symbol) -> Percentage {
        self.symbols.get(&symbol).copied().unwrap_or(Percentage::ZERO)
    }

    /// The symbols with a target, in order, with their weights.
    pub fn symbols(&self) -> impl Iterator<Item = (Symbol, Percentage)> {
        self.symbols.iter().map(|(symbol, weight)| (*symbol, *weight))
    }

    /// Every target with its weight, cash first: always adds up to exactly 100.0000 %.
    pub fn weights(&self) -> impl Iterator<Item = (Target, Percentage)> {
        let cash = Some((Target::Cash, self.cash)).filter(|(_, weight)| *weight != Percentage::ZERO);
        cash.into_iter().chain(self.symbols().map(|(symbol, weight)| (Target::Symbol(symbol), weight)))
    }

    /// The same allocation with `from`'s weight given to `to`, added to what `to` had.
    ///
    /// # Errors
    /// [`AllocationError`] if `from` has no weight here, or the result would not be an allocation.
    pub fn replace(&self, from: Target, to: Target) -> Result<Self, AllocationError> {
        let mut weights: BTreeMap<Target, Percentage> = self.weights().collect();
        let Some(moved) = weights.remove(&from) else {
            return Err(AllocationError { violations: vec![AllocationViolation::NoSuchTarget { target: from }] });
        };
        let sum = weights.get(&to).copied().unwrap_or(Percentage::ZERO).add(moved);
        weights.insert(to, sum.unwrap_or(Percentage::HUNDRED));
        Self::new(weights)
    }
}

/// Everything that keeps weights from being an allocation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", list(violations))]
pub struct AllocationError {
    /// Each violation, in the order the weights were given; never empty.
    pub violations: Vec<AllocationViolation>,
}

fn list(violations: &[AllocationViolation]) -> String {
    violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// One rule that a set of weights breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AllocationViolation {
    /// There is no weight at all.
    #[error("there are no targets: name at least one, such as CASH = \"100\"")]
    Empty,
    /// A weight of zero or less.
    #[error("the target {target} has the weight {weight} %: a weight is above 0; leave the target out instead")]
    NotPositive {
        /// Whose.
        target: Target,
        /// The weight.
        weight: Percentage,
    },
    /// One target named more than once.
    #[error("the target {target} is named more than once")]
    Repeated {
        /// Which.
        target: Target,
    },
    /// The weights do not add up.
    #[error("the targets add up to {} %: they must add up to exactly 100.0000 % ({})", percent(*units), missing(*units))]
    Sum {
        /// The sum, in units of 0.0001 %.
        units: i128,
    },
    /// A text that is no symbol or no percentage.
    #[error("the target {target:?}: {message}")]
    Unreadable {
        /// The target as written.
        target: String,
        /// What is wrong with it.
        message: String,
    },
    /// The target to replace is not there.
    #[error("there is no target {target} to replace")]
    NoSuchTarget {
        /// Which.
        target: Target,
    },
}

/// Units of 0.0001 % as text with four decimals, of any size.
fn percent(units: i128) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let units = units.unsigned_abs();
    let whole = units.checked_div(10_000).unwrap_or(0);
    let fraction = units.checked_rem(10_000).unwrap_or(0);
    format!("{sign}{whole}.{fraction:04}")
}

fn missing(units: i128) -> String {
    let difference = i128::from(Percentage::HUNDRED.units()).saturating_sub(units);
    let word = if difference > 0 { "missing" } else { "too much" };
    format!("{} {word}", percent(difference.saturating_abs()))
}

#[cfg(test)]
mod tests;
