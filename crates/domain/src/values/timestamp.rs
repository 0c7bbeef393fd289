//! Moments in time, as text and as numbers. The calendar behind the text is in [`civil`]; the clock is a port.

mod civil;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::text::shorten;
use civil::Civil;

/// A moment, to the nanosecond, in UTC.
///
/// ```
/// use evenkeel_domain::values::Timestamp;
/// use std::time::Duration;
///
/// let opened: Timestamp = "2026-01-31T14:30:00Z".parse()?;
/// let due = opened.plus(Duration::from_millis(1_500));
///
/// assert_eq!(due.to_string(), "2026-01-31T14:30:01.5Z");
/// assert_eq!(due.since(opened), Duration::from_millis(1_500));
/// assert_eq!(opened.since(due), Duration::ZERO); // never negative
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// | operation | result | rounding | fails when |
/// |---|---|---|---|
/// | [`plus`](Self::plus) | timestamp | none | never: what is later than [`Timestamp::MAX`] is [`Timestamp::MAX`] |
/// | [`since`](Self::since) | duration | none | never: what is not earlier was zero ago |
///
/// Deadlines and waits live on the two exceptions: a deadline beyond the last moment never comes, and a clock that
/// was set back makes nothing overdue.
///
/// Text is RFC 3339 in UTC with a capital `T` and `Z`, and up to nine decimals of a second. Refused: other offsets,
/// since equal moments are to print alike; days and times that do not exist; leap seconds, which no Unix clock
/// shows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A text is no timestamp.
///
/// ```
/// let error = "2026-02-29T12:00:00Z".parse::<evenkeel_domain::values::Timestamp>().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "\"2026-02-29T12:00:00Z\" is not a timestamp: there is no such day or time of day",
/// );
/// ```
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
    /// It has another form than RFC 3339 in UTC.
    #[error("it must look like 2026-01-31T14:30:00Z or 2026-01-31T14:30:00.123456789Z")]
    Form,
    /// The calendar has no such day, or the day no such second.
    #[error("there is no such day or time of day")]
    NoSuchMoment,
    /// It is earlier than [`Timestamp::MIN`] or later than [`Timestamp::MAX`].
    #[error("it must be from {} to {}", Timestamp::MIN, Timestamp::MAX)]
    OutOfRange,
}

impl Timestamp {
    /// 1970-01-01T00:00:00Z
    pub const EPOCH: Self = Self(0);
    /// 2262-04-11T23:47:16.854775807Z
    pub const MAX: Self = Self(i64::MAX);
    /// 1677-09-21T00:12:43.145224192Z
    pub const MIN: Self = Self(i64::MIN);

    /// The moment so many nanoseconds after the Unix epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the Unix epoch.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// The moment so much later, but no later than [`Timestamp::MAX`].
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let later = i128::from(self.0).saturating_add_unsigned(duration.as_nanos());
        Self(i64::try_from(later).unwrap_or(i64::MAX))
    }

    /// How long ago `earlier` was at this moment; zero when it is not earlier.
    pub const fn since(self, earlier: Self) -> Duration {
        if self.0 < earlier.0 { Duration::ZERO } else { Duration::from_nanos(self.0.abs_diff(earlier.0)) }
    }

    fn read(text: &str) -> Result<Self, TimestampReason> {
        let civil = fields(text).ok_or(TimestampReason::Form)?;
        let nanos = civil.to_nanos().ok_or(TimestampReason::NoSuchMoment)?;
        i64::try_from(nanos).map(Self).map_err(|_| TimestampReason::OutOfRange)
    }
}

/// The numbers of a text like `2026-01-31T14:30:00.123Z`, whether or not there is such a moment.
fn fields(text: &str) -> Option<Civil> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let (time, fraction) = match time.split_once('.') {
        Some((time, fraction)) => (time, nanos_of(fraction)?),
        None => (time, 0),
    };
    let date = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    Some(Civil { date, time: [hour, minute, second, fraction] })
}

/// Three numbers of so many digits each.
fn numbers(text: &str, separator: char, widths: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(separator);
    let mut numbers = [0; 3];
    for (number, width) in numbers.iter_mut().zip(widths) {
        *number = parts.next().filter(|part| part.len() == width).and_then(number_of)?;
    }
    parts.next().is_none().then_some(numbers)
}

/// The nanoseconds of one to nine decimals of a second.
fn nanos_of(decimals: &str) -> Option<i64> {
    let all_nine = || number_of(&format!("{decimals:0<9}"));
    (1..=9).contains(&decimals.len()).then(all_nine).flatten()
}

fn number_of(digits: &str) -> Option<i64> {
    // `parse` alone would take a sign.
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        Self::read(text).map_err(|reason| TimestampError { text: shorten(text), reason })
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Civil { date: [year, month, day], time: [hour, minute, second, nanos] } = Civil::from_nanos(self.0);
        let decimals = format!(".{nanos:09}");
        let decimals = decimals.trim_end_matches('0').trim_end_matches('.');
        f.pad(&format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{decimals}Z"))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({self})")
    }
}
