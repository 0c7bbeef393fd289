//! `ideal`: everything at once, at the board's price, without cost.

use super::desk::{Desk, id, order, shown};
use crate::{BanChile, Fault, Profile, Rule};
use evenkeel_domain::order::{Costs, Duplicates, SubmitAnswer};
use evenkeel_domain::values::{AccountId, Lot, Money, Timestamp};
use evenkeel_ports::{Broker, Clock};
use futures_util::FutureExt;
use std::sync::Arc;
use std::time::Duration;

#[test]
fn it_promises_everything() {
    let capabilities = Desk::ideal().broker.capabilities();
    assert_eq!(capabilities.costs, Costs::FREE);
    assert_eq!(capabilities.duplicates, Duplicates::Refused);
    assert_eq!(capabilities.minimum_order, Money::ZERO);
    assert_eq!(capabilities.lot, Lot::FINEST);
    assert_eq!((capabilities.quiescence, capabilities.visibility_horizon), (Duration::ZERO, Duration::ZERO));
    assert!(!capabilities.fills_rounded);
}

#[test]
fn a_submission_is_answered_in_one_poll_with_the_terminal_view() {
    let desk = Desk::ideal();
    let buy = order(1, "buy 2.5 META @ 400");
    let answer = desk.broker.submit(&desk.account, &buy).now_or_never().expect("it waited");
    let SubmitAnswer::Acknowledged(view) = answer else { panic!("{answer:?}") };
    assert_eq!(shown(&view), "Filled 2.5");
    assert_eq!(view.fills[0].price.to_string(), "400");
    assert_eq!(view.fills[0].fee, Money::ZERO);
    assert_eq!(view.fills[0].id.as_str(), "f1");
    assert_eq!(desk.standing(), "9000.00 free 9000.00; AAPL 10/10 META 2.5/2.5 TINY 100/100");

    desk.place(&order(2, "sell 10 AAPL @ 200 exit"));
    assert_eq!(desk.standing(), "11000.00 free 11000.00; META 2.5/2.5 TINY 100/100");
    assert_eq!(desk.state(id(1, 1)), "Filled 2.5");
    desk.conserved();
}

/// Time that nobody may wait for.
struct Frozen;

#[async_trait::async_trait]
impl Clock for Frozen {
    fn now(&self) -> Timestamp {
        Timestamp::EPOCH
    }

    async fn sleep_until(&self, deadline: Timestamp) {
        panic!("it waits until {deadline}");
    }
}

#[test]
fn no_clock_is_ever_waited_for() {
    let broker = BanChile::new(Profile::ideal(), Arc::new(Frozen), 1);
    let account: AccountId = "growth".parse().unwrap();
    broker.open_account(&account, "USD".parse().unwrap(), "1000.00".parse().unwrap(), []).unwrap();
    broker.set_price("META".parse().unwrap(), "400".parse().unwrap());
    for fault in
        [Fault::NeverFill, Fault::LoseRequest, Fault::LoseAnswer, Fault::Slow { delay: Duration::from_secs(1) }]
    {
        broker.script(Rule::new(fault));
        broker.submit(&account, &order(1, "buy 1 META @ 400")).now_or_never().expect("it waited");
        broker.cancel(&account, id(1, 1)).now_or_never().expect("it waited");
    }
    let repeats = broker.with(&account, |venue| venue.account(&account).unwrap().repeats.len());
    assert_eq!(repeats, 0, "how often something was sent matters for draws only");
}

#[test]
fn all_cash_can_be_spent_to_the_cent() {
    let desk = Desk::ideal();
    // 5,000.003 and 4,999.9985 each round to what is there.
    desk.place(&order(1, "buy 12.5000075 META @ 400"));
    desk.place(&order(2, "buy 24.9999925 AAPL @ 200"));
    assert_eq!(desk.standing(), "0.00 free 0.00; AAPL 34.9999925/34.9999925 META 12.5000075/12.5000075 TINY 100/100");
    desk.conserved();
}

#[test]
fn the_board_decides_not_the_reference() {
    let desk = Desk::ideal();
    desk.price("META", "410");
    let view = desk.place(&order(1, "buy 1 META @ 400"));
    assert_eq!(view.fills[0].price.to_string(), "410");
}
