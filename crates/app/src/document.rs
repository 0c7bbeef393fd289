//! What a file says, before anyone knows what it should say: keys and values, each with its place.
//!
//! Two notations end here: TOML ([`from_toml`]) and JSON ([`from_json`]). What a tree should say is read out of it with a
//! [`form::Form`], by [`crate::portfolios`] and [`crate::config`]. Not serde: that stops at the first fault.

pub(crate) mod form;
pub(crate) mod from_json;
pub(crate) mod from_toml;
pub(crate) mod nearest;

use std::borrow::Cow;

/// Keys with their values, in the file's order, each key once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table<'t> {
    pub(crate) entries: Vec<Entry<'t>>,
}

/// A key with its value.
#[derive(Debug, Clone)]
pub(crate) struct Entry<'t> {
    pub(crate) key: Cow<'t, str>,
    /// Where the key starts, in bytes.
    pub(crate) at: usize,
    pub(crate) value: Node<'t>,
}

/// A value.
#[derive(Debug, Clone)]
pub(crate) struct Node<'t> {
    /// Where it starts, in bytes.
    pub(crate) at: usize,
    /// It, as written.
    pub(crate) written: &'t str,
    pub(crate) kind: Kind<'t>,
}

/// What a value is.
#[derive(Debug, Clone)]
pub(crate) enum Kind<'t> {
    Text(Cow<'t, str>),
    /// Of any form: [`Node::written`] tells which, and no digit is lost.
    Number,
    List(Vec<Node<'t>>),
    Table(Table<'t>),
    /// Anything that no file here has a use for, with what it is.
    Other(&'static str),
}

impl<'t> Table<'t> {
    pub(crate) fn get(&self, key: &str) -> Option<&Entry<'t>> {
        self.entries.iter().find(|entry| entry.key == key)
    }
}

impl Kind<'_> {
    /// What it is, in words.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Text(_) => "a string",
            Self::Number => "a number",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Other(name) => name,
        }
    }
}

/// Something that is not even a document, or a key that is there twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// Where, in bytes.
    pub(crate) at: usize,
    pub(crate) what: Syntax,
}

/// In which way a text is malformed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Syntax {
    /// The key is written again; the first counts, and everything else can be read.
    Repeated,
    /// What comes after it cannot be trusted.
    Broken(String),
}

/// From bytes to lines and columns.
#[derive(Debug)]
pub(crate) struct Lines<'t> {
    text: &'t str,
    /// Where each line starts.
    starts: Vec<usize>,
    /// The number of the first.
    first: u64,
}

impl<'t> Lines<'t> {
    /// The lines of a whole file.
    pub(crate) fn new(text: &'t str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(0).chain(ends.map(|(at, _)| at.saturating_add(1))).collect();
        Self { text, starts, first: 1 }
    }

    /// One line of a file, with its number.
    pub(crate) fn one(text: &'t str, number: u64) -> Self {
        Self { text, starts: vec![0], first: number }
    }

    /// The line and the column, in characters, both from 1, of a byte.
    pub(crate) fn place(&self, at: usize) -> (u64, u64) {
        let above = self.starts.partition_point(|start| *start <= at).saturating_sub(1);
        let start = self.starts.get(above).copied().unwrap_or_default();
        let before = self.text.get(start..at).map_or(0, |text| text.chars().count());
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        (self.first.saturating_add(count(above)), count(before).saturating_add(1))
    }

    /// The line that a byte is on, without its end.
    pub(crate) fn line(&self, at: usize) -> &'t str {
        let above = self.starts.partition_point(|start| *start <= at).saturating_sub(1);
        self.from(self.starts.get(above).copied().unwrap_or_default())
    }

    /// What is left of the line from a byte on, without its end.
    pub(crate) fn from(&self, at: usize) -> &'t str {
        self.text.get(at..).and_then(|rest| rest.lines().next()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_characters_from_one() {
        let lines = Lines::new("ä = 1\r\nbb = 2\n\nc");
        assert_eq!(lines.place(0), (1, 1));
        assert_eq!(lines.place(3), (1, 3)); // behind a letter of two bytes
        assert_eq!(lines.place(8), (2, 1));
        assert_eq!(lines.line(9), "bb = 2");
        assert_eq!(lines.place(15), (3, 1));
        assert_eq!(lines.place(16), (4, 1));
        assert_eq!(lines.place(17), (4, 2)); // the end
        assert_eq!(Lines::one("{}", 7).place(1), (7, 2));
    }
}
