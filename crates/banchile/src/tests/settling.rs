//! Settled cash: it rises on its day and not before, buys are paid from it first, and what breaks good faith is counted.

use super::desk::{Desk, order};
use crate::calendar::Day;
use crate::{Profile, Settlement};
use evenkeel_domain::order::RefusalReason;
use evenkeel_domain::values::Timestamp;

fn t_plus_1(spend_unsettled: bool) -> Profile {
    Profile { settlement: Some(Settlement { days: 1, spend_unsettled }), ..Profile::ideal() }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// `cash settled`, as the port tells and as the truth has it.
fn cash(desk: &Desk) -> String {
    desk.conserved();
    let view = desk.run(evenkeel_ports::Broker::account(&desk.broker, &desk.account)).unwrap();
    let ledger = desk.broker.ledger(&desk.account).unwrap();
    assert_eq!((view.cash, view.settled_cash), (ledger.cash, Some(ledger.settled)));
    format!("{} {}", ledger.cash, ledger.settled)
}

#[test]
fn proceeds_are_cash_at_once_and_settled_on_the_next_business_day() {
    // A Friday before a Monday that is a holiday: Tuesday.
    let desk = Desk::new(t_plus_1(true));
    desk.clock.set(at("2026-01-16T12:00:00Z"));
    assert_eq!(cash(&desk), "10000.00 10000.00");
    desk.place(&order(0, "sell 5 AAPL @ 200"));
    assert_eq!(cash(&desk), "11000.00 10000.00");
    desk.clock.set(at("2026-01-19T23:59:59.999999999Z"));
    assert_eq!(cash(&desk), "11000.00 10000.00");
    desk.clock.set(at("2026-01-20T00:00:00Z"));
    assert_eq!(cash(&desk), "11000.00 11000.00");
}

#[test]
fn buys_are_paid_from_settled_cash_first() {
    let desk = Desk::new(t_plus_1(true));
    desk.clock.set(at("2026-03-04T12:00:00Z"));
    desk.place(&order(0, "sell 10 AAPL @ 200 exit"));
    desk.place(&order(1, "buy 20 META @ 400"));
    assert_eq!(cash(&desk), "4000.00 2000.00");
    desk.place(&order(2, "buy 8 META @ 400"));
    assert_eq!(cash(&desk), "800.00 0.00", "1200.00 of the proceeds are spent");
    desk.clock.set(at("2026-03-05T00:00:00Z"));
    assert_eq!(cash(&desk), "800.00 800.00");
}

#[test]
fn selling_what_was_bought_with_unsettled_money_is_counted() {
    let violations = |desk: &Desk| desk.broker.ledger(&desk.account).unwrap().good_faith_violations;
    for (when_sold, expected) in [("2026-03-04T13:00:00Z", 1), ("2026-03-05T00:00:00Z", 0)] {
        let desk = Desk::new(t_plus_1(true));
        desk.clock.set(at("2026-03-04T12:00:00Z"));
        desk.place(&order(0, "sell 10 AAPL @ 200 exit"));
        desk.place(&order(1, "buy 1 META @ 400"));
        desk.place(&order(2, "sell 1 META @ 400 exit"));
        assert_eq!(violations(&desk), 0, "that was paid with settled cash");
        desk.place(&order(3, "buy 29 META @ 400"));
        desk.clock.set(at(when_sold));
        desk.place(&order(4, "sell 29 META @ 400 exit"));
        assert_eq!(violations(&desk), expected, "sold at {when_sold}");
        desk.conserved();
    }
}

#[test]
fn a_broker_may_refuse_to_spend_what_is_not_settled() {
    let desk = Desk::new(t_plus_1(false));
    desk.clock.set(at("2026-03-04T12:00:00Z"));
    desk.place(&order(0, "sell 10 AAPL @ 200 exit"));
    assert_eq!(desk.standing(), "12000.00 free 10000.00; TINY 100/100");
    assert_eq!(desk.refusal(&order(1, "buy 26 META @ 400")), RefusalReason::BuyingPower);
    desk.place(&order(2, "buy 25 META @ 400"));
    desk.clock.set(at("2026-03-05T00:00:00Z"));
    desk.place(&order(3, "buy 5 META @ 400"));
    assert_eq!(cash(&desk), "0.00 0.00");
}

#[test]
fn business_days_are_those_of_the_exchanges() {
    for (day, next) in [
        ("2026-11-25", "2026-11-27"), // Thanksgiving
        ("2026-12-24", "2026-12-28"),
        ("2024-02-28", "2024-02-29"),
        ("2025-07-03", "2025-07-07"),
        ("2027-12-23", "2027-12-27"),
        ("1969-12-31", "1970-01-01"),
        ("2031-12-24", "2031-12-25"), // beyond the table: weekends only
        ("2031-12-26", "2031-12-29"),
    ] {
        let of = |date: &str| Day::of(at(&format!("{date}T23:59:59Z")));
        assert_eq!(of(day).next_business().start(), at(&format!("{next}T00:00:00Z")), "after {day}");
    }
    assert!(Day::of(Timestamp::MAX).next_business().start() > Timestamp::EPOCH);
}
