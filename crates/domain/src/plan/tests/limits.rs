//! What a broker allows and charges: minimums, lots, refusals, costs, and the cash that must stay for a restoration.

use super::{check, thirds};
use crate::books::{Definition, Market};
use crate::order::{Capabilities, RefusalReason, Refused, Side, Terms};
use crate::plan::{Plan, Trigger, Venue, plan};
use crate::testing::{Scene, ideal, read};
use crate::values::{Money, Quantity};
use expect_test::expect;
use std::cell::RefCell;

/// Legs as `-5.05 META` for a sale and `+3 AAPL` for a buy, then what was skipped.
fn traded(plan: &Plan) -> String {
    let sign = |side| if side == Side::Sell { '-' } else { '+' };
    let legs = plan.legs.iter().map(|l| format!("{}{} {}", sign(l.terms.side), l.terms.quantity, l.terms.symbol));
    let skipped = plan.skipped.iter().map(|skip| format!("{}: {}", skip.symbol, skip.reason));
    legs.chain(skipped).collect::<Vec<_>>().join(", ")
}

#[test]
fn a_leg_is_worth_at_least_the_minimum_of_both() {
    let lines = "A 41 @ 1 40\n B 59 @ 1 60";
    let below = |minimum: &str| {
        format!(
            "A: worth 1.00, less than the minimum order of {minimum}, \
             B: worth 1.00, less than the minimum order of {minimum}"
        )
    };
    let cases = [
        // the policy's minimum, the broker's
        ("1.00", "0.00", "-1 A, +1 B".to_owned()),
        ("0.00", "1.00", "-1 A, +1 B".to_owned()),
        ("1.01", "0.00", below("1.01")),
        ("1.01", "1.00", below("1.01")),
        ("0.50", "1.01", below("1.01")),
    ];
    for (policy, broker, expected) in cases {
        let mut scene = Scene::of(lines).minimum(policy);
        scene.capabilities.minimum_order = read(broker);
        assert_eq!(traded(&scene.plan(Trigger::Now).unwrap()), expected, "{policy}, {broker}");
    }
    // What moves no cent is no order, whatever the minimum.
    let tiny = Scene::of("A 40.005 @ 1 40\n B 59.995 @ 1 60").minimum("0.00").plan(Trigger::Now).unwrap();
    assert_eq!(
        traded(&tiny),
        "A: worth 0.00, less than the minimum order of 0.01, B: worth 0.00, less than the minimum order of 0.01"
    );
}

#[test]
fn quantities_are_whole_lots_unless_a_holding_is_left() {
    let scene = Scene::of("A 47.77 @ 1 40\n B 50.23 @ 1 60\n C 2.005 @ 1").lot("2").lot_of("B", "0.5");
    check(
        &scene,
        Trigger::Band,
        &expect![[r#"
        drift 19.4190 [A B C], SellsFirst
        0 sell A 6 @ 1 = 6.00
        1 sell C 2.005 @ 1 = 2.00, exit
        2 buy B 8 @ 1 = 8.00, shrunk
        A: 47.7676 -> 41.7700 of 40.0000
        B: 50.2275 -> 58.2300 of 60.0000
        C: 2.0049 -> 0.0000 of 0.0000
        turnover 16.00, cost 0.00, held back 0.00, worthwhile true
        lowest cash 0.00, shortfall 0.00
    "#]],
    );
    let coarse = Scene::of("A 49 @ 1 40\n B 51 @ 1 60").lot("10").lot_of("B", "9").plan(Trigger::Now).unwrap();
    assert_eq!(
        traded(&coarse),
        "A: less than one lot of 10, B: shrunk to 0.00 for want of cash, less than the minimum order of 1.00"
    );
    let fits = Scene::of("A 50 @ 1 40\n B 50 @ 1 60").lot("10").plan(Trigger::Now).unwrap();
    assert_eq!(traded(&fits), "-10 A, +10 B");
}

#[test]
fn a_single_step_is_traded_where_it_is_worth_an_order() {
    // At two thousand million a billionth is worth 2.00.
    let exactly = Scene::of("A 0.999999999 @ 2000000000 100\n CASH 2.00").plan(Trigger::Now).unwrap();
    assert_eq!(traded(&exactly), "+0.000000001 A");
    let less = Scene::of("A 0.999999999 @ 2000000000 100\n CASH 1.99").plan(Trigger::Now).unwrap();
    assert_eq!(traded(&less), "");
}

#[test]
fn what_the_broker_refuses_is_left_out_of_the_next_plan() {
    // Without the sale there is no cash for the buys.
    check(
        &thirds().refusing("META"),
        Trigger::Band,
        &expect![[r#"
        drift 6.4520 [META], Together
        - AAPL: shrunk to 0.00 for want of cash, less than the minimum order of 1.00
        - META: the broker does not allow it: not tradable: halted
        - MSFT: shrunk to 0.00 for want of cash, less than the minimum order of 1.00
        AAPL: 32.2549 -> 32.2549 of 33.3300
        META: 35.4804 -> 35.4804 of 33.3300
        MSFT: 32.2646 -> 32.2646 of 33.3400
        turnover 0.00, cost 0.00, held back 0.00, worthwhile false
        lowest cash 0.00, shortfall 0.00
    "#]],
    );
    // Without one buy the other is not larger: its target is the same.
    check(
        &thirds().refusing("AAPL"),
        Trigger::Band,
        &expect![[r#"
        drift 6.4520 [META], SellsFirst
        0 sell META 5.0502525 @ 440 = 2222.11
        1 buy MSFT 3.333 @ 333.4 = 1111.22
        - AAPL: the broker does not allow it: not tradable: halted
        CASH: 0.0000 -> 1.0751 of 0.0000
        AAPL: 32.2549 -> 32.2549 of 33.3300
        META: 35.4804 -> 33.3300 of 33.3300
        MSFT: 32.2646 -> 33.3400 of 33.3400
        turnover 3333.33, cost 0.00, held back 0.00, worthwhile true
        lowest cash 0.00, shortfall 0.00
    "#]],
    );
}

#[test]
fn the_check_sees_every_leg_of_every_plan_it_changes() {
    let scene = Scene::of("A 60 @ 1 20\n B 40 @ 1 40\n C 0 @ 1 40");
    let asked: RefCell<Vec<String>> = RefCell::default();
    let check = |terms: &Terms| {
        asked.borrow_mut().push(format!("{} {} {}", terms.side, terms.quantity, terms.symbol));
        // Only a first look shows that 40 are too many of C: smaller orders would be taken.
        let too_many = terms.quantity > read::<Quantity>("30") && terms.symbol == read("C");
        let refused = || Refused { reason: RefusalReason::BuyingPower, message: "too many".to_owned() };
        if too_many { Err(refused()) } else { Ok(()) }
    };
    let definition = Definition {
        account: read("account"),
        currency: read("EUR"),
        allocation: scene.allocation.clone(),
        policy: scene.policy,
    };
    let venue = Venue { capabilities: &ideal(), check: &check, attempts: 3 };
    let found = plan(&scene.books, &definition, Market::ageless(&scene.prices), venue, Trigger::Band).unwrap();
    assert_eq!(traded(&found), "-40 A, C: the broker does not allow it: buying power: too many");
    assert_eq!(*asked.borrow(), ["sell 40 A", "buy 40 C", "sell 40 A"]);
    assert_eq!(found.currency, read("EUR"));
}

#[test]
fn a_sale_brings_at_least_what_it_costs() {
    let lines = "A 42 @ 1 40\n B 58 @ 1 60";
    let cases = [
        ("2.00", "-2 A, B: shrunk to 0.00 for want of cash, less than the minimum order of 1.00"),
        (
            "2.01",
            "A: selling for 2.00 may cost 2.01, \
             B: shrunk to 0.00 for want of cash, less than the minimum order of 1.00",
        ),
    ];
    for (minimum_cost, expected) in cases {
        let mut scene = Scene::of(lines).costs(0, "0.00", minimum_cost);
        // Cash for the reserve alone, so that the targets are those of 100.00.
        scene.books.cash = read::<Money>(minimum_cost).add(read(minimum_cost)).unwrap();
        scene.books.cash = scene.books.cash.add(scene.books.cash).unwrap();
        assert_eq!(traded(&scene.plan(Trigger::Now).unwrap()), expected, "{minimum_cost}");
    }
    // Not even leaving a holding may need cash that is not there.
    let exit = |held: &str| {
        let lines = format!("A 100 @ 1 100\n B {held} @ 1\n CASH 8.00");
        traded(&Scene::of(&lines).costs(0, "2.00", "0.00").plan(Trigger::Band).unwrap())
    };
    assert_eq!(exit("2"), "-2 B, A: shrunk to 0.00 for want of cash, less than the minimum order of 1.00");
    assert_eq!(
        exit("1.99"),
        "A: shrunk to 0.00 for want of cash, less than the minimum order of 1.00, \
         B: selling for 1.99 may cost 2.00"
    );
}

#[test]
fn costs_are_paid_from_what_is_there() {
    let scene = thirds().costs(10, "0.35", "1.00");
    check(
        &scene,
        Trigger::Band,
        &expect![[r#"
        drift 6.6721 [META], SellsFirst
        0 sell META 5.21179695 @ 440 = 2293.19, cost 2.65
        1 buy AAPL 6.28539043 @ 165 = 1037.09, shrunk, cost 1.39
        2 buy MSFT 3.111579421 @ 333.4 = 1037.40, shrunk, cost 1.39
        CASH: -0.2068 -> 0.0000 of 0.0000
        AAPL: 32.3216 -> 33.3291 of 33.3300
        META: 35.5538 -> 33.3318 of 33.3300
        MSFT: 32.3313 -> 33.3391 of 33.3400
        turnover 4367.68, cost 5.43, held back 213.26, worthwhile true
        lowest cash 0.00, shortfall 10.86
    "#]],
    );
}

#[test]
fn a_batch_is_restorable_when_cash_covers_going_there_and_back() {
    // Each of the three legs costs 1.00 and is sent up to five times: 6.00 and 15 cents.
    let with_cash = |cash: &str| {
        let mut scene = thirds().costs(0, "1.00", "0.00");
        scene.books.cash = read(cash);
        (scene.capabilities.fills_rounded, scene.attempts) = (true, 5);
        let certificate = scene.plan(Trigger::Band).unwrap().certificate;
        (certificate.restorable, certificate.shortfall.to_string())
    };
    assert_eq!(with_cash("6.15"), (true, "0.00".to_owned()));
    assert_eq!(with_cash("6.14"), (false, "0.01".to_owned()));
    assert_eq!(with_cash("0.00"), (false, "6.15".to_owned()));
    assert_eq!(with_cash("-1.00"), (false, "6.15".to_owned()));
    let free = thirds().plan(Trigger::Band).unwrap().certificate;
    assert!(free.restorable);
}

#[test]
fn the_reserve_of_a_broker_is_what_it_declares() {
    let costs = thirds().costs(25, "0.35", "1.00").capabilities.costs;
    let capabilities = Capabilities { costs, fills_rounded: true, ..ideal() };
    let check = |_: &Terms| Ok(());
    let rule = Venue { capabilities: &capabilities, check: &check, attempts: 7 }.reserve();
    assert_eq!((rule.costs, rule.fills_rounded, rule.attempts), (costs, true, 7));
}
