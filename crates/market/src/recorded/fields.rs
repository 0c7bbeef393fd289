//! The texts of a row: when, what, and at which price.
//!
//! Their grammars are those of the domain's values; only the two forms of a time are made up here. Which line and
//! column a problem belongs to is known in [`super::rows`].

use evenkeel_domain::values::{Price, Rounding, Symbol, SymbolError, Timestamp, TimestampReason};

use super::fault::Problem;

/// A date, which is noon UTC, or an RFC 3339 time.
pub(super) fn time(bytes: &[u8]) -> Result<Timestamp, Problem> {
    let text = utf8(bytes)?;
    let moment = if is_date(bytes) { utc(&format!("{text}T12:00:00Z")) } else { time_of_day(text) };
    moment.map_err(Problem::Time)
}

pub(super) fn symbol(bytes: &[u8]) -> Result<Symbol, Problem> {
    utf8(bytes)?.parse().map_err(|error: SymbolError| Problem::Symbol(error.reason))
}

/// The price, and whether it was rounded.
pub(super) fn price(bytes: &[u8], rounding: Option<Rounding>) -> Result<(Price, bool), Problem> {
    let text = utf8(bytes)?;
    let price = match rounding {
        Some(rounding) => Price::parse_rounded(text, rounding),
        None => text.parse().map(|price| (price, false)),
    };
    price.map_err(|error| Problem::Price(error.reason))
}

fn utf8(bytes: &[u8]) -> Result<&str, Problem> {
    std::str::from_utf8(bytes).map_err(|_| Problem::NotUtf8)
}

/// Whether the text is shaped like `2000-01-03`; such a day may still not exist.
fn is_date(bytes: &[u8]) -> bool {
    bytes.len() == 10
        && bytes.iter().zip(b"0000-00-00").all(|(byte, shape)| match shape {
            b'-' => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

fn utc(text: &str) -> Result<Timestamp, TimestampReason> {
    text.parse().map_err(|error: evenkeel_domain::values::TimestampError| error.reason)
}

/// An RFC 3339 time: in UTC as the domain reads it, or with an offset, which is taken off.
fn time_of_day(text: &str) -> Result<Timestamp, TimestampReason> {
    let Some((local, minutes)) = split_offset(text)? else { return utc(text) };
    let offset = minutes.checked_mul(60_000_000_000).ok_or(TimestampReason::OutOfRange)?;
    let local = utc(&format!("{local}Z"))?;
    local.nanos().checked_sub(offset).map(Timestamp::from_nanos).ok_or(TimestampReason::OutOfRange)
}

/// The text before an offset like `-05:00`, and the offset in minutes; nothing where there is none.
fn split_offset(text: &str) -> Result<Option<(&str, i64)>, TimestampReason> {
    let Some((local, offset)) = text.len().checked_sub(6).and_then(|at| text.split_at_checked(at)) else {
        return Ok(None);
    };
    let (hours, minutes) = match offset.as_bytes() {
        [b'+' | b'-', h, hh, b':', m, mm] if [h, hh, m, mm].iter().all(|byte| byte.is_ascii_digit()) => {
            (two_digits(*h, *hh), two_digits(*m, *mm))
        }
        _ => return Ok(None),
    };
    if hours > 23 || minutes > 59 {
        return Err(TimestampReason::NoSuchMoment);
    }
    let size = hours.saturating_mul(60).saturating_add(minutes);
    Ok(Some((local, if offset.starts_with('-') { size.saturating_neg() } else { size })))
}

fn two_digits(tens: u8, ones: u8) -> i64 {
    let digit = |byte: u8| i64::from(byte.wrapping_sub(b'0'));
    digit(tens).saturating_mul(10).saturating_add(digit(ones))
}
