//! A broker of one's own: a paper broker, which fills every order at the last price it was told.
//!
//! The page of [`Broker`] in `evenkeel-ports` is the contract; "Contract 3" in a comment here is its number 3. An adapter
//! to a real broker has the same nine methods and the same answers; in the place of [`Desk`] it has an HTTP client, one that
//! never retries by itself.
//!
//! Run it with `cargo run -p evenkeel-engine --example own_broker`.

use async_trait::async_trait;
use evenkeel_domain::allocation::TargetAllocation;
use evenkeel_domain::books::{Books, Definition};
use evenkeel_domain::order::{
    BrokerStatus, CancelAnswer, Capabilities, ClientOrderId, Costs, Duplicates, Fill, FillCursor, Lookup, OrderFill,
    OrderRequest, OrderView, RefusalReason, Refused, Side, SubmitAnswer, Terms, booked_amount,
};
use evenkeel_domain::policy::Policy;
use evenkeel_domain::record::Outcome;
use evenkeel_domain::report::Trade;
use evenkeel_domain::values::{AccountId, Currency, Lot, PortfolioId, Price, StoreId, Symbol, Timestamp, Value};
use evenkeel_engine::{Engine, Ports, Rebalanced, Settings};
use evenkeel_memory::{ManualClock, MemoryJournal, MemoryLeases, MemoryNotifier};
use evenkeel_ports::{AccountView, Broker, BrokerError, Clock, FillPage, NullObserver, OrderPage, Position};
use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    let clock = ManualClock::new("2026-01-05T15:00:00Z".parse()?);
    let broker = Arc::new(PaperBroker::new(Arc::new(clock.clone()))?);
    let ports = Ports {
        broker: broker.clone(),
        leases: Arc::new(MemoryLeases::new(Arc::new(clock.clone()))),
        journal: Arc::new(MemoryJournal::new(StoreId::new(7))),
        clock: Arc::new(clock.clone()),
        notifier: Arc::new(MemoryNotifier::new()),
        observer: Arc::new(NullObserver),
    };
    let settings = Settings::default().checked().map_err(|errors| format!("{errors:?}"))?;
    let engine = Engine::new(ports, settings, "worker-1".parse()?);

    // The same cash and units in the books and at the broker: the first rebalance compares them.
    let (growth, account): (PortfolioId, AccountId) = ("growth".parse()?, "paper-1".parse()?);
    let allocation = TargetAllocation::parse([("META", "50"), ("MSFT", "40"), ("CASH", "10")])?;
    let currency: Currency = "USD".parse()?;
    let definition = Definition { account: account.clone(), currency, allocation, policy: Policy::default() };
    let [meta, msft] = ["META".parse()?, "MSFT".parse()?];
    let books = Books::new("10000.00".parse()?, [(meta, "125".parse()?), (msft, "120".parse()?)]);
    broker.open_account(account.clone(), currency, books.clone());
    clock.run(engine.add(&growth, definition, books))??;

    for (label, meta_price) in [("morning", "400"), ("noon", "470.75")] {
        let wave = [(meta, meta_price.parse()?), (msft, "333.40".parse()?)];
        broker.set_prices(wave);
        let found = engine.on_wave(clock.now(), &wave);
        println!("{label}: META at {meta_price}, {} out of band", found.len());
    }
    let Rebalanced::Batch(report) = clock.run(engine.rebalance(&growth))?? else { return Err("no batch".into()) };
    println!("\ndrift {} %, {}", report.drift, report.outcome.name());
    for Trade { side, quantity, symbol, price, amount, .. } in &report.trades {
        println!("  {side:<4} {quantity:>7} {symbol:<4} at {price:>7} = {amount:>8}");
    }

    // The broker is asked as the engine asks it, page by page.
    let page = clock.run(broker.fills_since(&account, None))??;
    let view = clock.run(broker.account(&account))??;
    println!("\nthe broker has {} fills and {} in cash", page.fills.len(), view.cash);
    let books = engine.portfolio(&growth).ok_or("it is known")?.books.clone();

    assert_eq!(report.outcome, Outcome::Completed);
    assert_eq!((page.fills.len(), page.complete), (2, true));
    assert_eq!(view.cash, books.cash, "books and broker");
    send_again(&broker, &account, &clock)
}

#[test]
fn runs() -> Result<(), Box<dyn Error>> {
    main()
}

/// Contract 3, seen from outside: the same order again, then another order under its id.
fn send_again(broker: &PaperBroker, account: &AccountId, clock: &ManualClock) -> Result<(), Box<dyn Error>> {
    let same = broker.lock().account(account)?.orders.values().next().ok_or("nothing was sent")?.0;
    let answer = clock.run(broker.submit(account, &same))?;
    assert_eq!(answer, SubmitAnswer::AlreadyExists);
    println!("{} sent again: it exists already", same.id);

    let other = OrderRequest { terms: Terms { quantity: Lot::FINEST.size(), ..same.terms }, ..same };
    let SubmitAnswer::Refused(refused) = clock.run(broker.submit(account, &other))? else {
        return Err("an id names one order for ever".into());
    };
    assert_eq!(refused.reason, RefusalReason::DuplicateIdOtherOrder);
    println!("{} with other terms: {refused}", same.id);
    Ok(())
}

struct PaperBroker {
    clock: Arc<dyn Clock>,
    capabilities: Arc<Capabilities>,
    desk: Mutex<Desk>,
}

/// The other side of the wire.
#[derive(Default)]
struct Desk {
    prices: BTreeMap<Symbol, Price>,
    accounts: BTreeMap<AccountId, Account>,
}

struct Account {
    currency: Currency,
    books: Books,
    /// Contract 3: every order there ever was, by its id.
    orders: BTreeMap<ClientOrderId, (OrderRequest, OrderView)>,
    /// Contract 5: every fill, oldest first. A cursor is a number of fills.
    fills: Vec<OrderFill>,
}

impl PaperBroker {
    fn new(clock: Arc<dyn Clock>) -> Result<Self, Box<dyn Error>> {
        let capabilities = Capabilities {
            name: "Paper".to_owned(),
            // Contract 3 is kept for ever, so an order of which the engine does not know what became may be sent again.
            duplicates: Duplicates::Refused,
            costs: Costs::FREE,
            collar_bps: 0,
            fills_rounded: false,
            minimum_order: "1.00".parse()?,
            lot: "0.001".parse()?,
            lots: BTreeMap::new(),
            // What was sent has arrived, and what happened can be seen at once. At a real broker: seconds to minutes.
            quiescence: Duration::ZERO,
            visibility_horizon: Duration::ZERO,
        };
        Ok(Self { clock, capabilities: Arc::new(capabilities), desk: Mutex::default() })
    }

    fn open_account(&self, account: AccountId, currency: Currency, books: Books) {
        let opened = Account { currency, books, orders: BTreeMap::new(), fills: Vec::new() };
        self.lock().accounts.insert(account, opened);
    }

    fn set_prices(&self, prices: impl IntoIterator<Item = (Symbol, Price)>) {
        self.lock().prices.extend(prices);
    }

    fn lock(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Desk {
    fn account(&mut self, id: &AccountId) -> Result<&mut Account, BrokerError> {
        self.accounts.get_mut(id).ok_or_else(|| BrokerError::NoSuchAccount { account: id.clone() })
    }
}

#[async_trait]
impl Broker for PaperBroker {
    fn capabilities(&self) -> Arc<Capabilities> {
        Arc::clone(&self.capabilities)
    }

    /// Contract 8: what could not be sent as it is fails here; the planner then leaves it out.
    fn check(&self, _: &AccountId, terms: &Terms) -> Result<(), Refused> {
        let Capabilities { minimum_order, .. } = *self.capabilities;
        let lot = self.capabilities.lot_of(terms.symbol);
        if !terms.exit && !terms.quantity.is_multiple_of(lot) {
            return Err(refused(RefusalReason::NotALot, format!("{} is sold in steps of {lot}", terms.symbol)));
        }
        if !terms.exit && terms.value() < minimum_order.to_value() {
            return Err(refused(RefusalReason::BelowMinimum, format!("orders begin at {minimum_order}")));
        }
        Ok(())
    }

    /// Contract 1: one attempt. Contract 2: every way out of here is a proof. Over a wire, all that is not proven is `Unknown`:
    /// a timeout, a broken connection, a status code that the broker does not document, an answer that cannot be read.
    async fn submit(&self, account: &AccountId, order: &OrderRequest) -> SubmitAnswer {
        let (now, checked) = (self.clock.now(), self.check(account, &order.terms));
        let mut desk = self.lock();
        let price = desk.prices.get(&order.terms.symbol).copied();
        let Ok(account) = desk.account(account) else {
            return SubmitAnswer::Refused(refused(RefusalReason::Other, format!("there is no account {account}")));
        };
        // Contract 3: the id comes before anything else, so that a repeated order is never judged as a new one.
        match account.orders.get(&order.id) {
            Some((known, _)) if known == order => return SubmitAnswer::AlreadyExists,
            Some(_) => {
                let message = format!("{} has other terms", order.id);
                return SubmitAnswer::Refused(refused(RefusalReason::DuplicateIdOtherOrder, message));
            }
            None => {}
        }
        match checked.and_then(|()| account.execute(order, price, now)) {
            Ok(view) => SubmitAnswer::Acknowledged(view),
            Err(refused) => SubmitAnswer::Refused(refused),
        }
    }

    /// Contract 6: there is never anything to cancel here; `Requested` would leave open how the order ends.
    async fn cancel(&self, account: &AccountId, id: ClientOrderId) -> CancelAnswer {
        let mut desk = self.lock();
        let order = desk.account(account).ok().and_then(|account| account.orders.get(&id));
        order.map_or(CancelAnswer::NoSuchOrder, |(_, view)| CancelAnswer::AlreadyTerminal(view.clone()))
    }

    /// Contract 4: `Absent` is proven, for whatever was sent has arrived. An account that is not there is an error.
    async fn order(&self, account: &AccountId, id: ClientOrderId) -> Result<Lookup, BrokerError> {
        let mut desk = self.lock();
        let order = desk.account(account)?.orders.get(&id);
        Ok(order.map_or(Lookup::Absent, |(_, view)| Lookup::Found(view.clone())))
    }

    /// Contract 7: none is ever open, and that is all of them.
    async fn open_orders(&self, account: &AccountId) -> Result<OrderPage, BrokerError> {
        self.lock().account(account)?;
        Ok(OrderPage { orders: Vec::new(), complete: true })
    }

    /// Contract 5 and 7: pages of two, each saying whether it is the last.
    async fn fills_since(&self, account: &AccountId, cursor: Option<FillCursor>) -> Result<FillPage, BrokerError> {
        let mut desk = self.lock();
        let all = &desk.account(account)?.fills;
        let read = cursor.as_ref().map_or(Ok(0), |cursor| cursor.0.parse::<usize>());
        let Some(rest) = read.ok().and_then(|read| all.get(read..)) else {
            let message = format!("{cursor:?} is no cursor of this account");
            return Err(BrokerError::Garbled { doing: format!("reading fills of {account}"), message });
        };
        let fills: Vec<OrderFill> = rest.iter().take(2).cloned().collect();
        let left = rest.len().saturating_sub(fills.len());
        let next = FillCursor(all.len().saturating_sub(left).to_string());
        Ok(FillPage { fills, next, complete: left == 0 })
    }

    async fn positions(&self, account: &AccountId) -> Result<Vec<Position>, BrokerError> {
        let mut desk = self.lock();
        let holdings = desk.account(account)?.books.holdings();
        Ok(holdings.map(|(symbol, quantity)| Position { symbol, quantity, available: quantity }).collect())
    }

    async fn account(&self, account: &AccountId) -> Result<AccountView, BrokerError> {
        let as_of = self.clock.now();
        let mut desk = self.lock();
        let Account { currency, books: Books { cash, .. }, .. } = *desk.account(account)?;
        Ok(AccountView {
            currency,
            cash,
            settled_cash: Some(cash),
            buying_power: cash,
            blocked: false,
            closes_at: None,
            as_of,
        })
    }
}

impl Account {
    /// Fills the order as a whole or refuses it as a whole: nothing changes before everything is known to go well.
    fn execute(&mut self, order: &OrderRequest, price: Option<Price>, at: Timestamp) -> Result<OrderView, Refused> {
        let OrderRequest { id, terms: Terms { symbol, side, quantity, .. } } = *order;
        let other = |error: &dyn Error| refused(RefusalReason::Other, error.to_string());
        let price = price.ok_or_else(|| refused(RefusalReason::NotTradable, format!("{symbol} has no price")))?;
        // Cash moves by the rule that the books follow too: the cumulative amount, rounded once.
        let amount = booked_amount(Value::ZERO, price.times(quantity)).map_err(|e| other(&e))?;
        let mut books = self.books.clone();
        match side {
            Side::Buy => {
                books.cash = books.cash.sub(amount).map_err(|e| other(&e))?;
                books.add_units(symbol, quantity).map_err(|e| other(&e))?;
            }
            Side::Sell => {
                books.cash = books.cash.add(amount).map_err(|e| other(&e))?;
                let few = |error| refused(RefusalReason::InsufficientQuantity, format!("{symbol}: {error}"));
                books.remove_units(symbol, quantity).map_err(few)?;
            }
        }
        if books.cash.is_negative() {
            let message = format!("{amount} are needed, {} are there", self.books.cash);
            return Err(refused(RefusalReason::BuyingPower, message));
        }
        // Contract 5: the fill is named by its place in the account, which never changes.
        let name = format!("fill-{}", self.fills.len().saturating_add(1)).parse().map_err(|e| other(&e))?;
        let fill = Fill { id: name, quantity, price, fee: Default::default(), at };
        let (status, fills) = (BrokerStatus::Filled, vec![fill.clone()]);
        let view = OrderView { id, symbol, side, quantity, status, filled: quantity, fills };
        self.books = books;
        self.fills.push(OrderFill { order: Some(id), symbol, side, fill });
        self.orders.insert(id, (*order, view.clone()));
        Ok(view)
    }
}

fn refused(reason: RefusalReason, message: String) -> Refused {
    Refused { reason, message }
}
