//! Waves, cut into chunks: long enough that a portfolio acts often within one, short enough to stop soon and to keep what was said of it.

use evenkeel_domain::values::Timestamp;
use evenkeel_ports::Wave;
use std::iter::Peekable;

/// How many portfolios times waves the first chunk has: enough work to be worth a message.
const FIRST: usize = 20_000;

/// And how many any has at most: a quarter of a second of quiet days.
const MOST: usize = 1 << 19;

/// The waves of any chunk at most.
const WAVES: usize = 512;

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
    /// How often portfolios should act in a chunk.
    acts: usize,
    /// How many waves the next one has.
    length: usize,
    first: usize,
}

impl<E, I: Iterator<Item = Result<Wave, E>>> Chunks<I> {
    /// Chunks for so many portfolios, in which these act about `acts` times, all told.
    pub(super) fn new(waves: I, portfolios: usize, acts: usize) -> Self {
        let portfolios = portfolios.max(1);
        let length = FIRST.checked_div(portfolios).unwrap_or(FIRST).clamp(1, WAVES);
        Self { waves: waves.peekable(), portfolios, acts, length, first: 0 }
    }

    /// The time of the wave that comes next, and how many prices it has, if it can be read.
    pub(super) fn peek(&mut self) -> Option<(Timestamp, usize)> {
        let wave = self.waves.peek()?.as_ref().ok()?;
        Some((wave.at, wave.prices.len()))
    }

    /// Learns how often portfolios acted in a chunk: those to come are shortened to what would have been right, or at most doubled.
    pub(super) fn learn(&mut self, chunk: &Chunk, acts: usize) {
        let fitting = chunk.waves.len().saturating_mul(self.acts).checked_div(acts).unwrap_or(WAVES);
        let most = MOST.checked_div(self.portfolios).unwrap_or(MOST).min(WAVES);
        self.length = fitting.min(self.length.saturating_mul(2)).min(most).max(1);
    }

    /// The next chunk; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Chunk>, E> {
        let mut waves = Vec::with_capacity(self.length);
        for wave in self.waves.by_ref().take(self.length) {
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
    fn lengths(portfolios: usize, acts_per_wave: usize) -> Vec<usize> {
        let wave = |n: i64| Wave { at: Timestamp::from_nanos(n), label: n.to_string(), prices: Vec::new() };
        let mut chunks = Chunks::new((0..3_000).map(|n| Ok::<_, ()>(wave(n))), portfolios, 1_000);
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
        for (portfolios, acts_per_wave, expected) in [
            (1, 0, [512, 512, 512, 512, 512, 440]),
            (1_000, 0, [20, 40, 80, 160, 320, 512]),
            (1_000, 10, [20, 40, 80, 100, 100, 100]),
            (1_000, 1_000, [20, 1, 1, 1, 1, 1]),
            (100_000, 0, [1, 2, 4, 5, 5, 5]),
            (10_000_000, 0, [1, 1, 1, 1, 1, 1]),
        ] {
            assert_eq!(lengths(portfolios, acts_per_wave), expected, "{portfolios}, {acts_per_wave}");
        }
    }
}
