//! Which executions of an order are booked.

use crate::values::FillId;
use std::ops::Deref;
use std::slice;

/// The ids of executions, ascending, each once: read as a slice.
///
/// Nearly every order is executed at once, and one id needs no list.
///
/// ```
/// use evenkeel_domain::batch::FillIds;
///
/// let ids: FillIds = ["f2".parse()?, "f1".parse()?].into_iter().collect();
/// assert_eq!(format!("{ids:?}"), "[FillId(f1), FillId(f2)]");
/// assert!(ids.contains(&"f2".parse()?));
/// for id in &ids {
///     println!("{id}");
/// }
/// # Ok::<(), evenkeel_domain::values::IdError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Default)]
pub struct FillIds(Ids);

#[derive(Clone, PartialEq, Eq, Default)]
enum Ids {
    #[default]
    None,
    One(FillId),
    /// Two at least, so that the same ids are the same here.
    Several(Vec<FillId>),
}

impl FillIds {
    /// Adds one, unless it is there.
    pub(crate) fn insert(&mut self, id: FillId) {
        let Err(place) = self.binary_search(&id) else { return };
        match &mut self.0 {
            Ids::None => self.0 = Ids::One(id),
            Ids::One(known) if place == 0 => self.0 = Ids::Several(vec![id, known.clone()]),
            Ids::One(known) => self.0 = Ids::Several(vec![known.clone(), id]),
            Ids::Several(known) => known.insert(place, id),
        }
    }
}

impl Deref for FillIds {
    type Target = [FillId];

    #[inline]
    fn deref(&self) -> &[FillId] {
        match &self.0 {
            Ids::None => &[],
            Ids::One(id) => slice::from_ref(id),
            Ids::Several(ids) => ids,
        }
    }
}

impl<'a> IntoIterator for &'a FillIds {
    type Item = &'a FillId;
    type IntoIter = slice::Iter<'a, FillId>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl std::fmt::Debug for FillIds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        (**self).fmt(f)
    }
}

impl FromIterator<FillId> for FillIds {
    fn from_iter<I: IntoIterator<Item = FillId>>(ids: I) -> Self {
        let mut all = Self::default();
        ids.into_iter().for_each(|id| all.insert(id));
        all
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for FillIds {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for FillIds {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self::from_iter)
    }
}

#[cfg(test)]
mod tests {
    use super::FillIds;
    use crate::values::FillId;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        /// However they come, they are the set that the standard library would keep; and alike if they are the same.
        #[test]
        fn it_is_a_set(ids in prop::collection::vec(0_u8..6, 0..8)) {
            let ids: Vec<FillId> = ids.iter().map(|id| format!("f{id}").parse().unwrap()).collect();
            let set: BTreeSet<_> = ids.iter().cloned().collect();
            let one_by_one: FillIds = ids.into_iter().collect();
            prop_assert!(one_by_one.iter().eq(&set));
            prop_assert_eq!(&one_by_one, &set.into_iter().collect());
            #[cfg(feature = "serde")]
            {
                let json = serde_json::to_string(&one_by_one).unwrap();
                prop_assert_eq!(&json, &serde_json::to_string(&one_by_one.to_vec()).unwrap());
                prop_assert_eq!(serde_json::from_str::<FillIds>(&json).unwrap(), one_by_one);
            }
        }
    }
}
