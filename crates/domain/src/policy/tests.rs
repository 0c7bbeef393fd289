//! Which policies there are, and how they travel.

use super::{Band, Measure, Policy};
use crate::testing::{measure, read};
use crate::values::Percentage;

#[test]
fn the_default_is_five_percent_relative() {
    let Policy { measure: found, minimum_order, cash_buffer } = Policy::default();
    assert_eq!(found, Measure::Relative { band: Band::new(read("5")).unwrap() });
    assert_eq!((minimum_order, cash_buffer), (read("1.00"), read("0.00")));
}

#[test]
fn a_band_is_from_zero_to_a_hundred_percent() {
    let cases = [
        ("0", Ok("0.0000")),
        ("0.0001", Ok("0.0001")),
        ("100", Ok("100.0000")),
        ("100.0001", Err("a band of 100.0001 % is not possible: it is from 0 to 100")),
        ("-0.0001", Err("a band of -0.0001 % is not possible: it is from 0 to 100")),
    ];
    for (width, expected) in cases {
        let found = Band::new(read(width)).map(|band| band.width().to_string()).map_err(|error| error.to_string());
        assert_eq!(found.as_deref().map_err(String::as_str), expected, "{width}");
        assert_eq!(Band::try_from(read::<Percentage>(width)), Band::new(read(width)), "{width}");
    }
    assert_eq!(Percentage::from(Band::new(read("5")).unwrap()), read("5"));
}

#[test]
fn amounts_are_never_below_zero() {
    let cases = [
        ("0.00", "0.00", None),
        ("-0.01", "0.00", Some("minimum_order is -0.01: it cannot be below zero")),
        ("0.00", "-0.01", Some("cash_buffer is -0.01: it cannot be below zero")),
    ];
    for (minimum, buffer, expected) in cases {
        let found = Policy::new(measure("total 5"), read(minimum), read(buffer));
        assert_eq!(found.err().map(|error| error.to_string()).as_deref(), expected, "{minimum}, {buffer}");
    }
}

#[test]
fn measures_have_the_names_of_files() {
    for text in ["relative 5", "absolute 5", "hybrid 25 5", "tighter 25 5", "total 5"] {
        let name = text.split(' ').next().unwrap();
        assert_eq!(measure(text).name(), name);
        #[cfg(feature = "serde")]
        assert!(serde_json::to_string(&measure(text)).unwrap().starts_with(&format!("{{\"{name}\"")), "{text}");
    }
}

#[cfg(feature = "serde")]
#[test]
fn what_cannot_be_does_not_arrive() {
    let json = |band: &str, minimum: &str, buffer: &str| {
        let measure = format!(r#"{{"relative":{{"band":"{band}"}}}}"#);
        format!(r#"{{"measure":{measure},"minimum_order":"{minimum}","cash_buffer":"{buffer}"}}"#)
    };
    let default = serde_json::to_string(&Policy::default()).unwrap();
    assert_eq!(default, json("5.0000", "1.00", "0.00"));
    let cases = [
        (default, None),
        (json("100.0001", "1.00", "0.00"), Some("a band of 100.0001 % is not possible")),
        (json("5", "-0.01", "0.00"), Some("minimum_order is -0.01: it cannot be below zero")),
        (json("5", "0.00", "-0.01"), Some("cash_buffer is -0.01: it cannot be below zero")),
        (json("5", "1.005", "0.00"), Some(r#""1.005" is not an amount of money"#)),
    ];
    for (json, expected) in cases {
        match (serde_json::from_str::<Policy>(&json), expected) {
            (Ok(policy), None) => assert_eq!(policy, Policy::default()),
            (Err(error), Some(expected)) => assert!(error.to_string().starts_with(expected), "{json}: {error}"),
            (found, expected) => panic!("{json}: {found:?}, not {expected:?}"),
        }
    }
}
