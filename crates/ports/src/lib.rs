//! What the core of Evenkeel needs from the world: traits, their contracts, and the encoding of journal records.

mod broker;
mod clock;
mod lease;
mod prices;

pub use broker::{AccountView, Broker, BrokerError, FillPage, OrderPage, Position};
pub use clock::Clock;
pub use lease::{AcquireError, HoldError, Lease, LeaseStore, LeaseTerms};
pub use prices::{PriceSource, PriceSourceError, Wave};

#[cfg(feature = "mock")]
pub use {broker::MockBroker, clock::MockClock, lease::MockLeaseStore, prices::MockPriceSource};
