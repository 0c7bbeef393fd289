//! What a rig with few hands can show: the toy as if it were somebody's sandbox.
//!
//! Such a rig reads prices and waits, and can do no more than the methods that it has of its own; the rest keeps the body that says so.

use crate::rig::ToyRig;
use evenkeel_conformance::broker::{BrokerRig, declared, report};
use evenkeel_conformance::{Cannot, Check, Rig};
use evenkeel_domain::values::{AccountId, Currency, Money, Price, Quantity, Symbol, Timestamp};
use evenkeel_ports::Broker;
use expect_test::expect_file;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;

/// What a sandbox lets one do besides trading.
#[derive(Clone, Copy)]
struct Hands {
    cash: bool,
    units: bool,
}

struct Sandbox {
    toy: ToyRig,
    hands: Hands,
}

impl Sandbox {
    fn new(hands: Hands) -> Self {
        let toy = ToyRig::new("META");
        for symbol in [toy.symbol(), toy.second_symbol()] {
            toy.set_price(symbol, "400".parse().unwrap()).unwrap();
        }
        Self { toy, hands }
    }
}

impl Rig for Sandbox {
    fn adapter(&self) -> String {
        "Toy sandbox".to_owned()
    }

    fn capabilities(&self) -> Vec<String> {
        declared(&*self.broker())
    }

    fn run(&self, case: BoxFuture<'_, Check>) -> Check {
        self.toy.run(case)
    }
}

impl BrokerRig for Sandbox {
    fn broker(&self) -> Arc<dyn Broker> {
        self.toy.broker()
    }

    fn account(&self) -> AccountId {
        self.toy.account()
    }

    fn currency(&self) -> Currency {
        "USD".parse().unwrap()
    }

    fn symbol(&self) -> Symbol {
        self.toy.symbol()
    }

    fn second_symbol(&self) -> Symbol {
        self.toy.second_symbol()
    }

    fn unknown_symbol(&self) -> Symbol {
        self.toy.unknown_symbol()
    }

    fn now(&self) -> Timestamp {
        self.toy.now()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        self.toy.sleep(duration)
    }

    fn price(&self, symbol: Symbol) -> Result<Price, Cannot> {
        Ok(self.toy.server.state().bank.prices[&symbol])
    }

    fn fund(&self, cash: Money) -> Result<(), Cannot> {
        if self.hands.cash { self.toy.fund(cash) } else { Err(Cannot::new("pay in cash")) }
    }

    fn hold(&self, symbol: Symbol, quantity: Quantity) -> Result<(), Cannot> {
        if self.hands.units { self.toy.hold(symbol, quantity) } else { Err(Cannot::new("bring in units")) }
    }
}

/// The guide shows it.
#[test]
fn a_sandbox_shows_what_its_hands_allow() {
    let mut table = String::new();
    for (what, hands) in [
        ("prices only", Hands { cash: false, units: false }),
        ("and cash can be paid in", Hands { cash: true, units: false }),
        ("and units can be brought in", Hands { cash: true, units: true }),
    ] {
        let report = report(|| Box::new(Sandbox::new(hands)));
        assert_eq!(report.count("failed"), 0, "{what}: {report}");
        let passed: Vec<&str> =
            report.cases.iter().filter(|case| case.verdict == "passed").map(|case| case.id).collect();
        let of = report.cases.len();
        table.push_str(&format!("{what}: {} of {of} shown: {}\n", passed.len(), passed.join(" ")));
    }
    expect_file!["sandbox.txt"].assert_eq(&table);
}
