//! Stores that cannot be opened, and what SQLite's errors prove about a write.

use rusqlite::ErrorCode;
use std::path::{Path, PathBuf};

/// A file that cannot be opened as a store. Nothing in it was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is no such file, and none was to be made.
    #[error("there is no store at {}", path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// It is no store of Evenkeel: another path, or another file in its place.
    #[error("{} is not a store of Evenkeel: {message}", path.display())]
    NotOurs {
        /// Which file.
        path: PathBuf,
        /// What it is instead.
        message: String,
    },
    /// A newer program wrote it.
    #[error("{} has the layout {found}, and this program knows layouts up to {known}: use the program that wrote it, or a newer one", path.display())]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its layout.
        found: i64,
        /// The newest layout that this program knows.
        known: i64,
    },
    /// It is damaged: restore it, or let a person look.
    #[error("{} is damaged: {message}", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// Somebody else kept it for too long. Try again.
    #[error("{} is kept busy by another process: {message}", path.display())]
    Busy {
        /// Which file.
        path: PathBuf,
        /// What is known of it.
        message: String,
    },
    /// It may be read only.
    #[error("{} cannot be written: {message}", path.display())]
    ReadOnly {
        /// Which file.
        path: PathBuf,
        /// What is known of the cause.
        message: String,
    },
    /// SQLite is too old, or a setting was not taken over: durability could not be promised.
    #[error("{}: {setting} should be {wanted}, but is {found}", path.display())]
    Setting {
        /// Which file.
        path: PathBuf,
        /// Which setting.
        setting: &'static str,
        /// What it is.
        found: String,
        /// What it must be.
        wanted: String,
    },
    /// Anything else: no space, no permission, a disk that fails.
    #[error("opening {}: {message}", path.display())]
    Unavailable {
        /// Which file.
        path: PathBuf,
        /// What is known of the cause.
        message: String,
    },
}

impl OpenError {
    /// Sorts what SQLite says while opening.
    pub(crate) fn sorted(path: &Path, error: &rusqlite::Error) -> Self {
        let (path, message) = (path.to_owned(), error.to_string());
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotOurs { path, message },
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged { path, message },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed) => {
                Self::Busy { path, message }
            }
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::ReadOnly { path, message },
            _ => Self::Unavailable { path, message },
        }
    }

    /// Sorts what the file system says while opening.
    pub(crate) fn of_file(path: &Path, doing: &str, error: &std::io::Error) -> Self {
        let (path, message) = (path.to_owned(), format!("{doing}: {error}"));
        if matches!(error.kind(), std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem) {
            Self::ReadOnly { path, message }
        } else {
            Self::Unavailable { path, message }
        }
    }
}

/// A write that was not confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unwritten {
    /// Nothing of it is in the file.
    Nothing(String),
    /// It may be in the file.
    Unknown(String),
}

impl Unwritten {
    /// What a failed COMMIT proves. A disk that is full, a file that cannot be written or is kept busy fail before the commit is marked;
    /// after anything else the mark may be on the disk.
    pub(crate) fn of_commit(error: &rusqlite::Error) -> Self {
        let message = format!("committing: {}", explained(error));
        match error.sqlite_error_code() {
            Some(
                ErrorCode::DiskFull
                | ErrorCode::ReadOnly
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::ConstraintViolation,
            ) => Self::Nothing(message),
            _ => Self::Unknown(message),
        }
    }
}

/// SQLite's words, with what a person can do where that is known.
pub(crate) fn explained(error: &rusqlite::Error) -> String {
    let hint = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "; make room on the disk",
        Some(ErrorCode::ReadOnly) => "; make the file and its folder writable",
        // The second is said after ten seconds in which somebody else was about to open the file, or to close it.
        Some(ErrorCode::DatabaseBusy | ErrorCode::FileLockingProtocolFailed) => "; another process keeps the file busy",
        Some(ErrorCode::DatabaseCorrupt) => "; the file is damaged",
        _ => "",
    };
    format!("{error}{hint}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::ffi;

    #[test]
    fn a_file_that_others_keep_is_told_as_busy_however_sqlite_puts_it() {
        for code in [ffi::SQLITE_BUSY, ffi::SQLITE_BUSY_RECOVERY, ffi::SQLITE_PROTOCOL] {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            let opened = OpenError::sorted(Path::new("s.db"), &error);
            assert!(matches!(opened, OpenError::Busy { .. }), "{opened:?}");
            assert!(explained(&error).ends_with("; another process keeps the file busy"), "{}", explained(&error));
        }
    }
}
