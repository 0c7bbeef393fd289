//! Names: of portfolios, accounts, owners, movements and fills, which others give; and of stores.
//!
//! What counts up, and what is compared to be sure of an order, is in [`counters`]. Each kind is a type of its own,
//! so none is ever taken for another.

mod counters;
mod name;

use std::fmt;
use std::str::FromStr;

use super::text::shorten;
pub use counters::{Sequence, Token};
use name::Name;

/// A text is not the id it should be.
///
/// ```
/// let error = evenkeel_domain::values::PortfolioId::new("client 7").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "\"client 7\" is not a portfolio id: ' ' is not allowed, only ASCII letters, digits, '-', '_', '.' and ':' are",
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not {what}: {reason}")]
pub struct IdError {
    /// What the text should have been, as in a sentence: `a portfolio id`.
    pub what: &'static str,
    /// The text, escaped and shortened to 40 characters.
    pub text: String,
    /// What is wrong with it.
    pub reason: IdReason,
}

/// Why a text is no id.
///
/// The first that applies, in the order of the variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdReason {
    /// There is no text.
    #[error("it is empty")]
    Empty,
    /// A character that no such id has.
    #[error("{found:?} is not allowed, only {allowed}")]
    Character {
        /// The first of them.
        found: char,
        /// What is allowed, as in a sentence: `printable ASCII without spaces is`.
        allowed: &'static str,
    },
    /// It has too many characters.
    #[error("it has more than {allowed} characters")]
    TooLong {
        /// How many are allowed.
        allowed: usize,
    },
    /// It is no number in 32 hexadecimal digits; only a [`StoreId`] is one.
    #[error("it must be 32 digits of 0-9 and a-f")]
    NotHexadecimal,
}

/// What distinguishes the text of one kind of id from that of another.
#[derive(Debug)]
struct Form {
    what: &'static str,
    longest: usize,
    allowed: &'static str,
    is_allowed: fn(char) -> bool,
}

impl Form {
    /// An id that people choose: it appears in files, logs and URLs.
    const fn chosen(what: &'static str) -> Self {
        let allowed = "ASCII letters, digits, '-', '_', '.' and ':' are";
        let is_allowed = |found| matches!(found, 'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' | '.' | ':');
        Self { what, longest: 64, allowed, is_allowed }
    }

    /// An id that others choose, and that must come back to them unchanged.
    const fn foreign(what: &'static str) -> Self {
        let allowed = "printable ASCII without spaces is";
        Self { what, longest: 128, allowed, is_allowed: |found| found.is_ascii_graphic() }
    }

    fn read(&self, text: &str) -> Result<Name, IdError> {
        let refuse = |reason| Err(IdError { what: self.what, text: shorten(text), reason });
        if text.is_empty() {
            return refuse(IdReason::Empty);
        }
        if let Some(found) = text.chars().find(|found| !(self.is_allowed)(*found)) {
            return refuse(IdReason::Character { found, allowed: self.allowed });
        }
        if text.len() > self.longest {
            return refuse(IdReason::TooLong { allowed: self.longest });
        }
        Ok(Name::new(text))
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $type:ident = $form:expr) => {
        $(#[$doc])*
        ///
        /// Compared as text, letter case included. Cheap to clone: up to 15 characters are kept in place, and clones share a longer text.
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(Name);

        impl $type {
            const FORM: Form = $form;

            /// The id of that text.
            ///
            /// # Errors
            /// [`IdError`] when the text is empty, too long, or has a character that is not allowed.
            pub fn new(text: &str) -> Result<Self, IdError> {
                Self::FORM.read(text).map(Self)
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl FromStr for $type {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($type), "({})"), self)
            }
        }
    };
}

text_id! {
    /// Which portfolio: 1 to 64 ASCII letters, digits, `-`, `_`, `.` and `:`, chosen by whoever keeps it.
    PortfolioId = Form::chosen("a portfolio id")
}

text_id! {
    /// Which account at a broker: 1 to 64 ASCII letters, digits, `-`, `_`, `.` and `:`.
    AccountId = Form::chosen("an account id")
}

text_id! {
    /// Which worker holds a lease: 1 to 64 ASCII letters, digits, `-`, `_`, `.` and `:`.
    OwnerId = Form::chosen("an owner id")
}

text_id! {
    /// Which deposit, withdrawal or transfer: 1 to 64 ASCII letters, digits, `-`, `_`, `.` and `:`. The same id is
    /// the same movement, and is booked once.
    MovementId = Form::chosen("a movement id")
}

text_id! {
    /// Which fill: 1 to 128 printable ASCII characters without spaces, chosen by the broker. The same id is the same
    /// fill, and is booked once.
    FillId = Form::foreign("a fill id")
}

/// Which journal: 128 random bits, drawn when it was created, so that the ids of a new one never repeat those of a
/// lost one.
///
/// ```
/// use evenkeel_domain::values::StoreId;
///
/// let id = StoreId::new(0xE9);
/// assert_eq!(id.to_string(), "000000000000000000000000000000e9");
/// assert_eq!(id.to_string().parse(), Ok(id));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreId(u128);

impl StoreId {
    const DIGITS: usize = 32;

    /// The id of those bits.
    pub const fn new(bits: u128) -> Self {
        Self(bits)
    }

    /// The bits of the id.
    pub const fn get(self) -> u128 {
        self.0
    }
}

impl FromStr for StoreId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let all_digits = text.len() == Self::DIGITS && text.bytes().all(is_digit);
        let bits = u128::from_str_radix(text, 16).ok().filter(|_| all_digits);
        bits.map(Self).ok_or_else(|| IdError {
            what: "a store id",
            text: shorten(text),
            reason: IdReason::NotHexadecimal,
        })
    }
}

impl fmt::Display for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:032x}", self.0))
    }
}

impl fmt::Debug for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreId({self})")
    }
}
