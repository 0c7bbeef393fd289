//! Leases: one row per portfolio, judged by the store's clock and by whether the process that took it still runs.
//!
//! The time is read when the store is asked, before the request waits for its turn: a lease is then never longer than it says, and never
//! judged as ended too early. Leases are not part of the hash chain: they decide who may try; who may write, the journal's fence decides.

use crate::process::has_ended;
use crate::rows;
use evenkeel_domain::values::{OwnerId, PortfolioId, Timestamp, Token};
use evenkeel_ports::{AcquireError, HoldError, Lease, LeaseTerms};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::path::Path;
use std::time::Duration;

/// A portfolio's last lease, as it stands in the file.
#[derive(Debug, Clone)]
pub(crate) struct LeaseRow {
    pub(crate) portfolio: String,
    pub(crate) token: i64,
    /// Empty if it was given back.
    pub(crate) holder: String,
    pub(crate) process: String,
    pub(crate) granted_at: i64,
    heartbeat_at: i64,
    expiry: i64,
    heartbeat: i64,
}

pub(crate) const LEASES: &str =
    "SELECT portfolio, token, holder, process, granted_at, heartbeat_at, expiry, heartbeat FROM lease";

impl LeaseRow {
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            portfolio: row.get(0)?,
            token: row.get(1)?,
            holder: row.get(2)?,
            process: row.get(3)?,
            granted_at: row.get(4)?,
            heartbeat_at: row.get(5)?,
            expiry: row.get(6)?,
            heartbeat: row.get(7)?,
        })
    }

    /// When it ends, if it is not renewed.
    pub(crate) fn until(&self) -> Timestamp {
        let expires = self.granted_at.saturating_add(self.expiry);
        Timestamp::from_nanos(expires.min(self.heartbeat_at.saturating_add(self.heartbeat)))
    }

    /// True if it was given out and has not ended, as far as time tells.
    pub(crate) fn is_live(&self, now: Timestamp) -> bool {
        !self.holder.is_empty() && now < self.until()
    }

    /// What is wrong with it, if something is: leases have no hashes, but must be readable, and above the fence.
    pub(crate) fn fault(&self, fence: i64) -> Option<String> {
        if self.token < fence {
            return Some(format!("its token is {}, below that of the last record, {fence}", self.token));
        }
        let holder = if self.holder.is_empty() { Ok(()) } else { self.holder.parse::<OwnerId>().map(drop) };
        let portfolio = self.portfolio.parse::<PortfolioId>().map(drop);
        holder.and(portfolio).err().map(|e| e.to_string())
    }

    fn is_of(&self, lease: &Lease) -> bool {
        self.holder == lease.owner.as_str() && i64::try_from(lease.token.get()) == Ok(self.token)
    }
}

fn row(connection: &Connection, portfolio: &PortfolioId) -> rusqlite::Result<Option<LeaseRow>> {
    let mut query = connection.prepare_cached(&format!("{LEASES} WHERE portfolio = ?1"))?;
    query.query_row([portfolio.as_str()], LeaseRow::read).optional()
}

/// Whoever asks for a lease.
#[derive(Debug)]
pub(crate) struct Asking {
    pub(crate) portfolio: PortfolioId,
    pub(crate) owner: OwnerId,
    pub(crate) terms: LeaseTerms,
    /// When it was asked, by the store's clock.
    pub(crate) now: Timestamp,
    /// The name of this process.
    pub(crate) process: String,
}

impl Asking {
    /// Grants the lease, or says why not.
    pub(crate) fn acquire(
        &self,
        connection: &Connection,
        store: &Path,
    ) -> rusqlite::Result<Result<Lease, AcquireError>> {
        let Self { portfolio, owner, terms, now, process } = self;
        let unavailable =
            |message: String| Ok(Err(AcquireError::Unavailable { portfolio: portfolio.clone(), message }));
        let before = row(connection, portfolio)?;
        if let Some(held) = before.as_ref().filter(|row| row.is_live(*now))
            && (held.process == *process || !has_ended(store, &held.process))
        {
            let until = held.until();
            return match held.holder.parse() {
                Ok(holder) => Ok(Err(AcquireError::Busy { portfolio: portfolio.clone(), holder, until })),
                Err(e) => unavailable(format!("it is held until {until} by somebody unreadable: {e}")),
            };
        }
        // The journal's fence stands at its own token: below that, nobody could write, whatever became of the leases.
        let fence = rows::portfolio(connection, portfolio.as_str())?.map_or(0, |row| row.token);
        let Some(token) = before.map_or(0, |row| row.token).max(fence).checked_add(1) else {
            return unavailable("its tokens are used up".to_owned());
        };
        let mut write = connection.prepare_cached(
            "INSERT INTO lease (portfolio, token, holder, process, granted_at, heartbeat_at, expiry, heartbeat)
             VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7)
             ON CONFLICT (portfolio) DO UPDATE SET token = excluded.token, holder = excluded.holder, process = excluded.process,
             granted_at = excluded.granted_at, heartbeat_at = excluded.heartbeat_at, expiry = excluded.expiry, heartbeat = excluded.heartbeat",
        )?;
        let (expiry, heartbeat) = (nanos(terms.expiry), nanos(terms.heartbeat));
        write.execute(params![portfolio.as_str(), token, owner.as_str(), process, now.nanos(), expiry, heartbeat])?;
        let token = Token::new(token.unsigned_abs());
        let (portfolio, owner) = (portfolio.clone(), owner.clone());
        Ok(Ok(Lease { portfolio, owner, token, granted_at: *now, terms: *terms }))
    }
}

/// What its holder does with a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    Renew,
    Release,
}

impl Hold {
    /// Does it, if `lease` is held.
    pub(crate) fn on(
        self,
        connection: &Connection,
        lease: &Lease,
        now: Timestamp,
    ) -> rusqlite::Result<Result<(), HoldError>> {
        let held = row(connection, &lease.portfolio)?.filter(|row| row.is_live(now) && row.is_of(lease));
        let Some(held) = held else {
            let Lease { portfolio, owner, token, .. } = lease.clone();
            return Ok(Err(HoldError::NotHeld { portfolio, owner, token }));
        };
        match self {
            Self::Renew => {
                // Two that ask at once may be judged in the other order.
                let at = now.nanos().max(held.heartbeat_at);
                let renew = "UPDATE lease SET heartbeat_at = ?1 WHERE portfolio = ?2";
                connection.prepare_cached(renew)?.execute(params![at, held.portfolio])?;
            }
            Self::Release => {
                let release = "UPDATE lease SET holder = '' WHERE portfolio = ?1";
                connection.prepare_cached(release)?.execute([held.portfolio])?;
            }
        }
        Ok(Ok(()))
    }
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}
