//! All automation of Evenkeel: `cargo xtask` lists the commands, `cargo xtask check` is what must pass.
//!
//! It uses none of our crates, so that it works when they do not compile. Every rule reports all it finds, each on a
//! line of its own with its remedy, and fails when it finds nothing to look at. Start with `check.rs`; the rules are in
//! `layers.rs` (which crate may use which) and `tidy.rs` (what the text must look like).

mod bench;
mod cargo;
mod check;
#[cfg(unix)]
mod crash;
#[cfg(not(unix))]
mod crash {
    //! What Unix alone has: a process that is frozen.
    pub(crate) const USAGE: &str = "crash";

    pub(crate) fn crash(_: &crate::workspace::Workspace, _: &[String]) -> crate::Outcome {
        Err("it freezes processes, and needs a Unix for that".to_owned())
    }
}
mod deny;
mod finding;
mod fix;
mod layers;
mod options;
mod steps;
mod storm;
mod tested;
mod tidy;
mod watch_soak;
mod workspace;

use std::process::ExitCode;

use Run::{Plain, WithArguments};
use workspace::Workspace;

/// Why a command failed, in one line. What it found is printed before.
type Outcome = Result<(), String>;

struct Command {
    /// Its name and its arguments; those in brackets may be left out.
    usage: &'static str,
    about: &'static str,
    run: Run,
}

enum Run {
    Plain(fn(&Workspace) -> Outcome),
    WithArguments(fn(&Workspace, &[String]) -> Outcome),
}

const fn command(usage: &'static str, about: &'static str, run: Run) -> Command {
    Command { usage, about, run }
}

const COMMANDS: &[Command] = &[
    command(
        "check [--no-tests]",
        "the steps from fmt to deny, and a summary; writes no sources",
        WithArguments(check::run),
    ),
    command("fmt", "is everything formatted?", Plain(steps::fmt)),
    command("layers", "does each crate use only what the table allows?", Plain(layers::run)),
    command("tidy", "rules for text, manifests and documents", Plain(tidy::run)),
    command("clippy", "lints of all targets, warnings denied", Plain(steps::clippy)),
    command("features", "lints of the crates that have features, with none of them", Plain(steps::features)),
    command("test", "every test of every crate, doc tests included; fails if a crate has none", Plain(steps::test)),
    command("docs", "the API documentation, broken links denied", Plain(steps::docs)),
    command("deny", "licences, banned crates and features, sources", Plain(deny::run)),
    command("doctest", "the doc tests alone", Plain(steps::doctest)),
    command("tested LOG", "does the output of the test command show tests of every crate?", WithArguments(tested::run)),
    command(storm::USAGE, "batch after batch at a broker where everything goes wrong", WithArguments(storm::storm)),
    command(
        crash::USAGE,
        "the real program, frozen and killed again and again, then compared with its bank",
        WithArguments(crash::crash),
    ),
    command(watch_soak::USAGE, "the watch against the exact decision, at a high rate", WithArguments(watch_soak::soak)),
    command(bench::USAGE, "every figure of docs/performance.md, measured here and now", WithArguments(bench::bench)),
    command("fix", "clippy's suggestions, format, expected outputs; writes", Plain(fix::run)),
];

impl Command {
    fn name(&self) -> &'static str {
        self.usage.split(' ').next().unwrap_or(self.usage)
    }

    /// Does the usage line have room for these arguments?
    fn accepts(&self, arguments: &[String]) -> bool {
        let words: Vec<&str> = self.usage.split(' ').skip(1).collect();
        let required = words.iter().filter(|word| !word.starts_with('[') && !word.ends_with(']')).count();
        // `[--seed N]` is two words: an option that takes a value is not closed at once.
        let is_shown = |option: &str| words.iter().any(|word| word.trim_matches(['[', ']']) == option);
        let known = |option: &String| !option.starts_with('-') || is_shown(option);
        (required..=words.len()).contains(&arguments.len()) && arguments.iter().all(known)
    }

    fn run(&self, arguments: &[String]) -> Outcome {
        let workspace = Workspace::load()?;
        match self.run {
            Plain(run) => run(&workspace),
            WithArguments(run) => run(&workspace, arguments),
        }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, rest)) = arguments.split_first().filter(|(name, _)| !is_help(name)) else {
        print_commands();
        return ExitCode::SUCCESS;
    };
    let Some(command) = COMMANDS.iter().find(|command| command.name() == name && command.accepts(rest)) else {
        eprintln!("xtask: `{}` is not a command", arguments.join(" "));
        print_commands();
        return ExitCode::from(2);
    };
    match command.run(rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("xtask {name}: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn is_help(argument: &str) -> bool {
    matches!(argument, "-h" | "--help" | "help")
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
        for name in ["storm", "watch-soak"] {
            assert!(accepts(name, &[]));
            assert!(accepts(name, &["--seed", "7"]));
            assert!(!accepts(name, &["--sed", "7"]));
        }
    }
    #[test]
    fn every_step_of_the_check_is_a_command_too() {
        for step in check::names() {
            assert!(COMMANDS.iter().any(|command| command.name() == step), "{step}");
        }
    }
}
