//! Scenarios over the whole system: engine, simulated broker, stores in memory. This list is the table of contents.

mod world;

mod rebalance;
