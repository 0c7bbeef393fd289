//! Standard output and standard error: colour or not, terminal or not, and what happens when nobody reads.
//!
//! What is printed is made in [`crate::render`] and [`crate::records`]; here it only gets out. `--color` comes before
//! `NO_COLOR`, `CLICOLOR` and `CLICOLOR_FORCE`, and those before the question whether there is a terminal.

use crate::exit::Failure;
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use serde::Serialize;
use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal, Write};

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Colour {
    // On a terminal, unless the environment says otherwise. As a page, this would be printed with the help.
    #[default]
    Auto,
    Always,
    Never,
}

impl Colour {
    /// Decides it for the whole program.
    pub(crate) fn decide(self) -> clap::ColorChoice {
        let (ours, claps) = match self {
            Self::Auto => (ColorChoice::Auto, clap::ColorChoice::Auto),
            Self::Always => (ColorChoice::Always, clap::ColorChoice::Always),
            Self::Never => (ColorChoice::Never, clap::ColorChoice::Never),
        };
        ours.write_global();
        claps
    }
}

/// Whether standard error has colour.
pub(crate) fn stderr_has_colour() -> bool {
    AutoStream::choice(&io::stderr()) != ColorChoice::Never
}

/// Prints to standard error; that nobody reads it is no reason to stop.
pub(crate) fn to_stderr(text: &str) {
    io::stderr().lock().write_all(text.as_bytes()).ok();
}

/// `error`, as it is printed on standard error.
pub(crate) fn error_word() -> String {
    styled("error", AnsiColor::Red.on_default().bold(), stderr_has_colour())
}

fn styled(text: impl Display, style: Style, has_colour: bool) -> String {
    if has_colour { format!("{style}{text}{style:#}") } else { text.to_string() }
}

/// Where a command prints its results: standard output, buffered.
///
/// Every method fails with [`Failure::ClosedStdout`] once nobody reads, which ends the program quietly when it is passed on.
/// Whoever is done calls [`Output::flush`], which is where the last of these failures come from.
pub(crate) struct Output {
    out: Box<dyn Write + Send>,
    has_colour: bool,
    is_terminal: bool,
}

impl Output {
    /// Standard output.
    pub(crate) fn stdout() -> Self {
        let stdout = io::stdout();
        let has_colour = AutoStream::choice(&stdout) != ColorChoice::Never;
        let is_terminal = stdout.is_terminal();
        Self { out: Box::new(BufWriter::with_capacity(1 << 16, stdout)), has_colour, is_terminal }
    }

    /// Prints text as it is.
    ///
    /// # Errors
    /// See [`Output`].
    pub(crate) fn text(&mut self, text: impl Display) -> Result<(), Failure> {
        write!(self.out, "{text}").map_err(Failure::stdout)
    }

    /// Prints a record as one line of JSON, without blanks.
    ///
    /// # Errors
    /// See [`Output`].
    pub(crate) fn json(&mut self, record: &impl Serialize) -> Result<(), Failure> {
        let line = serde_json::to_string(record).map_err(|error| Failure::dependency("writing a record", error))?;
        self.text(line)?;
        self.text('\n')
    }

    /// Hands the output to something that writes by itself.
    ///
    /// # Errors
    /// See [`Output`].
    pub(crate) fn write_with(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
        write(&mut self.out).map_err(Failure::stdout)
    }

    /// Brings out everything that was printed.
    ///
    /// # Errors
    /// See [`Output`].
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.out.flush().map_err(Failure::stdout)
    }

    /// Text for a heading, in the style of this output.
    pub(crate) fn heading(&self, text: impl Display) -> String {
        styled(text, Style::new().bold(), self.has_colour)
    }

    /// Whether a person is looking: tables then fit themselves to the window.
    pub(crate) fn is_terminal(&self) -> bool {
        self.is_terminal
    }
}
