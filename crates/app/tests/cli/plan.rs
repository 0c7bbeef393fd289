//! `plan` and `check` on good input.

use crate::harness::Desk;
use expect_test::expect;

/// META went up by a tenth in a portfolio of 33.33 / 33.33 / 33.34 that was worth 100,000.
const WORKED_EXAMPLE: &str = "\
[[portfolio]]
id = \"growth\"
currency = \"USD\"
cash = \"0.00\"
targets = { META = \"33.33\", AAPL = \"33.33\", MSFT = \"33.34\" }
holdings = { META = \"83.325\", AAPL = \"202\", MSFT = \"100\" }
";
const WORKED_PRICES: &str = "\
date,symbol,close
2024-01-02,META,400
2024-01-02,AAPL,165.00
2024-01-02,MSFT,333.40
2024-01-03,META,440
";

fn worked_example() -> Desk {
    let desk = Desk::new();
    desk.file("p.toml", WORKED_EXAMPLE).file("prices.csv", WORKED_PRICES);
    desk
}

#[test]
fn the_worked_example_in_json() {
    let run = worked_example().run("plan --portfolios p.toml --prices prices.csv --format json");
    expect![[r#"
        {"type":"plan","at":"2024-01-03","portfolio":"growth","out_of_band":true,"measure":"relative","drift":"6.4520","trades":[{"symbol":"META","side":"sell","quantity":"5.0502525","price":"440","amount":"2222.11"},{"symbol":"AAPL","side":"buy","quantity":"6.73266","price":"165","amount":"1110.89"},{"symbol":"MSFT","side":"buy","quantity":"3.333","price":"333.4","amount":"1111.22"}],"skipped":[],"weights":[{"symbol":"AAPL","before":"32.2549","after":"33.3300","target":"33.3300"},{"symbol":"META","before":"35.4804","after":"33.3300","target":"33.3300"},{"symbol":"MSFT","before":"32.2646","after":"33.3400","target":"33.3400"}],"currency":"USD","value":"103333.00","turnover":"4444.22","cost":"0.00","held_back":"0.00","stages":"sells_first","certificate":{"lowest_cash":"0.00","restorable":true,"shortfall":"0.00"}}
    "#]].assert_eq(run.done());
}

#[test]
fn the_worked_example_in_text() {
    let run = worked_example().run("plan --portfolios p.toml --prices prices.csv");
    expect![[r#"
        growth: out of band, 3 trades
        worth 103,333.00 USD; drift 6.4520 % of a target, band 5.0000 %
        symbol  weight %  target %  after %  trade   quantity   price    amount  why
        ─────── ───────── ───────── ──────── ────── ────────── ─────── ───────── ──────────────────────
        AAPL     32.2549   33.3300  33.3300  buy      6.73266  165.00  1,110.89  along with the others
        META     35.4804   33.3300  33.3300  sell   5.0502525  440.00  2,222.11  out of band
        MSFT     32.2646   33.3400  33.3400  buy        3.333  333.40  1,111.22  along with the others
        sells first, then buys: turnover 4,444.22 USD, cost at most 0.00 USD, cash never below 0.00 USD; a full restoration is paid for

        1 portfolio at the prices of 2024-01-03: 1 to rebalance
    "#]].assert_eq(run.done());
}

/// One of each: inside, without a batch, with skips, too old, worth nothing.
#[test]
fn why_things_are_left_alone() {
    let desk = Desk::new();
    desk.file(
        "prices.csv",
        "date,symbol,close\n2024-01-02,OLD,1\n2024-01-05,AAA,10\n2024-01-05,BBB,10\n2024-01-05,CCC,10\n",
    );
    let portfolio = |id: &str, cash: &str, rest: &str| {
        format!("[[portfolio]]\nid = \"{id}\"\ncurrency = \"USD\"\ncash = \"{cash}\"\n{rest}\n")
    };
    let portfolios = [
        portfolio(
            "inside",
            "0",
            "targets = { AAA = \"50\", BBB = \"50\" }\nholdings = { AAA = \"10.2\", BBB = \"10\" }",
        ),
        portfolio(
            "at-target",
            "0",
            "targets = { AAA = \"50\", BBB = \"25\", CCC = \"25\" }\nholdings = { AAA = \"50\", BBB = \"20\", CCC = \"30\" }",
        ),
        portfolio(
            "skips",
            "0",
            "targets = { AAA = \"50\", BBB = \"49.99\", CCC = \"0.01\" }\nholdings = { AAA = \"60\", BBB = \"40\" }",
        ),
        portfolio(
            "no-batch",
            "0",
            "targets = { AAA = \"50\", BBB = \"49.99\", CCC = \"0.01\" }\nholdings = { AAA = \"51\", BBB = \"49\" }",
        ),
        portfolio("old", "100", "targets = { AAA = \"50\", OLD = \"50\" }"),
        portfolio("nothing", "0", "targets = { AAA = \"100\" }"),
        portfolio("buffer", "100", "targets = { AAA = \"100\" }\npolicy = { cash_buffer = \"25\" }"),
    ];
    desk.file("p.toml", portfolios.concat());
    let line = "plan --portfolios p.toml --prices prices.csv --max-price-age 2d";
    expect![[r#"
        inside: inside its band, nothing to do
        worth 202.00 USD; drift 0.9901 % of a target, band 5.0000 %
        symbol  weight %  target %  why
        ─────── ───────── ───────── ────────────────
        AAA      50.4950   50.0000  inside the band
        BBB      49.5050   50.0000  inside the band

        at-target: out of band, 2 trades
        worth 1,000.00 USD; drift 20.0000 % of a target, band 5.0000 %
        symbol  weight %  target %  after %  trade  quantity  price  amount  why
        ─────── ───────── ───────── ──────── ────── ───────── ────── ─────── ──────────────
        AAA      50.0000   50.0000  50.0000                                  at its target
        BBB      20.0000   25.0000  25.0000  buy           5  10.00   50.00  out of band
        CCC      30.0000   25.0000  25.0000  sell          5  10.00   50.00  out of band
        sells first, then buys: turnover 100.00 USD, cost at most 0.00 USD, cash never below 0.00 USD; a full restoration is paid for

        skips: out of band, 2 trades
        worth 1,000.00 USD; drift 100.0000 % of a target, band 5.0000 %
        symbol  weight %  target %  after %  trade  quantity  price  amount  why
        ─────── ───────── ───────── ──────── ────── ───────── ────── ─────── ─────────────────────────────────────────────────────────────────────────
        CASH      0.0000    0.0000   0.0100
        AAA      60.0000   50.0000  50.0000  sell         10  10.00  100.00  out of band
        BBB      40.0000   49.9900  49.9900  buy        9.99  10.00   99.90  out of band
        CCC       0.0000    0.0100   0.0000                                  out of band; left alone: worth 0.10, less than the minimum order of 1.00
        sells first, then buys: turnover 199.90 USD, cost at most 0.00 USD, cash never below 0.00 USD; a full restoration is paid for

        no-batch: out of band with nothing to trade
        worth 1,000.00 USD; drift 100.0000 % of a target, band 5.0000 %
        symbol  weight %  target %  why
        ─────── ───────── ───────── ─────────────────────────────────────────────────────────────────────────
        AAA      51.0000   50.0000  left alone: it is inside its band, and what is outside cannot be traded
        BBB      49.0000   49.9900  left alone: it is inside its band, and what is outside cannot be traded
        CCC       0.0000    0.0100  out of band; left alone: worth 0.10, less than the minimum order of 1.00

        old: refused: the price of OLD is 259200 s old: at most 172800 s are allowed

        nothing: refused: there is nothing to invest: the portfolio is worth 0, of which 0.00 are held back

        buffer: out of band, 1 trade
        worth 100.00 USD; drift 100.0000 % of a target, band 5.0000 %; 25.00 USD of cash are never invested
        symbol  weight %  target %   after %  trade  quantity  price  amount  why
        ─────── ───────── ───────── ───────── ────── ───────── ────── ─────── ────────────
        CASH    100.0000    0.0000    0.0000
        AAA       0.0000  100.0000  100.0000  buy         7.5  10.00   75.00  out of band
        all at once: turnover 75.00 USD, cost at most 0.00 USD, cash never below 25.00 USD; a full restoration is paid for

        7 portfolios at the prices of 2024-01-05: 3 to rebalance, 1 out of band with nothing to trade, 1 inside the band and 2 refused
    "#]].assert_eq(desk.run(line).done());
    expect![[r#"
        {"type":"plan","at":"2024-01-05","portfolio":"inside","out_of_band":false,"measure":"relative","drift":"0.9901","trades":[],"skipped":[],"weights":[{"symbol":"AAA","before":"50.4950","after":"50.4950","target":"50.0000"},{"symbol":"BBB","before":"49.5050","after":"49.5050","target":"50.0000"}],"currency":"USD","value":"202.00","turnover":"0.00","cost":"0.00","held_back":"0.00","stages":"together","certificate":{"lowest_cash":"0.00","restorable":true,"shortfall":"0.00"}}
        {"type":"plan","at":"2024-01-05","portfolio":"at-target","out_of_band":true,"measure":"relative","drift":"20.0000","trades":[{"symbol":"CCC","side":"sell","quantity":"5","price":"10","amount":"50.00"},{"symbol":"BBB","side":"buy","quantity":"5","price":"10","amount":"50.00"}],"skipped":[],"weights":[{"symbol":"AAA","before":"50.0000","after":"50.0000","target":"50.0000"},{"symbol":"BBB","before":"20.0000","after":"25.0000","target":"25.0000"},{"symbol":"CCC","before":"30.0000","after":"25.0000","target":"25.0000"}],"currency":"USD","value":"1000.00","turnover":"100.00","cost":"0.00","held_back":"0.00","stages":"sells_first","certificate":{"lowest_cash":"0.00","restorable":true,"shortfall":"0.00"}}
        {"type":"plan","at":"2024-01-05","portfolio":"skips","out_of_band":true,"measure":"relative","drift":"100.0000","trades":[{"symbol":"AAA","side":"sell","quantity":"10","price":"10","amount":"100.00"},{"symbol":"BBB","side":"buy","quantity":"9.99","price":"10","amount":"99.90"}],"skipped":[{"symbol":"CCC","reason":"worth 0.10, less than the minimum order of 1.00"}],"weights":[{"symbol":"CASH","before":"0.0000","after":"0.0100","target":"0.0000"},{"symbol":"AAA","before":"60.0000","after":"50.0000","target":"50.0000"},{"symbol":"BBB","before":"40.0000","after":"49.9900","target":"49.9900"},{"symbol":"CCC","before":"0.0000","after":"0.0000","target":"0.0100"}],"currency":"USD","value":"1000.00","turnover":"199.90","cost":"0.00","held_back":"0.00","stages":"sells_first","certificate":{"lowest_cash":"0.00","restorable":true,"shortfall":"0.00"}}
        {"type":"plan","at":"2024-01-05","portfolio":"no-batch","out_of_band":true,"measure":"relative","drift":"100.0000","trades":[],"skipped":[{"symbol":"AAA","reason":"it is inside its band, and what is outside cannot be traded"},{"symbol":"BBB","reason":"it is inside its band, and what is outside cannot be traded"},{"symbol":"CCC","reason":"worth 0.10, less than the minimum order of 1.00"}],"weights":[{"symbol":"AAA","before":"51.0000","after":"51.0000","target":"50.0000"},{"symbol":"BBB","before":"49.0000","after":"49.0000","target":"49.9900"},{"symbol":"CCC","before":"0.0000","after":"0.0000","target":"0.0100"}],"currency":"USD","value":"1000.00","turnover":"0.00","cost":"0.00","held_back":"0.00","stages":"together","certificate":{"lowest_cash":"0.00","restorable":true,"shortfall":"0.00"}}
        {"type":"refused","at":"2024-01-05","portfolio":"old","reason":"the price of OLD is 259200 s old: at most 172800 s are allowed"}
        {"type":"refused","at":"2024-01-05","portfolio":"nothing","reason":"there is nothing to invest: the portfolio is worth 0, of which 0.00 are held back"}
        {"type":"plan","at":"2024-01-05","portfolio":"buffer","out_of_band":true,"measure":"relative","drift":"100.0000","trades":[{"symbol":"AAA","side":"buy","quantity":"7.5","price":"10","amount":"75.00"}],"skipped":[],"weights":[{"symbol":"CASH","before":"100.0000","after":"0.0000","target":"0.0000"},{"symbol":"AAA","before":"0.0000","after":"100.0000","target":"100.0000"}],"currency":"USD","value":"100.00","turnover":"75.00","cost":"0.00","held_back":"25.00","stages":"together","certificate":{"lowest_cash":"25.00","restorable":true,"shortfall":"0.00"}}
    "#]].assert_eq(desk.run(&format!("{line} --format json")).done());
}

#[test]
fn prices_are_rounded_only_when_asked() {
    let desk = Desk::new();
    desk.file("p.toml", WORKED_EXAMPLE).file("prices.csv", WORKED_PRICES.replace("440", "439.99999999951"));
    let line = "plan --portfolios p.toml --prices prices.csv --format json";
    expect![[r#"
        prices.csv:5: close: "439.99999999951": it has 11 decimals, at most 9 are allowed; write 9, or ask for rounding (--round-prices)
        error: 1 fault in prices.csv
    "#]].assert_eq(desk.run(line).refused(2));
    let run = desk.run(&format!("{line} --round-prices"));
    assert_eq!((run.code, run.stderr.as_str()), (0, "note: 1 price was rounded to 9 decimals\n"));
    assert!(run.stdout.contains(r#""side":"sell","quantity":"5.0502525","price":"440""#), "{}", run.stdout);
}

#[test]
fn the_same_input_gives_the_same_bytes_from_files_and_pipes() {
    let desk = worked_example();
    let json = "{\"id\":\"growth\",\"currency\":\"USD\",\"cash\":\"0.00\",\"targets\":{\"META\":\"33.33\",\"AAPL\":\"33.33\",\"MSFT\":\"33.34\"},\
                \"holdings\":{\"META\":\"83.325\",\"AAPL\":\"202\",\"MSFT\":\"100\"}}";
    desk.file("p.jsonl", json);
    let expected = desk.run("plan --portfolios p.toml --prices prices.csv");
    assert_eq!(desk.run("plan --portfolios p.jsonl --prices prices.csv"), expected);
    assert_eq!(desk.run_with_stdin("plan --portfolios - --prices prices.csv", WORKED_EXAMPLE), expected);
    assert_eq!(desk.run_with_stdin("plan --portfolios - --prices prices.csv", json), expected);
    assert_eq!(desk.run_with_stdin("plan --portfolios p.toml --prices -", WORKED_PRICES), expected);
}

#[test]
fn a_file_in_order_is_summed_up() {
    let desk = Desk::new();
    desk.file("portfolios.toml", include_str!("../../../../examples/portfolios.toml"));
    expect![[r#"
        portfolios.toml: in order
        5 portfolios (1 absolute, 1 hybrid, 1 relative, 1 tighter, 1 total) in USD, 9 symbols held or targeted
    "#]]
    .assert_eq(desk.run("check --portfolios portfolios.toml").done());
    expect![[r#"
        stdin: in order
        1 portfolio (1 relative) in USD, 3 symbols held or targeted
    "#]]
    .assert_eq(desk.run_with_stdin("check --portfolios -", WORKED_EXAMPLE).done());
}

#[test]
fn the_example_can_be_planned_at_made_up_prices() {
    let desk = Desk::new();
    desk.file("portfolios.toml", include_str!("../../../../examples/portfolios.toml"));
    let prices = desk.run("prices");
    assert_eq!(prices.done().lines().count(), 2_501);
    assert!(prices.stdout.starts_with("date,symbol,close\n2024-01-02,AAPL,"), "{}", prices.stdout);
    let run = desk.run_with_stdin("plan --portfolios portfolios.toml --prices - --format json", &prices.stdout);
    assert_eq!(run.done().lines().filter(|line| line.starts_with("{\"type\":\"plan\",")).count(), 5);
}
