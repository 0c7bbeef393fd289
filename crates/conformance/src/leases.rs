//! The suite of the lease store: what [`evenkeel_ports::LeaseStore`] promises, case by case.
//!
//! Time is moved by the rig; a lease that these cases take ends [`TERMS`] after it was taken or last renewed. The cases are told apart
//! by what they are about: `holder` (contract 1 and 2), `ending` (3 and 4), `hands` (5 and 6).
//!
//! ```text
//! evenkeel_conformance::lease_store_suite!(MyRig::new());
//! evenkeel_conformance::lease_store_suite!(MyRig::new(), not_shown: [L08]);
//! ```

mod ending;
mod hands;
mod holder;

use crate::suite::suite;
use crate::{Cannot, Check, Rig, Stop, expect};
use evenkeel_domain::values::{OwnerId, PortfolioId};
use evenkeel_ports::{AcquireError, HoldError, Lease, LeaseStore, LeaseTerms};
use std::sync::Arc;
use std::time::Duration;

pub use ending::*;
pub use hands::*;
pub use holder::*;

/// What a lease store needs around it to be shown.
pub trait LeaseRig: Rig {
    /// The store. After [`restart`](Self::restart), the one that was started again.
    fn store(&self) -> Arc<dyn LeaseStore>;

    /// Moves the store's own clock on by so much, and by no more: without this, nothing that ends by itself can be shown.
    ///
    /// # Errors
    /// [`Cannot`] if its clock is not in the rig's hands.
    fn advance(&self, by: Duration) -> Result<(), Cannot>;

    /// Ends the store and starts it again on what it has stored, as after a crash.
    ///
    /// # Errors
    /// [`Cannot`] if nothing of it outlives the process.
    fn restart(&self) -> Result<(), Cannot>;
}

suite! { ($) lease_store_suite in leases, "lease store", dyn LeaseRig, 30;
    L01 "1" l01_one_holder_of_many_at_once "of many who ask at once for a free portfolio, exactly one is granted its lease",
    L02 "1" l02_busy_names_the_holder_and_the_end "whoever comes second is told who holds the lease, and when it ends at the latest if it is not renewed again",
    L03 "1" l03_the_same_owner_is_busy_too "the holder itself is not granted a second lease, and asking is no sign of life",
    L04 "1" l04_each_portfolio_by_itself "the lease of one portfolio keeps nobody from another",
    L05 "2" l05_tokens_grow_over_release "the lease after a release has a larger token",
    L06 "2" l06_tokens_grow_over_a_lost_heartbeat "the lease after a lost heartbeat has a larger token",
    L07 "2" l07_tokens_grow_over_expiry "the lease after an expiry has a larger token",
    L08 "2" l08_tokens_grow_over_a_restart "a restart of the store does not reset the tokens",
    L09 "3" l09_granted_at_is_the_stores_time "a lease says when it was granted, by the store's clock",
    L10 "3" l10_forged_times_do_not_move_the_heartbeat "what a caller writes into its lease does not move the end of its heartbeat",
    L11 "3" l11_forged_times_do_not_move_the_ceiling "what a caller writes into its lease does not move its expiry",
    L12 "4" l12_a_lost_heartbeat_frees_at_its_time "a lease that is not renewed is held until just before its heartbeat ends, and free then",
    L13 "4" l13_renewal_keeps_it_past_the_heartbeat "each renewal keeps the lease for another heartbeat",
    L14 "4" l14_expiry_frees_though_renewed "a lease ends when its expiry has passed, renewed or not",
    L15 "4" l15_release_frees_at_once "a released portfolio can be taken at once",
    L16 "2, 4" l16_the_former_owner_may_take_it_again "an ended lease can be taken by its former owner, with a larger token",
    L17 "4" l17_each_lease_has_its_own_terms "a lease is judged by the terms it was taken with, not by those of the one before",
    L18 "5" l18_a_stranger_renews_nothing "whoever does not own the lease cannot renew it, and is told so",
    L19 "5" l19_a_stranger_releases_nothing "whoever does not own the lease cannot release it, and is told so",
    L20 "5" l20_an_old_token_renews_nothing "the owner cannot renew its lease by the token of an earlier one",
    L21 "5" l21_an_old_token_releases_nothing "the owner cannot release its lease by the token of an earlier one",
    L22 "5" l22_a_token_yet_to_come_does_nothing "a token that was never granted neither renews nor releases",
    L23 "5" l23_another_portfolios_lease_does_nothing "the lease of one portfolio neither renews nor releases that of another",
    L24 "5" l24_release_twice_frees_nobody_elses "releasing a second time does nothing to whoever holds the lease since",
    L25 "6" l25_renewal_after_a_lost_heartbeat_revives_nothing "a lease that ended by heartbeat cannot be renewed, even while nobody else took it",
    L26 "6" l26_renewal_after_expiry_revives_nothing "a lease that expired cannot be renewed, even while nobody else took it",
    L27 "6" l27_renewal_after_release_revives_nothing "a lease that was given back cannot be renewed",
    L28 "5, 6" l28_renewal_after_the_next_grant_changes_nothing "the former owner cannot renew once somebody else holds the lease",
    L29 "4" l29_a_dropped_acquire_is_freed_by_its_heartbeat "a lease that nobody knows of, since its acquire was dropped, ends with its heartbeat",
    L30 "4, 6" l30_a_restart_prolongs_no_lease "a restart of the store ends a lease at once, or leaves its heartbeat and its expiry where they were",
}

/// The terms of most leases here: ten seconds without a sign of life, a hundred in all.
pub const TERMS: LeaseTerms = LeaseTerms { expiry: Duration::from_secs(100), heartbeat: HEARTBEAT };

const HEARTBEAT: Duration = Duration::from_secs(10);
/// Longer than the heartbeat is made of halves of it; stores that keep milliseconds can tell this from it.
const HALF: Duration = Duration::from_secs(5);
/// The least time that every store is expected to tell apart.
const MOMENT: Duration = Duration::from_millis(1);

fn portfolio(text: &str) -> Result<PortfolioId, Stop> {
    text.parse().map_err(|error| Stop::Broken(format!("{error}")))
}

fn owner(text: &str) -> Result<OwnerId, Stop> {
    text.parse().map_err(|error| Stop::Broken(format!("{error}")))
}

/// What the store answers to who asks for `about`.
async fn ask(
    rig: &dyn LeaseRig,
    who: &str,
    about: &str,
    terms: LeaseTerms,
) -> Result<Result<Lease, AcquireError>, Stop> {
    match rig.store().acquire(&portfolio(about)?, &owner(who)?, terms).await {
        Err(error @ AcquireError::Unavailable { .. }) => {
            Err(Stop::Broken(format!("the store should have been there to be asked, but answered: {error}")))
        }
        answer => Ok(answer),
    }
}

/// The lease of `growth`, which must be free: `why` it should be.
async fn take(rig: &dyn LeaseRig, who: &str, why: &str) -> Result<Lease, Stop> {
    match ask(rig, who, "growth", TERMS).await? {
        Ok(lease) => {
            let named = (lease.portfolio.as_str(), lease.owner.as_str()) == ("growth", who);
            expect(named, &format!("the lease should name growth and {who}"), &lease)?;
            Ok(lease)
        }
        Err(error) => Err(Stop::Broken(format!("the lease should be granted to {who}, since {why}, but: {error}"))),
    }
}

/// `growth` must be held by `holder`: `why` it should be.
async fn held_by(rig: &dyn LeaseRig, holder: &str, why: &str) -> Check {
    match ask(rig, "somebody-else", "growth", TERMS).await? {
        Err(AcquireError::Busy { holder: named, .. }) if named.as_str() == holder => Ok(()),
        answer => {
            Err(Stop::Broken(format!("{holder} should hold the lease, since {why}, but the store answered {answer:?}")))
        }
    }
}

/// The answer to a renewal or a release must be that nothing of the kind is held, about exactly what was given.
fn not_held(answer: Result<(), HoldError>, given: &Lease, why: &str) -> Check {
    let Lease { portfolio, owner, token, .. } = given.clone();
    let expected = Err(HoldError::NotHeld { portfolio, owner, token });
    expect(answer == expected, &format!("the answer should be {expected:?}, since {why}"), answer)
}

/// The answer to a renewal or a release must be that it was done.
fn done(answer: Result<(), HoldError>, why: &str) -> Check {
    expect(answer == Ok(()), why, answer)
}
