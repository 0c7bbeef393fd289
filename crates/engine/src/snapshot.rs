//! What the broker says: fills, positions, cash. And the comparison with the books before anything is planned.

use crate::EngineError;
use crate::session::Session;
use evenkeel_domain::books::Books;
use evenkeel_domain::decide::{Hold, Input, Report};
use evenkeel_domain::order::{BatchId, ClientOrderId, FillCursor, OrderFill};
use evenkeel_domain::portfolio::{Standing, compare};
use evenkeel_domain::values::{AccountId, Currency, Timestamp};
use evenkeel_ports::{Broker, BrokerError};

/// An account, as the broker shows it.
pub(crate) struct Snapshot {
    /// Fills that were not read before, oldest first.
    pub(crate) fills: Vec<OrderFill>,
    /// How far fills have been read.
    pub(crate) fills_read: Option<FillCursor>,
    /// Cash and units.
    pub(crate) broker: Books,
    pub(crate) currency: Currency,
    pub(crate) blocked: bool,
    pub(crate) closes_at: Option<Timestamp>,
}

/// The books are confirmed; and what else the broker said.
pub(crate) struct Confirmed {
    pub(crate) closes_at: Option<Timestamp>,
}

/// Reads fills last, so that no fill can be in the positions and missing from the list.
pub(crate) async fn snapshot(
    broker: &dyn Broker,
    account: &AccountId,
    read: Option<FillCursor>,
) -> Result<Snapshot, BrokerError> {
    let positions = broker.positions(account).await?;
    let view = broker.account(account).await?;
    let (fills, fills_read) = fills_after(broker, account, read).await?;
    let units = positions.into_iter().map(|position| (position.symbol, position.quantity));
    Ok(Snapshot {
        fills,
        fills_read: Some(fills_read),
        broker: Books::new(view.cash, units),
        currency: view.currency,
        blocked: view.blocked,
        closes_at: view.closes_at,
    })
}

/// Every fill after the cursor, oldest first, and how far that is.
async fn fills_after(
    broker: &dyn Broker,
    account: &AccountId,
    mut cursor: Option<FillCursor>,
) -> Result<(Vec<OrderFill>, FillCursor), BrokerError> {
    let mut fills = Vec::new();
    loop {
        let page = broker.fills_since(account, cursor.clone()).await?;
        let stands_still = cursor.as_ref() == Some(&page.next);
        fills.extend(page.fills);
        if page.complete {
            return Ok((fills, page.next));
        }
        if stands_still {
            let message = "a page that is not complete does not move on".to_owned();
            return Err(BrokerError::Garbled { doing: format!("reading fills of {account}"), message });
        }
        cursor = Some(page.next);
    }
}

impl Session<'_> {
    /// Books and broker must agree before anything is planned. Late fills are booked first; a difference that stays longer than the
    /// broker's visibility horizon quarantines the portfolio.
    pub(crate) async fn confirm(&mut self) -> Result<Confirmed, EngineError> {
        let account = self.account()?;
        let horizon = self.engine.ports.broker.capabilities().visibility_horizon;
        let give_up_at = self.clock().now().plus(horizon);
        let snapshot = loop {
            let snapshot = self.read_snapshot(&account).await?;
            let reports: Vec<Report> = snapshot.fills.iter().cloned().map(Report::Fill).collect();
            self.commit(Input::Reports { reports: &reports, hold: Hold::Nothing }).await?;
            let agree = compare(&self.state.books, &snapshot.broker).is_empty();
            let now = self.clock().now();
            if agree || now >= give_up_at {
                break snapshot;
            }
            self.clock().sleep_until(now.plus(self.engine.settings.poll).min(give_up_at)).await;
        };
        let lost = self.lost_among(&snapshot.fills).await?;
        self.commit(Input::Confirm { broker: &snapshot.broker, currency: snapshot.currency, lost: &lost }).await?;
        let portfolio = self.id().clone();
        if let Standing::Quarantined { differences } = &self.state.standing {
            return Err(EngineError::Quarantined { portfolio, differences: differences.clone() });
        }
        if snapshot.blocked {
            return Err(EngineError::AccountBlocked { portfolio });
        }
        self.no_open_orders(&account).await?;
        Ok(Confirmed { closes_at: snapshot.closes_at })
    }

    /// Batches of this store that the broker has fills of and the journal has lost, as an old backup has.
    ///
    /// Asked again for a third of the heartbeat, as the lease is not renewed meanwhile; who does not answer for so long has nothing to say about
    /// it, and the batch goes on to where a person is told.
    pub(crate) async fn lost_batches(&self) -> Result<Vec<BatchId>, EngineError> {
        let (broker, account) = (&self.engine.ports.broker, self.account()?);
        let give_up_at = self.clock().now().plus(self.lease.terms.heartbeat.checked_div(3).unwrap_or_default());
        loop {
            match fills_after(&**broker, &account, self.state.fills_read.clone()).await {
                Ok((fills, _)) => return self.lost_among(&fills).await,
                Err(error) if self.clock().now() >= give_up_at => {
                    tracing::warn!(portfolio = %self.id(), %error, "whether the journal is whole could not be asked");
                    return Ok(Vec::new());
                }
                Err(_) => self.clock().sleep_until(self.clock().now().plus(self.engine.settings.poll)).await,
            }
        }
    }

    async fn lost_among(&self, fills: &[OrderFill]) -> Result<Vec<BatchId>, EngineError> {
        let store = self.engine.ports.journal.store_id().await.map_err(EngineError::Journal)?;
        Ok(self.state.lost_batches(store, fills.iter().filter_map(|fill| fill.order)))
    }

    pub(crate) async fn read_snapshot(&self, account: &AccountId) -> Result<Snapshot, EngineError> {
        let read = snapshot(&*self.engine.ports.broker, account, self.state.fills_read.clone()).await;
        read.map_err(|cause| EngineError::Broker { portfolio: self.id().clone(), cause })
    }

    /// An order of an earlier batch that is open after all must end before a new batch trades on top of it.
    async fn no_open_orders(&self, account: &AccountId) -> Result<(), EngineError> {
        let broker = &self.engine.ports.broker;
        let page = broker.open_orders(account).await;
        let page = page.map_err(|cause| EngineError::Broker { portfolio: self.id().clone(), cause })?;
        let ours: Vec<ClientOrderId> = page.orders.iter().map(|order| order.id).collect();
        if ours.is_empty() && page.complete {
            return Ok(());
        }
        if ours.is_empty() {
            // One may be on the part that is missing.
            let (doing, message) = (format!("reading open orders of {account}"), "the list is not complete".to_owned());
            let cause = BrokerError::Unavailable { doing, message };
            return Err(EngineError::Broker { portfolio: self.id().clone(), cause });
        }
        for order in &ours {
            tracing::warn!(portfolio = %self.id(), %order, "canceling an open order of an earlier batch");
            // Whatever the answer, the next rebalance looks again.
            drop(broker.cancel(account, *order).await);
        }
        Err(EngineError::OrdersOpen { portfolio: self.id().clone(), orders: ours })
    }
}
