//! Comparing books and broker without trading: at the start, from time to time, and whenever a person wants to know.
//!
//! The same comparison comes before every batch ([`Engine::rebalance`]); what a difference means is decided in `evenkeel_domain::decide`: late fills are
//! booked, anything else quarantines, and a clean comparison ends a quarantine. A difference is never traded away.

use crate::session::{Session, caught};
use crate::{Engine, EngineError};
use evenkeel_domain::portfolio::Standing;
use evenkeel_domain::record::Difference;
use evenkeel_domain::values::PortfolioId;

/// What a comparison came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reconciled {
    /// Books and broker agree, to the cent and the last unit, over every symbol that either has.
    Agree,
    /// They do not: the portfolio is quarantined until they do, or a person accepts the broker's.
    Differ(Vec<Difference>),
    /// It is stale: what is compared then is for a person to see, and nothing of it is recorded.
    Stale(Vec<Difference>),
}

impl Engine {
    /// Compares the books of a portfolio with the broker, and records what follows. An open batch is finished first.
    ///
    /// # Errors
    /// [`EngineError`] if the broker, the journal or the lease store cannot be asked; [`EngineError::OrdersOpen`] if orders of earlier batches are open.
    #[tracing::instrument(skip_all, fields(%portfolio))]
    pub async fn reconcile(&self, portfolio: &PortfolioId) -> Result<Reconciled, EngineError> {
        let mut session = self.open_session(portfolio).await?;
        let done = caught(portfolio, session.reconcile()).await;
        session.close(done).await
    }
}

impl Session<'_> {
    async fn reconcile(&mut self) -> Result<Reconciled, EngineError> {
        self.finish_open_batch().await?;
        if self.state.standing == Standing::Stale {
            let account = self.account()?;
            let broker = self.read_snapshot(&account).await?.broker;
            return Ok(Reconciled::Stale(evenkeel_domain::portfolio::compare(&self.state.books, &broker)));
        }
        match self.confirm().await {
            // Whether the broker takes orders is no matter of the books.
            Ok(_) | Err(EngineError::AccountBlocked { .. }) => Ok(Reconciled::Agree),
            Err(EngineError::Quarantined { differences, .. }) => Ok(Reconciled::Differ(differences)),
            Err(error) => Err(error),
        }
    }
}
