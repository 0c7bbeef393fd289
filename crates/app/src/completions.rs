//! The command `completions`: what a shell needs to complete the others.

use crate::args::{Cli, CompletionsArgs};
use crate::exit::{Failure, Outcome};
use crate::output::Output;
use clap::CommandFactory;

/// Prints them.
///
/// # Errors
/// [`Failure`], if standard output cannot be written.
pub(crate) fn run(args: &CompletionsArgs, out: &mut Output) -> Result<Outcome, Failure> {
    // By way of memory: the generator stops the program when it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "evenkeel", &mut script);
    out.write_with(|out| out.write_all(&script))?;
    out.flush()?;
    Ok(Outcome::Done)
}
