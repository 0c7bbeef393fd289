//! Units that come and go, and prices that grow old.

use super::{Books, Market, NoPrice, Prices, Quote};
use crate::testing::read;
use crate::values::{Money, Percentage, Quantity, QuantityError, Symbol, Timestamp};
use std::time::Duration;

#[test]
fn nothing_held_is_nothing_written() {
    let [a, b]: [Symbol; 2] = [read("A"), read("B")];
    let mut books = Books::new(read("1.00"), [(b, read("2")), (a, Quantity::ZERO)]);
    assert_eq!(books.holdings().collect::<Vec<_>>(), [(b, read("2"))]);
    assert_eq!(books.units(a), Quantity::ZERO);

    books.add_units(a, read("1.5")).unwrap();
    books.remove_units(b, read("0.5")).unwrap();
    assert_eq!(books.holdings().collect::<Vec<_>>(), [(a, read("1.5")), (b, read("1.5"))]);

    books.remove_units(b, read("1.5")).unwrap();
    books.set_units(a, Quantity::ZERO);
    assert_eq!(books, Books::new(read("1.00"), []));
}

#[test]
fn units_that_cannot_be_change_nothing() {
    let a: Symbol = read("A");
    let mut books = Books::new(Money::ZERO, [(a, read("1"))]);
    let error = books.remove_units(a, read("1.000000001")).unwrap_err();
    assert_eq!(error, QuantityError::WouldBeNegative { have: read("1"), take: read("1.000000001") });
    assert!(matches!(books.add_units(a, Quantity::MAX), Err(QuantityError::Overflow(_))));
    assert_eq!(books.units(a), read("1"));
}

#[test]
fn a_price_gives_way_to_one_that_is_not_older() {
    let [a, b]: [Symbol; 2] = [read("A"), read("B")];
    let quote = |price: &str, at| Quote { price: read(price), at: Timestamp::from_nanos(at) };
    let mut prices: Prices = [(b, quote("7", 0)), (a, quote("1", 10))].into_iter().collect();
    for (later, expected) in [(quote("2", 9), "1"), (quote("3", 10), "3"), (quote("4", 11), "4")] {
        prices.set(a, later);
        assert_eq!(prices.get(a).unwrap().price, read(expected), "{later:?}");
    }
    assert_eq!(prices.get(read("C")), None);
    assert_eq!(prices.iter().collect::<Vec<_>>(), [(a, quote("4", 11)), (b, quote("7", 0))]);
}

#[test]
fn a_price_is_stale_when_it_is_older_than_allowed() {
    let symbol: Symbol = read("A");
    let at = Timestamp::from_nanos(1_000_000_000);
    let prices: Prices = [(symbol, Quote { price: read("5"), at })].into_iter().collect();
    let second = Duration::from_secs(1);
    let stale = |age| Err(NoPrice::Stale { symbol, age, allowed: second });
    let cases = [
        // moment, age allowed, what is found
        (at.plus(second), Some(second), Ok(read("5"))),
        (at.plus(second).plus(Duration::from_nanos(1)), Some(second), stale(Duration::from_nanos(1_000_000_001))),
        (Timestamp::EPOCH, Some(Duration::ZERO), Ok(read("5"))), // Ahead of the clock.
        (Timestamp::MAX, None, Ok(read("5"))),
    ];
    for (now, max_age, expected) in cases {
        assert_eq!(Market { prices: &prices, now, max_age }.price(symbol), expected, "{now}");
    }
    let missing = Market::ageless(&prices).price(read("B")).unwrap_err();
    assert_eq!(missing.to_string(), "there is no price for B");
    let old = Market { prices: &prices, now: Timestamp::from_nanos(91_000_000_000), max_age: Some(second) };
    assert_eq!(old.price(symbol).unwrap_err().to_string(), "the price of A is 90 s old: at most 1 s are allowed");
}

#[test]
fn a_price_too_far_from_the_last_is_doubted_until_one_is_near_or_a_person_accepts_it() {
    let symbol: Symbol = read("A");
    let quote = |price: &str, at| Quote { price: read(price), at: Timestamp::from_nanos(at) };
    let fifth: Percentage = read("20");
    let priced = |prices: &Prices| Market::ageless(prices).price(symbol);
    let mut prices = Prices::default();
    assert!(prices.offer(symbol, quote("100", 1), fifth), "the first is believed");
    for near in ["120", "96", "115.2"] {
        assert!(prices.offer(symbol, quote(near, 2), fifth), "{near}");
    }
    let jumped = |found: &str| Err(NoPrice::Jumped { symbol, accepted: read("115.2"), found: read(found) });
    for (far, at) in [("138.240000001", 3), ("92.159999999", 4), ("9999999999", 5), ("0.000000001", 6)] {
        assert!(!prices.offer(symbol, quote(far, at), fifth), "{far}");
        assert_eq!(priced(&prices), jumped(far));
        assert_eq!(prices.get(symbol), Some(quote("115.2", 2)), "the accepted one stays");
    }
    assert!(!prices.offer(symbol, quote("1", 5), fifth), "an older one");
    assert_eq!(priced(&prices), jumped("0.000000001"));
    assert!(prices.offer(symbol, quote("138.24", 7), fifth), "exactly at the limit");
    assert_eq!((priced(&prices), prices.accept(symbol)), (Ok(read("138.24")), None));

    assert!(!prices.offer(symbol, quote("69.12", 8), fifth), "a split, as it seems");
    assert_eq!(prices.doubtful().collect::<Vec<_>>(), [(symbol, quote("69.12", 8))]);
    assert_eq!(prices.accept(symbol), Some(quote("69.12", 8)));
    assert_eq!((priced(&prices), prices.doubtful().len()), (Ok(read("69.12")), 0));
}

#[test]
fn a_price_that_comes_late_takes_no_doubt_away() {
    let symbol: Symbol = read("A");
    let quote = |price: &str, at| Quote { price: read(price), at: Timestamp::from_nanos(at) };
    let fifth: Percentage = read("20");
    // A price, its time, whether it is believed, and what there is then: the accepted one, and one that is doubted. Accepted is 100 of
    // time 5; doubted, 200 of time 9.
    for (price, at, is_believed, accepted, doubtful) in [
        ("101", 4, true, "100", Some("200")),
        ("101", 5, true, "101", Some("200")),
        ("101", 8, true, "101", Some("200")),
        ("101", 9, true, "101", None),
        ("101", 10, true, "101", None),
        // One that is far.
        ("300", 4, true, "100", Some("200")),
        ("300", 8, false, "100", Some("200")),
        ("300", 9, false, "100", Some("300")),
    ] {
        let mut prices = Prices::default();
        prices.set(symbol, quote("100", 5));
        assert!(!prices.offer(symbol, quote("200", 9), fifth));
        assert_eq!(prices.offer(symbol, quote(price, at), fifth), is_believed, "{price} of {at}");
        assert_eq!(prices.get(symbol).unwrap().price, read(accepted), "{price} of {at}");
        let found = prices.doubtful().next().map(|(_, quote)| quote.price);
        assert_eq!(found, doubtful.map(read), "{price} of {at}");
    }
    let mut prices = Prices::default();
    prices.set(symbol, quote("100", 5));
    assert!(prices.offer(symbol, quote("300", 4), fifth), "what is older than the accepted one makes no doubt");
    assert_eq!((prices.get(symbol), prices.doubtful().len()), (Some(quote("100", 5)), 0));
}

#[test]
fn the_oldest_of_some_prices() {
    let quote = |at| Quote { price: read("1"), at: Timestamp::from_nanos(at) };
    let prices: Prices =
        [("A", 7), ("B", 3), ("C", 5), ("D", 9)].map(|(name, at)| (read(name), quote(at))).into_iter().collect();
    for (symbols, oldest) in
        [("A B C D", Some(3)), ("D C A", Some(5)), ("A X D", Some(7)), ("D", Some(9)), ("X Y", None), ("", None)]
    {
        let asked = symbols.split_whitespace().map(read::<Symbol>);
        assert_eq!(prices.oldest(asked), oldest.map(Timestamp::from_nanos), "{symbols}");
    }
}
