//! The toy broker behind its counter: accounts, orders, fills. It knows nothing of HTTP.
//!
//! Its rules: orders at the market, executed [`LAG`] after they came in while the market is open; ids are taken for ever; five cents for
//! each order that executes; cash moves by `booked_amount`; an open buy reserves what it may cost, an open sell its units; what a sale
//! brings settles a day later; orders begin at a dollar; BRK is traded in whole shares, and leaving a holding is exempt from both.

use evenkeel_conformance::broker::{Fault, OrderTruth, Truth};
use evenkeel_domain::order::{Side, booked_amount};
use evenkeel_domain::values::{Lot, Money, Price, Quantity, Rounding, Symbol, Timestamp, Value};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long an order waits for its execution.
pub(crate) const LAG: Duration = Duration::from_millis(150);
pub(crate) const SETTLEMENT: Duration = Duration::from_secs(86_400);
pub(crate) const PAGE: usize = 50;

#[derive(Default)]
pub(crate) struct Bank {
    pub(crate) prices: BTreeMap<Symbol, Price>,
    pub(crate) halted: BTreeSet<Symbol>,
    pub(crate) closed_until: Option<Timestamp>,
    pub(crate) blocked: bool,
    pub(crate) cash: Money,
    pub(crate) holdings: BTreeMap<Symbol, Quantity>,
    /// What sales brought, and when it settles.
    unsettled: Vec<(Timestamp, Money)>,
    orders: Vec<Order>,
    fills: Vec<Json>,
    /// What is to become of the next order.
    pub(crate) fates: Vec<Fault>,
}

struct Order {
    id: String,
    symbol: Symbol,
    side: Side,
    quantity: Quantity,
    status: &'static str,
    filled: Quantity,
    value: Value,
    reserved: Money,
    fates: Vec<Fault>,
    /// When something happens to it next.
    due: Option<Timestamp>,
    fills: Vec<Json>,
}

/// A refusal: the code, and what is said.
pub(crate) type No = (&'static str, String);

impl Order {
    fn is_open(&self) -> bool {
        !matches!(self.status, "filled" | "canceled" | "expired" | "rejected")
    }

    fn has(&self, fate: Fault) -> bool {
        self.fates.contains(&fate)
    }

    fn rest(&self) -> Quantity {
        self.quantity.sub(self.filled).unwrap()
    }

    fn shown(&self) -> Json {
        json!({
            "id": format!("T-{}", self.id.len()),
            "client_order_id": self.id,
            "symbol": self.symbol.to_string(),
            "side": self.side.to_string(),
            "quantity": self.quantity.to_string(),
            "status": self.status,
            "filled": self.filled.to_string(),
            "fills": self.fills,
        })
    }
}

impl Bank {
    /// Takes an order, or says why not.
    pub(crate) fn submit(&mut self, now: Timestamp, order: &Json) -> Result<Json, No> {
        self.tick(now);
        let text = |field: &str| order[field].as_str().unwrap_or_default();
        let id = text("client_order_id").to_owned();
        if self.orders.iter().any(|order| order.id == id) {
            return Err(("duplicate_id", format!("{id} is taken")));
        }
        let symbol: Symbol = text("symbol").parse().map_err(|_| ("malformed", "symbol".to_owned()))?;
        let quantity: Quantity = text("quantity").parse().map_err(|_| ("malformed", "quantity".to_owned()))?;
        let side = if text("side") == "buy" { Side::Buy } else { Side::Sell };
        let reserved = self.judge(symbol, side, quantity)?;
        let fates = std::mem::take(&mut self.fates);
        let status = if fates.contains(&Fault::UnmappedStatus) { "pending_review" } else { "accepted" };
        let due = Some(now.plus(LAG));
        let (filled, value, fills) = (Quantity::ZERO, Value::ZERO, Vec::new());
        let order = Order { id, symbol, side, quantity, status, filled, value, reserved, fates, due, fills };
        let shown = order.shown();
        self.orders.push(order);
        Ok(shown)
    }

    /// An order that a person makes at the counter: under a number of its own, which no worker's id looks like.
    pub(crate) fn submit_by_hand(
        &mut self,
        now: Timestamp,
        symbol: Symbol,
        side: Side,
        quantity: Quantity,
    ) -> Result<(), No> {
        let id = format!("counter-{}", self.orders.len());
        let [symbol, side, quantity] = [symbol.to_string(), side.to_string(), quantity.to_string()];
        let order = json!({ "client_order_id": id, "symbol": symbol, "side": side, "quantity": quantity });
        self.submit(now, &order).map(drop)
    }

    /// What an order would reserve of the cash, if it may be made.
    fn judge(&self, symbol: Symbol, side: Side, quantity: Quantity) -> Result<Money, No> {
        let price = self.prices.get(&symbol).filter(|_| !self.halted.contains(&symbol));
        let price = price.ok_or_else(|| ("not_tradable", format!("{symbol} is not traded")))?;
        if let Some(opens_at) = self.closed_until {
            return Err(("market_closed", opens_at.to_string()));
        }
        if self.blocked {
            return Err(("account_blocked", "call us".to_owned()));
        }
        let held = self.holdings.get(&symbol).copied().unwrap_or_default();
        let is_exit = side == Side::Sell && quantity == held;
        let lot = if symbol.as_str() == "BRK" { Lot::new("1".parse().unwrap()).unwrap() } else { Lot::FINEST };
        if quantity.is_zero() || (!quantity.is_multiple_of(lot) && !is_exit) {
            return Err(("not_a_lot", format!("{symbol} is traded in steps of {lot}")));
        }
        let value = price.times(quantity);
        if !is_exit && value < "1.00".parse::<Money>().unwrap().to_value() {
            return Err(("below_minimum", "orders begin at 1.00".to_owned()));
        }
        match side {
            Side::Sell if quantity > self.available(symbol) => {
                Err(("insufficient_quantity", format!("{} of {symbol} are free", self.available(symbol))))
            }
            Side::Sell => Ok(Money::ZERO),
            Side::Buy => {
                let needed = value.to_money(Rounding::HalfEven).and_then(|cost| cost.add(fee()));
                let needed = needed.map_err(|_| ("insufficient_funds", "too much".to_owned()))?;
                let free = self.buying_power();
                if needed > free {
                    return Err(("insufficient_funds", format!("{needed} are needed, {free} are free")));
                }
                Ok(needed)
            }
        }
    }

    fn open(&self) -> impl Iterator<Item = &Order> {
        self.orders.iter().filter(|order| order.is_open())
    }

    fn available(&self, symbol: Symbol) -> Quantity {
        let held = self.holdings.get(&symbol).copied().unwrap_or_default();
        let promised = self.open().filter(|order| order.side == Side::Sell && order.symbol == symbol);
        promised.fold(held, |free, order| free.sub(order.rest()).unwrap_or_default())
    }

    fn buying_power(&self) -> Money {
        self.open().fold(self.cash, |free, order| free.sub(order.reserved).unwrap())
    }

    /// Lets everything happen that is due.
    pub(crate) fn tick(&mut self, now: Timestamp) {
        let closed = self.closed_until.is_some();
        for index in 0..self.orders.len() {
            let order = &mut self.orders[index];
            if !order.is_open() && !order.has(Fault::FillAfterCancel) || closed || order.due.is_none_or(|due| due > now)
            {
                continue;
            }
            order.due = None;
            let half = Quantity::from_nanos(order.quantity.nanos() / 2).unwrap();
            let half = if order.symbol.as_str() == "BRK" { half.floor_to("1".parse().unwrap()) } else { half };
            let (fates, rest, is_open) = (order.fates.clone(), order.rest(), order.is_open());
            match fates.iter().find(|fate| !is_of_the_cancel(**fate)) {
                _ if order.status == "canceling" => self.end(index, "canceled"),
                Some(Fault::NeverFill | Fault::UnmappedStatus) => {}
                Some(Fault::InParts(parts)) => self.in_parts(index, *parts, now),
                Some(Fault::InTwo { apart }) if rest == order.quantity => {
                    order.due = Some(now.plus(*apart));
                    self.execute(index, half, now);
                }
                Some(Fault::PartialThenWork) => self.execute(index, half, now),
                Some(Fault::PartialThenCancel) => {
                    self.execute(index, half, now);
                    self.end(index, "canceled");
                }
                Some(Fault::Expire) => self.end(index, "expired"),
                Some(Fault::PartialThenExpire) => {
                    self.execute(index, half, now);
                    self.end(index, "expired");
                }
                Some(Fault::RejectAfterAck) => self.end(index, "rejected"),
                Some(Fault::FillAfterCancel) if is_open => {}
                _ => self.execute(index, rest, now),
            }
        }
    }

    fn in_parts(&mut self, index: usize, parts: u32, now: Timestamp) {
        let order = &self.orders[index];
        let part = Quantity::from_nanos(order.quantity.nanos() / u128::from(parts)).unwrap();
        let part = if order.symbol.as_str() == "BRK" { part.floor_to("1".parse().unwrap()) } else { part };
        for _ in 1..parts {
            self.execute(index, part, now);
        }
        self.execute(index, self.orders[index].rest(), now);
    }

    fn execute(&mut self, index: usize, quantity: Quantity, now: Timestamp) {
        let number = self.fills.len() + 1;
        let order = &mut self.orders[index];
        let price = self.prices[&order.symbol];
        let value = order.value.add(price.times(quantity)).unwrap();
        let amount = booked_amount(order.value, value).unwrap();
        let fee = if order.filled.is_zero() { fee() } else { Money::ZERO };
        let held = self.holdings.remove(&order.symbol).unwrap_or_default();
        let (cash, held) = match order.side {
            Side::Buy => (self.cash.sub(amount), held.add(quantity)),
            Side::Sell => (self.cash.add(amount), held.sub(quantity)),
        };
        let held = held.unwrap();
        self.cash = cash.unwrap().sub(fee).unwrap();
        if !held.is_zero() {
            self.holdings.insert(order.symbol, held);
        }
        if order.side == Side::Sell {
            self.unsettled.push((now.plus(SETTLEMENT), amount.sub(fee).unwrap()));
        }
        (order.value, order.filled) = (value, order.filled.add(quantity).unwrap());
        order.reserved = order.reserved.sub(amount).unwrap().sub(fee).unwrap().max(Money::ZERO);
        let fill = json!({
            "id": number, // a number, not a text: ids are whatever a broker makes them
            "client_order_id": order.id,
            "symbol": order.symbol.to_string(),
            "side": order.side.to_string(),
            "quantity": quantity.to_string(),
            "price": price.to_string(),
            "fee": fee.to_string(),
            "at": now.to_string(),
        });
        order.fills.push(fill.clone());
        self.fills.push(fill);
        if order.rest().is_zero() {
            order.status = "filled";
        }
    }

    fn end(&mut self, index: usize, status: &'static str) {
        let order = &mut self.orders[index];
        (order.status, order.reserved) = (status, Money::ZERO);
    }

    /// Whether the order can still be canceled, and if its answer is to be lost; nothing if there is no such order.
    pub(crate) fn cancel(&mut self, now: Timestamp, id: &str) -> Option<(Result<(), Json>, bool)> {
        self.tick(now);
        let index = self.orders.iter().position(|order| order.id == id)?;
        let order = &mut self.orders[index];
        let lost = order.has(Fault::LoseCancelAnswer);
        if !order.is_open() {
            return Some((Err(order.shown()), lost));
        }
        if order.has(Fault::FillAfterCancel) {
            order.due = Some(now.plus(Duration::from_secs(2)));
        }
        match order.fates.iter().find_map(|fate| slow_cancel(*fate)) {
            None => self.end(index, "canceled"),
            Some(_) if order.status == "canceling" => {}
            Some(takes) => (order.status, order.due) = ("canceling", Some(now.plus(takes))),
        }
        Some((Ok(()), lost))
    }

    /// For how long the first cancel of this order is turned away, if it is.
    pub(crate) fn limits_cancel(&mut self, id: &str) -> Option<Duration> {
        let order = self.orders.iter_mut().find(|order| order.id == id)?;
        let limit = order.fates.iter().position(|fate| matches!(fate, Fault::RateLimitCancel { .. }))?;
        match order.fates.remove(limit) {
            Fault::RateLimitCancel { retry_after } => Some(retry_after),
            _ => None,
        }
    }

    pub(crate) fn order(&mut self, now: Timestamp, id: &str) -> Option<Json> {
        self.tick(now);
        self.orders.iter().find(|order| order.id == id).map(Order::shown)
    }

    pub(crate) fn open_orders(&mut self, now: Timestamp, after: usize) -> Json {
        self.tick(now);
        let open: Vec<Json> = self.open().skip(after).take(PAGE).map(Order::shown).collect();
        let more = self.open().count() > after + open.len();
        let next = more.then(|| (after + open.len()).to_string());
        json!({ "orders": open, "next": next })
    }

    pub(crate) fn fills(&mut self, now: Timestamp, after: usize) -> Json {
        self.tick(now);
        let fills: Vec<&Json> = self.fills.iter().skip(after).take(PAGE).collect();
        let next = after + fills.len();
        json!({ "fills": fills, "next": next.to_string(), "more": self.fills.len() > next })
    }

    pub(crate) fn positions(&mut self, now: Timestamp) -> Json {
        self.tick(now);
        let row = |(symbol, held): (&Symbol, &Quantity)| {
            let [quantity, available] = [*held, self.available(*symbol)].map(|units| units.to_string());
            json!({ "symbol": symbol.to_string(), "quantity": quantity, "available": available })
        };
        self.holdings.iter().map(row).collect()
    }

    pub(crate) fn account(&mut self, now: Timestamp) -> Json {
        self.tick(now);
        self.unsettled.retain(|(at, _)| *at > now);
        let settled = self.unsettled.iter().fold(self.cash, |cash, (_, part)| cash.sub(*part).unwrap());
        json!({
            "currency": "USD",
            "cash": self.cash.to_string(),
            "settled_cash": settled.to_string(),
            "buying_power": self.buying_power().to_string(),
            "blocked": self.blocked,
            "as_of": now.to_string(),
        })
    }

    pub(crate) fn truth(&mut self, now: Timestamp, requests: u64) -> Truth {
        self.tick(now);
        let mut orders: BTreeMap<_, OrderTruth> = BTreeMap::new();
        for order in &self.orders {
            let Ok(id) = order.id.parse() else { continue };
            let truth = orders.entry(id);
            let truth = truth.or_insert(OrderTruth { copies: 0, executed: Quantity::ZERO });
            truth.copies += 1;
            truth.executed = truth.executed.add(order.filled).unwrap();
        }
        Truth { orders, cash: self.cash, positions: self.holdings.clone(), requests: Some(requests) }
    }
}

/// What is about the order's cancel, and not about its execution.
fn is_of_the_cancel(fate: Fault) -> bool {
    matches!(fate, Fault::LoseCancelAnswer | Fault::RateLimitCancel { .. }) || slow_cancel(fate).is_some()
}

fn slow_cancel(fate: Fault) -> Option<Duration> {
    match fate {
        Fault::SlowCancel { takes } => Some(takes),
        _ => None,
    }
}

fn fee() -> Money {
    "0.05".parse().unwrap()
}
