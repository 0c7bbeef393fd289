//! How values travel: as the string they print, and as nothing else.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::values::{
    AccountId, Currency, FillId, Lot, Money, MovementId, OwnerId, Percentage, PortfolioId, Price, Quantity, Sequence,
    StoreId, Symbol, Timestamp, Token, Value,
};

/// Checks that a value is written as that JSON, and read from it and from no other.
fn check<T>(json: &str, others: &[&str])
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let value: T = serde_json::from_str(json).unwrap();
    assert_eq!(serde_json::to_string(&value).unwrap(), json);
    for other in others {
        assert!(serde_json::from_str::<T>(other).is_err(), "{other} as {value:?}");
    }
}

#[test]
fn decimals_are_strings() {
    check::<Money>(r#""1234.50""#, &["1234.50", "1234", "null", r#""1.005""#, r#"["1"]"#]);
    check::<Percentage>(r#""33.3300""#, &["33.33", "33", r#""33.33333""#]);
    check::<Quantity>(r#""12.5""#, &["12.5", "12", r#""-1""#]);
    check::<Lot>(r#""0.1""#, &["0.1", "1", r#""0""#]);
    check::<Price>(r#""366.63""#, &["366.63", "366", r#""0""#]);
    check::<Value>(r#""122.20999987779""#, &["122.2", "122", r#""1e3""#]);
}

#[test]
fn names_and_moments_are_strings() {
    check::<Symbol>(r#""AAPL""#, &[r#""aapl""#, r#""CASH""#, "1"]);
    check::<Currency>(r#""USD""#, &[r#""usd""#]);
    check::<Timestamp>(r#""2026-01-31T14:30:00.5Z""#, &["0", r#""2026-01-31""#]);
    check::<PortfolioId>(r#""p1""#, &["1", r#""p 1""#]);
    check::<AccountId>(r#""a1""#, &[r#""""#]);
    check::<OwnerId>(r#""o1""#, &[r#""""#]);
    check::<MovementId>(r#""m1""#, &[r#""""#]);
    check::<FillId>(r#""f/1""#, &[r#""""#]);
    check::<StoreId>(r#""0000000000000000000000000000002a""#, &["42", r#""2a""#]);
}

#[test]
fn counters_are_numbers() {
    check::<Token>("7", &[r#""7""#, "-1", "1.5"]);
    check::<Sequence>("18446744073709551615", &["18446744073709551616", "null"]);
}

#[test]
fn strings_need_not_be_borrowed() {
    // An escape makes the reader build the string before it is read.
    assert_eq!(serde_json::from_str::<Money>(r#""\u0031.50""#).unwrap().cents(), 150);
    let value = serde_json::Value::String("1.50".to_owned());
    assert_eq!(serde_json::from_value::<Money>(value).unwrap().cents(), 150);
}

#[test]
fn refusals_say_what_would_be_right() {
    let cases = [
        (
            serde_json::from_str::<Percentage>("33.33").unwrap_err(),
            r#"invalid type: floating point `33.33`, expected a percentage as a string, like "33.33""#,
        ),
        (
            serde_json::from_str::<Percentage>(r#""33.33333""#).unwrap_err(),
            r#""33.33333" is not a percentage: it has 5 decimals, at most 4 are allowed"#,
        ),
    ];
    for (error, expected) in cases {
        assert!(error.to_string().starts_with(expected), "{error}");
    }
}
