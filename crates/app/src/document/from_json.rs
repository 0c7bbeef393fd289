//! One line of JSON as a [`document`](super).
//!
//! Every value is read as the piece of text it is, and taken apart on the way down: so numbers keep their digits, keys their
//! order and their repetitions, and all of them their place.

use super::{Entry, Kind, Malformed, Node, Syntax, Table};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

/// Tables within tables are read so far; no file here has more.
const DEEPEST: usize = 4;

/// What a line says: one value, and the keys in it that are written again.
///
/// # Errors
/// [`Malformed`], if it is no JSON.
pub(crate) fn parse(line: &str) -> Result<(Node<'_>, Vec<Malformed>), Malformed> {
    let raw: &RawValue =
        serde_json::from_str(line).map_err(|error| broken(error.column().saturating_sub(1), &error))?;
    let mut walk = Walk { line, repeated: Vec::new() };
    let node = walk.node(raw, 0)?;
    Ok((node, walk.repeated))
}

fn broken(at: usize, error: &serde_json::Error) -> Malformed {
    let message = error.to_string();
    let what = message.split_once(" at line ").map_or(message.as_str(), |(what, _)| what);
    Malformed { at, what: Syntax::Broken(what.to_owned()) }
}

struct Walk<'t> {
    line: &'t str,
    repeated: Vec<Malformed>,
}

impl<'t> Walk<'t> {
    fn node(&mut self, raw: &'t RawValue, depth: usize) -> Result<Node<'t>, Malformed> {
        let written = raw.get();
        let at = self.offset(written);
        let kind = match written.as_bytes().first() {
            Some(b'"') => Kind::Text(part::<Text<'t>>(written, at)?.0),
            Some(b'{') if depth < DEEPEST => Kind::Table(self.table(written, at, depth)?),
            Some(b'{') => Kind::Other("a table"),
            Some(b'[') => Kind::Other("a list"),
            Some(b't' | b'f') => Kind::Other("true or false"),
            Some(b'n') => Kind::Other("null"),
            Some(_) | None => Kind::Number,
        };
        Ok(Node { at, written, kind })
    }

    fn table(&mut self, written: &'t str, at: usize, depth: usize) -> Result<Table<'t>, Malformed> {
        let mut table = Table::default();
        let pairs = part::<Object<'t>>(written, at)?.0;
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        for (key, raw) in &pairs {
            let value = self.node(raw, depth.saturating_add(1))?;
            // One back for the quote; a key with escapes was copied, and its value is the nearest place there is.
            let at = match key {
                Cow::Borrowed(key) => self.offset(key).saturating_sub(1),
                Cow::Owned(_) => value.at,
            };
            if seen.insert(key) {
                table.entries.push(Entry { key: key.clone(), at, value });
            } else {
                self.repeated.push(Malformed { at, what: Syntax::Repeated });
            }
        }
        Ok(table)
    }

    /// Where in the line a piece of it starts.
    fn offset(&self, piece: &str) -> usize {
        piece.as_ptr().addr().saturating_sub(self.line.as_ptr().addr())
    }
}

/// Reads a piece of the line, which starts there.
fn part<'t, T: Deserialize<'t>>(piece: &'t str, at: usize) -> Result<T, Malformed> {
    serde_json::from_str(piece).map_err(|error| broken(at.saturating_add(error.column()).saturating_sub(1), &error))
}

/// A string, borrowed where it has no escapes.
struct Text<'t>(Cow<'t, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Visit)
    }
}

/// Keys and values in the order they are written, repeated ones too.
struct Object<'t>(Vec<(Cow<'t, str>, &'t RawValue)>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Object<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut pairs = Vec::new();
                while let Some((Text(key), value)) = map.next_entry()? {
                    pairs.push((key, value));
                }
                Ok(Object(pairs))
            }
        }
        deserializer.deserialize_map(Visit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_order_and_places_are_kept() {
        let line = r#"{"b": 33.330000000000000001, "a": {"z\n": "1", "b": null}, "b": 2}"#;
        let (node, repeated) = parse(line).unwrap();
        let Kind::Table(table) = node.kind else { panic!("a table") };
        let shown: Vec<_> = table.entries.iter().map(|e| (e.key.as_ref(), e.at, e.value.at, e.value.written)).collect();
        assert_eq!(shown[0], ("b", 1, 6, "33.330000000000000001"));
        assert_eq!((shown[1].0, shown[1].1), ("a", 29));
        assert_eq!(repeated, [Malformed { at: 59, what: Syntax::Repeated }]);
    }

    #[test]
    fn what_is_no_json_is_told_with_its_place() {
        for (line, at, what) in [
            ("{\"a\": 1,}", 8, "key must be a string"),
            ("{\"a\" 1}", 5, "expected `:`"),
            ("{} {}", 3, "trailing characters"),
            ("{\"a\": \"\\ud800\"}", 13, "unexpected end of hex escape"),
        ] {
            assert_eq!(parse(line).unwrap_err(), Malformed { at, what: Syntax::Broken(what.to_owned()) }, "{line}");
        }
    }

    #[test]
    fn a_line_that_is_nested_too_deeply_is_no_matter() {
        let line = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
        assert!(parse(&line).is_ok());
    }
}
