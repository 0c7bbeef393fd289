//! The suites that these adapters certify themselves with.

use evenkeel_conformance::clock::ClockRig;
use evenkeel_conformance::journal::JournalRig;
use evenkeel_conformance::leases::LeaseRig;
use evenkeel_conformance::notifier::NotifierRig;
use evenkeel_conformance::{Cannot, Check, Rig, Stop};
use evenkeel_domain::alert::Alert;
use evenkeel_domain::values::{StoreId, Timestamp};
use evenkeel_memory::{ManualClock, MemoryJournal, MemoryLeases, MemoryNotifier, Retention};
use evenkeel_ports::{Clock, Journal, LeaseStore, Notifier};
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

    evenkeel_conformance::lease_store_suite!(LeasesInMemory::new(), not_shown: [L08, L30]);
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
        not_shown: [J22, J23, J24, J35, J42],
    );
}

mod journal_that_folds {
    use super::*;

    evenkeel_conformance::journal_suite!(
        JournalInMemory::keeping(Retention::LatestState),
        not_shown: [J22, J23, J24, J35, J42],
    );
}

mod clock {
    use super::*;

    struct ClockByHand(ManualClock);

    impl Rig for ClockByHand {
        fn adapter(&self) -> String {
            "ManualClock".to_owned()
        }

        fn run(&self, case: BoxFuture<'_, Check>) -> Check {
            run_on(&self.0, case)
        }
    }

    impl ClockRig for ClockByHand {
        fn clock(&self) -> Arc<dyn Clock> {
            Arc::new(self.0.clone())
        }

        fn set_back(&self, _by: Duration) -> Result<(), Cannot> {
            Err(Cannot::new("set back a machine's clock that is not read"))
        }
    }

    evenkeel_conformance::clock_suite!(ClockByHand(ManualClock::new(Timestamp::EPOCH)), not_shown: [T02]);
}

mod notifier {
    use super::*;

    struct NotifierInMemory(MemoryNotifier);

    impl Rig for NotifierInMemory {
        fn adapter(&self) -> String {
            "MemoryNotifier".to_owned()
        }
    }

    impl NotifierRig for NotifierInMemory {
        fn notifier(&self) -> Arc<dyn Notifier> {
            Arc::new(self.0.clone())
        }

        fn times_told(&self, alert: &Alert) -> Result<usize, Cannot> {
            Ok(self.0.alerts().iter().filter(|told| *told == alert).count())
        }

        fn set_broken(&self, broken: bool) -> Result<(), Cannot> {
            self.0.fail_next(if broken { usize::MAX } else { 0 });
            Ok(())
        }
    }

    evenkeel_conformance::notifier_suite!(NotifierInMemory(MemoryNotifier::new()));
}
