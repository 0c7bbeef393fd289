//! Lists of followers: short ones side by side in one arena, and long ones in long runs of their own.
//!
//! Thousands of lists grow side by side. A short one is a run of 16 or 64 entries of the arena, and is copied to the next size when it is full; what it
//! leaves, another uses. So few pages of memory hold all of them. A longer one has runs of its own, each with room for 128 entries and up to 1,024 as it grows:
//! sixteen kilobytes in a row are read faster than single pages are.

use super::index;
use crate::filter::Entry;

/// For how many entries a run has room, as it grows: the first two in the arena, the others by themselves.
const SIZES: [usize; 6] = [16, 64, LONG, 256, 512, RUN];
const LONG: usize = 128;
const RUN: usize = 1_024;

/// The list of one symbol. Nobody is moved in it but by [`Pool::swap_remove`].
#[derive(Debug, Default)]
pub(crate) struct Followers {
    len: u32,
    /// Where a short list is.
    short: Option<Short>,
    /// The first run of a long one.
    first: Vec<Entry>,
    /// Its other runs, each full before the next is begun.
    more: Vec<Vec<Entry>>,
}

/// A run of the arena.
#[derive(Debug)]
struct Short {
    start: u32,
    /// Which of the [`SIZES`] it has.
    class: u8,
}

impl Followers {
    pub(crate) const fn len(&self) -> usize {
        index(self.len)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many entries fit.
    fn room(&self) -> usize {
        match &self.short {
            Some(short) => SIZES.get(usize::from(short.class)).copied().unwrap_or(0),
            None => {
                let last = self.more.last().unwrap_or(&self.first);
                self.more.len().saturating_mul(RUN).saturating_add(last.capacity().min(RUN))
            }
        }
    }

    /// The last position.
    pub(crate) const fn last(&self) -> Option<u32> {
        self.len.checked_sub(1)
    }

    /// The run of a long list that has a position.
    fn run(&self, position: u32) -> Option<&Vec<Entry>> {
        match (index(position) / RUN).checked_sub(1) {
            None => Some(&self.first),
            Some(run) => self.more.get(run),
        }
    }

    fn run_mut(&mut self, position: u32) -> Option<&mut Vec<Entry>> {
        match (index(position) / RUN).checked_sub(1) {
            None => Some(&mut self.first),
            Some(run) => self.more.get_mut(run),
        }
    }
}

/// The short lists, and the runs that none of them uses, by size.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    arena: Vec<Entry>,
    free: [Vec<u32>; 2],
}

impl Pool {
    /// Adds an entry at the end; gives its position.
    pub(crate) fn push(&mut self, list: &mut Followers, entry: Entry) -> u32 {
        let position = list.len;
        if list.len() == list.room() {
            self.grow(list);
        }
        list.len = list.len.saturating_add(1);
        if list.short.is_some() {
            self.replace(list, position, entry);
        } else if let Some(run) = list.run_mut(position) {
            run.push(entry);
        }
        position
    }

    fn grow(&mut self, list: &mut Followers) {
        if list.len() < RUN {
            return self.resize(list);
        }
        match list.more.last_mut() {
            Some(last) if last.len() < RUN => {
                let size = SIZES.into_iter().find(|size| *size > last.len()).unwrap_or(RUN);
                last.reserve_exact(size.saturating_sub(last.len()));
            }
            _ => {
                // By a quarter, not by doubling.
                if list.more.len() == list.more.capacity() {
                    list.more.reserve_exact((list.more.len() / 4).max(1));
                }
                list.more.push(Vec::with_capacity(LONG));
            }
        }
    }

    /// Moves a list that fits into one run to the smallest that has room for one more.
    fn resize(&mut self, list: &mut Followers) {
        let all: Vec<_> = self.slices(list).flatten().copied().collect();
        self.give_back(list);
        let (class, size) = (0..).zip(SIZES).find(|(_, size)| *size > all.len()).unwrap_or((u8::MAX, RUN));
        if let Some(left) = self.free.get_mut(usize::from(class)).map(Vec::pop) {
            let start = left.unwrap_or_else(|| self.new_run(size));
            let run = self.arena.get_mut(index(start)..).unwrap_or_default();
            run.iter_mut().zip(&all).for_each(|(place, entry)| *place = *entry);
            list.short = Some(Short { start, class });
        } else {
            list.first = Vec::with_capacity(size);
            list.first.extend(all);
        }
    }

    /// The beginning of a run that the arena did not have before.
    fn new_run(&mut self, size: usize) -> u32 {
        let start = self.arena.len();
        self.arena.resize(start.saturating_add(size), Entry::NONE);
        u32::try_from(start).unwrap_or(u32::MAX)
    }

    /// Gives back all runs of a list.
    fn give_back(&mut self, list: &mut Followers) {
        (list.first, list.more) = (Vec::new(), Vec::new());
        if let Some(Short { start, class }) = list.short.take()
            && let Some(free) = self.free.get_mut(usize::from(class))
        {
            free.push(start);
        }
    }

    /// The entry at a position.
    pub(crate) fn get<'a>(&'a self, list: &'a Followers, position: u32) -> Option<&'a Entry> {
        match &list.short {
            Some(short) => self.arena.get(index(short.start).saturating_add(index(position))),
            None => list.run(position)?.get(index(position) % RUN),
        }
    }

    pub(crate) fn replace(&mut self, list: &mut Followers, position: u32, entry: Entry) {
        let old = match &list.short {
            Some(short) => self.arena.get_mut(index(short.start).saturating_add(index(position))),
            None => list.run_mut(position).and_then(|run| run.get_mut(index(position) % RUN)),
        };
        if let Some(old) = old {
            *old = entry;
        }
    }

    /// Takes an entry out by moving the last one to its position; gives that one, if it is another.
    pub(crate) fn swap_remove(&mut self, list: &mut Followers, position: u32) -> Option<Entry> {
        let last = list.last()?;
        let entry = *self.get(list, last)?;
        let moved = (position < last).then_some(entry);
        if let Some(entry) = moved {
            self.replace(list, position, entry);
        }
        list.len = last;
        if let Some(run) = list.run_mut(last) {
            run.pop();
        }
        self.shrink(list);
        moved
    }

    /// Gives back what is much more than the list needs: half of the next smaller size would be enough, so that coming and going at an edge costs nothing.
    fn shrink(&mut self, list: &mut Followers) {
        let (len, room) = (list.len(), list.room());
        if len == 0 {
            self.give_back(list);
        } else if room <= RUN && SIZES.into_iter().rev().find(|size| *size < room).is_some_and(|size| len <= size / 2) {
            self.resize(list);
        } else {
            list.more.truncate(len.saturating_sub(RUN / 2).div_ceil(RUN));
            if list.more.len() < list.more.capacity() / 2 {
                list.more.shrink_to_fit();
            }
        }
    }

    /// The entries of a list that is short; none of one that is longer, or empty.
    #[inline]
    pub(crate) fn few(&self, list: &Followers) -> Option<&[Entry]> {
        let start = index(list.short.as_ref()?.start);
        self.arena.get(start..start.saturating_add(list.len()))
    }

    /// The entries of a list, run by run.
    pub(crate) fn slices<'a>(&'a self, list: &'a Followers) -> impl Iterator<Item = &'a [Entry]> {
        let first = self.few(list).unwrap_or(&list.first);
        std::iter::once(first).chain(list.more.iter().map(Vec::as_slice)).take_while(|run| !run.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::Growth;

    fn entry(slot: u32) -> Entry {
        Entry::new(slot, Growth::LEAST, 0.0, [0.0; 2])
    }

    fn position(place: usize) -> u32 {
        u32::try_from(place).unwrap()
    }

    /// Brings a list to a length, by its end.
    fn set_len(pool: &mut Pool, list: &mut Followers, len: u32) {
        while list.len < len {
            assert_eq!(pool.push(list, Entry::NONE), list.len.wrapping_sub(1));
        }
        while list.len > len {
            assert!(pool.swap_remove(list, list.len.wrapping_sub(1)).is_none());
        }
    }

    #[test]
    fn a_list_has_about_as_much_room_as_it_needs() {
        let (mut pool, mut list) = (Pool::default(), Followers::default());
        let runs = |list: &Followers| match &list.short {
            Some(short) => vec![SIZES[usize::from(short.class)]],
            None => {
                std::iter::once(&list.first).chain(&list.more).map(Vec::capacity).filter(|room| *room > 0).collect()
            }
        };
        let growing = [(0, vec![]), (1, vec![16]), (16, vec![16]), (17, vec![64]), (65, vec![128])];
        let growing = growing.into_iter().chain([
            (129, vec![256]),
            (257, vec![512]),
            (513, vec![1_024]),
            (1_025, vec![1_024, 128]),
            (1_153, vec![1_024, 256]),
        ]);
        // Half of a run, and half of the next smaller size, are room enough for coming and going.
        let shrinking = [(8_705, 10), (8_704, 9), (1_537, 3), (1_536, 2), (513, 2), (512, 1)];
        let shrinking = shrinking.map(|(len, runs)| (len, vec![1_024; runs])).into_iter();
        let shrinking = shrinking.chain([(257, vec![1_024]), (256, vec![512]), (129, vec![512]), (128, vec![256])]);
        let shrinking = shrinking.chain([(65, vec![256]), (64, vec![128]), (33, vec![128]), (32, vec![64])]);
        let shrinking = shrinking.chain([(9, vec![64]), (8, vec![16]), (1, vec![16]), (0, vec![])]);
        for (len, expected) in growing.chain([(10_000, vec![1_024; 10])]).chain(shrinking) {
            set_len(&mut pool, &mut list, len);
            assert_eq!(runs(&list), expected, "{len}");
        }
    }

    #[test]
    fn what_is_given_back_is_used_again() {
        let mut pool = Pool::default();
        let mut lists = [Followers::default(), Followers::default()];
        for round in 0..10 {
            let [one, other] = &mut lists;
            let list = if round % 2 == 0 { one } else { other };
            set_len(&mut pool, list, 1_000);
            set_len(&mut pool, list, 0);
        }
        assert_eq!(pool.arena.len(), 16 + 64);
    }

    #[test]
    fn many_lists_are_what_lists_are() {
        let mut pool = Pool::default();
        let mut lists: Vec<(Followers, Vec<u32>)> = (0..40).map(|_| Default::default()).collect();
        let mut random = 1_u64;
        let mut draw = |limit: usize| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(random >> 33).unwrap() % limit
        };
        for slot in 0..1_000 {
            let most = [24, 24, 100, 700, 3_000][draw(5)];
            let (size, of) = (draw(most), draw(lists.len()));
            let (list, model) = &mut lists[of];
            while model.len() < size {
                assert_eq!(pool.push(list, entry(slot)), position(model.len()));
                model.push(slot);
            }
            while model.len() > size {
                let (place, last) = (draw(model.len()), model.len() - 1);
                model.swap_remove(place);
                let moved = pool.swap_remove(list, position(place)).map(Entry::slot);
                assert_eq!(moved, (place < last).then(|| model[place]), "{place} of {last}");
            }
            if !model.is_empty() {
                let place = draw(model.len());
                pool.replace(list, position(place), entry(slot + 1_000));
                model[place] = slot + 1_000;
            }
            for (list, model) in &lists {
                let slots = |run: &[Entry]| run.iter().map(|entry| entry.slot()).collect::<Vec<_>>();
                assert_eq!(pool.slices(list).flat_map(slots).collect::<Vec<_>>(), *model);
                assert_eq!((list.len(), list.is_empty()), (model.len(), model.is_empty()));
                assert!(pool.few(list).is_none_or(|few| slots(few) == *model));
            }
        }
    }
}
