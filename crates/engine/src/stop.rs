//! Stopping in order: nothing new begins, what is under way is recorded, leases are given back.

use crate::Engine;
use evenkeel_domain::values::PortfolioId;
use futures_util::future::{Either, select};
use std::pin::pin;
use std::time::Duration;

/// What was left when the engine stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    /// Portfolios that were still being worked on at the deadline. Dropping their futures now is a crash, and as safe.
    pub unfinished: Vec<PortfolioId>,
}

impl Engine {
    /// Stops: no new batch and no further stage begins; answers of orders under way are recorded for up to `grace`. An open batch
    /// stays open in the journal with its lease given back, so the next worker recovers it at once. Nothing is canceled blindly.
    ///
    /// The engine does not start again: make a new one.
    #[tracing::instrument(skip_all)]
    pub async fn shut_down(&self, grace: Duration) -> Stopped {
        let deadline = self.ports.clock.now().plus(grace);
        self.signals.stop(deadline);
        self.board.bell.ring();
        // A moment more than the sessions have, so that they can give their leases back.
        let give_up_at = deadline.plus(self.settings.poll);
        loop {
            let seen = self.signals.version();
            let running = self.signals.running();
            if running.is_empty() || self.ports.clock.now() >= give_up_at {
                return Stopped { unfinished: running };
            }
            let changed = pin!(self.signals.changed(seen));
            match select(changed, self.ports.clock.sleep_until(give_up_at)).await {
                Either::Left(_) | Either::Right(_) => {}
            }
        }
    }
}
