//! What happens to accepted orders: executions at the board's price, and every way in which an order ends.

use super::{Event, Venue};
use crate::account::Blocked;
use crate::calibration::Leg;
use crate::draws::Concern;
use crate::orders::{Order, OrderKey};
use evenkeel_domain::order::{BrokerStatus, Side};
use evenkeel_domain::values::{Price, Quantity, Timestamp};
use std::time::Duration;

impl Venue {
    /// Executes a part of an order, unless it has ended; rejects it if the account cannot bear it.
    pub(super) fn execute(&mut self, account: usize, key: OrderKey, quantity: Quantity, at: Timestamp) {
        let Some(mut order) = self.accounts.get_mut(account).and_then(|a| a.book.take(key)) else { return };
        if self.halted.contains(&order.symbol()) {
            self.parked.push((order.symbol(), Event::Execution { account, key, quantity }));
        } else {
            let board = self.price(order.symbol());
            self.execute_order(account, &mut order, quantity, board, at);
        }
        if let Some(account) = self.accounts.get_mut(account) {
            account.book.put(order);
        }
    }

    /// The same for an order that is in hand, at the board's price of now.
    pub(super) fn execute_order(
        &mut self,
        account: usize,
        order: &mut Order,
        quantity: Quantity,
        board: Option<Price>,
        at: Timestamp,
    ) {
        let late = !order.is_open();
        if late && order.cancel.late_fill.take().is_none() {
            return;
        }
        let done = self.book_execution(account, order, quantity.min(order.remaining()), board, at);
        match done {
            Ok(()) if order.remaining().is_zero() => self.finish_order(account, order, BrokerStatus::Filled, at),
            Ok(()) => {}
            // What was canceled stays so; nothing is reserved for it any more.
            Err(_) if late => self.finish_order(account, order, BrokerStatus::Canceled, at),
            Err(_) => self.finish_order(account, order, BrokerStatus::Rejected, at),
        }
    }

    fn book_execution(
        &mut self,
        place: usize,
        order: &mut Order,
        quantity: Quantity,
        board: Option<Price>,
        at: Timestamp,
    ) -> Result<(), Blocked> {
        let price = self.execution_price(place, order, quantity, board.ok_or(Blocked::Range)?);
        let number = self.accounts.get(place).ok_or(Blocked::Range)?.book.next_number();
        let mut row = order.execution(number, quantity, price, &self.profile.fees, at)?;
        let lag = self.lag(place, order);
        let account = self.accounts.get_mut(place).ok_or(Blocked::Range)?;
        row.visible_at = account.seen_at(at.plus(lag));
        account.book(order, row)?;
        account.book.enter(order.key());
        if let Some(settlement) = self.profile.settlement {
            account.settle(order, settlement);
        }
        Ok(())
    }

    /// The board's price, worse for the account by half the spread, its impact and a drawn part of the slippage; rounded to the account's favour.
    fn execution_price(&mut self, account: usize, order: &Order, quantity: Quantity, board: Price) -> Price {
        let bound = u64::from(self.profile.slippage_bps).saturating_mul(100);
        if bound == 0 {
            return board;
        }
        let mut draw = self.draws.of(Concern::SLIPPAGE, self.key_of(account, order.request.id), step(order));
        let spread = u64::from(self.profile.half_spread_bps).saturating_mul(100);
        let impact = self.profile.liquidity.map_or(0, |liquidity| liquidity.impact(quantity));
        let drawn = draw.below(bound.saturating_sub(spread).saturating_add(1));
        let parts = spread.saturating_add(drawn).saturating_add(impact).min(bound);
        self.tally.slipped(parts);
        slipped(board, order.side(), parts)
    }

    /// How long it takes until questions see what happens to the order now.
    #[inline]
    pub(super) fn lag(&mut self, account: usize, order: &Order) -> Duration {
        let leg = (Leg::Visibility, Concern::VISIBLE);
        self.takes(leg, account, order.request.id, step(order), self.profile.visibility_lag)
    }

    /// Ends an order that is open.
    pub(super) fn finish(&mut self, account: usize, key: OrderKey, status: BrokerStatus, at: Timestamp) {
        let Some(mut order) = self.accounts.get_mut(account).and_then(|a| a.book.take(key)) else { return };
        if order.is_open() {
            self.finish_order(account, &mut order, status, at);
        }
        if let Some(account) = self.accounts.get_mut(account) {
            account.book.put(order);
        }
    }

    fn finish_order(&mut self, place: usize, order: &mut Order, status: BrokerStatus, at: Timestamp) {
        let lag = self.lag(place, order);
        let canceled = status == BrokerStatus::Canceled && order.is_open();
        order.cancel.late_fill = order.cancel.late_fill.filter(|_| canceled);
        if let Some(account) = self.accounts.get_mut(place) {
            let visible_at =
                if status == BrokerStatus::Filled { account.seen_at(at) } else { account.seen_at(at.plus(lag)) };
            order.end(status, visible_at);
        }
        if let Some(delay) = order.cancel.late_fill {
            let event = Event::Execution { account: place, key: order.key(), quantity: order.remaining() };
            self.schedule(at.plus(delay), event);
        } else if let Some(account) = self.accounts.get_mut(place) {
            account.release(order);
        }
    }
}

/// Which of its steps an order is at: what its draws are told apart by.
fn step(order: &Order) -> u32 {
    let rows = u32::try_from(order.rows().len()).unwrap_or(u32::MAX >> 8);
    u32::from(order.copy).saturating_mul(256).saturating_add(rows)
}

/// The price moved against the account by so many parts per million.
fn slipped(board: Price, side: Side, parts: u64) -> Price {
    let moved = u128::from(board.nanos()).saturating_mul(u128::from(parts)).checked_div(1_000_000).unwrap_or(0);
    let moved = u64::try_from(moved).unwrap_or(0);
    let nanos = match side {
        Side::Buy => board.nanos().saturating_add(moved),
        Side::Sell => board.nanos().saturating_sub(moved),
    };
    Price::from_nanos(nanos).unwrap_or(board)
}
