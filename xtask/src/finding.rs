//! What a rule found: where, what, and how to put it right.

use std::fmt;

use crate::Outcome;

/// One violation of one rule; prints on one line.
#[derive(Debug)]
pub(crate) struct Finding {
    place: Option<String>,
    what: String,
    fix: String,
}

impl Finding {
    /// About the whole, where no single file is to blame.
    pub(crate) fn new(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { place: None, what: what.into(), fix: fix.into() }
    }

    /// About a line of a file, counted from 1.
    pub(crate) fn at(path: &str, line: usize, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { place: Some(format!("{path}:{line}")), what: what.into(), fix: fix.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        write!(f, "{}: {}", self.what, self.fix)
    }
}

/// Prints all findings; fails if there are any.
pub(crate) fn report(findings: &[Finding]) -> Outcome {
    for finding in findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => Ok(()),
        1 => Err("1 finding".to_owned()),
        many => Err(format!("{many} findings")),
    }
}
