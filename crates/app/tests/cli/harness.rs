//! Runs the program in a directory of its own, so that messages name files without a path.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

/// A directory with files.
pub(crate) struct Desk {
    dir: TempDir,
}

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    /// Writes a file.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        std::fs::write(self.path().join(name), content).unwrap();
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The program, ready to run here: without standard input, and without what the environment may say.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_evenkeel"));
        command.args(line.split_whitespace()).current_dir(self.path()).stdin(Stdio::null());
        for variable in ["EVENKEEL_LOG", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS"] {
            command.env_remove(variable);
        }
        command
    }

    pub(crate) fn run(&self, line: &str) -> Run {
        Run::new(&self.command(line).output().unwrap())
    }

    pub(crate) fn run_with_stdin(&self, line: &str, stdin: &str) -> Run {
        let pipes = |command: &mut Command| {
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let mut child = pipes(&mut self.command(line));
        child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
        Run::new(&child.wait_with_output().unwrap())
    }
}

/// A process that is killed when this is dropped, however the test ends.
pub(crate) struct Killed(pub(crate) Child);

impl Killed {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap())
    }

    /// Waits until `seen` is true; false if the process has ended by then. However slow the machine is, the same is seen.
    pub(crate) fn until(&mut self, mut seen: impl FnMut() -> bool) -> bool {
        loop {
            if seen() {
                return true;
            }
            if self.0.try_wait().unwrap().is_some() {
                return false;
            }
            std::thread::yield_now();
        }
    }

    /// Kills it, and gives what it had to complain about.
    pub(crate) fn kill(mut self) -> String {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
        let mut told = String::new();
        self.0.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        told
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Run {
    pub(crate) fn new(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self { code: output.status.code().unwrap(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    /// What it printed, if it was done without a word on standard error.
    pub(crate) fn done(&self) -> &str {
        assert_eq!((self.code, self.stderr.as_str()), (0, ""), "{self:?}");
        &self.stdout
    }

    /// What it complained about, if it printed nothing else and ended with that code.
    pub(crate) fn refused(&self, code: i32) -> &str {
        assert_eq!((self.code, self.stdout.as_str()), (code, ""), "{self:?}");
        &self.stderr
    }
}
