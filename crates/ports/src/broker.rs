//! The broker: where orders go, and the only witness of what became of them.
//!
//! Adapters: `BanChile` (simulated) in the banchile crate; yours, as `docs/write-a-broker.md` shows from an empty crate to the report of
//! its suite, `evenkeel_conformance::broker`. The words used here (answers, views, fills) are in
//! [`evenkeel_domain::order`]; what each answer makes of a batch is in `evenkeel_domain::batch`.

use async_trait::async_trait;
use evenkeel_domain::order::{
    CancelAnswer, Capabilities, ClientOrderId, FillCursor, Lookup, OrderFill, OrderRequest, OrderView, Refused,
    SubmitAnswer, Terms,
};
use evenkeel_domain::values::{AccountId, Currency, Money, Quantity, Symbol, Timestamp};
use std::sync::Arc;

/// A broker that holds accounts and executes orders.
///
/// The core uses it for one thing: to send each order of a batch at most once, and to learn exactly what was executed.
///
/// # Contract
/// 1. **One wire attempt.** [`submit`](Broker::submit) makes exactly one attempt and never retries by itself, not even on a timeout: a
///    retry below this port is an order nobody decided on. The same goes for redirects and for HTTP clients with retry policies.
/// 2. **Five answers, each a proof.** *Acknowledged*: the broker has the order. *Already exists*: it has one of this id and these terms.
///    *Refused*: it has not executed and never will. *Not sent*: nothing reached the point where it could be accepted. *Unknown*: all
///    else. When in doubt, unknown: a wrong *unknown* costs a minute, a wrong *refused* costs money. Status codes prove nothing
///    unless the broker documents that they do; an answer that cannot be read is unknown. What the broker documents as a refusal is one also
///    where its reason is not known: *refused*, for `Other`, in the broker's words.
/// 3. **Identity.** At most one order exists per id, for as long as [`Duplicates::Refused`](evenkeel_domain::order::Duplicates) is declared. The same id with other terms is
///    refused with `DuplicateIdOtherOrder`, never reported as already existing.
/// 4. **Absent is a proof.** [`order`](Broker::order) answers `Absent` only if the broker positively denied the id *and* the visibility horizon
///    since any send has passed; `Unproven` otherwise. A transport failure is an error, never `Absent`; where an
///    answer is made of several questions, the failure of one is an error, or leaves what the others have proven: it makes no order
///    unproven that was found.
/// 5. **Fills.** Each has an id of its own within its account, the same in every delivery. A view's `filled` never decreases. A fill may be reported late,
///    twice and out of order, even after a terminal status, and is never lost: [`fills_since`](Broker::fills_since) gives it in the end.
///    Its time is that of its execution, by the broker's clock, a minute off ours at most. An order whose time is
///    over is *expired*, with what it executed: neither filled nor open.
/// 6. **A taken cancel is not an ended order.** After `Requested`, fills may still arrive; the terminal status says when it is over.
///    `NoSuchOrder` is the broker's word, never a guess for want of an answer; and it proves nothing about a request that is still under
///    way: what became of an order, only [`order`](Broker::order) says.
/// 7. **Complete or said not to be.** A page that is not everything says so; it is never silently cut.
/// 8. **Nothing is rounded.** Quantities and prices go through unchanged. What cannot be sent as it is fails [`check`](Broker::check).
/// 9. **Cash moves by one rule.** The cash of an account moves, per order, by exactly [`booked_amount`](evenkeel_domain::order::booked_amount)
///    of its fills (the cumulative value, rounded half-even to cents, minus what was booked before) and by each fill's fee. Books and broker
///    are compared to the cent: a broker that rounds otherwise, such as every fill by itself, quarantines its portfolios or makes them stale.
///    Where the real broker differs, its adapter reports the difference as part of the fill's fee, which may make that negative.
///
/// **Cancellation**: dropping the future of `submit` or `cancel` leaves the outcome unknown, exactly as a lost answer does; the caller will
/// ask. Dropping any other future has no effect. **Concurrency**: every method may be called at once from many tasks.
///
/// **Not promised**: that orders are filled in the order they were sent; that positions and account reflect a fill before the
/// visibility horizon has passed; that anything about several orders is atomic.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Broker: Send + Sync {
    /// What this broker promises. The same for the life of the adapter.
    fn capabilities(&self) -> Arc<Capabilities>;

    /// Whether the broker's documented rules allow these terms. The planner keeps to the declared lots and minimum by itself; what is
    /// checked here again does no harm. Pure: no input or output, no state of the account.
    ///
    /// # Errors
    /// [`Refused`] with the reason that a submission would be refused with. The planner leaves such a leg out.
    fn check(&self, account: &AccountId, terms: &Terms) -> Result<(), Refused>;

    /// Sends one order: one wire attempt. The view of `Acknowledged` may already be terminal, with its fills. An account that the broker
    /// does not know is `Refused` with `Other`. Contract 1, 2, 3. Sending the same order again is safe where duplicates are refused.
    async fn submit(&self, account: &AccountId, order: &OrderRequest) -> SubmitAnswer;

    /// Asks to end an order. Contract 6. Repeating it is safe.
    async fn cancel(&self, account: &AccountId, id: ClientOrderId) -> CancelAnswer;

    /// What the broker knows of one order. Contract 4.
    ///
    /// # Errors
    /// [`BrokerError`]: nothing was learned.
    async fn order(&self, account: &AccountId, id: ClientOrderId) -> Result<Lookup, BrokerError>;

    /// Every order of the account that is not terminal and bears an id of ours, as it was within the visibility horizon. Contract 7.
    ///
    /// # Errors
    /// [`BrokerError`]: nothing was learned.
    async fn open_orders(&self, account: &AccountId) -> Result<OrderPage, BrokerError>;

    /// The account's fills after `cursor`, or all of them. At least once: a fill may be repeated. Contract 5, 7.
    ///
    /// # Errors
    /// [`BrokerError`]: nothing was learned.
    async fn fills_since(&self, account: &AccountId, cursor: Option<FillCursor>) -> Result<FillPage, BrokerError>;

    /// Units held of every symbol. A symbol that is not listed is not held.
    ///
    /// # Errors
    /// [`BrokerError`]: nothing was learned. It never means that nothing is held.
    async fn positions(&self, account: &AccountId) -> Result<Vec<Position>, BrokerError>;

    /// Cash and standing of the account.
    ///
    /// # Errors
    /// [`BrokerError`]: nothing was learned.
    async fn account(&self, account: &AccountId) -> Result<AccountView, BrokerError>;
}

/// Open orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderPage {
    /// The orders, in no order.
    pub orders: Vec<OrderView>,
    /// False if there may be more.
    pub complete: bool,
}

/// Fills, oldest first as far as the broker knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FillPage {
    /// The fills.
    pub fills: Vec<OrderFill>,
    /// Where to go on from.
    pub next: FillCursor,
    /// False if there are more after `next` already.
    pub complete: bool,
}

/// What an account holds of one symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Which.
    pub symbol: Symbol,
    /// Units held, those promised to open sells included.
    pub quantity: Quantity,
    /// Units free to be sold.
    pub available: Quantity,
}

/// The cash side of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountView {
    /// The account's currency.
    pub currency: Currency,
    /// All cash, settled or not, before reservations for open orders.
    pub cash: Money,
    /// The settled part, where the broker tells.
    pub settled_cash: Option<Money>,
    /// What a new buy may cost.
    pub buying_power: Money,
    /// True if the broker takes no orders for this account.
    pub blocked: bool,
    /// When the session ends that is open now, where the broker tells: what "enough time left" is judged by. `None` while none is open,
    /// and where the broker does not tell; then it is taken that there is time enough. By the broker's clock, a minute off ours at most.
    pub closes_at: Option<Timestamp>,
    /// The moment this was true, by the broker's clock; no older than the visibility horizon. Ours may differ from it by a minute: a broker
    /// that does not tell is read at the adapter's own.
    pub as_of: Timestamp,
}

/// A question to the broker that was not answered. Sorted by what the caller can do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BrokerError {
    /// Try again later: connection, outage, rate limit.
    #[error("the broker did not answer ({doing}): {message}")]
    Unavailable {
        /// What was being asked, as a verb phrase: `reading positions of growth`.
        doing: String,
        /// What is known of the cause.
        message: String,
    },
    /// The credentials were not accepted: a person must act.
    #[error("the broker did not accept the credentials ({doing})")]
    Unauthorized {
        /// What was being asked.
        doing: String,
    },
    /// The answer could not be understood: a person must look.
    #[error("the broker's answer could not be read ({doing}): {message}")]
    Garbled {
        /// What was being asked.
        doing: String,
        /// What was wrong with the answer.
        message: String,
    },
    /// The broker knows no such account, or the adapter has no access to it: never said for want of an answer.
    #[error("the broker knows no account {account}")]
    NoSuchAccount {
        /// Which.
        account: AccountId,
    },
}
