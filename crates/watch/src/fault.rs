//! Faults that tests switch on, to see that they are caught. Outside of the crate's own tests none can be.

/// What is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The error of the value is taken to be zero, and bounds are not rounded outward.
    NoMargin,
    /// A holding that moves does not widen the extremes.
    ExtremeNotWidened,
    /// New holdings do not reset the portfolio's numbers.
    NoReset,
    /// A portfolio that is touched by several prices of a wave is judged for each.
    NoDedupe,
}

#[cfg(not(test))]
#[inline]
pub(crate) const fn has(_: Fault) -> bool {
    false
}

#[cfg(test)]
pub(crate) use switch::{has, with};

#[cfg(test)]
mod switch {
    use super::Fault;
    use std::cell::Cell;

    thread_local! {
        static FAULT: Cell<Option<Fault>> = const { Cell::new(None) };
    }

    pub(crate) fn has(fault: Fault) -> bool {
        FAULT.get() == Some(fault)
    }

    /// Does `work` with that fault. A panic of the work comes back as an error.
    pub(crate) fn with(fault: Fault, work: impl FnOnce() + std::panic::UnwindSafe) -> std::thread::Result<()> {
        FAULT.set(Some(fault));
        let done = std::panic::catch_unwind(work);
        FAULT.set(None);
        done
    }
}
