//! How values travel, with the feature `serde`: values and ids as their text, counters as numbers.
//!
//! A number is never taken for a text: by the time `33.33` in a file is a number, it may have been a float.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{
    AccountId, Currency, FillId, Lot, Money, MovementId, OwnerId, Percentage, PortfolioId, Price, Quantity, Sequence,
    StoreId, Symbol, Timestamp, Token, Value,
};

/// Reads a `T` from a string, without copying it, and from nothing else.
struct FromText<T> {
    expected: &'static str,
    result: PhantomData<T>,
}

impl<T: FromStr<Err: fmt::Display>> de::Visitor<'_> for FromText<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.expected)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

macro_rules! as_text {
    ($($type:ident, $expected:literal;)*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let visitor = FromText { expected: $expected, result: PhantomData };
                deserializer.deserialize_str(visitor)
            }
        }
    )*};
}

as_text! {
    Money, r#"an amount of money as a string, like "1234.50""#;
    Quantity, r#"a quantity as a string, like "12.5""#;
    Lot, r#"a lot as a string, like "0.001""#;
    Price, r#"a price as a string, like "366.63""#;
    Percentage, r#"a percentage as a string, like "33.33""#;
    Value, r#"a value as a string, like "122.2099""#;
    Symbol, r#"a symbol as a string, like "AAPL""#;
    Currency, r#"a currency as a string, like "USD""#;
    Timestamp, r#"a timestamp as a string, like "2026-01-31T14:30:00Z""#;
    PortfolioId, "a portfolio id as a string";
    AccountId, "an account id as a string";
    OwnerId, "an owner id as a string";
    MovementId, "a movement id as a string";
    FillId, "a fill id as a string";
    StoreId, "a store id as a string of 32 hexadecimal digits";
}

macro_rules! as_number {
    ($($type:ident)*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_u64(self.get())
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                u64::deserialize(deserializer).map(Self::new)
            }
        }
    )*};
}

as_number! { Token Sequence }
