//! Records that nobody would write, states that nobody would reach, and inputs that nobody would give: all a damaged journal, a
//! faulty adapter or a mistaken caller could come up with. Ids come from small pools, so that they meet.

use super::setups::setups;
use super::{OPENED, definition};
use crate::apply::apply;
use crate::books::Books;
use crate::decide::Report;
use crate::limits::Limits;
use crate::order::{
    Attempt, BatchId, BrokerStatus, CancelAnswer, ClientOrderId, Costs, Direction, Fill, FillCursor, LegNumber, Lookup,
    NotSent, OrderFill, OrderView, RefusalReason, Refused, Side, SubmitAnswer, Terms, UnknownCause,
};
use crate::plan::{Leg, Skip, SkipReason, Stages};
use crate::portfolio::Portfolio;
use crate::record::{
    Cause, Closing, Difference, End, Event, Intent, Movement, Opening, OrderEvent, Outcome, Pause, PauseRule, Record,
    Residual, Resolution, Rules, Stage, UnwindCause,
};
use crate::testing::read;
use crate::testing::strategies::{any_money, any_prices, any_quantities};
use crate::values::{Lot, Sequence, StoreId, Symbol, Timestamp, Token};
use proptest::prelude::*;
use proptest::sample::select;
use std::sync::Arc;
use std::time::Duration;

fn of<T: Clone + std::fmt::Debug + 'static>(all: &[T]) -> impl Strategy<Value = T> + use<T> {
    select(all.to_vec())
}

pub(crate) fn times() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        3 => (-200_000_000_000_i64..=200_000_000_000).prop_map(|nanos| Timestamp::from_nanos(OPENED.nanos() + nanos)),
        1 => of(&[Timestamp::MIN, Timestamp::MAX, Timestamp::EPOCH, OPENED]),
    ]
}

fn durations() -> impl Strategy<Value = Duration> {
    of(&[Duration::ZERO, Duration::from_nanos(1), Duration::from_secs(1), Duration::from_secs(100), Duration::MAX])
}

fn symbols() -> impl Strategy<Value = Symbol> {
    of(&["A", "B", "C"]).prop_map(read)
}

fn sides() -> impl Strategy<Value = Side> {
    of(&[Side::Buy, Side::Sell])
}

/// The batch that a machine opens first, or another.
fn batches() -> impl Strategy<Value = BatchId> {
    let first = BatchId::new(StoreId::new(1), &read("growth"), Sequence::new(2));
    prop_oneof![4 => Just(first), 1 => Just(BatchId::from_u128(7))]
}

fn leg_numbers() -> impl Strategy<Value = LegNumber> {
    (0..3_usize).prop_map(|place| LegNumber::new(place).unwrap())
}

pub(crate) fn orders() -> impl Strategy<Value = ClientOrderId> {
    let attempt = prop_oneof![3 => 1..=2_u8, 1 => 9..=9_u8];
    let direction = of(&[Direction::Forward, Direction::Reverse]);
    (batches(), leg_numbers(), direction, attempt).prop_map(|(batch, leg, direction, attempt)| ClientOrderId {
        batch,
        leg,
        direction,
        attempt: Attempt::new(attempt).unwrap(),
    })
}

fn terms() -> BoxedStrategy<Terms> {
    (symbols(), sides(), any_quantities(), any_prices(), any::<bool>())
        .prop_map(|(symbol, side, quantity, reference, exit)| Terms { symbol, side, quantity, reference, exit })
        .boxed()
}

fn fills() -> BoxedStrategy<Fill> {
    let quantity = prop_oneof![2 => of(&["1", "2", "0.5"]).prop_map(read), 1 => any_quantities()];
    (of(&["a", "b", "c"]), quantity, any_prices(), any_money(), times())
        .prop_map(|(id, quantity, price, fee, at)| Fill { id: read(id), quantity, price, fee, at })
        .boxed()
}

fn order_fills() -> impl Strategy<Value = OrderFill> {
    (prop::option::weighted(0.9, orders()), symbols(), sides(), fills())
        .prop_map(|(order, symbol, side, fill)| OrderFill { order, symbol, side, fill })
}

fn refusals() -> impl Strategy<Value = Refused> {
    let reason =
        prop_oneof![Just(RefusalReason::Other), times().prop_map(|opens_at| RefusalReason::MarketClosed { opens_at })];
    reason.prop_map(|reason| Refused { reason, message: "no".to_owned() })
}

fn not_sent() -> impl Strategy<Value = NotSent> {
    prop_oneof![Just(NotSent::Unreachable), durations().prop_map(|retry_after| NotSent::RateLimited { retry_after })]
}

fn views() -> BoxedStrategy<OrderView> {
    let status = of(&[
        BrokerStatus::Working,
        BrokerStatus::Filled,
        BrokerStatus::Canceled,
        BrokerStatus::Expired,
        BrokerStatus::Rejected,
        BrokerStatus::Unmapped("odd".to_owned()),
    ]);
    let filled = prop_oneof![of(&["0", "1", "2"]).prop_map(read), any_quantities()];
    (orders(), symbols(), sides(), any_quantities(), status, filled, prop::collection::vec(fills(), 0..3))
        .prop_map(|(id, symbol, side, quantity, status, filled, fills)| OrderView {
            id,
            symbol,
            side,
            quantity,
            status,
            filled,
            fills,
        })
        .boxed()
}

/// Whatever a broker could say, whether or not it makes sense.
pub(crate) fn reports() -> BoxedStrategy<Report> {
    let answers = prop_oneof![
        views().prop_map(SubmitAnswer::Acknowledged),
        Just(SubmitAnswer::AlreadyExists),
        refusals().prop_map(SubmitAnswer::Refused),
        not_sent().prop_map(SubmitAnswer::NotSent),
        Just(SubmitAnswer::Unknown(UnknownCause::Timeout)),
    ];
    let lookups = prop_oneof![views().prop_map(Lookup::Found), Just(Lookup::Absent), Just(Lookup::Unproven)];
    let cancels = prop_oneof![
        Just(CancelAnswer::Requested),
        views().prop_map(CancelAnswer::AlreadyTerminal),
        Just(CancelAnswer::NoSuchOrder),
        not_sent().prop_map(CancelAnswer::NotSent),
    ];
    prop_oneof![
        (orders(), answers).prop_map(|(order, answer)| Report::Submitted { order, answer }),
        orders().prop_map(|order| Report::Withheld { order }),
        (orders(), lookups).prop_map(|(order, lookup)| Report::Looked { order, lookup }),
        (orders(), cancels).prop_map(|(order, answer)| Report::Canceled { order, answer }),
        order_fills().prop_map(Report::Fill),
    ]
    .boxed()
}

pub(crate) fn books() -> impl Strategy<Value = Books> {
    let units = prop_oneof![2 => of(&["1", "10"]).prop_map(read), 1 => any_quantities()];
    (any_money(), prop::collection::btree_map(symbols(), units, 0..3)).prop_map(|(cash, units)| Books::new(cash, units))
}

fn differences() -> impl Strategy<Value = Vec<Difference>> {
    let difference = prop_oneof![
        (any_money(), any_money()).prop_map(|(books, broker)| Difference::Cash { books, broker }),
        (symbols(), any_quantities(), any_quantities()).prop_map(|(symbol, books, broker)| Difference::Units {
            symbol,
            books,
            broker
        }),
        Just(Difference::Batch { batch: BatchId::from_u128(9) }),
    ];
    prop::collection::vec(difference, 0..2)
}

pub(crate) fn any_rules() -> BoxedStrategy<Rules> {
    let times = (durations(), durations(), durations(), durations(), durations());
    let more = (durations(), durations(), durations(), durations());
    let money = (any_money(), any_money(), any_money(), any_money());
    (any::<u8>(), times, more, any::<bool>(), money, any::<u32>())
        .prop_map(|(attempts, times, more, resend, (per_order, least, minimum, held_back), bps)| Rules {
            attempts,
            delay: times.0,
            order_deadline: times.1,
            quiescence: times.2,
            resume_max: times.3,
            patience: times.4,
            settle_within: more.0,
            watch: more.1,
            pause: PauseRule { first: more.2, longest: more.3 },
            resend,
            costs: Costs { bps, per_order, minimum: least },
            collar_bps: bps,
            minimum,
            held_back,
            limits: Limits::NONE,
        })
        .boxed()
}

fn openings() -> BoxedStrategy<Opening> {
    let legs = prop::collection::vec((leg_numbers(), terms()), 0..3).prop_map(|legs| {
        let leg = |(number, terms)| Leg {
            number,
            terms,
            lot: Lot::FINEST,
            amount: read("1.00"),
            cost: read("0.00"),
            shrunk: false,
        };
        legs.into_iter().map(leg).collect()
    });
    let stages = of(&[Stages::Together, Stages::SellsFirst]);
    (batches(), any::<u64>(), legs, stages, any_rules())
        .prop_map(|(batch, token, legs, stages, rules)| Opening {
            batch,
            token: Token::new(token),
            measure: "relative".to_owned(),
            drift: read("1.0000"),
            legs,
            skipped: Vec::new(),
            stages,
            facts: crate::testing::machine::FACTS,
            rules,
        })
        .boxed()
}

fn stages() -> impl Strategy<Value = Stage> {
    of(&[Stage::First, Stage::Second, Stage::UndoBuys, Stage::UndoSells])
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    of(&[Outcome::Completed, Outcome::Restored, Outcome::Abandoned, Outcome::Stale])
}

fn order_events() -> BoxedStrategy<OrderEvent> {
    prop_oneof![
        Just(OrderEvent::Acknowledged),
        refusals().prop_map(OrderEvent::Refused),
        not_sent().prop_map(OrderEvent::NotSent),
        Just(OrderEvent::Withdrawn),
        times().prop_map(|quiet_at| OrderEvent::Unknown { cause: UnknownCause::Timeout, quiet_at }),
        Just(OrderEvent::NotFound),
        times().prop_map(|deadline| OrderEvent::Resent { deadline }),
        Just(OrderEvent::AssumedNotExecuted),
        (fills(), any_money()).prop_map(|(fill, booked)| OrderEvent::Filled { fill, booked }),
        Just(OrderEvent::CancelRequested),
        of(&[End::Filled, End::Canceled, End::Expired, End::Rejected]).prop_map(OrderEvent::Ended),
    ]
    .boxed()
}

fn unwind_causes() -> impl Strategy<Value = UnwindCause> {
    prop_oneof![Just(UnwindCause::LateFill), orders().prop_map(|order| UnwindCause::Lost { order })]
}

fn closings() -> BoxedStrategy<Closing> {
    let cause = prop_oneof![
        unwind_causes().prop_map(Cause::Unwound),
        Just(Cause::Unknown { orders: 1 }),
        (outcomes(), differences()).prop_map(|(outcome, differences)| Cause::Mismatch { outcome, differences }),
    ];
    let residual =
        (symbols(), sides(), any_quantities()).prop_map(|(symbol, side, quantity)| Residual { symbol, side, quantity });
    let until = prop::option::of(times().prop_map(|until| Pause { until }));
    let read = prop::option::of(Just(FillCursor("c".to_owned())));
    let lists = (prop::collection::vec(residual, 0..2), prop::collection::vec(orders(), 0..2));
    (outcomes(), prop::option::of(cause), lists, (any_money(), any_money()), until, read)
        .prop_map(|(outcome, cause, (residual, unresolved), (cost, fees), pause, fills_read)| Closing {
            outcome,
            cause,
            residual,
            unresolved,
            cost,
            fees,
            pause,
            fills_read,
        })
        .boxed()
}

fn intents() -> BoxedStrategy<Intent> {
    (orders(), terms(), times(), times())
        .prop_map(|(order, terms, send_at, deadline)| Intent { order, terms, send_at, deadline })
        .boxed()
}

fn batch_events() -> BoxedStrategy<Event> {
    let skip = symbols().prop_map(|symbol| Skip { symbol, reason: SkipReason::BelowLot { lot: read("1") } });
    let orders_and_skips = (prop::collection::vec(intents(), 0..3), prop::collection::vec(skip, 0..2));
    prop_oneof![
        2 => openings().prop_map(|opening| Event::Opened(Arc::new(opening))),
        1 => (any::<u64>(), times()).prop_map(|(token, quiet_at)| Event::TakenOver { token: Token::new(token), owner: read("w"), quiet_at }),
        3 => (stages(), orders_and_skips).prop_map(|(stage, (orders, dropped))| Event::Intended { stage, orders, dropped, checks: None }),
        8 => (orders(), order_events()).prop_map(|(order, event)| Event::Order { order, event }),
        1 => unwind_causes().prop_map(|cause| Event::Unwinding { cause }),
        1 => outcomes().prop_map(|outcome| Event::Settling { outcome }),
        1 => closings().prop_map(|closing| Event::Closed(Arc::new(closing))),
    ]
    .boxed()
}

fn other_events() -> BoxedStrategy<Event> {
    let (who, why) = ("ann".to_owned(), "so".to_owned());
    let resolved = (of(&[Resolution::Accept, Resolution::Fixed]), books());
    prop_oneof![
        books().prop_map(|books| Event::Added { definition: Arc::new(definition()), books }),
        Just(Event::Changed { definition: Arc::new(definition()) }),
        Just(Event::Removed),
        (of(&["m1", "m2"]), of(&[Movement::Deposit, Movement::Withdrawal]), any_money())
            .prop_map(|(movement, kind, amount)| Event::CashMoved { movement: read(movement), kind, amount }),
        differences().prop_map(|differences| Event::Quarantined { differences }),
        Just(Event::Released),
        (order_fills(), any_money()).prop_map(|(fill, booked)| Event::LateFill { fill, booked }),
        resolved.prop_map(move |(how, books)| Event::Resolved { how, who: who.clone(), why: why.clone(), books }),
        any::<u8>().prop_map(|attempts| Event::Retried { who: "ann".to_owned(), why: "so".to_owned(), attempts }),
    ]
    .boxed()
}

/// Any record, whether or not it makes sense.
pub(crate) fn records() -> impl Strategy<Value = Record> {
    let event = prop_oneof![4 => batch_events(), 1 => other_events()];
    (times(), event).prop_map(|(at, event)| Record { at, event })
}

/// Any state that some records lead to: those that fit are applied to a batch that was just opened, or to nothing.
pub(crate) fn states() -> impl Strategy<Value = Portfolio> {
    let start = prop_oneof![
        3 => setups(3).prop_map(|setup| {
            let mut machine = setup.open();
            machine.run("begin");
            machine.state
        }),
        1 => Just(Portfolio::new(read("growth"))),
    ];
    (start, prop::collection::vec(records(), 0..25)).prop_map(|(mut state, records)| {
        for record in records {
            drop(apply(&mut state, &record));
        }
        state
    })
}
