//! `cargo xtask watch-soak`: the watch against the domain's own decision, for so many minutes, in a release build.

use crate::Outcome;
use crate::cargo::{cargo, run};
use crate::options::Options;
use crate::workspace::Workspace;

pub(crate) const USAGE: &str = "watch-soak [--minutes N] [--seed N]";

pub(crate) fn soak(workspace: &Workspace, arguments: &[String]) -> Outcome {
    let options = Options::read(USAGE, arguments)?;
    let test = "test --release --package evenkeel-watch --test soak --locked --quiet -- --nocapture";
    let mut command = cargo(&workspace.root, test);
    command.env("EVENKEEL_WATCH_SOAK_MINUTES", options.number("--minutes", 10).to_string());
    command.env("EVENKEEL_WATCH_SOAK_SEED", options.number("--seed", 1).to_string());
    run(&mut command)
}
