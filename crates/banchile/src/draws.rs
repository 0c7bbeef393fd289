//! Every random draw, as a pure function of (seed, concern, key, occurrence).
//!
//! No generator is kept between draws, so neither the order in which calls arrive nor a draw more in one place changes any
//! other. The key is the account and the client order id; the occurrence counts repetitions of the same thing, such as
//! the second send of one id or the third fill of one order. The generator is ChaCha8, by name; all draws are whole numbers.

use crate::profile::{Chance, Latency};
use evenkeel_domain::order::{ClientOrderId, Direction, Side, Terms};
use evenkeel_domain::values::AccountId;
use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};
use std::hash::{Hash, Hasher};
use std::time::Duration;

/// What a draw is about. The numbers are part of what a seed means: they are never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Concern(u32);

impl Concern {
    pub(crate) const TO_VENUE: Self = Self(1);
    pub(crate) const BACK: Self = Self(2);
    pub(crate) const EXECUTION: Self = Self(3);
    pub(crate) const PARTS: Self = Self(4);
    pub(crate) const SLIPPAGE: Self = Self(5);
    pub(crate) const VISIBLE: Self = Self(6);
    pub(crate) const CANCEL_TO_VENUE: Self = Self(7);
    pub(crate) const CANCEL_BACK: Self = Self(8);
    pub(crate) const CANCEL_AT_VENUE: Self = Self(9);
    pub(crate) const LOST_REQUEST: Self = Self(10);
    pub(crate) const LOST_ANSWER: Self = Self(11);
    pub(crate) const DOUBLED: Self = Self(12);
    pub(crate) const REFUSED: Self = Self(13);
    pub(crate) const REJECTED: Self = Self(14);
    pub(crate) const LATE_FILL: Self = Self(15);
    pub(crate) const SLOW: Self = Self(16);
    pub(crate) const SECOND_COPY: Self = Self(17);
    pub(crate) const OUTAGE: Self = Self(18);
    pub(crate) const DISORDER: Self = Self(19);
}

/// What a draw is for: one order of one account. It costs nothing until something is drawn, which some profiles never do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key<'a>(Option<(&'a AccountId, ClientOrderId)>);

impl<'a> Key<'a> {
    /// Of nothing.
    pub(crate) const NONE: Self = Self(None);

    pub(crate) const fn new(account: &'a AccountId, id: ClientOrderId) -> Self {
        Self(Some((account, id)))
    }

    /// All of it in 128 bits.
    fn mixed(self) -> [u64; 2] {
        let Some((account, id)) = self.0 else { return [0; 2] };
        let batch = id.batch.as_u128();
        let direction = match id.direction {
            Direction::Forward => 0,
            Direction::Reverse => 1,
        };
        let place = u64::from(id.leg.get()) << 16 | direction << 8 | u64::from(id.attempt.get());
        let words = [high_half(batch), low_half(batch), place];
        [1, 2].map(|start| fold(fold_text(start, account.as_str()), words))
    }
}

/// The source of all draws of one broker.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Draws {
    seed: u64,
}

impl Draws {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The draws about `concern` for the `occurrence`-th time.
    pub(crate) fn of(self, concern: Concern, key: Key<'_>, occurrence: u32) -> Draw {
        let what = u64::from(concern.0) << 32 | u64::from(occurrence);
        let [first, second] = key.mixed();
        let mut seed = [0; 32];
        for (bytes, word) in seed.chunks_exact_mut(8).zip([self.seed, what, first, second]) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        Draw(ChaCha8Rng::from_seed(seed))
    }

    /// One latency; nothing is drawn where there is no choice.
    pub(crate) fn latency(self, concern: Concern, key: Key<'_>, occurrence: u32, latency: Latency) -> Duration {
        if latency.is_fixed() { latency.most } else { self.of(concern, key, occurrence).latency(latency) }
    }

    /// Whether it happens; nothing is drawn where it never does.
    pub(crate) fn happens(self, concern: Concern, key: Key<'_>, occurrence: u32, chance: Chance) -> bool {
        chance != Chance::NEVER && self.of(concern, key, occurrence).happens(chance)
    }
}

/// A few draws about one thing.
pub(crate) struct Draw(ChaCha8Rng);

impl Draw {
    /// A whole number from 0 to `bound - 1`; 0 for a bound of 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let scaled = u128::from(self.0.next_u64()).saturating_mul(u128::from(bound));
        high_half(scaled)
    }

    pub(crate) fn happens(&mut self, chance: Chance) -> bool {
        self.below(MILLION) < u64::from(chance.in_a_million())
    }

    /// A time between the least and the most, whose median and 99th percentile are those given.
    pub(crate) fn latency(&mut self, latency: Latency) -> Duration {
        let place = self.below(MILLION);
        if let Some(beyond) = place.checked_sub(P99) {
            between(latency.p99, latency.most, beyond, MILLION.saturating_sub(P99))
        } else if let Some(beyond) = place.checked_sub(HALF) {
            // The square bends the way to the 99th percentile: most of what is above the median is close to it.
            let whole = P99.saturating_sub(HALF);
            between(latency.median, latency.p99, beyond.saturating_mul(beyond), whole.saturating_mul(whole))
        } else {
            between(latency.least, latency.median, place, HALF)
        }
    }
}

const MILLION: u64 = 1_000_000;
const HALF: u64 = 500_000;
const P99: u64 = 990_000;

/// `part` of `whole` of the way from `from` to `to`.
fn between(from: Duration, to: Duration, part: u64, whole: u64) -> Duration {
    let way = to.saturating_sub(from).as_nanos();
    let gone = way.saturating_mul(u128::from(part)).checked_div(u128::from(whole)).unwrap_or(0);
    from.saturating_add(Duration::from_nanos(u64::try_from(gone).unwrap_or(u64::MAX)))
}

/// 32 bits that tell terms apart, for ids whose terms were forgotten.
pub(crate) fn fingerprint(terms: &Terms) -> u32 {
    let quantity = terms.quantity.nanos();
    let kind = match terms.side {
        Side::Sell => u64::from(terms.exit) << 1,
        Side::Buy => u64::from(terms.exit) << 1 | 1,
    };
    let mut mixed = Mixed(kind);
    terms.symbol.hash(&mut mixed);
    [low_half(quantity), high_half(quantity), terms.reference.nanos()].into_iter().for_each(|word| mixed.take(word));
    u32::try_from(mixed.finish() >> 32).unwrap_or_default()
}

/// A number that spreads accounts evenly, whatever their names have in common.
pub(crate) fn spread(account: &AccountId) -> u64 {
    let mut mixed = Mixed(0);
    account.hash(&mut mixed);
    mixed.finish() >> 32
}

/// What was hashed so far. No draw depends on it, and nothing of it is kept in a file.
struct Mixed(u64);

impl Mixed {
    /// Each word well mixed: less, and texts that differ in two places are taken for each other.
    const fn take(&mut self, word: u64) {
        self.0 = finish(self.0 ^ word);
    }
}

impl Hasher for Mixed {
    fn write(&mut self, bytes: &[u8]) {
        words(bytes).for_each(|word| self.take(word));
    }

    /// As short ids hash themselves, twice.
    fn write_u64(&mut self, number: u64) {
        self.take(number);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

fn fold_text(start: u64, text: &str) -> u64 {
    let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
    fold(fold(start, [length]), words(text.as_bytes()))
}

/// Eight bytes each, the first of them the lowest.
fn words(bytes: &[u8]) -> impl Iterator<Item = u64> {
    let short = |chunk: &[u8]| chunk.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
    bytes.chunks(8).map(move |chunk| chunk.try_into().map_or_else(|_| short(chunk), u64::from_le_bytes))
}

fn fold(start: u64, words: impl IntoIterator<Item = u64>) -> u64 {
    words.into_iter().fold(start, |state, word| finish(finish(state) ^ word))
}

/// The last step of SplitMix64: every bit of the number reaches every bit of the result.
const fn finish(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

fn high_half(number: u128) -> u64 {
    u64::try_from(number >> 64).unwrap_or_default()
}

fn low_half(number: u128) -> u64 {
    u64::try_from(number & u128::from(u64::MAX)).unwrap_or_default()
}
