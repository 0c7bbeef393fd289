//! The port: what a worker of the core sees of the simulated broker.
//!
//! Requests travel: they are under way, wait at the venue and are answered, by the profile's latencies. Questions are answered at
//! once; how far their answers lag behind is the profile's `visibility_lag`. Every future may be dropped at any point: what
//! was sent arrives all the same.

use crate::BanChile;
use crate::account::AccountError;
use crate::calls::{Call, Unkept};
use crate::venue::{Delivery, Venue, check};
use async_trait::async_trait;
use evenkeel_domain::order::{
    CancelAnswer, Capabilities, ClientOrderId, FillCursor, Lookup, NotSent, OrderRequest, Refused, SubmitAnswer, Terms,
    UnknownCause,
};
use evenkeel_domain::values::AccountId;
use evenkeel_ports::{AccountView, Broker, BrokerError, FillPage, OrderPage, Position};
use std::sync::Arc;

#[async_trait]
impl Broker for BanChile {
    fn capabilities(&self) -> Arc<Capabilities> {
        Arc::clone(&self.shared.capabilities)
    }

    fn check(&self, _: &AccountId, terms: &Terms) -> Result<(), Refused> {
        check(&self.shared.profile, terms)
    }

    async fn submit(&self, account: &AccountId, order: &OrderRequest) -> SubmitAnswer {
        let call = || Call::Send { account: account.clone(), order: *order };
        let sent = match self.change(account, call, |venue| venue.send(account, order)) {
            Ok(sent) => sent,
            Err(Unkept::Nothing(_)) => return SubmitAnswer::NotSent(NotSent::Unreachable),
            Err(Unkept::Unknown(_)) => return SubmitAnswer::Unknown(UnknownCause::BrokerError),
        };
        let waits = sent.waits();
        if waits {
            self.wait(account, &sent).await;
        }
        let answer = sent.source.take(SubmitAnswer::Unknown(UnknownCause::Timeout));
        if waits && let SubmitAnswer::Acknowledged(view) = &answer {
            self.with(account, |venue| venue.heard(account, view));
        }
        answer
    }

    async fn cancel(&self, account: &AccountId, id: ClientOrderId) -> CancelAnswer {
        let call = || Call::Cancel { account: account.clone(), id };
        let sent = match self.change(account, call, |venue| venue.send_cancel(account, id)) {
            Ok(sent) => sent,
            Err(Unkept::Nothing(_)) => return CancelAnswer::NotSent(NotSent::Unreachable),
            Err(Unkept::Unknown(_)) => return CancelAnswer::Unknown(UnknownCause::BrokerError),
        };
        if sent.waits() {
            self.wait(account, &sent).await;
        }
        sent.source.take(CancelAnswer::Unknown(UnknownCause::Timeout))
    }

    async fn order(&self, account: &AccountId, id: ClientOrderId) -> Result<Lookup, BrokerError> {
        self.ask(account, || format!("looking up {id} of {account}"), |venue| venue.look_up(account, id))
    }

    async fn open_orders(&self, account: &AccountId) -> Result<OrderPage, BrokerError> {
        let doing = || format!("reading open orders of {account}");
        let orders = self.ask(account, doing, |venue| venue.open_orders(account))?;
        Ok(OrderPage { orders, complete: true })
    }

    async fn fills_since(&self, account: &AccountId, cursor: Option<FillCursor>) -> Result<FillPage, BrokerError> {
        let doing = || format!("reading fills of {account}");
        let page = self.ask(account, doing, |venue| venue.fills(account, cursor.as_ref()))?;
        page.ok_or_else(|| {
            let cursor = cursor.map_or(String::new(), |cursor| cursor.0);
            BrokerError::Garbled { doing: doing(), message: format!("{cursor:?} is no cursor of this account") }
        })
    }

    async fn positions(&self, account: &AccountId) -> Result<Vec<Position>, BrokerError> {
        self.ask(account, || format!("reading positions of {account}"), |venue| venue.positions(account))
    }

    async fn account(&self, account: &AccountId) -> Result<AccountView, BrokerError> {
        self.ask(account, || format!("reading account {account}"), |venue| venue.account_view(account))
    }
}

impl BanChile {
    /// Waits as long as an answer takes.
    async fn wait<A>(&self, account: &AccountId, sent: &Delivery<A>) {
        if let Some(at) = sent.at {
            self.shared.clock.sleep_until(at).await;
            self.with(account, |_| ());
        }
        if sent.held {
            self.shared.gate.wait().await;
        }
        if sent.panics {
            scripted_panic();
        }
    }

    /// Asks a question, unless it is one that fails.
    fn ask<T>(
        &self,
        account: &AccountId,
        doing: impl Fn() -> String,
        question: impl FnOnce(&mut Venue) -> Result<T, AccountError>,
    ) -> Result<T, BrokerError> {
        self.with(account, |venue| {
            let unknown = |_| BrokerError::NoSuchAccount { account: account.clone() };
            if venue.outage().is_some() {
                return Err(BrokerError::Unavailable { doing: doing(), message: "an outage".to_owned() });
            }
            if venue.account_mut(account).map_err(unknown)?.fails_a_question() {
                return Err(BrokerError::Unavailable { doing: doing(), message: "a scripted outage".to_owned() });
            }
            question(venue).map_err(unknown)
        })
    }
}

#[expect(clippy::panic, reason = "a fault that a test asked for: what a worker does with a panicking call")]
fn scripted_panic() {
    panic!("a scripted panic of the simulated broker");
}
