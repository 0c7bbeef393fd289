//! Corrections: a trade is busted, or its price corrected, after the fact. Rare, and never at a good moment.
//!
//! Cash and units follow at once, as at a real broker. The list of fills stays as it was: the port reports executions, and no broker that
//! it knows takes one back there. So what a worker sees is that positions and cash are not what the fills make them, and the rule for
//! that is the one for every difference: it quarantines, and is never traded away. Made by hand
//! ([`BanChile::bust`](crate::BanChile::bust), [`BanChile::correct`](crate::BanChile::correct)), never drawn.

use crate::account::{Account, AccountError};
use crate::orders::Row;
use evenkeel_domain::order::Side;
use evenkeel_domain::values::{AccountId, FillId, Money, Price, Quantity, Rounding, Symbol, Timestamp};

/// A trade that was busted or corrected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// The execution it is about.
    pub fill: FillId,
    /// Its symbol.
    pub symbol: Symbol,
    /// Which way it went.
    pub side: Side,
    /// What the account's cash changed by.
    pub cash: Money,
    /// Units that were taken back, of a bought fill; or given back, of a sold one. None where only the price was corrected.
    pub units: Quantity,
    /// When.
    pub at: Timestamp,
}

/// A trade that cannot be corrected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CorrectionError {
    /// There is no such account, or it has too little: what was bought is sold again, or the cash is spent.
    #[error("correcting {fill}")]
    Account {
        /// The execution.
        fill: FillId,
        /// What stands in the way.
        #[source]
        cause: AccountError,
    },
    /// The account has no such execution, or does not remember it.
    #[error("account {account} has no fill {fill}")]
    NoSuchFill {
        /// Which account.
        account: AccountId,
        /// Which fill.
        fill: FillId,
    },
    /// It was busted or corrected already.
    #[error("the fill {fill} of account {account} has been corrected already")]
    Already {
        /// Which account.
        account: AccountId,
        /// Which fill.
        fill: FillId,
    },
}

impl Account {
    /// Takes a trade back: cash, fee and units are what they would be without it.
    pub(crate) fn bust(&mut self, fill: &FillId, at: Timestamp) -> Result<(), CorrectionError> {
        let (symbol, row) = self.correctable(fill)?;
        let refused = |cause| CorrectionError::Account { fill: fill.clone(), cause };
        let account = self.id.clone();
        let overflow = |source| refused(AccountError::Overflow { account: account.clone(), source });
        let cash = row.cash_change().map_err(overflow)?.negate();
        let correction = Correction { fill: fill.clone(), symbol, side: row.side, cash, units: row.quantity, at };
        self.apply_correction(correction).map_err(refused)
    }

    /// Corrects the price of a trade: cash is what it would be at that price, rounded half-even for the fill alone.
    pub(crate) fn correct(&mut self, fill: &FillId, price: Price, at: Timestamp) -> Result<(), CorrectionError> {
        let (symbol, row) = self.correctable(fill)?;
        let refused = |cause| CorrectionError::Account { fill: fill.clone(), cause };
        let account = self.id.clone();
        let overflow = |source| refused(AccountError::Overflow { account: account.clone(), source });
        let worth = |price: Price| price.times(row.quantity).to_money(Rounding::HalfEven).map_err(overflow);
        let more = worth(price)?.sub(worth(row.price)?).map_err(overflow)?;
        let cash = match row.side {
            Side::Buy => more.negate(),
            Side::Sell => more,
        };
        let units = Quantity::ZERO;
        self.apply_correction(Correction { fill: fill.clone(), symbol, side: row.side, cash, units, at })
            .map_err(refused)
    }

    fn correctable(&self, fill: &FillId) -> Result<(Symbol, Row), CorrectionError> {
        let account = || self.id.clone();
        if self.corrections.iter().any(|correction| correction.fill == *fill) {
            return Err(CorrectionError::Already { account: account(), fill: fill.clone() });
        }
        let mut rows = self.book.iter().flat_map(|order| order.rows().iter().map(|row| (order.symbol(), row)));
        let found = rows.find(|(_, row)| row.id == *fill).map(|(symbol, row)| (symbol, row.clone()));
        found.ok_or_else(|| CorrectionError::NoSuchFill { account: account(), fill: fill.clone() })
    }

    /// Nothing changes if the account cannot bear it.
    fn apply_correction(&mut self, correction: Correction) -> Result<(), AccountError> {
        let Correction { symbol, side, cash, units, .. } = correction;
        if cash.is_negative() && cash.negate() > self.free() {
            return Err(AccountError::NotEnoughCash {
                account: self.id.clone(),
                free: self.free(),
                asked: cash.negate(),
            });
        }
        let overflow = |source| AccountError::Overflow { account: self.id.clone(), source };
        let after = self.cash.add(cash).map_err(overflow)?;
        let mut holding = self.holding(symbol);
        holding.units = match side {
            Side::Buy => {
                let free = holding.available();
                free.sub(units).map_err(|error| self.misfit(symbol, units, error))?;
                holding.units.sub(units)
            }
            Side::Sell => holding.units.add(units),
        }
        .map_err(|error| self.misfit(symbol, units, error))?;
        self.cash = after;
        self.holdings.insert(symbol, holding);
        self.corrections.push(correction);
        Ok(())
    }
}
