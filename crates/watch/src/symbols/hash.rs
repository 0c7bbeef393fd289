//! A hash for symbols: sixteen bytes that somebody listed on an exchange, not an attacker, in two multiplications.

use std::hash::{BuildHasherDefault, Hasher};

pub(crate) type BySymbol = BuildHasherDefault<Mixer>;

/// Folds eight bytes at a time into one number.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Mixer(u64);

impl Mixer {
    fn mix(&mut self, number: u64) {
        // The halves of a product with an odd constant of many bits, folded together: every bit of the input reaches both ends.
        let product = u128::from(self.0 ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
        self.0 = (product >> 64 ^ product & u128::from(u64::MAX)).try_into().unwrap_or(0);
    }
}

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(8) {
            let mut eight = [0; 8];
            for (to, from) in eight.iter_mut().zip(part) {
                *to = *from;
            }
            self.mix(u64::from_le_bytes(eight));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.mix(number);
    }

    /// The length in front of an array: the same for every symbol.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}
