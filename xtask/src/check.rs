//! `cargo xtask check`: all steps, also after one has failed, and a summary of them.

use std::time::{Duration, Instant};

use crate::workspace::Workspace;
use crate::{Outcome, bench, deny, layers, steps, tidy};

struct Step {
    name: &'static str,
    run: fn(&Workspace) -> Outcome,
}

/// The quick ones first. Each is also a command of its own.
const STEPS: &[Step] = &[
    Step { name: "fmt", run: steps::fmt },
    Step { name: "layers", run: layers::run },
    Step { name: "tidy", run: tidy::run },
    Step { name: "clippy", run: steps::clippy },
    Step { name: "features", run: steps::features },
    Step { name: "test", run: steps::test },
    Step { name: "docs", run: steps::docs },
    Step { name: "deny", run: deny::run },
    Step { name: "bench", run: bench::quick },
];

#[cfg(test)]
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    STEPS.iter().map(|step| step.name)
}

/// A step that was performed, or left out.
struct Performed {
    name: &'static str,
    /// `None`: left out on request.
    outcome: Option<Outcome>,
    took: Duration,
}

pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Outcome {
    let tests = !arguments.iter().any(|argument| argument == "--no-tests");
    let steps: Vec<Performed> = STEPS.iter().map(|step| perform(step, workspace, tests)).collect();
    println!();
    print!("{}", table(&steps));
    let failed: Vec<&str> = steps.iter().filter(|step| step.failure().is_some()).map(|step| step.name).collect();
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", "))) }
}

#[expect(clippy::disallowed_methods, reason = "what is measured here is the real time that a step takes")]
fn perform(step: &Step, workspace: &Workspace, tests: bool) -> Performed {
    let wanted = tests || step.name != "test";
    println!("\n== {}{}", step.name, if wanted { "" } else { " (left out)" });
    let start = Instant::now();
    let outcome = wanted.then(|| (step.run)(workspace));
    Performed { name: step.name, outcome, took: start.elapsed() }
}

impl Performed {
    fn failure(&self) -> Option<&str> {
        self.outcome.as_ref()?.as_ref().err().map(String::as_str)
    }
}

fn table(steps: &[Performed]) -> String {
    let mut table = format!("{:10}{:>10}{:>10}\n", "step", "result", "seconds");
    for step in steps {
        let word = match &step.outcome {
            None => "left out",
            Some(Ok(())) => "ok",
            Some(Err(_)) => "FAILED",
        };
        let reason = step.failure().map(|reason| format!("  {}", reason.lines().next().unwrap_or_default()));
        let seconds = step.took.as_secs_f64();
        table.push_str(&format!("{:10}{word:>10}{seconds:>10.1}{}\n", step.name, reason.unwrap_or_default()));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_shows_every_step() {
        let step = |name, outcome| Performed { name, outcome, took: Duration::from_millis(1250) };
        let steps =
            [step("fmt", Some(Ok(()))), step("test", None), step("deny", Some(Err("2 findings\nand more".to_owned())))];
        let expected = "\
step          result   seconds
fmt               ok       1.2
test        left out       1.2
deny          FAILED       1.2  2 findings
";
        assert_eq!(table(&steps), expected);
    }
}
