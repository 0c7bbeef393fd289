//! The state of one batch and of its orders: what the machine of [`crate::decide`], [`crate::apply`] and [`crate::due`] moves.
//!
//! A batch (table B of the protocol):
//!
//! ```text
//! Planned ──> Forward(first) ──> Forward(second) ──> Settling ──> completed
//!    │             │   a leg failed     │               │
//!    │             └───────> Unwinding <┘               ├───────> restored
//!    │                           │ every order ended    │
//!    │                           v                      │
//!    │                     Compensating ────────────────┘
//!    v                           v residual, or an outcome that stays unknown
//! abandoned                    stale
//! ```
//!
//! Nothing here decides; this module answers questions about what is.

mod fill_ids;
mod order;
mod orders;

pub use fill_ids::FillIds;
pub use order::{BookingError, Order, OrderState};
pub use orders::{Orders, OrdersIter};

use crate::order::{BatchId, ClientOrderId, Direction, LegNumber, Side};
use crate::plan::{Leg, Stages};
use crate::record::{Closing, Opening, Outcome, Residual, Rules, Stage, UnwindCause};
use crate::values::{Money, Overflow, Quantity, QuantityError, Rounding, Symbol, Timestamp, Token};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One batch: the plan, its orders so far, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Batch {
    /// Which.
    pub id: BatchId,
    /// The plan, and the rules it is executed under.
    pub opening: Arc<Opening>,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// The newest lease it is executed under.
    pub token: Token,
    /// The books at its opening.
    pub before: crate::books::Books,
    /// Where it stands.
    pub phase: Phase,
    /// Why it is being unwound, once it is.
    pub unwinding: Option<UnwindCause>,
    /// Legs that were not sent after all, when the second stage was sized.
    pub dropped: Vec<crate::plan::Skip>,
    /// Reverse attempts are allowed up to this number.
    pub attempts: u8,
    /// Every order so far.
    pub orders: Orders,
    /// How it ended, once it has.
    pub closing: Option<Closing>,
}

/// Where a batch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Phase {
    /// Opened; nothing was sent and nothing may be, until the first intents.
    Planned,
    /// Orders of this stage are being executed.
    Forward(Stage),
    /// Open orders are being ended, so that what was executed is known.
    Unwinding,
    /// What was executed is being traded back.
    Compensating(Stage),
    /// Books and broker are being compared.
    Settling {
        /// What the batch will have come to if they agree.
        outcome: Outcome,
        /// Since when.
        since: Timestamp,
    },
    /// It is over.
    Closed,
}

impl Batch {
    /// The leg of this number: that at its place, where every plan has put it.
    #[must_use]
    pub fn leg(&self, number: LegNumber) -> Option<&Leg> {
        self.opening.legs.get(usize::from(number.get())).filter(|leg| leg.number == number)
    }

    /// The orders of one leg and direction, first attempt first.
    pub fn attempts_of(
        &self,
        leg: LegNumber,
        direction: Direction,
    ) -> impl DoubleEndedIterator<Item = (ClientOrderId, &Order)> {
        self.orders.attempts_of(self.id, leg, direction)
    }

    /// The last order of one leg and direction.
    #[must_use]
    pub fn last_attempt(&self, leg: LegNumber, direction: Direction) -> Option<(ClientOrderId, &Order)> {
        self.attempts_of(leg, direction).next_back()
    }

    /// The legs of one stage, in execution order. The stages that undo name the legs they take back.
    pub fn legs_of(&self, stage: Stage) -> impl Iterator<Item = &Leg> {
        let stages = self.opening.stages;
        self.opening.legs.iter().filter(move |leg| match (stage, stages) {
            (Stage::First, Stages::Together) => true,
            (Stage::Second, Stages::Together) => false,
            (Stage::First | Stage::UndoSells, _) => leg.terms.side == Side::Sell,
            (Stage::Second | Stage::UndoBuys, _) => leg.terms.side == Side::Buy,
        })
    }

    /// Units executed forward minus units executed back, for one leg. An overfilled reversal is an error: more came back than went.
    ///
    /// # Errors
    /// [`QuantityError::WouldBeNegative`] if more was taken back than was executed.
    pub fn unrestored(&self, leg: LegNumber) -> Result<Quantity, QuantityError> {
        self.executed(leg, Direction::Forward)?.sub(self.executed(leg, Direction::Reverse)?)
    }

    /// Units executed for one leg and direction, over all attempts.
    ///
    /// # Errors
    /// [`QuantityError::Overflow`] beyond the maximum of [`Quantity`].
    pub fn executed(&self, leg: LegNumber, direction: Direction) -> Result<Quantity, QuantityError> {
        self.attempts_of(leg, direction).try_fold(Quantity::ZERO, |sum, (_, order)| sum.add(order.filled))
    }

    /// What each symbol is off by against before the batch. Empty means restored: every symbol holds its units of before.
    ///
    /// # Errors
    /// [`QuantityError::Overflow`] beyond the maximum of [`Quantity`].
    pub fn residual(&self) -> Result<Vec<Residual>, QuantityError> {
        let mut net: BTreeMap<Symbol, (Quantity, Quantity)> = BTreeMap::new();
        for order in self.orders.values() {
            let (bought, sold) = net.entry(order.terms.symbol).or_default();
            let sum = if order.terms.side == Side::Buy { bought } else { sold };
            *sum = sum.add(order.filled)?;
        }
        let residual = net.into_iter().filter(|(_, (bought, sold))| bought != sold).map(|(symbol, (bought, sold))| {
            let (side, more, less) = if bought > sold { (Side::Buy, bought, sold) } else { (Side::Sell, sold, bought) };
            Ok(Residual { symbol, side, quantity: more.sub(less)? })
        });
        residual.collect()
    }

    /// Cash that went out minus cash that came in, fees included; and the fees in it.
    ///
    /// # Errors
    /// [`Overflow`] beyond the maximum of [`Money`].
    pub fn cost(&self) -> Result<(Money, Money), Overflow> {
        let mut cost = Money::ZERO;
        let mut fees = Money::ZERO;
        for order in self.orders.values() {
            fees = fees.add(order.fees)?;
            cost = match order.terms.side {
                Side::Buy => cost.add(order.booked)?,
                Side::Sell => cost.sub(order.booked)?,
            };
        }
        Ok((cost.add(fees)?, fees))
    }

    /// What its forward orders moved of cash, buys and sells together, without fees.
    ///
    /// # Errors
    /// [`Overflow`] beyond the maximum of [`Money`].
    pub fn forward_amount(&self) -> Result<Money, Overflow> {
        let forward = self.orders.iter().filter(|(id, _)| id.direction == Direction::Forward);
        Money::sum(forward.map(|(_, order)| order.booked))
    }

    /// What the difference between planned and executed prices has cost, there and back: the sum of every [`Trade`]'s slippage, and rounded as those
    /// are. Below zero if it was a gain.
    ///
    /// # Errors
    /// [`Overflow`] beyond the maximum of [`Money`].
    ///
    /// [`Trade`]: crate::report::Trade
    pub fn slippage(&self) -> Result<Money, Overflow> {
        let mut sum = Money::ZERO;
        let mut orders = self.orders.iter().peekable();
        // Attempts of one leg and direction stand together.
        while let Some((id, order)) = orders.next() {
            let (mut filled, mut booked) = (order.filled, order.booked);
            while let Some((_, next)) = orders.next_if(|(next, _)| (next.leg, next.direction) == (id.leg, id.direction))
            {
                filled = Quantity::from_nanos(filled.nanos().saturating_add(next.filled.nanos()))?;
                booked = booked.add(next.booked)?;
            }
            let planned = match self.leg(id.leg) {
                Some(leg) => leg.amount_of(filled)?,
                None => order.terms.reference.times(filled).to_money(Rounding::HalfEven)?,
            };
            sum = sum.add(slippage(order.terms.side, booked, planned)?)?;
        }
        Ok(sum)
    }

    /// The rules it is executed under.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.opening.rules
    }

    /// True once any order may have reached the broker.
    #[must_use]
    pub fn was_sent(&self) -> bool {
        !self.orders.is_empty()
    }
}

/// What units at an `amount` have cost beside what they come to at the planned price.
pub(crate) fn slippage(side: Side, amount: Money, planned: Money) -> Result<Money, Overflow> {
    match side {
        Side::Buy => amount.sub(planned),
        Side::Sell => planned.sub(amount),
    }
}
