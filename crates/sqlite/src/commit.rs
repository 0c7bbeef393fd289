//! A commit: judged against the head, and written with everything that follows from it, inside the writer's transaction.

use crate::chain::{self, Covered};
use crate::halts;
use crate::projection::{Batches, Projection};
use crate::rows::{self, PortfolioRow};
use evenkeel_domain::record::Event;
use evenkeel_domain::values::{PortfolioId, Sequence, StoreId, Token};
use evenkeel_ports::{Commit, CommitOutcome, Head, codec};
use rusqlite::{Connection, params};

/// The fence: who has a lower token than the head writes nothing.
///
/// Only the canary of `cargo xtask crash` is built without it, to see that its absence is noticed: there, what a former owner commits is written
/// at the end. No feature does that, for features are switched on together; it takes `RUSTFLAGS="--cfg evenkeel_without_fence"`.
const FENCE: bool = !cfg!(evenkeel_without_fence);

/// A commit with its texts made, outside of the writer's thread.
#[derive(Debug)]
pub(crate) struct Prepared {
    store: StoreId,
    portfolio: PortfolioId,
    expected: Sequence,
    token: Token,
    records: Vec<Line>,
    /// Sequence and text of each.
    alerts: Vec<(i64, String)>,
}

#[derive(Debug)]
struct Line {
    at: i64,
    text: String,
    event: Event,
}

impl Prepared {
    /// Makes the texts. An error means that this commit can never be written.
    pub(crate) fn new(store: StoreId, commit: Commit) -> Result<Self, String> {
        let Commit { portfolio, expected, token, records, alerts, state: _ } = commit;
        let line = |record: &evenkeel_domain::record::Record| {
            let text = codec::encode(record).map_err(|e| e.to_string())?;
            Ok(Line { at: record.at.nanos(), text, event: record.event.clone() })
        };
        let alert = |alert: evenkeel_domain::alert::Alert| {
            let sequence = i64::try_from(alert.sequence.get()).map_err(|e| format!("an alert's sequence: {e}"))?;
            serde_json::to_string(&alert).map(|text| (sequence, text)).map_err(|e| format!("an alert: {e}"))
        };
        let records = records.iter().map(line).collect::<Result<_, String>>()?;
        let alerts = alerts.into_iter().map(alert).collect::<Result<_, String>>()?;
        Ok(Self { store, portfolio, expected, token, records, alerts })
    }

    /// Writes it, or says why not. Nothing is written unless it is `Committed`, or an error.
    pub(crate) fn write(&self, connection: &Connection) -> rusqlite::Result<CommitOutcome> {
        let before = rows::portfolio(connection, self.portfolio.as_str())?;
        let head = before.as_ref().map_or_else(Head::default, PortfolioRow::head);
        // A former owner is usually behind in both. It is told of the token: reading again would not help it.
        if FENCE && self.token < head.token {
            return Ok(CommitOutcome::Fenced { head });
        }
        let expected = if FENCE || self.token >= head.token { self.expected } else { head.sequence };
        if expected != head.sequence {
            return Ok(CommitOutcome::Conflict { head });
        }
        let mut projection = before.as_ref().map_or_else(Projection::new, |row| row.projection.clone());
        let Some(batches) = self.records.iter().map(|line| projection.take(&line.event)).collect::<Option<Vec<_>>>()
        else {
            return Ok(CommitOutcome::Conflict { head });
        };
        if self.records.is_empty() {
            return Ok(failed("a commit needs at least one record"));
        }
        let events = self.records.iter().map(|line| &line.event);
        if let Some(halt) = halts::forbidding(connection, &self.portfolio, events)? {
            return Ok(CommitOutcome::Halted { halt });
        }
        let (Ok(token), Ok(expected)) = (i64::try_from(self.token.get()), i64::try_from(expected.get())) else {
            return Ok(failed("a token or sequence above 2^63 - 1 cannot be stored"));
        };
        let last = i64::try_from(self.records.len()).ok().and_then(|count| expected.checked_add(count));
        let Some(last) = last else { return Ok(failed("a sequence above 2^63 - 1 cannot be stored")) };
        self.write_all(connection, before, token, last, &projection, &batches)?;
        Ok(CommitOutcome::Committed)
    }

    fn write_all(
        &self,
        connection: &Connection,
        before: Option<PortfolioRow>,
        token: i64,
        last: i64,
        projection: &Projection,
        batches: &[Batches],
    ) -> rusqlite::Result<()> {
        let is_new = before.is_none();
        let mut row = match before {
            Some(row) => row,
            None => self.new_row(connection)?,
        };
        row.token = token;
        if is_new {
            // Its place is known in a moment; the records refer to it by number.
            save(
                connection,
                "INSERT INTO portfolio (sequence, token, place, hash, changed_at, standing, batch, number, id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                &PortfolioRow { sequence: last, ..row.clone() },
            )?;
        }
        let alerts = self.unknown_alerts(connection, row.number)?;
        let mut rows: i64 = connection.prepare_cached("SELECT rows FROM store")?.query_row([], |row| row.get(0))?;
        for ((line, batches), left) in self.records.iter().zip(batches).zip((0..self.records.len()).rev()) {
            rows = rows.saturating_add(1);
            row.sequence = row.sequence.saturating_add(1);
            let covers = if left == 0 && !alerts.is_empty() { covering(&alerts).to_vec() } else { Vec::new() };
            write_line(connection, &mut row, line, rows, &covers)?;
            if *batches != Batches::default() {
                write_batches(connection, &mut row, batches)?;
            }
        }
        for (sequence, text) in &alerts {
            let mut insert = connection
                .prepare_cached("INSERT INTO outbox (portfolio, sequence, place, alert) VALUES (?1, ?2, ?3, ?4)")?;
            insert.execute(params![row.number, sequence, row.place, text])?;
        }
        row.projection = projection.clone();
        save(
            connection,
            "UPDATE portfolio SET sequence = ?1, token = ?2, place = ?3, hash = ?4, changed_at = ?5, standing = ?6, batch = ?7 WHERE number = ?8 AND id = ?9",
            &row,
        )?;
        connection.prepare_cached("UPDATE store SET rows = ?1")?.execute([rows]).map(drop)
    }

    fn new_row(&self, connection: &Connection) -> rusqlite::Result<PortfolioRow> {
        let next = "SELECT coalesce(max(number), 0) + 1 FROM portfolio";
        let number = connection.prepare_cached(next)?.query_row([], |row| row.get(0))?;
        let id = self.portfolio.as_str().to_owned();
        let hash = chain::beginning(self.store, &id).to_vec();
        let (sequence, token, place, changed_at, batch) = (0, 0, 0, 0, None);
        Ok(PortfolioRow { number, id, sequence, token, place, hash, changed_at, batch, projection: Projection::new() })
    }

    /// The alerts that are not in the outbox. One that was delivered never becomes pending again.
    fn unknown_alerts(&self, connection: &Connection, portfolio: i64) -> rusqlite::Result<Vec<&(i64, String)>> {
        let mut unknown: Vec<&(i64, String)> = Vec::new();
        for alert in &self.alerts {
            let mut query = connection.prepare_cached("SELECT 1 FROM outbox WHERE portfolio = ?1 AND sequence = ?2")?;
            let known = query.exists([portfolio, alert.0])? || unknown.iter().any(|other| other.0 == alert.0);
            if !known {
                unknown.push(alert);
            }
        }
        Ok(unknown)
    }
}

fn covering(alerts: &[&(i64, String)]) -> chain::Hash {
    chain::alerts(alerts.iter().map(|(sequence, text)| (*sequence, text.as_str())))
}

fn failed(message: &str) -> CommitOutcome {
    CommitOutcome::Failed { message: message.to_owned() }
}

/// Appends one record to the journal and moves the head to it.
fn write_line(
    connection: &Connection,
    row: &mut PortfolioRow,
    line: &Line,
    place: i64,
    alerts: &[u8],
) -> rusqlite::Result<()> {
    let covered = Covered {
        place,
        portfolio: row.number,
        id: &row.id,
        sequence: row.sequence,
        token: row.token,
        before: row.place,
        at: line.at,
        kind: line.event.kind(),
        record: &line.text,
        alerts,
        previous: &row.hash,
    };
    let hash = covered.hash();
    let mut insert = connection.prepare_cached(
        "INSERT INTO journal (place, portfolio, sequence, token, before, at, kind, record, alerts, previous, hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?;
    let Covered { portfolio, sequence, token, before, at, kind, record, previous, .. } = covered;
    insert.execute(params![place, portfolio, sequence, token, before, at, kind, record, alerts, previous, hash])?;
    (row.place, row.hash, row.changed_at) = (place, hash.to_vec(), line.at);
    Ok(())
}

fn write_batches(connection: &Connection, row: &mut PortfolioRow, batches: &Batches) -> rusqlite::Result<()> {
    if let Some(outcome) = batches.closes {
        let close = "UPDATE batch SET closed = ?1, outcome = ?2 WHERE portfolio = ?3 AND closed IS NULL";
        connection.prepare_cached(close)?.execute(params![row.sequence, outcome, row.number])?;
    }
    if let Some(id) = &batches.opens {
        let open = "INSERT INTO batch (portfolio, id, opened, outcome) VALUES (?1, ?2, ?3, '')";
        connection.prepare_cached(open)?.execute(params![row.number, id, row.sequence])?;
        row.batch = Some(connection.last_insert_rowid());
    }
    Ok(())
}

fn save(connection: &Connection, sql: &str, row: &PortfolioRow) -> rusqlite::Result<()> {
    let PortfolioRow { number, id, sequence, token, place, hash, changed_at, batch, projection } = row;
    let values = params![sequence, token, place, hash, changed_at, projection.standing, batch, number, id];
    connection.prepare_cached(sql)?.execute(values).map(drop)
}
