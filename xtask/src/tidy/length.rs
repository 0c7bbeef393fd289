//! How long functions and files may be. Tests are not counted.

use crate::finding::Finding;
use crate::tidy::exceptions;
use crate::tidy::source::Source;
use crate::tidy::tree::{File, Tree};

const FUNCTION_LIMIT: usize = 70;
const FILE_LIMIT: usize = 400;

/// A function or a file that is longer than it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Long {
    pub(super) path: String,
    pub(super) line: usize,
    /// The name of the function, or `file`.
    pub(super) subject: String,
    pub(super) lines: usize,
    pub(super) limit: usize,
}

pub(super) fn examine(tree: &Tree) -> Vec<Finding> {
    let long: Vec<Long> = tree.files().filter(|file| file.is_rust() && !file.is_test()).flat_map(measure).collect();
    exceptions::examine(&long, tree.get(exceptions::PATH).map_or("", |file| &file.text))
}

/// What is too long in this file.
fn measure(file: &File) -> Vec<Long> {
    let source = Source::new(&file.text);
    let tokens = tokens(&source.code);
    let tests = blocks(&tokens, "mod").into_iter().find(|block| block.name == "tests");
    let tests_at = |line: usize| tests.as_ref().is_some_and(|tests| (tests.first..=tests.last).contains(&line));
    let long = |line, subject: &str, lines, limit| Long {
        path: file.path.clone(),
        line,
        subject: subject.to_owned(),
        lines,
        limit,
    };
    let functions = blocks(&tokens, "fn").into_iter().filter(|function| !tests_at(function.first));
    let functions = functions.map(|function| long(function.first, function.name, function.lines(), FUNCTION_LIMIT));
    let lines = (1..).zip(file.text.lines()).filter(|(number, _)| !tests_at(*number)).count();
    functions.chain([long(1, "file", lines, FILE_LIMIT)]).filter(|long| long.lines > long.limit).collect()
}

struct Token<'a> {
    line: usize,
    text: &'a str,
}

/// Names, and every other character but blanks on its own.
fn tokens(code: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    for (line, text) in (1..).zip(code.split('\n')) {
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let name = rest.find(|next: char| !next.is_alphanumeric() && next != '_').unwrap_or(rest.len());
            let (text, after) = rest.split_at(name.max(first.len_utf8()));
            tokens.push(Token { line, text });
            rest = after.trim_start();
        }
    }
    tokens
}

/// A function or a module with a body.
struct Block<'a> {
    name: &'a str,
    first: usize,
    last: usize,
}

impl Block<'_> {
    fn lines(&self) -> usize {
        self.last.saturating_sub(self.first).saturating_add(1)
    }
}

/// Everything that this keyword introduces by name and that has a body in braces.
fn blocks<'a>(tokens: &[Token<'a>], keyword: &str) -> Vec<Block<'a>> {
    let mut rest = tokens;
    let mut found = Vec::new();
    while let [first, after @ ..] = rest {
        rest = after;
        let [name, signature @ ..] = after else { break };
        if first.text == keyword && name.text.starts_with(|next: char| next.is_alphabetic() || next == '_') {
            found.extend(end_of_body(signature).map(|last| Block { name: name.text, first: first.line, last }));
        }
    }
    found
}

/// The line on which the body ends; `None` if there is none, as in a trait.
fn end_of_body(signature: &[Token<'_>]) -> Option<usize> {
    let mut brackets: usize = 0;
    let mut braces: usize = 0;
    for token in signature {
        match token.text {
            "(" | "[" if braces == 0 => brackets = brackets.saturating_add(1),
            ")" | "]" if braces == 0 => brackets = brackets.saturating_sub(1),
            ";" if braces == 0 && brackets == 0 => return None,
            "{" if brackets == 0 => braces = braces.saturating_add(1),
            "}" if brackets == 0 => {
                braces = braces.saturating_sub(1);
                if braces == 0 {
                    return Some(token.line);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(path: &str, text: &str) -> Vec<(String, usize, usize)> {
        let file = File { path: path.to_owned(), text: text.to_owned() };
        measure(&file).into_iter().map(|long| (long.subject, long.line, long.lines)).collect()
    }

    /// A function of that many lines.
    fn function(name: &str, lines: usize) -> String {
        let inner = "    a('{', \"}\"); // }\n".repeat(lines.saturating_sub(2));
        format!("fn {name}(a: [u8; 4]) {{\n{inner}}}\n")
    }

    #[test]
    fn the_limit_itself_is_allowed() {
        assert_eq!(measured("a.rs", &function("short", 70)), []);
        assert_eq!(measured("a.rs", &function("long", 71)), [("long".to_owned(), 1, 71)]);
    }

    #[test]
    fn every_long_function_is_found_at_its_line() {
        let text = format!("trait T {{\n fn none(&self);\n}}\n{}{}", function("one", 80), function("two", 90));
        assert_eq!(measured("a.rs", &text), [("one".to_owned(), 4, 80), ("two".to_owned(), 84, 90)]);
    }

    #[test]
    fn long_files_are_found_and_their_tests_do_not_count() {
        let code = "const A: u8 = 0;\n".repeat(400);
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", function("long", 100));
        assert_eq!(measured("a.rs", &code), []);
        assert_eq!(measured("a.rs", &format!("{code}{tests}")), [("file".to_owned(), 1, 401)]);
        assert_eq!(measured("a.rs", &tests), []);
    }

    #[test]
    fn test_files_are_left_out_and_others_are_not() {
        let long = function("long", 100);
        let tree = Tree::of(&[("crates/a/src/tests.rs", &long), ("tests/it/main.rs", &long)]);
        assert!(examine(&tree).is_empty());
        assert_eq!(examine(&Tree::of(&[("crates/a/src/lib.rs", &long)])).len(), 1);
    }
}
