//! Cancels: contract 6, and what contract 5 says of fills around them.

use super::desk::{Desk, broken, desk, is_whole, misfit};
use super::{BrokerRig, Fault};
use crate::{Check, Stop, expect};
use evenkeel_domain::order::{BrokerStatus, CancelAnswer, NotSent, OrderRequest, OrderView};
use evenkeel_domain::values::Quantity;
use futures_util::future::join_all;
use std::time::Duration;

/// An order to buy two units that works.
async fn working(desk: &Desk<'_>) -> Result<OrderRequest, Stop> {
    let quantity = desk.quantity("2")?;
    desk.fund_for(quantity)?;
    let order = desk.buy(quantity)?;
    desk.place(&order).await?;
    Ok(order)
}

/// The cancel of an order that works must be taken.
async fn is_taken(desk: &Desk<'_>, order: &OrderRequest) -> Check {
    let answer = desk.cancel(order).await;
    expect(answer == CancelAnswer::Requested, "the cancel of an order that works should be taken", answer)
}

async fn canceled(desk: &Desk<'_>, order: &OrderRequest) -> Result<OrderView, Stop> {
    desk.until(order, "canceled", |view| view.status == BrokerStatus::Canceled).await
}

/// Cancels an order that works, twice. Contract 6.
pub async fn c28_a_working_order_can_be_canceled(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    rig.force(Fault::NeverFill)?;
    let order = working(&desk).await?;
    rig.force(Fault::NeverFill)?;
    let other = working(&desk).await?;
    let view = desk.end(&order).await?;
    expect(view.filled.is_zero(), "an order that never executed should end with nothing executed", view)?;
    let again = desk.cancel(&order).await;
    let ended = matches!(&again, CancelAnswer::AlreadyTerminal(view) if view.status == BrokerStatus::Canceled);
    expect(ended, "a second cancel should say that the order has ended, canceled", again)?;
    desk.quiet().await;
    let untouched = desk.until(&other, "still there", |_| true).await?;
    expect(untouched.status == BrokerStatus::Working, "another order should still work", untouched)?;
    desk.end(&other).await?;
    desk.horizon().await;
    desk.nothing_is_open().await
}

/// Cancels an order that is filled. Contract 5, 6.
pub async fn c29_a_filled_order_cannot_be_canceled(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    let order = working(&desk).await?;
    let filled = desk.filled(&order).await?;
    let answer = desk.cancel(&order).await;
    let told = matches!(&answer, CancelAnswer::AlreadyTerminal(view)
        if view.status == BrokerStatus::Filled && view.filled == filled.filled);
    expect(told, "the cancel of a filled order should say that it was filled", answer)?;
    desk.quiet().await;
    let after = desk.until(&order, "still there", |_| true).await?;
    expect(after.status == BrokerStatus::Filled, "a filled order should stay filled", after)?;
    desk.holds(desk.symbol(), order.terms.quantity).await
}

/// Sends two hundred orders and cancels each a little later. Contract 5, 6.
pub async fn c30_cancels_race_fills(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    let quantity = desk.quantity("1")?;
    desk.fund_for(desk.quantity("200")?)?;
    let orders = (0..200).map(|_| desk.buy(quantity)).collect::<Result<Vec<_>, _>>()?;
    let races = orders.iter().zip(0_u64..).map(|(order, n)| {
        let pause = Duration::from_millis(n.saturating_mul(37).checked_rem(400).unwrap_or(0));
        race(&desk, order, pause)
    });
    let ended = join_all(races).await.into_iter().collect::<Result<Vec<_>, _>>()?;
    desk.quiet().await;
    let mut executed = Quantity::ZERO;
    for (order, before) in orders.iter().zip(&ended) {
        let after = desk.until(order, "known with each of its fills", is_whole).await?;
        // Only a late fill may still change how it ended.
        let kept = after.status == before.status || after.status == BrokerStatus::Filled;
        expect(kept, "an order should end in one way only", (before, &after))?;
        executed = executed.add(after.filled).map_err(misfit)?;
        if let Some(truth) = desk.truth_or_unseen() {
            let really = truth.orders.get(&order.id).map(|order| order.executed);
            expect(really == Some(after.filled), "no fill should be lost in a race", (really, after))?;
        }
    }
    desk.holds(desk.symbol(), executed).await?;
    desk.shown()
}

/// Sends an order and cancels it after a pause; how it ended.
async fn race(desk: &Desk<'_>, order: &OrderRequest, pause: Duration) -> Result<OrderView, Stop> {
    desk.place(order).await?;
    desk.rig.sleep(pause).await;
    match desk.cancel(order).await {
        CancelAnswer::Requested => {}
        CancelAnswer::AlreadyTerminal(view) if view.status == BrokerStatus::Filled => {}
        answer => return broken("a cancel that races a fill should be taken or come too late", answer),
    }
    let ended = |view: &OrderView| matches!(view.status, BrokerStatus::Filled | BrokerStatus::Canceled);
    desk.until(order, "filled or canceled", ended).await
}

/// Executes an order after its cancel. Contract 5, 6.
pub async fn c31_a_fill_after_the_cancel_is_told(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    rig.force(Fault::FillAfterCancel)?;
    let order = working(&desk).await?;
    is_taken(&desk, &order).await?;
    desk.filled(&order).await?;
    desk.horizon().await;
    let fills: Vec<_> = desk.fills().await?.into_iter().filter(|fill| fill.order == Some(order.id)).collect();
    expect(!fills.is_empty(), "the late fill should be among the fills", &fills)?;
    desk.holds(desk.symbol(), order.terms.quantity).await
}

/// Loses the answer to a cancel. Contract 6.
pub async fn c32_a_lost_cancel_answer_is_unknown(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    rig.force(Fault::NeverFill)?;
    rig.force(Fault::LoseCancelAnswer)?;
    let order = working(&desk).await?;
    let asked = rig.now();
    let answer = desk.cancel(&order).await;
    expect(
        matches!(answer, CancelAnswer::Unknown(_)),
        "the outcome of a cancel whose answer was lost should be unknown",
        answer,
    )?;
    let (took, declared) = (rig.now().since(asked), desk.declared.quiescence);
    expect(took <= declared, &format!("it should take no longer than the {declared:?} declared as quiescence"), took)?;
    canceled(&desk, &order).await.map(|_| ())
}

/// Cancels what never was. Contract 6.
pub async fn c33_canceling_nothing_says_so(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    let answer = desk.cancel(&desk.buy(desk.quantity("2")?)?).await;
    expect(answer == CancelAnswer::NoSuchOrder, "there should be no such order", answer)
}

/// Makes the broker unreachable for the cancel of one order, and turns that of another away; then cancels both. Contract 6.
pub async fn c58_a_cancel_that_was_not_sent_changes_nothing(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    let limit = Duration::from_secs(3);
    for fault in [Fault::UnreachableCancel, Fault::RateLimitCancel { retry_after: limit }] {
        rig.force(Fault::NeverFill)?;
        rig.force(fault)?;
        let order = working(&desk).await?;
        let wait = match desk.broker.cancel(&desk.account, order.id).await {
            CancelAnswer::NotSent(NotSent::Unreachable) if fault == Fault::UnreachableCancel => Duration::ZERO,
            CancelAnswer::NotSent(NotSent::RateLimited { retry_after }) if fault != Fault::UnreachableCancel => {
                let near = retry_after.abs_diff(limit) <= Duration::from_secs(1);
                expect(near, "the end of the limit should be told, in three seconds", retry_after)?;
                retry_after
            }
            answer => return broken(&format!("the cancel should be told as not sent, for {fault:?}"), answer),
        };
        rig.sleep(wait).await;
        desk.quiet().await;
        let view = desk.until(&order, "still there", |_| true).await?;
        let works = view.status == BrokerStatus::Working && view.filled.is_zero();
        expect(works, "an order whose cancel was not sent should still work", view)?;
        desk.end(&order).await?;
    }
    Ok(())
}

/// Cancels a buy and a sell with cancels that take their time; lists, reads and cancels them meanwhile. Contract 6, 7.
pub async fn c59_what_is_being_canceled_is_open(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    let quantity = desk.quantity("2")?;
    rig.hold(rig.second_symbol(), quantity)?;
    let slow = Fault::SlowCancel { takes: desk.declared.visibility_horizon.saturating_add(Duration::from_secs(60)) };
    rig.force(Fault::NeverFill)?;
    rig.force(slow)?;
    let buy = working(&desk).await?;
    rig.force(Fault::NeverFill)?;
    rig.force(slow)?;
    let mut sell = desk.sell(quantity)?;
    sell.terms.symbol = rig.second_symbol();
    desk.place(&sell).await?;
    desk.horizon().await;
    desk.are_listed(&[&buy, &sell], "an order that works").await?;
    for order in [&buy, &sell] {
        is_taken(&desk, order).await?;
    }
    desk.horizon().await;
    for order in [&buy, &sell] {
        let view = desk.until(order, "still there", |_| true).await?;
        let is_open = matches!(view.status, BrokerStatus::Working | BrokerStatus::Unmapped(_));
        expect(is_open, "an order whose cancel is being worked on should not have ended", view)?;
        is_taken(&desk, order).await?;
    }
    desk.are_listed(&[&buy, &sell], "an order whose cancel is being worked on").await?;
    for order in [&buy, &sell] {
        canceled(&desk, order).await?;
    }
    desk.horizon().await;
    desk.nothing_is_open().await
}
