//! A bank in a file: the broker's truth outlives the process, so that a killed worker finds its broker as it left it.
//!
//! The venue is a pure machine, so what is kept is not its state but the calls that changed it, each with its time; opening an account means
//! replaying them. A call is synced to the file before it has any effect: once anybody has seen an answer, every process will. Each
//! account has a log and a time of its own. Processes that share an account take turns by transaction; whoever finds calls of another
//! process in its log makes its venue anew from the whole log, so all of them see one truth. An answer that was on its way to a caller
//! then is lost, as answers are.
//!
//! The clocks of those processes need not agree: one that was frozen has an old time. So the bank keeps the latest time at which anybody
//! has asked it anything, and whatever is done afterwards is done then or later, whatever the clock of who does it says; prices of an
//! earlier time are no news. What was answered once is never contradicted. This alone is not synced: a power cut that takes it takes its readers too.
//!
//! Kept are accounts, movements of cash, prices, orders and cancels. What tests do to a broker besides (faults, halts, outages by hand,
//! corrections) is not: a bank is for brokers that live on, not for their scripts.

use crate::calls::{Call, Keeper, Unkept};
use crate::profile::Profile;
use crate::venue::Venue;
use evenkeel_domain::order::Capabilities;
use evenkeel_domain::values::{AccountId, StoreId, Timestamp};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior, params};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What makes a SQLite file a bank: `EVKB`.
const APPLICATION: i32 = 0x4556_4b42;
/// The layout that this program writes. The first had no times.
const LAYOUT: i64 = 2;
/// How long to wait for another process.
const BUSY: Duration = Duration::from_secs(5);

const TABLES: &str = "
CREATE TABLE bank (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    store TEXT NOT NULL,
    kind  TEXT NOT NULL,
    seed  TEXT NOT NULL
) STRICT;
CREATE TABLE call (
    account TEXT    NOT NULL,
    number  INTEGER NOT NULL CHECK (number > 0),
    at      INTEGER NOT NULL,
    call    TEXT    NOT NULL,
    PRIMARY KEY (account, number)
) STRICT, WITHOUT ROWID;
";
const TIMES: &str = "
CREATE TABLE time (
    account TEXT    PRIMARY KEY,
    seen    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// A file that cannot be opened as this bank. Nothing in it was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BankError {
    /// It is no bank.
    #[error("{} is not a bank: {message}", path.display())]
    NotABank {
        /// Which file.
        path: PathBuf,
        /// What it is instead.
        message: String,
    },
    /// Nobody has used it: whoever made it ended before anything could be sent.
    #[error("{} is empty: nothing was ever sent to this bank", path.display())]
    Empty {
        /// Which file.
        path: PathBuf,
    },
    /// Its orders were sent for another store, which this one knows nothing of.
    #[error("{} belongs to the store {found}, not to {wanted}: name the store that it was made with, or another bank", path.display())]
    OtherStore {
        /// Which file.
        path: PathBuf,
        /// Whose it is.
        found: String,
        /// Whose it should be.
        wanted: String,
    },
    /// It is the truth of another kind of broker, or of other draws.
    #[error("{} is the bank of {found}, not of {wanted}: name the broker, profile and seed that it was made with", path.display())]
    OtherBroker {
        /// Which file.
        path: PathBuf,
        /// Of which broker it is.
        found: String,
        /// Of which it should be.
        wanted: String,
    },
    /// A newer program wrote it.
    #[error("{} has the layout {found}, and this program knows {LAYOUT}: use the program that wrote it", path.display())]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its layout.
        found: i64,
    },
    /// It cannot be read or written.
    #[error("the bank {} cannot be used: {message}", path.display())]
    Unavailable {
        /// Which file.
        path: PathBuf,
        /// What is known of the cause.
        message: String,
    },
}

/// A bank: the calls of all accounts of one broker.
pub struct BankFile {
    path: PathBuf,
    seed: u64,
    connections: Mutex<Connections>,
}

/// Two ways to the file, of which one at a time is used.
struct Connections {
    /// For calls: synced.
    calls: Connection,
    /// For the time: not synced.
    times: Connection,
}

impl BankFile {
    /// Opens the bank at `path`; it is made if there is none. It belongs to `store`, and to a broker of this kind and seed.
    ///
    /// # Errors
    /// [`BankError`].
    pub fn open(path: impl AsRef<Path>, store: StoreId, profile: &Profile, seed: u64) -> Result<Arc<Self>, BankError> {
        let path = path.as_ref().to_owned();
        let sort = |error: rusqlite::Error| sorted(&path, &error);
        let mut connection = Connection::open(&path).map_err(sort)?;
        connection.busy_timeout(BUSY).map_err(sort)?;
        let (application, layout, tables) = marks(&mut connection).map_err(sort)?;
        if tables != 0 && application != i64::from(APPLICATION) {
            let message = format!("its application id is {application:#x}, not {APPLICATION:#x}");
            return Err(BankError::NotABank { path, message });
        }
        if layout > LAYOUT {
            return Err(BankError::Newer { path, found: layout });
        }
        connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(())).map_err(sort)?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(sort)?;
        let times = Connection::open(&path).map_err(sort)?;
        times.busy_timeout(BUSY).map_err(sort)?;
        times.pragma_update(None, "synchronous", "NORMAL").map_err(sort)?;
        let wanted = (store.to_string(), profile.name.clone(), seed.to_string());
        let found = claim(&mut connection, &wanted).map_err(sort)?;
        if found.0 != wanted.0 {
            return Err(BankError::OtherStore { path, found: found.0, wanted: wanted.0 });
        }
        if found != wanted {
            let broker = |(_, kind, seed): (String, String, String)| format!("{kind}, seed {seed}");
            return Err(BankError::OtherBroker { path, found: broker(found), wanted: broker(wanted) });
        }
        Ok(Arc::new(Self { path, seed, connections: Mutex::new(Connections { calls: connection, times }) }))
    }

    /// Opens the bank at `path`, which must be there and belong to `store`, as the one of these brokers that it was made for.
    ///
    /// # Errors
    /// [`BankError`].
    pub fn find(
        path: impl AsRef<Path>,
        store: StoreId,
        brokers: impl IntoIterator<Item = Profile>,
    ) -> Result<(Arc<Self>, Profile), BankError> {
        let path = path.as_ref();
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let sort = |error: rusqlite::Error| sorted(path, &error);
        let connection = Connection::open_with_flags(path, flags).map_err(sort)?;
        connection.busy_timeout(BUSY).map_err(sort)?;
        if connection.pragma_query_value(None, "schema_version", |row| row.get::<_, i64>(0)).map_err(sort)? == 0 {
            return Err(BankError::Empty { path: path.to_owned() });
        }
        let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?));
        let (kind, seed) = connection.query_row("SELECT kind, seed FROM bank", [], read).map_err(sort)?;
        drop(connection);
        let mut names = Vec::new();
        for profile in brokers {
            if profile.name == kind {
                let bank = Self::open(path, store, &profile, seed.parse().unwrap_or_default())?;
                return Ok((bank, profile));
            }
            names.push(profile.name);
        }
        Err(BankError::OtherBroker { path: path.to_owned(), found: kind, wanted: names.join(" or ") })
    }

    pub(crate) fn unavailable(&self, message: String) -> BankError {
        BankError::Unavailable { path: self.path.clone(), message }
    }

    pub(crate) const fn seed(&self) -> u64 {
        self.seed
    }

    fn connections(&self) -> MutexGuard<'_, Connections> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Its application id, its layout and the number of its schema: of one moment, as another process may be making it.
fn marks(connection: &mut Connection) -> rusqlite::Result<(i64, i64, i64)> {
    let moment = connection.transaction()?;
    let pragma = |name: &str| moment.pragma_query_value(None, name, |row| row.get(0));
    Ok((pragma("application_id")?, pragma("user_version")?, pragma("schema_version")?))
}

/// Whose bank it is; it becomes that of `wanted` if it is nobody's yet.
fn claim(connection: &mut Connection, wanted: &(String, String, String)) -> rusqlite::Result<(String, String, String)> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let layout = transaction.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))?;
    if layout == 0 {
        transaction.execute_batch(TABLES)?;
        transaction.execute(
            "INSERT INTO bank (one, store, kind, seed) VALUES (1, ?1, ?2, ?3)",
            params![wanted.0, wanted.1, wanted.2],
        )?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
    }
    if layout < LAYOUT {
        transaction.execute_batch(TIMES)?;
        transaction.pragma_update(None, "user_version", LAYOUT)?;
    }
    let found = transaction
        .query_row("SELECT store, kind, seed FROM bank", [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    transaction.commit()?;
    Ok(found)
}

fn sorted(path: &Path, error: &rusqlite::Error) -> BankError {
    let (path, message) = (path.to_owned(), error.to_string());
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => BankError::NotABank { path, message },
        Some(ErrorCode::DatabaseBusy | ErrorCode::FileLockingProtocolFailed) => {
            BankError::Unavailable { path, message: format!("{message}; another process keeps the file busy") }
        }
        _ => BankError::Unavailable { path, message },
    }
}

impl fmt::Debug for BankFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BankFile").field("path", &self.path).finish_non_exhaustive()
    }
}

/// The log of one account in a bank.
pub(crate) struct Log {
    bank: Arc<BankFile>,
    account: AccountId,
    profile: Arc<Profile>,
    capabilities: Arc<Capabilities>,
    /// How many calls the venue has seen; none once it must be made anew.
    seen: Mutex<Option<u64>>,
}

impl Log {
    pub(crate) fn new(
        bank: Arc<BankFile>,
        account: AccountId,
        profile: Arc<Profile>,
        capabilities: Arc<Capabilities>,
    ) -> Self {
        Self { bank, account, profile, capabilities, seen: Mutex::new(None) }
    }

    /// Brings the venue to where the log stands, and to the time that anybody has seen; this time.
    fn read(&self, connection: &Connection, venue: &mut Venue) -> rusqlite::Result<Option<Timestamp>> {
        let account = self.account.to_string();
        let last = connection
            .prepare_cached("SELECT number FROM call WHERE account = ?1 ORDER BY number DESC LIMIT 1")?
            .query_row([&account], |row| row.get::<_, i64>(0))
            .optional()?
            .map_or(0, i64::unsigned_abs);
        self.repeat(connection, venue, last)?;
        let time = connection
            .prepare_cached("SELECT seen FROM time WHERE account = ?1")?
            .query_row([&account], |row| row.get(0).map(Timestamp::from_nanos))
            .optional()?;
        if let Some(time) = time {
            venue.advance(time);
        }
        Ok(time)
    }

    /// Makes the venue anew, unless it has seen every call up to the last.
    fn repeat(&self, connection: &Connection, venue: &mut Venue, last: u64) -> rusqlite::Result<()> {
        let mut seen = self.seen();
        if *seen == Some(last) {
            return Ok(());
        }
        *seen = None;
        let seed = self.bank.seed();
        let mut anew = Venue::new(Arc::clone(&self.profile), Arc::clone(&self.capabilities), seed);
        let mut rows = connection.prepare_cached("SELECT at, call FROM call WHERE account = ?1 ORDER BY number")?;
        let rows =
            rows.query_map([self.account.to_string()], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
        for row in rows {
            let (at, text) = row?;
            let call: Call = serde_json::from_str(&text).map_err(|error| {
                rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Text, Box::new(error))
            })?;
            anew.advance(Timestamp::from_nanos(at));
            call.repeat(&mut anew);
        }
        anew.advance(venue.now());
        *venue = anew;
        *seen = Some(last);
        Ok(())
    }

    /// Reads, and keeps that time has come to `now`.
    fn pass(&self, connection: &mut Connection, venue: &mut Venue, now: Timestamp) -> rusqlite::Result<()> {
        if self.read(connection, venue)?.is_some_and(|time| now <= time) {
            return Ok(());
        }
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Others may have done something in between.
        if self.read(&transaction, venue)?.is_none_or(|time| time < now) {
            let sql = "INSERT INTO time (account, seen) VALUES (?1, ?2) ON CONFLICT (account) DO UPDATE SET seen = excluded.seen";
            transaction.prepare_cached(sql)?.execute(params![self.account.to_string(), now.nanos()])?;
        }
        transaction.commit()
    }

    fn seen(&self) -> MutexGuard<'_, Option<u64>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keeper for Log {
    fn catch_up(&self, venue: &mut Venue, now: Timestamp) -> Result<(), String> {
        let mut connections = self.bank.connections();
        self.pass(&mut connections.times, venue, now).map_err(|error| error.to_string())
    }

    fn keep(&self, venue: &mut Venue, now: Timestamp, call: &Call) -> Result<Timestamp, Unkept> {
        let nothing = |error: rusqlite::Error| Unkept::Nothing(error.to_string());
        let mut connections = self.bank.connections();
        let transaction =
            connections.calls.transaction_with_behavior(TransactionBehavior::Immediate).map_err(nothing)?;
        self.read(&transaction, venue).map_err(nothing)?;
        if matches!(call, Call::Prices(_)) && now < venue.now() {
            return Err(Unkept::Nothing(format!("prices of {now} are no news: the market is at {}", venue.now())));
        }
        let at = now.max(venue.now());
        let number = self.seen().unwrap_or(0).saturating_add(1);
        let text = serde_json::to_string(call).map_err(|error| Unkept::Nothing(error.to_string()))?;
        transaction
            .prepare_cached("INSERT INTO call (account, number, at, call) VALUES (?1, ?2, ?3, ?4)")
            .and_then(|mut insert| {
                insert.execute(params![self.account.to_string(), number.cast_signed(), at.nanos(), text])
            })
            .map_err(nothing)?;
        if let Err(error) = transaction.commit() {
            // Whether it is there is seen when the log is read again.
            *self.seen() = None;
            return Err(Unkept::Unknown(error.to_string()));
        }
        *self.seen() = Some(number);
        Ok(at)
    }
}
