//! In whose hands a lease is: renewing and releasing need owner and token, and nothing revives: contract 5 and 6.

use super::holder::while_renewed;
use super::{HALF, HEARTBEAT, LeaseRig, TERMS, ask, done, held_by, not_held, owner, portfolio, take};
use crate::{Check, Stop};
use evenkeel_domain::values::Token;
use evenkeel_ports::Lease;

const GRANTED: &str = "nobody holds it";

/// After half a heartbeat, renewing the lease as `given` must be refused, and must not be a sign of life either.
async fn renews_nothing(rig: &dyn LeaseRig, given: &Lease, why: &str) -> Check {
    rig.advance(HALF)?;
    not_held(rig.store().renew(given).await, given, why)?;
    held_by(rig, "alice", "she was granted it, and somebody else's renewal does not end it").await?;
    rig.advance(HALF)?;
    take(rig, "carol", "the only renewal since it was granted was not its holder's").await?;
    Ok(())
}

/// Releasing the lease as `given` must be refused, and leave it where it is.
async fn releases_nothing(rig: &dyn LeaseRig, given: &Lease, holders: &Lease, why: &str) -> Check {
    not_held(rig.store().release(given).await, given, why)?;
    held_by(rig, holders.owner.as_str(), "nobody but its holder can release it").await?;
    done(rig.store().renew(holders).await, "its holder should be able to go on renewing it")
}

/// Renews a lease under another owner's name, half a heartbeat after it was granted. Contract 5.
pub async fn l18_a_stranger_renews_nothing(rig: &dyn LeaseRig) -> Check {
    let lease = take(rig, "alice", GRANTED).await?;
    let given = Lease { owner: owner("mallory")?, ..lease };
    renews_nothing(rig, &given, "mallory knows the token, but is not the owner").await
}

/// Releases a lease under another owner's name; its holder then renews it. Contract 5.
pub async fn l19_a_stranger_releases_nothing(rig: &dyn LeaseRig) -> Check {
    let lease = take(rig, "alice", GRANTED).await?;
    let given = Lease { owner: owner("mallory")?, ..lease.clone() };
    releases_nothing(rig, &given, &lease, "mallory knows the token, but is not the owner").await
}

/// An earlier lease of alice, and the one she holds now.
async fn second_lease(rig: &dyn LeaseRig) -> Result<(Lease, Lease), Stop> {
    let first = take(rig, "alice", GRANTED).await?;
    done(rig.store().release(&first).await, "alice should be able to release it")?;
    let second = take(rig, "alice", "it was released").await?;
    Ok((first, second))
}

/// Renews by the token of the owner's earlier lease, half a heartbeat after the later one was granted. Contract 5.
pub async fn l20_an_old_token_renews_nothing(rig: &dyn LeaseRig) -> Check {
    let (first, _) = second_lease(rig).await?;
    renews_nothing(rig, &first, "its token is that of an earlier lease").await
}

/// Releases by the token of the owner's earlier lease; the later one is then renewed. Contract 5.
pub async fn l21_an_old_token_releases_nothing(rig: &dyn LeaseRig) -> Check {
    let (first, second) = second_lease(rig).await?;
    releases_nothing(rig, &first, &second, "its token is that of an earlier lease").await
}

/// Releases and renews by the next token, and releases by token zero. Contract 5.
pub async fn l22_a_token_yet_to_come_does_nothing(rig: &dyn LeaseRig) -> Check {
    let lease = take(rig, "alice", GRANTED).await?;
    let token = Token::new(lease.token.get().saturating_add(1));
    let given = Lease { token, ..lease.clone() };
    releases_nothing(rig, &given, &lease, "its token was never granted").await?;
    let given = Lease { token: Token::ZERO, ..lease.clone() };
    releases_nothing(rig, &given, &lease, "its token was never granted").await?;
    let given = Lease { token, ..lease };
    renews_nothing(rig, &given, "its token was never granted").await
}

/// Releases and renews one portfolio by the lease of another, while that one is free and while somebody holds it. Contract 5.
pub async fn l23_another_portfolios_lease_does_nothing(rig: &dyn LeaseRig) -> Check {
    let growth = take(rig, "alice", GRANTED).await?;
    // Nobody ever took income: a renewal of it is not a way to take it.
    let income = Lease { portfolio: portfolio("income")?, ..growth.clone() };
    not_held(rig.store().release(&income).await, &income, "income was never taken")?;
    not_held(rig.store().renew(&income).await, &income, "income was never taken")?;
    let answer = ask(rig, "bob", "income", TERMS).await?;
    if let Err(error) = answer {
        return Err(Stop::Broken(format!("income is free, but the store answered: {error}")));
    }
    not_held(rig.store().release(&income).await, &income, "income is bob's")?;
    done(rig.store().release(&growth).await, "growth should still be alice's")
}

/// Releases a lease twice, and a third time when the next owner holds it. Contract 5.
pub async fn l24_release_twice_frees_nobody_elses(rig: &dyn LeaseRig) -> Check {
    let first = take(rig, "alice", GRANTED).await?;
    done(rig.store().release(&first).await, "alice should be able to release it")?;
    not_held(rig.store().release(&first).await, &first, "it was released already")?;
    let second = take(rig, "bob", "alice released it").await?;
    releases_nothing(rig, &first, &second, "it is bob's now").await
}

/// An ended lease must neither be renewable nor releasable, and its portfolio must be free.
async fn revives_nothing(rig: &dyn LeaseRig, ended: &Lease, why: &str) -> Check {
    not_held(rig.store().renew(ended).await, ended, why)?;
    not_held(rig.store().release(ended).await, ended, why)?;
    take(rig, "bob", why).await?;
    Ok(())
}

/// Renews and releases a lease when its heartbeat is over; then another takes it. Contract 6.
pub async fn l25_renewal_after_a_lost_heartbeat_revives_nothing(rig: &dyn LeaseRig) -> Check {
    let lease = take(rig, "alice", GRANTED).await?;
    rig.advance(HEARTBEAT)?;
    revives_nothing(rig, &lease, "its heartbeat is over").await
}

/// Renews and releases a lease when its expiry has passed; then another takes it. Contract 6.
pub async fn l26_renewal_after_expiry_revives_nothing(rig: &dyn LeaseRig) -> Check {
    let lease = take(rig, "alice", GRANTED).await?;
    while_renewed(rig, &lease).await?;
    revives_nothing(rig, &lease, "its expiry has passed").await
}

/// Renews and releases a lease that was released; then another takes it. Contract 6.
pub async fn l27_renewal_after_release_revives_nothing(rig: &dyn LeaseRig) -> Check {
    let lease = take(rig, "alice", GRANTED).await?;
    done(rig.store().release(&lease).await, "alice should be able to release it")?;
    revives_nothing(rig, &lease, "it was released").await
}

/// Renews and releases an ended lease half a heartbeat after the next owner was granted it, who then renews. Contract 5, 6.
pub async fn l28_renewal_after_the_next_grant_changes_nothing(rig: &dyn LeaseRig) -> Check {
    let first = take(rig, "alice", GRANTED).await?;
    rig.advance(HEARTBEAT)?;
    let second = take(rig, "bob", "alice's heartbeat is over").await?;
    rig.advance(HALF)?;
    not_held(rig.store().renew(&first).await, &first, "it is bob's now")?;
    not_held(rig.store().release(&first).await, &first, "it is bob's now")?;
    held_by(rig, "bob", "alice's lease ended before").await?;
    done(rig.store().renew(&second).await, "bob should be able to renew it")
}
