//! `cargo xtask fix`: the writing twin of `check`. Look at the difference before you commit it: an expected output that
//! changed is a changed behaviour.

use crate::Outcome;
use crate::cargo::{self, cargo};
use crate::steps::TEST;
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace) -> Outcome {
    let root = &workspace.root;
    let clippy = "clippy --fix --allow-dirty --allow-staged --workspace --all-targets --all-features --locked";
    cargo::run(&mut cargo(root, &words(clippy)))?;
    cargo::run(&mut cargo(root, &["fmt", "--all"]))?;
    let test: Vec<&str> = words(TEST).into_iter().skip(1).collect();
    cargo::run(cargo(root, &test).arg("--no-fail-fast").env("UPDATE_EXPECT", "1"))
}
