//! The command `prices`: made-up prices as CSV. What they are made of is the market crate's.

use crate::args::PricesArgs;
use crate::exit::{Failure, Outcome};
use crate::output::Output;
use crate::wiring;

/// Prints them.
///
/// # Errors
/// [`Failure`], if there is no such market, or standard output cannot be written.
pub(crate) fn run(args: &PricesArgs, out: &mut Output) -> Result<Outcome, Failure> {
    let write = wiring::fake_prices(args.seed, args.days, args.symbols)?;
    out.write_with(write)?;
    out.flush()?;
    Ok(Outcome::Done)
}
