//! The Gregorian calendar, both ways between nanoseconds since 1970 and years, months and days.
//!
//! The arithmetic is that of "chrono-compatible low-level date algorithms" by Howard Hinnant: years start in March,
//! so the leap day is their last one, and every 400 of them are alike.

#![expect(clippy::arithmetic_side_effects, reason = "years have four digits, all else is smaller")]

const NANOS: i64 = 1_000_000_000;
const DAY: i64 = 86_400;
/// From 0000-03-01 to 1970-01-01.
const DAYS_BEFORE_1970: i64 = 719_468;
/// In 400 years.
const DAYS_OF_ERA: i64 = 146_097;

/// A date and a time of day in UTC, as people write them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Civil {
    /// Year, month and day.
    pub(super) date: [i64; 3],
    /// Hour, minute, second and nanosecond.
    pub(super) time: [i64; 4],
}

impl Civil {
    pub(super) fn from_nanos(nanos: i64) -> Self {
        let seconds = nanos.div_euclid(NANOS);
        let second = seconds.rem_euclid(DAY);
        Self {
            date: date_of(seconds.div_euclid(DAY)),
            time: [second / 3600, second / 60 % 60, second % 60, nanos.rem_euclid(NANOS)],
        }
    }

    /// Nanoseconds since 1970; nothing for a day or time that does not exist.
    pub(super) fn to_nanos(self) -> Option<i128> {
        let [hour, minute, second, nanos] = self.time;
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let seconds = day_of(self.date)? * DAY + hour * 3600 + minute * 60 + second;
        Some(i128::from(seconds) * i128::from(NANOS) + i128::from(nanos))
    }
}

/// Days since 1970; nothing for a day that does not exist.
fn day_of([year, month, day]: [i64; 3]) -> Option<i64> {
    // January and February belong to the year before.
    let since_march = (month + 9).rem_euclid(12);
    let year_from_march = if since_march < 10 { year } else { year - 1 };
    let (era, year_of_era) = (year_from_march.div_euclid(400), year_from_march.rem_euclid(400));
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + first_day(since_march) + (day - 1);
    let days = era * DAYS_OF_ERA + day_of_era - DAYS_BEFORE_1970;
    // The 31st of April comes back as the 1st of May.
    (date_of(days) == [year, month, day]).then_some(days)
}

fn date_of(days: i64) -> [i64; 3] {
    let days = days + DAYS_BEFORE_1970;
    let (era, day_of_era) = (days.div_euclid(DAYS_OF_ERA), days.rem_euclid(DAYS_OF_ERA));
    // Less the leap days before, all years have 365 days; the last day of the era is one of them.
    let leap_days = day_of_era / 1_460 - day_of_era / 36_524 + day_of_era / (DAYS_OF_ERA - 1);
    let year_of_era = (day_of_era - leap_days) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let since_march = (5 * day_of_year + 2) / 153;
    let (year, month) = (era * 400 + year_of_era, (since_march + 2) % 12 + 1);
    [year + i64::from(month <= 2), month, day_of_year - first_day(since_march) + 1]
}

/// The first day of a month, counted from the first of March: five months have 153 days, in a pattern that division
/// by 5 repeats.
const fn first_day(since_march: i64) -> i64 {
    (153 * since_march + 2) / 5
}

#[cfg(test)]
mod tests {
    use super::{date_of, day_of};

    /// The day after, by the rules that children learn.
    fn day_after([year, month, day]: [i64; 3]) -> [i64; 3] {
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let last = match month {
            2 if is_leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        match (month, day) {
            (12, 31) => [year + 1, 1, 1],
            (_, day) if day == last => [year, month + 1, 1],
            _ => [year, month, day + 1],
        }
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let mut date = [0, 1, 1];
        let mut day = day_of(date).unwrap();
        while date < [2401, 1, 1] {
            assert_eq!(date_of(day), date);
            assert_eq!(day_of(date), Some(day), "{date:?}");
            (date, day) = (day_after(date), day + 1);
        }
        assert_eq!(day_of([1970, 1, 1]), Some(0));
    }
}
