//! Time: the wall clock, where it enters the program, and how far the records of a portfolio have come.

use async_trait::async_trait;
use evenkeel_domain::portfolio::Portfolio;
use evenkeel_domain::values::{Sequence, Timestamp};
use evenkeel_engine::EngineError;
use evenkeel_ports::{Clock, Journal};
use std::time::{SystemTime, UNIX_EPOCH};

/// The wall clock.
#[expect(clippy::disallowed_methods, reason = "this is where time enters")]
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// The wall clock as a store asks it, which never waits for it.
#[derive(Debug)]
pub(super) struct WallClock;

#[async_trait]
impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        now()
    }

    async fn sleep_until(&self, deadline: Timestamp) {
        // Nobody here waits by the wall clock; whoever did would hold up its thread, and no longer than it asked for.
        std::thread::sleep(deadline.since(now()));
    }
}

/// Where a simulation goes on that has been here before: at the time of the last record of what is known, or when a bank that is kept had last been
/// asked, which may be later: nothing came of it. `None` if the store has no record of it.
///
/// `asked_at` must be from before `known` was read: whatever another process did in between is at that time or later, and is met there.
pub(super) async fn resumed_at(
    journal: &dyn Journal,
    known: Option<&Portfolio>,
    asked_at: Option<Timestamp>,
) -> Result<Option<Timestamp>, EngineError> {
    let Some(known) = known else { return Ok(None) };
    let recorded = newest_record(journal, known).await?;
    Ok(recorded.map(|recorded| asked_at.map_or(recorded, |asked_at| recorded.max(asked_at))))
}

/// When the last record was made that a state knows of. Another process may have written more: what set that off, this state does not tell.
async fn newest_record(journal: &dyn Journal, known: &Portfolio) -> Result<Option<Timestamp>, EngineError> {
    let before = Sequence::new(known.sequence.get().saturating_sub(1));
    let records = journal.read(&known.id, before).await.map_err(EngineError::Journal)?;
    Ok(records.first().map(|entry| entry.record.at))
}
