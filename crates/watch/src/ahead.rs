//! Asking the memory ahead: what is about to be needed is read before, much of it at once, so that the memory looks for all of it together and not for one after
//! the other. What is read here is thrown away, and no answer depends on it.

use crate::Watch;
use crate::filter::{Entry, State};
use crate::portfolio::{Holding, Row};
use crate::symbols::index;
use crate::wave::Change;
use std::hint::black_box;

/// So many portfolios' numbers, or so many holdings, are about what a processor keeps near it: two megabytes. For fewer, asking ahead is only work. Few in
/// tests, which come to both sides.
pub(crate) const NEAR: usize = if cfg!(test) { 8 } else { 1 << 17 };

/// How many entries share a line of the cache, and how many a page of memory.
const LINE: usize = 4;
const PAGE: usize = 256;
/// How many holdings share a line of the cache.
const HOLDINGS: usize = 3;
/// For how many rows of a portfolio the ends of lists are asked for at once.
const ROWS: usize = 64;

impl Watch {
    /// True if it pays to ask for entries and holdings.
    pub(crate) const fn is_far(&self) -> bool {
        self.holdings > NEAR
    }

    /// Asks for all pages of the lists of some symbols. Otherwise each list would begin with waiting, for as long as a hundred of its entries take.
    #[inline(never)]
    pub(crate) fn ask_for_lists(&self, changes: &[Change]) {
        let runs = changes.iter().flat_map(|change| self.symbols.followers(change.place));
        let entries = runs.flat_map(|run| run.iter().step_by(PAGE));
        black_box(entries.fold(0, |all, entry| all ^ entry.slot()));
    }

    /// Asks for what is about to be written when a portfolio is set to these rows: its entries, or if it has none yet, the ends of the lists.
    #[inline(never)]
    pub(crate) fn ask_for_places(&self, before: &[Holding], rows: &[Row]) {
        let entries = before.iter().filter_map(|holding| self.symbols.follower(holding.symbol, holding.position));
        black_box(entries.fold(0, |all, entry| all ^ entry.slot()));
        if !before.is_empty() {
            return;
        }
        // Step by step, since each needs what the one before has found: places, lists, ends.
        for some in rows.chunks(ROWS) {
            let mut places = [None; ROWS];
            for (row, place) in some.iter().zip(&mut places) {
                *place = self.symbols.place(row.symbol);
            }
            let records = || places.iter().flatten().filter_map(|place| self.symbols.at(*place));
            black_box(records().fold(0, |all, record| all ^ record.followers.len()));
            let ends = places.iter().flatten().filter_map(|place| self.symbols.last_follower(*place));
            black_box(ends.fold(0, |all, entry| all ^ entry.slot()));
        }
    }

    /// Asks for every portfolio of a block, and then for its id and every line of its holdings.
    pub(crate) fn ask_for_holdings(&self, slots: &[u32]) {
        let portfolios = || slots.iter().filter_map(|slot| self.slots.get(*slot));
        black_box(portfolios().fold(0, |all, portfolio| all ^ portfolio.unpriced));
        let ids = portfolios().filter_map(|portfolio| portfolio.id.as_str().as_bytes().first());
        black_box(ids.fold(0, |all, byte| all ^ byte));
        let lines = portfolios().flat_map(|portfolio| portfolio.holdings.iter().step_by(HOLDINGS));
        black_box(lines.fold(0, |all, holding| all ^ holding.position));
    }
}

/// Asks for every line of a run.
pub(crate) fn ask_for_entries(entries: &[Entry]) {
    black_box(entries.iter().step_by(LINE).fold(0, |all, entry| all ^ entry.slot()));
}

/// Asks for the numbers of a block of followers.
pub(crate) fn ask_for_numbers(entries: &[Entry], states: &[State]) {
    let read = entries.iter().filter_map(|entry| states.get(index(entry.slot())));
    black_box(read.fold(0, |all, state| all ^ state.bits()));
}
