//! What a person does with a portfolio that is stale or quarantined. What each way requires is decided in `evenkeel_domain::decide`.

use crate::session::{Session, caught};
use crate::{Engine, EngineError};
use evenkeel_domain::decide::{Hold, Input, Report, ResolveAction, ResolveRequest};
use evenkeel_domain::report::BatchReport;
use evenkeel_domain::values::PortfolioId;

/// How a person resolves a portfolio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolve {
    /// The broker's positions and cash become the books. Stale or quarantined.
    Accept,
    /// The restoration of the stale batch is tried again.
    Retry,
    /// The units of before the stale batch were restored by hand; the broker must confirm it.
    Fixed,
}

impl Engine {
    /// Resolves a stale or quarantined portfolio. Each way is followed by a clean comparison with the broker.
    ///
    /// Returns what the batch came to, if a restoration was tried again; it may be stale again.
    ///
    /// # Errors
    /// [`EngineError::Refused`] if there is nothing to resolve that way. After it was resolved: [`EngineError::Quarantined`] if books and broker
    /// disagree again already; [`EngineError::OrdersOpen`] if orders of the batch are still open at the broker, and are being canceled.
    #[tracing::instrument(skip_all, fields(%portfolio, ?how, who))]
    pub async fn resolve(
        &self,
        portfolio: &PortfolioId,
        how: Resolve,
        who: &str,
        why: &str,
    ) -> Result<Option<BatchReport>, EngineError> {
        let mut session = self.open_session(portfolio).await?;
        let done = caught(portfolio, session.resolve(how, who.to_owned(), why.to_owned())).await;
        session.close(done).await
    }
}

impl Session<'_> {
    async fn resolve(&mut self, how: Resolve, who: String, why: String) -> Result<Option<BatchReport>, EngineError> {
        let account = self.account()?;
        let snapshot = self.read_snapshot(&account).await?;
        // What the broker executed in the meantime belongs in the books before anybody judges them.
        let reports: Vec<Report> = snapshot.fills.iter().cloned().map(Report::Fill).collect();
        self.commit(Input::Reports { reports: &reports, hold: Hold::Nothing }).await?;
        let broker = &snapshot.broker;
        let action = match how {
            Resolve::Accept => ResolveAction::Accept { broker },
            Resolve::Fixed => ResolveAction::Fixed { broker },
            Resolve::Retry => ResolveAction::Retry,
        };
        self.commit(Input::Resolve(ResolveRequest { action, who, why })).await?;
        let report = if self.state.batch.is_some() { Some(self.drive().await?) } else { None };
        if self.state.stale_batch().is_none() {
            self.confirm().await?;
        }
        Ok(report)
    }
}
