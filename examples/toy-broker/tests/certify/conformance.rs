//! The one macro call, twice: for symbols in any quantity, and for one in whole shares.

mod any_quantity {
    use crate::rig::ToyRig;

    evenkeel_conformance::broker_suite!(ToyRig::new("META"), skipped: [C21]);
}

mod whole_shares {
    use crate::rig::ToyRig;

    evenkeel_conformance::broker_suite!(ToyRig::new("BRK"));
}

/// The report as its reader sees it, without the cases that passed. The guide shows it.
#[test]
fn the_report_can_be_read() {
    let report = evenkeel_conformance::broker::report(|| Box::new(crate::rig::ToyRig::new("META")));
    let short: String =
        report.to_string().lines().filter(|line| !line.contains("  passed  ")).map(|l| format!("{l}\n")).collect();
    expect_test::expect_file!["report.txt"].assert_eq(&short);
}
