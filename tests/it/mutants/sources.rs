//! Broken price sources.

use super::{each_is_caught, let_others_go_on};
use async_trait::async_trait;
use evenkeel_conformance::prices::{PriceSourceRig, report};
use evenkeel_conformance::{Cannot, Report, Rig};
use evenkeel_domain::values::{Price, Symbol};
use evenkeel_market::{CsvWaves, Options};
use evenkeel_ports::{PriceSource, PriceSourceError, Wave};
use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::atomic::{AtomicU64, Ordering};

/// What is wrong with a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    Nothing,
    TimeStandsStill,
    PricesEachTwice,
    LastSymbolFirst,
    BeginsAnewAtTheEnd,
    AFaultIsTheEnd,
    AFaultIsSkipped,
    GoesOnAfterAFault,
    FailsAgainAndAgain,
    NamesNoSource,
    ABrokenStartIsEmpty,
    RoundsToCents,
    FillsGaps,
    LosesTheFirstWave,
    LosesTheLastWave,
    RewritesLabels,
    EachOneDiffers,
    LosesAWaveWhenDropped,
}

const ROWS: [&str; 4] = [
    "2024-01-02,META,440.125\n2024-01-02,AAPL,190.25\n",
    "2024-01-03,AAPL,191\n",
    "2024-01-04,META,441\n2024-01-04,MSFT,12.5\n",
    "2024-02-29,MSFT,0.000000001\n",
];

/// What is read as a time, and is none.
const FAULT: &str = "2024-13-01,AAPL,1\n";

/// Rows below a header.
fn csv(rows: &[&str]) -> CsvWaves<Cursor<Vec<u8>>> {
    let text = format!("date,symbol,close\n{}", rows.concat());
    CsvWaves::new(Cursor::new(text.into_bytes()), "prices.csv", Options::default())
}

struct BrokenSource {
    flaw: Flaw,
    inner: CsvWaves<Cursor<Vec<u8>>>,
    /// What comes behind the fault, if there is one.
    behind: Vec<&'static str>,
    /// How many sources there were before this one.
    number: u64,
    last: Option<Wave>,
    board: BTreeMap<Symbol, Price>,
    asked: u64,
    failed: bool,
}

impl BrokenSource {
    fn bent(&mut self, mut wave: Wave) -> Wave {
        match self.flaw {
            Flaw::TimeStandsStill => wave.at = self.last.as_ref().map_or(wave.at, |last| last.at),
            Flaw::PricesEachTwice => wave.prices = wave.prices.iter().flat_map(|priced| [*priced; 2]).collect(),
            Flaw::LastSymbolFirst => wave.prices.reverse(),
            Flaw::RoundsToCents => {
                let cents = |price: Price| Price::from_nanos((price.nanos() / 10_000_000).max(1) * 10_000_000).unwrap();
                wave.prices.iter_mut().for_each(|(_, price)| *price = cents(*price));
            }
            Flaw::FillsGaps => {
                self.board.extend(wave.prices.iter().copied());
                wave.prices = self.board.clone().into_iter().collect();
            }
            Flaw::RewritesLabels => wave.label = wave.at.to_string(),
            Flaw::EachOneDiffers => {
                let moved = |price: Price| Price::from_nanos(price.nanos() + self.number).unwrap();
                wave.prices.iter_mut().for_each(|(_, price)| *price = moved(*price));
            }
            _ => {}
        }
        wave
    }

    /// The next wave of the inner source, unless it is one that gets lost.
    async fn inner(&mut self) -> Result<Option<Wave>, PriceSourceError> {
        let answer = self.inner.next_wave().await?;
        match self.flaw {
            Flaw::LosesTheFirstWave if self.asked == 1 => self.inner.next_wave().await,
            Flaw::LosesTheLastWave if self.asked == 4 => Ok(None),
            _ => Ok(answer),
        }
    }
}

#[async_trait]
impl PriceSource for BrokenSource {
    async fn next_wave(&mut self) -> Result<Option<Wave>, PriceSourceError> {
        self.asked += 1;
        let answer = self.inner().await;
        if self.flaw == Flaw::LosesAWaveWhenDropped {
            let_others_go_on().await;
        }
        match answer {
            Ok(Some(wave)) => {
                let wave = self.bent(wave);
                if self.flaw == Flaw::TimeStandsStill {
                    self.last = Some(wave.clone());
                }
                Ok(Some(wave))
            }
            Ok(None) if self.flaw == Flaw::BeginsAnewAtTheEnd => {
                self.inner = csv(&ROWS);
                Ok(None)
            }
            Ok(None) if self.flaw == Flaw::FailsAgainAndAgain && self.failed => csv(&[FAULT]).next_wave().await,
            Ok(None) => Ok(None),
            Err(error) => {
                self.failed = true;
                match self.flaw {
                    Flaw::AFaultIsTheEnd => Ok(None),
                    Flaw::ABrokenStartIsEmpty if self.asked == 1 => Ok(None),
                    Flaw::AFaultIsSkipped => {
                        self.inner = csv(&self.behind);
                        self.inner.next_wave().await
                    }
                    Flaw::GoesOnAfterAFault => {
                        self.inner = csv(&self.behind);
                        Err(error)
                    }
                    Flaw::NamesNoSource => Err(PriceSourceError { source_name: String::new(), ..error }),
                    _ => Err(error),
                }
            }
        }
    }
}

struct SourceRig {
    flaw: Flaw,
    made: AtomicU64,
}

impl SourceRig {
    fn make(&self, inner: CsvWaves<Cursor<Vec<u8>>>, behind: &[&'static str]) -> Box<dyn PriceSource> {
        Box::new(BrokenSource {
            flaw: self.flaw,
            inner,
            behind: behind.to_vec(),
            number: self.made.fetch_add(1, Ordering::Relaxed),
            last: None,
            board: BTreeMap::new(),
            asked: 0,
            failed: false,
        })
    }
}

impl Rig for SourceRig {
    fn adapter(&self) -> String {
        format!("{:?}", self.flaw)
    }
}

impl PriceSourceRig for SourceRig {
    fn source(&self) -> Box<dyn PriceSource> {
        self.make(csv(&ROWS), &[])
    }

    /// As the sound source gives it: its own suite holds it against what is written down by hand.
    fn truth(&self) -> Result<Vec<Wave>, Cannot> {
        Ok(csv(&ROWS).map(Result::unwrap).collect())
    }

    /// The wave before the fault ends where the time of the faulty row would begin, so a sound row of its own time comes first.
    fn faulty(&self, waves: usize) -> Result<Box<dyn PriceSource>, Cannot> {
        let (before, behind) = ROWS.split_at(waves);
        let rows = [before, &behind[..1], &[FAULT], behind].concat();
        Ok(self.make(csv(&rows), behind))
    }
}

fn report_of(flaw: Flaw) -> Report {
    report(|| Box::new(SourceRig { flaw, made: AtomicU64::new(0) }))
}

#[test]
fn without_a_flaw_every_case_passes() {
    let report = report_of(Flaw::Nothing);
    assert_eq!(report.count("passed"), report.cases.len(), "{report}");
}

#[test]
fn each_broken_price_source_is_caught() {
    each_is_caught(
        &[
            (Flaw::TimeStandsStill, "P01"),
            (Flaw::PricesEachTwice, "P02"),
            (Flaw::LastSymbolFirst, "P02"),
            (Flaw::BeginsAnewAtTheEnd, "P03"),
            (Flaw::AFaultIsTheEnd, "P04"),
            (Flaw::AFaultIsSkipped, "P04"),
            (Flaw::GoesOnAfterAFault, "P04"),
            (Flaw::FailsAgainAndAgain, "P04"),
            (Flaw::NamesNoSource, "P04"),
            (Flaw::ABrokenStartIsEmpty, "P05"),
            (Flaw::RoundsToCents, "P06"),
            (Flaw::FillsGaps, "P06"),
            (Flaw::LosesTheFirstWave, "P06"),
            (Flaw::LosesTheLastWave, "P06"),
            (Flaw::RewritesLabels, "P06"),
            (Flaw::EachOneDiffers, "P07"),
            (Flaw::LosesAWaveWhenDropped, "P08"),
        ],
        report_of,
    );
}
