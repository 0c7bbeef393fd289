//! One grammar for the text of every decimal, and one way to print it.
//!
//! What a type allows is data, its [`Grammar`]; [`decimal_text!`] gives a type its `FromStr`, `Display` and doors to
//! [`rust_decimal`]. Symbols, ids and timestamps have grammars of their own, beside their types.

use std::fmt;

use super::rounding::{Rest, Rounding};

/// A text is not the decimal it should be.
///
/// ```
/// use evenkeel_domain::values::{ParseReason, Percentage};
///
/// let error = "33.33333".parse::<Percentage>().unwrap_err();
/// assert_eq!(error.reason, ParseReason::TooManyDecimals { found: 5, allowed: 4 });
/// assert_eq!(
///     error.to_string(),
///     "\"33.33333\" is not a percentage: it has 5 decimals, at most 4 are allowed",
/// );
/// ```
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
///
/// The first that applies, in the order of the variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseReason {
    /// There is no text.
    #[error("it is empty")]
    Empty,
    /// Anything but digits with at most one point between them: `1e3`, `+1`, `1_000`, `1,5`, `.5`, `1.`, ` 1`,
    /// `NaN`.
    #[error("it must be digits with at most one point between them, like 12 or 12.5")]
    NotDecimal,
    /// `007` or `00.5`. One value, one way to write it; and a misplaced point is caught.
    #[error("it must not start with a surplus zero")]
    LeadingZero,
    /// A minus sign where nothing is below zero, `-0` included.
    #[error("it must not have a minus sign")]
    Negative,
    /// More digits than the type has, zeros included: they are refused, never rounded.
    #[error("it has {found} decimals, at most {allowed} are allowed")]
    TooManyDecimals {
        /// How many decimals the text has.
        found: usize,
        /// How many the type has.
        allowed: usize,
    },
    /// Zero, or something that rounds to it, where only more is allowed.
    #[error("it must be more than zero")]
    Zero,
    /// Beyond the range of the type.
    #[error("it is out of range, the maximum is {maximum}")]
    OutOfRange {
        /// The largest value of the type; with `±` where it is the limit below zero, too.
        maximum: &'static str,
    },
}

/// What distinguishes the text of one decimal type from that of another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grammar {
    /// The type as in a sentence: `a percentage`.
    pub(super) what: &'static str,
    pub(super) decimals: u32,
    pub(super) signed: bool,
    /// Whether zeros at the end are left out when printing.
    pub(super) trimmed: bool,
    /// The largest value, for messages.
    pub(super) maximum: &'static str,
}

impl Grammar {
    /// The number a text stands for, in units of the last decimal.
    pub(super) fn scaled(&self, text: &str) -> Result<i128, ParseReason> {
        let parts = self.exact(text)?;
        let size = parts.units(self.places()).ok_or(self.out_of_range())?;
        Ok(parts.signed(size))
    }

    /// Like [`Grammar::scaled`], but with surplus decimals rounded; also whether that changed the value.
    pub(super) fn rounded(&self, text: &str, rounding: Rounding) -> Result<(i128, bool), ParseReason> {
        let parts = self.parts(text)?;
        let (size, changed) = parts.rounded(self.places(), rounding).ok_or(self.out_of_range())?;
        Ok((parts.signed(size), changed))
    }

    /// The digits of a text, most significant first, filled up to all decimals; and whether it has a minus sign.
    pub(super) fn digits<'t>(&self, text: &'t str) -> Result<(bool, impl Iterator<Item = u8> + use<'t>), ParseReason> {
        let parts = self.exact(text)?;
        Ok((parts.negative, parts.digits(self.places())))
    }

    /// The parts of a decimal that has no more decimals than allowed.
    fn exact<'t>(&self, text: &'t str) -> Result<Parts<'t>, ParseReason> {
        let parts = self.parts(text)?;
        let (found, allowed) = (parts.fraction.len(), self.places());
        if found > allowed {
            return Err(ParseReason::TooManyDecimals { found, allowed });
        }
        Ok(parts)
    }

    /// The parts of a decimal that may have any number of decimals.
    fn parts<'t>(&self, text: &'t str) -> Result<Parts<'t>, ParseReason> {
        if text.is_empty() {
            return Err(ParseReason::Empty);
        }
        let parts = Parts::split(text).ok_or(ParseReason::NotDecimal)?;
        if parts.whole.len() > 1 && parts.whole.starts_with('0') {
            return Err(ParseReason::LeadingZero);
        }
        if parts.negative && !self.signed {
            return Err(ParseReason::Negative);
        }
        Ok(parts)
    }

    /// Prints a number of units of the last decimal, given by its digits, the last first: none for 0.
    ///
    /// From the back and in place: numbers are most of what is written to journals and reports.
    pub(super) fn write(
        &self,
        f: &mut fmt::Formatter<'_>,
        negative: bool,
        digits: impl Iterator<Item = u8>,
    ) -> fmt::Result {
        let mut text = Backward { bytes: [0; Backward::ROOM], free: Backward::ROOM };
        let mut digits = digits.fuse();
        for _ in 0..self.places() {
            let digit = digits.next().unwrap_or(b'0');
            if !self.trimmed || digit != b'0' || !text.is_empty() {
                text.put(digit);
            }
        }
        if !text.is_empty() {
            text.put(b'.');
        }
        text.put(digits.next().unwrap_or(b'0'));
        digits.for_each(|digit| text.put(digit));
        // Unlike `pad`, this ignores a precision, which would cut digits off.
        f.pad_integral(!negative, "", text.as_str())
    }

    pub(super) const fn out_of_range(&self) -> ParseReason {
        ParseReason::OutOfRange { maximum: self.maximum }
    }

    #[cold]
    pub(super) fn refuse(&self, text: &str, reason: ParseReason) -> ParseError {
        ParseError { what: self.what, text: shorten(text), reason }
    }

    #[cold]
    pub(super) const fn overflow(&self, doing: String) -> super::Overflow {
        super::Overflow { doing, what: self.what, maximum: self.maximum }
    }

    #[expect(clippy::as_conversions, reason = "a handful of decimals fits any integer")]
    const fn places(&self) -> usize {
        self.decimals as usize
    }
}

/// A number that is written from its last digit to its first.
struct Backward {
    bytes: [u8; Self::ROOM],
    free: usize,
}

impl Backward {
    /// More than the 77 digits of the largest value, a point, and a zero before it.
    const ROOM: usize = 80;

    fn put(&mut self, byte: u8) {
        self.free = self.free.saturating_sub(1);
        if let Some(place) = self.bytes.get_mut(self.free) {
            *place = byte;
        }
    }

    const fn is_empty(&self) -> bool {
        self.free == Self::ROOM
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(self.bytes.get(self.free..).unwrap_or_default()).unwrap_or_default()
    }
}

/// A text that has the form of a decimal.
#[derive(Debug, Clone, Copy)]
struct Parts<'t> {
    negative: bool,
    whole: &'t str,
    fraction: &'t str,
}

impl<'t> Parts<'t> {
    fn split(text: &'t str) -> Option<Self> {
        let unsigned = text.strip_prefix('-');
        let negative = unsigned.is_some();
        let unsigned = unsigned.unwrap_or(text);
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let (whole, fraction) = match unsigned.split_once('.') {
            Some((whole, fraction)) => (whole, is_number(fraction).then_some(fraction)?),
            None => (unsigned, ""),
        };
        is_number(whole).then_some(Self { negative, whole, fraction })
    }

    /// The size in units of the last of so many decimals, surplus ones cut off; nothing beyond 128 bits.
    fn units(self, places: usize) -> Option<i128> {
        self.digits(places).try_fold(0_i128, |units, digit| units.checked_mul(10)?.checked_add(i128::from(digit)))
    }

    /// Like [`Parts::units`], but rounded; also whether that changed the value.
    fn rounded(self, places: usize, rounding: Rounding) -> Option<(i128, bool)> {
        let units = self.units(places)?;
        let rest = self.rest(places);
        let is_odd = units & 1 == 1;
        let grown = if rounding.grows(rest, is_odd) { units.checked_add(1)? } else { units };
        Some((grown, rest != Rest::Nothing))
    }

    const fn signed(self, size: i128) -> i128 {
        if self.negative { size.wrapping_neg() } else { size }
    }

    /// The digits, cut or filled with zeros to so many decimals.
    fn digits(self, places: usize) -> impl Iterator<Item = u8> + use<'t> {
        let fraction = self.fraction.bytes().chain(std::iter::repeat(b'0')).take(places);
        self.whole.bytes().chain(fraction).map(|byte| byte.wrapping_sub(b'0'))
    }

    fn rest(self, places: usize) -> Rest {
        let surplus = self.fraction.get(places..).unwrap_or_default().trim_end_matches('0');
        // Without zeros at the end, digits after a point compare like text: "4999" < "5" < "5001".
        if surplus.is_empty() { Rest::Nothing } else { Rest::against_half(surplus.cmp("5")) }
    }
}

/// The digits of a number, the last first; none for 0.
pub(super) fn digits(mut number: u128) -> impl Iterator<Item = u8> {
    std::iter::from_fn(move || {
        // What fits 64 bits, as nearly always, is divided by a multiplication.
        let (rest, digit) = match u64::try_from(number) {
            Ok(0) => return None,
            Ok(small) => (u128::from(small / 10), small % 10),
            Err(_) => (number / 10, u64::try_from(number % 10).unwrap_or_default()),
        };
        number = rest;
        u8::try_from(digit).ok().map(|digit| b'0'.saturating_add(digit))
    })
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

/// Text and [`rust_decimal`] for a type with a `GRAMMAR`, made by `from_scaled` and giving back `scaled`.
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
                Self::GRAMMAR.write(f, units < 0, crate::values::text::digits(units.unsigned_abs()))
            }
        }

        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($type), "({})"), self)
            }
        }

        impl $type {
            /// The same value as a [`rust_decimal::Decimal`], for the edges of a program.
            ///
            /// Do not compute with it: its operators panic, and its checked methods round unnoticed.
            pub fn to_decimal(self) -> rust_decimal::Decimal {
                // Never panics: the whole range fits the 96 bits of a `Decimal`.
                rust_decimal::Decimal::from_i128_with_scale(self.scaled(), Self::GRAMMAR.decimals)
            }
        }

        /// Exact or refused, by the rules for text; only zeros at the end may be surplus.
        impl TryFrom<rust_decimal::Decimal> for $type {
            type Error = crate::values::ParseError;

            fn try_from(decimal: rust_decimal::Decimal) -> Result<Self, Self::Error> {
                decimal.normalize().to_string().parse()
            }
        }
    };
}
pub(super) use decimal_text;
