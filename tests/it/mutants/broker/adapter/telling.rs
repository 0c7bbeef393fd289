//! How an adapter with a flaw tells what it has read.

use super::super::flaw::Flaw;
use super::{Adapter, DAY};
use evenkeel_domain::order::{BrokerStatus, ClientOrderId, Fill, OrderView};
use evenkeel_domain::values::{FillId, Money, Price, Quantity, Rounding, Timestamp, Value};

impl Adapter {
    /// A view as this adapter tells it.
    pub(super) fn told(&self, mut view: OrderView, asked: ClientOrderId) -> OrderView {
        match self.flaw {
            Flaw::ForgetsFees => view.fills.iter_mut().for_each(|fill| fill.fee = Money::ZERO),
            Flaw::ReadsPricesToTheCent => view.fills.iter_mut().for_each(|fill| {
                let cents = fill.price.nanos() / 10_000_000;
                fill.price = Price::from_nanos(cents * 10_000_000).unwrap();
            }),
            Flaw::TellsTheFirstTime => {
                let first = view.fills.iter().map(|fill| fill.at).min();
                view.fills.iter_mut().for_each(|fill| fill.at = first.unwrap_or(fill.at));
            }
            Flaw::TellsFillsWithoutTime => view.fills.iter_mut().for_each(|fill| fill.at = Timestamp::EPOCH),
            Flaw::TellsFillsOfTomorrow => view.fills.iter_mut().for_each(|fill| fill.at = fill.at.plus(DAY)),
            Flaw::AveragesPrices => {
                let value = Value::sum(view.fills.iter().map(Fill::value)).unwrap();
                for fill in &mut view.fills {
                    fill.price = Price::average(value, view.filled, Rounding::HalfEven).unwrap();
                }
            }
            Flaw::CutsIds => view.id = asked,
            Flaw::AddsUpCumulativeFills => {
                let mut sum = Quantity::ZERO;
                for fill in &mut view.fills {
                    sum = sum.add(fill.quantity).unwrap();
                    fill.quantity = sum;
                }
            }
            Flaw::DropsThePartOnCancel if view.status == BrokerStatus::Canceled => {
                (view.filled, view.fills) = (Quantity::ZERO, Vec::new());
            }
            Flaw::DropsTheLateFill => {
                if let Some(frozen) = self.notes().frozen.get(&asked) {
                    return frozen.clone();
                }
                if view.status == BrokerStatus::Canceled {
                    self.notes().frozen.insert(asked, view.clone());
                }
            }
            Flaw::EndsWithTheCancel => {
                if let Some(frozen) = self.notes().frozen.get(&asked) {
                    return frozen.clone();
                }
            }
            Flaw::CrossesItself if view.status == BrokerStatus::Working && self.notes().sends > 1 => {
                (view.status, view.filled) = (BrokerStatus::Filled, view.quantity);
            }
            Flaw::FilledThoughExpired if view.status == BrokerStatus::Expired => view.status = BrokerStatus::Filled,
            Flaw::WorksThoughExpired if view.status == BrokerStatus::Expired => view.status = BrokerStatus::Working,
            Flaw::DropsThePartOnExpiry if view.status == BrokerStatus::Expired => {
                (view.filled, view.fills) = (Quantity::ZERO, Vec::new());
            }
            Flaw::WorksThoughRejected if view.status == BrokerStatus::Rejected => view.status = BrokerStatus::Working,
            Flaw::NumbersFillsByOrder => {
                for (fill, n) in view.fills.iter_mut().zip(1..) {
                    fill.id = FillId::new(&format!("fill-{n}")).unwrap();
                }
            }
            Flaw::NewFillIdEachTime => view.fills.iter_mut().for_each(|fill| self.rename(fill)),
            Flaw::EndsOnUnknownStatus | Flaw::GuessesUnknownStatus | Flaw::PanicsOnUnknownStatus => {
                if let BrokerStatus::Unmapped(status) = &view.status {
                    assert!(self.flaw != Flaw::PanicsOnUnknownStatus, "a status {status:?}");
                    let ends = self.flaw == Flaw::EndsOnUnknownStatus;
                    view.status = if ends { BrokerStatus::Rejected } else { BrokerStatus::Working };
                }
            }
            _ => {}
        }
        view
    }

    /// How often somebody has looked, this time included.
    pub(super) fn looks(&self) -> u64 {
        let mut notes = self.notes();
        notes.reads += 1;
        notes.reads
    }

    pub(super) fn rename(&self, fill: &mut Fill) {
        fill.id = FillId::new(&format!("read-{}", self.looks())).unwrap();
    }
}
