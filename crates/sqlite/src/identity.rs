//! Which file is open: noticed when it was deleted, moved, or replaced by another while we write.
//!
//! An open file that was deleted can still be written, and everything written is lost when it is closed. So the writer compares before
//! each transaction, and again before it says that one is durable. Where files have no numbers (outside of Unix) only deletion is noticed.

use std::path::{Path, PathBuf};

/// The files that make up an open store, and their numbers.
#[derive(Debug, Clone)]
pub(crate) struct Identity(Vec<(PathBuf, Number)>);

/// The numbers of a file: of its device, and its own there.
pub(crate) type Number = (u64, u64);

impl Identity {
    /// Of the file and the WAL beside it, both open.
    pub(crate) fn of(path: &Path) -> std::io::Result<Self> {
        let paths = [path.to_owned(), beside(path, "-wal")];
        let number = |path: PathBuf| number(&path).map(|number| (path, number));
        paths.into_iter().map(number).collect::<std::io::Result<Vec<_>>>().map(Self)
    }

    /// Whether they are still the same.
    pub(crate) fn check(&self) -> Result<(), String> {
        for (path, opened) in &self.0 {
            match number(path) {
                Ok(now) if now == *opened => {}
                Ok(_) => return Err(format!("{} was replaced while it was open: stop, and look", path.display())),
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                    return Err(format!("{} was deleted while it was open: stop, and look", path.display()));
                }
                Err(e) => return Err(format!("looking at {}: {e}", path.display())),
            }
        }
        Ok(())
    }
}

#[cfg(unix)]
pub(crate) fn number(path: &Path) -> std::io::Result<Number> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).map(|data| (data.dev(), data.ino()))
}

#[cfg(not(unix))]
pub(crate) fn number(path: &Path) -> std::io::Result<Number> {
    std::fs::metadata(path).map(|_| (0, 0))
}

/// The file whose name is that of the store with something added.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}
