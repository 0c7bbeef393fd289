//! The command `alerts`: what the store's outbox holds for a person, and the word that a person has read it.

use crate::args::AlertsArgs;
use crate::exit::{Failure, Outcome};
use crate::output::Output;
use crate::render::count;
use crate::store::{self, not_read};
use crate::wiring;

/// Shows the alerts that nobody has acknowledged, oldest first; acknowledges what was shown, if that is asked for.
///
/// # Errors
/// [`Failure`] if there is no such store, or it cannot be read or written.
pub(crate) fn run(args: &AlertsArgs, out: &mut Output) -> Result<Outcome, Failure> {
    let path = &args.store.store;
    let alerts = store::look(path)?.pending_alerts().map_err(|error| not_read(path, error))?;
    for alert in &alerts {
        out.text(format_args!("{} {} (record {}): {}\n", alert.at, alert.portfolio, alert.sequence, alert.text))?;
    }
    // What was shown got out before it is taken off the list.
    out.flush()?;
    if args.acknowledge {
        wiring::acknowledge(path, &alerts).map_err(|error| match error {
            wiring::StoreError::Open(error) => store::not_opened(path, error),
            wiring::StoreError::Journal(error) => Failure::dependency("acknowledging alerts", error),
        })?;
        out.text(format_args!("{} acknowledged\n", count(alerts.len(), "alert")))?;
    } else {
        out.text(format_args!("{} not acknowledged\n", count(alerts.len(), "alert")))?;
    }
    out.flush()?;
    Ok(if alerts.is_empty() || args.acknowledge { Outcome::Done } else { Outcome::NeedsPerson })
}
