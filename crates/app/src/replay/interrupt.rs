//! Ctrl-C: the first one asks to stop in order, the second one stops at once.

use crate::exit::Failure;
use crate::output;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// Whether somebody has asked to stop.
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens from here on, on a thread of its own that ends with the program.
    ///
    /// # Errors
    /// [`Failure::Dependency`] if the system does not tell of signals.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let failed = |error| Failure::dependency("listening for Ctrl-C", error);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(failed)?;
        let requested = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&requested);
        thread::spawn(move || {
            runtime.block_on(async {
                while tokio::signal::ctrl_c().await.is_ok() {
                    if seen.swap(true, Ordering::Relaxed) {
                        std::process::exit(130);
                    }
                    output::to_stderr("stopping; Ctrl-C again stops at once\n");
                }
            });
        });
        Ok(Self(requested))
    }

    /// True once it was asked.
    pub(crate) fn is_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
