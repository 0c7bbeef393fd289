//! One account's orders and fills, and what is still known of those that were forgotten.
//!
//! What happened and what can be seen of it are kept apart: every row of an order carries the moment from which questions see it.
//! Nothing here moves cash or units: that is the [`Account`](crate::account::Account).

use crate::account::{Blocked, less};
use crate::draws::fingerprint;
use evenkeel_domain::order::{BatchId, BrokerStatus, ClientOrderId, Costs, Fill, OrderFill, OrderRequest, OrderView, Side, booked_amount};
use evenkeel_domain::values::{FillId, IdError, Money, Overflow, Price, Quantity, Symbol, Timestamp, Value};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// One execution of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    /// Its place among the account's fills, from 1.
    pub(crate) number: u64,
    pub(crate) side: Side,
    pub(crate) quantity: Quantity,
    pub(crate) price: Price,
    /// What it moves of cash, by the rule of [`booked_amount`], without the fee.
    pub(crate) amount: Money,
    pub(crate) fee: Money,
    pub(crate) at: Timestamp,
    pub(crate) visible_at: Timestamp,
}

impl Row {
    /// What the account's cash changes by.
    pub(crate) fn cash_change(&self) -> Result<Money, Overflow> {
        match self.side {
            Side::Sell => self.amount.sub(self.fee),
            Side::Buy => self.amount.negate().sub(self.fee),
        }
    }

    pub(crate) fn fill(&self) -> Result<Fill, IdError> {
        let id = FillId::new(&format!("f{}", self.number))?;
        Ok(Fill { id, quantity: self.quantity, price: self.price, fee: self.fee, at: self.at })
    }
}

/// An order and, where the broker does not refuse duplicates, which copy of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct OrderKey {
    pub(crate) id: ClientOrderId,
    pub(crate) copy: u16,
}

/// How cancels of an order go.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CancelWay {
    pub(crate) lost: bool,
    pub(crate) answer_lost: bool,
    /// A cancel is under way at the venue.
    pub(crate) requested: bool,
    /// It is executed all the same, this long afterwards.
    pub(crate) late_fill: Option<Duration>,
}

/// An order as the venue keeps it.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) request: OrderRequest,
    pub(crate) copy: u16,
    pub(crate) accepted_at: Timestamp,
    pub(crate) visible_at: Timestamp,
    pub(crate) cancel: CancelWay,
    /// Events that are still to come for it.
    pub(crate) pending: u32,
    /// What it was when it was accepted, and what it became, each with when that is visible. More than once only by a late fill.
    opening: BrokerStatus,
    endings: Vec<(Timestamp, BrokerStatus)>,
    filled: Quantity,
    executed: Value,
    fees: Money,
    /// Cash reserved when it was accepted, and what was spent since.
    reserved: Money,
    spent: Money,
    rows: Vec<Row>,
    /// So many of its rows were handed out in a view.
    handed_out: usize,
}

impl Order {
    pub(crate) fn new(request: OrderRequest, copy: u16, status: BrokerStatus, reserved: Money, at: Timestamp) -> Self {
        Self {
            request,
            copy,
            accepted_at: at,
            visible_at: at,
            cancel: CancelWay::default(),
            pending: 0,
            opening: status,
            endings: Vec::new(),
            filled: Quantity::ZERO,
            executed: Value::ZERO,
            fees: Money::ZERO,
            reserved,
            spent: Money::ZERO,
            rows: Vec::new(),
            handed_out: 0,
        }
    }

    pub(crate) const fn key(&self) -> OrderKey {
        OrderKey { id: self.request.id, copy: self.copy }
    }

    pub(crate) const fn side(&self) -> Side {
        self.request.terms.side
    }

    pub(crate) const fn symbol(&self) -> Symbol {
        self.request.terms.symbol
    }

    pub(crate) fn status(&self) -> &BrokerStatus {
        self.endings.last().map_or(&self.opening, |(_, status)| status)
    }

    /// Where questions see it stand at `now`.
    fn visible_status(&self, now: Timestamp) -> &BrokerStatus {
        let ending = self.endings.iter().rev().find(|(visible_at, _)| *visible_at <= now);
        ending.map_or(&self.opening, |(_, status)| status)
    }

    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// What an order still waits for.
    pub(crate) fn remaining(&self) -> Quantity {
        less(self.request.terms.quantity, self.filled)
    }

    /// Cash it still has reserved.
    pub(crate) fn held(&self) -> Money {
        self.reserved.sub(self.spent).unwrap_or(Money::ZERO).max(Money::ZERO)
    }

    pub(crate) const fn is_open(&self) -> bool {
        self.endings.is_empty()
    }

    /// The row that an execution would add.
    pub(crate) fn execution(&self, quantity: Quantity, price: Price, fees: &Costs, at: Timestamp) -> Result<Row, Blocked> {
        let after = self.executed.add(price.times(quantity))?;
        let amount = booked_amount(self.executed, after)?;
        let fee = fees.of(after)?.sub(self.fees)?;
        Ok(Row { number: 0, side: self.side(), quantity, price, amount, fee, at, visible_at: at })
    }

    /// Adds an execution that was booked. Nothing changes if it does not fit.
    pub(crate) fn add(&mut self, row: Row) -> Result<(), Blocked> {
        let filled = self.filled.add(row.quantity)?;
        let executed = self.executed.add(row.price.times(row.quantity))?;
        let fees = self.fees.add(row.fee)?;
        if row.side == Side::Buy {
            self.spent = self.spent.add(row.amount)?.add(row.fee)?;
        }
        (self.filled, self.executed, self.fees) = (filled, executed, fees);
        self.rows.push(row);
        Ok(())
    }

    /// Ends it, or ends it in another way.
    pub(crate) fn end(&mut self, status: BrokerStatus, visible_at: Timestamp) {
        self.endings.push((visible_at, status));
    }

    /// Nothing is reserved for it any more.
    pub(crate) fn let_go(&mut self) {
        self.reserved = Money::ZERO;
    }

    /// What questions see of it at `now`; `None` while they do not see it at all.
    pub(crate) fn view(&self, now: Timestamp) -> Option<OrderView> {
        if self.visible_at > now {
            return None;
        }
        let seen = self.rows.iter().filter(|row| row.visible_at <= now);
        let fills: Vec<Fill> = seen.clone().filter_map(|row| row.fill().ok()).collect();
        let filled = seen.fold(Quantity::ZERO, |sum, row| sum.add(row.quantity).unwrap_or(sum));
        let status = self.visible_status(now).clone();
        let terms = &self.request.terms;
        Some(OrderView { id: self.request.id, symbol: terms.symbol, side: terms.side, quantity: terms.quantity, status, filled, fills })
    }

    /// Its view, which somebody is going to see.
    pub(crate) fn tell(&mut self, now: Timestamp) -> Option<OrderView> {
        let view = self.view(now);
        self.hand_out(view.as_ref().map_or(0, |view| view.fills.len()));
        view
    }

    /// Somebody has seen so many of its fills.
    pub(crate) fn hand_out(&mut self, fills: usize) {
        self.handed_out = self.handed_out.max(fills);
    }

    /// Whether questions see it as open at `now`.
    pub(crate) fn seems_open(&self, now: Timestamp) -> bool {
        self.visible_at <= now && self.endings.iter().all(|(visible_at, _)| *visible_at > now)
    }

    /// Makes all that happened to it visible: what was said once in an answer is said from then on.
    pub(crate) fn reveal(&mut self, now: Timestamp) {
        self.visible_at = self.visible_at.min(now);
        let ended = self.endings.iter_mut().map(|(visible_at, _)| visible_at);
        let executed = self.rows.iter_mut().map(|row| &mut row.visible_at);
        ended.chain(executed).for_each(|visible_at| *visible_at = now.min(*visible_at));
    }

    fn is_forgettable(&self, read_past: u64) -> bool {
        let known = self.rows.iter().skip(self.handed_out).all(|row| row.number <= read_past);
        !self.is_open() && self.pending == 0 && known
    }
}

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

/// The orders and fills of one account.
#[derive(Debug, Default)]
pub(crate) struct OrderBook {
    orders: BTreeMap<OrderKey, Order>,
    ids: BTreeMap<ClientOrderId, u32>,
    forgotten: Forgotten,
    batch: Option<BatchId>,
    /// Whose each fill was, in the order of their numbers; the first of them is number `before + 1`.
    log: VecDeque<OrderKey>,
    before: u64,
    read_past: u64,
}

impl OrderBook {
    /// What is known of an id. Of several copies it is the first that is open, or else the last.
    pub(crate) fn find(&mut self, id: ClientOrderId) -> Known<'_> {
        let copies = OrderKey { id, copy: 0 }..=OrderKey { id, copy: u16::MAX };
        let open = self.orders.range(copies.clone()).find(|(_, order)| order.is_open());
        let key = open.or_else(|| self.orders.range(copies).next_back()).map(|(key, _)| *key);
        if let Some(order) = key.and_then(|key| self.orders.get_mut(&key)) {
            return Known::Order(order);
        }
        self.ids.get(&id).map_or(Known::Nothing, |terms| Known::Forgotten(*terms))
    }

    /// The copy that another order of this id would be.
    pub(crate) fn next_copy(&self, id: ClientOrderId) -> u16 {
        let copies = OrderKey { id, copy: 0 }..=OrderKey { id, copy: u16::MAX };
        self.orders.range(copies).next_back().map_or(0, |(key, _)| key.copy.saturating_add(1))
    }

    pub(crate) fn get_mut(&mut self, key: OrderKey) -> Option<&mut Order> {
        self.orders.get_mut(&key)
    }

    /// Takes an order out, to change it and its account together; [`OrderBook::put`] brings it back.
    pub(crate) fn take(&mut self, key: OrderKey) -> Option<Order> {
        self.orders.remove(&key)
    }

    pub(crate) fn put(&mut self, order: Order) {
        self.orders.insert(order.key(), order);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Order> {
        self.orders.values()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Order> {
        self.orders.values_mut()
    }

    /// The number of the next fill.
    pub(crate) fn next_number(&self) -> u64 {
        self.last_number().saturating_add(1)
    }

    pub(crate) fn last_number(&self) -> u64 {
        self.before.saturating_add(u64::try_from(self.log.len()).unwrap_or(u64::MAX))
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
        let order = self.orders.get(self.log.get(usize::try_from(place).ok()?)?)?;
        let row = order.rows.iter().find(|row| row.number == number)?;
        Some((order, row))
    }

    /// The fills after the first `after`, at most `page` of them and only what is visible; whether there are more; and where to go on.
    pub(crate) fn page(&mut self, after: u64, page: usize, now: Timestamp) -> (Vec<OrderFill>, u64, bool) {
        self.read_past = self.read_past.max(after);
        let mut fills = Vec::new();
        let mut read = after;
        for number in after.saturating_add(1)..=self.last_number() {
            let Some((order, row)) = self.row(number) else {
                // Forgotten, so handed out before.
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
            fills.extend(row.fill().ok().map(|fill| OrderFill { order: Some(order.request.id), symbol, side, fill }));
            read = number;
        }
        (fills, read, true)
    }

    pub(crate) fn has(&self, id: ClientOrderId) -> bool {
        self.orders.contains_key(&OrderKey { id, copy: 0 })
    }

    pub(crate) const fn forgotten(&self) -> &Forgotten {
        &self.forgotten
    }

    /// Forgets what ended of other batches than this, the account's newest. True if this batch is new.
    pub(crate) fn forget_all_but(&mut self, batch: BatchId) -> bool {
        if self.batch.replace(batch) == Some(batch) {
            return false;
        }
        self.orders.retain(|key, order| {
            let stays = key.id.batch == batch || !order.is_forgettable(self.read_past);
            if !stays {
                self.ids.insert(key.id, fingerprint(&order.request.terms));
                self.forgotten.add(order);
            }
            stays
        });
        while self.log.front().is_some_and(|key| !self.orders.contains_key(key)) {
            self.log.pop_front();
            self.before = self.before.saturating_add(1);
        }
        true
    }
}

impl Forgotten {
    fn add(&mut self, order: &Order) {
        self.orders = self.orders.saturating_add(1);
        for row in &order.rows {
            let (amount, fee) = (i128::from(row.amount.cents()), i128::from(row.fee.cents()));
            let quantity = i128::try_from(row.quantity.nanos()).unwrap_or(i128::MAX);
            let units = self.units.entry(order.symbol()).or_default();
            self.fees = self.fees.saturating_add(fee);
            match row.side {
                Side::Buy => {
                    self.bought = self.bought.saturating_add(amount);
                    *units = units.saturating_add(quantity);
                }
                Side::Sell => {
                    self.sold = self.sold.saturating_add(amount);
                    *units = units.saturating_sub(quantity);
                }
            }
        }
    }
}
