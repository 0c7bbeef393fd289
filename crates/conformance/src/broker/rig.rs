//! What the team that writes an adapter brings along.

use crate::{Cannot, Rig};
use evenkeel_domain::order::{Capabilities, ClientOrderId, Side};
use evenkeel_domain::values::{AccountId, Currency, Money, Price, Quantity, Symbol, Timestamp};
use evenkeel_ports::Broker;
use futures_util::future::BoxFuture;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// An adapter and the world around it, fresh for each case.
///
/// Its [`capabilities`](Rig::capabilities) for the report are those of [`declared`]. The rest has bodies that say what cannot be done;
/// write as many as the broker allows. A simulated broker or a fault proxy in front of a real one can do nearly all of them, a paper account a few.
/// `docs/write-a-broker.md` says which rig shows which cases, and how one is made whose adapter speaks HTTP.
pub trait BrokerRig: Rig {
    /// The adapter.
    fn broker(&self) -> Arc<dyn Broker>;

    /// An account of it that has no cash, no units and no orders.
    fn account(&self) -> AccountId;

    /// The currency that this account is kept in.
    fn currency(&self) -> Currency;

    /// A symbol that is traded, with a lot of its own if any has one.
    fn symbol(&self) -> Symbol;

    /// Another that is traded.
    fn second_symbol(&self) -> Symbol;

    /// One that does not exist.
    fn unknown_symbol(&self) -> Symbol;

    /// Another adapter to the same account, which knows nothing of the first: what a process has after the one before it has crashed.
    ///
    /// # Errors
    /// [`Cannot`].
    fn successor(&self) -> Result<Arc<dyn Broker>, Cannot> {
        Err(Cannot::new("begin again with another adapter"))
    }

    /// The time, by the clock that the adapter lives by.
    fn now(&self) -> Timestamp;

    /// Waits so long, by the same clock.
    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()>;

    /// How long to wait for what must happen in the end, beyond the horizon and the quiescence that are declared.
    fn patience(&self) -> Duration {
        Duration::from_secs(60)
    }

    /// Sets the market's price of a symbol, and keeps it there.
    ///
    /// # Errors
    /// [`Cannot`] if prices are the market's own; [`price`](Self::price) is then asked for it.
    fn set_price(&self, symbol: Symbol, price: Price) -> Result<(), Cannot> {
        let _ = (symbol, price);
        Err(Cannot::new("set a price"))
    }

    /// About the market's price of a symbol, where it cannot be set.
    ///
    /// # Errors
    /// [`Cannot`] if it is not known either: then no case can be shown that trades.
    fn price(&self, symbol: Symbol) -> Result<Price, Cannot> {
        let _ = symbol;
        Err(Cannot::new("set or read a price"))
    }

    /// Pays so much cash into the account. Every question asked afterwards must show it, also where orders show late.
    ///
    /// # Errors
    /// [`Cannot`].
    fn fund(&self, cash: Money) -> Result<(), Cannot> {
        let _ = cash;
        Err(Cannot::new("pay in cash"))
    }

    /// Brings so many units into the account, not by an order. Every question asked afterwards must show them.
    ///
    /// # Errors
    /// [`Cannot`].
    fn hold(&self, symbol: Symbol, quantity: Quantity) -> Result<(), Cannot> {
        let _ = (symbol, quantity);
        Err(Cannot::new("bring in units"))
    }

    /// When the session ends that is open now, as the broker has it; nothing if it has no sessions, or does not tell.
    ///
    /// # Errors
    /// [`Cannot`] if that is not known past the adapter.
    fn closes_at(&self) -> Result<Option<Timestamp>, Cannot> {
        Err(Cannot::new("know when the session ends"))
    }

    /// Closes the market, until [`open_market`](Self::open_market) and for an hour at least. Orders that only live to the close end here.
    ///
    /// # Errors
    /// [`Cannot`].
    fn close_market(&self) -> Result<(), Cannot> {
        Err(Cannot::new("close the market"))
    }

    /// When a market that was closed will open, as the broker has it.
    ///
    /// # Errors
    /// [`Cannot`] if that is not known past the adapter.
    fn opens_at(&self) -> Result<Timestamp, Cannot> {
        Err(Cannot::new("know when the market opens"))
    }

    /// Opens the market.
    ///
    /// # Errors
    /// [`Cannot`].
    fn open_market(&self) -> Result<(), Cannot> {
        Err(Cannot::new("open the market"))
    }

    /// Halts trading in a symbol.
    ///
    /// # Errors
    /// [`Cannot`].
    fn halt(&self, symbol: Symbol) -> Result<(), Cannot> {
        let _ = symbol;
        Err(Cannot::new("halt a symbol"))
    }

    /// Lets somebody else trade in the account: a person by hand, or another program, with an order that bears no id of ours.
    ///
    /// # Errors
    /// [`Cannot`].
    fn trade_by_others(&self, symbol: Symbol, side: Side, quantity: Quantity) -> Result<(), Cannot> {
        let _ = (symbol, side, quantity);
        Err(Cannot::new("trade by hand in the account"))
    }

    /// Lets the broker take no orders for the account, for whatever reason of its own; or take them again.
    ///
    /// # Errors
    /// [`Cannot`].
    fn block(&self, blocked: bool) -> Result<(), Cannot> {
        let _ = blocked;
        Err(Cannot::new("block the account"))
    }

    /// Makes something go wrong with the next order that is sent, or with its cancel. Several faults before one order all happen to it.
    ///
    /// # Errors
    /// [`Cannot`] for the faults that it has no hand in.
    fn force(&self, fault: Fault) -> Result<(), Cannot> {
        Err(Cannot::new(fault.doing()))
    }

    /// Lets questions (`order`, `open_orders`, `fills_since`, `positions`, `account`) go unanswered: after so many that are `spared`, so
    /// many `times` in a row; none any more if that is nothing. Where a method asks its broker several, each of them counts.
    ///
    /// # Errors
    /// [`Cannot`].
    fn fail_questions(&self, spared: u32, times: u32) -> Result<(), Cannot> {
        let _ = (spared, times);
        Err(Cannot::new("let a question go unanswered"))
    }

    /// How many orders are more than fit on any page.
    fn more_than_a_page(&self) -> usize {
        1_200
    }

    /// How long from now until the proceeds of a sale of now are settled; nothing if at once.
    ///
    /// # Errors
    /// [`Cannot`] if it takes longer than a test can.
    fn settles_after(&self) -> Result<Duration, Cannot> {
        Err(Cannot::new("wait for a settlement"))
    }

    /// What really happened at the broker, read past the adapter.
    ///
    /// # Errors
    /// [`Cannot`] if there is no way but through the adapter.
    fn truth(&self) -> Result<Truth, Cannot> {
        Err(Cannot::new("read the truth past the adapter"))
    }
}

/// What a rig can be asked to let go wrong with the next order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// No connection can be made: nothing is sent.
    Unreachable,
    /// A limit turns the request away before anything is accepted, and says when there is room again.
    RateLimit {
        /// After how long.
        retry_after: Duration,
    },
    /// The request is sent and never arrives.
    LoseRequest,
    /// The request is handled, its answer never arrives.
    LoseAnswer,
    /// The request arrives, within the declared quiescence, after the adapter has given up waiting for its answer.
    Slow,
    /// The request is handled, and answered in words that the adapter cannot know.
    UnmappedAnswer,
    /// Refused in the way that the broker documents, for a reason that it does not document, and with this message.
    UnmappedRefusal {
        /// What the broker says.
        words: &'static str,
    },
    /// Accepted, and not executed until it is canceled.
    NeverFill,
    /// Executed completely, in so many parts.
    InParts(u32),
    /// About half of it is executed, and the rest so long after that, each at the price of its moment.
    InTwo {
        /// The time between the two.
        apart: Duration,
    },
    /// About half of it is executed, and the rest not until it is canceled.
    PartialThenWork,
    /// About half of it is executed, then the broker itself cancels it.
    PartialThenCancel,
    /// Accepted, then rejected by the broker itself without being executed.
    RejectAfterAck,
    /// Accepted, and not executed until its time is over and the broker itself ends it.
    Expire,
    /// About half of it is executed, then its time is over and the broker itself ends it.
    PartialThenExpire,
    /// Not executed until it is canceled; then, a few seconds after that, executed completely.
    FillAfterCancel,
    /// A cancel of it is handled, its answer never arrives.
    LoseCancelAnswer,
    /// No connection can be made for the first cancel of it: nothing is sent.
    UnreachableCancel,
    /// A limit turns the first cancel of it away, and says when there is room again.
    RateLimitCancel {
        /// After how long.
        retry_after: Duration,
    },
    /// A cancel of it is taken, and the order ends this long after that.
    SlowCancel {
        /// How long.
        takes: Duration,
    },
    /// Accepted with a status that the adapter cannot know, and not executed until it is canceled.
    UnmappedStatus,
}

impl Fault {
    /// What a rig cannot do that cannot force this, as a verb phrase.
    #[must_use]
    pub const fn doing(self) -> &'static str {
        match self {
            Self::Unreachable => "make the broker unreachable",
            Self::RateLimit { .. } => "reach a rate limit",
            Self::LoseRequest => "lose a request",
            Self::LoseAnswer => "lose an answer",
            Self::Slow => "delay a request beyond its caller's patience",
            Self::UnmappedAnswer => "make up an answer",
            Self::UnmappedRefusal { .. } => "make up a reason to refuse an order",
            Self::NeverFill => "keep an order from being executed",
            Self::InParts(_) => "execute an order in parts",
            Self::InTwo { .. } => "execute an order in two parts, one later than the other",
            Self::PartialThenWork => "execute a part of an order",
            Self::PartialThenCancel => "let the broker cancel an order",
            Self::RejectAfterAck => "let the broker reject an order that it had accepted",
            Self::Expire | Self::PartialThenExpire => "let an order expire",
            Self::FillAfterCancel => "execute an order after its cancel",
            Self::LoseCancelAnswer => "lose the answer to a cancel",
            Self::UnreachableCancel => "make the broker unreachable for a cancel",
            Self::RateLimitCancel { .. } => "reach a rate limit with a cancel",
            Self::SlowCancel { .. } => "let a cancel take its time",
            Self::UnmappedStatus => "make up a status",
        }
    }
}

/// What really happened to the account, read past the adapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truth {
    /// Every order of ours that was ever accepted for the account.
    pub orders: BTreeMap<ClientOrderId, OrderTruth>,
    /// All cash, settled or not.
    pub cash: Money,
    /// Units of each symbol that is held.
    pub positions: BTreeMap<Symbol, Quantity>,
    /// How many requests to submit left the adapter, if they are counted: lost ones are, those that a request limit turned away are not.
    pub requests: Option<u64>,
}

/// What really became of the orders of one id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderTruth {
    /// How many orders there are of this id.
    pub copies: usize,
    /// Units executed, of all of them.
    pub executed: Quantity,
}

/// What an adapter declares, one line each: for the [`capabilities`](Rig::capabilities) of its rig.
#[must_use]
pub fn declared(broker: &dyn Broker) -> Vec<String> {
    let Capabilities {
        name,
        duplicates,
        costs,
        collar_bps,
        fills_rounded,
        minimum_order,
        lot,
        lots,
        quiescence,
        visibility_horizon,
    } = &*broker.capabilities();
    let mut lines = vec![
        format!("name: {name}"),
        format!("duplicates: {duplicates:?}"),
        format!("costs: {} bps, {} per order, {} at least", costs.bps, costs.per_order, costs.minimum),
        format!("collar: {collar_bps} bps"),
        format!("fills rounded: {fills_rounded}"),
        format!("minimum order: {minimum_order}"),
        format!("lot: {lot}"),
    ];
    lines.extend(lots.iter().map(|(symbol, lot)| format!("lot of {symbol}: {lot}")));
    lines.push(format!("quiescence: {} ms", quiescence.as_millis()));
    lines.push(format!("visibility horizon: {} ms", visibility_horizon.as_millis()));
    lines
}
