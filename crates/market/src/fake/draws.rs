//! Random numbers as a pure function of what they are for.
//!
//! A generator that everything draws from in turn would change every number after the one that was added. Here each use
//! has a generator of its own, whose 256-bit seed *is* its name: the seed of the market, the concern, the key and the
//! occurrence, side by side. ChaCha turns names that differ by a bit into unrelated streams, so no other mixing is
//! needed. The generator is a named one, whose numbers no release changes.

use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

/// What a draw is for. The numbers are part of the seed: a new concern gets a new one, and none ever changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Concern {
    /// The move that all symbols share.
    Market,
    /// The move of one symbol alone.
    Own,
    /// Whether a symbol jumps, and how far.
    Jump,
    /// What a made-up symbol costs first and how much it moves.
    Listing,
    /// Whether a symbol is halted, and for how long.
    Halt,
    /// Whether a price is missing.
    Missing,
    /// Whether a price is doubled.
    Doubled,
    /// Whether units split, and how.
    Split,
}

impl Concern {
    const fn number(self) -> u64 {
        match self {
            Self::Market => 1,
            Self::Own => 2,
            Self::Jump => 3,
            Self::Listing => 4,
            Self::Halt => 5,
            Self::Missing => 6,
            Self::Doubled => 7,
            Self::Split => 8,
        }
    }
}

/// The draws of one occurrence: the step for moves, 0 where something happens once.
pub(super) struct Draws(ChaCha8Rng);

impl Draws {
    pub(super) fn of(seed: u64, concern: Concern, key: &str, occurrence: u64) -> Self {
        let mut name = [0; 32];
        let parts = [seed, concern.number(), fnv1a(key), occurrence];
        for (slot, part) in name.chunks_exact_mut(8).zip(parts) {
            slot.copy_from_slice(&part.to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(name))
    }

    /// A number from 0 to `u32::MAX`, each as likely.
    pub(super) fn next(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// A number below `limit`, each as likely, but for a part in 4,000 with limits up to a million; 0 for a limit of 0.
    pub(super) fn below(&mut self, limit: u32) -> u32 {
        self.next().checked_rem(limit).unwrap_or_default()
    }
}

/// The 64-bit FNV-1a hash: the same in every program, unlike the hashes of the standard library.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}
