//! When the waves of a fake market are.

use std::time::Duration;

use evenkeel_domain::values::Timestamp;

use super::Pace;

const SECONDS_PER_DAY: u64 = 86_400;
/// 2024-01-01, a Monday, in days since the epoch.
const FIRST_MONDAY: u64 = 19_723;

/// The time of a wave and its label; nothing where time ends.
pub(super) fn moment(pace: Pace, wave: u64) -> Option<(Timestamp, String)> {
    match pace {
        Pace::Days => {
            let at = noon(weekday(wave)?)?;
            let time = at.to_string();
            Some((at, time.split('T').next().unwrap_or_default().to_owned()))
        }
        Pace::Ticks { start, step } => {
            let passed = step.as_nanos().checked_mul(u128::from(wave))?;
            let at = i128::from(start.nanos()).checked_add_unsigned(passed)?;
            let at = Timestamp::from_nanos(i64::try_from(at).ok()?);
            Some((at, at.to_string()))
        }
    }
}

/// The weekday with that number, counted from Tuesday, 2024-01-02, in days since the epoch.
fn weekday(number: u64) -> Option<u64> {
    let from_monday = number.checked_add(1)?;
    let (weeks, day) = (from_monday.checked_div(5)?, from_monday.checked_rem(5)?);
    FIRST_MONDAY.checked_add(weeks.checked_mul(7)?)?.checked_add(day)
}

fn noon(day: u64) -> Option<Timestamp> {
    let seconds = day.checked_mul(SECONDS_PER_DAY)?.checked_add(SECONDS_PER_DAY / 2)?;
    let nanos = Duration::from_secs(seconds).as_nanos();
    i64::try_from(nanos).ok().map(Timestamp::from_nanos)
}
