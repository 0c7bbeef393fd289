//! Rules for lines of text.

use crate::finding::Finding;
use crate::tidy::source::{Source, has_word};
use crate::tidy::tree::{File, Tree};

/// A line and its two views; outside of Rust files all is code.
struct Line<'a> {
    path: &'a str,
    text: &'a str,
    code: &'a str,
    comment: &'a str,
}

struct Rule {
    what: &'static str,
    fix: &'static str,
    /// The files it looks at.
    concerns: fn(&File) -> bool,
    finds: fn(&Line<'_>) -> bool,
}

/// The one file of the program that names concrete adapters.
const WIRING: &str = "crates/app/src/wiring.rs";
const ADAPTERS: [&str; 4] = ["evenkeel_memory", "evenkeel_banchile", "evenkeel_market", "evenkeel_sqlite"];

/// Where people keep their sources; put together here so that this file does not break its own rule.
const MACHINE_PATHS: [&str; 3] = [concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/wo", "rk/")];

const RULES: &[Rule] = &[
    Rule {
        what: "a note that something is unfinished",
        fix: "do it now, or write down in docs/ what is left and why",
        concerns: File::is_rust,
        finds: |line| ["FIXME", "TODO"].iter().any(|word| has_word(line.comment, word)),
    },
    Rule {
        what: "a debugging macro",
        fix: "remove it; what is worth knowing is a `tracing` event",
        concerns: File::is_rust,
        finds: |line| line.code.contains("dbg!"),
    },
    Rule {
        what: "unsafe code",
        fix: "write it without; no speed was ever worth it here",
        concerns: File::is_rust,
        finds: |line| has_word(line.code, "unsafe"),
    },
    Rule {
        what: "a test is ignored without a reason",
        fix: "write `#[ignore = \"needs ...: how to run it\"]`",
        concerns: File::is_rust,
        finds: |line| line.code.split("#[ignore").skip(1).any(|after| after.trim_start().starts_with(']')),
    },
    Rule {
        what: "an example that no test compiles",
        fix: "let it run, or use `no_run` or `compile_fail`",
        concerns: File::is_rust,
        finds: |line| line.comment.split_once("```").is_some_and(|(_, info)| has_word(info, "ignore")),
    },
    Rule {
        what: "a concrete adapter is named",
        fix: "let crates/app/src/wiring.rs build it, and take the port here",
        concerns: |file| file.is_rust() && file.path.starts_with("crates/app/src/") && file.path != WIRING,
        finds: |line| ADAPTERS.iter().any(|adapter| has_word(line.code, adapter)),
    },
    Rule {
        what: "a path of one machine",
        fix: "use a path relative to the repository, or a temporary directory",
        concerns: |_| true,
        finds: |line| MACHINE_PATHS.iter().any(|path| starts_a_path(line.text, path)),
    },
    Rule {
        what: "a tab",
        fix: "indent with spaces; in a string write \\t",
        concerns: File::is_rust,
        finds: |line| line.text.contains('\t'),
    },
    Rule {
        what: "blanks at the end of the line",
        fix: "remove them",
        concerns: |file| [".rs", ".toml", ".md"].iter().any(|ending| file.path.ends_with(ending)),
        // In a string they may be meant; there the view of the code has no blanks.
        finds: |line| line.text.ends_with([' ', '\t', '\r']) && line.code.ends_with([' ', '\t', '\r']),
    },
];

pub(super) fn examine(tree: &Tree) -> Vec<Finding> {
    tree.files().flat_map(|file| beginning(file).into_iter().chain(lines(file))).collect()
}

fn beginning(file: &File) -> Option<Finding> {
    let missing = file.is_rust() && !file.text.starts_with("//!");
    missing.then(|| {
        Finding::at(&file.path, 1, "the file does not open with `//!`", "say what it is, and where to look next")
    })
}

fn lines(file: &File) -> Vec<Finding> {
    let source = if file.is_rust() {
        Source::new(&file.text)
    } else {
        Source { code: file.text.clone(), comments: String::new() }
    };
    let rules: Vec<&Rule> = RULES.iter().filter(|rule| (rule.concerns)(file)).collect();
    let mut findings = Vec::new();
    let mut comments = source.comments.split('\n');
    for (number, (text, code)) in (1..).zip(file.text.split('\n').zip(source.code.split('\n'))) {
        let line = Line { path: &file.path, text, code, comment: comments.next().unwrap_or_default() };
        let broken = rules.iter().filter(|rule| (rule.finds)(&line));
        findings.extend(broken.map(|rule| Finding::at(line.path, number, rule.what, rule.fix)));
    }
    findings
}

/// Is it there as the beginning of a path, not as the middle of one?
fn starts_a_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        !before.is_some_and(|before| before.is_alphanumeric() || "._-~}".contains(before))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        examine(&Tree::of(&[(path, text)])).iter().map(ToString::to_string).collect()
    }

    /// For each rule a line that breaks it, and one that looks like it and does not.
    fn samples() -> Vec<(&'static str, String, String)> {
        let note = ["TO", "DO"].concat();
        let machine = MACHINE_PATHS[0];
        [
            ("unfinished", format!("// {note}: later"), format!("let x = \"{note}\"; // {note}S")),
            ("debugging", "dbg!(x);".to_owned(), "// dbg!(x)".to_owned()),
            ("unsafe", "unsafe { x }".to_owned(), "// unsafe\n#![forbid(unsafe_code)]\nlet s = \"unsafe\";".to_owned()),
            ("ignored", "#[ignore]".to_owned(), "#[ignore = \"needs a database\"]".to_owned()),
            ("example", "/// ```rust,ignore".to_owned(), "/// ```no_run\n// ignore it".to_owned()),
            ("adapter", "use evenkeel_memory::Journal;".to_owned(), "// not evenkeel_memory".to_owned()),
            ("machine", format!("let x = \"{machine}me/x\";"), format!("// example.org{machine}x")),
            ("tab", "\tlet x = 1;".to_owned(), "let x = \"\\t\";".to_owned()),
            ("blanks", "let x = 1; ".to_owned(), "let x = \"a \nb\";".to_owned()),
        ]
        .into()
    }

    #[test]
    fn every_rule_catches_its_bad_sample_and_leaves_the_good_one() {
        let samples = samples();
        assert_eq!(samples.len(), RULES.len(), "a sample for every rule, in their order");
        for (rule, (word, bad, good)) in RULES.iter().zip(samples) {
            assert!(rule.what.contains(word), "{word} is for another rule than: {}", rule.what);
            let caught = found("crates/app/src/x.rs", &format!("//! A sample.\n{bad}\n"));
            assert_eq!(caught, [format!("crates/app/src/x.rs:2: {}: {}", rule.what, rule.fix)]);
            assert_eq!(found("crates/app/src/x.rs", &format!("//! A sample.\n{good}\n")), [""; 0]);
        }
    }

    #[test]
    fn a_file_must_say_what_it_is() {
        assert_eq!(found("a.rs", "use x;\n").len(), 1);
        assert_eq!(found("a.rs", "").len(), 1);
        assert_eq!(found("a.rs", "//! An example.\n").len(), 0);
        assert_eq!(found("a.md", "# An example\n").len(), 0);
    }

    #[test]
    fn only_the_wiring_names_adapters() {
        let text = "//! A sample.\nuse evenkeel_banchile::Broker;\n";
        assert_eq!(found(WIRING, text).len(), 0);
        assert_eq!(found("crates/engine/src/tests.rs", text).len(), 0);
        assert_eq!(found("crates/app/src/main.rs", text).len(), 1);
    }

    #[test]
    fn documents_are_looked_at_too() {
        assert_eq!(found("README.md", &format!("see {}x\n", MACHINE_PATHS[1])).len(), 1);
        assert_eq!(found("README.md", "blank \n").len(), 1);
        assert_eq!(found("expected.txt", "blank \n").len(), 0);
    }

    #[test]
    fn all_findings_of_a_file_are_reported_with_their_lines() {
        let found = found("a.rs", "dbg!(1);\nx\ndbg!(2);\tunsafe\n");
        assert_eq!(found.len(), 5, "{found:?}");
        assert!(found[1].starts_with("a.rs:1: ") && found[4].starts_with("a.rs:3: "), "{found:?}");
    }
}
