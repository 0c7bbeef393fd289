//! Lookups, fills and pages: contract 4, 5 and 7.

use super::desk::{Desk, broken, desk, misfit, sum};
use super::trades::cash_moved;
use super::{BrokerRig, Fault};
use crate::{Check, Stop, expect};
use evenkeel_domain::order::{
    BrokerStatus, CancelAnswer, ClientOrderId, Duplicates, Fill, Lookup, OrderRequest, Side, SubmitAnswer,
};
use evenkeel_domain::values::FillId;
use evenkeel_ports::BrokerError;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Asks for what never was, and asks while nothing answers; then sends and cancels again while only questions go unanswered. Contract 2, 4, 6.
pub async fn c34_absent_is_a_proof(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    let nothing = desk.buy(desk.quantity("2")?)?;
    let absent = desk.look_up(&nothing).await;
    expect(absent == Ok(Lookup::Absent), "an id that was never sent should be absent", absent)?;
    rig.hold(desk.symbol(), desk.quantity("2")?)?;
    let (broker, account) = (&desk.broker, &desk.account);
    rig.fail_questions(0, 1)?;
    unanswered("order", desk.look_up(&nothing).await)?;
    rig.fail_questions(0, 1)?;
    unanswered("open_orders", broker.open_orders(account).await)?;
    rig.fail_questions(0, 1)?;
    unanswered("fills_since", broker.fills_since(account, None).await)?;
    rig.fail_questions(0, 1)?;
    unanswered("positions", broker.positions(account).await)?;
    rig.fail_questions(0, 1)?;
    unanswered("account", broker.account(account).await)?;
    let after = desk.look_up(&nothing).await;
    expect(after == Ok(Lookup::Absent), "after the outage the id should be absent again", after)?;
    asked_on_the_way(&desk).await
}

/// Where a submission or a cancel asks something before it can answer, and is not answered, that is no answer either. Contract 2, 6.
async fn asked_on_the_way(desk: &Desk<'_>) -> Check {
    let order = desk.exit(desk.quantity("2")?)?;
    desk.trade(&order).await?;
    desk.horizon().await;
    desk.rig.fail_questions(0, 1)?;
    unanswered("order", desk.look_up(&order).await)?;
    desk.rig.fail_questions(0, 1)?;
    if desk.declared.duplicates == Duplicates::Refused {
        let again = desk.submit(&order).await;
        let proven = matches!(&again, SubmitAnswer::Refused(_) | SubmitAnswer::NotSent(_));
        expect(
            !proven,
            "the same order sent again while questions go unanswered should be neither refused nor told as not sent",
            again,
        )?;
        desk.rig.fail_questions(0, 1)?;
        let mut changed = order;
        changed.terms.side = order.terms.side.opposite();
        let answer = desk.submit(&changed).await;
        let taken = matches!(answer, SubmitAnswer::Acknowledged(_) | SubmitAnswer::AlreadyExists);
        expect(!taken, "an id sent again with other terms should not be known for want of an answer", answer)?;
    }
    desk.rig.fail_questions(0, 1)?;
    let canceled = desk.cancel(&order).await;
    let denied = canceled == CancelAnswer::NoSuchOrder;
    expect(!denied, "a cancel while questions go unanswered should not deny an order that exists", canceled)
}

fn unanswered<T: std::fmt::Debug>(question: &str, answer: Result<T, BrokerError>) -> Check {
    let told = matches!(&answer, Err(BrokerError::Unavailable { .. }));
    expect(told, &format!("{question} without an answer should be an error that passes"), answer)
}

/// Reads the fills of one order again and again, everywhere. Contract 5.
pub async fn c35_a_fill_has_one_id(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    let quantity = desk.quantity("6")?;
    desk.fund_for(desk.quantity("20")?)?;
    rig.force(Fault::InParts(3))?;
    let order = desk.buy(quantity)?;
    let first = by_id(desk.trade(&order).await?.fills)?;
    // Another order, so that a fill is not known by its place, neither in the list nor in its order.
    let other = desk.buy(desk.quantity("2")?)?;
    let second = by_id(desk.trade(&other).await?.fills)?;
    desk.horizon().await;
    for (order, first) in [(&order, &first), (&other, &second), (&order, &first)] {
        let viewed = by_id(desk.filled(order).await?.fills)?;
        expect(viewed == *first, "the fills of an order should be the same in every view", (first, &viewed))?;
        let listed = by_id(fills_of(&desk, order).await?)?;
        expect(listed == *first, "the fills should be listed as they are viewed", (first, &listed))?;
    }
    let page = desk.broker.fills_since(&desk.account, None).await.or_else(|e| broken("fills should be read", e))?;
    let later = desk.broker.fills_since(&desk.account, Some(page.next)).await;
    let later = later.or_else(|error| broken("fills after a cursor should be read", error))?;
    let known: BTreeSet<_> = page.fills.iter().map(|fill| &fill.fill.id).collect();
    let news = later.fills.iter().find(|fill| page.complete && !known.contains(&fill.fill.id));
    expect(news.is_none(), "nothing new should be listed when nothing new was executed", news)
}

async fn fills_of(desk: &Desk<'_>, order: &OrderRequest) -> Result<Vec<Fill>, Stop> {
    let fills = desk.fills().await?;
    let mut orders = BTreeMap::new();
    for listed in &fills {
        let before = orders.insert(&listed.fill.id, listed.order);
        let one = before.is_none_or(|before| before == listed.order);
        expect(one, "fills of two orders should not share an id", (before, listed))?;
        let terms = &order.terms;
        let ours = listed.order != Some(order.id) || (listed.symbol, listed.side) == (terms.symbol, terms.side);
        expect(ours, "a listed fill should say what its order trades", listed)?;
    }
    Ok(fills.into_iter().filter(|fill| fill.order == Some(order.id)).map(|fill| fill.fill).collect())
}

/// Fills by their ids; a fill may be repeated, but not with another content.
fn by_id(fills: Vec<Fill>) -> Result<BTreeMap<FillId, Fill>, Stop> {
    let mut by_id = BTreeMap::new();
    for fill in fills {
        let before = by_id.insert(fill.id.clone(), fill.clone());
        let same = before.as_ref().is_none_or(|before| *before == fill);
        expect(same, "two fills of one id should be the same fill", (before, fill))?;
    }
    Ok(by_id)
}

/// Makes more fills and more open orders than fit on any page, and counts them; again while a second page is not answered. Contract 7.
pub async fn c38_pages_are_complete_or_say_not(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    let (one, count) = (desk.quantity("1")?, rig.more_than_a_page());
    let all = one.nanos().saturating_mul(u128::try_from(count).unwrap_or(0)).saturating_mul(2);
    desk.fund_for(evenkeel_domain::values::Quantity::from_nanos(all).map_err(misfit)?)?;
    let mut sent: BTreeSet<ClientOrderId> = BTreeSet::new();
    let mut last = None;
    for _ in 0..count {
        let order = desk.buy(one)?;
        desk.place(&order).await?;
        sent.insert(order.id);
        last = Some(order);
    }
    if let Some(last) = last {
        desk.filled(&last).await?;
    }
    desk.quiet().await;
    let listed: BTreeSet<_> = desk.fills().await?.into_iter().filter_map(|fill| fill.order).collect();
    let missing = sent.difference(&listed).count();
    expect(missing == 0, "every fill should be listed when the last page says that it is complete", missing)?;
    let none = desk.open_orders().await?;
    expect(none.complete && none.orders.is_empty(), "where nothing is open the list should be complete", none)?;
    let mut open: BTreeSet<ClientOrderId> = BTreeSet::new();
    for _ in 0..count {
        rig.force(Fault::NeverFill)?;
        let order = desk.buy(one)?;
        desk.place(&order).await?;
        open.insert(order.id);
    }
    desk.horizon().await;
    let page = desk.open_orders().await?;
    let listed: BTreeSet<_> = page.orders.iter().map(|view| view.id).collect();
    let missing = open.difference(&listed).count();
    expect(missing == 0 || !page.complete, "open orders that are left out should be told", missing)?;
    rig.fail_questions(1, 1)?;
    // The second page, where there is one, is not answered.
    let Ok(page) = desk.broker.open_orders(&desk.account).await else { return Ok(()) };
    let listed: BTreeSet<_> = page.orders.iter().map(|view| view.id).collect();
    let missing = open.difference(&listed).count();
    expect(missing == 0 || !page.complete, "open orders that could not be read should be told, or be an error", missing)
}

/// Looks up an order that was filled and one that was executed in part, and lets one question after the other go unanswered: the first
/// of a lookup, the second, the third. Contract 4, 5.
pub async fn c57_half_an_answer_denies_nothing(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    let quantity = desk.quantity("6")?;
    desk.fund_for(desk.quantity("20")?)?;
    rig.force(Fault::InParts(3))?;
    let filled = desk.buy(quantity)?;
    desk.trade(&filled).await?;
    rig.force(Fault::PartialThenWork)?;
    let working = desk.buy(quantity)?;
    desk.place(&working).await?;
    desk.until(&working, "executed in part", |view| !view.filled.is_zero()).await?;
    desk.quiet().await;
    for order in [&filled, &working] {
        let known = desk.until(order, "there", |_| true).await?;
        for spared in 0..3 {
            rig.fail_questions(spared, 1)?;
            let told = desk.look_up(order).await;
            let fits = match &told {
                Ok(Lookup::Found(view)) => (&view.status, view.filled) == (&known.status, known.filled),
                Ok(Lookup::Absent | Lookup::Unproven) | Err(BrokerError::NoSuchAccount { .. }) => false,
                Err(_) => true,
            };
            let promise = format!("with {spared} answers and then none, {} should be an error or as it is", order.id);
            expect(fits, &promise, told)?;
            rig.fail_questions(0, 0)?;
        }
    }
    Ok(())
}

/// Gives an order a status that nobody knows. Contract 5.
pub async fn c46_an_unknown_status_is_not_an_end(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    let quantity = desk.quantity("2")?;
    desk.fund_for(quantity)?;
    rig.force(Fault::UnmappedStatus)?;
    let order = desk.buy(quantity)?;
    desk.place(&order).await?;
    desk.horizon().await;
    let view = desk.until(&order, "there", |_| true).await?;
    let told = matches!(view.status, BrokerStatus::Unmapped(_));
    expect(told, "a status that nobody knows should be told as it is, and end nothing", &view)?;
    desk.are_listed(&[&order], "an order that has not ended").await?;
    let answer = desk.cancel(&order).await;
    let ended = matches!(answer, CancelAnswer::AlreadyTerminal(_) | CancelAnswer::NoSuchOrder);
    expect(!ended, "an order that has not ended should not be told to have", answer)
}

/// Trades, waits for the horizon, and compares what is read with what is true. Contract 5.
pub async fn c48_reads_follow_within_the_horizon(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    let (some, more) = (desk.quantity("2")?, desk.quantity("5")?);
    desk.fund_for(desk.quantity("20")?)?;
    // As fine as the second symbol is declared to be traded.
    let odd = some.add(desk.declared.lot_of(rig.second_symbol()).size()).map_err(misfit)?;
    let mut other = desk.buy(odd)?;
    other.terms.symbol = rig.second_symbol();
    for order in [desk.buy(more)?, other, desk.sell(some)?] {
        desk.trade(&order).await?;
        desk.horizon().await;
        let truth = desk.truth()?;
        let cash = desk.view().await?.cash;
        expect(cash == truth.cash, &format!("after the horizon cash should read {}", truth.cash), cash)?;
        for symbol in [rig.symbol(), rig.second_symbol()] {
            let really = truth.positions.get(&symbol).copied().unwrap_or_default();
            let (held, _) = desk.held(symbol).await?;
            expect(held == really, &format!("after the horizon {really} of {symbol} should be held"), held)?;
        }
    }
    Ok(())
}

/// Lets the broker reject what it had acknowledged. Contract 2, 5.
pub async fn c51_a_rejected_order_has_ended(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    let quantity = desk.quantity("2")?;
    desk.fund_for(quantity)?;
    let before = desk.view().await?;
    rig.force(Fault::RejectAfterAck)?;
    let order = desk.buy(quantity)?;
    desk.place(&order).await?;
    let view = desk.until(&order, "rejected", |view| view.status == BrokerStatus::Rejected).await?;
    expect(view.filled.is_zero(), "an order that was rejected before it executed should not be filled", view)?;
    desk.horizon().await;
    let after = desk.view().await?;
    let untouched = (after.cash, after.buying_power) == (before.cash, before.buying_power);
    expect(untouched, "cash and buying power should be what they were before", (before, after))?;
    desk.nothing_is_open().await
}

/// Sends twenty orders one after the other while somebody reads on and on from where they are; whatever comes late must come. Contract 5, 7.
pub async fn c61_a_cursor_misses_nothing(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    let quantity = desk.quantity("2")?;
    desk.fund_for(desk.quantity("40")?)?;
    let orders = (0..20).map(|_| desk.buy(quantity)).collect::<Result<Vec<_>, _>>()?;
    let (mut cursor, mut read) = (None, BTreeSet::new());
    for order in &orders {
        desk.place(order).await?;
        // Just long enough for some to be executed and not all.
        for pause in [0, 7, 60] {
            rig.sleep(Duration::from_millis(pause)).await;
            let (fills, next) = desk.fills_after(cursor).await?;
            cursor = Some(next);
            read.extend(fills.into_iter().map(|fill| fill.fill.id));
        }
    }
    let mut executed = BTreeSet::new();
    for order in &orders {
        executed.extend(desk.filled(order).await?.fills.into_iter().map(|fill| fill.id));
    }
    desk.quiet().await;
    read.extend(desk.fills_after(cursor).await?.0.into_iter().map(|fill| fill.fill.id));
    let missed: Vec<_> = executed.difference(&read).collect();
    expect(missed.is_empty(), "who reads on from a cursor should be told every fill in the end", missed)
}

/// Buys, and lets others buy and sell in the same account, before and after; reads units, cash, open orders and fills. Contract 5, 7.
pub async fn c63_what_others_trade_is_told_as_theirs(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    let (two, six) = (desk.quantity("2")?, desk.quantity("6")?);
    desk.fund_for(desk.quantity("20")?)?;
    let before = desk.view().await?.cash;
    rig.trade_by_others(desk.symbol(), Side::Buy, six)?;
    desk.quiet().await;
    let order = desk.buy(two)?;
    let own = desk.trade(&order).await?.fills;
    desk.horizon().await;
    rig.trade_by_others(desk.symbol(), Side::Sell, two)?;
    desk.quiet().await;
    desk.holds(desk.symbol(), six).await?;
    desk.nothing_is_open().await?;
    let listed = desk.fills().await?;
    let theirs: Vec<_> = listed.iter().filter(|fill| fill.order != Some(order.id)).collect();
    let claimed = theirs.iter().find(|fill| fill.order.is_some());
    expect(claimed.is_none(), "what others traded should bear no id of ours", claimed)?;
    let of = |side| theirs.iter().filter(move |fill| fill.side == side).map(|fill| fill.fill.clone()).collect();
    // Each fill once: a list may repeat them.
    let bought: Vec<Fill> = by_id(of(Side::Buy))?.into_values().collect();
    let sold: Vec<Fill> = by_id(of(Side::Sell))?.into_values().collect();
    let units = (sum(&bought)?, sum(&sold)?);
    expect(units == (six, two), &format!("others bought {six} and sold {two}, which should be listed"), &theirs)?;
    cash_moved(&desk, before, &[(Side::Buy, &bought), (Side::Buy, &own), (Side::Sell, &sold)]).await
}
