//! A worker: the real program at work in a process of its own, which is killed, frozen and thawed from here.

use rustix::fd::AsFd;
use rustix::process::{Flock, FlockOffsetType, FlockType, Pid, Signal, WaitId, WaitIdOptions};
use rustix::process::{fcntl_getlk, kill_process, waitid};
use std::fmt;
use std::fs::{File, TryLockError};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

/// How often to look whether a worker has ended, and how many times at most: two minutes.
const PAUSE: Duration = Duration::from_millis(2);
const LOOKS: u32 = 60_000;
/// How often a worker that was frozen while it held a file may be let go on for a moment.
const TRIES: u32 = 10_000;
const A_MOMENT: Duration = Duration::from_micros(50);

/// When a worker is struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// So long after its start.
    After(Duration),
    /// So long after the n-th time that a file, `store.db` or `bank.db`, was written since it was opened: nothing that was done then is in any
    /// doubt, and nothing that follows from it has been done.
    Written { file: &'static str, times: u64, then: Duration },
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::After(then) => write!(f, "{then:?} after its start"),
            Self::Written { file, times, then } => write!(f, "{then:?} after write {times} of {file}"),
        }
    }
}

/// How a worker ended, and what it wrote to standard error.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) status: ExitStatus,
    pub(crate) said: String,
}

/// A worker. When it is dropped it is killed, also if it is frozen.
pub(crate) struct Worker {
    child: Child,
    folder: PathBuf,
    said: PathBuf,
}

impl Worker {
    /// Starts `command` in `folder`, where its files are. What it tells is kept there, in `worker-N.told` and `worker-N.said`.
    pub(crate) fn start(mut command: Command, folder: &Path) -> Result<Self, String> {
        let number = (1..).find(|number| !folder.join(format!("worker-{number}.told")).exists()).unwrap_or(0);
        let make = |ending: &str| {
            let path = folder.join(format!("worker-{number}.{ending}"));
            let file = File::create(&path).map_err(|error| format!("making {}: {error}", path.display()))?;
            Ok::<_, String>((path, file))
        };
        let ((_, told), (said, err)) = (make("told")?, make("said")?);
        let child = command.current_dir(folder).stdout(told).stderr(err).spawn();
        let child = child.map_err(|error| format!("the program could not start: {error}"))?;
        Ok(Self { child, folder: folder.to_owned(), said })
    }

    /// Waits until the moment has come. False if it ends before.
    pub(crate) fn runs_until(&mut self, moment: Moment) -> Result<bool, String> {
        let then = match moment {
            Moment::After(then) => then,
            Moment::Written { file, times, then } => {
                let mut writes = Writes::of(&self.folder.join(file));
                // Before there is a bank, files are being made: that is for those who are killed after a time.
                while !self.folder.join("bank.db-shm").exists() || writes.seen() < times {
                    if self.ended()?.is_some() {
                        return Ok(false);
                    }
                }
                then
            }
        };
        std::thread::sleep(then);
        Ok(self.ended()?.is_none())
    }

    pub(crate) fn kill(mut self) -> Result<(), String> {
        self.child.kill().and_then(|()| self.child.wait()).map(drop).map_err(|error| format!("killing it: {error}"))
    }

    /// Freezes it with SIGSTOP. False if it ends before.
    ///
    /// One that is frozen inside a transaction, or while it opens or closes a file, would keep everybody from the file for as long as it sleeps,
    /// which is how SQLite is, and no takeover: such a one is let go on for a moment, and frozen again.
    pub(crate) fn freeze(&mut self) -> Result<bool, String> {
        for _ in 0..TRIES {
            self.signal(Signal::STOP)?;
            let options = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            let seen = waitid(WaitId::Pid(self.id()), options).map_err(|error| format!("waiting for it: {error}"))?;
            if !seen.is_some_and(|seen| seen.stopped()) {
                return Ok(false);
            }
            if !self.holds_a_file()? {
                return Ok(true);
            }
            self.thaw()?;
            std::thread::sleep(A_MOMENT);
        }
        Err(format!("frozen {TRIES} times, and every time while it kept a file from others"))
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) -> Result<(), String> {
        self.signal(Signal::CONT)
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Result<End, String> {
        for _ in 0..LOOKS {
            if let Some(status) = self.ended()? {
                let said = std::fs::read_to_string(&self.said);
                let said = said.map_err(|error| format!("reading what it said: {error}"))?;
                return Ok(End { status, said });
            }
            std::thread::sleep(PAUSE);
        }
        Err("it hangs: there is no end after two minutes".to_owned())
    }

    fn ended(&mut self) -> Result<Option<ExitStatus>, String> {
        self.child.try_wait().map_err(|error| format!("asking whether it runs: {error}"))
    }

    fn id(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    fn signal(&self, signal: Signal) -> Result<(), String> {
        kill_process(self.id(), signal).map_err(|error| format!("sending it a signal: {error}"))
    }

    /// Whether somebody keeps the store or the bank from others, or opens the store.
    fn holds_a_file(&self) -> Result<bool, String> {
        let failed = |error: String| format!("asking for locks: {error}");
        for (file, start, length) in EXCLUSIVE {
            let Ok(file) = File::open(self.folder.join(file)) else { continue };
            // Asked as one who only reads: so the locks that readers share do not count.
            let typ = FlockType::ReadLock;
            let lock = Flock { start, length, pid: None, typ, offset_type: FlockOffsetType::Set };
            if fcntl_getlk(file.as_fd(), &lock).map_err(|error| failed(error.to_string()))?.is_some() {
                return Ok(true);
            }
        }
        let opening = File::open(self.folder.join("store.db.lock"));
        match opening.map_err(TryLockError::Error).and_then(|file| file.try_lock()) {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(failed(error.to_string())),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // One that has ended cannot be killed, and need not be.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The bytes that SQLite locks against others, for a moment or a transaction. In a `-shm` file it is all of its locks, with the one of who opens it first:
/// <https://www.sqlite.org/walformat.html>, section 2.3, and `UNIX_SHM_DMS` in its source. In the database itself they begin at `PENDING_BYTE`:
/// <https://www.sqlite.org/fileformat.html>, section 1.4.
const EXCLUSIVE: [(&str, u64, u64); 4] =
    [("store.db-shm", 120, 9), ("bank.db-shm", 120, 9), ("store.db", 1 << 30, 512), ("bank.db", 1 << 30, 512)];
/// Where a `-shm` file has the number that grows with each transaction: section 2.1, `iChange`.
const CHANGES: u64 = 8;

/// How often a file was written.
struct Writes {
    index: PathBuf,
    last: Option<[u8; 4]>,
    times: u64,
}

impl Writes {
    /// Since now.
    fn of(file: &Path) -> Self {
        let index = PathBuf::from(format!("{}-shm", file.display()));
        let mut writes = Self { index, last: None, times: 0 };
        writes.seen();
        writes
    }

    fn seen(&mut self) -> u64 {
        let mut now = [0; 4];
        let read = File::open(&self.index).and_then(|file| file.read_exact_at(&mut now, CHANGES));
        if read.is_ok() && self.last.replace(now).is_some_and(|last| last != now) {
            self.times = self.times.saturating_add(1);
        }
        self.times
    }
}
