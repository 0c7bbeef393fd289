//! How a lease ends, and by whose clock: contract 3 and 4.

use super::holder::while_renewed;
use super::{HALF, HEARTBEAT, LeaseRig, MOMENT, TERMS, ask, done, held_by, not_held, owner, portfolio, take};
use crate::{Check, Stop, expect};
use evenkeel_domain::values::Timestamp;
use evenkeel_ports::{Lease, LeaseTerms};
use futures_util::FutureExt;
use std::time::Duration;

const GRANTED: &str = "nobody holds it";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Takes two leases, half a heartbeat apart, and compares the times at which they were granted. Contract 3.
pub async fn l09_granted_at_is_the_stores_time(rig: &dyn LeaseRig) -> Check {
    let first = take(rig, "alice", GRANTED).await?;
    done(rig.store().release(&first).await, "alice should be able to release it")?;
    rig.advance(HALF)?;
    let second = take(rig, "bob", "it was released").await?;
    let expected = first.granted_at.plus(HALF);
    expect(second.granted_at == expected, &format!("it should have been granted at {expected}"), &second)?;
    expect(second.terms == TERMS, "its terms should be those that were asked for", second.terms)
}

/// Leases that pretend to have been granted later, or on better terms, than this one was; and earlier, on worse.
fn forged(lease: &Lease) -> [Lease; 5] {
    let terms = |expiry, heartbeat| Lease { terms: LeaseTerms { expiry, heartbeat }, ..lease.clone() };
    [
        Lease { granted_at: lease.granted_at.plus(DAY), ..lease.clone() },
        Lease { granted_at: Timestamp::MAX, ..lease.clone() },
        Lease { granted_at: Timestamp::MIN, ..lease.clone() },
        terms(DAY, DAY),
        terms(MOMENT, MOMENT),
    ]
}

/// Renews a lease in five forged versions: granted a day later, at the last moment and at the first, on longer terms and on shorter. Each
/// time it must end a heartbeat after the renewal, to the millisecond. Contract 3.
pub async fn l10_forged_times_do_not_move_the_heartbeat(rig: &dyn LeaseRig) -> Check {
    let mut lease = take(rig, "alice", GRANTED).await?;
    for pretended in forged(&lease) {
        rig.advance(HALF)?;
        let pretended = Lease { owner: lease.owner.clone(), token: lease.token, ..pretended };
        done(
            rig.store().renew(&pretended).await,
            &format!("owner and token are right, so {pretended:?} should be renewed"),
        )?;
        rig.advance(HEARTBEAT.saturating_sub(MOMENT))?;
        held_by(rig, "alice", "her last heartbeat is not over").await?;
        rig.advance(MOMENT)?;
        let what = format!("its heartbeat is over, though it was renewed as {pretended:?}");
        not_held(rig.store().renew(&pretended).await, &pretended, &what)?;
        lease = take(rig, "alice", &what).await?;
    }
    Ok(())
}

/// Renews a lease in the same five forged versions up to its expiry. Contract 3.
pub async fn l11_forged_times_do_not_move_the_ceiling(rig: &dyn LeaseRig) -> Check {
    let mut lease = take(rig, "alice", GRANTED).await?;
    for pretended in forged(&lease) {
        let pretended = Lease { token: lease.token, ..pretended };
        while_renewed(rig, &pretended).await?;
        let what = format!("its expiry has passed, though it was renewed as {pretended:?}");
        not_held(rig.store().renew(&pretended).await, &pretended, &what)?;
        lease = take(rig, "alice", &what).await?;
    }
    Ok(())
}

/// Leaves a lease alone; asks for it a millisecond before its heartbeat is over, and then. Contract 4.
pub async fn l12_a_lost_heartbeat_frees_at_its_time(rig: &dyn LeaseRig) -> Check {
    take(rig, "alice", GRANTED).await?;
    rig.advance(HEARTBEAT.saturating_sub(MOMENT))?;
    held_by(rig, "alice", "her heartbeat is not over").await?;
    rig.advance(MOMENT)?;
    take(rig, "bob", "nobody renewed it for as long as its heartbeat").await?;
    Ok(())
}

/// Renews a lease three times, each a millisecond before its heartbeat is over, then leaves it alone. Contract 4.
pub async fn l13_renewal_keeps_it_past_the_heartbeat(rig: &dyn LeaseRig) -> Check {
    let lease = take(rig, "alice", GRANTED).await?;
    for _ in 0..3 {
        rig.advance(HEARTBEAT.saturating_sub(MOMENT))?;
        done(rig.store().renew(&lease).await, "a lease should be renewable just before its heartbeat ends")?;
    }
    rig.advance(HEARTBEAT.saturating_sub(MOMENT))?;
    held_by(rig, "alice", "she renewed it in time, each time").await?;
    rig.advance(MOMENT)?;
    take(rig, "bob", "its last renewal is as old as its heartbeat").await?;
    Ok(())
}

/// Renews a lease each five seconds; asks for it a millisecond before its expiry, and then. Contract 4.
pub async fn l14_expiry_frees_though_renewed(rig: &dyn LeaseRig) -> Check {
    let lease = take(rig, "alice", GRANTED).await?;
    let mut left = TERMS.expiry;
    while left > HALF {
        rig.advance(HALF)?;
        left = left.saturating_sub(HALF);
        done(rig.store().renew(&lease).await, "it should be renewable before its expiry")?;
    }
    rig.advance(left.saturating_sub(MOMENT))?;
    held_by(rig, "alice", "its expiry has not come").await?;
    rig.advance(MOMENT)?;
    take(rig, "bob", "its expiry has passed, however often it was renewed").await?;
    Ok(())
}

/// Releases a lease and takes it for another owner, who renews it. Contract 4.
pub async fn l15_release_frees_at_once(rig: &dyn LeaseRig) -> Check {
    let lease = take(rig, "alice", GRANTED).await?;
    done(rig.store().release(&lease).await, "its holder should be able to release it")?;
    let next = take(rig, "bob", "alice released it").await?;
    done(rig.store().renew(&next).await, "the next holder should hold it like the first")?;
    held_by(rig, "bob", "he was granted it").await
}

/// Takes a lease again for its former owner, after a release and after a lost heartbeat. Compares their tokens. Contract 2, 4.
pub async fn l16_the_former_owner_may_take_it_again(rig: &dyn LeaseRig) -> Check {
    let lease = take(rig, "alice", GRANTED).await?;
    done(rig.store().release(&lease).await, "its holder should be able to release it")?;
    let second = take(rig, "alice", "she released the one she had").await?;
    rig.advance(HEARTBEAT)?;
    let third = take(rig, "alice", "the heartbeat of the one she had is over").await?;
    let grow = lease.token < second.token && second.token < third.token;
    expect(grow, "each lease should have a larger token, also those of one owner", [lease, second, third])
}

/// Takes four leases in a row on terms that differ: the same as ever, longer, the same, and with an expiry shorter than the heartbeat;
/// asks a millisecond before the second and the last of them end, and then. Contract 4.
pub async fn l17_each_lease_has_its_own_terms(rig: &dyn LeaseRig) -> Check {
    let first = take(rig, "alice", GRANTED).await?;
    done(rig.store().release(&first).await, "alice should be able to release it")?;
    let terms = LeaseTerms { expiry: DAY, heartbeat: HEARTBEAT.saturating_mul(2) };
    let longer = ask(rig, "bob", "growth", terms).await?;
    expect(longer.is_ok(), "bob should be granted the lease, since it was released", &longer)?;
    rig.advance(HEARTBEAT.saturating_mul(2).saturating_sub(MOMENT))?;
    held_by(rig, "bob", "his own heartbeat, longer than that of the lease before, is not over").await?;
    rig.advance(MOMENT)?;
    take(rig, "carol", "bob's heartbeat is over").await?;
    // The expiry may be the shorter of the two.
    rig.advance(HEARTBEAT)?;
    let short = ask(rig, "dave", "growth", LeaseTerms { expiry: HALF, heartbeat: HEARTBEAT }).await?;
    expect(short.is_ok(), "dave should be granted the lease, since carol's heartbeat is over", &short)?;
    rig.advance(HALF.saturating_sub(MOMENT))?;
    held_by(rig, "dave", "its expiry has not come").await?;
    rig.advance(MOMENT)?;
    take(rig, "erin", "its expiry came before its heartbeat ended").await?;
    Ok(())
}

/// Drops an acquire after it was polled once, waits for a heartbeat, and takes the lease. Contract 4.
pub async fn l29_a_dropped_acquire_is_freed_by_its_heartbeat(rig: &dyn LeaseRig) -> Check {
    let (store, growth, alice) = (rig.store(), portfolio("growth")?, owner("alice")?);
    // Polled once and dropped: whether it was granted, nobody knows.
    let answer = store.acquire(&growth, &alice, TERMS).now_or_never();
    if let Some(Err(error)) = answer {
        return Err(Stop::Broken(format!("the lease is free, but the store answered: {error}")));
    }
    rig.advance(HEARTBEAT)?;
    take(rig, "bob", "whatever became of the dropped acquire, its heartbeat is over").await?;
    Ok(())
}
