//! Which slot a portfolio has: an index of ids that keeps no ids, only slots, since every slot has its id at hand.
//!
//! Open addressing with linear probing; a removal moves up what probed past it, so nothing is left behind that only grows.

use evenkeel_domain::values::PortfolioId;
use std::hash::{BuildHasher, RandomState};

/// A table of slots, by the hash of their ids.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    hasher: RandomState,
    /// A slot, or [`FREE`]. Its length is a power of two, or 0.
    table: Vec<u32>,
    count: usize,
}

const FREE: u32 = u32::MAX;

impl Ids {
    pub(crate) const fn len(&self) -> usize {
        self.count
    }

    /// The slot of `id`, where `name` tells the id of a slot.
    pub(crate) fn get<'a>(&self, id: &PortfolioId, name: impl Fn(u32) -> Option<&'a PortfolioId>) -> Option<u32> {
        let place = self.place(id, name)?;
        self.table.get(place).copied()
    }

    /// Adds a slot whose id is not in the table.
    pub(crate) fn insert<'a>(&mut self, id: &PortfolioId, slot: u32, name: impl Fn(u32) -> Option<&'a PortfolioId>) {
        // At most three quarters are taken: probes stay short.
        if self.count.saturating_mul(4) >= self.table.len().saturating_mul(3) {
            self.resize(self.table.len().saturating_mul(2).max(16), &name);
        }
        self.put(self.home(id), slot);
        self.count = self.count.saturating_add(1);
    }

    /// Takes the slot of `id` out.
    pub(crate) fn remove<'a>(
        &mut self,
        id: &PortfolioId,
        name: impl Fn(u32) -> Option<&'a PortfolioId>,
    ) -> Option<u32> {
        let mut gap = self.place(id, &name)?;
        let removed = self.table.get(gap).copied();
        let mut place = self.after(gap);
        while let Some(slot) = self.table.get(place).copied().filter(|slot| *slot != FREE) {
            let home = name(slot).map_or(place, |id| self.home(id));
            // It may move up if its home is not between the gap and itself.
            if self.distance(home, place) >= self.distance(gap, place) {
                self.set(gap, slot);
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
        let mut place = self.home(id);
        loop {
            let slot = self.table.get(place).copied().filter(|slot| *slot != FREE)?;
            if name(slot) == Some(id) {
                return Some(place);
            }
            place = self.after(place);
        }
    }

    fn put(&mut self, mut place: usize, slot: u32) {
        while self.table.get(place).is_some_and(|taken| *taken != FREE) {
            place = self.after(place);
        }
        self.set(place, slot);
    }

    fn resize<'a>(&mut self, length: usize, name: &impl Fn(u32) -> Option<&'a PortfolioId>) {
        let before = std::mem::replace(&mut self.table, vec![FREE; length]);
        for slot in before.into_iter().filter(|slot| *slot != FREE) {
            if let Some(id) = name(slot) {
                self.put(self.home(id), slot);
            }
        }
    }

    fn set(&mut self, place: usize, slot: u32) {
        if let Some(taken) = self.table.get_mut(place) {
            *taken = slot;
        }
    }

    fn home(&self, id: &PortfolioId) -> usize {
        let hash = self.hasher.hash_one(id);
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
