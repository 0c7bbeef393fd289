//! The steps that are one or two cargo commands.

use std::io::{self, BufRead, BufReader, Write};
use std::process::Command;

use crate::Outcome;
use crate::cargo::{cargo, need_component, run};
use crate::tested;
use crate::workspace::Workspace;

/// The one command that runs every test of every crate, doc tests included. README states it, `.ci/run` runs it.
pub(crate) const TEST: &str = "cargo test --workspace --all-features --locked";

/// The first command of the README: the story of the product.
pub(crate) const DEMO: &str = "cargo run --release -- demo";

pub(crate) fn fmt(workspace: &Workspace) -> Outcome {
    need_component(&workspace.root, "fmt", "rustfmt")?;
    run(&mut cargo(&workspace.root, "fmt --all -- --check"))
}

pub(crate) fn clippy(workspace: &Workspace) -> Outcome {
    need_component(&workspace.root, "clippy", "clippy")?;
    let arguments = "clippy --workspace --all-targets --all-features --locked -- -D warnings";
    run(&mut cargo(&workspace.root, arguments))
}

/// All other steps switch every feature on; here those who want none of them are heard.
pub(crate) fn features(workspace: &Workspace) -> Outcome {
    need_component(&workspace.root, "clippy", "clippy")?;
    let outcomes = ["evenkeel-domain", "evenkeel-ports"].map(|package| {
        let arguments = format!("clippy --package {package} --no-default-features --locked -- -D warnings");
        run(&mut cargo(&workspace.root, &arguments))
    });
    outcomes.into_iter().collect()
}

/// Runs [`TEST`] as it stands, and fails also when a crate had no test to run.
pub(crate) fn test(workspace: &Workspace) -> Outcome {
    let mut command = cargo(&workspace.root, TEST.trim_start_matches("cargo "));
    // Expected outputs are compared here, never refreshed; that is for `fix`.
    command.env_remove("UPDATE_EXPECT").env("CARGO_TERM_COLOR", "never");
    println!("$ {TEST}");
    let (log, passed) = run_and_keep(command)?;
    if !passed {
        return Err(format!("`{TEST}` failed"));
    }
    tested::judge(workspace, &log)
}

pub(crate) fn doctest(workspace: &Workspace) -> Outcome {
    run(&mut cargo(&workspace.root, "test --workspace --doc --all-features --locked"))
}

pub(crate) fn docs(workspace: &Workspace) -> Outcome {
    let arguments = "doc --workspace --no-deps --all-features --locked";
    run(cargo(&workspace.root, arguments).env("RUSTDOCFLAGS", "-D warnings"))
}

/// Shows what the command prints, and returns it together with whether it succeeded. Both streams share one pipe, so
/// that cargo's lines stay in order with those of the tests that it starts.
fn run_and_keep(mut command: Command) -> Result<(String, bool), String> {
    let keep = || -> io::Result<(String, bool)> {
        let (reader, writer) = io::pipe()?;
        let mut child = command.stdout(writer.try_clone()?).stderr(writer).spawn()?;
        // The command holds ends of the pipe too: while it lives, reading never ends.
        drop(command);
        let mut log = String::new();
        for line in BufReader::new(reader).split(b'\n') {
            let line = line?;
            let line = String::from_utf8_lossy(&line);
            writeln!(io::stdout(), "{line}")?;
            log.push_str(&line);
            log.push('\n');
        }
        Ok((log, child.wait()?.success()))
    };
    keep().map_err(|error| format!("the command could not be run: {error}"))
}
