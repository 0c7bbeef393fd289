//! Every fault: what the caller is told, and what is true.

use super::desk::{Desk, id, order, shown};
use super::life::steady;
use crate::{Fault, Part, Profile, Rule};
use evenkeel_domain::order::{
    Attempt, BrokerStatus, CancelAnswer, ClientOrderId, Direction, NotSent, OrderRequest, RefusalReason, Side,
    SubmitAnswer, UnknownCause,
};
use evenkeel_domain::values::Timestamp;
use evenkeel_ports::{Broker, BrokerError, Clock};
use std::time::Duration;

fn answered(answer: &SubmitAnswer) -> String {
    match answer {
        SubmitAnswer::Acknowledged(view) => shown(view),
        SubmitAnswer::AlreadyExists => "exists".to_owned(),
        SubmitAnswer::Refused(refused) => format!("refused: {}", refused.reason),
        SubmitAnswer::NotSent(why) => format!("not sent: {why}"),
        SubmitAnswer::Unknown(cause) => format!("unknown: {cause}"),
    }
}

/// What a buy of 2 META meets with one fault.
struct Case {
    fault: Fault,
    /// What the caller is told, when (in milliseconds), and how the order then stands.
    told: &'static str,
    at: u64,
    then: &'static str,
    /// How it stands when nothing happens by itself any more.
    settled: &'static str,
    /// How it stands after a cancel.
    canceled: &'static str,
}

fn check(profile: &Profile, case: &Case) {
    let desk = Desk::scripted(profile.clone(), [Rule::new(case.fault.clone())]);
    let buy = order(1, "buy 2 META @ 400");
    let told = desk.submit(&buy);
    let Case { fault, .. } = case;
    let passed = desk.clock.now().since(Timestamp::EPOCH);
    assert_eq!((answered(&told).as_str(), passed), (case.told, Duration::from_millis(case.at)), "{fault:?}");
    assert_eq!(desk.state(buy.id), case.then, "{fault:?}");
    desk.conserved();
    desk.settle();
    desk.clock.pass(Duration::from_secs(1));
    assert_eq!(desk.state(buy.id), case.settled, "{fault:?}");
    desk.cancel(buy.id);
    desk.settle();
    assert_eq!(desk.state(buy.id), case.canceled, "{fault:?}");
    let ledger = desk.broker.ledger(&desk.account).unwrap();
    assert!(ledger.reserved.is_zero(), "{fault:?}");
    assert!(ledger.orders.len() <= 1);
    let filled = if case.canceled.ends_with('2') {
        "9200.00"
    } else if case.canceled.ends_with('1') {
        "9600.00"
    } else {
        "10000.00"
    };
    assert_eq!(ledger.cash.to_string(), filled, "{fault:?}");
}

fn one() -> Part {
    Part::Units("1".parse().unwrap())
}

#[test]
fn at_a_broker_with_latencies() {
    let second = Duration::from_secs(1);
    let case = |fault, told, at, then, settled, canceled| Case { fault, told, at, then, settled, canceled };
    for case in [
        case(
            Fault::NotSent(NotSent::Unreachable),
            "not sent: the broker was unreachable",
            0,
            "Absent",
            "Absent",
            "Absent",
        ),
        case(Fault::LoseRequest, "unknown: no answer in time", 1000, "Absent", "Absent", "Absent"),
        case(Fault::LoseAnswer, "unknown: no answer in time", 1000, "Filled 2", "Filled 2", "Filled 2"),
        // Twice ten milliseconds there, and five back.
        case(Fault::DoubleAnswer, "exists", 25, "Working 0", "Filled 2", "Filled 2"),
        case(Fault::Slow { delay: second / 2 }, "Working 0", 515, "Working 0", "Filled 2", "Filled 2"),
        case(Fault::Slow { delay: second }, "unknown: no answer in time", 1000, "Absent", "Filled 2", "Filled 2"),
        case(
            Fault::AnswerUnknown(UnknownCause::Garbled),
            "unknown: the answer could not be read",
            15,
            "Working 0",
            "Filled 2",
            "Filled 2",
        ),
        case(Fault::Refuse(RefusalReason::NotTradable), "refused: not tradable", 15, "Unproven", "Absent", "Absent"),
        case(Fault::RejectAfterAck, "Working 0", 15, "Working 0", "Rejected 0", "Rejected 0"),
        case(Fault::InParts(3), "Working 0", 15, "Working 0", "Filled 2", "Filled 2"),
        case(Fault::InTwo { apart: second }, "Working 0", 15, "Working 0", "Filled 2", "Filled 2"),
        case(Fault::PartialThenCancel(one()), "Working 0", 15, "Working 0", "Canceled 1", "Canceled 1"),
        case(
            Fault::PartialThenCancel(Part::Share("100".parse().unwrap())),
            "Working 0",
            15,
            "Working 0",
            "Filled 2",
            "Filled 2",
        ),
        case(
            Fault::PartialThenCancel(Part::Share("0".parse().unwrap())),
            "Working 0",
            15,
            "Working 0",
            "Canceled 0",
            "Canceled 0",
        ),
        case(Fault::PartialThenWork(one()), "Working 0", 15, "Working 0", "Working 1", "Canceled 1"),
        case(Fault::LateFill { delay: second }, "Working 0", 15, "Working 0", "Filled 2", "Filled 2"),
        case(Fault::LateFillAfterCancel { delay: second }, "Working 0", 15, "Working 0", "Working 0", "Filled 2"),
        case(Fault::NeverFill, "Working 0", 15, "Working 0", "Working 0", "Canceled 0"),
        case(
            Fault::Unmapped("held".to_owned()),
            "Unmapped(\"held\") 0",
            15,
            "Unmapped(\"held\") 0",
            "Unmapped(\"held\") 0",
            "Canceled 0",
        ),
        case(Fault::LoseCancel, "Working 0", 15, "Working 0", "Filled 2", "Filled 2"),
        case(Fault::LoseCancelAnswer, "Working 0", 15, "Working 0", "Filled 2", "Filled 2"),
    ] {
        check(&steady(), &case);
    }
}

#[test]
fn at_a_broker_without_latencies() {
    let second = Duration::from_secs(1);
    let case = |fault, told, then, settled, canceled| Case { fault, told, at: 0, then, settled, canceled };
    for case in [
        case(
            Fault::NotSent(NotSent::Unauthorized),
            "not sent: the credentials were not accepted",
            "Absent",
            "Absent",
            "Absent",
        ),
        case(Fault::LoseRequest, "unknown: no answer in time", "Absent", "Absent", "Absent"),
        case(Fault::LoseAnswer, "unknown: no answer in time", "Filled 2", "Filled 2", "Filled 2"),
        case(Fault::DoubleAnswer, "exists", "Filled 2", "Filled 2", "Filled 2"),
        case(Fault::Slow { delay: second }, "unknown: no answer in time", "Absent", "Filled 2", "Filled 2"),
        case(
            Fault::AnswerUnknown(UnknownCause::Disconnected),
            "unknown: the connection broke",
            "Filled 2",
            "Filled 2",
            "Filled 2",
        ),
        case(Fault::Refuse(RefusalReason::Other), "refused: refused", "Absent", "Absent", "Absent"),
        // Acknowledged first, whatever has happened by the next question.
        case(Fault::RejectAfterAck, "Working 0", "Rejected 0", "Rejected 0", "Rejected 0"),
        case(Fault::InParts(3), "Filled 2", "Filled 2", "Filled 2", "Filled 2"),
        case(Fault::InTwo { apart: second }, "Working 1", "Working 1", "Filled 2", "Filled 2"),
        case(Fault::PartialThenCancel(one()), "Canceled 1", "Canceled 1", "Canceled 1", "Canceled 1"),
        case(Fault::PartialThenWork(one()), "Working 1", "Working 1", "Working 1", "Canceled 1"),
        case(Fault::LateFill { delay: second }, "Working 0", "Working 0", "Filled 2", "Filled 2"),
        case(Fault::LateFillAfterCancel { delay: second }, "Working 0", "Working 0", "Working 0", "Filled 2"),
        case(Fault::NeverFill, "Working 0", "Working 0", "Working 0", "Canceled 0"),
        case(Fault::LoseCancel, "Filled 2", "Filled 2", "Filled 2", "Filled 2"),
    ] {
        check(&Profile::ideal(), &case);
    }
}

#[test]
fn a_part_is_rounded_down_to_the_lot() {
    let lots = [(super::desk::symbol("META"), "2".parse().unwrap())].into();
    let profile = Profile { lots, ..Profile::ideal() };
    for (part, filled) in
        [("33.3333", "Working 2"), ("19", "Working 0"), ("60", "Working 6"), ("-5", "Working 0"), ("250", "Filled 10")]
    {
        let desk =
            Desk::scripted(profile.clone(), [Rule::new(Fault::PartialThenWork(Part::Share(part.parse().unwrap())))]);
        assert_eq!(shown(&desk.place(&order(1, "buy 10 META @ 400"))), filled, "{part} %");
    }
    let desk = Desk::scripted(profile, [Rule::new(Fault::PartialThenWork(Part::Units("11".parse().unwrap())))]);
    assert_eq!(shown(&desk.place(&order(1, "buy 10 META @ 400"))), "Filled 10");
}

#[test]
fn a_late_fill_after_a_cancel_overwrites_it() {
    for side in ["buy 2 META @ 400", "sell 10 AAPL @ 200"] {
        let desk = Desk::scripted(steady(), [Rule::new(Fault::LateFillAfterCancel { delay: Duration::from_secs(9) })]);
        let sent = order(1, side);
        desk.place(&sent);
        let reserved = desk.standing();
        assert_eq!(desk.cancel(sent.id), CancelAnswer::Requested);
        desk.clock.pass(Duration::from_millis(200));
        assert_eq!(desk.state(sent.id), "Canceled 0");
        assert!(desk.run(desk.broker.open_orders(&desk.account)).unwrap().orders.is_empty());
        assert_eq!(desk.standing(), reserved, "the venue has not really ended it");
        assert_eq!(desk.fills(None).0, []);
        desk.settle();
        assert_eq!(desk.state(sent.id), format!("Filled {}", sent.terms.quantity));
        // Acknowledged at 15 milliseconds, canceled at 125.
        let fills = desk.fills(None).0;
        assert_eq!(fills.len(), 1);
        assert_eq!(fills[0].fill.at, Timestamp::EPOCH.plus(Duration::from_millis(9125)));
        assert!(desk.broker.ledger(&desk.account).unwrap().reserved.is_zero());
    }
}

#[test]
fn without_a_cancel_there_is_no_late_fill() {
    let desk = Desk::scripted(steady(), [Rule::new(Fault::LateFillAfterCancel { delay: Duration::from_secs(9) })]);
    let buy = order(1, "buy 2 META @ 400");
    desk.place(&buy);
    desk.broker.close_market(Timestamp::MAX);
    assert_eq!(desk.broker.next_event(), None);
    assert_eq!(desk.state(buy.id), "Expired 0");
    assert_eq!(desk.standing(), "10000.00 free 10000.00; AAPL 10/10 TINY 100/100");
}

#[test]
fn a_late_fill_that_nobody_can_pay_does_not_happen() {
    let desk = Desk::scripted(steady(), [Rule::new(Fault::LateFillAfterCancel { delay: Duration::from_secs(9) })]);
    let buy = order(1, "buy 2 META @ 400");
    desk.place(&buy);
    desk.cancel(buy.id);
    desk.price("META", "6000");
    desk.settle();
    assert_eq!(desk.state(buy.id), "Canceled 0");
    assert_eq!(desk.standing(), "10000.00 free 10000.00; AAPL 10/10 TINY 100/100");
}

#[test]
fn cancels_are_lost_on_the_way_there_or_back() {
    for (fault, state) in [(Fault::LoseCancel, "Working 0"), (Fault::LoseCancelAnswer, "Canceled 0")] {
        for profile in [steady(), Profile::ideal()] {
            let timeout = profile.timeout;
            let desk = Desk::scripted(profile, [Rule::new(Fault::NeverFill), Rule::new(fault.clone())]);
            let buy = order(1, "buy 2 META @ 400");
            desk.place(&buy);
            let start = desk.clock.now();
            assert_eq!(desk.cancel(buy.id), CancelAnswer::Unknown(UnknownCause::Timeout));
            assert_eq!(desk.clock.now().since(start), timeout);
            desk.settle();
            assert_eq!(desk.state(buy.id), state, "{fault:?}");
        }
    }
}

#[test]
fn a_cancel_is_not_sent_once_and_the_next_takes_effect_late() {
    for profile in [steady(), Profile::ideal()] {
        let (limit, delay) = (NotSent::RateLimited { retry_after: Duration::from_secs(3) }, Duration::from_secs(9));
        let faults = [Fault::NeverFill, Fault::CancelNotSent(limit.clone()), Fault::SlowCancel { delay }];
        let desk = Desk::scripted(profile, faults.map(Rule::new));
        let buy = order(1, "buy 2 META @ 400");
        desk.place(&buy);
        assert_eq!(desk.cancel(buy.id), CancelAnswer::NotSent(limit));
        desk.clock.pass(delay * 2);
        assert_eq!(desk.state(buy.id), "Working 0", "the venue never heard of it");
        assert_eq!(desk.cancel(buy.id), CancelAnswer::Requested);
        desk.clock.pass(delay / 2);
        assert_eq!(desk.state(buy.id), "Working 0");
        assert_eq!(desk.cancel(buy.id), CancelAnswer::Requested, "it is being worked on");
        desk.clock.pass(delay);
        assert_eq!(desk.state(buy.id), "Canceled 0");
    }
}

#[test]
fn questions_fail_as_often_as_scripted() {
    let desk = Desk::scripted(Profile::ideal(), [Rule::new(Fault::QueryFails { times: 5 })]);
    let buy = order(1, "buy 2 META @ 400");
    desk.place(&buy);
    let (broker, account) = (&desk.broker, &desk.account);
    let errors = [
        (desk.run(broker.order(account, buy.id)).unwrap_err(), format!("looking up {} of growth", buy.id)),
        (desk.run(broker.open_orders(account)).unwrap_err(), "reading open orders of growth".to_owned()),
        (desk.run(broker.fills_since(account, None)).unwrap_err(), "reading fills of growth".to_owned()),
        (desk.run(broker.positions(account)).unwrap_err(), "reading positions of growth".to_owned()),
        (desk.run(broker.account(account)).unwrap_err(), "reading account growth".to_owned()),
    ];
    for (error, expected) in errors {
        assert!(matches!(&error, BrokerError::Unavailable { doing, .. } if *doing == expected), "{error}");
    }
    assert_eq!(desk.state(buy.id), "Filled 2");
    broker.fail_queries(account, 1).unwrap();
    assert!(desk.run(broker.positions(account)).is_err());
    broker.fail_queries(account, 9).unwrap();
    broker.fail_queries(account, 0).unwrap();
    assert!(desk.run(broker.positions(account)).is_ok());
}

#[test]
fn faults_of_several_rules_add_up_and_the_first_word_stands() {
    let rules = [Fault::LoseAnswer, Fault::PartialThenWork(one()), Fault::NeverFill, Fault::DoubleAnswer];
    let desk = Desk::scripted(steady(), rules.map(Rule::new));
    let buy = order(1, "buy 2 META @ 400");
    assert_eq!(desk.submit(&buy), SubmitAnswer::Unknown(UnknownCause::Timeout));
    desk.settle();
    assert_eq!(desk.state(buy.id), "Working 1");
    assert_eq!(desk.broker.ledger(&desk.account).unwrap().sends, 1);
}

#[test]
fn a_lost_answer_is_lost_whatever_it_was() {
    let faults = [Fault::LoseAnswer, Fault::AnswerUnknown(UnknownCause::Garbled), Fault::Refuse(RefusalReason::Other)];
    let desk = Desk::scripted(steady(), faults.map(Rule::new));
    assert_eq!(desk.submit(&order(1, "buy 2 META @ 400")), SubmitAnswer::Unknown(UnknownCause::Timeout));
    assert_eq!(desk.state(id(1, 1)), "Absent");
}

#[test]
fn both_copies_of_a_refused_request_are_refused() {
    for profile in [steady(), Profile::ideal()] {
        let desk = Desk::scripted(profile, [Rule::new(Fault::DoubleAnswer)]);
        assert_eq!(desk.refusal(&order(1, "buy 200 META @ 400")), RefusalReason::BuyingPower);
        desk.settle();
        assert!(desk.broker.ledger(&desk.account).unwrap().orders.is_empty());
    }
}

/// A request that matches everything that the rules below ask for.
fn typical() -> OrderRequest {
    let reversed = ClientOrderId { direction: Direction::Reverse, attempt: Attempt::LAST, ..id(1, 7) };
    OrderRequest { id: reversed, ..order(7, "buy 1 META @ 400") }
}

#[test]
fn a_rule_is_about_what_it_names() {
    let fault = || Rule::new(Fault::Refuse(RefusalReason::Other)).always();
    let leg = |n: usize| evenkeel_domain::order::LegNumber::new(n).unwrap();
    let symbol = super::desk::symbol;
    for (rule, matches) in [
        (fault(), true),
        (fault().account("growth".parse().unwrap()), true),
        (fault().account("other".parse().unwrap()), false),
        (fault().symbol(symbol("META")), true),
        (fault().symbol(symbol("AAPL")), false),
        (fault().side(Side::Buy), true),
        (fault().side(Side::Sell), false),
        (fault().leg(leg(7)), true),
        (fault().leg(leg(6)), false),
        (fault().direction(Direction::Reverse), true),
        (fault().direction(Direction::Forward), false),
        (fault().attempt(Attempt::LAST), true),
        (fault().attempt(Attempt::FIRST), false),
    ] {
        let desk = Desk::scripted(Profile::ideal(), [rule.clone()]);
        assert_eq!(matches!(desk.submit(&typical()), SubmitAnswer::Refused(_)), matches, "{rule:?}");
    }
}

#[test]
fn a_rule_counts_the_sends_it_matches() {
    let fault = || Rule::new(Fault::Refuse(RefusalReason::Other)).symbol(super::desk::symbol("META"));
    for (rule, refused) in [
        (fault(), [true, false, false, false, false]),
        (fault().nth(3), [false, false, true, false, false]),
        (fault().times(2), [true, true, false, false, false]),
        (fault().nth(2).times(3), [false, true, true, true, false]),
        (fault().nth(4).always(), [false, false, false, true, true]),
        (fault().times(0), [false; 5]),
    ] {
        let desk = Desk::scripted(Profile::ideal(), [rule.clone()]);
        let seen = [1, 2, 3, 4, 5].map(|leg| {
            desk.place(&order(leg + 10, "buy 1 AAPL @ 200"));
            matches!(desk.submit(&order(leg, "buy 1 META @ 400")), SubmitAnswer::Refused(_))
        });
        assert_eq!(seen, refused, "{rule:?}");
    }
}

#[test]
fn a_send_repeated_is_a_send() {
    let desk = Desk::scripted(Profile::ideal(), [Rule::new(Fault::LoseAnswer).nth(2)]);
    let buy = order(1, "buy 1 META @ 400");
    desk.place(&buy);
    assert_eq!(desk.submit(&buy), SubmitAnswer::Unknown(UnknownCause::Timeout));
    assert_eq!(desk.submit(&buy), SubmitAnswer::AlreadyExists);
}

#[test]
fn a_script_can_be_cleared() {
    let desk = Desk::scripted(Profile::ideal(), [Rule::new(Fault::NeverFill).always()]);
    desk.place(&order(1, "buy 1 META @ 400"));
    desk.broker.clear_script();
    desk.place(&order(2, "buy 1 META @ 400"));
    assert_eq!((desk.status(id(1, 1)), desk.status(id(1, 2))), (BrokerStatus::Working, BrokerStatus::Filled));
}
