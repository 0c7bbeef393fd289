//! The tests tested: with a fault switched on, the comparison must fail.

use super::edges;
use super::walks::{Size, walk};
use crate::Settings;
use crate::fault::{Fault, with};

fn everything() {
    edges::check_some();
    for seed in 0..10 {
        walk(seed, Size::Everyday, Settings::default(), 150);
    }
}

#[test]
fn without_a_fault_all_is_well() {
    everything();
}

/// Each is caught by at least one comparison, and says so by a panic.
#[test]
fn every_fault_is_caught() {
    for fault in [Fault::NoMargin, Fault::ExtremeNotWidened, Fault::NoReset, Fault::NoDedupe] {
        assert!(with(fault, everything).is_err(), "{fault:?} was not noticed");
    }
}
