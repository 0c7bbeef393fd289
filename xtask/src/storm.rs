//! `cargo xtask storm`: the storm scenario for longer, and with another seed, in a release build. Its summary comes last.

use crate::Outcome;
use crate::cargo::{cargo, run};
use crate::workspace::Workspace;

const USAGE: &str = "cargo xtask storm [--batches N] [--seed N]";

pub(crate) fn storm(workspace: &Workspace, arguments: &[String]) -> Outcome {
    let Wanted { batches, seed } = wanted(arguments)?;
    let test = "test --release --package evenkeel-tests --test it --locked --quiet storm::every -- --nocapture";
    let mut command = cargo(&workspace.root, test);
    command.env("EVENKEEL_STORM_BATCHES", batches.to_string()).env("EVENKEEL_STORM_SEED", seed.to_string());
    run(&mut command)
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
    fn arguments_are_read_in_any_order() {
        let read = |text: &str| wanted(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(read(""), Ok(Wanted { batches: 100_000, seed: 1 }));
        assert_eq!(read("--seed 7 --batches 5"), Ok(Wanted { batches: 5, seed: 7 }));
        for wrong in ["--seed", "--seed x", "--sed 1", "5"] {
            assert!(read(wrong).unwrap_err().contains(USAGE), "{wrong}");
        }
    }
}
