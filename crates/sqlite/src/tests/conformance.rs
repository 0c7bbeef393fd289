//! The suites that this store certifies itself with. Here and not in `tests/`, since only from within can an answer be made to get lost.

use crate::writer::Fault;
use crate::{Options, SqliteStore};
use evenkeel_conformance::journal::JournalRig;
use evenkeel_conformance::leases::LeaseRig;
use evenkeel_conformance::{Cannot, Rig};
use evenkeel_domain::values::Timestamp;
use evenkeel_memory::ManualClock;
use evenkeel_ports::{Journal, LeaseStore};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;

struct InAFile {
    folder: TempDir,
    clock: ManualClock,
    options: Options,
    store: Mutex<Option<SqliteStore>>,
}

impl InAFile {
    fn new(blocking: bool) -> Self {
        let rig = Self {
            folder: tempfile::tempdir().unwrap(),
            clock: ManualClock::new(Timestamp::EPOCH),
            options: Options { blocking, ..Options::default() },
            store: Mutex::default(),
        };
        rig.open();
        rig
    }

    fn open(&self) {
        let mut store = self.store.lock().unwrap();
        // Closed first: one process after the other.
        *store = None;
        let (path, clock) = (self.folder.path().join("store.db"), Arc::new(self.clock.clone()));
        *store = Some(SqliteStore::open_with(path, clock, self.options.clone()).unwrap());
    }

    fn store(&self) -> SqliteStore {
        self.store.lock().unwrap().clone().unwrap()
    }
}

impl Rig for InAFile {
    fn adapter(&self) -> String {
        "SqliteStore".to_owned()
    }

    fn capabilities(&self) -> Vec<String> {
        vec![format!("{:?}", self.options)]
    }
}

impl JournalRig for InAFile {
    fn journal(&self) -> Arc<dyn Journal> {
        Arc::new(self.store())
    }

    fn restart(&self) -> Result<(), Cannot> {
        self.open();
        Ok(())
    }

    fn lose_the_next_answer(&self, written: bool) -> Result<(), Cannot> {
        let fault = if written { Fault::SilentAfter } else { Fault::SilentBefore };
        *self.store().writer().fault.lock().unwrap() = Some(fault);
        Ok(())
    }
}

impl LeaseRig for InAFile {
    fn store(&self) -> Arc<dyn LeaseStore> {
        Arc::new(self.store())
    }

    fn advance(&self, by: Duration) -> Result<(), Cannot> {
        self.clock.advance(by);
        Ok(())
    }

    fn restart(&self) -> Result<(), Cannot> {
        self.open();
        Ok(())
    }
}

mod journal {
    use super::*;

    evenkeel_conformance::journal_suite!(InAFile::new(false));
}

mod leases {
    use super::*;

    evenkeel_conformance::lease_store_suite!(InAFile::new(false));
}

mod blocking_journal {
    use super::*;

    evenkeel_conformance::journal_suite!(InAFile::new(true));
}

mod blocking_leases {
    use super::*;

    evenkeel_conformance::lease_store_suite!(InAFile::new(true));
}
