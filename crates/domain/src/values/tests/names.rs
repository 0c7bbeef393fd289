//! Symbols, currencies, ids and counters: what is a name and what is none, and that names compare as text.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use proptest::prelude::*;

use super::many;
use crate::values::{
    AccountId, Currency, FillId, IdError, IdReason, MovementId, OwnerId, PortfolioId, Sequence, StoreId, Symbol,
    SymbolReason, Token,
};

/// Checks that names are read and printed as they are, and that everything else is refused.
fn check<T: FromStr<Err: Debug> + Display + Debug>(names: &[&str], others: &[&str]) {
    for name in names {
        assert_eq!(name.parse::<T>().unwrap().to_string(), *name);
    }
    for other in others {
        assert!(other.parse::<T>().is_err(), "{other:?} as {}", std::any::type_name::<T>());
    }
}

#[test]
fn symbols_are_short_capital_names() {
    check::<Symbol>(
        &["A", "AAPL", "BRK.B", "BTC/USD", "BF-B", "0700.HK", "CASH.X", "CASHX", "XCASH", "ABCDEFGHIJKLMNOP"],
        &["", "CASH", "aapl", "ABCDEFGHIJKLMNOPQ", ".A", "-A", "/A", "A B", " A", "A_B", "Ä", "A\0", "\0", "A\0B"],
    );
    let reasons = [
        ("", SymbolReason::Empty),
        ("CASH", SymbolReason::Cash),
        ("ABCDEFGHIJKLMNOPQ", SymbolReason::TooLong),
        (".A", SymbolReason::Start),
        ("A b", SymbolReason::Character(' ')),
        ("A@[", SymbolReason::Character('@')),
        ("A[", SymbolReason::Character('[')),
        ("A:", SymbolReason::Character(':')),
    ];
    for (text, reason) in reasons {
        assert_eq!(text.parse::<Symbol>().unwrap_err().reason, reason, "{text}");
    }
    assert_eq!(
        "CASH".parse::<Symbol>().unwrap_err().to_string(),
        r#""CASH" is not a symbol: it means the money itself: a target may be called so, but nothing that trades"#
    );
}

#[test]
fn currencies_are_three_capital_letters() {
    check::<Currency>(
        &["USD", "EUR", "CLP", "XXX"],
        &["", "US", "USDT", "usd", "Usd", "U1D", "US ", "€", "Ä1", "USD\n"],
    );
}

#[test]
fn chosen_ids_are_plain_and_short() {
    let (longest, longer) = ("x".repeat(64), "x".repeat(65));
    let names = ["a", "client-7", "EU:fund_2.b", "0", "-", longest.as_str()];
    let others = ["", "client 7", "a/b", "é", "a\n", "a,b", "a;b", "a@b", "[", "`", "{", longer.as_str()];
    check::<PortfolioId>(&names, &others);
    check::<AccountId>(&names, &others);
    check::<OwnerId>(&names, &others);
    check::<MovementId>(&names, &others);
}

#[test]
fn foreign_ids_are_printable_and_longer() {
    let (longest, longer) = ("x".repeat(128), "x".repeat(129));
    check::<FillId>(
        &["1", "20260131/00:7;{x}", "~!", longest.as_str()],
        &["", "a b", " ", "a\n", "é", "\u{7f}", longer.as_str()],
    );
}

#[test]
fn refused_ids_say_why() {
    let error = |text: &str| PortfolioId::new(text).unwrap_err().to_string();
    let cases = [
        (error(""), r#""" is not a portfolio id: it is empty"#),
        (
            error("a/b"),
            r#""a/b" is not a portfolio id: '/' is not allowed, only ASCII letters, digits, '-', '_', '.' and ':' are"#,
        ),
        (
            error(&"x".repeat(65)),
            r#""xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…" is not a portfolio id: it has more than 64 characters"#,
        ),
        (
            FillId::new("a b").unwrap_err().to_string(),
            r#""a b" is not a fill id: ' ' is not allowed, only printable ASCII without spaces is"#,
        ),
        (
            "7".parse::<StoreId>().unwrap_err().to_string(),
            r#""7" is not a store id: it must be 32 digits of 0-9 and a-f"#,
        ),
    ];
    for (found, expected) in cases {
        assert_eq!(found, expected);
    }
    let whats = [
        PortfolioId::new("").unwrap_err(),
        AccountId::new("").unwrap_err(),
        OwnerId::new("").unwrap_err(),
        MovementId::new("").unwrap_err(),
        FillId::new("").unwrap_err(),
    ]
    .map(|IdError { what, reason, .. }| (what, reason));
    let empty = |what| (what, IdReason::Empty);
    let expected = ["a portfolio id", "an account id", "an owner id", "a movement id", "a fill id"];
    assert_eq!(whats, expected.map(empty));
}

#[test]
fn store_ids_are_32_hexadecimal_digits() {
    check::<StoreId>(
        &["00000000000000000000000000000000", "0123456789abcdef0123456789abcdef", "ffffffffffffffffffffffffffffffff"],
        &[
            "",
            "0",
            "0123456789abcdef0123456789abcde",
            "0123456789abcdef0123456789abcdef0",
            "0123456789ABCDEF0123456789ABCDEF",
            "+123456789abcdef0123456789abcdef",
            "0123456789abcdef0123456789abcdeg",
        ],
    );
    assert_eq!(StoreId::new(u128::MAX).get(), u128::MAX);
}

#[test]
fn counters_count_to_their_end() {
    assert_eq!(Token::ZERO.next(), Ok(Token::new(1)));
    assert_eq!(Sequence::default().next().map(Sequence::get), Ok(1));
    assert_eq!(Token::new(u64::MAX - 1).next(), Ok(Token::new(u64::MAX)));
    let message = "counting on from 18446744073709551615 leaves the range of a token, \
                   whose maximum is 18446744073709551615";
    assert_eq!(Token::new(u64::MAX).next().unwrap_err().to_string(), message);
    assert_eq!(Sequence::new(u64::MAX).next().unwrap_err().what, "a sequence number");
}

#[test]
fn names_are_printed_at_the_left_and_in_debug_with_their_type() {
    let symbol: Symbol = "BRK.B".parse().unwrap();
    let currency: Currency = "USD".parse().unwrap();
    let id = PortfolioId::new("p1").unwrap();
    let cases = [
        (format!("{symbol:7}|"), "BRK.B  |"),
        (format!("{currency:>5}"), "  USD"),
        (format!("{id:4}|"), "p1  |"),
        (format!("{:>4}", Token::new(7)), "   7"),
        (format!("{symbol:?} {currency:?} {id:?}"), "Symbol(BRK.B) Currency(USD) PortfolioId(p1)"),
        (format!("{:?}", StoreId::new(0xA)), "StoreId(0000000000000000000000000000000a)"),
    ];
    for (found, expected) in cases {
        assert_eq!(found, expected);
    }
}

proptest! {
    #![proptest_config(many())]

    #[test]
    fn symbols_compare_as_text(left in "[A-Z0-9][A-Z0-9./-]{0,15}", right in "[A-Z0-9][A-Z0-9./-]{0,15}", kept in 0_usize..16) {
        // Often the beginning of the other, where the order of text and of bytes could differ.
        let right = format!("{}{right}", left.get(..kept).unwrap_or("")).chars().take(16).collect::<String>();
        prop_assume!(left != "CASH" && right != "CASH");
        let [first, second] = [&left, &right].map(|text| text.parse::<Symbol>().unwrap());
        prop_assert_eq!(first.cmp(&second), left.cmp(&right));
        prop_assert_eq!(first.as_str(), left);
    }

    #[test]
    fn ids_compare_as_text(left in "[a-zA-Z0-9_.:-]{1,64}", right in "[a-zA-Z0-9_.:-]{1,64}") {
        let [first, second] = [&left, &right].map(|text| PortfolioId::new(text).unwrap());
        prop_assert_eq!(first.cmp(&second), left.cmp(&right));
        prop_assert_eq!(first.as_str(), left);
    }

    #[test]
    fn store_ids_come_and_go(bits: u128) {
        let id = StoreId::new(bits);
        prop_assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn no_text_is_read_as_another_name(text in ".{0,20}|[A-Z./-]{0,18}|[a-z:. -]{0,70}") {
        if let Ok(symbol) = text.parse::<Symbol>() { prop_assert_eq!(symbol.as_str(), &text); }
        if let Ok(currency) = text.parse::<Currency>() { prop_assert_eq!(currency.as_str(), &text); }
        if let Ok(id) = text.parse::<OwnerId>() { prop_assert_eq!(id.as_str(), &text); }
        if let Ok(id) = text.parse::<FillId>() { prop_assert_eq!(id.as_str(), &text); }
    }
}
