//! A clock that moves when everybody waits, and an account at a broker with a few prices.

use crate::{BanChile, Profile, Rule};
use async_trait::async_trait;
use evenkeel_domain::order::{
    Attempt, BatchId, BrokerStatus, CancelAnswer, ClientOrderId, Direction, FillCursor, LegNumber, Lookup, OrderFill,
    OrderRequest, OrderView, RefusalReason, Side, SubmitAnswer, Terms,
};
use evenkeel_domain::values::{AccountId, Quantity, Symbol, Timestamp};
use evenkeel_ports::{Broker, Clock};
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// Time that stands still until it is moved.
#[derive(Debug, Default)]
pub(super) struct TestClock {
    state: Mutex<ClockState>,
}

#[derive(Debug, Default)]
struct ClockState {
    now: i64,
    /// By deadline, then by who came first.
    sleepers: BTreeMap<(i64, u64), Waker>,
    came: u64,
}

impl TestClock {
    pub(super) fn set(&self, now: Timestamp) {
        let due: Vec<Waker> = {
            let mut state = self.state.lock().unwrap();
            assert!(now.nanos() >= state.now, "time goes back");
            state.now = now.nanos();
            let later = state.sleepers.split_off(&(now.nanos() + 1, 0));
            std::mem::replace(&mut state.sleepers, later).into_values().collect()
        };
        due.into_iter().for_each(Waker::wake);
    }

    pub(super) fn pass(&self, time: Duration) {
        self.set(self.now().plus(time));
    }

    fn earliest(&self) -> Option<Timestamp> {
        let state = self.state.lock().unwrap();
        state.sleepers.keys().next().map(|(at, _)| Timestamp::from_nanos(*at))
    }

    /// Polls until it is done, moving time to the earliest sleeper whenever nothing else can go on.
    pub(super) fn run<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        loop {
            match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(output) => return output,
                Poll::Pending => self.set(self.earliest().expect("it waits for something that is no time")),
            }
        }
    }
}

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.state.lock().unwrap().now)
    }

    async fn sleep_until(&self, deadline: Timestamp) {
        poll_fn(|context| {
            let mut state = self.state.lock().unwrap();
            if state.now >= deadline.nanos() {
                return Poll::Ready(());
            }
            state.came += 1;
            let place = (deadline.nanos(), state.came);
            state.sleepers.insert(place, context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

/// One account, `growth`, with 10,000.00 in cash, 10 AAPL and 100 of TINY; AAPL at 200, META at 400, TINY at 0.003.
pub(super) struct Desk {
    pub(super) clock: Arc<TestClock>,
    pub(super) broker: BanChile,
    pub(super) account: AccountId,
}

pub(super) fn symbol(text: &str) -> Symbol {
    text.parse().unwrap()
}

pub(super) fn units(text: &str) -> Quantity {
    text.parse().unwrap()
}

pub(super) fn id(batch: u128, leg: usize) -> ClientOrderId {
    let leg = LegNumber::new(leg).unwrap();
    ClientOrderId { batch: BatchId::from_u128(batch), leg, direction: Direction::Forward, attempt: Attempt::FIRST }
}

/// `buy 2 META @ 400`, as leg `leg` of batch 1; a sell of everything ends with ` exit`.
pub(super) fn order(leg: usize, text: &str) -> OrderRequest {
    order_of(1, leg, text)
}

pub(super) fn order_of(batch: u128, leg: usize, text: &str) -> OrderRequest {
    let words: Vec<&str> = text.split(' ').collect();
    let side = match words[0] {
        "buy" => Side::Buy,
        "sell" => Side::Sell,
        other => panic!("{other}"),
    };
    let terms = Terms {
        symbol: symbol(words[2]),
        side,
        quantity: units(words[1]),
        reference: words[4].parse().unwrap(),
        exit: words.get(5) == Some(&"exit"),
    };
    OrderRequest { id: id(batch, leg), terms }
}

impl Desk {
    pub(super) fn new(profile: Profile) -> Self {
        Self::seeded(profile, 1)
    }

    pub(super) fn ideal() -> Self {
        Self::new(Profile::ideal())
    }

    pub(super) fn seeded(profile: Profile, seed: u64) -> Self {
        let clock = Arc::new(TestClock::default());
        let broker = BanChile::new(profile, clock.clone(), seed);
        let account: AccountId = "growth".parse().unwrap();
        let holdings = [(symbol("AAPL"), units("10")), (symbol("TINY"), units("100"))];
        broker.open_account(&account, "USD".parse().unwrap(), "10000.00".parse().unwrap(), holdings).unwrap();
        for (name, price) in [("AAPL", "200"), ("META", "400"), ("TINY", "0.003")] {
            broker.set_price(symbol(name), price.parse().unwrap());
        }
        Self { clock, broker, account }
    }

    pub(super) fn scripted(profile: Profile, rules: impl IntoIterator<Item = Rule>) -> Self {
        let desk = Self::new(profile);
        rules.into_iter().for_each(|rule| desk.broker.script(rule));
        desk
    }

    pub(super) fn run<F: Future>(&self, future: F) -> F::Output {
        self.clock.run(future)
    }

    pub(super) fn price(&self, name: &str, price: &str) {
        self.broker.set_price(symbol(name), price.parse().unwrap());
    }

    pub(super) fn submit(&self, order: &OrderRequest) -> SubmitAnswer {
        self.run(self.broker.submit(&self.account, order))
    }

    /// Submits and wants an acknowledgement.
    pub(super) fn place(&self, order: &OrderRequest) -> OrderView {
        let answer = self.submit(order);
        let SubmitAnswer::Acknowledged(view) = answer else { panic!("{answer:?}") };
        view
    }

    /// Submits and wants a refusal.
    pub(super) fn refusal(&self, order: &OrderRequest) -> RefusalReason {
        let answer = self.submit(order);
        let SubmitAnswer::Refused(refused) = answer else { panic!("{answer:?}") };
        refused.reason
    }

    pub(super) fn cancel(&self, id: ClientOrderId) -> CancelAnswer {
        self.run(self.broker.cancel(&self.account, id))
    }

    pub(super) fn look_up(&self, id: ClientOrderId) -> Lookup {
        self.run(self.broker.order(&self.account, id)).unwrap()
    }

    /// `Filled 2`: status and units executed.
    pub(super) fn state(&self, id: ClientOrderId) -> String {
        match self.look_up(id) {
            Lookup::Found(view) => shown(&view),
            other @ (Lookup::Absent | Lookup::Unproven) => format!("{other:?}"),
        }
    }

    pub(super) fn fills(&self, cursor: Option<&str>) -> (Vec<OrderFill>, String, bool) {
        let cursor = cursor.map(|text| FillCursor(text.to_owned()));
        let page = self.run(self.broker.fills_since(&self.account, cursor)).unwrap();
        (page.fills, page.next.0, page.complete)
    }

    /// `9200.00 free 9200.00; AAPL 10/10 …`: cash, buying power, units and available units, as the port tells.
    pub(super) fn standing(&self) -> String {
        let view = self.run(self.broker.account(&self.account)).unwrap();
        let positions = self.run(self.broker.positions(&self.account)).unwrap();
        let units = positions.iter().map(|p| format!(" {} {}/{}", p.symbol, p.available, p.quantity));
        format!("{} free {};{}", view.cash, view.buying_power, units.collect::<String>())
    }

    /// Lets everything happen that is going to happen by itself.
    pub(super) fn settle(&self) {
        while let Some(next) = self.broker.next_event() {
            self.clock.set(next.max(self.clock.now()));
        }
        self.conserved();
    }

    /// The same, and no later than that.
    pub(super) fn settle_until(&self, end: Timestamp) {
        while let Some(next) = self.broker.next_event().filter(|next| *next <= end) {
            self.clock.set(next.max(self.clock.now()));
        }
        self.conserved();
    }

    pub(super) fn conserved(&self) {
        self.broker.check_conservation(&self.account).unwrap();
    }

    pub(super) fn status(&self, id: ClientOrderId) -> BrokerStatus {
        match self.look_up(id) {
            Lookup::Found(view) => view.status,
            other @ (Lookup::Absent | Lookup::Unproven) => panic!("{other:?}"),
        }
    }
}

/// `Filled 2`: status and units executed; the fills always say the same.
pub(super) fn shown(view: &OrderView) -> String {
    let sum = view.fills.iter().fold(Quantity::ZERO, |sum, fill| sum.add(fill.quantity).unwrap());
    assert_eq!(sum, view.filled, "{view:?}");
    format!("{:?} {}", view.status, view.filled)
}
