//! A record of every kind, and every variant of what records say, in the order in which a journal could have them.

use super::machine::{a_plan, books, definition, facts, read, rules};
use evenkeel_domain::allocation::TargetAllocation;
use evenkeel_domain::books::Definition;
use evenkeel_domain::limits::{Checks, Facts, LimitError, Moved};
use evenkeel_domain::order::{
    Attempt, BatchId, ClientOrderId, Direction, Fill, FillCursor, LegNumber, NotSent, OrderFill, RefusalReason,
    Refused, Side, Terms, UnknownCause,
};
use evenkeel_domain::plan::{Skip, SkipReason, Stages};
use evenkeel_domain::policy::{Band, Measure, Policy};
use evenkeel_domain::portfolio::Portfolio;
use evenkeel_domain::record::{
    Cause, Closing, Difference, End, Event, Intent, Movement, Opening, OrderEvent, Outcome, Pause, Record, Residual,
    Resolution, Stage, UnwindCause,
};
use evenkeel_domain::values::{Money, Quantity, Timestamp, Token};
use std::sync::Arc;
use std::time::Duration;

fn at(seconds: u64) -> Timestamp {
    read::<Timestamp>("2026-01-31T14:30:00.123456789Z").plus(Duration::from_secs(seconds))
}

const fn checks() -> Option<Checks> {
    let (order, batch, day) = (Money::CENT, Money::CENT, Money::CENT);
    Some(Checks { oldest_price: Timestamp::EPOCH, order, batch, day, batches: 1, closes_at: None, moved: None })
}

fn batch() -> BatchId {
    BatchId::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef)
}

fn order(leg: usize, direction: Direction, attempt: u8) -> ClientOrderId {
    let (leg, attempt) = (LegNumber::new(leg).unwrap(), Attempt::new(attempt).unwrap());
    ClientOrderId { batch: batch(), leg, direction, attempt }
}

fn forward() -> ClientOrderId {
    order(0, Direction::Forward, 1)
}

fn fill() -> Fill {
    let (quantity, price) = (read("3.040909090"), read("440.01"));
    Fill { id: read("broker/7:f-1"), quantity, price, fee: read("0.35"), at: at(1) }
}

fn order_fill() -> OrderFill {
    OrderFill { order: Some(forward()), symbol: read("META"), side: Side::Sell, fill: fill() }
}

fn refused(reason: RefusalReason) -> Refused {
    Refused { reason, message: "said \"no\"".to_owned() }
}

fn differences() -> Vec<Difference> {
    vec![
        Difference::Cash { books: read("-0.01"), broker: read("1000.00") },
        Difference::Units { symbol: read("BRK.B"), books: Quantity::ZERO, broker: read("0.000000001") },
        Difference::Batch { batch: BatchId::from_u128(7) },
    ]
}

fn definitions() -> Vec<Definition> {
    let band = |width: &str| Band::new(read(width)).unwrap();
    let measures = [
        Measure::Relative { band: band("5") },
        Measure::Absolute { band: band("0.5") },
        Measure::Hybrid { relative: band("25"), absolute: band("5") },
        Measure::Tighter { relative: band("25"), absolute: band("5") },
        Measure::Total { band: band("100") },
    ];
    let policy = |measure| Policy::new(measure, read("1.00"), read("250.00")).unwrap();
    let allocation = || TargetAllocation::new([(read("AAPL"), read("100"))]).unwrap();
    measures.map(|measure| Definition { policy: policy(measure), allocation: allocation(), ..definition() }).to_vec()
}

fn skips() -> Vec<Skip> {
    let reasons = [
        SkipReason::BelowMinimum { amount: read("0.99"), minimum: read("1.00") },
        SkipReason::BelowLot { lot: read("100") },
        SkipReason::Shrunk { amount: read("0.50"), minimum: read("1.00") },
        SkipReason::CostsMoreThanItBrings { amount: read("0.10"), cost: read("1.00") },
        SkipReason::Refused(refused(RefusalReason::NotALot)),
    ];
    reasons.into_iter().map(|reason| Skip { symbol: read("MSFT"), reason }).collect()
}

fn opening(stages: Stages) -> Opening {
    let plan = a_plan();
    Opening {
        batch: batch(),
        token: Token::new(7),
        measure: "relative".to_owned(),
        drift: read("6.4520"),
        legs: plan.legs,
        skipped: skips(),
        stages,
        facts: Facts { closes_at: Some(Timestamp::MAX), ..facts() },
        rules: rules(),
    }
}

fn intents() -> Vec<Intent> {
    let terms = |symbol: &str, side, exit| Terms {
        symbol: read(symbol),
        side,
        quantity: read("3.5"),
        reference: read("440"),
        exit,
    };
    vec![
        Intent { order: forward(), terms: terms("META", Side::Sell, true), send_at: at(0), deadline: at(60) },
        Intent {
            order: order(1, Direction::Reverse, 9),
            terms: terms("AAPL", Side::Sell, false),
            send_at: at(5),
            deadline: at(65),
        },
    ]
}

fn order_events() -> Vec<OrderEvent> {
    let reasons = [
        RefusalReason::BuyingPower,
        RefusalReason::InsufficientQuantity,
        RefusalReason::BelowMinimum,
        RefusalReason::NotALot,
        RefusalReason::NotTradable,
        RefusalReason::MarketClosed { opens_at: at(3_600) },
        RefusalReason::DuplicateIdOtherOrder,
        RefusalReason::OppositeOrderOpen,
        RefusalReason::Other,
    ];
    let not_sent = [
        NotSent::Unreachable,
        NotSent::RateLimited { retry_after: Duration::from_millis(1_500) },
        NotSent::Unauthorized,
    ];
    let causes = [
        UnknownCause::Timeout,
        UnknownCause::Disconnected,
        UnknownCause::Garbled,
        UnknownCause::BrokerError,
        UnknownCause::OwnerLost,
        UnknownCause::Overdue,
        UnknownCause::Panicked,
    ];
    let mut events = vec![OrderEvent::Acknowledged];
    events.extend(reasons.map(|reason| OrderEvent::Refused(refused(reason))));
    events.extend(not_sent.map(OrderEvent::NotSent));
    events.push(OrderEvent::Withdrawn);
    events.extend(causes.map(|cause| OrderEvent::Unknown { cause, quiet_at: at(70) }));
    events.extend([OrderEvent::NotFound, OrderEvent::Resent { deadline: at(60) }, OrderEvent::AssumedNotExecuted]);
    events.extend([OrderEvent::Filled { fill: fill(), booked: read("1338.03") }, OrderEvent::CancelRequested]);
    events.extend([End::Filled, End::Canceled, End::Expired, End::Rejected].map(OrderEvent::Ended));
    events
}

fn unwind_causes() -> Vec<UnwindCause> {
    vec![
        UnwindCause::LegFailed { order: forward(), side: Side::Sell, symbol: read("META"), how: "canceled".to_owned() },
        UnwindCause::Overfilled { order: forward() },
        UnwindCause::Lost { order: forward() },
        UnwindCause::TooOld { age: Duration::from_secs(31) },
        UnwindCause::Aborted { who: "ann".to_owned(), why: "wrong targets".to_owned() },
        UnwindCause::LateFill,
        UnwindCause::Sizing { message: "too much".to_owned() },
    ]
}

fn closings() -> Vec<Closing> {
    let completed = Closing {
        outcome: Outcome::Completed,
        cause: None,
        residual: Vec::new(),
        unresolved: Vec::new(),
        cost: read("-1337.68"),
        fees: read("0.35"),
        pause: None,
        fills_read: Some(FillCursor("page 7".to_owned())),
    };
    let restored = Closing {
        outcome: Outcome::Restored,
        cause: Some(Cause::Unwound(UnwindCause::LateFill)),
        pause: Some(Pause { until: at(900) }),
        ..completed.clone()
    };
    let abandoned = Closing {
        outcome: Outcome::Abandoned,
        cause: Some(Cause::NeverSent { why: "its owner was lost".to_owned() }),
        fills_read: None,
        ..completed.clone()
    };
    let residual = |side| Residual { symbol: read("META"), side, quantity: read("1.5") };
    let stale = |cause| Closing {
        outcome: Outcome::Stale,
        cause: Some(cause),
        residual: vec![residual(Side::Buy), residual(Side::Sell)],
        unresolved: vec![forward()],
        fills_read: None,
        ..completed.clone()
    };
    let causes = [
        Cause::Unknown { orders: 1 },
        Cause::Mismatch { outcome: Outcome::Completed, differences: differences() },
        Cause::JournalLacks { batches: vec![BatchId::from_u128(7)] },
        Cause::Unbookable { order: forward(), why: "too much".to_owned() },
    ];
    [completed.clone(), restored, abandoned].into_iter().chain(causes.map(stale)).collect()
}

/// A portfolio in the midst of things, as a store folds it.
fn folded() -> Portfolio {
    let mut state = Portfolio::new(read("growth"));
    let events = [
        Event::Added { definition: Arc::new(definition()), books: books() },
        Event::CashMoved { movement: read("m-1"), kind: Movement::Deposit, amount: read("250.00") },
        Event::Opened(Arc::new(opening(Stages::Together))),
        Event::Intended { stage: Stage::First, orders: intents(), dropped: skips().split_off(4), checks: checks() },
        Event::Order { order: forward(), event: OrderEvent::Filled { fill: fill(), booked: read("1338.03") } },
        Event::Order { order: forward(), event: OrderEvent::CancelRequested },
        Event::Unwinding { cause: UnwindCause::LateFill },
        Event::Closed(Arc::new(closings().remove(1))),
        Event::Opened(Arc::new(Opening { batch: BatchId::from_u128(7), ..opening(Stages::SellsFirst) })),
    ];
    for event in events {
        evenkeel_domain::apply::apply(&mut state, &Record { at: at(0), event }).unwrap();
    }
    state
}

fn events() -> Vec<Event> {
    let (who, why) = ("ann".to_owned(), "looked at the account".to_owned());
    let mut events = vec![Event::Added { definition: Arc::new(definition()), books: books() }];
    events.extend(definitions().into_iter().map(|definition| Event::Changed { definition: Arc::new(definition) }));
    events.push(Event::CashMoved { movement: read("m-1"), kind: Movement::Deposit, amount: read("250.00") });
    events.push(Event::CashMoved { movement: read("m-2"), kind: Movement::Withdrawal, amount: read("0.01") });
    events.push(Event::Quarantined { differences: differences() });
    events.push(Event::Released);
    events.extend([Stages::Together, Stages::SellsFirst].map(|stages| Event::Opened(Arc::new(opening(stages)))));
    events.push(Event::TakenOver { token: Token::new(8), owner: read("worker-2"), quiet_at: at(70) });
    for stage in [Stage::First, Stage::Second, Stage::UndoBuys, Stage::UndoSells] {
        events.push(Event::Intended { stage, orders: intents(), dropped: skips().split_off(4), checks: checks() });
    }
    events.extend(order_events().into_iter().map(|event| Event::Order { order: forward(), event }));
    events.extend(unwind_causes().into_iter().map(|cause| Event::Unwinding { cause }));
    for outcome in [Outcome::Completed, Outcome::Restored, Outcome::Abandoned, Outcome::Stale] {
        events.push(Event::Settling { outcome });
    }
    events.extend(closings().into_iter().map(|closing| Event::Closed(Arc::new(closing))));
    events.push(Event::LateFill { fill: order_fill(), booked: read("1338.03") });
    events.push(Event::LateFill { fill: OrderFill { order: None, ..order_fill() }, booked: read("1338.03") });
    events.push(Event::Retried { who: who.clone(), why: why.clone(), attempts: 6 });
    for how in [Resolution::Accept, Resolution::Fixed] {
        events.push(Event::Resolved { how, who: who.clone(), why: why.clone(), books: books() });
    }
    // As it was written before fees and slippage were counted.
    let mut uncounted = folded();
    (uncounted.tally.fees, uncounted.tally.slippage) = Default::default();
    events.extend([Event::Folded(Box::new(uncounted)), Event::Removed]);
    events.extend(collared());
    events.push(Event::Folded(Box::new(folded())));
    events
}

/// A batch with a collar: opened, begun with a price that has moved inside of it, and given up for one that has left it.
fn collared() -> [Event; 3] {
    let (symbol, planned, newest, limit) = (read("META"), read("440"), read("451.25"), read("2.5"));
    let mut opening = opening(Stages::Together);
    opening.rules.limits.collar = Some(limit);
    let moved = Some(Moved { symbol, planned, newest });
    let checks = checks().map(|checks| Checks { moved, ..checks });
    let cause = Some(Cause::Limited { limit: LimitError::Collar { symbol, planned, newest, limit } });
    let closing = Closing { outcome: Outcome::Abandoned, cause, ..closings().remove(2) };
    [
        Event::Opened(Arc::new(opening)),
        Event::Intended { stage: Stage::First, orders: intents(), dropped: Vec::new(), checks },
        Event::Closed(Arc::new(closing)),
    ]
}

pub(super) fn samples() -> Vec<Record> {
    let number = |place: usize| u64::try_from(place).unwrap();
    events().into_iter().enumerate().map(|(place, event)| Record { at: at(number(place)), event }).collect()
}
