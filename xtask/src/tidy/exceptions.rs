//! The list of what may be longer than the limits, so that the rule that is stated is the rule that is enforced.
//!
//! It only shrinks: an entry must give the length of today, and must go when it is no longer needed.

use crate::finding::Finding;
use crate::tidy::length::Long;

pub(super) const PATH: &str = "xtask/tidy-exceptions.txt";

struct Exception<'a> {
    line: usize,
    path: &'a str,
    subject: &'a str,
    lines: usize,
}

pub(super) fn examine(long: &[Long], list: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut exceptions = Vec::new();
    for (number, line) in (1..).zip(list.lines()) {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        match parse(number, line) {
            Some(exception) => exceptions.push(exception),
            None => findings.push(Finding::at(
                PATH,
                number,
                "not an exception",
                "write `path | function, or file | lines | reason`",
            )),
        }
    }
    findings.extend(long.iter().filter_map(|long| compare(long, &exceptions)));
    findings.extend(exceptions.iter().filter(|exception| !long.iter().any(|long| exception.is_for(long))).map(
        |exception| {
            let what = format!("{} in {} is no longer too long", exception.subject, exception.path);
            Finding::at(PATH, exception.line, what, "remove this line")
        },
    ));
    findings
}

impl Exception<'_> {
    fn is_for(&self, long: &Long) -> bool {
        self.path == long.path && self.subject == long.subject
    }
}

/// `None` also if there is no reason.
fn parse(line: usize, text: &str) -> Option<Exception<'_>> {
    let mut fields = text.splitn(4, '|').map(str::trim);
    let (path, subject) = (fields.next()?, fields.next()?);
    let lines = fields.next()?.parse().ok()?;
    let reason = fields.next()?;
    (!reason.is_empty()).then_some(Exception { line, path, subject, lines })
}

fn compare(long: &Long, exceptions: &[Exception<'_>]) -> Option<Finding> {
    let Long { path, line, subject, lines, limit } = long;
    let listed: Vec<&Exception<'_>> = exceptions.iter().filter(|exception| exception.is_for(long)).collect();
    if listed.iter().any(|exception| exception.lines == *lines) {
        return None;
    }
    let Some(exception) = listed.first() else {
        let what = format!("{subject} has {lines} lines, more than {limit}");
        return Some(Finding::at(path, *line, what, "split it at a seam"));
    };
    Some(if exception.lines < *lines {
        let what = format!("{subject} has grown from {} lines to {lines}", exception.lines);
        Finding::at(path, *line, what, format!("split it at a seam; the exception in {PATH} only shrinks"))
    } else {
        let what = format!("{subject} in {path} has shrunk from {} lines to {lines}", exception.lines);
        Finding::at(PATH, exception.line, what, "write the new number")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(list: &str) -> Vec<String> {
        let long = Long { path: "a.rs".to_owned(), line: 7, subject: "plan".to_owned(), lines: 80, limit: 70 };
        examine(&[long], list).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_too_long_needs_an_entry_of_exactly_its_length() {
        let split = "split it at a seam";
        assert_eq!(found("# none\n\n"), [format!("a.rs:7: plan has 80 lines, more than 70: {split}")]);
        assert_eq!(found("a.rs | plan | 80 | one table, read top down"), [""; 0]);
        assert!(found("a.rs | plan | 75 | why")[0].contains("has grown from 75 lines to 80"));
        assert!(found("a.rs | plan | 90 | why")[0].contains("has shrunk from 90 lines to 80: write the new number"));
    }

    #[test]
    fn entries_without_need_or_reason_are_reported() {
        let found = found("a.rs | plan | 80 | why\nb.rs | file | 500 | why\na.rs | plan | 80 |\nnonsense");
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].contains(":3: not an exception") && found[1].contains(":4: not an exception"));
        assert!(found[2].contains(":2: file in b.rs is no longer too long: remove this line"), "{found:?}");
    }
}
