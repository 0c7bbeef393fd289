//! All automation of Evenkeel.
fn main() {}
