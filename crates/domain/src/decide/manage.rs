//! What happens to a portfolio while no batch is open: it is added, changed, removed, given cash, and compared with the broker.
//!
//! Nothing here is about orders; what a person does with a blocked portfolio is in `resolve.rs`.

use super::{Draft, Refusal};
use crate::books::{Books, Definition};
use crate::order::BatchId;
use crate::portfolio::{Standing, compare};
use crate::record::{Difference, Event, Movement};
use crate::values::{Currency, Money, MovementId};
use std::sync::Arc;

impl Draft<'_> {
    pub(super) fn add(&mut self, definition: Definition, books: Books) -> Result<(), Refusal> {
        if self.state.standing != Standing::Absent {
            return Err(Refusal::AlreadyThere { portfolio: self.state.id.to_string() });
        }
        self.record(Event::Added { definition: Arc::new(definition), books })
    }

    pub(super) fn change(&mut self, definition: Definition) -> Result<(), Refusal> {
        self.same_currency("the new definition", definition.currency)?;
        self.no_open_batch()?;
        if *self.definition()? == definition {
            return Ok(());
        }
        self.record(Event::Changed { definition: Arc::new(definition) })
    }

    pub(super) fn remove(&mut self) -> Result<(), Refusal> {
        self.definition()?;
        self.no_open_batch()?;
        if self.state.standing == Standing::Stale {
            return Err(Refusal::Stale);
        }
        self.record(Event::Removed)
    }

    pub(super) fn move_cash(
        &mut self,
        movement: MovementId,
        kind: Movement,
        amount: Money,
        currency: Currency,
    ) -> Result<(), Refusal> {
        self.same_currency("the movement", currency)?;
        if !amount.is_positive() {
            return Err(Refusal::NotPositive { amount });
        }
        let signed = if kind == Movement::Deposit { amount } else { amount.negate() };
        match self.state.movements.get(&movement) {
            Some(recorded) if *recorded == signed => return Ok(()),
            Some(recorded) => return Err(Refusal::MovementDiffers { movement, recorded: *recorded }),
            None => {}
        }
        // A batch counts on the cash it was planned with.
        self.no_open_batch()?;
        let cash = self.state.books.cash;
        if kind == Movement::Withdrawal && amount > cash {
            return Err(Refusal::NotEnoughCash { amount, cash });
        }
        self.record(Event::CashMoved { movement, kind, amount })
    }

    pub(super) fn confirm(&mut self, broker: &Books, currency: Currency, lost: &[BatchId]) -> Result<(), Refusal> {
        self.same_currency("the broker's account", currency)?;
        self.no_open_batch()?;
        let mut differences = compare(&self.state.books, broker);
        differences.extend(lost.iter().map(|batch| Difference::Batch { batch: *batch }));
        match (&self.state.standing, differences.is_empty()) {
            (Standing::Active, false) => self.record(Event::Quarantined { differences }),
            (Standing::Quarantined { differences: known }, false) if *known != differences => {
                self.record(Event::Quarantined { differences })
            }
            (Standing::Quarantined { .. }, true) => self.record(Event::Released),
            (Standing::Active, true)
            | (Standing::Quarantined { .. }, false)
            | (Standing::Absent | Standing::Rebalancing | Standing::Stale, _) => Ok(()),
        }
    }
}
