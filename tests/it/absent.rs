//! A broker that denies an order it has, and one whose lists are cut: what its other lists say counts as well, and what is cut is
//! read on or proves nothing.

use crate::answers::slow;
use crate::desk::Desk;
use crate::late::outlives_its_batch;
use crate::world::{QUARTERS, World, batch_of, minutes, noon, p, seconds};
use async_trait::async_trait;
use evenkeel_banchile::{Fault, Latency, Profile, Rule};
use evenkeel_domain::order::{
    CancelAnswer, Capabilities, ClientOrderId, Duplicates, FillCursor, Lookup, OrderRequest, Refused, SubmitAnswer,
    Terms,
};
use evenkeel_domain::record::Outcome;
use evenkeel_domain::values::AccountId;
use evenkeel_engine::{Engine, EngineError, Ports};
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
    /// Fills are on the third page; there is nothing on those before.
    pages: bool,
}

impl Forgetful {
    /// One that forgets nothing yet.
    fn new(world: &World) -> Self {
        let never = Duration::ZERO..Duration::ZERO;
        let (desk, clock) = (Arc::clone(&world.desk), world.clock.clone());
        Self { desk, clock, denies: never.clone(), cuts: never, pages: false }
    }

    /// A worker that has this broker.
    fn worker(self, world: &World) -> Arc<Engine> {
        world.worker_over("worker-2", Ports { broker: Arc::new(self), ..world.ports() })
    }

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
        if !self.pages {
            return self.desk.fills_since(account, cursor).await;
        }
        let after = cursor.map(|cursor| cursor.0).unwrap_or_default();
        if let Some(after) = after.strip_suffix("++") {
            let after = Some(FillCursor(after.to_owned())).filter(|after| !after.0.is_empty());
            return self.desk.fills_since(account, after).await;
        }
        Ok(FillPage { fills: Vec::new(), next: FillCursor(format!("{after}+")), complete: false })
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
    let worker = Forgetful { denies, cuts, ..Forgetful::new(&world) }.worker(&world);
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
    let worker = Forgetful { cuts: Duration::ZERO..minutes(1), ..Forgetful::new(&world) }.worker(&world);
    let refused = world.run(worker.rebalance(&p("growth")));
    assert!(matches!(refused, Err(EngineError::Broker { cause: BrokerError::Unavailable { .. }, .. })), "{refused:?}");
    assert!(world.desk.sent().is_empty());
    // Once it is whole, the same goes on.
    world.clock.advance(minutes(1));
    assert_eq!(batch_of(world.run(worker.rebalance(&p("growth")))).outcome, Outcome::Completed);
}

#[test]
fn fills_are_read_to_the_last_page() {
    let world = outlives_its_batch(None);
    assert_ne!(world.state("growth").books, world.truth("growth"), "a fill came late");
    let worker = Forgetful { pages: true, ..Forgetful::new(&world) }.worker(&world);
    assert_eq!(batch_of(world.run(worker.rebalance(&p("growth")))).outcome, Outcome::Completed);
    world.assert_books_are_true("growth");
}

#[test]
fn patience_outlasts_what_a_broker_declares_to_need() {
    // Longer than the ten minutes after which a person is asked by default.
    let profile = Profile { quiescence: minutes(15), duplicates: Duplicates::Correlated, ..slow() };
    let world = World::drifted(profile, &QUARTERS);
    world.script([Rule::new(Fault::LoseRequest).symbol(p("META")).times(1)]);
    let before = world.truth("growth");
    let report = world.batch("growth");
    assert_eq!(report.outcome, Outcome::Restored, "{report:?}");
    world.assert_restored("growth", &before);
}
