//! The command `replay`: portfolios through recorded prices, with a simulated broker.

use crate::args::ReplayArgs;
use crate::exit::{Failure, Outcome};
use crate::files::FileArg;
use crate::output::Output;

/// Runs it.
///
/// # Errors
/// [`Failure`]: it is not there yet.
pub(crate) fn run(_: &ReplayArgs, _: Option<&FileArg>, _: &mut Output) -> Result<Outcome, Failure> {
    Err(Failure::dependency("replaying", "this version cannot do it yet"))
}
