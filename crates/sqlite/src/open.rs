//! Opening a file as a store: is it ours, whole, of a layout we know, and set so that a commit is durable?
//!
//! A new store is made beside its place and moved there when it is complete, so a store exists whole or not at all. Everything here happens
//! while no other process opens the same file ([`crate::process::opening`]).

use crate::error::OpenError;
use crate::identity::beside;
use crate::migrations;
use crate::opened::Opened;
use crate::rows;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

/// What makes a SQLite file one of ours: `EVKL`.
pub(crate) const APPLICATION: i32 = 0x4556_4b4c;
/// Before this, SQLite could lose what the WAL holds when two connections met at a checkpoint.
const LIBRARY: i32 = 3_051_003;
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// How a store is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long to wait for another process that keeps the file busy. 5 seconds by default.
    pub busy: Duration,
    /// The most bytes that the file may have; a commit beyond it fails. As many as the disk has, by default.
    pub largest: Option<u64>,
    /// True answers before a future first yields, so that no time passes meanwhile: for programs whose time is virtual, and moves when nothing
    /// else can go on. Commits of other threads still share a transaction. False by default.
    pub blocking: bool,
    /// False promises nothing about power loss: to measure what syncing costs, and for nothing else.
    #[doc(hidden)]
    pub synced: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { busy: Duration::from_secs(5), largest: None, blocking: false, synced: true }
    }
}

/// The connection that writes; the file is made if there is none. What comes before it is to be dropped after it.
pub(crate) fn writing(path: &Path, options: &Options) -> Result<(Opened, Connection), OpenError> {
    let library = rusqlite::version_number();
    if library < LIBRARY {
        let (found, wanted) = (rusqlite::version().to_owned(), "3.51.3 or newer".to_owned());
        return Err(OpenError::Setting { path: path.to_owned(), setting: "SQLite's version", found, wanted });
    }
    if !exists(path)? {
        create(path)?;
    }
    let opened = Opened::after(path, look_at)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|e| OpenError::sorted(path, &e))?;
    let sort = |e: rusqlite::Error| OpenError::sorted(path, &e);
    if connection.is_readonly("main").map_err(sort)? {
        let message = "the file may only be read".to_owned();
        return Err(OpenError::ReadOnly { path: path.to_owned(), message });
    }
    set(&connection, path, options)?;
    migrations::bring_up_to_date(&connection, path)?;
    rows::check_heads(&connection)
        .map_err(sort)?
        .map_err(|message| OpenError::Damaged { path: path.to_owned(), message })?;
    Ok((opened, connection))
}

/// One more connection to a store that is open for writing in this process, for reading.
pub(crate) fn reading(path: &Path, options: &Options) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(options.busy)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// A connection that changes nothing, for looking at a store whether or not a process runs on it.
///
/// Whoever may write the file opens it as if to write, so that the last to close it leaves neither WAL nor lock behind, which might be in the
/// way of others. Whoever may not looks at a closed store as at one that nobody can change; should a process begin to write it
/// meanwhile, what is read may not fit together. What comes before it is to be dropped after it.
pub(crate) fn looking(path: &Path) -> Result<(Opened, Connection), OpenError> {
    if !exists(path)? {
        return Err(OpenError::Missing { path: path.to_owned() });
    }
    let opened = Opened::after(path, look_at)?;
    let sort = |e: rusqlite::Error| OpenError::sorted(path, &e);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(sort)?;
    if !has_wal(path) && !may_write(path, &connection).map_err(sort)? {
        let name = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        connection = Connection::open_with_flags(format!("file:{name}?immutable=1"), flags).map_err(sort)?;
    }
    connection.busy_timeout(Options::default().busy).map_err(sort)?;
    connection.pragma_update(None, "query_only", true).map_err(sort)?;
    migrations::check(&connection, path)?;
    Ok((opened, connection))
}

/// Whether the file can be written, and files be made beside it.
fn may_write(path: &Path, connection: &Connection) -> rusqlite::Result<bool> {
    if connection.is_readonly("main")? {
        return Ok(false);
    }
    // Tried, since permissions tell less than the whole.
    let probe = beside(path, &format!(".probe-{}", std::process::id()));
    Ok(File::create_new(&probe).is_ok() && std::fs::remove_file(&probe).is_ok())
}

fn has_wal(path: &Path) -> bool {
    std::fs::metadata(beside(path, "-wal")).is_ok_and(|wal| wal.len() > 0)
}

fn exists(path: &Path) -> Result<bool, OpenError> {
    match path.try_exists() {
        Ok(false) if has_wal(path) => {
            let message = "the file is gone, but its WAL is still beside it: restore the file, or move the WAL away";
            Err(OpenError::Damaged { path: path.to_owned(), message: message.to_owned() })
        }
        Ok(exists) => Ok(exists),
        Err(e) => Err(OpenError::of_file(path, "looking for it", &e)),
    }
}

/// Makes a store beside its place, and moves it there.
fn create(path: &Path) -> Result<(), OpenError> {
    let new = beside(path, ".new");
    for ending in ["", "-journal", "-wal", "-shm"] {
        match std::fs::remove_file(beside(&new, ending)) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                return Err(OpenError::of_file(path, "removing what an earlier attempt left", &e));
            }
            _ => {}
        }
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let made = Connection::open_with_flags(&new, flags).map_err(|e| match e.sqlite_error_code() {
        Some(rusqlite::ErrorCode::CannotOpen) => {
            let message = format!("making a file there: {e}");
            match path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
                Some(_) => OpenError::Unavailable { path: path.to_owned(), message },
                None => OpenError::ReadOnly { path: path.to_owned(), message },
            }
        }
        _ => OpenError::sorted(path, &e),
    })?;
    let sort = |e: rusqlite::Error| OpenError::sorted(path, &e);
    made.pragma_update(None, "synchronous", "FULL").map_err(sort)?;
    made.pragma_update(None, "application_id", APPLICATION).map_err(sort)?;
    migrations::bring_up_to_date(&made, path)?;
    made.execute("INSERT INTO store (one, id, rows, words) VALUES (1, lower(hex(randomblob(16))), 0, 0)", [])
        .map_err(sort)?;
    made.close().map_err(|(_, e)| sort(e))?;
    std::fs::rename(&new, path).map_err(|e| OpenError::of_file(path, "moving the new store to its place", &e))?;
    sync_folder(path).map_err(|e| OpenError::of_file(path, "syncing its folder", &e))
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> std::io::Result<()> {
    Ok(())
}

/// What can be seen without SQLite, of a file that this process does not have open: that it is a database, ours, and as long as it says it is.
fn look_at(path: &Path) -> Result<(), OpenError> {
    let failed = |e: std::io::Error| OpenError::of_file(path, "reading it", &e);
    let mut file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    let not_ours = |message: String| OpenError::NotOurs { path: path.to_owned(), message };
    let mut header = [0; 100];
    if let Err(e) = file.read_exact(&mut header) {
        if e.kind() == std::io::ErrorKind::UnexpectedEof {
            return Err(not_ours(format!("it has {length} bytes, less than any store has")));
        }
        return Err(failed(e));
    }
    let number = |from: usize| {
        let bytes = header.iter().skip(from).take(4);
        bytes.fold(0_u64, |number, byte| number.wrapping_mul(256).wrapping_add(u64::from(*byte)))
    };
    if !header.starts_with(MAGIC) {
        return Err(not_ours("it is no SQLite database".to_owned()));
    }
    let (application, ours) = (number(68), u64::from(APPLICATION.unsigned_abs()));
    if application != ours {
        return Err(not_ours(format!("its application id is {application:#x}, not {ours:#x}")));
    }
    // The page size is in two bytes, and 1 stands for 65536. What a WAL holds is not in the file yet.
    let page = match number(16) >> 16 {
        1 => 65_536,
        size => size,
    };
    let expected = number(28).saturating_mul(page);
    if length < expected && !has_wal(path) {
        let message = format!("it has {length} bytes, and says that it should have {expected}: its end is missing");
        return Err(OpenError::Damaged { path: path.to_owned(), message });
    }
    Ok(())
}

/// Sets what is kept per connection, and checks all of it.
fn set(connection: &Connection, path: &Path, options: &Options) -> Result<(), OpenError> {
    let sort = |e: rusqlite::Error| OpenError::sorted(path, &e);
    connection.busy_timeout(options.busy).map_err(sort)?;
    let synchronous = if options.synced { "2" } else { "0" };
    let settings: [(&'static str, &str); 8] = [
        ("journal_mode", "wal"),
        ("synchronous", synchronous),
        ("foreign_keys", "1"),
        // On systems where a sync does not reach the disk otherwise.
        ("fullfsync", "1"),
        ("checkpoint_fullfsync", "1"),
        ("cell_size_check", "1"),
        ("trusted_schema", "0"),
        ("temp_store", "2"),
    ];
    for (setting, wanted) in settings {
        connection.pragma_update_and_check(None, setting, wanted, |_| Ok(())).or_else(none_is_fine).map_err(sort)?;
        let read = |row: &rusqlite::Row<'_>| row.get::<_, Value>(0);
        let found = match connection.pragma_query_value(None, setting, read).map_err(sort)? {
            Value::Integer(number) => number.to_string(),
            Value::Text(text) => text,
            other @ (Value::Null | Value::Real(_) | Value::Blob(_)) => format!("{other:?}"),
        };
        if found != wanted {
            return Err(OpenError::Setting { path: path.to_owned(), setting, found, wanted: wanted.to_owned() });
        }
    }
    if let Some(largest) = options.largest {
        let page: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0)).map_err(sort)?;
        let pages = i64::try_from(largest).unwrap_or(i64::MAX).checked_div(page).unwrap_or(i64::MAX);
        let pages = pages.clamp(1, 0xffff_fffe);
        connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).map_err(sort)?;
    }
    Ok(())
}

/// Some settings answer with their value, some with nothing.
fn none_is_fine(error: rusqlite::Error) -> rusqlite::Result<()> {
    if matches!(error, rusqlite::Error::QueryReturnedNoRows) { Ok(()) } else { Err(error) }
}
