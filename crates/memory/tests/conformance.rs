//! The suites that these adapters certify themselves with.

use evenkeel_conformance::leases::LeaseRig;
use evenkeel_conformance::{Cannot, Check, Rig, Stop};
use evenkeel_domain::values::Timestamp;
use evenkeel_memory::{ManualClock, MemoryLeases};
use evenkeel_ports::LeaseStore;
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
