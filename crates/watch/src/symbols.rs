//! What is known of each symbol: its last price, and who holds or targets it.
//!
//! A symbol has a place for as long as it has a price or a follower; then the place is used again.

mod followers;
mod hash;

use crate::filter::{self, Entry, Step};
use evenkeel_domain::books::Quote;
use evenkeel_domain::values::{Symbol, Timestamp};
pub(crate) use followers::Followers;
use followers::Pool;
use hash::BySymbol;
use std::collections::HashMap;

/// All symbols, by place.
#[derive(Debug, Default)]
pub(crate) struct Symbols {
    places: HashMap<Symbol, u32, BySymbol>,
    /// What a wave needs, packed.
    records: Vec<Record>,
    names: Vec<Symbol>,
    /// The time of each place's entry in the queue of ages.
    queued: Vec<Option<Timestamp>>,
    /// The price as the filter uses it; dense, since a pass reads it for every holding.
    prices: Vec<f32>,
    /// True while a wave that prices the symbol is taken.
    touched: Vec<bool>,
    /// The lists of all followers.
    pool: Pool,
    free: Vec<u32>,
}

/// One symbol.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) quote: Option<Quote>,
    /// True if its price is too old to judge by.
    pub(crate) is_stale: bool,
    /// Everyone who holds or targets it, in no order.
    pub(crate) followers: Followers,
}

impl Record {
    /// The price in billionths; 0 without one.
    pub(crate) fn nanos(&self) -> u64 {
        self.quote.map_or(0, |quote| quote.price.nanos())
    }
}

/// What a quote changed.
pub(crate) struct Quoted {
    /// From the price before, for who is priced already.
    pub(crate) step: Step,
    /// False if a newer one is known, which stays.
    pub(crate) is_news: bool,
    /// True if the symbol had no price, or one too old.
    pub(crate) was_unpriced: bool,
}

impl Symbols {
    #[inline]
    pub(crate) fn place(&self, symbol: Symbol) -> Option<u32> {
        self.places.get(&symbol).copied()
    }

    /// The place of `symbol`, made if there is none.
    #[inline]
    pub(crate) fn place_or_new(&mut self, symbol: Symbol) -> u32 {
        self.place(symbol).unwrap_or_else(|| self.new_place(symbol))
    }

    #[cold]
    fn new_place(&mut self, symbol: Symbol) -> u32 {
        let place = self.free.pop().unwrap_or_else(|| {
            let next = u32::try_from(self.records.len()).unwrap_or(u32::MAX);
            self.prices.push(0.0);
            self.touched.push(false);
            self.names.push(symbol);
            self.queued.push(None);
            self.records.push(Record { quote: None, is_stale: false, followers: Followers::default() });
            next
        });
        if let Some(name) = self.names.get_mut(index(place)) {
            *name = symbol;
        }
        self.places.insert(symbol, place);
        place
    }

    /// The name of the symbol at a place.
    pub(crate) fn name(&self, place: u32) -> Option<Symbol> {
        self.names.get(index(place)).copied()
    }

    /// The time of a place's entry in the queue of ages.
    pub(crate) fn queued(&mut self, place: u32) -> Option<&mut Option<Timestamp>> {
        self.queued.get_mut(index(place))
    }

    pub(crate) fn at(&self, place: u32) -> Option<&Record> {
        self.records.get(index(place))
    }

    pub(crate) fn at_mut(&mut self, place: u32) -> Option<&mut Record> {
        self.records.get_mut(index(place))
    }

    /// The price of each place as the filter uses it; 0 without one.
    pub(crate) fn prices(&self) -> &[f32] {
        &self.prices
    }

    /// Whether the wave that is taken prices the symbol at a place.
    pub(crate) fn is_touched(&self, place: u32) -> bool {
        self.touched.get(index(place)).copied().unwrap_or(false)
    }

    /// Marks a symbol as priced by the wave that is taken, or no longer.
    pub(crate) fn touch(&mut self, place: u32, is_touched: bool) {
        if let Some(touched) = self.touched.get_mut(index(place)) {
            *touched = is_touched;
        }
    }

    /// Quotes the symbol at a place, unless a newer quote is known. Nothing if there is no such place.
    #[inline(always)]
    pub(crate) fn quote(&mut self, place: u32, quote: Quote) -> Option<Quoted> {
        let record = self.records.get_mut(index(place))?;
        let before = record.nanos();
        let is_news = record.quote.is_none_or(|known| known.at <= quote.at);
        let now = if is_news { quote.price.nanos() } else { before };
        let price = filter::price(now);
        let mut was_unpriced = false;
        if is_news {
            was_unpriced = record.quote.is_none() || record.is_stale;
            (record.quote, record.is_stale) = (Some(quote), false);
            *self.prices.get_mut(index(place))? = price;
        }
        Some(Quoted { step: Step::between(before, now, price), is_news, was_unpriced })
    }

    /// Forgets the quote of the symbol at a place. False if it had none that is fresh enough.
    pub(crate) fn unquote(&mut self, place: u32) -> bool {
        let Some(record) = self.records.get_mut(index(place)) else { return false };
        let was_priced = record.quote.take().is_some() && !record.is_stale;
        record.is_stale = false;
        if let Some(price) = self.prices.get_mut(index(place)) {
            *price = 0.0;
        }
        was_priced
    }

    /// Adds a follower; gives its position in the list.
    pub(crate) fn follow(&mut self, place: u32, entry: Entry) -> u32 {
        let record = self.records.get_mut(index(place));
        record.map_or(0, |record| self.pool.push(&mut record.followers, entry))
    }

    pub(crate) fn replace(&mut self, place: u32, position: u32, entry: Entry) {
        if let Some(record) = self.records.get_mut(index(place)) {
            self.pool.replace(&mut record.followers, position, entry);
        }
    }

    /// The follower at a position of the list.
    pub(crate) fn follower(&self, place: u32, position: u32) -> Option<&Entry> {
        self.pool.get(&self.at(place)?.followers, position)
    }

    /// The follower at the end of the list.
    pub(crate) fn last_follower(&self, place: u32) -> Option<&Entry> {
        let followers = &self.at(place)?.followers;
        self.pool.get(followers, followers.last()?)
    }

    /// Takes a follower out. The last one of the list moves to its position: gives its slot, if there is one.
    pub(crate) fn unfollow(&mut self, place: u32, position: u32) -> Option<u32> {
        let record = self.records.get_mut(index(place))?;
        let moved = self.pool.swap_remove(&mut record.followers, position);
        self.drop_if_unused(place);
        moved.map(Entry::slot)
    }

    /// The followers of the symbol at a place, in slices.
    pub(crate) fn followers(&self, place: u32) -> impl Iterator<Item = &[Entry]> {
        self.at(place).into_iter().flat_map(|record| self.pool.slices(&record.followers))
    }

    /// The followers of the symbol at a place, if they are few and stand together.
    #[inline]
    pub(crate) fn few_followers(&self, place: u32) -> Option<&[Entry]> {
        self.pool.few(&self.at(place)?.followers)
    }

    /// Frees the place of a symbol without price and followers.
    pub(crate) fn drop_if_unused(&mut self, place: u32) {
        let is_unused = |record: &&Record| record.quote.is_none() && record.followers.is_empty();
        let (Some(_), Some(name)) = (self.at(place).filter(is_unused), self.name(place)) else { return };
        self.places.remove(&name);
        self.free.push(place);
        if let Some(record) = self.at_mut(place) {
            record.is_stale = false;
        }
    }

    /// Every place that is stale at any time.
    pub(crate) fn stale(&self) -> impl Iterator<Item = (u32, Timestamp)> {
        let numbered = (0_u32..).zip(&self.records);
        numbered.filter(|(_, record)| record.is_stale).filter_map(|(place, record)| Some((place, record.quote?.at)))
    }

    /// How many symbols have a place.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }
}

/// A number of 32 bits as an index.
#[expect(clippy::as_conversions, reason = "widens on every machine that could hold such an index")]
pub(crate) const fn index(place: u32) -> usize {
    place as usize
}
