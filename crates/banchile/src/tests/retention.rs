//! What is still known of orders that were forgotten.

use super::desk::{Desk, id, order_of};
use crate::{Chance, Fault, Latency, Part, Profile, Retention, Rule};
use evenkeel_domain::order::{
    Attempt, CancelAnswer, ClientOrderId, Direction, Lookup, RefusalReason, SubmitAnswer, UnknownCause,
};
use evenkeel_ports::Broker;
use std::time::Duration;

fn forgetful() -> Desk {
    Desk::new(Profile { retention: Retention::OrderIds, ..Profile::ideal() })
}

fn kept(desk: &Desk) -> usize {
    desk.conserved();
    desk.broker.ledger(&desk.account).unwrap().orders.len()
}

#[test]
fn an_order_is_forgotten_when_the_next_batch_is_accepted() {
    let desk = forgetful();
    for leg in 0..3 {
        desk.place(&order_of(1, leg, "buy 0.333 META @ 400"));
    }
    desk.place(&order_of(1, 3, "sell 1 AAPL @ 200"));
    assert_eq!(kept(&desk), 4);
    desk.refusal(&order_of(2, 0, "buy 1000 META @ 400"));
    assert_eq!(kept(&desk), 4, "a refused order opens nothing");
    desk.place(&order_of(2, 0, "buy 1 META @ 400"));
    assert_eq!(kept(&desk), 1);
    desk.place(&order_of(2, 1, "buy 1 META @ 400"));
    assert_eq!(kept(&desk), 2);
    let forgotten = desk.broker.ledger(&desk.account).unwrap().forgotten;
    assert_eq!((forgotten.orders, forgotten.bought, forgotten.sold, forgotten.fees), (4, 39960, 20000, 0));
    assert_eq!(forgotten.units.values().copied().collect::<Vec<_>>(), [-1_000_000_000, 999_000_000]);
    assert_eq!(desk.standing(), "9000.40 free 9000.40; AAPL 9/9 META 2.999/2.999 TINY 100/100");
}

#[test]
fn a_forgotten_id_stays_taken() {
    let desk = forgetful();
    let old = order_of(1, 0, "buy 1 META @ 400");
    desk.place(&old);
    desk.place(&order_of(2, 0, "buy 1 META @ 400"));
    assert_eq!(desk.submit(&old), SubmitAnswer::AlreadyExists);
    assert_eq!(desk.refusal(&order_of(1, 0, "buy 2 META @ 400")), RefusalReason::DuplicateIdOtherOrder);
    assert_eq!(desk.look_up(old.id), Lookup::Unproven);
    assert_eq!(desk.cancel(old.id), CancelAnswer::Unknown(UnknownCause::BrokerError));
    assert_eq!(desk.look_up(id(1, 1)), Lookup::Absent);
    // Another attempt, and another direction, are orders of their own.
    let again = ClientOrderId { attempt: Attempt::new(2).unwrap(), ..old.id };
    let back = ClientOrderId { direction: Direction::Reverse, ..old.id };
    assert_eq!([again, back].map(|other| desk.look_up(other)), [Lookup::Absent, Lookup::Absent]);
    assert_eq!(desk.standing(), "9200.00 free 9200.00; AAPL 10/10 META 2/2 TINY 100/100");
}

#[test]
fn its_fills_go_with_it() {
    let desk = forgetful();
    for batch in 1..4 {
        desk.place(&order_of(batch, 0, "buy 1 META @ 400"));
        desk.place(&order_of(batch, 1, "buy 1 META @ 400"));
    }
    let (fills, next, complete) = desk.fills(None);
    let ids: Vec<_> = fills.iter().map(|fill| fill.fill.id.as_str()).collect();
    assert_eq!((ids, next.as_str(), complete), (vec!["f5", "f6"], "6", true));
    assert_eq!(desk.fills(Some("5")).0.len(), 1);
    assert_eq!(desk.fills(Some("1")).0.len(), 2);
}

/// Whether an order that met this fault is forgotten when the next batch is accepted.
fn check(fault: Fault, hear: impl Fn(&Desk), forgotten: bool) {
    let desk = forgetful();
    desk.broker.script(Rule::new(fault.clone()));
    desk.submit(&order_of(1, 0, "buy 1 META @ 400"));
    hear(&desk);
    desk.place(&order_of(2, 0, "buy 1 META @ 400"));
    assert_eq!(kept(&desk), if forgotten { 1 } else { 2 }, "{fault:?}");
    if !forgotten {
        assert!(matches!(desk.look_up(id(1, 0)), Lookup::Found(_)));
    }
}

#[test]
fn nothing_is_forgotten_that_somebody_still_needs() {
    let nothing = |_: &Desk| {};
    check(Fault::NeverFill, nothing, false);
    check(Fault::NeverFill, |desk| drop(desk.cancel(id(1, 0))), true);
    check(Fault::RejectAfterAck, nothing, true);
    // Terminal, but a fill is still to come.
    let delay = Duration::from_secs(9);
    check(Fault::LateFillAfterCancel { delay }, |desk| drop(desk.cancel(id(1, 0))), false);
    let cancel = |desk: &Desk| {
        desk.cancel(id(1, 0));
        desk.settle();
    };
    check(Fault::LateFillAfterCancel { delay }, cancel, false);
    // Its fill was not handed out to anybody, until somebody asks.
    check(Fault::LoseAnswer, nothing, false);
    check(Fault::DoubleAnswer, nothing, false);
    check(Fault::AnswerUnknown(UnknownCause::Garbled), nothing, false);
    check(Fault::LoseAnswer, |desk| drop(desk.look_up(id(1, 0))), true);
    // A page was handed out when it is read past.
    check(Fault::LoseAnswer, |desk| drop(desk.fills(None)), false);
    check(Fault::LoseAnswer, |desk| drop(desk.fills(Some("1"))), true);
}

#[test]
fn open_orders_hand_out_what_they_show() {
    let desk = forgetful();
    desk.broker.script(Rule::new(Fault::PartialThenWork(Part::Units("0.5".parse().unwrap()))));
    desk.broker.script(Rule::new(Fault::LoseAnswer));
    desk.submit(&order_of(1, 0, "buy 1 META @ 400"));
    assert_eq!(desk.run(desk.broker.open_orders(&desk.account)).unwrap().orders.len(), 1);
    desk.cancel(id(1, 0));
    desk.place(&order_of(2, 0, "buy 1 META @ 400"));
    assert_eq!(kept(&desk), 1);
}

#[test]
fn a_gap_in_the_fills_is_no_end() {
    let desk = forgetful();
    desk.broker.script(Rule::new(Fault::LoseAnswer));
    // The first is kept as nobody has seen its fill, the second is forgotten.
    desk.submit(&order_of(1, 0, "buy 1 META @ 400"));
    desk.place(&order_of(1, 1, "buy 1 META @ 400"));
    desk.place(&order_of(2, 0, "buy 1 META @ 400"));
    assert_eq!(kept(&desk), 2);
    let ids: Vec<_> = desk.fills(None).0.iter().map(|fill| fill.fill.id.to_string()).collect();
    assert_eq!(ids, ["f1", "f3"]);
}

#[test]
fn an_answer_that_came_later_was_handed_out_too() {
    let at_once = Profile { at_venue: Latency::NONE, retention: Retention::OrderIds, ..super::life::steady() };
    let desk = Desk::new(at_once);
    desk.place(&order_of(1, 0, "buy 1 META @ 400"));
    desk.place(&order_of(2, 0, "buy 1 META @ 400"));
    assert_eq!(kept(&desk), 1);
}

#[test]
fn how_often_it_was_sent_is_forgotten_too() {
    let desk = Desk::new(Profile { retention: Retention::OrderIds, partial_fills: Chance::ALWAYS, ..Profile::calm() });
    for batch in 1..20 {
        desk.place(&order_of(batch, 0, "buy 1 META @ 400"));
        desk.settle();
        desk.look_up(id(batch, 0));
        desk.run(desk.broker.fills_since(&desk.account, None)).unwrap();
    }
    assert_eq!(kept(&desk), 1);
    let repeats = || desk.broker.with(&desk.account, |venue| venue.account(&desk.account).unwrap().repeats.len());
    assert_eq!(repeats(), 1);
    // But not of what is still there, nor of what was lost of this batch.
    desk.broker.script(Rule::new(Fault::NeverFill));
    desk.place(&order_of(20, 0, "buy 1 META @ 400"));
    desk.broker.script(Rule::new(Fault::LoseRequest));
    desk.submit(&order_of(21, 0, "buy 1 META @ 400"));
    desk.place(&order_of(21, 1, "buy 1 META @ 400"));
    assert_eq!((kept(&desk), repeats()), (2, 3));
}
