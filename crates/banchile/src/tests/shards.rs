//! A broker of many locks is the same broker.

use super::desk::{TestClock, order_of, symbol, units};
use crate::{BanChile, Fault, Outage, OutageKind, Profile, Rule};
use async_trait::async_trait;
use evenkeel_domain::order::{RefusalReason, SubmitAnswer};
use evenkeel_domain::values::{AccountId, Money, Timestamp};
use evenkeel_ports::{Broker, Clock};
use futures_util::FutureExt;
use futures_util::future::join_all;
use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

const ACCOUNTS: usize = 24;

fn accounts() -> Vec<AccountId> {
    (0..ACCOUNTS).map(|n| format!("p{n}").parse().unwrap()).collect()
}

fn broker(profile: Profile, clock: &Arc<TestClock>, shards: usize) -> BanChile {
    let broker = BanChile::sharded(profile, clock.clone(), 11, NonZeroUsize::new(shards).unwrap());
    for account in accounts() {
        let held = [(symbol("AAPL"), units("50"))];
        broker.open_account(&account, "USD".parse().unwrap(), "20000.00".parse().unwrap(), held).unwrap();
    }
    broker
}

/// Everything that can be seen of days on which much goes wrong, after each of them.
fn days(shards: usize) -> Vec<String> {
    let clock = Arc::new(TestClock::default());
    let broker = broker(Profile { sessions: None, ..Profile::storm() }, &clock, shards);
    // Every seventh send, whoever's it is.
    (1..200).for_each(|n| broker.script(Rule::new(Fault::LoseAnswer).nth(n * 7)));
    let mut seen = Vec::new();
    for day in 0..8_u32 {
        let price = |base: u32| (base + day).to_string().parse().unwrap();
        broker.set_prices([(symbol("AAPL"), price(200)), (symbol("META"), price(400))]);
        match day {
            2 => broker.halt(symbol("META")),
            3 => broker.resume(symbol("META")),
            4 => broker.close_market(clock.now().plus(Duration::from_secs(3_600))),
            5 => {
                let (from, until) = (clock.now(), clock.now().plus(Duration::from_secs(60)));
                broker.add_outage(Outage { from, until, kind: OutageKind::Silent });
            }
            6 => broker.clear_script(),
            7 => {
                broker.close_market(clock.now().plus(Duration::from_secs(3_600)));
                broker.open_market();
            }
            _ => {}
        }
        let orders = [format!("sell 2 AAPL @ {}", 200 + day), format!("buy 1 META @ {}", 400 + day)];
        let orders: Vec<_> =
            orders.iter().enumerate().map(|(leg, text)| order_of(u128::from(day) + 1, leg, text)).collect();
        let accounts = accounts();
        let mut answers = Vec::new();
        for account in &accounts {
            answers.push(clock.run(join_all(orders.iter().map(|order| broker.submit(account, order)))));
        }
        for account in &accounts {
            seen.push(format!("{:?}", broker.positions(account).now_or_never()));
        }
        seen.push(format!("{answers:?} {:?} {:?}", broker.next_event(), broker.price(symbol("META"))));
        clock.pass(Duration::from_secs(24 * 60 * 60));
        // One account's call is everybody's time.
        seen.push(format!("{:?} {:?}", broker.positions(&accounts[1]).now_or_never(), broker.time()));
        seen.push(format!("{:?} {:?}", broker.truth(), broker.time()));
        accounts.iter().for_each(|account| broker.check_conservation(account).unwrap());
    }
    seen.push(broker.calibration(&Profile::storm()).to_string());
    seen
}

#[test]
fn whatever_can_be_seen_is_the_same_however_many_locks_there_are() {
    let one = days(1);
    for shards in [2, 16, 100] {
        for (number, (one, many)) in one.iter().zip(&days(shards)).enumerate() {
            assert_eq!(one, many, "{shards} shards, line {number}");
        }
    }
}

#[test]
fn accounts_are_spread_over_the_locks() {
    for (shards, at_least) in [(1, 1), (2, 2), (16, 10)] {
        let broker = broker(Profile::ideal(), &Arc::default(), shards);
        let at = |account: &AccountId| broker.with(account, |venue| std::ptr::from_ref(venue).addr());
        let used: BTreeSet<usize> = accounts().iter().map(at).collect();
        assert!((at_least..=shards).contains(&used.len()), "{} of {shards}", used.len());
        assert_eq!(accounts().iter().map(at).collect::<BTreeSet<_>>(), used, "an account stays where it is");
    }
}

#[test]
fn prices_that_two_threads_set_are_the_same_for_every_account() {
    let clock = Arc::new(TestClock::default());
    let broker = broker(Profile::ideal(), &clock, 16);
    for round in 0..3_000 {
        std::thread::scope(|scope| {
            for price in ["100", "200"] {
                let broker = &broker;
                scope.spawn(move || broker.set_price(symbol("AAPL"), price.parse().unwrap()));
            }
        });
        let at = |account: &AccountId| broker.with(account, |venue| venue.price(symbol("AAPL")));
        let prices: BTreeSet<_> = accounts().iter().map(at).collect();
        assert_eq!(prices.len(), 1, "{round}: {prices:?}");
    }
}

/// A clock of a machine that is set back at times.
#[derive(Default)]
struct SetBack(AtomicI64);

#[async_trait]
impl Clock for SetBack {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.0.load(Ordering::Relaxed))
    }

    async fn sleep_until(&self, _: Timestamp) {}
}

/// When each sale was, of which every second one comes when the clock was set back.
fn sales(shards: usize) -> Vec<Timestamp> {
    let clock = Arc::new(SetBack::default());
    let broker = BanChile::sharded(Profile::ideal(), clock.clone(), 11, NonZeroUsize::new(shards).unwrap());
    broker.set_price(symbol("AAPL"), "200".parse().unwrap());
    let sell = order_of(1, 0, "sell 1 AAPL @ 200");
    let sales = (1..).zip(accounts()).map(|(second, account)| {
        let held = [(symbol("AAPL"), units("50"))];
        broker.open_account(&account, "USD".parse().unwrap(), Money::ZERO, held).unwrap();
        let set_back = if second % 2 == 0 { 10 } else { 0 };
        clock.0.store((100 + second - set_back) * 1_000_000_000, Ordering::Relaxed);
        let answer = broker.submit(&account, &sell).now_or_never().unwrap();
        let SubmitAnswer::Acknowledged(view) = answer else { panic!("{answer:?}") };
        view.fills[0].at
    });
    sales.collect()
}

#[test]
fn a_clock_that_goes_back_takes_no_account_back() {
    let one = sales(1);
    assert!(one.is_sorted(), "{one:?}");
    assert_eq!(sales(16), one);
}

#[test]
fn rules_that_were_dropped_do_not_come_back_with_a_new_one() {
    let clock = Arc::new(TestClock::default());
    let broker = broker(Profile::ideal(), &clock, 2);
    broker.set_price(symbol("AAPL"), "200".parse().unwrap());
    broker.script(Rule::new(Fault::Refuse(RefusalReason::NotTradable)).always());
    broker.clear_script();
    broker.script(Rule::new(Fault::LoseAnswer).symbol(symbol("META")));
    let sell = order_of(1, 0, "sell 1 AAPL @ 200");
    for account in accounts() {
        let answer = broker.submit(&account, &sell).now_or_never().unwrap();
        assert!(matches!(answer, SubmitAnswer::Acknowledged(_)), "{answer:?}");
    }
}
