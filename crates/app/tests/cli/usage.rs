//! Wrong usage, help, and the variables of the environment.

use crate::harness::{Desk, Run};
use expect_test::expect;

#[test]
fn wrong_usage_is_told_on_standard_error() {
    let desk = Desk::new();
    for line in [
        "",
        "paln",
        "plan",
        "plan --portfolios a",
        "plan --portfolios a --prices b --format xml",
        "plan --portfolios a --prices b --max-price-age soon",
        "plan --portfolios - --prices -",
        "replay --portfolios a --prices b --profile calm",
        "replay --portfolios a --prices b --broker ideal --profile storm",
        "replay --portfolios a --prices b --broker real",
        "replay --portfolios a --prices b --records none",
        "replay --portfolios a --prices b --measure hybrid --band 5",
        "plan --portfolios a --prices b --measure drift",
        "plan --portfolios a --prices b --band 101",
        "prices --symbols 0",
        "prices --symbols 100001",
        "prices --days 0",
        "prices --days 62001",
        "prices --seed -1",
        "check --portfolios a --color blue",
        "completions",
    ] {
        let run = desk.run(line);
        assert!(!run.refused(2).is_empty(), "{line}");
    }
    expect![[r#"
        error: --symbols 100001: a fake market has 1 to 100000 symbols, not 100001

        Usage: evenkeel [OPTIONS] <COMMAND>

        For more information, try '--help'.
    "#]]
    .assert_eq(desk.run("prices --symbols 100001").refused(2));
    expect![[r#"
        error: --profile is for --broker banchile: the broker ideal has no weather

        Usage: evenkeel [OPTIONS] <COMMAND>

        For more information, try '--help'.
    "#]]
    .assert_eq(desk.run("replay --portfolios a --prices b --profile calm").refused(2));
    expect![[r#"
        error: invalid value 'soon' for '--max-price-age <S>': it is not a whole number with ms, s, m, h or d behind it

        For more information, try '--help'.
    "#]]
    .assert_eq(desk.run("plan --portfolios a --prices b --max-price-age soon").refused(2));
}

#[test]
fn help_and_version_are_results() {
    let desk = Desk::new();
    for command in ["demo", "prices", "plan", "replay", "check", "completions"] {
        for help in ["--help", "-h"] {
            let run = desk.run(&format!("{command} {help}"));
            let (_, examples) = run.done().split_once("Examples:\n").unwrap();
            assert!(examples.starts_with(&format!("  evenkeel {command}")), "{examples}");
        }
    }
    assert_eq!(desk.run("--version").done(), concat!("evenkeel ", env!("CARGO_PKG_VERSION"), "\n"));
    expect![[r#"
        Keeps investment portfolios at their target weights

        Usage: evenkeel [OPTIONS] <COMMAND>

        Commands:
          demo         Show the whole story on a made-up market: drift, rebalances, a failure that is
                       compensated
          prices       Print made-up prices as CSV, to try things with
          plan         Show what would be traded at each symbol's last price; sends nothing
          replay       Run portfolios through recorded prices with a simulated broker
          check        Find every fault in a portfolios file
          status       Show where every portfolio of a store stands, and what needs a person
          alerts       Show the alerts that nobody has acknowledged, or acknowledge them
          audit        Show what happened, record by record; or verify that nothing of it was changed
          halt         Have nothing sent any more: for everything, a portfolio or a symbol
          release      Take a halt back
          recover      Finish every batch that a process left open
          reconcile    Compare books and broker; nothing is traded
          resolve      Resolve a stale or quarantined portfolio: shows what it would do, then asks
          abort        Have the open batch of a portfolio unwound
          completions  Print the completions of a shell
          help         Print this message or the help of the given subcommand(s)

        Options:
          -h, --help     Print help
          -V, --version  Print version

        General options:
              --color <WHEN>   When to use colour: auto is on a terminal, unless NO_COLOR is set [default:
                               auto] [possible values: auto, always, never]
              --config <FILE>  Settings, in TOML: leases, attempts, deadlines

        Examples:
          evenkeel demo
              Watch portfolios drift on a made-up market and be brought back
          evenkeel check --portfolios examples/portfolios.toml
              Every fault in your portfolios, with its line and what would be right
          evenkeel prices --days 500 > prices.csv
          evenkeel plan --portfolios examples/portfolios.toml --prices prices.csv
              What would be traded now, and why

        Exit codes:
          0 done, 1 something needs a person, 2 bad usage or input, 3 a dependency failed, 130 interrupted

        EVENKEEL_LOG sets what is logged on standard error: warn (the default), debug, …
    "#]]
    .assert_eq(desk.run("--help").done());
    expect![[r#"
        Show what would be traded at each symbol's last price; sends nothing

        Usage: evenkeel plan [OPTIONS] --portfolios <FILE> --prices <CSV>

        Options:
              --portfolios <FILE>  The portfolios: TOML, or JSON lines if it ends in .jsonl; - for standard
                                   input
              --prices <CSV>       The prices: CSV with the columns date, symbol and close; - for standard
                                   input
              --max-price-age <S>  Refuse portfolios with a price older than that, in seconds, or like 60s,
                                   6h, 3d
              --round-prices       Round prices of more than 9 decimals, half to even, instead of refusing
                                   them
              --format <FORMAT>    Tables for people, or one JSON object per line [default: text] [possible
                                   values: text, json]
          -h, --help               Print help
          -V, --version            Print version

        Another policy for every portfolio, instead of the file's:
              --measure <MEASURE>  How drift is measured; its bands are those that are given with it, or 5
                                   [possible values: relative, absolute, hybrid, tighter, total]
              --band <B>           The band of relative, absolute and total; without --measure, of the one
                                   that each portfolio has
              --relative <R>       The band of hybrid and tighter that is in percent of the target
              --absolute <A>       The band of hybrid and tighter that is in percentage points

        General options:
              --color <WHEN>   When to use colour: auto is on a terminal, unless NO_COLOR is set [default:
                               auto] [possible values: auto, always, never]
              --config <FILE>  Settings, in TOML: leases, attempts, deadlines

        Examples:
          evenkeel plan --portfolios examples/portfolios.toml --prices prices.csv
              Each portfolio: its drift, its trades, and why the rest is left alone
          evenkeel plan --portfolios many.jsonl --prices prices.csv --format json | jq .drift
              The drift of each of many
          evenkeel plan --portfolios mine.toml --prices prices.csv --measure relative --band 10
              What would be traded if all of them had this policy
          evenkeel plan --portfolios mine.toml --prices prices.csv --max-price-age 3d
              Refuse portfolios with a price more than three days older than the newest

        Every symbol that a portfolio holds or targets must have a price. A fault in any file ends the
        command with exit code 2, before anything is printed to standard output.
    "#]]
    .assert_eq(desk.run("plan --help").done());
}

#[test]
fn completions_are_for_every_shell() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(desk.run(&format!("completions {shell}")).done().contains("max-price-age"), "{shell}");
    }
}

#[test]
fn the_log_has_levels() {
    let desk = Desk::new();
    let run = |level: &str| {
        let mut command = desk.command("prices --days 1 --symbols 1");
        Run::new(&command.env("EVENKEEL_LOG", level).output().unwrap())
    };
    for level in ["", "off", "debug", "warn,evenkeel_engine=trace"] {
        assert!(run(level).done().starts_with("date,symbol,close\n2024-01-02,"), "{level}");
    }
    expect![[r#"
        error: EVENKEEL_LOG: "loud": there is no such level; write off, error, warn, info, debug or trace; or, for a part of the program, evenkeel_engine=debug
    "#]].assert_eq(run("loud").refused(2));
}
