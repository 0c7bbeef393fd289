//! A broker that denies an order it has: what its other lists say counts as well, and a list that is cut proves nothing.

use crate::answers::slow;
use crate::desk::Desk;
use crate::world::{QUARTERS, World, batch_of, minutes, noon, p, seconds};
use async_trait::async_trait;
use evenkeel_banchile::{Fault, Latency, Profile, Rule};
use evenkeel_domain::order::{
    CancelAnswer, Capabilities, ClientOrderId, Duplicates, FillCursor, Lookup, OrderRequest, Refused, SubmitAnswer,
    Terms,
};
use evenkeel_domain::record::Outcome;
use evenkeel_domain::values::AccountId;
use evenkeel_engine::{EngineError, Ports};
use evenkeel_memory::ManualClock;
use evenkeel_ports::{AccountView, Broker, BrokerError, Clock, FillPage, OrderPage, Position};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// The desk, which for some time knows of no order when it is asked for one.
struct Forgetful {
    desk: Arc<Desk>,
    clock: ManualClock,
    /// In this time after noon each order is denied.
    denies: Range<Duration>,
    /// In this time after noon the list of open orders is cut: it has none, and says that there may be more.
    cuts: Range<Duration>,
}

impl Forgetful {
    fn is_in(&self, time: &Range<Duration>) -> bool {
        time.contains(&self.clock.now().since(noon()))
    }
}

#[async_trait]
impl Broker for Forgetful {
    fn capabilities(&self) -> Arc<Capabilities> {
        self.desk.capabilities()
    }

    fn check(&self, account: &AccountId, terms: &Terms) -> Result<(), Refused> {
        self.desk.check(account, terms)
    }

    async fn submit(&self, account: &AccountId, order: &OrderRequest) -> SubmitAnswer {
        self.desk.submit(account, order).await
    }

    async fn cancel(&self, account: &AccountId, id: ClientOrderId) -> CancelAnswer {
        self.desk.cancel(account, id).await
    }

    async fn order(&self, account: &AccountId, id: ClientOrderId) -> Result<Lookup, BrokerError> {
        if self.is_in(&self.denies) { Ok(Lookup::Absent) } else { self.desk.order(account, id).await }
    }

    async fn open_orders(&self, account: &AccountId) -> Result<OrderPage, BrokerError> {
        if self.is_in(&self.cuts) {
            return Ok(OrderPage { orders: Vec::new(), complete: false });
        }
        self.desk.open_orders(account).await
    }

    async fn fills_since(&self, account: &AccountId, cursor: Option<FillCursor>) -> Result<FillPage, BrokerError> {
        self.desk.fills_since(account, cursor).await
    }

    async fn positions(&self, account: &AccountId) -> Result<Vec<Position>, BrokerError> {
        self.desk.positions(account).await
    }

    async fn account(&self, account: &AccountId) -> Result<AccountView, BrokerError> {
        self.desk.account(account).await
    }
}

/// Orders are executed 46 seconds after they were sent, and the answer to one of them is lost. Nothing may be sent twice.
fn check(denies: Range<Duration>, cuts: Range<Duration>) {
    let at_venue = Latency::exactly(seconds(45));
    let profile = Profile { at_venue, duplicates: Duplicates::Correlated, ..slow() };
    let world = World::drifted(profile, &QUARTERS);
    world.script([Rule::new(Fault::LoseAnswer).symbol(p("MSFT"))]);
    let broker = Forgetful { desk: Arc::clone(&world.desk), clock: world.clock.clone(), denies, cuts };
    let worker = world.worker_over("worker-2", Ports { broker: Arc::new(broker), ..world.ports() });
    let report = batch_of(world.run(worker.rebalance(&p("growth"))));
    assert_eq!(report.outcome, Outcome::Completed, "{:?}", report.cause);
    assert_eq!(world.desk.sent().len(), 3);
    world.assert_books_are_true("growth");
}

#[test]
fn an_order_that_is_denied_but_listed_is_there() {
    check(seconds(1)..seconds(44), Duration::ZERO..Duration::ZERO);
}

#[test]
fn an_order_that_is_denied_may_be_on_the_page_that_is_missing() {
    check(seconds(1)..seconds(55), seconds(1)..seconds(55));
}

#[test]
fn nothing_is_planned_on_a_list_of_open_orders_that_is_cut() {
    let world = World::drifted(Profile::ideal(), &QUARTERS);
    let cuts = Duration::ZERO..minutes(1);
    let denies = Duration::ZERO..Duration::ZERO;
    let broker = Forgetful { desk: Arc::clone(&world.desk), clock: world.clock.clone(), denies, cuts };
    let worker = world.worker_over("worker-2", Ports { broker: Arc::new(broker), ..world.ports() });
    let refused = world.run(worker.rebalance(&p("growth")));
    assert!(matches!(refused, Err(EngineError::Broker { cause: BrokerError::Unavailable { .. }, .. })), "{refused:?}");
    assert!(world.desk.sent().is_empty());
    // Once it is whole, the same goes on.
    world.clock.advance(minutes(1));
    assert_eq!(batch_of(world.run(worker.rebalance(&p("growth")))).outcome, Outcome::Completed);
}
