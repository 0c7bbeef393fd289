//! How fast the domain is: values, drift, plan. At the end stands a claim: exact drift against plain decimals, as a ratio.
//!
//! Run it with `cargo bench -p evenkeel-domain`, or a part of it with `cargo bench -p evenkeel-domain -- drift`.

#![expect(clippy::unwrap_used, reason = "a bench that cannot be set up says so and ends")]
#![expect(clippy::arithmetic_side_effects, reason = "made-up portfolios of known size, and plain decimals")]

#[path = "support/case.rs"]
mod case;
#[path = "support/paired.rs"]
mod paired;
#[path = "support/plain.rs"]
mod plain;

use case::{Case, MEASURES, measure};
use divan::{Bencher, black_box};
use evenkeel_domain::drift::is_out_of_band;
use evenkeel_domain::values::{Price, Quantity, Rounding};
use plain::Rows;

fn main() {
    claim::agrees();
    divan::main();
    // Without `--bench` it is run as a test: everything once, and nothing is measured.
    if std::env::args().any(|argument| argument == "--bench") {
        claim::compare();
    }
}

mod values {
    use super::*;

    #[divan::bench]
    fn price_times_quantity(bencher: Bencher<'_, '_>) {
        let (price, quantity): (Price, Quantity) = ("366.63".parse().unwrap(), "12.345678901".parse().unwrap());
        bencher.bench(|| black_box(price).times(black_box(quantity)));
    }

    #[divan::bench]
    fn value_add(bencher: Bencher<'_, '_>) {
        let [one, other] = [amount("366.63"), amount("0.35")];
        bencher.bench(|| black_box(one).add(black_box(other)));
    }

    #[divan::bench]
    fn value_to_money(bencher: Bencher<'_, '_>) {
        let value = amount("366.63");
        bencher.bench(|| black_box(value).to_money(Rounding::HalfEven));
    }

    #[divan::bench]
    fn parse_price(bencher: Bencher<'_, '_>) {
        bencher.bench(|| black_box("366.634567891").parse::<Price>());
    }

    fn amount(price: &str) -> evenkeel_domain::values::Value {
        price.parse::<Price>().unwrap().times("12.345678901".parse().unwrap())
    }
}

mod valuation {
    use super::*;

    #[divan::bench(args = [4, 10, 50])]
    fn value(bencher: Bencher<'_, '_>, holdings: u32) {
        let case = Case::new(holdings, measure("relative"), 1);
        bencher.bench(|| case.value());
    }
}

/// The decision alone, for a portfolio inside its band: then no holding can be left out.
mod drift {
    use super::*;

    #[divan::bench(args = [4, 10, 50])]
    fn relative(bencher: Bencher<'_, '_>, holdings: u32) {
        decide(bencher, "relative", holdings);
    }

    #[divan::bench(args = [4, 10, 50])]
    fn absolute(bencher: Bencher<'_, '_>, holdings: u32) {
        decide(bencher, "absolute", holdings);
    }

    #[divan::bench(args = [4, 10, 50])]
    fn hybrid(bencher: Bencher<'_, '_>, holdings: u32) {
        decide(bencher, "hybrid", holdings);
    }

    #[divan::bench(args = [4, 10, 50])]
    fn tighter(bencher: Bencher<'_, '_>, holdings: u32) {
        decide(bencher, "tighter", holdings);
    }

    #[divan::bench(args = [4, 10, 50])]
    fn total(bencher: Bencher<'_, '_>, holdings: u32) {
        decide(bencher, "total", holdings);
    }

    fn decide(bencher: Bencher<'_, '_>, name: &str, holdings: u32) {
        let measure = measure(name);
        let valuation = Case::new(holdings, measure, 1).value();
        bencher.bench(|| is_out_of_band(black_box(&valuation), &measure));
    }
}

mod planning {
    use super::*;

    #[divan::bench(args = [10, 50, 500])]
    fn plan(bencher: Bencher<'_, '_>, holdings: u32) {
        let case = Case::new(holdings, measure("relative"), 20);
        assert_eq!(case.plan().legs.len(), usize::try_from(holdings).unwrap());
        bencher.bench(|| case.plan());
    }
}

/// The claim.
mod claim {
    use super::*;
    use crate::paired::ratio;

    /// Both ways decide alike, inside the band and outside of it.
    pub(super) fn agrees() {
        let mut outside = 0;
        for (name, holdings, percent_off) in cases([0, 1, 4, 5, 6, 10, 30]) {
            let case = Case::new(holdings, measure(name), percent_off);
            let decided = case.is_out_of_band();
            assert_eq!(decided, Rows::of(&case).is_out_of_band(), "{name}, {holdings} holdings off by {percent_off} %");
            outside += u32::from(decided);
        }
        assert!((20..85).contains(&outside), "{outside} of 105 are out of band: both answers must be tried");
    }

    fn cases<const N: usize>(percent_off: [u32; N]) -> impl Iterator<Item = (&'static str, u32, u32)> {
        let sizes = MEASURES.into_iter().flat_map(|name| [4, 10, 50].map(|holdings| (name, holdings)));
        sizes.flat_map(move |(name, holdings)| percent_off.map(|percent| (name, holdings, percent)))
    }

    pub(super) fn compare() {
        println!("\nValuing and judging a portfolio exactly takes so many times as long as with plain decimals:");
        for (name, holdings, percent_off) in cases([1]) {
            let case = Case::new(holdings, measure(name), percent_off);
            let rows = Rows::of(&case);
            let whole = ratio(|| (), |()| case.is_out_of_band(), |()| rows.is_out_of_band());
            println!("  {name:<8} {holdings:>2} holdings {whole}");
        }
    }
}
