//! Which slot a portfolio has: an index of ids that keeps no ids, only slots, since every slot has its id.
//!
//! Open addressing with linear probing; a removal moves up what probed past it, so nothing is left behind that only grows.

use crate::filter::SLOTS;
use evenkeel_domain::values::PortfolioId;
use std::hash::{BuildHasher, RandomState};

/// A table of slots, by the hash of their ids.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    hasher: RandomState,
    /// A slot and a few bits of the hash of its id, or [`FREE`]. Its length is a power of two, or 0.
    table: Vec<u32>,
    count: usize,
}

const FREE: u32 = u32::MAX;
/// How many marks there are: in the five bits beside a slot one more has room, which would make a slot look free.
const MARKS: u64 = 31;

impl Ids {
    pub(crate) const fn len(&self) -> usize {
        self.count
    }

    /// The slot of `id`, where `name` tells the id of a slot.
    pub(crate) fn get<'a>(&self, id: &PortfolioId, name: impl Fn(u32) -> Option<&'a PortfolioId>) -> Option<u32> {
        let place = self.place(id, name)?;
        self.table.get(place).copied().map(slot_of)
    }

    /// Adds a slot whose id is not in the table.
    pub(crate) fn insert<'a>(&mut self, id: &PortfolioId, slot: u32, name: impl Fn(u32) -> Option<&'a PortfolioId>) {
        // At most three quarters are taken: probes stay short.
        if self.count.saturating_mul(4) >= self.table.len().saturating_mul(3) {
            self.resize(self.table.len().saturating_mul(2).max(16), &name);
        }
        self.put(id, slot);
        self.count = self.count.saturating_add(1);
    }

    /// Takes the slot of `id` out.
    pub(crate) fn remove<'a>(
        &mut self,
        id: &PortfolioId,
        name: impl Fn(u32) -> Option<&'a PortfolioId>,
    ) -> Option<u32> {
        let mut gap = self.place(id, &name)?;
        let removed = self.table.get(gap).copied().map(slot_of);
        let mut place = self.after(gap);
        while let Some(entry) = self.table.get(place).copied().filter(|entry| *entry != FREE) {
            let home = name(slot_of(entry)).map_or(place, |id| self.home(self.hash(id)));
            // It may move up if its home is not between the gap and itself.
            if self.distance(home, place) >= self.distance(gap, place) {
                self.set(gap, entry);
                gap = place;
            }
            place = self.after(place);
        }
        self.set(gap, FREE);
        self.count = self.count.saturating_sub(1);
        if self.table.len() > 16 && self.count.saturating_mul(8) < self.table.len() {
            self.resize(self.table.len() / 4, &name);
        }
        removed
    }

    fn place<'a>(&self, id: &PortfolioId, name: impl Fn(u32) -> Option<&'a PortfolioId>) -> Option<usize> {
        let hash = self.hash(id);
        let mut place = self.home(hash);
        loop {
            let entry = self.table.get(place).copied().filter(|entry| *entry != FREE)?;
            // The mark spares nearly all looks at others' ids, which are far away.
            if entry == marked(slot_of(entry), hash) && name(slot_of(entry)) == Some(id) {
                return Some(place);
            }
            place = self.after(place);
        }
    }

    fn put(&mut self, id: &PortfolioId, slot: u32) {
        let hash = self.hash(id);
        let mut place = self.home(hash);
        while self.table.get(place).is_some_and(|taken| *taken != FREE) {
            place = self.after(place);
        }
        self.set(place, marked(slot, hash));
    }

    fn resize<'a>(&mut self, length: usize, name: &impl Fn(u32) -> Option<&'a PortfolioId>) {
        let before = std::mem::replace(&mut self.table, vec![FREE; length]);
        let mut slots: Vec<u32> = before.into_iter().filter(|entry| *entry != FREE).map(slot_of).collect();
        // As the ids lie in memory, more or less.
        slots.sort_unstable();
        for slot in slots {
            if let Some(id) = name(slot) {
                self.put(id, slot);
            }
        }
    }

    fn set(&mut self, place: usize, slot: u32) {
        if let Some(taken) = self.table.get_mut(place) {
            *taken = slot;
        }
    }

    fn hash(&self, id: &PortfolioId) -> u64 {
        self.hasher.hash_one(id)
    }

    fn home(&self, hash: u64) -> usize {
        usize::try_from(hash & u64::from(u32::MAX)).unwrap_or(0) & self.mask()
    }

    fn after(&self, place: usize) -> usize {
        place.wrapping_add(1) & self.mask()
    }

    fn distance(&self, from: usize, to: usize) -> usize {
        to.wrapping_sub(from) & self.mask()
    }

    const fn mask(&self) -> usize {
        self.table.len().saturating_sub(1)
    }
}

/// The slot of an entry of the table.
const fn slot_of(entry: u32) -> u32 {
    entry % SLOTS
}

/// A slot with the mark of a hash.
fn marked(slot: u32, hash: u64) -> u32 {
    let mark = u32::try_from((hash >> 32) % MARKS).unwrap_or(0);
    mark.wrapping_mul(SLOTS) | slot
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_mark_hides_a_slot() {
        for mark in 0..MARKS {
            for slot in [0, 1, SLOTS / 2, SLOTS.wrapping_sub(1)] {
                let entry = marked(slot, mark << 32);
                assert!(entry != FREE && slot_of(entry) == slot, "{slot} {mark}");
            }
        }
    }

    #[test]
    fn who_comes_is_found_until_it_goes() {
        let names: Vec<PortfolioId> = (0..3_000).map(|n| format!("p{n}").parse().unwrap()).collect();
        let (mut ids, mut is_in) = (Ids::default(), vec![false; names.len()]);
        let name = |slot| names.get(usize::try_from(slot).unwrap());
        let mut random = 1_u64;
        // More come than go; then more go than come.
        for (rounds, come) in [(9_000, 2), (9_000, 1), (30_000, 0)] {
            for _ in 0..rounds {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let slot = u32::try_from((random >> 33) % 3_000).unwrap();
                let (id, is_in) = (name(slot).unwrap(), &mut is_in[usize::try_from(slot).unwrap()]);
                assert_eq!(ids.get(id, name), is_in.then_some(slot));
                if *is_in && (random >> 20) % 3 >= come {
                    assert_eq!(ids.remove(id, name), Some(slot));
                    *is_in = false;
                } else if !*is_in && come > 0 {
                    ids.insert(id, slot, name);
                    *is_in = true;
                }
            }
            assert_eq!(ids.len(), is_in.iter().filter(|is_in| **is_in).count());
            for (slot, (id, is_in)) in (0..).zip(names.iter().zip(&is_in)) {
                assert_eq!(ids.get(id, name), is_in.then_some(slot), "{id}");
            }
        }
        assert!(ids.len() < 10 && ids.table.len() <= 64, "{} in {}", ids.len(), ids.table.len());
    }
}
