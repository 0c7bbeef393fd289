//! What a suite found about an adapter, as text ([`Display`](fmt::Display)), as JSON ([`Report::to_json`]) and as files ([`Report::save`]).

use crate::{Case, Verdict};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

/// The environment variable that names the folder to which `the_report_is_as_declared` saves its report; see the top of this crate.
pub const REPORTS: &str = "EVENKEEL_REPORTS";

/// Everything a suite found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The suite's port: `broker`.
    pub port: &'static str,
    /// The adapter, as it names itself.
    pub adapter: String,
    /// The version of the crate whose tests call the macro; none in a report that was made without it.
    pub adapter_version: Option<String>,
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

    /// The same, of an adapter of this version. The macros give it that of the crate they are called in.
    #[must_use]
    pub fn of_version(mut self, version: &str) -> Self {
        self.adapter_version = Some(version.to_owned());
        self
    }

    /// Writes the report into a folder, which is made if need be: as text and as JSON, under the names of port and adapter
    /// (`broker-toy.txt` and `broker-toy.json`). What was there under these names is replaced.
    ///
    /// # Errors
    /// When a file cannot be written; the message names it.
    pub fn save(&self, folder: &Path) -> io::Result<[PathBuf; 2]> {
        let name = file_name(&format!("{} {}", self.port, self.adapter));
        let json = self.to_json().map_err(io::Error::other)?;
        let files = [(".txt", self.to_string()), (".json", format!("{json}\n"))];
        let files = files.map(|(ending, text)| (folder.join(format!("{name}{ending}")), text));
        let named =
            |path: &Path, error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        fs::create_dir_all(folder).map_err(|error| named(folder, error))?;
        for (path, text) in &files {
            fs::write(path, text).map_err(|error| named(path, error))?;
        }
        Ok(files.map(|(path, _)| path))
    }

    /// Writes the report into the folder that [`REPORTS`] names, if it names one.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    pub fn save_if_wanted(&self) -> io::Result<()> {
        match std::env::var_os(REPORTS).filter(|folder| !folder.is_empty()) {
            Some(folder) => self.save(Path::new(&folder)).map(|_| ()),
            None => Ok(()),
        }
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
        write!(f, "{} suite {} for {}", self.port, self.suite_version, self.adapter)?;
        match &self.adapter_version {
            Some(version) => writeln!(f, ", version {version}")?,
            None => writeln!(f)?,
        }
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

/// Lower case, with a hyphen for all that is neither letter nor digit: a name that every file system takes.
fn file_name(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}
