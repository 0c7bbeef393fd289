//! Portfolios added, changed and removed; cash that came or went; alerts delivered.

use crate::session::caught;
use crate::{Engine, EngineError};
use evenkeel_domain::books::{Books, Definition};
use evenkeel_domain::decide::{Input, Refusal};
use evenkeel_domain::record::Movement;
use evenkeel_domain::values::{Currency, Money, MovementId, PortfolioId};

/// How many alerts are read from the outbox at once.
const ALERTS_AT_ONCE: usize = 100;

impl Engine {
    /// Adds a portfolio with what it owns. The first rebalance compares that with the broker.
    ///
    /// # Errors
    /// [`EngineError::Refused`] if it exists already, or its account belongs to another portfolio.
    #[tracing::instrument(skip_all, fields(%portfolio))]
    pub async fn add(&self, portfolio: &PortfolioId, definition: Definition, books: Books) -> Result<(), EngineError> {
        self.account_is_free(portfolio, &definition)?;
        self.record(portfolio, Input::Add { definition, books }).await
    }

    /// Changes what a portfolio is. Not while a batch is open: each batch is executed under the definition it was planned with.
    ///
    /// # Errors
    /// [`EngineError::Refused`] if a batch is open, there is no such portfolio, or the currency is another.
    #[tracing::instrument(skip_all, fields(%portfolio))]
    pub async fn change(&self, portfolio: &PortfolioId, definition: Definition) -> Result<(), EngineError> {
        self.account_is_free(portfolio, &definition)?;
        self.record(portfolio, Input::Change { definition }).await
    }

    /// Stops looking after a portfolio. Nothing is sold.
    ///
    /// # Errors
    /// [`EngineError::Refused`] if a batch is open, it is stale, or there is no such portfolio.
    #[tracing::instrument(skip_all, fields(%portfolio))]
    pub async fn remove(&self, portfolio: &PortfolioId) -> Result<(), EngineError> {
        self.record(portfolio, Input::Remove).await
    }

    /// Records cash that came in at the broker. Recording the same movement twice changes nothing.
    ///
    /// # Errors
    /// [`EngineError::Refused`] for an amount of zero or less, another currency, or a known movement with another amount.
    #[tracing::instrument(skip_all, fields(%portfolio, %movement))]
    pub async fn deposit(
        &self,
        portfolio: &PortfolioId,
        movement: MovementId,
        amount: Money,
        currency: Currency,
    ) -> Result<(), EngineError> {
        self.record(portfolio, Input::MoveCash { movement, kind: Movement::Deposit, amount, currency }).await
    }

    /// Records cash that went out at the broker. Recording the same movement twice changes nothing.
    ///
    /// # Errors
    /// As [`deposit`](Engine::deposit), and if the books do not have that much.
    #[tracing::instrument(skip_all, fields(%portfolio, %movement))]
    pub async fn withdraw(
        &self,
        portfolio: &PortfolioId,
        movement: MovementId,
        amount: Money,
        currency: Currency,
    ) -> Result<(), EngineError> {
        self.record(portfolio, Input::MoveCash { movement, kind: Movement::Withdrawal, amount, currency }).await
    }

    /// Tells people what the journal's outbox holds, oldest first; each alert is acknowledged once it was delivered. Returns how many were.
    ///
    /// Stops at the first that cannot be delivered: it and the rest stay in the outbox for the next call.
    ///
    /// # Errors
    /// [`EngineError::Journal`] if the outbox cannot be read or written.
    pub async fn deliver_alerts(&self) -> Result<usize, EngineError> {
        let mut delivered = 0_usize;
        loop {
            let pending = self.ports.journal.pending_alerts(ALERTS_AT_ONCE).await.map_err(EngineError::Journal)?;
            if pending.is_empty() {
                return Ok(delivered);
            }
            for alert in pending {
                if let Err(error) = self.ports.notifier.notify(&alert).await {
                    tracing::warn!(%error, "an alert was not delivered");
                    return Ok(delivered);
                }
                self.ports.journal.acknowledge_alert(&alert).await.map_err(EngineError::Journal)?;
                delivered = delivered.saturating_add(1);
            }
        }
    }

    async fn record(&self, portfolio: &PortfolioId, input: Input<'_>) -> Result<(), EngineError> {
        let mut session = self.open_session(portfolio).await?;
        let done = caught(portfolio, session.commit(input)).await;
        session.close(done).await
    }

    /// One portfolio is one account: two would each take the other's trades for errors.
    fn account_is_free(&self, portfolio: &PortfolioId, definition: &Definition) -> Result<(), EngineError> {
        let known = self.board.known();
        let owners = known.accounts.get(&definition.account);
        match owners.and_then(|owners| owners.iter().find(|owner| *owner != portfolio)) {
            None => Ok(()),
            Some(other) => Err(EngineError::Refused {
                portfolio: portfolio.clone(),
                cause: Refusal::AccountTaken { account: definition.account.clone(), by: other.clone() },
            }),
        }
    }
}
