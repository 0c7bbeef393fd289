//! The adapter in the engine: one portfolio, one wave of prices, one rebalance over HTTP.

use crate::rig::ToyRig;
use evenkeel_conformance::broker::BrokerRig;
use evenkeel_domain::allocation::TargetAllocation;
use evenkeel_domain::books::{Books, Definition};
use evenkeel_domain::policy::Policy;
use evenkeel_domain::record::Outcome;
use evenkeel_domain::values::{Price, StoreId};
use evenkeel_engine::{Engine, Ports, Rebalanced, Settings};
use evenkeel_memory::{MemoryJournal, MemoryLeases, MemoryNotifier};
use evenkeel_ports::{Clock, NullObserver};
use std::sync::Arc;

#[test]
fn a_portfolio_is_rebalanced_over_http() {
    let rig = ToyRig::new("META");
    let (meta, price): (_, Price) = (rig.symbol(), "440".parse().unwrap());
    rig.set_price(meta, price).unwrap();
    rig.fund("10000.00".parse().unwrap()).unwrap();
    let clock = rig.shared_clock();

    let ports = Ports {
        broker: rig.broker(), // Arc::new(ToyBroker::new(address, Secret::new(token), clock)?)
        leases: Arc::new(MemoryLeases::new(clock.clone())),
        journal: Arc::new(MemoryJournal::new(StoreId::new(7))),
        clock: clock.clone(),
        notifier: Arc::new(MemoryNotifier::new()),
        observer: Arc::new(NullObserver),
    };
    let engine = Engine::new(ports, Settings::default().checked().unwrap(), "worker-1".parse().unwrap());

    let growth = "growth".parse().unwrap();
    let definition = Definition {
        account: rig.account(),
        currency: "USD".parse().unwrap(),
        allocation: TargetAllocation::parse([("META", "90"), ("CASH", "10")]).unwrap(),
        policy: Policy::default(),
    };
    let report = rig.drive(async {
        engine.add(&growth, definition, Books::new("10000.00".parse().unwrap(), [])).await.unwrap();
        engine.on_wave(clock.now(), &[(meta, price)]);
        engine.rebalance(&growth).await.unwrap()
    });
    let Rebalanced::Batch(report) = report else { panic!("a batch: {report:?}") };
    assert_eq!(report.outcome, Outcome::Completed);
    let truth = rig.truth().unwrap();
    assert_eq!(truth.orders.len(), 1);
    let books = engine.portfolio(&growth).unwrap().books.clone();
    assert_eq!((books.cash, books.units(meta)), (truth.cash, truth.positions[&meta]));
}
