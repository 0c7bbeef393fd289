//! Rules for manifests: versions and lints are stated once, in the workspace.

use crate::finding::Finding;
use crate::tidy::tree::{File, Tree};
use crate::workspace::Package;

pub(super) fn examine(tree: &Tree, packages: &[Package]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files().filter(|file| file.path.ends_with("/Cargo.toml")) {
        findings.extend(dependencies(file));
        findings.extend(lints(file));
        if !packages.iter().any(|package| package.manifest == file.path) {
            findings.push(Finding::at(
                &file.path,
                1,
                "the crate is no member of the workspace",
                "add it to Cargo.toml",
            ));
        }
    }
    findings.extend(clippy_files(tree));
    findings
}

/// A line of a manifest with the section it stands in.
struct Entry<'a> {
    number: usize,
    section: &'a str,
    text: &'a str,
}

/// The lines of all sections without comments. Lists over several lines give one entry, their first line.
fn entries(text: &str) -> Vec<Entry<'_>> {
    let mut section = "";
    let mut open: usize = 0;
    let mut entries = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let text = line.split('#').next().unwrap_or_default().trim();
        let inside = open > 0;
        open = open.saturating_add(text.matches('[').count()).saturating_sub(text.matches(']').count());
        if inside || text.is_empty() {
            continue;
        }
        match text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
            Some(name) => {
                section = name.trim_matches(['[', ']']);
                entries.push(Entry { number, section, text: "" });
            }
            None => entries.push(Entry { number, section, text }),
        }
    }
    entries
}

fn dependencies(file: &File) -> Vec<Finding> {
    let wanted = "state the version in the root's [workspace.dependencies], and here `workspace = true`";
    let mut findings = Vec::new();
    for entry in entries(&file.text) {
        let (last, before) =
            entry.section.rsplit_once('.').map_or((entry.section, ""), |(before, last)| (last, before));
        let wrong = if before.ends_with("dependencies") {
            entry.text.is_empty().then_some((last, "write it on one line, with `workspace = true`"))
        } else if last.ends_with("dependencies") && !entry.text.is_empty() {
            let spaceless = entry.text.replace(' ', "");
            let name = entry.text.split(['.', '=', ' ']).next().unwrap_or_default();
            (!spaceless.contains("workspace=true")).then_some((name, wanted))
        } else {
            None
        };
        findings.extend(wrong.map(|(name, fix)| {
            Finding::at(&file.path, entry.number, format!("{name} does not come from the workspace"), fix)
        }));
    }
    findings
}

fn lints(file: &File) -> Option<Finding> {
    let inherits = |entry: &Entry<'_>| entry.section == "lints" && entry.text.replace(' ', "") == "workspace=true";
    let missing = !entries(&file.text).iter().any(inherits);
    missing.then(|| Finding::at(&file.path, 1, "the crate has lints of its own", "add [lints] with `workspace = true`"))
}

/// A `clippy.toml` in a crate replaces the one of the root, so it must repeat it.
fn clippy_files(tree: &Tree) -> Vec<Finding> {
    let Some(root) = tree.get("clippy.toml") else {
        return vec![Finding::new("clippy.toml is missing", "restore it: it bans clocks and allows unwrap in tests")];
    };
    let mut findings = Vec::new();
    for file in tree.files().filter(|file| file.path.ends_with("/clippy.toml")) {
        let forgotten = root.text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
        for line in forgotten.filter(|line| !file.text.lines().any(|own| own == *line)) {
            let what = format!("`{}` of the root is not repeated, so it does not hold here", line.trim());
            findings.push(Finding::at(&file.path, 1, what, "copy it"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "\
[package]
name = \"a\"
version.workspace = true

[dependencies]
one.workspace = true
two = { workspace = true, features = [
  \"x\", # why
] } # why
three = {workspace=true}

[target.'cfg(unix)'.dependencies]
four.workspace = true

[lints]
workspace = true
";

    fn found(manifest: &str) -> Vec<String> {
        let tree = Tree::of(&[("crates/a/Cargo.toml", manifest), ("clippy.toml", "x = true\n")]);
        examine(&tree, &[package()]).iter().map(ToString::to_string).collect()
    }

    fn package() -> Package {
        let (dependencies, targets) = (Vec::new(), Vec::new());
        Package { name: "a".to_owned(), manifest: "crates/a/Cargo.toml".to_owned(), dependencies, targets }
    }

    #[test]
    fn inheriting_everything_passes() {
        assert_eq!(found(GOOD), [""; 0]);
    }

    #[test]
    fn a_version_of_its_own_is_reported() {
        for (bad, name) in [
            ("one.workspace = true", "one = \"1\""),
            ("two = { workspace = true, features", "two = { version = \"1\", features"),
            ("four.workspace = true", "four = { path = \"../four\" }"),
            ("[lints]", "[dev-dependencies.five]\nversion = \"1\"\n[lints]"),
        ] {
            let found = found(&GOOD.replace(bad, name));
            assert_eq!(found.len(), 1, "{name}: {found:?}");
            assert!(found[0].contains("does not come from the workspace"), "{found:?}");
        }
        assert!(
            found(&GOOD.replace("one.workspace = true", "one = \"1\""))[0].starts_with("crates/a/Cargo.toml:6: one ")
        );
    }

    #[test]
    fn lints_of_its_own_are_reported() {
        assert_eq!(
            found(&GOOD.replace("[lints]\nworkspace = true", "[lints.rust]\nmissing_docs = \"allow\"")).len(),
            1
        );
        assert_eq!(found(&GOOD.replace("[lints]\nworkspace = true", "")).len(), 1);
    }

    #[test]
    fn a_crate_outside_of_the_workspace_is_reported() {
        let tree = Tree::of(&[("crates/b/Cargo.toml", GOOD), ("clippy.toml", "")]);
        assert!(examine(&tree, &[package()])[0].to_string().contains("no member of the workspace"));
    }

    #[test]
    fn a_clippy_file_that_forgets_the_root_is_reported() {
        let tree = Tree::of(&[("clippy.toml", "a = true\nb = true\n"), ("crates/a/clippy.toml", "b = true\n")]);
        let found = examine(&tree, &[]);
        assert_eq!(found.len(), 1);
        assert!(found[0].to_string().contains("`a = true`"), "{}", found[0]);
        assert_eq!(examine(&Tree::of(&[]), &[]).len(), 1);
    }
}
