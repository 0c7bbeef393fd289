//! How the program ends: what went wrong, how it is told, and the exit code.
//!
//! | code | when |
//! |---|---|
//! | 0 | done; also when nobody reads standard output any more |
//! | 1 | the work was done, but something needs a person |
//! | 2 | bad usage, or faults in the input |
//! | 3 | a store, a broker or another dependency failed |
//! | 130 | interrupted by Ctrl-C |

use crate::faults::FileFaults;
use crate::output;
use std::error::Error;
use std::fmt::Write as _;
use std::io;
use std::process::ExitCode;

/// How a command ended that did its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nothing is left to do.
    Done,
    /// A portfolio is stale, or something was found that only a person can resolve.
    NeedsPerson,
    /// It was asked to stop, and did.
    Interrupted,
}

/// Why a command did not do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The command line is wrong, or asks for help.
    #[error(transparent)]
    Usage(#[from] clap::Error),
    /// A variable of the environment is wrong.
    #[error("{0}")]
    Environment(String),
    /// Files have faults; each is of one file, with at least one fault.
    #[error("{}", summary(.0))]
    Input(Vec<FileFaults>),
    /// Something that the program needs failed.
    #[error("{doing}")]
    Dependency {
        /// What was being done, as a verb phrase: `writing to standard output`.
        doing: String,
        /// Why it failed.
        source: Box<dyn Error + Send + Sync>,
    },
    /// Nobody reads standard output any more.
    #[error("standard output was closed")]
    ClosedStdout,
}

impl Failure {
    /// Something that the program needs failed while doing this.
    pub(crate) fn dependency(doing: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Dependency { doing: doing.into(), source: source.into() }
    }

    /// Standard output could not be written.
    pub(crate) fn stdout(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::ClosedStdout;
        }
        Self::dependency("writing to standard output", error)
    }
}

impl From<FileFaults> for Failure {
    fn from(faults: FileFaults) -> Self {
        Self::Input(vec![faults])
    }
}

fn summary(files: &[FileFaults]) -> String {
    let count = |faults: &FileFaults| {
        let plural = if faults.count() == 1 { "" } else { "s" };
        format!("{} fault{plural} in {}", faults.count(), faults.source())
    };
    files.iter().map(count).collect::<Vec<_>>().join(", ")
}

/// Tells on standard error what went wrong, if anything did, and gives the exit code.
pub(crate) fn report(result: Result<Outcome, Failure>) -> ExitCode {
    let failure = match result {
        Ok(Outcome::Done) | Err(Failure::ClosedStdout) => return ExitCode::SUCCESS,
        Ok(Outcome::NeedsPerson) => return ExitCode::from(1),
        Ok(Outcome::Interrupted) => return ExitCode::from(130),
        Err(failure) => failure,
    };
    let code = match &failure {
        // Help and version are no mistakes, and go to standard output.
        Failure::Usage(usage) => {
            let printed = usage.print().map_err(Failure::stdout);
            return match printed {
                Ok(()) if usage.use_stderr() => ExitCode::from(2),
                Ok(()) => ExitCode::SUCCESS,
                Err(_) if usage.use_stderr() => ExitCode::from(2),
                Err(failure) => report(Err(failure)),
            };
        }
        Failure::Input(files) => {
            output::to_stderr(&files.iter().map(ToString::to_string).collect::<String>());
            2
        }
        Failure::Environment(_) => 2,
        Failure::Dependency { .. } => 3,
        Failure::ClosedStdout => 0,
    };
    output::to_stderr(&format!("{}: {}\n", output::error_word(), chain(&failure)));
    ExitCode::from(code)
}

/// An error with its causes.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Writing to a string cannot fail.
        write!(text, ": {error}").ok();
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::Fault;

    #[test]
    fn causes_follow_what_was_being_done() {
        let failure = Failure::dependency("writing a.csv", io::Error::other("the disk is full"));
        assert_eq!(chain(&failure), "writing a.csv: the disk is full");
    }

    #[test]
    fn faults_are_counted_by_file() {
        let mut two = FileFaults::of("a.toml", Fault::new("x", "y"));
        two.add(Fault::new("x", "y"));
        let failure = Failure::Input(vec![two, FileFaults::of("b.csv", Fault::new("x", "y"))]);
        assert_eq!(chain(&failure), "2 faults in a.toml, 1 fault in b.csv");
    }
}
