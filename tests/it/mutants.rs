//! Adapters that are broken on purpose: the suites are tested by what they find. Each is ours with one thing changed, and must be
//! caught by the case that is named for it; other cases may catch it too.

#![expect(clippy::unwrap_used, reason = "what a test cannot do without has failed it")]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each place is about the flaws it names, and keeps every promise for all others"
)]

mod broker;
mod clocks;
mod journal;
mod leases;
mod notifiers;
mod sources;

use evenkeel_conformance::Report;

/// The cases in which an adapter fell short of its promises.
fn failed(report: &Report) -> Vec<&'static str> {
    report.cases.iter().filter(|case| case.verdict == "failed").map(|case| case.id).collect()
}

/// Every flaw must be found by its case; all that are not are reported.
#[track_caller]
fn each_is_caught<F: std::fmt::Debug + Copy>(flaws: &[(F, &str)], report: impl Fn(F) -> Report) {
    let escaped: Vec<String> = flaws
        .iter()
        .filter_map(|(flaw, case)| {
            let report = report(*flaw);
            let failed = failed(&report);
            (!failed.contains(case)).then(|| format!("{flaw:?} is not caught by {case}, only by {failed:?}"))
        })
        .collect();
    assert!(escaped.is_empty(), "{}", escaped.join("\n"));
}

/// Lets everything else that is under way go on first: where a check and its act are two steps, others come between.
async fn let_others_go_on() {
    let mut went_on = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut went_on, true) {
            return std::task::Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}
