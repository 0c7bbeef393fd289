//! `cargo xtask storm`: the storm scenario for longer, and with another seed, in a release build.
//!
//! The summary comes last; on a violation what was violated comes before it, the last line says how to see it again, and the task ends with 1.

use crate::Outcome;
use crate::cargo::cargo;
use crate::options::Options;
use crate::workspace::Workspace;

pub(crate) const USAGE: &str = "storm [--batches N] [--seed N]";

pub(crate) fn storm(workspace: &Workspace, arguments: &[String]) -> Outcome {
    let options = Options::read(USAGE, arguments)?;
    let (batches, seed) = (options.number("--batches", 100_000), options.number("--seed", 1));
    if batches == 0 {
        return Err(format!("--batches 0 shows nothing, give at least 1: cargo xtask {USAGE}"));
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runner_has_no_say_in_the_summary() {
        let told = "\nrunning 1 test\nseed 1: 5 batches\n   completed 5\ndearest 0.01\n.\ntest result: ok. 1 passed\n";
        assert_eq!(of_the_scenario(told), "seed 1: 5 batches\n   completed 5\ndearest 0.01\n");
    }
}
