//! Bad input: every fault of every file at once, with file, line, field, value and what would be right. Nothing is done.

use crate::harness::Desk;
use expect_test::{Expect, expect};

/// Commands that read portfolios and prices, and so must find the same.
const COMMANDS: [&str; 2] = ["plan", "replay"];

const PRICES: &str = "date,symbol,close\n2024-01-02,META,400\n2024-01-02,AAPL,165\n2024-01-03,META,440\n";
const PORTFOLIO: &str =
    "[[portfolio]]\nid = \"a\"\ncurrency = \"USD\"\ncash = \"100.00\"\ntargets = { META = \"60\", AAPL = \"40\" }\n";

/// What each command says of these files, and that it does nothing else.
fn check(portfolios: impl AsRef<[u8]>, prices: impl AsRef<[u8]>, expected: &Expect) {
    let desk = Desk::new();
    desk.file("p.toml", portfolios).file("prices.csv", prices);
    expected.assert_eq(&all_say(&desk, "--portfolios p.toml --prices prices.csv"));
}

/// The same for faults of portfolios, which `check` finds as well.
fn portfolios(text: impl AsRef<[u8]>, expected: &Expect) {
    let desk = Desk::new();
    desk.file("p.toml", text).file("prices.csv", PRICES);
    let said = all_say(&desk, "--portfolios p.toml --prices prices.csv");
    assert_eq!(desk.run("check --portfolios p.toml").refused(2), said);
    expected.assert_eq(&said);
}

/// What all commands say, in both formats: the same.
fn all_say(desk: &Desk, files: &str) -> String {
    let lines = COMMANDS
        .iter()
        .flat_map(|command| ["text", "json"].map(|format| format!("{command} {files} --format {format}")));
    let mut said: Vec<String> = lines.map(|line| desk.run(&line).refused(2).to_owned()).collect();
    said.dedup();
    assert_eq!(said.len(), 1, "{said:?}");
    said.remove(0)
}

fn prices(text: impl AsRef<[u8]>, expected: &Expect) {
    check(PORTFOLIO, text, expected);
}

/// The portfolio with a line replaced.
fn with(line: &str, replaced: &str) -> String {
    assert!(PORTFOLIO.contains(line), "{line}");
    PORTFOLIO.replace(line, replaced)
}

fn targets(table: &str) -> String {
    with("{ META = \"60\", AAPL = \"40\" }", table)
}

fn policy(lines: &str) -> String {
    format!("{PORTFOLIO}[portfolio.policy]\n{lines}\n")
}

#[test]
fn good_input_is_taken() {
    let desk = Desk::new();
    let marked = |text: &str| format!("\u{FEFF}{}", text.replace('\n', "\r\n"));
    desk.file("p.toml", PORTFOLIO).file("prices.csv", PRICES);
    desk.file("marked.toml", marked(PORTFOLIO)).file("marked.csv", marked(PRICES));
    let expected = desk.run("plan --portfolios p.toml --prices prices.csv");
    assert!(expected.done().starts_with("a: out of band, 2 trades"), "{expected:?}");
    assert_eq!(desk.run("plan --portfolios marked.toml --prices marked.csv"), expected);
    desk.run("check --portfolios marked.toml").done();
}

#[test]
fn weights_that_do_not_add_up() {
    portfolios(
        targets("{ META = \"60\", AAPL = \"39.9999\" }"),
        &expect![[r#"
        p.toml:5:11: portfolio "a": targets: { META = "60", AAPL = "39.9999" }: the weights add up to 99.9999 %; add 0.0001 %, so that they are exactly 100.0000 %
        error: 1 fault in p.toml
    "#]],
    );
    portfolios(
        targets("{ META = \"60\", AAPL = \"40.0001\" }"),
        &expect![[r#"
        p.toml:5:11: portfolio "a": targets: { META = "60", AAPL = "40.0001" }: the weights add up to 100.0001 %; take off 0.0001 %, so that they are exactly 100.0000 %
        error: 1 fault in p.toml
    "#]],
    );
    portfolios(
        targets("{}"),
        &expect![[r#"
        p.toml:5:11: portfolio "a": targets: {}: there is no target; write symbols with percentages, like META with "60" and CASH with "40"
        error: 1 fault in p.toml
    "#]],
    );
}

#[test]
fn weights_that_are_none() {
    portfolios(
        targets("{ META = \"120\", AAPL = \"-20\" }"),
        &expect![[r#"
        p.toml:5:34: portfolio "a": targets.AAPL: "-20": a weight is above 0; correct it, or leave the target out
        error: 1 fault in p.toml
    "#]],
    );
    portfolios(
        targets("{ META = \"100\", AAPL = \"0\" }"),
        &expect![[r#"
        p.toml:5:34: portfolio "a": targets.AAPL: "0": a weight is above 0; correct it, or leave the target out
        error: 1 fault in p.toml
    "#]],
    );
    portfolios(
        targets("{ META = \"60.00000\", AAPL = \"40\" }"),
        &expect![[r#"
        p.toml:5:20: portfolio "a": targets.META: "60.00000": it has 5 decimals, at most 4 are allowed; write a percentage above "0" and up to "100", with at most 4 decimals
        error: 1 fault in p.toml
    "#]],
    );
    portfolios(
        targets("{ META = \"NaN\", AAPL = \"1e400\" }"),
        &expect![[r#"
        p.toml:5:20: portfolio "a": targets.META: "NaN": it must be digits with at most one point between them, like 12 or 12.5; write a percentage above "0" and up to "100", with at most 4 decimals
        p.toml:5:34: portfolio "a": targets.AAPL: "1e400": it must be digits with at most one point between them, like 12 or 12.5; write a percentage above "0" and up to "100", with at most 4 decimals
        error: 2 faults in p.toml
    "#]],
    );
    portfolios(
        targets("{ META = nan, AAPL = 1e400 }"),
        &expect![[r#"
        p.toml:5:20: portfolio "a": targets.META: nan: it is a number, not a string; and it must be digits with at most one point between them, like 12 or 12.5; write a percentage above "0" and up to "100", with at most 4 decimals
        p.toml:5:32: portfolio "a": targets.AAPL: 1e400: it is a number, not a string; and it must be digits with at most one point between them, like 12 or 12.5; write a percentage above "0" and up to "100", with at most 4 decimals
        error: 2 faults in p.toml
    "#]],
    );
}

#[test]
fn symbols_that_are_none() {
    portfolios(
        targets("{ \"\" = \"60\", AAPL = \"40\" }"),
        &expect![[r#"
        p.toml:5:13: portfolio "a": targets."": "": it is no symbol: it is empty; write the symbol as the exchange does, like AAPL or BRK.B
        error: 1 fault in p.toml
    "#]],
    );
    prices(
        "date,symbol,close\n2024-01-02,,400\n2024-01-02,META,1\n2024-01-02,AAPL,1\n",
        &expect![[r#"
        prices.csv:2: symbol: "": it is empty; write the symbol, or leave the row out
        error: 1 fault in prices.csv
    "#]],
    );
    check(
        targets("{ META = \"60\", GOOG = \"40\" }"),
        PRICES,
        &expect![[r#"
            p.toml:5:26: portfolio "a": targets.GOOG: "40": prices.csv has no price of GOOG; add one, or correct the symbol
            error: 1 fault in p.toml
        "#]],
    );
    check(
        format!("{PORTFOLIO}holdings = {{ GOOG = \"1\" }}\n"),
        PRICES,
        &expect![[r#"
            p.toml:6:14: portfolio "a": holdings.GOOG: "1": prices.csv has no price of GOOG; add one, or correct the symbol
            error: 1 fault in p.toml
        "#]],
    );
}

#[test]
fn amounts_that_are_none() {
    portfolios(
        with("100.00", "1000000000000000000000000000000"),
        &expect![[r#"
        p.toml:4:8: portfolio "a": cash: "1000000000000000000000000000000": it is out of range, the maximum is ±9999999999999999.99; write an amount from "0.00" to "9999999999999999.99", with at most 2 decimals
        error: 1 fault in p.toml
    "#]],
    );
    portfolios(
        with("100.00", "-0.01"),
        &expect![[r#"
        p.toml:4:8: portfolio "a": cash: "-0.01": it is below zero; write an amount from "0.00" to "9999999999999999.99", with at most 2 decimals
        error: 1 fault in p.toml
    "#]],
    );
    portfolios(
        with("\"100.00\"", "100.00"),
        &expect![[r#"
        p.toml:4:8: portfolio "a": cash: 100.00: it is a number, which may lose digits; write it as a string: "100.00"
        error: 1 fault in p.toml
    "#]],
    );
    portfolios(
        with("USD", "usd"),
        &expect![[r#"
        p.toml:3:12: portfolio "a": currency: "usd": it is no currency; write three capital letters, like "USD"
        error: 1 fault in p.toml
    "#]],
    );
    portfolios(
        format!("{PORTFOLIO}holdings = {{ META = \"-1\" }}\n"),
        &expect![[r#"
        p.toml:6:21: portfolio "a": holdings.META: "-1": it must not have a minus sign; write units of "0" or more, with at most 9 decimals
        error: 1 fault in p.toml
    "#]],
    );
}

#[test]
fn policies_that_are_none() {
    portfolios(
        policy("band = \"-1\""),
        &expect![[r#"
        p.toml:7:8: portfolio "a": policy.band: "-1": a band is from 0 to 100; write a percentage from "0" to "100", with at most 4 decimals
        error: 1 fault in p.toml
    "#]],
    );
    portfolios(
        policy("band = \"101\""),
        &expect![[r#"
        p.toml:7:8: portfolio "a": policy.band: "101": a band is from 0 to 100; write a percentage from "0" to "100", with at most 4 decimals
        error: 1 fault in p.toml
    "#]],
    );
    portfolios(
        policy("measure = \"totl\""),
        &expect![[r#"
        p.toml:7:11: portfolio "a": policy.measure: "totl": there is no such measure; the nearest is total; write one of relative, absolute, hybrid, tighter, total
        error: 1 fault in p.toml
    "#]],
    );
    portfolios(
        policy("measure = \"hybrid\"\nband = \"5\""),
        &expect![[r#"
        p.toml:6:1: portfolio "a": policy.relative: it is missing; the measure hybrid has relative and absolute: write relative = "25"
        p.toml:6:1: portfolio "a": policy.absolute: it is missing; the measure hybrid has relative and absolute: write absolute = "5"
        p.toml:8:8: portfolio "a": policy.band: "5": it belongs to the measures relative, absolute, total, not to hybrid; the measure hybrid has relative and absolute
        error: 3 faults in p.toml
    "#]],
    );
    portfolios(
        policy("measure = \"total\"\nrelative = \"5\"\nabsolute = \"5\""),
        &expect![[r#"
        p.toml:8:12: portfolio "a": policy.relative: "5": it belongs to the measures hybrid, tighter, not to total; the measure total has band
        p.toml:9:12: portfolio "a": policy.absolute: "5": it belongs to the measures hybrid, tighter, not to total; the measure total has band
        error: 2 faults in p.toml
    "#]],
    );
}

#[test]
fn portfolios_that_are_confused() {
    portfolios(
        format!("{PORTFOLIO}{PORTFOLIO}"),
        &expect![[r#"
        p.toml:7:6: portfolio "a": id: "a": the portfolio in line 2 has this id; give each its own
        error: 1 fault in p.toml
    "#]],
    );
    portfolios(
        format!("{PORTFOLIO}cahs = \"5\"\n"),
        &expect![[r#"
        p.toml:6:1: portfolio "a": cahs: "5": there is no such key; the nearest is cash; known are id, account, currency, cash, targets, holdings, policy
        error: 1 fault in p.toml
    "#]],
    );
    portfolios(
        format!("{PORTFOLIO}cash = \"5\"\n"),
        &expect![[r#"
        p.toml:6:1: portfolio "a": cash: the key is there already; keep one of them
        error: 1 fault in p.toml
    "#]],
    );
    portfolios(
        format!("{PORTFOLIO}account = \"5\n"),
        &expect![[r#"
        p.toml:6:13: portfolio "a": account = "5: this is no TOML: invalid basic string, expected `"`; write key = "value", and close what is opened
        error: 1 fault in p.toml
    "#]],
    );
}

#[test]
fn files_that_are_no_portfolios() {
    portfolios(
        "",
        &expect![[r#"
        p.toml: the file is empty; start each portfolio with [[portfolio]]
        error: 1 fault in p.toml
    "#]],
    );
    portfolios(
        b"\x7fELF\x02\x01\x01\0\0\0\0",
        &expect![[r#"
        p.toml:1: it is not text: there is a zero byte; give a text file saved as UTF-8
        error: 1 fault in p.toml
    "#]],
    );
    portfolios(
        b"id = \"\xFFa\"\n",
        &expect![[r#"
        p.toml:1: it is not text in UTF-8: there is a byte 0xff; save it as UTF-8
        error: 1 fault in p.toml
    "#]],
    );
    portfolios(
        utf16(PORTFOLIO),
        &expect![[r#"
        p.toml: it is UTF-16; save it as UTF-8
        error: 1 fault in p.toml
    "#]],
    );
    portfolios(
        "id,currency\na,USD\n",
        &expect![[r#"
        p.toml:1:3: portfolio 1: id,currency: this is no TOML: key with no value, expected `=`; write key = "value", and close what is opened
        error: 1 fault in p.toml
    "#]],
    );
}

#[test]
fn files_that_are_no_prices() {
    prices(
        "",
        &expect![[r#"
        prices.csv: the file is empty; start it with the header date,symbol,close and give each price a row
        error: 1 fault in prices.csv
    "#]],
    );
    prices(
        b"\x7fELF\x02\x01\x01\0\0\0\0",
        &expect![[r#"
        prices.csv:1: the file is not text; give a CSV file saved as UTF-8, not compressed and not a spreadsheet
        error: 1 fault in prices.csv
    "#]],
    );
    prices(
        utf16(PRICES),
        &expect![[r#"
        prices.csv:1: the file is UTF-16; save it as UTF-8
        error: 1 fault in prices.csv
    "#]],
    );
    prices(
        "date,symbol,close\n",
        &expect![[r#"
        prices.csv: there is a header, but no row; give each price a row, like 2000-01-03,AAPL,27.97
        error: 1 fault in prices.csv
    "#]],
    );
    prices(
        "date,symbol,volume\n2024-01-02,META,1\n",
        &expect![[r#"
        prices.csv:1: there is no column close (or price), only date, symbol, volume; name it so in the header
        error: 1 fault in prices.csv
    "#]],
    );
}

#[test]
fn prices_that_are_none() {
    let rows = |rows: &str| format!("{PRICES}{rows}\n");
    prices(
        rows("2024-01-02,AAPL,1"),
        &expect![[r#"
        prices.csv:5: date: "2024-01-02": rows are in time order, and an earlier row is of 2024-01-03; sort the rows by time
        error: 1 fault in prices.csv
    "#]],
    );
    prices(
        rows("2024-01-03,META,441"),
        &expect![[r#"
        prices.csv:5: symbol: "META": it is priced twice at 2024-01-03, at 440 and at 441; keep one row for each symbol and time
        error: 1 fault in prices.csv
    "#]],
    );
    prices(
        rows("2024-01-03,AAPL,0\n2024-01-03,MSFT,-1\n2024-01-03,XOM,NaN\n2024-01-03,CVX,1.0000000001"),
        &expect![[r#"
        prices.csv:5: close: "0": a price is above zero; at least 0.000000001; leave the row out where nothing was traded
        prices.csv:6: close: "-1": a price is above zero; at least 0.000000001; leave the row out where nothing was traded
        prices.csv:7: close: "NaN": it is not digits with at most one point between them; write it like 12.5: no exponent, no sign, no separators, no currency
        prices.csv:8: close: "1.0000000001": it has 10 decimals, at most 9 are allowed; write 9, or ask for rounding (--round-prices)
        error: 4 faults in prices.csv
    "#]],
    );
    prices(
        rows("2024-02-30,META,1"),
        &expect![[r#"
        prices.csv:5: date: "2024-02-30": there is no such day, or no such time of day; correct it, or leave the row out
        error: 1 fault in prices.csv
    "#]],
    );
    prices(
        rows("2024-01-04,META,1,5"),
        &expect![[r#"
        prices.csv:5: the row has 4 fields, the header has 3; give it as many as the header, and quote a field with a comma in it
        error: 1 fault in prices.csv
    "#]],
    );
}

/// Where every row of a symbol is faulty, that is what is told, and not that it has no price.
#[test]
fn symbols_whose_every_row_is_faulty() {
    let only = |row: &str| format!("date,symbol,close\n2024-01-02,META,400\n{row}\n");
    prices(
        only("2024-01-02,aapl,165"),
        &expect![[r#"
        prices.csv:3: symbol: "aapl": no symbol has 'a', only A-Z, 0-9, '.', '-' and '/'; write it as the exchange does, like AAPL or BRK.B
        error: 1 fault in prices.csv
    "#]],
    );
    prices(
        only("2024-01-02,AAPL,1,650"),
        &expect![[r#"
        prices.csv:3: the row has 4 fields, the header has 3; give it as many as the header, and quote a field with a comma in it
        error: 1 fault in prices.csv
    "#]],
    );
    prices(
        only("2024-01-02,AAPL,none"),
        &expect![[r#"
        prices.csv:3: close: "none": it is not digits with at most one point between them; write it like 12.5: no exponent, no sign, no separators, no currency
        error: 1 fault in prices.csv
    "#]],
    );
    // No symbol is meant by this row, so AAPL is missing as well.
    prices(
        only("2024-01-02,CASH,1"),
        &expect![[r#"
        p.toml:5:26: portfolio "a": targets.AAPL: "40": prices.csv has no price of AAPL; add one, or correct the symbol
        prices.csv:3: symbol: "CASH": it stands for the money itself; leave the row out: cash needs no price
        error: 1 fault in p.toml, 1 fault in prices.csv
    "#]],
    );
}

#[test]
fn files_that_are_not_there() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path().join("folder")).unwrap();
    desk.file("p.toml", PORTFOLIO).file("prices.csv", PRICES);
    let said = all_say(&desk, "--portfolios none.toml --prices none.csv");
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with("none.toml: it cannot be read: No such file"), "{said}");
    assert!(lines[1].starts_with("none.csv: it cannot be read: No such file"), "{said}");
    assert_eq!(lines[2], "error: 1 fault in none.toml, 1 fault in none.csv");
    expect![[r#"
        folder: it is a directory; give a file
        folder: it is a directory; give a file
        folder: it is a directory; give a file
        error: 1 fault in folder, 1 fault in folder, 1 fault in folder
    "#]]
    .assert_eq(&all_say(&desk, "--portfolios folder --prices folder --config folder"));
}

#[test]
fn all_faults_of_all_files_are_told_at_once() {
    let desk = Desk::new();
    desk.file("c.toml", "attempts = 10\nhartbeat = 5\n")
        .file("p.toml", format!("{}{}", with("100.00", "-1"), targets("{ META = \"50\", GOOG = \"40\" }")))
        .file("prices.csv", format!("{PRICES}2024-01-01,META,0\n"));
    expect![[r#"
        c.toml:1:12: attempts: 10: it is not a whole number from 1 to 9; write attempts = 3
        c.toml:2:1: hartbeat: 5: there is no such key; the nearest is heartbeat; known are lease, heartbeat, attempts, delay, legs_at_once, order_deadline, quiescence, max_price_age, max_price_jump, collar, max_order, max_batch, max_day, max_batches_a_day, min_session_left
        p.toml:4:8: portfolio "a": cash: "-1": it is below zero; write an amount from "0.00" to "9999999999999999.99", with at most 2 decimals
        p.toml:7:6: portfolio "a": id: "a": the portfolio in line 2 has this id; give each its own
        p.toml:10:11: portfolio "a": targets: { META = "50", GOOG = "40" }: the weights add up to 90.0000 %; add 10.0000 %, so that they are exactly 100.0000 %
        p.toml:10:26: portfolio "a": targets.GOOG: "40": prices.csv has no price of GOOG; add one, or correct the symbol
        prices.csv:5: date: "2024-01-01": rows are in time order, and an earlier row is of 2024-01-03; sort the rows by time
        prices.csv:5: close: "0": a price is above zero; at least 0.000000001; leave the row out where nothing was traded
        error: 2 faults in c.toml, 4 faults in p.toml, 2 faults in prices.csv
    "#]].assert_eq(&all_say(&desk, "--portfolios p.toml --prices prices.csv --config c.toml"));
}

#[test]
fn many_faults_are_counted() {
    let desk = Desk::new();
    let line = |n: u32| {
        format!("{{\"id\": \"p{n}\", \"currency\": \"USD\", \"cash\": \"-1\", \"targets\": {{\"CASH\": \"100\"}}}}\n")
    };
    desk.file("p.jsonl", (1..=123).map(line).collect::<String>());
    let run = desk.run("check --portfolios p.jsonl");
    let lines: Vec<&str> = run.refused(2).lines().collect();
    assert_eq!(lines.len(), 102);
    assert!(
        lines[99].starts_with("p.jsonl:100:43: portfolio \"p100\": cash: \"-1\": it is below zero; "),
        "{}",
        lines[99]
    );
    assert_eq!(lines[100..], ["p.jsonl: … and 23 more", "error: 123 faults in p.jsonl"]);
}

fn utf16(text: &str) -> Vec<u8> {
    std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}
