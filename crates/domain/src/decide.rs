//! `decide(state, input) -> records`: every choice the system makes, and the only place where it makes one.
//!
//! An input says what happened and when; the answer is the records that follow from it, all to be committed together, in order. Deciding has
//! no effect: the caller commits the records, applies them once the commit is confirmed ([`crate::apply`]; or takes the state that
//! [`decide_all`] has applied them to), and then performs what is due ([`crate::due`]).
//!
//! ```text
//! input ──> handled here, one function per input ──> advance: what follows, until nothing more does
//! ```
//!
//! | to see | look in |
//! |---|---|
//! | how a batch is opened, begun, and called off before anything was sent | `decide/begin.rs` |
//! | what an answer of the broker, a fill or a late fill makes of an order | `decide/reports.rs` |
//! | how a batch goes forward, unwinds, compensates and ends | `decide/advance.rs`, `decide/compensate.rs`, `decide/close.rs` |
//! | portfolios added, changed, removed; cash that comes and goes; a comparison before a batch | `decide/manage.rs` |
//! | what a person may do with a stale or quarantined portfolio | `decide/resolve.rs` |

mod advance;
mod begin;
mod close;
mod compensate;
mod manage;
mod refusal;
mod reports;
mod resolve;

pub use refusal::Refusal;
pub use reports::{Report, completes};
pub use resolve::{ResolveAction, ResolveRequest};

use crate::apply::apply;
use crate::batch::{Batch, Phase};
use crate::books::{Books, Definition, Prices};
use crate::halt::{Halt, HaltMode};
use crate::limits::Facts;
use crate::order::{BatchId, ClientOrderId, FillCursor};
use crate::plan::Plan;
use crate::portfolio::{Portfolio, Standing};
use crate::record::{Cause, Event, Movement, OrderEvent, Outcome, Record, Rules, UnwindCause};
use crate::values::{Currency, Money, MovementId, OwnerId, StoreId, Timestamp, Token};
use std::borrow::Cow;
use std::sync::Arc;

/// Something that happened, with everything needed to decide what follows.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "an input lives for one decision; there are never many of them")]
pub enum Input<'a> {
    /// A person adds a portfolio with what it owns.
    Add {
        /// What it is.
        definition: Definition,
        /// What it owns.
        books: Books,
    },
    /// A person changes its targets, policy or account. Not while a batch is open.
    Change {
        /// What it is to be.
        definition: Definition,
    },
    /// A person removes it. Not while a batch is open or it is stale.
    Remove,
    /// Cash came or went. Recording the same movement twice changes nothing.
    MoveCash {
        /// Names the movement.
        movement: MovementId,
        /// In or out.
        kind: Movement,
        /// How much; above zero.
        amount: Money,
        /// Must be the portfolio's.
        currency: Currency,
    },
    /// The broker was asked what the portfolio owns, before a batch.
    Confirm {
        /// What the broker says.
        broker: &'a Books,
        /// The currency of the broker's account.
        currency: Currency,
        /// Batches that the broker has fills of and the journal lacks: [`Portfolio::lost_batches`].
        lost: &'a [BatchId],
    },
    /// While a batch is open, the broker has fills of batches that the journal lacks ([`Portfolio::lost_batches`]; not empty).
    JournalLacks {
        /// Which.
        batches: Vec<BatchId>,
    },
    /// A plan is to be executed.
    Open {
        /// The store's id: part of the batch's.
        store: StoreId,
        /// The lease it is opened under.
        token: Token,
        /// What to do.
        plan: &'a Plan,
        /// What was known when it was planned.
        facts: Facts,
        /// The rules to do it under.
        rules: Rules,
    },
    /// The batch that was opened is to begin.
    Begin {
        /// The newest prices, its legs' among them, which may have moved since the plan was made.
        newest: &'a Prices,
    },
    /// The first orders of the batch are about to be sent, none of them was: prices may have moved while the intents were committed.
    Send {
        /// The newest prices, its legs' among them.
        newest: &'a Prices,
    },
    /// The batch that was opened is not to begin after all, or none of its first orders is to be sent: none of them was.
    Abandon {
        /// Why.
        why: String,
    },
    /// A new owner found the batch open.
    TakeOver {
        /// Its lease.
        token: Token,
        /// Who it is.
        owner: OwnerId,
        /// What may not begin.
        hold: Hold,
    },
    /// The broker answered, or fills arrived.
    Reports {
        /// What was learned, in the order it was learned.
        reports: &'a [Report],
        /// What may not begin.
        hold: Hold,
    },
    /// Time passed.
    Tick {
        /// What may not begin.
        hold: Hold,
    },
    /// A halt stands that concerns the open batch: it is unwound, as far as the halt allows.
    Halt {
        /// The halt.
        halt: &'a Halt,
    },
    /// A person wants the open batch to be unwound.
    Abort {
        /// Who.
        who: String,
        /// Why.
        why: String,
    },
    /// The broker was asked what the portfolio owns, at the end of a batch.
    Settle {
        /// What the broker says.
        broker: &'a Books,
        /// How far its fills had been read before.
        fills_read: Option<FillCursor>,
    },
    /// A person resolves a stale or quarantined portfolio.
    Resolve(ResolveRequest<'a>),
}

/// What a batch may not do by itself, while the rest of it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Hold {
    /// Nothing is held back.
    #[default]
    Nothing,
    /// No further stage forward begins: the worker is stopping.
    NextStage,
    /// No order is intended or sent again, in either direction: a halt says so.
    Orders,
}

impl From<HaltMode> for Hold {
    fn from(mode: HaltMode) -> Self {
        match mode {
            HaltMode::Freeze => Self::Orders,
            HaltMode::Unwind => Self::Nothing,
        }
    }
}

/// Decides what follows from `input`, which happened at `at`.
///
/// The records are to be committed together. None means that nothing changes.
///
/// # Errors
/// [`Refusal`] if the input is not possible in this state. Nothing changes then.
pub fn decide(portfolio: &Portfolio, at: Timestamp, input: Input<'_>) -> Result<Vec<Record>, Refusal> {
    Ok(decide_all(portfolio, at, [input])?.records)
}

/// What was decided, and what it makes of the portfolio once it is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// To be committed together. None means that nothing changes.
    pub records: Vec<Record>,
    /// The portfolio with these records applied to it; `None` if there are none.
    pub after: Option<Portfolio>,
}

/// Decides what follows from inputs that need not wait for each other's commit: each in the state that those before it lead to.
///
/// # Errors
/// [`Refusal`] of the first that is not possible. Nothing changes then.
pub fn decide_all<'a>(
    portfolio: &Portfolio,
    at: Timestamp,
    inputs: impl IntoIterator<Item = Input<'a>>,
) -> Result<Decision, Refusal> {
    let mut draft = Draft { state: Cow::Borrowed(portfolio), at, records: Vec::new() };
    for input in inputs {
        draft.take(input)?;
    }
    let Draft { state, records, .. } = draft;
    let after = (!records.is_empty()).then(|| state.into_owned());
    Ok(Decision { records, after })
}

/// `decide`, then `apply`: one step of the machine, for models and tests.
///
/// # Errors
/// [`Refusal`], the state is then unchanged.
pub fn step(portfolio: &mut Portfolio, at: Timestamp, input: Input<'_>) -> Result<Vec<Record>, Refusal> {
    let Decision { records, after } = decide_all(portfolio, at, [input])?;
    if let Some(after) = after {
        *portfolio = after;
    }
    Ok(records)
}

/// Whether a batch may be opened at this time, as far as the last one is concerned.
///
/// A worker whose clock is behind what others have written has slept, or its clock is wrong: its prices are of the past.
///
/// # Errors
/// [`Refusal::Earlier`].
pub fn opens_in_order(portfolio: &Portfolio, at: Timestamp) -> Result<(), Refusal> {
    match portfolio.last_opened() {
        Some(last) if at < last => Err(Refusal::Earlier { at, last }),
        _ => Ok(()),
    }
}

/// The state as it will be once the records so far are applied. Most inputs change nothing, so nothing is copied before the first record.
struct Draft<'a> {
    state: Cow<'a, Portfolio>,
    at: Timestamp,
    records: Vec<Record>,
}

impl Draft<'_> {
    /// Decides what follows from one input, and what follows from that.
    fn take(&mut self, input: Input<'_>) -> Result<(), Refusal> {
        let hold = match &input {
            Input::Reports { hold, .. } | Input::Tick { hold } | Input::TakeOver { hold, .. } => *hold,
            Input::Halt { halt } => halt.mode.into(),
            Input::Add { .. }
            | Input::Change { .. }
            | Input::Remove
            | Input::MoveCash { .. }
            | Input::Confirm { .. }
            | Input::JournalLacks { .. }
            | Input::Open { .. }
            | Input::Begin { .. }
            | Input::Send { .. }
            | Input::Abandon { .. }
            | Input::Abort { .. }
            | Input::Settle { .. }
            | Input::Resolve(_) => Hold::Nothing,
        };
        match input {
            Input::Add { definition, books } => self.add(definition, books)?,
            Input::Change { definition } => self.change(definition)?,
            Input::Remove => self.remove()?,
            Input::MoveCash { movement, kind, amount, currency } => self.move_cash(movement, kind, amount, currency)?,
            Input::Confirm { broker, currency, lost } => self.confirm(broker, currency, lost)?,
            Input::JournalLacks { batches } => close::stale(self, Cause::JournalLacks { batches })?,
            Input::Open { store, token, plan, facts, rules } => self.open(store, token, plan, facts, rules)?,
            Input::Begin { newest } => self.begin(newest)?,
            Input::Send { newest } => self.send(newest)?,
            Input::Abandon { why } => self.abandon(why)?,
            Input::TakeOver { token, owner, .. } => self.take_over(token, owner)?,
            Input::Reports { reports, .. } => {
                // Most are of an order that is filled: it executed, and ended. And there is what follows from all of them.
                self.records.reserve(reports.len().saturating_mul(2).saturating_add(4));
                for report in reports {
                    reports::report(self, report)?;
                }
            }
            Input::Tick { .. } => {}
            Input::Halt { halt } => self.halt(halt)?,
            Input::Abort { who, why } => self.abort(who, why)?,
            Input::Settle { broker, fills_read } => close::settle(self, broker, fills_read)?,
            Input::Resolve(request) => resolve::resolve(self, request)?,
        }
        advance::advance(self, hold)
    }

    fn record(&mut self, event: Event) -> Result<(), Refusal> {
        // Applied where it stays, and taken out again if it does not apply: a record is large, and there are two for each order.
        self.records.push(Record { at: self.at, event });
        let applied = self.records.last().map_or(Ok(()), |record| apply(self.state.to_mut(), record));
        if applied.is_err() {
            self.records.pop();
        }
        Ok(applied?)
    }

    fn order(&mut self, order: ClientOrderId, event: OrderEvent) -> Result<(), Refusal> {
        self.record(Event::Order { order, event })
    }

    fn batch(&self, wanted: &'static str) -> Result<&Batch, Refusal> {
        self.state.batch.as_ref().ok_or(Refusal::NoBatch { wanted })
    }

    fn definition(&self) -> Result<Arc<Definition>, Refusal> {
        let known = self.state.definition.clone().filter(|_| self.state.standing != Standing::Absent);
        known.ok_or_else(|| Refusal::NoSuchPortfolio { portfolio: self.state.id.to_string() })
    }

    fn no_open_batch(&self) -> Result<(), Refusal> {
        self.state.batch.as_ref().map_or(Ok(()), |batch| Err(Refusal::BatchOpen { batch: batch.id }))
    }

    fn same_currency(&self, what: &'static str, found: Currency) -> Result<(), Refusal> {
        let expected = self.definition()?.currency;
        if found == expected { Ok(()) } else { Err(Refusal::Currency { what, found, expected }) }
    }

    /// Recovery, as a pure decision: a batch of which nothing was sent is abandoned, an old one is unwound, any other goes on.
    fn take_over(&mut self, token: Token, owner: OwnerId) -> Result<(), Refusal> {
        let batch = self.batch("taken over")?;
        let age = self.at.since(batch.opened_at);
        let too_old = age > batch.rules().resume_max;
        let quiet_at = self.at.plus(batch.rules().quiescence);
        let phase = batch.phase;
        self.record(Event::TakenOver { token, owner, quiet_at })?;
        match phase {
            Phase::Planned => {
                let why = "its owner was lost".to_owned();
                close::close(self, Outcome::Abandoned, Some(Cause::NeverSent { why }), None)
            }
            Phase::Forward(_) if too_old => self.record(Event::Unwinding { cause: UnwindCause::TooOld { age } }),
            Phase::Forward(_) | Phase::Unwinding | Phase::Compensating(_) | Phase::Settling { .. } | Phase::Closed => {
                Ok(())
            }
        }
    }

    /// Whatever the mode, no further order goes forward; what the mode adds is the hold.
    fn halt(&mut self, halt: &Halt) -> Result<(), Refusal> {
        match self.batch("halted")?.phase {
            Phase::Planned => {
                let cause = Cause::NeverSent { why: halt.to_string() };
                close::close(self, Outcome::Abandoned, Some(cause), None)
            }
            Phase::Forward(_) => {
                self.record(Event::Unwinding { cause: UnwindCause::Halted { halt: Box::new(halt.clone()) } })
            }
            Phase::Unwinding | Phase::Compensating(_) | Phase::Settling { .. } | Phase::Closed => Ok(()),
        }
    }

    fn abort(&mut self, who: String, why: String) -> Result<(), Refusal> {
        match self.batch("aborted")?.phase {
            Phase::Planned => {
                let why = format!("aborted by {who}: {why}");
                close::close(self, Outcome::Abandoned, Some(Cause::NeverSent { why }), None)
            }
            Phase::Forward(_) => self.record(Event::Unwinding { cause: UnwindCause::Aborted { who, why } }),
            // It is being unwound already, or everything is done.
            Phase::Unwinding | Phase::Compensating(_) | Phase::Settling { .. } | Phase::Closed => {
                Err(Refusal::NoBatch { wanted: "aborted" })
            }
        }
    }
}

#[cfg(test)]
mod tests;
