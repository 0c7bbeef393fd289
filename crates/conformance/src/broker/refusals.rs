//! What must be refused, and why: contract 2 and 8.

use super::desk::{Desk, broken, desk, misfit};
use super::{BrokerRig, Fault};
use crate::{Check, Stop, expect};
use evenkeel_domain::order::{BrokerStatus, Costs, OrderRequest, RefusalReason, Refused, SubmitAnswer};
use evenkeel_domain::values::{AccountId, Lot, Money, Quantity, Symbol};
use evenkeel_ports::BrokerError;

/// The check must refuse for this reason.
fn fails_for(checked: Result<(), Refused>, reason: &RefusalReason) -> Check {
    let fits = checked.as_ref().is_err_and(|refused| refused.reason == *reason);
    expect(fits, &format!("the check should fail, for {reason}"), checked)
}

/// Buys for a hundred times the cash; then with exactly as much as the declared collar and costs say that it takes, first little and then
/// much. Contract 2.
pub async fn c18_more_than_the_cash_is_refused(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    let quantity = desk.quantity("100")?;
    rig.fund(desk.worth(desk.quantity("1")?)?)?;
    let before = desk.view().await?.cash;
    let order = desk.buy(quantity)?;
    desk.refused(&order, &RefusalReason::BuyingPower).await?;
    desk.quiet().await;
    let after = desk.view().await?;
    expect(after.cash == before, &format!("cash should still be {before}"), after)?;
    desk.holds(desk.symbol(), Quantity::ZERO).await?;
    for units in ["1", "7000"] {
        let order = desk.buy(desk.quantity(units)?)?;
        let collar = Costs { bps: desk.declared.collar_bps, ..Costs::FREE }.of(order.terms.value()).map_err(misfit)?;
        let costs = desk.declared.costs.of(order.terms.value()).map_err(misfit)?;
        let needed = desk.worth(order.terms.quantity)?.add(collar).and_then(|with| with.add(costs)).map_err(misfit)?;
        let more = needed.sub(desk.view().await?.buying_power).map_err(misfit)?;
        if more.is_positive() {
            rig.fund(more)?;
        }
        desk.trade(&order).await?;
        desk.horizon().await;
    }
    desk.shown()
}

/// Sells more than is held, and what is not held at all. Contract 2.
pub async fn c19_more_than_is_held_is_refused(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    let (held, more) = (desk.quantity("2")?, desk.quantity("3")?);
    desk.refused(&desk.sell(held)?, &RefusalReason::InsufficientQuantity).await?;
    rig.hold(desk.symbol(), held)?;
    desk.refused(&desk.sell(more)?, &RefusalReason::InsufficientQuantity).await?;
    desk.quiet().await;
    desk.holds(desk.symbol(), held).await?;
    desk.shown()
}

/// Buys for half the minimum, then leaves a holding that is worth no more; then buys for just the minimum. Contract 2, 8.
pub async fn c20_the_minimum_spares_exits(rig: &dyn BrokerRig) -> Check {
    let mut desk = desk(rig).await?;
    let minimum = desk.declared.minimum_order;
    if !minimum.is_positive() {
        return Err(Stop::Excused("minimum order: 0.00: there is no minimum".to_owned()));
    }
    // A price at which one lot is worth half the minimum.
    let lot = desk.lot().size().max(Quantity::from_nanos(1_000_000).map_err(misfit)?);
    let halves = u128::try_from(minimum.cents()).unwrap_or(0).saturating_mul(5_000_000);
    let nanos = halves.saturating_mul(1_000_000_000).checked_div(lot.nanos()).unwrap_or(0);
    let price = evenkeel_domain::values::Price::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)).map_err(misfit)?;
    rig.set_price(desk.symbol(), price)?;
    desk.price = price;
    desk.fund_for(Quantity::from_nanos(lot.nanos().saturating_mul(4)).map_err(misfit)?)?;
    let small = desk.buy(lot)?;
    fails_for(desk.broker.check(&desk.account, &small.terms), &RefusalReason::BelowMinimum)?;
    desk.refused(&small, &RefusalReason::BelowMinimum).await?;
    rig.hold(desk.symbol(), lot)?;
    let exit = desk.exit(lot)?;
    let checked = desk.broker.check(&desk.account, &exit.terms);
    expect(checked.is_ok(), "leaving a holding that is worth less than the minimum should pass the check", checked)?;
    desk.trade(&exit).await?;
    desk.horizon().await;
    desk.holds(desk.symbol(), Quantity::ZERO).await?;
    // Two lots, or three where half of the minimum is no whole price.
    let enough = |lots: u128| Quantity::from_nanos(lot.nanos().saturating_mul(lots)).map_err(misfit);
    let two = enough(2)?;
    let least = if price.times(two) >= minimum.to_value() { two } else { enough(3)? };
    desk.trade(&desk.buy(least)?).await?;
    desk.shown()
}

/// For each of the two symbols with a lot: buys half a lot more than whole ones, sells half a lot, then leaves such a holding. Contract 2, 8.
pub async fn c21_no_lot_is_made_up(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    let symbols = [rig.symbol(), rig.second_symbol()];
    let with_lots = symbols.into_iter().filter(|symbol| desk.declared.lot_of(*symbol) != Lot::FINEST);
    if with_lots.clone().next().is_none() {
        let [first, second] = symbols;
        return Err(Stop::Excused(format!(
            "lots of {first} and {second}: {}: every quantity is a multiple",
            Lot::FINEST
        )));
    }
    desk.fund_for(desk.quantity("10")?)?;
    for symbol in with_lots {
        lots_are_kept(&desk, symbol).await?;
    }
    desk.shown()
}

async fn lots_are_kept(desk: &Desk<'_>, symbol: Symbol) -> Check {
    let of_symbol = |mut order: OrderRequest| {
        order.terms.symbol = symbol;
        order
    };
    let half = desk.declared.lot_of(symbol).size().nanos().checked_div(2).unwrap_or(0);
    let quantity = desk.quantity("3")?.add(Quantity::from_nanos(half).map_err(misfit)?).map_err(misfit)?;
    let order = of_symbol(desk.buy(quantity)?);
    fails_for(desk.broker.check(&desk.account, &order.terms), &RefusalReason::NotALot)?;
    desk.refused(&order, &RefusalReason::NotALot).await?;
    desk.quiet().await;
    desk.holds(symbol, Quantity::ZERO).await?;
    desk.rig.hold(symbol, quantity)?;
    desk.holds(symbol, quantity).await?;
    // What is no exit is not exempt.
    let part = of_symbol(desk.sell(Quantity::from_nanos(half).map_err(misfit)?)?);
    fails_for(desk.broker.check(&desk.account, &part.terms), &RefusalReason::NotALot)?;
    desk.refused(&part, &RefusalReason::NotALot).await?;
    desk.trade(&of_symbol(desk.exit(quantity)?)).await?;
    desk.horizon().await;
    desk.holds(symbol, Quantity::ZERO).await
}

/// Sells against a buy that works. Contract 2, 5.
pub async fn c23_opposite_orders_never_meet(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    let (bought, held) = (desk.quantity("2")?, desk.quantity("3")?);
    desk.fund_for(bought)?;
    rig.hold(desk.symbol(), held)?;
    rig.force(Fault::NeverFill)?;
    let buy = desk.buy(bought)?;
    desk.place(&buy).await?;
    let sell = desk.sell(held)?;
    let sold = match desk.submit(&sell).await {
        SubmitAnswer::Acknowledged(_) => desk.filled(&sell).await?.filled,
        SubmitAnswer::Refused(refused) if refused.reason == RefusalReason::OppositeOrderOpen => Quantity::ZERO,
        answer => return broken("an order against an open one should be refused for it, or be taken", answer),
    };
    desk.quiet().await;
    let open = desk.until(&buy, "still there", |_| true).await?;
    let works = open.status == BrokerStatus::Working && open.filled.is_zero();
    expect(works, "the buy that nothing executes should still work, untouched by the sell", open)?;
    desk.holds(desk.symbol(), held.sub(sold).map_err(misfit)?).await
}

/// Buys what does not exist and what is halted. Contract 2.
pub async fn c24_what_is_not_tradable_is_refused(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    let quantity = desk.quantity("2")?;
    desk.fund_for(quantity)?;
    let mut order = desk.buy(quantity)?;
    order.terms.symbol = rig.unknown_symbol();
    desk.refused(&order, &RefusalReason::NotTradable).await?;
    rig.halt(desk.symbol())?;
    desk.refused(&desk.buy(quantity)?, &RefusalReason::NotTradable).await?;
    desk.shown()
}

/// Lets the broker refuse for a reason of its own, and sends the next order. Contract 2.
pub async fn c56_a_refusal_that_nobody_knows_is_one(rig: &dyn BrokerRig) -> Check {
    const WORDS: &str = "not while the moon is full";
    let desk = desk(rig).await?;
    let quantity = desk.quantity("2")?;
    desk.fund_for(quantity)?;
    rig.force(Fault::UnmappedRefusal { words: WORDS })?;
    let order = desk.buy(quantity)?;
    match desk.submit(&order).await {
        SubmitAnswer::Refused(Refused { reason: RefusalReason::Other, message }) => {
            expect(message.contains(WORDS), &format!("the refusal should say {WORDS:?}, as the broker does"), message)?;
        }
        answer => return broken("the answer should be refused, for a reason that has no name here", answer),
    }
    desk.quiet().await;
    desk.not_executed(&order)?;
    desk.trade(&desk.buy(quantity)?).await?;
    desk.horizon().await;
    desk.holds(desk.symbol(), quantity).await?;
    desk.shown()
}

/// Asks about an account that does not exist, and sends an order for it. Contract 2, 4.
pub async fn c53_an_unknown_account_is_told(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    let unknown: AccountId = "no-such-account".parse().map_err(misfit)?;
    let order = desk.buy(desk.quantity("2")?)?;
    let told = |question: &str, error: Option<BrokerError>| {
        let is = matches!(&error, Some(BrokerError::NoSuchAccount { account }) if *account == unknown);
        expect(is, &format!("{question} of {unknown} should say that there is no such account"), error)
    };
    told("an order", desk.broker.order(&unknown, order.id).await.err())?;
    told("open orders", desk.broker.open_orders(&unknown).await.err())?;
    told("fills", desk.broker.fills_since(&unknown, None).await.err())?;
    told("positions", desk.broker.positions(&unknown).await.err())?;
    told("the account", desk.broker.account(&unknown).await.err())?;
    let answer = desk.broker.submit(&unknown, &order).await;
    let refused = matches!(&answer, SubmitAnswer::Refused(refused) if refused.reason == RefusalReason::Other);
    expect(refused, &format!("an order for {unknown} should be refused"), answer)?;
    desk.horizon().await;
    desk.nothing_was_made()?;
    desk.shown()
}

/// Buys twice for six tenths of the cash while the first works, which is then canceled, and again once one was filled; and sells so twice
/// of a holding, and once all of it. Contract 2.
pub async fn c43_open_orders_reserve(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    let (six, ten) = (desk.quantity("6")?, desk.quantity("10")?);
    rig.fund(desk.worth(ten)?)?;
    rig.force(Fault::NeverFill)?;
    let first = desk.buy(six)?;
    desk.place(&first).await?;
    desk.horizon().await;
    let view = desk.view().await?;
    expect(view.cash == desk.worth(ten)?, "what an open order has reserved should still be cash", view)?;
    let cost = desk.worth(six)?;
    offers_what_it_takes(&desk, six).await?;
    if let Some(truth) = desk.truth_or_unseen() {
        expect(truth.cash >= Money::ZERO, "cash should not really go below zero", truth.cash)?;
    }
    let before = desk.view().await?;
    expect(before.cash >= Money::ZERO, "cash should not go below zero", before)?;
    desk.end(&first).await?;
    desk.horizon().await;
    let freed = desk.view().await?.buying_power;
    let promise = format!("an order that ended should free the {cost} that it might have taken");
    expect(freed >= before.buying_power.add(cost).map_err(misfit)?, &promise, (before.buying_power, freed))?;
    desk.trade(&desk.buy(six)?).await?;
    desk.horizon().await;
    offers_what_it_takes(&desk, six).await?;

    let (held, _) = desk.held(rig.second_symbol()).await?;
    rig.hold(rig.second_symbol(), ten)?;
    let other = |mut order: OrderRequest| {
        order.terms.symbol = rig.second_symbol();
        order
    };
    rig.force(Fault::NeverFill)?;
    let first = other(desk.sell(six)?);
    desk.place(&first).await?;
    desk.horizon().await;
    let all = held.add(ten).map_err(misfit)?;
    let free = all.sub(six).map_err(misfit)?;
    let promise = format!("of {all} held {free} should be free, while the rest is promised to a sell");
    let seen = desk.held(rig.second_symbol()).await?;
    expect(seen == (all, free), &promise, seen)?;
    desk.refused(&other(desk.sell(six)?), &RefusalReason::InsufficientQuantity).await?;
    desk.end(&first).await?;
    rig.force(Fault::NeverFill)?;
    let last = other(desk.exit(all)?);
    desk.place(&last).await?;
    desk.horizon().await;
    let seen = desk.held(rig.second_symbol()).await?;
    expect(seen == (all, Quantity::ZERO), &format!("{all} should be held, and nothing of it be free"), seen)?;
    desk.end(&last).await?;
    desk.horizon().await;
    desk.holds(rig.second_symbol(), all).await?;
    desk.shown()
}

/// A buy of so much must be refused for buying power if that offers less, and taken only if it offers as much.
async fn offers_what_it_takes(desk: &Desk<'_>, quantity: Quantity) -> Check {
    let (offered, cost) = (desk.view().await?.buying_power, desk.worth(quantity)?);
    match desk.submit(&desk.buy(quantity)?).await {
        SubmitAnswer::Refused(refused) if refused.reason == RefusalReason::BuyingPower => {
            expect(offered < cost, &format!("the buying power should not offer the {cost} it refuses"), offered)?;
        }
        SubmitAnswer::Acknowledged(_) => {
            expect(offered >= cost, &format!("a buy of {cost} should not be taken beyond the buying power"), offered)?;
        }
        answer => return broken("a buy beyond what is left should be refused for buying power", answer),
    }
    desk.quiet().await;
    Ok(())
}

/// Has the account blocked, sends an order, and has it unblocked. Contract 2.
pub async fn c62_a_blocked_account_says_so(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    let quantity = desk.quantity("2")?;
    desk.fund_for(quantity)?;
    rig.block(true)?;
    desk.horizon().await;
    let view = desk.broker.account(&desk.account).await.or_else(|error| broken("the account should be read", error))?;
    expect(view.blocked, "an account whose orders are not taken should read blocked", view)?;
    desk.refused(&desk.buy(quantity)?, &RefusalReason::Other).await?;
    rig.block(false)?;
    desk.horizon().await;
    desk.view().await?;
    desk.trade(&desk.buy(quantity)?).await?;
    desk.shown()
}
