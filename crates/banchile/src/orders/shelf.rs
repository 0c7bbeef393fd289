//! What belongs to the orders of one batch, in their order: a list that is searched by halves, as it is small and legs are sent about in
//! their order, so that it grows at its end. Which batches there are is in `orders/book.rs`.

use evenkeel_domain::order::{ClientOrderId, Direction};

/// Which order of its batch: leg, direction, attempt and copy in one number, whose order is theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(u64);

impl Place {
    pub(crate) fn new(id: ClientOrderId, copy: u16) -> Self {
        let direction = match id.direction {
            Direction::Forward => 0,
            Direction::Reverse => 1,
        };
        let (leg, attempt) = (u64::from(id.leg.get()), u64::from(id.attempt.get()));
        Self(leg << 32 | direction << 24 | attempt << 16 | u64::from(copy))
    }
}

/// Something for each of the orders of a batch, sorted by their places.
#[derive(Debug)]
pub(crate) struct Shelf<T>(Vec<(Place, T)>);

impl<T> Shelf<T> {
    /// Where this place is, or would be.
    fn search(&self, place: Place) -> Result<usize, usize> {
        // Who asks nearly always means the newest, or one that is newer.
        match self.0.last() {
            Some((last, _)) if place < *last => self.0.binary_search_by_key(&place, |(place, _)| *place),
            Some((last, _)) if place == *last => Ok(self.0.len().saturating_sub(1)),
            _ => Err(self.0.len()),
        }
    }

    pub(crate) fn get(&self, place: Place) -> Option<&T> {
        self.0.get(self.search(place).ok()?).map(|(_, found)| found)
    }

    pub(crate) fn get_mut(&mut self, place: Place) -> Option<&mut T> {
        let at = self.search(place).ok()?;
        self.0.get_mut(at).map(|(_, found)| found)
    }

    /// What is at these places, both included.
    pub(crate) fn range(&self, first: Place, last: Place) -> impl DoubleEndedIterator<Item = &T> {
        let start = self.0.partition_point(|(place, _)| *place < first);
        let end = self.0.partition_point(|(place, _)| *place <= last);
        self.0.get(start..end).unwrap_or_default().iter().map(|(_, found)| found)
    }

    /// Puts something at this place, instead of what was there.
    pub(crate) fn insert(&mut self, place: Place, new: T) {
        match self.search(place) {
            Err(at) => self.0.insert(at, (place, new)),
            Ok(at) => drop(self.0.get_mut(at).map(|slot| slot.1 = new)),
        }
    }

    pub(crate) fn remove(&mut self, place: Place) -> Option<T> {
        self.search(place).ok().map(|at| self.0.remove(at).1)
    }

    /// Takes out all that fits.
    pub(crate) fn take_if(&mut self, fits: impl Fn(&T) -> bool) -> impl Iterator<Item = T> {
        self.0.extract_if(.., move |(_, found)| fits(found)).map(|(_, found)| found)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|(_, found)| found)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.iter_mut().map(|(_, found)| found)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Makes room for so many more.
    pub(crate) fn reserve(&mut self, more: usize) {
        self.0.reserve_exact(more);
    }
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}
