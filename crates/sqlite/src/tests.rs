//! What is tested from within: the suites of the ports, with answers that get lost; how requests share a transaction; the settings.

mod conformance;
mod groups;
mod settings;
