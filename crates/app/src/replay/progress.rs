//! How far a long replay has come: on a terminal only, and only where it does not stand between lines of output.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, stderr};

/// A bar on standard error, or nothing.
pub(crate) struct Progress(Option<ProgressBar>);

impl Progress {
    /// A bar for so many waves, if a person looks at standard error, and not at lines that are printed meanwhile.
    pub(crate) fn new(waves: u64, has_lines_between: bool) -> Self {
        if has_lines_between || !stderr().is_terminal() {
            return Self(None);
        }
        let style = ProgressStyle::with_template("{bar:40} {pos}/{len} waves, {eta} left");
        let bar = ProgressBar::new(waves);
        Self(Some(style.map(|style| bar.clone().with_style(style)).unwrap_or(bar)))
    }

    pub(crate) fn set(&self, done: usize) {
        if let Some(bar) = &self.0 {
            bar.set_position(u64::try_from(done).unwrap_or(u64::MAX));
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
