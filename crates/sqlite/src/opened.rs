//! Which files this process has open through SQLite, so that nothing but SQLite opens and closes them.
//!
//! The locks of POSIX belong to a process and a file: whoever closes one descriptor of it drops all of them, those that SQLite relies on too
//! (<https://www.sqlite.org/howtocorrupt.html>, section 2.2). Another process then believes to be the last one, and removes the write-ahead log when it
//! is done.

use crate::error::OpenError;
use crate::identity::{Number, number};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Each as often as it is open.
static OPENED: Mutex<Vec<Number>> = Mutex::new(Vec::new());

/// Says that a file is open. To be dropped after every connection to it.
#[derive(Debug)]
pub(crate) struct Opened(Option<Number>);

impl Opened {
    /// Looks at a file without SQLite and says that it is open, before it is opened. One that is open already is not looked at: it was.
    pub(crate) fn after(path: &Path, look: impl FnOnce(&Path) -> Result<(), OpenError>) -> Result<Self, OpenError> {
        // Held while it is looked at: nobody else opens it meanwhile.
        let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
        // Files without numbers (outside of Unix) have other locks.
        let number = number(path).ok().filter(|_| cfg!(unix));
        if number.is_none_or(|number| !opened.contains(&number)) {
            look(path)?;
        }
        opened.extend(number);
        Ok(Self(number))
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = opened.iter().position(|number| Some(*number) == self.0) {
            opened.swap_remove(place);
        }
    }
}
