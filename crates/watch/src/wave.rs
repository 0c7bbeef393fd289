//! A wave of prices: every follower's bounds are moved, and who is not surely inside afterwards is looked at.
//!
//! Either symbol by symbol, along the lists of followers; or, when so much is touched that this would cost more, in one pass over
//! all portfolios, which widens their bounds by what the wave moves at most. Both end in the same [`look`](Watch::look), so the
//! answer is the same. Why both are right is in [the proof](crate::filter).

use crate::ahead::{NEAR, ask_for_entries, ask_for_numbers};
use crate::fault::{Fault, has};
use crate::filter::{Entry, Range, Span, State, Step};
use crate::finding::in_order_of_ids;
use crate::portfolio::Mark;
use crate::symbols::{Quoted, index};
use crate::{Finding, Watch};
use evenkeel_domain::books::Quote;
use evenkeel_domain::values::{Price, Symbol, Timestamp};

/// What each kind of work costs, one in the others' terms. Measured once; a wrong figure costs time and changes no answer.
const ENTRY: f64 = 8.0;
const SLOT: f64 = 2.0;
const LOOK: f64 = 30.0;
const HOLDING: f64 = 10.0;
/// What stays of what is known of passes with every wave that might have been one.
const FADING: f64 = 0.98;
/// A wave that moves no price by more than this, as a share, tells nothing of what others will do.
const STILL: f64 = 1e-7;

/// After how many changes of a wave it is seen each time whether a pass may still pay.
const FEW: usize = 4;

/// Of how many lists all pages are asked for at once, few in tests; and how many runs of a list are asked for ahead: 32 kilobytes, which a processor keeps at
/// hand.
const LISTS: usize = if cfg!(test) { 2 } else { 32 };
const AHEAD: usize = 2;
/// How many followers' numbers are asked for at once, and how many portfolios' holdings.
const FOLLOWERS: usize = 512;
const BLOCK: usize = 64;

/// How a wave is taken.
enum Way {
    /// Symbol by symbol, along its followers.
    Lists,
    /// Portfolio by portfolio, all of them, by what any of them may have moved.
    Pass(Range),
}

/// One price of a wave.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) place: u32,
    quote: Quote,
    /// Billionths of the price before the wave; 0 if there was none.
    before: u64,
}

impl Watch {
    /// Takes the prices of a wave, all of one time, and judges every active portfolio that holds or targets one of its symbols.
    ///
    /// Findings come in the order of ids, for every such portfolio that is out of band or cannot be judged. One with a
    /// symbol that has never had a price is left out. A price that is older than the one known does not replace it.
    pub fn wave(&mut self, at: Timestamp, prices: &[(Symbol, Price)]) -> Vec<Finding> {
        self.apply(at, prices.iter().map(|(symbol, price)| (*symbol, Quote { price: *price, at })))
    }

    /// The same for prices that are of different times, as one wave that is judged at `now`: what is left after prices of several waves were merged.
    pub fn quotes(&mut self, now: Timestamp, quotes: &[(Symbol, Quote)]) -> Vec<Finding> {
        self.apply(now, quotes.iter().copied())
    }

    fn apply(&mut self, now: Timestamp, quotes: impl Iterator<Item = (Symbol, Quote)>) -> Vec<Finding> {
        self.grow_old(now);
        let (mut changes, mut entries) = (std::mem::take(&mut self.changes), 0_usize);
        for (symbol, quote) in quotes {
            let place = self.symbols.place_or_new(symbol);
            let Some(record) = self.symbols.at(place) else { continue };
            entries = entries.wrapping_add(record.followers.len());
            changes.push(Change { place, quote, before: record.nanos() });
        }
        let found = match self.way(&changes, entries) {
            Way::Lists => {
                for some in changes.chunks(LISTS) {
                    self.take_along_lists(some);
                }
                self.grow_old(now);
                self.look_at_suspects(now, |_, _| true)
            }
            Way::Pass(range) => {
                for change in &changes {
                    self.take(change);
                    self.symbols.touch(change.place, true);
                }
                self.grow_old(now);
                let found = self.pass(now, &range);
                for change in &changes {
                    self.symbols.touch(change.place, false);
                }
                found
            }
        };
        changes.clear();
        // Kept for the next wave, but not at the size of a wave that names symbols many times over.
        changes.shrink_to(self.symbols.len());
        self.changes = changes;
        in_order_of_ids(found)
    }

    /// A wave of one price.
    pub fn set_price(&mut self, at: Timestamp, symbol: Symbol, price: Price) -> Vec<Finding> {
        self.wave(at, &[(symbol, price)])
    }

    /// Forgets the price of a symbol that no longer trades. Who still holds or targets it is left out of what is found, and [`judge`](Self::judge) says
    /// nothing of it, until the symbol has a price again: as where one has never had any.
    pub fn forget_price(&mut self, symbol: Symbol) {
        let Some(place) = self.symbols.place(symbol) else { return };
        if self.symbols.unquote(place) {
            self.count_unpriced(place, true);
        }
        self.symbols.drop_if_unused(place);
    }

    /// The cheaper way to take a wave that touches so many entries.
    fn way(&mut self, changes: &[Change], entries: usize) -> Way {
        #[cfg(test)]
        if let Some(passes) = self.passes {
            return if passes { Way::Pass(Range::of(span(changes))) } else { Way::Lists };
        }
        match self.pass_if_cheaper(changes, entries) {
            Some(span) => Way::Pass(Range::of(span)),
            None => Way::Lists,
        }
    }

    /// The span of a wave if a pass would cost less than walking so many entries, going by how many a span so wide left to be looked at
    /// before.
    #[expect(
        clippy::float_arithmetic,
        clippy::as_conversions,
        reason = "an estimate of cost; the answer does not depend on it"
    )]
    fn pass_if_cheaper(&mut self, changes: &[Change], entries: usize) -> Option<Span> {
        let slots = self.slots.len() as f64;
        let (lists, pass) = (entries as f64 * ENTRY, slots * SLOT);
        if lists <= pass {
            return None;
        }
        let holdings = self.holdings as f64;
        let pays = |spill: f64, span: Span| {
            let left = (spill * span.width()).min(1.0);
            lists > pass + left * (slots * LOOK + holdings * HOLDING)
        };
        // Where a pass does not pay, the first changes are mostly wide enough to say so.
        let mut span = Span::NONE;
        let still_pays = |some| {
            span = span.and(self::span(some));
            pays(self.spill, span)
        };
        if changes.chunks(FEW).all(still_pays) {
            // What faded is measured again before it is believed: a pass that leaves many is dear, and to count them is not.
            if self.spill_is_faded && pays(self.spill, span) && span.width() > STILL {
                self.spill = self.left_by(&Range::of(span)).share() / span.width();
            }
            if pays(self.spill, span) {
                return Some(span);
            }
        }
        // What was learned fades, so that after a while it is looked at again.
        self.spill *= FADING;
        self.spill_is_faded = true;
        None
    }

    /// Whom a pass would leave to be looked at, without making one.
    fn left_by(&self, range: &Range) -> Left {
        let mut left = Left::default();
        for (state, mark) in self.states.iter().zip(&self.marks) {
            left.count(*state, *mark, widened(*state, *mark, range));
        }
        left
    }

    /// Sets a price, unless a newer one is known. Gives the step from the price before, for who is priced already.
    #[inline(always)]
    fn take(&mut self, change: &Change) -> Step {
        let Change { place, quote, .. } = *change;
        let Some(Quoted { step, is_news, was_unpriced }) = self.symbols.quote(place, quote) else { return Step::NONE };
        if is_news && self.max_age.is_some() {
            self.queue(place, quote.at);
        }
        if was_unpriced {
            self.count_unpriced(place, false);
        }
        step
    }

    /// Takes some prices, each along its list.
    #[inline(never)]
    fn take_along_lists(&mut self, changes: &[Change]) {
        if self.is_far() {
            self.ask_for_lists(changes);
        }
        for change in changes {
            let step = self.take(change);
            self.walk(change.place, step);
        }
    }

    /// Moves the bounds of every follower, and notes who is not surely inside.
    #[inline(always)]
    fn walk(&mut self, place: u32, step: Step) {
        let is_far = self.states.len() > NEAR;
        match self.symbols.few_followers(place) {
            Some(few) if !is_far => walk(few, &step, &mut self.states, &mut self.suspects),
            _ => self.walk_many(place, &step, is_far),
        }
    }

    /// The same where it pays to ask the memory ahead: for the entries of the runs to come, and for the numbers of the next block of followers.
    #[inline(never)]
    fn walk_many(&mut self, place: u32, step: &Step, is_far: bool) {
        let mut ahead = self.symbols.followers(place);
        ahead.by_ref().take(AHEAD).for_each(ask_for_entries);
        for run in self.symbols.followers(place) {
            if let Some(next) = ahead.next() {
                ask_for_entries(next);
            }
            for some in run.chunks(FOLLOWERS) {
                if is_far {
                    ask_for_numbers(some, &self.states);
                }
                walk(some, step, &mut self.states, &mut self.suspects);
            }
        }
    }

    /// Looks once at everyone noted whom the wave concerns.
    fn look_at_suspects(&mut self, now: Timestamp, is_concerned: impl Fn(&Self, u32) -> bool) -> Vec<Finding> {
        let mut suspects = std::mem::take(&mut self.suspects);
        suspects.retain(|slot| {
            let mark = self.marks.get_mut(index(*slot));
            mark.is_some_and(|mark| !std::mem::replace(&mut mark.is_suspect, true)) || has(Fault::NoDedupe)
        });
        let mut found = Vec::new();
        let is_far = self.is_far();
        if is_far {
            // As they lie in memory, more or less: along lists they came in no order.
            suspects.sort_unstable();
        }
        for slots in suspects.chunks(BLOCK) {
            if is_far {
                self.ask_for_holdings(slots);
            }
            for slot in slots {
                if is_concerned(self, *slot) {
                    found.extend(self.look(*slot, now));
                }
                if let Some(mark) = self.marks.get_mut(index(*slot)) {
                    mark.is_suspect = false;
                }
            }
        }
        suspects.clear();
        // Kept for the next wave, but not at the size of the largest there ever was.
        suspects.shrink_to(self.slots.len() / 64);
        self.suspects = suspects;
        found
    }

    /// Widens all bounds by what the wave does at most, and looks at whoever a touched symbol does not leave surely inside.
    #[expect(clippy::float_arithmetic, reason = "an estimate of cost; the answer does not depend on it")]
    fn pass(&mut self, now: Timestamp, range: &Range) -> Vec<Finding> {
        let mut suspects = std::mem::take(&mut self.suspects);
        #[cfg(test)]
        {
            self.passed = self.passed.wrapping_add(1);
        }
        let mut left = Left::default();
        for (slot, (state, mark)) in (0_u32..).zip(self.states.iter_mut().zip(&self.marks)) {
            let after = widened(*state, *mark, range);
            left.count(*state, *mark, after);
            *state = after.kept();
            if !after.is_inside() && mark.is_somebody {
                suspects.push(slot);
            }
        }
        // Half of what was learned stays: one unusual wave does not change the mind.
        if range.span().width() > STILL && left.of > 0 {
            self.spill = (self.spill + left.share() / range.span().width()) / 2.0;
            self.spill_is_faded = false;
        }
        self.suspects = suspects;
        // Of those, only whom the wave touches: for the others nothing has changed but the bounds.
        self.look_at_suspects(now, |watch, slot| {
            let holdings = watch.slots.get(slot).map(|portfolio| &portfolio.holdings);
            holdings.is_some_and(|holdings| holdings.iter().any(|holding| watch.symbols.is_touched(holding.symbol)))
        })
    }
}

/// How far the prices of a wave go.
fn span(changes: &[Change]) -> Span {
    Span::of(changes.iter().map(|change| (change.before, change.quote.price.nanos())))
}

/// Whom a pass leaves to be looked at, of those that need not be looked at anyhow.
#[derive(Debug, Default)]
struct Left {
    left: usize,
    of: usize,
}

impl Left {
    #[inline]
    fn count(&mut self, before: State, mark: Mark, after: State) {
        let counts = mark.is_somebody && before.is_known();
        self.of = self.of.wrapping_add(usize::from(counts));
        self.left = self.left.wrapping_add(usize::from(counts && !after.is_inside()));
    }

    #[expect(
        clippy::float_arithmetic,
        clippy::as_conversions,
        reason = "an estimate of cost; the answer does not depend on it"
    )]
    fn share(&self) -> f64 {
        self.left as f64 / self.of.max(1) as f64
    }
}

/// What a pass makes of bounds.
#[inline]
fn widened(state: State, mark: Mark, range: &Range) -> State {
    if mark.is_unlevered { state.widened(range, mark.growth) } else { State::LOOK }
}

/// Moves the bounds of followers.
#[inline(always)]
fn walk(entries: &[Entry], step: &Step, states: &mut [State], suspects: &mut Vec<u32>) {
    for entry in entries {
        let (state, by) = match states.get_mut(index(entry.slot_if_least())) {
            Some(state) => (state, step.least),
            None => match states.get_mut(index(entry.slot())) {
                Some(state) => (state, step.by(entry.growth())),
                None => continue,
            },
        };
        let moved = state.moved(*entry, step.price, by);
        *state = moved.kept();
        if !moved.is_inside() {
            suspects.push(entry.slot());
        }
    }
}
