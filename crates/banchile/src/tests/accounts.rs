//! Cash and units that come and go other than by orders.

use super::desk::{Desk, order, symbol, units};
use crate::account::Account;
use crate::{AccountError, Fault, Rule};
use evenkeel_domain::values::{AccountId, Money, Quantity, Timestamp};

fn money(text: &str) -> Money {
    text.parse().unwrap()
}

#[test]
fn cash_comes_and_goes() {
    let desk = Desk::ideal();
    desk.broker.deposit(&desk.account, money("0.01")).unwrap();
    assert_eq!(desk.standing(), "10000.01 free 10000.01; AAPL 10/10 TINY 100/100");
    desk.broker.withdraw(&desk.account, money("10000.01")).unwrap();
    assert_eq!(desk.standing(), "0.00 free 0.00; AAPL 10/10 TINY 100/100");
    let truth = desk.broker.ledger(&desk.account).unwrap();
    assert_eq!((truth.deposits, truth.withdrawals), (money("10000.01"), money("10000.01")));
    desk.conserved();
}

#[test]
fn units_come_and_go() {
    let desk = Desk::ideal();
    desk.broker.receive(&desk.account, symbol("META"), units("2")).unwrap();
    desk.broker.receive(&desk.account, symbol("META"), units("0.5")).unwrap();
    desk.broker.deliver(&desk.account, symbol("META"), units("1.5")).unwrap();
    desk.broker.deliver(&desk.account, symbol("TINY"), units("100")).unwrap();
    assert_eq!(desk.standing(), "10000.00 free 10000.00; AAPL 10/10 META 1/1");
    desk.conserved();
}

#[test]
fn what_is_reserved_stays() {
    let desk = Desk::scripted(crate::Profile::ideal(), [Rule::new(Fault::NeverFill).times(2)]);
    desk.place(&order(1, "buy 10 META @ 400"));
    desk.place(&order(2, "sell 4 AAPL @ 200"));
    assert_eq!(desk.standing(), "10000.00 free 6000.00; AAPL 6/10 TINY 100/100");
    let (account, free) = (desk.account.clone(), money("6000.00"));
    let asked = money("6000.01");
    assert_eq!(
        desk.broker.withdraw(&account, asked),
        Err(AccountError::NotEnoughCash { account: account.clone(), free, asked })
    );
    let (aapl, asked) = (symbol("AAPL"), units("6.000000001"));
    let refused = AccountError::NotEnoughUnits { account: account.clone(), symbol: aapl, free: units("6"), asked };
    assert_eq!(desk.broker.deliver(&account, aapl, asked), Err(refused));
    desk.broker.withdraw(&account, free).unwrap();
    desk.broker.deliver(&account, aapl, units("6")).unwrap();
    assert_eq!(desk.standing(), "4000.00 free 0.00; AAPL 0/4 TINY 100/100");
    desk.conserved();
}

#[test]
fn every_error_names_what_was_wrong() {
    let desk = Desk::ideal();
    let (broker, growth, stranger) = (&desk.broker, &desk.account, "stranger".parse::<AccountId>().unwrap());
    let open = |account: &AccountId, cash| broker.open_account(account, "USD".parse().unwrap(), cash, []);
    let meta = symbol("META");
    for (result, expected) in [
        (open(growth, Money::ZERO), "account growth is open already"),
        (
            open(&stranger, money("-0.01")),
            "-0.01 cannot be paid in or out of account stranger: it must be more than zero",
        ),
        (broker.deposit(&stranger, Money::CENT), "there is no account stranger"),
        (broker.withdraw(&stranger, Money::CENT), "there is no account stranger"),
        (broker.receive(&stranger, meta, units("1")), "there is no account stranger"),
        (broker.deliver(&stranger, meta, units("1")), "there is no account stranger"),
        (broker.fail_queries(&stranger, 1), "there is no account stranger"),
        (broker.block(&stranger, true), "there is no account stranger"),
        (broker.ledger(&stranger).map(drop), "there is no account stranger"),
        (
            broker.deposit(growth, Money::ZERO),
            "0.00 cannot be paid in or out of account growth: it must be more than zero",
        ),
        (
            broker.withdraw(growth, money("-1.00")),
            "-1.00 cannot be paid in or out of account growth: it must be more than zero",
        ),
        (
            broker.withdraw(growth, money("10000.01")),
            "account growth has 10000.00 that no open order has reserved, less than 10000.01",
        ),
        (
            broker.deliver(growth, meta, units("1")),
            "account growth has 0 of META that no open order has reserved, less than 1",
        ),
        (broker.deposit(growth, Money::MAX), "the movement leaves the range of account growth"),
        (broker.receive(growth, symbol("AAPL"), Quantity::MAX), "the movement leaves the range of account growth"),
    ] {
        assert_eq!(result.unwrap_err().to_string(), expected);
    }
    assert_eq!(broker.check_conservation(&stranger).unwrap_err().to_string(), "there is no account stranger");
    assert_eq!(desk.standing(), "10000.00 free 10000.00; AAPL 10/10 TINY 100/100");
    assert_eq!(broker.truth().len(), 1, "a failed opening leaves nothing behind");
    desk.conserved();
}

#[test]
fn an_account_may_open_with_nothing() {
    let desk = Desk::ideal();
    let empty: AccountId = "empty".parse().unwrap();
    desk.broker.open_account(&empty, "EUR".parse().unwrap(), Money::ZERO, []).unwrap();
    let truth = desk.broker.truth();
    assert_eq!(truth[&empty].currency.as_str(), "EUR");
    assert_eq!(truth[&empty].check(), Ok(()));
}

#[test]
fn the_board_is_one_for_all() {
    let desk = Desk::ideal();
    assert_eq!(desk.broker.price(symbol("META")).unwrap().to_string(), "400");
    assert_eq!(desk.broker.price(symbol("NONE")), None);
    assert_eq!(format!("{:?}", desk.broker), "BanChile { name: \"BanChile (ideal)\", .. }");
    assert_eq!(desk.broker.profile(), &crate::Profile::ideal());
}

#[test]
fn what_happens_is_seen_in_order_and_a_lag_can_end() {
    let at = Timestamp::from_nanos;
    let mut account = Account::open("growth".parse().unwrap(), "USD".parse().unwrap(), Money::ZERO, []).unwrap();
    assert_eq!([100, 90, 110].map(|moment| account.seen_at(at(moment))), [at(100), at(100), at(110)]);
    account.reveal(at(50));
    assert_eq!(account.seen_at(at(60)), at(60));
    account.reveal(at(70));
    assert_eq!(account.seen_at(at(65)), at(65), "what is seen already stays where it is");
}
