//! The names of portfolios, accounts, owners, movements and fills, and the counters of a store.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::Overflow;
use super::text::shorten;

/// A text is not the id it should be.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdReason {
    /// There is no text.
    #[error("it is empty")]
    Empty,
    /// It has too many characters.
    #[error("it has more than {allowed} characters")]
    TooLong {
        /// How many are allowed.
        allowed: usize,
    },
    /// It has a character that no such id has.
    #[error("{found:?} is not allowed, only {allowed}")]
    Character {
        /// The first such character.
        found: char,
        /// The characters that are allowed.
        allowed: &'static str,
    },
    /// It is no number of 32 hexadecimal digits.
    #[error("it must be 32 digits of 0-9 and a-f")]
    NotHexadecimal,
}

/// What distinguishes the texts of one kind of id from those of another.
struct Form {
    what: &'static str,
    longest: usize,
    allowed: &'static str,
    is_allowed: fn(char) -> bool,
}

impl Form {
    const fn name(what: &'static str) -> Self {
        Self { what, longest: 64, allowed: "ASCII letters, digits, '-', '_', '.' and ':' are", is_allowed: in_names }
    }

    const fn reference(what: &'static str) -> Self {
        Self { what, longest: 128, allowed: "printable ASCII without spaces is", is_allowed: |found| found.is_ascii_graphic() }
    }

    fn read(&self, text: &str) -> Result<Arc<str>, IdError> {
        let refuse = |reason| IdError { what: self.what, text: shorten(text), reason };
        if text.is_empty() {
            return Err(refuse(IdReason::Empty));
        }
        if let Some(found) = text.chars().find(|found| !(self.is_allowed)(*found)) {
            return Err(refuse(IdReason::Character { found, allowed: self.allowed }));
        }
        if text.len() > self.longest {
            return Err(refuse(IdReason::TooLong { allowed: self.longest }));
        }
        Ok(text.into())
    }
}

fn in_names(found: char) -> bool {
    found.is_ascii_alphanumeric() || matches!(found, '-' | '_' | '.' | ':')
}

macro_rules! text_id {
    ($(#[$doc:meta])* $type:ident, $form:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(Arc<str>);

        impl $type {
            const FORM: Form = $form;

            /// The id of that text.
            pub fn new(text: &str) -> Result<Self, IdError> {
                Self::FORM.read(text).map(Self)
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
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
                f.pad(&self.0)
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
    /// The name of a portfolio.
    PortfolioId, Form::name("a portfolio id")
}
text_id! {
    /// The name of an account at a broker.
    AccountId, Form::name("an account id")
}
text_id! {
    /// The name of a process that holds a lease.
    OwnerId, Form::name("an owner id")
}
text_id! {
    /// The name of a movement of cash or assets.
    MovementId, Form::name("a movement id")
}
text_id! {
    /// A broker's name for one execution.
    FillId, Form::reference("a fill id")
}

/// The identity of a store.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreId(u128);

impl StoreId {
    /// The id of that number.
    pub const fn new(number: u128) -> Self {
        Self(number)
    }

    /// The id as a number.
    pub const fn get(self) -> u128 {
        self.0
    }
}

impl FromStr for StoreId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() == 32 && text.bytes().all(is_digit) && let Ok(number) = u128::from_str_radix(text, 16) {
            return Ok(Self(number));
        }
        Err(IdError { what: "a store id", text: shorten(text), reason: IdReason::NotHexadecimal })
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

macro_rules! counter {
    ($(#[$doc:meta])* $type:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $type(u64);

        impl $type {
            /// Before the first.
            pub const ZERO: Self = Self(0);

            /// The counter at that number.
            pub const fn new(number: u64) -> Self {
                Self(number)
            }

            /// The number.
            pub const fn get(self) -> u64 {
                self.0
            }

            /// The counter at the number after this.
            pub fn next(self) -> Result<Self, Overflow> {
                self.0.checked_add(1).map(Self).ok_or_else(|| Overflow {
                    doing: format!("counting on from {self}"),
                    what: $what,
                    maximum: "18446744073709551615",
                })
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

counter! {
    /// The fencing token of a lease.
    Token, "a token"
}
counter! {
    /// The number of a record in a journal.
    Sequence, "a sequence"
}
