//! How much lies below the domain: a feature switched on deep down shows here as a crate more.

use std::collections::BTreeSet;

use crate::cargo::{cargo, output};
use crate::finding::Finding;
use crate::workspace::Workspace;

const PACKAGE: &str = "evenkeel-domain";
/// With all features on. Lower it when a crate goes.
const CEILING: usize = 15;

pub(super) fn examine(workspace: &Workspace) -> Vec<Finding> {
    let arguments =
        format!("tree --locked --package {PACKAGE} --all-features --edges normal --prefix none --format {{p}}");
    match output(&mut cargo(&workspace.root, &arguments)) {
        Ok(tree) => judge(&tree),
        Err(reason) => vec![Finding::new(reason, "what lies below the domain could not be examined")],
    }
}

fn judge(tree: &str) -> Vec<Finding> {
    let mut below: BTreeSet<String> = tree.lines().filter_map(name_and_version).collect();
    below.retain(|package| !package.starts_with(PACKAGE));
    if below.is_empty() {
        return vec![Finding::new(
            "`cargo tree` shows nothing below the domain",
            "this check is broken; repair it first",
        )];
    }
    if below.len() <= CEILING {
        return Vec::new();
    }
    let list = below.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    vec![Finding::new(
        format!("{} crates lie below the domain, more than {CEILING}: {list}", below.len()),
        "leave the new one out, or argue for it where the ceiling is (xtask/src/layers/closure.rs)",
    )]
}

/// `syn v3.0.9` of `syn v3.0.9 (proc-macro)`.
fn name_and_version(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    Some(format!("{} {}", words.next()?, words.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_crate_counts_once_and_the_domain_itself_does_not() {
        let tree = "evenkeel-domain v0.0.0 (here)\nuuid v1.29.1\nuuid v1.29.1\nuuid v1.29.1 (*)\n\n";
        assert!(judge(tree).is_empty());
    }

    #[test]
    fn too_many_are_listed() {
        let tree: String = (0..=CEILING).map(|n| format!("new-{n} v1.0.0\n")).collect();
        let found = judge(&tree);
        assert_eq!(found.len(), 1);
        assert!(found[0].to_string().contains("new-0 v1.0.0, new-1 v1.0.0"), "{}", found[0]);
    }

    #[test]
    fn an_empty_tree_fails() {
        assert!(judge("evenkeel-domain v0.0.0 (here)\n")[0].to_string().contains("broken"));
        assert!(judge("")[0].to_string().contains("broken"));
    }
}
