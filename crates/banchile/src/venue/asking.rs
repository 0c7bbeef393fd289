//! Questions: what can be seen of an account, of its orders and of its fills.
//!
//! What is seen lags: it is the account as it really was at some moment within the profile's `visibility_lag`, because fills become
//! visible in the order in which they were executed. An answer to a request that shows an order ends the lag of its account.

use super::Venue;
use crate::account::{Account, AccountError, less};
use crate::calibration::Happening;
use crate::draws::{Concern, Key};
use crate::orders::{Known, OrderBook};
use crate::profile::Chance;
use evenkeel_domain::order::{ClientOrderId, FillCursor, Lookup, OrderView, Side};
use evenkeel_domain::values::{AccountId, Money, Quantity, Symbol};
use evenkeel_ports::{AccountView, FillPage, Position};
use std::collections::BTreeMap;

impl Venue {
    pub(crate) fn look_up(&mut self, name: &AccountId, id: ClientOrderId) -> Result<Lookup, AccountError> {
        let (now, horizon) = (self.now, self.capabilities.visibility_horizon);
        let account = self.account_mut(name)?;
        let mut told_before = 0;
        let quiet = account.last_send.is_none_or(|sent| now >= sent.plus(horizon));
        let lookup = match account.book.find(id) {
            Known::Order(order) => {
                told_before = order.handed_out();
                order.tell(now).map_or(Lookup::Unproven, Lookup::Found)
            }
            Known::Forgotten(_) => Lookup::Unproven,
            Known::Nothing if quiet => Lookup::Absent,
            Known::Nothing => Lookup::Unproven,
        };
        Ok(match lookup {
            Lookup::Found(view) => Lookup::Found(self.jumbled(name, view, told_before)),
            told @ (Lookup::Absent | Lookup::Unproven) => told,
        })
    }

    pub(crate) fn open_orders(&mut self, name: &AccountId) -> Result<Vec<OrderView>, AccountError> {
        let now = self.now;
        let orders = self.account_mut(name)?.book.iter_mut();
        let open = orders.filter(|order| order.seems_open(now) && !order.by_others);
        let views: Vec<(usize, Option<OrderView>)> = open.map(|order| (order.handed_out(), order.tell(now))).collect();
        let told = views.into_iter().filter_map(|(before, view)| view.map(|view| self.jumbled(name, view, before)));
        Ok(told.collect())
    }

    /// `None` for a cursor that is not one of this account.
    pub(crate) fn fills(
        &mut self,
        name: &AccountId,
        cursor: Option<&FillCursor>,
    ) -> Result<Option<FillPage>, AccountError> {
        let (now, page) = (self.now, self.profile.page.max(1));
        let account = self.account_mut(name)?;
        let book = &mut account.book;
        let Some(after) = cursor.map_or(Some(0), |cursor| read_cursor(book, cursor)) else { return Ok(None) };
        let (mut fills, read, complete) = book.page(after, page, now);
        // A page of the same place is jumbled in the same way.
        if let Some(first) = fills.first().and_then(|fill| fill.order) {
            let is_new = account.pages_from <= after;
            account.pages_from = account.pages_from.max(after.saturating_add(1));
            self.jumble(name, (first, u32::try_from(after).unwrap_or(u32::MAX)), is_new, &mut fills);
        }
        Ok(Some(FillPage { fills, next: FillCursor(read.to_string()), complete }))
    }

    /// The view of which so many fills were told before.
    fn jumbled(&mut self, account: &AccountId, mut view: OrderView, told_before: usize) -> OrderView {
        let seen = u32::try_from(view.fills.len()).unwrap_or(u32::MAX);
        let is_new = told_before < view.fills.len();
        self.jumble(account, (view.id, seen), is_new, &mut view.fills);
        view
    }

    /// Gives a list of fills in another order, with one of them twice, if that is drawn. Readers tell fills apart by their ids.
    /// Counted if it `is_new`.
    fn jumble<T: Clone>(
        &mut self,
        account: &AccountId,
        (id, occurrence): (ClientOrderId, u32),
        is_new: bool,
        fills: &mut Vec<T>,
    ) {
        if self.profile.disorder == Chance::NEVER || fills.is_empty() {
            return;
        }
        let happens = self.draws.happens(Concern::DISORDER, Key::new(account, id), occurrence, self.profile.disorder);
        if is_new {
            self.tally.chance(Happening::Disorder, happens);
        }
        if happens {
            fills.reverse();
            fills.extend(fills.first().cloned());
        }
    }

    pub(crate) fn positions(&self, account: &AccountId) -> Result<Vec<Position>, AccountError> {
        let account = self.account(account)?;
        let unseen = self.unseen(account);
        let seen = account.holdings.entries().iter().map(|(symbol, holding)| {
            let before = |change: &i128| {
                let units = holding.units.nanos().saturating_add_signed(change.saturating_neg());
                Quantity::from_nanos(units).unwrap_or(holding.units)
            };
            let quantity = unseen.units.get(symbol).map_or(holding.units, before);
            // What is gone already is not available, even where it still shows.
            let available = less(quantity.min(holding.units), holding.reserved);
            Position { symbol: *symbol, quantity, available }
        });
        let mut positions = Vec::with_capacity(account.holdings.entries().len());
        positions.extend(seen.filter(|position| !position.quantity.is_zero()));
        Ok(positions)
    }

    pub(crate) fn account_view(&self, account: &AccountId) -> Result<AccountView, AccountError> {
        let account = self.account(account)?;
        let unseen = self.unseen(account);
        let cash = account.cash.sub(unseen.cash).unwrap_or(account.cash);
        let unsettled = account.unsettled.at(self.now).sub(unseen.proceeds).unwrap_or(Money::ZERO);
        let settled = cash.sub(unsettled.max(Money::ZERO)).unwrap_or(cash).max(Money::ZERO);
        let spendable = account.spendable(self.now, self.profile.settlement);
        Ok(AccountView {
            currency: account.currency,
            cash,
            settled_cash: self.profile.settlement.map(|_| settled),
            // What is spent already cannot be spent again, even where it still shows.
            buying_power: cash.sub(account.reserved).unwrap_or(Money::ZERO).max(Money::ZERO).min(spendable),
            blocked: account.blocked,
            closes_at: self.closes_at(self.now).filter(|_| self.opens_at(self.now).is_none()),
            as_of: self.now,
        })
    }

    /// What cannot be seen yet.
    fn unseen(&self, account: &Account) -> Unseen {
        let mut unseen = Unseen::default();
        let rows = account.book.newest_first().take_while(|(_, row)| row.visible_at > self.now);
        for (order, row) in rows {
            let units = i128::try_from(row.quantity.nanos()).unwrap_or(0);
            let sum = unseen.units.entry(order.symbol()).or_default();
            *sum = match row.side {
                Side::Buy => sum.saturating_add(units),
                Side::Sell => sum.saturating_sub(units),
            };
            let cash = row.cash_change().and_then(|change| unseen.cash.add(change));
            unseen.cash = cash.unwrap_or(unseen.cash);
            if row.side == Side::Sell {
                let proceeds = row.cash_change().and_then(|change| unseen.proceeds.add(change));
                unseen.proceeds = proceeds.unwrap_or(unseen.proceeds);
            }
        }
        unseen
    }
}

/// What the newest fills changed that nobody sees yet.
#[derive(Debug, Default)]
struct Unseen {
    cash: Money,
    /// The part of it that sales brought.
    proceeds: Money,
    units: BTreeMap<Symbol, i128>,
}

/// The number of fills a reader has read; `None` if the cursor is not one of this account.
fn read_cursor(book: &OrderBook, cursor: &FillCursor) -> Option<u64> {
    let read = cursor.0.parse().ok()?;
    (read <= book.last_number()).then_some(read)
}
