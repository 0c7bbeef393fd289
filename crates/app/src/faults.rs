//! What is wrong with an input file: every fault, with its place, the value as written, and what would be right.
//!
//! Faults are found in [`crate::portfolios`], [`crate::config`] and [`crate::files`]; those of prices come from the market
//! crate. They are printed, all files together, in [`crate::exit`].

use std::fmt;

/// One thing that is wrong with a file.
///
/// Printed behind the file's name: `:7:12: portfolio "growth": targets.META: "0": it is not above zero; write …`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Fault {
    /// From 1; `None` when the whole file is meant.
    pub(crate) line: Option<u64>,
    /// In characters, from 1; `None` when the whole line is meant.
    pub(crate) column: Option<u64>,
    /// Which value of whom: `portfolio "growth": targets.META`.
    pub(crate) field: Option<String>,
    /// The value as written, shortened.
    pub(crate) value: Option<String>,
    /// What is wrong.
    pub(crate) problem: String,
    /// What would be right.
    pub(crate) remedy: String,
}

impl Fault {
    /// A fault of a whole file.
    pub(crate) fn new(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { problem: problem.into(), remedy: remedy.into(), ..Self::default() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for place in [self.line, self.column].into_iter().flatten() {
            write!(f, ":{place}")?;
        }
        for part in [&self.field, &self.value].into_iter().flatten() {
            write!(f, ": {part}")?;
        }
        write!(f, ": {}; {}", self.problem, self.remedy)
    }
}

/// The faults of one file: the first of them kept, all of them counted.
///
/// Printed as one line per fault, and a last one for those that were only counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct FileFaults {
    source: String,
    kept: Vec<Fault>,
    count: u64,
}

impl FileFaults {
    /// How many faults of a file are printed.
    pub(crate) const MOST: usize = 100;

    /// No fault yet.
    pub(crate) fn new(source: impl Into<String>) -> Self {
        Self { source: source.into(), kept: Vec::new(), count: 0 }
    }

    /// A file that is as it should be but for one thing.
    pub(crate) fn of(source: impl Into<String>, fault: Fault) -> Self {
        let mut faults = Self::new(source);
        faults.add(fault);
        faults
    }

    /// Notes one more.
    pub(crate) fn add(&mut self, fault: Fault) {
        self.add_uncounted(fault);
        self.count = self.count.saturating_add(1);
    }

    /// Notes faults of which only some are at hand.
    pub(crate) fn add_some_of(&mut self, count: u64, some: impl IntoIterator<Item = Fault>) {
        some.into_iter().for_each(|fault| self.add_uncounted(fault));
        self.count = self.count.saturating_add(count);
    }

    fn add_uncounted(&mut self, fault: Fault) {
        if self.kept.len() < Self::MOST {
            self.kept.push(fault);
        }
    }

    /// The file, as messages name it.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// `value` if there is no fault.
    pub(crate) fn or<T>(self, value: T) -> Result<T, Self> {
        if self.count == 0 { Ok(value) } else { Err(self) }
    }
}

impl fmt::Display for FileFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in &self.kept {
            writeln!(f, "{}{fault}", self.source)?;
        }
        let kept = u64::try_from(self.kept.len()).unwrap_or(u64::MAX);
        match self.count.saturating_sub(kept) {
            0 => Ok(()),
            more => writeln!(f, "{}: … and {more} more", self.source),
        }
    }
}

/// What a file says, for a message: one line of it, escaped, and at most 60 characters.
pub(crate) fn shorten(written: &str) -> String {
    const LONGEST: usize = 60;
    let mut characters = written.chars();
    let shown = characters.by_ref().take(LONGEST);
    let mut shown: String = shown
        .flat_map(|c| if c.is_control() { Shown::Escaped(c.escape_debug()) } else { Shown::Plain(Some(c)) })
        .collect();
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
}

/// A character as it is, or escaped so that a message stays on its line and cannot steer a terminal.
enum Shown {
    Plain(Option<char>),
    Escaped(std::char::EscapeDebug),
}

impl Iterator for Shown {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        match self {
            Self::Plain(plain) => plain.take(),
            Self::Escaped(escaped) => escaped.next(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_hundred_are_printed_and_all_are_counted() {
        let mut faults = FileFaults::new("a.toml");
        for line in 1..=123 {
            faults.add(Fault { line: Some(line), ..Fault::new("it is wrong", "correct it") });
        }
        let printed = faults.to_string();
        assert_eq!(faults.count(), 123);
        assert_eq!(printed.lines().count(), 101);
        assert!(printed.starts_with("a.toml:1: it is wrong; correct it\n"), "{printed}");
        assert!(printed.ends_with("a.toml: … and 23 more\n"), "{printed}");
    }

    #[test]
    fn a_value_stays_on_its_line() {
        assert_eq!(shorten("\"a\nb\u{1b}[31m\""), r#""a\nb\u{1b}[31m""#);
        assert_eq!(shorten(&"é".repeat(61)), format!("{}…", "é".repeat(60)));
    }
}
