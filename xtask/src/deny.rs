//! `cargo xtask deny`: what is below us, against `deny.toml`. Gets its tool itself, in the one version that was tried.

use std::env::consts::EXE_SUFFIX;
use std::path::PathBuf;
use std::process::Command;

use crate::Outcome;
use crate::cargo::{self, cargo, output};
use crate::workspace::Workspace;

const TOOL: &str = "cargo-deny";
const VERSION: &str = "0.20.2";

pub(crate) fn run(workspace: &Workspace) -> Outcome {
    // The check itself is offline: it reads every package, also those of other platforms.
    cargo::run(&mut cargo(&workspace.root, "fetch --locked"))?;
    let tool = match installed(workspace) {
        Some(tool) => tool,
        None => install(workspace)?,
    };
    let arguments = "--locked --offline check bans licenses sources".split(' ');
    cargo::run(Command::new(tool).args(arguments).current_dir(&workspace.root))
}

/// From PATH or from an earlier installation of ours.
fn installed(workspace: &Workspace) -> Option<PathBuf> {
    let ours = workspace.target.join("tools").join("bin").join(format!("{TOOL}{EXE_SUFFIX}"));
    let answers = |tool: &PathBuf| output(Command::new(tool).arg("--version"));
    [PathBuf::from(TOOL), ours].into_iter().find(|tool| answers(tool).is_ok_and(|answer| is_wanted(&answer)))
}

fn is_wanted(answer: &str) -> bool {
    answer.trim() == format!("{TOOL} {VERSION}")
}

fn install(workspace: &Workspace) -> Result<PathBuf, String> {
    println!("{TOOL} {VERSION} is not installed; building it once, which takes a few minutes");
    let wanted = format!("install --locked {TOOL} --version {VERSION}");
    let mut command = cargo(&workspace.root, &format!("{wanted} --root"));
    cargo::run(command.arg(workspace.target.join("tools")))
        .map_err(|reason| format!("{reason}; get it by hand: `cargo {wanted}`"))?;
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
