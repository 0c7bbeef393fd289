//! Somebody who works on one portfolio: what a command asks of its engine, and of its broker.
//!
//! Made by [`Desk::operator`](super::Desk::operator); what is asked of it is in [`crate::operate`].

use super::ManualClock;
use evenkeel_domain::books::Books;
use evenkeel_domain::order::BatchId;
use evenkeel_domain::portfolio::{Portfolio, Standing};
use evenkeel_domain::report::BatchReport;
use evenkeel_domain::values::{AccountId, PortfolioId, StoreId};
use evenkeel_engine::{Engine, EngineError, Reconciled, Resolve};
use evenkeel_ports::{Broker, BrokerError};
use std::sync::Arc;
use std::time::Duration;

/// Somebody who works on one portfolio.
pub(crate) struct Operator {
    pub(super) id: PortfolioId,
    pub(super) account: AccountId,
    pub(super) store: StoreId,
    pub(super) engine: Engine,
    pub(super) broker: Arc<dyn Broker>,
    pub(super) clock: ManualClock,
    /// Where it stood when the work began.
    pub(crate) state: Portfolio,
}

impl Operator {
    pub(super) fn run<T>(&self, work: impl Future<Output = Result<T, EngineError>>) -> Result<T, EngineError> {
        self.clock.run(work).map_err(|stuck| EngineError::Leases { message: stuck.to_string() })?
    }

    /// Tries again while a broker of this simulation is out of reach: its time costs nobody anything.
    fn patiently<T, F: Future<Output = Result<T, EngineError>>>(&self, work: impl Fn() -> F) -> Result<T, EngineError> {
        for _ in 0..60 {
            match self.run(work()) {
                Err(EngineError::Broker { cause: BrokerError::Unavailable { .. }, .. }) => {
                    self.clock.advance(Duration::from_secs(60));
                }
                done => return done,
            }
        }
        self.run(work())
    }

    /// What the broker holds.
    pub(crate) fn broker_books(&self) -> Result<Books, EngineError> {
        let failed = |cause| EngineError::Broker { portfolio: self.id.clone(), cause };
        self.patiently(|| async {
            let positions = self.broker.positions(&self.account).await.map_err(failed)?;
            let cash = self.broker.account(&self.account).await.map_err(failed)?.cash;
            Ok(Books::new(cash, positions.into_iter().map(|position| (position.symbol, position.quantity))))
        })
    }

    /// Batches of this store that the broker has fills of, and the journal has lost.
    pub(crate) fn lost_batches(&self) -> Result<Vec<BatchId>, EngineError> {
        let failed = |cause| EngineError::Broker { portfolio: self.id.clone(), cause };
        self.patiently(|| async {
            let (mut orders, mut read) = (Vec::new(), self.state.fills_read.clone());
            loop {
                let page = self.broker.fills_since(&self.account, read.clone()).await.map_err(failed)?;
                orders.extend(page.fills.iter().filter_map(|fill| fill.order));
                if page.complete || read.as_ref() == Some(&page.next) {
                    return Ok(self.state.lost_batches(self.store, orders));
                }
                read = Some(page.next);
            }
        })
    }

    pub(crate) fn recover(&self) -> Result<Option<BatchReport>, EngineError> {
        self.patiently(|| self.engine.recover_one(&self.id))
    }

    pub(crate) fn reconcile(&self) -> Result<Reconciled, EngineError> {
        self.patiently(|| self.engine.reconcile(&self.id))
    }

    pub(crate) fn resolve(&self, how: Resolve, who: &str, why: &str) -> Result<Option<BatchReport>, EngineError> {
        self.patiently(|| self.engine.resolve(&self.id, how, who, why))
    }

    pub(crate) fn abort(&self, who: &str, why: &str) -> Result<Option<BatchReport>, EngineError> {
        self.patiently(|| self.engine.abort(&self.id, who, why))
    }

    /// True if a person is still needed, as far as this engine knows.
    pub(crate) fn needs_a_person(&self) -> bool {
        let state = self.engine.portfolio(&self.id);
        state.is_some_and(|state| matches!(state.standing, Standing::Stale | Standing::Quarantined { .. }))
    }
}
