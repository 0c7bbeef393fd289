//! `cargo xtask storm`: the storm scenario for longer, and with another seed, in a release build.
//!
//! The summary comes last; on a violation what was violated comes before it, the last line says how to see it again, and the task ends with 1.

use crate::Outcome;
use crate::cargo::cargo;
use crate::workspace::Workspace;

const USAGE: &str = "cargo xtask storm [--batches N] [--seed N]";

pub(crate) fn storm(workspace: &Workspace, arguments: &[String]) -> Outcome {
    let Wanted { batches, seed } = wanted(arguments)?;
    let test = "test --release --package evenkeel-tests --test it --locked --quiet storm::every -- --nocapture";
    let mut command = cargo(&workspace.root, test);
    command.env("EVENKEEL_STORM_BATCHES", batches.to_string()).env("EVENKEEL_STORM_SEED", seed.to_string());
    let output = command.output().map_err(|error| format!("cargo cannot be started: {error}"))?;
    let told = String::from_utf8_lossy(&output.stdout);
    if output.status.success() {
        print!("{}", of_the_scenario(&told));
        return Ok(());
    }
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    print!("{told}");
    Err(format!("the storm was not weathered; see it again with cargo xtask storm --batches {batches} --seed {seed}"))
}

/// What the scenario itself printed, without the words of the test runner around it.
fn of_the_scenario(told: &str) -> String {
    let lines = told.lines().skip_while(|line| !line.starts_with("seed "));
    let ours = lines.take_while(|line| !line.is_empty() && *line != "." && !line.starts_with("test "));
    ours.map(|line| format!("{}\n", line.trim_end_matches('.'))).collect()
}

#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    batches: u64,
    seed: u64,
}

fn wanted(arguments: &[String]) -> Result<Wanted, String> {
    let mut wanted = Wanted { batches: 100_000, seed: 1 };
    let mut rest = arguments.iter();
    while let Some(name) = rest.next() {
        let value = rest.next().ok_or_else(|| format!("{name} needs a number: {USAGE}"))?;
        let number = value.parse().map_err(|_| format!("{name} {value}: not a whole number: {USAGE}"))?;
        match name.as_str() {
            "--batches" => wanted.batches = number,
            "--seed" => wanted.seed = number,
            other => return Err(format!("{other} is not known: {USAGE}")),
        }
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runner_has_no_say_in_the_summary() {
        let told = "\nrunning 1 test\nseed 1: 5 batches\n   completed 5\ndearest 0.01\n.\ntest result: ok. 1 passed\n";
        assert_eq!(of_the_scenario(told), "seed 1: 5 batches\n   completed 5\ndearest 0.01\n");
    }

    #[test]
    fn arguments_are_read_in_any_order() {
        let read = |text: &str| wanted(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(read(""), Ok(Wanted { batches: 100_000, seed: 1 }));
        assert_eq!(read("--seed 7 --batches 5"), Ok(Wanted { batches: 5, seed: 7 }));
        for wrong in ["--seed", "--seed x", "--sed 1", "5"] {
            assert!(read(wrong).unwrap_err().contains(USAGE), "{wrong}");
        }
    }
}
