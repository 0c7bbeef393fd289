//! Policies that are tried: what comes of them is what would come of a file that says the same, and what is printed can be compared.

use crate::harness::{Desk, Run};
use evenkeel_domain::values::Money;
use expect_test::expect;
use serde_json::Value;
use std::path::Path;

/// One of each kind, in two currencies, with a policy that is filled in.
fn portfolios(policies: [&str; 3]) -> String {
    let [growth, income, euros] = policies;
    let one = |id: &str, currency: &str, targets: &str, policy: &str| {
        let policy = format!("[portfolio.policy]\n{policy}\nminimum_order = \"5.00\"\n");
        format!(
            "[[portfolio]]\nid = \"{id}\"\ncurrency = \"{currency}\"\ncash = \"50000.00\"\ntargets = {{ {targets} }}\n{policy}"
        )
    };
    one("growth", "USD", "AAPL = \"60\", MSFT = \"40\"", growth)
        + &one("income", "USD", "MSFT = \"50\", CASH = \"50\"", income)
        + &one("euros", "EUR", "AAPL = \"50\", MSFT = \"50\"", euros)
}

/// Two symbols, and a policy of each kind of measure.
fn desk(days: u32) -> Desk {
    let desk = Desk::new();
    desk.file(
        "p.toml",
        portfolios(["measure = \"relative\"\nband = \"5\"", "measure = \"absolute\"\nband = \"2\"", ""]),
    );
    let prices = desk.run(&format!("prices --seed 11 --days {days} --symbols 2"));
    desk.file("prices.csv", prices.done());
    desk
}

const REPLAY: &str = "replay --portfolios p.toml --prices prices.csv";

/// What is printed, without the time that it took, and without what was tried.
fn timeless(text: &str) -> String {
    let line = |line: &str| match line.split_once(" in ") {
        Some((before, after)) if before.ends_with("wave") || before.ends_with("waves") => {
            format!("{before}:{}\n", after.split_once(':').unwrap().1)
        }
        _ => line.split(r#","policy":"#).next().unwrap().split(r#","elapsed"#).next().unwrap().to_owned() + "\n",
    };
    text.lines().map(line).collect()
}

#[test]
fn a_policy_that_is_tried_is_as_good_as_one_in_the_file() {
    for (options, keys) in [
        ("--measure relative --band 3", "measure = \"relative\"\nband = \"3\""),
        ("--measure absolute", "measure = \"absolute\""),
        ("--measure total --band 0", "measure = \"total\"\nband = \"0\""),
        ("--measure hybrid --relative 5 --absolute 1.5", "measure = \"hybrid\"\nrelative = \"5\"\nabsolute = \"1.5\""),
        ("--measure tighter --relative 20 --absolute 3", "measure = \"tighter\"\nrelative = \"20\"\nabsolute = \"3\""),
    ] {
        let desk = desk(120);
        let commands = ["replay --prices prices.csv --format json", "plan --prices prices.csv"];
        let tried = commands.map(|command| desk.run(&format!("{command} --portfolios p.toml {options}")));
        desk.file("written.toml", portfolios([keys; 3]));
        let written = commands.map(|command| desk.run(&format!("{command} --portfolios written.toml")));
        for (tried, written) in tried.iter().zip(&written) {
            assert_eq!(timeless(tried.done()), timeless(written.done()), "{options}");
        }
        assert!(written[0].stdout.contains(r#"{"type":"rebalance""#), "{options}");
    }
}

#[test]
fn a_band_alone_leaves_each_portfolio_its_measure() {
    let desk = desk(120);
    let tried = desk.run(&format!("{REPLAY} --format json --band 3"));
    desk.file("p.toml", portfolios(["band = \"3\"", "measure = \"absolute\"\nband = \"3\"", "band = \"3\""]));
    assert_eq!(timeless(tried.done()), timeless(desk.run(&format!("{REPLAY} --format json")).done()));
}

#[test]
fn bands_that_a_measure_does_not_have_are_refused_for_each_portfolio() {
    let desk = desk(1);
    desk.file(
        "p.toml",
        portfolios(["", "measure = \"hybrid\"\nrelative = \"20\"\nabsolute = \"3\"", "measure = \"total\""]),
    );
    let refused = |options: &str| {
        let [replay, plan] = ["replay", "plan"]
            .map(|command| desk.run(&format!("{command} --portfolios p.toml --prices prices.csv {options}")));
        assert_eq!(replay, plan, "{options}");
        replay.refused(2).to_owned()
    };
    expect![[r#"
        the command line: portfolio "income": --band 5.0000: its measure hybrid has relative and absolute; add --measure, so that all are tried with one
        error: 1 fault in the command line
    "#]].assert_eq(&refused("--band 5"));
    expect![[r#"
        the command line: portfolio "growth": --relative 20.0000 --absolute 5.0000: its measure relative has band; add --measure, so that all are tried with one
        the command line: portfolio "euros": --relative 20.0000 --absolute 5.0000: its measure total has band; add --measure, so that all are tried with one
        error: 2 faults in the command line
    "#]].assert_eq(&refused("--absolute 5 --relative 20"));
    expect![[r#"
        error: a policy is tried without --store: a store would keep it, and go on with it from then on

        Usage: evenkeel [OPTIONS] <COMMAND>

        For more information, try '--help'.
    "#]]
    .assert_eq(desk.run(&format!("{REPLAY} --band 5 --store s.db")).refused(2));
    assert!(!desk.path().join("s.db").exists());
}

#[test]
fn what_is_printed_is_what_is_wanted() {
    let desk = desk(30);
    let run = |options: &str| timeless(desk.run(&format!("{REPLAY} --broker banchile {options}")).done());
    expect![[r#"
        EUR value      54,047.01, turnover      50,165.28, fees      25.36, cost      35.78;     2 completed
        USD value     107,153.14, turnover      76,494.27, fees      38.48, cost      54.80;     4 completed
    "#]]
    .assert_eq(&run("--records summary"));
    expect![[r#"
        hybrid, relative   2.0000, absolute   0.5000: EUR value      54,041.61, turnover      56,339.64, fees      28.61, cost      40.90;     7 completed
        hybrid, relative   2.0000, absolute   0.5000: USD value     107,107.16, turnover      83,965.86, fees      43.52, cost      61.98;    13 completed
    "#]].assert_eq(&run("--records summary --measure hybrid --relative 2 --absolute 0.5"));
    expect![[r#"
        portfolio  status  rebalances      value       cash   turnover   fees   cost
        ────────── ─────── ─────────── ────────── ────────── ────────── ────── ──────
        growth     active           1  53,260.00   1,346.21  48,629.47  24.32  36.39
        income     active           1  53,910.15  25,011.80  24,975.71  12.49  16.09
        euros      active           1  53,986.52   1,348.14  48,627.54  24.32  34.46

        3 portfolios over 30 waves: 3 completed
        band  10.0000: EUR value      53,986.52, turnover      48,627.54, fees      24.32, cost      34.46;     1 completed
        band  10.0000: USD value     107,170.15, turnover      73,605.18, fees      36.81, cost      52.48;     2 completed
    "#]].assert_eq(&run("--records portfolios --band 10"));
    expect![[r#"
        2024-01-02  growth: drift 100.0000, completed: 2 trades for 48,629.47
        2024-01-02  income: drift 50.0000, completed: 1 trade for 24,975.71
        2024-01-02  euros: drift 100.0000, completed: 2 trades for 48,627.54

        portfolio  status  rebalances      value       cash   turnover   fees   cost
        ────────── ─────── ─────────── ────────── ────────── ────────── ────── ──────
        growth     active           1  53,260.00   1,346.21  48,629.47  24.32  36.39
        income     active           1  53,910.15  25,011.80  24,975.71  12.49  16.09
        euros      active           1  53,986.52   1,348.14  48,627.54  24.32  34.46

        3 portfolios over 30 waves: 3 completed
        band  10.0000: EUR value      53,986.52, turnover      48,627.54, fees      24.32, cost      34.46;     1 completed
        band  10.0000: USD value     107,170.15, turnover      73,605.18, fees      36.81, cost      52.48;     2 completed
    "#]].assert_eq(&run("--band 10"));
    expect![[r#"
        {"type":"summary","portfolios":3,"waves":30,"prices":60,"rebalances":6,"restored":0,"stale":0,"currencies":[{"currency":"EUR","portfolios":1,"value":"54047.01","turnover":"50165.28","fees":"25.36","cost":"35.78","rebalances":2,"restored":0,"stale":0},{"currency":"USD","portfolios":2,"value":"107153.14","turnover":"76494.27","fees":"38.48","cost":"54.80","rebalances":4,"restored":0,"stale":0}]
    "#]].assert_eq(&run("--records summary --format json"));
    expect![[r#"
        {"type":"portfolio","portfolio":"growth","status":"active","at":"2024-02-12","currency":"USD","cash":"147.09","value":"53312.90","rebalances":2,"restored":0,"turnover":"50349.25","fees":"25.40","cost":"37.71","holdings":[{"symbol":"AAPL","quantity":"165.415462363","price":"187.16","value":"30959.16","weight":"58.2025","target":"60.0000"},{"symbol":"MSFT","quantity":"51.742043169","price":"429.18","value":"22206.65","weight":"41.7480","target":"40.0000"}]}
        {"type":"portfolio","portfolio":"income","status":"active","at":"2024-02-12","currency":"USD","cash":"26180.52","value":"53840.24","rebalances":2,"restored":0,"turnover":"26145.02","fees":"13.08","cost":"17.09","holdings":[{"symbol":"CASH","quantity":"26180.52","price":"1","value":"26180.52","weight":"48.5674","target":"50.0000"},{"symbol":"MSFT","quantity":"64.447829248","price":"429.18","value":"27659.72","weight":"51.4326","target":"50.0000"}]}
        {"type":"portfolio","portfolio":"euros","status":"active","at":"2024-02-12","currency":"EUR","cash":"145.12","value":"54047.01","rebalances":2,"restored":0,"turnover":"50165.28","fees":"25.36","cost":"35.78","holdings":[{"symbol":"AAPL","quantity":"138.720859813","price":"187.16","value":"25963.00","weight":"48.1469","target":"50.0000"},{"symbol":"MSFT","quantity":"65.098304473","price":"429.18","value":"27938.89","weight":"51.8111","target":"50.0000"}]}
        {"type":"summary","portfolios":3,"waves":30,"prices":60,"rebalances":6,"restored":0,"stale":0,"currencies":[{"currency":"EUR","portfolios":1,"value":"54047.01","turnover":"50165.28","fees":"25.36","cost":"35.78","rebalances":2,"restored":0,"stale":0},{"currency":"USD","portfolios":2,"value":"107153.14","turnover":"76494.27","fees":"38.48","cost":"54.80","rebalances":4,"restored":0,"stale":0}]
    "#]].assert_eq(&run("--records portfolios --format json"));

    // What is left out changes nothing of the rest.
    let all = run("--format json");
    for (which, kinds) in [("portfolios", ["portfolio", "summary"].as_slice()), ("summary", ["summary"].as_slice())] {
        let is_wanted = |line: &&str| kinds.iter().any(|kind| line.starts_with(&format!(r#"{{"type":"{kind}""#)));
        let wanted: String = all.lines().filter(is_wanted).map(|line| format!("{line}\n")).collect();
        assert_eq!(run(&format!("--format json --records {which}")), wanted);
    }
    let story = run("");
    assert!(story.ends_with(&run("--records portfolios")), "{story}");
}

#[test]
fn what_is_unusual_is_said_beside_the_sums() {
    let desk = desk(2);
    let prices = "date,symbol,close\n2024-01-02,AAPL,0.1234567891\n2024-01-02,MSFT,1\n";
    desk.file("prices.csv", prices);
    let run = desk.run(&format!("{REPLAY} --round-prices --records summary"));
    expect![[r#"
        3 portfolios over 1 wave: 3 completed and 1 price rounded to 9 decimals
        EUR value      50,000.00, turnover      50,000.00, fees       0.00, cost       0.00;     1 completed
        USD value     100,000.00, turnover      75,000.00, fees       0.00, cost       0.00;     2 completed
    "#]]
    .assert_eq(&timeless(run.done()));
}

/// The README's loop over bands, with the prices that it makes, prints what the README says.
#[cfg(unix)]
#[test]
fn the_readme_tells_what_trying_bands_prints() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let prices = readme.lines().find(|line| line.starts_with("evenkeel prices ")).unwrap();
    let (_, passage) = readme.split_once("**Try policies.**").unwrap();
    let block =
        |language: &str| passage.split_once(&format!("```{language}\n")).unwrap().1.split_once("```").unwrap().0;

    let desk = Desk::new();
    std::fs::create_dir(desk.path().join("examples")).unwrap();
    desk.file("examples/portfolios.toml", std::fs::read(root.join("examples/portfolios.toml")).unwrap());
    let program = Path::new(env!("CARGO_BIN_EXE_evenkeel")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let mut shell = std::process::Command::new("sh");
    shell.args(["-ec", &format!("{prices}\n{}", block("sh"))]).env("PATH", path).current_dir(desk.path());
    let run = Run::new(&shell.output().unwrap());
    assert_eq!(run.done(), block("text"), "the README should say this:\n{}", run.stdout);
}

/// The records of one kind.
fn records(text: &str, kind: &str) -> Vec<Value> {
    let records = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    records.filter(|record| record["type"] == kind).collect()
}

fn sum<'v>(amounts: impl Iterator<Item = &'v Value>) -> Money {
    Money::sum(amounts.map(|amount| amount.as_str().unwrap().parse().unwrap())).unwrap()
}

/// What all portfolios cost is what each did, and that is what `audit` tells leg by leg; also of a store that was gone on with.
#[test]
fn sums_are_those_of_the_portfolios_and_theirs_are_those_of_their_legs() {
    let desk = desk(200);
    for weather in ["calm", "storm"] {
        let store = format!("--store {weather}.db --bank {weather}-bank.db --broker banchile --profile {weather}");
        let all = std::fs::read_to_string(desk.path().join("prices.csv")).unwrap();
        let some: String = all.lines().take(150).map(|line| format!("{line}\n")).collect();
        desk.file("some.csv", some);
        for prices in ["some.csv", "prices.csv"] {
            let run = desk.run(&format!("replay --portfolios p.toml --prices {prices} {store} --format json"));
            assert!(run.code < 2, "{run:?}");
            let portfolios = records(&run.stdout, "portfolio");
            let audited = desk.run(&format!("audit --store {weather}.db --format json"));
            for portfolio in &portfolios {
                let closed = records(audited.done(), "record");
                let legs = closed.iter().filter(|record| record["portfolio"] == portfolio["portfolio"]);
                let legs: Vec<&Value> = legs.filter_map(|record| record["legs"].as_array()).flatten().collect();
                let [fees, slippage] = ["fees", "slippage"].map(|what| sum(legs.iter().map(|leg| &leg[what])));
                assert!(fees.is_positive() && !slippage.is_zero(), "{portfolio}");
                assert_eq!(sum([&portfolio["fees"]].into_iter()), fees, "{portfolio}");
                assert_eq!(sum([&portfolio["cost"]].into_iter()), fees.add(slippage).unwrap(), "{portfolio}");
            }
            let [summary] = <[Value; 1]>::try_from(records(&run.stdout, "summary")).unwrap();
            let currencies = summary["currencies"].as_array().unwrap();
            assert_eq!(currencies.iter().map(|sums| &sums["currency"]).collect::<Vec<_>>(), ["EUR", "USD"]);
            for sums in currencies {
                let of = portfolios.iter().filter(|portfolio| portfolio["currency"] == sums["currency"]);
                let of: Vec<&Value> = of.collect();
                assert_eq!(sums["portfolios"], of.len());
                for what in ["value", "turnover", "fees", "cost"] {
                    assert_eq!(sum([&sums[what]].into_iter()), sum(of.iter().map(|one| &one[what])), "{what}");
                }
                for what in ["rebalances", "restored"] {
                    let counted: u64 = of.iter().map(|one| one[what].as_u64().unwrap()).sum();
                    assert_eq!(sums[what], counted, "{what}");
                }
            }
        }
    }
}

/// Twenty-three years of ten stocks, where they are present beside the workspace: what each policy must come to was computed elsewhere.
#[test]
fn policies_that_are_tried_come_to_what_an_oracle_says() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let Ok(prices) = std::fs::read(data.join("dev_prices.csv")) else {
        eprintln!("skipped: there is no {}", data.display());
        return;
    };
    let desk = Desk::new();
    desk.file("prices.csv", prices);
    for name in ["absolute5", "hybrid", "relative25", "tighter", "never"] {
        let oracle = std::fs::read_to_string(data.join(format!("oracle/four-{name}.json"))).unwrap();
        let oracle: Value = serde_json::from_str(&oracle).unwrap();
        let mut portfolio = oracle["portfolio"].clone();
        portfolio["currency"] = "USD".into();
        let policy = portfolio.as_object_mut().unwrap().remove("policy").unwrap();
        let options = policy.as_object().unwrap().iter();
        let options: String = options.map(|(key, value)| format!(" --{key} {}", value.as_str().unwrap())).collect();
        desk.file("p.jsonl", portfolio.to_string());
        let line = format!("replay --portfolios p.jsonl --prices prices.csv --format json --records summary{options}");
        let run = desk.run(&line);
        let [summary] = <[Value; 1]>::try_from(records(run.done(), "summary")).unwrap();
        let (sums, expected) = (&summary["currencies"][0], &oracle["final"]);
        assert_eq!(sums["rebalances"], oracle["rebalances"].as_array().unwrap().len(), "{line}");
        assert_eq!([&sums["fees"], &sums["cost"]], ["0.00"; 2], "{line}");
        for what in ["value", "turnover"] {
            let [is, should] = [&sums[what], &expected[what]].map(|v| v.as_str().unwrap().parse::<f64>().unwrap());
            assert!((is - should).abs() <= should * 1e-5, "{line}: {what} is {is}, should be {should}");
        }
    }
}
