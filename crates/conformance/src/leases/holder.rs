//! One holder at a time, and tokens that only grow: contract 1 and 2.

use super::{HALF, HEARTBEAT, LeaseRig, TERMS, ask, done, held_by, not_held, owner, portfolio, take};
use crate::{Check, Stop, expect};
use evenkeel_domain::values::{OwnerId, PortfolioId};
use evenkeel_ports::{AcquireError, Lease};
use futures_util::future::join_all;

const GRANTED: &str = "nobody holds it";

/// Lets eight owners ask at once, eight times; each time the one that was granted gives the lease back. Contract 1.
pub async fn l01_one_holder_of_many_at_once(rig: &dyn LeaseRig) -> Check {
    let store = rig.store();
    let growth = portfolio("growth")?;
    let owners = (1..=8).map(|number| owner(&format!("worker-{number}"))).collect::<Result<Vec<OwnerId>, _>>()?;
    for _ in 0..8 {
        let answers = join_all(owners.iter().map(|owner| store.acquire(&growth, owner, TERMS))).await;
        let granted: Vec<&Lease> = answers.iter().flatten().collect();
        let &[lease] = granted.as_slice() else {
            return Err(Stop::Broken(format!("one of eight should be granted the lease, but saw {granted:?}")));
        };
        for refused in answers.iter().filter_map(|answer| answer.as_ref().err()) {
            let busy = matches!(refused, AcquireError::Busy { holder, .. } if *holder == lease.owner);
            expect(busy, &format!("the others should be told that {} holds it", lease.owner), refused)?;
        }
        done(store.release(lease).await, "its holder should be able to give it back")?;
    }
    Ok(())
}

/// Asks for a lease that another holds: once it was granted, after each renewal, and when its expiry is nearer than its heartbeat. Contract 1.
pub async fn l02_busy_names_the_holder_and_the_end(rig: &dyn LeaseRig) -> Check {
    let lease = take(rig, "alice", GRANTED).await?;
    let ceiling = lease.granted_at.plus(TERMS.expiry);
    let mut renewed_at = lease.granted_at;
    while renewed_at < ceiling {
        let (portfolio, holder) = (lease.portfolio.clone(), lease.owner.clone());
        let until = renewed_at.plus(HEARTBEAT).min(ceiling);
        let expected = Err(AcquireError::Busy { portfolio, holder, until });
        let answer = ask(rig, "bob", "growth", TERMS).await?;
        expect(answer == expected, &format!("bob should be answered {expected:?}"), answer)?;
        rig.advance(HALF)?;
        renewed_at = renewed_at.plus(HALF);
        if renewed_at < ceiling {
            done(rig.store().renew(&lease).await, "a lease should be renewable before its expiry")?;
        }
    }
    Ok(())
}

/// Asks for a lease as its own holder, and renews the first one; asks again, and lets its heartbeat pass. Contract 1.
pub async fn l03_the_same_owner_is_busy_too(rig: &dyn LeaseRig) -> Check {
    let lease = take(rig, "alice", GRANTED).await?;
    let answer = ask(rig, "alice", "growth", TERMS).await?;
    expect(
        matches!(answer, Err(AcquireError::Busy { .. })),
        "alice should be told that she holds it already",
        &answer,
    )?;
    done(rig.store().renew(&lease).await, "the lease she holds should be untouched by her asking again")?;
    rig.advance(HALF)?;
    held_by(rig, "alice", "her heartbeat is not over").await?;
    let again = ask(rig, "alice", "growth", TERMS).await?;
    expect(again.is_err(), "alice should not be granted it twice", &again)?;
    rig.advance(HALF)?;
    take(rig, "bob", "it was renewed a heartbeat ago, and asking for it is no renewal").await?;
    Ok(())
}

/// Takes two portfolios for two owners, releases the one and renews the other. Contract 1.
pub async fn l04_each_portfolio_by_itself(rig: &dyn LeaseRig) -> Check {
    let growth = take(rig, "alice", GRANTED).await?;
    let answer = ask(rig, "bob", "income", TERMS).await?;
    let Ok(income) = answer else {
        return Err(Stop::Broken(format!("the lease of income is free, but the store answered {answer:?}")));
    };
    expect(
        income.portfolio == PortfolioId::clone(&portfolio("income")?),
        "the lease should be that of income",
        &income,
    )?;
    done(rig.store().release(&growth).await, "alice should be able to release growth")?;
    done(rig.store().renew(&income).await, "the release of growth should leave income to bob")
}

/// The next lease of `growth` must have a larger token than this one.
async fn grows(rig: &dyn LeaseRig, before: &Lease, why: &str) -> Result<Lease, Stop> {
    // Another owner first: a store that counted for each owner by itself would begin anew.
    let next = take(rig, "bob", why).await?;
    let promise = format!("the token should be larger than {}", before.token);
    expect(next.token > before.token, &promise, next.token)?;
    Ok(next)
}

/// Takes a lease three times, released in between, for two owners by turns. Contract 2.
pub async fn l05_tokens_grow_over_release(rig: &dyn LeaseRig) -> Check {
    let first = take(rig, "alice", GRANTED).await?;
    done(rig.store().release(&first).await, "alice should be able to release it")?;
    let second = grows(rig, &first, "it was released").await?;
    done(rig.store().release(&second).await, "bob should be able to release it")?;
    let third = take(rig, "alice", "it was released").await?;
    expect(third.token > second.token, &format!("the token should be larger than {}", second.token), third.token)
}

/// Takes a lease three times, each when the heartbeat of the one before has run out. Contract 2.
pub async fn l06_tokens_grow_over_a_lost_heartbeat(rig: &dyn LeaseRig) -> Check {
    let first = take(rig, "alice", GRANTED).await?;
    rig.advance(HEARTBEAT)?;
    let second = grows(rig, &first, "its heartbeat is over").await?;
    rig.advance(HEARTBEAT)?;
    let third = take(rig, "alice", "its heartbeat is over").await?;
    expect(third.token > second.token, &format!("the token should be larger than {}", second.token), third.token)
}

/// Renews a lease each five seconds up to its expiry, and takes the next. Contract 2.
pub async fn l07_tokens_grow_over_expiry(rig: &dyn LeaseRig) -> Check {
    let first = take(rig, "alice", GRANTED).await?;
    while_renewed(rig, &first).await?;
    grows(rig, &first, "its expiry has passed").await?;
    Ok(())
}

/// Renews the lease until its ceiling has come.
pub(super) async fn while_renewed(rig: &dyn LeaseRig, lease: &Lease) -> Check {
    let mut left = TERMS.expiry;
    while left > HALF {
        rig.advance(HALF)?;
        left = left.saturating_sub(HALF);
        done(rig.store().renew(lease).await, &format!("a lease should be renewable {left:?} before its expiry"))?;
    }
    rig.advance(left)?;
    Ok(())
}

/// Takes and releases a lease, restarts the store, and takes the next. Contract 2.
pub async fn l08_tokens_grow_over_a_restart(rig: &dyn LeaseRig) -> Check {
    let first = take(rig, "alice", GRANTED).await?;
    held_by(rig, "alice", "she was granted it").await?;
    done(rig.store().release(&first).await, "alice should be able to release it")?;
    rig.restart()?;
    grows(rig, &first, "it was released before the restart").await?;
    Ok(())
}

/// Restarts the store half a heartbeat after a lease was taken. If the lease is still held, it must end when it would have, and be renewable until
/// then; if the restart has ended it, renewing it must be refused. Contract 4, 6.
pub async fn l30_a_restart_prolongs_no_lease(rig: &dyn LeaseRig) -> Check {
    let lease = take(rig, "alice", GRANTED).await?;
    rig.advance(HALF)?;
    rig.restart()?;
    if let Ok(next) = ask(rig, "bob", "growth", TERMS).await? {
        expect(next.token > lease.token, &format!("the token should be larger than {}", lease.token), &next)?;
        return not_held(rig.store().renew(&lease).await, &lease, "the restart has ended it, and bob holds the next");
    }
    held_by(rig, "alice", "nobody else was granted it").await?;
    rig.advance(HALF)?;
    let second = take(rig, "bob", "it was taken a heartbeat ago, whatever was restarted since").await?;
    let mut left = TERMS.expiry;
    while left > HALF {
        rig.advance(HALF)?;
        left = left.saturating_sub(HALF);
        rig.restart()?;
        done(rig.store().renew(&second).await, "it should be renewable before its expiry, after each restart")?;
    }
    rig.advance(left)?;
    take(rig, "carol", "its expiry has passed, however often the store was restarted").await?;
    Ok(())
}
