//! The encoding as people and other programs will meet it: one record of every kind in a file, and what is refused.
//!
//! `records.jsonl` beside this file is the format of version 1. A change of it is a new version with a decoder for the old one: lines may be
//! added when a record is added, never changed.

mod machine;
mod samples;

use super::{CodecError, VERSION, decode, encode};
use crate::JournalError;
use evenkeel_domain::record::{Event, Record};
use evenkeel_domain::values::{Sequence, Timestamp};
use expect_test::{expect, expect_file};
use proptest::prelude::*;
use samples::samples;

fn encoded(record: &Record) -> String {
    encode(record).unwrap()
}

#[test]
fn every_record_reads_as_it_always_did() {
    let lines: String = samples().iter().map(|record| encoded(record) + "\n").collect();
    expect_file!["records.jsonl"].assert_eq(&lines);
}

#[test]
fn every_record_of_the_file_is_understood() {
    let file = include_str!("records.jsonl");
    let samples = samples();
    assert_eq!(file.lines().count(), samples.len());
    for (line, sample) in file.lines().zip(samples) {
        assert_eq!(decode(line), Ok(sample), "{line}");
    }
}

#[test]
fn the_file_has_a_record_of_every_kind() {
    let mut kinds: Vec<&str> = samples().iter().map(|record| record.event.kind()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    expect![[r#"
        acknowledged added assumed_not_executed cancel_requested cash_moved changed closed ended filled folded intended late_fill not_found not_sent opened quarantined refused released removed resent resolved retried settling taken_over unknown unwinding withdrawn"#]]
    .assert_eq(&kinds.join(" "));
}

#[test]
fn a_record_is_one_line_that_begins_with_its_version_and_its_time() {
    for record in samples() {
        let text = encoded(&record);
        assert!(text.starts_with(&format!("{{\"v\":1,\"at\":\"{}\",\"event\":", record.at)), "{text}");
        assert!(!text.contains('\n'), "{text}");
        assert!(!text.contains("\": ") && !text.contains("\", "), "no blanks outside of strings: {text}");
    }
}

#[test]
fn another_version_is_refused_whatever_else_it_says() {
    assert_eq!(VERSION, 1);
    for (text, found) in [
        (r#"{"v":2,"at":"2026-01-31T14:30:00Z","event":"removed"}"#, 2),
        (r#"{"v":2,"when":"tomorrow","what":["something new"]}"#, 2),
        (r#"{"v":0,"at":"2026-01-31T14:30:00Z","event":"removed"}"#, 0),
        (r#"{"v":4294967295}"#, 4_294_967_295),
    ] {
        let error = decode(text).unwrap_err();
        assert_eq!(error, CodecError::Version { found });
        assert_eq!(error.to_string(), format!("the record is of version {found}: this program reads version 1"));
    }
}

#[test]
fn only_a_newer_version_is_told_as_newer() {
    let (growth, sequence) = ("growth".parse().unwrap(), Sequence::new(7));
    let told = |text: &str| JournalError::undecoded(&growth, sequence, &decode(text).unwrap_err());
    let (portfolio, known) = (growth.clone(), VERSION);
    assert_eq!(told(r#"{"v":2,"what":[]}"#), JournalError::Newer { portfolio, sequence, found: 2, known });
    for damaged in [r#"{"v":0}"#, r#"{"v":1}"#, r#"{"v":-2}"#, ""] {
        assert!(matches!(told(damaged), JournalError::Damaged { .. }), "{damaged}");
    }
}

#[test]
fn what_is_no_record_is_refused_with_what_is_wrong() {
    let refused = |text: &str| match decode(text) {
        Err(CodecError::Unreadable { message }) => format!("{text}\n    {message}\n"),
        other => panic!("{text}: {other:?}"),
    };
    let texts = [
        "",
        "{}",
        "removed",
        r#"{"at":"2026-01-31T14:30:00Z","event":"removed"}"#,
        r#"{"v":"1","at":"2026-01-31T14:30:00Z","event":"removed"}"#,
        r#"{"v":1.0,"at":"2026-01-31T14:30:00Z","event":"removed"}"#,
        r#"{"v":1,"at":"2026-01-31T14:30:00Z"}"#,
        r#"{"v":1,"event":"removed"}"#,
        r#"{"v":1,"at":1738333800,"event":"removed"}"#,
        r#"{"v":1,"at":"2026-01-31T14:30:00+00:00","event":"removed"}"#,
        r#"{"v":1,"at":"2026-01-31T14:30:00Z","event":"sold"}"#,
        r#"{"v":1,"at":"2026-01-31T14:30:00Z","event":"removed","more":1}"#,
        r#"{"v":1,"v":1,"at":"2026-01-31T14:30:00Z","event":"removed"}"#,
        r#"{"v":1,"at":"2026-01-31T14:30:00Z","event":"removed"}{}"#,
        r#"{"v":1,"at":"2026-01-31T14:30:00Z","event":{"cash_moved":{"movement":"m1","kind":"deposit","amount":1.0}}}"#,
        r#"{"v":1,"at":"2026-01-31T14:30:00Z","event":{"cash_moved":{"movement":"m1","kind":"deposit","amount":"1.005"}}}"#,
        r#"{"v":1,"at":"2026-01-31T14:30:00Z","event":{"settling":{"outcome":"finished"}}}"#,
        r#"{"v":1,"at":"2026-01-31T14:30:00Z","event":{"settling":{}}}"#,
        r#"{"v":1,"at":"2026-01-31T14:30:00Z","event":{"order":{"order":"ek1-0-000-F1","event":"acknowledged"}}}"#,
    ];
    expect_file!["refused.txt"].assert_eq(&texts.into_iter().map(refused).collect::<String>());
}

#[test]
fn a_record_that_cannot_be_read_says_so_in_a_sentence() {
    let error = decode("nonsense").unwrap_err().to_string();
    assert!(error.starts_with("the record cannot be read: "), "{error}");
}

#[test]
fn text_nested_without_end_is_refused_and_not_followed() {
    for opening in ["[", "{\"v\":", "{\"v\":1,\"at\":\"2026-01-31T14:30:00Z\",\"event\":{\"folded\":"] {
        let text = opening.repeat(100_000);
        assert!(matches!(decode(&text), Err(CodecError::Unreadable { .. })), "{opening}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(1_000), ..ProptestConfig::default() })]

    #[test]
    fn every_record_that_the_machine_makes_is_read_back_as_it_was(records in machine::journals()) {
        for record in records {
            let text = encoded(&record);
            prop_assert_eq!(decode(&text), Ok(record.clone()), "{}", text);
            prop_assert_eq!(encode(&decode(&text).unwrap()).unwrap(), text, "equal records give equal text");
        }
    }

    #[test]
    fn every_moment_is_read_back(nanos: i64) {
        let record = Record { at: Timestamp::from_nanos(nanos), event: Event::Released };
        prop_assert_eq!(decode(&encoded(&record)), Ok(record));
    }

    #[test]
    fn no_text_panics(text in ".{0,200}") {
        prop_assert!(decode(&text).is_err());
    }

    #[test]
    fn a_record_with_something_wrong_is_refused_or_another_record(
        sample in proptest::sample::select(samples()),
        damage in prop::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4),
        cut in proptest::option::of(any::<proptest::sample::Index>()),
    ) {
        let mut bytes = encoded(&sample).into_bytes();
        for (place, byte) in damage {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        // What still reads is written and read again as the same: nothing is guessed at.
        if let Ok(record) = decode(&String::from_utf8_lossy(&bytes)) {
            prop_assert_eq!(decode(&encoded(&record)), Ok(record));
        }
    }
}
