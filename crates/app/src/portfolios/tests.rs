//! Portfolios files with faults, and exactly what is said about them.

use super::*;
use expect_test::{Expect, expect};

mod properties;

/// A portfolio in TOML, in order, without the header and without its last line end.
const GOOD: &str = "id = \"a\"\ncurrency = \"USD\"\ncash = \"100.00\"\ntargets = { META = \"60\", CASH = \"40\" }";

fn toml(text: &str) -> Result<Vec<LoadedPortfolio>, FileFaults> {
    read("a.toml", text, Notation::Toml, None)
}

fn json(text: &str) -> Result<Vec<LoadedPortfolio>, FileFaults> {
    read("a.jsonl", text, Notation::Json, None)
}

fn check(result: Result<Vec<LoadedPortfolio>, FileFaults>, expected: &Expect) {
    expected.assert_eq(&result.unwrap_err().to_string());
}

/// The good portfolio with some of its lines replaced, by their keys; `policy` lines go to its policy.
fn with(lines: &[(&str, &str)]) -> String {
    let mut text = String::from("[[portfolio]]\n");
    for line in GOOD.lines() {
        let key = line.split(' ').next().unwrap_or_default();
        let replaced = lines.iter().find(|(replaced, _)| *replaced == key);
        text.push_str(&replaced.map_or_else(|| line.to_owned(), |(key, value)| format!("{key} = {value}")));
        text.push('\n');
    }
    for (key, value) in lines.iter().filter(|(key, _)| !GOOD.lines().any(|line| line.starts_with(&format!("{key} ")))) {
        text.push_str(&format!("{key} = {value}\n"));
    }
    text
}

#[test]
fn both_notations_give_the_same() {
    let from_toml = toml(
        "[[portfolio]]\nid = 'b'\naccount = \"X-1\"\ncurrency = \"CLP\"\ncash = \"5\"\nholdings = { \"BRK.B\" = \"0.5\", AAPL = \"0\" }\n\
         [portfolio.targets]\n\"BRK.B\" = \"99.9999\"\nCASH = \"0.0001\"\n\
         [portfolio.policy]\nmeasure = \"tighter\"\nrelative = \"25\"\nabsolute = \"5\"\nminimum_order = \"0\"\ncash_buffer = \"1.5\"\n",
    );
    let from_json = json(concat!(
        r#"{"id":"b","account":"X-1","currency":"CLP","cash":"5","holdings":{"BRK.B":"0.5","AAPL":"0"},"#,
        r#""targets":{"BRK.B":"99.9999","CASH":"0.0001"},"#,
        r#""policy":{"measure":"tighter","relative":"25","absolute":"5","minimum_order":"0","cash_buffer":"1.5"}}"#,
        "\n"
    ));
    let [portfolio] = from_toml.unwrap().try_into().unwrap();
    assert_eq!(from_json.unwrap(), std::slice::from_ref(&portfolio));
    expect![[r#"
        LoadedPortfolio {
            id: PortfolioId(b),
            definition: Definition {
                account: AccountId(X-1),
                currency: Currency(CLP),
                allocation: TargetAllocation {
                    cash: Percentage(0.0001),
                    symbols: {
                        Symbol(BRK.B): Percentage(99.9999),
                    },
                },
                policy: Policy {
                    measure: Tighter {
                        relative: Band(
                            Percentage(25.0000),
                        ),
                        absolute: Band(
                            Percentage(5.0000),
                        ),
                    },
                    minimum_order: Money(0.00),
                    cash_buffer: Money(1.50),
                },
            },
            books: Books {
                cash: Money(5.00),
                units: {
                    Symbol(BRK.B): Quantity(0.5),
                },
            },
        }
    "#]]
    .assert_debug_eq(&portfolio);
}

#[test]
fn what_is_not_written_has_its_default() {
    let [portfolio] = toml(&with(&[])).unwrap().try_into().unwrap();
    assert_eq!(portfolio.definition.account.as_str(), "a");
    assert_eq!(portfolio.definition.policy, evenkeel_domain::policy::Policy::default());
    assert_eq!(portfolio.books.holdings().len(), 0);
    for measure in ["absolute", "total"] {
        let [portfolio] =
            toml(&with(&[("policy", &format!("{{ measure = \"{measure}\" }}"))])).unwrap().try_into().unwrap();
        assert_eq!(portfolio.definition.policy.measure.name(), measure);
    }
}

#[test]
fn line_ends_and_blank_lines_are_no_matter() {
    assert!(toml(&with(&[]).replace('\n', "\r\n")).is_ok());
    let line = r#"{"id": "a", "currency": "USD", "cash": "1", "targets": {"CASH": "100"}}"#;
    assert_eq!(json(&format!("\r\n{line}\r\n\n  \n")).unwrap().len(), 1);
    assert_eq!(json(line).unwrap().len(), 1);
}

#[test]
fn there_must_be_a_portfolio() {
    check(
        toml(""),
        &expect![[r#"
        a.toml: the file is empty; start each portfolio with [[portfolio]]
    "#]],
    );
    check(
        toml("# nothing\n"),
        &expect![[r#"
        a.toml: there is no portfolio; start each portfolio with [[portfolio]]
    "#]],
    );
    check(
        json("\n"),
        &expect![[r#"
        a.jsonl: there is no portfolio; give each portfolio a line
    "#]],
    );
    check(
        toml("[portfolio]\nid = \"a\"\n"),
        &expect![[r#"
        a.toml:1:2: portfolio: it is a table, and there may be several; start each portfolio with [[portfolio]]
    "#]],
    );
    check(
        toml("portfolio = []\n"),
        &expect![[r#"
        a.toml: there is no portfolio; start each portfolio with [[portfolio]]
    "#]],
    );
    check(
        toml("portfolio = [1]\n"),
        &expect![[r#"
        a.toml:1:14: portfolio 1: 1: it is a number, not a table; give it keys with values
    "#]],
    );
    check(
        json("[]\n\"a\"\n"),
        &expect![[r#"
        a.jsonl:1:1: portfolio 1: []: it is a list, not a table; give it keys with values
        a.jsonl:2:1: portfolio 2: "a": it is a string, not a table; give it keys with values
    "#]],
    );
}

#[test]
fn targets_add_up_to_exactly_one_hundred() {
    check(
        toml(&with(&[("targets", "{ META = \"60\", CASH = \"39.9999\" }")])),
        &expect![[r#"
        a.toml:5:11: portfolio "a": targets: { META = "60", CASH = "39.9999" }: the weights add up to 99.9999 %; add 0.0001 %, so that they are exactly 100.0000 %
    "#]],
    );
    check(
        toml(&with(&[("targets", "{ META = \"60\", CASH = \"40.0001\" }")])),
        &expect![[r#"
        a.toml:5:11: portfolio "a": targets: { META = "60", CASH = "40.0001" }: the weights add up to 100.0001 %; take off 0.0001 %, so that they are exactly 100.0000 %
    "#]],
    );
    check(
        toml(&with(&[("targets", "{}")])),
        &expect![[r#"
        a.toml:5:11: portfolio "a": targets: {}: there is no target; write symbols with percentages, like META with "60" and CASH with "40"
    "#]],
    );
    check(
        toml(&with(&[("targets", "{ META = \"120\", AAPL = \"0\", CASH = \"-20\" }")])),
        &expect![[r#"
        a.toml:5:34: portfolio "a": targets.AAPL: "0": a weight is above 0; correct it, or leave the target out
        a.toml:5:46: portfolio "a": targets.CASH: "-20": a weight is above 0; correct it, or leave the target out
    "#]],
    );
    check(
        toml(&with(&[("targets", "{ META = \"60.00001\", CASH = \"NaN\", AAPL = \"1e400\" }")])),
        &expect![[r#"
        a.toml:5:20: portfolio "a": targets.META: "60.00001": it has 5 decimals, at most 4 are allowed; write a percentage above "0" and up to "100", with at most 4 decimals
        a.toml:5:39: portfolio "a": targets.CASH: "NaN": it must be digits with at most one point between them, like 12 or 12.5; write a percentage above "0" and up to "100", with at most 4 decimals
        a.toml:5:53: portfolio "a": targets.AAPL: "1e400": it must be digits with at most one point between them, like 12 or 12.5; write a percentage above "0" and up to "100", with at most 4 decimals
    "#]],
    );
    check(
        toml(&with(&[("targets", "{ META = 60, CASH = 39.5 }")])),
        &expect![[r#"
        a.toml:5:11: portfolio "a": targets: { META = 60, CASH = 39.5 }: the weights add up to 99.5000 %; add 0.5000 %, so that they are exactly 100.0000 %
        a.toml:5:20: portfolio "a": targets.META: 60: it is a number, which may lose digits; write it as a string: "60"
        a.toml:5:31: portfolio "a": targets.CASH: 39.5: it is a number, which may lose digits; write it as a string: "39.5"
    "#]],
    );
    check(
        toml(&with(&[("targets", "{ META = nan, CASH = 1e400 }")])),
        &expect![[r#"
        a.toml:5:20: portfolio "a": targets.META: nan: it is a number, not a string; and it must be digits with at most one point between them, like 12 or 12.5; write a percentage above "0" and up to "100", with at most 4 decimals
        a.toml:5:32: portfolio "a": targets.CASH: 1e400: it is a number, not a string; and it must be digits with at most one point between them, like 12 or 12.5; write a percentage above "0" and up to "100", with at most 4 decimals
    "#]],
    );
    check(
        toml(&with(&[("targets", "{ \"\" = \"60\", aapl = \"40\", \"A B\" = \"1\", cash = \"2\" }")])),
        &expect![[r#"
        a.toml:5:13: portfolio "a": targets."": "": it is no symbol: it is empty; write the symbol as the exchange does, like AAPL or BRK.B
        a.toml:5:24: portfolio "a": targets.aapl: "aapl": it is no symbol: 'a' is not allowed, only A-Z, 0-9, '.', '-' and '/' are; write AAPL
        a.toml:5:37: portfolio "a": targets."A B": "A B": it is no symbol: ' ' is not allowed, only A-Z, 0-9, '.', '-' and '/' are; write the symbol as the exchange does, like AAPL or BRK.B
        a.toml:5:50: portfolio "a": targets.cash: "cash": it is no symbol: 'c' is not allowed, only A-Z, 0-9, '.', '-' and '/' are; write the symbol as the exchange does, like AAPL or BRK.B
    "#]],
    );
    check(
        toml(&with(&[("targets", "\"META\"")])),
        &expect![[r#"
        a.toml:5:11: portfolio "a": targets: "META": it is a string, not a table; write symbols with percentages, like META with "60" and CASH with "40"
    "#]],
    );
    check(
        toml(&with(&[("targets", "[\"META\"]")])),
        &expect![[r#"
        a.toml:5:11: portfolio "a": targets: ["META"]: it is a list, not a table; write symbols with percentages, like META with "60" and CASH with "40"
    "#]],
    );
}

#[test]
fn cash_and_holdings_are_not_below_zero() {
    check(
        toml(&with(&[("cash", "\"-0.01\"")])),
        &expect![[r#"
        a.toml:4:8: portfolio "a": cash: "-0.01": it is below zero; write an amount from "0.00" to "9999999999999999.99", with at most 2 decimals
    "#]],
    );
    check(
        toml(&with(&[("cash", "\"1000000000000000000000000000000\"")])),
        &expect![[r#"
        a.toml:4:8: portfolio "a": cash: "1000000000000000000000000000000": it is out of range, the maximum is ±9999999999999999.99; write an amount from "0.00" to "9999999999999999.99", with at most 2 decimals
    "#]],
    );
    check(
        toml(&with(&[("cash", "1000000000000000000000000000000")])),
        &expect![[r#"
        a.toml:4:8: portfolio "a": cash: 1000000000000000000000000000000: it is a number, not a string; and it is out of range, the maximum is ±9999999999999999.99; write an amount from "0.00" to "9999999999999999.99", with at most 2 decimals
    "#]],
    );
    check(
        toml(&with(&[("cash", "\"1.005\"")])),
        &expect![[r#"
        a.toml:4:8: portfolio "a": cash: "1.005": it has 3 decimals, at most 2 are allowed; write an amount from "0.00" to "9999999999999999.99", with at most 2 decimals
    "#]],
    );
    check(
        toml(&with(&[("holdings", "{ META = \"-1\", CASH = \"5\", AAPL = \"1.0000000001\", x = 3 }")])),
        &expect![[r#"
        a.toml:6:21: portfolio "a": holdings.META: "-1": it must not have a minus sign; write units of "0" or more, with at most 9 decimals
        a.toml:6:34: portfolio "a": holdings.CASH: "5": cash is not a holding; write it as cash = "…"
        a.toml:6:46: portfolio "a": holdings.AAPL: "1.0000000001": it has 10 decimals, at most 9 are allowed; write units of "0" or more, with at most 9 decimals
        a.toml:6:62: portfolio "a": holdings.x: "x": it is no symbol: 'x' is not allowed, only A-Z, 0-9, '.', '-' and '/' are; write X
        a.toml:6:66: portfolio "a": holdings.x: 3: it is a number, which may lose digits; write it as a string: "3"
    "#]],
    );
}

#[test]
fn names_are_names() {
    check(
        toml(&with(&[("id", "\"\""), ("currency", "\"usd\"")])),
        &expect![[r#"
        a.toml:2:6: portfolio 1: id: "": it is empty; write 1 to 64 letters, digits, '-', '_', '.' or ':', as a string
        a.toml:3:12: portfolio 1: currency: "usd": it is no currency; write three capital letters, like "USD"
    "#]],
    );
    check(
        toml(&with(&[("id", "\"my portfolio\""), ("currency", "\"US\""), ("account", "7")])),
        &expect![[r#"
        a.toml:2:6: portfolio 1: id: "my portfolio": ' ' is not allowed, only ASCII letters, digits, '-', '_', '.' and ':' are; write 1 to 64 letters, digits, '-', '_', '.' or ':', as a string
        a.toml:3:12: portfolio 1: currency: "US": it is no currency; write three capital letters, like "USD"
        a.toml:6:11: portfolio 1: account: 7: it is a number, not a string; write 1 to 64 letters, digits, '-', '_', '.' or ':', as a string
    "#]],
    );
    check(
        toml(&with(&[("id", "1"), ("currency", "[]")])),
        &expect![[r#"
        a.toml:2:6: portfolio 1: id: 1: it is a number, not a string; write 1 to 64 letters, digits, '-', '_', '.' or ':', as a string
        a.toml:3:12: portfolio 1: currency: []: it is a list, not a string; write three capital letters, like "USD"
    "#]],
    );
}

#[test]
fn keys_are_known_and_there() {
    check(
        toml("[[portfolio]]\nid = \"a\"\n"),
        &expect![[r#"
        a.toml:1:1: portfolio "a": currency: it is missing; write currency = "USD"
        a.toml:1:1: portfolio "a": cash: it is missing; write cash = "100000.00"
        a.toml:1:1: portfolio "a": targets: it is missing; write targets = { META = "60", CASH = "40" }
    "#]],
    );
    check(
        toml(&with(&[("holding", "{}"), ("curency", "\"USD\"")])),
        &expect![[r#"
        a.toml:6:1: portfolio "a": holding: {}: there is no such key; the nearest is holdings; known are id, account, currency, cash, targets, holdings, policy
        a.toml:7:1: portfolio "a": curency: "USD": there is no such key; the nearest is currency; known are id, account, currency, cash, targets, holdings, policy
    "#]],
    );
    check(
        toml(&format!("portfolios = 1\ncash = \"1\"\nband = \"5\"\n{}\n[policy]\nmeasure = \"x\"\n", with(&[]))),
        &expect![[r#"
            a.toml:1:1: portfolios: 1: there is no such key; the nearest is portfolio; known are portfolio
            a.toml:2:1: cash: "1": there is no such key; write it in its portfolio, below [[portfolio]]
            a.toml:3:1: band: "5": there is no such key; write it in the policy of its portfolio, below [portfolio.policy]
            a.toml:10:2: policy: [policy]: there is no such key; write it below its portfolio, as [portfolio.policy]
        "#]],
    );
    check(
        toml(&with(&[("policy", "{ bnad = \"5\", minimum = \"1.00\" }")])),
        &expect![[r#"
        a.toml:6:12: portfolio "a": policy.bnad: "5": there is no such key; the nearest is band; known are measure, band, relative, absolute, minimum_order, cash_buffer
        a.toml:6:24: portfolio "a": policy.minimum: "1.00": there is no such key; the nearest is minimum_order; known are measure, band, relative, absolute, minimum_order, cash_buffer
    "#]],
    );
    check(
        toml(&with(&[("band", "\"5\""), ("policy", "{ cash = \"5\" }")])),
        &expect![[r#"
        a.toml:6:1: portfolio "a": band: "5": there is no such key; write it in policy
        a.toml:7:12: portfolio "a": policy.cash: "5": there is no such key; write it in the portfolio, above its policy
    "#]],
    );
    check(
        json("{\"id\": \"a\"}\n"),
        &expect![[r#"
        a.jsonl:1:1: portfolio "a": currency: it is missing; write "currency": "USD"
        a.jsonl:1:1: portfolio "a": cash: it is missing; write "cash": "100000.00"
        a.jsonl:1:1: portfolio "a": targets: it is missing; write "targets": {"META": "60", "CASH": "40"}
    "#]],
    );
}

#[test]
fn a_policy_has_the_keys_of_its_measure() {
    check(
        toml(&with(&[("policy", "{ measure = \"relativ\", band = \"101\" }")])),
        &expect![[r#"
        a.toml:6:22: portfolio "a": policy.measure: "relativ": there is no such measure; the nearest is relative; write one of relative, absolute, hybrid, tighter, total
        a.toml:6:40: portfolio "a": policy.band: "101": a band is from 0 to 100; write a percentage from "0" to "100", with at most 4 decimals
    "#]],
    );
    check(
        toml(&with(&[("policy", "{ measure = 5, band = \"-1\" }")])),
        &expect![[r#"
        a.toml:6:22: portfolio "a": policy.measure: 5: it is a number, not a string; write one of relative, absolute, hybrid, tighter, total
        a.toml:6:32: portfolio "a": policy.band: "-1": a band is from 0 to 100; write a percentage from "0" to "100", with at most 4 decimals
    "#]],
    );
    check(
        toml(&with(&[("policy", "{ measure = \"hybrid\", band = \"5\" }")])),
        &expect![[r#"
        a.toml:6:10: portfolio "a": policy.relative: it is missing; the measure hybrid has relative and absolute: write relative = "25"
        a.toml:6:10: portfolio "a": policy.absolute: it is missing; the measure hybrid has relative and absolute: write absolute = "5"
        a.toml:6:39: portfolio "a": policy.band: "5": it belongs to the measures relative, absolute, total, not to hybrid; the measure hybrid has relative and absolute
    "#]],
    );
    check(
        toml(&with(&[("policy", "{ relative = \"25\", absolute = \"5\" }")])),
        &expect![[r#"
        a.toml:6:23: portfolio "a": policy.relative: "25": it belongs to the measures hybrid, tighter, not to relative; the measure relative has band
        a.toml:6:40: portfolio "a": policy.absolute: "5": it belongs to the measures hybrid, tighter, not to relative; the measure relative has band
    "#]],
    );
    check(
        toml(&with(&[("policy", "{ measure = \"tighter\", relative = \"x\" }")])),
        &expect![[r#"
        a.toml:6:10: portfolio "a": policy.absolute: it is missing; the measure tighter has relative and absolute: write absolute = "5"
        a.toml:6:44: portfolio "a": policy.relative: "x": it must be digits with at most one point between them, like 12 or 12.5; write a percentage from "0" to "100", with at most 4 decimals
    "#]],
    );
    check(
        toml(&with(&[("policy", "{ band = \"5.00001\", minimum_order = \"-1\", cash_buffer = \"-0.01\" }")])),
        &expect![[r#"
        a.toml:6:19: portfolio "a": policy.band: "5.00001": it has 5 decimals, at most 4 are allowed; write a percentage from "0" to "100", with at most 4 decimals
        a.toml:6:46: portfolio "a": policy.minimum_order: "-1": it is below zero; write an amount of "0.00" or more, with at most 2 decimals
        a.toml:6:66: portfolio "a": policy.cash_buffer: "-0.01": it is below zero; write an amount of "0.00" or more, with at most 2 decimals
    "#]],
    );
    check(
        toml(&with(&[("policy", "\"relative\"")])),
        &expect![[r#"
        a.toml:6:10: portfolio "a": policy: "relative": it is a string, not a table; write a table of keys like measure and band
    "#]],
    );
}

#[test]
fn portfolios_have_ids_and_accounts_of_their_own() {
    let other = |lines: &[(&str, &str)]| format!("{}{}", with(&[]), with(lines));
    check(
        toml(&other(&[])),
        &expect![[r#"
        a.toml:7:6: portfolio "a": id: "a": the portfolio in line 2 has this id; give each its own
    "#]],
    );
    check(
        toml(&other(&[("id", "\"b\""), ("account", "\"a\"")])),
        &expect![[r#"
        a.toml:11:11: portfolio "b": account: "a": portfolio "a" has the account a already; give each its own: account = "…"
    "#]],
    );
    check(
        toml(&format!("{}{}", with(&[("account", "\"b\"")]), with(&[("id", "\"b\"")]))),
        &expect![[r#"
        a.toml:8:6: portfolio "b": id: "b": portfolio "a" has the account b already; give each its own: account = "…"
    "#]],
    );
    // Also where another fault keeps either from being used.
    check(
        toml(&format!("{}{}", with(&[("cash", "\"x\"")]), with(&[("currency", "\"x\"")]))),
        &expect![[r#"
        a.toml:4:8: portfolio "a": cash: "x": it must be digits with at most one point between them, like 12 or 12.5; write an amount from "0.00" to "9999999999999999.99", with at most 2 decimals
        a.toml:7:6: portfolio "a": id: "a": the portfolio in line 2 has this id; give each its own
        a.toml:8:12: portfolio "a": currency: "x": it is no currency; write three capital letters, like "USD"
    "#]],
    );
}

#[test]
fn a_broken_text_does_not_hide_the_rest() {
    let good = with(&[]);
    let text = format!(
        "{}{}{}{}",
        good.replace("\"a\"", "\"a"),
        good.replace("\"a\"", "\"b\"").replace(" }", ""),
        "x = 1\n",
        with(&[("id", "\"c\""), ("cash", "\"-1\"")])
    );
    check(
        toml(&text),
        &expect![[r#"
        a.toml:2:8: portfolio "a": id = "a: this is no TOML: invalid basic string, expected `"`; write key = "value", and close what is opened
        a.toml:11:1: portfolio "b": x = 1: this is no TOML: missing comma between key-value pairs, expected `,`; write key = "value", and close what is opened
        a.toml:15:8: portfolio "c": cash: "-1": it is below zero; write an amount from "0.00" to "9999999999999999.99", with at most 2 decimals
    "#]],
    );
    check(
        toml(&format!("{good}id = \"b\"\ncash = \"-2\"\ncash = \"3\"\nband\n")),
        &expect![[r#"
        a.toml:6:1: portfolio "a": id: the key is there already; keep one of them
        a.toml:7:1: portfolio "a": cash: the key is there already; keep one of them
        a.toml:8:1: portfolio "a": cash: the key is there already; keep one of them
        a.toml:9:5: portfolio "a": band: this is no TOML: key with no value, expected `=`; write key = "value", and close what is opened
    "#]],
    );
    check(
        toml(&format!("{good}id = \"b\"\n")),
        &expect![[r#"
        a.toml:6:1: portfolio "a": id: the key is there already; keep one of them
    "#]],
    );
    let json_good = r#"{"id": "a", "currency": "USD", "cash": "1", "targets": {"CASH": "100"}}"#;
    check(
        json(&format!(
            "{{\"id\": \"x\",}}\nhello\n{}\n{json_good}\n{json_good}\n",
            json_good.replace("\"cash\"", "\"id\"")
        )),
        &expect![[r#"
        a.jsonl:1:12: portfolio 1: }: this is no JSON: key must be a string; write {"key": "value", …}, one portfolio on each line
        a.jsonl:2:1: portfolio 2: hello: this is no JSON: expected value; write {"key": "value", …}, one portfolio on each line
        a.jsonl:3:1: portfolio "a": cash: it is missing; write "cash": "100000.00"
        a.jsonl:3:32: portfolio "a": id: the key is there already; keep one of them
        a.jsonl:4:8: portfolio "a": id: "a": the portfolio in line 3 has this id; give each its own
        a.jsonl:5:8: portfolio "a": id: "a": the portfolio in line 3 has this id; give each its own
    "#]],
    );
}

#[test]
fn every_symbol_needs_a_price() {
    let symbols = ["AAPL", "MSFT"].map(|symbol| symbol.parse().unwrap()).into();
    let priced = Some(Priced { source: "prices.csv", symbols: &symbols });
    let text = with(&[("holdings", "{ META = \"1\", AAPL = \"1\", MFST = \"1\", GONE = \"0\" }")]);
    check(
        read("a.toml", &text, Notation::Toml, priced),
        &expect![[r#"
            a.toml:5:13: portfolio "a": targets.META: "60": prices.csv has no price of META; add one, or correct the symbol
            a.toml:6:38: portfolio "a": holdings.MFST: "1": prices.csv has no price of MFST; add one, or write MSFT if that is meant
        "#]],
    );
}

#[test]
fn the_example_is_in_order() {
    let portfolios = toml(include_str!("../../../../examples/portfolios.toml")).unwrap();
    let mut measures: Vec<_> = portfolios.iter().map(|p| p.definition.policy.measure.name()).collect();
    measures.sort_unstable();
    assert_eq!(measures, ["absolute", "hybrid", "relative", "tighter", "total"]);
}
