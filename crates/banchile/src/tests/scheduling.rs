//! Many at once, futures that are dropped, answers that are held, and calls that panic.

use super::desk::{Desk, id, order, order_of};
use super::life::steady;
use crate::{Fault, Latency, Profile, Rule};
use evenkeel_domain::order::{RefusalReason, SubmitAnswer};
use evenkeel_ports::{Broker, Clock};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

#[test]
fn it_is_a_broker_for_anybody() {
    let desk = Desk::ideal();
    let broker: Arc<dyn Broker> = Arc::new(desk.broker.clone());
    let clone = Arc::clone(&broker);
    let account = desk.account.clone();
    let buy = order(1, "buy 1 META @ 400");
    std::thread::spawn(move || clone.submit(&account, &buy).now_or_never().unwrap()).join().unwrap();
    assert_eq!(desk.state(id(1, 1)), "Filled 1");
}

#[test]
fn of_one_id_sent_by_many_at_once_there_is_one_order() {
    let desk = Desk::ideal();
    let buy = order(1, "buy 1 META @ 400");
    let send = |_| {
        let (broker, account) = (desk.broker.clone(), desk.account.clone());
        std::thread::spawn(move || {
            (0..100).map(|_| broker.submit(&account, &buy).now_or_never().unwrap()).collect::<Vec<_>>()
        })
    };
    let threads: Vec<_> = [(); 4].map(send).into_iter().collect();
    let answers: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    let made = answers.iter().filter(|answer| matches!(answer, SubmitAnswer::Acknowledged(_))).count();
    assert_eq!((made, answers.len()), (1, 400));
    assert!(answers.iter().filter(|answer| **answer == SubmitAnswer::AlreadyExists).count() == 399);
    assert_eq!(desk.standing(), "9600.00 free 9600.00; AAPL 10/10 META 1/1 TINY 100/100");
}

#[test]
fn requests_travel_side_by_side() {
    let desk = Desk::new(steady());
    let orders: Vec<_> = (0..20).map(|leg| order(leg, "buy 1 META @ 400")).collect();
    let answers = desk.run(join_all(orders.iter().map(|order| desk.broker.submit(&desk.account, order))));
    assert!(answers.iter().all(|answer| matches!(answer, SubmitAnswer::Acknowledged(_))));
    assert_eq!(desk.clock.now().since(evenkeel_domain::values::Timestamp::EPOCH), Duration::from_millis(15));
}

#[test]
fn requests_that_arrive_together_are_judged_before_any_is_executed() {
    let at_once = Profile { at_venue: Latency::NONE, ..steady() };
    let desk = Desk::new(at_once);
    // What the sale brings is not there yet when the second order is judged, though both are executed in the moment of their arrival.
    let orders = [order(1, "sell 10 AAPL @ 200"), order(2, "buy 30 META @ 400")];
    let answers = desk.run(join_all(orders.iter().map(|order| desk.broker.submit(&desk.account, order))));
    assert!(matches!(&answers[1], SubmitAnswer::Refused(refused) if refused.reason == RefusalReason::BuyingPower));
    assert_eq!(desk.state(id(1, 1)), "Filled 10");
    desk.conserved();
}

#[test]
fn what_was_sent_arrives_though_its_sender_is_gone() {
    let desk = Desk::new(steady());
    let (buy, sell) = (order(1, "buy 1 META @ 400"), order(2, "sell 1 AAPL @ 200"));
    assert!(desk.broker.submit(&desk.account, &buy).now_or_never().is_none());
    // Without a poll nothing is sent.
    drop(desk.broker.submit(&desk.account, &sell));
    desk.settle();
    assert_eq!((desk.state(buy.id).as_str(), desk.state(sell.id).as_str()), ("Filled 1", "Absent"));

    let desk = Desk::scripted(steady(), [Rule::new(Fault::NeverFill)]);
    desk.place(&buy);
    assert!(desk.broker.cancel(&desk.account, buy.id).now_or_never().is_none());
    desk.settle();
    assert_eq!(desk.state(buy.id), "Canceled 0");
}

#[test]
fn held_answers_come_when_they_are_released() {
    for profile in [steady(), Profile::ideal()] {
        let desk = Desk::scripted(profile, [Rule::new(Fault::HoldAnswer).times(2)]);
        let (first, second) = (order(1, "buy 1 META @ 400"), order(2, "sell 1 AAPL @ 200"));
        let mut calls = [&first, &second].map(|order| desk.broker.submit(&desk.account, order));
        let poll = |call: &mut BoxFuture<'_, SubmitAnswer>| call.as_mut().now_or_never();
        let held: Vec<Option<SubmitAnswer>> = calls.iter_mut().map(poll).collect();
        assert_eq!(held, [None, None]);
        desk.settle();
        assert_eq!(calls.iter_mut().map(poll).collect::<Vec<_>>(), [None, None]);
        assert_eq!(desk.broker.held(), 2);
        // The orders went their way all the same, and polling again does not count twice.
        assert_eq!((desk.state(first.id).as_str(), desk.state(second.id).as_str()), ("Filled 1", "Filled 1"));
        assert_eq!(calls.iter_mut().map(poll).collect::<Vec<_>>(), [None, None]);
        assert_eq!((desk.broker.release_held(), desk.broker.held()), (2, 0));
        for call in &mut calls {
            assert!(matches!(poll(call), Some(SubmitAnswer::Acknowledged(_))));
        }
    }
}

#[test]
fn a_release_is_for_those_who_wait() {
    let desk = Desk::scripted(Profile::ideal(), [Rule::new(Fault::HoldAnswer).always()]);
    assert_eq!(desk.broker.release_held(), 0);
    let buy = order(1, "buy 1 META @ 400");
    let mut call = desk.broker.submit(&desk.account, &buy);
    assert!(call.as_mut().now_or_never().is_none());
    let sell = order(2, "sell 1 AAPL @ 200");
    let mut dropped = desk.broker.submit(&desk.account, &sell);
    assert!(dropped.as_mut().now_or_never().is_none());
    assert_eq!(desk.broker.held(), 2);
    drop(dropped);
    assert_eq!(desk.broker.held(), 1);
    // A waker is woken, so that a runtime polls again.
    let (sender, receiver) = std::sync::mpsc::channel();
    struct Woken(std::sync::mpsc::Sender<()>);
    impl std::task::Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.send(()).unwrap();
        }
    }
    let waker = std::task::Waker::from(Arc::new(Woken(sender)));
    assert!(call.as_mut().poll(&mut std::task::Context::from_waker(&waker)).is_pending());
    assert_eq!(desk.broker.release_held(), 1);
    receiver.try_recv().unwrap();
    assert!(call.as_mut().now_or_never().is_some());
}

#[test]
fn a_call_that_panics_has_sent_its_order() {
    for profile in [steady(), Profile::ideal()] {
        let desk = Desk::scripted(profile, [Rule::new(Fault::Panic)]);
        let buy = order(1, "buy 1 META @ 400");
        let call = AssertUnwindSafe(desk.broker.submit(&desk.account, &buy)).catch_unwind();
        let panic = desk.run(call).unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"a scripted panic of the simulated broker"));
        desk.settle();
        assert_eq!(desk.state(buy.id), "Filled 1", "the broker goes on");
        desk.place(&order(2, "buy 1 META @ 400"));
    }
}

#[test]
fn something_that_happens_by_itself_is_announced() {
    let desk = Desk::new(steady());
    assert_eq!(desk.broker.next_event(), None);
    assert!(desk.broker.submit(&desk.account, &order(1, "buy 1 META @ 400")).now_or_never().is_none());
    let millis = |count| Some(evenkeel_domain::values::Timestamp::EPOCH.plus(Duration::from_millis(count)));
    assert_eq!(desk.broker.next_event(), millis(10));
    desk.clock.set(millis(10).unwrap());
    assert_eq!(desk.broker.next_event(), millis(110));
    desk.clock.set(millis(110).unwrap());
    assert_eq!(desk.broker.next_event(), None);
}

#[test]
fn accounts_do_not_touch_each_other() {
    let desk = Desk::ideal();
    let other = "other".parse().unwrap();
    desk.broker.open_account(&other, "USD".parse().unwrap(), "400.00".parse().unwrap(), []).unwrap();
    let buy = order_of(1, 1, "buy 1 META @ 400");
    desk.place(&buy);
    let answer = desk.run(desk.broker.submit(&other, &buy));
    assert!(matches!(answer, SubmitAnswer::Acknowledged(view) if view.fills[0].id.as_str() == "f1"));
    assert_eq!(desk.run(desk.broker.account(&other)).unwrap().cash.to_string(), "0.00");
    assert_eq!(desk.standing(), "9600.00 free 9600.00; AAPL 10/10 META 1/1 TINY 100/100");
}
