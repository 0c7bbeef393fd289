//! The nine methods of the port, and what each answer of the wire proves. "Contract 4" is number 4 on the page of [`Broker`].

use crate::messages::{
    AccountMessage, FillsMessage, NoMessage, OrderMessage, OrdersMessage, PositionMessage, Unreadable, new_order, read,
};
use crate::wire::{Answer, NoAnswer, Secret, Wire};
use async_trait::async_trait;
use evenkeel_domain::order::{
    CancelAnswer, Capabilities, ClientOrderId, Costs, Duplicates, FillCursor, Lookup, NotSent, OrderRequest, OrderView,
    RefusalReason, Refused, SubmitAnswer, Terms, UnknownCause,
};
use evenkeel_domain::values::{AccountId, Lot, Money, Quantity, Timestamp};
use evenkeel_ports::{AccountView, Broker, BrokerError, Clock, FillPage, OrderPage, Position};
use hyper::Method;
use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long one request may take. The declared quiescence is longer: what was given up may still arrive.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// Where the broker limits requests without saying for how long: its documented window.
const RATE_WINDOW: Duration = Duration::from_secs(60);

/// Open orders are read this many pages far; more are told as incomplete.
const MOST_PAGES: usize = 100;

/// The adapter. Needs a tokio runtime to be called in.
#[derive(Debug)]
pub struct ToyBroker {
    wire: Wire,
    capabilities: Arc<Capabilities>,
    started: Timestamp,
    /// When each id was last sent, as long as that matters for contract 4.
    sent: Mutex<BTreeMap<ClientOrderId, Timestamp>>,
}

impl ToyBroker {
    /// An adapter to the broker at this host and port. Nothing is sent yet.
    ///
    /// # Errors
    /// None that the broker's rules, as they stand here, lead to.
    pub fn new(address: String, token: Secret, clock: Arc<dyn Clock>) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let capabilities = Capabilities {
            name: "Toy".to_owned(),
            // Ids stay taken for ever, so an order may be sent again when it is not known what became of it.
            duplicates: Duplicates::Refused,
            // Five cents for each order that executes.
            costs: Costs { bps: 0, per_order: "0.05".parse()?, minimum: Money::ZERO },
            collar_bps: 0,
            // Cash moves by the rule of `booked_amount`, so there is nothing to make up for.
            fills_rounded: false,
            minimum_order: "1.00".parse()?,
            lot: Lot::FINEST,
            lots: BTreeMap::from([("BRK".parse()?, Lot::new(Quantity::from_nanos(1_000_000_000)?)?)]),
            quiescence: Duration::from_secs(30),
            visibility_horizon: Duration::from_secs(2),
        };
        let started = clock.now();
        let wire = Wire { address, token, timeout: TIMEOUT, clock };
        Ok(Self { wire, capabilities: Arc::new(capabilities), started, sent: Mutex::default() })
    }

    /// Notes that an id is about to be sent, and forgets those whose horizon has passed.
    fn about_to_send(&self, id: ClientOrderId) {
        let (now, horizon) = (self.wire.clock.now(), self.capabilities.visibility_horizon);
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.retain(|_, at| at.plus(horizon) > now);
        sent.insert(id, now);
    }

    /// Whether the horizon has passed since any send of this id: by this process, or by one before it.
    fn must_be_visible(&self, id: ClientOrderId) -> bool {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let last = sent.get(&id).copied().unwrap_or(self.started);
        self.wire.clock.now() >= last.plus(self.capabilities.visibility_horizon)
    }

    /// Asks a question. Only 200, and 404 with one of the broker's own codes, are answers to it.
    async fn ask(&self, doing: &str, account: &AccountId, path: &str) -> Result<Answer, BrokerError> {
        let unavailable = |message| BrokerError::Unavailable { doing: doing.to_owned(), message };
        let answer = self.wire.send(Method::GET, path, String::new()).await;
        let answer = answer.map_err(|no_answer| unavailable(no_answer.to_string()))?;
        match answer.status.as_u16() {
            200 => Ok(answer),
            401 | 403 => Err(BrokerError::Unauthorized { doing: doing.to_owned() }),
            404 => match read::<NoMessage>(&answer.body).map_err(|error| self.garbled(doing, error))?.code.as_str() {
                "no_such_account" => Err(BrokerError::NoSuchAccount { account: account.clone() }),
                "no_such_order" => Ok(answer),
                other => Err(self.garbled(doing, format!("404 with the code {other}"))),
            },
            status => Err(unavailable(format!("status {status}"))),
        }
    }

    fn garbled(&self, doing: &str, error: impl ToString) -> BrokerError {
        let message = self.wire.token.redact(&error.to_string());
        BrokerError::Garbled { doing: doing.to_owned(), message }
    }

    /// What the broker has under an id, if it has anything.
    async fn find(&self, account: &AccountId, id: ClientOrderId) -> Result<Option<OrderView>, BrokerError> {
        let doing = format!("looking up {id}");
        let answer = self.ask(&doing, account, &format!("/accounts/{account}/orders/{id}")).await?;
        if answer.status != 200 {
            return Ok(None);
        }
        let view = view_of(id, &answer.body).map_err(|error| self.garbled(&doing, error))?;
        Ok(Some(view))
    }

    /// Contract 3: the broker has this id. Whether with these terms, it does not say; so it is asked.
    async fn compare(&self, account: &AccountId, order: &OrderRequest) -> SubmitAnswer {
        let Terms { symbol, side, quantity, .. } = order.terms;
        match self.find(account, order.id).await {
            Ok(Some(view)) if (view.symbol, view.side, view.quantity) == (symbol, side, quantity) => {
                SubmitAnswer::AlreadyExists
            }
            Ok(Some(_)) => {
                let message = format!("{} has other terms", order.id);
                SubmitAnswer::Refused(Refused { reason: RefusalReason::DuplicateIdOtherOrder, message })
            }
            Ok(None) | Err(_) => SubmitAnswer::Unknown(UnknownCause::BrokerError),
        }
    }

    /// A status that the broker documents as a refusal, with a code; without one, somebody else may have answered.
    fn refusal(&self, body: &[u8]) -> SubmitAnswer {
        match read::<NoMessage>(body) {
            Ok(no) => SubmitAnswer::Refused(no.refused(self.wire.token.redact(&no.message))),
            Err(_) => SubmitAnswer::Unknown(UnknownCause::Garbled),
        }
    }
}

#[async_trait]
impl Broker for ToyBroker {
    fn capabilities(&self) -> Arc<Capabilities> {
        Arc::clone(&self.capabilities)
    }

    /// Contract 8: what could not be sent as it is fails here. Pure: nothing is asked.
    fn check(&self, _: &AccountId, terms: &Terms) -> Result<(), Refused> {
        let (lot, minimum) = (self.capabilities.lot_of(terms.symbol), self.capabilities.minimum_order);
        if !terms.exit && !terms.quantity.is_multiple_of(lot) {
            let message = format!("{} is traded in steps of {lot}", terms.symbol);
            return Err(Refused { reason: RefusalReason::NotALot, message });
        }
        if !terms.exit && terms.value() < minimum.to_value() {
            let message = format!("orders begin at {minimum}");
            return Err(Refused { reason: RefusalReason::BelowMinimum, message });
        }
        Ok(())
    }

    /// Contract 1: one attempt. Contract 2: what each way out proves.
    async fn submit(&self, account: &AccountId, order: &OrderRequest) -> SubmitAnswer {
        self.about_to_send(order.id);
        let path = format!("/accounts/{account}/orders");
        let answer = match self.wire.send(Method::POST, &path, new_order(order)).await {
            Ok(answer) => answer,
            Err(NoAnswer::NotSent(_)) => return SubmitAnswer::NotSent(NotSent::Unreachable),
            Err(NoAnswer::Timeout) => return SubmitAnswer::Unknown(UnknownCause::Timeout),
            Err(NoAnswer::Disconnected(_)) => return SubmitAnswer::Unknown(UnknownCause::Disconnected),
        };
        match answer.status.as_u16() {
            201 => match view_of(order.id, &answer.body) {
                Ok(view) => SubmitAnswer::Acknowledged(view),
                Err(_) => SubmitAnswer::Unknown(UnknownCause::Garbled),
            },
            401 | 403 => SubmitAnswer::NotSent(NotSent::Unauthorized),
            429 => SubmitAnswer::NotSent(limited(&answer)),
            409 => self.compare(account, order).await,
            400 | 404 | 422 => self.refusal(&answer.body),
            _ => SubmitAnswer::Unknown(UnknownCause::BrokerError),
        }
    }

    /// Contract 6: 202 is a request that was taken, not an order that has ended.
    async fn cancel(&self, account: &AccountId, id: ClientOrderId) -> CancelAnswer {
        let path = format!("/accounts/{account}/orders/{id}");
        let answer = match self.wire.send(Method::DELETE, &path, String::new()).await {
            Ok(answer) => answer,
            Err(NoAnswer::NotSent(_)) => return CancelAnswer::NotSent(NotSent::Unreachable),
            Err(NoAnswer::Timeout) => return CancelAnswer::Unknown(UnknownCause::Timeout),
            Err(NoAnswer::Disconnected(_)) => return CancelAnswer::Unknown(UnknownCause::Disconnected),
        };
        match answer.status.as_u16() {
            202 => CancelAnswer::Requested,
            401 | 403 => CancelAnswer::NotSent(NotSent::Unauthorized),
            429 => CancelAnswer::NotSent(limited(&answer)),
            404 | 409 => match read::<NoMessage>(&answer.body) {
                Ok(no) if no.code == "no_such_order" => CancelAnswer::NoSuchOrder,
                Ok(NoMessage { order: Some(order), .. }) => match order.view() {
                    Ok(view) if view.id == id => CancelAnswer::AlreadyTerminal(view),
                    _ => CancelAnswer::Unknown(UnknownCause::Garbled),
                },
                _ => CancelAnswer::Unknown(UnknownCause::Garbled),
            },
            _ => CancelAnswer::Unknown(UnknownCause::BrokerError),
        }
    }

    /// Contract 4: not found is absent only once whatever was sent must be visible.
    async fn order(&self, account: &AccountId, id: ClientOrderId) -> Result<Lookup, BrokerError> {
        // Asked before the broker is: what becomes visible meanwhile proves nothing.
        let visible = self.must_be_visible(id);
        match self.find(account, id).await? {
            Some(view) => Ok(Lookup::Found(view)),
            None if visible => Ok(Lookup::Absent),
            None => Ok(Lookup::Unproven),
        }
    }

    /// Contract 7: page after page, and said so if there were too many.
    async fn open_orders(&self, account: &AccountId) -> Result<OrderPage, BrokerError> {
        let doing = format!("reading open orders of {account}");
        let mut orders = Vec::new();
        let mut after = "0".to_owned();
        for _ in 0..MOST_PAGES {
            let answer = self.ask(&doing, account, &format!("/accounts/{account}/orders?after={after}")).await?;
            let page: OrdersMessage = read(&answer.body).map_err(|error| self.garbled(&doing, error))?;
            for order in page.orders.iter().filter(|order| order.is_ours()) {
                orders.push(order.view().map_err(|error| self.garbled(&doing, error))?);
            }
            let Some(next) = page.next() else {
                return Ok(OrderPage { orders, complete: true });
            };
            after = next.to_owned();
        }
        Ok(OrderPage { orders, complete: false })
    }

    /// Contract 5 and 7: one page, in the broker's words.
    async fn fills_since(&self, account: &AccountId, cursor: Option<FillCursor>) -> Result<FillPage, BrokerError> {
        let doing = format!("reading fills of {account}");
        let after = cursor.map_or_else(|| "0".to_owned(), |cursor| cursor.0);
        if !after.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(self.garbled(&doing, format!("{after:?} is no cursor of this broker")));
        }
        let answer = self.ask(&doing, account, &format!("/accounts/{account}/fills?after={after}")).await?;
        let page = read::<FillsMessage>(&answer.body).and_then(|page| page.page());
        page.map_err(|error| self.garbled(&doing, error))
    }

    async fn positions(&self, account: &AccountId) -> Result<Vec<Position>, BrokerError> {
        let doing = format!("reading positions of {account}");
        let answer = self.ask(&doing, account, &format!("/accounts/{account}/positions")).await?;
        let positions = read::<Vec<PositionMessage>>(&answer.body);
        let positions = positions.and_then(|all| all.iter().map(PositionMessage::position).collect());
        positions.map_err(|error| self.garbled(&doing, error))
    }

    async fn account(&self, account: &AccountId) -> Result<AccountView, BrokerError> {
        let doing = format!("reading the account {account}");
        let answer = self.ask(&doing, account, &format!("/accounts/{account}")).await?;
        let view = read::<AccountMessage>(&answer.body).and_then(|account| account.view());
        view.map_err(|error| self.garbled(&doing, error))
    }
}

/// The order in this body, which must be the one of this id.
fn view_of(id: ClientOrderId, body: &[u8]) -> Result<OrderView, Unreadable> {
    let view = read::<OrderMessage>(body)?.view()?;
    if view.id == id { Ok(view) } else { Err(Unreadable::new(format!("the order is {}, not {id}", view.id))) }
}

fn limited(answer: &Answer) -> NotSent {
    NotSent::RateLimited { retry_after: answer.retry_after.unwrap_or(RATE_WINDOW) }
}
