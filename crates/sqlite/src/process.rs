//! Whether the process that took a lease still runs: each holds the operating system's lock on a file of its own beside the store.
//!
//! The lock ends with the process, however that ends, and stays while the process is frozen. So the lease of a process that has ended is
//! free at once, and that of a frozen one after its heartbeat. Names are random and never used twice. Where files cannot be locked (some
//! network file systems), there is no such file, and the heartbeat alone decides.

use crate::error::OpenError;
use crate::identity::beside;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The name and the lock of this process; given back when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    /// Keeps the lock.
    file: Option<File>,
    path: PathBuf,
}

impl Process {
    /// Takes the lock of this name: 16 hexadecimal digits, random. Called under the [`opening`] lock.
    pub(crate) fn enter(store: &Path, name: String) -> Result<Self, OpenError> {
        sweep(store);
        let path = file_of(store, &name);
        let file =
            File::create_new(&path).map_err(|e| OpenError::of_file(store, "making the lock of this process", &e))?;
        if file.try_lock().is_err() {
            drop(std::fs::remove_file(&path));
            return Ok(Self { name: String::new(), file: None, path });
        }
        Ok(Self { name, file: Some(file), path })
    }

    /// Its name; empty if the heartbeat alone decides.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            drop(std::fs::remove_file(&self.path));
        }
    }
}

/// True if the process of this name provably runs no more.
pub(crate) fn has_ended(store: &Path, name: &str) -> bool {
    if name.len() != 16 || !name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return false;
    }
    match File::open(file_of(store, name)) {
        Ok(file) => file.try_lock().is_ok(),
        Err(e) => e.kind() == std::io::ErrorKind::NotFound,
    }
}

/// Lets one process at a time open, create or migrate a store, while the answer lives.
pub(crate) fn opening(store: &Path, patience: Duration) -> Result<File, OpenError> {
    let path = beside(store, ".lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|e| OpenError::of_file(store, "opening the lock beside it", &e))?;
    let mut waited = Duration::ZERO;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if waited < patience => {
                std::thread::sleep(PAUSE);
                waited = waited.saturating_add(PAUSE);
            }
            Err(TryLockError::WouldBlock) => {
                let message = format!("{} is locked: somebody is opening it", path.display());
                return Err(OpenError::Busy { path: store.to_owned(), message });
            }
            // Without locks, the transactions of SQLite keep two from migrating at once.
            Err(TryLockError::Error(_)) => return Ok(file),
        }
    }
}

const PAUSE: Duration = Duration::from_millis(5);
const MARK: &str = ".process-";

fn file_of(store: &Path, name: &str) -> PathBuf {
    beside(store, &format!("{MARK}{name}"))
}

/// Removes what processes that were killed have left. Nobody is between making and locking a file: that needs the [`opening`] lock.
fn sweep(store: &Path) {
    let (Some(folder), Some(name)) = (store.parent(), store.file_name().and_then(|name| name.to_str())) else { return };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let mark = format!("{name}{MARK}");
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_lock = entry.file_name().to_str().is_some_and(|name| name.starts_with(&mark));
        if is_lock && File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok()) {
            drop(std::fs::remove_file(entry.path()));
        }
    }
}
