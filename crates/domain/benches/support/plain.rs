//! The same decision and the same plan as one would write them down with `rust_decimal`, whose operators round unnoticed and panic on overflow.
//!
//! What the domain is compared with: exact where 96 bits are enough, as they are here, and as fast as decimals allow.

#![allow(dead_code, reason = "not every bench that includes this file needs all of it")]

use crate::case::Case;
use evenkeel_domain::books::Definition;
use evenkeel_domain::order::Side;
use evenkeel_domain::policy::Measure;
use evenkeel_domain::values::{Percentage, Symbol};
use rust_decimal::Decimal;

/// A portfolio as decimals. Unlike ours, it has nothing to look up: prices and targets stand beside the units.
pub(crate) struct Rows {
    cash: Decimal,
    rows: Vec<Row>,
    measure: Measure,
    minimum: Decimal,
}

struct Row {
    units: Decimal,
    price: Decimal,
    /// A share of one.
    target: Decimal,
}

impl Rows {
    pub(crate) fn of(case: &Case) -> Self {
        let row = |(symbol, weight): (Symbol, Percentage)| Row {
            units: case.books.units(symbol).to_decimal(),
            price: case.prices.get(symbol).unwrap().price.to_decimal(),
            target: share(weight),
        };
        let Definition { allocation, policy, .. } = &case.definition;
        let rows = allocation.symbols().map(row).collect();
        Self {
            cash: case.books.cash.to_decimal(),
            rows,
            measure: policy.measure,
            minimum: policy.minimum_order.to_decimal(),
        }
    }

    pub(crate) fn is_out_of_band(&self) -> bool {
        let total = self.rows.iter().fold(self.cash, |sum, row| sum + row.units * row.price);
        let distance = |row: &Row| (row.units * row.price - row.target * total).abs();
        let any = |limit: &dyn Fn(&Row) -> Decimal| self.rows.iter().any(|row| distance(row) > limit(row) * total);
        match self.measure {
            Measure::Relative { band } => any(&|row| share(band.width()) * row.target),
            Measure::Absolute { band } => any(&|_| share(band.width())) || self.cash > share(band.width()) * total,
            Measure::Hybrid { relative, absolute } => {
                let cash_out = self.cash > share(absolute.width()) * total;
                any(&|row| (share(relative.width()) * row.target).max(share(absolute.width()))) || cash_out
            }
            Measure::Tighter { relative, absolute } => {
                any(&|row| (share(relative.width()) * row.target).min(share(absolute.width())))
            }
            Measure::Total { band } => {
                let sum = self.rows.iter().fold(self.cash.abs(), |sum, row| sum + distance(row));
                sum > share(band.width()) * total * Decimal::TWO
            }
        }
    }
}

/// A leg of a plain plan.
pub(crate) struct Leg {
    /// The place of its row.
    pub(crate) place: usize,
    pub(crate) side: Side,
    pub(crate) units: Decimal,
    price: Decimal,
    /// To the cent.
    amount: Decimal,
}

impl Rows {
    /// Sells, then buys that spend no more than there is; nothing if it is inside its band. No costs, no reserve, no lots, and neither figures for
    /// people nor a proof.
    pub(crate) fn plan(&self) -> Vec<Leg> {
        if !self.is_out_of_band() {
            return Vec::new();
        }
        let total = self.rows.iter().fold(self.cash, |sum, row| sum + row.units * row.price);
        let (mut legs, mut buys) = (Vec::with_capacity(self.rows.len()), Vec::with_capacity(self.rows.len()));
        let mut available = self.cash;
        for (place, row) in self.rows.iter().enumerate() {
            let missing = row.target * total - row.units * row.price;
            let side = if missing.is_sign_negative() { Side::Sell } else { Side::Buy };
            let leg = Leg::of(place, side, missing.abs() / row.price, row.price);
            if leg.amount < self.minimum {
                continue;
            }
            match side {
                Side::Sell => {
                    available += leg.amount;
                    legs.push(leg);
                }
                Side::Buy => buys.push(leg),
            }
        }
        fund(&mut buys, available);
        legs.extend(buys);
        legs
    }
}

/// All shrink by one factor; what is still too much by rounding the largest gives up.
fn fund(buys: &mut [Leg], available: Decimal) {
    let wanted: Decimal = buys.iter().map(|leg| leg.amount).sum();
    if wanted <= available {
        return;
    }
    let value: Decimal = buys.iter().map(|leg| leg.units * leg.price).sum();
    if value > available {
        for leg in &mut *buys {
            *leg = Leg::of(leg.place, leg.side, leg.units * available / value, leg.price);
        }
    }
    let excess = buys.iter().map(|leg| leg.amount).sum::<Decimal>() - available;
    let largest = buys.iter_mut().max_by_key(|leg| leg.amount).filter(|_| excess > Decimal::ZERO);
    if let Some(leg) = largest {
        *leg = Leg::of(leg.place, leg.side, (leg.amount - excess) / leg.price, leg.price);
    }
}

impl Leg {
    fn of(place: usize, side: Side, units: Decimal, price: Decimal) -> Self {
        let units = units.trunc_with_scale(9);
        Self { place, side, units, price, amount: (units * price).round_dp(2) }
    }
}

fn share(percentage: Percentage) -> Decimal {
    Decimal::new(percentage.units(), 6)
}
