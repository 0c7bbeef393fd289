//! What must be true after every step, whatever the step was. The numbers are those of the reliability notes.
//!
//! Nothing here asks the machine why: legal edges, the way back and the accounts are written down a second time.

use super::{short, story};
use crate::apply::{apply, replay};
use crate::batch::{Batch, Order, OrderState, Phase};
use crate::books::Books;
use crate::decide::Hold;
use crate::due::due;
use crate::order::{ClientOrderId, Direction, Fill, Side, Terms, booked_amount};
use crate::portfolio::{Portfolio, Standing};
use crate::record::{Cause, Closing, Event, Intent, Movement, OrderEvent, Outcome, Record, Stage};
use crate::report::BatchReport;
use crate::values::{FillId, Money, Quantity, Symbol, Timestamp, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Applies `records`: every one is a legal edge (I5), and the state they lead to is sound.
pub(crate) fn check_records(state: &mut Portfolio, records: &[Record]) {
    for record in records {
        check_edge(state, record);
        apply(state, record).unwrap();
    }
    assert_eq!(state.batch.is_some(), state.standing == Standing::Rebalancing);
    for (id, order) in state.batch.iter().flat_map(|batch| batch.orders.iter()) {
        check_order(id, order);
    }
}

fn check_order(id: ClientOrderId, order: &Order) {
    let what = || format!("{}: {order:?}", short(id));
    assert_eq!(order.filled.is_zero(), order.fills.is_empty(), "{}", what());
    assert_eq!(
        Ok(order.booked),
        booked_amount(Value::ZERO, order.value),
        "many fills cost no more than one: {}",
        what()
    );
    assert!(order.state != OrderState::Filled || order.filled >= order.terms.quantity, "{}", what());
    assert!(order.state != OrderState::Partial || !order.filled.is_zero(), "{}", what());
    assert!(order.unknown_since.is_none() || order.state.is_unseen(), "seen, and unknown since: {}", what());
    assert!(!order.state.is_unknown() || order.unknown_since.is_some(), "unknown since never: {}", what());
}

/// In an open batch something is due, or a time to wake at; asking again gives the same. A planned one waits for its owner, and so
/// does one whose next stage is held back.
pub(crate) fn check_due(state: &Portfolio, now: Timestamp, hold: Hold) {
    let effects = due(state, now);
    assert_eq!(effects, due(&state.clone(), now));
    match &state.batch {
        None => assert!(effects.is_empty(), "{effects:?}"),
        Some(batch) if batch.phase == Phase::Planned || hold != Hold::Nothing => {}
        Some(_) => assert!(!effects.is_empty(), "a dead end: {}", story::state(state)),
    }
}

fn check_edge(state: &Portfolio, record: &Record) {
    let what = || format!("{} in {}", story::records(std::slice::from_ref(record)), story::state(state));
    let Some(batch) = &state.batch else {
        let needs_a_batch = matches!(
            record.event,
            Event::TakenOver { .. }
                | Event::Intended { .. }
                | Event::Order { .. }
                | Event::Unwinding { .. }
                | Event::Settling { .. }
                | Event::Closed(_)
        );
        assert!(!needs_a_batch, "{}", what());
        return;
    };
    let legal = match &record.event {
        Event::Order { order, event } => batch.orders.get(*order).is_some_and(|known| is_legal(known, event)),
        Event::Intended { stage, orders, .. } => {
            orders.iter().for_each(|intent| check_intent(batch, *stage, intent, record.at));
            match stage {
                Stage::First => matches!(batch.phase, Phase::Planned | Phase::Forward(Stage::First)),
                Stage::Second => matches!(batch.phase, Phase::Forward(_)),
                Stage::UndoBuys | Stage::UndoSells => matches!(batch.phase, Phase::Unwinding | Phase::Compensating(_)),
            }
        }
        Event::Unwinding { .. } => matches!(batch.phase, Phase::Forward(_) | Phase::Settling { .. }),
        Event::Settling { outcome: Outcome::Completed } => matches!(batch.phase, Phase::Forward(_)),
        Event::Settling { outcome } => {
            *outcome == Outcome::Restored && matches!(batch.phase, Phase::Unwinding | Phase::Compensating(_))
        }
        Event::Closed(closing) => {
            check_closing(batch, &state.books, closing);
            match (closing.outcome, batch.phase) {
                (Outcome::Abandoned, phase) => matches!(phase, Phase::Planned | Phase::Forward(Stage::First)),
                (Outcome::Stale, phase) => phase != Phase::Planned,
                (outcome, Phase::Settling { outcome: settling, .. }) => outcome == settling,
                _ => false,
            }
        }
        Event::TakenOver { .. } | Event::LateFill { .. } => true,
        Event::Added { .. }
        | Event::Changed { .. }
        | Event::Removed
        | Event::CashMoved { .. }
        | Event::Quarantined { .. }
        | Event::Released
        | Event::Resolved { .. }
        | Event::Retried { .. }
        | Event::Opened(_)
        | Event::Folded(_) => false,
    };
    assert!(legal, "{}", what());
}

/// The edges of table A.
fn is_legal(order: &Order, event: &OrderEvent) -> bool {
    use OrderState as S;
    let state = order.state;
    match event {
        OrderEvent::Acknowledged => state == S::Intent || state.is_unknown() || state == S::AssumedNotExecuted,
        OrderEvent::Refused(_) => state == S::Intent || state.is_unknown(),
        OrderEvent::NotSent(_) | OrderEvent::Withdrawn => state == S::Intent && order.unknown_since.is_none(),
        OrderEvent::Unknown { .. } => state == S::Intent,
        OrderEvent::NotFound => matches!(state, S::UnknownInFlight { .. }),
        OrderEvent::Resent { .. } | OrderEvent::AssumedNotExecuted => state == S::UnknownQuiet,
        OrderEvent::CancelRequested => state.is_open(),
        OrderEvent::Ended(_) => state.is_open() || matches!(state, S::CancelRequested { .. }),
        // Any order may be filled late, but no fill twice.
        OrderEvent::Filled { fill, .. } => !order.fills.contains(&fill.id),
    }
}

fn check_intent(batch: &Batch, stage: Stage, intent: &Intent, at: Timestamp) {
    let Intent { order: id, terms, send_at, deadline } = intent;
    let what = || format!("{} in {batch:#?}", short(*id));
    let leg = batch.opening.legs.iter().find(|leg| leg.number == id.leg).unwrap();
    let attempts = batch.attempts_of(id.leg, id.direction).collect::<Vec<_>>();
    let rules = batch.rules();
    assert_eq!(usize::from(id.attempt.get()), attempts.len() + 1, "{}", what());
    assert!(attempts.iter().all(|(_, order)| order.state.is_terminal()), "two attempts at once: {}", what());
    assert_eq!(*deadline, send_at.plus(rules.order_deadline), "{}", what());
    assert_eq!((terms.symbol, terms.reference), (leg.terms.symbol, leg.terms.reference), "{}", what());
    assert!(!terms.quantity.is_zero(), "{}", what());
    let mut earliest = at;
    if let Some((_, failed)) = attempts.last() {
        earliest = at.plus(rules.delay).max(failed.not_before.unwrap_or(at));
    }
    assert_eq!(*send_at, earliest, "{}", what());
    match id.direction {
        Direction::Forward => {
            assert!(attempts.iter().all(|(_, order)| order.state == OrderState::NotSent), "{}", what());
            assert!(id.attempt.get() <= rules.attempts, "{}", what());
            assert!(terms.side == leg.terms.side && terms.quantity <= leg.terms.quantity, "{}", what());
        }
        Direction::Reverse => {
            let mut forward = batch.orders.iter().filter(|(id, _)| id.direction == Direction::Forward);
            assert!(forward.all(|(_, order)| order.state.is_terminal()), "compensated on a guess: {}", what());
            assert!(id.attempt.get() <= batch.attempts, "{}", what());
            assert_eq!(Ok(terms.quantity), batch.unrestored(id.leg), "{}", what());
            assert_eq!(terms.side, leg.terms.side.opposite(), "{}", what());
            assert_eq!(stage, if terms.side == Side::Sell { Stage::UndoBuys } else { Stage::UndoSells }, "{}", what());
        }
    }
}

/// What a closing says is so (I9 to I11).
fn check_closing(batch: &Batch, books: &Books, closing: &Closing) {
    let what = || format!("{closing:#?} of {batch:#?}");
    let off = off_by(batch);
    if closing.outcome == Outcome::Stale {
        let residual = closing.residual.iter().map(|r| (r.symbol, (r.side, r.quantity))).collect::<BTreeMap<_, _>>();
        let completed = matches!(closing.cause, Some(Cause::Mismatch { outcome: Outcome::Completed, .. }));
        assert_eq!(residual, if completed { BTreeMap::new() } else { off.clone() }, "{}", what());
        let open = batch.orders.iter().filter(|(_, order)| !order.state.is_terminal()).map(|(id, _)| id);
        assert_eq!(closing.unresolved, open.collect::<Vec<_>>(), "{}", what());
        assert!(closing.cause.is_some(), "{}", what());
    } else {
        assert!(batch.orders.values().all(|order| order.state.is_terminal()), "{}", what());
        assert!(closing.residual.is_empty() && closing.unresolved.is_empty(), "{}", what());
    }
    match closing.outcome {
        Outcome::Completed => {
            for leg in
                batch.opening.legs.iter().filter(|leg| batch.dropped.iter().all(|skip| skip.symbol != leg.terms.symbol))
            {
                let (_, last) = batch.last_attempt(leg.number, Direction::Forward).unwrap();
                assert!(last.state == OrderState::Filled && last.filled == last.terms.quantity, "{}", what());
            }
        }
        Outcome::Restored => assert_eq!(off, BTreeMap::new(), "{}", what()),
        Outcome::Abandoned => {
            assert!(batch.orders.values().all(|order| order.state == OrderState::NotSent), "{}", what());
            assert_eq!(*books, batch.before, "{}", what());
        }
        Outcome::Stale => {}
    }
    if closing.outcome == Outcome::Restored {
        let closed = Batch { closing: Some(closing.clone()), ..batch.clone() };
        let report = BatchReport::of(&closed).unwrap().unwrap();
        let legs = report.trades.iter().chain(&report.reversals);
        let costs = legs.flat_map(|trade| [trade.slippage, trade.fees]);
        assert_eq!(Money::sum(costs), Ok(closing.cost), "what the legs have cost is what it has cost: {}", what());
    }
    assert_eq!(closing.pause.is_some(), closing.outcome == Outcome::Restored, "{}", what());
    let cash = batch.orders.values().map(|order| match order.terms.side {
        Side::Buy => order.booked.add(order.fees).unwrap(),
        Side::Sell => order.fees.sub(order.booked).unwrap(),
    });
    assert_eq!(Ok(closing.cost), Money::sum(cash), "{}", what());
}

/// Units that the batch traded and did not take back, per symbol.
fn off_by(batch: &Batch) -> BTreeMap<Symbol, (Side, Quantity)> {
    let of = |symbol, side| {
        let orders = batch.orders.values().filter(|order| order.terms.symbol == symbol && order.terms.side == side);
        orders.fold(Quantity::ZERO, |sum, order| sum.add(order.filled).unwrap())
    };
    let symbols: BTreeSet<Symbol> = batch.orders.values().map(|order| order.terms.symbol).collect();
    let off = symbols.into_iter().filter_map(|symbol| {
        let (bought, sold) = (of(symbol, Side::Buy), of(symbol, Side::Sell));
        let missing = sold.sub(bought).ok().filter(|missing| !missing.is_zero());
        let over = bought.sub(sold).ok().filter(|over| !over.is_zero());
        Some((symbol, over.map(|q| (Side::Buy, q)).or(missing.map(|q| (Side::Sell, q)))?))
    });
    off.collect()
}

/// The books are what the journal's movements and fills add up to (I6 to I8), and the journal gives the state again (I19).
pub(crate) fn check_books(journal: &[Record], state: &Portfolio) {
    let empty = Portfolio::new(state.id.clone());
    assert_eq!(replay(empty, journal).as_ref(), Ok(state), "the journal does not give the state");
    let mut accounts = Accounts::default();
    journal.iter().for_each(|record| accounts.enter(&record.event));
    assert_eq!(accounts.books, state.books);
    for (id, order) in state.batch.iter().flat_map(|batch| batch.orders.iter()) {
        let fills = accounts.fills.get(&id).cloned().unwrap_or_default();
        let units = fills.values().fold(Quantity::ZERO, |sum, fill| sum.add(fill.quantity).unwrap());
        assert_eq!((order.filled, &order.fills), (units, &fills.keys().cloned().collect()), "{}", short(id));
        assert_eq!(order.value, Value::sum(fills.values().map(Fill::value)).unwrap(), "{}", short(id));
        assert_eq!(order.fees, Money::sum(fills.values().map(|fill| fill.fee)).unwrap(), "{}", short(id));
    }
}

/// The books a second time, by another way: whole orders, never single cents of fills.
#[derive(Default)]
struct Accounts {
    books: Books,
    terms: BTreeMap<ClientOrderId, Terms>,
    fills: BTreeMap<ClientOrderId, BTreeMap<FillId, Fill>>,
}

impl Accounts {
    fn enter(&mut self, event: &Event) {
        match event {
            Event::Added { books, .. } | Event::Resolved { books, .. } => self.books = books.clone(),
            Event::CashMoved { kind, amount, .. } => {
                let moved = if *kind == Movement::Deposit { *amount } else { amount.negate() };
                self.books.cash = self.books.cash.add(moved).unwrap();
            }
            Event::Intended { orders, .. } => {
                self.terms.extend(orders.iter().map(|intent| (intent.order, intent.terms)))
            }
            Event::Order { order, event: OrderEvent::Filled { fill, .. } } => self.fill(*order, fill),
            Event::LateFill { fill, .. } => self.fill(fill.order.unwrap(), &fill.fill),
            Event::Order { .. }
            | Event::Changed { .. }
            | Event::Removed
            | Event::Quarantined { .. }
            | Event::Released
            | Event::Retried { .. }
            | Event::Opened(_)
            | Event::TakenOver { .. }
            | Event::Unwinding { .. }
            | Event::Settling { .. }
            | Event::Closed(_)
            | Event::Folded(_) => {}
        }
    }

    fn fill(&mut self, id: ClientOrderId, fill: &Fill) {
        let terms = self.terms.get(&id).unwrap();
        let known = self.fills.entry(id).or_default();
        let before = Value::sum(known.values().map(Fill::value)).unwrap();
        assert!(known.insert(fill.id.clone(), fill.clone()).is_none(), "{} was booked twice", fill.id);
        let amount = booked_amount(before, before.add(fill.value()).unwrap()).unwrap();
        let books = &mut self.books;
        let (moved, cash) = match terms.side {
            Side::Buy => (books.add_units(terms.symbol, fill.quantity), books.cash.sub(amount)),
            Side::Sell => (books.remove_units(terms.symbol, fill.quantity), books.cash.add(amount)),
        };
        moved.unwrap();
        books.cash = cash.unwrap().sub(fill.fee).unwrap();
    }
}
