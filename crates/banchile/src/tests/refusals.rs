//! Every reason of a refusal, and what is just not refused.

use super::desk::{Desk, id, order, order_of, symbol};
use crate::{Fault, Profile, Rule};
use evenkeel_domain::order::{Duplicates, OrderRequest, RefusalReason, Side, SubmitAnswer};
use evenkeel_domain::values::Timestamp;
use evenkeel_ports::Broker;
use std::time::Duration;

/// Ideal, but with a minimum of 1.00, whole shares of META, and no orders against one's own.
fn strict() -> Profile {
    Profile {
        minimum_order: "1.00".parse().unwrap(),
        lot: "0.5".parse().unwrap(),
        lots: [(symbol("META"), "1".parse().unwrap()), (symbol("TINY"), "0.001".parse().unwrap())].into(),
        refuse_opposite: true,
        ..Profile::ideal()
    }
}

/// Places `before`, which stays open where it ends with ` open`, then wants `text` refused so, or taken.
fn check(profile: Profile, before: &[&str], text: &str, expected: Result<(), RefusalReason>) {
    let desk = Desk::new(profile);
    for (leg, text) in before.iter().enumerate() {
        let placed = text.strip_suffix(" open").unwrap_or(text);
        if text.ends_with(" open") {
            desk.broker.script(Rule::new(Fault::NeverFill));
        }
        desk.place(&order(leg, placed));
    }
    let standing = desk.standing();
    let sent = order(100, text);
    let answer = desk.submit(&sent);
    match (answer, expected) {
        (SubmitAnswer::Acknowledged(_), Ok(())) => {}
        (SubmitAnswer::Refused(refused), Err(reason)) => {
            assert_eq!(refused.reason, reason, "{text}: {refused}");
            assert!(!refused.message.is_empty(), "{text}");
            assert_eq!(desk.standing(), standing, "{text} changed something");
            assert_eq!(desk.state(sent.id), "Absent", "{text}");
        }
        (answer, expected) => panic!("{text}: {answer:?} instead of {expected:?}"),
    }
    desk.conserved();
}

#[test]
fn buying_power() {
    let refused = || Err(RefusalReason::BuyingPower);
    let collar = || Profile { collar_bps: 100, ..Profile::ideal() };
    let fees = || Profile {
        fees: "0.01".parse().map(|m| evenkeel_domain::order::Costs { per_order: m, ..Default::default() }).unwrap(),
        ..Profile::ideal()
    };
    for (profile, before, text, expected) in [
        (Profile::ideal(), &[][..], "buy 25 META @ 400", Ok(())),
        (Profile::ideal(), &[], "buy 25.0001 META @ 400", refused()),
        // 10,000.004 is booked as 10,000.00.
        (Profile::ideal(), &[], "buy 25.00001 META @ 400", Ok(())),
        (Profile::ideal(), &["buy 15 META @ 400 open"], "buy 10 META @ 400", Ok(())),
        (Profile::ideal(), &["buy 15 META @ 400 open"], "buy 10.0001 META @ 400", refused()),
        // The proceeds of an open sell are not there yet, those of a filled one are.
        (Profile::ideal(), &["sell 10 AAPL @ 200 open"], "buy 26 META @ 400", refused()),
        (Profile::ideal(), &["sell 10 AAPL @ 200"], "buy 30 META @ 400", Ok(())),
        (collar(), &[], "buy 24.752475 META @ 400", Ok(())),
        (collar(), &[], "buy 24.7525 META @ 400", refused()),
        // A cent is charged, two more are declared for roundings.
        (fees(), &[], "buy 24.999925 META @ 400", Ok(())),
        (fees(), &[], "buy 24.99995 META @ 400", refused()),
        // More than money can count.
        (Profile::ideal(), &[], "buy 999999999999999999 META @ 400", refused()),
    ] {
        check(profile, before, text, expected);
    }
}

#[test]
fn insufficient_quantity() {
    let refused = || Err(RefusalReason::InsufficientQuantity);
    for (before, text, expected) in [
        (&[][..], "sell 10 AAPL @ 200", Ok(())),
        (&[], "sell 10.000000001 AAPL @ 200", refused()),
        (&[], "sell 1 META @ 400", refused()),
        (&["sell 4 AAPL @ 200 open"], "sell 6 AAPL @ 200", Ok(())),
        (&["sell 4 AAPL @ 200 open"], "sell 6.000000001 AAPL @ 200", refused()),
        (&["buy 1 META @ 400 open"], "sell 1 META @ 400", refused()),
        (&["buy 1 META @ 400"], "sell 1 META @ 400", Ok(())),
    ] {
        check(Profile::ideal(), before, text, expected);
    }
}

#[test]
fn static_rules_are_those_of_check() {
    let cases = [
        ("buy 0.5 AAPL @ 2", Ok(())),
        ("buy 0.5 AAPL @ 1.999999999", Err(RefusalReason::BelowMinimum)),
        ("sell 0.5 AAPL @ 1.9", Err(RefusalReason::BelowMinimum)),
        ("sell 100 TINY @ 0.003", Err(RefusalReason::BelowMinimum)),
        ("sell 100 TINY @ 0.003 exit", Ok(())),
        ("buy 100 TINY @ 0.003 exit", Err(RefusalReason::BelowMinimum)),
        ("buy 0 AAPL @ 200", Err(RefusalReason::BelowMinimum)),
        ("sell 0 AAPL @ 200 exit", Err(RefusalReason::BelowMinimum)),
        ("buy 1.5 META @ 400", Err(RefusalReason::NotALot)),
        ("buy 2 META @ 400", Ok(())),
        ("buy 1.5 AAPL @ 200", Ok(())),
        ("buy 1.4 AAPL @ 200", Err(RefusalReason::NotALot)),
        ("sell 9.7 AAPL @ 200 exit", Ok(())),
        ("sell 9.7 AAPL @ 200", Err(RefusalReason::NotALot)),
    ];
    for (text, expected) in cases {
        let desk = Desk::new(strict());
        let said = desk.broker.check(&desk.account, &order(100, text).terms);
        assert_eq!(said.map_err(|refused| refused.reason), expected, "{text}");
        check(strict(), &[], text, expected);
    }
}

#[test]
fn check_knows_nothing_of_account_and_market() {
    let desk = Desk::ideal();
    desk.broker.halt(symbol("META"));
    desk.broker.close_market(Timestamp::MAX);
    for text in ["buy 1000000 META @ 400", "sell 1000000 META @ 400", "buy 1 NONE @ 400"] {
        assert_eq!(desk.broker.check(&desk.account, &order(0, text).terms), Ok(()), "{text}");
    }
    let stranger = "stranger".parse().unwrap();
    assert_eq!(desk.broker.check(&stranger, &order(0, "buy 1 META @ 400").terms), Ok(()));
}

#[test]
fn without_a_minimum_any_step_is_an_order() {
    check(Profile::ideal(), &[], "buy 0.000000001 META @ 400", Ok(()));
    check(Profile::ideal(), &[], "buy 0 META @ 400", Err(RefusalReason::BelowMinimum));
}

#[test]
fn opposite_orders() {
    let refused = || Err(RefusalReason::OppositeOrderOpen);
    for (profile, before, text, expected) in [
        (strict(), &["buy 1 AAPL @ 200 open"][..], "sell 1 AAPL @ 200", refused()),
        (strict(), &["sell 1 AAPL @ 200 open"], "buy 1 AAPL @ 200", refused()),
        (strict(), &["sell 1 AAPL @ 200"], "buy 1 AAPL @ 200", Ok(())),
        (strict(), &["sell 1 AAPL @ 200 open"], "sell 1 AAPL @ 200", Ok(())),
        (strict(), &["sell 1 AAPL @ 200 open"], "buy 1 META @ 400", Ok(())),
        (Profile::ideal(), &["sell 1 AAPL @ 200 open"], "buy 1 AAPL @ 200", Ok(())),
    ] {
        check(profile, before, text, expected);
    }
}

#[test]
fn what_is_not_traded() {
    check(Profile::ideal(), &[], "buy 1 NONE @ 1", Err(RefusalReason::NotTradable));
    let desk = Desk::ideal();
    desk.broker.halt(symbol("META"));
    assert_eq!(desk.refusal(&order(1, "buy 1 META @ 400")), RefusalReason::NotTradable);
    desk.place(&order(2, "buy 1 AAPL @ 200"));
    desk.broker.resume(symbol("META"));
    desk.place(&order(1, "buy 1 META @ 400"));
}

#[test]
fn a_closed_market_opens_at_its_time_or_by_hand() {
    let desk = Desk::ideal();
    let opens_at = Timestamp::EPOCH.plus(Duration::from_secs(60));
    desk.broker.close_market(opens_at);
    assert_eq!(desk.refusal(&order(1, "buy 1 META @ 400")), RefusalReason::MarketClosed { opens_at });
    desk.clock.pass(Duration::from_nanos(59_999_999_999));
    assert_eq!(desk.refusal(&order(1, "buy 1 META @ 400")), RefusalReason::MarketClosed { opens_at });
    desk.clock.pass(Duration::from_nanos(1));
    desk.place(&order(1, "buy 1 META @ 400"));
    desk.broker.close_market(Timestamp::MAX);
    desk.broker.open_market();
    desk.place(&order(2, "buy 1 META @ 400"));
}

#[test]
fn an_id_names_one_order_for_ever() {
    let first = order(1, "buy 1 META @ 400");
    let others =
        ["buy 2 META @ 400", "sell 1 META @ 400", "buy 1 AAPL @ 400", "buy 1 META @ 401", "buy 1 META @ 400 exit"];
    for open in [true, false] {
        let desk = Desk::ideal();
        if open {
            desk.broker.script(Rule::new(Fault::NeverFill));
        }
        desk.place(&first);
        let standing = desk.standing();
        // Whatever else would be wrong with it now.
        desk.broker.close_market(if open { Timestamp::EPOCH } else { Timestamp::MAX });
        assert_eq!(desk.submit(&first), SubmitAnswer::AlreadyExists);
        for text in others {
            assert_eq!(desk.refusal(&order(1, text)), RefusalReason::DuplicateIdOtherOrder, "{text}");
        }
        if !open {
            assert_eq!(desk.standing(), standing);
        }
        assert_eq!(desk.broker.ledger(&desk.account).unwrap().orders.len(), 1);
        desk.conserved();
    }
}

#[test]
fn a_refused_id_is_free_again() {
    let desk = Desk::ideal();
    let buy = order(1, "buy 30 META @ 400");
    assert_eq!(desk.refusal(&buy), RefusalReason::BuyingPower);
    desk.broker.deposit(&desk.account, "2000.00".parse().unwrap()).unwrap();
    desk.place(&buy);
}

#[test]
fn a_broker_that_only_correlates_takes_an_id_twice() {
    let desk = Desk::new(Profile { duplicates: Duplicates::Correlated, ..Profile::ideal() });
    assert_eq!(desk.broker.capabilities().duplicates, Duplicates::Correlated);
    desk.broker.script(Rule::new(Fault::NeverFill).nth(2));
    let buy = order(1, "buy 1 META @ 400");
    desk.place(&buy);
    desk.place(&buy);
    let truth = desk.broker.ledger(&desk.account).unwrap();
    assert_eq!(truth.orders.iter().map(|order| order.copy).collect::<Vec<_>>(), [0, 1]);
    // The open copy is the one that can still be dealt with.
    assert_eq!(desk.state(buy.id), "Working 0");
    desk.cancel(buy.id);
    desk.place(&buy);
    assert_eq!(desk.state(buy.id), "Filled 1");
    assert_eq!(desk.fills(None).0.len(), 2);
    desk.conserved();
}

#[test]
fn accounts_that_take_no_orders() {
    let desk = Desk::ideal();
    let buy = order(1, "buy 1 META @ 400");
    let stranger = "stranger".parse().unwrap();
    let answer = desk.run(desk.broker.submit(&stranger, &buy));
    assert!(matches!(answer, SubmitAnswer::Refused(refused) if refused.reason == RefusalReason::Other));

    desk.broker.block(&desk.account, true).unwrap();
    assert_eq!(desk.refusal(&buy), RefusalReason::Other);
    assert!(desk.run(desk.broker.account(&desk.account)).unwrap().blocked);
    desk.broker.block(&desk.account, false).unwrap();
    assert!(!desk.run(desk.broker.account(&desk.account)).unwrap().blocked);
    desk.place(&buy);
}

#[test]
fn a_refusal_turns_away_its_copies_under_way() {
    let slow = Fault::Slow { delay: Duration::from_secs(5) };
    let twin = |account: &str| Rule::new(slow.clone()).account(account.parse().unwrap());
    let desk =
        Desk::scripted(Profile::ideal(), [twin("growth"), twin("other"), Rule::new(slow.clone()).side(Side::Sell)]);
    desk.broker.open_account(&"other".parse().unwrap(), "USD".parse().unwrap(), "400.00".parse().unwrap(), []).unwrap();
    let buy = order(1, "buy 30 META @ 400");
    // Three requests are under way: this one, the same for another account, and another one.
    desk.submit(&buy);
    let small = OrderRequest { id: buy.id, ..order(1, "buy 1 META @ 400") };
    desk.run(desk.broker.submit(&"other".parse().unwrap(), &small));
    desk.submit(&order_of(1, 2, "sell 1 AAPL @ 200"));
    assert_eq!(desk.refusal(&buy), RefusalReason::BuyingPower);
    desk.broker.deposit(&desk.account, "50000.00".parse().unwrap()).unwrap();
    desk.settle();
    assert_eq!(desk.state(buy.id), "Absent");
    assert_eq!(desk.state(id(1, 2)), "Filled 1");
    assert_eq!(desk.broker.truth()[&"other".parse().unwrap()].orders.len(), 1);
}
