//! An adapter that passes everything on to the simulated broker, with one flaw.

mod telling;

use super::flaw::Flaw;
use async_trait::async_trait;
use evenkeel_banchile::BanChile;
use evenkeel_domain::order::{
    Attempt, BatchId, BrokerStatus, CancelAnswer, Capabilities, ClientOrderId, Costs, Direction, FillCursor, LegNumber,
    Lookup, NotSent, OrderFill, OrderRequest, OrderView, RefusalReason, Refused, Side, SubmitAnswer, Terms,
    UnknownCause,
};
use evenkeel_domain::values::{AccountId, FillId, Money, Quantity, Rounding, Timestamp, Value};
use evenkeel_ports::{AccountView, Broker, BrokerError, FillPage, OrderPage, Position};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// The simulated broker behind an adapter with a flaw.
pub(super) struct Adapter {
    ours: BanChile,
    flaw: Flaw,
    notes: Mutex<Notes>,
}

/// What flaws remember.
#[derive(Default)]
struct Notes {
    sends: u64,
    reads: u64,
    under_way: BTreeSet<ClientOrderId>,
    unsure: BTreeSet<ClientOrderId>,
    /// Views that are repeated for ever.
    frozen: BTreeMap<ClientOrderId, OrderView>,
    paid_fees: Money,
    positions: Option<Vec<Position>>,
    cash: Option<Money>,
    closes_at: Option<Option<Timestamp>>,
    first_sent: BTreeMap<ClientOrderId, Timestamp>,
    canceled: BTreeSet<ClientOrderId>,
    answered: BTreeSet<ClientOrderId>,
    sold_at: Option<Timestamp>,
    /// When fills were last read.
    read_at: Option<Timestamp>,
}

const DAY: Duration = Duration::from_secs(86_400);
const TIMEOUT: UnknownCause = UnknownCause::Timeout;

impl Adapter {
    pub(super) fn new(ours: BanChile, flaw: Flaw) -> Self {
        Self { ours, flaw, notes: Mutex::default() }
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap()
    }

    /// The same terms under another id, told under the first.
    async fn another(&self, account: &AccountId, order: &OrderRequest) -> SubmitAnswer {
        let id = ClientOrderId { attempt: Attempt::LAST, direction: Direction::Reverse, ..order.id };
        match self.ours.submit(account, &OrderRequest { id, ..*order }).await {
            SubmitAnswer::Acknowledged(view) => SubmitAnswer::Acknowledged(OrderView { id: order.id, ..view }),
            answer => answer,
        }
    }

    /// What is sent instead of the order.
    fn sent(&self, mut order: OrderRequest) -> OrderRequest {
        let quantity = &mut order.terms.quantity;
        match self.flaw {
            Flaw::CutsIds => order.id = cut(order.id),
            Flaw::CountsInFloats => *quantity = through_a_float(*quantity),
            Flaw::FloorsToLots => *quantity = quantity.floor_to(self.capabilities().lot),
            Flaw::FloorsTheSecond if order.terms.symbol.as_str() == "AAPL" => {
                *quantity = quantity.floor_to(self.capabilities().lot);
            }
            Flaw::RefusesSmallExits | Flaw::RefusesOddExits => order.terms.exit = false,
            _ => {}
        }
        order
    }

    /// The answer as this adapter tells it.
    async fn answered(&self, account: &AccountId, order: &OrderRequest, answer: SubmitAnswer) -> SubmitAnswer {
        let refusal = match &answer {
            SubmitAnswer::Refused(refused) => Some(refused.reason.clone()),
            _ => None,
        };
        let again = || self.ours.submit(account, order);
        match (self.flaw, answer) {
            (Flaw::MakesTwoOfOneId, SubmitAnswer::AlreadyExists) => {
                self.another(account, order).await;
                SubmitAnswer::AlreadyExists
            }
            (Flaw::FreesTheIdOnceFilled, SubmitAnswer::AlreadyExists) if self.is_filled(account, order.id).await => {
                self.another(account, order).await
            }
            (Flaw::AlreadyExistsForWantOfAnAnswer, SubmitAnswer::Refused(refused)) => {
                match self.ours.order(account, order.id).await {
                    Err(_) if refused.reason == RefusalReason::DuplicateIdOtherOrder => SubmitAnswer::AlreadyExists,
                    _ => SubmitAnswer::Refused(refused),
                }
            }
            (Flaw::OpensAnHourLate, SubmitAnswer::Refused(mut refused)) => {
                if let RefusalReason::MarketClosed { opens_at } = &mut refused.reason {
                    *opens_at = opens_at.plus(DAY / 24);
                }
                SubmitAnswer::Refused(refused)
            }
            (Flaw::RefusedForWantOfAnAnswer, SubmitAnswer::AlreadyExists) => {
                match self.ours.order(account, order.id).await {
                    Ok(_) => SubmitAnswer::AlreadyExists,
                    Err(error) => {
                        let message = error.to_string();
                        SubmitAnswer::Refused(Refused { reason: RefusalReason::DuplicateIdOtherOrder, message })
                    }
                }
            }
            (Flaw::TakesOtherTermsForTheSame, _) if refusal == Some(RefusalReason::DuplicateIdOtherOrder) => {
                SubmitAnswer::AlreadyExists
            }
            (Flaw::RefusedOnGibberish, SubmitAnswer::Unknown(UnknownCause::Garbled)) => {
                SubmitAnswer::Refused(Refused { reason: RefusalReason::Other, message: "?".to_owned() })
            }
            (Flaw::UnknownOnOddRefusals, _) if refusal == Some(RefusalReason::Other) => {
                SubmitAnswer::Unknown(UnknownCause::BrokerError)
            }
            (Flaw::RefusesWithoutWords, SubmitAnswer::Refused(refused)) => {
                SubmitAnswer::Refused(Refused { message: refused.reason.to_string(), ..refused })
            }
            (Flaw::GuessesTheRefusal, SubmitAnswer::Refused(refused)) if refused.reason == RefusalReason::Other => {
                SubmitAnswer::Refused(Refused { reason: RefusalReason::NotTradable, ..refused })
            }
            (Flaw::RefusedOnTimeout, SubmitAnswer::Unknown(cause)) => {
                SubmitAnswer::Refused(Refused { reason: RefusalReason::Other, message: cause.to_string() })
            }
            (Flaw::NotSentOnTimeout, SubmitAnswer::Unknown(_)) => SubmitAnswer::NotSent(NotSent::Unreachable),
            (Flaw::Retries, SubmitAnswer::Unknown(_)) => again().await,
            (Flaw::RetriesInSilence, SubmitAnswer::Unknown(cause)) => {
                again().await;
                SubmitAnswer::Unknown(cause)
            }
            (Flaw::UnknownWhenUnreachable, SubmitAnswer::NotSent(NotSent::Unreachable))
            | (Flaw::HidesTheLimit, SubmitAnswer::NotSent(NotSent::RateLimited { .. })) => {
                SubmitAnswer::Unknown(TIMEOUT)
            }
            (Flaw::HammersTheLimit, SubmitAnswer::NotSent(NotSent::RateLimited { .. })) => again().await,
            (Flaw::GivesCredit, _) if refusal == Some(RefusalReason::BuyingPower) => {
                let cash = order.terms.value().to_money(Rounding::Up).unwrap();
                self.ours.deposit(account, cash.add(cash).unwrap()).unwrap();
                again().await
            }
            (Flaw::SellsShort, _) if refusal == Some(RefusalReason::InsufficientQuantity) => {
                self.ours.receive(account, order.terms.symbol, order.terms.quantity).unwrap();
                again().await
            }
            (Flaw::UnknownWhenHalted, _) if refusal == Some(RefusalReason::NotTradable) => {
                SubmitAnswer::Unknown(TIMEOUT)
            }
            (Flaw::FillsAtNight, _) if matches!(refusal, Some(RefusalReason::MarketClosed { .. })) => {
                self.ours.open_market();
                again().await
            }
            (Flaw::SendsAnotherWhenUnsure, SubmitAnswer::Unknown(cause)) => {
                self.notes().unsure.insert(order.id);
                SubmitAnswer::Unknown(cause)
            }
            (_, answer) => answer,
        }
    }

    async fn is_filled(&self, account: &AccountId, id: ClientOrderId) -> bool {
        matches!(self.ours.order(account, id).await, Ok(Lookup::Found(view)) if view.status == BrokerStatus::Filled)
    }
}

#[async_trait]
impl Broker for Adapter {
    fn capabilities(&self) -> Arc<Capabilities> {
        let declared = self.ours.capabilities();
        match self.flaw {
            Flaw::DeclaresTooLowAMinimum => {
                let tenth = Money::from_cents(declared.minimum_order.cents() / 10).unwrap();
                Arc::new(Capabilities { minimum_order: tenth, ..(*declared).clone() })
            }
            Flaw::DeclaresTooShortAQuiescence => {
                Arc::new(Capabilities { quiescence: Duration::from_secs(1), ..(*declared).clone() })
            }
            Flaw::DeclaresNothingForTheWay => {
                Arc::new(Capabilities { quiescence: Duration::from_secs(20), ..(*declared).clone() })
            }
            Flaw::DeclaresSmallCosts => {
                let costs = Costs { bps: 0, ..declared.costs };
                Arc::new(Capabilities { costs, ..(*declared).clone() })
            }
            Flaw::HidesItsCollar => Arc::new(Capabilities { collar_bps: 0, ..(*declared).clone() }),
            Flaw::ChangesItsMind => {
                let sends = u32::try_from(self.notes().sends).unwrap();
                Arc::new(Capabilities { collar_bps: declared.collar_bps + sends, ..(*declared).clone() })
            }
            _ => declared,
        }
    }

    fn check(&self, account: &AccountId, terms: &Terms) -> Result<(), Refused> {
        match self.flaw {
            Flaw::ChecksNothing => Ok(()),
            Flaw::ExemptsEverySale if terms.side == Side::Sell => Ok(()),
            Flaw::FloorsToLots | Flaw::FloorsTheSecond | Flaw::RefusesSmallExits | Flaw::RefusesOddExits => {
                let id = ClientOrderId {
                    batch: BatchId::from_u128(0),
                    leg: LegNumber::MAX,
                    direction: Direction::Forward,
                    attempt: Attempt::FIRST,
                };
                self.ours.check(account, &self.sent(OrderRequest { id, terms: *terms }).terms)
            }
            _ => self.ours.check(account, terms),
        }
    }

    async fn submit(&self, account: &AccountId, order: &OrderRequest) -> SubmitAnswer {
        let (sends, first) = {
            let mut notes = self.notes();
            notes.sends += 1;
            (notes.sends, notes.under_way.insert(order.id))
        };
        if self.flaw == Flaw::CountsTheHorizonFromTheFirstSend {
            let now = self.ours.account(account).await.unwrap().as_of;
            self.notes().first_sent.entry(order.id).or_insert(now);
        }
        let sent = self.sent(*order);
        let answer = match self.flaw {
            Flaw::LosesEveryTenth if sends % 10 == 0 => {
                let Terms { symbol, side, quantity, .. } = order.terms;
                let (status, filled) = (BrokerStatus::Working, Quantity::ZERO);
                return SubmitAnswer::Acknowledged(OrderView {
                    id: order.id,
                    symbol,
                    side,
                    quantity,
                    status,
                    filled,
                    fills: vec![],
                });
            }
            Flaw::Races if !first => self.another(account, &sent).await,
            Flaw::SendsAnotherWhenUnsure if self.notes().unsure.contains(&order.id) => {
                self.another(account, &sent).await
            }
            _ => self.ours.submit(account, &sent).await,
        };
        self.notes().under_way.remove(&order.id);
        self.notes().answered.insert(order.id);
        match self.answered(account, &sent, answer).await {
            SubmitAnswer::Acknowledged(view) => SubmitAnswer::Acknowledged(self.told(view, order.id)),
            answer => answer,
        }
    }

    async fn cancel(&self, account: &AccountId, id: ClientOrderId) -> CancelAnswer {
        self.notes().canceled.insert(id);
        if self.flaw == Flaw::CancelsEverything {
            for open in self.ours.open_orders(account).await.unwrap().orders {
                self.ours.cancel(account, open.id).await;
            }
        }
        if self.flaw == Flaw::EndsWithTheCancel
            && let Ok(Lookup::Found(view)) = self.ours.order(account, id).await
            && view.status == BrokerStatus::Working
        {
            self.notes().frozen.insert(id, OrderView { status: BrokerStatus::Canceled, ..view });
        }
        if self.flaw == Flaw::CancelsOnlyItsOwn && !self.notes().answered.contains(&id) {
            return CancelAnswer::NoSuchOrder;
        }
        if self.flaw == Flaw::NoOrderForWantOfAnAnswer && self.ours.order(account, id).await.is_err() {
            return CancelAnswer::NoSuchOrder;
        }
        match (self.flaw, self.ours.cancel(account, id).await) {
            (Flaw::NoOrderAfterAPart, CancelAnswer::AlreadyTerminal(view))
                if view.status == BrokerStatus::Canceled && !view.filled.is_zero() =>
            {
                CancelAnswer::NoSuchOrder
            }
            (Flaw::TakesAnUnsentCancel, CancelAnswer::NotSent(_)) => CancelAnswer::Requested,
            (Flaw::UnknownWhenACancelIsUnsent, CancelAnswer::NotSent(_)) => CancelAnswer::Unknown(TIMEOUT),
            (Flaw::CannotCancelTwice, CancelAnswer::AlreadyTerminal(_))
            | (Flaw::NoOrderIsUnknown, CancelAnswer::NoSuchOrder) => CancelAnswer::Unknown(UnknownCause::BrokerError),
            (Flaw::LostCancelIsNoOrder, CancelAnswer::Unknown(_)) => CancelAnswer::NoSuchOrder,
            (Flaw::CanceledAfterTheFill, CancelAnswer::AlreadyTerminal(view)) => {
                CancelAnswer::AlreadyTerminal(OrderView { status: BrokerStatus::Canceled, ..view })
            }
            (_, CancelAnswer::AlreadyTerminal(view)) => CancelAnswer::AlreadyTerminal(self.told(view, id)),
            (_, answer) => answer,
        }
    }

    async fn order(&self, account: &AccountId, id: ClientOrderId) -> Result<Lookup, BrokerError> {
        let sent = if self.flaw == Flaw::CutsIds { cut(id) } else { id };
        match (self.flaw, self.ours.order(account, sent).await) {
            (Flaw::AbsentThoughThere, Ok(Lookup::Found(_))) if self.looks() == 1 => Ok(Lookup::Absent),
            (Flaw::UnprovenWithoutItsFills, Ok(Lookup::Found(_)))
                if self.ours.fills_since(account, None).await.is_err() =>
            {
                Ok(Lookup::Unproven)
            }
            (Flaw::NothingFilledWithoutItsFills, Ok(Lookup::Found(view)))
                if self.ours.fills_since(account, None).await.is_err() =>
            {
                Ok(Lookup::Found(OrderView { filled: Quantity::ZERO, fills: vec![], ..view }))
            }
            (Flaw::FindsOnlyItsOwn, Ok(Lookup::Found(_))) if !self.notes().answered.contains(&id) => {
                Ok(Lookup::Unproven)
            }
            (_, Ok(Lookup::Found(view))) => Ok(Lookup::Found(self.told(view, id))),
            (Flaw::AbsentAtTheFirstLook, Ok(Lookup::Unproven)) | (Flaw::AbsentInAnOutage, Err(_)) => Ok(Lookup::Absent),
            (Flaw::CountsTheHorizonFromItsStart, Ok(Lookup::Unproven)) => {
                let age = self.ours.account(account).await?.as_of.since(started());
                let visible = age >= self.capabilities().visibility_horizon;
                Ok(if visible { Lookup::Absent } else { Lookup::Unproven })
            }
            (Flaw::NotesSendsOnceAnswered, Ok(Lookup::Unproven)) if !self.notes().answered.contains(&id) => {
                Ok(Lookup::Absent)
            }
            (Flaw::CountsTheHorizonFromTheFirstSend, Ok(Lookup::Unproven)) => {
                let first = self.notes().first_sent.get(&id).copied().unwrap_or_else(started);
                let age = self.ours.account(account).await?.as_of.since(first);
                let visible = age >= self.capabilities().visibility_horizon;
                Ok(if visible { Lookup::Absent } else { Lookup::Unproven })
            }
            (_, lookup) => lookup,
        }
    }

    async fn open_orders(&self, account: &AccountId) -> Result<OrderPage, BrokerError> {
        let mut page = self.ours.open_orders(account).await?;
        page.orders = page
            .orders
            .into_iter()
            .map(|view| {
                let id = view.id;
                self.told(view, id)
            })
            .collect();
        match self.flaw {
            Flaw::ListsOnlyItsOwn => page.orders.retain(|view| self.notes().answered.contains(&view.id)),
            Flaw::ListsTwice => page.orders.extend(page.orders.clone()),
            Flaw::ListsNothingFilled => page.orders.iter_mut().for_each(|view| view.filled = Quantity::ZERO),
            Flaw::ListsNoSells => page.orders.retain(|view| view.side == Side::Buy),
            Flaw::ListsNothingBeingCanceled => page.orders.retain(|view| !self.notes().canceled.contains(&view.id)),
            Flaw::ListsNoPartlyFilled => page.orders.retain(|view| view.filled.is_zero()),
            Flaw::FirstOpenOrdersAreAll => page.orders.truncate(500),
            Flaw::PagesUntilItFails if self.ours.open_orders(account).await.is_err() => page.orders.truncate(500),
            Flaw::ListsWhatHasEnded => {
                for order in self.ours.ledger(account).unwrap().orders {
                    if let Lookup::Found(view) = self.ours.order(account, order.request.id).await? {
                        page.orders.push(view);
                    }
                }
            }
            _ => {}
        }
        Ok(page)
    }

    async fn fills_since(&self, account: &AccountId, cursor: Option<FillCursor>) -> Result<FillPage, BrokerError> {
        let later = cursor.is_some();
        let mut page = self.ours.fills_since(account, cursor).await?;
        match self.flaw {
            Flaw::AddsUpAfterACursor if later => {
                for OrderFill { order, fill, .. } in &mut page.fills {
                    if let Ok(Lookup::Found(view)) = self.ours.order(account, order.unwrap()).await {
                        fill.quantity = view.filled;
                    }
                }
            }
            Flaw::ReadsFillsByTheirTime => {
                let now = self.ours.account(account).await?.as_of;
                let since = self.notes().read_at.replace(now).filter(|_| later);
                page.fills.retain(|fill| since.is_none_or(|since| fill.fill.at >= since));
            }
            Flaw::HidesWhatOthersTrade => page.fills.retain(|fill| fill.order.is_some()),
            Flaw::ClaimsWhatOthersTrade => {
                let own = page.fills.iter().find_map(|fill| fill.order);
                page.fills.iter_mut().for_each(|fill| fill.order = fill.order.or(own));
            }
            Flaw::FirstPageIsAll => page.complete = true,
            Flaw::MistakesTheSide => page.fills.iter_mut().for_each(|fill| fill.side = fill.side.opposite()),
            Flaw::NumbersFillsByOrder => {
                let mut counts = BTreeMap::<_, u32>::new();
                for fill in &mut page.fills {
                    let count = counts.entry(fill.order).or_default();
                    *count += 1;
                    fill.fill.id = FillId::new(&format!("fill-{count}")).unwrap();
                }
            }
            Flaw::ListsNotEveryFill => drop(page.fills.pop()),
            Flaw::NewFillIdEachTime => page.fills.iter_mut().for_each(|fill| self.rename(&mut fill.fill)),
            _ => {}
        }
        Ok(page)
    }

    async fn positions(&self, account: &AccountId) -> Result<Vec<Position>, BrokerError> {
        let read = self.ours.positions(account).await;
        let mut positions = match (self.flaw, read) {
            (Flaw::EmptyInAnOutage, Err(_)) | (Flaw::KnowsEveryAccount, Err(BrokerError::NoSuchAccount { .. })) => {
                return Ok(Vec::new());
            }
            (Flaw::NoAccountInAnOutage, Err(_)) => {
                return Err(BrokerError::NoSuchAccount { account: account.clone() });
            }
            (_, read) => read?,
        };
        let mut notes = self.notes();
        let before = notes.positions.get_or_insert_with(|| positions.clone());
        match self.flaw {
            Flaw::OffersReservedUnits => positions.iter_mut().for_each(|held| held.available = held.quantity),
            Flaw::ListsNoPromisedUnits => positions.retain(|held| !held.available.is_zero()),
            Flaw::ReadsOldPositions => return Ok(before.clone()),
            Flaw::LeavesDust if positions.is_empty() => {
                let dust = |was: &Position| Position { quantity: Quantity::STEP, available: Quantity::STEP, ..*was };
                positions.extend(before.iter().map(dust));
            }
            _ => {}
        }
        Ok(positions)
    }

    async fn account(&self, account: &AccountId) -> Result<AccountView, BrokerError> {
        let mut view = self.ours.account(account).await?;
        let mut notes = self.notes();
        match self.flaw {
            Flaw::TellsAnotherCurrency => view.currency = "EUR".parse().unwrap(),
            Flaw::TellsItIsBlocked => view.blocked = true,
            Flaw::HidesThatItIsBlocked => view.blocked = false,
            Flaw::TellsNoTime => view.as_of = Timestamp::EPOCH,
            Flaw::TellsTomorrow => view.as_of = view.as_of.plus(DAY),
            Flaw::TellsTheEndTooEarly => view.closes_at = Some(view.as_of.plus(DAY / 24)),
            Flaw::TellsTheEndTooLate => view.closes_at = view.closes_at.map(|at| at.plus(DAY)),
            Flaw::TellsAnEndAtNight => {
                view.closes_at = *notes.closes_at.get_or_insert(view.closes_at);
            }
            Flaw::SettlesAtOnce => view.settled_cash = Some(view.cash),
            Flaw::SpendsWhatIsReserved => view.cash = view.buying_power,
            Flaw::OffersReservedCash => view.buying_power = view.cash,
            Flaw::KeepsReservations => {
                let ledger = self.ours.ledger(account).unwrap();
                let bought = ledger.orders.iter().filter(|order| order.request.terms.side == Side::Buy);
                let worth = bought.map(|order| order.request.terms.value().to_money(Rounding::Up).unwrap());
                let reserved = Money::sum(worth).unwrap();
                view.buying_power = view.buying_power.sub(reserved).unwrap().max(Money::ZERO);
            }
            Flaw::SettlesWhatIsFree => view.settled_cash = Some(view.buying_power),
            Flaw::SettlesAllWhileBuying if view.buying_power < view.cash => view.settled_cash = Some(view.cash),
            Flaw::SettlesTooEarly => {
                let unsettled = view.cash != view.settled_cash.unwrap_or(view.cash);
                let sold_at = unsettled.then(|| *notes.sold_at.get_or_insert(view.as_of));
                let early = sold_at.is_some_and(|at| view.as_of.since(at) > DAY / 4);
                view.settled_cash = if early { Some(view.cash) } else { view.settled_cash };
            }
            Flaw::ReadsOldCash => view.cash = *notes.cash.get_or_insert(view.cash),
            Flaw::BooksNoFees => {
                let ledger = self.ours.ledger(account).unwrap();
                notes.paid_fees = Money::sum(ledger.orders.iter().map(|order| order.fees)).unwrap();
                view.cash = view.cash.add(notes.paid_fees).unwrap();
            }
            Flaw::BooksEachFill => {
                for order in self.ours.ledger(account).unwrap().orders {
                    let (value, each) = order.fills.iter().fold((Value::ZERO, Money::ZERO), |(value, each), fill| {
                        let amount = fill.value().to_money(Rounding::HalfEven).unwrap();
                        (value.add(fill.value()).unwrap(), each.add(amount).unwrap())
                    });
                    let booked = value.to_money(Rounding::HalfEven).unwrap();
                    let more = booked.sub(each).unwrap();
                    let moved = if order.request.terms.side == Side::Buy { more } else { more.negate() };
                    view.cash = view.cash.add(moved).unwrap();
                }
            }
            _ => {}
        }
        Ok(view)
    }
}

/// When a rig's clock begins.
fn started() -> Timestamp {
    "2024-01-02T12:00:00Z".parse().unwrap()
}

/// An id without its last two characters.
fn cut(id: ClientOrderId) -> ClientOrderId {
    ClientOrderId { direction: Direction::Forward, attempt: Attempt::FIRST, ..id }
}

#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::float_arithmetic,
    reason = "this is the flaw"
)]
fn through_a_float(quantity: Quantity) -> Quantity {
    let units = quantity.nanos() as f64 / 1e9;
    Quantity::from_nanos((units * 1e9) as u128).unwrap()
}
