//! Moments in time.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::text::shorten;

/// A moment: nanoseconds since the Unix epoch, in UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A text is no timestamp.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not a timestamp: {reason}")]
pub struct TimestampError {
    /// The text, escaped and shortened to 40 characters.
    pub text: String,
    /// What is wrong with it.
    pub reason: TimestampReason,
}

/// Why a text is no timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimestampReason {
    /// It is not of the form of RFC 3339 in UTC.
    #[error("it must look like 2026-01-31T14:30:00Z or 2026-01-31T14:30:00.123456789Z")]
    Form,
    /// The calendar has no such day, or the day no such second.
    #[error("there is no such date or time of day")]
    NoSuchMoment,
    /// It is outside of what 64 bits of nanoseconds reach.
    #[error("it must be from {min} to {max}", min = Timestamp::MIN, max = Timestamp::MAX)]
    OutOfRange,
}

const NANOS_PER_SECOND: i64 = 1_000_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);
    /// 2262-04-11T23:47:16.854775807Z, the last moment.
    pub const MAX: Self = Self(i64::MAX);
    /// 1677-09-21T00:12:43.145224192Z, the first moment.
    pub const MIN: Self = Self(i64::MIN);

    /// So many nanoseconds after the epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the epoch.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// The moment so much later; at most [`Timestamp::MAX`].
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let later = i128::from(self.0).saturating_add_unsigned(duration.as_nanos());
        Self(i64::try_from(later).unwrap_or(i64::MAX))
    }

    /// How long ago `earlier` was at this moment; zero when it is not earlier.
    pub const fn since(self, earlier: Self) -> Duration {
        if self.0 <= earlier.0 {
            return Duration::ZERO;
        }
        Duration::from_nanos(self.0.abs_diff(earlier.0))
    }

    fn read(text: &str) -> Result<Self, TimestampReason> {
        let form = || TimestampReason::Form;
        let (date, time) = text.strip_suffix('Z').and_then(|text| text.split_once('T')).ok_or_else(form)?;
        let (time, fraction) = match time.split_once('.') {
            Some((time, fraction)) => (time, nanos(fraction).ok_or_else(form)?),
            None => (time, 0),
        };
        let [year, month, day] = numbers(date, '-', [4, 2, 2]).ok_or_else(form)?;
        let [hour, minute, second] = numbers(time, ':', [2, 2, 2]).ok_or_else(form)?;
        let days = civil::days(year, month, day).ok_or(TimestampReason::NoSuchMoment)?;
        if hour > 23 || minute > 59 || second > 59 {
            return Err(TimestampReason::NoSuchMoment);
        }
        let seconds = i128::from(days) * i128::from(SECONDS_PER_DAY) + i128::from(hour * 3600 + minute * 60 + second);
        let total = seconds * i128::from(NANOS_PER_SECOND) + i128::from(fraction);
        i64::try_from(total).map(Self).map_err(|_| TimestampReason::OutOfRange)
    }
}

fn numbers<const N: usize>(text: &str, separator: char, widths: [usize; N]) -> Option<[i64; N]> {
    let mut parts = text.split(separator);
    let mut found = [0; N];
    for (slot, width) in found.iter_mut().zip(widths) {
        *slot = digits(parts.next()?, width)?;
    }
    parts.next().is_none().then_some(found)
}

fn digits(text: &str, width: usize) -> Option<i64> {
    (text.len() == width && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

fn nanos(fraction: &str) -> Option<i64> {
    let width = fraction.len();
    if !(1..=9).contains(&width) {
        return None;
    }
    digits(&format!("{fraction:0<9}"), 9)
}

mod civil {
    pub(super) fn days(year: i64, month: i64, day: i64) -> Option<i64> {
        let days = days_unchecked(year, month, day);
        ((1..=12).contains(&month) && date(days) == (year, month, day)).then_some(days)
    }

    fn days_unchecked(year: i64, month: i64, day: i64) -> i64 {
        let year = if month <= 2 { year - 1 } else { year };
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let month_from_march = (month + 9).rem_euclid(12);
        let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * 146_097 + day_of_era - 719_468
    }

    pub(super) fn date(days: i64) -> (i64, i64, i64) {
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        (year, month, day)
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        Self::read(text).map_err(|reason| TimestampError { text: shorten(text), reason })
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.div_euclid(NANOS_PER_SECOND);
        let fraction = self.0.rem_euclid(NANOS_PER_SECOND);
        let (year, month, day) = civil::date(seconds.div_euclid(SECONDS_PER_DAY));
        let of_day = seconds.rem_euclid(SECONDS_PER_DAY);
        let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
        let decimals = format!(".{fraction:09}");
        let decimals = decimals.trim_end_matches('0').trim_end_matches('.');
        f.pad(&format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{decimals}Z"))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({self})")
    }
}
