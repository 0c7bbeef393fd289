//! What the suite needs besides the adapter: a fresh broker, a clock, faults on demand, and the truth past the adapter.
//!
//! Time stands still while the broker works on an answer, and moves to the next sleep when it does not; so real sockets and a clock moved
//! by hand go together, nothing depends on how fast the machine is, and hours pass in milliseconds.

use crate::bank::SETTLEMENT;
use crate::server::{ACCOUNT, NIGHT, Server, State, TOKEN};
use async_trait::async_trait;
use evenkeel_conformance::broker::{BrokerRig, Fault, Truth, declared};
use evenkeel_conformance::{Cannot, Check, Rig};
use evenkeel_domain::order::{
    CancelAnswer, Capabilities, ClientOrderId, FillCursor, Lookup, OrderRequest, Refused, Side, SubmitAnswer, Terms,
};
use evenkeel_domain::values::{AccountId, Currency, Money, Price, Quantity, Symbol, Timestamp};
use evenkeel_memory::ManualClock;
use evenkeel_ports::{AccountView, Broker, BrokerError, Clock, FillPage, OrderPage, Position};
use evenkeel_toy_broker::{Secret, ToyBroker};
use futures_util::future::{BoxFuture, Either, select};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;
use tokio::net::TcpSocket;
use tokio::runtime::{Builder, Runtime};

pub(crate) struct ToyRig {
    runtime: Runtime,
    clock: ManualClock,
    pub(crate) server: Server,
    line: Arc<Line>,
    /// The line of an adapter that begins anew.
    next: Box<dyn Fn() -> Line + Send + Sync>,
    symbol: &'static str,
    /// An address where nobody listens: bound, so that nobody else can.
    _dead: TcpSocket,
}

impl ToyRig {
    /// Trades this symbol first.
    pub(crate) fn new(symbol: &'static str) -> Self {
        Self::with(symbol, TOKEN, |adapter| adapter)
    }

    /// With this credential, and with something around the adapter.
    pub(crate) fn with(
        symbol: &'static str,
        token: &str,
        around: impl Fn(Arc<dyn Broker>) -> Arc<dyn Broker> + Send + Sync + 'static,
    ) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let clock = ManualClock::new("2026-01-05T15:00:00Z".parse().unwrap());
        let (server, address) = runtime.block_on(Server::open(clock.clone()));
        let dead = TcpSocket::new_v4().unwrap();
        dead.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let (token, time, dead_address) = (token.to_owned(), Arc::new(clock.clone()), dead.local_addr().unwrap());
        let switches = Arc::new(Switches::default());
        let next = move || {
            let adapter = |address: std::net::SocketAddr| {
                Arc::new(ToyBroker::new(address.to_string(), Secret::new(&token), time.clone()).unwrap())
            };
            Line { adapter: around(adapter(address)), cut_off: adapter(dead_address), switches: switches.clone() }
        };
        Self { runtime, clock, server, line: Arc::new(next()), next: Box::new(next), symbol, _dead: dead }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.server.state()
    }

    /// Drives a future to its end, and time whenever no call is under way but those that wait in vain.
    pub(crate) fn drive<T>(&self, future: impl Future<Output = T>) -> T {
        let time = async {
            loop {
                tokio::time::sleep(Duration::from_millis(1)).await;
                let in_vain = self.state().in_vain(self.clock.now());
                if self.line.switches.calls.load(SeqCst) <= in_vain {
                    self.clock.next_waiter().into_iter().for_each(|next| self.clock.advance_to(next));
                }
            }
        };
        match self.runtime.block_on(select(pin!(future), pin!(time))) {
            Either::Left((output, _)) => output,
            Either::Right((never, _)) => never,
        }
    }

    pub(crate) fn shared_clock(&self) -> Arc<ManualClock> {
        Arc::new(self.clock.clone())
    }
}

impl Rig for ToyRig {
    fn adapter(&self) -> String {
        format!("Toy, {} first", self.symbol)
    }

    fn capabilities(&self) -> Vec<String> {
        declared(&*self.line)
    }

    fn run(&self, case: BoxFuture<'_, Check>) -> Check {
        self.drive(case)
    }
}

impl BrokerRig for ToyRig {
    fn broker(&self) -> Arc<dyn Broker> {
        self.line.clone()
    }

    fn successor(&self) -> Result<Arc<dyn Broker>, Cannot> {
        Ok(Arc::new((self.next)()))
    }

    fn account(&self) -> AccountId {
        ACCOUNT.parse().unwrap()
    }

    fn currency(&self) -> Currency {
        "USD".parse().unwrap()
    }

    fn symbol(&self) -> Symbol {
        self.symbol.parse().unwrap()
    }

    fn second_symbol(&self) -> Symbol {
        "AAPL".parse().unwrap()
    }

    fn unknown_symbol(&self) -> Symbol {
        "NOSUCH".parse().unwrap()
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move { self.clock.sleep_until(self.clock.now().plus(duration)).await })
    }

    fn set_price(&self, symbol: Symbol, price: Price) -> Result<(), Cannot> {
        self.state().bank.prices.insert(symbol, price);
        Ok(())
    }

    fn fund(&self, cash: Money) -> Result<(), Cannot> {
        let bank = &mut self.state().bank;
        bank.cash = bank.cash.add(cash).unwrap();
        Ok(())
    }

    fn hold(&self, symbol: Symbol, quantity: Quantity) -> Result<(), Cannot> {
        let bank = &mut self.state().bank;
        let held = bank.holdings.remove(&symbol).unwrap_or_default();
        bank.holdings.insert(symbol, held.add(quantity).unwrap());
        Ok(())
    }

    fn closes_at(&self) -> Result<Option<Timestamp>, Cannot> {
        Ok(None)
    }

    fn close_market(&self) -> Result<(), Cannot> {
        self.state().bank.closed_until = Some(self.clock.now().plus(NIGHT));
        Ok(())
    }

    fn opens_at(&self) -> Result<Timestamp, Cannot> {
        self.state().bank.closed_until.ok_or_else(|| Cannot::new("tell when a market opens that is not closed"))
    }

    fn open_market(&self) -> Result<(), Cannot> {
        self.state().bank.closed_until = None;
        Ok(())
    }

    fn halt(&self, symbol: Symbol) -> Result<(), Cannot> {
        self.state().bank.halted.insert(symbol);
        Ok(())
    }

    fn trade_by_others(&self, symbol: Symbol, side: Side, quantity: Quantity) -> Result<(), Cannot> {
        let made = self.state().bank.submit_by_hand(self.clock.now(), symbol, side, quantity);
        made.map_err(|(code, message)| Cannot(format!("{code}: {message}")))
    }

    fn block(&self, blocked: bool) -> Result<(), Cannot> {
        self.state().bank.blocked = blocked;
        Ok(())
    }

    fn force(&self, fault: Fault) -> Result<(), Cannot> {
        let forced = match fault {
            Fault::Unreachable => !self.line.switches.cut.swap(true, SeqCst),
            Fault::UnreachableCancel => !self.line.switches.cut_cancel.swap(true, SeqCst),
            fault => self.state().force(self.clock.now(), fault),
        };
        if forced { Ok(()) } else { Err(Cannot::new(fault.doing())) }
    }

    fn fail_questions(&self, spared: u32, times: u32) -> Result<(), Cannot> {
        let mut state = self.state();
        (state.spared, state.unanswered) = (spared, times);
        Ok(())
    }

    fn more_than_a_page(&self) -> usize {
        120
    }

    fn settles_after(&self) -> Result<Duration, Cannot> {
        Ok(SETTLEMENT)
    }

    fn truth(&self) -> Result<Truth, Cannot> {
        let mut state = self.state();
        let requests = state.requests;
        Ok(state.bank.truth(self.clock.now(), requests))
    }
}

/// The line between a case and the adapter: it counts the calls under way, and can be cut for one order or one cancel.
struct Line {
    adapter: Arc<dyn Broker>,
    /// The same adapter, told the dead address.
    cut_off: Arc<dyn Broker>,
    switches: Arc<Switches>,
}

#[derive(Default)]
struct Switches {
    cut: AtomicBool,
    cut_cancel: AtomicBool,
    calls: AtomicUsize,
}

/// A call under way.
struct Call<'a>(&'a AtomicUsize);

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

impl Line {
    fn call(&self) -> Call<'_> {
        self.switches.calls.fetch_add(1, SeqCst);
        Call(&self.switches.calls)
    }
}

#[async_trait]
impl Broker for Line {
    fn capabilities(&self) -> Arc<Capabilities> {
        self.adapter.capabilities()
    }

    fn check(&self, account: &AccountId, terms: &Terms) -> Result<(), Refused> {
        self.adapter.check(account, terms)
    }

    async fn submit(&self, account: &AccountId, order: &OrderRequest) -> SubmitAnswer {
        let _call = self.call();
        let adapter = if self.switches.cut.swap(false, SeqCst) { &self.cut_off } else { &self.adapter };
        adapter.submit(account, order).await
    }

    async fn cancel(&self, account: &AccountId, id: ClientOrderId) -> CancelAnswer {
        let _call = self.call();
        let adapter = if self.switches.cut_cancel.swap(false, SeqCst) { &self.cut_off } else { &self.adapter };
        adapter.cancel(account, id).await
    }

    async fn order(&self, account: &AccountId, id: ClientOrderId) -> Result<Lookup, BrokerError> {
        let _call = self.call();
        self.adapter.order(account, id).await
    }

    async fn open_orders(&self, account: &AccountId) -> Result<OrderPage, BrokerError> {
        let _call = self.call();
        self.adapter.open_orders(account).await
    }

    async fn fills_since(&self, account: &AccountId, cursor: Option<FillCursor>) -> Result<FillPage, BrokerError> {
        let _call = self.call();
        self.adapter.fills_since(account, cursor).await
    }

    async fn positions(&self, account: &AccountId) -> Result<Vec<Position>, BrokerError> {
        let _call = self.call();
        self.adapter.positions(account).await
    }

    async fn account(&self, account: &AccountId) -> Result<AccountView, BrokerError> {
        let _call = self.call();
        self.adapter.account(account).await
    }
}
