//! `cargo xtask tidy`: what the text of the repository must look like, beyond what the compiler and clippy see.
//!
//! * `tidy/text.rs`: rules for single lines and for how a file begins;
//! * `tidy/length.rs`: how long functions and files may be, with `tidy-exceptions.txt` as the list that only shrinks;
//! * `tidy/manifests.rs`: every crate takes versions and lints from the workspace;
//! * `tidy/documents.rs`: README and ARCHITECTURE.md name what exists.
//!
//! Each rule has a test in which a bad sample is caught.

mod documents;
mod exceptions;
mod length;
mod manifests;
mod source;
mod text;
mod tree;

use crate::Outcome;
use crate::finding::{Finding, report};
use crate::workspace::Workspace;
use tree::Tree;

pub(crate) fn run(workspace: &Workspace) -> Outcome {
    report(&examine(workspace)?)
}

fn examine(workspace: &Workspace) -> Result<Vec<Finding>, String> {
    let tree = Tree::load(&workspace.root)?;
    if !tree.files().any(|file| file.is_rust()) {
        return Err("no Rust file was found: this check is broken".to_owned());
    }
    Ok([
        text::examine(&tree),
        length::examine(&tree),
        manifests::examine(&tree, &workspace.packages),
        documents::examine(&tree, &workspace.packages),
    ]
    .into_iter()
    .flatten()
    .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_tidy() -> Outcome {
        run(&Workspace::load()?)
    }
}
