//! The files that the rules look at: what git tracks, and what is new and not ignored.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use crate::cargo::output;

/// All files by their path from the root, with `/` between its parts.
pub(super) struct Tree {
    files: BTreeMap<String, File>,
}

pub(super) struct File {
    pub(super) path: String,
    /// Empty if the file is not text.
    pub(super) text: String,
}

impl File {
    pub(super) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// `tests.rs`, what tests are built from (`testing.rs`), or anything below a folder of these names.
    pub(super) fn is_test(&self) -> bool {
        let is_named = |name: &str| matches!(name, "tests" | "testing");
        let mut names = self.path.split('/').rev();
        names.next().and_then(|file| file.strip_suffix(".rs")).is_some_and(is_named) || names.any(is_named)
    }
}

impl Tree {
    pub(super) fn load(root: &Path) -> Result<Self, String> {
        let paths = match listed_by_git(root) {
            Some(paths) if !paths.is_empty() => paths,
            _ => walked(root)?,
        };
        let mut tree = Self { files: BTreeMap::new() };
        for path in paths {
            match fs::read(root.join(&path)) {
                Ok(bytes) => tree.add(path, String::from_utf8(bytes).unwrap_or_default()),
                // Deleted and not yet committed, or a link to nowhere.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(format!("{path}: {error}")),
            }
        }
        Ok(tree)
    }

    fn add(&mut self, path: String, text: String) {
        self.files.insert(path.clone(), File { path, text });
    }

    pub(super) fn files(&self) -> impl Iterator<Item = &File> {
        self.files.values()
    }

    pub(super) fn get(&self, path: &str) -> Option<&File> {
        self.files.get(path)
    }

    /// Is this a file, or a folder with files?
    pub(super) fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        let folder = format!("{path}/");
        self.files.contains_key(path) || self.files.keys().any(|file| file.starts_with(&folder))
    }
}

#[cfg(test)]
impl Tree {
    /// A tree of samples.
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let mut tree = Self { files: BTreeMap::new() };
        for (path, text) in files {
            tree.add((*path).to_owned(), (*text).to_owned());
        }
        tree
    }
}

/// `None` where git or its repository is absent, as in an unpacked archive.
fn listed_by_git(root: &Path) -> Option<Vec<String>> {
    let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let list = output(Command::new("git").args(arguments).current_dir(root)).ok()?;
    Some(list.split_terminator('\0').map(str::to_owned).collect())
}

/// Everything in the root and in the folders that hold sources, without what was built.
fn walked(root: &Path) -> Result<Vec<String>, String> {
    let mut paths = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let failed = |error| format!("{}: {error}", root.join(&folder).display());
        for entry in fs::read_dir(root.join(&folder)).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            if !entry.file_type().map_err(failed)?.is_dir() {
                paths.push(path);
            } else if name != "target" && (!folder.is_empty() || ["crates", "tests", "xtask", "docs"].contains(&&*name))
            {
                folders.push(path);
            }
        }
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_git_the_folders_are_walked() {
        let root = crate::workspace::Workspace::load().unwrap().root;
        let mut paths = walked(&root).unwrap();
        paths.retain(|path| path.starts_with("xtask/"));
        assert!(paths.contains(&"xtask/src/tidy/tree.rs".to_owned()), "{paths:?}");
        assert!(!paths.iter().any(|path| path.contains("target/")), "{paths:?}");
    }

    #[test]
    fn folders_and_files_are_found() {
        let tree = Tree::of(&[("crates/a/src/lib.rs", "")]);
        assert!(tree.has("crates/a") && tree.has("crates/a/") && tree.has("crates/a/src/lib.rs"));
        assert!(!tree.has("crates/b") && !tree.has("crates/a/src/lib"));
    }

    #[test]
    fn test_files_are_recognised() {
        let is_test = |path: &str| File { path: path.to_owned(), text: String::new() }.is_test();
        assert!(
            is_test("crates/a/src/testing/world.rs")
                && is_test("crates/a/src/plan/tests.rs")
                && is_test("tests/it/main.rs")
                && is_test("crates/a/tests/x.rs")
        );
        assert!(!is_test("crates/a/src/tested.rs") && !is_test("crates/a/src/tests_of.rs"));
    }
}
