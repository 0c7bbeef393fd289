//! The market's hours and the days of settlement.

use super::desk::{Desk, broken, desk};
use super::{BrokerRig, Fault};
use crate::{Check, Stop, expect};
use evenkeel_domain::order::{BrokerStatus, RefusalReason, SubmitAnswer};
use evenkeel_ports::AccountView;
use std::time::Duration;

/// Reads when the session ends, closes the market over an open order, sends another at night, opens it again, and cancels the first if it
/// is said to have lived. Contract 2, 5.
pub async fn c40_nothing_is_filled_at_night(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    let quantity = desk.quantity("2")?;
    desk.fund_for(desk.quantity("20")?)?;
    session_ends_when_it_does(&desk).await?;
    // One that could be executed at any time, and of which the second half falls into the night; and one that works.
    rig.force(Fault::InTwo { apart: Duration::from_secs(300) })?;
    let halved = desk.buy(quantity)?;
    desk.place(&halved).await?;
    let half = desk.until(&halved, "executed in part", |view| !view.filled.is_zero()).await?.filled;
    rig.force(Fault::NeverFill)?;
    let day = desk.buy(quantity)?;
    desk.place(&day).await?;
    rig.close_market()?;
    let told = desk.view().await?.closes_at;
    expect(told.is_none(), "while the market is closed no session should be said to end", told)?;
    let night = desk.buy(quantity)?;
    let queued = match desk.submit(&night).await {
        SubmitAnswer::Refused(refused) => match refused.reason {
            RefusalReason::MarketClosed { opens_at } => {
                expect(opens_at > rig.now(), "a closed market should open later than now", opens_at)?;
                let really = rig.opens_at().map_err(|cannot| desk.unseen(cannot)).unwrap_or(opens_at);
                let near = really.since(opens_at).max(opens_at.since(really)) <= Duration::from_secs(60);
                expect(near, &format!("the market should be said to open when it does, {really}"), opens_at)?;
                false
            }
            reason => return broken("an order at night should be refused for the hour", reason),
        },
        SubmitAnswer::Acknowledged(view) => {
            expect(view.filled.is_zero(), "nothing should be executed at night", view)?;
            true
        }
        answer => return broken("an order at night should be refused for the hour, or wait for the morning", answer),
    };
    rig.sleep(Duration::from_secs(600)).await;
    desk.horizon().await;
    let over = |status: &BrokerStatus| matches!(status, BrokerStatus::Expired | BrokerStatus::Working);
    let ended = desk.until(&day, "expired, or waiting for the morning", |view| over(&view.status)).await?;
    expect(ended.filled.is_zero(), "nothing should be executed at night", &ended)?;
    if queued {
        let waiting = desk.until(&night, "still there", |_| true).await?;
        expect(waiting.filled.is_zero(), "nothing should be executed at night", &waiting)?;
    }
    let kept = desk.until(&halved, "still there", |_| true).await?;
    expect(kept.filled == half && over(&kept.status), &format!("of {} {half} should be executed", halved.id), kept)?;
    desk.holds(desk.symbol(), half).await?;
    rig.open_market()?;
    // What is said to wait for the morning must be there in the morning.
    if ended.status == BrokerStatus::Working {
        desk.end(&day).await?;
    }
    desk.trade(&desk.buy(quantity)?).await?;
    desk.shown()
}

/// The end of the session must be told as the rig knows it, if it is told, within a minute.
async fn session_ends_when_it_does(desk: &Desk<'_>) -> Check {
    let Some(told) = desk.view().await?.closes_at else { return Ok(()) };
    let Some(really) = desk.rig.closes_at().map_err(|cannot| desk.unseen(cannot)).ok() else { return Ok(()) };
    let off = really.map(|really| really.since(told).max(told.since(really)));
    let near = off.is_some_and(|off| off <= Duration::from_secs(60));
    expect(near, &format!("the session should be said to end when it does, {really:?}"), told)
}

/// Reads settled cash with a buy open; sells meanwhile, and follows the proceeds to their settlement, with a look just before. Contract 5.
pub async fn c42_proceeds_settle_in_time(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    if desk.view().await?.settled_cash.is_none() {
        return Err(Stop::Excused("settled cash: none: the account's view does not tell".to_owned()));
    }
    let quantity = desk.quantity("2")?;
    desk.fund_for(quantity)?;
    let before = desk.view().await?;
    rig.force(Fault::NeverFill)?;
    let open = desk.buy(quantity)?;
    desk.place(&open).await?;
    desk.horizon().await;
    let reserved = desk.view().await?;
    let kept = reserved.settled_cash == before.settled_cash;
    expect(kept, "what an open order has reserved should still be settled cash", (&before, reserved))?;
    rig.hold(rig.second_symbol(), quantity)?;
    let mut exit = desk.exit(quantity)?;
    exit.terms.symbol = rig.second_symbol();
    desk.trade(&exit).await?;
    let (sold, wait) = (rig.now(), rig.settles_after()?);
    desk.horizon().await;
    let after = desk.view().await?;
    expect(after.cash > before.cash, "what a sale brings should be cash at once", after)?;
    // How long the sale itself may have taken to be seen.
    let unsure = desk.declared.visibility_horizon.saturating_add(rig.patience());
    if let Some(early) = wait.checked_sub(unsure).filter(|early| *early > unsure) {
        not_settled(&desk, &before).await?;
        desk.end(&open).await?;
        rig.sleep(sold.plus(early).since(rig.now())).await;
        not_settled(&desk, &before).await?;
    }
    rig.sleep(sold.plus(wait).plus(unsure).since(rig.now())).await;
    let later = desk.view().await?;
    expect(later.settled_cash == Some(later.cash), "after the day of settlement all cash should be settled", later)
}

/// Settled cash must still be what it was.
async fn not_settled(desk: &Desk<'_>, before: &AccountView) -> Check {
    let (now, settled) = (desk.view().await?, before.settled_cash);
    expect(now.settled_cash == settled, &format!("until the day of settlement {settled:?} should be settled"), now)
}
