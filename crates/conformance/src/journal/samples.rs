//! The records that the cases write: short ones told apart by a number, one of each kind, and a short life by the rules.

use super::model::own;
use crate::Stop;
use evenkeel_domain::alert::{Alert, AlertKind};
use evenkeel_domain::allocation::TargetAllocation;
use evenkeel_domain::books::{Books, Definition, Market, Prices, Quote};
use evenkeel_domain::decide::{Input, step};
use evenkeel_domain::limits::{Checks, Facts, Limits};
use evenkeel_domain::order::{
    Attempt, BatchId, Capabilities, ClientOrderId, Costs, Direction, Duplicates, Fill, FillCursor, LegNumber, NotSent,
    OrderFill, RefusalReason, Refused, Side, Terms, UnknownCause,
};
use evenkeel_domain::plan::{Leg, Skip, SkipReason, Stages, Trigger, Venue, plan};
use evenkeel_domain::policy::Policy;
use evenkeel_domain::portfolio::Portfolio;
use evenkeel_domain::record::{
    Cause, Closing, Difference, End, Event, Intent, Movement, Opening, OrderEvent, Outcome, Pause, PauseRule, Record,
    Residual, Resolution, Rules, Stage, UnwindCause,
};
use evenkeel_domain::values::{
    FillId, Lot, Money, MovementId, Percentage, PortfolioId, Price, Quantity, Sequence, StoreId, Symbol, Timestamp,
    Token,
};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// What databases, files and formats have been seen to mistreat.
const AWKWARD: &str =
    "quote \" apostrophe ' backslash \\ percent % newline \n tab \t nul \u{0} é 漢 🦀 \u{202e}; DROP TABLE records;--";

fn read<T: FromStr<Err: Display>>(text: &str) -> Result<T, Stop> {
    own(text.parse())
}

const fn at(nanos: i64) -> Timestamp {
    Timestamp::from_nanos(nanos)
}

fn record(event: Event) -> Record {
    // To the nanosecond: a store that rounds times would be found out.
    Record { at: at(1_700_000_000_123_456_789), event }
}

/// A record that is told from others by its number.
pub(super) fn note(number: u32) -> Result<Record, Stop> {
    let movement = own(MovementId::new(&format!("movement-{number}")))?;
    let amount = own(Money::from_cents(i64::from(number).saturating_add(1)))?;
    Ok(record(Event::CashMoved { movement, kind: Movement::Deposit, amount }))
}

/// So many notes, numbered from `first` on.
pub(super) fn notes(first: u32, count: u32) -> Result<Vec<Record>, Stop> {
    (first..first.saturating_add(count)).map(note).collect()
}

/// An alert that belongs to the record of this number.
pub(super) fn alert(about: &PortfolioId, sequence: u64, text: &str) -> Alert {
    let batch = sequence.is_multiple_of(2).then(|| BatchId::from_u128(u128::from(sequence)));
    let at = at(i64::try_from(sequence).unwrap_or(i64::MAX));
    let text = format!("{text} {AWKWARD}");
    Alert { portfolio: about.clone(), sequence: Sequence::new(sequence), at, kind: AlertKind::Stale, batch, text }
}

/// A batch opens.
pub(super) fn opened() -> Result<Record, Stop> {
    let terms = terms(Side::Sell)?;
    let skipped = vec![Skip {
        symbol: read("BRK.B")?,
        reason: SkipReason::BelowMinimum { amount: Money::CENT, minimum: read("1.00")? },
    }];
    let amount = read("1234567.89")?;
    let legs = vec![Leg { number: first_leg()?, terms, lot: Lot::FINEST, amount, cost: Money::CENT, shrunk: true }];
    Ok(record(Event::Opened(Arc::new(Opening {
        batch: BatchId::from_u128(7),
        token: Token::new(7),
        measure: "hybrid".to_owned(),
        drift: read::<Percentage>("12.3456%").or_else(|_| read("12.3456"))?,
        legs,
        skipped,
        stages: Stages::SellsFirst,
        facts: facts(),
        rules: rules()?,
    }))))
}

/// The open batch ends.
pub(super) fn closed() -> Result<Record, Stop> {
    let cause = Cause::Unwound(UnwindCause::Aborted { who: "ann".to_owned(), why: AWKWARD.to_owned() });
    Ok(record(Event::Closed(Arc::new(Closing {
        outcome: Outcome::Stale,
        cause: Some(cause),
        residual: vec![Residual { symbol: read("META")?, side: Side::Buy, quantity: read("0.000000001")? }],
        unresolved: vec![order()?],
        cost: read("-3.21")?,
        fees: read("0.07")?,
        pause: Some(Pause { until: Timestamp::MAX }),
        fills_read: Some(FillCursor(AWKWARD.to_owned())),
    }))))
}

/// Orders of a stage are intended: of META.
pub(super) fn intended(stage: Stage) -> Result<Record, Stop> {
    let intent = Intent { order: order()?, terms: terms(Side::Buy)?, send_at: at(0), deadline: at(1) };
    Ok(record(Event::Intended { stage, orders: vec![intent], dropped: Vec::new(), checks: None }))
}

/// The portfolio is looked after no more.
pub(super) fn removed() -> Record {
    record(Event::Removed)
}

/// The last batch is open again.
pub(super) fn retried() -> Record {
    record(Event::Retried { who: "ann".to_owned(), why: AWKWARD.to_owned(), attempts: 9 })
}

fn first_leg() -> Result<LegNumber, Stop> {
    LegNumber::new(0).ok_or_else(|| Stop::Broken("there is a first leg".to_owned()))
}

fn order() -> Result<ClientOrderId, Stop> {
    let (batch, leg) = (BatchId::from_u128(u128::MAX), first_leg()?);
    Ok(ClientOrderId { batch, leg, direction: Direction::Reverse, attempt: Attempt::LAST })
}

fn terms(side: Side) -> Result<Terms, Stop> {
    let (quantity, reference) = (read("2805.663853127")?, read("440.000000001")?);
    Ok(Terms { symbol: read("META")?, side, quantity, reference, exit: side == Side::Sell })
}

fn fill() -> Result<Fill, Stop> {
    let id = own(FillId::new("a/b:c~1\"'\\%"))?;
    Ok(Fill { id, quantity: read("0.5")?, price: read("19.99")?, fee: Money::ZERO, at: Timestamp::MIN })
}

fn rules() -> Result<Rules, Stop> {
    let long = Duration::new(3_600, 1);
    Ok(Rules {
        attempts: 3,
        delay: Duration::ZERO,
        order_deadline: long,
        quiescence: long,
        resume_max: long,
        patience: long,
        settle_within: Duration::from_nanos(1),
        watch: long,
        pause: PauseRule { first: long, longest: long },
        resend: false,
        costs: Costs::FREE,
        collar_bps: 500,
        minimum: Money::CENT,
        held_back: Money::ZERO,
        limits: Limits { order: Some(Money::CENT), session_left: Some(long), ..Limits::NONE },
    })
}

const fn facts() -> Facts {
    Facts { oldest_price: at(-1), closes_at: Some(at(1)) }
}

const fn checks() -> Checks {
    let (order, batch, day) = (Money::CENT, Money::CENT, Money::ZERO);
    Checks { oldest_price: at(-1), order, batch, day, batches: u32::MAX, closes_at: None, moved: None }
}

fn definition() -> Result<Definition, Stop> {
    let allocation = own(TargetAllocation::parse([("META", "50"), ("AAPL", "45"), ("CASH", "5")]))?;
    Ok(Definition { account: read("growth")?, currency: read("USD")?, allocation, policy: Policy::default() })
}

/// One record of each kind, and of each kind of event of an order; at no time are two batches open.
pub(super) fn every_kind() -> Result<Vec<Record>, Stop> {
    let growth: PortfolioId = read("growth")?;
    let books = Books::new(read("-0.01")?, [(read::<Symbol>("META")?, read::<Quantity>("83.325")?)]);
    let definition = Arc::new(definition()?);
    let (who, why) = ("ann".to_owned(), AWKWARD.to_owned());
    let differences = vec![
        Difference::Cash { books: Money::ZERO, broker: read("10.00")? },
        Difference::Units { symbol: read("AAPL")?, books: read("1")?, broker: read("2")? },
        Difference::Batch { batch: BatchId::from_u128(u128::MAX) },
    ];
    let late = OrderFill { order: None, symbol: read("META")?, side: Side::Buy, fill: fill()? };
    let later = OrderFill { order: Some(order()?), ..late.clone() };
    let intent = Intent { order: order()?, terms: terms(Side::Buy)?, send_at: at(-1), deadline: Timestamp::MAX };
    let dropped = vec![Skip { symbol: read("BRK.B")?, reason: SkipReason::BelowLot { lot: read("1")? } }];
    let mut events = vec![
        // Does not fit an empty portfolio: a store that folds what fits keeps all of these as they are.
        Event::Released,
        Event::Added { definition: Arc::clone(&definition), books: books.clone() },
        Event::Changed { definition },
        note(0)?.event,
        Event::CashMoved { movement: read("out")?, kind: Movement::Withdrawal, amount: read("90000000.00")? },
        Event::Quarantined { differences },
        Event::LateFill { fill: late, booked: Money::CENT },
        Event::LateFill { fill: later, booked: Money::CENT },
        Event::Resolved { how: Resolution::Accept, who: who.clone(), why: why.clone(), books },
        opened()?.event,
        Event::TakenOver { token: Token::new(8), owner: read("host:1234")?, quiet_at: at(1) },
        Event::Intended { stage: Stage::UndoSells, orders: vec![intent, intent], dropped, checks: Some(checks()) },
    ];
    let order = order()?;
    events.extend(order_events()?.into_iter().map(|event| Event::Order { order, event }));
    events.extend([
        Event::Unwinding { cause: UnwindCause::TooOld { age: Duration::from_nanos(1) } },
        Event::Settling { outcome: Outcome::Restored },
        closed()?.event,
        retried().event,
        closed()?.event,
        Event::Removed,
        Event::Folded(Box::new(Portfolio::new(growth))),
    ]);
    Ok(events.into_iter().map(record).collect())
}

fn order_events() -> Result<Vec<OrderEvent>, Stop> {
    let ends = [End::Filled, End::Canceled, End::Expired, End::Rejected].map(OrderEvent::Ended);
    let mut events = vec![
        OrderEvent::Acknowledged,
        OrderEvent::Refused(Refused { reason: RefusalReason::BuyingPower, message: AWKWARD.to_owned() }),
        OrderEvent::NotSent(NotSent::RateLimited { retry_after: Duration::from_millis(1_500) }),
        OrderEvent::Withdrawn,
        OrderEvent::Unknown { cause: UnknownCause::Timeout, quiet_at: at(2) },
        OrderEvent::NotFound,
        OrderEvent::Resent { deadline: at(3) },
        OrderEvent::AssumedNotExecuted,
        OrderEvent::Filled { fill: fill()?, booked: read("9.99")? },
        OrderEvent::CancelRequested,
    ];
    events.extend(ends);
    Ok(events)
}

/// A portfolio that lives by the rules, commit by commit: it is added, and then has this many batches, each given up at once.
pub(super) fn life(portfolio: &PortfolioId, batches: u32) -> Result<Vec<Vec<Record>>, Stop> {
    let mut state = Portfolio::new(portfolio.clone());
    let mut commits = Vec::new();
    let definition = definition()?;
    let books = Books::new(read("1000.00")?, []);
    let quote = |price: Price| Quote { price, at: at(0) };
    let prices: Prices =
        [(read("META")?, quote(read("20")?)), (read("AAPL")?, quote(read("10")?))].into_iter().collect();
    let capabilities = capabilities();
    let venue = Venue { capabilities: &capabilities, check: &|_| Ok(()), attempts: 1 };
    let plan = own(plan(&books, &definition, Market::ageless(&prices), venue, Trigger::Now))?;
    commits.push(own(step(&mut state, at(1), Input::Add { definition, books }))?);
    for _ in 0..batches {
        let open = Input::Open {
            store: StoreId::new(7),
            token: Token::new(5),
            plan: &plan,
            facts: facts(),
            rules: Rules { limits: Limits::NONE, ..rules()? },
        };
        commits.push(own(step(&mut state, at(2), open))?);
        commits.push(own(step(&mut state, at(3), Input::Abandon { why: "so that it is closed".to_owned() }))?);
    }
    Ok(commits)
}

fn capabilities() -> Capabilities {
    Capabilities {
        name: "suite".to_owned(),
        duplicates: Duplicates::Refused,
        costs: Costs::FREE,
        collar_bps: 0,
        fills_rounded: false,
        minimum_order: Money::CENT,
        lot: Lot::FINEST,
        lots: BTreeMap::new(),
        quiescence: Duration::ZERO,
        visibility_horizon: Duration::ZERO,
    }
}
