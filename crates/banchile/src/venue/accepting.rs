//! What an order must satisfy to be accepted, and what is planned for it once it is.

use super::{Event, Venue};
use crate::account::{Account, Blocked, less};
use crate::calibration::{Happening, Leg};
use crate::draws::{Concern, fingerprint};
use crate::faults::{Course, Part, Treatment, share_of};
use crate::orders::{Known, Order, OrderKey};
use crate::profile::{Chance, Profile, Retention};
use evenkeel_domain::order::{
    Attempt, BatchId, BrokerStatus, Capabilities, ClientOrderId, Costs, Direction, Duplicates, LegNumber, OrderRequest,
    RefusalReason, Refused, Side, Terms,
};
use evenkeel_domain::values::{
    AccountId, Lot, Money, Overflow, Percentage, Price, Quantity, Rounding, Symbol, Timestamp,
};
use std::borrow::Cow;
use std::slice;
use std::time::Duration;

/// The documented rules that need no account and no market: a quantity above zero, the lot, the minimum.
pub(crate) fn check(profile: &Profile, terms: &Terms) -> Result<(), Refused> {
    let Terms { symbol, quantity, .. } = *terms;
    if quantity.is_zero() {
        return Err(refused(RefusalReason::BelowMinimum, format!("an order of no units of {symbol}")));
    }
    if terms.exit && terms.side == Side::Sell {
        return Ok(());
    }
    let lot = profile.lot_of(symbol);
    if !quantity.is_multiple_of(lot) {
        return Err(refused(
            RefusalReason::NotALot,
            format!("{quantity} of {symbol} is not a multiple of its lot of {lot}"),
        ));
    }
    let minimum = profile.minimum_order;
    if terms.value() < minimum.to_value() {
        let message = format!("{quantity} of {symbol} at {} is worth less than {minimum}", terms.reference);
        return Err(refused(RefusalReason::BelowMinimum, message));
    }
    Ok(())
}

/// The batches under which orders are kept that somebody else has made: the text "others" and a number. No worker's ids look so.
const BY_OTHERS: u128 = 0x6f74_6865_7273_0000_0000_0000_0000_0000;

/// The most slices that the market's volume divides an order into.
const MOST_SLICES: usize = 200;

/// Why a request that arrived makes no order.
pub(super) enum Declined {
    /// There is one of this id and these terms.
    AlreadyExists,
    Refused(Refused),
}

impl From<Refused> for Declined {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

fn refused(reason: RefusalReason, message: String) -> Refused {
    Refused { reason, message }
}

/// What an open buy reserves: what it is worth at its reference, the collar, and the declared costs. Whoever knows the
/// capabilities can tell it beforehand, to the cent.
fn reservation(declared: &Capabilities, terms: &Terms) -> Result<Money, Overflow> {
    let value = terms.value();
    let collar = Costs { bps: declared.collar_bps, ..Costs::FREE }.of(value)?;
    value.to_money(Rounding::HalfEven)?.add(collar)?.add(declared.costs.of(value)?)
}

impl Venue {
    /// Takes an order that has arrived into the book, or says why not.
    pub(super) fn accept(
        &mut self,
        place: usize,
        request: &OrderRequest,
        treatment: &Treatment,
        at: Timestamp,
    ) -> Result<OrderKey, Declined> {
        let copy = self.identify(place, request)?;
        if let Some((reason, words)) = &treatment.refused {
            let message = || format!("the order for {} was refused", request.terms.symbol);
            return Err(refused(reason.clone(), words.clone().unwrap_or_else(message)).into());
        }
        let (reserved, board) = self.judge(place, &request.terms, at)?;
        let status = match &treatment.course {
            Some(Course::Unmapped(status)) => BrokerStatus::Unmapped(status.clone()),
            _ => BrokerStatus::Working,
        };
        let mut order = Order::new(*request, copy, status, reserved, at);
        let lag = self.lag(place, &order);
        order.visible_at = self.accounts.get_mut(place).map_or(at, |account| account.seen_at(at.plus(lag)));
        order.cancel = treatment.cancel.clone();
        order.by_others = treatment.by_others;
        let key = order.key();
        self.plan(place, order, treatment.course.as_ref(), board, at);
        Ok(key)
    }

    /// An order that somebody else has made for the account: at once, and by no id of ours.
    pub(crate) fn trade_by_others(
        &mut self,
        account: &AccountId,
        symbol: Symbol,
        side: Side,
        quantity: Quantity,
    ) -> Result<(), Refused> {
        let nobody = || refused(RefusalReason::Other, format!("there is no account {account}"));
        let place = self.index.get(account).copied().ok_or_else(nobody)?;
        let reference = self.price(symbol);
        let untraded = || refused(RefusalReason::NotTradable, format!("{symbol} is not traded here"));
        let reference = reference.ok_or_else(untraded)?;
        let owner = self.accounts.get_mut(place).ok_or_else(nobody)?;
        owner.by_others = owner.by_others.saturating_add(1);
        let batch = BatchId::from_u128(BY_OTHERS.saturating_add(owner.by_others));
        let leg = LegNumber::new(0).ok_or_else(nobody)?;
        let id = ClientOrderId { batch, leg, direction: Direction::Forward, attempt: Attempt::FIRST };
        let request = OrderRequest { id, terms: Terms { symbol, side, quantity, reference, exit: false } };
        let treatment = Treatment { by_others: true, ..Treatment::default() };
        let at = self.now;
        match self.accept(place, &request, &treatment, at) {
            Ok(_) => {
                self.advance(at);
                Ok(())
            }
            Err(Declined::Refused(refused)) => Err(refused),
            Err(Declined::AlreadyExists) => Err(nobody()),
        }
    }

    /// The copy that this order would be of its id; or the answer to an id that is taken.
    fn identify(&mut self, place: usize, request: &OrderRequest) -> Result<u16, Declined> {
        let Some(book) = self.accounts.get_mut(place).map(|a| &mut a.book) else { return Ok(0) };
        let same = match book.find(request.id) {
            Known::Nothing => return Ok(0),
            Known::Order(order) => order.request == *request,
            Known::Forgotten(terms) => terms == fingerprint(&request.terms),
        };
        match (self.profile.duplicates, same) {
            (Duplicates::Correlated, _) => Ok(book.next_copy(request.id)),
            (Duplicates::Refused, true) => Err(Declined::AlreadyExists),
            (Duplicates::Refused, false) => {
                let message = format!("{} is taken by an order with other terms", request.id);
                Err(refused(RefusalReason::DuplicateIdOtherOrder, message).into())
            }
        }
    }

    /// Reserves what the order may take, and tells how much cash that is and the board's price; or says why it is refused. The most
    /// general reason comes first.
    fn judge(&mut self, place: usize, terms: &Terms, at: Timestamp) -> Result<(Money, Price), Refused> {
        let symbol = terms.symbol;
        if self.accounts.get(place).is_none_or(|account| account.blocked) {
            return Err(refused(RefusalReason::Other, "the account is blocked".to_owned()));
        }
        if let Some(opens_at) = self.opens_at(at) {
            let reason = RefusalReason::MarketClosed { opens_at };
            return Err(refused(reason, format!("the market is closed until {opens_at}")));
        }
        let Some(board) = self.price(symbol) else {
            return Err(refused(RefusalReason::NotTradable, format!("{symbol} is not traded here")));
        };
        if self.halted.contains(&symbol) {
            return Err(refused(RefusalReason::NotTradable, format!("trading in {symbol} is halted")));
        }
        check(&self.profile, terms)?;
        let Some(account) = self.accounts.get_mut(place) else {
            return Err(refused(RefusalReason::Other, "there is no such account".to_owned()));
        };
        if self.profile.refuse_opposite && has_opposite(account, terms) {
            let message = format!("an order to {} {symbol} is open", terms.side.opposite());
            return Err(refused(RefusalReason::OppositeOrderOpen, message));
        }
        let cash = match terms.side {
            Side::Buy => reservation(&self.capabilities, terms),
            Side::Sell => Ok(Money::ZERO),
        };
        let cash = cash.map_err(|error| refused(RefusalReason::BuyingPower, error.to_string()))?;
        let spendable = account.spendable(at, self.profile.settlement);
        let taken = account.reserve(terms.side, symbol, cash, terms.quantity, spendable);
        taken.map(|()| (cash, board)).map_err(|blocked| unaffordable(account, terms, cash, spendable, &blocked))
    }

    /// Puts the order into the book, and what is going to become of it into the queue, but for what is due at once: that happens.
    fn plan(&mut self, account: usize, mut order: Order, course: Option<&Course>, board: Price, at: Timestamp) {
        let (key, whole) = (order.key(), order.request.terms.quantity);
        let lot = self.profile.lot_of(order.symbol());
        let part = |part: &Part| Cow::from(vec![part.of(whole, lot)]);
        let (parts, delay, ending) = match course {
            None => (self.parts(account, key, &whole, lot), Duration::ZERO, None),
            Some(Course::Late(delay)) => (self.parts(account, key, &whole, lot), *delay, None),
            Some(Course::Parts(parts)) => (even_parts(whole, *parts, lot).into(), Duration::ZERO, None),
            Some(Course::InTwo(_)) => (even_parts(whole, 2, lot).into(), Duration::ZERO, None),
            Some(Course::Rejected) => (Cow::default(), Duration::ZERO, Some(BrokerStatus::Rejected)),
            Some(Course::PartThenEnded(units, status)) => (part(units), Duration::ZERO, Some(status.clone())),
            Some(Course::PartThenWorking(units)) => (part(units), Duration::ZERO, None),
            Some(Course::LateAfterCancel(delay)) => {
                order.cancel.late_fill = Some(*delay);
                (Cow::default(), Duration::ZERO, None)
            }
            Some(Course::Unmapped(_)) => (Cow::default(), Duration::ZERO, None),
        };
        let (parts, is_sliced) = self.sliced(parts, lot);
        let executions = parts.iter().filter(|units| !units.is_zero());
        let events = executions.map(|quantity| Event::Execution { account, key, quantity: *quantity });
        let events = events.chain(ending.map(|status| Event::End { account, key, status }));
        let apart = match course {
            Some(Course::InTwo(apart)) => *apart,
            _ => Duration::ZERO,
        };
        // What is due at once needs no queue, unless something waits there that is due before it. The order is nobody else's yet.
        let is_first = self.next_event().is_none_or(|next| next > at);
        let mut due = at.plus(delay);
        for (step, event) in (u32::from(key.copy) << 8..).zip(events) {
            due = match self.profile.liquidity {
                Some(liquidity) if step & 0xff > 0 && is_sliced => due.plus(liquidity.interval),
                _ if step & 0xff > 0 => due.plus(apart),
                _ => due,
            };
            let leg = (Leg::AtVenue, Concern::EXECUTION);
            due = due.plus(self.takes(leg, account, key.id, step, self.profile.at_venue));
            if let Event::Execution { quantity, .. } = &event
                && is_first
                && due <= at
            {
                self.execute_order(account, &mut order, *quantity, Some(board), due);
            } else {
                self.schedule(due, event);
            }
        }
        if let Some(closes_at) = self.closes_at(at) {
            self.schedule(closes_at, Event::End { account, key, status: BrokerStatus::Expired });
        }
        if let Some(account) = self.accounts.get_mut(account) {
            let is_ours = !order.by_others;
            account.book.put(order);
            if is_ours && self.profile.retention == Retention::OrderIds {
                account.forget_all_but(key.id.batch);
            }
        }
    }

    /// The parts, none larger than what the market takes at once; true if one had to be divided.
    fn sliced<'a>(&self, parts: Cow<'a, [Quantity]>, lot: Lot) -> (Cow<'a, [Quantity]>, bool) {
        let Some(slice) = self.profile.liquidity.map(|liquidity| liquidity.slice(lot)) else { return (parts, false) };
        if parts.iter().all(|part| *part <= slice) {
            return (parts, false);
        }
        let mut slices = Vec::new();
        for mut rest in parts.iter().copied() {
            // Beyond so many slices the rest goes at once: the queue is no place for a thousand years of an order.
            while rest > slice && slices.len() < MOST_SLICES {
                rest = less(rest, slice);
                slices.push(slice);
            }
            slices.push(rest);
        }
        (slices.into(), true)
    }

    /// The quantities in which an order is executed: all at once, or two or three parts in whole lots.
    fn parts<'a>(&mut self, account: usize, key: OrderKey, whole: &'a Quantity, lot: Lot) -> Cow<'a, [Quantity]> {
        if self.profile.partial_fills == Chance::NEVER {
            return slice::from_ref(whole).into();
        }
        let mut draw = self.draws.of(Concern::PARTS, self.key_of(account, key.id), u32::from(key.copy));
        let happens = draw.happens(self.profile.partial_fills);
        self.tally.chance(Happening::PartialFill, happens);
        if !happens {
            return slice::from_ref(whole).into();
        }
        let mut parts = Vec::new();
        let mut rest = *whole;
        for _ in 0..draw.below(2).saturating_add(1) {
            // Between a tenth and seven tenths of what is left.
            let share = i64::try_from(draw.below(600_000).saturating_add(100_000)).unwrap_or(0);
            let part = share_of(rest, Percentage::from_units(share).unwrap_or_default()).floor_to(lot);
            rest = less(rest, part);
            parts.push(part);
        }
        parts.push(rest);
        parts.into()
    }
}

/// So many parts of one size in whole lots, the rest with the last.
fn even_parts(whole: Quantity, count: u32, lot: Lot) -> Vec<Quantity> {
    let nanos = whole.nanos().checked_div(u128::from(count)).unwrap_or(0);
    let part = Quantity::from_nanos(nanos).unwrap_or_default().floor_to(lot);
    let mut parts = Vec::new();
    let mut rest = whole;
    for _ in 1..count {
        rest = less(rest, part);
        parts.push(part);
    }
    parts.push(rest);
    parts
}

fn has_opposite(account: &Account, terms: &Terms) -> bool {
    let opposite = |order: &Order| order.symbol() == terms.symbol && order.side() == terms.side.opposite();
    account.book.iter().any(|order| order.is_open() && opposite(order))
}

fn unaffordable(account: &Account, terms: &Terms, cash: Money, spendable: Money, blocked: &Blocked) -> Refused {
    let Terms { symbol, quantity, .. } = *terms;
    match blocked {
        Blocked::Cash => {
            let message = format!("{quantity} of {symbol} may cost {cash}, more than the {spendable} that are free");
            refused(RefusalReason::BuyingPower, message)
        }
        Blocked::Units => {
            let free = account.holding(symbol).available();
            refused(
                RefusalReason::InsufficientQuantity,
                format!("{free} of {symbol} are free to be sold, less than {quantity}"),
            )
        }
        Blocked::Range => refused(RefusalReason::Other, format!("{quantity} of {symbol} are more than can be counted")),
    }
}
