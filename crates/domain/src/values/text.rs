//! One grammar for every decimal text, and one way to print it.

use std::fmt;

/// A text is not the value it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not {what}: {reason}")]
pub struct ParseError {
    /// What the text should have been, as in a sentence: `a percentage`.
    pub what: &'static str,
    /// The text, escaped and shortened to 40 characters.
    pub text: String,
    /// What is wrong with it.
    pub reason: ParseReason,
}

/// Why a text is not a decimal of the wanted type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseReason {
    /// There is no text.
    #[error("it is empty")]
    Empty,
    /// Something else than digits with at most one point between them.
    #[error("it must be digits with at most one point between them, like 12 or 12.5")]
    NotDecimal,
    /// `007` or `00.5`: the same value could be written in several ways.
    #[error("it starts with a surplus zero")]
    LeadingZero,
    /// Surplus digits are refused, never rounded; zeros too.
    #[error("it has {found} decimals, at most {allowed} are allowed")]
    TooManyDecimals {
        /// How many decimals the text has.
        found: usize,
        /// How many the type has.
        allowed: usize,
    },
    /// A sign where the type has none.
    #[error("it is negative, and a sign is not allowed here")]
    Negative,
    /// Zero where only more than zero is allowed.
    #[error("it must be more than zero")]
    Zero,
    /// Beyond the maximum of the type.
    #[error("it is out of range, the maximum is {maximum}")]
    OutOfRange {
        /// The largest value of the type; with `±` where it is also the limit below zero.
        maximum: &'static str,
    },
}

/// What distinguishes the texts of one decimal type from those of another.
#[derive(Debug)]
pub(super) struct Grammar {
    /// As in a sentence: `a percentage`.
    pub(super) what: &'static str,
    pub(super) decimals: usize,
    pub(super) signed: bool,
    pub(super) maximum: &'static str,
}

/// A text that has the form of a decimal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts<'t> {
    pub(super) negative: bool,
    pub(super) whole: &'t str,
    pub(super) fraction: &'t str,
}

impl Grammar {
    /// The value of `text` in units of the last decimal.
    pub(super) fn scaled(&self, text: &str) -> Result<i128, ParseReason> {
        let parts = self.exact_parts(text)?;
        let size = parts
            .digits(self.decimals)
            .try_fold(0_i128, |units, digit| units.checked_mul(10)?.checked_add(i128::from(digit)))
            .ok_or(self.out_of_range())?;
        Ok(if parts.negative { size.wrapping_neg() } else { size })
    }

    pub(super) fn exact_parts<'t>(&self, text: &'t str) -> Result<Parts<'t>, ParseReason> {
        let parts = self.parts(text)?;
        let found = parts.fraction.len();
        if found > self.decimals {
            return Err(ParseReason::TooManyDecimals { found, allowed: self.decimals });
        }
        Ok(parts)
    }

    /// The parts of a well-formed decimal with any number of decimals.
    pub(super) fn parts<'t>(&self, text: &'t str) -> Result<Parts<'t>, ParseReason> {
        if text.is_empty() {
            return Err(ParseReason::Empty);
        }
        let unsigned = text.strip_prefix('-');
        let negative = unsigned.is_some();
        let (whole, fraction) = match unsigned.unwrap_or(text).split_once('.') {
            Some((_, "")) => return Err(ParseReason::NotDecimal),
            Some(split) => split,
            None => (unsigned.unwrap_or(text), ""),
        };
        let all_digits = whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !all_digits {
            return Err(ParseReason::NotDecimal);
        }
        if whole.len() > 1 && whole.starts_with('0') {
            return Err(ParseReason::LeadingZero);
        }
        if negative && !self.signed {
            return Err(ParseReason::Negative);
        }
        Ok(Parts { negative, whole, fraction })
    }

    pub(super) const fn out_of_range(&self) -> ParseReason {
        ParseReason::OutOfRange { maximum: self.maximum }
    }

    pub(super) fn refuse(&self, text: &str, reason: ParseReason) -> ParseError {
        ParseError { what: self.what, text: shorten(text), reason }
    }

    #[cold]
    pub(super) fn overflow(&self, doing: String) -> super::Overflow {
        super::Overflow { doing, what: self.what, maximum: self.maximum }
    }
}

impl Parts<'_> {
    /// The digits, most significant first, cut or filled with zeros to so many decimals.
    pub(super) fn digits(&self, decimals: usize) -> impl Iterator<Item = u8> {
        let fraction = self.fraction.bytes().chain(std::iter::repeat(b'0')).take(decimals);
        self.whole.bytes().chain(fraction).map(|byte| byte.wrapping_sub(b'0'))
    }
}

impl Parts<'_> {
    /// The value in units of the last of so many decimals, and whether digits were lost.
    pub(super) fn rounded(&self, decimals: usize, rounding: super::Rounding) -> Option<(i128, bool)> {
        let units = self
            .digits(decimals)
            .try_fold(0_i128, |units, digit| units.checked_mul(10)?.checked_add(i128::from(digit)))?;
        let surplus = self.fraction.get(decimals..).unwrap_or("").trim_end_matches('0');
        let away = match rounding {
            super::Rounding::Down => false,
            super::Rounding::Up => !surplus.is_empty(),
            super::Rounding::HalfEven => surplus > "5" || (surplus == "5" && units % 2 == 1),
        };
        Some((if away { units.checked_add(1)? } else { units }, !surplus.is_empty()))
    }
}

/// A text for an error message: escaped, and at most 40 characters of it.
pub(super) fn shorten(text: &str) -> String {
    const LONGEST: usize = 40;
    let mut shown: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

/// Prints `digits` with a point before the last `decimals` of them.
pub(super) fn write_decimal(
    f: &mut fmt::Formatter<'_>,
    negative: bool,
    mut digits: String,
    decimals: usize,
    trim: bool,
) -> fmt::Result {
    let missing = decimals.saturating_add(1).saturating_sub(digits.len());
    if missing > 0 {
        digits.insert_str(0, &"0".repeat(missing));
    }
    digits.insert(digits.len().saturating_sub(decimals), '.');
    let shown = if trim { digits.trim_end_matches('0').trim_end_matches('.') } else { &digits };
    f.pad_integral(!negative, "", shown)
}

/// Text and `rust_decimal` for a type that has `GRAMMAR`, `TRIMMED`, `from_scaled` and `scaled`.
macro_rules! decimal_text {
    ($type:ident) => {
        impl std::str::FromStr for $type {
            type Err = crate::values::ParseError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::GRAMMAR
                    .scaled(text)
                    .and_then(Self::from_scaled)
                    .map_err(|reason| Self::GRAMMAR.refuse(text, reason))
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let units = self.scaled();
                let digits = units.unsigned_abs().to_string();
                let decimals = Self::GRAMMAR.decimals;
                crate::values::text::write_decimal(f, units < 0, digits, decimals, Self::TRIMMED)
            }
        }

        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($type), "({})"), self)
            }
        }

        impl $type {
            /// The same value as a [`rust_decimal::Decimal`], for the edges of the program.
            pub fn to_decimal(self) -> rust_decimal::Decimal {
                rust_decimal::Decimal::from_i128_with_scale(self.scaled(), Self::SCALE)
            }
        }

        impl TryFrom<rust_decimal::Decimal> for $type {
            type Error = crate::values::ParseError;

            fn try_from(decimal: rust_decimal::Decimal) -> Result<Self, Self::Error> {
                decimal.normalize().to_string().parse()
            }
        }
    };
}
pub(super) use decimal_text;
