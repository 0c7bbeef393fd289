//! `cargo xtask fix`: the writing twin of `check`. Look at the difference before you commit it: an expected output that
//! changed is a changed behaviour.

use crate::Outcome;
use crate::cargo::{self, cargo};
use crate::steps::TEST;
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace) -> Outcome {
    let root = &workspace.root;
    let clippy = "clippy --fix --allow-dirty --allow-staged --workspace --all-targets --all-features --locked";
    cargo::run(&mut cargo(root, clippy))?;
    cargo::run(&mut cargo(root, "fmt --all"))?;
    let mut test = cargo(root, TEST.trim_start_matches("cargo "));
    cargo::run(test.arg("--no-fail-fast").env("UPDATE_EXPECT", "1"))
}
