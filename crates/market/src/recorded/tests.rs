//! What the readers make of right files: each case is a file and what must come of it.
//!
//! Wrong files are in `faults`, arbitrary and damaged ones in `properties`, awkward readers in `input`.

mod faults;
mod input;
mod properties;

use std::io::Read;

use evenkeel_domain::values::Rounding;
use expect_test::{Expect, expect};
use futures_util::FutureExt;

use super::*;
use evenkeel_ports::{PriceSource, Wave};

const ROUNDED: Options = Options { round_prices: Some(Rounding::HalfEven) };

/// The waves of a file up to its first fault, and that fault.
fn waves(csv: impl Read, options: Options) -> (Vec<Wave>, Option<Fault>) {
    let mut source = CsvWaves::new(csv, "prices.csv", options);
    let mut waves = Vec::new();
    let fault = loop {
        match source.next() {
            Some(Ok(wave)) => waves.push(wave),
            Some(Err(fault)) => break Some(fault),
            None => break None,
        }
    };
    assert!(source.next().is_none(), "it goes on after its end");
    (waves, fault)
}

/// Checks a file both ways; the readers must agree.
fn check_both(csv: &[u8], options: Options) -> (CheckReport, Vec<Wave>) {
    let report = check(csv, "prices.csv", options);
    let (waves, fault) = waves(csv, options);
    assert_eq!(fault.as_ref(), report.faults.first(), "the readers differ");
    if report.is_clean() {
        let prices: usize = waves.iter().map(|wave| wave.prices.len()).sum();
        assert_eq!((report.waves, report.prices, report.prices), (waves.len() as u64, prices as u64, report.rows));
        assert_eq!(report.first_label.as_ref(), waves.first().map(|wave| &wave.label));
        assert_eq!(report.last_label.as_ref(), waves.last().map(|wave| &wave.label));
    }
    (report, waves)
}

/// The waves of a file without a fault, one per line.
fn shown(csv: &[u8], options: Options) -> String {
    let (report, waves) = check_both(csv, options);
    assert_eq!(report.faults, [], "a fault in a right file");
    let line = |Wave { at, label, prices }: Wave| {
        let prices: Vec<String> = prices.iter().map(|(symbol, price)| format!("{symbol} {price}")).collect();
        format!("{label} = {at}: {}\n", prices.join(", "))
    };
    waves.into_iter().map(line).collect()
}

fn check_waves(csv: &[u8], options: Options, expected: Expect) {
    expected.assert_eq(&shown(csv, options));
}

#[test]
fn rows_of_one_time_are_one_wave_in_symbol_order() {
    check_waves(
        b"date,symbol,close\n2000-01-03,MSFT,36.5\n2000-01-03,AAPL,0.849\n2000-01-04,AAPL,0.777\n",
        Options::default(),
        expect![[r#"
            2000-01-03 = 2000-01-03T12:00:00Z: AAPL 0.849, MSFT 36.5
            2000-01-04 = 2000-01-04T12:00:00Z: AAPL 0.777
        "#]],
    );
}

#[test]
fn forms_of_the_same_file() {
    let expected = "2000-01-03 = 2000-01-03T12:00:00Z: A 1.5\n2000-01-04 = 2000-01-04T12:00:00Z: A 2.5\n";
    let cases: [&[u8]; 13] = [
        b"date,symbol,close\n2000-01-03,A,1.5\n2000-01-04,A,2.5\n",
        b"date,symbol,close\n2000-01-03,A,1.5\n2000-01-04,A,2.5",
        b"date,symbol,close\r\n2000-01-03,A,1.5\r\n2000-01-04,A,2.5\r\n",
        b"date,symbol,close\r\n2000-01-03,A,1.5\n2000-01-04,A,2.5\r",
        b"\xEF\xBB\xBFdate,symbol,close\n2000-01-03,A,1.5\n2000-01-04,A,2.5\n",
        b"\n\r\ndate,symbol,close\n\n\n2000-01-03,A,1.5\r\n\r\n2000-01-04,A,2.5\n\n\n",
        b"\"date\",\"symbol\",\"close\"\r\n\"2000-01-03\",A,\"1.5\"\r\n2000-01-04,\"A\",\"2.5\"\r\n",
        b"time,symbol,price\n2000-01-03,A,1.5\n2000-01-04,A,2.5\n",
        b"Date,Open,SYMBOL,Close\n2000-01-03,9,A,1.5\n2000-01-04,9,A,2.5\n",
        b"price,time,symbol\n1.5,2000-01-03,A\n2.5,2000-01-04,A\n",
        b"open,date,note,symbol,close,note\n9,2000-01-03,\"x, y\",A,1.5,\n9,2000-01-04,\"\",A,2.5,\"z\"\"z\"",
        b"date,symbol,close,note\n2000-01-03,A,1.5,\xFF\xFE\n2000-01-04,A,2.5,\0\n",
        b"date,symbol,close,\n2000-01-03,A,1.5,\n2000-01-04,A,2.5,\n",
    ];
    for csv in cases {
        assert_eq!(shown(csv, Options::default()), expected, "{}", csv.escape_ascii());
    }
}

#[test]
fn times_are_read_in_any_offset_and_echoed() {
    check_waves(
        b"time,symbol,price\n\
          2000-01-03T09:30:00-05:00,A,1\n2000-01-03T14:30:00Z,B,2\n2000-01-03T14:30:00.5Z,A,3\n\
          2000-01-04,A,4\n2000-01-04T12:00:00Z,B,5\n2000-01-05T00:30:00+05:30,A,6\n",
        Options::default(),
        expect![[r#"
            2000-01-03T09:30:00-05:00 = 2000-01-03T14:30:00Z: A 1, B 2
            2000-01-03T14:30:00.5Z = 2000-01-03T14:30:00.5Z: A 3
            2000-01-04 = 2000-01-04T12:00:00Z: A 4, B 5
            2000-01-05T00:30:00+05:30 = 2000-01-04T19:00:00Z: A 6
        "#]],
    );
}

#[test]
fn rounding_is_asked_for_and_counted() {
    let csv = b"date,symbol,close\n2000-01-03,A,0.1234567885\n2000-01-03,B,0.1234567895\n\
                2000-01-03,C,1.00000000000\n2000-01-03,D,2.5\n";
    check_waves(
        csv,
        ROUNDED,
        expect![[r#"
            2000-01-03 = 2000-01-03T12:00:00Z: A 0.123456788, B 0.12345679, C 1, D 2.5
        "#]],
    );
    assert_eq!(check_both(csv, ROUNDED).0.rounded, 2);
    assert_eq!(check_both(csv, Options::default()).0.fault_count, 3);
}

#[test]
fn what_a_report_counts() {
    let csv = b"date,symbol,close\n2000-01-03,A,1\n2000-01-03,B,x\n2000-01-04,A,1,1\n2000-01-04,,2\n2000-01-02,C,3\n";
    let (report, _) = check_both(csv, Options::default());
    let symbols: Vec<&str> = report.symbols.iter().map(|symbol| symbol.as_str()).collect();
    assert_eq!(symbols, ["A", "B", "C"]);
    assert_eq!((report.rows, report.waves, report.prices, report.fault_count), (5, 2, 3, 4));
    assert_eq!(report.first_label.as_deref(), Some("2000-01-03"));
    assert_eq!(report.last_label.as_deref(), Some("2000-01-04"));
}

#[test]
fn all_faults_are_counted_and_the_first_hundred_kept() {
    let csv = format!("date,symbol,close\n{}", "2000-01-03,a,0\n".repeat(1_000));
    let (report, _) = check_both(csv.as_bytes(), Options::default());
    assert_eq!((report.rows, report.fault_count, report.faults.len()), (1_000, 2_000, 100));
    assert_eq!(report.faults.last().and_then(|fault| fault.line), Some(51));
}

#[test]
fn a_source_ends_after_its_last_wave_or_its_first_fault() {
    let mut source: Box<dyn PriceSource> = Box::new(CsvWaves::new(
        &b"date,symbol,close\n2000-01-03,A,1\n2000-01-04,A,1\n2000-01-05,A,?\n"[..],
        "prices.csv",
        Options::default(),
    ));
    let mut next = || source.next_wave().now_or_never().expect("it waits for nothing");
    assert_eq!(next().unwrap().unwrap().label, "2000-01-03");
    let error = next().unwrap_err();
    assert_eq!(error.source_name, "prices.csv");
    assert!(error.cause.to_string().starts_with("prices.csv:4: close: \"?\": it is not digits"), "{}", error.cause);
    assert!(error.cause.downcast_ref::<Fault>().is_some());
    assert_eq!(next().unwrap(), None);
    assert_eq!(next().unwrap(), None);
}

/// Ten stocks over 23 years, where they are present beside the workspace.
#[test]
fn recorded_history_is_read_to_its_end() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/dev_prices.csv");
    let Ok(file) = std::fs::read(path) else {
        eprintln!("skipped: there is no {path}");
        return;
    };
    let (report, waves) = check_both(&file, Options::default());
    assert_eq!(report.faults, []);
    assert_eq!((report.rows, waves.len(), report.symbols.len(), report.rounded), (57_850, 5_785, 10, 0));
    assert_eq!(report.first_label.as_deref(), Some("2000-01-03"));
    assert_eq!(report.last_label.as_deref(), Some("2022-12-28"));
}
