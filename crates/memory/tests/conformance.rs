//! The suites that these adapters certify themselves with.

use evenkeel_conformance::journal::JournalRig;
use evenkeel_conformance::leases::LeaseRig;
use evenkeel_conformance::{Cannot, Check, Rig, Stop};
use evenkeel_domain::values::{StoreId, Timestamp};
use evenkeel_memory::{ManualClock, MemoryJournal, MemoryLeases, Retention};
use evenkeel_ports::{Journal, LeaseStore};
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;

/// Runs a case on a clock that moves when nothing else can go on.
fn run_on(clock: &ManualClock, case: BoxFuture<'_, Check>) -> Check {
    clock.run(case).unwrap_or_else(|stuck| Err(Stop::Broken(format!("the case never ended: {stuck}"))))
}

mod leases {
    use super::*;

    struct LeasesInMemory {
        clock: ManualClock,
        leases: MemoryLeases,
    }

    impl LeasesInMemory {
        fn new() -> Self {
            let clock = ManualClock::new(Timestamp::EPOCH);
            Self { leases: MemoryLeases::new(Arc::new(clock.clone())), clock }
        }
    }

    impl Rig for LeasesInMemory {
        fn adapter(&self) -> String {
            "MemoryLeases".to_owned()
        }

        fn run(&self, case: BoxFuture<'_, Check>) -> Check {
            run_on(&self.clock, case)
        }
    }

    impl LeaseRig for LeasesInMemory {
        fn store(&self) -> Arc<dyn LeaseStore> {
            Arc::new(self.leases.clone())
        }

        fn advance(&self, by: Duration) -> Result<(), Cannot> {
            self.clock.advance(by);
            Ok(())
        }

        fn restart(&self) -> Result<(), Cannot> {
            Err(Cannot::new("restart a store that lives in memory"))
        }
    }

    evenkeel_conformance::lease_store_suite!(LeasesInMemory::new(), not_shown: [L08]);
}

struct JournalInMemory(MemoryJournal);

impl JournalInMemory {
    fn keeping(retention: Retention) -> Self {
        Self(MemoryJournal::new(StoreId::new(7)).with_retention(retention))
    }
}

impl Rig for JournalInMemory {
    fn adapter(&self) -> String {
        "MemoryJournal".to_owned()
    }
}

impl JournalRig for JournalInMemory {
    fn journal(&self) -> Arc<dyn Journal> {
        Arc::new(self.0.clone())
    }

    fn restart(&self) -> Result<(), Cannot> {
        Err(Cannot::new("restart a journal that lives in memory"))
    }

    fn lose_the_next_answer(&self, _written: bool) -> Result<(), Cannot> {
        Err(Cannot::new("lose an answer on a way that does not exist"))
    }
}

mod journal_that_keeps_everything {
    use super::*;

    evenkeel_conformance::journal_suite!(
        JournalInMemory::keeping(Retention::Everything),
        not_shown: [J22, J23, J24, J35],
    );
}

mod journal_that_folds {
    use super::*;

    evenkeel_conformance::journal_suite!(
        JournalInMemory::keeping(Retention::LatestState),
        not_shown: [J22, J23, J24, J35],
    );
}
