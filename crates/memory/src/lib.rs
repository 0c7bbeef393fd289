//! Lease store, journal, notifier and clocks in memory: real behaviour, nothing durable.
