//! Two ways to the same end, run in turns, and what one takes of the time of the other.
//!
//! A time depends on the machine and on who else is using it; a ratio of two runs that follow each other hardly does. So what
//! is claimed about speed is a ratio: the median over many pairs, with the range in which four fifths of them lie.

#![expect(clippy::float_arithmetic, reason = "times and their ratios are measured, not money")]

use std::fmt;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// How many pairs are run.
const PAIRS: u32 = 101;
/// How long one run of a pair takes at least, so that the clock can measure it.
const RUN: Duration = Duration::from_micros(500);

/// The time of the first way as a multiple of that of the second.
pub(crate) struct Ratio {
    median: f64,
    low: f64,
    high: f64,
}

/// Runs both ways in turns, each on inputs of its own, which are not part of the time.
pub(crate) fn ratio<I, A, B>(
    input: impl Fn() -> I,
    first: impl Fn(&mut I) -> A,
    second: impl Fn(&mut I) -> B,
) -> Ratio {
    let enough = |times: u32| time(times, &input, &first).min(time(times, &input, &second)) >= RUN;
    let times = (0..20).map(|power| 1_u32 << power).find(|times| enough(*times)).unwrap_or(1 << 20);
    let pair = |turn: u32| {
        // Whoever comes second finds warmer caches, so they take turns in that too.
        let (first, second) = if turn.is_multiple_of(2) {
            (time(times, &input, &first), time(times, &input, &second))
        } else {
            let second = time(times, &input, &second);
            (time(times, &input, &first), second)
        };
        first.as_secs_f64() / second.as_secs_f64()
    };
    let mut ratios: Vec<f64> = (0..PAIRS).map(pair).collect();
    ratios.sort_by(f64::total_cmp);
    let at = |share: usize| ratios.get(ratios.len().saturating_mul(share) / 10).copied().unwrap_or(f64::NAN);
    Ratio { median: at(5), low: at(1), high: at(9) }
}

impl Ratio {
    /// The middle of all pairs.
    #[allow(dead_code, reason = "not every bench that includes this file needs the figure apart")]
    pub(crate) const fn median(&self) -> f64 {
        self.median
    }
}

/// How long it takes to do `work` so many times.
fn time<I, T>(times: u32, input: &impl Fn() -> I, work: &impl Fn(&mut I) -> T) -> Duration {
    let mut inputs: Vec<I> = (0..times).map(|_| input()).collect();
    #[expect(clippy::disallowed_methods, reason = "a bench measures the time that passes, and decides nothing by it")]
    let start = Instant::now();
    for input in &mut inputs {
        black_box(work(black_box(input)));
    }
    start.elapsed()
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>6.2}   ({:.2} to {:.2})", self.median, self.low, self.high)
    }
}
