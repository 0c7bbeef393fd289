//! Trades that are busted or corrected: cash and units follow, the fills stay, everything still adds up.

use super::desk::{Desk, order};
use crate::{AccountError, CorrectionError, Profile};
use evenkeel_domain::order::Costs;
use evenkeel_domain::values::FillId;

fn desk() -> Desk {
    let fees = Costs { per_order: "0.35".parse().unwrap(), ..Costs::FREE };
    Desk::new(Profile { fees, ..Profile::ideal() })
}

fn fill(id: &str) -> FillId {
    FillId::new(id).unwrap()
}

#[test]
fn a_busted_trade_is_as_if_it_had_never_been_but_for_the_list_of_fills() {
    let desk = desk();
    let before = desk.standing();
    desk.place(&order(0, "buy 2 META @ 400"));
    desk.place(&order(1, "sell 10 AAPL @ 200 exit"));
    let fills = desk.fills(None);
    desk.broker.bust(&desk.account, &fill("f1")).unwrap();
    desk.conserved();
    assert_eq!(desk.standing(), "11999.65 free 11999.65; TINY 100/100");
    desk.broker.bust(&desk.account, &fill("f2")).unwrap();
    desk.conserved();
    assert_eq!(desk.standing(), before);
    assert_eq!(desk.fills(None), fills);
    assert_eq!(desk.broker.ledger(&desk.account).unwrap().corrections.len(), 2);
}

#[test]
fn a_corrected_price_moves_cash_alone() {
    let desk = desk();
    desk.place(&order(0, "buy 2 META @ 400"));
    desk.broker.correct(&desk.account, &fill("f1"), "399.99".parse().unwrap()).unwrap();
    assert_eq!(desk.standing(), "9199.67 free 9199.67; AAPL 10/10 META 2/2 TINY 100/100");
    desk.place(&order(1, "sell 5 AAPL @ 200"));
    desk.broker.correct(&desk.account, &fill("f2"), "199.5".parse().unwrap()).unwrap();
    assert_eq!(desk.standing(), "10196.82 free 10196.82; AAPL 5/5 META 2/2 TINY 100/100");
    desk.conserved();
}

#[test]
fn what_cannot_be_corrected_is_refused_and_changes_nothing() {
    let desk = desk();
    desk.place(&order(0, "buy 24 META @ 400"));
    desk.place(&order(1, "sell 10 AAPL @ 200 exit"));
    let account = desk.account.clone();
    desk.place(&order(2, "sell 24 META @ 400 exit"));
    let standing = desk.standing();
    let units = desk.broker.bust(&account, &fill("f1"));
    assert!(
        matches!(units, Err(CorrectionError::Account { cause: AccountError::NotEnoughUnits { .. }, .. })),
        "{units:?}"
    );
    desk.broker.withdraw(&account, "11000.00".parse().unwrap()).unwrap();
    let cash = desk.broker.bust(&account, &fill("f3"));
    assert!(
        matches!(cash, Err(CorrectionError::Account { cause: AccountError::NotEnoughCash { .. }, .. })),
        "{cash:?}"
    );
    let gone = desk.broker.bust(&account, &fill("f9"));
    assert_eq!(gone, Err(CorrectionError::NoSuchFill { account: account.clone(), fill: fill("f9") }));
    desk.broker.deposit(&account, "11000.00".parse().unwrap()).unwrap();
    assert_eq!(desk.standing(), standing);
    desk.broker.correct(&account, &fill("f2"), "200".parse().unwrap()).unwrap();
    let twice = desk.broker.bust(&account, &fill("f2"));
    assert_eq!(twice, Err(CorrectionError::Already { account, fill: fill("f2") }));
    desk.conserved();
}
