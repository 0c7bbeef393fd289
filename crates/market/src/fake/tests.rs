//! What the fake market must be: the same for the same seed, plausible, and independent of what else is in it.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::time::Duration;

use evenkeel_domain::values::{Price, Symbol, Timestamp};
use evenkeel_ports::PriceSource;
use expect_test::expect;
use futures_util::FutureExt;

use super::*;
use crate::recorded::{CsvWaves, Options, check};

fn daily(seed: u64, symbols: usize) -> FakeMarket {
    FakeMarket::new(seed, symbols, Pace::Days).unwrap()
}

fn ticking(seed: u64, symbols: usize, step: Duration) -> FakeMarket {
    let start: Timestamp = "2026-01-05T14:30:00Z".parse().unwrap();
    FakeMarket::new(seed, symbols, Pace::Ticks { start, step }).unwrap()
}

/// The prices of one symbol over so many waves.
fn path(market: FakeMarket, symbol: &str, waves: usize) -> Vec<Price> {
    let symbol: Symbol = symbol.parse().unwrap();
    let price = |wave: Wave| wave.prices.iter().find(|(found, _)| *found == symbol).unwrap().1;
    market.take(waves).map(price).collect()
}

/// For each symbol its returns, one per step.
fn returns(market: FakeMarket, waves: usize) -> Vec<Vec<f64>> {
    let waves: Vec<Wave> = market.take(waves).collect();
    let price = |wave: &Wave, at: usize| wave.prices[at].1.nanos() as f64;
    (0..waves[0].prices.len())
        .map(|at| waves.windows(2).map(|pair| price(&pair[1], at) / price(&pair[0], at) - 1.0).collect())
        .collect()
}

fn mean(numbers: impl IntoIterator<Item = f64>) -> f64 {
    let (sum, count) = numbers.into_iter().fold((0.0, 0.0), |(sum, count), number| (sum + number, count + 1.0));
    sum / count
}

fn mean_move(returns: &[Vec<f64>]) -> f64 {
    mean(returns.iter().flatten().map(|step| step.abs()))
}

/// A change here changes every simulation that people have run with a seed: it belongs into the change log.
#[test]
fn the_first_prices_of_seed_1() {
    let mut shown = String::new();
    for wave in daily(1, 5).take(4) {
        let prices: Vec<String> = wave.prices.iter().map(|(symbol, price)| format!("{symbol} {price}")).collect();
        shown += &format!("{}: {}\n", wave.label, prices.join(", "));
    }
    expect![[r#"
        2024-01-02: AAPL 185.64, AMZN 149.93, GOOGL 138.17, MSFT 370.87, NVDA 481.68
        2024-01-03: AAPL 181.43, AMZN 147.51, GOOGL 139, MSFT 367.89, NVDA 467.64
        2024-01-04: AAPL 181.58, AMZN 144.33, GOOGL 137.75, MSFT 365.77, NVDA 469.81
        2024-01-05: AAPL 180.33, AMZN 144.33, GOOGL 138.39, MSFT 371.53, NVDA 494.11
    "#]]
    .assert_eq(&shown);
}

#[test]
fn the_first_ticks_of_seed_1() {
    let mut shown = String::new();
    for wave in ticking(1, 2, Duration::from_millis(1_500)).take(4) {
        shown += &format!("{} = {}: {:?}\n", wave.label, wave.at, wave.prices);
    }
    expect![[r#"
        2026-01-05T14:30:00Z = 2026-01-05T14:30:00Z: [(Symbol(AAPL), Price(185.64)), (Symbol(MSFT), Price(370.87))]
        2026-01-05T14:30:01.5Z = 2026-01-05T14:30:01.5Z: [(Symbol(AAPL), Price(185.61)), (Symbol(MSFT), Price(370.85))]
        2026-01-05T14:30:03Z = 2026-01-05T14:30:03Z: [(Symbol(AAPL), Price(185.61)), (Symbol(MSFT), Price(370.83))]
        2026-01-05T14:30:04.5Z = 2026-01-05T14:30:04.5Z: [(Symbol(AAPL), Price(185.6)), (Symbol(MSFT), Price(370.87))]
    "#]]
    .assert_eq(&shown);
}

/// Far out, where differences between machines would have added up, with made-up symbols.
#[test]
fn a_late_day_of_seed_7() {
    let wave = daily(7, 120).nth(500).unwrap();
    let mut shown = format!("{}\n", wave.label);
    for (symbol, price) in wave.prices.iter().step_by(20) {
        shown += &format!("{symbol} {price}\n");
    }
    expect![[r#"
        2025-12-02
        AAPL 244.33
        CDW 387.03
        ERXD 147.52
        KLAC 2563.75
        NXPI 543.33
        SIRI 13.31
    "#]]
    .assert_eq(&shown);
}

#[test]
fn a_seed_decides_everything() {
    let waves = |seed| daily(seed, 50).take(20).collect::<Vec<_>>();
    assert_eq!(waves(3), waves(3));
    assert_ne!(waves(3), waves(4));
}

#[test]
fn other_symbols_change_no_path() {
    let alone = path(daily(5, 1), "AAPL", 100);
    assert_eq!(alone, path(daily(5, 3), "AAPL", 100));
    assert_eq!(alone, path(daily(5, 150), "AAPL", 100));
    let made_up = listings::list(5, 101)[100].symbol;
    assert_eq!(path(daily(5, 101), made_up.as_str(), 5), path(daily(5, 8_000), made_up.as_str(), 5));
}

#[test]
fn draws_of_different_things_differ() {
    use draws::{Concern, Draws};
    let mut seen = BTreeSet::new();
    let concerns = [
        Concern::Market,
        Concern::Own,
        Concern::Jump,
        Concern::Listing,
        Concern::Halt,
        Concern::Missing,
        Concern::Doubled,
        Concern::Split,
    ];
    for seed in [0, 1, u64::MAX] {
        for concern in concerns {
            for key in ["", "A", "AA", "AAPL", "MSFT"] {
                for occurrence in [0, 1, 2, u64::MAX] {
                    let mut draws = Draws::of(seed, concern, key, occurrence);
                    assert!(seen.insert([draws.next(), draws.next(), draws.next()]));
                }
            }
        }
    }
}

#[test]
fn lists_are_long_unique_and_only_grow() {
    let listed = |count| listings::list(1, count);
    let many = listed(FakeMarket::MOST_SYMBOLS);
    assert_eq!(many.len(), FakeMarket::MOST_SYMBOLS);
    let unique: BTreeSet<Symbol> = many.iter().map(|listing| listing.symbol).collect();
    assert_eq!(unique.len(), many.len());
    assert_eq!(listed(8_000), many[..8_000]);
    // The table is all there, and made-up symbols come only after it.
    assert_eq!(many[..100].iter().map(|listing| listing.first).collect::<Vec<_>>(), {
        let other_seed = listings::list(2, 100);
        other_seed.iter().map(|listing| listing.first).collect::<Vec<_>>()
    });
    assert_eq!((many[0].symbol.as_str(), many[99].symbol.as_str()), ("AAPL", "JBLU"));
    assert_ne!(listings::list(2, 200), listed(200));
}

#[test]
fn every_wave_prices_every_symbol_in_order_and_in_cents() {
    let mut last = None;
    for wave in daily(9, 1_000).take(20) {
        assert_eq!(wave.prices.len(), 1_000);
        assert!(wave.prices.is_sorted_by(|left, right| left.0 < right.0));
        assert!(wave.prices.iter().all(|(_, price)| price.nanos() % 10_000_000 == 0));
        assert!(last < Some(wave.at));
        last = Some(wave.at);
    }
}

#[test]
fn weekends_are_left_out() {
    let labels: Vec<String> = daily(1, 1).map(|wave| wave.label).take(10).collect();
    let expected = [
        "2024-01-02",
        "2024-01-03",
        "2024-01-04",
        "2024-01-05",
        "2024-01-08",
        "2024-01-09",
        "2024-01-10",
        "2024-01-11",
        "2024-01-12",
        "2024-01-15",
    ];
    assert_eq!(labels, expected);
    let wave = daily(1, 1).nth(260).unwrap();
    assert_eq!((wave.at.to_string().as_str(), wave.label.as_str()), ("2024-12-31T12:00:00Z", "2024-12-31"));
}

#[test]
fn time_ends_and_so_does_the_market() {
    let waves = daily(1, 1).fold(0, |count: u64, _| count + 1);
    assert!(waves >= FakeMarket::MOST_DAYS, "{waves}");
    let start = Timestamp::MAX;
    let pace = Pace::Ticks { start, step: Duration::MAX };
    let mut market = FakeMarket::new(1, 1, pace).unwrap();
    assert_eq!(market.next().unwrap().at, Timestamp::MAX);
    assert_eq!(market.next(), None);
    assert_eq!(market.next(), None);
}

#[test]
fn a_day_moves_as_much_as_its_volatility_says() {
    // The mean size of a normal move is 0.8 of its standard deviation; jumps add a little.
    let cases = [
        (Volatility::Calm, 0.008, 0.012),
        (Volatility::Steady, 0.012, 0.016),
        (Volatility::Lively, 0.018, 0.023),
        (Volatility::Wild, 0.028, 0.034),
    ];
    for (volatility, least, most) in cases {
        let listings = listings::list(11, 40).into_iter().map(|listing| Listing { volatility, ..listing });
        let found = mean_move(&returns(FakeMarket::with_listings(11, listings, Pace::Days).unwrap(), 500));
        assert!((least..most).contains(&found), "{volatility:?}: {found}");
    }
}

#[test]
fn symbols_move_together_and_apart() {
    let returns = returns(daily(12, 60), 750);
    let market: Vec<f64> = (0..returns[0].len()).map(|step| mean(returns.iter().map(|of| of[step]))).collect();
    let correlation = |left: &[f64], right: &[f64]| {
        let (a, b) = (mean(left.iter().copied()), mean(right.iter().copied()));
        let together = mean(left.iter().zip(right).map(|(x, y)| (x - a) * (y - b)));
        let spread = |numbers: &[f64], m: f64| mean(numbers.iter().map(|x| (x - m) * (x - m))).sqrt();
        together / (spread(left, a) * spread(right, b))
    };
    let found = mean(returns.iter().map(|of| correlation(of, &market)));
    assert!((0.3..0.7).contains(&found), "{found}");
}

#[test]
fn jumps_occur_and_are_rare() {
    // No step of a calm symbol without a jump is near 4.5 %: it would be four standard deviations.
    let listings = listings::list(13, 100).into_iter();
    let listings = listings.map(|listing| Listing { volatility: Volatility::Calm, ..listing });
    let returns = returns(FakeMarket::with_listings(13, listings, Pace::Days).unwrap(), 501);
    let jumps = returns.iter().flatten().filter(|step| step.abs() > 0.045).count();
    // 50,000 steps at 0.4 %.
    assert!((140..260).contains(&jumps), "{jumps}");
}

#[test]
fn ticks_move_with_the_square_root_of_time() {
    let of = |seconds| mean_move(&returns(ticking(14, 40, Duration::from_secs(seconds)), 400));
    let ratio = of(1_600) / of(100);
    assert!((3.3..5.0).contains(&ratio), "{ratio}");
}

#[test]
fn prices_stay_in_range() {
    let listing =
        |symbol: &str, first| Listing { symbol: symbol.parse().unwrap(), first, volatility: Volatility::Wild };
    let listings = [listing("LOW", Price::SMALLEST), listing("HIGH", Price::MAX)];
    let start = Timestamp::EPOCH;
    let pace = Pace::Ticks { start, step: Duration::from_secs(30_000_000) };
    let market = FakeMarket::with_listings(1, listings, pace).unwrap();
    let [cent, most] = ["0.01", "9999999.99"].map(|text| text.parse::<Price>().unwrap());
    let waves: Vec<Wave> = market.take(200).collect();
    assert_eq!(waves[0].prices.iter().map(|(_, price)| *price).collect::<Vec<_>>(), [most, cent]);
    assert!(waves.iter().flat_map(|wave| &wave.prices).all(|(_, price)| (cent..=most).contains(price)));
}

#[test]
fn markets_that_cannot_be() {
    let listing = listings::list(1, 1)[0];
    let start = Timestamp::EPOCH;
    let cases = [
        (FakeMarket::new(1, 0, Pace::Days), "a fake market has 1 to 100000 symbols, not 0"),
        (FakeMarket::new(1, usize::MAX, Pace::Days), "a fake market has 1 to 100000 symbols, not 18446744073709551615"),
        (FakeMarket::with_listings(1, [listing, listing], Pace::Days), "AAPL is listed twice"),
        (FakeMarket::new(1, 1, Pace::Ticks { start, step: Duration::ZERO }), "a tick takes more than no time"),
    ];
    for (market, expected) in cases {
        assert_eq!(market.unwrap_err().to_string(), expected);
    }
}

#[test]
fn as_a_source_it_ends_where_it_is_limited() {
    let mut source: Box<dyn PriceSource> = Box::new(daily(1, 2).limited_to(2));
    let mut next = || source.next_wave().now_or_never().expect("it waits for nothing").unwrap();
    assert!(next().is_some() && next().is_some());
    assert!(next().is_none() && next().is_none());
}

/// What is written, with whatever the recorded reader makes of it again.
fn check_round_trip(market: FakeMarket, start: &str) {
    let waves: Vec<Wave> = market.clone().collect();
    let mut csv = Vec::new();
    write_csv(&mut csv, market).unwrap();
    assert!(csv.starts_with(start.as_bytes()), "{}", String::from_utf8_lossy(&csv));
    assert!(check(csv.as_slice(), "fake.csv", Options::default()).is_clean());
    let again: Result<Vec<Wave>, _> = CsvWaves::new(csv.as_slice(), "fake.csv", Options::default()).collect();
    assert_eq!(again.unwrap(), waves);
}

#[test]
fn what_is_written_is_read_again() {
    check_round_trip(daily(21, 300).limited_to(25), "date,symbol,close\n2024-01-02,AAPL,185.64\n");
    check_round_trip(daily(21, 2).limited_to(1), "date,symbol,close\n2024-01-02,AAPL,185.64\n2024-01-02,MSFT,370.87\n");
    check_round_trip(
        ticking(21, 30, Duration::from_millis(250)).limited_to(40),
        "time,symbol,close\n2026-01-05T14:30:00Z,AAPL,185.64\n",
    );
}

/// A pipe whose reader is gone after so many bytes.
struct Closing(usize);

impl Write for Closing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_closed_pipe_is_an_answer() {
    for room in [0, 10, 100_000] {
        let error = write_csv(Closing(room), daily(1, 500)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
}
