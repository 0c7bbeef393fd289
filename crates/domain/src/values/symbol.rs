//! The names under which assets trade.

use std::fmt;
use std::str::FromStr;

use super::text::shorten;

/// The name under which an asset trades.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol([u8; Symbol::LONGEST]);

/// A text is no symbol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not a symbol: {reason}")]
pub struct SymbolError {
    /// The text, escaped and shortened to 40 characters.
    pub text: String,
    /// What is wrong with it.
    pub reason: SymbolReason,
}

/// Why a text is no symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SymbolReason {
    /// There is no text.
    #[error("it is empty")]
    Empty,
    /// It has more than sixteen characters.
    #[error("it has more than 16 characters")]
    TooLong,
    /// It starts with a punctuation mark.
    #[error("it must start with a capital letter or a digit")]
    Start,
    /// It has a character that no symbol has.
    #[error("{0:?} is not allowed, only A-Z, 0-9, '.', '-' and '/' are")]
    Character(char),
    /// `CASH` is what an allocation calls the money itself.
    #[error("CASH is the money itself, which a target may name but nobody trades")]
    Cash,
}

impl Symbol {
    const LONGEST: usize = 16;

    /// The symbol as text.
    pub fn as_str(&self) -> &str {
        let text = self.0.split(|byte| *byte == 0).next().unwrap_or_default();
        // Never absent: only ASCII comes in.
        std::str::from_utf8(text).unwrap_or_default()
    }

    fn read(text: &str) -> Result<Self, SymbolReason> {
        let first = text.bytes().next().ok_or(SymbolReason::Empty)?;
        if let Some(bad) = text.chars().find(|char| !is_allowed(*char)) {
            return Err(SymbolReason::Character(bad));
        }
        if !first.is_ascii_alphanumeric() {
            return Err(SymbolReason::Start);
        }
        if text == "CASH" {
            return Err(SymbolReason::Cash);
        }
        let mut padded = [0; Self::LONGEST];
        padded
            .get_mut(..text.len())
            .ok_or(SymbolReason::TooLong)?
            .copy_from_slice(text.as_bytes());
        Ok(Self(padded))
    }
}

fn is_allowed(char: char) -> bool {
    matches!(char, 'A'..='Z' | '0'..='9' | '.' | '-' | '/')
}

impl FromStr for Symbol {
    type Err = SymbolError;

    fn from_str(text: &str) -> Result<Self, SymbolError> {
        Self::read(text).map_err(|reason| SymbolError { text: shorten(text), reason })
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Symbol({self})")
    }
}
