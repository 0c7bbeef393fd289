//! Texts that nobody would write: whatever they are, they are portfolios or have faults that can be printed.

use super::*;
use proptest::prelude::*;

const TOML: &str = include_str!("../../../../../examples/portfolios.toml");
const JSON: &str = concat!(
    r#"{"id": "a", "account": "b", "currency": "USD", "cash": "1.50", "targets": {"META": "60", "CASH": "40"}}"#,
    "\n",
    r#"{"id": "c", "currency": "USD", "cash": "0", "targets": {"META": "100"}, "holdings": {"META": "0.5"}, "policy": {"band": "5"}}"#,
    "\n",
);
/// What slips of the keyboard are made of.
const PIECES: [&str; 20] = [
    "",
    "\"",
    "'",
    "[",
    "]",
    "{",
    "}",
    "=",
    ":",
    ",",
    "\n",
    "\r",
    "#",
    "\\",
    ".",
    "-",
    "0",
    "é",
    "\u{FEFF}",
    "[[portfolio]]\n",
];

/// A text with up to five places changed.
fn slips(text: &'static str) -> impl Strategy<Value = String> {
    let slip = (0..text.len(), 0..12_usize, prop::sample::select(&PIECES[..]));
    prop::collection::vec(slip, 1..6).prop_map(move |slips| {
        let mut text: Vec<char> = text.chars().collect();
        for (at, length, piece) in slips {
            let start = at.min(text.len());
            let end = start.saturating_add(length).min(text.len());
            text.splice(start..end, piece.chars());
        }
        text.into_iter().collect()
    })
}

fn is_read_or_refused(text: &str, notation: Notation) -> Result<(), TestCaseError> {
    let symbols = ["META".parse().unwrap()].into();
    let priced = Some(Priced { source: "prices.csv", symbols: &symbols });
    let lines = u64::try_from(text.lines().count()).unwrap();
    let is_broken = match notation {
        Notation::Toml => ::toml::de::DeTable::parse(text).is_err(),
        Notation::Json => {
            let mut lines = text.lines().filter(|line| !line.trim().is_empty());
            lines.any(|line| serde_json::from_str::<serde_json::Value>(line).is_err())
        }
    };
    for priced in [None, priced] {
        match read("a", text, notation, priced) {
            Ok(portfolios) => prop_assert!(!portfolios.is_empty() && !is_broken),
            Err(faults) => {
                let printed = faults.to_string();
                prop_assert!(faults.count() > 0 && !printed.is_empty());
                for line in printed.lines() {
                    // The place of a fault at the end of the file may be the line that is not there.
                    let number = line.split(':').nth(1).and_then(|number| number.parse::<u64>().ok());
                    prop_assert!(number.is_none_or(|number| number > 0 && number <= lines.saturating_add(1)), "{line}");
                }
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn slips_in_toml_are_told(text in slips(TOML)) {
        is_read_or_refused(&text, Notation::Toml)?;
    }

    #[test]
    fn slips_in_json_are_told(text in slips(JSON)) {
        is_read_or_refused(&text, Notation::Json)?;
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        is_read_or_refused(&text, Notation::Toml)?;
        is_read_or_refused(&text, Notation::Json)?;
    }
}
