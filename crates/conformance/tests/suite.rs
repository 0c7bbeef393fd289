//! What the suites are made of: a clock that keeps some promises, breaks others, and cannot show the rest.

use evenkeel_conformance::clock::{CASES, ClockRig, report, run_case};
use evenkeel_conformance::suite::{block_on, check_case, check_declared};
use evenkeel_conformance::{Cannot, Check, Rig, Stop, Verdict};
use evenkeel_domain::values::Timestamp;
use evenkeel_ports::Clock;
use expect_test::expect;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;

/// It stands still, and no sleep on it ever waits.
struct Stopped;

#[async_trait::async_trait]
impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::EPOCH
    }

    async fn sleep_until(&self, deadline: Timestamp) {
        assert!(deadline < Timestamp::MAX, "no such moment");
    }
}

struct StoppedRig;

impl Rig for StoppedRig {
    fn adapter(&self) -> String {
        "Stopped".to_owned()
    }

    fn capabilities(&self) -> Vec<String> {
        vec!["has one moment".to_owned()]
    }
}

impl ClockRig for StoppedRig {
    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(Stopped)
    }

    fn set_back(&self, _by: Duration) -> Result<(), Cannot> {
        Err(Cannot::new("set back what stands still"))
    }
}

#[test]
fn a_report_says_what_was_seen() {
    let report = report(|| Box::new(StoppedRig));
    expect![[r#"
        clock suite 0.0.0 for Stopped
          declares has one moment
          passed     T01  a time that is read is never before one that was read earlier (contract 1)
          not shown  T02  the time does not go back when the machine's clock is set back, and sleeps still end (contract 1)
                     the rig cannot set back what stands still
          failed     T03  when a sleep has ended, the time is not before its deadline (contract 2)
                     a sleep of 1ns should end at or after 1970-01-01T00:00:00.000000001Z, but saw Timestamp(1970-01-01T00:00:00Z)
          passed     T04  a sleep until now, or until any time before, ends at once (contract 2)
          failed     T05  of sleeps that are under way at once, each ends at or after its own deadline (contract 2)
                     a sleep among others should end at or after 1970-01-01T00:00:00.003Z, but saw Timestamp(1970-01-01T00:00:00Z)
          failed     T06  dropping a sleep, begun or not, disturbs neither the time nor another sleep (contract 2)
                     a sleep of an hour should not end at once, but saw Some(())
          failed     T07  a sleep until the last of all moments does not end before it (contract 2)
                     the case panicked: no such moment
        2 passed, 4 failed, 0 skipped, 1 not shown
    "#]]
    .assert_eq(&report.to_string());
    let json = report.to_json().unwrap();
    let start = r#"{"port":"clock","adapter":"Stopped","adapter_version":null,"suite_version":"0.0.0","capabilities":["has one moment"],"cases":[{"id":"T01""#;
    assert!(json.starts_with(start), "{json}");
}

#[test]
fn a_report_is_saved_as_text_and_as_json() {
    let folder = tempfile::tempdir().unwrap();
    let report = report(|| Box::new(StoppedRig)).of_version("1.2.3");
    let [text, json] = report.save(&folder.path().join("a/b")).unwrap();
    assert!(text.ends_with("a/b/clock-stopped.txt") && json.ends_with("a/b/clock-stopped.json"), "{text:?}, {json:?}");
    let [text, json] = [text, json].map(|path| std::fs::read_to_string(path).unwrap());
    assert!(text.starts_with("clock suite 0.0.0 for Stopped, version 1.2.3\n"), "{text}");
    assert_eq!(text, report.to_string());
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["adapter_version"], "1.2.3");
    assert_eq!(json["cases"].as_array().unwrap().len(), CASES.len());

    let blocked = folder.path().join("file");
    std::fs::write(&blocked, "in the way").unwrap();
    let error = report.save(&blocked).unwrap_err().to_string();
    assert!(error.starts_with(&blocked.display().to_string()), "{error}");
}

#[test]
fn what_is_not_shown_must_be_listed() {
    let report = report(|| Box::new(StoppedRig));
    let first_line = |not_shown, skipped| {
        check_declared(&report, not_shown, skipped).err().map(|message| message.lines().next().unwrap().to_owned())
    };
    for (not_shown, skipped, expected) in [
        (&["T02"][..], &[][..], None),
        (&[], &[], Some("T02 is not shown (the rig cannot set back what stands still), but not listed")),
        (&["T02", "T01"], &[], Some("T01 is listed as not shown, but passed")),
        (&["T02", "T03"], &[], Some("T03 is listed as not shown, but failed")),
        (&["T02", "X99"], &[], Some("X99 is listed as not shown, but there is no such case")),
        (&["T02"], &["T04"], Some("T04 is listed as skipped, but passed")),
    ] {
        let found = first_line(not_shown, skipped);
        match (&found, expected) {
            (None, None) => {}
            (Some(found), Some(expected)) if found.starts_with(expected) => {}
            _ => panic!("{not_shown:?}, {skipped:?}: {found:?} instead of {expected:?}"),
        }
    }
}

#[test]
fn only_what_passed_passes() {
    let case = &CASES[0];
    assert_eq!(check_case(case, &Verdict::Passed), Ok(()));
    for verdict in [
        Verdict::Failed { why: "late".to_owned() },
        Verdict::Skipped { excuse: "late".to_owned() },
        Verdict::NotShown { missing: "wait".to_owned() },
    ] {
        assert!(check_case(case, &verdict).is_err(), "{verdict:?}");
    }
}

#[test]
fn a_case_that_does_not_exist_has_failed() {
    assert!(matches!(run_case(&StoppedRig, "T99"), Verdict::Failed { .. }));
}

#[test]
fn a_rig_may_run_the_cases_its_own_way() {
    struct Refuses;
    impl Rig for Refuses {
        fn adapter(&self) -> String {
            "Refuses".to_owned()
        }
        fn run(&self, _case: BoxFuture<'_, Check>) -> Check {
            Err(Stop::Excused("it is declared not to".to_owned()))
        }
    }
    impl ClockRig for Refuses {
        fn clock(&self) -> Arc<dyn Clock> {
            Arc::new(Stopped)
        }
        fn set_back(&self, _by: Duration) -> Result<(), Cannot> {
            Ok(())
        }
    }
    assert_eq!(report(|| Box::new(Refuses)).count("skipped"), CASES.len());
}

#[test]
fn names_and_ids_agree_and_are_in_order() {
    use evenkeel_conformance::{journal, leases, notifier, prices};
    for cases in [&CASES[..], &journal::CASES, &leases::CASES, &notifier::CASES, &prices::CASES] {
        assert!(cases.is_sorted_by(|left, right| left.id < right.id));
        for case in cases {
            assert!(case.name.starts_with(&format!("{}_", case.id.to_lowercase())), "{case:?}");
            assert!(!case.contract.is_empty() && !case.promise.ends_with('.'), "{case:?}");
        }
    }
}

#[test]
fn waiting_for_another_thread_ends() {
    let mut first = true;
    let woken = std::future::poll_fn(|context| {
        if std::mem::replace(&mut first, false) {
            let waker = context.waker().clone();
            std::thread::spawn(move || waker.wake());
            return std::task::Poll::Pending;
        }
        std::task::Poll::Ready(7)
    });
    assert_eq!(block_on(woken), 7);
}
