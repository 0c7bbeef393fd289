//! `cargo xtask deny`: what is below us, against `deny.toml`. Gets its tool itself, in the one version that was tried.

use std::env::consts::EXE_SUFFIX;
use std::path::PathBuf;
use std::process::Command;

use crate::Outcome;
use crate::cargo::{cargo, output, run};
use crate::workspace::Workspace;

const TOOL: &str = "cargo-deny";
const VERSION: &str = "0.20.2";

pub(crate) fn run(workspace: &Workspace) -> Outcome {
    // The check itself is offline: it reads every package, also those of other platforms.
    run(&mut cargo(&workspace.root, &["fetch", "--locked"]))?;
    let tool = match installed(workspace) {
        Some(tool) => tool,
        None => install(workspace)?,
    };
    let arguments = ["--locked", "--offline", "check", "bans", "licenses", "sources"];
    run(Command::new(tool).args(arguments).current_dir(&workspace.root))
}

/// From PATH or from an earlier installation of ours.
fn installed(workspace: &Workspace) -> Option<PathBuf> {
    [PathBuf::from(TOOL), ours(workspace)].into_iter().find(|tool| {
        output(Command::new(tool).arg("--version")).is_ok_and(|answer| is_wanted(&answer))
    })
}

fn ours(workspace: &Workspace) -> PathBuf {
    workspace.target.join("tools").join("bin").join(format!("{TOOL}{EXE_SUFFIX}"))
}

fn is_wanted(answer: &str) -> bool {
    answer.trim() == format!("{TOOL} {VERSION}")
}

fn install(workspace: &Workspace) -> Result<PathBuf, String> {
    println!("{TOOL} {VERSION} is not installed; building it once, which takes a few minutes");
    let root = workspace.target.join("tools");
    let mut command = cargo(&workspace.root, &["install", "--locked", TOOL, "--version", VERSION, "--root"]);
    run(command.arg(root)).map_err(|reason| {
        format!("{reason}; install it by hand: `cargo install --locked {TOOL} --version {VERSION}`")
    })?;
    installed(workspace).ok_or_else(|| format!("{TOOL} {VERSION} was installed and still does not answer"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_tried_version_will_do() {
        assert!(is_wanted("cargo-deny 0.20.2\n"));
        assert!(!is_wanted("cargo-deny 0.20.21\n"));
        assert!(!is_wanted("cargo-deny 0.19.0\n"));
        assert!(!is_wanted(""));
    }
}
