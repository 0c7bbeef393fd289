//! The suite that both price sources certify themselves with.

#![expect(clippy::unwrap_used, reason = "what a test cannot do without has failed it")]

use evenkeel_conformance::prices::PriceSourceRig;
use evenkeel_conformance::{Cannot, Rig};
use evenkeel_market::{CsvWaves, FakeMarket, IncidentChances, Options, Pace};
use evenkeel_ports::{PriceSource, Wave};
use std::io::Cursor;
use std::time::Duration;

mod recorded {
    use super::*;

    struct Recorded;

    /// Date, noon of it, and the prices of that day, in the order of the file.
    type Day = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

    const DAYS: [Day; 4] = [
        ("2024-01-02", "2024-01-02T12:00:00Z", &[("META", "440.5"), ("AAPL", "190.25")]),
        ("2024-01-03", "2024-01-03T12:00:00Z", &[("AAPL", "0.000000001")]),
        ("2024-01-04", "2024-01-04T12:00:00Z", &[("BRK.B", "9999999.99"), ("META", "441"), ("AAPL", "190.25")]),
        ("2024-02-29", "2024-02-29T12:00:00Z", &[("META", "439.999")]),
    ];

    /// The rows of these days, below a header.
    fn csv(days: &[Day]) -> String {
        let rows = days.iter().flat_map(|(date, _, prices)| prices.iter().map(move |row| (date, row)));
        let rows: Vec<String> = rows.map(|(date, (symbol, price))| format!("{date},{symbol},{price}\n")).collect();
        format!("date,symbol,close\n{}", rows.concat())
    }

    fn waves_of(text: String) -> Box<dyn PriceSource> {
        Box::new(CsvWaves::new(Cursor::new(text.into_bytes()), "prices.csv", Options::default()))
    }

    impl Rig for Recorded {
        fn adapter(&self) -> String {
            "CsvWaves".to_owned()
        }
    }

    impl PriceSourceRig for Recorded {
        fn source(&self) -> Box<dyn PriceSource> {
            waves_of(csv(&DAYS))
        }

        fn truth(&self) -> Result<Vec<Wave>, Cannot> {
            let wave = |(label, at, prices): Day| {
                let mut prices: Vec<_> = prices.iter().map(|(s, p)| (s.parse().unwrap(), p.parse().unwrap())).collect();
                prices.sort_unstable();
                Wave { at: at.parse().unwrap(), label: label.to_owned(), prices }
            };
            Ok(DAYS.map(wave).into())
        }

        /// The fault is in the second row of its wave: a faulty row may be of the wave before it, which is then not given.
        fn faulty(&self, waves: usize) -> Result<Box<dyn PriceSource>, Cannot> {
            let (before, after) = DAYS.split_at(waves);
            let (date, _, _) = after.first().unwrap();
            let behind = csv(after);
            let (_, behind) = behind.split_once('\n').unwrap();
            Ok(waves_of(format!("{}{date},NVDA,10\n{date},AMD,-10\n{behind}", csv(before))))
        }
    }

    evenkeel_conformance::price_source_suite!(Recorded);
}

mod fake {
    use super::*;

    struct Fake(Pace, IncidentChances);

    /// Nothing happens beside the moves.
    const CALM: IncidentChances = IncidentChances { halt: 0, missing: 0, doubled: 0, split: 0 };

    impl Rig for Fake {
        fn adapter(&self) -> String {
            format!("FakeMarket, {:?}, {:?}", self.0, self.1)
        }
    }

    impl PriceSourceRig for Fake {
        fn source(&self) -> Box<dyn PriceSource> {
            Box::new(FakeMarket::new(7, 3, self.0).unwrap().with_chances(self.1).limited_to(50))
        }

        fn truth(&self) -> Result<Vec<Wave>, Cannot> {
            Err(Cannot::new("tell the prices of a market that makes them up"))
        }

        fn faulty(&self, _waves: usize) -> Result<Box<dyn PriceSource>, Cannot> {
            Err(Cannot::new("break a market that never fails"))
        }
    }

    mod days {
        use super::*;

        evenkeel_conformance::price_source_suite!(Fake(Pace::Days, CALM), not_shown: [P04, P05, P06]);
    }

    mod ticks {
        use super::*;

        fn pace() -> Pace {
            Pace::Ticks { start: "2026-01-31T14:30:00Z".parse().unwrap(), step: Duration::from_millis(250) }
        }

        evenkeel_conformance::price_source_suite!(Fake(pace(), CALM), not_shown: [P04, P05, P06]);
    }

    /// Most symbols are without a price in most waves, and in some of them all are.
    mod incidents {
        use super::*;

        const ROUGH: IncidentChances = IncidentChances { halt: 100_000, missing: 700_000, doubled: 0, split: 50_000 };

        #[test]
        fn some_waves_are_empty_and_some_are_not() {
            let waves: Vec<Wave> = FakeMarket::new(7, 3, Pace::Days).unwrap().with_chances(ROUGH).take(50).collect();
            assert!(
                waves.iter().any(|wave| wave.prices.is_empty()) && waves.iter().any(|wave| !wave.prices.is_empty())
            );
        }

        evenkeel_conformance::price_source_suite!(Fake(Pace::Days, ROUGH), not_shown: [P04, P05, P06]);
    }

    /// A doubled price breaks the contract: whoever asks for it has a market that the suite does not certify.
    #[test]
    fn a_doubled_price_is_found() {
        let doubling = IncidentChances { doubled: 50_000, ..CALM };
        let report = evenkeel_conformance::prices::report(|| Box::new(Fake(Pace::Days, doubling)));
        let failed: Vec<&str> =
            report.cases.iter().filter(|case| case.verdict == "failed").map(|case| case.id).collect();
        assert_eq!(failed, ["P02"], "{report}");
    }
}
