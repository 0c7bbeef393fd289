//! What the portfolios of each currency came to together, so that one replay can be compared with another. Money of two currencies is never
//! added. The portfolios' own records, of which these are the sums, are in [`super::lines`].

use super::lines::PortfolioLine;
use evenkeel_domain::portfolio::Standing;
use evenkeel_domain::values::{Currency, Money, Rounding, Value};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;

/// An amount of a record: to the cent, or exact where that is beyond the range of [`Money`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Amount(Value);

impl Amount {
    const ZERO: Self = Self(Value::ZERO);

    /// Rounded half-even.
    pub(crate) fn rounded(value: Value) -> Self {
        Self(value.to_money(Rounding::HalfEven).map_or(value, Money::to_value))
    }

    /// Both together. No number of amounts comes near the end of what a value can be.
    pub(crate) fn add(self, other: impl Into<Self>) -> Self {
        Self(self.0.add(other.into().0).unwrap_or(Value::MAX))
    }
}

impl From<Money> for Amount {
    fn from(money: Money) -> Self {
        Self(money.to_value())
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.to_money(Rounding::HalfEven) {
            Ok(money) => money.fmt(f),
            Err(_) => self.0.fmt(f),
        }
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The portfolios of one currency, at the end. Each amount is the sum of those in the portfolios' records.
#[derive(Debug, Serialize)]
pub(crate) struct Sums {
    pub(crate) currency: Currency,
    pub(crate) portfolios: usize,
    pub(crate) value: Amount,
    pub(crate) turnover: Amount,
    pub(crate) fees: Amount,
    pub(crate) cost: Amount,
    pub(crate) rebalances: u64,
    pub(crate) restored: u64,
    pub(crate) stale: usize,
}

impl Sums {
    /// One for each currency, in the order of their names.
    pub(super) fn of(portfolios: &[PortfolioLine]) -> Vec<Self> {
        let mut sums: BTreeMap<Currency, Self> = BTreeMap::new();
        for portfolio in portfolios {
            sums.entry(portfolio.currency).or_insert_with(|| Self::none(portfolio.currency)).add(portfolio);
        }
        sums.into_values().collect()
    }

    const fn none(currency: Currency) -> Self {
        let none = Amount::ZERO;
        Self {
            currency,
            portfolios: 0,
            value: none,
            turnover: none,
            fees: none,
            cost: none,
            rebalances: 0,
            restored: 0,
            stale: 0,
        }
    }

    fn add(&mut self, one: &PortfolioLine) {
        self.portfolios = self.portfolios.saturating_add(1);
        self.value = self.value.add(one.value);
        self.turnover = self.turnover.add(one.turnover);
        self.fees = self.fees.add(one.fees);
        self.cost = self.cost.add(one.cost);
        self.rebalances = self.rebalances.saturating_add(one.rebalances);
        self.restored = self.restored.saturating_add(one.restored);
        self.stale = self.stale.saturating_add(usize::from(one.status == Standing::Stale.name()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(text: &str) -> Amount {
        Amount::rounded(text.parse().unwrap())
    }

    #[test]
    fn amounts_are_cents_and_exact_where_cents_are_not_enough() {
        for (value, shown) in [
            ("0", "0.00"),
            ("0.005", "0.00"),
            ("0.015", "0.02"),
            ("-0.015", "-0.02"),
            ("9999999999999999.994", "9999999999999999.99"),
            ("9999999999999999.995", "9999999999999999.995"),
            ("10000000000000000", "10000000000000000"),
        ] {
            assert_eq!(amount(value).to_string(), shown, "{value}");
        }
        // What was rounded is added, so a sum is that of the amounts as they are shown.
        assert_eq!(amount("0.015").add(amount("0.015")).to_string(), "0.04");
        let most = Amount::from(Money::MAX);
        assert_eq!(most.add(Money::MAX).to_string(), "19999999999999999.98");
        assert_eq!(most.add(Money::MAX).add(Money::MIN).to_string(), Money::MAX.to_string());
    }
}
