//! The use cases of Evenkeel: rebalance, recover, resolve. Drives the domain through the ports.
