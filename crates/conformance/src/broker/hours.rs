//! The market's hours and the days of settlement.

use super::desk::{Desk, broken, desk};
use super::{BrokerRig, Fault};
use crate::{Check, Stop, expect};
use evenkeel_domain::order::{BrokerStatus, RefusalReason, SubmitAnswer};
use evenkeel_domain::values::Quantity;
use std::time::Duration;

/// Reads when the session ends, closes the market over an open order, sends another at night, opens it again, and cancels the first if it
/// is said to have lived. Contract 2, 5.
pub async fn c40_nothing_is_filled_at_night(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    let quantity = desk.quantity("2")?;
    desk.fund_for(desk.quantity("20")?)?;
    session_ends_when_it_does(&desk).await?;
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
    desk.holds(desk.symbol(), Quantity::ZERO).await?;
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

/// Sells, and follows the proceeds to their settlement. Contract 5.
pub async fn c42_proceeds_settle_in_time(rig: &dyn BrokerRig) -> Check {
    let desk = desk(rig).await?;
    let before = desk.view().await?;
    let Some(settled) = before.settled_cash else {
        return Err(Stop::Excused("settled cash: none: the account's view does not tell".to_owned()));
    };
    let quantity = desk.quantity("2")?;
    rig.hold(desk.symbol(), quantity)?;
    desk.trade(&desk.exit(quantity)?).await?;
    desk.horizon().await;
    let after = desk.view().await?;
    expect(after.cash > before.cash, "what a sale brings should be cash at once", after)?;
    let wait = rig.settles_after()?;
    let early = wait > desk.declared.visibility_horizon.saturating_add(rig.patience());
    let kept = !early || after.settled_cash == Some(settled);
    expect(kept, &format!("settled cash should stay {settled} until the day of settlement"), after)?;
    rig.sleep(wait).await;
    desk.horizon().await;
    let later = desk.view().await?;
    expect(later.settled_cash == Some(later.cash), "after the day of settlement all cash should be settled", later)
}
