//! Nothing is created and nothing is lost: whatever happens, the ledger adds up; and a ledger that does not is found out.

use super::desk::{Desk, id, order, order_of, shown, symbol, units};
use crate::{Chance, Fault, Ledger, Part, Profile, Retention, Rule, Violation};
use evenkeel_domain::order::{BrokerStatus, Costs, Lookup, RefusalReason};
use evenkeel_domain::values::{Money, Quantity, Timestamp};
use evenkeel_ports::{Broker, Clock};
use futures_util::FutureExt;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

/// One step of a random day.
#[derive(Debug, Clone)]
enum Step {
    Order { leg: usize, batch: u128, buy: bool, symbol: usize, nanos: u64, drop: bool },
    Cancel { leg: usize, batch: u128 },
    Pass { millis: u64 },
    Price { symbol: usize, nanos: u64 },
    Fault(Fault),
    Cash { cents: i64 },
    Units { symbol: usize, nanos: u64, out: bool },
    Halt { symbol: usize, halted: bool },
    Close { millis: u64 },
    Read,
}

const SYMBOLS: [&str; 3] = ["AAPL", "META", "TINY"];

fn faults() -> impl Strategy<Value = Fault> {
    let delay = Duration::from_millis(700);
    let part = Part::Share("40".parse().unwrap());
    prop::sample::select(vec![
        Fault::LoseRequest,
        Fault::LoseAnswer,
        Fault::DoubleAnswer,
        Fault::Slow { delay },
        Fault::Refuse(RefusalReason::Other),
        Fault::RejectAfterAck,
        Fault::PartialThenCancel(part),
        Fault::PartialThenWork(part),
        Fault::LateFill { delay },
        Fault::LateFillAfterCancel { delay },
        Fault::NeverFill,
        Fault::Unmapped("odd".to_owned()),
        Fault::LoseCancel,
        Fault::LoseCancelAnswer,
    ])
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let symbol = 0..SYMBOLS.len();
    let (leg, batch) = (0_usize..6, 1_u128..5);
    let step = prop_oneof![
        8 => (leg.clone(), batch.clone(), any::<bool>(), symbol.clone(), 1_u64..30_000_000_000, any::<bool>())
            .prop_map(|(leg, batch, buy, symbol, nanos, drop)| Step::Order { leg, batch, buy, symbol, nanos, drop }),
        3 => (leg, batch).prop_map(|(leg, batch)| Step::Cancel { leg, batch }),
        5 => (0_u64..2000).prop_map(|millis| Step::Pass { millis }),
        2 => (symbol.clone(), 1_u64..900_000_000_000).prop_map(|(symbol, nanos)| Step::Price { symbol, nanos }),
        4 => faults().prop_map(Step::Fault),
        1 => (-2_000_000_i64..2_000_000).prop_map(|cents| Step::Cash { cents }),
        1 => (symbol.clone(), 0_u64..20_000_000_000, any::<bool>()).prop_map(|(symbol, nanos, out)| Step::Units { symbol, nanos, out }),
        1 => (symbol, any::<bool>()).prop_map(|(symbol, halted)| Step::Halt { symbol, halted }),
        1 => (0_u64..3000).prop_map(|millis| Step::Close { millis }),
        2 => Just(Step::Read),
    ];
    prop::collection::vec(step, 1..40)
}

/// What must only grow: units executed per order, as anybody is told.
type Told = BTreeMap<String, Quantity>;

fn perform(desk: &Desk, step: Step, told: &mut Told) {
    let (broker, account) = (&desk.broker, &desk.account);
    match step {
        Step::Order { leg, batch, buy, symbol, nanos, drop } => {
            let quantity = Quantity::from_nanos(u128::from(nanos)).unwrap();
            let reference = broker.price(super::desk::symbol(SYMBOLS[symbol])).unwrap();
            let side = if buy { "buy" } else { "sell" };
            let sent = order_of(batch, leg, &format!("{side} {quantity} {} @ {reference}", SYMBOLS[symbol]));
            if drop {
                let _gone = broker.submit(account, &sent).now_or_never();
            } else {
                desk.submit(&sent);
            }
        }
        Step::Cancel { leg, batch } => drop(desk.cancel(id(batch, leg))),
        Step::Pass { millis } => desk.clock.pass(Duration::from_millis(millis)),
        Step::Price { symbol, nanos } => {
            broker.set_price(
                super::desk::symbol(SYMBOLS[symbol]),
                evenkeel_domain::values::Price::from_nanos(nanos).unwrap(),
            );
        }
        Step::Fault(fault) => broker.script(Rule::new(fault)),
        Step::Cash { cents } => {
            let amount = Money::from_cents(cents).unwrap();
            let _moved =
                if cents < 0 { broker.withdraw(account, amount.abs()) } else { broker.deposit(account, amount) };
        }
        Step::Units { symbol, nanos, out } => {
            let (symbol, quantity) =
                (super::desk::symbol(SYMBOLS[symbol]), Quantity::from_nanos(u128::from(nanos)).unwrap());
            let _moved =
                if out { broker.deliver(account, symbol, quantity) } else { broker.receive(account, symbol, quantity) };
        }
        Step::Halt { symbol, halted } => {
            let symbol = super::desk::symbol(SYMBOLS[symbol]);
            if halted { broker.halt(symbol) } else { broker.resume(symbol) }
        }
        Step::Close { millis } => broker.close_market(desk.clock.now().plus(Duration::from_millis(millis))),
        Step::Read => read(desk, told),
    }
}

/// Asks for everything: what was told once stays true.
fn read(desk: &Desk, told: &mut Told) {
    let truth = desk.broker.ledger(&desk.account).unwrap();
    for truth in &truth.orders {
        let Lookup::Found(view) = desk.look_up(truth.request.id) else { continue };
        shown(&view);
        let before = told.insert(view.id.to_string(), view.filled).unwrap_or_default();
        assert!(before <= view.filled, "{view:?}");
        assert!(view.filled <= truth.filled());
    }
    let view = desk.run(desk.broker.account(&desk.account)).unwrap();
    assert!(!view.buying_power.is_negative() && view.buying_power <= truth.cash);
    for position in desk.run(desk.broker.positions(&desk.account)).unwrap() {
        assert!(position.available <= position.quantity);
    }
    let (mut cursor, mut count) = (None, 0);
    loop {
        let (fills, next, complete) = desk.fills(cursor.as_deref());
        count += fills.len();
        if complete {
            break;
        }
        cursor = Some(next);
    }
    assert!(count <= truth.orders.iter().map(|order| order.fills.len()).sum());
}

fn profiles() -> impl Strategy<Value = Profile> {
    let fees = Costs { bps: 13, per_order: "0.07".parse().unwrap(), minimum: "0.50".parse().unwrap() };
    let costly = Profile { fees, slippage_bps: 77, partial_fills: Chance::per_mille(500), ..Profile::ideal() };
    let tame = Profile { page: 3, minimum_order: Money::ZERO, ..Profile::calm() };
    let kinds = vec![
        Profile::ideal(),
        costly,
        tame,
        Profile { page: 1, outages: None, disorder: Chance::NEVER, ..Profile::storm() },
    ];
    (prop::sample::select(kinds), any::<bool>()).prop_map(|(profile, forgets)| {
        let retention = if forgets { Retention::OrderIds } else { Retention::Everything };
        Profile { retention, ..profile }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn every_step_conserves(profile in profiles(), seed: u64, steps in steps()) {
        let desk = Desk::seeded(profile, seed);
        let mut told = Told::new();
        for step in steps {
            let shown = format!("{step:?}");
            perform(&desk, step, &mut told);
            let checked = desk.broker.check_conservation(&desk.account);
            prop_assert_eq!(checked, Ok(()), "after {}", shown);
        }
        for name in SYMBOLS {
            desk.broker.resume(symbol(name));
        }
        desk.settle();
        desk.clock.pass(Duration::from_secs(60));
        read(&desk, &mut told);
        // When the day is over nothing is reserved any more, and what is seen is what is.
        desk.broker.close_market(Timestamp::MAX);
        desk.settle();
        let truth = desk.broker.ledger(&desk.account).unwrap();
        prop_assert!(truth.reserved.is_zero() && truth.holdings.values().all(|holding| holding.reserved.is_zero()));
        desk.clock.pass(Duration::from_secs(60));
        let view = desk.run(desk.broker.account(&desk.account)).unwrap();
        prop_assert_eq!((view.cash, view.buying_power), (truth.cash, truth.cash));
    }
}

/// A ledger with two orders, of which the first was executed in two fills; honest but for what `tamper` does to it.
fn check(tamper: impl Fn(&mut Ledger), expected: &str) {
    let fees = Costs { bps: 10, per_order: Money::ZERO, minimum: Money::ZERO };
    let desk = Desk::new(Profile { fees, partial_fills: Chance::ALWAYS, ..Profile::ideal() });
    desk.place(&order(0, "buy 2 META @ 400"));
    desk.broker.script(Rule::new(Fault::NeverFill));
    desk.place(&order(1, "sell 4 AAPL @ 200"));
    let mut ledger = desk.broker.ledger(&desk.account).unwrap();
    tamper(&mut ledger);
    let name = ledger.check().map_or_else(|violation| format!("{violation:?}"), |()| "fine".to_owned());
    assert!(name.starts_with(expected), "{name} instead of {expected}");
}

#[test]
fn a_ledger_that_does_not_add_up_is_found_out() {
    let cent = |amount: &mut Money| *amount = amount.add(Money::CENT).unwrap();
    let step = |quantity: &mut Quantity| *quantity = quantity.add(Quantity::STEP).unwrap();
    check(|_| {}, "fine");
    check(|ledger| cent(&mut ledger.cash), "Cash");
    check(|ledger| cent(&mut ledger.deposits), "Cash");
    check(|ledger| cent(&mut ledger.withdrawals), "Cash");
    check(|ledger| ledger.forgotten.bought = 1, "Cash");
    check(|ledger| ledger.forgotten.sold = 1, "Cash");
    check(|ledger| ledger.forgotten.fees = 1, "Cash");
    check(|ledger| step(&mut ledger.holdings.get_mut(&symbol("META")).unwrap().units), "Units");
    check(|ledger| step(&mut ledger.holdings.get_mut(&symbol("TINY")).unwrap().received), "Units");
    check(|ledger| step(&mut ledger.holdings.get_mut(&symbol("TINY")).unwrap().delivered), "Units");
    check(|ledger| ledger.holdings.retain(|held, _| *held != symbol("META")), "Units");
    check(|ledger| ledger.forgotten.units = [(symbol("NONE"), 1)].into(), "Units");
    check(|ledger| ledger.holdings.get_mut(&symbol("AAPL")).unwrap().reserved = units("10"), "fine");
    check(|ledger| ledger.holdings.get_mut(&symbol("AAPL")).unwrap().reserved = units("10.1"), "OverReserved");
    check(|ledger| ledger.reserved = ledger.cash, "fine");
    check(|ledger| ledger.reserved = ledger.cash.add(Money::CENT).unwrap(), "OverReserved");
    check(|ledger| ledger.reserved = Money::CENT.negate(), "OverReserved");
    check(
        |ledger| {
            ledger.withdrawals = ledger.deposits;
            ledger.reserved = "-900.00".parse().unwrap();
            ledger.cash = "-800.80".parse().unwrap();
        },
        "OverReserved",
    );
    check(|ledger| step(&mut ledger.orders[0].fills[0].quantity), "OverFilled");
    check(|ledger| ledger.orders[0].request.terms.quantity = units("1"), "OverFilled");
    check(|ledger| ledger.orders[0].fills[0].quantity = Quantity::ZERO, "OverFilled");
    check(|ledger| ledger.orders[0].request.terms.quantity = units("3"), "Status");
    check(|ledger| ledger.orders[0].status = BrokerStatus::Canceled, "Status");
    check(|ledger| ledger.orders[1].status = BrokerStatus::Filled, "Status");
    check(|ledger| cent(&mut ledger.orders[0].amount), "Booking");
    check(|ledger| cent(&mut ledger.orders[0].fees), "Booking");
    check(|ledger| cent(&mut ledger.orders[0].fills[0].fee), "Booking");
    check(|ledger| cent(&mut ledger.orders[1].fees), "Booking");
    check(|ledger| ledger.orders[0].fills[0].price = "401".parse().unwrap(), "Booking");
    check(|ledger| ledger.orders[0].fills[0].id = ledger.orders[0].fills[1].id.clone(), "FillTwice");
}

#[test]
fn a_violation_tells_what_it_found() {
    let account = "growth".parse().unwrap();
    let violation = Violation::Cash { account, found: 1, expected: 2 };
    assert_eq!(violation.to_string(), "account growth has 1 cents of cash, and its movements come to 2");
    let order = Box::new(order(0, "buy 2 META @ 400"));
    let violation =
        Violation::OverFilled { account: "growth".parse().unwrap(), order: order.clone(), filled: units("3") };
    assert_eq!(violation.to_string(), format!("order {} of account growth executed 3 of 2", order.id));
}
