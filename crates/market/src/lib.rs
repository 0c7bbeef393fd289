//! Price sources: a seeded fake NASDAQ, and recorded prices from CSV.
//!
//! Both are adapters of [`evenkeel_ports::PriceSource`] and plain iterators as well. What is done with the prices is
//! the engine's business; where a file comes from (a path, a pipe) is the caller's.
//!
//! * [`recorded`]: [`check`] finds every fault of a CSV file, [`CsvWaves`] then streams it.
//! * [`fake`]: [`FakeMarket`] makes prices up, the same for the same seed, with an [`Incident`] where one is wanted;
//!   [`write_csv`] prints them.
//!
//! ```
//! use evenkeel_market::{CsvWaves, FakeMarket, Options, Pace, check, write_csv};
//!
//! let market = FakeMarket::new(1, 3, Pace::Days)?.limited_to(2);
//! let mut csv = Vec::new();
//! write_csv(&mut csv, market)?;
//!
//! let report = check(csv.as_slice(), "fake.csv", Options::default());
//! assert_eq!((report.rows, report.waves, report.fault_count), (6, 2, 0));
//!
//! for wave in CsvWaves::new(csv.as_slice(), "fake.csv", Options::default()) {
//!     let wave = wave?;
//!     println!("{}: {} prices", wave.label, wave.prices.len());
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod fake;
pub mod recorded;

pub use fake::{
    Announcement, FakeMarket, FakeMarketError, Incident, IncidentChances, IncidentKind, Listing, Pace, Split,
    Volatility, write_csv,
};
pub use recorded::{CheckReport, Column, CsvWaves, Fault, Options, Problem, check};
