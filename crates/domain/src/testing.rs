//! What the tests of allocation, drift and plan build with: values from text, and [`Scene`]s of a few lines.
//!
//! Strategies that make such scenes by construction, never by filtering, are in [`strategies`].

#![expect(clippy::arithmetic_side_effects, reason = "figures of tests stay far from the limits of their types")]

pub(crate) mod machine;
pub(crate) mod oracle;
pub(crate) mod strategies;

use crate::allocation::{Target, TargetAllocation};
use crate::books::{Books, Definition, Market, Prices, Quote};
use crate::order::{Capabilities, Costs, Duplicates, RefusalReason, Refused, Terms};
use crate::plan::{Plan, PlanError, Trigger, Venue, plan};
use crate::policy::{Band, Measure, Policy};
use crate::valuation::{Valuation, ValuationError};
use crate::values::{Lot, Money, Percentage, Price, Quantity, Symbol, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The value written so.
pub(crate) fn read<T: FromStr<Err: fmt::Display>>(text: &str) -> T {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

/// A band of so many percent.
pub(crate) fn band(percent: &str) -> Band {
    Band::new(read(percent)).unwrap()
}

/// The measure written so: `relative 5`, or `hybrid 25 5`, relative before absolute.
pub(crate) fn measure(text: &str) -> Measure {
    match text.split_whitespace().collect::<Vec<_>>()[..] {
        ["relative", width] => Measure::Relative { band: band(width) },
        ["absolute", width] => Measure::Absolute { band: band(width) },
        ["total", width] => Measure::Total { band: band(width) },
        ["hybrid", relative, absolute] => Measure::Hybrid { relative: band(relative), absolute: band(absolute) },
        ["tighter", relative, absolute] => Measure::Tighter { relative: band(relative), absolute: band(absolute) },
        _ => panic!("no measure: {text}"),
    }
}

/// A broker without limits or costs.
pub(crate) fn ideal() -> Capabilities {
    Capabilities {
        name: "ideal".to_owned(),
        duplicates: Duplicates::Refused,
        costs: Costs::FREE,
        fills_rounded: false,
        collar_bps: 0,
        minimum_order: Money::ZERO,
        lot: Lot::FINEST,
        lots: BTreeMap::new(),
        quiescence: Duration::ZERO,
        visibility_horizon: Duration::ZERO,
    }
}

/// A portfolio, its market and its broker: all that a plan is made from.
#[derive(Clone)]
pub(crate) struct Scene {
    pub(crate) books: Books,
    pub(crate) allocation: TargetAllocation,
    pub(crate) policy: Policy,
    pub(crate) prices: Prices,
    pub(crate) capabilities: Capabilities,
    pub(crate) attempts: u8,
    /// What the broker's check turns away.
    pub(crate) refused: BTreeSet<Symbol>,
}

impl Scene {
    /// The scene of these lines, at an ideal broker and under the default policy.
    ///
    /// A line is `META 83.325 @ 440 33.33`: units, price, target; or `CASH 0.00 40`. The target may be left out.
    pub(crate) fn of(lines: &str) -> Self {
        let mut targets: Vec<(Target, Percentage)> = Vec::new();
        let (mut cash, mut units, mut prices) = (Money::ZERO, Vec::new(), Vec::new());
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let target = match words[..] {
                ["CASH", amount, ref target @ ..] => {
                    cash = read(amount);
                    target.first()
                }
                [symbol, held, "@", price, ref target @ ..] => {
                    units.push((read(symbol), read(held)));
                    prices.push((read(symbol), read(price)));
                    target.first()
                }
                _ => panic!("no line: {line}"),
            };
            targets.extend(target.map(|weight| (read(words[0]), read(weight))));
        }
        Self::new(Books::new(cash, units), TargetAllocation::new(targets).unwrap(), prices)
    }

    pub(crate) fn new(
        books: Books,
        allocation: TargetAllocation,
        prices: impl IntoIterator<Item = (Symbol, Price)>,
    ) -> Self {
        let quote = |price| Quote { price, at: Timestamp::EPOCH };
        Self {
            books,
            allocation,
            policy: Policy::default(),
            prices: prices.into_iter().map(|(symbol, price)| (symbol, quote(price))).collect(),
            capabilities: ideal(),
            attempts: 3,
            refused: BTreeSet::new(),
        }
    }

    pub(crate) fn measure(mut self, text: &str) -> Self {
        self.policy.measure = measure(text);
        self
    }

    pub(crate) fn buffer(mut self, amount: &str) -> Self {
        self.policy.cash_buffer = read(amount);
        self
    }

    pub(crate) fn minimum(mut self, amount: &str) -> Self {
        self.policy.minimum_order = read(amount);
        self
    }

    /// What each order costs: basis points, an amount per order, and the least.
    pub(crate) fn costs(mut self, bps: u32, per_order: &str, minimum: &str) -> Self {
        self.capabilities.costs = Costs { bps, per_order: read(per_order), minimum: read(minimum) };
        self
    }

    pub(crate) fn lot(mut self, size: &str) -> Self {
        self.capabilities.lot = read(size);
        self
    }

    pub(crate) fn lot_of(mut self, symbol: &str, size: &str) -> Self {
        self.capabilities.lots.insert(read(symbol), read(size));
        self
    }

    pub(crate) fn refusing(mut self, symbol: &str) -> Self {
        self.refused.insert(read(symbol));
        self
    }

    pub(crate) fn market(&self) -> Market<'_> {
        Market::ageless(&self.prices)
    }

    pub(crate) fn price(&self, symbol: Symbol) -> Price {
        self.prices.get(symbol).unwrap().price
    }

    /// Calls `with` with this scene's broker.
    pub(crate) fn at_venue<T>(&self, with: impl FnOnce(Venue<'_>) -> T) -> T {
        let check = |terms: &Terms| {
            let refusal = Refused { reason: RefusalReason::NotTradable, message: "halted".to_owned() };
            if self.refused.contains(&terms.symbol) { Err(refusal) } else { Ok(()) }
        };
        with(Venue { capabilities: &self.capabilities, check: &check, attempts: self.attempts })
    }

    pub(crate) fn valuation(&self) -> Result<Valuation, ValuationError> {
        let reserve = self.at_venue(|venue| venue.reserve());
        Valuation::new(&self.books, &self.allocation, &self.policy, self.market(), reserve)
    }

    pub(crate) fn plan(&self, trigger: Trigger) -> Result<Plan, PlanError> {
        self.plan_in(self.market(), trigger)
    }

    pub(crate) fn plan_in(&self, market: Market<'_>, trigger: Trigger) -> Result<Plan, PlanError> {
        let definition = Definition {
            account: read("account"),
            currency: read("USD"),
            allocation: self.allocation.clone(),
            policy: self.policy,
        };
        self.at_venue(|venue| plan(&self.books, &definition, market, venue, trigger))
    }

    /// The books after every leg was filled at its reference price, without cost: cash moves by whole cents.
    pub(crate) fn executed(&self, plan: &Plan) -> Self {
        use crate::order::Side;
        let mut after = self.clone();
        for leg in &plan.legs {
            let Terms { symbol, side, quantity, .. } = leg.terms;
            let cash = after.books.cash;
            let (moved, cash) = match side {
                Side::Sell => (after.books.remove_units(symbol, quantity), cash.add(leg.amount)),
                Side::Buy => (after.books.add_units(symbol, quantity), cash.sub(leg.amount)),
            };
            moved.unwrap();
            after.books.cash = cash.unwrap();
        }
        after
    }
}

/// As it would be written for [`Scene::of`], so that a failed case can be pasted into a test of its own.
impl fmt::Debug for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f)?;
        for (symbol, Quote { price, .. }) in self.prices.iter() {
            let target = self.allocation.of(symbol);
            write!(f, "  {symbol} {} @ {price} ", self.books.units(symbol))?;
            writeln!(f, "{}", if target.is_zero() { String::new() } else { target.to_string() })?;
        }
        writeln!(f, "  CASH {} {}", self.books.cash, self.allocation.cash())?;
        let Policy { measure, minimum_order, cash_buffer } = self.policy;
        writeln!(f, "  {measure:?}, minimum {minimum_order}, buffer {cash_buffer}, attempts {}", self.attempts)?;
        let Capabilities { costs, fills_rounded, minimum_order, lot, lots, .. } = &self.capabilities;
        writeln!(f, "  {costs:?}, rounded {fills_rounded}, minimum {minimum_order}, lot {lot}, {lots:?}")?;
        write!(f, "  refusing {:?}", self.refused)
    }
}

/// The quantity of so many billionths.
pub(crate) fn units(nanos: u128) -> Quantity {
    Quantity::from_nanos(nanos).unwrap()
}

/// One unit of the last decimal of a value at the price 0.000000001: `units(n)` are worth `n` of them.
pub(crate) const ATOM: &str = "0.000000001";

/// How many units of the 18th decimal a cent has.
pub(crate) const CENT: u128 = 10_u128.pow(16);
