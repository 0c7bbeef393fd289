//! Waves, cut into chunks: long enough that a portfolio acts often within one, short enough to stop soon and to keep what was said of it.
//!
//! How often portfolios act is known of past chunks alone: where all of them begin to act after a quiet time, the chunks that are under way are as
//! long as [`Pace::most`] lets them be.

use evenkeel_domain::values::Timestamp;
use evenkeel_ports::Wave;
use std::iter::Peekable;

/// The waves of any chunk at most.
const WAVES: usize = 512;

/// The prices of any chunk at most: a dozen megabytes.
const PRICES: usize = 1 << 19;

/// How long chunks are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// How often portfolios should act in one, about.
    acts: usize,
    /// How many portfolios times waves the first has.
    first: usize,
    /// And how many any has at most.
    most: usize,
}

impl Pace {
    /// In memory an act takes some 30 microseconds, and what is told of it a kilobyte: 16 MB, and where everybody begins to act at once some two hundred, and a
    /// second or two until an interrupt is heeded.
    pub(super) const IN_MEMORY: Self = Self { acts: 1 << 14, first: 20_000, most: 1 << 17 };
    /// Where each waits for a disk, ten times as long.
    pub(super) const AT_THE_DISK: Self = Self { acts: 1 << 10, first: 2_000, most: 20_000 };
}

/// Consecutive waves, and the time of the one after them.
pub(super) struct Chunk {
    pub(super) first: usize,
    pub(super) waves: Vec<Wave>,
    pub(super) next: Option<Timestamp>,
}

/// Cuts waves into chunks, looking one wave ahead.
pub(super) struct Chunks<I: Iterator> {
    waves: Peekable<I>,
    portfolios: usize,
    pace: Pace,
    /// How many waves the next one has.
    length: usize,
    first: usize,
}

impl<E, I: Iterator<Item = Result<Wave, E>>> Chunks<I> {
    /// Chunks for so many portfolios.
    pub(super) fn new(waves: I, portfolios: usize, pace: Pace) -> Self {
        let portfolios = portfolios.max(1);
        let length = pace.first.checked_div(portfolios).unwrap_or(WAVES).clamp(1, WAVES);
        Self { waves: waves.peekable(), portfolios, pace, length, first: 0 }
    }

    /// The time of the wave that comes next, and how many prices it has, if it can be read.
    pub(super) fn peek(&mut self) -> Option<(Timestamp, usize)> {
        let wave = self.waves.peek()?.as_ref().ok()?;
        Some((wave.at, wave.prices.len()))
    }

    /// Learns how often portfolios acted in a chunk: those to come are shortened to what would have been right, or at most doubled.
    pub(super) fn learn(&mut self, chunk: &Chunk, acts: usize) {
        let fitting = chunk.waves.len().saturating_mul(self.pace.acts).checked_div(acts).unwrap_or(WAVES);
        let most = self.pace.most.checked_div(self.portfolios).unwrap_or(WAVES).min(WAVES);
        self.length = fitting.min(self.length.saturating_mul(2)).min(most).max(1);
    }

    /// The next chunk; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Chunk>, E> {
        let of_prices = self.peek().and_then(|(_, prices)| PRICES.checked_div(prices)).unwrap_or(WAVES);
        let length = self.length.min(of_prices).max(1);
        let mut waves = Vec::with_capacity(length);
        for wave in self.waves.by_ref().take(length) {
            waves.push(wave?);
        }
        if waves.is_empty() {
            return Ok(None);
        }
        let next = self.peek().map(|(at, _)| at);
        let first = self.first;
        self.first = first.saturating_add(waves.len());
        Ok(Some(Chunk { first, waves, next }))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::arithmetic_side_effects, reason = "small numbers of a test")]

    use super::*;

    /// The lengths of chunks over 3,000 waves, if portfolios act so often in each wave.
    fn lengths(portfolios: usize, acts_per_wave: usize, prices: usize) -> Vec<usize> {
        let prices = vec![("META".parse().unwrap(), "1".parse().unwrap()); prices];
        let wave = |n: i64| Wave { at: Timestamp::from_nanos(n), label: n.to_string(), prices: prices.clone() };
        let pace = Pace { acts: 1_000, first: 20_000, most: 1 << 17 };
        let mut chunks = Chunks::new((0..3_000).map(|n| Ok::<_, ()>(wave(n))), portfolios, pace);
        let mut lengths = Vec::new();
        while let Some(chunk) = chunks.next().unwrap() {
            assert_eq!(chunk.first, lengths.iter().sum::<usize>(), "none is left out");
            assert_eq!(chunk.next.is_some(), chunk.first + chunk.waves.len() < 3_000, "it knows the time after it");
            chunks.learn(&chunk, acts_per_wave * chunk.waves.len());
            lengths.push(chunk.waves.len());
        }
        assert_eq!(lengths.iter().sum::<usize>(), 3_000);
        lengths.truncate(6);
        lengths
    }

    #[test]
    fn chunks_grow_while_little_happens_and_shrink_when_much_does() {
        for (portfolios, acts_per_wave, prices, expected) in [
            (1, 0, 1, [512, 512, 512, 512, 512, 440]),
            (1, 0, 8_000, [65, 65, 65, 65, 65, 65]),
            (1_000, 0, 0, [20, 40, 80, 131, 131, 131]),
            (1_000, 10, 1, [20, 40, 80, 100, 100, 100]),
            (1_000, 1_000, 1, [20, 1, 1, 1, 1, 1]),
            (100_000, 0, 1, [1, 1, 1, 1, 1, 1]),
            (10_000_000, 0, 1, [1, 1, 1, 1, 1, 1]),
        ] {
            assert_eq!(lengths(portfolios, acts_per_wave, prices), expected, "{portfolios}, {acts_per_wave}, {prices}");
        }
    }
}
