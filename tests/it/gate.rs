//! Crashes at will: a gate before and behind every call of a port, and a driver that drops what was running when the gate falls.
//!
//! Each call passes two points: one before its effect, one after its effect but before its answer is seen. At a point the call waits once, so
//! that whatever runs beside it comes in between. When the gate falls at the n-th point, that call and every other one that reaches a point
//! waits: exactly what happened before the n-th point has happened, as with a process that ends there, or is frozen until it is
//! [thawed](Gate::thaw).

use async_trait::async_trait;
use evenkeel_domain::alert::Alert;
use evenkeel_domain::halt::{Halt, Release};
use evenkeel_domain::order::{
    CancelAnswer, Capabilities, ClientOrderId, FillCursor, Lookup, OrderRequest, Refused, SubmitAnswer, Terms,
};
use evenkeel_domain::values::{AccountId, OwnerId, PortfolioId, Sequence, StoreId, Timestamp};
use evenkeel_engine::Ports;
use evenkeel_memory::ManualClock;
use evenkeel_ports::{
    AccountView, AcquireError, Broker, BrokerError, Clock, Commit, CommitOutcome, Entry, FillPage, Head, HoldError,
    Journal, JournalError, Lease, LeaseStore, LeaseTerms, Notifier, NotifyError, OrderPage, Position,
};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

/// A gate that all calls of one worker pass.
#[derive(Default)]
pub(crate) struct Gate(Mutex<State>);

#[derive(Default)]
struct State {
    passed: usize,
    falls_at: Option<usize>,
    fell_at: Option<String>,
    is_thawed: bool,
    frozen: Vec<Waker>,
    /// Calls that were begun after the thaw.
    begun: Vec<String>,
}

impl State {
    fn is_open(&self) -> bool {
        self.fell_at.is_none() || self.is_thawed
    }
}

impl Gate {
    /// A gate that falls at the n-th point from 0; one beyond the last never falls.
    pub(crate) fn falling_at(n: usize) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State { falls_at: Some(n), ..State::default() })))
    }

    /// Where it fell, if it has: the call, and on which side of it.
    pub(crate) fn fell_at(&self) -> Option<String> {
        self.0.lock().unwrap().fell_at.clone()
    }

    /// Lets everything go on that is frozen.
    pub(crate) fn thaw(&self) {
        let frozen = {
            let mut state = self.0.lock().unwrap();
            state.is_thawed = true;
            std::mem::take(&mut state.frozen)
        };
        frozen.into_iter().for_each(Waker::wake);
    }

    /// The calls that were begun after it was thawed, in their order. One that was frozen before its effect had been begun.
    pub(crate) fn begun_since_thaw(&self) -> Vec<String> {
        self.0.lock().unwrap().begun.clone()
    }

    /// Counts a point; the gate falls if it is the one.
    fn reach(&self, side: &str, call: &str) {
        let mut state = self.0.lock().unwrap();
        if state.is_thawed && side == "before" {
            state.begun.push(call.to_owned());
        }
        if state.fell_at.is_none() && state.falls_at == Some(state.passed) {
            state.fell_at = Some(format!("{side} {call}"));
        }
        state.passed += 1;
    }

    async fn point(&self, side: &str, call: &str) {
        self.reach(side, call);
        let mut waited = false;
        poll_fn(|context| {
            let mut state = self.0.lock().unwrap();
            if !state.is_open() {
                state.frozen.push(context.waker().clone());
                return Poll::Pending;
            }
            if waited {
                return Poll::Ready(());
            }
            waited = true;
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    async fn around<T>(&self, call: &str, work: impl Future<Output = T>) -> T {
        self.point("before", call).await;
        let answer = work.await;
        self.point("after", call).await;
        answer
    }
}

/// Drives `future` to its end, or drops it where the gate falls: `None` is a crash.
pub(crate) fn run_until_crash<T>(clock: &ManualClock, gate: &Gate, future: impl Future<Output = T>) -> Option<T> {
    run_until_frozen(clock, gate, pin!(future))
}

/// Drives `future` to its end, or to where the gate falls.
pub(crate) fn run_until_frozen<F: Future + ?Sized>(
    clock: &ManualClock,
    gate: &Gate,
    mut future: Pin<&mut F>,
) -> Option<F::Output> {
    loop {
        if let Some(done) = clock.poll_until(future.as_mut(), clock.now()) {
            return Some(done);
        }
        if gate.fell_at().is_some() {
            return None;
        }
        clock.advance_to(clock.next_waiter().expect("nothing can run, and no time is waited for"));
    }
}

/// These ports, behind the gate.
pub(crate) fn gated(ports: Ports, gate: &Arc<Gate>) -> Ports {
    let gate = || Arc::clone(gate);
    Ports {
        broker: Arc::new(Gated { inner: ports.broker, gate: gate() }),
        leases: Arc::new(Gated { inner: ports.leases, gate: gate() }),
        journal: Arc::new(Gated { inner: ports.journal, gate: gate() }),
        clock: Arc::new(Gated { inner: ports.clock, gate: gate() }),
        notifier: Arc::new(Gated { inner: ports.notifier, gate: gate() }),
        observer: ports.observer,
    }
}

struct Gated<P: ?Sized> {
    inner: Arc<P>,
    gate: Arc<Gate>,
}

#[async_trait]
impl Broker for Gated<dyn Broker> {
    fn capabilities(&self) -> Arc<Capabilities> {
        self.inner.capabilities()
    }

    fn check(&self, account: &AccountId, terms: &Terms) -> Result<(), Refused> {
        self.inner.check(account, terms)
    }

    async fn submit(&self, account: &AccountId, order: &OrderRequest) -> SubmitAnswer {
        self.gate.around("submit", self.inner.submit(account, order)).await
    }

    async fn cancel(&self, account: &AccountId, id: ClientOrderId) -> CancelAnswer {
        self.gate.around("cancel", self.inner.cancel(account, id)).await
    }

    async fn order(&self, account: &AccountId, id: ClientOrderId) -> Result<Lookup, BrokerError> {
        self.gate.around("order", self.inner.order(account, id)).await
    }

    async fn open_orders(&self, account: &AccountId) -> Result<OrderPage, BrokerError> {
        self.gate.around("open_orders", self.inner.open_orders(account)).await
    }

    async fn fills_since(&self, account: &AccountId, cursor: Option<FillCursor>) -> Result<FillPage, BrokerError> {
        self.gate.around("fills_since", self.inner.fills_since(account, cursor)).await
    }

    async fn positions(&self, account: &AccountId) -> Result<Vec<Position>, BrokerError> {
        self.gate.around("positions", self.inner.positions(account)).await
    }

    async fn account(&self, account: &AccountId) -> Result<AccountView, BrokerError> {
        self.gate.around("account", self.inner.account(account)).await
    }
}

#[async_trait]
impl Journal for Gated<dyn Journal> {
    async fn store_id(&self) -> Result<StoreId, JournalError> {
        self.gate.around("store_id", self.inner.store_id()).await
    }

    async fn head(&self, portfolio: &PortfolioId) -> Result<Head, JournalError> {
        self.gate.around("head", self.inner.head(portfolio)).await
    }

    async fn read(&self, portfolio: &PortfolioId, after: Sequence) -> Result<Vec<Entry>, JournalError> {
        self.gate.around("read", self.inner.read(portfolio, after)).await
    }

    async fn commit(&self, commit: Commit) -> CommitOutcome {
        self.gate.around("commit", self.inner.commit(commit)).await
    }

    async fn portfolios(&self) -> Result<Vec<PortfolioId>, JournalError> {
        self.gate.around("portfolios", self.inner.portfolios()).await
    }

    async fn open_batches(&self) -> Result<Vec<PortfolioId>, JournalError> {
        self.gate.around("open_batches", self.inner.open_batches()).await
    }

    async fn pending_alerts(&self, limit: usize) -> Result<Vec<Alert>, JournalError> {
        self.gate.around("pending_alerts", self.inner.pending_alerts(limit)).await
    }

    async fn acknowledge_alert(&self, alert: &Alert) -> Result<(), JournalError> {
        self.gate.around("acknowledge_alert", self.inner.acknowledge_alert(alert)).await
    }

    async fn halt(&self, halt: &Halt) -> Result<(), JournalError> {
        self.gate.around("halt", self.inner.halt(halt)).await
    }

    async fn release(&self, release: &Release) -> Result<bool, JournalError> {
        self.gate.around("release", self.inner.release(release)).await
    }

    async fn halts(&self) -> Result<Vec<Halt>, JournalError> {
        self.gate.around("halts", self.inner.halts()).await
    }
}

#[async_trait]
impl LeaseStore for Gated<dyn LeaseStore> {
    async fn acquire(
        &self,
        portfolio: &PortfolioId,
        owner: &OwnerId,
        terms: LeaseTerms,
    ) -> Result<Lease, AcquireError> {
        self.gate.around("acquire", self.inner.acquire(portfolio, owner, terms)).await
    }

    async fn renew(&self, lease: &Lease) -> Result<(), HoldError> {
        self.gate.around("renew", self.inner.renew(lease)).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), HoldError> {
        self.gate.around("release", self.inner.release(lease)).await
    }
}

#[async_trait]
impl Clock for Gated<dyn Clock> {
    fn now(&self) -> Timestamp {
        self.inner.now()
    }

    async fn sleep_until(&self, deadline: Timestamp) {
        self.gate.around("sleep_until", self.inner.sleep_until(deadline)).await;
    }
}

#[async_trait]
impl Notifier for Gated<dyn Notifier> {
    async fn notify(&self, alert: &Alert) -> Result<(), NotifyError> {
        self.gate.around("notify", self.inner.notify(alert)).await
    }
}
