//! What `replay` does not look at has no influence: with limits on jumps, which no price of these reaches, every portfolio is shown every
//! wave, and without them only those that are found out of band. Both must print the same.

use crate::harness::Desk;

const MEASURES: [&str; 5] = [
    "measure = \"relative\"\nband = \"5\"",
    "measure = \"absolute\"\nband = \"1\"",
    "measure = \"hybrid\"\nrelative = \"10\"\nabsolute = \"1\"",
    "measure = \"tighter\"\nrelative = \"10\"\nabsolute = \"5\"",
    "measure = \"total\"\nband = \"2\"",
];

const TARGETS: [&str; 3] =
    ["AAPL = \"25\", MSFT = \"25\", NVDA = \"50\"", "MSFT = \"99\", CASH = \"1\"", "NVDA = \"60\", AMZN = \"40\""];

/// A portfolio of each measure with each of the targets.
fn portfolios() -> String {
    let mut text = String::new();
    for (m, measure) in MEASURES.iter().enumerate() {
        for (t, targets) in TARGETS.iter().enumerate() {
            text += &format!("[[portfolio]]\nid = \"p{m}-{t}\"\ncurrency = \"USD\"\ncash = \"100000.00\"\n");
            text += &format!("targets = {{ {targets} }}\n[portfolio.policy]\n{measure}\ncash_buffer = \"10.00\"\n");
        }
    }
    text
}

/// Days of the fake market, there and back again, so that what was out of band would be inside again; twice a day, each time with some symbols
/// alone.
fn prices(desk: &Desk) -> String {
    let mut text = "time,symbol,close\n".to_owned();
    let made = desk.run("prices --seed 5 --days 160 --symbols 8").stdout;
    let rows: Vec<Vec<&str>> = made.lines().skip(1).map(|row| row.split(',').collect()).collect();
    let days: Vec<_> = rows.chunk_by(|one, other| one.first() == other.first()).collect();
    let there_and_back = days.iter().take(80).chain(days.iter().take(80).rev());
    for (number, (day, priced)) in days.iter().zip(there_and_back).enumerate() {
        let date = day.first().and_then(|row| row.first()).unwrap();
        for (half, time) in ["T14:30:00Z", "T20:00:00Z"].into_iter().enumerate() {
            for (place, row) in priced.iter().enumerate() {
                // Which symbols come early differs from day to day; one in five comes not at all.
                let draw = number.wrapping_mul(7).wrapping_add(place.wrapping_mul(3));
                if draw % 5 != 0 && draw / 5 % 2 == half {
                    let symbol_and_price = row.get(1..).unwrap().join(",");
                    text += &format!("{date}{time},{symbol_and_price}\n");
                }
            }
        }
    }
    text
}

#[test]
fn portfolios_that_are_not_looked_at_would_have_done_nothing() {
    let desk = Desk::new();
    let prices = prices(&desk);
    desk.file("p.toml", portfolios()).file("prices.csv", prices);
    let weathers = ["--broker ideal", "--broker banchile --profile calm", "--broker banchile --profile storm --seed 3"];
    for weather in weathers {
        for age in ["", "max_price_age = \"40h\"\n"] {
            desk.file("few.toml", age).file("all.toml", format!("{age}max_price_jump = \"1000\"\n"));
            let [few, all] = ["few", "all"].map(|config| {
                let line = format!("replay --config {config}.toml --portfolios p.toml --prices prices.csv {weather}");
                let run = desk.run(&format!("{line} --format json"));
                let lines = run.stdout.lines().filter(|line| !line.starts_with(r#"{"type":"summary""#));
                (run.code, lines.map(str::to_owned).collect::<Vec<_>>())
            });
            let rebalances = all.1.iter().filter(|line| line.starts_with(r#"{"type":"rebalance""#)).count();
            assert!(rebalances > 50, "{weather} {age}: {rebalances} rebalances");
            assert_eq!(few, all, "{weather} {age}");
        }
    }
}

/// More portfolios than go through a chunk at once, over more waves than the first chunks have.
#[test]
fn lines_come_wave_by_wave_and_each_portfolio_does_what_it_does_alone() {
    let desk = Desk::new();
    // A wave every second: batches last longer in a storm, so some are open when a chunk ends.
    let prices = every_second(&desk.run("prices --seed 5 --days 160 --symbols 4").stdout);
    let portfolio = |n: usize| {
        let (one, other) = (["AAPL", "MSFT"][n % 2], ["GOOGL", "AMZN"][n / 2 % 2]);
        let targets = format!("{{\"{one}\":\"{}\",\"{other}\":\"{}\"}}", 10 + n % 80, 90 - n % 80);
        let policy = "{\"measure\":\"relative\",\"band\":\"5\"}";
        format!(
            "{{\"id\":\"p{n}\",\"currency\":\"USD\",\"cash\":\"{}00.00\",\"targets\":{targets},\"policy\":{policy}}}\n",
            100 + n
        )
    };
    desk.file("prices.csv", prices).file("all.jsonl", (0..300).map(portfolio).collect::<String>());
    let replay = |portfolios: &str| {
        let weather = "--broker banchile --profile storm --seed 3 --format json";
        let run = desk.run(&format!("replay --portfolios {portfolios} --prices prices.csv {weather}"));
        assert!([0, 1].contains(&run.code), "{}", run.stderr);
        let told: Vec<String> = run.stdout.lines().filter(|line| line.contains("\"at\":")).map(str::to_owned).collect();
        told
    };
    let all = replay("all.jsonl");
    // What is told of portfolios at the end stands after all that happened.
    let happened = all.iter().filter(|line| !line.starts_with(r#"{"type":"portfolio""#));
    let places: Vec<(&str, usize)> =
        happened.map(|line| (field(line, "at"), field(line, "portfolio")[1..].parse().unwrap())).collect();
    assert!(places.len() > 3_000, "{} lines", places.len());
    assert!(places.is_sorted(), "by wave, then in the file's order");
    for n in (0..300).step_by(12) {
        desk.file("alone.jsonl", portfolio(n));
        let id = format!("p{n}");
        let among: Vec<&String> = all.iter().filter(|line| field(line, "portfolio") == id).collect();
        let alone = replay("alone.jsonl");
        assert_eq!(among, alone.iter().collect::<Vec<_>>(), "{id}");
    }
}

/// The days of these prices, as seconds of one session.
fn every_second(prices: &str) -> String {
    let rows: Vec<(&str, &str)> = prices.lines().skip(1).map(|row| row.split_once(',').unwrap()).collect();
    let mut text = "time,symbol,close\n".to_owned();
    for (n, day) in rows.chunk_by(|(one, _), (other, _)| one == other).enumerate() {
        let time = format!("2024-01-02T15:{:02}:{:02}Z", n / 60, n % 60);
        day.iter().for_each(|(_, priced)| text += &format!("{time},{priced}\n"));
    }
    text
}

/// The text of a field that has no quotes in it.
fn field<'l>(line: &'l str, name: &str) -> &'l str {
    let after = line.split_once(&format!("\"{name}\":\"")).unwrap().1;
    after.split_once('"').unwrap().0
}
