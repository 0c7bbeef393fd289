//! Any batch: a few legs, what is held before, and the rules. Shown as it would be written for a [`Machine`].

use super::{Machine, plan_of, rules, secs};
use crate::books::Books;
use crate::order::Side;
use crate::plan::{Plan, Stages};
use crate::record::Rules;
use crate::testing::read;
use crate::values::{Money, Price, Quantity, Symbol};
use proptest::prelude::*;
use proptest::sample::select;
use std::fmt;

/// A batch before it is opened.
#[derive(Clone)]
pub(crate) struct Setup {
    cash: Money,
    /// Side, units, price, and what is held beyond what is sold. Sells come first, as in a plan.
    legs: Vec<(Side, Quantity, Price, Quantity)>,
    pub(crate) stages: Stages,
    pub(crate) rules: Rules,
}

/// Up to so many legs, with and without a broker that refuses duplicates.
pub(crate) fn setups(legs: usize) -> impl Strategy<Value = Setup> {
    let units = prop_oneof![
        3 => select(["1", "2", "3", "1.5", "100", "0.000000001", "0.000000003"].as_slice()).prop_map(read),
        1 => (1..=10_000_000_000_000_u128).prop_map(|nanos| Quantity::from_nanos(nanos).unwrap()),
    ];
    let price = prop_oneof![
        3 => select(["25", "50", "0.01", "333.333333333", "440"].as_slice()).prop_map(read),
        1 => (1..=10_000_000_000_000_u64).prop_map(|nanos| Price::from_nanos(nanos).unwrap()),
    ];
    let more = select(["0", "5", "0.000000001"].as_slice()).prop_map(read);
    let leg = (select([Side::Buy, Side::Sell].as_slice()), units, price, more);
    let drawn = (1..=3_u8, any::<bool>(), select([0_u64, 10, 70].as_slice()), select([60_u64, 200].as_slice()));
    let rules = drawn.prop_map(|(attempts, resend, quiescence, deadline)| Rules {
        attempts,
        resend,
        quiescence: secs(quiescence),
        order_deadline: secs(deadline),
        ..rules()
    });
    let stages = select([Stages::Together, Stages::SellsFirst].as_slice());
    let cash = prop_oneof![Just("0.00"), Just("100000.00")].prop_map(read);
    (cash, prop::collection::vec(leg, 1..=legs), stages, rules).prop_map(|(cash, mut legs, stages, rules)| {
        legs.sort_by_key(|(side, ..)| *side);
        let stages = if legs[0].0 == Side::Sell { stages } else { Stages::Together };
        Setup { cash, legs, stages, rules }
    })
}

impl Setup {
    fn symbol(place: usize) -> Symbol {
        read(["A", "B", "C", "D", "E", "F", "G", "H"][place])
    }

    pub(crate) fn books(&self) -> Books {
        let held = self.legs.iter().enumerate().map(|(place, (side, units, _, more))| {
            let sold = if *side == Side::Sell { *units } else { Quantity::ZERO };
            (Self::symbol(place), sold.add(*more).unwrap())
        });
        Books::new(self.cash, held)
    }

    fn text(&self) -> String {
        let legs = self.legs.iter().enumerate();
        let legs =
            legs.map(|(place, (side, units, price, _))| format!("{side} {} {units} @ {price}", Self::symbol(place)));
        legs.collect::<Vec<_>>().join(", ")
    }

    pub(crate) fn plan(&self) -> Plan {
        plan_of(&self.text(), self.stages)
    }

    /// The batch, just opened.
    pub(crate) fn open(&self) -> Machine {
        let mut machine = Machine::with(self.books());
        machine.open(&self.plan(), self.rules.clone());
        machine
    }
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rules { attempts, resend, quiescence, order_deadline, .. } = &self.rules;
        write!(f, "CASH {}", self.cash)?;
        self.books().holdings().try_for_each(|(symbol, units)| write!(f, ", {symbol} {units}"))?;
        write!(f, ": {}; {:?}, {attempts} attempts, resend {resend}, ", self.text(), self.stages)?;
        write!(f, "quiescence {quiescence:?}, deadline {order_deadline:?}")
    }
}
