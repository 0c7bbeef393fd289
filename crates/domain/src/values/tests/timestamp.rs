//! Moments against known dates, and against 128 bits. All dates are tested beside the calendar.

use std::time::Duration;

use proptest::prelude::*;

use super::many;
use crate::values::{Timestamp, TimestampReason};

const SECOND: i64 = 1_000_000_000;

#[test]
fn known_moments_are_read_and_printed() {
    let cases = [
        (0, "1970-01-01T00:00:00Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
        (1, "1970-01-01T00:00:00.000000001Z"),
        (1_500_000_000, "1970-01-01T00:00:01.5Z"),
        (86_399 * SECOND, "1970-01-01T23:59:59Z"),
        (-86_400 * SECOND, "1969-12-31T00:00:00Z"),
        (951_782_400 * SECOND, "2000-02-29T00:00:00Z"),
        (1_000_000_000 * SECOND, "2001-09-09T01:46:40Z"),
        (2_147_483_647 * SECOND, "2038-01-19T03:14:07Z"),
        (4_107_542_400 * SECOND, "2100-03-01T00:00:00Z"),
        (-2_203_891_200 * SECOND, "1900-03-01T00:00:00Z"),
        (i64::MAX, "2262-04-11T23:47:16.854775807Z"),
        (i64::MIN, "1677-09-21T00:12:43.145224192Z"),
    ];
    for (nanos, text) in cases {
        let moment = Timestamp::from_nanos(nanos);
        assert_eq!(moment.to_string(), text);
        assert_eq!(text.parse(), Ok(moment));
        assert_eq!(moment.nanos(), nanos);
    }
    let zeros_change_nothing = "1970-01-01T00:00:01.500000000Z".parse();
    assert_eq!(zeros_change_nothing, Ok(Timestamp::from_nanos(1_500_000_000)));
}

#[test]
fn other_texts_are_refused() {
    let cases = [
        (
            TimestampReason::Form,
            [
                "",
                "Z",
                "T",
                "TZ",
                "2026-01-31",
                "2026-01-31T14:30:00",
                "2026-01-31T14:30:00z",
                "2026-01-31t14:30:00Z",
                "2026-01-31 14:30:00Z",
                "2026-01-31T14:30:00+00:00",
                "2026-01-31T14:30Z",
                "2026-01-31T14:30:00.Z",
                "2026-01-31T14:30:00.1234567890Z",
                "2026-01-31T14:30:00,5Z",
                "2026-1-31T14:30:00Z",
                "26-01-31T14:30:00Z",
                "+2026-01-31T14:30:00Z",
                "2026-01-31T+4:30:00Z",
                "2026-01-31T14:30:00:00Z",
                "2026-01-31-01T14:30:00Z",
                "2026-01-31T14:30:00.+5Z",
                "2026-01-31T14:30:00.5.5Z",
                " 2026-01-31T14:30:00Z",
                "2026-01-31T14:30:00ZZ",
                "12026-01-31T14:30:00Z",
                "2026/01/31T14:30:00Z",
                "٢٠٢٦-01-31T14:30:00Z",
                "2026-01-31T14:30:0Z",
            ]
            .as_slice(),
        ),
        (
            TimestampReason::NoSuchMoment,
            &[
                "2026-02-29T00:00:00Z",
                "1900-02-29T00:00:00Z",
                "2100-02-29T00:00:00Z",
                "2026-04-31T00:00:00Z",
                "2026-01-32T00:00:00Z",
                "2026-01-00T00:00:00Z",
                "2026-00-10T00:00:00Z",
                "2026-13-01T00:00:00Z",
                "2026-12-32T00:00:00Z",
                "2026-01-31T24:00:00Z",
                "2026-01-31T23:60:00Z",
                "2016-12-31T23:59:60Z",
            ],
        ),
        (
            TimestampReason::OutOfRange,
            &[
                "2262-04-11T23:47:16.854775808Z",
                "1677-09-21T00:12:43.145224191Z",
                "9999-12-31T23:59:59Z",
                "0000-01-01T00:00:00Z",
                "0001-01-01T00:00:00Z",
            ],
        ),
    ];
    for (reason, texts) in cases {
        for text in texts {
            let found = text.parse::<Timestamp>().map_err(|error| error.reason);
            assert_eq!(found, Err(reason), "{text:?}");
        }
    }
}

#[test]
fn refusals_say_what_would_be_right() {
    let cases = [
        (
            "yesterday",
            "\"yesterday\" is not a timestamp: it must look like 2026-01-31T14:30:00Z or 2026-01-31T14:30:00.123456789Z",
        ),
        (
            "9999-12-31T23:59:59Z",
            "\"9999-12-31T23:59:59Z\" is not a timestamp: it must be from 1677-09-21T00:12:43.145224192Z \
             to 2262-04-11T23:47:16.854775807Z",
        ),
    ];
    for (text, message) in cases {
        assert_eq!(text.parse::<Timestamp>().unwrap_err().to_string(), message);
    }
}

#[test]
fn the_last_moment_stays_the_last() {
    assert_eq!(Timestamp::MAX.plus(Duration::from_nanos(1)), Timestamp::MAX);
    assert_eq!(Timestamp::MIN.plus(Duration::MAX), Timestamp::MAX);
    assert_eq!(Timestamp::MAX.since(Timestamp::MIN), Duration::from_nanos(u64::MAX));
    assert_eq!(Timestamp::MIN.since(Timestamp::MAX), Duration::ZERO);
    assert_eq!(format!("{:>22}", Timestamp::EPOCH), "  1970-01-01T00:00:00Z");
    assert_eq!(format!("{:?}", Timestamp::EPOCH), "Timestamp(1970-01-01T00:00:00Z)");
}

proptest! {
    #![proptest_config(many())]

    #[test]
    fn what_is_printed_reads_back(nanos: i64) {
        let moment = Timestamp::from_nanos(nanos);
        prop_assert_eq!(moment.to_string().parse(), Ok(moment));
    }

    #[test]
    fn later_moments_are_exact_up_to_the_last(nanos: i64, wait: u64, cut in 0_u32..64) {
        let wait = wait >> cut;
        let later = Timestamp::from_nanos(nanos).plus(Duration::from_nanos(wait));
        let exact = (i128::from(nanos) + i128::from(wait)).min(i64::MAX.into());
        prop_assert_eq!(i128::from(later.nanos()), exact);
    }

    #[test]
    fn time_passed_is_exact_and_never_negative(now: i64, then: i64) {
        let passed = Timestamp::from_nanos(now).since(Timestamp::from_nanos(then));
        let exact = (i128::from(now) - i128::from(then)).max(0);
        prop_assert_eq!(i128::try_from(passed.as_nanos()), Ok(exact));
    }
}
