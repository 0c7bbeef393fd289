//! Comparing books and broker without trading: at the start, from time to time, and whenever a person wants to know.
//!
//! The same comparison comes before every batch ([`Engine::rebalance`]); what a difference means is decided in `evenkeel_domain::decide`: late fills are
//! booked, anything else quarantines, and a clean comparison ends a quarantine. A difference is never traded away.

use crate::session::{Session, caught};
use crate::snapshot::{Snapshot, snapshot};
use crate::{Engine, EngineError};
use evenkeel_domain::decide::{Hold, Input, Report, decide};
use evenkeel_domain::portfolio::{Portfolio, Standing, compare};
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
    /// Where nothing has to be recorded, it takes no lease and writes nothing.
    ///
    /// # Errors
    /// [`EngineError`] if the broker, the journal or the lease store cannot be asked; [`EngineError::OrdersOpen`] if orders of earlier batches are open.
    #[tracing::instrument(skip_all, fields(%portfolio))]
    pub async fn reconcile(&self, portfolio: &PortfolioId) -> Result<Reconciled, EngineError> {
        let passing = caught(portfolio, async {
            let state = self.load(portfolio).await?;
            self.compare_in_passing(&state).await
        });
        match passing.await? {
            Some(reconciled) => Ok(reconciled),
            None => self.reconcile_and_record(portfolio).await,
        }
    }

    /// Compares without a lease, which writes nothing. `None` if something would have to be recorded.
    pub(crate) async fn compare_in_passing(&self, state: &Portfolio) -> Result<Option<Reconciled>, EngineError> {
        if self.signals.stopping().is_some() || !state.is_looked_after() || state.batch.is_some() {
            return Ok(None); // To be refused, or finished first.
        }
        let Some(definition) = &state.definition else { return Ok(None) };
        let broker = &*self.ports.broker;
        let asking = |cause| EngineError::Broker { portfolio: state.id.clone(), cause };
        let found = snapshot(broker, &definition.account, state.fills_read.clone()).await.map_err(asking)?;
        match state.standing {
            Standing::Stale => return Ok(Some(Reconciled::Stale(compare(&state.books, &found.broker)))),
            Standing::Active => {}
            Standing::Absent | Standing::Rebalancing | Standing::Quarantined { .. } => return Ok(None),
        }
        let store = self.ports.journal.store_id().await.map_err(EngineError::Journal)?;
        let lost = state.lost_batches(store, found.fills.iter().filter_map(|fill| fill.order));
        let Snapshot { fills, broker: books, currency, .. } = found;
        let reports: Vec<Report> = fills.into_iter().map(Report::Fill).collect();
        let now = self.ports.clock.now();
        let says_nothing = |input| decide(state, now, input).is_ok_and(|records| records.is_empty());
        if !says_nothing(Input::Reports { reports: &reports, hold: Hold::Nothing })
            || !says_nothing(Input::Confirm { broker: &books, currency, lost: &lost })
        {
            return Ok(None);
        }
        let open = broker.open_orders(&definition.account).await.map_err(asking)?;
        Ok((open.orders.is_empty() && open.complete).then_some(Reconciled::Agree))
    }

    /// The same under the lease.
    pub(crate) async fn reconcile_and_record(&self, portfolio: &PortfolioId) -> Result<Reconciled, EngineError> {
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
            return Ok(Reconciled::Stale(compare(&self.state.books, &broker)));
        }
        match self.confirm().await {
            // Whether the broker takes orders is no matter of the books.
            Ok(_) | Err(EngineError::AccountBlocked { .. }) => Ok(Reconciled::Agree),
            Err(EngineError::Quarantined { differences, .. }) => Ok(Reconciled::Differ(differences)),
            Err(error) => Err(error),
        }
    }
}
