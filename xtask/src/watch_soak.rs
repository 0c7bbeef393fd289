//! `cargo xtask watch-soak`: the watch against the domain's own decision, for so many minutes, in a release build.

use crate::Outcome;
use crate::cargo::{cargo, run};
use crate::workspace::Workspace;

const USAGE: &str = "cargo xtask watch-soak [--minutes N] [--seed N]";

pub(crate) fn soak(workspace: &Workspace, arguments: &[String]) -> Outcome {
    let Wanted { minutes, seed } = wanted(arguments)?;
    let test = "test --release --package evenkeel-watch --test soak --locked --quiet -- --nocapture";
    let mut command = cargo(&workspace.root, test);
    command.env("EVENKEEL_WATCH_SOAK_MINUTES", minutes.to_string());
    command.env("EVENKEEL_WATCH_SOAK_SEED", seed.to_string());
    run(&mut command)
}

#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    minutes: u64,
    seed: u64,
}

fn wanted(arguments: &[String]) -> Result<Wanted, String> {
    let mut wanted = Wanted { minutes: 10, seed: 1 };
    let mut rest = arguments.iter();
    while let Some(name) = rest.next() {
        let value = rest.next().ok_or_else(|| format!("{name} needs a number: {USAGE}"))?;
        let number = value.parse().map_err(|_| format!("{name} {value}: not a whole number: {USAGE}"))?;
        match name.as_str() {
            "--minutes" => wanted.minutes = number,
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
        assert_eq!(read(""), Ok(Wanted { minutes: 10, seed: 1 }));
        assert_eq!(read("--seed 7 --minutes 5"), Ok(Wanted { minutes: 5, seed: 7 }));
        for wrong in ["--seed", "--seed x", "--minute 1", "5"] {
            assert!(read(wrong).unwrap_err().contains(USAGE), "{wrong}");
        }
    }
}
