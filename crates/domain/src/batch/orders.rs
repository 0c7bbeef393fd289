//! The orders of one batch, in the order of leg, direction and attempt.

use super::Order;
use crate::order::{Attempt, BatchId, ClientOrderId, Direction, LegNumber};
use crate::sorted::Sorted;

/// The orders of one batch, by leg, direction and attempt: side by side, as they are made, gone through and forgotten together.
///
/// ```
/// # fn print(batch: &evenkeel_domain::batch::Batch) {
/// for (id, order) in &batch.orders {
///     println!("{id}: {} of {} {}", order.filled, order.terms.quantity, order.terms.symbol);
/// }
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Orders(Sorted<ClientOrderId, Order>);

impl Orders {
    /// Nearly always each leg has one order so far, and all legs before it have too.
    #[inline]
    fn place(&self, id: ClientOrderId) -> Option<usize> {
        self.0.place_near(usize::from(id.leg.get()), id).ok()
    }

    /// The order of this id.
    #[must_use]
    #[inline]
    pub fn get(&self, id: ClientOrderId) -> Option<&Order> {
        let (_, order) = self.0.entries().get(self.place(id)?)?;
        Some(order)
    }

    /// The order of this id, to be changed.
    #[inline]
    pub(crate) fn get_mut(&mut self, id: ClientOrderId) -> Option<&mut Order> {
        let place = self.place(id)?;
        self.0.value_mut(place)
    }

    /// True if there is an order of this id.
    #[must_use]
    pub fn contains(&self, id: ClientOrderId) -> bool {
        self.place(id).is_some()
    }

    /// All of them with their ids.
    pub fn iter(&self) -> OrdersIter<'_> {
        OrdersIter(self.0.entries().iter())
    }

    /// Their ids.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = ClientOrderId> {
        self.0.entries().iter().map(|(id, _)| *id)
    }

    /// All of them, without their ids.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Order> {
        self.0.entries().iter().map(|(_, order)| order)
    }

    /// Those of one leg and direction, first attempt first.
    pub(super) fn attempts_of(
        &self,
        batch: BatchId,
        leg: LegNumber,
        direction: Direction,
    ) -> impl DoubleEndedIterator<Item = (ClientOrderId, &Order)> {
        let first = ClientOrderId { batch, leg, direction, attempt: Attempt::FIRST };
        let place = self.0.place_near(usize::from(leg.get()), first).unwrap_or_else(|place| place);
        let from = self.0.entries().get(place..).unwrap_or_default();
        let is_other = |(id, _): &(ClientOrderId, Order)| id.leg != leg || id.direction != direction;
        let count = from.iter().position(is_other).unwrap_or(from.len());
        from.iter().take(count).map(|(id, order)| (*id, order))
    }

    /// Has `change` change each order that `fits`.
    pub(crate) fn change(&mut self, fits: impl Fn(&Order) -> bool, change: impl FnMut(&mut Order)) {
        self.0.values_mut().filter(|order| fits(order)).for_each(change);
    }

    /// Takes orders in.
    pub(crate) fn extend(&mut self, orders: impl IntoIterator<Item = (ClientOrderId, Order)>) {
        self.0.extend(orders);
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.entries().len()
    }

    /// True if there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.entries().is_empty()
    }
}

impl<'a> IntoIterator for &'a Orders {
    type Item = (ClientOrderId, &'a Order);
    type IntoIter = OrdersIter<'a>;

    fn into_iter(self) -> OrdersIter<'a> {
        self.iter()
    }
}

/// The orders of one batch with their ids. See [`Orders::iter`].
#[derive(Debug, Clone)]
pub struct OrdersIter<'a>(std::slice::Iter<'a, (ClientOrderId, Order)>);

impl<'a> Iterator for OrdersIter<'a> {
    type Item = (ClientOrderId, &'a Order);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(id, order)| (*id, order))
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for OrdersIter<'_> {}
