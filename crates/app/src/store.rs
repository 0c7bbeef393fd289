//! The store as the commands for operators see it: opened to look at it, or to say something about halts.
//!
//! Which file format it is knows [`crate::wiring`]; what is shown of it is in [`crate::status`] and [`crate::audit`].

use crate::exit::Failure;
use crate::faults::{Fault, FileFaults};
use crate::wiring::{self, BankError, OpenError, StoreReader};
use std::path::Path;

/// Opens a store that must be there, to look at it.
///
/// # Errors
/// [`Failure::Input`] if it is no store; [`Failure::Dependency`] if it cannot be read.
pub(crate) fn look(path: &Path) -> Result<StoreReader, Failure> {
    wiring::look_at_store(path).map_err(|error| not_opened(path, error))
}

/// What a store that cannot be opened means to who named it.
pub(crate) fn not_opened(path: &Path, error: OpenError) -> Failure {
    let remedy = if matches!(error, OpenError::Missing { .. }) {
        "name a store that replay --store or a service has made"
    } else if matches!(error, OpenError::NotOurs { .. }) {
        "name another file; nothing was changed in this one"
    } else {
        return Failure::dependency(format!("opening the store {}", path.display()), error);
    };
    FileFaults::of(path.display().to_string(), Fault::new(error.to_string(), remedy)).into()
}

/// What a bank that cannot be opened means to who named it.
pub(crate) fn bank_not_opened(path: &Path, error: BankError) -> Failure {
    let remedy = if matches!(error, BankError::NotABank { .. }) {
        "name another file; nothing was changed in this one"
    } else if matches!(error, BankError::Empty { .. }) {
        "start again what was to use it, or name the bank that the store was used with"
    } else if matches!(error, BankError::OtherStore { .. } | BankError::OtherBroker { .. }) {
        "a bank knows only what was sent for its own store, by its own broker"
    } else {
        return Failure::dependency(format!("opening the bank {}", path.display()), error);
    };
    FileFaults::of(path.display().to_string(), Fault::new(error.to_string(), remedy)).into()
}

/// Something could not be read from it.
pub(crate) fn not_read(path: &Path, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
    Failure::dependency(format!("reading the store {}", path.display()), error)
}
