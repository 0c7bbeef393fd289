//! What a suite found about an adapter, as text and as JSON.

use crate::{Case, Verdict};
use serde::Serialize;
use std::fmt;

/// Everything a suite found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The suite's port: `broker`.
    pub port: &'static str,
    /// The adapter, as it names itself.
    pub adapter: String,
    /// The version of the suite.
    pub suite_version: &'static str,
    /// What the adapter declares, one line each.
    pub capabilities: Vec<String>,
    /// Every case of the suite, in order.
    pub cases: Vec<CaseReport>,
}

/// One case and how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaseReport {
    /// Its id.
    pub id: &'static str,
    /// The numbers of the port's contract that it is about.
    pub contract: &'static str,
    /// What is promised.
    pub promise: &'static str,
    /// `passed`, `failed`, `skipped` or `not shown`.
    pub verdict: &'static str,
    /// What was seen, what excuses it, or what the rig cannot do; empty if it passed.
    pub detail: String,
}

impl CaseReport {
    /// The report of one case.
    #[must_use]
    pub fn new(case: &Case, verdict: &Verdict) -> Self {
        let detail = match verdict {
            Verdict::Passed => String::new(),
            Verdict::Failed { why } => why.clone(),
            Verdict::Skipped { excuse } => excuse.clone(),
            Verdict::NotShown { missing } => format!("the rig cannot {missing}"),
        };
        Self { id: case.id, contract: case.contract, promise: case.promise, verdict: verdict.name(), detail }
    }
}

impl Report {
    /// How many cases ended with this verdict's word.
    #[must_use]
    pub fn count(&self, verdict: &str) -> usize {
        self.cases.iter().filter(|case| case.verdict == verdict).count()
    }

    /// One line of JSON.
    ///
    /// # Errors
    /// None that this report leads to.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} suite {} for {}", self.port, self.suite_version, self.adapter)?;
        for capability in &self.capabilities {
            writeln!(f, "  declares {capability}")?;
        }
        for CaseReport { id, contract, promise, verdict, detail } in &self.cases {
            writeln!(f, "  {verdict:<9}  {id}  {promise} (contract {contract})")?;
            if !detail.is_empty() {
                writeln!(f, "             {detail}")?;
            }
        }
        let counts = ["passed", "failed", "skipped", "not shown"].map(|word| format!("{} {word}", self.count(word)));
        writeln!(f, "{}", counts.join(", "))
    }
}
