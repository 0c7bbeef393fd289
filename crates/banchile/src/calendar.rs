//! Business days, for sessions and settlement: Monday to Friday without the full holidays of the New York exchanges. Days are those of UTC.
//!
//! The holidays are data of 2024 to 2027, as the exchanges have announced them. Outside of these years only weekends are known; what
//! follows is then at most a day early, which a simulation can bear.

use evenkeel_domain::values::Timestamp;

const DAY: i64 = 86_400_000_000_000;

/// Full holidays, as the number of days since 1970-01-01.
const HOLIDAYS: [i64; 40] = [
    // 2024: 1 Jan, 15 Jan, 19 Feb, 29 Mar, 27 May, 19 Jun, 4 Jul, 2 Sep, 28 Nov, 25 Dec
    day(2024, 1, 1),
    day(2024, 1, 15),
    day(2024, 2, 19),
    day(2024, 3, 29),
    day(2024, 5, 27),
    day(2024, 6, 19),
    day(2024, 7, 4),
    day(2024, 9, 2),
    day(2024, 11, 28),
    day(2024, 12, 25),
    // 2025
    day(2025, 1, 1),
    day(2025, 1, 20),
    day(2025, 2, 17),
    day(2025, 4, 18),
    day(2025, 5, 26),
    day(2025, 6, 19),
    day(2025, 7, 4),
    day(2025, 9, 1),
    day(2025, 11, 27),
    day(2025, 12, 25),
    // 2026
    day(2026, 1, 1),
    day(2026, 1, 19),
    day(2026, 2, 16),
    day(2026, 4, 3),
    day(2026, 5, 25),
    day(2026, 6, 19),
    day(2026, 7, 3),
    day(2026, 9, 7),
    day(2026, 11, 26),
    day(2026, 12, 25),
    // 2027
    day(2027, 1, 1),
    day(2027, 1, 18),
    day(2027, 2, 15),
    day(2027, 3, 26),
    day(2027, 5, 31),
    day(2027, 6, 18),
    day(2027, 7, 5),
    day(2027, 9, 6),
    day(2027, 11, 25),
    day(2027, 12, 24),
];

/// A day, as the number of days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Day(i64);

impl Day {
    /// The day of a moment.
    pub(crate) const fn of(at: Timestamp) -> Self {
        Self(at.nanos().div_euclid(DAY))
    }

    /// Its first moment.
    pub(crate) const fn start(self) -> Timestamp {
        Timestamp::from_nanos(self.0.saturating_mul(DAY))
    }

    pub(crate) fn is_business(self) -> bool {
        // 1970-01-01 was a Thursday.
        let weekday = self.0.saturating_add(3).rem_euclid(7);
        weekday < 5 && HOLIDAYS.binary_search(&self.0).is_err()
    }

    pub(crate) const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The next business day after it.
    pub(crate) fn next_business(self) -> Self {
        let mut day = self.next();
        // Never more than a long weekend; the bound keeps the end of time from being searched for ever.
        for _ in 0..10 {
            if day.is_business() {
                break;
            }
            day = day.next();
        }
        day
    }

    /// So many business days after it.
    pub(crate) fn plus_business(self, days: u8) -> Self {
        (0..days).fold(self, |day, _| day.next_business())
    }
}

/// The number of days since 1970-01-01 of a date of the Gregorian calendar, by counting from 1 March so that the leap day comes last.
#[expect(clippy::arithmetic_side_effects, reason = "constant dates of this file, worked out at compile time")]
const fn day(year: i64, month: i64, date: i64) -> i64 {
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let day_of_year = (153 * month + 2) / 5 + date - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}
