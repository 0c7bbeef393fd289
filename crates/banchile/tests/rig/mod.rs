//! The simulated broker as the broker suite needs it: with its controls, its script of faults, its truth and a clock moved by hand.

use evenkeel_banchile::{BanChile, Fault as Scripted, Ledger, Part, Profile, Rule};
use evenkeel_conformance::broker::{BrokerRig, Fault, OrderTruth, Truth, declared};
use evenkeel_conformance::{Cannot, Check, Rig, Stop};
use evenkeel_domain::order::{NotSent, RefusalReason, Refused, Side, UnknownCause};
use evenkeel_domain::values::{AccountId, Currency, Money, Price, Quantity, Symbol, Timestamp};
use evenkeel_memory::ManualClock;
use evenkeel_ports::{Broker, Clock};
use futures_util::future::BoxFuture;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A day, in nanoseconds.
const DAY: u64 = 86_400_000_000_000;

/// A simulated broker with one account, which is empty, and an adapter to it.
pub(crate) struct SimulatedRig {
    clock: ManualClock,
    simulated: BanChile,
    broker: Arc<dyn Broker>,
    adapter: Box<dyn Fn(BanChile) -> Arc<dyn Broker> + Send + Sync>,
    /// When the market opens that was closed by hand.
    opens_at: Mutex<Timestamp>,
}

impl SimulatedRig {
    /// This adapter, or the simulated broker itself, with the simulated broker of this kind below it.
    #[allow(dead_code, reason = "not every test that has this rig puts an adapter over the broker")]
    pub(crate) fn new(profile: Profile, adapter: impl Fn(BanChile) -> Arc<dyn Broker> + Send + Sync + 'static) -> Self {
        let clock = ManualClock::new("2024-01-02T12:00:00Z".parse().unwrap());
        let simulated = BanChile::new(profile, Arc::new(clock.clone()), 1);
        Self::with(clock, simulated, Box::new(adapter))
    }

    /// A simulated broker that is made in another way, as its own adapter.
    #[allow(dead_code, reason = "not every test that has this rig makes brokers in another way")]
    pub(crate) fn over(profile: Profile, make: impl FnOnce(Profile, Arc<dyn Clock>) -> BanChile) -> Self {
        let clock = ManualClock::new("2024-01-02T12:00:00Z".parse().unwrap());
        let simulated = make(profile, Arc::new(clock.clone()));
        Self::with(clock, simulated, Box::new(|simulated| Arc::new(simulated)))
    }

    fn with(
        clock: ManualClock,
        simulated: BanChile,
        adapter: Box<dyn Fn(BanChile) -> Arc<dyn Broker> + Send + Sync>,
    ) -> Self {
        let broker = adapter(simulated.clone());
        let rig = Self { clock, simulated, broker, adapter, opens_at: Mutex::new(Timestamp::MIN) };
        rig.simulated.open_account(&rig.account(), "USD".parse().unwrap(), Money::ZERO, []).unwrap();
        rig
    }

    fn ledger(&self) -> Ledger {
        self.simulated.ledger(&self.account()).unwrap()
    }
}

impl Rig for SimulatedRig {
    fn adapter(&self) -> String {
        self.simulated.profile().name.clone()
    }

    fn capabilities(&self) -> Vec<String> {
        declared(&*self.broker)
    }

    fn run(&self, case: BoxFuture<'_, Check>) -> Check {
        let check = self.clock.run(case);
        let check = check.unwrap_or_else(|stuck| Err(Stop::Broken(format!("the case never ended: {stuck}"))));
        // Whatever a case has done: nothing was created or lost.
        self.ledger().check().map_err(|violation| Stop::Broken(violation.to_string()))?;
        check
    }
}

impl BrokerRig for SimulatedRig {
    fn broker(&self) -> Arc<dyn Broker> {
        Arc::clone(&self.broker)
    }

    fn account(&self) -> AccountId {
        "conformance".parse().unwrap()
    }

    fn currency(&self) -> Currency {
        "USD".parse().unwrap()
    }

    fn symbol(&self) -> Symbol {
        "META".parse().unwrap()
    }

    fn second_symbol(&self) -> Symbol {
        "AAPL".parse().unwrap()
    }

    fn unknown_symbol(&self) -> Symbol {
        "NOSUCH".parse().unwrap()
    }

    fn successor(&self) -> Result<Arc<dyn Broker>, Cannot> {
        Ok((self.adapter)(self.simulated.clone()))
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move { self.clock.sleep_until(self.clock.now().plus(duration)).await })
    }

    fn set_price(&self, symbol: Symbol, price: Price) -> Result<(), Cannot> {
        self.simulated.set_price(symbol, price);
        Ok(())
    }

    fn fund(&self, cash: Money) -> Result<(), Cannot> {
        self.simulated.deposit(&self.account(), cash).map_err(|error| Cannot(format!("pay in cash: {error}")))
    }

    fn hold(&self, symbol: Symbol, quantity: Quantity) -> Result<(), Cannot> {
        let received = self.simulated.receive(&self.account(), symbol, quantity);
        received.map_err(|error| Cannot(format!("bring in units: {error}")))
    }

    fn closes_at(&self) -> Result<Option<Timestamp>, Cannot> {
        Ok(self.simulated.profile().sessions.as_ref().and_then(|sessions| sessions.closes_at(self.clock.now())))
    }

    fn close_market(&self) -> Result<(), Cannot> {
        let opens_at = self.clock.now().plus(Duration::from_secs(3_600));
        *self.opens_at.lock().unwrap() = opens_at;
        self.simulated.close_market(opens_at);
        Ok(())
    }

    fn opens_at(&self) -> Result<Timestamp, Cannot> {
        Ok(*self.opens_at.lock().unwrap())
    }

    fn open_market(&self) -> Result<(), Cannot> {
        self.simulated.open_market();
        Ok(())
    }

    fn halt(&self, symbol: Symbol) -> Result<(), Cannot> {
        self.simulated.halt(symbol);
        Ok(())
    }

    fn trade_by_others(&self, symbol: Symbol, side: Side, quantity: Quantity) -> Result<(), Cannot> {
        let traded = self.simulated.trade_by_others(&self.account(), symbol, side, quantity);
        traded.map_err(|refused| Cannot(refused.message))
    }

    fn block(&self, blocked: bool) -> Result<(), Cannot> {
        self.simulated.block(&self.account(), blocked).map_err(|error| Cannot(error.to_string()))
    }

    fn force(&self, fault: Fault) -> Result<(), Cannot> {
        let half = || Part::Share("50".parse().unwrap());
        let timeout = self.simulated.profile().timeout;
        let scripted = match fault {
            Fault::Unreachable => Scripted::NotSent(NotSent::Unreachable),
            Fault::RateLimit { retry_after } => Scripted::NotSent(NotSent::RateLimited { retry_after }),
            Fault::LoseRequest => Scripted::LoseRequest,
            Fault::LoseAnswer => Scripted::LoseAnswer,
            Fault::Slow if timeout.saturating_mul(2) <= self.broker.capabilities().quiescence && !timeout.is_zero() => {
                Scripted::Slow { delay: timeout.saturating_mul(2) }
            }
            Fault::UnmappedAnswer => Scripted::AnswerUnknown(UnknownCause::Garbled),
            Fault::NeverFill => Scripted::NeverFill,
            Fault::InParts(parts) => Scripted::InParts(parts),
            Fault::InTwo { apart } => Scripted::InTwo { apart },
            Fault::PartialThenWork => Scripted::PartialThenWork(half()),
            Fault::PartialThenCancel => Scripted::PartialThenCancel(half()),
            Fault::UnmappedRefusal { words } => {
                Scripted::RefuseInWords(Refused { reason: RefusalReason::Other, message: words.to_owned() })
            }
            Fault::Expire => Scripted::PartialThenExpire(Part::Units(Quantity::ZERO)),
            Fault::PartialThenExpire => Scripted::PartialThenExpire(half()),
            Fault::RejectAfterAck => Scripted::RejectAfterAck,
            Fault::FillAfterCancel => Scripted::LateFillAfterCancel { delay: Duration::from_secs(5) },
            Fault::LoseCancelAnswer => Scripted::LoseCancelAnswer,
            Fault::UnreachableCancel => Scripted::CancelNotSent(NotSent::Unreachable),
            Fault::RateLimitCancel { retry_after } => Scripted::CancelNotSent(NotSent::RateLimited { retry_after }),
            Fault::SlowCancel { takes } => Scripted::SlowCancel { delay: takes },
            Fault::UnmappedStatus => Scripted::Unmapped("pending_review".to_owned()),
            Fault::Slow | _ => return Err(Cannot::new(fault.doing())),
        };
        self.simulated.script(Rule::new(scripted));
        Ok(())
    }

    fn fail_questions(&self, spared: u32, times: u32) -> Result<(), Cannot> {
        self.simulated.fail_queries_after(&self.account(), spared, times).map_err(|error| Cannot(error.to_string()))
    }

    fn settles_after(&self) -> Result<Duration, Cannot> {
        // On the next business day, from its first moment; and no case sells on a Friday.
        let today = u64::try_from(self.clock.now().nanos()).unwrap() % DAY;
        Ok(Duration::from_nanos(DAY.saturating_sub(today)))
    }

    fn truth(&self) -> Result<Truth, Cannot> {
        let ledger = self.ledger();
        let mut orders: BTreeMap<_, OrderTruth> = BTreeMap::new();
        for order in ledger.orders.iter().filter(|order| !order.by_others) {
            let truth = orders.entry(order.request.id).or_insert(OrderTruth { copies: 0, executed: Quantity::ZERO });
            truth.copies = truth.copies.saturating_add(1);
            truth.executed = truth.executed.add(order.filled()).unwrap();
        }
        let positions = ledger.holdings.iter().map(|(symbol, held)| (*symbol, held.units)).collect();
        Ok(Truth { orders, cash: ledger.cash, positions, requests: Some(ledger.sends) })
    }
}
