//! Rules for documents: what they name exists, and the commands they begin with are the ones that are run.

use std::collections::BTreeMap;

use crate::finding::Finding;
use crate::steps::{DEMO, TEST};
use crate::tidy::tree::{File, Tree};
use crate::workspace::Package;

const README: &str = "README.md";
const ARCHITECTURE: &str = "ARCHITECTURE.md";

pub(super) fn examine(tree: &Tree, packages: &[Package]) -> Vec<Finding> {
    let mut findings = Vec::new();
    match tree.get(README) {
        Some(readme) => findings.extend(first_commands(readme)),
        None => findings.push(Finding::new("README.md is missing", "write it; it begins with two commands")),
    }
    match tree.get(ARCHITECTURE) {
        Some(architecture) => findings.extend(crates(architecture, tree, packages)),
        None => findings.push(Finding::new("ARCHITECTURE.md is missing", "write it; it names every crate")),
    }
    for document in tree.files().filter(|file| file.path.ends_with(".md")) {
        findings.extend(links(document, tree));
    }
    findings
}

/// The first two `cargo` lines of the README are the demo and the tests.
fn first_commands(readme: &File) -> Vec<Finding> {
    let mut shown = (1..).zip(readme.text.lines()).filter_map(|(number, line)| Some((number, command(line)?)));
    let mut findings = Vec::new();
    for (what, wanted) in [("first", DEMO), ("second", TEST)] {
        let (number, is) = shown.next().unwrap_or((1, "missing"));
        if is != wanted {
            let what = format!("the {what} command is `{is}`");
            findings.push(Finding::at(README, number, what, format!("it must be `{wanted}`, which is what is run")));
        }
    }
    findings
}

/// The command on this line, without prompt and comment.
fn command(line: &str) -> Option<&str> {
    let line = line.trim().trim_start_matches("$ ");
    let line = line.split(" #").next().unwrap_or_default().trim_end();
    line.starts_with("cargo ").then_some(line)
}

/// Every crate is named, and every crate that is named exists.
fn crates(architecture: &File, tree: &Tree, packages: &[Package]) -> Vec<Finding> {
    let named = names(&architecture.text);
    let mut findings = Vec::new();
    for (name, line) in &named {
        let known = packages.iter().any(|package| package.short_name() == name);
        if !known {
            let what = format!("there is no crate {name}");
            findings.push(Finding::at(ARCHITECTURE, *line, what, "name crates that exist; plans belong in docs/"));
        }
    }
    for package in packages.iter().filter(|package| !named.contains_key(package.short_name())) {
        let what = format!("crate {} is not named", package.name);
        let fix = format!("say what `{}` is, in the table of crates", package.short_name());
        findings.push(Finding::at(ARCHITECTURE, 1, what, fix));
    }
    for (line, word) in code_spans(&architecture.text) {
        let is_path = ["crates/", "tests/", "xtask/", "docs/"].iter().any(|folder| word.starts_with(folder));
        if is_path && !word.contains(['*', '<', '…', ' ']) && !tree.has(word) {
            findings.push(Finding::at(ARCHITECTURE, line, format!("{word} does not exist"), "name what is there"));
        }
    }
    findings
}

/// The crates that a text names, by their short names, with the first line that does: `evenkeel-ports` or
/// `crates/ports` anywhere, and the first cell of a row in a table whose head begins with "crate".
fn names(text: &str) -> BTreeMap<String, usize> {
    let mut names = BTreeMap::new();
    let mut in_table = false;
    for (number, line) in (1..).zip(text.lines()) {
        let cell = line.trim().strip_prefix('|').and_then(|row| row.split('|').next());
        let mentions = ["evenkeel-", "crates/"].into_iter().flat_map(|mark| line.split(mark).skip(1));
        let row = cell.filter(|_| in_table).and_then(|cell| cell.split('`').nth(1));
        for name in mentions.chain(row).map(first_name).filter(|name| !name.is_empty()) {
            names.entry(name.to_owned()).or_insert(number);
        }
        in_table = cell.is_some_and(|cell| in_table || cell.trim().to_lowercase().starts_with("crate"));
    }
    names
}

/// The short name of a crate that a text begins with.
fn first_name(text: &str) -> &str {
    let text = text.trim_start_matches("crates/").trim_start_matches("evenkeel-");
    let end = text.find(|next: char| !next.is_ascii_alphanumeric() && next != '-' && next != '_');
    text.get(..end.unwrap_or(text.len())).unwrap_or_default().trim_end_matches('-')
}

/// What stands between single backticks, with its line.
fn code_spans(text: &str) -> Vec<(usize, &str)> {
    let lines = (1..).zip(text.lines());
    lines.flat_map(|(number, line)| line.split('`').skip(1).step_by(2).map(move |span| (number, span))).collect()
}

/// Links within the repository lead somewhere.
fn links(document: &File, tree: &Tree) -> Vec<Finding> {
    let folder = document.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut findings = Vec::new();
    for (number, line) in (1..).zip(document.text.lines()) {
        for target in line.split("](").skip(1).filter_map(|after| after.split(')').next()) {
            let path = target.split(['#', ' ']).next().unwrap_or_default();
            if path.is_empty() || path.contains(':') {
                continue;
            }
            if !resolve(folder, path).is_some_and(|path| path.is_empty() || tree.has(&path)) {
                let what = format!("the link to {path} leads nowhere");
                findings.push(Finding::at(&document.path, number, what, "correct it"));
            }
        }
    }
    findings
}

/// The path from the root; `None` if it leaves the repository.
fn resolve(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str =
        "| crate | is |\n|---|---|\n| `ports` | `x` |\n| [`app`](crates/app) | y |\n\n| word | z |\n|-|-|\n| `w` | |\n";

    fn package(name: &str) -> Package {
        let (dependencies, targets) = (Vec::new(), Vec::new());
        Package { name: name.to_owned(), manifest: String::new(), dependencies, targets }
    }

    /// What is found beside the two documents that are good.
    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let readme = format!("```sh\ncargo run --release -- demo   # the story\n$ {TEST}\ncargo xtask\n```\n");
        let mut all = vec![(README, readme.as_str()), (ARCHITECTURE, TABLE), ("crates/app/src/main.rs", "")];
        all.extend(files);
        let packages = [package("evenkeel-app"), package("evenkeel-ports")];
        examine(&Tree::of(&all), &packages).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn good_documents_pass() {
        assert_eq!(found(&[]), [""; 0]);
    }

    #[test]
    fn missing_documents_are_reported() {
        assert_eq!(examine(&Tree::of(&[]), &[]).len(), 2);
    }

    #[test]
    fn the_readme_begins_with_the_commands_that_are_run() {
        let swapped = found(&[(README, &format!("{TEST}\n{DEMO}\n"))]);
        assert_eq!(swapped.len(), 2, "{swapped:?}");
        assert!(swapped[0].starts_with("README.md:1: the first command is `cargo test"), "{swapped:?}");
        assert_eq!(found(&[(README, "Run the program.\n")]).len(), 2);
    }

    #[test]
    fn crates_that_are_named_exist_and_crates_that_exist_are_named() {
        for (more, what) in [
            ("see `evenkeel-watch`\n", "there is no crate watch"),
            ("see crates/watch/src\n", "there is no crate watch"),
            ("| Crate |\n|---|\n| `watch` |\n", "there is no crate watch"),
            ("see `crates/app/src/lib.rs`\n", "crates/app/src/lib.rs does not exist"),
        ] {
            let found = found(&[(ARCHITECTURE, &format!("{TABLE}\n{more}"))]);
            assert_eq!(found.len(), 1, "{more}: {found:?}");
            assert!(found[0].contains(what), "{found:?}");
        }
        let unnamed = found(&[(ARCHITECTURE, "only evenkeel-app\n")]);
        assert_eq!(unnamed.len(), 1, "{unnamed:?}");
        assert!(unnamed[0].contains("crate evenkeel-ports is not named"), "{unnamed:?}");
    }

    #[test]
    fn links_lead_somewhere() {
        let good = "[a](../README.md#x) [b](https://example.org) [c](#here) [d](../crates/app/) [e](..)\n";
        assert_eq!(found(&[("docs/x.md", good)]), [""; 0]);
        let bad = found(&[("docs/x.md", "text\n[a](README.md) [b](../../x)\n")]);
        assert_eq!(bad.len(), 2, "{bad:?}");
        assert!(bad[0].starts_with("docs/x.md:2: the link to README.md leads nowhere"), "{bad:?}");
    }
}
