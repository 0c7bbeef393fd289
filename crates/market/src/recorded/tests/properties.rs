//! What holds for every file: no bytes make a reader panic, and both readers agree.

use proptest::prelude::*;

use super::*;

/// Pieces of files, right and wrong, so that damage is not only at the surface.
const PIECES: [&[u8]; 26] = [
    b"date,symbol,close",
    b"time,price,symbol",
    b"\n",
    b"\r\n",
    b"\r",
    b",",
    b"\"",
    b"\"\"",
    b"\0",
    b"\xFF",
    b"\xEF\xBB\xBF",
    b"2000-01-03",
    b"2000-01-04",
    b"2000-01-04T12:00:00Z",
    b"2000-01-04T10:00:00-02:00",
    b"2001-02-29",
    b"A",
    b"MSFT",
    b"CASH",
    b"1",
    b"1.5",
    b"0.1234567891",
    b"-1",
    b"1e400",
    b"99999999999",
    b" ",
];

fn options() -> impl Strategy<Value = Options> {
    prop_oneof![Just(Options::default()), Just(ROUNDED)]
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..60).prop_map(|pieces| pieces.concat()),
        damaged(),
        rows(),
    ]
}

/// Rows of the right shape whose fields are often wrong, so that faults of several kinds meet in one wave.
fn rows() -> impl Strategy<Value = Vec<u8>> {
    let time =
        prop::sample::select(vec!["2000-01-03", "2000-01-03", "2000-01-03T12:00:00Z", "2000-01-04", "2001-02-29"]);
    let symbol = prop::sample::select(vec!["A", "B", "C", "D", "E", "a", "CASH"]);
    let price = prop::sample::select(vec!["1", "1", "2", "2", "1.0", "0", "0.1234567891"]);
    prop::collection::vec((time, symbol, price), 0..12).prop_map(|rows| {
        let rows = rows.into_iter().map(|(time, symbol, price)| format!("{time},{symbol},{price}\n"));
        format!("date,symbol,close\n{}", rows.collect::<String>()).into_bytes()
    })
}

/// A right file: waves of some of four symbols.
fn right() -> impl Strategy<Value = String> {
    let wave = prop::sample::subsequence(vec!["A", "B", "C", "D"], 1..=4).prop_shuffle();
    let waves = prop::collection::vec((wave, 1..2_000_u32), 1..8);
    (waves, prop::bool::ANY).prop_map(|(waves, crlf)| {
        let mut csv = "date,symbol,close\n".to_owned();
        for (day, (symbols, cents)) in (1..).zip(waves) {
            for symbol in symbols {
                csv += &format!("2000-01-{day:02},{symbol},{}.{:02}\n", cents / 100 + 1, cents % 100);
            }
        }
        if crlf { csv.replace('\n', "\r\n") } else { csv }
    })
}

/// A right file in which a few places are overwritten, and which may be cut short.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let places = prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(PIECES.to_vec())), 0..4);
    (right(), places, any::<prop::sample::Index>(), prop::bool::weighted(0.2)).prop_map(|(csv, places, end, cut)| {
        let mut csv = csv.into_bytes();
        for (place, piece) in places {
            let at = place.index(csv.len());
            csv.splice(at..=at, piece.iter().copied());
        }
        if cut {
            csv.truncate(end.index(csv.len()));
        }
        csv
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn no_bytes_panic_and_the_readers_agree(csv in bytes(), options in options()) {
        let (report, waves) = check_both(&csv, options);
        prop_assert!(waves.windows(2).all(|pair| pair[0].at < pair[1].at));
        prop_assert!(waves.iter().all(|wave| wave.prices.is_sorted_by(|left, right| left.0 < right.0)));
        prop_assert!(report.faults.is_sorted_by_key(|fault| fault.line));
        let lines = csv.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
        prop_assert!(report.faults.iter().all(|fault| fault.line.is_none_or(|line| (1..=lines).contains(&line))));
    }

    #[test]
    fn right_files_have_no_fault(csv in right(), options in options()) {
        let (report, waves) = check_both(csv.as_bytes(), options);
        prop_assert_eq!(&report.faults, &[]);
        // Written out again, the rows are the same but for their order within a wave.
        let mut rows: Vec<String> = csv.lines().skip(1).map(str::to_owned).collect();
        let mut again: Vec<String> = waves
            .iter()
            .flat_map(|wave| wave.prices.iter().map(|(symbol, price)| {
                let cents = price.nanos() / 10_000_000;
                format!("{},{symbol},{}.{:02}", wave.label, cents / 100, cents % 100)
            }))
            .collect();
        rows.sort();
        again.sort();
        prop_assert_eq!(rows, again);
    }
}
