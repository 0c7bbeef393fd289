//! What happens beside the moves, as scripted and by chance, and that it changes nothing else.

use std::fmt::Write;

use evenkeel_domain::values::Price;
use evenkeel_ports::Wave;
use expect_test::{Expect, expect};

use super::*;
use crate::fake::{FakeMarket, FakeMarketError, Pace, write_csv};
use crate::recorded::{Options, Problem, check};

fn market(seed: u64, symbols: usize) -> FakeMarket {
    FakeMarket::new(seed, symbols, Pace::Days).unwrap()
}

fn halt(waves: u64) -> IncidentKind {
    IncidentKind::Halt { waves: NonZeroU64::new(waves).unwrap() }
}

fn split(numerator: u32, denominator: u32) -> IncidentKind {
    let of = |number| NonZeroU32::new(number).unwrap();
    IncidentKind::Split { numerator: of(numerator), denominator: of(denominator) }
}

/// `kinds` happen to AAPL in these waves.
fn with(market: FakeMarket, kinds: &[(u64, IncidentKind)]) -> FakeMarket {
    let of =
        |(wave, kind): &(u64, IncidentKind)| Incident { wave: *wave, symbol: "AAPL".parse().unwrap(), kind: *kind };
    market.with_incidents(kinds.iter().map(of)).unwrap()
}

fn told(announcement: &Announcement) -> String {
    match announcement {
        Announcement::Halted { symbol } => format!("{symbol} halted"),
        Announcement::Resumed { symbol } => format!("{symbol} resumed"),
        Announcement::Split(Split { symbol, numerator, denominator, .. }) => {
            format!("{symbol} splits {numerator} for {denominator}")
        }
    }
}

/// Five waves of seed 1 with AAPL and MSFT, of which AAPL meets `kinds`.
fn check_script(kinds: &[(u64, IncidentKind)], expected: &Expect) {
    let mut market = with(market(1, 2), kinds);
    let mut shown = String::new();
    for _ in 0..5 {
        let wave = market.next().unwrap();
        let prices: Vec<String> = wave.prices.iter().map(|(symbol, price)| format!("{symbol} {price}")).collect();
        let told: Vec<String> = market.announcements().iter().map(told).collect();
        writeln!(shown, "{}", [prices, told].concat().join(", ")).unwrap();
    }
    expected.assert_eq(&shown);
}

#[test]
fn a_halt_resumes_with_the_gap_of_its_moves() {
    check_script(
        &[],
        &expect![[r#"
            AAPL 185.64, MSFT 370.87
            AAPL 181.43, MSFT 367.89
            AAPL 181.58, MSFT 365.77
            AAPL 180.33, MSFT 371.53
            AAPL 179.16, MSFT 362.94
        "#]],
    );
    check_script(
        &[(1, halt(2))],
        &expect![[r#"
            AAPL 185.64, MSFT 370.87
            MSFT 367.89, AAPL halted
            MSFT 365.77
            AAPL 180.33, MSFT 371.53, AAPL resumed
            AAPL 179.16, MSFT 362.94
        "#]],
    );
}

#[test]
fn halts_overlap_and_follow() {
    // The second ends within the first; the third begins in the wave in which the first would end.
    check_script(
        &[(0, halt(3)), (1, halt(1)), (3, halt(1))],
        &expect![[r#"
            MSFT 370.87, AAPL halted
            MSFT 367.89
            MSFT 365.77
            MSFT 371.53
            AAPL 179.16, MSFT 362.94, AAPL resumed
        "#]],
    );
}

#[test]
fn a_price_is_missing_or_doubled() {
    check_script(
        &[(1, IncidentKind::Missing), (3, IncidentKind::Doubled)],
        &expect![[r#"
            AAPL 185.64, MSFT 370.87
            MSFT 367.89
            AAPL 181.58, MSFT 365.77
            AAPL 181.58, AAPL 180.33, MSFT 371.53
            AAPL 179.16, MSFT 362.94
        "#]],
    );
    // What is not there cannot come twice.
    check_script(
        &[
            (0, IncidentKind::Doubled),
            (1, IncidentKind::Doubled),
            (1, halt(1)),
            (2, IncidentKind::Missing),
            (2, IncidentKind::Doubled),
        ],
        &expect![[r#"
            AAPL 185.64, AAPL 185.64, MSFT 370.87
            MSFT 367.89, AAPL halted
            MSFT 365.77, AAPL resumed
            AAPL 180.33, MSFT 371.53
            AAPL 179.16, MSFT 362.94
        "#]],
    );
}

#[test]
fn units_split_and_are_joined() {
    check_script(
        &[(1, split(2, 1)), (3, split(1, 10))],
        &expect![[r#"
            AAPL 185.64, MSFT 370.87
            AAPL 90.72, MSFT 367.89, AAPL splits 2 for 1
            AAPL 90.79, MSFT 365.77
            AAPL 901.66, MSFT 371.53, AAPL splits 1 for 10
            AAPL 895.79, MSFT 362.94
        "#]],
    );
    // In a halt, and with the old price in front of the new one.
    check_script(
        &[(1, halt(1)), (1, split(3, 2)), (3, split(2, 1)), (3, IncidentKind::Doubled)],
        &expect![[r#"
            AAPL 185.64, MSFT 370.87
            MSFT 367.89, AAPL splits 3 for 2, AAPL halted
            AAPL 121.05, MSFT 365.77, AAPL resumed
            AAPL 121.05, AAPL 60.11, MSFT 371.53, AAPL splits 2 for 1
            AAPL 59.72, MSFT 362.94
        "#]],
    );
}

#[test]
fn a_split_says_when() {
    let mut market = with(market(1, 1), &[(2, split(2, 1))]);
    let wave = market.nth(2).unwrap();
    let [Announcement::Split(split)] = market.announcements() else { panic!("{:?}", market.announcements()) };
    assert_eq!(split.at, wave.at);
    market.next();
    assert!(market.announcements().is_empty());
}

#[test]
fn units_after_a_split() {
    let cases = [
        ("83.325", (2_u32, 1_u32), Some("166.65")),
        ("100", (3, 2), Some("150")),
        ("105", (1, 10), Some("10.5")),
        ("0.000000001", (1, 10), Some("0")),
        ("0.000000029", (1, 10), Some("0.000000002")),
        ("1", (1, 3), Some("0.333333333")),
        ("0", (7, 1), Some("0")),
        ("7", (u32::MAX, u32::MAX), Some("7")),
        ("99999999999999999", (u32::MAX, 1), None),
    ];
    for (before, ratio, expected) in cases {
        let (numerator, denominator) = (ratio.0.try_into().unwrap(), ratio.1.try_into().unwrap());
        let split = Split { symbol: "AAPL".parse().unwrap(), at: Timestamp::EPOCH, numerator, denominator };
        let after = split.units_after(before.parse().unwrap());
        assert_eq!(after.map(|units| units.to_string()).as_deref(), expected, "{before} by {ratio:?}");
    }
}

#[test]
fn nothing_happens_to_a_symbol_that_is_not_listed() {
    let symbol: Symbol = "NVDA".parse().unwrap();
    let error = market(1, 2).with_incidents([Incident { wave: 1, symbol, kind: halt(1) }]).unwrap_err();
    assert_eq!(error, FakeMarketError::NotListed { symbol });
    assert_eq!(error.to_string(), "NVDA is not listed, so nothing can happen to it");
}

const OFTEN: IncidentChances = IncidentChances { halt: 20_000, missing: 50_000, doubled: 50_000, split: 0 };

fn last_of(wave: &Wave, symbol: Symbol) -> Option<Price> {
    wave.prices.iter().rev().find(|(found, _)| *found == symbol).map(|(_, price)| *price)
}

#[test]
fn incidents_change_no_move_and_no_other_symbol() {
    let quiet: Vec<Wave> = market(3, 40).take(200).collect();
    let eventful: Vec<Wave> = market(3, 40).with_chances(OFTEN).take(200).collect();
    let alone: Vec<Wave> = market(3, 1).with_chances(OFTEN).take(200).collect();
    for ((quiet, eventful), alone) in quiet.iter().zip(&eventful).zip(&alone) {
        assert!(eventful.prices.is_sorted_by(|left, right| left.0 <= right.0));
        for (symbol, price) in &quiet.prices {
            assert!(last_of(eventful, *symbol).is_none_or(|seen| seen == *price), "{symbol} in {}", quiet.label);
        }
        let aapl = "AAPL".parse().unwrap();
        assert_eq!(last_of(eventful, aapl), last_of(alone, aapl));
    }
    assert_ne!(quiet, eventful);
    assert_eq!(eventful, market(3, 40).with_chances(OFTEN).take(200).collect::<Vec<_>>());
    assert_ne!(eventful, market(4, 40).with_chances(OFTEN).take(200).collect::<Vec<_>>());
}

#[test]
fn a_split_keeps_what_a_holding_is_worth() {
    let quiet: Vec<Wave> = market(5, 1).take(60).collect();
    let split: Vec<Wave> = with(market(5, 1), &[(20, split(2, 1)), (40, split(1, 6))]).take(60).collect();
    let symbol = "AAPL".parse().unwrap();
    for (number, (quiet, split)) in quiet.iter().zip(&split).enumerate() {
        let units = [1.0, 2.0, 2.0 / 6.0][number / 20];
        let of = |wave| last_of(wave, symbol).unwrap().nanos() as f64 / 1e7;
        // Both are rounded to cents, by half a cent at most.
        assert!((of(split) * units - of(quiet)).abs() <= 0.5 + 0.5 * units + 1e-6, "{}", quiet.label);
    }
}

/// How often each thing happens to 100 symbols in 500 waves.
fn counted(chances: IncidentChances) -> [usize; 5] {
    let mut market = market(9, 100).with_chances(chances);
    let mut counts = [0; 5];
    for _ in 0..500 {
        let wave = market.next().unwrap();
        let of = |is: fn(&Announcement) -> bool| market.announcements().iter().filter(|told| is(told)).count();
        let symbols: BTreeSet<Symbol> = wave.prices.iter().map(|(symbol, _)| *symbol).collect();
        let now = [
            of(|told| matches!(told, Announcement::Halted { .. })),
            of(|told| matches!(told, Announcement::Resumed { .. })),
            100 - symbols.len(),
            wave.prices.len() - symbols.len(),
            of(|told| matches!(told, Announcement::Split(_))),
        ];
        counts.iter_mut().zip(now).for_each(|(count, now)| *count += now);
    }
    counts
}

#[test]
fn chance_is_as_likely_as_asked_for() {
    assert_eq!(counted(IncidentChances::default()), [0; 5]);
    // Of 50,000, a hundredth; halts last for three waves on average.
    let hundredth = 10_000;
    let none = IncidentChances::default();
    let cases = [
        (IncidentChances { halt: hundredth, ..none }, [440..530, 430..530, 1_300..1_600, 0..1, 0..1]),
        (IncidentChances { missing: hundredth, ..none }, [0..1, 0..1, 430..570, 0..1, 0..1]),
        (IncidentChances { doubled: hundredth, ..none }, [0..1, 0..1, 0..1, 430..570, 0..1]),
        (IncidentChances { split: hundredth, ..none }, [0..1, 0..1, 0..1, 0..1, 430..570]),
    ];
    for (chances, expected) in cases {
        let found = counted(chances);
        assert!(found.iter().zip(&expected).all(|(found, range)| range.contains(found)), "{chances:?}: {found:?}");
    }
    assert_eq!(counted(IncidentChances { missing: 1_000_000, ..none }), [0, 0, 50_000, 0, 0]);
}

/// A doubled price is a fault of the recorded file; one that is not there is none.
#[test]
fn written_as_csv() {
    let faults = |kind| {
        let mut csv = Vec::new();
        write_csv(&mut csv, with(market(1, 2), &[(2, kind)]).limited_to(4)).unwrap();
        check(csv.as_slice(), "fake.csv", Options::default()).faults
    };
    assert!(faults(IncidentKind::Missing).is_empty() && faults(halt(1)).is_empty());
    let doubled = faults(IncidentKind::Doubled);
    assert!(matches!(doubled.as_slice(), [fault] if matches!(fault.problem, Problem::Repeated { .. })), "{doubled:?}");
}
