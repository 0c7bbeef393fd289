//! What an order does to its own price, and how much of the market it may be.
//!
//! The models are those that back-testers use (LEAN's volume-share slippage and zipline's volume limit): an order takes part in at most a share of
//! what is traded in each interval, and moves the price by the square of its share. How large an order is says nothing about a price
//! that nobody declares: the sum of half the spread, the drawn slippage and the impact never passes the profile's
//! [`slippage_bps`](crate::Profile::slippage_bps).

use evenkeel_domain::values::{Lot, Quantity};
use std::time::Duration;

/// How much of a symbol is traded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Liquidity {
    /// Units of any symbol that are traded within each `interval`.
    pub volume: Quantity,
    /// The interval.
    pub interval: Duration,
    /// The most an order may be of it, in hundredths of a percent: the rest waits for the next interval.
    pub participation_bps: u32,
    /// What an order moves the price by that is all of the volume, in hundredths of a percent; one of half the volume a quarter of it.
    pub impact_bps: u32,
}

impl Liquidity {
    /// The most that is executed within one interval; a lot at least, so that every order ends.
    pub(crate) fn slice(&self, lot: Lot) -> Quantity {
        let share = u128::from(self.participation_bps);
        let nanos = self.volume.nanos().saturating_mul(share).checked_div(10_000).unwrap_or(0);
        let slice = Quantity::from_nanos(nanos).unwrap_or(Quantity::MAX).floor_to(lot);
        slice.max(lot.size())
    }

    /// What executing so much within an interval moves the price by, in parts per million.
    pub(crate) fn impact(&self, quantity: Quantity) -> u64 {
        // The share in parts per ten thousand keeps its square within 128 bits.
        let share = quantity.nanos().saturating_mul(10_000).checked_div(self.volume.nanos()).unwrap_or(10_000);
        let share = share.min(10_000);
        let parts = u128::from(self.impact_bps).saturating_mul(100).saturating_mul(share).saturating_mul(share);
        u64::try_from(parts.checked_div(100_000_000).unwrap_or(0)).unwrap_or(u64::MAX)
    }
}
