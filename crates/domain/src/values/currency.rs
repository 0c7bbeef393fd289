//! In which money a portfolio is kept. Amounts of it are [`Money`](super::Money), which does not repeat its name.

use std::fmt;
use std::str::FromStr;

use super::text::shorten;

/// The code of a currency by ISO 4217: three capital letters.
///
/// ```
/// use evenkeel_domain::values::Currency;
///
/// let portfolio: Currency = "USD".parse()?;
/// let account: Currency = "EUR".parse()?;
/// assert_ne!(portfolio, account); // and nobody converts: they are refused together
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The form is checked, not the list, which changes every few years. Refused: small letters and everything else.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// A text is no code of a currency.
///
/// ```
/// let error = "usd".parse::<evenkeel_domain::values::Currency>().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "\"usd\" is not a currency: it must be three capital letters, like USD",
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not a currency: it must be three capital letters, like USD")]
pub struct CurrencyError {
    /// The text, escaped and shortened to 40 characters.
    pub text: String,
}

impl Currency {
    /// The code as text.
    pub fn as_str(&self) -> &str {
        // Never absent: what came in was ASCII.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for Currency {
    type Err = CurrencyError;

    fn from_str(text: &str) -> Result<Self, CurrencyError> {
        let code = <[u8; 3]>::try_from(text.as_bytes()).ok();
        code.filter(|code| code.iter().all(u8::is_ascii_uppercase))
            .map(Self)
            .ok_or_else(|| CurrencyError { text: shorten(text) })
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Currency({self})")
    }
}
