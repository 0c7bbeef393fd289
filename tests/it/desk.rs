//! The broker as the workers see it: whatever passes to the simulated broker is first held against the journal.
//!
//! What it watches for is what no fault and no crash may ever bring about:
//!
//! * an order whose intent cannot be read in the journal, or that differs from it;
//! * an order that goes forward although the journal says that its batch is on the way back;
//! * a cancel that nobody decided on.

use async_trait::async_trait;
use evenkeel_banchile::BanChile;
use evenkeel_domain::apply::apply;
use evenkeel_domain::batch::{Order, OrderState, Phase};
use evenkeel_domain::order::{
    CancelAnswer, Capabilities, ClientOrderId, Direction, FillCursor, Lookup, NotSent, OrderRequest, Refused,
    SubmitAnswer, Terms,
};
use evenkeel_domain::portfolio::Portfolio;
use evenkeel_domain::values::{AccountId, PortfolioId, Timestamp};
use evenkeel_memory::{ManualClock, MemoryJournal};
use evenkeel_ports::{AccountView, Broker, BrokerError, Clock, FillPage, Journal, OrderPage, Position};
use futures_util::FutureExt;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// One call of `submit`.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) at: Timestamp,
    pub(crate) request: OrderRequest,
}

pub(crate) struct Desk {
    broker: Arc<BanChile>,
    journal: Arc<MemoryJournal>,
    clock: ManualClock,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// What the journal said when it was last looked at.
    portfolios: BTreeMap<PortfolioId, Portfolio>,
    sent: Vec<Sent>,
    wrong: Vec<String>,
    /// How often the rate limit turned an order away.
    limited: u64,
    /// A worker was frozen between its decision and its send: nobody can hold it back when it goes on.
    expects_zombies: bool,
}

impl Desk {
    pub(crate) fn new(broker: Arc<BanChile>, journal: Arc<MemoryJournal>, clock: ManualClock) -> Self {
        Self { broker, journal, clock, seen: Mutex::default() }
    }

    /// Everything that was sent, in order; repetitions included.
    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.seen.lock().unwrap().sent.clone()
    }

    /// From now on an order may go forward too late, if only its intent is in the journal.
    pub(crate) fn expect_zombies(&self) {
        self.seen.lock().unwrap().expects_zombies = true;
    }

    /// How often the rate limit turned an order away.
    pub(crate) fn limited(&self) -> u64 {
        self.seen.lock().unwrap().limited
    }

    /// What should never have been sent.
    pub(crate) fn wrong(&self) -> Vec<String> {
        self.seen.lock().unwrap().wrong.clone()
    }

    /// What the journal says now of the portfolio with this account. In these scenarios an account is called as its portfolio.
    fn read<T>(&self, account: &AccountId, look: impl FnOnce(&Portfolio, &mut Seen) -> T) -> T {
        let id: PortfolioId = account.to_string().parse().unwrap();
        let mut seen = self.seen.lock().unwrap();
        let mut state = seen.portfolios.remove(&id).unwrap_or_else(|| Portfolio::new(id.clone()));
        let entries = self.journal.read(&id, state.sequence).now_or_never().unwrap().unwrap();
        for entry in entries {
            apply(&mut state, &entry.record).unwrap();
        }
        let answer = look(&state, &mut seen);
        seen.portfolios.insert(id, state);
        answer
    }

    fn check_order(&self, account: &AccountId, request: &OrderRequest) {
        let at = self.clock.now();
        self.read(account, |state, seen| {
            seen.sent.push(Sent { at, request: *request });
            let id = request.id;
            let batch = state.batch.as_ref().filter(|batch| batch.id == id.batch).or_else(|| state.closed_batch(id));
            let Some(batch) = batch else {
                return seen.wrong.push(format!("{id} was sent, and its batch is not in the journal"));
            };
            match batch.orders.get(id) {
                None => seen.wrong.push(format!("{id} was sent, and its intent is not in the journal")),
                Some(order) if order.terms != request.terms => {
                    seen.wrong.push(format!("{id} was sent with {:?}, intended as {:?}", request.terms, order.terms));
                }
                Some(_) => {}
            }
            let is_forward = matches!(batch.phase, Phase::Forward(_) | Phase::Settling { .. });
            if id.direction == Direction::Forward && !is_forward && !seen.expects_zombies {
                seen.wrong.push(format!("{id} was sent forward while its batch is {:?}", batch.phase));
            }
        });
    }

    fn check_cancel(&self, account: &AccountId, id: ClientOrderId) {
        self.read(account, |state, seen| {
            let order = state.batch.as_ref().and_then(|batch| batch.orders.get(id));
            let is_decided = |order: &Order| matches!(order.state, OrderState::CancelRequested { .. });
            if order.is_some_and(|order| !is_decided(order)) && !seen.expects_zombies {
                seen.wrong.push(format!("a cancel of {id} was sent that is not in the journal"));
            }
        });
    }
}

#[async_trait]
impl Broker for Desk {
    fn capabilities(&self) -> Arc<Capabilities> {
        self.broker.capabilities()
    }

    fn check(&self, account: &AccountId, terms: &Terms) -> Result<(), Refused> {
        self.broker.check(account, terms)
    }

    async fn submit(&self, account: &AccountId, order: &OrderRequest) -> SubmitAnswer {
        self.check_order(account, order);
        let answer = self.broker.submit(account, order).await;
        if let SubmitAnswer::NotSent(NotSent::RateLimited { .. }) = answer {
            self.seen.lock().unwrap().limited += 1;
        }
        answer
    }

    async fn cancel(&self, account: &AccountId, id: ClientOrderId) -> CancelAnswer {
        self.check_cancel(account, id);
        self.broker.cancel(account, id).await
    }

    async fn order(&self, account: &AccountId, id: ClientOrderId) -> Result<Lookup, BrokerError> {
        self.broker.order(account, id).await
    }

    async fn open_orders(&self, account: &AccountId) -> Result<OrderPage, BrokerError> {
        self.broker.open_orders(account).await
    }

    async fn fills_since(&self, account: &AccountId, cursor: Option<FillCursor>) -> Result<FillPage, BrokerError> {
        self.broker.fills_since(account, cursor).await
    }

    async fn positions(&self, account: &AccountId) -> Result<Vec<Position>, BrokerError> {
        self.broker.positions(account).await
    }

    async fn account(&self, account: &AccountId) -> Result<AccountView, BrokerError> {
        self.broker.account(account).await
    }
}
