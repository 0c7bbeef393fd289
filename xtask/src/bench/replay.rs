//! The whole command `replay`, from its start to its last line: portfolio-days per second, on made-up prices.

use super::Row;
use crate::Outcome;
use crate::cargo::{cargo, output, run};
use crate::workspace::Workspace;
use std::fmt::Write;
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// How often each is run, in turns.
const ROUNDS: usize = 5;

/// Days and portfolios of the larger run.
struct Size {
    days: u32,
    portfolios: u32,
}

/// Measures both, and gives their rows.
#[expect(clippy::float_arithmetic, reason = "rates are for people to read")]
pub(super) fn measure(workspace: &Workspace, folder: &Path, is_quick: bool) -> Result<Vec<Row>, String> {
    let size = if is_quick { Size { days: 60, portfolios: 20 } } else { Size { days: 5_785, portfolios: 1_000 } };
    run(&mut cargo(&workspace.root, "build --release --locked --quiet --package evenkeel-app --bin evenkeel"))?;
    let program = workspace.target.join("release/evenkeel");
    let prices = output(
        Command::new(&program).args(["prices", "--seed", "1", "--symbols", "10", "--days"]).arg(size.days.to_string()),
    )?;
    let symbols: Vec<&str> = prices.lines().skip(1).take(10).filter_map(|row| row.split(',').nth(1)).collect();
    write(&folder.join("prices.csv"), &prices)?;
    write(&folder.join("one.jsonl"), &portfolios(1, &symbols))?;
    write(&folder.join("many.jsonl"), &portfolios(size.portfolios, &symbols))?;

    let (mut one, mut many) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        one.push(seconds(&program, folder, "one.jsonl")?);
        many.push(seconds(&program, folder, "many.jsonl")?);
    }
    let days = f64::from(size.days);
    let row = |what: &str, value: f64, unit: &str| Row {
        world: "replay".to_owned(),
        what: what.to_owned(),
        value,
        unit: unit.to_owned(),
    };
    let rebalances = |name: &str| rebalances(&folder.join(name).with_extension("out"));
    Ok(vec![
        row("one portfolio of 10, portfolio-days", days / median(one), "per second"),
        row("1,000 portfolios of 10, portfolio-days", days * f64::from(size.portfolios) / median(many), "per second"),
        row("rebalances of the one portfolio", rebalances("one.jsonl")?, "in all"),
        row("rebalances of the 1,000", rebalances("many.jsonl")?, "in all"),
    ])
}

/// Equal weights, and a wide band, as on real prices.
fn portfolios(count: u32, symbols: &[&str]) -> String {
    let targets: Vec<String> = symbols.iter().map(|symbol| format!(r#""{symbol}":"10""#)).collect();
    let mut text = String::new();
    for n in 0..count {
        let policy = r#"{"measure":"relative","band":"25"}"#;
        let targets = targets.join(",");
        // Writing to a text does not fail.
        let _written = writeln!(
            text,
            r#"{{"id":"p{n}","currency":"USD","cash":"1000000.00","targets":{{{targets}}},"policy":{policy}}}"#
        )
        .is_ok();
    }
    text
}

/// How long one run takes, which prints to a file.
fn seconds(program: &Path, folder: &Path, portfolios: &str) -> Result<f64, String> {
    let path = folder.join(portfolios).with_extension("out");
    let out = File::create(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut command = Command::new(program);
    command.args(["replay", "--prices", "prices.csv", "--format", "json", "--portfolios", portfolios]);
    #[expect(clippy::disallowed_methods, reason = "time is what is measured")]
    let start = Instant::now();
    let status = command.current_dir(folder).stdout(out).status();
    let taken = start.elapsed().as_secs_f64();
    match status {
        Ok(status) if status.success() => Ok(taken),
        other => Err(format!("replay of {portfolios} failed: {other:?}")),
    }
}

/// As the summary, the last line, counts them.
fn rebalances(path: &Path) -> Result<f64, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let summary = text.lines().last().and_then(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let count = summary.and_then(|summary| summary.get("rebalances")?.as_f64());
    count.ok_or_else(|| format!("{}: there is no summary", path.display()))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn write(path: &Path, text: &str) -> Outcome {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
