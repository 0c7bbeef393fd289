//! An order as the venue keeps it: what was ordered, what was executed, how it ended, and from when each of it is seen.
//!
//! What happened and what can be seen of it are kept apart: every row and every ending carries the moment from which questions see
//! it. Nothing here moves cash or units: that is the [`Account`](crate::account::Account). All orders of one account,
//! and what is still known of those that were forgotten, are in `orders/book.rs`.

mod book;

pub use book::Forgotten;
#[cfg(test)]
pub(crate) use book::Place;
pub(crate) use book::{Known, OrderBook};

use crate::account::{Blocked, less};
use evenkeel_domain::order::{BrokerStatus, ClientOrderId, Costs, Fill, NotSent, OrderRequest, OrderView, Side};
use evenkeel_domain::values::{FillId, Money, Overflow, Price, Quantity, Rounding, Symbol, Timestamp, Value};
use smallvec::SmallVec;
use std::time::Duration;

/// One execution of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// Its place among the account's fills, from 1.
    pub(crate) number: u64,
    /// What that fill is called.
    pub(crate) id: FillId,
    pub(crate) side: Side,
    pub(crate) quantity: Quantity,
    pub(crate) price: Price,
    /// What it moves of cash, by the rule of [`booked_amount`](evenkeel_domain::order::booked_amount), without the fee.
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

    pub(crate) fn fill(&self) -> Fill {
        Fill { id: self.id.clone(), quantity: self.quantity, price: self.price, fee: self.fee, at: self.at }
    }
}

/// An order and, where the broker does not refuse duplicates, which copy of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct OrderKey {
    pub(crate) id: ClientOrderId,
    pub(crate) copy: u16,
}

/// How cancels of an order go.
#[derive(Debug, Clone, Default)]
pub(crate) struct CancelWay {
    pub(crate) lost: bool,
    pub(crate) answer_lost: bool,
    /// Why the next cancel is not even sent.
    pub(crate) not_sent: Option<NotSent>,
    /// How much later than usual it takes effect.
    pub(crate) slow: Option<Duration>,
    /// A cancel is under way at the venue.
    pub(crate) requested: bool,
    /// It is executed all the same, this long after a cancel took effect; `None` once that has happened or cannot any more.
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
    /// What it was when it was accepted, and what it became, each with when that is visible: a second time only by a late fill.
    opening: BrokerStatus,
    ending: Option<(Timestamp, BrokerStatus)>,
    late_ending: Option<(Timestamp, BrokerStatus)>,
    filled: Quantity,
    executed: Value,
    /// What was booked of that, by the rule of [`booked_amount`](evenkeel_domain::order::booked_amount), and of fees.
    amount: Money,
    fees: Money,
    /// Cash reserved when it was accepted, and what was spent since.
    reserved: Money,
    spent: Money,
    /// Nearly every order has one.
    rows: SmallVec<[Row; 1]>,
    /// So many of its rows were handed out in a view.
    handed_out: usize,
    /// Somebody else's: it bears no id of ours, whatever it is known by here.
    pub(crate) by_others: bool,
}

impl Order {
    pub(crate) fn new(request: OrderRequest, copy: u16, status: BrokerStatus, reserved: Money, at: Timestamp) -> Self {
        Self {
            request,
            copy,
            accepted_at: at,
            visible_at: at,
            cancel: CancelWay::default(),
            opening: status,
            ending: None,
            late_ending: None,
            filled: Quantity::ZERO,
            executed: Value::ZERO,
            amount: Money::ZERO,
            fees: Money::ZERO,
            reserved,
            spent: Money::ZERO,
            rows: SmallVec::new(),
            handed_out: 0,
            by_others: false,
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
        self.endings().next().map_or(&self.opening, |(_, status)| status)
    }

    /// The last first.
    fn endings(&self) -> impl Iterator<Item = &(Timestamp, BrokerStatus)> {
        self.late_ending.iter().chain(&self.ending)
    }

    /// Where questions see it stand at `now`.
    fn visible_status(&self, now: Timestamp) -> &BrokerStatus {
        let ending = self.endings().find(|(visible_at, _)| *visible_at <= now);
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
        self.ending.is_none()
    }

    /// The row that an execution would add, as the account's fill of this number.
    pub(crate) fn execution(
        &self,
        number: u64,
        quantity: Quantity,
        price: Price,
        fees: &Costs,
        at: Timestamp,
    ) -> Result<Row, Blocked> {
        let after = self.executed.add(price.times(quantity))?;
        let amount = after.to_money(Rounding::HalfEven)?.sub(self.amount)?;
        let fee = fees.of(after)?.sub(self.fees)?;
        let id = fill_id(number).ok_or(Blocked::Range)?;
        Ok(Row { number, id, side: self.side(), quantity, price, amount, fee, at, visible_at: at })
    }

    /// Adds an execution that was booked. Nothing changes if it does not fit.
    pub(crate) fn add(&mut self, row: Row) -> Result<(), Blocked> {
        let filled = self.filled.add(row.quantity)?;
        let executed = self.executed.add(row.price.times(row.quantity))?;
        let (amount, fees) = (self.amount.add(row.amount)?, self.fees.add(row.fee)?);
        if row.side == Side::Buy {
            self.spent = self.spent.add(row.amount)?.add(row.fee)?;
        }
        (self.filled, self.executed, self.amount, self.fees) = (filled, executed, amount, fees);
        self.rows.push(row);
        Ok(())
    }

    /// Ends it, or ends it in another way.
    pub(crate) fn end(&mut self, status: BrokerStatus, visible_at: Timestamp) {
        let ending = if self.is_open() { &mut self.ending } else { &mut self.late_ending };
        *ending = Some((visible_at, status));
    }

    /// What questions see of it at `now`; `None` while they do not see it at all.
    pub(crate) fn view(&self, now: Timestamp) -> Option<OrderView> {
        if self.visible_at > now {
            return None;
        }
        let (mut fills, mut filled) = (Vec::with_capacity(self.rows.len()), Quantity::ZERO);
        for row in self.rows.iter().filter(|row| row.visible_at <= now) {
            filled = filled.add(row.quantity).unwrap_or(filled);
            fills.push(row.fill());
        }
        let status = self.visible_status(now).clone();
        let terms = &self.request.terms;
        Some(OrderView {
            id: self.request.id,
            symbol: terms.symbol,
            side: terms.side,
            quantity: terms.quantity,
            status,
            filled,
            fills,
        })
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

    /// So many of its fills were seen.
    pub(crate) const fn handed_out(&self) -> usize {
        self.handed_out
    }

    /// Whether questions see it as open at `now`.
    pub(crate) fn seems_open(&self, now: Timestamp) -> bool {
        self.visible_at <= now && self.endings().all(|(visible_at, _)| *visible_at > now)
    }

    /// Makes all that happened to it visible: what was said once in an answer is said from then on.
    pub(crate) fn reveal(&mut self, now: Timestamp) {
        self.visible_at = self.visible_at.min(now);
        let ended = self.ending.iter_mut().chain(&mut self.late_ending).map(|(visible_at, _)| visible_at);
        let executed = self.rows.iter_mut().map(|row| &mut row.visible_at);
        ended.chain(executed).for_each(|visible_at| *visible_at = now.min(*visible_at));
    }

    fn is_forgettable(&self, read_past: u64) -> bool {
        let known = self.rows.iter().skip(self.handed_out).all(|row| row.number <= read_past);
        !self.is_open() && self.cancel.late_fill.is_none() && known
    }
}

/// What the account's fill of this number is called: `f1`, `f2` and so on.
pub(crate) fn fill_id(number: u64) -> Option<FillId> {
    // By hand and from the back: formatting would cost a quarter of the whole execution.
    let mut text = [b'f'; 21];
    let mut rest = number;
    let mut length = 1_usize;
    for digit in text.iter_mut().rev() {
        *digit = b'0'.saturating_add(u8::try_from(rest % 10).ok()?);
        (rest, length) = (rest / 10, length.saturating_add(1));
        if rest == 0 {
            break;
        }
    }
    let start = text.len().checked_sub(length)?;
    FillId::new(std::str::from_utf8(text.get(start..)?).ok()?).ok()
}
