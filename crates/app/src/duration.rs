//! Lengths of time as people write them: `90`, which is seconds, or `500ms`, `60s`, `5m`, `6h`, `7d`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A length of time, as given in files and on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Length(pub(crate) Duration);

/// A text is no length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LengthError {
    #[error("it is not a whole number with ms, s, m, h or d behind it")]
    Form,
    #[error("it is longer than 100 years")]
    TooLong,
}

/// What would be right.
pub(crate) const REMEDY: &str =
    "write seconds, like 90, or a length, like \"500ms\", \"60s\", \"5m\", \"6h\" or \"7d\"";

const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

impl FromStr for Length {
    type Err = LengthError;

    fn from_str(text: &str) -> Result<Self, LengthError> {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_lowercase());
        let unit = text.strip_prefix(digits).unwrap_or_default();
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(LengthError::Form);
        }
        let milliseconds: u64 = match unit {
            "ms" => 1,
            "" | "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(LengthError::Form),
        };
        // All that is left to be wrong with digits is that they are too many.
        let number: u64 = digits.parse().map_err(|_| LengthError::TooLong)?;
        let length = number.checked_mul(milliseconds).map(Duration::from_millis);
        length.filter(|length| *length <= LONGEST).map(Self).ok_or(LengthError::TooLong)
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = self.0.as_millis();
        for (unit, size) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)] {
            if let (Some(number), Some(0)) = (milliseconds.checked_div(size), milliseconds.checked_rem(size))
                && number > 0
            {
                return f.pad(&format!("{number}{unit}"));
            }
        }
        f.pad(&format!("{milliseconds}ms"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_seconds_or_have_a_unit() {
        for (text, milliseconds, shown) in [
            ("0", 0, "0ms"),
            ("90", 90_000, "90s"),
            ("500ms", 500, "500ms"),
            ("60s", 60_000, "1m"),
            ("5m", 300_000, "5m"),
            ("6h", 21_600_000, "6h"),
            ("7d", 604_800_000, "7d"),
            ("007", 7_000, "7s"),
        ] {
            let length: Length = text.parse().unwrap();
            assert_eq!(length.0, Duration::from_millis(milliseconds), "{text}");
            assert_eq!(length.to_string(), shown);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "s", "-1", "+1", "1.5h", "6 h", "6H", "1h30m", "6hours", "ten", "1w", "٣"] {
            assert_eq!(text.parse::<Length>(), Err(LengthError::Form), "{text}");
        }
        for text in ["36501d", "99999999999999999999", "18446744073709551615h"] {
            assert_eq!(text.parse::<Length>(), Err(LengthError::TooLong), "{text}");
        }
    }
}
