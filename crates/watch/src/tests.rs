//! The watch against the exact decision of the domain: any operations, any prices, one answer.

#![expect(clippy::arithmetic_side_effects, reason = "figures of tests stay far from the limits of their types")]

mod edges;
mod faults;
mod model;
mod settings;
mod walks;

/// At least so many cases; more if the environment asks for more.
fn cases(count: u32) -> proptest::prelude::ProptestConfig {
    let usual = proptest::prelude::ProptestConfig::default();
    proptest::prelude::ProptestConfig { cases: usual.cases.max(count), ..usual }
}
