//! What the readers say to files, right and wrong: each case is a file and what must come of it.
//!
//! Arbitrary and damaged files are in `properties`; awkward readers in `input`.

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

/// Every fault of each file, one per line.
fn check_faults(options: Options, cases: &[(&str, &[u8], &[&str])]) {
    for (name, csv, expected) in cases {
        let (report, _) = check_both(csv, options);
        let found: Vec<String> = report.faults.iter().map(Fault::to_string).collect();
        assert_eq!(&found, expected, "{name}");
        assert_eq!(report.fault_count, expected.len() as u64, "{name}");
    }
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
    let cases: [&[u8]; 12] = [
        b"date,symbol,close\n2000-01-03,A,1.5\n2000-01-04,A,2.5\n",
        b"date,symbol,close\n2000-01-03,A,1.5\n2000-01-04,A,2.5",
        b"date,symbol,close\r\n2000-01-03,A,1.5\r\n2000-01-04,A,2.5\r\n",
        b"date,symbol,close\r\n2000-01-03,A,1.5\n2000-01-04,A,2.5\r",
        b"\xEF\xBB\xBFdate,symbol,close\n2000-01-03,A,1.5\n2000-01-04,A,2.5\n",
        b"\n\r\ndate,symbol,close\n\n\n2000-01-03,A,1.5\r\n\r\n2000-01-04,A,2.5\n\n\n",
        b"\"date\",\"symbol\",\"close\"\r\n\"2000-01-03\",A,\"1.5\"\r\n2000-01-04,\"A\",\"2.5\"\r\n",
        b"time,symbol,price\n2000-01-03,A,1.5\n2000-01-04,A,2.5\n",
        b"price,time,symbol\n1.5,2000-01-03,A\n2.5,2000-01-04,A\n",
        b"open,date,note,symbol,close,note\n9,2000-01-03,\"x,\ny\",A,1.5,\n9,2000-01-04,\"\",A,2.5,\"z\"\"z\"",
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
fn faults_of_the_file() {
    check_faults(
        Options::default(),
        &[
            (
                "empty",
                b"",
                &[
                    "prices.csv: the file is empty; start it with the header date,symbol,close and give each price a row",
                ],
            ),
            (
                "only a mark and blank lines",
                b"\xEF\xBB\xBF\r\n\n",
                &[
                    "prices.csv: the file is empty; start it with the header date,symbol,close and give each price a row",
                ],
            ),
            (
                "only a header",
                b"date,symbol,close\r\n",
                &["prices.csv: there is a header, but no row; give each price a row, like 2000-01-03,AAPL,27.97"],
            ),
            (
                "no header",
                b"2000-01-03,AAPL,0.849\n",
                &[
                    "prices.csv:1: there is no column date (or time), only 2000-01-03, AAPL, 0.849; name it so in the header",
                    "prices.csv:1: there is no column symbol, only 2000-01-03, AAPL, 0.849; name it so in the header",
                    "prices.csv:1: there is no column close (or price), only 2000-01-03, AAPL, 0.849; name it so in the header",
                ],
            ),
            (
                "a column missing, another case, many columns",
                b"\ndate,Symbol,close,4,5,6,7,8,9,10,11,12,13\n",
                &[
                    "prices.csv:2: there is no column symbol, only date, Symbol, close, 4, 5, 6, 7, 8, 9, 10, 11, 12, …; \
                   name it so in the header",
                ],
            ),
            (
                "columns twice",
                b"date,symbol,close,time,symbol,price,price\n2000-01-03,A,1,,,,\n",
                &[
                    "prices.csv:1: 2 columns are named date (or time), so which of them counts is unclear; \
                     keep one, or give the others another name",
                    "prices.csv:1: 2 columns are named symbol, so which of them counts is unclear; \
                     keep one, or give the others another name",
                    "prices.csv:1: 3 columns are named close (or price), so which of them counts is unclear; \
                     keep one, or give the others another name",
                ],
            ),
            ("UTF-16, little end first", b"\xFF\xFEd\0a\0", &["prices.csv:1: the file is UTF-16; save it as UTF-8"]),
            ("UTF-16, big end first", b"\xFE\xFF\0d\0a\0\n", &["prices.csv:1: the file is UTF-16; save it as UTF-8"]),
            (
                "compressed",
                b"\x1F\x8B\x08\x00\xFF\n,",
                &[
                    "prices.csv:1: the file is not text; give a CSV file saved as UTF-8, not compressed and not a spreadsheet",
                ],
            ),
            (
                "zero bytes only",
                b"\0\n",
                &[
                    "prices.csv:1: the file is not text; give a CSV file saved as UTF-8, not compressed and not a spreadsheet",
                ],
            ),
            (
                "a quote never closed, in a column nobody looks at",
                b"date,symbol,close,note\n\n2000-01-03,A,1,x\n\n2000-01-04,A,1,\"oops\n2000-01-05,A,2,x\n",
                &["prices.csv:5: a quote is opened and never closed; close it, or remove it"],
            ),
            (
                "a quote never closed in the header",
                b"\"date,symbol,close\n2000-01-04,A,1",
                &["prices.csv:1: a quote is opened and never closed; close it, or remove it"],
            ),
        ],
    );
}

#[test]
fn faults_of_rows() {
    check_faults(
        Options::default(),
        &[
            (
                "fields",
                b"date,symbol,close\n2000-01-03,A\n2000-01-03,A,1,000.50\n2000-01-03,B,2\n",
                &[
                    "prices.csv:2: the row has 2 fields, the header has 3; \
                     give it as many as the header, and quote a field with a comma in it",
                    "prices.csv:3: the row has 4 fields, the header has 3; \
                     give it as many as the header, and quote a field with a comma in it",
                ],
            ),
            (
                "out of order",
                b"date,symbol,close\n2000-01-04,A,1\n2000-01-03,A,1\n2000-01-03,A,1\n2000-01-04,B,1\n",
                &[
                    "prices.csv:3: date: \"2000-01-03\": rows are in time order, and an earlier row is of 2000-01-04; \
                     sort the rows by time",
                    "prices.csv:4: date: \"2000-01-03\": rows are in time order, and an earlier row is of 2000-01-04; \
                     sort the rows by time",
                ],
            ),
            (
                "out of order within a day",
                b"time,symbol,close\n2000-01-04,A,1\n2000-01-04T11:59:59.999999999Z,A,1\n",
                &["prices.csv:3: time: \"2000-01-04T11:59:59.999999999Z\": rows are in time order, \
                   and an earlier row is of 2000-01-04; sort the rows by time"],
            ),
            (
                "a symbol twice",
                b"date,symbol,close\n2000-01-03,B,1\n2000-01-03,A,1\n2000-01-03,B,2\n2000-01-03,A,1.0\n2000-01-04,A,1\n",
                &[
                    "prices.csv:4: symbol: \"B\": it is priced twice at 2000-01-03, at 1 and at 2; \
                     keep one row for each symbol and time",
                    "prices.csv:5: symbol: \"A\": it is priced twice at 2000-01-03, both times at 1; \
                     keep one row for each symbol and time",
                ],
            ),
            (
                "everything wrong in one row, with line ends above and in it",
                b"close,symbol,date,note\r\n\r\n1,A,2000-01-03,\"a\r\nb\r\n\"\r\n\r\n\"\n-1\",a,,\"c\nd\"\r\n0,B,2000-01-03,\r\n",
                &[
                    "prices.csv:7: date: \"\": it is neither a date nor a time; \
                     write it like 2000-01-03, 2000-01-03T14:30:00Z or 2000-01-03T09:30:00-05:00",
                    "prices.csv:7: symbol: \"a\": no symbol has 'a', only A-Z, 0-9, '.', '-' and '/'; \
                     write it as the exchange does, like AAPL or BRK.B",
                    "prices.csv:7: close: \"\\n-1\": it is not digits with at most one point between them; \
                     write it like 12.5: no exponent, no sign, no separators, no currency",
                    "prices.csv:10: close: \"0\": a price is above zero; \
                     at least 0.000000001; leave the row out where nothing was traded",
                ],
            ),
        ],
    );
}

/// One field in an otherwise right row, and what is said about it, from the value on.
fn check_fields(column: usize, cases: &[(&[u8], &str)]) {
    for (field, expected) in cases {
        let mut fields: [&[u8]; 3] = [b"2000-01-03", b"A", b"1"];
        fields[column] = field;
        let csv = [b"date,symbol,close\n", fields.join(&b","[..]).as_slice(), b"\r\n"].concat();
        let (report, _) = check_both(&csv, Options::default());
        let [fault] = report.faults.as_slice() else { panic!("{:?}", report.faults) };
        let name = ["date", "symbol", "close"][column];
        assert_eq!(fault.to_string(), format!("prices.csv:2: {name}: {expected}"));
    }
}

#[test]
fn faults_of_times() {
    let form = "it is neither a date nor a time; \
                write it like 2000-01-03, 2000-01-03T14:30:00Z or 2000-01-03T09:30:00-05:00";
    let no_such = "there is no such day, or no such time of day; correct it, or leave the row out";
    let range = "it is not from 1677-09-21T00:12:43.145224192Z to 2262-04-11T23:47:16.854775807Z; \
                 correct it, or leave the row out";
    check_fields(
        0,
        &[
            (b"", &format!("\"\": {form}")),
            (b"yesterday", &format!("\"yesterday\": {form}")),
            (b"03/01/2000", &format!("\"03/01/2000\": {form}")),
            (b"2000-1-3", &format!("\"2000-1-3\": {form}")),
            (b" 2000-01-03", &format!("\" 2000-01-03\": {form}")),
            (b"2000-01-03T14:30:00", &format!("\"2000-01-03T14:30:00\": {form}")),
            (b"2000-01-03 14:30:00Z", &format!("\"2000-01-03 14:30:00Z\": {form}")),
            (b"2000-01-03T14:30:00+5:00", &format!("\"2000-01-03T14:30:00+5:00\": {form}")),
            (b"946900000", &format!("\"946900000\": {form}")),
            (b"2001-02-29", &format!("\"2001-02-29\": {no_such}")),
            (b"2000-13-01", &format!("\"2000-13-01\": {no_such}")),
            (b"2000-01-03T24:00:00Z", &format!("\"2000-01-03T24:00:00Z\": {no_such}")),
            (b"2000-01-03T09:30:00+24:00", &format!("\"2000-01-03T09:30:00+24:00\": {no_such}")),
            (b"9999-01-01", &format!("\"9999-01-01\": {range}")),
            (b"1677-09-21T00:12:44+00:01", &format!("\"1677-09-21T00:12:44+00:01\": {range}")),
            (b"2000-01-0\xFF", "\"2000-01-0\\xff\": it is not UTF-8; save the file as UTF-8"),
        ],
    );
}

#[test]
fn faults_of_symbols() {
    let remedy = "write it as the exchange does, like AAPL or BRK.B";
    check_fields(
        1,
        &[
            (b"", "\"\": it is empty; write the symbol, or leave the row out"),
            (b"CASH", "\"CASH\": it stands for the money itself; leave the row out: cash needs no price"),
            (b".A", &format!("\".A\": it starts with neither a letter nor a digit; {remedy}")),
            (b"ABCDEFGHIJKLMNOPQ", &format!("\"ABCDEFGHIJKLMNOPQ\": it has more than 16 characters; {remedy}")),
            (b" A", &format!("\" A\": no symbol has ' ', only A-Z, 0-9, '.', '-' and '/'; {remedy}")),
            (b"A\rB", &format!("\"A\\rB\": no symbol has '\\r', only A-Z, 0-9, '.', '-' and '/'; {remedy}")),
            (b"\xC4\xD6", "\"\\xc4\\xd6\": it is not UTF-8; save the file as UTF-8"),
        ],
    );
}

#[test]
fn faults_of_prices() {
    let zero = "a price is above zero; at least 0.000000001; leave the row out where nothing was traded";
    let form = "it is not digits with at most one point between them; \
                write it like 12.5: no exponent, no sign, no separators, no currency";
    let range = "a price is at most 9999999999.999999999; correct it, or leave the row out";
    let long = "9".repeat(50);
    check_fields(
        2,
        &[
            (b"", "\"\": it is empty; write the price, or leave the row out"),
            (b"0", &format!("\"0\": {zero}")),
            (b"0.00", &format!("\"0.00\": {zero}")),
            (b"-1.5", &format!("\"-1.5\": {zero}")),
            (b"NaN", &format!("\"NaN\": {form}")),
            (b"1e400", &format!("\"1e400\": {form}")),
            (b"+1", &format!("\"+1\": {form}")),
            (b"$1.50", &format!("\"$1.50\": {form}")),
            (b"\"1,000.50\"", &format!("\"1,000.50\": {form}")),
            (b"1.", &format!("\"1.\": {form}")),
            (b"007", "\"007\": it starts with a surplus zero; write it without that zero"),
            (
                b"0.1234567891",
                "\"0.1234567891\": it has 10 decimals, at most 9 are allowed; write 9, or ask for rounding (--round-prices)",
            ),
            (b"10000000000", &format!("\"10000000000\": {range}")),
            (long.as_bytes(), &format!("\"{}…\": {range}", "9".repeat(40))),
            (b"1\xFF", "\"1\\xff\": it is not UTF-8; save the file as UTF-8"),
        ],
    );
}

#[test]
fn rounding_makes_no_price_of_nothing() {
    check_faults(
        ROUNDED,
        &[(
            "rounded to zero",
            b"date,symbol,close\n2000-01-03,A,0.0000000005\n2000-01-03,B,0.0000000006\n",
            &["prices.csv:2: close: \"0.0000000005\": a price is above zero; \
               at least 0.000000001; leave the row out where nothing was traded"],
        )],
    );
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
