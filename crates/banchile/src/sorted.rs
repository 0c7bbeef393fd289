//! A map kept as one sorted list.
//!
//! What an account holds, the orders of a batch and the prices of a market are looked up all the time and seldom become more. The orders of a batch
//! come in the order of their legs, and that is the order of what is looked up for them: a search begins where the last one ended, and a search by
//! halves follows only where that was far off.

use std::cell::Cell;

/// So many keys from the last one on are tried before all others.
const NEAR: usize = 4;

/// Keys in ascending order, each once.
#[derive(Debug)]
pub(crate) struct Sorted<K, T> {
    entries: Vec<(K, T)>,
    /// Where the last search ended.
    last: Cell<usize>,
}

impl<K: Copy + Ord, T> Sorted<K, T> {
    /// Where `key` is; or where it would be.
    fn place(&self, key: K) -> Result<usize, usize> {
        let place = self.search(key);
        self.last.set(place.unwrap_or_else(|place| place));
        place
    }

    #[inline]
    fn search(&self, key: K) -> Result<usize, usize> {
        for (place, (known, _)) in self.entries.iter().enumerate().skip(self.last.get()).take(NEAR) {
            if *known == key {
                return Ok(place);
            }
        }
        match self.entries.last() {
            Some((last, _)) if key <= *last => self.entries.binary_search_by(|(known, _)| known.cmp(&key)),
            _ => Err(self.entries.len()),
        }
    }

    pub(crate) fn get(&self, key: K) -> Option<&T> {
        self.entries.get(self.place(key).ok()?).map(|(_, found)| found)
    }

    pub(crate) fn get_mut(&mut self, key: K) -> Option<&mut T> {
        let place = self.place(key).ok()?;
        self.entries.get_mut(place).map(|(_, found)| found)
    }

    /// What is between these keys, both included.
    pub(crate) fn range(&self, first: K, last: K) -> impl DoubleEndedIterator<Item = &T> {
        let start = self.entries.partition_point(|(key, _)| *key < first);
        let end = self.entries.partition_point(|(key, _)| *key <= last);
        self.entries.get(start..end).unwrap_or_default().iter().map(|(_, found)| found)
    }

    /// Puts something in, instead of what had this key.
    pub(crate) fn insert(&mut self, key: K, new: T) {
        match self.place(key) {
            Err(place) => self.entries.insert(place, (key, new)),
            Ok(place) => drop(self.entries.get_mut(place).map(|entry| entry.1 = new)),
        }
    }

    /// Changes what has this key; the default, if nothing has.
    pub(crate) fn change(&mut self, key: K, change: impl FnOnce(&mut T))
    where
        T: Default,
    {
        let place = self.place(key).unwrap_or_else(|place| {
            self.entries.insert(place, (key, T::default()));
            place
        });
        if let Some((_, found)) = self.entries.get_mut(place) {
            change(found);
        }
    }

    /// Drops all that does not fit; each is asked about once, in the order of the keys.
    pub(crate) fn retain(&mut self, mut fits: impl FnMut(&T) -> bool) {
        self.entries.retain(|(_, found)| fits(found));
    }

    /// Makes room for so many more.
    pub(crate) fn reserve(&mut self, more: usize) {
        self.entries.reserve_exact(more);
    }
}

impl<K, T> Sorted<K, T> {
    /// All of them, in the order of their keys.
    pub(crate) fn entries(&self) -> &[(K, T)] {
        &self.entries
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().map(|(_, found)| found)
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.entries.iter_mut().map(|(_, found)| found)
    }
}

impl<K, T> Default for Sorted<K, T> {
    fn default() -> Self {
        Self { entries: Vec::new(), last: Cell::new(0) }
    }
}
