//! The whole rebalance: lease, what is open, snapshot, plan, batch, settle, release. Read it from top to bottom.

use crate::session::{Session, caught};
use crate::{Engine, EngineError};
use evenkeel_domain::books::Market;
use evenkeel_domain::decide::{Input, opens_in_order};
use evenkeel_domain::limits::Facts;
use evenkeel_domain::order::Terms;
use evenkeel_domain::plan::{self, Plan, Trigger, Venue};
use evenkeel_domain::portfolio::{Portfolio, Standing};
use evenkeel_domain::report::BatchReport;
use evenkeel_domain::values::{PortfolioId, Timestamp};
use std::sync::Arc;

/// What a rebalance came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rebalanced {
    /// A batch was executed and closed, this way. A stale batch is one of them.
    Batch(Box<BatchReport>),
    /// The portfolio is inside its band.
    InBand(Box<Plan>),
    /// It is out of band, but no order for what is out of band would be worth sending.
    NotWorthwhile {
        /// What would be done, and why each leg is left out.
        plan: Box<Plan>,
        /// True the first time, and whenever what is out of band has changed.
        news: bool,
    },
}

impl Engine {
    /// Brings a portfolio back if it is out of band, at the last prices that [`on_wave`](Engine::on_wave) was given.
    ///
    /// Done when the batch is closed in the journal and the lease is released. A batch that a crash left open is finished first.
    ///
    /// # Errors
    /// [`EngineError`]: nothing was traded, or the batch stays open in the journal and is recovered by whoever comes next.
    #[tracing::instrument(skip_all, fields(%portfolio))]
    pub async fn rebalance(&self, portfolio: &PortfolioId) -> Result<Rebalanced, EngineError> {
        self.rebalance_if(portfolio, Trigger::Band).await
    }

    /// Brings a portfolio to its targets now, whatever its band and its pause say.
    ///
    /// # Errors
    /// As [`rebalance`](Engine::rebalance).
    #[tracing::instrument(skip_all, fields(%portfolio))]
    pub async fn rebalance_now(&self, portfolio: &PortfolioId) -> Result<Rebalanced, EngineError> {
        self.rebalance_if(portfolio, Trigger::Now).await
    }

    async fn rebalance_if(&self, portfolio: &PortfolioId, trigger: Trigger) -> Result<Rebalanced, EngineError> {
        let mut session = self.open_session(portfolio).await?;
        let done = caught(portfolio, session.rebalance(trigger)).await;
        session.close(done).await
    }

    /// What [`rebalance`](Engine::rebalance) would do at the last known prices. Takes no lease and asks nothing of the broker but its `check`.
    ///
    /// # Errors
    /// [`EngineError::NoSuchPortfolio`], [`EngineError::Plan`], or a journal that cannot be read.
    pub async fn preview(&self, portfolio: &PortfolioId) -> Result<Plan, EngineError> {
        let state = self.load(portfolio).await?;
        Ok(self.plan(&state, Trigger::Band)?.plan)
    }

    fn plan(&self, state: &Portfolio, trigger: Trigger) -> Result<Planned, EngineError> {
        let portfolio = state.id.clone();
        let Some(definition) = state.definition.as_ref().filter(|_| state.standing != Standing::Absent) else {
            return Err(EngineError::NoSuchPortfolio { portfolio });
        };
        let broker = &self.ports.broker;
        let capabilities = broker.capabilities();
        let check = |terms: &Terms| broker.check(&definition.account, terms);
        let venue = Venue { capabilities: &capabilities, check: &check, attempts: self.settings.attempts };
        let prices = self.board.prices();
        let market = Market { prices: &prices, now: self.ports.clock.now(), max_age: self.settings.max_price_age };
        let plan = plan::plan(&state.books, definition, market, venue, trigger)
            .map_err(|cause| EngineError::Plan { portfolio, cause })?;
        let oldest_price = prices.oldest(plan.legs.iter().map(|leg| leg.terms.symbol)).unwrap_or(market.now);
        Ok(Planned { plan, oldest_price })
    }
}

/// A plan, and when the oldest price was made that a leg of it is sized by.
struct Planned {
    plan: Plan,
    oldest_price: Timestamp,
}

impl Session<'_> {
    async fn rebalance(&mut self, trigger: Trigger) -> Result<Rebalanced, EngineError> {
        self.finish_open_batch().await?;
        self.may_trade(trigger)?;
        self.not_halted().await?;
        let confirmed = self.confirm().await?;

        let Planned { plan, oldest_price } = self.engine.plan(&self.state, trigger)?;
        if trigger == Trigger::Band && !plan.assessment.is_out_of_band() {
            return Ok(Rebalanced::InBand(Box::new(plan)));
        }
        if !plan.worthwhile {
            let news = self.engine.board.known().is_news(self.id(), &plan);
            return Ok(Rebalanced::NotWorthwhile { plan: Box::new(plan), news });
        }

        self.begin(&plan, Facts { oldest_price, closes_at: confirmed.closes_at }).await?;
        let report = self.drive().await?;
        Ok(Rebalanced::Batch(Box::new(report)))
    }

    fn may_trade(&self, trigger: Trigger) -> Result<(), EngineError> {
        let portfolio = self.id().clone();
        let refused = |cause| EngineError::Refused { portfolio: portfolio.clone(), cause };
        opens_in_order(&self.state, self.clock().now()).map_err(refused)?;
        match &self.state.standing {
            Standing::Absent => return Err(EngineError::NoSuchPortfolio { portfolio }),
            Standing::Stale => return Err(EngineError::Stale { portfolio }),
            // A clean comparison ends a quarantine, so it is compared first.
            Standing::Active | Standing::Rebalancing | Standing::Quarantined { .. } => {}
        }
        match self.state.pause {
            Some(pause) if trigger == Trigger::Band && self.clock().now() < pause.until => {
                Err(EngineError::Paused { portfolio, until: pause.until })
            }
            _ => Ok(()),
        }
    }

    /// Opens the batch and intends its first orders, in one commit; nothing is sent yet.
    async fn begin(&mut self, plan: &Plan, facts: Facts) -> Result<(), EngineError> {
        let store = self.engine.ports.journal.store_id().await.map_err(EngineError::Journal)?;
        let capabilities = self.engine.ports.broker.capabilities();
        let definition = self.state.definition.as_ref();
        let minimum = definition.map(|definition| definition.policy.minimum_order).unwrap_or_default();
        let rules = self.engine.settings.rules(&capabilities, minimum, plan.valuation.held_back);
        let open = Input::Open { store, token: self.lease.token, plan, facts, rules };
        let opening =
            self.decide([open, self.stopped().unwrap_or(Input::Begin { newest: &self.engine.board.prices() })])?;
        self.carry_out(opening).await?;
        // From here on nobody should judge it by what it was before.
        self.engine.board.put(Arc::clone(&self.state));
        if let Some(batch) = &self.state.batch {
            tracing::info!(batch = %batch.id, legs = plan.legs.len(), drift = %plan.assessment.drift, "batch opened");
            // While that was committed waves may have come, or a wish to stop.
            let sending =
                self.decide([self.stopped().unwrap_or(Input::Send { newest: &self.engine.board.prices() })])?;
            self.carry_out(sending).await?;
        }
        Ok(())
    }

    /// What becomes of a batch of which nothing was sent, if the engine is stopping.
    fn stopped(&self) -> Option<Input<'static>> {
        self.engine.signals.stopping().map(|_| Input::Abandon { why: "the engine is stopping".to_owned() })
    }
}
