//! One order at the broker, as it really is.

use super::{Action, Share};
use crate::order::{BrokerStatus, ClientOrderId, Fill, Terms};
use crate::testing::machine::short;
use crate::testing::read;
use crate::values::{Money, Price, Quantity, Timestamp};

/// One order, as it really is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Truth {
    pub(super) terms: Terms,
    /// A request is on its way and may still arrive.
    pub(crate) on_the_way: bool,
    /// Where it stands at the broker, once it has arrived.
    pub(crate) status: Option<BrokerStatus>,
    pub(crate) fills: Vec<Fill>,
    /// How many orders the broker made of this id.
    pub(super) arrivals: u8,
}

impl Truth {
    pub(super) fn filled(&self) -> Quantity {
        self.fills.iter().fold(Quantity::ZERO, |sum, fill| sum.add(fill.quantity).unwrap())
    }

    /// The broker takes it; of the same id it makes no second one.
    pub(super) fn arrive(&mut self) {
        self.on_the_way = false;
        self.arrivals += 1;
        self.status.get_or_insert(BrokerStatus::Working);
    }

    /// One unit is executed as a whole, so that exploring comes to an end; so is the last decimal.
    pub(super) fn can_be_halved(&self) -> bool {
        self.fills.is_empty() && self.terms.quantity != read("1") && self.terms.quantity > Quantity::STEP
    }

    /// Executes half of what is left, or all of it.
    pub(super) fn execute(&mut self, id: ClientOrderId, share: Share, (fee, off): (Money, u64)) {
        let left = self.terms.quantity.sub(self.filled()).unwrap();
        let half = Quantity::from_nanos(left.nanos() / 2).unwrap();
        let quantity = if share == Share::Half && self.can_be_halved() { half } else { left };
        let name = format!("{}-{}", short(id), self.fills.len());
        let at = Timestamp::EPOCH;
        let price = Price::from_nanos(self.terms.reference.nanos() + off).unwrap();
        self.fills.push(Fill { id: read(&name), quantity, price, fee, at });
        if self.filled() == self.terms.quantity {
            self.status = Some(BrokerStatus::Filled);
        }
    }

    /// What can happen to it at the broker.
    pub(super) fn happenings(&self, id: ClientOrderId) -> Vec<Action> {
        let mut happenings = Vec::new();
        if self.on_the_way && self.status.is_none() {
            happenings.extend([Action::Arrive(id), Action::Vanish(id)]);
        }
        if self.status == Some(BrokerStatus::Working) {
            happenings.push(Action::Execute(id, Share::Rest));
            happenings.extend(self.can_be_halved().then_some(Action::Execute(id, Share::Half)));
            happenings.extend([Action::Expire(id), Action::Reject(id)]);
        }
        happenings
    }
}
