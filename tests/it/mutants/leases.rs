//! Broken lease stores.

use super::{each_is_caught, let_others_go_on};
use async_trait::async_trait;
use evenkeel_conformance::leases::{LeaseRig, report};
use evenkeel_conformance::{Cannot, Check, Report, Rig, Stop};
use evenkeel_domain::values::{OwnerId, PortfolioId, Timestamp, Token};
use evenkeel_memory::{ManualClock, MemoryLeases};
use evenkeel_ports::{AcquireError, HoldError, Lease, LeaseStore, LeaseTerms};
use futures_util::future::BoxFuture;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What is wrong with a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    Nothing,
    TokensDoNotGrow,
    TokensBeginAnewAfterRelease,
    TokensBeginAnewAfterRestart,
    TwoHoldersByARace,
    TheHolderIsGrantedItAgain,
    BusyNamesTheCeiling,
    BusyNamesTheFirstHeartbeat,
    BusyGoesBeyondTheCeiling,
    AskingAgainRenews,
    ARestartIsAGrant,
    OneLeaseForAllPortfolios,
    GrantedAtIsZero,
    TermsAreTheCallers,
    HeartbeatIgnored,
    HeartbeatAMomentLate,
    RenewalDoesNothing,
    RenewalMovesTheCeiling,
    ExpiryIgnored,
    ReleaseWaitsForTheHeartbeat,
    AStrangerRenews,
    AStrangerReleases,
    AnOldTokenRenews,
    AnOldTokenReleases,
    ReleasingTwiceIsFine,
    RenewalRevives,
    RenewalRevivesWhatWasReleased,
}

#[derive(Clone)]
struct BrokenLeases {
    flaw: Flaw,
    clock: ManualClock,
    /// When anybody last took or renewed a lease.
    renewed_at: Arc<Mutex<Timestamp>>,
    state: Arc<Mutex<State>>,
}

struct State {
    inner: MemoryLeases,
    /// The last lease of each portfolio: as it was shown, and as the inner store knows it.
    last: BTreeMap<PortfolioId, (Lease, Lease)>,
}

const ENDLESS: Duration = Duration::from_secs(1_000_000);

impl BrokenLeases {
    fn new(flaw: Flaw) -> Self {
        let clock = ManualClock::new(Timestamp::EPOCH.plus(Duration::from_secs(1_000_000)));
        let inner = MemoryLeases::new(Arc::new(clock.clone()));
        let renewed_at = Arc::new(Mutex::new(Timestamp::EPOCH));
        Self { flaw, clock, renewed_at, state: Arc::new(Mutex::new(State { inner, last: BTreeMap::new() })) }
    }

    fn inner(&self) -> MemoryLeases {
        self.state.lock().unwrap().inner.clone()
    }

    fn last(&self, portfolio: &PortfolioId) -> Option<(Lease, Lease)> {
        self.state.lock().unwrap().last.get(portfolio).cloned()
    }

    fn remember(&self, shown: &Lease, real: Lease) {
        self.state.lock().unwrap().last.insert(shown.portfolio.clone(), (shown.clone(), real));
    }

    fn forget_everything(&self) {
        self.state.lock().unwrap().inner = MemoryLeases::new(Arc::new(self.clock.clone()));
    }

    /// The portfolio, as the inner store is to know it.
    fn key(&self, portfolio: &PortfolioId) -> PortfolioId {
        if self.flaw == Flaw::OneLeaseForAllPortfolios { "all".parse().unwrap() } else { portfolio.clone() }
    }

    fn bent(&self, terms: LeaseTerms) -> LeaseTerms {
        match self.flaw {
            Flaw::HeartbeatIgnored => LeaseTerms { heartbeat: terms.expiry, ..terms },
            Flaw::HeartbeatAMomentLate => LeaseTerms { heartbeat: terms.heartbeat + Duration::from_millis(1), ..terms },
            Flaw::ExpiryIgnored => LeaseTerms { expiry: ENDLESS, ..terms },
            _ => terms,
        }
    }

    /// Takes the lease anew in the inner store, in place of the one that is shown as `shown`.
    async fn replace(&self, shown: &Lease, terms: LeaseTerms) -> Result<(), HoldError> {
        let inner = self.inner();
        if let Some(holder) = inner.holder(&shown.portfolio) {
            inner.release(&holder).await?;
        }
        let real = inner.acquire(&shown.portfolio, &shown.owner, terms).await.unwrap();
        self.remember(shown, real);
        Ok(())
    }

    /// The lease as the inner store knows it, if it is the one that was shown last, or as much like it as the flaw asks for.
    fn real(&self, given: &Lease, any_owner: bool, any_token: bool) -> Lease {
        match self.last(&given.portfolio) {
            Some((shown, real))
                if (any_owner || shown.owner == given.owner) && (any_token || shown.token == given.token) =>
            {
                real
            }
            // Never granted: the inner store knows nothing of token 0.
            _ => Lease { portfolio: self.key(&given.portfolio), token: Token::ZERO, ..given.clone() },
        }
    }
}

fn as_given(answer: Result<(), HoldError>, given: &Lease) -> Result<(), HoldError> {
    let Lease { portfolio, owner, token, .. } = given.clone();
    answer.map_err(|_| HoldError::NotHeld { portfolio, owner, token })
}

#[async_trait]
impl LeaseStore for BrokenLeases {
    async fn acquire(
        &self,
        portfolio: &PortfolioId,
        owner: &OwnerId,
        terms: LeaseTerms,
    ) -> Result<Lease, AcquireError> {
        let inner = self.inner();
        if self.flaw == Flaw::TwoHoldersByARace && inner.holder(portfolio).is_none() {
            let_others_go_on().await;
            if let Some(holder) = inner.holder(portfolio) {
                inner.release(&holder).await.unwrap();
            }
        }
        if self.flaw == Flaw::TheHolderIsGrantedItAgain
            && let Some(holder) = inner.holder(portfolio).filter(|holder| holder.owner == *owner)
        {
            return Ok(holder);
        }
        match inner.acquire(&self.key(portfolio), owner, self.bent(terms)).await {
            Ok(real) => {
                let mut shown = Lease { portfolio: portfolio.clone(), terms, ..real.clone() };
                match self.flaw {
                    Flaw::TokensDoNotGrow => shown.token = Token::new(1),
                    Flaw::GrantedAtIsZero => shown.granted_at = Timestamp::EPOCH,
                    _ => {}
                }
                *self.renewed_at.lock().unwrap() = self.clock_says();
                self.remember(&shown, real);
                Ok(shown)
            }
            Err(AcquireError::Busy { holder, .. }) if self.flaw == Flaw::BusyNamesTheCeiling => {
                let (shown, _) = self.last(portfolio).unwrap();
                let until = shown.granted_at.plus(shown.terms.expiry);
                Err(AcquireError::Busy { portfolio: portfolio.clone(), holder, until })
            }
            Err(AcquireError::Busy { holder, .. }) if self.flaw == Flaw::BusyNamesTheFirstHeartbeat => {
                let (shown, _) = self.last(portfolio).unwrap();
                let until = shown.granted_at.plus(shown.terms.heartbeat);
                Err(AcquireError::Busy { portfolio: portfolio.clone(), holder, until })
            }
            Err(AcquireError::Busy { holder, .. }) if self.flaw == Flaw::BusyGoesBeyondTheCeiling => {
                let until = *self.renewed_at.lock().unwrap();
                Err(AcquireError::Busy { portfolio: portfolio.clone(), holder, until: until.plus(terms.heartbeat) })
            }
            Err(AcquireError::Busy { holder, until, .. }) => {
                if self.flaw == Flaw::AskingAgainRenews && holder == *owner {
                    let (_, real) = self.last(portfolio).unwrap();
                    inner.renew(&real).await.unwrap();
                }
                Err(AcquireError::Busy { portfolio: portfolio.clone(), holder, until })
            }
            Err(error @ AcquireError::Unavailable { .. }) => Err(error),
        }
    }

    async fn renew(&self, lease: &Lease) -> Result<(), HoldError> {
        *self.renewed_at.lock().unwrap() = self.clock_says();
        let inner = self.inner();
        let real = self.real(lease, self.flaw == Flaw::AStrangerRenews, self.flaw == Flaw::AnOldTokenRenews);
        let held =
            inner.holder(&real.portfolio).is_some_and(|held| held.token == real.token && held.owner == real.owner);
        match self.flaw {
            Flaw::RenewalDoesNothing if held => Ok(()),
            Flaw::RenewalMovesTheCeiling if held => self.replace(lease, real.terms).await,
            Flaw::TermsAreTheCallers if held => self.replace(lease, lease.terms).await,
            Flaw::RenewalRevives if inner.holder(&real.portfolio).is_none() && real.token > Token::ZERO => {
                self.replace(lease, real.terms).await
            }
            Flaw::RenewalRevivesWhatWasReleased
                if real.token > Token::ZERO && inner.holder(&real.portfolio).is_none() =>
            {
                // Only what was released is not older than its heartbeat here.
                let released = self.clock_says() < real.granted_at.plus(real.terms.heartbeat);
                if released { self.replace(lease, real.terms).await } else { as_given(inner.renew(&real).await, lease) }
            }
            _ => as_given(inner.renew(&real).await, lease),
        }
    }

    async fn release(&self, lease: &Lease) -> Result<(), HoldError> {
        let inner = self.inner();
        let real = self.real(lease, self.flaw == Flaw::AStrangerReleases, self.flaw == Flaw::AnOldTokenReleases);
        if self.flaw == Flaw::ReleaseWaitsForTheHeartbeat {
            return as_given(inner.renew(&real).await, lease);
        }
        let answer = as_given(inner.release(&real).await, lease);
        match self.flaw {
            Flaw::TokensBeginAnewAfterRelease if answer.is_ok() => self.forget_everything(),
            Flaw::ReleasingTwiceIsFine => return Ok(()),
            _ => {}
        }
        answer
    }
}

impl BrokenLeases {
    fn clock_says(&self) -> Timestamp {
        use evenkeel_ports::Clock;
        self.clock.now()
    }
}

impl Rig for BrokenLeases {
    fn adapter(&self) -> String {
        format!("{:?}", self.flaw)
    }

    fn run(&self, case: BoxFuture<'_, Check>) -> Check {
        self.clock.run(case).unwrap_or_else(|stuck| Err(Stop::Broken(stuck.to_string())))
    }
}

impl LeaseRig for BrokenLeases {
    fn store(&self) -> Arc<dyn LeaseStore> {
        Arc::new(self.clone())
    }

    fn advance(&self, by: Duration) -> Result<(), Cannot> {
        self.clock.advance(by);
        Ok(())
    }

    /// The inner store outlives what is around it.
    fn restart(&self) -> Result<(), Cannot> {
        use evenkeel_conformance::suite::block_on;
        match self.flaw {
            Flaw::TokensBeginAnewAfterRestart => self.forget_everything(),
            Flaw::ARestartIsAGrant => {
                if let Some((shown, real)) = self.last(&"growth".parse().unwrap())
                    && self.inner().holder(&real.portfolio).is_some()
                {
                    block_on(async { self.replace(&shown, real.terms).await.unwrap() });
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn report_of(flaw: Flaw) -> Report {
    report(|| Box::new(BrokenLeases::new(flaw)))
}

#[test]
fn without_a_flaw_every_case_passes() {
    let report = report_of(Flaw::Nothing);
    assert_eq!(report.count("passed"), report.cases.len(), "{report}");
}

#[test]
fn each_broken_lease_store_is_caught() {
    each_is_caught(
        &[
            (Flaw::TwoHoldersByARace, "L01"),
            (Flaw::BusyNamesTheCeiling, "L02"),
            (Flaw::BusyNamesTheFirstHeartbeat, "L02"),
            (Flaw::BusyGoesBeyondTheCeiling, "L02"),
            (Flaw::AskingAgainRenews, "L03"),
            (Flaw::TheHolderIsGrantedItAgain, "L03"),
            (Flaw::OneLeaseForAllPortfolios, "L04"),
            (Flaw::TokensBeginAnewAfterRelease, "L05"),
            (Flaw::TokensDoNotGrow, "L06"),
            (Flaw::TokensDoNotGrow, "L07"),
            (Flaw::TokensBeginAnewAfterRestart, "L08"),
            (Flaw::GrantedAtIsZero, "L09"),
            (Flaw::TermsAreTheCallers, "L10"),
            (Flaw::TermsAreTheCallers, "L11"),
            (Flaw::HeartbeatIgnored, "L12"),
            (Flaw::HeartbeatAMomentLate, "L12"),
            (Flaw::RenewalDoesNothing, "L13"),
            (Flaw::RenewalMovesTheCeiling, "L14"),
            (Flaw::ExpiryIgnored, "L14"),
            (Flaw::ReleaseWaitsForTheHeartbeat, "L15"),
            (Flaw::AStrangerRenews, "L18"),
            (Flaw::AStrangerReleases, "L19"),
            (Flaw::AnOldTokenRenews, "L20"),
            (Flaw::AnOldTokenReleases, "L21"),
            (Flaw::ReleasingTwiceIsFine, "L24"),
            (Flaw::RenewalRevives, "L25"),
            (Flaw::RenewalRevives, "L26"),
            (Flaw::RenewalRevivesWhatWasReleased, "L27"),
            (Flaw::ARestartIsAGrant, "L30"),
        ],
        report_of,
    );
}
