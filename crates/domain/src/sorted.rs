//! A map kept as one sorted list.
//!
//! What a portfolio holds and the orders of a batch are some dozens, copied, gone through and looked up far more often than they become more.
//! A list is copied and gone through in one go, and a lookup in it compares a handful of keys. Putting a key between others moves those behind it.

use std::fmt;

/// Keys in ascending order, each once.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Sorted<K, V>(Vec<(K, V)>);

impl<K: Copy + Ord, V> Sorted<K, V> {
    /// Where `key` is; or where it would be.
    #[inline]
    pub(crate) fn place(&self, key: K) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| known.cmp(&key))
    }

    /// The same, with a guess where it may be.
    #[inline]
    pub(crate) fn place_near(&self, guess: usize, key: K) -> Result<usize, usize> {
        if self.0.get(guess).is_some_and(|(known, _)| *known == key) { Ok(guess) } else { self.place(key) }
    }

    /// The value of `key`.
    #[inline]
    pub(crate) fn get(&self, key: K) -> Option<&V> {
        self.place(key).ok().and_then(|place| self.0.get(place)).map(|(_, value)| value)
    }

    /// The value of `key`, to be changed.
    #[inline]
    pub(crate) fn get_mut(&mut self, key: K) -> Option<&mut V> {
        self.place(key).ok().and_then(|place| self.value_mut(place))
    }

    /// The value at this place, to be changed.
    #[inline]
    pub(crate) fn value_mut(&mut self, place: usize) -> Option<&mut V> {
        self.0.get_mut(place).map(|(_, value)| value)
    }

    /// Sets the value of `key`.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        match self.place(key) {
            Err(place) => self.0.insert(place, (key, value)),
            Ok(place) => {
                if let Some(known) = self.value_mut(place) {
                    *known = value;
                }
            }
        }
    }

    /// Takes `key` out.
    pub(crate) fn remove(&mut self, key: K) {
        if let Ok(place) = self.place(key) {
            self.0.remove(place);
        }
    }

    /// To look up many keys that ascend, or nearly do.
    #[inline]
    pub(crate) fn ascending(&self) -> Ascending<'_, K, V> {
        Ascending { sorted: self, last: 0 }
    }

    /// All entries, in the order of their keys.
    #[inline]
    pub(crate) fn entries(&self) -> &[(K, V)] {
        &self.0
    }

    /// All values, to be changed.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.0.iter_mut().map(|(_, value)| value)
    }

    /// Brings entries into the order of their keys; of several values of one key the last stays.
    fn sort(&mut self) {
        if self.0.is_sorted_by(|(key, _), (next, _)| key < next) {
            return; // As nearly always.
        }
        // What was there before stays before what has come.
        self.0.sort_by_key(|(key, _)| *key);
        self.0.dedup_by(|later, kept| {
            let is_same = later.0 == kept.0;
            if is_same {
                std::mem::swap(later, kept);
            }
            is_same
        });
    }
}

/// Looks up one key after the other: each search begins where the last one ended. A key that is nowhere near takes a search by halves.
pub(crate) struct Ascending<'a, K, V> {
    sorted: &'a Sorted<K, V>,
    last: usize,
}

/// So many keys from the last one on are tried before all others.
const NEAR: usize = 4;

impl<'a, K: Copy + Ord, V> Ascending<'a, K, V> {
    /// The value of `key`.
    #[inline]
    pub(crate) fn get(&mut self, key: K) -> Option<&'a V> {
        for (place, (known, value)) in self.sorted.0.iter().enumerate().skip(self.last).take(NEAR) {
            if *known == key {
                self.last = place;
                return Some(value);
            }
        }
        let place = self.sorted.place(key);
        self.last = place.unwrap_or_else(|place| place);
        self.sorted.0.get(place.ok()?).map(|(_, value)| value)
    }
}

impl<K, V> Default for Sorted<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Copy + Ord, V> From<Vec<(K, V)>> for Sorted<K, V> {
    /// Of several values of one key the last counts.
    fn from(entries: Vec<(K, V)>) -> Self {
        let mut sorted = Self(entries);
        sorted.sort();
        sorted
    }
}

impl<K: Copy + Ord, V> FromIterator<(K, V)> for Sorted<K, V> {
    /// Of several values of one key the last counts.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        entries.into_iter().collect::<Vec<_>>().into()
    }
}

impl<K: Copy + Ord, V> Extend<(K, V)> for Sorted<K, V> {
    /// Sets each of these; of several values of one key the last counts.
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        self.0.extend(entries);
        self.sort();
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Sorted<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(key, value)| (key, value))).finish()
    }
}

#[cfg(feature = "serde")]
impl<K: serde::Serialize, V: serde::Serialize> serde::Serialize for Sorted<K, V> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

#[cfg(feature = "serde")]
impl<'de, K, V> serde::Deserialize<'de> for Sorted<K, V>
where
    K: serde::Deserialize<'de> + Copy + Ord,
    V: serde::Deserialize<'de>,
{
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::collections::BTreeMap::<K, V>::deserialize(deserializer).map(|map| map.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::Sorted;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        /// Whatever is done to it, it is the map that the standard library would be.
        #[test]
        fn it_is_a_map(
            first in prop::collection::vec((0_u8..20, any::<u8>()), 0..20),
            second in prop::collection::vec((0_u8..20, any::<u8>()), 0..20),
            changes in prop::collection::vec((0_u8..20, any::<Option<u8>>()), 0..20),
            asked in prop::collection::vec(0_u8..20, 0..20),
        ) {
            let mut sorted: Sorted<u8, u8> = first.iter().copied().collect();
            let mut model: BTreeMap<u8, u8> = first.into_iter().collect();
            sorted.extend(second.iter().copied());
            model.extend(second);
            for (key, value) in changes {
                match value {
                    Some(value) => {
                        sorted.insert(key, value);
                        model.insert(key, value);
                    }
                    None => {
                        sorted.remove(key);
                        model.remove(&key);
                    }
                }
                prop_assert_eq!(sorted.get(key), model.get(&key));
                prop_assert_eq!(sorted.get_mut(key), model.get_mut(&key));
                let place = if model.contains_key(&key) { Ok } else { Err };
                prop_assert_eq!(sorted.place(key), place(model.range(..key).count()));
                prop_assert_eq!(sorted.place_near(usize::from(key), key), sorted.place(key));
            }
            let mut ascending = sorted.ascending();
            for key in (0..20).chain(asked) {
                prop_assert_eq!(ascending.get(key), model.get(&key), "{}", key);
            }
            sorted.values_mut().chain(model.values_mut()).for_each(|value| *value = value.wrapping_add(1));
            prop_assert_eq!(format!("{sorted:?}"), format!("{model:?}"));
            prop_assert_eq!(sorted.entries(), model.into_iter().collect::<Vec<_>>());
        }
    }
}
