//! All automation of Evenkeel: `cargo xtask` lists the commands, `cargo xtask check` is what must pass.
//!
//! It uses none of our crates, so that it works when they do not compile. Every rule reports all it finds, each on a
//! line of its own with its remedy, and fails when it finds nothing to look at. Start with `check.rs`; the rules are in
//! `layers.rs` (which crate may use which) and `tidy.rs` (what the text must look like).

mod cargo;
mod check;
mod deny;
mod finding;
mod fix;
mod layers;
mod steps;
mod tested;
mod tidy;
mod workspace;

use std::process::ExitCode;

use workspace::Workspace;

/// Why a command failed, in one line. What it found is printed before.
type Outcome = Result<(), String>;

struct Command {
    usage: &'static str,
    about: &'static str,
    run: fn(&Workspace, &[String]) -> Outcome,
}

impl Command {
    fn name(&self) -> &'static str {
        self.usage.split(' ').next().unwrap_or(self.usage)
    }

    /// Does the usage line have room for these arguments?
    fn accepts(&self, arguments: &[String]) -> bool {
        let words: Vec<&str> = self.usage.split(' ').skip(1).collect();
        let required = words.iter().filter(|word| !word.starts_with('[')).count();
        let options_known = arguments
            .iter()
            .all(|argument| !argument.starts_with('-') || words.contains(&format!("[{argument}]").as_str()));
        options_known && (required..=words.len()).contains(&arguments.len())
    }
}

const COMMANDS: &[Command] = &[
    Command { usage: "check [--no-tests]", about: "every step below up to `deny`, with a summary; writes nothing to the sources", run: check::run },
    Command { usage: "fmt", about: "is everything formatted?", run: |workspace, _| steps::fmt(workspace) },
    Command { usage: "clippy", about: "lints of all targets, warnings denied", run: |workspace, _| steps::clippy(workspace) },
    Command { usage: "features", about: "the crates that have features, built without them", run: |workspace, _| steps::features(workspace) },
    Command { usage: "layers", about: "which crate uses which, against the table", run: |workspace, _| layers::run(workspace) },
    Command { usage: "tidy", about: "rules for text, manifests and documents", run: |workspace, _| tidy::run(workspace) },
    Command { usage: "test", about: "every test of every crate, doc tests included, and a count of the crates tested", run: |workspace, _| steps::test(workspace) },
    Command { usage: "docs", about: "the API documentation, broken links denied", run: |workspace, _| steps::docs(workspace) },
    Command { usage: "deny", about: "licences, banned crates and features, sources", run: |workspace, _| deny::run(workspace) },
    Command { usage: "doctest", about: "the doc tests alone", run: |workspace, _| steps::doctest(workspace) },
    Command { usage: "tested LOG", about: "does this output of the test command show a test of every crate?", run: tested::run },
    Command { usage: "fix", about: "format, apply clippy's suggestions, refresh expected outputs; writes", run: |workspace, _| fix::run(workspace) },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, rest)) = arguments.split_first() else {
        print_commands();
        return ExitCode::SUCCESS;
    };
    if matches!(name.as_str(), "-h" | "--help" | "help") {
        print_commands();
        return ExitCode::SUCCESS;
    }
    let Some(command) = COMMANDS.iter().find(|command| command.name() == name && command.accepts(rest)) else {
        eprintln!("xtask: `{}` is not a command", arguments.join(" "));
        print_commands();
        return ExitCode::from(2);
    };
    match Workspace::load().and_then(|workspace| (command.run)(&workspace, rest)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("xtask {name}: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn print_commands() {
    for command in COMMANDS {
        println!("cargo xtask {:20} {}", command.usage, command.about);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_checked_against_the_usage_line() {
        let accepts = |name: &str, arguments: &[&str]| {
            let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
            COMMANDS.iter().find(|command| command.name() == name).unwrap().accepts(&arguments)
        };
        assert!(accepts("check", &[]));
        assert!(accepts("check", &["--no-tests"]));
        assert!(!accepts("check", &["--no-test"]));
        assert!(!accepts("fmt", &["--check"]));
        assert!(accepts("tested", &["log"]));
        assert!(!accepts("tested", &[]));
    }
}
