//! A made-up portfolio of known size, for whatever measures the domain: benches, and the count of allocations.

#![allow(dead_code, reason = "not every program that includes this file needs all of it")]

use evenkeel_domain::allocation::{Target, TargetAllocation};
use evenkeel_domain::books::{Books, Definition, Market, Prices, Quote};
use evenkeel_domain::drift::is_out_of_band;
use evenkeel_domain::order::{Capabilities, Costs, Duplicates, Terms};
use evenkeel_domain::plan::{Plan, Trigger, Venue, plan};
use evenkeel_domain::policy::{Band, Measure, Policy};
use evenkeel_domain::valuation::{ReserveRule, Valuation};
use evenkeel_domain::values::{Lot, Money, Percentage, Price, Quantity, Symbol, Timestamp};
use std::collections::BTreeMap;
use std::time::Duration;

pub(crate) const MEASURES: [&str; 5] = ["relative", "absolute", "hybrid", "tighter", "total"];

pub(crate) fn measure(name: &str) -> Measure {
    let band = |percent: &str| Band::new(percent.parse().unwrap()).unwrap();
    match name {
        "absolute" => Measure::Absolute { band: band("5") },
        "hybrid" => Measure::Hybrid { relative: band("25"), absolute: band("1.5") },
        "tighter" => Measure::Tighter { relative: band("5"), absolute: band("5") },
        "total" => Measure::Total { band: band("5") },
        _ => Measure::Relative { band: band("5") },
    }
}

/// A portfolio of equal targets, worth a million, whose holdings are off by some percent, up and down in turns.
pub(crate) struct Case {
    pub(crate) books: Books,
    pub(crate) definition: Definition,
    pub(crate) prices: Prices,
    pub(crate) capabilities: Capabilities,
}

impl Case {
    pub(crate) fn new(holdings: u32, measure: Measure, percent_off: u32) -> Self {
        let symbol = |n: u32| format!("S{n:03}").parse::<Symbol>().unwrap();
        let cents = |n: u32| u64::from(n * 7_919 % 49_000 + 1_000);
        let price = |n: u32| Price::from_nanos(cents(n) * 10_000_000).unwrap();
        let units = |n: u32| {
            let percent = if n.is_multiple_of(2) { 100 + percent_off } else { 100 - percent_off };
            // To three decimals, so that decimals of 96 bits are exact, too.
            let thousandths = u64::from(1_000_000 / holdings) * 1_000 * u64::from(percent) / cents(n);
            Quantity::from_nanos(u128::from(thousandths) * 1_000_000).unwrap()
        };
        let weight = Percentage::from_units(i64::from(1_000_000 / holdings)).unwrap();
        let allocation = (0..holdings).map(|n| (Target::Symbol(symbol(n)), weight));
        let definition = Definition {
            account: "bench".parse().unwrap(),
            currency: "USD".parse().unwrap(),
            allocation: TargetAllocation::new(allocation).unwrap(),
            policy: Policy { measure, ..Policy::default() },
        };
        Self {
            books: Books::new(Money::from_cents(12_345).unwrap(), (0..holdings).map(|n| (symbol(n), units(n)))),
            definition,
            prices: (0..holdings).map(|n| (symbol(n), Quote { price: price(n), at: Timestamp::EPOCH })).collect(),
            capabilities: capabilities(),
        }
    }

    /// The same at a broker that charges and reserves nothing.
    pub(crate) fn without_costs(mut self) -> Self {
        let free = Capabilities { costs: Costs::FREE, collar_bps: 0, fills_rounded: false, ..capabilities() };
        self.capabilities = free;
        self
    }

    pub(crate) fn value(&self) -> Valuation {
        let Definition { allocation, policy, .. } = &self.definition;
        Valuation::new(&self.books, allocation, policy, Market::ageless(&self.prices), ReserveRule::NONE).unwrap()
    }

    pub(crate) fn is_out_of_band(&self) -> bool {
        is_out_of_band(&self.value(), &self.definition.policy.measure).unwrap()
    }

    pub(crate) fn plan(&self) -> Plan {
        let venue = Venue { capabilities: &self.capabilities, check: &|_: &Terms| Ok(()), attempts: 3 };
        plan(&self.books, &self.definition, Market::ageless(&self.prices), venue, Trigger::Band).unwrap()
    }
}

fn capabilities() -> Capabilities {
    Capabilities {
        name: "Bench".to_owned(),
        duplicates: Duplicates::Refused,
        costs: Costs { bps: 5, per_order: Money::ZERO, minimum: "0.35".parse().unwrap() },
        collar_bps: 250,
        fills_rounded: true,
        minimum_order: Money::CENT,
        lot: Lot::FINEST,
        lots: BTreeMap::new(),
        quiescence: Duration::ZERO,
        visibility_horizon: Duration::ZERO,
    }
}
