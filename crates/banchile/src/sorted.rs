//! A map kept as one sorted list.
//!
//! What an account holds, the orders of a batch and the prices of a market are looked up all the time and seldom become more; a search by
//! halves compares a handful of keys that lie side by side.

/// Keys in ascending order, each once.
#[derive(Debug)]
pub(crate) struct Sorted<K, T>(Vec<(K, T)>);

impl<K: Copy + Ord, T> Sorted<K, T> {
    /// Where `key` is; or where it would be.
    fn place(&self, key: K) -> Result<usize, usize> {
        // Orders come about in the order of their legs: who asks for one nearly always means the last, or one after it.
        match self.0.last() {
            Some((last, _)) if key < *last => self.0.binary_search_by(|(known, _)| known.cmp(&key)),
            Some((last, _)) if key == *last => Ok(self.0.len().saturating_sub(1)),
            _ => Err(self.0.len()),
        }
    }

    pub(crate) fn get(&self, key: K) -> Option<&T> {
        self.0.get(self.place(key).ok()?).map(|(_, found)| found)
    }

    pub(crate) fn get_mut(&mut self, key: K) -> Option<&mut T> {
        let place = self.place(key).ok()?;
        self.0.get_mut(place).map(|(_, found)| found)
    }

    /// What is between these keys, both included.
    pub(crate) fn range(&self, first: K, last: K) -> impl DoubleEndedIterator<Item = &T> {
        let start = self.0.partition_point(|(key, _)| *key < first);
        let end = self.0.partition_point(|(key, _)| *key <= last);
        self.0.get(start..end).unwrap_or_default().iter().map(|(_, found)| found)
    }

    /// Puts something in, instead of what had this key.
    pub(crate) fn insert(&mut self, key: K, new: T) {
        match self.place(key) {
            Err(place) => self.0.insert(place, (key, new)),
            Ok(place) => drop(self.0.get_mut(place).map(|entry| entry.1 = new)),
        }
    }

    /// Drops all that does not fit; each is asked about once, in the order of the keys.
    pub(crate) fn retain(&mut self, mut fits: impl FnMut(&T) -> bool) {
        self.0.retain(|(_, found)| fits(found));
    }

    /// Makes room for so many more.
    pub(crate) fn reserve(&mut self, more: usize) {
        self.0.reserve_exact(more);
    }
}

impl<K, T> Sorted<K, T> {
    /// All of them, in the order of their keys.
    pub(crate) fn entries(&self) -> &[(K, T)] {
        &self.0
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|(_, found)| found)
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.iter_mut().map(|(_, found)| found)
    }
}

impl<K, T> Default for Sorted<K, T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}
