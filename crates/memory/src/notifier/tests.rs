//! The notifier: what is kept, and how it fails.

use crate::MemoryNotifier;
use crate::testing::{alert, ready};
use evenkeel_domain::alert::Alert;
use evenkeel_ports::Notifier;

/// Tells of alerts 1, 2, 3 …, the first of them failing, and compares what was kept.
#[track_caller]
fn check(failing: usize, told: &[u64], kept: &[u64]) {
    let notifier = MemoryNotifier::new();
    notifier.clone().fail_next(failing);
    for (place, sequence) in told.iter().enumerate() {
        let answer = ready(notifier.notify(&alert("growth", *sequence)));
        assert_eq!(answer.is_err(), place < failing, "telling of {sequence}: {answer:?}");
    }
    let kept: Vec<Alert> = kept.iter().map(|sequence| alert("growth", *sequence)).collect();
    assert_eq!(notifier.alerts(), kept);
}

#[test]
fn contract_1_what_it_took_it_keeps_in_order() {
    check(0, &[], &[]);
    check(0, &[1, 3, 2], &[1, 3, 2]);
}

#[test]
fn contract_2_what_is_given_again_is_kept_again() {
    check(0, &[1, 1, 2, 1], &[1, 1, 2, 1]);
}

#[test]
fn what_failed_is_not_kept_and_succeeds_when_tried_again() {
    check(1, &[1, 1], &[1]);
    check(2, &[1, 2, 3], &[3]);
    check(9, &[1], &[]);
}

#[test]
fn failing_is_replaced_and_not_added_up() {
    let notifier = MemoryNotifier::new();
    notifier.fail_next(5);
    notifier.fail_next(1);
    let error = ready(notifier.notify(&alert("growth", 1))).unwrap_err();
    assert_eq!(error.to_string(), "telling a person about growth: the notifier was told to fail");
    assert_eq!(ready(notifier.notify(&alert("growth", 1))), Ok(()));
}
