//! Standard output that nobody reads or that cannot be written, and colour.

use crate::harness::{Desk, Run};
use std::io::Read;
use std::process::Stdio;

const COMMANDS: [&str; 6] = [
    "--help",
    "--version",
    "prices --days 5000",
    "plan --portfolios p.toml --prices prices.csv",
    "check --portfolios p.toml",
    "completions bash",
];

fn desk() -> Desk {
    let desk = Desk::new();
    desk.file("prices.csv", "date,symbol,close\n2024-01-02,META,400\n").file(
        "p.toml",
        "[[portfolio]]\nid = \"a\"\ncurrency = \"USD\"\ncash = \"100.00\"\ntargets = { META = \"100\" }\n",
    );
    desk
}

#[test]
fn a_closed_standard_output_is_no_error() {
    let desk = desk();
    for line in COMMANDS {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let run = Run::new(&desk.command(line).stdout(writer).output().unwrap());
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{line}");
    }
}

#[test]
fn a_reader_may_stop_in_the_middle() {
    let desk = desk();
    let mut child = desk.command("prices --days 60000").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut start = [0; 17];
    child.stdout.take().unwrap().read_exact(&mut start).unwrap();
    assert_eq!(&start, b"date,symbol,close");
    let run = Run::new(&child.wait_with_output().unwrap());
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let desk = desk();
    for line in COMMANDS {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let run = Run::new(&desk.command(line).stdout(full).output().unwrap());
        assert_eq!(run.code, 3, "{line}: {run:?}");
        assert!(run.stderr.starts_with("error: writing to standard output: "), "{line}: {run:?}");
    }
}

#[test]
fn standard_error_that_is_closed_changes_nothing() {
    let desk = desk();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = desk.command("check --portfolios none.toml").stderr(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

/// The answer to `--color` comes before the environment, and that before the question whether there is a terminal.
#[test]
fn colour_is_used_when_it_is_wanted() {
    let desk = desk();
    let line = "plan --portfolios p.toml --prices prices.csv";
    for (arguments, variable, is_wanted) in [
        ("", None, false),
        ("--color always", None, true),
        ("--color never", Some(("CLICOLOR_FORCE", "1")), false),
        ("--color always", Some(("NO_COLOR", "1")), true),
        ("", Some(("CLICOLOR_FORCE", "1")), true),
        ("", Some(("NO_COLOR", "1")), false),
    ] {
        for line in [line, "check --portfolios none.toml", "--help", "check"] {
            let mut command = desk.command(&format!("{arguments} {line}"));
            command.envs(variable);
            let run = Run::new(&command.output().unwrap());
            let has_colour = (run.stdout + &run.stderr).contains('\u{1b}');
            assert_eq!(has_colour, is_wanted, "{arguments} {variable:?} {line}");
        }
    }
}
