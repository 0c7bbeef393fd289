//! What is said about wrong files: each case is a file, a row or a field, with the exact messages.

use super::*;

/// Every fault of each file, one per line.
fn check_faults(options: Options, cases: &[(&str, &[u8], &[&str])]) {
    for (name, csv, expected) in cases {
        let (report, _) = check_both(csv, options);
        let found: Vec<String> = report.faults.iter().map(Fault::to_string).collect();
        assert_eq!(&found, expected, "{name}");
        assert_eq!(report.fault_count, expected.len() as u64, "{name}");
    }
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
                "a column missing, many columns",
                b"\ndate,Ticker,close,4,5,6,7,8,9,10,11,12,13\n",
                &[
                    "prices.csv:2: there is no column symbol, only date, Ticker, close, 4, 5, 6, 7, 8, 9, 10, 11, 12, …; \
                   name it so in the header",
                ],
            ),
            (
                "columns twice, in any case",
                b"date,symbol,close,Time,SYMBOL,price,price\n2000-01-03,A,1,,,,\n",
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
                &["prices.csv:5: a quote is opened and never closed; close the quote on its line, or remove it"],
            ),
            (
                "a header of several lines",
                b"date,symbol,\"close\n\"\n2000-01-04,A,1\n",
                &["prices.csv:1: a quoted field goes on to line 2; close the quote on its line, or remove it"],
            ),
            (
                "a quote never closed in the header",
                b"\"date,symbol,close\n2000-01-04,A,1",
                &["prices.csv:1: a quote is opened and never closed; close the quote on its line, or remove it"],
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
                "a symbol twice, before another fault of the wave and of the next",
                b"date,symbol,close\n2000-01-03,B,1\n2000-01-03,A,1\n2000-01-03,B,1\n2000-01-03,C,-1\n2000-01-04,C,-1\n",
                &[
                    "prices.csv:4: symbol: \"B\": it is priced twice at 2000-01-03, both times at 1; \
                     keep one row for each symbol and time",
                    "prices.csv:5: close: \"-1\": a price is above zero; \
                     at least 0.000000001; leave the row out where nothing was traded",
                    "prices.csv:6: close: \"-1\": a price is above zero; \
                     at least 0.000000001; leave the row out where nothing was traded",
                ],
            ),
            (
                "a quote closed by the next one, which hides rows",
                b"date,symbol,close,note\n2000-01-03,A,1,\"oops\n2000-01-04,A,2,\n2000-01-05,A,3,\"x\"\n2000-01-06,A,4,\"\"\n",
                &["prices.csv:2: a quoted field goes on to line 4; close the quote on its line, or remove it"],
            ),
            (
                "everything wrong in one row, with blank lines and a row of several lines above",
                b"close,symbol,date,note\r\n\r\n1,A,2000-01-03,\"a\r\nb\r\n\"\r\n\r\n-1,a,,\"c, d\"\r\n\n0,B,2000-01-03,\r\n",
                &[
                    "prices.csv:3: a quoted field goes on to line 5; close the quote on its line, or remove it",
                    "prices.csv:7: date: \"\": it is neither a date nor a time; \
                     write it like 2000-01-03, 2000-01-03T14:30:00Z or 2000-01-03T09:30:00-05:00",
                    "prices.csv:7: symbol: \"a\": no symbol has 'a', only A-Z, 0-9, '.', '-' and '/'; \
                     write it as the exchange does, like AAPL or BRK.B",
                    "prices.csv:7: close: \"-1\": a price is above zero; \
                     at least 0.000000001; leave the row out where nothing was traded",
                    "prices.csv:9: close: \"0\": a price is above zero; \
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
