//! The orders and fills of one account, and what is still known of orders that were forgotten.

use super::{Order, OrderKey, Row};
use crate::draws::fingerprint;
use crate::sorted::Sorted;
use evenkeel_domain::order::{BatchId, ClientOrderId, Direction, OrderFill, Side};
use evenkeel_domain::values::{Symbol, Timestamp};
use std::collections::{BTreeMap, VecDeque};

/// What is known of an id.
pub(crate) enum Known<'a> {
    Nothing,
    Order(&'a mut Order),
    /// Only that it existed, and with which terms.
    Forgotten(u32),
}

/// What orders that were forgotten came to, in whole cents and billionths of a unit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// How many orders.
    pub orders: u64,
    /// What buys cost, without fees.
    pub bought: i128,
    /// What sells brought, without fees.
    pub sold: i128,
    /// Fees.
    pub fees: i128,
    /// Units bought less units sold.
    pub units: BTreeMap<Symbol, i128>,
}

/// [`Forgotten`], while it is added up.
#[derive(Debug, Default)]
struct Summary {
    orders: u64,
    bought: i128,
    sold: i128,
    fees: i128,
    units: Sorted<Symbol, i128>,
}

/// Which order of its batch: leg, direction, attempt and copy in one number, whose order is theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(u64);

impl Place {
    pub(crate) fn new(id: ClientOrderId, copy: u16) -> Self {
        let direction = match id.direction {
            Direction::Forward => 0,
            Direction::Reverse => 1,
        };
        let (leg, attempt) = (u64::from(id.leg.get()), u64::from(id.attempt.get()));
        Self(leg << 32 | direction << 24 | attempt << 16 | u64::from(copy))
    }

    /// The same for all copies, in half of the space: it is kept for every order there ever was.
    fn of_all_copies(id: ClientOrderId) -> u32 {
        u32::try_from(Self::new(id, 0).0 >> 16).unwrap_or(u32::MAX)
    }
}

/// The orders of one batch, which are forgotten together as far as they may be.
#[derive(Debug, Default)]
struct Batch {
    /// Side by side, as they are made one after the other and forgotten together; `None` while one is taken out.
    orders: Sorted<Place, Option<Order>>,
    /// The terms of orders that were forgotten, of all copies those of the last.
    forgotten: Sorted<u32, u32>,
}

/// The orders and fills of one account.
#[derive(Debug, Default)]
pub(crate) struct OrderBook {
    /// Batches of which an order is remembered.
    batches: BTreeMap<BatchId, Batch>,
    /// Whether there ever was a second copy of an order.
    has_copies: bool,
    /// What is left of all other batches.
    past: BTreeMap<BatchId, Sorted<u32, u32>>,
    /// The room of the last batch that is past, for the next one: an account keeps it.
    spare: Sorted<Place, Option<Order>>,
    forgotten: Summary,
    batch: Option<BatchId>,
    /// Whose each fill was, in the order of their numbers; the first of them is number `before + 1`.
    log: VecDeque<OrderKey>,
    before: u64,
    read_past: u64,
}

impl OrderBook {
    /// What is known of an id. Of several copies it is the first that is open, or else the last.
    pub(crate) fn find(&mut self, id: ClientOrderId) -> Known<'_> {
        let copy = if self.has_copies { self.copy_of(id) } else { 0 };
        let forgotten = match self.batches.get_mut(&id.batch) {
            None => self.past.get(&id.batch),
            Some(Batch { orders, forgotten }) => match orders.get_mut(Place::new(id, copy)) {
                Some(Some(order)) => return Known::Order(order),
                Some(None) | None => Some(&*forgotten),
            },
        };
        let terms = forgotten.and_then(|forgotten| forgotten.get(Place::of_all_copies(id)));
        terms.map_or(Known::Nothing, |terms| Known::Forgotten(*terms))
    }

    fn copy_of(&self, id: ClientOrderId) -> u16 {
        let copies = || self.copies(id);
        let found = copies().find(|order| order.is_open()).or_else(|| copies().next_back());
        found.map_or(0, |order| order.copy)
    }

    fn copies(&self, id: ClientOrderId) -> impl DoubleEndedIterator<Item = &Order> {
        let batch = self.batches.get(&id.batch).into_iter();
        batch.flat_map(move |batch| batch.orders.range(Place::new(id, 0), Place::new(id, u16::MAX))).flatten()
    }

    /// The copy that another order of this id would be.
    pub(crate) fn next_copy(&self, id: ClientOrderId) -> u16 {
        self.copies(id).next_back().map_or(0, |order| order.copy.saturating_add(1))
    }

    fn get(&self, key: OrderKey) -> Option<&Order> {
        self.batches.get(&key.id.batch)?.orders.get(Place::new(key.id, key.copy))?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, key: OrderKey) -> Option<&mut Order> {
        self.batches.get_mut(&key.id.batch)?.orders.get_mut(Place::new(key.id, key.copy))?.as_mut()
    }

    /// Takes an order out, to change it and its account together; [`OrderBook::put`] brings it back.
    pub(crate) fn take(&mut self, key: OrderKey) -> Option<Order> {
        self.batches.get_mut(&key.id.batch)?.orders.get_mut(Place::new(key.id, key.copy))?.take()
    }

    pub(crate) fn put(&mut self, order: Order) {
        self.has_copies |= order.copy > 0;
        let id = order.request.id;
        let batch = self.batches.entry(id.batch).or_insert_with(|| {
            let forgotten = self.past.remove(&id.batch).unwrap_or_default();
            Batch { orders: std::mem::take(&mut self.spare), forgotten }
        });
        batch.orders.insert(Place::new(id, order.copy), Some(order));
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Order> {
        self.batches.values().flat_map(|batch| batch.orders.values()).flatten()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Order> {
        self.batches.values_mut().flat_map(|batch| batch.orders.values_mut()).flatten()
    }

    /// The number of the next fill.
    pub(crate) fn next_number(&self) -> u64 {
        self.last_number().saturating_add(1)
    }

    pub(crate) fn last_number(&self) -> u64 {
        self.before.saturating_add(u64::try_from(self.log.len()).unwrap_or(u64::MAX))
    }

    /// Numbers the first fill after this number, as if so many had been read before. False if there was an order already.
    pub(crate) fn continue_after(&mut self, number: u64) -> bool {
        let is_new = self.batches.is_empty() && self.past.is_empty() && self.last_number() == 0;
        if is_new {
            self.before = number;
        }
        is_new
    }

    /// Enters the next fill as one of this order.
    pub(crate) fn enter(&mut self, key: OrderKey) {
        self.log.push_back(key);
    }

    /// Every row from the newest back, with its order.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = (&Order, &Row)> {
        (0..self.last_number()).rev().map_while(move |before| self.row(before.saturating_add(1)))
    }

    fn row(&self, number: u64) -> Option<(&Order, &Row)> {
        let place = number.checked_sub(self.before)?.checked_sub(1)?;
        let order = self.get(*self.log.get(usize::try_from(place).ok()?)?)?;
        let row = order.rows.iter().find(|row| row.number == number)?;
        Some((order, row))
    }

    /// The fills after the first `after`, at most `page` of them and only what is visible; whether there are more; and where to go on.
    pub(crate) fn page(&mut self, after: u64, page: usize, now: Timestamp) -> (Vec<OrderFill>, u64, bool) {
        self.read_past = self.read_past.max(after);
        // What comes before the log was forgotten, so it was handed out.
        let mut read = after.max(self.before);
        let left = usize::try_from(self.last_number().saturating_sub(read)).unwrap_or(usize::MAX);
        let mut fills = Vec::with_capacity(left.min(page));
        for number in read.saturating_add(1)..=self.last_number() {
            let Some((order, row)) = self.row(number) else {
                // Forgotten likewise.
                read = number;
                continue;
            };
            if row.visible_at > now {
                break;
            }
            if fills.len() >= page {
                return (fills, read, false);
            }
            let (symbol, side) = (order.symbol(), order.side());
            let ours = (!order.by_others).then_some(order.request.id);
            fills.push(OrderFill { order: ours, symbol, side, fill: row.fill() });
            read = number;
        }
        (fills, read, true)
    }

    pub(crate) fn has(&self, id: ClientOrderId) -> bool {
        self.get(OrderKey { id, copy: 0 }).is_some()
    }

    pub(crate) fn forgotten(&self) -> Forgotten {
        let Summary { orders, bought, sold, fees, ref units } = self.forgotten;
        Forgotten { orders, bought, sold, fees, units: units.entries().iter().copied().collect() }
    }

    /// Forgets what ended of other batches than this, the account's newest. True if this batch is new.
    pub(crate) fn forget_all_but(&mut self, batch: BatchId) -> bool {
        if self.batch.replace(batch) == Some(batch) {
            return false;
        }
        for (_, Batch { orders, forgotten }) in self.batches.iter_mut().filter(|(id, _)| **id != batch) {
            forgotten.reserve(orders.entries().len());
            orders.retain(|order| {
                let Some(order) = order.as_ref().filter(|order| order.is_forgettable(self.read_past)) else {
                    return true;
                };
                forgotten.insert(Place::of_all_copies(order.request.id), fingerprint(&order.request.terms));
                self.forgotten.add(order);
                false
            });
        }
        self.batches.retain(|id, Batch { orders, forgotten }| {
            let is_past = orders.entries().is_empty();
            if is_past {
                self.past.insert(*id, std::mem::take(forgotten));
                self.spare = std::mem::take(orders);
            }
            !is_past
        });
        while self.log.front().is_some_and(|key| self.get(*key).is_none()) {
            self.log.pop_front();
            self.before = self.before.saturating_add(1);
        }
        true
    }
}

impl Summary {
    fn add(&mut self, order: &Order) {
        self.orders = self.orders.saturating_add(1);
        for row in &order.rows {
            let (amount, fee) = (i128::from(row.amount.cents()), i128::from(row.fee.cents()));
            let quantity = i128::try_from(row.quantity.nanos()).unwrap_or(i128::MAX);
            self.fees = self.fees.saturating_add(fee);
            let units = match row.side {
                Side::Buy => {
                    self.bought = self.bought.saturating_add(amount);
                    quantity
                }
                Side::Sell => {
                    self.sold = self.sold.saturating_add(amount);
                    quantity.saturating_neg()
                }
            };
            self.units.change(order.symbol(), |sum| *sum = sum.saturating_add(units));
        }
    }
}
