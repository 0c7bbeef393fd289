//! `cargo xtask bench`: every figure that the project names, measured here and now, in one table; and which targets it misses.
//!
//! The benches of the crates measure, each with its baselines, and append rows to a file; the whole command `replay` is measured here
//! ([`replay`]). This joins them with the targets and prints them. A target that is missed is no failure, since a machine may be busy; one
//! without a row is.

mod replay;
mod targets;

use crate::Outcome;
use crate::cargo::{cargo, run};
use crate::options::Options;
use crate::workspace::Workspace;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::thread;

pub(crate) const USAGE: &str = "bench [--quick]";

const BENCHES: [(&str, &str); 4] =
    [("watch", "watch"), ("domain", "planning"), ("engine", "batch"), ("sqlite", "rebalances")];

const METHOD: &str =
    "seed 1; each pair is run in turns within one run, each ratio is the median over rounds; release build";

/// One figure.
struct Row {
    world: String,
    what: String,
    value: f64,
    unit: String,
}

/// Measures everything; with `--quick` at sizes that say nothing about speed, to see that all of it works.
pub(crate) fn bench(workspace: &Workspace, arguments: &[String]) -> Outcome {
    let is_quick = Options::read(USAGE, arguments)?.has("--quick");
    let folder = workspace.target.join("bench");
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    // What an earlier run left is not of this one.
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(failed)?;
    }
    fs::create_dir_all(&folder).map_err(failed)?;
    let path = folder.join("rows.jsonl");
    for (package, bench) in BENCHES {
        let line = format!("bench --locked --quiet --package evenkeel-{package} --bench {bench} -- --json");
        let mut command = cargo(&workspace.root, &line);
        run(command.arg(&path).args(is_quick.then_some("--quick")))?;
    }
    let mut rows = read(&path)?;
    rows.extend(replay::measure(workspace, &folder, is_quick)?);

    let text = markdown(&rows, is_quick);
    println!("\n{text}");
    fs::write(folder.join("bench.md"), &text).map_err(failed)?;
    fs::write(folder.join("bench.json"), format!("{}\n", as_json(&rows))).map_err(failed)?;
    println!("written to bench.md and bench.json in {}", folder.display());
    complete(&rows)
}

/// That all of it works: every bench runs, agrees with its baselines, and gives every row that is wanted. Seconds, once it is built.
pub(crate) fn quick(workspace: &Workspace) -> Outcome {
    bench(workspace, &["--quick".to_owned()])
}

/// Every row that the benches wrote.
fn read(path: &Path) -> Result<Vec<Row>, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    text.lines().map(|line| row(line).ok_or_else(|| format!("{}: this is no row: {line}", path.display()))).collect()
}

fn row(line: &str) -> Option<Row> {
    let value: Value = serde_json::from_str(line).ok()?;
    let text = |key: &str| value.get(key)?.as_str().map(str::to_owned);
    Some(Row { world: text("world")?, what: text("what")?, value: value.get("value")?.as_f64()?, unit: text("unit")? })
}

/// Fails if something is wanted that was not measured.
fn complete(rows: &[Row]) -> Outcome {
    let is_there = |world: &str, what: &str| rows.iter().any(|row| row.world == world && row.what == what);
    let missing = targets::TARGETS.iter().map(|(world, start, end, _)| (*world, format!("{start}{end}")));
    let missing: Vec<String> = missing
        .filter(|(world, what)| !is_there(world, what))
        .map(|(world, what)| format!("{world}: {what}"))
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("not measured, though wanted: {}", missing.join("; "))) }
}

fn markdown(rows: &[Row], is_quick: bool) -> String {
    let (cores, cpu) = machine();
    let mut text = format!("{cores} cores, {cpu}; {METHOD}.\n\n");
    if is_quick {
        text += "Made with --quick: the figures say nothing about speed.\n\n";
    }
    text += "| world | what | measured | wanted | |\n|---|---|---|---|---|\n";
    for row in rows {
        let wanted = targets::wanted(&row.world, &row.what);
        let verdict = match wanted {
            Some(wanted) if !is_quick => {
                if wanted.is_met(row.value) {
                    "kept"
                } else {
                    "missed"
                }
            }
            _ => "",
        };
        let wanted = wanted.map(targets::Wanted::shown).unwrap_or_default();
        text +=
            &format!("| {} | {} | {} {} | {wanted} | {verdict} |\n", row.world, row.what, figure(row.value), row.unit);
    }
    text
}

/// Three digits are as many as such figures have.
fn figure(value: f64) -> String {
    if value >= 100.0 {
        format!("{value:.0}")
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

fn as_json(rows: &[Row]) -> Value {
    let (cores, cpu) = machine();
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            let wanted = targets::wanted(&row.world, &row.what);
            json!({
                "world": row.world, "what": row.what, "value": row.value, "unit": row.unit,
                "wanted": wanted.map(targets::Wanted::shown), "kept": wanted.map(|wanted| wanted.is_met(row.value)),
            })
        })
        .collect();
    json!({ "cores": cores, "cpu": cpu, "seed": 1, "method": METHOD, "rows": rows })
}

/// How many cores there are, and what the system calls them.
fn machine() -> (usize, String) {
    let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    (cores, model.map_or("unknown processor", |(_, model)| model.trim()).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Row> {
        let line =
            |world: &str, what: &str| format!(r#"{{"world":"{world}","what":"{what}","value":2.5,"unit":"times"}}"#);
        let what = |(world, start, end, _): &(&str, &str, &str, _)| line(world, &format!("{start}{end}"));
        targets::TARGETS.iter().map(|target| row(&what(target)).unwrap()).collect()
    }

    #[test]
    fn what_is_wanted_is_compared_and_must_be_there() {
        let mut rows = rows();
        assert_eq!(complete(&rows), Ok(()));
        let text = markdown(&rows, false);
        assert!(
            text.contains("| W1 | all symbols, against an exact recompute | 2.50 times | at least 3, aim 5 | missed |")
        );
        assert!(text.contains("| store | rebalances of 10 legs, 1 in flight | 2.50 times | at least 0.25 | kept |"));
        assert!(text.contains("seconds per million | 2.50 times | at most 3, aim 1 | kept |"), "{text}");
        rows.remove(0);
        let why = "not measured, though wanted: W1: waves of 1, against an exact recompute";
        assert_eq!(complete(&rows), Err(why.to_owned()));
    }

    #[test]
    fn a_line_that_is_no_row_is_noticed() {
        assert!(row(r#"{"world":"W1","what":"x","value":"2","unit":"times"}"#).is_none());
        assert!(row("").is_none());
    }
}
