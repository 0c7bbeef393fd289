//! The names under which assets trade. Cash has none: what an allocation calls `CASH` is a target, not an asset.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use super::text::shorten;

/// The name under which an asset trades, like `AAPL`, `BRK.B` or `BTC/USD`.
///
/// ```
/// use evenkeel_domain::values::Symbol;
///
/// let symbol: Symbol = "BRK.B".parse()?;
/// assert_eq!(symbol.as_str(), "BRK.B");
/// assert!("brk.b".parse::<Symbol>().is_err()); // one asset, one spelling
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// One to sixteen characters of `A`-`Z`, `0`-`9`, `.`, `-` and `/`, of which the first is a letter or a digit.
/// Symbols are compared like text, in one step, and copied like numbers.
///
/// Refused: `CASH`, since an allocation would mean two things by it; small letters, since an asset would have two
/// names.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
// Filled up with zeros, which are less than any character: the order of the bytes is that of the text.
pub struct Symbol([u8; Symbol::LONGEST]);

/// A text is no symbol.
///
/// ```
/// let error = "aapl".parse::<evenkeel_domain::values::Symbol>().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "\"aapl\" is not a symbol: 'a' is not allowed, only A-Z, 0-9, '.', '-' and '/' are",
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not a symbol: {reason}")]
pub struct SymbolError {
    /// The text, escaped and shortened to 40 characters.
    pub text: String,
    /// What is wrong with it.
    pub reason: SymbolReason,
}

/// Why a text is no symbol.
///
/// The first that applies, in the order of the variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SymbolReason {
    /// There is no text.
    #[error("it is empty")]
    Empty,
    /// A character that no symbol has: the first of them.
    #[error("{0:?} is not allowed, only A-Z, 0-9, '.', '-' and '/' are")]
    Character(char),
    /// It starts with a punctuation mark.
    #[error("it must start with a letter or a digit")]
    Start,
    /// It has too many characters.
    #[error("it has more than 16 characters")]
    TooLong,
    /// `CASH` is what an allocation calls the money itself.
    #[error("it means the money itself: a target may be called so, but nothing that trades")]
    Cash,
}

impl Symbol {
    const LONGEST: usize = 16;

    /// The symbol as text.
    pub fn as_str(&self) -> &str {
        let text = self.0.split(|byte| *byte == 0).next();
        // Never absent: what came in was ASCII.
        text.and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default()
    }

    fn read(text: &str) -> Result<Self, SymbolReason> {
        let first = text.chars().next().ok_or(SymbolReason::Empty)?;
        if let Some(found) = text.chars().find(|found| !is_allowed(*found)) {
            return Err(SymbolReason::Character(found));
        }
        if !first.is_ascii_alphanumeric() {
            return Err(SymbolReason::Start);
        }
        if text == "CASH" {
            return Err(SymbolReason::Cash);
        }
        let mut bytes = [0; Self::LONGEST];
        let used = bytes.get_mut(..text.len()).ok_or(SymbolReason::TooLong)?;
        used.copy_from_slice(text.as_bytes());
        Ok(Self(bytes))
    }
}

const fn is_allowed(found: char) -> bool {
    matches!(found, 'A'..='Z' | '0'..='9' | '.' | '-' | '/')
}

impl Ord for Symbol {
    /// As one number, whose order is that of the bytes: valuing a portfolio is to a good part looking up symbols.
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        u128::from_be_bytes(self.0).cmp(&u128::from_be_bytes(other.0))
    }
}

impl PartialOrd for Symbol {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
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
