//! The prices that the simulated broker trades at: those of the account's time, from the moment on that its lease was taken.
//!
//! Not before: another process may be at work on the portfolio, at other prices, and only whoever holds the lease makes its market.
//! Most waves set nothing off, so the broker need not know of them.

use evenkeel_domain::values::{Price, Symbol, Timestamp};
use evenkeel_ports::{EngineEvent, Observer};
use std::sync::{Mutex, OnceLock, PoisonError};

type Prices = Vec<(Symbol, Price)>;

/// What an engine's observer does here is done to the market; the engine itself sees nothing of it.
#[derive(Default)]
pub(crate) struct Market {
    next: Mutex<Prices>,
    broker: OnceLock<Box<dyn Fn(Prices) + Send + Sync>>,
}

impl Market {
    /// Says where prices are set.
    pub(crate) fn at(&self, set_prices: impl Fn(Prices) + Send + Sync + 'static) {
        // There is one broker for an account, and it is said once.
        drop(self.broker.set(Box::new(set_prices)));
    }

    /// The prices at which whatever is set off next is traded.
    pub(crate) fn will_be(&self, prices: impl Iterator<Item = (Symbol, Price)>) {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = prices.collect();
    }
}

impl Observer for Market {
    fn observe(&self, _: Timestamp, event: &EngineEvent<'_>) {
        if let (EngineEvent::LeaseTaken { .. }, Some(set_prices)) = (event, self.broker.get()) {
            set_prices(self.next.lock().unwrap_or_else(PoisonError::into_inner).clone());
        }
    }
}
