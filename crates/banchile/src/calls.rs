//! The calls that change a broker, as something that keeps them sees them: a bank in a file, with the feature `file`.

#[cfg(feature = "file")]
use crate::account::Account;
use crate::venue::Venue;
use evenkeel_domain::order::{ClientOrderId, FillCursor, OrderRequest};
use evenkeel_domain::values::{AccountId, Currency, Money, Price, Quantity, Symbol, Timestamp};
use std::fmt;

/// Keeps the calls of a venue before they have any effect.
pub(crate) trait Keeper: Send + Sync {
    /// Brings the venue to where the log stands, and keeps that time has come to `now`: whatever is answered from here on stays true, for
    /// nothing is done at an earlier time any more.
    fn catch_up(&self, venue: &mut Venue, now: Timestamp) -> Result<(), String>;

    /// Keeps a call, done at `now` or at the time that anybody has seen, if that is later; the venue is brought to where the log stood before.
    /// Once this has answered, the call is in the log: do it.
    fn keep(&self, venue: &mut Venue, now: Timestamp, call: &Call) -> Result<Timestamp, Unkept>;
}

/// A call that changed something.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "file", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub(crate) enum Call {
    Open { account: AccountId, currency: Currency, cash: Money, holdings: Vec<(Symbol, Quantity)> },
    ContinueAfter { account: AccountId, read: FillCursor },
    Deposit { account: AccountId, amount: Money },
    Withdraw { account: AccountId, amount: Money },
    Prices(Vec<(Symbol, Price)>),
    Send { account: AccountId, order: OrderRequest },
    Cancel { account: AccountId, id: ClientOrderId },
}

#[cfg(feature = "file")]
impl Call {
    /// Does it again. What it came to was told when it was done first.
    pub(crate) fn repeat(self, venue: &mut Venue) {
        match self {
            Self::Open { account, currency, cash, holdings } => {
                drop(Account::open(account, currency, cash, holdings).and_then(|account| venue.add_account(account)));
            }
            Self::ContinueAfter { account, read } => {
                if let (Ok(account), Ok(number)) = (venue.account_mut(&account), read.0.parse()) {
                    account.book.continue_after(number);
                }
            }
            Self::Deposit { account, amount } => drop(venue.account_mut(&account).and_then(|a| a.deposit(amount))),
            Self::Withdraw { account, amount } => drop(venue.account_mut(&account).and_then(|a| a.withdraw(amount))),
            Self::Prices(prices) => prices.into_iter().for_each(|(symbol, price)| venue.set_price(symbol, price)),
            Self::Send { account, order } => drop(venue.send(&account, &order)),
            Self::Cancel { account, id } => drop(venue.send_cancel(&account, id)),
        }
    }
}

/// A call that was not kept, as far as is known.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(not(feature = "file"), expect(dead_code, reason = "made only by what keeps calls"))]
pub(crate) enum Unkept {
    /// It is not in the log.
    Nothing(String),
    /// It may be.
    Unknown(String),
}

impl fmt::Display for Unkept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing(message) | Self::Unknown(message) => f.write_str(message),
        }
    }
}
