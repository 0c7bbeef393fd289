//! The account of a portfolio at the simulated broker: opened with what the portfolio owns, unless it is there.

use evenkeel_banchile::{AccountError, BanChile};
use evenkeel_domain::books::{Books, Definition};
use evenkeel_domain::order::FillCursor;

/// Opens the account at a broker that does not have it, and lets it go on where its fills have been read to.
pub(super) fn open(
    broker: &BanChile,
    definition: &Definition,
    owned: &Books,
    read: Option<&FillCursor>,
) -> Result<(), AccountError> {
    let Definition { account, currency, .. } = definition;
    // Asked first, as a bank writes down every attempt to open it.
    if broker.ledger(account).is_ok() {
        return Ok(());
    }
    match broker.open_account(account, *currency, owned.cash, owned.holdings()) {
        // Another process on the bank was faster: it has all that has happened there.
        Err(AccountError::AlreadyOpen { .. }) => Ok(()),
        Err(error) => Err(error),
        Ok(()) => read.map_or(Ok(()), |read| broker.continue_after(account, read).map(drop)),
    }
}
