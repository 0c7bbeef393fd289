//! How a batch comes to its first orders: opened, begun, and looked at once more before anything is sent.
//!
//! Opening and first intents may be one commit. What has changed while that was written is noticed before the first order is sent: then
//! the intents are withdrawn and the batch is abandoned, as long as none of them can have left.

use super::{Draft, Refusal, advance, close, opens_in_order};
use crate::batch::{Batch, Order, OrderState, Phase};
use crate::books::Prices;
use crate::limits::{Checks, Facts, LimitError};
use crate::order::ClientOrderId;
use crate::plan::Plan;
use crate::portfolio::{Portfolio, Standing};
use crate::record::{Cause, Event, Opening, OrderEvent, Outcome, Rules, Stage};
use crate::values::{StoreId, Timestamp, Token};
use std::sync::Arc;

impl Draft<'_> {
    pub(super) fn open(
        &mut self,
        store: StoreId,
        token: Token,
        plan: &Plan,
        facts: Facts,
        rules: Rules,
    ) -> Result<(), Refusal> {
        self.same_currency("the plan", plan.currency)?;
        self.no_open_batch()?;
        match self.state.standing {
            Standing::Active => {}
            Standing::Stale => return Err(Refusal::Stale),
            Standing::Quarantined { .. } => return Err(Refusal::Quarantined),
            Standing::Absent | Standing::Rebalancing => return Err(Refusal::NoBatch { wanted: "opened" }),
        }
        opens_in_order(&self.state, self.at)?;
        if !plan.worthwhile {
            return Err(Refusal::NothingToSend);
        }
        if crate::order::Attempt::new(rules.attempts).is_none() {
            return Err(Refusal::Attempts { attempts: rules.attempts });
        }
        rules.limits.check(&self.state, &plan.legs, facts, self.at)?;
        let batch = self.state.batch_id(store, self.state.sequence.next()?);
        self.record(Event::Opened(Arc::new(Opening {
            batch,
            token,
            measure: plan.assessment.measure.to_owned(),
            drift: plan.assessment.drift,
            legs: plan.legs.clone(),
            skipped: plan.skipped.clone(),
            stages: plan.stages,
            facts,
            rules,
        })))
    }

    /// The orders of the first stage: all legs, or the sells.
    pub(super) fn begin(&mut self, newest: &Prices) -> Result<(), Refusal> {
        let batch = self.batch("begun")?;
        if batch.phase != Phase::Planned {
            return Err(Refusal::NoBatch { wanted: "begun" });
        }
        match allowed(&self.state, batch, self.at, newest) {
            Ok(checks) => {
                let legs = batch.legs_of(Stage::First);
                let orders = legs.map(|leg| advance::intent(batch, leg, leg.terms.quantity, self.at)).collect();
                let (dropped, checks) = (Vec::new(), Some(checks));
                self.record(Event::Intended { stage: Stage::First, orders, dropped, checks })
            }
            Err(limit) => self.call_off("begun", Cause::Limited { limit }),
        }
    }

    /// Time has passed since the orders were intended, and prices may have moved.
    pub(super) fn send(&mut self, newest: &Prices) -> Result<(), Refusal> {
        let batch = self.unsent("sent")?;
        match allowed(&self.state, batch, self.at, newest) {
            Ok(_) => Ok(()),
            Err(limit) => self.call_off("sent", Cause::Limited { limit }),
        }
    }

    pub(super) fn abandon(&mut self, why: String) -> Result<(), Refusal> {
        self.call_off("abandoned", Cause::NeverSent { why })
    }

    fn call_off(&mut self, wanted: &'static str, cause: Cause) -> Result<(), Refusal> {
        let intended: Vec<ClientOrderId> = self.unsent(wanted)?.orders.ids().collect();
        for order in intended {
            self.order(order, OrderEvent::Withdrawn)?;
        }
        close::close(self, Outcome::Abandoned, Some(cause), None)
    }

    /// The open batch, if whoever opened it can still say that nothing of it was sent.
    fn unsent(&self, wanted: &'static str) -> Result<&Batch, Refusal> {
        let batch = self.batch(wanted)?;
        let is_unsent = |order: &Order| order.state == OrderState::Intent && order.unknown_since.is_none();
        match batch.phase {
            Phase::Planned => Ok(batch),
            Phase::Forward(Stage::First) if batch.orders.values().all(is_unsent) => Ok(batch),
            Phase::Forward(_) | Phase::Unwinding | Phase::Compensating(_) | Phase::Settling { .. } | Phase::Closed => {
                Err(Refusal::NoBatch { wanted })
            }
        }
    }
}

/// The limits, held against the whole batch as it was planned (what is sent later is never more), and its collar against the newest prices.
fn allowed(portfolio: &Portfolio, batch: &Batch, at: Timestamp, newest: &Prices) -> Result<Checks, LimitError> {
    let (limits, legs) = (batch.rules().limits, &batch.opening.legs);
    let checks = limits.check(portfolio, legs, batch.opening.facts, at)?;
    Ok(Checks { moved: limits.check_prices(legs, newest)?, ..checks })
}
