//! What is tested from within: the suites of the ports, with answers that get lost.

mod conformance;
