//! The command `demo`: the whole story on a made-up market.

use crate::args::DemoArgs;
use crate::exit::{Failure, Outcome};
use crate::files::FileArg;
use crate::output::Output;

/// Runs it.
///
/// # Errors
/// [`Failure`]: it is not there yet.
pub(crate) fn run(_: &DemoArgs, _: Option<&FileArg>, _: &mut Output) -> Result<Outcome, Failure> {
    Err(Failure::dependency("showing the story", "this version cannot do it yet"))
}
