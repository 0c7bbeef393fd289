//! What a case reads of its account: cash, units, open orders and fills.

use super::{Desk, SKEW, broken, misfit};
use crate::{Check, Stop, expect};
use evenkeel_domain::order::{FillCursor, OrderFill, OrderRequest};
use evenkeel_domain::values::{Quantity, Symbol};
use evenkeel_ports::{AccountView, OrderPage};
use std::collections::BTreeSet;

impl Desk<'_> {
    /// The account, which must be that of the rig, not blocked, and of now.
    pub(in crate::broker) async fn view(&self) -> Result<AccountView, Stop> {
        let asked = self.rig.now();
        let view = self.broker.account(&self.account).await;
        let view = view.or_else(|error| broken("the account should be read", error))?;
        let currency = self.rig.currency();
        expect(view.currency == currency, &format!("the account should be in {currency}"), view)?;
        expect(!view.blocked, "an account whose orders are taken should not be blocked", view)?;
        let oldest = view.as_of.plus(SKEW).plus(self.declared.visibility_horizon);
        let fresh = asked <= oldest && view.as_of <= self.rig.now().plus(SKEW);
        expect(fresh, &format!("the account should be of {asked}, within the horizon and a minute"), view)?;
        let open = view.closes_at.is_none_or(|closes_at| closes_at.plus(SKEW) > asked);
        expect(open, "the session that is open now should not have ended", view)?;
        Ok(view)
    }

    /// With nothing open, buying power must have gone down from `before` by no more than cash has.
    pub(in crate::broker) async fn nothing_is_reserved(&self, before: &AccountView) -> Check {
        let after = self.view().await?;
        let spent = before.cash.sub(after.cash).map_err(misfit)?;
        let free = after.buying_power.add(spent).map_err(misfit)? >= before.buying_power;
        expect(free, "what an order that ended might still have taken should be free again", (before, after))
    }

    /// Units held of a symbol, and free to be sold.
    pub(in crate::broker) async fn held(&self, symbol: Symbol) -> Result<(Quantity, Quantity), Stop> {
        let positions = self.broker.positions(&self.account).await;
        let positions = positions.or_else(|error| broken("positions should be read", error))?;
        let mut of_symbol = positions.iter().filter(|position| position.symbol == symbol);
        let first = of_symbol.next().map(|position| (position.quantity, position.available));
        expect(of_symbol.next().is_none(), "a symbol should be listed once", &positions)?;
        Ok(first.unwrap_or_default())
    }

    /// The positions must say that so much is held, all of it free.
    pub(in crate::broker) async fn holds(&self, symbol: Symbol, quantity: Quantity) -> Check {
        let held = self.held(symbol).await?;
        expect(held == (quantity, quantity), &format!("{quantity} of {symbol} should be held, all of it free"), held)
    }

    /// The open orders of the account.
    pub(in crate::broker) async fn open_orders(&self) -> Result<OrderPage, Stop> {
        let page = self.broker.open_orders(&self.account).await;
        let page = page.or_else(|error| broken("open orders should be read", error))?;
        let ids: BTreeSet<_> = page.orders.iter().map(|view| view.id).collect();
        expect(ids.len() == page.orders.len(), "an open order should be listed once", &page.orders)?;
        Ok(page)
    }

    /// Each of these must be among the open orders, or the list must say that it is not everything.
    pub(in crate::broker) async fn are_listed(&self, orders: &[&OrderRequest], what: &str) -> Result<OrderPage, Stop> {
        let page = self.open_orders().await?;
        let missing = orders.iter().find(|order| !page.orders.iter().any(|view| view.id == order.id));
        let told = missing.is_none() || !page.complete;
        expect(told, &format!("{what} should be among the open orders"), (missing, &page))?;
        Ok(page)
    }

    /// No order must be open.
    pub(in crate::broker) async fn nothing_is_open(&self) -> Check {
        let open = self.open_orders().await?.orders;
        expect(open.is_empty(), "an order that has ended should not be among the open orders", open)
    }

    /// Every fill of the account, page by page.
    pub(in crate::broker) async fn fills(&self) -> Result<Vec<OrderFill>, Stop> {
        Ok(self.fills_after(None).await?.0)
    }

    /// Every fill after a cursor, page by page, and where to go on from.
    pub(in crate::broker) async fn fills_after(
        &self,
        mut cursor: Option<FillCursor>,
    ) -> Result<(Vec<OrderFill>, FillCursor), Stop> {
        let mut fills = Vec::new();
        loop {
            let page = self.broker.fills_since(&self.account, cursor.clone()).await;
            let page = page.or_else(|error| broken("fills should be read", error))?;
            fills.extend(page.fills);
            if page.complete {
                return Ok((fills, page.next));
            }
            let next = Some(page.next);
            expect(next != cursor, "a page that is not complete should lead on", &next)?;
            cursor = next;
        }
    }
}
