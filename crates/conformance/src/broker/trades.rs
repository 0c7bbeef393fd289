//! What an order costs and brings: contract 5 and 8.

use super::desk::{Desk, SKEW, amounts, broken, desk, is_whole, misfit, sum};
use super::{BrokerRig, Fault};
use crate::{Cannot, Check, Stop, expect};
use evenkeel_domain::order::{BrokerStatus, CancelAnswer, Fill, OrderFill, OrderRequest, OrderView, Side};
use evenkeel_domain::values::{Money, Quantity};

/// The account's cash must have moved from `before` by what these orders executed and paid; by a cent for each fill at most, where the
/// adapter declares that fills are rounded.
pub(super) async fn cash_moved(desk: &Desk<'_>, before: Money, orders: &[(Side, &[Fill])]) -> Check {
    let (mut expected, mut fills) = (before, 0_usize);
    for (side, of_order) in orders {
        let (amount, fees) = amounts(of_order)?;
        let moved = match side {
            Side::Sell => expected.add(amount),
            Side::Buy => expected.sub(amount),
        };
        expected = moved.and_then(|cash| cash.sub(fees)).map_err(misfit)?;
        fills = fills.saturating_add(of_order.len());
    }
    let cash = desk.view().await?.cash;
    let cents = if desk.declared.fills_rounded { i64::try_from(fills).unwrap_or(i64::MAX) } else { 0 };
    let near = cash.cents().abs_diff(expected.cents()) <= cents.unsigned_abs();
    expect(near, &format!("cash should go from {before} to {expected}, by price × quantity and fees"), cash)
}

/// Buys, waits for the fill and the horizon, and compares units, cash and costs with the fills. Contract 5, 8.
pub async fn c01_a_buy_costs_what_its_fills_say(rig: &dyn BrokerRig) -> Check {
    let mut desk = desk(rig).await?;
    desk.price_with_parts_of_a_cent()?;
    let quantity = desk.quantity("7.654321")?;
    desk.fund_for(quantity)?;
    let before = desk.view().await?;
    let order = desk.buy(quantity)?;
    let view = desk.trade(&order).await?;
    desk.horizon().await;
    desk.holds(desk.symbol(), quantity).await?;
    cash_moved(&desk, before.cash, &[(Side::Buy, &view.fills)]).await?;
    desk.nothing_is_reserved(&before).await?;
    within_costs(&desk, &order, &view)?;
    desk.nothing_is_open().await?;
    let declared = desk.broker.capabilities();
    expect(declared == desk.declared, "what is declared should be the same for the life of the adapter", declared)?;
    desk.shown()
}

/// What was paid beyond the reference price, or is missing of it, must be no more than the declared costs. Where the price is the market's
/// own there is nothing to compare with.
fn within_costs(desk: &Desk<'_>, order: &OrderRequest, view: &OrderView) -> Check {
    if !desk.price_is_set {
        desk.unseen(Cannot::new("set a price"));
        return Ok(());
    }
    let (amount, fees) = amounts(&view.fills)?;
    let worth = desk.worth(order.terms.quantity)?;
    let lost = match order.terms.side {
        Side::Buy => amount.sub(worth),
        Side::Sell => worth.sub(amount),
    };
    let lost = lost.and_then(|lost| lost.add(fees)).map_err(misfit)?;
    let most = desk.declared.costs.of(order.terms.value()).map_err(misfit)?;
    let promise = format!("to {} {worth} should cost no more than the declared {most}", order.terms.side);
    expect(lost <= most, &promise, lost)
}

/// Sells a part of a holding, then the rest as an exit. Contract 5, 8.
pub async fn c03_a_part_then_all_is_sold(rig: &dyn BrokerRig) -> Check {
    let mut desk = desk(rig).await?;
    desk.price_with_parts_of_a_cent()?;
    let (held, part) = (desk.quantity("10.123456789")?, desk.quantity("4.1")?);
    rig.hold(desk.symbol(), held)?;
    let before = desk.view().await?.cash;
    let sell = desk.sell(part)?;
    let first = desk.trade(&sell).await?;
    within_costs(&desk, &sell, &first)?;
    desk.horizon().await;
    let rest = held.sub(part).map_err(misfit)?;
    desk.holds(desk.symbol(), rest).await?;
    let exit = desk.exit(rest)?;
    let second = desk.trade(&exit).await?;
    within_costs(&desk, &exit, &second)?;
    desk.horizon().await;
    desk.holds(desk.symbol(), Quantity::ZERO).await?;
    all_listed(&desk.fills().await?, first.fills.iter().chain(&second.fills))?;
    cash_moved(&desk, before, &[(Side::Sell, &first.fills), (Side::Sell, &second.fills)]).await?;
    desk.shown()
}

/// Buys a quantity of as many digits as the lot allows, reads it back everywhere, and sells it again: seventeen, which no float holds,
/// where lots are of the finest size. Contract 8.
pub async fn c25_quantities_survive_to_the_last_digit(rig: &dyn BrokerRig) -> Check {
    let mut desk = desk(rig).await?;
    if desk.declared.minimum_order.cents() <= 10_000_000 {
        desk.reprice(1_000_000_000)?;
    }
    let quantity = desk.quantity("98765432.123456789")?;
    desk.fund_for(quantity)?;
    let order = desk.buy(quantity)?;
    let before = desk.view().await?.cash;
    let bought = desk.trade(&order).await?;
    within_costs(&desk, &order, &bought)?;
    let parts = sum(&bought.fills)?;
    expect(parts == quantity, &format!("the fills should come to {quantity}"), parts)?;
    desk.horizon().await;
    desk.holds(desk.symbol(), quantity).await?;
    cash_moved(&desk, before, &[(Side::Buy, &bought.fills)]).await?;
    let exit = desk.exit(quantity)?;
    let sold = desk.trade(&exit).await?;
    within_costs(&desk, &exit, &sold)?;
    desk.horizon().await;
    desk.holds(desk.symbol(), Quantity::ZERO).await?;
    desk.shown()
}

/// Lets an order be executed in three parts, and adds them up, in the view and among the fills. Contract 5.
pub async fn c26_partial_fills_sum_exactly(rig: &dyn BrokerRig) -> Check {
    let mut desk = desk(rig).await?;
    desk.price_with_parts_of_a_cent()?;
    let quantity = desk.quantity("9.87654321")?;
    desk.fund_for(quantity)?;
    let before = desk.view().await?.cash;
    rig.force(Fault::InParts(3))?;
    let order = desk.buy(quantity)?;
    let view = desk.trade(&order).await?;
    expect(view.fills.len() >= 2, "an order executed in parts should have as many fills", &view)?;
    let parts = sum(&view.fills)?;
    expect(parts == quantity, &format!("the parts should come to {quantity}"), &view.fills)?;
    desk.horizon().await;
    let mut listed = desk.fills().await?;
    listed.sort_by(|a, b| a.fill.id.cmp(&b.fill.id));
    listed.dedup_by(|a, b| a.fill.id == b.fill.id);
    let listed: Vec<Fill> = listed.into_iter().filter(|fill| fill.order == Some(order.id)).map(|f| f.fill).collect();
    let total = sum(&listed)?;
    expect(total == quantity, &format!("the listed fills should come to {quantity}"), &listed)?;
    desk.holds(desk.symbol(), quantity).await?;
    cash_moved(&desk, before, &[(Side::Buy, &view.fills)]).await?;
    desk.shown()
}

/// Moves the price between the two parts of an order, and follows cash, view and cursor from the one to the other. Contract 5, 8, 9.
pub async fn c52_each_fill_has_its_own_price(rig: &dyn BrokerRig) -> Check {
    let mut desk = desk(rig).await?;
    desk.price_with_parts_of_a_cent()?;
    let quantity = desk.quantity("9.87654321")?;
    desk.fund_for(quantity)?;
    let before = desk.view().await?.cash;
    let apart = desk.declared.visibility_horizon.saturating_mul(4).saturating_add(SKEW.saturating_mul(3));
    rig.force(Fault::InTwo { apart })?;
    let order = desk.buy(quantity)?;
    desk.place(&order).await?;
    let known = |view: &OrderView| !view.filled.is_zero() && is_whole(view);
    let first = desk.until(&order, "executed in part, with that fill", known).await?.fills;
    let halfway = rig.now();
    desk.horizon().await;
    cash_moved(&desk, before, &[(Side::Buy, &first)]).await?;
    let (seen, read) = desk.fills_after(None).await?;
    all_listed(&seen, &first)?;
    // A hundredth less, so that what is paid in is enough.
    desk.reprice(desk.price.nanos().saturating_sub(desk.price.nanos().checked_div(100).unwrap_or(0)))?;
    rig.sleep(apart).await;
    let all = desk.filled(&order).await?.fills;
    desk.horizon().await;
    cash_moved(&desk, before, &[(Side::Buy, &all)]).await?;
    let rest: Vec<&Fill> = all.iter().filter(|fill| !first.iter().any(|known| known.id == fill.id)).collect();
    let cheaper = rest.iter().all(|later| first.iter().all(|earlier| later.price < earlier.price));
    let Some(new) = rest.first().filter(|_| cheaper) else {
        return broken("what was executed at a lower price should be told at that price", &all);
    };
    let (listed, _) = desk.fills_after(Some(read.clone())).await?;
    let promise = format!("what was executed {apart:?} later than at {halfway} should bear that time");
    expect(new.at > halfway.plus(SKEW), &promise, new)?;
    let after: Vec<Fill> = listed.into_iter().filter(|fill| fill.order == Some(order.id)).map(|of| of.fill).collect();
    expect(after.iter().any(|fill| fill.id == new.id), "after the cursor the new fill should be listed", &after)?;
    let (again, _) = desk.fills_after(Some(read)).await?;
    expect(again.iter().any(|of| of.fill.id == new.id), "the same cursor again should list the same", &again)?;
    let other = after.iter().find(|listed| !all.contains(listed));
    expect(other.is_none(), "a fill that is listed after a cursor should be as the order's view has it", other)
}

/// Lists and cancels an order that was executed in part, and lets the broker cancel another. Contract 5, 6.
pub async fn c27_a_canceled_order_keeps_its_part(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    let quantity = desk.quantity("6.5")?;
    desk.fund_for(quantity)?;
    let before = desk.view().await?;
    rig.force(Fault::PartialThenWork)?;
    let order = desk.buy(quantity)?;
    desk.place(&order).await?;
    let part = desk.until(&order, "executed in part", |view| !view.filled.is_zero()).await?.filled;
    desk.horizon().await;
    let page = desk.are_listed(&[&order], "an order that was executed in part").await?;
    let other = page.orders.iter().find(|view| view.id == order.id && view.filled != part);
    expect(other.is_none(), &format!("it should be listed with the {part} that was executed"), other)?;
    match desk.cancel(&order).await {
        CancelAnswer::Requested => {}
        answer => return broken("the cancel of an order that works should be taken", answer),
    }
    let first = canceled_with(&desk, &order, part).await?;
    desk.horizon().await;
    desk.holds(desk.symbol(), part).await?;
    cash_moved(&desk, before.cash, &[(Side::Buy, &first)]).await?;
    desk.nothing_is_reserved(&before).await?;

    rig.force(Fault::PartialThenCancel)?;
    let order = desk.buy(quantity)?;
    desk.place(&order).await?;
    let second = canceled_with(&desk, &order, part).await?;
    desk.horizon().await;
    desk.holds(desk.symbol(), part.add(sum(&second)?).map_err(misfit)?).await?;
    all_listed(&desk.fills().await?, first.iter().chain(&second))?;
    cash_moved(&desk, before.cash, &[(Side::Buy, &first), (Side::Buy, &second)]).await?;
    desk.nothing_is_reserved(&before).await
}

/// The fills of an order that must end canceled, with this much executed at least; a cancel says so too when it is too late.
async fn canceled_with(desk: &Desk<'_>, order: &OrderRequest, part: Quantity) -> Result<Vec<Fill>, Stop> {
    let view = desk.until(order, "canceled", |view| view.status == BrokerStatus::Canceled).await?;
    expect(view.filled >= part, &format!("the {part} executed before the cancel should stay"), &view)?;
    let whole = desk.until(order, "known with each of its fills", is_whole).await?;
    let again = desk.cancel(order).await;
    let told = matches!(&again, CancelAnswer::AlreadyTerminal(view)
        if (&view.status, view.filled) == (&BrokerStatus::Canceled, whole.filled));
    expect(told, "a cancel of an order that was canceled should say so, with what was executed", again)?;
    Ok(whole.fills)
}

/// Lets an order expire, then one that was executed in part; reads, cancels and lists them. Contract 2, 5, 6.
pub async fn c55_an_expired_order_has_ended(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    let quantity = desk.quantity("6.5")?;
    desk.fund_for(quantity)?;
    let before = desk.view().await?;
    rig.force(Fault::Expire)?;
    let view = expired(&desk, &desk.buy(quantity)?).await?;
    expect(view.filled.is_zero(), "an order that expired before it executed should not be filled", view)?;
    desk.horizon().await;
    let after = desk.view().await?;
    let untouched = (after.cash, after.buying_power) == (before.cash, before.buying_power);
    expect(untouched, "cash and buying power should be what they were before", (&before, after))?;

    rig.force(Fault::PartialThenExpire)?;
    let view = expired(&desk, &desk.buy(quantity)?).await?;
    let part = !view.filled.is_zero() && view.filled < quantity;
    expect(part, "an order that expired after a part of it was executed should say that part", &view)?;
    desk.horizon().await;
    desk.holds(desk.symbol(), view.filled).await?;
    cash_moved(&desk, before.cash, &[(Side::Buy, &view.fills)]).await?;
    all_listed(&desk.fills().await?, &view.fills)?;
    desk.nothing_is_reserved(&before).await?;
    desk.nothing_is_open().await
}

/// Sends an order that expires, and cancels it too late; how it ended, with each of its fills.
async fn expired(desk: &Desk<'_>, order: &OrderRequest) -> Result<OrderView, Stop> {
    desk.place(order).await?;
    let view = desk
        .until(order, "expired, with each of its fills", |view| view.status == BrokerStatus::Expired && is_whole(view))
        .await?;
    let canceled = desk.cancel(order).await;
    let told = matches!(&canceled, CancelAnswer::AlreadyTerminal(again)
        if (&again.status, again.filled) == (&view.status, view.filled));
    expect(told, "the cancel of an expired order should say that it has expired", canceled)?;
    Ok(view)
}

/// Every fill of a view must be among the account's fills, as it is there.
fn all_listed<'a>(listed: &[OrderFill], fills: impl IntoIterator<Item = &'a Fill>) -> Check {
    let missing = fills.into_iter().find(|fill| !listed.iter().any(|of| of.fill == **fill));
    expect(missing.is_none(), "every fill of a view should be in the list", missing)
}
