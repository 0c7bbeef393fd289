//! What a plan costs, against a plain one in decimals of the same portfolio: `cargo bench -p evenkeel-domain --bench planning`, or `cargo xtask bench`.
//!
//! Ours has more to do: it is exact for any figures, explains itself, and is proven again by other code ([`certificate`]).
//!
//! [`certificate`]: evenkeel_domain::plan::certificate

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "made-up portfolios of known size, and plain decimals; a bench that cannot be set up says so and ends"
)]

#[path = "support/case.rs"]
mod case;
#[path = "support/paired.rs"]
mod paired;
#[path = "support/plain.rs"]
mod plain;
#[path = "support/rows.rs"]
mod rows;

use case::{Case, measure};
use plain::{Leg, Rows as Plain};
use rows::Rows;
use rust_decimal::Decimal;

fn main() -> std::io::Result<()> {
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let mut rows = Rows::from_arguments()?;
    for holdings in [10, 50, 500] {
        let case = Case::new(holdings, measure("relative"), 20).without_costs();
        let plain = Plain::of(&case);
        agree(&case, &plain.plan());
        // Run as a test, nothing is compared.
        if is_bench {
            let ratio = paired::ratio(|| (), |()| plain.plan(), |()| case.plan());
            rows.put("plan", &format!("{holdings} holdings, against plain decimals"), ratio.median(), "times")?;
        }
    }
    Ok(())
}

/// Both trade the same; where the cents of a buy are lowered, to a cent or two.
fn agree(case: &Case, plain: &[Leg]) {
    let ours = case.plan();
    assert_eq!(ours.legs.len(), plain.len());
    let symbols: Vec<_> = case.definition.allocation.symbols().map(|(symbol, _)| symbol).collect();
    for (ours, plain) in ours.legs.iter().zip(plain) {
        assert_eq!((ours.terms.symbol, ours.terms.side), (symbols[plain.place], plain.side));
        let off = (ours.terms.quantity.to_decimal() - plain.units).abs() * ours.terms.reference.to_decimal();
        assert!(off <= Decimal::new(2, 2), "{}: {} or {}", ours.terms.symbol, ours.terms.quantity, plain.units);
    }
}
