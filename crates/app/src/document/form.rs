//! Reading expected values out of a [`document`](super), noting everything that is not as expected.
//!
//! A form is about one subject, such as one portfolio. It never stops at a fault: each method notes what is wrong and gives
//! back what can be used. Which values are expected is known in [`crate::portfolios`] and [`crate::config`].

use super::nearest::nearest;
use super::{Entry, Kind, Lines, Malformed, Node, Syntax, Table};
use crate::faults::{Fault, shorten};
use evenkeel_domain::values::ParseError;
use std::str::FromStr;

/// How a file writes a key and its value; remedies are shown in the same way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notation {
    Toml,
    Json,
}

impl Notation {
    /// `key = value` or `"key": value`.
    pub(crate) fn pair(self, key: &str, value: &str) -> String {
        match self {
            Self::Toml => format!("{key} = {value}"),
            Self::Json => format!("\"{key}\": {value}"),
        }
    }
}

/// What is found out about one subject.
#[derive(Debug)]
pub(crate) struct Form<'a> {
    pub(crate) notation: Notation,
    lines: &'a Lines<'a>,
    /// As in `portfolio "growth"`; empty if there is only one in the file.
    subject: String,
    found: Vec<(usize, Fault)>,
}

impl<'a> Form<'a> {
    pub(crate) fn new(notation: Notation, lines: &'a Lines<'a>, subject: String) -> Self {
        Self { notation, lines, subject, found: Vec::new() }
    }

    /// Everything that was noted, in the file's order.
    pub(crate) fn into_faults(self) -> Vec<Fault> {
        self.into_found().into_iter().map(|(_, fault)| fault).collect()
    }

    /// The same, with the byte that each is at.
    pub(crate) fn into_found(mut self) -> Vec<(usize, Fault)> {
        self.found.sort_by_key(|(at, _)| *at);
        self.found
    }

    /// The number of the line that a byte is on.
    pub(crate) fn line(&self, at: usize) -> u64 {
        self.lines.place(at).0
    }

    /// Notes a fault at that byte; a field of `""` means the subject itself.
    pub(crate) fn note(
        &mut self,
        at: usize,
        field: &str,
        value: Option<&str>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let (line, column) = self.lines.place(at);
        let parts = [self.subject.as_str(), field].into_iter().filter(|part| !part.is_empty());
        let field = parts.collect::<Vec<_>>().join(": ");
        let fault = Fault {
            line: Some(line),
            column: Some(column),
            field: Some(field).filter(|field| !field.is_empty()),
            value: value.map(shorten),
            ..Fault::new(problem, remedy)
        };
        self.found.push((at, fault));
    }

    /// Notes that a value is not what it should be.
    pub(crate) fn refuse(
        &mut self,
        node: &Node<'_>,
        field: &str,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.note(node.at, field, Some(node.written), problem, remedy);
    }

    /// Notes what is wrong with the text as such.
    pub(crate) fn malformed(&mut self, malformed: &Malformed) {
        let at = malformed.at;
        match (&malformed.what, self.notation) {
            (Syntax::Repeated, _) => {
                let rest = self.lines.from(at);
                let key = rest.split([' ', '\t', '=', ':', ']']).next().unwrap_or_default().trim_matches('"');
                self.note(at, key, None, "the key is there already", "keep one of them");
            }
            (Syntax::Broken(what), Notation::Toml) => {
                let line = self.lines.line(at).trim();
                let remedy = "write key = \"value\", and close what is opened";
                self.note(at, "", Some(line), format!("this is no TOML: {what}"), remedy);
            }
            (Syntax::Broken(what), Notation::Json) => {
                let remedy = "write {\"key\": \"value\", …}, one portfolio on each line";
                self.note(at, "", Some(self.lines.from(at)), format!("this is no JSON: {what}"), remedy);
            }
        }
    }

    /// Notes every key that is none of `known`; one that belongs to one of `others`, each a place with its keys, is sent to the first.
    pub(crate) fn only(&mut self, table: &Table<'_>, path: &str, known: &[&str], others: &[(&str, &[&str])]) {
        for entry in table.entries.iter().filter(|entry| !known.contains(&entry.key.as_ref())) {
            let other = others.iter().find(|(_, keys)| keys.contains(&entry.key.as_ref()));
            let remedy = if let Some((place, _)) = other {
                format!("write it {place}")
            } else {
                let meant = nearest(&entry.key, known.iter().copied()).unwrap_or_default();
                format!("the nearest is {meant}; known are {}", known.join(", "))
            };
            let (path, value) = (field(path, &entry.key), entry.value.written);
            self.note(entry.at, &path, Some(value), "there is no such key", remedy);
        }
    }

    /// The entry of a key that must be there; `at` is where the table starts.
    pub(crate) fn needed<'n, 't>(
        &mut self,
        (table, at): (&'n Table<'t>, usize),
        path: &str,
        key: &str,
        sample: &str,
    ) -> Option<&'n Entry<'t>> {
        let entry = table.get(key);
        if entry.is_none() {
            let remedy = format!("write {}", self.notation.pair(key, sample));
            self.note(at, &field(path, key), None, "it is missing", remedy);
        }
        entry
    }

    /// The text of a value.
    pub(crate) fn text<'n>(&mut self, node: &'n Node<'_>, field: &str, remedy: &str) -> Option<&'n str> {
        match &node.kind {
            Kind::Text(text) => Some(text),
            Kind::Number | Kind::List(_) | Kind::Table(_) | Kind::Other(_) => {
                self.refuse(node, field, format!("it is {}, not a string", node.kind.name()), remedy);
                None
            }
        }
    }

    /// The table that a value is.
    pub(crate) fn table<'n, 't>(&mut self, node: &'n Node<'t>, field: &str, remedy: &str) -> Option<&'n Table<'t>> {
        match &node.kind {
            Kind::Table(table) => Some(table),
            Kind::Text(_) | Kind::Number | Kind::List(_) | Kind::Other(_) => {
                self.refuse(node, field, format!("it is {}, not a table", node.kind.name()), remedy);
                None
            }
        }
    }

    /// A decimal, which is a string: a number may have been a float, on its way here or before. A number is a fault, but
    /// gives its value, so that what else is wrong is found as well.
    pub(crate) fn decimal<T: FromStr<Err = ParseError>>(
        &mut self,
        node: &Node<'_>,
        field: &str,
        remedy: &str,
    ) -> Option<T> {
        match &node.kind {
            Kind::Text(text) => {
                text.parse().map_err(|e: ParseError| self.refuse(node, field, e.reason.to_string(), remedy)).ok()
            }
            Kind::Number => {
                let digits = node.written.replace('_', "");
                let digits = digits.strip_prefix('+').unwrap_or(&digits);
                match digits.parse() {
                    Ok(value) => {
                        let remedy = format!("write it as a string: \"{digits}\"");
                        self.refuse(node, field, "it is a number, which may lose digits", remedy);
                        Some(value)
                    }
                    Err(ParseError { reason, .. }) => {
                        let problem = format!("it is a number, not a string; and {reason}");
                        self.refuse(node, field, problem, remedy);
                        None
                    }
                }
            }
            Kind::List(_) | Kind::Table(_) | Kind::Other(_) => {
                self.refuse(node, field, format!("it is {}, not a decimal", node.kind.name()), remedy);
                None
            }
        }
    }
}

/// `path.key`, with quotes around a key that TOML would quote.
pub(crate) fn field(path: &str, key: &str) -> String {
    let is_bare = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let key = if is_bare { key.to_owned() } else { format!("\"{}\"", shorten(key)) };
    if path.is_empty() { key } else { format!("{path}.{key}") }
}

#[cfg(test)]
mod tests {
    use super::super::from_toml;
    use super::*;
    use evenkeel_domain::values::Money;

    fn decimal(written: &str) -> (Option<Money>, Vec<String>) {
        let text = format!("x = {written}\n");
        let lines = Lines::new(&text);
        let mut form = Form::new(Notation::Toml, &lines, String::new());
        let parsed = from_toml::parse(&text, 0);
        let value = form.decimal(&parsed.root.get("x").unwrap().value, "x", "write an amount");
        (value, form.into_faults().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_decimal_is_a_string() {
        assert_eq!(decimal("\"12.50\""), ("12.50".parse().ok(), vec![]));
        for (written, value, fault) in [
            ("12.5", Some("12.50"), "it is a number, which may lose digits; write it as a string: \"12.5\""),
            ("+1_000", Some("1000"), "it is a number, which may lose digits; write it as a string: \"1000\""),
            (
                "12.505",
                None,
                "it is a number, not a string; and it has 3 decimals, at most 2 are allowed; write an amount",
            ),
            (
                "nan",
                None,
                "it is a number, not a string; and it must be digits with at most one point between them, like 12 or 12.5; write an amount",
            ),
            (
                "\"1e400\"",
                None,
                "it must be digits with at most one point between them, like 12 or 12.5; write an amount",
            ),
            ("\"\"", None, "it is empty; write an amount"),
            ("true", None, "it is true or false, not a decimal; write an amount"),
            ("[]", None, "it is a list, not a decimal; write an amount"),
        ] {
            let value = value.map(|value| value.parse().unwrap());
            assert_eq!(decimal(written), (value, vec![format!(":1:5: x: {written}: {fault}")]));
        }
    }

    #[test]
    fn fields_are_quoted_where_toml_would() {
        assert_eq!(field("", "cash"), "cash");
        assert_eq!(field("targets", "BRK.B"), "targets.\"BRK.B\"");
        assert_eq!(field("targets", ""), "targets.\"\"");
    }
}
