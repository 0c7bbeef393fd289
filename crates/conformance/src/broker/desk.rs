//! What the cases work with: orders of sizes that the broker takes, waiting until something is so, and what fills come to. What they
//! read of the account is in `reading`.

mod reading;

use super::{BrokerRig, Truth};
use crate::{Cannot, Check, Stop, expect};
use evenkeel_domain::order::{
    Attempt, BatchId, BrokerStatus, CancelAnswer, Capabilities, ClientOrderId, Direction, Fill, LegNumber, Lookup,
    NotSent, OrderRequest, OrderView, RefusalReason, Refused, Side, SubmitAnswer, Terms,
};
use evenkeel_domain::values::{AccountId, FillId, Lot, Money, Price, Quantity, Rounding, Symbol, Timestamp, Value};
use evenkeel_ports::{Broker, BrokerError};
use std::collections::BTreeMap;
use std::fmt::{Debug, Display};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// One whole unit, in billionths.
const UNIT: u128 = 1_000_000_000;

/// How far the broker's clock and the rig's may be apart.
pub(super) const SKEW: Duration = Duration::from_secs(60);

/// How often a request may be turned away by a rate limit before it counts as the answer. A case is not about the limit, but works under it.
const TURNED_AWAY: usize = 1_000;

/// A case at work on its rig.
pub(super) struct Desk<'a> {
    pub(super) rig: &'a dyn BrokerRig,
    pub(super) broker: Arc<dyn Broker>,
    pub(super) account: AccountId,
    pub(super) declared: Arc<Capabilities>,
    /// Of the rig's symbol and of its second one.
    pub(super) price: Price,
    /// True if the price stays what it is.
    pub(super) price_is_set: bool,
    /// True if a request may arrive after its order was proven absent: within the quiescence, that is.
    pub(super) late: bool,
    /// When the case began.
    began: Timestamp,
    batch: BatchId,
    legs: AtomicUsize,
    /// The first thing that the rig could not do or tell while the case went on without.
    unseen: OnceLock<Cannot>,
}

/// A rig's world with a price, in which a unit is worth more than twice the minimum; so long after its start that an adapter which
/// counts the horizon from there, and not from each send, is found out.
pub(super) async fn desk(rig: &dyn BrokerRig) -> Result<Desk<'_>, Stop> {
    let broker = rig.broker();
    let declared = broker.capabilities();
    let hundreds = u64::try_from(declared.minimum_order.cents()).unwrap_or(0).div_ceil(5_000).max(1);
    let mut price = Price::from_nanos(hundreds.saturating_mul(100_000_000_000)).map_err(misfit)?;
    let price_is_set = rig.set_price(rig.symbol(), price).is_ok();
    if price_is_set {
        rig.set_price(rig.second_symbol(), price)?;
    } else {
        price = rig.price(rig.symbol())?;
    }
    let began = rig.now();
    rig.sleep(declared.visibility_horizon).await;
    // Unlike those of any other run against the same broker.
    let moment = u128::try_from(rig.now().nanos()).unwrap_or(0);
    let batch = BatchId::from_u128(moment.saturating_mul(1 << 32));
    let (account, legs, unseen) = (rig.account(), AtomicUsize::new(0), OnceLock::new());
    Ok(Desk { rig, broker, account, declared, price, price_is_set, late: false, began, batch, legs, unseen })
}

/// What cannot be computed: an adapter that declares the impossible.
pub(super) fn misfit(error: impl Display) -> Stop {
    Stop::Broken(format!("the figures of this adapter cannot be counted with: {error}"))
}

/// A promise that was not kept.
pub(super) fn broken<T>(promise: &str, seen: impl Debug) -> Result<T, Stop> {
    Err(Stop::Broken(format!("{promise}, but saw {seen:?}")))
}

impl Desk<'_> {
    /// Goes on with another adapter.
    pub(super) fn handed_to(self, broker: Arc<dyn Broker>) -> Self {
        Self { broker, ..self }
    }

    pub(super) fn symbol(&self) -> Symbol {
        self.rig.symbol()
    }

    pub(super) fn lot(&self) -> Lot {
        self.declared.lot_of(self.symbol())
    }

    /// Goes on without something that the rig cannot do or tell. The case must end with [`shown`](Self::shown), which is then not passed.
    pub(super) fn unseen(&self, cannot: Cannot) {
        self.unseen.get_or_init(|| cannot);
    }

    /// The end of a case that may have gone on without something: it has passed only if all of it was seen.
    pub(super) fn shown(&self) -> Check {
        match self.unseen.get() {
            None => Ok(()),
            Some(Cannot(doing)) => {
                Err(Stop::Cannot(Cannot(format!("{doing}; what could be seen without was as promised"))))
            }
        }
    }

    /// Lets a unit cost a part of a cent more, so much that three lots in three orders are a cent off from three in one. Where prices
    /// cannot be set it stays with the market's own, and what is rounded wrongly is not seen.
    pub(super) fn price_with_parts_of_a_cent(&mut self) -> Check {
        if !self.price_is_set {
            self.unseen(Cannot::new("set a price"));
            return Ok(());
        }
        let lot = self.lot().size().nanos().max(UNIT);
        // A tenth of a cent for each lot: 0.003 for three, 0.009 for nine.
        let part = (UNIT / 1_000).saturating_mul(UNIT).checked_div(lot).unwrap_or(0);
        self.reprice(self.price.nanos().saturating_add(u64::try_from(part).unwrap_or(0)))
    }

    /// Sets the price of the rig's symbol to so many billionths.
    pub(super) fn reprice(&mut self, nanos: u64) -> Check {
        self.price = Price::from_nanos(nanos).map_err(misfit)?;
        Ok(self.rig.set_price(self.symbol(), self.price)?)
    }

    /// So many units; in whole lots, and of as many lots as units where a lot is larger than a unit.
    pub(super) fn quantity(&self, text: &str) -> Result<Quantity, Stop> {
        let units: Quantity = text.parse().map_err(misfit)?;
        let lot = [self.lot(), self.declared.lot_of(self.rig.second_symbol())].into_iter().max_by_key(|lot| lot.size());
        let lot = lot.unwrap_or(Lot::FINEST);
        if lot.size().nanos() <= UNIT {
            return Ok(units.floor_to(lot));
        }
        let whole = units.nanos().checked_div(UNIT).unwrap_or(0);
        Quantity::from_nanos(whole.saturating_mul(lot.size().nanos())).map_err(misfit)
    }

    /// An id that was not used before.
    pub(super) fn id(&self) -> Result<ClientOrderId, Stop> {
        let leg = LegNumber::new(self.legs.fetch_add(1, Ordering::Relaxed));
        let leg = leg.ok_or_else(|| misfit("a case has at most 4096 orders"))?;
        Ok(ClientOrderId { batch: self.batch, leg, direction: Direction::Forward, attempt: Attempt::FIRST })
    }

    pub(super) fn order(&self, side: Side, quantity: Quantity) -> Result<OrderRequest, Stop> {
        let terms = Terms { symbol: self.symbol(), side, quantity, reference: self.price, exit: false };
        Ok(OrderRequest { id: self.id()?, terms })
    }

    pub(super) fn buy(&self, quantity: Quantity) -> Result<OrderRequest, Stop> {
        self.order(Side::Buy, quantity)
    }

    pub(super) fn sell(&self, quantity: Quantity) -> Result<OrderRequest, Stop> {
        self.order(Side::Sell, quantity)
    }

    /// Gives away all that is held.
    pub(super) fn exit(&self, quantity: Quantity) -> Result<OrderRequest, Stop> {
        let mut order = self.sell(quantity)?;
        order.terms.exit = true;
        Ok(order)
    }

    /// What so many units are worth, to the cent.
    pub(super) fn worth(&self, quantity: Quantity) -> Result<Money, Stop> {
        self.price.times(quantity).to_money(Rounding::HalfEven).map_err(misfit)
    }

    /// Pays in enough to buy so many units, twice.
    pub(super) fn fund_for(&self, quantity: Quantity) -> Check {
        let cash = self.worth(quantity)?;
        let spare = Money::from_cents(1_000_000).map_err(misfit)?;
        Ok(self.rig.fund(cash.add(cash).and_then(|twice| twice.add(spare)).map_err(misfit)?)?)
    }

    /// Sends an order; where a rate limit turns it away, again when there is room.
    pub(super) async fn submit(&self, order: &OrderRequest) -> SubmitAnswer {
        for _ in 0..TURNED_AWAY {
            match self.submit_once(order).await {
                SubmitAnswer::NotSent(NotSent::RateLimited { retry_after }) => self.rig.sleep(retry_after).await,
                answer => return answer,
            }
        }
        self.submit_once(order).await
    }

    /// Sends an order, whatever the answer.
    pub(super) async fn submit_once(&self, order: &OrderRequest) -> SubmitAnswer {
        self.broker.submit(&self.account, order).await
    }

    /// Asks for a cancel; where a rate limit turns that away, again when there is room.
    pub(super) async fn cancel(&self, order: &OrderRequest) -> CancelAnswer {
        for _ in 0..TURNED_AWAY {
            match self.broker.cancel(&self.account, order.id).await {
                CancelAnswer::NotSent(NotSent::RateLimited { retry_after }) => self.rig.sleep(retry_after).await,
                answer => return answer,
            }
        }
        self.broker.cancel(&self.account, order.id).await
    }

    pub(super) async fn look_up(&self, order: &OrderRequest) -> Result<Lookup, BrokerError> {
        self.broker.order(&self.account, order.id).await
    }

    /// Sends an order that nothing speaks against.
    pub(super) async fn place(&self, order: &OrderRequest) -> Result<OrderView, Stop> {
        let checked = self.broker.check(&self.account, &order.terms);
        expect(checked.is_ok(), "terms that nothing speaks against should pass the check", checked)?;
        match self.submit(order).await {
            SubmitAnswer::Acknowledged(view) => {
                fits(order, &view)?;
                Ok(view)
            }
            answer => broken("an order that nothing speaks against should be acknowledged", answer),
        }
    }

    /// Sends an order that must be refused for this reason, and sees that nothing came of it.
    pub(super) async fn refused(&self, order: &OrderRequest, reason: &RefusalReason) -> Check {
        let answer = self.submit(order).await;
        let fits = matches!(&answer, SubmitAnswer::Refused(Refused { reason: given, .. }) if given == reason);
        expect(fits, &format!("the answer should be refused, for {reason}"), answer)?;
        self.rig.sleep(self.declared.visibility_horizon).await;
        self.not_executed(order)
    }

    /// What was refused must not really be executed, where the truth can be read.
    pub(super) fn not_executed(&self, order: &OrderRequest) -> Check {
        let executed = self.truth_or_unseen().and_then(|truth| Some(truth.orders.get(&order.id)?.executed));
        expect(executed.is_none_or(Quantity::is_zero), "what was refused should not be executed", executed)
    }

    /// Waits until the order's view is so, and sees that no view takes back what an earlier one said.
    pub(super) async fn until(
        &self,
        order: &OrderRequest,
        what: &str,
        so: impl Fn(&OrderView) -> bool + Send,
    ) -> Result<OrderView, Stop> {
        let deadline = self.rig.now().plus(self.longest());
        let mut pause = Duration::from_millis(20);
        let mut most = Quantity::ZERO;
        let mut fills: BTreeMap<FillId, Fill> = BTreeMap::new();
        let mut last = None;
        loop {
            match self.look_up(order).await {
                Ok(Lookup::Found(view)) => {
                    fits(order, &view)?;
                    expect(view.filled >= most, "the executed quantity should never decrease", (most, &view))?;
                    most = view.filled;
                    for fill in &view.fills {
                        let before = fills.entry(fill.id.clone()).or_insert_with(|| fill.clone());
                        expect(before == fill, "a fill should never change", (before, fill))?;
                        let lived = self.began <= fill.at.plus(SKEW) && fill.at <= self.rig.now().plus(SKEW);
                        let (from, to) = (self.began, self.rig.now());
                        expect(lived, &format!("a fill should be of the time of its case, {from} to {to}"), fill)?;
                    }
                    if so(&view) {
                        return Ok(view);
                    }
                    last = Some(Lookup::Found(view));
                }
                Ok(Lookup::Absent) if !self.late => {
                    return broken("an order that reached the broker should never be proven absent", Lookup::Absent);
                }
                Ok(lookup) => last = Some(lookup),
                Err(BrokerError::Unavailable { .. }) => {}
                Err(error) => return broken("the order should be looked up", error),
            }
            if self.rig.now() >= deadline {
                return broken(&format!("the order should in the end be {what}"), last);
            }
            self.rig.sleep(pause).await;
            pause = pause.saturating_mul(2).min(Duration::from_secs(1));
        }
    }

    /// Waits until the order is filled and each of its fills is known.
    pub(super) async fn filled(&self, order: &OrderRequest) -> Result<OrderView, Stop> {
        let all = order.terms.quantity;
        let view = self
            .until(order, "filled, with all its fills", |view| {
                view.status == BrokerStatus::Filled && sum(&view.fills).is_ok_and(|sum| sum >= all)
            })
            .await?;
        expect(view.filled == all, &format!("a filled order should have executed its {all}"), &view)?;
        Ok(view)
    }

    /// Places an order and waits until it is filled.
    pub(super) async fn trade(&self, order: &OrderRequest) -> Result<OrderView, Stop> {
        self.place(order).await?;
        self.filled(order).await
    }

    /// Cancels an order that works and waits until it has ended.
    pub(super) async fn end(&self, order: &OrderRequest) -> Result<OrderView, Stop> {
        let answer = self.cancel(order).await;
        expect(answer == CancelAnswer::Requested, "the cancel of an order that works should be taken", answer)?;
        self.until(order, "canceled", |view| view.status == BrokerStatus::Canceled).await
    }

    /// Waits until what has happened must be seen.
    pub(super) async fn horizon(&self) {
        self.rig.sleep(self.declared.visibility_horizon).await;
    }

    /// Waits until nothing that was sent can still be under way or unseen.
    pub(super) async fn quiet(&self) {
        self.rig.sleep(self.declared.quiescence.saturating_add(self.declared.visibility_horizon)).await;
    }

    fn longest(&self) -> Duration {
        let declared = self.declared.quiescence.saturating_add(self.declared.visibility_horizon);
        declared.saturating_add(self.rig.patience())
    }

    /// What really happened; a rig that cannot tell leaves the case not shown.
    pub(super) fn truth(&self) -> Result<Truth, Stop> {
        Ok(self.rig.truth()?)
    }

    /// What really happened, where it can be read.
    pub(super) fn truth_or_unseen(&self) -> Option<Truth> {
        self.rig.truth().map_err(|cannot| self.unseen(cannot)).ok()
    }

    /// No order must really have been made.
    pub(super) fn nothing_was_made(&self) -> Check {
        let orders = self.truth_or_unseen().map(|truth| truth.orders).unwrap_or_default();
        expect(orders.is_empty(), "what was not taken should not exist", orders)
    }

    /// There must really be one order of this id, and no order of an id that was not sent.
    pub(super) fn is_one_order(&self, order: &OrderRequest) -> Check {
        let truth = self.truth()?;
        let copies = truth.orders.get(&order.id).map_or(0, |order| order.copies);
        expect(copies == 1, "there should be one order of the id", copies)?;
        let others: Vec<String> = truth.orders.keys().filter(|id| **id != order.id).map(ToString::to_string).collect();
        expect(others.is_empty(), "there should be no other order than the one that was sent", others)
    }

    /// There must really be one order of each of these ids, and no order of an id that was not sent.
    pub(super) fn are_one_order_each(&self, orders: &[OrderRequest]) -> Check {
        let truth = self.truth()?;
        let once = orders.iter().all(|order| truth.orders.get(&order.id).is_some_and(|order| order.copies == 1));
        expect(once && truth.orders.len() == orders.len(), "there should be one order of each id", truth.orders)
    }

    /// So many requests must have left the adapter, where they are counted.
    pub(super) fn requests_were(&self, sent: u64) -> Check {
        let requests = self.truth_or_unseen().and_then(|truth| truth.requests);
        if requests.is_none() {
            self.unseen(Cannot::new("count the requests"));
        }
        let promise = format!("{sent} requests should have been sent: one for each call, and no retries");
        expect(requests.is_none_or(|requests| requests == sent), &promise, requests)
    }
}

/// The view must be of this order, and not say more than can be.
pub(super) fn fits(order: &OrderRequest, view: &OrderView) -> Check {
    let Terms { symbol, side, quantity, .. } = order.terms;
    let echoed = (view.id, view.symbol, view.side, view.quantity) == (order.id, symbol, side, quantity);
    expect(echoed, &format!("the view should be that of {} to {side} {quantity} {symbol}", order.id), view)?;
    let known = sum(&view.fills)?;
    expect(known <= view.filled, "the fills should not be more than what was executed", view)?;
    expect(view.filled <= quantity, "no more should be executed than was ordered", view)?;
    let complete = view.status != BrokerStatus::Filled || view.filled == quantity;
    expect(complete, "an order that reads filled should be executed completely", view)?;
    let empty = view.fills.iter().find(|fill| fill.quantity.is_zero());
    expect(empty.is_none(), "a fill should be of more than nothing", empty)
}

/// True if each fill of what was executed is known.
pub(super) fn is_whole(view: &OrderView) -> bool {
    sum(&view.fills).is_ok_and(|sum| sum == view.filled)
}

/// Units that these fills executed.
pub(super) fn sum(fills: &[Fill]) -> Result<Quantity, Stop> {
    fills.iter().try_fold(Quantity::ZERO, |sum, fill| sum.add(fill.quantity)).map_err(misfit)
}

/// What these fills of one order move of cash, without fees; and their fees.
pub(super) fn amounts(fills: &[Fill]) -> Result<(Money, Money), Stop> {
    let value = Value::sum(fills.iter().map(Fill::value)).map_err(misfit)?;
    let amount = value.to_money(Rounding::HalfEven).map_err(misfit)?;
    Ok((amount, Money::sum(fills.iter().map(|fill| fill.fee)).map_err(misfit)?))
}
