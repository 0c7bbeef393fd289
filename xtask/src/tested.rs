//! Were all crates tested? Read from what the test command printed, because only that shows what really ran.

use std::collections::BTreeMap;
use std::fs;

use crate::Outcome;
use crate::finding::{Finding, report};
use crate::workspace::{Package, Workspace};

/// `cargo xtask tested LOG`.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Outcome {
    let path = arguments.first().ok_or("name the file that holds the output")?;
    let log = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    judge(workspace, &log)
}

/// Fails when a test program, the doc tests of a library, or any test of a crate is missing from the output.
pub(crate) fn judge(workspace: &Workspace, log: &str) -> Outcome {
    let ran = Ran::read(log);
    let findings: Vec<Finding> = workspace.packages.iter().flat_map(|package| ran.lacks(package)).collect();
    let crates = workspace.packages.len();
    let tested = workspace.packages.iter().filter(|package| ran.lacks(package).is_empty()).count();
    println!("{tested} of {crates} crates tested: {} tests passed, {} ignored", ran.passed, ran.ignored);
    if crates == 0 {
        return Err("the workspace has no crates: this check is broken".to_owned());
    }
    report(&findings)
}

/// What ran, by the name of the program or library.
#[derive(Default)]
struct Ran {
    programs: BTreeMap<String, u64>,
    doc_tests: BTreeMap<String, u64>,
    passed: u64,
    ignored: u64,
}

impl Ran {
    fn read(log: &str) -> Self {
        let mut ran = Self::default();
        let mut current: Option<(bool, String)> = None;
        for line in log.lines().map(str::trim) {
            if let Some(program) = running(line) {
                ran.programs.entry(program.to_owned()).or_default();
                current = Some((false, program.to_owned()));
            } else if let Some(library) = line.strip_prefix("Doc-tests ") {
                ran.doc_tests.entry(library.to_owned()).or_default();
                current = Some((true, library.to_owned()));
            } else if let Some(result) = line.strip_prefix("test result: ok. ") {
                let passed = count(result, "passed");
                ran.passed = ran.passed.saturating_add(passed);
                ran.ignored = ran.ignored.saturating_add(count(result, "ignored"));
                if let Some((doc_test, name)) = &current {
                    let sections = if *doc_test { &mut ran.doc_tests } else { &mut ran.programs };
                    let sum = sections.entry(name.clone()).or_default();
                    *sum = sum.saturating_add(passed);
                }
            }
        }
        ran
    }

    /// What should have run for this package and did not.
    fn lacks(&self, package: &Package) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut passed: u64 = 0;
        for target in &package.targets {
            let wanted = [(target.tested, &self.programs, "tests"), (target.doc_tested, &self.doc_tests, "doc tests")];
            for (_, sections, what) in wanted.into_iter().filter(|(wanted, _, _)| *wanted) {
                match sections.get(&target.name) {
                    Some(tests) => passed = passed.saturating_add(*tests),
                    None => findings.push(Finding::new(
                        format!("{}: the {what} of `{}` did not run", package.name, target.name),
                        "run the test command over the whole workspace",
                    )),
                }
            }
        }
        if passed == 0 {
            findings.push(Finding::new(format!("{}: no test passed", package.name), "write its first test"));
        }
        findings
    }
}

/// `it` from `Running it/main.rs (target/debug/deps/it-0123456789abcdef)`.
fn running(line: &str) -> Option<&str> {
    let (_, path) = line.strip_prefix("Running ")?.strip_suffix(')')?.rsplit_once('(')?;
    let file = path.rsplit(['/', '\\']).next()?;
    file.rsplit_once('-').map(|(name, _hash)| name)
}

/// 3 from `3 passed; 0 failed`, asked for `passed`.
fn count(result: &str, word: &str) -> u64 {
    let part = result.split("; ").find_map(|part| part.strip_suffix(word));
    part.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Target;

    const LOG: &str = "
     Running unittests src/lib.rs (target/debug/deps/evenkeel_ports-0123456789abcdef)
running 2 tests
test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s
     Running unittests src/main.rs (/somewhere/debug/deps/evenkeel-0123456789abcdef)
test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
   Doc-tests evenkeel_ports
test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
";

    fn package(name: &str, targets: &[(&str, bool)]) -> Package {
        let target = |&(name, doc_tested): &(&str, bool)| Target { name: name.to_owned(), tested: true, doc_tested };
        Package {
            name: name.to_owned(),
            manifest: String::new(),
            dependencies: Vec::new(),
            targets: targets.iter().map(target).collect(),
        }
    }

    fn lacks(name: &str, targets: &[(&str, bool)]) -> Vec<String> {
        Ran::read(LOG).lacks(&package(name, targets)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_crate_whose_tests_and_doc_tests_ran_is_tested() {
        assert!(lacks("evenkeel-ports", &[("evenkeel_ports", true)]).is_empty());
        let ran = Ran::read(LOG);
        assert_eq!((ran.passed, ran.ignored), (5, 1));
    }

    #[test]
    fn a_crate_that_did_not_run_is_reported() {
        let found = lacks("evenkeel-engine", &[("evenkeel_engine", true)]);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].starts_with("evenkeel-engine: the tests of `evenkeel_engine` did not run"), "{found:?}");
    }

    #[test]
    fn a_crate_with_no_test_is_reported() {
        let found = lacks("evenkeel-app", &[("evenkeel", false)]);
        assert_eq!(found, ["evenkeel-app: no test passed: write its first test"]);
    }

    #[test]
    fn a_test_program_that_is_missing_is_reported() {
        let found = lacks("evenkeel-ports", &[("evenkeel_ports", true), ("golden", false)]);
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn no_crates_at_all_fail() {
        let empty = Workspace { root: "".into(), target: "".into(), packages: Vec::new() };
        assert!(judge(&empty, LOG).unwrap_err().contains("broken"));
    }
}
