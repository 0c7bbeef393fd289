//! What is tested from within: the suites of the ports, with answers that get lost; how requests share a transaction; the settings; what is told of a
//! write whose end is unknown.

mod conformance;
mod groups;
mod settings;
mod unknown;
