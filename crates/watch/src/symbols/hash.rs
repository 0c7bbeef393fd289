//! A hash for symbols: sixteen bytes that somebody listed on an exchange, not an attacker, in one multiplication.

use std::hash::{BuildHasherDefault, Hasher};

pub(crate) type BySymbol = BuildHasherDefault<Mixer>;

/// Folds sixteen bytes at a time into one number.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Mixer(u64);

impl Mixer {
    #[inline]
    fn mix(&mut self, high: u64, low: u64) {
        // The halves of a product, folded together: every bit of the input reaches both ends. Both factors are taken away from 0, which most symbols
        // have in their second half.
        let factor = u128::from(self.0 ^ low ^ 0x9E37_79B9_7F4A_7C15);
        let (high, low) = halves(factor.wrapping_mul(u128::from(high ^ 0xD1B5_4A32_D192_ED03)));
        self.0 = high ^ low;
    }
}

#[inline]
#[expect(clippy::as_conversions, reason = "each half has 64 bits")]
const fn halves(number: u128) -> (u64, u64) {
    ((number >> 64) as u64, number as u64)
}

impl Hasher for Mixer {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(16) {
            // All sixteen at once, as symbols are; anything else is filled up.
            let sixteen = <[u8; 16]>::try_from(part).unwrap_or_else(|_| {
                let mut filled = [0; 16];
                filled.iter_mut().zip(part).for_each(|(to, from)| *to = *from);
                filled
            });
            let (high, low) = halves(u128::from_le_bytes(sixteen));
            self.mix(high, low);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.mix(0, number);
    }

    /// The length in front of an array: the same for every symbol.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}
