//! One order per id: contract 3.

use super::desk::{Desk, broken, desk, fits, misfit};
use super::sending::dropped;
use super::{BrokerRig, Fault};
use crate::{Check, Stop, expect};
use evenkeel_domain::order::{
    Attempt, BatchId, Direction, Duplicates, LegNumber, Lookup, OrderRequest, RefusalReason, Side, SubmitAnswer, Terms,
};
use evenkeel_domain::values::{Quantity, Symbol};
use futures_util::future::join;
use std::time::Duration;

/// A broker that declares that it does not enforce ids is excused.
fn enforced(desk: &Desk<'_>) -> Check {
    match desk.declared.duplicates {
        Duplicates::Refused => Ok(()),
        Duplicates::Correlated => Err(Stop::Excused("duplicates: Correlated: ids are not enforced".to_owned())),
    }
}

/// The answer to an order that exists must say so: that it exists, or what it is.
fn is_known(order: &OrderRequest, answer: SubmitAnswer) -> Check {
    match answer {
        SubmitAnswer::AlreadyExists => Ok(()),
        SubmitAnswer::Acknowledged(view) => fits(order, &view),
        other => broken("the same order sent again should already exist", other),
    }
}

/// Sends one order twice. Contract 3.
pub async fn c04_same_id_same_terms_twice_makes_one_order(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    enforced(&desk)?;
    let quantity = desk.quantity("2.5")?;
    desk.fund_for(desk.quantity("20")?)?;
    let order = desk.buy(quantity)?;
    desk.place(&order).await?;
    is_known(&order, desk.submit(&order).await)?;
    desk.filled(&order).await?;
    desk.quiet().await;
    desk.is_one_order(&order)?;
    desk.holds(desk.symbol(), quantity).await
}

/// Sends an id again with another quantity, side and symbol. Contract 3.
pub async fn c05_same_id_other_terms_is_refused(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    enforced(&desk)?;
    let (quantity, more) = (desk.quantity("2")?, desk.quantity("3")?);
    desk.fund_for(desk.quantity("20")?)?;
    rig.hold(desk.symbol(), quantity)?;
    let order = desk.buy(quantity)?;
    let before = desk.trade(&order).await?;
    let changes: [fn(&mut OrderRequest, Symbol); 2] =
        [|order, _| order.terms.side = Side::Sell, |order, other| order.terms.symbol = other];
    let mut others = changes.map(|change| {
        let mut other = order;
        change(&mut other, rig.second_symbol());
        other
    });
    let larger = OrderRequest { terms: Terms { quantity: more, ..order.terms }, ..order };
    for other in others.iter_mut().chain([&mut larger.clone()]) {
        match desk.submit(other).await {
            SubmitAnswer::Refused(refused) if refused.reason == RefusalReason::DuplicateIdOtherOrder => {}
            answer => return broken("the id should be refused, since it names another order", answer),
        }
    }
    desk.quiet().await;
    let after = desk.filled(&order).await?;
    expect(after == before, "the first order should be untouched", after)?;
    desk.is_one_order(&order)?;
    desk.holds(desk.symbol(), quantity.add(quantity).map_err(misfit)?).await?;
    desk.holds(rig.second_symbol(), Quantity::ZERO).await
}

/// Sends an order again once it is filled. Contract 3.
pub async fn c06_an_id_stays_taken_when_its_order_ended(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    enforced(&desk)?;
    let quantity = desk.quantity("2.5")?;
    desk.fund_for(desk.quantity("20")?)?;
    let order = desk.buy(quantity)?;
    desk.trade(&order).await?;
    desk.quiet().await;
    is_known(&order, desk.submit(&order).await)?;
    desk.quiet().await;
    desk.is_one_order(&order)?;
    desk.holds(desk.symbol(), quantity).await
}

/// Two send the same order at once, a hundred times. Contract 3.
pub async fn c07_same_id_at_once_makes_one_order(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    enforced(&desk)?;
    let quantity = desk.quantity("1")?;
    desk.fund_for(desk.quantity("100")?)?;
    let mut orders = Vec::new();
    for _ in 0..100 {
        let order = desk.buy(quantity)?;
        let (first, second) = join(desk.submit(&order), desk.submit(&order)).await;
        let known = [&first, &second].iter().any(|answer| matches!(answer, SubmitAnswer::Acknowledged(_)));
        expect(known, "one of two who send an order should be told that it was taken", (&first, &second))?;
        is_known(&order, first)?;
        is_known(&order, second)?;
        orders.push(order);
    }
    for order in &orders {
        desk.filled(order).await?;
    }
    desk.quiet().await;
    desk.are_one_order_each(&orders)?;
    desk.holds(desk.symbol(), desk.quantity("100")?).await
}

/// Sends orders whose ids differ in one place only, and those of the least and the greatest id. Contract 3, 8.
pub async fn c08_ids_arrive_whole(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    let quantity = desk.quantity("1")?;
    desk.fund_for(desk.quantity("20")?)?;
    let first = desk.buy(quantity)?;
    let mut ids = vec![first.id; 6];
    let last = LegNumber::MAX;
    let greatest = BatchId::from_u128(u128::MAX);
    for (id, change) in ids.iter_mut().zip(0..) {
        match change {
            1 => id.attempt = Attempt::LAST,
            2 => id.direction = Direction::Reverse,
            3 => id.leg = last,
            4 => id.batch = BatchId::from_u128(first.id.batch.as_u128() ^ 1),
            5 => (id.batch, id.leg, id.direction, id.attempt) = (greatest, last, Direction::Reverse, Attempt::LAST),
            _ => {}
        }
    }
    for id in &ids {
        let order = OrderRequest { id: *id, ..first };
        desk.trade(&order).await?;
    }
    desk.horizon().await;
    for id in &ids {
        desk.filled(&OrderRequest { id: *id, ..first }).await?;
    }
    let bought = quantity.nanos().saturating_mul(6);
    desk.holds(desk.symbol(), Quantity::from_nanos(bought).map_err(misfit)?).await?;
    if let Some(truth) = desk.truth_or_unseen() {
        let once = ids.iter().all(|id| truth.orders.get(id).is_some_and(|order| order.copies == 1));
        expect(once, "there should be an order of each id, under that id", truth.orders.keys())?;
    }
    desk.shown()
}

/// Leaves an order that was executed in part, and one whose submission was dropped, to a successor: it looks both up, lists, reads fills from the
/// cursor of the first adapter, cancels the first order, and sends it again. Contract 3, 4, 5, 6, 7.
pub async fn c37_a_successor_finds_everything(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    let quantity = desk.quantity("6")?;
    desk.fund_for(desk.quantity("18")?)?;
    rig.force(Fault::PartialThenWork)?;
    let order = desk.buy(quantity)?;
    desk.place(&order).await?;
    desk.until(&order, "executed in part", |view| !view.filled.is_zero()).await?;
    desk.quiet().await;
    let before = desk.until(&order, "there", |_| true).await?;
    let (_, cursor) = desk.fills_after(None).await?;
    let cut_short = desk.buy(quantity)?;
    let sent = rig.now();
    dropped(&desk, Duration::from_millis(1), desk.submit_once(&cut_short)).await;

    let desk = desk.handed_to(rig.successor()?);
    let told = desk.look_up(&cut_short).await;
    let visible = rig.now() >= sent.plus(desk.declared.visibility_horizon);
    expect(visible || told != Ok(Lookup::Absent), "what was sent just before should not be absent yet", told)?;
    let after = desk.until(&order, "there", |_| true).await?;
    expect(after == before, &format!("the order should be told as before, {before:?}"), &after)?;
    desk.are_listed(&[&order], "an order that another process has sent").await?;
    let listed = desk.fills().await?;
    let missing = before.fills.iter().find(|fill| !listed.iter().any(|of| of.fill == **fill));
    expect(missing.is_none(), "the fills of an order that another process has sent should be listed", missing)?;
    desk.end(&order).await?;
    if desk.declared.duplicates == Duplicates::Refused {
        is_known(&order, desk.submit(&order).await)?;
    }
    desk.quiet().await;
    let fate = desk.look_up(&cut_short).await;
    if let Ok(Lookup::Found(_)) = fate {
        desk.filled(&cut_short).await?;
    } else {
        expect(fate == Ok(Lookup::Absent), "what was sent before should be found or absent in the end", fate)?;
    }
    let own = desk.buy(quantity)?;
    let fills = desk.trade(&own).await?.fills;
    desk.horizon().await;
    let (listed, _) = desk.fills_after(Some(cursor)).await?;
    let missing = fills.iter().find(|fill| !listed.iter().any(|of| of.fill == **fill));
    expect(missing.is_none(), "a cursor should lead on, whoever was given it", missing)?;
    if desk.truth()?.orders.contains_key(&cut_short.id) {
        return desk.are_one_order_each(&[order, cut_short, own]);
    }
    desk.are_one_order_each(&[order, own])
}
