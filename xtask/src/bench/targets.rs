//! What is wanted of each figure. A row is known by its world and by what it is, as the benches name it.

use Wanted::{AtLeast, AtMost};

/// What a figure must be, and what it should be.
#[derive(Clone, Copy)]
pub(super) enum Wanted {
    AtLeast(f64, Option<f64>),
    AtMost(f64, Option<f64>),
}

impl Wanted {
    pub(super) fn is_met(self, value: f64) -> bool {
        match self {
            AtLeast(wanted, _) => value >= wanted,
            AtMost(wanted, _) => value <= wanted,
        }
    }

    pub(super) fn shown(self) -> String {
        let (words, wanted, aim) = match self {
            AtLeast(wanted, aim) => ("at least", wanted, aim),
            AtMost(wanted, aim) => ("at most", wanted, aim),
        };
        let aim = aim.map(|aim| format!(", aim {aim}")).unwrap_or_default();
        format!("{words} {wanted}{aim}")
    }
}

const EXACT: &str = ", against an exact recompute";
const DOMAIN: &str = ", against the domain's decision";

const STRESS: Wanted = AtLeast(14_300.0, Some(19_800.0));

/// Every target: the world, what is measured (its beginning and its end), and what is wanted.
pub(super) const TARGETS: &[(&str, &str, &str, Wanted)] = &[
    ("W1", "waves of 1", EXACT, AtLeast(20.0, Some(28.0))),
    ("W1", "waves of 100", EXACT, AtLeast(20.0, Some(28.0))),
    ("W2", "waves of 1", EXACT, AtLeast(80.0, Some(150.0))),
    ("W2", "waves of 100", EXACT, AtLeast(80.0, Some(150.0))),
    ("W1", "waves of 1", DOMAIN, AtLeast(60.0, None)),
    ("W1", "waves of 100", DOMAIN, AtLeast(60.0, None)),
    ("W2", "waves of 1", DOMAIN, AtLeast(500.0, None)),
    ("W2", "waves of 100", DOMAIN, AtLeast(500.0, None)),
    ("W1", "all symbols", EXACT, AtLeast(3.0, Some(5.0))),
    ("W2", "all symbols", EXACT, AtLeast(3.0, Some(5.0))),
    ("W3", "waves of 10", EXACT, AtLeast(20.0, None)),
    ("W3", "waves of 20", EXACT, AtLeast(15.0, None)),
    ("W3", "waves of 100", EXACT, AtLeast(4.0, None)),
    ("W1", "waves of 1, against one random line and 12 streamed bytes per holding", "", AtMost(2.0, Some(1.3))),
    ("W1", "inserting a portfolio, in µs: seconds per million", "", AtMost(3.0, Some(1.0))),
    ("W1", "resident bytes per holding, all told", "", AtMost(64.0, Some(48.0))),
    // Twenty times what the system that Evenkeel replaces reached, in Python: 715 to 990.
    ("engine", "100 x 50 of 500 symbols, waves of 10", "", STRESS),
    ("engine", "100 x 50 of 500 symbols, waves of 20", "", STRESS),
    ("engine", "100 x 50 of 500 symbols, waves of 100", "", STRESS),
    ("engine", "100 x 50 of 500 symbols, waves of 10, two threads", "", STRESS),
    ("engine", "100 x 50 of 500 symbols, waves of 20, two threads", "", STRESS),
    ("engine", "100 x 50 of 500 symbols, waves of 100, two threads", "", STRESS),
    ("store", "rebalances of 10 legs, 1 in flight", "", AtLeast(0.25, None)),
    ("store", "rebalances of 10 legs, 64 in flight", "", AtLeast(3.0, None)),
    ("replay", "one portfolio of 10, portfolio-days", "", AtLeast(100_000.0, Some(250_000.0))),
    ("replay", "1,000 portfolios of 10, portfolio-days", "", AtLeast(2_000_000.0, None)),
];

/// What is wanted of a row, if anything is.
pub(super) fn wanted(world: &str, what: &str) -> Option<Wanted> {
    let is_it = |row: &&(&str, &str, &str, Wanted)| row.0 == world && what.strip_prefix(row.1) == Some(row.2);
    TARGETS.iter().find(is_it).map(|row| row.3)
}
