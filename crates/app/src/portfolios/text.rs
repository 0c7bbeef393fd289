//! The portfolios of a text in TOML or JSON lines, as trees.
//!
//! A text in TOML that is broken somewhere is read again in pieces, one for each `[[portfolio]]`: so each broken portfolio is
//! named once, and the others are still looked at.

use super::{Reader, one, policy};
use crate::document::form::{Form, Notation, field};
use crate::document::from_toml::{self, Parsed};
use crate::document::{Kind, Lines, Node, from_json};
use crate::faults::Fault;

const HEADER: &str = "[[portfolio]]";

/// Where the keys belong that are found beside the portfolios.
const ELSEWHERE: [(&str, &[&str]); 3] = [
    ("below its portfolio, as [portfolio.policy]", &["policy"]),
    ("in its portfolio, below [[portfolio]]", &one::KEYS),
    ("in the policy of its portfolio, below [portfolio.policy]", &policy::KEYS),
];

/// Reads every portfolio of a text in TOML.
pub(super) fn toml(text: &str, reader: &mut Reader<'_>) {
    let lines = Lines::new(text);
    let mut section = Section { lines: &lines, reader, found: Vec::new() };
    let whole = from_toml::parse(text, 0);
    match whole.broken() {
        None => section.read(&whole),
        Some(broken) => {
            let parts = parts(text).map(|(at, part)| from_toml::parse(part, at));
            let mut in_a_part = false;
            for part in parts {
                in_a_part |= part.broken().is_some();
                section.read(&part);
            }
            if !in_a_part {
                let mut form = section.form();
                form.malformed(broken);
                section.found.extend(form.into_found());
            }
        }
    }
    let mut found = section.found;
    found.sort_by_key(|(at, _)| *at);
    found.into_iter().for_each(|(_, fault)| reader.faults.add(fault));
}

/// The text before the first header, then each header with what follows it; with where each starts.
fn parts(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at: usize = 0;
    let lines = text.split_inclusive('\n').map(move |line| {
        let start = at;
        at = at.saturating_add(line.len());
        (start, line)
    });
    let headers = lines.filter(|(_, line)| line.trim_start().starts_with(HEADER)).map(|(start, _)| start);
    let starts: Vec<usize> = std::iter::once(0).chain(headers.filter(|start| *start > 0)).collect();
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([text.len()]).collect();
    starts.into_iter().zip(ends).filter_map(move |(start, end)| Some((start, text.get(start..end)?)))
}

/// A part of a text in TOML, or all of it.
struct Section<'s, 'a> {
    lines: &'s Lines<'s>,
    reader: &'s mut Reader<'a>,
    found: Vec<(usize, Fault)>,
}

impl<'s> Section<'s, '_> {
    /// A form about the file.
    fn form(&self) -> Form<'s> {
        Form::new(Notation::Toml, self.lines, String::new())
    }

    fn read(&mut self, parsed: &Parsed<'_>) {
        let mut form = self.form();
        let portfolios = portfolios(&mut form, parsed);
        if let Some(broken) = parsed.broken() {
            // What was recovered from a broken text is not worth a fault; only the name of its portfolio is.
            let number = self.reader.number.saturating_add(1);
            self.reader.number = number;
            let mut form = Form::new(Notation::Toml, self.lines, one::subject(portfolios.first(), number));
            parsed
                .malformed
                .iter()
                .filter(|repeated| repeated.at < broken.at)
                .for_each(|repeated| form.malformed(repeated));
            form.malformed(broken);
            self.found.extend(form.into_found());
            return;
        }
        form.only(&parsed.root, "", &["portfolio"], &ELSEWHERE);
        let first = portfolios.first().map_or(usize::MAX, |node| node.at);
        parsed.malformed.iter().filter(|repeated| repeated.at < first).for_each(|repeated| form.malformed(repeated));
        self.found.extend(form.into_found());

        for (place, node) in portfolios.iter().enumerate() {
            let end = portfolios.get(place.saturating_add(1)).map_or(usize::MAX, |next| next.at);
            let mut form = self.reader.portfolio(node, Notation::Toml, self.lines);
            let repeated = parsed.malformed.iter().filter(|repeated| (node.at..end).contains(&repeated.at));
            repeated.for_each(|repeated| form.malformed(repeated));
            self.found.extend(form.into_found());
        }
    }
}

/// The tables of `[[portfolio]]`; that there is only `[portfolio]` is noted.
fn portfolios<'n, 't>(form: &mut Form<'_>, parsed: &'n Parsed<'t>) -> &'n [Node<'t>] {
    let Some(entry) = parsed.root.get("portfolio") else { return &[] };
    match &entry.value.kind {
        Kind::List(nodes) => nodes,
        Kind::Text(_) | Kind::Number | Kind::Table(_) | Kind::Other(_) => {
            let problem = format!("it is {}, and there may be several", entry.value.kind.name());
            form.note(entry.at, &field("", "portfolio"), None, problem, format!("start each portfolio with {HEADER}"));
            &[]
        }
    }
}

/// Reads every portfolio of a text in JSON lines. Blank lines are skipped.
pub(super) fn json_lines(text: &str, reader: &mut Reader<'_>) {
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let lines = Lines::one(line, number);
        let form = match from_json::parse(line) {
            Ok((node, repeated)) => {
                let mut form = reader.portfolio(&node, Notation::Json, &lines);
                repeated.iter().for_each(|repeated| form.malformed(repeated));
                form
            }
            Err(malformed) => {
                reader.number = reader.number.saturating_add(1);
                let mut form = Form::new(Notation::Json, &lines, one::subject(None, reader.number));
                form.malformed(&malformed);
                form
            }
        };
        form.into_faults().into_iter().for_each(|fault| reader.faults.add(fault));
    }
}
