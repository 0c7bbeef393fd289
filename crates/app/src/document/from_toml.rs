//! TOML as a [`document`](super).
//!
//! The parser recovers from mistakes, but what follows an unclosed quote or bracket is then anybody's guess: only a repeated
//! key leaves the rest worth reading.

use super::{Entry, Kind, Malformed, Node, Syntax, Table};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What a text in TOML says.
#[derive(Debug)]
pub(crate) struct Parsed<'t> {
    pub(crate) root: Table<'t>,
    /// In the file's order.
    pub(crate) malformed: Vec<Malformed>,
}

impl Parsed<'_> {
    /// The first thing after which nothing can be trusted.
    pub(crate) fn broken(&self) -> Option<&Malformed> {
        self.malformed.iter().find(|malformed| matches!(malformed.what, Syntax::Broken(_)))
    }
}

/// Parses `text`, which starts so many bytes into its file.
pub(crate) fn parse(text: &str, base: usize) -> Parsed<'_> {
    let (root, errors) = DeTable::parse_recoverable(text);
    let place = Base { text, base };
    let mut malformed: Vec<Malformed> = errors
        .iter()
        .map(|error| Malformed {
            at: place.of(error.span().map_or(0, |span| span.start)),
            what: syntax(error.message()),
        })
        .collect();
    malformed.sort_by_key(|malformed| malformed.at);
    Parsed { root: place.table(root.into_inner()), malformed }
}

fn syntax(message: &str) -> Syntax {
    if message == "duplicate key" { Syntax::Repeated } else { Syntax::Broken(message.to_owned()) }
}

/// Where in its file a text starts.
#[derive(Clone, Copy)]
struct Base<'t> {
    text: &'t str,
    base: usize,
}

impl<'t> Base<'t> {
    fn of(self, at: usize) -> usize {
        self.base.saturating_add(at)
    }

    fn table(self, table: DeTable<'t>) -> Table<'t> {
        let entries = table.into_iter().map(|(key, value)| {
            let at = self.of(key.span().start);
            Entry { key: key.into_inner(), at, value: self.node(value) }
        });
        let mut entries: Vec<Entry<'t>> = entries.collect();
        entries.sort_by_key(|entry| entry.at);
        Table { entries }
    }

    fn node(self, value: Spanned<DeValue<'t>>) -> Node<'t> {
        let span = value.span();
        let at = self.of(span.start);
        let kind = match value.into_inner() {
            DeValue::String(text) => Kind::Text(text),
            DeValue::Integer(_) | DeValue::Float(_) => Kind::Number,
            DeValue::Boolean(_) => Kind::Other("true or false"),
            DeValue::Datetime(_) => Kind::Other("a date or time"),
            DeValue::Array(list) => Kind::List(list.into_iter().map(|value| self.node(value)).collect()),
            DeValue::Table(table) => Kind::Table(self.table(table)),
        };
        Node { at, written: self.text.get(span).unwrap_or_default(), kind }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_in_the_files_order_with_places_and_digits_as_written() {
        let text = "b = 1_000.50\na = { z = \"1\", y = nan }\n";
        let parsed = parse(text, 100);
        assert_eq!(parsed.malformed, []);
        let shown: Vec<_> = parsed.root.entries.iter().map(|e| (e.key.as_ref(), e.at, e.value.written)).collect();
        assert_eq!(shown, [("b", 100, "1_000.50"), ("a", 113, "{ z = \"1\", y = nan }")]);
        let Kind::Table(inner) = &parsed.root.get("a").unwrap().value.kind else { panic!("a table") };
        assert_eq!(inner.entries.iter().map(|e| e.key.as_ref()).collect::<Vec<_>>(), ["z", "y"]);
    }

    #[test]
    fn a_repeated_key_is_told_from_a_broken_text() {
        let parsed = parse("a = 1\na = 2\n", 0);
        assert_eq!(parsed.malformed, [Malformed { at: 6, what: Syntax::Repeated }]);
        assert!(parsed.broken().is_none());

        let parsed = parse("a = \n", 0);
        assert_eq!(parsed.broken().map(|malformed| malformed.at), Some(4));
    }
}
