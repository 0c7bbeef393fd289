//! What a bench measured, as rows that `cargo xtask bench` reads: one JSON object per line, in the file that `--json FILE` names.
//!
//! Which figure is wanted is not said here: the targets are in `xtask/src/bench/targets.rs`, by the names of these rows.

use std::io::Write;

/// Rows go to standard error as they come, and to the file of `--json`.
pub(crate) struct Rows(Option<std::fs::File>);

impl Rows {
    /// As the arguments of this program say. Rows are added to what the file has.
    pub(crate) fn from_arguments() -> std::io::Result<Self> {
        let path = std::env::args().skip_while(|argument| argument != "--json").nth(1);
        let open = |path| std::fs::File::options().create(true).append(true).open(path);
        path.map(open).transpose().map(Self)
    }

    /// Whether this program was told to measure little, to see that it works.
    #[allow(dead_code, reason = "not every bench that includes this file takes long")]
    pub(crate) fn is_quick() -> bool {
        std::env::args().any(|argument| argument == "--quick")
    }

    /// Adds a row: of which world, what it is, how much, in which unit. None of them has a quotation mark.
    pub(crate) fn put(&mut self, world: &str, what: &str, value: f64, unit: &str) -> std::io::Result<()> {
        eprintln!("{world}: {what}: {value:.3} {unit}");
        let Some(file) = &mut self.0 else { return Ok(()) };
        writeln!(file, r#"{{"world":"{world}","what":"{what}","value":{value:.4},"unit":"{unit}"}}"#)
    }
}
