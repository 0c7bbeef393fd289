//! Requests and answers that are lost, late or turned away: contract 1, 2 and 4.

use super::desk::{Desk, broken, desk};
use super::{BrokerRig, Fault};
use crate::{Check, expect};
use evenkeel_domain::order::{BrokerStatus, CancelAnswer, Duplicates, Lookup, NotSent, OrderRequest, SubmitAnswer};
use evenkeel_domain::values::Timestamp;
use futures_util::FutureExt;
use futures_util::future::{join, join_all, select};
use std::pin::pin;
use std::time::Duration;

/// The answer must be that the outcome is unknown.
fn is_unknown(answer: &SubmitAnswer, why: &str) -> Check {
    expect(matches!(answer, SubmitAnswer::Unknown(_)), &format!("the outcome should be unknown, since {why}"), answer)
}

/// Loses the answer, and finds the order. Contract 1, 2.
pub async fn c09_a_lost_answer_is_unknown(rig: &dyn BrokerRig) -> Check {
    is_unknown_and_found(rig, Fault::LoseAnswer, "its answer was lost").await
}

/// An order that was taken, and whose answer this fault keeps from being understood, is unknown; and it is there, once.
async fn is_unknown_and_found(rig: &dyn BrokerRig, fault: Fault, why: &str) -> Check {
    let desk = desk(rig).await?;
    let quantity = desk.quantity("2")?;
    desk.fund_for(quantity)?;
    rig.force(fault)?;
    let order = desk.buy(quantity)?;
    is_unknown(&desk.submit(&order).await, why)?;
    desk.filled(&order).await?;
    desk.quiet().await;
    desk.is_one_order(&order)?;
    desk.requests_were(1)?;
    desk.shown()
}

/// Loses the request twice, asks before and after the horizon each time, and sends it again; waits no longer for its answer than the quiescence.
/// Contract 1, 2, 4.
pub async fn c10_a_lost_request_is_unknown_then_absent(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    let quantity = desk.quantity("2")?;
    desk.fund_for(quantity)?;
    let order = desk.buy(quantity)?;
    is_lost(&desk, &order).await?;
    desk.requests_were(1)?;
    if desk.declared.duplicates == Duplicates::Correlated {
        return desk.shown();
    }
    desk.quiet().await;
    // Once more: the horizon begins with each send.
    is_lost(&desk, &order).await?;
    desk.requests_were(2)?;
    desk.quiet().await;
    desk.trade(&order).await?;
    desk.is_one_order(&order)?;
    desk.shown()
}

/// Sends the order, whose request is lost: it must be unknown, and absent in the end, but not before the horizon.
async fn is_lost(desk: &Desk<'_>, order: &OrderRequest) -> Check {
    let rig = desk.rig;
    rig.force(Fault::LoseRequest)?;
    let sent = rig.now();
    let early = async {
        rig.sleep(desk.declared.visibility_horizon.checked_div(2).unwrap_or_default()).await;
        is_absent(desk, order, sent).await
    };
    let timed = async { (desk.submit(order).await, rig.now()) };
    let ((answer, answered), early) = join(timed, early).await;
    early?;
    is_unknown(&answer, "nothing answered")?;
    let (took, declared) = (answered.since(sent), desk.declared.quiescence);
    expect(took <= declared, &format!("it should take no longer than the {declared:?} declared as quiescence"), took)?;
    let deadline = rig.now().plus(desk.declared.visibility_horizon).plus(rig.patience());
    while !is_absent(desk, order, sent).await? {
        expect(rig.now() < deadline, "the order should be absent once the horizon has passed", rig.now())?;
        rig.sleep(Duration::from_millis(250)).await;
    }
    Ok(())
}

/// Whether the order is absent, which it must not be before the horizon since it was sent, nor found.
async fn is_absent(desk: &Desk<'_>, order: &OrderRequest, sent: Timestamp) -> Result<bool, crate::Stop> {
    let lookup = desk.look_up(order).await;
    match lookup {
        Ok(Lookup::Absent) => {
            let proven = desk.rig.now() >= sent.plus(desk.declared.visibility_horizon);
            expect(proven, "absent should not be answered before the horizon has passed", desk.rig.now().since(sent))?;
            Ok(true)
        }
        Ok(Lookup::Found(view)) => broken("an order whose request was lost should not be found", view),
        Ok(Lookup::Unproven) | Err(_) => Ok(false),
    }
}

/// Lets the broker take an order and answer in words that nobody knows. Contract 1, 2.
pub async fn c54_an_answer_that_nobody_knows_is_unknown(rig: &dyn BrokerRig) -> Check {
    is_unknown_and_found(rig, Fault::UnmappedAnswer, "its answer cannot be read").await
}

/// Makes the broker unreachable for one call. Contract 2.
pub async fn c13_unreachable_is_not_sent(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    let quantity = desk.quantity("2")?;
    desk.fund_for(quantity)?;
    rig.force(Fault::Unreachable)?;
    let order = desk.buy(quantity)?;
    let answer = desk.submit(&order).await;
    let told = answer == SubmitAnswer::NotSent(NotSent::Unreachable);
    expect(told, "the answer should be that nothing was sent, since nobody could be reached", answer)?;
    desk.horizon().await;
    desk.nothing_was_made()?;
    desk.trade(&order).await?;
    desk.is_one_order(&order)
}

/// Delays a request beyond its caller's patience; then another, which is sent again meanwhile where that is safe. Contract 1, 2, 3.
pub async fn c14_a_late_request_makes_one_order(rig: &dyn BrokerRig) -> Check {
    let mut desk = desk(rig).await?;
    desk.late = true;
    let quantity = desk.quantity("2")?;
    desk.fund_for(desk.quantity("4")?)?;
    let (alone, again) = (desk.buy(quantity)?, desk.buy(quantity)?);
    let sent = rig.now();
    is_late(&desk, &alone).await?;
    rig.sleep(sent.plus(desk.declared.quiescence).since(rig.now())).await;
    let arrived = desk.truth()?.orders.contains_key(&alone.id);
    expect(arrived, "a request should have arrived within the declared quiescence", desk.declared.quiescence)?;
    desk.filled(&alone).await?;
    is_late(&desk, &again).await?;
    if desk.declared.duplicates == Duplicates::Refused {
        let answer = desk.submit(&again).await;
        let safe = !matches!(answer, SubmitAnswer::Refused(_));
        expect(safe, "sending the same order again should be safe", answer)?;
    }
    desk.filled(&again).await?;
    desk.quiet().await;
    desk.are_one_order_each(&[alone, again])?;
    desk.holds(desk.symbol(), desk.quantity("4")?).await
}

/// Sends an order whose request is under way for longer than its caller waits.
async fn is_late(desk: &Desk<'_>, order: &OrderRequest) -> Check {
    desk.rig.force(Fault::Slow)?;
    is_unknown(&desk.submit(order).await, "the request is still under way")
}

/// Runs into a limit, waits as long as it says, and sends the same order. Contract 1, 2.
pub async fn c15_a_rate_limit_is_not_sent(rig: &dyn BrokerRig) -> Check {
    const SECOND: Duration = Duration::from_secs(1);
    let desk = desk(rig).await?;
    let quantity = desk.quantity("2")?;
    desk.fund_for(quantity)?;
    let limit = Duration::from_secs(3);
    rig.force(Fault::RateLimit { retry_after: limit })?;
    let order = desk.buy(quantity)?;
    let retry_after = match desk.submit_once(&order).await {
        SubmitAnswer::NotSent(NotSent::RateLimited { retry_after }) => retry_after,
        answer => return broken("a request beyond the limit should be told as not sent", answer),
    };
    let near = retry_after >= limit.saturating_sub(SECOND) && retry_after <= limit.saturating_add(SECOND);
    expect(near, "the end of the limit should be told, in three seconds", retry_after)?;
    desk.nothing_was_made()?;
    rig.sleep(retry_after).await;
    desk.trade(&order).await?;
    desk.is_one_order(&order)
}

/// Sends sixty orders at once, and those that run into a limit again when it has passed. Contract 1, 3.
pub async fn c16_under_load_none_is_lost_or_doubled(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    let quantity = desk.quantity("1")?;
    desk.fund_for(desk.quantity("60")?)?;
    let orders = (0..60).map(|_| desk.buy(quantity)).collect::<Result<Vec<_>, _>>()?;
    let sent = join_all(orders.iter().map(|order| under_load(&desk, order))).await;
    let mut requests = 0_u64;
    for sends in sent {
        requests = requests.saturating_add(sends?);
    }
    for order in &orders {
        desk.filled(order).await?;
    }
    desk.quiet().await;
    desk.are_one_order_each(&orders)?;
    desk.requests_were(requests)?;
    desk.holds(desk.symbol(), desk.quantity("60")?).await?;
    desk.shown()
}

/// Sends an order until it is sent; how often that was.
async fn under_load(desk: &Desk<'_>, order: &OrderRequest) -> Result<u64, crate::Stop> {
    for _ in 0..100 {
        match desk.submit_once(order).await {
            SubmitAnswer::Acknowledged(_) | SubmitAnswer::Unknown(_) => return Ok(1),
            SubmitAnswer::NotSent(NotSent::RateLimited { retry_after }) => desk.rig.sleep(retry_after).await,
            answer => return broken("an order under load should be taken, or be told to wait", answer),
        }
    }
    broken("an order under load should be taken in the end", "a hundred limits")
}

/// Drops a dozen submissions and a cancel: before anything could be answered, and two a little later. Asks at once, asks when all is quiet, and goes on.
/// Contract 1, 4.
pub async fn c60_a_dropped_call_is_a_lost_answer(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    let quantity = desk.quantity("2")?;
    desk.fund_for(desk.quantity("30")?)?;
    let mut orders = Vec::new();
    // Often enough that an adapter runs out of what a dropped call may keep: connections, places in a queue.
    for patience in [0; 12].into_iter().chain([1, 20]) {
        let order = desk.buy(quantity)?;
        let sent = rig.now();
        dropped(&desk, Duration::from_millis(patience), desk.submit_once(&order)).await;
        let proven = desk.look_up(&order).await == Ok(Lookup::Absent);
        let visible = rig.now() >= sent.plus(desk.declared.visibility_horizon);
        expect(visible || !proven, "an order whose submission was dropped should not be absent at once", proven)?;
        desk.quiet().await;
        let really = desk.truth()?.orders.contains_key(&order.id);
        let told = desk.look_up(&order).await;
        let fits = matches!((&told, really), (Ok(Lookup::Found(_)), true) | (Ok(Lookup::Absent), false));
        let promise = format!("the order should be {}", if really { "found" } else { "absent" });
        expect(fits, &promise, told)?;
        let enforced = desk.declared.duplicates == Duplicates::Refused;
        if enforced {
            let again = desk.submit(&order).await;
            let taken = matches!(again, SubmitAnswer::Acknowledged(_) | SubmitAnswer::AlreadyExists);
            expect(taken, "the same order sent again should be taken, or be known", again)?;
        }
        if really || enforced {
            desk.filled(&order).await?;
            orders.push(order);
        }
    }
    rig.force(Fault::NeverFill)?;
    let working = desk.buy(quantity)?;
    desk.place(&working).await?;
    dropped(&desk, Duration::ZERO, desk.cancel(&working)).await;
    desk.quiet().await;
    let canceled = desk.cancel(&working).await;
    let goes_on = matches!(canceled, CancelAnswer::Requested | CancelAnswer::AlreadyTerminal(_));
    expect(goes_on, "an order whose cancel was dropped should work, or have ended", canceled)?;
    desk.until(&working, "canceled", |view| view.status == BrokerStatus::Canceled).await?;
    orders.push(working);
    desk.quiet().await;
    desk.are_one_order_each(&orders)
}

/// Begins a call and drops it so much later, or when it is over.
pub(super) async fn dropped<T>(desk: &Desk<'_>, after: Duration, call: impl Future<Output = T>) {
    let call = pin!(call);
    if after.is_zero() {
        drop(call.now_or_never());
    } else {
        drop(select(call, desk.rig.sleep(after)).await);
    }
}
