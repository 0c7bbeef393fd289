//! Lists of followers, in runs of one arena: thousands of lists grow side by side, and what one gives back another uses.
//!
//! A list is one run of 16, 64 or 256 entries, and is copied to the next size when it is full; from 256 on it gets further runs
//! of 256, which are four kilobytes, a page, and never copied. So short lists are short, and long ones are read like one.

use super::index;
use crate::filter::Entry;

/// How many entries a run may have.
const SIZES: [usize; 3] = [16, 64, RUN];
const RUN: usize = 256;

/// The list of one symbol: where its runs begin in the arena.
#[derive(Debug, Default)]
pub(crate) struct Followers {
    len: u32,
    /// The first run, beside the length: for most lists, all there is to read.
    first: Option<u32>,
    /// Which of [`SIZES`] the first run has; the others have the last.
    class: u8,
    /// The other runs.
    more: Vec<u32>,
}

impl Followers {
    pub(crate) const fn len(&self) -> usize {
        index(self.len)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn runs(&self) -> impl Iterator<Item = u32> {
        self.first.into_iter().chain(self.more.iter().copied())
    }

    /// Where a position is in the arena.
    fn find(&self, position: u32) -> Option<usize> {
        let start = match (index(position) / RUN).checked_sub(1) {
            None => self.first?,
            Some(run) => *self.more.get(run)?,
        };
        Some(index(start).saturating_add(index(position) % RUN))
    }

    /// How many entries fit.
    fn room(&self) -> usize {
        match (self.first, self.more.len()) {
            (None, _) => 0,
            (Some(_), 0) => size(self.class),
            (Some(_), more) => more.saturating_add(1).saturating_mul(RUN),
        }
    }
}

fn size(class: u8) -> usize {
    SIZES.get(usize::from(class)).copied().unwrap_or(RUN)
}

const LAST: u8 = 2;

/// All runs, and those that no list uses, by size.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    arena: Vec<Entry>,
    free: [Vec<u32>; 3],
}

impl Pool {
    /// Adds an entry at the end; gives its position.
    pub(crate) fn push(&mut self, list: &mut Followers, entry: Entry) -> u32 {
        let position = list.len;
        if list.len() == list.room() {
            self.grow(list);
        }
        list.len = list.len.saturating_add(1);
        self.replace(list, position, entry);
        position
    }

    fn grow(&mut self, list: &mut Followers) {
        match list.first {
            None => {
                list.class = 0;
                list.first = Some(self.run(0));
            }
            // The only run, and not of the last size: a larger one instead.
            Some(small) if list.class < LAST => {
                let class = list.class.saturating_add(1);
                let larger = self.run(class);
                let old = index(small)..index(small).saturating_add(list.len());
                if old.end <= self.arena.len() && index(larger).saturating_add(old.len()) <= self.arena.len() {
                    self.arena.copy_within(old, index(larger));
                }
                self.give_back(list.class, small);
                (list.class, list.first) = (class, Some(larger));
            }
            Some(_) => {
                let next = self.run(LAST);
                // By a quarter, not by doubling.
                if list.more.len() == list.more.capacity() {
                    list.more.reserve_exact((list.more.len() / 4).max(1));
                }
                list.more.push(next);
            }
        }
    }

    /// The beginning of a run that nobody uses.
    fn run(&mut self, class: u8) -> u32 {
        if let Some(start) = self.free.get_mut(usize::from(class)).and_then(Vec::pop) {
            return start;
        }
        let start = self.arena.len();
        self.arena.resize(start.saturating_add(size(class)), Entry::NONE);
        u32::try_from(start).unwrap_or(u32::MAX)
    }

    fn give_back(&mut self, class: u8, start: u32) {
        if let Some(free) = self.free.get_mut(usize::from(class)) {
            free.push(start);
        }
    }

    pub(crate) fn replace(&mut self, list: &Followers, position: u32, entry: Entry) {
        if let Some(old) = list.find(position).and_then(|place| self.arena.get_mut(place)) {
            *old = entry;
        }
    }

    /// Takes an entry out by moving the last one to its position; gives that one, if it is another.
    pub(crate) fn swap_remove(&mut self, list: &mut Followers, position: u32) -> Option<Entry> {
        let last = list.len.checked_sub(1)?;
        let moved = list.find(last).and_then(|place| self.arena.get(place).copied()).filter(|_| position < last);
        list.len = last;
        if let Some(entry) = moved {
            self.replace(list, position, entry);
        }
        // One run more than needed is kept, so that coming and going at its edge costs nothing; none if the list is empty.
        while list.more.len() > list.len().div_ceil(RUN) {
            if let Some(start) = list.more.pop() {
                self.give_back(LAST, start);
            }
        }
        if last == 0
            && let Some(start) = list.first.take()
        {
            self.give_back(list.class, start);
        }
        if list.more.len() < list.more.capacity() / 2 {
            list.more.shrink_to_fit();
        }
        moved
    }

    /// The entries of a list that is one short run; none of one that is longer, or empty.
    #[inline]
    pub(crate) fn few(&self, list: &Followers) -> Option<&[Entry]> {
        let start = index(list.first.filter(|_| list.class < LAST)?);
        self.arena.get(start..start.saturating_add(list.len()))
    }

    /// The entries of a list, run by run.
    pub(crate) fn slices<'a>(&'a self, list: &'a Followers) -> impl Iterator<Item = &'a [Entry]> {
        let mut left = list.len();
        list.runs().map_while(move |start| {
            let count = left.min(RUN);
            left = left.saturating_sub(count);
            let slice = self.arena.get(index(start)..)?.get(..count)?;
            (count > 0).then_some(slice)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_back_is_used_again() {
        let mut pool = Pool::default();
        let mut lists = [Followers::default(), Followers::default()];
        for round in 0..10 {
            let [one, other] = &mut lists;
            let list = if round % 2 == 0 { one } else { other };
            for count in 0..1_000 {
                assert_eq!(pool.push(list, Entry::NONE), count);
                assert_eq!(pool.slices(list).map(<[Entry]>::len).sum::<usize>(), list.len());
            }
            for position in (0..1_000).rev() {
                pool.swap_remove(list, position);
                assert_eq!(pool.slices(list).map(<[Entry]>::len).sum::<usize>(), list.len());
            }
            assert!(list.is_empty() && list.runs().next().is_none());
        }
        assert_eq!(pool.arena.len(), 16 + 64 + 4 * 256);
    }

    #[test]
    fn a_short_run_that_is_given_back_is_not_used_as_a_long_one() {
        let mut pool = Pool::default();
        let [mut short, mut beside, mut long] = [(); 3].map(|()| Followers::default());
        pool.push(&mut short, Entry::NONE);
        pool.push(&mut beside, Entry::NONE);
        pool.swap_remove(&mut short, 0);
        for _ in 0..1_000 {
            pool.push(&mut long, Entry::NONE);
        }
        let beside = pool.slices(&beside).next().unwrap().as_ptr();
        assert!(pool.slices(&long).all(|slice| !slice.as_ptr_range().contains(&beside)));
    }

    #[test]
    fn no_two_lists_share_an_entry() {
        let mut pool = Pool::default();
        let mut lists: Vec<Followers> = (0..40).map(|_| Followers::default()).collect();
        let mut random = 1_u64;
        for _ in 0..400 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let list = &mut lists[usize::try_from(random >> 33).unwrap() % 40];
            let most = if random >> 60 < 4 { 700 } else { 24 };
            let size = u32::try_from(random >> 45).unwrap() % most;
            while list.len < size {
                pool.push(list, Entry::NONE);
            }
            while list.len > size {
                pool.swap_remove(list, list.len / 2);
            }
            let mut taken: Vec<_> =
                lists.iter().flat_map(|list| pool.slices(list)).map(<[Entry]>::as_ptr_range).collect();
            taken.sort_by_key(|range| range.start);
            assert!(taken.windows(2).all(|pair| pair[0].end <= pair[1].start));
            for list in &lists {
                let Some(few) = pool.few(list) else { continue };
                let all: Vec<_> = pool.slices(list).map(<[Entry]>::as_ptr_range).collect();
                assert!(all == [few.as_ptr_range()] || few.is_empty() && all.is_empty());
            }
        }
    }
}
