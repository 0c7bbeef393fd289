//! The guide quotes these sources as they are: every block of `docs/write-a-broker.md` that names a file occurs in it, line for line.

use std::path::{Path, PathBuf};

const GUIDE: &str = "docs/write-a-broker.md";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A block of code: the line it begins in, what stands behind its fence, and its text.
struct Block<'a> {
    line: usize,
    info: &'a str,
    text: String,
}

fn blocks(document: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut lines = (1..).zip(document.lines());
    while let Some((line, fence)) = lines.next() {
        if let Some(info) = fence.strip_prefix("```") {
            let inside = lines.by_ref().map(|(_, text)| text).take_while(|text| *text != "```");
            blocks.push(Block { line, info, text: inside.map(|text| format!("{text}\n")).collect() });
        }
    }
    blocks
}

/// What is wrong with the excerpts of a document, given how to read a file.
fn wrong(document: &str, read: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut wrong = Vec::new();
    for Block { line, info, text } in blocks(document) {
        match info.split_once(" file=") {
            None if info.starts_with("rust") => {
                wrong.push(format!("{line}: Rust from no file: write `rust file=PATH`"))
            }
            None => {}
            Some((_, path)) => match read(path) {
                None => wrong.push(format!("{line}: {path} does not exist")),
                Some(file) if format!("\n{file}").contains(&format!("\n{text}")) && !text.is_empty() => {}
                Some(_) => wrong.push(format!("{line}: this is not in {path}:\n{text}")),
            },
        }
    }
    wrong
}

#[test]
fn every_excerpt_of_the_guide_is_in_its_file() {
    let guide = std::fs::read_to_string(root().join(GUIDE)).unwrap();
    let wrong = wrong(&guide, |path| std::fs::read_to_string(root().join(path)).ok());
    assert!(wrong.is_empty(), "{GUIDE}:{}", wrong.join(&format!("\n{GUIDE}:")));
    let quoted = blocks(&guide).iter().filter(|block| block.info.contains(" file=")).count();
    assert!(quoted >= 15, "only {quoted} excerpts were found: is this check broken?");
}

#[test]
fn an_excerpt_that_differs_is_found() {
    let read = |path: &str| (path == "a.rs").then(|| "fn a() {\n    b();\n}\n".to_owned());
    for (document, faults) in [
        ("```rust file=a.rs\n    b();\n```\n", 0),
        ("```rust file=a.rs\nfn a() {\n    b();\n}\n```\n", 0),
        ("```text\nanything\n```\n```rust file=a.rs\n    b();\n```", 0),
        ("```rust file=a.rs\nb();\n```\n", 1),
        ("```rust file=a.rs\n    c();\n```\n", 1),
        ("```rust file=a.rs\n```\n", 1),
        ("```rust file=b.rs\n    b();\n```\n", 1),
        ("```rust\n    b();\n```\n", 1),
    ] {
        assert_eq!(wrong(document, read).len(), faults, "{document}");
    }
}
